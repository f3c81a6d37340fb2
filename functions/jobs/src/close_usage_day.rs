//! `jobs-close-usage-day`: summons a worker for each tenant's day that is over and has usage to bill.
//!
//! It runs every hour: the first time after midnight in UTC closes the day before, and the others see to what came late,
//! failed, or had to wait. Days that have nothing to bill are not on the agenda.

use domain::job::Job;
use jiff::Timestamp;
use platform::{App, Error};
use serde::Deserialize;

use crate::planning::{self, Done};

/// Until when, and for whom; now and for everybody, unless an operator says otherwise.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Order {
    /// Until when.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// For one tenant only, by the operator's own name for it.
    #[serde(default)]
    pub tenant: Option<String>,
}

/// Plans the days whose time has come.
pub async fn handle(app: &App, order: Order) -> Result<Done, Error> {
    planning::summon(app, &planning::Order { job: Job::PushUsage, at: order.at, tenant: order.tenant }).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_says_nothing_and_means_now_and_everybody() {
        let order: Order = serde_json::from_str("{}").unwrap();
        assert!(order.at.is_none() && order.tenant.is_none());
    }
}
