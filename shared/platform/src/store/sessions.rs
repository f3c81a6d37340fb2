//! Sessions, links that are good once, and counted tries. All of it ends by itself (`expires_at`).
//!
//! | partition | holds |
//! |---|---|
//! | `session#` SHA-256 of the browser's secret | who is signed in; index `by-user` lists them |
//! | `link#` SHA-256 of the token | an invitation or a reset, good once |
//! | `throttle#` kind `#` SHA-256 of what is counted `#` window | how many tries |

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, TransactWriteItem, Update};
use domain::role::Role;
use domain::user::UserId;
use jiff::{SignedDuration, Timestamp};

use super::{Item, Store, TenantStore, damaged, directory, get_parsed, get_text, number, text};
use crate::Error;
use crate::session::{ABSOLUTE, Card, IDLE, Session, SessionId};
use crate::tenant::Tenant;
use crate::ticket::{Tickets, random_token};

/// The purpose under which a session's card is sealed.
const CARD: &str = "session-card";

/// A session as it begins.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// Who signed in.
    pub user: &'a UserId,
    /// As what.
    pub role: Role,
    /// What the pages show of them.
    pub card: &'a Card,
    /// When.
    pub at: Timestamp,
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
}

impl TenantStore<'_> {
    /// Begins a session. Returns the secret for the browser's cookie; only its hash is kept.
    pub async fn begin_session(&self, tickets: &Tickets, new: &NewSession<'_>) -> Result<String, Error> {
        let secret = random_token()?;
        let id = SessionId::of(&secret);
        let ends = new.at + ABSOLUTE;
        let card = tickets.seal(CARD, id.as_str(), ends, new.card)?;
        self.store
            .dynamodb
            .put_item()
            .table_name(self.store.sessions_table()?)
            .item("pk", text(session_key(&id)))
            .item("id", text(id.as_str()))
            .item("tenant", text(self.tenant.id().as_str()))
            .item("user", text(new.user.as_str()))
            .item("role", text(new.role.code()))
            .item("card", text(card))
            .item("signed_in_at", number(new.at.as_second()))
            .item("confirmed_at", number(new.at.as_second()))
            .item("last_seen", number(new.at.as_second()))
            .item("expires_at", number(ends.as_second()))
            .item("user_pk", text(self.user_key(new.user)))
            .item("user_sk", text(new.at.to_string()))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await
            .map_err(|error| Error::failed("beginning a session")(error.into_service_error()))?;
        Ok(secret)
    }

    /// Somebody's sessions, the newest first: at most 50.
    pub async fn sessions(&self, tickets: &Tickets, user: &UserId, now: Timestamp) -> Result<Vec<Session>, Error> {
        let items = self.session_items(user).await?;
        Ok(items.iter().filter_map(|item| read(item, tickets, now).ok()).collect())
    }

    /// Ends one of somebody's sessions: `NotFound` where it is not theirs.
    pub async fn end_session(&self, user: &UserId, id: &SessionId) -> Result<(), Error> {
        let ended = self
            .store
            .dynamodb
            .update_item()
            .table_name(self.store.sessions_table()?)
            .key("pk", text(session_key(id)))
            .update_expression("SET expires_at = :ended REMOVE user_pk, user_sk, card")
            .condition_expression("user_pk = :user")
            .expression_attribute_values(":user", text(self.user_key(user)))
            // Not 0: DynamoDB takes an expiry of more than five years ago for a mistake, and keeps the item.
            .expression_attribute_values(":ended", number(self.store.clock.now().as_second()))
            .send()
            .await;
        match ended.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Err(Error::NotFound),
            Err(error) => Err(Error::failed("ending a session")(error)),
        }
    }

    /// Ends all of somebody's sessions, but for one that may stay. What they may do has changed, or their password.
    pub async fn end_sessions(&self, user: &UserId, except: Option<&SessionId>) -> Result<(), Error> {
        loop {
            let ids: Vec<SessionId> = self
                .session_items(user)
                .await?
                .iter()
                .filter_map(|item| SessionId::parse(get_text(item, "id").ok()?))
                .filter(|id| Some(id) != except)
                .collect();
            if ids.is_empty() {
                return Ok(());
            }
            for id in ids {
                match self.end_session(user, &id).await {
                    Ok(()) | Err(Error::NotFound) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }

    /// Notes that all factors were shown again in a session.
    pub async fn confirm_session(&self, user: &UserId, id: &SessionId, at: Timestamp) -> Result<(), Error> {
        let confirmed = self
            .store
            .dynamodb
            .update_item()
            .table_name(self.store.sessions_table()?)
            .key("pk", text(session_key(id)))
            .update_expression("SET confirmed_at = :at")
            .condition_expression("user_pk = :user")
            .expression_attribute_values(":user", text(self.user_key(user)))
            .expression_attribute_values(":at", number(at.as_second()))
            .send()
            .await;
        match confirmed.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Err(Error::SignedOut),
            Err(error) => Err(Error::failed("confirming a session")(error)),
        }
    }

    /// Has a session show another card from now on: a name or a language has changed.
    pub async fn refresh_card(&self, tickets: &Tickets, session: &Session, card: &Card) -> Result<(), Error> {
        let ends = session.signed_in_at + ABSOLUTE;
        let refreshed = self
            .store
            .dynamodb
            .update_item()
            .table_name(self.store.sessions_table()?)
            .key("pk", text(session_key(&session.id)))
            .update_expression("SET card = :card")
            .condition_expression("user_pk = :user")
            .expression_attribute_values(":user", text(self.user_key(&session.user)))
            .expression_attribute_values(":card", text(tickets.seal(CARD, session.id.as_str(), ends, card)?))
            .send()
            .await;
        match refreshed.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Err(Error::SignedOut),
            Err(error) => Err(Error::failed("refreshing a session")(error)),
        }
    }

    /// Makes a link that is good once. Returns its token; only its hash is kept.
    pub async fn make_link(
        &self,
        link: Link,
        user: &UserId,
        at: Timestamp,
        lives: SignedDuration,
    ) -> Result<String, Error> {
        let token = random_token()?;
        self.store
            .dynamodb
            .put_item()
            .table_name(self.store.sessions_table()?)
            .item("pk", text(link_key(&token)))
            .item("for", text(link.code()))
            .item("tenant", text(self.tenant.id().as_str()))
            .item("user", text(user.as_str()))
            .item("made_at", number(at.as_second()))
            .item("expires_at", number((at + lives).as_second()))
            .send()
            .await
            .map_err(|error| Error::failed("making a link")(error.into_service_error()))?;
        Ok(token)
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
        let found = self
            .dynamodb
            .update_item()
            .table_name(self.sessions_table()?)
            .key("pk", text(session_key(&SessionId::of(secret))))
            .update_expression("SET last_seen = :now")
            .condition_expression("expires_at > :now AND last_seen > :idle")
            .expression_attribute_values(":now", number(now.as_second()))
            .expression_attribute_values(":idle", number((now - IDLE).as_second()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        let item = match found.map_err(SdkError::into_service_error) {
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
            .expression_attribute_values(":ends", number(ends + 86_400))
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
    })
}

/// Uses a link up, once: of two transactions at the same moment one is refused.
pub(super) fn link_update(store: &Store, link: Link, token: &str, now: Timestamp) -> Result<TransactWriteItem, Error> {
    let update = Update::builder()
        .table_name(store.sessions_table()?)
        .key("pk", text(link_key(token)))
        .update_expression("SET used_at = :now")
        .condition_expression("#for = :for AND expires_at > :now AND attribute_not_exists(used_at)")
        .expression_attribute_names("#for", "for")
        .expression_attribute_values(":for", text(link.code()))
        .expression_attribute_values(":now", number(now.as_second()))
        .build()
        .map_err(Error::failed("using a link"))?;
    Ok(TransactWriteItem::builder().update(update).build())
}

fn get_seconds(item: &Item, name: &'static str) -> Result<Timestamp, Error> {
    let seconds = item.get(name).and_then(|value| AttributeValue::as_n(value).ok()).and_then(|n| n.parse().ok());
    seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).ok_or_else(|| damaged(name))
}

fn session_key(id: &SessionId) -> String {
    format!("session#{}", id.as_str())
}

fn link_key(token: &str) -> String {
    directory::key("link", token)
}
