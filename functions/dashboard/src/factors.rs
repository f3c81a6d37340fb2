//! `dashboard-factors`: passkeys, the authenticator app and recovery codes of whoever is signed in.
//!
//! There is always a second factor: the last one is not removed before there is another. When one is gone or another, all
//! other sessions end.

use domain::FieldError;
use domain::audit::{Act, Entry, Who};
use domain::language::Language;
use identity::passkey::{LONGEST_NAME, StoredPasskey};
use identity::totp::{Secret, Totp};
use identity::{Credentials, recovery};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, Render, html};
use pages::form::{self, Button, Field, Form, actions, hidden, passkey_button};
use pages::show::{Card, Empty, Heading, Notice as Said, disclosure, moment};
use pages::texts::plural;
use pages::{Frame, Section};
use platform::edge::{Page, Visit};
use platform::mail::{Letter, Notice};
use platform::session::{Allowed, ChangeFactors};
use platform::store::Account;
use platform::{App, Error};
use serde::Serialize;
use serde_json::json;

use crate::ceremony::{self, Step};
use crate::{invitation, recovery_codes, telling, tries};

/// What a passkey's challenge is for.
const PURPOSE: &str = "passkey-add";
/// The purpose of an app's secret while it is being set up.
const SECRET: &str = "factors-app";
/// How long setting an app up may take.
const LIVES: SignedDuration = SignedDuration::from_mins(30);

/// Shows what there is, or changes it.
pub async fn handle(app: &App, allowed: Allowed<ChangeFactors>, visit: Visit) -> Result<Page, Error> {
    let account = app.store.of(&allowed.tenant).user(&allowed.user).await?.ok_or(Error::SignedOut)?;
    if visit.is_json() {
        return add_passkey(app, &allowed, &visit, &account).await;
    }
    if visit.post {
        return change(app, &allowed, &visit, &account).await;
    }
    let tickets = app.tickets().await?;
    if visit.query.get("done") == "codes"
        && let Some(codes) = recovery_codes::carried(&tickets, allowed.id.as_str(), &visit)
    {
        let frame = allowed.frame(&visit, Section::Account);
        return Ok(recovery_codes::forgotten(Page::html(show_codes(&frame, &codes))));
    }
    Ok(Page::html(show(app, &allowed, &visit, &account, None, &[]).await?))
}

/// A form of the page: `do` says which.
async fn change(app: &App, allowed: &Allowed<ChangeFactors>, visit: &Visit, account: &Account) -> Result<Page, Error> {
    let texts = Texts::of(allowed.card.language);
    let mut credentials = account.credentials.clone();
    let id = visit.form.get("id");
    match visit.form.get("do") {
        "app" => return set_up_app(app, allowed, visit, account).await,
        "remove-app" => {
            credentials.totp.take().ok_or(Error::NotFound)?;
            if !credentials.is_complete() {
                return refused(app, allowed, visit, account, texts.last).await;
            }
            let entry = entry(allowed, visit, Act::FactorRemoved).with("factor", "app");
            replace(app, allowed, account, &credentials, &entry, Notice::AppRemoved).await?;
            Ok(Page::to("/dashboard/factors?done=removed"))
        }
        "remove-passkey" => {
            credentials.passkeys.retain(|passkey| passkey.id() != id);
            if credentials.passkeys.len() == account.credentials.passkeys.len() {
                return Err(Error::NotFound);
            }
            if !credentials.is_complete() {
                return refused(app, allowed, visit, account, texts.last).await;
            }
            let entry = entry(allowed, visit, Act::FactorRemoved).with("factor", "passkey");
            replace(app, allowed, account, &credentials, &entry, Notice::PasskeyRemoved).await?;
            Ok(Page::to("/dashboard/factors?done=removed"))
        }
        "rename-passkey" => {
            let name = visit.form.get("name").split_whitespace().collect::<Vec<_>>().join(" ");
            if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
                return refused(app, allowed, visit, account, texts.wrong_name).await;
            }
            let passkey = credentials.passkeys.iter_mut().find(|passkey| passkey.id() == id).ok_or(Error::NotFound)?;
            passkey.name = name;
            let entry = entry(allowed, visit, Act::AccountChanged).with("factor", "passkey renamed");
            app.store.of(&allowed.tenant).save_credentials(account, &credentials, &entry).await?;
            Ok(Page::to("/dashboard/factors?done=renamed"))
        }
        "codes" => {
            let tickets = app.tickets().await?;
            let (codes, hashes) = recovery::new_codes().map_err(Error::failed("making recovery codes"))?;
            credentials.recovery = hashes;
            let entry = entry(allowed, visit, Act::RecoveryCodesMade);
            // Sealed before the old ones end.
            let page = Page::to("/dashboard/factors?done=codes");
            let page = recovery_codes::carry(page, &tickets, allowed.id.as_str(), visit.at, &codes)?;
            replace(app, allowed, account, &credentials, &entry, Notice::RecoveryCodesMade).await?;
            Ok(page)
        }
        _ => Err(Error::NotFound),
    }
}

