//! Stripe's metered billing, as far as Optline uses it, with Stripe's own rules.
//!
//! | request | answer |
//! |---|---|
//! | `POST /v1/customers`, `GET`, `DELETE /v1/customers/{id}` | customers, of which only name and e-mail are kept |
//! | `POST`, `GET /v1/billing/meters`, `GET`, `POST …/{id}`, `POST …/{id}/deactivate`, `…/reactivate` | meters |
//! | `POST /v1/billing/meter_events` | 200 for what is well formed; whether it counts is decided apart |
//! | `POST /v1/billing/meter_event_adjustments` | cancels an event within 24 hours |
//! | `GET /v1/billing/meters/{id}/event_summaries` | what counts, some time later |
//! | `GET /v2/core/events/{id}` | what a webhook announced: which event was refused, and why |
//! | `POST /_standin/stripe/clock` | moves the clock: `{"at": "…"}` or `{"forward_seconds": …}`; `GET` says what time it is |
//! | `POST /_standin/stripe/settings` | how long summaries and refusals take, and where the webhook is |
//! | `GET /_standin/stripe/events` | every refusal so far, whole |
//! | `POST /_standin/stripe/deliveries` | sends what is due to the webhook, signed; `{"again": true}` sends all once more |
//! | `GET /_standin/stripe/meter_events` | every meter event and what became of it; `DELETE` forgets them, and all answers |
//! | `GET /stripe` | the same for people, by customer, day and meter |
//!
//! What a request may hold is read from an extract of Stripe's specification (`data/stripe_meters_openapi.json`,
//! <https://github.com/stripe/openapi>), so a parameter that Stripe does not know is refused here, too. Beyond it: an
//! identifier is known for 24 hours and then forgotten; an answer is kept under its `Idempotency-Key` for as long, those of
//! 500 included; an event is of the past 35 days or at most 5 minutes ahead. Faults are planned as for every partner
//! ([`crate::faults`]).

mod keys;
mod page;
mod schema;
mod webhook;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{lock, now};
use keys::Keys;
pub(crate) use keys::Within;
use schema::Specification;
pub use webhook::Endpoint;

/// How long an identifier is known, and how long an event may be cancelled.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How old usage may be.
const OLDEST: SignedDuration = SignedDuration::from_hours(35 * 24);
/// How far ahead it may be.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// The most digits of a value.
const MOST_DIGITS: usize = 15;
/// How many meter events are kept.
const MOST_EVENTS: usize = 200_000;

/// How this Stripe behaves.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long it takes until an event, or its cancellation, shows in the summaries.
    pub summary_lag_seconds: u32,
    /// How long it takes until a refusal is reported.
    pub report_delay_seconds: u32,
    /// Where reports are sent.
    pub webhook: Option<Endpoint>,
}

/// A meter event as it was received.
#[derive(Clone, Debug, Serialize)]
struct MeterEvent {
    identifier: String,
    event_name: String,
    payload: Map<String, Value>,
    /// When it was used.
    timestamp: i64,
    received: Timestamp,
    /// The meter and the customer it counts for, and how much.
    counts: Option<Counted>,
    /// Stripe's code, when it was refused after the 200.
    refused: Option<&'static str>,
    cancelled: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize)]
struct Counted {
    meter: String,
    customer: String,
    value: f64,
}

#[derive(Clone, Debug)]
struct Meter {
    body: Map<String, Value>,
    active: bool,
    event_name: String,
    formula: String,
    customer_key: String,
    value_key: String,
}

#[derive(Default)]
struct Kept {
    /// How far the clock was moved.
    moved: SignedDuration,
    settings: Settings,
    customers: BTreeMap<String, Value>,
    meters: BTreeMap<String, Meter>,
    events: Vec<MeterEvent>,
    reports: Vec<webhook::Report>,
    made: u64,
}

impl Kept {
    fn now(&self) -> Timestamp {
        now().saturating_add(self.moved).unwrap_or(Timestamp::MAX)
    }

