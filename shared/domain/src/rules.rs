//! What each law asks, read from `rules/<jurisdiction>.toml`.
//!
//! Every value stands beside its citation and says how sure it is ([`Certainty`]), so that a value found wrong is put
//! right in data. A file is read when it is first asked for, and kept: a function that answers for one state never
//! reads the others.

use std::sync::OnceLock;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::business_day::HolidayList;
use crate::jurisdiction::Jurisdiction;
use crate::request::Kind;

/// One jurisdiction's law.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rules {
    /// The place's name.
    pub name: String,
    /// The law's name.
    pub law: String,
    /// Whom or what the law reaches, where that is unusually narrow.
    pub scope: Option<String>,
    /// Which days are holidays when business days are counted.
    pub holidays: HolidayList,
    /// Since when the law is in force.
    pub in_force: InForce,
    /// The rights it gives, grouped by equal clocks.
    pub rights: Vec<Right>,
    /// The appeal to the business against its own decision; `None` where the law gives none.
    pub appeal: Option<Appeal>,
    /// The time to act once consent is withdrawn, where the law sets one.
    pub consent_withdrawal: Option<Period>,
}

/// When a law, or a right added later, begins to apply.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct InForce {
    /// The first day: a request received before it has no such right.
    pub from: Date,
    /// Where the law says so.
    pub citation: String,
    /// How sure this is.
    #[serde(default)]
    pub certainty: Certainty,
    /// What a reader should know besides.
    pub note: Option<String>,
}

/// Rights that share their clocks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Right {
    /// The kinds of request.
    pub kinds: Vec<Kind>,
    /// Since when, where that is later than the law itself.
    pub in_force: Option<InForce>,
    /// The time to confirm that the request came in, and how it will be handled.
    pub confirm: Option<Period>,
    /// The time to answer.
    pub respond: Period,
    /// What one extension adds.
    pub extension: Option<Period>,
    /// The time, from receipt, to tell the person that it is done.
    pub completion_notice: Option<Period>,
    /// Whether identity may be verified; absent where only the product's own floor applies ([`Kind::may_verify`]).
    pub may_verify: Option<Permission>,
}

/// A length of time that a law sets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Period {
    /// How many.
    pub days: u16,
    /// Of which days.
    pub unit: Unit,
    /// Where the law says so.
    pub citation: String,
    /// How sure this is.
    #[serde(default)]
    pub certainty: Certainty,
    /// What a reader should know besides.
    pub note: Option<String>,
}

/// Something a law allows or forbids.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Permission {
    /// Whether it is allowed.
    pub allowed: bool,
    /// Where the law says so.
    pub citation: String,
    /// How sure this is.
    #[serde(default)]
    pub certainty: Certainty,
}

/// An appeal to the business against its own decision.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Appeal {
    /// The time to decide it.
    pub decide: Period,
    /// What one extension adds.
    pub extension: Option<Period>,
    /// Where a person whose appeal fails must be sent.
    pub complaint_to: Option<String>,
}

/// Which days a period counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Every day.
    Calendar,
    /// Days that are neither a weekend nor a holiday ([`crate::business_day`]).
    Business,
}

/// How sure a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// Seen in the law, or in a published account of it.
    #[default]
    Checked,
    /// Known, but not seen again since.
    Recalled,
    /// Not known: the value is the one that is safest for the business.
    Unknown,
}

/// A file of rules cannot be read. Tests read every one, so this means a broken build.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rules/{file} cannot be read: {reason}")]
pub struct RulesError {
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Rules {
    /// The law of a place.
    pub fn of(jurisdiction: Jurisdiction) -> Result<&'static Self, RulesError> {
        static READ: [OnceLock<Rules>; Jurisdiction::ALL.len()] = [const { OnceLock::new() }; Jurisdiction::ALL.len()];
        let file = || format!("{jurisdiction}.toml");
        let Some(place) = READ.get(jurisdiction as usize) else {
            return Err(RulesError { file: file(), reason: "there is no place for it".to_owned() });
        };
        if let Some(rules) = place.get() {
            return Ok(rules);
        }
        let rules = toml::from_str(text(jurisdiction))
            .map_err(|error| RulesError { file: file(), reason: error.to_string() })?;
        Ok(place.get_or_init(|| rules))
    }

