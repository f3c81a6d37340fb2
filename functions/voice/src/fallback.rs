//! `POST /voice/fallback`: something is broken. Needs no table, no queue and no state; apologises and takes a message.
//!
//! `infra/fallback.xml` says the same for the case that nothing of ours can be reached at all.

use domain::language::Language::{English, Spanish};
use partners::twilio::twiml::{Document, Record, Response};
use platform::edge::{RETRIED, Webhook};
use platform::{App, Error};

use crate::line::say;
use crate::name::recorded;

/// Marks the way back here, after the message or instead of one.
const SAID: &str = "said=1";

/// Takes a message; with its recording, or its absence, comes back here for the last words.
#[expect(clippy::unused_async, reason = "every handler is async, and this one must wait for nothing")]
pub async fn handle(app: &App, webhook: Webhook) -> Result<Document, Error> {
    if webhook.query == SAID {
        return last_words(recorded(&webhook).is_some());
    }
    let base = app.config.public_base_url()?;
    let record = Record::new(format!("{base}/voice/fallback?{SAID}"))
        .max_length(360)
        .timeout(10)
        .finish_on_key("#")
        .play_beep(true)
        .status_callback(format!("{base}/voice/recording?source=fallback{RETRIED}"));
    Ok(Response::new()
        .say(say(
            English,
            "I'm sorry, the privacy request line has a problem at the moment. After the tone, please say the service \
             code or the business you are calling about, your name, your number, and what you would like. Then press \
             pound. This is recorded.",
        )?)
        .say(say(
            Spanish,
            "Lo siento, la línea de solicitudes de privacidad tiene un problema en este momento. Después del tono, por \
             favor diga el código de servicio o la empresa por la que llama, su nombre, su número y qué desea. Luego \
             oprima la tecla numeral. Esto se graba.",
        )?)
        .record(record)
        .redirect(format!("{base}/voice/fallback?{SAID}")))
}

fn last_words(message: bool) -> Result<Document, Error> {
    let (english, spanish) = if message {
        ("Thank you. Your message will be passed on. Goodbye.", "Gracias. Su mensaje será entregado. Adiós.")
    } else {
        (
            "You can also make your request on the website of the business, or call again later. Goodbye.",
            "También puede hacer su solicitud en el sitio web de la empresa, o llamar de nuevo más tarde. Adiós.",
        )
    };
    Ok(Response::new().say(say(English, english)?).say(say(Spanish, spanish)?).hangup())
}
