//! The ledger: one row per call, whatever arrives twice, late or out of order; and each day's sums, kept with the rows.
//!
//! A row and what it adds to its day are one transaction, so the sums are always those of the rows: a report that comes
//! twice adds nothing, and one that replaces another adds the difference. A day's sums lie in several items, because
//! the calls of a busy tenant end at the same moment and one item would have them wait for each other; a month is still
//! one Query. So a usage page costs the same for ten calls and for a million.
//!
//! A row that a batch has is corrected together with the batch, which is then counted again (see [`super::billing`]).

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use domain::billing::Unit;
use domain::usage::CallUsage;
use jiff::civil::Date;
use partners::twilio::CallSid;

use super::billing::{day_partition, unit_attributes, unit_of};
use super::{Item, Store, damaged, number, text};
use crate::Error;
use crate::store::CallOwner;
use crate::tenant::Tenant;

/// How many items hold a day's sums.
const SHARDS: u32 = 8;
/// What a row says that comes from Twilio's list.
pub(super) const FROM_LIST: &str = "list";
/// Two calls of one shard may end in the same moment.
const TRIES: u32 = 6;
const WAIT: Duration = Duration::from_millis(15);

/// What a day's calls came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayOfUse {
    /// Calls that ended.
    pub calls: i64,
    /// How long they lasted, in seconds.
    pub seconds: i64,
    /// Billed minutes: each started minute of a call counts whole.
    pub minutes: i64,
}

/// Who says that there was a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Twilio's callback at its end.
    Callback,
    /// Twilio's own list of calls: the callback was lost.
    List,
}

/// What is stored of a call: its place among the reports, what it added, and where it is on its way to the bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    rank: u64,
    sums: DayOfUse,
    unit: Unit,
}

impl Row {
    /// The batch that must be counted again when this report takes the row's place.
    fn touches(&self, usage: &CallUsage) -> Option<u32> {
        match self.unit {
            Unit::Claimed { batch } | Unit::Processed { batch }
                if self.sums.minutes != i64::from(usage.billed_minutes) =>
            {
                Some(batch)
            }
            _ => None,
        }
    }
}

impl Store {
    /// Whom to bill a call to. One that never reached a tenant goes to the platform's own account, on the day it
    /// ended; that too is written down once, so that a second callback finds the same row.
    pub async fn call_owner(&self, call: &CallSid, usage: &CallUsage) -> Result<CallOwner, Error> {
        match self.call(call).await? {
            Some(owner) => Ok(owner),
            None => self.remember_call(call, &Tenant::platform(), None, usage.ended_at).await,
        }
    }

    /// Writes a call's row and adds to its day, unless a later report of the same call is there already. Returns whether
    /// it was written. One operation, but for a call that has a row. Afterwards the day goes on the agenda, whether or not
    /// this was the write that counts: [`Store::mark_day`].
    pub async fn record_usage(&self, owner: &CallOwner, usage: &CallUsage, source: Source) -> Result<bool, Error> {
        let mut there: Option<Row> = None;
        for turn in 0..TRIES {
            if there.is_some_and(|row| row.rank >= usage.rank()) {
                return Ok(false);
            }
            let mut items = vec![self.put_row(owner, usage, source, there)?, self.add_to_day(owner, usage, there)?];
            if let Some(batch) = there.and_then(|row| row.touches(usage)) {
                items.push(self.of(&owner.tenant).touch_batch(owner.day, batch).await?);
            }
            let written = self
                .dynamodb
                .transact_write_items()
                .set_transact_items(Some(items))
                .send()
                .await
                .map_err(SdkError::into_service_error);
            let canceled = match written {
                Ok(_) => return Ok(true),
                Err(TransactWriteItemsError::TransactionCanceledException(canceled)) => canceled,
                Err(error) => return Err(Error::failed("writing the ledger")(error)),
            };
            let refused = canceled
                .cancellation_reasons()
                .first()
                .filter(|reason| reason.code() == Some("ConditionalCheckFailed"))
                .and_then(|reason| reason.item());
            match refused {
                Some(item) => there = Some(row(item)?),
                None => tokio::time::sleep(WAIT * (turn + 1)).await,
            }
        }
        Err(Error::Failed { doing: "writing the ledger", source: "the day is too busy".into() })
    }

