//! `POST /voice/name/{call}`: the caller said their name.

use domain::request::Missing;
use partners::twilio::RecordingSid;
use partners::twilio::twiml::Document;
use platform::call::Call;
use platform::edge::Webhook;
use platform::{App, Error};

use crate::heard::Heard;
use crate::line::{Keys, Line, leads, unanswered};
use crate::{details, filing, review, texts};

/// This step's word in action URLs.
pub const STEP: &str = "name";

/// Recording.
pub(crate) const RECORD: u8 = 0;
/// Asking whether to keep the recording.
const KEEP: u8 = 1;
/// A name, in seconds.
const AT_MOST: u16 = 30;

/// Asks the question that the call has come to.
pub(crate) fn ask(line: &Line<'_>, call: Call, lead: Option<&'static str>) -> Result<Document, Error> {
    if call.asking == KEEP {
        let prompt = texts::keep_recording(call.language);
        return line.ask(call, STEP, leads(lead), &prompt, Keys::One);
    }
    let prompt = texts::say_name(call.language);
    line.record(call, STEP, lead, &prompt, AT_MOST)
}

/// Notes the recording at once; a caller who says nothing three times goes on without.
pub async fn handle(app: &App, webhook: Webhook) -> Result<Document, Error> {
    let line = Line::new(app, &webhook).await?;
    let mut call = webhook.state(app, STEP).await?;
    let heard = Heard::from(&webhook);
    if call.asking == KEEP {
        return match heard.key() {
            Some('1') => go_on(&line, call),
            Some('2') => ask(&line, call.asking(RECORD), None),
            _ => match unanswered(&call, &heard) {
                Some((call, lead)) => ask(&line, call, lead),
                // What was said is kept.
                None => go_on(&line, call),
            },
        };
    }
    let Some(recording) = recorded(&webhook) else {
        return match unanswered(&call, &Heard::Silence) {
            Some((call, lead)) => ask(&line, call, lead),
            None => go_on(&line, call),
        };
    };
    let reference = call.draft()?.reference.clone().ok_or(Error::StaleCall)?;
    if let Some(draft) = &mut call.request {
        draft.name = Some(recording.clone());
    }
    let missing = filing::missing(&call, true)?;
    let said = filing::said(&line, &call, Missing::Name, &recording, &missing)?;
    app.store.of(call.reached()?.0).note_recording(&reference, &said).await?;
    ask(&line, call.asking(KEEP), None)
}

fn go_on(line: &Line<'_>, call: Call) -> Result<Document, Error> {
    if call.draft()?.kind.needs_details() {
        details::ask(line, call.asking(details::RECORD), None)
    } else {
        review::ask(line, call.asking(0), None)
    }
}

/// The recording that the action of a `<Record>` reports, if anything was recorded.
pub(crate) fn recorded(webhook: &Webhook) -> Option<RecordingSid> {
    if webhook.params.get("RecordingDuration") == Some("0") {
        return None;
    }
    RecordingSid::parse(webhook.params.non_empty("RecordingSid")?).ok()
}
