//! The audit trail: one chain per tenant, to which functions can only add.
//!
//! An entry and the chain's new head are put in one transaction, the head on condition that it is still the one that
//! the entry follows. A function needs no permission but to put: where its idea of the head is stale, the refused
//! transaction itself says what the head is now.
//!
//! | partition | sort | holds |
//! |---|---|---|
//! | tenant `#` year-month | number, 12 digits | the entry's text, sealed; its hash and its predecessor's |
//! | `head#` tenant | `head` | number, hash and month of the newest entry |

use std::ops::ControlFlow;
use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use domain::audit::{BEGINNING, Entry, Link};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Item, TenantStore, damaged, get_text, number, text};
use crate::Error;
use crate::seal::{Place, SubjectSalt, TenantKeys};

/// Many people of one tenant may act in the same moment; each try learns the newest head.
const TRIES: u32 = 30;
/// The first wait is up to this long, and each one up to that much longer; all of them together take 4 seconds on average.
const WAIT: Duration = Duration::from_millis(18);
/// How many entries are asked for at once when the whole trail is read.
const WALK: i32 = 1000;
/// No trail began before this month.
pub const FIRST_MONTH: &str = "2026-11";

/// The newest entry of a tenant's trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0 before the first.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
    /// Year and month under which it lies, `2026-11`; empty before the first.
    pub month: String,
}

impl Head {
    pub(super) fn beginning() -> Self {
        Self { seq: 0, hash: BEGINNING.to_owned(), month: String::new() }
    }

    fn read(item: &Item) -> Result<Self, Error> {
        let seq = item.get("seq").and_then(|seq| seq.as_n().ok()?.parse().ok()).ok_or_else(|| damaged("seq"))?;
        Ok(Self { seq, hash: get_text(item, "hash")?.to_owned(), month: get_text(item, "month")?.to_owned() })
    }
}

/// A page of the trail, the newest entry first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailPage {
    /// The links, opened.
    pub links: Vec<Link>,
    /// Behind which number, in which month, the next page begins; none where the trail begins.
    pub next: Option<(String, u64)>,
}

