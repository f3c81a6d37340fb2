//! `dashboard-message`: sends whoever asked a message, and a file that they may download.

use domain::FieldError;
use domain::audit::Act;
use domain::intake::is_form_id;
use domain::personal::{PersonalText, PersonalTextError};
use domain::reference::Reference;
use maud::{Markup, html};
use pages::form::Button;
use pages::show::{Card, Heading};
use pages::{Frame, Section, fill};
use platform::edge::{Page, Visit};
use platform::mail::{Letter, Reader, Waiting};
use platform::session::{Allowed, WorkRequests};
use platform::store::{Added, NewMessage, SentFile};
use platform::ticket::random_token;
use platform::{App, Error};

use crate::desk_texts::Texts;
use crate::{attach, case, telling};

/// Sends it once, however often the form is sent. The file is stored first and listed with the message.
pub async fn handle(app: &App, allowed: Allowed<WorkRequests>, visit: Visit) -> Result<Page, Error> {
    let reference = Reference::parse(&visit.segment).map_err(|_| Error::NotFound)?;
    let id = visit.form.get("id");
    if !is_form_id(id) {
        return Err(Error::StaleForm);
    }
    let typed = visit.form.get("text");
    let frame = allowed.frame(&visit, Section::Requests);
    let texts = Texts::of(frame.language);
    let (words, file) = match (written(typed, texts), attach::chosen(&visit, texts)) {
        (Ok(None), Ok(None)) => {
            let errors = [FieldError::new("text", texts.message_none)];
            return Ok(Page::invalid(again(&frame, &reference, id, typed, &errors)));
        }
        (Ok(words), Ok(file)) => (words, file),
        (words, file) => {
            let wrong = [("text", words.err()), ("file", file.err())];
            let errors: Vec<FieldError> =
                wrong.into_iter().filter_map(|(field, reason)| Some(FieldError::new(field, reason?))).collect();
            return Ok(Page::invalid(again(&frame, &reference, id, typed, &errors)));
        }
    };
    let store = app.store.of(&allowed.tenant);
    let key = match &file {
        Some((file, _, _)) => {
            let key = store.new_attachment_key(&reference, id).await?;
            app.blobs.put_attachment(&key, &file.bytes).await?;
            Some(key)
        }
        None => None,
    };
    let sent = file.as_ref().zip(key.as_ref()).map(|((file, kind, name), key)| SentFile {
        key,
        name,
        content_type: kind.media_type(),
        bytes: &file.bytes,
    });
    let mut entry = case::entry(&allowed, &visit, Act::MessageSent, &reference);
    if sent.is_some() {
        entry = entry.with("file", id);
    }
    let new = NewMessage { id, text: words.as_ref(), file: sent };
    let reason = match store.add_tenant_message(&reference, &allowed.user, &new, &entry).await? {
        Added::Done(()) => {
            let waiting = Waiting::new(&allowed.tenant, &reference, Reader::Consumer);
            telling::letter(app, &Letter::MessageWaiting(waiting)).await;
            return Ok(Page::to(format!("/dashboard/request/{}?done=message#messages", reference.as_str())));
        }
        Added::Other => texts.message_other,
        Added::Full => texts.messages_full,
    };
    // What was typed goes with another id, so that it is a message of its own.
    let errors = [FieldError::new("text", reason)];
    Ok(Page::html(again(&frame, &reference, &random_token()?, typed, &errors)).with_status(409))
}

/// The words of a message, which may be missing where a file is sent.
fn written(typed: &str, texts: &Texts) -> Result<Option<PersonalText>, &'static str> {
    match PersonalText::parse(typed) {
        Ok(words) => Ok(Some(words)),
        Err(PersonalTextError::Empty) => Ok(None),
        Err(_) => Err(texts.new_text_wrong),
    }
}

/// The form with what was typed and what is wrong with it.
fn again(frame: &Frame, reference: &Reference, id: &str, typed: &str, errors: &[FieldError]) -> Markup {
    let texts = Texts::of(frame.language);
    let request = format!("/dashboard/request/{}", reference.as_str());
    let name = fill(texts.request, &[("reference", &reference.to_string())]);
    let main = html! {
        (Heading::new(texts.message).above(frame.language, &[("/dashboard/requests", texts.inbox), (&request, &name)]))
        (Card::new(texts.messages).body(case::message_form(frame, reference, id, typed, errors)))
        p { (Button::quiet(texts.back_to_request).to(request.as_str())) }
    };
    pages::page(frame, texts.message, &main)
}

#[cfg(test)]
mod tests {
    use domain::language::Language;

    use super::*;
    use crate::case::tests::{frame, main};

    #[test]
    fn a_message_may_be_a_file_alone_and_is_never_longer_than_is_kept() {
        let texts = Texts::of(Language::English);
        assert_eq!(written("  ", texts), Ok(None));
        assert!(written("Hola", texts).is_ok_and(|it| it.is_some()));
        assert_eq!(written(&"x".repeat(5001), texts), Err(texts.new_text_wrong));
        assert_eq!(written("a\u{7}", texts), Err(texts.new_text_wrong));
    }

    #[test]
    fn what_is_wrong_stands_beside_its_field_with_what_was_typed() {
        let errors = [FieldError::new("text", "Too long."), FieldError::new("file", "Not a file of ours.")];
        let reference = Reference::from_entropy(7);
        let page = again(&frame(Language::English), &reference, "id", "Hello <b>you</b>", &errors);
        insta::assert_snapshot!(main(&page));
    }
}
