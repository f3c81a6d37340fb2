//! The hotline under test: its telephone line, its tenants, and what a call left behind.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::stream::{self, StreamExt as _};
use phone::{Call, CallOptions, Caller, Line, Speech, Stack, Transcript};
use serde::Deserialize;
use serde_json::{Value, json};
use standins::captcha::{Made, Wanted};
use standins::faults::Fault;
use standins::received::Entry;
use standins::twilio::{CallDeposit, Deposited, RecordingDeposit};
use url::Url;

use crate::cloud::Cloud;
use crate::unseal::{Roots, bytes, sha256};
use crate::wire;

/// How long anything may take that happens behind a call.
const PATIENCE: Duration = Duration::from_secs(90);

/// The part of `stack.json` that tells where everything lies in AWS.
#[derive(Clone, Debug, Deserialize)]
pub struct Places {
    /// AWS's address.
    pub aws_endpoint: String,
    /// AWS's region.
    pub region: String,
    /// Tables by their short name.
    pub tables: BTreeMap<String, String>,
    /// Queues' addresses by their short name; dead-letter queues end in `-dead`.
    pub queues: BTreeMap<String, String>,
    /// Buckets by their short name.
    pub buckets: BTreeMap<String, String>,
    /// Functions' names by their bin.
    pub functions: BTreeMap<String, String>,
    /// Functions' roles by their bin.
    pub roles: BTreeMap<String, String>,
    /// Log groups by domain.
    pub log_groups: BTreeMap<String, String>,
    /// ARN of the key.
    pub kms_key: String,
    /// ARN of the Twilio secret.
    pub secret: String,
    /// ARN of the Stripe secret.
    pub stripe_secret: String,
    /// ARN of the dashboard's secret.
    pub dashboard_secret: String,
    tenants: Vec<Value>,
}

impl Places {
    /// What the demo tenants' owners sign in with.
    #[must_use]
    pub fn owners(&self) -> Vec<Value> {
        self.tenants.iter().filter_map(|tenant| tenant.get("owner").cloned()).collect()
    }
}

/// The hotline under test.
pub struct Hotline {
    /// The telephone line.
    pub line: Line,
    /// AWS.
    pub cloud: Cloud,
    /// Where everything lies.
    pub at: Places,
    http: reqwest::Client,
}

/// A service code to be set up; everything else of it is the same for all tests.
#[derive(Clone, Debug)]
pub struct Code {
    /// The digits.
    pub code: String,
    /// What it stands for.
    pub name: String,
    /// Whether calls are taken under it.
    pub active: bool,
    /// Languages offered, the preferred one first, each with its greeting.
    pub greetings: Vec<(&'static str, Value)>,
}

impl Code {
    /// A code in both languages, with spoken greetings.
    #[must_use]
    pub fn new(code: &str, name: &str) -> Self {
        let greetings = vec![
            ("en", json!({ "text": format!("Welcome to {name}.") })),
            ("es", json!({ "text": format!("Bienvenido a {name}.") })),
        ];
        Self { code: code.to_owned(), name: name.to_owned(), active: true, greetings }
    }
}

impl Hotline {
    /// The one that `make test` has started.
    #[must_use]
    pub fn open() -> Self {
        #[expect(clippy::disallowed_methods, reason = "a test is told by its environment where the hotline is")]
        let file = std::env::var("OPTLINE_STACK").unwrap_or_else(|_| {
            panic!("this test calls the hotline, and there is none: run `make test`, which starts one of its own")
        });
        let stack = Stack::read(&file).unwrap_or_else(|why| panic!("{why}; or run `make test`"));
        let text = std::fs::read(&file).expect("the file that was just read");
        let at: Places = serde_json::from_slice(&text).expect("all of stack.json");
        Self {
            line: Line::new(stack).expect("a telephone line"),
            cloud: Cloud::root(&at.aws_endpoint, &at.region),
            http: reqwest::Client::builder().no_proxy().build().expect("an HTTP client"),
            at,
        }
    }

