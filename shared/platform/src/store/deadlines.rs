//! Open requests by what is due next, as far ahead as somebody is reminded of.

use jiff::civil::Date;

use super::inbox::{Line, line, names, projection};
use super::{Item, TenantStore, text};
use crate::Error;

/// Where such a list goes on, inside of one invocation.
#[derive(Clone, Debug)]
pub struct DuePlace(Item);

impl TenantStore<'_> {
    /// A part of the open requests that something is due for until this day, the most urgent first, and where the rest begins.
    pub async fn due_until(&self, last: Date, from: Option<DuePlace>) -> Result<(Vec<Line>, Option<DuePlace>), Error> {
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
        let lines = found.items().iter().map(line).collect::<Result<_, _>>()?;
        Ok((lines, found.last_evaluated_key.map(DuePlace)))
    }
}
