use super::*;
use jiff::civil::date;
use proptest::prelude::*;

const CALIFORNIA: [Jurisdiction; 1] = [Jurisdiction::UsCa];

/// A request received on Monday, 2 November 2026, and looked at on the 5th, under these laws.
fn under(jurisdictions: &[Jurisdiction], kind: Kind, state: State) -> Standing {
    Standing {
        kind,
        progress: Progress::new(state),
        clocks: clock::clocks_from(jurisdictions, None, kind, date(2026, 11, 2)).unwrap(),
        confirmed: false,
        identified: false,
        further: vec![],
        residence: None,
        jurisdictions: jurisdictions.to_vec(),
        today: date(2026, 11, 5),
    }
}

fn standing(kind: Kind, state: State) -> Standing {
    under(&CALIFORNIA, kind, state)
}

fn take(standing: &Standing, decision: &Decision) -> Result<Decided, Refusal> {
    decide(standing, decision, Actor::User { id: "u1".into() }, Timestamp::UNIX_EPOCH)
}

/// The request as it stands after a decision.
fn after(standing: &Standing, decided: &Decided) -> Standing {
    Standing {
        kind: decided.kind,
        progress: decided.progress,
        clocks: decided.clocks.clone(),
        confirmed: decided.confirmed,
        identified: decided.identified,
        further: standing.further.iter().copied().chain(decided.further.iter().map(|it| it.kind)).collect(),
        residence: decided.residence,
        ..standing.clone()
    }
}

fn denial(ground: Ground) -> Denial {
    Denial { ground: Some(ground), explanation: "We explained it.".into(), offered: "To opt out.".into() }
}

fn complete() -> Decision {
    Decision::Complete { done: "All of it was deleted.".into(), identity: "signed in".into(), except: None }
}

/// A decision with nothing missing.
fn well_made(standing: &Standing, action: Action) -> Decision {
    let text = || "because".to_owned();
    match action {
        Action::Receive => Decision::Receive { why: String::new() },
        Action::Acknowledge => Decision::Acknowledge { told: text() },
        Action::Classify => {
            let kind = if standing.kind == Kind::Correct { Kind::Delete } else { Kind::Correct };
            Decision::Classify { kinds: vec![kind], why: text(), looser: true }
        }
        Action::Assign => Decision::Assign { to: Some("u2".into()) },
        Action::Residence => {
            let residence = if standing.residence.is_none() { Some(Jurisdiction::UsIa) } else { None };
            Decision::Residence { residence, looser: true }
        }
        Action::Verify => Decision::Verify { asked: text() },
        Action::Review => Decision::Review { identity: text(), why: String::new() },
        Action::Fulfil => Decision::Fulfil { identity: text(), why: String::new() },
        Action::Complete => complete(),
        Action::Deny => Decision::Deny(denial(Ground::of(standing.kind).unwrap().next().unwrap().ground)),
        Action::Withdraw => Decision::Withdraw { how: text() },
        Action::Extend => Decision::Extend { reason: text() },
        Action::Reopen => Decision::Reopen { why: text() },
        Action::Expire => unreachable!("nobody decides that"),
    }
}

fn actions(standing: &Standing) -> Vec<&'static str> {
    offers(standing).unwrap().iter().map(|offer| offer.action.code()).collect()
}

fn offered(standing: &Standing, action: Action) -> Offer {
    offers(standing).unwrap().into_iter().find(|offer| offer.action == action).unwrap()
}

