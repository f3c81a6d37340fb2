//! The dates by which a request must be confirmed and answered.
//!
//! All dates are dates in the tenant's time zone. The day of receipt is not counted and the last day is; a last day
//! that falls on a weekend is not moved, which errs on the side of the person who asked.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::business_day::{self, Holidays};
use crate::jurisdiction::Jurisdiction;
use crate::request::Kind;
use crate::rules::{Certainty, Period, Right, Rules, RulesError, Unit};

/// A date, and the rule it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Due {
    /// The last day, in the tenant's time zone.
    pub date: Date,
    /// The rule's number of days.
    pub days: u16,
    /// Which days it counts.
    pub unit: Unit,
    /// Whose rule it is.
    pub jurisdiction: Jurisdiction,
    /// Where the law says so.
    pub citation: String,
    /// How sure the rule is.
    pub certainty: Certainty,
}

/// Whose law the dates come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// That of the tenant's own jurisdictions that give this right.
    Tenant,
    /// None of the tenant's jurisdictions gives this right on the day of receipt: California's rule is kept instead.
    CaliforniaByDefault,
    /// That of the place where the person is known to live, alone.
    Residence,
}

/// Every date of one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Clocks {
    /// The date of receipt in the tenant's time zone.
    pub received_on: Date,
    /// Whose law the dates come from.
    pub basis: Basis,
    /// The last day to confirm receipt; `None` where no law asks for it.
    pub confirm_by: Option<Due>,
    /// The last day to answer.
    pub respond_by: Due,
    /// The day that one extension moves `respond_by` to; `None` where there is none, or it was taken.
    ///
    /// Where several laws apply it is the earliest day on which one of them stops waiting, so it can be the answer's
    /// own date under a law that has no extension; `days` and `citation` are that rule's.
    pub extension: Option<Due>,
    /// Whether the extension was taken.
    pub extended: bool,
    /// The last day to tell the person that it is done, where a law asks for that.
    pub completion_notice_by: Option<Due>,
    /// Whether the person may be asked to prove who they are.
    pub may_verify: bool,
}

impl Clocks {
    /// What is due next: to confirm the receipt while nobody did, else to answer.
    #[must_use]
    pub fn next_due(&self, confirmed: bool) -> &Due {
        self.confirm_by
            .as_ref()
            .filter(|confirm| !confirmed && confirm.date <= self.respond_by.date)
            .unwrap_or(&self.respond_by)
    }
}

/// Why no dates can be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// The rules cannot be read.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// A date lies past the year 9999.
    #[error("the date is past the year 9999")]
    OutOfRange,
}

/// Why the answer's date is not moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExtensionRefused {
    /// The law allows one.
    #[error("the request was extended before, and the law allows that once")]
    AlreadyExtended,
    /// At least one of the laws that apply has none.
    #[error("the law gives no extension for this request")]
    NoneGiven,
    /// The notice must reach the person before the first date has passed.
    #[error("the first date has passed; notice had to be given before")]
    FirstDatePassed,
    /// The notice must say why.
    #[error("say why more time is needed")]
    ReasonMissing,
}

/// The dates of a request of this kind, received at this time: of several laws the strictest counts, for each date.
///
/// Only the jurisdictions that give this right on the day of receipt count; where none does, California's rule is kept
/// and [`Clocks::basis`] says so, for whoever asks must be told a date. A message may turn out to be any request, so it has the strictest dates of all kinds until somebody has
/// heard what it asks.
pub fn clocks(
    jurisdictions: &[Jurisdiction],
    kind: Kind,
    received: Timestamp,
    tz: &TimeZone,
) -> Result<Clocks, ClockError> {
    clocks_from(jurisdictions, None, kind, received.to_zoned(tz.clone()).date())
}

