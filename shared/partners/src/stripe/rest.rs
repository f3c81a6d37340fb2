//! How Stripe's API is called, what its errors mean, and whether anything may have happened all the same.
//!
//! Every POST carries an `Idempotency-Key`, so a call whose answer was lost is made again with the same key: within 24
//! hours Stripe then gives the answer of the first time, errors of its server (500) included. That is also the trap: a key
//! that once met a 500 meets it for a day. [`StripeError::GaveUp`] says so, and the next run takes another key.
//!
//! Source: <https://docs.stripe.com/api/errors>, <https://docs.stripe.com/api/idempotent_requests>.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use reqwest::{
    Method,
    header::{HeaderMap, RETRY_AFTER},
    redirect,
};
use serde::{Deserialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use super::{
    API_VERSION,
    retry::{Hints, Patience},
};
use crate::address::usable;

/// The largest answer, in bytes: a hundred summaries stay far below.
const ANSWER_LIMIT: usize = 256 * 1024;

/// Stripe's own limit on `Idempotency-Key`. Source: <https://docs.stripe.com/api/idempotent_requests>.
pub const LONGEST_KEY: usize = 255;

/// Why a call to Stripe gave nothing. Neither keys nor bodies nor Stripe's own words, which may repeat what was sent, are
/// part of it.
#[derive(Debug, thiserror::Error)]
pub enum StripeError {
    /// The configured address cannot be used.
    #[error("Stripe's base URL {0}")]
    BaseUrl(&'static str),
    /// What was to be sent breaks a rule of Stripe's; nothing was sent.
    #[error("{doing}: {problem}")]
    Unfit {
        /// What was attempted.
        doing: &'static str,
        /// The rule.
        problem: &'static str,
    },
    /// No HTTPS client could be made, for want of root certificates as a rule.
    #[error("no HTTPS client could be made")]
    Client(#[source] reqwest::Error),
    /// The secret key is wrong or may not do this.
    #[error("{doing}: Stripe refused the key, request {request_id:?}")]
    Unauthorized {
        /// What was attempted.
        doing: &'static str,
        /// Stripe's `Request-Id`.
        request_id: Option<String>,
    },
    /// Stripe will not do it, and will not if asked again. Nothing happened, now or at an earlier try.
    #[error("{doing}: Stripe answered {status}, {kind}, code {code:?}, parameter {param:?}, request {request_id:?}")]
    Refused {
        /// What was attempted.
        doing: &'static str,
        /// The HTTP status.
        status: u16,
        /// What kind of error it is.
        kind: ErrorKind,
        /// Stripe's code (<https://docs.stripe.com/error-codes>), where it gave one.
        code: Option<String>,
        /// The parameter that was wrong, where Stripe named one.
        param: Option<String>,
        /// Stripe's `Request-Id`.
        request_id: Option<String>,
    },
    /// More bytes than are taken.
    #[error("{doing}: more than {ANSWER_LIMIT} bytes")]
    TooLarge {
        /// What was attempted.
        doing: &'static str,
    },
    /// The answer was not what the API promises, although it was done.
    #[error("{doing}: Stripe's answer could not be read")]
    Unreadable {
        /// What was attempted.
        doing: &'static str,
    },
    /// It failed and could not be tried again, or not often enough.
    #[error("{doing}: {cause}, given up after {tries} tries, request {request_id:?}")]
    GaveUp {
        /// What was attempted.
        doing: &'static str,
        /// How often.
        tries: u32,
        /// What went wrong the last time.
        cause: Cause,
        /// Whether Stripe may have done it all the same, at this try or an earlier one.
        perhaps_done: bool,
        /// Whether Stripe may keep this failure under the idempotency key: the next run needs another key.
        key_spent: bool,
        /// Stripe's `Request-Id`, where it answered.
        request_id: Option<String>,
    },
}

impl StripeError {
    /// Whether Stripe may have done what it was asked for, although this error came of it.
    #[must_use]
    pub fn perhaps_done(&self) -> bool {
        match self {
            Self::GaveUp { perhaps_done, .. } => *perhaps_done,
            Self::TooLarge { .. } | Self::Unreadable { .. } => true,
            Self::BaseUrl(_)
            | Self::Unfit { .. }
            | Self::Client(_)
            | Self::Unauthorized { .. }
            | Self::Refused { .. } => false,
        }
    }

    /// Whether the next run must take another idempotency key to get anywhere.
    #[must_use]
    pub fn key_spent(&self) -> bool {
        match self {
            Self::GaveUp { key_spent, .. } => *key_spent,
            Self::Refused { .. } => true,
            _ => false,
        }
    }

    /// Whether trying later may help without anybody changing anything.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(self, Self::GaveUp { .. })
    }
}

/// Stripe's kinds of error (`error.type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Something went wrong at Stripe.
    Api,
    /// A card was declined: not for anything that is called here.
    Card,
    /// The idempotency key was used before, for something else.
    Idempotency,
    /// The parameters are wrong.
    InvalidRequest,
    /// None of those, or an answer without a kind.
    Other,
}

impl ErrorKind {
    fn parse(text: &str) -> Self {
        match text {
            "api_error" => Self::Api,
            "card_error" => Self::Card,
            "idempotency_error" => Self::Idempotency,
            "invalid_request_error" => Self::InvalidRequest,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Api => "api_error",
            Self::Card => "card_error",
            Self::Idempotency => "idempotency_error",
            Self::InvalidRequest => "invalid_request_error",
            Self::Other => "an unknown kind of error",
        })
    }
}

