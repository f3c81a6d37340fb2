//! What the web form asks for each kind of request, and how what was written into it is read.
//!
//! Nobody is asked for more than the request needs (11 CCR 7002, 7004, 7060(c)). Opting out and limiting act on what the
//! business knows a person by, so they ask for one thing only: an e-mail address or a telephone number.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::email::EmailAddress;
use crate::field_error::FieldError;
use crate::jurisdiction::Jurisdiction;
use crate::language::{Language, Words};
use crate::personal::PersonalText;
use crate::phone::E164;
use crate::request::{Actor, Kind};

/// For whom somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Requester {
    /// For themselves.
    Myself,
    /// As somebody's authorized agent: Cal. Civ. Code 1798.135(e), 11 CCR 7063.
    Agent,
    /// As the parent or guardian of a child under 13: 11 CCR 7070.
    Parent,
}

impl Requester {
    /// Everybody who may ask.
    pub const ALL: [Self; 3] = [Self::Myself, Self::Agent, Self::Parent];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Myself => "myself",
            Self::Agent => "agent",
            Self::Parent => "parent",
        }
    }

    /// The one with this stored name.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }

    /// Who does something when this one asks.
    #[must_use]
    pub const fn actor(self) -> Actor {
        match self {
            Self::Myself | Self::Parent => Actor::Consumer,
            Self::Agent => Actor::AuthorizedAgent,
        }
    }
}

/// What a form may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// One e-mail address or telephone number, whichever the business knows.
    Contact,
    /// The person's name.
    Name,
    /// Their e-mail address.
    Email,
    /// Their telephone number.
    Phone,
    /// Where they live, which decides whose law counts.
    Residence,
    /// What is to be corrected, or the message.
    Details,
    /// The agent's name.
    AgentName,
    /// The agent's e-mail address.
    AgentEmail,
    /// Whom the agent works for.
    AgentCompany,
}

impl Question {
    /// Everything that any form asks.
    pub const ALL: [Self; 9] = [
        Self::Contact,
        Self::Name,
        Self::Email,
        Self::Phone,
        Self::Residence,
        Self::Details,
        Self::AgentName,
        Self::AgentEmail,
        Self::AgentCompany,
    ];

    /// The name of its field.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Name => "name",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Residence => "residence",
            Self::Details => "details",
            Self::AgentName => "agent-name",
            Self::AgentEmail => "agent-email",
            Self::AgentCompany => "agent-company",
        }
    }
}

/// How much an answer matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// There is no request without it.
    Required,
    /// One of those that are so is required.
    OneOf,
    /// It helps.
    Optional,
}

/// What the form of a kind asks of somebody, in its order; nothing else is read or kept.
#[must_use]
pub fn questions(kind: Kind, requester: Requester) -> Vec<(Question, Need)> {
    let mut questions = vec![];
    if requester == Requester::Agent {
        questions.push((Question::AgentName, Need::Required));
        questions.push((Question::AgentEmail, Need::Required));
        questions.push((Question::AgentCompany, Need::Optional));
    }
    if kind.needs_name() {
        questions.push((Question::Name, Need::Required));
        questions.push((Question::Email, Need::OneOf));
        questions.push((Question::Phone, Need::OneOf));
        questions.push((Question::Residence, Need::Optional));
    } else {
        questions.push((Question::Contact, Need::Required));
    }
    if kind.needs_details() {
        questions.push((Question::Details, Need::Required));
    }
    questions
}

/// Who asks for somebody else.
#[derive(Clone, PartialEq, Eq)]
pub struct Agent {
    /// Their name.
    pub name: PersonalText,
    /// Where they can be answered.
    pub email: EmailAddress,
    /// Whom they work for.
    pub company: Option<PersonalText>,
}

impl std::fmt::Debug for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Agent(redacted)")
    }
}

/// A form that is right, and holds no more than its kind asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intake {
    /// What is asked.
    pub kind: Kind,
    /// For whom.
    pub requester: Requester,
    /// The person's name.
    pub name: Option<PersonalText>,
    /// Their e-mail address.
    pub email: Option<EmailAddress>,
    /// Their telephone number.
    pub phone: Option<E164>,
    /// Where they live.
    pub residence: Option<Jurisdiction>,
    /// What they say.
    pub details: Option<PersonalText>,
    /// Who asks for them.
    pub agent: Option<Agent>,
}

