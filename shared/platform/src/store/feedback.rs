//! Addresses of users that mail does not reach: what mail programs and services said of the last one.
//!
//! It stands on the user's own item, so whoever reads a user knows. It counts up no version: it is nobody's edit, and keeps
//! nobody from theirs.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use domain::audit::Entry;
use domain::user::UserId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::audit::Written;
use super::users::user_key;
use super::{Item, TenantStore, User, damaged, number, text};
use crate::Error;

/// Why an address is written to no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unreachable {
    /// It takes no mail, and will not: a permanent bounce.
    Bounced,
    /// Whoever reads it called our mail unwanted.
    Complained,
}

impl Unreachable {
    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }

    fn parse(code: &str) -> Option<Self> {
        [Self::Bounced, Self::Complained].into_iter().find(|it| it.code() == code)
    }
}

/// An address that is written to no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dead {
    /// Why.
    pub why: Unreachable,
    /// Since when.
    pub since: Timestamp,
}

/// What a user's item says of the address.
pub(super) fn dead(item: &Item) -> Result<Option<Dead>, Error> {
    let Some(why) = item.get("dead") else { return Ok(None) };
    let why = why.as_s().ok().and_then(|why| Unreachable::parse(why)).ok_or_else(|| damaged("dead"))?;
    let since = item.get("dead_since").and_then(|value| value.as_n().ok()?.parse().ok());
    let since = since.and_then(|since| Timestamp::from_second(since).ok()).ok_or_else(|| damaged("dead_since"))?;
    Ok(Some(Dead { why, since }))
}

impl TenantStore<'_> {
    /// Writes down that an address takes no mail. Returns whether that is news: of several such messages the first counts,
    /// and one that is older than what somebody had us try again counts for nothing.
    pub async fn address_is_dead(&self, user: &UserId, dead: Dead, entry: &Entry) -> Result<bool, Error> {
        let update = Update::builder()
            .table_name(self.store.accounts_table()?)
            .key("pk", text(self.tenant.id().as_str()))
            .key("sk", text(user_key(user)))
            .update_expression("SET dead = :why, dead_since = :since")
            .condition_expression(
                "attribute_exists(pk) AND attribute_not_exists(dead) AND (attribute_not_exists(tried_again) OR tried_again < :since)",
            )
            .expression_attribute_values(":why", text(dead.why.code()))
            .expression_attribute_values(":since", number(dead.since.as_second()))
            .build()
            .map_err(Error::failed("writing down a dead address"))?;
        let update = TransactWriteItem::builder().update(update).build();
        Ok(matches!(self.write_audited(&[update], entry).await?, Written::Done))
    }

    /// Writes to an address again. `Conflict` where it was not dead.
    pub async fn try_address_again(&self, user: &UserId, entry: &Entry) -> Result<(), Error> {
        let update = Update::builder()
            .table_name(self.store.accounts_table()?)
            .key("pk", text(self.tenant.id().as_str()))
            .key("sk", text(user_key(user)))
            .update_expression("SET tried_again = :now REMOVE dead, dead_since, bounces")
            .condition_expression("attribute_exists(dead)")
            .expression_attribute_values(":now", number(entry.at.as_second()))
            .build()
            .map_err(Error::failed("writing to an address again"))?;
        let update = TransactWriteItem::builder().update(update).build();
        match self.write_audited(&[update], entry).await? {
            Written::Done => Ok(()),
            Written::Refused(_) => Err(Error::Conflict),
        }
    }

    /// Counts a mail that did not arrive this time: a full mailbox, a server that was away.
    pub async fn count_bounce(&self, user: &UserId) -> Result<(), Error> {
        let counted = self
            .store
            .dynamodb
            .update_item()
            .table_name(self.store.accounts_table()?)
            .key("pk", text(self.tenant.id().as_str()))
            .key("sk", text(user_key(user)))
            .update_expression("ADD bounces :one")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":one", number(1))
            .send()
            .await;
        match counted.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(()),
            Err(error) => Err(Error::failed("counting a bounce")(error)),
        }
    }

    /// The whole team as far as it can be read, without those who were removed, and how many cannot be: one damaged item keeps
    /// no mail from the others.
    pub async fn readable_users(&self) -> Result<(Vec<User>, u64), Error> {
        let keys = self.keys().await?;
        let (mut users, mut damaged) = (vec![], 0);
        for item in self.user_items().await? {
            match self.read_user(&keys, &item) {
                Ok(user) => users.push(user),
                Err(error) => {
                    tracing::error!(error = error.causes(), "a user cannot be read");
                    damaged += 1;
                }
            }
        }
        users.retain(|user| user.state != domain::user::UserState::Removed);
        Ok((users, damaged))
    }
}
