//! `dashboard-act`: does something with a request, if its state and the law allow it and nobody was faster.

use domain::FieldError;
use domain::audit::Act;
use domain::desk::{self, Decision, Refusal};
use domain::reference::Reference;
use domain::request::{Action, Actor};
use domain::user::UserId;
use maud::{Markup, html};
use pages::form::Button;
use pages::show::{self, Card, Notice, paragraphs};
use pages::{Frame, Section, fill, words};
use platform::edge::{Fields, Page, Visit};
use platform::session::{Allowed, WorkRequests};
use platform::store::{Change, Changed, Hands};
use platform::{App, Error};

use crate::case::{self, Case};
use crate::desk_texts::Texts;
use crate::photos;

/// Does it, and goes back to the request.
pub async fn handle(app: &App, allowed: Allowed<WorkRequests>, visit: Visit) -> Result<Page, Error> {
    let reference = Reference::parse(&visit.segment).map_err(|_| Error::NotFound)?;
    let action = Action::parse(visit.form.get("action")).ok_or(Error::NotFound)?;
    let store = app.store.of(&allowed.tenant);
    let language = allowed.card.language;
    let open = async || {
        let (opened, account) = store.case(&reference).await?;
        let case = Case::new(opened.dossier.clone(), account, allowed.tz(), visit.at);
        Ok::<_, Error>((opened, case.map_err(Error::failed("reading the law's dates"))?))
    };
    let (opened, case) = open().await?;
    // The page that the form comes from shows what was there at that version.
    let seen: u64 = visit.form.get("version").parse().unwrap_or(u64::MAX);
    let frame = allowed.frame(&visit, Section::Requests);
    let again = Again { frame: &frame, action, typed: &visit.form, seen };
    // What these pages show of a request is a view of it.
    let viewed = case::entry(&allowed, &visit, Act::RequestViewed, &reference).with("action", action.code());
    if seen != case.dossier.version {
        store.record(&viewed).await?;
        return Ok(Page::html(again.conflict(&case)).with_status(409));
    }
    let decided = case::decision(action, &visit.form, &case.account.team, Texts::of(language))
        .map_err(|error| vec![error])
        .and_then(|decision| {
            let who = Actor::User { id: allowed.user.as_str().to_owned() };
            match desk::decide(&case.standing, &decision, who, visit.at) {
                Ok(decided) => Ok((decision, decided)),
                Err(refusal) => Err(errors(language, &refusal)),
            }
        });
    let (decision, decided) = match decided {
        Ok(decided) => decided,
        Err(errors) => {
            store.record(&viewed).await?;
            return Ok(Page::invalid(again.wrong(&case, &errors)));
        }
    };
    let entry = case::entry(&allowed, &visit, Act::RequestChanged, &reference)
        .with("action", action.code())
        .with("state", decided.progress.state.code());
    let change = Change { decided: &decided, hands: hands(&decision), entry: &entry };
    match store.change(&opened, &change).await? {
        Changed::Done(_) => {
            photos::delete(app, &allowed, &visit, &opened.dossier, &decided).await;
            Ok(Page::to(format!("/dashboard/request/{}?done={}", reference.as_str(), action.code())))
        }
        Changed::Full => {
            store.record(&viewed).await?;
            let full = [FieldError::new("", Texts::of(language).history_full)];
            Ok(Page::invalid(again.wrong(&case, &full)))
        }
        Changed::Meanwhile => {
            let (_, case) = open().await?;
            store.record(&viewed).await?;
            Ok(Page::html(again.conflict(&case)).with_status(409))
        }
    }
}

/// Into whose hands a decision gives the request.
pub(crate) fn hands(decision: &Decision) -> Hands {
    match decision {
        Decision::Assign { to: Some(id) } => UserId::parse(id).map_or(Hands::Unchanged, Hands::Of),
        Decision::Assign { to: None } => Hands::Nobody,
        _ => Hands::Unchanged,
    }
}

/// What keeps a decision from being taken, field by field.
pub(crate) fn errors(language: domain::language::Language, refusal: &Refusal) -> Vec<FieldError> {
    match refusal {
        Refusal::Faults(faults) => {
            faults.iter().map(|fault| FieldError::new(fault.field, fault.words.of(language))).collect()
        }
        refusal => vec![FieldError::new("", refusal.words().of(language))],
    }
}

/// A form that comes back with what was typed.
struct Again<'a> {
    frame: &'a Frame,
    action: Action,
    typed: &'a Fields,
    seen: u64,
}

