//! Who is signed in, and what a handler needs of them.
//!
//! A handler says in its argument list which permission it needs: `Allowed<WorkRequests>` can only be had from a session
//! whose role has it, and for some permissions only minutes after a sign-in.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use aws_lc_rs::digest::{SHA256, digest};
use domain::language::Language;
use domain::role::{Permission, Role};
use domain::user::UserId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::seal::hex;
use crate::tenant::Tenant;
use crate::ticket::Tickets;

/// A session ends this long after its last use (NIST SP 800-63B-4, AAL2).
pub const IDLE: SignedDuration = SignedDuration::from_hours(1);
/// A session ends this long after sign-in, whatever happens.
pub const ABSOLUTE: SignedDuration = SignedDuration::from_hours(12);
/// How old a sign-in may be for a page that needs a fresh one.
const FRESH_TO_READ: SignedDuration = SignedDuration::from_mins(10);
/// How old it may be when the form of such a page comes back.
const FRESH_TO_WRITE: SignedDuration = SignedDuration::from_mins(30);

/// The hash of a session's secret id: what is stored, and what tells sessions apart on a page.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SessionId(String);

impl SessionId {
    /// From the secret that the browser holds.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(hex(digest(&SHA256, secret.as_bytes()).as_ref().iter()))
    }

    /// From a form of ours: 64 hex digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        fits.then(|| Self(text.to_owned()))
    }

    /// The hash in hex.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its first eight digits: enough for people to tell sessions apart, in the audit trail.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

/// Which sessions an account has, the oldest first; kept with the account, so that whatever changes the account can end
/// them in the same moment, and none can begin behind its back.
///
/// It may name one that has ended since. It never lacks one that has not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveSessions(Vec<Live>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Live {
    id: SessionId,
    /// In seconds since 1970.
    ends: i64,
}

impl LiveSessions {
    /// Nobody is at more browsers in half a day; the oldest session ends for one more.
    pub const MOST: usize = 20;

    /// Whether a session is among them.
    #[must_use]
    pub fn has(&self, id: &SessionId) -> bool {
        self.0.iter().any(|live| live.id == *id)
    }

    /// With one more; and those that have to end for it.
    #[must_use]
    pub fn with(&self, id: SessionId, ends: Timestamp, now: Timestamp) -> (Self, Vec<SessionId>) {
        let mut live: Vec<Live> = self.0.iter().filter(|live| live.ends > now.as_second()).cloned().collect();
        let too_many = (live.len() + 1).saturating_sub(Self::MOST);
        let ended = live.drain(..too_many).map(|live| live.id).collect();
        live.push(Live { id, ends: ends.as_second() });
        (Self(live), ended)
    }

    /// Without one.
    #[must_use]
    pub fn without(&self, id: &SessionId) -> Self {
        Self(self.0.iter().filter(|live| live.id != *id).cloned().collect())
    }

    /// Only the one that may stay, if any; and those that have to end.
    #[must_use]
    pub fn only(&self, stays: Option<&SessionId>, now: Timestamp) -> (Self, Vec<SessionId>) {
        let live = self.0.iter().filter(|live| live.ends > now.as_second()).cloned();
        let (stay, end): (Vec<Live>, Vec<Live>) = live.partition(|live| Some(&live.id) == stays);
        (Self(stay), end.into_iter().map(|live| live.id).collect())
    }
}

/// What every page shows or needs of whoever is signed in; kept sealed in the session, so that no page reads the user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Their name.
    pub user_name: String,
    /// The business's name.
    pub tenant_name: String,
    /// Their language.
    pub language: Language,
    /// The business's time zone, an IANA name.
    pub time_zone: String,
    /// The browser, as it called itself at sign-in.
    pub agent: String,
    /// The network address at sign-in.
    pub address: String,
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Card(..)")
    }
}

/// A session that was found, not idle too long and not too old.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its public name.
    pub id: SessionId,
    /// Whose data may be seen.
    pub tenant: Tenant,
    /// Who is signed in.
    pub user: UserId,
    /// As what.
    pub role: Role,
    /// What the pages show of them.
    pub card: Card,
    /// When they signed in.
    pub signed_in_at: Timestamp,
    /// When they last showed all factors.
    pub confirmed_at: Timestamp,
    /// When the session was last used.
    pub last_seen: Timestamp,
}

