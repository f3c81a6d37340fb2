//! A team's mail over some days: its cloud, its queues, its clock, the processes that work on it, and what must come of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Bytes;
use bench::Error;
use bench::aws::{Cloud, Item};
use bench::gate::{Arrival, Verdict};
use bench::hotline::queue_event;
use bench::sandbox::Invocation;
use domain::job::Job;
use domain::reference::Reference;
use domain::reminder::{self, Duty, Member};
use domain::report::{self, Period};
use domain::tenant::Reminders;
use domain::user::UserId;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::house::House;
use crate::chance::Chance;
use crate::crew::{Crew, Ended};
use crate::ledger::{number, text};

/// More rounds than it takes to come to rest.
const ROUNDS: u32 = 400;
/// A message that was received so often goes to the dead-letter queue: `maxReceiveCount` of the queues in `template.yaml`.
const RECEIVED_AT_MOST: u32 = 5;

/// What is delivered to a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A summons to those who send reports.
    Reports,
    /// A summons to those who post reminders.
    Reminders,
    /// A summons to those who post news.
    Alerts,
    /// A letter, to those who send it.
    Letter,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Reports, Self::Reminders, Self::Alerts, Self::Letter];
    /// Those that the agenda calls.
    pub const WORKERS: [Self; 3] = [Self::Reports, Self::Reminders, Self::Alerts];

    /// The function that it goes to.
    #[must_use]
    pub const fn bin(self) -> &'static str {
        match self {
            Self::Reports => "jobs-send-reports",
            Self::Reminders => "jobs-send-reminders",
            Self::Alerts => "jobs-send-alerts",
            Self::Letter => "jobs-send-mail",
        }
    }

    /// The name of its queue in the stub.
    #[must_use]
    pub const fn queue(self) -> &'static str {
        match self {
            Self::Reports => "send_reports",
            Self::Reminders => "send_reminders",
            Self::Alerts => "send_alerts",
            Self::Letter => "mail",
        }
    }

    /// The kind that lies in a queue.
    #[must_use]
    pub fn of_queue(url: &str) -> Option<Self> {
        let name = url.rsplit('/').next().unwrap_or(url);
        Self::ALL.into_iter().find(|kind| kind.queue() == name)
    }

    const fn job(self) -> Option<Job> {
        match self {
            Self::Reports => Some(Job::SendReports),
            Self::Reminders => Some(Job::SendReminders),
            Self::Alerts => Some(Job::SendAlerts),
            Self::Letter => None,
        }
    }

    /// How long a process may be at it: the function's `Timeout` in `template.yaml`.
    const fn life(self) -> SignedDuration {
        match self {
            Self::Letter => SignedDuration::from_mins(1),
            _ => SignedDuration::from_mins(5),
        }
    }

    /// How long a message is not seen that was received: the queue's `VisibilityTimeout`.
    const fn hidden(self) -> SignedDuration {
        match self {
            Self::Letter => SignedDuration::from_mins(6),
            _ => SignedDuration::from_mins(30),
        }
    }
}

/// A message on its way to a function; it comes again until it is dealt with, or is buried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// To which.
    pub kind: Kind,
    body: String,
    /// Not seen before then.
    seen_at: Timestamp,
    received: u32,
}

/// What goes wrong, in nights without other trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// Nothing.
    Nobody,
    /// Whoever makes this call of this function's is killed, counted from the night's beginning.
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
    /// What SES says to this mail, from 1.
    Fault {
        /// Which mail.
        at: u64,
        /// A refusal by name; none where the answer is lost.
        refusal: Option<&'static str>,
    },
    /// A process waits at this call of this function's while a twin works to its end.
    Twin {
        /// Which function.
        kind: Kind,
        /// At which of its calls, from 1.
        at: u64,
    },
}

/// What must have come at the end of a night, and what may have.
#[derive(Debug, Default)]
pub struct Due {
    /// Reports that were due at some time of the night's clock, by whose they are.
    pub may: BTreeSet<(UserId, Period)>,
    /// Those that were due when everything had come to rest.
    pub must: BTreeSet<(UserId, Period)>,
    /// Days on which it was eight in the morning, or later.
    pub days: BTreeSet<Date>,
    /// The days when everything had come to rest.
    pub settled: Vec<Date>,
    /// Who must have been told of what, in a mail of a day after the first and until the second.
    pub told: Vec<(UserId, Date, Date, Reference, Duty)>,
    /// Whether everybody must have heard the news.
    pub news: bool,
}

