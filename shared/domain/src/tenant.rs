//! The tenant: the business that receives requests and must answer them.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::field_error::{self, FieldError};
use crate::jurisdiction::Jurisdiction;

/// What a tenant says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TenantProfile {
    /// The business's name, as a caller would know it.
    pub name: String,
    /// Its IANA time zone (`America/Los_Angeles`): a request is received, and due, on a date there.
    pub time_zone: String,
    /// The laws it answers under. Empty means California's, by default.
    pub jurisdictions: Vec<Jurisdiction>,
}

/// The profile's time zone is not one that the IANA database knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the time zone is not in the IANA database")]
pub struct UnknownTimeZone;

impl TenantProfile {
    /// The time zone as rules.
    pub fn tz(&self) -> Result<TimeZone, UnknownTimeZone> {
        TimeZone::get(&self.time_zone).map_err(|_| UnknownTimeZone)
    }

    /// Everything that keeps this from being used, one entry per field.
    pub fn validate(&self) -> Result<(), Vec<FieldError>> {
        let mut errors = Vec::new();
        if let Some(reason) = field_error::wrong_with_name(&self.name) {
            errors.push(FieldError::new("name", reason));
        }
        if self.tz().is_err() {
            errors.push(FieldError::new("time-zone", "Choose a time zone such as America/Los_Angeles."));
        }
        if self.jurisdictions.iter().collect::<BTreeSet<_>>().len() != self.jurisdictions.len() {
            errors.push(FieldError::new("jurisdictions", "Choose each state once."));
        }
        field_error::none_of(errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_is_wrong_is_named() {
        let good = TenantProfile {
            name: "Main store".into(),
            time_zone: "America/Los_Angeles".into(),
            jurisdictions: vec![Jurisdiction::UsCa],
        };
        assert_eq!(good.validate(), Ok(()));
        let wrong = TenantProfile {
            name: String::new(),
            time_zone: "Mars/Olympus".into(),
            jurisdictions: vec![Jurisdiction::UsCa, Jurisdiction::UsCa],
        };
        let fields: Vec<_> = wrong.validate().unwrap_err().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["name", "time-zone", "jurisdictions"]);
    }
}
