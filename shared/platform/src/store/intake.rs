//! Requests that come by the web form: one transaction each, however often the form is sent, and how many may be sent.

use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use domain::clock::Clocks;
use domain::human_check::Standing;
use domain::intake::{Hint, Intake};
use domain::jurisdiction::Jurisdiction;
use domain::language::Language;
use domain::own_words;
use domain::reference::Reference;
use domain::request::{Action, Channel, Progress, State};
use domain::service_code::ServiceCode;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::desk::{Fresh, Person, WebForm};
use super::requests::CANDIDATES;
use super::{Item, Store, TenantStore, get_parsed, get_text, number, text};
use crate::Error;
use crate::seal::{SubjectSalt, TenantKeys, hex};

/// How often a transaction that another one was in the way of is tried.
const TRIES: u32 = 4;
const WAIT: Duration = Duration::from_millis(60);

/// Counters of one code, so that none of them is written more often than DynamoDB takes.
const SHARDS: u8 = 16;
const WINDOW: i64 = 60;
/// A day longer than needed: DynamoDB deletes what expired at its leisure, and never early.
const KEEP: i64 = 24 * 60 * 60;

/// A filled-in form.
#[derive(Debug)]
pub struct NewFormRequest<'a> {
    /// The form's own id: the same form makes one request, however often it is sent.
    pub id: &'a str,
    /// What is in it.
    pub intake: &'a Intake,
    /// How it came in.
    pub channel: Channel,
    /// To which service code.
    pub code: &'a ServiceCode,
    /// What the person speaks.
    pub language: Language,
    /// When.
    pub received_at: Timestamp,
    /// The dates that the law sets.
    pub clocks: &'a Clocks,
    /// Whether a person sent it.
    pub human: Standing,
    /// What makes it likely that a program did.
    pub hints: &'a [Hint],
    /// The site that it was sent from; none for the hosted page.
    pub origin: Option<&'a str>,
}

/// A request that is filed, as the person is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    /// Its number.
    pub reference: Reference,
    /// The date by which the business must answer.
    pub respond_by: Date,
    /// Whether it is filed now, and not by the same form before.
    pub first_time: bool,
}

/// What is counted for each code, each for itself: signals, which browsers send by themselves, take nothing from the people
/// who fill in a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// A filled-in form.
    Form,
    /// A choice on the page of privacy choices.
    Choice,
    /// A browser's signal, as a site reports it.
    Signal,
}

impl Counter {
    const fn code(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Choice => "choice",
            Self::Signal => "signal",
        }
    }

    fn key(self, code: &ServiceCode, shard: u8, window: i64) -> String {
        format!("throttle#{}#{code}#{shard}#{window}", self.code())
    }

    /// So many are taken from one address in a minute (people in one office or behind one provider share theirs), and so many
    /// from all whose addresses fall into the same one of [`SHARDS`].
    const fn limits(self) -> (u32, u32) {
        match self {
            Self::Form | Self::Choice => (20, 60),
            Self::Signal => (120, 600),
        }
    }
}

/// Whether one more form is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throttled {
    /// It is.
    Open,
    /// Not now: too many come for this code from everywhere. Other codes are open.
    CodeBusy {
        /// When to try again.
        retry_after: SignedDuration,
    },
}

