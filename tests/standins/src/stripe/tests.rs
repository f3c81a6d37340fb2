//! Stripe over a real connection: by hand for its rules, and with the product's own client.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use partners::stripe::error_report::{About, Code};
use partners::stripe::meter_event::{Grouping, MeterEvent, Receipt, Value as Amount};
use partners::stripe::rest::{Client, StripeError};
use partners::stripe::retry::Patience;
use partners::stripe::{API_VERSION, CustomerId, EventId, MeterId, error_report, signature};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::schema::Specification;
use crate::twilio::{Account, Credentials};

const KEY: &str = "rk_test_stand_in";

struct Stripe {
    http: reqwest::Client,
    address: String,
    specification: Specification,
}

impl Stripe {
    async fn up() -> Stripe {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let account = Account { account_sid: "AC1".into(), auth_token: "token".into() };
        tokio::spawn(async { axum::serve(listener, crate::app(Credentials::Given(account))).await });
        Stripe {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            address,
            specification: Specification::read(),
        }
    }

    /// A form, as Stripe wants it.
    async fn post(&self, path: &str, form: &[(&str, &str)], key: Option<&str>) -> reqwest::Response {
        let request = self.http.post(format!("{}{path}", self.address)).bearer_auth(KEY);
        let request = request.header("stripe-version", API_VERSION).form(form);
        let request = if let Some(key) = key { request.header("idempotency-key", key) } else { request };
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        let request = self.http.get(format!("{}{path}", self.address)).bearer_auth(KEY);
        request.header("stripe-version", API_VERSION).send().await.unwrap()
    }

    /// The same, with its answer held against the specification.
    async fn posted(&self, path: &str, template: &str, form: &[(&str, &str)], key: Option<&str>) -> (u16, Value) {
        let response = self.post(path, form, key).await;
        assert!(response.headers()["request-id"].to_str().unwrap().starts_with("req_"));
        self.checked("POST", template, response).await
    }

    async fn got(&self, path: &str, template: &str) -> (u16, Value) {
        let response = self.get(path).await;
        self.checked("GET", template, response).await
    }

    async fn checked(&self, method: &str, template: &str, response: reqwest::Response) -> (u16, Value) {
        let status = response.status().as_u16();
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        let kept = match status {
            200 => self.specification.check_answer(method, template, &body),
            _ => self.specification.check_error(&body),
        };
        assert_eq!(kept, Ok(()), "{method} {template}: {body}");
        (status, body)
    }

    async fn control(&self, path: &str, body: &Value) -> Value {
        let request =
            self.http.post(format!("{}/_standin/{path}", self.address)).header("content-type", "application/json");
        let response = request.body(body.to_string()).send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default()
    }

    async fn clock(&self, at: &str) {
        self.control("stripe/clock", &json!({ "at": at })).await;
    }

    async fn fault(&self, kind: &str, delay_ms: u32) {
        self.control("faults", &json!({ "path": "/v1/billing", "fault": kind, "delay_ms": delay_ms })).await;
    }

    async fn customer(&self, name: &str) -> String {
        let made = self.post("/v1/customers", &[("name", name)], None).await.text().await.unwrap();
        serde_json::from_str::<Value>(&made).unwrap()["id"].as_str().unwrap().to_owned()
    }

    async fn meter(&self, event_name: &str) -> String {
        let form = [
            ("display_name", "Billed minutes"),
            ("event_name", event_name),
            ("default_aggregation[formula]", "sum"),
            ("customer_mapping[type]", "by_id"),
            ("customer_mapping[event_payload_key]", "stripe_customer_id"),
        ];
        let (status, meter) = self.posted("/v1/billing/meters", "/v1/billing/meters", &form, None).await;
        assert_eq!(status, 200, "{meter}");
        meter["id"].as_str().unwrap().to_owned()
    }

