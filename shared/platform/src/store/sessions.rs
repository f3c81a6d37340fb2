//! Sessions, links that are good once, and counted tries. All of it ends by itself (`expires_at`).
//!
//! | partition | holds |
//! |---|---|
//! | `session#` SHA-256 of the browser's secret | who is signed in; index `by-user` lists them, to be looked at |
//! | `link#` SHA-256 of the token | an invitation or a reset, good once |
//! | `used#` kind `#` SHA-256 of what is good once | that it is there says that it was used; of what is done once, `claimant` |
//! | `throttle#` kind `#` SHA-256 of what is counted `#` window | how many tries |
//!
//! A session begins and ends in one transaction with the change of the account that is the reason for it, by the list that
//! the account keeps ([`LiveSessions`](crate::session::LiveSessions)). The index lags behind, so nothing is ended by it.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, Put, ReturnValue, TransactWriteItem, Update};
use domain::audit::Entry;
use domain::role::Role;
use domain::user::{UserId, UserState};
use futures::future::BoxFuture;
use identity::Credentials;
use jiff::{SignedDuration, Timestamp};

use super::audit::Written;
use super::users::{Account, UserChange, link_given};
use super::{Item, Store, TenantStore, damaged, directory, get_parsed, get_text, number, text};
use crate::Error;
use crate::session::{ABSOLUTE, Card, IDLE, Session, SessionId};
use crate::tenant::Tenant;
use crate::ticket::{Tickets, random_token};

/// The purpose under which a session's card is sealed.
const CARD: &str = "session-card";
/// The purpose of the code that a reset's token is.
const RESET: &str = "reset-link";
/// A change that meets another is tried again on what the other left.
const TRIES: usize = 5;
/// While a transaction has hold of an item, it takes no other change: for some milliseconds.
const WAIT: Duration = Duration::from_millis(20);
/// What is used is remembered for a day longer than needed.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A session as it begins.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// What seals its card.
    pub tickets: &'a Tickets,
    /// What the pages show of whoever signs in.
    pub card: &'a Card,
    /// When.
    pub at: Timestamp,
}

/// A session that is about to be written: the browser's secret, its hash, and the item.
pub(super) struct Beginning {
    pub(super) secret: String,
    pub(super) id: SessionId,
    pub(super) put: TransactWriteItem,
}

/// What a link that is good once was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// To join a tenant's team.
    Invitation,
    /// To set a new password.
    Reset,
}

impl Link {
    const fn code(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Reset => "reset",
        }
    }
}

/// Whom a link is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkOwner {
    /// Whose team.
    pub tenant: Tenant,
    /// Who.
    pub user: UserId,
    /// When it was made.
    pub made_at: Timestamp,
    /// When the password was set that a reset is to replace; none for an invitation.
    pub password_set_at: Option<Timestamp>,
}