impl TenantStore<'_> {
    /// Files a request in one transaction. The same form with the same content gets the same answer each time; with other
    /// content it is another request, so that nothing anybody wrote is lost.
    pub async fn file_form_request(&self, new: &NewFormRequest<'_>) -> Result<Filed, Error> {
        let keys = self.keys().await?;
        let (progress, event) = Progress::new(State::Incomplete)
            .next(
                new.intake.kind,
                Action::Receive,
                new.intake.requester.actor(),
                new.received_at,
                own_words::BY_FORM.en,
            )
            .map_err(Error::failed("filing a request"))?;
        let (person, web) = told(new);
        let form = Form::of(&keys, new, &person, &web)?;
        let confirmed = (new.received_at, "on the form's answer".to_owned());
        for candidate in 0..CANDIDATES {
            let reference = form.reference(&keys, candidate)?;
            let salt = SubjectSalt::random()?;
            let fresh = Fresh {
                reference: &reference,
                kind: new.intake.kind,
                progress,
                clocks: new.clocks,
                channel: new.channel,
                code: new.code,
                language: new.language,
                received_at: new.received_at,
                confirmed: Some(&confirmed),
                residence: new.intake.residence,
                assignee: None,
                person: &person,
                web: Some(&web),
                missing: &[],
                event: &event,
            };
            let mut item = self.fresh_item(&keys, &salt, &fresh)?;
            item.insert("form".to_owned(), text(form.id));
            item.insert("form_said".to_owned(), text(&form.said));
            let items = self.put_fresh(&reference, item, &salt)?;
            let Some(there) = self.write_fresh(items).await? else {
                return Ok(Filed { reference, respond_by: new.clocks.respond_by.date, first_time: true });
            };
            if let Some(filed) = form.filed(reference, &there)? {
                return Ok(filed);
            }
        }
        Err(Error::Failed { doing: "filing a request", source: "every candidate for its reference is taken".into() })
    }

    /// What tells this form with what is in it from any other, and says nothing of what that is: what its request's number is
    /// made of.
    pub async fn form_fingerprint(&self, new: &NewFormRequest<'_>) -> Result<String, Error> {
        let keys = self.keys().await?;
        let (person, web) = told(new);
        Ok(Form::of(&keys, new, &person, &web)?.source())
    }

    /// The request that this very form has made already, if it has.
    pub async fn filed_form_request(&self, new: &NewFormRequest<'_>) -> Result<Option<Filed>, Error> {
        let keys = self.keys().await?;
        let (person, web) = told(new);
        let form = Form::of(&keys, new, &person, &web)?;
        for candidate in 0..CANDIDATES {
            let reference = form.reference(&keys, candidate)?;
            let Some(there) = self.request_item(&reference).await? else { return Ok(None) };
            if let Some(filed) = form.filed(reference, &there)? {
                return Ok(Some(filed));
            }
        }
        Ok(None)
    }

    /// Writes a request with its salt; gives the one that is there already, if there is one.
    pub(super) async fn write_fresh(&self, items: [TransactWriteItem; 2]) -> Result<Option<Item>, Error> {
        let mut tries = 0;
        loop {
            let written =
                self.store.dynamodb.transact_write_items().set_transact_items(Some(items.to_vec())).send().await;
            let canceled = match written.map_err(SdkError::into_service_error) {
                Ok(_) => return Ok(None),
                Err(TransactWriteItemsError::TransactionCanceledException(canceled)) => canceled,
                Err(error) => return Err(Error::failed("filing a request")(error)),
            };
            let first = canceled.cancellation_reasons().first();
            if let Some(reason) = first.filter(|reason| reason.code() == Some("ConditionalCheckFailed")) {
                return Ok(Some(reason.item().cloned().unwrap_or_default()));
            }
            // The same form, sent twice at once, or a hot partition: both pass.
            tries += 1;
            if tries == TRIES {
                return Err(Error::failed("filing a request")(canceled));
            }
            tokio::time::sleep(WAIT * tries).await;
        }
    }
}

/// What tells a form with its content from any other, and gives its request a number.
struct Form<'a> {
    id: &'a str,
    said: String,
}

impl<'a> Form<'a> {
    fn of(keys: &TenantKeys, new: &NewFormRequest<'a>, person: &Person, web: &WebForm) -> Result<Self, Error> {
        Ok(Self { id: new.id, said: keys.blind_index("form", &content(new, person, web))? })
    }

    fn source(&self) -> String {
        format!("form:{}:{}", self.id, self.said)
    }

    fn reference(&self, keys: &TenantKeys, candidate: u8) -> Result<Reference, Error> {
        Ok(Reference::from_entropy(keys.reference_entropy(&self.source(), candidate)?))
    }

    /// The answer that this form got before, where what is there under its number is its own.
    fn filed(&self, reference: Reference, there: &Item) -> Result<Option<Filed>, Error> {
        let is = |name, value: &str| get_text(there, name).is_ok_and(|it| it == value);
        if !(is("form", self.id) && is("form_said", &self.said)) {
            return Ok(None);
        }
        let respond_by = get_parsed(there, "respond_by", |date| date.parse().ok())?;
        Ok(Some(Filed { reference, respond_by, first_time: false }))
    }
}

