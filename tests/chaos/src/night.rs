//! One tenant's usage day: its cloud, its queue, its clocks, the processes that work on it, and what must come of it.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Bytes;
use bench::Error;
use bench::aws::Cloud;
use bench::gate::{Arrival, Verdict};
use bench::gateway::{Answer, BASE_URL, Request};
use bench::hotline::{STRIPE_SECRET, queue_event};
use bench::sandbox::{Function, Invocation};
use bench::stripe::{Secret, Stripe, WEBHOOK_SECRET, event_name};
use domain::billing::{LIFE, LineState, Meter, Step, day_end};
use domain::job::Job;
use domain::usage::{CallStatus, CallUsage, billed_minutes};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use partners::stripe::signature;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::chance::Chance;
use crate::crew::{Crew, Ended};
use crate::ledger::Ledger;

/// More nights than a day's usage can take: it is given up after 35 days, and a person is asked each time.
const NIGHTS: u32 = 120;

/// A customer whom Stripe does not know.
const UNKNOWN: &str = "cus_Unknown00000";

/// What all nights start from.
#[derive(Debug)]
pub struct House {
    /// The cloud with the tenant set up.
    pub cloud: Cloud,
    /// The functions, by bin.
    pub functions: BTreeMap<&'static str, Function>,
    /// The tenant's id.
    pub tenant: String,
}

/// What is delivered to a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A call's end, to the ledger.
    Record,
    /// The hour, to the planner.
    Plan,
    /// A summons, to the worker.
    Push,
    /// A refusal, to Stripe's webhook.
    Report,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Record, Self::Plan, Self::Push, Self::Report];

    /// The function that it goes to.
    #[must_use]
    pub const fn bin(self) -> &'static str {
        match self {
            Self::Record => "jobs-record-usage",
            Self::Plan => "jobs-close-usage-day",
            Self::Push => "jobs-push-usage",
            Self::Report => "webhooks-stripe",
        }
    }
}

/// Something on its way to a function; it comes again until it is dealt with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// To which.
    pub kind: Kind,
    body: String,
}

/// When a process is killed, in nights without other trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// Never.
    Nobody,
    /// At this call of this function's, counted from the night's beginning.
    Kill {
        /// Which function.
        kind: Kind,
        /// At which of its calls, from 1.
        at: u64,
        /// Before it is done, or after it was done and before it is answered.
        before: bool,
        /// How long nothing happens then.
        gap: SignedDuration,
    },
    /// The worker waits at this call while a twin works to its end.
    Twin {
        /// At which of its calls, from 1.
        at: u64,
    },
}

/// One tenant's usage day.
#[derive(Debug)]
pub struct Night {
    house: Arc<House>,
    /// What it is called in messages.
    pub name: String,
    /// Its processes, their cloud, and what happened.
    pub crew: Crew<Delivery>,
    /// Its Stripe.
    pub stripe: Stripe,
    /// Where its day lies.
    pub ledger: Ledger,
    /// What time it is.
    pub now: Timestamp,
    /// Its luck.
    pub chance: Chance,
    /// What each call comes to when all reports of it have arrived.
    pub truth: BTreeMap<String, CallUsage>,
    /// What a person billed or refunded another way.
    pub outside: BTreeMap<(u32, Meter), i64>,
    /// On its way.
    pub queue: VecDeque<Delivery>,
    /// Whether its worker is summoned without the planner's help.
    pub by_hand: bool,
    secret: Secret,
    customer: String,
    calls: BTreeMap<Kind, u64>,
}

