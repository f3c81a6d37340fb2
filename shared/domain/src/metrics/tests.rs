use super::*;
use jiff::civil::date;
use proptest::prelude::*;
use serde_json::json;

/// A request to delete of a Californian, received on 2 November 2026 and due on 17 December.
fn open() -> Facts {
    Facts {
        kind: Kind::Delete,
        state: State::InReview,
        channel: Channel::Phone,
        code: ServiceCode::parse("24").unwrap(),
        received_on: date(2026, 11, 2),
        respond_by: date(2026, 12, 17),
        confirm_by: None,
        closed_on: None,
        outcome: None,
        ground: None,
        residence: Some(Jurisdiction::UsCa),
    }
}

fn closed(on: Date, outcome: Outcome, ground: Option<Ground>) -> Facts {
    Facts { state: outcome.state(), closed_on: Some(on), outcome: Some(outcome), ground, ..open() }
}

fn named(change: &Change) -> Vec<String> {
    change.deltas().iter().map(|delta| format!("{} {} {:+}", delta.bucket, delta.counter, delta.by)).collect()
}

#[test]
fn a_request_counts_where_it_came_from_and_what_it_is_due() {
    let made = Change { before: None, after: Some(open()) };
    assert_eq!(
        named(&made),
        [
            "year#2026 us-ca.delete.received +1",
            "year#2026 all.delete.received +1",
            "received#2026-11-02 kind.delete +1",
            "received#2026-11-02 channel.phone +1",
            "received#2026-11-02 code.24 +1",
            "received#2026-11-02 code-kind.24.delete +1",
            "due#2026-12-17 kind.delete +1",
            "due#2026-12-17 code-kind.24.delete +1",
            "due#2026-12-17 state.in-review +1",
        ]
    );
}

#[test]
fn an_answer_after_the_last_day_is_late_and_counts_in_the_year_it_was_given() {
    let after = closed(date(2027, 1, 4), Outcome::Denied, Some(Ground::NotVerified));
    let answered = Change { before: Some(open()), after: Some(after) };
    assert_eq!(
        named(&answered),
        [
            "year#2027 us-ca.delete.denied +1",
            "year#2027 us-ca.delete.refused.unverifiable +1",
            "year#2027 us-ca.delete.days.63 +1",
            "year#2027 all.delete.denied +1",
            "year#2027 all.delete.refused.unverifiable +1",
            "year#2027 all.delete.days.63 +1",
            "closed#2027-01-04 kind.delete +1",
            "closed#2027-01-04 code-late.24 +1",
            "closed#2027-01-04 late.delete +1",
            "due#2026-12-17 kind.delete -1",
            "due#2026-12-17 code-kind.24.delete -1",
            "due#2026-12-17 state.in-review -1",
        ]
    );
}

#[test]
fn what_was_taken_back_was_not_answered() {
    let counts = closed(date(2026, 11, 2), Outcome::Withdrawn, None).counts();
    let names: Vec<_> = counts.iter().map(|(_, counter)| counter.to_string()).collect();
    assert!(names.contains(&"all.delete.withdrawn".to_owned()));
    assert!(!names.iter().any(|name| name.contains("days") || name.contains("on-time") || name.contains("late")));
}

#[test]
fn an_answer_on_the_day_of_receipt_took_no_days_and_one_on_the_last_day_is_on_time() {
    let names = |facts: &Facts| facts.counts().iter().map(|(_, counter)| counter.to_string()).collect::<Vec<_>>();
    assert!(names(&closed(date(2026, 11, 2), Outcome::CompliedInWhole, None)).contains(&"all.delete.days.0".into()));
    assert!(names(&closed(date(2026, 12, 17), Outcome::CompliedInWhole, None)).contains(&"on-time.delete".into()));
    assert!(names(&closed(date(2026, 12, 18), Outcome::CompliedInWhole, None)).contains(&"late.delete".into()));
}