fn fields(refused: Result<Decided, Refusal>) -> Vec<&'static str> {
    match refused {
        Err(Refusal::Faults(faults)) => faults.iter().map(|fault| fault.field).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_state_offers_its_own_actions() {
    let of = |kind, state| actions(&standing(kind, state)).join(" ");
    assert_eq!(
        of(Kind::Delete, State::Received),
        "acknowledge classify assign residence verify review fulfil complete deny withdraw extend"
    );
    // The law has no confirmation, no verification and no extension of an opt-out.
    assert_eq!(of(Kind::OptOut, State::Received), "classify assign residence review fulfil complete deny withdraw");
    assert_eq!(of(Kind::OptOut, State::Incomplete), "receive classify assign residence complete withdraw");
    assert_eq!(of(Kind::Delete, State::Denied), "residence reopen");
}

#[test]
fn one_decision_completes_a_request_and_its_history_has_every_step() {
    let decided = take(&standing(Kind::Delete, State::Incomplete), &complete()).unwrap();
    let history: Vec<_> =
        decided.events.iter().map(|event| (event.action.code(), event.to.code(), event.why.as_str())).collect();
    assert_eq!(
        history,
        [
            ("receive", "received", "decided at once"),
            ("review", "in-review", "signed in"),
            ("fulfil", "fulfilling", "decided at once"),
            ("complete", "completed", "All of it was deleted."),
        ]
    );
    let closed = Closing::Closed { on: date(2026, 11, 5), outcome: Outcome::CompliedInWhole, ground: None };
    assert_eq!(decided.closing, closed);
}

#[test]
fn what_may_be_verified_is_not_done_before_it_is_said_who_asked() {
    let unsaid = Decision::Complete { done: "Sent.".into(), identity: " ".into(), except: None };
    for state in [State::Incomplete, State::Received, State::Verifying] {
        let standing = standing(Kind::KnowSpecific, state);
        assert!(offered(&standing, Action::Complete).identity);
        assert_eq!(fields(take(&standing, &unsaid)), ["identity"], "{state}");
    }
    // It was said when the review began.
    let reviewed = Standing { identified: true, ..standing(Kind::KnowSpecific, State::InReview) };
    assert!(take(&reviewed, &unsaid).is_ok());
    // Taken up again, or filed as something else, it has to be said again, wherever it stands.
    let reopen = Standing { identified: true, ..standing(Kind::KnowSpecific, State::Completed) };
    let reopened = after(&reopen, &take(&reopen, &Decision::Reopen { why: "she wrote again".into() }).unwrap());
    let classify = Decision::Classify { kinds: vec![Kind::Delete], why: "misheard".into(), looser: true };
    let fulfilling = Standing { identified: true, ..standing(Kind::Correct, State::Fulfilling) };
    let refiled = after(&fulfilling, &take(&fulfilling, &classify).unwrap());
    for again in [reopened, refiled] {
        assert!(offered(&again, Action::Complete).identity);
        assert_eq!(fields(take(&again, &unsaid)), ["identity"]);
        let decided = take(&again, &complete()).unwrap();
        assert!(decided.events[0].why.starts_with("signed in") && decided.identified, "{:?}", decided.events);
    }
}

#[test]
fn nobody_is_asked_who_opts_out_and_what_is_said_in_bulk_is_not_kept() {
    let standing = standing(Kind::OptOut, State::Received);
    assert!(!offered(&standing, Action::Complete).identity);
    let decided = take(&standing, &complete()).unwrap();
    assert_eq!(decided.events[0].why, "who asked need not be verified");
    let verify = take(&standing, &Decision::Verify { asked: "a licence".into() });
    assert!(matches!(verify, Err(Refusal::State(Refused::VerificationForbidden { citation: "11 CCR 7026(d)", .. }))));
}

#[test]
fn a_receipt_is_confirmed_once_and_only_where_the_law_asks() {
    let delete = standing(Kind::Delete, State::Received);
    let offer = offered(&delete, Action::Acknowledge);
    assert_eq!(offer.by.unwrap().date, date(2026, 11, 17));
    assert!(offer.reason && !offer.late);
    let late = Standing { today: date(2026, 11, 18), ..delete.clone() };
    assert!(offered(&late, Action::Acknowledge).late);

    let told = Decision::Acknowledge { told: "by e-mail".into() };
    let decided = take(&delete, &told).unwrap();
    assert!(decided.confirmed && decided.progress == delete.progress);
    assert_eq!(take(&after(&delete, &decided), &told), Err(Refusal::AlreadyConfirmed));
    assert_eq!(take(&standing(Kind::OptOut, State::Received), &told), Err(Refusal::NothingToConfirm));
}

#[test]
fn a_message_becomes_what_it_asks_each_with_its_own_date_from_the_day_it_was_left() {
    let message = standing(Kind::Message, State::Received);
    assert_eq!(message.clocks.respond_by.date, date(2026, 11, 24));
    let kinds = vec![Kind::Delete, Kind::OptOut];
    let decided = take(&message, &Decision::Classify { kinds, why: String::new(), looser: false }).unwrap();
    assert_eq!((decided.kind, decided.clocks.respond_by.date), (Kind::Delete, date(2026, 12, 17)));
    assert_eq!(
        decided.events[0].why,
        "filed as delete, opt-out; due 2026-12-17 instead of 2026-11-24 (11 CCR 7021(b))"
    );
    let [further] = decided.further.as_slice() else { panic!("{:?}", decided.further) };
    assert_eq!((further.kind, further.progress.state), (Kind::OptOut, State::Received));
    assert_eq!((further.clocks.received_on, further.clocks.respond_by.date), (date(2026, 11, 2), date(2026, 11, 24)));
}

#[test]
fn a_message_is_filed_refused_or_taken_back_but_never_completed() {
    for state in State::ALL {
        let message = standing(Kind::Message, state);
        assert!(!actions(&message).contains(&"complete"));
        if state.is_open() {
            assert_eq!(take(&message, &complete()), Err(Refusal::Unfiled));
        }
    }
    assert!(actions(&standing(Kind::Message, State::Received)).contains(&"deny"));
}

#[test]
fn a_request_is_never_filed_under_a_later_date_unawares() {
    let opt_out = standing(Kind::OptOut, State::InReview);
    let Choice::Kinds(kinds) = offered(&opt_out, Action::Classify).choice else { panic!() };
    let looser: Vec<_> = kinds.iter().filter(|as_kind| as_kind.looser).map(|as_kind| as_kind.kind.code()).collect();
    assert_eq!(looser, ["delete", "know-categories", "know-specific", "correct"]);

    let as_delete = |looser| Decision::Classify { kinds: vec![Kind::Delete], why: "misheard".into(), looser };
    assert_eq!(fields(take(&opt_out, &as_delete(false))), ["looser"]);
    assert_eq!(take(&opt_out, &as_delete(true)).unwrap().clocks.received_on, date(2026, 11, 2));
    // To a stricter date nothing needs to be ticked, and whoever is being verified is verified no more.
    let delete = standing(Kind::Delete, State::Verifying);
    let as_opt_out = Decision::Classify { kinds: vec![Kind::OptOut], why: "misheard".into(), looser: false };
    assert_eq!(take(&delete, &as_opt_out).unwrap().progress.state, State::InReview);
}

#[test]
fn a_request_keeps_its_kind_where_that_is_among_what_it_asks() {
    let kinds = vec![Kind::OptOut, Kind::Delete];
    let classify = |kinds| Decision::Classify { kinds, why: "both were said".into(), looser: false };
    let decided = take(&standing(Kind::Delete, State::Received), &classify(kinds)).unwrap();
    assert_eq!((decided.kind, decided.further[0].kind), (Kind::Delete, Kind::OptOut));

    let delete = standing(Kind::Delete, State::Received);
    for wrong in [vec![], vec![Kind::Delete], vec![Kind::Message], vec![Kind::Limit, Kind::Limit]] {
        assert_eq!(fields(take(&delete, &classify(wrong))), ["kinds"]);
    }
    let unsaid = Decision::Classify { kinds: vec![Kind::Limit], why: String::new(), looser: false };
    assert_eq!(fields(take(&delete, &unsaid)), ["why"]);
}

#[test]
fn an_extension_is_offered_with_its_date_once_until_the_first_date_has_passed() {
    let delete = standing(Kind::Delete, State::InReview);
    assert_eq!(offered(&delete, Action::Extend).by.unwrap().date, date(2027, 1, 31));
    let last_day = Standing { today: date(2026, 12, 17), ..delete.clone() };
    let extend = Decision::Extend { reason: "many requests at once".into() };
    let decided = take(&last_day, &extend).unwrap();
    assert_eq!(decided.clocks.respond_by.date, date(2027, 1, 31));
    assert_eq!(take(&after(&delete, &decided), &extend), Err(Refusal::State(Refused::AlreadyExtended)));
    let too_late = Standing { today: date(2026, 12, 18), ..delete.clone() };
    assert_eq!(take(&too_late, &extend), Err(Refusal::Extension(ExtensionRefused::FirstDatePassed)));
    assert_eq!(fields(take(&delete, &Decision::Extend { reason: " ".into() })), ["reason"]);

    // When the request turns out to be of another kind it stays taken only where that is meant, and what else is found in
    // the request has its own dates.
    let extended = after(&delete, &decided);
    let as_correct =
        |looser| Decision::Classify { kinds: vec![Kind::Correct, Kind::Limit], why: "misheard".into(), looser };
    let refiled = take(&extended, &as_correct(true)).unwrap();
    assert_eq!((refiled.clocks.respond_by.date, refiled.clocks.extension.as_ref()), (date(2027, 1, 31), None));
    assert!(refiled.progress.extended && refiled.clocks.extended);
    assert!(!refiled.further[0].progress.extended && !refiled.further[0].clocks.extended);
    let refiled = take(&extended, &as_correct(false)).unwrap();
    assert_eq!(refiled.clocks.respond_by.date, date(2026, 12, 17));
    assert!(!refiled.progress.extended && refiled.clocks.extension.is_some());
    let Choice::Kinds(kinds) = offered(&extended, Action::Classify).choice else { panic!() };
    let correct = kinds.iter().find(|it| it.kind == Kind::Correct).unwrap();
    assert_eq!(correct.extended.as_ref().map(|due| due.date), Some(date(2027, 1, 31)));
}

#[test]
fn a_refusal_has_a_ground_that_the_law_has_for_its_kind_and_an_explanation() {
    let delete = standing(Kind::Delete, State::InReview);
    let deny = |ground, explanation: &str, offered: &str| {
        let (explanation, offered) = (explanation.to_owned(), offered.to_owned());
        take(&delete, &Decision::Deny(Denial { ground, explanation, offered }))
    };
    assert_eq!(fields(deny(None, "", "")), ["explanation", "ground"]);
    assert_eq!(fields(deny(Some(Ground::TwiceIn12Months), "It is the third.", "")), ["ground"]);
    // Whoever is refused a deletion is asked about opting out.
    assert_eq!(fields(deny(Some(Ground::Exception), "We need it for the warranty.", "")), ["offered"]);
    let decided = deny(Some(Ground::Exception), "We need it for the warranty.", "Asked about opting out.").unwrap();
    assert_eq!(
        decided.events[0].why,
        "A legal exception applies: We need it for the warranty.\nAsked about opting out."
    );
    let ground = Some(Ground::Exception);
    assert_eq!(decided.closing, Closing::Closed { on: date(2026, 11, 5), outcome: Outcome::Denied, ground });
}

#[test]
fn a_request_for_specific_pieces_that_cannot_be_verified_goes_on_as_one_for_categories() {
    let decided = take(
        &standing(Kind::KnowSpecific, State::Verifying),
        &Decision::Deny(Denial { offered: String::new(), ..denial(Ground::NotVerified) }),
    )
    .unwrap();
    let [further] = decided.further.as_slice() else { panic!("{:?}", decided.further) };
    assert_eq!((further.kind, further.progress.state), (Kind::KnowCategories, State::Received));
    assert_eq!(further.clocks.respond_by.date, date(2026, 12, 17));
    // Refused once more after it was reopened, it goes on as the request that is there already.
    let again = Standing { further: vec![Kind::KnowCategories], ..standing(Kind::KnowSpecific, State::InReview) };
    let refused = Decision::Deny(Denial { offered: String::new(), ..denial(Ground::NotVerified) });
    assert_eq!(take(&again, &refused).unwrap().further, []);
    let other = take(&standing(Kind::KnowSpecific, State::InReview), &Decision::Deny(denial(Ground::NoData))).unwrap();
    assert_eq!(other.further, []);
}

#[test]
fn what_is_done_in_part_says_on_which_ground_the_rest_was_refused() {
    let in_part = |except| Decision::Complete { done: "Old orders.".into(), identity: "signed in".into(), except };
    let delete = standing(Kind::Delete, State::Received);
    let decided = take(&delete, &in_part(Some(denial(Ground::Exception)))).unwrap();
    let ground = Some(Ground::Exception);
    assert_eq!(decided.closing, Closing::Closed { on: date(2026, 11, 5), outcome: Outcome::CompliedInPart, ground });
    let nothing = Denial { ground: None, explanation: String::new(), offered: String::new() };
    assert_eq!(fields(take(&delete, &in_part(Some(nothing)))), ["explanation", "ground"]);
}

#[test]
fn where_the_person_lives_decides_the_date_and_a_later_one_is_ticked() {
    let both = [Jurisdiction::UsCa, Jurisdiction::UsIa];
    let delete = under(&both, Kind::Delete, State::InReview);
    let iowa = |looser| Decision::Residence { residence: Some(Jurisdiction::UsIa), looser };
    assert_eq!(fields(take(&delete, &iowa(false))), ["looser"]);
    let decided = take(&delete, &iowa(true)).unwrap();
    assert_eq!(decided.clocks.respond_by.date, date(2027, 1, 31));
    assert_eq!(decided.clocks.basis, clock::Basis::Residence);
    assert_eq!(decided.events[0].why, "lives in us-ia; due 2027-01-31 instead of 2026-12-17 (Iowa Code 715D.3)");
    // A law that the tenant does not answer under moves nothing; and what is closed keeps its dates.
    let texas = Decision::Residence { residence: Some(Jurisdiction::UsTx), looser: false };
    assert_eq!(take(&delete, &texas).unwrap().clocks, delete.clocks);
    let closed = under(&both, Kind::Delete, State::Completed);
    let noted = take(&closed, &iowa(false)).unwrap();
    assert_eq!((noted.residence, noted.clocks), (Some(Jurisdiction::UsIa), closed.clocks));
    let again = Decision::Residence { residence: None, looser: false };
    assert_eq!(fields(take(&delete, &again)), ["residence"]);
}

#[test]
fn what_is_missing_is_said_beside_its_field_in_the_readers_language() {
    let refused =
        take(&standing(Kind::Delete, State::InReview), &Decision::Withdraw { how: String::new() }).unwrap_err();
    let errors = refused.errors(Language::Spanish);
    assert_eq!(errors, [FieldError::new("how", "Diga cómo la retiró la persona.")]);
    assert_eq!(Refusal::AlreadyConfirmed.errors(Language::English), []);
    let long = Decision::Reopen { why: "x".repeat(CHARACTERS as usize + 1) };
    assert_eq!(fields(take(&standing(Kind::Delete, State::Denied), &long)), ["why"]);
}

#[test]
fn what_is_reopened_has_no_end_any_more_and_keeps_its_dates() {
    let denied = standing(Kind::Delete, State::Denied);
    let decided = take(&denied, &Decision::Reopen { why: "new documents".into() }).unwrap();
    assert_eq!((decided.closing, decided.progress.state), (Closing::Reopened, State::InReview));
    assert_eq!(decided.clocks, denied.clocks);
}

#[test]
fn only_four_things_are_done_to_many_requests_at_once() {
    let many: Vec<_> = Action::ALL.into_iter().filter(|action| bulk(*action)).collect();
    assert_eq!(many, [Action::Acknowledge, Action::Assign, Action::Complete, Action::Deny]);
}

#[test]
fn every_demand_of_the_law_has_its_citation_and_words_in_both_languages() {
    for demand in demands().unwrap() {
        assert!(!demand.citation.is_empty() && !demand.kinds.is_empty());
        assert!(!demand.text.en.is_empty() && !demand.text.es.is_empty() && demand.text.en != demand.text.es);
    }
    assert_eq!(Demand::of(Action::Verify, Kind::OptOut).unwrap(), Vec::<&Demand>::new());
    assert_eq!(Demand::of(Action::Complete, Kind::KnowSpecific).unwrap()[0].citation, "11 CCR 7024(d)");
}

fn any_standing() -> impl Strategy<Value = Standing> {
    let jurisdictions = prop::sample::subsequence(&Jurisdiction::ALL[..], 0..5);
    let residence = prop::option::of(prop::sample::select(&Jurisdiction::ALL[..]));
    (
        jurisdictions,
        residence,
        prop::sample::select(&Kind::ALL[..]),
        prop::sample::select(&State::ALL[..]),
        any::<(bool, bool, bool)>(),
        0_i32..120,
    )
        .prop_map(|(jurisdictions, residence, kind, state, (confirmed, extended_before, identified), days)| {
            let state = if kind.may_verify() || state != State::Verifying { state } else { State::Received };
            let received_on = date(2027, 6, 1);
            let clocks = clock::clocks_from(&jurisdictions, residence, kind, received_on).unwrap();
            let mut standing = Standing {
                kind,
                progress: Progress { state, extended: extended_before },
                clocks,
                confirmed,
                identified,
                further: vec![],
                residence,
                jurisdictions,
                today: received_on + jiff::Span::new().days(days),
            };
            standing.clocks = extended(&standing, clocks_of(&standing, kind, residence).unwrap());
            standing
        })
}

/// What people decide; that a part has been kept long enough is no decision.
const DECIDED: [Action; 13] = {
    let [first @ .., Action::Expire] = Action::ALL else { panic!("the last action") };
    first
};

proptest! {
    #[test]
    fn what_is_offered_can_be_done_and_nothing_else(standing in any_standing()) {
        let offers = offers(&standing).unwrap();
        prop_assert!(offers.iter().all(|offer| offer.action != Action::Expire));
        for action in DECIDED {
            let offer = offers.iter().find(|offer| offer.action == action);
            let taken = take(&standing, &well_made(&standing, action));
            prop_assert_eq!(offer.is_some(), taken.is_ok(), "{} {:?}", action, taken);
            if let Err(refused) = taken {
                prop_assert!(!matches!(refused, Refusal::Faults(_) | Refusal::Clock(_)), "{} {:?}", action, refused);
                prop_assert!(!refused.words().en.is_empty() && refused.words().en != refused.words().es);
            }
        }
    }

    #[test]
    fn whatever_is_decided_the_history_has_no_gap_and_no_right_is_lost(
        standing in any_standing(),
        actions in prop::collection::vec(prop::sample::select(&DECIDED[..]), 0..25),
    ) {
        let mut now = standing.clone();
        for action in actions {
            let Ok(decided) = take(&now, &well_made(&now, action)) else { continue };
            let mut state = now.progress.state;
            for event in &decided.events {
                prop_assert_eq!(event.from, state);
                prop_assert_eq!(now.progress.state.is_open() || action == Action::Residence || action == Action::Reopen, true);
                prop_assert!(!event.why.trim().is_empty());
                state = event.to;
            }
            prop_assert_eq!(decided.progress.state, state);
            // The day of receipt stays, an extension stays taken, and nobody is verified who must not be.
            prop_assert_eq!(decided.clocks.received_on, standing.clocks.received_on);
            prop_assert!(decided.progress.extended >= now.progress.extended || action == Action::Classify);
            prop_assert_eq!(decided.progress.extended, decided.clocks.extended);
            prop_assert!(decided.kind.may_verify() || state != State::Verifying);
            // The date moves later only by what is there to move it.
            if !matches!(action, Action::Extend | Action::Classify | Action::Residence) {
                prop_assert_eq!(&decided.clocks, &now.clocks);
            }
            // It is closed exactly when there is an end to write down.
            match decided.closing {
                Closing::Closed { on, outcome, ground } => {
                    prop_assert_eq!((on, outcome.state()), (now.today, state));
                    prop_assert_eq!(ground.is_some(), outcome == Outcome::Denied);
                }
                Closing::Reopened => prop_assert!(state.is_open() && !now.progress.state.is_open()),
                Closing::Unchanged => prop_assert_eq!(state.is_open(), now.progress.state.is_open()),
            }
            for further in &decided.further {
                prop_assert_eq!(further.clocks.received_on, standing.clocks.received_on);
                prop_assert!(further.progress.state.is_open() && further.kind != decided.kind);
            }
            now = after(&now, &decided);
        }
    }

    #[test]
    fn nothing_that_may_be_verified_is_completed_before_it_is_on_record_who_asked(
        standing in any_standing(),
        actions in prop::collection::vec((prop::sample::select(&DECIDED[..]), any::<bool>()), 0..40),
    ) {
        let mut now = Standing { identified: false, ..standing };
        // What was written down of who asked, since it was last in doubt.
        let mut known = false;
        for (action, says) in actions {
            let mut decision = well_made(&now, action);
            if let Decision::Review { identity, .. } | Decision::Fulfil { identity, .. } | Decision::Complete { identity, .. } = &mut decision {
                *identity = if says { "the account's own e-mail".to_owned() } else { String::new() };
            }
            let Ok(decided) = take(&now, &decision) else { continue };
            let doubted = matches!(action, Action::Verify | Action::Reopen)
                || (decided.kind != now.kind && decided.kind.may_verify());
            known = (known && !doubted) || decided.events.iter().any(|event| event.why.contains("the account's own e-mail"));
            if action == Action::Complete && now.clocks.may_verify {
                prop_assert!(known);
            }
            now = after(&now, &decided);
        }
    }
}
