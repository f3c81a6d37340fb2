//! `dashboard-sign-in`: e-mail and password. What is right leads to the second factor, and to nothing else.
//!
//! Whoever gets it wrong learns nothing of who has an account: an address that is nobody's is counted, looked up and
//! checked like any other, every answer takes the same time, and whatever fails for one address alone looks like a wrong
//! password.

use std::time::{Duration, Instant};

use domain::FieldError;
use domain::audit::{Act, Entry, Who};
use domain::language::Language;
use domain::user::{UserId, UserState};
use identity::password;
use maud::{Markup, html};
use pages::form::{self, Button, Field, Form, actions, hidden, passkey_button};
use pages::show::Notice;
use platform::clock::no_sooner;
use platform::edge::{Page, Visit, safe_next, with_query};
use platform::session::{HalfSignedIn, PENDING as MINUTES};
use platform::tenant::Tenant;
use platform::{App, Error};
use serde::Serialize;

use crate::entering::PENDING;
use crate::{noting, tries};

/// Longer than a check takes, also one that has to fetch a tenant's keys first.
const ANSWERED_AFTER: Duration = Duration::from_millis(700);
/// What the audit trail gets of that at least, where the check was slow.
const NOTED_WITHIN: Duration = Duration::from_millis(250);

/// Shows the form, or checks what was typed.
pub async fn handle(app: &App, visit: Visit) -> Result<Page, Error> {
    if !visit.post {
        return Ok(Page::html(show(&visit, visit.query.get("next"), "", &[])));
    }
    let began = Instant::now();
    let answer = answer(app, &visit, began).await;
    no_sooner(began, ANSWERED_AFTER).await;
    answer
}

async fn answer(app: &App, visit: &Visit, began: Instant) -> Result<Page, Error> {
    let (email, next) = (visit.form.get("email").trim(), visit.form.get("next"));
    let Some(right) = check(app, visit, email, visit.form.get("password"), began).await? else {
        let wrong = [FieldError::new("", Texts::of(visit.language).wrong)];
        return Ok(Page::invalid(show(visit, next, email, &wrong)));
    };
    let half = HalfSignedIn { next: safe_next(next).to_owned(), ..right };
    let sealed = half.seal(&*app.tickets().await?, &visit.csrf)?;
    Ok(Page::to("/dashboard/second-factor").with_cookie(PENDING, &sealed, MINUTES))
}

/// Whose address and password these are.
async fn check(
    app: &App,
    visit: &Visit,
    email: &str,
    typed: &str,
    began: Instant,
) -> Result<Option<HalfSignedIn>, Error> {
    let named = app.store.sign_in_name(email).await?;
    tries::password(app, visit, &tries::meant(named.as_ref().map(|(_, user)| user), email)).await?;
    let known = named.is_some();
    let (tenant, user) = match named {
        Some(named) => named,
        // The operator's own tenant has no users; looking there takes as long as looking anywhere.
        None => (Tenant::platform(), nobody()?),
    };
    let account = match app.store.of(&tenant).user(&user).await {
        Ok(account) => account,
        Err(error) => {
            // The operator's own tenant may have no keys. Of anybody else's it is said to us, and not to whoever asks.
            if known {
                tracing::error!(tenant = tenant.id().as_str(), error = error.causes(), "an account cannot be read");
            }
            None
        }
    };
    let active = account.as_ref().filter(|account| account.state == UserState::Active);
    let hash = active.and_then(|account| account.credentials.password_hash.as_deref());
    let right = match hash {
        Some(hash) => password::verify(hash, typed),
        None => password::verify_nobody(typed),
    };
    if let (true, Some(account), Some(hash)) = (right, active, hash) {
        return Ok(Some(HalfSignedIn {
            tenant,
            user,
            at: visit.at,
            password_set_at: account.password_set_at,
            rehashed: password::rehashed(hash, typed),
            next: String::new(),
        }));
    }
    if known {
        app.about(&tenant);
        let entry = Entry::new(visit.at, Who::User(user), Act::SignInFailed)
            .from(&visit.client.address)
            .with("factor", "password");
        let left = ANSWERED_AFTER.saturating_sub(began.elapsed()).max(NOTED_WITHIN);
        noting::note(app, &tenant, entry, left).await;
    }
    Ok(None)
}

fn nobody() -> Result<UserId, Error> {
    UserId::parse("u-00000000000000000000000000").map_err(Error::failed("naming nobody"))
}

fn show(visit: &Visit, next: &str, email: &str, errors: &[FieldError]) -> Markup {
    let (language, texts) = (visit.language, Texts::of(visit.language));
    let next = safe_next(next);
    let begin = with_query("/dashboard/passkey", &[("next", next)]);
    let form = Form::post(language, "/dashboard/sign-in", &visit.csrf).plain().errors(errors).body(html! {
        (hidden("next", next))
        (Field::email("email", texts.email).value(email).autocomplete("username webauthn").required().autofocus())
        (Field::password(language, "password", texts.password, "current-password").required())
        (actions(html! {
            (Button::primary(texts.sign_in))
            (Button::quiet(texts.forgot).to("/dashboard/reset"))
        }))
    });
    pages::door(
        language,
        texts.title,
        html! {
            @match visit.query.get("done") {
                "password" => { (Notice::success(texts.password_saved)) }
                "out" => { (Notice::info(texts.signed_out)) }
                _ => {}
            }
            (passkey_button(
                language, form::Passkey::SignIn, &begin, &visit.csrf, texts.passkey, None,
            ))
            (form)
        },
    )
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    email: &'static str,
    password: &'static str,
    sign_in: &'static str,
    forgot: &'static str,
    passkey: &'static str,
    wrong: &'static str,
    password_saved: &'static str,
    signed_out: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Sign in",
        email: "E-mail address",
        password: "Password",
        sign_in: "Continue",
        forgot: "Forgot your password?",
        passkey: "Sign in with a passkey",
        wrong: "The address or the password is not right. Check both and try again.",
        password_saved: "Your new password is saved. Sign in with it.",
        signed_out: "You are signed out.",
    };
    const ES: Self = Self {
        title: "Iniciar sesión",
        email: "Correo electrónico",
        password: "Contraseña",
        sign_in: "Continuar",
        forgot: "¿Olvidó su contraseña?",
        passkey: "Entrar con una llave de acceso",
        wrong: "El correo o la contraseña no son correctos. Revíselos e inténtelo de nuevo.",
        password_saved: "Su contraseña nueva está guardada. Entre con ella.",
        signed_out: "La sesión está cerrada.",
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
    fn the_page_in_english() {
        let visit = fixtures::visit(Language::English);
        insta::assert_snapshot!(fixtures::main(&show(&visit, "/dashboard/requests?kind=delete", "", &[])));
    }

    #[test]
    fn the_page_in_spanish_after_a_wrong_password() {
        let visit = fixtures::visit(Language::Spanish);
        let wrong = [FieldError::new("", Texts::ES.wrong)];
        insta::assert_snapshot!(fixtures::main(&show(&visit, "//evil.example", "ana@shop.example\"><b>", &wrong)));
    }
}
