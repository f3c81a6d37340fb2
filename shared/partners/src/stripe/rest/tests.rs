//! The client against a server on this machine that gives prepared answers and remembers what it was asked.

use std::{collections::VecDeque, sync::Mutex};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::HeaderMap,
    response::Response,
};
use serde_json::json;
use tokio::net::TcpListener;

use super::*;
use crate::stripe::meter_event::{Grouping, MeterEvent, Receipt, Value};
use crate::stripe::{CustomerId, EventId, MeterId};

const KEY: &str = "rk_test_that_no_message_may_show";

#[derive(Debug, Clone, Default)]
struct Prepared {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
}

#[derive(Debug)]
struct Asked {
    line: String,
    headers: HeaderMap,
    body: Bytes,
}

#[derive(Clone, Default)]
struct Stripe {
    answers: Arc<Mutex<VecDeque<Prepared>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Stripe {
    /// Answers in this order, then goes on with the last.
    async fn answering(answers: impl IntoIterator<Item = Prepared>) -> (Self, Client) {
        let stripe = Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), ..Self::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = client(&format!("http://{}", listener.local_addr().unwrap()));
        let app = Router::new().fallback(Self::answer).with_state(stripe.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (stripe, client)
    }

    async fn answer(State(stripe): State<Self>, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let line = format!("{} {}", parts.method, parts.uri);
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        stripe.asked.lock().unwrap().push(Asked { line, headers: parts.headers, body });
        let mut answers = stripe.answers.lock().unwrap();
        let prepared = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }.unwrap();
        let mut response = Response::builder().status(prepared.status).header("request-id", "req_1");
        for (name, value) in prepared.headers {
            response = response.header(name, value);
        }
        response.body(Body::from(prepared.body)).unwrap()
    }

    fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn client(base_url: &str) -> Client {
    let patience = Patience {
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(4),
        per_try: Duration::from_secs(2),
        total: Duration::from_secs(5),
        ..Patience::default()
    };
    Client::new(base_url, KEY.to_owned()).unwrap().with_patience(patience).with_jitter(|| 0.0)
}

fn says(status: u16, body: &serde_json::Value) -> Prepared {
    Prepared { status, headers: Vec::new(), body: body.to_string() }
}

fn error(status: u16, kind: &str, message: &str) -> Prepared {
    says(status, &json!({ "error": { "type": kind, "message": message } }))
}

fn received() -> Prepared {
    says(200, &json!({ "object": "billing.meter_event", "identifier": "an-identifier" }))
}

async fn send(client: &Client) -> Result<Receipt, StripeError> {
    let customer = CustomerId::parse("cus_1").unwrap();
    let event = MeterEvent {
        event_name: "optline_minutes",
        customer: &customer,
        value: &Value::whole(25).unwrap(),
        identifier: "an-identifier",
        at: jiff::Timestamp::from_second(1_795_219_199).unwrap(),
    };
    client.send_meter_event(&event, "a-key").await
}

#[tokio::test]
async fn an_event_is_sent_as_a_form_with_key_version_and_idempotency_key() {
    let (stripe, client) = Stripe::answering([received()]).await;
    assert_eq!(send(&client).await.unwrap(), Receipt::Received { request_id: "req_1".into() });
    let asked = stripe.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].line, "POST /v1/billing/meter_events");
    assert_eq!(asked[0].headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(asked[0].headers["stripe-version"], API_VERSION);
    assert_eq!(asked[0].headers["idempotency-key"], "a-key");
    assert_eq!(asked[0].headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(
        asked[0].body,
        "event_name=optline_minutes&identifier=an-identifier&timestamp=1795219199\
         &payload%5Bstripe_customer_id%5D=cus_1&payload%5Bvalue%5D=25"
    );
}

#[tokio::test]
async fn what_passes_is_tried_again_with_the_same_key() {
    let api = error(500, "api_error", "");
    let (stripe, client) = Stripe::answering([error(429, "", ""), error(409, "", ""), api, received()]).await;
    assert!(send(&client).await.is_ok());
    let asked = stripe.asked();
    assert_eq!(asked.len(), 4);
    let first = &asked[0].body;
    assert!(asked.iter().all(|asked| asked.headers["idempotency-key"] == "a-key" && asked.body == first));
}

#[tokio::test]
async fn an_identifier_that_stripe_has_seen_is_a_success() {
    let sentence = "An event already exists with identifier an-identifier.";
    let by_code = json!({ "error": { "type": "invalid_request_error", "code": "duplicate_meter_event" } });
    for answer in [error(400, "invalid_request_error", sentence), says(400, &by_code)] {
        let (stripe, client) = Stripe::answering([answer]).await;
        assert_eq!(send(&client).await.unwrap(), Receipt::AlreadyThere { request_id: "req_1".into() });
        assert_eq!(stripe.asked().len(), 1);
    }
}

#[tokio::test]
async fn a_lost_answer_is_cleared_up_by_an_identifier_that_stripe_has_seen() {
    let sentence = "An event already exists with identifier an-identifier.";
    let answers = [error(503, "api_error", ""), error(400, "invalid_request_error", sentence)];
    let (_stripe, client) = Stripe::answering(answers).await;
    assert_eq!(send(&client).await.unwrap(), Receipt::AlreadyThere { request_id: "req_1".into() });
}

#[tokio::test]
async fn after_a_server_error_it_may_be_done_and_the_key_is_spent() {
    let (stripe, client) = Stripe::answering([error(500, "api_error", "secret details")]).await;
    let error = send(&client).await.unwrap_err();
    assert!(error.perhaps_done() && error.key_spent() && error.passes());
    assert!(matches!(error, StripeError::GaveUp { tries: 4, cause: Cause::Status(500), .. }));
    assert!(!error.to_string().contains("secret"));
    assert_eq!(stripe.asked().len(), 4);
}

#[tokio::test]
async fn a_rate_limit_alone_means_that_nothing_was_done() {
    let (_stripe, client) = Stripe::answering([error(429, "invalid_request_error", "")]).await;
    let error = send(&client).await.unwrap_err();
    assert!(matches!(error, StripeError::GaveUp { cause: Cause::Status(429), .. }));
    assert!(!error.perhaps_done() && !error.key_spent());
}

#[tokio::test]
async fn a_refusal_after_a_lost_answer_does_not_undo_the_doubt() {
    let (_stripe, client) =
        Stripe::answering([error(502, "api_error", ""), error(400, "invalid_request_error", "")]).await;
    let error = send(&client).await.unwrap_err();
    assert!(matches!(error, StripeError::GaveUp { tries: 2, cause: Cause::Status(400), perhaps_done: true, .. }));
}

#[tokio::test]
async fn a_key_that_is_refused_after_a_lost_answer_does_not_undo_the_doubt() {
    for status in [401, 403] {
        let answers = [error(504, "api_error", ""), error(status, "invalid_request_error", "Invalid API Key")];
        let (stripe, client) = Stripe::answering(answers).await;
        let error = send(&client).await.unwrap_err();
        assert!(error.perhaps_done() && error.key_spent() && error.passes(), "{error}");
        assert!(matches!(error, StripeError::GaveUp { tries: 2, cause: Cause::Status(said), .. } if said == status));
        assert_eq!(stripe.asked().len(), 2);
    }
    // Of the tries before nothing can have come.
    let answers = [error(429, "", ""), error(401, "invalid_request_error", "Invalid API Key")];
    let (_stripe, client) = Stripe::answering(answers).await;
    assert!(matches!(send(&client).await, Err(StripeError::Unauthorized { .. })));
}

#[tokio::test]
async fn an_answer_that_never_came_and_then_a_refused_key_may_have_done_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(&format!("http://{}", listener.local_addr().unwrap()));
    let client = client.with_patience(Patience {
        first_wait: Duration::from_millis(1),
        per_try: Duration::from_millis(200),
        ..Patience::default()
    });
    tokio::spawn(async move {
        // The first is heard and gets no answer; all others are refused.
        let first = listener.accept().await;
        let app = Router::new().fallback(async || (axum::http::StatusCode::UNAUTHORIZED, "{}"));
        let served = axum::serve(listener, app).await;
        drop(first);
        served
    });
    let error = send(&client).await.unwrap_err();
    assert!(matches!(
        error,
        StripeError::GaveUp { tries: 2, cause: Cause::Status(401), perhaps_done: true, key_spent: false, .. }
    ));
}

