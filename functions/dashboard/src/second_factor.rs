//! `dashboard-second-factor`: a code from an app, a passkey or a recovery code, within minutes of the right password.

use domain::FieldError;
use domain::audit::{Act, Entry, Who};
use domain::language::Language;
use domain::user::UserState;
use identity::{Credentials, recovery};
use maud::{Markup, html};
use pages::form::{self, Button, Field, Form, actions, hidden, passkey_button};
use pages::show::disclosure;
use platform::edge::{Page, Visit};
use platform::mail::{Letter, Notice};
use platform::session::HalfSignedIn;
use platform::store::Account;
use platform::ticket::Tickets;
use platform::{App, Error};
use serde::Serialize;
use serde_json::json;

use crate::ceremony::{self, Step};
use crate::entering::{self, PENDING};
use crate::{noting, telling, tries};

/// What a passkey's challenge is for.
const PURPOSE: &str = "passkey-second";

/// Shows what may be used, or checks what was.
pub async fn handle(app: &App, visit: Visit) -> Result<Page, Error> {
    let tickets = app.tickets().await?;
    let Some((half, account)) = half_way(app, &visit, &tickets).await? else {
        return if visit.is_json() {
            Page::json(&json!({ "to": "/dashboard/sign-in" }))
        } else {
            Ok(Page::to("/dashboard/sign-in").without_cookie(PENDING))
        };
    };
    if !visit.post {
        return Ok(Page::html(show(&visit, &account.credentials, &[])));
    }
    if visit.is_json() {
        return passkey(app, &visit, &tickets, &half, &account).await;
    }
    tries::factor(app, &visit, &account.id).await?;
    code(app, &visit, &half, &account).await
}

/// Who has shown their password in this browser, a short while ago.
async fn half_way(app: &App, visit: &Visit, tickets: &Tickets) -> Result<Option<(HalfSignedIn, Account)>, Error> {
    let sealed = visit.cookie(PENDING).unwrap_or_default();
    let Ok(half) = HalfSignedIn::open(tickets, &visit.csrf, visit.at, sealed) else { return Ok(None) };
    app.about(&half.tenant);
    let account = app.store.of(&half.tenant).user(&half.user).await?;
    Ok(account.filter(|account| still_half(&half, account)).map(|account| (half, account)))
}

/// Whether the password that was shown is still the one there is, and its owner is too.
fn still_half(half: &HalfSignedIn, account: &Account) -> bool {
    account.state == UserState::Active && account.password_set_at == half.password_set_at
}

/// What the account will have to prove who is there: what it has, the password hashed anew where that was due.
fn renewed(half: &HalfSignedIn, account: &Account) -> Credentials {
    let mut credentials = account.credentials.clone();
    if let Some(hash) = &half.rehashed {
        credentials.password_hash = Some(hash.clone());
    }
    credentials
}