impl Night {
    /// A cloud, a Stripe and no process yet; each life in it begins with [`Night::begin_anew`].
    pub async fn open(house: &Arc<House>, log: PathBuf) -> Result<Self, Error> {
        let stripe = Stripe::open().await?;
        let secret = stripe.secret().await?;
        let customer = stripe.customer("A shop").await?;
        Ok(Self {
            house: Arc::clone(house),
            name: String::new(),
            crew: Crew::new(log),
            stripe,
            ledger: Ledger { tenant: house.tenant.clone(), day: Date::MIN },
            now: Timestamp::UNIX_EPOCH,
            chance: Chance::new(0),
            truth: BTreeMap::new(),
            outside: BTreeMap::new(),
            queue: VecDeque::new(),
            by_hand: false,
            secret,
            customer,
            calls: BTreeMap::new(),
        })
    }

    /// A life begins, the same for the same seed at whatever time of the day: yesterday's usage, so that calls that are
    /// recorded now are late; or today's, which looks ahead. Processes that are there stay.
    pub async fn begin_anew(&mut self, name: &str, seed: u64, running: bool) -> Result<(), Error> {
        self.kill_all().await;
        let today = self.wall_clock().to_zoned(jiff::tz::TimeZone::UTC).date();
        let day = if running { today } else { today.yesterday().unwrap_or(today) };
        let after = SignedDuration::from_mins(if running { 10 } else { 24 * 60 + 10 });
        // A process remembers which days it has put on the agenda.
        for who in self.crew.of(Kind::Record.bin()) {
            if running || self.ledger.day >= today {
                self.kill(who).await;
            }
        }
        name.clone_into(&mut self.name);
        self.ledger.day = day;
        self.now = day_end(day) + after;
        self.chance = Chance::new(seed);
        self.crew.begin_anew();
        self.truth.clear();
        self.outside.clear();
        self.queue.clear();
        self.calls.clear();
        self.by_hand = false;
        {
            let mut cloud = self.crew.cloud.lock();
            cloud.clone_from(&self.house.cloud);
            cloud.secrets.insert(STRIPE_SECRET.to_owned(), self.secret.json.clone());
        }
        self.stripe.forget().await?;
        self.stripe.calm().await?;
        self.stripe.settle(0, 0).await?;
        self.stripe.set(self.now).await?;
        for meter in self.secret.meters.values() {
            self.stripe.activate(meter, true).await?;
        }
        Ok(())
    }

    /// Writes down what happens.
    pub fn note(&mut self, what: String) {
        self.crew.note(what);
    }

    /// Makes the tenant a customer at Stripe, under a customer that exists or one that does not.
    pub fn becomes_customer(&mut self, exists: bool) {
        let id = if exists { self.customer.as_str() } else { UNKNOWN };
        let item = json!({
            "pk": { "S": self.ledger.tenant }, "sk": { "S": "billing" }, "stripe_customer": { "S": id },
        });
        self.crew.cloud.lock().put("accounts", item.as_object().cloned().unwrap_or_default());
        self.note(format!("the tenant is a customer whom Stripe {}", if exists { "knows" } else { "does not know" }));
    }

    /// Moves both clocks. Who works longer than a function lives is dead then.
    pub async fn forward(&mut self, by: SignedDuration) -> Result<(), Error> {
        self.now = self.now.saturating_add(by).unwrap_or(self.now);
        self.stripe.set(self.now).await?;
        self.note(format!("{by:#} later it is {}", self.now.strftime("%F %T")));
        let over = self.crew.overdue(self.now, |_| LIFE);
        for who in over {
            self.kill(who).await;
        }
        Ok(())
    }

    /// A call of the day ends, lasting so long.
    pub fn call(&mut self, seconds: u32) {
        let sid = format!("CA{:016x}{:016x}", self.chance.draw(), self.chance.draw());
        let digest = Sha256::digest(sid.as_bytes());
        let hash = digest.iter().fold(String::new(), |hash, byte| hash + &format!("{byte:02x}"));
        let item = json!({
            "pk": { "S": format!("call#{hash}") }, "tenant": { "S": self.ledger.tenant },
            "day": { "S": self.ledger.day.to_string() }, "expires_at": { "N": "4102444800" },
        });
        self.crew.cloud.lock().put("directory", item.as_object().cloned().unwrap_or_default());
        let ended_at = day_end(self.ledger.day) - SignedDuration::from_hours(3);
        let minutes = billed_minutes(seconds);
        let status = CallStatus::Completed;
        self.report(CallUsage { call_sid: sid, status, seconds, billed_minutes: minutes, sequence: 1, ended_at });
    }

