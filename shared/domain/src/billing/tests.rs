//! The rules one by one; [`super::simulation`] has them all at once.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn day() -> Date {
    date(2026, 11, 20)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn content(calls: &[(&str, u32)]) -> Content {
    let mut counting = Counting::default();
    for (sid, minutes) in calls {
        counting.add(sid, *minutes).unwrap();
    }
    counting.finish().unwrap()
}

fn counted() -> Batch {
    let content = content(&[("CA1", 1), ("CA2", 3)]);
    Batch::open("t-a", day(), 1, 1).next(Event::Counted { fence: 1, content }).unwrap()
}

fn tried(batch: &Batch, when: &str) -> Batch {
    batch.next(Event::Tried { meter: Meter::Minutes, at: at(when) }).unwrap()
}

fn answered(batch: &Batch, answer: Answer) -> Batch {
    batch.next(Event::Answered { meter: Meter::Minutes, answer }).unwrap()
}

fn done() -> Answer {
    Answer::Done { request_id: "req_1".into() }
}

fn sent() -> Batch {
    answered(&tried(&counted(), "2026-11-21T00:30:00Z"), done())
}

fn found(batch: &Batch, finding: Finding, when: &str) -> Result<Batch, Refused> {
    batch.next(Event::Found { meter: Meter::Minutes, finding, at: at(when) })
}

fn step(batch: &Batch, when: &str) -> Step {
    batch.step(Meter::Minutes, at(when))
}

fn line(batch: &Batch) -> &Line {
    &batch.lines[&Meter::Minutes]
}

#[test]
fn a_call_is_in_one_batch_at_a_time() {
    let claimed = Unit::Unprocessed.next(UnitStep::Claim(1)).unwrap();
    assert_eq!(claimed.next(UnitStep::Claim(1)), Ok(claimed));
    assert_eq!(claimed.next(UnitStep::Claim(2)), Err(Refused::OutOfTurn));
    let processed = claimed.next(UnitStep::Process(1)).unwrap();
    assert_eq!(processed.next(UnitStep::Process(1)), Ok(processed));
    assert_eq!(processed.next(UnitStep::Claim(2)), Err(Refused::OutOfTurn));
    assert_eq!(processed.next(UnitStep::Release(1)), Err(Refused::OutOfTurn));
    assert_eq!(processed.next(UnitStep::Reopen(1)), Ok(claimed));
    assert_eq!(claimed.next(UnitStep::Release(1)), Ok(Unit::Unprocessed));
    assert_eq!(Unit::Unprocessed.next(UnitStep::Process(1)), Err(Refused::OutOfTurn));
}

#[test]
fn the_same_calls_have_the_same_identifier_for_ever() {
    let content = content(&[("CA1", 1), ("CA2", 3)]);
    assert_eq!((content.calls, content.minutes), (2, 4));
    let known = identifier("t-a", day(), Meter::Minutes, &content, 1);
    assert_eq!(known, "use1-61d4dcb4ff77d9185b2190b339787c695c234124ab2fa7c864f692115a056b2c");
    let others = [
        identifier("t-b", day(), Meter::Minutes, &content, 1),
        identifier("t-a", date(2026, 11, 21), Meter::Minutes, &content, 1),
        identifier("t-a", day(), Meter::Calls, &content, 1),
        identifier("t-a", day(), Meter::Minutes, &self::content(&[("CA1", 3), ("CA2", 1)]), 1),
        identifier("t-a", day(), Meter::Minutes, &content, 2),
    ];
    assert!(others.iter().all(|other| *other != known));
}

#[test]
fn calls_are_counted_in_order_and_each_once() {
    let mut counting = Counting::default();
    counting.add("CA2", 1).unwrap();
    assert_eq!(counting.add("CA2", 1), Err(Refused::OutOfTurn));
    assert_eq!(counting.add("CA1", 1), Err(Refused::OutOfTurn));
    assert_eq!(counting.finish().unwrap().calls, 1);
    assert_eq!(Counting::default().finish(), Err(Refused::Empty));
}

#[test]
fn usage_is_said_to_have_happened_in_the_last_second_of_its_day() {
    assert_eq!(used_at(day()), at("2026-11-20T23:59:59Z"));
    assert_eq!(send_until(day()), at("2026-12-25T22:59:59Z"));
}

#[test]
fn only_the_last_to_take_the_day_may_write() {
    let taken = Day::default().next(DayStep::Mark).unwrap().next(DayStep::Take).unwrap();
    assert_eq!(taken.admits(1), Ok(()));
    let again = taken.next(DayStep::Take).unwrap();
    assert_eq!(again.admits(1), Err(Refused::Fenced));
    assert_eq!(again.next(DayStep::Finish { fence: 1, marks: 1 }), Err(Refused::Fenced));
    assert_eq!(again.next(DayStep::Finish { fence: 2, marks: 1 }).unwrap().state, DayState::Settled);
}

