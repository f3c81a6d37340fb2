//! The edges: one file per kind of caller. Each verifies, parses, calls the handler, translates its error, logs one line.
//!
//! | edge | caller | a failed handler gives |
//! |---|---|---|
//! | [`voice`] | Twilio, while somebody is on the line | 200 TwiML: an apology, then the fallback takes a message |
//! | [`callback`] | Twilio, after the fact | 500, so that Twilio's own retry applies |
//! | [`stripe`](stripe()) | Stripe, about what it refused | 500, so that Stripe brings it again |
//! | [`audio`] | Twilio's media proxies | 404 or 500 |
//! | [`page`](page()), [`door`], [`files_door`], [`public`] | browsers | a page that says what to do next; 500 with the request id |
//! | [`queue`] | SQS | that message alone is retried, or buried where it can never succeed |
//! | [`work`](work()) | SQS, for a job of the agenda | the same; each run is written down |
//! | [`stream`](stream()), [`arrivals`] | DynamoDB, after a change of a request | the whole batch is retried |
//! | [`job`] | the operator or a schedule | a named `errorType` |
//!
//! The loops below are not generic over the handler: it is boxed once, or every bin would compile hyper again.

mod audio;
mod http;
mod job;
mod page;
mod queue;
mod stream;
mod stripe;
mod twilio;
mod work;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::time::Duration;

use futures::FutureExt;
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use audio::{Audio, AudioRequest, audio};
pub use job::job;
pub use page::{CASE, Client, Fields, File, Page, Visit, door, files_door, page, public, safe_next, with_query};
pub use queue::{queue, queue_of_text};
pub use stream::{arrivals, stream};
pub use stripe::stripe;
pub use twilio::{AGAIN, RETRIED, Webhook, callback, voice};
pub use work::{Ran, Work, work};

use crate::clock::Clock;
use crate::config::Config;
use crate::{App, Error, log};

/// What `main` returns.
pub type Exit = ExitCode;

/// Runs one function for as long as Lambda keeps its process. One thread: Lambda gives one invocation at a time.
fn serve<P, R>(rehearse: Rehearsal, handle: &dyn Fn(&'static App, LambdaEvent<P>) -> LocalResult<R>) -> Exit
where
    P: DeserializeOwned,
    R: Serialize,
{
    log::start();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the runtime does not start");
            return ExitCode::FAILURE;
        }
    };
    let served = runtime.block_on(async {
        // One per process, for as long as it lives.
        let app: &'static App = Box::leak(Box::new(App::new(Config::from_env(), Clock::System)));
        app.warm().await;
        if let Some(rehearse) = rehearse {
            rehearse(app).await;
        }
        Runtime::new(service_fn(|event: LambdaEvent<P>| handle(app, event))).run().await
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "Lambda's runtime interface failed");
            ExitCode::FAILURE
        }
    }
}

/// What an edge does once before the first event, so that the first caller does not wait for pages and tables.
type Rehearsal = Option<fn(&'static App) -> futures::future::LocalBoxFuture<'static, ()>>;

/// An answer to Lambda in the making.
type LocalResult<R> = futures::future::LocalBoxFuture<'static, Result<R, lambda_runtime::Diagnostic>>;

/// Runs a handler so that neither a panic nor a hang gets past the edge.
async fn guarded<T>(within: Duration, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match tokio::time::timeout(within, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Error::Failed { doing: "handling the event", source: "the handler panicked".into() }),
        Err(_) => Err(Error::Failed { doing: "handling the event", source: "it took too long".into() }),
    }
}

/// The one line that an invocation leaves in the log.
struct Line<'a> {
    app: &'a App,
    request_id: &'a str,
    call: &'a str,
    started: std::time::Instant,
}

impl Line<'_> {
    /// Writes it. `outcome` is `ok`, `refused` or the error's kind.
    fn write(&self, outcome: &str, error: Option<&Error>) {
        let (function, aws_calls) = (self.app.config.function.as_str(), self.app.calls.take());
        let duration_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let (request_id, call) = (self.request_id, self.call);
        let tenant = self.app.take_tenant();
        let tenant = tenant.as_ref().map_or("", |tenant| tenant.as_str());
        match error {
            Some(error @ Error::Failed { .. }) => tracing::error!(
                fn = function, request_id, tenant, call, outcome, aws_calls, duration_us, error = error.causes(), "failed"
            ),
            Some(error) => tracing::info!(
                fn = function, request_id, tenant, call, outcome, aws_calls, duration_us, error = error.kind(), "answered"
            ),
            None => {
                tracing::info!(fn = function, request_id, tenant, call, outcome, aws_calls, duration_us, "answered");
            }
        }
    }
}

/// Notes a failure that an answer goes on without.
pub fn note_failure(error: &Error) {
    tracing::error!(error = error.causes(), "a part of an answer failed");
}