    /// A later report says that a call lasted so long.
    pub fn correct(&mut self, seconds: u32) {
        if self.truth.is_empty() {
            return;
        }
        let place = self.chance.place(self.truth.len());
        let Some(before) = self.truth.values().nth(place).cloned() else { return };
        let minutes = billed_minutes(seconds);
        self.report(CallUsage { seconds, billed_minutes: minutes, sequence: before.sequence + 1, ..before });
        self.crew.tally.count("corrected calls");
    }

    fn report(&mut self, usage: CallUsage) {
        let body = serde_json::to_string(&usage).unwrap_or_default();
        self.note(format!("a call ends: {body}"));
        self.queue.push_back(Delivery { kind: Kind::Record, body });
        self.truth.insert(usage.call_sid.clone(), usage);
        self.crew.tally.count("reports of calls");
    }

    /// The hour strikes.
    pub fn strike(&mut self) {
        if !self.by_hand {
            self.queue.push_back(Delivery { kind: Kind::Plan, body: String::new() });
            return;
        }
        let due = self.ledger.agenda(&self.crew.cloud.lock()).into_iter().filter(|at| *at <= self.now);
        for at in due.collect::<Vec<_>>() {
            let (tenant, what) = (&self.ledger.tenant, self.ledger.day);
            let body = json!({ "job": Job::PushUsage, "tenant": tenant, "at": at, "what": what }).to_string();
            self.queue.push_back(Delivery { kind: Kind::Push, body });
        }
    }

    /// Stripe's webhook brings what it refused; also again what it brought before.
    pub async fn deliver_reports(&mut self, again: bool) -> Result<(), Error> {
        for report in self.stripe.reports().await? {
            let body = report.to_string();
            let known = format!("told {}", report.get("id").and_then(Value::as_str).unwrap_or_default());
            if again || !self.crew.trace.contains(&known) {
                self.note(known);
                self.queue.push_back(Delivery { kind: Kind::Report, body });
                self.crew.tally.count("refusals told by Stripe's webhook");
            }
        }
        Ok(())
    }

    /// How many processes are busy with something of a kind; of all kinds without one.
    #[must_use]
    pub fn at_work(&self, kind: Option<Kind>) -> usize {
        self.crew.all_work().filter(|delivery| kind.is_none_or(|kind| delivery.kind == kind)).count()
    }

    /// Hands a delivery to a process that has nothing to do, or to a new one.
    pub async fn begin(&mut self, delivery: Delivery) -> Result<usize, Error> {
        let bin = delivery.kind.bin();
        let who = match self.crew.idle(bin) {
            Some(who) => who,
            None => self.start(delivery.kind).await?,
        };
        let event = self.event(&delivery);
        self.note(format!("{who} {bin} gets {}", delivery.body));
        self.crew.hand(who, event, delivery, self.now);
        Ok(who)
    }

    async fn start(&mut self, kind: Kind) -> Result<usize, Error> {
        let gate = self.crew.gate();
        let function = self.house.functions.get(kind.bin());
        let mut function = function.cloned().ok_or_else(|| Error::say(kind.bin(), "is not built", &""))?;
        if function.env.contains_key("STRIPE_BASE_URL") {
            function.env.insert("STRIPE_BASE_URL".into(), self.stripe.door(gate.clone()).await?);
        }
        self.crew.start(function, gate).await
    }

