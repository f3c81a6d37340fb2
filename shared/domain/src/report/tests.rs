use std::collections::{BTreeSet, HashMap};

use jiff::civil::{Weekday, date};
use jiff::tz::AmbiguousOffset;
use proptest::prelude::*;

use super::*;
use crate::metrics::{Change, Facts};
use crate::request::{Channel, Outcome, State};

const ZONES: [&str; 6] = [
    "America/Los_Angeles",
    "America/New_York",
    // The clocks go at midnight, or by half an hour, or not at all, or a day was left out.
    "America/Santiago",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Pacific/Apia",
];

fn wants(reports: ReportFrequency, hour: u8) -> Preferences {
    Preferences { reports, hour, ..Preferences::default() }
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn a_report_covers_the_day_the_week_or_the_month_before() {
    let period = |frequency, day: &str| Period::of(frequency, day.parse().unwrap()).map(|it| it.to_string());
    let said = |text: &str| Some(text.to_owned());
    assert_eq!(period(ReportFrequency::Daily, "2026-11-22"), said("2026-11-21..2026-11-21"));
    assert_eq!(period(ReportFrequency::Weekly, "2026-11-23"), said("2026-11-16..2026-11-22"));
    assert_eq!(period(ReportFrequency::Weekly, "2026-11-22"), None);
    assert_eq!(period(ReportFrequency::Monthly, "2027-01-01"), said("2026-12-01..2026-12-31"));
    assert_eq!(period(ReportFrequency::Monthly, "2027-01-02"), None);
    assert_eq!(period(ReportFrequency::Never, "2027-01-01"), None);
}

#[test]
fn it_is_compared_with_as_much_before_and_a_month_with_the_month() {
    let before = |frequency, day: &str| Period::of(frequency, day.parse().unwrap()).unwrap().before().to_string();
    assert_eq!(before(ReportFrequency::Daily, "2026-03-01"), "2026-02-27..2026-02-27");
    assert_eq!(before(ReportFrequency::Weekly, "2026-11-23"), "2026-11-09..2026-11-15");
    assert_eq!(before(ReportFrequency::Monthly, "2026-04-01"), "2026-02-01..2026-02-28");
    assert_eq!(before(ReportFrequency::Monthly, "2026-03-01"), "2026-01-01..2026-01-31");
}

#[test]
fn an_hour_that_does_not_exist_begins_when_the_clocks_go_on_and_one_that_comes_twice_comes_once() {
    let (zone, daily) = (zone("America/Los_Angeles"), |hour| wants(ReportFrequency::Daily, hour));
    // On 8 March 2026 it is 3:00 after 1:59.
    let spring = next(&daily(2), at("2026-03-08T08:00:00Z"), &zone).unwrap();
    assert_eq!((spring.at, spring.period.last), (at("2026-03-08T10:00:00Z"), date(2026, 3, 7)));
    assert_eq!(next(&daily(3), at("2026-03-08T08:00:00Z"), &zone).unwrap().at, spring.at);
    // On 1 November 2026 it is 1:00 twice.
    let autumn = next(&daily(1), at("2026-11-01T07:00:00Z"), &zone).unwrap();
    assert_eq!(autumn.at, at("2026-11-01T08:00:00Z"));
    assert_eq!(next(&daily(1), autumn.at, &zone).unwrap().at, at("2026-11-02T09:00:00Z"));
}

#[test]
fn who_wants_none_or_no_hour_of_the_day_gets_none() {
    for wanted in [wants(ReportFrequency::Never, 8), wants(ReportFrequency::Daily, 24)] {
        assert_eq!(next(&wanted, at("2026-11-22T01:00:00Z"), &TimeZone::UTC), None);
        assert_eq!(latest(&wanted, at("2026-11-22T01:00:00Z"), &TimeZone::UTC), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn over_a_year_every_period_is_reported_once_and_none_is_left_out(
        zone_name in prop::sample::select(&ZONES[..]),
        frequency in prop::sample::select(&ReportFrequency::ALL[1..]),
        hour in 0_u8..24,
        start in 1_704_067_200_i64..2_051_222_400,
    ) {
        let (zone, wanted) = (zone(zone_name), wants(frequency, hour));
        let mut now = Timestamp::from_second(start).unwrap();
        let end = now + jiff::SignedDuration::from_hours(370 * 24);
        let mut reported: Option<Period> = None;
        while now < end {
            let due = next(&wanted, now, &zone).unwrap();
            prop_assert!(due.at > now);
            prop_assert_eq!(latest(&wanted, due.at, &zone), Some(due));
            // Just before, the one before was the latest.
            let earlier = latest(&wanted, due.at - jiff::SignedDuration::from_secs(1), &zone).unwrap();
            prop_assert_eq!(earlier.period, due.period.before());
            // The days are one after another, whatever the clocks do.
            if let Some(reported) = reported {
                prop_assert_eq!(due.period.before(), reported);
            }
            // It comes on the day after the period, at that hour or, where the clocks leave it out, when they go on.
            let local = due.at.to_zoned(zone.clone());
            prop_assert_eq!(local.date(), due.period.last.tomorrow().unwrap());
            let exists = !matches!(
                zone.to_ambiguous_timestamp(local.date().at(i8::try_from(hour).unwrap(), 0, 0, 0)).offset(),
                AmbiguousOffset::Gap { .. }
            );
            prop_assert_eq!(exists, local.hour() == i8::try_from(hour).unwrap() && local.minute() == 0);
            match frequency {
                ReportFrequency::Weekly => prop_assert_eq!(local.weekday(), Weekday::Monday),
                ReportFrequency::Monthly => prop_assert_eq!(local.day(), 1),
                _ => {}
            }
            reported = Some(due.period);
            now = due.at;
        }
    }

    #[test]
    fn at_any_time_the_latest_is_past_the_next_is_to_come_and_nothing_lies_between(
        zone_name in prop::sample::select(&ZONES[..]),
        frequency in prop::sample::select(&ReportFrequency::ALL[1..]),
        hour in 0_u8..24,
        now in 1_704_067_200_i64..2_051_222_400,
    ) {
        let (zone, wanted, now) = (zone(zone_name), wants(frequency, hour), Timestamp::from_second(now).unwrap());
        let (last, coming) = (latest(&wanted, now, &zone).unwrap(), next(&wanted, now, &zone).unwrap());
        prop_assert!(last.at <= now && now < coming.at);
        prop_assert_eq!(coming.period.before(), last.period);
        prop_assert_eq!(next(&wanted, last.at, &zone), Some(coming));
    }
}

/// Every number that lies within what was said, for an observer who knows how it is said.
fn small(count: u64) -> bool {
    (1..SMALLEST_GROUP).contains(&count)
}

#[test]
fn of_a_whole_and_its_part_no_small_number_can_be_got_from_one_report() {
    let mut could_be: HashMap<(Count, Part), BTreeSet<(u64, u64)>> = HashMap::new();
    for whole in 0..60 {
        for part in 0..=whole {
            could_be.entry((Count::of(whole), Part::of(part, whole))).or_default().insert((whole, part));
        }
    }
    for (said, numbers) in could_be {
        for (whole, part) in &numbers {
            for (what, number, of) in [
                ("the whole", *whole, (|it| it.0) as fn(&(u64, u64)) -> u64),
                ("the part", *part, |it| it.1),
                ("the rest", whole - part, |it| it.0 - it.1),
            ] {
                let numbers: BTreeSet<u64> = numbers.iter().map(of).collect();
                assert!(!small(number) || numbers.len() >= 3, "{said:?} says that {what} is among {numbers:?}");
            }
        }
    }
}

#[test]
fn what_is_not_small_is_told() {
    assert_eq!([0, 1, 4, 5].map(Count::of), [Count::Zero, Count::Few, Count::Few, Count::Exactly(5)]);
    let of_twelve = [0, 1, 4, 5, 7, 8, 11, 12].map(|part| Part::of(part, 12));
    let (few, all_but_few) = (Part::Few, Part::AllButFew);
    let exactly = Part::Exactly;
    assert_eq!(of_twelve, [Part::Zero, few, few, exactly(5), exactly(7), all_but_few, all_but_few, Part::All]);
    assert_eq!([0, 2, 6].map(|part| Part::of(part, 6)), [Part::Zero, Part::Some, Part::All]);
}

fn by_kind(counts: &[u64]) -> BTreeMap<Kind, u64> {
    Kind::ALL.into_iter().zip(counts.iter().copied()).collect()
}

#[test]
fn of_numbers_by_kind_no_small_one_can_be_got_from_one_report_even_by_who_knows_how_they_are_put_together() {
    // Every way in which four kinds can be counted up to eight: what each mail could have been made from.
    let mut could_be: HashMap<(Count, Option<Split>), Vec<Vec<u64>>> = HashMap::new();
    for n in 0..9_u64.pow(4) {
        let counts: Vec<u64> = (0..4).map(|kind| n / 9_u64.pow(kind) % 9).collect();
        let said = (Count::of(counts.iter().sum()), Split::of(&by_kind(&counts)));
        could_be.entry(said).or_default().push(counts);
    }
    for (said, all) in &could_be {
        for counts in all {
            for (kind, count) in counts.iter().enumerate().filter(|(_, count)| small(**count)) {
                let numbers: BTreeSet<u64> = all.iter().map(|counts| counts[kind]).collect();
                assert!(numbers.len() >= 2, "{said:?} says that kind {kind} has {count}");
            }
        }
    }
}

proptest! {
    #[test]
    fn what_is_told_by_kind_adds_up_and_is_never_small(counts in prop::collection::vec(0_u64..200, 7)) {
        let whole: u64 = counts.iter().sum();
        match Split::of(&by_kind(&counts)) {
            None => prop_assert!(whole < SMALLEST_GROUP),
            Some(split) => {
                prop_assert_eq!(split.kinds.values().sum::<u64>() + split.others, whole);
                prop_assert!(split.kinds.values().all(|count| *count >= SMALLEST_GROUP));
                prop_assert!(split.others == 0 || split.others >= SMALLEST_GROUP);
                let held_back: Vec<u64> = by_kind(&counts)
                    .into_iter()
                    .filter(|(kind, count)| *count > 0 && !split.kinds.contains_key(kind))
                    .map(|(_, count)| count)
                    .collect();
                prop_assert!(held_back.len() != 1, "one kind alone is held back, and is the whole less the others");
                // Where nothing is small, everything is told.
                if !counts.iter().any(|count| small(*count)) {
                    prop_assert_eq!(split.others, 0);
                }
            }
        }
    }
}

fn facts(kind: Kind, code: &str, received_on: Date, closed: Option<(Date, Outcome)>) -> Facts {
    Facts {
        kind,
        state: State::Received,
        channel: Channel::Phone,
        code: ServiceCode::parse(code).unwrap(),
        received_on,
        respond_by: received_on + 45.days(),
        confirm_by: None,
        closed_on: closed.map(|it| it.0),
        outcome: closed.map(|it| it.1),
        ground: None,
        residence: None,
    }
}

fn counters(requests: &[Facts]) -> Vec<(Bucket, Counter, i64)> {
    let changes = requests.iter().map(|it| Change { before: None, after: Some(it.clone()) });
    changes.flat_map(|change| change.deltas()).map(|delta| (delta.bucket, delta.counter, delta.by)).collect()
}

#[test]
fn a_report_is_made_of_counters_alone_and_of_the_codes_that_are_wanted() {
    let monday = date(2026, 11, 23);
    let week = Period::of(ReportFrequency::Weekly, monday).unwrap();
    let mut requests = vec![];
    for n in 0..9 {
        let code = if n < 6 { "12" } else { "13" };
        requests.push(facts(Kind::Delete, code, week.first + (n % 7).days(), None));
        requests.push(facts(Kind::OptOut, "12", date(2026, 9, 1), Some((week.last, Outcome::CompliedInWhole))));
        requests.push(facts(Kind::Limit, "12", week.first, Some((week.last, Outcome::CompliedInWhole))));
    }
    // Too old for either week, still open, and overdue.
    requests.push(facts(Kind::Message, "13", date(2026, 9, 1), None));
    let all = Report::new(week, monday, &[], counters(&requests));
    assert_eq!((all.now.received, all.before.received), (Count::Exactly(18), Count::Zero));
    let kinds = all.now.kinds.clone().unwrap();
    assert_eq!(kinds.kinds, BTreeMap::from([(Kind::Delete, 9), (Kind::Limit, 9)]));
    assert_eq!((all.now.answered, all.now.on_time), (Count::Exactly(18), Part::Exactly(9)));
    assert_eq!((all.now.on_time_percent, all.before.on_time_percent), (Some(50), None));
    assert_eq!((all.open, all.overdue), (Count::Exactly(10), Part::Few));
    let one = Report::new(week, monday, &[ServiceCode::parse("12").unwrap()], counters(&requests));
    assert_eq!((one.now.received, one.open, one.overdue), (Count::Exactly(15), Count::Exactly(6), Part::Zero));
    let other = Report::new(week, monday, &[ServiceCode::parse("13").unwrap()], counters(&requests));
    assert_eq!((other.now.received, &other.now.kinds), (Count::Few, &None));
    assert_eq!((other.open, other.now.answered), (Count::Few, Count::Zero));
}

#[test]
fn the_buckets_of_a_report_are_those_of_both_periods_and_of_everything_open() {
    let month = Period::of(ReportFrequency::Monthly, date(2026, 11, 1)).unwrap();
    let named = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    assert_eq!(
        Report::buckets(month),
        [
            named("received#2026-09-01", "received#2026-10-31"),
            named("closed#2026-09-01", "closed#2026-10-31"),
            named("due#0000-01-01", "due#~"),
        ]
    );
}
