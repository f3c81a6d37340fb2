//! Nights as they happen: workers that crash, crawl and come twice, a partner that forgets, lies and loses answers, calls
//! that come late and are corrected, and a clock that moves. At the end each call is billed exactly once.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::*;

const TENANT: &str = "t-blue-harbor";

fn day() -> Date {
    date(2026, 11, 20)
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// SplitMix64: small, and the same on every machine.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn between(&mut self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.below(u64::try_from(to - from).unwrap())).unwrap()
    }
}

/// An event as Stripe has it, which is not what it says at once.
#[derive(Debug)]
struct Received {
    meter: Meter,
    identifier: String,
    value: u64,
    at: Timestamp,
    /// When it shows in the summaries; never, if it was refused after the 200.
    shows: Option<Timestamp>,
    /// When its cancellation shows.
    cancelled: Option<Timestamp>,
    forgotten: Timestamp,
}

type Kept = (String, Answer, Timestamp);

#[derive(Default)]
struct Stripe {
    received: Vec<Received>,
    keys: BTreeMap<String, Kept>,
    /// Refusals that no webhook has brought yet.
    reports: Vec<String>,
    customer_missing: bool,
    meter_archived: bool,
    calls: u32,
}

impl Stripe {
    fn truth(&self, meter: Meter) -> u64 {
        let counts = |event: &&Received| event.meter == meter && event.shows.is_some() && event.cancelled.is_none();
        self.received.iter().filter(counts).map(|event| event.value).sum()
    }

    fn summary(&self, meter: Meter, now: Timestamp) -> u64 {
        let shows = |event: &&Received| {
            event.meter == meter && event.shows.is_some_and(|at| at <= now) && event.cancelled.is_none_or(|at| at > now)
        };
        self.received.iter().filter(shows).map(|event| event.value).sum()
    }
}

struct World {
    now: Timestamp,
    chance: Chance,
    faults: bool,
    item: Day,
    ledger: BTreeMap<String, (u32, Unit)>,
    batches: BTreeMap<u32, Batch>,
    stripe: Stripe,
    /// What a person billed or refunded another way.
    outside: BTreeMap<(u32, Meter), i64>,
    held: u32,
}

type Shared = Rc<RefCell<World>>;

impl World {
    fn new(seed: u64, faults: bool, calls: u64) -> Shared {
        let mut world = Self {
            now: plus(day_end(day()), SignedDuration::from_mins(10)),
            chance: Chance(seed),
            faults,
            item: Day::default(),
            ledger: BTreeMap::new(),
            batches: BTreeMap::new(),
            stripe: Stripe::default(),
            outside: BTreeMap::new(),
            held: 0,
        };
        for _ in 0..calls {
            world.call();
        }
        Rc::new(RefCell::new(world))
    }

    fn call(&mut self) {
        let sid = format!("CA{:032x}", self.chance.next());
        let minutes = u32::try_from(self.chance.below(4)).unwrap();
        self.ledger.insert(sid, (minutes, Unit::Unprocessed));
        self.item = self.item.next(DayStep::Mark).unwrap();
    }

    /// A later callback says that a call was longer or shorter.
    fn correct(&mut self) {
        let place = self.chance.below(self.ledger.len() as u64);
        let minutes = u32::try_from(self.chance.below(4)).unwrap();
        let (_, row) = self.ledger.iter_mut().nth(usize::try_from(place).unwrap()).unwrap();
        row.0 = minutes;
        if let Unit::Claimed { batch } | Unit::Processed { batch } = row.1 {
            let touched = self.batches[&batch].next(Event::Touched).unwrap();
            self.batches.insert(batch, touched);
        }
        self.item = self.item.next(DayStep::Mark).unwrap();
    }

