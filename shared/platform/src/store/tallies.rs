//! Counts of requests, kept by `jobs-tally` from the table's stream: overview and reports read these and never the
//! requests one by one.
//!
//! | partition | sort | holds |
//! |---|---|---|
//! | tenant | [`domain::metrics::Bucket`] | its counters, each a number under the counter's own name |
//! | tenant | `dealt#` Monday | the counters of that week's days, `received.` and `closed.` in front |
//! | `counted#` tenant | reference | how that request stands in the counts, and the number of the change that it was counted by |
//! | `counted#` tenant | `#changes` | how often anything was counted |
//! | `kept#` tenant | as under the tenant | what requests count that have been erased since: figures outlive what they were made from |
//!
//! The counters always are the sum of how requests stand in them: a change takes out what is written there and puts in
//! what the request is now, in one transaction with both. So a change that comes twice or late counts for nothing, one that
//! never came is made up for by the next, and a recount only compares.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{KeysAndAttributes, Put, TransactWriteItem, Update};
use domain::denial::Ground;
use domain::jurisdiction::Jurisdiction;
use domain::metrics::{Bucket, Change, Facts};
use domain::reference::Reference;
use domain::request::{Channel, Kind, Outcome, State};
use domain::service_code::ServiceCode;
use jiff::civil::Date;
use jiff::{SignedDuration, ToSpan};
use serde::Deserialize;
use serde_json::Value;

use super::{Item, Store, TenantStore, damaged, get_text, number, text};
use crate::Error;
use crate::tenant::Tenant;

/// Counters by bucket.
pub type Tallies = BTreeMap<String, BTreeMap<String, i64>>;

/// DynamoDB takes 100 items in one transaction.
const MOST_ITEMS: usize = 100;
/// Counters of one bucket that one transaction may touch: an expression is at most 4 KB long.
const MOST_COUNTERS: usize = 100;
/// In front of the tenant, where it is kept how requests are counted.
pub(super) const COUNTED: &str = "counted#";
/// In front of the tenant, where the counts of erased requests are kept.
pub(super) const KEPT: &str = "kept#";
/// How long it is remembered that an erased request was counted: the stream brings nothing that is older than a day.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Where it is kept how often anything was counted; sorts before every reference.
const CHANGES: &str = "#changes";
const TRIES: u32 = 8;
/// How often a recount compares, while calls come in and transactions mend.
const ROUNDS: u32 = 100;
const WAIT: Duration = Duration::from_millis(25);
/// The longest number of a change (DynamoDB, "StreamRecord").
const DIGITS: usize = 40;

/// What happened to one request, as the stream tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    tenant: Tenant,
    reference: String,
    /// The change's number, with leading zeros, so that it compares as text.
    number: String,
    /// What it is now; nothing once it is erased.
    after: Option<Facts>,
    /// Whether what it counted stays counted though it is erased: it was kept as long as it had to be.
    stays: bool,
}

/// Tenant and reference.
type Key = (String, String);

impl Counted {
    fn key(&self) -> Key {
        (self.tenant.id().as_str().to_owned(), self.reference.clone())
    }
}

/// How a request stands in the counts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Standing {
    newest: String,
    facts: Option<Facts>,
}

impl Standing {
    fn read(item: &Item) -> Result<Self, Error> {
        let facts = item.contains_key("kind").then(|| item_facts(item));
        Ok(Self { newest: get_text(item, "newest")?.to_owned(), facts: facts.transpose()? })
    }
}