    fn event(&self, delivery: &Delivery) -> Bytes {
        match delivery.kind {
            Kind::Record => queue_event("usage", &delivery.body),
            Kind::Push => {
                // A worker is called now, however long its summons lay in the queue.
                let mut summons: Value = serde_json::from_str(&delivery.body).unwrap_or_default();
                if let Some(summons) = summons.as_object_mut() {
                    summons.insert("by".into(), json!(self.now));
                }
                queue_event("push-usage", &summons.to_string())
            }
            Kind::Plan => json!({ "at": self.now }).to_string().into(),
            Kind::Report => {
                let body = delivery.body.as_bytes();
                let signed = signature::sign(&[WEBHOOK_SECRET], self.wall_clock(), body);
                let url = format!("{BASE_URL}/webhooks/stripe");
                let headers = [("stripe-signature", signed.as_str()), ("content-type", "application/json")];
                let request = Request { method: "POST", url: &url, headers: &headers, ..Request::default() };
                request.event_with(body)
            }
        }
    }

    /// What time it is for a process that nobody takes along: the machine's.
    #[expect(clippy::disallowed_methods, reason = "a partner's clock is its own")]
    #[expect(clippy::unused_self, reason = "it stands beside the night's own clock")]
    fn wall_clock(&self) -> Timestamp {
        Timestamp::now()
    }

    /// SIGKILL, and what it was busy with comes again.
    pub async fn kill(&mut self, who: usize) {
        if let Some(delivery) = self.crew.kill(who).await {
            self.again(delivery);
        }
        self.collect();
    }

    /// What was not dealt with comes again; an hour that was missed does not.
    fn again(&mut self, delivery: Delivery) {
        if delivery.kind != Kind::Plan {
            self.queue.push_back(delivery);
        }
    }

    /// Takes what the functions have sent to queues since.
    fn collect(&mut self) {
        let sent = std::mem::take(&mut self.crew.cloud.lock().messages);
        for (url, body) in sent {
            if url.ends_with("/push_usage") {
                self.queue.push_back(Delivery { kind: Kind::Push, body });
            } else {
                self.note(format!("buried: {body}"));
                self.crew.tally.count("messages buried");
            }
        }
    }

    /// Waits until every process that is busy stands at its gate.
    pub async fn settle(&mut self) -> Result<(), Error> {
        for Ended { work, invocation, .. } in self.crew.settle(&self.name).await? {
            if !is_done(work.kind, &invocation) {
                self.crew.tally.count(&format!("runs of {} that failed", work.kind.bin()));
                self.again(work);
            }
        }
        self.collect();
        Ok(())
    }

    /// Who stands at a gate, each once, in the order in which they began.
    #[must_use]
    pub fn standing(&self) -> Vec<usize> {
        self.crew.standing()
    }

    /// What a process is busy with.
    #[must_use]
    pub fn business(&self, who: usize) -> Option<Kind> {
        self.crew.work(who).map(|delivery| delivery.kind)
    }

    /// The call with which a process has stood at its gate longest.
    pub fn take(&mut self, who: usize) -> Option<Arrival> {
        let arrival = self.crew.take(who)?;
        if let Some(kind) = self.business(who) {
            *self.calls.entry(kind).or_default() += 1;
        }
        Some(arrival)
    }

    /// How many calls of a function's were decided on.
    #[must_use]
    pub fn calls(&self, kind: Kind) -> u64 {
        self.calls.get(&kind).copied().unwrap_or_default()
    }

    /// Decides on a call.
    pub fn decide(&mut self, arrival: Arrival, verdict: Verdict) {
        self.crew.decide(arrival, verdict);
    }

    /// Kills whoever makes a call, before it is done or after it was.
    pub async fn kill_at(&mut self, arrival: Arrival, before: bool) {
        let stripe = if arrival.kind.starts_with("stripe:") { "Stripe" } else { "AWS" };
        let when = if before { "before" } else { "after" };
        self.crew.tally.count(&format!("kills {when} a call to {stripe}"));
        if let Some(delivery) = self.crew.kill_at(arrival, before).await {
            self.again(delivery);
        }
        self.collect();
    }

