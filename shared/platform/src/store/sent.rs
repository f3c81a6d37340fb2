//! What is sent once, in the table of the agenda. E-mail cannot promise that by itself: a function may die after the mail was
//! taken and before it is written down. So a sending is claimed before, noted after, and where the note is missing it is done
//! once more and never a third time, with the reason beside it.
//!
//! | partition | sort | holds |
//! |---|---|---|
//! | `sent#` tenant | `reminder#` day `#` user, `news#` user `#` number, `confirmation#` reference | how often it was tried, when it was sent, why twice |
//! | `sent#` tenant | `reminders` | the last day whose reminders are done |

use std::collections::BTreeMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use domain::user::UserId;
use jiff::SignedDuration;
use jiff::civil::Date;

use super::{Item, TenantStore, get_parsed, get_text, number, text};
use crate::Error;

/// Whoever has claimed a sending is done with it, or dead, after so long: `jobs-send-mail` has a minute.
const CLAIMED_FOR: SignedDuration = SignedDuration::from_mins(2);
/// As long as the records of runs.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 396);
/// Why something was sent twice.
const TWICE: &str = "whoever sent it the first time did not say whether it went out";

/// Whether something is to be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is.
    First,
    /// It is, though it may have been sent before.
    Second,
    /// It was sent.
    Sent,
    /// Somebody else is about to send it.
    Elsewhere,
    /// It was tried twice, and nobody knows whether it went out.
    Unknown,
}

impl TenantStore<'_> {
    /// Claims a sending; of several at once, one gets it.
    pub async fn begin_sending(&self, what: &str) -> Result<Turn, Error> {
        let now = self.store.clock.now();
        let claim = self
            .sending(what)?
            .update_expression("SET #tries = :one, #claimed_at = :now, expires_at = :ends")
            .condition_expression("attribute_not_exists(#tries) OR (#tries = :none AND attribute_not_exists(#sent_at))")
            .expression_attribute_names("#tries", "tries")
            .expression_attribute_names("#claimed_at", "claimed_at")
            .expression_attribute_names("#sent_at", "sent_at")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":now", number(now.as_second()))
            .expression_attribute_values(":ends", number((now + KEPT).as_second()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Some(there) = claimed(claim).await? else { return Ok(Turn::First) };
        let (tries, claimed_at) = (whole(&there, "tries"), whole(&there, "claimed_at"));
        if there.contains_key("sent_at") {
            return Ok(Turn::Sent);
        }
        if now.as_second() - claimed_at < CLAIMED_FOR.as_secs() {
            return Ok(Turn::Elsewhere);
        }
        if tries >= 2 {
            return Ok(Turn::Unknown);
        }
        let again = self
            .sending(what)?
            .update_expression("SET #tries = :two, #claimed_at = :now, #why = :why")
            .condition_expression("#tries = :one AND #claimed_at = :seen AND attribute_not_exists(#sent_at)")
            .expression_attribute_names("#tries", "tries")
            .expression_attribute_names("#claimed_at", "claimed_at")
            .expression_attribute_names("#sent_at", "sent_at")
            .expression_attribute_names("#why", "why")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":two", number(2))
            .expression_attribute_values(":seen", number(claimed_at))
            .expression_attribute_values(":now", number(now.as_second()))
            .expression_attribute_values(":why", text(TWICE))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        Ok(if claimed(again).await?.is_none() { Turn::Second } else { Turn::Elsewhere })
    }

    /// Notes that it was sent.
    pub async fn was_sent(&self, what: &str) -> Result<(), Error> {
        let noted = self
            .sending(what)?
            .update_expression("SET #sent_at = :now")
            .expression_attribute_names("#sent_at", "sent_at")
            .expression_attribute_values(":now", text(self.store.clock.now().to_string()));
        noted.send().await.map(|_| ()).map_err(|error| Error::failed("noting a sending")(error.into_service_error()))
    }

    /// Notes that it was not: it may be tried as if it never had been.
    pub async fn was_not_sent(&self, what: &str) -> Result<(), Error> {
        let noted = self
            .sending(what)?
            .update_expression("SET #claimed_at = :never ADD #tries :less")
            .condition_expression("#tries > :never AND attribute_not_exists(#sent_at)")
            .expression_attribute_names("#tries", "tries")
            .expression_attribute_names("#claimed_at", "claimed_at")
            .expression_attribute_names("#sent_at", "sent_at")
            .expression_attribute_values(":never", number(0))
            .expression_attribute_values(":less", number(-1));
        claimed(noted).await.map(|_| ())
    }

    /// Until which day each person's reminders went out, of those who got any in these days.
    pub async fn reminders_sent(&self, after: Date, until: Date) -> Result<BTreeMap<UserId, Date>, Error> {
        let mut sent = BTreeMap::new();
        let mut place = None;
        loop {
            let found = self
                .store
                .dynamodb
                .query()
                .table_name(self.store.agenda_table()?)
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                .filter_expression("attribute_exists(sent_at)")
                .expression_attribute_values(":pk", text(self.sent_partition()))
                .expression_attribute_values(":from", text(format!("reminder#{after}~")))
                .expression_attribute_values(":to", text(format!("reminder#{until}~")))
                .consistent_read(true)
                .set_exclusive_start_key(place)
                .send()
                .await
                .map_err(|error| Error::failed("reading what was sent")(error.into_service_error()))?;
            for item in found.items() {
                let mut parts = get_text(item, "sk")?.split('#').skip(1);
                let day = parts.next().and_then(|day| day.parse::<Date>().ok());
                let user = parts.next().and_then(|user| UserId::parse(user).ok());
                if let (Some(day), Some(user)) = (day, user) {
                    sent.insert(user, day);
                }
            }
            place = found.last_evaluated_key;
            if place.is_none() {
                return Ok(sent);
            }
        }
    }

    /// The last day whose reminders are done.
    pub async fn reminded_until(&self) -> Result<Option<Date>, Error> {
        let got = self
            .store
            .dynamodb
            .get_item()
            .table_name(self.store.agenda_table()?)
            .key("pk", text(self.sent_partition()))
            .key("sk", text(DONE))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed("reading until when people were reminded")(error.into_service_error()))?;
        got.item.as_ref().map(|item| get_parsed(item, "day", |day| day.parse().ok())).transpose()
    }

    /// Notes that a day's reminders are done; never an earlier one than is noted.
    pub async fn reminded(&self, day: Date) -> Result<(), Error> {
        let noted = self
            .sending(DONE)?
            .update_expression("SET #day = :day")
            .condition_expression("attribute_not_exists(#day) OR #day < :day")
            .expression_attribute_names("#day", "day")
            .expression_attribute_values(":day", text(day.to_string()));
        claimed(noted).await.map(|_| ())
    }

    fn sent_partition(&self) -> String {
        format!("sent#{}", self.tenant.id())
    }

    fn sending(&self, what: &str) -> Result<UpdateItemFluentBuilder, Error> {
        let update = self.store.dynamodb.update_item().table_name(self.store.agenda_table()?);
        Ok(update.key("pk", text(self.sent_partition())).key("sk", text(what)))
    }
}

