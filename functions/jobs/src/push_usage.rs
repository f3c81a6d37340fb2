//! `jobs-push-usage`: a tenant's day of usage goes to Stripe, each call exactly once.
//!
//! What may be done when is decided by [`domain::billing`]; this makes the calls, in the order of its table. Every write
//! asks whether the day is still this worker's and whether the batch is what was read. A worker that finds it is not
//! stops, and begins anew or is called again. So it may be killed anywhere, come twice or crawl: what it has written says
//! how to go on, and what it may have sent is found again at Stripe before anything is sent anew.
//!
//! It holds a page of calls at a time, however many a day has, and when its time runs out it asks to be called again.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::billing::{
    Answer, Batch, Content, Counting, Event, Finding, LIFE, Meter, Refused, Standing, Step, Unit, UnitStep, day_end,
    reconcile, standings,
};
use domain::job::Job;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use partners::stripe::meter_event::{Grouping, MeterEvent, Receipt, Value};
use partners::stripe::rest::StripeError;
use partners::stripe::{CustomerId, MeterId, rest};
use platform::edge::{Ran, Work};
use platform::secrets::StripeSecrets;
use platform::store::{AT_ONCE, Counts, DayOfUse, Halt, Lease, Taken, TenantStore, Which, closes_at};
use platform::tenant::Tenant;
use platform::{App, Error};

/// How often a run begins anew when something else was written in between.
const ROUNDS: u32 = 4;
/// The minute of an hour at which planners plan this (`PushUsageSchedule`). Whoever wants to be called again says one of
/// these times, so that all who want it for the same hour are one entry of the agenda.
const PLANNED_AT: i64 = 20;
/// How often a day is looked at for which nobody can be billed yet.
const LOOK_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// How often a day is looked at that waits for a person, so that it is not forgotten.
const REMIND_EVERY: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long a call to Stripe may take, with all its tries.
const STRIPE_TAKES: SignedDuration = SignedDuration::from_secs(46);

const NO_CUSTOMER: &str = "no Stripe customer";
pub(crate) const NO_SUCH_CUSTOMER: &str = "Stripe does not know the customer";
const NOT_SET_UP: &str = "Stripe is not set up";

/// Goes on with a day, as far as it can be gone on with now.
pub async fn handle(app: &App, work: &Work) -> Result<Ran, Error> {
    let tenant = &work.due.tenant;
    let day: Date = work.due.what.parse().map_err(|_| Error::invalid("what", "it is no day"))?;
    if *tenant == Tenant::platform() {
        return Ok(Ran::done().because("calls that reached nobody are not billed"));
    }
    let store = app.store.of(tenant);
    // By a clock that was moved ahead it can be called while calls still come, and whoever writes those relies on this.
    if app.clock.now() < closes_at(day) {
        store.arrange(Job::PushUsage, closes_at(day), &work.due.what).await?;
    }
    let ahead = ahead(app, work);
    if plus(app.clock.now(), ahead) < day_end(day) {
        return Ok(Ran::again(closes_at(day)).because("the day is not over"));
    }
    let account = account(app, store).await?;
    let missing = account.as_ref().err().copied();
    if let Some((at, why)) = only_waits(store, tenant, day, missing, plus(app.clock.now(), ahead)).await? {
        return Ok(Ran::again(at).because(why));
    }
    let mut counts = Counts::new();
    let mut stopped = None;
    for _ in 0..ROUNDS {
        let Taken { lease, customers } = store.take_day(day).await?;
        let (until, account) = (work.until, &account);
        let mut run = Run { app, store, tenant, until, ahead, lease, customers, account, counts, why: None };
        let done = run.night().await;
        counts = run.counts;
        stopped = Some(match done {
            Ok(next) => {
                let ran = next.map_or_else(Ran::done, |(at, why)| Ran::again(at).because(why));
                return Ok(Ran { counted: counts, ..ran });
            }
            Err(Stop::Failed(error)) => return Err(error),
            Err(Stop::Changed) => continue,
            Err(stopped) => stopped,
        });
        break;
    }
    let now = plus(app.clock.now(), ahead);
    let ran = match stopped {
        // It goes on where we were; somebody looks again when its life is over.
        Some(Stop::Fenced) => Ran::again(next_planning(plus(now, LIFE))).because("another worker has the day"),
        Some(Stop::TimeIsUp) => Ran::again(next_planning(now)).because("there is more than fits into one run"),
        Some(Stop::Busy) => Ran::again(next_planning(now)).because("the table is too busy"),
        _ => Ran::again(next_planning(now)).because("others write at the same time"),
    };
    Ok(Ran { counted: counts, ..ran })
}