    async fn send(&self, customer: &str, value: &str, identifier: &str, key: Option<&str>) -> (u16, Value) {
        let now = self.http.get(format!("{}/_standin/stripe/clock", self.address)).send().await.unwrap();
        let now: Value = serde_json::from_str(&now.text().await.unwrap()).unwrap();
        let now: Timestamp = now["now"].as_str().unwrap().parse().unwrap();
        // Of the day, so that a repeat says the same.
        let at = (now.as_second() - now.as_second().rem_euclid(86_400) - 1).to_string();
        self.event(customer, value, identifier, &at, key).await
    }

    async fn event(&self, customer: &str, value: &str, identifier: &str, at: &str, key: Option<&str>) -> (u16, Value) {
        let form = [
            ("event_name", "optline_minutes"),
            ("payload[stripe_customer_id]", customer),
            ("payload[value]", value),
            ("identifier", identifier),
            ("timestamp", at),
        ];
        self.posted("/v1/billing/meter_events", "/v1/billing/meter_events", &form, key).await
    }

    async fn sum(&self, meter: &str, customer: &str) -> f64 {
        let path =
            format!("/v1/billing/meters/{meter}/event_summaries?customer={customer}&start_time=0&end_time=4102444800");
        let (status, found) = self.got(&path, "/v1/billing/meters/{id}/event_summaries").await;
        assert_eq!(status, 200, "{found}");
        found["data"][0]["aggregated_value"].as_f64().unwrap()
    }

