//! Those who tell people from programs, as far as Optline uses them: reCAPTCHA (`siteverify` and `createAssessment`),
//! Cloudflare Turnstile, hCaptcha. Each is at `/captcha/` and its own host and path.
//!
//! | request | answer |
//! |---|---|
//! | `GET …/api.js`, `…/enterprise.js` | a widget: a checkbox, or nothing to see, that puts a new token into the form |
//! | `POST …/siteverify`, `…/assessments` | what a token is worth, once |
//! | `POST /_standin/captcha/tokens` | a token as a test wants it |
//!
//! The secret of the site key `X` is `secret-of-X`. What a site key has in its name befalls the tokens of its widget:
//! `fail` (the provider takes them for a program's), `low` (a score of 0.1), `old` (made ten minutes ago), `elsewhere`
//! (made on another host). A token lives for two minutes, Turnstile's for five, and is good once; Turnstile answers the
//! same question with the same idempotency key again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::extract::{Form, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{lock, now};

/// How many tokens are remembered; the oldest go first.
const MOST: usize = 10_000;

/// A provider, by the names that the product has for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// Cloudflare Turnstile.
    Turnstile,
    /// hCaptcha.
    Hcaptcha,
    /// reCAPTCHA with a checkbox.
    RecaptchaV2,
    /// reCAPTCHA with a score.
    RecaptchaV3,
    /// reCAPTCHA by `createAssessment`.
    RecaptchaAssessment,
}

impl Provider {
    fn lives(self) -> SignedDuration {
        SignedDuration::from_secs(if self == Self::Turnstile { 300 } else { 120 })
    }
}

/// A token to be made.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Whose.
    pub provider: Provider,
    /// Of which widget.
    pub site_key: String,
    /// On which host it is shown.
    pub hostname: String,
    /// What for.
    #[serde(default)]
    pub action: String,
    /// How surely it is a person.
    #[serde(default = "surely")]
    pub score: f64,
    /// How long ago it was made.
    #[serde(default)]
    pub age_seconds: i64,
    /// Whether its provider takes it for a program's.
    #[serde(default)]
    pub refused: bool,
}

fn surely() -> f64 {
    0.9
}

/// A token that was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Made {
    /// The token.
    pub token: String,
}

struct Token {
    wanted: Wanted,
    made_at: Timestamp,
    /// Under which key it was asked for first; empty where without one.
    used: Option<String>,
}

#[derive(Default)]
struct Tokens {
    by_name: BTreeMap<String, Token>,
    order: VecDeque<String>,
}

type Shared = State<Arc<Mutex<Tokens>>>;

/// All of them, and the place where tests get tokens.
pub fn api() -> Router {
    Router::new()
        .route("/captcha/{host}/turnstile/v0/api.js", get(widget))
        .route("/captcha/{host}/1/api.js", get(widget))
        .route("/captcha/{host}/recaptcha/api.js", get(widget))
        .route("/captcha/{host}/recaptcha/enterprise.js", get(widget))
        .route("/captcha/tokens", post(token_for_widget))
        .route("/captcha/challenges.cloudflare.com/turnstile/v0/siteverify", post(turnstile))
        .route("/captcha/api.hcaptcha.com/siteverify", post(hcaptcha))
        .route("/captcha/www.google.com/recaptcha/api/siteverify", post(recaptcha))
        .route("/captcha/recaptchaenterprise.googleapis.com/v1/projects/{project}/assessments", post(assessment))
        .route("/_standin/captcha/tokens", post(token_for_test))
        .with_state(Arc::default())
}

async fn widget() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (headers, include_str!("../assets/captcha.js")).into_response()
}

async fn token_for_test(State(tokens): Shared, Json(wanted): Json<Wanted>) -> Json<Made> {
    Json(Made { token: make(&tokens, wanted) })
}

/// What the widget knows of itself.
#[derive(Deserialize)]
struct Shown {
    provider: Provider,
    site_key: String,
    hostname: String,
    #[serde(default)]
    action: String,
}

async fn token_for_widget(State(tokens): Shared, Form(shown): Form<Shown>) -> Response {
    let key = shown.site_key.clone();
    let wanted = Wanted {
        provider: shown.provider,
        hostname: if key.contains("elsewhere") { "another-site.example".to_owned() } else { shown.hostname },
        action: shown.action,
        score: if key.contains("low") { 0.1 } else { surely() },
        age_seconds: if key.contains("old") { 600 } else { 0 },
        refused: key.contains("fail"),
        site_key: key,
    };
    let headers = [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (header::CACHE_CONTROL, "no-store")];
    (headers, Json(Made { token: make(&tokens, wanted) })).into_response()
}

fn make(tokens: &Mutex<Tokens>, wanted: Wanted) -> String {
    let name: String = (0..48).map(|_| fastrand::alphanumeric()).collect();
    let made_at = now() - SignedDuration::from_secs(wanted.age_seconds);
    let mut tokens = lock(tokens);
    tokens.by_name.insert(name.clone(), Token { wanted, made_at, used: None });
    tokens.order.push_back(name.clone());
    if tokens.order.len() > MOST
        && let Some(oldest) = tokens.order.pop_front()
    {
        tokens.by_name.remove(&oldest);
    }
    name
}

/// What somebody asks of a token.
struct Asked<'a> {
    secret: &'a str,
    token: &'a str,
    site_key: Option<&'a str>,
    again: &'a str,
}

/// What there is to say.
enum Worth {
    Good(Wanted, Timestamp),
    WrongSecret,
    WrongSiteKey,
    Unknown,
    Used,
    Expired,
    Program,
}

