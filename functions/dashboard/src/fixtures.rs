//! Somebody to show pages of, for tests.

pub(crate) mod billing;

use domain::email::EmailAddress;
use domain::language::Language;
use domain::role::Role;
use domain::user::{Preferences, UserId, UserProfile, UserState};
use identity::Credentials;
use identity::passkey::UserHandle;
use identity::totp::{Secret, Totp};
use jiff::Timestamp;
use maud::Markup;
use pages::{Frame, Section};
use platform::edge::{Client, Visit};
use platform::session::{Card, LiveSessions, Session, SessionId};
use platform::store::{Account, User};
use platform::tenant::Tenant;

pub(crate) fn secret() -> Secret {
    serde_json::from_str("\"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\"").unwrap()
}

pub(crate) fn account() -> Account {
    let user = User {
        id: UserId::parse(&format!("u-{}", "0a".repeat(13))).unwrap(),
        email: EmailAddress::parse("ana@shop.example").unwrap(),
        role: Role::Owner,
        state: UserState::Active,
        profile: UserProfile {
            name: "Ana <Pérez>".into(),
            language: Language::Spanish,
            preferences: Preferences::default(),
        },
        invited_at: Timestamp::UNIX_EPOCH,
        dead: None,
        version: 1,
    };
    Account {
        user,
        credentials: Credentials { totp: Some(Totp::new(secret(), 1)), ..Credentials::default() },
        handle: UserHandle::from_bytes([7; 16]),
        password_set_at: Timestamp::UNIX_EPOCH,
        live: LiveSessions::default(),
        invitation: None,
    }
}

pub(crate) fn visit(language: Language) -> Visit {
    let client = Client { address: "192.0.2.7".into(), agent: "Firefox".into() };
    Visit::get("/dashboard/page", language, client, "csrf", "2026-11-22T01:00:00Z".parse().unwrap())
}

pub(crate) fn frame(language: Language) -> Frame {
    Frame {
        language,
        tenant_name: "Bear & Sons".into(),
        user_name: "Ana".into(),
        role: pages::words::role(language, Role::Owner).to_owned(),
        csrf: "csrf".into(),
        section: Section::Account,
        sections: Section::ALL.to_vec(),
    }
}

pub(crate) fn session(secret: &str, agent: &str) -> Session {
    let at = "2026-11-22T01:00:00Z".parse().unwrap();
    let card = Card {
        user_name: "Ana".into(),
        tenant_name: "Bear & Sons".into(),
        language: Language::English,
        time_zone: "America/Los_Angeles".into(),
        agent: agent.to_owned(),
        address: "192.0.2.7".into(),
    };
    Session {
        id: SessionId::of(secret),
        tenant: Tenant::platform(),
        user: account().user.id,
        role: Role::Owner,
        card,
        signed_in_at: at,
        confirmed_at: at,
        last_seen: at,
    }
}

/// What stands between `<main>` and `</main>`, an element a line.
pub(crate) fn main(page: &Markup) -> String {
    let page = &page.0;
    let start = page.find("<main").unwrap();
    let end = page.find("</main>").unwrap();
    page[start..end].replace("><", ">\n<")
}