#[test]
fn nothing_is_added_where_nothing_changed() {
    let same = Change { before: Some(open()), after: Some(open()) };
    assert_eq!(same.deltas(), []);
    assert_eq!(Change::default().deltas(), []);
    let reviewed = Facts { state: State::Fulfilling, ..open() };
    let moved = Change { before: Some(open()), after: Some(reviewed) };
    assert_eq!(named(&moved), ["due#2026-12-17 state.in-review -1", "due#2026-12-17 state.fulfilling +1"]);
}

#[test]
fn a_place_that_is_not_known_and_another_state_are_not_california() {
    let scopes = |residence| Scope::of(residence).map(Scope::code).collect::<Vec<_>>();
    assert_eq!(scopes(Some(Jurisdiction::UsCa)), ["all", "us-ca"]);
    assert_eq!(scopes(Some(Jurisdiction::UsTx)), ["all"]);
    assert_eq!(scopes(None), ["all", "unknown"]);
}

#[test]
fn names_that_are_not_ours_are_not_read() {
    for name in
        ["", "year", "year#", "year#+2026", "year#26", "due#2026-1-1", "due#20261121", "due#2026-02-30", "x#2026"]
    {
        assert_eq!(Bucket::parse(name), None, "{name}");
    }
    for name in [
        "",
        "all",
        "all.delete",
        "all.delete.days",
        "all.delete.days.012",
        "all.delete.days.+1",
        "all.x.received",
        "us-tx.delete.received",
        "kind.x",
        "code.0",
        "code-kind.24",
        "code-kind.0.delete",
        "code-late.0",
        "all.delete.refused.x",
    ] {
        assert_eq!(Counter::parse(name), None, "{name}");
    }
}

fn tally(days: &[(u16, i64)]) -> Tally {
    let mut tally = Tally::default();
    for (days, count) in days {
        tally.add(Figure::Days(*days), *count);
    }
    tally
}

/// By hand: of 0, 3, 45 the middle is 3 and the mean 16; of 1, 2, 2, 45 it lies between 2 and 2, the mean is 12.5; of
/// 10, 11 between the two; of 1, 1, 2 the mean is 4/3 = 1.33, of 2, 2, 1 it is 5/3 = 1.67.
#[test]
fn the_median_and_the_mean_are_those_found_by_hand() {
    for (days, median, mean) in [
        (vec![(12, 1)], "12", "12"),
        (vec![(0, 2)], "0", "0"),
        (vec![(45, 1), (0, 1), (3, 1)], "3", "16"),
        (vec![(1, 1), (2, 2), (45, 1)], "2", "12.5"),
        (vec![(10, 1), (11, 1)], "10.5", "10.5"),
        (vec![(1, 2), (2, 1)], "1", "1.33"),
        (vec![(2, 2), (1, 1)], "2", "1.67"),
        (vec![(10, 3), (90, 3)], "50", "50"),
        (vec![(8, 1), (9, 0), (15, -4)], "8", "8"),
    ] {
        let tally = tally(&days);
        assert_eq!(tally.median().unwrap().to_string(), median, "{days:?}");
        assert_eq!(tally.mean().unwrap().to_string(), mean, "{days:?}");
    }
    assert_eq!((tally(&[]).median(), tally(&[]).mean()), (None, None));
    assert_eq!(Days { hundredths: 1205 }.to_string(), "12.05");
}

