//! People who sign in: who they are, what they may do, and what proves it is them.
//!
//! | table | key | holds |
//! |---|---|---|
//! | `accounts` | tenant, `user#` id | role, state, version; e-mail, profile and credentials, sealed |
//! | `accounts` | tenant, `team` | how many owners may sign in; never less than one once there was one |
//! | `directory` | `sign-in#` SHA-256 of the e-mail in lower case | tenant, user |
//! | `directory` | `passkey-user#` SHA-256 of the handle | tenant, user |
//!
//! Every change counts the user's version up and asks for the version that was read, so of two changes at the same
//! moment one is refused. Owners are counted in the same transaction that makes or unmakes one: no order of events
//! leaves a tenant without.

use std::fmt;
use std::ops::Deref;

use aws_lc_rs::rand;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use domain::audit::Entry;
use domain::email::EmailAddress;
use domain::role::Role;
use domain::user::{UserId, UserProfile, UserState};
use identity::Credentials;
use identity::passkey::UserHandle;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::audit::Written;
use super::sessions::{Link, link_update};
use super::{Item, Store, TenantStore, damaged, directory, get_parsed, get_text, number, text};
use crate::Error;
use crate::seal::{Place, SubjectSalt, TenantKeys};
use crate::tenant::Tenant;

/// A change that meets another is tried again on what the other left.
const TRIES: usize = 5;

/// Somebody of a tenant's team, as the team sees them.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// The address they sign in with.
    pub email: EmailAddress,
    /// What they are.
    pub role: Role,
    /// How their account stands.
    pub state: UserState,
    /// What they say of themselves.
    pub profile: UserProfile,
    /// When they were invited.
    pub invited_at: Timestamp,
    /// Counts changes.
    pub version: u64,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither name nor address.
        f.debug_struct("User").field("id", &self.id).field("role", &self.role).finish_non_exhaustive()
    }
}

/// Somebody with what proves that it is them; for the doors and their own pages only.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Who.
    pub user: User,
    /// Password, second factors, recovery codes.
    pub credentials: Credentials,
    /// How their passkeys name them.
    pub handle: UserHandle,
    /// When they last set a password: links and half sign-ins from before are void.
    pub password_set_at: Timestamp,
}

impl Deref for Account {
    type Target = User;

    fn deref(&self) -> &User {
        &self.user
    }
}

/// Somebody of the team with the kinds of their second factors, as the team's page shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: User,
    /// Whether they have an authenticator app.
    pub app: bool,
    /// How many passkeys they have.
    pub passkeys: usize,
}

/// Somebody who is to join.
#[derive(Debug)]
pub struct NewUser<'a> {
    /// From [`new_user_id`].
    pub id: &'a UserId,
    /// The address that the invitation goes to, and that they will sign in with.
    pub email: &'a EmailAddress,
    /// As what.
    pub role: Role,
    /// What is known of them; they can change it.
    pub profile: &'a UserProfile,
    /// When.
    pub at: Timestamp,
}

/// What became of a change to the team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeamChange {
    /// It is done, and their sessions are over.
    Done,
    /// It was done before.
    Already,
    /// It would leave nobody who may manage the team.
    LastOwner,
}

/// A new user's id: 130 random bits.
pub fn new_user_id() -> Result<UserId, Error> {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut bytes = [0; 26];
    rand::fill(&mut bytes).map_err(|_| Error::Failed { doing: "drawing an id", source: "refused".into() })?;
    let symbols = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 31)).copied().map(char::from));
    UserId::parse(&format!("u-{}", symbols.collect::<String>())).map_err(Error::failed("drawing an id"))
}

impl Store {
    /// Who signs in with this address. Anything may be asked; case and blanks around it do not matter.
    pub async fn sign_in_name(&self, email: &str) -> Result<Option<(Tenant, UserId)>, Error> {
        self.named("sign-in", &sign_in_value(email)).await
    }

    /// Whose passkeys have this handle.
    pub async fn passkey_user(&self, handle: &UserHandle) -> Result<Option<(Tenant, UserId)>, Error> {
        self.named("passkey-user", &handle.to_string()).await
    }

    async fn named(&self, kind: &str, value: &str) -> Result<Option<(Tenant, UserId)>, Error> {
        let Some(item) = self.look_up(kind, value).await? else { return Ok(None) };
        // Given back when somebody was removed, and not yet cleared away.
        if !item.contains_key("tenant") {
            return Ok(None);
        }
        Ok(Some((directory::owner(&item)?, get_parsed(&item, "user", |user| UserId::parse(user).ok())?)))
    }
}

