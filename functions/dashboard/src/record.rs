//! `dashboard-record`: one request as a document, for counsel or a regulator.

use domain::audit::Act;
use domain::intake::Requester;
use domain::reference::Reference;
use pages::words;
use paper::{Attachment, Entry, Note, Person, Record};
use platform::edge::{Page, Visit};
use platform::session::{Allowed, ExportRequests};
use platform::store::WebForm;
use platform::{App, Error};

use crate::case::{self, Case};
use crate::desk_texts::Texts;

/// Gives the document.
pub async fn handle(app: &App, allowed: Allowed<ExportRequests>, visit: Visit) -> Result<Page, Error> {
    let reference = Reference::parse(&visit.segment).map_err(|_| Error::NotFound)?;
    let store = app.store.of(&allowed.tenant);
    let (opened, account) = store.case(&reference).await?;
    let language = allowed.card.language;
    let case =
        Case::new(opened.dossier, account, allowed.tz(), visit.at).map_err(Error::failed("reading the law's dates"))?;
    let texts = Texts::of(language);
    let dossier = &case.dossier;
    let happened = |event| {
        let (who, what, why) = case.happened(language, event);
        Entry { at: event.at, who, what, why }
    };
    let record = Record {
        business: case.account.profile.name.clone(),
        time_zone: allowed.tz(),
        reference: reference.clone(),
        kind: dossier.kind,
        state: dossier.progress.state,
        channel: dossier.channel,
        service_code: Some(dossier.code.as_str().to_owned()),
        received_at: dossier.received_at,
        clocks: dossier.clocks.clone(),
        confirmed_at: dossier.confirmed.as_ref().map(|(at, _)| *at),
        answered_on: dossier.closed.as_ref().map(|closed| closed.on),
        asked_by: dossier.web.as_ref().and_then(|web| asked_by(texts, web)),
        person: Person {
            name: dossier.person.name.clone(),
            phone: dossier.person.phone.clone(),
            email: dossier.person.email.clone(),
        },
        details: dossier.person.details.clone(),
        residence: dossier.residence.map(|it| words::jurisdiction(language, it).to_owned()),
        outcome: dossier.closed.as_ref().map(|closed| case::outcome(language, closed.outcome).to_owned()),
        ground: dossier.closed.as_ref().and_then(|it| it.ground).map(|it| case::ground(language, it)),
        timeline: dossier.events.iter().map(happened).collect(),
        notes: dossier
            .notes
            .iter()
            .map(|note| Note {
                at: note.at,
                who: case.who(texts, &note.by).to_owned(),
                text: readable(note.text.as_ref(), texts.note_unreadable),
            })
            .collect(),
        messages: dossier
            .messages
            .iter()
            .map(|message| Note {
                at: message.at,
                who: case.author(texts, &message.from).to_owned(),
                text: case.said(texts, message),
            })
            .collect(),
        attachments: dossier
            .files
            .iter()
            .map(|file| Attachment {
                name: readable(file.name.as_ref(), texts.file_unreadable),
                content_type: file.content_type.clone(),
                size: file.size,
                sha256: file.sha256,
            })
            .collect(),
        made_at: visit.at,
        made_by: allowed.card.user_name.clone(),
    };
    let pdf = record.render(language).map_err(Error::failed("making a document"))?;
    let entry = case::entry(&allowed, &visit, Act::RecordExported, &reference);
    store.record(&entry).await?;
    Ok(Page::download("application/pdf", &format!("request-{}.pdf", reference.as_str()), pdf))
}

/// Who asked for the person, if somebody did.
fn asked_by(texts: &Texts, web: &WebForm) -> Option<String> {
    let role = match web.requester {
        Requester::Myself => return None,
        Requester::Agent => texts.for_agent,
        Requester::Parent => texts.for_parent,
    };
    let named = [&web.agent_name, &web.agent_company, &web.agent_email].into_iter().flatten().map(String::as_str);
    Some([role].into_iter().chain(named).collect::<Vec<_>>().join(", "))
}

/// What was opened, or words where it cannot be any more.
fn readable(text: Option<&String>, otherwise: &str) -> String {
    text.map_or_else(|| otherwise.to_owned(), String::clone)
}