    /// The right to make a request of this kind, if this law gives it on this date.
    #[must_use]
    pub fn right(&self, kind: Kind, on: Date) -> Option<&Right> {
        if on < self.in_force.from {
            return None;
        }
        let in_force = |right: &&Right| right.in_force.as_ref().is_none_or(|since| on >= since.from);
        self.rights.iter().filter(in_force).find(|right| right.kinds.contains(&kind))
    }
}

/// The text of a jurisdiction's file.
const fn text(jurisdiction: Jurisdiction) -> &'static str {
    match jurisdiction {
        Jurisdiction::UsCa => include_str!("../rules/us-ca.toml"),
        Jurisdiction::UsAl => include_str!("../rules/us-al.toml"),
        Jurisdiction::UsCo => include_str!("../rules/us-co.toml"),
        Jurisdiction::UsCt => include_str!("../rules/us-ct.toml"),
        Jurisdiction::UsDe => include_str!("../rules/us-de.toml"),
        Jurisdiction::UsFl => include_str!("../rules/us-fl.toml"),
        Jurisdiction::UsIa => include_str!("../rules/us-ia.toml"),
        Jurisdiction::UsIn => include_str!("../rules/us-in.toml"),
        Jurisdiction::UsKy => include_str!("../rules/us-ky.toml"),
        Jurisdiction::UsMd => include_str!("../rules/us-md.toml"),
        Jurisdiction::UsMn => include_str!("../rules/us-mn.toml"),
        Jurisdiction::UsMt => include_str!("../rules/us-mt.toml"),
        Jurisdiction::UsNe => include_str!("../rules/us-ne.toml"),
        Jurisdiction::UsNh => include_str!("../rules/us-nh.toml"),
        Jurisdiction::UsNj => include_str!("../rules/us-nj.toml"),
        Jurisdiction::UsNv => include_str!("../rules/us-nv.toml"),
        Jurisdiction::UsOk => include_str!("../rules/us-ok.toml"),
        Jurisdiction::UsOr => include_str!("../rules/us-or.toml"),
        Jurisdiction::UsRi => include_str!("../rules/us-ri.toml"),
        Jurisdiction::UsTn => include_str!("../rules/us-tn.toml"),
        Jurisdiction::UsTx => include_str!("../rules/us-tx.toml"),
        Jurisdiction::UsUt => include_str!("../rules/us-ut.toml"),
        Jurisdiction::UsVa => include_str!("../rules/us-va.toml"),
        Jurisdiction::UsWa => include_str!("../rules/us-wa.toml"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn all() -> Vec<(Jurisdiction, &'static Rules)> {
        Jurisdiction::ALL.into_iter().map(|place| (place, Rules::of(place).unwrap())).collect()
    }

    fn periods(rules: &Rules) -> Vec<&Period> {
        let appeal = rules.appeal.iter().flat_map(|appeal| [Some(&appeal.decide), appeal.extension.as_ref()]);
        let rights = rules.rights.iter().flat_map(|right| {
            [Some(&right.respond), right.confirm.as_ref(), right.extension.as_ref(), right.completion_notice.as_ref()]
        });
        appeal.chain(rights).chain([rules.consent_withdrawal.as_ref()]).flatten().collect()
    }

    #[test]
    fn every_file_reads_and_each_jurisdiction_has_its_own() {
        let mut names: Vec<_> = all().into_iter().map(|(_, rules)| rules.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Jurisdiction::ALL.len());
        for (place, jurisdiction) in Jurisdiction::ALL.into_iter().enumerate() {
            assert_eq!(jurisdiction as usize, place);
        }
    }

    #[test]
    fn every_value_has_a_citation_and_what_is_unknown_has_a_note() {
        for (place, rules) in all() {
            assert!(!rules.rights.is_empty() && !rules.law.is_empty(), "{place}");
            assert!(!rules.in_force.citation.is_empty(), "{place}");
            for period in periods(rules) {
                assert!(period.days > 0 && !period.citation.is_empty(), "{place}");
                assert!(period.certainty != Certainty::Unknown || period.note.is_some(), "{place}");
            }
            for permission in rules.rights.iter().filter_map(|right| right.may_verify.as_ref()) {
                assert!(!permission.citation.is_empty(), "{place}");
            }
        }
    }

    #[test]
    fn no_file_gives_the_same_right_twice_or_a_right_to_a_message() {
        for (place, rules) in all() {
            let mut kinds: Vec<_> = rules.rights.iter().flat_map(|right| &right.kinds).collect();
            kinds.sort_unstable();
            let count = kinds.len();
            kinds.dedup();
            assert_eq!(kinds.len(), count, "{place}");
            assert!(!kinds.contains(&&Kind::Message), "{place}");
        }
    }

    #[test]
    fn california_gives_every_right_and_says_of_each_whether_it_may_be_verified_as_the_product_does() {
        let california = Rules::of(Jurisdiction::UsCa).unwrap();
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Message) {
            let right = california.right(kind, date(2026, 1, 1)).unwrap();
            assert_eq!(right.may_verify.as_ref().unwrap().allowed, kind.may_verify(), "{kind}");
        }
    }

    #[test]
    fn business_days_are_counted_only_where_the_list_of_holidays_is_the_states_own() {
        for (place, rules) in all() {
            if periods(rules).iter().any(|period| period.unit == Unit::Business) {
                assert_ne!(rules.holidays, HolidayList::UsFederal, "{place}");
            }
        }
    }

    #[test]
    fn a_right_begins_on_the_day_its_law_says() {
        for (place, kind, first) in [
            (Jurisdiction::UsOk, Kind::Delete, date(2027, 1, 1)),
            (Jurisdiction::UsAl, Kind::Delete, date(2027, 5, 1)),
            (Jurisdiction::UsMd, Kind::Correct, date(2025, 10, 1)),
            (Jurisdiction::UsUt, Kind::Correct, date(2026, 7, 1)),
            (Jurisdiction::UsCa, Kind::Limit, date(2023, 1, 1)),
        ] {
            let rules = Rules::of(place).unwrap();
            assert!(rules.right(kind, first.yesterday().unwrap()).is_none(), "{place}");
            assert!(rules.right(kind, first).is_some(), "{place}");
        }
    }

    #[test]
    fn what_a_law_does_not_give_is_not_there() {
        let day = date(2028, 1, 1);
        for (place, lacking) in [
            (Jurisdiction::UsIa, vec![Kind::Correct, Kind::Limit]),
            (Jurisdiction::UsWa, vec![Kind::Correct, Kind::OptOut, Kind::Limit]),
            (Jurisdiction::UsNv, vec![Kind::Delete, Kind::KnowCategories, Kind::KnowSpecific, Kind::Correct]),
            (Jurisdiction::UsVa, vec![Kind::Limit]),
        ] {
            for kind in lacking {
                assert!(Rules::of(place).unwrap().right(kind, day).is_none(), "{place} {kind}");
            }
        }
    }

    #[test]
    fn the_states_that_differ_differ_as_their_laws_do() {
        let right = |place, kind| Rules::of(place).unwrap().right(kind, date(2028, 1, 1)).unwrap();
        let days = |period: &Option<Period>| period.as_ref().map(|period| period.days);

        let florida = right(Jurisdiction::UsFl, Kind::Delete);
        assert_eq!((florida.respond.days, days(&florida.extension)), (45, Some(15)));
        assert_eq!(days(&florida.completion_notice), Some(60));
        let iowa = right(Jurisdiction::UsIa, Kind::Delete);
        assert_eq!((iowa.respond.days, days(&iowa.extension)), (90, Some(45)));
        let nevada = right(Jurisdiction::UsNv, Kind::OptOut);
        assert_eq!((nevada.respond.days, days(&nevada.extension)), (60, Some(30)));
        let opt_out = right(Jurisdiction::UsCa, Kind::OptOut);
        assert_eq!((opt_out.respond.days, opt_out.respond.unit, days(&opt_out.extension)), (15, Unit::Business, None));
        let delete = right(Jurisdiction::UsCa, Kind::Delete);
        assert_eq!((days(&delete.confirm), delete.respond.days, days(&delete.extension)), (Some(10), 45, Some(45)));
        assert_eq!(days(&Rules::of(Jurisdiction::UsRi).unwrap().consent_withdrawal), Some(15));
        for none in [Jurisdiction::UsCa, Jurisdiction::UsUt, Jurisdiction::UsNv] {
            assert!(Rules::of(none).unwrap().appeal.is_none());
        }
    }
}