    fn id(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}_{:06}{:08x}", self.made, fastrand::u32(..))
    }

    fn lag(&self) -> SignedDuration {
        SignedDuration::from_secs(self.settings.summary_lag_seconds.into())
    }
}

struct Stripe {
    specification: Specification,
    kept: Mutex<Kept>,
    keys: Mutex<Keys>,
}

type Shared = State<Arc<Stripe>>;

/// The API, and what moves it from outside.
pub fn api() -> Router {
    let stripe =
        Arc::new(Stripe { specification: Specification::read(), kept: Mutex::default(), keys: Mutex::default() });
    Router::new()
        .route("/v1/customers", post(create_customer))
        .route("/v1/customers/{id}", get(customer).delete(delete_customer))
        .route("/v1/billing/meters", post(create_meter).get(list_meters))
        .route("/v1/billing/meters/{id}", get(meter).post(update_meter))
        .route("/v1/billing/meters/{id}/deactivate", post(deactivate))
        .route("/v1/billing/meters/{id}/reactivate", post(reactivate))
        .route("/v1/billing/meters/{id}/event_summaries", get(summaries))
        .route("/v1/billing/meter_events", post(create_meter_event))
        .route("/v1/billing/meter_event_adjustments", post(adjust))
        .route("/v2/core/events/{id}", get(webhook::event))
        .route_layer(middleware::from_fn_with_state(stripe.clone(), keys::front))
        .route("/_standin/stripe/clock", get(clock).post(move_clock))
        .route("/_standin/stripe/settings", get(settings).post(change_settings))
        .route("/_standin/stripe/events", get(webhook::list))
        .route("/_standin/stripe/deliveries", post(webhook::deliver))
        .route("/_standin/stripe/meter_events", get(meter_events).delete(forget))
        .route("/stripe", get(page::page))
        .with_state(stripe)
}

/// An error as Stripe words it.
pub(crate) fn problem(
    status: StatusCode,
    kind: &str,
    code: Option<&str>,
    param: Option<&str>,
    words: &str,
) -> Response {
    // What there is none of is left out.
    let given = [("type", Some(kind)), ("code", code), ("param", param), ("message", Some(words))];
    let error: Map<String, Value> =
        given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))).collect();
    (status, [("request-id", request_id())], Json(json!({ "error": error }))).into_response()
}

/// Every answer of Stripe's has one.
fn request_id() -> String {
    format!("req_{:014x}", fastrand::u64(..) >> 8)
}

fn invalid(code: &str, param: Option<&str>, words: &str) -> Response {
    problem(StatusCode::BAD_REQUEST, "invalid_request_error", Some(code), param, words)
}

fn missing(what: &str, id: &str) -> Response {
    let words = format!("No such {what}: '{id}'");
    problem(StatusCode::NOT_FOUND, "invalid_request_error", Some("resource_missing"), Some("id"), &words)
}

/// Refused before anything was begun, so that no answer is kept under the key.
#[derive(Clone, Copy)]
struct NotBegun;

impl Stripe {
    /// The parameters of a request, if the specification knows them all.
    #[allow(clippy::result_large_err, reason = "a refusal is the answer")]
    fn parameters(&self, method: &Method, template: &str, given: &[u8]) -> Result<Map<String, Value>, Response> {
        self.specification.parameters(method, template, given).map_err(|wrong| {
            let mut refused = invalid(wrong.code, Some(&wrong.param), &wrong.words);
            refused.extensions_mut().insert(NotBegun);
            refused
        })
    }
}

fn text<'a>(parameters: &'a Map<String, Value>, name: &str) -> &'a str {
    parameters.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn inner<'a>(parameters: &'a Map<String, Value>, outer: &str, name: &str, default: &'a str) -> &'a str {
    parameters.get(outer).and_then(|object| object.get(name)).and_then(Value::as_str).unwrap_or(default)
}