    fn put_row(
        &self,
        owner: &CallOwner,
        usage: &CallUsage,
        source: Source,
        there: Option<Row>,
    ) -> Result<TransactWriteItem, Error> {
        let mut put = Put::builder()
            .table_name(self.usage_table()?)
            .item("pk", text(day_partition(&owner.tenant, owner.day)))
            .item("sk", text(&usage.call_sid))
            .item("status", text(usage.status.as_str()))
            .item("seconds", number(usage.seconds))
            .item("billed_minutes", number(usage.billed_minutes))
            .item("sequence", number(usage.sequence))
            .item("ended_at", text(usage.ended_at.to_string()))
            .item("recorded_at", text(self.clock.now().to_string()))
            .item("rank", number(usage.rank()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if let Some(code) = &owner.code {
            put = put.item("code", text(code.as_str()));
        }
        if source == Source::List {
            put = put.item("source", text(FROM_LIST));
        }
        put = match there {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(row) => put
                .expression_attribute_names("#rank", "rank")
                .expression_attribute_names("#unit", "unit")
                .expression_attribute_values(":rank", number(row.rank)),
        };
        // A batch that has claimed it keeps it, and one that claims it right now makes this write begin anew.
        put = match there.map(|row| unit_attributes(row.unit)) {
            None => put,
            Some(None) => put.condition_expression("#rank = :rank AND attribute_not_exists(#unit)"),
            Some(Some((unit, batch))) => put
                .condition_expression("#rank = :rank AND #unit = :unit AND #batch = :batch")
                .expression_attribute_names("#batch", "batch")
                .expression_attribute_values(":unit", unit.clone())
                .expression_attribute_values(":batch", batch.clone())
                .item("unit", unit)
                .item("batch", batch),
        };
        let put = put.build().map_err(Error::failed("writing the ledger"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn add_to_day(&self, owner: &CallOwner, usage: &CallUsage, there: Option<Row>) -> Result<TransactWriteItem, Error> {
        let sums = difference(usage, there);
        let update = Update::builder()
            .table_name(self.usage_table()?)
            .key("pk", text(month_key(&owner.tenant, owner.day)))
            .key("sk", text(format!("{}#{}", owner.day, shard(&usage.call_sid))))
            .update_expression("ADD calls :calls, seconds :seconds, minutes :minutes")
            .expression_attribute_values(":calls", number(sums.calls))
            .expression_attribute_values(":seconds", number(sums.seconds))
            .expression_attribute_values(":minutes", number(sums.minutes))
            .build()
            .map_err(Error::failed("writing the ledger"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

/// What a report adds to its day, where another may be counted already.
fn difference(usage: &CallUsage, there: Option<Row>) -> DayOfUse {
    let before = there.map(|row| row.sums).unwrap_or_default();
    DayOfUse {
        calls: 1 - before.calls,
        seconds: i64::from(usage.seconds) - before.seconds,
        minutes: i64::from(usage.billed_minutes) - before.minutes,
    }
}

fn row(item: &Item) -> Result<Row, Error> {
    let sums =
        DayOfUse { calls: 1, seconds: get_number(item, "seconds")?, minutes: get_number(item, "billed_minutes")? };
    Ok(Row { rank: get_number(item, "rank")?, sums, unit: unit_of(item)? })
}

pub(super) fn get_number<T: std::str::FromStr>(item: &Item, name: &'static str) -> Result<T, Error> {
    item.get(name).and_then(|value| value.as_n().ok()?.parse().ok()).ok_or_else(|| damaged(name))
}

pub(super) fn month_key(tenant: &Tenant, day: Date) -> String {
    format!("{}#{:04}-{:02}", tenant.id(), day.year(), day.month())
}

/// SIDs end in hex digits that are as good as random.
fn shard(call: &str) -> u32 {
    call.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % SHARDS
}

#[cfg(test)]
mod tests {
    use domain::usage::CallStatus;
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn usage(sequence: u32, seconds: u32) -> CallUsage {
        CallUsage {
            call_sid: format!("CA{}", "0".repeat(32)),
            status: CallStatus::Completed,
            seconds,
            billed_minutes: domain::usage::billed_minutes(seconds),
            sequence,
            ended_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_months_key_is_no_days_key() {
        let tenant = Tenant::trusted("t-a");
        assert_eq!(month_key(&tenant, jiff::civil::date(2026, 11, 5)), "t-a#2026-11");
    }

    #[test]
    fn calls_spread_over_all_shards() {
        let shards: std::collections::BTreeSet<u32> = (0..200).map(|n| shard(&format!("CA{n:032x}"))).collect();
        assert_eq!(shards.len(), usize::try_from(SHARDS).unwrap());
    }

    #[test]
    fn a_batch_is_counted_again_only_where_its_minutes_change() {
        let row = |unit| Row { rank: 1, sums: DayOfUse { calls: 1, seconds: 61, minutes: 2 }, unit };
        let (same, longer) = (usage(2, 100), usage(2, 130));
        assert_eq!(row(Unit::Unprocessed).touches(&longer), None);
        assert_eq!(row(Unit::Claimed { batch: 3 }).touches(&longer), Some(3));
        assert_eq!(row(Unit::Processed { batch: 3 }).touches(&longer), Some(3));
        assert_eq!(row(Unit::Processed { batch: 3 }).touches(&same), None);
    }

    proptest! {
        #[test]
        fn whatever_order_reports_arrive_in_a_day_counts_the_row_that_stays(
            reports in prop::collection::vec((0..4_u32, 0..200_u32), 1..8)
        ) {
            let mut there: Option<Row> = None;
            let mut day = DayOfUse::default();
            for (sequence, seconds) in reports {
                let report = usage(sequence, seconds);
                if there.is_some_and(|row| row.rank >= report.rank()) {
                    continue;
                }
                let sums = difference(&report, there);
                day = DayOfUse {
                    calls: day.calls + sums.calls,
                    seconds: day.seconds + sums.seconds,
                    minutes: day.minutes + sums.minutes,
                };
                let counted = DayOfUse { calls: 1, seconds: i64::from(seconds), minutes: i64::from(report.billed_minutes) };
                there = Some(Row { rank: report.rank(), sums: counted, unit: Unit::Unprocessed });
            }
            prop_assert_eq!(Some(day), there.map(|row| row.sums));
        }
    }
}