/// Why one try failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// No connection: Stripe has not seen the call.
    Connect,
    /// No answer in time.
    Timeout,
    /// The connection broke.
    Interrupted,
    /// An HTTP status.
    Status(u16),
}

impl Cause {
    fn of(error: &reqwest::Error) -> Self {
        // A connection that takes too long is both; that Stripe has not seen the call is what counts.
        if error.is_connect() {
            Self::Connect
        } else if error.is_timeout() {
            Self::Timeout
        } else {
            Self::Interrupted
        }
    }

    /// Whether it is worth another try, where Stripe does not say.
    #[must_use]
    pub fn passes(self) -> bool {
        match self {
            Self::Connect | Self::Timeout | Self::Interrupted => true,
            Self::Status(status) => status == 409 || status == 429 || status >= 500,
        }
    }

    /// Whether Stripe certainly did nothing at this try.
    fn nothing_happened(self) -> bool {
        match self {
            Self::Connect => true,
            Self::Timeout | Self::Interrupted => false,
            // 409: the same key is under way elsewhere, and may succeed there.
            Self::Status(status) => status < 500 && status != 409,
        }
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

/// A random number from 0 to 1.
type Jitter = dyn Fn() -> f64 + Send + Sync;

/// Calls Stripe in the name of one account.
pub struct Client {
    base_url: String,
    secret_key: Zeroizing<String>,
    patience: Patience,
    jitter: Arc<Jitter>,
    /// Made by the first call: it reads the system's root certificates, which a function that only answers never needs.
    http: OnceLock<reqwest::Client>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl Client {
    /// A client for the API at `base_url`, which is `https://api.stripe.com` but for stand-ins.
    ///
    /// Plain HTTP is taken only to this machine itself. A restricted key (`rk_…`) that may write meter events and read
    /// meters and events is enough. Nothing is sent yet.
    pub fn new(base_url: &str, secret_key: String) -> Result<Self, StripeError> {
        let base_url = usable(base_url).map_err(StripeError::BaseUrl)?;
        let secret_key = Zeroizing::new(secret_key);
        let patience = Patience::default();
        Ok(Self { base_url, secret_key, patience, jitter: Arc::new(chance), http: OnceLock::new() })
    }

    /// The same with other limits on time and tries.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// The same with another source of random numbers, from 0 to 1, for the waits between tries.
    #[must_use]
    pub fn with_jitter(self, jitter: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self { jitter: Arc::new(jitter), ..self }
    }

    /// Makes a call, again where that may help, and reads its answer.
    pub(super) async fn call<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<Answer<T>, StripeError> {
        let doing = call.doing;
        if call.key.is_some_and(|key| key.is_empty() || key.len() > LONGEST_KEY || !key.is_ascii()) {
            return Err(StripeError::Unfit { doing, problem: "an idempotency key is ASCII, from 1 to 255 characters" });
        }
        let end = Instant::now() + self.patience.total;
        let (mut tries, mut perhaps_done, mut key_spent) = (0, false, false);
        loop {
            tries += 1;
            let left = end.saturating_duration_since(Instant::now());
            let failed = match self.attempt(call, left.min(self.patience.per_try)).await? {
                Tried::Answered(answer) => return answer.read(doing),
                Tried::Failed(failed) => failed,
            };
            let cause = failed.hints.cause;
            if matches!(cause, Cause::Status(401 | 403)) {
                // It says nothing of an earlier try, which came with the same key and may have been taken.
                let request_id = failed.request_id;
                return Err(if perhaps_done {
                    StripeError::GaveUp { doing, tries, cause, perhaps_done, key_spent, request_id }
                } else {
                    StripeError::Unauthorized { doing, request_id }
                });
            }
            if failed.problem.says_it_is_there() {
                // It settles what an earlier try may have done.
                return Err(failed.refusal(doing));
            }
            perhaps_done |= call.method == Method::POST && !cause.nothing_happened();
            // Stripe keeps the failure of an endpoint that began; which one that was cannot be seen from here.
            key_spent |= matches!(cause, Cause::Status(status) if status >= 500);
            let left = end.saturating_duration_since(Instant::now());
            match self.patience.wait(&failed.hints, tries, left, (self.jitter)()) {
                Some(wait) => tokio::time::sleep(wait).await,
                None if cause.passes() || failed.hints.should_retry == Some(true) || perhaps_done => {
                    let request_id = failed.request_id;
                    return Err(StripeError::GaveUp { doing, tries, cause, perhaps_done, key_spent, request_id });
                }
                None => return Err(failed.refusal(doing)),
            }
        }
    }

    async fn attempt(&self, call: &Call<'_>, time: Duration) -> Result<Tried, StripeError> {
        let doing = call.doing;
        let mut request = self
            .http()?
            .request(call.method.clone(), format!("{}{}", self.base_url, call.path))
            .bearer_auth(self.secret_key.as_str())
            .header("Stripe-Version", API_VERSION)
            .timeout(time);
        if let Some(key) = call.key {
            request = request.header("Idempotency-Key", key);
        }
        if !call.form.is_empty() {
            request = request.form(call.form);
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Ok(Tried::broken(&error)),
        };
        let status = response.status();
        let request_id = header(response.headers(), "request-id").map(str::to_owned);
        let hints = Hints {
            cause: Cause::Status(status.as_u16()),
            should_retry: header(response.headers(), "stripe-should-retry").and_then(|text| text.parse().ok()),
            // RFC 9110, section 10.2.3; Stripe does not use the form with a date.
            retry_after: header(response.headers(), RETRY_AFTER.as_str())
                .and_then(|text| text.trim().parse().ok())
                .map(Duration::from_secs),
        };
        let body = match read(response).await {
            Ok(Some(body)) => body,
            Ok(None) => return Err(StripeError::TooLarge { doing }),
            Err(error) => return Ok(Tried::broken(&error)),
        };
        if status.is_success() {
            return Ok(Tried::Answered(Raw { body, request_id }));
        }
        let problem = serde_json::from_slice(&body).map(|Wrapped { error }| error).unwrap_or_default();
        Ok(Tried::Failed(Failed { hints, problem, request_id }))
    }

    fn http(&self) -> Result<&reqwest::Client, StripeError> {
        if let Some(client) = self.http.get() {
            return Ok(client);
        }
        let mut builder = reqwest::Client::builder();
        if self.base_url.starts_with("http://") {
            // Without TLS no root certificates are needed, and a machine of ours may have none.
            builder = builder.tls_certs_only([]);
        }
        let client = builder
            // The key goes to the configured address and nowhere else: no redirect, and no proxy from the environment.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(5))
            .user_agent("optline")
            .build()
            .map_err(StripeError::Client)?;
        Ok(self.http.get_or_init(|| client))
    }
}

/// One call.
pub(super) struct Call<'a> {
    pub(super) doing: &'static str,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) form: &'a [(&'a str, &'a str)],
    pub(super) key: Option<&'a str>,
}

impl Call<'_> {
    pub(super) fn get(doing: &'static str, path: String) -> Self {
        Self { doing, method: Method::GET, path, form: &[], key: None }
    }
}

/// What came of a call that succeeded, or that was refused with a known meaning.
pub(super) struct Answer<T> {
    pub(super) said: T,
    pub(super) request_id: String,
}

enum Tried {
    Answered(Raw),
    Failed(Failed),
}

impl Tried {
    fn broken(error: &reqwest::Error) -> Self {
        let hints = Hints { cause: Cause::of(error), should_retry: None, retry_after: None };
        Self::Failed(Failed { hints, problem: Problem::default(), request_id: None })
    }
}

struct Raw {
    body: Vec<u8>,
    request_id: Option<String>,
}

impl Raw {
    fn read<T: DeserializeOwned>(self, doing: &'static str) -> Result<Answer<T>, StripeError> {
        let said = serde_json::from_slice(&self.body).map_err(|_| StripeError::Unreadable { doing })?;
        Ok(Answer { said, request_id: self.request_id.unwrap_or_default() })
    }
}

struct Failed {
    hints: Hints,
    problem: Problem,
    request_id: Option<String>,
}

impl Failed {
    fn refusal(self, doing: &'static str) -> StripeError {
        let status = match self.hints.cause {
            Cause::Status(status) => status,
            Cause::Connect | Cause::Timeout | Cause::Interrupted => 0,
        };
        let code = if self.problem.says_it_is_there() { Some(ALREADY_THERE.to_owned()) } else { self.problem.code };
        StripeError::Refused {
            doing,
            status,
            kind: ErrorKind::parse(&self.problem.kind),
            code,
            param: self.problem.param,
            request_id: self.request_id,
        }
    }
}

/// The code for an identifier that Stripe has seen. Its v1 gives the sentence and no code, so that the sentence is what is
/// looked at there.
pub(super) const ALREADY_THERE: &str = "duplicate_meter_event";

/// How Stripe begins to say that. Seen in integrations that met it, for want of a page: langfuse/langfuse#16292 quotes the
/// whole answer (400, `invalid_request_error`, `Stripe-Should-Retry: false`).
const ALREADY_THERE_SENTENCE: &str = "An event already exists with identifier";

#[derive(Deserialize)]
struct Wrapped {
    error: Problem,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    #[serde(rename = "type")]
    kind: String,
    code: Option<String>,
    param: Option<String>,
    message: Option<String>,
}

impl Problem {
    fn says_it_is_there(&self) -> bool {
        self.code.as_deref() == Some(ALREADY_THERE)
            || self.message.as_deref().is_some_and(|message| message.starts_with(ALREADY_THERE_SENTENCE))
    }
}

/// The body, unless it is too large; no more than that is ever held.
async fn read(mut response: reqwest::Response) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if chunk.len() > ANSWER_LIMIT - body.len() {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn chance() -> f64 {
    let mut random = [0; 4];
    match aws_lc_rs::rand::fill(&mut random) {
        Ok(()) => f64::from(u32::from_ne_bytes(random)) / f64::from(u32::MAX),
        Err(_) => 1.0,
    }
}

#[cfg(test)]
mod tests;
