//! `jobs-send-mail`: puts a letter into words, and sends it.

use domain::audit::{Act, Entry, Who};
use domain::email::EmailAddress;
use domain::language::Language;
use domain::request::{Action, Actor};
use domain::role::{Permission, Role};
use domain::user::{UserId, UserState};
use jiff::{SignedDuration, Timestamp};
use platform::consumer::Contact;
use platform::digest::{ClosingLetter, DueLetter, NewsLetter, ToConfirm};
use platform::mail::{Letter, Mail, Mails, Once, Posted, Reader, SentCode, Waiting};
use platform::store::{Account, Dead, Unconfirmed, Unreachable, User};
use platform::tenant::Tenant;
use platform::{App, Error};

use crate::digests::{self, Digest};
use crate::letters::{self, Written};
use crate::reaching;

/// How long a link for a new password is good.
const RESET_LIVES: SignedDuration = SignedDuration::from_hours(1);

/// So long nothing at all goes to an address that sent a mail back.
const BOUNCE_RESTS: SignedDuration = SignedDuration::from_hours(24);

/// What is done for a receipt is remembered for so long: a form can be sent again for a day.
const RECEIPT_LIVES: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How often somebody of the team may change a request while its confirmation is written down.
const CHANGED_MEANWHILE: u32 = 5;

/// A message delivered twice is a mail sent twice, which harms nobody: of a reset it holds the same link.
pub async fn handle(app: &App, posted: Posted) -> Result<(), Error> {
    match app.letter(&posted).await? {
        Letter::Invitation { to, language, tenant_name, invited_by, link } => {
            send_to_user(app, &to, &letters::invitation(language, &tenant_name, invited_by.as_deref(), &link)).await
        }
        Letter::Reset { id, email, address, at } => reset(app, &id, &email, &address, at).await,
        Letter::Notice { to, language, what, at, time_zone } => {
            send_to_user(app, &to, &letters::notice(language, what, at, &time_zone)).await
        }
        Letter::MessageWaiting(waiting) => message_waiting(app, &waiting).await,
        Letter::Code(code) => send_code(app, &code).await,
        Letter::Receipt { id, to, language, business, kind, reference, respond_by, telephone, status, confirm } => {
            let ends = app.clock.now() + RECEIPT_LIVES;
            // A form that is sent again posts the same receipt again.
            if !app.store.use_up_as("receipt", &id, &posted.name(), ends).await? {
                return Ok(());
            }
            if !reaching::may_send_receipt(app, &to).await? {
                tracing::info!("a receipt is not sent: its address has had as many as one may have in a day");
                return Ok(());
            }
            let telephone = telephone.as_deref();
            let receipt =
                letters::Receipt { language, business: &business, kind, reference: &reference, respond_by, telephone };
            send(app, &to, &receipt.written(&status, confirm.as_deref())).await
        }
        Letter::Due(letter) => due(app, &letter).await,
        Letter::News(letter) => news(app, &letter).await,
        Letter::ToConfirm(letter) => to_confirm(app, &letter).await,
        Letter::Closing(letter) => closing(app, &letter).await,
    }
}

/// Reminds somebody of the team, if they still are.
async fn due(app: &App, letter: &DueLetter) -> Result<(), Error> {
    let tenant = letter.tenant();
    app.about(&tenant);
    let Some(user) = reader(app.store.of(&tenant).user(&letter.user).await?) else { return Ok(()) };
    // Whoever wants none and is told all the same, since nobody else would be, cannot end it.
    let end = if user.profile.preferences.reminders {
        Some(app.unsubscribe_link(&tenant, &user.id, Mails::Reminders).await?)
    } else {
        None
    };
    let digest = digests::due(user.profile.language, letter, app.config.public_base_url()?);
    send_digest(app, &user.email, &letter.name(), digest, end).await
}

