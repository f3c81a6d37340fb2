//! `dashboard-recording`: what was said on a call, to be heard and sought through. Each time is in the audit trail.

use domain::audit::Act;
use platform::blob::{RecordingKey, RecordingPart};
use platform::edge::{Page, Visit};
use platform::session::{Allowed, SeeRequests};
use platform::{App, Error};

use crate::case;
use crate::links::{self, RecordingLink};

/// Gives the audio, or the part of it that the player asks for.
pub async fn handle(app: &App, allowed: Allowed<SeeRequests>, visit: Visit) -> Result<Page, Error> {
    let tickets = app.tickets().await?;
    let link: RecordingLink = tickets.open(links::RECORDING, allowed.id.as_str(), visit.at, &visit.segment)?;
    let store = app.store.of(&allowed.tenant);
    let keys = store.keys().await?;
    let salt = store.found_recording_salt(&link.recording).await?;
    let key = RecordingKey { tenant: &allowed.tenant, call: &link.call, recording: &link.recording, keys: &keys, salt };
    let audio = app.blobs.recording(&key, RecordingPart::Audio).await?;
    let entry = case::entry(&allowed, &visit, Act::RecordingPlayed, &link.reference)
        .with("recording", link.recording.as_str())
        .with("range", visit.range.as_deref().unwrap_or("all").chars().take(60).collect::<String>());
    store.record(&entry).await?;
    Ok(Page::inline("audio/mpeg", audio).ranged(visit.range.as_deref()))
}
