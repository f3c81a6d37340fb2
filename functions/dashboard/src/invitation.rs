//! `dashboard-invitation`: from a link in a mail to an account, in three steps on one address.
//!
//! | step | page | form | what it does |
//! |---|---|---|---|
//! | 1 | name and password | `name`, `password` | checks both; they travel on, sealed, in a cookie |
//! | 2 | second factor | `secret`, `code`; or a passkey, by the page's script | opens the account, and uses the link up, all at once |
//! | 3 | recovery codes | – | shows them once |
//!
//! Until step 2 nothing is written. A link that is only looked at, as mail scanners do, stays good.

use domain::FieldError;
use domain::audit::{Act, Entry, Who};
use domain::language::Language;
use domain::user::UserProfile;
use identity::totp::{Secret, Totp};
use identity::{Credentials, recovery};
use jiff::SignedDuration;
use maud::{Markup, PreEscaped, html};
use pages::form::{self, Button, Field, Form, actions, hidden, passkey_button};
use pages::show::{Facts, steps};
use platform::edge::{Page, Visit};
use platform::store::{Account, Link, NewSession};
use platform::tenant::Tenant;
use platform::ticket::Tickets;
use platform::{App, Error};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::ceremony::{self, Step};
use crate::entering::{self, PENDING};
use crate::{choosing, recovery_codes, tries};

/// How long the steps may take.
const LIVES: SignedDuration = SignedDuration::from_hours(1);
/// The purpose of what step 1 leaves for step 2.
const CHOSEN: &str = "invitation-chosen";
/// The purpose of an app's secret while it is being set up.
const SECRET: &str = "invitation-app";
/// What a passkey's challenge is for.
const PASSKEY: &str = "invitation-passkey";

/// Somebody who is invited, and by whom.
struct Invited {
    tenant: Tenant,
    tenant_name: String,
    account: Account,
}

/// What was chosen in step 1.
#[derive(Serialize, Deserialize)]
struct Chosen {
    name: String,
    password_hash: String,
}

/// The step that the visit is at.
pub async fn handle(app: &App, visit: Visit) -> Result<Page, Error> {
    let tickets = app.tickets().await?;
    let token = visit.segment.as_str();
    if visit.post {
        tries::link(app, &visit).await?;
    } else if visit.query.get("step") == "codes" {
        return Ok(match recovery_codes::carried(&tickets, token, &visit) {
            Some(codes) => recovery_codes::forgotten(Page::html(third(visit.language, &codes))),
            None => Page::to("/dashboard/overview"),
        });
    }
    let Some(invited) = invited(app, &visit).await? else {
        return Ok(Page::html(gone(visit.language)).with_status(404));
    };
    app.about(&invited.tenant);
    let chosen = visit.cookie(PENDING).and_then(|kept| tickets.open::<Chosen>(CHOSEN, token, visit.at, kept).ok());
    let at_second = if visit.post { visit.is_json() || visit.form.has("code") } else { visit.query.has("step") };
    match chosen.filter(|_| at_second) {
        Some(chosen) if visit.is_json() => passkey(app, &visit, &tickets, &invited, &chosen).await,
        Some(chosen) if visit.post => app_code(app, &visit, &tickets, &invited, &chosen).await,
        Some(_) => second(&visit, &tickets, &invited, None),
        None if visit.is_json() => Page::json(&json!({ "to": visit.path })),
        None if at_second => Ok(Page::to(visit.path.clone())),
        None if visit.post => choose(&visit, &tickets, &invited),
        None => Ok(Page::html(first(&visit, &invited, &invited.account.profile.name, &[]))),
    }
}

