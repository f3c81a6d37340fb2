//! How often something may be tried on the pages of a request, counted before any work is done.

use jiff::SignedDuration;
use platform::edge::Visit;
use platform::{App, Error};

pub(crate) const QUARTER: SignedDuration = SignedDuration::from_mins(15);
pub(crate) const HOUR: SignedDuration = SignedDuration::from_hours(1);
pub(crate) const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Counts a try of one client's, before any work is done.
pub(crate) async fn count_client(
    app: &App,
    visit: &Visit,
    (kind, limit, window): (&'static str, u32, SignedDuration),
) -> Result<(), Error> {
    app.store.throttle(kind, &visit.client.network(), limit, window, visit.at).await
}

/// Counts a try for a request, whoever makes it.
pub(crate) async fn count_request(
    app: &App,
    visit: &Visit,
    request: &str,
    (kind, limit, window): (&'static str, u32, SignedDuration),
) -> Result<(), Error> {
    app.store.throttle(kind, request, limit, window, visit.at).await
}