#[test]
fn a_call_that_comes_while_a_worker_finishes_keeps_the_day_pending() {
    let taken = Day::default().next(DayStep::Mark).unwrap().next(DayStep::Take).unwrap();
    let late = taken.next(DayStep::Mark).unwrap();
    assert_eq!(late.next(DayStep::Finish { fence: 1, marks: 1 }).unwrap().state, DayState::Pending);
}

#[test]
fn a_batch_is_counted_once_by_whoever_holds_it() {
    let open = Batch::open("t-a", day(), 1, 1);
    let content = content(&[("CA1", 1)]);
    let taken = open.next(Event::Opened { fence: 2 }).unwrap();
    assert_eq!(taken.next(Event::Counted { fence: 1, content: content.clone() }), Err(Refused::Fenced));
    assert_eq!(taken.next(Event::Opened { fence: 1 }), Err(Refused::Fenced));
    let counted = taken.next(Event::Counted { fence: 2, content: content.clone() }).unwrap();
    assert_eq!(counted.admits(2), Err(Refused::Fenced));
    assert_eq!(counted.next(Event::Counted { fence: 2, content }), Err(Refused::Fenced));
    assert_eq!(counted.next(Event::Opened { fence: 3 }), Err(Refused::OutOfTurn));
}

#[test]
fn nothing_is_sent_to_a_meter_that_counts_nothing() {
    let content = content(&[("CA1", 0)]);
    let batch = Batch::open("t-a", day(), 1, 1).next(Event::Counted { fence: 1, content }).unwrap();
    assert_eq!(step(&batch, "2026-11-21T00:30:00Z"), Step::Nothing);
    assert!(matches!(batch.step(Meter::Calls, at("2026-11-21T00:30:00Z")), Step::Send(Send { value: 1, .. })));
}

#[test]
fn what_may_be_there_is_sent_again_under_its_identifier_for_23_hours() {
    let batch = tried(&counted(), "2026-11-21T00:30:00Z");
    let Step::Send(again) = step(&batch, "2026-11-21T23:29:59Z") else { panic!("{batch:?}") };
    assert_eq!((again.identifier.as_str(), again.value), (line(&batch).identifier.as_str(), 4));
    assert_eq!(again.key, again.identifier);
    assert_eq!(again.at, at("2026-11-20T23:59:59Z"));
    assert_eq!(again.not_after, at("2026-11-21T23:44:59Z"));
    assert_eq!(step(&batch, "2026-11-21T23:30:00Z"), Step::ReadSummaries);
}

#[test]
fn the_summaries_are_believed_only_once_everything_has_arrived() {
    let batch = tried(&tried(&counted(), "2026-11-21T00:30:00Z"), "2026-11-21T23:00:00Z");
    assert_eq!(step(&batch, "2026-11-21T23:30:00Z"), Step::Wait(at("2026-11-22T05:15:00Z")));
    assert_eq!(step(&batch, "2026-11-22T05:15:00Z"), Step::ReadSummaries);
    let too_early = reconcile([&batch], Meter::Minutes, 0, at("2026-11-22T05:14:59Z"));
    assert_eq!(too_early, Err(at("2026-11-22T05:15:00Z")));
    assert_eq!(found(&batch, Finding::Absent, "2026-11-22T05:14:59Z"), Err(Refused::OutOfTurn));
    let reconciled = reconcile([&batch], Meter::Minutes, 0, at("2026-11-22T05:15:00Z")).unwrap();
    assert_eq!(reconciled.findings, BTreeMap::from([(1, Finding::Absent)]));
}

#[test]
fn what_is_missing_is_sent_under_a_new_identifier() {
    let batch = tried(&counted(), "2026-11-21T00:30:00Z");
    let missing = found(&batch, Finding::Absent, "2026-11-23T00:30:00Z").unwrap();
    let Step::Send(anew) = step(&missing, "2026-11-23T00:30:00Z") else { panic!("{missing:?}") };
    assert_ne!(anew.identifier, line(&batch).identifier);
    assert_eq!(missing.meter_of(&line(&batch).identifier), Some(Meter::Minutes));
    assert_eq!((line(&missing).revision, line(&missing).value), (2, 4));
}

