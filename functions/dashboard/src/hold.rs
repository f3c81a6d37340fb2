//! `POST /dashboard/hold/{reference}`: puts a request under a legal hold, or lifts it.

use domain::FieldError;
use domain::audit::Act;
use domain::job::Job;
use domain::personal::PersonalText;
use domain::reference::Reference;
use jiff::SignedDuration;
use maud::{Markup, html};
use pages::form::Button;
use pages::show::Heading;
use pages::{Frame, Section, fill};
use platform::edge::{Page, Visit};
use platform::session::{Allowed, HoldRequests};
use platform::store::Added;
use platform::{App, Error};

use crate::case;
use crate::desk_texts::Texts;
use crate::keeping;

/// The usual times count again as soon as the hold is lifted for sure.
const LOOKED_AT_IN: SignedDuration = SignedDuration::from_mins(10);

/// Does it, and goes back to the request.
pub async fn handle(app: &App, allowed: Allowed<HoldRequests>, visit: Visit) -> Result<Page, Error> {
    let reference = Reference::parse(&visit.segment).map_err(|_| Error::NotFound)?;
    let store = app.store.of(&allowed.tenant);
    match visit.form.get("do") {
        "hold" => {
            let frame = allowed.frame(&visit, Section::Requests);
            let typed = visit.form.get("reason").replace("\r\n", "\n");
            let texts = keeping::Texts::of(frame.language);
            let short = typed.chars().nth(keeping::REASON as usize).is_none();
            let Some(reason) = PersonalText::parse(&typed).ok().filter(|_| short) else {
                return Ok(Page::invalid(again(&frame, &reference, &typed, texts.reason_wrong)));
            };
            let entry = case::entry(&allowed, &visit, Act::HoldPlaced, &reference);
            match store.place_hold(&reference, &allowed.user, &reason, &entry).await? {
                Added::Done(()) => Ok(done(&reference, "held")),
                _ => Ok(Page::html(again(&frame, &reference, &typed, texts.held_before)).with_status(409)),
            }
        }
        "lift" => {
            let entry = case::entry(&allowed, &visit, Act::HoldLifted, &reference);
            // Its day may have passed while it was held. Whoever looks and finds nothing to do does no harm.
            store.arrange(Job::Retention, visit.at + LOOKED_AT_IN, reference.as_str()).await?;
            // One that was lifted already is lifted.
            store.lift_hold(&reference, &entry).await?;
            Ok(done(&reference, "lifted"))
        }
        _ => Err(Error::NotFound),
    }
}

fn done(reference: &Reference, what: &str) -> Page {
    Page::to(format!("/dashboard/request/{}?done={what}", reference.as_str()))
}

/// The form with what was typed and what is wrong with it.
fn again(frame: &Frame, reference: &Reference, typed: &str, reason: &str) -> Markup {
    let (texts, title) = (Texts::of(frame.language), keeping::Texts::of(frame.language).hold);
    let errors = [FieldError::new("reason", reason)];
    let request = format!("/dashboard/request/{}", reference.as_str());
    let name = fill(texts.request, &[("reference", &reference.to_string())]);
    let main = html! {
        (Heading::new(title).above(frame.language, &[("/dashboard/requests", texts.inbox), (&request, &name)]))
        (keeping::hold_card(frame, reference, typed, &errors))
        p { (Button::quiet(texts.back_to_request).to(request.as_str())) }
    };
    pages::page(frame, title, &main)
}

#[cfg(test)]
mod tests {
    use domain::language::Language;

    use super::*;
    use crate::setup::tests::{frame, main_of};

    #[test]
    fn a_hold_without_a_reason_comes_back_with_what_was_typed() {
        let frame = frame(Language::Spanish, Section::Requests);
        let page = main_of(again(
            &frame,
            &Reference::from_entropy(7),
            "<b> ",
            keeping::Texts::of(frame.language).reason_wrong,
        ));
        assert!(page.contains("&lt;b&gt;") && page.contains("f-hold-form-reason-error"), "{page}");
        assert!(page.contains("Diga por qué"), "{page}");
    }
}
