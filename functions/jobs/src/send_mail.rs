//! `jobs-send-mail`: puts a letter into words, and sends it.

use domain::audit::{Act, Entry, Who};
use domain::email::EmailAddress;
use domain::user::UserState;
use jiff::{SignedDuration, Timestamp};
use platform::mail::{Letter, Mail, Posted};
use platform::{App, Error};

use crate::letters::{self, Written};

/// How long a link for a new password is good.
const RESET_LIVES: SignedDuration = SignedDuration::from_hours(1);

/// A message delivered twice is a mail sent twice, which harms nobody: of a reset it holds the same link.
pub async fn handle(app: &App, posted: Posted) -> Result<(), Error> {
    match app.letter(&posted).await? {
        Letter::Invitation { to, language, tenant_name, invited_by, link } => {
            send(app, &to, &letters::invitation(language, &tenant_name, invited_by.as_deref(), &link)).await
        }
        Letter::Reset { id, email, address, at } => reset(app, &id, &email, &address, at).await,
        Letter::Notice { to, language, what, at, time_zone } => {
            send(app, &to, &letters::notice(language, what, at, &time_zone)).await
        }
        Letter::Receipt { to, language, business, reference, respond_by, status, confirm } => {
            let receipt = letters::Receipt { language, business: &business, reference: &reference, respond_by };
            send(app, &to, &receipt.written(&status, confirm.as_deref())).await
        }
    }
}

/// Only somebody who may sign in gets a link; nobody else hears of it.
async fn reset(app: &App, letter: &str, email: &EmailAddress, address: &str, at: Timestamp) -> Result<(), Error> {
    let Some((tenant, user)) = app.store.sign_in_name(email.as_str()).await? else { return Ok(()) };
    app.about(&tenant);
    let store = app.store.of(&tenant);
    let account = store.user(&user).await?.filter(|account| account.state == UserState::Active);
    let Some(account) = account else { return Ok(()) };
    let now = app.clock.now();
    if now.duration_since(at) > RESET_LIVES {
        // It waited longer than a link would be good.
        return Ok(());
    }
    let entry = Entry::new(now, Who::User(account.id.clone()), Act::ResetRequested).from(address);
    let token = store.make_reset(&*app.tickets().await?, &account, letter, RESET_LIVES, &entry).await?;
    let link = format!("{}/dashboard/new-password/{token}", app.config.public_base_url()?);
    send(app, &account.email, &letters::reset(account.profile.language, &link)).await
}

async fn send(app: &App, to: &EmailAddress, written: &Written) -> Result<(), Error> {
    let html = written.html();
    let mail = Mail { to: to.as_str(), subject: &written.subject, text: &written.text(), html: &html };
    app.mail.send(&mail).await
}
