//! Telling people from programs: reCAPTCHA, Cloudflare Turnstile and hCaptcha, behind one trait.
//!
//! A widget in the page gives the browser a token; we ask its provider what the token is worth. A person is only whom
//! everything speaks for: the provider says yes, the token was made on a host of ours, for this action, a moment ago, and
//! with a score that the business asks for. That it is used once is for the provider to say. Whatever cannot be known is
//! [`Verdict::Unavailable`], which is not for anybody to suffer from: the request is taken all the same.
//!
//! | module | what it is for |
//! |---|---|
//! | [`siteverify`] | the protocol that reCAPTCHA v2 and v3, Turnstile and hCaptcha share |
//! | [`assessment`] | Google Cloud's `createAssessment` |
//! | [`widget`] | what a page loads, from where |
//!
//! Sources: <https://developers.google.com/recaptcha/docs/verify>, <https://docs.cloud.google.com/recaptcha/docs>,
//! <https://developers.cloudflare.com/turnstile/get-started/server-side-validation/>, <https://docs.hcaptcha.com>.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use domain::human_check::{LONGEST_TOKEN, Provider, Refusal, Score, Settings};
use domain::origin::Origin;
use jiff::{SignedDuration, Timestamp};
use reqwest::redirect;

use crate::address::usable;

pub mod assessment;
pub mod siteverify;
pub mod widget;

/// The time for everything: somebody waits for their form to be taken.
const PATIENCE: Duration = Duration::from_secs(3);
/// The time for a try after which there may be another one.
const PER_TRY: Duration = Duration::from_millis(1800);
/// The largest answer, in bytes.
const ANSWER_LIMIT: usize = 64 * 1024;
/// A provider's clock may differ from ours by this much, and a form is on its way for a while.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(30);

/// What is known of whoever sent a form.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// What the widget gave the browser.
    pub token: &'a str,
    /// The browser's network address, which the provider has seen, too.
    pub address: &'a str,
    /// What the browser calls itself.
    pub agent: &'a str,
    /// What the token must have been made for.
    pub action: &'a str,
    /// The host of our own pages, where the widget is shown.
    pub host: &'a str,
    /// The business's own sites.
    pub origins: &'a [Origin],
    /// Names the form that was sent: the same form is the same question, however often it is asked.
    pub form: &'a str,
    /// When it was sent.
    pub at: Timestamp,
}

impl std::fmt::Debug for Attempt<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempt").field("action", &self.action).field("host", &self.host).finish_non_exhaustive()
    }
}

/// What a token is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A person sent it.
    Human {
        /// How surely, where the provider says so.
        score: Option<Score>,
    },
    /// Not for us to take for a person's.
    NotHuman(Refusal),
    /// Nobody can say.
    Unavailable(Trouble),
}

