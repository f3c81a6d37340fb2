//! `GET /status/file/{ticket}`: a file that was prepared for whoever made the request, to be saved.
//!
//! The link is good for ten minutes, for this request, in the browser that has shown that the request is theirs.

use domain::audit::Act;
use jiff::SignedDuration;
use platform::edge::{Page, Visit};
use platform::file_type::FileType;
use platform::{App, Error};
use serde::{Deserialize, Serialize};

use crate::whose;

/// How long a link lives.
pub(crate) const LIVES: SignedDuration = SignedDuration::from_mins(10);
/// The purpose of the links.
pub(crate) const PURPOSE: &str = "case-file";

/// Which file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FileLink {
    pub(crate) id: String,
}

/// Gives the file.
pub async fn handle(app: &App, visit: Visit) -> Result<Page, Error> {
    let Some(proven) = app.proven(&visit).await? else { return Ok(Page::to("/status/identity")) };
    let link: FileLink = app.tickets().await?.open(PURPOSE, &proven.context(), visit.at, &visit.segment)?;
    let store = app.store.of(&proven.tenant);
    let key = store.attachment_key(&proven.reference, &link.id).await?;
    let file = store.shared_file(&key).await?;
    let bytes = app.blobs.attachment(&key, &file.sha256).await?;
    store.record(&whose::entry(&visit, &proven, Act::FileTaken).with("file", &link.id)).await?;
    let name = FileType::file_name(&file.content_type, file.name.as_deref().unwrap_or(&link.id));
    Ok(Page::download(FileType::named(&file.content_type), &name, bytes))
}
