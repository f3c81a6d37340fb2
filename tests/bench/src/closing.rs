//! Closing a day: the planner for however many tenants, the worker for however many calls of one.
//!
//! What there is in number is a series, so that the stub holds a million calls in little room; each worker's Stripe is
//! the stand-in, and what it received must come to the calls.

use std::time::Duration;

use axum::body::Bytes;
use domain::billing::{Meter, day_end};
use domain::job::Job;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use crate::Error;
use crate::aws::{Aws, Call, Counts, Item, Series, SharedCloud, count};
use crate::hotline::{Hotline, STRIPE_SECRET, queue_event, text};
use crate::sandbox::{Function, Sandbox};
use crate::stats::milliseconds;
use crate::stripe::{Stripe, event_name};

/// Longer than a million calls take.
const LIMIT: Duration = Duration::from_hours(1);
/// Small figures are the median of so many.
const REPEATS: usize = 5;
/// What is larger is measured once.
const REPEATED_BELOW: u32 = 50_000;
/// The partitions of a job's agenda: `platform::store::agenda`.
const SHARDS: u32 = 4;
/// Coprime to 2^32, so that SIDs differ and do not come in the order of their calls.
const STRIDE: u32 = 2_654_435_761;

/// How much is closed.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Tenants that are planned for.
    pub tenants: &'static [u32],
    /// Calls of one tenant.
    pub calls: &'static [u32],
    /// Workers that are run one after the other, to say what one of many tenants takes.
    pub sample: u32,
}

/// What `make bench` measures.
pub const FULL: Sizes = Sizes { tenants: &[10, 1_000, 100_000], calls: &[1_000, 100_000, 1_000_000], sample: 20 };
/// What is enough to see that it works.
pub const QUICK: Sizes = Sizes { tenants: &[10, 1_000], calls: &[1_000, 5_000], sample: 5 };

/// One size, measured.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Closed {
    /// How many tenants, or calls.
    pub size: u32,
    /// Milliseconds in all.
    pub took_ms: f64,
    /// Microseconds of processor time for each: the stub, which shares the machine, has no part in it.
    pub processor_us_each: f64,
    /// Microseconds for each, the stub's included.
    pub us_each: f64,
    /// Calls to AWS.
    pub calls: Counts,
    /// Calls to Stripe.
    pub stripe_calls: u64,
    /// The most memory that the process held.
    pub peak_memory_kib: u64,
}

/// Everything about closing a day.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Closing {
    /// The planner, by tenants.
    pub planner: Vec<Closed>,
    /// The worker, by calls, up to what it sent being put down as processed.
    pub worker: Vec<Closed>,
    /// A worker of a tenant with three calls, as many workers in one process: what the first run takes of each.
    pub sample: Option<Closed>,
    /// What the run takes that finds everything confirmed, six hours later.
    pub confirming: Option<Closed>,
}

/// Measures it all.
pub async fn closing(hotline: &Hotline, sizes: Sizes, progress: &dyn Fn(&str)) -> Result<Closing, Error> {
    let planner = hotline.function("jobs-close-usage-day")?;
    let worker = hotline.function("jobs-push-usage")?;
    let mut found = Closing::default();
    for tenants in sizes.tenants {
        progress(&format!("planning the day of {tenants} tenants"));
        found.planner.push(median(*tenants, || plan(&planner, *tenants)).await?);
    }
    for calls in sizes.calls {
        progress(&format!("closing a day of {calls} calls"));
        found.worker.push(median(*calls, || async { Day::open(&worker, 1, *calls).await?.close().await }).await?);
    }
    progress("closing the day of some tenants");
    let mut day = Day::open(&worker, sizes.sample, 3).await?;
    found.sample = Some(day.close().await?);
    found.confirming = Some(day.confirm().await?);
    Ok(found)
}

/// The run in the middle of some, by its processor time.
async fn median<F: Future<Output = Result<Closed, Error>>>(size: u32, run: impl Fn() -> F) -> Result<Closed, Error> {
    let repeats = if size < REPEATED_BELOW { REPEATS } else { 1 };
    let mut runs = Vec::new();
    for _ in 0..repeats {
        runs.push(run().await?);
    }
    runs.sort_by(|one: &Closed, other| one.processor_us_each.total_cmp(&other.processor_us_each));
    let middle = runs.len() / 2;
    runs.into_iter().nth(middle).ok_or_else(|| Error::say("closing a day", "was not measured", &size))
}

