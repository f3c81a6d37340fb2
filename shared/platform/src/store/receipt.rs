//! Confirming the receipt of a request in writing, where the law asks for it and nobody has yet: 11 CCR 7021(a).

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use domain::audit::Entry;
use domain::clock::Clocks;
use domain::email::EmailAddress;
use domain::language::Language;
use domain::reference::Reference;
use domain::request::{Event, Kind, Progress, State};
use domain::service_code::ServiceCode;

use super::audit::Written;
use super::desk::{Opening, flag};
use super::requests::{event_map, partition};
use super::{Item, TenantStore, get_parsed, number, text};
use crate::Error;

/// How a receipt was confirmed that nobody of the team confirmed.
pub const CONFIRMED_HOW: &str = "by e-mail, sent automatically";

/// How often somebody of the team may change a request meanwhile.
const TRIES: u32 = 5;

/// What is needed of a request to confirm its receipt, and nothing else.
const READ: &[&str] = &[
    "sk",
    "kind",
    "state",
    "extended",
    "code",
    "language",
    "clocks",
    "confirmed_at",
    "confirmed_how",
    "receipt_bounced",
    "email",
    "agent_email",
    "assignee_pk",
    "version",
];

/// A request that is in, open, and whose receipt is still to be confirmed to an e-mail address; not printed.
pub struct Unconfirmed {
    /// Its number.
    pub reference: Reference,
    /// What is asked.
    pub kind: Kind,
    /// Where it stands.
    pub progress: Progress,
    /// To which service code.
    pub code: ServiceCode,
    /// What the person speaks.
    pub language: Language,
    /// Its dates.
    pub clocks: Clocks,
    /// Where mail about it goes.
    pub email: EmailAddress,
    version: Option<String>,
    assigned: bool,
}

impl std::fmt::Debug for Unconfirmed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unconfirmed").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl TenantStore<'_> {
    /// A request whose receipt is to be confirmed in writing; nothing where it was confirmed, is closed, unfinished or gone,
    /// where no law asks for it, or where there is no e-mail address or mail to it came back.
    pub async fn unconfirmed(&self, reference: &Reference) -> Result<Option<Unconfirmed>, Error> {
        let Some(item) = self.projected(reference, READ).await? else { return Ok(None) };
        let state = get_parsed(&item, "state", State::parse)?;
        let clocks: Clocks = get_parsed(&item, "clocks", |clocks| serde_json::from_str(clocks).ok())?;
        let open = state.is_open() && state != State::Incomplete;
        let address = item.contains_key("email") || item.contains_key("agent_email");
        let told = item.contains_key("confirmed_at") || item.contains_key("receipt_bounced");
        if !open || !address || told || clocks.confirm_by.is_none() {
            return Ok(None);
        }
        let (keys, salt) = match futures::try_join!(self.keys(), self.salt(reference.as_str())) {
            // Erased: without its salt nobody can be reached.
            Err(Error::NotFound) => return Ok(None),
            found => found?,
        };
        let opening = Opening { tenant: self, reference, keys: &keys, salt: &salt };
        let Some(email) = opening.written_to(&item)? else { return Ok(None) };
        Ok(Some(Unconfirmed {
            reference: reference.clone(),
            kind: get_parsed(&item, "kind", Kind::parse)?,
            progress: Progress { state, extended: flag(&item, "extended") },
            code: get_parsed(&item, "code", |code| ServiceCode::parse(code).ok())?,
            language: get_parsed(&item, "language", Language::parse)?,
            clocks,
            email,
            version: version(&item),
            assigned: item.contains_key("assignee_pk"),
        }))
    }

    /// Writes down that its receipt was confirmed, with what happened and the audit entry, in one transaction: what is due next
    /// is the answer. False where the request was changed since it was read.
    pub async fn confirm_receipt(&self, seen: &Unconfirmed, event: &Event, entry: &Entry) -> Result<bool, Error> {
        let reference = &seen.reference;
        let mut set = "SET #confirmed_at = :at, #confirmed_how = :how, #open_sk = :due, #worked = :worked, \
                       #events = list_append(#events, :event)"
            .to_owned();
        let mut condition = "#state = :state AND attribute_not_exists(#confirmed_at)".to_owned();
        let due = format!("{}#{}", seen.clocks.respond_by.date, reference.as_str());
        let mut update = Update::builder()
            .table_name(self.store.requests_table()?)
            .key("pk", text(partition(self.tenant.id(), reference)))
            .key("sk", text(reference.as_str()))
            .expression_attribute_names("#confirmed_at", "confirmed_at")
            .expression_attribute_names("#confirmed_how", "confirmed_how")
            .expression_attribute_names("#open_sk", "open_sk")
            .expression_attribute_names("#worked", "worked")
            .expression_attribute_names("#events", "events")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":at", text(entry.at.to_string()))
            .expression_attribute_values(":how", text(CONFIRMED_HOW))
            .expression_attribute_values(":due", text(due))
            .expression_attribute_values(":worked", AttributeValue::Bool(true))
            .expression_attribute_values(":event", AttributeValue::L(vec![event_map(event)?]))
            .expression_attribute_values(":state", text(seen.progress.state.code()))
            .expression_attribute_values(":one", number(1));
        if seen.assigned {
            set.push_str(", #assignee_sk = :due");
            update = update.expression_attribute_names("#assignee_sk", "assignee_sk");
        }
        match &seen.version {
            Some(version) => {
                condition.push_str(" AND #version = :seen");
                update = update.expression_attribute_values(":seen", AttributeValue::N(version.clone()));
            }
            None => condition.push_str(" AND attribute_not_exists(#version)"),
        }
        let update = update
            .update_expression(format!("{set} ADD #version :one"))
            .condition_expression(condition)
            .build()
            .map_err(Error::failed("confirming a receipt"))?;
        match self.write_audited(&[TransactWriteItem::builder().update(update).build()], entry).await? {
            Written::Done => Ok(true),
            Written::Refused(_) => Ok(false),
        }
    }
}

