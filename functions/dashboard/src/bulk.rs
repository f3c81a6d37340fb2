//! `dashboard-bulk`: one decision for many requests, each checked on its own, with a result for each.

use std::time::{Duration, Instant};

use domain::FieldError;
use domain::audit::Act;
use domain::denial::Ground;
use domain::desk::{self, Choice, Offer};
use domain::language::Language;
use domain::reference::Reference;
use domain::request::{Action, Actor, Kind};
use maud::{Markup, Render, html};
use pages::form::{Button, Form, actions, hidden};
use pages::show::{self, Card, Heading, Notice, Table, Tone};
use pages::{Frame, Icon, Section, fill, words};
use platform::edge::{Fields, Page, Visit};
use platform::session::{Allowed, WorkRequests};
use platform::store::{Change, Changed, Colleague, DeskAccount};
use platform::{App, Error};

use crate::act::{errors, hands};
use crate::case::{self, Asking};
use crate::desk_texts::Texts;
use crate::photos;

/// What one page of the inbox shows.
const MOST: usize = 50;
/// How long requests are begun: what was done is told before the function's 30 seconds are over.
const LONGEST: Duration = Duration::from_secs(20);

/// A request that was chosen, at the version that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Chosen {
    reference: Reference,
    version: u64,
}

impl Chosen {
    fn parse(value: &str) -> Option<Self> {
        let (reference, version) = value.split_once('.')?;
        Some(Self { reference: Reference::parse(reference).ok()?, version: version.parse().ok()? })
    }

    fn value(&self) -> String {
        format!("{}.{}", self.reference.as_str(), self.version)
    }
}

/// Asks for what the decision needs, then takes it for each request.
pub async fn handle(app: &App, allowed: Allowed<WorkRequests>, visit: Visit) -> Result<Page, Error> {
    let action = Action::parse(visit.form.get("action")).filter(|it| desk::bulk(*it)).ok_or(Error::NotFound)?;
    let frame = allowed.frame(&visit, Section::Requests);
    let texts = Texts::of(frame.language);
    let values = visit.form.all("request");
    let mut chosen: Vec<Chosen> = values.iter().filter_map(|value| Chosen::parse(value)).collect();
    if chosen.len() != values.len() {
        return Err(Error::NotFound);
    }
    let mut seen = std::collections::BTreeSet::new();
    chosen.retain(|it| seen.insert(it.reference.as_str().to_owned()));
    let page = |body: &Markup| bulk_page(&frame, action, chosen.len(), body);
    if chosen.is_empty() || chosen.len() > MOST {
        let reason = if chosen.is_empty() { texts.bulk_none } else { texts.bulk_many };
        return Ok(Page::invalid(page(&html! { (Notice::warning(reason)) (back(texts)) })));
    }
    let store = app.store.of(&allowed.tenant);
    let account = store.desk_account().await?;
    let offer = offer(action)?;
    let ask = |typed: &Fields, errors: &[FieldError]| page(&ask_form(&frame, &offer, &account, &chosen, typed, errors));
    if visit.form.get("step") != "go" {
        return Ok(Page::html(ask(&Fields::default(), &[])));
    }
    let decision = match case::decision(action, &visit.form, &account.team, texts) {
        Ok(decision) => decision,
        Err(error) => return Ok(Page::invalid(ask(&visit.form, &[error]))),
    };
    let mut results = vec![];
    let started = Instant::now();
    for it in &chosen {
        let result = if started.elapsed() < LONGEST {
            one(app, &allowed, &visit, &account, &decision, it).await.unwrap_or_else(|error| {
                platform::edge::note_failure(&error);
                Outcome::Failed
            })
        } else {
            Outcome::NotTried
        };
        results.push((it.reference.clone(), result));
    }
    // What is missing in the form is missing for all: then it comes back filled in.
    let missing = results.iter().find_map(|(_, result)| match result {
        Outcome::Faulty(errors) => Some(errors.clone()),
        _ => None,
    });
    if let Some(errors) =
        missing.filter(|_| results.iter().all(|(_, result)| !matches!(result, Outcome::Done | Outcome::Failed)))
    {
        return Ok(Page::invalid(ask(&visit.form, &errors)));
    }
    Ok(Page::html(page(&results_table(frame.language, &results))))
}

