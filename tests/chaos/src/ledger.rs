//! What the tables hold of a tenant's day, read beside the functions.

use bench::Error;
use bench::aws::{Cloud, Item};
use domain::billing::{Batch, Content, Counting, Unit};
use domain::job::Job;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

/// A call in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Twilio's SID.
    pub call: String,
    /// Billed minutes.
    pub minutes: u32,
    /// How far it is on its way to the bill.
    pub unit: Unit,
}

/// Where a tenant's day lies.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// The tenant's id.
    pub tenant: String,
    /// The day.
    pub day: Date,
}

impl Ledger {
    fn month(&self) -> String {
        format!("{}#{:04}-{:02}", self.tenant, self.day.year(), self.day.month())
    }

    /// The day's calls, in the order of their SIDs.
    pub fn rows(&self, cloud: &Cloud) -> Result<Vec<Row>, Error> {
        let pk = format!("{}#{}", self.tenant, self.day);
        cloud.partition("usage", &pk).map(|item| row(&item)).collect()
    }

    /// The day's batches, by number.
    pub fn batches(&self, cloud: &Cloud) -> Result<Vec<Batch>, Error> {
        let prefix = format!("batch#{}#", self.day);
        let items = cloud.partition("usage", &self.month());
        let batches = items.filter(|item| text(item, "sk").is_some_and(|sk| sk.starts_with(&prefix)));
        let read = |item: Item| {
            let stored = text(&item, "batch").unwrap_or_default();
            let batch: Batch =
                serde_json::from_str(stored).map_err(|error| Error::say("a batch", "is not read", &error))?;
            let version = number(&item, "version");
            if version != Some(batch.version) {
                return Err(Error::say("a batch", "is stored under another version", &format!("{item:?}")));
            }
            Ok(batch)
        };
        batches.map(read).collect()
    }

    /// What the sums that the usage page shows come to: calls and minutes.
    #[must_use]
    pub fn sums(&self, cloud: &Cloud) -> (u64, u64) {
        let day = format!("{}#", self.day);
        let sums = cloud.partition("usage", &self.month());
        let of_day = sums.filter(|item| text(item, "sk").is_some_and(|sk| sk.starts_with(&day)));
        of_day.fold((0, 0), |(calls, minutes), item| {
            let of = |name| number(&item, name).unwrap_or_default();
            (calls + of("calls"), minutes + of("minutes"))
        })
    }

    /// What the calls of a batch come to.
    pub fn content(rows: &[Row], number: u32) -> Result<Content, Error> {
        let mut counting = Counting::default();
        let of_batch = rows
            .iter()
            .filter(|row| matches!(row.unit, Unit::Claimed { batch } | Unit::Processed { batch } if batch == number));
        for row in of_batch {
            counting.add(&row.call, row.minutes).map_err(|error| Error::say(&row.call, "is not counted", &error))?;
        }
        counting.finish().map_err(|error| Error::say("a batch", "has no calls", &error))
    }

    /// When the day's worker is to be called, soonest first.
    #[must_use]
    pub fn agenda(&self, cloud: &Cloud) -> Vec<Timestamp> {
        let entries = cloud.all("agenda").filter_map(|item| {
            let of_job = text(&item, "pk")?.starts_with(&format!("{}#", Job::PushUsage));
            let mut parts = text(&item, "sk")?.splitn(3, '#');
            let (at, tenant, what) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
            (of_job && tenant == self.tenant && what == self.day.to_string()).then_some(at)
        });
        let mut entries: Vec<Timestamp> = entries.collect();
        entries.sort();
        entries
    }

    /// Writes a batch in the place of what was read, as a person's decision does: the day is taken, so that whoever was
    /// at it begins anew.
    pub fn settle(&self, cloud: &mut Cloud, batch: &Batch) -> Result<(), Error> {
        let stored = serde_json::to_string(batch).map_err(|error| Error::say("a batch", "is not written", &error))?;
        let sk = format!("batch#{}#{:04}", self.day, batch.number);
        let mut item = cloud.get("usage", &self.month(), &sk).unwrap_or_default();
        item.insert("batch".into(), json!({ "S": stored }));
        item.insert("version".into(), json!({ "N": batch.version.to_string() }));
        cloud.put("usage", item);
        let mut day = cloud.get("usage", &self.month(), &format!("day#{}", self.day)).unwrap_or_default();
        let fence = number(&day, "fence").unwrap_or_default() + 1;
        day.insert("fence".into(), json!({ "N": fence.to_string() }));
        cloud.put("usage", day);
        Ok(())
    }
}

fn row(item: &Item) -> Result<Row, Error> {
    let damaged = || Error::say("a row of the ledger", "is not read", &format!("{item:?}"));
    let batch = || number(item, "batch").and_then(|batch| u32::try_from(batch).ok());
    let unit = match text(item, "unit") {
        None => Unit::Unprocessed,
        Some("claimed") => Unit::Claimed { batch: batch().ok_or_else(damaged)? },
        Some("processed") => Unit::Processed { batch: batch().ok_or_else(damaged)? },
        Some(_) => return Err(damaged()),
    };
    Ok(Row {
        call: text(item, "sk").ok_or_else(damaged)?.to_owned(),
        minutes: number(item, "billed_minutes").and_then(|n| u32::try_from(n).ok()).ok_or_else(damaged)?,
        unit,
    })
}

/// A string attribute.
#[must_use]
pub fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.get("S")?.as_str()
}

/// A whole number.
#[must_use]
pub fn number(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.get("N")?.as_str()?.parse().ok()
}
