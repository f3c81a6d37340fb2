//! The work that nobody waits for: what is done by night, or whenever its time has come.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind of work that is planned ahead, for one tenant at a time. Its worker is the function `jobs-` and the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Job {
    /// A day's usage goes to Stripe.
    PushUsage,
    /// The ledger is held against Twilio's list of calls and Stripe's summaries.
    ReconcileUsage,
    /// Reports of numbers to those who asked for them.
    SendReports,
    /// Reminders of dates by which a request must be answered.
    SendReminders,
    /// News of requests that came in.
    SendAlerts,
    /// What has been kept long enough goes.
    Retention,
}

impl Job {
    /// Every job.
    pub const ALL: [Self; 6] = [
        Self::PushUsage,
        Self::ReconcileUsage,
        Self::SendReports,
        Self::SendReminders,
        Self::SendAlerts,
        Self::Retention,
    ];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::PushUsage => "push-usage",
            Self::ReconcileUsage => "reconcile-usage",
            Self::SendReports => "send-reports",
            Self::SendReminders => "send-reminders",
            Self::SendAlerts => "send-alerts",
            Self::Retention => "retention",
        }
    }

    /// The job with this stored name.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|job| job.code() == code)
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_stored_under_the_name_of_its_function() {
        for job in Job::ALL {
            assert_eq!(Job::parse(job.code()), Some(job));
            assert_eq!(serde_json::to_string(&job).unwrap(), format!("\"{job}\""));
        }
        assert_eq!(Job::parse("make-coffee"), None);
    }
}