/// A record of the stream, as far as counting goes. Values are DynamoDB's own JSON.
#[derive(Clone, Debug, Deserialize)]
pub struct StreamRecord {
    pub(super) dynamodb: StreamChange,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StreamChange {
    pub(super) keys: Image,
    pub(super) new_image: Option<Image>,
    pub(super) old_image: Option<Image>,
    sequence_number: String,
    pub(super) approximate_creation_date_time: Option<f64>,
}

pub(super) type Image = HashMap<String, Value>;

impl StreamRecord {
    /// What it tells of a request: nothing where it is about a note or a file, `Invalid` where it cannot be read.
    pub fn read(&self) -> Result<Option<Counted>, Error> {
        let of = &self.dynamodb;
        let (pk, sk) = (image_text(&of.keys, "pk")?, image_text(&of.keys, "sk")?);
        if Reference::parse(sk).is_err() {
            return Ok(None);
        }
        let (tenant, _) = pk.split_once('#').ok_or_else(|| unreadable("pk"))?;
        let digits = of.sequence_number.bytes().all(|b| b.is_ascii_digit());
        if !digits || of.sequence_number.len() > DIGITS {
            return Err(unreadable("sequence number"));
        }
        Ok(Some(Counted {
            tenant: Tenant::trusted(tenant),
            reference: sk.to_owned(),
            number: format!("{:0>DIGITS$}", of.sequence_number),
            after: of.new_image.as_ref().map(|image| facts(&|name| image_text(image, name).ok())).transpose()?,
            stays: of.new_image.is_none() && of.old_image.as_ref().is_some_and(|image| image.contains_key("erasing")),
        }))
    }
}

/// What counts of a request, from the attributes that it is kept under.
fn facts<'a>(get: &dyn Fn(&'static str) -> Option<&'a str>) -> Result<Facts, Error> {
    fn parsed<T>(found: Option<&str>, name: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Error> {
        found.and_then(parse).ok_or_else(|| unreadable(name))
    }
    let date = |text: &str| text.parse::<Date>().ok();
    let state = parsed(get("state"), "state", State::parse)?;
    Ok(Facts {
        kind: parsed(get("kind"), "kind", Kind::parse)?,
        // What nobody finished and lies in the recycle bin is due no more.
        state: if get("binned_on").is_some() && state.is_open() { State::Withdrawn } else { state },
        channel: parsed(get("channel"), "channel", Channel::parse)?,
        code: parsed(get("code"), "code", |code| ServiceCode::parse(code).ok())?,
        received_on: parsed(get("received_on"), "received_on", date)?,
        respond_by: parsed(get("respond_by"), "respond_by", date)?,
        confirm_by: get("confirm_by")
            .filter(|_| get("confirmed_at").is_none())
            .map(|it| parsed(Some(it), "confirm_by", date))
            .transpose()?,
        closed_on: get("closed_on").map(|it| parsed(Some(it), "closed_on", date)).transpose()?,
        outcome: get("outcome").map(|it| parsed(Some(it), "outcome", Outcome::parse)).transpose()?,
        ground: get("ground").map(|it| parsed(Some(it), "ground", Ground::parse)).transpose()?,
        residence: get("residence").map(|it| parsed(Some(it), "residence", Jurisdiction::parse)).transpose()?,
    })
}

fn item_facts(item: &Item) -> Result<Facts, Error> {
    facts(&|name| item.get(name)?.as_s().ok().map(String::as_str))
}

