//! The stream of the requests table: changes in order, taken together, again and again until they are done with.

use std::time::{Duration, Instant};

use futures::future::LocalBoxFuture;
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde::Deserialize;
use serde_json::Value;

use super::{Exit, Line, guarded, serve};
use crate::store::{Came, Counted, StreamRecord};
use crate::{App, Error};

const WITHIN: Duration = Duration::from_secs(55);

/// The event, each record as it came: one that cannot be read is buried as it is.
#[derive(Deserialize)]
struct Records {
    #[serde(rename = "Records")]
    records: Vec<Value>,
}

type Handler<T> = Box<dyn Fn(&'static App, Vec<T>) -> LocalBoxFuture<'static, Result<(), Error>>>;
type Reader<T> = fn(&StreamRecord) -> Result<Option<T>, Error>;

/// Serves the stream to whoever counts. A failure gives the whole batch back, so handlers must know what they have counted; a
/// record that can never be read goes to the dead-letter queue, and the ones behind it go on.
pub fn stream<H>(handle: H) -> Exit
where
    H: AsyncFn(&App, Vec<Counted>) -> Result<(), Error> + 'static,
{
    serve_stream(StreamRecord::read, handle)
}

/// Serves the stream to whoever waits for new requests; the same holds.
pub fn arrivals<H>(handle: H) -> Exit
where
    H: AsyncFn(&App, Vec<Came>) -> Result<(), Error> + 'static,
{
    serve_stream(StreamRecord::came, handle)
}

fn serve_stream<T: 'static, H>(reader: Reader<T>, handle: H) -> Exit
where
    H: AsyncFn(&App, Vec<T>) -> Result<(), Error> + 'static,
{
    let handle: &'static H = Box::leak(Box::new(handle));
    let handle: Handler<T> = Box::new(move |app, changes| Box::pin(handle(app, changes)));
    let handle: &'static Handler<T> = Box::leak(Box::new(handle));
    serve(None, &move |app, event: LambdaEvent<Records>| {
        Box::pin(async move {
            let started = Instant::now();
            let request_id = event.context.request_id;
            let done = guarded(WITHIN, async {
                let changes = read(app, reader, event.payload.records).await?;
                if changes.is_empty() { Ok(()) } else { handle(app, changes).await }
            })
            .await;
            let outcome = done.as_ref().err().map_or("ok", Error::kind);
            Line { app, request_id: &request_id, call: "", started }.write(outcome, done.as_ref().err());
            done.map_err(|error| Diagnostic { error_type: error.kind().to_owned(), error_message: error.to_string() })
        })
    })
}

async fn read<T>(app: &App, reader: Reader<T>, records: Vec<Value>) -> Result<Vec<T>, Error> {
    let mut changes = vec![];
    for record in records {
        let read = match StreamRecord::deserialize(&record) {
            Ok(read) => reader(&read),
            Err(_) => Err(Error::invalid("record", "it is no record of a stream")),
        };
        match read {
            Ok(Some(change)) => changes.push(change),
            Ok(None) => {}
            Err(error) => {
                // Only where it is, not what is in it: images hold what was sealed, and queues are read by people.
                let keys = serde_json::json!({
                    "why": error.to_string(),
                    "keys": record.pointer("/dynamodb/Keys"),
                    "sequence_number": record.pointer("/dynamodb/SequenceNumber"),
                });
                tracing::error!(error = error.causes(), "a change of a request cannot be read");
                app.queues.bury(keys.to_string()).await?;
            }
        }
    }
    Ok(changes)
}
