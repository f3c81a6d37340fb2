//! Mails that are sent once, whoever has them to send, however often.
//!
//! SES has no idempotency: whether a mail went of which no answer came, nobody knows. So each is written down before it goes
//! and again when it went. One that began and did not end is sent once more, after whoever began it must have come to an
//! end, and then no more: in the worst case it arrives twice. One of which nobody knows after two times whether it went is
//! given up, which is not the same as sent: nothing that is to follow a mail follows it.
//!
//! | table | key | holds |
//! |---|---|---|
//! | `sessions` | `mail#` hash of the name | how often it was begun, when, and whether it went |

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use jiff::{SignedDuration, Timestamp};

use super::{Item, Store, directory, number, text};
use crate::Error;

/// Longer than any function that sends mail runs.
const LEASE: SignedDuration = SignedDuration::from_mins(15);
/// Longer than anything of the agenda is tried again.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(70 * 24);
/// A mail that may have gone is tried once more.
const TRIES: i32 = 2;

/// Whether a mail is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// It is.
    Go,
    /// It went.
    Sent,
    /// It was begun as often as it may be, and whether it went is not known.
    GaveUp,
    /// Somebody else is sending it now.
    Busy,
}

impl Store {
    /// Begins to send a mail.
    pub async fn mail_begins(&self, name: &str, now: Timestamp) -> Result<Sending, Error> {
        let begun = self
            .dynamodb
            .update_item()
            .table_name(self.sessions_table()?)
            .key("pk", text(key(name)))
            .update_expression("SET begun = :now, expires_at = :ends ADD tries :one")
            .condition_expression(
                "attribute_not_exists(pk) OR (attribute_not_exists(sent) AND (tries < :one OR (tries < :most AND begun < :then)))",
            )
            .expression_attribute_values(":now", number(now.as_second()))
            .expression_attribute_values(":then", number((now - LEASE).as_second()))
            .expression_attribute_values(":ends", number((now + REMEMBERED).as_second()))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(TRIES))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match begun.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(Sending::Go),
            Err(aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(
                refused,
            )) => Ok(refused_for(&refused.item.unwrap_or_default(), now)),
            Err(error) => Err(Error::failed("beginning to send a mail")(error)),
        }
    }

    /// It went.
    pub async fn mail_went(&self, name: &str) -> Result<(), Error> {
        self.mail_is(name, "SET sent = :one").await
    }

    /// It did not go, that is certain: the try does not count.
    pub async fn mail_did_not_go(&self, name: &str) -> Result<(), Error> {
        self.mail_is(name, "SET tries = tries - :one").await
    }

    async fn mail_is(&self, name: &str, update: &str) -> Result<(), Error> {
        self.dynamodb
            .update_item()
            .table_name(self.sessions_table()?)
            .key("pk", text(key(name)))
            .update_expression(update)
            .expression_attribute_values(":one", number(1))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Error::failed("writing down that a mail was sent")(error.into_service_error()))
    }
}

/// Why a mail is not begun.
fn refused_for(item: &Item, now: Timestamp) -> Sending {
    let begun = item.get("begun").and_then(|value| value.as_n().ok()?.parse::<i64>().ok());
    if item.contains_key("sent") {
        Sending::Sent
    } else if begun.is_none_or(|begun| begun >= (now - LEASE).as_second()) {
        Sending::Busy
    } else {
        Sending::GaveUp
    }
}

fn key(name: &str) -> String {
    format!("mail#{}", directory::key("mail", name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_that_was_begun_twice_is_given_up_and_not_taken_for_sent() {
        let now: Timestamp = "2026-11-22T16:00:00Z".parse().unwrap();
        let item = |begun: Timestamp, sent: bool| {
            let mut item =
                Item::from([("begun".to_owned(), number(begun.as_second())), ("tries".to_owned(), number(TRIES))]);
            if sent {
                item.insert("sent".to_owned(), number(1));
            }
            item
        };
        let before = now - LEASE - SignedDuration::from_secs(1);
        assert_eq!(refused_for(&item(before, false), now), Sending::GaveUp);
        assert_eq!(refused_for(&item(before, true), now), Sending::Sent);
        assert_eq!(refused_for(&item(now, true), now), Sending::Sent);
        assert_eq!(refused_for(&item(now, false), now), Sending::Busy);
    }
}
