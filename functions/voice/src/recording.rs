//! `POST /voice/recording`: Twilio says that a recording is ready. A worker fetches it.

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
    /// Made by [`crate::fallback`], so that no step has noted it in a request.
    pub fallback: bool,
}

/// Queues it; what was never recorded (`absent`) needs no worker.
pub async fn handle(app: &App, webhook: Webhook) -> Result<(), Error> {
    if webhook.params.get("RecordingStatus") != Some("completed") {
        return Ok(());
    }
    let sid = webhook.params.get("RecordingSid").unwrap_or_default();
    let recording = RecordingSid::parse(sid).map_err(|error| Error::invalid("RecordingSid", error))?;
    app.queues
        .recordings(&RecordingReady { call: webhook.call, recording, fallback: webhook.query == "source=fallback" })
        .await
}
