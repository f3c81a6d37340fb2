//! Whose request a page is about, and what may be asked of whoever made it.

use domain::audit::{Act, Entry, Who};
use domain::request::State;
use domain::verification::{Ask, Facts, Policy};
use platform::consumer::Proven;
use platform::edge::Visit;
use platform::store::{History, ServiceCodeAccount};
use platform::{App, Error};

/// What may be asked of whoever made a request, as its page needs to know it.
pub(crate) fn policy(history: &History, account: &ServiceCodeAccount) -> Result<Policy, Error> {
    let photo_id = account.tenant.photo_id;
    Policy::of(Facts::of_request(history.kind, history.requester, history.clocks.may_verify, photo_id))
        .map_err(Error::failed("reading what may be asked"))
}

/// Whether something is asked now: the law allows it, and the team has begun to verify.
pub(crate) fn asked_now(history: &History, policy: &Policy, ask: Ask) -> bool {
    history.progress.state == State::Verifying && policy.may_ask(ask)
}

/// Whether an agent is to show the person's signed permission: that may be asked where nothing else may, so it waits for no
/// verification.
pub(crate) fn shows_permission(history: &History, policy: &Policy) -> bool {
    history.progress.state.is_open() && policy.may_ask(Ask::SignedPermission)
}

/// An entry about what whoever made the request did.
pub(crate) fn entry(visit: &Visit, proven: &Proven, act: Act) -> Entry {
    Entry::new(visit.at, Who::Consumer, act).on("request", proven.reference.as_str()).from(&visit.client.address)
}

/// The account, if the code under which the request was looked up is still there.
pub(crate) async fn account(app: &App, proven: &Proven) -> Result<ServiceCodeAccount, Error> {
    app.store.of(&proven.tenant).service_code(&proven.code).await?.ok_or(Error::NotFound)
}
