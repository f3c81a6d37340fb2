//! The grounds on which a request may be refused, and what must be told or offered instead: `rules/denials.toml`.
//!
//! A ground stands beside its citation and says how sure it is, like every value of [`crate::rules`].

use std::fmt;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::language::Language;
use crate::request::Kind;
use crate::rules::{Certainty, RulesError};

/// Why a request is refused, in whole or in part: the "basis for the denial" that 11 CCR 7101(b) has a business keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ground {
    /// Identity could not be verified; only where it may be.
    NotVerified,
    /// An exception or a conflicting law.
    Exception,
    /// Not a consumer in the law's sense.
    NotAConsumer,
    /// Nothing was found about the person.
    NoData,
    /// Manifestly unfounded or excessive.
    Excessive,
    /// Fraudulent, in a documented belief.
    Fraudulent,
    /// A third request to know in 12 months.
    #[serde(rename = "twice-in-12-months")]
    TwiceIn12Months,
    /// What is contested is more likely than not accurate.
    Accurate,
    /// The same correction was refused in the past six months.
    DeniedBefore,
    /// Impossible, or only with disproportionate effort.
    Disproportionate,
    /// An agent who did not show the person's permission.
    AgentWithoutPermission,
    /// A message that asks for nothing.
    NotARequest,
}

impl Ground {
    /// Every ground, in the order they are shown in.
    pub const ALL: [Self; 12] = [
        Self::NotVerified,
        Self::Exception,
        Self::NotAConsumer,
        Self::NoData,
        Self::Excessive,
        Self::Fraudulent,
        Self::TwiceIn12Months,
        Self::Accurate,
        Self::DeniedBefore,
        Self::Disproportionate,
        Self::AgentWithoutPermission,
        Self::NotARequest,
    ];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotVerified => "not-verified",
            Self::Exception => "exception",
            Self::NotAConsumer => "not-a-consumer",
            Self::NoData => "no-data",
            Self::Excessive => "excessive",
            Self::Fraudulent => "fraudulent",
            Self::TwiceIn12Months => "twice-in-12-months",
            Self::Accurate => "accurate",
            Self::DeniedBefore => "denied-before",
            Self::Disproportionate => "disproportionate",
            Self::AgentWithoutPermission => "agent-without-permission",
            Self::NotARequest => "not-a-request",
        }
    }

    /// The ground with this stored name.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ground| ground.code() == code)
    }

    /// What the law says of it.
    pub fn rule(self) -> Result<&'static GroundRule, RulesError> {
        let missing = || RulesError { file: FILE.to_owned(), reason: format!("it has no ground {self}") };
        Denials::read()?.grounds.iter().find(|rule| rule.ground == self).ok_or_else(missing)
    }

    /// The grounds on which a request of this kind may be refused.
    pub fn of(kind: Kind) -> Result<impl Iterator<Item = &'static GroundRule>, RulesError> {
        Ok(Denials::read()?.grounds.iter().filter(move |rule| rule.kinds.contains(&kind)))
    }

    /// The heading of 11 CCR 7102(a)(2) under which it is counted.
    #[must_use]
    pub const fn category(self) -> Category {
        match self {
            Self::NotVerified | Self::AgentWithoutPermission => Category::Unverifiable,
            Self::NotAConsumer => Category::NotAConsumer,
            Self::Exception => Category::Exempt,
            Self::NoData
            | Self::Excessive
            | Self::Fraudulent
            | Self::TwiceIn12Months
            | Self::Accurate
            | Self::DeniedBefore
            | Self::Disproportionate
            | Self::NotARequest => Category::Other,
        }
    }
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The headings under which refusals may be published: 11 CCR 7102(a)(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// The request was not verifiable.
    Unverifiable,
    /// It was not made by a consumer.
    NotAConsumer,
    /// It called for information exempt from disclosure.
    Exempt,
    /// Any other ground.
    Other,
}

impl Category {
    /// Every heading, in the regulation's order.
    pub const ALL: [Self; 4] = [Self::Unverifiable, Self::NotAConsumer, Self::Exempt, Self::Other];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unverifiable => "unverifiable",
            Self::NotAConsumer => "not-a-consumer",
            Self::Exempt => "exempt",
            Self::Other => "other",
        }
    }

    /// The heading with this stored name.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.code() == code)
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A sentence in every language, read from a file of rules.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Text {
    /// In English.
    pub en: String,
    /// In Spanish.
    pub es: String,
}

impl Text {
    /// The sentence in this language.
    #[must_use]
    pub fn of(&self, language: Language) -> &str {
        match language {
            Language::English => &self.en,
            Language::Spanish => &self.es,
        }
    }
}

/// What the law says of one ground.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GroundRule {
    /// The ground.
    pub ground: Ground,
    /// The kinds that may be refused on it.
    pub kinds: Vec<Kind>,
    /// The heading it is counted under.
    pub category: Category,
    /// Where the law says so.
    pub citation: String,
    /// How sure this is.
    #[serde(default)]
    pub certainty: Certainty,
    /// The ground in words.
    pub label: Text,
    /// What must be done when it is used.
    #[serde(default)]
    pub duties: Vec<Duty>,
}

