//! What may be asked of whoever makes a request, and what must not: `rules/verification.toml`.
//!
//! Every rule stands beside its citation. A rule that forbids wins over one that allows, and what no rule allows is not
//! asked: a kind or a requester that somebody adds and forgets here is asked nothing.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::denial::Text;
use crate::intake;
use crate::language::Words;
use crate::request::Kind;
use crate::rules::{Certainty, RulesError};

const FILE: &str = "verification.toml";

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Requester {
    /// The person whose information it is.
    Myself,
    /// Somebody whom that person has authorized by signed permission, 11 CCR 7063.
    Agent,
    /// Somebody with a power of attorney under Cal. Prob. Code 4121-4130, who chose to show it.
    AgentWithPowerOfAttorney,
    /// The parent or guardian of a child under 13, 11 CCR 7070.
    Parent,
    /// A person of 13 to 15, 11 CCR 7071.
    Minor,
}

impl Requester {
    /// Everybody.
    pub const ALL: [Self; 5] = [Self::Myself, Self::Agent, Self::AgentWithPowerOfAttorney, Self::Parent, Self::Minor];

    /// What whoever asks may turn out to be, which no form asks: how old somebody is, or that an agent holds more than a
    /// signed permission, is told by themselves or not at all.
    #[must_use]
    pub const fn may_be(self) -> Option<Self> {
        match self {
            Self::Myself => Some(Self::Minor),
            Self::Agent => Some(Self::AgentWithPowerOfAttorney),
            Self::AgentWithPowerOfAttorney | Self::Parent | Self::Minor => None,
        }
    }
}

impl From<intake::Requester> for Requester {
    fn from(requester: intake::Requester) -> Self {
        match requester {
            intake::Requester::Myself => Self::Myself,
            intake::Requester::Agent => Self::Agent,
            intake::Requester::Parent => Self::Parent,
        }
    }
}

/// Something that might be asked so that the business knows who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// To enter a code that was sent to the address or number on file.
    ContactCode,
    /// To sign in to an account that is there already.
    AccountSignIn,
    /// To tell what the business holds already.
    DataPoints,
    /// To sign a declaration under penalty of perjury.
    Declaration,
    /// To show a photo ID.
    PhotoId,
    /// An agent: to show the person's signed permission.
    SignedPermission,
    /// An agent: that the person verify themselves.
    ConsumerVerifies,
    /// An agent: that the person confirm the permission.
    ConsumerConfirms,
    /// A parent: to show that they are one.
    Parenthood,
    /// An agent: a power of attorney.
    PowerOfAttorney,
    /// A person of 13 to 15: a parent's consent.
    ParentalConsent,
    /// To create an account.
    NewAccount,
    /// To pay.
    Fee,
    /// To pay a notary.
    PaidNotarization,
    /// To hand over sensitive information that the business does not hold.
    NewSensitiveData,
    /// To prove oneself by the very information that is contested.
    DisputedData,
}

impl Ask {
    /// Everything.
    pub const ALL: [Self; 16] = [
        Self::ContactCode,
        Self::AccountSignIn,
        Self::DataPoints,
        Self::Declaration,
        Self::PhotoId,
        Self::SignedPermission,
        Self::ConsumerVerifies,
        Self::ConsumerConfirms,
        Self::Parenthood,
        Self::PowerOfAttorney,
        Self::ParentalConsent,
        Self::NewAccount,
        Self::Fee,
        Self::PaidNotarization,
        Self::NewSensitiveData,
        Self::DisputedData,
    ];
}

/// What is known of a request, as far as it decides what may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Facts {
    /// What is asked.
    pub kind: Kind,
    /// By whom.
    pub requester: Requester,
    /// Whether every law that counts here lets the request be verified ([`crate::clock::Clocks::may_verify`]).
    pub may_verify: bool,
    /// Whether the person has a password-protected account with the business.
    pub account: bool,
    /// Whether the information is such that showing or losing it could do harm.
    pub sensitive: bool,
    /// Whether the business has chosen to take photo IDs at all.
    pub photo_id: bool,
}

impl Facts {
    /// What is known of a request that came in. Whether there is an account, and how delicate the information is, the
    /// business knows and not the request: an account may be signed in to if there is one, and what is asked of delicate
    /// information is asked in addition ([`Facts::sensitive`]).
    #[must_use]
    pub fn of_request(kind: Kind, requester: Option<intake::Requester>, may_verify: bool, photo_id: bool) -> Self {
        let requester = requester.map_or(Requester::Myself, Requester::from);
        Self { kind, requester, may_verify, account: true, sensitive: false, photo_id }
    }
}

/// Something that may, or must not, be asked: a rule of the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rule {
    /// What.
    pub ask: Ask,
    /// Whether it may be asked.
    pub allowed: bool,
    /// For which kinds.
    pub kinds: Vec<Kind>,
    /// Of whom.
    pub requesters: Vec<Requester>,
    /// Only where this is so.
    #[serde(default, rename = "if")]
    pub given: Option<Given>,
    /// What may be asked in its place: one of the two, never both.
    #[serde(default)]
    pub or: Option<Ask>,
    /// Where the law says so.
    pub citation: String,
    /// How sure this is.
    #[serde(default)]
    pub certainty: Certainty,
    /// The rule in words.
    pub text: Text,
}

/// What a rule may depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Given {
    /// The person has an account.
    Account,
    /// The business takes photo IDs.
    PhotoId,
}

