//! One test per rule of the law, written from the law and not from the file; and what must never be, whatever is asked.

use proptest::prelude::*;

use super::*;

const VERIFIED: [Kind; 4] = [Kind::Delete, Kind::KnowCategories, Kind::KnowSpecific, Kind::Correct];

fn facts(kind: Kind, requester: Requester) -> Facts {
    Facts { kind, requester, may_verify: kind.may_verify(), account: false, sensitive: false, photo_id: false }
}

fn policy(kind: Kind, requester: Requester) -> Policy {
    Policy::of(facts(kind, requester)).unwrap()
}

fn asks(policy: &Policy) -> Vec<Ask> {
    policy.may.iter().map(|rule| rule.ask).collect()
}

fn cited(rules: &[&'static Rule], ask: Ask) -> Option<&'static str> {
    rules.iter().find(|rule| rule.ask == ask).map(|rule| rule.citation.as_str())
}

#[test]
fn who_opts_out_or_limits_is_asked_nothing_and_an_agent_only_for_the_signed_permission() {
    for kind in [Kind::OptOut, Kind::Limit] {
        for requester in [Requester::Myself, Requester::Parent, Requester::Minor, Requester::AgentWithPowerOfAttorney] {
            assert_eq!(asks(&policy(kind, requester)), [], "{kind} {requester:?}");
            assert_eq!(policy(kind, requester).measure, None);
        }
        let agent = policy(kind, Requester::Agent);
        assert_eq!(asks(&agent), [Ask::SignedPermission]);
        assert_eq!(cited(&agent.must_not, Ask::ConsumerConfirms), Some("11 CCR 7026(j)"));
    }
    assert_eq!(cited(&policy(Kind::OptOut, Requester::Agent).may, Ask::SignedPermission), Some("11 CCR 7026(j)"));
}

#[test]
fn a_message_may_be_an_opt_out_so_nothing_is_asked_until_it_is_filed() {
    for requester in Requester::ALL {
        assert_eq!(asks(&policy(Kind::Message, requester)), []);
    }
}

#[test]
fn categories_take_two_data_points_and_specific_pieces_three_and_a_declaration() {
    let measure = |kind, sensitive| {
        let facts = Facts { sensitive, ..facts(kind, Requester::Myself) };
        let policy = Policy::of(facts).unwrap();
        let measure = policy.measure.unwrap();
        (measure.degree, measure.data_points, policy.may_ask(Ask::Declaration))
    };
    assert_eq!(measure(Kind::KnowCategories, false), (Degree::Reasonable, 2, false));
    assert_eq!(measure(Kind::KnowCategories, true), (Degree::Reasonable, 2, false));
    assert_eq!(measure(Kind::KnowSpecific, false), (Degree::ReasonablyHigh, 3, true));
    for kind in [Kind::Delete, Kind::Correct] {
        assert_eq!(measure(kind, false), (Degree::Reasonable, 2, false));
        assert_eq!(measure(kind, true), (Degree::ReasonablyHigh, 3, false));
    }
}

#[test]
fn an_account_is_signed_in_to_only_where_there_is_one() {
    assert!(!policy(Kind::Delete, Requester::Myself).may_ask(Ask::AccountSignIn));
    let has_one = Facts { account: true, ..facts(Kind::Delete, Requester::Myself) };
    assert!(Policy::of(has_one).unwrap().may_ask(Ask::AccountSignIn));
}

#[test]
fn a_photo_id_is_asked_only_where_the_business_takes_them_and_the_kind_bears_it() {
    for kind in Kind::ALL {
        for requester in Requester::ALL {
            assert!(!policy(kind, requester).may_ask(Ask::PhotoId), "{kind} {requester:?}");
            let taken = Facts { photo_id: true, ..facts(kind, requester) };
            let bears = matches!(kind, Kind::Delete | Kind::KnowSpecific | Kind::Correct)
                && matches!(requester, Requester::Myself | Requester::Parent);
            assert_eq!(Policy::of(taken).unwrap().may_ask(Ask::PhotoId), bears, "{kind} {requester:?}");
        }
    }
}

#[test]
fn an_agent_shows_permission_and_the_person_may_be_asked_themselves_unless_there_is_a_power_of_attorney() {
    for kind in VERIFIED {
        let agent = policy(kind, Requester::Agent);
        for ask in [Ask::SignedPermission, Ask::ConsumerVerifies, Ask::ConsumerConfirms] {
            assert!(agent.may_ask(ask), "{kind} {ask:?}");
        }
        assert!(!agent.may_ask(Ask::Declaration), "what one person swears is not another's to swear");
        assert_eq!(cited(&agent.must_not, Ask::PowerOfAttorney), Some("11 CCR 7063(b)"));
        let attorney = policy(kind, Requester::AgentWithPowerOfAttorney);
        for ask in [Ask::SignedPermission, Ask::ConsumerVerifies, Ask::ConsumerConfirms, Ask::PowerOfAttorney] {
            assert!(!attorney.may_ask(ask), "{kind} {ask:?}");
            assert_eq!(cited(&attorney.must_not, ask), Some("11 CCR 7063(b)"), "{kind} {ask:?}");
        }
    }
}

#[test]
fn of_an_agents_principal_one_of_two_things_is_asked_and_never_both() {
    for kind in VERIFIED {
        let choices = policy(kind, Requester::Agent).choices();
        let either: Vec<_> = choices.iter().filter_map(|(rule, other)| Some((rule.ask, other.as_ref()?.ask))).collect();
        assert_eq!(either, [(Ask::ConsumerVerifies, Ask::ConsumerConfirms)], "{kind}");
        assert!(choices.iter().all(|(rule, _)| rule.ask != Ask::ConsumerConfirms), "it stands beside the other");
    }
    for rule in &File::read().unwrap().rules {
        let Some(or) = rule.or else { continue };
        let other = policy(rule.kinds[0], rule.requesters[0]).may.into_iter().find(|it| it.ask == or).unwrap();
        assert_eq!(other.or, Some(rule.ask));
        assert!(rule.text.of(crate::language::Language::English).contains("or, instead"), "{rule:?}");
    }
}

#[test]
fn whoever_asks_by_the_form_may_turn_out_to_be_somebody_with_rules_of_their_own() {
    for requester in [intake::Requester::Myself, intake::Requester::Agent] {
        let known = Facts::of_request(Kind::Delete, Some(requester), true, true);
        let other = Policy::of(Facts { requester: known.requester.may_be().unwrap(), ..known }).unwrap();
        assert_ne!(Policy::of(known).unwrap(), other, "{requester:?}");
    }
    assert_eq!(Facts::of_request(Kind::Delete, None, true, false).requester, Requester::Myself);
}

#[test]
fn a_parent_shows_to_be_one_and_a_minor_of_thirteen_needs_none() {
    for kind in VERIFIED {
        assert!(policy(kind, Requester::Parent).may_ask(Ask::Parenthood));
        let minor = policy(kind, Requester::Minor);
        assert!(!minor.may_ask(Ask::Parenthood));
        assert_eq!(cited(&minor.must_not, Ask::ParentalConsent), Some("11 CCR 7071"));
    }
}

#[test]
fn a_correction_is_not_verified_by_what_it_contests() {
    assert_eq!(cited(&policy(Kind::Correct, Requester::Myself).must_not, Ask::DisputedData), Some("11 CCR 7060"));
}

#[test]
fn a_request_steps_down_where_its_maker_cannot_be_verified() {
    let step = |kind| policy(kind, Requester::Myself).downgrade.map(|it| (it.to, it.citation.as_str()));
    assert_eq!(step(Kind::KnowSpecific), Some((Instead::KnowCategories, "11 CCR 7024(a)")));
    assert_eq!(step(Kind::KnowCategories), Some((Instead::PrivacyPolicy, "11 CCR 7024(b)")));
    assert_eq!(step(Kind::Delete), Some((Instead::OptOut, "11 CCR 7022")));
    for kind in [Kind::OptOut, Kind::Limit, Kind::Message] {
        assert_eq!(step(kind), None);
    }
}

#[test]
fn what_is_never_disclosed_is_named_with_its_section() {
    let never = never_disclosed().unwrap();
    let text: String = never.iter().map(|it| it.text.of(crate::language::Language::English)).collect();
    for what in ["Social Security", "license", "financial account", "medical", "password", "security", "biometric"] {
        assert!(text.contains(what), "{what}");
    }
    assert!(never.iter().all(|it| it.citation == "11 CCR 7024(d)"));
}

#[test]
fn a_denial_for_want_of_verification_steps_down_as_these_rules_do() {
    use crate::denial::{Ground, Instead as Duty};
    for (kind, duty) in
        [(Kind::KnowSpecific, Duty::TreatAsCategories), (Kind::KnowCategories, Duty::PointToPrivacyPolicy)]
    {
        let rule = Ground::NotVerified.rule().unwrap();
        assert!(rule.duties(kind).unwrap().any(|it| it.does == duty), "{kind}");
    }
}

#[test]
fn every_rule_has_its_citation_its_words_and_somebody_whom_it_is_about() {
    let file = File::read().unwrap();
    for rule in &file.rules {
        assert!(!rule.citation.is_empty() && !rule.kinds.is_empty() && !rule.requesters.is_empty(), "{rule:?}");
        for language in crate::language::Language::ALL {
            assert!(!rule.text.of(language).is_empty());
        }
        assert!(rule.allowed || rule.given.is_none(), "what is forbidden is forbidden whatever else is so: {rule:?}");
    }
    for ask in Ask::ALL {
        assert!(file.rules.iter().any(|rule| rule.ask == ask), "{ask:?}");
    }
}

/// What 3-rules.md 3 and 4 forbid, in code.
fn forbidden(facts: Facts, ask: Ask) -> bool {
    let agent = matches!(facts.requester, Requester::Agent | Requester::AgentWithPowerOfAttorney);
    let attorney = facts.requester == Requester::AgentWithPowerOfAttorney;
    let verifies = !matches!(ask, Ask::SignedPermission);
    let never = matches!(
        ask,
        Ask::NewAccount
            | Ask::Fee
            | Ask::PaidNotarization
            | Ask::NewSensitiveData
            | Ask::DisputedData
            | Ask::PowerOfAttorney
            | Ask::ParentalConsent
    );
    never
        || (!(facts.kind.may_verify() && facts.may_verify) && verifies)
        || (facts.kind == Kind::Message)
        || (ask == Ask::PhotoId && (!facts.photo_id || facts.kind == Kind::KnowCategories))
        || (ask == Ask::Declaration && (facts.kind != Kind::KnowSpecific || agent))
        || (ask == Ask::AccountSignIn && !facts.account)
        || (attorney && matches!(ask, Ask::SignedPermission | Ask::ConsumerVerifies | Ask::ConsumerConfirms))
        || (!agent && matches!(ask, Ask::SignedPermission | Ask::ConsumerVerifies | Ask::ConsumerConfirms))
        || (ask == Ask::Parenthood && facts.requester != Requester::Parent)
}

proptest! {
    #[test]
    fn nobody_is_ever_asked_for_what_the_law_forbids(
        kind in prop::sample::select(Kind::ALL.to_vec()),
        requester in prop::sample::select(Requester::ALL.to_vec()),
        (may_verify, account, sensitive, photo_id) in any::<(bool, bool, bool, bool)>(),
    ) {
        let facts = Facts { kind, requester, may_verify, account, sensitive, photo_id };
        let policy = Policy::of(facts).unwrap();
        for ask in Ask::ALL {
            prop_assert!(!(policy.may_ask(ask) && forbidden(facts, ask)), "{:?} {:?}", facts, ask);
            prop_assert!(!(policy.may_ask(ask) && cited(&policy.must_not, ask).is_some()), "{:?} {:?}", facts, ask);
        }
        prop_assert_eq!(policy.measure.is_some(), kind.may_verify() && may_verify);
        prop_assert!(policy.measure.is_none_or(|it| matches!(it.data_points, 2 | 3)));
    }
}

#[test]
fn the_web_form_asks_nothing_that_these_rules_do_not_allow() {
    use crate::intake::{self, Question};
    for kind in Kind::ALL {
        for of_form in intake::Requester::ALL {
            let requester = Requester::from(of_form);
            let policy = policy(kind, requester);
            for (question, _) in intake::questions(kind, of_form) {
                let fine = match question {
                    // What the choice acts on, and where the answer goes; what the request says; for whom somebody acts.
                    Question::Contact
                    | Question::Details
                    | Question::AgentName
                    | Question::AgentEmail
                    | Question::AgentCompany => true,
                    // These are compared with what is held.
                    Question::Name | Question::Email | Question::Phone | Question::Residence => {
                        policy.may_ask(Ask::DataPoints)
                    }
                };
                assert!(fine, "{kind} {requester:?} {question:?}");
            }
        }
    }
}