/// When to look again at a day about which nothing can be done here. Its calls are not read for that.
async fn only_waits(
    store: TenantStore<'_>,
    tenant: &Tenant,
    day: Date,
    missing: Option<&'static str>,
    now: Timestamp,
) -> Result<Next, Error> {
    let batches = store.batches_of_day(day).await?;
    if !all_wait(&batches, missing.is_some(), now) || !has_all(&batches, store.use_of_day(day).await?) {
        return Ok(None);
    }
    let next = Waiting { day, missing, why: None, not_before: None }.next_call(&batches, now);
    tell(tenant, day, &batches, missing, next, now);
    Ok(next)
}

/// Whether each batch was counted and waits for a person or, where nobody can be billed, for somebody who can. One that
/// Stripe has is left out: its calls may not be put down as processed yet.
fn all_wait(batches: &[Batch], missing: bool, now: Timestamp) -> bool {
    let waits = |step: Step| match step {
        Step::Nothing | Step::AskAPerson => true,
        Step::Send(_) | Step::Cancel(_) | Step::Wait(_) | Step::ReadSummaries => missing,
        Step::Expire => false,
    };
    let all = |batch: &Batch| Meter::ALL.into_iter().all(|meter| waits(batch.step(meter, now)));
    !batches.is_empty()
        && batches.iter().all(|batch| batch.content.is_some() && !batch.stale && !batch.is_sent() && all(batch))
}

/// Whether the batches have all calls that the day's sums know of.
fn has_all(batches: &[Batch], used: DayOfUse) -> bool {
    let counted = batches.iter().filter_map(|batch| batch.content.as_ref());
    let (calls, minutes) =
        counted.fold((0, 0), |(calls, minutes), content| (calls + content.calls, minutes + content.minutes));
    (u64::try_from(used.calls), u64::try_from(used.minutes)) == (Ok(calls), Ok(minutes))
}

/// How far the planner's clock is ahead. Only where Stripe is a stand-in: the real one's clock does not move along, and
/// what is not in its summaries yet would be sent again.
fn ahead(app: &App, work: &Work) -> SignedDuration {
    if !app.config.is_local() {
        return SignedDuration::ZERO;
    }
    work.now.duration_since(app.clock.now()).max(SignedDuration::ZERO)
}

/// Who is billed, and how; or why nobody can be.
type Account = Result<Billed, &'static str>;

struct Billed {
    client: Arc<rest::Client>,
    customer: CustomerId,
    secrets: Arc<StripeSecrets>,
}

async fn account(app: &App, store: TenantStore<'_>) -> Result<Account, Error> {
    let secrets = app.stripe_secrets().await?;
    if !secrets.is_set_up() {
        return Ok(Err(NOT_SET_UP));
    }
    let Some(customer) = store.billing_account().await?.stripe_customer else { return Ok(Err(NO_CUSTOMER)) };
    Ok(Ok(Billed { client: app.stripe().await?, customer, secrets }))
}

/// Why a run ends before its end. What it has written stands.
enum Stop {
    Fenced,
    Changed,
    Busy,
    TimeIsUp,
    Failed(Error),
}

impl From<Halt> for Stop {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Fenced => Self::Fenced,
            Halt::Changed => Self::Changed,
            Halt::Busy => Self::Busy,
            Halt::Failed(error) => Self::Failed(error),
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Halt::from(refused).into()
    }
}

/// When to be called again, and what is waited for.
type Next = Option<(Timestamp, &'static str)>;

/// A day in a worker's hands.
struct Run<'a> {
    app: &'a App,
    store: TenantStore<'a>,
    tenant: &'a Tenant,
    until: Timestamp,
    /// How far the planner's clock is ahead of ours.
    ahead: SignedDuration,
    lease: Lease,
    /// To whom any of the day was sent. An event counts once, whoever it was sent to.
    customers: Vec<CustomerId>,
    account: &'a Account,
    counts: Counts,
    /// What went wrong last.
    why: Option<&'static str>,
}