/// A team's mail over some days.
#[derive(Debug)]
pub struct Night {
    /// What it starts from.
    pub house: Arc<House>,
    /// What it is called in messages.
    pub name: String,
    /// Its processes, their cloud, and what happened.
    pub crew: Crew<Delivery>,
    /// What time it is.
    pub now: Timestamp,
    /// Its luck.
    pub chance: Chance,
    /// On its way.
    pub queue: VecDeque<Delivery>,
    /// What must come of it.
    pub due: Due,
    /// The mails, by their place among all that SES took, of which it may not have been written down that they went.
    pub unwritten: BTreeSet<usize>,
    /// Whose last call had SES take a mail, and which.
    sending: BTreeMap<usize, usize>,
    buried: Vec<Delivery>,
    calls: BTreeMap<Kind, u64>,
    mails: u64,
}

impl Night {
    /// A cloud and no process yet; each life in it begins with [`Night::begin_anew`].
    #[must_use]
    pub fn open(house: &Arc<House>, log: PathBuf) -> Self {
        Self {
            house: Arc::clone(house),
            name: String::new(),
            crew: Crew::new(log),
            now: house.begins,
            chance: Chance::new(0),
            queue: VecDeque::new(),
            due: Due::default(),
            unwritten: BTreeSet::new(),
            sending: BTreeMap::new(),
            buried: Vec::new(),
            calls: BTreeMap::new(),
            mails: 0,
        }
    }

    /// A life begins. Processes that are there stay.
    pub async fn begin_anew(&mut self, name: &str, seed: u64) {
        self.kill_all().await;
        self.crew.begin_anew();
        name.clone_into(&mut self.name);
        self.now = self.house.begins;
        self.chance = Chance::new(seed);
        self.queue.clear();
        self.buried.clear();
        self.calls.clear();
        self.unwritten.clear();
        self.sending.clear();
        self.mails = 0;
        self.crew.cloud.lock().clone_from(&self.house.cloud);
        self.due = Due { settled: vec![self.house.day(self.now)], ..Due::default() };
        self.look_at_the_clock();
    }

    /// Writes down what happens.
    pub fn note(&mut self, what: String) {
        self.crew.note(what);
    }

    /// Moves the clock. The functions' own stands still, so what they wrote down of mails grows older instead. Who works longer
    /// than a function lives is dead then.
    pub async fn forward(&mut self, by: SignedDuration) {
        self.now = self.now.saturating_add(by).unwrap_or(self.now);
        self.note(format!("{by:#} later it is {}", self.now.strftime("%F %T")));
        self.age(by.as_secs());
        self.look_at_the_clock();
        for who in self.crew.overdue(self.now, |delivery| delivery.kind.life()) {
            self.kill(who).await;
        }
    }

    fn age(&self, seconds: i64) {
        let mut cloud = self.crew.cloud.lock();
        let marks: Vec<Item> = cloud.all("sessions").filter(|item| item.contains_key("begun")).collect();
        for mut mark in marks {
            for name in ["begun", "again_since", "given_up"] {
                let at = mark.get(name).and_then(|at| at.get("N")?.as_str()?.parse::<i64>().ok());
                if let Some(at) = at {
                    mark.insert(name.to_owned(), json!({ "N": (at - seconds).to_string() }));
                }
            }
            cloud.put("sessions", mark);
        }
    }

    /// What is due now may be sent from now on.
    fn look_at_the_clock(&mut self) {
        self.due.may.extend(self.latest());
        self.due.days.extend(reminder::day_of(&self.house.zone, self.now));
    }

    /// Each reader's last report, unless it was due before the night.
    fn latest(&self) -> Vec<(UserId, Period)> {
        let of = |reader: &super::house::Reader| {
            let due = report::latest(&reader.wishes, self.now, &self.house.zone)?;
            (due.at > self.house.begins).then(|| (reader.id.clone(), due.period))
        };
        self.house.team.iter().filter_map(of).collect()
    }

    /// Everything has come to rest: what is due now must have been sent.
    fn settled(&mut self) {
        self.due.must.extend(self.latest());
        // News are news for a week.
        self.due.news |= self.now.duration_since(self.house.made) < SignedDuration::from_hours(6 * 24);
        let (Some(today), Some(last)) =
            (reminder::day_of(&self.house.zone, self.now), self.due.settled.last().copied())
        else {
            return;
        };
        if today <= last {
            return;
        }
        let members: Vec<Member> = self.house.team.iter().map(super::house::Reader::member).collect();
        for asked in &self.house.requests {
            for due in asked.dates.reminders(&Reminders::default(), last, today) {
                // Once it is confirmed, nobody is reminded of that.
                if due.duty == Duty::Confirm && asked.to_confirm {
                    continue;
                }
                for user in reminder::audience(&members, None, due.days_left) {
                    self.due.told.push((user.clone(), last, today, asked.reference.clone(), due.duty));
                }
            }
        }
        self.due.settled.push(today);
    }

