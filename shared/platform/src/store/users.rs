//! People who sign in: who they are, what they may do, and what proves it is them.
//!
//! | table | key | holds |
//! |---|---|---|
//! | `accounts` | tenant, `user#` id | role, state, version, live sessions, whether mail arrives; e-mail, profile and credentials, sealed |
//! | `accounts` | tenant, `team` | how many owners may sign in; never less than one once there was one |
//! | `directory` | `sign-in#` SHA-256 of the e-mail in lower case | tenant, user |
//! | `directory` | `passkey-user#` SHA-256 of the handle | tenant, user |
//!
//! Every change counts the user's version up and asks for the version that was read, so of two changes at the same
//! moment one is refused. What ends sessions ends those on the list in the same transaction. Owners are counted in the same transaction that makes or unmakes one: no order of events
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
use super::sessions::{Link, LinkOwner, NewSession, end_update, link_key, link_update};
use super::{Dead, Item, Store, TenantStore, damaged, directory, feedback, get_parsed, get_text, number, text};
use crate::Error;
use crate::seal::{Place, SubjectSalt, TenantKeys};
use crate::session::{ABSOLUTE, LiveSessions, SessionId};
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
    /// Why no mail goes to the address any more; nothing where it does.
    pub dead: Option<Dead>,
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
    /// When they last set a password: links and half sign-ins that were made under another one are void.
    pub password_set_at: Timestamp,
    /// Where they are signed in.
    pub live: LiveSessions,
    /// Names the one invitation that is good: the newest. None where none was made.
    pub invitation: Option<String>,
}

impl Account {
    /// Whether an invitation's token opens this account: nobody has, and it is the newest.
    #[must_use]
    pub fn is_invited_by(&self, token: &str) -> bool {
        self.state == UserState::Invited && self.invitation == Some(link_key(token))
    }

    /// Whether a reset's link may still replace the password: it is the one of when the link was made.
    #[must_use]
    pub fn is_reset_by(&self, link: &LinkOwner) -> bool {
        self.state == UserState::Active && link.password_set_at == Some(self.password_set_at)
    }
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
        self.named("sign-in", &sign_in_form(email)).await
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