async fn set_up_app(
    app: &App,
    allowed: &Allowed<ChangeFactors>,
    visit: &Visit,
    account: &Account,
) -> Result<Page, Error> {
    tries::factor(app, visit, &allowed.user).await?;
    let tickets = app.tickets().await?;
    let opened = tickets.open::<Secret>(SECRET, allowed.id.as_str(), visit.at, visit.form.get("secret"));
    let Ok(secret) = opened else { return Err(Error::StaleForm) };
    let Some(step) = secret.verify(visit.form.get("code"), visit.at, None) else {
        let wrong = [FieldError::new("code", Texts::of(allowed.card.language).wrong_code)];
        return Ok(Page::invalid(show(app, allowed, visit, account, Some(secret), &wrong).await?));
    };
    let mut credentials = account.credentials.clone();
    let replaced = credentials.totp.replace(Totp::new(secret, step)).is_some();
    let entry = app_set_up(entry(allowed, visit, Act::FactorAdded), replaced);
    if replaced {
        replace(app, allowed, account, &credentials, &entry, Notice::AppAdded).await?;
        return Ok(Page::to("/dashboard/factors?done=replaced"));
    }
    app.store.of(&allowed.tenant).save_credentials(account, &credentials, &entry).await?;
    tell(app, allowed, account, entry.at, Notice::AppAdded).await;
    Ok(Page::to("/dashboard/factors?done=added"))
}

/// The entry of an app that was set up, in the place of another or as one more factor.
fn app_set_up(entry: Entry, replaced: bool) -> Entry {
    let entry = entry.with("factor", "app");
    if replaced { entry.with("replaced", "app") } else { entry }
}

async fn add_passkey(
    app: &App,
    allowed: &Allowed<ChangeFactors>,
    visit: &Visit,
    account: &Account,
) -> Result<Page, Error> {
    let tickets = app.tickets().await?;
    let relying = ceremony::relying(app)?;
    let refused = |error| ceremony::refused(allowed.card.language, error);
    let existing = &account.credentials.passkeys;
    match visit.json()? {
        Step::Begin => {
            let (email, name) = (account.email.as_str(), account.profile.name.as_str());
            let begun = relying.begin_registration(account.handle, email, name, existing, visit.at);
            ceremony::begun(&tickets, PURPOSE, visit, &begun.map_err(refused)?)
        }
        Step::Finish { state, credential, name } => {
            let state = ceremony::state(app, &tickets, PURPOSE, visit, &state).await?;
            let answer = credential.to_string();
            let passkey = relying
                .finish_registration(&answer, &state, account.handle, existing, &name, visit.at)
                .map_err(refused)?;
            let mut credentials = account.credentials.clone();
            credentials.passkeys.push(passkey);
            let entry = entry(allowed, visit, Act::FactorAdded).with("factor", "passkey");
            app.store.of(&allowed.tenant).save_credentials(account, &credentials, &entry).await?;
            tell(app, allowed, account, entry.at, Notice::PasskeyAdded).await;
            Page::json(&json!({ "to": "/dashboard/factors?done=added" }))
        }
    }
}

fn entry(allowed: &Allowed<ChangeFactors>, visit: &Visit, act: Act) -> Entry {
    Entry::new(visit.at, Who::User(allowed.user.clone()), act).from(&visit.client.address)
}

/// Keeps that a factor is gone or another, and ends all sessions but the one at hand.
async fn replace(
    app: &App,
    allowed: &Allowed<ChangeFactors>,
    account: &Account,
    credentials: &Credentials,
    entry: &Entry,
    what: Notice,
) -> Result<(), Error> {
    app.store.of(&allowed.tenant).replace_factors(account, credentials, &allowed.id, entry).await?;
    tell(app, allowed, account, entry.at, what).await;
    Ok(())
}

