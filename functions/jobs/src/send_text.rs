//! `jobs-send-text`: sends a code to the telephone number of a request.

use domain::language::Language;
use pages::fill;
use pages::texts::either;
use platform::consumer::Contact;
use platform::mail::Posted;
use platform::{App, Error};

use crate::reaching;

/// A message delivered twice is a text sent twice, of which each counts. Where no number was given, or one that is not
/// written to, nothing happens: whoever asked is told the same either way.
pub async fn handle(app: &App, posted: Posted) -> Result<(), Error> {
    let code = app.posted_text(&posted).await?;
    let Some(phone) = reaching::on_file(app, &code).await?.and_then(|found| found.phone) else { return Ok(()) };
    if !app.text.reaches(&phone) || !reaching::may_send(app, &code, Contact::Phone, phone.as_str()).await? {
        return Ok(());
    }
    app.text.send(&phone, &said(code.language, &code.digits)).await
}

/// The message: no name, and no number of a request.
fn said(language: Language, digits: &str) -> String {
    let text = either(
        language,
        "{code} is your code for your privacy request. It is good for 10 minutes. We never ask you for it by phone.",
        "{code} es su código para su solicitud de privacidad. Sirve 10 minutos. Nunca se lo pediremos por teléfono.",
    );
    fill(text, &[("code", digits)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_fits_into_one_message_and_says_nothing_but_the_code() {
        for language in Language::ALL {
            let text = said(language, "123456");
            assert!(text.starts_with("123456 "), "{text}");
            // One message has 160 characters of GSM 03.38, and 70 where one of them is not in it: accents of ours are not
            // all in it, and three parts are the most that is borne.
            assert!(text.chars().count() <= 3 * 67, "{text}");
        }
    }
}