/// What a form says of the person, and of how it was sent.
fn told(new: &NewFormRequest<'_>) -> (Person, WebForm) {
    let Intake { requester, name, email, phone, details, agent, .. } = new.intake;
    let person = Person {
        phone: phone.as_ref().map(|phone| phone.as_str().to_owned()),
        email: email.as_ref().map(|email| email.as_str().to_owned()),
        name: name.as_ref().map(|name| name.as_str().to_owned()),
        details: details.as_ref().map(|details| details.as_str().to_owned()),
    };
    let company = agent.as_ref().and_then(|agent| agent.company.as_ref());
    let web = WebForm {
        requester: *requester,
        agent_name: agent.as_ref().map(|agent| agent.name.as_str().to_owned()),
        agent_email: agent.as_ref().map(|agent| agent.email.as_str().to_owned()),
        agent_company: company.map(|company| company.as_str().to_owned()),
        human: Some(new.human),
        hints: new.hints.to_vec(),
        origin: new.origin.map(str::to_owned),
    };
    (person, web)
}

/// What tells a form that is sent again from another one: what the person wrote, and nothing of how it was sent.
fn content(new: &NewFormRequest<'_>, person: &Person, web: &WebForm) -> String {
    let Person { phone, email, name, details } = person;
    let asked = (new.intake.kind.code(), new.code.as_str(), web.requester.code(), new.channel.code());
    let agent = (&web.agent_name, &web.agent_email, &web.agent_company);
    let residence = new.intake.residence.map(Jurisdiction::as_str);
    format!("{asked:?} {residence:?} {:?} {agent:?}", (phone, email, name, details))
}

impl Store {
    /// Counts a form, a choice or a signal, and refuses it where one client sends too many; in one operation, so that no more
    /// get through however many come at once. Each code is counted for itself: a flood of one leaves the others open.
    pub async fn form_throttle(
        &self,
        of: Counter,
        code: &ServiceCode,
        client: &str,
        at: Timestamp,
    ) -> Result<Throttled, Error> {
        let (few, most) = of.limits();
        let window = at.as_second().div_euclid(WINDOW);
        let ends = (window + 1) * WINDOW;
        let client = digest(&SHA256, format!("{code}#{window}#{}", network(client)).as_bytes());
        let shard = client.as_ref().first().map_or(0, |byte| byte % SHARDS);
        // An address is not personal enough to be sealed and too personal to be kept: this is known for a minute only.
        let name = format!("c{}", hex(client.as_ref().iter().take(8)));
        let counted = self
            .dynamodb
            .update_item()
            .table_name(self.sessions_table()?)
            .key("pk", text(of.key(code, shard, window)))
            .update_expression("ADD #all :one, #client :one SET expires_at = :ends")
            .condition_expression(
                "(attribute_not_exists(#all) OR #all < :most) AND (attribute_not_exists(#client) OR #client < :few)",
            )
            .expression_attribute_names("#all", "all")
            .expression_attribute_names("#client", &name)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(most))
            .expression_attribute_values(":few", number(few))
            .expression_attribute_values(":ends", number(ends + KEEP))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let failed = match counted.map_err(SdkError::into_service_error) {
            Ok(_) => return Ok(Throttled::Open),
            Err(UpdateItemError::ConditionalCheckFailedException(failed)) => failed,
            Err(error) => return Err(Error::failed("counting a form")(error)),
        };
        let retry_after = SignedDuration::from_secs((ends - at.as_second()).max(1));
        let there = failed.item.unwrap_or_default();
        let of_client = there.get(&name).and_then(|value| value.as_n().ok()?.parse::<u32>().ok()).unwrap_or_default();
        if of_client >= few {
            return Err(Error::Throttled { retry_after });
        }
        Ok(Throttled::CodeBusy { retry_after })
    }
}

/// Whose address it is: of IPv6 the first half, for whoever has one address there has as many as they like.
pub(crate) fn network(address: &str) -> String {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V6(it)) if it.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = it.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
        Ok(it) => it.to_canonical().to_string(),
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_counted_as_whoever_has_it() {
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(network("2001:db8:1:2::3"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::3"), network("2001:db8:1:3::3"));
        assert_eq!(network("nonsense"), "nonsense");
    }

    #[test]
    fn signals_take_nothing_from_the_people_who_fill_in_a_form() {
        let code = ServiceCode::parse("12").unwrap();
        let keys = [Counter::Form, Counter::Choice, Counter::Signal].map(|counter| counter.key(&code, 3, 9));
        assert_eq!(keys, ["throttle#form#12#3#9", "throttle#choice#12#3#9", "throttle#signal#12#3#9"]);
        assert!(Counter::Signal.limits().0 > Counter::Form.limits().0);
    }
}