    /// A webhook brings what Stripe refused; it may bring it again later.
    fn report(&mut self) {
        if self.stripe.reports.is_empty() {
            return;
        }
        let place = usize::try_from(self.chance.below(self.stripe.reports.len() as u64)).unwrap();
        let identifier = self.stripe.reports[place].clone();
        if self.chance.percent(70) {
            self.stripe.reports.swap_remove(place);
        }
        if self.chance.percent(10) {
            return;
        }
        let number = self.batches.iter().find(|(_, batch)| batch.meter_of(&identifier).is_some()).map(|(n, _)| *n);
        let number = number.expect("what was sent is in a batch");
        let reason = "meter_event_customer_not_found".to_owned();
        let reported = self.batches[&number].next(Event::Reported { identifier, reason }).unwrap();
        self.batches.insert(number, reported);
        self.item = self.item.next(DayStep::Mark).unwrap();
    }

    /// Somebody looks at what needs a person, and bills or refunds the difference another way.
    fn person(&mut self) {
        for number in self.batches.keys().copied().collect::<Vec<_>>() {
            for meter in Meter::ALL {
                let batch = self.batches[&number].clone();
                if batch.step(meter, self.now) != Step::AskAPerson {
                    continue;
                }
                let line = &batch.lines[&meter];
                let (counted, known) = match line.state {
                    LineState::Held { .. } => {
                        let beyond = self.beyond(meter);
                        (Some(beyond), beyond)
                    }
                    LineState::Confirmed { .. } => (None, line.value),
                    LineState::Adjusted { counted, .. } => (None, counted),
                    _ => (None, 0),
                };
                let difference = i64::try_from(line.due).unwrap() - i64::try_from(known).unwrap();
                self.outside.insert((number, meter), difference);
                let (by, reference, at) = ("u-owner".to_owned(), "ii_1".to_owned(), self.now);
                let settled = batch.next(Event::Settled { meter, counted, by, reference, at }).unwrap();
                self.batches.insert(number, settled);
            }
        }
    }

    /// What Stripe counts beyond the events whose count is known.
    fn beyond(&self, meter: Meter) -> u64 {
        let known = self.batches.values().map(|batch| match &batch.lines[&meter].state {
            LineState::Confirmed { .. } => batch.lines[&meter].value,
            LineState::Adjusted { counted, .. } => *counted,
            _ => 0,
        });
        self.stripe.truth(meter).saturating_sub(known.sum())
    }

    /// A conditional write: the day is still this worker's, and the batch is what it read.
    fn write(&mut self, fence: u64, read: &Batch, event: Event) -> Result<Batch, Refused> {
        self.item.admits(fence)?;
        let stored = &self.batches[&read.number];
        if stored.version != read.version {
            return Err(Refused::OutOfTurn);
        }
        if let Event::Found { finding: Finding::Unexplained { .. }, .. } = event {
            self.held += 1;
        }
        let next = stored.next(event)?;
        self.batches.insert(read.number, next.clone());
        Ok(next)
    }

    fn count(&self, number: u32) -> Result<Content, Refused> {
        let mut counting = Counting::default();
        for (sid, (minutes, unit)) in &self.ledger {
            if matches!(unit, Unit::Claimed { batch } | Unit::Processed { batch } if *batch == number) {
                counting.add(sid, *minutes)?;
            }
        }
        counting.finish()
    }

    fn send(&mut self, meter: Meter, send: &Send, cancel: bool) -> Answer {
        self.stripe.calls += 1;
        let fault = if self.faults { self.chance.below(100) } else { 99 };
        if fault < 8 {
            return Answer::NothingDone;
        }
        let asked = format!("{meter:?} {cancel} {send:?}").split(" not_after").next().unwrap().to_owned();
        if let Some((before, answer, at)) = self.stripe.keys.get(&send.key)
            && self.now < plus(*at, hours(24))
        {
            return if *before == asked {
                answer.clone()
            } else {
                Answer::Refused { reason: "idempotency_error".into() }
            };
        }
        let failed = Answer::Unknown { key_spent: true };
        let answer = match fault {
            8..13 => failed,
            13..18 => {
                self.execute(meter, send, cancel);
                failed
            }
            _ => self.execute(meter, send, cancel),
        };
        self.stripe.keys.insert(send.key.clone(), (asked, answer.clone(), self.now));
        if (18..28).contains(&fault) { Answer::Unknown { key_spent: false } } else { answer }
    }

