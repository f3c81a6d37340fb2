//! What Stripe refused after its 200: kept as events, announced to a webhook, told whole to whoever asks.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use partners::stripe::signature;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Stripe, missing};
use crate::{lock, now};

/// Where a webhook is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Its address.
    pub url: String,
    /// Its secrets, `whsec_…`: more than one while they are rolled.
    pub secrets: Vec<String>,
}

/// One refusal.
#[derive(Clone)]
pub(super) struct Report {
    id: String,
    meter: Option<String>,
    code: &'static str,
    identifier: String,
    /// When Stripe says it.
    due: Timestamp,
    deliveries: u32,
}

impl Report {
    pub(super) fn new(id: String, meter: Option<String>, code: &'static str, identifier: &str, due: Timestamp) -> Self {
        Self { id, meter, code, identifier: identifier.to_owned(), due, deliveries: 0 }
    }

    /// What a webhook is sent: no more than what it is about.
    fn announcement(&self) -> Value {
        let (kind, related) = match &self.meter {
            Some(id) => {
                let url = format!("/v1/billing/meters/{id}");
                ("v1.billing.meter.error_report_triggered", json!({ "id": id, "type": "billing.meter", "url": url }))
            }
            None => ("v1.billing.meter.no_meter_found", Value::Null),
        };
        json!({
            "id": self.id, "object": "v2.core.event", "type": kind, "context": null, "created": self.due,
            "livemode": false, "reason": null, "related_object": related,
        })
    }

    fn whole(&self) -> Value {
        let data = json!({
            "developer_message_summary": "There is 1 invalid event",
            "reason": { "error_count": 1, "error_types": [{
                "code": self.code, "error_count": 1,
                "sample_errors": [{ "error_message": self.code, "request": { "identifier": self.identifier } }],
            }] },
            "validation_start": self.due, "validation_end": self.due,
        });
        let mut event = self.announcement();
        if let Some(event) = event.as_object_mut() {
            event.insert("data".into(), data);
        }
        event
    }
}

pub(super) async fn event(State(stripe): State<Arc<Stripe>>, Path(id): Path<String>) -> Response {
    let kept = lock(&stripe.kept);
    match kept.reports.iter().find(|report| report.id == id && report.due <= kept.now()) {
        Some(report) => Json(report.whole()).into_response(),
        None => missing("event", &id),
    }
}

pub(super) async fn list(State(stripe): State<Arc<Stripe>>) -> Json<Value> {
    let kept = lock(&stripe.kept);
    let due = kept.reports.iter().filter(|report| report.due <= kept.now());
    let shown = due.map(|report| json!({ "deliveries": report.deliveries, "event": report.whole() }));
    Json(shown.collect())
}

/// How reports are delivered.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Delivery {
    /// Also what was delivered before.
    #[serde(default)]
    again: bool,
    /// Signed at another time than now.
    #[serde(default)]
    signed_at: Option<Timestamp>,
}

/// Sends what is due, one after the other; answers with what the webhook said to each.
pub(super) async fn deliver(State(stripe): State<Arc<Stripe>>, Json(how): Json<Delivery>) -> Json<Value> {
    let (endpoint, due) = {
        let kept = lock(&stripe.kept);
        let wanted = |report: &&Report| report.due <= kept.now() && (how.again || report.deliveries == 0);
        (kept.settings.webhook.clone(), kept.reports.iter().filter(wanted).cloned().collect::<Vec<_>>())
    };
    let Some(endpoint) = endpoint else { return Json(json!([])) };
    let secrets: Vec<&str> = endpoint.secrets.iter().map(String::as_str).collect();
    let mut said = Vec::new();
    for report in due {
        let body = report.announcement().to_string();
        let signature = signature::sign(&secrets, how.signed_at.unwrap_or_else(now), body.as_bytes());
        let request = client(&endpoint.url).map(|client| {
            let request = client.post(&endpoint.url).header("Stripe-Signature", signature);
            request.header("content-type", "application/json; charset=utf-8").body(body)
        });
        let status = match request {
            Ok(request) => request.send().await.map_or(0, |response| response.status().as_u16()),
            Err(_) => 0,
        };
        if (200..300).contains(&status)
            && let Some(kept) = lock(&stripe.kept).reports.iter_mut().find(|kept| kept.id == report.id)
        {
            kept.deliveries += 1;
        }
        said.push(json!({ "event": report.id, "status": status }));
    }
    Json(Value::Array(said))
}

/// Every name below `localhost` is this machine (RFC 6761), which browsers know and not every resolver does.
fn client(url: &str) -> reqwest::Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder().no_proxy();
    if let Some(host) = reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned))
        && host.ends_with(".localhost")
    {
        builder = builder.resolve(&host, std::net::SocketAddr::from(([127, 0, 0, 1], 0)));
    }
    builder.build()
}
