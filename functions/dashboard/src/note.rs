//! `dashboard-note`: writes a note beside a request.

use domain::FieldError;
use domain::audit::Act;
use domain::intake::is_form_id;
use domain::personal::PersonalText;
use domain::reference::Reference;
use maud::{Markup, html};
use pages::form::Button;
use pages::show::{Card, Heading};
use pages::{Frame, Section, fill};
use platform::edge::{Page, Visit};
use platform::session::{Allowed, WorkRequests};
use platform::store::Added;
use platform::ticket::random_token;
use platform::{App, Error};

use crate::case;
use crate::desk_texts::Texts;

/// Writes it once, however often the form is sent.
pub async fn handle(app: &App, allowed: Allowed<WorkRequests>, visit: Visit) -> Result<Page, Error> {
    let reference = Reference::parse(&visit.segment).map_err(|_| Error::NotFound)?;
    let id = visit.form.get("id");
    if !is_form_id(id) {
        return Err(Error::StaleForm);
    }
    let typed = visit.form.get("note");
    let frame = allowed.frame(&visit, Section::Requests);
    let texts = Texts::of(frame.language);
    let Ok(note) = PersonalText::parse(typed) else {
        return Ok(Page::invalid(again(&frame, &reference, id, typed, texts.new_text_wrong)));
    };
    let entry = case::entry(&allowed, &visit, Act::NoteAdded, &reference);
    let added = app.store.of(&allowed.tenant).add_note(&reference, id, &allowed.user, &note, &entry).await?;
    let reason = match added {
        Added::Done(()) => return Ok(done(&reference)),
        Added::Other => texts.note_other,
        Added::Full => texts.notes_full,
    };
    // What was typed goes with another id, so that it is a note of its own.
    Ok(Page::html(again(&frame, &reference, &random_token()?, typed, reason)).with_status(409))
}

fn done(reference: &Reference) -> Page {
    Page::to(format!("/dashboard/request/{}?done=note#notes", reference.as_str()))
}

/// The form with what was typed and what is wrong with it.
fn again(frame: &Frame, reference: &Reference, id: &str, typed: &str, reason: &str) -> Markup {
    let texts = Texts::of(frame.language);
    let errors = [FieldError::new("note", reason)];
    let request = format!("/dashboard/request/{}", reference.as_str());
    let name = fill(texts.request, &[("reference", &reference.to_string())]);
    let main = html! {
        (Heading::new(texts.add_note).above(frame.language, &[("/dashboard/requests", texts.inbox), (&request, &name)]))
        (Card::new(texts.note).body(case::note_form(frame, reference, id, typed, &errors)))
        p { (Button::quiet(texts.back_to_request).to(request.as_str())) }
    };
    pages::page(frame, texts.add_note, &main)
}
