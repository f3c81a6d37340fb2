//! `POST /voice/contact/{call}`: under which number the business knows the caller.
//!
//! As soon as that is known, the request is written down: a caller who hangs up from here on has still asked.

use domain::phone::{CallerId, E164};
use partners::twilio::twiml::Document;
use platform::call::Call;
use platform::edge::Webhook;
use platform::{App, Error};

use crate::heard::Heard;
use crate::line::{Keys, Line, leads, unanswered};
use crate::{details, filing, name, review, texts};

/// This step's word in action URLs.
pub const STEP: &str = "contact";

/// Asking whether the number that calls is the one.
const THIS_NUMBER: u8 = 0;
/// Asking for another.
const KEY_NUMBER: u8 = 1;
/// Reading back what was keyed.
const CONFIRM_NUMBER: u8 = 2;

/// The first question of this step: one less for a caller whose number is withheld.
pub(crate) fn ask_first(line: &Line<'_>, call: Call, webhook: &Webhook) -> Result<Document, Error> {
    let question = if calling_from(webhook).is_some() { THIS_NUMBER } else { KEY_NUMBER };
    ask(line, call.asking(question), webhook, None)
}

fn ask(line: &Line<'_>, call: Call, webhook: &Webhook, lead: Option<&'static str>) -> Result<Document, Error> {
    let language = call.language;
    let (prompt, keys) = match (call.asking, calling_from(webhook), call.draft()?.keyed.as_ref()) {
        (THIS_NUMBER, Some(number), _) => (texts::which_number(language, number.last_four()), Keys::One),
        (CONFIRM_NUMBER, _, Some(keyed)) => (texts::confirm_number(language, keyed.as_str()), Keys::One),
        // 011, a country code and a number.
        _ => (texts::key_number(language), Keys::UpTo(18)),
    };
    line.ask(call, STEP, leads(lead), &prompt, keys)
}

/// Takes the number and writes the request down.
pub async fn handle(app: &App, webhook: Webhook) -> Result<Document, Error> {
    let line = Line::new(app, &webhook).await?;
    let mut call = webhook.state(app, STEP).await?;
    let heard = Heard::from(&webhook);
    let keyed = call.draft()?.keyed.clone();
    match (call.asking, heard.key(), calling_from(&webhook), keyed) {
        (THIS_NUMBER, Some('1'), Some(number), _) | (CONFIRM_NUMBER, Some('1'), _, Some(number)) => {
            filing::begin(app, &line, &mut call, Some(&number)).await?;
            go_on(&line, call)
        }
        (THIS_NUMBER | CONFIRM_NUMBER, Some('2'), _, _) => ask(&line, call.asking(KEY_NUMBER), &webhook, None),
        (KEY_NUMBER, _, _, _) => match &heard {
            Heard::Keys(digits) => {
                let Ok(number) = E164::from_keypad(digits) else {
                    let why = texts::not_a_number(call.language);
                    return ask_again(&line, call, &webhook, &heard, Some(why));
                };
                if let Some(draft) = &mut call.request {
                    draft.keyed = Some(number);
                }
                ask(&line, call.asking(CONFIRM_NUMBER), &webhook, None)
            }
            _ => ask_again(&line, call, &webhook, &heard, None),
        },
        _ => ask_again(&line, call, &webhook, &heard, None),
    }
}

/// What the kind still needs, and nothing more: 11 CCR 7026(d), 7027(e) forbid to ask an opt-out or a limit for it.
fn go_on(line: &Line<'_>, call: Call) -> Result<Document, Error> {
    let kind = call.draft()?.kind;
    if kind.needs_name() {
        name::ask(line, call.asking(name::RECORD), None)
    } else if kind.needs_details() {
        details::ask(line, call.asking(details::RECORD), None)
    } else {
        review::ask(line, call.asking(0), None)
    }
}

fn ask_again(
    line: &Line<'_>,
    call: Call,
    webhook: &Webhook,
    heard: &Heard,
    why: Option<&'static str>,
) -> Result<Document, Error> {
    match unanswered(&call, heard) {
        Some((call, lead)) => ask(line, call, webhook, why.or(lead)),
        None => details::take_message(line, call),
    }
}

/// The number that calls, unless it is withheld.
pub(crate) fn calling_from(webhook: &Webhook) -> Option<E164> {
    match CallerId::parse(webhook.params.get("From").unwrap_or_default()) {
        CallerId::Known(number) => Some(number),
        CallerId::Withheld => None,
    }
}
