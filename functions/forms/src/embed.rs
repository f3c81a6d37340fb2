//! `GET /forms/{code}/embed.js`: the script that puts the form into a business's own site.

use pages::embed::Script;
use platform::edge::{Page, Visit};
use platform::{App, Error};

use crate::site;

/// Gives the script that the address names by its content, for good; else the newest, for a short while.
#[expect(clippy::unused_async, reason = "a handler is async")]
pub async fn handle(app: &App, visit: Visit) -> Result<Page, Error> {
    let code = site::code_in(&visit.path).ok_or(Error::NotFound)?;
    let base_url = app.config.public_base_url()?;
    let named = Script::find(visit.query.get("v"), base_url, &code);
    let immutable = named.is_some();
    let script = named.unwrap_or_else(|| Script::newest(base_url, &code));
    let page = Page::text("text/javascript; charset=utf-8", script.text).readable_by("*");
    // Without its version in the address it may be another one tomorrow.
    let page = if immutable { page.immutable() } else { page.with_header("cache-control", "public, max-age=300") };
    Ok(page.tagged(visit.if_none_match.as_deref()))
}
