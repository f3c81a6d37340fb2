//! `POST /voice/request-kind/{call}`: the caller chose what to ask for.

use domain::request::Kind;
use partners::twilio::twiml::Document;
use platform::call::Call;
use platform::edge::Webhook;
use platform::{App, Error};

use crate::heard::Heard;
use crate::line::{Keys, Lead, Line, leads, unanswered};
use crate::{contact, details, status, texts};

/// This step's word in action URLs.
pub const STEP: &str = "request-kind";

/// Asking what the caller wants.
pub(crate) const MENU: u8 = 0;
/// Asking which of the two requests to know.
const WHICH_KNOW: u8 = 1;
/// The key for an earlier request.
const EARLIER_REQUEST: char = '6';

/// Asks the question that the call has come to.
pub(crate) fn ask(line: &Line<'_>, call: Call, leads: Vec<Lead>) -> Result<Document, Error> {
    let prompt = match call.asking {
        WHICH_KNOW => texts::which_know(call.language),
        _ => texts::menu(call.language, &call.reached()?.1.kinds),
    };
    line.ask(call, STEP, leads, &prompt, Keys::One)
}

/// Goes on to what the kind needs; after three answers that did not help, a message is taken.
pub async fn handle(app: &App, webhook: Webhook) -> Result<Document, Error> {
    let line = Line::new(app, &webhook).await?;
    let mut call = webhook.state(app, STEP).await?;
    let heard = Heard::from(&webhook);
    let offered = call.reached()?.1.kinds.clone();
    if heard.key() == Some(EARLIER_REQUEST) && call.asking == MENU {
        return status::ask(&line, call.asking(0), None);
    }
    let chosen: Vec<Kind> = offered
        .into_iter()
        .filter(|kind| match call.asking {
            WHICH_KNOW => kind.second_key().is_some() && kind.second_key() == heard.key(),
            _ => Some(kind.key()) == heard.key(),
        })
        .collect();
    match chosen.as_slice() {
        [kind] => {
            call.request_anew(*kind);
            contact::ask_first(&line, call, &webhook)
        }
        [_, _, ..] => ask(&line, call.asking(WHICH_KNOW), vec![]),
        [] => match unanswered(&call, &heard) {
            Some((call, lead)) => ask(&line, call, leads(lead)),
            None => {
                call.request_anew(Kind::Message);
                details::take_message(&line, call)
            }
        },
    }
}
