//! What the nightly comparison of the ledger reads and leaves behind, and a month of billing for those who look at it.
//!
//! | table `usage` | sort | holds |
//! |---|---|---|
//! | tenant `#` month | `check#` day | what the comparison of a day found; see [`domain::billing::check`] |
//! | the platform's own `#` month | `list#` day | how a day of Twilio's list agreed with the ledger |
//!
//! Reports lie with the month's sums and batches, so a usage page reads all three at once. They hold counts and call SIDs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::billing::{Batch, DayCheck, Kept, ListCheck, Rows};
use jiff::civil::Date;
use partners::stripe::CustomerId;
use partners::twilio::CallSid;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::billing::{customers, day_partition, read_batch, unit_of};
use super::usage::{FROM_LIST, get_number, month_key};
use super::{CallOwner, DayOfUse, Item, Store, TenantStore, damaged, directory, get_text, text};
use crate::Error;
use crate::tenant::Tenant;

/// The most items that DynamoDB gives of one batch.
const AT_ONCE: usize = 100;
/// How often what it left over is asked for again.
const TRIES: u32 = 8;

/// A day of billing: its sums, its batches, and what the last comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayOfBilling {
    /// What the day's calls came to.
    pub used: DayOfUse,
    /// Its batches, in order.
    pub batches: Vec<Batch>,
    /// What the last comparison found; nothing where there was none yet.
    pub check: Option<DayCheck>,
    /// To whom at Stripe any of it was sent, or tried to be.
    pub customers: Vec<CustomerId>,
}

impl DayOfBilling {
    /// How many of the day's calls are in no batch that was counted.
    #[must_use]
    pub fn unprocessed(&self) -> u64 {
        let counted: u64 = self.batches.iter().filter_map(|batch| batch.content.as_ref()).map(|it| it.calls).sum();
        u64::try_from(self.used.calls).unwrap_or_default().saturating_sub(counted)
    }
}

impl Store {
    /// Whom calls belong to and what the ledger has of them, in their order: two reads for each hundred.
    pub async fn kept_calls(&self, calls: &[CallSid]) -> Result<Vec<(Option<CallOwner>, Option<Kept>)>, Error> {
        let mut known = Vec::with_capacity(calls.len());
        for calls in calls.chunks(AT_ONCE) {
            let entry = |call: &CallSid| Item::from([("pk".to_owned(), text(directory::key("call", call.as_str())))]);
            // DynamoDB takes no key twice.
            let once: BTreeSet<&CallSid> = calls.iter().collect();
            let owners = self.all_of(self.directory_table()?, once.iter().copied().map(entry).collect()).await?;
            let owners: HashMap<String, CallOwner> = owners
                .iter()
                .map(|item| Ok((get_text(item, "pk")?.to_owned(), directory::call_owner(item)?)))
                .collect::<Result<_, Error>>()?;
            let owner = |call: &CallSid| owners.get(&directory::key("call", call.as_str()));
            let row = |call: &CallSid| Some(row_key(&owner(call)?.tenant, owner(call)?.day, call));
            let rows = self.all_of(self.usage_table()?, once.into_iter().filter_map(row).collect()).await?;
            let rows: HashMap<&str, &Item> =
                rows.iter().map(|item| Ok((get_text(item, "sk")?, item))).collect::<Result<_, Error>>()?;
            for call in calls {
                let kept = rows.get(call.as_str()).map(|item| kept(item)).transpose()?;
                known.push((owner(call).cloned(), kept));
            }
        }
        Ok(known)
    }

    /// All items with these keys that there are, at most a hundred; what DynamoDB has no time for is asked for again.
    async fn all_of(&self, table: &str, keys: Vec<Item>) -> Result<Vec<Item>, Error> {
        let doing = "looking calls up";
        if keys.is_empty() {
            return Ok(vec![]);
        }
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
        let mut asked = HashMap::from([(table.to_owned(), wanted.build().map_err(Error::failed(doing))?)]);
        let mut found = vec![];
        for turn in 0..TRIES {
            let got = self.dynamodb.batch_get_item().set_request_items(Some(asked)).send().await;
            let got = got.map_err(|error| Error::failed(doing)(error.into_service_error()))?;
            found.extend(got.responses.into_iter().flat_map(HashMap::into_values).flatten());
            asked = got.unprocessed_keys.unwrap_or_default();
            if asked.is_empty() {
                return Ok(found);
            }
            tokio::time::sleep(super::audit::wait(turn)?).await;
        }
        Err(Error::Failed { doing, source: "the database is too busy".into() })
    }
}

