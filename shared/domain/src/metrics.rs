//! The log that 11 CCR 7101 has a business keep, the figures that 7102 has it publish, and the counters behind both.
//!
//! A request's [`Facts`] count in a few buckets. When they change, the [`Delta`]s take them out of their old places and
//! put them into the new ones, so that the counters always equal a recount, whatever happened and in whatever order.
//!
//! What is counted in which year: a request in the year it was received, an answer in the year it was given. The
//! figures of a year that has ended therefore change only when something is corrected.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize, Serializer};

use crate::clock::Urgency;
use crate::denial::{Category, Ground};
use crate::jurisdiction::Jurisdiction;
use crate::language::Words;
use crate::request::{Channel, Kind, Outcome, State};
use crate::service_code::ServiceCode;

/// What counts of a request; nothing of it is personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Its kind.
    pub kind: Kind,
    /// Its state.
    pub state: State,
    /// How it came in.
    pub channel: Channel,
    /// To which service code.
    pub code: ServiceCode,
    /// The day of receipt, in the tenant's time zone.
    pub received_on: Date,
    /// The last day to answer.
    pub respond_by: Date,
    /// The last day to confirm the receipt; `None` once that is done, or where no law asks for it.
    pub confirm_by: Option<Date>,
    /// The day of the response; `None` while it is open.
    pub closed_on: Option<Date>,
    /// How it was answered; `None` while it is open.
    pub outcome: Option<Outcome>,
    /// On which ground it, or a part of it, was refused.
    pub ground: Option<Ground>,
    /// Where the person lives, as far as is known.
    pub residence: Option<Jurisdiction>,
}

impl Facts {
    /// Every place where the request counts once.
    #[must_use]
    pub fn counts(&self) -> Vec<(Bucket, Counter)> {
        let kind = self.kind;
        let received = Bucket::Received(self.received_on);
        let mut counts = vec![
            (received, Counter::Kind(kind)),
            (received, Counter::Channel(self.channel)),
            (received, Counter::Code(self.code.clone())),
            (received, Counter::CodeKind(self.code.clone(), kind)),
        ];
        let mut figures = vec![(self.received_on.year(), Figure::Received)];
        match (self.closed_on, self.outcome) {
            (Some(closed_on), Some(outcome)) => {
                let closed = Bucket::Closed(closed_on);
                counts.push((closed, Counter::Kind(kind)));
                if outcome.is_response() {
                    let late = closed_on > self.respond_by;
                    counts.push((closed, if late { Counter::Late(kind) } else { Counter::OnTime(kind) }));
                    let code = self.code.clone();
                    counts.push((closed, if late { Counter::CodeLate(code) } else { Counter::CodeOnTime(code) }));
                }
                figures.extend(self.figures_of_the_end(closed_on, outcome).map(|figure| (closed_on.year(), figure)));
            }
            // Nobody ever answered it, and nothing is due any more: it lies in the recycle bin.
            _ if !self.state.is_open() => {}
            _ => {
                // What is due next: the confirmation while nobody sent it, else the answer.
                let due = Bucket::Due(self.confirm_by.map_or(self.respond_by, |confirm| confirm.min(self.respond_by)));
                counts.push((due, Counter::Kind(kind)));
                counts.push((due, Counter::State(self.state)));
                counts.push((due, Counter::CodeKind(self.code.clone(), kind)));
            }
        }
        for (year, figure) in figures {
            for scope in Scope::of(self.residence) {
                counts.push((Bucket::Year(year), Counter::Statutory { scope, kind, figure }));
            }
        }
        counts
    }

    fn figures_of_the_end(&self, closed_on: Date, outcome: Outcome) -> impl Iterator<Item = Figure> {
        let refused = matches!(outcome, Outcome::Denied | Outcome::CompliedInPart)
            .then(|| Figure::Refused(self.ground.map_or(Category::Other, Ground::category)));
        let days = (closed_on - self.received_on).get_days();
        let days = outcome.is_response().then(|| Figure::Days(u16::try_from(days.max(0)).unwrap_or(u16::MAX)));
        [Some(Figure::from(outcome)), refused, days].into_iter().flatten()
    }
}

