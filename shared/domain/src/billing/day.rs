//! A tenant's day: who works on it, whether there is anything to do, how it looks to people.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ALARM_AFTER, Batch, LineState, Refused, SEND_FOR, Step, plus};

/// A tenant's day in UTC: who works on it, and whether there is anything to do.
///
/// Its item lies in a sparse index while it is pending, so that the nightly job finds what to do without asking every
/// tenant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Day {
    /// The last fence given. Only its holder may write.
    pub fence: u64,
    /// How often something to do came up.
    pub marks: u64,
    /// Whether there is anything to do.
    pub state: DayState,
}

/// Whether there is anything to do about a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DayState {
    /// Nothing, as far as is known.
    #[default]
    Settled,
    /// Calls that no batch has, or a batch that is not at its end.
    Pending,
}

/// What happens to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayStep {
    /// Something is to do: a call came, was corrected, or Stripe refused an event. Written together with it.
    Mark,
    /// A worker takes the day.
    Take,
    /// The worker found nothing more to do, when so many marks had been made.
    Finish {
        /// The worker's fence.
        fence: u64,
        /// [`Day::marks`] as the worker read it before it looked.
        marks: u64,
    },
}

impl Day {
    /// The day after a step. What came up while a worker was looking keeps the day pending.
    pub fn next(self, step: DayStep) -> Result<Self, Refused> {
        match step {
            DayStep::Mark => Ok(Self { marks: self.marks + 1, state: DayState::Pending, ..self }),
            DayStep::Take => Ok(Self { fence: self.fence + 1, ..self }),
            DayStep::Finish { fence, .. } if fence != self.fence => Err(Refused::Fenced),
            DayStep::Finish { marks, .. } if marks != self.marks => Ok(self),
            DayStep::Finish { .. } => Ok(Self { state: DayState::Settled, ..self }),
        }
    }

    /// Whether this fence may write.
    pub fn admits(&self, fence: u64) -> Result<(), Refused> {
        if fence == self.fence { Ok(()) } else { Err(Refused::Fenced) }
    }
}

/// When a day's usage is said to have happened: its last second. The summaries of the day hold it, and it is as young as
/// it can be.
#[must_use]
pub fn used_at(day: Date) -> Timestamp {
    day_end(day).saturating_sub(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MIN)
}

/// The first second after a day in UTC.
#[must_use]
pub fn day_end(day: Date) -> Timestamp {
    let next = day.tomorrow().unwrap_or(Date::MAX);
    next.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |start| start.timestamp())
}

/// Until when a day's usage may be sent.
#[must_use]
pub fn send_until(day: Date) -> Timestamp {
    plus(used_at(day), SEND_FOR)
}

/// What a day looks like to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The day is not over.
    Running,
    /// Confirmed or settled, to the last call.
    Settled,
    /// All sent; the summaries have not confirmed it yet.
    Sent,
    /// Something is yet to be sent.
    Due,
    /// Yet to be sent, and that for so long that somebody must look: [`ALARM_AFTER`].
    Overdue,
    /// A person must decide.
    NeedsAPerson,
    /// Too old for Stripe; it is to be billed another way.
    Expired,
}

/// What a day looks like: the worst of its batches, and of calls that are in none.
#[must_use]
pub fn standing<'a>(
    day: Date,
    unprocessed: bool,
    batches: impl IntoIterator<Item = &'a Batch>,
    now: Timestamp,
) -> Standing {
    standings(day, unprocessed, batches, now).last().copied().unwrap_or(Standing::Settled)
}

/// What the parts of a day look like, its batches and calls that are in none: each thing once, the worst last.
#[must_use]
pub fn standings<'a>(
    day: Date,
    unprocessed: bool,
    batches: impl IntoIterator<Item = &'a Batch>,
    now: Timestamp,
) -> BTreeSet<Standing> {
    if now < day_end(day) {
        return BTreeSet::from([Standing::Running]);
    }
    let due = if now >= plus(day_end(day), ALARM_AFTER) { Standing::Overdue } else { Standing::Due };
    let mut found = BTreeSet::from([if unprocessed { due } else { Standing::Settled }]);
    for batch in batches {
        if batch.content.is_none() || batch.stale {
            found.insert(due);
        }
        for (meter, line) in &batch.lines {
            found.insert(match batch.step(*meter, now) {
                Step::Nothing => Standing::Settled,
                Step::Expire => Standing::Expired,
                Step::AskAPerson if matches!(line.state, LineState::Expired { .. }) => Standing::Expired,
                Step::AskAPerson => Standing::NeedsAPerson,
                _ if matches!(line.state, LineState::Sent { .. }) && line.due == line.value => Standing::Sent,
                _ => due,
            });
        }
    }
    found
}
