//! `jobs-replay-usage`: has the push worker look at a tenant's days once more, or says what it would find there.
//!
//! It bills nothing itself, so it is always safe: it enters days into the agenda, and the worker, which decides by what the
//! ledger, the batches and Stripe say, does nothing about a day that is done. A dry run changes nothing at all.

use std::collections::BTreeMap;

use domain::billing::{Amount, Batch, Difference, Meter, Rows, Standing, Step, check, standing};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use platform::store::DayOfBilling;
use platform::{App, Error};
use serde::{Deserialize, Serialize};

/// The most days of one order: a quarter, and more than Stripe takes usage for.
const MOST_DAYS: usize = 92;

/// Which days, and whose.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Order {
    /// The operator's own name for the tenant.
    pub tenant: String,
    /// The first day, in UTC.
    pub from: Date,
    /// The last.
    pub to: Date,
    /// Only looks, and changes nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What was found, and done.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Done {
    /// Whether the tenant has a Stripe customer; without one nothing can be sent.
    pub customer: bool,
    /// Each day of the range with calls.
    pub days: Vec<OfDay>,
}

/// A day as it is, and what the worker will make of it.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OfDay {
    /// Which, in UTC.
    pub day: Date,
    /// How it stands.
    pub standing: Standing,
    /// What its calls come to, counted anew.
    pub rows: Amount,
    /// Those of them that no batch has.
    pub unprocessed: Amount,
    /// Its batches.
    pub batches: Vec<OfBatch>,
    /// What the rows, the sums and the batches disagree about.
    pub differences: Vec<Difference>,
    /// What the worker will do, in codes: `bill`, `send`, `cancel`, `wait`, `compare`, `expire`, `ask`, `count`.
    pub would: Vec<&'static str>,
    /// Whether the day was entered for the worker.
    pub arranged: bool,
}

/// A batch as it is.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OfBatch {
    /// Its number.
    pub number: u32,
    /// What it was counted with; nothing while it is being filled.
    pub counted: Option<Amount>,
    /// Whether nothing more is to do about it.
    pub settled: bool,
    /// How far each of its meter events is, by meter.
    pub events: BTreeMap<&'static str, &'static str>,
}

/// Looks at the days and, unless it only looks, enters them.
pub async fn handle(app: &App, order: Order) -> Result<Done, Error> {
    let days = days(order.from, order.to)?;
    let tenant = app.store.tenant_of_slug(&order.tenant).await?.ok_or(Error::NotFound)?;
    app.about(&tenant);
    let store = app.store.of(&tenant);
    let customer = store.billing_account().await?.stripe_customer.is_some();
    let mut done = Done { customer, days: vec![] };
    let mut month: Option<(Date, BTreeMap<Date, DayOfBilling>)> = None;
    for day in days {
        let first = day.first_of_month();
        if month.as_ref().is_none_or(|(known, _)| *known != first) {
            month = Some((first, store.month_of_billing(first).await?));
        }
        let of_day = month.as_mut().and_then(|(_, days)| days.remove(&day)).unwrap_or_default();
        let rows = store.rows_of_day(day).await?;
        if rows.all().calls == 0 && of_day == DayOfBilling::default() {
            continue;
        }
        let mut seen = see(day, &rows, &of_day, app.clock.now());
        if !order.dry_run {
            // As a call that comes late: at this minute, so that nothing seems to have waited since the day was closed.
            app.store.mark_day(&tenant, day).await?;
            seen.arranged = true;
        }
        done.days.push(seen);
    }
    Ok(done)
}

fn days(from: Date, to: Date) -> Result<Vec<Date>, Error> {
    let days: Vec<Date> = from.series(1.day()).take_while(|day| *day <= to).take(MOST_DAYS + 1).collect();
    match days.len() {
        0 => Err(Error::invalid("to", "the last day is before the first")),
        n if n > MOST_DAYS => Err(Error::invalid("to", "more than 92 days; take a quarter at a time")),
        _ => Ok(days),
    }
}