#[test]
fn a_200_is_confirmed_by_the_summaries_and_not_before() {
    assert!(sent().lines[&Meter::Calls].state == LineState::Computed && !sent().is_sent());
    assert_eq!(step(&sent(), "2026-11-21T01:00:00Z"), Step::Wait(at("2026-11-21T06:45:00Z")));
    let confirmed = found(&sent(), Finding::There { surely: true }, "2026-11-22T00:30:00Z").unwrap();
    assert_eq!(step(&confirmed, "2026-11-22T00:30:00Z"), Step::Nothing);
    assert!(line(&confirmed).is_final());
}

#[test]
fn a_refusal_that_comes_later_reopens_it_and_the_summaries_decide() {
    let reason = "meter_event_customer_not_found".to_owned();
    let identifier = line(&sent()).identifier.clone();
    let report = || Event::Reported { identifier: identifier.clone(), reason: reason.clone() };
    let reopened = sent().next(report()).unwrap();
    assert_eq!(
        line(&reopened).state,
        LineState::Reopened { last: Some(at("2026-11-21T00:30:00Z")), reason: reason.clone() }
    );
    assert_eq!(line(&reopened.next(report()).unwrap()).state, line(&reopened).state, "twice is once");
    assert_eq!(step(&reopened, "2026-11-21T01:00:00Z"), Step::Wait(at("2026-11-21T06:45:00Z")));
    let anew = found(&reopened, Finding::Absent, "2026-11-22T00:30:00Z").unwrap();
    assert_eq!(line(&anew.next(report()).unwrap()).state, LineState::Computed, "of the old identifier: old news");
    let there = found(&reopened, Finding::There { surely: true }, "2026-11-22T00:30:00Z").unwrap();
    assert!(line(&there).is_final());
    let unknown = Event::Reported { identifier: "of another batch".into(), reason };
    assert_eq!(sent().next(unknown), Err(Refused::OutOfTurn));
}

#[test]
fn a_refusal_at_the_first_try_leaves_nothing_behind_and_takes_another_key() {
    let refused = Answer::Refused { reason: "archived_meter".into() };
    let batch = answered(&tried(&counted(), "2026-11-21T00:30:00Z"), refused.clone());
    let Step::Send(again) = step(&batch, "2026-11-22T00:30:00Z") else { panic!("{batch:?}") };
    assert_eq!(again.identifier, line(&counted()).identifier);
    assert_eq!(again.key, format!("{}.1", again.identifier));

    let twice = tried(&tried(&counted(), "2026-11-21T00:30:00Z"), "2026-11-21T01:30:00Z");
    let batch = answered(&twice, refused);
    assert_eq!(step(&batch, "2026-11-21T02:00:00Z"), Step::Wait(at("2026-11-21T07:45:00Z")), "the first may be there");
}

#[test]
fn of_two_tries_in_the_same_moment_the_refused_one_does_not_speak_for_the_other() {
    let twice = tried(&tried(&counted(), "2026-11-21T00:30:00Z"), "2026-11-21T00:30:00Z");
    let refused = answered(&twice, Answer::Refused { reason: "archived_meter".into() });
    assert!(matches!(step(&refused, "2026-11-21T00:30:00Z"), Step::Wait(_)));
    let unreached = answered(&twice, Answer::NothingDone);
    assert!(matches!(line(&unreached).state, LineState::Trying { tries: 2, .. }));
}

#[test]
fn after_a_servers_error_the_same_event_takes_another_key() {
    let batch = answered(&tried(&counted(), "2026-11-21T00:30:00Z"), Answer::Unknown { key_spent: true });
    let Step::Send(again) = step(&batch, "2026-11-21T01:30:00Z") else { panic!("{batch:?}") };
    assert_eq!(
        (again.identifier.as_str(), again.key),
        (line(&batch).identifier.as_str(), format!("{}.1", again.identifier))
    );
    let batch = answered(&tried(&counted(), "2026-11-21T00:30:00Z"), Answer::NothingDone);
    assert_eq!(line(&batch).state, LineState::Computed);
}

#[test]
fn a_correction_within_the_window_cancels_and_sends_anew() {
    let content = content(&[("CA1", 1), ("CA2", 2)]);
    let touched = sent().next(Event::Touched).unwrap();
    assert!(touched.stale && !touched.is_final());
    let corrected = touched.next(Event::Corrected { content }).unwrap();
    let Step::Cancel(cancel) = step(&corrected, "2026-11-21T12:00:00Z") else { panic!("{corrected:?}") };
    assert_eq!((&cancel.identifier, cancel.key), (&line(&sent()).identifier, format!("{}.cancel", cancel.identifier)));
    let meter = Meter::Minutes;
    let tried = corrected.next(Event::CancelTried { meter, at: at("2026-11-21T12:00:00Z") }).unwrap();
    assert!(matches!(step(&tried, "2026-11-21T12:30:00Z"), Step::Cancel(_)), "a lost answer: again");
    let cancelled = tried.next(Event::CancelAnswered { meter, answer: done() }).unwrap();
    let Step::Send(anew) = step(&cancelled, "2026-11-21T12:00:00Z") else { panic!("{cancelled:?}") };
    assert_eq!((anew.value, line(&cancelled).revision), (3, 2));
    let fades = reconcile([&cancelled], meter, 4, at("2026-11-21T13:00:00Z"));
    assert_eq!(fades, Err(at("2026-11-21T18:15:00Z")), "the summaries may show what was cancelled for a while");
}

