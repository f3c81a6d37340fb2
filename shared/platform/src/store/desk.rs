//! Requests as the privacy team works on them: opened, changed, noted on, entered by hand.
//!
//! Beside a request, in its partition: `<reference>#note#<id>`, `<reference>#file#<id>` and messages (`messages`). What people typed is sealed
//! under the request's own salt. Every change is one transaction with the audit entry that tells of it, on condition
//! that nobody changed the request since it was read (`version`).

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, KeysAndAttributes, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    Update,
};
use domain::audit::Entry;
use domain::clock::Clocks;
use domain::denial::Ground;
use domain::desk::{Closing, Decided, Further};
use domain::email::EmailAddress;
use domain::human_check::Standing;
use domain::intake::{Hint, Requester};
use domain::jurisdiction::Jurisdiction;
use domain::language::Language;
use domain::own_words;
use domain::personal::PersonalText;
use domain::phone::E164;
use domain::reference::Reference;
use domain::request::{Action, Actor, Channel, Event, Kind, Missing, Outcome, Progress, State};
use domain::role::{Permission, Role};
use domain::service_code::{ServiceCode, ServiceCodeProfile};
use domain::tenant::TenantProfile;
use domain::user::{UserId, UserProfile, UserState};
use jiff::Timestamp;
use jiff::civil::Date;
use partners::twilio::{CallSid, RecordingSid};

use super::accounts::read;
use super::audit::Written;
use super::case::{Declaration, Photo, read_declaration, shown_attribute};
use super::keys::salt_key;
use super::messages::Message;
use super::requests::{CANDIDATES, PHONE_INDEX, clocks_json, event_map, missing_list, partition, received_key};
use super::retention::{BINNED, Keeping};
use super::{Item, TenantStore, damaged, get_parsed, get_text, number, text};
use crate::Error;
use crate::blob::{AttachmentKey, RecordingKey};
use crate::consumer::Contact;
use crate::seal::{Place, SubjectSalt, TenantKeys};

/// Version of the normaliser behind the blind index of e-mail addresses ([`EmailAddress::normalized`]).
pub(super) const EMAIL_INDEX: &str = "e1";
/// A history has room for so many events, and so many bytes of words; nobody gets there but by a mistake. An end can always
/// be written down behind it: an item has 400 KB.
const MOST_EVENTS: usize = 200;
const MOST_WORDS: usize = 200_000;
/// So many notes and files beside one request can be shown on its page.
const MOST_NOTES: u64 = 200;
const MOST_FILES: u64 = 100;
/// Pages of a megabyte that one request with its notes may fill.
const MOST_PAGES: usize = 10;

/// What the page of a request reads, and nothing else.
const SHOWN: &[&str] = &[
    "sk",
    "kind",
    "state",
    "extended",
    "channel",
    "code",
    "language",
    "call",
    "revision",
    "received_at",
    "clocks",
    "missing",
    "events",
    "confirmed_at",
    "confirmed_how",
    "closed_on",
    "outcome",
    "ground",
    "identified",
    "residence",
    "assignee",
    "version",
    "contact",
    "email",
    "name",
    "details",
    "name_recording",
    "details_recording",
    "messages",
    "first",
    "further",
    "further_kinds",
    "requester",
    "agent_name",
    "agent_email",
    "agent_company",
    "human",
    "hints",
    "origin",
    "unread",
    "shown_email_at",
    "shown_phone_at",
    "shown_agent_at",
    "declaration",
    "photos",
    "binned_on",
    "restored_on",
    "hold",
    "held_at",
    "held_by",
    // Of notes, files and messages.
    "at",
    "who",
    "text",
    "file_name",
    "file_type",
    "size",
    "sha256",
    "shared",
    // Of messages.
    "files",
];

/// Who asked, as far as is known; not printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// A telephone number in E.164.
    pub phone: Option<String>,
    /// An e-mail address.
    pub email: Option<String>,
    /// A name.
    pub name: Option<String>,
    /// What they said beyond the kind, typed in by hand.
    pub details: Option<String>,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(redacted)")
    }
}

/// What is known of a request because it came by the web form.
#[derive(Clone, PartialEq, Eq)]
pub struct WebForm {
    /// For whom it was sent.
    pub requester: Requester,
    /// The agent's name.
    pub agent_name: Option<String>,
    /// The agent's e-mail address.
    pub agent_email: Option<String>,
    /// Whom the agent works for.
    pub agent_company: Option<String>,
    /// Whether a person sent it.
    pub human: Option<Standing>,
    /// What makes it likely that a program did.
    pub hints: Vec<Hint>,
    /// The site that it was sent from; none for the hosted page.
    pub origin: Option<String>,
}

impl fmt::Debug for WebForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebForm")
            .field("requester", &self.requester)
            .field("human", &self.human)
            .finish_non_exhaustive()
    }
}

/// What somebody said on the telephone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// The recording.
    pub recording: RecordingSid,
    /// Which question it answers; a message that the fallback took answers none.
    pub answers: Option<Missing>,
}

/// Something the team wrote down.
#[derive(Clone, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What; none where it cannot be opened any more.
    pub text: Option<String>,
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Note").field("at", &self.at).field("by", &self.by).finish_non_exhaustive()
    }
}

/// A file that is kept with a request.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptFile {
    /// Its id.
    pub id: String,
    /// When it was added.
    pub at: Timestamp,
    /// By whom: a user's id, [`CONSUMER`](super::messages::CONSUMER) or [`AGENT`](super::messages::AGENT).
    pub by: String,
    /// Its name, as whoever added it called it; none where it cannot be opened any more.
    pub name: Option<String>,
    /// Its type, by its content.
    pub content_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: [u8; 32],
    /// Whether the consumer may download it.
    pub shared: bool,
}

impl fmt::Debug for KeptFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptFile").field("id", &self.id).field("size", &self.size).finish_non_exhaustive()
    }
}

/// How a closed request was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The day of the response.
    pub on: Date,
    /// How.
    pub outcome: Outcome,
    /// On which ground it, or a part of it, was refused.
    pub ground: Option<Ground>,
}

/// One request with everything that is kept of it, opened.
#[derive(Clone, Debug)]
pub struct Dossier {
    /// Its number.
    pub reference: Reference,
    /// What is asked.
    pub kind: Kind,
    /// Where it stands.
    pub progress: Progress,
    /// How it came in.
    pub channel: Channel,
    /// To which service code.
    pub code: ServiceCode,
    /// What the person speaks.
    pub language: Language,
    /// When it came in.
    pub received_at: Timestamp,
    /// The dates that the law sets.
    pub clocks: Clocks,
    /// When, and how, the person was told that it came in.
    pub confirmed: Option<(Timestamp, String)>,
    /// How it was answered.
    pub closed: Option<Closed>,
    /// Whether it is written down how it is known who asked.
    pub identified: bool,
    /// Where the person lives.
    pub residence: Option<Jurisdiction>,
    /// Who works on it.
    pub assignee: Option<UserId>,
    /// What an incomplete one lacks.
    pub missing: Vec<Missing>,
    /// Who asked.
    pub person: Person,
    /// How the web form was sent, if it came by that.
    pub web: Option<WebForm>,
    /// What was said on the telephone.
    pub spoken: Vec<Spoken>,
    /// In which call.
    pub call: Option<CallSid>,
    /// The request in which this one was found.
    pub first: Option<Reference>,
    /// The requests that were found in this one.
    pub further: Vec<Reference>,
    /// The kinds of those.
    pub further_kinds: Vec<Kind>,
    /// What happened, the oldest first.
    pub events: Vec<Event>,
    /// Notes, the oldest first.
    pub notes: Vec<Note>,
    /// Files, the oldest first.
    pub files: Vec<KeptFile>,
    /// What the team and whoever asked wrote each other, the oldest first.
    pub messages: Vec<Message>,
    /// How many messages came in since somebody of the team last looked.
    pub unread: u64,
    /// By which contacts whoever made it has shown that it is theirs, and when last.
    pub shown: Vec<(Contact, Timestamp)>,
    /// What they declared under penalty of perjury.
    pub declaration: Option<Declaration>,
    /// Photos of an identity document, as long as they are needed.
    pub photos: Vec<Photo>,
    /// What keeps it longer, and whether it lies in the recycle bin.
    pub keeping: Keeping,
    /// Grows with every change.
    pub version: u64,
}