impl Again<'_> {
    fn page(&self, case: &Case, body: &Markup) -> Markup {
        let language = self.frame.language;
        let texts = Texts::of(language);
        let dossier = &case.dossier;
        let request = format!("/dashboard/request/{}", dossier.reference.as_str());
        let name = fill(texts.request, &[("reference", &dossier.reference.to_string())]);
        let title = words::action(language, self.action);
        let heading = show::Heading::new(title)
            .above(language, &[("/dashboard/requests", texts.inbox), (&request, &name)])
            .badges(html! { (show::kind(language, dossier.kind)) (show::state(language, dossier.progress.state)) });
        let main = html! {
            (heading)
            (body)
            p { (Button::quiet(texts.back_to_request).to(request.as_str())) }
        };
        pages::page(self.frame, title, &main)
    }

    /// The form with what is wrong beside each field.
    fn wrong(&self, case: &Case, errors: &[FieldError]) -> Markup {
        let body = match case.offers.iter().find(|offer| offer.action == self.action) {
            Some(offer) => Card::new(words::action(self.frame.language, self.action))
                .body(case::action_form(self.frame, case, offer, self.typed, errors)),
            None => Card::new(words::action(self.frame.language, self.action)).body(html! {
                @for error in errors { (Notice::danger(error.reason.as_str())) }
                (self.words())
            }),
        };
        self.page(case, &html! { (body) })
    }

    /// What somebody else did meanwhile, and the form with what was typed.
    fn conflict(&self, case: &Case) -> Markup {
        let language = self.frame.language;
        let texts = Texts::of(language);
        // Each version brought an event at least; what the caller did on the line counts too.
        let news = usize::try_from(case.dossier.version.saturating_sub(self.seen)).unwrap_or(1).max(1);
        let events = &case.dossier.events;
        let since = events.get(events.len().saturating_sub(news)..).unwrap_or_default();
        let who = since.last().map_or(texts.somebody.to_owned(), |event| case.happened(language, event).0);
        let offer = case.offers.iter().find(|offer| offer.action == self.action);
        let body = html! {
            (Notice::warning(fill(texts.act_conflict, &[("who", &who)])).body(html! {
                p { (if offer.is_some() { texts.act_conflict_text } else { texts.act_conflict_gone }) }
            }))
            (Card::new(texts.since_then).body(case.timeline(language, since)))
            @match offer {
                Some(offer) => {
                    (Card::new(words::action(language, self.action))
                        .body(case::action_form(self.frame, case, offer, self.typed, &[])))
                }
                None => { (self.words()) }
            }
        };
        self.page(case, &body)
    }

    /// What was typed, where there is no form for it any more.
    fn words(&self) -> Markup {
        let texts = Texts::of(self.frame.language);
        let typed: Vec<&str> = self
            .typed
            .iter()
            .filter(|(name, value)| !matches!(*name, "csrf" | "action" | "version") && !value.trim().is_empty())
            .map(|(_, value)| value)
            .collect();
        html! {
            @if !typed.is_empty() {
                (Card::new(texts.your_words).body(html! { @for text in &typed { (paragraphs(text)) } }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::denial::Ground;
    use domain::desk::Denial;
    use domain::language::Language;
    use domain::request::Kind;

    use super::*;
    use crate::case::tests::{after, case, frame, main};

    const NOW: &str = "2026-11-20T18:00:00Z";

    fn again<'a>(frame: &'a Frame, action: Action, typed: &'a Fields) -> Again<'a> {
        Again { frame, action, typed, seen: 1 }
    }

    #[test]
    fn a_form_that_is_not_right_comes_back_with_its_errors_beside_the_fields() {
        let case = case(Kind::Delete, NOW);
        let typed: Fields = [("done", "Deleted <i>all</i>."), ("except", "on")].into_iter().collect();
        let decision =
            case::decision(Action::Complete, &typed, &case.account.team, Texts::of(Language::English)).unwrap();
        let who = Actor::User { id: "u".into() };
        let refusal = desk::decide(&case.standing, &decision, who, NOW.parse().unwrap()).unwrap_err();
        let errors = errors(Language::English, &refusal);
        let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["identity", "explanation", "ground"]);
        let frame = frame(Language::English);
        insta::assert_snapshot!(main(&again(&frame, Action::Complete, &typed).wrong(&case, &errors)));
    }

    #[test]
    fn whoever_comes_second_is_told_who_was_faster_and_keeps_what_they_typed() {
        let denial = Denial {
            ground: Some(Ground::NotVerified),
            explanation: "Nobody answered.".into(),
            offered: "An opt-out of sale.".into(),
        };
        let case = after(case(Kind::Delete, NOW), &Decision::Deny(denial), NOW);
        let typed: Fields = [("done", "Deleted <i>all</i>."), ("csrf", "secret")].into_iter().collect();
        let frame = frame(Language::English);
        let page = main(&again(&frame, Action::Complete, &typed).conflict(&case));
        assert!(!page.contains("<i>all") && !page.contains("secret"), "{page}");
        insta::assert_snapshot!(page);
    }

    #[test]
    fn what_can_still_be_done_can_be_sent_again() {
        let assign = Decision::Assign { to: None };
        let case = after(case(Kind::Delete, NOW), &assign, NOW);
        let typed: Fields = [("told", "By letter.")].into_iter().collect();
        let frame = frame(Language::Spanish);
        let page = main(&again(&frame, Action::Withdraw, &typed).conflict(&case));
        assert!(page.contains("name=\"version\" value=\"2\""), "the form is about what is there now: {page}");
    }
}
