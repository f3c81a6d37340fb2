//! How long what belongs to a request is kept, and on which day it goes.
//!
//! | what | goes | counted from |
//! |---|---|---|
//! | a request and how it was answered | into the recycle bin | the answer: [`Retention::request_months`], never less than 24 (11 CCR 7101(a)) |
//! | a message that asked for nothing | into the recycle bin | the answer: [`Retention::message_months`] |
//! | a request that nobody ever finished | into the recycle bin | the last day on which it could be answered, as long as a request |
//! | what lies in the recycle bin | for good | the day it came there: [`BIN_DAYS`] |
//! | recordings with what they say; other attachments | for good, by themselves | the answer, where their time is shorter than the request's |
//! | messages to and from whoever asked, and files that they may download | for good, by themselves | the answer, in the same way, and never before 24 months: they say how it was answered |
//!
//! Months are whole: what is kept for 24 of them goes on the day after the last. What is open stays, and so does everything of
//! a request under a legal hold. Settings count as they are on the day. Whole requests have the recycle bin, so a shorter time
//! counts for them at once; parts have none, so for them it counts when [`BIN_DAYS`] have passed ([`Promise`]).

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::request::{Kind, State};
use crate::tenant::{Retention, SHORTEST_RETENTION};

/// How long what was deleted waits in the recycle bin, in days.
pub const BIN_DAYS: i64 = 90;

/// At which hour of a day, in the tenant's time, what is due goes.
const HOUR: i8 = 3;

/// By which rule something goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Answered requests go into the bin.
    Requests,
    /// Messages that asked for nothing go into the bin.
    Messages,
    /// Requests that nobody finished go into the bin.
    Unfinished,
    /// What lies in the bin goes for good.
    Bin,
    /// A part goes by itself.
    Part(Part),
}

/// A part of a request with a time of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// What was said on the telephone, as sound and as text.
    Recordings,
    /// What the two sides wrote each other.
    Correspondence,
    /// Files that the team keeps for itself, and those that whoever asked sent.
    Attachments,
    /// Files that whoever asked may download: with them the business answered.
    Answers,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 4] = [Self::Recordings, Self::Correspondence, Self::Attachments, Self::Answers];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Recordings => "recordings",
            Self::Correspondence => "correspondence",
            Self::Attachments => "attachments",
            Self::Answers => "answers",
        }
    }

    /// For how many months it is kept under these settings.
    #[must_use]
    pub fn months(self, settings: &Retention) -> u16 {
        match self {
            Self::Recordings => settings.recording_months,
            Self::Correspondence => settings.message_months.max(SHORTEST_RETENTION),
            Self::Attachments => settings.attachment_months,
            Self::Answers => settings.attachment_months.max(SHORTEST_RETENTION),
        }
    }
}

impl Rule {
    /// Every rule, in the order in which they are applied: what is in the bin longest goes first.
    pub const ALL: [Self; 8] = [
        Self::Bin,
        Self::Requests,
        Self::Messages,
        Self::Unfinished,
        Self::Part(Part::Recordings),
        Self::Part(Part::Correspondence),
        Self::Part(Part::Attachments),
        Self::Part(Part::Answers),
    ];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Messages => "messages",
            Self::Unfinished => "unfinished",
            Self::Bin => "bin",
            Self::Part(part) => part.code(),
        }
    }

    /// The rule with this stored name.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.code() == code)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What decides about a request; nothing of it is personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its kind.
    pub kind: Kind,
    /// Its state.
    pub state: State,
    /// The day of the answer; none while there is none.
    pub closed_on: Option<Date>,
    /// The last day to answer.
    pub respond_by: Date,
    /// The day on which it went into the bin, while it is there.
    pub binned_on: Option<Date>,
    /// The day on which somebody last took it out of the bin.
    pub restored_on: Option<Date>,
    /// Whether it is under a legal hold.
    pub held: bool,
}

