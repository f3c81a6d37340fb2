//! Stand-ins for Optline's partners on the local cloud: small stateful servers with the partner's own rules.
//!
//! | address | what |
//! |---|---|
//! | `/2010-04-01/Accounts/{AC}/…` | Twilio's REST API ([`twilio`]): recordings, transcriptions, messages, calls |
//! | `/captcha/…` | reCAPTCHA, Turnstile, hCaptcha ([`captcha`]): widgets, and what their tokens are worth |
//! | `POST /_standin/captcha/tokens` | a token as a test wants it |
//! | `/v1/…`, `/v2/…`, `/_standin/stripe/…` | Stripe's metered billing ([`stripe`]), with a clock that can be moved |
//! | `GET /stripe` | what Stripe was sent, by customer, day and meter |
//! | `POST /_standin/recordings`, `/_standin/calls` | what the text telephone leaves at Twilio after a call |
//! | `POST /_standin/faults` | make the next answers slow, wrong or lost ([`faults`]) |
//! | `GET /_standin/requests`, `GET /` | everything that was received ([`received`]), for programs and for people |
//! | `GET /shop`, `/shop/privacy`, `/shop/choices` | a shop with the form and the choices in its pages, under any name below `localhost` ([`town`]) |
//! | `GET /mailbox` | every e-mail and text message of the local cloud |
//! | `GET /health` | is it up |
//!
//! Everything is kept in memory, bounded, and forgotten when the process ends.

pub mod captcha;
pub mod faults;
mod letterbox;
pub mod received;
mod shop;
pub mod stripe;
pub mod town;
pub mod twilio;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};

/// Six minutes of telephone audio in base64, twice over.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// All the stand-ins as one application: each partner has its own paths.
pub fn app(credentials: twilio::Credentials) -> Router {
    let desk = Desk { received: Arc::default(), faults: Arc::default() };
    let partners = twilio::api(credentials)
        .merge(captcha::api())
        .merge(stripe::api())
        .layer(middleware::from_fn_with_state(desk.clone(), keep_and_disturb))
        .layer(DefaultBodyLimit::max(LARGEST_BODY));
    Router::new()
        .route("/", get(home))
        .route("/health", get(async || Json(serde_json::json!({ "status": "up" }))))
        .route("/_standin/requests", get(received::list))
        .route("/_standin/faults", post(faults::plan).get(faults::planned).delete(faults::forget))
        .with_state(desk)
        .merge(partners)
}

/// Under the shop's own name its home page, which is where people come back to from their privacy choices; else what was
/// received.
async fn home(State(desk): State<Desk>, headers: HeaderMap) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.split(':').next().unwrap_or_default();
    if name.ends_with(".localhost") {
        return Redirect::temporary("/shop").into_response();
    }
    received::page(&desk).into_response()
}

/// What all the stand-ins share: the record of what came in, and the disturbances asked for.
#[derive(Clone)]
pub(crate) struct Desk {
    received: Arc<Mutex<received::Received>>,
    faults: Arc<Mutex<faults::Faults>>,
}

/// Writes down what a partner's path received, and disturbs the answer when a test asked for that.
async fn keep_and_disturb(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/_standin/") || request.uri().path() == "/stripe" {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let fault = lock(&desk.faults).take(&parts.method, parts.uri.path());
    let number = lock(&desk.received).add(&parts, &body, fault.as_ref());
    let request = Request::from_parts(parts, body.into());
    let response = match fault {
        Some(fault) => fault.disturb(request, next).await,
        None => next.run(request).await,
    };
    lock(&desk.received).answered(number, response.status().as_u16());
    response
}

/// The wall clock, read here and nowhere else in this crate.
#[allow(clippy::disallowed_methods, reason = "a stand-in is the outside world: its clock is its own")]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