/// Writes to the owner's address, in case it was not them.
async fn tell(app: &App, allowed: &Allowed<ChangeFactors>, account: &Account, at: Timestamp, what: Notice) {
    let (to, language) = (account.email.clone(), allowed.card.language);
    let time_zone = allowed.card.time_zone.clone();
    telling::letter(app, &Letter::Notice { to, language, what, at, time_zone }).await;
}

async fn refused(
    app: &App,
    allowed: &Allowed<ChangeFactors>,
    visit: &Visit,
    account: &Account,
    why: &str,
) -> Result<Page, Error> {
    let wrong = [FieldError::new("", why)];
    Ok(Page::invalid(show(app, allowed, visit, account, None, &wrong).await?))
}

async fn show(
    app: &App,
    allowed: &Allowed<ChangeFactors>,
    visit: &Visit,
    account: &Account,
    secret: Option<Secret>,
    errors: &[FieldError],
) -> Result<Markup, Error> {
    let secret = match secret {
        Some(secret) => secret,
        None => Secret::new().map_err(Error::failed("drawing a secret"))?,
    };
    let sealed = app.tickets().await?.seal(SECRET, allowed.id.as_str(), visit.at + LIVES, &secret)?;
    let frame = allowed.frame(visit, Section::Account);
    let page = Shown {
        email: account.email.as_str(),
        credentials: &account.credentials,
        secret: &secret,
        sealed: &sealed,
        done: visit.query.get("done"),
        zone: &allowed.tz(),
    };
    page.render(&frame, errors)
}

/// What the page shows.
struct Shown<'a> {
    email: &'a str,
    credentials: &'a Credentials,
    secret: &'a Secret,
    sealed: &'a str,
    done: &'a str,
    zone: &'a TimeZone,
}

impl Shown<'_> {
    fn render(&self, frame: &Frame, errors: &[FieldError]) -> Result<Markup, Error> {
        let texts = Texts::of(frame.language);
        let (whole, own): (Vec<FieldError>, Vec<FieldError>) =
            errors.iter().cloned().partition(|error| error.field.is_empty());
        let done = match self.done {
            "added" => Some(texts.added),
            "replaced" => Some(texts.replaced),
            "removed" => Some(texts.removed),
            "renamed" => Some(texts.renamed),
            _ => None,
        };
        Ok(pages::page(
            frame,
            texts.title,
            html! {
                (Heading::new(texts.title).lede(texts.lede))
                @for error in &whole { (Said::danger(error.reason.as_str())) }
                @if let Some(done) = done { (Said::success(done)) }
                (self.passkeys(frame))
                (self.app(frame, &own)?)
                (self.codes(frame))
            },
        ))
    }

    fn passkeys(&self, frame: &Frame) -> Markup {
        let (language, texts) = (frame.language, Texts::of(frame.language));
        let passkeys = &self.credentials.passkeys;
        let body = html! {
            @if passkeys.is_empty() { (Empty::new(texts.no_passkeys, texts.no_passkeys_more)) }
            @for (index, passkey) in passkeys.iter().enumerate() { (self.passkey(frame, index, passkey)) }
            (Field::text("passkey-name", texts.passkey_name).value(texts.passkey_default).max_length(60))
            (passkey_button(
                language, form::Passkey::Register, "/dashboard/factors", &frame.csrf, texts.add_passkey,
                Some("f-passkey-name"),
            ))
        };
        Card::new(texts.passkeys).lede(texts.passkeys_lede).body(body).render()
    }

    fn passkey(&self, frame: &Frame, index: usize, passkey: &StoredPasskey) -> Markup {
        let (language, texts) = (frame.language, Texts::of(frame.language));
        let at = |at: Timestamp| moment(language, &at.to_zoned(self.zone.clone()));
        let id = format!("passkey-{}", index + 1);
        let rename = Form::post(language, "/dashboard/factors", &frame.csrf).id(&id).plain().body(html! {
            (hidden("do", "rename-passkey"))
            (hidden("id", &passkey.id()))
            (Field::text("name", texts.passkey_name).within(&id).value(passkey.name.as_str()).max_length(60).required())
            (actions(Button::secondary(texts.rename).about(passkey.name.as_str())))
        });
        let remove = Form::post(language, "/dashboard/factors", &frame.csrf).plain().body(html! {
            (hidden("do", "remove-passkey"))
            (hidden("id", &passkey.id()))
            (Button::danger(texts.remove).about(passkey.name.as_str()))
        });
        html! {
            section {
                h3 { (passkey.name) }
                p {
                    (texts.since) " " (at(passkey.created_at)) ". "
                    @match passkey.last_used_at {
                        Some(used) => { (texts.used) " " (at(used)) "." }
                        None => { (texts.never_used) }
                    }
                }
                (disclosure(texts.change, false, html! { (rename) (remove) }))
            }
        }
    }

    fn app(&self, frame: &Frame, errors: &[FieldError]) -> Result<Markup, Error> {
        let (language, texts) = (frame.language, Texts::of(frame.language));
        let set_up =
            Form::post(language, "/dashboard/factors", &frame.csrf).id("app").plain().errors(errors).body(html! {
                (hidden("do", "app"))
                (hidden("secret", self.sealed))
                (Field::one_time_code("code", texts.code).within("app").required().errors(errors))
                (actions(Button::primary(texts.save_app)))
            });
        let set_up = html! { (invitation::setup(language, self.email, self.secret)?) (set_up) };
        let remove = Form::post(language, "/dashboard/factors", &frame.csrf).plain().body(html! {
            (hidden("do", "remove-app"))
            (Button::danger(texts.remove_app))
        });
        let there = self.credentials.totp.is_some();
        let body = html! {
            @if there {
                p { (texts.app_there) }
                (disclosure(texts.replace_app, !errors.is_empty(), set_up))
                (remove)
            } @else {
                (set_up)
            }
        };
        Ok(Card::new(texts.app).lede(texts.app_lede).body(body).render())
    }

    fn codes(&self, frame: &Frame) -> Markup {
        let (language, texts) = (frame.language, Texts::of(frame.language));
        let left = self.credentials.recovery.len() as u64;
        let make = Form::post(language, "/dashboard/factors", &frame.csrf).plain().body(html! {
            (hidden("do", "codes"))
            (Button::secondary(texts.make_codes))
        });
        let said = pages::fill(plural(left, texts.one_left, texts.left), &[("n", &left.to_string())]);
        Card::new(texts.codes).lede(texts.codes_lede).body(html! { p { (said) } (make) }).render()
    }
}