/// Tells somebody of the team what came in, if they still are.
async fn news(app: &App, letter: &NewsLetter) -> Result<(), Error> {
    let tenant = letter.tenant();
    app.about(&tenant);
    let Some(user) = reader(app.store.of(&tenant).user(&letter.user).await?) else { return Ok(()) };
    let end = app.unsubscribe_link(&tenant, &user.id, Mails::Alerts).await?;
    let digest = digests::news(user.profile.language, letter, app.config.public_base_url()?);
    send_digest(app, &user.email, &letter.name(), digest, Some(end)).await
}

/// Somebody who may sign in and whose address takes mail.
fn reader(account: Option<Account>) -> Option<Account> {
    account.filter(|account| account.state == UserState::Active && account.dead.is_none())
}

async fn send_digest(
    app: &App,
    to: &EmailAddress,
    name: &str,
    digest: Digest,
    end: Option<String>,
) -> Result<(), Error> {
    let digest = digest.ended_by(end.as_deref());
    let (text, html) = (digest.text(), digest.html());
    let mail =
        Mail { to: to.as_str(), subject: &digest.subject, text: &text, html: &html, unsubscribe: end.as_deref() };
    app.send_once(name, &mail).await.map(|_| ())
}

/// Tells an owner that the account was closed, if it still is.
async fn closing(app: &App, letter: &ClosingLetter) -> Result<(), Error> {
    let tenant = letter.tenant();
    app.about(&tenant);
    let store = app.store.of(&tenant);
    let profile = match store.profile().await {
        Err(Error::NotFound) => return Ok(()),
        profile => profile?,
    };
    if profile.closure.closed().is_none_or(|closed| closed.number != letter.number) {
        return Ok(());
    }
    let Some(user) = reader(store.user(&letter.user).await?) else { return Ok(()) };
    let link = format!("{}/dashboard/request-log", app.config.public_base_url()?);
    let written = letters::closing(user.profile.language, letter, &link);
    let (text, html) = (written.text(), written.html());
    let mail = Mail { to: user.email.as_str(), subject: &written.subject, text: &text, html: &html, unsubscribe: None };
    app.send_once(&letter.name(), &mail).await.map(|_| ())
}

/// Confirms to whoever asked that their request came in, and then writes down that it was confirmed. In this order: that
/// somebody may be told twice harms nobody, but a confirmation that is on record and never went out is one that nobody would
/// ever miss, since with the record ends the team's reminder of it.
async fn to_confirm(app: &App, letter: &ToConfirm) -> Result<(), Error> {
    let tenant = letter.tenant();
    app.about(&tenant);
    let store = app.store.of(&tenant);
    let Some(request) = store.unconfirmed(&letter.reference).await? else { return Ok(()) };
    let Some(account) = store.service_code(&request.code).await? else { return Ok(()) };
    let confirmation = letters::Confirmation {
        language: request.language,
        business: &account.code.name,
        kind: request.kind,
        reference: &request.reference,
        clocks: &request.clocks,
    };
    let base = app.config.public_base_url()?;
    let written =
        confirmation.written(&format!("{base}/status?code={}&lang={}", request.code, request.language.code()));
    let (text, html) = (written.text(), written.html());
    let to = request.email.as_str();
    let mail = Mail { to, subject: &written.subject, text: &text, html: &html, unsubscribe: None };
    match app.send_confirmation(&letter.name(), &mail, &tenant, &request.reference).await? {
        Once::Now(_) | Once::Before(_) => confirmed(app, &tenant, request).await,
        // It stays to be confirmed, and the team is reminded of that.
        Once::GaveUp => Ok(()),
    }
}

