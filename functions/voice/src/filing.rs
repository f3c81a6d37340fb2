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

/// Candidates for a reference number: two of a million requests share one once in 10^5 times.
const CANDIDATES: u8 = 8;

/// Writes the call's request down as incomplete and keeps its reference in the call. Safe to repeat.
pub(crate) async fn begin(
    app: &App,
    line: &Line<'_>,
    call: &mut Call,
    contact: Option<&E164>,
) -> Result<Reference, Error> {
    let (tenant, service) = call.reached()?;
    let draft = call.draft()?;
    let store = app.store.of(tenant);
    let keys = store.keys().await?;
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
    for candidate in 0..CANDIDATES {
        let reference = Reference::from_entropy(keys.reference_entropy(line.sid.as_str(), candidate)?);
        if store.begin_request(&reference, &keys, &new).await? == Begun::There {
            if let Some(draft) = &mut call.request {
                draft.reference = Some(reference.clone());
            }
            return Ok(reference);
        }
    }
    Err(Error::Failed { doing: "writing a request", source: "every candidate for its reference is taken".into() })
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
