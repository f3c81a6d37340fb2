//! A request as whoever made it sees and changes it: never notes, never who of the team did what.
//!
//! What they do is written in one transaction with the audit entry that tells of it, on condition that the request is
//! still one with which that may be done.

use std::fmt;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use domain::audit::Entry;
use domain::clock::Clocks;
use domain::desk::{Decided, Standing};
use domain::email::EmailAddress;
use domain::intake::Requester;
use domain::personal::PersonalText;
use domain::phone::E164;
use domain::reference::Reference;
use domain::request::{Action, Actor, Event, Kind, Missing, Outcome, Progress, State};
use domain::tenant::TenantProfile;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::audit::Written;
use super::desk::{Added, Change, Changed, Closed, Hands, Opened, Opening, flag};
use super::requests::partition;
use super::retention::BINNED;
use super::{Item, TenantStore, damaged, get_parsed, number, text};
use crate::Error;
use crate::consumer::Contact;
use crate::seal::Place;

/// What says where a request stands; nothing of it is sealed.
const GLANCED: &[&str] = &["kind", "state", "extended", "clocks", "received_at", "closed_on", "outcome"];

/// What the page of whoever made it is made from, and what a withdrawal needs to know.
const CASE: &[&str] = &[
    "sk",
    "kind",
    "state",
    "extended",
    "channel",
    "code",
    "language",
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
    "further",
    "further_kinds",
    "requester",
    "declaration",
    "photos",
];

/// So many photos of an identity document may be given with one request: both sides, and one that was blurred.
pub const MOST_PHOTOS: usize = 3;

/// Where a request stands, for anybody who has its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glance {
    /// What is asked.
    pub kind: Kind,
    /// Where it stands.
    pub progress: Progress,
    /// The dates that the law sets.
    pub clocks: Clocks,
    /// When it came in.
    pub received_at: Timestamp,
    /// On which day it was answered, and how.
    pub closed: Option<(Date, Outcome)>,
}

/// Who did something, as far as whoever asked is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Whoever asked.
    Consumer,
    /// Somebody of the business.
    Business,
    /// The product itself.
    System,
}

/// Something that happened.
#[derive(Clone, PartialEq, Eq)]
pub struct Past {
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub side: Side,
    /// What was done.
    pub action: Action,
    /// In which words, where they are the person's own or were given to them.
    pub words: Option<String>,
}

impl fmt::Debug for Past {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Past").field("at", &self.at).field("action", &self.action).finish_non_exhaustive()
    }
}

impl Past {
    /// An event as whoever asked is told of it; nothing where it is the business's own matter.
    fn of(event: &Event) -> Option<Self> {
        let told = match event.action {
            // Who works on it is nobody's business but the business's.
            Action::Assign => return None,
            // The words that these hold were given to the person.
            Action::Acknowledge | Action::Verify | Action::Complete | Action::Extend | Action::Deny => true,
            Action::Withdraw => event.who == Actor::Consumer || event.who == Actor::AuthorizedAgent,
            Action::Receive
            | Action::Classify
            | Action::Residence
            | Action::Review
            | Action::Fulfil
            | Action::Reopen
            | Action::Expire => false,
        };
        let side = match event.who {
            Actor::Consumer | Actor::AuthorizedAgent => Side::Consumer,
            Actor::User { .. } => Side::Business,
            Actor::System { .. } => Side::System,
        };
        let words = Some(event.why.clone()).filter(|why| told && !why.is_empty());
        Some(Self { at: event.at, side, action: event.action, words })
    }
}

/// A declaration under penalty of perjury, 11 CCR 7062(c).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declaration {
    /// The name that stands under it.
    pub name: String,
    /// What it says, word for word as it was shown.
    pub statement: String,
    /// When it was signed.
    pub at: Timestamp,
}

impl fmt::Debug for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Declaration").field("at", &self.at).finish_non_exhaustive()
    }
}

/// A photo of an identity document that was given with a request, where it lies until verification ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    /// Names it.
    pub id: String,
    /// When it was given.
    pub at: Timestamp,
}

impl Photo {
    fn stored(&self) -> String {
        format!("{} {}", self.id, self.at)
    }

    pub(super) fn read(stored: &str) -> Option<Self> {
        let (id, at) = stored.split_once(' ')?;
        Some(Self { id: id.to_owned(), at: at.parse().ok()? })
    }
}