/// Writes it down, on whatever the team has made of the request meanwhile.
async fn confirmed(app: &App, tenant: &Tenant, request: Unconfirmed) -> Result<(), Error> {
    let store = app.store.of(tenant);
    let mut request = request;
    for _ in 0..CHANGED_MEANWHILE {
        let now = app.clock.now();
        let who = Actor::System { function: app.config.function.clone() };
        let why = match request.language {
            Language::English => "a confirmation of receipt was sent to the e-mail address on file",
            Language::Spanish => "se envió una confirmación de recepción al correo electrónico que consta",
        };
        let (_, event) = request
            .progress
            .next(request.kind, Action::Acknowledge, who, now, why)
            .map_err(Error::failed("confirming a receipt"))?;
        let entry = Entry::new(now, Who::System(app.config.function.clone()), Act::RequestChanged)
            .on("request", request.reference.as_str())
            .with("action", Action::Acknowledge.code());
        if store.confirm_receipt(&request, &event, &entry).await? {
            return Ok(());
        }
        let reference = request.reference;
        match store.unconfirmed(&reference).await? {
            Some(now) => request = now,
            // Confirmed by somebody of the team, or closed.
            None => return Ok(()),
        }
    }
    Err(Error::Conflict)
}

/// Only somebody who may sign in gets a link; nobody else hears of it.
async fn reset(app: &App, letter: &str, email: &EmailAddress, address: &str, at: Timestamp) -> Result<(), Error> {
    let Some((tenant, user)) = app.store.sign_in_name(email.as_str()).await? else { return Ok(()) };
    app.about(&tenant);
    let store = app.store.of(&tenant);
    let account = store.user(&user).await?.filter(|account| account.state == UserState::Active);
    let Some(account) = account else { return Ok(()) };
    let now = app.clock.now();
    if now.duration_since(at) > RESET_LIVES || !account.dead.is_none_or(|dead| takes_reset(dead, now)) {
        // It waited longer than a link would be good, or would not arrive.
        return Ok(());
    }
    let entry = Entry::new(now, Who::User(account.id.clone()), Act::ResetRequested).from(address);
    let token = store.make_reset(&*app.tickets().await?, &account, letter, RESET_LIVES, &entry).await?;
    let link = format!("{}/dashboard/new-password/{token}", app.config.public_base_url()?);
    send(app, &account.email, &letters::reset(account.profile.language, &link)).await
}

/// Whether a link that somebody asks for goes to an address that gets no other mail: without it nobody would ever get in
/// again. One that called our mail unwanted can still be read; one that sent it back is tried again after a day.
fn takes_reset(dead: Dead, now: Timestamp) -> bool {
    dead.why == Unreachable::Complained || now.duration_since(dead.since) > BOUNCE_RESTS
}

/// Sends a code to the address that was given with a request, if one was.
async fn send_code(app: &App, code: &SentCode) -> Result<(), Error> {
    let Some(email) = reaching::on_file(app, code).await?.and_then(|found| found.email) else { return Ok(()) };
    if !reaching::may_send(app, code, Contact::Email, &email.normalized()).await? {
        return Ok(());
    }
    send(app, &email, &letters::code(code.language, &code.digits)).await
}

/// Tells the other side of a request that a message waits. Whoever gave no address sees it when they look.
async fn message_waiting(app: &App, waiting: &Waiting) -> Result<(), Error> {
    let tenant = waiting.tenant();
    app.about(&tenant);
    let store = app.store.of(&tenant);
    let reachable = match store.reachable(&waiting.reference).await {
        // Erased meanwhile: there is nobody to tell, and nothing to tell of.
        Err(Error::NotFound) => return Ok(()),
        reachable => reachable?,
    };
    let base = app.config.public_base_url()?;
    match waiting.reader {
        Reader::Consumer => {
            let Some(email) = &reachable.email else { return Ok(()) };
            let Some(account) = store.service_code(&reachable.code).await? else { return Ok(()) };
            let link = format!("{base}/status?code={}&lang={}", reachable.code, reachable.language.code());
            let written =
                letters::message_for_consumer(reachable.language, &account.code.name, &waiting.reference, &link);
            send(app, email, &written).await
        }
        Reader::Team => {
            let link = format!("{base}/dashboard/request/{}#messages", waiting.reference.as_str());
            for user in readers(&store.users().await?, reachable.assignee.as_ref()) {
                let written = letters::message_for_team(user.profile.language, &waiting.reference, &link);
                send(app, &user.email, &written).await?;
            }
            Ok(())
        }
    }
}

