//! `jobs-tally`: keeps the counts of requests that overview and reports show.

use platform::store::Counted;
use platform::{App, Error};

/// Counts changes of requests, each once.
pub async fn handle(app: &App, changes: Vec<Counted>) -> Result<(), Error> {
    app.store.count(&changes).await
}