/// Why nobody can say what a token is worth. Neither secret nor token is part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It passes: no connection, no answer in time, an answer that cannot be read.
    #[error("the human check cannot be reached: {0}")]
    Unreachable(&'static str),
    /// It stays until somebody corrects the settings.
    #[error("the human check is not set up right: {0}")]
    Misconfigured(&'static str),
}

/// What is sent to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The provider's host.
    pub host: &'static str,
    /// The path.
    pub path: String,
    /// One more header.
    pub header: Option<(&'static str, String)>,
    /// The body.
    pub body: Body,
    /// Whether asking once more for the same token gets the same answer, and not that it is used up.
    pub repeatable: bool,
}

/// A body and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// `application/x-www-form-urlencoded`.
    Form(Vec<(&'static str, String)>),
    /// `application/json`.
    Json(serde_json::Value),
}

/// How a provider is asked, and what its answer says. Neither talks to anybody: [`Client`] does.
pub trait HumanCheck: Sync {
    /// What to send.
    fn question(&self, settings: &Settings, secret: &str, attempt: &Attempt<'_>) -> Question;

    /// What came back, with a status below 500.
    fn verdict(&self, settings: &Settings, attempt: &Attempt<'_>, status: u16, answer: &[u8]) -> Verdict;
}

/// The check that speaks a provider's protocol.
#[must_use]
pub fn check_of(provider: Provider) -> &'static dyn HumanCheck {
    match provider {
        Provider::RecaptchaV2 | Provider::RecaptchaV3 => &siteverify::SiteVerify::RECAPTCHA,
        Provider::Turnstile => &siteverify::SiteVerify::TURNSTILE,
        Provider::Hcaptcha => &siteverify::SiteVerify::HCAPTCHA,
        Provider::RecaptchaAssessment => &assessment::Assessment,
    }
}

/// What a provider says of a token that it takes for good; `None` where it says nothing of it.
#[derive(Debug, Clone, Copy, Default)]
struct Said<'a> {
    host: Option<&'a str>,
    action: Option<&'a str>,
    made_at: Option<Timestamp>,
    score: Option<Score>,
}

/// Judges a token that its provider takes for good: everything else must speak for it, too.
fn judge(settings: &Settings, attempt: &Attempt<'_>, said: &Said<'_>) -> Verdict {
    let Some(host) = said.host else { return unreadable("it does not say where the token was made") };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if host != attempt.host && !attempt.origins.iter().any(|origin| origin.is_on(&host)) {
        return Verdict::NotHuman(Refusal::WrongHost);
    }
    if settings.provider.says_action() && said.action != Some(attempt.action) {
        return Verdict::NotHuman(Refusal::WrongAction);
    }
    let Some(made_at) = said.made_at else { return unreadable("it does not say when the token was made") };
    let age = attempt.at.duration_since(made_at);
    if age > settings.provider.token_lives() + CLOCKS_DIFFER || age < -CLOCKS_DIFFER {
        return Verdict::NotHuman(Refusal::Expired);
    }
    if settings.provider.gives_score() {
        let Some(score) = said.score else { return unreadable("it gives no score") };
        if score < settings.least_score.unwrap_or(Score::USUAL) {
            return Verdict::NotHuman(Refusal::LowScore);
        }
    }
    Verdict::Human { score: said.score }
}

fn unreadable(why: &'static str) -> Verdict {
    Verdict::Unavailable(Trouble::Unreachable(why))
}

fn misconfigured(why: &'static str) -> Verdict {
    Verdict::Unavailable(Trouble::Misconfigured(why))
}

/// The address that the configuration names cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the human check's base URL {0}")]
pub struct BaseUrlError(&'static str);

/// Where providers are: at their own hosts, or, on the local cloud, all at one address under a path named as their host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Base(Option<String>);

impl Base {
    /// From the configuration; `None` for the providers themselves. Plain HTTP is taken only to this machine itself.
    pub fn new(base_url: Option<&str>) -> Result<Self, BaseUrlError> {
        base_url.map(usable).transpose().map(Self).map_err(BaseUrlError)
    }

    /// The address of a host and path of a provider's.
    fn address(&self, host: &str, path: &str) -> String {
        match &self.0 {
            None => format!("https://{host}{path}"),
            Some(base) => format!("{base}/{host}{path}"),
        }
    }
}

/// Asks providers.
#[derive(Debug)]
pub struct Client {
    base: Base,
    /// Made by the first call: it reads the system's root certificates.
    http: OnceLock<reqwest::Client>,
}

impl Client {
    /// A client of the providers at a base. Nothing is sent yet.
    #[must_use]
    pub fn new(base: Base) -> Self {
        Self { base, http: OnceLock::new() }
    }

    /// Where the providers are.
    #[must_use]
    pub fn base(&self) -> &Base {
        &self.base
    }

    /// What a token is worth, within three seconds.
    pub async fn verify(&self, settings: &Settings, secret: &str, attempt: &Attempt<'_>) -> Verdict {
        // What cannot be a token is nobody's, and not worth a question.
        if !is_token(attempt.token) {
            return Verdict::NotHuman(Refusal::Invalid);
        }
        let check = check_of(settings.provider);
        let question = check.question(settings, secret, attempt);
        match self.ask(&question).await {
            Ok((status, answer)) => check.verdict(settings, attempt, status, &answer),
            Err(trouble) => Verdict::Unavailable(trouble),
        }
    }

    async fn ask(&self, question: &Question) -> Result<(u16, Vec<u8>), Trouble> {
        let end = Instant::now() + PATIENCE;
        let first = self.attempt(question, if question.repeatable { PER_TRY } else { PATIENCE }).await;
        match first {
            Err(Failure { trouble, nothing_happened }) if nothing_happened || question.repeatable => {
                let left = end.saturating_duration_since(Instant::now());
                if left < Duration::from_millis(100) {
                    return Err(trouble);
                }
                self.attempt(question, left).await
            }
            first => first,
        }
        .map_err(|failure| failure.trouble)
    }

    async fn attempt(&self, question: &Question, within: Duration) -> Result<(u16, Vec<u8>), Failure> {
        let mut request = self.http()?.post(self.base.address(question.host, &question.path)).timeout(within);
        if let Some((name, value)) = &question.header {
            request = request.header(*name, value);
        }
        let request = match &question.body {
            Body::Form(fields) => request.form(fields),
            Body::Json(json) => request.header("content-type", "application/json").body(json.to_string()),
        };
        let mut response = request.send().await.map_err(|error| Failure::of(&error))?;
        let status = response.status();
        if status.is_server_error() || status.as_u16() == 429 {
            return Err(Failure::unreachable("it is out of order"));
        }
        let mut answer = vec![];
        while let Some(chunk) = response.chunk().await.map_err(|error| Failure::of(&error))? {
            if chunk.len() > ANSWER_LIMIT - answer.len() {
                return Err(Failure::unreachable("its answer is too long"));
            }
            answer.extend_from_slice(&chunk);
        }
        Ok((status.as_u16(), answer))
    }

    fn http(&self) -> Result<&reqwest::Client, Failure> {
        if let Some(client) = self.http.get() {
            return Ok(client);
        }
        let mut builder = reqwest::Client::builder();
        if self.base.0.as_deref().is_some_and(|base| base.starts_with("http://")) {
            // Without TLS no root certificates are needed, and a machine of ours may have none.
            builder = builder.tls_certs_only([]);
        }
        let client = builder
            // The secret goes to the configured address and nowhere else: no redirect, no proxy from the environment.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_millis(1500))
            .user_agent("optline")
            .build()
            .map_err(|_| Failure::unreachable("no HTTPS client could be made"))?;
        Ok(self.http.get_or_init(|| client))
    }
}

/// One try that failed.
struct Failure {
    trouble: Trouble,
    nothing_happened: bool,
}

impl Failure {
    fn unreachable(why: &'static str) -> Self {
        Self { trouble: Trouble::Unreachable(why), nothing_happened: false }
    }

    fn of(error: &reqwest::Error) -> Self {
        if error.is_connect() {
            return Self { trouble: Trouble::Unreachable("no connection"), nothing_happened: true };
        }
        Self::unreachable(if error.is_timeout() { "no answer in time" } else { "the connection broke" })
    }
}

/// Whether a text can be a token: visible ASCII, not too much of it.
fn is_token(text: &str) -> bool {
    (1..=LONGEST_TOKEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests;
