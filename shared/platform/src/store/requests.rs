//! Requests: written down as incomplete as soon as the kind and a way to answer are known, received when confirmed.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use domain::clock::Clocks;
use domain::language::Language;
use domain::own_words;
use domain::phone::E164;
use domain::reference::Reference;
use domain::request::{Action, Actor, Channel, Event, Kind, Missing, Progress, State};
use domain::service_code::ServiceCode;
use jiff::Timestamp;
use jiff::civil::Date;
use partners::twilio::{CallSid, RecordingSid};

use super::keys::salt_key;
use super::retention::BINNED;
use super::{Item, TenantStore, get_parsed, get_text, number, text};
use crate::Error;
use crate::seal::{Place, SubjectSalt, TenantKeys};
use crate::tenant::TenantId;

/// Candidates for a reference number. Of 10^11, a tenant with a million requests has one in 10^5.
pub(super) const CANDIDATES: u8 = 8;
/// How often a transaction that another one was in the way of is tried.
const TRIES: u32 = 4;
const WAIT: Duration = Duration::from_millis(60);

/// Version of the normaliser behind the blind index of telephone numbers ([`E164`]).
pub(super) const PHONE_INDEX: &str = "p1";

/// A request as the hotline begins it.
#[derive(Debug)]
pub struct NewRequest<'a> {
    /// Kind.
    pub kind: Kind,
    /// How it came in.
    pub channel: Channel,
    /// To which service code.
    pub code: &'a ServiceCode,
    /// What the consumer speaks.
    pub language: Language,
    /// The call in which it was made.
    pub call: &'a CallSid,
    /// Of what the caller said so far: a higher one replaces a lower one of the same call.
    pub revision: u8,
    /// Where the consumer can be answered; none for a message left without one.
    pub contact: Option<&'a E164>,
    /// When.
    pub received_at: Timestamp,
    /// What the law gives it.
    pub clocks: &'a Clocks,
    /// What is not known yet.
    pub missing: &'a [Missing],
}

/// What is there after a request was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The request, written now or by an earlier try.
    There(Reference),
    /// The same call's request in another version, which stands.
    Other(Reference),
}

/// What was said in a step of a call.
#[derive(Debug)]
pub struct Said<'a> {
    /// The call.
    pub call: &'a CallSid,
    /// The revision of its request that it belongs to.
    pub revision: u8,
    /// Which of the call's questions it answers, counted from its beginning: an older answer never replaces a newer one.
    pub question: u8,
    /// What it tells.
    pub answers: Missing,
    /// Where it is recorded.
    pub recording: &'a RecordingSid,
    /// What is not known yet.
    pub missing: &'a [Missing],
}

/// What the submission adds.
#[derive(Debug)]
pub struct Submission<'a> {
    /// The call in which the request was begun.
    pub call: &'a CallSid,
    /// The revision that the caller confirmed.
    pub revision: u8,
    /// Its kind, which decides what the states allow.
    pub kind: Kind,
    /// When.
    pub at: Timestamp,
    /// What the caller could not or need not give.
    pub missing: &'a [Missing],
}

/// A filed request, as the caller is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The date by which the business must answer.
    pub respond_by: Date,
}

/// What anybody who knows a reference number may hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestStatus {
    /// Kind.
    pub kind: Kind,
    /// State.
    pub state: State,
    /// The date by which the business must answer.
    pub respond_by: Date,
}

