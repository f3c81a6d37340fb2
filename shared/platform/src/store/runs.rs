//! What the jobs did: one record per job, tenant and time, kept for thirteen months. It holds counts and nothing personal.
//!
//! The day is the one for which a run was planned; where somebody looks ahead, the one on which they do, for that is
//! where the last runs are looked for.
//!
//! | partition | sort | holds |
//! |---|---|---|
//! | job `#` day | planned time `#` tenant `#` what | when it began and ended, how it ended, how often it was tried, what it counted |
//! | `plan#` job | time | how much was planned, and how late |

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::job::Job;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::Serialize;

use super::agenda::Due;
use super::{Item, Store, get_parsed, get_text, number, text};
use crate::Error;

/// How long a record is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 396);
/// How far back the last runs are looked for.
const DAYS_BACK: i64 = 35;

/// What a worker counted, by the word for it.
pub type Counts = BTreeMap<&'static str, u64>;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It began and has not said how it ended: it is under way, or it was killed.
    Running,
    /// Nothing is left to do.
    Done,
    /// It will be called again.
    Again,
    /// It failed; the queue brings it again.
    Failed,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Running, Self::Done, Self::Again, Self::Failed];

    const fn code(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Again => "again",
            Self::Failed => "failed",
        }
    }
}

/// A run, as the operator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Run {
    /// For when it was planned.
    pub at: Timestamp,
    /// For whom.
    pub tenant: String,
    /// Which part of the job's work.
    pub what: String,
    /// When it began the last time.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Outcome,
    /// How often it was tried.
    pub tries: u64,
    /// What it counted.
    pub counted: BTreeMap<String, u64>,
    /// Why it failed, or what it waits for.
    pub why: Option<String>,
}

/// A planning, as the operator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Planning {
    /// When.
    pub at: Timestamp,
    /// How many workers were summoned.
    pub planned: u64,
    /// How long the oldest of that had been due, in minutes.
    pub late_minutes: u64,
}

impl Store {
    /// Writes down that a run begins, now.
    pub async fn run_begins(&self, due: &Due, now: Timestamp) -> Result<(), Error> {
        self.dynamodb
            .update_item()
            .table_name(self.runs_table()?)
            .key("pk", text(day_key(due, now)))
            .key("sk", text(run_key(due)))
            .update_expression(
                "SET started_at = :now, outcome = :running, expires_at = :expires REMOVE ended_at, why ADD tries :one",
            )
            .expression_attribute_values(":now", text(now.to_string()))
            .expression_attribute_values(":running", text(Outcome::Running.code()))
            .expression_attribute_values(":expires", number((now + KEPT).as_second()))
            .expression_attribute_values(":one", number(1))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Error::failed("writing down a run")(error.into_service_error()))
    }

    /// Writes down how a run ended that began then.
    pub async fn run_ends(
        &self,
        due: &Due,
        began: Timestamp,
        outcome: Outcome,
        counted: &Counts,
        why: Option<&str>,
    ) -> Result<(), Error> {
        let counted = counted.iter().map(|(word, count)| ((*word).to_owned(), number(*count))).collect();
        let mut update = self
            .dynamodb
            .update_item()
            .table_name(self.runs_table()?)
            .key("pk", text(day_key(due, began)))
            .key("sk", text(run_key(due)))
            .expression_attribute_values(":now", text(self.clock.now().to_string()))
            .expression_attribute_values(":outcome", text(outcome.code()))
            .expression_attribute_values(":counted", AttributeValue::M(counted));
        update = match why {
            Some(why) => update
                .update_expression("SET ended_at = :now, outcome = :outcome, counted = :counted, why = :why")
                .expression_attribute_values(":why", text(why)),
            None => update.update_expression("SET ended_at = :now, outcome = :outcome, counted = :counted REMOVE why"),
        };
        update.send().await.map(|_| ()).map_err(|error| Error::failed("writing down a run")(error.into_service_error()))
    }

    /// Writes down that a planner planned.
    pub async fn planned(&self, job: Job, planning: &Planning) -> Result<(), Error> {
        self.dynamodb
            .put_item()
            .table_name(self.runs_table()?)
            .item("pk", text(format!("plan#{job}")))
            .item("sk", text(planning.at.to_string()))
            .item("planned", number(planning.planned))
            .item("late_minutes", number(planning.late_minutes))
            .item("expires_at", number((planning.at + KEPT).as_second()))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Error::failed("writing down a planning")(error.into_service_error()))
    }

    /// The last plannings of a job, latest first.
    pub async fn plannings(&self, job: Job, most: u16) -> Result<Vec<Planning>, Error> {
        let found = self.latest(format!("plan#{job}"), most).await?;
        found
            .iter()
            .map(|item| {
                Ok(Planning {
                    at: get_parsed(item, "sk", |at| at.parse().ok())?,
                    planned: count(item, "planned"),
                    late_minutes: count(item, "late_minutes"),
                })
            })
            .collect()
    }

    /// The last runs of a job, latest first.
    pub async fn runs(&self, job: Job, most: u16) -> Result<Vec<Run>, Error> {
        let (mut runs, now) = (vec![], self.clock.now().to_zoned(TimeZone::UTC).date());
        for back in 0..DAYS_BACK {
            let missing = usize::from(most).saturating_sub(runs.len());
            let Some(day) = now.checked_sub(back.days()).ok().filter(|_| missing > 0) else { break };
            let found = self.latest(format!("{job}#{day}"), u16::try_from(missing).unwrap_or(most)).await?;
            runs.extend(found.iter().map(run).collect::<Result<Vec<_>, _>>()?);
        }
        Ok(runs)
    }

    async fn latest(&self, pk: String, most: u16) -> Result<Vec<Item>, Error> {
        let found = self
            .dynamodb
            .query()
            .table_name(self.runs_table()?)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(pk))
            .scan_index_forward(false)
            .limit(i32::from(most))
            .send()
            .await
            .map_err(|error| Error::failed("reading the runs")(error.into_service_error()))?;
        Ok(found.items.unwrap_or_default())
    }
}

fn day_key(due: &Due, began: Timestamp) -> String {
    format!("{}#{}", due.job, due.at.min(began).to_zoned(TimeZone::UTC).date())
}

fn run_key(due: &Due) -> String {
    format!("{}#{}#{}", due.at, due.tenant.id(), due.what)
}

fn count(item: &Item, name: &str) -> u64 {
    item.get(name).and_then(|value| value.as_n().ok()?.parse().ok()).unwrap_or_default()
}

fn run(item: &Item) -> Result<Run, Error> {
    let mut parts = get_text(item, "sk")?.splitn(3, '#');
    let mut part = || parts.next().unwrap_or_default();
    let (at, tenant, what) = (part(), part().to_owned(), part().to_owned());
    let counted = item.get("counted").and_then(|value| value.as_m().ok());
    let counted = counted
        .into_iter()
        .flatten()
        .filter_map(|(word, value)| Some((word.clone(), value.as_n().ok()?.parse().ok()?)));
    Ok(Run {
        at: at.parse().map_err(|_| super::damaged("sk"))?,
        tenant,
        what,
        started_at: get_parsed(item, "started_at", |at| at.parse().ok())?,
        ended_at: get_text(item, "ended_at").ok().and_then(|at| at.parse().ok()),
        outcome: get_parsed(item, "outcome", |code| Outcome::ALL.into_iter().find(|outcome| outcome.code() == code))?,
        tries: count(item, "tries"),
        counted: counted.collect(),
        why: get_text(item, "why").ok().map(str::to_owned),
    })
}