/// Seven requests of 2026, worked out by hand.
///
/// | kind | lives in | received | answer | days |
/// |---|---|---|---|---|
/// | delete | California | 2 Nov | in whole, 12 Nov | 10 |
/// | delete | California | 2 Nov | denied as unverifiable, 17 Dec | 45 |
/// | delete | Texas | 2 Nov | in part for an exception, 4 Nov | 2 |
/// | know categories | California | 2 Nov | in whole, 22 Nov | 20 |
/// | know specific | not known | 2 Nov | denied as unverifiable, 5 Jan 2027 | 64 |
/// | opt-out | not known | 2 Nov | withdrawn, 3 Nov | – |
/// | message | not known | 2 Nov | open | – |
fn seven() -> Vec<Facts> {
    let of = |kind, residence, facts| Facts { kind, residence, ..facts };
    let california = Some(Jurisdiction::UsCa);
    vec![
        of(Kind::Delete, california, closed(date(2026, 11, 12), Outcome::CompliedInWhole, None)),
        of(Kind::Delete, california, closed(date(2026, 12, 17), Outcome::Denied, Some(Ground::NotVerified))),
        of(
            Kind::Delete,
            Some(Jurisdiction::UsTx),
            closed(date(2026, 11, 4), Outcome::CompliedInPart, Some(Ground::Exception)),
        ),
        of(Kind::KnowCategories, california, closed(date(2026, 11, 22), Outcome::CompliedInWhole, None)),
        of(Kind::KnowSpecific, None, closed(date(2027, 1, 5), Outcome::Denied, Some(Ground::NotVerified))),
        of(Kind::OptOut, None, closed(date(2026, 11, 3), Outcome::Withdrawn, None)),
        of(Kind::Message, None, open()),
    ]
}

type Counters = BTreeMap<(Bucket, Counter), i64>;

fn recount<'a>(facts: impl IntoIterator<Item = &'a Facts>) -> Counters {
    let mut counters = Counters::new();
    for place in facts.into_iter().flat_map(Facts::counts) {
        *counters.entry(place).or_default() += 1;
    }
    counters
}

fn report(year: i16, scope: Scope) -> Report {
    let counters = recount(&seven()).into_iter();
    let of_the_year = counters.filter(|((bucket, _), _)| *bucket == Bucket::Year(year));
    Report::for_year(year, scope, of_the_year.map(|((_, counter), count)| (counter, count)))
}

/// sort, received, in whole, in part, denied, withdrawn, median, mean.
fn lines(report: &Report) -> Vec<String> {
    let days = |days: Option<Days>| days.map_or_else(|| "-".to_owned(), |days| days.to_string());
    let line = |row: &Row| {
        let Tally { received, complied_in_whole: whole, complied_in_part: part, denied, withdrawn, .. } = row.tally;
        let (median, mean) = (days(row.median_days), days(row.mean_days));
        format!("{} {received} {whole} {part} {denied} {withdrawn} {median} {mean}", row.sort.code())
    };
    report.rows.iter().map(line).collect()
}

#[test]
fn the_report_of_a_year_is_the_one_found_by_hand() {
    // Of all: deletions after 2, 10 and 45 days, 57 / 3 = 19 in the mean.
    let all = report(2026, Scope::All);
    assert_eq!(
        lines(&all),
        [
            "delete 3 1 1 1 0 10 19",
            "correct 0 0 0 0 0 - -",
            "know 2 1 0 0 0 20 20",
            "opt-out 1 0 0 0 1 - -",
            "limit 0 0 0 0 0 - -",
        ]
    );
    assert_eq!((all.unclassified, all.residence_unknown), (1, 2));
    let refused = &all.rows[0].tally.refused;
    assert_eq!(refused, &BTreeMap::from([(Category::Unverifiable, 1), (Category::Exempt, 1)]));
    assert_eq!(all.rows[0].tally.complied(), 2);
    let split: Vec<_> = all.rows[2].split.iter().map(|(kind, tally)| (kind.code(), tally.received)).collect();
    assert_eq!(split, [("know-categories", 1), ("know-specific", 1)]);

    // Of Californians: deletions after 10 and 45 days, 27.5 in the middle and the mean.
    let california = report(2026, Scope::California);
    assert_eq!(lines(&california)[0], "delete 2 1 0 1 0 27.5 27.5");
    assert_eq!(lines(&california)[2], "know 1 1 0 0 0 20 20");
    assert_eq!(lines(&california)[3], "opt-out 0 0 0 0 0 - -");
    assert_eq!(california.residence_unknown, 2);

    // The answer of January is in the year it was given.
    assert_eq!(lines(&report(2027, Scope::All))[2], "know 0 0 0 1 0 64 64");
}