/// A size that took this long, of a process that had had so much of the processor before.
fn closed(
    size: u32,
    took: Duration,
    calls: &[Call],
    stripe_calls: u64,
    sandbox: &Sandbox,
    before: Duration,
) -> Result<Closed, Error> {
    let processor = sandbox.processor_time()?.saturating_sub(before);
    let each = |time: Duration| milliseconds(time) * 1000.0 / f64::from(size.max(1));
    Ok(Closed {
        size,
        took_ms: milliseconds(took),
        processor_us_each: each(processor),
        us_each: each(took),
        calls: count(calls),
        stripe_calls,
        peak_memory_kib: sandbox.peak_memory_kib().unwrap_or_default(),
    })
}

/// A tenant's id, of the shape that ids have.
fn tenant(number: u32) -> String {
    format!("t-{number:026}")
}

/// Where a tenant's entry lies: `platform::store::agenda` spreads them so.
fn shard(tenant: &str) -> u32 {
    tenant.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % SHARDS
}

fn entry(tenant: &str, day: Date, at: Timestamp) -> (String, String) {
    (format!("{}#{}", Job::PushUsage, shard(tenant)), format!("{at}#{tenant}#{day}"))
}

fn item(value: Value) -> Item {
    match value {
        Value::Object(item) => item,
        _ => Item::new(),
    }
}

/// The planner, for tenants that each have a day to be closed.
async fn plan(function: &Function, tenants: u32) -> Result<Closed, Error> {
    let cloud = SharedCloud::default();
    let day = Date::constant(2026, 11, 1);
    let at = day_end(day) + SignedDuration::from_mins(10);
    let pattern = item(json!({ "pk": { "S": "<pk>" }, "sk": { "S": "<sk>" }, "marks": { "N": "1" } }));
    let fill = move |number: u32| {
        let (pk, sk) = entry(&tenant(number), day, at);
        vec![pk, sk]
    };
    cloud.lock().stock("agenda", Series::new(&pattern, &["<pk>", "<sk>"], fill), tenants);
    let mut sandbox = Sandbox::start(function, Aws::listen(&cloud, Duration::ZERO).await?).await?;
    let looks = json!({ "at": at + SignedDuration::from_hours(1) });
    let before = sandbox.processor_time()?;
    let done = sandbox.invoke_within(LIMIT, &looks.to_string().into()).await?;
    let summoned = u64::try_from(cloud.lock().messages.len()).unwrap_or_default();
    if done.failed || summoned != u64::from(tenants) {
        return Err(Error::say(&function.name, "planned otherwise", &String::from_utf8_lossy(&done.body)));
    }
    closed(tenants, done.took, &done.calls, 0, &sandbox, before)
}

/// A day of some tenants with some calls each.
struct Day {
    function: Function,
    cloud: SharedCloud,
    stripe: Stripe,
    sandbox: Sandbox,
    tenants: u32,
    calls: u32,
    now: Timestamp,
}