impl TenantStore<'_> {
    /// Writes a request down as incomplete, with the salt of its key, in one operation unless its reference number is
    /// another call's. The same call gets the same number each time, so this is safe to repeat.
    pub async fn begin_request(&self, new: &NewRequest<'_>) -> Result<Begun, Error> {
        let keys = self.keys().await?;
        for candidate in 0..CANDIDATES {
            let reference = Reference::from_entropy(keys.reference_entropy(new.call.as_str(), candidate)?);
            if let Some(same_version) = self.begin_as(&reference, &keys, new).await? {
                return Ok(if same_version { Begun::There(reference) } else { Begun::Other(reference) });
            }
        }
        Err(Error::Failed { doing: "writing a request", source: "every candidate for its reference is taken".into() })
    }

    /// Begins a request under a reference: whether it is there in this version; nothing where another call has it.
    async fn begin_as(
        &self,
        reference: &Reference,
        keys: &TenantKeys,
        new: &NewRequest<'_>,
    ) -> Result<Option<bool>, Error> {
        let (pk, sk) = (partition(self.tenant.id(), reference), reference.as_str());
        let salt = SubjectSalt::random()?;
        let salt_pk = salt_key(self.tenant.id(), sk);
        let mut item = self.begun_item(&pk, reference, new)?;
        if let Some(contact) = new.contact {
            let place = Place { table: "requests", pk: &pk, sk, attribute: "contact" };
            let sealed = keys.seal(&salt, place, contact.as_str().as_bytes())?;
            let index = keys.blind_index("phone", contact.as_str())?;
            item.insert("contact".to_owned(), AttributeValue::B(Blob::new(sealed)));
            item.insert("contact_pk".to_owned(), text(format!("{}#{PHONE_INDEX}#{index}", self.tenant.id())));
            item.insert("contact_sk".to_owned(), text(format!("{}#{sk}", new.received_at)));
        }
        let put_request = Put::builder()
            .table_name(self.store.requests_table()?)
            .set_item(Some(item))
            .condition_expression(
                "attribute_not_exists(pk) OR \
                 (#call = :call AND #state = :incomplete AND #revision < :revision AND attribute_not_exists(#worked))",
            )
            // What somebody at the desk has begun to work on is no longer replaced: what they wrote is sealed under it.
            .expression_attribute_names("#worked", "worked")
            .expression_attribute_names("#call", "call")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#revision", "revision")
            .expression_attribute_values(":call", text(new.call.as_str()))
            .expression_attribute_values(":incomplete", text(State::Incomplete.code()))
            .expression_attribute_values(":revision", number(new.revision))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put_salt = Put::builder()
            .table_name(self.store.keys_table()?)
            .item("pk", text(salt_pk))
            .item("sk", text("salt"))
            .item("salt", AttributeValue::B(Blob::new(salt.as_bytes())));
        let built = |put: Result<Put, _>| {
            put.map(|put| TransactWriteItem::builder().put(put).build()).map_err(Error::failed("writing a request"))
        };
        let (put_request, put_salt) = (built(put_request.build())?, built(put_salt.build())?);
        let mut tries = 0;
        loop {
            let written = self
                .store
                .dynamodb
                .transact_write_items()
                .transact_items(put_request.clone())
                .transact_items(put_salt.clone())
                .send()
                .await
                .map_err(SdkError::into_service_error);
            let canceled = match written {
                Ok(_) => return Ok(Some(true)),
                Err(TransactWriteItemsError::TransactionCanceledException(canceled)) => canceled,
                Err(error) => return Err(Error::failed("writing a request")(error)),
            };
            let first = canceled.cancellation_reasons().first();
            if let Some(reason) = first.filter(|reason| reason.code() == Some("ConditionalCheckFailed")) {
                let there = match reason.item() {
                    Some(item) => item.clone(),
                    None => self.request_item(reference).await?.ok_or(Error::Conflict)?,
                };
                return begun_before(&there, new);
            }
            // A repeated webhook that overtakes the first one, or a hot partition: both pass.
            tries += 1;
            if tries == TRIES {
                return Err(Error::failed("writing a request")(canceled));
            }
            tokio::time::sleep(WAIT * tries).await;
        }
    }

    fn begun_item(&self, pk: &str, reference: &Reference, new: &NewRequest<'_>) -> Result<Item, Error> {
        let respond_by = new.clocks.respond_by.date;
        let mut item = Item::from([
            ("pk".to_owned(), text(pk)),
            ("sk".to_owned(), text(reference.as_str())),
            ("kind".to_owned(), text(new.kind.code())),
            ("state".to_owned(), text(State::Incomplete.code())),
            ("extended".to_owned(), AttributeValue::Bool(false)),
            ("channel".to_owned(), text(new.channel.code())),
            ("code".to_owned(), text(new.code.as_str())),
            ("language".to_owned(), text(new.language.code())),
            ("call".to_owned(), text(new.call.as_str())),
            ("revision".to_owned(), number(new.revision)),
            ("received_at".to_owned(), text(new.received_at.to_string())),
            ("received_on".to_owned(), text(new.clocks.received_on.to_string())),
            ("respond_by".to_owned(), text(respond_by.to_string())),
            ("respond_under".to_owned(), text(new.clocks.respond_by.jurisdiction.as_str())),
            ("respond_citation".to_owned(), text(&new.clocks.respond_by.citation)),
            ("missing".to_owned(), missing_list(new.missing)),
            ("events".to_owned(), AttributeValue::L(vec![])),
            ("open_pk".to_owned(), text(self.tenant.id().as_str())),
            // First it lies by the day until which its receipt is to be confirmed; what is filed, by the answer's.
            ("open_sk".to_owned(), text(format!("{}#{}", new.clocks.next_due(false).date, reference.as_str()))),
            ("answer_sk".to_owned(), text(format!("{respond_by}#{}", reference.as_str()))),
        ]);
        if let Some(confirm_by) = &new.clocks.confirm_by {
            item.insert("confirm_by".to_owned(), text(confirm_by.date.to_string()));
        }
        item.insert("clocks".to_owned(), clocks_json(new.clocks)?);
        let (month, day) = received_key(self.tenant.id(), new.clocks.received_on, reference);
        item.insert("received_pk".to_owned(), month);
        item.insert("received_sk".to_owned(), day);
        Ok(item)
    }

    /// Notes a recording as soon as it ended, with what is missing now, so that a hang-up right after it loses nothing.
    /// A webhook that comes late, after the caller has recorded again, started again or sent the request, changes nothing.
    pub async fn note_recording(&self, reference: &Reference, said: &Said<'_>) -> Result<(), Error> {
        let attribute = match said.answers {
            Missing::Name => "name_recording",
            Missing::Details | Missing::Confirmation => "details_recording",
        };
        let updated = self
            .update(reference, said.call)?
            .update_expression("SET #recording = :recording, #missing = :missing, #question = :question")
            .condition_expression(
                "#call = :call AND #state = :incomplete AND #revision = :revision AND \
                 (attribute_not_exists(#question) OR #question <= :question)",
            )
            .expression_attribute_names("#recording", attribute)
            .expression_attribute_names("#missing", "missing")
            .expression_attribute_names("#question", "question")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#revision", "revision")
            .expression_attribute_values(":recording", text(said.recording.as_str()))
            .expression_attribute_values(":missing", missing_list(said.missing))
            .expression_attribute_values(":question", number(said.question))
            .expression_attribute_values(":incomplete", text(State::Incomplete.code()))
            .expression_attribute_values(":revision", number(said.revision))
            .send()
            .await;
        match updated.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(()),
            Err(error) => Err(Error::failed("noting a recording")(error)),
        }
    }

    /// Adds a message that the fallback took to a request of the same call, whatever its state; once.
    pub async fn add_message(
        &self,
        reference: &Reference,
        call: &CallSid,
        recording: &RecordingSid,
    ) -> Result<(), Error> {
        let updated = self
            .update(reference, call)?
            .update_expression("SET #messages = list_append(if_not_exists(#messages, :none), :message)")
            .condition_expression("#call = :call AND NOT contains(#messages, :recording)")
            .expression_attribute_names("#messages", "messages")
            .expression_attribute_values(":none", AttributeValue::L(vec![]))
            .expression_attribute_values(":message", AttributeValue::L(vec![text(recording.as_str())]))
            .expression_attribute_values(":recording", text(recording.as_str()))
            .send()
            .await;
        match updated.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            // It is there already: a second delivery.
            Err(error) if error.is_conditional_check_failed_exception() => Ok(()),
            Err(error) => Err(Error::failed("adding a message")(error)),
        }
    }

    /// Files an incomplete request, once: a repeated submission of the same call gets the same answer. The caller is
    /// told on the line, which is the confirmation of receipt that 11 CCR 7021(a) asks for.
    pub async fn submit_request(&self, reference: &Reference, submission: &Submission<'_>) -> Result<Submitted, Error> {
        let why = own_words::BY_TELEPHONE.en;
        let (progress, event) = Progress::new(State::Incomplete)
            .next(submission.kind, Action::Receive, Actor::Consumer, submission.at, why)
            .map_err(Error::failed("filing a request"))?;
        let updated = self
            .update(reference, submission.call)?
            .update_expression(
                "SET #state = :received, #missing = :missing, #confirmed_at = :at, #confirmed_how = :how, \
                 #open_sk = #answer_sk, #assignee_sk = #answer_sk, #events = list_append(#events, :event) ADD #version :one",
            )
            .condition_expression("#call = :call AND #state = :incomplete AND #revision = :revision")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#missing", "missing")
            .expression_attribute_names("#confirmed_at", "confirmed_at")
            .expression_attribute_names("#confirmed_how", "confirmed_how")
            // With the receipt confirmed, what is due next is the answer.
            .expression_attribute_names("#open_sk", "open_sk")
            .expression_attribute_names("#assignee_sk", "assignee_sk")
            .expression_attribute_names("#answer_sk", "answer_sk")
            .expression_attribute_names("#events", "events")
            .expression_attribute_names("#revision", "revision")
            .expression_attribute_values(":received", text(progress.state.code()))
            .expression_attribute_values(":missing", missing_list(submission.missing))
            .expression_attribute_values(":at", text(submission.at.to_string()))
            .expression_attribute_values(":how", text("orally, on the call"))
            .expression_attribute_values(":event", AttributeValue::L(vec![event_map(&event)?]))
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":incomplete", text(State::Incomplete.code()))
            .expression_attribute_values(":revision", number(submission.revision))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let item = match updated.map_err(SdkError::into_service_error) {
            Ok(output) => output.attributes.unwrap_or_default(),
            Err(error) => {
                use aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException as Failed;
                let Failed(failed) = error else { return Err(Error::failed("filing a request")(error)) };
                let there = match failed.item {
                    Some(item) => item,
                    None => self.request_item(reference).await?.ok_or(Error::StaleCall)?,
                };
                let ours = get_text(&there, "call").is_ok_and(|call| call == submission.call.as_str());
                let submitted = get_text(&there, "state").is_ok_and(|state| state != State::Incomplete.code());
                if !(ours && submitted) {
                    return Err(Error::StaleCall);
                }
                there
            }
        };
        Ok(Submitted { respond_by: get_parsed(&item, "respond_by", |date| date.parse().ok())? })
    }

    /// Where a request stands; nothing where this tenant has none of that reference.
    pub async fn request_status(&self, reference: &Reference) -> Result<Option<RequestStatus>, Error> {
        let got = self
            .store
            .dynamodb
            .get_item()
            .table_name(self.store.requests_table()?)
            .key("pk", text(partition(self.tenant.id(), reference)))
            .key("sk", text(reference.as_str()))
            .projection_expression("#kind, #state, #respond_by, #binned")
            .expression_attribute_names("#binned", BINNED)
            .expression_attribute_names("#kind", "kind")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#respond_by", "respond_by")
            .send()
            .await
            .map_err(|error| Error::failed("reading a request's status")(error.into_service_error()))?;
        got.item
            .filter(|item| !item.contains_key(BINNED))
            .map(|item| {
                Ok(RequestStatus {
                    kind: get_parsed(&item, "kind", Kind::parse)?,
                    state: get_parsed(&item, "state", State::parse)?,
                    respond_by: get_parsed(&item, "respond_by", |date| date.parse().ok())?,
                })
            })
            .transpose()
    }

    /// An update of a request that must be this call's; what it changes and under which further condition is to be added.
    fn update(&self, reference: &Reference, call: &CallSid) -> Result<UpdateItemFluentBuilder, Error> {
        let update = self
            .store
            .dynamodb
            .update_item()
            .table_name(self.store.requests_table()?)
            .key("pk", text(partition(self.tenant.id(), reference)))
            .key("sk", text(reference.as_str()))
            .expression_attribute_names("#call", "call")
            .expression_attribute_values(":call", text(call.as_str()));
        Ok(update)
    }

    pub(super) async fn request_item(&self, reference: &Reference) -> Result<Option<Item>, Error> {
        let got = self
            .store
            .dynamodb
            .get_item()
            .table_name(self.store.requests_table()?)
            .key("pk", text(partition(self.tenant.id(), reference)))
            .key("sk", text(reference.as_str()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed("reading a request")(error.into_service_error()))?;
        Ok(got.item)
    }
}

