//! `jobs-watch-requests`: learns of new requests from the table's stream, whichever way they came in.
//!
//! The stream costs whoever files a request nothing, keeps what it tells for a day, and brings it again until it is done with;
//! and no way of filing one, today's or a later one's, can forget to say so. What is written here is written once, however
//! often the stream says it.

use std::collections::BTreeMap;

use domain::alert;
use domain::job::Job;
use domain::reference::Reference;
use domain::user::AlertFrequency;
use jiff::tz::TimeZone;
use platform::store::Came;
use platform::tenant::Tenant;
use platform::{App, Error};

use crate::send_alerts;

/// Writes down the news, and enters when somebody is to be told of them. The work first, the entry second: of what is entered
/// for nothing, nothing comes.
pub async fn handle(app: &App, came: Vec<Came>) -> Result<(), Error> {
    let mut news: BTreeMap<&str, (&Tenant, Vec<Reference>)> = BTreeMap::new();
    for one in &came {
        let store = app.store.of(&one.tenant);
        app.about(&one.tenant);
        if one.begun {
            let now = app.clock.now();
            store.note_begun(&one.reference, now).await?;
            store.arrange(Job::SendAlerts, alert::abandoned_at(now), "").await?;
        } else {
            let of_tenant = news.entry(one.tenant.id().as_str()).or_insert_with(|| (&one.tenant, vec![]));
            of_tenant.1.push(one.reference.clone());
        }
        if one.to_confirm {
            let what = send_alerts::to_confirm(&one.reference);
            store.arrange(Job::SendAlerts, alert::confirmed_at(app.clock.now()), &what).await?;
        }
    }
    for (tenant, references) in news.into_values() {
        let store = app.store.of(tenant);
        store.add_news(&references).await?;
        // Who wants to be told, and when, is seen when the first may be.
        let first = alert::told_at(AlertFrequency::AtOnce, &TimeZone::UTC, app.clock.now());
        store.arrange(Job::SendAlerts, first.unwrap_or(app.clock.now()), "").await?;
    }
    Ok(())
}
