//! Writing a request down as soon as there is something to write, whichever step that is.

use domain::clock;
use domain::phone::E164;
use domain::reference::Reference;
use domain::request::{Channel, Missing};
use jiff::tz::TimeZone;
use partners::twilio::RecordingSid;
use platform::call::Call;
use platform::store::{Begun, NewRequest, Said};
use platform::{App, Error};

use crate::line::Line;

/// Writes the call's request down as incomplete and keeps its reference in the call. Safe to repeat.
pub(crate) async fn begin(
    app: &App,
    line: &Line<'_>,
    call: &mut Call,
    contact: Option<&E164>,
) -> Result<Reference, Error> {
    let (tenant, service) = call.reached()?;
    let draft = call.draft()?;
    let received_at = app.clock.now();
    let zone = TimeZone::get(&service.time_zone).map_err(Error::failed("reading the tenant's time zone"))?;
    let clocks = clock::clocks(&service.jurisdictions, draft.kind, received_at, &zone)
        .map_err(Error::failed("computing the dates of a request"))?;
    let new = NewRequest {
        kind: draft.kind,
        channel: Channel::Phone,
        code: &service.code,
        language: call.language,
        call: line.sid,
        revision: draft.revision,
        contact,
        received_at,
        clocks: &clocks,
        missing: &missing(call, true)?,
    };
    // An older webhook, late: what the caller said since then stands.
    let Begun::There(reference) = app.store.of(tenant).begin_request(&new).await? else {
        return Err(Error::StaleCall);
    };
    if let Some(draft) = &mut call.request {
        draft.reference = Some(reference.clone());
    }
    Ok(reference)
}

/// What the call's request still lacks.
pub(crate) fn missing(call: &Call, unconfirmed: bool) -> Result<Vec<Missing>, Error> {
    let draft = call.draft()?;
    let mut missing = vec![];
    if draft.kind.needs_name() && draft.name.is_none() {
        missing.push(Missing::Name);
    }
    if draft.kind.needs_details() && draft.details.is_none() {
        missing.push(Missing::Details);
    }
    if unconfirmed {
        missing.push(Missing::Confirmation);
    }
    Ok(missing)
}

/// What the caller has just said, as the store notes it.
pub(crate) fn said<'a>(
    line: &'a Line<'_>,
    call: &Call,
    answers: Missing,
    recording: &'a RecordingSid,
    missing: &'a [Missing],
) -> Result<Said<'a>, Error> {
    let (revision, question) = (call.draft()?.revision, call.questions);
    Ok(Said { call: line.sid, revision, question, answers, recording, missing })
}
