//! `dashboard-confirm`: who is signed in shows it once more, before something delicate. The session goes on under another
//! secret: one that was stolen before does not become fresh with it.

use domain::FieldError;
use domain::audit::{Act, Entry, Who};
use domain::language::Language;
use identity::{Credentials, password};
use maud::{Markup, html};
use pages::form::{self, Button, Field, Form, actions, hidden, passkey_button};
use pages::show::{Card, Heading, disclosure};
use pages::{Frame, Section};
use platform::edge::{Page, Visit, safe_next, with_query};
use platform::session::{Allowed, OwnAccount};
use platform::store::{Account, NewSession};
use platform::{App, Error};
use serde::Serialize;
use serde_json::json;

use crate::ceremony::{self, Step};
use crate::{noting, tries};

/// What a passkey's challenge is for.
const PURPOSE: &str = "passkey-confirm";

/// Shows the ways to confirm, or checks one. Where to go on is only ever a page of ours.
pub async fn handle(app: &App, allowed: Allowed<OwnAccount>, visit: Visit) -> Result<Page, Error> {
    let store = app.store.of(&allowed.tenant);
    let account = store.user(&allowed.user).await?.ok_or(Error::SignedOut)?;
    let frame = allowed.frame(&visit, Section::Account);
    if !visit.post {
        return Ok(Page::html(show(&frame, visit.query.get("next"), &account.credentials, &[])));
    }
    if visit.is_json() {
        return passkey(app, &allowed, &visit, &account).await;
    }
    tries::password(app, &visit, allowed.user.as_str()).await?;
    tries::factor(app, &visit, &allowed.user).await?;
    tries::code(app, &visit, &allowed.user).await?;
    let mut credentials = account.credentials.clone();
    let typed = visit.form.get("password");
    let right_password = match credentials.password_hash.as_deref() {
        Some(hash) => password::verify(hash, typed),
        None => password::verify_nobody(typed),
    };
    if right_password
        && let Some(new) = credentials.password_hash.as_deref().and_then(|old| password::rehashed(old, typed))
    {
        credentials.password_hash = Some(new);
    }
    let right_code = credentials.totp.as_mut().is_some_and(|app| app.use_code(visit.form.get("code"), visit.at));
    let confirmed = if right_password && right_code {
        keep(app, &allowed, &visit, &account, &credentials, "password, app").await
    } else {
        Err(Error::Conflict)
    };
    match confirmed {
        Ok(secret) => Ok(Page::to(safe_next(visit.form.get("next"))).with_session(&secret)),
        // Also a code that was used elsewhere in this moment.
        Err(Error::Conflict) => {
            failed(app, &allowed, &visit, "password, app").await;
            let wrong = [FieldError::new("", Texts::of(frame.language).wrong)];
            Ok(Page::invalid(show(&frame, visit.form.get("next"), &account.credentials, &wrong)))
        }
        Err(error) => Err(error),
    }
}

async fn passkey(app: &App, allowed: &Allowed<OwnAccount>, visit: &Visit, account: &Account) -> Result<Page, Error> {
    let tickets = app.tickets().await?;
    let relying = ceremony::relying(app)?;
    let refused = |error| ceremony::refused(allowed.card.language, error);
    match visit.json()? {
        Step::Begin => {
            tries::passkey(app, visit).await?;
            let begun = relying.begin_confirmation(account.handle, &account.credentials.passkeys, visit.at);
            ceremony::begun(&tickets, PURPOSE, visit, &begun.map_err(refused)?)
        }
        Step::Finish { state, credential, .. } => {
            tries::factor(app, visit, &allowed.user).await?;
            let state = ceremony::state(app, &tickets, PURPOSE, visit, &state).await?;
            let mut credentials = account.credentials.clone();
            let answer = credential.to_string();
            let passkeys = &mut credentials.passkeys;
            if let Err(error) = relying.finish_confirmation(&answer, &state, account.handle, passkeys, visit.at) {
                failed(app, allowed, visit, "passkey").await;
                return Err(refused(error));
            }
            let secret = keep(app, allowed, visit, account, &credentials, "passkey").await?;
            Ok(Page::json(&json!({ "to": safe_next(visit.query.get("next")) }))?.with_session(&secret))
        }
    }
}