/// What became of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Done,
    Gone,
    Meanwhile,
    Failed,
    NotTried,
    Refused(String),
    Faulty(Vec<FieldError>),
}

async fn one(
    app: &App,
    allowed: &Allowed<WorkRequests>,
    visit: &Visit,
    account: &DeskAccount,
    decision: &desk::Decision,
    chosen: &Chosen,
) -> Result<Outcome, Error> {
    let store = app.store.of(&allowed.tenant);
    let opened = match store.dossier(&chosen.reference).await {
        Ok(opened) => opened,
        Err(Error::NotFound) => return Ok(Outcome::Gone),
        Err(error) => return Err(error),
    };
    let dossier = &opened.dossier;
    if dossier.version != chosen.version {
        return Ok(Outcome::Meanwhile);
    }
    let standing = case::standing(dossier, account, visit.at.to_zoned(case::zone(account, allowed.tz())).date());
    let who = Actor::User { id: allowed.user.as_str().to_owned() };
    let decided = match desk::decide(&standing, decision, who, visit.at) {
        Ok(decided) => decided,
        Err(refusal @ desk::Refusal::Faults(_)) => {
            return Ok(Outcome::Faulty(errors(allowed.card.language, &refusal)));
        }
        Err(refusal) => return Ok(Outcome::Refused(refusal.words().of(allowed.card.language).to_owned())),
    };
    let entry = case::entry(allowed, visit, Act::RequestChanged, &chosen.reference)
        .with("action", decision.action().code())
        .with("state", decided.progress.state.code())
        .with("bulk", "yes");
    let change = Change { decided: &decided, hands: hands(decision), entry: &entry };
    Ok(match store.change(&opened, &change).await? {
        Changed::Done(_) => {
            photos::delete(app, allowed, visit, dossier, &decided).await;
            Outcome::Done
        }
        Changed::Meanwhile => Outcome::Meanwhile,
        Changed::Full => Outcome::Refused(Texts::of(allowed.card.language).history_full.to_owned()),
    })
}

/// What is asked for all of them: every ground that any kind knows, and who asked, which only some need.
fn offer(action: Action) -> Result<Offer, Error> {
    let grounds = || {
        let rules = Ground::ALL.into_iter().map(Ground::rule).collect::<Result<Vec<_>, _>>();
        rules.map(Choice::Grounds).map_err(Error::failed("reading the grounds of a refusal"))
    };
    Ok(Offer {
        action,
        reason: true,
        identity: action == Action::Complete,
        by: None,
        late: false,
        demands: vec![],
        choice: if matches!(action, Action::Deny | Action::Complete) { grounds()? } else { Choice::Nothing },
    })
}

fn bulk_page(frame: &Frame, action: Action, count: usize, body: &Markup) -> Markup {
    let texts = Texts::of(frame.language);
    let text = if count == 1 { texts.bulk_one } else { texts.bulk_title };
    let title = fill(text, &[("action", words::action(frame.language, action)), ("n", &count.to_string())]);
    let heading = Heading::new(title.as_str()).above(frame.language, &[("/dashboard/requests", texts.inbox)]);
    pages::page(frame, &title, &html! { (heading) (body) })
}

fn back(texts: &Texts) -> Markup {
    html! { p { (Button::quiet(texts.back_to_inbox).to("/dashboard/requests")) } }
}

