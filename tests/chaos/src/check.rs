//! Whether a day that is over came out right: each call billed once, and all tables and Stripe of one mind.

use std::collections::BTreeMap;

use bench::Error;
use bench::stripe::{Received, event_name};
use domain::billing::{Batch, Meter, Standing, Unit, standing};

use crate::ledger::Ledger;
use crate::night::Night;

/// Looks at everything. The tally gains what was sent and counted.
pub async fn check(night: &mut Night) -> Result<(), Error> {
    let received = night.stripe.received().await?;
    let (rows, batches, sums, agenda) = {
        let cloud = night.crew.cloud.lock();
        let ledger = &night.ledger;
        (ledger.rows(&cloud)?, ledger.batches(&cloud)?, ledger.sums(&cloud), ledger.agenda(&cloud))
    };
    let wrong = |what: &str, why: &dyn std::fmt::Debug| Err(Error::say(&night.name, what, &format!("{why:#?}")));

    // The ledger has what was reported, and the sums are those of the rows.
    let expected: BTreeMap<&str, u32> =
        night.truth.values().map(|usage| (usage.call_sid.as_str(), usage.billed_minutes)).collect();
    let found: BTreeMap<&str, u32> = rows.iter().map(|row| (row.call.as_str(), row.minutes)).collect();
    if expected != found {
        return wrong("has another ledger than was reported", &(expected, found));
    }
    let used = |meter: Meter| -> u64 {
        let of = |row: &crate::ledger::Row| if meter == Meter::Calls { 1 } else { u64::from(row.minutes) };
        rows.iter().map(of).sum()
    };
    if sums != (used(Meter::Calls), used(Meter::Minutes)) {
        return wrong("has sums that are not those of its rows", &(sums, &rows));
    }

    // Every call is in a batch that Stripe has, and every batch holds what it says.
    if let Some(row) = rows.iter().find(|row| !matches!(row.unit, Unit::Processed { .. })) {
        return wrong("leaves a call unprocessed", &(row, &batches));
    }
    for batch in &batches {
        if !batch.is_final() {
            return wrong("leaves a batch unfinished", batch);
        }
        if Some(&Ledger::content(&rows, batch.number)?) != batch.content.as_ref() {
            return wrong("has a batch that is not its calls", &(batch, &rows));
        }
    }

    // What counts at Stripe and what a person did are what was used.
    for meter in Meter::ALL {
        let of_meter = |event: &&Received| event.event_name == event_name(meter);
        let at_stripe: u64 = received.iter().filter(of_meter).map(|event| event.counts).sum();
        let elsewhere: i64 = night.outside.iter().filter(|((_, of), _)| *of == meter).map(|(_, sum)| sum).sum();
        if i64::try_from(at_stripe).unwrap_or(i64::MAX) + elsewhere != i64::try_from(used(meter)).unwrap_or(i64::MIN) {
            let why = (meter, at_stripe, elsewhere, used(meter), &batches, &received);
            return wrong("is not billed exactly once", &why);
        }
    }
    for event in &received {
        let twice = received.iter().filter(|other| other.identifier == event.identifier && other.counts > 0).count();
        if twice > 1 {
            return wrong("has an event that counts twice", event);
        }
        if !batches.iter().any(|batch| batch.meter_of(&event.identifier).is_some()) {
            return wrong("has an event at Stripe that no batch knows", event);
        }
    }

    // Nobody is called any more, nothing was buried, and people see a settled day.
    if agenda.iter().any(|at| *at <= night.now && !night.is_running()) {
        return wrong("is settled and still on the agenda", &agenda);
    }
    let looks = standing(night.day(), false, &batches, night.now);
    if looks != Standing::Settled {
        return wrong("does not look settled", &(looks, &batches));
    }
    if night.crew.tally.of("messages buried") > 0 {
        return wrong(
            "buried a message",
            &night.crew.trace.iter().filter(|line| line.starts_with("buried")).collect::<Vec<_>>(),
        );
    }
    if night.crew.tally.of("held for a person: unexplained") > 0 {
        return wrong("could not explain what nobody else sent", &(&batches, &received));
    }

    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    let counting = received.iter().filter(|event| event.counts > 0).count();
    let revisions: u64 =
        batches.iter().flat_map(|batch| batch.lines.values()).map(|line| u64::from(line.revision) - 1).sum();
    let stale = batches.iter().filter(|batch: &&Batch| batch.number > 1).count();
    night.crew.tally.add("calls billed", count(rows.len()));
    night.crew.tally.add("meter events received by Stripe", count(received.len()));
    night.crew.tally.add("meter events that count", count(counting));
    night.crew.tally.add("meter events sent anew under another identifier", revisions);
    night.crew.tally.add("batches", count(batches.len()));
    night.crew.tally.add("batches for calls that came late", count(stale));
    Ok(())
}
