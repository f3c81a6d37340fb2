//! Work started by the operator or by a schedule: JSON in, JSON out, errors by name.

use std::time::{Duration, Instant};

use futures::future::LocalBoxFuture;
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Exit, Line, guarded, serve};
use crate::{App, Error};

const WITHIN: Duration = Duration::from_mins(14);

type Handler = Box<dyn Fn(&'static App, Value) -> LocalBoxFuture<'static, Result<Value, Error>>>;

/// Serves a job. An error becomes Lambda's `errorType`, so that retries, dead-letter queues and alarms see it.
pub fn job<H, I, O>(handle: H) -> Exit
where
    H: AsyncFn(&App, I) -> Result<O, Error> + 'static,
    I: DeserializeOwned + 'static,
    O: Serialize + 'static,
{
    let handle: &'static H = Box::leak(Box::new(handle));
    let handle: Handler = Box::new(move |app, input| {
        Box::pin(async move {
            let input = serde_json::from_value(input).map_err(|error| Error::invalid("event", error))?;
            let output = handle(app, input).await?;
            serde_json::to_value(output).map_err(Error::failed("writing the result"))
        })
    });
    serve_job(Box::leak(Box::new(handle)))
}

fn serve_job(handle: &'static Handler) -> Exit {
    serve(None, &|app, event: LambdaEvent<Value>| {
        Box::pin(async move {
            let started = Instant::now();
            let request_id = event.context.request_id;
            let done = guarded(WITHIN, handle(app, event.payload)).await;
            let outcome = done.as_ref().err().map_or("ok", Error::kind);
            Line { app, request_id: &request_id, call: "", started }.write(outcome, done.as_ref().err());
            done.map_err(|error| Diagnostic { error_type: error.kind().to_owned(), error_message: error.to_string() })
        })
    })
}