/// The longest name, company or place, in characters.
pub const LINE: usize = 200;
/// The longest text in their own words, in characters.
pub const WORDS: usize = 5000;
/// The answer of whoever lives where none of the laws that we know counts.
pub const ELSEWHERE: &str = "elsewhere";

impl Intake {
    /// Reads a form's fields, or says what is wrong, by field. `get` gives what was written under a name, or nothing.
    pub fn read<'a>(
        get: impl Fn(&str) -> &'a str,
        offered: &BTreeSet<Kind>,
        language: Language,
    ) -> Result<Self, Vec<FieldError>> {
        let mut errors: Vec<FieldError> = vec![];
        let kind = Kind::parse(get("kind")).filter(|kind| offered.contains(kind));
        if kind.is_none() {
            errors.push(Wrong::Kind.at("kind", language));
        }
        let requester = match get("requester") {
            "" => Some(Requester::Myself),
            code => Requester::parse(code),
        };
        if requester.is_none() {
            errors.push(Wrong::Requester.at("requester", language));
        }
        let (Some(kind), Some(requester)) = (kind, requester) else { return Err(errors) };
        let asked = questions(kind, requester);
        let mut reading = Reading { get: &get, language, errors };
        let mut intake =
            Self { kind, requester, name: None, email: None, phone: None, residence: None, details: None, agent: None };
        let (mut agent_name, mut agent_email, mut agent_company) = (None, None, None);
        for (question, need) in asked {
            let required = need == Need::Required;
            match question {
                Question::Contact => (intake.email, intake.phone) = reading.contact(),
                Question::Name => intake.name = reading.line(question, required, Wrong::NoName),
                Question::Email => intake.email = reading.email(question, required),
                Question::Phone => intake.phone = reading.phone(),
                Question::Residence => intake.residence = reading.residence(),
                Question::Details => intake.details = reading.details(kind),
                Question::AgentName => agent_name = reading.line(question, required, Wrong::NoAgentName),
                Question::AgentEmail => agent_email = reading.email(question, required),
                Question::AgentCompany => agent_company = reading.line(question, required, Wrong::NotPlain),
            }
        }
        let one_of = [Question::Email, Question::Phone].map(|it| get(it.field()).trim().is_empty());
        if kind.needs_name() && one_of == [true, true] {
            reading.wrong(Question::Email, Wrong::NoWayToAnswer);
        }
        if let (Some(name), Some(email)) = (agent_name, agent_email) {
            intake.agent = Some(Agent { name, email, company: agent_company });
        }
        if reading.errors.is_empty() { Ok(intake) } else { Err(reading.errors) }
    }

    /// Where whoever filled the form in gets their receipt.
    #[must_use]
    pub fn receipt_to(&self) -> Option<&EmailAddress> {
        self.agent.as_ref().map(|agent| &agent.email).or(self.email.as_ref())
    }
}

/// Reads one field after the other.
struct Reading<'r, G> {
    get: &'r G,
    language: Language,
    errors: Vec<FieldError>,
}

