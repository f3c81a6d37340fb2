//! What goes because it has been kept long enough: found by its day, moved into the recycle bin, taken out again, erased.
//!
//! A request in the bin is where it was, and can be found by nobody else: the keys of its indexes are put aside (`bin_` in
//! front), and in `closed-by-day` it lies under `<tenant>#bin` by the day on which it came there. `binned_on` says so; pages and
//! lists, the log and exports show nothing that has it. Restoring puts the keys back as they were.
//!
//! Erasing begins with a claim (`erasing`, on condition that nobody holds or restored the request), after which nothing stops it.
//! Then go the salts, without which nothing can be read any more, in no copy and no backup but the one day of the keys' own; then
//! files and recordings with all their versions, then what lies beside the request, and at last the request itself, in one
//! transaction with the proof in the audit trail. Whatever crashes in between is found again by the claim and gone through again.
//!
//! A recording may be told of by more than one request, because a message was found to ask for several things. It goes with the
//! last of them. A take that the caller made again is told of by none: it lies under the call, and goes with the last
//! recordings of the call that a request tells of.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, KeysAndAttributes, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use domain::audit::Entry;
use domain::personal::PersonalText;
use domain::reference::Reference;
use domain::request::{Action, Actor, Event, Kind, State};
use domain::retention::{Part, Promise, Rule, Standing};
use domain::tenant::Retention;
use domain::user::UserId;
use futures::future::try_join_all;
use jiff::Timestamp;
use jiff::civil::Date;
use partners::twilio::{CallSid, RecordingSid};
use serde::{Deserialize, Serialize};

use super::audit::Written;
use super::case::Photo;
use super::desk::{Added, Attributes, Opening, flag, list, spoken, whole};
use super::inbox::{Line, SHOWN, line, names, projection};
use super::keys::salt_key;
use super::requests::{event_map, partition};
use super::{Item, TenantStore, damaged, get_parsed, get_text, number, text};
use crate::Error;
use crate::seal::Place;

/// The attribute that tells that a request lies in the recycle bin: the day on which it came there.
pub(super) const BINNED: &str = "binned_on";
/// The attribute that tells that a request is being erased.
const ERASING: &str = "erasing";
/// By what a request is found, but by its number.
const FOUND_BY: [&str; 12] = [
    "open_pk",
    "open_sk",
    "assignee_pk",
    "assignee_sk",
    "closed_pk",
    "closed_sk",
    "received_pk",
    "received_sk",
    "contact_pk",
    "contact_sk",
    "email_pk",
    "email_sk",
];
/// Where a request in the bin keeps them.
const ASIDE: &str = "bin_";
/// So many requests are looked at between two looks at the clock.
const LOOKED_AT: i32 = 50;
/// So many items beside a request go at once.
const AT_ONCE: usize = 25;
/// More requests than that were never found in one message.
const MOST_KIN: usize = 200;

/// What keeps a request longer, and whether it lies in the recycle bin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keeping {
    /// The day on which it came into the bin, while it is there.
    pub binned_on: Option<Date>,
    /// The day on which somebody last took it out of the bin.
    pub restored_on: Option<Date>,
    /// The legal hold that it is under.
    pub hold: Option<Held>,
}

/// A legal hold. What it says is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Held {
    /// Since when.
    pub at: Timestamp,
    /// By whom: a user's id.
    pub by: String,
    /// Why; none where it cannot be opened any more.
    pub reason: Option<String>,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("at", &self.at).field("by", &self.by).finish_non_exhaustive()
    }
}

/// How far `jobs-retention` has looked, and what was promised of parts. A day is looked at once by each rule: whatever could not
/// be dealt with then has an entry of its own in the agenda.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Bookmarks {
    looked: BTreeMap<String, String>,
    promises: BTreeMap<String, Promise>,
}

impl Bookmarks {
    /// Behind which entry of its range a rule looks on.
    #[must_use]
    pub fn place(&self, rule: Rule) -> Option<&str> {
        self.looked.get(rule.code()).map(String::as_str)
    }

    /// Notes that a rule has looked at an entry of its range, and at all before it.
    pub fn looked(&mut self, rule: Rule, place: String) {
        self.looked.insert(rule.code().to_owned(), place);
    }

    /// Notes that a rule has looked at all up to a day. No number of a request stays behind.
    pub fn looked_until(&mut self, rule: Rule, day: Date) {
        let all = format!("{day}#~");
        if self.place(rule).is_none_or(|place| place < all.as_str()) {
            self.looked(rule, all);
        }
    }

    /// Brings what is promised of every part up to a day and its settings. Where nothing is noted yet, whatever was answered
    /// before was promised what the settings begin with.
    pub fn promise(&mut self, today: Date, settings: &Retention) {
        for part in Part::ALL {
            let begins = || Promise::new(part.months(&Retention::default()));
            let promise = self.promises.get(part.code()).copied().unwrap_or_else(begins);
            self.promises.insert(part.code().to_owned(), promise.on(today, part.months(settings)));
        }
    }

    /// For how many months a part is kept on the day up to which promises were brought; nothing before they were.
    #[must_use]
    pub fn in_force(&self, part: Part) -> Option<u16> {
        self.promises.get(part.code()).map(|promise| promise.in_force())
    }
}

