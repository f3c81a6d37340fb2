//! `dashboard-attach`: keeps a file with a request, sealed under the request's key.

use domain::FieldError;
use domain::audit::Act;
use domain::intake::is_form_id;
use domain::personal::PersonalText;
use domain::reference::Reference;
use maud::{Markup, html};
use pages::form::Button;
use pages::show::{Card, Heading};
use pages::{Frame, Section, fill};
use platform::edge::{File, Page, Visit};
use platform::file_type::{self, FileType, Unfit};
use platform::session::{Allowed, WorkRequests};
use platform::store::{Added, NewFile};
use platform::ticket::random_token;
use platform::{App, Error};

use crate::case;
use crate::desk_texts::Texts;

/// Stores the file first and notes it last, so that nothing is listed that is not there.
pub async fn handle(app: &App, allowed: Allowed<WorkRequests>, visit: Visit) -> Result<Page, Error> {
    let reference = Reference::parse(&visit.segment).map_err(|_| Error::NotFound)?;
    let id = visit.form.get("id");
    if !is_form_id(id) {
        return Err(Error::StaleForm);
    }
    let frame = allowed.frame(&visit, Section::Requests);
    let texts = Texts::of(frame.language);
    let (file, kind, name) = match chosen(&visit, texts) {
        Ok(Some(checked)) => checked,
        Ok(None) => return Ok(Page::invalid(again(&frame, &reference, id, texts.file_none))),
        Err(reason) => return Ok(Page::invalid(again(&frame, &reference, id, reason))),
    };
    let store = app.store.of(&allowed.tenant);
    let key = store.new_attachment_key(&reference, id).await?;
    app.blobs.put_attachment(&key, &file.bytes).await?;
    let new =
        NewFile { at: visit.at, by: &allowed.user, name: &name, content_type: kind.media_type(), bytes: &file.bytes };
    let entry = case::entry(&allowed, &visit, Act::AttachmentAdded, &reference).with("file", id);
    let reason = match store.add_file(&key, &new, &entry).await? {
        Added::Done(()) => return Ok(Page::to(format!("/dashboard/request/{}?done=file#files", reference.as_str()))),
        Added::Other => texts.file_other,
        Added::Full => texts.files_full,
    };
    Ok(Page::html(again(&frame, &reference, &random_token()?, reason)).with_status(409))
}

/// The file that a form came with, if it is one of those that are kept; else why it is not.
pub(crate) fn chosen<'a>(
    visit: &'a Visit,
    texts: &Texts,
) -> Result<Option<(&'a File, FileType, PersonalText)>, &'static str> {
    file_type::chosen(&visit.files).map_err(|unfit| match unfit {
        Unfit::Large => texts.file_large,
        Unfit::Type => texts.file_type,
        Unfit::Name => texts.file_name,
    })
}

/// The form with what is wrong with the file.
fn again(frame: &Frame, reference: &Reference, id: &str, reason: &str) -> Markup {
    let texts = Texts::of(frame.language);
    let errors = [FieldError::new("file", reason)];
    let request = format!("/dashboard/request/{}", reference.as_str());
    let title = fill(texts.request, &[("reference", &reference.to_string())]);
    let main = html! {
        (Heading::new(texts.add_file).above(frame.language, &[("/dashboard/requests", texts.inbox), (&request, &title)]))
        (Card::new(texts.file).body(case::file_form(frame, reference, id, &errors)))
        p { (Button::quiet(texts.back_to_request).to(request.as_str())) }
    };
    pages::page(frame, texts.add_file, &main)
}
