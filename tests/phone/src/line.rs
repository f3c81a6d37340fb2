//! A line to the hotline: signed webhooks as Twilio sends them.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use partners::twilio::signature::{self, Algorithm};
use partners::twilio::twiml::DOCUMENT_LIMIT;
use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, USER_AGENT};
use standins::twilio::{CallDeposit, Deposited, RecordingDeposit};
use url::{Host, Url};

use crate::stack::{Stack, StackError};

/// The whole exchange of a webhook, connecting included, has to be over by then (Twilio's error 11200).
pub const BUDGET: Duration = Duration::from_secs(15);

/// The largest sound file played.
const AUDIO_LIMIT: usize = 40 * 1024 * 1024;

/// A line to the hotline. Copies share connections and what was cached.
#[derive(Clone)]
pub struct Line(Arc<Inner>);

struct Inner {
    stack: Stack,
    connect_to: SocketAddr,
    http: reqwest::Client,
    budget: Duration,
    /// Addresses of audio that may be played again without asking.
    audio: Mutex<HashSet<Url>>,
}

/// How a webhook is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// With the parameters in the query.
    Get,
    /// With the parameters as a form.
    Post,
}

/// What `X-Twilio-Signature` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// The right one.
    Right,
    /// This.
    Given(String),
    /// Nothing: the header is missing.
    Missing,
}

/// A request to the hotline.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// GET or POST.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Parameters in the order in which they are sent.
    pub params: Vec<(String, String)>,
    /// `I-Twilio-Idempotency-Token`: the same when the same webhook is sent again.
    pub token: String,
    /// How it is signed.
    pub signature: Signature,
}

impl Webhook {
    /// A POST with a token of its own and the right signature.
    pub fn post<N: Into<String>, V: Into<String>>(url: Url, params: impl IntoIterator<Item = (N, V)>) -> Webhook {
        let params = params.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Webhook { method: Method::Post, url, params, token: new_token(), signature: Signature::Right }
    }
}

/// What the hotline answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type`, or nothing.
    pub content_type: String,
    /// The body, cut off one byte after what is allowed.
    pub body: Vec<u8>,
    /// How long it took.
    pub took: Duration,
    cacheable: bool,
}

impl Answer {
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Why there is no answer, with Twilio's error code.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// Not within [`BUDGET`].
    #[error("no whole answer within {} s", .0.as_secs())]
    TooLate(Duration),
    /// No connection.
    #[error("no connection: {0}")]
    Connect(reqwest::Error),
    /// Something else on the wire.
    #[error("the exchange broke off: {0}")]
    Protocol(reqwest::Error),
    /// Not on this machine; nothing was sent.
    #[error("not an address on this machine: nothing was sent")]
    NotLoopback,
}

impl NoAnswer {
    /// Twilio's error code.
    #[must_use]
    pub fn code(&self) -> u32 {
        match self {
            NoAnswer::TooLate(_) => 11200,
            NoAnswer::Connect(_) | NoAnswer::NotLoopback => 11205,
            NoAnswer::Protocol(_) => 11206,
        }
    }
}

impl Line {
    /// A line to the hotline that `make up` described in this file.
    pub fn open(stack_json: impl AsRef<Path>) -> Result<Line, StackError> {
        Line::new(Stack::read(stack_json)?)
    }

    /// A line to this hotline.
    pub fn new(stack: Stack) -> Result<Line, StackError> {
        Line::with_budget(stack, BUDGET)
    }

