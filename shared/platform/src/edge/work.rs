//! Work from the agenda, one tenant at a time: begun, done, written down; what fails is brought again by its queue.

use std::time::{Duration, Instant};

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use domain::job::Job;
use futures::future::LocalBoxFuture;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::LambdaEvent;

use super::{Exit, Line, guarded, serve};
use crate::store::{Counts, Due, Outcome, Summons};
use crate::{App, Error};

/// What is left for writing down how it ended, when the function's time runs out.
const RESERVE: Duration = Duration::from_secs(10);

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// When it wants to be called again, for the same part of its work; nothing where that is done.
    pub again: Option<Timestamp>,
    /// What it waits for, in a few words and nothing personal.
    pub why: Option<&'static str>,
    /// What it counted.
    pub counted: Counts,
}

impl Ran {
    /// Nothing is left to do.
    #[must_use]
    pub fn done() -> Self {
        Self::default()
    }

    /// To be called again.
    #[must_use]
    pub fn again(at: Timestamp) -> Self {
        Self { again: Some(at), ..Self::default() }
    }

    /// The same, with a count.
    #[must_use]
    pub fn counting(mut self, word: &'static str, count: u64) -> Self {
        self.counted.insert(word, count);
        self
    }

    /// The same, with what it waits for.
    #[must_use]
    pub fn because(self, why: &'static str) -> Self {
        Self { why: Some(why), ..self }
    }
}

/// One piece of work.
#[derive(Clone, Debug)]
pub struct Work {
    /// The entry of the agenda that asks for it.
    pub due: Due,
    /// What time it is: its planner's, where that one looks ahead.
    pub now: Timestamp,
    /// When it must have come to an end; one that has more to do by then asks to be called again.
    pub until: Timestamp,
}

type Handler = Box<dyn Fn(&'static App, Work) -> LocalBoxFuture<'static, Result<Ran, Error>>>;

/// Serves a job's queue. Handlers must be idempotent: an entry may ring more than once, and two workers may hear it.
pub fn work<H>(job: Job, handle: H) -> Exit
where
    H: AsyncFn(&App, &Work) -> Result<Ran, Error> + 'static,
{
    let handle: &'static H = Box::leak(Box::new(handle));
    let handle: Handler = Box::new(move |app, work| Box::pin(async move { handle(app, &work).await }));
    serve_work(Box::leak(Box::new((job, handle))))
}

fn serve_work((job, handle): &'static (Job, Handler)) -> Exit {
    serve(None, &|app, event: LambdaEvent<SqsEvent>| {
        Box::pin(async move {
            let mut answer = SqsBatchResponse::default();
            let end = i64::try_from(event.context.deadline).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
            let end = end.unwrap_or(Timestamp::MAX);
            for message in event.payload.records {
                let started = Instant::now();
                let (id, body) = (message.message_id.unwrap_or_default(), message.body.unwrap_or_default());
                let mut done = one(app, *job, handle, &body, end).await;
                let outcome = done.as_ref().err().map_or("ok", Error::kind);
                if matches!(done, Err(Error::Invalid { .. })) {
                    done = app.queues.bury(body).await;
                }
                Line { app, request_id: &id, call: "", started }.write(outcome, done.as_ref().err());
                if done.is_err() {
                    let mut failure = BatchItemFailure::default();
                    failure.item_identifier = id;
                    answer.batch_item_failures.push(failure);
                }
            }
            Ok(answer)
        })
    })
}

async fn one(app: &'static App, job: Job, handle: &Handler, body: &str, end: Timestamp) -> Result<(), Error> {
    let summons = serde_json::from_str::<Summons>(body).ok().filter(|summons| summons.job == job);
    let summons = summons.ok_or_else(|| Error::invalid("message", "it is no summons to this job"))?;
    let left = Duration::try_from(end.duration_since(app.clock.now())).unwrap_or_default();
    let left = left.saturating_sub(RESERVE);
    if left.is_zero() {
        return Err(Error::Failed { doing: "beginning a run", source: "no time is left".into() });
    }
    // Nothing where it was done before.
    let Some(due) = app.store.called(&summons).await? else { return Ok(()) };
    app.about(&due.tenant);
    let began = app.clock.now();
    app.store.run_begins(&due, began).await?;
    let until = end.saturating_sub(SignedDuration::from_secs(30)).unwrap_or(end);
    let now = summons.now(began);
    let ran = guarded(left, handle(app, Work { due: due.clone(), now, until })).await;
    let (outcome, counted, why) = match &ran {
        Ok(Ran { again: None, counted, why }) => (Outcome::Done, counted.clone(), *why),
        Ok(Ran { again: Some(_), counted, why }) => (Outcome::Again, counted.clone(), *why),
        Err(Error::Failed { doing, .. }) => (Outcome::Failed, Counts::new(), Some(*doing)),
        Err(error) => (Outcome::Failed, Counts::new(), Some(error.kind())),
    };
    if let Ok(ran) = &ran {
        // First the next entry, then this one goes: a crash in between rings twice and loses nothing.
        if let Some(at) = ran.again {
            app.store.of(&due.tenant).arrange(job, at, &due.what).await?;
        }
        app.store.done(&due).await?;
    }
    app.store.run_ends(&due, began, outcome, &counted, why).await?;
    // What no retry can help is in the record; the agenda still has it, and the next planning brings it.
    ran.map(|_| ())
}
