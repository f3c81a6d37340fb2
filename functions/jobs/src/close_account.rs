//! `jobs-close-account`: the operator closes a tenant's account, or opens it again before it is erased. The same order again
//! changes nothing.

use domain::audit::{Act, Entry, Who};
use domain::closure::{Closed, Closure};
use domain::job::Job;
use domain::tenant::TenantProfile;
use jiff::civil::Date;
use platform::{App, Error};
use serde::{Deserialize, Serialize};

use crate::closing::CLOSED;

/// Somebody may change the settings in the same moment.
const TRIES: usize = 5;

/// Which account.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Order {
    /// The operator's name for the tenant.
    pub tenant: String,
    /// Whether it is opened again.
    #[serde(default)]
    pub reopen: bool,
}

/// How the account stands now.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Done {
    /// Whether this order changed anything.
    pub changed: bool,
    /// Since which day it is closed; nothing where it is open.
    pub closed_on: Option<Date>,
    /// On which day everything goes.
    pub erased_on: Option<Date>,
}

/// Closes it, or opens it.
pub async fn handle(app: &App, order: Order) -> Result<Done, Error> {
    let tenant = app.store.tenant_of_slug(&order.tenant).await?;
    let tenant = tenant.ok_or_else(|| Error::invalid("tenant", "there is no tenant of this name"))?;
    app.about(&tenant);
    let store = app.store.of(&tenant);
    for _ in 0..TRIES {
        let settings = store.settings().await?;
        let now = app.clock.now();
        let zone = settings.value.tz().map_err(Error::failed("reading the tenant's time zone"))?;
        let today = now.to_zoned(zone).date();
        let wanted = wanted(&settings.value.closure, &order, today, now.as_second())?;
        let changed = wanted != settings.value.closure;
        if changed {
            let act = if order.reopen { Act::AccountReopened } else { Act::AccountClosed };
            let entry = Entry::new(now, Who::Operator, act);
            let profile = TenantProfile { closure: wanted.clone(), ..settings.value };
            match store.save_settings(settings.version, &profile, &entry).await {
                Ok(()) => {}
                Err(Error::Conflict) => continue,
                Err(error) => return Err(error),
            }
        }
        if !wanted.is_open() {
            // Once more where it was closed before: whoever ended before this line is made up for.
            store.arrange(Job::Retention, now, CLOSED).await?;
        }
        let closed = wanted.closed();
        return Ok(Done {
            changed,
            closed_on: closed.map(|closed| closed.on),
            erased_on: closed.map(|closed| closed.erased_on(today)),
        });
    }
    Err(Error::Conflict)
}

/// What becomes of the account.
fn wanted(there: &Closure, order: &Order, today: Date, number: i64) -> Result<Closure, Error> {
    match there {
        Closure::Erasing(_) if order.reopen => {
            Err(Error::invalid("tenant", "it is being erased, and cannot be opened again"))
        }
        Closure::Closed(_) if order.reopen => Ok(Closure::Open),
        Closure::Open if !order.reopen => Ok(Closure::Closed(Closed::new(order.tenant.clone(), today, number))),
        there => Ok(there.clone()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn order(reopen: bool) -> Order {
        Order { tenant: "shop".to_owned(), reopen }
    }

    #[test]
    fn the_same_order_again_changes_nothing() {
        let today = date(2026, 11, 22);
        let closed = wanted(&Closure::Open, &order(false), today, 1).unwrap();
        assert_eq!(closed.closed().map(|closed| (closed.on, closed.told)), Some((today, 0)));
        assert_eq!(wanted(&closed, &order(false), date(2026, 12, 1), 2).unwrap(), closed);
        assert_eq!(wanted(&closed, &order(true), date(2026, 12, 1), 2).unwrap(), Closure::Open);
        assert_eq!(wanted(&Closure::Open, &order(true), today, 2).unwrap(), Closure::Open);
    }

    #[test]
    fn what_is_being_erased_cannot_be_opened_again() {
        let erasing = Closure::Erasing(Closed::new("shop".to_owned(), date(2026, 11, 22), 1));
        assert!(wanted(&erasing, &order(true), date(2027, 3, 1), 2).is_err());
        assert_eq!(wanted(&erasing, &order(false), date(2027, 3, 1), 2).unwrap(), erasing);
    }

    #[test]
    fn an_order_names_a_tenant_and_nothing_unknown() {
        assert!(serde_json::from_str::<Order>(r#"{"tenant": "shop"}"#).is_ok_and(|order| !order.reopen));
        assert!(serde_json::from_str::<Order>(r#"{"tenant": "shop", "erase": true}"#).is_err());
    }
}