    /// Who is on the agenda is summoned, also who is summoned already.
    pub fn strike(&mut self) {
        for kind in Kind::WORKERS {
            let summons = summons(&self.crew.cloud.lock(), kind, &self.house.tenant, self.now);
            for body in summons {
                self.queue.push_back(Delivery { kind, body, seen_at: self.now, received: 0 });
            }
        }
    }

    /// How many processes are busy with something of a kind.
    #[must_use]
    pub fn at_work(&self, kind: Kind) -> usize {
        self.crew.all_work().filter(|delivery| delivery.kind == kind).count()
    }

    /// Hands a delivery to a process that has nothing to do, or to a new one.
    pub async fn begin(&mut self, delivery: Delivery) -> Result<usize, Error> {
        let bin = delivery.kind.bin();
        let who = match self.crew.idle(bin) {
            Some(who) => who,
            None => {
                let gate = self.crew.gate();
                let function = self.house.functions.get(bin).cloned();
                self.crew.start(function.ok_or_else(|| Error::say(bin, "is not built", &""))?, gate).await?
            }
        };
        let seen_at = self.now.saturating_add(delivery.kind.hidden()).unwrap_or(self.now);
        let delivery = Delivery { seen_at, received: delivery.received + 1, ..delivery };
        let event = self.event(&delivery);
        self.note(format!("{who} {bin} gets {}", delivery.body.chars().take(120).collect::<String>()));
        self.crew.hand(who, event, delivery, self.now);
        Ok(who)
    }

    /// A worker is called now, however long its summons lay in the queue.
    fn event(&self, delivery: &Delivery) -> Bytes {
        let body = if delivery.kind == Kind::Letter { delivery.body.clone() } else { by(&delivery.body, self.now) };
        queue_event(delivery.kind.queue(), &body)
    }

    /// SIGKILL, and what it was busy with comes again.
    pub async fn kill(&mut self, who: usize) {
        let delivery = self.crew.kill(who).await;
        self.gone(who, delivery);
    }

    /// Kills whoever makes a call, before it is done or after it was.
    pub async fn kill_at(&mut self, arrival: Arrival, before: bool) {
        let (who, kind) = (arrival.who, arrival.kind.clone());
        let what = if kind.starts_with("ses:") { "SES" } else { "AWS" };
        self.crew.tally.count(&format!("kills {} a call to {what}", if before { "before" } else { "after" }));
        let mails = self.crew.cloud.lock().mails.len();
        let delivery = self.crew.kill_at(arrival, before).await;
        if !before {
            self.done(who, &kind, mails);
        }
        self.gone(who, delivery);
    }

    fn gone(&mut self, who: usize, delivery: Option<Delivery>) {
        self.unwritten.extend(self.sending.remove(&who));
        if let Some(delivery) = delivery {
            self.again(delivery);
        }
        self.collect();
    }

    /// Of a call that was done: whether a mail went, or it was written down what became of it.
    fn done(&mut self, who: usize, kind: &str, mails_before: usize) {
        if kind.starts_with("ses:") {
            if self.crew.cloud.lock().mails.len() > mails_before {
                self.sending.insert(who, mails_before);
            }
        } else if kind == "dynamodb:UpdateItem" {
            self.sending.remove(&who);
        }
    }

    fn again(&mut self, delivery: Delivery) {
        if delivery.received < RECEIVED_AT_MOST {
            self.queue.push_back(delivery);
        } else {
            self.note(format!("buried: a message to {}", delivery.kind.bin()));
            self.crew.tally.count("messages buried");
            self.buried.push(delivery);
        }
    }

    /// Takes what the functions have posted since.
    fn collect(&mut self) {
        let sent = std::mem::take(&mut self.crew.cloud.lock().messages);
        for (url, body) in sent {
            let Some(kind) = Kind::of_queue(&url) else {
                self.note(format!("{url} gets {body}"));
                self.crew.tally.count("messages that a function buried");
                continue;
            };
            self.queue.push_back(Delivery { kind, body, seen_at: self.now, received: 0 });
        }
    }

