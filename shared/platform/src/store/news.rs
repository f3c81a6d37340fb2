//! News: which requests came in, in an order of their own, and until where each person was told. In the table of the agenda.
//!
//! | partition | sort | holds |
//! |---|---|---|
//! | `news#` tenant | `n#` number | the references that came in together, and when |
//! | | `came#` reference | that this one is among the news, so that it is there once |
//! | | `begun#` time `#` reference | a call that has not come to its end: looked at when it should have |
//! | | `told#` user | the number until which they were told, and until which they are just being told |
//!
//! Numbers have no gaps and a number is given in the transaction that writes the news: whoever has read until one has missed
//! nothing before it, however late the stream brought it. Nothing here says more of a request than its reference.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put, TransactWriteItem};
use domain::reference::Reference;
use domain::request::State;
use domain::user::UserId;
use jiff::{SignedDuration, Timestamp};

use super::inbox::{Line, line, names, projection};
use super::requests::partition;
use super::tallies::{StreamRecord, image_text, unreadable};
use super::{Item, TenantStore, damaged, get_parsed, get_text, number, text};
use crate::Error;
use crate::tenant::Tenant;

/// Nobody reads news that are older (`domain::alert::NEWS_FOR`).
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 14);
/// A request that was left unfinished may be finished much later, and is no news then.
const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(24 * 400);
/// DynamoDB takes 100 items in one transaction and reads as many at once.
const AT_ONCE: usize = 90;
const TRIES: u32 = 8;
const WAIT: Duration = Duration::from_millis(40);

/// What the stream tells of a request that is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Came {
    /// Whose it is.
    pub tenant: Tenant,
    /// Its number.
    pub reference: Reference,
    /// Whether it is only begun: the caller may be on the line.
    pub begun: bool,
    /// Whether its receipt is to be confirmed in writing: the law asks for it, nobody did, and there is an e-mail address.
    pub to_confirm: bool,
}

/// Requests that came in together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Counts up, without gaps.
    pub number: u64,
    /// When they came, within seconds.
    pub at: Timestamp,
    /// Which.
    pub references: Vec<Reference>,
}

/// Until where somebody was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Until this number.
    pub until: u64,
    /// Until this one they are just being told.
    pub telling: Option<u64>,
}

impl StreamRecord {
    /// A request that has just come in, or has just begun to: nothing for every other change.
    pub fn came(&self) -> Result<Option<Came>, Error> {
        let of = &self.dynamodb;
        let Ok(reference) = Reference::parse(image_text(&of.keys, "sk")?) else { return Ok(None) };
        let (tenant, _) = image_text(&of.keys, "pk")?.split_once('#').ok_or_else(|| unreadable("pk"))?;
        let Some(new) = &of.new_image else { return Ok(None) };
        let state = |image| State::parse(image_text(image, "state")?).ok_or_else(|| unreadable("state"));
        let (is, was) = (state(new)?, of.old_image.as_ref().map(state).transpose()?);
        let begun = is == State::Incomplete;
        let new_now = if begun { was.is_none() } else { was.is_none_or(|was| was == State::Incomplete) };
        // What was closed as it came, such as a browser's signal, asks nothing of anybody.
        if !new_now || !is.is_open() {
            return Ok(None);
        }
        let has = |name: &str| new.contains_key(name);
        let to_confirm = !begun && has("confirm_by") && !has("confirmed_at") && (has("email") || has("agent_email"));
        Ok(Some(Came { tenant: Tenant::trusted(tenant), reference, begun, to_confirm }))
    }
}

