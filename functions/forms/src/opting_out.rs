//! What the page of privacy choices, the signal and every page that a browser with the signal opens have in common: one
//! opt-out, written down once.

use domain::clock;
use domain::language::Language;
use domain::request::{Channel, Kind};
use domain::service_code::ServiceCodeProfile;
use domain::tenant::TenantProfile;
use platform::edge::{Visit, note_failure};
use platform::store::{Filed, NewSignal, OptingOut};
use platform::tenant::Tenant;
use platform::{App, Error};

/// To whom an opt-out goes: the business, what it says of itself, and the code.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) tenant: &'a Tenant,
    pub(crate) profile: &'a TenantProfile,
    pub(crate) code: &'a ServiceCodeProfile,
}

/// Who opts out of what, and how they said so. One that comes with a form was asked for with it; one that does not is the
/// browser's signal.
#[derive(Clone, Copy)]
pub(crate) struct Said<'a> {
    pub(crate) who: OptingOut<'a>,
    pub(crate) kind: Kind,
    pub(crate) form: Option<&'a str>,
    pub(crate) origin: Option<&'a str>,
}

impl<'a> Said<'a> {
    /// A browser's signal.
    pub(crate) const fn signal(who: OptingOut<'a>, origin: Option<&'a str>) -> Self {
        Self { who, kind: Kind::OptOut, form: None, origin }
    }
}

/// Files it under the tenant's own law and calendar.
pub(crate) async fn file(
    app: &App,
    asked: Asked<'_>,
    (visit, language): (&Visit, Language),
    said: Said<'_>,
) -> Result<Filed, Error> {
    let clocks = clocks(asked, visit, said.kind)?;
    app.store.of(asked.tenant).file_signal(&new(asked, (visit, language), said, &clocks)).await
}

/// Writes down the signal that the browser of a visit sends, if it sends one: for itself, once a day, or for `known`, whom it
/// is of. Whether it is written down, which is when the page may say that it is honoured; that it could not be is no reason to
/// show no page.
pub(crate) async fn note_signal(
    app: &App,
    asked: Asked<'_>,
    (visit, language): (&Visit, Language),
    known: Option<OptingOut<'_>>,
    origin: Option<&str>,
) -> bool {
    // A business that has closed its account takes none any more.
    if !visit.gpc || !asked.profile.closure.is_open() {
        return false;
    }
    let said = Said::signal(known.unwrap_or_else(|| passing(visit)), origin);
    let noted = match clocks(asked, visit, said.kind) {
        Ok(clocks) => app.store.of(asked.tenant).note_signal(&new(asked, (visit, language), said, &clocks)).await,
        Err(error) => Err(error),
    };
    if let Err(error) = &noted {
        note_failure(error);
    }
    noted.is_ok()
}

fn clocks(asked: Asked<'_>, visit: &Visit, kind: Kind) -> Result<clock::Clocks, Error> {
    let zone = asked.profile.tz().map_err(Error::failed("reading the tenant's time zone"))?;
    clock::clocks(&asked.profile.jurisdictions, kind, visit.at, &zone)
        .map_err(Error::failed("computing the dates of an opt-out"))
}

fn new<'a>(
    asked: Asked<'a>,
    (visit, language): (&Visit, Language),
    said: Said<'a>,
    clocks: &'a clock::Clocks,
) -> NewSignal<'a> {
    NewSignal {
        who: said.who,
        kind: said.kind,
        form: said.form,
        channel: if said.form.is_some() { Channel::Form } else { Channel::Signal },
        code: &asked.code.code,
        language,
        received_at: visit.at,
        clocks,
        origin: said.origin,
    }
}

/// The browser that is there, as far as it does not say which it is.
pub(crate) fn passing(visit: &Visit) -> OptingOut<'_> {
    OptingOut::Passing { address: &visit.client.address }
}