#[test]
fn what_is_there_only_by_its_sum_is_not_cancelled() {
    let when = at("2026-11-21T12:00:00Z");
    let corrected = |surely: bool| {
        let confirmed = found(&sent(), Finding::There { surely }, "2026-11-21T12:00:00Z").unwrap();
        confirmed.next(Event::Corrected { content: content(&[("CA1", 1), ("CA2", 2)]) }).unwrap()
    };
    assert!(matches!(corrected(true).step(Meter::Minutes, when), Step::Cancel(_)));
    assert_eq!(corrected(false).step(Meter::Minutes, when), Step::AskAPerson);
}

#[test]
fn a_later_correction_waits_for_a_person_and_stays_visible() {
    let confirmed = found(&sent(), Finding::There { surely: true }, "2026-11-22T00:30:00Z").unwrap();
    let corrected = confirmed.next(Event::Corrected { content: content(&[("CA1", 1), ("CA2", 2)]) }).unwrap();
    assert_eq!(step(&corrected, "2026-11-22T01:00:00Z"), Step::AskAPerson);
    assert_eq!(standing(day(), false, [&corrected], at("2026-11-22T01:00:00Z")), Standing::NeedsAPerson);
    let settle = |batch: &Batch| {
        batch.next(Event::Settled {
            meter: Meter::Minutes,
            counted: None,
            by: "u1".into(),
            reference: "cn_1".into(),
            at: at("2026-11-22T02:00:00Z"),
        })
    };
    let adjusted = settle(&corrected).unwrap();
    assert!(line(&adjusted).is_final());
    assert!(matches!(line(&adjusted).state, LineState::Adjusted { counted: 4, settled: 3, .. }));
    let again = adjusted.next(Event::Corrected { content: content(&[("CA1", 1), ("CA2", 9)]) }).unwrap();
    assert_eq!(step(&again, "2026-11-22T03:00:00Z"), Step::AskAPerson);
    assert_eq!(settle(&confirmed), Err(Refused::OutOfTurn), "nobody adjusts what is right");
}

#[test]
fn a_correction_of_what_was_never_sent_is_simply_sent() {
    let corrected = counted().next(Event::Corrected { content: content(&[("CA1", 1), ("CA2", 2)]) }).unwrap();
    assert!(matches!(step(&corrected, "2026-11-21T00:30:00Z"), Step::Send(Send { value: 3, .. })));
    let to_nothing = counted().next(Event::Corrected { content: content(&[("CA1", 0), ("CA2", 0)]) }).unwrap();
    assert_eq!(step(&to_nothing, "2026-11-21T00:30:00Z"), Step::Nothing);
}

#[test]
fn after_twenty_days_it_is_an_alarm_and_after_35_it_is_refused_and_reported() {
    let batch = counted();
    let stands = |batch: &Batch, when: &str| standing(day(), false, [batch], at(when));
    assert_eq!(standing(day(), true, [], at("2026-11-20T12:00:00Z")), Standing::Running);
    assert_eq!(standing(day(), true, [], at("2026-11-21T00:00:00Z")), Standing::Due);
    assert_eq!(stands(&batch, "2026-12-10T23:59:59Z"), Standing::Due);
    assert_eq!(stands(&batch, "2026-12-11T00:00:00Z"), Standing::Overdue);
    assert!(matches!(step(&batch, "2026-12-25T22:59:58Z"), Step::Send(_)));
    assert_eq!(step(&batch, "2026-12-25T22:59:59Z"), Step::Expire);
    let expire = |when: &str| batch.next(Event::Expired { meter: Meter::Minutes, at: at(when) });
    assert_eq!(expire("2026-12-25T00:00:00Z"), Err(Refused::OutOfTurn));
    let expired = expire("2026-12-25T23:00:00Z").unwrap();
    assert_eq!(stands(&expired, "2026-12-26T00:00:00Z"), Standing::Expired);
    assert_eq!(step(&expired, "2026-12-26T00:00:00Z"), Step::AskAPerson);
    assert!(!expired.is_final());
}