/// The attributes of [`facts`].
fn attributes(facts: &Facts) -> impl Iterator<Item = (&'static str, String)> {
    [
        ("kind", Some(facts.kind.code().to_owned())),
        ("state", Some(facts.state.code().to_owned())),
        ("channel", Some(facts.channel.code().to_owned())),
        ("code", Some(facts.code.as_str().to_owned())),
        ("received_on", Some(facts.received_on.to_string())),
        ("respond_by", Some(facts.respond_by.to_string())),
        ("confirm_by", facts.confirm_by.map(|date| date.to_string())),
        ("closed_on", facts.closed_on.map(|date| date.to_string())),
        ("outcome", facts.outcome.map(|outcome| outcome.code().to_owned())),
        ("ground", facts.ground.map(|ground| ground.code().to_owned())),
        ("residence", facts.residence.map(|residence| residence.as_str().to_owned())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
}

pub(super) fn image_text<'a>(image: &'a Image, name: &'static str) -> Result<&'a str, Error> {
    image.get(name).and_then(|value| value.get("S")?.as_str()).ok_or_else(|| unreadable(name))
}

pub(super) fn unreadable(name: &'static str) -> Error {
    Error::invalid("record", format!("{name} is missing or damaged"))
}

/// Counters to add to, by tenant and bucket.
type Sums = BTreeMap<(String, String), BTreeMap<String, i64>>;

/// Some requests that fit into one transaction, each with the number that it was counted by before.
#[derive(Debug, Default)]
struct Batch<'a> {
    changes: Vec<(&'a Counted, Option<String>)>,
    tenants: BTreeSet<String>,
    sums: Sums,
}

impl<'a> Batch<'a> {
    /// Takes one more request, unless it would no longer fit.
    fn take(&mut self, counted: &'a Counted, standing: Option<&Standing>) -> bool {
        let mut sums = self.sums.clone();
        let tenant = counted.tenant.id().as_str();
        let before = standing.and_then(|standing| standing.facts.clone());
        // The counters themselves stay as they are, and what they are the sum of is kept without the request.
        let (pk, change) = if counted.stays {
            (format!("{KEPT}{tenant}"), Change { before: None, after: before })
        } else {
            (tenant.to_owned(), Change { before, after: counted.after.clone() })
        };
        for (bucket, counter, by) in counts(&change) {
            *sums.entry((pk.clone(), bucket)).or_default().entry(counter).or_default() += by;
        }
        let mut tenants = self.tenants.clone();
        tenants.insert(tenant.to_owned());
        let items = sums.len() + tenants.len() + self.changes.len() + 1;
        let fits = items <= MOST_ITEMS && sums.values().all(|of| of.len() <= MOST_COUNTERS);
        if fits || self.changes.is_empty() {
            (self.sums, self.tenants) = (sums, tenants);
            self.changes.push((counted, standing.map(|standing| standing.newest.clone())));
            return true;
        }
        false
    }
}

/// What a change adds to which counters: those of its days, due dates and years, and those of the weeks.
fn counts(change: &Change) -> impl Iterator<Item = (String, String, i64)> {
    change.deltas().into_iter().flat_map(|delta| {
        let own = (delta.bucket.to_string(), delta.counter.to_string(), delta.by);
        let week = week(delta.bucket).map(|(week, sort)| (week, format!("{sort}.{}", delta.counter), delta.by));
        [Some(own), week].into_iter().flatten()
    })
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
    /// Counts changes, each once, however often and in whatever order they come.
    pub async fn count(&self, changes: &[Counted]) -> Result<(), Error> {
        // What counts is how a request is at last.
        let mut newest: BTreeMap<Key, &Counted> = BTreeMap::new();
        for counted in changes {
            let slot = newest.entry(counted.key()).or_insert(counted);
            if counted.number > slot.number {
                *slot = counted;
            }
        }
        let mut rest: Vec<&Counted> = newest.into_values().collect();
        let mut tries = 0;
        while !rest.is_empty() {
            let some: Vec<Key> = rest.iter().take(MOST_ITEMS).map(|counted| counted.key()).collect();
            let standing = self.standing(&some).await?;
            rest.retain(|counted| standing.get(&counted.key()).is_none_or(|it| it.newest < counted.number));
            let mut batch = Batch::default();
            let known = rest.iter().take_while(|counted| some.contains(&counted.key()));
            let taken = known.take_while(|counted| batch.take(counted, standing.get(&counted.key()))).count();
            if taken == 0 {
                continue;
            }
            if self.count_batch(&batch).await? {
                rest.drain(..taken);
                tries = 0;
                continue;
            }
            tries += 1;
            if tries == TRIES {
                return Err(busy());
            }
            tokio::time::sleep(WAIT * tries).await;
        }
        Ok(())
    }

    /// How requests stand in the counts, as far as they do; at most 100.
    async fn standing(&self, keys: &[Key]) -> Result<BTreeMap<Key, Standing>, Error> {
        let table = self.tallies_table()?;
        let mut wanted = KeysAndAttributes::builder().consistent_read(true);
        for (tenant, reference) in keys {
            let pk = text(format!("{COUNTED}{tenant}"));
            wanted = wanted.keys(Item::from([("pk".to_owned(), pk), ("sk".to_owned(), text(reference))]));
        }
        let wanted = wanted.build().map_err(Error::failed("reading how requests are counted"))?;
        let got = self.dynamodb.batch_get_item().request_items(table, wanted).send().await;
        let got = got.map_err(|error| Error::failed("reading how requests are counted")(error.into_service_error()))?;
        if got.unprocessed_keys().is_some_and(|left| !left.is_empty()) {
            return Err(busy());
        }
        let items = got.responses.and_then(|mut tables| tables.remove(table)).unwrap_or_default();
        let read = |item: &Item| {
            let tenant = get_text(item, "pk")?.trim_start_matches(COUNTED).to_owned();
            Ok(((tenant, get_text(item, "sk")?.to_owned()), Standing::read(item)?))
        };
        items.iter().map(read).collect()
    }

    /// Writes one transaction; false where something else was counted in between.
    async fn count_batch(&self, batch: &Batch<'_>) -> Result<bool, Error> {
        let table = self.tallies_table()?;
        let mut items = vec![];
        for (counted, seen) in &batch.changes {
            let mut put = Put::builder()
                .table_name(table)
                .item("pk", text(format!("{COUNTED}{}", counted.tenant.id())))
                .item("sk", text(&counted.reference))
                .item("newest", text(&counted.number));
            for (name, value) in counted.after.iter().flat_map(attributes) {
                put = put.item(name, text(value));
            }
            if counted.after.is_none() {
                let until = self.clock.now() + REMEMBERED;
                put = put.item("expires_at", number(until.as_second()));
            }
            put = match seen {
                Some(seen) => put
                    .condition_expression("#newest = :seen")
                    .expression_attribute_names("#newest", "newest")
                    .expression_attribute_values(":seen", text(seen)),
                None => put.condition_expression("attribute_not_exists(pk)"),
            };
            let put = put.build().map_err(Error::failed("counting requests"))?;
            items.push(TransactWriteItem::builder().put(put).build());
        }
        for tenant in &batch.tenants {
            let update = add(table, &format!("{COUNTED}{tenant}"), CHANGES, [("n", 1)]);
            items.push(built(update)?);
        }
        for ((tenant, bucket), counters) in &batch.sums {
            let mut counters = counters.iter().filter(|(_, by)| **by != 0).peekable();
            if counters.peek().is_some() {
                items.push(built(add(table, tenant, bucket, counters.map(|(name, by)| (name.as_str(), *by))))?);
            }
        }
        self.written(items).await
    }

    async fn written(&self, items: Vec<TransactWriteItem>) -> Result<bool, Error> {
        let written = self.dynamodb.transact_write_items().set_transact_items(Some(items)).send().await;
        match written.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(true),
            Err(TransactWriteItemsError::TransactionCanceledException(_)) => Ok(false),
            Err(error) => Err(Error::failed("counting requests")(error)),
        }
    }
}

/// Adds to counters of one item.
fn add<'a>(table: &str, pk: &str, sk: &str, counters: impl IntoIterator<Item = (&'a str, i64)>) -> UpdateBuilder {
    let mut update = Update::builder().table_name(table).key("pk", text(pk)).key("sk", text(sk));
    let mut adds = vec![];
    for (index, (counter, by)) in counters.into_iter().enumerate() {
        adds.push(format!("#c{index} :c{index}"));
        update = update
            .expression_attribute_names(format!("#c{index}"), counter)
            .expression_attribute_values(format!(":c{index}"), number(by));
    }
    update.update_expression(format!("ADD {}", adds.join(", ")))
}

