//! The agenda: what is to be done for whom, and not before when. Planners read it in the order of time; nobody walks tenants.
//!
//! An entry is an alarm clock. That one rings once too often must do no harm: the worker looks at what there is to do, does
//! it, enters when it wants to be called next, and only then takes the entry away. What came up meanwhile has entered itself
//! once more, and an entry that was entered again stays. So whoever makes work writes the work first and the entry second,
//! and a crash between the two is made up for by the queue that delivers again.
//!
//! | partition | sort | holds |
//! |---|---|---|
//! | job `#` shard | time `#` tenant `#` what | how often it was entered |

use std::collections::HashMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::job::Job;
use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};

use super::{Item, Store, TenantStore, damaged, get_text, number, text};
use crate::Error;
use crate::tenant::Tenant;

/// The partitions of a job's agenda.
pub const SHARDS: u32 = 4;

/// A worker is told who wants it and finds the entry by that; the entry proves the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Summons {
    /// What is to be done.
    pub job: Job,
    tenant: String,
    at: Timestamp,
    /// A day, a user's id, or nothing: what the job calls a part of its work.
    what: String,
    /// What time it is for the planner, who may look ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<Timestamp>,
}

impl Summons {
    /// What time it is for the worker: the planner's, if that is ahead.
    #[must_use]
    pub fn now(&self, clock: Timestamp) -> Timestamp {
        self.by.map_or(clock, |by| clock.max(by))
    }

    /// When it was to be done.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Whether it is for this tenant.
    #[must_use]
    pub fn is_for(&self, tenant: &Tenant) -> bool {
        self.tenant == tenant.id().as_str()
    }
}

/// An entry of the agenda, as a worker has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// What is to be done.
    pub job: Job,
    /// For whom.
    pub tenant: Tenant,
    /// When it was to be done.
    pub at: Timestamp,
    /// A day, a user's id, or nothing: what the job calls a part of its work.
    pub what: String,
    marks: u64,
}

/// Where a planner reads on.
#[derive(Clone, Debug)]
pub struct Place(HashMap<String, AttributeValue>);

impl Store {
    /// A part of what a shard of a job's agenda has until a time, earliest first, and where the rest begins.
    pub async fn due(
        &self,
        job: Job,
        shard: u32,
        until: Timestamp,
        from: Option<Place>,
    ) -> Result<(Vec<Summons>, Option<Place>), Error> {
        let found = self
            .dynamodb
            .query()
            .table_name(self.agenda_table()?)
            .key_condition_expression("pk = :pk AND sk < :until")
            .expression_attribute_values(":pk", text(partition(job, shard)))
            // `$` comes after `#`: an entry of this very second is due.
            .expression_attribute_values(":until", text(format!("{}$", second(until))))
            .projection_expression("sk")
            .limit(500)
            .set_exclusive_start_key(from.map(|place| place.0))
            .send()
            .await
            .map_err(|error| Error::failed("reading the agenda")(error.into_service_error()))?;
        let summons = found.items().iter().map(|item| summons(job, item, until)).collect::<Result<_, _>>()?;
        Ok((summons, found.last_evaluated_key.map(Place)))
    }

    /// The entry that a worker was summoned for; nothing where it is done already.
    pub async fn called(&self, summons: &Summons) -> Result<Option<Due>, Error> {
        let tenant = Tenant::trusted(summons.tenant.clone());
        let found = self
            .dynamodb
            .get_item()
            .table_name(self.agenda_table()?)
            .set_key(Some(key(summons.job, &tenant, summons.at, &summons.what)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed("reading the agenda")(error.into_service_error()))?;
        let Some(item) = found.item else { return Ok(None) };
        let marks = item.get("marks").and_then(|value| value.as_n().ok()?.parse().ok());
        let marks = marks.ok_or_else(|| damaged("marks"))?;
        Ok(Some(Due { job: summons.job, tenant, at: summons.at, what: summons.what.clone(), marks }))
    }

    /// Takes an entry away, unless it was entered again since it was read. Returns whether it is gone.
    pub async fn done(&self, due: &Due) -> Result<bool, Error> {
        let deleted = self
            .dynamodb
            .delete_item()
            .table_name(self.agenda_table()?)
            .set_key(Some(key(due.job, &due.tenant, due.at, &due.what)))
            .condition_expression("attribute_not_exists(pk) OR marks = :marks")
            .expression_attribute_values(":marks", number(due.marks))
            .send()
            .await;
        match deleted.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(true),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(false),
            Err(error) => Err(Error::failed("clearing the agenda")(error)),
        }
    }
}