impl TenantStore<'_> {
    /// Writes down that the mail which confirmed its receipt came back: it is to be confirmed again, another way, unless
    /// somebody of the team did. False where it was written down before, or the request is closed or gone.
    pub async fn receipt_bounced(&self, reference: &Reference, entry: &Entry) -> Result<bool, Error> {
        for _ in 0..TRIES {
            let Some(item) = self.projected(reference, READ).await? else { return Ok(false) };
            let state = get_parsed(&item, "state", State::parse)?;
            if !state.is_open() || item.contains_key("receipt_bounced") {
                return Ok(false);
            }
            let mut set = "SET #receipt_bounced = :at".to_owned();
            let mut remove = "";
            let mut update = Update::builder()
                .table_name(self.store.requests_table()?)
                .key("pk", text(partition(self.tenant.id(), reference)))
                .key("sk", text(reference.as_str()))
                .expression_attribute_names("#receipt_bounced", "receipt_bounced")
                .expression_attribute_names("#state", "state")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":at", text(entry.at.to_string()))
                .expression_attribute_values(":state", text(state.code()))
                .expression_attribute_values(":one", number(1));
            if by_mail(&item) {
                let clocks: Clocks = get_parsed(&item, "clocks", |clocks| serde_json::from_str(clocks).ok())?;
                let due = format!("{}#{}", clocks.next_due(false).date, reference.as_str());
                set.push_str(", #open_sk = :due");
                remove = " REMOVE #confirmed_at, #confirmed_how";
                update = update
                    .expression_attribute_names("#open_sk", "open_sk")
                    .expression_attribute_names("#confirmed_at", "confirmed_at")
                    .expression_attribute_names("#confirmed_how", "confirmed_how")
                    .expression_attribute_values(":due", text(due));
                if item.contains_key("assignee_pk") {
                    set.push_str(", #assignee_sk = :due");
                    update = update.expression_attribute_names("#assignee_sk", "assignee_sk");
                }
            }
            let seen = match version(&item) {
                Some(version) => {
                    update = update.expression_attribute_values(":seen", AttributeValue::N(version));
                    "#version = :seen"
                }
                None => "attribute_not_exists(#version)",
            };
            let update = update
                .update_expression(format!("{set}{remove} ADD #version :one"))
                .condition_expression(format!("#state = :state AND {seen}"))
                .build()
                .map_err(Error::failed("writing down that a confirmation came back"))?;
            match self.write_audited(&[TransactWriteItem::builder().update(update).build()], entry).await? {
                Written::Done => return Ok(true),
                Written::Refused(_) => {}
            }
        }
        Err(Error::Conflict)
    }
}

/// Whether it is on record as confirmed by the mail that went by itself, and by nobody.
fn by_mail(item: &Item) -> bool {
    item.get("confirmed_how").and_then(|how| how.as_s().ok()).is_some_and(|how| how == CONFIRMED_HOW)
}

fn version(item: &Item) -> Option<String> {
    item.get("version").and_then(|value| value.as_n().ok()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_that_came_back_takes_away_its_own_confirmation_and_nobody_elses() {
        let confirmed = |how: &str| Item::from([("confirmed_how".to_owned(), text(how))]);
        assert!(by_mail(&confirmed(CONFIRMED_HOW)));
        assert!(!by_mail(&confirmed("by telephone")));
        assert!(!by_mail(&Item::new()));
    }
}