/// What becomes of a request, and on which day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Going {
    /// By which rule: [`Rule::Bin`] for good, each other one into the bin.
    pub rule: Rule,
    /// On which day, in the tenant's time zone.
    pub on: Date,
}

impl Standing {
    /// By which rule the whole of it goes one day, and from which day its time counts; none while it is open.
    fn counts(&self) -> Option<(Rule, Date)> {
        let from = match (self.closed_on, self.state) {
            (Some(closed_on), state) if !state.is_open() => (rule_of(self.kind), closed_on),
            (None, State::Incomplete) => (Rule::Unfinished, self.respond_by),
            _ => return None,
        };
        // Whoever took it out of the bin wants it as long again.
        Some((from.0, self.restored_on.map_or(from.1, |restored| restored.max(from.1))))
    }

    /// What becomes of the whole request next, and when; nothing while it is open or held.
    #[must_use]
    pub fn next(&self, settings: &Retention) -> Option<Going> {
        if self.held {
            return None;
        }
        if let Some(binned_on) = self.binned_on {
            return Some(Going { rule: Rule::Bin, on: leaves_bin_on(binned_on) });
        }
        let (rule, from) = self.counts()?;
        Some(Going { rule, on: goes_on(from, whole_months(rule, settings)) })
    }

    /// The first day after today on which anything of it goes: the whole, or a part by itself, each of which is kept for so
    /// many `months`.
    #[must_use]
    pub fn ahead(&self, today: Date, settings: &Retention, months: impl Fn(Part) -> u16) -> Option<Date> {
        let whole = self.next(settings).map(|going| going.on);
        let parts = Part::ALL.into_iter().filter_map(|part| self.part(months(part), settings));
        parts.chain(whole).filter(|on| *on > today).min()
    }

    /// The day on which a part goes by itself; none where it goes with the whole, or nothing goes. `months` are those that
    /// are in force for the part ([`Promise::in_force`]).
    #[must_use]
    pub fn part(&self, months: u16, settings: &Retention) -> Option<Date> {
        let closed_on = self.closed_on.filter(|_| !self.state.is_open() && !self.held && self.binned_on.is_none())?;
        let shorter = months < whole_months(rule_of(self.kind), settings);
        shorter.then(|| goes_on(closed_on, months))
    }
}

/// A message that was classified is a request.
const fn rule_of(kind: Kind) -> Rule {
    if matches!(kind, Kind::Message) { Rule::Messages } else { Rule::Requests }
}

/// For how many months whole requests are kept under a rule.
#[must_use]
pub fn whole_months(rule: Rule, settings: &Retention) -> u16 {
    match rule {
        Rule::Messages => settings.message_months,
        _ => settings.request_months.max(SHORTEST_RETENTION),
    }
}

/// The day on which something goes that was kept for so many whole months.
#[must_use]
pub fn goes_on(from: Date, months: u16) -> Date {
    let last = from.checked_add(i64::from(months).months()).unwrap_or(Date::MAX);
    last.tomorrow().unwrap_or(Date::MAX)
}

/// The last day from which so many whole months have passed: what counts from it or any day before goes today.
#[must_use]
pub fn last_day(today: Date, months: u16) -> Date {
    let mut day = today.checked_sub(i64::from(months).months()).unwrap_or(Date::MIN);
    // The months' ends are not in step: of 31 January and 28 February, a month later comes the same day.
    while goes_on(day, months) > today {
        let Ok(before) = day.yesterday() else { return day };
        day = before;
    }
    while let Ok(next) = day.tomorrow() {
        if goes_on(next, months) > today {
            break;
        }
        day = next;
    }
    day
}

/// The day on which what came into the bin goes for good.
#[must_use]
pub fn leaves_bin_on(binned_on: Date) -> Date {
    binned_on.checked_add(BIN_DAYS.days()).unwrap_or(Date::MAX)
}

/// The last day of coming into the bin of what goes for good today.
#[must_use]
pub fn last_bin_day(today: Date) -> Date {
    today.checked_sub(BIN_DAYS.days()).unwrap_or(Date::MIN)
}

