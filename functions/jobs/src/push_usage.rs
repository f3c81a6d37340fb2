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
    reconcile, standing,
};
use domain::job::Job;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{RoundMode, SignedDuration, Timestamp, TimestampRound, Unit as ClockUnit};
use partners::stripe::meter_event::{Grouping, MeterEvent, Receipt, Value};
use partners::stripe::rest::StripeError;
use partners::stripe::{CustomerId, MeterId, rest};
use platform::edge::{Ran, Work};
use platform::secrets::StripeSecrets;
use platform::store::{AT_ONCE, Counts, Halt, Lease, Taken, TenantStore, Which, closes_at};
use platform::tenant::Tenant;
use platform::{App, Error};

/// How often a run begins anew when something else was written in between.
const ROUNDS: u32 = 4;
/// When it is tried again what did not work or was refused.
const RETRY_AFTER: SignedDuration = SignedDuration::from_mins(30);
/// How often a day is looked at that somebody else must do something about.
const LOOK_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// How often a day is looked at that waits for a person, so that it is not forgotten.
const REMIND_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// How long a call to Stripe may take, with all its tries.
const STRIPE_TAKES: SignedDuration = SignedDuration::from_secs(46);

const NO_CUSTOMER: &str = "no Stripe customer";
const NO_SUCH_CUSTOMER: &str = "Stripe does not know the customer";
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
    let now = whole(plus(app.clock.now(), ahead));
    let ran = match stopped {
        // It goes on where we were; somebody looks again when its life is over.
        Some(Stop::Fenced) => Ran::again(now + LIFE).because("another worker has the day"),
        Some(Stop::TimeIsUp) => Ran::again(now).because("there is more than fits into one run"),
        _ => Ran::again(now).because("others write at the same time"),
    };
    Ok(Ran { counted: counts, ..ran })
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
    TimeIsUp,
    Failed(Error),
}

impl From<Halt> for Stop {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Fenced => Self::Fenced,
            Halt::Changed => Self::Changed,
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
        let (batches, now) = (self.store.batches_of_day(self.lease.day).await?, self.now());
        let next = self.next_call(&batches, not_before, now);
        let looks = standing(self.lease.day, false, &batches, now);
        let trouble = match looks {
            Standing::Overdue => Some("overdue"),
            Standing::Expired => Some("expired"),
            Standing::NeedsAPerson => Some("needs-a-person"),
            Standing::Due | Standing::Running | Standing::Settled | Standing::Sent => None,
        };
        let (tenant, day) = (self.tenant.id().as_str(), self.lease.day.to_string());
        let why = next.map_or("", |(_, why)| why);
        if let Some(trouble) = trouble {
            // The alarms "unsent for twenty days" and "too old for Stripe" count these lines.
            tracing::error!(usage = trouble, tenant, day, why, "usage waits");
        } else if next.is_some() && self.account.is_err() {
            tracing::error!(usage = "not-billed", tenant, day, why, "usage waits");
        }
        // As the writes do: who lost the day does not say that it is done.
        if next.is_none() && !self.store.has_day(self.lease).await? {
            return Err(Stop::Fenced);
        }
        Ok(next)
    }

    fn next_call(&self, batches: &[Batch], not_before: Option<Timestamp>, now: Timestamp) -> Next {
        let account = self.account.as_ref().err().copied();
        let mut wanted = vec![];
        for batch in batches {
            if batch.content.is_none() || batch.stale {
                wanted.push((plus(now, RETRY_AFTER), "calls come to a batch"));
            }
            for meter in Meter::ALL {
                wanted.extend(match batch.step(meter, now) {
                    Step::Nothing => None,
                    Step::Wait(at) => Some((at, "Stripe's summaries settle")),
                    Step::AskAPerson => Some((plus(now, REMIND_AFTER), "a person must decide")),
                    Step::ReadSummaries if not_before.is_some() && account.is_none() => {
                        not_before.map(|at| (at, "Stripe's summaries settle"))
                    }
                    Step::Send(_) | Step::Cancel(_) | Step::ReadSummaries | Step::Expire => Some(match account {
                        Some(missing) => (plus(now, LOOK_AFTER), missing),
                        None => (plus(now, RETRY_AFTER), self.why.unwrap_or("an event is to be sent")),
                    }),
                });
            }
        }
        wanted.into_iter().min_by_key(|(at, _)| *at).map(|(at, why)| (whole(at), why))
    }
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

/// The first whole second that is not before: the agenda knows no parts of one, and who is called too soon has come for
/// nothing.
fn whole(at: Timestamp) -> Timestamp {
    at.round(TimestampRound::new().smallest(ClockUnit::Second).mode(RoundMode::Ceil)).unwrap_or(at)
}

fn day_start(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).map_or(Timestamp::MIN, |start| start.timestamp())
}

/// What the summaries come to; nothing where they hold what we never sent.
fn sum<'a>(values: impl Iterator<Item = &'a Value>) -> Option<u64> {
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
fn told(error: &StripeError) -> &'static str {
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

    #[test]
    fn nobody_is_called_a_part_of_a_second_too_soon() {
        let at: Timestamp = "2026-11-22T15:00:09.4Z".parse().unwrap();
        assert_eq!(whole(at).to_string(), "2026-11-22T15:00:10Z");
        assert_eq!(whole(whole(at)), whole(at));
    }

    #[test]
    fn a_day_begins_where_the_one_before_it_ends() {
        let day: Date = "2026-11-21".parse().unwrap();
        assert_eq!(day_start(day), day_end(day.yesterday().unwrap()));
    }
}