    /// Waits until every process that is busy stands at its gate.
    pub async fn settle(&mut self) -> Result<(), Error> {
        for Ended { who, work, invocation } in self.crew.settle(&self.name).await? {
            self.unwritten.extend(self.sending.remove(&who));
            if !is_done(&invocation) {
                self.crew.tally.count(&format!("runs of {} that failed", work.kind.bin()));
                self.again(work);
            }
        }
        self.collect();
        Ok(())
    }

    /// The call with which a process has stood at its gate longest.
    pub fn take(&mut self, who: usize) -> Option<Arrival> {
        let arrival = self.crew.take(who)?;
        if let Some(kind) = self.crew.work(who).map(|delivery| delivery.kind) {
            *self.calls.entry(kind).or_default() += 1;
        }
        if arrival.kind.starts_with("ses:") {
            self.mails += 1;
        }
        Some(arrival)
    }

    /// How many calls of a function's were decided on.
    #[must_use]
    pub fn calls(&self, kind: Kind) -> u64 {
        self.calls.get(&kind).copied().unwrap_or_default()
    }

    /// How often SES was asked to take a mail.
    #[must_use]
    pub fn mails(&self) -> u64 {
        self.mails
    }

    /// Decides on a call, and waits until whoever made it stands at its next one or is done.
    pub async fn decide(&mut self, arrival: Arrival, verdict: Verdict) -> Result<(), Error> {
        let (who, kind) = (arrival.who, arrival.kind.clone());
        let lost = matches!(verdict, Verdict::LoseAnswer);
        let refused = matches!(verdict, Verdict::Refuse(_));
        let mails = self.crew.cloud.lock().mails.len();
        if kind == "dynamodb:UpdateItem"
            && let Some(mail) = self.sending.remove(&who)
            && refused
        {
            // The client tries again, and may give up.
            self.unwritten.insert(mail);
        }
        self.crew.decide(arrival, verdict);
        if !kind.starts_with("ses:") {
            return Ok(());
        }
        self.settle().await?;
        if self.crew.cloud.lock().mails.len() > mails {
            if lost || self.crew.work(who).is_none() {
                self.unwritten.insert(mails);
            } else {
                self.sending.insert(who, mails);
            }
        }
        Ok(())
    }

    /// No trouble but for one, until there is nothing more to do.
    pub async fn calm(&mut self, mut aim: Aim) -> Result<(), Error> {
        self.note("from here on no trouble".to_owned());
        for _ in 0..ROUNDS {
            self.deliver_all(&mut aim).await?;
            if let Some(next) = self.queue.iter().map(|delivery| delivery.seen_at).min() {
                let wait = next.duration_since(self.now).max(SignedDuration::from_secs(1));
                self.forward(wait).await;
                continue;
            }
            if !self.buried.is_empty() {
                // make replay.
                for delivery in std::mem::take(&mut self.buried) {
                    self.queue.push_back(Delivery { seen_at: self.now, received: 0, ..delivery });
                }
                self.crew.tally.count("dead-letter queues replayed");
                continue;
            }
            self.strike();
            if self.queue.is_empty() {
                self.settled();
                return Ok(());
            }
        }
        Err(Error::say(&self.name, "never comes to rest", &format!("{:#?}", self.queue)))
    }

    /// Lets every process that is busy work to its end; but for one that waits.
    async fn run(&mut self, aim: &mut Aim, but: Option<usize>) -> Result<(), Error> {
        loop {
            self.settle().await?;
            let Some(who) = self.crew.standing().into_iter().find(|who| Some(*who) != but) else { return Ok(()) };
            let Some(arrival) = self.take(who) else { continue };
            let kind = self.crew.work(who).map(|delivery| delivery.kind);
            match *aim {
                Aim::Kill { kind: of, at, before, gap } if kind == Some(of) && self.calls(of) == at => {
                    *aim = Aim::Nobody;
                    self.kill_at(arrival, before).await;
                    self.forward(gap).await;
                }
                Aim::Fault { at, refusal } if arrival.kind.starts_with("ses:") && self.mails == at => {
                    *aim = Aim::Nobody;
                    self.fault(arrival, refusal).await?;
                }
                Aim::Twin { kind: of, at } if kind == Some(of) && self.calls(of) == at => {
                    *aim = Aim::Nobody;
                    self.note(format!("{who} waits while its twin works"));
                    self.crew.leave(arrival);
                    let Some(twin) = self.crew.work(who).cloned() else { continue };
                    self.begin(twin).await?;
                    Box::pin(self.run(&mut Aim::Nobody, Some(who))).await?;
                    self.crew.tally.count("slow twins");
                }
                _ => self.decide(arrival, Verdict::Pass).await?,
            }
        }
    }