impl TenantStore<'_> {
    /// Somebody with their credentials, whatever their state.
    pub async fn user(&self, id: &UserId) -> Result<Option<Account>, Error> {
        let got = self
            .store
            .dynamodb
            .get_item()
            .table_name(self.store.accounts_table()?)
            .key("pk", text(self.tenant.id().as_str()))
            .key("sk", text(user_key(id)))
            .consistent_read(true);
        // At the same time: a tenant's keys are often not at hand when somebody signs in.
        let (got, keys) = futures::join!(got.send(), self.keys());
        let got = got.map_err(|error| Error::failed("reading a user")(error.into_service_error()))?;
        let keys = keys?;
        got.item.as_ref().map(|item| self.read_account(&keys, item)).transpose()
    }

    /// The whole team, without those who were removed, in the order of their ids.
    pub async fn users(&self) -> Result<Vec<User>, Error> {
        let users = self.everybody().await?;
        Ok(users.into_iter().filter(|user| user.state != UserState::Removed).collect())
    }

    /// Everybody who ever was in the team: what they did is kept under their ids.
    pub async fn everybody(&self) -> Result<Vec<User>, Error> {
        let keys = self.keys().await?;
        self.user_items().await?.iter().map(|item| self.read_user(&keys, item)).collect()
    }

    /// The team with how each of them signs in: nothing that proves anything.
    pub async fn team(&self) -> Result<Vec<Member>, Error> {
        let keys = self.keys().await?;
        let accounts = self.user_items().await?;
        let accounts = accounts.iter().map(|item| self.read_account(&keys, item)).collect::<Result<Vec<_>, _>>()?;
        let there = accounts.into_iter().filter(|account| account.state != UserState::Removed);
        Ok(there
            .map(|account| Member {
                app: account.credentials.totp.is_some(),
                passkeys: account.credentials.passkeys.len(),
                user: account.user,
            })
            .collect())
    }

    async fn user_items(&self) -> Result<Vec<Item>, Error> {
        let mut items = vec![];
        let mut from = None;
        loop {
            let page = self
                .store
                .dynamodb
                .query()
                .table_name(self.store.accounts_table()?)
                .key_condition_expression("pk = :pk AND begins_with(sk, :user)")
                .expression_attribute_values(":pk", text(self.tenant.id().as_str()))
                .expression_attribute_values(":user", text("user#"))
                .consistent_read(true)
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|error| Error::failed("reading the team")(error.into_service_error()))?;
            items.extend(page.items.unwrap_or_default());
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(items);
            }
        }
    }

    /// Enters somebody who is to join. `Conflict` where the address is somebody's already, of any tenant.
    pub async fn invite_user(&self, new: &NewUser<'_>, entry: &Entry) -> Result<(), Error> {
        let keys = self.keys().await?;
        let handle = UserHandle::new().map_err(Error::failed("drawing a passkey handle"))?;
        let (pk, sk) = (self.tenant.id().as_str(), user_key(new.id));
        let seal = |attribute, value: &[u8]| seal(&keys, pk, &sk, attribute, value);
        let put = Put::builder()
            .table_name(self.store.accounts_table()?)
            .item("pk", text(pk))
            .item("sk", text(&sk))
            .item("role", text(new.role.code()))
            .item("state", text(UserState::Invited.code()))
            .item("email", seal("email", new.email.as_str().as_bytes())?)
            .item("profile", seal("profile", &json(new.profile)?)?)
            .item("credentials", seal("credentials", &json(&Credentials::default())?)?)
            .item("handle", text(handle.to_string()))
            .item("invited_at", number(new.at.as_second()))
            .item("password_set_at", number(0))
            .item("version", number(1))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(Error::failed("writing a user"))?;
        let changes = [
            TransactWriteItem::builder().put(put).build(),
            self.claim_name("sign-in", &new.email.normalized(), new.id)?,
            self.claim_name("passkey-user", &handle.to_string(), new.id)?,
        ];
        match self.write_audited(&changes, entry).await? {
            Written::Done => Ok(()),
            Written::Refused(_) => Err(Error::Conflict),
        }
    }

    /// Keeps changed credentials together with the entry that tells why. `Conflict` where the account has changed since
    /// it was read: a one-time code that two use at once is good for one of them.
    pub async fn save_credentials(
        &self,
        account: &Account,
        credentials: &Credentials,
        entry: &Entry,
    ) -> Result<(), Error> {
        let change = UserChange::of(account).credentials(credentials);
        self.write_user(&change, vec![], entry).await
    }

    /// Keeps credentials with a new password, set now.
    pub async fn save_password(
        &self,
        account: &Account,
        credentials: &Credentials,
        at: Timestamp,
        entry: &Entry,
    ) -> Result<(), Error> {
        let change = UserChange::of(account).credentials(credentials).password_set(at);
        self.write_user(&change, vec![], entry).await
    }

    /// The same by a link from a mail, which is used up in the same moment. `NotFound` where it was used already.
    pub async fn save_password_by_link(
        &self,
        account: &Account,
        credentials: &Credentials,
        token: &str,
        at: Timestamp,
        entry: &Entry,
    ) -> Result<(), Error> {
        let change = UserChange::of(account).credentials(credentials).password_set(at);
        let link = link_update(self.store, Link::Reset, token, at)?;
        self.write_user(&change, vec![(link, Error::NotFound)], entry).await
    }

    /// Lets somebody in who was invited and now has a password and a second factor; their link is used up in the same
    /// moment. `NotFound` where it was used already.
    pub async fn activate_user(
        &self,
        account: &Account,
        profile: &UserProfile,
        credentials: &Credentials,
        token: &str,
        at: Timestamp,
        entry: &Entry,
    ) -> Result<(), Error> {
        if account.state != UserState::Invited || !credentials.is_complete() {
            return Err(Error::NotFound);
        }
        let change =
            UserChange::of(account).credentials(credentials).profile(profile).password_set(at).state(UserState::Active);
        let mut others = vec![(link_update(self.store, Link::Invitation, token, at)?, Error::NotFound)];
        if account.role == Role::Owner {
            others.push((self.one_owner_more()?, Error::Conflict));
        }
        self.write_user(&change, others, entry).await
    }

    /// Keeps what somebody says of themselves.
    pub async fn save_profile(&self, user: &User, profile: &UserProfile, entry: &Entry) -> Result<(), Error> {
        let change = UserChange::of(user).profile(profile);
        self.write_user(&change, vec![], entry).await
    }

    /// Makes somebody something else, and ends their sessions. `NotFound` where nobody is there any more.
    pub async fn set_role(&self, id: &UserId, role: Role, entry: &Entry) -> Result<TeamChange, Error> {
        for _ in 0..TRIES {
            let user = self.team_member(id).await?;
            if user.role == role {
                return Ok(TeamChange::Already);
            }
            let change = UserChange::of(&user).role(role);
            let counted = user.state == UserState::Active;
            let owners = match (user.role, role) {
                (Role::Owner, _) if counted => vec![(self.one_owner_less()?, Error::NotFound)],
                (_, Role::Owner) if counted => vec![(self.one_owner_more()?, Error::Conflict)],
                _ => vec![],
            };
            match self.write_user(&change, owners, entry).await {
                Ok(()) => {
                    self.end_sessions(id, None).await?;
                    return Ok(TeamChange::Done);
                }
                Err(Error::NotFound) => return Ok(TeamChange::LastOwner),
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Conflict)
    }

    /// Takes somebody out of the team: their credentials are gone, their address is free for another, their sessions
    /// are over. What they did stays under their id. `NotFound` where nobody is there any more.
    pub async fn remove_user(&self, id: &UserId, at: Timestamp, entry: &Entry) -> Result<TeamChange, Error> {
        for _ in 0..TRIES {
            let account = self.user(id).await?.ok_or(Error::NotFound)?;
            if account.state == UserState::Removed {
                return Err(Error::NotFound);
            }
            let nothing = Credentials::default();
            let change = UserChange::of(&account).credentials(&nothing).state(UserState::Removed);
            let mut others = vec![
                (self.free_name("sign-in", &account.email.normalized(), id, at)?, Error::Conflict),
                (self.free_name("passkey-user", &account.handle.to_string(), id, at)?, Error::Conflict),
            ];
            if account.role == Role::Owner && account.state == UserState::Active {
                others.push((self.one_owner_less()?, Error::NotFound));
            }
            match self.write_user(&change, others, entry).await {
                Ok(()) => {
                    self.end_sessions(id, None).await?;
                    return Ok(TeamChange::Done);
                }
                Err(Error::NotFound) => return Ok(TeamChange::LastOwner),
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Conflict)
    }

    async fn team_member(&self, id: &UserId) -> Result<User, Error> {
        let account = self.user(id).await?.ok_or(Error::NotFound)?;
        if account.state == UserState::Removed { Err(Error::NotFound) } else { Ok(account.user) }
    }

    /// Writes a change of a user with others, each with the error that its refusal means.
    async fn write_user(
        &self,
        change: &UserChange<'_>,
        others: Vec<(TransactWriteItem, Error)>,
        entry: &Entry,
    ) -> Result<(), Error> {
        let mut writes = vec![change.write(self, &*self.keys().await?)?];
        let mut refusals = vec![Error::Conflict];
        for (write, refusal) in others {
            writes.push(write);
            refusals.push(refusal);
        }
        match self.write_audited(&writes, entry).await? {
            Written::Done => Ok(()),
            Written::Refused(reasons) => {
                let refused = |code: Option<&str>| code == Some("ConditionalCheckFailed");
                // The user's own version first: whoever was too late tries again and learns the rest.
                let first = reasons.iter().zip(refusals).find(|(reason, _)| refused(reason.code()));
                Err(first.map_or(Error::Conflict, |(_, error)| error))
            }
        }
    }

    fn one_owner_more(&self) -> Result<TransactWriteItem, Error> {
        let update = self.team_update()?.update_expression("ADD owners :one");
        built(update.expression_attribute_values(":one", number(1)))
    }

    fn one_owner_less(&self) -> Result<TransactWriteItem, Error> {
        let update = self
            .team_update()?
            .update_expression("ADD owners :less")
            .condition_expression("owners >= :two")
            .expression_attribute_values(":less", number(-1))
            .expression_attribute_values(":two", number(2));
        built(update)
    }

    fn team_update(&self) -> Result<aws_sdk_dynamodb::types::builders::UpdateBuilder, Error> {
        Ok(Update::builder()
            .table_name(self.store.accounts_table()?)
            .key("pk", text(self.tenant.id().as_str()))
            .key("sk", text("team")))
    }

    fn claim_name(&self, kind: &str, value: &str, user: &UserId) -> Result<TransactWriteItem, Error> {
        let put = Put::builder()
            .table_name(self.store.directory_table()?)
            .item("pk", text(directory::key(kind, value)))
            .item("tenant", text(self.tenant.id().as_str()))
            .item("user", text(user.as_str()))
            .condition_expression("attribute_not_exists(tenant)")
            .build()
            .map_err(Error::failed("writing the directory"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Gives an entry back: no function may delete, so it is emptied and ends by itself.
    fn free_name(&self, kind: &str, value: &str, user: &UserId, at: Timestamp) -> Result<TransactWriteItem, Error> {
        let update = Update::builder()
            .table_name(self.store.directory_table()?)
            .key("pk", text(directory::key(kind, value)))
            .update_expression("SET expires_at = :now REMOVE tenant, #user")
            .condition_expression("tenant = :tenant AND #user = :user")
            .expression_attribute_names("#user", "user")
            .expression_attribute_values(":now", number(at.as_second()))
            .expression_attribute_values(":tenant", text(self.tenant.id().as_str()))
            .expression_attribute_values(":user", text(user.as_str()));
        built(update)
    }

    fn read_user(&self, keys: &TenantKeys, item: &Item) -> Result<User, Error> {
        let (pk, sk) = (self.tenant.id().as_str(), get_text(item, "sk")?);
        let email = open(keys, pk, sk, item, "email")?;
        let email = str::from_utf8(&email).ok().and_then(|email| EmailAddress::parse(email).ok());
        Ok(User {
            id: sk.strip_prefix("user#").and_then(|id| UserId::parse(id).ok()).ok_or_else(|| damaged("sk"))?,
            email: email.ok_or_else(|| damaged("email"))?,
            role: get_parsed(item, "role", Role::parse)?,
            state: get_parsed(item, "state", UserState::parse)?,
            profile: read_json(&open(keys, pk, sk, item, "profile")?)?,
            invited_at: get_seconds(item, "invited_at")?,
            version: get_number(item, "version")?,
        })
    }

    fn read_account(&self, keys: &TenantKeys, item: &Item) -> Result<Account, Error> {
        let (pk, sk) = (self.tenant.id().as_str(), get_text(item, "sk")?);
        Ok(Account {
            user: self.read_user(keys, item)?,
            credentials: read_json(&open(keys, pk, sk, item, "credentials")?)?,
            handle: get_parsed(item, "handle", |handle| handle.parse().ok())?,
            password_set_at: get_seconds(item, "password_set_at")?,
        })
    }
}

/// What is to change of a user's item.
struct UserChange<'a> {
    user: &'a User,
    role: Option<Role>,
    state: Option<UserState>,
    profile: Option<&'a UserProfile>,
    credentials: Option<&'a Credentials>,
    password_set: Option<Timestamp>,
}

impl<'a> UserChange<'a> {
    fn of(user: &'a User) -> Self {
        Self { user, role: None, state: None, profile: None, credentials: None, password_set: None }
    }

    fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }

    fn state(mut self, state: UserState) -> Self {
        self.state = Some(state);
        self
    }

    fn profile(mut self, profile: &'a UserProfile) -> Self {
        self.profile = Some(profile);
        self
    }

    fn credentials(mut self, credentials: &'a Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    fn password_set(mut self, at: Timestamp) -> Self {
        self.password_set = Some(at);
        self
    }

    fn write(&self, store: &TenantStore<'_>, keys: &TenantKeys) -> Result<TransactWriteItem, Error> {
        let (pk, sk) = (store.tenant.id().as_str(), user_key(&self.user.id));
        let sealed = |attribute, value: Vec<u8>| seal(keys, pk, &sk, attribute, &value);
        let mut sets = vec![("version", number(self.user.version + 1))];
        sets.extend(self.role.map(|role| ("role", text(role.code()))));
        sets.extend(self.state.map(|state| ("state", text(state.code()))));
        sets.extend(self.password_set.map(|at| ("password_set_at", number(at.as_second()))));
        if let Some(profile) = self.profile {
            sets.push(("profile", sealed("profile", json(profile)?)?));
        }
        if let Some(credentials) = self.credentials {
            sets.push(("credentials", sealed("credentials", json(credentials)?)?));
        }
        let expression: Vec<String> = sets.iter().map(|(name, _)| format!("#{name} = :{name}")).collect();
        let mut update = Update::builder()
            .table_name(store.store.accounts_table()?)
            .key("pk", text(pk))
            .key("sk", text(&sk))
            .update_expression(format!("SET {}", expression.join(", ")))
            .condition_expression("#version = :read")
            .expression_attribute_values(":read", number(self.user.version));
        for (name, value) in sets {
            update = update
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), value);
        }
        built(update)
    }
}

