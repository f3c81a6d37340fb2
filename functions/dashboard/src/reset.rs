//! `dashboard-reset`: asks for a mail with a link for a new password. The page does and says the same whoever asks for
//! whomever: whether the address is anybody's is looked up by `jobs-send-mail`.

use domain::FieldError;
use domain::email::EmailAddress;
use domain::language::Language;
use maud::{Markup, html};
use pages::form::{Button, Field, Form, actions};
use pages::show::Notice;
use platform::edge::{Page, Visit};
use platform::mail::Letter;
use platform::ticket::random_token;
use platform::{App, Error};
use serde::Serialize;

use crate::tries;

/// Shows the form, or posts the letter.
pub async fn handle(app: &App, visit: Visit) -> Result<Page, Error> {
    if !visit.post {
        return Ok(Page::html(if visit.query.has("sent") { sent(visit.language) } else { show(&visit, "", &[]) }));
    }
    let typed = visit.form.get("email");
    tries::reset(app, &visit, typed).await?;
    let Ok(email) = EmailAddress::parse(typed) else {
        let wrong = [FieldError::new("email", Texts::of(visit.language).wrong)];
        return Ok(Page::invalid(show(&visit, typed, &wrong)));
    };
    app.post(&Letter::Reset { id: random_token()?, email, address: visit.client.address.clone(), at: visit.at })
        .await?;
    Ok(Page::to("/dashboard/reset?sent=1"))
}

fn show(visit: &Visit, typed: &str, errors: &[FieldError]) -> Markup {
    let texts = Texts::of(visit.language);
    let form = Form::post(visit.language, "/dashboard/reset", &visit.csrf).plain().errors(errors).body(html! {
        (Field::email("email", texts.email).value(typed).autocomplete("username").required().autofocus().errors(errors))
        (actions(html! {
            (Button::primary(texts.send))
            (Button::quiet(texts.back).to("/dashboard/sign-in"))
        }))
    });
    pages::door(visit.language, texts.title, html! { p { (texts.lede) } (form) })
}

fn sent(language: Language) -> Markup {
    let texts = Texts::of(language);
    pages::door(
        language,
        texts.title,
        html! {
            (Notice::info(texts.sent).body(html! { p { (texts.sent_more) } }))
            (actions(Button::quiet(texts.back).to("/dashboard/sign-in")))
        },
    )
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    lede: &'static str,
    email: &'static str,
    send: &'static str,
    back: &'static str,
    wrong: &'static str,
    sent: &'static str,
    sent_more: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "A new password",
        lede: "We mail you a link with which you can choose one. You still need your app, a passkey or a recovery code to \
               sign in.",
        email: "E-mail address",
        send: "Send the link",
        back: "Back to sign-in",
        wrong: "Enter an address such as name@example.com.",
        sent: "If there is an account with this address, a link is on its way.",
        sent_more: "It is good once, for an hour. If nothing comes, look among the unwanted mail, or ask an owner of your \
                    team.",
    };
    const ES: Self = Self {
        title: "Una contraseña nueva",
        lede: "Le enviamos por correo un enlace para elegirla. Para entrar seguirá necesitando su aplicación, una llave de \
               acceso o un código de recuperación.",
        email: "Correo electrónico",
        send: "Enviar el enlace",
        back: "Volver al inicio de sesión",
        wrong: "Escriba una dirección como nombre@example.com.",
        sent: "Si hay una cuenta con esa dirección, el enlace ya va en camino.",
        sent_more: "Sirve una vez, durante una hora. Si no llega, mire en el correo no deseado o pregunte a una persona \
                    titular de su equipo.",
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
    fn the_page_and_what_it_says_when_the_mail_is_on_its_way() {
        insta::assert_snapshot!(fixtures::main(&show(&fixtures::visit(Language::English), "", &[])));
        insta::assert_snapshot!(fixtures::main(&sent(Language::Spanish)));
    }
}