fn ask_form(
    frame: &Frame,
    offer: &Offer,
    account: &DeskAccount,
    chosen: &[Chosen],
    typed: &Fields,
    errors: &[FieldError],
) -> Markup {
    let (language, texts) = (frame.language, Texts::of(frame.language));
    let label = words::action(language, offer.action);
    let button = if offer.action == Action::Deny { Button::danger(label) } else { Button::primary(label) };
    // Grounds that no chosen kind knows are refused one by one; the form cannot know the kinds.
    let asking =
        Asking { offer, kind: Kind::Message, team: &team(account), typed, errors, assignee: "", residence: None };
    let form = Form::post(language, "/dashboard/bulk", frame.csrf.as_str())
        .id(offer.action.code())
        .errors(errors)
        .body(html! {
            (hidden("action", offer.action.code()))
            (hidden("step", "go"))
            @for it in chosen { (hidden("request", &it.value())) }
            (case::fields(language, &asking))
            (actions(&html! { (button) (Button::quiet(texts.cancel).to("/dashboard/requests")) }))
        });
    Card::new(label)
        .lede(texts.bulk_lede)
        .body(html! {
            ul.chosen { @for it in chosen { li { (it.reference) } } }
            (form)
        })
        .render()
}

fn team(account: &DeskAccount) -> Vec<Colleague> {
    account.team.clone()
}

fn results_table(language: Language, results: &[(Reference, Outcome)]) -> Markup {
    let texts = Texts::of(language);
    let done = results.iter().filter(|(_, it)| *it == Outcome::Done).count();
    let counted = fill(texts.bulk_counted, &[("done", &done.to_string()), ("all", &results.len().to_string())]);
    let notice = if done == results.len() { Notice::success(counted) } else { Notice::warning(counted) };
    let mut table =
        Table::new(texts.bulk_results).column(texts.column_reference).column(texts.bulk_result).column(texts.field_why);
    for (reference, outcome) in results {
        let why = match outcome {
            Outcome::Done => String::new(),
            Outcome::Gone => texts.bulk_gone.to_owned(),
            Outcome::Meanwhile => texts.bulk_conflict.to_owned(),
            Outcome::Failed => texts.bulk_failed_text.to_owned(),
            Outcome::NotTried => texts.bulk_not_tried.to_owned(),
            Outcome::Refused(why) => why.clone(),
            Outcome::Faulty(errors) => errors.iter().map(|error| error.reason.as_str()).collect::<Vec<_>>().join(" "),
        };
        let badge = match outcome {
            Outcome::Done => show::badge(Tone::Success, Icon::Check, texts.bulk_done),
            Outcome::Failed => show::badge(Tone::Danger, Icon::Warning, texts.bulk_failed),
            _ => show::badge(Tone::Warning, Icon::Warning, texts.bulk_skipped),
        };
        table = table.row(vec![
            html! { a href={ "/dashboard/request/" (reference.as_str()) } { (reference) } },
            badge,
            html! { (why) },
        ]);
    }
    html! { (notice) (table) (back(texts)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_reads_back_and_nothing_else_is_taken() {
        let chosen = Chosen { reference: Reference::from_entropy(7), version: 3 };
        assert_eq!(Chosen::parse(&chosen.value()), Some(chosen.clone()));
        for wrong in ["", "x.1", "123456789012", &format!("{}.x", chosen.reference.as_str()), "../1"] {
            assert_eq!(Chosen::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_result_stands_beside_its_request() {
        let reference = Reference::from_entropy;
        let results = [
            (reference(1), Outcome::Done),
            (reference(2), Outcome::Gone),
            (reference(3), Outcome::Meanwhile),
            (reference(4), Outcome::Refused("The request is closed. <b>Reopen</b> it first.".into())),
            (reference(5), Outcome::Failed),
            (reference(6), Outcome::NotTried),
        ];
        insta::assert_snapshot!(results_table(Language::English, &results).into_string().replace("><", ">\n<"));
    }

    #[test]
    fn only_what_makes_sense_for_many_is_asked_for_many() {
        for action in Action::ALL.into_iter().filter(|it| desk::bulk(*it)) {
            assert!(offer(action).is_ok(), "{action}");
        }
        assert!(!desk::bulk(Action::Classify));
    }
}