/// A request before and after something happened to it: absent before it was made, and after it was erased.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// Before.
    pub before: Option<Facts>,
    /// After.
    pub after: Option<Facts>,
}

impl Change {
    /// What is to be added to which counter, in the order of the buckets; nothing that stays as it is.
    #[must_use]
    pub fn deltas(&self) -> Vec<Delta> {
        let mut sums: BTreeMap<(Bucket, Counter), i64> = BTreeMap::new();
        for (facts, by) in [(&self.before, -1), (&self.after, 1)] {
            for place in facts.iter().flat_map(Facts::counts) {
                *sums.entry(place).or_default() += by;
            }
        }
        let changed = sums.into_iter().filter(|(_, by)| *by != 0);
        changed.map(|((bucket, counter), by)| Delta { bucket, counter, by }).collect()
    }
}

/// An amount to add to a counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    /// The item that holds the counter.
    pub bucket: Bucket,
    /// The counter.
    pub counter: Counter,
    /// The amount, never 0.
    pub by: i64,
}

/// What a set of counters is kept for. Its name (`year#2026`, `due#2026-11-21`) sorts by date within its sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// The figures of a calendar year: [`Counter::Statutory`].
    Year(i16),
    /// What was received on a day: by kind, by channel, by service code, by both service code and kind.
    Received(Date),
    /// What was closed on a day: by kind, and what was answered on time or late, also by service code.
    Closed(Date),
    /// What is open and due on a day: by kind, also by service code; by state.
    Due(Date),
}

impl Bucket {
    /// The bucket with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (sort, of) = name.split_once('#')?;
        let bucket = match sort {
            "year" => Self::Year(of.parse().ok()?),
            "received" => Self::Received(of.parse().ok()?),
            "closed" => Self::Closed(of.parse().ok()?),
            "due" => Self::Due(of.parse().ok()?),
            _ => return None,
        };
        // A year of `+2026`, or a date in another of its spellings, is not ours.
        (bucket.to_string() == name).then_some(bucket)
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Year(year) => write!(f, "year#{year:04}"),
            Self::Received(day) => write!(f, "received#{day}"),
            Self::Closed(day) => write!(f, "closed#{day}"),
            Self::Due(day) => write!(f, "due#{day}"),
        }
    }
}

/// One counter of a bucket, by its name (`us-ca.delete.received`, `all.delete.days.12`, `kind.delete`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counter {
    /// A figure of the yearly report.
    Statutory {
        /// Whose requests.
        scope: Scope,
        /// Of which kind.
        kind: Kind,
        /// Which figure.
        figure: Figure,
    },
    /// Requests of a kind.
    Kind(Kind),
    /// Requests by a channel.
    Channel(Channel),
    /// Requests to a service code.
    Code(ServiceCode),
    /// Requests of a kind to a service code.
    CodeKind(ServiceCode, Kind),
    /// Requests to a service code that were answered on the last day or before.
    CodeOnTime(ServiceCode),
    /// Requests to a service code that were answered later.
    CodeLate(ServiceCode),
    /// Requests of a kind that were answered on the last day or before.
    OnTime(Kind),
    /// Requests of a kind that were answered later.
    Late(Kind),
    /// Open requests in a state.
    State(State),
}

