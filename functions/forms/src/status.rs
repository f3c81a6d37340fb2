//! `GET` and `POST /status`: where a request stands, for whoever has its numbers: made on the web, by telephone or in any
//! other way.
//!
//! Looking up leads to this page's own address and leaves a ticket in a cookie, so that no number is in an address and
//! reloading asks nothing again. A number that is nobody's, another tenant's or no number at all gives the same page, by
//! the same reads.

use domain::FieldError;
use domain::reference::Reference;
use domain::service_code::ServiceCode;
use maud::{Markup, html};
use pages::fill;
use pages::form::{self, Button, Field, Form};
use pages::show::{Card, Notice};
use platform::consumer::{self, LookedUp};
use platform::edge::{Page, Visit};
use platform::store::{Glance, ServiceCodeAccount};
use platform::{App, Error};

use crate::case_texts::Texts;
use crate::counting::{self, QUARTER};
use crate::looking::{self, Told};
use crate::opting_out::{self, Asked};
use crate::site;

/// What the address says after signing off.
const LEFT: &str = "left";
/// Where signing off leads.
pub(crate) const AFTER_LEAVING: &str = "/status?done=left";

/// Shows where it stands, or looks it up.
pub async fn handle(app: &App, visit: Visit) -> Result<Page, Error> {
    if visit.post {
        return match visit.form.get("do") {
            "forget" => Ok(consumer::forget(Page::to("/status"))),
            _ => look_up(app, &visit).await,
        };
    }
    // A link from a mail names the code; what was looked up before under another one is not what is meant.
    let meant = |look: &LookedUp| !visit.query.has("code") || visit.query.get("code") == look.code.as_str();
    match app.look(&visit).await?.filter(meant) {
        Some(look) => shown(app, visit, &look).await,
        None => Ok(asked(app, &visit, &Typed::of_query(&visit), &[], left(&visit).as_ref())),
    }
}

/// The two numbers, as they were typed.
struct Typed {
    code: String,
    reference: String,
}

impl Typed {
    fn of_query(visit: &Visit) -> Self {
        // Never the reference: what is in an address is in logs.
        Self { code: visit.query.get("code").to_owned(), reference: String::new() }
    }

    /// What was looked for and not found, so that each digit can be checked.
    fn of_look(look: &LookedUp) -> Self {
        Self { code: look.code.to_string(), reference: look.reference.to_string() }
    }

    fn of_form(visit: &Visit) -> Self {
        let text = |name| visit.form.get(name).trim().to_owned();
        Self { code: text("code"), reference: text("reference") }
    }
}

async fn look_up(app: &App, visit: &Visit) -> Result<Page, Error> {
    let texts = Texts::of(visit.language);
    let typed = Typed::of_form(visit);
    let empty = [
        ("code", typed.code.is_empty(), texts.code_missing),
        ("reference", typed.reference.is_empty(), texts.reference_missing),
    ];
    let errors: Vec<FieldError> = empty
        .iter()
        .filter(|(_, empty, _)| *empty)
        .map(|(field, _, reason)| FieldError::new(*field, *reason))
        .collect();
    if !errors.is_empty() {
        return Ok(asked(app, visit, &typed, &errors, None).with_status(422));
    }
    counting::count_client(app, visit, ("status-client", 30, QUARTER)).await?;
    let digits: String = typed.code.chars().filter(|c| !c.is_whitespace() && *c != '#').collect();
    let (code, reference) = (ServiceCode::parse(&digits), Reference::parse(&typed.reference));
    // What is no number is nobody's.
    let (Ok(code), Ok(reference)) = (code, reference) else { return Ok(not_found(app, visit, &typed)) };
    let tenant = app.store.service_code(&code).await?;
    let look = LookedUp::new(tenant, code, reference)?;
    app.remember_look(Page::to("/status"), &look, visit.at).await
}

async fn shown(app: &App, mut visit: Visit, look: &LookedUp) -> Result<Page, Error> {
    app.about(&look.tenant);
    let store = app.store.of(&look.tenant);
    let glance = store.glance(&look.reference).await?;
    let account = store.service_code(&look.code).await?;
    match glance.zip(account) {
        Some((glance, account)) => {
            visit.language = site::spoken(visit.language, &account.code);
            let asked = Asked { tenant: &look.tenant, profile: &account.tenant, code: &account.code };
            visit.honored = opting_out::note_signal(app, asked, (&visit, visit.language), None, None).await;
            Ok(found(&visit, look, &glance, &account))
        }
        None => Ok(not_found(app, &visit, &Typed::of_look(look))),
    }
}

/// The same whether there is no such request, another business has it, or it is no number at all.
fn not_found(app: &App, visit: &Visit, typed: &Typed) -> Page {
    let texts = Texts::of(visit.language);
    let notice = Notice::warning(texts.not_found).body(html! { p { (texts.not_found_next) } });
    asked(app, visit, typed, &[], Some(&notice)).with_status(404)
}

/// What is said after signing off.
fn left(visit: &Visit) -> Option<Notice> {
    (visit.query.get("done") == LEFT).then(|| Notice::success(Texts::of(visit.language).left))
}