impl Session {
    /// The time zone in which the business counts its days.
    #[must_use]
    pub fn tz(&self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZone::get(&self.card.time_zone).unwrap_or(jiff::tz::TimeZone::UTC)
    }

    fn is_fresh(&self, at: Timestamp, writes: bool) -> bool {
        let within = if writes { FRESH_TO_WRITE } else { FRESH_TO_READ };
        at.duration_since(self.confirmed_at) <= within
    }
}

/// How long somebody may take between password and second factor.
pub const PENDING: SignedDuration = SignedDuration::from_mins(5);
/// The purpose under which a half sign-in is sealed.
const HALF: &str = "half-signed-in";

/// Somebody who has shown their password, and no second factor yet. It opens nothing; a cookie carries it, sealed, and
/// it belongs to the browser that it was given to.
#[derive(Clone, PartialEq, Eq)]
pub struct HalfSignedIn {
    /// Whose team.
    pub tenant: Tenant,
    /// Who, as far as a password tells.
    pub user: UserId,
    /// When the password was right.
    pub at: Timestamp,
    /// When that password was set: with another one, this is void.
    pub password_set_at: Timestamp,
    /// The password's hash at today's cost, where the one that is kept was made at another.
    pub rehashed: Option<String>,
    /// Where they were going.
    pub next: String,
}

impl HalfSignedIn {
    /// Seals it for a browser, which `csrf` of its visit tells from others.
    pub fn seal(&self, tickets: &Tickets, csrf: &str) -> Result<String, Error> {
        let tenant = self.tenant.id().as_str();
        let kept = (tenant, &self.user, self.at, self.password_set_at, &self.rehashed, &self.next);
        tickets.seal(HALF, csrf, self.at + PENDING, &kept)
    }

    /// Opens it: `SignedOut` where it is another browser's, or took too long.
    pub fn open(tickets: &Tickets, csrf: &str, now: Timestamp, sealed: &str) -> Result<Self, Error> {
        let opened = tickets.open::<Kept>(HALF, csrf, now, sealed);
        let (tenant, user, at, password_set_at, rehashed, next) = opened.map_err(|_| Error::SignedOut)?;
        Ok(Self { tenant: Tenant::trusted(tenant), user, at, password_set_at, rehashed, next })
    }
}

type Kept = (String, UserId, Timestamp, Timestamp, Option<String>, String);

impl fmt::Debug for HalfSignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the hash.
        f.debug_struct("HalfSignedIn").field("tenant", &self.tenant).field("user", &self.user).finish_non_exhaustive()
    }
}

/// A permission as a type.
pub trait Needs: 'static {
    /// Which.
    const PERMISSION: Permission;
}

/// See [`Permission::SeeRequests`].
#[derive(Debug, Clone, Copy)]
pub struct SeeRequests;
/// See [`Permission::WorkRequests`].
#[derive(Debug, Clone, Copy)]
pub struct WorkRequests;
/// See [`Permission::ExportRequests`].
#[derive(Debug, Clone, Copy)]
pub struct ExportRequests;
/// See [`Permission::HoldRequests`].
#[derive(Debug, Clone, Copy)]
pub struct HoldRequests;
/// See [`Permission::SeeSettings`].
#[derive(Debug, Clone, Copy)]
pub struct SeeSettings;
/// See [`Permission::EditServiceCodes`].
#[derive(Debug, Clone, Copy)]
pub struct EditServiceCodes;
/// See [`Permission::EditSettings`].
#[derive(Debug, Clone, Copy)]
pub struct EditSettings;
/// See [`Permission::ManageTeam`].
#[derive(Debug, Clone, Copy)]
pub struct ManageTeam;
/// See [`Permission::SeeAudit`].
#[derive(Debug, Clone, Copy)]
pub struct SeeAudit;
/// See [`Permission::ExportAudit`].
#[derive(Debug, Clone, Copy)]
pub struct ExportAudit;
/// See [`Permission::SeeReports`].
#[derive(Debug, Clone, Copy)]
pub struct SeeReports;
/// See [`Permission::ExportReports`].
#[derive(Debug, Clone, Copy)]
pub struct ExportReports;
/// See [`Permission::SettleUsage`].
#[derive(Debug, Clone, Copy)]
pub struct SettleUsage;
/// See [`Permission::OwnAccount`].
#[derive(Debug, Clone, Copy)]
pub struct OwnAccount;
/// See [`Permission::ChangeFactors`].
#[derive(Debug, Clone, Copy)]
pub struct ChangeFactors;