impl TenantStore<'_> {
    /// Writes down that requests came in; each is among the news once, however often this is said.
    pub async fn add_news(&self, references: &[Reference]) -> Result<(), Error> {
        let unique: BTreeSet<&str> = references.iter().map(Reference::as_str).collect();
        let unique: Vec<&str> = unique.into_iter().collect();
        for some in unique.chunks(AT_ONCE) {
            self.add_some(some.to_vec()).await?;
        }
        Ok(())
    }

    async fn add_some(&self, mut references: Vec<&str>) -> Result<(), Error> {
        for tries in 1..=TRIES {
            if references.is_empty() {
                return Ok(());
            }
            let (now, next) = (self.store.clock.now(), self.newest_news().await? + 1);
            let which = references.iter().map(|it| text(*it)).collect();
            let mut items = vec![self.put_news(&news_key(next), now + KEPT, |put| {
                put.item("at", text(now.to_string())).item("which", AttributeValue::L(which))
            })?];
            for reference in &references {
                items.push(self.put_news(&format!("came#{reference}"), now + KNOWN_FOR, |put| put)?);
            }
            let written = self.store.dynamodb.transact_write_items().set_transact_items(Some(items)).send().await;
            let canceled = match written.map_err(SdkError::into_service_error) {
                Ok(_) => return Ok(()),
                Err(TransactWriteItemsError::TransactionCanceledException(canceled)) => canceled,
                Err(error) => return Err(Error::failed("writing news")(error)),
            };
            // Those that are news already are none; where only the number was taken, it is tried with the next.
            let mut reasons = canceled.cancellation_reasons().iter().skip(1);
            references.retain(|_| reasons.next().and_then(|it| it.code()) != Some("ConditionalCheckFailed"));
            tokio::time::sleep(WAIT * tries).await;
        }
        Err(Error::Failed { doing: "writing news", source: "too many come in at once".into() })
    }

    fn put_news(
        &self,
        sk: &str,
        ends: Timestamp,
        with: impl FnOnce(aws_sdk_dynamodb::types::builders::PutBuilder) -> aws_sdk_dynamodb::types::builders::PutBuilder,
    ) -> Result<TransactWriteItem, Error> {
        let put = Put::builder()
            .table_name(self.store.agenda_table()?)
            .item("pk", text(self.news_partition()))
            .item("sk", text(sk))
            .item("expires_at", number(ends.as_second()))
            .condition_expression("attribute_not_exists(pk)");
        let put = with(put).build().map_err(Error::failed("writing news"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The number of the newest news; 0 before the first.
    pub async fn newest_news(&self) -> Result<u64, Error> {
        let found = self
            .store
            .dynamodb
            .query()
            .table_name(self.store.agenda_table()?)
            .key_condition_expression("pk = :pk AND begins_with(sk, :news)")
            .expression_attribute_values(":pk", text(self.news_partition()))
            .expression_attribute_values(":news", text("n#"))
            .scan_index_forward(false)
            .consistent_read(true)
            .limit(1)
            .send()
            .await
            .map_err(|error| Error::failed("reading news")(error.into_service_error()))?;
        // Where all have expired, numbers begin where somebody was told last: nobody is before the first.
        match found.items().first() {
            Some(item) => Ok(read_news(item)?.number),
            None => Ok(self.told().await?.values().map(|told| told.telling.unwrap_or(told.until)).max().unwrap_or(0)),
        }
    }

    /// The news behind a number, in their order: at most so many.
    pub async fn news_after(&self, after: u64, most: i32) -> Result<Vec<News>, Error> {
        let found = self
            .store
            .dynamodb
            .query()
            .table_name(self.store.agenda_table()?)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(self.news_partition()))
            .expression_attribute_values(":from", text(news_key(after + 1)))
            .expression_attribute_values(":to", text("n#~"))
            .consistent_read(true)
            .limit(most)
            .send()
            .await
            .map_err(|error| Error::failed("reading news")(error.into_service_error()))?;
        found.items().iter().map(read_news).collect()
    }

    /// Until where each person was told.
    pub async fn told(&self) -> Result<BTreeMap<UserId, Told>, Error> {
        let mut told = BTreeMap::new();
        let mut place = None;
        loop {
            let found = self
                .store
                .dynamodb
                .query()
                .table_name(self.store.agenda_table()?)
                .key_condition_expression("pk = :pk AND begins_with(sk, :told)")
                .expression_attribute_values(":pk", text(self.news_partition()))
                .expression_attribute_values(":told", text("told#"))
                .consistent_read(true)
                .set_exclusive_start_key(place)
                .send()
                .await
                .map_err(|error| Error::failed("reading who was told")(error.into_service_error()))?;
            for item in found.items() {
                let user = get_parsed(item, "sk", |sk| UserId::parse(sk.strip_prefix("told#")?).ok())?;
                let until = whole(item, "until").ok_or_else(|| damaged("until"))?;
                told.insert(user, Told { until, telling: whole(item, "telling") });
            }
            place = found.last_evaluated_key;
            if place.is_none() {
                return Ok(told);
            }
        }
    }

    /// Notes that somebody is about to be told until a number, or that they were; `seen` is what was noted before. False where
    /// somebody else noted something meanwhile.
    pub async fn note_told(&self, user: &UserId, seen: Option<Told>, now: Told) -> Result<bool, Error> {
        let update = self
            .store
            .dynamodb
            .update_item()
            .table_name(self.store.agenda_table()?)
            .key("pk", text(self.news_partition()))
            .key("sk", text(format!("told#{user}")))
            .expression_attribute_names("#until", "until")
            .expression_attribute_names("#telling", "telling")
            .expression_attribute_values(":until", number(now.until));
        let update = match now.telling {
            Some(telling) => update
                .update_expression("SET #until = :until, #telling = :telling")
                .expression_attribute_values(":telling", number(telling)),
            None => update.update_expression("SET #until = :until REMOVE #telling"),
        };
        let update = match seen {
            None => update.condition_expression("attribute_not_exists(#until) AND attribute_not_exists(#telling)"),
            Some(Told { until, telling: None }) => update
                .condition_expression("#until = :seen AND attribute_not_exists(#telling)")
                .expression_attribute_values(":seen", number(until)),
            Some(Told { until, telling: Some(telling) }) => update
                .condition_expression("#until = :seen AND #telling = :seen_telling")
                .expression_attribute_values(":seen", number(until))
                .expression_attribute_values(":seen_telling", number(telling)),
        };
        match update.send().await.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(true),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(false),
            Err(error) => Err(Error::failed("noting who was told")(error)),
        }
    }

    /// Writes down that a call has begun a request.
    pub async fn note_begun(&self, reference: &Reference, at: Timestamp) -> Result<(), Error> {
        self.store
            .dynamodb
            .put_item()
            .table_name(self.store.agenda_table()?)
            .item("pk", text(self.news_partition()))
            .item("sk", text(begun_key(at, reference.as_str())))
            .item("expires_at", number((at + KEPT).as_second()))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Error::failed("noting a call")(error.into_service_error()))
    }

    /// Makes those news that were begun until a time and never finished, and forgets the rest: how many became news, and whether
    /// there is more to look at.
    pub async fn sweep_begun(&self, until: Timestamp) -> Result<(u64, bool), Error> {
        let table = self.store.agenda_table()?;
        let found = self
            .store
            .dynamodb
            .query()
            .table_name(table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(self.news_partition()))
            .expression_attribute_values(":from", text("begun#"))
            .expression_attribute_values(":to", text(begun_key(until, "~")))
            .consistent_read(true)
            .limit(i32::try_from(AT_ONCE).unwrap_or_default())
            .send()
            .await
            .map_err(|error| {
                Error::failed("looking for calls that were left unfinished")(error.into_service_error())
            })?;
        let mut begun = vec![];
        for item in found.items() {
            let sk = get_text(item, "sk")?;
            let reference = sk.rsplit('#').next().and_then(|it| Reference::parse(it).ok());
            begun.push((sk.to_owned(), reference.ok_or_else(|| damaged("sk"))?));
        }
        let references: Vec<Reference> = begun.iter().map(|(_, reference)| reference.clone()).collect();
        let lines = self.lines(&references).await?;
        let left: Vec<Reference> =
            lines.into_iter().filter(|line| line.state == State::Incomplete).map(|line| line.reference).collect();
        self.add_news(&left).await?;
        for (sk, _) in &begun {
            self.store
                .dynamodb
                .delete_item()
                .table_name(table)
                .key("pk", text(self.news_partition()))
                .key("sk", text(sk))
                .send()
                .await
                .map_err(|error| Error::failed("forgetting a call")(error.into_service_error()))?;
        }
        Ok((u64::try_from(left.len()).unwrap_or_default(), found.last_evaluated_key.is_some()))
    }

    /// These requests as they are now, in no order; those that are gone are left out.
    pub async fn lines(&self, references: &[Reference]) -> Result<Vec<Line>, Error> {
        let table = self.store.requests_table()?;
        let unique: BTreeSet<&str> = references.iter().map(Reference::as_str).collect();
        let unique: Vec<Reference> = unique.into_iter().filter_map(|it| Reference::parse(it).ok()).collect();
        let mut lines = vec![];
        for some in unique.chunks(AT_ONCE) {
            let key = |it: &Reference| {
                Item::from([
                    ("pk".to_owned(), text(partition(self.tenant.id(), it))),
                    ("sk".to_owned(), text(it.as_str())),
                ])
            };
            let keys = KeysAndAttributes::builder()
                .set_keys(Some(some.iter().map(key).collect()))
                .projection_expression(projection())
                .set_expression_attribute_names(Some(names(&[])))
                .consistent_read(true)
                .build()
                .map_err(Error::failed("reading requests"))?;
            let mut asked = HashMap::from([(table.to_owned(), keys)]);
            for tries in 0..TRIES {
                tokio::time::sleep(WAIT * tries).await;
                let got = self.store.dynamodb.batch_get_item().set_request_items(Some(asked)).send().await;
                let got = got.map_err(|error| Error::failed("reading requests")(error.into_service_error()))?;
                for item in got.responses.unwrap_or_default().into_values().flatten() {
                    lines.push(line(&item)?);
                }
                asked = got.unprocessed_keys.unwrap_or_default();
                if asked.is_empty() {
                    break;
                }
            }
            if !asked.is_empty() {
                return Err(Error::Failed { doing: "reading requests", source: "DynamoDB is throttling".into() });
            }
        }
        Ok(lines)
    }

    fn news_partition(&self) -> String {
        format!("news#{}", self.tenant.id())
    }
}