async fn code(app: &App, visit: &Visit, half: &HalfSignedIn, account: &Account) -> Result<Page, Error> {
    let by_recovery = visit.form.get("by") == "recovery";
    let mut credentials = renewed(half, account);
    let typed = visit.form.get("code");
    let texts = Texts::of(visit.language);
    if !by_recovery {
        match tries::code(app, visit, &account.id).await {
            Err(Error::Throttled { retry_after }) => {
                let tomorrow = [FieldError::new("code", texts.too_many)];
                let page = Page::html(show(visit, &account.credentials, &tomorrow)).with_status(429);
                return Ok(page.with_header("retry-after", retry_after.as_secs().to_string()));
            }
            counted => counted?,
        }
    }
    let right = if by_recovery {
        recovery::use_code(&mut credentials.recovery, typed)
    } else {
        credentials.totp.as_mut().is_some_and(|app| app.use_code(typed, visit.at))
    };
    let factor = if by_recovery { "recovery-code" } else { "app" };
    let card = entering::card(app, visit, &half.tenant, account).await?;
    let begun = if right {
        let entry = signed_in(visit, account, factor);
        entering::begin(app, visit, &half.tenant, account, &credentials, &card, &entry).await
    } else {
        Err(Error::Conflict)
    };
    let secret = match begun {
        Ok(secret) => secret,
        // Also a code that another sign-in has used in this moment.
        Err(Error::Conflict) => {
            noting::note(app, &half.tenant, failed(visit, account, factor), noting::PATIENTLY).await;
            let (field, reason) = if by_recovery { ("", texts.wrong_recovery) } else { ("code", texts.wrong) };
            return Ok(Page::invalid(show(visit, &account.credentials, &[FieldError::new(field, reason)])));
        }
        Err(error) => return Err(error),
    };
    if by_recovery {
        // The code is spent, so its owner is let in whatever becomes of these.
        let entry = Entry { act: Act::RecoveryCodeUsed, ..signed_in(visit, account, factor) };
        noting::note(app, &half.tenant, entry, noting::PATIENTLY).await;
        let what = Notice::RecoveryCodeUsed;
        let (to, language) = (account.email.clone(), account.profile.language);
        telling::letter(app, &Letter::Notice { to, language, what, at: visit.at, time_zone: card.time_zone }).await;
    }
    // A used recovery code means that a factor is lost: there the person can replace it.
    let next = if by_recovery { "/dashboard/factors" } else { half.next.as_str() };
    Ok(Page::to(next).without_cookie(PENDING).with_session(&secret))
}

async fn passkey(
    app: &App,
    visit: &Visit,
    tickets: &Tickets,
    half: &HalfSignedIn,
    account: &Account,
) -> Result<Page, Error> {
    let relying = ceremony::relying(app)?;
    let refused = |error| ceremony::refused(visit.language, error);
    match visit.json()? {
        Step::Begin => {
            tries::passkey(app, visit).await?;
            let begun = relying.begin_confirmation(account.handle, &account.credentials.passkeys, visit.at);
            ceremony::begun(tickets, PURPOSE, visit, &begun.map_err(refused)?)
        }
        Step::Finish { state, credential, .. } => {
            tries::factor(app, visit, &account.id).await?;
            let state = ceremony::state(app, tickets, PURPOSE, visit, &state).await?;
            let mut credentials = renewed(half, account);
            let answer = credential.to_string();
            let passkeys = &mut credentials.passkeys;
            if let Err(error) = relying.finish_confirmation(&answer, &state, account.handle, passkeys, visit.at) {
                noting::note(app, &half.tenant, failed(visit, account, "passkey"), noting::PATIENTLY).await;
                return Err(refused(error));
            }
            let card = entering::card(app, visit, &half.tenant, account).await?;
            let entry = signed_in(visit, account, "passkey");
            let secret = entering::begin(app, visit, &half.tenant, account, &credentials, &card, &entry).await?;
            let page = Page::json(&json!({ "to": half.next }))?;
            Ok(page.without_cookie(PENDING).with_session(&secret))
        }
    }
}

fn signed_in(visit: &Visit, account: &Account, factor: &str) -> Entry {
    Entry::new(visit.at, Who::User(account.id.clone()), Act::SignedIn)
        .from(&visit.client.address)
        .with("factor", format!("password, {factor}"))
}

fn failed(visit: &Visit, account: &Account, factor: &str) -> Entry {
    Entry::new(visit.at, Who::User(account.id.clone()), Act::SignInFailed)
        .from(&visit.client.address)
        .with("factor", factor)
}