    /// Nights without trouble but for one kill, until there is nothing more to do.
    pub async fn calm(&mut self, mut aim: Aim) -> Result<(), Error> {
        self.note("from here on no trouble".to_owned());
        self.stripe.calm().await?;
        for meter in self.secret.meters.values() {
            self.stripe.activate(meter, true).await?;
        }
        for _ in 0..NIGHTS {
            self.strike();
            self.deliver_all(&mut aim).await?;
            self.deliver_reports(false).await?;
            if !self.queue.is_empty() {
                continue;
            }
            self.person().await?;
            let entries = self.ledger.agenda(&self.crew.cloud.lock());
            // A day that is not over by the machine's clock keeps its one entry.
            let left: Vec<Timestamp> = entries.into_iter().filter(|at| !self.is_first_entry(*at)).collect();
            let Some(next) = left.into_iter().min() else {
                if self.is_settled()? {
                    return Ok(());
                }
                self.forward(SignedDuration::from_hours(1)).await?;
                continue;
            };
            let wait = next.duration_since(self.now).max(SignedDuration::from_secs(1));
            self.forward(wait).await?;
        }
        Err(Error::say(
            &self.name,
            "is never settled",
            &format!("{:#?}", self.ledger.batches(&self.crew.cloud.lock())?),
        ))
    }

    fn is_first_entry(&self, at: Timestamp) -> bool {
        at == day_end(self.ledger.day) + SignedDuration::from_mins(10) && at > self.wall_clock()
    }

    fn is_settled(&self) -> Result<bool, Error> {
        Ok(self.ledger.batches(&self.crew.cloud.lock())?.iter().all(domain::billing::Batch::is_final))
    }

    /// Lets every process that is busy work to its end; but for one that waits.
    async fn run(&mut self, aim: &mut Aim, but: Option<usize>) -> Result<(), Error> {
        loop {
            self.settle().await?;
            let Some(who) = self.standing().into_iter().find(|who| Some(*who) != but) else { return Ok(()) };
            let Some(arrival) = self.take(who) else { continue };
            let kind = self.business(who);
            match *aim {
                Aim::Kill { kind: of, at, before, gap } if kind == Some(of) && self.calls(of) == at => {
                    *aim = Aim::Nobody;
                    self.kill_at(arrival, before).await;
                    self.forward(gap).await?;
                }
                Aim::Twin { at } if kind == Some(Kind::Push) && self.calls(Kind::Push) == at => {
                    *aim = Aim::Nobody;
                    self.note(format!("{who} waits while its twin works"));
                    self.crew.leave(arrival);
                    let Some(twin) = self.crew.work(who).cloned() else { continue };
                    self.begin(twin).await?;
                    Box::pin(self.run(&mut Aim::Nobody, Some(who))).await?;
                    self.crew.tally.count("slow twins");
                }
                _ => self.decide(arrival, Verdict::Pass),
            }
        }
    }

