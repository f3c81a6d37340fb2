//! Letting somebody in who has shown all it takes.

use platform::App;
use platform::Error;
use platform::edge::Visit;
use platform::session::Card;
use platform::store::{NewSession, User};
use platform::tenant::Tenant;

/// The cookie of those who are not quite in: between password and second factor, or between invitation and account.
pub(crate) const PENDING: &str = "__Host-pending";

/// Begins a session and ends the one that the browser had, if it had one. Returns the secret for its cookie.
pub(crate) async fn begin(app: &App, visit: &Visit, tenant: &Tenant, user: &User) -> Result<String, Error> {
    let tickets = app.tickets().await?;
    if let Some(secret) = visit.session_secret()
        && let Ok(old) = app.store.session(&tickets, secret, visit.at).await
    {
        match app.store.of(&old.tenant).end_session(&old.user, &old.id).await {
            Ok(()) | Err(Error::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    let store = app.store.of(tenant);
    let profile = store.profile().await?;
    let card = Card {
        user_name: user.profile.name.clone(),
        tenant_name: profile.name,
        language: user.profile.language,
        time_zone: profile.time_zone,
        agent: visit.client.agent.clone(),
        address: visit.client.address.clone(),
    };
    let new = NewSession { user: &user.id, role: user.role, card: &card, at: visit.at };
    store.begin_session(&tickets, &new).await
}