/// The dates of a request received on this date, of a person who lives, as far as is known, in this place.
///
/// The law of the place where the person lives decides alone, where the tenant answers under it and it gives this
/// right; a law that the tenant does not answer under, or that gives no such right, never moves a date that the
/// person may have been told. Otherwise as [`clocks`].
pub fn clocks_from(
    jurisdictions: &[Jurisdiction],
    residence: Option<Jurisdiction>,
    kind: Kind,
    received_on: Date,
) -> Result<Clocks, ClockError> {
    if let Some(home) = residence.filter(|home| jurisdictions.contains(home)) {
        let at_home = strictest(&[home], kind, received_on)?;
        if at_home.basis == Basis::Tenant {
            return Ok(Clocks { basis: Basis::Residence, ..at_home });
        }
    }
    strictest(jurisdictions, kind, received_on)
}

/// Days from today to a date: 0 on the day itself, below 0 once it has passed.
#[must_use]
pub fn days_left(today: Date, date: Date) -> i32 {
    (date - today).get_days()
}

/// How soon an answer is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urgency {
    /// The last day has passed.
    Overdue,
    /// Today is the last day.
    Today,
    /// 1 or 2 days are left.
    Within2,
    /// 3 to 5 days are left.
    Within5,
    /// 6 to 10 days are left.
    Within10,
    /// More than 10 days are left.
    Later,
}

impl Urgency {
    /// Every urgency, the most urgent first.
    pub const ALL: [Self; 6] = [Self::Overdue, Self::Today, Self::Within2, Self::Within5, Self::Within10, Self::Later];

    /// How soon something due on this date is due.
    #[must_use]
    pub fn of(today: Date, due: Date) -> Self {
        match days_left(today, due) {
            ..0 => Self::Overdue,
            0 => Self::Today,
            1..=2 => Self::Within2,
            3..=5 => Self::Within5,
            6..=10 => Self::Within10,
            11.. => Self::Later,
        }
    }

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::Today => "today",
            Self::Within2 => "within2",
            Self::Within5 => "within5",
            Self::Within10 => "within10",
            Self::Later => "later",
        }
    }

    /// The urgency with this stored name.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|urgency| urgency.code() == code)
    }
}

/// The dates where every one of these jurisdictions that gives the right counts.
fn strictest(jurisdictions: &[Jurisdiction], kind: Kind, received_on: Date) -> Result<Clocks, ClockError> {
    let may_be: Vec<Kind> = match kind {
        Kind::Message => Kind::ALL.into_iter().filter(|kind| *kind != Kind::Message).collect(),
        kind => vec![kind],
    };

    let mut under = Vec::new();
    for jurisdiction in jurisdictions {
        let rules = Rules::of(*jurisdiction)?;
        for right in may_be.iter().filter_map(|kind| rules.right(*kind, received_on)) {
            under.push(ByOneLaw::new(*jurisdiction, rules, right, received_on)?);
        }
    }
    let basis = if under.is_empty() { Basis::CaliforniaByDefault } else { Basis::Tenant };
    if under.is_empty() {
        let rules = Rules::of(Jurisdiction::UsCa)?;
        for right in rules.rights.iter().filter(|right| may_be.iter().any(|kind| right.kinds.contains(kind))) {
            under.push(ByOneLaw::new(Jurisdiction::UsCa, rules, right, received_on)?);
        }
        if under.is_empty() {
            let file = format!("{}.toml", Jurisdiction::UsCa);
            return Err(RulesError { file, reason: format!("it has no right to {kind}") }.into());
        }
    }

    let may_verify = kind.may_verify() && under.iter().all(|law| law.may_verify);
    let respond_by = earliest(under.iter().map(|law| law.respond_by.clone())).ok_or(ClockError::OutOfRange)?;
    let extension = earliest(under.iter().map(|law| law.at_the_latest.clone()));
    Ok(Clocks {
        received_on,
        basis,
        confirm_by: earliest(under.iter().filter_map(|law| law.confirm_by.clone())),
        extension: extension.filter(|extension| extension.date > respond_by.date),
        respond_by,
        extended: false,
        completion_notice_by: earliest(under.iter().filter_map(|law| law.completion_notice_by.clone())),
        may_verify,
    })
}

