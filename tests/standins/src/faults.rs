//! Disturbances on demand: the next requests to a path are refused, slow, or done without an answer.
//!
//! `POST /_standin/faults` with `{"path":"Recordings","fault":"rate_limited","times":2}` disturbs the next two requests whose
//! path contains that text. `GET` shows what is still planned, `DELETE` forgets it.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::{Desk, lock, stripe, twilio};

/// How many disturbances can be planned at a time.
const MOST: usize = 100;

/// A planned disturbance.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Only requests whose path contains this; empty for all.
    #[serde(default)]
    pub path: String,
    /// Only requests with this method, `DELETE` for one; all when missing.
    #[serde(default)]
    pub method: Option<String>,
    /// What happens to them.
    pub fault: Kind,
    /// To how many requests.
    #[serde(default = "once")]
    pub times: u32,
    /// How long the answer takes in milliseconds, for any kind.
    #[serde(default)]
    pub delay_ms: u64,
    /// The `Retry-After` of a refusal, in seconds.
    #[serde(default)]
    pub retry_after: Option<u32>,
}

/// What can go wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 429: nothing was done.
    RateLimited,
    /// 500: nothing was done.
    Error,
    /// 404: not there, or not yet.
    NotFound,
    /// Done and answered, after `delay_ms`.
    Slow,
    /// Done, but the connection breaks before the answer.
    LostAnswer,
    /// 409, of Stripe: another request under the same key is under way.
    Conflict,
    /// 500, of Stripe: nothing was done, and the same key will say so for a day.
    KeptError,
    /// The same, although it was done.
    KeptErrorAfter,
}

fn once() -> u32 {
    1
}

impl Fault {
    /// Answers `request` as this fault says.
    pub(crate) async fn disturb(&self, mut request: Request, next: Next) -> Response {
        let delay = Duration::from_millis(self.delay_ms);
        let path = request.uri().path().to_owned();
        let at_stripe = path.starts_with("/v1/") || path.starts_with("/v2/");
        let within = matches!(self.fault, Kind::Slow | Kind::Conflict | Kind::KeptError | Kind::KeptErrorAfter);
        if at_stripe && within {
            // What is kept under the idempotency key, and while it is under way, is part of these.
            request.extensions_mut().insert(stripe::Within { kind: self.fault, delay });
        } else {
            tokio::time::sleep(delay).await;
        }
        let mut response = match self.fault {
            Kind::Slow | Kind::Conflict | Kind::KeptError | Kind::KeptErrorAfter => next.run(request).await,
            Kind::RateLimited if at_stripe => {
                let (kind, code) = ("invalid_request_error", Some("rate_limit"));
                stripe::problem(StatusCode::TOO_MANY_REQUESTS, kind, code, None, "Too many requests.")
            }
            Kind::RateLimited => twilio::problem(StatusCode::TOO_MANY_REQUESTS, 20429, "Too Many Requests"),
            Kind::Error if at_stripe => {
                let words = "An unknown error occurred";
                stripe::problem(StatusCode::INTERNAL_SERVER_ERROR, "api_error", None, None, words)
            }
            Kind::Error => {
                twilio::problem(StatusCode::INTERNAL_SERVER_ERROR, 20500, "An internal server error has occurred")
            }
            Kind::NotFound => twilio::not_found(&path),
            Kind::LostAnswer => {
                next.run(request).await;
                // A body that fails before its first byte: the server drops the connection with nothing sent.
                let lost = futures::stream::iter([Err::<Vec<u8>, _>(std::io::Error::other("the answer is lost"))]);
                Body::from_stream(lost).into_response()
            }
        };
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }

    fn concerns(&self, method: &Method, path: &str) -> bool {
        path.contains(&self.path) && self.method.as_ref().is_none_or(|only| only == method.as_str())
    }
}

/// The disturbances still planned, oldest first.
#[derive(Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    /// The first planned fault for this request, with one fewer left of it.
    pub(crate) fn take(&mut self, method: &Method, path: &str) -> Option<Fault> {
        let fault = self.0.iter_mut().find(|fault| fault.concerns(method, path))?;
        fault.times = fault.times.saturating_sub(1);
        let taken = fault.clone();
        self.0.retain(|fault| fault.times > 0);
        Some(taken)
    }
}

pub(crate) async fn plan(State(desk): State<Desk>, Json(fault): Json<Fault>) -> Response {
    let mut faults = lock(&desk.faults);
    if faults.0.len() >= MOST || fault.times == 0 {
        return (StatusCode::CONFLICT, "too many faults are planned, or one for no request\n").into_response();
    }
    faults.0.push(fault);
    StatusCode::NO_CONTENT.into_response()
}

pub(crate) async fn planned(State(desk): State<Desk>) -> Json<Vec<Fault>> {
    Json(lock(&desk.faults).0.clone())
}

pub(crate) async fn forget(State(desk): State<Desk>) -> StatusCode {
    lock(&desk.faults).0.clear();
    StatusCode::NO_CONTENT
}