impl TenantStore<'_> {
    /// Counts a day's rows by where they are on their way to the bill, page by page.
    pub async fn rows_of_day(&self, day: Date) -> Result<Rows, Error> {
        let (mut rows, mut from) = (Rows::default(), None);
        loop {
            let page = self
                .store
                .dynamodb
                .query()
                .table_name(self.store.usage_table()?)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", text(day_partition(self.tenant, day)))
                .projection_expression("#unit, #batch, billed_minutes, #source")
                .expression_attribute_names("#unit", "unit")
                .expression_attribute_names("#batch", "batch")
                .expression_attribute_names("#source", "source")
                .consistent_read(true)
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|error| Error::failed("counting a day's calls")(error.into_service_error()))?;
            for item in page.items() {
                rows.add(unit_of(item)?, get_number(item, "billed_minutes")?, found_at_twilio(item));
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(rows);
            }
        }
    }

    /// A month of billing, day by day: one read. Days without calls are not there.
    pub async fn month_of_billing(&self, month: Date) -> Result<BTreeMap<Date, DayOfBilling>, Error> {
        let (mut days, mut from) = (BTreeMap::new(), None);
        loop {
            let page = self
                .store
                .dynamodb
                .query()
                .table_name(self.store.usage_table()?)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", text(month_key(self.tenant, month)))
                .consistent_read(true)
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|error| Error::failed("reading a month of billing")(error.into_service_error()))?;
            for item in page.items() {
                put_into(&mut days, item)?;
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                // A worker may have taken a day and found nothing there.
                days.retain(|_, day: &mut DayOfBilling| *day != DayOfBilling::default());
                return Ok(days);
            }
        }
    }

    /// Keeps what the comparison of a day found, in the place of what an earlier one did.
    pub async fn keep_check(&self, day: Date, check: &DayCheck) -> Result<(), Error> {
        self.keep_report(day, "check", check).await
    }

    /// Keeps how a day of Twilio's list agreed with the ledger.
    pub async fn keep_list(&self, day: Date, list: &ListCheck) -> Result<(), Error> {
        self.keep_report(day, "list", list).await
    }

    /// How a day of Twilio's list agreed with the ledger, as far as that was looked at.
    pub async fn list_of(&self, day: Date) -> Result<Option<ListCheck>, Error> {
        let got = self
            .store
            .dynamodb
            .get_item()
            .table_name(self.store.usage_table()?)
            .key("pk", text(month_key(self.tenant, day)))
            .key("sk", text(format!("list#{day}")))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed("reading a report")(error.into_service_error()))?;
        got.item.as_ref().map(report).transpose()
    }

    async fn keep_report(&self, day: Date, kind: &str, report: &impl Serialize) -> Result<(), Error> {
        let report = serde_json::to_string(report).map_err(Error::failed("writing a report"))?;
        self.store
            .dynamodb
            .put_item()
            .table_name(self.store.usage_table()?)
            .item("pk", text(month_key(self.tenant, day)))
            .item("sk", text(format!("{kind}#{day}")))
            .item("report", text(report))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Error::failed("writing a report")(error.into_service_error()))
    }
}

