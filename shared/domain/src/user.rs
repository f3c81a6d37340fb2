//! People who sign in: a tenant's privacy team.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::field_error::{self, FieldError};
use crate::language::Language;
use crate::service_code::ServiceCode;

/// A person's id: `u-` and 26 symbols, drawn at random; in logs, events and the audit trail instead of a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserId(String);

/// What was given is not a user's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a user's id is u- and 26 symbols")]
pub struct NotAUserId;

impl UserId {
    /// Reads an id.
    pub fn parse(text: &str) -> Result<Self, NotAUserId> {
        let symbols = text.strip_prefix("u-").ok_or(NotAUserId)?;
        let fits = symbols.len() == 26 && symbols.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if fits { Ok(Self(text.to_owned())) } else { Err(NotAUserId) }
    }

    /// As stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for UserId {
    type Error = NotAUserId;

    fn try_from(text: String) -> Result<Self, NotAUserId> {
        Self::parse(&text)
    }
}

impl From<UserId> for String {
    fn from(id: UserId) -> Self {
        id.0
    }
}

/// How somebody's account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserState {
    /// Invited; has not yet set a password or a passkey.
    Invited,
    /// May sign in.
    Active,
    /// May not sign in any more. What they did stays under their id.
    Removed,
}

impl UserState {
    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Removed => "removed",
        }
    }

    /// The state with this stored name.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        [Self::Invited, Self::Active, Self::Removed].into_iter().find(|state| state.code() == code)
    }
}

/// How often a report is mailed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReportFrequency {
    /// Not at all.
    #[default]
    Never,
    /// Every day.
    Daily,
    /// On Mondays.
    Weekly,
    /// On the first of the month.
    Monthly,
}

impl ReportFrequency {
    /// Every frequency.
    pub const ALL: [Self; 4] = [Self::Never, Self::Daily, Self::Weekly, Self::Monthly];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }

    /// The frequency with this stored name.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|frequency| frequency.code() == code)
    }
}

/// How soon news of requests that came in is mailed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertFrequency {
    /// Not at all.
    Never,
    /// When a request comes in.
    AtOnce,
    /// Every hour in which any came.
    Hourly,
    /// Every day on which any came.
    #[default]
    Daily,
}

impl AlertFrequency {
    /// Every frequency.
    pub const ALL: [Self; 4] = [Self::Never, Self::AtOnce, Self::Hourly, Self::Daily];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::AtOnce => "at-once",
            Self::Hourly => "hourly",
            Self::Daily => "daily",
        }
    }

    /// The frequency with this stored name.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|frequency| frequency.code() == code)
    }
}

/// What somebody wants to be written about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Preferences {
    /// How often a report of numbers comes.
    pub reports: ReportFrequency,
    /// At which hour, 0 to 23, in the tenant's time zone.
    pub hour: u8,
    /// About which service codes; none means all.
    pub service_codes: Vec<ServiceCode>,
    /// Whether deadlines of requests assigned to them, or to nobody, are mailed.
    pub reminders: bool,
    /// How soon news of requests that came in is mailed.
    pub alerts: AlertFrequency,
}

impl Default for Preferences {
    /// Who never chose is reminded of deadlines: to be spared them is a choice.
    fn default() -> Self {
        Self {
            reports: ReportFrequency::default(),
            hour: 8,
            service_codes: vec![],
            reminders: true,
            alerts: AlertFrequency::default(),
        }
    }
}

/// What somebody says about themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct UserProfile {
    /// Their name, as colleagues know it.
    pub name: String,
    /// The language of their pages and mails.
    pub language: Language,
    /// What they want to be written about.
    #[serde(default)]
    pub preferences: Preferences,
}

impl UserProfile {
    /// Everything that keeps this from being used, one entry per field.
    pub fn validate(&self) -> Result<(), Vec<FieldError>> {
        let mut errors = vec![];
        if let Some(reason) = field_error::wrong_with_name(&self.name) {
            errors.push(FieldError::new("name", reason));
        }
        if self.preferences.hour > 23 {
            errors.push(FieldError::new("hour", "Choose an hour from 0 to 23."));
        }
        field_error::none_of(errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_u_and_26_symbols_and_nothing_that_could_be_a_key() {
        let id = format!("u-{}", "0a".repeat(13));
        assert_eq!(UserId::parse(&id).unwrap().as_str(), id);
        for wrong in
            ["", "u-", "t-0a0a0a0a0a0a0a0a0a0a0a0a0a", "u-0A0a0a0a0a0a0a0a0a0a0a0a0a", "u-0a0a0a0a0a0a0a0a0a0a0a0a#a"]
        {
            assert_eq!(UserId::parse(wrong), Err(NotAUserId), "{wrong}");
        }
    }

    #[test]
    fn a_profile_needs_a_name_and_an_hour_of_the_day() {
        let preferences = Preferences { hour: 24, ..Preferences::default() };
        let wrong = UserProfile { name: " ".into(), language: Language::English, preferences };
        let fields: Vec<_> = wrong.validate().unwrap_err().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["name", "hour"]);
    }
}
