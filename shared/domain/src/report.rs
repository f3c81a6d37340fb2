//! Reports of numbers by mail: when one is due, which days it covers, and what it may say.
//!
//! A mail lies open on its way and on many screens, so it holds numbers and no person, and no number so small that it
//! could be about one: see [`SMALLEST_GROUP`]. Zero is no group and may be said. What is held back cannot be got by
//! subtraction either: of a whole and its part, the rest is a group too, and kinds that are too few are counted together
//! with one more until they are enough.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::metrics::{Bucket, Counter};
use crate::request::Kind;
use crate::service_code::ServiceCode;
use crate::user::{Preferences, ReportFrequency};

/// The fewest requests that are told as a number. Of fewer than five, whoever knows the business's customers can often tell
/// who it was; it is the threshold at which official statistics suppress the cells of a table (US Department of Education,
/// "Statistical Methods for Protecting Personally Identifiable Information in Aggregate Reporting", 2011).
pub const SMALLEST_GROUP: u64 = 5;

/// Longer than any time between two reports, in days.
const FAR: i64 = 40;

/// The days that a report covers, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    /// The first.
    pub first: Date,
    /// The last.
    pub last: Date,
}

impl Period {
    /// The days that a report of a date is about: the day, the week or the month before. Nothing where none is sent then.
    #[must_use]
    pub fn of(frequency: ReportFrequency, date: Date) -> Option<Self> {
        let last = date.yesterday().ok()?;
        let first = match frequency {
            ReportFrequency::Daily => last,
            ReportFrequency::Weekly if date.weekday() == jiff::civil::Weekday::Monday => date - 7.days(),
            ReportFrequency::Monthly if date.day() == 1 => last.first_of_month(),
            ReportFrequency::Never | ReportFrequency::Weekly | ReportFrequency::Monthly => return None,
        };
        Some(Self { first, last })
    }

    /// As many days as this, or the month, just before it.
    #[must_use]
    pub fn before(self) -> Self {
        let last = self.first - 1.day();
        let month = self.first.day() == 1 && self.last == self.first.last_of_month();
        let first = if month { last.first_of_month() } else { last - (self.last - self.first) };
        Self { first, last }
    }

    /// Whether a day is one of them.
    #[must_use]
    pub fn has(self, day: Date) -> bool {
        (self.first..=self.last).contains(&day)
    }
}

/// `2026-11-16..2026-11-22`.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.first, self.last)
    }
}

/// A report that somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub at: Timestamp,
    /// About which days.
    pub period: Period,
}

/// The next report after a time; nothing where none is wanted.
#[must_use]
pub fn next(wanted: &Preferences, after: Timestamp, zone: &TimeZone) -> Option<Due> {
    let today = after.to_zoned(zone.clone()).date();
    let due = |days: i64| on(wanted, today.checked_add(days.days()).ok()?, zone);
    (-1..FAR).filter_map(due).find(|due| due.at > after)
}

/// The last report that was due at a time or before; nothing where none is wanted.
#[must_use]
pub fn latest(wanted: &Preferences, until: Timestamp, zone: &TimeZone) -> Option<Due> {
    let today = until.to_zoned(zone.clone()).date();
    let due = |days: i64| on(wanted, today.checked_sub(days.days()).ok()?, zone);
    (-1..FAR).filter_map(due).find(|due| due.at <= until)
}

/// The report of a date. An hour that the clocks leave out on that day begins when they go on; of one that comes twice it is
/// the first.
fn on(wanted: &Preferences, date: Date, zone: &TimeZone) -> Option<Due> {
    let period = Period::of(wanted.reports, date)?;
    let hour = i8::try_from(wanted.hour).ok().filter(|hour| (0..24).contains(hour))?;
    let at = date.at(hour, 0, 0, 0).to_zoned(zone.clone()).ok()?.timestamp();
    Some(Due { at, period })
}

/// How many, as far as it may be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Count {
    /// None.
    Zero,
    /// Some, and fewer than [`SMALLEST_GROUP`].
    Few,
    /// So many.
    Exactly(u64),
}

impl Count {
    /// What may be said of a number.
    #[must_use]
    pub const fn of(count: u64) -> Self {
        match count {
            0 => Self::Zero,
            few if few < SMALLEST_GROUP => Self::Few,
            count => Self::Exactly(count),
        }
    }
}

/// How many of a whole, as far as it may be said: neither it nor the rest is told where it is too small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// None of them.
    Zero,
    /// Fewer than [`SMALLEST_GROUP`].
    Few,
    /// Neither none nor all.
    Some,
    /// So many.
    Exactly(u64),
    /// All but fewer than [`SMALLEST_GROUP`].
    AllButFew,
    /// All of them.
    All,
}

impl Part {
    /// What may be said of a part of a whole.
    #[must_use]
    pub const fn of(part: u64, whole: u64) -> Self {
        let rest = whole.saturating_sub(part);
        let (small, almost_all) = (part < SMALLEST_GROUP, rest < SMALLEST_GROUP);
        match (part, rest) {
            (0, _) => Self::Zero,
            (_, 0) => Self::All,
            // Of a small whole, "few" or "all but few" would leave less than four numbers that it could be, or only one.
            _ if (small || almost_all) && whole < 2 * SMALLEST_GROUP - 1 => Self::Some,
            _ if small => Self::Few,
            _ if almost_all => Self::AllButFew,
            _ => Self::Exactly(part),
        }
    }
}