#[tokio::test]
async fn what_stripe_says_about_another_try_is_done() {
    let never = Prepared { headers: vec![("stripe-should-retry", "false")], ..error(500, "api_error", "") };
    let (stripe, client) = Stripe::answering([never]).await;
    assert!(matches!(send(&client).await, Err(StripeError::GaveUp { tries: 1, .. })));
    assert_eq!(stripe.asked().len(), 1);
    let again = Prepared { headers: vec![("stripe-should-retry", "true")], ..error(400, "invalid_request_error", "") };
    let (stripe, client) = Stripe::answering([again, received()]).await;
    assert!(send(&client).await.is_ok());
    assert_eq!(stripe.asked().len(), 2);
}

#[tokio::test]
async fn the_wait_that_stripe_asks_for_is_kept() {
    let wait = Prepared { headers: vec![("retry-after", "1")], ..error(429, "", "") };
    let (_stripe, client) = Stripe::answering([wait, received()]).await;
    let start = Instant::now();
    send(&client).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_refusal_has_stripes_code_and_not_its_words() {
    let answer = json!({ "error": {
        "type": "invalid_request_error", "code": "resource_missing", "param": "payload[value]", "message": "No such cus_1",
    } });
    let (stripe, client) = Stripe::answering([says(400, &answer)]).await;
    let error = send(&client).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "send meter event: Stripe answered 400, invalid_request_error, code Some(\"resource_missing\"), \
         parameter Some(\"payload[value]\"), request Some(\"req_1\")"
    );
    assert!(!error.perhaps_done() && error.key_spent() && !error.passes());
    assert_eq!(stripe.asked().len(), 1);
}

#[tokio::test]
async fn a_wrong_key_is_named_and_not_tried_again() {
    let (stripe, client) = Stripe::answering([error(401, "invalid_request_error", "Invalid API Key")]).await;
    assert!(matches!(send(&client).await, Err(StripeError::Unauthorized { .. })));
    assert_eq!(stripe.asked().len(), 1);
    assert!(!format!("{client:?}").contains(KEY));
}

#[tokio::test]
async fn an_answer_for_another_event_is_no_receipt() {
    let other = says(200, &json!({ "identifier": "another" }));
    let (_stripe, client) = Stripe::answering([other]).await;
    let error = send(&client).await.unwrap_err();
    assert!(matches!(error, StripeError::Unreadable { .. }) && error.perhaps_done());
}

#[tokio::test]
async fn nothing_is_sent_that_stripe_would_not_take() {
    let (stripe, client) = Stripe::answering([received()]).await;
    let long = "x".repeat(101);
    let unfit = |result| matches!(result, Err(StripeError::Unfit { .. }));
    assert!(unfit(client.cancel_meter_event("optline_minutes", &long, "key").await));
    assert!(unfit(client.cancel_meter_event("", "id", "key").await));
    assert!(unfit(client.cancel_meter_event("optline_minutes", "id", "").await));
    assert!(unfit(client.cancel_meter_event("optline_minutes", "id", &"k".repeat(256)).await));
    assert_eq!(stripe.asked().len(), 0);
}

#[tokio::test]
async fn an_event_is_cancelled_by_its_identifier() {
    let answer = says(200, &json!({ "status": "pending", "cancel": { "identifier": "an-identifier" } }));
    let (stripe, client) = Stripe::answering([answer]).await;
    let cancelled = client.cancel_meter_event("optline_minutes", "an-identifier", "a-key").await.unwrap();
    assert!(!cancelled.complete);
    let asked = stripe.asked();
    assert_eq!(asked[0].line, "POST /v1/billing/meter_event_adjustments");
    assert_eq!(asked[0].body, "event_name=optline_minutes&type=cancel&cancel%5Bidentifier%5D=an-identifier");
}

