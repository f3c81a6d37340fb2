//! What a night's comparison found: the ledger against itself, against Twilio's list of calls, and against Stripe.
//!
//! A comparison changes nothing but what was lost on the way: a call that Twilio lists and the ledger lacks is added.
//! Everything else that differs goes on a report, for people.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Batch, Meter, Unit};
use crate::usage::billed_minutes;

/// How many calls a report names; beyond that it only counts.
const MOST_NAMED: usize = 100;

/// What some calls come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Amount {
    /// How many.
    pub calls: u64,
    /// Their billed minutes.
    pub minutes: u64,
}

impl Amount {
    fn add(&mut self, minutes: u64) {
        self.calls += 1;
        self.minutes += minutes;
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { calls: self.calls + other.calls, minutes: self.minutes + other.minutes }
    }
}

/// A day's rows, counted one after the other, whatever their number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Rows {
    /// Calls that no batch has.
    pub unprocessed: Amount,
    /// Calls of each batch, and whether all of them are said to be at Stripe.
    pub batches: BTreeMap<u32, (Amount, bool)>,
    /// How many of all were added by the comparison with Twilio's list.
    pub found_at_twilio: u64,
}

impl Rows {
    /// Counts one more.
    pub fn add(&mut self, unit: Unit, minutes: u32, found_at_twilio: bool) {
        let minutes = u64::from(minutes);
        let (batch, processed) = match unit {
            Unit::Unprocessed => (None, false),
            Unit::Claimed { batch } => (Some(batch), false),
            Unit::Processed { batch } => (Some(batch), true),
        };
        match batch {
            None => self.unprocessed.add(minutes),
            Some(batch) => {
                let (amount, all) = self.batches.entry(batch).or_insert((Amount::default(), true));
                amount.add(minutes);
                *all &= processed;
            }
        }
        self.found_at_twilio += u64::from(found_at_twilio);
    }

    /// What all of them come to.
    #[must_use]
    pub fn all(&self) -> Amount {
        self.batches.values().fold(self.unprocessed, |sum, (amount, _)| sum.and(*amount))
    }

    fn of(&self, batch: u32) -> Amount {
        self.batches.get(&batch).map(|(amount, _)| *amount).unwrap_or_default()
    }
}

/// Something that should be the same and is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Difference {
    /// The day's sums are not those of its rows.
    Sums {
        /// What the rows come to.
        rows: Amount,
        /// What the sums say.
        sums: Amount,
    },
    /// A batch was counted with other calls than those that say they are in it.
    Batch {
        /// Its number.
        number: u32,
        /// What the rows come to.
        rows: Amount,
        /// What the batch says; nothing where there is no such batch.
        counted: Amount,
    },
    /// Stripe's sum is not what was sent.
    Stripe {
        /// Of which meter.
        meter: Meter,
        /// What Stripe shows.
        found: u64,
        /// What it should show.
        expected: u64,
    },
}

/// Holds a day's rows against its sums and its batches. A batch that is still being filled or counted anew is left out:
/// it is not wrong yet.
#[must_use]
pub fn differences<'a>(rows: &Rows, sums: Amount, batches: impl IntoIterator<Item = &'a Batch>) -> Vec<Difference> {
    let mut found = Vec::new();
    if rows.all() != sums {
        found.push(Difference::Sums { rows: rows.all(), sums });
    }
    let mut unknown = rows.batches.clone();
    for batch in batches {
        unknown.remove(&batch.number);
        let Some(content) = batch.content.as_ref().filter(|_| !batch.stale) else { continue };
        let counted = Amount { calls: content.calls, minutes: content.minutes };
        if counted != rows.of(batch.number) {
            found.push(Difference::Batch { number: batch.number, rows: rows.of(batch.number), counted });
        }
    }
    found.extend(unknown.into_iter().map(|(number, (rows, _))| Difference::Batch {
        number,
        rows,
        counted: Amount::default(),
    }));
    found
}

/// How far the comparison with Stripe came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AtStripe {
    /// Its sums were read and held against the batches.
    Compared,
    /// Its sums cannot be believed before this time.
    NotBefore(Timestamp),
    /// Its sums are no whole numbers, or less than nothing: they hold what was never sent.
    Unexplained,
    /// The tenant has no Stripe customer, so nothing can be there.
    NoCustomer,
    /// There is no Stripe account to ask.
    #[default]
    NotConnected,
}

/// What a night's comparison of a tenant's day found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DayCheck {
    /// When.
    pub at: Timestamp,
    /// What the ledger's rows come to.
    pub rows: Amount,
    /// How many of them no batch has.
    pub unprocessed: u64,
    /// How many were added by the comparison with Twilio's list.
    pub found_at_twilio: u64,
    /// How far the comparison with Stripe came.
    pub stripe: AtStripe,
    /// What differs.
    pub differences: Vec<Difference>,
}

