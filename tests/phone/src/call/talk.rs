//! The interpreter: runs a call's documents verb by verb, as Twilio does.
//!
//! | verb | here |
//! |---|---|
//! | `Say`, `Play`, `Pause` | heard; then the caller may hang up |
//! | `Gather` | what is nested is heard, the caller presses; silence, or `#` alone, goes on to the next verb unless `actionOnEmptyResult` |
//! | `Record` | nothing recorded goes on to the next verb; a hang-up in the middle still sends the action, whose document is not run |
//! | `Redirect`, `Hangup`, `Reject` | as they say; what follows them is a violation |
//! | anything else | skipped, with Twilio's warning 12200 |
//!
//! A webhook that fails is a violation and goes to the fallback; without one, or when that fails too, Twilio says that "an
//! application error has occurred" and hangs up.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use partners::twilio::twiml::{DOCUMENT_LIMIT, schema};
use url::Url;

use super::callbacks::Callback;
use super::{Call, Same};
use crate::caller::{Caller, Do, Prompt, Speech, Then, WaitingFor};
use crate::document::{self, Element};
use crate::line::{Answer, Method, NoAnswer, Signature, Webhook, new_token};
use crate::transcript::{Ended, Fetched, Recorded, Step, Transcript, Violation};

/// Twilio's defaults: <https://www.twilio.com/docs/voice/twiml/gather>, <https://www.twilio.com/docs/voice/twiml/record>.
const TIMEOUT: u32 = 5;
const LONGEST_RECORDING: u32 = 3_600;
const ANY_KEY: &str = "1234567890*#";

/// How fast speech is: 150 words a minute.
const WORD: Duration = Duration::from_millis(400);
/// How long audio is taken to be.
const AUDIO: Duration = Duration::from_secs(5);

/// Where the call goes next.
enum Next {
    Document(Request),
    End(Ended),
}

/// A document to ask for.
struct Request {
    method: Method,
    url: Url,
    extra: Vec<(String, String)>,
}

/// A call under way.
pub(super) struct Talk<'a> {
    pub(super) call: Call,
    caller: &'a mut dyn Caller,
    /// The present document's address; relative ones are resolved against it.
    pub(super) at: Url,
    pub(super) status: &'static str,
    pub(super) answered: bool,
    pub(super) elapsed: Duration,
    spoken: Vec<String>,
    played: Vec<Url>,
    pub(super) waiting: Vec<Callback>,
    pub(super) transcript: Transcript,
}