/// A request with what happened to it, for whoever made it.
#[derive(Debug)]
pub struct History {
    /// What is asked.
    pub kind: Kind,
    /// Where it stands.
    pub progress: Progress,
    /// The dates that the law sets.
    pub clocks: Clocks,
    /// When it came in.
    pub received_at: Timestamp,
    /// How it was answered.
    pub closed: Option<Closed>,
    /// What an incomplete one lacks.
    pub missing: Vec<Missing>,
    /// For whom it was made, where it came by the web form.
    pub requester: Option<Requester>,
    /// What happened, the oldest first.
    pub past: Vec<Past>,
    /// What was signed.
    pub declaration: Option<Declaration>,
    /// The photos that were given, as long as they are needed.
    pub photos: Vec<Photo>,
    opened: Opened,
}

impl History {
    /// Where it stands for the rules, on this day in the tenant's time zone.
    #[must_use]
    pub fn standing(&self, profile: &TenantProfile, today: Date) -> Standing {
        let dossier = &self.opened.dossier;
        Standing {
            kind: dossier.kind,
            progress: dossier.progress,
            clocks: dossier.clocks.clone(),
            confirmed: dossier.is_confirmed(),
            identified: dossier.identified,
            further: dossier.further_kinds.clone(),
            residence: dossier.residence,
            jurisdictions: profile.jurisdictions.clone(),
            today,
        }
    }
}

/// How whoever made a request can be reached.
#[derive(Clone, PartialEq, Eq)]
pub struct OnFile {
    /// An e-mail address.
    pub email: Option<EmailAddress>,
    /// A telephone number.
    pub phone: Option<E164>,
}

impl fmt::Debug for OnFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnFile(..)")
    }
}