impl TenantStore<'_> {
    /// Begins a session, and keeps that factors were used for it: both, with the entry that tells of it, or nothing.
    /// Returns the secret for the browser's cookie; only its hash is kept. `Conflict` where the account has changed since
    /// it was read: a one-time code that two use at once is good for one of them.
    pub async fn begin_session(
        &self,
        account: &Account,
        credentials: &Credentials,
        new: &NewSession<'_>,
        entry: &Entry,
    ) -> Result<String, Error> {
        if account.state != UserState::Active {
            return Err(Error::SignedOut);
        }
        let beginning = self.beginning(account, new, new.at)?;
        let change = UserChange::of(account).credentials(credentials).begins(&beginning.id, new.at);
        self.write_user(&change, vec![(beginning.put, Error::Conflict)], entry).await?;
        Ok(beginning.secret)
    }

    /// Notes that all factors were shown again. The session goes on under another secret, which is returned, and as long
    /// as it would have: whoever got hold of the old secret has not shown anything. `SignedOut` where it has ended.
    pub async fn confirm_session(
        &self,
        account: &Account,
        credentials: &Credentials,
        session: &Session,
        new: &NewSession<'_>,
        entry: &Entry,
    ) -> Result<String, Error> {
        if !account.live.has(&session.id) {
            return Err(Error::SignedOut);
        }
        let beginning = self.beginning(account, new, session.signed_in_at)?;
        let ends = session.signed_in_at + ABSOLUTE;
        let change =
            UserChange::of(account).credentials(credentials).replaces(&session.id, &beginning.id, ends, new.at);
        let old = ending(self.store, &session.id, new.at)?
            .condition_expression("user_pk = :user")
            .expression_attribute_values(":user", text(self.user_key(&account.id)))
            .build()
            .map_err(Error::failed("replacing a session"))?;
        let old = TransactWriteItem::builder().update(old).build();
        let others = vec![(beginning.put, Error::Conflict), (old, Error::SignedOut)];
        self.write_user(&change, others, entry).await?;
        Ok(beginning.secret)
    }

    /// The item of a new session; the caller writes it together with the account's list.
    pub(super) fn beginning(
        &self,
        account: &Account,
        new: &NewSession<'_>,
        signed_in_at: Timestamp,
    ) -> Result<Beginning, Error> {
        let secret = random_token()?;
        let id = SessionId::of(&secret);
        let ends = signed_in_at + ABSOLUTE;
        let card = new.tickets.seal(CARD, id.as_str(), ends, new.card)?;
        let put = Put::builder()
            .table_name(self.store.sessions_table()?)
            .item("pk", text(session_key(&id)))
            .item("id", text(id.as_str()))
            .item("tenant", text(self.tenant.id().as_str()))
            .item("user", text(account.id.as_str()))
            .item("role", text(account.role.code()))
            .item("card", text(card))
            .item("signed_in_at", number(signed_in_at.as_second()))
            .item("confirmed_at", number(new.at.as_second()))
            .item("last_seen", number(new.at.as_second()))
            .item("expires_at", number(ends.as_second()))
            .item("user_pk", text(self.user_key(&account.id)))
            .item("user_sk", text(signed_in_at.to_string()))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(Error::failed("beginning a session"))?;
        Ok(Beginning { secret, id, put: TransactWriteItem::builder().put(put).build() })
    }

    /// Somebody's sessions, the newest first: at most 50.
    pub async fn sessions(&self, tickets: &Tickets, user: &UserId, now: Timestamp) -> Result<Vec<Session>, Error> {
        let items = self.session_items(user).await?;
        Ok(items.iter().filter_map(|item| read(item, tickets, now).ok()).collect())
    }

    /// Ends one of somebody's sessions: `NotFound` where it is not theirs. It ends whatever becomes of the entry.
    pub async fn end_session(&self, user: &UserId, id: &SessionId, entry: &Entry) -> Result<(), Error> {
        self.drop_session(user, id).await?;
        for _ in 0..TRIES {
            let account = self.user(user).await?.ok_or(Error::NotFound)?;
            match self.write_user(&UserChange::of(&account).forgets(id), vec![], entry).await {
                Err(Error::Conflict) => {}
                written => return written,
            }
        }
        // One that has ended may stay on the list.
        self.record(entry).await
    }

    /// Ends all of somebody's sessions but for one: `SignedOut` where that one has ended.
    pub async fn end_other_sessions(&self, user: &UserId, stays: &SessionId, entry: &Entry) -> Result<(), Error> {
        for _ in 0..TRIES {
            let account = self.user(user).await?.ok_or(Error::SignedOut)?;
            let change = UserChange::of(&account).ends_all_but(stays, entry.at)?;
            match self.write_user(&change, vec![], entry).await {
                Err(Error::Conflict) => {}
                written => return written,
            }
        }
        Err(Error::Conflict)
    }

    /// Ends the session that a browser leaves for another one: `NotFound` where it is not theirs.
    pub async fn drop_session(&self, user: &UserId, id: &SessionId) -> Result<(), Error> {
        let update = self
            .store
            .dynamodb
            .update_item()
            .table_name(self.store.sessions_table()?)
            .key("pk", text(session_key(id)))
            .update_expression(END)
            .condition_expression("user_pk = :user")
            .expression_attribute_values(":user", text(self.user_key(user)))
            .expression_attribute_values(":ended", number(self.store.clock.now().as_second()));
        match patiently(update).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Err(Error::NotFound),
            Err(error) => Err(Error::failed("ending a session")(error)),
        }
    }

    /// Has a session show another card from now on: a name or a language has changed.
    pub async fn refresh_card(&self, tickets: &Tickets, session: &Session, card: &Card) -> Result<(), Error> {
        let ends = session.signed_in_at + ABSOLUTE;
        let update = self
            .store
            .dynamodb
            .update_item()
            .table_name(self.store.sessions_table()?)
            .key("pk", text(session_key(&session.id)))
            .update_expression("SET card = :card")
            .condition_expression("user_pk = :user")
            .expression_attribute_values(":user", text(self.user_key(&session.user)))
            .expression_attribute_values(":card", text(tickets.seal(CARD, session.id.as_str(), ends, card)?));
        match patiently(update).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Err(Error::SignedOut),
            Err(error) => Err(Error::failed("refreshing a session")(error)),
        }
    }

    /// Makes an invitation's link, good once, and voids the one before it. Returns its token; only its hash is kept.
    /// `NotFound` where nobody is invited.
    pub async fn make_invitation(&self, user: &UserId, at: Timestamp, lives: SignedDuration) -> Result<String, Error> {
        let token = random_token()?;
        let put = self.link_put(Link::Invitation, &token, user, at, lives)?.build();
        let put = put.map_err(Error::failed("making a link"))?;
        let written = self
            .store
            .dynamodb
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().put(put).build())
            .transact_items(link_given(self, user, &token)?)
            .send()
            .await;
        match written.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(token),
            Err(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
                let refused = |reason: &CancellationReason| reason.code() == Some("ConditionalCheckFailed");
                Err(if canceled.cancellation_reasons().iter().any(refused) { Error::NotFound } else { Error::Conflict })
            }
            Err(error) => Err(Error::failed("making a link")(error)),
        }
    }

    /// Makes the link for a new password that a letter asks for, with the entry that tells of it. The same letter gets the
    /// same link and leaves one entry, however often it is delivered. Returns the token; only its hash is kept.
    pub async fn make_reset(
        &self,
        tickets: &Tickets,
        account: &Account,
        letter: &str,
        lives: SignedDuration,
        entry: &Entry,
    ) -> Result<String, Error> {
        let token = tickets.mac(RESET, letter);
        let put = self
            .link_put(Link::Reset, &token, &account.id, entry.at, lives)?
            .item("password_set_at", number(account.password_set_at.as_second()))
            .build()
            .map_err(Error::failed("making a link"))?;
        match self.write_audited(&[TransactWriteItem::builder().put(put).build()], entry).await? {
            // Refused because it is there.
            Written::Done | Written::Refused(_) => Ok(token),
        }
    }

    fn link_put(
        &self,
        link: Link,
        token: &str,
        user: &UserId,
        at: Timestamp,
        lives: SignedDuration,
    ) -> Result<aws_sdk_dynamodb::types::builders::PutBuilder, Error> {
        Ok(Put::builder()
            .table_name(self.store.sessions_table()?)
            .item("pk", text(link_key(token)))
            .item("for", text(link.code()))
            .item("tenant", text(self.tenant.id().as_str()))
            .item("user", text(user.as_str()))
            .item("made_at", number(at.as_second()))
            .item("expires_at", number((at + lives).as_second()))
            .condition_expression("attribute_not_exists(pk)"))
    }

    async fn session_items(&self, user: &UserId) -> Result<Vec<Item>, Error> {
        let found = self
            .store
            .dynamodb
            .query()
            .table_name(self.store.sessions_table()?)
            .index_name("by-user")
            .key_condition_expression("user_pk = :user")
            .expression_attribute_values(":user", text(self.user_key(user)))
            .scan_index_forward(false)
            .limit(50)
            .send()
            .await
            .map_err(|error| Error::failed("listing sessions")(error.into_service_error()))?;
        Ok(found.items.unwrap_or_default())
    }

    fn user_key(&self, user: &UserId) -> String {
        format!("{}#{user}", self.tenant.id())
    }
}