/// A request with what opened it, and seals what is added.
#[derive(Debug)]
pub struct Opened {
    /// The request.
    pub dossier: Dossier,
    /// Goes up each time the caller starts again; only while nobody works on it.
    revision: Option<String>,
    keys: Arc<TenantKeys>,
    salt: SubjectSalt,
    recording_salts: HashMap<String, SubjectSalt>,
}

impl Opened {
    /// Seals something under the request's own key.
    pub(super) fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, Error> {
        self.keys.seal(&self.salt, place, plain)
    }
}

impl Dossier {
    /// Whether the person was told that it came in.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.confirmed.is_some()
    }
}

/// What becomes of a request by somebody's decision.
#[derive(Debug)]
pub struct Change<'a> {
    /// What the rules say becomes of it.
    pub decided: &'a Decided,
    /// Who works on it from now on.
    pub hands: Hands,
    /// What the audit trail keeps of it.
    pub entry: &'a Entry,
}

/// Into whose hands a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hands {
    /// It stays where it is.
    Unchanged,
    /// Nobody's.
    Nobody,
    /// Somebody's.
    Of(UserId),
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is written; these further requests were opened.
    Done(Vec<Reference>),
    /// Somebody was faster, and nothing is written.
    Meanwhile,
    /// Its history is so long that only its end can be written down any more. Nothing is written.
    Full,
}

/// What became of something that a form adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added<T = ()> {
    /// It is there, from now on or since the form was sent before.
    Done(T),
    /// The same form added something else before, and that stays.
    Other,
    /// There is room for no more beside this request.
    Full,
}

/// A request that somebody types in.
#[derive(Debug)]
pub struct Entered<'a> {
    /// The form's own id: the same form makes one request, however often it is sent.
    pub form: &'a str,
    /// What is asked.
    pub kind: Kind,
    /// How it came in.
    pub channel: Channel,
    /// To which service code.
    pub code: &'a ServiceCode,
    /// What the person speaks.
    pub language: Language,
    /// When it came in.
    pub received_at: Timestamp,
    /// The dates that the law sets.
    pub clocks: &'a Clocks,
    /// Where the person lives.
    pub residence: Option<Jurisdiction>,
    /// A telephone number.
    pub phone: Option<&'a E164>,
    /// An e-mail address.
    pub email: Option<&'a EmailAddress>,
    /// A name.
    pub name: Option<&'a PersonalText>,
    /// What they said.
    pub details: Option<&'a PersonalText>,
    /// Who types.
    pub by: &'a UserId,
    /// When it is typed in.
    pub at: Timestamp,
}

/// Somebody of the tenant's team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Colleague {
    /// Their id.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// Whether requests may be given to them.
    pub works: bool,
}

/// What the desk needs of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskAccount {
    /// The account itself.
    pub profile: TenantProfile,
    /// The team, in the order of their names.
    pub team: Vec<Colleague>,
}

/// What is new about a file.
#[derive(Debug)]
pub struct NewFile<'a> {
    /// When.
    pub at: Timestamp,
    /// Who adds it.
    pub by: &'a UserId,
    /// Its name.
    pub name: &'a PersonalText,
    /// Its type, by its content.
    pub content_type: &'static str,
    /// What is in it.
    pub bytes: &'a [u8],
}

/// A place and a value for each attribute that an update sets or takes away.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    pub(super) set: Vec<String>,
    remove: Vec<String>,
    pub(super) names: HashMap<String, String>,
    pub(super) values: HashMap<String, AttributeValue>,
}

impl Attributes {
    pub(super) fn set(&mut self, name: &str, value: AttributeValue) {
        self.set.push(format!("#{name} = :{name}"));
        self.names.insert(format!("#{name}"), name.to_owned());
        self.values.insert(format!(":{name}"), value);
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.remove.push(format!("#{name}"));
        self.names.insert(format!("#{name}"), name.to_owned());
    }

    /// Set where there is a value, else taken away.
    pub(super) fn keep(&mut self, name: &str, value: Option<AttributeValue>) {
        match value {
            Some(value) => self.set(name, value),
            None => self.remove(name),
        }
    }

    pub(super) fn expression(&self) -> String {
        let mut expression = format!("SET {}", self.set.join(", "));
        if !self.remove.is_empty() {
            expression.push_str(" REMOVE ");
            expression.push_str(&self.remove.join(", "));
        }
        expression
    }
}

/// A request that is written for the first time, by a decision or by hand.
pub(super) struct Fresh<'a> {
    pub(super) reference: &'a Reference,
    pub(super) kind: Kind,
    pub(super) progress: Progress,
    pub(super) clocks: &'a Clocks,
    pub(super) channel: Channel,
    pub(super) code: &'a ServiceCode,
    pub(super) language: Language,
    pub(super) received_at: Timestamp,
    pub(super) confirmed: Option<&'a (Timestamp, String)>,
    pub(super) residence: Option<Jurisdiction>,
    pub(super) assignee: Option<&'a UserId>,
    pub(super) person: &'a Person,
    pub(super) web: Option<&'a WebForm>,
    pub(super) missing: &'a [Missing],
    pub(super) event: &'a Event,
}

