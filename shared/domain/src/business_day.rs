//! Business days: what is left when weekends, holidays and the days they are observed on are taken out.

use std::sync::OnceLock;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use serde::Deserialize;

use crate::rules::RulesError;

/// A list of holidays, in `rules/holidays/<name>.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HolidayList {
    /// The federal ones, 5 U.S.C. 6103.
    UsFederal,
    /// Those on which California's offices are closed, Cal. Gov. Code 6700, 6701, 19853.
    UsCa,
}

impl HolidayList {
    /// Every list.
    pub const ALL: [Self; 2] = [Self::UsFederal, Self::UsCa];
}

/// The holidays of one list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Holidays {
    /// Where the list is from.
    pub citation: String,
    /// Each holiday.
    pub holidays: Vec<Holiday>,
}

/// One holiday.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Holiday {
    /// Its name.
    pub name: String,
    /// The day of the year it falls on.
    pub on: DayOfYear,
    /// The first year in which it was one; absent where it always was.
    pub first_year: Option<i16>,
    /// Where the law moves it when it falls on a weekend.
    #[serde(default)]
    pub observed: Vec<Observed>,
}

/// How a holiday's day is found in a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged, rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum DayOfYear {
    /// The same day of the same month.
    Fixed {
        /// 1 is January.
        month: i8,
        /// 1 is the first.
        day: i8,
    },
    /// A weekday of a month, counted.
    Weekday {
        /// 1 is January.
        month: i8,
        /// The weekday.
        weekday: WeekdayName,
        /// 1 is the first of the month, -1 the last.
        nth: i8,
        /// This many days later: 1 for the day after Thanksgiving.
        #[serde(default)]
        days_later: i8,
    },
}

/// The name of a weekday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WeekdayName {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
}

impl From<WeekdayName> for Weekday {
    fn from(name: WeekdayName) -> Self {
        match name {
            WeekdayName::Monday => Self::Monday,
            WeekdayName::Tuesday => Self::Tuesday,
            WeekdayName::Wednesday => Self::Wednesday,
            WeekdayName::Thursday => Self::Thursday,
            WeekdayName::Friday => Self::Friday,
        }
    }
}

/// Where a holiday is observed when it falls on a weekend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Observed {
    /// From a Sunday to the Monday after.
    SundayToMonday,
    /// From a Saturday to the Friday before.
    SaturdayToFriday,
}

impl Holidays {
    /// The holidays of a list. The file is read when it is first asked for, and kept.
    pub fn of(list: HolidayList) -> Result<&'static Self, RulesError> {
        static FEDERAL: OnceLock<Holidays> = OnceLock::new();
        static CALIFORNIA: OnceLock<Holidays> = OnceLock::new();
        let (place, file, text) = match list {
            HolidayList::UsFederal => {
                (&FEDERAL, "holidays/us-federal.toml", include_str!("../rules/holidays/us-federal.toml"))
            }
            HolidayList::UsCa => (&CALIFORNIA, "holidays/us-ca.toml", include_str!("../rules/holidays/us-ca.toml")),
        };
        if let Some(holidays) = place.get() {
            return Ok(holidays);
        }
        let holidays =
            toml::from_str(text).map_err(|error| RulesError { file: file.to_owned(), reason: error.to_string() })?;
        Ok(place.get_or_init(|| holidays))
    }

    /// The holiday that is kept on this date: on its own day, or on the one it is observed on.
    #[must_use]
    pub fn on(&self, date: Date) -> Option<&Holiday> {
        // A holiday at a year's edge can be observed in the year beside it.
        let years = [date.year().saturating_sub(1), date.year(), date.year().saturating_add(1)];
        self.holidays.iter().find(|holiday| years.iter().any(|year| holiday.kept_in(*year).contains(&Some(date))))
    }
}

impl Holiday {
    /// The days it is kept on in a year: its own, and the one it is observed on where that is another.
    fn kept_in(&self, year: i16) -> [Option<Date>; 2] {
        if self.first_year.is_some_and(|first| year < first) {
            return [None, None];
        }
        let Some(own) = self.on.in_year(year) else { return [None, None] };
        let observed = match own.weekday() {
            Weekday::Sunday if self.observed.contains(&Observed::SundayToMonday) => own.tomorrow().ok(),
            Weekday::Saturday if self.observed.contains(&Observed::SaturdayToFriday) => own.yesterday().ok(),
            _ => None,
        };
        [Some(own), observed]
    }
}

impl DayOfYear {
    fn in_year(self, year: i16) -> Option<Date> {
        match self {
            Self::Fixed { month, day } => Date::new(year, month, day).ok(),
            Self::Weekday { month, weekday, nth, days_later } => Date::new(year, month, 1)
                .and_then(|first| first.nth_weekday_of_month(nth, weekday.into()))
                .and_then(|date| date.checked_add(i64::from(days_later).days()))
                .ok(),
        }
    }
}

