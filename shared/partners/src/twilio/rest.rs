//! Twilio's REST API, as far as Optline calls it: recordings, transcriptions, messages, the list of calls.
//!
//! A call that Twilio did not take is made again, each time after a longer random wait, within a bounded time. Fetching
//! and deleting may be repeated at will; sending a message is repeated only when it is certain that Twilio did not take
//! it (no connection, or 429), since the API has no idempotency key.
//!
//! Source: <https://www.twilio.com/docs/usage/api>, <https://www.twilio.com/docs/voice/api/recording>.

use std::{
    fmt,
    sync::OnceLock,
    time::{Duration, Instant},
};

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{Method, StatusCode, header::RETRY_AFTER, redirect};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{AccountSid, CallSid, MessageSid, RecordingSid, TranscriptionSid};
use crate::address::usable;

/// The largest recording that is fetched, in bytes: hours of telephone speech as MP3.
pub const RECORDING_LIMIT: usize = 25 * 1024 * 1024;

/// The largest answer to any other call, in bytes.
const ANSWER_LIMIT: usize = 64 * 1024;

/// How many calls are listed at once; Twilio gives at most 1,000.
const CALLS_A_PAGE: &str = "500";

/// The largest page of them, in bytes: Twilio writes about one and a half kilobytes of a call.
const PAGE_LIMIT: usize = 4 * 1024 * 1024;

/// How long and how often a call is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The tries in all, the first included.
    pub tries: u32,
    /// The longest that one try may take, the body included.
    pub per_try: Duration,
    /// The longest wait before the second try; it doubles with each.
    pub first_wait: Duration,
    /// The longest wait of all, unless Twilio asks for more with `Retry-After`.
    pub longest_wait: Duration,
    /// The time for everything, waits included.
    pub total: Duration,
}

impl Default for Patience {
    /// Four tries within 45 seconds, which a queue's worker can afford.
    fn default() -> Self {
        Self {
            tries: 4,
            per_try: Duration::from_secs(15),
            first_wait: Duration::from_millis(250),
            longest_wait: Duration::from_secs(5),
            total: Duration::from_secs(45),
        }
    }
}

/// Why a call to Twilio gave nothing. Neither credentials nor bodies are part of it.
#[derive(Debug, thiserror::Error)]
pub enum RestError {
    /// The configured address cannot be used.
    #[error("Twilio's base URL {0}")]
    BaseUrl(&'static str),
    /// No HTTPS client could be made, for want of root certificates as a rule.
    #[error("no HTTPS client could be made")]
    Client(#[source] reqwest::Error),
    /// The credentials are wrong or may not do this.
    #[error("{doing}: Twilio refused the credentials")]
    Unauthorized {
        /// What was attempted.
        doing: &'static str,
    },
    /// There is no such thing at Twilio, or not yet.
    #[error("{doing}: not found at Twilio")]
    NotFound {
        /// What was attempted.
        doing: &'static str,
    },
    /// Twilio will not do it, and will not if asked again.
    #[error("{doing}: Twilio answered {status}, code {code:?}")]
    Refused {
        /// What was attempted.
        doing: &'static str,
        /// The HTTP status.
        status: u16,
        /// Twilio's own code (<https://www.twilio.com/docs/api/errors>), where it gave one.
        code: Option<u32>,
    },
    /// More bytes than are taken.
    #[error("{doing}: more than {limit} bytes")]
    TooLarge {
        /// What was attempted.
        doing: &'static str,
        /// The bytes that are taken.
        limit: usize,
    },
    /// The answer was not what the API promises.
    #[error("{doing}: Twilio's answer could not be read")]
    Unreadable {
        /// What was attempted.
        doing: &'static str,
    },
    /// It failed and could not be tried again, or not often enough. A message may have been sent all the same, unless
    /// the cause is [`Cause::Connect`] or status 429.
    #[error("{doing}: {cause}, given up after {tries} tries")]
    GaveUp {
        /// What was attempted.
        doing: &'static str,
        /// How often.
        tries: u32,
        /// What went wrong the last time.
        cause: Cause,
    },
}

/// Why one try failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// No connection: Twilio has not seen the call.
    Connect,
    /// No answer in time.
    Timeout,
    /// The connection broke.
    Interrupted,
    /// An HTTP status that passes: 429, or one of the server's.
    Status(u16),
}

impl Cause {
    fn of(error: &reqwest::Error) -> Self {
        // A connection that takes too long is both; that Twilio has not seen the call is what counts.
        if error.is_connect() {
            Self::Connect
        } else if error.is_timeout() {
            Self::Timeout
        } else {
            Self::Interrupted
        }
    }

