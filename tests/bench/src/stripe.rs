//! The Stripe stand-in, as many doors into it as there are processes.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::Response;
use domain::billing::Meter;
use futures::stream;
use jiff::Timestamp;
use partners::stripe::API_VERSION;
use serde_json::{Value, json};
use standins::twilio::{Account, Credentials};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Error;
use crate::gate::{Gate, Verdict};

/// What the functions sign in with.
const KEY: &str = "rk_test_bench";
/// What it signs its webhooks with.
pub const WEBHOOK_SECRET: &str = "whsec_bench";

/// A Stripe of its own.
#[derive(Debug)]
pub struct Stripe {
    http: reqwest::Client,
    address: String,
    app: Router,
    doors: Vec<JoinHandle<()>>,
}

/// What functions are told of it.
#[derive(Debug, Clone)]
pub struct Secret {
    /// As it lies in Secrets Manager.
    pub json: String,
    /// The meters' ids.
    pub meters: BTreeMap<Meter, String>,
}

/// A meter event, as Stripe has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Which meter's.
    pub event_name: String,
    /// The identifier.
    pub identifier: String,
    /// How much counts of it: nothing, where it was refused or cancelled.
    pub counts: u64,
}

impl Stripe {
    /// A Stripe that knows nothing yet.
    pub async fn open() -> Result<Self, Error> {
        let account = Account { account_sid: "AC1".into(), auth_token: "token".into() };
        let app = standins::app(Credentials::Given(account));
        let http = reqwest::Client::builder().no_proxy().build();
        let http = http.map_err(|error| Error::say("a client", "is not made", &error))?;
        let mut stripe = Self { http, address: String::new(), app, doors: Vec::new() };
        stripe.address = stripe.serve(stripe.app.clone()).await?;
        Ok(stripe)
    }

    /// The secret with which functions find all that is set up here, two meters included.
    pub async fn secret(&self) -> Result<Secret, Error> {
        let mut meters = BTreeMap::new();
        for meter in Meter::ALL {
            meters.insert(meter, self.meter(meter).await?);
        }
        let setup = |meter: &Meter| json!({ "event_name": event_name(*meter), "id": meters.get(meter) });
        let json = json!({
            "secret_key": KEY, "webhook_secrets": [WEBHOOK_SECRET],
            "meters": { "calls": setup(&Meter::Calls), "minutes": setup(&Meter::Minutes) },
        });
        Ok(Secret { json: json.to_string(), meters })
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.address
    }

    /// How many calls of functions it had.
    pub async fn calls(&self) -> Result<u64, Error> {
        let said = self.get("/_standin/requests").await?;
        let paths = said.as_array().into_iter().flatten().filter_map(|entry| entry.get("path")?.as_str());
        let of_functions = |path: &&str| path.contains("meter_event") || path.ends_with("event_summaries");
        Ok(u64::try_from(paths.filter(of_functions).count()).unwrap_or(u64::MAX))
    }

    /// An address at which every call waits at a gate first.
    pub async fn door(&mut self, gate: Gate) -> Result<String, Error> {
        let app = self.app.clone().layer(middleware::from_fn_with_state(gate, gated));
        self.serve(app).await
    }

