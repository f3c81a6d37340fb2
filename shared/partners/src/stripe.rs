//! Stripe's metered billing, in the order of a night.
//!
//! | module | what it is for |
//! |---|---|
//! | [`meter_event`] | usage sent, cancelled, and read back as summaries |
//! | [`rest`] | how the API is called, what its errors mean, and whether anything may have happened all the same |
//! | [`retry`] | when a call is made again, and how long to wait before |
//! | [`signature`] | proof that a webhook came from Stripe; nothing else happens before it |
//! | [`error_report`] | what Stripe refused after it had said 200, and why |
//! | [`id`] | the identifiers that Stripe gives to all of these |
//!
//! A 200 for a meter event says that it was received, not that it counts: it is checked later, and refused in an
//! [`error_report`]. Source: <https://docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api>.

pub mod error_report;
pub mod id;
pub mod meter_event;
pub mod rest;
pub mod retry;
pub mod signature;

pub use id::{CustomerId, EventId, MeterId};

/// The version of the API that is asked for by name, so that Stripe's account settings do not change what we read.
///
/// Source: <https://docs.stripe.com/api/versioning>.
pub const API_VERSION: &str = "2026-10-28.endive";
