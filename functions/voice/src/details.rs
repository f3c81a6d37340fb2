//! `POST /voice/details/{call}`: the caller said what it is about, or left a message.

use domain::request::{Kind, Missing};
use partners::twilio::twiml::Document;
use platform::call::Call;
use platform::edge::Webhook;
use platform::{App, Error};

use crate::heard::Heard;
use crate::line::{Keys, Line, goodbye, leads, unanswered};
use crate::name::recorded;
use crate::{contact, filing, review, texts};

/// This step's word in action URLs.
pub const STEP: &str = "details";

/// Recording.
pub(crate) const RECORD: u8 = 0;
/// Asking whether to keep the recording.
const KEEP: u8 = 1;
/// Recording a message, because the questions before did not help.
const MESSAGE: u8 = 2;
/// What the announcement promises, in seconds.
const AT_MOST: u16 = 360;

/// Asks the question that the call has come to.
pub(crate) fn ask(line: &Line<'_>, call: Call, lead: Option<&'static str>) -> Result<Document, Error> {
    if call.asking == KEEP {
        let prompt = texts::keep_recording(call.language);
        return line.ask(call, STEP, leads(lead), &prompt, Keys::One);
    }
    let prompt = texts::say_details(call.language, call.draft()?.kind);
    line.record(call, STEP, lead, &prompt, AT_MOST)
}

/// The way out of questions that did not help: a message, with no more questions.
pub(crate) fn take_message(line: &Line<'_>, call: Call) -> Result<Document, Error> {
    let lead = texts::take_message_instead(call.language);
    ask(line, call.asking(MESSAGE), Some(lead))
}

/// Notes the recording at once, writing the request down first where it is not yet.
pub async fn handle(app: &App, webhook: Webhook) -> Result<Document, Error> {
    let line = Line::new(app, &webhook).await?;
    let mut call = webhook.state(app, STEP).await?;
    let heard = Heard::from(&webhook);
    if call.asking == KEEP {
        return match heard.key() {
            Some('1') => review::ask(&line, call.asking(0), None),
            Some('2') => ask(&line, call.asking(RECORD), None),
            _ => match unanswered(&call, &heard) {
                Some((call, lead)) => ask(&line, call, lead),
                // What was said is kept.
                None => review::ask(&line, call.asking(0), None),
            },
        };
    }
    let Some(recording) = recorded(&webhook) else {
        return match unanswered(&call, &Heard::Silence) {
            Some((call, lead)) => ask(&line, call, lead),
            None => give_up(&line, call),
        };
    };
    let reference = match call.draft()?.reference.clone() {
        Some(reference) => reference,
        // Nobody said how to answer: a number keyed before, or the one that calls, is the best there is.
        None => {
            let contact = call.draft()?.keyed.clone().or_else(|| contact::calling_from(&webhook));
            filing::begin(app, &line, &mut call, contact.as_ref()).await?
        }
    };
    if let Some(draft) = &mut call.request {
        draft.details = Some(recording.clone());
    }
    let missing = filing::missing(&call, true)?;
    let said = filing::said(&line, &call, Missing::Details, &recording, &missing)?;
    app.store.of(call.reached()?.0).note_recording(&reference, &said).await?;
    if call.asking == MESSAGE {
        return goodbye(&call, &texts::message_left(call.language, &call.reached()?.1.name, &reference));
    }
    ask(&line, call.asking(KEEP), None)
}

/// Nothing was said: a correction can still be sent, and what it is about be asked later.
fn give_up(line: &Line<'_>, call: Call) -> Result<Document, Error> {
    let draft = call.draft()?;
    if call.asking == RECORD && draft.reference.is_some() && draft.kind != Kind::Message {
        return review::ask(line, call.asking(0), None);
    }
    goodbye(&call, &texts::way_out(call.language, call.service.as_ref()))
}
