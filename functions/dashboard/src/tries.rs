//! How often something may be tried, counted before any work is done. One atomic addition each: parallel tries count
//! as well as any.

use jiff::SignedDuration;
use platform::edge::Visit;
use platform::{App, Error};

const QUARTER: SignedDuration = SignedDuration::from_mins(15);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A password, of whomever the address or id names: also of nobody, or the limit would tell who there is.
pub(crate) async fn password(app: &App, visit: &Visit, who: &str) -> Result<(), Error> {
    count(app, visit, ("password-client", &visit.client.address, 50, QUARTER)).await?;
    count(app, visit, ("password-account", &who.trim().to_lowercase(), 10, QUARTER)).await
}

/// A second factor: a code, a recovery code or a passkey.
pub(crate) async fn factor(app: &App, visit: &Visit, who: &str) -> Result<(), Error> {
    count(app, visit, ("factor-client", &visit.client.address, 50, QUARTER)).await?;
    count(app, visit, ("factor-account", who, 10, QUARTER)).await
}

/// A passkey of somebody who has not said who they are.
pub(crate) async fn passkey(app: &App, visit: &Visit) -> Result<(), Error> {
    count(app, visit, ("passkey-client", &visit.client.address, 100, QUARTER)).await
}

/// A link from a mail, and what its page does.
pub(crate) async fn link(app: &App, visit: &Visit) -> Result<(), Error> {
    count(app, visit, ("link-client", &visit.client.address, 50, QUARTER)).await
}

/// A mail with a link for a new password.
pub(crate) async fn reset(app: &App, visit: &Visit, email: &str) -> Result<(), Error> {
    count(app, visit, ("reset-client", &visit.client.address, 20, HOUR)).await?;
    count(app, visit, ("reset-account", &email.trim().to_lowercase(), 5, HOUR)).await
}

async fn count(
    app: &App,
    visit: &Visit,
    (kind, value, limit, window): (&'static str, &str, u32, SignedDuration),
) -> Result<(), Error> {
    app.store.throttle(kind, value, limit, window, visit.at).await
}
