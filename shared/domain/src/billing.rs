//! Usage billed exactly once, though Stripe forgets after a day what it was sent.
//!
//! A *unit* is one call in the ledger. The units of a day (UTC) are claimed by a *batch*; what they come to is one meter
//! event per [`Meter`]; a day has a second batch when calls come late. Everything here is a pure state machine: an `enum`
//! and a `next`; whoever stores it writes each step on the condition that nothing else was written in between.
//!
//! | step | what is written | if everything stops right after it |
//! |---|---|---|
//! | 1 | the day is taken: [`Day::next`] gives a fence, and every later write asks for it | the next run takes it with a higher one |
//! | 2 | a batch is opened and units claimed one by one: [`Unit::next`] | the next run goes on claiming |
//! | 3 | the batch is counted and its content never changes: [`Event::Counted`] | the same content, so the same identifiers |
//! | 4 | an event is about to be sent: [`Event::Tried`] | it may be at Stripe; see below |
//! | 5 | what Stripe answered: [`Event::Answered`] | the same as after 4 |
//! | 6 | the units are processed, and once the summaries agree the event is confirmed: [`Event::Found`] | the next run finds it again |
//!
//! | module | what |
//! |---|---|
//! | [`unit`](mod@unit) | a call on its way to the bill, and what a batch's calls come to |
//! | [`day`] | who works on a day, whether there is anything to do, how it looks to people |
//! | [`batch`] | a batch and its meter events, from counted to confirmed |
//! | [`summaries`] | Stripe's sums held against a day's batches |
//! | [`check`] | what a night's comparison of the ledger with Twilio and Stripe found |
//!
//! **What may be sent when.** Stripe keeps an identifier for "at least 24 hours" and then counts it again. So an event
//! that may be there is sent again under its own identifier only within [`RESEND_FOR`] of its first try. After that its
//! summaries are read, once everything that could still arrive has ([`SETTLING`]); only what they show to be missing is
//! sent, under a new identifier. What they cannot explain waits for a person. A refusal that comes later (a 200 is no
//! acceptance) is treated no differently: the event goes back, and the summaries decide. So there is one place where a
//! new identifier is made after an old one was in use, and it is always behind the summaries, or behind a cancellation
//! that Stripe has confirmed.
//!
//! **Who writes.** Reconciling looks at all batches of a day together, so the fence is the day's: a worker that lost it
//! can write nothing to any of them. It could still send; therefore it may start sending only until [`Send::not_after`],
//! and its machine ends by then anyway ([`LIFE`]).
//!
//! Sources: <https://docs.stripe.com/api/billing/meter-event/create>,
//! <https://docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api>,
//! <https://docs.stripe.com/api/billing/meter-event-adjustment>.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub mod batch;
pub mod check;
pub mod day;
pub mod summaries;
pub mod unit;

pub use batch::{Answer, Batch, Event, Finding, Line, LineState, Send, Step, identifier};
pub use check::{Amount, AtStripe, DayCheck, Difference, Kept, ListCheck, Rows};
pub use day::{Day, DayState, DayStep, Standing, day_end, send_until, standing, standings, used_at};
pub use summaries::{Reconciled, reconcile};
pub use unit::{Content, Counting, Unit, UnitStep};

/// How long after its first try an event may be sent again under its identifier, or be cancelled.
///
/// Stripe keeps identifiers, and lets events be cancelled, for 24 hours from when it received them, which is not before
/// the first try. The hour between is for [`LIFE`], for slow networks and for clocks that differ.
pub const RESEND_FOR: SignedDuration = SignedDuration::from_hours(23);

/// How long a worker lives: AWS Lambda ends it after 15 minutes.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
pub const LIFE: SignedDuration = SignedDuration::from_mins(15);

/// How long after the last possible arrival the summaries are believed. Stripe counts "asynchronously" and names no
/// limit; minutes are usual, and nobody waits for this.
pub const SETTLING: SignedDuration = SignedDuration::from_hours(6);

/// The age of a day, from its end, at which anything unsent is an alarm.
pub const ALARM_AFTER: SignedDuration = SignedDuration::from_hours(20 * 24);

/// The age of an event at which it is not sent any more: Stripe takes what is within "the past 35 calendar days", less
/// the time that sending may take.
pub const SEND_FOR: SignedDuration = SignedDuration::from_hours(35 * 24 - 1);

/// What is counted and billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meter {
    /// Calls that ended.
    Calls,
    /// Billed minutes: each started one counts whole.
    Minutes,
}

impl Meter {
    /// Every meter.
    pub const ALL: [Self; 2] = [Self::Calls, Self::Minutes];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Minutes => "minutes",
        }
    }
}

/// Why a step cannot be taken. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Somebody else has taken the day since.
    #[error("another worker has taken the day")]
    Fenced,
    /// It does not follow from where things are.
    #[error("this cannot follow here")]
    OutOfTurn,
    /// The batch has no calls.
    #[error("a batch without calls is none")]
    Empty,
}

fn plus(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

fn hex(bytes: &[u8]) -> String {
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    halves.filter_map(|half| char::from_digit(half.into(), 16)).collect()
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
