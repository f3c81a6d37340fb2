//! How often something may be tried, counted before any work is done. One atomic addition each: parallel tries count
//! as well as any.
//!
//! What is counted is who is meant, however they are spelled, and where a try comes from.

use domain::user::UserId;
use jiff::SignedDuration;
use platform::edge::Visit;
use platform::store::sign_in_form;
use platform::{App, Error};

const QUARTER: SignedDuration = SignedDuration::from_mins(15);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Under what passwords are counted: under the one whose they are, so that every page counts together, or under the
/// address where it is nobody's, or the limit would tell who there is.
pub(crate) fn meant(user: Option<&UserId>, email: &str) -> String {
    user.map_or_else(|| format!("nobody-{}", sign_in_form(email)), ToString::to_string)
}

/// A password; `who` as [`meant`] says, or somebody's id.
pub(crate) async fn password(app: &App, visit: &Visit, who: &str) -> Result<(), Error> {
    count(app, visit, ("password-client", &client(visit), 50, QUARTER)).await?;
    count(app, visit, ("password-account", who, 10, QUARTER)).await
}

/// A second factor: a code, a recovery code or a passkey.
pub(crate) async fn factor(app: &App, visit: &Visit, who: &UserId) -> Result<(), Error> {
    count(app, visit, ("factor-client", &client(visit), 50, QUARTER)).await?;
    count(app, visit, ("factor-account", who.as_str(), 10, QUARTER)).await
}

/// A code of six digits, beside [`factor`]: whoever has the password and much time could guess one. Recovery codes and
/// passkeys are not to be guessed, and stay a way in.
pub(crate) async fn code(app: &App, visit: &Visit, who: &UserId) -> Result<(), Error> {
    count(app, visit, ("code-account", who.as_str(), 100, DAY)).await
}

/// A passkey of somebody who has not said who they are.
pub(crate) async fn passkey(app: &App, visit: &Visit) -> Result<(), Error> {
    count(app, visit, ("passkey-client", &client(visit), 100, QUARTER)).await
}

/// A link from a mail, and what its page does.
pub(crate) async fn link(app: &App, visit: &Visit) -> Result<(), Error> {
    count(app, visit, ("link-client", &client(visit), 50, QUARTER)).await
}

/// A mail with a link for a new password. By the address: the page does not look up whose it is, and nobody has two.
pub(crate) async fn reset(app: &App, visit: &Visit, email: &str) -> Result<(), Error> {
    count(app, visit, ("reset-client", &client(visit), 20, HOUR)).await?;
    count(app, visit, ("reset-account", &sign_in_form(email), 5, HOUR)).await
}

async fn count(
    app: &App,
    visit: &Visit,
    (kind, value, limit, window): (&'static str, &str, u32, SignedDuration),
) -> Result<(), Error> {
    app.store.throttle(kind, value, limit, window, visit.at).await
}

fn client(visit: &Visit) -> String {
    visit.client.network()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn one_account_is_counted_as_one_however_its_address_is_spelled() {
        let spellings = [
            "ana@shop.example",
            " ANA@Shop.Example ",
            "ana@sh\u{ad}op.example",
            "ana@sh\u{200b}op.example",
            "ana@\u{ff53}\u{ff48}\u{ff4f}\u{ff50}.example",
            "ana@shop\u{3002}example",
        ];
        for spelled in spellings {
            assert_eq!(meant(None, spelled), "nobody-ana@shop.example", "{spelled:?}");
        }
        let user = fixtures::account().user.id;
        assert_eq!(meant(Some(&user), spellings[2]), user.as_str());
        assert_ne!(meant(None, user.as_str()), user.as_str());
    }
}