impl Counter {
    /// The counter with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (first, rest) = name.split_once('.')?;
        if let Some(scope) = Scope::parse(first) {
            let (kind, figure) = rest.split_once('.')?;
            return Some(Self::Statutory { scope, kind: Kind::parse(kind)?, figure: Figure::parse(figure)? });
        }
        match first {
            "kind" => Kind::parse(rest).map(Self::Kind),
            "channel" => Channel::parse(rest).map(Self::Channel),
            "code" => ServiceCode::parse(rest).ok().map(Self::Code),
            "code-kind" => {
                let (code, kind) = rest.split_once('.')?;
                Some(Self::CodeKind(ServiceCode::parse(code).ok()?, Kind::parse(kind)?))
            }
            "code-on-time" => ServiceCode::parse(rest).ok().map(Self::CodeOnTime),
            "code-late" => ServiceCode::parse(rest).ok().map(Self::CodeLate),
            "on-time" => Kind::parse(rest).map(Self::OnTime),
            "late" => Kind::parse(rest).map(Self::Late),
            "state" => State::parse(rest).map(Self::State),
            _ => None,
        }
    }
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Statutory { scope, kind, figure } => write!(f, "{scope}.{kind}.{figure}"),
            Self::Kind(kind) => write!(f, "kind.{kind}"),
            Self::Channel(channel) => write!(f, "channel.{channel}"),
            Self::Code(code) => write!(f, "code.{code}"),
            Self::CodeKind(code, kind) => write!(f, "code-kind.{code}.{kind}"),
            Self::CodeOnTime(code) => write!(f, "code-on-time.{code}"),
            Self::CodeLate(code) => write!(f, "code-late.{code}"),
            Self::OnTime(kind) => write!(f, "on-time.{kind}"),
            Self::Late(kind) => write!(f, "late.{kind}"),
            Self::State(state) => write!(f, "state.{state}"),
        }
    }
}

/// Whose requests are counted: 11 CCR 7102(b) lets a business publish those of all individuals if it says so, and has
/// it keep those of Californians all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Those of people known to live in California.
    #[serde(rename = "us-ca")]
    California,
    /// Those of all individuals.
    #[serde(rename = "all")]
    All,
    /// Those of people of whom it is not known where they live.
    #[serde(rename = "unknown")]
    Unknown,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::California, Self::All, Self::Unknown];

    /// The scopes in which a person's request counts.
    fn of(residence: Option<Jurisdiction>) -> impl Iterator<Item = Self> {
        let narrow = match residence {
            Some(Jurisdiction::UsCa) => Some(Self::California),
            Some(_) => None,
            None => Some(Self::Unknown),
        };
        [Some(Self::All), narrow].into_iter().flatten()
    }

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::California => "us-ca",
            Self::All => "all",
            Self::Unknown => "unknown",
        }
    }

    /// The scope with this stored name.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.code() == code)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A figure of the yearly report: 11 CCR 7102(a).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Figure {
    /// Received in the year.
    Received,
    /// Complied with in whole, in the year.
    CompliedInWhole,
    /// Complied with in part.
    CompliedInPart,
    /// Denied in whole.
    Denied,
    /// Taken back by the person.
    Withdrawn,
    /// Denied in whole or in part, under one of the regulation's headings.
    Refused(Category),
    /// Answered so many calendar days after the day of receipt.
    Days(u16),
}

impl Figure {
    fn parse(name: &str) -> Option<Self> {
        match name.split_once('.') {
            Some(("refused", category)) => Category::parse(category).map(Self::Refused),
            Some(("days", days)) => {
                let read = days.parse().ok()?;
                (days == format!("{read}")).then_some(Self::Days(read))
            }
            Some(_) => None,
            None if name == "received" => Some(Self::Received),
            None => Outcome::parse(name).map(Self::from),
        }
    }
}

impl From<Outcome> for Figure {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::CompliedInWhole => Self::CompliedInWhole,
            Outcome::CompliedInPart => Self::CompliedInPart,
            Outcome::Denied => Self::Denied,
            Outcome::Withdrawn => Self::Withdrawn,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Received => f.write_str("received"),
            Self::CompliedInWhole => Outcome::CompliedInWhole.fmt(f),
            Self::CompliedInPart => Outcome::CompliedInPart.fmt(f),
            Self::Denied => Outcome::Denied.fmt(f),
            Self::Withdrawn => Outcome::Withdrawn.fmt(f),
            Self::Refused(category) => write!(f, "refused.{category}"),
            Self::Days(days) => write!(f, "days.{days}"),
        }
    }
}

