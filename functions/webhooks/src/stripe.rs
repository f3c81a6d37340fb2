//! `POST /webhooks/stripe`: Stripe reports which meter events do not count, some time after it said 200.
//!
//! Each that is named goes back to its batch with the reason, and the worker of its day is called, who reads Stripe's
//! summaries before anything is sent anew. So neither the order of reports matters nor that they come twice: an event that
//! was dealt with is passed over, and one that was interrupted is dealt with again. What Stripe counts as refused and does
//! not name, the summaries show.

use jiff::SignedDuration;
use partners::stripe::error_report::{About, ErrorReport, Notification, RefusedEvent};
use platform::{App, Error};

/// For how long an event is known again: Stripe tries for three days to deliver one, and an operator may send it again
/// within thirty. Source: <https://docs.stripe.com/webhooks#retries>.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 31);

/// What came of one refusal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Came {
    /// Its batch was told.
    Told,
    /// Its batch knew, or has another event in its place.
    Known,
    /// It is of no batch of ours.
    Nobodys,
}

/// Takes back what is named.
pub async fn handle(app: &App, told: Notification) -> Result<(), Error> {
    let id = told.id.as_str();
    if told.about == About::Other || app.store.stripe_event_is_done(id).await? {
        return Ok(());
    }
    let report = match told.report {
        Some(report) => report,
        None => fetch(app, &told).await?,
    };
    let mut counted = [0_u64; 3];
    for refused in &report.refused {
        let place = match take_back(app, refused).await? {
            Came::Told => 0,
            Came::Known => 1,
            Came::Nobodys => 2,
        };
        if let Some(count) = counted.get_mut(place) {
            *count += 1;
        }
    }
    app.store.stripe_event_done(id, app.clock.now() + REMEMBERED).await?;
    let [taken_back, known, nobodys] = counted;
    // Somebody must look: it is an ERROR line, which the alarms count.
    tracing::error!(event = id, taken_back, known, nobodys, unnamed = report.unnamed, "Stripe refused usage");
    Ok(())
}

/// Webhooks announce; what is in an event is fetched.
async fn fetch(app: &App, told: &Notification) -> Result<ErrorReport, Error> {
    let whole = app.stripe().await?.event(&told.id).await.map_err(Error::failed("fetching an event of Stripe's"))?;
    let unreadable =
        || Error::Failed { doing: "fetching an event of Stripe's", source: "there is no report in it".into() };
    whole.report.ok_or_else(unreadable)
}

async fn take_back(app: &App, refused: &RefusedEvent) -> Result<Came, Error> {
    let Some(owner) = app.store.identifier_owner(&refused.identifier).await? else { return Ok(Came::Nobodys) };
    let store = app.store.of(&owner.tenant);
    let news = store.report_refusal(owner.day, owner.batch, &refused.identifier, refused.why.as_str()).await?;
    // Also where it was known: whoever wrote it may have come no further.
    app.store.mark_day(&owner.tenant, owner.day).await?;
    Ok(if news { Came::Told } else { Came::Known })
}