    fn nothing_happened(self) -> bool {
        matches!(self, Self::Connect | Self::Status(429))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect => f.write_str("no connection"),
            Self::Timeout => f.write_str("no answer in time"),
            Self::Interrupted => f.write_str("the connection broke"),
            Self::Status(status) => write!(f, "status {status}"),
        }
    }
}

/// A call as Twilio lists it, without the caller's number: it is not read.
///
/// Source: <https://www.twilio.com/docs/voice/api/call-resource>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCall {
    /// Its identifier.
    pub sid: CallSid,
    /// Twilio's word for its state: `completed`, `in-progress`, …
    pub status: String,
    /// Whether somebody called us, rather than the other way round.
    pub inbound: bool,
    /// How long it lasted, in seconds; 0 while it has not ended.
    pub seconds: u32,
    /// When it ended, if it has.
    pub ended_at: Option<Timestamp>,
    /// Which of the account's numbers was called; nothing where somebody was called by us.
    pub to: Option<String>,
}

/// Which calls are listed: those that began at or after one time and before or at another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Began {
    /// From when on, to the second.
    pub from: Timestamp,
    /// Until when, to the second.
    pub to: Timestamp,
}

/// Some of the calls, the latest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallsPage {
    /// The calls.
    pub calls: Vec<ListedCall>,
    /// Where the list goes on, for [`Client::more_calls`]; nothing at its end.
    pub next: Option<String>,
}