impl DayCheck {
    /// How much of it nobody was told of when the day was compared before.
    #[must_use]
    pub fn news(&self, before: Option<&Self>) -> u64 {
        let known = |difference: &&Difference| before.is_some_and(|before| before.differences.contains(difference));
        let unexplained = |check: &Self| check.stripe == AtStripe::Unexplained;
        let differences = self.differences.iter().filter(|difference| !known(difference)).count();
        u64::try_from(differences).unwrap_or(u64::MAX)
            + u64::from(unexplained(self) && !before.is_some_and(unexplained))
    }
}

/// What the ledger has of a call that Twilio lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// How long it lasted, in seconds.
    pub seconds: u32,
    /// Its billed minutes.
    pub minutes: u32,
    /// Whether it was added by an earlier comparison.
    pub found_at_twilio: bool,
}

/// A call of which the ledger and Twilio say different things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CallDifference {
    /// Twilio's SID.
    pub call: String,
    /// Seconds in the ledger and at Twilio.
    pub seconds: (u32, u32),
    /// Billed minutes in the ledger and at Twilio.
    pub minutes: (u32, u32),
}

/// A day of Twilio's list held against the ledger: counts and SIDs, and no numbers of anybody's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ListCheck {
    /// When.
    pub at: Timestamp,
    /// Calls that Twilio lists as ended.
    pub listed: Amount,
    /// Calls that had not ended, or so shortly ago that their callback may be on its way.
    pub under_way: u64,
    /// Calls whose callback was lost, and that were added.
    pub added: u64,
    /// The first of them.
    pub added_calls: Vec<String>,
    /// Calls that lasted longer or shorter than the ledger says.
    pub differing: u64,
    /// The first of them.
    pub differing_calls: Vec<CallDifference>,
    /// How many such calls somebody was told of.
    #[serde(default)]
    pub told: u64,
    /// Where the list goes on, while the comparison is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl ListCheck {
    /// A comparison that begins, where one of before may have told of some calls that differ.
    #[must_use]
    pub fn begins(at: Timestamp, before: Option<&Self>) -> Self {
        Self { at, told: before.map(|before| before.told.max(before.differing)).unwrap_or_default(), ..Self::default() }
    }

    /// How many calls that differ nobody was told of. They are not told of again.
    pub fn news(&mut self) -> u64 {
        let news = self.differing.saturating_sub(self.told);
        self.told += news;
        news
    }

    /// Counts a call that has ended. Returns whether the ledger lacks it.
    pub fn ended(&mut self, call: &str, seconds: u32, kept: Option<Kept>) -> bool {
        let minutes = billed_minutes(seconds);
        self.listed.add(u64::from(minutes));
        let added = kept.is_none_or(|kept| kept.found_at_twilio);
        if added {
            self.added += 1;
            if self.added_calls.len() < MOST_NAMED {
                self.added_calls.push(call.to_owned());
            }
        }
        if let Some(kept) = kept.filter(|kept| (kept.seconds, kept.minutes) != (seconds, minutes)) {
            self.differing += 1;
            if self.differing_calls.len() < MOST_NAMED {
                let (seconds, minutes) = ((kept.seconds, seconds), (kept.minutes, minutes));
                self.differing_calls.push(CallDifference { call: call.to_owned(), seconds, minutes });
            }
        }
        kept.is_none()
    }

    /// How much of it a person should look at: lost callbacks and calls that differ.
    #[must_use]
    pub const fn findings(&self) -> u64 {
        self.added + self.differing
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::billing::{Counting, Event};

    const fn amount(calls: u64, minutes: u64) -> Amount {
        Amount { calls, minutes }
    }

    fn batch(number: u32, calls: &[u32]) -> Batch {
        let mut counting = Counting::default();
        for (place, minutes) in calls.iter().enumerate() {
            counting.add(&format!("CA{number}{place:04}"), *minutes).unwrap();
        }
        let open = Batch::open("t-a", date(2026, 11, 20), number, 1);
        open.next(Event::Counted { fence: 1, content: counting.finish().unwrap() }).unwrap()
    }

    #[test]
    fn a_day_whose_rows_sums_and_batches_agree_differs_in_nothing() {
        let mut rows = Rows::default();
        for (unit, minutes) in
            [(Unit::Processed { batch: 1 }, 2), (Unit::Claimed { batch: 1 }, 3), (Unit::Unprocessed, 1)]
        {
            rows.add(unit, minutes, false);
        }
        assert_eq!(differences(&rows, amount(3, 6), [&batch(1, &[2, 3])]), []);
        assert_eq!((rows.all(), rows.batches[&1]), (amount(3, 6), (amount(2, 5), false)));
    }

    #[test]
    fn sums_batches_and_calls_of_no_batch_are_told_apart() {
        let mut rows = Rows::default();
        rows.add(Unit::Processed { batch: 1 }, 2, true);
        rows.add(Unit::Claimed { batch: 7 }, 4, false);
        let found = differences(&rows, amount(3, 6), [&batch(1, &[2, 3])]);
        assert_eq!(
            found,
            [
                Difference::Sums { rows: amount(2, 6), sums: amount(3, 6) },
                Difference::Batch { number: 1, rows: amount(1, 2), counted: amount(2, 5) },
                Difference::Batch { number: 7, rows: amount(1, 4), counted: amount(0, 0) },
            ]
        );
        assert_eq!(rows.found_at_twilio, 1);
    }

    #[test]
    fn a_batch_that_is_being_filled_or_counted_anew_is_not_wrong_yet() {
        let mut rows = Rows::default();
        rows.add(Unit::Claimed { batch: 1 }, 2, false);
        rows.add(Unit::Claimed { batch: 2 }, 2, false);
        let open = Batch::open("t-a", date(2026, 11, 20), 1, 1);
        let touched = batch(2, &[9]).next(Event::Touched).unwrap();
        assert_eq!(differences(&rows, amount(2, 4), [&open, &touched]), []);
    }

    #[test]
    fn a_lost_callback_is_listed_once_more_each_night_and_added_once() {
        let at = "2026-11-21T05:00:00Z".parse().unwrap();
        let mut first = ListCheck::begins(at, None);
        assert!(first.ended("CA1", 61, None), "the ledger lacks it");
        let mut second = ListCheck::begins(at, Some(&first));
        let kept = Kept { seconds: 61, minutes: 2, found_at_twilio: true };
        assert!(!second.ended("CA1", 61, Some(kept)));
        assert_eq!((first.added, &first.added_calls), (second.added, &second.added_calls));
        assert_eq!((second.listed, second.findings()), (amount(1, 2), 1));
    }

    #[test]
    fn a_call_that_lasted_longer_than_the_ledger_says_is_listed_with_both() {
        let mut check = ListCheck::begins(Timestamp::UNIX_EPOCH, None);
        check.ended("CA1", 61, Some(Kept { seconds: 59, minutes: 1, found_at_twilio: false }));
        check.ended("CA2", 30, Some(Kept { seconds: 30, minutes: 1, found_at_twilio: false }));
        assert_eq!((check.added, check.differing), (0, 1));
        assert_eq!(check.differing_calls, [CallDifference { call: "CA1".into(), seconds: (59, 61), minutes: (1, 2) }]);
    }

    #[test]
    fn what_differs_is_told_once_though_it_is_listed_each_night() {
        let kept = Some(Kept { seconds: 59, minutes: 1, found_at_twilio: false });
        let night = |before: Option<&ListCheck>, calls: &[&str]| {
            let mut check = ListCheck::begins(Timestamp::UNIX_EPOCH, before);
            for call in calls {
                check.ended(call, 61, kept);
            }
            let news = check.news();
            assert_eq!(check.news(), 0);
            (check, news)
        };
        let (first, told) = night(None, &["CA1"]);
        assert_eq!(told, 1);
        let (second, told) = night(Some(&first), &["CA1"]);
        assert_eq!((second.differing, told), (1, 0));
        assert_eq!(night(Some(&second), &["CA1", "CA2"]).1, 1);
    }

    #[test]
    fn a_difference_is_news_only_where_the_day_was_not_so_before() {
        let of = |found| Difference::Stripe { meter: Meter::Calls, found, expected: 5 };
        let check = |stripe, differences: &[Difference]| DayCheck {
            at: Timestamp::UNIX_EPOCH,
            rows: amount(5, 9),
            unprocessed: 0,
            found_at_twilio: 0,
            stripe,
            differences: differences.to_vec(),
        };
        let first = check(AtStripe::Compared, &[of(3)]);
        assert_eq!((first.news(None), first.news(Some(&first))), (1, 0));
        assert_eq!(check(AtStripe::Compared, &[of(3), of(4)]).news(Some(&first)), 1);
        let odd = check(AtStripe::Unexplained, &[]);
        assert_eq!((odd.news(Some(&first)), odd.news(Some(&odd))), (1, 0), "fractions at Stripe are not passed over");
    }

    #[test]
    fn a_report_names_the_first_calls_and_counts_the_others() {
        let mut check = ListCheck::begins(Timestamp::UNIX_EPOCH, None);
        for n in 0..250 {
            check.ended(&format!("CA{n}"), 1, None);
        }
        assert_eq!((check.added, check.added_calls.len()), (250, MOST_NAMED));
        let stored = serde_json::to_string(&check).unwrap();
        assert_eq!(serde_json::from_str::<ListCheck>(&stored).unwrap(), check);
    }

    proptest! {
        #[test]
        fn whatever_units_a_day_has_their_amounts_add_up(
            units in prop::collection::vec((0..3_u32, any::<bool>(), 0..600_u32), 0..40)
        ) {
            let mut rows = Rows::default();
            for (batch, processed, minutes) in &units {
                let unit = match (batch, processed) {
                    (0, _) => Unit::Unprocessed,
                    (batch, false) => Unit::Claimed { batch: *batch },
                    (batch, true) => Unit::Processed { batch: *batch },
                };
                rows.add(unit, *minutes, false);
            }
            let minutes: u64 = units.iter().map(|(_, _, minutes)| u64::from(*minutes)).sum();
            prop_assert_eq!(rows.all(), amount(u64::try_from(units.len()).unwrap(), minutes));
        }
    }
}
