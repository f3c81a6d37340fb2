//! The log that 11 CCR 7101(b) has a business keep: one line per request, in the order of receipt, from the index
//! `by-received`. Nothing personal is read: the index does not hold it.

use domain::denial::Ground;
use domain::metrics::LogRow;
use domain::request::{Channel, Kind, Outcome};
use jiff::civil::Date;

use super::{Item, TenantStore, get_parsed, get_text, text};
use crate::Error;

/// Lines of a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPage {
    /// In the order of receipt.
    pub rows: Vec<LogRow>,
    /// Behind which the next page begins; none at the end of the month.
    pub next: Option<String>,
}

impl TenantStore<'_> {
    /// Lines of a month (`2026-11`, by the date of receipt in the tenant's time zone), behind one of them; one read.
    pub async fn log_of_month(&self, month: &str, after: Option<&str>, limit: i32) -> Result<LogPage, Error> {
        let query = self
            .store
            .dynamodb
            .query()
            .table_name(self.store.requests_table()?)
            .index_name("by-received")
            .expression_attribute_values(":pk", text(format!("{}#{month}", self.tenant.id())))
            .projection_expression("sk, received_sk, kind, channel, received_on, closed_on, outcome, ground")
            .limit(limit);
        let query = match after {
            Some(after) => query
                .key_condition_expression("received_pk = :pk AND received_sk > :after")
                .expression_attribute_values(":after", text(after)),
            None => query.key_condition_expression("received_pk = :pk"),
        };
        let found = query.send().await.map_err(|error| Error::failed("reading the log")(error.into_service_error()))?;
        let rows = found.items().iter().map(row).collect::<Result<Vec<_>, _>>()?;
        let more = found.last_evaluated_key().is_some();
        let last = found.items().last().filter(|_| more);
        Ok(LogPage { rows, next: last.map(|item| get_text(item, "received_sk").map(str::to_owned)).transpose()? })
    }
}

fn row(item: &Item) -> Result<LogRow, Error> {
    fn maybe<T>(item: &Item, name: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Error> {
        if item.contains_key(name) { get_parsed(item, name, parse).map(Some) } else { Ok(None) }
    }
    let date = |text: &str| text.parse::<Date>().ok();
    Ok(LogRow {
        reference: get_text(item, "sk")?.to_owned(),
        received_on: get_parsed(item, "received_on", date)?,
        kind: get_parsed(item, "kind", Kind::parse)?,
        channel: get_parsed(item, "channel", Channel::parse)?,
        responded_on: maybe(item, "closed_on", date)?,
        response: maybe(item, "outcome", Outcome::parse)?,
        basis: maybe(item, "ground", Ground::parse)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_what_the_regulation_asks_for() {
        let mut item: Item =
            [("sk", "123456789012"), ("received_on", "2026-11-22"), ("kind", "delete"), ("channel", "phone")]
                .map(|(name, value)| (name.to_owned(), text(value)))
                .into();
        let open = row(&item).unwrap();
        assert_eq!((open.responded_on, open.response, open.basis), (None, None, None));
        item.extend(
            [("closed_on", "2026-12-01"), ("outcome", "denied"), ("ground", "not-verified")]
                .map(|(name, value)| (name.to_owned(), text(value))),
        );
        let closed = row(&item).unwrap();
        assert_eq!((closed.response, closed.basis), (Some(Outcome::Denied), Some(Ground::NotVerified)));
        item.insert("kind".to_owned(), text("nonsense"));
        assert!(row(&item).is_err());
    }
}