impl TenantStore<'_> {
    /// Where a request stands; nothing where this tenant has none of that reference.
    pub async fn glance(&self, reference: &Reference) -> Result<Option<Glance>, Error> {
        let Some(item) = self.projected(reference, GLANCED).await? else { return Ok(None) };
        let closed = if item.contains_key("closed_on") {
            let on = get_parsed(&item, "closed_on", |date| date.parse().ok())?;
            Some((on, get_parsed(&item, "outcome", Outcome::parse)?))
        } else {
            None
        };
        Ok(Some(Glance {
            kind: get_parsed(&item, "kind", Kind::parse)?,
            progress: Progress { state: get_parsed(&item, "state", State::parse)?, extended: flag(&item, "extended") },
            clocks: get_parsed(&item, "clocks", |clocks| serde_json::from_str(clocks).ok())?,
            received_at: get_parsed(&item, "received_at", |at| at.parse().ok())?,
            closed,
        }))
    }

    /// A request with what happened to it, for whoever made it. `NotFound` where this tenant has none of that reference.
    pub async fn history(&self, reference: &Reference) -> Result<History, Error> {
        let item = self.projected(reference, CASE).await?.ok_or(Error::NotFound)?;
        let opened = self.opened(reference, &[item]).await?;
        let dossier = &opened.dossier;
        Ok(History {
            kind: dossier.kind,
            progress: dossier.progress,
            clocks: dossier.clocks.clone(),
            received_at: dossier.received_at,
            closed: dossier.closed.clone(),
            missing: dossier.missing.clone(),
            requester: dossier.web.as_ref().map(|web| web.requester),
            past: dossier.events.iter().filter_map(Past::of).collect(),
            declaration: dossier.declaration.clone(),
            photos: dossier.photos.clone(),
            opened,
        })
    }

    /// How whoever made a request can be reached. `NotFound` where this tenant has none of that reference, or it was
    /// erased.
    pub async fn on_file(&self, reference: &Reference) -> Result<OnFile, Error> {
        let item = self.projected(reference, &["contact", "email", "agent_email"]).await?.ok_or(Error::NotFound)?;
        let (keys, salt) = (self.keys().await?, self.salt(reference.as_str()).await?);
        let opening = Opening { tenant: self, reference, keys: &keys, salt: &salt };
        Ok(OnFile {
            email: opening.written_to(&item)?,
            phone: opening.open(&item, reference.as_str(), "contact")?.and_then(|phone| E164::parse(&phone).ok()),
        })
    }

    /// Writes down that somebody entered a code that was sent to the request's contact, and tells whose contact it is: mail
    /// about a request that an agent made goes to the agent ([`Self::on_file`]), and says nothing of the person.
    pub async fn contact_shown(&self, reference: &Reference, to: Contact, entry: &Entry) -> Result<Contact, Error> {
        for (by, condition) in shown_to_be(to) {
            let mut update = self
                .consumers_update(reference)?
                .update_expression("SET #shown = :at")
                .condition_expression(*condition)
                .expression_attribute_names("#shown", shown_attribute(*by))
                .expression_attribute_values(":at", text(entry.at.to_string()));
            if condition.contains("#agent") {
                update = update.expression_attribute_names("#agent", "agent_email");
            }
            let update = update.build().map_err(Error::failed("noting whose request it is"))?;
            let entry = entry.clone().with("by", by.code());
            match self.write_audited(&[TransactWriteItem::builder().update(update).build()], &entry).await? {
                Written::Done => return Ok(*by),
                Written::Refused(_) => {}
            }
        }
        Err(Error::NotFound)
    }

    /// Writes what whoever made a request decided about it, if nobody changed it since it was read.
    pub async fn decide_as_consumer(
        &self,
        history: &History,
        decided: &Decided,
        entry: &Entry,
    ) -> Result<Changed, Error> {
        self.change(&history.opened, &Change { decided, hands: Hands::Unchanged, entry }).await
    }

    /// Keeps a declaration with a request that is being verified. One that was signed before stays: `Other`.
    pub async fn sign_declaration(
        &self,
        history: &History,
        name: &PersonalText,
        statement: &str,
        entry: &Entry,
    ) -> Result<Added, Error> {
        let (opened, reference) = (&history.opened, &history.opened.dossier.reference);
        let (name, statement) = (name.as_str().to_owned(), statement.to_owned());
        let signed = Declaration { name, statement, at: entry.at };
        let plain = serde_json::to_vec(&signed).map_err(Error::failed("writing a declaration"))?;
        let pk = partition(self.tenant.id(), reference);
        let place = Place { table: "requests", pk: &pk, sk: reference.as_str(), attribute: "declaration" };
        let sealed = opened.seal(place, &plain)?;
        let update = self
            .consumers_update(reference)?
            .update_expression("SET #declaration = :declaration, #worked = :worked")
            .condition_expression("#state = :verifying AND attribute_not_exists(#declaration)")
            .expression_attribute_names("#declaration", "declaration")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#worked", "worked")
            .expression_attribute_values(":declaration", AttributeValue::B(Blob::new(sealed)))
            .expression_attribute_values(":verifying", text(State::Verifying.code()))
            .expression_attribute_values(":worked", AttributeValue::Bool(true))
            .build()
            .map_err(Error::failed("keeping a declaration"))?;
        match self.write_audited(&[TransactWriteItem::builder().update(update).build()], entry).await? {
            Written::Done => Ok(Added::Done(())),
            Written::Refused(_) => Ok(Added::Other),
        }
    }

    /// Notes a photo that was uploaded for a request that is being verified, once for each id. `Full` where it is no
    /// longer being verified, or has enough.
    pub async fn add_photo(&self, reference: &Reference, photo: &Photo, entry: &Entry) -> Result<Added, Error> {
        let update = self
            .consumers_update(reference)?
            .update_expression("SET #photos = list_append(if_not_exists(#photos, :none), :photo)")
            .condition_expression(
                "#state = :verifying AND (attribute_not_exists(#photos) OR \
                 (size(#photos) < :most AND NOT contains(#photos, :stored)))",
            )
            .expression_attribute_names("#photos", "photos")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":none", AttributeValue::L(vec![]))
            .expression_attribute_values(":photo", AttributeValue::L(vec![text(photo.stored())]))
            .expression_attribute_values(":stored", text(photo.stored()))
            .expression_attribute_values(":most", number(MOST_PHOTOS as u64))
            .expression_attribute_values(":verifying", text(State::Verifying.code()))
            .build()
            .map_err(Error::failed("noting a photo"))?;
        match self.write_audited(&[TransactWriteItem::builder().update(update).build()], entry).await? {
            Written::Done => Ok(Added::Done(())),
            Written::Refused(_) => Ok(Added::Full),
        }
    }

    /// An update of a request by whoever made it.
    fn consumers_update(
        &self,
        reference: &Reference,
    ) -> Result<aws_sdk_dynamodb::types::builders::UpdateBuilder, Error> {
        Ok(Update::builder()
            .table_name(self.store.requests_table()?)
            .key("pk", text(partition(self.tenant.id(), reference)))
            .key("sk", text(reference.as_str())))
    }

    /// These attributes of a request, and no others; nothing where it lies in the recycle bin.
    pub(super) async fn projected(&self, reference: &Reference, names: &[&str]) -> Result<Option<Item>, Error> {
        let names = &[names, &[BINNED]].concat();
        let by_name = names.iter().map(|name| (format!("#{name}"), (*name).to_owned())).collect();
        let got = self
            .store
            .dynamodb
            .get_item()
            .table_name(self.store.requests_table()?)
            .key("pk", text(partition(self.tenant.id(), reference)))
            .key("sk", text(reference.as_str()))
            .projection_expression(names.iter().map(|name| format!("#{name}")).collect::<Vec<_>>().join(", "))
            .set_expression_attribute_names(Some(by_name))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed("reading a request")(error.into_service_error()))?;
        Ok(got.item.filter(|item| !item.is_empty() && !item.contains_key(BINNED)))
    }
}