/// The dates once the extension is taken: the person was told on this date, in the tenant's time zone, and told why.
///
/// It is taken once, before the first date has passed (11 CCR 7021(b); Va. Code 59.1-577(B)(1)), and never moves the
/// answer's date nearer.
pub fn extend(clocks: &Clocks, notified_on: Date, reason: &str) -> Result<Clocks, ExtensionRefused> {
    if clocks.extended {
        return Err(ExtensionRefused::AlreadyExtended);
    }
    let Some(extension) = &clocks.extension else { return Err(ExtensionRefused::NoneGiven) };
    if notified_on > clocks.respond_by.date {
        return Err(ExtensionRefused::FirstDatePassed);
    }
    if reason.trim().is_empty() {
        return Err(ExtensionRefused::ReasonMissing);
    }
    Ok(Clocks { respond_by: extension.clone(), extension: None, extended: true, ..clocks.clone() })
}

/// The dates under one law alone.
struct ByOneLaw {
    confirm_by: Option<Due>,
    respond_by: Due,
    /// The answer's date with the extension, or without where there is none.
    at_the_latest: Due,
    completion_notice_by: Option<Due>,
    may_verify: bool,
}

impl ByOneLaw {
    fn new(jurisdiction: Jurisdiction, rules: &Rules, right: &Right, received_on: Date) -> Result<Self, ClockError> {
        let due = |from: Date, period: &Period| {
            Ok::<_, ClockError>(Due {
                date: after(from, period, rules)?,
                days: period.days,
                unit: period.unit,
                jurisdiction,
                citation: period.citation.clone(),
                certainty: period.certainty,
            })
        };
        let from_receipt = |period: &Option<Period>| period.as_ref().map(|period| due(received_on, period)).transpose();
        let respond_by = due(received_on, &right.respond)?;
        let at_the_latest = match &right.extension {
            Some(extension) => due(respond_by.date, extension)?,
            None => respond_by.clone(),
        };
        Ok(Self {
            confirm_by: from_receipt(&right.confirm)?,
            respond_by,
            at_the_latest,
            completion_notice_by: from_receipt(&right.completion_notice)?,
            may_verify: right.may_verify.as_ref().is_none_or(|permission| permission.allowed),
        })
    }
}

/// The last day of a period that begins on the day after `from`.
fn after(from: Date, period: &Period, rules: &Rules) -> Result<Date, ClockError> {
    match period.unit {
        Unit::Calendar => from.checked_add(i64::from(period.days).days()).map_err(|_| ClockError::OutOfRange),
        Unit::Business => business_day::business_days_after(from, period.days, Holidays::of(rules.holidays)?)
            .ok_or(ClockError::OutOfRange),
    }
}

/// The strictest of several dates: the earliest, and of equals the one named first.
fn earliest(dues: impl Iterator<Item = Due>) -> Option<Due> {
    dues.min_by_key(|due| due.date)
}

