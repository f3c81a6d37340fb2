//! Mails that are sent once, whoever has them to send, however often.
//!
//! SES has no idempotency: whether a mail went of which no answer came, nobody knows. So each is written down before it goes
//! and again when it went. One that began and did not end is sent once more, after whoever began it must have come to an
//! end, and then no more: in the worst case it arrives twice, and then it is written down why. One of which nobody knows after
//! two times whether it went is given up, which is not the same as sent: nothing that is to follow a mail follows it.
//!
//! | table | key | holds |
//! |---|---|---|
//! | `sessions` | `mail#` hash of the name | how often it was begun, when, and whether it went; why it was sent again; when it was given up |

use std::fmt;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use jiff::{SignedDuration, Timestamp};

use super::{Item, Store, directory, get_text, number, text};
use crate::Error;

/// Longer than any function that sends mail runs.
const LEASE: SignedDuration = SignedDuration::from_mins(15);
/// Longer than anything of the agenda is tried again.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(70 * 24);
/// A mail that may have gone is tried once more.
const TRIES: i64 = 2;

/// Whether a mail is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// It is.
    Go,
    /// It is, once more: it may have gone before.
    Again(Again),
    /// It went; and perhaps twice.
    Sent(Option<Again>),
    /// It was begun as often as it may be, and whether it went is not known.
    GaveUp,
    /// Somebody else is sending it now.
    Busy,
}

/// Why a mail was sent a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Again {
    /// When it was begun the first time.
    pub since: Timestamp,
    /// Why nobody knows how that ended.
    pub because: Unended,
}

/// Why nobody knows whether a mail went that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unended {
    /// Whoever began it wrote down no end: the process died, or what it wrote did not arrive.
    NoEnd,
    /// SES was asked, and no answer came.
    NoAnswer,
}

impl Unended {
    /// Every reason.
    pub const ALL: [Self; 2] = [Self::NoEnd, Self::NoAnswer];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoEnd => "no-end",
            Self::NoAnswer => "no-answer",
        }
    }

    fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

impl fmt::Display for Unended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Store {
    /// Begins to send a mail. The reason of a second time is on record before it goes.
    pub async fn mail_begins(&self, name: &str, now: Timestamp) -> Result<Sending, Error> {
        let begun = self
            .mail_mark(name)?
            .update_expression("SET begun = :now, expires_at = :ends ADD tries :one")
            .condition_expression("attribute_not_exists(pk) OR (attribute_not_exists(sent) AND tries < :one)")
            .expression_attribute_values(":now", number(now.as_second()))
            .expression_attribute_values(":ends", number((now + REMEMBERED).as_second()))
            .expression_attribute_values(":one", number(1))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let mark = match begun.map_err(SdkError::into_service_error) {
            Ok(_) => return Ok(Sending::Go),
            Err(UpdateItemError::ConditionalCheckFailedException(refused)) => refused.item.unwrap_or_default(),
            Err(error) => return Err(Error::failed("beginning to send a mail")(error)),
        };
        let sending = Mark::of(&mark).next(now);
        match sending {
            Sending::Again(again) => self.mail_begins_again(name, &again, now).await,
            Sending::GaveUp => {
                let given_up = self
                    .mail_mark(name)?
                    .update_expression("SET given_up = if_not_exists(given_up, :now)")
                    .expression_attribute_values(":now", number(now.as_second()));
                written_down(given_up).await.map(|()| sending)
            }
            _ => Ok(sending),
        }
    }

