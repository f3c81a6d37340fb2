//! Counts of requests, kept by `jobs-tally` from the table's stream: overview and reports read these and never the
//! requests one by one.
//!
//! | partition | sort | holds |
//! |---|---|---|
//! | tenant | [`domain::metrics::Bucket`] | its counters, each a number under the counter's own name |
//! | tenant | `dealt#` Monday | the counters of that week's days, `received.` and `closed.` in front |
//! | `counted#` tenant | shard of the reference | the newest change of that partition of requests that is counted |
//!
//! Changes of one partition of the table come in order, so a change is counted once if its number is above the last one
//! counted there: the counters and that number are written in one transaction.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use domain::denial::Ground;
use domain::jurisdiction::Jurisdiction;
use domain::metrics::{Bucket, Change, Facts};
use domain::reference::Reference;
use domain::request::{Channel, Kind, Outcome, State};
use domain::service_code::ServiceCode;
use jiff::ToSpan;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use super::{Store, TenantStore, damaged, get_text, number, text};
use crate::Error;
use crate::tenant::Tenant;

/// Counters by bucket.
pub type Tallies = BTreeMap<String, BTreeMap<String, i64>>;

/// DynamoDB takes 100 items in one transaction.
const MOST_ITEMS: usize = 100;
/// Counters of one bucket that one transaction may touch: an expression is at most 4 KB long.
const MOST_COUNTERS: usize = 100;
const TRIES: u32 = 8;
const WAIT: Duration = Duration::from_millis(25);
/// The longest number of a change (DynamoDB, "StreamRecord").
const DIGITS: usize = 40;

/// What happened to one request, as the stream tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    tenant: Tenant,
    /// The shard of the reference.
    shard: String,
    /// The change's number, with leading zeros, so that it compares as text.
    number: String,
    change: Change,
}