impl TenantStore<'_> {
    /// A request with everything that is kept of it: one query, and one read of its salts. `NotFound` where this tenant
    /// has none of that reference, or it lies in the recycle bin.
    pub async fn dossier(&self, reference: &Reference) -> Result<Opened, Error> {
        let opened = self.dossier_or_binned(reference).await?;
        if opened.dossier.keeping.binned_on.is_some() { Err(Error::NotFound) } else { Ok(opened) }
    }

    async fn dossier_or_binned(&self, reference: &Reference) -> Result<Opened, Error> {
        let items = self.request_items(reference).await?;
        self.opened(reference, &items).await
    }

    /// A request from its item and those beside it, as far as they were read.
    pub(super) async fn opened(&self, reference: &Reference, items: &[Item]) -> Result<Opened, Error> {
        let of_request = |item: &&Item| get_text(item, "sk").is_ok_and(|sk| sk == reference.as_str());
        let item = items.iter().find(of_request).ok_or(Error::NotFound)?;
        let spoken = spoken(item)?;
        let keys = self.keys().await?;
        let mut salts = self.salts(reference.as_str(), &spoken).await?;
        let salt = salts.remove(reference.as_str()).ok_or(Error::NotFound)?;
        let opening = Opening { tenant: self, reference, keys: &keys, salt: &salt };

        let mut notes = vec![];
        let mut files = vec![];
        let mut messages = vec![];
        for item in items {
            let sk = get_text(item, "sk")?;
            if let Some(rest) = sk.strip_prefix(reference.as_str()) {
                if rest.starts_with("#note#") {
                    notes.push(opening.note(item, sk)?);
                } else if let Some(id) = rest.strip_prefix("#file#") {
                    files.push(opening.file(item, sk, id)?);
                } else if let Some(id) = rest.strip_prefix("#msg#") {
                    messages.push(opening.message(item, sk, id)?);
                }
            }
        }
        notes.sort_by_key(|note| note.at);
        files.sort_by_key(|file| file.at);
        messages.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));

        let maybe = |name: &'static str| item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str);
        let closed = match (maybe("closed_on"), maybe("outcome")) {
            (Some(_), Some(_)) => Some(Closed {
                on: get_parsed(item, "closed_on", |date| date.parse().ok())?,
                outcome: get_parsed(item, "outcome", Outcome::parse)?,
                ground: maybe("ground").map(|code| Ground::parse(code).ok_or_else(|| damaged("ground"))).transpose()?,
            }),
            _ => None,
        };
        let confirmed = match maybe("confirmed_at") {
            Some(at) => Some((
                at.parse().map_err(|_| damaged("confirmed_at"))?,
                maybe("confirmed_how").unwrap_or_default().to_owned(),
            )),
            None => None,
        };
        let dossier = Dossier {
            reference: reference.clone(),
            kind: get_parsed(item, "kind", Kind::parse)?,
            progress: Progress { state: get_parsed(item, "state", State::parse)?, extended: flag(item, "extended") },
            channel: get_parsed(item, "channel", Channel::parse)?,
            code: get_parsed(item, "code", |code| ServiceCode::parse(code).ok())?,
            language: get_parsed(item, "language", Language::parse)?,
            received_at: get_parsed(item, "received_at", |at| at.parse().ok())?,
            clocks: get_parsed(item, "clocks", |clocks| serde_json::from_str(clocks).ok())?,
            confirmed,
            closed,
            identified: flag(item, "identified"),
            residence: maybe("residence").and_then(Jurisdiction::parse),
            assignee: maybe("assignee").and_then(|id| UserId::parse(id).ok()),
            missing: missing(item)?,
            person: Person {
                phone: opening.text_of(item, "contact")?,
                email: opening.text_of(item, "email")?,
                name: opening.text_of(item, "name")?,
                details: opening.text_of(item, "details")?,
            },
            web: opening.web(item)?,
            spoken,
            call: maybe("call").and_then(|sid| CallSid::parse(sid).ok()),
            first: maybe("first").and_then(|it| Reference::parse(it).ok()),
            further: list(item, "further").filter_map(|it| Reference::parse(it.as_s().ok()?).ok()).collect(),
            further_kinds: list(item, "further_kinds").filter_map(|it| Kind::parse(it.as_s().ok()?)).collect(),
            events: list(item, "events").map(|event| opening.event(event)).collect::<Result<_, _>>()?,
            notes,
            files,
            messages,
            unread: whole(item, "unread").unwrap_or_default(),
            shown: Contact::ALL
                .into_iter()
                .filter_map(|by| Some((by, maybe(shown_attribute(by))?.parse().ok()?)))
                .collect(),
            declaration: opening.text_of(item, "declaration")?.map(|it| read_declaration(&it)).transpose()?,
            photos: list(item, "photos").filter_map(|it| Photo::read(it.as_s().ok()?)).collect(),
            keeping: opening.keeping(item)?,
            version: whole(item, "version").unwrap_or_default(),
        };
        let revision = item.get("revision").and_then(|value| value.as_n().ok()).cloned();
        Ok(Opened { dossier, revision, keys, salt, recording_salts: salts })
    }

    /// A request and the account that it belongs to, read side by side.
    pub async fn case(&self, reference: &Reference) -> Result<(Opened, DeskAccount), Error> {
        futures::try_join!(self.dossier(reference), self.desk_account())
    }

    /// The same, of a request that may lie in the recycle bin.
    pub async fn case_or_binned(&self, reference: &Reference) -> Result<(Opened, DeskAccount), Error> {
        futures::try_join!(self.dossier_or_binned(reference), self.desk_account())
    }

    /// What opens one of a request's recordings; nothing where there is none to open.
    #[must_use]
    pub fn recording_key<'d>(&'d self, opened: &'d Opened, recording: &'d RecordingSid) -> Option<RecordingKey<'d>> {
        Some(RecordingKey {
            tenant: self.tenant,
            call: opened.dossier.call.as_ref()?,
            recording,
            keys: &opened.keys,
            salt: opened.recording_salts.get(recording.as_str())?.clone(),
        })
    }

    /// The salt of a recording that is there; `NotFound` where it is not, or was destroyed.
    pub async fn found_recording_salt(&self, recording: &RecordingSid) -> Result<SubjectSalt, Error> {
        self.salt(recording.as_str()).await
    }

    /// Everything in a request's partition that is the request's.
    async fn request_items(&self, reference: &Reference) -> Result<Vec<Item>, Error> {
        let names = SHOWN.iter().map(|name| (format!("#{name}"), (*name).to_owned())).collect();
        let projection = SHOWN.iter().map(|name| format!("#{name}")).collect::<Vec<_>>().join(", ");
        let mut items = vec![];
        let mut after = None;
        for _ in 0..MOST_PAGES {
            let found = self
                .store
                .dynamodb
                .query()
                .table_name(self.store.requests_table()?)
                .key_condition_expression("pk = :pk AND begins_with(#sk, :reference)")
                .set_expression_attribute_names(Some(HashMap::clone(&names)))
                .expression_attribute_values(":pk", text(partition(self.tenant.id(), reference)))
                .expression_attribute_values(":reference", text(reference.as_str()))
                .projection_expression(&projection)
                .consistent_read(true)
                .set_exclusive_start_key(after)
                .send()
                .await
                .map_err(|error| Error::failed("reading a request")(error.into_service_error()))?;
            items.extend(found.items.unwrap_or_default());
            after = found.last_evaluated_key;
            if after.is_none() {
                break;
            }
        }
        Ok(items)
    }

    /// The salts of a request and of its recordings, by what they belong to.
    async fn salts(&self, reference: &str, spoken: &[Spoken]) -> Result<HashMap<String, SubjectSalt>, Error> {
        let table = self.store.keys_table()?;
        let of = [reference].into_iter().chain(spoken.iter().map(|it| it.recording.as_str()));
        let by_key: BTreeMap<String, &str> = of.map(|record| (salt_key(self.tenant.id(), record), record)).collect();
        let key = |pk: &String| Item::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text("salt"))]);
        let asked = KeysAndAttributes::builder()
            // DynamoDB takes 100 keys; a call has a handful of recordings.
            .set_keys(Some(by_key.keys().take(100).map(key).collect()))
            .consistent_read(true)
            .build()
            .map_err(Error::failed("reading salts"))?;
        let got = self
            .store
            .dynamodb
            .batch_get_item()
            .request_items(table, asked)
            .send()
            .await
            .map_err(|error| Error::failed("reading salts")(error.into_service_error()))?;
        if got.unprocessed_keys().is_some_and(|left| !left.is_empty()) {
            return Err(Error::Failed { doing: "reading salts", source: "DynamoDB is throttling".into() });
        }
        let items = got.responses.and_then(|mut tables| tables.remove(table)).unwrap_or_default();
        let mut salts = HashMap::new();
        for item in &items {
            if let Some(record) = by_key.get(get_text(item, "pk")?) {
                salts.insert((*record).to_owned(), salt_of(item)?);
            }
        }
        Ok(salts)
    }

    /// One salt; `NotFound` where this tenant has no such record.
    pub(super) async fn salt(&self, record: &str) -> Result<SubjectSalt, Error> {
        let got = self
            .store
            .dynamodb
            .get_item()
            .table_name(self.store.keys_table()?)
            .key("pk", text(salt_key(self.tenant.id(), record)))
            .key("sk", text("salt"))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed("reading a salt")(error.into_service_error()))?;
        salt_of(&got.item.ok_or(Error::NotFound)?)
    }

    /// Writes what a decision makes of a request, if nobody changed it since it was read.
    pub async fn change(&self, opened: &Opened, change: &Change<'_>) -> Result<Changed, Error> {
        let dossier = &opened.dossier;
        if change.decided.progress.state.is_open() && is_full(&dossier.events) {
            return Ok(Changed::Full);
        }
        for candidate in 0..CANDIDATES {
            let mut items = vec![];
            let mut further = vec![];
            for (index, one) in change.decided.further.iter().enumerate() {
                let source = format!("further:{}:{}:{index}", dossier.reference, dossier.version);
                let reference = Reference::from_entropy(opened.keys.reference_entropy(&source, candidate)?);
                items.extend(self.further_items(opened, change.decided, one, &reference)?);
                further.push(reference);
            }
            let update = self.change_update(opened, change, &further)?;
            items.insert(0, TransactWriteItem::builder().update(update).build());
            match self.write_audited(&items, change.entry).await? {
                Written::Done => return Ok(Changed::Done(further)),
                Written::Refused(reasons) => {
                    let refused = |reason: &CancellationReason| reason.code() == Some("ConditionalCheckFailed");
                    if reasons.first().is_some_and(refused) {
                        return Ok(Changed::Meanwhile);
                    }
                    // The number of a further request is another request's: the next candidate.
                }
            }
        }
        Err(Error::Failed { doing: "changing a request", source: "every candidate for a reference is taken".into() })
    }

    fn change_update(&self, opened: &Opened, change: &Change<'_>, further: &[Reference]) -> Result<Update, Error> {
        let dossier = &opened.dossier;
        let (decided, tenant, reference) = (change.decided, self.tenant.id(), &dossier.reference);
        let pk = partition(tenant, reference);
        let mut to = Attributes::default();
        to.set("kind", text(decided.kind.code()));
        to.set("state", text(decided.progress.state.code()));
        to.set("extended", AttributeValue::Bool(decided.progress.extended));
        to.set("identified", AttributeValue::Bool(decided.identified));
        set_clocks(&mut to, &decided.clocks)?;
        to.keep("residence", decided.residence.map(|place| text(place.as_str())));
        if decided.confirmed && dossier.confirmed.is_none() {
            to.set("confirmed_at", text(change.entry.at.to_string()));
            to.set("confirmed_how", text("by the team"));
        }
        let closed = match &decided.closing {
            Closing::Closed { on, outcome, ground } => Some(Closed { on: *on, outcome: *outcome, ground: *ground }),
            Closing::Unchanged => dossier.closed.clone(),
            Closing::Reopened => None,
        };
        to.keep("closed_on", closed.as_ref().map(|it| text(it.on.to_string())));
        to.keep("outcome", closed.as_ref().map(|it| text(it.outcome.code())));
        to.keep("ground", closed.as_ref().and_then(|it| it.ground).map(|ground| text(ground.code())));
        let assignee = match &change.hands {
            Hands::Unchanged => dossier.assignee.as_ref(),
            Hands::Nobody => None,
            Hands::Of(user) => Some(user),
        };
        to.keep("assignee", assignee.map(|user| text(user.as_str())));
        let duty = decided.clocks.next_due(decided.confirmed).date;
        for (name, value) in self.index_attributes(reference, decided.progress, duty, assignee, closed.as_ref()) {
            to.keep(name, value);
        }
        to.set("answer_sk", due_key(decided.clocks.respond_by.date, reference));
        to.set("version", number(dossier.version + 1));
        to.set("worked", AttributeValue::Bool(true));
        // Photos of an identity document are there to verify, and for nothing else: 11 CCR 7060(d).
        if dossier.progress.state == State::Verifying && decided.progress.state != State::Verifying {
            to.remove("photos");
        }
        if !further.is_empty() {
            let references = dossier.further.iter().chain(further).map(|it| text(it.as_str())).collect();
            to.set("further", AttributeValue::L(references));
            let news = decided.further.iter().map(|it| it.kind);
            let kinds = dossier.further_kinds.iter().copied().chain(news).map(|kind| text(kind.code())).collect();
            to.set("further_kinds", AttributeValue::L(kinds));
        }
        let place = Place { table: "requests", pk: &pk, sk: reference.as_str(), attribute: "event" };
        let events = decided.events.iter().map(|event| sealed_event(&opened.keys, &opened.salt, place, event));
        to.values.insert(":news".to_owned(), AttributeValue::L(events.collect::<Result<_, _>>()?));
        to.set.push("#events = list_append(#events, :news)".to_owned());
        to.names.insert("#events".to_owned(), "events".to_owned());

        let mut condition = vec![];
        if dossier.version == 0 {
            condition.push("attribute_exists(pk) AND attribute_not_exists(#version)");
        } else {
            condition.push("#version = :seen");
            to.values.insert(":seen".to_owned(), number(dossier.version));
        }
        // A caller may still replace what was not worked on: with it went the salt.
        if let Some(revision) = &opened.revision {
            condition.push("#revision = :revision");
            to.names.insert("#revision".to_owned(), "revision".to_owned());
            to.values.insert(":revision".to_owned(), AttributeValue::N(revision.clone()));
        }
        Update::builder()
            .table_name(self.store.requests_table()?)
            .key("pk", text(&pk))
            .key("sk", text(reference.as_str()))
            .update_expression(to.expression())
            .condition_expression(condition.join(" AND "))
            .set_expression_attribute_names(Some(to.names))
            .set_expression_attribute_values(Some(to.values))
            .build()
            .map_err(Error::failed("changing a request"))
    }

    /// What the indexes need: an open request lies by the date of its next duty, and by who works on it; a closed one by its day.
    fn index_attributes(
        &self,
        reference: &Reference,
        progress: Progress,
        duty: Date,
        assignee: Option<&UserId>,
        closed: Option<&Closed>,
    ) -> [(&'static str, Option<AttributeValue>); 6] {
        let (tenant, open) = (self.tenant.id(), progress.state.is_open());
        let by_due = || due_key(duty, reference);
        let worked = assignee.filter(|_| open);
        let closed = closed.filter(|_| !open);
        [
            ("open_pk", open.then(|| text(tenant.as_str()))),
            ("open_sk", open.then(by_due)),
            ("assignee_pk", worked.map(|user| text(format!("{tenant}#{user}")))),
            ("assignee_sk", worked.map(|_| by_due())),
            ("closed_pk", closed.map(|_| text(tenant.as_str()))),
            ("closed_sk", closed.map(|it| text(format!("{}#{}", it.on, reference.as_str())))),
        ]
    }

    /// A request that was found in another one, with a salt of its own.
    fn further_items(
        &self,
        opened: &Opened,
        decided: &Decided,
        further: &Further,
        reference: &Reference,
    ) -> Result<[TransactWriteItem; 2], Error> {
        let dossier = &opened.dossier;
        // What was confirmed was confirmed for all that the person asked.
        let confirmed = dossier.confirmed.as_ref().filter(|_| further.confirmed);
        let fresh = Fresh {
            reference,
            kind: further.kind,
            progress: further.progress,
            clocks: &further.clocks,
            channel: dossier.channel,
            code: &dossier.code,
            language: dossier.language,
            received_at: dossier.received_at,
            confirmed,
            residence: decided.residence,
            assignee: dossier.assignee.as_ref(),
            person: &dossier.person,
            web: dossier.web.as_ref(),
            missing: &dossier.missing,
            event: &further.event,
        };
        let salt = SubjectSalt::random()?;
        let mut item = self.fresh_item(&opened.keys, &salt, &fresh)?;
        item.insert("first".to_owned(), text(dossier.reference.as_str()));
        if let Some(call) = &dossier.call {
            item.insert("call".to_owned(), text(call.as_str()));
        }
        let mut messages = vec![];
        for it in &dossier.spoken {
            let sid = text(it.recording.as_str());
            match it.answers {
                Some(Missing::Name) => drop(item.insert("name_recording".to_owned(), sid)),
                Some(_) => drop(item.insert("details_recording".to_owned(), sid)),
                None => messages.push(sid),
            }
        }
        if !messages.is_empty() {
            item.insert("messages".to_owned(), AttributeValue::L(messages));
        }
        self.put_fresh(reference, item, &salt)
    }

    pub(super) fn put_fresh(
        &self,
        reference: &Reference,
        item: Item,
        salt: &SubjectSalt,
    ) -> Result<[TransactWriteItem; 2], Error> {
        let put_request = Put::builder()
            .table_name(self.store.requests_table()?)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build();
        let put_salt = Put::builder()
            .table_name(self.store.keys_table()?)
            .item("pk", text(salt_key(self.tenant.id(), reference.as_str())))
            .item("sk", text("salt"))
            .item("salt", AttributeValue::B(Blob::new(salt.as_bytes())))
            .build();
        Ok([put(put_request)?, put(put_salt)?])
    }

    pub(super) fn fresh_item(&self, keys: &TenantKeys, salt: &SubjectSalt, new: &Fresh<'_>) -> Result<Item, Error> {
        let (tenant, sk) = (self.tenant.id(), new.reference.as_str());
        let pk = partition(tenant, new.reference);
        let place = |attribute| Place { table: "requests", pk: &pk, sk, attribute };
        let mut to = Attributes::default();
        set_clocks(&mut to, new.clocks)?;
        let mut item: Item = to.values.into_iter().map(|(name, value)| (name.replace(':', ""), value)).collect();
        let mut insert = |name: &str, value: AttributeValue| drop(item.insert(name.to_owned(), value));
        insert("pk", text(&pk));
        insert("sk", text(sk));
        insert("kind", text(new.kind.code()));
        insert("state", text(new.progress.state.code()));
        insert("extended", AttributeValue::Bool(new.progress.extended));
        insert("channel", text(new.channel.code()));
        insert("code", text(new.code.as_str()));
        insert("language", text(new.language.code()));
        insert("received_at", text(new.received_at.to_string()));
        insert("received_on", text(new.clocks.received_on.to_string()));
        insert("missing", missing_list(new.missing));
        insert("version", number(1));
        insert("worked", AttributeValue::Bool(true));
        let event = sealed_event(keys, salt, place("event"), new.event)?;
        insert("events", AttributeValue::L(vec![event]));
        if let Some((at, how)) = new.confirmed {
            insert("confirmed_at", text(at.to_string()));
            insert("confirmed_how", text(how));
        }
        if let Some(residence) = new.residence {
            insert("residence", text(residence.as_str()));
        }
        if let Some(assignee) = new.assignee {
            insert("assignee", text(assignee.as_str()));
        }
        let duty = new.clocks.next_due(new.confirmed.is_some()).date;
        insert("answer_sk", due_key(new.clocks.respond_by.date, new.reference));
        for (name, value) in self.index_attributes(new.reference, new.progress, duty, new.assignee, None) {
            if let Some(value) = value {
                insert(name, value);
            }
        }
        let (month, day) = received_key(tenant, new.clocks.received_on, new.reference);
        insert("received_pk", month);
        insert("received_sk", day);
        let Person { phone, email, name, details } = new.person;
        for (attribute, value) in [("contact", phone), ("email", email), ("name", name), ("details", details)] {
            if let Some(value) = value {
                insert(attribute, AttributeValue::B(Blob::new(keys.seal(salt, place(attribute), value.as_bytes())?)));
            }
        }
        if let Some(web) = new.web {
            for (name, value) in web_attributes(keys, salt, &place, web)? {
                insert(&name, value);
            }
        }
        let by_time = || text(format!("{}#{sk}", new.received_at));
        if let Some(phone) = phone {
            insert("contact_pk", text(format!("{tenant}#{PHONE_INDEX}#{}", keys.blind_index("phone", phone)?)));
            insert("contact_sk", by_time());
        }
        if let Some(email) = email.as_deref().and_then(|email| EmailAddress::parse(email).ok()) {
            let index = keys.blind_index("email", &email.normalized())?;
            insert("email_pk", text(format!("{tenant}#{EMAIL_INDEX}#{index}")));
            insert("email_sk", by_time());
        }
        Ok(item)
    }

    /// Writes down a request that was typed in, once; `entry` gives its audit entry. Its number is the same each time
    /// that the same form is sent.
    pub async fn enter_request(
        &self,
        new: &Entered<'_>,
        entry: impl Fn(&Reference) -> Entry,
    ) -> Result<Added<Reference>, Error> {
        let keys = self.keys().await?;
        let who = Actor::User { id: new.by.as_str().to_owned() };
        let (progress, event) = Progress::new(State::Incomplete)
            .next(new.kind, Action::Receive, who, new.at, own_words::ENTERED.en)
            .map_err(Error::failed("entering a request"))?;
        let person = Person {
            phone: new.phone.map(|phone| phone.as_str().to_owned()),
            email: new.email.map(|email| email.as_str().to_owned()),
            name: new.name.map(|name| name.as_str().to_owned()),
            details: new.details.map(|details| details.as_str().to_owned()),
        };
        let said = keys.blind_index("form", &content(new, &person))?;
        for candidate in 0..CANDIDATES {
            let source = format!("form:{}", new.form);
            let reference = Reference::from_entropy(keys.reference_entropy(&source, candidate)?);
            let salt = SubjectSalt::random()?;
            let fresh = Fresh {
                reference: &reference,
                kind: new.kind,
                progress,
                clocks: new.clocks,
                channel: new.channel,
                code: new.code,
                language: new.language,
                received_at: new.received_at,
                confirmed: None,
                residence: new.residence,
                assignee: None,
                person: &person,
                web: None,
                missing: &[],
                event: &event,
            };
            let mut item = self.fresh_item(&keys, &salt, &fresh)?;
            item.insert("form".to_owned(), text(new.form));
            item.insert("form_said".to_owned(), text(&said));
            let items = self.put_fresh(&reference, item, &salt)?;
            match self.write_audited(&items, &entry(&reference)).await? {
                Written::Done => return Ok(Added::Done(reference)),
                Written::Refused(reasons) => {
                    let there = reasons.first().and_then(|reason| reason.item());
                    let is = |name, value: &str| there.is_some_and(|it| get_text(it, name).is_ok_and(|it| it == value));
                    if is("form", new.form) {
                        return Ok(if is("form_said", &said) { Added::Done(reference) } else { Added::Other });
                    }
                }
            }
        }
        Err(Error::Failed { doing: "entering a request", source: "every candidate for its reference is taken".into() })
    }

    /// Keeps the hotline from beginning a request anew, which replaces its salt: what is sealed from now on stays readable.
    /// `NotFound` where this tenant has none of that reference, or it lies in the recycle bin.
    pub(super) async fn hold(&self, reference: &Reference) -> Result<(), Error> {
        let held = self
            .store
            .dynamodb
            .update_item()
            .table_name(self.store.requests_table()?)
            .key("pk", text(partition(self.tenant.id(), reference)))
            .key("sk", text(reference.as_str()))
            .update_expression("SET #worked = :worked")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(#binned)")
            .expression_attribute_names("#binned", BINNED)
            .expression_attribute_names("#worked", "worked")
            .expression_attribute_values(":worked", AttributeValue::Bool(true))
            .send()
            .await;
        match held.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Err(Error::NotFound),
            Err(error) => Err(Error::failed("adding to a request")(error)),
        }
    }

    /// Adds a note, once for each id.
    pub async fn add_note(
        &self,
        reference: &Reference,
        id: &str,
        by: &UserId,
        note: &PersonalText,
        entry: &Entry,
    ) -> Result<Added, Error> {
        self.hold(reference).await?;
        let (keys, salt) = (self.keys().await?, self.salt(reference.as_str()).await?);
        let (pk, sk) = (partition(self.tenant.id(), reference), format!("{}#note#{id}", reference.as_str()));
        let place = Place { table: "requests", pk: &pk, sk: &sk, attribute: "text" };
        let sealed = keys.seal(&salt, place, note.as_str().as_bytes())?;
        let item = Item::from([
            ("pk".to_owned(), text(&pk)),
            ("sk".to_owned(), text(&sk)),
            ("at".to_owned(), text(entry.at.to_string())),
            ("who".to_owned(), text(by.as_str())),
            ("text".to_owned(), AttributeValue::B(Blob::new(sealed))),
        ]);
        let opening = Opening { tenant: self, reference, keys: &keys, salt: &salt };
        let same = |there: &Item| {
            opening
                .note(there, &sk)
                .is_ok_and(|there| there.by == by.as_str() && there.text.as_deref() == Some(note.as_str()))
        };
        self.add_beside(reference, item, ("notes", MOST_NOTES), same, entry).await
    }

    /// What seals a file that is to be kept with a request: from now on nothing replaces its salt.
    pub async fn new_attachment_key(&self, reference: &Reference, id: &str) -> Result<AttachmentKey, Error> {
        self.hold(reference).await?;
        self.attachment_key(reference, id).await
    }

    /// What seals and opens a file of a request; `NotFound` where this tenant has no such request.
    pub async fn attachment_key(&self, reference: &Reference, id: &str) -> Result<AttachmentKey, Error> {
        Ok(AttachmentKey {
            tenant: self.tenant.clone(),
            reference: reference.clone(),
            id: id.to_owned(),
            keys: self.keys().await?,
            salt: self.salt(reference.as_str()).await?,
        })
    }

    /// Notes a file that is stored, once for each id.
    pub async fn add_file(&self, key: &AttachmentKey, new: &NewFile<'_>, entry: &Entry) -> Result<Added, Error> {
        let pk = partition(self.tenant.id(), &key.reference);
        let sk = format!("{}#file#{}", key.reference.as_str(), key.id);
        let place = Place { table: "requests", pk: &pk, sk: &sk, attribute: "file_name" };
        let name = key.keys.seal(&key.salt, place, new.name.as_str().as_bytes())?;
        let item = Item::from([
            ("pk".to_owned(), text(&pk)),
            ("sk".to_owned(), text(&sk)),
            ("at".to_owned(), text(new.at.to_string())),
            ("who".to_owned(), text(new.by.as_str())),
            ("file_name".to_owned(), AttributeValue::B(Blob::new(name))),
            ("file_type".to_owned(), text(new.content_type)),
            ("size".to_owned(), number(new.bytes.len() as u64)),
            ("sha256".to_owned(), AttributeValue::B(Blob::new(digest(&SHA256, new.bytes).as_ref()))),
        ]);
        let opening = Opening { tenant: self, reference: &key.reference, keys: &key.keys, salt: &key.salt };
        let hash = digest(&SHA256, new.bytes);
        let same = |there: &Item| {
            opening.file(there, &sk, &key.id).is_ok_and(|there| {
                there.sha256.as_slice() == hash.as_ref() && there.name.as_deref() == Some(new.name.as_str())
            })
        };
        self.add_beside(&key.reference, item, ("files", MOST_FILES), same, entry).await
    }

    /// A file's name and type; `NotFound` where the request has none of that id.
    pub async fn file(&self, key: &AttachmentKey) -> Result<KeptFile, Error> {
        let pk = partition(self.tenant.id(), &key.reference);
        let sk = format!("{}#file#{}", key.reference.as_str(), key.id);
        let got = self
            .store
            .dynamodb
            .get_item()
            .table_name(self.store.requests_table()?)
            .key("pk", text(&pk))
            .key("sk", text(&sk))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed("reading a file's name")(error.into_service_error()))?;
        let opening = Opening { tenant: self, reference: &key.reference, keys: &key.keys, salt: &key.salt };
        opening.file(&got.item.ok_or(Error::NotFound)?, &sk, &key.id)
    }

    /// Writes a note or a file beside a request that is there, and counts it. The same id again changes nothing; `same` says
    /// whether what is there under it is the same too.
    async fn add_beside(
        &self,
        reference: &Reference,
        item: Item,
        (counted, most): (&str, u64),
        same: impl Fn(&Item) -> bool,
        entry: &Entry,
    ) -> Result<Added, Error> {
        let table = self.store.requests_table()?;
        let worked = Update::builder()
            .table_name(table)
            .key("pk", text(partition(self.tenant.id(), reference)))
            .key("sk", text(reference.as_str()))
            .update_expression("SET #worked = :worked ADD #counted :one")
            .condition_expression("attribute_exists(pk) AND (attribute_not_exists(#counted) OR #counted < :most)")
            .expression_attribute_names("#worked", "worked")
            .expression_attribute_names("#counted", format!("{counted}_count"))
            .expression_attribute_values(":worked", AttributeValue::Bool(true))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(most))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(Error::failed("adding to a request"))?;
        let beside = Put::builder()
            .table_name(table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build();
        let items = [TransactWriteItem::builder().update(worked).build(), put(beside)?];
        let reasons = match self.write_audited(&items, entry).await? {
            Written::Done => return Ok(Added::Done(())),
            Written::Refused(reasons) => reasons,
        };
        let refused = |reason: &&CancellationReason| reason.code() == Some("ConditionalCheckFailed");
        match (reasons.get(1).filter(refused), reasons.first().filter(refused)) {
            // The form was sent twice.
            (Some(there), _) if there.item().is_some_and(same) => Ok(Added::Done(())),
            (Some(_), _) => Ok(Added::Other),
            (None, Some(request)) if request.item().is_some_and(|item| !item.is_empty()) => Ok(Added::Full),
            _ => Err(Error::NotFound),
        }
    }

    /// The account and its team, in one query.
    pub async fn desk_account(&self) -> Result<DeskAccount, Error> {
        let found = self
            .store
            .dynamodb
            .query()
            .table_name(self.store.accounts_table()?)
            .key_condition_expression("pk = :pk AND sk BETWEEN :profile AND :users")
            .expression_attribute_values(":pk", text(self.tenant.id().as_str()))
            .expression_attribute_values(":profile", text("profile"))
            .expression_attribute_values(":users", text("user#~"))
            // Names, and who may work; never what somebody signs in with.
            .projection_expression("sk, settings, #role, #state, profile")
            .expression_attribute_names("#role", "role")
            .expression_attribute_names("#state", "state")
            .send()
            .await
            .map_err(|error| Error::failed("reading the account")(error.into_service_error()))?;
        let profile = found.items().iter().find(|item| get_text(item, "sk").is_ok_and(|sk| sk == "profile"));
        let profile = read(profile.ok_or(Error::NotFound)?)?;
        let keys = self.keys().await?;
        let of_users = |item: &&Item| get_text(item, "sk").is_ok_and(|sk| sk.starts_with("user#"));
        let mut team: Vec<Colleague> =
            found.items().iter().filter(of_users).map(|item| self.colleague(&keys, item)).collect::<Result<_, _>>()?;
        team.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(DeskAccount { profile, team })
    }

    /// A member of the team, as `users` writes them.
    fn colleague(&self, keys: &TenantKeys, item: &Item) -> Result<Colleague, Error> {
        let (pk, sk) = (self.tenant.id().as_str(), get_text(item, "sk")?);
        let sealed = item.get("profile").and_then(|value| value.as_b().ok()).ok_or_else(|| damaged("profile"))?;
        let place = Place { table: "accounts", pk, sk, attribute: "profile" };
        let opened = keys.open(&SubjectSalt::of_place(pk, sk), place, sealed.as_ref())?;
        let profile: UserProfile = serde_json::from_slice(&opened).map_err(|_| damaged("profile"))?;
        let role = get_parsed(item, "role", Role::parse)?;
        let state = get_parsed(item, "state", UserState::parse)?;
        Ok(Colleague {
            id: sk.strip_prefix("user#").and_then(|id| UserId::parse(id).ok()).ok_or_else(|| damaged("sk"))?,
            name: profile.name,
            works: state == UserState::Active && role.may(Permission::WorkRequests),
        })
    }

    /// The service codes with their names, for a request that is typed in.
    pub async fn code_names(&self) -> Result<Vec<(ServiceCode, String)>, Error> {
        let found = self
            .store
            .dynamodb
            .query()
            .table_name(self.store.accounts_table()?)
            .key_condition_expression("pk = :pk AND begins_with(sk, :code)")
            .expression_attribute_values(":pk", text(self.tenant.id().as_str()))
            .expression_attribute_values(":code", text("code#"))
            .projection_expression("settings")
            .send()
            .await
            .map_err(|error| Error::failed("reading service codes")(error.into_service_error()))?;
        found
            .items()
            .iter()
            .map(|item| read::<ServiceCodeProfile>(item).map(|profile| (profile.code, profile.name)))
            .collect()
    }
}

