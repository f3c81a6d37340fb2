//! The measuring itself: all subjects in turns, so that a busy moment of the machine falls on all of them alike.

use std::fmt;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use serde::Serialize;
use serde_json::Value;

use crate::Error;
use crate::aws::{Aws, Call, Cloud, Counts, SharedCloud, count, waited};
use crate::gateway::Answer;
use crate::sandbox::{Function, Invocation, Sandbox};
use crate::stats::Spread;

/// Invocations of a new process that are left out of the warm figures: a peer's compiler needs some to get going.
const SETTLING: usize = 100;
/// The warm invocations of one subject come in this many blocks, between those of the others.
const BLOCKS: usize = 10;

/// What a subject is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The bare `lambda_http` function.
    Floor,
    /// A function of Optline.
    Optline,
    /// The same step in another language.
    Peer {
        /// The language.
        language: String,
        /// The function of Optline that does the same.
        step: String,
    },
}

/// What is measured.
#[derive(Debug, Clone)]
pub struct Subject {
    /// What it is called in the tables.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// How it is run.
    pub function: Function,
    /// What it is sent.
    pub event: Event,
    /// What the cloud holds before each event.
    pub before: Cloud,
    /// What it must answer.
    pub wanted: Wanted,
}

/// What a subject is sent.
#[derive(Clone)]
pub enum Event {
    /// Always the same.
    Same(Bytes),
    /// Made for the moment: it holds a code that is soon no longer good.
    OfTheMoment(Arc<dyn Fn() -> Bytes>),
}

impl Event {
    fn now(&self) -> Bytes {
        match self {
            Self::Same(event) => event.clone(),
            Self::OfTheMoment(event) => event(),
        }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Event(..)")
    }
}

/// An answer that is no failure: a failure must not pass for speed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Wanted {
    /// A success.
    #[default]
    Success,
    /// A page that has a text so many times.
    Shows(String, usize),
    /// The way to another page.
    LeadsTo(String),
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Fresh processes of each subject.
    pub starts: usize,
    /// Warm invocations of each subject.
    pub warm: usize,
}

/// A subject's figures. Times are in milliseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The size of its program, where it is one file of ours.
    pub program_bytes: Option<u64>,
    /// The most memory that a process held.
    pub peak_memory_kib: u64,
    /// Its figures for each delay of the stub.
    pub at: Vec<Figures>,
}

/// A subject's times and calls with one delay of the stub. Times are in milliseconds.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Figures {
    /// How long the stub takes for each call.
    pub delay_ms: u64,
    /// From the start of the process to its first request for an event.
    pub start: Spread,
    /// The part of `start` in which it waited for AWS.
    pub start_waited: Spread,
    /// The first invocation of a fresh process.
    pub first: Spread,
    /// The part of `first` in which it did not wait for AWS.
    pub first_own: Spread,
    /// An invocation of a process that has served some.
    pub warm: Spread,
    /// The part of `warm` in which it did not wait for AWS.
    pub warm_own: Spread,
    /// Calls to AWS before the first request for an event.
    pub start_calls: Counts,
    /// Calls to AWS of the first invocation.
    pub first_calls: Counts,
    /// Calls to AWS of one warm invocation.
    pub warm_calls: Counts,
}

#[derive(Debug, Clone, Default)]
struct Samples {
    start: Vec<Duration>,
    start_waited: Vec<Duration>,
    first: Vec<Duration>,
    first_own: Vec<Duration>,
    warm: Vec<Duration>,
    warm_own: Vec<Duration>,
    start_calls: Vec<Call>,
    first_calls: Vec<Call>,
    warm_calls: Vec<Call>,
    peak_memory_kib: u64,
}

/// Measures all subjects with each delay; `progress` is told what is being done.
pub async fn measure(
    subjects: &[Subject],
    delays: &[Duration],
    effort: Effort,
    progress: &dyn Fn(&str),
) -> Result<Vec<Measured>, Error> {
    let mut measured: Vec<Measured> = subjects
        .iter()
        .map(|subject| Measured {
            name: subject.name.clone(),
            kind: subject.kind.clone(),
            program_bytes: program_bytes(subject),
            peak_memory_kib: 0,
            at: Vec::new(),
        })
        .collect();
    for delay in delays {
        let mut samples = vec![Samples::default(); subjects.len()];
        for round in 1..=effort.starts {
            progress(&format!(
                "AWS answers after {} ms: start {round} of {} of each",
                delay.as_millis(),
                effort.starts
            ));
            for (subject, samples) in subjects.iter().zip(&mut samples) {
                start(subject, *delay, samples).await?;
            }
        }
        warm(subjects, *delay, effort.warm, &mut samples, progress).await?;
        for (measured, samples) in measured.iter_mut().zip(samples) {
            measured.peak_memory_kib = measured.peak_memory_kib.max(samples.peak_memory_kib);
            measured.at.push(figures(*delay, &samples));
        }
    }
    Ok(measured)
}

