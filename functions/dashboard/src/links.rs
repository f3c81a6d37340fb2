//! What sealed links of a request's page carry: good for an hour, in the session that the page was given to.

use domain::reference::Reference;
use jiff::SignedDuration;
use partners::twilio::{CallSid, RecordingSid};
use serde::{Deserialize, Serialize};

/// How long a link lives: long enough to listen while one works on the request. In another session it is worth nothing.
pub(crate) const LIVES: SignedDuration = SignedDuration::from_mins(60);
/// Links to recordings.
pub(crate) const RECORDING: &str = "recording";
/// Links to files.
pub(crate) const FILE: &str = "file";

/// Links to photos of identity documents.
pub(crate) const PHOTO: &str = "photo-id";

/// Which recording.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RecordingLink {
    pub(crate) reference: Reference,
    pub(crate) call: CallSid,
    pub(crate) recording: RecordingSid,
}

/// Which file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FileLink {
    pub(crate) reference: Reference,
    pub(crate) id: String,
}
