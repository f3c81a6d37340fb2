//! A morning with one death in it: at each call in turn, before it is done and after; at each a twin that overtakes; and each
//! mail refused, or taken without an answer.

use bench::Error;
use jiff::civil::time;
use jiff::{SignedDuration, Timestamp};

use super::check::check;
use super::night::{Aim, Kind, Night};

/// How long nothing happens after a kill: nothing; until whoever died must have come to an end; beyond the day.
pub const GAPS: [SignedDuration; 3] =
    [SignedDuration::ZERO, SignedDuration::from_mins(20), SignedDuration::from_hours(26)];

/// What SES answers that did not take a mail.
pub const REFUSALS: [&str; 2] = ["TooManyRequestsException", "InternalFailure"];

/// The next morning, with one thing that goes wrong.
pub async fn point(night: &mut Night, name: &str, aim: Aim) -> Result<(), Error> {
    night.begin_anew(name, 7).await;
    let wait = next_morning(night).duration_since(night.now);
    night.forward(wait).await;
    night.strike();
    night.calm(aim).await?;
    // The evening's reports, and the next morning.
    night.forward(SignedDuration::from_hours(24)).await;
    night.strike();
    night.calm(Aim::Nobody).await?;
    check(night)
}

/// Five past eight, where the tenant is.
fn next_morning(night: &Night) -> Timestamp {
    let tomorrow = night.house.day(night.now).tomorrow().unwrap_or_default();
    let morning = tomorrow.to_datetime(time(8, 5, 0, 0)).to_zoned(night.house.zone.clone());
    morning.map_or(night.now, |morning| morning.timestamp())
}

/// The aims at one function: each of its calls, before it is done and after. Each takes the next gap.
#[must_use]
pub fn kills(kind: Kind, calls: u64, gaps: &[SignedDuration]) -> Vec<Aim> {
    let points = (1..=calls).flat_map(|at| [(at, true), (at, false)]);
    let gaps = gaps.iter().copied().cycle();
    // A gap is not always that of the same side of a call.
    let shifted = gaps.enumerate().filter(|(place, _)| place % 7 != 6).map(|(_, gap)| gap);
    points.zip(shifted).map(|((at, before), gap)| Aim::Kill { kind, at, before, gap }).collect()
}

/// The aims at SES: each mail refused in each way, or taken without an answer.
#[must_use]
pub fn faults(mails: u64) -> Vec<Aim> {
    let kinds = [None].into_iter().chain(REFUSALS.map(Some));
    kinds.flat_map(|refusal| (1..=mails).map(move |at| Aim::Fault { at, refusal })).collect()
}