#[test]
fn the_report_says_whom_it_is_about_and_what_is_left_out() {
    let words = |scope| report(2026, scope).notes().iter().map(|words| words.en).collect::<Vec<_>>();
    assert!(words(Scope::All)[1].contains("all individuals") && words(Scope::All)[2].contains("Messages"));
    assert!(words(Scope::California)[3].contains("not known"));
    assert_eq!(report(2027, Scope::All).notes().len(), 2);
}

#[test]
fn the_report_is_written_as_json_with_days_as_text() {
    let row = serde_json::to_value(report(2026, Scope::California)).unwrap()["rows"][0].clone();
    assert_eq!(
        row,
        json!({
            "sort": "delete", "median-days": "27.5", "mean-days": "27.5", "split": [],
            "tally": {
                "received": 2, "complied-in-whole": 1, "complied-in-part": 0, "denied": 1, "withdrawn": 0,
                "refused": {"unverifiable": 1}, "days": {"10": 1, "45": 1},
            },
        })
    );
}

#[test]
fn the_log_has_what_7101_asks_for() {
    let facts = closed(date(2026, 12, 17), Outcome::Denied, Some(Ground::NotVerified));
    assert_eq!(
        serde_json::to_value(LogRow::new("123456789012", &facts)).unwrap(),
        json!({
            "reference": "123456789012", "received-on": "2026-11-02", "kind": "delete", "channel": "phone",
            "responded-on": "2026-12-17", "response": "denied", "basis": "not-verified",
        })
    );
}

#[test]
fn until_its_receipt_is_confirmed_a_request_is_due_on_the_day_of_that() {
    let unconfirmed = Facts { confirm_by: Some(date(2026, 11, 17)), ..open() };
    let due = |facts: &Facts| {
        facts.counts().into_iter().find_map(|(bucket, _)| matches!(bucket, Bucket::Due(_)).then(|| bucket.to_string()))
    };
    assert_eq!(due(&unconfirmed).unwrap(), "due#2026-11-17");
    assert_eq!(due(&open()).unwrap(), "due#2026-12-17");
}

#[test]
fn open_requests_are_counted_by_how_soon_they_are_due() {
    let due = |day, kind| (Bucket::Due(date(2026, 11, day)), Counter::Kind(kind), 1);
    let state = (Bucket::Due(date(2026, 11, 20)), Counter::State(State::Received), 3);
    let open = open_by_urgency(
        date(2026, 11, 21),
        [due(20, Kind::Delete), due(19, Kind::Delete), due(21, Kind::OptOut), due(23, Kind::Limit), state],
    );
    assert_eq!(
        open,
        BTreeMap::from([
            (Urgency::Overdue, BTreeMap::from([(Kind::Delete, 2)])),
            (Urgency::Today, BTreeMap::from([(Kind::OptOut, 1)])),
            (Urgency::Within2, BTreeMap::from([(Kind::Limit, 1)])),
        ])
    );
}

