//! The whole hotline under the stub: all functions, two tenants, and calls placed through the bins themselves.
//!
//! What each step was sent, and what the cloud held just before, is kept: it is replayed when the step is measured.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Bytes;
use serde_json::{Value, json};

use crate::Error;
use crate::aws::{Aws, Cloud, Counts, Item, Object, SharedCloud};
use crate::gateway::Answer;
use crate::sandbox::{Function, Invocation, Sandbox};
use crate::template::{self, Declared};
use crate::twiml::{self, Next};
use crate::webhook::{self, ACCOUNT_SID, AUTH_TOKEN, BASE_URL, DIALLED};

/// More steps than any call that gets anywhere.
const STEPS_LIMIT: usize = 40;
/// The ARN under which the functions find the Twilio secret.
const SECRET: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:twilio";
/// The ARN under which they find the dashboard's.
const DASHBOARD_SECRET: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:dashboard";
/// A greeting's audio file: its name is the SHA-256 of its content, here only its shape.
const GREETING: &str = "0000000000000000000000000000000000000000000000000000000000000000.mp3";
/// The size of a spoken greeting of some ten seconds.
const GREETING_BYTES: usize = 80 * 1024;

/// One step of a call, as it went.
#[derive(Debug, Clone)]
pub struct Step {
    /// The bin that answered.
    pub bin: String,
    /// What it was sent.
    pub event: Bytes,
    /// What the cloud held before.
    pub before: Cloud,
    /// How it answered.
    pub invocation: Invocation,
    /// How much it wrote to its log, in bytes.
    pub logged: u64,
}

