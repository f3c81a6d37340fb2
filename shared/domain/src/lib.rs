//! What is true without any computer: tenants, requests, the law's clocks, and the usage a call leaves behind.
//!
//! Pure: no `async`, no input or output, no `now()`; time and chance are passed in.
//!
//! | read | module | what it says |
//! |---|---|---|
//! | 1 | [`tenant`] | the business that answers: its name, time zone and the laws it answers under |
//! | 2 | [`service_code`] | the code a caller keys, its greeting per language, the kinds of request it takes |
//! | 3 | [`language`] | the languages of the hotline |
//! | 4 | [`phone`] | telephone numbers, and callers who withhold theirs |
//! | 5 | [`request`] | the kinds of privacy request, and the states one goes through |
//! | 6 | [`jurisdiction`] | the laws, by place |
//! | 7 | [`rules`] | what each law asks, read from `rules/<jurisdiction>.toml` |
//! | 8 | [`business_day`] | weekends, holidays and the days on which they are observed |
//! | 9 | [`clock`] | the dates a request must be confirmed and answered by |
//! | 10 | [`reference`](mod@reference) | the number a caller notes down to ask about a request later |
//! | 11 | [`denial`] | the grounds on which a request may be refused, and what must be offered instead |
//! | 12 | [`desk`] | what may be done with a request, by its state and the law, and what becomes of it |
//! | 13 | [`verification`] | what may be asked of whoever makes a request, and what must not |
//! | 14 | [`metrics`] | the log of 11 CCR 7101, the figures of 7102, and the counters they come from |
//! | 15 | [`usage`] | what a call cost, whatever order its callbacks came in |
//! | 16 | [`email`] | e-mail addresses |
//! | 17 | [`personal`] | words about a person, which are never printed |
//! | 18 | [`origin`] | the web origins from which a form is accepted |
//! | 19 | [`human_check`] | who tells people from programs, and what a request says of it |
//! | 20 | [`colour`] | a business's own colour, and what can be read on it |
//! | 21 | [`intake`] | what the web form asks for each kind of request, and how it is read |
//! | 22 | [`notice`] | what a business tells of what it collects, and the rights that people have |
//! | 23 | [`role`], [`user`] | who signs in at the tenant's, and what they may do |
//! | 24 | [`audit`] | who did what, in a chain that shows when a link was changed |
//! | 25 | [`billing`] | how usage is billed exactly once, whatever fails in between |
//! | 26 | [`job`] | the work that is planned ahead, for one tenant at a time |
//! | 27 | [`report`] | when a report of numbers is due, what it covers, and what it may say |
//! | 28 | [`reminder`], [`alert`] | which deadlines are reminded of on a day, when news is told, and to whom |
//! | 29 | [`retention`] | how long what belongs to a request is kept, and when it goes |
//! | – | [`field_error`] | what is wrong with a form's field, in words for the person who filled it in |

pub mod alert;
pub mod audit;
pub mod billing;
pub mod business_day;
pub mod clock;
pub mod closure;
pub mod colour;
pub mod denial;
pub mod desk;
pub mod email;
pub mod field_error;
pub mod human_check;
pub mod intake;
pub mod job;
pub mod jurisdiction;
pub mod language;
pub mod metrics;
pub mod notice;
pub mod origin;
pub mod own_words;
pub mod personal;
pub mod phone;
pub mod reference;
pub mod reminder;
pub mod report;
pub mod request;
pub mod retention;
pub mod role;
pub mod rules;
pub mod service_code;
pub mod tenant;
pub mod usage;
pub mod user;
pub mod verification;

pub use field_error::FieldError;

#[cfg(test)]
mod tests {
    //! What is stored must be readable for years: these forms do not change.

    use std::collections::{BTreeMap, BTreeSet};
    use std::fmt::Debug;

    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use serde_json::json;

    use crate::clock;
    use crate::colour::Colour;
    use crate::denial::{Category, Ground};
    use crate::email::EmailAddress;
    use crate::jurisdiction::Jurisdiction;
    use crate::language::Language;
    use crate::metrics::Scope;
    use crate::origin::Origin;
    use crate::personal::PersonalText;
    use crate::phone::{CallerId, E164};
    use crate::reference::Reference;
    use crate::request::{Action, Actor, Channel, Event, Kind, Missing, Outcome, Progress, State};
    use crate::service_code::{Greeting, GreetingVersion, Number, ServiceCode, ServiceCodeProfile};
    use crate::tenant::{Reminders, Retention, TenantProfile};
    use crate::usage::{CallStatus, CallUsage};
    use crate::user::{AlertFrequency, Preferences, ReportFrequency, UserProfile};