#[tokio::test]
async fn summaries_are_read_to_the_last_page() {
    let summary = |id: &str, start: i64, value: f64| json!({ "id": id, "aggregated_value": value, "start_time": start, "end_time": start + 86_400 });
    let page = |data: serde_json::Value, more: bool| says(200, &json!({ "data": data, "has_more": more }));
    let (stripe, client) = Stripe::answering([
        page(json!([summary("s2", 86_400, 7.0), summary("s1", 0, 2.5)]), true),
        page(json!([summary("s0", 172_800, 0.0)]), false),
    ])
    .await;
    let (meter, customer) = (MeterId::parse("mtr_1").unwrap(), CustomerId::parse("cus_1").unwrap());
    let at = |second| jiff::Timestamp::from_second(second).unwrap();
    let found = client.event_summaries(&meter, &customer, at(0), at(259_200), Grouping::Days).await.unwrap();
    let values: Vec<_> = found.iter().map(|summary| (summary.from.as_second(), summary.value.as_str())).collect();
    assert_eq!(values, [(86_400, "7"), (0, "2.5"), (172_800, "0")]);
    let lines: Vec<_> = stripe.asked().into_iter().map(|asked| asked.line).collect();
    let path = "GET /v1/billing/meters/mtr_1/event_summaries?customer=cus_1&start_time=0&end_time=259200\
                &value_grouping_window=day&limit=100";
    assert_eq!(lines, [path.to_owned(), format!("{path}&starting_after=s1")]);

    let uneven = client.event_summaries(&meter, &customer, at(60), at(259_200), Grouping::Days).await;
    assert!(matches!(uneven, Err(StripeError::Unfit { .. })));
    assert_eq!(stripe.asked().len(), 0);
}

#[tokio::test]
async fn meters_are_listed_with_whether_they_take_events() {
    let meters = json!([
        { "id": "mtr_1", "event_name": "optline_calls", "status": "active" },
        { "id": "mtr_2", "event_name": "optline_minutes", "status": "inactive" },
    ]);
    let (_stripe, client) = Stripe::answering([says(200, &json!({ "data": meters, "has_more": false }))]).await;
    let found = client.meters().await.unwrap();
    assert_eq!(found.iter().map(|meter| meter.active).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test]
async fn what_is_in_an_event_is_fetched_by_its_id() {
    let event = json!({
        "id": "evt_1", "type": "v1.billing.meter.no_meter_found", "created": "2026-11-21T00:47:22.134Z",
        "data": { "reason": { "error_count": 1, "error_types": [
            { "code": "no_meter", "error_count": 1, "sample_errors": [{ "request": { "identifier": "x" } }] },
        ] } },
    });
    let (stripe, client) = Stripe::answering([says(200, &event)]).await;
    let fetched = client.event(&EventId::parse("evt_1").unwrap()).await.unwrap();
    assert_eq!(fetched.report.unwrap().refused[0].identifier, "x");
    assert_eq!(stripe.asked()[0].line, "GET /v2/core/events/evt_1");
}

#[tokio::test]
async fn no_connection_means_that_nothing_was_done() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(&format!("http://{}", listener.local_addr().unwrap()));
    drop(listener);
    let error = send(&client).await.unwrap_err();
    assert!(matches!(error, StripeError::GaveUp { tries: 4, cause: Cause::Connect, perhaps_done: false, .. }));
}

#[tokio::test]
async fn a_server_that_does_not_answer_may_have_done_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let patience = Patience { per_try: Duration::from_millis(50), tries: 2, ..Patience::default() };
    let client = client(&format!("http://{}", listener.local_addr().unwrap()))
        .with_patience(Patience { first_wait: Duration::from_millis(1), ..patience });
    let error = send(&client).await.unwrap_err();
    assert!(matches!(error, StripeError::GaveUp { tries: 2, cause: Cause::Timeout, perhaps_done: true, .. }));
}

#[test]
fn only_https_and_this_machine_itself_are_called() {
    let new = |url: &str| Client::new(url, KEY.to_owned());
    assert!(new("https://api.stripe.com").is_ok() && new("http://127.0.0.1:4580").is_ok());
    for url in ["http://api.stripe.com", "https://user:word@api.stripe.com", "api.stripe.com"] {
        assert!(matches!(new(url), Err(StripeError::BaseUrl(_))), "{url}");
    }
}
