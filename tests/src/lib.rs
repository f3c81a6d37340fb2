//! What the integration tests share: a hotline on the local cloud, seen from the telephone and from AWS.
//!
//! | module | holds |
//! |---|---|
//! | [`cloud`] | AWS as its root sees it: signed requests to any service, without an SDK |
//! | [`hotline`] | the hotline under test: telephone line, tenants, and what a call left behind |
//! | [`walk`] | a call placed webhook by webhook, where a test must do what no telephone does |
//! | [`wire`] | one HTTP exchange byte by byte |
//! | [`person`] | somebody at the dashboard: cookies, forms, sign-in |
//! | [`planted`] | the callers: numbers and words that must be found nowhere in clear |
//! | [`answers`] | what callers press and say on the way to each kind of request |
//! | [`unseal`] | an independent reader of sealed values, written from their description |
//! | [`calendar`] | California's deadlines, computed another way than the product does |
//! | [`crowd`] | many callers at once, as many on the line as wanted and not more in each other's way than needed |
//! | [`leaks`] | looks for what was planted, in every form in which it could lie somewhere |
//!
//! All tests share one cloud and run side by side: each has callers of its own ([`planted::caller`]) and looks only at
//! what they left.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::missing_panics_doc, reason = "a test fails by panicking")]

pub mod answers;
pub mod calendar;
pub mod cloud;
pub mod crowd;
pub mod hotline;
pub mod leaks;
pub mod person;
pub mod planted;
pub mod unseal;
pub mod walk;
pub mod wire;

pub use cloud::{AwsError, Cloud};
pub use hotline::{Hotline, eventually, in_dozens};
pub use person::Person;
