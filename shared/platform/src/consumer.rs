//! Consumers on the pages of their request: who has looked one up, and who has shown that it is theirs.
//!
//! Both are tickets in cookies of half an hour, which a proof counts anew with each page of the request, for four hours at most: nobody has an account, nothing is in an address, and whoever looks up a
//! number that is nobody's holds the same kind of ticket as everybody else.

use std::fmt;

use domain::reference::Reference;
use domain::request::Actor;
use domain::service_code::ServiceCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::edge::{CASE, Page, Visit};
use crate::tenant::Tenant;
use crate::ticket::random_token;
use crate::{App, Error};

/// How long a look, and a proof, lasts.
pub const LIVES: SignedDuration = SignedDuration::from_mins(30);
/// How long a proof is renewed by looking at the request.
pub const ABSOLUTE: SignedDuration = SignedDuration::from_hours(4);
/// Holds the ticket of somebody who looked a request up.
const LOOK: &str = "__Host-status";
/// The purposes of the tickets.
const LOOKED_UP: &str = "looked-up";
const PROVEN: &str = "case";

/// Where somebody can be reached, who gave it with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contact {
    /// At an e-mail address.
    Email,
    /// At a telephone number.
    Phone,
    /// At the e-mail address of an authorized agent: what is shown by it is the agent's, not the person's.
    Agent,
}

impl Contact {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Email, Self::Phone, Self::Agent];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Agent => "agent",
        }
    }

    /// Who does something that was shown to be theirs by this.
    #[must_use]
    pub const fn actor(self) -> Actor {
        match self {
            Self::Email | Self::Phone => Actor::Consumer,
            Self::Agent => Actor::AuthorizedAgent,
        }
    }

    /// The one with this stored name.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// What a ticket holds.
#[derive(Serialize, Deserialize)]
struct Held {
    tenant: String,
    code: ServiceCode,
    reference: Reference,
    /// Tells this browser's look from any other.
    id: String,
    by: Option<Contact>,
    /// Until when looking renews it.
    until: Option<Timestamp>,
}

/// A request that somebody looked up by its numbers. Whether there is one, looking tells.
#[derive(Clone, PartialEq, Eq)]
pub struct LookedUp {
    /// Whose it would be.
    pub tenant: Tenant,
    /// The service code that was given with it.
    pub code: ServiceCode,
    /// Its number.
    pub reference: Reference,
    id: String,
}

/// Proof that somebody reads what is sent to the contact of a request.
#[derive(Clone, PartialEq, Eq)]
pub struct Proven {
    /// Whose request it is.
    pub tenant: Tenant,
    /// The service code under which it was looked up.
    pub code: ServiceCode,
    /// Its number.
    pub reference: Reference,
    /// What was shown to be theirs.
    pub by: Contact,
    id: String,
    until: Timestamp,
}

impl fmt::Debug for LookedUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LookedUp").field("code", &self.code).finish_non_exhaustive()
    }
}

impl fmt::Debug for Proven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proven").field("code", &self.code).field("by", &self.by).finish_non_exhaustive()
    }
}

impl LookedUp {
    /// By its numbers. What belongs to no tenant is looked for where nothing is, so that it takes as long.
    pub fn new(tenant: Option<Tenant>, code: ServiceCode, reference: Reference) -> Result<Self, Error> {
        Ok(Self { tenant: tenant.unwrap_or_else(Tenant::platform), code, reference, id: random_token()? })
    }

    /// What a code that is sent for this look opens.
    #[must_use]
    pub fn opens(&self) -> String {
        format!("{} {} {}", self.tenant.id(), self.reference.as_str(), self.id)
    }

    /// What is counted for the request, whoever looks.
    #[must_use]
    pub fn request(&self) -> String {
        format!("{} {}", self.tenant.id(), self.reference.as_str())
    }
}

impl Proven {
    /// What ties a sealed link of the request's page to this proof.
    #[must_use]
    pub fn context(&self) -> String {
        format!("{} {} {}", self.tenant.id(), self.reference.as_str(), self.id)
    }
}

impl App {
    /// Has the browser remember what it looked up.
    pub async fn remember_look(&self, page: Page, look: &LookedUp, at: Timestamp) -> Result<Page, Error> {
        let held = Held {
            tenant: look.tenant.id().as_str().to_owned(),
            code: look.code.clone(),
            reference: look.reference.clone(),
            id: look.id.clone(),
            by: None,
            until: None,
        };
        let ticket = self.tickets().await?.seal(LOOKED_UP, "", at + LIVES, &held)?;
        Ok(page.with_cookie(LOOK, &ticket, LIVES))
    }

    /// What the browser looked up; nothing where it did not, or too long ago.
    pub async fn look(&self, visit: &Visit) -> Result<Option<LookedUp>, Error> {
        let Some(ticket) = visit.cookie(LOOK) else { return Ok(None) };
        let held: Option<Held> = self.tickets().await?.open(LOOKED_UP, "", visit.at, ticket).ok();
        Ok(held.map(|held| LookedUp {
            tenant: Tenant::trusted(held.tenant),
            code: held.code,
            reference: held.reference,
            id: held.id,
        }))
    }

