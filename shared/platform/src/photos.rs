//! Photos of identity documents go as soon as nobody verifies by them any more (11 CCR 7060(d)).

use domain::audit::Entry;

use crate::App;
use crate::blob::UploadId;
use crate::edge::note_failure;
use crate::store::Photo;
use crate::tenant::Tenant;

impl App {
    /// Deletes photos that a request has let go of, and writes `entry` with how many really went; nothing where none did. What
    /// cannot be deleted now, the bucket's own rule deletes.
    pub async fn delete_photos(&self, tenant: &Tenant, photos: &[Photo], entry: Entry) {
        let mut results = vec![];
        for id in photos.iter().filter_map(|photo| UploadId::parse(&photo.id)) {
            results.push(self.blobs.delete_photo(&id).await);
        }
        for error in results.iter().filter_map(|it| it.as_ref().err()) {
            note_failure(error);
        }
        let Some(entry) = deleted(entry, results.iter().filter(|it| it.is_ok()).count()) else { return };
        if let Err(error) = self.store.of(tenant).record(&entry).await {
            note_failure(&error);
        }
    }
}

/// The entry about so many photos.
fn deleted(entry: Entry, photos: usize) -> Option<Entry> {
    (photos > 0).then(|| entry.with("photos", photos.to_string()))
}

#[cfg(test)]
mod tests {
    use domain::audit::{Act, Who};
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn the_trail_tells_of_the_photos_that_went_and_of_no_others() {
        let entry = || Entry::new(Timestamp::UNIX_EPOCH, Who::Consumer, Act::PhotoIdDeleted);
        assert!(deleted(entry(), 0).is_none());
        let text = serde_json::to_string(&deleted(entry(), 2)).unwrap();
        assert!(text.contains("\"2\""), "{text}");
    }
}
