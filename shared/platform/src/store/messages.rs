//! Messages between a business and whoever asked: beside the request that they are about, sealed under its salt.
//!
//! `<reference>#msg#<id>` is a message: `who` wrote it (a user's id, [`CONSUMER`] or [`AGENT`]), when, its sealed words, and the
//! files that came with it. Those lie as `<reference>#file#<id>` with the team's own; `shared` stands on the ones that
//! the consumer may download. The request itself counts, in `unread`, what the consumer wrote since somebody of the team
//! last looked.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use domain::audit::Entry;
use domain::email::EmailAddress;
use domain::language::Language;
use domain::personal::PersonalText;
use domain::reference::Reference;
use domain::service_code::ServiceCode;
use domain::user::UserId;
use jiff::Timestamp;

use super::audit::Written;
use super::desk::{Added, KeptFile, Opening, put};
use super::requests::partition;
use super::{Item, TenantStore, damaged, get_parsed, get_text, number, text};
use crate::Error;
use crate::blob::AttachmentKey;
use crate::consumer::Contact;
use crate::seal::{Place, SubjectSalt, TenantKeys};

/// Stands where a user's id would, with what the consumer wrote or sent; no user's id reads like it.
pub const CONSUMER: &str = "consumer";
/// The same for what an authorized agent wrote or sent.
pub const AGENT: &str = "agent";
/// So many messages each side may write beside one request: neither can use up the other's.
const MOST_MESSAGES: u64 = 100;
/// So many files a consumer may send, and a team may share, by message.
const MOST_FILES: u64 = 20;
/// Pages of a megabyte that all messages and files of a request may fill.
const MOST_PAGES: usize = 10;

/// What a message is read by.
const SHOWN: &str = "#sk, #at, #who, #text, #files, #file_name, #file_type, #size, #sha256, #shared";

/// Who wrote a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    /// Whoever asked, for themselves.
    Consumer,
    /// The authorized agent who asked for them.
    Agent,
    /// Somebody of the team.
    Colleague(UserId),
}

impl Author {
    /// Who writes on the page of a request that was shown to be theirs by this.
    #[must_use]
    pub const fn by(contact: Contact) -> Self {
        match contact {
            Contact::Email | Contact::Phone => Self::Consumer,
            Contact::Agent => Self::Agent,
        }
    }

    /// Whether it is the side of whoever asked.
    #[must_use]
    pub const fn asked(&self) -> bool {
        matches!(self, Self::Consumer | Self::Agent)
    }

    fn stored(&self) -> &str {
        match self {
            Self::Consumer => CONSUMER,
            Self::Agent => AGENT,
            Self::Colleague(user) => user.as_str(),
        }
    }

    fn read(stored: &str) -> Option<Self> {
        match stored {
            CONSUMER => Some(Self::Consumer),
            AGENT => Some(Self::Agent),
            user => UserId::parse(user).ok().map(Self::Colleague),
        }
    }

    /// The counters of its side: of messages, and of the files that come with them.
    const fn counters(&self) -> (&'static str, &'static str) {
        match self {
            Self::Consumer | Self::Agent => ("consumer_messages", "consumer_files"),
            Self::Colleague(_) => ("team_messages", "team_files"),
        }
    }
}

/// A message.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it.
    pub from: Author,
    /// What it says; none where only a file was sent, or where it cannot be opened any more.
    pub text: Option<String>,
    /// The ids of the files that came with it.
    pub files: Vec<String>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("at", &self.at).field("from", &self.from).finish_non_exhaustive()
    }
}

/// What the two sides wrote and sent each other: nothing of what the team keeps for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Correspondence {
    /// The messages, the oldest first.
    pub messages: Vec<Message>,
    /// The files that the consumer sent or may download, the oldest first.
    pub files: Vec<KeptFile>,
}

impl Correspondence {
    /// The files that the consumer may download.
    pub fn shared_files(&self) -> impl Iterator<Item = &KeptFile> {
        self.files.iter().filter(|file| file.shared)
    }
}

/// Whoever asked, or asks for them as an agent, as far as a mail to them needs it; and who works on their request.
#[derive(Clone, PartialEq, Eq)]
pub struct Reachable {
    /// Their e-mail address, where they gave one.
    pub email: Option<EmailAddress>,
    /// What they speak.
    pub language: Language,
    /// To which service code they turned.
    pub code: ServiceCode,
    /// Who works on it.
    pub assignee: Option<UserId>,
}