/// Keys that the caller presses at a step, by the step's name; the last is pressed again when the step asks again.
type Keys<'a> = &'a [(&'a str, &'a [&'a str])];

/// The opt-out, by keys alone.
const OPT_OUT: Keys<'_> = &[
    ("language", &["1"]),
    ("service-code", &["1"]),
    ("request-kind", &["1"]),
    ("contact", &["1"]),
    ("review", &["1"]),
];
/// A correction, for which the caller says a name and what is wrong.
const CORRECTION: Keys<'_> = &[
    ("language", &["1"]),
    ("service-code", &["1"]),
    ("request-kind", &["4"]),
    ("contact", &["1"]),
    ("name", &["1"]),
    ("details", &["1"]),
    ("review", &["1"]),
];

/// All functions, those that run, and the cloud they share.
#[derive(Debug)]
pub struct Hotline {
    declared: BTreeMap<String, Declared>,
    bins: PathBuf,
    logs: PathBuf,
    cloud: SharedCloud,
    owner: Option<Owner>,
    running: BTreeMap<String, Sandbox>,
}

/// Somebody who is invited to a tenant's dashboard.
#[derive(Debug, Clone)]
pub struct Owner {
    /// What they sign in with.
    pub email: String,
    /// The link in their mail.
    pub invitation: String,
}

impl Hotline {
    /// What `template.yaml` deploys, from bins in `bins` (a folder per function with its `bootstrap`, or cargo's own
    /// layout), with the demo tenants set up by the job that does so on AWS. The functions' output goes to `logs`.
    pub async fn open(bins: &Path, logs: &Path) -> Result<Self, Error> {
        let house = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("."));
        let template = fs::read_to_string(house.join("template.yaml"))?;
        let tenants = fs::read_to_string(house.join("infra/local/demo-tenants.json"))?;
        let cloud = SharedCloud::default();
        {
            let mut cloud = cloud.lock();
            let secret = json!({
                "account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN, "shared_keys": {}, "previous_auth_tokens": [],
                "call_state_key": "0123456789abcdef".repeat(4),
            });
            cloud.secrets.insert(SECRET.to_owned(), secret.to_string());
            let secret = json!({ "ticket_key": "0123456789abcdef".repeat(4) });
            cloud.secrets.insert(DASHBOARD_SECRET.to_owned(), secret.to_string());
            let audio = Object { bytes: vec![0; GREETING_BYTES].into(), content_type: "audio/mpeg".to_owned() };
            cloud.objects.insert(format!("/greetings/greetings/{GREETING}"), audio);
        }
        let declared = template::functions(&template);
        let (bins, logs, running) = (bins.to_owned(), logs.to_owned(), BTreeMap::new());
        let mut hotline = Self { declared, bins, logs, cloud, owner: None, running };
        let tenants: Vec<Value> =
            serde_json::from_str(&tenants).map_err(|error| Error::say("demo-tenants.json", "is not read", &error))?;
        for tenant in tenants {
            let done = hotline.send("jobs-provision-tenant", tenant.to_string().into()).await?;
            if done.invocation.failed {
                let why = String::from_utf8_lossy(&done.invocation.body).into_owned();
                return Err(Error::say("jobs-provision-tenant", "refuses a tenant", &why));
            }
            let answer: Value = serde_json::from_slice(&done.invocation.body).unwrap_or_default();
            let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
            let email = text(tenant.pointer("/tenant/owner/email"));
            let owner = email.zip(text(answer.get("invitation")));
            hotline.owner = hotline.owner.or_else(|| owner.map(|(email, invitation)| Owner { email, invitation }));
        }
        Ok(hotline)
    }

    /// The cloud that all functions share.
    #[must_use]
    pub fn cloud(&self) -> &SharedCloud {
        &self.cloud
    }

    /// The owner of the first tenant, to whom service code 1 belongs.
    #[must_use]
    pub fn owner(&self) -> Option<Owner> {
        self.owner.clone()
    }

    /// What the template declares of a function.
    #[must_use]
    pub fn declared(&self, bin: &str) -> Option<&Declared> {
        self.declared.get(bin)
    }

    /// A function with the environment that the template gives it.
    pub fn function(&self, bin: &str) -> Result<Function, Error> {
        let declared =
            self.declared.get(bin).ok_or_else(|| Error::say(bin, "is not in template.yaml", &"no such CodeUri"))?;
        let folder = self.bins.join(bin);
        let program = if folder.is_dir() { folder.join("bootstrap") } else { folder };
        let program = fs::canonicalize(&program).map_err(|error| {
            Error::say(&program.display().to_string(), "is not there; build the functions first", &error)
        })?;
        let mut env = BTreeMap::from([("STAGE".to_owned(), "local".to_owned())]);
        for name in &declared.variables {
            env.insert(name.clone(), variable(name)?);
        }
        Ok(Function {
            name: bin.to_owned(),
            folder: program.parent().map(Path::to_owned).unwrap_or_default(),
            command: vec![program],
            env,
            handler: "bootstrap".to_owned(),
            log: self.logs.join(format!("{bin}.log")),
        })
    }

    /// A whole opt-out by keys alone, from the first webhook to the usage in the ledger.
    pub async fn opt_out(&mut self, call: u8) -> Result<Vec<Step>, Error> {
        let call_sid = call_sid(call);
        let mut steps = self.call(&call_sid, OPT_OUT).await?;
        steps.extend(self.usage(&call_sid).await?);
        Ok(steps)
    }

    /// One example of every step, the opt-out's included.
    pub async fn every_step(&mut self) -> Result<Vec<Step>, Error> {
        let mut steps = self.opt_out(1).await?;
        let request = self.request(1)?;
        let reference = text(&request, "sk").unwrap_or_default();
        steps.extend(self.call(&call_sid(2), CORRECTION).await?);
        let keyed = [reference];
        let status: Keys<'_> =
            &[("language", &["1"]), ("service-code", &["1"]), ("request-kind", &["6"]), ("status", &keyed)];
        steps.extend(self.call(&call_sid(3), status).await?);

        let mut parameters = webhook::parameters(&call_sid(4), "in-progress");
        parameters.push(("ErrorCode".into(), "11200".into()));
        parameters.push(("ErrorUrl".into(), format!("{BASE_URL}/voice/answer")));
        steps.push(self.post(&format!("{BASE_URL}/voice/fallback"), &parameters).await?);

        let url = format!("{BASE_URL}/voice/greeting/{GREETING}");
        steps.push(self.send("voice-greeting", webhook::get(&url)).await?);

        let mut seen = Vec::new();
        steps.retain(|step| {
            let new = !seen.contains(&step.bin);
            seen.push(step.bin.clone());
            new
        });
        Ok(steps)
    }

    /// A call from the first webhook to the last document.
    async fn call(&mut self, call_sid: &str, keys: Keys<'_>) -> Result<Vec<Step>, Error> {
        let mut steps = Vec::new();
        let mut asked: BTreeMap<String, usize> = BTreeMap::new();
        let mut url = format!("{BASE_URL}/voice/answer");
        let mut parameters = webhook::parameters(call_sid, "ringing");
        for turn in 0..STEPS_LIMIT {
            let step = self.post(&url, &parameters).await?;
            let document = answer(&step)?;
            steps.push(step);
            parameters = webhook::parameters(call_sid, "in-progress");
            match twiml::next(&document)? {
                Next::Keys(action) => {
                    let name =
                        action.strip_prefix(BASE_URL).and_then(|path| path.split('/').nth(2)).unwrap_or_default();
                    let pressed =
                        keys.iter().find(|(step, _)| *step == name).map_or(&[] as &[&str], |(_, pressed)| pressed);
                    let visit = asked.entry(name.to_owned()).or_default();
                    let digits = pressed.get(*visit).or(pressed.last());
                    let digits =
                        digits.ok_or_else(|| Error::say("the caller", "does not know what to press", &document))?;
                    *visit += 1;
                    parameters.push(("Digits".into(), (*digits).into()));
                    parameters.push(("msg".into(), "Gather End".into()));
                    url = action;
                }
                Next::Recording { action, status, transcript } => {
                    let recorded = recorded(turn);
                    for (callback, more) in [(status, RECORDED), (transcript, TRANSCRIBED)] {
                        if let Some(callback) = callback {
                            let mut parameters = webhook::parameters(call_sid, "in-progress");
                            parameters.extend(recorded.clone());
                            parameters.extend(more.iter().map(|(name, value)| ((*name).into(), (*value).into())));
                            steps.push(self.post(&callback, &parameters).await?);
                        }
                    }
                    parameters.extend(recorded);
                    parameters.push(("Digits".into(), "#".into()));
                    url = action;
                }
                Next::Redirect(action) => url = action,
                Next::End => return Ok(steps),
            }
        }
        Err(Error::say("a call", "does not end", &format!("{STEPS_LIMIT} steps")))
    }

    /// What follows a call: its last callback, and the worker that the queue hands the usage to.
    async fn usage(&mut self, call_sid: &str) -> Result<Vec<Step>, Error> {
        let mut parameters = webhook::parameters(call_sid, "completed");
        for (name, value) in [
            ("Timestamp", "Sun, 01 Nov 2026 12:00:49 +0000"),
            ("CallbackSource", "call-progress-events"),
            ("SequenceNumber", "3"),
            ("Duration", "1"),
            ("CallDuration", "49"),
        ] {
            parameters.push((name.into(), value.into()));
        }
        let told = self.post(&format!("{BASE_URL}/voice/call-status"), &parameters).await?;
        let message = self.cloud.lock().messages.last().map(|(_, body)| body.clone());
        let message = message.ok_or_else(|| Error::say("voice-call-status", "queues nothing", &call_sid))?;
        let event = queue_event("usage", &message);
        let recorded = self.send("jobs-record-usage", event).await?;
        Ok(vec![told, recorded])
    }

    /// The request that a call left.
    pub fn request(&self, call: u8) -> Result<Item, Error> {
        let call_sid = call_sid(call);
        let left = self.cloud.lock().all("requests").find(|item| text(item, "call") == Some(&call_sid));
        left.ok_or_else(|| Error::say("a call", "left no request", &call_sid))
    }

    async fn post(&mut self, url: &str, parameters: &[(String, String)]) -> Result<Step, Error> {
        // A fragment is for Twilio alone: how often to try again.
        let url = url.split('#').next().unwrap_or(url);
        let bin = self.behind("POST", url)?;
        let step = self.send(&bin, webhook::post(url, parameters)).await?;
        answer(&step)?;
        Ok(step)
    }

    /// The bin behind an address.
    pub fn behind(&self, method: &str, url: &str) -> Result<String, Error> {
        let path = url.strip_prefix(BASE_URL).unwrap_or(url);
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        let fits = |(of, route): &(String, String)| of == method && matches(route, path);
        let found = self.declared.iter().find(|(_, declared)| declared.routes.iter().any(fits));
        found.map(|(bin, _)| bin.clone()).ok_or_else(|| Error::say(path, "has no route in template.yaml", &""))
    }

    /// Hands an event to a function, which is started when it does not run yet.
    pub async fn send(&mut self, bin: &str, event: Bytes) -> Result<Step, Error> {
        let function = self.function(bin)?;
        let before = self.cloud.lock().clone();
        if !self.running.contains_key(bin) {
            let aws = Aws::listen(&self.cloud, Duration::ZERO).await?;
            self.running.insert(bin.to_owned(), Sandbox::start(&function, aws).await?);
        }
        let logged = || fs::metadata(&function.log).map(|log| log.len()).unwrap_or_default();
        let log_before = logged();
        let sandbox = self.running.get_mut(bin).ok_or_else(|| Error::say(bin, "does not run", &""))?;
        let invocation = sandbox.invoke(&event).await?;
        let logged = logged().saturating_sub(log_before);
        Ok(Step { bin: bin.to_owned(), event, before, invocation, logged })
    }
}

