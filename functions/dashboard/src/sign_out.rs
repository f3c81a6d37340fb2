//! `dashboard-sign-out`: ends the session at hand.

use domain::audit::{Act, Entry, Who};
use platform::edge::{Page, Visit};
use platform::session::{Allowed, OwnAccount};
use platform::{App, Error};

/// Ends it here and in the browser.
pub async fn handle(app: &App, allowed: Allowed<OwnAccount>, visit: Visit) -> Result<Page, Error> {
    let store = app.store.of(&allowed.tenant);
    let entry = Entry::new(visit.at, Who::User(allowed.user.clone()), Act::SignedOut).from(&visit.client.address);
    match store.end_session(&allowed.user, &allowed.id, &entry).await {
        // It has ended between two clicks.
        Ok(()) | Err(Error::NotFound) => {}
        Err(error) => return Err(error),
    }
    Ok(Page::to("/dashboard/sign-in?done=out").signed_out())
}