impl fmt::Debug for Reachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reachable").field("code", &self.code).finish_non_exhaustive()
    }
}

/// A message that somebody sends.
#[derive(Debug)]
pub struct NewMessage<'a> {
    /// The form's own id: the same form sends one message, however often it is sent.
    pub id: &'a str,
    /// What it says; may be missing where there is a file.
    pub text: Option<&'a PersonalText>,
    /// The file that goes with it, stored already ([`crate::blob::Blobs::put_attachment`]).
    pub file: Option<SentFile<'a>>,
}

/// A file that goes with a message.
#[derive(Debug)]
pub struct SentFile<'a> {
    /// What it was sealed with: [`TenantStore::new_attachment_key`] for the same request.
    pub key: &'a AttachmentKey,
    /// Its name.
    pub name: &'a PersonalText,
    /// Its type, by its content.
    pub content_type: &'static str,
    /// What is in it.
    pub bytes: &'a [u8],
}

/// How full the consumer's side of a request's mailbox is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// How many of their messages the team has not read.
    pub unread: u64,
    messages: u64,
    files: u64,
}

impl Mailbox {
    /// Whether one more message is taken, with a file or without.
    #[must_use]
    pub const fn takes(self, with_file: bool) -> bool {
        self.messages < MOST_MESSAGES && (!with_file || self.files < MOST_FILES)
    }
}