/// The figures of one sort of request in one year.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Tally {
    /// Received.
    pub received: u64,
    /// Complied with in whole.
    pub complied_in_whole: u64,
    /// Complied with in part.
    pub complied_in_part: u64,
    /// Denied in whole.
    pub denied: u64,
    /// Taken back by the person.
    pub withdrawn: u64,
    /// Denied in whole or in part, by heading. Their sum is `denied` and `complied_in_part` together.
    pub refused: BTreeMap<Category, u64>,
    /// How many were answered after how many calendar days.
    pub days: BTreeMap<u16, u64>,
}

impl Tally {
    /// Adds to a figure. A counter that is below zero, as it can be while changes are still under way, adds nothing.
    pub fn add(&mut self, figure: Figure, count: i64) {
        let Ok(count) = u64::try_from(count) else { return };
        let place = match figure {
            Figure::Received => &mut self.received,
            Figure::CompliedInWhole => &mut self.complied_in_whole,
            Figure::CompliedInPart => &mut self.complied_in_part,
            Figure::Denied => &mut self.denied,
            Figure::Withdrawn => &mut self.withdrawn,
            Figure::Refused(category) => self.refused.entry(category).or_default(),
            Figure::Days(days) => self.days.entry(days).or_default(),
        };
        *place = place.saturating_add(count);
    }

    /// Complied with in whole or in part: the one number that 11 CCR 7102(a)(1) asks for.
    #[must_use]
    pub const fn complied(&self) -> u64 {
        self.complied_in_whole.saturating_add(self.complied_in_part)
    }

    /// Substantively answered: complied with or denied.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.days.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The median of the days to the answer, exactly: of an even number, halfway between the two in the middle.
    #[must_use]
    pub fn median(&self) -> Option<Days> {
        let last = self.answered().checked_sub(1)?;
        let (lower, upper) = (self.nth(last / 2)?, self.nth(last.div_ceil(2))?);
        Some(Days { hundredths: (u64::from(lower) + u64::from(upper)) * 50 })
    }

    /// The mean of the days to the answer, rounded half up to a hundredth of a day.
    #[must_use]
    pub fn mean(&self) -> Option<Days> {
        let count = u128::from(self.answered());
        let sum: u128 = self.days.iter().map(|(days, count)| u128::from(*days) * u128::from(*count)).sum();
        let hundredths = (sum * 200 + count).checked_div(count * 2)?;
        u64::try_from(hundredths).ok().map(|hundredths| Days { hundredths })
    }

    /// The days to the answer that came at this place, counted from 0, when sorted.
    fn nth(&self, place: u64) -> Option<u16> {
        let mut before = 0_u64;
        self.days.iter().find_map(|(days, count)| {
            before = before.saturating_add(*count);
            (place < before).then_some(*days)
        })
    }
}

/// A length of time in calendar days, to a hundredth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Days {
    hundredths: u64,
}

impl Days {
    /// In hundredths of a day.
    #[must_use]
    pub const fn hundredths(self) -> u64 {
        self.hundredths
    }
}

/// `12`, `12.5` or `12.67`.
impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.hundredths / 100, self.hundredths % 100);
        match rest {
            0 => write!(f, "{whole}"),
            rest if rest % 10 == 0 => write!(f, "{whole}.{}", rest / 10),
            rest => write!(f, "{whole}.{rest:02}"),
        }
    }
}

/// As text, so that no reader rounds it.
impl Serialize for Days {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The sorts of request that 11 CCR 7102(a)(1) has counted, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// Requests to delete.
    Delete,
    /// Requests to correct.
    Correct,
    /// Requests to know, of categories and of specific pieces together.
    Know,
    /// Requests to opt out of sale and sharing.
    OptOut,
    /// Requests to limit.
    Limit,
}

