//! A day's way to the bill, as [`domain::billing`] describes it: every step is one conditional write.
//!
//! | partition | sort | holds |
//! |---|---|---|
//! | tenant `#` day | call | the ledger's row; `unit` (none while no batch has the call, `claimed`, `processed`) and `batch`, its number |
//! | tenant `#` month | `batch#` day `#` number | a batch as JSON; `version`; `claiming`, the fence under which calls are claimed |
//! | tenant `#` month | `day#` day | `fence`, the last one given; `customers`, to whom at Stripe any of it was sent |
//! | `identifier#` identifier | `batch` | whose batch an event at Stripe belongs to, for those who report on it |
//!
//! Whoever works on a day has taken it ([`TenantStore::take_day`]); each of its writes asks for the fence and for the batch's
//! version. A person's decision takes the day itself, so that whoever was at it begins anew. What comes from outside, a
//! correction or a report of Stripe's, asks for the version alone.
//!
//! **How a day gets on the agenda** ([`Store::mark_day`]). First the row, then the entry: who stops in between is called
//! again by the queue and enters it then, though the row is there already. A day that is not over has one entry, some
//! minutes after its end. A process that has entered it remembers that and does not again: the entry cannot be taken away
//! before its time (a worker that is called sooner, by a clock that was moved, enters it once more), and who is called at
//! its time reads every row that was written before the day's end. For a day that is over nothing of that holds, as its
//! worker may be looking right now. So it is entered each time, at this minute: either the worker of that entry has not
//! read its marks yet, then it will see the row; or it has, then it cannot take the entry away; or the entry is gone, then
//! it is a new one. Marks of a new entry begin after all that an old one of the same minute had, so that a slow worker of
//! the old one does not take it away.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Put, ReturnValue, TransactWriteItem, Update};
use domain::audit::Entry;
use domain::billing::{Batch, Event, Meter, Refused, Unit, day_end};
use domain::job::Job;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, Unit as ClockUnit};
use partners::stripe::CustomerId;

use super::audit::Written;
use super::usage::{get_number, month_key};
use super::{DayOfUse, Item, Store, TenantStore, damaged, directory, get_parsed, get_text, number, text};
use crate::Error;
use crate::tenant::{Tenant, TenantId};

/// How long after a day's end its usage is sent: the callbacks of its last calls have come by then, as a rule.
pub const CLOSES_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// The most calls that are claimed, or put down as processed, at once: a transaction takes 100 items, two of which ask for
/// the fence and the batch.
pub const AT_ONCE: usize = 98;

/// How often a write is tried that another one is in the way of: some twenty seconds in all.
const TRIES: u32 = 12;
/// How long is waited after the first try, at most; after each further one twice as long, until [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(40);
const LONGEST_WAIT: Duration = Duration::from_secs(4);
/// How often a report is written that something else came before.
const REPORT_TRIES: u32 = 6;

/// When the worker of a day is called.
#[must_use]
pub fn closes_at(day: Date) -> Timestamp {
    day_end(day).saturating_add(CLOSES_AFTER).unwrap_or(Timestamp::MAX)
}

/// A day in a worker's hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Which.
    pub day: Date,
    /// What every write asks for.
    pub fence: u64,
}

/// What a worker has that took a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The day in its hands.
    pub lease: Lease,
    /// To whom at Stripe any of the day was sent, or tried to be: more than one where the tenant's customer was changed.
    pub customers: Vec<CustomerId>,
}

/// Why a step was not written; nothing was changed.
#[derive(Debug)]
pub enum Halt {
    /// Somebody else has taken the day since.
    Fenced,
    /// It is not as it was read: something was reported, corrected or decided in between.
    Changed,
    /// Others write the same items all the time, or the table has more to do than it can: later it may go.
    Busy,
    /// Storage failed.
    Failed(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Refused> for Halt {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Fenced => Self::Fenced,
            Refused::OutOfTurn | Refused::Empty => Self::Changed,
        }
    }
}