    /// A line whose webhooks have another time than 15 s.
    pub fn with_budget(stack: Stack, budget: Duration) -> Result<Line, StackError> {
        let connect_to = match stack.connect_to.replace("localhost", "127.0.0.1").parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => address,
            _ => return Err(StackError::NotLoopback(stack.connect_to)),
        };
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Line(Arc::new(Inner { stack, connect_to, http, budget, audio: Mutex::default() })))
    }

    /// The hotline at the other end.
    #[must_use]
    pub fn stack(&self) -> &Stack {
        &self.0.stack
    }

    /// Sends a webhook and waits for its answer.
    pub async fn send(&self, webhook: &Webhook) -> Result<Answer, NoAnswer> {
        let mut url = webhook.url.clone();
        url.set_fragment(None);
        let form = webhook.method == Method::Post;
        if !form && !webhook.params.is_empty() {
            url.query_pairs_mut().extend_pairs(&webhook.params);
        }
        let signature = match &webhook.signature {
            Signature::Right => Some(self.sign(&url, if form { &webhook.params } else { &[] })),
            Signature::Given(text) => Some(text.clone()),
            Signature::Missing => None,
        };
        let (reached, host) = self.reach(&url).ok_or(NoAnswer::NotLoopback)?;
        let mut request = match webhook.method {
            Method::Get => self.0.http.get(reached),
            Method::Post => {
                let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&webhook.params).finish();
                let form = "application/x-www-form-urlencoded; charset=UTF-8";
                self.0.http.post(reached).header(CONTENT_TYPE, form).body(body)
            }
        };
        request = request.header(HOST, host).header("I-Twilio-Idempotency-Token", &webhook.token);
        if let Some(signature) = signature {
            request = request.header("X-Twilio-Signature", signature);
        }
        // Twilio tries once more when there is no connection (its default `rc=1`, `rp=ct`), and only then.
        let again = request.try_clone();
        match (self.exchange(request, DOCUMENT_LIMIT).await, again) {
            (Err(NoAnswer::Connect(_)), Some(again)) => self.exchange(again, DOCUMENT_LIMIT).await,
            (answer, _) => answer,
        }
    }

    /// The right signature for a request to `url`; `params` are those of a form.
    #[must_use]
    pub fn sign(&self, url: &Url, params: &[(String, String)]) -> String {
        let params = params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        signature::sign(&self.0.stack.twilio.auth_token, Algorithm::HmacSha1, url.as_str(), params)
    }

    /// Fetches audio as `<Play>` does; nothing when it is still in Twilio's cache.
    pub(crate) async fn play(&self, url: &Url) -> Result<Option<Answer>, NoAnswer> {
        let cached = || self.0.audio.lock().unwrap_or_else(PoisonError::into_inner);
        if cached().contains(url) {
            return Ok(None);
        }
        let (reached, host) = self.reach(url).ok_or(NoAnswer::NotLoopback)?;
        let answer = self.exchange(self.0.http.get(reached).header(HOST, host), AUDIO_LIMIT).await?;
        if answer.status == 200 && answer.cacheable {
            cached().insert(url.clone());
        }
        Ok(Some(answer))
    }

    /// Leaves a recording with the Twilio stand-in; without one it only gets an identifier.
    pub(crate) async fn deposit_recording(
        &self,
        call_sid: &str,
        duration: u32,
        audio: &[u8],
        transcript: Option<String>,
    ) -> Result<Deposited, String> {
        let transcribed = transcript.is_some();
        let audio = STANDARD.encode(audio);
        let deposit = RecordingDeposit { call_sid: call_sid.to_owned(), duration, audio, transcript };
        match self.standin("_standin/recordings") {
            None => Ok(Deposited { sid: new_sid("RE"), transcription_sid: transcribed.then(|| new_sid("TR")) }),
            Some(url) => {
                let body = self.deposit(url, &deposit).await?;
                serde_json::from_slice(&body)
                    .map_err(|why| format!("the Twilio stand-in answered something else: {why}"))
            }
        }
    }

    /// Leaves the end of a call with the Twilio stand-in.
    pub(crate) async fn deposit_call(&self, call: &CallDeposit) -> Result<(), String> {
        match self.standin("_standin/calls") {
            None => Ok(()),
            Some(url) => self.deposit(url, call).await.map(|_| ()),
        }
    }

    fn standin(&self, path: &str) -> Option<Url> {
        self.0.stack.standins.twilio.as_ref()?.join(path).ok()
    }

    async fn deposit(&self, url: Url, what: &impl serde::Serialize) -> Result<Vec<u8>, String> {
        let (reached, host) = self.reach(&url).ok_or("the Twilio stand-in is not on this machine")?;
        let body = serde_json::to_vec(what).map_err(|why| why.to_string())?;
        let request = self.0.http.post(reached).header(HOST, host).header(CONTENT_TYPE, "application/json").body(body);
        match self.exchange(request, DOCUMENT_LIMIT).await {
            Ok(answer) if answer.status == 201 => Ok(answer.body),
            Ok(answer) => Err(format!("the Twilio stand-in answered {}: {}", answer.status, answer.text())),
            Err(why) => Err(format!("the Twilio stand-in does not answer: {why}")),
        }
    }

    /// Where to connect to for `url`, and the `Host` to send; nothing when it is not on this machine.
    fn reach(&self, url: &Url) -> Option<(Url, String)> {
        let host = match url.port() {
            Some(port) => format!("{}:{port}", url.host_str()?),
            None => url.host_str()?.to_owned(),
        };
        let address = if url.origin() == self.0.stack.base_url.origin() {
            self.0.connect_to
        } else {
            let ip = match url.host()? {
                Host::Ipv4(ip) => IpAddr::from(ip),
                Host::Ipv6(ip) => IpAddr::from(ip),
                Host::Domain(name) if name == "localhost" || name.ends_with(".localhost") => {
                    IpAddr::from([127, 0, 0, 1])
                }
                Host::Domain(_) => return None,
            };
            SocketAddr::new(ip, url.port_or_known_default()?)
        };
        if !address.ip().is_loopback() {
            return None;
        }
        let mut reached = url.clone();
        reached.set_scheme("http").ok()?;
        reached.set_ip_host(address.ip()).ok()?;
        reached.set_port(Some(address.port())).ok()?;
        Some((reached, host))
    }

    async fn exchange(&self, request: reqwest::RequestBuilder, limit: usize) -> Result<Answer, NoAnswer> {
        let budget = self.0.budget;
        let started = Instant::now();
        let failed = |why: reqwest::Error| match () {
            () if why.is_timeout() => NoAnswer::TooLate(budget),
            () if why.is_connect() => NoAnswer::Connect(why),
            () => NoAnswer::Protocol(why),
        };
        let request = request.header(USER_AGENT, "TwilioProxy/1.1").timeout(budget);
        let mut response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let content_type = header(CONTENT_TYPE).to_owned();
        let caching = header(CACHE_CONTROL).to_ascii_lowercase();
        let cacheable = caching.contains("max-age") && !caching.contains("max-age=0") && !caching.contains("no-");
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() > limit {
                body.truncate(limit + 1);
                break;
            }
        }
        Ok(Answer { status, content_type, body, took: started.elapsed(), cacheable })
    }
}

/// A SID: two letters and 32 hex digits.
pub(crate) fn new_sid(prefix: &str) -> String {
    format!("{prefix}{:032x}", fastrand::u128(..))
}

/// An idempotency token, written as a UUID as Twilio's are.
pub(crate) fn new_token() -> String {
    let hex = format!("{:032x}", fastrand::u128(..));
    let mut token = String::with_capacity(36);
    for (at, digit) in hex.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            token.push('-');
        }
        token.push(digit);
    }
    token
}