/// A record of the stream, as far as counting goes. Values are DynamoDB's own JSON.
#[derive(Clone, Debug, Deserialize)]
pub struct StreamRecord {
    dynamodb: StreamChange,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StreamChange {
    keys: Image,
    new_image: Option<Image>,
    old_image: Option<Image>,
    sequence_number: String,
}

type Image = HashMap<String, Value>;

impl StreamRecord {
    /// What it tells of a request: nothing where it is about a note or a file, `Invalid` where it cannot be read.
    pub fn read(&self) -> Result<Option<Counted>, Error> {
        let of = &self.dynamodb;
        let (pk, sk) = (image_text(&of.keys, "pk")?, image_text(&of.keys, "sk")?);
        if Reference::parse(sk).is_err() {
            return Ok(None);
        }
        let (tenant, shard) = pk.split_once('#').ok_or_else(|| unreadable("pk"))?;
        let digits = of.sequence_number.bytes().all(|b| b.is_ascii_digit());
        if !digits || of.sequence_number.len() > DIGITS {
            return Err(unreadable("sequence number"));
        }
        Ok(Some(Counted {
            tenant: Tenant::trusted(tenant),
            shard: shard.to_owned(),
            number: format!("{:0>DIGITS$}", of.sequence_number),
            change: Change {
                before: of.old_image.as_ref().map(facts).transpose()?,
                after: of.new_image.as_ref().map(facts).transpose()?,
            },
        }))
    }
}

fn facts(image: &Image) -> Result<Facts, Error> {
    fn parsed<T>(image: &Image, name: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Error> {
        parse(image_text(image, name)?).ok_or_else(|| unreadable(name))
    }
    fn maybe<T>(image: &Image, name: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Error> {
        if image.contains_key(name) { parsed(image, name, parse).map(Some) } else { Ok(None) }
    }
    let date = |text: &str| text.parse::<Date>().ok();
    Ok(Facts {
        kind: parsed(image, "kind", Kind::parse)?,
        state: parsed(image, "state", State::parse)?,
        channel: parsed(image, "channel", Channel::parse)?,
        code: parsed(image, "code", |code| ServiceCode::parse(code).ok())?,
        received_on: parsed(image, "received_on", date)?,
        respond_by: parsed(image, "respond_by", date)?,
        confirm_by: maybe(image, "confirm_by", date)?.filter(|_| !image.contains_key("confirmed_at")),
        closed_on: maybe(image, "closed_on", date)?,
        outcome: maybe(image, "outcome", Outcome::parse)?,
        ground: maybe(image, "ground", Ground::parse)?,
        residence: maybe(image, "residence", Jurisdiction::parse)?,
    })
}

fn image_text<'a>(image: &'a Image, name: &'static str) -> Result<&'a str, Error> {
    image.get(name).and_then(|value| value.get("S")?.as_str()).ok_or_else(|| unreadable(name))
}

fn unreadable(name: &'static str) -> Error {
    Error::invalid("record", format!("{name} is missing or damaged"))
}

/// Counters to add to, by tenant and bucket.
type Sums = BTreeMap<(String, String), BTreeMap<String, i64>>;

/// Some changes in order that fit into one transaction.
#[derive(Debug, Default)]
struct Batch<'a> {
    changes: Vec<&'a Counted>,
    sums: Sums,
    /// The newest change of each partition, with the tenant and shard.
    newest: BTreeMap<(String, String), String>,
}

impl<'a> Batch<'a> {
    /// Takes one more change, unless it would no longer fit.
    fn take(&mut self, counted: &'a Counted) -> bool {
        let mut sums = self.sums.clone();
        let tenant = counted.tenant.id().as_str();
        for delta in counted.change.deltas() {
            let mut add = |bucket: String, counter: String| {
                *sums.entry((tenant.to_owned(), bucket)).or_default().entry(counter).or_default() += delta.by;
            };
            if let Some((week, sort)) = week(delta.bucket) {
                add(week, format!("{sort}.{}", delta.counter));
            }
            add(delta.bucket.to_string(), delta.counter.to_string());
        }
        let mut newest = self.newest.clone();
        newest.insert((tenant.to_owned(), counted.shard.clone()), counted.number.clone());
        let fits = sums.len() + newest.len() <= MOST_ITEMS && sums.values().all(|of| of.len() <= MOST_COUNTERS);
        if fits || self.changes.is_empty() {
            self.sums = sums;
            self.newest = newest;
            self.changes.push(counted);
        }
        fits || self.changes.len() == 1
    }
}

/// The week in which a day's counters are also kept, so that a page about the last quarter reads a dozen items.
fn week(bucket: Bucket) -> Option<(String, &'static str)> {
    let (day, sort) = match bucket {
        Bucket::Received(day) => (day, "received"),
        Bucket::Closed(day) => (day, "closed"),
        Bucket::Due(_) | Bucket::Year(_) => return None,
    };
    Some((week_of(day)?, sort))
}

/// The name under which the counters of a day's week are kept.
#[must_use]
pub fn week_of(day: Date) -> Option<String> {
    let monday = day.checked_sub(i64::from(day.weekday().to_monday_zero_offset()).days()).ok()?;
    Some(format!("dealt#{monday}"))
}

impl Store {
    /// Counts changes, each once, however often they come. They are given in the order in which they happened.
    pub async fn count(&self, changes: &[Counted]) -> Result<(), Error> {
        // By partition, what is known to be counted already.
        let mut known: BTreeMap<(String, String), String> = BTreeMap::new();
        let mut rest: Vec<&Counted> = changes.iter().collect();
        let mut tries = 0;
        loop {
            rest.retain(|counted| {
                let key = (counted.tenant.id().as_str().to_owned(), counted.shard.clone());
                known.get(&key).is_none_or(|number| counted.number > *number)
            });
            let mut batch = Batch::default();
            for counted in &rest {
                if !batch.take(counted) {
                    break;
                }
            }
            if batch.changes.is_empty() {
                return Ok(());
            }
            match self.count_batch(&batch).await? {
                None => {
                    known.extend(batch.newest);
                    tries = 0;
                }
                Some(found) => {
                    known.extend(found);
                    tries += 1;
                    if tries == TRIES {
                        return Err(Error::Failed {
                            doing: "counting requests",
                            source: "the counters are busy".into(),
                        });
                    }
                    tokio::time::sleep(WAIT * tries).await;
                }
            }
        }
    }

    /// Writes one transaction; where it is refused, what was counted already.
    async fn count_batch(&self, batch: &Batch<'_>) -> Result<Option<BTreeMap<(String, String), String>>, Error> {
        let table = self.tallies_table()?;
        let built = |update: Result<Update, _>| {
            let update = update.map_err(Error::failed("counting requests"))?;
            Ok::<_, Error>(TransactWriteItem::builder().update(update).build())
        };
        let mut items = vec![];
        for ((tenant, shard), newest) in &batch.newest {
            items.push(built(
                Update::builder()
                    .table_name(table)
                    .key("pk", text(format!("counted#{tenant}")))
                    .key("sk", text(shard))
                    .update_expression("SET #newest = :newest")
                    .condition_expression("attribute_not_exists(#newest) OR #newest < :first")
                    .expression_attribute_names("#newest", "newest")
                    .expression_attribute_values(":newest", text(newest))
                    .expression_attribute_values(":first", text(first(batch, tenant, shard)))
                    .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                    .build(),
            )?);
        }
        for ((tenant, bucket), counters) in &batch.sums {
            let counters: Vec<_> = counters.iter().filter(|(_, by)| **by != 0).collect();
            if counters.is_empty() {
                continue;
            }
            let mut update = Update::builder().table_name(table).key("pk", text(tenant)).key("sk", text(bucket));
            let mut adds = vec![];
            for (index, (counter, by)) in counters.into_iter().enumerate() {
                adds.push(format!("#c{index} :c{index}"));
                update = update
                    .expression_attribute_names(format!("#c{index}"), counter)
                    .expression_attribute_values(format!(":c{index}"), number(*by));
            }
            items.push(built(update.update_expression(format!("ADD {}", adds.join(", "))).build())?);
        }
        let written = self.dynamodb.transact_write_items().set_transact_items(Some(items)).send().await;
        match written.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(None),
            Err(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
                let reasons = canceled.cancellation_reasons();
                let mut found = BTreeMap::new();
                for (key, reason) in batch.newest.keys().zip(reasons) {
                    if let Some(item) = reason.item() {
                        found.insert(key.clone(), get_text(item, "newest")?.to_owned());
                    }
                }
                Ok(Some(found))
            }
            Err(error) => Err(Error::failed("counting requests")(error)),
        }
    }
}

/// The oldest change of a partition in a batch.
fn first<'a>(batch: &'a Batch<'_>, tenant: &str, shard: &str) -> &'a str {
    let mut of = batch.changes.iter().filter(|it| it.tenant.id().as_str() == tenant && it.shard == shard);
    of.next().map_or("", |counted| counted.number.as_str())
}

impl TenantStore<'_> {
    /// The counters of every bucket whose name lies between two, both included.
    pub async fn tallies(&self, from: &str, to: &str) -> Result<Tallies, Error> {
        let mut tallies = Tallies::new();
        let mut after = None;
        loop {
            let found = self
                .store
                .dynamodb
                .query()
                .table_name(self.store.tallies_table()?)
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                .expression_attribute_values(":pk", text(self.tenant.id().as_str()))
                .expression_attribute_values(":from", text(from))
                .expression_attribute_values(":to", text(to))
                .set_exclusive_start_key(after)
                .send()
                .await
                .map_err(|error| Error::failed("reading counts of requests")(error.into_service_error()))?;
            for item in found.items() {
                let counters = tallies.entry(get_text(item, "sk")?.to_owned()).or_default();
                for (name, value) in item.iter().filter(|(name, _)| !matches!(name.as_str(), "pk" | "sk")) {
                    let count = value.as_n().ok().and_then(|n| n.parse().ok()).ok_or_else(|| damaged("a counter"))?;
                    counters.insert(name.clone(), count);
                }
            }
            // A megabyte of counters is years of them.
            after = found.last_evaluated_key;
            if after.is_none() {
                return Ok(tallies);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn image(state: &str, day: u8) -> Value {
        json!({
            "pk": {"S": "t-a#12"}, "sk": {"S": Reference::from_entropy(12).as_str()}, "kind": {"S": "delete"}, "state": {"S": state},
            "channel": {"S": "phone"}, "code": {"S": "1"}, "received_on": {"S": format!("2026-11-{day:02}")},
            "respond_by": {"S": "2027-01-05"}, "contact": {"B": "AAEC"},
        })
    }

    fn record(sk: &str, number: &str, old: Option<&Value>, new: Option<&Value>) -> StreamRecord {
        serde_json::from_value(json!({
            "eventID": "1", "eventName": "MODIFY",
            "dynamodb": {
                "Keys": {"pk": {"S": "t-a#12"}, "sk": {"S": sk}}, "SequenceNumber": number,
                "OldImage": old, "NewImage": new, "SizeBytes": 1, "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        }))
        .unwrap()
    }

    fn reference() -> String {
        Reference::from_entropy(12).as_str().to_owned()
    }

    #[test]
    fn a_record_tells_of_a_request_and_notes_and_files_count_nowhere() {
        let counted = record(&reference(), "7", None, Some(&image("received", 2))).read().unwrap().unwrap();
        assert_eq!(counted.tenant.id().as_str(), "t-a");
        assert_eq!((counted.shard.as_str(), counted.number.len()), ("12", 40));
        assert_eq!(counted.change.before, None);
        assert_eq!(counted.change.after.unwrap().kind, Kind::Delete);
        let note = format!("{}#note#x", reference());
        assert_eq!(record(&note, "8", None, Some(&json!({"text": {"B": "AA"}}))).read().unwrap(), None);
    }

    #[test]
    fn a_record_that_cannot_be_read_says_so() {
        let mut damaged = image("received", 2);
        damaged["kind"] = json!({"S": "nonsense"});
        for record in [
            record(&reference(), "7", None, Some(&damaged)),
            record(&reference(), "seven", None, Some(&image("received", 2))),
        ] {
            assert_eq!(record.read().unwrap_err().kind(), "Invalid");
        }
    }

    #[test]
    fn a_batch_sums_what_it_takes_and_knows_the_newest_change_of_each_partition() {
        let made = record(&reference(), "7", None, Some(&image("incomplete", 2))).read().unwrap().unwrap();
        let moved = record(&reference(), "9", Some(&image("incomplete", 2)), Some(&image("received", 2)))
            .read()
            .unwrap()
            .unwrap();
        let mut batch = Batch::default();
        assert!(batch.take(&made) && batch.take(&moved));
        let due = &batch.sums[&("t-a".to_owned(), "due#2027-01-05".to_owned())];
        assert_eq!((due["kind.delete"], due["state.incomplete"], due["state.received"]), (1, 0, 1));
        let week = &batch.sums[&("t-a".to_owned(), "dealt#2026-11-02".to_owned())];
        assert_eq!(week["received.kind.delete"], 1);
        assert_eq!(first(&batch, "t-a", "12"), made.number);
        assert_eq!(batch.newest[&("t-a".to_owned(), "12".to_owned())], moved.number);
    }

    #[test]
    fn a_batch_never_outgrows_a_transaction() {
        let of = |n: u32| {
            let mut image = image("received", 2);
            let day = jiff::civil::date(2020, 1, 1).checked_add(i64::from(n).days()).unwrap();
            image["received_on"] = json!({"S": day.to_string()});
            image["respond_by"] = json!({"S": day.to_string()});
            record(&reference(), &n.to_string(), None, Some(&image)).read().unwrap().unwrap()
        };
        let many: Vec<_> = (1..100).map(of).collect();
        let mut batch = Batch::default();
        let taken = many.iter().take_while(|counted| batch.take(counted)).count();
        assert!((20..99).contains(&taken), "{taken}");
        assert_eq!(taken, batch.changes.len());
        assert!(batch.sums.len() + batch.newest.len() <= MOST_ITEMS);
    }

    #[test]
    fn a_week_begins_on_monday() {
        assert_eq!(week_of(jiff::civil::date(2026, 11, 22)).unwrap(), "dealt#2026-11-16");
        assert_eq!(week_of(jiff::civil::date(2026, 11, 16)).unwrap(), "dealt#2026-11-16");
    }
}