/// A call in the ledger, as the bill sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerUnit {
    /// Twilio's SID.
    pub call: String,
    /// Billed minutes.
    pub minutes: u32,
    /// Where it is on its way.
    pub unit: Unit,
}

/// A part of a day's calls, in the order of their SIDs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitsPage {
    /// The calls.
    pub units: Vec<LedgerUnit>,
    /// What to read on from; nothing where that was all.
    pub next: Option<String>,
}

/// Which of a day's calls are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// Those that no batch has.
    Unprocessed,
    /// Those that a batch has claimed.
    Claimed,
    /// Those of one batch.
    Of(u32),
}

/// How a tenant is billed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BillingAccount {
    /// Who the tenant is at Stripe; none while it has not been set up.
    pub stripe_customer: Option<CustomerId>,
}

/// Where an event at Stripe comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentifierOwner {
    /// Whose it is.
    pub tenant: Tenant,
    /// Of which day.
    pub day: Date,
    /// In which batch.
    pub batch: u32,
}

/// A person's decision about a line that waits for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The day.
    pub day: Date,
    /// The batch's number.
    pub batch: u32,
    /// The line.
    pub meter: Meter,
    /// How much of it counts at Stripe, where it is held; nothing anywhere else.
    pub counted: Option<u64>,
    /// The user's id, or the operator.
    pub by: String,
    /// Where to find how the rest was billed or refunded.
    pub reference: String,
    /// When.
    pub at: Timestamp,
}

/// The days that this process has put on the agenda and that are not over.
#[derive(Debug, Default)]
pub(super) struct Marked(Mutex<HashSet<(TenantId, Date)>>);

impl Marked {
    const KEEP_AT_MOST: usize = 10_000;

    fn has(&self, key: &(TenantId, Date)) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(key)
    }

    fn add(&self, key: (TenantId, Date)) {
        let mut marked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if marked.len() >= Self::KEEP_AT_MOST {
            marked.clear();
        }
        marked.insert(key);
    }
}

/// What became of items that were to be written together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Together {
    Written,
    /// Nothing is: the condition of the item in this place does not hold.
    Refused(usize),
    /// Nothing is: others were in the way.
    Busy,
}

impl Store {
    /// Puts a day on the agenda, after something was written that is to be billed. Calls that reached nobody are not.
    pub async fn mark_day(&self, tenant: &Tenant, day: Date) -> Result<(), Error> {
        if *tenant == Tenant::platform() {
            return Ok(());
        }
        let (now, what) = (self.clock.now(), day.to_string());
        if now >= day_end(day) {
            let minute =
                now.round(jiff::TimestampRound::new().smallest(ClockUnit::Minute).mode(jiff::RoundMode::Trunc));
            return self.of(tenant).arrange(Job::PushUsage, minute.unwrap_or(now), &what).await;
        }
        let key = (tenant.id().clone(), day);
        if !self.marked.has(&key) {
            self.of(tenant).arrange(Job::PushUsage, closes_at(day), &what).await?;
            self.marked.add(key);
        }
        Ok(())
    }

