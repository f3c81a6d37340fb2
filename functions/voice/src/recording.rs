//! `POST /voice/recording`: Twilio says that a recording is ready. A worker fetches it.

use jiff::Timestamp;
use partners::twilio::{CallSid, RecordingSid};
use platform::edge::Webhook;
use platform::{App, Error};
use serde::{Deserialize, Serialize};

/// What `jobs-store-recording` is told. Nothing personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RecordingReady {
    /// Which call.
    pub call: CallSid,
    /// Which recording.
    pub recording: RecordingSid,
    /// When Twilio said so: the date of receipt of a message that the fallback took.
    pub at: Timestamp,
    /// Made by [`crate::fallback`], so that no step has noted it in a request.
    pub fallback: bool,
    /// Twilio is still writing down what it says, and needs it for that.
    pub transcript_due: bool,
}

/// Queues it; what was never recorded (`absent`) needs no worker.
pub async fn handle(app: &App, webhook: Webhook) -> Result<(), Error> {
    if webhook.params.get("RecordingStatus") != Some("completed") {
        return Ok(());
    }
    let sid = webhook.params.get("RecordingSid").unwrap_or_default();
    let recording = RecordingSid::parse(sid).map_err(|error| Error::invalid("RecordingSid", error))?;
    let ready = RecordingReady {
        recording,
        at: app.clock.now(),
        fallback: webhook.query == "source=fallback",
        transcript_due: webhook.query == "source=transcribed" && transcribable(&webhook),
        call: webhook.call,
    };
    app.queues.recordings(&ready).await
}

/// Twilio transcribes what is longer than two seconds and no longer than two minutes: Twilio, `<Record>` `transcribe`.
fn transcribable(webhook: &Webhook) -> bool {
    let seconds = webhook.params.get("RecordingDuration").and_then(|seconds| seconds.parse::<u32>().ok());
    seconds.is_some_and(|seconds| (3..=120).contains(&seconds))
}