impl TenantStore<'_> {
    /// Enters work, to the second. The same entry again is the same entry, and its worker will see that it came again.
    ///
    /// Marks begin at the clock, so that they never repeat: an entry that was taken away and made anew is not taken for the
    /// one of before by a worker that is slow.
    pub async fn arrange(&self, job: Job, at: Timestamp, what: &str) -> Result<(), Error> {
        self.store
            .dynamodb
            .update_item()
            .table_name(self.store.agenda_table()?)
            .set_key(Some(key(job, self.tenant, at, what)))
            .update_expression("SET marks = if_not_exists(marks, :now) + :one")
            .expression_attribute_values(":now", number(self.store.clock.now().as_millisecond()))
            .expression_attribute_values(":one", number(1))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Error::failed("entering work into the agenda")(error.into_service_error()))
    }
}

fn partition(job: Job, shard: u32) -> String {
    format!("{job}#{shard}")
}

fn key(job: Job, tenant: &Tenant, at: Timestamp, what: &str) -> HashMap<String, AttributeValue> {
    let id = tenant.id().as_str();
    let shard = id.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % SHARDS;
    HashMap::from([
        ("pk".to_owned(), text(partition(job, shard))),
        ("sk".to_owned(), text(format!("{}#{id}#{what}", second(at)))),
    ])
}

/// Always of one length, so that it sorts by time.
fn second(at: Timestamp) -> String {
    at.round(Unit::Second).unwrap_or(at).to_string()
}

fn summons(job: Job, item: &Item, by: Timestamp) -> Result<Summons, Error> {
    let mut parts = get_text(item, "sk")?.splitn(3, '#');
    let (Some(at), Some(tenant), Some(what)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(damaged("sk"));
    };
    let at = at.parse().map_err(|_| damaged("sk"))?;
    Ok(Summons { job, tenant: tenant.to_owned(), at, what: what.to_owned(), by: Some(by) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_comes_back_as_it_was_entered() {
        let tenant = Tenant::trusted("t-a");
        for (at, what) in
            [("2026-11-22T07:00:00Z", ""), ("2026-11-22T07:00:00.4Z", "2026-11-21"), ("2026-11-22T07:00:00Z", "a#b")]
        {
            let key = key(Job::PushUsage, &tenant, at.parse().unwrap(), what);
            let read = summons(Job::PushUsage, &key, Timestamp::UNIX_EPOCH).unwrap();
            assert_eq!((read.tenant.as_str(), read.what.as_str()), ("t-a", what));
            assert_eq!(read.at.to_string(), "2026-11-22T07:00:00Z");
        }
    }

    #[test]
    fn what_is_due_this_very_second_is_due() {
        let now: Timestamp = "2026-11-22T07:00:00Z".parse().unwrap();
        let entry = format!("{}#t-a#", second(now));
        assert!(entry < format!("{}$", second(now)) && format!("{}#t-a#", second(now)) > second(now));
    }

    #[test]
    fn a_planner_that_looks_ahead_takes_its_workers_along_and_never_back() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let key = key(Job::Retention, &Tenant::trusted("t-a"), at("2026-11-22T07:00:00Z"), "");
        let ahead = summons(Job::Retention, &key, at("2029-01-01T00:00:00Z")).unwrap();
        let again: Summons = serde_json::from_str(&serde_json::to_string(&ahead).unwrap()).unwrap();
        assert_eq!(again.now(at("2026-11-23T00:00:00Z")), at("2029-01-01T00:00:00Z"));
        assert_eq!(again.now(at("2030-01-01T00:00:00Z")), at("2030-01-01T00:00:00Z"));
    }

    #[test]
    fn a_message_that_names_more_than_a_summons_does_is_none() {
        let read = |text| serde_json::from_str::<Summons>(text);
        assert!(read(r#"{"job":"push-usage","tenant":"t-a","at":"2026-11-22T07:00:00Z","what":"2026-11-21"}"#).is_ok());
        assert!(read(r#"{"job":"push-usage","tenant":"t-a","at":"2026-11-22T07:00:00Z"}"#).is_err());
        assert!(read(r#"{"job":"other","tenant":"t-a","at":"2026-11-22T07:00:00Z","what":""}"#).is_err());
    }
}
