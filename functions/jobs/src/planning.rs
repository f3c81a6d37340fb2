//! How planners plan: a worker is summoned for each entry of a job's agenda whose time has come.
//!
//! A planner holds a page of the agenda at a time, however many tenants there are. What a worker has not done is summoned again
//! by the next planning; workers see for themselves what is done already.

use domain::job::Job;
use jiff::{SignedDuration, Timestamp};
use platform::store::{AGENDA_SHARDS, Planning};
use platform::{App, Error};
use serde::{Deserialize, Serialize};

/// What is to be planned.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Order {
    /// Which job.
    pub job: Job,
    /// Until when; now, unless somebody looks ahead on a local cloud.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// For one tenant only, by the operator's own name for it.
    #[serde(default)]
    pub tenant: Option<String>,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Done {
    /// How many workers were summoned.
    pub planned: u64,
    /// How long the oldest of that had been due, in minutes.
    pub late_minutes: u64,
}

/// Plans one job.
pub async fn summon(app: &App, order: &Order) -> Result<Done, Error> {
    let now = app.clock.now();
    let until = until(order.at, now, app.config.is_local())?;
    let only = match &order.tenant {
        Some(slug) => Some(app.store.tenant_of_slug(slug).await?.ok_or(Error::NotFound)?),
        None => None,
    };
    let mut done = Done { planned: 0, late_minutes: 0 };
    for shard in 0..AGENDA_SHARDS {
        let mut place = None;
        loop {
            let (mut due, rest) = app.store.due(order.job, shard, until, place).await?;
            if let Some(only) = &only {
                due.retain(|summons| summons.is_for(only));
            }
            let late = due.iter().map(|summons| now.duration_since(summons.at())).max().unwrap_or_default();
            done.late_minutes = done.late_minutes.max(minutes(late));
            done.planned += u64::try_from(due.len()).unwrap_or(u64::MAX);
            app.queues.work(order.job, &due).await?;
            if rest.is_none() {
                break;
            }
            place = rest;
        }
    }
    let planning = Planning { at: now, planned: done.planned, late_minutes: done.late_minutes };
    app.store.planned(order.job, &planning).await?;
    // The alarms "it did not run" and "it runs late" count these lines.
    tracing::info!(job = order.job.code(), planned = done.planned, late_minutes = done.late_minutes, "planned");
    Ok(done)
}

/// Nobody looks ahead but on a local cloud: elsewhere it would send reminders before their day, erase what is to be kept,
/// and take what Stripe has not counted yet for lost.
fn until(at: Option<Timestamp>, now: Timestamp, local: bool) -> Result<Timestamp, Error> {
    match at {
        Some(at) if at > now && !local => Err(Error::invalid("at", "only a local cloud can look ahead")),
        at => Ok(at.unwrap_or(now)),
    }
}

fn minutes(late: SignedDuration) -> u64 {
    u64::try_from(late.as_mins()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_names_a_job_and_may_look_ahead_for_one_tenant() {
        let order: Order = serde_json::from_str(r#"{"job": "send-reminders"}"#).unwrap();
        assert_eq!((order.job, order.at, order.tenant), (Job::SendReminders, None, None));
        let ahead = r#"{"job": "retention", "at": "2027-01-05T16:00:00Z", "tenant": "shop"}"#;
        assert!(serde_json::from_str::<Order>(ahead).unwrap().at.is_some());
        assert!(serde_json::from_str::<Order>(r#"{"job": "push-usage", "when": "now"}"#).is_err());
    }

    #[test]
    fn only_a_local_cloud_looks_ahead() {
        let (now, later) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(60).unwrap());
        assert_eq!(until(Some(later), now, true).unwrap(), later);
        assert!(matches!(until(Some(later), now, false), Err(Error::Invalid { .. })));
        assert_eq!(until(Some(now), later, false).unwrap(), now);
        assert_eq!(until(None, now, false).unwrap(), now);
    }

    #[test]
    fn what_is_not_due_yet_is_not_late() {
        assert_eq!(minutes(SignedDuration::from_mins(-90)), 0);
        assert_eq!(minutes(SignedDuration::from_secs(3_659)), 60);
    }
}