    /// SES refuses a mail, or takes it and its answer is lost.
    pub async fn fault(&mut self, arrival: Arrival, refusal: Option<&'static str>) -> Result<(), Error> {
        self.crew.tally.count(&format!("SES faults: {}", refusal.unwrap_or("answer lost")));
        self.decide(arrival, refusal.map_or(Verdict::LoseAnswer, Verdict::Refuse)).await
    }

    /// Works off what can be seen in the queues, one after the other.
    pub async fn deliver_all(&mut self, aim: &mut Aim) -> Result<(), Error> {
        while let Some(place) = self.queue.iter().position(|delivery| delivery.seen_at <= self.now) {
            let Some(delivery) = self.queue.remove(place) else { break };
            self.begin(delivery).await?;
            self.run(aim, None).await?;
        }
        Ok(())
    }

    /// Any message that can be seen.
    pub fn draw(&mut self) -> Option<Delivery> {
        let seen = |(_, delivery): &(usize, &Delivery)| delivery.seen_at <= self.now;
        let places: Vec<usize> = self.queue.iter().enumerate().filter(seen).map(|(place, _)| place).collect();
        let place = places.get(self.chance.place(places.len())).copied()?;
        self.queue.remove(place)
    }

    /// SIGKILL for everybody who is busy.
    pub async fn kill_all(&mut self) {
        for who in self.crew.busy() {
            self.kill(who).await;
        }
    }

    /// The mark of a mail, by its name.
    #[must_use]
    pub fn mark(&self, name: &str) -> Option<Item> {
        use sha2::{Digest as _, Sha256};
        let digest = Sha256::digest(name.as_bytes());
        let hash = digest.iter().fold(String::new(), |hash, byte| hash + &format!("{byte:02x}"));
        self.crew.cloud.lock().get("sessions", &format!("mail#mail#{hash}"), "")
    }
}

/// What the agenda has of a job's for a tenant until a time, as summons.
#[must_use]
pub fn summons(cloud: &Cloud, kind: Kind, tenant: &str, until: Timestamp) -> Vec<String> {
    let Some(job) = kind.job() else { return Vec::new() };
    let entries = cloud.all("agenda").filter_map(|item| {
        let of_job = text(&item, "pk")?.starts_with(&format!("{job}#"));
        let mut parts = text(&item, "sk")?.splitn(3, '#');
        let (at, of, what) = (parts.next()?, parts.next()?, parts.next()?);
        let due = at.parse::<Timestamp>().is_ok_and(|at| at <= until);
        (of_job && of == tenant && due).then(|| json!({ "job": job, "tenant": of, "at": at, "what": what }).to_string())
    });
    entries.collect()
}

/// A summons by somebody for whom it is a certain time.
#[must_use]
pub fn by(summons: &str, at: Timestamp) -> String {
    let mut summons: Value = serde_json::from_str(summons).unwrap_or_default();
    if let Some(summons) = summons.as_object_mut() {
        summons.insert("by".into(), json!(at));
    }
    summons.to_string()
}

/// Whether what was delivered is dealt with.
#[must_use]
pub fn is_done(invocation: &Invocation) -> bool {
    let answer: Value = serde_json::from_slice(&invocation.body).unwrap_or_default();
    let failures = answer.get("batchItemFailures").and_then(Value::as_array);
    !invocation.failed && failures.is_none_or(Vec::is_empty)
}

/// Whether a job has a run that took its entry off the agenda and then died before it could say what it had counted.
#[must_use]
pub fn has_silent_run(cloud: &Cloud, job: Job) -> bool {
    let of = |item: &Item| text(item, "pk").is_some_and(|pk| pk.starts_with(&format!("{job}#")));
    cloud.all("runs").filter(of).any(|item| text(&item, "outcome") == Some("running"))
}

/// How often something was counted in the runs of a job.
#[must_use]
pub fn counted(cloud: &Cloud, job: Job, word: &str) -> u64 {
    let of = |item: &Item| text(item, "pk").is_some_and(|pk| pk.starts_with(&format!("{job}#")));
    let count = |item: Item| {
        let counted = item.get("counted")?.get("M")?.as_object()?.clone();
        number(&counted, word)
    };
    cloud.all("runs").filter(of).filter_map(count).sum()
}
