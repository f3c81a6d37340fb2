//! Closing an account: on which day its owners are told, and on which all of it goes.
//!
//! | day, in the tenant's calendar | what happens |
//! |---|---|
//! | 0 | it takes no requests any more; owners are told |
//! | 60 | owners are told again |
//! | 83 | owners are told for the last time |
//! | 90 | everything is erased, but never less than a week after the last notice |
//!
//! Whoever comes late tells once what is true then, and nobody is told twice of the same. Until the erasure begins the
//! account can be opened again as it was; after that there is no way back, only on.

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The days after the closing on which owners are told.
pub const NOTICES: [i32; 3] = [0, 60, 83];
/// The day on which everything goes.
pub const ERASED_ON: i32 = 90;
/// So many days lie between the last notice and the erasure, however late the notice was.
pub const AFTER_LAST_NOTICE: i32 = 7;

/// Whether an account is open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Closure {
    /// It is.
    #[default]
    Open,
    /// It is suspended, and can be opened again.
    Closed(Closed),
    /// It is being erased. What is gone is erased, and has no state.
    Erasing(Closed),
}

/// What is known of an account that was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Closed {
    /// The operator's name for it, which becomes free at the end.
    pub slug: String,
    /// The day on which it was closed.
    pub on: Date,
    /// Tells this closing from one that was taken back.
    pub number: i64,
    /// How many of the notices are over: posted, or overtaken by a later one.
    pub told: usize,
    /// The day on which owners were told last.
    pub told_on: Option<Date>,
}

/// What is to be done on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Tell owners; with this, so many of the notices are over.
    Tell(usize),
    /// Erase everything.
    Erase,
    /// Nothing before this day.
    Wait(Date),
}

impl Closure {
    /// Whether the account takes requests.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// The closing, where there is one.
    #[must_use]
    pub const fn closed(&self) -> Option<&Closed> {
        match self {
            Self::Open => None,
            Self::Closed(closed) | Self::Erasing(closed) => Some(closed),
        }
    }
}

impl Closed {
    /// An account that is closed on a day. Nobody was told yet.
    #[must_use]
    pub const fn new(slug: String, on: Date, number: i64) -> Self {
        Self { slug, on, number, told: 0, told_on: None }
    }

    /// The day on which everything goes, as far as it is known today.
    #[must_use]
    pub fn erased_on(&self, today: Date) -> Date {
        let last =
            if self.told < NOTICES.len() { today.max(self.last_notice()) } else { self.told_on.unwrap_or(today) };
        later(self.on, ERASED_ON).max(later(last, AFTER_LAST_NOTICE))
    }

    fn last_notice(&self) -> Date {
        later(self.on, NOTICES.last().copied().unwrap_or_default())
    }

    /// What is to be done on a day.
    #[must_use]
    pub fn step(&self, today: Date) -> Step {
        let over = NOTICES.iter().take_while(|days| later(self.on, **days) <= today).count();
        if over > self.told {
            return Step::Tell(over);
        }
        let next = NOTICES.get(self.told).map_or_else(|| self.erased_on(today), |days| later(self.on, *days));
        if next > today {
            Step::Wait(next)
        } else if self.told >= NOTICES.len() {
            Step::Erase
        } else {
            // The calendar went back behind the day of the closing: somebody chose another time zone.
            Step::Wait(later(today, 1))
        }
    }

    /// The same after owners were told on a day.
    #[must_use]
    pub fn told(&self, notices: usize, today: Date) -> Self {
        Self { told: self.told.max(notices), told_on: Some(today), ..self.clone() }
    }
}