/// Whether business is done on this date: it is neither a weekend nor a holiday.
#[must_use]
pub fn is_business_day(date: Date, holidays: &Holidays) -> bool {
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) && holidays.on(date).is_none()
}

/// The date that lies this many business days after another, which is not itself counted.
///
/// None after is the date itself, whatever day that is. `None` only past the year 9999.
#[must_use]
pub fn business_days_after(date: Date, days: u16, holidays: &Holidays) -> Option<Date> {
    let mut date = date;
    for _ in 0..days {
        date = date.tomorrow().ok()?;
        while !is_business_day(date, holidays) {
            date = date.tomorrow().ok()?;
        }
    }
    Some(date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn kept_in(list: HolidayList, year: i16) -> Vec<String> {
        let holidays = Holidays::of(list).unwrap();
        let weekday = |date: &Date| !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        let days = date(year, 1, 1).series(1.day()).take_while(|date| date.year() == year);
        days.filter(weekday).filter(|date| holidays.on(*date).is_some()).map(|date| date.to_string()).collect()
    }

    #[test]
    fn california_closes_its_offices_on_these_days_of_2026_and_not_on_friday_3_july_for_saturday_the_fourth() {
        let days = [
            "2026-01-01",
            "2026-01-19",
            "2026-02-16",
            "2026-03-31",
            "2026-05-25",
            "2026-09-07",
            "2026-11-11",
            "2026-11-26",
            "2026-11-27",
            "2026-12-25",
        ];
        assert_eq!(kept_in(HolidayList::UsCa, 2026), days);
    }

    #[test]
    fn california_moves_sundays_to_monday_and_only_veterans_day_from_saturday_to_friday() {
        // 1 January 2023, 31 March 2024, 4 July 2027 and 25 December 2022 are Sundays.
        for (year, day) in [(2023, "2023-01-02"), (2024, "2024-04-01"), (2027, "2027-07-05"), (2022, "2022-12-26")] {
            assert!(kept_in(HolidayList::UsCa, year).contains(&day.to_owned()), "{day}");
        }
        // 11 November 2023 is a Saturday, 1 January 2028 and 25 December 2027 too.
        assert!(kept_in(HolidayList::UsCa, 2023).contains(&"2023-11-10".to_owned()));
        assert!(!kept_in(HolidayList::UsCa, 2027).iter().any(|day| day >= &"2027-12-01".to_owned()));
    }

    #[test]
    fn federal_offices_close_on_these_days_of_2021_and_new_years_day_2022_is_kept_in_it() {
        let days = [
            "2021-01-01",
            "2021-01-18",
            "2021-02-15",
            "2021-05-31",
            "2021-06-18",
            "2021-07-05",
            "2021-09-06",
            "2021-10-11",
            "2021-11-11",
            "2021-11-25",
            "2021-12-24",
            "2021-12-31",
        ];
        assert_eq!(kept_in(HolidayList::UsFederal, 2021), days);
    }

    #[test]
    fn juneteenth_is_a_federal_holiday_since_2021() {
        let federal = Holidays::of(HolidayList::UsFederal).unwrap();
        assert!(federal.on(date(2020, 6, 19)).is_none());
        assert_eq!(federal.on(date(2026, 6, 19)).unwrap().name, "Juneteenth National Independence Day");
    }

    #[test]
    fn no_business_days_after_a_day_is_that_day() {
        let holidays = Holidays::of(HolidayList::UsCa).unwrap();
        let sunday = date(2026, 11, 22);
        assert_eq!(business_days_after(sunday, 0, holidays), Some(sunday));
    }

    #[test]
    fn there_is_no_day_past_the_end_of_the_calendar() {
        let holidays = Holidays::of(HolidayList::UsCa).unwrap();
        assert_eq!(business_days_after(date(9999, 12, 30), 15, holidays), None);
    }

    proptest! {
        #[test]
        fn counting_skips_exactly_weekends_and_listed_holidays(
            day in 0_i64..20_000,
            days in 0_u16..40,
            list in prop::sample::select(&HolidayList::ALL[..]),
        ) {
            let holidays = Holidays::of(list).unwrap();
            let from = date(2000, 1, 1).checked_add(day.days()).unwrap();
            let end = business_days_after(from, days, holidays).unwrap();
            prop_assert!(end >= from);
            let counted = from.series(1.day()).skip(1).take_while(|date| *date <= end);
            let business = counted.filter(|date| {
                !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) && holidays.on(*date).is_none()
            });
            prop_assert_eq!(business.count(), usize::from(days));
            prop_assert!(days == 0 || is_business_day(end, holidays));
        }
    }
}