async fn create_customer(State(stripe): Shared, body: Bytes) -> Response {
    // Of what Stripe knows about customers the extract has nothing; what is given is kept as it is.
    let given: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let mut kept = lock(&stripe.kept);
    let (id, created) = (kept.id("cus"), kept.now().as_second());
    let customer = json!({
        "id": id, "object": "customer", "created": created, "livemode": false, "name": given.get("name"),
        "email": given.get("email"),
    });
    kept.customers.insert(id, customer.clone());
    Json(customer).into_response()
}

async fn customer(State(stripe): Shared, Path(id): Path<String>) -> Response {
    match lock(&stripe.kept).customers.get(&id) {
        Some(customer) => Json(customer.clone()).into_response(),
        None => missing("customer", &id),
    }
}

async fn delete_customer(State(stripe): Shared, Path(id): Path<String>) -> Response {
    match lock(&stripe.kept).customers.remove(&id) {
        Some(_) => Json(json!({ "id": id, "object": "customer", "deleted": true })).into_response(),
        None => missing("customer", &id),
    }
}

async fn create_meter(State(stripe): Shared, body: Bytes) -> Response {
    let given = match stripe.parameters(&Method::POST, "/v1/billing/meters", &body) {
        Ok(given) => given,
        Err(refused) => return refused,
    };
    let mut kept = lock(&stripe.kept);
    let event_name = text(&given, "event_name").to_owned();
    if kept.meters.values().any(|meter| meter.active && meter.event_name == event_name) {
        let words = format!("There is already an active meter with the event name '{event_name}'.");
        return invalid("resource_already_exists", Some("event_name"), &words);
    }
    let (id, at) = (kept.id("mtr"), kept.now().as_second());
    let customer_key = inner(&given, "customer_mapping", "event_payload_key", "stripe_customer_id").to_owned();
    let value_key = inner(&given, "value_settings", "event_payload_key", "value").to_owned();
    let formula = inner(&given, "default_aggregation", "formula", "sum").to_owned();
    let body = json!({
        "id": id, "object": "billing.meter", "created": at, "updated": at, "livemode": false, "status": "active",
        "display_name": text(&given, "display_name"), "event_name": event_name,
        "customer_mapping": { "event_payload_key": customer_key, "type": "by_id" },
        "default_aggregation": { "formula": formula }, "event_time_window": given.get("event_time_window"),
        "status_transitions": { "deactivated_at": null }, "value_settings": { "event_payload_key": value_key },
    });
    let Value::Object(body) = body else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let answer = Json(body.clone()).into_response();
    kept.meters.insert(id, Meter { body, active: true, event_name, formula, customer_key, value_key });
    answer
}

async fn list_meters(State(stripe): Shared, RawQuery(query): RawQuery) -> Response {
    let path = "/v1/billing/meters";
    let given = match stripe.parameters(&Method::GET, path, query.unwrap_or_default().as_bytes()) {
        Ok(given) => given,
        Err(refused) => return refused,
    };
    let kept = lock(&stripe.kept);
    let wanted = given.get("status").and_then(Value::as_str);
    let fits = |meter: &&Meter| wanted.is_none_or(|status| (status == "active") == meter.active);
    let found = kept.meters.values().rev().filter(fits).map(|meter| Value::Object(meter.body.clone())).collect();
    list(path, found, &given)
}

/// A page of Stripe's.
fn list(url: &str, found: Vec<Value>, given: &Map<String, Value>) -> Response {
    let limit = given.get("limit").and_then(Value::as_u64).unwrap_or(10);
    if !(1..=100).contains(&limit) {
        return invalid("parameter_invalid_integer", Some("limit"), "limit must be between 1 and 100");
    }
    let start = match given.get("starting_after").and_then(Value::as_str) {
        None => 0,
        Some(id) => match found.iter().position(|entry| entry.get("id").and_then(Value::as_str) == Some(id)) {
            Some(place) => place + 1,
            None => return invalid("resource_missing", Some("starting_after"), "There is nothing to start after."),
        },
    };
    let left = found.len().saturating_sub(start);
    let limit = usize::try_from(limit).unwrap_or(100);
    let data: Vec<Value> = found.into_iter().skip(start).take(limit).collect();
    Json(json!({ "object": "list", "url": url, "has_more": left > limit, "data": data })).into_response()
}

