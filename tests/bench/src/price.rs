//! What AWS charges, at list price, for a thousand completed opt-out calls.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::hotline::{Hotline, Step};
use crate::measure::Measured;

const CALLS: f64 = 1000.0;

/// `data/prices.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct Prices {
    prices: BTreeMap<String, Price>,
    assumptions: Assumptions,
}

#[derive(Debug, Clone, Deserialize)]
struct Price {
    usd: f64,
    per: f64,
    what: String,
    as_of: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Assumptions {
    /// Of a thousand invocations, so many meet a process that has yet to start.
    starts_per_1000_invocations: f64,
    /// The memory at which a function has one processor to itself.
    vcpu_at_mb: f64,
    /// Sent, received, deleted.
    sqs_requests_per_message: f64,
}

/// The bill for a thousand calls.
#[derive(Debug, Clone, Serialize)]
pub struct Bill {
    /// Its lines, the dearest first.
    pub lines: Vec<Line>,
    /// Their sum in US dollars.
    pub total_usd: f64,
    /// How much of the sum is due to processes that had to start.
    pub starts_usd: f64,
    /// Fresh starts assumed in a thousand invocations.
    pub starts_per_1000_invocations: f64,
}

/// One line of the bill.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// What is charged.
    pub what: String,
    /// How many of it.
    pub quantity: f64,
    /// The price in US dollars.
    pub usd: f64,
    /// The month in which the price was looked up.
    pub as_of: String,
}

impl Prices {
    /// Reads the price list.
    pub fn read(json: &str) -> Result<Self, Error> {
        serde_json::from_str(json).map_err(|error| Error::say("prices.json", "is not read", &error))
    }

    /// The bill for a thousand calls of these warm steps, each with its measured time.
    #[must_use]
    pub fn bill(&self, call: &[Step], measured: &[Measured], hotline: &Hotline) -> Bill {
        let mut warm = Quantities::default();
        let mut starts = Quantities::default();
        for step in call {
            let memory_mb = hotline.declared(&step.bin).map_or(256, |declared| declared.memory_mb);
            self.invocation(step, memory_mb, measured, &mut warm);
            start(step, memory_mb, measured, &mut starts);
        }
        let share = self.assumptions.starts_per_1000_invocations / 1000.0;
        let mut lines = Vec::new();
        let (mut total_usd, mut starts_usd) = (0.0, 0.0);
        for (id, price) in &self.prices {
            let of = |quantities: &Quantities| quantities.0.get(id.as_str()).copied().unwrap_or_default() * CALLS;
            let (warm, starts) = (of(&warm), of(&starts) * share);
            let usd = (warm + starts) * price.usd / price.per;
            total_usd += usd;
            starts_usd += starts * price.usd / price.per;
            lines.push(Line { what: price.what.clone(), quantity: warm + starts, usd, as_of: price.as_of.clone() });
        }
        lines.sort_by(|one, other| other.usd.total_cmp(&one.usd));
        let starts_per_1000_invocations = self.assumptions.starts_per_1000_invocations;
        Bill { lines, total_usd, starts_usd, starts_per_1000_invocations }
    }

    fn invocation(&self, step: &Step, memory_mb: u32, measured: &[Measured], total: &mut Quantities) {
        total.add("lambda-request", 1.0);
        if step.bin.starts_with("voice-") {
            total.add("http-api-request", 1.0);
        }
        for call in &step.invocation.calls {
            total.call(&call.kind, call.units, self.assumptions.sqs_requests_per_message);
        }
        total.add("log-gb", f64::from(u32::try_from(step.logged).unwrap_or(u32::MAX)));
        // The largest delay is the one nearest to AWS itself. A function with less memory has less of a processor.
        if let Some(figures) = figures(measured, &step.bin) {
            let own = figures.warm_own.p50 * (self.assumptions.vcpu_at_mb / f64::from(memory_mb)).max(1.0);
            let billed_ms = (own + figures.warm.p50 - figures.warm_own.p50).ceil();
            total.add("lambda-gb-second", billed_ms / 1000.0 * f64::from(memory_mb) / 1024.0);
        }
    }
}

/// What a fresh process costs beyond what every invocation costs. It starts with a whole processor.
fn start(step: &Step, memory_mb: u32, measured: &[Measured], total: &mut Quantities) {
    let Some(figures) = figures(measured, &step.bin) else { return };
    for (calls, sign) in [(&figures.start_calls, 1.0), (&figures.first_calls, 1.0), (&figures.warm_calls, -1.0)] {
        for (kind, times) in calls {
            // The reads that warm a connection up find nothing: half a unit each.
            let times = sign * f64::from(u32::try_from(*times).unwrap_or(u32::MAX));
            total.call(kind, times * if kind.starts_with("dynamodb:") { 0.5 } else { 1.0 }, times.signum());
        }
    }
    let billed_ms = (figures.start.p50 + (figures.first.p50 - figures.warm.p50).max(0.0)).ceil();
    total.add("lambda-gb-second", billed_ms / 1000.0 * f64::from(memory_mb) / 1024.0);
}

/// How many of each priced thing.
#[derive(Debug, Default)]
struct Quantities(BTreeMap<&'static str, f64>);

impl Quantities {
    fn add(&mut self, id: &'static str, quantity: f64) {
        *self.0.entry(id).or_default() += quantity;
    }

    /// Counts a call, or several of a kind: `units` of what is billed.
    fn call(&mut self, kind: &str, units: f64, sqs_requests: f64) {
        match kind {
            "dynamodb:GetItem" | "dynamodb:BatchGetItem" | "dynamodb:Query" => self.add("dynamodb-read-unit", units),
            _ if kind.starts_with("dynamodb:") => self.add("dynamodb-write-unit", units),
            _ if kind.starts_with("sqs:") => self.add("sqs-request", sqs_requests),
            _ if kind.starts_with("kms:") => self.add("kms-request", units),
            _ if kind.starts_with("secretsmanager:") => self.add("secretsmanager-request", units),
            _ => {}
        }
    }
}

fn figures<'a>(measured: &'a [Measured], bin: &str) -> Option<&'a crate::measure::Figures> {
    measured.iter().find(|measured| measured.name == bin)?.at.last()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_price_list_reads_and_every_price_is_dated_and_positive() {
        let prices = Prices::read(include_str!("../data/prices.json")).unwrap();
        assert!(
            prices.prices.values().all(|price| price.usd > 0.0 && price.per > 0.0 && price.as_of.starts_with("20"))
        );
    }

    #[test]
    fn every_quantity_that_is_counted_has_a_price() {
        let prices = Prices::read(include_str!("../data/prices.json")).unwrap();
        let mut quantities = Quantities::default();
        for kind in
            ["dynamodb:Query", "dynamodb:PutItem", "sqs:SendMessage", "kms:Decrypt", "secretsmanager:GetSecretValue"]
        {
            quantities.call(kind, 1.0, 3.0);
        }
        assert_eq!(quantities.0.len(), 5);
        assert!(quantities.0.keys().all(|id| prices.prices.contains_key(*id)));
    }
}