prop_compose! {
    /// A request at some moment of its life: of any kind, open or closed, even with an answer before its receipt, as a
    /// receipt date put right by hand can have it.
    fn any_facts()(
        kind in prop::sample::select(&Kind::ALL[..]),
        state in prop::sample::select(&State::ALL[..]),
        channel in prop::sample::select(&Channel::ALL[..]),
        code in 1_u32..4,
        received in 0_i32..800,
        respond in 0_i32..90,
        closing in prop::option::of((
            -3_i32..100,
            prop::sample::select(&Outcome::ALL[..]),
            prop::option::of(prop::sample::select(&Ground::ALL[..])),
        )),
        residence in prop::option::of(prop::sample::select(&Jurisdiction::ALL[..3])),
    ) -> Facts {
        let day = |days: i32| date(2026, 1, 1) + jiff::Span::new().days(days);
        Facts {
            kind,
            state: closing.map_or(state, |(_, outcome, _)| outcome.state()),
            channel,
            code: ServiceCode::parse(&code.to_string()).unwrap(),
            received_on: day(received),
            respond_by: day(received + respond),
            confirm_by: None,
            closed_on: closing.map(|(days, ..)| day(received + days)),
            outcome: closing.map(|(_, outcome, _)| outcome),
            ground: closing.and_then(|(.., ground)| ground),
            residence,
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_to_requests_the_sums_equal_a_recount(
        // Which request, and what becomes of it: nothing at all when it is erased.
        lives in prop::collection::vec((0_usize..6, prop::option::weighted(0.85, any_facts())), 0..60),
    ) {
        let mut requests: BTreeMap<usize, Facts> = BTreeMap::new();
        let mut counters = Counters::new();
        for (which, becomes) in lives {
            let before = match &becomes {
                Some(facts) => requests.insert(which, facts.clone()),
                None => requests.remove(&which),
            };
            for delta in (Change { before, after: becomes }).deltas() {
                prop_assert!(delta.by != 0);
                *counters.entry((delta.bucket, delta.counter)).or_default() += delta.by;
            }
        }
        counters.retain(|_, count| *count != 0);
        prop_assert_eq!(counters, recount(requests.values()));
    }

    #[test]
    fn every_bucket_and_counter_is_found_again_by_its_name(facts in any_facts()) {
        for (bucket, counter) in facts.counts() {
            prop_assert_eq!(Bucket::parse(&bucket.to_string()), Some(bucket));
            prop_assert_eq!(Counter::parse(&counter.to_string()), Some(counter));
        }
    }

    #[test]
    fn a_report_adds_up_and_its_median_and_mean_are_those_of_the_sorted_days(
        facts in prop::collection::vec(any_facts(), 0..50),
    ) {
        let counters = recount(&facts);
        for year in [2026, 2027, 2028] {
            let of_the_year = counters.iter().filter(|((bucket, _), _)| *bucket == Bucket::Year(year));
            let report =
                Report::for_year(year, Scope::All, of_the_year.map(|((_, counter), count)| (counter.clone(), *count)));
            for row in &report.rows {
                let tally = &row.tally;
                prop_assert_eq!(tally.answered(), tally.complied() + tally.denied);
                prop_assert_eq!(tally.refused.values().sum::<u64>(), tally.denied + tally.complied_in_part);
                let mut days: Vec<u64> = facts
                    .iter()
                    .filter(|facts| row.sort.kinds().contains(&facts.kind))
                    .filter(|facts| facts.outcome.is_some_and(Outcome::is_response))
                    .filter(|facts| facts.closed_on.is_some_and(|day| day.year() == year))
                    .map(|facts| (facts.closed_on.unwrap() - facts.received_on).get_days().max(0).unsigned_abs().into())
                    .collect();
                days.sort_unstable();
                prop_assert_eq!(days.len() as u64, tally.answered());
                let count = days.len();
                let median = (count > 0).then(|| (days[(count - 1) / 2] + days[count / 2]) * 50);
                prop_assert_eq!(row.median_days.map(Days::hundredths), median);
                let mean = row.mean_days.map(Days::hundredths);
                prop_assert_eq!(mean.is_some(), count > 0);
                if let Some(mean) = mean {
                    let exact = days.iter().sum::<u64>() * 100;
                    prop_assert!(mean * count as u64 * 2 <= exact * 2 + count as u64);
                    prop_assert!(exact * 2 < mean * count as u64 * 2 + count as u64);
                }
            }
        }
    }
}