fn see(day: Date, rows: &Rows, of_day: &DayOfBilling, now: Timestamp) -> OfDay {
    let count = |n: i64| u64::try_from(n).unwrap_or_default();
    let sums = Amount { calls: count(of_day.used.calls), minutes: count(of_day.used.minutes) };
    let unprocessed = rows.unprocessed.calls > 0;
    let mut would: Vec<&'static str> = vec![];
    if unprocessed {
        would.push("bill");
    }
    for batch in &of_day.batches {
        if batch.content.is_none() || batch.stale {
            would.push("count");
        }
        would.extend(Meter::ALL.into_iter().filter_map(|meter| next(&batch.step(meter, now))));
    }
    would.sort_unstable();
    would.dedup();
    OfDay {
        day,
        standing: standing(day, unprocessed, &of_day.batches, now),
        rows: rows.all(),
        unprocessed: rows.unprocessed,
        batches: of_day.batches.iter().map(of_batch).collect(),
        differences: check::differences(rows, sums, &of_day.batches),
        would,
        arranged: false,
    }
}

fn of_batch(batch: &Batch) -> OfBatch {
    OfBatch {
        number: batch.number,
        counted: batch.content.as_ref().map(|it| Amount { calls: it.calls, minutes: it.minutes }),
        settled: batch.is_final(),
        events: batch.lines.iter().map(|(meter, line)| (meter.code(), line.state.code())).collect(),
    }
}

const fn next(step: &Step) -> Option<&'static str> {
    match step {
        Step::Nothing => None,
        Step::Send(_) => Some("send"),
        Step::Cancel(_) => Some("cancel"),
        Step::Wait(_) => Some("wait"),
        Step::ReadSummaries => Some("compare"),
        Step::Expire => Some("expire"),
        Step::AskAPerson => Some("ask"),
    }
}

#[cfg(test)]
mod tests {
    use domain::billing::{Counting, Event, Unit};
    use jiff::civil::date;
    use platform::store::DayOfUse;

    use super::*;

    const NOW: &str = "2026-11-21T05:00:00Z";

    fn batch() -> Batch {
        let mut counting = Counting::default();
        counting.add("CA1", 2).unwrap();
        let open = Batch::open("t-a", date(2026, 11, 20), 1, 1);
        open.next(Event::Counted { fence: 1, content: counting.finish().unwrap() }).unwrap()
    }

    #[test]
    fn a_day_says_what_its_worker_will_do() {
        let mut rows = Rows::default();
        rows.add(Unit::Claimed { batch: 1 }, 2, false);
        rows.add(Unit::Unprocessed, 3, false);
        let used = DayOfUse { calls: 2, seconds: 200, minutes: 5 };
        let of_day = DayOfBilling { used, batches: vec![batch()], ..DayOfBilling::default() };
        let seen = see(date(2026, 11, 20), &rows, &of_day, NOW.parse().unwrap());
        insta::assert_json_snapshot!(seen);
    }

    #[test]
    fn a_day_that_is_done_asks_for_nothing() {
        let day = date(2026, 11, 20);
        let seen = see(day, &Rows::default(), &DayOfBilling::default(), NOW.parse().unwrap());
        assert_eq!((seen.standing, seen.would.len(), seen.differences.len()), (Standing::Settled, 0, 0));
    }

    #[test]
    fn a_range_has_at_least_a_day_and_at_most_a_quarter() {
        let day = date(2026, 11, 20);
        assert_eq!(days(day, day).unwrap(), [day]);
        assert_eq!(days(date(2026, 9, 1), date(2026, 12, 1)).unwrap().len(), 92);
        assert!(days(date(2026, 9, 1), date(2026, 12, 2)).is_err());
        assert!(days(day, date(2026, 11, 19)).is_err());
    }

    #[test]
    fn an_order_bills_nothing_and_may_only_look() {
        let order = r#"{"tenant": "shop", "from": "2026-11-01", "to": "2026-11-20", "dry-run": true}"#;
        assert!(serde_json::from_str::<Order>(order).unwrap().dry_run);
        assert!(serde_json::from_str::<Order>(r#"{"tenant": "shop", "from": "2026-11-01"}"#).is_err());
    }
}
