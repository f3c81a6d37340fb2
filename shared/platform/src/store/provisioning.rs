//! Setting up a tenant: idempotent, so that the same file can be applied again after a change.

use aws_lc_rs::rand;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::email::EmailAddress;
use domain::phone::E164;
use domain::service_code::{ServiceCode, ServiceCodeProfile};
use domain::tenant::TenantProfile;
use partners::stripe::CustomerId;
use serde::Serialize;

use super::accounts::code_key;
use super::directory::{key, owner};
use super::{Store, number, text};
use crate::Error;
use crate::tenant::Tenant;

/// Everything that a tenant starts with.
#[derive(Clone, Debug)]
pub struct Provision {
    /// The operator's name for the tenant; the same name is the same tenant.
    pub slug: String,
    /// Its account.
    pub profile: TenantProfile,
    /// Its service codes.
    pub service_codes: Vec<ServiceCodeProfile>,
    /// Numbers of its own, each with the service code that it reaches.
    pub numbers: Vec<(E164, ServiceCode)>,
    /// Whether this takes the place of what is there. Else what the tenant has changed since in the dashboard stays.
    pub replace: bool,
    /// The address of its owner, which must not be of another tenant's team.
    pub owner: Option<EmailAddress>,
    /// Who it is at Stripe: nobody else may be the same, or Stripe's sums would explain neither's.
    pub stripe_customer: Option<CustomerId>,
}

impl Store {
    /// Sets up a tenant, or changes what it was set up with. `Conflict`, and nothing written, where a service code,
    /// a number or a Stripe customer is another's.
    pub async fn provision(&self, wanted: &Provision) -> Result<Tenant, Error> {
        self.check_claims(wanted).await?;
        let tenant = self.claim_slug(&wanted.slug).await?;
        self.make_root_key(tenant.id()).await?;
        self.put_settings(&tenant, "profile".to_owned(), &wanted.profile, wanted.replace).await?;
        if let Some(customer) = &wanted.stripe_customer {
            self.claim("stripe-customer", customer.as_str(), &tenant, None).await?;
            self.of(&tenant).set_stripe_customer(customer).await?;
        }
        for profile in &wanted.service_codes {
            self.claim("service-code", profile.code.as_str(), &tenant, None).await?;
            self.put_settings(&tenant, code_key(&profile.code), profile, wanted.replace).await?;
        }
        for (number, code) in &wanted.numbers {
            self.claim("number", number.as_str(), &tenant, Some(code)).await?;
            // By this it is found again when the account ends.
            self.put_settings(&tenant, format!("number#{}", number.as_str()), code, true).await?;
        }
        Ok(tenant)
    }

    /// Sets up the operator's own account, under which calls are kept that never reached a tenant.
    pub async fn provision_platform(&self) -> Result<Tenant, Error> {
        let tenant = Tenant::platform();
        self.make_root_key(tenant.id()).await?;
        Ok(tenant)
    }

    /// Looks for what is another's before anything is written; who comes between is caught by [`claim`](Self::claim).
    async fn check_claims(&self, wanted: &Provision) -> Result<(), Error> {
        let codes = wanted.service_codes.iter().map(|profile| ("service-code", profile.code.as_str()));
        let numbers = wanted.numbers.iter().map(|(number, _)| ("number", number.as_str()));
        let mut owners = vec![];
        let email = wanted.owner.as_ref().map(EmailAddress::normalized);
        let email = email.iter().map(|email| ("sign-in", email.as_str()));
        let customer = wanted.stripe_customer.iter().map(|customer| ("stripe-customer", customer.as_str()));
        for (kind, value) in codes.chain(numbers).chain(email).chain(customer) {
            // An address that somebody gave back is nobody's.
            let there = self.look_up(kind, value).await?.filter(|item| item.contains_key("tenant"));
            owners.extend(there.as_ref().map(owner).transpose()?);
        }
        // Last: whoever sets up the same tenant at this moment enters its name first.
        let mine = self.look_up("tenant", &wanted.slug).await?.as_ref().map(owner).transpose()?;
        if owners.iter().all(|owner| Some(owner) == mine.as_ref()) { Ok(()) } else { Err(Error::Conflict) }
    }

    async fn claim_slug(&self, slug: &str) -> Result<Tenant, Error> {
        let tenant = Tenant::trusted(new_id()?);
        match self.claim("tenant", slug, &tenant, None).await {
            Err(Error::Conflict) => {
                let there = self.look_up("tenant", slug).await?.ok_or(Error::Conflict)?;
                owner(&there)
            }
            claimed => claimed.map(|()| tenant),
        }
    }

    /// Enters a value into the directory; one that is this tenant's already is written again.
    async fn claim(&self, kind: &str, value: &str, tenant: &Tenant, code: Option<&ServiceCode>) -> Result<(), Error> {
        let mut put = self
            .dynamodb
            .put_item()
            .table_name(self.directory_table()?)
            .item("pk", text(key(kind, value)))
            .item("tenant", text(tenant.id().as_str()))
            .condition_expression("attribute_not_exists(pk) OR tenant = :tenant")
            .expression_attribute_values(":tenant", text(tenant.id().as_str()));
        if let Some(code) = code {
            put = put.item("code", text(code.as_str()));
        }
        match put.send().await.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Err(Error::Conflict),
            Err(error) => Err(Error::failed("writing the directory")(error)),
        }
    }

    /// Writes what is not there yet; what is there only where the order says so, and only if it differs.
    async fn put_settings(
        &self,
        tenant: &Tenant,
        sk: String,
        settings: &impl Serialize,
        replace: bool,
    ) -> Result<(), Error> {
        let settings = serde_json::to_string(settings).map_err(Error::failed("writing an account's settings"))?;
        let mut put = self
            .dynamodb
            .put_item()
            .table_name(self.accounts_table()?)
            .item("pk", text(tenant.id().as_str()))
            .item("sk", AttributeValue::S(sk))
            .item("settings", AttributeValue::S(settings.clone()))
            // Later than any version that counting up has reached: whoever edits the old settings is told.
            .item("version", number(self.clock.now().as_millisecond()));
        put = if replace {
            put.condition_expression("attribute_not_exists(pk) OR settings <> :settings")
                .expression_attribute_values(":settings", AttributeValue::S(settings))
        } else {
            put.condition_expression("attribute_not_exists(pk)")
        };
        match put.send().await.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(()),
            Err(error) => Err(Error::failed("writing an account's settings")(error)),
        }
    }
}

/// `t-` and 128 random bits in base 32 without look-alikes.
fn new_id() -> Result<String, Error> {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut bytes = [0; 26];
    rand::fill(&mut bytes).map_err(|_| Error::Failed { doing: "drawing an id", source: "refused".into() })?;
    let symbols = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 31)).copied().map(char::from));
    Ok(format!("t-{}", symbols.collect::<String>()))
}