impl Store {
    /// Whoever holds a session's secret, and the note that it was used now; in one operation. `SignedOut` where it was
    /// idle too long, has ended or never was.
    pub async fn session(&self, tickets: &Tickets, secret: &str, now: Timestamp) -> Result<Session, Error> {
        let update = self
            .dynamodb
            .update_item()
            .table_name(self.sessions_table()?)
            .key("pk", text(session_key(&SessionId::of(secret))))
            .update_expression("SET last_seen = :now")
            // One that was ended names nobody any more, whatever the clocks of two functions say.
            .condition_expression("attribute_exists(user_pk) AND expires_at > :now AND last_seen > :idle")
            .expression_attribute_values(":now", number(now.as_second()))
            .expression_attribute_values(":idle", number((now - IDLE).as_second()))
            .return_values(ReturnValue::AllNew);
        let item = match patiently(update).await {
            Ok(found) => found.attributes.unwrap_or_default(),
            Err(error) if error.is_conditional_check_failed_exception() => return Err(Error::SignedOut),
            Err(error) => return Err(Error::failed("looking up a session")(error)),
        };
        read(&item, tickets, now).map_err(|error| match error {
            Error::NotFound => Error::SignedOut,
            error => error,
        })
    }

    /// Whom a link is for, if it was not used yet; looking does not use it, since mail scanners look.
    pub async fn link(&self, link: Link, token: &str, now: Timestamp) -> Result<LinkOwner, Error> {
        let got = self
            .dynamodb
            .get_item()
            .table_name(self.sessions_table()?)
            .key("pk", text(link_key(token)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed("looking up a link")(error.into_service_error()))?;
        let item = got.item.ok_or(Error::NotFound)?;
        let good = get_text(&item, "for")? == link.code()
            && get_seconds(&item, "expires_at")? > now
            && !item.contains_key("used_at");
        if good { link_owner(&item) } else { Err(Error::NotFound) }
    }

    /// Uses something up that is good once, and no longer than until `ends`: `false` where it was used before. However many
    /// come at once, one of them gets `true`.
    pub async fn use_up(&self, kind: &'static str, value: &str, ends: Timestamp) -> Result<bool, Error> {
        let put = self
            .dynamodb
            .put_item()
            .table_name(self.sessions_table()?)
            .item("pk", text(format!("used#{}", directory::key(kind, value))))
            .item("expires_at", number((ends + DAY).as_second()))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await;
        match put.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(true),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(false),
            Err(error) => Err(Error::failed("using something up")(error)),
        }
    }

