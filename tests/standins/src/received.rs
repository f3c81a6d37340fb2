//! What the stand-ins were sent: kept so that a test can ask and a person can look.

use std::collections::VecDeque;
use std::fmt::Write as _;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::Html;
use serde::{Deserialize, Serialize};

use crate::faults::{Fault, Kind};
use crate::{Desk, lock, now};

/// How many requests are remembered.
const MOST: usize = 2_000;
/// How much of a text body is remembered.
const LONGEST_BODY: usize = 4_096;

/// One request as it came in. Its `Authorization` header is not kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Counts up from 1.
    pub number: u64,
    /// When it came, in UTC.
    pub at: jiff::Timestamp,
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The raw query.
    pub query: String,
    /// Its `Content-Type`, or nothing.
    pub content_type: String,
    /// The fields of a form.
    pub form: Vec<(String, String)>,
    /// The beginning of a body that is text and not a form.
    pub body: String,
    /// The body's size in bytes.
    pub bytes: usize,
    /// The disturbance that met it.
    pub fault: Option<Kind>,
    /// The status it was answered with; 0 while under way.
    pub status: u16,
}

/// The requests remembered, oldest first.
#[derive(Default)]
pub(crate) struct Received {
    count: u64,
    entries: VecDeque<Entry>,
}

impl Received {
    pub(crate) fn add(&mut self, parts: &Parts, body: &[u8], fault: Option<&Fault>) -> u64 {
        self.count += 1;
        let content_type =
            parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_form = content_type.starts_with("application/x-www-form-urlencoded");
        let text = std::str::from_utf8(body).unwrap_or_default();
        self.entries.push_back(Entry {
            number: self.count,
            at: now(),
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            content_type: content_type.to_owned(),
            form: if is_form { form_urlencoded::parse(body).into_owned().collect() } else { Vec::new() },
            body: if is_form { String::new() } else { text.chars().take(LONGEST_BODY).collect() },
            bytes: body.len(),
            fault: fault.map(|fault| fault.fault),
            status: 0,
        });
        if self.entries.len() > MOST {
            self.entries.pop_front();
        }
        self.count
    }

    pub(crate) fn answered(&mut self, number: u64, status: u16) {
        if let Some(entry) = self.entries.iter_mut().rev().find(|entry| entry.number == number) {
            entry.status = status;
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Wanted {
    /// Only requests after this number.
    #[serde(default)]
    after: u64,
    /// Only paths that contain this.
    #[serde(default)]
    path: String,
}

pub(crate) async fn list(State(desk): State<Desk>, Query(wanted): Query<Wanted>) -> Json<Vec<Entry>> {
    let received = lock(&desk.received);
    let fits = |entry: &&Entry| entry.number > wanted.after && entry.path.contains(&wanted.path);
    Json(received.entries.iter().filter(fits).cloned().collect())
}

/// The same for a person: the newest first.
pub(crate) fn page(desk: &Desk) -> Html<String> {
    let received = lock(&desk.received);
    let mut rows = String::new();
    for entry in received.entries.iter().rev().take(200) {
        let sent = if entry.form.is_empty() {
            entry.body.clone()
        } else {
            entry.form.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("\n")
        };
        let question = if entry.query.is_empty() { "" } else { "?" };
        let address = format!("{} {}{question}{}", entry.method, entry.path, entry.query);
        let answer = match entry.fault {
            Some(fault) => format!("{} ({fault:?})", entry.status),
            None => entry.status.to_string(),
        };
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td>{}</td><td><code>{}</code></td><td>{}</td><td><pre>{}</pre></td></tr>",
            entry.number,
            entry.at.strftime("%H:%M:%S"),
            escape(&address),
            escape(&answer),
            escape(&sent)
        );
    }
    if rows.is_empty() {
        rows.push_str("<tr><td colspan=5>Nothing yet. Place a call with <code>make call</code>.</td></tr>");
    }
    Html(format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta http-equiv=refresh content=5><title>Partner stand-ins</title>\
         <style>body{{font:16px/1.5 system-ui,sans-serif;margin:2rem;color:#1b1b1b;background:#fff}}\
         table{{border-collapse:collapse;width:100%}}td,th{{text-align:left;vertical-align:top;padding:.3rem .6rem;\
         border-bottom:1px solid #ccc}}pre{{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}}\
         code{{overflow-wrap:anywhere}}</style>\
         <h1>What the partners were sent</h1><p>Requests since the start: {}. The newest 200 are shown; all that are kept are at \
         <a href=\"/_standin/requests\">/_standin/requests</a>.</p>\
         <table><thead><tr><th>No.<th>UTC<th>Request<th>Answer<th>Sent</tr></thead><tbody>{rows}</tbody></table></html>",
        received.count
    ))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