    fn execute(&mut self, meter: Meter, send: &Send, cancel: bool) -> Answer {
        let refused = |reason: &str| Answer::Refused { reason: reason.to_owned() };
        let lag = SignedDuration::from_mins(self.chance.between(0, 6 * 60));
        let now = self.now;
        if cancel {
            let found = self.stripe.received.iter_mut().rev().find(|event| event.identifier == send.identifier);
            return match found {
                Some(event) if now < plus(event.at, hours(24)) && event.cancelled.is_none() => {
                    event.cancelled = Some(plus(now, lag));
                    Answer::Done { request_id: "req_2".into() }
                }
                _ => refused("resource_missing"),
            };
        }
        if self.stripe.meter_archived {
            return refused("archived_meter");
        }
        if now > plus(send.at, hours(35 * 24)) {
            return refused("timestamp_too_far_in_past");
        }
        let known = |event: &Received| event.identifier == send.identifier && now < event.forgotten;
        if self.stripe.received.iter().any(known) {
            return Answer::Done { request_id: "req_1".into() };
        }
        let counts = !self.stripe.customer_missing;
        // "At least 24 hours": it may be longer, and nothing says whether what was refused is kept at all.
        let kept = match self.chance.below(4) {
            0 => hours(24 * 100),
            1 => hours(30),
            2 if !counts => hours(0),
            _ => hours(24),
        };
        self.stripe.received.push(Received {
            meter,
            identifier: send.identifier.clone(),
            value: send.value,
            at: now,
            shows: counts.then(|| plus(now, lag)),
            cancelled: None,
            forgotten: plus(now, kept),
        });
        if !counts {
            self.stripe.reports.push(send.identifier.clone());
        }
        Answer::Done { request_id: "req_1".into() }
    }

    /// What each call comes to, and what was billed for all of them together.
    fn check(&self) {
        for (sid, (_, unit)) in &self.ledger {
            assert!(matches!(unit, Unit::Processed { .. }), "{sid} is {unit:?}\n{:#?}", self.batches);
        }
        for (number, batch) in &self.batches {
            assert!(batch.is_final(), "{batch:#?}");
            assert_eq!(self.count(*number).as_ref(), Ok(batch.content.as_ref().unwrap()));
        }
        for meter in Meter::ALL {
            let used: u64 = self
                .ledger
                .values()
                .map(|(minutes, _)| if meter == Meter::Calls { 1 } else { u64::from(*minutes) })
                .sum();
            let at_stripe = i64::try_from(self.stripe.truth(meter)).unwrap();
            let elsewhere: i64 = self.outside.iter().filter(|((_, of), _)| *of == meter).map(|(_, sum)| sum).sum();
            let said = (&self.batches, &self.stripe.received, &self.outside);
            assert_eq!(at_stripe + elsewhere, i64::try_from(used).unwrap(), "{meter:?}\n{said:#?}");
        }
        assert_eq!(self.item.state, DayState::Settled);
        assert_eq!(standing(day(), false, self.batches.values(), self.now), Standing::Settled);
    }
}