/// Opens what one request has sealed.
pub(super) struct Opening<'a> {
    pub(super) tenant: &'a TenantStore<'a>,
    pub(super) reference: &'a Reference,
    pub(super) keys: &'a TenantKeys,
    pub(super) salt: &'a SubjectSalt,
}

/// The attribute with the address that mail about a request goes to.
fn mail_attribute(there: impl Fn(&str) -> bool) -> &'static str {
    if there("agent_email") { "agent_email" } else { "email" }
}

impl Opening<'_> {
    pub(super) fn open(&self, item: &Item, sk: &str, name: &'static str) -> Result<Option<String>, Error> {
        let Some(sealed) = item.get(name).and_then(|value| value.as_b().ok()) else { return Ok(None) };
        let pk = partition(self.tenant.tenant.id(), self.reference);
        let place = Place { table: "requests", pk: &pk, sk, attribute: name };
        let opened = self.keys.open(self.salt, place, sealed.as_ref())?;
        String::from_utf8(opened.to_vec()).map(Some).map_err(|_| damaged(name))
    }

    /// The e-mail address that mail about a request goes to: an authorized agent's where there is one, who was told that the
    /// receipt and questions go there; else the person's.
    pub(super) fn written_to(&self, item: &Item) -> Result<Option<EmailAddress>, Error> {
        let name = mail_attribute(|name| item.contains_key(name));
        Ok(self.text_of(item, name)?.and_then(|email| EmailAddress::parse(&email).ok()))
    }

    fn text_of(&self, item: &Item, name: &'static str) -> Result<Option<String>, Error> {
        self.open(item, self.reference.as_str(), name)
    }

    fn web(&self, item: &Item) -> Result<Option<WebForm>, Error> {
        let clear = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str);
        let Some(requester) = clear("requester") else { return Ok(None) };
        Ok(Some(WebForm {
            requester: Requester::parse(requester).ok_or_else(|| damaged("requester"))?,
            agent_name: self.text_of(item, "agent_name")?,
            agent_email: self.text_of(item, "agent_email")?,
            agent_company: self.text_of(item, "agent_company")?,
            human: clear("human").and_then(Standing::parse),
            hints: list(item, "hints").filter_map(|hint| Hint::parse(hint.as_s().ok()?)).collect(),
            origin: clear("origin").map(str::to_owned),
        }))
    }

    fn note(&self, item: &Item, sk: &str) -> Result<Note, Error> {
        Ok(Note {
            at: get_parsed(item, "at", |at| at.parse().ok())?,
            by: get_text(item, "who")?.to_owned(),
            // One note that does not open is no reason to hide the rest.
            text: self.open(item, sk, "text").ok().flatten(),
        })
    }

    pub(super) fn file(&self, item: &Item, sk: &str, id: &str) -> Result<KeptFile, Error> {
        let sha256 = item.get("sha256").and_then(|value| value.as_b().ok()).ok_or_else(|| damaged("sha256"))?;
        Ok(KeptFile {
            id: id.to_owned(),
            at: get_parsed(item, "at", |at| at.parse().ok())?,
            by: get_text(item, "who")?.to_owned(),
            name: self.open(item, sk, "file_name").ok().flatten(),
            content_type: get_text(item, "file_type")?.to_owned(),
            size: whole(item, "size").ok_or_else(|| damaged("size"))?,
            sha256: sha256.as_ref().try_into().map_err(|_| damaged("sha256"))?,
            shared: flag(item, "shared"),
        })
    }

    fn event(&self, event: &AttributeValue) -> Result<Event, Error> {
        let event = event.as_m().map_err(|_| damaged("events"))?;
        let why = match event.get("said").and_then(|value| value.as_b().ok()) {
            Some(sealed) => {
                let pk = partition(self.tenant.tenant.id(), self.reference);
                let place = Place { table: "requests", pk: &pk, sk: self.reference.as_str(), attribute: "event" };
                let opened = self.keys.open(self.salt, place, sealed.as_ref())?;
                String::from_utf8(opened.to_vec()).map_err(|_| damaged("events"))?
            }
            None => get_text(event, "why")?.to_owned(),
        };
        Ok(Event {
            at: get_parsed(event, "at", |at| at.parse().ok())?,
            who: get_parsed(event, "who", |who| serde_json::from_str(who).ok())?,
            action: get_parsed(event, "action", Action::parse)?,
            from: get_parsed(event, "from", State::parse)?,
            to: get_parsed(event, "to", State::parse)?,
            why,
        })
    }
}