/// A request that a rule's range has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its number.
    pub reference: Reference,
    /// Where in the range it lies.
    pub place: String,
}

/// A request in the recycle bin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InBin {
    /// As lists show it.
    pub line: Line,
    /// The day on which it came there.
    pub binned_on: Date,
    /// Where in the bin it lies.
    pub place: String,
}

/// How much of a request is being erased, counted before anything of it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasing {
    /// Since which day.
    pub on: Date,
    /// Notes.
    pub notes: u64,
    /// Files.
    pub files: u64,
    /// Messages.
    pub messages: u64,
    /// Recordings that it tells of.
    pub recordings: u64,
}

/// What retention reads of a request. Nothing of it is opened.
#[derive(Clone, Debug)]
pub struct KeptRequest {
    /// Its number.
    pub reference: Reference,
    /// What decides about it.
    pub standing: Standing,
    /// In which call it was made.
    pub call: Option<CallSid>,
    /// The recordings that it tells of.
    pub recordings: BTreeSet<RecordingSid>,
    /// Recordings that it tells of no more, and that may still be there.
    pub shredding: BTreeSet<RecordingSid>,
    /// Parts that are being erased.
    pub going: Vec<Part>,
    /// Photos of an identity document that it still tells of.
    pub photos: Vec<Photo>,
    /// By which rule it came into the bin.
    pub rule: Option<Rule>,
    /// What is being erased, where that has begun.
    pub erasing: Option<Erasing>,
    kin: Vec<Reference>,
    version: u64,
    found_by: Item,
}

/// What is read of one.
const KEPT: &[&str] = &[
    "sk",
    "kind",
    "state",
    "closed_on",
    "respond_by",
    BINNED,
    "restored_on",
    "held_at",
    "bin_rule",
    ERASING,
    "shredding",
    "going",
    "call",
    "name_recording",
    "details_recording",
    "messages",
    "photos",
    "first",
    "further",
    "kin",
    "version",
];

impl KeptRequest {
    /// Whether it still needs what was said in a call: it tells of some of it, or is held.
    #[must_use]
    pub fn keeps_call(&self, call: &CallSid) -> bool {
        self.call.as_ref() == Some(call) && (!self.recordings.is_empty() || self.standing.held)
    }

    fn read(item: &Item) -> Result<Self, Error> {
        let date = |name: &'static str| {
            let there = item.get(name).and_then(|value| value.as_s().ok());
            there.map(|date| date.parse::<Date>().map_err(|_| damaged(name))).transpose()
        };
        let clear = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str);
        let sids = |name: &'static str| {
            list(item, name)
                .map(|sid| sid.as_s().ok().and_then(|it| RecordingSid::parse(it).ok()).ok_or_else(|| damaged(name)))
                .collect::<Result<BTreeSet<_>, _>>()
        };
        let part = |code: &str| Part::ALL.into_iter().find(|part| part.code() == code);
        let kin = list(item, "further").chain(list(item, "kin")).chain(item.get("first"));
        let found_by = item.iter().filter(|(name, _)| {
            FOUND_BY.contains(&name.strip_prefix(ASIDE).unwrap_or(name)) || FOUND_BY.contains(&name.as_str())
        });
        Ok(Self {
            reference: get_parsed(item, "sk", |sk| Reference::parse(sk).ok())?,
            standing: Standing {
                kind: get_parsed(item, "kind", Kind::parse)?,
                state: get_parsed(item, "state", State::parse)?,
                closed_on: date("closed_on")?,
                respond_by: date("respond_by")?.ok_or_else(|| damaged("respond_by"))?,
                binned_on: date(BINNED)?,
                restored_on: date("restored_on")?,
                held: item.contains_key("held_at"),
            },
            call: clear("call").and_then(|sid| CallSid::parse(sid).ok()),
            recordings: spoken(item)?.into_iter().map(|it| it.recording).collect(),
            shredding: sids("shredding")?,
            going: list(item, "going").filter_map(|code| part(code.as_s().ok()?)).collect(),
            photos: list(item, "photos").filter_map(|it| Photo::read(it.as_s().ok()?)).collect(),
            rule: clear("bin_rule").and_then(Rule::parse),
            erasing: clear(ERASING).map(|it| serde_json::from_str(it).map_err(|_| damaged(ERASING))).transpose()?,
            kin: kin.filter_map(|it| Reference::parse(it.as_s().ok()?).ok()).collect(),
            version: whole(item, "version").unwrap_or_default(),
            found_by: found_by.map(|(name, value)| (name.clone(), value.clone())).collect(),
        })
    }
}

/// What lies beside a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beside {
    Notes,
    Files,
    Messages,
}

impl Beside {
    const ALL: [Self; 3] = [Self::Notes, Self::Files, Self::Messages];

    const fn of(part: Part) -> Option<Self> {
        match part {
            Part::Recordings => None,
            Part::Correspondence => Some(Self::Messages),
            Part::Attachments | Part::Answers => Some(Self::Files),
        }
    }

    fn prefix(self, reference: &Reference) -> String {
        let sort = match self {
            Self::Notes => "note",
            Self::Files => "file",
            Self::Messages => "msg",
        };
        format!("{}#{sort}#", reference.as_str())
    }
}