/// Keeps that a factor was used, and has the session go on, fresh again, under the secret that is returned.
async fn keep(
    app: &App,
    allowed: &Allowed<OwnAccount>,
    visit: &Visit,
    account: &Account,
    credentials: &Credentials,
    factor: &str,
) -> Result<String, Error> {
    let entry = Entry::new(visit.at, Who::User(allowed.user.clone()), Act::Confirmed)
        .from(&visit.client.address)
        .with("factor", factor);
    let tickets = app.tickets().await?;
    let new = NewSession { tickets: &tickets, card: &allowed.card, at: visit.at };
    app.store.of(&allowed.tenant).confirm_session(account, credentials, allowed, &new, &entry).await
}

async fn failed(app: &App, allowed: &Allowed<OwnAccount>, visit: &Visit, factor: &str) {
    let entry = Entry::new(visit.at, Who::User(allowed.user.clone()), Act::SignInFailed)
        .from(&visit.client.address)
        .because("confirming")
        .with("factor", factor);
    noting::note(app, &allowed.tenant, entry, noting::PATIENTLY).await;
}

fn show(frame: &Frame, next: &str, credentials: &Credentials, errors: &[FieldError]) -> Markup {
    let (language, texts, next) = (frame.language, Texts::of(frame.language), safe_next(next));
    let form = Form::post(language, "/dashboard/confirm", &frame.csrf).plain().errors(errors).body(html! {
        (hidden("next", next))
        (Field::password(language, "password", texts.password, "current-password").required())
        (Field::one_time_code("code", texts.code).required())
        (actions(Button::primary(texts.confirm)))
    });
    let has_passkey = !credentials.passkeys.is_empty();
    let begin = with_query("/dashboard/confirm", &[("next", next)]);
    let body = html! {
        @if has_passkey {
            (passkey_button(
                language, form::Passkey::Confirm, &begin, &frame.csrf,
                texts.passkey, None,
            ))
        }
        @if credentials.totp.is_some() {
            @if has_passkey { (disclosure(texts.otherwise, !errors.is_empty(), &form)) } @else { (form) }
        }
    };
    pages::page(
        frame,
        texts.title,
        html! {
            (Heading::new(texts.title).lede(texts.lede))
            (Card::new(texts.how).body(body))
        },
    )
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    lede: &'static str,
    how: &'static str,
    passkey: &'static str,
    otherwise: &'static str,
    password: &'static str,
    code: &'static str,
    confirm: &'static str,
    wrong: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Is it still you?",
        lede: "What you are about to do is delicate, and you signed in a while ago.",
        how: "Confirm that it is you",
        passkey: "Use a passkey",
        otherwise: "Use your password and a code instead",
        password: "Password",
        code: "Code from your app",
        confirm: "Confirm",
        wrong: "The password or the code is not right, or the code was used already. Wait for the next code and try again.",
    };
    const ES: Self = Self {
        title: "¿Sigue siendo usted?",
        lede: "Lo que va a hacer es delicado, y hace un rato que inició la sesión.",
        how: "Confirme que es usted",
        passkey: "Usar una llave de acceso",
        otherwise: "Usar la contraseña y un código",
        password: "Contraseña",
        code: "Código de su aplicación",
        confirm: "Confirmar",
        wrong: "La contraseña o el código no son correctos, o el código ya se usó. Espere al siguiente e inténtelo de nuevo.",
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
    fn the_page_after_a_wrong_code_goes_on_nowhere_but_here() {
        let wrong = [FieldError::new("", Texts::EN.wrong)];
        let page =
            show(&fixtures::frame(Language::English), "https://evil.example", &fixtures::account().credentials, &wrong);
        insta::assert_snapshot!(fixtures::main(&page));
    }
}
