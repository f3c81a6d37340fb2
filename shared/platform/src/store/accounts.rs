//! What a tenant has set up.

use std::collections::BTreeMap;

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
        let item = self.account_item("profile", "reading an account").await?;
        item.as_ref().map_or(Err(Error::NotFound), read)
    }

    /// A service code as it is set up at this moment, with its account; in one operation.
    pub async fn service_code(&self, code: &ServiceCode) -> Result<Option<ServiceCodeAccount>, Error> {
        let code = code_key(code);
        let items = self.account_items(&["profile", &code], "reading a service code").await?;
        match (items.get("profile"), items.get(&code)) {
            (Some(tenant), Some(code)) => Ok(Some(ServiceCodeAccount { tenant: read(tenant)?, code: read(code)? })),
            _ => Ok(None),
        }
    }

    /// One of the account's items.
    pub(super) async fn account_item(&self, sk: &str, doing: &'static str) -> Result<Option<Item>, Error> {
        let got = self
            .store
            .dynamodb
            .get_item()
            .table_name(self.store.accounts_table()?)
            .key("pk", text(self.tenant.id().as_str()))
            .key("sk", text(sk))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed(doing)(error.into_service_error()))?;
        Ok(got.item)
    }

    /// Those of some of the account's items that are there, by their sort keys; in one operation.
    pub(super) async fn account_items(
        &self,
        sks: &[&str],
        doing: &'static str,
    ) -> Result<BTreeMap<String, Item>, Error> {
        let (table, tenant) = (self.store.accounts_table()?, self.tenant.id().as_str());
        let keys = sks.iter().map(|sk| Item::from([("pk".to_owned(), text(tenant)), ("sk".to_owned(), text(*sk))]));
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys.collect()))
            .consistent_read(true)
            .build()
            .map_err(Error::failed(doing))?;
        let got = self
            .store
            .dynamodb
            .batch_get_item()
            .request_items(table, keys)
            .send()
            .await
            .map_err(|error| Error::failed(doing)(error.into_service_error()))?;
        if got.unprocessed_keys().is_some_and(|left| !left.is_empty()) {
            return Err(Error::Failed { doing, source: "DynamoDB is throttling".into() });
        }
        let items = got.responses.and_then(|mut tables| tables.remove(table)).unwrap_or_default();
        items.into_iter().map(|item| Ok((get_text(&item, "sk")?.to_owned(), item))).collect()
    }
}

pub(super) fn code_key(code: &ServiceCode) -> String {
    format!("code#{}", code.as_str())
}

/// Settings are one JSON attribute: they are read and written whole.
pub(super) fn read<T: DeserializeOwned>(item: &Item) -> Result<T, Error> {
    serde_json::from_str(get_text(item, "settings")?).map_err(Error::failed("reading an account's settings"))
}
