//! The one place that asks what time it is.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Waits until this much time has passed since a beginning, so that how long something took tells nothing.
pub async fn no_sooner(began: Instant, after: Duration) {
    tokio::time::sleep(after.saturating_sub(began.elapsed())).await;
}

/// What comes of some work, if that takes no longer.
pub async fn no_longer<T>(than: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(than, work).await.ok()
}

/// Where "now" comes from: the system, or a fixed moment in a test.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The machine's wall clock.
    System,
    /// Always this moment.
    Fixed(Timestamp),
}

impl Clock {
    /// The current moment.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the module that owns the clock")]
    pub fn now(self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Fixed(at) => at,
        }
    }
}