    /// Whose batch an event at Stripe is, or was, of.
    pub async fn identifier_owner(&self, identifier: &str) -> Result<Option<IdentifierOwner>, Error> {
        let got = self
            .dynamodb
            .get_item()
            .table_name(self.usage_table()?)
            .key("pk", text(identifier_key(identifier)))
            .key("sk", text("batch"))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed("looking up a meter event")(error.into_service_error()))?;
        let Some(item) = got.item else { return Ok(None) };
        Ok(Some(IdentifierOwner {
            tenant: get_text(&item, "tenant").map(Tenant::trusted)?,
            day: get_parsed(&item, "day", |day| day.parse().ok())?,
            batch: get_number(&item, "number")?,
        }))
    }

    /// Whether everything that an event of Stripe's asks for was done.
    pub async fn stripe_event_is_done(&self, id: &str) -> Result<bool, Error> {
        let got = self
            .dynamodb
            .get_item()
            .table_name(self.sessions_table()?)
            .key("pk", text(format!("used#{}", directory::key("stripe-event", id))))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed("looking for an event")(error.into_service_error()))?;
        Ok(got.item.is_some())
    }

    /// Writes down that it was, until then.
    pub async fn stripe_event_done(&self, id: &str, until: Timestamp) -> Result<(), Error> {
        self.use_up("stripe-event", id, until).await.map(|_| ())
    }

    /// Writes all or nothing. Where others are in the way it waits, a little longer each time and never twice the same, and
    /// gives up only after some time.
    async fn write_together(&self, items: Vec<TransactWriteItem>, doing: &'static str) -> Result<Together, Error> {
        for turn in 0..TRIES {
            let written = self.dynamodb.transact_write_items().set_transact_items(Some(items.clone())).send().await;
            let canceled = match written.map_err(SdkError::into_service_error) {
                Ok(_) => return Ok(Together::Written),
                Err(TransactWriteItemsError::TransactionCanceledException(canceled)) => canceled,
                Err(error) => return Err(Error::failed(doing)(error)),
            };
            let failed = |code: Option<&str>| code == Some("ConditionalCheckFailed");
            if let Some(place) = canceled.cancellation_reasons().iter().position(|reason| failed(reason.code())) {
                return Ok(Together::Refused(place));
            }
            // Somebody writes one of these items at this moment, or the table is busy.
            tokio::time::sleep(wait(turn, chance()?)).await;
        }
        Ok(Together::Busy)
    }
}