    async fn mail_begins_again(&self, name: &str, again: &Again, now: Timestamp) -> Result<Sending, Error> {
        let begun = self
            .mail_mark(name)?
            .update_expression(
                "SET begun = :now, expires_at = :ends, again_since = :since, again_because = :because \
                 REMOVE unanswered ADD tries :one",
            )
            .condition_expression("attribute_not_exists(sent) AND tries < :most AND begun = :since")
            .expression_attribute_values(":now", number(now.as_second()))
            .expression_attribute_values(":ends", number((now + REMEMBERED).as_second()))
            .expression_attribute_values(":since", number(again.since.as_second()))
            .expression_attribute_values(":because", text(again.because.code()))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(TRIES))
            .send()
            .await;
        match begun.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(Sending::Again(*again)),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(Sending::Busy),
            Err(error) => Err(Error::failed("beginning to send a mail")(error)),
        }
    }

    /// It went.
    pub async fn mail_went(&self, name: &str) -> Result<(), Error> {
        self.mail_is(name, "SET sent = :one").await
    }

    /// It did not go, that is certain: the try does not count, and what is known of the one before, if there was one, is what
    /// was known. To write it twice is to write it once, for the client does so where an answer is lost.
    pub async fn mail_did_not_go(&self, name: &str, again: Option<&Again>) -> Result<(), Error> {
        let mark = self.mail_mark(name)?;
        let mark = match again {
            None => mark.update_expression("SET tries = :left").expression_attribute_values(":left", number(0)),
            Some(again) => mark
                .update_expression("SET tries = :left, begun = :since")
                .expression_attribute_values(":left", number(1))
                .expression_attribute_values(":since", number(again.since.as_second())),
        };
        written_down(mark).await
    }

    /// No answer came: it may have gone.
    pub async fn mail_unanswered(&self, name: &str) -> Result<(), Error> {
        self.mail_is(name, "SET unanswered = :one").await
    }

    async fn mail_is(&self, name: &str, update: &str) -> Result<(), Error> {
        let mark = self.mail_mark(name)?.update_expression(update).expression_attribute_values(":one", number(1));
        written_down(mark).await
    }

    fn mail_mark(&self, name: &str) -> Result<UpdateItemFluentBuilder, Error> {
        Ok(self.dynamodb.update_item().table_name(self.sessions_table()?).key("pk", text(key(name))))
    }
}

async fn written_down(mark: UpdateItemFluentBuilder) -> Result<(), Error> {
    mark.send()
        .await
        .map(|_| ())
        .map_err(|error| Error::failed("writing down what became of a mail")(error.into_service_error()))
}

/// What is written down of a mail that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    tries: i64,
    begun: Option<Timestamp>,
    sent: bool,
    unanswered: bool,
    again: Option<Again>,
}

impl Mark {
    fn of(item: &Item) -> Self {
        let whole = |name: &str| item.get(name).and_then(|value| value.as_n().ok()?.parse::<i64>().ok());
        let moment = |name: &str| whole(name).and_then(|at| Timestamp::from_second(at).ok());
        let because = get_text(item, "again_because").ok().and_then(Unended::parse);
        Self {
            tries: whole("tries").unwrap_or_default(),
            begun: moment("begun"),
            sent: item.contains_key("sent"),
            unanswered: item.contains_key("unanswered"),
            again: moment("again_since").zip(because).map(|(since, because)| Again { since, because }),
        }
    }

    /// What is to be done with a mail that was begun. Where the second time came to nothing, why there was one still holds.
    fn next(self, now: Timestamp) -> Sending {
        let Some(begun) = self.begun else { return Sending::Busy };
        if self.sent {
            Sending::Sent(self.again)
        } else if begun >= now - LEASE {
            Sending::Busy
        } else if self.tries < TRIES {
            let because = if self.unanswered { Unended::NoAnswer } else { Unended::NoEnd };
            Sending::Again(self.again.unwrap_or(Again { since: begun, because }))
        } else {
            Sending::GaveUp
        }
    }
}

