//! `POST /privacy-choices/{code}/signal`: a browser's opt-out preference signal, as the script on a listed site (`embed.js`)
//! reports it. 11 CCR 7025. Our own pages see the signal themselves.
//!
//! The signal is the header `Sec-GPC: 1`, which only the browser itself can set: scripts may not set names that begin with
//! `Sec-` (Fetch standard, "forbidden request-header"). What stands in the body only says whose browser it is:
//!
//! ```json
//! {"browser": "an id that the site's own storage keeps", "identifier": {"email": "…"}}
//! ```
//!
//! Both may be left out. The answer is `{"honored": true}`; for a browser alone with the `reference` under which it is
//! written down. Whoever says an address that is not theirs learns nothing by it, not even whether it was said before.

use domain::email::EmailAddress;
use domain::intake::is_form_id;
use domain::phone::E164;
use platform::edge::{Page, Visit};
use platform::store::{Counter, OptingOut, Throttled};
use platform::{App, Error};
use serde::Deserialize;
use serde_json::json;

use crate::opting_out::{self, Asked, Said, passing};
use crate::requests::Sender;
use crate::site::{self, View};

/// What a script says of the browser.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    browser: Option<String>,
    #[serde(default)]
    identifier: Option<Identifier>,
}

/// What the site knows its visitor by; not printed.
#[derive(Deserialize, Default)]
struct Identifier {
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    phone: Option<String>,
}

/// Takes the signal; tells a browser whether a site may report one.
pub async fn handle(app: &App, visit: Visit) -> Result<Page, Error> {
    let none = || refused(404, "No business takes signals under this code.");
    let Some(code) = site::code_in(&visit.path) else { return none() };
    let Ok((tenant, account)) = site::open(app, &code, &visit).await? else { return none() };
    // Whoever reports a signal is a browser, and every browser says from where.
    let Sender::Listed(origin) = Sender::of(&visit, app.config.public_base_url()?, &account.code.origins) else {
        return refused(403, "This site is not listed. Its owner adds it in Optline, under the service code.");
    };
    if visit.preflight {
        let page = Page::empty(204)
            .with_header("access-control-allow-methods", "POST")
            .with_header("access-control-allow-headers", "content-type, sec-gpc")
            .with_header("access-control-max-age", "600");
        return Ok(page.readable_by(&origin));
    }
    let said = visit.is_json().then(|| visit.json().ok()).flatten();
    let page = match whose(visit.gpc, said) {
        Err(reason) => refused(422, reason)?,
        Ok(whose) => match app.store.form_throttle(Counter::Signal, &code, &visit.client.address, visit.at).await {
            Ok(Throttled::Open) => {
                let asked = Asked { tenant: &tenant, profile: &account.tenant, code: &account.code };
                let language = View::of(&visit, &account.code).language;
                let signal = Said::signal(whose.opting_out(&visit), Some(&origin));
                let filed = opting_out::file(app, asked, (&visit, language), signal).await?;
                match whose {
                    Whose::Browser(_) => Page::json(&json!({ "honored": true, "reference": filed.reference }))?,
                    Whose::Email(_) | Whose::Phone(_) => Page::json(&json!({ "honored": true }))?,
                }
            }
            Ok(Throttled::CodeBusy { retry_after }) | Err(Error::Throttled { retry_after }) => {
                refused(429, "Too many signals at the moment. Try again later.")?
                    .with_header("retry-after", retry_after.as_secs().to_string())
            }
            Err(error) => return Err(error),
        },
    };
    Ok(page.readable_by(&origin))
}

/// Whose signal it is.
enum Whose {
    /// A browser's, with its id if it keeps one.
    Browser(Option<String>),
    Email(EmailAddress),
    Phone(E164),
}

impl Whose {
    fn opting_out<'a>(&'a self, visit: &'a Visit) -> OptingOut<'a> {
        match self {
            Self::Browser(Some(id)) => OptingOut::Browser(id),
            Self::Browser(None) => passing(visit),
            Self::Email(email) => OptingOut::Email(email),
            Self::Phone(phone) => OptingOut::Phone(phone),
        }
    }
}

/// Whose signal it is, if it is one.
fn whose(gpc: bool, said: Option<Body>) -> Result<Whose, &'static str> {
    if !gpc {
        return Err("The browser does not send the signal: there is no header Sec-GPC: 1.");
    }
    let said = said.ok_or("Send one object as JSON: {\"browser\": \"…\"}.")?;
    match said.identifier {
        Some(Identifier { email: Some(email), .. }) => {
            EmailAddress::parse(email.trim()).map(Whose::Email).map_err(|_| "identifier.email is no e-mail address.")
        }
        Some(Identifier { phone: Some(phone), .. }) => {
            E164::from_writing(&phone).map(Whose::Phone).ok_or("identifier.phone is no telephone number.")
        }
        Some(Identifier { email: None, phone: None }) => Err("identifier has an email or a phone."),
        None => match said.browser {
            Some(id) if !is_form_id(&id) => Err("browser is 16 to 64 letters, digits, - and _."),
            id => Ok(Whose::Browser(id)),
        },
    }
}

/// Written for whoever builds a site: the person sees nothing of it.
fn refused(status: i64, reason: &str) -> Result<Page, Error> {
    Ok(Page::json(&json!({ "honored": false, "error": reason }))?.with_status(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(gpc: bool, body: &str) -> Result<Whose, &'static str> {
        whose(gpc, serde_json::from_str(body).ok())
    }

    #[test]
    fn the_signal_is_what_the_browser_says_and_never_what_a_script_says() {
        assert!(said(false, r#"{"browser": "0123456789abcdef", "gpc": true, "Sec-GPC": "1"}"#).is_err());
        assert!(matches!(said(true, "{}"), Ok(Whose::Browser(None))));
        assert!(matches!(said(true, r#"{"browser": "0123456789abcdef"}"#), Ok(Whose::Browser(Some(_)))));
    }

    #[test]
    fn whoever_is_known_is_opted_out_by_what_the_site_knows_them_by() {
        let email = said(true, r#"{"browser": "0123456789abcdef", "identifier": {"email": " ana@example.com "}}"#);
        assert!(matches!(email, Ok(Whose::Email(_))));
        assert!(matches!(said(true, r#"{"identifier": {"phone": "(213) 555-0123"}}"#), Ok(Whose::Phone(_))));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for wrong in [
            "",
            "browser=0123456789abcdef",
            r#"{"browser": "short"}"#,
            r#"{"browser": "0123456789abcdef<script>"}"#,
            r#"{"browser": 12}"#,
            r#"{"identifier": {}}"#,
            r#"{"identifier": {"email": "ana"}}"#,
            r#"{"identifier": {"phone": "12"}}"#,
            r#"{"identifier": "ana@example.com"}"#,
        ] {
            assert!(said(true, wrong).is_err(), "{wrong}");
        }
    }
}