impl Day {
    async fn open(function: &Function, tenants: u32, calls: u32) -> Result<Self, Error> {
        let (cloud, stripe) = (SharedCloud::default(), Stripe::open().await?);
        let clock = stripe.now().await?;
        let today = clock.to_zoned(TimeZone::UTC).date();
        let day = today.yesterday().map_err(|error| Error::say("a day", "has none before it", &error))?;
        let secret = stripe.secret().await?;
        let mut customers = Vec::new();
        for number in 0..tenants {
            customers.push((tenant(number), stripe.customer("A shop").await?));
        }
        {
            let mut cloud = cloud.lock();
            cloud.secrets.insert(STRIPE_SECRET.to_owned(), secret.json);
            for (tenant, customer) in customers {
                let (pk, sk) = entry(&tenant, day, day_end(day) + SignedDuration::from_mins(10));
                cloud.put("agenda", item(json!({ "pk": { "S": pk }, "sk": { "S": sk }, "marks": { "N": "1" } })));
                let billing =
                    json!({ "pk": { "S": tenant }, "sk": { "S": "billing" }, "stripe_customer": { "S": customer } });
                cloud.put("accounts", item(billing));
            }
            let of = move |number: u32| tenant(number / calls.max(1));
            let fill = move |number: u32| {
                let sid = number.wrapping_mul(STRIDE);
                vec![format!("{}#{day}", of(number)), format!("CA{sid:08x}{sid:08x}{sid:08x}{sid:08x}")]
            };
            // As `store::usage` writes them.
            let row = item(json!({
                "pk": { "S": "<pk>" }, "sk": { "S": "<sid>" }, "status": { "S": "completed" }, "seconds": { "N": "61" },
                "billed_minutes": { "N": "2" }, "sequence": { "N": "1" }, "rank": { "N": "288230444871188480" },
                "ended_at": { "S": "2026-11-21T20:00:49Z" }, "recorded_at": { "S": "2026-11-21T20:00:50.123456789Z" },
                "code": { "S": "1" },
            }));
            cloud.stock("usage", Series::new(&row, &["<pk>", "<sid>"], fill), tenants * calls);
        }
        let mut function = function.clone();
        function.env.insert("STRIPE_BASE_URL".to_owned(), stripe.url().to_owned());
        let sandbox = Sandbox::start(&function, Aws::listen(&cloud, Duration::ZERO).await?).await?;
        let now = clock.max(day_end(day) + SignedDuration::from_hours(1));
        stripe.set(now).await?;
        Ok(Self { function, cloud, stripe, sandbox, tenants, calls, now })
    }

    /// Every worker once; all of it must then be at Stripe.
    async fn close(&mut self) -> Result<Closed, Error> {
        let closed = self.run().await?;
        let expected = u64::from(self.tenants) * u64::from(self.calls);
        for (meter, expected) in [(Meter::Calls, expected), (Meter::Minutes, 2 * expected)] {
            let received = self.stripe.received().await?;
            let of_meter = received.iter().filter(|event| event.event_name == event_name(meter));
            let counts: u64 = of_meter.map(|event| event.counts).sum();
            if counts != expected {
                return Err(Error::say(&self.function.name, "billed otherwise", &format!("{counts}, not {expected}")));
            }
        }
        Ok(closed)
    }

    /// Every worker once more, when Stripe's summaries are believed; then nobody is to be called any more.
    async fn confirm(&mut self) -> Result<Closed, Error> {
        self.now += SignedDuration::from_hours(7);
        self.stripe.set(self.now).await?;
        let closed = self.run().await?;
        match self.cloud.lock().all("agenda").next() {
            None => Ok(closed),
            Some(entry) => Err(Error::say(&self.function.name, "is not done", &format!("{entry:?}"))),
        }
    }

    async fn run(&mut self) -> Result<Closed, Error> {
        let (before, stripe_calls) = (self.sandbox.processor_time()?, self.stripe.calls().await?);
        let entries: Vec<Item> = self.cloud.lock().all("agenda").collect();
        let (mut took, mut calls) = (Duration::ZERO, Vec::new());
        for entry in entries {
            let sk = text(&entry, "sk").unwrap_or_default();
            let mut parts = sk.splitn(3, '#');
            let (at, tenant, what) = (parts.next(), parts.next(), parts.next());
            let summons = json!({ "job": Job::PushUsage, "tenant": tenant, "at": at, "what": what, "by": self.now });
            let event: Bytes = queue_event("push-usage", &summons.to_string());
            let done = self.sandbox.invoke_within(LIMIT, &event).await?;
            let answer: Value = serde_json::from_slice(&done.body).unwrap_or_default();
            if done.failed || answer.get("batchItemFailures") != Some(&json!([])) {
                return Err(Error::say(&self.function.name, "fails", &String::from_utf8_lossy(&done.body)));
            }
            took += done.took;
            calls.extend(done.calls);
        }
        let size = if self.tenants > 1 { self.tenants } else { self.calls };
        let stripe_calls = self.stripe.calls().await? - stripe_calls;
        closed(size, took, &calls, stripe_calls, &self.sandbox, before)
    }
}