/// An event whose reason somebody typed: the words are sealed, and what stands beside them in the clear is a code.
pub(super) fn sealed_event(
    keys: &TenantKeys,
    salt: &SubjectSalt,
    place: Place<'_>,
    event: &Event,
) -> Result<AttributeValue, Error> {
    let said = keys.seal(salt, place, event.why.as_bytes())?;
    let plain = Event { why: event.action.code().to_owned(), ..event.clone() };
    let AttributeValue::M(mut map) = event_map(&plain)? else { return Err(damaged("events")) };
    map.insert("said".to_owned(), AttributeValue::B(Blob::new(said)));
    Ok(AttributeValue::M(map))
}

/// How a web form was sent: whoever is named in it is sealed.
fn web_attributes<'p>(
    keys: &TenantKeys,
    salt: &SubjectSalt,
    place: &impl Fn(&'static str) -> Place<'p>,
    web: &WebForm,
) -> Result<Item, Error> {
    let mut item = Item::from([("requester".to_owned(), text(web.requester.code()))]);
    let agent =
        [("agent_name", &web.agent_name), ("agent_email", &web.agent_email), ("agent_company", &web.agent_company)];
    for (attribute, value) in agent {
        if let Some(value) = value {
            let sealed = keys.seal(salt, place(attribute), value.as_bytes())?;
            item.insert(attribute.to_owned(), AttributeValue::B(Blob::new(sealed)));
        }
    }
    if let Some(human) = &web.human {
        item.insert("human".to_owned(), text(human.code()));
    }
    if !web.hints.is_empty() {
        let hints = web.hints.iter().map(|hint| text(hint.code())).collect();
        item.insert("hints".to_owned(), AttributeValue::L(hints));
    }
    if let Some(origin) = &web.origin {
        item.insert("origin".to_owned(), text(origin));
    }
    Ok(item)
}

