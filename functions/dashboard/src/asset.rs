//! `dashboard-asset`: style sheet, script and icon, under names that change with their content.

use platform::edge::{Page, Visit};
use platform::{App, Error};

/// Answers with the file, to be kept for good.
#[expect(clippy::unused_async, reason = "a handler is async")]
pub async fn handle(_app: &App, visit: Visit) -> Result<Page, Error> {
    let asset = pages::assets::find(&visit.segment).ok_or(Error::NotFound)?;
    Ok(Page::inline(asset.content_type, asset.bytes.into_owned()).immutable())
}
