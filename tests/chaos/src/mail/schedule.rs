//! Random days of mail: workers that are killed and come twice, mails that SES refuses or takes without an answer, and a clock
//! that moves.

use bench::Error;
use bench::gate::{Arrival, Verdict};
use jiff::SignedDuration;

use super::check::check;
use super::night::{Aim, Night};
use super::points::REFUSALS;

/// No more of a function's processes work at once.
const AT_ONCE: usize = 2;

/// A life by its seed.
pub async fn schedule(night: &mut Night, name: &str, seed: u64) -> Result<(), Error> {
    night.begin_anew(name, seed).await;
    night.strike();
    let steps = 80 + night.chance.below(240);
    for _ in 0..steps {
        night.settle().await?;
        step(night).await?;
    }
    // What was decided last is done before anybody dies: the check counts on it.
    night.settle().await?;
    night.kill_all().await;
    night.calm(Aim::Nobody).await?;
    check(night)
}

async fn step(night: &mut Night) -> Result<(), Error> {
    let standing = night.crew.standing();
    if !standing.is_empty() && night.chance.percent(85) {
        let who = night.chance.one(&standing, 0);
        let Some(arrival) = night.take(who) else { return Ok(()) };
        return decide(night, arrival).await;
    }
    match night.chance.below(100) {
        0..15 => night.strike(),
        15..45 => {
            let by = match night.chance.below(10) {
                0..6 => night.chance.between(1, 40 * 60),
                6..9 => night.chance.between(3_600, 14 * 3_600),
                _ => night.chance.between(86_400, 3 * 86_400),
            };
            night.forward(SignedDuration::from_secs(by)).await;
        }
        45..48 => {
            night.kill_all().await;
            night.calm(Aim::Nobody).await?;
        }
        _ => deliver(night).await?,
    }
    Ok(())
}

/// Something of the queues that can be seen, in no order, and now and then twice.
async fn deliver(night: &mut Night) -> Result<(), Error> {
    let Some(delivery) = night.draw() else { return Ok(()) };
    if night.at_work(delivery.kind) >= AT_ONCE {
        night.queue.push_back(delivery);
        return Ok(());
    }
    if night.chance.percent(15) {
        night.crew.tally.count("messages delivered twice");
        night.queue.push_back(delivery.clone());
    }
    night.begin(delivery).await.map(|_| ())
}

async fn decide(night: &mut Night, arrival: Arrival) -> Result<(), Error> {
    let at_ses = arrival.kind.starts_with("ses:");
    match night.chance.below(100) {
        0..2 => night.kill_at(arrival, true).await,
        2..4 => night.kill_at(arrival, false).await,
        4..10 if at_ses => night.kill_at(arrival, false).await,
        10..20 if at_ses => night.fault(arrival, None).await?,
        20..34 if at_ses => {
            let refusal = night.chance.one(&REFUSALS, "InternalFailure");
            night.fault(arrival, Some(refusal)).await?;
        }
        4..6 => {
            night.crew.tally.count("AWS faults: throttled");
            night.decide(arrival, Verdict::Refuse("ThrottlingException")).await?;
        }
        6..9 => {
            night.crew.tally.count("AWS faults: answer lost");
            night.decide(arrival, Verdict::LoseAnswer).await?;
        }
        _ => night.decide(arrival, Verdict::Pass).await?,
    }
    Ok(())
}