/// Puts one of a month's items where it belongs.
fn put_into(days: &mut BTreeMap<Date, DayOfBilling>, item: &Item) -> Result<(), Error> {
    let sk = get_text(item, "sk")?;
    let (kind, rest) = sk.split_once('#').ok_or_else(|| damaged("sk"))?;
    let day = |text: &str| text.parse::<Date>().map_err(|_| damaged("sk"));
    match kind {
        "batch" => {
            let batch = read_batch(item)?;
            days.entry(batch.day).or_default().batches.push(batch);
        }
        "day" => days.entry(day(rest)?).or_default().customers = customers(item)?,
        "check" => days.entry(day(rest)?).or_default().check = Some(report(item)?),
        _ => {
            // The platform's lists: what does not begin with a day is no sum.
            let Ok(day) = day(kind) else { return Ok(()) };
            let used = &mut days.entry(day).or_default().used;
            used.calls += get_number::<i64>(item, "calls")?;
            used.seconds += get_number::<i64>(item, "seconds")?;
            used.minutes += get_number::<i64>(item, "minutes")?;
        }
    }
    Ok(())
}

fn report<T: DeserializeOwned>(item: &Item) -> Result<T, Error> {
    serde_json::from_str(get_text(item, "report")?).map_err(|_| damaged("report"))
}

fn kept(item: &Item) -> Result<Kept, Error> {
    let (seconds, minutes) = (get_number(item, "seconds")?, get_number(item, "billed_minutes")?);
    Ok(Kept { seconds, minutes, found_at_twilio: found_at_twilio(item) })
}

fn found_at_twilio(item: &Item) -> bool {
    item.get("source").is_some_and(|source| *source == text(FROM_LIST))
}

fn row_key(tenant: &Tenant, day: Date, call: &CallSid) -> Item {
    Item::from([("pk".to_owned(), text(day_partition(tenant, day))), ("sk".to_owned(), text(call.as_str()))])
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;
    use domain::billing::Amount;
    use jiff::civil::date;

    use super::super::number;
    use super::*;

    fn item(attributes: &[(&str, AttributeValue)]) -> Item {
        attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn a_month_holds_sums_batches_and_reports_and_passes_over_lists() {
        let day = date(2026, 11, 20);
        let batch = Batch::open("t-a", day, 1, 1);
        let check = DayCheck {
            at: "2026-11-21T05:00:00Z".parse().unwrap(),
            rows: Amount { calls: 5, minutes: 9 },
            unprocessed: 0,
            found_at_twilio: 1,
            stripe: domain::billing::AtStripe::NoCustomer,
            differences: vec![],
        };
        let sums =
            |sk: &str| item(&[("sk", text(sk)), ("calls", number(2)), ("seconds", number(90)), ("minutes", number(4))]);
        let sent_to = AttributeValue::Ss(vec!["cus_1".to_owned()]);
        let items = [
            sums("2026-11-20#3"),
            sums("2026-11-20#7"),
            sums("2026-11-21#0"),
            item(&[("sk", text("batch#2026-11-20#0001")), ("batch", text(serde_json::to_string(&batch).unwrap()))]),
            item(&[("sk", text("check#2026-11-20")), ("report", text(serde_json::to_string(&check).unwrap()))]),
            item(&[("sk", text("day#2026-11-20")), ("fence", number(3)), ("customers", sent_to)]),
            item(&[("sk", text("list#2026-11-20")), ("report", text("{}"))]),
        ];
        let mut days = BTreeMap::new();
        for item in &items {
            put_into(&mut days, item).unwrap();
        }
        assert_eq!(days.len(), 2);
        let whole = &days[&day];
        assert_eq!(whole.used, DayOfUse { calls: 4, seconds: 180, minutes: 8 });
        assert_eq!(whole.customers, [CustomerId::parse("cus_1").unwrap()]);
        assert_eq!((whole.batches.len(), whole.check.as_ref(), whole.unprocessed()), (1, Some(&check), 4));
    }

    #[test]
    fn a_row_says_what_it_holds_and_where_it_came_from() {
        let row = |more: &[(&str, AttributeValue)]| {
            item(&[&[("seconds", number(61)), ("billed_minutes", number(2))], more].concat())
        };
        let found = row(&[("unit", text("claimed")), ("batch", number(2)), ("source", text("list"))]);
        assert_eq!(kept(&found).unwrap(), Kept { seconds: 61, minutes: 2, found_at_twilio: true });
        assert!(!kept(&row(&[])).unwrap().found_at_twilio);
    }
}