impl<'a> Talk<'a> {
    pub(super) fn new(call: Call, caller: &'a mut dyn Caller) -> Talk<'a> {
        let transcript = Transcript {
            call_sid: call.sid.clone(),
            steps: Vec::new(),
            said: Vec::new(),
            documents: Vec::new(),
            callbacks: Vec::new(),
            recordings: Vec::new(),
            violations: Vec::new(),
            ended: Ended::NothingLeft,
            duration: Duration::ZERO,
        };
        Talk {
            at: call.line.stack().voice.answer.clone(),
            call,
            caller,
            status: "ringing",
            answered: false,
            elapsed: Duration::ZERO,
            spoken: Vec::new(),
            played: Vec::new(),
            waiting: Vec::new(),
            transcript,
        }
    }

    pub(super) async fn run(&mut self) {
        if self.call.options.callbacks.every_status {
            self.status_callback("ringing", 0, 0);
        }
        let url = self.call.options.answer_url.clone().unwrap_or_else(|| self.at.clone());
        let mut request = Request { method: Method::Post, url, extra: Vec::new() };
        let ended = loop {
            if self.transcript.documents.len() >= self.call.options.most_documents {
                break Ended::Loop;
            }
            let document = match self.document(&request).await {
                Ok(document) => document,
                Err(code) => {
                    let Some(fallback) = self.fallback(&request, code) else {
                        self.step(Step::ApplicationError);
                        break Ended::Error { code };
                    };
                    request = fallback;
                    continue;
                }
            };
            self.deliver_recordings().await;
            self.status = "in-progress";
            self.at = request.url;
            match self.execute(&document).await {
                Next::Document(next) => request = next,
                Next::End(ended) => break ended,
            }
        };
        if ended == Ended::HungUpByCaller {
            self.step(Step::CallerHungUp);
        }
        self.transcript.ended = ended;
        self.end().await;
    }

    // ---- documents

    /// The document that a request is answered with, or the code of what was wrong with it.
    async fn document(&mut self, request: &Request) -> Result<Element, u32> {
        let mut params = self.call.params(self.status);
        params.extend(request.extra.iter().cloned());
        params.sort();
        let webhook = Webhook {
            method: request.method,
            url: request.url.clone(),
            params,
            token: new_token(),
            signature: Signature::Right,
        };
        let (answer, document) = self.ask(&webhook).await?;
        for time in 1..self.call.options.repeats.times {
            let (again, same) = self.ask(&webhook).await?;
            let same = match self.call.options.repeats.same {
                Same::Bytes => again.body == answer.body,
                Same::Speech => same.speech() == document.speech(),
            };
            if !same {
                let what = format!("sent again with the same token, it got another answer the {}. time", time + 1);
                self.violation(11200, &webhook.url, &what);
            }
        }
        Ok(document)
    }

    async fn ask(&mut self, webhook: &Webhook) -> Result<(Answer, Element), u32> {
        let sent = self.call.line.send(webhook).await;
        let fetched = fetched(webhook, sent.as_ref());
        self.step(Step::Fetched { url: webhook.url.clone(), status: fetched.status });
        let body = fetched.body.clone();
        self.transcript.documents.push(fetched);
        let read = sent.map_err(|why| (why.code(), why.to_string())).and_then(|answer| {
            check(&answer)?;
            Ok((answer, document::read(&body)?))
        });
        match read {
            Ok((answer, document)) => {
                for what in schema::check(&body).err().unwrap_or_default() {
                    self.violation(12200, &webhook.url, &what);
                }
                Ok((answer, document))
            }
            Err((code, what)) => {
                self.violation(code, &webhook.url, &what);
                Err(code)
            }
        }
    }

    /// The fallback for a failed request, unless it was the fallback itself.
    fn fallback(&self, failed: &Request, code: u32) -> Option<Request> {
        let url = self.call.line.stack().voice.fallback.clone()?;
        let extra = vec![("ErrorCode".into(), code.to_string()), ("ErrorUrl".into(), failed.url.to_string())];
        (failed.url != url).then_some(Request { method: Method::Post, url, extra })
    }

    // ---- verbs

    async fn execute(&mut self, document: &Element) -> Next {
        let mut verbs = document.children.iter();
        while let Some(verb) = verbs.next() {
            if verb.name != "Reject" && !self.answered {
                self.answered = true;
                if self.call.options.callbacks.every_status {
                    self.status_callback("in-progress", 1, 0);
                }
            }
            let next = match verb.name.as_str() {
                "Say" | "Play" | "Pause" => {
                    self.hear(verb).await;
                    match self.ask_caller(WaitingFor::Nothing) {
                        Do::HangUp => Some(Next::End(Ended::HungUpByCaller)),
                        _ => None,
                    }
                }
                "Gather" => self.gather(verb).await,
                "Record" => self.record(verb).await,
                "Redirect" => Some(self.request(verb, &verb.words(), Vec::new())),
                "Hangup" => Some(Next::End(Ended::HungUpByUs)),
                "Reject" if !self.answered => {
                    self.status = if verb.attribute("reason") == Some("busy") { "busy" } else { "no-answer" };
                    Some(Next::End(Ended::Rejected))
                }
                "Reject" => {
                    self.violation_here(12200, "<Reject> after the call was answered only hangs up");
                    Some(Next::End(Ended::HungUpByUs))
                }
                unknown => {
                    self.violation_here(
                        12200,
                        &format!("<{unknown}> is not a verb that this telephone knows; skipped"),
                    );
                    None
                }
            };
            if let Some(next) = next {
                let never_waits = matches!(verb.name.as_str(), "Redirect" | "Hangup" | "Reject");
                if let (true, Some(after)) = (never_waits, verbs.next()) {
                    self.violation_here(12200, &format!("<{}> after <{}> is never reached", after.name, verb.name));
                }
                return next;
            }
        }
        Next::End(Ended::NothingLeft)
    }

    /// `<Say>`, `<Play>` or `<Pause>`, on its own or in a `<Gather>`.
    async fn hear(&mut self, verb: &Element) {
        let mut times = number(verb, "loop").unwrap_or(1);
        if times == 0 {
            self.violation_here(12200, &format!("<{} loop=\"0\"> goes on until the caller hangs up", verb.name));
            times = 1;
        }
        let times = times.min(20);
        match verb.name.as_str() {
            "Say" => self.say(verb, times),
            "Play" => self.play(verb, times).await,
            "Pause" => {
                let length = Duration::from_secs(number(verb, "length").unwrap_or(1).into());
                self.elapsed += length;
                self.step(Step::Paused(length));
            }
            _ => {}
        }
    }

    fn say(&mut self, verb: &Element, times: u32) {
        let words = verb.words();
        // Twilio's limits for its basic, Amazon's and Google's voices: error 13521.
        let voice = verb.attribute("voice").unwrap_or("man");
        let limit = match voice.split_once('.') {
            Some(("Polly", _)) => 3_000,
            Some(_) => 5_000,
            None => 4_096,
        };
        if words.is_empty() {
            return self.violation_here(13520, "<Say> without words");
        }
        if words.chars().count() > limit {
            return self.violation_here(13521, &format!("<Say> with more than {limit} characters"));
        }
        let count = u32::try_from(words.split(' ').count()).unwrap_or(u32::MAX);
        for _ in 0..times {
            self.elapsed += WORD * count;
            self.step(Step::Said(words.clone()));
            self.transcript.said.push(words.clone());
            self.spoken.push(words.clone());
        }
    }

    async fn play(&mut self, verb: &Element, times: u32) {
        if verb.words().is_empty() && verb.attribute("digits").is_some() {
            return self.elapsed += Duration::from_millis(500);
        }
        let Ok(url) = self.at.join(&verb.words()) else {
            return self.violation_here(11100, &format!("<Play> of `{}`, which is not an address", verb.words()));
        };
        match self.call.line.play(&url).await {
            Err(why) => return self.violation(why.code(), &url, &why.to_string()),
            Ok(Some(answer)) if answer.status != 200 => {
                return self.violation(11200, &url, &format!("<Play> got HTTP status {}", answer.status));
            }
            Ok(Some(answer)) if !answer.content_type.starts_with("audio/") => {
                return self.violation(12300, &url, &format!("<Play> got content type `{}`", answer.content_type));
            }
            Ok(Some(answer)) if answer.body.is_empty() => {
                return self.violation(11200, &url, "<Play> got an empty file");
            }
            Ok(_) => {}
        }
        for _ in 0..times {
            self.elapsed += AUDIO;
            self.step(Step::Played(url.clone()));
            self.played.push(url.clone());
        }
    }

    /// `<Gather>`: <https://www.twilio.com/docs/voice/twiml/gather>.
    async fn gather(&mut self, verb: &Element) -> Option<Next> {
        let before = self.elapsed;
        for nested in &verb.children {
            self.hear(nested).await;
        }
        let timeout = Duration::from_secs(number(verb, "timeout").unwrap_or(TIMEOUT).into());
        let finish_on = verb.attribute("finishOnKey").unwrap_or("#").to_owned();
        let max = number(verb, "numDigits").map(|max| max as usize);
        let input = verb.attribute("input").unwrap_or("dtmf");
        let waiting_for = || WaitingFor::Digits { max, finish_on: finish_on.clone() };

        let mut done = self.ask_caller(waiting_for());
        let interruptible = verb.attribute("bargeIn") != Some("false");
        done = match done {
            Do::Interrupt(keys) if interruptible => {
                self.elapsed = before;
                Do::Press(keys)
            }
            Do::Interrupt(keys) => {
                self.step(Step::Pressed { keys, digits: None });
                self.ask_caller(waiting_for())
            }
            done => done,
        };
        let mut extra = vec![("msg".to_owned(), "Gather End".to_owned())];
        match done {
            Do::HangUp => return Some(Next::End(Ended::HungUpByCaller)),
            Do::Speak(Speech { text: Some(text), seconds, .. }) if input.contains("speech") => {
                self.elapsed += Duration::from_secs(seconds.into());
                self.step(Step::Recorded { seconds, text: Some(text.clone()) });
                extra.extend([("SpeechResult".to_owned(), text), ("Confidence".to_owned(), "0.9".to_owned())]);
                return Some(self.action(verb, extra));
            }
            // Keys count only where keys are asked for.
            Do::Press(keys) | Do::Interrupt(keys) if input.contains("dtmf") => {
                let entry = Entry::of(&keys, max, &finish_on);
                if !entry.complete {
                    self.elapsed += timeout;
                }
                let nothing = entry.digits.is_empty();
                let sent = !nothing || verb.attribute("actionOnEmptyResult") == Some("true");
                self.step(if keys.is_empty() {
                    Step::Silence
                } else {
                    Step::Pressed { keys, digits: sent.then(|| entry.digits.clone()) }
                });
                if !sent {
                    return None;
                }
                // `#` alone is told from silence by `FinishedOnKey=#` without `Digits`.
                if !(nothing && entry.complete) {
                    extra.push(("Digits".to_owned(), entry.digits));
                }
                extra.push(("FinishedOnKey".to_owned(), entry.finished_on.map(String::from).unwrap_or_default()));
            }
            _ => {
                self.elapsed += timeout;
                self.step(Step::Silence);
                if verb.attribute("actionOnEmptyResult") != Some("true") {
                    return None;
                }
                extra.extend([("Digits".to_owned(), String::new()), ("FinishedOnKey".to_owned(), String::new())]);
            }
        }
        Some(self.action(verb, extra))
    }

    /// `<Record>`: <https://www.twilio.com/docs/voice/twiml/record>.
    async fn record(&mut self, verb: &Element) -> Option<Next> {
        let timeout = Duration::from_secs(number(verb, "timeout").unwrap_or(TIMEOUT).into());
        let max_secs = number(verb, "maxLength").unwrap_or(LONGEST_RECORDING);
        let finish_on = verb.attribute("finishOnKey").unwrap_or(ANY_KEY).to_owned();
        let speech = match self.ask_caller(WaitingFor::Recording { max_secs, finish_on: finish_on.clone() }) {
            Do::Speak(speech) if speech.seconds > 0 => speech,
            Do::HangUp | Do::Speak(Speech { then: Then::HangUp, .. }) => return Some(Next::End(Ended::HungUpByCaller)),
            Do::Press(keys) | Do::Interrupt(keys) if keys.contains(|key| finish_on.contains(key)) => {
                self.step(Step::Pressed { keys, digits: None });
                return None;
            }
            _ => {
                self.elapsed += timeout;
                self.step(Step::Silence);
                return None;
            }
        };
        let seconds = speech.seconds.min(max_secs);
        let cut_off = seconds < speech.seconds;
        let began = self.moment();
        self.elapsed += Duration::from_secs(seconds.into());
        self.step(Step::Recorded { seconds, text: speech.text.clone() });
        let (digits, hung_up) = match speech.then {
            Then::HangUp if !cut_off => ("hangup".to_owned(), true),
            Then::Key(key) if !cut_off && finish_on.contains(key) => (key.to_string(), false),
            _ => {
                self.elapsed += if cut_off { Duration::ZERO } else { timeout };
                (String::new(), false)
            }
        };
        if hung_up {
            self.status = "completed";
        }

        let recording = self.keep(verb, &speech, seconds).await?;
        let account = &self.call.line.stack().twilio;
        let path = format!("/2010-04-01/Accounts/{}/Recordings/{}", account.account_sid, recording.sid);
        let url = account.api_base_url.join(&path).map(String::from).unwrap_or_default();
        self.recording_callbacks(verb, &recording, &url, speech.text.as_deref(), began);
        let extra = [
            ("Digits", digits),
            ("RecordingDuration", seconds.to_string()),
            ("RecordingSid", recording.sid.clone()),
            ("RecordingUrl", url),
        ];
        self.transcript.recordings.push(recording);
        let next = self.action(verb, extra.map(|(name, value)| (name.to_owned(), value)).into());
        let Next::Document(request) = &next else { return Some(next) };
        if hung_up {
            // Asked for and checked, but there is nobody left to hear it; nor would Twilio ask the fallback.
            let _ = self.document(request).await;
            return Some(Next::End(Ended::HungUpByCaller));
        }
        Some(next)
    }

    /// Leaves a recording at the Twilio stand-in, with its words when Twilio would have transcribed them: more than 2 s and at
    /// most 2 minutes.
    async fn keep(&mut self, verb: &Element, speech: &Speech, seconds: u32) -> Option<Recorded> {
        let transcribed = verb.attribute("transcribe") == Some("true") && (3..=120).contains(&seconds);
        let transcript = speech.text.clone().filter(|_| transcribed);
        match self.call.line.deposit_recording(&self.call.sid, seconds, &speech.audio, transcript).await {
            Ok(kept) => {
                let audio = speech.audio.clone();
                Some(Recorded { sid: kept.sid, transcription_sid: kept.transcription_sid, seconds, audio })
            }
            Err(why) => {
                self.violation_here(0, &why);
                None
            }
        }
    }

    /// What the caller does now, having heard all that was said since they were last asked.
    fn ask_caller(&mut self, waiting_for: WaitingFor) -> Do {
        let spoken = std::mem::take(&mut self.spoken);
        let played = std::mem::take(&mut self.played);
        self.caller.hear(&Prompt { spoken, played, waiting_for })
    }

    /// The request to a verb's action; without one it goes to the present document, as Twilio has it.
    fn action(&mut self, verb: &Element, extra: Vec<(String, String)>) -> Next {
        if verb.attribute("action").is_none() {
            self.violation_here(0, &format!("<{}> without an action asks for this document again", verb.name));
        }
        self.request(verb, verb.attribute("action").unwrap_or_default(), extra)
    }

    fn request(&mut self, verb: &Element, url: &str, extra: Vec<(String, String)>) -> Next {
        let Ok(url) = self.at.join(url) else {
            self.violation_here(11100, &format!("<{}> goes to `{url}`, which is not an address", verb.name));
            self.step(Step::ApplicationError);
            return Next::End(Ended::Error { code: 11100 });
        };
        Next::Document(Request { method: method(verb, "method"), url, extra })
    }

    // ---- notes

    /// The present moment in the call's own time.
    pub(super) fn moment(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.elapsed).unwrap_or_default();
        self.call.started_at.saturating_add(elapsed).unwrap_or(self.call.started_at)
    }