/// A tenant's requests lie spread over 100 partitions: one alone takes 1,000 writes a second.
pub(super) fn partition(tenant: &TenantId, reference: &Reference) -> String {
    let shard: String = reference.as_str().chars().take(2).collect();
    format!("{tenant}#{shard}")
}

/// Every date of a request as JSON: read whole, and never looked into by an expression.
pub(super) fn clocks_json(clocks: &Clocks) -> Result<AttributeValue, Error> {
    serde_json::to_string(clocks).map(text).map_err(Error::failed("writing a request's dates"))
}

/// Where index `by-received` has a request: a tenant's month, then the day.
pub(super) fn received_key(
    tenant: &TenantId,
    received_on: Date,
    reference: &Reference,
) -> (AttributeValue, AttributeValue) {
    let month = format!("{tenant}#{:04}-{:02}", received_on.year(), received_on.month());
    (text(month), text(format!("{received_on}#{}", reference.as_str())))
}

/// Whether what is there already under a reference is this very version; nothing where it is another call's.
fn begun_before(there: &Item, new: &NewRequest<'_>) -> Result<Option<bool>, Error> {
    if get_text(there, "call")? != new.call.as_str() {
        return Ok(None);
    }
    let revision = there.get("revision").and_then(|value| value.as_n().ok());
    let same = revision.is_some_and(|revision| *revision == new.revision.to_string())
        && get_text(there, "kind")? == new.kind.code();
    Ok(Some(same))
}

pub(super) fn missing_list(missing: &[Missing]) -> AttributeValue {
    let code = |missing: &Missing| match missing {
        Missing::Name => "name",
        Missing::Details => "details",
        Missing::Confirmation => "confirmation",
    };
    AttributeValue::L(missing.iter().map(|missing| text(code(missing))).collect())
}

pub(super) fn event_map(event: &Event) -> Result<AttributeValue, Error> {
    let who = serde_json::to_string(&event.who).map_err(Error::failed("writing an event"))?;
    Ok(AttributeValue::M(Item::from([
        ("at".to_owned(), text(event.at.to_string())),
        ("who".to_owned(), text(who)),
        ("action".to_owned(), text(event.action.code())),
        ("from".to_owned(), text(event.from.code())),
        ("to".to_owned(), text(event.to.code())),
        ("why".to_owned(), text(&event.why)),
    ])))
}