fn worth(tokens: &Mutex<Tokens>, of: &[Provider], asked: &Asked<'_>) -> Worth {
    let Some(key) = asked.secret.strip_prefix("secret-of-") else { return Worth::WrongSecret };
    if asked.site_key.is_some_and(|site_key| site_key != key) {
        return Worth::WrongSiteKey;
    }
    let mut tokens = lock(tokens);
    let Some(token) = tokens.by_name.get_mut(asked.token).filter(|token| of.contains(&token.wanted.provider)) else {
        return Worth::Unknown;
    };
    if token.wanted.site_key != key {
        return Worth::Unknown;
    }
    if token.used.as_deref().is_some_and(|first| first.is_empty() || first != asked.again) {
        return Worth::Used;
    }
    if now().duration_since(token.made_at) > token.wanted.provider.lives() {
        return Worth::Expired;
    }
    token.used = Some(asked.again.to_owned());
    if token.wanted.refused { Worth::Program } else { Worth::Good(token.wanted.clone(), token.made_at) }
}

type Fields = BTreeMap<String, String>;

fn asked<'a>(fields: &'a Fields, again: &str) -> Asked<'a> {
    let field = |name: &str| fields.get(name).map_or("", String::as_str);
    Asked {
        secret: field("secret"),
        token: field("response"),
        site_key: fields.get("sitekey").map(String::as_str),
        again: field(again),
    }
}

fn no(code: &str) -> Response {
    Json(json!({ "success": false, "error-codes": [code] })).into_response()
}

async fn turnstile(State(tokens): Shared, Form(fields): Form<Fields>) -> Response {
    match worth(&tokens, &[Provider::Turnstile], &asked(&fields, "idempotency_key")) {
        Worth::Good(wanted, made_at) => Json(json!({
            "success": true, "error-codes": [], "challenge_ts": made_at.to_string(), "hostname": wanted.hostname,
            "action": wanted.action, "cdata": "", "metadata": { "interactive": false },
        }))
        .into_response(),
        Worth::WrongSecret | Worth::WrongSiteKey => no("invalid-input-secret"),
        Worth::Used | Worth::Expired => no("timeout-or-duplicate"),
        Worth::Unknown | Worth::Program => no("invalid-input-response"),
    }
}

async fn hcaptcha(State(tokens): Shared, Form(fields): Form<Fields>) -> Response {
    match worth(&tokens, &[Provider::Hcaptcha], &asked(&fields, "")) {
        Worth::Good(wanted, made_at) => Json(json!({
            "success": true, "challenge_ts": made_at.to_string(), "hostname": wanted.hostname, "credit": false,
        }))
        .into_response(),
        Worth::WrongSecret => no("invalid-input-secret"),
        Worth::WrongSiteKey => no("sitekey-secret-mismatch"),
        Worth::Used => no("already-seen-response"),
        Worth::Expired => no("expired-input-response"),
        Worth::Unknown | Worth::Program => no("invalid-input-response"),
    }
}

async fn recaptcha(State(tokens): Shared, Form(fields): Form<Fields>) -> Response {
    match worth(&tokens, &[Provider::RecaptchaV2, Provider::RecaptchaV3], &asked(&fields, "")) {
        Worth::Good(wanted, made_at) => {
            let made_at = made_at.to_string();
            let answer = if wanted.provider == Provider::RecaptchaV3 {
                json!({
                    "success": true, "challenge_ts": made_at, "hostname": wanted.hostname, "score": wanted.score,
                    "action": wanted.action,
                })
            } else {
                json!({ "success": true, "challenge_ts": made_at, "hostname": wanted.hostname })
            };
            Json(answer).into_response()
        }
        Worth::WrongSecret | Worth::WrongSiteKey => no("invalid-input-secret"),
        Worth::Used | Worth::Expired => no("timeout-or-duplicate"),
        Worth::Unknown | Worth::Program => no("invalid-input-response"),
    }
}

async fn assessment(
    State(tokens): Shared,
    Path(project): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let query: Fields = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    let header = headers.get("x-goog-api-key").and_then(|key| key.to_str().ok());
    let event = body.get("event").unwrap_or(&Value::Null);
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    let asked = Asked {
        secret: header.or_else(|| query.get("key").map(String::as_str)).unwrap_or_default(),
        token: text("token"),
        site_key: event.get("siteKey").and_then(Value::as_str),
        again: "",
    };
    let invalid = |reason: &str| {
        Json(json!({ "event": event, "tokenProperties": { "valid": false, "invalidReason": reason } })).into_response()
    };
    match worth(&tokens, &[Provider::RecaptchaAssessment], &asked) {
        Worth::Good(wanted, made_at) => Json(json!({
            "name": format!("projects/{project}/assessments/1"), "event": event,
            "riskAnalysis": { "score": wanted.score, "reasons": [] },
            "tokenProperties": {
                "valid": true, "invalidReason": "INVALID_REASON_UNSPECIFIED", "hostname": wanted.hostname,
                "action": wanted.action, "createTime": made_at.to_string(),
            },
        }))
        .into_response(),
        Worth::WrongSecret | Worth::WrongSiteKey => {
            let message = "API key not valid. Please pass a valid API key.";
            let error = json!({ "error": { "code": 400, "message": message, "status": "INVALID_ARGUMENT" } });
            (StatusCode::BAD_REQUEST, Json(error)).into_response()
        }
        Worth::Used => invalid("DUPE"),
        Worth::Expired => invalid("EXPIRED"),
        Worth::Unknown | Worth::Program => invalid("MALFORMED"),
    }
}
