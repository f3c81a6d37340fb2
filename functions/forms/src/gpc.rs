//! `forms-gpc`: says that the opt-out preference signal is honoured here.

use platform::edge::{Page, Visit};
use platform::{App, Error};
use serde::Serialize;

/// The support resource of the Global Privacy Control specification (W3C, "GPC Support Resource").
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Support {
    gpc: bool,
    /// The day on which this site last changed what it does about the signal.
    last_update: &'static str,
}

/// Answers with the support resource, which anybody may read.
#[expect(clippy::unused_async, reason = "a handler is async")]
pub async fn handle(_app: &App, _visit: Visit) -> Result<Page, Error> {
    let page = Page::json(&Support { gpc: true, last_update: "2026-11-22" })?;
    Ok(page.readable_by("*").with_header("cache-control", "public, max-age=86400"))
}