const DONE: &str = "reminders";

/// Under which name the reminders of a day to somebody are sent.
#[must_use]
pub fn reminder_name(day: Date, user: &UserId) -> String {
    format!("reminder#{day}#{user}")
}

/// What was in the way of a conditional update; nothing where it is done.
async fn claimed(update: UpdateItemFluentBuilder) -> Result<Option<Item>, Error> {
    match update.send().await.map_err(SdkError::into_service_error) {
        Ok(_) => Ok(None),
        Err(UpdateItemError::ConditionalCheckFailedException(failed)) => Ok(Some(failed.item.unwrap_or_default())),
        Err(error) => Err(Error::failed("noting a sending")(error)),
    }
}

fn whole(item: &Item, name: &str) -> i64 {
    let value: Option<&AttributeValue> = item.get(name);
    value.and_then(|value| value.as_n().ok()?.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_reminders_of_the_days_after_one_are_a_range() {
        let user = UserId::parse(&format!("u-{}", "0a".repeat(13))).unwrap();
        let (after, until) = (date(2026, 12, 30), date(2027, 1, 2));
        let within = |day: Date| {
            let name = reminder_name(day, &user);
            (format!("reminder#{after}~")..=format!("reminder#{until}~")).contains(&name)
        };
        assert!(!within(after) && within(date(2026, 12, 31)) && within(until) && !within(date(2027, 1, 3)));
        assert!(DONE > format!("reminder#{until}~").as_str(), "and nothing else lies in it");
    }
}