async fn meter(State(stripe): Shared, Path(id): Path<String>) -> Response {
    match lock(&stripe.kept).meters.get(&id) {
        Some(meter) => Json(meter.body.clone()).into_response(),
        None => missing("billing meter", &id),
    }
}

async fn update_meter(State(stripe): Shared, Path(id): Path<String>, body: Bytes) -> Response {
    let given = match stripe.parameters(&Method::POST, "/v1/billing/meters/{id}", &body) {
        Ok(given) => given,
        Err(refused) => return refused,
    };
    change(&stripe, &id, |meter, _| {
        if let Some(name) = given.get("display_name") {
            meter.body.insert("display_name".into(), name.clone());
        }
    })
}

async fn deactivate(State(stripe): Shared, Path(id): Path<String>) -> Response {
    change(&stripe, &id, |meter, at| {
        meter.active = false;
        meter.body.insert("status".into(), json!("inactive"));
        meter.body.insert("status_transitions".into(), json!({ "deactivated_at": at }));
    })
}

async fn reactivate(State(stripe): Shared, Path(id): Path<String>) -> Response {
    change(&stripe, &id, |meter, _| {
        meter.active = true;
        meter.body.insert("status".into(), json!("active"));
        meter.body.insert("status_transitions".into(), json!({ "deactivated_at": null }));
    })
}

fn change(stripe: &Stripe, id: &str, change: impl FnOnce(&mut Meter, i64)) -> Response {
    let mut kept = lock(&stripe.kept);
    let at = kept.now().as_second();
    let Some(meter) = kept.meters.get_mut(id) else { return missing("billing meter", id) };
    change(meter, at);
    meter.body.insert("updated".into(), json!(at));
    Json(meter.body.clone()).into_response()
}

async fn create_meter_event(State(stripe): Shared, body: Bytes) -> Response {
    let given = match stripe.parameters(&Method::POST, "/v1/billing/meter_events", &body) {
        Ok(given) => given,
        Err(refused) => return refused,
    };
    let mut kept = lock(&stripe.kept);
    let at = kept.now();
    let timestamp = given.get("timestamp").and_then(Value::as_i64).unwrap_or(at.as_second());
    let used = Timestamp::from_second(timestamp).unwrap_or(Timestamp::MIN);
    if at.duration_since(used) > OLDEST {
        let words = "The timestamp must be within the past 35 calendar days.";
        return invalid("timestamp_too_far_in_past", Some("timestamp"), words);
    }
    if used.duration_since(at) > AHEAD {
        return invalid(
            "timestamp_in_future",
            Some("timestamp"),
            "The timestamp must be at most 5 minutes in the future.",
        );
    }
    let payload = given.get("payload").and_then(Value::as_object).cloned().unwrap_or_default();
    let event_name = text(&given, "event_name").to_owned();
    let identifier = match given.get("identifier").and_then(Value::as_str) {
        Some(identifier) => identifier.to_owned(),
        None => kept.id("generated"),
    };
    if kept.events.iter().rev().any(|event| event.identifier == identifier && at.duration_since(event.received) < DAY) {
        let words = format!("An event already exists with identifier {identifier}.");
        let mut refused = problem(StatusCode::BAD_REQUEST, "invalid_request_error", None, None, &words);
        refused.headers_mut().insert("stripe-should-retry", HeaderValue::from_static("false"));
        return refused;
    }
    let named = kept.meters.iter().rev().filter(|(_, meter)| meter.event_name == event_name);
    let meter = named.max_by_key(|(_, meter)| meter.active).map(|(id, meter)| (id.clone(), meter.clone()));
    let value_key = meter.as_ref().map_or("value", |(_, meter)| meter.value_key.as_str());
    let digits = text(&payload, value_key).bytes().filter(u8::is_ascii_digit).count();
    if digits > MOST_DIGITS {
        let words = format!("The value in the event payload can have at most {MOST_DIGITS} digits.");
        return invalid("meter_event_value_too_many_digits", Some("payload"), &words);
    }
    let checked = check(&kept, meter.as_ref(), &payload);
    let answer = json!({
        "object": "billing.meter_event", "created": at.as_second(), "event_name": event_name, "identifier": identifier,
        "livemode": false, "payload": payload, "timestamp": timestamp,
    });
    if let Err(code) = checked {
        let delay = SignedDuration::from_secs(kept.settings.report_delay_seconds.into());
        let due = at.saturating_add(delay).unwrap_or(at);
        let id = kept.id("evt");
        let about = meter.map(|(id, _)| id);
        kept.reports.push(webhook::Report::new(id, about, code, &identifier, due));
    }
    let (counts, refused) = checked.map_or_else(|code| (None, Some(code)), |counts| (Some(counts), None));
    kept.events.push(MeterEvent {
        identifier,
        event_name,
        payload,
        timestamp,
        received: at,
        counts,
        refused,
        cancelled: None,
    });
    if kept.events.len() > MOST_EVENTS {
        kept.events.remove(0);
    }
    Json(answer).into_response()
}