impl TenantStore<'_> {
    /// How full the consumer's side of a request's mailbox is, to be known before a file is stored for it; `NotFound` where
    /// this tenant has no such request.
    pub async fn mailbox(&self, reference: &Reference) -> Result<Mailbox, Error> {
        let (messages, files) = Author::Consumer.counters();
        // A request that nobody has written to has none of the others, and an empty item can pass for none.
        let item = self.projected(reference, &["sk", "unread", messages, files]).await?.ok_or(Error::NotFound)?;
        let count = |name: &str| item.get(name).and_then(|it| it.as_n().ok()?.parse().ok()).unwrap_or_default();
        Ok(Mailbox { unread: count("unread"), messages: count(messages), files: count(files) })
    }

    /// What the two sides wrote and sent each other; `NotFound` where this tenant has no such request.
    pub async fn messages(&self, reference: &Reference) -> Result<Correspondence, Error> {
        let (keys, salt) = (self.keys().await?, self.salt(reference.as_str()).await?);
        let opening = Opening { tenant: self, reference, keys: &keys, salt: &salt };
        let mut found = Correspondence::default();
        for item in self.message_items(reference).await? {
            let sk = get_text(&item, "sk")?;
            let rest = sk.strip_prefix(reference.as_str()).ok_or_else(|| damaged("sk"))?;
            if let Some(id) = rest.strip_prefix("#msg#") {
                found.messages.push(opening.message(&item, sk, id)?);
            } else if let Some(id) = rest.strip_prefix("#file#") {
                let file = opening.file(&item, sk, id)?;
                if file.shared || file.by == CONSUMER || file.by == AGENT {
                    found.files.push(file);
                }
            }
        }
        found.messages.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        found.files.sort_by_key(|file| file.at);
        Ok(found)
    }

    /// The messages and files beside a request; notes lie outside of the range.
    async fn message_items(&self, reference: &Reference) -> Result<Vec<Item>, Error> {
        let mut items = vec![];
        let mut after = None;
        let mut query = self
            .store
            .dynamodb
            .query()
            .table_name(self.store.requests_table()?)
            .key_condition_expression("pk = :pk AND #sk BETWEEN :files AND :messages")
            .projection_expression(SHOWN)
            .expression_attribute_values(":pk", text(partition(self.tenant.id(), reference)))
            .expression_attribute_values(":files", text(format!("{}#file#", reference.as_str())))
            .expression_attribute_values(":messages", text(format!("{}#msg#~", reference.as_str())))
            .consistent_read(true);
        for name in SHOWN.split(", ") {
            query = query.expression_attribute_names(name, name.trim_start_matches('#'));
        }
        for _ in 0..MOST_PAGES {
            let found = query.clone().set_exclusive_start_key(after).send().await;
            let found = found.map_err(|error| Error::failed("reading messages")(error.into_service_error()))?;
            items.extend(found.items.unwrap_or_default());
            after = found.last_evaluated_key;
            if after.is_none() {
                break;
            }
        }
        Ok(items)
    }

    /// A file that the consumer may download; `NotFound` for every other, and for what is not there.
    pub async fn shared_file(&self, key: &AttachmentKey) -> Result<KeptFile, Error> {
        let file = self.file(key).await?;
        if file.shared { Ok(file) } else { Err(Error::NotFound) }
    }

    /// Sends the consumer a message, once for each id, in one transaction with its audit entry. Its file is theirs to
    /// download.
    pub async fn add_tenant_message(
        &self,
        reference: &Reference,
        by: &UserId,
        new: &NewMessage<'_>,
        entry: &Entry,
    ) -> Result<Added, Error> {
        self.add_message_beside(reference, &Author::Colleague(by.clone()), new, entry).await
    }

    /// Takes a message of whoever has shown by this contact that the request is theirs, once for each id, in one transaction
    /// with its audit entry; the team has one more to read.
    pub async fn add_consumer_message(
        &self,
        reference: &Reference,
        by: Contact,
        new: &NewMessage<'_>,
        entry: &Entry,
    ) -> Result<Added, Error> {
        self.add_message_beside(reference, &Author::by(by), new, entry).await
    }

    async fn add_message_beside(
        &self,
        reference: &Reference,
        from: &Author,
        new: &NewMessage<'_>,
        entry: &Entry,
    ) -> Result<Added, Error> {
        // From now on the hotline cannot begin the request anew, with another salt.
        self.hold(reference).await?;
        let (keys, salt) = (self.keys().await?, self.salt(reference.as_str()).await?);
        let opening = Opening { tenant: self, reference, keys: &keys, salt: &salt };
        let message = self.message_item(&opening, from, new, entry.at)?;
        let mut items = vec![
            TransactWriteItem::builder().update(self.counting_update(reference, from, new)?).build(),
            self.put_new(message)?,
        ];
        if let Some(file) = &new.file {
            if file.key.reference != *reference {
                return Err(Error::NotFound);
            }
            items.push(self.put_new(self.file_item(from, file, entry.at)?)?);
        }
        let reasons = match self.write_audited(&items, entry).await? {
            Written::Done => return Ok(Added::Done(())),
            Written::Refused(reasons) => reasons,
        };
        let refused = |reason: &&CancellationReason| reason.code() == Some("ConditionalCheckFailed");
        let mut beside = reasons.iter().skip(1).filter(refused).peekable();
        if beside.peek().is_none() {
            let there = reasons.first().and_then(|request| request.item()).is_some_and(|item| !item.is_empty());
            return if there { Ok(Added::Full) } else { Err(Error::NotFound) };
        }
        // The form was sent twice, or it is another one with the same id.
        let same = reasons.get(1).and_then(|reason| reason.item()).is_some_and(|there| {
            let sk = message_key(reference, new.id);
            let same_file = match (&new.file, reasons.get(2).and_then(|reason| reason.item())) {
                (Some(file), Some(there)) => is_file(there, file),
                (None, _) => true,
                (Some(_), None) => false,
            };
            opening.message(there, &sk, new.id).is_ok_and(|there| {
                there.from == *from
                    && there.text.as_deref() == new.text.map(PersonalText::as_str)
                    && there.files.len() == usize::from(new.file.is_some())
            }) && same_file
        });
        Ok(if same { Added::Done(()) } else { Added::Other })
    }

    /// Counts a message and its file, and what the team has not read; refused where there is no room for more.
    fn counting_update(&self, reference: &Reference, from: &Author, new: &NewMessage<'_>) -> Result<Update, Error> {
        let (messages, files) = from.counters();
        let mut adds = vec!["#messages :one"];
        let mut conditions = vec!["attribute_exists(pk)", "(attribute_not_exists(#messages) OR #messages < :most)"];
        let mut update = Update::builder()
            .table_name(self.store.requests_table()?)
            .key("pk", text(partition(self.tenant.id(), reference)))
            .key("sk", text(reference.as_str()))
            .expression_attribute_names("#worked", "worked")
            .expression_attribute_names("#messages", messages)
            .expression_attribute_values(":worked", AttributeValue::Bool(true))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(MOST_MESSAGES))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if new.file.is_some() {
            adds.push("#files :one");
            conditions.push("(attribute_not_exists(#files) OR #files < :most_files)");
            update = update
                .expression_attribute_names("#files", files)
                .expression_attribute_values(":most_files", number(MOST_FILES));
        }
        if from.asked() {
            adds.push("#unread :one");
            update = update.expression_attribute_names("#unread", "unread");
        }
        update
            .update_expression(format!("SET #worked = :worked ADD {}", adds.join(", ")))
            .condition_expression(conditions.join(" AND "))
            .build()
            .map_err(Error::failed("adding a message"))
    }

    fn put_new(&self, item: Item) -> Result<TransactWriteItem, Error> {
        put(Put::builder()
            .table_name(self.store.requests_table()?)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build())
    }

    fn message_item(
        &self,
        opening: &Opening<'_>,
        from: &Author,
        new: &NewMessage<'_>,
        at: Timestamp,
    ) -> Result<Item, Error> {
        let (pk, sk) = (partition(self.tenant.id(), opening.reference), message_key(opening.reference, new.id));
        let mut item = Item::from([
            ("pk".to_owned(), text(&pk)),
            ("sk".to_owned(), text(&sk)),
            ("at".to_owned(), text(at.to_string())),
            ("who".to_owned(), text(from.stored())),
        ]);
        if let Some(words) = new.text {
            let sealed = seal(opening.keys, opening.salt, (&pk, &sk, "text"), words)?;
            item.insert("text".to_owned(), sealed);
        }
        if let Some(file) = &new.file {
            item.insert("files".to_owned(), AttributeValue::L(vec![text(&file.key.id)]));
        }
        Ok(item)
    }

    fn file_item(&self, from: &Author, file: &SentFile<'_>, at: Timestamp) -> Result<Item, Error> {
        let key = file.key;
        let (pk, sk) =
            (partition(self.tenant.id(), &key.reference), format!("{}#file#{}", key.reference.as_str(), key.id));
        Ok(Item::from([
            ("pk".to_owned(), text(&pk)),
            ("sk".to_owned(), text(&sk)),
            ("at".to_owned(), text(at.to_string())),
            ("who".to_owned(), text(from.stored())),
            ("file_name".to_owned(), seal(&key.keys, &key.salt, (&pk, &sk, "file_name"), file.name)?),
            ("file_type".to_owned(), text(file.content_type)),
            ("size".to_owned(), number(file.bytes.len() as u64)),
            ("sha256".to_owned(), AttributeValue::B(Blob::new(digest(&SHA256, file.bytes).as_ref()))),
            ("shared".to_owned(), AttributeValue::Bool(!from.asked())),
        ]))
    }

    /// How whoever asked can be written to; `NotFound` where this tenant has no such request, or it was erased.
    pub async fn reachable(&self, reference: &Reference) -> Result<Reachable, Error> {
        let pk = partition(self.tenant.id(), reference);
        let got = self
            .store
            .dynamodb
            .get_item()
            .table_name(self.store.requests_table()?)
            .key("pk", text(&pk))
            .key("sk", text(reference.as_str()))
            .projection_expression("#email, #agent_email, #language, #code, #assignee")
            .expression_attribute_names("#email", "email")
            .expression_attribute_names("#agent_email", "agent_email")
            .expression_attribute_names("#language", "language")
            .expression_attribute_names("#code", "code")
            .expression_attribute_names("#assignee", "assignee")
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed("reading whom to write to")(error.into_service_error()))?;
        let item = got.item.ok_or(Error::NotFound)?;
        let email = if item.contains_key("email") || item.contains_key("agent_email") {
            let (keys, salt) = (self.keys().await?, self.salt(reference.as_str()).await?);
            let opening = Opening { tenant: self, reference, keys: &keys, salt: &salt };
            opening.written_to(&item)?
        } else {
            None
        };
        Ok(Reachable {
            email,
            language: get_parsed(&item, "language", Language::parse)?,
            code: get_parsed(&item, "code", |code| ServiceCode::parse(code).ok())?,
            assignee: item.get("assignee").and_then(|id| UserId::parse(id.as_s().ok()?).ok()),
        })
    }

    /// Writes down that somebody of the team saw a request, and that they read the consumer's messages with it: `read` is
    /// how many were new. What came in since stays new.
    pub async fn record_reading(&self, reference: &Reference, read: u64, entry: &Entry) -> Result<(), Error> {
        if read == 0 {
            return self.record(entry).await;
        }
        let seen = Update::builder()
            .table_name(self.store.requests_table()?)
            .key("pk", text(partition(self.tenant.id(), reference)))
            .key("sk", text(reference.as_str()))
            .update_expression("REMOVE #unread")
            .condition_expression("#unread = :read")
            .expression_attribute_names("#unread", "unread")
            .expression_attribute_values(":read", number(read))
            .build()
            .map_err(Error::failed("noting that messages were read"))?;
        match self.write_audited(&[TransactWriteItem::builder().update(seen).build()], entry).await? {
            Written::Done => Ok(()),
            // Another message came in, or a colleague looked at the same moment: it was seen all the same.
            Written::Refused(_) => self.record(entry).await,
        }
    }
}

