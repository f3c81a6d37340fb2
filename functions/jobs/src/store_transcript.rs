//! `jobs-store-transcript`: what a recording says, beside the recording, sealed; then deleted at Twilio.

use platform::blob::{RecordingKey, RecordingPart};
use platform::tenant::Tenant;
use platform::{App, Error};
use voice::transcription::{TranscriptReady, bound_to};

/// Stores first and deletes last, so that a crash between the two repeats and loses nothing.
pub async fn handle(app: &App, ready: TranscriptReady) -> Result<(), Error> {
    let owner = app.store.call(&ready.call).await?;
    let tenant = owner.map_or_else(Tenant::platform, |owner| owner.tenant);
    app.about(&tenant);
    let store = app.store.of(&tenant);
    let whose = RecordingKey {
        tenant: &tenant,
        call: &ready.call,
        recording: &ready.recording,
        keys: &*store.keys().await?,
        salt: store.recording_salt(&ready.recording).await?,
    };
    if let Some(sealed) = &ready.sealed {
        let text = app.secrets().await?.calls.open_text(sealed, &bound_to(&ready.recording))?;
        app.blobs.put_recording(&whose, RecordingPart::Transcript, text.as_bytes()).await?;
    }
    let twilio = app.twilio().await?;
    // Twilio needs the audio no longer. If it is not here yet, `jobs-store-recording` brings and then deletes it.
    if app.blobs.has_recording(&whose, RecordingPart::Audio).await? {
        let deleted = twilio.delete_recording(&ready.recording).await;
        deleted.map_err(Error::failed("deleting a recording at Twilio"))?;
    }
    let deleted = twilio.delete_transcription(&ready.transcription).await;
    deleted.map_err(Error::failed("deleting a transcription at Twilio"))
}
