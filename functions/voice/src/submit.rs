//! `POST /voice/submit/{call}`: files the request, once, and confirms it on the line.
//!
//! What is said here is the confirmation of receipt of 11 CCR 7021(a), which may be given orally on the call.

use partners::twilio::twiml::{Document, Pause, Response};
use platform::edge::Webhook;
use platform::store::Submission;
use platform::{App, Error};

use crate::line::{Line, say};
use crate::{filing, texts};

/// This step's word in action URLs.
pub const STEP: &str = "submit";

/// Says the reference number twice, the date by which the business must answer, and how to follow the request: on the web it
/// is looked up with the service code, which whoever dialled a number of the business's own never keyed.
pub async fn handle(app: &App, webhook: Webhook) -> Result<Document, Error> {
    let line = Line::new(app, &webhook).await?;
    let call = webhook.state(app, STEP).await?;
    let (tenant, service) = call.reached()?;
    let draft = call.draft()?;
    let reference = draft.reference.as_ref().ok_or(Error::StaleCall)?;
    let submission = Submission {
        call: line.sid,
        revision: draft.revision,
        kind: draft.kind,
        at: app.clock.now(),
        missing: &filing::missing(&call, false)?,
    };
    let submitted = app.store.of(tenant).submit_request(reference, &submission).await?;
    let site = app.config.public_base_url()?;
    let [first, once_more, next] =
        texts::submitted(call.language, draft.kind, service, reference, submitted.respond_by, site);
    let response = Response::new()
        .say(say(call.language, &first)?)
        .pause(Pause::seconds(1))
        .say(say(call.language, &once_more)?)
        .pause(Pause::seconds(1))
        .say(say(call.language, &next)?);
    Ok(response.hangup())
}
