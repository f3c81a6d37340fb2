//! `dashboard-passkey`: signing in with a passkey alone, which is two factors in one. The page's script calls it twice.

use domain::audit::{Act, Entry, Who};
use domain::user::UserState;
use identity::passkey;
use platform::edge::{Page, Visit, safe_next};
use platform::{App, Error};
use serde_json::json;

use crate::ceremony::{self, Step};
use crate::entering::{self, PENDING};
use crate::{noting, tries};

/// What the challenge is for.
const PURPOSE: &str = "passkey-sign-in";

/// Asks for any passkey of ours; then finds out whose it is.
pub async fn handle(app: &App, visit: Visit) -> Result<Page, Error> {
    tries::passkey(app, &visit).await?;
    let tickets = app.tickets().await?;
    let relying = ceremony::relying(app)?;
    let refused = |error| ceremony::refused(visit.language, error);
    let (state, credential) = match visit.json()? {
        Step::Begin => {
            let begun = relying.begin_sign_in(visit.at).map_err(refused)?;
            return ceremony::begun(&tickets, PURPOSE, &visit, &begun);
        }
        Step::Finish { state, credential, .. } => (state, credential.to_string()),
    };
    let state = ceremony::state(app, &tickets, PURPOSE, &visit, &state).await?;
    let unknown = || refused(passkey::PasskeyError::Unknown);
    let handle = passkey::identify(&credential).map_err(refused)?;
    let (tenant, user) = app.store.passkey_user(&handle).await?.ok_or_else(unknown)?;
    app.about(&tenant);
    let store = app.store.of(&tenant);
    let account = store.user(&user).await?.filter(|account| account.state == UserState::Active);
    let account = account.ok_or_else(unknown)?;
    let who = Who::User(account.id.clone());
    let mut credentials = account.credentials.clone();
    if let Err(error) = relying.finish_sign_in(&credential, &state, &mut credentials.passkeys, visit.at) {
        let entry = Entry::new(visit.at, who, Act::SignInFailed).from(&visit.client.address).with("factor", "passkey");
        noting::note(app, &tenant, entry, noting::PATIENTLY).await;
        return Err(refused(error));
    }
    let entry = Entry::new(visit.at, who, Act::SignedIn).from(&visit.client.address).with("factor", "passkey");
    let card = entering::card(app, &visit, &tenant, &account).await?;
    let secret = entering::begin(app, &visit, &tenant, &account, &credentials, &card, &entry).await?;
    let page = Page::json(&json!({ "to": safe_next(visit.query.get("next")) }))?;
    // Also what another way of signing in has left half done.
    Ok(page.without_cookie(PENDING).with_session(&secret))
}
