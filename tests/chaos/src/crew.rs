//! The processes of a night: who is busy with what, who stands at a gate, and how it ends for each.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use axum::body::Bytes;
use bench::Error;
use bench::aws::SharedCloud;
use bench::gate::{Arrival, Gate, Verdict};
use bench::sandbox::{Function, Invocation};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::process::{Ending, Process};
use crate::tally::Tally;

/// A process that neither calls nor ends for so long is stuck.
const STUCK_AFTER: Duration = Duration::from_mins(2);

/// What a process is busy with.
#[derive(Debug)]
struct Busy<D> {
    work: D,
    since: Timestamp,
    /// Which of all it is, by when it began.
    turn: usize,
}

/// How a piece of work ended.
#[derive(Debug)]
pub struct Ended<D> {
    /// Who did it.
    pub who: usize,
    /// What it was.
    pub work: D,
    /// What the function said.
    pub invocation: Invocation,
}

/// The processes of a night, busy with pieces of work of one kind.
#[derive(Debug)]
pub struct Crew<D> {
    /// What all of them share.
    pub cloud: SharedCloud,
    /// What happened.
    pub tally: Tally,
    /// What happened, in order.
    pub trace: Vec<String>,
    /// The file with their output.
    pub log: PathBuf,
    processes: BTreeMap<usize, Process>,
    busy: BTreeMap<usize, Busy<D>>,
    waiting: Vec<Arrival>,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
    endings: mpsc::UnboundedReceiver<Ending>,
    to_arrivals: mpsc::UnboundedSender<Arrival>,
    to_endings: mpsc::UnboundedSender<Ending>,
    started: usize,
    begun: usize,
}

impl<D> Drop for Crew<D> {
    fn drop(&mut self) {
        // They die with their night, also where it ends with an error.
        for process in self.processes.values() {
            process.abort();
        }
    }
}

impl<D> Crew<D> {
    /// Nobody yet.
    #[must_use]
    pub fn new(log: PathBuf) -> Self {
        let (to_arrivals, arrivals) = mpsc::unbounded_channel();
        let (to_endings, endings) = mpsc::unbounded_channel();
        Self {
            cloud: SharedCloud::default(),
            tally: Tally::default(),
            trace: Vec::new(),
            log,
            processes: BTreeMap::new(),
            busy: BTreeMap::new(),
            waiting: Vec::new(),
            arrivals,
            endings,
            to_arrivals,
            to_endings,
            started: 0,
            begun: 0,
        }
    }

    /// Another night: nothing has happened yet. Who is there stays.
    pub fn begin_anew(&mut self) {
        self.tally = Tally::default();
        self.trace.clear();
        self.waiting.clear();
        drop(std::fs::File::create(&self.log));
    }

    /// Writes down what happens.
    pub fn note(&mut self, what: String) {
        self.trace.push(what);
    }

    /// A process of a function that has nothing to do.
    #[must_use]
    pub fn idle(&self, bin: &str) -> Option<usize> {
        let idle = self.processes.iter().find(|(who, process)| process.bin == bin && !self.busy.contains_key(who));
        idle.map(|(who, _)| *who)
    }

    /// All processes of a function.
    #[must_use]
    pub fn of(&self, bin: &str) -> Vec<usize> {
        self.processes.iter().filter(|(_, process)| process.bin == bin).map(|(who, _)| *who).collect()
    }

    /// The gate of the next process.
    pub fn gate(&mut self) -> Gate {
        let gate = Gate::new(self.started, self.to_arrivals.clone());
        self.started += 1;
        gate
    }

    /// Starts a process behind its gate.
    pub async fn start(&mut self, mut function: Function, gate: Gate) -> Result<usize, Error> {
        let who = gate.who();
        function.log.clone_from(&self.log);
        let process = Process::start(&function, &self.cloud, gate, self.to_endings.clone()).await?;
        self.processes.insert(who, process);
        self.tally.count("processes");
        Ok(who)
    }

    /// Hands a process its work.
    pub fn hand(&mut self, who: usize, event: Bytes, work: D, now: Timestamp) {
        if let Some(process) = self.processes.get(&who) {
            self.tally.count(&format!("deliveries to {}", process.bin));
            process.send(event);
        }
        self.begun += 1;
        self.busy.insert(who, Busy { work, since: now, turn: self.begun });
    }

    /// What a process is busy with.
    #[must_use]
    pub fn work(&self, who: usize) -> Option<&D> {
        self.busy.get(&who).map(|busy| &busy.work)
    }

    /// What all are busy with.
    pub fn all_work(&self) -> impl Iterator<Item = &D> {
        self.busy.values().map(|busy| &busy.work)
    }

    /// Who is busy.
    #[must_use]
    pub fn busy(&self) -> Vec<usize> {
        self.busy.keys().copied().collect()
    }