#[test]
fn of_several_events_those_are_there_that_make_up_the_sum() {
    let batch = |number: u32, minutes: u32, answer: Option<Answer>| {
        let content = content(&[(&format!("CA{number}"), minutes)]);
        let open = Batch::open("t-a", day(), number, 1);
        let tried = tried(&open.next(Event::Counted { fence: 1, content }).unwrap(), "2026-11-21T00:30:00Z");
        answer.map_or(tried.clone(), |answer| answered(&tried, answer))
    };
    let (first, second, third) = (batch(1, 5, None), batch(2, 5, Some(done())), batch(3, 2, None));
    let said = |found: u64| {
        let reconciled =
            reconcile([&first, &second, &third], Meter::Minutes, found, at("2026-11-23T00:00:00Z")).unwrap();
        (reconciled.findings.into_values().collect::<Vec<_>>(), reconciled.expected)
    };
    let (there, absent) = (Finding::There { surely: false }, Finding::Absent);
    assert_eq!(said(12), (vec![Finding::There { surely: true }; 3], 12));
    assert_eq!(said(0), (vec![absent, absent, absent], 0));
    assert_eq!(said(2), (vec![absent, absent, there], 2));
    assert_eq!(said(5), (vec![absent, there, absent], 5), "rather what Stripe answered for");
    assert_eq!(said(7), (vec![absent, there, there], 7));
    for found in [1, 3, 4, 6, 8, 11, 13] {
        let unexplained = Finding::Unexplained { found, expected: 12 };
        assert_eq!(said(found), (vec![unexplained; 3], 12));
    }
}

#[test]
fn what_was_confirmed_and_is_gone_shows_as_a_difference() {
    let confirmed = found(&sent(), Finding::There { surely: true }, "2026-11-22T00:30:00Z").unwrap();
    let reconciled = reconcile([&confirmed], Meter::Minutes, 3, at("2026-11-23T00:30:00Z")).unwrap();
    assert_eq!((reconciled.findings.len(), reconciled.found, reconciled.expected), (0, 3, 4));
}

#[test]
fn a_batch_is_stored_in_kebab_case() {
    let stored = serde_json::to_value(sent()).unwrap();
    assert_eq!(stored["lines"]["minutes"]["state"]["sent"]["request-id"], json!("req_1"));
    assert_eq!(stored["lines"]["calls"]["state"], json!("computed"));
    assert_eq!((&stored["day"], &stored["version"]), (&json!("2026-11-20"), &json!(4)));
    assert_eq!(serde_json::from_value::<Batch>(stored).unwrap(), sent());
    assert_eq!(serde_json::to_value(Unit::Claimed { batch: 2 }).unwrap(), json!({"claimed": {"batch": 2}}));
    assert_eq!(serde_json::to_value(Day::default()).unwrap(), json!({"fence": 0, "marks": 0, "state": "settled"}));
}

proptest! {
    #[test]
    fn identifiers_fit_and_say_nothing(tenant in ".{0,60}", minutes in 0..9_999_u32, revision in 1..99_u32) {
        let content = content(&[("CA1", minutes)]);
        let identifier = identifier(&tenant, day(), Meter::Minutes, &content, revision);
        prop_assert!(identifier.len() == 69 && identifier.starts_with("use1-"));
        prop_assert!(identifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    }

    #[test]
    fn findings_always_make_up_the_sum_or_wait_for_a_person(
        lines in prop::collection::vec((1..6_u32, any::<bool>()), 0..8),
        found in 0..40_u64,
    ) {
        let batches: Vec<Batch> = lines
            .iter()
            .zip(1..)
            .map(|((minutes, answer), number)| {
                let content = content(&[("CA1", *minutes)]);
                let open = Batch::open("t-a", day(), number, 1);
                let batch = tried(&open.next(Event::Counted { fence: 1, content }).unwrap(), "2026-11-21T00:30:00Z");
                if *answer { answered(&batch, done()) } else { batch }
            })
            .collect();
        let said = reconcile(&batches, Meter::Minutes, found, at("2026-11-23T00:00:00Z")).unwrap();
        let there: u64 = batches
            .iter()
            .filter(|batch| matches!(said.findings[&batch.number], Finding::There { .. }))
            .map(|batch| line(batch).value)
            .sum();
        let unexplained = said.findings.values().any(|finding| matches!(finding, Finding::Unexplained { .. }));
        prop_assert_eq!(said.findings.len(), batches.len());
        prop_assert!(unexplained || batches.is_empty() || there == found);
    }
}