impl Opening<'_> {
    pub(super) fn message(&self, item: &Item, sk: &str, id: &str) -> Result<Message, Error> {
        let files = item.get("files").and_then(|value| value.as_l().ok()).into_iter().flatten();
        Ok(Message {
            id: id.to_owned(),
            at: get_parsed(item, "at", |at| at.parse().ok())?,
            from: get_parsed(item, "who", Author::read)?,
            // One message that does not open is no reason to hide the rest.
            text: self.open(item, sk, "text").ok().flatten(),
            files: files.filter_map(|id| id.as_s().ok().cloned()).collect(),
        })
    }
}

fn message_key(reference: &Reference, id: &str) -> String {
    format!("{}#msg#{id}", reference.as_str())
}

/// Whether a kept file has the content of one that is sent.
fn is_file(there: &Item, sent: &SentFile<'_>) -> bool {
    let kept = there.get("sha256").and_then(|value| value.as_b().ok());
    kept.is_some_and(|kept| kept.as_ref() == digest(&SHA256, sent.bytes).as_ref())
}

fn seal(
    keys: &TenantKeys,
    salt: &SubjectSalt,
    (pk, sk, attribute): (&str, &str, &str),
    words: &PersonalText,
) -> Result<AttributeValue, Error> {
    let place = Place { table: "requests", pk, sk, attribute };
    keys.seal(salt, place, words.as_str().as_bytes()).map(|sealed| AttributeValue::B(Blob::new(sealed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_is_read_back_and_no_user_can_be_taken_for_the_consumer() {
        let user = UserId::parse(&format!("u-{}", "0a".repeat(13))).unwrap();
        for author in [Author::Consumer, Author::Agent, Author::Colleague(user)] {
            assert_eq!(Author::read(author.stored()), Some(author));
        }
        assert!(UserId::parse(CONSUMER).is_err() && UserId::parse(AGENT).is_err());
        assert_eq!(Author::read("somebody"), None);
    }

    #[test]
    fn a_full_mailbox_takes_nothing_and_one_without_room_for_files_takes_words() {
        let mailbox = |messages, files| Mailbox { unread: 0, messages, files };
        assert!(mailbox(0, 0).takes(true) && mailbox(MOST_MESSAGES - 1, MOST_FILES - 1).takes(true));
        assert!(!mailbox(MOST_MESSAGES, 0).takes(false));
        assert!(mailbox(0, MOST_FILES).takes(false) && !mailbox(0, MOST_FILES).takes(true));
    }

    #[test]
    fn each_side_has_counters_of_its_own() {
        let user = UserId::parse(&format!("u-{}", "0a".repeat(13))).unwrap();
        assert_ne!(Author::Consumer.counters(), Author::Colleague(user).counters());
    }

    #[test]
    fn what_an_agent_writes_is_on_the_side_of_whoever_asked_and_stands_as_the_agents() {
        assert_eq!(Author::by(Contact::Agent), Author::Agent);
        assert_eq!(Author::by(Contact::Phone), Author::Consumer);
        assert_eq!(Author::Agent.counters(), Author::Consumer.counters());
        assert!(Author::Agent.asked());
    }

    #[test]
    fn messages_and_files_lie_in_one_range_and_notes_outside_of_it() {
        let reference = Reference::from_entropy(7);
        let (first, last) = (format!("{}#file#", reference.as_str()), format!("{}#msg#~", reference.as_str()));
        let inside = |kind: &str| {
            let sk = format!("{}#{kind}#aA0-_z", reference.as_str());
            first <= sk && sk <= last
        };
        assert!(inside("file") && inside("msg"));
        assert!(!inside("note"));
    }

    #[test]
    fn a_message_is_printed_without_what_it_says() {
        let message = Message {
            id: "id".into(),
            at: Timestamp::UNIX_EPOCH,
            from: Author::Consumer,
            text: Some("My number is 415 555 0123.".into()),
            files: vec![],
        };
        assert!(!format!("{message:?}").contains("415"));
    }
}
