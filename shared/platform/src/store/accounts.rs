//! What a tenant has set up.

use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::service_code::{ServiceCode, ServiceCodeProfile};
use domain::tenant::TenantProfile;
use serde::de::DeserializeOwned;

use super::{Item, TenantStore, get_text, text};
use crate::Error;

/// A service code with the account that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceCodeAccount {
    /// The account.
    pub tenant: TenantProfile,
    /// The code.
    pub code: ServiceCodeProfile,
}

impl TenantStore<'_> {
    /// What the tenant says of itself.
    pub async fn profile(&self) -> Result<TenantProfile, Error> {
        let got = self
            .store
            .dynamodb
            .get_item()
            .table_name(self.store.accounts_table()?)
            .key("pk", text(self.tenant.id().as_str()))
            .key("sk", text("profile"))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed("reading an account")(error.into_service_error()))?;
        got.item.as_ref().map_or(Err(Error::NotFound), read)
    }

    /// A service code as it is set up at this moment, with its account; in one operation.
    pub async fn service_code(&self, code: &ServiceCode) -> Result<Option<ServiceCodeAccount>, Error> {
        let table = self.store.accounts_table()?;
        let tenant = self.tenant.id().as_str();
        let code_key = code_key(code);
        let key = |sk: &str| Item::from([("pk".to_owned(), text(tenant)), ("sk".to_owned(), text(sk))]);
        let keys = KeysAndAttributes::builder()
            .keys(key("profile"))
            .keys(key(&code_key))
            .consistent_read(true)
            .build()
            .map_err(Error::failed("reading a service code"))?;
        let got = self
            .store
            .dynamodb
            .batch_get_item()
            .request_items(table, keys)
            .send()
            .await
            .map_err(|error| Error::failed("reading a service code")(error.into_service_error()))?;
        if got.unprocessed_keys().is_some_and(|left| !left.is_empty()) {
            return Err(Error::Failed { doing: "reading a service code", source: "DynamoDB is throttling".into() });
        }
        let items = got.responses.and_then(|mut tables| tables.remove(table)).unwrap_or_default();
        let find = |sk: &str| items.iter().find(|item| get_text(item, "sk").is_ok_and(|found| found == sk));
        match (find("profile"), find(&code_key)) {
            (Some(tenant), Some(code)) => Ok(Some(ServiceCodeAccount { tenant: read(tenant)?, code: read(code)? })),
            _ => Ok(None),
        }
    }
}

pub(super) fn code_key(code: &ServiceCode) -> String {
    format!("code#{}", code.as_str())
}

/// Settings are one JSON attribute: they are read and written whole.
pub(super) fn read<T: DeserializeOwned>(item: &Item) -> Result<T, Error> {
    serde_json::from_str(get_text(item, "settings")?).map_err(Error::failed("reading an account's settings"))
}