#[cfg(test)]
mod worked_examples;

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    const ZONES: [&str; 8] = [
        "America/Los_Angeles",
        "America/Denver",
        "America/Phoenix",
        "America/Chicago",
        "America/New_York",
        "America/Puerto_Rico",
        "Pacific/Honolulu",
        "Pacific/Guam",
    ];

    fn delete_in(jurisdiction: Jurisdiction) -> Clocks {
        let received = "2026-01-10T17:00:00Z".parse().unwrap();
        clocks(&[jurisdiction], Kind::Delete, received, &TimeZone::UTC).unwrap()
    }

    #[test]
    fn a_date_names_the_rule_it_comes_from() {
        let clocks = delete_in(Jurisdiction::UsCa);
        let confirm = clocks.confirm_by.unwrap();
        assert_eq!((confirm.days, confirm.unit, confirm.citation.as_str()), (10, Unit::Business, "11 CCR 7021(a)"));
        assert_eq!(confirm.jurisdiction, Jurisdiction::UsCa);
        assert_eq!((clocks.respond_by.days, clocks.respond_by.unit), (45, Unit::Calendar));
        assert_eq!(clocks.respond_by.certainty, Certainty::Checked);
        assert_eq!(clocks.extension.unwrap().days, 45);
    }

    #[test]
    fn florida_asks_for_a_notice_of_completion_within_60_days_of_receipt() {
        let notice = delete_in(Jurisdiction::UsFl).completion_notice_by.unwrap();
        assert_eq!((notice.date, notice.days), (date(2026, 3, 11), 60));
        assert_eq!(delete_in(Jurisdiction::UsVa).completion_notice_by, None);
    }

    #[test]
    fn only_what_the_law_lets_be_verified_may_be_verified() {
        let received = "2026-01-10T17:00:00Z".parse().unwrap();
        for jurisdiction in Jurisdiction::ALL {
            for kind in Kind::ALL {
                let clocks = clocks(&[jurisdiction], kind, received, &TimeZone::UTC).unwrap();
                assert_eq!(clocks.may_verify, kind.may_verify(), "{jurisdiction} {kind}");
            }
        }
    }

    #[test]
    fn an_extension_is_taken_once_with_a_reason_and_before_the_first_date_has_passed() {
        let first = delete_in(Jurisdiction::UsVa);
        let last_day = first.respond_by.date;
        assert_eq!(last_day, date(2026, 2, 24));
        let extended = extend(&first, last_day, "many requests at once").unwrap();
        assert_eq!(extended.respond_by.date, date(2026, 4, 10));
        assert!(extended.extended);

        let late = last_day.tomorrow().unwrap();
        assert_eq!(extend(&first, late, "many requests at once"), Err(ExtensionRefused::FirstDatePassed));
        assert_eq!(extend(&first, last_day, "  "), Err(ExtensionRefused::ReasonMissing));
        assert_eq!(extend(&extended, last_day, "again"), Err(ExtensionRefused::AlreadyExtended));
    }

    #[test]
    fn an_opt_out_in_california_is_never_extended() {
        let received = "2026-06-01T19:00:00Z".parse().unwrap();
        let opt_out = clocks(&[Jurisdiction::UsCa], Kind::OptOut, received, &TimeZone::UTC).unwrap();
        assert_eq!(extend(&opt_out, opt_out.received_on, "busy"), Err(ExtensionRefused::NoneGiven));
    }

    #[test]
    fn where_the_person_lives_decides_alone_among_the_tenants_laws() {
        let tenant = [Jurisdiction::UsCa, Jurisdiction::UsIa, Jurisdiction::UsFl];
        let of = |residence, kind| clocks_from(&tenant, residence, kind, date(2026, 11, 2)).unwrap();
        let iowa = of(Some(Jurisdiction::UsIa), Kind::Delete);
        assert_eq!((iowa.basis, iowa.respond_by.date, iowa.confirm_by), (Basis::Residence, date(2027, 1, 31), None));
        assert_eq!(iowa.extension.unwrap().date, date(2027, 3, 17));
        // Iowa has no right to correct, and the tenant does not answer under Texas' law: all of its laws count.
        for other in [
            of(Some(Jurisdiction::UsIa), Kind::Correct),
            of(Some(Jurisdiction::UsTx), Kind::Correct),
            of(None, Kind::Correct),
        ] {
            assert_eq!((other.basis, other.respond_by.date), (Basis::Tenant, date(2026, 12, 17)));
        }
    }

    #[test]
    fn days_are_left_until_the_last_day_has_passed() {
        let due = date(2026, 12, 1);
        for (today, left, urgency) in [
            (date(2026, 12, 2), -1, Urgency::Overdue),
            (date(2026, 12, 1), 0, Urgency::Today),
            (date(2026, 11, 29), 2, Urgency::Within2),
            (date(2026, 11, 28), 3, Urgency::Within5),
            (date(2026, 11, 26), 5, Urgency::Within5),
            (date(2026, 11, 21), 10, Urgency::Within10),
            (date(2026, 11, 20), 11, Urgency::Later),
            (date(2025, 12, 1), 365, Urgency::Later),
        ] {
            assert_eq!((days_left(today, due), Urgency::of(today, due)), (left, urgency));
            assert_eq!(Urgency::parse(urgency.code()), Some(urgency));
        }
    }

    #[test]
    fn a_request_received_at_the_end_of_the_calendar_has_no_date() {
        let end = clocks(&[Jurisdiction::UsVa], Kind::Delete, Timestamp::MAX, &TimeZone::UTC);
        assert_eq!(end, Err(ClockError::OutOfRange));
    }

    fn dates(clocks: &Clocks) -> [Option<Date>; 4] {
        let date = |due: &Option<Due>| due.as_ref().map(|due| due.date);
        [
            date(&clocks.confirm_by),
            Some(clocks.respond_by.date),
            date(&clocks.extension),
            date(&clocks.completion_notice_by),
        ]
    }

    prop_compose! {
        /// A request received at any second from 2000 to 2099, anywhere, under any laws.
        fn any_request()(
            jurisdictions in prop::sample::subsequence(&Jurisdiction::ALL[..], 0..=Jurisdiction::ALL.len()).prop_shuffle(),
            kind in prop::sample::select(&Kind::ALL[..]),
            second in 946_684_800_i64..4_102_444_800,
            zone in prop::sample::select(&ZONES[..]),
        ) -> (Vec<Jurisdiction>, Kind, Timestamp, TimeZone) {
            (jurisdictions, kind, Timestamp::from_second(second).unwrap(), TimeZone::get(zone).unwrap())
        }
    }

    proptest! {
        #[test]
        fn no_date_falls_before_the_day_of_receipt_in_the_tenants_time_zone(
            (jurisdictions, kind, received, tz) in any_request()
        ) {
            let clocks = clocks(&jurisdictions, kind, received, &tz).unwrap();
            prop_assert_eq!(clocks.received_on, tz.to_datetime(received).date());
            for date in dates(&clocks).into_iter().flatten() {
                prop_assert!(date > clocks.received_on);
            }
        }

        #[test]
        fn an_extension_never_shortens((jurisdictions, kind, received, tz) in any_request()) {
            let first = clocks(&jurisdictions, kind, received, &tz).unwrap();
            if let Ok(extended) = extend(&first, first.received_on, "more time") {
                prop_assert!(extended.respond_by.date > first.respond_by.date);
                prop_assert_eq!(extended.extension, None);
            } else {
                prop_assert_eq!(first.extension, None);
            }
        }

        #[test]
        fn of_several_laws_no_date_is_later_than_under_any_one_of_them((jurisdictions, kind, received, tz) in any_request()) {
            let together = clocks(&jurisdictions, kind, received, &tz).unwrap();
            let latest = |clocks: &Clocks| clocks.extension.as_ref().unwrap_or(&clocks.respond_by).date;
            for jurisdiction in jurisdictions {
                let alone = clocks(&[jurisdiction], kind, received, &tz).unwrap();
                if alone.basis == Basis::Tenant {
                    prop_assert!(together.respond_by.date <= alone.respond_by.date);
                    prop_assert!(latest(&together) <= latest(&alone));
                    prop_assert!(together.may_verify <= alone.may_verify);
                    if let Some(confirm) = alone.confirm_by {
                        prop_assert!(together.confirm_by.as_ref().is_some_and(|due| due.date <= confirm.date));
                    }
                }
            }
        }

        #[test]
        fn the_order_of_the_jurisdictions_changes_no_date((jurisdictions, kind, received, tz) in any_request()) {
            let mut sorted = jurisdictions.clone();
            sorted.sort_unstable();
            let asked = clocks(&jurisdictions, kind, received, &tz).unwrap();
            prop_assert_eq!(dates(&asked), dates(&clocks(&sorted, kind, received, &tz).unwrap()));
        }

        #[test]
        fn who_asks_later_is_never_answered_earlier(
            (jurisdictions, kind, received, tz) in any_request(),
            seconds in 0_i64..1_000_000,
        ) {
            // Within one law: another law coming into force between the two would change the rule.
            let jurisdiction: Vec<_> = jurisdictions.into_iter().take(1).collect();
            let first = clocks(&jurisdiction, kind, received, &tz).unwrap();
            let later = received.checked_add(seconds.seconds()).unwrap();
            let second = clocks(&jurisdiction, kind, later, &tz).unwrap();
            if first.basis == second.basis {
                prop_assert!(first.respond_by.date <= second.respond_by.date);
            }
        }
    }
}
