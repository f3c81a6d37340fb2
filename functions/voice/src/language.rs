//! `POST /voice/language/{call}`: the caller chose a language.

use domain::language::Language;
use partners::twilio::twiml::{Document, Gather, Response};
use platform::call::Call;
use platform::edge::Webhook;
use platform::{App, Error};

use crate::heard::Heard;
use crate::line::{Line, count, give_up, say, unanswered};
use crate::{service_code, texts};

/// This step's word in action URLs.
pub const STEP: &str = "language";

/// Asks in both languages.
pub(crate) fn ask(line: &Line<'_>, mut call: Call) -> Result<Document, Error> {
    if !count(&mut call) {
        return give_up(&call);
    }
    let (english, spanish) = texts::language(if std::mem::take(&mut call.helping) { u8::MAX } else { call.attempt });
    let action = line.url(STEP, &call)?;
    let gather = Gather::digits(action.clone())
        .count(1)
        .timeout(8)
        .say(say(Language::English, english)?)
        .say(say(Language::Spanish, spanish)?);
    Ok(Response::new().gather(gather).redirect(action))
}

/// Goes on to the service code; on a dedicated number straight to its greeting.
pub async fn handle(app: &App, webhook: Webhook) -> Result<Document, Error> {
    let line = Line::new(app, &webhook).await?;
    let mut call = webhook.state(app, STEP).await?;
    let heard = Heard::from(&webhook);
    let Some(language) = heard.key().and_then(Language::from_key) else {
        return match unanswered(&call, &heard) {
            Some((call, _)) => ask(&line, call),
            None => {
                let (english, spanish) = texts::language_way_out();
                let response = Response::new().say(say(Language::English, english)?);
                Ok(response.say(say(Language::Spanish, spanish)?).hangup())
            }
        };
    };
    call.language = language;
    let call = call.asking(0);
    match call.dedicated_code {
        Some(_) => Ok(Response::new().redirect(line.url(service_code::STEP, &call)?)),
        None => service_code::ask(&line, call, None),
    }
}
