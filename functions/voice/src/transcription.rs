//! `POST /voice/transcription`: Twilio wrote down what a recording says. A worker keeps it and deletes it at Twilio.

use partners::twilio::{CallSid, RecordingSid, TranscriptionSid};
use platform::edge::Webhook;
use platform::{App, Error};
use serde::{Deserialize, Serialize};

/// What `jobs-store-transcript` is told; the text waits sealed, bound to its recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TranscriptReady {
    /// Which call.
    pub call: CallSid,
    /// Which recording.
    pub recording: RecordingSid,
    /// What to delete at Twilio.
    pub transcription: TranscriptionSid,
    /// The text; none where the transcription failed.
    pub sealed: Option<String>,
}

/// What the sealed text is bound to.
#[must_use]
pub fn bound_to(recording: &RecordingSid) -> [&str; 2] {
    ["transcript", recording.as_str()]
}

/// Queues it. A failed transcription has no text, but it too says that Twilio is done with the recording.
pub async fn handle(app: &App, webhook: Webhook) -> Result<(), Error> {
    let param = |name| webhook.params.get(name).unwrap_or_default();
    let recording =
        RecordingSid::parse(param("RecordingSid")).map_err(|error| Error::invalid("RecordingSid", error))?;
    let transcription = TranscriptionSid::parse(param("TranscriptionSid"))
        .map_err(|error| Error::invalid("TranscriptionSid", error))?;
    let sealed = match param("TranscriptionStatus") {
        "completed" => {
            let secrets = app.secrets().await?;
            Some(secrets.calls.seal_text(param("TranscriptionText"), &bound_to(&recording))?)
        }
        _ => None,
    };
    app.queues.transcripts(&TranscriptReady { call: webhook.call.clone(), recording, transcription, sealed }).await
}