impl Sort {
    /// Every sort, in the regulation's order.
    pub const ALL: [Self; 5] = [Self::Delete, Self::Correct, Self::Know, Self::OptOut, Self::Limit];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Correct => "correct",
            Self::Know => "know",
            Self::OptOut => "opt-out",
            Self::Limit => "limit",
        }
    }

    /// The kinds it takes together.
    #[must_use]
    pub const fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Delete => &[Kind::Delete],
            Self::Correct => &[Kind::Correct],
            Self::Know => &[Kind::KnowCategories, Kind::KnowSpecific],
            Self::OptOut => &[Kind::OptOut],
            Self::Limit => &[Kind::Limit],
        }
    }

    /// Where the regulation asks for it.
    #[must_use]
    pub const fn citation(self) -> &'static str {
        match self {
            Self::Delete => "11 CCR 7102(a)(1)(A)",
            Self::Correct => "11 CCR 7102(a)(1)(B)",
            Self::Know => "11 CCR 7102(a)(1)(C)",
            Self::OptOut => "11 CCR 7102(a)(1)(D)",
            Self::Limit => "11 CCR 7102(a)(1)(E)",
        }
    }
}

/// The metrics of a calendar year: 11 CCR 7102(a)(1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// The year.
    pub year: i16,
    /// Whose requests.
    pub scope: Scope,
    /// One row for each sort of request, in the regulation's order.
    pub rows: Vec<Row>,
    /// Messages received in the year, whoever left them, that were not filed as a request: they are in no row.
    pub unclassified: u64,
    /// Requests received in the year from people of whom it is not known where they live. They are in the rows for all
    /// individuals, and not in those for California.
    pub residence_unknown: u64,
}

/// One sort of request in a [`Report`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Row {
    /// Which.
    pub sort: Sort,
    /// Its figures.
    pub tally: Tally,
    /// The median of the days to the answer; absent where none was given.
    pub median_days: Option<Days>,
    /// The mean of the days to the answer; absent where none was given.
    pub mean_days: Option<Days>,
    /// Where it takes several kinds together, the figures of each.
    pub split: Vec<(Kind, Tally)>,
}

impl Report {
    /// The report of a year, from the counters of its bucket in any order.
    #[must_use]
    pub fn for_year(year: i16, scope: Scope, counters: impl IntoIterator<Item = (Counter, i64)>) -> Self {
        let mut tallies: BTreeMap<Kind, Tally> = BTreeMap::new();
        let (mut unclassified, mut residence_unknown) = (Tally::default(), Tally::default());
        for (counter, count) in counters {
            let Counter::Statutory { scope: of, kind, figure } = counter else { continue };
            if of == scope {
                tallies.entry(kind).or_default().add(figure, count);
            }
            match (of, kind) {
                (Scope::All, Kind::Message) => unclassified.add(figure, count),
                (Scope::Unknown, kind) if kind != Kind::Message => residence_unknown.add(figure, count),
                _ => {}
            }
        }
        let of = |kind: &Kind| tallies.get(kind).cloned().unwrap_or_default();
        let row = |sort: Sort| {
            let split: Vec<_> = sort.kinds().iter().map(|kind| (*kind, of(kind))).collect();
            let tally = split.iter().fold(Tally::default(), |sum, (_, tally)| sum.with(tally));
            let split = if split.len() > 1 { split } else { Vec::new() };
            Row { sort, median_days: tally.median(), mean_days: tally.mean(), tally, split }
        };
        Self {
            year,
            scope,
            rows: Sort::ALL.into_iter().map(row).collect(),
            unclassified: unclassified.received,
            residence_unknown: residence_unknown.received,
        }
    }

