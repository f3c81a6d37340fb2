//! Which human check a tenant has set up, and what a consumer's form needs to know before it is shown or taken.
//!
//! | sort | holds |
//! |---|---|
//! | `human-check` | who is asked, as JSON in `settings`; `secret`, sealed; `version`. Without `settings` there is none |

use std::collections::HashMap;
use std::fmt;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use domain::audit::Entry;
use domain::human_check::Settings;
use domain::service_code::{ServiceCode, ServiceCodeProfile};
use domain::tenant::TenantProfile;
use zeroize::Zeroizing;

use super::accounts::{code_key, read};
use super::audit::Written;
use super::settings::Versioned;
use super::{Item, TenantStore, damaged, number, text};
use crate::Error;
use crate::seal::{Place, SubjectSalt};

/// Where it lies beside the tenant's profile.
const SORT: &str = "human-check";

/// What a consumer's form needs of its tenant: everything in one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormAccount {
    /// The account.
    pub tenant: TenantProfile,
    /// The service code.
    pub code: ServiceCodeProfile,
    /// The human check, where one is set up and can be read.
    pub check: Option<CheckAccount>,
    /// Whether one is set up that cannot be read. Requests are taken all the same.
    pub check_is_damaged: bool,
}

/// A human check with its secret, still sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct CheckAccount {
    /// Who is asked, and how.
    pub settings: Settings,
    sealed: Vec<u8>,
}

impl fmt::Debug for CheckAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckAccount").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl CheckAccount {
    fn read(item: &Item) -> Result<Option<Self>, Error> {
        if !item.contains_key("settings") {
            return Ok(None);
        }
        let sealed = item.get("secret").and_then(|secret| secret.as_b().ok()).ok_or_else(|| damaged("secret"))?;
        Ok(Some(Self { settings: read(item)?, sealed: sealed.as_ref().to_vec() }))
    }
}

impl TenantStore<'_> {
    /// A service code with its account and the account's human check, as they are at this moment; in one operation.
    pub async fn form_account(&self, code: &ServiceCode) -> Result<Option<FormAccount>, Error> {
        let code = code_key(code);
        let items = self.account_items(&["profile", &code, SORT], "reading a form's account").await?;
        let (Some(profile), Some(code)) = (items.get("profile"), items.get(&code)) else { return Ok(None) };
        let check = items.get(SORT).map(CheckAccount::read).transpose();
        let check_is_damaged = check.is_err();
        let check = check.ok().flatten().flatten();
        Ok(Some(FormAccount { tenant: read(profile)?, code: read(code)?, check, check_is_damaged }))
    }

    /// The secret of a human check.
    pub async fn human_check_secret(&self, check: &CheckAccount) -> Result<Zeroizing<String>, Error> {
        let keys = self.keys().await?;
        let (salt, place) = self.secret_place();
        let opened = keys.open(&salt, place, &check.sealed)?;
        let secret = str::from_utf8(&opened).map_err(Error::failed("reading a human check's secret"))?;
        Ok(Zeroizing::new(secret.to_owned()))
    }

    /// The human check as it is set up, without its secret; with version 0 where there never was one.
    pub async fn human_check(&self) -> Result<Versioned<Option<Settings>>, Error> {
        let got = self
            .store
            .dynamodb
            .get_item()
            .table_name(self.store.accounts_table()?)
            .key("pk", text(self.tenant.id().as_str()))
            .key("sk", text(SORT))
            .projection_expression("settings, version")
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed("reading the human check")(error.into_service_error()))?;
        let Some(item) = got.item else { return Ok(Versioned { value: None, version: 0 }) };
        let value = if item.contains_key("settings") { Some(read(&item)?) } else { None };
        let version = item.get("version").and_then(|version| version.as_n().ok()?.parse().ok());
        Ok(Versioned { value, version: version.ok_or_else(|| damaged("version"))? })
    }

    /// Sets up a human check. Without a new secret the one that is there stays. `Conflict` where somebody has changed it
    /// since this version, or where there is no secret to stay.
    pub async fn save_human_check(
        &self,
        seen: u64,
        settings: &Settings,
        secret: Option<&str>,
        entry: &Entry,
    ) -> Result<(), Error> {
        let settings = serde_json::to_string(settings).map_err(Error::failed("writing the human check"))?;
        let mut values = HashMap::from([(":settings".to_owned(), text(settings))]);
        let (set, there) = match secret {
            Some(secret) => {
                let keys = self.keys().await?;
                let (salt, place) = self.secret_place();
                let sealed = keys.seal(&salt, place, secret.as_bytes())?;
                values.insert(":secret".to_owned(), AttributeValue::B(Blob::new(sealed)));
                ("SET settings = :settings, secret = :secret, version = :next", None)
            }
            None => ("SET settings = :settings, version = :next", Some("attribute_exists(secret)")),
        };
        self.change_human_check(seen, set, there, values, entry).await
    }

    /// Takes the human check away, its secret with it. `Conflict` where somebody has changed it since this version.
    pub async fn remove_human_check(&self, seen: u64, entry: &Entry) -> Result<(), Error> {
        let change = "SET version = :next REMOVE settings, secret";
        self.change_human_check(seen, change, None, HashMap::new(), entry).await
    }

    async fn change_human_check(
        &self,
        seen: u64,
        change: &str,
        there: Option<&str>,
        mut values: HashMap<String, AttributeValue>,
        entry: &Entry,
    ) -> Result<(), Error> {
        values.insert(":next".to_owned(), number(seen + 1));
        let unchanged = if seen == 0 {
            "attribute_not_exists(version)"
        } else {
            values.insert(":seen".to_owned(), number(seen));
            "version = :seen"
        };
        let condition = there.map_or_else(|| unchanged.to_owned(), |there| format!("{unchanged} AND {there}"));
        let update = Update::builder()
            .table_name(self.store.accounts_table()?)
            .key("pk", text(self.tenant.id().as_str()))
            .key("sk", text(SORT))
            .update_expression(change)
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .build()
            .map_err(Error::failed("writing the human check"))?;
        let change = TransactWriteItem::builder().update(update).build();
        match self.write_audited(&[change], entry).await? {
            Written::Done => Ok(()),
            Written::Refused(_) => Err(Error::Conflict),
        }
    }

    fn secret_place(&self) -> (SubjectSalt, Place<'_>) {
        let pk = self.tenant.id().as_str();
        (SubjectSalt::of_place(pk, SORT), Place { table: "accounts", pk, sk: SORT, attribute: "secret" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_was_taken_away_is_none_and_one_without_its_secret_is_damaged() {
        let settings = r#"{"provider": "turnstile", "site-key": "1x00000000000000000000AA"}"#;
        let secret = AttributeValue::B(Blob::new([1, 2, 3]));
        let item = |names: &[&str]| {
            let all = [("version", number(3)), ("settings", text(settings)), ("secret", secret.clone())];
            let some = all.into_iter().filter(|(name, _)| names.contains(name));
            some.map(|(name, value)| (name.to_owned(), value)).collect::<Item>()
        };
        assert!(CheckAccount::read(&item(&["version"])).unwrap().is_none());
        assert!(CheckAccount::read(&item(&["version", "settings"])).is_err());
        let check = CheckAccount::read(&item(&["version", "settings", "secret"])).unwrap().unwrap();
        assert_eq!(check.sealed, [1, 2, 3]);
        assert!(!format!("{check:?}").contains("sealed"));
    }
}