fn built(update: UpdateBuilder) -> Result<TransactWriteItem, Error> {
    let update = update.build().map_err(Error::failed("counting requests"))?;
    Ok(TransactWriteItem::builder().update(update).build())
}

fn busy() -> Error {
    Error::Failed { doing: "counting requests", source: "the counters are busy".into() }
}

/// What a recount found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recounted {
    /// How many requests there are.
    pub requests: u64,
    /// How many of them were not counted, or not as they are.
    pub missed: u64,
    /// By how much counters were off, beyond that, by bucket and counter: what they should be less what they were.
    pub differences: Tallies,
}

impl TenantStore<'_> {
    /// Compares the counts with the requests of these months, and mends them unless it is only to `look`. Calls may come in
    /// meanwhile. Memory grows with the days that there are counts of, not with the requests.
    pub async fn recount(&self, months: impl IntoIterator<Item = String>, look: bool) -> Result<Recounted, Error> {
        let mut found = Recounted::default();
        for month in months {
            self.recount_month(&month, look, &mut found).await?;
        }
        let mut first = None;
        for tries in 1..=ROUNDS {
            let changes = self.changes().await?;
            let differences = differences(&self.sums().await?, &self.read_tallies("a", "~", true).await?);
            // What was counted between two reads is no difference.
            if self.changes().await? == changes {
                let first: &mut Tallies = first.get_or_insert(differences.clone());
                if look || differences.is_empty() {
                    found.differences = first.clone();
                    return Ok(found);
                }
                if self.mend(changes, &differences).await? {
                    continue;
                }
            }
            tokio::time::sleep(WAIT * tries).await;
        }
        Err(busy())
    }

    /// Has every request of a month counted as it is.
    async fn recount_month(&self, month: &str, look: bool, found: &mut Recounted) -> Result<(), Error> {
        let tenant = self.tenant.id().as_str();
        let mut after = None;
        loop {
            let page = self
                .store
                .dynamodb
                .query()
                .table_name(self.store.requests_table()?)
                .index_name("by-received")
                .key_condition_expression("received_pk = :pk")
                .expression_attribute_values(":pk", text(format!("{tenant}#{month}")))
                .limit(100)
                .set_exclusive_start_key(after)
                .send()
                .await
                .map_err(|error| Error::failed("recounting requests")(error.into_service_error()))?;
            let references = page.items().iter().map(|item| get_text(item, "sk").map(str::to_owned));
            let references = references.collect::<Result<Vec<String>, _>>()?;
            let keys: Vec<Key> = references.iter().map(|it| (tenant.to_owned(), it.clone())).collect();
            let standing = if keys.is_empty() { BTreeMap::new() } else { self.store.standing(&keys).await? };
            for (item, key) in page.items().iter().zip(&keys) {
                found.requests += 1;
                let counted = standing.get(key).and_then(|standing| standing.facts.as_ref());
                if counted != Some(&item_facts(item)?) && self.recount_one(key, get_text(item, "pk")?, look).await? {
                    found.missed += 1;
                }
            }
            after = page.last_evaluated_key;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Counts a request as it is at this moment; whether it was not. An index may lag behind, so the request itself is read,
    /// and after how it stands: what changes it later has a higher number, and will be counted.
    async fn recount_one(&self, key: &Key, pk: &str, look: bool) -> Result<bool, Error> {
        for tries in 1..=TRIES {
            let standing = self.store.standing(std::slice::from_ref(key)).await?.remove(key);
            let got = self
                .store
                .dynamodb
                .get_item()
                .table_name(self.store.requests_table()?)
                .key("pk", text(pk))
                .key("sk", text(&key.1))
                .consistent_read(true)
                .send()
                .await
                .map_err(|error| Error::failed("recounting requests")(error.into_service_error()))?;
            let after = got.item.as_ref().map(item_facts).transpose()?;
            if standing.as_ref().and_then(|standing| standing.facts.as_ref()) == after.as_ref() {
                return Ok(false);
            }
            let number = standing.as_ref().map_or_else(|| "0".repeat(DIGITS), |standing| standing.newest.clone());
            let (tenant, reference) = (self.tenant.clone(), key.1.clone());
            let counted = Counted { tenant, reference, number, after, stays: false };
            let mut batch = Batch::default();
            batch.take(&counted, standing.as_ref());
            if look || self.store.count_batch(&batch).await? {
                return Ok(true);
            }
            tokio::time::sleep(WAIT * tries).await;
        }
        Err(busy())
    }

    /// How often anything was counted.
    async fn changes(&self) -> Result<i64, Error> {
        let found = self.counted_page("pk = :pk AND sk = :sk", Some(CHANGES), None).await?;
        Ok(found.0.first().and_then(|item| item.get("n")?.as_n().ok()?.parse().ok()).unwrap_or(0))
    }

    /// What the counters should be, from how every request stands in them, or stood when it was erased.
    async fn sums(&self) -> Result<Tallies, Error> {
        let mut sums = self.read_counters(&format!("{KEPT}{}", self.tenant.id()), "a", "~", true).await?;
        let mut after = None;
        loop {
            let (items, next) = self.counted_page("pk = :pk", None, after).await?;
            for item in items.iter().filter(|item| item.contains_key("newest")) {
                let after = Standing::read(item)?.facts;
                for (bucket, counter, by) in counts(&Change { before: None, after }) {
                    *sums.entry(bucket).or_default().entry(counter).or_default() += by;
                }
            }
            after = next;
            if after.is_none() {
                return Ok(sums);
            }
        }
    }

    async fn counted_page(
        &self,
        condition: &str,
        sk: Option<&str>,
        after: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>), Error> {
        let mut query = self
            .store
            .dynamodb
            .query()
            .table_name(self.store.tallies_table()?)
            .key_condition_expression(condition)
            .expression_attribute_values(":pk", text(format!("{COUNTED}{}", self.tenant.id())))
            .consistent_read(true)
            .set_exclusive_start_key(after);
        if let Some(sk) = sk {
            query = query.expression_attribute_values(":sk", text(sk));
        }
        let found = query.send().await;
        let found = found.map_err(|error| Error::failed("recounting requests")(error.into_service_error()))?;
        Ok((found.items.unwrap_or_default(), found.last_evaluated_key))
    }

    /// Adds as many differences as one transaction takes, unless anything was counted since.
    async fn mend(&self, changes: i64, differences: &Tallies) -> Result<bool, Error> {
        let (table, tenant) = (self.store.tallies_table()?, self.tenant.id().as_str());
        let once = add(table, &format!("{COUNTED}{tenant}"), CHANGES, [("n", 1)]);
        let once = if changes == 0 {
            once.condition_expression("attribute_not_exists(#c0)")
        } else {
            once.condition_expression("#c0 = :changes").expression_attribute_values(":changes", number(changes))
        };
        let mut items = vec![built(once)?];
        for (bucket, counters) in differences.iter().take(MOST_ITEMS - 1) {
            let some = counters.iter().take(MOST_COUNTERS).map(|(name, by)| (name.as_str(), *by));
            items.push(built(add(table, tenant, bucket, some))?);
        }
        self.store.written(items).await
    }
}

/// What has to be added to counters, so that they are what they should be.
fn differences(should: &Tallies, are: &Tallies) -> Tallies {
    let mut differences = Tallies::new();
    for (counts, sign) in [(should, 1), (are, -1)] {
        for (bucket, counters) in counts {
            for (counter, n) in counters {
                *differences.entry(bucket.clone()).or_default().entry(counter.clone()).or_default() += sign * n;
            }
        }
    }
    for counters in differences.values_mut() {
        counters.retain(|_, by| *by != 0);
    }
    differences.retain(|_, counters| !counters.is_empty());
    differences
}

impl TenantStore<'_> {
    /// The counters of every bucket whose name lies between two, both included.
    pub async fn tallies(&self, from: &str, to: &str) -> Result<Tallies, Error> {
        self.read_tallies(from, to, false).await
    }

    async fn read_tallies(&self, from: &str, to: &str, consistent: bool) -> Result<Tallies, Error> {
        self.read_counters(self.tenant.id().as_str(), from, to, consistent).await
    }

    async fn read_counters(&self, pk: &str, from: &str, to: &str, consistent: bool) -> Result<Tallies, Error> {
        let mut tallies = Tallies::new();
        let mut after = None;
        loop {
            let found = self
                .store
                .dynamodb
                .query()
                .table_name(self.store.tallies_table()?)
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                .expression_attribute_values(":pk", text(pk))
                .expression_attribute_values(":from", text(from))
                .expression_attribute_values(":to", text(to))
                .consistent_read(consistent)
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
        assert_eq!((counted.reference, counted.number.len()), (reference(), 40));
        assert_eq!(counted.after.unwrap().kind, Kind::Delete);
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
    fn a_change_takes_out_how_the_request_stands_and_puts_in_what_it_is() {
        let made = record(&reference(), "7", None, Some(&image("incomplete", 2))).read().unwrap().unwrap();
        let moved = record(&reference(), "9", Some(&image("received", 1)), Some(&image("received", 2)));
        let moved = moved.read().unwrap().unwrap();
        let due = |standing: Option<&Standing>| {
            let mut batch = Batch::default();
            assert!(batch.take(&moved, standing));
            assert_eq!(batch.changes[0].1, standing.map(|it| it.newest.clone()));
            let week = batch.sums.get(&("t-a".to_owned(), "dealt#2026-11-02".to_owned()));
            (batch.sums[&("t-a".to_owned(), "due#2027-01-05".to_owned())].clone(), week.cloned())
        };
        let standing = Standing { newest: made.number.clone(), facts: made.after.clone() };
        let (counters, week) = due(Some(&standing));
        assert_eq!((counters["state.incomplete"], counters["state.received"], week), (-1, 1, None));
        // One that was never counted is not taken out, whatever its old image says.
        let (counters, week) = due(None);
        assert_eq!((counters["kind.delete"], counters["state.received"], counters.len()), (1, 1, 3));
        assert_eq!(week.unwrap()["received.kind.delete"], 1);
    }

    #[test]
    fn what_an_erased_request_counted_stays_counted_once_and_without_it() {
        let mut old = image("received", 2);
        let made = record(&reference(), "7", None, Some(&old)).read().unwrap().unwrap();
        let standing = Standing { newest: made.number.clone(), facts: made.after.clone() };
        let sums = |old: &Value, standing: Option<&Standing>| {
            let gone = record(&reference(), "9", Some(old), None).read().unwrap().unwrap();
            let mut batch = Batch::default();
            assert!(batch.take(&gone, standing));
            batch.sums
        };
        // Taken away by hand: it counts no more.
        let due = ("t-a".to_owned(), "due#2027-01-05".to_owned());
        assert_eq!(sums(&old, Some(&standing))[&due]["state.received"], -1);
        old["erasing"] = json!({"S": "{}"});
        let kept = sums(&old, Some(&standing));
        assert!(kept.keys().all(|(pk, _)| pk == "kept#t-a"), "{kept:?}");
        assert_eq!(kept[&("kept#t-a".to_owned(), due.1)]["state.received"], 1);
        // The same record once more finds that it was counted.
        assert!(sums(&old, Some(&Standing { facts: None, ..standing })).is_empty());
    }

    #[test]
    fn what_nobody_finished_is_due_no_more_once_it_lies_in_the_bin_and_counts_as_received() {
        let mut binned = image("incomplete", 2);
        let buckets = |image: &Value| {
            let counted = record(&reference(), "7", None, Some(image)).read().unwrap().unwrap();
            counts(&Change { before: None, after: counted.after }).map(|(bucket, ..)| bucket).collect::<BTreeSet<_>>()
        };
        let before = buckets(&binned);
        binned["binned_on"] = json!({"S": "2029-02-01"});
        let after = buckets(&binned);
        let gone: Vec<&String> = before.difference(&after).collect();
        assert_eq!(gone, ["due#2027-01-05"]);
    }

    #[test]
    fn how_a_request_stands_is_kept_and_read_again() {
        let mut whole = image("denied", 2);
        for (name, value) in
            [("closed_on", "2026-12-01"), ("outcome", "denied"), ("ground", "not-verified"), ("residence", "us-ca")]
        {
            whole[name] = json!({"S": value});
        }
        for image in [image("received", 2), whole] {
            let counted = record(&reference(), "7", None, Some(&image)).read().unwrap().unwrap();
            let mut item: Item =
                counted.after.iter().flat_map(attributes).map(|(name, value)| (name.to_owned(), text(value))).collect();
            item.insert("newest".to_owned(), text(&counted.number));
            assert_eq!(Standing::read(&item).unwrap(), Standing { newest: counted.number, facts: counted.after });
        }
        let gone = Item::from([("newest".to_owned(), text("7"))]);
        assert_eq!(Standing::read(&gone).unwrap().facts, None);
    }

    #[test]
    fn a_recount_finds_what_is_too_much_too_little_and_nobodys() {
        let of = |counters: &[(&str, i64)]| {
            let counters = counters.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
            Tallies::from([("due#2027-01-05".to_owned(), counters)])
        };
        let should = of(&[("kind.delete", 3), ("state.received", 3)]);
        assert_eq!(differences(&should, &should), Tallies::new());
        let are = of(&[("kind.delete", 5), ("state.received", 3), ("stray", 1)]);
        assert_eq!(differences(&should, &are), of(&[("kind.delete", -2), ("stray", -1)]));
        assert_eq!(differences(&should, &Tallies::new()), should);
    }

    #[test]
    fn a_batch_never_outgrows_a_transaction() {
        let of = |n: u32| {
            let mut image = image("received", 2);
            let day = jiff::civil::date(2020, 1, 1).checked_add(i64::from(n).days()).unwrap();
            image["received_on"] = json!({"S": day.to_string()});
            image["respond_by"] = json!({"S": day.to_string()});
            let reference = Reference::from_entropy(u64::from(n));
            record(reference.as_str(), &n.to_string(), None, Some(&image)).read().unwrap().unwrap()
        };
        let many: Vec<_> = (1..100).map(of).collect();
        let mut batch = Batch::default();
        let taken = many.iter().take_while(|counted| batch.take(counted, None)).count();
        assert!((20..99).contains(&taken), "{taken}");
        assert_eq!(taken, batch.changes.len());
        assert!(batch.sums.len() + batch.changes.len() + batch.tenants.len() <= MOST_ITEMS);
    }

    #[test]
    fn a_week_begins_on_monday() {
        assert_eq!(week_of(jiff::civil::date(2026, 11, 22)).unwrap(), "dealt#2026-11-16");
        assert_eq!(week_of(jiff::civil::date(2026, 11, 16)).unwrap(), "dealt#2026-11-16");
    }
}
