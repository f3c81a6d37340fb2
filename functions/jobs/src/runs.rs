//! `jobs-runs`: what the jobs did of late, for `make jobs`.

use std::collections::BTreeMap;

use domain::job::Job;
use platform::store::{Planning, Run};
use platform::{App, Error};
use serde::{Deserialize, Serialize};

/// The most runs of a job that are told.
const MOST: u16 = 200;

/// What is asked.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Order {
    /// One job, or all.
    #[serde(default)]
    pub job: Option<Job>,
    /// How many runs of each; 30 unless said.
    #[serde(default)]
    pub last: Option<u16>,
}

/// A job of late.
#[derive(Debug, Serialize)]
pub struct OfLate {
    /// Its last plannings, latest first.
    pub plannings: Vec<Planning>,
    /// Its last runs, latest first.
    pub runs: Vec<Run>,
}

/// The last plannings and runs of each job.
pub async fn handle(app: &App, order: Order) -> Result<BTreeMap<&'static str, OfLate>, Error> {
    let last = order.last.unwrap_or(30).clamp(1, MOST);
    let mut all = BTreeMap::new();
    for job in Job::ALL.into_iter().filter(|job| order.job.is_none_or(|only| only == *job)) {
        let of_late =
            OfLate { plannings: app.store.plannings(job, last).await?, runs: app.store.runs(job, last).await? };
        all.insert(job.code(), of_late);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_may_say_nothing() {
        let order: Order = serde_json::from_str("{}").unwrap();
        assert!(order.job.is_none() && order.last.is_none());
        assert!(serde_json::from_str::<Order>(r#"{"job": "coffee"}"#).is_err());
    }
}