fn set_clocks(to: &mut Attributes, clocks: &Clocks) -> Result<(), Error> {
    to.set("clocks", clocks_json(clocks)?);
    to.set("respond_by", text(clocks.respond_by.date.to_string()));
    to.set("respond_under", text(clocks.respond_by.jurisdiction.as_str()));
    to.set("respond_citation", text(&clocks.respond_by.citation));
    to.keep("confirm_by", clocks.confirm_by.as_ref().map(|due| text(due.date.to_string())));
    Ok(())
}

pub(super) fn put(built: Result<Put, aws_sdk_dynamodb::error::BuildError>) -> Result<TransactWriteItem, Error> {
    built.map(|put| TransactWriteItem::builder().put(put).build()).map_err(Error::failed("writing a request"))
}

fn salt_of(item: &Item) -> Result<SubjectSalt, Error> {
    let bytes = item.get("salt").and_then(|value| value.as_b().ok()).map(AsRef::as_ref);
    SubjectSalt::try_from(bytes.unwrap_or_default())
}

pub(super) fn list<'a>(item: &'a Item, name: &str) -> impl Iterator<Item = &'a AttributeValue> {
    item.get(name).and_then(|value| value.as_l().ok()).into_iter().flatten()
}

/// Whether a history has room for nothing more but its end.
fn is_full(events: &[Event]) -> bool {
    events.len() >= MOST_EVENTS || events.iter().map(|event| event.why.len()).sum::<usize>() >= MOST_WORDS
}

