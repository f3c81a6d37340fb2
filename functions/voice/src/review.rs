//! `POST /voice/review/{call}`: the caller heard what is about to be sent.

use partners::twilio::twiml::{Document, Response};
use platform::call::Call;
use platform::edge::Webhook;
use platform::{App, Error};

use crate::heard::Heard;
use crate::line::{Keys, Line, goodbye, leads, unanswered};
use crate::{request_kind, submit, texts};

/// This step's word in action URLs.
pub const STEP: &str = "review";

/// Reads back what was asked. The number and the name are not said: who listens is not verified.
pub(crate) fn ask(line: &Line<'_>, call: Call, lead: Option<&'static str>) -> Result<Document, Error> {
    let prompt = texts::review(call.language, call.draft()?.kind, &call.reached()?.1.name);
    line.ask(call, STEP, leads(lead), &prompt, Keys::One)
}

/// Sends it or starts again; what is neither confirmed nor started again is kept as incomplete.
pub async fn handle(app: &App, webhook: Webhook) -> Result<Document, Error> {
    let line = Line::new(app, &webhook).await?;
    let call = webhook.state(app, STEP).await?;
    let heard = Heard::from(&webhook);
    match heard.key() {
        Some('1') => Ok(Response::new().redirect(line.url(submit::STEP, &call)?)),
        Some('2') => request_kind::ask(&line, call.asking(request_kind::MENU), vec![]),
        _ => match unanswered(&call, &heard) {
            Some((call, lead)) => ask(&line, call, lead),
            None => {
                let reference = call.draft()?.reference.clone().ok_or(Error::StaleCall)?;
                goodbye(&call, &texts::kept(call.language, &call.reached()?.1.name, &reference))
            }
        },
    }
}