    fn step(&mut self, step: Step) {
        self.transcript.steps.push(step);
    }

    pub(super) fn violation(&mut self, code: u32, url: &Url, what: &str) {
        self.transcript.violations.push(Violation { code, url: url.to_string(), what: what.to_owned() });
    }

    pub(super) fn violation_here(&mut self, code: u32, what: &str) {
        let url = self.at.clone();
        self.violation(code, &url, what);
    }
}

/// What a `<Gather>` makes of the keys pressed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) digits: String,
    pub(super) finished_on: Option<char>,
    /// Whether it ended at once, rather than by waiting for more.
    pub(super) complete: bool,
}

impl Entry {
    pub(super) fn of(keys: &str, max: Option<usize>, finish_on: &str) -> Entry {
        let mut digits = String::new();
        for key in keys.chars().filter(|key| ANY_KEY.contains(*key)) {
            if finish_on.contains(key) {
                return Entry { digits, finished_on: Some(key), complete: true };
            }
            digits.push(key);
            if Some(digits.len()) == max {
                return Entry { digits, finished_on: None, complete: true };
            }
        }
        Entry { digits, finished_on: None, complete: false }
    }
}

/// What Twilio refuses before it reads a document.
fn check(answer: &Answer) -> Result<(), (u32, String)> {
    if !(200..300).contains(&answer.status) {
        return Err((11200, format!("HTTP status {}", answer.status)));
    }
    let media_type = answer.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !matches!(media_type.as_str(), "text/xml" | "application/xml") {
        return Err((12300, format!("content type `{}`", answer.content_type)));
    }
    if answer.body.len() > DOCUMENT_LIMIT {
        return Err((11750, format!("a document of more than {DOCUMENT_LIMIT} bytes")));
    }
    Ok(())
}

pub(super) fn fetched(webhook: &Webhook, answer: Result<&Answer, &NoAnswer>) -> Fetched {
    let (status, body, took) = match answer {
        Ok(answer) => (answer.status, answer.text(), answer.took),
        Err(_) => (0, String::new(), Duration::ZERO),
    };
    Fetched { method: webhook.method, url: webhook.url.clone(), sent: webhook.params.clone(), status, body, took }
}

fn number(verb: &Element, attribute: &str) -> Option<u32> {
    verb.attribute(attribute)?.parse().ok()
}

pub(super) fn method(verb: &Element, attribute: &str) -> Method {
    match verb.attribute(attribute) {
        Some(method) if method.eq_ignore_ascii_case("get") => Method::Get,
        _ => Method::Post,
    }
}
