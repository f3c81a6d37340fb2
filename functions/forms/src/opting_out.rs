//! What the page of privacy choices and the signal have in common: one opt-out, written down once.

use domain::clock;
use domain::request::{Channel, Kind};
use platform::edge::Visit;
use platform::store::{Filed, FormAccount, NewSignal, OptingOut};
use platform::tenant::Tenant;
use platform::{App, Error};

use crate::site::View;

/// Files an opt-out under the tenant's own law and calendar. One that comes with a form was asked for with it; one that does
/// not is the browser's signal.
pub(crate) async fn file(
    app: &App,
    (tenant, account): (&Tenant, &FormAccount),
    (visit, view): (&Visit, &View),
    (who, form, origin): (OptingOut<'_>, Option<&str>, Option<&str>),
) -> Result<Filed, Error> {
    let zone = account.tenant.tz().map_err(Error::failed("reading the tenant's time zone"))?;
    let clocks = clock::clocks(&account.tenant.jurisdictions, Kind::OptOut, visit.at, &zone)
        .map_err(Error::failed("computing the dates of an opt-out"))?;
    let new = NewSignal {
        who,
        form,
        channel: if form.is_some() { Channel::Form } else { Channel::Signal },
        code: &account.code.code,
        language: view.language,
        received_at: visit.at,
        clocks: &clocks,
        origin,
    };
    app.store.of(tenant).file_signal(&new).await
}

/// The browser that is there, as far as it does not say which it is.
pub(crate) fn passing(visit: &Visit) -> OptingOut<'_> {
    OptingOut::Passing { address: &visit.client.address, agent: &visit.client.agent }
}