    /// What a reader of the figures must know, which 11 CCR 7102(b) in part demands.
    #[must_use]
    pub fn notes(&self) -> Vec<Words> {
        let mut notes = vec![Words {
            en: "A request counts in the year it was received, an answer in the year it was given. Days are calendar days from the day of receipt to the day of the answer.",
            es: "Una solicitud cuenta en el año en que se recibió y una respuesta en el año en que se dio. Los días son naturales, desde la recepción hasta la respuesta.",
        }];
        notes.push(match self.scope {
            Scope::All => Words {
                en: "The figures are of all individuals, not of California residents alone.",
                es: "Las cifras son de todas las personas, no solo de residentes de California.",
            },
            Scope::California => Words {
                en: "The figures are of people known to live in California.",
                es: "Las cifras son de personas de las que consta que viven en California.",
            },
            Scope::Unknown => Words {
                en: "The figures are of people of whom it is not known where they live.",
                es: "Las cifras son de personas de las que no consta dónde viven.",
            },
        });
        if self.unclassified > 0 {
            notes.push(Words {
                en: "Messages that were not classified as a request are not in these figures.",
                es: "Los mensajes que no se clasificaron como solicitud no están en estas cifras.",
            });
        }
        if self.scope == Scope::California && self.residence_unknown > 0 {
            notes.push(Words {
                en: "Requests of people of whom it is not known where they live are not in these figures.",
                es: "Las solicitudes de personas de las que no consta dónde viven no están en estas cifras.",
            });
        }
        notes
    }
}

impl Tally {
    /// Two sorts of request together.
    fn with(mut self, other: &Self) -> Self {
        let single = [
            (&mut self.received, other.received),
            (&mut self.complied_in_whole, other.complied_in_whole),
            (&mut self.complied_in_part, other.complied_in_part),
            (&mut self.denied, other.denied),
            (&mut self.withdrawn, other.withdrawn),
        ];
        for (sum, more) in single {
            *sum = sum.saturating_add(more);
        }
        for (category, more) in &other.refused {
            let sum = self.refused.entry(*category).or_default();
            *sum = sum.saturating_add(*more);
        }
        for (days, more) in &other.days {
            let sum = self.days.entry(*days).or_default();
            *sum = sum.saturating_add(*more);
        }
        self
    }
}

/// Open requests by how soon they are due, and by kind, from the counters of the buckets [`Bucket::Due`].
#[must_use]
pub fn open_by_urgency(
    today: Date,
    counters: impl IntoIterator<Item = (Bucket, Counter, i64)>,
) -> BTreeMap<Urgency, BTreeMap<Kind, i64>> {
    let mut open: BTreeMap<Urgency, BTreeMap<Kind, i64>> = BTreeMap::new();
    for (bucket, counter, count) in counters {
        if let (Bucket::Due(due), Counter::Kind(kind)) = (bucket, counter) {
            *open.entry(Urgency::of(today, due)).or_default().entry(kind).or_default() += count;
        }
    }
    open
}

/// A line of the log that 11 CCR 7101(b) has a business keep for 24 months.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LogRow {
    /// The request's reference number.
    pub reference: String,
    /// The date of the request.
    pub received_on: Date,
    /// Its nature.
    pub kind: Kind,
    /// The manner in which it was made.
    pub channel: Channel,
    /// The date of the response; `None` while it is open.
    pub responded_on: Option<Date>,
    /// The nature of the response; `None` while it is open.
    pub response: Option<Outcome>,
    /// The basis of the denial, where it was denied in whole or in part.
    pub basis: Option<Ground>,
}

impl LogRow {
    /// The line of a request.
    #[must_use]
    pub fn new(reference: impl Into<String>, facts: &Facts) -> Self {
        Self {
            reference: reference.into(),
            received_on: facts.received_on,
            kind: facts.kind,
            channel: facts.channel,
            responded_on: facts.closed_on,
            response: facts.outcome,
            basis: facts.ground,
        }
    }
}

#[cfg(test)]
mod tests;