impl TenantStore<'_> {
    /// How far was looked.
    pub async fn bookmarks(&self) -> Result<Bookmarks, Error> {
        let item = self.account_item("retention", "reading how far was looked").await?;
        let Some(item) = item else { return Ok(Bookmarks::default()) };
        serde_json::from_str(get_text(&item, "settings")?).map_err(|_| damaged("settings"))
    }

    /// Writes down how far was looked. Two that look at once look twice, and nothing is left out.
    pub async fn keep_bookmarks(&self, bookmarks: &Bookmarks) -> Result<(), Error> {
        let settings = serde_json::to_string(bookmarks).map_err(Error::failed("noting how far was looked"))?;
        self.store
            .dynamodb
            .put_item()
            .table_name(self.store.accounts_table()?)
            .item("pk", text(self.tenant.id().as_str()))
            .item("sk", text("retention"))
            .item("settings", text(settings))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Error::failed("noting how far was looked")(error.into_service_error()))
    }

    /// A part of a rule's range up to a day, the oldest first, behind a place; and whether there is more.
    pub async fn look(&self, rule: Rule, until: Date, behind: Option<&str>) -> Result<(Vec<Found>, bool), Error> {
        let tenant = self.tenant.id();
        let (index, pk_name, sk_name, pk) = match rule {
            Rule::Bin => ("closed-by-day", "closed_pk", "closed_sk", bin_key(tenant.as_str())),
            Rule::Unfinished => ("open-by-due", "open_pk", "open_sk", tenant.as_str().to_owned()),
            Rule::Requests | Rule::Messages | Rule::Part(_) => {
                ("closed-by-day", "closed_pk", "closed_sk", tenant.as_str().to_owned())
            }
        };
        let Some((from, to)) = range(until, behind) else { return Ok((vec![], false)) };
        let found = self
            .store
            .dynamodb
            .query()
            .table_name(self.store.requests_table()?)
            .index_name(index)
            .key_condition_expression("#pk = :pk AND #place BETWEEN :from AND :to")
            .projection_expression("sk, #place")
            .expression_attribute_names("#pk", pk_name)
            .expression_attribute_names("#place", sk_name)
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to))
            .limit(LOOKED_AT)
            .send()
            .await
            .map_err(|error| Error::failed("looking for what has been kept long enough")(error.into_service_error()))?;
        let read = |item: &Item| {
            Ok(Found {
                reference: get_parsed(item, "sk", |sk| Reference::parse(sk).ok())?,
                place: get_text(item, sk_name)?.to_owned(),
            })
        };
        let more = found.last_evaluated_key().is_some();
        Ok((found.items().iter().map(read).collect::<Result<_, Error>>()?, more))
    }

    /// What retention needs of a request; nothing where it is gone.
    pub async fn kept_request(&self, reference: &Reference) -> Result<Option<KeptRequest>, Error> {
        let aside = FOUND_BY.map(|name| format!("{ASIDE}{name}"));
        let all = KEPT.iter().copied().chain(FOUND_BY).chain(aside.iter().map(String::as_str));
        let mut get = self
            .store
            .dynamodb
            .get_item()
            .table_name(self.store.requests_table()?)
            .key("pk", text(partition(self.tenant.id(), reference)))
            .key("sk", text(reference.as_str()))
            .consistent_read(true);
        let mut projection = vec![];
        for name in all {
            projection.push(format!("#{name}"));
            get = get.expression_attribute_names(format!("#{name}"), name);
        }
        let got = get.projection_expression(projection.join(", ")).send().await;
        let got = got.map_err(|error| Error::failed("reading a request")(error.into_service_error()))?;
        got.item.as_ref().map(KeptRequest::read).transpose()
    }

    /// Moves a request into the recycle bin, if it still is as it was read and nobody holds it; whether that is so.
    pub async fn bin_request(&self, kept: &KeptRequest, on: Date, rule: Rule, entry: &Entry) -> Result<bool, Error> {
        let mut to = Attributes::default();
        for (name, value) in kept.found_by.iter().filter(|(name, _)| FOUND_BY.contains(&name.as_str())) {
            to.set(&format!("{ASIDE}{name}"), value.clone());
            if !matches!(name.as_str(), "closed_pk" | "closed_sk") {
                to.remove(name);
            }
        }
        to.set("closed_pk", text(bin_key(self.tenant.id().as_str())));
        to.set("closed_sk", text(format!("{on}#{}", kept.reference.as_str())));
        to.set(BINNED, text(on.to_string()));
        to.set("bin_rule", text(rule.code()));
        self.replace(kept, to, "attribute_not_exists(#binned_on)", entry).await
    }

    /// Takes a request out of the recycle bin, if it still is as it was read; whether that is so.
    pub async fn restore_request(&self, kept: &KeptRequest, on: Date, entry: &Entry) -> Result<bool, Error> {
        let mut to = Attributes::default();
        for name in FOUND_BY {
            let aside = format!("{ASIDE}{name}");
            match kept.found_by.get(&aside) {
                Some(value) => {
                    to.set(name, value.clone());
                    to.remove(&aside);
                }
                None if matches!(name, "closed_pk" | "closed_sk") => to.remove(name),
                None => {}
            }
        }
        to.remove(BINNED);
        to.remove("bin_rule");
        to.set("restored_on", text(on.to_string()));
        self.replace(kept, to, "attribute_exists(#binned_on) AND attribute_not_exists(#erasing)", entry).await
    }

    /// Changes a request that nobody has changed since it was read, with its audit entry; whether that was so.
    async fn replace(&self, kept: &KeptRequest, mut to: Attributes, so: &str, entry: &Entry) -> Result<bool, Error> {
        to.set("version", number(kept.version + 1));
        let mut condition = vec![so];
        if kept.version == 0 {
            condition.push("attribute_exists(pk) AND attribute_not_exists(#version)");
        } else {
            condition.push("#version = :seen");
            to.values.insert(":seen".to_owned(), number(kept.version));
        }
        // Whoever restores may do so under a hold; whatever goes may not.
        if so.contains("attribute_not_exists(#binned_on)") {
            condition.push("attribute_not_exists(#held_at)");
            to.names.insert("#held_at".to_owned(), "held_at".to_owned());
        }
        to.names.insert("#binned_on".to_owned(), BINNED.to_owned());
        if so.contains("#erasing") {
            to.names.insert("#erasing".to_owned(), ERASING.to_owned());
        }
        let update = Update::builder()
            .table_name(self.store.requests_table()?)
            .key("pk", text(partition(self.tenant.id(), &kept.reference)))
            .key("sk", text(kept.reference.as_str()))
            .update_expression(to.expression())
            .condition_expression(condition.join(" AND "))
            .set_expression_attribute_names(Some(to.names))
            .set_expression_attribute_values(Some(to.values))
            .build()
            .map_err(Error::failed("changing a request"))?;
        let written = self.write_audited(&[TransactWriteItem::builder().update(update).build()], entry).await?;
        Ok(matches!(written, Written::Done))
    }

    /// A page of the recycle bin, what came there last first, behind a place.
    pub async fn bin_page(&self, behind: Option<&str>) -> Result<(Vec<InBin>, bool), Error> {
        let mut query = self
            .store
            .dynamodb
            .query()
            .table_name(self.store.requests_table()?)
            .index_name("closed-by-day")
            .projection_expression(format!("{}, #closed_sk", projection()))
            .set_expression_attribute_names(Some(names(&["closed_pk", "closed_sk"])))
            .expression_attribute_values(":pk", text(bin_key(self.tenant.id().as_str())))
            .scan_index_forward(false)
            .limit(i32::try_from(SHOWN).unwrap_or(LOOKED_AT));
        query = match behind {
            Some(place) => query
                .key_condition_expression("#closed_pk = :pk AND #closed_sk < :place")
                .expression_attribute_values(":place", text(place)),
            None => query.key_condition_expression("#closed_pk = :pk"),
        };
        let found = query.send().await;
        let found = found.map_err(|error| Error::failed("reading the recycle bin")(error.into_service_error()))?;
        let read = |item: &Item| {
            let place = get_text(item, "closed_sk")?;
            let binned_on = place.split('#').next().and_then(|day| day.parse().ok());
            Ok(InBin {
                line: line(item)?,
                binned_on: binned_on.ok_or_else(|| damaged("closed_sk"))?,
                place: place.to_owned(),
            })
        };
        let more = found.last_evaluated_key().is_some();
        Ok((found.items().iter().map(read).collect::<Result<_, Error>>()?, more))
    }

    /// Which of these requests are under a legal hold; at most as many as a page of the bin has.
    pub async fn held_among(&self, references: &[Reference]) -> Result<BTreeSet<String>, Error> {
        if references.is_empty() {
            return Ok(BTreeSet::new());
        }
        let table = self.store.requests_table()?;
        let key = |it: &Reference| {
            let pk = partition(self.tenant.id(), it);
            Item::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(it.as_str()))])
        };
        let asked = KeysAndAttributes::builder()
            .set_keys(Some(references.iter().take(100).map(key).collect()))
            .projection_expression("sk, held_at")
            .build()
            .map_err(Error::failed("reading which requests are held"))?;
        let got = self.store.dynamodb.batch_get_item().request_items(table, asked).send().await;
        let got = got.map_err(|error| Error::failed("reading which requests are held")(error.into_service_error()))?;
        if got.unprocessed_keys().is_some_and(|left| !left.is_empty()) {
            return Err(Error::Failed {
                doing: "reading which requests are held",
                source: "DynamoDB is throttling".into(),
            });
        }
        let items = got.responses.and_then(|mut tables| tables.remove(table)).unwrap_or_default();
        let held = items.iter().filter(|item| item.contains_key("held_at"));
        held.map(|item| get_text(item, "sk").map(str::to_owned)).collect()
    }

    /// Puts a request under a legal hold, also in the recycle bin. `Other` where it is under one, `NotFound` where there is none
    /// or it is being erased already.
    pub async fn place_hold(
        &self,
        reference: &Reference,
        by: &UserId,
        reason: &PersonalText,
        entry: &Entry,
    ) -> Result<Added, Error> {
        let (keys, salt) = (self.keys().await?, self.salt(reference.as_str()).await?);
        let (pk, sk) = (partition(self.tenant.id(), reference), reference.as_str());
        let sealed =
            keys.seal(&salt, Place { table: "requests", pk: &pk, sk, attribute: "hold" }, reason.as_str().as_bytes())?;
        let update = Update::builder()
            .table_name(self.store.requests_table()?)
            .key("pk", text(&pk))
            .key("sk", text(sk))
            // From now on the hotline cannot begin it anew, with another salt.
            .update_expression("SET #hold = :hold, #held_at = :at, #held_by = :by, #worked = :worked")
            .condition_expression(
                "attribute_exists(pk) AND attribute_not_exists(#held_at) AND attribute_not_exists(#erasing)",
            )
            .expression_attribute_names("#hold", "hold")
            .expression_attribute_names("#held_at", "held_at")
            .expression_attribute_names("#held_by", "held_by")
            .expression_attribute_names("#worked", "worked")
            .expression_attribute_names("#erasing", ERASING)
            .expression_attribute_values(":hold", AttributeValue::B(Blob::new(sealed)))
            .expression_attribute_values(":at", text(entry.at.to_string()))
            .expression_attribute_values(":by", text(by.as_str()))
            .expression_attribute_values(":worked", AttributeValue::Bool(true))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(Error::failed("holding a request"))?;
        match self.write_audited(&[TransactWriteItem::builder().update(update).build()], entry).await? {
            Written::Done => Ok(Added::Done(())),
            Written::Refused(reasons) => {
                let there = reasons.first().and_then(|reason| reason.item());
                if there.is_some_and(|item| item.contains_key("held_at")) {
                    Ok(Added::Other)
                } else {
                    Err(Error::NotFound)
                }
            }
        }
    }

    /// Lifts a legal hold; whether there was one.
    pub async fn lift_hold(&self, reference: &Reference, entry: &Entry) -> Result<bool, Error> {
        let update = Update::builder()
            .table_name(self.store.requests_table()?)
            .key("pk", text(partition(self.tenant.id(), reference)))
            .key("sk", text(reference.as_str()))
            .update_expression("REMOVE #hold, #held_at, #held_by")
            .condition_expression("attribute_exists(#held_at)")
            .expression_attribute_names("#hold", "hold")
            .expression_attribute_names("#held_at", "held_at")
            .expression_attribute_names("#held_by", "held_by")
            .build()
            .map_err(Error::failed("lifting a hold"))?;
        let written = self.write_audited(&[TransactWriteItem::builder().update(update).build()], entry).await?;
        Ok(matches!(written, Written::Done))
    }

    // ── Parts ──

    /// Has a request let go of a part, with an event and its audit entry, if it still is as it was read and nobody holds it.
    /// Whether there is anything to be erased.
    pub async fn expire_part(&self, kept: &KeptRequest, part: Part, entry: &Entry) -> Result<bool, Error> {
        let count = match Beside::of(part) {
            Some(_) => self.items_of(&kept.reference, part).await?.len(),
            None => kept.recordings.len(),
        };
        if count == 0 {
            return Ok(false);
        }
        let state = kept.standing.state;
        let why = part.code().to_owned();
        let who = Actor::System { function: "jobs-retention".to_owned() };
        let event = Event { at: entry.at, who, action: Action::Expire, from: state, to: state, why };
        let mut to = Attributes::default();
        if part == Part::Recordings {
            for name in ["name_recording", "details_recording", "messages"] {
                to.remove(name);
            }
            let sids = kept.recordings.iter().map(|sid| text(sid.as_str())).collect();
            to.set("shredding", AttributeValue::L(sids));
        }
        let going = kept.going.iter().copied().chain([part]).map(|part| text(part.code())).collect();
        to.set("going", AttributeValue::L(going));
        to.values.insert(":news".to_owned(), AttributeValue::L(vec![event_map(&event)?]));
        to.set.push("#events = list_append(#events, :news)".to_owned());
        to.names.insert("#events".to_owned(), "events".to_owned());
        let entry = entry.clone().with("part", part.code()).with("count", count.to_string());
        if self.replace(kept, to, "attribute_not_exists(#binned_on)", &entry).await? {
            Ok(true)
        } else {
            // Somebody was faster.
            Err(Error::Conflict)
        }
    }

    /// Erases the messages or the files beside a request.
    pub async fn erase_part(&self, reference: &Reference, part: Part) -> Result<(), Error> {
        self.erase_items(reference, self.items_of(reference, part).await?).await
    }

    /// The ids of the files that whoever asked may download.
    pub async fn answer_files(&self, reference: &Reference) -> Result<BTreeSet<String>, Error> {
        let prefix = Beside::Files.prefix(reference);
        let answers = self.items_of(reference, Part::Answers).await?;
        Ok(answers.iter().filter_map(|sk| sk.strip_prefix(&prefix)).map(str::to_owned).collect())
    }

    /// The sort keys of what is of a part beside a request.
    async fn items_of(&self, reference: &Reference, part: Part) -> Result<Vec<String>, Error> {
        let Some(beside) = Beside::of(part) else { return Ok(vec![]) };
        let items = self.items_beside(reference, beside).await?;
        let of_part = items.into_iter().filter(|(_, shared)| match part {
            Part::Attachments => !shared,
            Part::Answers => *shared,
            Part::Recordings | Part::Correspondence => true,
        });
        Ok(of_part.map(|(sk, _)| sk).collect())
    }

    /// Notes that a part is gone.
    pub async fn part_is_gone(&self, kept: &KeptRequest, part: Part) -> Result<(), Error> {
        let rest: Vec<AttributeValue> =
            kept.going.iter().filter(|it| **it != part).map(|part| text(part.code())).collect();
        let mut to = Attributes::default();
        to.set("going", AttributeValue::L(rest));
        if part == Part::Recordings {
            to.remove("shredding");
        }
        self.store
            .dynamodb
            .update_item()
            .table_name(self.store.requests_table()?)
            .key("pk", text(partition(self.tenant.id(), &kept.reference)))
            .key("sk", text(kept.reference.as_str()))
            .update_expression(to.expression())
            .condition_expression("attribute_exists(pk)")
            .set_expression_attribute_names(Some(to.names))
            .set_expression_attribute_values(Some(to.values))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Error::failed("noting that a part is gone")(error.into_service_error()))
    }

    // ── Erasing for good ──

    /// Claims a request for erasure, once and for all, unless it is held or was taken out of the bin meanwhile. Says how much there is
    /// of it, as it was counted when it was claimed first.
    pub async fn claim_erasure(&self, kept: &KeptRequest, today: Date) -> Result<Option<Erasing>, Error> {
        self.claim(kept, today, "attribute_exists(#binned_on)").await
    }

    /// Claims a request for erasure where a condition holds and nobody holds the request.
    pub(super) async fn claim(
        &self,
        kept: &KeptRequest,
        today: Date,
        condition: &str,
    ) -> Result<Option<Erasing>, Error> {
        if let Some(erasing) = kept.erasing {
            return Ok(Some(erasing));
        }
        let count = async |beside| Ok::<_, Error>(self.beside(&kept.reference, beside).await?.len() as u64);
        let erasing = Erasing {
            on: today,
            notes: count(Beside::Notes).await?,
            files: count(Beside::Files).await?,
            messages: count(Beside::Messages).await?,
            recordings: kept.recordings.len() as u64,
        };
        let said = serde_json::to_string(&erasing).map_err(Error::failed("claiming a request for erasure"))?;
        let condition = format!("{condition} AND attribute_not_exists(#held_at) AND attribute_not_exists(#erasing)");
        let mut claim = self
            .store
            .dynamodb
            .update_item()
            .table_name(self.store.requests_table()?)
            .key("pk", text(partition(self.tenant.id(), &kept.reference)))
            .key("sk", text(kept.reference.as_str()))
            .update_expression("SET #erasing = :said")
            .expression_attribute_names("#erasing", ERASING)
            .expression_attribute_names("#held_at", "held_at")
            .expression_attribute_values(":said", text(said));
        if condition.contains("#binned_on") {
            claim = claim.expression_attribute_names("#binned_on", BINNED);
        }
        let claimed = claim.condition_expression(condition).send().await;
        match claimed.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(Some(erasing)),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(None),
            Err(error) => Err(Error::failed("claiming a request for erasure")(error)),
        }
    }

    /// The requests that may tell of the same recordings, because one was found in the other, and that are not being erased.
    pub async fn kin(&self, kept: &KeptRequest) -> Result<Vec<KeptRequest>, Error> {
        let mut known = BTreeSet::from([kept.reference.as_str().to_owned()]);
        let mut open = kept.kin.clone();
        let mut kin = vec![];
        while let Some(next) = open.pop() {
            if kin.len() >= MOST_KIN || !known.insert(next.as_str().to_owned()) {
                continue;
            }
            let Some(other) = self.kept_request(&next).await? else { continue };
            open.extend(other.kin.iter().cloned());
            if other.erasing.is_none() {
                kin.push(other);
            }
        }
        Ok(kin)
    }

    /// Tells those that stay of each other: the one that they knew each other by goes.
    pub async fn hand_over(&self, kin: &[KeptRequest]) -> Result<(), Error> {
        for one in kin {
            let others = kin.iter().filter(|other| other.reference != one.reference);
            let others = others.map(|other| text(other.reference.as_str())).collect();
            let told = self
                .store
                .dynamodb
                .update_item()
                .table_name(self.store.requests_table()?)
                .key("pk", text(partition(self.tenant.id(), &one.reference)))
                .key("sk", text(one.reference.as_str()))
                .update_expression("SET kin = :others")
                .condition_expression("attribute_exists(pk)")
                .expression_attribute_values(":others", AttributeValue::L(others))
                .send()
                .await;
            match told.map_err(SdkError::into_service_error) {
                Ok(_) => {}
                Err(error) if error.is_conditional_check_failed_exception() => {}
                Err(error) => return Err(Error::failed("telling a request of its kin")(error)),
            }
        }
        Ok(())
    }

    /// Destroys salts: what was sealed by one cannot be opened any more, wherever a copy of it lies.
    pub async fn shred(&self, records: impl IntoIterator<Item = &str>) -> Result<(), Error> {
        for record in records {
            self.store
                .dynamodb
                .delete_item()
                .table_name(self.store.keys_table()?)
                .key("pk", text(salt_key(self.tenant.id(), record)))
                .key("sk", text("salt"))
                .send()
                .await
                .map_err(|error| Error::failed("destroying a salt")(error.into_service_error()))?;
        }
        Ok(())
    }

    /// Erases the notes, files and messages beside a request.
    pub async fn erase_beside(&self, reference: &Reference) -> Result<(), Error> {
        for beside in Beside::ALL {
            self.erase_items(reference, self.beside(reference, beside).await?).await?;
        }
        Ok(())
    }

    /// Erases the request itself, in one transaction with the proof. One that is gone already needs none.
    pub async fn erase_request(&self, reference: &Reference, proof: &Entry) -> Result<(), Error> {
        let delete = Delete::builder()
            .table_name(self.store.requests_table()?)
            .key("pk", text(partition(self.tenant.id(), reference)))
            .key("sk", text(reference.as_str()))
            .condition_expression("attribute_exists(#erasing)")
            .expression_attribute_names("#erasing", ERASING)
            .build()
            .map_err(Error::failed("erasing a request"))?;
        // Refused where another worker was faster: the proof is there.
        self.write_audited(&[TransactWriteItem::builder().delete(delete).build()], proof).await.map(|_| ())
    }

    /// The sort keys of what lies beside a request.
    async fn beside(&self, reference: &Reference, beside: Beside) -> Result<Vec<String>, Error> {
        let items = self.items_beside(reference, beside).await?;
        Ok(items.into_iter().map(|(sk, _)| sk).collect())
    }

    /// The same, with whether whoever asked may download it.
    async fn items_beside(&self, reference: &Reference, beside: Beside) -> Result<Vec<(String, bool)>, Error> {
        let (mut keys, mut after) = (vec![], None);
        loop {
            let found = self
                .store
                .dynamodb
                .query()
                .table_name(self.store.requests_table()?)
                .key_condition_expression("pk = :pk AND begins_with(sk, :beside)")
                .expression_attribute_values(":pk", text(partition(self.tenant.id(), reference)))
                .expression_attribute_values(":beside", text(beside.prefix(reference)))
                .projection_expression("sk, #shared")
                .expression_attribute_names("#shared", "shared")
                .consistent_read(true)
                .set_exclusive_start_key(after)
                .send()
                .await
                .map_err(|error| Error::failed("reading what lies beside a request")(error.into_service_error()))?;
            for item in found.items() {
                keys.push((get_text(item, "sk")?.to_owned(), flag(item, "shared")));
            }
            after = found.last_evaluated_key;
            if after.is_none() {
                return Ok(keys);
            }
        }
    }

    async fn erase_items(&self, reference: &Reference, keys: Vec<String>) -> Result<(), Error> {
        let (table, pk) = (self.store.requests_table()?, partition(self.tenant.id(), reference));
        for some in keys.chunks(AT_ONCE) {
            let delete = |sk: &String| {
                self.store.dynamodb.delete_item().table_name(table).key("pk", text(&pk)).key("sk", text(sk)).send()
            };
            let gone = try_join_all(some.iter().map(delete)).await;
            gone.map_err(|error| Error::failed("erasing what lies beside a request")(error.into_service_error()))?;
        }
        Ok(())
    }
}

