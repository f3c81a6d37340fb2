//! `dashboard-attachment`: a file of a request, to be saved; never shown in our own origin.
//!
//! A photo of an identity document is given here and nowhere else. It came straight from somebody's browser, so what it
//! is, is checked here: the function that signed its form could not read it.

use domain::audit::Act;
use platform::blob::UploadId;
use platform::edge::{Page, Visit};
use platform::file_type::FileType;
use platform::session::{Allowed, SeeRequests};
use platform::{App, Error};

use crate::case;
use crate::desk_texts::Texts;

use crate::links::{self, FileLink};

/// Gives the file.
pub async fn handle(app: &App, allowed: Allowed<SeeRequests>, visit: Visit) -> Result<Page, Error> {
    let tickets = app.tickets().await?;
    if let Ok(link) = tickets.open(links::PHOTO, allowed.id.as_str(), visit.at, &visit.segment) {
        return photo(app, &allowed, &visit, &link).await;
    }
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

/// Gives a photo of an identity document, if it is a picture or a PDF by its content, and still with the request.
async fn photo(app: &App, allowed: &Allowed<SeeRequests>, visit: &Visit, link: &FileLink) -> Result<Page, Error> {
    let id = UploadId::parse(&link.id).ok_or(Error::NotFound)?;
    let bytes = app.blobs.photo(&id).await?;
    let entry = case::entry(allowed, visit, Act::AttachmentOpened, &link.reference).with("photo", &link.id);
    app.store.of(&allowed.tenant).record(&entry).await?;
    let texts = Texts::of(allowed.card.language);
    let kind = FileType::of_photo(&bytes).ok_or_else(|| Error::invalid("photo", texts.photo_not_one))?;
    let name = FileType::file_name(kind.media_type(), texts.photo_name);
    Ok(Page::download(kind.media_type(), &name, bytes))
}
