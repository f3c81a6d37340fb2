//! Open requests by what is due next, as far ahead as somebody is reminded of.

use std::collections::HashMap;

use domain::reference::Reference;
use domain::request::Action;
use jiff::Timestamp;
use jiff::civil::Date;

use super::inbox::{Line, names, projection, readable};
use super::{Item, TenantStore, text};
use crate::Error;

/// Where such a list goes on, inside of one invocation.
#[derive(Clone, Debug)]
pub struct DuePlace(Item);

/// A part of such a list.
#[derive(Clone, Debug)]
pub struct DuePage {
    /// The requests.
    pub lines: Vec<Line>,
    /// How many more there are here that cannot be read.
    pub unreadable: u64,
    /// Where the rest begins.
    pub rest: Option<DuePlace>,
}

/// What lists do not say of an open request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Since when it has been waiting for the team: it came in, was entered, or was taken up again.
    pub since: Option<Timestamp>,
    /// Whether mail about it can go to whoever made it.
    pub has_email: bool,
}

impl TenantStore<'_> {
    /// A part of the open requests that something is due for until this day, the most urgent first.
    pub async fn due_until(&self, last: Date, from: Option<DuePlace>) -> Result<DuePage, Error> {
        let found = self
            .store
            .dynamodb
            .query()
            .table_name(self.store.requests_table()?)
            .index_name("open-by-due")
            .key_condition_expression("#open_pk = :pk AND #open_sk < :behind")
            .projection_expression(projection())
            .set_expression_attribute_names(Some(names(&["open_pk", "open_sk"])))
            .expression_attribute_values(":pk", text(self.tenant.id().as_str()))
            // `~` comes after every reference of that day.
            .expression_attribute_values(":behind", text(format!("{last}#~")))
            .limit(1000)
            .set_exclusive_start_key(from.map(|place| place.0))
            .send()
            .await
            .map_err(|error| Error::failed("reading what is due")(error.into_service_error()))?;
        let (lines, unreadable) = readable(found.items());
        Ok(DuePage { lines, unreadable, rest: found.last_evaluated_key.map(DuePlace) })
    }

    /// What lists do not say of these requests; those that are gone are left out.
    pub async fn arrivals(&self, references: &[Reference]) -> Result<HashMap<Reference, Arrival>, Error> {
        const READ: [&str; 5] = ["sk", "received_at", "events", "email", "agent_email"];
        let names = READ.iter().map(|name| (format!("#{name}"), (*name).to_owned())).collect();
        let projection = READ.map(|name| format!("#{name}")).join(", ");
        let items = self.projected_all(references, &projection, &names).await?;
        Ok(items.iter().filter_map(arrival).collect())
    }
}

fn arrival(item: &Item) -> Option<(Reference, Arrival)> {
    let at = |item: &Item| item.get("at")?.as_s().ok()?.parse::<Timestamp>().ok();
    let received = item.get("received_at").and_then(|at| at.as_s().ok()?.parse::<Timestamp>().ok());
    let events: Vec<&Item> = match item.get("events").and_then(|events| events.as_l().ok()) {
        Some(events) => events.iter().filter_map(|event| event.as_m().ok()).collect(),
        None => vec![],
    };
    let reopens =
        |event: &&Item| event.get("action").and_then(|it| it.as_s().ok()).is_some_and(|it| it == Action::Reopen.code());
    // What somebody of the team entered was received before, and is here since they did.
    let entered = events.first().and_then(|event| at(event));
    let reopened = events.iter().rev().find(|event| reopens(event)).and_then(|event| at(event));
    let reference = item.get("sk").and_then(|sk| Reference::parse(sk.as_s().ok()?).ok())?;
    let since = [received, entered, reopened].into_iter().flatten().max();
    Some((reference, Arrival { since, has_email: item.contains_key("email") || item.contains_key("agent_email") }))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;

    #[test]
    fn a_request_is_open_since_it_came_was_entered_or_was_taken_up_again() {
        let reference = Reference::from_entropy(7);
        let event = |at: &str, action: Action| {
            AttributeValue::M(Item::from([("at".to_owned(), text(at)), ("action".to_owned(), text(action.code()))]))
        };
        let since = |received: &str, events: Vec<AttributeValue>| {
            let item = Item::from([
                ("sk".to_owned(), text(reference.as_str())),
                ("received_at".to_owned(), text(received)),
                ("events".to_owned(), AttributeValue::L(events)),
            ]);
            let (of, arrival) = arrival(&item).unwrap();
            assert_eq!((of, arrival.has_email), (reference.clone(), false));
            arrival.since.unwrap().to_string()
        };
        let at = ["2026-11-02T18:00:00Z", "2026-11-22T18:00:00Z", "2026-11-29T18:00:00Z"];
        assert_eq!(since(at[0], vec![]), at[0]);
        assert_eq!(since(at[0], vec![event(at[1], Action::Receive), event(at[2], Action::Assign)]), at[1]);
        assert_eq!(since(at[0], vec![event(at[1], Action::Deny), event(at[2], Action::Reopen)]), at[2]);
    }
}