impl<'a, G: Fn(&str) -> &'a str> Reading<'_, G> {
    fn wrong(&mut self, question: Question, wrong: Wrong) {
        self.errors.push(wrong.at(question.field(), self.language));
    }

    fn written(&self, question: Question) -> &'a str {
        (self.get)(question.field()).trim()
    }

    /// An e-mail address has an `@`, and no telephone number has one. A site's own form may send either under its own name.
    fn contact(&mut self) -> (Option<EmailAddress>, Option<E164>) {
        let fields = [Question::Contact, Question::Email, Question::Phone];
        let written = fields.iter().map(|field| self.written(*field)).find(|text| !text.is_empty()).unwrap_or_default();
        if written.is_empty() {
            self.wrong(Question::Contact, Wrong::NoContact);
            return (None, None);
        }
        let email = EmailAddress::parse(written).ok();
        let phone = if email.is_none() { E164::from_writing(written) } else { None };
        if email.is_none() && phone.is_none() {
            self.wrong(Question::Contact, if written.contains('@') { Wrong::Email } else { Wrong::Contact });
        }
        (email, phone)
    }

    fn email(&mut self, question: Question, required: bool) -> Option<EmailAddress> {
        let written = self.written(question);
        if written.is_empty() {
            if required {
                self.wrong(question, Wrong::NoEmail);
            }
            return None;
        }
        let read = EmailAddress::parse(written).ok();
        if read.is_none() {
            self.wrong(question, Wrong::Email);
        }
        read
    }

    fn phone(&mut self) -> Option<E164> {
        let written = self.written(Question::Phone);
        if written.is_empty() {
            return None;
        }
        let read = E164::from_writing(written);
        if read.is_none() {
            self.wrong(Question::Phone, Wrong::Phone);
        }
        read
    }

    fn line(&mut self, question: Question, required: bool, missing: Wrong) -> Option<PersonalText> {
        let written = self.written(question);
        if written.is_empty() {
            if required {
                self.wrong(question, missing);
            }
            return None;
        }
        if written.chars().count() > LINE {
            self.wrong(question, Wrong::LongLine);
            return None;
        }
        let read = PersonalText::parse(written).ok().filter(|text| !text.as_str().contains(['\n', '\t']));
        if read.is_none() {
            self.wrong(question, Wrong::NotPlain);
        }
        read
    }

    fn details(&mut self, kind: Kind) -> Option<PersonalText> {
        let written = self.written(Question::Details);
        let wrong = if written.is_empty() {
            if kind == Kind::Correct { Wrong::NoCorrection } else { Wrong::NoMessage }
        } else if written.replace("\r\n", "\n").chars().count() > WORDS {
            Wrong::LongText
        } else {
            Wrong::NotPlain
        };
        let read = PersonalText::parse(written).ok();
        if read.is_none() {
            self.wrong(Question::Details, wrong);
        }
        read
    }

    fn residence(&mut self) -> Option<Jurisdiction> {
        let written = self.written(Question::Residence);
        if written.is_empty() || written == ELSEWHERE {
            return None;
        }
        let read = Jurisdiction::parse(written);
        if read.is_none() {
            self.wrong(Question::Residence, Wrong::Place);
        }
        read
    }
}

/// What can be wrong with a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Kind,
    Requester,
    NoContact,
    Contact,
    NoEmail,
    Email,
    Phone,
    NoWayToAnswer,
    NoName,
    NoAgentName,
    NoCorrection,
    NoMessage,
    LongLine,
    LongText,
    NotPlain,
    Place,
}

impl Wrong {
    fn at(self, field: &str, language: Language) -> FieldError {
        FieldError::new(field, self.words().of(language))
    }

    const fn words(self) -> Words {
        match self {
            Self::Kind => Words { en: "Choose what you would like to ask.", es: "Elija lo que desea pedir." },
            Self::Requester => Words { en: "Choose for whom you ask.", es: "Elija para quién lo pide." },
            Self::NoContact => Words {
                en: "Enter your e-mail address or your telephone number.",
                es: "Escriba su correo electrónico o su número de teléfono.",
            },
            Self::Contact => Words {
                en: "Enter an e-mail address such as name@example.com, or a telephone number with its area code.",
                es: "Escriba un correo como nombre@example.com, o un número de teléfono con su código de área.",
            },
            Self::NoEmail => Words { en: "Enter an e-mail address.", es: "Escriba un correo electrónico." },
            Self::Email => Words {
                en: "Enter an e-mail address such as name@example.com.",
                es: "Escriba un correo electrónico como nombre@example.com.",
            },
            Self::Phone => Words {
                en: "Enter a telephone number with its area code, such as 213 555 0123.",
                es: "Escriba un número de teléfono con su código de área, como 213 555 0123.",
            },
            Self::NoWayToAnswer => Words {
                en: "Enter an e-mail address or a telephone number, so that you can be answered.",
                es: "Escriba un correo electrónico o un número de teléfono para poder responderle.",
            },
            Self::NoName => Words { en: "Enter the name.", es: "Escriba el nombre." },
            Self::NoAgentName => Words { en: "Enter your own name.", es: "Escriba su propio nombre." },
            Self::NoCorrection => {
                Words { en: "Say what is wrong, and what is right.", es: "Diga qué está mal y qué es lo correcto." }
            }
            Self::NoMessage => Words { en: "Write your message.", es: "Escriba su mensaje." },
            Self::LongLine => Words { en: "Use at most 200 characters.", es: "Use 200 caracteres como máximo." },
            Self::LongText => Words { en: "Use at most 5,000 characters.", es: "Use 5000 caracteres como máximo." },
            Self::NotPlain => Words {
                en: "Use plain text, without control characters.",
                es: "Use texto sin formato, sin caracteres de control.",
            },
            Self::Place => Words { en: "Choose a state from the list.", es: "Elija un estado de la lista." },
        }
    }
}