/// Lets others go on: whoever is dropped here has crashed here.
async fn pause() {
    let mut waited = false;
    std::future::poll_fn(|_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

/// One run for the day, as a function would make it. It stops where it is refused; the next run goes on.
async fn work(world: Shared) -> Result<(), Refused> {
    pause().await;
    let (fence, marks) = {
        let mut world = world.borrow_mut();
        world.item = world.item.next(DayStep::Take)?;
        (world.item.fence, world.item.marks)
    };
    claim(&world, fence).await?;
    recount(&world, fence).await?;
    send_all(&world, fence).await?;
    let missing = reconcile_all(&world, fence).await?;
    if missing {
        send_all(&world, fence).await?;
    }
    process(&world, fence).await?;
    pause().await;
    let idle = {
        let world = world.borrow();
        let processed = world.ledger.values().all(|(_, unit)| matches!(unit, Unit::Processed { .. }));
        processed && world.batches.values().all(Batch::is_final)
    };
    // What comes up now is for the marks to tell.
    pause().await;
    if idle {
        let mut world = world.borrow_mut();
        world.item = world.item.next(DayStep::Finish { fence, marks })?;
    }
    Ok(())
}

async fn claim(world: &Shared, fence: u64) -> Result<(), Refused> {
    pause().await;
    let wanted: Vec<String> = {
        let world = world.borrow();
        let free = world.ledger.iter().filter(|(_, (_, unit))| *unit == Unit::Unprocessed);
        free.map(|(sid, _)| sid.clone()).collect()
    };
    let open = world.borrow().batches.values().find(|batch| batch.content.is_none()).cloned();
    if wanted.is_empty() && open.is_none() {
        return Ok(());
    }
    pause().await;
    let batch = {
        let mut world = world.borrow_mut();
        if let Some(open) = open {
            world.write(fence, &open, Event::Opened { fence })?
        } else {
            world.item.admits(fence)?;
            let number = world.batches.keys().last().map_or(1, |last| last + 1);
            let batch = Batch::open(TENANT, day(), number, fence);
            world.batches.insert(number, batch.clone());
            batch
        }
    };
    for sid in wanted {
        pause().await;
        let mut world = world.borrow_mut();
        world.item.admits(fence)?;
        world.batches[&batch.number].admits(fence)?;
        let row = world.ledger.get_mut(&sid).unwrap();
        row.1 = row.1.next(UnitStep::Claim(batch.number))?;
    }
    pause().await;
    // Whatever is corrected after this read makes the write below fail.
    let (read, content) = {
        let world = world.borrow();
        (world.batches[&batch.number].clone(), world.count(batch.number))
    };
    match content {
        Ok(content) => {
            pause().await;
            world.borrow_mut().write(fence, &read, Event::Counted { fence, content })?;
        }
        // Opened, and its maker stopped before it had claimed anything; calls will come to it.
        Err(Refused::Empty) => {}
        Err(other) => return Err(other),
    }
    Ok(())
}

async fn recount(world: &Shared, fence: u64) -> Result<(), Refused> {
    let stale: Vec<u32> =
        world.borrow().batches.values().filter(|batch| batch.stale).map(|batch| batch.number).collect();
    for number in stale {
        pause().await;
        let (read, content) = {
            let world = world.borrow();
            (world.batches[&number].clone(), world.count(number)?)
        };
        pause().await;
        world.borrow_mut().write(fence, &read, Event::Corrected { content })?;
    }
    Ok(())
}

async fn send_all(world: &Shared, fence: u64) -> Result<(), Refused> {
    let numbers: Vec<u32> = world.borrow().batches.keys().copied().collect();
    for number in numbers {
        for meter in Meter::ALL {
            // Cancelled, then sent anew: two calls at most.
            for _ in 0..2 {
                pause().await;
                let (read, step, at) = {
                    let world = world.borrow();
                    let read = world.batches[&number].clone();
                    (read.clone(), read.step(meter, world.now), world.now)
                };
                pause().await;
                let (send, cancel) = match step {
                    Step::Send(send) => (send, false),
                    Step::Cancel(send) => (send, true),
                    Step::Expire => {
                        world.borrow_mut().write(fence, &read, Event::Expired { meter, at })?;
                        break;
                    }
                    _ => break,
                };
                let tried = if cancel { Event::CancelTried { meter, at } } else { Event::Tried { meter, at } };
                world.borrow_mut().write(fence, &read, tried)?;
                pause().await;
                if world.borrow().now > send.not_after {
                    return Err(Refused::OutOfTurn);
                }
                let answer = world.borrow_mut().send(meter, &send, cancel);
                pause().await;
                let again = cancel && matches!(answer, Answer::Done { .. });
                let said =
                    if cancel { Event::CancelAnswered { meter, answer } } else { Event::Answered { meter, answer } };
                let mut world = world.borrow_mut();
                // A report may have been written in between; what was answered is written on top of it.
                let read = world.batches[&number].clone();
                world.write(fence, &read, said)?;
                if !again {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Whether something is missing at Stripe.
async fn reconcile_all(world: &Shared, fence: u64) -> Result<bool, Refused> {
    let mut missing = false;
    for meter in Meter::ALL {
        pause().await;
        let (batches, read_at) = {
            let world = world.borrow();
            (world.batches.clone(), world.now)
        };
        if !batches.values().any(|batch| batch.step(meter, read_at) == Step::ReadSummaries) {
            continue;
        }
        pause().await;
        let found = {
            let world = world.borrow();
            world.item.admits(fence)?;
            world.stripe.summary(meter, world.now)
        };
        let Ok(reconciled) = reconcile(batches.values(), meter, found, read_at) else { continue };
        for (number, finding) in reconciled.findings {
            pause().await;
            missing |= finding == Finding::Absent;
            world.borrow_mut().write(fence, &batches[&number], Event::Found { meter, finding, at: read_at })?;
        }
    }
    Ok(missing)
}

async fn process(world: &Shared, fence: u64) -> Result<(), Refused> {
    let sids: Vec<String> = world.borrow().ledger.keys().cloned().collect();
    for sid in sids {
        pause().await;
        let mut world = world.borrow_mut();
        world.item.admits(fence)?;
        let (_, unit) = world.ledger[&sid];
        if let Unit::Claimed { batch } = unit
            && world.batches[&batch].is_sent()
        {
            world.ledger.get_mut(&sid).unwrap().1 = unit.next(UnitStep::Process(batch))?;
        }
    }
    Ok(())
}

type Worker = Pin<Box<dyn Future<Output = Result<(), Refused>>>>;

fn start(world: &Shared) -> Worker {
    Box::pin(work(world.clone()))
}

/// Lets a worker take so many steps; whether it is done.
fn advance(worker: &mut Worker, steps: usize) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    (0..steps).any(|_| worker.as_mut().poll(&mut context).is_ready())
}

/// Nights without trouble, until there is nothing more to do.
fn calm_nights(world: &Shared) {
    {
        let mut world = world.borrow_mut();
        world.faults = false;
        world.stripe.customer_missing = false;
        world.stripe.meter_archived = false;
    }
    for _ in 0..60 {
        let mut worker = start(world);
        assert!(advance(&mut worker, 10_000), "a run ends");
        let mut world = world.borrow_mut();
        world.person();
        if world.item.state == DayState::Settled {
            return;
        }
        world.now = plus(world.now, hours(24));
    }
    panic!("never settled: {:#?}", world.borrow().batches);
}

/// One random life of a day.
fn live(seed: u64) -> Shared {
    let world = World::new(seed, true, seed % 5);
    let mut workers: Vec<(Timestamp, Worker)> = Vec::new();
    let steps = 60 + world.borrow_mut().chance.below(400);
    for _ in 0..steps {
        let choice = world.borrow_mut().chance.below(100);
        match choice {
            0..3 => world.borrow_mut().call(),
            3..5 if !world.borrow().ledger.is_empty() => world.borrow_mut().correct(),
            5..8 if workers.len() < 3 => {
                let now = world.borrow().now;
                workers.push((now, start(&world)));
            }
            8..12 => world.borrow_mut().report(),
            12 => {
                let missing = world.borrow_mut().chance.percent(40);
                world.borrow_mut().stripe.customer_missing = missing;
            }
            13 => {
                let archived = world.borrow_mut().chance.percent(30);
                world.borrow_mut().stripe.meter_archived = archived;
            }
            14 => world.borrow_mut().person(),
            15..20 => {
                let mut world = world.borrow_mut();
                let by = match world.chance.below(10) {
                    0..4 => world.chance.between(1, 16 * 60),
                    4..7 => world.chance.between(3_600, 26 * 3_600),
                    7..9 => world.chance.between(3_600, 4 * 86_400),
                    _ => world.chance.between(86_400, 12 * 86_400),
                };
                world.now = plus(world.now, SignedDuration::from_secs(by));
                let now = world.now;
                workers.retain(|(born, _)| now < plus(*born, LIFE));
            }
            20 if !workers.is_empty() => {
                let place = world.borrow_mut().chance.below(workers.len() as u64);
                drop(workers.swap_remove(usize::try_from(place).unwrap()));
            }
            _ if !workers.is_empty() => {
                let place = usize::try_from(world.borrow_mut().chance.below(workers.len() as u64)).unwrap();
                let steps = usize::try_from(world.borrow_mut().chance.below(12)).unwrap();
                if advance(&mut workers[place].1, steps) {
                    drop(workers.swap_remove(place));
                }
            }
            _ => {
                let now = world.borrow().now;
                workers.push((now, start(&world)));
            }
        }
    }
    drop(workers);
    calm_nights(&world);
    world
}

proptest! {
    // 2,048 lives, or as many times more as PROPTEST_CASES asks for.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases * 8,
        max_shrink_iters: 0,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_happens_in_a_days_life_each_call_is_billed_exactly_once(seed: u64) {
        let world = live(seed);
        let world = world.borrow();
        world.check();
        prop_assert_eq!(world.held, 0, "what nobody else sent is always explained");
    }
}

#[test]
fn a_crash_after_any_step_and_a_wait_of_any_length_bill_each_call_once() {
    let gaps = [0, 1, 22, 23, 24, 25, 29, 30, 48, 24 * 8, 24 * 34, 24 * 36];
    let mut crashed = BTreeSet::new();
    for calls in [1, 4] {
        for gap in gaps {
            for steps in 1.. {
                let world = World::new(calls, false, calls);
                let mut worker = start(&world);
                let done = advance(&mut worker, steps);
                drop(worker);
                crashed.insert(steps);
                {
                    let mut world = world.borrow_mut();
                    world.now = plus(world.now, hours(gap));
                }
                calm_nights(&world);
                world.borrow().check();
                if done {
                    break;
                }
            }
        }
    }
    assert!(crashed.len() > 20, "the run has many steps: {}", crashed.len());
}

#[test]
fn a_slow_twin_sends_nothing_that_counts_twice_and_writes_nothing() {
    for steps in 1..60 {
        let world = World::new(7, false, 3);
        let mut slow = start(&world);
        if advance(&mut slow, steps) {
            break;
        }
        let mut quick = start(&world);
        assert!(advance(&mut quick, 10_000));
        let written = world.borrow().batches.clone();
        advance(&mut slow, 10_000);
        assert_eq!(world.borrow().batches, written);
        calm_nights(&world);
        world.borrow().check();
    }
}

#[test]
fn what_somebody_else_sent_is_held_for_a_person_and_not_guessed_at() {
    let world = World::new(3, false, 3);
    assert!(advance(&mut start(&world), 10_000));
    {
        let mut world = world.borrow_mut();
        let now = world.now;
        world.stripe.received.push(Received {
            meter: Meter::Calls,
            identifier: "by hand".into(),
            value: 1,
            at: now,
            shows: Some(now),
            cancelled: None,
            forgotten: now,
        });
        world.now = plus(now, hours(24));
    }
    assert!(advance(&mut start(&world), 10_000));
    let world = world.borrow();
    assert_eq!(world.held, 1);
    assert_eq!(world.batches[&1].lines[&Meter::Calls].state, LineState::Held { found: 4, expected: 3 });
    assert_eq!(standing(day(), false, world.batches.values(), world.now), Standing::NeedsAPerson);
}