/// What Stripe checks after it has answered.
fn check(kept: &Kept, meter: Option<&(String, Meter)>, payload: &Map<String, Value>) -> Result<Counted, &'static str> {
    let (id, meter) = meter.ok_or("no_meter")?;
    if !meter.active {
        return Err("archived_meter");
    }
    let customer = text(payload, &meter.customer_key);
    if customer.is_empty() {
        return Err("meter_event_no_customer_defined");
    }
    if !kept.customers.contains_key(customer) {
        return Err("meter_event_customer_not_found");
    }
    let value = match meter.formula.as_str() {
        "count" => Some(1.0),
        _ => text(payload, &meter.value_key).parse().ok().filter(|value: &f64| value.is_finite()),
    };
    let value = value.ok_or("meter_event_invalid_value")?;
    Ok(Counted { meter: id.clone(), customer: customer.to_owned(), value })
}

async fn adjust(State(stripe): Shared, body: Bytes) -> Response {
    let given = match stripe.parameters(&Method::POST, "/v1/billing/meter_event_adjustments", &body) {
        Ok(given) => given,
        Err(refused) => return refused,
    };
    let (name, identifier) = (text(&given, "event_name"), inner(&given, "cancel", "identifier", ""));
    let mut kept = lock(&stripe.kept);
    let at = kept.now();
    let wanted = |event: &&mut MeterEvent| event.identifier == identifier && event.event_name == name;
    let Some(event) = kept.events.iter_mut().rev().find(wanted) else {
        return invalid("resource_missing", Some("cancel[identifier]"), "No such meter event.");
    };
    if event.cancelled.is_some() {
        return invalid("resource_missing", Some("cancel[identifier]"), "This meter event was cancelled before.");
    }
    if at.duration_since(event.received) >= DAY {
        let words = "You can only cancel events within 24 hours of Stripe receiving them.";
        return invalid("meter_event_adjustment_too_late", Some("cancel[identifier]"), words);
    }
    event.cancelled = Some(at);
    Json(json!({
        "object": "billing.meter_event_adjustment", "cancel": { "identifier": identifier }, "event_name": name,
        "livemode": false, "status": "pending", "type": "cancel",
    }))
    .into_response()
}

