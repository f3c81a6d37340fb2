//! `dashboard-recording`: what was said on a call, to be heard and sought through. Whoever hears it is in the audit trail.

use domain::audit::Act;
use platform::blob::{RecordingKey, RecordingPart};
use platform::edge::{Page, Visit};
use platform::session::{Allowed, SeeRequests};
use platform::{App, Error};

use crate::case;
use crate::links::{self, RecordingLink};

/// What counts who has begun to hear a recording by a link.
const PLAYED: &str = "played";

/// Whether a player asks for all of it from the beginning.
fn is_whole(range: Option<&str>) -> bool {
    range.is_none_or(|range| range.trim().strip_prefix("bytes=").is_some_and(|it| it.trim_start().starts_with("0-")))
}

/// Gives the audio, or the part of it that the player asks for.
pub async fn handle(app: &App, allowed: Allowed<SeeRequests>, visit: Visit) -> Result<Page, Error> {
    let tickets = app.tickets().await?;
    let link: RecordingLink = tickets.open(links::RECORDING, allowed.id.as_str(), visit.at, &visit.segment)?;
    let store = app.store.of(&allowed.tenant);
    let keys = store.keys().await?;
    let salt = store.found_recording_salt(&link.recording).await?;
    let key = RecordingKey { tenant: &allowed.tenant, call: &link.call, recording: &link.recording, keys: &keys, salt };
    let audio = app.blobs.recording(&key, RecordingPart::Audio).await?;
    // A player asks for a recording piece by piece; hearing it is told once. Only from its beginning is it told each time.
    let counted = app.store.throttle(PLAYED, &visit.segment, 1, links::LIVES, visit.at).await;
    let is_new = match counted {
        Ok(()) => true,
        Err(Error::Throttled { .. }) => false,
        Err(error) => return Err(error),
    };
    if !is_new && !is_whole(visit.range.as_deref()) {
        return Ok(Page::inline("audio/mpeg", audio).ranged(visit.range.as_deref()));
    }
    let entry = case::entry(&allowed, &visit, Act::RecordingPlayed, &link.reference)
        .with("recording", link.recording.as_str())
        .with("range", visit.range.as_deref().unwrap_or("all").chars().take(60).collect::<String>());
    store.record(&entry).await?;
    Ok(Page::inline("audio/mpeg", audio).ranged(visit.range.as_deref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_begun_where_no_part_of_it_is_asked_for_or_its_first() {
        for whole in [None, Some("bytes=0-"), Some(" bytes=0-1023")] {
            assert!(is_whole(whole), "{whole:?}");
        }
        for part in ["bytes=1-", "bytes=-500", "bytes=1024-2047", "items=0-", ""] {
            assert!(!is_whole(Some(part)), "{part}");
        }
    }
}
