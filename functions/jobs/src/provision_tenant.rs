//! `jobs-provision-tenant`: sets up a tenant from one JSON document; the same document again changes nothing.

use std::collections::BTreeSet;

use domain::audit::{Act, Entry, Who};
use domain::email::EmailAddress;
use domain::field_error::FieldError;
use domain::job::Job;
use domain::language::Language;
use domain::phone::E164;
use domain::role::Role;
use domain::service_code::{ServiceCode, ServiceCodeProfile};
use domain::tenant::TenantProfile;
use domain::user::{Preferences, UserId, UserProfile, UserState};
use jiff::SignedDuration;
use partners::stripe::CustomerId;
use platform::mail::Letter;
use platform::store::{NewUser, Provision, new_user_id};
use platform::tenant::Tenant;
use platform::{App, Error};
use serde::{Deserialize, Serialize};

use crate::reconcile_usage::next_night;

/// What every tenant has on the agenda from its first day; each of these jobs enters its own next time.
const DAILY: [Job; 3] = [Job::SendReports, Job::SendReminders, Job::Retention];

/// Nothing is due any sooner at a tenant that has just begun.
const FIRST_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// How long an invitation is good.
const INVITATION_LIVES: SignedDuration = SignedDuration::from_hours(72);

/// The document. `platform` alone sets up the operator's own account.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Order {
    /// The operator's own account, for calls that never reach a tenant.
    Platform {},
    /// A tenant.
    Tenant(Box<TenantOrder>),
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
    /// Whether this takes the place of what is there already. Else what was changed since in the dashboard stays.
    #[serde(default)]
    pub replace: bool,
    /// Who invites the others.
    #[serde(default)]
    pub owner: Option<OwnerOrder>,
    /// Who it is at Stripe. Without it, now and before, its usage is kept until somebody says.
    #[serde(default)]
    pub stripe_customer: Option<CustomerId>,
}

