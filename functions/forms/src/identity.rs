//! `GET` and `POST /status/identity`: shows, by a code sent to the contact on file, that a request is theirs.
//!
//! Whether there is such a contact is looked up by the job that sends the code, so this page answers alike, and as fast,
//! whatever was given with the request and whether there is one at all.

use domain::FieldError;
use domain::audit::{Act, Entry, Who};
use maud::{Markup, html};
use pages::fill;
use pages::form::{self, Button, Field, Form};
use pages::show::Notice;
use platform::consumer::{Contact, LookedUp};
use platform::edge::{Page, Visit};
use platform::mail::{Letter, SentCode};
use platform::store::{Tried, random_digits};
use platform::{App, Error};

use crate::case_texts::Texts;
use crate::counting::{self, DAY, HOUR, QUARTER};
use crate::looking;

/// Asks where to send a code, sends it, or tries one.
pub async fn handle(app: &App, visit: Visit) -> Result<Page, Error> {
    let Some(look) = app.look(&visit).await? else { return Ok(Page::to("/status")) };
    app.about(&look.tenant);
    match (visit.post, visit.form.get("do")) {
        (false, _) => {
            let sent = way(visit.query.get("sent"));
            Ok(looking::page(&visit, None, Texts::of(visit.language).identity, &body(&visit, sent, &[], false)))
        }
        (true, "send") => send(app, &visit, &look).await,
        (true, "enter") => enter(app, &visit, &look).await,
        (true, _) => Err(Error::NotFound),
    }
}

/// Sends a code. What it costs is bounded for each client, for each request, and by the job for each contact.
async fn send(app: &App, visit: &Visit, look: &LookedUp) -> Result<Page, Error> {
    let by = way(visit.form.get("via")).ok_or(Error::NotFound)?;
    counting::count_client(app, visit, ("code-client", 10, HOUR)).await?;
    for most in [("code-request-hour", 6, HOUR), ("code-request-day", 20, DAY)] {
        counting::count_request(app, visit, &look.request(), most).await?;
    }
    let digits = random_digits()?;
    app.store.keep_code(&*app.tickets().await?, look, (&digits, by), visit.at).await?;
    let code = SentCode::new(look, &digits, visit.language, visit.at);
    match by {
        Contact::Email | Contact::Agent => app.post(&Letter::Code(code)).await?,
        Contact::Phone => app.post_text(&code).await?,
    }
    Ok(Page::to(format!("/status/identity?sent={}", by.code())))
}

/// Tries a code.
async fn enter(app: &App, visit: &Visit, look: &LookedUp) -> Result<Page, Error> {
    let texts = Texts::of(visit.language);
    let digits: String = visit.form.get("code").chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let sent = way(visit.form.get("sent"));
    let wrong = |reason: String| {
        let errors = [FieldError::new("code", reason)];
        looking::page(visit, None, texts.identity, &body(visit, sent, &errors, false)).with_status(422)
    };
    if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(wrong(texts.digits_wrong.to_owned()));
    }
    counting::count_client(app, visit, ("code-try-client", 30, QUARTER)).await?;
    match app.store.try_code(&*app.tickets().await?, look, &digits, visit.at).await? {
        Tried::Right(to) => {
            let entry = Entry::new(visit.at, Who::Consumer, Act::ContactShown)
                .on("request", look.reference.as_str())
                .from(&visit.client.address);
            let by = app.store.of(&look.tenant).contact_shown(&look.reference, to, &entry).await?;
            app.prove(Page::to("/status/case"), look, by, visit.at).await
        }
        Tried::Wrong(left) if left > 0 => Ok(wrong(fill(texts.wrong, &[("n", &left.to_string())]))),
        Tried::Wrong(_) | Tried::Over => {
            Ok(looking::page(visit, None, texts.identity, &body(visit, None, &[], true)).with_status(422))
        }
    }
}

/// How a code is sent. That mail goes to an agent, where there is one, is for the job to know.
fn way(code: &str) -> Option<Contact> {
    Contact::parse(code).filter(|by| *by != Contact::Agent)
}

fn body(visit: &Visit, sent: Option<Contact>, errors: &[FieldError], over: bool) -> Markup {
    let (language, texts) = (visit.language, Texts::of(visit.language));
    let post = || Form::post(language, "/status/identity", visit.csrf.as_str()).plain();
    let choose = post().id("send").body(html! {
        (form::hidden("do", "send"))
        (form::actions(&html! {
            @let (email, text) = match sent {
                None => (Button::primary(texts.by_email), Button::primary(texts.by_text)),
                Some(_) => (Button::secondary(texts.by_email), Button::secondary(texts.by_text)),
            };
            (email.sends("via", "email")) (text.sends("via", "phone"))
        }))
    });
    html! {
        @if over { (Notice::warning(texts.over)) }
        @match sent {
            None => { p.lede { (texts.identity_lede) } p { (texts.identity_never) } (choose) }
            Some(by) => {
                @if errors.is_empty() {
                    @let said = if by == Contact::Phone { texts.sent_text } else { texts.sent_email };
                    (Notice::info(said).body(html! { p { (texts.sent_next) } }))
                }
                (post().id("enter").errors(errors).body(html! {
                    (form::hidden("do", "enter"))
                    (form::hidden("sent", by.code()))
                    (Field::one_time_code("code", texts.digits).hint(texts.digits_hint).max_length(20).required()
                        .within("enter").errors(errors))
                    (form::actions(&html! { (Button::primary(texts.open)) }))
                }))
                section.part { h2 { (texts.again) } (choose) }
            }
        }
        p { (Button::quiet(texts.back).to("/status")) }
    }
}

#[cfg(test)]
mod tests {
    use domain::language::Language;
    use platform::edge::Client;

    use super::*;

    fn visit() -> Visit {
        let at = "2026-11-22T20:00:00Z".parse().unwrap();
        Visit::get("/status/identity", Language::English, Client::default(), "token", at)
    }

    #[test]
    fn both_ways_are_offered_whatever_is_on_file() {
        let page = body(&visit(), None, &[], false).into_string();
        assert!(page.contains("value=\"email\"") && page.contains("value=\"phone\""), "{page}");
        assert!(!page.contains("name=\"code\""), "{page}");
        insta::assert_snapshot!(page);
    }

    #[test]
    fn nobody_chooses_to_be_taken_for_an_agent() {
        assert_eq!((way("email"), way("phone"), way("agent")), (Some(Contact::Email), Some(Contact::Phone), None));
    }

    #[test]
    fn a_wrong_code_says_so_beside_the_field_and_another_can_be_asked_for() {
        let errors = [FieldError::new("code", "This is not the code. Tries left: 4.")];
        let page = body(&visit(), Some(Contact::Phone), &errors, false).into_string();
        assert!(page.contains("Tries left: 4.") && page.contains("aria-invalid=\"true\""), "{page}");
        assert!(page.contains("value=\"send\""), "{page}");
    }
}