/// A string attribute of an item.
pub(crate) fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.get("S")?.as_str()
}

/// All calls of several steps, by kind.
#[must_use]
pub fn calls(steps: &[Step]) -> Counts {
    let mut total = Counts::new();
    for call in steps.iter().flat_map(|step| &step.invocation.calls) {
        *total.entry(call.kind.clone()).or_default() += 1;
    }
    total
}

/// The value of a variable that the template sets.
fn variable(name: &str) -> Result<String, Error> {
    let value = match name.split_once('_') {
        _ if name == "PUBLIC_BASE_URL" => BASE_URL.to_owned(),
        _ if name == "TWILIO_BASE_URL" => "http://127.0.0.1:9".to_owned(),
        _ if name == "TWILIO_SECRET" => SECRET.to_owned(),
        _ if name == "DASHBOARD_SECRET" => DASHBOARD_SECRET.to_owned(),
        _ if name == "MAIL_EVENTS" => "optline-mail".to_owned(),
        _ if name == "MAIL_FROM" => "hello@optline.example".to_owned(),
        _ if name == "HOTLINE_NUMBER" => DIALLED.to_owned(),
        _ if name == "TEXT_PREFIXES" => "+1".to_owned(),
        // The providers themselves; no form of the bench is checked by one.
        _ if name == "CAPTCHA_BASE_URL" => String::new(),
        _ if name == "KMS_KEY" => "arn:aws:kms:us-east-1:000000000000:key/bench".to_owned(),
        Some(("TABLE" | "BUCKET", what)) => what.to_lowercase(),
        Some(("QUEUE", what)) => format!("https://sqs.us-east-1.amazonaws.com/000000000000/{}", what.to_lowercase()),
        _ => return Err(Error::say(name, "is in template.yaml but not known to the bench", &"add it to hotline.rs")),
    };
    Ok(value)
}