/// Whose contact a code that was sent there may have shown, each with what must be so.
const fn shown_to_be(to: Contact) -> &'static [(Contact, &'static str)] {
    match to {
        Contact::Phone => &[(Contact::Phone, "attribute_exists(pk)")],
        Contact::Email | Contact::Agent => &[
            (Contact::Email, "attribute_exists(pk) AND attribute_not_exists(#agent)"),
            (Contact::Agent, "attribute_exists(pk) AND attribute_exists(#agent)"),
        ],
    }
}

/// Where a request keeps when a contact was shown to be its maker's.
pub(super) const fn shown_attribute(by: Contact) -> &'static str {
    match by {
        Contact::Email => "shown_email_at",
        Contact::Phone => "shown_phone_at",
        Contact::Agent => "shown_agent_at",
    }
}

/// A declaration, opened.
pub(super) fn read_declaration(opened: &str) -> Result<Declaration, Error> {
    serde_json::from_str(opened).map_err(|_| damaged("declaration"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(who: Actor, action: Action) -> Event {
        let state = State::InReview;
        Event { at: Timestamp::UNIX_EPOCH, who, action, from: state, to: state, why: "words".into() }
    }

    fn colleague() -> Actor {
        Actor::User { id: "u-secret".into() }
    }

    #[test]
    fn nobody_is_told_who_of_the_team_works_on_their_request_or_what_it_says_to_itself() {
        assert_eq!(Past::of(&event(colleague(), Action::Assign)), None);
        for action in [Action::Review, Action::Fulfil, Action::Classify, Action::Residence, Action::Reopen] {
            let past = Past::of(&event(colleague(), action)).unwrap();
            assert_eq!((past.side, past.words), (Side::Business, None), "{action}");
        }
    }

    #[test]
    fn words_that_were_given_to_the_person_and_their_own_are_shown_again() {
        for action in [Action::Deny, Action::Complete, Action::Extend, Action::Verify, Action::Acknowledge] {
            assert_eq!(Past::of(&event(colleague(), action)).unwrap().words.as_deref(), Some("words"), "{action}");
        }
        let own = Past::of(&event(Actor::Consumer, Action::Withdraw)).unwrap();
        assert_eq!((own.side, own.words.as_deref()), (Side::Consumer, Some("words")));
        assert_eq!(Past::of(&event(colleague(), Action::Withdraw)).unwrap().words, None);
    }

    #[test]
    fn a_code_that_was_mailed_to_an_agent_never_stands_as_shown_by_the_person() {
        for (by, condition) in shown_to_be(Contact::Email) {
            let agents = condition.contains("attribute_exists(#agent)");
            assert_eq!(agents, *by == Contact::Agent, "{condition}");
            assert_ne!(agents, condition.contains("attribute_not_exists(#agent)"), "{condition}");
        }
        let attributes: std::collections::BTreeSet<_> = Contact::ALL.into_iter().map(shown_attribute).collect();
        assert_eq!(attributes.len(), Contact::ALL.len());
    }

    #[test]
    fn a_photo_is_read_back_as_it_was_noted() {
        let photo = Photo { id: "x".repeat(43), at: "2026-11-22T01:02:03Z".parse().unwrap() };
        assert_eq!(Photo::read(&photo.stored()), Some(photo));
        assert_eq!(Photo::read("x"), None);
    }

    #[test]
    fn the_page_reads_nothing_of_the_person_and_nothing_of_what_was_said() {
        for private in ["contact", "email", "name", "details", "call", "messages", "name_recording", "agent_email"] {
            assert!(!CASE.contains(&private) && !GLANCED.contains(&private), "{private}");
        }
    }

    #[test]
    fn what_is_held_is_not_printed() {
        let signed =
            Declaration { name: "Ana Pérez".into(), statement: "I declare".into(), at: Timestamp::UNIX_EPOCH };
        let past = Past::of(&event(Actor::Consumer, Action::Withdraw)).unwrap();
        assert!(!format!("{signed:?} {past:?}").contains("Ana") && !format!("{past:?}").contains("words"));
    }
}
