//! `dashboard-attachment`: a file of a request, to be saved; never shown in our own origin.

use domain::audit::Act;
use platform::edge::{Page, Visit};
use platform::file_type::FileType;
use platform::session::{Allowed, SeeRequests};
use platform::{App, Error};

use crate::case;

use crate::links::{self, FileLink};

/// Gives the file.
pub async fn handle(app: &App, allowed: Allowed<SeeRequests>, visit: Visit) -> Result<Page, Error> {
    let tickets = app.tickets().await?;
    let link: FileLink = tickets.open(links::FILE, allowed.id.as_str(), visit.at, &visit.segment)?;
    let store = app.store.of(&allowed.tenant);
    let key = store.attachment_key(&link.reference, &link.id).await?;
    let file = store.file(&key).await?;
    let bytes = app.blobs.attachment(&key, &file.sha256).await?;
    let entry = case::entry(&allowed, &visit, Act::AttachmentOpened, &link.reference).with("file", &link.id);
    store.record(&entry).await?;
    let name = FileType::file_name(&file.content_type, file.name.as_deref().unwrap_or(&link.id));
    Ok(Page::download(FileType::named(&file.content_type), &name, bytes))
}