impl Needs for SeeRequests {
    const PERMISSION: Permission = Permission::SeeRequests;
}
impl Needs for WorkRequests {
    const PERMISSION: Permission = Permission::WorkRequests;
}
impl Needs for ExportRequests {
    const PERMISSION: Permission = Permission::ExportRequests;
}
impl Needs for HoldRequests {
    const PERMISSION: Permission = Permission::HoldRequests;
}
impl Needs for SeeSettings {
    const PERMISSION: Permission = Permission::SeeSettings;
}
impl Needs for EditServiceCodes {
    const PERMISSION: Permission = Permission::EditServiceCodes;
}
impl Needs for EditSettings {
    const PERMISSION: Permission = Permission::EditSettings;
}
impl Needs for ManageTeam {
    const PERMISSION: Permission = Permission::ManageTeam;
}
impl Needs for SeeAudit {
    const PERMISSION: Permission = Permission::SeeAudit;
}
impl Needs for ExportAudit {
    const PERMISSION: Permission = Permission::ExportAudit;
}
impl Needs for SeeReports {
    const PERMISSION: Permission = Permission::SeeReports;
}
impl Needs for ExportReports {
    const PERMISSION: Permission = Permission::ExportReports;
}
impl Needs for SettleUsage {
    const PERMISSION: Permission = Permission::SettleUsage;
}
impl Needs for OwnAccount {
    const PERMISSION: Permission = Permission::OwnAccount;
}
impl Needs for ChangeFactors {
    const PERMISSION: Permission = Permission::ChangeFactors;
}

/// The proof that whoever is signed in has a permission. It cannot be made from anything but a session:
///
/// ```compile_fail
/// use platform::session::{Allowed, WorkRequests};
/// fn f(session: platform::session::Session) -> Allowed<WorkRequests> {
///     Allowed { session, at: jiff::Timestamp::UNIX_EPOCH, writes: false, permission: std::marker::PhantomData }
/// }
/// ```
pub struct Allowed<P> {
    session: Session,
    at: Timestamp,
    writes: bool,
    permission: PhantomData<P>,
}

impl<P: Needs> Allowed<P> {
    /// `Forbidden` for a role without the permission, `Unconfirmed` for a sign-in that is too old for it.
    pub(crate) fn check(session: Session, at: Timestamp, writes: bool) -> Result<Self, Error> {
        if !session.role.may(P::PERMISSION) {
            return Err(Error::Forbidden { permission: P::PERMISSION });
        }
        if P::PERMISSION.fresh() && !session.is_fresh(at, writes) {
            return Err(Error::Unconfirmed);
        }
        Ok(Self { session, at, writes, permission: PhantomData })
    }

    /// The proof of a further permission, for a page whose form needs more than its reading.
    pub fn also<Q: Needs>(&self) -> Result<Allowed<Q>, Error> {
        Allowed::check(self.session.clone(), self.at, self.writes)
    }
}