/// The form that asks for the two numbers.
fn asked(app: &App, visit: &Visit, typed: &Typed, errors: &[FieldError], notice: Option<&Notice>) -> Page {
    let (language, texts) = (visit.language, Texts::of(visit.language));
    let form = Form::post(language, "/status", visit.csrf.as_str()).plain().errors(errors).body(html! {
        (Field::text("code", texts.code).hint(texts.code_hint).value(&typed.code).inputmode("numeric").plain_text()
            .narrow().max_length(20).required().errors(errors))
        (Field::text("reference", texts.reference).hint(texts.reference_hint).value(&typed.reference)
            .inputmode("numeric").plain_text().autocomplete("off").max_length(40).required().errors(errors))
        (form::actions(&html! { (Button::primary(texts.look_up)) }))
    });
    let main = html! {
        @if let Some(notice) = notice { (notice) }
        p.lede { (texts.look_lede) }
        (form)
        (by_phone(texts, app.config.hotline_number.as_deref()))
    };
    looking::page(visit, None, texts.look_title, &main)
}

/// How to ask by telephone, where the hotline's number is known: whoever asked on the web has never called it.
fn by_phone(texts: &Texts, number: Option<&str>) -> Markup {
    html! {
        @if let Some(number) = number {
            p { (texts.look_by_phone) " " a href={ "tel:" (number) } { (site::in_groups(number)) } }
        }
    }
}

/// Where it stands: state and dates, nothing of the person.
fn found(visit: &Visit, look: &LookedUp, glance: &Glance, account: &ServiceCodeAccount) -> Page {
    let (language, texts) = (visit.language, Texts::of(visit.language));
    let told = Told {
        language,
        business: &account.code.name,
        kind: glance.kind,
        progress: glance.progress,
        clocks: &glance.clocks,
        closed: glance.closed,
        today: looking::today(account, visit.at),
    };
    let title = fill(texts.title, &[("reference", &look.reference.to_string())]);
    looking::page(visit, Some(account), &title, &standing(visit, &told))
}

fn standing(visit: &Visit, told: &Told<'_>) -> Markup {
    let (language, texts) = (visit.language, Texts::of(visit.language));
    let forget = Form::post(language, "/status", visit.csrf.as_str()).id("another").plain().body(html! {
        (form::hidden("do", "forget"))
        (Button::quiet(texts.another))
    });
    html! {
        (Card::new(texts.next).id("standing").body(html! { (told.notice()) (told.facts()) }))
        (Card::new(texts.more).id("more").lede(texts.more_lede).body(html! {
            p.actions { (Button::primary(texts.more_go).to("/status/identity")) }
        }))
        (forget)
    }
}

#[cfg(test)]
mod tests {
    use domain::clock;
    use domain::jurisdiction::Jurisdiction;
    use domain::language::Language;
    use domain::request::{Kind, Outcome, Progress, State};
    use jiff::civil::date;
    use platform::edge::Client;

    use super::*;

    fn visit(language: Language) -> Visit {
        let at = "2026-11-22T20:00:00Z".parse().unwrap();
        Visit::get("/status", language, Client::default(), "token", at)
    }

    fn told(clocks: &clock::Clocks, state: State, closed: Option<Outcome>) -> Told<'_> {
        Told {
            language: Language::English,
            business: "Bear & <Sons>",
            kind: Kind::Delete,
            progress: Progress::new(state),
            clocks,
            closed: closed.map(|outcome| (date(2026, 11, 20), outcome)),
            today: date(2026, 11, 22),
        }
    }

    fn clocks(received: jiff::civil::Date) -> clock::Clocks {
        clock::clocks_from(&[Jurisdiction::UsCa], None, Kind::Delete, received).unwrap()
    }

    #[test]
    fn where_it_stands_says_what_happens_next_and_by_when_under_which_law() {
        let clocks = clocks(date(2026, 11, 2));
        let page = standing(&visit(Language::English), &told(&clocks, State::Verifying, None)).into_string();
        assert!(page.contains("December 17, 2026") && page.contains("11 CCR 7021(b)"), "{page}");
        assert!(page.contains("The date stays the same.") && page.contains("Bear &amp; &lt;Sons&gt;"), "{page}");
        assert!(page.contains("href=\"/status/identity\""), "{page}");
        insta::assert_snapshot!(page);
    }

    #[test]
    fn whoever_signs_off_is_told_so() {
        let (path, done) = AFTER_LEAVING.split_once("?done=").unwrap();
        for language in Language::ALL {
            let mut after = visit(language);
            after.query = [("done", done)].into_iter().collect();
            let said = html! { (left(&after).unwrap()) }.into_string();
            assert!(path == "/status" && said.contains(Texts::of(language).left), "{said}");
            assert!(left(&visit(language)).is_none());
        }
    }

    #[test]
    fn how_to_ask_by_telephone_is_said_only_with_a_number_to_call() {
        let texts = Texts::of(Language::English);
        let page = by_phone(texts, Some("+18665550100")).into_string();
        assert!(page.contains("href=\"tel:+18665550100\"") && page.contains("service code, then press 6"), "{page}");
        assert_eq!(by_phone(texts, None).into_string(), "");
    }

    #[test]
    fn a_date_that_has_passed_is_said_to_have_passed() {
        let clocks = clocks(date(2026, 9, 1));
        assert!(standing(&visit(Language::English), &told(&clocks, State::InReview, None)).0.contains("has passed"));
        let closed = told(&clocks, State::Completed, Some(Outcome::CompliedInPart));
        let page = standing(&visit(Language::English), &closed).into_string();
        assert!(!page.contains("has passed") && page.contains("did part of what you asked"), "{page}");
    }

    #[test]
    fn every_state_says_something_of_its_own_in_every_language() {
        for language in Language::ALL {
            let said: std::collections::BTreeSet<_> =
                State::ALL.into_iter().map(|state| Texts::of(language).standing(state)).collect();
            assert_eq!(said.len(), State::ALL.len());
        }
    }
}