    async fn serve(&mut self, app: Router) -> Result<String, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = format!("http://{}", listener.local_addr()?);
        self.doors.push(tokio::spawn(async move { drop(axum::serve(listener, app).await) }));
        Ok(address)
    }

    /// What time it is there.
    pub async fn now(&self) -> Result<Timestamp, Error> {
        let said = self.get("/_standin/stripe/clock").await?;
        let at = said.get("now").and_then(Value::as_str).and_then(|at| at.parse().ok());
        at.ok_or_else(|| Error::say("the stand-in's clock", "is not read", &said))
    }

    /// Moves its clock.
    pub async fn set(&self, at: Timestamp) -> Result<(), Error> {
        self.post("/_standin/stripe/clock", &json!({ "at": at })).await
    }

    /// How long summaries and refusals take, in seconds.
    pub async fn settle(&self, summary_lag: u64, report_delay: u64) -> Result<(), Error> {
        let settings = json!({ "summary_lag_seconds": summary_lag, "report_delay_seconds": report_delay });
        self.post("/_standin/stripe/settings", &settings).await
    }

    /// The next call to a path goes wrong in this way.
    pub async fn plan(&self, path: &str, fault: &str) -> Result<(), Error> {
        self.post("/_standin/faults", &json!({ "path": path, "fault": fault })).await
    }

    /// Nothing goes wrong any more.
    pub async fn calm(&self) -> Result<(), Error> {
        self.delete("/_standin/faults").await
    }

    /// Forgets everything but customers and meters.
    pub async fn forget(&self) -> Result<(), Error> {
        self.delete("/_standin/stripe/meter_events").await
    }

    async fn meter(&self, meter: Meter) -> Result<String, Error> {
        let (name, display) = (event_name(meter), format!("Hotline {}", meter.code()));
        let form = [
            ("display_name", display.as_str()),
            ("event_name", name),
            ("default_aggregation[formula]", "sum"),
            ("customer_mapping[type]", "by_id"),
            ("customer_mapping[event_payload_key]", "stripe_customer_id"),
            ("value_settings[event_payload_key]", "value"),
        ];
        self.made("/v1/billing/meters", &form).await
    }

    /// A customer; returns the id.
    pub async fn customer(&self, name: &str) -> Result<String, Error> {
        self.made("/v1/customers", &[("name", name)]).await
    }

    /// Whether a meter takes events; where not, they are refused after their 200.
    pub async fn activate(&self, meter: &str, active: bool) -> Result<(), Error> {
        let what = if active { "reactivate" } else { "deactivate" };
        self.form(&format!("/v1/billing/meters/{meter}/{what}"), &[]).await.map(|_| ())
    }

    /// Every refusal that is known by now, as it is told to a webhook.
    pub async fn reports(&self) -> Result<Vec<Value>, Error> {
        let said = self.get("/_standin/stripe/events").await?;
        let whole = |report: &Value| {
            let mut event = report.get("event").cloned()?;
            event.as_object_mut()?.remove("data");
            Some(event)
        };
        Ok(said.as_array().into_iter().flatten().filter_map(whole).collect())
    }

    /// Everything it received.
    pub async fn received(&self) -> Result<Vec<Received>, Error> {
        let said = self.get("/_standin/stripe/meter_events").await?;
        let text = |event: &Value, name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let read = |event: &Value| {
            let cancelled = event.get("cancelled").is_some_and(|at| !at.is_null());
            let value = event.pointer("/payload/value").and_then(Value::as_str).and_then(|value| value.parse().ok());
            let counts = event.get("counts").is_some_and(|counts| !counts.is_null()) && !cancelled;
            Received {
                event_name: text(event, "event_name"),
                identifier: text(event, "identifier"),
                counts: value.filter(|_| counts).unwrap_or_default(),
            }
        };
        Ok(said.as_array().into_iter().flatten().map(read).collect())
    }

    async fn made(&self, path: &str, form: &[(&str, &str)]) -> Result<String, Error> {
        let made = self.form(path, form).await?;
        let id = made.get("id").and_then(Value::as_str).map(str::to_owned);
        id.ok_or_else(|| Error::say(path, "makes nothing", &made))
    }

    async fn form(&self, path: &str, form: &[(&str, &str)]) -> Result<Value, Error> {
        let request = self.http.post(format!("{}{path}", self.address)).bearer_auth(KEY);
        read(path, request.header("stripe-version", API_VERSION).form(form)).await
    }

    async fn get(&self, path: &str) -> Result<Value, Error> {
        read(path, self.http.get(format!("{}{path}", self.address))).await
    }

    async fn delete(&self, path: &str) -> Result<(), Error> {
        read(path, self.http.delete(format!("{}{path}", self.address))).await.map(|_| ())
    }

    async fn post(&self, path: &str, body: &Value) -> Result<(), Error> {
        let request = self.http.post(format!("{}{path}", self.address));
        read(path, request.header("content-type", "application/json").body(body.to_string())).await.map(|_| ())
    }
}

impl Drop for Stripe {
    fn drop(&mut self) {
        for door in &self.doors {
            door.abort();
        }
    }
}

async fn read(path: &str, request: reqwest::RequestBuilder) -> Result<Value, Error> {
    let refused = |error: reqwest::Error| Error::say(path, "gets no answer", &error);
    let response = request.send().await.map_err(refused)?;
    let status = response.status();
    let body = response.bytes().await.map_err(refused)?;
    if status != StatusCode::OK && status != StatusCode::NO_CONTENT {
        return Err(Error::say(path, &format!("is answered {status}"), &String::from_utf8_lossy(&body)));
    }
    Ok(serde_json::from_slice(&body).unwrap_or_default())
}

/// What a meter's events are called.
#[must_use]
pub fn event_name(meter: Meter) -> &'static str {
    match meter {
        Meter::Calls => "hotline_calls",
        Meter::Minutes => "hotline_minutes",
    }
}

/// What a call is, as the faults and the trace name it.
fn kind(request: &Request) -> String {
    let path = request.uri().path();
    let named = ["meter_events", "meter_event_adjustments", "event_summaries"];
    let what = named.into_iter().find(|what| path.ends_with(what)).unwrap_or(path);
    format!("stripe:{what}")
}

async fn gated(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    match gate.pass(&kind(&request)).await {
        Verdict::Pass => next.run(request).await,
        Verdict::Refuse(_) => {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            response
        }
        Verdict::LoseAnswer => {
            next.run(request).await;
            // A body that fails before its first byte: the server drops the connection with nothing sent.
            let lost = stream::iter([Err::<Vec<u8>, _>(io::Error::other("the answer is lost"))]);
            Response::new(Body::from_stream(lost))
        }
        Verdict::DoneInSilence(told) => {
            next.run(request).await;
            let _ = told.send(());
            std::future::pending().await
        }
    }
}