fn news_key(number: u64) -> String {
    format!("n#{number:012}")
}

/// Always of one length, so that it sorts by time.
fn begun_key(at: Timestamp, reference: &str) -> String {
    format!("begun#{:012}#{reference}", at.as_second())
}

fn read_news(item: &Item) -> Result<News, Error> {
    let which = item.get("which").and_then(|value| value.as_l().ok()).ok_or_else(|| damaged("which"))?;
    let reference =
        |it: &AttributeValue| it.as_s().ok().and_then(|it| Reference::parse(it).ok()).ok_or_else(|| damaged("which"));
    Ok(News {
        number: get_parsed(item, "sk", |sk| sk.strip_prefix("n#")?.parse().ok())?,
        at: get_parsed(item, "at", |at| at.parse().ok())?,
        references: which.iter().map(reference).collect::<Result<_, _>>()?,
    })
}

fn whole(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn image(state: &str, more: &[&str]) -> Value {
        let mut image = json!({ "state": { "S": state }, "kind": { "S": "delete" } });
        for name in more {
            image[*name] = json!({ "S": "x" });
        }
        image
    }

    fn came(sk: &str, old: Option<Value>, new: Option<Value>) -> Option<Came> {
        let mut change = json!({ "Keys": { "pk": { "S": "t-a#48" }, "sk": { "S": sk } }, "SequenceNumber": "1" });
        if let Some(old) = old {
            change["OldImage"] = old;
        }
        if let Some(new) = new {
            change["NewImage"] = new;
        }
        serde_json::from_value::<StreamRecord>(json!({ "dynamodb": change })).unwrap().came().unwrap()
    }

    #[test]
    fn a_request_is_news_when_it_is_filed_and_not_again_when_it_is_worked_on() {
        let reference = Reference::from_entropy(7);
        let sk = reference.as_str();
        let filed = |old: Option<&str>, new: &str| {
            came(sk, old.map(|it| image(it, &[])), Some(image(new, &[]))).map(|it| it.begun)
        };
        assert_eq!(filed(None, "received"), Some(false), "from a form");
        assert_eq!(filed(None, "incomplete"), Some(true), "from a call that has just begun it");
        assert_eq!(filed(Some("incomplete"), "received"), Some(false), "from a call");
        assert_eq!(filed(Some("incomplete"), "incomplete"), None, "a caller who begins again");
        assert_eq!(filed(Some("incomplete"), "withdrawn"), None);
        assert_eq!(filed(None, "completed"), None, "a browser's signal");
        for old in ["received", "in-review", "denied"] {
            assert_eq!(filed(Some(old), "in-review"), None, "{old}");
        }
        assert_eq!(came(sk, Some(image("received", &[])), None), None, "erased");
        assert_eq!(came(&format!("{sk}#note#1"), None, Some(json!({}))), None);
    }

    #[test]
    fn what_nobody_confirmed_is_to_be_confirmed_where_there_is_an_address() {
        let reference = Reference::from_entropy(7);
        for (state, has, wanted) in [
            ("received", &["confirm_by", "email"][..], true),
            ("received", &["confirm_by", "agent_email"], true),
            ("received", &["confirm_by", "contact"], false),
            ("received", &["email"], false),
            ("received", &["confirm_by", "email", "confirmed_at"], false),
            ("incomplete", &["confirm_by", "email"], false),
        ] {
            let found = came(reference.as_str(), None, Some(image(state, has))).unwrap();
            assert_eq!(found.to_confirm, wanted, "{state} {has:?}");
        }
    }

    #[test]
    fn news_and_calls_sort_by_number_and_by_time() {
        assert!(news_key(9) < news_key(10) && news_key(1_000_000).as_str() < "n#~");
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        assert!(begun_key(at(999_999_999), "9") < begun_key(at(1_790_000_000), "1"));
        assert!(begun_key(at(1_790_000_000), "999") < begun_key(at(1_790_000_000), "~"));
        let item = Item::from([
            ("sk".to_owned(), text(news_key(12))),
            ("at".to_owned(), text("2026-11-22T08:00:00Z")),
            ("which".to_owned(), AttributeValue::L(vec![text(Reference::from_entropy(7).as_str())])),
        ]);
        let read = read_news(&item).unwrap();
        assert_eq!((read.number, read.references), (12, vec![Reference::from_entropy(7)]));
    }
}