impl GroundRule {
    /// What must be done when a request of this kind is refused on this ground, its own duties first.
    pub fn duties(&self, kind: Kind) -> Result<impl Iterator<Item = &Duty>, RulesError> {
        let always = &Denials::read()?.always;
        Ok(self.duties.iter().chain(always).filter(move |duty| duty.kinds.contains(&kind)))
    }
}

/// Something that must be told, offered or kept with a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Duty {
    /// The kinds of request it comes with.
    pub kinds: Vec<Kind>,
    /// What is to be done.
    pub does: Instead,
    /// Where the law says so.
    pub citation: String,
    /// How sure this is.
    #[serde(default)]
    pub certainty: Certainty,
    /// The duty in words, to whoever writes the answer.
    pub text: Text,
}

/// What is to be done with a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Instead {
    /// Tell the person something.
    Tell,
    /// Explain the basis in detail.
    Explain,
    /// Keep the facts that the ground rests on.
    Document,
    /// Ask whether the person wants to opt out of sale and sharing.
    OfferOptOut,
    /// Say that the person may add a statement of their own.
    OfferStatement,
    /// Point to the privacy policy.
    PointToPrivacyPolicy,
    /// Go on with the request as one to know categories.
    TreatAsCategories,
}

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Denials {
    always: Vec<Duty>,
    grounds: Vec<GroundRule>,
}

const FILE: &str = "denials.toml";

impl Denials {
    /// Read when it is first asked for, and kept.
    fn read() -> Result<&'static Self, RulesError> {
        static READ: OnceLock<Denials> = OnceLock::new();
        if let Some(denials) = READ.get() {
            return Ok(denials);
        }
        let denials = toml::from_str(include_str!("../rules/denials.toml"))
            .map_err(|error: toml::de::Error| RulesError { file: FILE.to_owned(), reason: error.to_string() })?;
        Ok(READ.get_or_init(|| denials))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(kind: Kind) -> Vec<&'static str> {
        Ground::of(kind).unwrap().map(|rule| rule.ground.code()).collect()
    }

    #[test]
    fn every_ground_is_in_the_file_once_with_its_heading_words_and_a_duty() {
        let grounds: Vec<_> = Denials::read().unwrap().grounds.iter().map(|rule| rule.ground).collect();
        assert_eq!(grounds, Ground::ALL);
        for ground in Ground::ALL {
            let rule = ground.rule().unwrap();
            assert_eq!(Ground::parse(ground.code()), Some(ground));
            assert_eq!(rule.category, ground.category(), "{ground}");
            assert!(!rule.citation.is_empty() && !rule.kinds.is_empty(), "{ground}");
            for kind in &rule.kinds {
                let own: Vec<_> = rule.duties(*kind).unwrap().collect();
                assert!(!own.is_empty(), "{ground} {kind}");
            }
            let texts = rule.duties.iter().map(|duty| &duty.text).chain([&rule.label]);
            assert!(texts.into_iter().all(|text| !text.en.is_empty() && !text.es.is_empty() && text.en != text.es));
            for duty in &rule.duties {
                assert!(
                    !duty.citation.is_empty() && duty.kinds.iter().all(|kind| rule.kinds.contains(kind)),
                    "{ground}"
                );
            }
        }
    }

    #[test]
    fn only_what_may_be_verified_is_refused_for_want_of_verification() {
        for kind in Kind::ALL {
            assert_eq!(codes(kind).contains(&"not-verified"), kind.may_verify(), "{kind}");
        }
    }

    #[test]
    fn each_kind_has_its_own_grounds() {
        let twice = "twice-in-12-months";
        assert_eq!(codes(Kind::Message), ["not-a-request"]);
        assert!(codes(Kind::KnowSpecific).contains(&twice) && !codes(Kind::Delete).contains(&twice));
        assert!(codes(Kind::OptOut).contains(&"fraudulent") && !codes(Kind::Delete).contains(&"fraudulent"));
        assert!(codes(Kind::Correct).contains(&"accurate") && !codes(Kind::Delete).contains(&"accurate"));
    }

    #[test]
    fn whoever_is_refused_a_deletion_is_asked_about_opting_out_whatever_the_ground() {
        for rule in Ground::of(Kind::Delete).unwrap() {
            let mut duties = rule.duties(Kind::Delete).unwrap();
            assert!(duties.any(|duty| duty.does == Instead::OfferOptOut), "{}", rule.ground);
        }
    }

    #[test]
    fn a_request_for_specific_pieces_that_cannot_be_verified_goes_on_as_one_for_categories() {
        let rule = Ground::NotVerified.rule().unwrap();
        let instead = |kind| rule.duties(kind).unwrap().any(|duty| duty.does == Instead::TreatAsCategories);
        assert!(instead(Kind::KnowSpecific) && !instead(Kind::KnowCategories) && !instead(Kind::Delete));
    }
}
