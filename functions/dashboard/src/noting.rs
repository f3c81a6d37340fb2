//! Entries of the audit trail that must not decide what somebody gets: of tries that failed, and of what is done already.

use std::time::Duration;

use domain::audit::Entry;
use platform::App;
use platform::clock::no_longer;
use platform::tenant::Tenant;

/// How long the entry may take where nobody learns anything from it.
pub(crate) const PATIENTLY: Duration = Duration::from_secs(5);

/// Writes one into the audit trail, if that can be done within this time. The answer is the same either way: a trail that is too busy
/// must not tell whose account there is, nor take back what was spent.
pub(crate) async fn note(app: &App, tenant: &Tenant, entry: Entry, within: Duration) {
    let store = app.store.of(tenant);
    let why = match no_longer(within, Box::pin(store.record(&entry))).await {
        Some(Ok(())) => return,
        Some(Err(error)) => error.causes(),
        None => "it took too long".to_owned(),
    };
    let (tenant, act) = (tenant.id().as_str(), entry.act.code());
    tracing::error!(tenant, act, error = why, "an entry is missing in the audit trail");
}
