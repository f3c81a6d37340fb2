//! `POST /voice/status/{call}`: how an earlier request stands. State and date only: who listens is not verified.

use domain::reference::Reference;
use partners::twilio::twiml::Document;
use platform::call::Call;
use platform::edge::Webhook;
use platform::{App, Error};

use crate::heard::Heard;
use crate::line::{Keys, Line, goodbye, leads, unanswered};
use crate::texts;

/// This step's word in action URLs.
pub const STEP: &str = "status";

/// Asks for the reference number.
pub(crate) fn ask(line: &Line<'_>, call: Call, lead: Option<&'static str>) -> Result<Document, Error> {
    let prompt = texts::which_reference(call.language);
    line.ask(call, STEP, leads(lead), &prompt, Keys::UpTo(12))
}

/// Looks the number up among this tenant's requests; another tenant's does not exist here.
pub async fn handle(app: &App, webhook: Webhook) -> Result<Document, Error> {
    let line = Line::new(app, &webhook).await?;
    let call = webhook.state(app, STEP).await?;
    let heard = Heard::from(&webhook);
    let Heard::Keys(keys) = &heard else {
        return ask_again(&line, &call, &heard, None);
    };
    let Ok(reference) = Reference::parse(keys) else {
        let why = texts::mistyped_reference(call.language);
        return ask_again(&line, &call, &heard, Some(why));
    };
    let Some(found) = app.store.of(call.reached()?.0).request_status(&reference).await? else {
        let why = texts::unknown_reference(call.language);
        return ask_again(&line, &call, &heard, Some(why));
    };
    let stands = texts::stands(call.language, found.kind, found.state, found.respond_by);
    goodbye(&call, &format!("{stands} {}", texts::goodbye(call.language)))
}

fn ask_again(line: &Line<'_>, call: &Call, heard: &Heard, why: Option<&'static str>) -> Result<Document, Error> {
    match unanswered(call, heard) {
        Some((call, lead)) => ask(line, call, why.or(lead)),
        None => goodbye(call, &texts::way_out(call.language, call.service.as_ref())),
    }
}
