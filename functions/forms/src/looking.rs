//! What the pages of a request have in common: in whose name they are, and how dates are told.

use domain::clock::Clocks;
use domain::language::Language;
use domain::request::{Kind, Outcome, Progress};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use pages::consumer::{self, Site};
use pages::show::{self, Facts, Notice};
use pages::{fill, format};
use platform::edge::{Page, Visit, with_query};
use platform::store::ServiceCodeAccount;

use crate::case_texts::{Texts, asked};
use crate::site;

/// What of an address its page needs in another language, too. Never what was typed: a service code is there by a link.
const CARRIED: [&str; 2] = ["code", "sent"];

/// This page in another language.
fn here_in(visit: &Visit, language: Language) -> String {
    // A code that was not right comes back by a form, which says in itself where the code was sent.
    let sent = visit.form.get("sent");
    let query = |name: &'static str| match visit.query.get(name) {
        "" if name == "sent" => sent,
        there => there,
    };
    let carried = CARRIED.into_iter().map(|name| (name, query(name))).filter(|(_, value)| !value.is_empty());
    with_query(&visit.path, &carried.chain([("lang", language.code())]).collect::<Vec<_>>())
}

/// A page in the name of the business, where it is known; of nobody, where it is not.
pub(crate) fn page(visit: &Visit, account: Option<&ServiceCodeAccount>, title: &str, main: &Markup) -> Page {
    let language = visit.language;
    let languages = site::languages(account.map(|account| &account.code), |it| here_in(visit, it));
    let site = Site {
        language,
        languages,
        business: account.map(|account| account.code.name.clone()).unwrap_or_default(),
        colour: account.and_then(|account| account.code.accent),
        embedded: false,
        gpc: visit.honored,
        takes: true,
    };
    Page::html(consumer::page(&site, title, main))
}

/// The time zone of the business.
pub(crate) fn zone(account: &ServiceCodeAccount) -> TimeZone {
    account.tenant.tz().unwrap_or(TimeZone::UTC)
}

/// Where a request stands, as its facts and what happens next.
pub(crate) struct Told<'a> {
    pub(crate) language: Language,
    pub(crate) business: &'a str,
    pub(crate) kind: Kind,
    pub(crate) progress: Progress,
    pub(crate) clocks: &'a Clocks,
    pub(crate) closed: Option<(Date, Outcome)>,
    pub(crate) today: Date,
}

impl Told<'_> {
    fn fill(&self, text: &str) -> String {
        fill(text, &[("business", self.business)])
    }

    /// What happens next, or what became of it, as a sentence.
    pub(crate) fn next(&self) -> String {
        let texts = Texts::of(self.language);
        let text = match self.closed {
            Some((_, Outcome::CompliedInPart)) => texts.complied_in_part,
            _ => texts.standing(self.progress.state),
        };
        self.fill(text)
    }

    /// The dates, each with where the law says so.
    pub(crate) fn facts(&self) -> Facts {
        let (language, texts) = (self.language, Texts::of(self.language));
        let due = &self.clocks.respond_by;
        let note = if self.clocks.extended { texts.extended_note } else { texts.answer_by_note };
        let note = fill(note, &[("business", self.business), ("citation", &due.citation)]);
        let facts = Facts::new()
            .fact(texts.asks, html! { (asked(language, self.kind)) })
            .fact(texts.stands, show::state(language, self.progress.state))
            .fact(texts.received, show::day(language, self.clocks.received_on));
        match self.closed {
            Some((on, _)) => facts.fact(texts.answered, show::day(language, on)),
            None => facts.noted(
                self.fill(texts.answer_by),
                html! { strong { (format::long_date(language, due.date)) } },
                note,
            ),
        }
    }

    /// What happens next, and whether it should have happened before.
    pub(crate) fn notice(&self) -> Markup {
        let texts = Texts::of(self.language);
        let late = self.progress.state.is_open() && self.clocks.respond_by.date < self.today;
        html! {
            p.next { (self.next()) }
            @if late { (Notice::warning(self.fill(texts.late))) }
        }
    }
}

/// Today, where the business is.
pub(crate) fn today(account: &ServiceCodeAccount, at: Timestamp) -> Date {
    at.to_zoned(zone(account)).date()
}

#[cfg(test)]
mod tests {
    use platform::edge::Client;

    use super::*;

    fn visit(query: &[(&str, &str)], form: &[(&str, &str)]) -> Visit {
        let at = "2026-11-22T20:00:00Z".parse().unwrap();
        let mut visit = Visit::get("/status/identity", Language::English, Client::default(), "token", at);
        (visit.query, visit.form) = (query.iter().copied().collect(), form.iter().copied().collect());
        visit
    }

    #[test]
    fn a_page_in_another_language_still_knows_where_a_code_was_sent_and_says_no_code() {
        let asked = visit(&[("sent", "phone"), ("done", "x")], &[]);
        assert_eq!(here_in(&asked, Language::Spanish), "/status/identity?sent=phone&lang=es");
        let tried = visit(&[], &[("sent", "email"), ("code", "123456")]);
        assert_eq!(here_in(&tried, Language::Spanish), "/status/identity?sent=email&lang=es");
        assert_eq!(here_in(&visit(&[], &[]), Language::English), "/status/identity?lang=en");
    }
}
