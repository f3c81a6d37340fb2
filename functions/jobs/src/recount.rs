//! `jobs-recount`: compares the counts with a tenant's requests, one by one, and mends them.
//!
//! For a stack whose requests are older than its counts, and after anything lies in the dead-letter queue of `jobs-tally`. It
//! may be run at any time and as often as one likes: calls come in meanwhile, and a second run finds nothing.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use platform::store::{Recounted, month, months};
use platform::{App, Error};
use serde::{Deserialize, Serialize};

/// No law that gives a right to ask is older, so no request was received before.
const FIRST_MONTH: &str = "2018-05";

/// Whose counts.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Order {
    /// The operator's own name for the tenant.
    pub tenant: String,
    /// Only looks, and changes nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What was found.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Done {
    /// How many requests there are.
    pub requests: u64,
    /// How many of them were not counted, or not as they are.
    pub missed: u64,
    /// By how much counters were off beyond that, by bucket and counter.
    pub differences: BTreeMap<String, BTreeMap<String, i64>>,
    /// Whether all of it was mended.
    pub mended: bool,
}

/// Counts every request once more.
pub async fn handle(app: &App, order: Order) -> Result<Done, Error> {
    let tenant = app.store.tenant_of_slug(&order.tenant).await?.ok_or(Error::NotFound)?;
    app.about(&tenant);
    // A day more, because a tenant's month may have begun before ours.
    let last = month(app.clock.now() + SignedDuration::from_hours(24));
    let found = app.store.of(&tenant).recount(months(FIRST_MONTH, &last), order.dry_run).await?;
    Ok(done(found, order.dry_run))
}

fn done(found: Recounted, look: bool) -> Done {
    Done { requests: found.requests, missed: found.missed, differences: found.differences, mended: !look }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recount_mends_unless_it_is_told_to_look_only() {
        let order: Order = serde_json::from_str(r#"{"tenant": "shop"}"#).unwrap();
        assert!(!order.dry_run);
        let look: Order = serde_json::from_str(r#"{"tenant": "shop", "dry-run": true}"#).unwrap();
        let found = Recounted { requests: 3, missed: 1, differences: BTreeMap::new() };
        assert!(done(found.clone(), order.dry_run).mended && !done(found, look.dry_run).mended);
    }
}
