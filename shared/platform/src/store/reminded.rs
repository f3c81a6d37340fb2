//! Until when a tenant's people were reminded, in the table of the agenda: so that a day on which nothing ran is made up for,
//! and one that broke off is not told twice.
//!
//! | partition | sort | holds |
//! |---|---|---|
//! | `reminded#` tenant | `all` | the last day whose reminders are done |
//! | `reminded#` tenant | `day#` day `#` user | that this person's of that day are posted |

use std::collections::BTreeMap;

use aws_sdk_dynamodb::error::SdkError;
use domain::user::UserId;
use jiff::SignedDuration;
use jiff::civil::Date;

use super::{TenantStore, get_parsed, get_text, number, text};
use crate::Error;

/// Longer than anything is made up for (`domain::reminder::CAUGHT_UP`).
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 62);
const ALL: &str = "all";

impl TenantStore<'_> {
    /// The last day whose reminders are done.
    pub async fn reminded_until(&self) -> Result<Option<Date>, Error> {
        let got = self
            .store
            .dynamodb
            .get_item()
            .table_name(self.store.agenda_table()?)
            .key("pk", text(self.reminded_partition()))
            .key("sk", text(ALL))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed("reading until when people were reminded")(error.into_service_error()))?;
        got.item.as_ref().map(|item| get_parsed(item, "day", |day| day.parse().ok())).transpose()
    }

    /// Notes that a day's reminders are done; never an earlier one than is noted.
    pub async fn reminded(&self, day: Date) -> Result<(), Error> {
        let noted = self
            .store
            .dynamodb
            .update_item()
            .table_name(self.store.agenda_table()?)
            .key("pk", text(self.reminded_partition()))
            .key("sk", text(ALL))
            .update_expression("SET #day = :day")
            .condition_expression("attribute_not_exists(#day) OR #day < :day")
            .expression_attribute_names("#day", "day")
            .expression_attribute_values(":day", text(day.to_string()))
            .send()
            .await;
        match noted.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(()),
            Err(error) => Err(Error::failed("noting who was reminded")(error)),
        }
    }

    /// Until which day each person was reminded, of those whose reminders were posted on any of these days.
    pub async fn reminded_since(&self, after: Date, until: Date) -> Result<BTreeMap<UserId, Date>, Error> {
        let mut reminded = BTreeMap::new();
        let mut place = None;
        loop {
            let found = self
                .store
                .dynamodb
                .query()
                .table_name(self.store.agenda_table()?)
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                .expression_attribute_values(":pk", text(self.reminded_partition()))
                .expression_attribute_values(":from", text(format!("day#{after}~")))
                .expression_attribute_values(":to", text(format!("day#{until}~")))
                .consistent_read(true)
                .set_exclusive_start_key(place)
                .send()
                .await
                .map_err(|error| Error::failed("reading who was reminded")(error.into_service_error()))?;
            for item in found.items() {
                let mut parts = get_text(item, "sk")?.split('#').skip(1);
                let day = parts.next().and_then(|day| day.parse::<Date>().ok());
                let user = parts.next().and_then(|user| UserId::parse(user).ok());
                if let (Some(day), Some(user)) = (day, user) {
                    reminded.insert(user, day);
                }
            }
            place = found.last_evaluated_key;
            if place.is_none() {
                return Ok(reminded);
            }
        }
    }

    /// Notes that somebody's reminders of a day are posted.
    pub async fn reminded_one(&self, day: Date, user: &UserId) -> Result<(), Error> {
        self.store
            .dynamodb
            .put_item()
            .table_name(self.store.agenda_table()?)
            .item("pk", text(self.reminded_partition()))
            .item("sk", text(one_key(day, user)))
            .item("expires_at", number((self.store.clock.now() + KEPT).as_second()))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Error::failed("noting who was reminded")(error.into_service_error()))
    }

    fn reminded_partition(&self) -> String {
        format!("reminded#{}", self.tenant.id())
    }
}

fn one_key(day: Date, user: &UserId) -> String {
    format!("day#{day}#{user}")
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_days_after_one_are_a_range_and_what_is_done_for_all_lies_outside_of_it() {
        let user = UserId::parse(&format!("u-{}", "0a".repeat(13))).unwrap();
        let (after, until) = (date(2026, 12, 30), date(2027, 1, 2));
        let within = |sk: &str| (format!("day#{after}~")..=format!("day#{until}~")).contains(&sk.to_owned());
        let on = |day: Date| within(&one_key(day, &user));
        assert!(!on(after) && on(date(2026, 12, 31)) && on(until) && !on(date(2027, 1, 3)));
        assert!(!within(ALL));
    }
}
