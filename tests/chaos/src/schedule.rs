//! Random lives of a day: workers that are killed, crawl and come twice, a partner that forgets, lies and loses answers,
//! calls that come late and are corrected, and clocks that move.

use bench::Error;
use bench::gate::{Arrival, Verdict};
use jiff::SignedDuration;

use crate::check::check;
use crate::night::{Aim, Kind, Night};

/// A life by its seed.
pub async fn schedule(night: &mut Night, name: &str, seed: u64) -> Result<(), Error> {
    // One of five has its day on this machine's calendar, too: its calls come before it is over.
    night.begin_anew(name, seed, seed.is_multiple_of(5)).await?;
    match night.chance.below(10) {
        // No customer until later, or one whom Stripe does not know.
        0 => night.crew.tally.count("tenants that become customers late"),
        1 => {
            night.crew.tally.count("tenants whose customer Stripe does not know at first");
            night.becomes_customer(false);
        }
        _ => night.becomes_customer(true),
    }
    for _ in 0..=night.chance.below(4) {
        let seconds = seconds(night);
        night.call(seconds);
    }
    night.lag().await?;
    let steps = 60 + night.chance.below(240);
    for _ in 0..steps {
        night.settle().await?;
        step(night).await?;
    }
    night.settle().await?;
    night.kill_all().await;
    if !night.is_customer() {
        night.becomes_customer(true);
    }
    night.calm(Aim::Nobody).await?;
    check(night).await
}

async fn step(night: &mut Night) -> Result<(), Error> {
    let standing = night.standing();
    if !standing.is_empty() && night.chance.percent(82) {
        let who = night.chance.one(&standing, 0);
        let Some(arrival) = night.take(who) else { return Ok(()) };
        return decide(night, arrival).await;
    }
    match night.chance.below(100) {
        0..8 => {
            let seconds = seconds(night);
            night.call(seconds);
        }
        8..14 => {
            let seconds = seconds(night);
            night.correct(seconds);
        }
        14..26 => night.strike(),
        26..34 => {
            let again = night.chance.percent(20);
            night.deliver_reports(again).await?;
        }
        34..38 => {
            let archived = night.chance.percent(40);
            night.archive(archived).await?;
        }
        38..41 => night.person().await?,
        41..44 => night.lag().await?,
        44..47 if !night.is_customer() => night.becomes_customer(true),
        47..58 => {
            let by = match night.chance.below(10) {
                0..4 => night.chance.between(1, 16 * 60),
                4..7 => night.chance.between(3_600, 26 * 3_600),
                7..9 => night.chance.between(3_600, 4 * 86_400),
                _ => night.chance.between(86_400, 12 * 86_400),
            };
            night.forward(SignedDuration::from_secs(by)).await?;
        }
        _ => deliver(night).await?,
    }
    Ok(())
}

/// Something of the queue, in no order, and now and then twice.
async fn deliver(night: &mut Night) -> Result<(), Error> {
    if night.queue.is_empty() {
        night.strike();
    }
    let place = night.chance.place(night.queue.len());
    let Some(delivery) = night.queue.remove(place) else { return Ok(()) };
    let most = if delivery.kind == Kind::Push { 3 } else { 1 };
    if night.at_work(Some(delivery.kind)) >= most {
        night.queue.push_back(delivery);
        return Ok(());
    }
    if delivery.kind != Kind::Plan && night.chance.percent(15) {
        night.crew.tally.count("messages delivered twice");
        night.queue.push_back(delivery.clone());
    }
    night.begin(delivery).await.map(|_| ())
}

async fn decide(night: &mut Night, arrival: Arrival) -> Result<(), Error> {
    let at_stripe = arrival.kind.strip_prefix("stripe:").map(str::to_owned);
    match (night.chance.below(100), at_stripe) {
        (0..2, _) => night.kill_at(arrival, true).await,
        (2..4, _) => night.kill_at(arrival, false).await,
        (4..24, Some(path)) => {
            let kinds = ["rate_limited", "error", "lost_answer", "conflict", "kept_error", "kept_error_after"];
            let reading = ["rate_limited", "error", "lost_answer"];
            let kinds = if path == "event_summaries" { reading.as_slice() } else { kinds.as_slice() };
            let fault = night.chance.one(kinds, "error");
            night.crew.tally.count(&format!("Stripe faults: {fault}"));
            night.note(format!("Stripe: {fault}"));
            night.stripe.plan(&path, fault).await?;
            night.decide(arrival, Verdict::Pass);
        }
        (4..6, None) => {
            night.crew.tally.count("AWS faults: throttled");
            night.decide(arrival, Verdict::Refuse("ThrottlingException"));
        }
        (6..9, None) => {
            night.crew.tally.count("AWS faults: answer lost");
            night.decide(arrival, Verdict::LoseAnswer);
        }
        _ => night.decide(arrival, Verdict::Pass),
    }
    Ok(())
}

fn seconds(night: &mut Night) -> u32 {
    let minutes = u32::try_from(night.chance.below(4)).unwrap_or_default();
    minutes * 60
}
