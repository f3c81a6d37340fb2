//! `forms-confirmation`: "did you ask for this?", by a link from the mail about a request that no human check has passed.
//!
//! Looking changes nothing: mail scanners look. Pressing the button twice is pressing it once.

use domain::audit::{Act, Entry, Who};
use domain::language::Language;
use domain::request::Kind;
use domain::service_code::ServiceCodeProfile;
use maud::{Markup, html};
use pages::consumer::{self, Site};
use pages::fill;
use pages::form::{Button, Form, actions};
use pages::show::Notice;
use pages::words;
use platform::edge::{Page, Visit, with_query};
use platform::store::Confirmation;
use platform::{App, Error};
use serde::Serialize;

use crate::site;

/// Asks, and writes the answer down.
pub async fn handle(app: &App, mut visit: Visit) -> Result<Page, Error> {
    let gone = |visit: &Visit| Ok(Page::html(gone(visit)).with_status(404));
    let tickets = app.tickets().await?;
    let Ok(confirmation) = Confirmation::open(&tickets, visit.at, &visit.segment) else { return gone(&visit) };
    app.about(&confirmation.tenant);
    let store = app.store.of(&confirmation.tenant);
    let Some(account) = store.service_code(&confirmation.code).await? else { return gone(&visit) };
    visit.language = site::spoken(visit.language, &account.code);
    if visit.post {
        let entry = Entry::new(visit.at, Who::System("forms-confirmation".to_owned()), Act::RequestChanged)
            .on("request", confirmation.reference.as_str())
            .from(&visit.client.address)
            .because("whoever reads the mail at the request's address says that they asked")
            .with("human", "confirmed");
        return match store.confirm_request(&confirmation.reference, visit.at, &entry).await {
            Ok(_) => Ok(Page::html(done(&visit, &account.code))),
            Err(Error::NotFound) => gone(&visit),
            Err(error) => Err(error),
        };
    }
    match store.request_status(&confirmation.reference).await? {
        Some(status) => Ok(Page::html(ask(&visit, &account.code, status.kind))),
        None => gone(&visit),
    }
}

fn site(visit: &Visit, path: &str, code: Option<&ServiceCodeProfile>) -> Site {
    let language = visit.language;
    let here = |language: Language| with_query(path, &[("lang", language.code())]);
    Site {
        language,
        languages: if path.is_empty() { vec![] } else { site::languages(code, here) },
        business: code.map_or_else(String::new, |code| code.name.clone()),
        colour: code.and_then(|code| code.accent),
        embedded: false,
        gpc: visit.honored,
        takes: true,
    }
}

fn ask(visit: &Visit, code: &ServiceCodeProfile, kind: Kind) -> Markup {
    let texts = Texts::of(visit.language);
    let named = [("business", code.name.as_str())];
    let form = Form::post(visit.language, visit.path.as_str(), &visit.csrf)
        .plain()
        .body(actions(html! { (Button::primary(texts.yes)) }));
    let main = html! {
        p { (fill(texts.asked, &named)) }
        p { strong { (words::kind(visit.language, kind)) } }
        (form)
        p { (fill(texts.not_me, &named)) }
    };
    consumer::page(&site(visit, &visit.path, Some(code)), texts.question, main)
}

fn done(visit: &Visit, code: &ServiceCodeProfile) -> Markup {
    let texts = Texts::of(visit.language);
    let status = with_query("/status", &[("code", code.code.as_str()), ("lang", visit.language.code())]);
    let main = html! {
        (Notice::success(fill(texts.done, &[("business", code.name.as_str())])))
        p { (texts.next) }
        (actions(html! { (Button::secondary(texts.status).to(status)) }))
    };
    consumer::page(&site(visit, "", Some(code)), texts.thanks, main)
}

fn gone(visit: &Visit) -> Markup {
    let language = visit.language;
    let texts = Texts::of(language);
    let main = html! {
        p { (texts.gone_why) }
        p { (texts.gone_next) }
        (actions(html! { (Button::secondary(texts.status).to(with_query("/status", &[("lang", language.code())]))) }))
    };
    consumer::page(&site(visit, "", None), texts.gone, main)
}

#[derive(Serialize)]
struct Texts {
    question: &'static str,
    asked: &'static str,
    yes: &'static str,
    not_me: &'static str,
    thanks: &'static str,
    done: &'static str,
    next: &'static str,
    status: &'static str,
    gone: &'static str,
    gone_why: &'static str,
    gone_next: &'static str,
}

impl Texts {
    const EN: Self = Self {
        question: "Did you ask for this?",
        asked: "{business} has received a privacy request with your e-mail address. It asks:",
        yes: "Yes, I asked for this",
        not_me: "If it was not you, do nothing: {business} sees that nobody has confirmed it, and nothing more is sent to you about it by us without a reason.",
        thanks: "Thank you",
        done: "{business} knows now that it was you",
        next: "There is nothing more to do. With the reference number from the mail you can see how your request stands.",
        status: "See how a request stands",
        gone: "This link does not work any more",
        gone_why: "Links in our mails are good for 30 days, and only as they were sent: please check that all of it was copied.",
        gone_next: "Your request counts all the same. With its reference number from the mail you can see how it stands.",
    };
    const ES: Self = Self {
        question: "¿Pidió usted esto?",
        asked: "{business} ha recibido una solicitud de privacidad con su correo electrónico. Pide:",
        yes: "Sí, lo pedí yo",
        not_me: "Si no fue usted, no haga nada: {business} ve que nadie la ha confirmado, y no le enviaremos nada más sobre ella sin motivo.",
        thanks: "Gracias",
        done: "{business} ya sabe que fue usted",
        next: "No tiene que hacer nada más. Con el número de referencia del correo puede ver cómo va su solicitud.",
        status: "Ver cómo va una solicitud",
        gone: "Este enlace ya no funciona",
        gone_why: "Los enlaces de nuestros correos sirven durante 30 días, y solo tal como se enviaron: compruebe que lo copió entero.",
        gone_next: "Su solicitud cuenta igual. Con su número de referencia, que está en el correo, puede ver cómo va.",
    };

    const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &Self::EN,
            Language::Spanish => &Self::ES,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use platform::edge::Client;
    use serde_json::json;

    use super::*;

    fn code() -> ServiceCodeProfile {
        serde_json::from_value(json!({
            "code": "42", "name": "Shop <b>", "active": true, "languages": ["en"], "kinds": ["delete"],
            "greetings": {"en": {"text": "Welcome."}}, "web-form": null,
        }))
        .unwrap()
    }

    fn visit(language: Language) -> Visit {
        Visit::get("/forms/confirmation/ticket", language, Client::default(), "csrf", Timestamp::UNIX_EPOCH)
    }

    fn main_of(page: Markup) -> String {
        let page = page.into_string();
        let (from, to) = (page.find("<main").unwrap(), page.find("</main>").unwrap());
        page[from..to].replace("><", ">\n<")
    }

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn the_question_names_the_business_and_what_was_asked() {
        insta::assert_snapshot!(main_of(ask(&visit(Language::English), &code(), Kind::Delete)));
    }

    #[test]
    fn after_the_answer_there_is_nothing_more_to_do() {
        insta::assert_snapshot!(main_of(done(&visit(Language::Spanish), &code())));
    }

    #[test]
    fn a_link_that_is_too_old_says_that_the_request_still_counts() {
        let page = gone(&visit(Language::English)).into_string();
        assert!(page.contains("Your request counts all the same") && page.contains("/status?lang=en"), "{page}");
    }
}