/// What a form says of a request, to tell whether it is sent again: everything but the moment.
fn content(new: &Entered<'_>, person: &Person) -> String {
    let Person { phone, email, name, details } = person;
    let coded = (new.kind.code(), new.channel.code(), new.code.as_str(), new.language.code());
    let dated = (new.clocks.received_on.to_string(), new.residence.map(Jurisdiction::as_str));
    format!("{coded:?} {dated:?} {:?}", (phone, email, name, details, new.by.as_str()))
}

/// Where index `open-by-due` has a request.
fn due_key(duty: Date, reference: &Reference) -> AttributeValue {
    text(format!("{duty}#{}", reference.as_str()))
}

pub(super) fn flag(item: &Item, name: &str) -> bool {
    item.get(name).and_then(|value| value.as_bool().ok()).copied().unwrap_or_default()
}

pub(super) fn whole(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

fn missing(item: &Item) -> Result<Vec<Missing>, Error> {
    list(item, "missing")
        .map(|code| match code.as_s().map(String::as_str) {
            Ok("name") => Ok(Missing::Name),
            Ok("details") => Ok(Missing::Details),
            Ok("confirmation") => Ok(Missing::Confirmation),
            _ => Err(damaged("missing")),
        })
        .collect()
}

pub(super) fn spoken(item: &Item) -> Result<Vec<Spoken>, Error> {
    let parse = |value: &AttributeValue| {
        value.as_s().ok().and_then(|sid| RecordingSid::parse(sid).ok()).ok_or_else(|| damaged("a recording"))
    };
    let mut spoken = vec![];
    for (name, answers) in [("name_recording", Missing::Name), ("details_recording", Missing::Details)] {
        if let Some(sid) = item.get(name) {
            spoken.push(Spoken { recording: parse(sid)?, answers: Some(answers) });
        }
    }
    for sid in list(item, "messages") {
        spoken.push(Spoken { recording: parse(sid)?, answers: None });
    }
    Ok(spoken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_full_by_its_events_or_its_words_and_its_end_always_has_room() {
        let event = |words: usize| Event {
            at: Timestamp::UNIX_EPOCH,
            who: Actor::Consumer,
            action: Action::Acknowledge,
            from: State::Received,
            to: State::Received,
            why: "x".repeat(words),
        };
        assert!(!is_full(&vec![event(10); MOST_EVENTS - 1]));
        assert!(is_full(&vec![event(10); MOST_EVENTS]));
        assert!(is_full(&vec![event(2_000); 100]));
        // One decision more, and an end: eight texts of four bytes a character, and 400 bytes for what stands around each.
        let largest = MOST_WORDS + 8 * 4 * domain::desk::CHARACTERS as usize + (MOST_EVENTS + 8) * 400;
        assert!(largest < 380_000, "{largest}");
    }
}