    /// Claims something for one of several that would do it, for as long as until `ends`: `false` where another one has it.
    /// Whoever has it may ask again, so what fails on the way is tried again by its own, and done once.
    pub async fn use_up_as(
        &self,
        kind: &'static str,
        value: &str,
        claimant: &str,
        ends: Timestamp,
    ) -> Result<bool, Error> {
        let put = self
            .dynamodb
            .put_item()
            .table_name(self.sessions_table()?)
            .item("pk", text(format!("used#{}", directory::key(kind, value))))
            .item("claimant", text(claimant))
            .item("expires_at", number((ends + DAY).as_second()))
            .condition_expression("attribute_not_exists(pk) OR claimant = :claimant")
            .expression_attribute_values(":claimant", text(claimant))
            .send()
            .await;
        match put.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(true),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(false),
            Err(error) => Err(Error::failed("claiming something")(error)),
        }
    }

    /// Counts a try and refuses it where there were too many in this window of time. One atomic addition: however many
    /// come at once, no more than `limit` get through.
    pub async fn throttle(
        &self,
        kind: &'static str,
        value: &str,
        limit: u32,
        window: SignedDuration,
        now: Timestamp,
    ) -> Result<(), Error> {
        let length = window.as_secs().max(1);
        let number_of_window = now.as_second().div_euclid(length);
        let ends = (number_of_window + 1) * length;
        let counted = self
            .dynamodb
            .update_item()
            .table_name(self.sessions_table()?)
            .key("pk", text(format!("throttle#{}#{number_of_window}", directory::key(kind, value))))
            .update_expression("ADD tries :one SET expires_at = :ends")
            .expression_attribute_values(":one", number(1))
            // A day longer than needed: DynamoDB deletes what expired at its leisure, and never early.
            .expression_attribute_values(":ends", number(ends + DAY.as_secs()))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|error| Error::failed("counting a try")(error.into_service_error()))?;
        let tries = counted
            .attributes
            .as_ref()
            .and_then(|item| item.get("tries")?.as_n().ok()?.parse::<u64>().ok())
            .ok_or_else(|| damaged("tries"))?;
        if tries <= u64::from(limit) {
            Ok(())
        } else {
            Err(Error::Throttled { retry_after: SignedDuration::from_secs((ends - now.as_second()).max(1)) })
        }
    }
}