impl TenantStore<'_> {
    /// How the tenant is billed.
    pub async fn billing_account(&self) -> Result<BillingAccount, Error> {
        let item = self.account_item("billing", "reading how a tenant is billed").await?;
        let Some(item) = item else { return Ok(BillingAccount::default()) };
        let stripe_customer = get_parsed(&item, "stripe_customer", |id| CustomerId::parse(id).ok())?;
        Ok(BillingAccount { stripe_customer: Some(stripe_customer) })
    }

    /// Says who the tenant is at Stripe. What counts there for another that it was before stays there.
    pub(super) async fn set_stripe_customer(&self, customer: &CustomerId) -> Result<(), Error> {
        self.store
            .dynamodb
            .put_item()
            .table_name(self.store.accounts_table()?)
            .item("pk", text(self.tenant.id().as_str()))
            .item("sk", text("billing"))
            .item("stripe_customer", text(customer.as_str()))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Error::failed("writing down how a tenant is billed")(error.into_service_error()))
    }

    /// A month's batches, by day and number.
    pub async fn batches_of_month(&self, month: Date) -> Result<Vec<Batch>, Error> {
        self.batches(month, "batch#".to_owned()).await
    }

    /// A day's batches, by number.
    pub async fn batches_of_day(&self, day: Date) -> Result<Vec<Batch>, Error> {
        self.batches(day, format!("batch#{day}#")).await
    }

    async fn batches(&self, month: Date, prefix: String) -> Result<Vec<Batch>, Error> {
        let (mut batches, mut from) = (vec![], None);
        loop {
            let found = self
                .store
                .dynamodb
                .query()
                .table_name(self.store.usage_table()?)
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":pk", text(month_key(self.tenant, month)))
                .expression_attribute_values(":prefix", text(&prefix))
                .consistent_read(true)
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|error| Error::failed("reading batches")(error.into_service_error()))?;
            for item in found.items() {
                batches.push(read_batch(item)?);
            }
            from = found.last_evaluated_key;
            if from.is_none() {
                return Ok(batches);
            }
        }
    }

    /// What a day's calls came to, by its sums: one read, however many they are.
    pub async fn use_of_day(&self, day: Date) -> Result<DayOfUse, Error> {
        let found = self
            .store
            .dynamodb
            .query()
            .table_name(self.store.usage_table()?)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", text(month_key(self.tenant, day)))
            .expression_attribute_values(":prefix", text(format!("{day}#")))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed("reading a day's sums")(error.into_service_error()))?;
        let mut used = DayOfUse::default();
        for item in found.items() {
            used.calls += get_number::<i64>(item, "calls")?;
            used.seconds += get_number::<i64>(item, "seconds")?;
            used.minutes += get_number::<i64>(item, "minutes")?;
        }
        Ok(used)
    }

    /// One batch.
    pub async fn batch(&self, day: Date, number: u32) -> Result<Option<Batch>, Error> {
        let got = self
            .store
            .dynamodb
            .get_item()
            .table_name(self.store.usage_table()?)
            .set_key(Some(batch_key(self.tenant, day, number)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed("reading a batch")(error.into_service_error()))?;
        got.item.as_ref().map(read_batch).transpose()
    }

    /// A part of a day's calls. It may be empty and yet not the last.
    pub async fn units_of_day(&self, day: Date, from: Option<String>) -> Result<UnitsPage, Error> {
        self.some_units_of_day(day, Which::All, from).await
    }

    /// A part of some of a day's calls. It may be empty and yet not the last.
    pub async fn some_units_of_day(&self, day: Date, which: Which, from: Option<String>) -> Result<UnitsPage, Error> {
        let pk = day_partition(self.tenant, day);
        let mut query = self
            .store
            .dynamodb
            .query()
            .table_name(self.store.usage_table()?)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(&pk))
            .projection_expression("sk, billed_minutes, #unit, #batch")
            .expression_attribute_names("#unit", "unit")
            .expression_attribute_names("#batch", "batch")
            .consistent_read(true);
        query = match which {
            Which::All => query,
            Which::Unprocessed => query.filter_expression("attribute_not_exists(#unit)"),
            Which::Claimed => {
                query.filter_expression("#unit = :claimed").expression_attribute_values(":claimed", text("claimed"))
            }
            Which::Of(batch) => {
                query.filter_expression("#batch = :batch").expression_attribute_values(":batch", number(batch))
            }
        };
        let start = from.map(|call| HashMap::from([("pk".to_owned(), text(&pk)), ("sk".to_owned(), text(call))]));
        let found = query
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| Error::failed("reading a day's calls")(error.into_service_error()))?;
        let units = found.items().iter().map(read_unit).collect::<Result<_, _>>()?;
        let next = found.last_evaluated_key.map(|key| get_text(&key, "sk").map(str::to_owned)).transpose()?;
        Ok(UnitsPage { units, next })
    }

    /// Takes a day: whoever had it can write nothing more about it.
    pub async fn take_day(&self, day: Date) -> Result<Taken, Error> {
        let taken = self
            .store
            .dynamodb
            .update_item()
            .table_name(self.store.usage_table()?)
            .set_key(Some(day_key(self.tenant, day)))
            .update_expression("ADD fence :one")
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(|error| Error::failed("taking a day")(error.into_service_error()))?;
        let item = taken.attributes.unwrap_or_default();
        Ok(Taken { lease: Lease { day, fence: get_number(&item, "fence")? }, customers: customers(&item)? })
    }

    /// Writes down to whom some of the day is about to be sent, so that their summaries are read ever after.
    pub async fn send_day_to(&self, lease: Lease, customer: &CustomerId) -> Result<(), Halt> {
        let noted = self
            .store
            .dynamodb
            .update_item()
            .table_name(self.store.usage_table()?)
            .set_key(Some(day_key(self.tenant, lease.day)))
            .update_expression("ADD customers :customer")
            .condition_expression("fence = :fence")
            .expression_attribute_values(":customer", AttributeValue::Ss(vec![customer.as_str().to_owned()]))
            .expression_attribute_values(":fence", number(lease.fence))
            .send()
            .await;
        match noted.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Err(Halt::Fenced),
            Err(error) => Err(Halt::Failed(Error::failed("writing down who is billed")(error))),
        }
    }

    /// Whether the day is still in these hands.
    pub async fn has_day(&self, lease: Lease) -> Result<bool, Error> {
        let got = self
            .store
            .dynamodb
            .get_item()
            .table_name(self.store.usage_table()?)
            .set_key(Some(day_key(self.tenant, lease.day)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed("looking at a day")(error.into_service_error()))?;
        Ok(get_number::<u64>(&got.item.unwrap_or_default(), "fence")? == lease.fence)
    }

    /// Writes down a new batch.
    pub async fn open_batch(&self, lease: Lease, batch: &Batch) -> Result<(), Halt> {
        let items = vec![self.check_fence(lease)?, self.put_batch(batch, None)?];
        self.step(items, "opening a batch").await
    }

    /// Takes a step with a batch as it was read; gives what it is then.
    pub async fn step_batch(&self, lease: Lease, read: &Batch, event: Event) -> Result<Batch, Halt> {
        let next = read.next(event)?;
        let mut items = vec![self.check_fence(lease)?, self.put_batch(&next, Some(read.version))?];
        items.extend(self.put_identifiers(read, &next)?);
        self.step(items, "writing a batch").await?;
        Ok(next)
    }

    /// Claims calls for a batch that is open under this worker's fence; [`AT_ONCE`] at most.
    pub async fn claim_units(&self, lease: Lease, batch: u32, calls: &[String]) -> Result<(), Halt> {
        let table = self.store.usage_table()?;
        let open = ConditionCheck::builder()
            .table_name(table)
            .set_key(Some(batch_key(self.tenant, lease.day, batch)))
            .condition_expression("claiming = :fence")
            .expression_attribute_values(":fence", number(lease.fence))
            .build()
            .map_err(Error::failed("claiming calls"))?;
        let mut items = vec![self.check_fence(lease)?, TransactWriteItem::builder().condition_check(open).build()];
        for call in calls {
            let update = self.update_unit(lease.day, call, batch)?;
            let update = update
                .condition_expression(
                    "attribute_exists(pk) AND (attribute_not_exists(#unit) OR (#unit = :claimed AND #batch = :batch))",
                )
                .update_expression("SET #unit = :claimed, #batch = :batch")
                .build()
                .map_err(Error::failed("claiming calls"))?;
            items.push(TransactWriteItem::builder().update(update).build());
        }
        self.step(items, "claiming calls").await
    }

    /// Puts calls down as processed, each with the batch that claimed it and that Stripe has; [`AT_ONCE`] at most.
    pub async fn process_units(&self, lease: Lease, calls: &[(String, u32)]) -> Result<(), Halt> {
        let mut items = vec![self.check_fence(lease)?];
        for (call, batch) in calls {
            let update = self
                .update_unit(lease.day, call, *batch)?
                .condition_expression("(#unit = :claimed OR #unit = :processed) AND #batch = :batch")
                .expression_attribute_values(":processed", text("processed"))
                .update_expression("SET #unit = :processed")
                .build()
                .map_err(Error::failed("putting calls down as processed"))?;
            items.push(TransactWriteItem::builder().update(update).build());
        }
        self.step(items, "putting calls down as processed").await
    }

    /// Writes down what Stripe reports of an event of a batch. Whether it says anything new.
    pub async fn report_refusal(&self, day: Date, batch: u32, identifier: &str, reason: &str) -> Result<bool, Error> {
        for turn in 0..REPORT_TRIES {
            let read = self.batch(day, batch).await?.ok_or(Error::NotFound)?;
            let event = Event::Reported { identifier: identifier.to_owned(), reason: reason.to_owned() };
            let Ok(next) = read.next(event) else { return Err(Error::NotFound) };
            // An identifier of before, or a report that came before.
            if next.lines == read.lines {
                return Ok(false);
            }
            let put = self.put_batch(&next, Some(read.version))?;
            match self.store.write_together(vec![put], "writing down a refusal").await? {
                Together::Written => return Ok(true),
                Together::Refused(_) => tokio::time::sleep(wait(turn, chance()?)).await,
                Together::Busy => break,
            }
        }
        Err(Error::Conflict)
    }

    /// Writes down what a person decided, together with the audit trail's entry, and has the day's worker called, who then
    /// goes on.
    ///
    /// # Errors
    /// `NotFound` where there is no such batch, `Conflict` where this line does not wait for a decision (any more), or not
    /// for one with this `counted`, or where it has changed meanwhile.
    pub async fn settle_line(&self, wanted: &Settlement, entry: &Entry) -> Result<(), Error> {
        let Settlement { day, batch, meter, counted, by, reference, at } = wanted.clone();
        let read = self.batch(day, batch).await?.ok_or(Error::NotFound)?;
        let next = read.next(Event::Settled { meter, counted, by, reference, at }).map_err(|_| Error::Conflict)?;
        // Whoever is at the day has read it as it was, and begins anew.
        let take = Update::builder()
            .table_name(self.store.usage_table()?)
            .set_key(Some(day_key(self.tenant, day)))
            .update_expression("ADD fence :one")
            .expression_attribute_values(":one", number(1))
            .build()
            .map_err(Error::failed("settling a line"))?;
        let items = vec![TransactWriteItem::builder().update(take).build(), self.put_batch(&next, Some(read.version))?];
        match self.write_audited(&items, entry).await? {
            Written::Done => {}
            Written::Refused(_) => return Err(Error::Conflict),
        }
        self.store.mark_day(self.tenant, day).await
    }

    /// The write that a correction of one of a batch's calls is made with.
    pub(super) async fn touch_batch(&self, day: Date, number: u32) -> Result<TransactWriteItem, Error> {
        let read = self.batch(day, number).await?.ok_or_else(|| damaged("batch"))?;
        let touched = read.next(Event::Touched).map_err(Error::failed("correcting a call"))?;
        self.put_batch(&touched, Some(read.version))
    }

    async fn step(&self, items: Vec<TransactWriteItem>, doing: &'static str) -> Result<(), Halt> {
        match self.store.write_together(items, doing).await? {
            Together::Written => Ok(()),
            // The first item is always the day's.
            Together::Refused(0) => Err(Halt::Fenced),
            Together::Refused(_) => Err(Halt::Changed),
            Together::Busy => Err(Halt::Busy),
        }
    }

    fn check_fence(&self, lease: Lease) -> Result<TransactWriteItem, Error> {
        let check = ConditionCheck::builder()
            .table_name(self.store.usage_table()?)
            .set_key(Some(day_key(self.tenant, lease.day)))
            .condition_expression("fence = :fence")
            .expression_attribute_values(":fence", number(lease.fence))
            .build()
            .map_err(Error::failed("asking for the fence"))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    /// Takes the place of the batch with this version; of none where there is none yet.
    fn put_batch(&self, batch: &Batch, replaces: Option<u64>) -> Result<TransactWriteItem, Error> {
        let json = serde_json::to_string(batch).map_err(Error::failed("writing a batch"))?;
        let mut put = Put::builder()
            .table_name(self.store.usage_table()?)
            .set_item(Some(batch_key(self.tenant, batch.day, batch.number)))
            .item("batch", text(json))
            .item("version", number(batch.version));
        if let Some(fence) = batch.open {
            put = put.item("claiming", number(fence));
        }
        put = match replaces {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(version) => put
                .condition_expression("#version = :version")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":version", number(version)),
        };
        let put = put.build().map_err(Error::failed("writing a batch"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Enters the identifiers that a step made, so that whoever reports on one finds its batch.
    fn put_identifiers(&self, before: &Batch, after: &Batch) -> Result<Vec<TransactWriteItem>, Error> {
        let new = after.lines.values().filter(|line| before.meter_of(&line.identifier).is_none());
        new.map(|line| {
            let put = Put::builder()
                .table_name(self.store.usage_table()?)
                .item("pk", text(identifier_key(&line.identifier)))
                .item("sk", text("batch"))
                .item("tenant", text(self.tenant.id().as_str()))
                .item("day", text(after.day.to_string()))
                .item("number", number(after.number))
                .build()
                .map_err(Error::failed("entering a meter event"))?;
            Ok(TransactWriteItem::builder().put(put).build())
        })
        .collect()
    }

    fn update_unit(
        &self,
        day: Date,
        call: &str,
        batch: u32,
    ) -> Result<aws_sdk_dynamodb::types::builders::UpdateBuilder, Error> {
        Ok(Update::builder()
            .table_name(self.store.usage_table()?)
            .key("pk", text(day_partition(self.tenant, day)))
            .key("sk", text(call))
            .expression_attribute_names("#unit", "unit")
            .expression_attribute_names("#batch", "batch")
            .expression_attribute_values(":claimed", text("claimed"))
            .expression_attribute_values(":batch", number(batch)))
    }
}

/// How long to wait after a try, by a chance from 0 to 1: whoever met others does not meet them again.
fn wait(turn: u32, chance: f64) -> Duration {
    let longest = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(turn)).min(LONGEST_WAIT);
    longest.mul_f64(chance.clamp(0.0, 1.0).midpoint(1.0))
}

fn chance() -> Result<f64, Error> {
    let mut random = [0; 2];
    aws_lc_rs::rand::fill(&mut random)
        .map_err(|_| Error::Failed { doing: "waiting", source: "no random bytes".into() })?;
    Ok(f64::from(u16::from_be_bytes(random)) / f64::from(u16::MAX))
}

/// Where a row of the ledger is on its way to the bill.
pub(super) fn unit_of(item: &Item) -> Result<Unit, Error> {
    let Some(unit) = item.get("unit") else { return Ok(Unit::Unprocessed) };
    let batch = get_number(item, "batch")?;
    match unit.as_s().map(String::as_str) {
        Ok("claimed") => Ok(Unit::Claimed { batch }),
        Ok("processed") => Ok(Unit::Processed { batch }),
        _ => Err(damaged("unit")),
    }
}

/// The attributes that say so.
pub(super) fn unit_attributes(unit: Unit) -> Option<(AttributeValue, AttributeValue)> {
    match unit {
        Unit::Unprocessed => None,
        Unit::Claimed { batch } => Some((text("claimed"), number(batch))),
        Unit::Processed { batch } => Some((text("processed"), number(batch))),
    }
}

fn read_unit(item: &Item) -> Result<LedgerUnit, Error> {
    let (call, minutes) = (get_text(item, "sk")?.to_owned(), get_number(item, "billed_minutes")?);
    Ok(LedgerUnit { call, minutes, unit: unit_of(item)? })
}

/// To whom at Stripe any of a day was sent.
pub(super) fn customers(item: &Item) -> Result<Vec<CustomerId>, Error> {
    let customers = item.get("customers").and_then(|customers| customers.as_ss().ok()).into_iter().flatten();
    customers.map(|id| CustomerId::parse(id).map_err(|_| damaged("customers"))).collect()
}

pub(super) fn read_batch(item: &Item) -> Result<Batch, Error> {
    serde_json::from_str(get_text(item, "batch")?).map_err(Error::failed("reading a batch"))
}

pub(super) fn day_partition(tenant: &Tenant, day: Date) -> String {
    format!("{}#{day}", tenant.id())
}

fn day_key(tenant: &Tenant, day: Date) -> Item {
    HashMap::from([("pk".to_owned(), text(month_key(tenant, day))), ("sk".to_owned(), text(format!("day#{day}")))])
}

fn batch_key(tenant: &Tenant, day: Date, number: u32) -> Item {
    HashMap::from([
        ("pk".to_owned(), text(month_key(tenant, day))),
        ("sk".to_owned(), text(format!("batch#{day}#{number:04}"))),
    ])
}

fn identifier_key(identifier: &str) -> String {
    format!("identifier#{identifier}")
}

#[cfg(test)]
mod tests {
    use domain::billing::{Content, LineState};
    use jiff::civil::date;

    use super::*;

    #[test]
    fn where_a_call_is_comes_back_as_it_was_written() {
        for unit in [Unit::Unprocessed, Unit::Claimed { batch: 1 }, Unit::Processed { batch: 12 }] {
            let mut item = Item::new();
            if let Some((word, batch)) = unit_attributes(unit) {
                item.insert("unit".to_owned(), word);
                item.insert("batch".to_owned(), batch);
            }
            assert_eq!(unit_of(&item).unwrap(), unit);
        }
        let odd = Item::from([("unit".to_owned(), text("lost")), ("batch".to_owned(), number(1))]);
        assert!(unit_of(&odd).is_err());
    }

    #[test]
    fn a_batch_comes_back_as_it_was_written() {
        let content = Content { calls: 3, minutes: 7, digest: "ab".into() };
        let batch = Batch::open("t-a", date(2026, 11, 21), 2, 5).next(Event::Counted { fence: 5, content }).unwrap();
        let item = Item::from([("batch".to_owned(), text(serde_json::to_string(&batch).unwrap()))]);
        assert_eq!(read_batch(&item).unwrap(), batch);
        assert_eq!(batch.lines[&Meter::Calls].state, LineState::Computed);
    }

    #[test]
    fn batches_sort_by_day_and_number_and_lie_apart_from_sums_and_fences() {
        let tenant = Tenant::trusted("t-a");
        let key = |item: Item| get_text(&item, "sk").unwrap().to_owned();
        let keys: Vec<String> = [(21, 1), (21, 2), (21, 10), (22, 1)]
            .map(|(day, number)| key(batch_key(&tenant, date(2026, 11, day), number)))
            .to_vec();
        assert!(keys.is_sorted());
        let day = key(day_key(&tenant, date(2026, 11, 21)));
        assert!(keys.iter().all(|key| key.as_str() > "a" && *key != day && !day.starts_with("batch#")));
        assert_ne!(day_partition(&tenant, date(2026, 11, 21)), month_key(&tenant, date(2026, 11, 21)));
    }

    #[test]
    fn a_day_that_was_put_on_the_agenda_is_remembered_for_that_tenant_alone() {
        let (marked, day) = (Marked::default(), date(2026, 11, 21));
        let key = |tenant: &str, day| (TenantId::trusted(tenant), day);
        marked.add(key("t-a", day));
        assert!(marked.has(&key("t-a", day)));
        assert!(!marked.has(&key("t-b", day)) && !marked.has(&key("t-a", day.tomorrow().unwrap())));
        for n in 0..=Marked::KEEP_AT_MOST {
            marked.add(key(&format!("t-{n}"), day));
        }
        assert!(marked.0.lock().unwrap().len() <= Marked::KEEP_AT_MOST);
    }

    #[test]
    fn whoever_meets_others_waits_long_enough_and_never_as_long_as_them() {
        let longest: Duration = (0..TRIES).map(|turn| wait(turn, 1.0)).sum();
        let shortest: Duration = (0..TRIES).map(|turn| wait(turn, 0.0)).sum();
        assert!(shortest > Duration::from_secs(8) && longest < Duration::from_secs(30), "{shortest:?} {longest:?}");
        assert!(wait(3, 0.2) < wait(3, 0.7) && wait(40, 1.0) == LONGEST_WAIT);
    }

    #[test]
    fn a_day_is_closed_ten_minutes_after_its_end() {
        assert_eq!(closes_at(date(2026, 11, 21)).to_string(), "2026-11-22T00:10:00Z");
    }
}
