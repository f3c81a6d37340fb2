//! "Yes, I asked for this": from the mail about a request that no human check has passed.

use aws_sdk_dynamodb::types::{ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use domain::audit::Entry;
use domain::human_check::Standing;
use domain::reference::Reference;
use domain::service_code::ServiceCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::audit::Written;
use super::requests::partition;
use super::{TenantStore, get_parsed, text};
use crate::Error;
use crate::tenant::Tenant;
use crate::ticket::Tickets;

/// How long a link is good: until after most requests are answered.
const LIVES: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The purpose of its ticket.
const PURPOSE: &str = "confirmation";

/// The request that a mail's link is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// Whose it is.
    pub tenant: Tenant,
    /// The service code to which it was made.
    pub code: ServiceCode,
    /// Its number.
    pub reference: Reference,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    tenant: String,
    code: ServiceCode,
    reference: Reference,
}

impl Confirmation {
    /// The ticket that the mail's link ends with, after `/forms/confirmation/`.
    pub fn seal(&self, tickets: &Tickets, at: Timestamp) -> Result<String, Error> {
        let sealed =
            Sealed { tenant: self.tenant.id().to_string(), code: self.code.clone(), reference: self.reference.clone() };
        tickets.seal(PURPOSE, "", at + LIVES, &sealed)
    }

    /// Reads a ticket; `NotFound` for one that is forged, edited or too old. A ticket of ours is proof of its tenant.
    pub fn open(tickets: &Tickets, at: Timestamp, ticket: &str) -> Result<Self, Error> {
        let sealed: Sealed = tickets.open(PURPOSE, "", at, ticket)?;
        Ok(Self { tenant: Tenant::trusted(sealed.tenant), code: sealed.code, reference: sealed.reference })
    }
}

impl TenantStore<'_> {
    /// Writes down that whoever reads the mail at a request's address says that they asked. Once: whether it was now.
    /// `NotFound` where there is no such request.
    pub async fn confirm_request(&self, reference: &Reference, at: Timestamp, entry: &Entry) -> Result<bool, Error> {
        let update = Update::builder()
            .table_name(self.store.requests_table()?)
            .key("pk", text(partition(self.tenant.id(), reference)))
            .key("sk", text(reference.as_str()))
            .update_expression("SET #human = :confirmed, #human_at = :at")
            .condition_expression("begins_with(#human, :unchecked)")
            .expression_attribute_names("#human", "human")
            .expression_attribute_names("#human_at", "human_at")
            .expression_attribute_values(":confirmed", text(Standing::Confirmed.code()))
            .expression_attribute_values(":unchecked", text("unchecked:"))
            .expression_attribute_values(":at", text(at.to_string()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(Error::failed("confirming a request"))?;
        let change = TransactWriteItem::builder().update(update).build();
        match self.write_audited(&[change], entry).await? {
            Written::Done => Ok(true),
            Written::Refused(reasons) => {
                let there = reasons.first().and_then(|reason| reason.item()).ok_or(Error::NotFound)?;
                let stands = |item| get_parsed(item, "human", Standing::parse).map(|standing| !standing.is_open());
                // One from before there were checks needs no confirmation, either.
                let settled = !there.contains_key("human") || stands(there)?;
                if settled { Ok(false) } else { Err(Error::Conflict) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_links_ticket_opens_as_the_request_that_it_was_made_for_until_it_is_too_old() {
        let tickets = Tickets::new(&"k".repeat(64)).unwrap();
        let at: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let confirmation = Confirmation {
            tenant: Tenant::trusted("t-a"),
            code: ServiceCode::parse("42").unwrap(),
            reference: Reference::from_entropy(7),
        };
        let ticket = confirmation.seal(&tickets, at).unwrap();
        assert!(!ticket.contains(confirmation.reference.as_str()) && !ticket.contains("t-a"));
        let open = |at: Timestamp, ticket: &str| Confirmation::open(&tickets, at, ticket).map_err(|error| error.kind());
        assert_eq!(open(at, &ticket), Ok(confirmation));
        assert_eq!(open(at + LIVES, &ticket), Err("NotFound"));
        assert_eq!(open(at, &ticket[1..]), Err("NotFound"));
        // What was sealed for something else is no confirmation, whatever is in it.
        let other = tickets.seal("case", "", at + LIVES, &("t-a", "42")).unwrap();
        assert_eq!(open(at, &other), Err("NotFound"));
    }
}