impl<P> Deref for Allowed<P> {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl<P> fmt::Debug for Allowed<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Allowed").field(&self.session).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(role: Role, confirmed_minutes_ago: i64) -> (Session, Timestamp) {
        let now: Timestamp = "2026-11-22T01:00:00Z".parse().unwrap();
        let card = Card {
            user_name: "Ana".into(),
            tenant_name: "Shop".into(),
            language: Language::Spanish,
            time_zone: "America/Chicago".into(),
            agent: String::new(),
            address: String::new(),
        };
        let confirmed_at = now - SignedDuration::from_mins(confirmed_minutes_ago);
        let user = UserId::parse(&format!("u-{}", "0a".repeat(13))).unwrap();
        let session = Session {
            id: SessionId::of("secret"),
            tenant: Tenant::trusted("t-a"),
            user,
            role,
            card,
            signed_in_at: confirmed_at,
            confirmed_at,
            last_seen: now,
        };
        (session, now)
    }

    #[test]
    fn a_role_without_the_permission_is_refused_by_its_name() {
        let (viewer, now) = session(Role::Viewer, 0);
        let refused = Allowed::<WorkRequests>::check(viewer, now, true).unwrap_err();
        assert_eq!(refused.to_string(), "this needs the permission work-requests");
    }

    #[test]
    fn delicate_pages_ask_for_a_sign_in_of_the_last_minutes() {
        for (minutes, writes, fine) in [(9, false, true), (11, false, false), (29, true, true), (31, true, false)] {
            let (owner, now) = session(Role::Owner, minutes);
            assert_eq!(Allowed::<ManageTeam>::check(owner.clone(), now, writes).is_ok(), fine, "{minutes} {writes}");
            assert!(Allowed::<SeeRequests>::check(owner, now, writes).is_ok());
        }
    }

    #[test]
    fn a_further_permission_is_a_further_proof() {
        let (agent, now) = session(Role::Agent, 0);
        let may_see = Allowed::<SeeRequests>::check(agent, now, false).unwrap();
        assert!(may_see.also::<WorkRequests>().is_ok());
        assert!(may_see.also::<EditSettings>().is_err());
    }

    #[test]
    fn half_a_sign_in_belongs_to_its_browser_and_does_not_last() {
        let (owner, now) = session(Role::Owner, 0);
        let tickets = Tickets::new(&"k".repeat(64)).unwrap();
        let half = HalfSignedIn {
            tenant: owner.tenant,
            user: owner.user,
            at: now,
            password_set_at: now - SignedDuration::from_hours(1),
            rehashed: Some("$argon2id$hush".into()),
            next: "/dashboard/usage".into(),
        };
        assert!(!format!("{half:?}").contains("hush"));
        let sealed = half.seal(&tickets, "this browser").unwrap();
        let open = |csrf, at| HalfSignedIn::open(&tickets, csrf, at, &sealed).ok();
        assert_eq!(open("this browser", now + SignedDuration::from_secs(299)), Some(half));
        assert_eq!(open("this browser", now + PENDING), None);
        assert_eq!(open("another browser", now), None);
    }

    #[test]
    fn a_sessions_id_is_a_hash_and_reads_back_only_as_one() {
        let id = SessionId::of("secret");
        assert_eq!(SessionId::parse(id.as_str()), Some(id.clone()));
        assert_eq!(SessionId::parse("secret"), None);
        assert_eq!(SessionId::parse(&id.as_str().to_uppercase()), None);
    }
    #[test]
    fn sessions_that_ended_by_themselves_are_forgotten_and_the_oldest_ends_for_one_too_many() {
        let now: Timestamp = "2026-11-22T01:00:00Z".parse().unwrap();
        let ends = |n: i64| now + SignedDuration::from_mins(n);
        let id = |n: i64| SessionId::of(&n.to_string());
        let mut live = LiveSessions::default();
        for n in 1..=20 {
            let ended;
            (live, ended) = live.with(id(n), ends(n), now);
            assert_eq!(ended, []);
        }
        // All that began are there, or told to end.
        let (more, ended) = live.with(id(21), ends(21), now);
        assert_eq!(ended, [id(1)]);
        assert!(!more.has(&id(1)) && (2..=21).all(|n| more.has(&id(n))));
        let (later, ended) = live.with(id(21), ends(21), ends(3));
        assert_eq!(ended, []);
        assert!(!later.has(&id(3)) && later.has(&id(4)));
    }

    #[test]
    fn all_sessions_end_but_the_one_that_may_stay() {
        let now: Timestamp = "2026-11-22T01:00:00Z".parse().unwrap();
        let (a, b, unknown) = (SessionId::of("a"), SessionId::of("b"), SessionId::of("c"));
        let (live, _) = LiveSessions::default().with(a.clone(), now + ABSOLUTE, now);
        let (live, _) = live.with(b.clone(), now + ABSOLUTE, now);
        assert_eq!(live.only(Some(&a), now), (live.without(&b), vec![b.clone()]));
        assert_eq!(live.only(None, now), (LiveSessions::default(), vec![a.clone(), b.clone()]));
        assert_eq!(live.only(Some(&unknown), now), (LiveSessions::default(), vec![a, b]));
        let stored = serde_json::to_string(&live).unwrap();
        assert_eq!(serde_json::from_str::<LiveSessions>(&stored).unwrap(), live);
    }
}
