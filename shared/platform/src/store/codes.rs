//! Codes of six digits, sent to the contact that was given with a request, with which somebody shows that it is theirs.
//!
//! `sessions`, partition `code#` hash of what it opens: whose request it is, the code's keyed hash, how often it was
//! tried, when it ends. It opens one request for the browser that asked for it, so nobody uses up or replaces another's
//! code by asking too.

use aws_lc_rs::{constant_time, rand};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::ReturnValue;
use jiff::{SignedDuration, Timestamp};

use super::{Item, Store, directory, get_text, number, text};
use crate::Error;
use crate::consumer::{Contact, LookedUp};
use crate::ticket::Tickets;

/// How long a code is good.
pub const LIVES: SignedDuration = SignedDuration::from_mins(10);
/// How often one may be tried.
pub const TRIES: u32 = 5;
/// The purpose of its keyed hash.
const CODE: &str = "contact-code";

/// What became of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It is the code that was sent there. It is used up now.
    Right(Contact),
    /// It is not; so many tries are left.
    Wrong(u32),
    /// There is no code to try: it was used, has ended, was tried too often, or never was.
    Over,
}

/// Six random digits, each number as likely as any other.
pub fn random_digits() -> Result<String, Error> {
    // The largest multiple of a million that fits: what lies above it would make small numbers likelier.
    const FAIR: u32 = u32::MAX - u32::MAX % 1_000_000;
    loop {
        let mut bytes = [0; 4];
        rand::fill(&mut bytes).map_err(|_| Error::Failed { doing: "drawing a code", source: "refused".into() })?;
        let drawn = u32::from_be_bytes(bytes);
        if drawn < FAIR {
            return Ok(format!("{:06}", drawn % 1_000_000));
        }
    }
}

impl Store {
    /// Keeps a code for what it opens, in the place of one that was kept for it before. Only its keyed hash is stored.
    pub async fn keep_code(
        &self,
        tickets: &Tickets,
        look: &LookedUp,
        (digits, sent_to): (&str, Contact),
        at: Timestamp,
    ) -> Result<(), Error> {
        self.dynamodb
            .put_item()
            .table_name(self.sessions_table()?)
            .item("pk", text(directory::key("code", &look.opens())))
            .item("tenant", text(look.tenant.id().as_str()))
            .item("code", text(hash(tickets, &look.opens(), digits)))
            .item("sent_to", text(sent_to.code()))
            .item("tries", number(0))
            .item("expires_at", number((at + LIVES).as_second()))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Error::failed("keeping a code")(error.into_service_error()))
    }

    /// Tries a code. The try is counted before anything is compared, in one atomic step: however many come at once, five
    /// are looked at. The right one is good for one of them.
    pub async fn try_code(
        &self,
        tickets: &Tickets,
        look: &LookedUp,
        digits: &str,
        at: Timestamp,
    ) -> Result<Tried, Error> {
        let opens = look.opens();
        let update = || -> Result<_, Error> {
            Ok(self
                .dynamodb
                .update_item()
                .table_name(self.sessions_table()?)
                .key("pk", text(directory::key("code", &opens))))
        };
        let counted = update()?
            .update_expression("ADD tries :one")
            .condition_expression("expires_at > :now AND tries < :most AND attribute_not_exists(used_at)")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(TRIES))
            .expression_attribute_values(":now", number(at.as_second()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        let item = match counted.map_err(SdkError::into_service_error) {
            Ok(counted) => counted.attributes.unwrap_or_default(),
            Err(error) if error.is_conditional_check_failed_exception() => return Ok(Tried::Over),
            Err(error) => return Err(Error::failed("trying a code")(error)),
        };
        let kept = get_text(&item, "code")?;
        if constant_time::verify_slices_are_equal(hash(tickets, &opens, digits).as_bytes(), kept.as_bytes()).is_err() {
            return Ok(Tried::Wrong(TRIES.saturating_sub(tries(&item))));
        }
        let used = update()?
            .update_expression("SET used_at = :now")
            .condition_expression("attribute_not_exists(used_at)")
            .expression_attribute_values(":now", number(at.as_second()))
            .send()
            .await;
        match used.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(Tried::Right(Contact::parse(get_text(&item, "sent_to")?).ok_or(Error::NotFound)?)),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(Tried::Over),
            Err(error) => Err(Error::failed("using a code")(error)),
        }
    }
}

fn hash(tickets: &Tickets, opens: &str, digits: &str) -> String {
    tickets.mac(CODE, &format!("{opens} {digits}"))
}

fn tries(item: &Item) -> u32 {
    item.get("tries").and_then(|tries| tries.as_n().ok()?.parse().ok()).unwrap_or(TRIES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_six_digits_and_is_never_the_same_twice_in_a_row() {
        let drawn: std::collections::BTreeSet<String> = (0..200).map(|_| random_digits().unwrap()).collect();
        assert!(drawn.iter().all(|it| it.len() == 6 && it.bytes().all(|b| b.is_ascii_digit())));
        assert!(drawn.len() > 190);
    }

    #[test]
    fn a_codes_hash_is_its_own_and_tells_nothing_without_the_key() {
        let tickets = Tickets::new(&"k".repeat(64)).unwrap();
        let kept = hash(&tickets, "t-a 000000000000 x", "123456");
        assert_eq!(kept, hash(&tickets, "t-a 000000000000 x", "123456"));
        assert_ne!(kept, hash(&tickets, "t-b 000000000000 x", "123456"));
        assert_ne!(kept, hash(&tickets, "t-a 000000000000 x", "123457"));
        assert!(!kept.contains("123456"));
    }
}
