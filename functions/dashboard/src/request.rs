//! `dashboard-request`: one request with everything that is known of it. Every view is in the audit trail.

use domain::audit::Act;
use domain::reference::Reference;
use domain::role::Permission;
use pages::Section;
use platform::blob::RecordingPart;
use platform::edge::{Page, Visit};
use platform::session::{Allowed, SeeRequests};
use platform::ticket::random_token;
use platform::{App, Error};

use crate::case::{self, Case, Heard, Linked, RequestPage};
use crate::desk_texts::Texts;
use crate::links::{self, FileLink, RecordingLink};

/// Shows it.
pub async fn handle(app: &App, allowed: Allowed<SeeRequests>, visit: Visit) -> Result<Page, Error> {
    let reference = Reference::parse(&visit.segment).map_err(|_| Error::NotFound)?;
    let store = app.store.of(&allowed.tenant);
    let (opened, account) = store.case_or_binned(&reference).await?;
    let (binned, holds) = (opened.dossier.keeping.binned_on.is_some(), allowed.role.may(Permission::HoldRequests));
    // What lies in the recycle bin is there for nobody but those who may take it out.
    if binned && !holds {
        return Err(Error::NotFound);
    }
    // Nobody sees what could not be written down.
    let entry = case::entry(&allowed, &visit, Act::RequestViewed, &reference);
    // Whoever only reads answers nobody: what they saw is still new to the others.
    let read = if allowed.role.may(Permission::WorkRequests) { opened.dossier.unread } else { 0 };
    store.record_reading(&reference, read, &entry).await?;
    let case = Case::new(opened.dossier.clone(), account, allowed.tz(), visit.at)
        .map_err(Error::failed("reading the law's dates"))?;
    let texts = Texts::of(allowed.card.language);

    let tickets = app.tickets().await?;
    let expires = visit.at + links::LIVES;
    let mut heard = vec![];
    for spoken in &case.dossier.spoken {
        let Some(key) = store.recording_key(&opened, &spoken.recording) else { continue };
        let transcript = match app.blobs.recording(&key, RecordingPart::Transcript).await {
            Ok(transcript) => Some(String::from_utf8_lossy(&transcript).into_owned()),
            Err(Error::NotFound) => None,
            Err(error) => return Err(error),
        };
        let Some(call) = &case.dossier.call else { continue };
        let link =
            RecordingLink { reference: reference.clone(), call: call.clone(), recording: spoken.recording.clone() };
        let ticket = tickets.seal(links::RECORDING, allowed.id.as_str(), expires, &link)?;
        heard.push(Heard { src: format!("/dashboard/recording/{ticket}"), answers: spoken.answers, transcript });
    }
    let mut files = vec![];
    for file in &case.dossier.files {
        let link = FileLink { reference: reference.clone(), id: file.id.clone() };
        let ticket = tickets.seal(links::FILE, allowed.id.as_str(), expires, &link)?;
        files.push(Linked {
            id: file.id.clone(),
            href: format!("/dashboard/attachment/{ticket}"),
            name: file.name.clone(),
            size: file.size,
            by: case.who(texts, &file.by).to_owned(),
            at: file.at,
            shared: file.shared,
        });
    }
    let mut photos = vec![];
    for photo in &case.dossier.photos {
        let link = FileLink { reference: reference.clone(), id: photo.id.clone() };
        let ticket = tickets.seal(links::PHOTO, allowed.id.as_str(), expires, &link)?;
        photos.push((format!("/dashboard/attachment/{ticket}"), photo.at));
    }
    let page = RequestPage {
        frame: &allowed.frame(&visit, Section::Requests),
        case: &case,
        heard: &heard,
        files: &files,
        photos: &photos,
        works: allowed.role.may(Permission::WorkRequests) && !binned,
        exports: allowed.role.may(Permission::ExportRequests) && !binned,
        holds,
        done: case::done(allowed.card.language, visit.query.get("done")),
        message_id: &random_token()?,
        note_id: &random_token()?,
        file_id: &random_token()?,
    };
    Ok(Page::html(page.render()))
}
