//! What Stripe was sent, for people: by customer, day and meter.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Html;
use maud::{DOCTYPE, PreEscaped, html};
use serde_json::Value;

use super::{Kept, MeterEvent, Stripe, day_of};
use crate::lock;

/// The newest days that are shown of a customer.
const MOST_DAYS: usize = 62;

pub(super) async fn page(State(stripe): State<Arc<Stripe>>) -> Html<String> {
    let kept = lock(&stripe.kept);
    let mut customers: BTreeMap<String, BTreeMap<String, BTreeMap<&str, Vec<&MeterEvent>>>> = BTreeMap::new();
    for event in &kept.events {
        let days = customers.entry(customer(&kept, event)).or_default();
        days.entry(day_of(event.timestamp)).or_default().entry(&event.event_name).or_default().push(event);
    }
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="refresh" content="5";
                title { "Stripe, on this machine" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { "What Stripe was sent" }
                    p {
                        "Its clock says " (kept.now().strftime("%Y-%m-%d %H:%M UTC")) ". "
                        (kept.events.len()) " meter events, " (kept.reports.len()) " refused after they were received."
                    }
                    @if customers.is_empty() {
                        p { "Nothing yet: usage is sent for a day when it is over." }
                    }
                    @for (customer, days) in &customers {
                        h2 { (customer) }
                        table {
                            thead { tr {
                                th scope="col" { "Day" } th scope="col" { "Meter" } th scope="col" { "Counts" }
                                th scope="col" { "Meter events" }
                            } }
                            tbody {
                                @for (day, meters) in days.iter().rev().take(MOST_DAYS) {
                                    @for (meter, events) in meters {
                                        tr {
                                            th scope="row" { (day) }
                                            td { (meter) }
                                            td.number { (counts(events)) }
                                            td { @for event in events { div { (said(event)) } } }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    Html(page.into_string())
}

/// The customer's name and id; of an event that names none, so.
fn customer(kept: &Kept, event: &MeterEvent) -> String {
    let id = event.payload.get("stripe_customer_id").and_then(Value::as_str).unwrap_or("No customer");
    let name = kept.customers.get(id).and_then(|customer| customer.get("name")).and_then(Value::as_str);
    name.map_or_else(|| id.to_owned(), |name| format!("{name} ({id})"))
}

fn counts(events: &[&MeterEvent]) -> f64 {
    let counted = events.iter().filter(|event| event.cancelled.is_none()).filter_map(|event| event.counts.as_ref());
    counted.map(|counts| counts.value).sum()
}

fn said(event: &MeterEvent) -> String {
    let value = event.payload.get("value").and_then(Value::as_str).unwrap_or("?");
    let fate = match (event.refused, event.cancelled) {
        (Some(code), _) => format!(", refused: {code}"),
        (None, Some(at)) => format!(", cancelled {}", at.strftime("%Y-%m-%d %H:%M")),
        (None, None) => String::new(),
    };
    format!("{value}, received {}{fate}, {}", event.received.strftime("%Y-%m-%d %H:%M"), event.identifier)
}

const STYLE: &str = "body{margin:0;font:16px/1.5 system-ui,sans-serif;color:#1b1b2b;background:#f4f5fb}\
    main{max-width:72rem;margin:2rem auto;padding:0 1rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}\
    table{border-collapse:collapse;width:100%;background:#fff}th,td{text-align:left;vertical-align:top;padding:.4rem .7rem;\
    border-bottom:1px solid #d5d7e6}tbody th{font-weight:400;white-space:nowrap}.number{text-align:right;font-variant-numeric:tabular-nums}\
    td div{overflow-wrap:anywhere}";