fn read(item: &Item, tickets: &Tickets, now: Timestamp) -> Result<Session, Error> {
    let id = get_parsed(item, "id", SessionId::parse)?;
    if get_seconds(item, "expires_at")? <= now || get_seconds(item, "last_seen")? <= now - IDLE {
        return Err(Error::NotFound);
    }
    let card = tickets.open(CARD, id.as_str(), now, get_text(item, "card")?)?;
    Ok(Session {
        tenant: directory::owner(item)?,
        user: get_parsed(item, "user", |user| UserId::parse(user).ok())?,
        role: get_parsed(item, "role", Role::parse)?,
        card,
        signed_in_at: get_seconds(item, "signed_in_at")?,
        confirmed_at: get_seconds(item, "confirmed_at")?,
        last_seen: get_seconds(item, "last_seen")?,
        id,
    })
}

fn link_owner(item: &Item) -> Result<LinkOwner, Error> {
    Ok(LinkOwner {
        tenant: directory::owner(item)?,
        user: get_parsed(item, "user", |user| UserId::parse(user).ok())?,
        made_at: get_seconds(item, "made_at")?,
        password_set_at: item.get("password_set_at").map(|_| get_seconds(item, "password_set_at")).transpose()?,
    })
}

/// How a session ends. Its item stays until DynamoDB clears it away, and names nobody.
const END: &str = "SET expires_at = :ended REMOVE user_pk, user_sk, card";

fn ending(
    store: &Store,
    id: &SessionId,
    at: Timestamp,
) -> Result<aws_sdk_dynamodb::types::builders::UpdateBuilder, Error> {
    Ok(Update::builder()
        .table_name(store.sessions_table()?)
        .key("pk", text(session_key(id)))
        .update_expression(END)
        // Not 0: DynamoDB takes an expiry of more than five years ago for a mistake, and keeps the item.
        .expression_attribute_values(":ended", number(at.as_second())))
}

/// Ends a session of an account's list, in a transaction with what is the reason for it. On no condition: one that has
/// ended before must not keep the others from ending.
pub(super) fn end_update(store: &Store, id: &SessionId, at: Timestamp) -> Result<TransactWriteItem, Error> {
    let update = ending(store, id, at)?.build().map_err(Error::failed("ending a session"))?;
    Ok(TransactWriteItem::builder().update(update).build())
}

/// Sends a change of one item again where a transaction has hold of that item. Boxed: every page waits for one.
fn patiently(update: UpdateItemFluentBuilder) -> BoxFuture<'static, Result<UpdateItemOutput, UpdateItemError>> {
    Box::pin(async move {
        for _ in 1..TRIES {
            match update.clone().send().await.map_err(SdkError::into_service_error) {
                Err(UpdateItemError::TransactionConflictException(_)) => tokio::time::sleep(WAIT).await,
                updated => return updated,
            }
        }
        update.send().await.map_err(SdkError::into_service_error)
    })
}

/// Uses a link up, once: of two transactions at the same moment one is refused. A reset only where it was made for the
/// password that is there.
pub(super) fn link_update(
    store: &Store,
    link: Link,
    token: &str,
    password_set_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<TransactWriteItem, Error> {
    let good = "#for = :for AND expires_at > :now AND attribute_not_exists(used_at)";
    let mut update = Update::builder()
        .table_name(store.sessions_table()?)
        .key("pk", text(link_key(token)))
        .update_expression("SET used_at = :now")
        .condition_expression(good)
        .expression_attribute_names("#for", "for")
        .expression_attribute_values(":for", text(link.code()))
        .expression_attribute_values(":now", number(now.as_second()));
    if let Some(set_at) = password_set_at {
        update = update
            .condition_expression(format!("{good} AND password_set_at = :set"))
            .expression_attribute_values(":set", number(set_at.as_second()));
    }
    let update = update.build().map_err(Error::failed("using a link"))?;
    Ok(TransactWriteItem::builder().update(update).build())
}

fn get_seconds(item: &Item, name: &'static str) -> Result<Timestamp, Error> {
    let seconds = item.get(name).and_then(|value| AttributeValue::as_n(value).ok()).and_then(|n| n.parse().ok());
    seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).ok_or_else(|| damaged(name))
}

fn session_key(id: &SessionId) -> String {
    format!("session#{}", id.as_str())
}

pub(super) fn link_key(token: &str) -> String {
    directory::key("link", token)
}