impl Rule {
    fn is_about(&self, facts: Facts) -> bool {
        self.kinds.contains(&facts.kind) && self.requesters.contains(&facts.requester)
    }

    fn applies(&self, facts: Facts) -> bool {
        self.is_about(facts)
            && match self.given {
                None => true,
                Some(Given::Account) => facts.account,
                Some(Given::PhotoId) => facts.photo_id,
            }
    }
}

/// How sure a business must be of who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Degree {
    /// A reasonable degree of certainty.
    Reasonable,
    /// A reasonably high degree of certainty.
    ReasonablyHigh,
}

/// How sure a business must be, for a kind.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Measure {
    /// For which kinds.
    pub kinds: Vec<Kind>,
    /// Whether it is the measure for sensitive information.
    #[serde(default)]
    pub sensitive: bool,
    /// How sure.
    pub degree: Degree,
    /// How many data points that match make one so sure, as the regulation's example has it.
    pub data_points: u8,
    /// Where the law says so.
    pub citation: String,
    /// How sure this is.
    #[serde(default)]
    pub certainty: Certainty,
}

/// What comes in the place of a request whose maker could not be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Instead {
    /// A request to know the categories.
    KnowCategories,
    /// The business's privacy policy.
    PrivacyPolicy,
    /// The offer to opt out of sale and sharing.
    OptOut,
}

/// A step down.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Downgrade {
    /// Of which kind.
    pub kind: Kind,
    /// To what.
    pub to: Instead,
    /// Where the law says so.
    pub citation: String,
    /// How sure this is.
    #[serde(default)]
    pub certainty: Certainty,
}

/// Something that no answer ever holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Never {
    /// Where the law says so.
    pub citation: String,
    /// How sure this is.
    #[serde(default)]
    pub certainty: Certainty,
    /// What.
    pub text: Text,
}

/// What a business may do to know who made one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What may be asked.
    pub may: Vec<&'static Rule>,
    /// What must not be.
    pub must_not: Vec<&'static Rule>,
    /// How sure one must be; none where nobody may be verified.
    pub measure: Option<&'static Measure>,
    /// What comes in its place where that fails.
    pub downgrade: Option<&'static Downgrade>,
}

impl Policy {
    /// The policy for one request.
    pub fn of(facts: Facts) -> Result<Self, RulesError> {
        let file = File::read()?;
        let forbidden = |ask| file.rules.iter().any(|rule| rule.ask == ask && !rule.allowed && rule.applies(facts));
        // Where one state's law forbids to verify at all, what an agent must show is left.
        let open = |ask| facts.may_verify || ask == Ask::SignedPermission;
        let may = file.rules.iter().filter(|rule| rule.allowed && rule.applies(facts));
        let may: Vec<_> = may.filter(|rule| !forbidden(rule.ask) && open(rule.ask)).collect();
        let must_not = file.rules.iter().filter(|rule| !rule.allowed && rule.applies(facts)).collect();
        let verified = facts.may_verify && facts.kind.may_verify();
        let fits = |it: &&Measure| it.kinds.contains(&facts.kind) && (facts.sensitive || !it.sensitive);
        Ok(Self {
            may,
            must_not,
            measure: file.degrees.iter().filter(fits).max_by_key(|it| it.degree).filter(|_| verified),
            downgrade: file.downgrades.iter().find(|it| it.kind == facts.kind),
        })
    }

    /// What may be asked, each with what may be asked in its place.
    #[must_use]
    pub fn choices(&self) -> Vec<(&'static Rule, Option<&'static Rule>)> {
        let mut choices: Vec<(&'static Rule, Option<&'static Rule>)> = vec![];
        for rule in &self.may {
            match choices.iter_mut().find(|(first, _)| first.or == Some(rule.ask)) {
                Some((_, other)) => *other = Some(rule),
                None => choices.push((rule, None)),
            }
        }
        choices
    }

    /// Whether something may be asked.
    #[must_use]
    pub fn may_ask(&self, ask: Ask) -> bool {
        self.may.iter().any(|rule| rule.ask == ask)
    }
}

/// What no answer ever holds, whoever asks: 11 CCR 7024(d).
pub fn never_disclosed() -> Result<&'static [Never], RulesError> {
    Ok(&File::read()?.never)
}

/// The statement that somebody signs where the specific pieces are asked for: 11 CCR 7062(c); its form is that of Cal. Code
/// Civ. Proc. 2015.5.
pub const DECLARATION: Words = Words {
    en: "I declare under penalty of perjury under the laws of the State of California that I am the person whose \
         personal information this request is about, and that what I have told about myself is true and correct.",
    es: "Declaro bajo pena de perjurio, conforme a las leyes del Estado de California, que soy la persona de cuyos \
         datos personales trata esta solicitud y que lo que he dicho de mí es verdadero y correcto.",
};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rules: Vec<Rule>,
    degrees: Vec<Measure>,
    downgrades: Vec<Downgrade>,
    never: Vec<Never>,
}

impl File {
    /// Read when it is first asked for, and kept.
    fn read() -> Result<&'static Self, RulesError> {
        static READ: OnceLock<File> = OnceLock::new();
        if let Some(file) = READ.get() {
            return Ok(file);
        }
        let read = toml::from_str(include_str!("../rules/verification.toml"))
            .map_err(|error: toml::de::Error| RulesError { file: FILE.to_owned(), reason: error.to_string() })?;
        Ok(READ.get_or_init(|| read))
    }
}

#[cfg(test)]
mod tests;
