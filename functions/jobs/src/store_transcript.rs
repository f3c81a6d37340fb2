//! `jobs-store-transcript`: what a recording says, beside the recording, sealed; then deleted at Twilio.

use platform::blob::RecordingPart;
use platform::tenant::Tenant;
use platform::{App, Error};
use voice::transcription::{TranscriptReady, bound_to};

/// Stores first and deletes last, so that a crash between the two repeats and loses nothing.
pub async fn handle(app: &App, ready: TranscriptReady) -> Result<(), Error> {
    let owner = app.store.call(&ready.call).await?;
    let tenant = owner.map_or_else(Tenant::platform, |owner| owner.tenant);
    let keys = app.store.of(&tenant).keys().await?;
    let text = app.secrets().await?.calls.open_text(&ready.sealed, &bound_to(&ready.recording))?;
    let whose = (&tenant, keys.as_ref());
    let part = RecordingPart::Transcript;
    app.blobs.put_recording(whose, (&ready.call, &ready.recording), part, text.as_bytes()).await?;
    let twilio = app.twilio().await?;
    twilio.delete_transcription(&ready.transcription).await.map_err(Error::failed("deleting a transcription at Twilio"))
}