/// How long a part is kept at least, whatever the settings say today: a longer time counts at once, a shorter one only when
/// [`BIN_DAYS`] have passed, because what goes by it cannot be taken back out of the bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Promise {
    months: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shorter: Option<Shorter>,
}

/// A shorter time that is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Shorter {
    months: u16,
    from: Date,
}

impl Promise {
    /// What the settings say when they are first looked at.
    #[must_use]
    pub const fn new(months: u16) -> Self {
        Self { months, shorter: None }
    }

    /// What is promised today, by what was promised before and what the settings say now.
    #[must_use]
    pub fn on(self, today: Date, wanted: u16) -> Self {
        let (months, coming) = match self.shorter {
            Some(shorter) if shorter.from <= today => (shorter.months, None),
            coming => (self.months, coming),
        };
        let shorter = match coming {
            _ if wanted >= months => return Self::new(wanted),
            // What was announced before goes no later for being made longer again, as far as it still is shorter.
            Some(coming) if coming.months <= wanted => Shorter { months: wanted, from: coming.from },
            _ => Shorter { months: wanted, from: leaves_bin_on(today) },
        };
        Self { months, shorter: Some(shorter) }
    }

    /// The months that are in force.
    #[must_use]
    pub const fn in_force(self) -> u16 {
        self.months
    }
}

/// The next night after a moment: three o'clock in the tenant's time.
#[must_use]
pub fn next_night(now: Timestamp, zone: &TimeZone) -> Timestamp {
    let today = now.to_zoned(zone.clone()).date();
    let tonight = night_of(today, zone);
    if tonight > now { tonight } else { night_of(today.tomorrow().unwrap_or(today), zone) }
}

