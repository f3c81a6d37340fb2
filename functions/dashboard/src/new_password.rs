//! `dashboard-new-password`: a new password by a link from a mail. It opens no session: the second factor is still asked for.

use domain::FieldError;
use domain::audit::{Act, Entry, Who};
use domain::language::Language;
use maud::{Markup, html};
use pages::form::{Button, Field, Form, actions};
use platform::edge::{Page, Visit};
use platform::mail::{Letter, Notice};
use platform::store::{Account, Link};
use platform::tenant::Tenant;
use platform::{App, Error};
use serde::Serialize;

use crate::{choosing, telling, tries};

/// Looking at the link does not use it: mail scanners look.
pub async fn handle(app: &App, visit: Visit) -> Result<Page, Error> {
    let token = visit.segment.as_str();
    if visit.post {
        tries::link(app, &visit).await?;
    }
    let Some((tenant, account)) = owner(app, &visit, token).await? else {
        return Ok(Page::html(gone(visit.language)).with_status(404));
    };
    app.about(&tenant);
    let store = app.store.of(&tenant);
    if !visit.post {
        return Ok(Page::html(show(&visit, &account, &[])));
    }
    let profile = store.profile().await?;
    let context = [account.email.as_str(), profile.name.as_str(), account.profile.name.as_str()];
    let hash = match choosing::password(visit.language, visit.form.get("password"), &context)? {
        Ok(hash) => hash,
        Err(reason) => {
            return Ok(Page::invalid(show(&visit, &account, &[FieldError::new("password", reason)])));
        }
    };
    let mut credentials = account.credentials.clone();
    credentials.password_hash = Some(hash);
    let entry = Entry::new(visit.at, Who::User(account.id.clone()), Act::PasswordChanged)
        .from(&visit.client.address)
        .because("by a link from a mail");
    match store.save_password_by_link(&account, &credentials, token, &entry).await {
        Ok(()) => {}
        Err(Error::NotFound) => return Ok(Page::html(gone(visit.language)).with_status(404)),
        Err(error) => return Err(error),
    }
    let changed = Letter::Notice {
        to: account.email.clone(),
        language: account.profile.language,
        what: Notice::PasswordChanged,
        at: visit.at,
        time_zone: profile.time_zone,
    };
    telling::letter(app, &changed).await;
    Ok(Page::to("/dashboard/sign-in?done=password"))
}

/// Whom the link is for, if it is still good: not used, not too old, and made for the password that there is.
async fn owner(app: &App, visit: &Visit, token: &str) -> Result<Option<(Tenant, Account)>, Error> {
    let link = match app.store.link(Link::Reset, token, visit.at).await {
        Ok(link) => link,
        Err(Error::NotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    let account = app.store.of(&link.tenant).user(&link.user).await?;
    Ok(account.filter(|account| account.is_reset_by(&link)).map(|account| (link.tenant, account)))
}

fn show(visit: &Visit, account: &Account, errors: &[FieldError]) -> Markup {
    let texts = Texts::of(visit.language);
    let form = Form::post(visit.language, visit.path.as_str(), &visit.csrf).plain().errors(errors).body(html! {
        // So that a password manager knows whose it is.
        input type="hidden" name="username" autocomplete="username" value=(account.email.as_str());
        (Field::password(visit.language, "password", texts.password, "new-password")
            .hint(choosing::hint(visit.language)).required().autofocus().errors(errors))
        (actions(Button::primary(texts.save)))
    });
    pages::door(visit.language, texts.title, html! { p { (texts.lede) } (form) })
}

fn gone(language: Language) -> Markup {
    let texts = Texts::of(language);
    pages::door(
        language,
        texts.gone,
        html! {
            p { (texts.gone_lede) }
            (actions(Button::primary(texts.again).to("/dashboard/reset")))
        },
    )
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    lede: &'static str,
    password: &'static str,
    save: &'static str,
    gone: &'static str,
    gone_lede: &'static str,
    again: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Choose a new password",
        lede: "After this you sign in with it and with your second factor, as always. Wherever you are signed in now, that \
               ends.",
        password: "New password",
        save: "Save the password",
        gone: "This link is no longer good",
        gone_lede: "It was used, or it is more than an hour old. Ask for another one.",
        again: "Ask for a new link",
    };
    const ES: Self = Self {
        title: "Elija una contraseña nueva",
        lede: "Después entrará con ella y con su segundo factor, como siempre. Se cerrarán las sesiones que tenga abiertas.",
        password: "Contraseña nueva",
        save: "Guardar la contraseña",
        gone: "Este enlace ya no sirve",
        gone_lede: "Ya se usó, o tiene más de una hora. Pida otro.",
        again: "Pedir otro enlace",
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
    fn the_page_and_what_is_wrong_with_a_password() {
        let errors = [FieldError::new("password", "Use at least 12 characters.")];
        insta::assert_snapshot!(fixtures::main(&show(
            &fixtures::visit(Language::English),
            &fixtures::account(),
            &errors
        )));
    }

    #[test]
    fn a_link_that_is_gone_in_spanish() {
        insta::assert_snapshot!(fixtures::main(&gone(Language::Spanish)));
    }
}