    pub(super) async fn user_items(&self) -> Result<Vec<Item>, Error> {
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
    /// it was read.
    pub async fn save_credentials(
        &self,
        account: &Account,
        credentials: &Credentials,
        entry: &Entry,
    ) -> Result<(), Error> {
        let change = UserChange::of(account).credentials(credentials);
        self.write_user(&change, vec![], entry).await
    }

    /// The same where a factor is gone or another, and ends all sessions but the one at hand: `SignedOut` where that one
    /// has ended.
    pub async fn replace_factors(
        &self,
        account: &Account,
        credentials: &Credentials,
        stays: &SessionId,
        entry: &Entry,
    ) -> Result<(), Error> {
        let change = UserChange::of(account).credentials(credentials).ends_all_but(stays, entry.at)?;
        self.write_user(&change, vec![], entry).await
    }

    /// The same with a new password, set now.
    pub async fn save_password(
        &self,
        account: &Account,
        credentials: &Credentials,
        stays: &SessionId,
        entry: &Entry,
    ) -> Result<(), Error> {
        let change = UserChange::of(account).credentials(credentials).password_set(entry.at);
        self.write_user(&change.ends_all_but(stays, entry.at)?, vec![], entry).await
    }

    /// The same by a link from a mail, which is used up in the same moment, and ends all sessions. `NotFound` where the
    /// link was used already, or made for an older password.
    pub async fn save_password_by_link(
        &self,
        account: &Account,
        credentials: &Credentials,
        token: &str,
        entry: &Entry,
    ) -> Result<(), Error> {
        let change = UserChange::of(account).credentials(credentials).password_set(entry.at).ends_all(entry.at);
        let link = link_update(self.store, Link::Reset, token, Some(account.password_set_at), entry.at)?;
        self.write_user(&change, vec![(link, Error::NotFound)], entry).await
    }

    /// Lets somebody in who was invited and now has a password and a second factor; their link is used up, and their
    /// session begins, in the same moment. Returns the secret for the browser's cookie. `NotFound` where the link was used
    /// already or is not the newest.
    pub async fn activate_user(
        &self,
        account: &Account,
        profile: &UserProfile,
        credentials: &Credentials,
        token: &str,
        new: &NewSession<'_>,
        entry: &Entry,
    ) -> Result<String, Error> {
        if !account.is_invited_by(token) || !credentials.is_complete() {
            return Err(Error::NotFound);
        }
        let beginning = self.beginning(account, new, new.at)?;
        let change = UserChange::of(account)
            .credentials(credentials)
            .profile(profile)
            .password_set(new.at)
            .state(UserState::Active)
            .begins(&beginning.id, new.at);
        let link = link_update(self.store, Link::Invitation, token, None, new.at)?;
        let mut others = vec![(link, Error::NotFound), (beginning.put, Error::Conflict)];
        if account.role == Role::Owner {
            others.push((self.one_owner_more()?, Error::Conflict));
        }
        self.write_user(&change, others, entry).await?;
        Ok(beginning.secret)
    }

    /// Keeps what somebody says of themselves.
    pub async fn save_profile(&self, account: &Account, profile: &UserProfile, entry: &Entry) -> Result<(), Error> {
        let change = UserChange::of(account).profile(profile);
        self.write_user(&change, vec![], entry).await
    }

    /// Makes somebody something else, and ends their sessions. `NotFound` where nobody is there any more.
    pub async fn set_role(&self, id: &UserId, role: Role, entry: &Entry) -> Result<TeamChange, Error> {
        for _ in 0..TRIES {
            let user = self.team_member(id).await?;
            if user.role == role {
                return Ok(TeamChange::Already);
            }
            let change = UserChange::of(&user).role(role).ends_all(entry.at);
            let counted = user.state == UserState::Active;
            let owners = match (user.role, role) {
                (Role::Owner, _) if counted => vec![(self.one_owner_less()?, Error::NotFound)],
                (_, Role::Owner) if counted => vec![(self.one_owner_more()?, Error::Conflict)],
                _ => vec![],
            };
            match self.write_user(&change, owners, entry).await {
                Ok(()) => return Ok(TeamChange::Done),
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
            let account = self.team_member(id).await?;
            let nothing = Credentials::default();
            let change = UserChange::of(&account).credentials(&nothing).state(UserState::Removed).ends_all(at);
            let mut others = vec![
                (self.free_name("sign-in", &account.email.normalized(), id, at)?, Error::Conflict),
                (self.free_name("passkey-user", &account.handle.to_string(), id, at)?, Error::Conflict),
            ];
            if account.role == Role::Owner && account.state == UserState::Active {
                others.push((self.one_owner_less()?, Error::NotFound));
            }
            match self.write_user(&change, others, entry).await {
                Ok(()) => return Ok(TeamChange::Done),
                Err(Error::NotFound) => return Ok(TeamChange::LastOwner),
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Conflict)
    }

    async fn team_member(&self, id: &UserId) -> Result<Account, Error> {
        let account = self.user(id).await?.ok_or(Error::NotFound)?;
        if account.state == UserState::Removed { Err(Error::NotFound) } else { Ok(account) }
    }

    /// Writes a change of a user with others, each with the error that its refusal means, and ends the sessions that the
    /// change ends: all of it, or nothing.
    pub(super) async fn write_user(
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
        for id in &change.ended {
            writes.push(end_update(self.store, id, entry.at)?);
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

    pub(super) fn read_user(&self, keys: &TenantKeys, item: &Item) -> Result<User, Error> {
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
            dead: feedback::dead(item)?,
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
            live: match item.get("live") {
                Some(_) => read_json(get_text(item, "live")?.as_bytes())?,
                None => LiveSessions::default(),
            },
            invitation: item.get("invitation").and_then(|value| value.as_s().ok()).cloned(),
        })
    }
}

/// Names an invitation's link as the one that is good. It counts the version up: whoever is about to accept an older one
/// is too late.
pub(super) fn link_given(store: &TenantStore<'_>, user: &UserId, token: &str) -> Result<TransactWriteItem, Error> {
    let update = Update::builder()
        .table_name(store.store.accounts_table()?)
        .key("pk", text(store.tenant.id().as_str()))
        .key("sk", text(user_key(user)))
        .update_expression("SET invitation = :link ADD #version :one")
        .condition_expression("#state = :invited")
        .expression_attribute_names("#state", "state")
        .expression_attribute_names("#version", "version")
        .expression_attribute_values(":link", text(link_key(token)))
        .expression_attribute_values(":one", number(1))
        .expression_attribute_values(":invited", text(UserState::Invited.code()));
    built(update)
}

/// What is to change of a user's item.
pub(super) struct UserChange<'a> {
    account: &'a Account,
    role: Option<Role>,
    state: Option<UserState>,
    profile: Option<&'a UserProfile>,
    credentials: Option<&'a Credentials>,
    password_set: Option<Timestamp>,
    live: Option<LiveSessions>,
    /// The sessions that end with it.
    ended: Vec<SessionId>,
}

impl<'a> UserChange<'a> {
    pub(super) fn of(account: &'a Account) -> Self {
        Self {
            account,
            role: None,
            state: None,
            profile: None,
            credentials: None,
            password_set: None,
            live: None,
            ended: vec![],
        }
    }

    /// A session begins now.
    pub(super) fn begins(self, id: &SessionId, now: Timestamp) -> Self {
        let left = self.account.live.with(id.clone(), now + ABSOLUTE, now);
        self.leaves(left)
    }

    /// A session goes on under another id. The caller ends the old one.
    pub(super) fn replaces(self, old: &SessionId, id: &SessionId, ends: Timestamp, now: Timestamp) -> Self {
        let left = self.account.live.without(old).with(id.clone(), ends, now);
        self.leaves(left)
    }

    /// A session has ended.
    pub(super) fn forgets(self, id: &SessionId) -> Self {
        let left = (self.account.live.without(id), vec![]);
        self.leaves(left)
    }

    /// All sessions end but the one at hand: `SignedOut` where that one has ended, for it may not speak any more.
    pub(super) fn ends_all_but(self, stays: &SessionId, now: Timestamp) -> Result<Self, Error> {
        if !self.account.live.has(stays) {
            return Err(Error::SignedOut);
        }
        let left = self.account.live.only(Some(stays), now);
        Ok(self.leaves(left))
    }

    fn ends_all(self, now: Timestamp) -> Self {
        let left = self.account.live.only(None, now);
        self.leaves(left)
    }

    fn leaves(mut self, (live, ended): (LiveSessions, Vec<SessionId>)) -> Self {
        self.live = Some(live);
        self.ended = ended;
        self
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

    pub(super) fn credentials(mut self, credentials: &'a Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    fn password_set(mut self, at: Timestamp) -> Self {
        self.password_set = Some(at);
        self
    }

    fn write(&self, store: &TenantStore<'_>, keys: &TenantKeys) -> Result<TransactWriteItem, Error> {
        let (pk, sk) = (store.tenant.id().as_str(), user_key(&self.account.id));
        let sealed = |attribute, value: Vec<u8>| seal(keys, pk, &sk, attribute, &value);
        let mut sets = vec![("version", number(self.account.version + 1))];
        sets.extend(self.role.map(|role| ("role", text(role.code()))));
        sets.extend(self.state.map(|state| ("state", text(state.code()))));
        sets.extend(self.password_set.map(|at| ("password_set_at", number(at.as_second()))));
        if let Some(live) = &self.live {
            let live = serde_json::to_string(live).map_err(Error::failed("writing a user"))?;
            sets.push(("live", text(live)));
        }
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
            .expression_attribute_values(":read", number(self.account.version));
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

pub(super) fn user_key(id: &UserId) -> String {
    format!("user#{id}")
}

/// The one form of an address, however it is spelled: under which it is looked up, and under which tries are counted.
#[must_use]
pub fn sign_in_form(email: &str) -> String {
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

    fn account(live: LiveSessions) -> Account {
        let user = User {
            id: new_user_id().unwrap(),
            email: EmailAddress::parse("ana@shop.example").unwrap(),
            role: Role::Owner,
            state: UserState::Active,
            profile: UserProfile {
                name: "Ana".into(),
                language: domain::language::Language::English,
                preferences: domain::user::Preferences::default(),
            },
            invited_at: Timestamp::UNIX_EPOCH,
            dead: None,
            version: 7,
        };
        Account {
            user,
            credentials: Credentials::default(),
            handle: UserHandle::from_bytes([7; 16]),
            password_set_at: at(0),
            live,
            invitation: None,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_291_200 + seconds).unwrap()
    }

    #[test]
    fn an_address_has_one_form_however_it_is_spelled() {
        for spelled in [
            " Ana@Shop.EXAMPLE ",
            "ana@sh\u{ad}op.example",
            "ana@sh\u{200b}op.example",
            "ana@\u{ff53}\u{ff48}\u{ff4f}\u{ff50}.example",
            "ANA@shop\u{3002}example",
            "ana@sho\u{2060}p.exam\u{fe0f}ple",
        ] {
            assert_eq!(sign_in_form(spelled), "ana@shop.example", "{spelled:?}");
        }
        assert_eq!(sign_in_form(" Nobody Ö "), "nobody ö");
    }

    #[test]
    fn what_ends_sessions_ends_all_of_the_list_and_only_a_live_session_may_ask_for_it() {
        let (a, b) = (SessionId::of("a"), SessionId::of("b"));
        let (live, _) = LiveSessions::default().with(a.clone(), at(100), at(0));
        let (live, _) = live.with(b.clone(), at(100), at(0));
        let account = account(live.clone());
        let all = UserChange::of(&account).ends_all(at(1));
        assert_eq!((all.live, all.ended), (Some(LiveSessions::default()), vec![a.clone(), b.clone()]));
        let others = UserChange::of(&account).ends_all_but(&a, at(1)).unwrap();
        assert_eq!((others.live, others.ended), (Some(live.without(&b)), vec![b.clone()]));
        let refused = UserChange::of(&account).ends_all_but(&SessionId::of("c"), at(1));
        assert!(matches!(refused, Err(Error::SignedOut)));
    }

    #[test]
    fn a_session_that_goes_on_under_another_id_takes_its_place_and_its_end() {
        let (old, new) = (SessionId::of("old"), SessionId::of("new"));
        let (live, _) = LiveSessions::default().with(old.clone(), at(100), at(0));
        let account = account(live);
        let change = UserChange::of(&account).replaces(&old, &new, at(100), at(50));
        let (expected, _) = LiveSessions::default().with(new, at(100), at(0));
        // The old one is ended by the caller, on the condition that it is still there.
        assert_eq!((change.live, change.ended), (Some(expected), vec![]));
    }

    #[test]
    fn only_the_newest_invitation_opens_an_account_and_only_one_that_nobody_has() {
        let mut account = account(LiveSessions::default());
        account.user.state = UserState::Invited;
        assert!(!account.is_invited_by("first"));
        account.invitation = Some(link_key("second"));
        assert!(account.is_invited_by("second") && !account.is_invited_by("first"));
        account.user.state = UserState::Active;
        assert!(!account.is_invited_by("second"));
    }

    #[test]
    fn a_reset_replaces_the_password_that_it_was_made_for_and_no_other() {
        let mut account = account(LiveSessions::default());
        let link = LinkOwner {
            tenant: Tenant::platform(),
            user: account.id.clone(),
            made_at: at(10),
            password_set_at: Some(at(0)),
        };
        assert!(account.is_reset_by(&link));
        assert!(!account.is_reset_by(&LinkOwner { password_set_at: None, ..link.clone() }));
        // Also where another password was set before the link was made, by the clock of another function.
        account.password_set_at = at(5);
        assert!(!account.is_reset_by(&link));
        account.password_set_at = at(0);
        account.user.state = UserState::Removed;
        assert!(!account.is_reset_by(&link));
    }

    #[test]
    fn a_new_id_reads_back_and_is_new() {
        let (one, other) = (new_user_id().unwrap(), new_user_id().unwrap());
        assert_ne!(one, other);
        assert_eq!(UserId::parse(one.as_str()), Ok(one));
    }
}