fn key(name: &str) -> String {
    format!("mail#{}", directory::key("mail", name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T16:00:00Z".parse().unwrap()
    }

    fn item(tries: i64, begun: Timestamp, with: &[&str]) -> Item {
        let mut item =
            Item::from([("begun".to_owned(), number(begun.as_second())), ("tries".to_owned(), number(tries))]);
        item.extend(with.iter().map(|name| ((*name).to_owned(), number(1))));
        item
    }

    #[test]
    fn a_mail_that_was_begun_twice_is_given_up_and_not_taken_for_sent() {
        let next = |begun: Timestamp, sent: bool| {
            Mark::of(&item(TRIES, begun, if sent { &["sent"] } else { &[] })).next(now())
        };
        let before = now() - LEASE - SignedDuration::from_secs(1);
        assert_eq!(next(before, false), Sending::GaveUp);
        assert_eq!(next(before, true), Sending::Sent(None));
        assert_eq!(next(now(), true), Sending::Sent(None));
        assert_eq!(next(now(), false), Sending::Busy);
    }

    #[test]
    fn a_second_time_has_its_reason_and_whoever_asks_later_learns_it() {
        let since = now() - SignedDuration::from_hours(1);
        let next = |item: &Item| Mark::of(item).next(now());
        let no_end = Again { since, because: Unended::NoEnd };
        assert_eq!(next(&item(1, since, &[])), Sending::Again(no_end));
        let no_answer = Again { since, because: Unended::NoAnswer };
        assert_eq!(next(&item(1, since, &["unanswered"])), Sending::Again(no_answer));
        for because in Unended::ALL {
            let mut went = item(2, now(), &["sent"]);
            went.insert("again_since".to_owned(), number(since.as_second()));
            went.insert("again_because".to_owned(), text(because.code()));
            assert_eq!(next(&went), Sending::Sent(Some(Again { since, because })));
        }
    }

    /// What happens to a mail while people ask for it, die and lose answers.
    #[derive(Clone, Copy, Debug)]
    enum Fate {
        /// It goes, and that is written down.
        Goes,
        /// It goes, and whoever sent it dies.
        GoesUnseen,
        /// Whoever sends it dies before.
        Dies,
        /// SES takes it, and its answer is lost.
        Unanswered,
        /// SES refuses it.
        Refused,
    }

    fn fates() -> impl Strategy<Value = Vec<(Fate, i64)>> {
        let fate = prop_oneof![
            Just(Fate::Goes),
            Just(Fate::GoesUnseen),
            Just(Fate::Dies),
            Just(Fate::Unanswered),
            Just(Fate::Refused),
        ];
        prop::collection::vec((fate, 0_i64..3_600), 0..12)
    }

    proptest! {
        #[test]
        fn a_mail_arrives_at_most_twice_and_never_twice_without_a_reason(fates in fates()) {
            let (mut mark, mut now, mut arrived) = (Item::new(), now(), 0);
            for (fate, wait) in fates {
                now += SignedDuration::from_secs(wait);
                let known = Mark::of(&mark);
                // What the two conditions of the store let through.
                let first = mark.is_empty() || (!known.sent && known.tries < 1);
                let next = if first { Sending::Go } else { known.next(now) };
                let tries = match next {
                    Sending::Go => 1,
                    Sending::Again(again) => {
                        mark.insert("again_since".to_owned(), number(again.since.as_second()));
                        mark.insert("again_because".to_owned(), text(again.because.code()));
                        mark.remove("unanswered");
                        known.tries + 1
                    }
                    Sending::Sent(again) => {
                        prop_assert!(arrived == 1 || again.is_some());
                        continue;
                    }
                    Sending::GaveUp | Sending::Busy => continue,
                };
                mark.insert("begun".to_owned(), number(now.as_second()));
                mark.insert("tries".to_owned(), number(tries));
                arrived += i32::from(matches!(fate, Fate::Goes | Fate::GoesUnseen | Fate::Unanswered));
                match fate {
                    Fate::Goes => drop(mark.insert("sent".to_owned(), number(1))),
                    Fate::Unanswered => drop(mark.insert("unanswered".to_owned(), number(1))),
                    Fate::Refused => {
                        mark.insert("tries".to_owned(), number(tries - 1));
                        if let Sending::Again(again) = next {
                            mark.insert("begun".to_owned(), number(again.since.as_second()));
                        }
                    }
                    Fate::GoesUnseen | Fate::Dies => {}
                }
                prop_assert!(arrived <= 2);
                prop_assert!(arrived < 2 || Mark::of(&mark).again.is_some());
            }
        }
    }
}