    /// A table by its short name.
    #[must_use]
    pub fn table(&self, name: &str) -> &str {
        &self.at.tables[name]
    }

    /// A queue by its short name.
    #[must_use]
    pub fn queue(&self, name: &str) -> &str {
        &self.at.queues[name]
    }

    /// A bucket by its short name.
    #[must_use]
    pub fn bucket(&self, name: &str) -> &str {
        &self.at.buckets[name]
    }

    // ---- calls

    /// Dials the shared number.
    #[must_use]
    pub fn dial(&self, from: &str) -> Call {
        self.line.dial(CallOptions::from(from))
    }

    /// A call of a scripted caller to the shared number, in which the hotline broke none of Twilio's rules.
    pub async fn call(&self, from: &str, caller: &mut dyn Caller) -> Transcript {
        self.call_with(CallOptions::from(from), caller).await
    }

    /// The same, placed in another way.
    pub async fn call_with(&self, options: CallOptions, caller: &mut dyn Caller) -> Transcript {
        let transcript = self.line.dial(options).talk(caller).await;
        assert!(transcript.violations.is_empty(), "{transcript}");
        transcript
    }

    /// One HTTP exchange with the API, byte by byte.
    pub async fn exchange(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> wire::Answer {
        let stack = self.line.stack();
        let host = match stack.base_url.port() {
            Some(port) => format!("{}:{port}", stack.base_url.host_str().expect("a host")),
            None => stack.base_url.host_str().expect("a host").to_owned(),
        };
        let mut all = vec![("host", host.as_str())];
        all.extend(headers);
        let exchanged = wire::exchange(&stack.connect_to, method, target, &all, body).await;
        exchanged.unwrap_or_else(|why| panic!("{method} {target}: {why}"))
    }

    // ---- tenants

    /// Sets a tenant up in California, or changes it; returns its id.
    pub async fn tenant(&self, slug: &str, codes: &[Code], numbers: &[(&str, &str)]) -> String {
        let done = self.provision(&order(slug, codes, numbers)).await.unwrap_or_else(|why| panic!("{slug}: {why}"));
        done["tenant"].as_str().expect("an id").to_owned()
    }

    /// Has `jobs-provision-tenant` do this.
    pub async fn provision(&self, order: &Value) -> Result<Value, Value> {
        self.cloud.invoke(&self.at.functions["jobs-provision-tenant"], order).await
    }

    /// The id of a tenant that was set up before.
    pub async fn tenant_id(&self, slug: &str) -> String {
        let entry = self.directory("tenant", slug).await.unwrap_or_else(|| panic!("no tenant {slug}"));
        entry["tenant"].as_str().expect("an id").to_owned()
    }

    /// A tenant's root keys.
    pub async fn roots(&self, tenant: &str) -> Roots {
        Roots::of(&self.cloud, self.table("keys"), &self.at.kms_key, tenant).await
    }

    /// The salt of the key of one consumer record or recording.
    pub async fn salt(&self, tenant: &str, record: &str) -> Vec<u8> {
        let pk = format!("salt#{tenant}#{record}");
        let item = self.cloud.item(self.table("keys"), &[("pk", &pk), ("sk", "salt")]).await;
        bytes(&item.unwrap_or_else(|| panic!("{record} has no salt"))["salt"])
    }

    /// The contact of a request in the clear.
    pub async fn contact(&self, request: &Value) -> Option<String> {
        let tenant = owner(request);
        let (pk, sk) = (request["pk"].as_str().expect("a key"), request["sk"].as_str().expect("a key"));
        let salt = self.salt(tenant, sk).await;
        let sealed = bytes(request.get("contact")?);
        let opened = self.roots(tenant).await.open(&salt, ["requests", pk, sk, "contact"], &sealed);
        Some(String::from_utf8(opened.expect("a contact that opens")).expect("a number"))
    }

    /// The directory's entry for a value.
    pub async fn directory(&self, kind: &str, value: &str) -> Option<Value> {
        let key = format!("{kind}#{}", sha256(value.as_bytes()));
        self.cloud.item(self.table("directory"), &[("pk", &key)]).await
    }

    // ---- what a call left behind

    /// Every request of a call, whosever it is.
    pub async fn requests(&self, call: &str) -> Vec<Value> {
        self.cloud.items_with(self.table("requests"), "call", call).await
    }

    /// The one request of a call, which must be this tenant's.
    pub async fn request(&self, tenant: &str, call: &str) -> Value {
        let mut requests = self.requests(call).await;
        assert_eq!(requests.len(), 1, "{call} has left {requests:#?}");
        let request = requests.remove(0);
        assert_eq!(owner(&request), tenant, "{request:#}");
        request
    }

    /// Every row of the ledger that a call has.
    pub async fn ledger(&self, call: &str) -> Vec<Value> {
        self.cloud.items_with(self.table("usage"), "sk", call).await
    }

    /// The one row of a call, once it is there, which must be this tenant's.
    pub async fn usage(&self, tenant: &str, call: &str) -> Value {
        let mut rows = eventually(&format!("the usage of {call}"), async || {
            Some(self.ledger(call).await).filter(|rows| !rows.is_empty())
        })
        .await;
        assert_eq!(rows.len(), 1, "{rows:#?}");
        let row = rows.remove(0);
        assert_eq!(owner(&row), tenant, "{row:#}");
        row
    }

    /// Part of a recording as it lies in S3, with its key, once it is there: `audio` or `transcript`.
    pub async fn recording(&self, tenant: &str, call: &str, recording: &str, part: &str) -> (String, Vec<u8>) {
        let key = format!("{tenant}/{call}/{recording}.{part}");
        let bytes =
            eventually(&format!("{key} in S3"), async || self.cloud.object(self.bucket("recordings"), &key).await)
                .await;
        (key, bytes)
    }

    // ---- Twilio's stand-in

    fn standin(&self, path: &str) -> Url {
        let standin = self.line.stack().standins.twilio.as_ref().expect("a stand-in for Twilio");
        standin.join(path).expect("an address")
    }

    async fn standin_json(&self, path: &str, body: Value) -> String {
        let request = self.http.post(self.standin(path)).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.expect("the stand-in");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.text().await.expect("a whole answer")
    }

    /// What a stand-in tells whoever looks from outside.
    pub async fn ask_standin(&self, path: &str) -> Value {
        let answer = self.http.get(self.standin(path)).send().await.expect("the stand-in");
        serde_json::from_str(&answer.text().await.expect("a whole answer")).expect("JSON")
    }

    /// Has a stand-in do something; what it says to that.
    pub async fn tell_standin(&self, path: &str, body: Value) -> Value {
        serde_json::from_str(&self.standin_json(path, body).await).expect("JSON")
    }

    /// One request to Stripe's stand-in in the operator's name.
    pub async fn ask_stripe(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let secret = self.cloud.secret(&self.at.stripe_secret).await;
        let key = secret["secret_key"].as_str().expect("a key");
        let request = self.http.post(self.standin(path)).bearer_auth(key);
        let request = request.header("stripe-version", partners::stripe::API_VERSION).form(form);
        let answer = request.send().await.expect("the stand-in");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_str(&answer.text().await.expect("a whole answer")).expect("JSON")
    }

    /// Disturbs the next requests that the stand-in gets.
    pub async fn disturb(&self, fault: &Fault) {
        self.standin_json("_standin/faults", serde_json::to_value(fault).expect("JSON")).await;
    }

    /// A human check's token, as a test wants it.
    pub async fn captcha_token(&self, wanted: &Wanted) -> String {
        let wanted = serde_json::to_value(wanted).expect("JSON");
        let made: Made =
            serde_json::from_str(&self.standin_json("_standin/captcha/tokens", wanted).await).expect("a token");
        made.token
    }

    /// Leaves something spoken in a call at Twilio, as the telephone does, transcribed.
    pub async fn deposit(&self, call: &str, speech: &Speech) -> Deposited {
        let recording = RecordingDeposit {
            call_sid: call.to_owned(),
            duration: speech.seconds,
            audio: STANDARD.encode(&speech.audio),
            transcript: speech.text.clone(),
        };
        let text = self.standin_json("_standin/recordings", serde_json::to_value(&recording).expect("JSON")).await;
        serde_json::from_str(&text).expect("what was deposited")
    }

    /// Has Twilio list a call, whatever became of its callback.
    pub async fn deposit_call(&self, call: &CallDeposit) {
        self.standin_json("_standin/calls", serde_json::to_value(call).expect("JSON")).await;
    }

    /// What the stand-in was asked about a recording or transcription, oldest first.
    pub async fn asked(&self, sid: &str) -> Vec<Entry> {
        let answer = self.http.get(self.standin(&format!("_standin/requests?path={sid}"))).send().await;
        let text = answer.expect("the stand-in").text().await.expect("a whole answer");
        serde_json::from_str(&text).expect("requests")
    }

    /// Waits until a recording or transcription is deleted at Twilio.
    pub async fn deleted_at_twilio(&self, sid: &str) {
        let deleted = |entry: &Entry| entry.method == "DELETE" && matches!(entry.status, 204 | 404);
        eventually(&format!("{sid} being deleted at Twilio"), async || {
            self.asked(sid).await.iter().any(deleted).then_some(())
        })
        .await;
        let stack = self.line.stack();
        let collection = if sid.starts_with("RE") { "Recordings" } else { "Transcriptions" };
        let path = format!("2010-04-01/Accounts/{}/{collection}/{sid}.json", stack.twilio.account_sid);
        let request = self.http.get(self.standin(&path));
        let request = request.basic_auth(&stack.twilio.account_sid, Some(&stack.twilio.auth_token));
        assert_eq!(request.send().await.expect("the stand-in").status().as_u16(), 404, "{sid} is still at Twilio");
    }
}

/// An order for `jobs-provision-tenant`: a tenant in California with these service codes, each offering everything.
#[must_use]
pub fn order(slug: &str, codes: &[Code], numbers: &[(&str, &str)]) -> Value {
    let kinds = ["opt-out", "delete", "know-categories", "know-specific", "correct", "limit", "message"];
    let code = |code: &Code| {
        json!({
            "code": code.code, "name": code.name, "active": code.active, "kinds": kinds,
            "languages": code.greetings.iter().map(|(language, _)| *language).collect::<Vec<_>>(),
            "greetings": code.greetings.iter().cloned().collect::<BTreeMap<_, _>>(),
            "web-form": "https://www.shop.example/privacy",
        })
    };
    let number = |(number, code): &(&str, &str)| json!({ "number": number, "service-code": code });
    json!({ "tenant": {
        "slug": slug,
        "profile": { "name": slug, "time-zone": "America/Los_Angeles", "jurisdictions": ["us-ca"] },
        "service-codes": codes.iter().map(code).collect::<Vec<_>>(),
        "numbers": numbers.iter().map(number).collect::<Vec<_>>(),
        "replace": true,
    }})
}

/// The tenant in whose partition an item lies.
#[must_use]
pub fn owner(item: &Value) -> &str {
    let pk = item["pk"].as_str().expect("a partition key");
    pk.split_once('#').map_or(pk, |(tenant, _)| tenant)
}

/// Does all of this, a dozen at once: more than a limit of ten lets through, and no more than two processors can start
/// functions for. Each is a process of its own here, and gives up on AWS after three tries of two seconds.
pub async fn in_dozens<T>(work: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    stream::iter(work).buffer_unordered(12).collect().await
}

/// Looks until there is something, for as long as is reasonable.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    let mut pause = Duration::from_millis(50);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "{what} did not come within {} s", PATIENCE.as_secs());
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(800));
    }
}
