//! Killed at each call in turn, before it is done and after; and at each a twin that overtakes.

use bench::Error;
use jiff::SignedDuration;

use crate::check::check;
use crate::night::{Aim, Kind, Night};

/// How long nothing happens after a kill: nothing, so that a retry follows at once; beyond the hour; beyond the day for
/// which Stripe knows an identifier; and beyond the time for which it takes usage.
pub const GAPS: [SignedDuration; 4] = [
    SignedDuration::ZERO,
    SignedDuration::from_hours(22),
    SignedDuration::from_hours(31),
    SignedDuration::from_hours(24 * 36),
];

/// What a night holds in which somebody is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// Three calls, then the night.
    Plain,
    /// The same; two of them are corrected and one more comes late, an hour after the first worker.
    Corrected,
    /// The same; Stripe refuses the events after its 200, and says so later.
    Refused,
}

impl Scene {
    /// Every scene.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Corrected, Self::Refused];
}

/// One night with its kill.
pub async fn point(night: &mut Night, name: &str, scene: Scene, aim: Aim) -> Result<(), Error> {
    night.begin_anew(name, 7, false).await?;
    night.by_hand = !matches!(aim, Aim::Kill { kind: Kind::Plan, .. } | Aim::Nobody);
    night.becomes_customer(true);
    // A short one, one of several minutes, and one that never was answered.
    for seconds in [49, 200, 0] {
        night.call(seconds);
    }
    let mut aim = aim;
    night.deliver_all(&mut aim).await?;
    if scene == Scene::Refused {
        night.archive(true).await?;
    }
    if scene != Scene::Plain {
        night.strike();
        night.deliver_all(&mut aim).await?;
        night.forward(SignedDuration::from_hours(1)).await?;
    }
    if scene == Scene::Corrected {
        night.call(70);
        night.correct(400);
        night.correct(10);
    }
    night.calm(aim).await?;
    check(night).await
}

/// The aims at one function: each of its calls, before it is done and after. With several gaps each takes the next one.
#[must_use]
pub fn kills(kind: Kind, calls: u64, gaps: &[SignedDuration]) -> Vec<Aim> {
    let points = (1..=calls).flat_map(|at| [(at, true), (at, false)]);
    let gaps = gaps.iter().copied().cycle();
    // A gap is not always that of the same side of a call.
    let shifted = gaps.enumerate().filter(|(place, _)| place % 7 != 6).map(|(_, gap)| gap);
    points.zip(shifted).map(|((at, before), gap)| Aim::Kill { kind, at, before, gap }).collect()
}
