//! SQS: each message on its own; what fails is retried, what can never succeed is buried whole.

use std::time::{Duration, Instant};

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use futures::future::LocalBoxFuture;
use lambda_runtime::LambdaEvent;
use serde::de::DeserializeOwned;

use super::{Exit, Line, guarded, serve};
use crate::{App, Error};

/// One message takes no longer; the queue's visibility timeout is six times the function's.
const WITHIN: Duration = Duration::from_secs(50);
/// What is left for the answer itself when a batch runs into the function's time limit.
const RESERVE: Duration = Duration::from_secs(2);

type Handler = Box<dyn Fn(&'static App, String) -> LocalBoxFuture<'static, Result<(), Error>>>;

/// Serves a queue whose messages are `M` in JSON. Handlers must be idempotent: SQS delivers at least once.
pub fn queue<H, M>(handle: H) -> Exit
where
    H: AsyncFn(&App, M) -> Result<(), Error> + 'static,
    M: DeserializeOwned + 'static,
{
    let handle: &'static H = Box::leak(Box::new(handle));
    let handle: Handler = Box::new(move |app, body| {
        Box::pin(async move {
            // The cause could quote the message.
            let message = serde_json::from_str(&body).map_err(|_| Error::invalid("message", "it cannot be read"))?;
            handle(app, message).await
        })
    });
    serve_queue(Box::leak(Box::new(handle)))
}

/// Serves a queue whose messages are not always JSON: they come as they are.
pub fn queue_of_text<H>(handle: H) -> Exit
where
    H: AsyncFn(&App, String) -> Result<(), Error> + 'static,
{
    let handle: &'static H = Box::leak(Box::new(handle));
    let handle: Handler = Box::new(move |app, body| Box::pin(handle(app, body)));
    serve_queue(Box::leak(Box::new(handle)))
}

fn serve_queue(handle: &'static Handler) -> Exit {
    serve(None, &|app, event: LambdaEvent<SqsEvent>| {
        Box::pin(async move {
            let mut answer = SqsBatchResponse::default();
            let deadline = event.context.deadline;
            for message in event.payload.records {
                let started = Instant::now();
                let (id, body) = (message.message_id.unwrap_or_default(), message.body.unwrap_or_default());
                // Those for which no time is left are given back unharmed.
                let within = left(app, deadline).saturating_sub(RESERVE).min(WITHIN);
                let mut done = guarded(within, handle(app, body.clone())).await;
                let outcome = done.as_ref().err().map_or("ok", Error::kind);
                if matches!(done, Err(Error::Invalid { .. } | Error::NotFound)) {
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

/// Until Lambda stops the function; `deadline` is in milliseconds since 1970.
fn left(app: &App, deadline: u64) -> Duration {
    let now = u64::try_from(app.clock.now().as_millisecond()).unwrap_or(u64::MAX);
    Duration::from_millis(deadline.saturating_sub(now))
}
