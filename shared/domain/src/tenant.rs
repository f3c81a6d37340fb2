//! The tenant: the business that receives requests and must answer them.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::closure::Closure;
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
    /// How long things are kept.
    #[serde(default)]
    pub retention: Retention,
    /// When people are reminded of a date.
    #[serde(default)]
    pub reminders: Reminders,
    /// Whether people may be asked for a photo ID, where the law allows that at all ([`crate::verification`]).
    #[serde(default)]
    pub photo_id: bool,
    /// Whether the account is open. The operator closes and opens it.
    #[serde(default, skip_serializing_if = "Closure::is_open")]
    pub closure: Closure,
}

/// The shortest time for which requests and answers are kept, in months: 11 CCR 7101(a).
pub const SHORTEST_RETENTION: u16 = 24;

/// The longest time that can be chosen, in months.
pub const LONGEST_RETENTION: u16 = 120;

/// How long things are kept, in months.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Retention {
    /// Requests and how they were answered, from the answer: 24 or more, 11 CCR 7101(a).
    pub request_months: u16,
    /// Recordings of what callers said. They tell what was asked, so they are kept as long as requests unless the
    /// tenant chooses less: the log of 11 CCR 7101(b) does without them.
    pub recording_months: u16,
    /// Messages that asked for nothing. A message that was classified is a request.
    pub message_months: u16,
    /// Files attached to requests: signed declarations, which are to be kept (11 CCR 7062(c)), but also proofs of
    /// identity, which are better not.
    pub attachment_months: u16,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            request_months: SHORTEST_RETENTION,
            recording_months: SHORTEST_RETENTION,
            message_months: 13,
            attachment_months: SHORTEST_RETENTION,
        }
    }
}

impl Retention {
    fn wrong(&self) -> impl Iterator<Item = FieldError> {
        let requests = (!(SHORTEST_RETENTION..=LONGEST_RETENTION).contains(&self.request_months)).then(|| {
            FieldError::new("retention.request-months", "Choose 24 to 120 months: the law asks for at least 24.")
        });
        let of_a_request = [
            ("retention.recording-months", self.recording_months),
            ("retention.message-months", self.message_months),
            ("retention.attachment-months", self.attachment_months),
        ];
        let rest = of_a_request.into_iter().filter_map(|(field, months)| {
            let wrong = months == 0 || months > LONGEST_RETENTION || months > self.request_months;
            wrong.then(|| FieldError::new(field, "Choose at least 1 month, and no more than for requests."))
        });
        requests.into_iter().chain(rest)
    }
}

/// When people are reminded that an answer is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Reminders {
    /// So many calendar days before the last day, each once, the most first.
    pub days_before: Vec<u8>,
    /// On the last day.
    pub on_the_day: bool,
    /// On every day after it, until it is answered.
    pub daily_when_overdue: bool,
}

impl Default for Reminders {
    fn default() -> Self {
        Self { days_before: vec![10, 5, 2], on_the_day: true, daily_when_overdue: true }
    }
}

impl Reminders {
    fn wrong(&self) -> Option<FieldError> {
        let field = "reminders.days-before";
        if self.days_before.len() > 5 {
            Some(FieldError::new(field, "Choose at most 5 days."))
        } else if !self.days_before.iter().all(|days| (1..=30).contains(days)) {
            Some(FieldError::new(field, "Choose 1 to 30 days before."))
        } else if !self.days_before.is_sorted_by(|more, fewer| more > fewer) {
            Some(FieldError::new(field, "Name each number of days once, the highest first."))
        } else {
            None
        }
    }

    /// Whether a reminder goes out on a day on which this many days are left ([`crate::clock::days_left`]).
    #[must_use]
    pub fn fall_on(&self, days_left: i32) -> bool {
        match days_left {
            ..0 => self.daily_when_overdue,
            0 => self.on_the_day,
            1.. => self.days_before.iter().any(|days| i32::from(*days) == days_left),
        }
    }
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
        errors.extend(self.retention.wrong());
        errors.extend(self.reminders.wrong());
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
            retention: Retention::default(),
            reminders: Reminders::default(),
            photo_id: false,
            closure: Closure::Open,
        };
        assert_eq!(good.validate(), Ok(()));
        let wrong = TenantProfile {
            name: String::new(),
            time_zone: "Mars/Olympus".into(),
            jurisdictions: vec![Jurisdiction::UsCa, Jurisdiction::UsCa],
            retention: Retention { request_months: 23, recording_months: 24, message_months: 0, attachment_months: 23 },
            reminders: Reminders { days_before: vec![2, 5], ..Reminders::default() },
            photo_id: false,
            closure: Closure::Open,
        };
        let fields: Vec<_> = wrong.validate().unwrap_err().into_iter().map(|error| error.field).collect();
        let retention = ["retention.request-months", "retention.recording-months", "retention.message-months"];
        assert_eq!(fields[..3], ["name", "time-zone", "jurisdictions"]);
        assert_eq!(fields[3..6], retention);
        assert_eq!(fields[6..], ["reminders.days-before"]);
    }

    #[test]
    fn reminders_name_each_day_once_and_none_that_never_comes() {
        let wrong = |days_before: Vec<u8>| Reminders { days_before, ..Reminders::default() }.wrong().is_some();
        for good in [vec![], vec![30, 1], vec![10, 5, 2]] {
            assert!(!wrong(good));
        }
        for bad in [vec![5, 5], vec![0], vec![31], vec![6, 5, 4, 3, 2, 1]] {
            assert!(wrong(bad));
        }
    }

    #[test]
    fn reminders_fall_on_the_days_chosen_the_last_day_and_every_day_after() {
        let reminders = Reminders::default();
        let days: Vec<_> = (-2..=12).filter(|left| reminders.fall_on(*left)).collect();
        assert_eq!(days, [-2, -1, 0, 2, 5, 10]);
        let quiet = Reminders { days_before: vec![], on_the_day: false, daily_when_overdue: false };
        assert!(!(-40..=40).any(|left| quiet.fall_on(left)));
    }

    #[test]
    fn a_profile_written_before_there_were_settings_has_the_usual_ones() {
        let stored = r#"{"name": "Main store", "time-zone": "America/Chicago", "jurisdictions": []}"#;
        let profile: TenantProfile = serde_json::from_str(stored).unwrap();
        assert_eq!((profile.retention.request_months, profile.retention.message_months), (24, 13));
        assert_eq!(profile.reminders.days_before, [10, 5, 2]);
        assert!(!profile.photo_id);
        assert_eq!(profile.validate(), Ok(()));
    }
}