/// What makes it likely that a program filled a form in. A hint refuses nothing: people who use tools of their own trip over
/// these, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hint {
    /// A field that nobody sees is filled in.
    Honeypot,
    /// It came sooner than anybody types.
    TooFast,
}

impl Hint {
    /// Every hint.
    pub const ALL: [Self; 2] = [Self::Honeypot, Self::TooFast];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Honeypot => "honeypot",
            Self::TooFast => "too-fast",
        }
    }

    /// The one with this stored name.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hint| hint.code() == code)
    }
}

/// Whether a text can tell one filled-in form from another: 16 to 64 letters, digits, `_` and `-`.
#[must_use]
pub fn is_form_id(id: &str) -> bool {
    (16..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn everything() -> BTreeSet<Kind> {
        Kind::ALL.into_iter().collect()
    }

    fn read(fields: &[(&str, &str)]) -> Result<Intake, Vec<String>> {
        let fields: BTreeMap<&str, &str> = fields.iter().copied().collect();
        let read = Intake::read(|name| fields.get(name).copied().unwrap_or_default(), &everything(), Language::English);
        read.map_err(|errors| errors.into_iter().map(|error| error.field).collect())
    }

    #[test]
    fn an_opt_out_is_one_address_or_number_and_holds_nothing_else_that_is_sent() {
        let more =
            [("name", "Ana"), ("details", "x"), ("residence", "us-ca"), ("agent-name", "B"), ("phone", "2135550123")];
        for kind in [Kind::OptOut, Kind::Limit] {
            let mut fields = vec![("kind", kind.code()), ("contact", " Ana@Example.com ")];
            fields.extend(more);
            let intake = read(&fields).unwrap();
            assert_eq!(intake.email.as_ref().map(EmailAddress::as_str), Some("Ana@example.com"));
            assert_eq!((intake.phone, intake.name, intake.details, intake.residence), (None, None, None, None));
            assert_eq!(intake.agent, None);
        }
        let intake = read(&[("kind", "limit"), ("contact", "(213) 555-0123")]).unwrap();
        assert_eq!(intake.phone.as_ref().map(E164::as_str), Some("+12135550123"));
        // A site's own form may call it by its own name.
        assert!(read(&[("kind", "opt-out"), ("phone", "213 555 0123")]).unwrap().phone.is_some());
    }

    #[test]
    fn each_mistake_is_told_by_its_field() {
        let know = [("kind", "know-specific"), ("name", "Ana"), ("email", "ana@example.com")];
        assert!(read(&know).is_ok());
        for (changes, wrong) in [
            (&[("kind", "everything")][..], &["kind"][..]),
            (&[("kind", "")], &["kind"]),
            (&[("requester", "neighbour")], &["requester"]),
            (&[("kind", ""), ("requester", "neighbour")], &["kind", "requester"]),
            (&[("name", " ")], &["name"]),
            (&[("name", "a\u{0}b")], &["name"]),
            (&[("name", "two\nlines")], &["name"]),
            (&[("email", "ana")], &["email"]),
            (&[("email", "")], &["email"]),
            (&[("email", ""), ("phone", "12")], &["phone"]),
            (&[("residence", "us-xx")], &["residence"]),
            (&[("kind", "correct")], &["details"]),
            (&[("kind", "message")], &["details"]),
            (&[("kind", "opt-out"), ("email", "")], &["contact"]),
            (&[("kind", "opt-out"), ("contact", "me")], &["contact"]),
            (&[("requester", "agent")], &["agent-name", "agent-email"]),
            (&[("requester", "agent"), ("agent-name", "Bo"), ("agent-email", "bo")], &["agent-email"]),
        ] {
            let mut fields = know.to_vec();
            for (name, value) in changes {
                fields.retain(|(there, _)| there != name);
                fields.push((name, value));
            }
            assert_eq!(read(&fields).unwrap_err(), wrong, "{changes:?}");
        }
    }

    #[test]
    fn whoever_lives_where_no_law_of_ours_counts_can_say_so() {
        let know = [("kind", "know-specific"), ("name", "Ana"), ("email", "ana@example.com")];
        for (said, kept) in [("us-ca", Some("us-ca")), (ELSEWHERE, None), ("", None)] {
            let fields: Vec<(&str, &str)> = know.into_iter().chain([("residence", said)]).collect();
            assert_eq!(read(&fields).unwrap().residence.map(Jurisdiction::as_str), kept, "{said}");
        }
    }

    #[test]
    fn what_is_too_long_is_told_and_not_cut() {
        let long = "x".repeat(201);
        assert_eq!(read(&[("kind", "delete"), ("name", &long), ("email", "a@b.example")]).unwrap_err(), ["name"]);
        let long = "x".repeat(5001);
        assert_eq!(
            read(&[("kind", "message"), ("contact", "a@b.example"), ("details", &long)]).unwrap_err(),
            ["details"]
        );
    }

    #[test]
    fn a_kind_that_is_not_offered_cannot_be_asked() {
        let offered = BTreeSet::from([Kind::OptOut]);
        let get = |name: &str| if name == "kind" { "delete" } else { "" };
        assert!(Intake::read(get, &offered, Language::Spanish).is_err());
    }

    #[test]
    fn an_agent_gets_the_receipt_of_what_they_ask() {
        let agent = [("requester", "agent"), ("agent-name", "Bo"), ("agent-email", "bo@law.example")];
        let mut fields = vec![("kind", "opt-out"), ("contact", "ana@example.com")];
        assert_eq!(read(&fields).unwrap().receipt_to().unwrap().as_str(), "ana@example.com");
        fields.extend(agent);
        assert_eq!(read(&fields).unwrap().receipt_to().unwrap().as_str(), "bo@law.example");
        assert_eq!(format!("{:?}", read(&fields).unwrap().agent), "Some(Agent(redacted))");
    }

    #[test]
    fn codes_read_back() {
        for hint in Hint::ALL {
            assert_eq!(Hint::parse(hint.code()), Some(hint));
        }
        for requester in Requester::ALL {
            assert_eq!(Requester::parse(requester.code()), Some(requester));
        }
        assert!(is_form_id("0123456789abcdef") && !is_form_id("0123456789abcde") && !is_form_id("0123456789abcdef\n"));
    }

    /// What a person, a program or an attacker may write.
    fn anything() -> impl Strategy<Value = String> {
        prop_oneof![
            "\\PC{0,20}",
            Just(String::new()),
            Just("ana@example.com".to_owned()),
            Just("213 555 0123".to_owned()),
            Just("us-ca".to_owned()),
            any::<String>(),
        ]
    }

    proptest! {
        #[test]
        fn whatever_is_written_a_form_holds_only_what_its_kind_asks(
            kind in prop::sample::select(Kind::ALL.to_vec()),
            requester in prop::sample::select(Requester::ALL.to_vec()),
            written in prop::collection::vec(anything(), Question::ALL.len()),
        ) {
            let fields: BTreeMap<&str, &str> =
                Question::ALL.iter().map(|it| it.field()).zip(written.iter().map(String::as_str)).collect();
            let get = |name: &str| match name {
                "kind" => kind.code(),
                "requester" => requester.code(),
                other => fields.get(other).copied().unwrap_or_default(),
            };
            let asked: Vec<Question> = questions(kind, requester).into_iter().map(|(question, _)| question).collect();
            match Intake::read(get, &everything(), Language::English) {
                Ok(intake) => {
                    let asks = |question| asked.contains(&question);
                    prop_assert!(intake.name.is_none() || asks(Question::Name));
                    prop_assert!(intake.details.is_none() || asks(Question::Details));
                    prop_assert!(intake.residence.is_none() || asks(Question::Residence));
                    prop_assert_eq!(intake.agent.is_some(), requester == Requester::Agent);
                    prop_assert!(intake.email.is_some() || intake.phone.is_some());
                    if !kind.may_verify() {
                        prop_assert!(intake.name.is_none());
                        prop_assert!(intake.email.is_none() || intake.phone.is_none());
                    }
                }
                Err(errors) => {
                    for error in errors {
                        prop_assert!(asked.iter().any(|it| it.field() == error.field), "{}", error);
                    }
                }
            }
        }
    }
}
