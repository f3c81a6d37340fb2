//! `GET` and `POST /dashboard/recycle-bin`: what was kept long enough and waits to be erased, and how it comes out again.

use std::collections::BTreeSet;

use domain::audit::Act;
use domain::job::Job;
use domain::language::Language;
use domain::reference::Reference;
use domain::retention::{Standing, leaves_bin_on, night_of};
use jiff::SignedDuration;
use maud::{Markup, html};
use pages::show::{self, Empty, Heading, Table};
use pages::{Frame, Icon, Section};
use platform::edge::{Page, Visit};
use platform::session::{Allowed, HoldRequests};
use platform::store::InBin;
use platform::{App, Error};
use serde::Serialize;

use crate::case;
use crate::desk_texts;
use crate::keeping;

/// The purpose of the tickets that say where a page begins.
const CURSOR: &str = "recycle-bin";
/// A page may be left open overnight.
const CURSOR_LIVES: SignedDuration = SignedDuration::from_hours(24);

/// Shows a page of the bin, or takes a request out of it.
pub async fn handle(app: &App, allowed: Allowed<HoldRequests>, visit: Visit) -> Result<Page, Error> {
    if visit.post {
        return restore(app, &allowed, &visit).await;
    }
    let store = app.store.of(&allowed.tenant);
    let (tickets, context) = (app.tickets().await?, allowed.tenant.id().to_string());
    let after: Option<String> = match visit.query.get("after") {
        "" => None,
        ticket => Some(tickets.open(CURSOR, &context, visit.at, ticket)?),
    };
    let (lines, more) = store.bin_page(after.as_deref()).await?;
    let references: Vec<Reference> = lines.iter().map(|it| it.line.reference.clone()).collect();
    let held = store.held_among(&references).await?;
    let next = match lines.last().filter(|_| more) {
        Some(last) => {
            let ticket = tickets.seal(CURSOR, &context, visit.at + CURSOR_LIVES, &last.place)?;
            Some(format!("/dashboard/recycle-bin?after={ticket}"))
        }
        None => None,
    };
    let view = View { lines: &lines, held: &held, next: next.as_deref(), continued: after.is_some() };
    Ok(Page::html(show(&allowed.frame(&visit, Section::Requests), &view)))
}

async fn restore(app: &App, allowed: &Allowed<HoldRequests>, visit: &Visit) -> Result<Page, Error> {
    let reference = Reference::parse(visit.form.get("reference")).map_err(|_| Error::NotFound)?;
    let store = app.store.of(&allowed.tenant);
    let profile = store.settings().await?.value;
    let zone = profile.tz().map_err(Error::failed("reading the tenant's time zone"))?;
    let today = visit.at.to_zoned(zone.clone()).date();
    let kept = store.kept_request(&reference).await?.filter(|it| it.erasing.is_none()).ok_or(Error::NotFound)?;
    let done = Page::to(format!("/dashboard/request/{}?done=restored", reference.as_str()));
    if kept.standing.binned_on.is_none() {
        // Somebody else was faster.
        return if kept.standing.restored_on == Some(today) { Ok(done) } else { Err(Error::NotFound) };
    }
    let restored = Standing { binned_on: None, restored_on: Some(today), ..kept.standing };
    // The night's round has passed its day, so it comes again by itself; a day on which there is nothing to do does no harm.
    if let Some(going) = restored.next(&profile.retention) {
        store.arrange(Job::Retention, night_of(going.on, &zone), reference.as_str()).await?;
    }
    let entry = case::entry(allowed, visit, Act::Restored, &reference);
    if store.restore_request(&kept, today, &entry).await? { Ok(done) } else { Err(Error::Conflict) }
}

struct View<'a> {
    lines: &'a [InBin],
    held: &'a BTreeSet<String>,
    next: Option<&'a str>,
    continued: bool,
}