/// A fresh process and its first invocation.
async fn start(subject: &Subject, delay: Duration, samples: &mut Samples) -> Result<(), Error> {
    let cloud = SharedCloud::default();
    cloud.rewind(&subject.before);
    let mut sandbox = Sandbox::start(&subject.function, Aws::listen(&cloud, delay).await?).await?;
    samples.start.push(sandbox.start);
    samples.start_waited.push(waited(&sandbox.init_calls));
    let first = sandbox.invoke(&subject.event.now()).await?;
    check(subject, &first)?;
    samples.first.push(first.took);
    samples.first_own.push(first.took.saturating_sub(waited(&first.calls)));
    samples.start_calls.clone_from(&sandbox.init_calls);
    samples.first_calls = first.calls;
    Ok(())
}

/// Invocations of processes that stay, block by block in turns.
async fn warm(
    subjects: &[Subject],
    delay: Duration,
    invocations: usize,
    samples: &mut [Samples],
    progress: &dyn Fn(&str),
) -> Result<(), Error> {
    let mut running = Vec::new();
    for subject in subjects {
        let cloud = SharedCloud::default();
        cloud.rewind(&subject.before);
        let mut sandbox = Sandbox::start(&subject.function, Aws::listen(&cloud, delay).await?).await?;
        for _ in 0..SETTLING.min(invocations) {
            cloud.rewind(&subject.before);
            check(subject, &sandbox.invoke(&subject.event.now()).await?)?;
        }
        running.push((cloud, sandbox));
    }
    for block in 1..=BLOCKS {
        progress(&format!("AWS answers after {} ms: warm block {block} of {BLOCKS} of each", delay.as_millis()));
        for ((subject, (cloud, sandbox)), samples) in subjects.iter().zip(&mut running).zip(samples.iter_mut()) {
            for _ in 0..invocations.div_ceil(BLOCKS) {
                cloud.rewind(&subject.before);
                let invocation = sandbox.invoke(&subject.event.now()).await?;
                check(subject, &invocation)?;
                samples.warm.push(invocation.took);
                samples.warm_own.push(invocation.took.saturating_sub(waited(&invocation.calls)));
                samples.warm_calls = invocation.calls;
            }
        }
    }
    for ((_, sandbox), samples) in running.iter().zip(samples) {
        samples.peak_memory_kib = sandbox.peak_memory_kib().unwrap_or_default();
    }
    Ok(())
}

fn check(subject: &Subject, invocation: &Invocation) -> Result<(), Error> {
    let failed = invocation.failed || !subject.wanted.is(&invocation.body);
    if failed {
        return Err(Error::say(&subject.name, "fails", &String::from_utf8_lossy(&invocation.body)));
    }
    Ok(())
}

impl Wanted {
    fn is(&self, body: &[u8]) -> bool {
        // A queue's worker answers something else, and a peer may answer less.
        let answer = Answer::read(body).unwrap_or_default();
        match self {
            Self::Success => {
                let value: Value = serde_json::from_slice(body).unwrap_or_default();
                let left = value.get("batchItemFailures").and_then(Value::as_array);
                answer.status < 300 && left.is_none_or(Vec::is_empty)
            }
            Self::Shows(text, times) => answer.status == 200 && answer.body.matches(text.as_str()).count() >= *times,
            Self::LeadsTo(path) => answer.status == 303 && answer.location.as_ref() == Some(path),
        }
    }
}

fn figures(delay: Duration, samples: &Samples) -> Figures {
    Figures {
        delay_ms: u64::try_from(delay.as_millis()).unwrap_or_default(),
        start: Spread::of(&samples.start),
        start_waited: Spread::of(&samples.start_waited),
        first: Spread::of(&samples.first),
        first_own: Spread::of(&samples.first_own),
        warm: Spread::of(&samples.warm),
        warm_own: Spread::of(&samples.warm_own),
        start_calls: count(&samples.start_calls),
        first_calls: count(&samples.first_calls),
        warm_calls: count(&samples.warm_calls),
    }
}

fn program_bytes(subject: &Subject) -> Option<u64> {
    if matches!(subject.kind, Kind::Peer { .. }) {
        return None;
    }
    subject.function.command.first().and_then(|program| fs::metadata(program).ok()).map(|program| program.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_that_is_not_the_wanted_one_is_a_failure() {
        let answer = |status: u64, more: Value| {
            let mut answer = json!({ "statusCode": status });
            answer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            answer.to_string().into_bytes()
        };
        let page = answer(200, json!({ "body": "row row" }));
        let leads = answer(303, json!({ "headers": { "location": "/in" } }));
        assert!(Wanted::Success.is(&page) && !Wanted::Success.is(&leads));
        assert!(!Wanted::Success.is(&answer(200, json!({ "batchItemFailures": [{}] }))));
        assert!(Wanted::Shows("row".into(), 2).is(&page) && !Wanted::Shows("row".into(), 3).is(&page));
        assert!(Wanted::LeadsTo("/in".into()).is(&leads) && !Wanted::LeadsTo("/out".into()).is(&leads));
        assert!(Wanted::Success.is(b"null") && !Wanted::LeadsTo("/in".into()).is(&page));
    }
}