/// A whole by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Split {
    /// The kinds that are told each, in the order of the menu.
    pub kinds: BTreeMap<Kind, u64>,
    /// All others together: none, or at least [`SMALLEST_GROUP`] of at least two kinds.
    pub others: u64,
}

impl Split {
    /// What may be said of numbers by kind; nothing at all where there are too few of them together.
    ///
    /// Small kinds are counted together. Their sum must leave open what each of them is, so it is neither the least nor the
    /// most that so many small numbers can come to, and enough by itself; else the smallest kind that is not small is counted
    /// with them, and every other of the same size: which of them it was is then open.
    #[must_use]
    pub fn of(counts: &BTreeMap<Kind, u64>) -> Option<Self> {
        let there = || counts.iter().filter(|(_, count)| **count > 0);
        if there().map(|(_, count)| count).sum::<u64>() < SMALLEST_GROUP {
            return None;
        }
        let small = || there().map(|(_, count)| *count).filter(|count| *count < SMALLEST_GROUP);
        let (sum, many) = (small().sum::<u64>(), small().map(|_| 1).sum::<u64>());
        let open = sum >= SMALLEST_GROUP && many < sum && sum < many * (SMALLEST_GROUP - 1);
        let told_from = if many == 0 || open {
            SMALLEST_GROUP
        } else {
            let next = there().map(|(_, count)| *count).filter(|count| *count >= SMALLEST_GROUP).min();
            next.map_or(u64::MAX, |next| next + 1)
        };
        let (kinds, others): (BTreeMap<_, _>, BTreeMap<_, _>) = there().partition(|(_, count)| **count >= told_from);
        Some(Self { kinds, others: others.values().sum() })
    }
}

/// What is told of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Which.
    pub period: Period,
    /// Requests that were received.
    pub received: Count,
    /// The same by kind; nothing where there are too few.
    pub kinds: Option<Split>,
    /// Requests that were answered.
    pub answered: Count,
    /// How many of those on time.
    pub on_time: Part,
    /// In hundredths, rounded down, where both numbers may be said.
    pub on_time_percent: Option<u64>,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The period that it is about.
    pub now: Told,
    /// The one before.
    pub before: Told,
    /// Requests that are open.
    pub open: Count,
    /// How many of those are overdue.
    pub overdue: Part,
}

/// The numbers of a period as they are.
#[derive(Debug, Default)]
struct Figures {
    received: BTreeMap<Kind, u64>,
    on_time: u64,
    late: u64,
}

impl Figures {
    fn told(&self, period: Period) -> Told {
        let answered = self.on_time.saturating_add(self.late);
        let on_time = Part::of(self.on_time, answered);
        let percent = || (self.on_time * 100).checked_div(answered);
        Told {
            period,
            received: Count::of(self.received.values().sum()),
            kinds: Split::of(&self.received),
            answered: Count::of(answered),
            on_time,
            on_time_percent: match (Count::of(answered), on_time) {
                (Count::Exactly(_), Part::Zero | Part::Exactly(_) | Part::All) => percent(),
                _ => None,
            },
        }
    }
}

impl Report {
    /// The names of the buckets that a report is made of: from, and to, of each sort.
    #[must_use]
    pub fn buckets(period: Period) -> [(String, String); 3] {
        let (first, last) = (period.before().first, period.last);
        [
            (Bucket::Received(first).to_string(), Bucket::Received(last).to_string()),
            (Bucket::Closed(first).to_string(), Bucket::Closed(last).to_string()),
            (Bucket::Due(Date::ZERO).to_string(), "due#~".to_owned()),
        ]
    }

    /// From the counters of [`Self::buckets`], in any order. No service code means all of them.
    #[must_use]
    pub fn new(
        period: Period,
        today: Date,
        codes: &[ServiceCode],
        counters: impl IntoIterator<Item = (Bucket, Counter, i64)>,
    ) -> Self {
        let before = period.before();
        let (mut this, mut last) = (Figures::default(), Figures::default());
        let (mut open, mut overdue) = (0_u64, 0_u64);
        for (bucket, counter, count) in counters {
            // A counter can be below zero for a moment, while changes are still being counted.
            let Ok(count) = u64::try_from(count) else { continue };
            let day = match bucket {
                Bucket::Received(day) | Bucket::Closed(day) | Bucket::Due(day) => day,
                Bucket::Year(_) => continue,
            };
            let kind = match &counter {
                Counter::Kind(kind) if codes.is_empty() => Some(*kind),
                Counter::CodeKind(code, kind) if codes.contains(code) => Some(*kind),
                _ => None,
            };
            if let (Bucket::Due(due), Some(_)) = (bucket, kind) {
                open += count;
                overdue += if due < today { count } else { 0 };
                continue;
            }
            let figures = match day {
                day if period.has(day) => &mut this,
                day if before.has(day) => &mut last,
                _ => continue,
            };
            match (bucket, counter) {
                (Bucket::Received(_), _) => {
                    if let Some(kind) = kind {
                        *figures.received.entry(kind).or_default() += count;
                    }
                }
                (_, Counter::OnTime(_)) if codes.is_empty() => figures.on_time += count,
                (_, Counter::Late(_)) if codes.is_empty() => figures.late += count,
                (_, Counter::CodeOnTime(code)) if codes.contains(&code) => figures.on_time += count,
                (_, Counter::CodeLate(code)) if codes.contains(&code) => figures.late += count,
                _ => {}
            }
        }
        Self {
            now: this.told(period),
            before: last.told(before),
            open: Count::of(open),
            overdue: Part::of(overdue, open),
        }
    }
}

#[cfg(test)]
mod tests;