    /// Somebody looks at what needs a person, and bills or refunds the difference another way.
    pub async fn person(&mut self) -> Result<(), Error> {
        let received = self.stripe.received().await?;
        let mut cloud = self.crew.cloud.lock();
        for number in self.ledger.batches(&cloud)?.iter().map(|batch| batch.number).collect::<Vec<_>>() {
            for meter in Meter::ALL {
                let batches = self.ledger.batches(&cloud)?;
                let Some(batch) = batches.iter().find(|batch| batch.number == number) else { continue };
                if batch.step(meter, self.now) != Step::AskAPerson {
                    continue;
                }
                let Some(line) = batch.lines.get(&meter) else { continue };
                let at_stripe: u64 = received
                    .iter()
                    .filter(|event| event.event_name == event_name(meter))
                    .map(|event| event.counts)
                    .sum();
                let known = batches.iter().filter_map(|batch| batch.lines.get(&meter)).map(|line| match &line.state {
                    LineState::Confirmed { .. } => line.value,
                    LineState::Adjusted { counted, .. } => *counted,
                    _ => 0,
                });
                let beyond = at_stripe.saturating_sub(known.sum());
                let (word, counted, known) = match line.state {
                    LineState::Held { .. } => ("held for a person: unexplained", Some(beyond), beyond),
                    LineState::Confirmed { .. } => ("held for a person: corrected too late", None, line.value),
                    LineState::Adjusted { counted, .. } => ("held for a person: corrected again", None, counted),
                    LineState::Expired { .. } => ("held for a person: too old for Stripe", None, 0),
                    _ => ("held for a person: corrected from nothing", None, 0),
                };
                let difference = i64::try_from(line.due).unwrap_or(i64::MAX) - i64::try_from(known).unwrap_or(i64::MAX);
                let (by, reference, at) = ("u-owner".to_owned(), "ii_1".to_owned(), self.now);
                let settled = batch
                    .next(domain::billing::Event::Settled { meter, counted, by, reference, at })
                    .map_err(|error| Error::say("a person", "cannot settle", &error))?;
                self.ledger.settle(&mut cloud, &settled)?;
                self.outside.insert((number, meter), difference);
                self.crew.tally.count(word);
                self.crew.trace.push(format!("a person settles batch {number}, {}: {difference}", meter.code()));
            }
        }
        Ok(())
    }

    /// Works off the queue, one delivery after the other.
    pub async fn deliver_all(&mut self, aim: &mut Aim) -> Result<(), Error> {
        while let Some(delivery) = self.queue.pop_front() {
            self.begin(delivery).await?;
            self.run(aim, None).await?;
        }
        Ok(())
    }

    /// Whether Stripe's meters take events; where not, these are refused after their 200.
    pub async fn archive(&mut self, archived: bool) -> Result<(), Error> {
        for meter in self.secret.meters.values() {
            self.stripe.activate(meter, !archived).await?;
        }
        self.note(format!("Stripe's meters are {}", if archived { "archived" } else { "active" }));
        if archived {
            self.crew.tally.count("times that Stripe refuses after its 200");
        }
        Ok(())
    }

    /// Summaries and refusals take so long from now on.
    pub async fn lag(&mut self) -> Result<(), Error> {
        let (summaries, reports) = (self.chance.below(6 * 3_600), self.chance.below(48 * 3_600));
        self.note(format!("summaries take {summaries} s, refusals {reports} s"));
        self.stripe.settle(summaries, reports).await
    }

    /// Whether Stripe knows the tenant as a customer.
    #[must_use]
    pub fn is_customer(&self) -> bool {
        let item = self.crew.cloud.lock().get("accounts", &self.ledger.tenant, "billing");
        item.is_some_and(|item| crate::ledger::text(&item, "stripe_customer") != Some(UNKNOWN))
    }

    /// SIGKILL for everybody.
    pub async fn kill_all(&mut self) {
        for who in self.crew.busy() {
            self.kill(who).await;
        }
    }

    /// Whether its day is not over by the machine's clock.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.is_first_entry(day_end(self.ledger.day) + SignedDuration::from_mins(10))
    }

    /// The day that it is about.
    #[must_use]
    pub fn day(&self) -> Date {
        self.ledger.day
    }
}

/// Whether what was delivered is dealt with.
fn is_done(kind: Kind, invocation: &Invocation) -> bool {
    if invocation.failed {
        return false;
    }
    match kind {
        Kind::Plan => true,
        Kind::Report => Answer::read(&invocation.body).is_ok_and(|answer| (200..300).contains(&answer.status)),
        Kind::Record | Kind::Push => {
            let answer: Value = serde_json::from_slice(&invocation.body).unwrap_or_default();
            let failures = answer.get("batchItemFailures").and_then(Value::as_array);
            failures.is_some_and(Vec::is_empty)
        }
    }
}
