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

/// A page in the name of the business, where it is known; of nobody, where it is not.
pub(crate) fn page(visit: &Visit, account: Option<&ServiceCodeAccount>, title: &str, main: &Markup) -> Page {
    let language = visit.language;
    let offered = account.map_or(Language::ALL.to_vec(), |account| account.code.languages.clone());
    let languages = offered.into_iter().map(|it| (it, with_query(&visit.path, &[("lang", it.code())]))).collect();
    let site = Site {
        language,
        languages,
        business: account.map(|account| account.code.name.clone()).unwrap_or_default(),
        colour: account.and_then(|account| account.code.accent),
        embedded: false,
        gpc: visit.honored,
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
