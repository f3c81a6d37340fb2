//! `jobs-plan`: summons a worker for each entry of a job's agenda whose time has come. Usage days have a planner of their own.

use domain::job::Job;
use platform::{App, Error};

use crate::planning::{self, Done, Order};

/// Plans one job.
pub async fn handle(app: &App, order: Order) -> Result<Done, Error> {
    if order.job == Job::PushUsage {
        return Err(Error::invalid("job", "jobs-close-usage-day plans that one"));
    }
    planning::summon(app, &order).await
}