async fn invited(app: &App, visit: &Visit) -> Result<Option<Invited>, Error> {
    let link = match app.store.link(Link::Invitation, &visit.segment, visit.at).await {
        Ok(link) => link,
        Err(Error::NotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    let store = app.store.of(&link.tenant);
    let account = store.user(&link.user).await?.filter(|account| account.is_invited_by(&visit.segment));
    let Some(account) = account else { return Ok(None) };
    let tenant_name = store.profile().await?.name;
    Ok(Some(Invited { tenant: link.tenant, tenant_name, account }))
}

/// Step 1 comes back.
fn choose(visit: &Visit, tickets: &Tickets, invited: &Invited) -> Result<Page, Error> {
    let (language, name) = (visit.language, visit.form.get("name").trim());
    let mut errors = vec![];
    if !is_a_name(name) {
        errors.push(FieldError::new("name", Texts::of(language).wrong_name));
    }
    let context = [invited.account.email.as_str(), invited.tenant_name.as_str(), name];
    let password_hash = match choosing::password(language, visit.form.get("password"), &context)? {
        Ok(hash) => hash,
        Err(reason) => {
            errors.push(FieldError::new("password", reason));
            String::new()
        }
    };
    if !errors.is_empty() {
        return Ok(Page::invalid(first(visit, invited, name, &errors)));
    }
    let chosen = Chosen { name: name.to_owned(), password_hash };
    let kept = tickets.seal(CHOSEN, &visit.segment, visit.at + LIVES, &chosen)?;
    Ok(Page::to(format!("{}?step=factor", visit.path)).with_cookie(PENDING, &kept, LIVES))
}

fn is_a_name(name: &str) -> bool {
    !name.is_empty() && name.chars().count() <= 100 && !name.chars().any(char::is_control)
}

/// Step 2 comes back with a code.
async fn app_code(
    app: &App,
    visit: &Visit,
    tickets: &Tickets,
    invited: &Invited,
    chosen: &Chosen,
) -> Result<Page, Error> {
    let secret: Secret = match tickets.open(SECRET, &visit.segment, visit.at, visit.form.get("secret")) {
        Ok(secret) => secret,
        Err(_) => return second(visit, tickets, invited, None),
    };
    let Some(step) = secret.verify(visit.form.get("code"), visit.at, None) else {
        return second(visit, tickets, invited, Some(&secret));
    };
    let credentials = Credentials { totp: Some(Totp::new(secret, step)), ..Credentials::default() };
    finish(app, visit, tickets, invited, chosen, credentials, Page::to(codes_at(visit))).await
}

/// Step 2 by a passkey.
async fn passkey(
    app: &App,
    visit: &Visit,
    tickets: &Tickets,
    invited: &Invited,
    chosen: &Chosen,
) -> Result<Page, Error> {
    let relying = ceremony::relying(app)?;
    let refused = |error| ceremony::refused(visit.language, error);
    let account = &invited.account;
    match visit.json()? {
        Step::Begin => {
            let (handle, email) = (account.handle, account.email.as_str());
            let begun = relying.begin_registration(handle, email, &chosen.name, &[], visit.at);
            ceremony::begun(tickets, PASSKEY, visit, &begun.map_err(refused)?)
        }
        Step::Finish { state, credential, name } => {
            let state = ceremony::state(app, tickets, PASSKEY, visit, &state).await?;
            let answer = credential.to_string();
            let passkey =
                relying.finish_registration(&answer, &state, account.handle, &[], &name, visit.at).map_err(refused)?;
            let credentials = Credentials { passkeys: vec![passkey], ..Credentials::default() };
            let next = Page::json(&json!({ "to": codes_at(visit) }))?;
            finish(app, visit, tickets, invited, chosen, credentials, next).await
        }
    }
}

/// Where step 3 is.
fn codes_at(visit: &Visit) -> String {
    format!("{}?step=codes", visit.path)
}

/// Opens the account and lets its owner in; the link is used up in the same moment.
async fn finish(
    app: &App,
    visit: &Visit,
    tickets: &Tickets,
    invited: &Invited,
    chosen: &Chosen,
    mut credentials: Credentials,
    next: Page,
) -> Result<Page, Error> {
    let token = visit.segment.as_str();
    let (codes, hashes) = recovery::new_codes().map_err(Error::failed("making recovery codes"))?;
    credentials.recovery = hashes;
    credentials.password_hash = Some(chosen.password_hash.clone());
    let old = &invited.account.profile;
    let profile =
        UserProfile { name: chosen.name.clone(), language: visit.language, preferences: old.preferences.clone() };
    let factor = if credentials.totp.is_some() { "app" } else { "passkey" };
    let entry = Entry::new(visit.at, Who::User(invited.account.id.clone()), Act::InvitationAccepted)
        .from(&visit.client.address)
        .with("factor", factor);
    let store = app.store.of(&invited.tenant);
    let mut card = entering::card(app, visit, &invited.tenant, &invited.account).await?;
    card.user_name.clone_from(&profile.name);
    card.language = profile.language;
    // Sealed before the account is opened: its codes are shown once.
    let next = recovery_codes::carry(next, tickets, token, visit.at, &codes)?;
    let new = NewSession { tickets, card: &card, at: visit.at };
    let secret = match store.activate_user(&invited.account, &profile, &credentials, token, &new, &entry).await {
        Ok(secret) => secret,
        Err(Error::NotFound | Error::Conflict) => {
            return Ok(Page::html(gone(visit.language)).with_status(404).without_cookie(PENDING));
        }
        Err(error) => return Err(error),
    };
    entering::leave(app, visit).await;
    Ok(next.without_cookie(PENDING).with_session(&secret))
}

fn first(visit: &Visit, invited: &Invited, name: &str, errors: &[FieldError]) -> Markup {
    let (language, texts) = (visit.language, Texts::of(visit.language));
    let form = Form::post(language, visit.path.as_str(), &visit.csrf).plain().errors(errors).body(html! {
        input type="hidden" name="username" autocomplete="username" value=(invited.account.email.as_str());
        (Field::text("name", texts.name).value(name).autocomplete("name").required().max_length(100).errors(errors))
        (Field::password(language, "password", texts.password, "new-password")
            .hint(choosing::hint(language)).required().errors(errors))
        (actions(Button::primary(texts.go_on)))
    });
    let title = pages::fill(texts.title, &[("tenant", &invited.tenant_name)]);
    pages::door(
        language,
        &title,
        html! {
            (steps(language, &[texts.step_1, texts.step_2, texts.step_3], 0))
            (Facts::new().fact(texts.business, invited.tenant_name.as_str()).fact(texts.email, invited.account.email.as_str()))
            (form)
        },
    )
}

/// Shows step 2: with a new secret, or again with the one whose code was wrong.
fn second(visit: &Visit, tickets: &Tickets, invited: &Invited, wrong: Option<&Secret>) -> Result<Page, Error> {
    let fresh;
    let secret = match wrong {
        Some(secret) => secret,
        None => {
            fresh = Secret::new().map_err(Error::failed("drawing a secret"))?;
            &fresh
        }
    };
    let sealed = tickets.seal(SECRET, &visit.segment, visit.at + LIVES, secret)?;
    let errors = wrong.map(|_| FieldError::new("code", Texts::of(visit.language).wrong_code));
    let markup = second_page(visit, invited.account.email.as_str(), secret, &sealed, errors.as_slice())?;
    Ok(if wrong.is_some() { Page::invalid(markup) } else { Page::html(markup) })
}

fn second_page(
    visit: &Visit,
    email: &str,
    secret: &Secret,
    sealed: &str,
    errors: &[FieldError],
) -> Result<Markup, Error> {
    let (language, texts) = (visit.language, Texts::of(visit.language));
    let app = Form::post(language, visit.path.as_str(), &visit.csrf).plain().errors(errors).body(html! {
        (hidden("secret", sealed))
        (Field::one_time_code("code", texts.code).required().errors(errors))
        (actions(Button::primary(texts.go_on)))
    });
    Ok(pages::door(
        language,
        texts.second_title,
        html! {
            (steps(language, &[texts.step_1, texts.step_2, texts.step_3], 1))
            p { (texts.second_lede) }
            section {
                h2 { (texts.by_passkey) }
                (Field::text("passkey-name", texts.passkey_name).value(texts.passkey_default).max_length(60))
                (passkey_button(
                    language, form::Passkey::Register, &visit.path, &visit.csrf, texts.add_passkey, Some("f-passkey-name"),
                ))
            }
            section {
                h2 { (texts.by_app) }
                (setup(language, email, secret)?)
                (app)
            }
        },
    ))
}

/// The QR code and the secret, for an authenticator app.
pub(crate) fn setup(language: Language, email: &str, secret: &Secret) -> Result<Markup, Error> {
    let texts = Texts::of(language);
    let qr = secret.qr(email, texts.qr).map_err(Error::failed("drawing a QR code"))?;
    Ok(html! {
        p { (texts.scan) }
        (PreEscaped(qr))
        p { (texts.type_it) " " code data-totp-secret { (secret.typed()) } }
    })
}

fn third(language: Language, codes: &[String]) -> Markup {
    let texts = Texts::of(language);
    pages::door(
        language,
        texts.third_title,
        html! {
            (steps(language, &[texts.step_1, texts.step_2, texts.step_3], 2))
            (recovery_codes::show(language, codes))
            (actions(Button::primary(texts.done).to("/dashboard/overview")))
        },
    )
}

fn gone(language: Language) -> Markup {
    let texts = Texts::of(language);
    pages::door(
        language,
        texts.gone,
        html! {
            p { (texts.gone_lede) }
            (actions(Button::secondary(texts.sign_in).to("/dashboard/sign-in")))
        },
    )
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    step_1: &'static str,
    step_2: &'static str,
    step_3: &'static str,
    business: &'static str,
    email: &'static str,
    name: &'static str,
    wrong_name: &'static str,
    password: &'static str,
    go_on: &'static str,
    second_title: &'static str,
    second_lede: &'static str,
    by_passkey: &'static str,
    passkey_name: &'static str,
    passkey_default: &'static str,
    add_passkey: &'static str,
    by_app: &'static str,
    scan: &'static str,
    qr: &'static str,
    type_it: &'static str,
    code: &'static str,
    wrong_code: &'static str,
    third_title: &'static str,
    done: &'static str,
    gone: &'static str,
    gone_lede: &'static str,
    sign_in: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Join {tenant}",
        step_1: "Password",
        step_2: "Second factor",
        step_3: "Recovery codes",
        business: "Business",
        email: "You sign in as",
        name: "Your name",
        wrong_name: "Enter your name, in one line of at most 100 characters.",
        password: "Choose a password",
        go_on: "Continue",
        second_title: "Add a second factor",
        second_lede: "People’s requests are confidential, so a password alone opens nothing here. Choose one; you can add more \
                      later.",
        by_passkey: "A passkey",
        passkey_name: "What to call it",
        passkey_default: "This device",
        add_passkey: "Add a passkey",
        by_app: "Or an authenticator app",
        scan: "Scan this with the app:",
        qr: "QR code for your authenticator app",
        type_it: "Or type this into it:",
        code: "Code that the app shows",
        wrong_code: "This code is not right. Check that the time of your phone is, and enter the next one.",
        third_title: "Your recovery codes",
        done: "I have written them down",
        gone: "This invitation is no longer good",
        gone_lede: "It was used, there is a newer one, or it is more than three days old. If you have an account, sign in. Else \
                    ask whoever invited you for a new one.",
        sign_in: "Sign in",
    };
    const ES: Self = Self {
        title: "Únase a {tenant}",
        step_1: "Contraseña",
        step_2: "Segundo factor",
        step_3: "Códigos de recuperación",
        business: "Empresa",
        email: "Usted entra como",
        name: "Su nombre",
        wrong_name: "Escriba su nombre, en una línea de 100 caracteres como mucho.",
        password: "Elija una contraseña",
        go_on: "Continuar",
        second_title: "Añada un segundo factor",
        second_lede: "Las solicitudes de las personas son confidenciales: aquí no basta una contraseña. Elija uno; después puede \
                      añadir más.",
        by_passkey: "Una llave de acceso",
        passkey_name: "Cómo llamarla",
        passkey_default: "Este dispositivo",
        add_passkey: "Añadir una llave",
        by_app: "O una aplicación de autenticación",
        scan: "Escanee esto con la aplicación:",
        qr: "Código QR para su aplicación de autenticación",
        type_it: "O escríbale esto:",
        code: "Código que muestra la aplicación",
        wrong_code: "El código no es correcto. Compruebe la hora de su teléfono y escriba el siguiente.",
        third_title: "Sus códigos de recuperación",
        done: "Ya los anoté",
        gone: "Esta invitación ya no sirve",
        gone_lede: "Ya se usó, hay otra más reciente o tiene más de tres días. Si tiene cuenta, entre. Si no, pida otra a quien le \
                    invitó.",
        sign_in: "Iniciar sesión",
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

    fn invited() -> Invited {
        Invited { tenant: Tenant::platform(), tenant_name: "Bear & Sons".into(), account: fixtures::account() }
    }

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn the_first_step_names_the_business_and_the_address() {
        let visit = fixtures::visit(Language::English);
        insta::assert_snapshot!(fixtures::main(&first(&visit, &invited(), "Ana <Pérez>", &[])));
    }

    #[test]
    fn the_second_step_shows_the_secret_to_scan_and_to_type() {
        let visit = fixtures::visit(Language::Spanish);
        let page = second_page(&visit, "ana@shop.example", &fixtures::secret(), "sealed", &[]).unwrap();
        let page = fixtures::main(&page);
        let (before, after) = page.split_once("<svg xmlns").unwrap();
        let (_, after) = after.split_once("</svg>").unwrap();
        insta::assert_snapshot!(format!("{before}<svg/>{after}"));
    }

    #[test]
    fn the_third_step_and_a_link_that_is_gone() {
        let codes = ["k3f7-9mqx-2hrt-8wpz".to_owned(), "0000-1111-2222-3333".to_owned()];
        insta::assert_snapshot!(fixtures::main(&third(Language::English, &codes)));
        insta::assert_snapshot!(fixtures::main(&gone(Language::Spanish)));
    }

    #[test]
    fn a_name_is_one_line() {
        for (name, fits) in [("Ana", true), ("", false), ("a\nb", false), (&"x".repeat(101), false)] {
            assert_eq!(is_a_name(name), fits, "{name}");
        }
    }
}