    /// Has the browser hold the proof that a request is theirs.
    pub async fn prove(&self, page: Page, look: &LookedUp, by: Contact, at: Timestamp) -> Result<Page, Error> {
        let held = Held {
            tenant: look.tenant.id().as_str().to_owned(),
            code: look.code.clone(),
            reference: look.reference.clone(),
            // Another one for each proof: links of an earlier page end with it.
            id: random_token()?,
            by: Some(by),
            until: Some(at + ABSOLUTE),
        };
        self.hold(page, &held, LIVES, at).await
    }

    /// Has the browser hold the proof for another while: whoever reads or writes on the page of their request is not sent
    /// away in the middle of it.
    pub async fn renew(&self, page: Page, proven: &Proven, at: Timestamp) -> Result<Page, Error> {
        let Some(lives) = renewed(proven.until, at) else { return Ok(page) };
        let held = Held {
            tenant: proven.tenant.id().as_str().to_owned(),
            code: proven.code.clone(),
            reference: proven.reference.clone(),
            id: proven.id.clone(),
            by: Some(proven.by),
            until: Some(proven.until),
        };
        self.hold(page, &held, lives, at).await
    }

    async fn hold(&self, page: Page, held: &Held, lives: SignedDuration, at: Timestamp) -> Result<Page, Error> {
        let ticket = self.tickets().await?.seal(PROVEN, "", at + lives, held)?;
        Ok(page.with_cookie(CASE, &ticket, lives))
    }

    /// The proof that the browser holds; nothing where it holds none that is still good.
    pub async fn proven(&self, visit: &Visit) -> Result<Option<Proven>, Error> {
        let Some(ticket) = visit.cookie(CASE) else { return Ok(None) };
        let held: Option<Held> = self.tickets().await?.open(PROVEN, "", visit.at, ticket).ok();
        let proven = held.and_then(|held| {
            Some(Proven {
                tenant: Tenant::trusted(held.tenant),
                code: held.code,
                reference: held.reference,
                by: held.by?,
                id: held.id,
                until: held.until?,
            })
        });
        if let Some(proven) = &proven {
            self.about(&proven.tenant);
        }
        Ok(proven)
    }
}

/// For how long a proof is good from now on; nothing where it has been renewed for as long as one may be.
fn renewed(until: Timestamp, at: Timestamp) -> Option<SignedDuration> {
    let lives = until.duration_since(at).min(LIVES);
    lives.is_positive().then_some(lives)
}

/// Has the browser forget the request.
#[must_use]
pub fn forget(page: Page) -> Page {
    page.without_cookie(CASE).without_cookie(LOOK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look() -> LookedUp {
        let code = ServiceCode::parse("12").unwrap();
        LookedUp::new(Some(Tenant::trusted("t-a")), code, Reference::from_entropy(7)).unwrap()
    }

    #[test]
    fn what_is_nobodys_is_looked_for_like_everything_else() {
        let nobodys = LookedUp::new(None, ServiceCode::parse("12").unwrap(), Reference::from_entropy(7)).unwrap();
        assert_eq!(nobodys.tenant, Tenant::platform());
        assert_eq!(nobodys.request().split(' ').count(), look().request().split(' ').count());
    }

    #[test]
    fn a_code_opens_one_request_for_one_browser() {
        let (one, other) = (look(), look());
        assert_eq!(one.request(), other.request());
        assert_ne!(one.opens(), other.opens());
    }

    #[test]
    fn a_look_is_printed_without_its_number() {
        let look = look();
        assert!(!format!("{look:?}").contains(look.reference.as_str()));
    }

    #[test]
    fn a_proof_is_renewed_by_looking_and_ends_after_four_hours_all_the_same() {
        let began: Timestamp = "2026-11-22T08:00:00Z".parse().unwrap();
        let minutes = |n: i64| renewed(began + ABSOLUTE, began + SignedDuration::from_mins(n));
        assert_eq!(minutes(29), Some(LIVES));
        assert_eq!(minutes(4 * 60 - 10), Some(SignedDuration::from_mins(10)));
        assert_eq!(minutes(4 * 60), None);
        assert_eq!(minutes(5 * 60), None);
    }

    #[test]
    fn what_an_agent_shows_and_does_is_the_agents() {
        assert_eq!(Contact::Agent.actor(), Actor::AuthorizedAgent);
        assert_eq!((Contact::Email.actor(), Contact::Phone.actor()), (Actor::Consumer, Actor::Consumer));
    }

    #[test]
    fn a_contact_is_found_again_by_its_name() {
        for contact in Contact::ALL {
            assert_eq!(Contact::parse(contact.code()), Some(contact));
        }
        assert_eq!(Contact::parse("fax"), None);
    }
}
