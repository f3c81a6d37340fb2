//! `jobs-provision-tenant`: sets up a tenant from one JSON document; the same document again changes nothing.

use std::collections::BTreeSet;

use domain::field_error::FieldError;
use domain::phone::E164;
use domain::service_code::{ServiceCode, ServiceCodeProfile};
use domain::tenant::TenantProfile;
use platform::store::{Provision, Provisioned};
use platform::{App, Error};
use serde::Deserialize;

/// The document. `platform` alone sets up the operator's own account.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Order {
    /// The operator's own account, for calls that never reach a tenant.
    Platform {},
    /// A tenant.
    Tenant(TenantOrder),
}

/// A tenant as the operator describes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TenantOrder {
    /// The operator's own name for the tenant: the same name is the same tenant.
    pub slug: String,
    /// Its account.
    pub profile: TenantProfile,
    /// Its service codes.
    pub service_codes: Vec<ServiceCodeProfile>,
    /// Numbers of its own.
    #[serde(default)]
    pub numbers: Vec<DedicatedNumber>,
}

/// A telephone number that reaches one service code.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DedicatedNumber {
    /// In E.164.
    pub number: E164,
    /// What it reaches.
    pub service_code: ServiceCode,
}

/// Checks the whole document before anything is written.
pub async fn handle(app: &App, order: Order) -> Result<Provisioned, Error> {
    let order = match order {
        Order::Platform {} => return app.store.provision_platform().await,
        Order::Tenant(order) => order,
    };
    check(&order).map_err(|errors| {
        let reasons: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Error::invalid("tenant", reasons.join("; "))
    })?;
    let numbers = order.numbers.into_iter().map(|dedicated| (dedicated.number, dedicated.service_code)).collect();
    let wanted = Provision { slug: order.slug, profile: order.profile, service_codes: order.service_codes, numbers };
    app.store.provision(&wanted).await
}

fn check(order: &TenantOrder) -> Result<(), Vec<FieldError>> {
    let mut errors = vec![];
    let slug_fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if order.slug.is_empty() || order.slug.len() > 64 || !order.slug.chars().all(slug_fits) {
        errors.push(FieldError::new("slug", "Use 1 to 64 of a-z, 0-9 and the hyphen."));
    }
    errors.extend(order.profile.validate().err().into_iter().flatten());
    let mut codes = BTreeSet::new();
    for profile in &order.service_codes {
        errors.extend(profile.validate().err().into_iter().flatten());
        if !codes.insert(&profile.code) {
            errors.push(FieldError::new("service-codes", format!("The code {} is there twice.", profile.code)));
        }
    }
    for dedicated in &order.numbers {
        if !codes.contains(&dedicated.service_code) {
            let reason = format!("The service code {} is not this tenant's.", dedicated.service_code);
            errors.push(FieldError::new("numbers", reason));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(json: serde_json::Value) -> Result<TenantOrder, serde_json::Error> {
        serde_json::from_value(json)
    }

    fn demo() -> serde_json::Value {
        serde_json::json!({
            "slug": "shop",
            "profile": {"name": "Shop", "time-zone": "America/Los_Angeles", "jurisdictions": ["us-ca"]},
            "service-codes": [{
                "code": "1", "name": "Shop", "active": true, "languages": ["en"],
                "greetings": {"en": {"text": "Welcome."}}, "kinds": ["opt-out"], "web-form": null
            }],
            "numbers": [{"number": "+14155550100", "service-code": "1"}]
        })
    }

    #[test]
    fn a_complete_order_is_accepted() {
        assert_eq!(check(&order(demo()).unwrap()), Ok(()));
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let mut wrong = demo();
        wrong["slug"] = "Shop!".into();
        wrong["profile"]["time-zone"] = "Nowhere".into();
        wrong["numbers"][0]["service-code"] = "2".into();
        let errors = check(&order(wrong).unwrap()).unwrap_err();
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["slug", "time-zone", "numbers"]);
    }

    #[test]
    fn a_misspelt_field_is_refused_rather_than_ignored() {
        let mut wrong = demo();
        wrong["service-code"] = serde_json::json!([]);
        assert!(order(wrong).unwrap_err().to_string().contains("service-code"));
    }
}