fn show_codes(frame: &Frame, codes: &[String]) -> Markup {
    let texts = Texts::of(frame.language);
    pages::page(
        frame,
        texts.codes,
        html! {
            (Heading::new(texts.codes).above(frame.language, &[("/dashboard/factors", texts.title)]))
            (recovery_codes::show(frame.language, codes))
            (actions(Button::primary(texts.written_down).to("/dashboard/factors")))
        },
    )
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    lede: &'static str,
    passkeys: &'static str,
    passkeys_lede: &'static str,
    no_passkeys: &'static str,
    no_passkeys_more: &'static str,
    passkey_name: &'static str,
    passkey_default: &'static str,
    add_passkey: &'static str,
    since: &'static str,
    used: &'static str,
    never_used: &'static str,
    change: &'static str,
    rename: &'static str,
    remove: &'static str,
    app: &'static str,
    app_lede: &'static str,
    app_there: &'static str,
    replace_app: &'static str,
    remove_app: &'static str,
    code: &'static str,
    save_app: &'static str,
    wrong_code: &'static str,
    wrong_name: &'static str,
    last: &'static str,
    codes: &'static str,
    codes_lede: &'static str,
    one_left: &'static str,
    left: &'static str,
    make_codes: &'static str,
    written_down: &'static str,
    added: &'static str,
    replaced: &'static str,
    removed: &'static str,
    renamed: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Passkeys and codes",
        lede: "What proves that it is you. Every change is mailed to your address.",
        passkeys: "Passkeys",
        passkeys_lede: "A passkey is on your device and opens with your finger, your face or its PIN. Alone it signs you in.",
        no_passkeys: "You have no passkey yet",
        no_passkeys_more: "It is the safest and the quickest way in. Add one for each device that you use.",
        passkey_name: "What to call it",
        passkey_default: "This device",
        add_passkey: "Add a passkey",
        since: "Added",
        used: "Last used",
        never_used: "Not used yet.",
        change: "Rename or remove",
        rename: "Rename",
        remove: "Remove",
        app: "Authenticator app",
        app_lede: "An app that shows a new code every thirty seconds. With your password, it signs you in.",
        app_there: "Your app is set up.",
        replace_app: "Set up another app in its place",
        remove_app: "Remove the app",
        code: "Code that the app shows",
        save_app: "Save the app",
        wrong_code: "This code is not right. Check that the time of your phone is, and enter the next one.",
        wrong_name: "Give the passkey a name of 1 to 60 characters.",
        last: "This is your last second factor. Add another one first, then remove it.",
        codes: "Recovery codes",
        codes_lede: "For the day when you have neither your app nor a passkey. Each is good once.",
        one_left: "One code is left.",
        left: "{n} codes are left.",
        make_codes: "Make new codes; the old ones end",
        written_down: "I have written them down",
        added: "It is added.",
        replaced: "The new app is set up, and the old one is no longer good. You are signed in here only.",
        removed: "It is removed. You are signed in here only.",
        renamed: "It has its new name.",
    };
    const ES: Self = Self {
        title: "Llaves de acceso y códigos",
        lede: "Lo que demuestra que es usted. De cada cambio le avisamos por correo.",
        passkeys: "Llaves de acceso",
        passkeys_lede: "Una llave está en su dispositivo y se abre con su dedo, su cara o su PIN. Basta ella para entrar.",
        no_passkeys: "Aún no tiene ninguna llave",
        no_passkeys_more: "Es la forma más segura y más rápida de entrar. Añada una por cada dispositivo que use.",
        passkey_name: "Cómo llamarla",
        passkey_default: "Este dispositivo",
        add_passkey: "Añadir una llave",
        since: "Añadida:",
        used: "Último uso:",
        never_used: "Aún no se ha usado.",
        change: "Cambiar el nombre o quitar",
        rename: "Cambiar el nombre",
        remove: "Quitar",
        app: "Aplicación de autenticación",
        app_lede: "Una aplicación que muestra un código nuevo cada treinta segundos. Con su contraseña, le deja entrar.",
        app_there: "Su aplicación está lista.",
        replace_app: "Poner otra aplicación en su lugar",
        remove_app: "Quitar la aplicación",
        code: "Código que muestra la aplicación",
        save_app: "Guardar la aplicación",
        wrong_code: "El código no es correcto. Compruebe la hora de su teléfono y escriba el siguiente.",
        wrong_name: "Ponga a la llave un nombre de 1 a 60 caracteres.",
        last: "Es su último segundo factor. Añada antes otro y después quite este.",
        codes: "Códigos de recuperación",
        codes_lede: "Para cuando no tenga ni su aplicación ni una llave. Cada uno sirve una vez.",
        one_left: "Queda un código.",
        left: "Quedan {n} códigos.",
        make_codes: "Hacer códigos nuevos; los anteriores dejan de servir",
        written_down: "Ya los anoté",
        added: "Está añadido.",
        replaced: "La aplicación nueva está lista y la anterior ya no sirve. La sesión sigue abierta solo aquí.",
        removed: "Está quitado. La sesión sigue abierta solo aquí.",
        renamed: "Ya tiene su nombre nuevo.",
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
    fn an_app_in_the_place_of_another_is_recorded_as_that() {
        let entry = Entry::new(Timestamp::UNIX_EPOCH, Who::Nobody, Act::FactorAdded);
        let details = |replaced| app_set_up(entry.clone(), replaced).details.into_iter().collect::<Vec<_>>();
        let pair = |name: &str| (name.to_owned(), "app".to_owned());
        assert_eq!(details(true), [pair("factor"), pair("replaced")]);
        assert_eq!(details(false), [pair("factor")]);
    }

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn the_page_refuses_to_take_the_last_factor_away() {
        let credentials = fixtures::account().credentials;
        let (secret, zone) = (fixtures::secret(), TimeZone::UTC);
        let shown = Shown {
            email: "ana@shop.example",
            credentials: &credentials,
            secret: &secret,
            sealed: "sealed",
            done: "",
            zone: &zone,
        };
        let wrong = [FieldError::new("", Texts::EN.last)];
        let page = fixtures::main(&shown.render(&fixtures::frame(Language::English), &wrong).unwrap());
        let (before, after) = page.split_once("<svg xmlns").unwrap();
        let (_, after) = after.split_once("</svg>").unwrap();
        insta::assert_snapshot!(format!("{before}<svg/>{after}"));
    }
}