async fn summaries(State(stripe): Shared, Path(id): Path<String>, RawQuery(query): RawQuery) -> Response {
    let template = "/v1/billing/meters/{id}/event_summaries";
    let given = match stripe.parameters(&Method::GET, template, query.unwrap_or_default().as_bytes()) {
        Ok(given) => given,
        Err(refused) => return refused,
    };
    let second = |name: &str| given.get(name).and_then(Value::as_i64).unwrap_or_default();
    let (from, to) = (second("start_time"), second("end_time"));
    let window = match text(&given, "value_grouping_window") {
        "hour" => Some(3_600),
        "day" => Some(86_400),
        _ => None,
    };
    let aligned = |at: i64| at.rem_euclid(window.unwrap_or(60)) == 0;
    if !aligned(from) || !aligned(to) || from >= to {
        return invalid(
            "parameter_invalid_integer",
            Some("start_time"),
            "The window's ends must be aligned and in order.",
        );
    }
    let kept = lock(&stripe.kept);
    let Some(meter) = kept.meters.get(&id) else { return missing("billing meter", &id) };
    let customer = text(&given, "customer");
    if !kept.customers.contains_key(customer) {
        return invalid("resource_missing", Some("customer"), &format!("No such customer: '{customer}'"));
    }
    let seen = kept.now().saturating_sub(kept.lag()).unwrap_or(Timestamp::MIN);
    let mut windows: BTreeMap<i64, Vec<(i64, f64)>> = BTreeMap::new();
    if window.is_none() {
        windows.insert(from, Vec::new());
    }
    for event in &kept.events {
        let Some(counts) = &event.counts else { continue };
        let within = (from..to).contains(&event.timestamp) && counts.meter == id && counts.customer == customer;
        if within && event.received <= seen && event.cancelled.is_none_or(|at| at > seen) {
            let start = window.map_or(from, |size| event.timestamp - event.timestamp.rem_euclid(size));
            windows.entry(start).or_default().push((event.timestamp, counts.value));
        }
    }
    let summary = |(start, mut values): (i64, Vec<(i64, f64)>)| {
        values.sort_by_key(|(at, _)| *at);
        let value = match meter.formula.as_str() {
            "last" => values.last().map_or(0.0, |(_, value)| *value),
            _ => values.iter().map(|(_, value)| value).sum(),
        };
        json!({
            "id": format!("mtrusg_{id}_{customer}_{start}"), "object": "billing.meter_event_summary", "meter": id,
            "livemode": false, "start_time": start, "end_time": window.map_or(to, |size| start + size),
            "aggregated_value": value,
        })
    };
    let found = windows.into_iter().rev().map(summary).collect();
    list(&format!("/v1/billing/meters/{id}/event_summaries"), found, &given)
}

/// How the clock is moved.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    /// To this time.
    #[serde(default)]
    at: Option<Timestamp>,
    /// On by so much.
    #[serde(default)]
    forward_seconds: i64,
}

async fn clock(State(stripe): Shared) -> Json<Value> {
    Json(json!({ "now": lock(&stripe.kept).now() }))
}

async fn move_clock(State(stripe): Shared, Json(by): Json<Move>) -> Json<Value> {
    let mut kept = lock(&stripe.kept);
    if let Some(at) = by.at {
        kept.moved = at.duration_since(now());
    }
    kept.moved = kept.moved.saturating_add(SignedDuration::from_secs(by.forward_seconds));
    Json(json!({ "now": kept.now() }))
}

async fn settings(State(stripe): Shared) -> Json<Settings> {
    Json(lock(&stripe.kept).settings.clone())
}

async fn change_settings(State(stripe): Shared, Json(settings): Json<Settings>) -> StatusCode {
    lock(&stripe.kept).settings = settings;
    StatusCode::NO_CONTENT
}

async fn meter_events(State(stripe): Shared) -> Json<Value> {
    Json(json!(lock(&stripe.kept).events))
}

/// Everything that was sent and said, but neither customers nor meters.
async fn forget(State(stripe): Shared) -> StatusCode {
    let mut kept = lock(&stripe.kept);
    kept.events.clear();
    kept.reports.clear();
    *lock(&stripe.keys) = Keys::default();
    StatusCode::NO_CONTENT
}

/// The day in UTC of a second since 1970.
fn day_of(second: i64) -> String {
    let at = Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(TimeZone::UTC).date().to_string()
}

#[cfg(test)]
mod tests;