fn later(day: Date, days: i32) -> Date {
    day.saturating_add(days.days())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;
    use crate::retention::night_of;

    fn closed_on(on: Date) -> Closed {
        Closed::new("shop".to_owned(), on, 1)
    }

    /// What happens if somebody looks on these days.
    fn life(on: Date, looks: impl IntoIterator<Item = Date>) -> (Vec<(Date, usize)>, Option<Date>) {
        let (mut closed, mut told) = (closed_on(on), vec![]);
        for today in looks {
            match closed.step(today) {
                Step::Tell(notices) => {
                    told.push((today, notices));
                    closed = closed.told(notices, today);
                }
                Step::Erase => return (told, Some(today)),
                Step::Wait(_) => {}
            }
        }
        (told, None)
    }

    #[test]
    fn owners_are_told_on_day_0_60_and_83_and_all_goes_on_day_90() {
        let on = date(2026, 11, 22);
        let (told, erased) = life(on, (0..100).map(|day| later(on, day)));
        assert_eq!(told, [(on, 1), (date(2027, 1, 21), 2), (date(2027, 2, 13), 3)]);
        assert_eq!(erased, Some(date(2027, 2, 20)));
        assert_eq!(closed_on(on).erased_on(on), date(2027, 2, 20));
    }

    #[test]
    fn a_run_that_comes_late_tells_once_and_still_waits_a_week() {
        let on = date(2026, 11, 22);
        let closed = closed_on(on);
        let late = later(on, 200);
        assert_eq!(closed.step(late), Step::Tell(3));
        let told = closed.told(3, late);
        assert_eq!(told.step(late), Step::Wait(later(on, 207)));
        assert_eq!(told.step(later(on, 207)), Step::Erase);
    }

    #[test]
    fn the_state_reads_as_it_was_written_and_none_is_open() {
        for closure in [Closure::Open, Closure::Closed(closed_on(date(2026, 11, 22)))] {
            let text = serde_json::to_string(&closure).unwrap();
            assert_eq!(serde_json::from_str::<Closure>(&text).unwrap(), closure);
        }
        assert!(Closure::default().is_open());
    }

    proptest! {
        #[test]
        fn whoever_looks_when_they_are_told_to_misses_nothing(start in 0..4000_i32, zone in prop::sample::select(vec![
            "America/Los_Angeles", "America/New_York", "Europe/Berlin", "Pacific/Apia", "UTC", "Australia/Lord_Howe",
        ])) {
            let (on, zone) = (later(date(2020, 1, 1), start), TimeZone::get(zone).unwrap());
            let (mut closed, mut today, mut days) = (closed_on(on), on, vec![]);
            loop {
                match closed.step(today) {
                    Step::Tell(notices) => {
                        days.push(today);
                        closed = closed.told(notices, today);
                    }
                    Step::Erase => break,
                    Step::Wait(next) => {
                        prop_assert!(next > today);
                        // Nights on which the clocks are put on or back are on their day, too.
                        today = night_of(next, &zone).to_zoned(zone.clone()).date();
                    }
                }
            }
            prop_assert_eq!(days, NOTICES.map(|day| later(on, day)).to_vec());
            prop_assert_eq!(today, later(on, ERASED_ON));
        }

        #[test]
        fn however_late_somebody_looks_nobody_is_told_twice_and_a_week_is_left(
            start in 0..4000_i32, gaps in prop::collection::vec(0..200_i32, 1..40)
        ) {
            let on = later(date(2020, 1, 1), start);
            let mut day = 0;
            let mut looks: Vec<Date> = gaps.iter().map(|gap| { day += gap; later(on, day) }).collect();
            looks.extend((1..12).map(|more| later(on, day + 90 * more)));
            let (told, erased) = life(on, looks);
            prop_assert!(!told.is_empty() && told.len() <= NOTICES.len());
            prop_assert!(told.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 < two[1].1));
            let (last, notices) = told[told.len() - 1];
            let erased = erased.unwrap();
            prop_assert_eq!(notices, NOTICES.len());
            prop_assert!(last >= later(on, NOTICES[2]));
            prop_assert!(erased >= later(on, ERASED_ON) && erased >= later(last, AFTER_LAST_NOTICE));
        }

        #[test]
        fn a_day_never_comes_before_the_one_that_was_said(start in 0..4000_i32, waits in 0..200_i32) {
            let on = later(date(2020, 1, 1), start);
            let today = later(on, waits);
            let closed = match closed_on(on).step(today) {
                Step::Tell(notices) => closed_on(on).told(notices, today),
                _ => closed_on(on),
            };
            let said = closed.erased_on(today);
            prop_assert!(said > today && said >= later(on, ERASED_ON));
            for day in 0..7 {
                prop_assert_ne!(closed.step(later(today, day)), Step::Erase);
            }
        }
    }
}