/// The first person of a tenant's team.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OwnerOrder {
    /// Where the invitation goes, and what they sign in with.
    pub email: EmailAddress,
    /// Their name; they can change it.
    pub name: String,
    /// The language of the invitation.
    pub language: Language,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Done {
    /// The tenant's id, for logs and keys.
    pub tenant: String,
    /// The owner's invitation, as it was mailed; none where they have accepted one, or none was asked for.
    pub invitation: Option<String>,
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
pub async fn handle(app: &App, order: Order) -> Result<Done, Error> {
    let order = match order {
        Order::Platform {} => {
            let platform = app.store.provision_platform().await?;
            // It holds Twilio's whole list against the ledger, and enters those whom it meets there.
            let night = next_night(app.clock.now());
            app.store.of(&platform).arrange(Job::ReconcileUsage, night, "").await?;
            return Ok(Done { tenant: platform.id().to_string(), invitation: None });
        }
        Order::Tenant(order) => *order,
    };
    check(&order).map_err(|errors| {
        let reasons: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Error::invalid("tenant", reasons.join("; "))
    })?;
    // What the operator closed stays so until they open it: the document would take the place of that, too.
    if let Some(tenant) = app.store.tenant_of_slug(&order.slug).await? {
        match app.store.of(&tenant).settings().await {
            Ok(settings) if !settings.value.closure.is_open() => {
                return Err(Error::invalid("tenant", "The account is closed. Open it first: make reopen-account."));
            }
            // Whoever set it up and died before the account was written sets it up again.
            Ok(_) | Err(Error::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    let numbers = order.numbers.into_iter().map(|dedicated| (dedicated.number, dedicated.service_code)).collect();
    let wanted = Provision {
        slug: order.slug,
        profile: order.profile,
        service_codes: order.service_codes,
        numbers,
        replace: order.replace,
        owner: order.owner.as_ref().map(|owner| owner.email.clone()),
        stripe_customer: order.stripe_customer,
    };
    let tenant = app.store.provision(&wanted).await?;
    for job in DAILY {
        app.store.of(&tenant).arrange(job, app.clock.now() + FIRST_AFTER, "").await?;
    }
    let invitation = match &order.owner {
        Some(owner) => invite(app, &tenant, &wanted.profile.name, owner).await?,
        None => None,
    };
    Ok(Done { tenant: tenant.id().to_string(), invitation })
}

/// Invites the owner, or once more if they have not come yet. `Conflict` where their address is of another tenant.
async fn invite(app: &App, tenant: &Tenant, tenant_name: &str, owner: &OwnerOrder) -> Result<Option<String>, Error> {
    let (store, now) = (app.store.of(tenant), app.clock.now());
    let user = match app.store.sign_in_name(owner.email.as_str()).await? {
        Some((theirs, _)) if theirs != *tenant => return Err(Error::Conflict),
        Some((_, user)) => {
            let account = store.user(&user).await?.ok_or(Error::NotFound)?;
            if account.state != UserState::Invited {
                return Ok(None);
            }
            user
        }
        None => enter(app, tenant, owner).await?,
    };
    let token = store.make_invitation(&user, now, INVITATION_LIVES).await?;
    let link = format!("{}/dashboard/invitation/{token}", app.config.public_base_url()?);
    app.post(&Letter::Invitation {
        to: owner.email.clone(),
        language: owner.language,
        tenant_name: tenant_name.to_owned(),
        invited_by: None,
        link: link.clone(),
    })
    .await?;
    Ok(Some(link))
}

async fn enter(app: &App, tenant: &Tenant, owner: &OwnerOrder) -> Result<UserId, Error> {
    let (id, at) = (new_user_id()?, app.clock.now());
    let profile =
        UserProfile { name: owner.name.clone(), language: owner.language, preferences: Preferences::default() };
    let entry = Entry::new(at, Who::Operator, Act::Invited).on("user", id.as_str()).with("role", Role::Owner.code());
    let new = NewUser { id: &id, email: &owner.email, role: Role::Owner, profile: &profile, at };
    app.store.of(tenant).invite_user(&new, &entry).await?;
    Ok(id)
}

fn check(order: &TenantOrder) -> Result<(), Vec<FieldError>> {
    let mut errors = vec![];
    let slug_fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if order.slug.is_empty() || order.slug.len() > 64 || !order.slug.chars().all(slug_fits) {
        errors.push(FieldError::new("slug", "Use 1 to 64 of a-z, 0-9 and the hyphen."));
    }
    errors.extend(order.profile.validate().err().into_iter().flatten());
    if !order.profile.closure.is_open() {
        errors.push(FieldError::new("profile.closure", "Accounts are closed by make close-account."));
    }
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
    if let Some(owner) = &order.owner
        && (owner.name.trim().is_empty() || owner.name.chars().count() > 100)
    {
        errors.push(FieldError::new("owner.name", "Use 1 to 100 characters."));
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
    fn an_owner_needs_an_address_that_mail_can_be_sent_to() {
        let mut wanted = demo();
        wanted["owner"] = serde_json::json!({"email": "ana@shop.example", "name": "Ana", "language": "es"});
        assert_eq!(check(&order(wanted.clone()).unwrap()), Ok(()));
        wanted["owner"]["email"] = "ana".into();
        assert!(order(wanted).is_err());
    }

    #[test]
    fn a_stripe_customer_is_one_of_stripes_identifiers() {
        let mut wanted = demo();
        wanted["stripe-customer"] = "cus_QXg1o8vcGmoR32".into();
        assert!(order(wanted.clone()).unwrap().stripe_customer.is_some());
        wanted["stripe-customer"] = "mtr_1".into();
        assert!(order(wanted).is_err());
    }

    #[test]
    fn a_misspelt_field_is_refused_rather_than_ignored() {
        let mut wrong = demo();
        wrong["service-code"] = serde_json::json!([]);
        assert!(order(wrong).unwrap_err().to_string().contains("service-code"));
    }
}
