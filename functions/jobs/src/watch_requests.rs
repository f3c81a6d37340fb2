//! `jobs-watch-requests`: learns of new requests from the table's stream, whichever way they came in.
//!
//! The stream costs whoever files a request nothing, keeps what it tells for a day, and brings it again until it is done with;
//! and no way of filing one, today's or a later one's, can forget to say so. What is written here is written once, however
//! often the stream says it.
//!
//! One tenant's trouble is nobody else's: the others are done with first, and what cannot be done of a tenant goes to the
//! dead-letter queue, which is an alarm. Only where nothing at all can be done, the stream waits a little.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::alert;
use domain::job::Job;
use domain::reference::Reference;
use domain::user::AlertFrequency;
use futures::future::join_all;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use platform::store::Came;
use platform::{App, Error};

use crate::send_alerts;

/// So long the stream waits for a database that does nothing for anybody.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);
/// One tenant's part of a batch takes no longer; the function has a minute.
const WITHIN: Duration = Duration::from_secs(25);

/// Writes down the news, and enters when somebody is to be told of them.
pub async fn handle(app: &App, came: Vec<Came>) -> Result<(), Error> {
    let mut tenants: BTreeMap<&str, Vec<&Came>> = BTreeMap::new();
    for one in &came {
        app.about(&one.tenant);
        tenants.entry(one.tenant.id().as_str()).or_default().push(one);
    }
    let parts = tenants.into_values().map(async |came| {
        let done = tokio::time::timeout(WITHIN, of_one(app, &came)).await;
        let late = |_| Err(Error::Failed { doing: "writing news", source: "it takes too long".into() });
        (came, done.unwrap_or_else(late))
    });
    let done = join_all(parts).await;
    let anybody = done.iter().any(|(_, done)| done.is_ok());
    for (came, done) in done {
        let Err(error) = done else { continue };
        if waits(anybody, came.iter().filter_map(|one| one.at).max(), app.clock.now()) {
            return Err(error);
        }
        let tenant = came.first().map_or("", |one| one.tenant.id().as_str());
        let references: Vec<&str> = came.iter().map(|one| one.reference.as_str()).collect();
        tracing::error!(tenant, error = error.causes(), "of requests that came in, nobody is told");
        let keys = serde_json::json!({ "why": error.to_string(), "tenant": tenant, "references": references });
        app.queues.bury(keys.to_string()).await?;
    }
    Ok(())
}

/// Whether what failed is to come again with its batch: it is nobody's trouble but everybody's, and has only just begun.
fn waits(anybody_done: bool, newest: Option<Timestamp>, now: Timestamp) -> bool {
    !anybody_done && newest.is_some_and(|newest| now.duration_since(newest) < PATIENCE)
}

/// The work first, the entry second: of what is entered for nothing, nothing comes.
async fn of_one(app: &App, came: &[&Came]) -> Result<(), Error> {
    let Some(first) = came.first() else { return Ok(()) };
    let store = app.store.of(&first.tenant);
    let mut news: Vec<Reference> = vec![];
    for one in came {
        if one.begun {
            let now = app.clock.now();
            store.note_begun(&one.reference, now).await?;
            store.arrange(Job::SendAlerts, alert::abandoned_at(now), "").await?;
        } else {
            news.push(one.reference.clone());
        }
        if one.to_confirm {
            let what = send_alerts::to_confirm(&one.reference);
            store.arrange(Job::SendAlerts, alert::confirmed_at(app.clock.now()), &what).await?;
        }
    }
    if news.is_empty() {
        return Ok(());
    }
    store.add_news(&news).await?;
    // Who wants to be told, and when, is seen when the first may be.
    let first = alert::told_at(AlertFrequency::AtOnce, &TimeZone::UTC, app.clock.now());
    store.arrange(Job::SendAlerts, first.unwrap_or(app.clock.now()), "").await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_tenant_never_holds_up_the_others_and_a_database_that_is_away_is_waited_for() {
        let now: Timestamp = "2026-11-22T16:00:00Z".parse().unwrap();
        let before = |secs: i64| Some(now - SignedDuration::from_secs(secs));
        assert!(!waits(true, before(1), now), "the others were done: this one is buried at once");
        assert!(waits(false, before(1), now));
        assert!(!waits(false, before(120), now));
        assert!(!waits(false, None, now));
    }
}