/// Whether a path fits a route such as `/voice/language/{call}`.
fn matches(route: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    route.split('/').all(|expected| parts.next().is_some_and(|part| part == expected || expected.starts_with('{')))
        && parts.next().is_none()
}

/// The document that a step answered; an error where Twilio would take it for a failure.
fn answer(step: &Step) -> Result<String, Error> {
    let answer = Answer::read(&step.invocation.body)?;
    if !(200..300).contains(&answer.status) || step.invocation.failed {
        return Err(Error::say(&step.bin, "answers with a failure", &String::from_utf8_lossy(&step.invocation.body)));
    }
    if answer.body.contains("/voice/fallback<") {
        return Err(Error::say(&step.bin, "gives up and sends the caller to the fallback", &answer.body));
    }
    Ok(answer.body)
}

/// The event that a queue's worker gets for one message.
fn queue_event(queue: &str, message: &str) -> Bytes {
    let event = json!({ "Records": [{
        "messageId": "00000000-0000-4000-8000-000000000000",
        "receiptHandle": "bench",
        "body": message,
        "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "1793534449000", "SenderId": "bench",
            "ApproximateFirstReceiveTimestamp": "1793534449001" },
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:us-east-1:000000000000:{queue}"),
        "awsRegion": "us-east-1",
    }] });
    event.to_string().into()
}

fn call_sid(number: u8) -> String {
    format!("CA{number:032x}")
}

/// The parameters that a recording adds to its action and to its callbacks.
fn recorded(turn: usize) -> Vec<(String, String)> {
    let sid = format!("RE{turn:032x}");
    let url = format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings/{sid}");
    [("RecordingSid", sid), ("RecordingUrl", url), ("RecordingDuration", "7".to_owned())]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}

const RECORDED: &[(&str, &str)] = &[
    ("RecordingSource", "RecordVerb"),
    ("RecordingStatus", "completed"),
    ("RecordingChannels", "1"),
    ("ErrorCode", "0"),
    ("RecordingStartTime", "Sun, 01 Nov 2026 12:00:25 +0000"),
];

const TRANSCRIBED: &[(&str, &str)] = &[
    ("TranscriptionType", "fast"),
    ("TranscriptionSid", "TR00000000000000000000000000000000"),
    ("TranscriptionStatus", "completed"),
    ("TranscriptionText", "Please correct my address."),
];

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_path_fits_its_own_route_only() {
        assert!(matches("/voice/answer", "/voice/answer"));
        assert!(matches("/voice/language/{call}", "/voice/language/AbC-_"));
        assert!(!matches("/voice/language/{call}", "/voice/language"));
        assert!(!matches("/voice/language/{call}", "/voice/contact/x"));
        assert!(!matches("/voice/answer", "/voice/answer/x"));
    }
}