/// Whoever works on a request; where nobody does who still may, those who run the team.
fn readers<'a>(team: &'a [User], assignee: Option<&UserId>) -> Vec<&'a User> {
    let works = |user: &&User| {
        user.state == UserState::Active && user.role.may(Permission::WorkRequests) && user.dead.is_none()
    };
    match team.iter().filter(works).find(|user| Some(&user.id) == assignee) {
        Some(user) => vec![user],
        None => team.iter().filter(works).filter(|user| matches!(user.role, Role::Owner | Role::Manager)).collect(),
    }
}

/// What only somebody of a team is written to; nothing goes to an address that takes no mail.
async fn send_to_user(app: &App, to: &EmailAddress, written: &Written) -> Result<(), Error> {
    if let Some((tenant, user)) = app.store.sign_in_name(to.as_str()).await? {
        app.about(&tenant);
        if app.store.of(&tenant).user(&user).await?.is_some_and(|account| account.dead.is_some()) {
            tracing::info!("a mail is not sent: its address takes none");
            return Ok(());
        }
    }
    send(app, to, written).await
}

async fn send(app: &App, to: &EmailAddress, written: &Written) -> Result<(), Error> {
    let html = written.html();
    let mail =
        Mail { to: to.as_str(), subject: &written.subject, text: &written.text(), html: &html, unsubscribe: None };
    app.mail.send(&mail).await
}

#[cfg(test)]
mod tests {
    use domain::language::Language;
    use domain::user::{Preferences, UserProfile};

    use super::*;

    fn user(n: u8, role: Role, state: UserState) -> User {
        User {
            id: UserId::parse(&format!("u-{n:026}")).unwrap(),
            email: EmailAddress::parse("ana@shop.example").unwrap(),
            role,
            state,
            profile: UserProfile {
                name: "Ana".into(),
                language: Language::English,
                preferences: Preferences::default(),
            },
            invited_at: Timestamp::UNIX_EPOCH,
            dead: None,
            version: 1,
        }
    }

    #[test]
    fn a_dead_address_locks_nobody_out() {
        let now: Timestamp = "2026-11-22T16:00:00Z".parse().unwrap();
        let dead = |why, hours: i64| Dead { why, since: now - SignedDuration::from_hours(hours) };
        assert!(takes_reset(dead(Unreachable::Complained, 0), now));
        assert!(!takes_reset(dead(Unreachable::Bounced, 23), now));
        assert!(takes_reset(dead(Unreachable::Bounced, 25), now));
    }

    #[test]
    fn a_message_is_told_to_whoever_works_on_the_request_and_else_to_those_who_run_the_team() {
        let team = [
            user(1, Role::Owner, UserState::Active),
            user(2, Role::Manager, UserState::Active),
            user(3, Role::Agent, UserState::Active),
            user(4, Role::Viewer, UserState::Active),
            user(5, Role::Manager, UserState::Invited),
            User {
                dead: Some(Dead { why: Unreachable::Bounced, since: Timestamp::UNIX_EPOCH }),
                ..user(6, Role::Manager, UserState::Active)
            },
        ];
        let told = |assignee: Option<usize>| -> Vec<usize> {
            let assignee = assignee.map(|n| team[n - 1].id.clone());
            let readers = readers(&team, assignee.as_ref());
            readers.iter().map(|it| team.iter().position(|user| user.id == it.id).unwrap() + 1).collect()
        };
        assert_eq!(told(Some(3)), [3]);
        assert_eq!(told(None), [1, 2]);
        assert_eq!(told(Some(4)), [1, 2], "somebody who became a viewer works on nothing");
        assert_eq!(told(Some(5)), [1, 2], "somebody who never came");
        assert_eq!(told(Some(6)), [1, 2], "somebody whose address takes no mail");
    }
}