fn built(update: aws_sdk_dynamodb::types::builders::UpdateBuilder) -> Result<TransactWriteItem, Error> {
    let update = update.build().map_err(Error::failed("writing a change"))?;
    Ok(TransactWriteItem::builder().update(update).build())
}

fn user_key(id: &UserId) -> String {
    format!("user#{id}")
}

fn sign_in_value(email: &str) -> String {
    // As addresses are stored, where it is one; else it is nobody's, and looked up all the same.
    EmailAddress::parse(email).map_or_else(|_| email.trim().to_lowercase(), |email| email.normalized())
}

fn place<'a>(pk: &'a str, sk: &'a str, attribute: &'static str) -> Place<'a> {
    Place { table: "accounts", pk, sk, attribute }
}

fn seal(keys: &TenantKeys, pk: &str, sk: &str, attribute: &'static str, value: &[u8]) -> Result<AttributeValue, Error> {
    let sealed = keys.seal(&SubjectSalt::of_place(pk, sk), place(pk, sk, attribute), value)?;
    Ok(AttributeValue::B(Blob::new(sealed)))
}

fn open(
    keys: &TenantKeys,
    pk: &str,
    sk: &str,
    item: &Item,
    attribute: &'static str,
) -> Result<zeroize::Zeroizing<Vec<u8>>, Error> {
    let sealed = item.get(attribute).and_then(|value| value.as_b().ok()).ok_or_else(|| damaged(attribute))?;
    keys.open(&SubjectSalt::of_place(pk, sk), place(pk, sk, attribute), sealed.as_ref())
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(Error::failed("writing a user"))
}

fn read_json<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    // The cause could quote what it read.
    serde_json::from_slice(text).map_err(|_| damaged("user"))
}

fn get_number(item: &Item, name: &'static str) -> Result<u64, Error> {
    item.get(name).and_then(|value| value.as_n().ok()?.parse().ok()).ok_or_else(|| damaged(name))
}

fn get_seconds(item: &Item, name: &'static str) -> Result<Timestamp, Error> {
    let seconds = item.get(name).and_then(|value| value.as_n().ok()?.parse().ok());
    seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).ok_or_else(|| damaged(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_whatever_case_it_is_typed() {
        assert_eq!(sign_in_value(" Ana@Shop.EXAMPLE "), "ana@shop.example");
        assert_eq!(sign_in_value(" Nobody Ö "), "nobody ö");
    }

    #[test]
    fn a_new_id_reads_back_and_is_new() {
        let (one, other) = (new_user_id().unwrap(), new_user_id().unwrap());
        assert_ne!(one, other);
        assert_eq!(UserId::parse(one.as_str()), Ok(one));
    }
}