    fn client(&self) -> Client {
        let short = std::time::Duration::from_millis(1);
        let patience = Patience { first_wait: short, longest_wait: short, ..Patience::default() };
        Client::new(&self.address, KEY.into()).unwrap().with_patience(patience)
    }
}

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn only_a_test_key_and_the_known_version_are_let_in() {
    let stripe = Stripe::up().await;
    let url = format!("{}/v1/billing/meters", stripe.address);
    let ask = async |key: &str, version: &str| {
        let request = stripe.http.get(&url).bearer_auth(key).header("stripe-version", version);
        request.send().await.unwrap().status()
    };
    assert_eq!(ask(KEY, API_VERSION).await, StatusCode::OK);
    assert_eq!(ask("sk_live_1", API_VERSION).await, StatusCode::UNAUTHORIZED);
    assert_eq!(ask("sk_test_", API_VERSION).await, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(KEY, "2020-08-27").await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_the_specification_does_not_know_is_refused() {
    let stripe = Stripe::up().await;
    let path = "/v1/billing/meter_events";
    let try_form = async |form: &[(&str, &str)]| stripe.posted(path, path, form, None).await;
    let whole = [("event_name", "m"), ("payload[value]", "1")];
    assert_eq!(try_form(&whole).await.0, 200);
    assert_eq!(code(&try_form(&whole[..1]).await), (400, "parameter_missing"));
    assert_eq!(code(&try_form(&[("event_name", "m"), ("payload", "1")]).await), (400, "parameter_invalid_string"));
    assert_eq!(code(&try_form(&[whole[0], whole[1], ("value", "1")]).await), (400, "parameter_unknown"));
    assert_eq!(code(&try_form(&[whole[0], whole[1], ("timestamp", "now")]).await), (400, "parameter_invalid_integer"));
    assert_eq!(code(&try_form(&[whole[0], whole[1], whole[1]]).await), (400, "parameter_invalid_duplicate"));
    assert_eq!(code(&try_form(&[whole[0], whole[1], ("payload[", "1")]).await), (400, "parameter_unknown"));
    let long = "x".repeat(101);
    assert_eq!(code(&try_form(&[whole[0], whole[1], ("identifier", &long)]).await), (400, "parameter_invalid_string"));
    assert_eq!(try_form(&[whole[0], whole[1], ("identifier", &long[1..])]).await.0, 200);
    assert_eq!(try_form(&[whole[0], whole[1], ("expand[]", "meter"), ("expand[1]", "x")]).await.0, 200);

    let url = format!("{}{path}", stripe.address);
    let json = stripe.http.post(url).bearer_auth(KEY).header("stripe-version", API_VERSION);
    let json = json.header("content-type", "application/json").body(r#"{"event_name":"m"}"#).send().await.unwrap();
    assert_eq!(json.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn meters_are_made_listed_stopped_and_started() {
    let stripe = Stripe::up().await;
    let first = stripe.meter("optline_minutes").await;
    let second = stripe.meter("optline_calls").await;
    let (path, template) = ("/v1/billing/meters", "/v1/billing/meters");
    let again = [("display_name", "x"), ("event_name", "optline_calls"), ("default_aggregation[formula]", "sum")];
    assert_eq!(code(&stripe.posted(path, template, &again, None).await), (400, "resource_already_exists"));
    let no_max = [("display_name", "x"), ("event_name", "y"), ("default_aggregation[formula]", "max")];
    assert_eq!(stripe.posted(path, template, &no_max, None).await.0, 400);

    let stop = format!("{path}/{first}/deactivate");
    let (_, stopped) = stripe.posted(&stop, "/v1/billing/meters/{id}/deactivate", &[], None).await;
    assert_eq!(stopped["status"], "inactive");
    let active = stripe.got("/v1/billing/meters?status=active", template).await.1;
    assert_eq!(active["data"].as_array().unwrap().iter().map(|m| &m["id"]).collect::<Vec<_>>(), [&json!(second)]);
    let start = format!("{path}/{first}/reactivate");
    assert_eq!(stripe.posted(&start, "/v1/billing/meters/{id}/reactivate", &[], None).await.1["status"], "active");
    let one = stripe.got("/v1/billing/meters?limit=1", template).await.1;
    assert_eq!((one["data"][0]["id"].as_str(), one["has_more"].as_bool()), (Some(second.as_str()), Some(true)));
    let rest = stripe.got(&format!("/v1/billing/meters?limit=1&starting_after={second}"), template).await.1;
    assert_eq!((rest["data"][0]["id"].as_str(), rest["has_more"].as_bool()), (Some(first.as_str()), Some(false)));
    assert_eq!(stripe.got("/v1/billing/meters?limit=101", template).await.0, 400);
    let rename = format!("{path}/{first}");
    let renamed = stripe.posted(&rename, "/v1/billing/meters/{id}", &[("display_name", "Minutes")], None).await.1;
    assert_eq!(renamed["display_name"], "Minutes");
    assert_eq!(stripe.got("/v1/billing/meters/mtr_none", "/v1/billing/meters/{id}").await.0, 404);
}

#[tokio::test]
async fn an_identifier_is_known_for_24_hours_and_then_forgotten() {
    let stripe = Stripe::up().await;
    let (meter, customer) = (stripe.meter("optline_minutes").await, stripe.customer("Blue Harbor").await);
    stripe.clock("2026-11-21T00:30:00Z").await;
    assert_eq!(stripe.send(&customer, "25", "one", None).await.0, 200);
    stripe.clock("2026-11-22T00:29:50Z").await;
    let again = stripe.send(&customer, "25", "one", Some("key-1")).await;
    assert_eq!(again.0, 400);
    assert_eq!(again.1["error"]["message"], "An event already exists with identifier one.");
    assert!((stripe.sum(&meter, &customer).await - 25.0).abs() < f64::EPSILON);
    stripe.clock("2026-11-22T00:30:01Z").await;
    assert_eq!(stripe.send(&customer, "25", "one", Some("key-2")).await.0, 200);
    assert!((stripe.sum(&meter, &customer).await - 50.0).abs() < f64::EPSILON, "that is the trap");
}

#[tokio::test]
async fn usage_is_of_the_past_35_days_or_5_minutes_ahead() {
    let stripe = Stripe::up().await;
    let customer = stripe.customer("Blue Harbor").await;
    stripe.clock("2026-11-21T00:00:00Z").await;
    let now: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
    let send = async |offset: SignedDuration, identifier: &str| {
        let at = (now + offset).as_second().to_string();
        stripe.event(&customer, "1", identifier, &at, None).await
    };
    let days = |days: i64| SignedDuration::from_hours(days * 24);
    assert_eq!(send(SignedDuration::from_secs(60) - days(35), "a").await.0, 200);
    assert_eq!(code(&send(-days(35) - SignedDuration::from_secs(1), "b").await), (400, "timestamp_too_far_in_past"));
    assert_eq!(send(SignedDuration::from_secs(299), "c").await.0, 200);
    assert_eq!(code(&send(SignedDuration::from_secs(330), "d").await), (400, "timestamp_in_future"));
    let many = stripe.send(&customer, "1234567890123456", "e", None).await;
    assert_eq!(code(&many), (400, "meter_event_value_too_many_digits"));
}

#[tokio::test]
async fn an_answer_is_kept_under_its_key_and_given_again_errors_of_the_server_included() {
    let stripe = Stripe::up().await;
    let (meter, customer) = (stripe.meter("optline_minutes").await, stripe.customer("Blue Harbor").await);
    stripe.clock("2026-11-21T00:30:00Z").await;
    let first = stripe.send(&customer, "25", "one", Some("key")).await;
    assert_eq!(stripe.send(&customer, "25", "one", Some("key")).await, first);
    let form = [("event_name", "optline_minutes"), ("payload[value]", "25")];
    let raw = stripe.post("/v1/billing/meter_events", &form, Some("key")).await;
    assert_eq!(raw.status(), 400);
    let other: Value = serde_json::from_str(&raw.text().await.unwrap()).unwrap();
    assert_eq!(other["error"]["type"], "idempotency_error");

    for (fault, there) in [("kept_error", 25.0), ("kept_error_after", 50.0)] {
        stripe.fault(fault, 0).await;
        assert_eq!(stripe.send(&customer, "25", fault, Some(fault)).await.0, 500);
        assert_eq!(stripe.send(&customer, "25", fault, Some(fault)).await.0, 500, "for a day");
        assert!((stripe.sum(&meter, &customer).await - there).abs() < f64::EPSILON, "{fault}");
    }
    stripe.clock("2026-11-22T00:30:05Z").await;
    assert_eq!(stripe.send(&customer, "25", "kept_error", Some("kept_error")).await.0, 200);
    // What was never begun is not kept.
    assert_eq!(stripe.send(&customer, "25", &"x".repeat(101), Some("fresh")).await.0, 400);
    assert_eq!(stripe.send(&customer, "25", "good", Some("fresh")).await.0, 200);
}

#[tokio::test]
async fn while_a_request_is_under_way_another_with_its_key_conflicts() {
    let stripe = Stripe::up().await;
    let customer = stripe.customer("Blue Harbor").await;
    stripe.fault("slow", 300).await;
    let slow = stripe.send(&customer, "1", "one", Some("key"));
    let quick = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        stripe.send(&customer, "1", "one", Some("key")).await
    };
    let (slow, quick) = tokio::join!(slow, quick);
    assert_eq!((slow.0, code(&quick)), (200, (409, "idempotency_key_in_use")));
    stripe.fault("conflict", 0).await;
    assert_eq!(stripe.send(&customer, "1", "two", Some("key-2")).await.0, 409);
    assert_eq!(stripe.send(&customer, "1", "two", Some("key-2")).await.0, 200);
    stripe.fault("rate_limited", 0).await;
    assert_eq!(code(&stripe.send(&customer, "1", "three", Some("key-3")).await), (429, "rate_limit"));
    assert_eq!(stripe.send(&customer, "1", "three", Some("key-3")).await.0, 200);
}

#[tokio::test]
async fn summaries_lag_are_cut_by_day_and_read_in_pages() {
    let stripe = Stripe::up().await;
    let (meter, customer) = (stripe.meter("optline_minutes").await, stripe.customer("Blue Harbor").await);
    stripe.control("stripe/settings", &json!({ "summary_lag_seconds": 3600 })).await;
    stripe.clock("2026-11-21T00:30:00Z").await;
    for (day, value) in [(18, "5"), (19, "7"), (20, "11"), (20, "2")] {
        let at: Timestamp = format!("2026-11-{day}T23:59:59Z").parse().unwrap();
        let identifier = format!("{day}-{value}");
        assert_eq!(stripe.event(&customer, value, &identifier, &at.as_second().to_string(), None).await.0, 200);
    }
    assert!(stripe.sum(&meter, &customer).await.abs() < f64::EPSILON, "not yet");
    stripe.clock("2026-11-21T01:30:30Z").await;
    let (meter, customer) = (MeterId::parse(&meter).unwrap(), CustomerId::parse(&customer).unwrap());
    let (from, to) = ("2026-11-18T00:00:00Z".parse().unwrap(), "2026-11-22T00:00:00Z".parse().unwrap());
    let found = stripe.client().event_summaries(&meter, &customer, from, to, Grouping::Days).await.unwrap();
    let days: Vec<_> = found.iter().map(|day| (day.from.to_string(), day.value.as_whole().unwrap())).collect();
    let expected = [("2026-11-20", 13), ("2026-11-19", 7), ("2026-11-18", 5)];
    assert_eq!(days, expected.map(|(day, value)| (format!("{day}T00:00:00Z"), value)));
    let template = "/v1/billing/meters/{id}/event_summaries";
    let path = format!("/v1/billing/meters/{meter}/event_summaries?customer={customer}&end_time=1795305600");
    let page = stripe.got(&format!("{path}&start_time=1794960000&value_grouping_window=day&limit=2"), template).await.1;
    assert_eq!((page["data"].as_array().unwrap().len(), &page["has_more"]), (2, &json!(true)));
    assert_eq!(stripe.got(&format!("{path}&start_time=1794960030"), template).await.0, 400);
    assert_eq!(stripe.got(&format!("{path}&start_time=1794960060&value_grouping_window=day"), template).await.0, 400);
    assert_eq!(stripe.got(&path, template).await.0, 400);
}

#[tokio::test]
async fn an_event_is_cancelled_within_24_hours() {
    let stripe = Stripe::up().await;
    let (meter, customer) = (stripe.meter("optline_minutes").await, stripe.customer("Blue Harbor").await);
    stripe.clock("2026-11-21T00:30:00Z").await;
    stripe.send(&customer, "25", "one", None).await;
    stripe.send(&customer, "5", "two", None).await;
    let path = "/v1/billing/meter_event_adjustments";
    let cancel = async |identifier: &str| {
        let form = [("event_name", "optline_minutes"), ("type", "cancel"), ("cancel[identifier]", identifier)];
        stripe.posted(path, path, &form, None).await
    };
    assert_eq!(cancel("one").await.1["status"], "pending");
    assert!((stripe.sum(&meter, &customer).await - 5.0).abs() < f64::EPSILON);
    assert_eq!(code(&cancel("one").await), (400, "resource_missing"));
    assert_eq!(code(&cancel("three").await), (400, "resource_missing"));
    stripe.clock("2026-11-22T00:31:00Z").await;
    assert_eq!(code(&cancel("two").await), (400, "meter_event_adjustment_too_late"));
}

#[tokio::test]
async fn the_products_client_sends_cancels_and_reads_back() {
    let stripe = Stripe::up().await;
    let meter = MeterId::parse(&stripe.meter("optline_minutes").await).unwrap();
    let customer = CustomerId::parse(&stripe.customer("Blue Harbor").await).unwrap();
    stripe.clock("2026-11-21T00:30:00Z").await;
    let client = stripe.client();
    let value = Amount::whole(25).unwrap();
    let event = MeterEvent {
        event_name: "optline_minutes",
        customer: &customer,
        value: &value,
        identifier: "use1-one",
        at: "2026-11-20T23:59:59Z".parse().unwrap(),
    };
    let sum = async || {
        let (from, to) = ("2026-11-20T00:00:00Z".parse().unwrap(), "2026-11-21T00:00:00Z".parse().unwrap());
        let found = client.event_summaries(&meter, &customer, from, to, Grouping::Days).await.unwrap();
        found.first().and_then(|day| day.value.as_whole()).unwrap_or(0)
    };
    // Done, and its answer lost: the next try of the same call hears what the first came to.
    stripe.fault("lost_answer", 0).await;
    assert!(matches!(client.send_meter_event(&event, "use1-one").await, Ok(Receipt::Received { .. })));
    assert_eq!(sum().await, 25);
    assert!(matches!(client.send_meter_event(&event, "use1-one.1").await, Ok(Receipt::AlreadyThere { .. })));
    for fault in ["rate_limited", "conflict", "error"] {
        stripe.fault(fault, 0).await;
        assert!(
            client
                .send_meter_event(&event, "use1-one.1")
                .await
                .is_ok_and(|r| matches!(r, Receipt::AlreadyThere { .. }))
        );
    }
    assert_eq!(sum().await, 25);

    // A failure that is kept: the key is spent, another one finds it done.
    stripe.fault("kept_error_after", 0).await;
    let second = MeterEvent { identifier: "use1-two", ..event };
    let error = client.send_meter_event(&second, "use1-two").await.unwrap_err();
    assert!(error.perhaps_done() && error.key_spent(), "{error}");
    assert!(matches!(client.send_meter_event(&second, "use1-two.1").await, Ok(Receipt::AlreadyThere { .. })));
    assert_eq!(sum().await, 50);

    client.cancel_meter_event("optline_minutes", "use1-two", "use1-two.cancel").await.unwrap();
    client.cancel_meter_event("optline_minutes", "use1-two", "use1-two.cancel").await.unwrap();
    assert_eq!(sum().await, 25);
    let gone = client.cancel_meter_event("optline_minutes", "use1-two", "another").await;
    assert!(matches!(gone, Err(StripeError::Refused { status: 400, .. })));
    let meters = client.meters().await.unwrap();
    assert_eq!((&meters[0].id, meters[0].active), (&meter, true));
    let unknown = MeterId::parse("mtr_none").unwrap();
    let (from, to) = (Timestamp::UNIX_EPOCH, "2026-11-21T00:00:00Z".parse().unwrap());
    let missing = client.event_summaries(&unknown, &customer, from, to, Grouping::Whole).await;
    assert!(matches!(missing, Err(StripeError::Refused { status: 404, .. })));
}

#[tokio::test]
async fn what_is_wrong_is_reported_later_announced_with_a_signature_and_told_whole() {
    type Heard = Arc<Mutex<Vec<(String, String)>>>;
    let stripe = Stripe::up().await;
    let meter = stripe.meter("optline_minutes").await;
    stripe.control("stripe/settings", &json!({ "report_delay_seconds": 600 })).await;
    stripe.clock("2026-11-21T00:30:00Z").await;
    assert_eq!(stripe.send("cus_none", "25", "no-customer", None).await.0, 200, "a 200 is no acceptance");
    assert_eq!(stripe.send("", "25", "unnamed", None).await.0, 200);
    let list = async || {
        let url = format!("{}/_standin/stripe/events", stripe.address);
        let answer = stripe.http.get(url).send().await.unwrap().text().await.unwrap();
        serde_json::from_str::<Vec<Value>>(&answer).unwrap()
    };
    assert_eq!(list().await.len(), 0);
    stripe.clock("2026-11-21T00:41:00Z").await;
    assert_eq!(list().await.len(), 2);
    let customer = stripe.customer("Blue Harbor").await;
    stripe.send(&customer, "many", "no-number", None).await;
    stripe.post(&format!("/v1/billing/meters/{meter}/deactivate"), &[], None).await;
    stripe.send(&customer, "25", "archived", None).await;
    let path = "/v1/billing/meter_events";
    let no_meter = [("event_name", "nothing"), ("payload[value]", "1"), ("identifier", "no-meter")];
    stripe.posted(path, path, &no_meter, None).await;

    let heard = Heard::default();
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/webhooks/stripe", listener.local_addr().unwrap());
    let hear = async |State(heard): State<Heard>, headers: HeaderMap, body: String| {
        let signature = headers["stripe-signature"].to_str().unwrap().to_owned();
        heard.lock().unwrap().push((signature, body));
    };
    let webhook = axum::Router::new().route("/webhooks/stripe", axum::routing::post(hear)).with_state(heard.clone());
    tokio::spawn(async { axum::serve(listener, webhook).await });
    let secrets = ["whsec_new", "whsec_old"];
    let settings = json!({ "report_delay_seconds": 0, "webhook": { "url": url, "secrets": secrets } });
    stripe.control("stripe/settings", &settings).await;
    stripe.clock("2026-11-21T01:00:00Z").await;
    let delivered = stripe.control("stripe/deliveries", &json!({})).await;
    assert!(delivered.as_array().unwrap().iter().all(|said| said["status"] == 200));
    assert_eq!(stripe.control("stripe/deliveries", &json!({})).await, json!([]), "each once");
    assert_eq!(stripe.control("stripe/deliveries", &json!({ "again": true })).await.as_array().unwrap().len(), 5);

    let (client, mut why) = (stripe.client(), Vec::new());
    for (header, body) in heard.lock().unwrap().iter().take(5) {
        for secret in secrets {
            let secrets = signature::Secrets::new(vec![secret.into()]);
            assert!(secrets.verify(Some(header), body.as_bytes(), crate::now()).is_ok());
        }
        let announced = error_report::Notification::read(body.as_bytes()).unwrap();
        assert_eq!(announced.report, None);
        why.push(announced);
    }
    let mut said = Vec::new();
    for announced in why {
        let whole = client.event(&announced.id).await.unwrap();
        assert_eq!((whole.about, &whole.meter, whole.created), (announced.about, &announced.meter, announced.created));
        assert_eq!(announced.about == About::NoMeterFound, announced.meter.is_none());
        let report = whole.report.unwrap();
        assert_eq!((report.refused.len(), report.unnamed), (1, 0));
        said.extend(report.refused.into_iter().map(|event| (event.identifier, event.why)));
    }
    let expected = [
        ("no-customer", Code::CustomerNotFound),
        ("unnamed", Code::NoCustomer),
        ("no-number", Code::InvalidValue),
        ("archived", Code::ArchivedMeter),
        ("no-meter", Code::NoMeter),
    ];
    assert_eq!(said, expected.map(|(identifier, why)| (identifier.to_owned(), why)));
    assert!(client.event(&EventId::parse("evt_none").unwrap()).await.is_err());
}

#[tokio::test]
async fn people_see_what_was_sent_by_customer_day_and_meter_and_markup_stays_text() {
    let stripe = Stripe::up().await;
    let page = async || {
        let page = stripe.http.get(format!("{}/stripe", stripe.address)).send().await.unwrap();
        page.text().await.unwrap()
    };
    assert!(page().await.contains("Nothing yet"));
    stripe.meter("optline_minutes").await;
    let customer = stripe.customer("Blue <Harbor>").await;
    stripe.clock("2026-11-21T00:30:00Z").await;
    stripe.send(&customer, "25", "one", None).await;
    stripe.send(&customer, "4", "two", None).await;
    stripe.send("cus_none", "4", "three", None).await;
    let page = page().await;
    for wanted in ["Blue &lt;Harbor&gt;", "2026-11-20", "optline_minutes", ">29<", "meter_event_customer_not_found"] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    assert!(!page.contains(KEY));
}