impl TenantStore<'_> {
    /// Adds an entry to the trail.
    pub async fn record(&self, entry: &Entry) -> Result<(), Error> {
        match self.write_audited(&[], entry).await? {
            Written::Done => Ok(()),
            Written::Refused(_) => Err(Error::Conflict),
        }
    }

    /// Writes changes together with the entry that tells of them: all of it, or nothing. `Refused` says, for each of the
    /// changes in order, why the database refused it (code `ConditionalCheckFailed`, with the item where it was asked for).
    pub(super) async fn write_audited(&self, changes: &[TransactWriteItem], entry: &Entry) -> Result<Written, Error> {
        let keys = self.keys().await?;
        let entry_text = serde_json::to_string(entry).map_err(Error::failed("writing an audit entry"))?;
        for turn in 0..TRIES {
            let head = self.store.heads.get(self.tenant.id()).unwrap_or_else(Head::beginning);
            let link = Link::after(head.seq, &head.hash, entry_text.clone());
            // Never before its predecessor's: months in their order are entries in their order.
            let month = month(entry.at).max(head.month.clone());
            let next = Head { seq: link.seq, hash: link.hash.clone(), month: month.clone() };
            let sent = self
                .store
                .dynamodb
                .transact_write_items()
                .set_transact_items(Some(
                    [changes, &[self.put_entry(&keys, &month, &link)?, self.put_head(&head, &next)?]].concat(),
                ))
                .send();
            // On the heap: every page that writes carries this.
            let written = Box::pin(sent).await.map_err(SdkError::into_service_error);
            let reasons = match written {
                Ok(_) => {
                    self.store.heads.put(self.tenant.id(), next);
                    return Ok(Written::Done);
                }
                Err(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
                    canceled.cancellation_reasons.unwrap_or_default()
                }
                Err(error) => return Err(Error::failed("writing with an audit entry")(error)),
            };
            let (ours, trail) = reasons.split_at_checked(changes.len()).unwrap_or((&[], &[]));
            if ours.iter().any(|reason| reason.code() == Some("ConditionalCheckFailed")) {
                return Ok(Written::Refused(ours.to_vec()));
            }
            if let Some(reason) = trail.last().filter(|reason| reason.code() == Some("ConditionalCheckFailed")) {
                let newest = reason.item().map_or_else(|| Ok(Head::beginning()), Head::read)?;
                self.store.heads.put(self.tenant.id(), newest);
            } else if is_damaged(trail) {
                // The head is still the one that we know, but what follows it is there: somebody wrote past the head.
                return Err(Error::Failed {
                    doing: "writing with an audit entry",
                    source: format!("the trail is damaged: entry {} is there before its head", link.seq).into(),
                });
            }
            // Whoever waits as long as everybody else meets them again.
            tokio::time::sleep(wait(turn)?).await;
        }
        Err(Error::Failed { doing: "writing with an audit entry", source: "the trail is too busy".into() })
    }

    fn put_entry(&self, keys: &TenantKeys, month: &str, link: &Link) -> Result<TransactWriteItem, Error> {
        let (pk, sk) = (self.trail_key(month), seq_key(link.seq));
        let place = Place { table: "audit", pk: &pk, sk: &sk, attribute: "entry" };
        let sealed = keys.seal(&SubjectSalt::of_place(&pk, ""), place, link.entry.as_bytes())?;
        let put = Put::builder()
            .table_name(self.store.audit_table()?)
            .item("pk", text(&pk))
            .item("sk", text(&sk))
            .item("seq", number(link.seq))
            .item("previous", text(&link.previous))
            .item("entry", AttributeValue::B(Blob::new(sealed)))
            .item("hash", text(&link.hash))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(Error::failed("writing an audit entry"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn put_head(&self, head: &Head, next: &Head) -> Result<TransactWriteItem, Error> {
        let put = Put::builder()
            .table_name(self.store.audit_table()?)
            .item("pk", text(self.head_key()))
            .item("sk", text("head"))
            .item("seq", number(next.seq))
            .item("hash", text(&next.hash))
            .item("month", text(&next.month))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = if head.seq == 0 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("#hash = :hash")
                .expression_attribute_names("#hash", "hash")
                .expression_attribute_values(":hash", text(&head.hash))
        };
        let put = put.build().map_err(Error::failed("writing the audit trail's head"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The newest entry's number, hash and month.
    pub async fn trail_head(&self) -> Result<Head, Error> {
        let got = self
            .store
            .dynamodb
            .get_item()
            .table_name(self.store.audit_table()?)
            .key("pk", text(self.head_key()))
            .key("sk", text("head"))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed("reading the audit trail's head")(error.into_service_error()))?;
        got.item.as_ref().map_or_else(|| Ok(Head::beginning()), Head::read)
    }

    /// Entries of one month before a number, the newest first; `ascending` gives those behind it, the oldest first.
    /// The next page may lie in another month: the caller goes on there.
    pub async fn trail(&self, month: &str, from: Option<u64>, ascending: bool, limit: i32) -> Result<TrailPage, Error> {
        let keys = self.keys().await?;
        let pk = self.trail_key(month);
        let mut query = self
            .store
            .dynamodb
            .query()
            .table_name(self.store.audit_table()?)
            .scan_index_forward(ascending)
            .consistent_read(true)
            .expression_attribute_values(":pk", text(&pk))
            .limit(limit);
        query = match from {
            Some(seq) => query
                .key_condition_expression(if ascending { "pk = :pk AND sk > :sk" } else { "pk = :pk AND sk < :sk" })
                .expression_attribute_values(":sk", text(seq_key(seq))),
            None => query.key_condition_expression("pk = :pk"),
        };
        let found =
            query.send().await.map_err(|error| Error::failed("reading the audit trail")(error.into_service_error()))?;
        let links = found.items().iter().map(|item| open_link(&keys, &pk, item)).collect::<Result<Vec<_>, _>>()?;
        let more = found.last_evaluated_key().is_some();
        let next = links.last().filter(|_| more).map(|link| (month.to_owned(), link.seq));
        Ok(TrailPage { links, next })
    }

    /// Gives every entry behind a number to `visit`, the oldest first, from one month to another, page by page: memory
    /// does not grow with the trail. Ends early where `visit` says so.
    pub async fn walk_trail(
        &self,
        months: impl IntoIterator<Item = String>,
        behind: u64,
        mut visit: impl FnMut(Link) -> Result<ControlFlow<()>, Error>,
    ) -> Result<(), Error> {
        let mut seq = behind;
        for month in months {
            loop {
                let page = self.trail(&month, Some(seq), true, WALK).await?;
                for link in page.links {
                    seq = link.seq;
                    if visit(link)?.is_break() {
                        return Ok(());
                    }
                }
                if page.next.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    fn trail_key(&self, month: &str) -> String {
        format!("{}#{month}", self.tenant.id())
    }

    fn head_key(&self) -> String {
        format!("head#{}", self.tenant.id())
    }
}

/// Whether an entry is there already though the head before it still is what we know, and nobody is writing it.
fn is_damaged(trail: &[CancellationReason]) -> bool {
    let [entry, head] = trail else { return false };
    let head_stands = head.code().is_none_or(|code| code == "None");
    entry.code() == Some("ConditionalCheckFailed") && head_stands
}

/// How long to wait after a try, never twice the same.
pub(super) fn wait(turn: u32) -> Result<Duration, Error> {
    let mut random = [0; 2];
    aws_lc_rs::rand::fill(&mut random)
        .map_err(|_| Error::Failed { doing: "waiting", source: "no random bytes".into() })?;
    let share = f64::from(u16::from_be_bytes(random)) / f64::from(u16::MAX);
    Ok((WAIT * (turn + 1)).mul_f64(share))
}

/// What became of changes that were to be written with their audit entry.
#[derive(Debug)]
pub(super) enum Written {
    /// All is written.
    Done,
    /// Nothing is; why, for each change.
    Refused(Vec<CancellationReason>),
}

/// An item as a link. One whose entry does not open was changed behind our back: it becomes a link without an entry, which
/// no chain takes, so that whoever checks is told its number.
fn open_link(keys: &TenantKeys, pk: &str, item: &Item) -> Result<Link, Error> {
    let sk = get_text(item, "sk")?;
    let place = Place { table: "audit", pk, sk, attribute: "entry" };
    let sealed = item.get("entry").and_then(|value| value.as_b().ok());
    let entry = sealed.and_then(|sealed| keys.open(&SubjectSalt::of_place(pk, ""), place, sealed.as_ref()).ok());
    let entry = entry.and_then(|entry| String::from_utf8(entry.to_vec()).ok());
    Ok(Link {
        seq: sk.parse().map_err(|_| damaged("sk"))?,
        previous: get_text(item, "previous").unwrap_or_default().to_owned(),
        entry: entry.unwrap_or_default(),
        hash: get_text(item, "hash").unwrap_or_default().to_owned(),
    })
}

/// The months from one to another, both included, in order; none where one of them is not a month.
pub fn months(from: &str, to: &str) -> impl Iterator<Item = String> + use<> {
    let read = |month: &str| {
        let (year, month) = month.split_once('-')?;
        let (year, month): (i32, i32) = (year.parse().ok()?, month.parse().ok()?);
        ((2000..10_000).contains(&year) && (1..=12).contains(&month)).then(|| year * 12 + month - 1)
    };
    let (from, to) = read(from).zip(read(to)).unwrap_or((1, 0));
    (from..=to).map(|n| format!("{:04}-{:02}", n / 12, n % 12 + 1))
}

/// The month under which an entry lies, in UTC.
#[must_use]
pub fn month(at: Timestamp) -> String {
    let date = at.to_zoned(TimeZone::UTC).date();
    format!("{:04}-{:02}", date.year(), date.month())
}

fn seq_key(seq: u64) -> String {
    format!("{seq:012}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_was_too_late_waits_longer_each_time_and_never_too_long_in_all() {
        let longest: Duration = (0..TRIES).map(|turn| WAIT * (turn + 1)).sum();
        assert!(longest < Duration::from_secs(10), "{longest:?}");
        let waits: std::collections::BTreeSet<Duration> = (0..50).map(|_| wait(TRIES).unwrap()).collect();
        assert!(waits.len() > 40 && waits.iter().all(|it| *it <= WAIT * (TRIES + 1)));
    }

    #[test]
    fn an_entry_past_its_head_is_damage_and_a_head_that_is_being_written_is_not() {
        let reasons =
            |entry: &str, head: &str| [entry, head].map(|code| CancellationReason::builder().code(code).build());
        assert!(is_damaged(&reasons("ConditionalCheckFailed", "None")));
        assert!(!is_damaged(&reasons("ConditionalCheckFailed", "TransactionConflict")));
        assert!(!is_damaged(&reasons("ConditionalCheckFailed", "ConditionalCheckFailed")));
        assert!(!is_damaged(&reasons("None", "TransactionConflict")));
        assert!(!is_damaged(&[]));
    }

    #[test]
    fn months_are_counted_across_years() {
        let counted: Vec<String> = months("2026-11", "2027-02").collect();
        assert_eq!(counted, ["2026-11", "2026-12", "2027-01", "2027-02"]);
        assert_eq!(months("2027-02", "2027-02").count(), 1);
        for (from, to) in [("2027-03", "2027-02"), ("", "2027-02"), ("2027-13", "2028-01"), ("-1-1", "2027-01")] {
            assert_eq!(months(from, to).count(), 0, "{from} {to}");
        }
    }
}
