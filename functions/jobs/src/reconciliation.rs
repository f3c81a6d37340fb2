//! `jobs-reconciliation`: what the nightly comparisons found, for `make reconcile-report`.

use std::collections::BTreeMap;

use domain::billing::{DayCheck, ListCheck};
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use platform::tenant::Tenant;
use platform::{App, Error};
use serde::{Deserialize, Serialize};

/// The most days of one order.
const MOST_DAYS: u16 = 92;

/// Whose days, and how many.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Order {
    /// A tenant, by the operator's own name for it; without one, what Twilio's list showed.
    #[serde(default)]
    pub tenant: Option<String>,
    /// How many days back; 7 unless said.
    #[serde(default)]
    pub days: Option<u16>,
}

/// What was found, by day.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Report {
    /// How Twilio's list agreed with the ledger.
    Lists(BTreeMap<Date, ListCheck>),
    /// How a tenant's days agreed with themselves and with Stripe.
    Days(BTreeMap<Date, DayCheck>),
}

/// Reads the reports.
pub async fn handle(app: &App, order: Order) -> Result<Report, Error> {
    let today = app.clock.now().to_zoned(TimeZone::UTC).date();
    let days = i64::from(order.days.unwrap_or(7).clamp(1, MOST_DAYS));
    let first = today.checked_sub(days.days()).unwrap_or(Date::MIN);
    let tenant = match &order.tenant {
        Some(slug) => app.store.tenant_of_slug(slug).await?.ok_or(Error::NotFound)?,
        None => Tenant::platform(),
    };
    app.about(&tenant);
    let store = app.store.of(&tenant);
    if order.tenant.is_none() {
        let mut lists = BTreeMap::new();
        for day in first.series(1.day()).take_while(|day| *day <= today) {
            if let Some(list) = store.list_of(day).await? {
                lists.insert(day, list);
            }
        }
        return Ok(Report::Lists(lists));
    }
    let mut checks = BTreeMap::new();
    for month in first.first_of_month().series(1.month()).take_while(|month| *month <= today) {
        let of_month = store.month_of_billing(month).await?;
        checks.extend(of_month.into_iter().filter_map(|(day, of_day)| Some((day, of_day.check?))));
    }
    checks.retain(|day, _| *day >= first);
    Ok(Report::Days(checks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_may_say_nothing() {
        let order: Order = serde_json::from_str("{}").unwrap();
        assert!(order.tenant.is_none() && order.days.is_none());
        assert!(serde_json::from_str::<Order>(r#"{"from": "2026-11-01"}"#).is_err());
    }
}