impl Run<'_> {
    fn now(&self) -> Timestamp {
        plus(self.app.clock.now(), self.ahead)
    }

    /// Stops where less than this is left of the run's time.
    fn leave(&self, needed: SignedDuration) -> Result<(), Stop> {
        if plus(self.app.clock.now(), needed) < self.until { Ok(()) } else { Err(Stop::TimeIsUp) }
    }

    fn count(&mut self, word: &'static str, count: usize) {
        *self.counts.entry(word).or_default() += u64::try_from(count).unwrap_or(u64::MAX);
    }

    /// Everything that can be done now, in order.
    async fn night(&mut self) -> Result<Next, Stop> {
        self.claim().await?;
        self.count_again().await?;
        self.send_all().await?;
        let (missing, mut not_before) = self.reconcile_all().await?;
        if missing {
            self.send_all().await?;
            not_before = None;
        }
        self.process().await?;
        self.finish(not_before).await
    }

    /// Claims what no batch has, page by page, and counts it.
    async fn claim(&mut self) -> Result<(), Stop> {
        let (day, fence) = (self.lease.day, self.lease.fence);
        let batches = self.store.batches_of_day(day).await?;
        let last = batches.iter().map(|batch| batch.number).max().unwrap_or_default();
        let mut batch = match batches.into_iter().find(|batch| batch.content.is_none()) {
            Some(open) => Some(self.store.step_batch(self.lease, &open, Event::Opened { fence }).await?.number),
            None => None,
        };
        let mut from = None;
        loop {
            self.leave(SignedDuration::ZERO)?;
            let page = self.store.some_units_of_day(day, Which::Unprocessed, from).await?;
            let calls: Vec<String> = page.units.into_iter().map(|unit| unit.call).collect();
            for calls in calls.chunks(AT_ONCE) {
                self.leave(SignedDuration::ZERO)?;
                let number = match batch {
                    Some(number) => number,
                    None => {
                        let new = Batch::open(self.tenant.id().as_str(), day, last + 1, fence);
                        self.store.open_batch(self.lease, &new).await?;
                        *batch.insert(new.number)
                    }
                };
                self.store.claim_units(self.lease, number, calls).await?;
                self.count("calls claimed", calls.len());
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        let Some(number) = batch else { return Ok(()) };
        // First the batch, then its calls: whatever is corrected after this read makes the write below fail.
        let read = self.read(number).await?;
        match self.count_calls(number).await {
            Ok(content) => {
                self.store.step_batch(self.lease, &read, Event::Counted { fence, content }).await?;
            }
            // Opened, and its maker stopped before it had claimed anything; calls will come to it.
            Err(Counted::Empty) => {}
            Err(Counted::Stop(stop)) => return Err(stop),
        }
        Ok(())
    }

    /// Counts again what was corrected since it was counted.
    async fn count_again(&mut self) -> Result<(), Stop> {
        let batches = self.store.batches_of_day(self.lease.day).await?;
        for stale in batches.into_iter().filter(|batch| batch.stale) {
            let read = self.read(stale.number).await?;
            let content = match self.count_calls(stale.number).await {
                Ok(content) => content,
                Err(Counted::Empty) => return Err(Stop::Changed),
                Err(Counted::Stop(stop)) => return Err(stop),
            };
            self.store.step_batch(self.lease, &read, Event::Corrected { content }).await?;
            self.count("batches corrected", 1);
        }
        Ok(())
    }

    async fn read(&self, number: u32) -> Result<Batch, Stop> {
        self.store.batch(self.lease.day, number).await?.ok_or(Stop::Changed)
    }

    async fn count_calls(&self, number: u32) -> Result<Content, Counted> {
        let (mut counting, mut from) = (Counting::default(), None);
        loop {
            self.leave(SignedDuration::ZERO)?;
            let page =
                self.store.some_units_of_day(self.lease.day, Which::Of(number), from).await.map_err(Stop::from)?;
            for unit in &page.units {
                counting.add(&unit.call, unit.minutes).map_err(Stop::from)?;
            }
            from = page.next;
            if from.is_none() {
                return counting.finish().map_err(|_| Counted::Empty);
            }
        }
    }

    /// Sends and cancels what is to be sent and cancelled now.
    async fn send_all(&mut self) -> Result<(), Stop> {
        let numbers: Vec<u32> =
            self.store.batches_of_day(self.lease.day).await?.into_iter().map(|batch| batch.number).collect();
        for number in numbers {
            for meter in Meter::ALL {
                // Cancelled, then sent anew: two calls at most.
                for _ in 0..2 {
                    if !self.send_one(number, meter).await? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Makes one request, if one is to be made. Whether another may follow at once.
    async fn send_one(&mut self, number: u32, meter: Meter) -> Result<bool, Stop> {
        let (read, at) = (self.read(number).await?, self.now());
        let (send, cancel) = match read.step(meter, at) {
            Step::Send(send) => (send, false),
            Step::Cancel(send) => (send, true),
            Step::Expire => {
                self.store.step_batch(self.lease, &read, Event::Expired { meter, at }).await?;
                self.count("events expired", 1);
                return Ok(false);
            }
            Step::Nothing | Step::Wait(_) | Step::ReadSummaries | Step::AskAPerson => return Ok(false),
        };
        let Ok(billed) = self.account else { return Ok(false) };
        let Some(setup) = billed.secrets.meter(meter) else { return Ok(false) };
        self.leave(STRIPE_TAKES)?;
        if !self.customers.contains(&billed.customer) {
            self.store.send_day_to(self.lease, &billed.customer).await?;
            self.customers.push(billed.customer.clone());
        }
        let tried = if cancel { Event::CancelTried { meter, at } } else { Event::Tried { meter, at } };
        self.store.step_batch(self.lease, &read, tried).await?;
        if self.now() > send.not_after {
            return Err(Stop::Changed);
        }
        let said = if cancel {
            let done = billed.client.cancel_meter_event(&setup.event_name, &send.identifier, &send.key).await;
            done.map(|done| done.request_id)
        } else {
            let value = Value::whole(send.value).map_err(Error::failed("writing down an amount"))?;
            let event = MeterEvent {
                event_name: &setup.event_name,
                customer: &billed.customer,
                value: &value,
                identifier: &send.identifier,
                at: send.at,
            };
            let received = billed.client.send_meter_event(&event, &send.key).await;
            received.map(|receipt| match receipt {
                Receipt::Received { request_id } | Receipt::AlreadyThere { request_id } => request_id,
            })
        };
        if let Err(error) = &said {
            self.why = Some(told(error));
            tracing::error!(
                tenant = self.tenant.id().as_str(),
                day = %self.lease.day,
                batch = number,
                meter = meter.code(),
                error = %error,
                "Stripe did not take an event"
            );
        } else {
            self.count(if cancel { "events cancelled" } else { "events sent" }, 1);
        }
        let answer = answer(said);
        let again = cancel && matches!(answer, Answer::Done { .. });
        let event = if cancel { Event::CancelAnswered { meter, answer } } else { Event::Answered { meter, answer } };
        // A report may have been written in between; what was answered is written on top of it.
        for _ in 0..ROUNDS {
            let read = self.read(number).await?;
            match self.store.step_batch(self.lease, &read, event.clone()).await {
                Err(Halt::Changed) => {}
                written => {
                    written?;
                    return Ok(again);
                }
            }
        }
        Err(Stop::Changed)
    }

    /// Holds Stripe's summaries against the batches. Whether something is missing there, and before what time another
    /// reading says nothing.
    async fn reconcile_all(&mut self) -> Result<(bool, Option<Timestamp>), Stop> {
        let (mut missing, mut not_before) = (false, None);
        let Ok(billed) = self.account else { return Ok((missing, not_before)) };
        for meter in Meter::ALL {
            // First the batches, then the summaries: what is sent in between is in the summaries at most.
            let (batches, read_at) = (self.store.batches_of_day(self.lease.day).await?, self.now());
            if !batches.iter().any(|batch| batch.step(meter, read_at) == Step::ReadSummaries) {
                continue;
            }
            let Some(setup) = billed.secrets.meter(meter) else { continue };
            self.leave(STRIPE_TAKES)?;
            let found = match self.read_summaries(billed, &setup.id).await? {
                Ok(found) => found,
                Err(why) => {
                    self.why = Some(why);
                    continue;
                }
            };
            let reconciled = match reconcile(&batches, meter, found, read_at) {
                Ok(reconciled) => reconciled,
                Err(at) => {
                    not_before = not_before.max(Some(at));
                    continue;
                }
            };
            for (number, finding) in reconciled.findings {
                let Some(read) = batches.iter().find(|batch| batch.number == number) else { continue };
                missing |= finding == Finding::Absent;
                let word = match finding {
                    Finding::There { .. } => "events confirmed",
                    Finding::Absent => "events missing",
                    Finding::Unexplained { .. } => "events held",
                };
                self.store.step_batch(self.lease, read, Event::Found { meter, finding, at: read_at }).await?;
                self.count(word, 1);
            }
        }
        Ok((missing, not_before))
    }

    /// What Stripe's summaries of the day come to for everybody that any of it was sent to; or why they cannot be read.
    async fn read_summaries(&self, billed: &Billed, meter: &MeterId) -> Result<Result<u64, &'static str>, Stop> {
        let (from, to) = (day_start(self.lease.day), day_end(self.lease.day));
        let mut found = 0_u64;
        for customer in &self.customers {
            self.leave(STRIPE_TAKES)?;
            match billed.client.event_summaries(meter, customer, from, to, Grouping::Whole).await {
                Ok(summaries) => match sum(summaries.iter().map(|summary| &summary.value)) {
                    Some(sum) => found = found.saturating_add(sum),
                    None => return Ok(Err("Stripe's summaries are no whole numbers")),
                },
                // For one that there is not, nothing counts. The tenant's own somebody must put right.
                Err(error) if told(&error) == NO_SUCH_CUSTOMER && *customer != billed.customer => {}
                Err(error) => {
                    let (tenant, day, meter) = (self.tenant.id().as_str(), self.lease.day.to_string(), meter.as_str());
                    tracing::error!(tenant, day, meter, error = %error, "Stripe's summaries could not be read");
                    return Ok(Err(told(&error)));
                }
            }
        }
        Ok(Ok(found))
    }

    /// Puts down as processed what Stripe has.
    async fn process(&mut self) -> Result<(), Stop> {
        let batches = self.store.batches_of_day(self.lease.day).await?;
        let sent: BTreeSet<u32> = batches.iter().filter(|batch| batch.is_sent()).map(|batch| batch.number).collect();
        if sent.is_empty() {
            return Ok(());
        }
        let mut from = None;
        loop {
            self.leave(SignedDuration::ZERO)?;
            let page = self.store.some_units_of_day(self.lease.day, Which::Claimed, from).await?;
            let mut calls = vec![];
            for unit in page.units {
                if let Unit::Claimed { batch } = unit.unit
                    && sent.contains(&batch)
                {
                    unit.unit.next(UnitStep::Process(batch))?;
                    calls.push((unit.call, batch));
                }
            }
            for calls in calls.chunks(AT_ONCE) {
                self.leave(SignedDuration::ZERO)?;
                self.store.process_units(self.lease, calls).await?;
                self.count("calls processed", calls.len());
            }
            from = page.next;
            if from.is_none() {
                return Ok(());
            }
        }
    }

    /// When to be called again; nothing where all is settled. What comes up from now on enters itself.
    async fn finish(&self, not_before: Option<Timestamp>) -> Result<Next, Stop> {
        let (batches, now, day) = (self.store.batches_of_day(self.lease.day).await?, self.now(), self.lease.day);
        let missing = self.account.as_ref().err().copied();
        let next = Waiting { day, missing, why: self.why, not_before }.next_call(&batches, now);
        tell(self.tenant, day, &batches, missing, next, now);
        // As the writes do: who lost the day does not say that it is done.
        if next.is_none() && !self.store.has_day(self.lease).await? {
            return Err(Stop::Fenced);
        }
        Ok(next)
    }
}

/// What a day waits for, besides what its batches say.
struct Waiting {
    day: Date,
    /// Why nobody can be billed.
    missing: Option<&'static str>,
    /// What went wrong last.
    why: Option<&'static str>,
    /// Before what time the summaries say nothing new.
    not_before: Option<Timestamp>,
}

impl Waiting {
    fn next_call(&self, batches: &[Batch], now: Timestamp) -> Next {
        let mut wanted = vec![];
        for batch in batches {
            if batch.content.is_none() || batch.stale {
                wanted.push((next_planning(now), "calls come to a batch"));
            }
            for meter in Meter::ALL {
                wanted.extend(match batch.step(meter, now) {
                    Step::Nothing => None,
                    Step::Wait(at) => Some((planning(at), "Stripe's summaries settle")),
                    Step::AskAPerson => Some((next_look(self.day, REMIND_EVERY, now), "a person must decide")),
                    Step::ReadSummaries if self.not_before.is_some() && self.missing.is_none() => {
                        self.not_before.map(|at| (planning(at), "Stripe's summaries settle"))
                    }
                    Step::Send(_) | Step::Cancel(_) | Step::ReadSummaries | Step::Expire => Some(match self.missing {
                        Some(missing) => (next_look(self.day, LOOK_EVERY, now), missing),
                        None => (next_planning(now), self.why.unwrap_or("an event is to be sent")),
                    }),
                });
            }
        }
        wanted.into_iter().min_by_key(|(at, _)| *at)
    }
}

/// Says what of a day waits for somebody: each trouble by itself, so that none hides another.
fn tell(tenant: &Tenant, day: Date, batches: &[Batch], missing: Option<&str>, next: Next, now: Timestamp) {
    let (tenant, day_named, why) = (tenant.id().as_str(), day.to_string(), next.map_or("", |(_, why)| why));
    for trouble in troubles(day, batches, now) {
        // The alarms "unsent for twenty days", "too old for Stripe" and "needs a decision" count these lines.
        tracing::error!(usage = trouble, tenant, day = day_named, why, "usage waits");
    }
    if let Some(missing) = missing.filter(|_| next.is_some()) {
        // Not an error of ours, and it may be meant: it has an alarm of its own.
        tracing::warn!(usage = "not-billed", tenant, day = day_named, why = missing, "usage is not billed");
    }
}

fn troubles(day: Date, batches: &[Batch], now: Timestamp) -> Vec<&'static str> {
    let named = |standing| match standing {
        Standing::Overdue => Some("overdue"),
        Standing::Expired => Some("expired"),
        Standing::NeedsAPerson => Some("needs-a-person"),
        Standing::Due | Standing::Running | Standing::Settled | Standing::Sent => None,
    };
    standings(day, false, batches, now).into_iter().filter_map(named).collect()
}

/// What became of counting a batch's calls.
enum Counted {
    Empty,
    Stop(Stop),
}

impl From<Stop> for Counted {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

fn plus(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// The first planning that is not before this time.
fn planning(at: Timestamp) -> Timestamp {
    let hour = SignedDuration::from_hours(1);
    let first = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(PLANNED_AT);
    // What comes just after the time before it is just before the time itself.
    after(first, hour, at.saturating_sub(SignedDuration::from_nanos(1)).unwrap_or(at))
}

/// The first planning after this one.
fn next_planning(now: Timestamp) -> Timestamp {
    after(Timestamp::UNIX_EPOCH + SignedDuration::from_mins(PLANNED_AT), SignedDuration::from_hours(1), now)
}

/// When to look again at a day, counted from when it was closed.
fn next_look(day: Date, every: SignedDuration, now: Timestamp) -> Timestamp {
    after(closes_at(day), every, now)
}

/// The first time after `now` of those that follow `first` in equal steps; both are whole seconds.
fn after(first: Timestamp, step: SignedDuration, now: Timestamp) -> Timestamp {
    let (passed, step) = (now.duration_since(first), step.as_secs().max(1));
    if passed.is_negative() {
        return first;
    }
    plus(first, SignedDuration::from_secs((passed.as_secs() / step + 1).saturating_mul(step)))
}

fn day_start(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).map_or(Timestamp::MIN, |start| start.timestamp())
}

/// What the summaries come to; nothing where they hold what we never sent.
pub(crate) fn sum<'a>(values: impl Iterator<Item = &'a Value>) -> Option<u64> {
    values.map(Value::as_whole).sum::<Option<i64>>().and_then(|sum| u64::try_from(sum).ok())
}

/// What came of a call, for the batch.
fn answer(said: Result<String, StripeError>) -> Answer {
    match said {
        Ok(request_id) => Answer::Done { request_id },
        Err(error) if error.perhaps_done() => Answer::Unknown { key_spent: error.key_spent() },
        Err(StripeError::Refused { code, kind, .. }) => {
            Answer::Refused { reason: code.unwrap_or_else(|| kind.to_string()) }
        }
        // Not sent, or not looked at.
        Err(_) => Answer::NothingDone,
    }
}

/// The same for the record of the run.
pub(crate) fn told(error: &StripeError) -> &'static str {
    match error {
        StripeError::Unauthorized { .. } => "Stripe refused the key",
        StripeError::Refused { code: Some(code), param: Some(param), .. }
            if code == "resource_missing" && param == "customer" =>
        {
            NO_SUCH_CUSTOMER
        }
        StripeError::Refused { .. } | StripeError::Unfit { .. } => "Stripe refused an event",
        StripeError::BaseUrl(_) | StripeError::Client(_) => "Stripe cannot be reached from here",
        StripeError::TooLarge { .. } | StripeError::Unreadable { .. } | StripeError::GaveUp { .. } => {
            "Stripe did not answer"
        }
    }
}

#[cfg(test)]
mod tests {
    use partners::stripe::rest::{Cause, ErrorKind};

    use super::*;

    fn gave_up(perhaps_done: bool, key_spent: bool) -> StripeError {
        let cause = Cause::Status(500);
        StripeError::GaveUp { doing: "send", tries: 4, cause, perhaps_done, key_spent, request_id: None }
    }

    fn refused(code: Option<&str>) -> StripeError {
        refused_for(code, None)
    }

    fn refused_for(code: Option<&str>, param: Option<&str>) -> StripeError {
        let (kind, code, param) = (ErrorKind::InvalidRequest, code.map(str::to_owned), param.map(str::to_owned));
        StripeError::Refused { doing: "send", status: 400, kind, code, param, request_id: None }
    }

    #[test]
    fn a_meter_that_is_missing_is_not_taken_for_a_customer_for_whom_nothing_counts() {
        assert_eq!(told(&refused_for(Some("resource_missing"), Some("customer"))), NO_SUCH_CUSTOMER);
        for other in
            [refused_for(Some("resource_missing"), Some("id")), refused(Some("resource_missing")), refused(None)]
        {
            assert_ne!(told(&other), NO_SUCH_CUSTOMER);
        }
    }

    #[test]
    fn what_may_be_at_stripe_is_never_taken_for_refused() {
        assert_eq!(answer(Ok("req_1".into())), Answer::Done { request_id: "req_1".into() });
        for spent in [true, false] {
            assert_eq!(answer(Err(gave_up(true, spent))), Answer::Unknown { key_spent: spent });
        }
        assert_eq!(answer(Err(StripeError::Unreadable { doing: "send" })), Answer::Unknown { key_spent: false });
        assert_eq!(answer(Err(gave_up(false, false))), Answer::NothingDone);
        let unauthorized = StripeError::Unauthorized { doing: "send", request_id: None };
        assert_eq!(answer(Err(unauthorized)), Answer::NothingDone);
        assert_eq!(answer(Err(refused(Some("archived_meter")))), Answer::Refused { reason: "archived_meter".into() });
        assert_eq!(answer(Err(refused(None))), Answer::Refused { reason: "invalid_request_error".into() });
    }

    #[test]
    fn summaries_are_added_up_and_what_we_never_sent_is_no_number() {
        let sum_of = |texts: &[&str]| {
            let values: Vec<Value> = texts.iter().map(|text| Value::parse(text).unwrap()).collect();
            sum(values.iter())
        };
        assert_eq!(sum_of(&[]), Some(0));
        assert_eq!(sum_of(&["3", "4"]), Some(7));
        assert_eq!(sum_of(&["3", "0.5"]), None);
        assert_eq!(sum_of(&["-3"]), None);
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn day() -> Date {
        "2026-11-20".parse().unwrap()
    }

    fn counted(number: u32) -> Batch {
        let mut counting = Counting::default();
        counting.add(&format!("CA{number}"), 2).unwrap();
        let open = Batch::open("t-a", day(), number, 1);
        open.next(Event::Counted { fence: 1, content: counting.finish().unwrap() }).unwrap()
    }

    /// Sent, and the summaries cannot be explained.
    fn held(number: u32) -> Batch {
        let sent_at = at("2026-11-21T00:20:00Z");
        Meter::ALL.into_iter().fold(counted(number), |batch, meter| {
            let tried = batch.next(Event::Tried { meter, at: sent_at }).unwrap();
            let sent = Event::Answered { meter, answer: Answer::Done { request_id: "req_1".into() } };
            let finding = Finding::Unexplained { found: 9, expected: 2 };
            let found = Event::Found { meter, finding, at: sent_at + SignedDuration::from_hours(8) };
            tried.next(sent).unwrap().next(found).unwrap()
        })
    }

    fn waiting(missing: Option<&'static str>) -> Waiting {
        Waiting { day: day(), missing, why: None, not_before: None }
    }

    #[test]
    fn whoever_wants_to_be_called_within_the_same_hour_is_one_entry() {
        let batches = [counted(1)];
        let next = |now: &str| waiting(None).next_call(&batches, at(now)).unwrap().0.to_string();
        for now in ["2026-11-21T00:20:00Z", "2026-11-21T00:20:07.3Z", "2026-11-21T00:59:59Z", "2026-11-21T01:19:59.9Z"]
        {
            assert_eq!(next(now), "2026-11-21T01:20:00Z", "{now}");
        }
        assert_eq!(next("2026-11-21T01:20:00Z"), "2026-11-21T02:20:00Z");
    }

    #[test]
    fn a_day_that_nobody_can_be_billed_for_is_looked_at_once_a_day_and_one_that_waits_for_a_person_once_a_week() {
        let next = |batch: Batch, missing, now: &str| waiting(missing).next_call(&[batch], at(now)).unwrap();
        let daily = next(counted(1), Some(NO_CUSTOMER), "2026-11-21T00:20:09Z");
        assert_eq!((daily.0.to_string().as_str(), daily.1), ("2026-11-22T00:10:00Z", NO_CUSTOMER));
        assert_eq!(next(counted(1), Some(NO_CUSTOMER), "2026-11-21T23:59:59Z"), daily);
        for now in ["2026-11-21T09:20:00Z", "2026-11-27T13:00:00Z"] {
            assert_eq!(next(held(1), None, now).0.to_string(), "2026-11-28T00:10:00Z", "{now}");
        }
        assert_eq!(next(held(1), None, "2026-11-28T00:10:00Z").0.to_string(), "2026-12-05T00:10:00Z");
    }

    #[test]
    fn the_calls_of_a_day_are_not_read_again_while_it_only_waits() {
        let now = at("2026-11-22T00:20:00Z");
        let used = |calls| DayOfUse { calls, seconds: 100 * calls, minutes: 2 * calls };
        assert!(all_wait(&[counted(1), counted(2)], true, now) && has_all(&[counted(1), counted(2)], used(2)));
        assert!(all_wait(&[held(1)], false, now));
        assert!(!all_wait(&[counted(1)], false, now), "it is to be sent");
        assert!(!all_wait(&[], true, now), "what there is has not been looked at");
        assert!(!all_wait(&[counted(1), Batch::open("t-a", day(), 2, 1)], true, now), "calls come to a batch");
        assert!(!all_wait(&[counted(1).next(Event::Touched).unwrap()], true, now), "a call was corrected");
        assert!(!has_all(&[counted(1)], used(2)), "a call is in no batch");
        assert!(!all_wait(&[counted(1)], true, at("2026-12-26T00:20:00Z")), "it is too old for Stripe now");
    }

    #[test]
    fn no_trouble_of_a_day_hides_another() {
        let now = at("2026-12-12T00:20:00Z");
        assert_eq!(troubles(day(), &[held(1), counted(2)], now), ["overdue", "needs-a-person"]);
        assert_eq!(troubles(day(), &[counted(2)], at("2026-11-22T00:20:00Z")), [""; 0]);
    }

    #[test]
    fn the_next_planning_is_ahead_and_no_more_than_an_hour() {
        for n in 0..20_000_i64 {
            // A little less than an hour further each time, so that every second of one is met.
            let now = Timestamp::from_millisecond(n * 3_599_211).unwrap();
            let next = next_planning(now);
            assert!(next > now && next.duration_since(now) <= SignedDuration::from_hours(1), "{now}");
            assert_eq!((next.as_second() % 3600, next.subsec_nanosecond()), (PLANNED_AT * 60, 0), "{now}");
            // What is wanted for a planning's own time is not put off.
            assert_eq!(planning(next), next);
            assert!(planning(now) >= now && planning(now) <= next);
        }
    }

    #[test]
    fn a_day_begins_where_the_one_before_it_ends() {
        let day: Date = "2026-11-21".parse().unwrap();
        assert_eq!(day_start(day), day_end(day.yesterday().unwrap()));
    }
}
