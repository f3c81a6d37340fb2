//! Tenants' root keys: stored wrapped, unwrapped by KMS at first use, forgotten after ten minutes.

use std::sync::Arc;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use futures::future::try_join_all;
use partners::twilio::RecordingSid;
use zeroize::Zeroizing;

use super::{Store, TenantStore, get_parsed, text};
use crate::Error;
use crate::config::required;
use crate::seal::{SubjectSalt, TenantKeys};
use crate::tenant::TenantId;

impl TenantStore<'_> {
    /// The tenant's keys: nothing when warm, else one query and one KMS call per version.
    pub async fn keys(&self) -> Result<Arc<TenantKeys>, Error> {
        let (store, tenant) = (self.store, self.tenant.id());
        let now = store.clock.now();
        if let Some(keys) = store.keys.get(tenant, now) {
            return Ok(keys);
        }
        let wrapped = store
            .dynamodb
            .query()
            .table_name(store.keys_table()?)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(root_key(tenant)))
            .send()
            .await
            .map_err(|error| Error::failed("reading a tenant's keys")(error.into_service_error()))?;
        let roots = wrapped.items().iter().map(|item| async {
            let version: u32 = get_parsed(item, "sk", |sk| sk.parse().ok())?;
            let blob = item.get("wrapped").and_then(|value| value.as_b().ok()).cloned().unwrap_or(Blob::new([]));
            Ok::<_, Error>((version, store.unwrap(tenant, version, blob).await?))
        });
        let keys = Arc::new(TenantKeys::new(tenant.clone(), try_join_all(roots).await?)?);
        store.keys.put(&keys, now);
        Ok(keys)
    }
}

impl TenantStore<'_> {
    /// The salt of one recording's key, made at first use. Destroying it makes the recording unreadable everywhere.
    pub async fn recording_salt(&self, recording: &RecordingSid) -> Result<SubjectSalt, Error> {
        let salt = SubjectSalt::random()?;
        let put = self
            .store
            .dynamodb
            .put_item()
            .table_name(self.store.keys_table()?)
            .item("pk", text(salt_key(self.tenant.id(), recording.as_str())))
            .item("sk", text("salt"))
            .item("salt", AttributeValue::B(Blob::new(salt.as_bytes())))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match put.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(salt),
            Err(PutItemError::ConditionalCheckFailedException(failed)) => {
                let there = failed.item.unwrap_or_default();
                let bytes = there.get("salt").and_then(|value| value.as_b().ok()).map(AsRef::as_ref);
                SubjectSalt::try_from(bytes.unwrap_or_default())
            }
            Err(error) => Err(Error::failed("keeping a recording's salt")(error)),
        }
    }
}

impl Store {
    async fn unwrap(&self, tenant: &TenantId, version: u32, wrapped: Blob) -> Result<Zeroizing<Vec<u8>>, Error> {
        let opened = self
            .kms
            .decrypt()
            .key_id(required(self.kms_key.as_deref(), "KMS_KEY is not set")?)
            .encryption_context("tenant", tenant.as_str())
            .encryption_context("ver", version.to_string())
            .ciphertext_blob(wrapped)
            .send()
            .await
            .map_err(|error| Error::failed("unwrapping a tenant's key")(error.into_service_error()))?;
        Ok(Zeroizing::new(opened.plaintext.map(Blob::into_inner).unwrap_or_default()))
    }

    /// Makes a tenant's first root key; one that is there already stays. Nobody sees the key itself here.
    pub(super) async fn make_root_key(&self, tenant: &TenantId) -> Result<(), Error> {
        let version = 1;
        let made = self
            .kms
            .generate_data_key_without_plaintext()
            .key_id(required(self.kms_key.as_deref(), "KMS_KEY is not set")?)
            .key_spec(DataKeySpec::Aes256)
            .encryption_context("tenant", tenant.as_str())
            .encryption_context("ver", version.to_string())
            .send()
            .await
            .map_err(|error| Error::failed("making a tenant's key")(error.into_service_error()))?;
        let put = self
            .dynamodb
            .put_item()
            .table_name(self.keys_table()?)
            .item("pk", text(root_key(tenant)))
            .item("sk", text(format!("{version:08}")))
            .item("wrapped", AttributeValue::B(made.ciphertext_blob.unwrap_or(Blob::new([]))))
            .item("made_at", text(self.clock.now().to_string()))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await;
        match put.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(()),
            Err(error) => Err(Error::failed("storing a tenant's key")(error)),
        }
    }
}

pub(super) fn root_key(tenant: &TenantId) -> String {
    format!("root#{tenant}")
}

/// Where the salt of one consumer record, or of one recording, lies.
pub(super) fn salt_key(tenant: &TenantId, record: &str) -> String {
    format!("salt#{tenant}#{record}")
}