/// Three o'clock on a day. Where the clocks are put ahead over it, the hour after.
#[must_use]
pub fn night_of(day: Date, zone: &TimeZone) -> Timestamp {
    zone.to_ambiguous_timestamp(day.at(HOUR, 0, 0, 0)).compatible().unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn closed(kind: Kind, on: Date) -> Standing {
        Standing {
            kind,
            state: State::Completed,
            closed_on: Some(on),
            respond_by: on,
            binned_on: None,
            restored_on: None,
            held: false,
        }
    }

    fn settings(requests: u16, recordings: u16, messages: u16, attachments: u16) -> Retention {
        Retention {
            request_months: requests,
            recording_months: recordings,
            message_months: messages,
            attachment_months: attachments,
        }
    }

    #[test]
    fn an_answered_request_is_kept_for_twenty_four_whole_months_and_goes_the_day_after() {
        let answered = closed(Kind::Delete, date(2026, 11, 22));
        let going = answered.next(&Retention::default()).unwrap();
        assert_eq!(going, Going { rule: Rule::Requests, on: date(2028, 11, 23) });
        let binned = Standing { binned_on: Some(going.on), ..answered };
        assert_eq!(binned.next(&Retention::default()), Some(Going { rule: Rule::Bin, on: date(2029, 2, 21) }));
    }

    #[test]
    fn a_message_that_asked_for_nothing_has_a_time_of_its_own() {
        let message = closed(Kind::Message, date(2026, 1, 31));
        let going = message.next(&Retention::default()).unwrap();
        assert_eq!(going, Going { rule: Rule::Messages, on: date(2027, 3, 1) });
    }

    #[test]
    fn what_is_open_or_held_stays_and_what_nobody_finished_goes_one_day() {
        for state in State::ALL {
            let open = Standing { state, closed_on: None, ..closed(Kind::Delete, date(2020, 1, 1)) };
            let going = open.next(&Retention::default());
            assert_eq!(going.is_some(), state == State::Incomplete, "{state}");
            assert_eq!(open.part(1, &Retention::default()), None, "{state}");
        }
        let held = Standing { held: true, ..closed(Kind::Delete, date(2020, 1, 1)) };
        assert_eq!((held.next(&Retention::default()), held.part(1, &Retention::default())), (None, None));
        let in_the_bin = Standing { binned_on: Some(date(2022, 1, 2)), ..held };
        assert_eq!(in_the_bin.next(&Retention::default()), None);
    }

    #[test]
    fn a_part_goes_by_itself_only_where_its_time_is_shorter_than_the_requests() {
        let request = closed(Kind::Delete, date(2026, 11, 22));
        let shorter = settings(24, 6, 13, 24);
        assert_eq!(request.part(6, &shorter), Some(date(2027, 5, 23)));
        assert_eq!(request.part(24, &shorter), None);
        assert_eq!(closed(Kind::Message, date(2026, 11, 22)).part(13, &shorter), None);
        assert_eq!(Part::Correspondence.months(&shorter), 24, "what was written says how it was answered");
        assert_eq!(request.part(Part::Correspondence.months(&shorter), &shorter), None);
    }

    #[test]
    fn files_with_which_it_was_answered_are_kept_for_twenty_four_months_whatever_is_chosen_for_the_others() {
        let chosen = settings(60, 60, 60, 1);
        assert_eq!((Part::Attachments.months(&chosen), Part::Answers.months(&chosen)), (1, 24));
        let longer = Retention { attachment_months: 36, ..chosen.clone() };
        assert_eq!(Part::Answers.months(&longer), 36);
        let request = closed(Kind::KnowSpecific, date(2026, 11, 22));
        assert_eq!(request.part(Part::Answers.months(&chosen), &chosen), Some(date(2028, 11, 23)));
    }

    #[test]
    fn what_was_passed_over_comes_again_on_the_next_day_on_which_any_of_it_goes() {
        let request = closed(Kind::Delete, date(2026, 11, 22));
        let longer = settings(36, 6, 36, 36);
        let months = |part: Part| part.months(&longer);
        assert_eq!(request.ahead(date(2026, 12, 1), &longer, months), Some(date(2027, 5, 23)));
        assert_eq!(request.ahead(date(2027, 5, 23), &longer, months), Some(date(2029, 11, 23)));
        assert_eq!(request.ahead(date(2029, 11, 23), &longer, months), None);
        let held = Standing { held: true, ..request };
        assert_eq!(held.ahead(date(2026, 12, 1), &longer, months), None);
    }

    #[test]
    fn a_shorter_time_for_a_part_counts_after_ninety_days_and_a_longer_one_at_once() {
        let promise = Promise::new(24).on(date(2027, 1, 1), 1);
        assert_eq!(promise.in_force(), 24);
        assert_eq!(promise.on(date(2027, 3, 31), 1).in_force(), 24);
        assert_eq!(promise.on(date(2027, 4, 1), 1).in_force(), 1);
        assert_eq!(promise.on(date(2027, 2, 1), 30), Promise::new(30));
        // Shorter still: from that day anew. Longer than that, and still shorter: from the first day.
        assert_eq!(
            Promise::new(24).on(date(2027, 1, 1), 6).on(date(2027, 2, 1), 3).on(date(2027, 4, 1), 3).in_force(),
            24
        );
        assert_eq!(promise.on(date(2027, 2, 1), 6).on(date(2027, 4, 1), 6).in_force(), 6);
    }

    #[test]
    fn rules_are_stored_by_their_names() {
        for rule in Rule::ALL {
            assert_eq!(Rule::parse(rule.code()), Some(rule));
        }
        assert_eq!(Rule::parse("whim"), None);
    }

    #[test]
    fn the_night_comes_once_a_day_also_where_the_clocks_are_changed() {
        for zone in ["America/Los_Angeles", "Pacific/Auckland", "America/Havana", "UTC", "Asia/Kathmandu"] {
            let zone = TimeZone::get(zone).unwrap();
            let mut now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
            let mut day = now.to_zoned(zone.clone()).date();
            for _ in 0..800 {
                let next = next_night(now, &zone);
                let local = next.to_zoned(zone.clone());
                assert!(next > now && local.hour() >= HOUR && local.hour() <= HOUR + 1, "{local}");
                assert!(local.date() == day || local.date() == day.tomorrow().unwrap());
                assert!(now == next || local.date() >= day);
                (now, day) = (next, local.date());
            }
        }
    }

    #[test]
    fn whenever_a_chain_of_nights_begins_it_meets_every_other() {
        let zone = TimeZone::get("America/Los_Angeles").unwrap();
        let at = |text: &str| next_night(text.parse().unwrap(), &zone);
        assert_eq!(at("2027-03-14T00:00:00Z"), at("2027-03-13T11:00:00Z"));
        assert_eq!(at("2027-03-14T09:59:59Z").to_string(), "2027-03-14T10:00:00Z");
        assert_eq!(at("2026-11-01T10:00:00Z").to_string(), "2026-11-01T11:00:00Z");
    }

    fn any_date() -> impl Strategy<Value = Date> {
        (0..20_000_i64).prop_map(|days| date(2020, 1, 1).checked_add(days.days()).unwrap())
    }

    fn any_settings() -> impl Strategy<Value = Retention> {
        (0..=120_u16, 1..=120_u16, 1..=120_u16, 1..=120_u16).prop_map(
            |(requests, recordings, messages, attachments)| settings(requests, recordings, messages, attachments),
        )
    }

    proptest! {
        #[test]
        fn nothing_that_the_law_wants_kept_goes_before_twenty_four_months(
            on in any_date(), settings in any_settings(), restored in proptest::option::of(any_date()), kind in 0..6_usize
        ) {
            let request = Standing { restored_on: restored, ..closed(Kind::ALL[kind], on) };
            let law = on.checked_add(24.months()).unwrap();
            let going = request.next(&settings).unwrap();
            prop_assert!(going.on > law && going.on > restored.unwrap_or(on));
            if let Some(gone) = request.part(Part::Correspondence.months(&settings), &settings) {
                prop_assert!(gone > law);
            }
            let binned = Standing { binned_on: Some(going.on), ..request };
            let erased = binned.next(&settings).unwrap().on;
            prop_assert_eq!((erased - going.on).get_days(), 90);
        }

        #[test]
        fn what_is_looked_for_by_day_is_what_goes_by_then_and_nothing_else(
            today in any_date(), from in any_date(), months in 1..=120_u16
        ) {
            prop_assert_eq!(from <= last_day(today, months), goes_on(from, months) <= today);
            prop_assert_eq!(from <= last_bin_day(today), leaves_bin_on(from) <= today);
        }

        #[test]
        fn whoever_answers_later_is_never_forgotten_sooner(a in any_date(), b in any_date(), months in 1..=120_u16) {
            let (first, second) = (a.min(b), a.max(b));
            prop_assert!(goes_on(first, months) <= goes_on(second, months));
        }

        #[test]
        fn a_time_in_force_never_shrinks_before_ninety_days_of_notice(
            steps in proptest::collection::vec((0..60_i64, 1..=36_u16), 1..30)
        ) {
            let mut today = date(2027, 1, 1);
            let mut promise = Promise::new(24);
            // What has been wanted since when: the least that may be in force.
            let mut said: Vec<(Date, u16)> = vec![(date(2000, 1, 1), 24)];
            for (days, wanted) in steps {
                today = today.checked_add(days.days()).unwrap();
                promise = promise.on(today, wanted);
                said.push((today, wanted));
                // Whatever was promised by any setting that stood until 90 days ago, or since, is not undercut unless a setting
                // as short as that is that old.
                let old = said.iter().any(|(since, months)| *months <= promise.in_force() && leaves_bin_on(*since) <= today);
                prop_assert!(old || promise.in_force() >= 24);
                prop_assert!(promise.in_force() >= wanted);
            }
        }
    }
}