    #[track_caller]
    fn is_stored_as<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, stored: serde_json::Value) {
        assert_eq!(serde_json::to_value(value).unwrap(), stored);
        assert_eq!(&serde_json::from_value::<T>(stored).unwrap(), value);
    }

    #[test]
    fn names_are_stored_as_their_codes() {
        for kind in Kind::ALL {
            is_stored_as(&kind, json!(kind.code()));
        }
        for state in State::ALL {
            is_stored_as(&state, json!(state.code()));
        }
        for action in Action::ALL {
            is_stored_as(&action, json!(action.code()));
        }
        for status in CallStatus::ALL {
            is_stored_as(&status, json!(status.as_str()));
        }
        for language in Language::ALL {
            is_stored_as(&language, json!(language.code()));
        }
        for jurisdiction in Jurisdiction::ALL {
            is_stored_as(&jurisdiction, json!(jurisdiction.as_str()));
        }
        for channel in Channel::ALL {
            is_stored_as(&channel, json!(channel.code()));
        }
        for outcome in Outcome::ALL {
            is_stored_as(&outcome, json!(outcome.code()));
        }
        for ground in Ground::ALL {
            is_stored_as(&ground, json!(ground.code()));
        }
        for category in Category::ALL {
            is_stored_as(&category, json!(category.code()));
        }
        for scope in Scope::ALL {
            is_stored_as(&scope, json!(scope.code()));
        }
        for urgency in clock::Urgency::ALL {
            is_stored_as(&urgency, json!(urgency.code()));
        }
        for frequency in ReportFrequency::ALL {
            is_stored_as(&frequency, json!(frequency.code()));
        }
        for frequency in AlertFrequency::ALL {
            is_stored_as(&frequency, json!(frequency.code()));
        }
        is_stored_as(
            &[Missing::Name, Missing::Details, Missing::Confirmation],
            json!(["name", "details", "confirmation"]),
        );
        is_stored_as(
            &[Channel::Phone, Channel::Form, Channel::Email, Channel::Mail, Channel::InPerson, Channel::Signal],
            json!(["phone", "form", "email", "mail", "in-person", "signal"]),
        );
    }

    #[test]
    fn numbers_are_stored_as_text_and_read_only_when_they_are_valid() {
        is_stored_as(&E164::parse("+12025550123").unwrap(), json!("+12025550123"));
        is_stored_as(&CallerId::parse("+12025550123"), json!({"known": "+12025550123"}));
        is_stored_as(&CallerId::Withheld, json!("withheld"));
        is_stored_as(&ServiceCode::parse("007").unwrap(), json!("007"));
        is_stored_as(&Reference::from_entropy(0), json!("000000000000"));
        is_stored_as(&EmailAddress::parse("Ana@example.com").unwrap(), json!("Ana@example.com"));
        is_stored_as(&Origin::parse("https://example.com").unwrap(), json!("https://example.com"));
        is_stored_as(&PersonalText::parse("Ana Pérez").unwrap(), json!("Ana Pérez"));
        assert!(serde_json::from_value::<EmailAddress>(json!("ana")).is_err());
        assert!(serde_json::from_value::<Origin>(json!("http://example.com")).is_err());
        assert!(serde_json::from_value::<E164>(json!("2025550123")).is_err());
        assert!(serde_json::from_value::<ServiceCode>(json!("0")).is_err());
        assert!(serde_json::from_value::<Reference>(json!("000000000001")).is_err());
    }

    #[test]
    fn profiles_are_stored_in_kebab_case() {
        is_stored_as(
            &TenantProfile {
                name: "Main store".into(),
                time_zone: "America/Los_Angeles".into(),
                jurisdictions: vec![Jurisdiction::UsCa],
                retention: Retention::default(),
                reminders: Reminders::default(),
                photo_id: false,
                closure: crate::closure::Closure::Open,
            },
            json!({
                "name": "Main store", "time-zone": "America/Los_Angeles", "jurisdictions": ["us-ca"],
                "photo-id": false,
                "retention": {
                    "request-months": 24, "recording-months": 24, "message-months": 13, "attachment-months": 24,
                },
                "reminders": {"days-before": [10, 5, 2], "on-the-day": true, "daily-when-overdue": true},
            }),
        );
        let code = ServiceCode::parse("1").unwrap();
        is_stored_as(
            &ServiceCodeProfile {
                code: code.clone(),
                name: "Main store".into(),
                active: true,
                languages: vec![Language::English, Language::Spanish],
                greetings: BTreeMap::from([
                    (Language::English, Greeting::Text("Welcome.".into())),
                    (Language::Spanish, Greeting::Audio { file: "f.mp3".into() }),
                ]),
                kinds: BTreeSet::from([Kind::OptOut]),
                web_form: None,
                origins: vec![Origin::parse("https://*.example.com").unwrap()],
                accent: Some(Colour::parse("#0a5c8f").unwrap()),
            },
            json!({
                "code": "1", "name": "Main store", "active": true, "languages": ["en", "es"],
                "greetings": {"en": {"text": "Welcome."}, "es": {"audio": {"file": "f.mp3"}}},
                "kinds": ["opt-out"], "web-form": null, "origins": ["https://*.example.com"],
                "accent": "#0a5c8f",
            }),
        );
        is_stored_as(
            &GreetingVersion {
                at: Timestamp::UNIX_EPOCH,
                by: "u1".into(),
                greeting: Greeting::Text("Welcome.".into()),
            },
            json!({"at": "1970-01-01T00:00:00Z", "by": "u1", "greeting": {"text": "Welcome."}}),
        );
        is_stored_as(&Number::Shared, json!("shared"));
        is_stored_as(&Number::Dedicated { code }, json!({"dedicated": {"code": "1"}}));
    }

    #[test]
    fn somebody_who_chose_before_there_were_alerts_hears_of_requests_once_a_day() {
        let preferences = Preferences {
            reports: ReportFrequency::Weekly,
            hour: 8,
            service_codes: vec![ServiceCode::parse("12").unwrap()],
            reminders: true,
            alerts: AlertFrequency::AtOnce,
        };
        is_stored_as(
            &preferences,
            json!({
                "reports": "weekly", "hour": 8, "service-codes": ["12"], "reminders": true, "alerts": "at-once",
            }),
        );
        let profile = json!({
            "name": "Ana", "language": "es",
            "preferences": {"reports": "weekly", "hour": 8, "service-codes": ["12"], "reminders": true},
        });
        let read: UserProfile = serde_json::from_value(profile).unwrap();
        assert_eq!(read.preferences, Preferences { alerts: AlertFrequency::Daily, ..preferences });
        let profile = json!({"name": "Ana", "language": "es"});
        assert_eq!(serde_json::from_value::<UserProfile>(profile).unwrap().preferences, Preferences::default());
    }

    #[test]
    fn who_never_chose_is_reminded_and_who_chose_not_to_be_is_not() {
        is_stored_as(
            &Preferences::default(),
            json!({"reports": "never", "hour": 8, "service-codes": [], "reminders": true, "alerts": "daily"}),
        );
        let of = |preferences: serde_json::Value| serde_json::from_value::<Preferences>(preferences).unwrap();
        assert_eq!(of(json!({})), Preferences::default());
        assert!(!of(json!({"reminders": false})).reminders);
    }

    #[test]
    fn a_requests_history_and_dates_are_stored_in_kebab_case() {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        is_stored_as(&Progress::new(State::InReview), json!({"state": "in-review", "extended": false}));
        is_stored_as(
            &Event {
                at,
                who: Actor::System { function: "voice-submit".into() },
                action: Action::Receive,
                from: State::Incomplete,
                to: State::Received,
                why: "submitted on the call".into(),
            },
            json!({
                "at": "2027-01-15T08:00:00Z", "who": {"system": {"function": "voice-submit"}}, "action": "receive",
                "from": "incomplete", "to": "received", "why": "submitted on the call",
            }),
        );
        is_stored_as(
            &clock::clocks(&[Jurisdiction::UsCa], Kind::OptOut, at, &TimeZone::UTC).unwrap(),
            json!({
                "received-on": "2027-01-15", "basis": "tenant", "confirm-by": null,
                "respond-by": {
                    "date": "2027-02-08", "days": 15, "unit": "business", "jurisdiction": "us-ca",
                    "citation": "11 CCR 7026(f)(1)", "certainty": "checked",
                },
                "extension": null, "extended": false, "completion-notice-by": null, "may-verify": false,
            }),
        );
    }

    #[test]
    fn a_calls_usage_is_stored_in_kebab_case() {
        is_stored_as(
            &CallUsage {
                call_sid: format!("CA{}", "0".repeat(32)),
                status: CallStatus::NoAnswer,
                seconds: 0,
                billed_minutes: 0,
                sequence: 2,
                ended_at: Timestamp::UNIX_EPOCH,
            },
            json!({
                "call-sid": "CA00000000000000000000000000000000", "status": "no-answer", "seconds": 0,
                "billed-minutes": 0, "sequence": 2, "ended-at": "1970-01-01T00:00:00Z",
            }),
        );
    }
}
