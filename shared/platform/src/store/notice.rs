//! What a business tells of what it collects, under each of its service codes.
//!
//! | sort | holds |
//! |---|---|
//! | `notice#` code | the notice, as JSON in `settings`; `version` |

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use domain::audit::Entry;
use domain::notice::Notice;
use domain::service_code::{ServiceCode, ServiceCodeProfile};
use domain::tenant::TenantProfile;

use super::accounts::{code_key, read};
use super::audit::Written;
use super::settings::Versioned;
use super::{TenantStore, damaged, number, text};
use crate::Error;

/// What a notice's page is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeAccount {
    /// The account.
    pub tenant: TenantProfile,
    /// The service code.
    pub code: ServiceCodeProfile,
    /// What its business has written; version 0 where it has written nothing yet.
    pub notice: Versioned<Option<Notice>>,
}

impl TenantStore<'_> {
    /// A service code with its account and its notice, in one operation. Nothing where the code is not this tenant's.
    pub async fn notice_account(&self, code: &ServiceCode) -> Result<Option<NoticeAccount>, Error> {
        let (code, notice) = (code_key(code), notice_key(code));
        let items = self.account_items(&["profile", &code, &notice], "reading a notice").await?;
        let (Some(profile), Some(code)) = (items.get("profile"), items.get(&code)) else { return Ok(None) };
        let notice = match items.get(&notice) {
            Some(item) => {
                let version = item.get("version").and_then(|version| version.as_n().ok()?.parse().ok());
                Versioned { value: Some(read(item)?), version: version.ok_or_else(|| damaged("version"))? }
            }
            None => Versioned { value: None, version: 0 },
        };
        Ok(Some(NoticeAccount { tenant: read(profile)?, code: read(code)?, notice }))
    }

    /// Writes a notice. `Conflict` where somebody has changed it since this version. The code must have been looked up
    /// before: it is this tenant's.
    pub async fn save_notice(
        &self,
        code: &ServiceCode,
        seen: u64,
        notice: &Notice,
        entry: &Entry,
    ) -> Result<(), Error> {
        let settings = serde_json::to_string(notice).map_err(Error::failed("writing a notice"))?;
        let mut values =
            HashMap::from([(":settings".to_owned(), text(settings)), (":next".to_owned(), number(seen + 1))]);
        let condition = if seen == 0 {
            "attribute_not_exists(pk)"
        } else {
            values.insert(":seen".to_owned(), number(seen));
            "version = :seen"
        };
        let update = Update::builder()
            .table_name(self.store.accounts_table()?)
            .key("pk", text(self.tenant.id().as_str()))
            .key("sk", text(notice_key(code)))
            .update_expression("SET settings = :settings, version = :next")
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .build()
            .map_err(Error::failed("writing a notice"))?;
        let change = TransactWriteItem::builder().update(update).build();
        match self.write_audited(&[change], entry).await? {
            Written::Done => Ok(()),
            Written::Refused(_) => Err(Error::Conflict),
        }
    }
}

fn notice_key(code: &ServiceCode) -> String {
    format!("notice#{}", code.as_str())
}