fn show(visit: &Visit, credentials: &Credentials, errors: &[FieldError]) -> Markup {
    let (language, texts) = (visit.language, Texts::of(visit.language));
    let action = "/dashboard/second-factor";
    let (whole, own): (Vec<FieldError>, Vec<FieldError>) =
        errors.iter().cloned().partition(|error| error.field.is_empty());
    let app = Form::post(language, action, &visit.csrf).plain().errors(&own).body(html! {
        (hidden("by", "app"))
        (Field::one_time_code("code", texts.code).hint(texts.code_hint).required().autofocus().errors(&own))
        (actions(Button::primary(texts.continue_)))
    });
    let recovery = Form::post(language, action, &visit.csrf).id("recovery").plain().errors(&whole).body(html! {
        (hidden("by", "recovery"))
        (Field::text("code", texts.recovery).within("recovery").plain_text().autocomplete("off").required())
        (actions(Button::secondary(texts.continue_)))
    });
    pages::door(
        language,
        texts.title,
        html! {
            @if !credentials.passkeys.is_empty() {
                (passkey_button(language, form::Passkey::Confirm, action, &visit.csrf, texts.passkey, None))
            }
            @if credentials.totp.is_some() { (app) }
            (disclosure(texts.lost, !whole.is_empty(), html! {
                p { (texts.lost_lede) }
                (recovery)
            }))
            (actions(Button::quiet(texts.back).to("/dashboard/sign-in")))
        },
    )
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    passkey: &'static str,
    code: &'static str,
    code_hint: &'static str,
    continue_: &'static str,
    lost: &'static str,
    lost_lede: &'static str,
    recovery: &'static str,
    wrong: &'static str,
    wrong_recovery: &'static str,
    too_many: &'static str,
    back: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "One more step",
        passkey: "Use a passkey",
        code: "Code from your app",
        code_hint: "The six digits that your authenticator app shows now.",
        continue_: "Sign in",
        lost: "I have neither at hand",
        lost_lede: "Use one of the recovery codes that you wrote down. Each is good once.",
        recovery: "Recovery code",
        wrong: "This code is not right, or was used already. Wait for the next one and try again.",
        wrong_recovery: "This recovery code is not right, or was used already.",
        too_many: "Too many codes were tried today. Use a passkey or a recovery code, and change your password: whoever tried \
                   knows it.",
        back: "Back to sign-in",
    };
    const ES: Self = Self {
        title: "Un paso más",
        passkey: "Usar una llave de acceso",
        code: "Código de su aplicación",
        code_hint: "Los seis dígitos que muestra ahora su aplicación de autenticación.",
        continue_: "Entrar",
        lost: "No tengo nada de eso a mano",
        lost_lede: "Use uno de los códigos de recuperación que anotó. Cada uno sirve una vez.",
        recovery: "Código de recuperación",
        wrong: "El código no es correcto o ya se usó. Espere al siguiente e inténtelo de nuevo.",
        wrong_recovery: "El código de recuperación no es correcto o ya se usó.",
        too_many: "Hoy se probaron demasiados códigos. Use una llave de acceso o un código de recuperación y cambie su \
                   contraseña: quien los probó la conoce.",
        back: "Volver al inicio de sesión",
    };

    const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &Self::EN,
            Language::Spanish => &Self::ES,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn half_a_sign_in_is_void_once_the_password_is_another_or_its_owner_gone() {
        let mut account = fixtures::account();
        let half = HalfSignedIn {
            tenant: platform::tenant::Tenant::platform(),
            user: account.id.clone(),
            at: fixtures::visit(Language::English).at,
            password_set_at: account.password_set_at,
            rehashed: Some("$argon2id$new".into()),
            next: String::new(),
        };
        assert!(still_half(&half, &account));
        assert_eq!(renewed(&half, &account).password_hash.as_deref(), Some("$argon2id$new"));
        // By whatever clock: another is another, earlier or later.
        for seconds in [-1, 1] {
            account.password_set_at = half.password_set_at + jiff::SignedDuration::from_secs(seconds);
            assert!(!still_half(&half, &account));
        }
        account.password_set_at = half.password_set_at;
        account.user.state = UserState::Removed;
        assert!(!still_half(&half, &account));
    }

    #[test]
    fn the_page_with_an_app_after_a_wrong_code() {
        let wrong = [FieldError::new("code", Texts::EN.wrong)];
        let credentials = fixtures::account().credentials;
        insta::assert_snapshot!(fixtures::main(&show(&fixtures::visit(Language::English), &credentials, &wrong)));
    }

    #[test]
    fn the_page_in_spanish_after_a_wrong_recovery_code() {
        let wrong = [FieldError::new("", Texts::ES.wrong_recovery)];
        let credentials = fixtures::account().credentials;
        insta::assert_snapshot!(fixtures::main(&show(&fixtures::visit(Language::Spanish), &credentials, &wrong)));
    }
}