/// Calls Twilio in the name of one account.
pub struct Client {
    base_url: String,
    account: AccountSid,
    auth_token: Zeroizing<String>,
    patience: Patience,
    /// Made by the first call: it reads the system's root certificates, which a function that only answers never needs.
    http: OnceLock<reqwest::Client>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base_url)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client for the API at `base_url`, which is `https://api.twilio.com` but for stand-ins.
    ///
    /// Plain HTTP is taken only to this machine itself. Nothing is sent yet.
    pub fn new(base_url: &str, account: AccountSid, auth_token: String) -> Result<Self, RestError> {
        let base_url = usable(base_url).map_err(RestError::BaseUrl)?;
        let auth_token = Zeroizing::new(auth_token);
        Ok(Self { base_url, account, auth_token, patience: Patience::default(), http: OnceLock::new() })
    }

    /// The same with other limits on time and tries.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// The audio of a recording, as MP3.
    ///
    /// [`RestError::NotFound`] also when the audio is not ready yet.
    pub async fn recording(&self, sid: &RecordingSid) -> Result<Vec<u8>, RestError> {
        let resource = format!("Recordings/{sid}.mp3");
        self.call(&Call { limit: RECORDING_LIMIT, ..Call::new("fetch recording", Method::GET, resource) }).await
    }

    /// Deletes a recording; one that is already gone is as good as deleted.
    pub async fn delete_recording(&self, sid: &RecordingSid) -> Result<(), RestError> {
        self.delete("delete recording", format!("Recordings/{sid}.json")).await
    }

    /// Deletes a transcription; one that is already gone is as good as deleted.
    pub async fn delete_transcription(&self, sid: &TranscriptionSid) -> Result<(), RestError> {
        self.delete("delete transcription", format!("Transcriptions/{sid}.json")).await
    }

    /// Sends a text message between two numbers in E.164.
    pub async fn send_message(&self, to: &str, from: &str, body: &str) -> Result<MessageSid, RestError> {
        #[derive(Deserialize)]
        struct Message {
            sid: MessageSid,
        }
        let doing = "send message";
        let form = [("To", to), ("From", from), ("Body", body)];
        let answer =
            self.call(&Call { form: &form, ..Call::new(doing, Method::POST, "Messages.json".to_owned()) }).await?;
        let message: Message = serde_json::from_slice(&answer).map_err(|_| RestError::Unreadable { doing })?;
        Ok(message.sid)
    }

    /// The first page of the calls that began within a time.
    pub async fn calls(&self, began: Began) -> Result<CallsPage, RestError> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        // The names end in what they compare by; the equals sign is the query's own.
        query.append_pair("StartTime>", &second(began.from));
        query.append_pair("StartTime<", &second(began.to));
        query.append_pair("PageSize", CALLS_A_PAGE);
        self.more_calls(&query.finish()).await
    }

    /// The page at which an earlier one said that the list goes on.
    pub async fn more_calls(&self, next: &str) -> Result<CallsPage, RestError> {
        let doing = "list calls";
        let resource = format!("Calls.json?{next}");
        let answer = self.call(&Call { limit: PAGE_LIMIT, ..Call::new(doing, Method::GET, resource) }).await?;
        let unreadable = || RestError::Unreadable { doing };
        let page: WirePage = serde_json::from_slice(&answer).map_err(|_| unreadable())?;
        // Only what follows the question mark is taken: the credentials go nowhere else.
        let next = page.next_page_uri.map(|uri| uri.split_once('?').map(|(_, query)| query.to_owned()));
        Ok(CallsPage {
            calls: page.calls.into_iter().map(WireCall::read).collect::<Option<_>>().ok_or_else(unreadable)?,
            next: next.map(|query| query.ok_or_else(unreadable)).transpose()?,
        })
    }

    async fn delete(&self, doing: &'static str, resource: String) -> Result<(), RestError> {
        match self.call(&Call::new(doing, Method::DELETE, resource)).await {
            Ok(_) | Err(RestError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn call(&self, call: &Call<'_>) -> Result<Vec<u8>, RestError> {
        let end = Instant::now() + self.patience.total;
        let mut tries = 0;
        loop {
            tries += 1;
            let left = end.saturating_duration_since(Instant::now());
            let (cause, asked_to_wait) = match self.attempt(call, left.min(self.patience.per_try)).await {
                Ok(answer) => return Ok(answer),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing(cause, asked_to_wait)) => (cause, asked_to_wait),
            };
            let repeatable = call.method != Method::POST || cause.nothing_happened();
            let wait = asked_to_wait.unwrap_or_else(|| self.patience.wait_after(tries));
            let in_time = wait < end.saturating_duration_since(Instant::now());
            if !(repeatable && in_time && tries < self.patience.tries) {
                return Err(RestError::GaveUp { doing: call.doing, tries, cause });
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn attempt(&self, call: &Call<'_>, time: Duration) -> Result<Vec<u8>, Failure> {
        let doing = call.doing;
        let url = format!("{}/2010-04-01/Accounts/{}/{}", self.base_url, self.account, call.resource);
        let mut request = self
            .http()?
            .request(call.method.clone(), url)
            .basic_auth(&self.account, Some(self.auth_token.as_str()))
            .timeout(time);
        if !call.form.is_empty() {
            request = request.form(call.form);
        }
        let response = request.send().await.map_err(|error| Failure::passing(&error))?;
        let status = response.status();
        match status {
            _ if status.is_success() => read(response, call.limit, doing).await,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(RestError::Unauthorized { doing }.into()),
            StatusCode::NOT_FOUND => Err(RestError::NotFound { doing }.into()),
            _ if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
                Err(Failure::Passing(Cause::Status(status.as_u16()), retry_after(&response)))
            }
            _ => {
                let answer = read(response, ANSWER_LIMIT, doing).await.unwrap_or_default();
                Err(RestError::Refused { doing, status: status.as_u16(), code: error_code(&answer) }.into())
            }
        }
    }

    fn http(&self) -> Result<&reqwest::Client, RestError> {
        if let Some(client) = self.http.get() {
            return Ok(client);
        }
        let mut builder = reqwest::Client::builder();
        if self.base_url.starts_with("http://") {
            // Without TLS no root certificates are needed, and a machine of ours may have none.
            builder = builder.tls_certs_only([]);
        }
        let client = builder
            // The credentials go to the configured address and nowhere else: no redirect, and no proxy from the
            // environment.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(5))
            .user_agent("optline")
            .build()
            .map_err(RestError::Client)?;
        Ok(self.http.get_or_init(|| client))
    }
}

/// One call to one of the account's resources.
struct Call<'a> {
    doing: &'static str,
    method: Method,
    resource: String,
    form: &'a [(&'a str, &'a str)],
    limit: usize,
}

impl Call<'_> {
    fn new(doing: &'static str, method: Method, resource: String) -> Self {
        Self { doing, method, resource, form: &[], limit: ANSWER_LIMIT }
    }
}

#[derive(Deserialize)]
struct WirePage {
    calls: Vec<WireCall>,
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct WireCall {
    sid: CallSid,
    status: String,
    direction: Option<String>,
    duration: Option<String>,
    end_time: Option<String>,
    to: Option<String>,
}

impl WireCall {
    fn read(self) -> Option<ListedCall> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let inbound = self.direction.as_deref() == Some("inbound");
        Some(ListedCall {
            sid: self.sid,
            status: self.status,
            inbound,
            seconds: given(self.duration).map_or(Some(0), |seconds| seconds.parse().ok())?,
            ended_at: match given(self.end_time) {
                Some(at) => Some(rfc2822::parse(&at).ok()?.timestamp()),
                None => None,
            },
            to: self.to.filter(|_| inbound),
        })
    }
}

/// As Twilio's filters take it.
fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// How one try failed: for good, or perhaps only now, with the wait that Twilio asked for.
enum Failure {
    Final(RestError),
    Passing(Cause, Option<Duration>),
}

impl Failure {
    fn passing(error: &reqwest::Error) -> Self {
        Self::Passing(Cause::of(error), None)
    }
}

impl From<RestError> for Failure {
    fn from(error: RestError) -> Self {
        Self::Final(error)
    }
}

impl Patience {
    /// A random wait up to a ceiling that doubles with each try ("full jitter"), so that callers who failed together do
    /// not return together. Source: <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>.
    fn wait_after(&self, tries: u32) -> Duration {
        let doubled = self.first_wait.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1)));
        let ceiling = doubled.min(self.longest_wait);
        let mut random = [0; 4];
        match aws_lc_rs::rand::fill(&mut random) {
            Ok(()) => ceiling.mul_f64(f64::from(u32::from_ne_bytes(random)) / f64::from(u32::MAX)),
            Err(_) => ceiling,
        }
    }
}

/// The body, unless it is larger than `limit`; no more than that is ever held.
async fn read(mut response: reqwest::Response, limit: usize, doing: &'static str) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Failure::passing(&error))? {
        if chunk.len() > limit - body.len() {
            return Err(RestError::TooLarge { doing, limit }.into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The seconds that Twilio asks to wait (RFC 9110, section 10.2.3; Twilio does not use the form with a date).
fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Twilio's own code in an answer that says what was wrong.
fn error_code(answer: &[u8]) -> Option<u32> {
    #[derive(Deserialize)]
    struct Problem {
        code: u32,
    }
    serde_json::from_slice::<Problem>(answer).ok().map(|problem| problem.code)
}

#[cfg(test)]
mod tests;
