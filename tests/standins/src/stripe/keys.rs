//! What stands before every endpoint: the secret key, the version, and the answers kept under idempotency keys.
//!
//! Source: <https://docs.stripe.com/api/idempotent_requests>: the status and body of the first request are kept once its
//! endpoint began, and given again to the same request, "including 500 errors"; another request under the same key is an
//! error; while the first is under way, the second conflicts with it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::{DAY, NotBegun, Stripe, problem};
use crate::faults::Kind;
use crate::lock;

/// Stripe's limit on a key.
const LONGEST_KEY: usize = 255;
/// How many answers are kept.
const MOST: usize = 200_000;

/// A fault that happens within: what Stripe keeps under the key is part of it.
#[derive(Clone, Copy)]
pub(crate) struct Within {
    pub(crate) kind: Kind,
    pub(crate) delay: Duration,
}

/// Answers by key.
#[derive(Default)]
pub(super) struct Keys(BTreeMap<String, Kept>);

struct Kept {
    asked: String,
    at: Timestamp,
    /// Nothing while it is under way.
    answer: Option<(StatusCode, Bytes)>,
}

/// A key that is in use. If its request is dropped before it is answered, the key is free again.
struct InUse {
    stripe: Arc<Stripe>,
    key: Option<String>,
}

impl Drop for InUse {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            lock(&self.stripe.keys).0.remove(key);
        }
    }
}

/// Lets a request through to its endpoint.
pub(super) async fn front(State(stripe): State<Arc<Stripe>>, request: Request, next: Next) -> Response {
    let mut response = match refused(&stripe, request.headers()) {
        Some(refused) => refused,
        None if *request.method() == Method::POST => under_key(stripe, request, next).await,
        None => next.run(request).await,
    };
    if let Ok(id) = HeaderValue::from_str(&super::request_id()) {
        response.headers_mut().insert("request-id", id);
    }
    response
}

fn refused(stripe: &Stripe, headers: &HeaderMap) -> Option<Response> {
    let key = given(headers, header::AUTHORIZATION.as_str()).strip_prefix("Bearer ").unwrap_or_default();
    // A test never has a live key; taking one here would hide that it had.
    if !["sk_test_", "rk_test_"].iter().any(|prefix| key.len() > prefix.len() && key.starts_with(prefix)) {
        let words = "Invalid API Key provided.";
        return Some(problem(StatusCode::UNAUTHORIZED, "invalid_request_error", None, None, words));
    }
    let version = given(headers, "stripe-version");
    if version != stripe.specification.version() {
        let words = "Name the API version that this stand-in knows, in Stripe-Version.";
        return Some(problem(StatusCode::BAD_REQUEST, "invalid_request_error", None, None, words));
    }
    None
}

async fn under_key(stripe: Arc<Stripe>, request: Request, next: Next) -> Response {
    let within = request.extensions().get::<Within>().copied();
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, crate::LARGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let invalid = |words: &str| problem(StatusCode::BAD_REQUEST, "invalid_request_error", None, None, words);
    let is_form = given(&parts.headers, "content-type").starts_with("application/x-www-form-urlencoded");
    if !body.is_empty() && !is_form {
        return invalid("Parameters are sent form-encoded.");
    }
    let key = given(&parts.headers, "idempotency-key").to_owned();
    if key.len() > LONGEST_KEY {
        return invalid("Idempotency keys have at most 255 characters.");
    }
    let mut pairs: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    pairs.sort();
    let asked = format!("{} {pairs:?}", parts.uri);
    let mut in_use = InUse { stripe: stripe.clone(), key: None };
    if !key.is_empty() {
        let now = lock(&stripe.kept).now();
        let mut keys = lock(&stripe.keys);
        if let Some(kept) = keys.0.get(&key).filter(|kept| now.duration_since(kept.at) < DAY) {
            return again(kept, &asked);
        }
        if keys.0.len() >= MOST {
            keys.0.retain(|_, kept| now.duration_since(kept.at) < DAY);
        }
        keys.0.insert(key.clone(), Kept { asked, at: now, answer: None });
        in_use.key = Some(key.clone());
    }
    let request = Request::from_parts(parts, body.into());
    let response = run(within, request, next).await;
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, crate::LARGEST_BODY).await.unwrap_or_default();
    let not_begun = parts.extensions.get::<NotBegun>().is_some() || parts.status == StatusCode::CONFLICT;
    if let (Some(key), false) = (&in_use.key, not_begun) {
        if let Some(kept) = lock(&stripe.keys).0.get_mut(key) {
            kept.answer = Some((parts.status, body.clone()));
        }
        in_use.key = None;
    }
    Response::from_parts(parts, Body::from(body))
}

async fn run(within: Option<Within>, request: Request, next: Next) -> Response {
    let broken = || problem(StatusCode::INTERNAL_SERVER_ERROR, "api_error", None, None, "An unknown error occurred");
    let Some(within) = within else { return next.run(request).await };
    tokio::time::sleep(within.delay).await;
    match within.kind {
        Kind::Conflict => {
            let words = "There is currently another in-progress request using this Idempotency Key.";
            let code = Some("idempotency_key_in_use");
            problem(StatusCode::CONFLICT, "invalid_request_error", code, None, words)
        }
        Kind::KeptError => broken(),
        Kind::KeptErrorAfter => {
            next.run(request).await;
            broken()
        }
        _ => next.run(request).await,
    }
}

fn again(kept: &Kept, asked: &str) -> Response {
    if kept.asked != asked {
        let words = "Keys for idempotent requests can only be used with the same parameters they were first used with.";
        return problem(StatusCode::BAD_REQUEST, "idempotency_error", None, None, words);
    }
    let Some((status, body)) = &kept.answer else {
        let words = "There is currently another in-progress request using this Idempotency Key.";
        let code = Some("idempotency_key_in_use");
        return problem(StatusCode::CONFLICT, "invalid_request_error", code, None, words);
    };
    let headers = [("content-type", "application/json"), ("idempotent-replayed", "true")];
    (*status, headers, body.clone()).into_response()
}

fn given<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