fn show(frame: &Frame, view: &View<'_>) -> Markup {
    let (language, texts) = (frame.language, Texts::of(frame.language));
    let desk = desk_texts::Texts::of(language);
    let title = keeping::bin_title(language);
    let mut table = Table::new(title)
        .column(texts.reference)
        .column(texts.kind)
        .column(texts.answered)
        .column(texts.binned)
        .column(texts.erased)
        .buttons(keeping::Texts::of(language).restore);
    for one in view.lines {
        let line = &one.line;
        let href = format!("/dashboard/request/{}", line.reference.as_str());
        let answered = match (line.closed_on, line.outcome) {
            (Some(day), Some(outcome)) => {
                html! { div { (show::day(language, day)) p.note { (case::outcome(language, outcome)) } } }
            }
            _ => html! { (texts.unfinished) },
        };
        let goes = if view.held.contains(line.reference.as_str()) {
            keeping::held_badge(language)
        } else {
            show::day(language, leaves_bin_on(one.binned_on))
        };
        table = table.row(vec![
            show::reference(&line.reference, Some(&href)),
            show::kind(language, line.kind),
            answered,
            show::day(language, one.binned_on),
            goes,
            keeping::restore_form(frame, &line.reference),
        ]);
    }
    let main = html! {
        (Heading::new(title).lede(texts.lede).above(language, &[("/dashboard/requests", desk.inbox)]))
        @if table.is_empty() {
            (Empty::new(texts.none, texts.none_why).icon(Icon::Bin))
        } @else {
            (table)
        }
        (show::pagination(language, view.continued.then_some("/dashboard/recycle-bin"), view.next))
    };
    pages::page(frame, title, &main)
}

#[derive(Serialize)]
struct Texts {
    lede: &'static str,
    reference: &'static str,
    kind: &'static str,
    answered: &'static str,
    unfinished: &'static str,
    binned: &'static str,
    erased: &'static str,
    none: &'static str,
    none_why: &'static str,
}

impl Texts {
    const EN: Self = Self {
        lede: "Requests that were kept as long as your settings say. After 90 days here they are erased for good.",
        reference: "Reference",
        kind: "Kind",
        answered: "Answered",
        unfinished: "Never finished",
        binned: "Here since",
        erased: "Erased on",
        none: "The recycle bin is empty",
        none_why: "Requests come here by themselves when they have been kept as long as your settings say. They wait 90 days, and you can take them out until then.",
    };
    const ES: Self = Self {
        lede: "Solicitudes que ya se guardaron el tiempo que indica su configuración. Tras 90 días aquí se borran para siempre.",
        reference: "Referencia",
        kind: "Tipo",
        answered: "Respondida",
        unfinished: "Quedó incompleta",
        binned: "Aquí desde",
        erased: "Se borra el",
        none: "La papelera está vacía",
        none_why: "Las solicitudes llegan aquí solas cuando se han guardado el tiempo que indica su configuración. Esperan 90 días, y hasta entonces puede sacarlas.",
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
    use domain::request::{Channel, Kind, Outcome, State};
    use domain::service_code::ServiceCode;
    use jiff::civil::date;
    use platform::store::Line;

    use super::*;
    use crate::setup::tests::{frame, main_of};

    fn in_bin(n: u64, outcome: Option<Outcome>) -> InBin {
        let line = Line {
            reference: Reference::from_entropy(n),
            kind: Kind::Delete,
            state: outcome.map_or(State::Incomplete, Outcome::state),
            code: ServiceCode::parse("12").unwrap(),
            channel: Channel::Phone,
            language: Language::Spanish,
            assignee: None,
            received_on: date(2026, 11, 2),
            respond_by: date(2026, 12, 17),
            confirm_by: None,
            closed_on: outcome.map(|_| date(2026, 11, 22)),
            outcome,
            ground: None,
            residence: None,
            extended: false,
            version: 3,
        };
        InBin { line, binned_on: date(2028, 11, 23), place: String::new() }
    }

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn the_bin_says_what_goes_when_and_what_is_held_does_not_go() {
        let lines = [in_bin(1, Some(Outcome::CompliedInWhole)), in_bin(2, None)];
        let held = BTreeSet::from([lines[1].line.reference.as_str().to_owned()]);
        let view = View { lines: &lines, held: &held, next: Some("/dashboard/recycle-bin?after=x"), continued: false };
        insta::assert_snapshot!(main_of(show(&frame(Language::English, Section::Requests), &view)));
    }

    #[test]
    fn an_empty_bin_says_how_something_comes_there() {
        let view = View { lines: &[], held: &BTreeSet::new(), next: None, continued: false };
        let page = main_of(show(&frame(Language::Spanish, Section::Requests), &view));
        assert!(page.contains("La papelera está vacía") && page.contains("90 días"), "{page}");
    }
}
