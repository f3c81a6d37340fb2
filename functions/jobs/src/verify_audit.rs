//! `jobs-verify-audit`: walks a tenant's trail from its first entry to its head and says whether it is whole.

use std::ops::ControlFlow;

use domain::audit::{Broken, Verifier};
use platform::store::{FIRST_MONTH, months};
use platform::{App, Error};
use serde::{Deserialize, Serialize};

/// Whose trail.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Order {
    /// The operator's own name for the tenant.
    pub tenant: String,
}

/// What was found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Verdict {
    /// Whether nothing was changed, removed or reordered.
    pub ok: bool,
    /// How many entries were checked.
    pub entries: u64,
    /// The number of the last entry that follows from all before it.
    pub seq: u64,
    /// Its hash: what a witness writes down.
    pub hash: String,
    /// What is wrong, where something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
}

/// Checks the whole trail; memory does not grow with it.
pub async fn handle(app: &App, order: Order) -> Result<Verdict, Error> {
    let tenant = app.store.tenant_of_slug(&order.tenant).await?.ok_or(Error::NotFound)?;
    app.about(&tenant);
    let store = app.store.of(&tenant);
    // First: what is added while we walk lies behind it.
    let head = store.trail_head().await?;
    let mut verifier = Verifier::new();
    let mut broken: Option<Broken> = None;
    store
        .walk_trail(months(FIRST_MONTH, &head.month), 0, |link| {
            if link.seq > head.seq {
                return Ok(ControlFlow::Break(()));
            }
            broken = verifier.next(&link).err();
            Ok(if broken.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })
        .await?;
    let broken = broken.or_else(|| verifier.ends_at(head.seq, &head.hash).err());
    let (entries, seq, hash) = verifier.state();
    Ok(Verdict {
        ok: broken.is_none(),
        entries,
        seq,
        hash: hash.to_owned(),
        broken: broken.map(|broken| broken.to_string()),
    })
}
