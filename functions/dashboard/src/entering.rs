//! Letting somebody in who has shown all it takes.

use domain::audit::Entry;
use identity::Credentials;
use platform::App;
use platform::Error;
use platform::edge::Visit;
use platform::session::Card;
use platform::store::{Account, NewSession};
use platform::tenant::Tenant;

/// The cookie of those who are not quite in: between password and second factor, or between invitation and account.
pub(crate) const PENDING: &str = "__Host-pending";

/// Keeps that factors were used and begins a session, in one transaction; then ends the session that the browser had, if it
/// had one. Returns the secret for its cookie.
pub(crate) async fn begin(
    app: &App,
    visit: &Visit,
    tenant: &Tenant,
    account: &Account,
    credentials: &Credentials,
    card: &Card,
    entry: &Entry,
) -> Result<String, Error> {
    let tickets = app.tickets().await?;
    let new = NewSession { tickets: &tickets, card, at: visit.at };
    let secret = app.store.of(tenant).begin_session(account, credentials, &new, entry).await?;
    leave(app, visit).await;
    Ok(secret)
}

/// What pages will show of somebody.
pub(crate) async fn card(app: &App, visit: &Visit, tenant: &Tenant, account: &Account) -> Result<Card, Error> {
    let profile = app.store.of(tenant).profile().await?;
    Ok(Card {
        user_name: account.profile.name.clone(),
        tenant_name: profile.name,
        language: account.profile.language,
        time_zone: profile.time_zone,
        agent: visit.client.agent.clone(),
        address: visit.client.address.clone(),
    })
}

/// Ends the session that the browser had before, whosever it was. The browser is about to forget it, so this is tidiness:
/// it does not keep anybody out who is in.
pub(crate) async fn leave(app: &App, visit: &Visit) {
    let Some(secret) = visit.session_secret() else { return };
    let left = async {
        let tickets = app.tickets().await?;
        let old = app.store.session(&tickets, secret, visit.at).await?;
        app.store.of(&old.tenant).drop_session(&old.user, &old.id).await
    };
    match left.await {
        Ok(()) | Err(Error::NotFound | Error::SignedOut) => {}
        Err(error) => tracing::error!(error = error.causes(), "a session that a browser left is not ended"),
    }
}
