//! `jobs-store-recording`: from Twilio into the tenant's own storage, sealed; then deleted at Twilio.

use domain::clock;
use domain::language::Language;
use domain::request::{Channel, Kind, Missing};
use jiff::tz::TimeZone;
use partners::twilio::rest::RestError;
use platform::blob::{RecordingKey, RecordingPart};
use platform::store::{Begun, CallOwner, NewRequest};
use platform::tenant::Tenant;
use platform::{App, Error};
use voice::recording::RecordingReady;

/// Stores first and deletes last, so that a crash between the two repeats and loses nothing.
pub async fn handle(app: &App, ready: RecordingReady) -> Result<(), Error> {
    let owner = app.store.call(&ready.call).await?;
    let tenant = owner.as_ref().map_or_else(Tenant::platform, |owner| owner.tenant.clone());
    app.about(&tenant);
    let store = app.store.of(&tenant);
    let whose = RecordingKey {
        tenant: &tenant,
        call: &ready.call,
        recording: &ready.recording,
        keys: &*store.keys().await?,
        salt: store.recording_salt(&ready.recording).await?,
    };
    let twilio = app.twilio().await?;
    match twilio.recording(&ready.recording).await {
        Ok(audio) => app.blobs.put_recording(&whose, RecordingPart::Audio, &audio).await?,
        // A second delivery after a first that finished: what was deleted there is here.
        Err(RestError::NotFound { .. }) if app.blobs.has_recording(&whose, RecordingPart::Audio).await? => {
            return Ok(());
        }
        Err(error) => return Err(Error::failed("fetching a recording from Twilio")(error)),
    }
    if ready.fallback {
        match &owner {
            Some(owner) => note_message(app, owner, &ready).await?,
            // Somebody has to listen to it and find out whom it is for: the alarm on errors says so.
            None => tracing::error!(call = %ready.call, "a message was left that reached no tenant"),
        }
    }
    if ready.transcript_due {
        // `jobs-store-transcript` deletes it sooner, when Twilio has written it down.
        return app.queues.recordings_later(&RecordingReady { transcript_due: false, ..ready }).await;
    }
    twilio.delete_recording(&ready.recording).await.map_err(Error::failed("deleting a recording at Twilio"))
}

/// A message that the fallback took is a request like any other; one that the call had begun already gets it.
async fn note_message(app: &App, owner: &CallOwner, ready: &RecordingReady) -> Result<(), Error> {
    let store = app.store.of(&owner.tenant);
    // A call that named no code is the platform's, and so is what was said in it.
    let Some(code) = &owner.code else { return Ok(()) };
    let account = store.service_code(code).await?.ok_or(Error::NotFound)?;
    let zone = TimeZone::get(&account.tenant.time_zone).map_err(Error::failed("reading the tenant's time zone"))?;
    let clocks = clock::clocks(&account.tenant.jurisdictions, Kind::Message, ready.at, &zone)
        .map_err(Error::failed("computing the dates of a request"))?;
    let new = NewRequest {
        kind: Kind::Message,
        channel: Channel::Phone,
        code,
        language: account.code.languages.first().copied().unwrap_or(Language::English),
        call: &ready.call,
        // Below what any step of the call writes.
        revision: 0,
        contact: None,
        received_at: ready.at,
        clocks: &clocks,
        missing: &[Missing::Confirmation],
    };
    // Where the call's own request is there, the message belongs to it, whatever its state.
    let (Begun::There(reference) | Begun::Other(reference)) = store.begin_request(&new).await?;
    store.add_message(&reference, &ready.call, &ready.recording).await
}