    /// Who has been at something for as long as a function lives.
    pub fn overdue(&self, now: Timestamp, life: impl Fn(&D) -> SignedDuration) -> Vec<usize> {
        let end = |busy: &Busy<D>| busy.since.saturating_add(life(&busy.work)).unwrap_or(Timestamp::MAX);
        self.busy.iter().filter(|(_, busy)| now >= end(busy)).map(|(who, _)| *who).collect()
    }

    /// SIGKILL. Returns what it was busy with.
    pub async fn kill(&mut self, who: usize) -> Option<D> {
        let process = self.processes.remove(&who)?;
        self.note(format!("{who} {} is killed", process.bin));
        process.kill().await;
        self.tally.count("processes killed");
        self.waiting.retain(|arrival| arrival.who != who);
        self.busy.remove(&who).map(|busy| busy.work)
    }

    /// Kills whoever makes a call, before it is done or after it was. Returns what it was busy with.
    pub async fn kill_at(&mut self, arrival: Arrival, before: bool) -> Option<D> {
        let who = arrival.who;
        if before {
            self.note(format!("{who} {} not done", arrival.kind));
            let work = self.kill(who).await;
            drop(arrival);
            return work;
        }
        let (done, told) = oneshot::channel();
        self.decide(arrival, Verdict::DoneInSilence(done));
        drop(told.await);
        self.kill(who).await
    }

    /// Waits until every process that is busy stands at its gate. Returns what ended meanwhile.
    pub async fn settle(&mut self, night: &str) -> Result<Vec<Ended<D>>, Error> {
        let mut ended = Vec::new();
        loop {
            while let Ok(arrival) = self.arrivals.try_recv() {
                self.arrived(arrival);
            }
            self.waiting.retain(|arrival| !arrival.is_gone());
            let stands = |who: &usize| self.waiting.iter().any(|arrival| arrival.who == *who);
            if self.busy.keys().all(stands) {
                return Ok(ended);
            }
            let happens = async {
                tokio::select! {
                    Some(arrival) = self.arrivals.recv() => Ok(arrival),
                    Some(ending) = self.endings.recv() => Err(ending),
                }
            };
            match timeout(STUCK_AFTER, happens).await {
                Ok(Ok(arrival)) => self.arrived(arrival),
                Ok(Err(ending)) => ended.extend(self.ended(ending)?),
                Err(_) => return Err(Error::say(night, "stands still", &format!("{:?}", self.busy()))),
            }
        }
    }

    /// What a process remembers it does not ask again: so that does not count.
    fn arrived(&mut self, arrival: Arrival) {
        if arrival.kind.starts_with("secretsmanager:") {
            arrival.decide(Verdict::Pass);
        } else {
            self.waiting.push(arrival);
        }
    }

    fn ended(&mut self, ending: Ending) -> Result<Option<Ended<D>>, Error> {
        let who = ending.who;
        // One that was killed in the meantime has nothing to say.
        let Some(process) = self.processes.get(&who) else { return Ok(None) };
        let bin = process.bin.clone();
        let invocation = ending.invocation?;
        let Some(Busy { work, .. }) = self.busy.remove(&who) else { return Ok(None) };
        self.note(format!("{who} {bin} ends: {}", String::from_utf8_lossy(&invocation.body)));
        Ok(Some(Ended { who, work, invocation }))
    }

    /// Who stands at a gate, each once, in the order in which they began.
    #[must_use]
    pub fn standing(&self) -> Vec<usize> {
        let mut standing: Vec<(usize, usize)> = self.busy.iter().map(|(who, busy)| (busy.turn, *who)).collect();
        standing.sort_unstable();
        standing.into_iter().map(|(_, who)| who).collect()
    }

    /// The call with which a process has stood at its gate longest.
    pub fn take(&mut self, who: usize) -> Option<Arrival> {
        let place = self.waiting.iter().position(|arrival| arrival.who == who)?;
        let arrival = self.waiting.remove(place);
        if let Some(process) = self.processes.get(&who) {
            self.tally.count(&format!("calls of {}", process.bin));
        }
        Some(arrival)
    }

    /// Leaves a call at its gate after all.
    pub fn leave(&mut self, arrival: Arrival) {
        self.waiting.push(arrival);
    }

    /// Decides on a call.
    pub fn decide(&mut self, arrival: Arrival, verdict: Verdict) {
        let word = match &verdict {
            Verdict::Pass => "",
            Verdict::Refuse(why) => why,
            Verdict::LoseAnswer => "its answer is lost",
            Verdict::DoneInSilence(_) => "done and not answered",
        };
        self.note(format!("{} {} {word}", arrival.who, arrival.kind));
        arrival.decide(verdict);
    }
}