impl Opening<'_> {
    pub(super) fn keeping(&self, item: &Item) -> Result<Keeping, Error> {
        let clear = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str);
        let hold = match clear("held_at") {
            Some(at) => Some(Held {
                at: at.parse().map_err(|_| damaged("held_at"))?,
                by: clear("held_by").unwrap_or_default().to_owned(),
                // A reason that does not open lifts no hold.
                reason: self.open(item, self.reference.as_str(), "hold").ok().flatten(),
            }),
            None => None,
        };
        Ok(Keeping {
            binned_on: clear(BINNED).and_then(|day| day.parse().ok()),
            restored_on: clear("restored_on").and_then(|day| day.parse().ok()),
            hold,
        })
    }
}

/// Under which key of `closed-by-day` a tenant's recycle bin lies; no tenant's id has a `#`.
fn bin_key(tenant: &str) -> String {
    format!("{tenant}#bin")
}

/// From which entry to which a range up to a day goes on behind a place; nothing where the place is behind all of it.
fn range(until: Date, behind: Option<&str>) -> Option<(String, String)> {
    // Entries are `2026-11-22#123456789012`: `!` comes before every digit, `~` after.
    let from = behind.map_or_else(|| "0".to_owned(), |place| format!("{place}!"));
    let to = format!("{until}#~");
    (from <= to).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_range_goes_on_behind_the_last_entry_up_to_the_day() {
        let until = date(2028, 11, 22);
        let (from, to) = range(until, Some("2028-11-21#999999999999")).unwrap();
        assert!("2028-11-21#999999999999" < from.as_str() && from.as_str() < "2028-11-22#000000000000");
        assert!("2028-11-22#999999999999" < to.as_str() && to.as_str() < "2028-11-23#000000000000");
        assert!(range(until, None).unwrap().0.as_str() < "2018-01-01#0");
        // A longer time was chosen since: what was looked at is ahead of what is due.
        assert_eq!(range(until, Some("2028-11-23#000000000000")), None);
    }

    fn stored() -> Item {
        let fields = [
            ("sk", Reference::from_entropy(7).as_str().to_owned()),
            ("kind", "delete".to_owned()),
            ("state", "completed".to_owned()),
            ("closed_on", "2026-11-22".to_owned()),
            ("respond_by", "2027-01-05".to_owned()),
            ("closed_pk", "t-a".to_owned()),
            ("closed_sk", "2026-11-22#1".to_owned()),
            ("bin_contact_pk", "t-a#p1#00".to_owned()),
            ("name_recording", format!("RE{}", "0".repeat(32))),
            ("first", Reference::from_entropy(8).as_str().to_owned()),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect()
    }

    #[test]
    fn a_request_is_read_by_what_decides_about_it() {
        let kept = KeptRequest::read(&stored()).unwrap();
        assert_eq!(kept.standing.closed_on, Some(date(2026, 11, 22)));
        assert!(!kept.standing.held && kept.erasing.is_none() && kept.standing.binned_on.is_none());
        assert_eq!((kept.recordings.len(), kept.kin.len()), (1, 1));
        let mut names: Vec<&str> = kept.found_by.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["bin_contact_pk", "closed_pk", "closed_sk"]);
        let call = CallSid::parse(&format!("CA{}", "0".repeat(32))).unwrap();
        assert!(!kept.keeps_call(&call), "it was made in none");
        let mut by_telephone = stored();
        by_telephone.insert("call".to_owned(), text(call.as_str()));
        assert!(KeptRequest::read(&by_telephone).unwrap().keeps_call(&call));
        by_telephone.remove("name_recording");
        assert!(!KeptRequest::read(&by_telephone).unwrap().keeps_call(&call));
        by_telephone.insert("held_at".to_owned(), text("2026-12-01T00:00:00Z"));
        assert!(KeptRequest::read(&by_telephone).unwrap().keeps_call(&call));
        let mut held = stored();
        held.insert("held_at".to_owned(), text("2026-12-01T00:00:00Z"));
        assert!(KeptRequest::read(&held).unwrap().standing.held);
        held.insert("closed_on".to_owned(), text("some day"));
        assert!(KeptRequest::read(&held).is_err(), "what cannot be read goes nowhere");
    }

    #[test]
    fn bookmarks_are_kept_by_rule_and_part() {
        let mut bookmarks = Bookmarks::default();
        assert_eq!(bookmarks.place(Rule::Bin), None);
        bookmarks.looked(Rule::Bin, "2028-11-22#1".to_owned());
        bookmarks.looked_until(Rule::Bin, date(2028, 11, 22));
        assert_eq!(bookmarks.place(Rule::Bin), Some("2028-11-22#~"));
        assert_eq!(range(date(2028, 11, 22), bookmarks.place(Rule::Bin)), None);
        assert!(range(date(2028, 11, 23), bookmarks.place(Rule::Bin)).unwrap().0.as_str() < "2028-11-23#000000000000");
        bookmarks.looked_until(Rule::Bin, date(2028, 11, 21));
        assert_eq!(bookmarks.place(Rule::Bin), Some("2028-11-22#~"), "never back");
        let text = serde_json::to_string(&bookmarks).unwrap();
        let read: Bookmarks = serde_json::from_str(&text).unwrap();
        assert_eq!(read, bookmarks);
        assert_eq!(serde_json::from_str::<Bookmarks>("{}").unwrap(), Bookmarks::default());
        // After a restore an operator takes out what was looked at, and nothing of what was promised.
        bookmarks.promise(date(2028, 1, 2), &Retention::default());
        let mut told: serde_json::Value = serde_json::to_value(&bookmarks).unwrap();
        told["looked"] = serde_json::json!({});
        let anew: Bookmarks = serde_json::from_value(told).unwrap();
        assert_eq!((anew.place(Rule::Bin), anew.in_force(Part::Recordings)), (None, Some(24)));
    }

    #[test]
    fn a_shorter_time_for_a_part_has_its_ninety_days_also_where_nothing_was_noted_yet() {
        let shorter = Retention { recording_months: 6, attachment_months: 1, ..Retention::default() };
        let in_force = |bookmarks: &Bookmarks| [Part::Recordings, Part::Attachments].map(|it| bookmarks.in_force(it));
        let mut bookmarks = Bookmarks::default();
        assert_eq!(in_force(&bookmarks), [None, None]);
        bookmarks.promise(date(2028, 1, 2), &shorter);
        assert_eq!(in_force(&bookmarks), [Some(24), Some(24)]);
        let text = serde_json::to_string(&bookmarks).unwrap();
        let mut read: Bookmarks = serde_json::from_str(&text).unwrap();
        read.promise(date(2028, 3, 31), &shorter);
        assert_eq!(in_force(&read), [Some(24), Some(24)]);
        read.promise(date(2028, 4, 1), &shorter);
        assert_eq!(in_force(&read), [Some(6), Some(1)]);
        // What is longer counts at once.
        read.promise(date(2028, 4, 2), &Retention { request_months: 60, recording_months: 60, ..shorter });
        assert_eq!(in_force(&read), [Some(60), Some(1)]);
    }

    #[test]
    fn why_a_request_is_held_is_not_printed() {
        let held = Held { at: Timestamp::UNIX_EPOCH, by: "u-1".into(), reason: Some("Pérez sues".into()) };
        assert!(!format!("{held:?}").contains("sues"));
    }
}
