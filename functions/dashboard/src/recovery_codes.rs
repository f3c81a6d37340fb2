//! Recovery codes on a page, once: a sealed cookie carries them from the form that made them to the page that shows
//! them, and that page takes the cookie back.

use domain::language::Language;
use identity::recovery::Code;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use pages::show::Notice;
use pages::texts::either;
use platform::Error;
use platform::edge::{Page, Visit};
use platform::ticket::Tickets;

const COOKIE: &str = "__Host-codes";
const PURPOSE: &str = "recovery-codes";
const LIVES: SignedDuration = SignedDuration::from_mins(10);

/// Sends the codes along with a page that leads to where they are shown.
pub(crate) fn carry(
    page: Page,
    tickets: &Tickets,
    context: &str,
    at: Timestamp,
    codes: &[Code],
) -> Result<Page, Error> {
    let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
    Ok(page.with_cookie(COOKIE, &tickets.seal(PURPOSE, context, at + LIVES, &codes)?, LIVES))
}

/// The codes that were sent along.
pub(crate) fn carried(tickets: &Tickets, context: &str, visit: &Visit) -> Option<Vec<String>> {
    tickets.open(PURPOSE, context, visit.at, visit.cookie(COOKIE)?).ok()
}

/// Has the browser forget them.
pub(crate) fn forgotten(page: Page) -> Page {
    page.without_cookie(COOKIE)
}

/// The codes, with what they are for.
pub(crate) fn show(language: Language, codes: &[String]) -> Markup {
    html! {
        (Notice::warning(either(
            language,
            "Write these recovery codes down now. They are not shown again.",
            "Anote ahora estos códigos de recuperación. No se muestran otra vez.",
        )))
        p { (either(
            language,
            "Each signs you in once, with your password, on a day when you have neither your app nor your passkey. Keep \
             them on paper or in a password manager.",
            "Cada uno le sirve una vez para entrar, junto con su contraseña, cuando no tenga ni su aplicación ni su llave. \
             Guárdelos en papel o en un gestor de contraseñas.",
        )) }
        ul.codes data-recovery-codes { @for code in codes { li { code { (code) } } } }
    }
}
