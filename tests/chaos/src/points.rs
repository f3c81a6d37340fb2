//! Killed at each call in turn, before it is done and after; and at each a twin that overtakes.

use std::sync::Arc;

use bench::Error;
use jiff::SignedDuration;

use crate::check::check;
use crate::night::{Aim, House, Kind, Night};

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

/// One night with its kill. Returns how many calls that function made, and the night.
pub async fn point(house: &Arc<House>, name: &str, scene: Scene, aim: Aim) -> Result<Night, (Error, Option<Night>)> {
    let mut night = Night::open(house, name, 7, false).await.map_err(|error| (error, None))?;
    match live(&mut night, scene, aim).await {
        Ok(()) => Ok(night),
        Err(error) => Err((error, Some(night))),
    }
}

async fn live(night: &mut Night, scene: Scene, aim: Aim) -> Result<(), Error> {
    night.becomes_customer(true).await?;
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

/// The aims at one function: each of its calls, before and after, with each gap.
pub fn kills(kind: Kind, calls: u64, gaps: &[SignedDuration]) -> impl Iterator<Item = Aim> {
    (1..=calls).flat_map(move |at| {
        let gaps: Vec<SignedDuration> = gaps.to_vec();
        [true, false]
            .into_iter()
            .flat_map(move |before| gaps.clone().into_iter().map(move |gap| Aim::Kill { kind, at, before, gap }))
    })
}
