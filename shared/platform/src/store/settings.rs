//! What the dashboard edits: the account, its service codes and their greetings.
//!
//! | sort | holds |
//! |---|---|
//! | `profile` | the account, as JSON in `settings`; `version` |
//! | `code#` code | a service code, as JSON in `settings`; `version` |
//! | `greeting#` code `#` language `#` time | a greeting that was saved |
//!
//! Two people may edit the same thing: each says which version they saw, and the second is told. Every change is one
//! transaction with the audit entry that tells of it, and the next call hears it, because the hotline reads these very
//! items.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use domain::audit::Entry;
use domain::language::Language;
use domain::service_code::{Greeting, GreetingVersion, ServiceCode, ServiceCodeProfile};
use domain::tenant::TenantProfile;
use domain::user::UserId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::accounts::{code_key, read};
use super::audit::Written;
use super::directory::key;
use super::{Item, TenantStore, number, text};
use crate::Error;

/// How many earlier greetings a page offers.
const HISTORY: i32 = 20;
/// Who saved a greeting that was there before the dashboard changed it.
const OPERATOR: &str = "operator";

/// Settings with the version that whoever edits them saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The settings.
    pub value: T,
    /// Grows with every change.
    pub version: u64,
}

/// What a list of service codes shows of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceCodeLine {
    /// The code.
    pub code: ServiceCode,
    /// What it stands for.
    pub name: String,
    /// Whether calls are taken under it.
    pub active: bool,
    /// The languages, the preferred one first.
    pub languages: Vec<Language>,
    /// How many kinds of request it takes.
    pub kinds: usize,
    /// The languages in which a recording is played.
    pub recorded: Vec<Language>,
}

/// A greeting of the history, as its page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastGreeting {
    /// When it was saved; `None` where it was there before the first change.
    pub at: Option<Timestamp>,
    /// What callers heard.
    pub greeting: Greeting,
}

impl TenantStore<'_> {
    /// The account.
    pub async fn settings(&self) -> Result<Versioned<TenantProfile>, Error> {
        let item = self.settings_item("profile").await?.ok_or(Error::NotFound)?;
        Ok(Versioned { value: read(&item)?, version: version(&item) })
    }

    /// Writes the account. `Conflict` where somebody has changed it since this version.
    pub async fn save_settings(&self, seen: u64, profile: &TenantProfile, entry: &Entry) -> Result<(), Error> {
        let change = self.change_settings("profile", seen, profile)?;
        match self.write_audited(&[change], entry).await? {
            Written::Done => Ok(()),
            Written::Refused(_) => Err(Error::Conflict),
        }
    }

    /// The service codes in the order of their digits.
    pub async fn service_codes(&self) -> Result<Vec<ServiceCodeLine>, Error> {
        let (mut lines, mut after) = (vec![], None);
        loop {
            let found = self
                .store
                .dynamodb
                .query()
                .table_name(self.store.accounts_table()?)
                .key_condition_expression("pk = :pk AND begins_with(sk, :code)")
                .expression_attribute_values(":pk", text(self.tenant.id().as_str()))
                .expression_attribute_values(":code", text("code#"))
                .projection_expression("settings")
                .consistent_read(true)
                .set_exclusive_start_key(after)
                .send()
                .await
                .map_err(|error| Error::failed("listing service codes")(error.into_service_error()))?;
            for item in found.items() {
                lines.push(line(read::<ServiceCodeProfile>(item)?));
            }
            after = found.last_evaluated_key;
            if after.is_none() {
                return Ok(lines);
            }
        }
    }

    /// A service code as it is set up. `NotFound` where it is not this tenant's.
    pub async fn service_code_settings(&self, code: &ServiceCode) -> Result<Versioned<ServiceCodeProfile>, Error> {
        let item = self.settings_item(&code_key(code)).await?.ok_or(Error::NotFound)?;
        Ok(Versioned { value: read(&item)?, version: version(&item) })
    }

    /// Adds a service code. `Conflict` where anybody has it already.
    pub async fn create_service_code(
        &self,
        profile: &ServiceCodeProfile,
        by: &UserId,
        entry: &Entry,
    ) -> Result<(), Error> {
        let claim = Put::builder()
            .table_name(self.store.directory_table()?)
            .item("pk", text(key("service-code", profile.code.as_str())))
            .item("tenant", text(self.tenant.id().as_str()))
            .condition_expression("attribute_not_exists(pk)");
        let settings = Put::builder()
            .table_name(self.store.accounts_table()?)
            .item("pk", text(self.tenant.id().as_str()))
            .item("sk", text(code_key(&profile.code)))
            .item("settings", text(json(profile)?))
            .item("version", number(1))
            .condition_expression("attribute_not_exists(pk)");
        let mut changes = vec![put(claim.build())?, put(settings.build())?];
        for (language, greeting) in &profile.greetings {
            changes.push(self.put_greeting(&profile.code, *language, entry.at, by.as_str(), greeting)?);
        }
        match self.write_audited(&changes, entry).await? {
            Written::Done => Ok(()),
            Written::Refused(_) => Err(Error::Conflict),
        }
    }

    /// Writes a service code, and every greeting that is new into its history. `Conflict` where somebody has changed it
    /// since this version.
    pub async fn save_service_code(
        &self,
        before: &Versioned<ServiceCodeProfile>,
        profile: &ServiceCodeProfile,
        by: &UserId,
        entry: &Entry,
    ) -> Result<(), Error> {
        let code = &before.value.code;
        let mut changes = vec![self.change_settings(&code_key(code), before.version, profile)?];
        for (language, greeting) in &profile.greetings {
            let old = before.value.greetings.get(language);
            if old == Some(greeting) {
                continue;
            }
            // What was set up with the account is in no history yet.
            if let Some(old) = old
                && self.greeting_history(code, *language, 1).await?.is_empty()
            {
                changes.push(self.put_greeting(code, *language, Timestamp::UNIX_EPOCH, OPERATOR, old)?);
            }
            changes.push(self.put_greeting(code, *language, entry.at, by.as_str(), greeting)?);
        }
        match self.write_audited(&changes, entry).await? {
            Written::Done => Ok(()),
            Written::Refused(_) => Err(Error::Conflict),
        }
    }

    /// The greetings that were saved, the newest first.
    pub async fn greetings(&self, code: &ServiceCode, language: Language) -> Result<Vec<PastGreeting>, Error> {
        self.greeting_history(code, language, HISTORY).await
    }

    async fn greeting_history(
        &self,
        code: &ServiceCode,
        language: Language,
        limit: i32,
    ) -> Result<Vec<PastGreeting>, Error> {
        let found = self
            .store
            .dynamodb
            .query()
            .table_name(self.store.accounts_table()?)
            .key_condition_expression("pk = :pk AND begins_with(sk, :greeting)")
            .expression_attribute_values(":pk", text(self.tenant.id().as_str()))
            .expression_attribute_values(":greeting", text(greeting_key(code, language, "")))
            .projection_expression("settings")
            .scan_index_forward(false)
            .limit(limit)
            .send()
            .await
            .map_err(|error| Error::failed("reading a greeting's history")(error.into_service_error()))?;
        let past = |saved: GreetingVersion| PastGreeting {
            at: (saved.at != Timestamp::UNIX_EPOCH).then_some(saved.at),
            greeting: saved.greeting,
        };
        found.items().iter().map(|item| read::<GreetingVersion>(item).map(past)).collect()
    }

    async fn settings_item(&self, sk: &str) -> Result<Option<Item>, Error> {
        let got = self
            .store
            .dynamodb
            .get_item()
            .table_name(self.store.accounts_table()?)
            .key("pk", text(self.tenant.id().as_str()))
            .key("sk", text(sk))
            .projection_expression("settings, version")
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed("reading settings")(error.into_service_error()))?;
        Ok(got.item)
    }

    fn change_settings(&self, sk: &str, seen: u64, settings: &impl Serialize) -> Result<TransactWriteItem, Error> {
        let update = Update::builder()
            .table_name(self.store.accounts_table()?)
            .key("pk", text(self.tenant.id().as_str()))
            .key("sk", text(sk))
            .update_expression("SET settings = :settings, version = :next")
            // An item without a version was written when there were none.
            .condition_expression(if seen == 0 {
                "attribute_exists(pk) AND attribute_not_exists(version)"
            } else {
                "version = :seen"
            })
            .set_expression_attribute_values(Some(values(seen, json(settings)?)))
            .build()
            .map_err(Error::failed("writing settings"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn put_greeting(
        &self,
        code: &ServiceCode,
        language: Language,
        at: Timestamp,
        by: &str,
        greeting: &Greeting,
    ) -> Result<TransactWriteItem, Error> {
        let saved = GreetingVersion { at, by: by.to_owned(), greeting: greeting.clone() };
        // Of one length, so that they sort by time.
        let time = format!("{:015}", at.as_millisecond());
        let item = Put::builder()
            .table_name(self.store.accounts_table()?)
            .item("pk", text(self.tenant.id().as_str()))
            .item("sk", text(greeting_key(code, language, &time)))
            .item("settings", text(json(&saved)?));
        put(item.build())
    }
}

fn line(profile: ServiceCodeProfile) -> ServiceCodeLine {
    let recorded = |language: &Language| matches!(profile.greetings.get(language), Some(Greeting::Audio { .. }));
    ServiceCodeLine {
        recorded: profile.languages.iter().copied().filter(recorded).collect(),
        code: profile.code,
        name: profile.name,
        active: profile.active,
        kinds: profile.kinds.len(),
        languages: profile.languages,
    }
}

fn values(seen: u64, settings: String) -> HashMap<String, AttributeValue> {
    let mut values = HashMap::from([(":settings".to_owned(), text(settings)), (":next".to_owned(), number(seen + 1))]);
    if seen > 0 {
        values.insert(":seen".to_owned(), number(seen));
    }
    values
}

fn put(built: Result<Put, aws_sdk_dynamodb::error::BuildError>) -> Result<TransactWriteItem, Error> {
    built.map(|put| TransactWriteItem::builder().put(put).build()).map_err(Error::failed("writing settings"))
}

fn json(settings: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(settings).map_err(Error::failed("writing settings"))
}

fn version(item: &Item) -> u64 {
    item.get("version").and_then(|version| version.as_n().ok()?.parse().ok()).unwrap_or(0)
}

fn greeting_key(code: &ServiceCode, language: Language, time: &str) -> String {
    format!("greeting#{}#{}#{time}", code.as_str(), language.code())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_shows_of_a_service_code_what_it_shows_and_no_more() {
        let stored = serde_json::json!({
            "code": "42", "name": "Shop", "active": true, "languages": ["es", "en"], "kinds": ["opt-out", "delete"],
            "greetings": {"en": {"text": "Welcome."}, "es": {"audio": {"file": format!("{}.mp3", "0a".repeat(32))}}},
            "web-form": null,
        });
        let shown = line(serde_json::from_value(stored).unwrap());
        assert_eq!((shown.name.as_str(), shown.active, shown.kinds), ("Shop", true, 2));
        assert_eq!(shown.languages, [Language::Spanish, Language::English]);
        assert_eq!(shown.recorded, [Language::Spanish]);
    }

    #[test]
    fn greetings_sort_by_time_and_those_of_another_code_are_not_among_them() {
        let code = |digits| ServiceCode::parse(digits).unwrap();
        let key = |digits, ms: i64| greeting_key(&code(digits), Language::English, &format!("{ms:015}"));
        assert!(key("4", 0) < key("4", 999_999_999_999));
        assert!(key("4", 999_999_999_999) < key("4", 1_795_291_200_000));
        assert!(!key("42", 1).starts_with(&greeting_key(&code("4"), Language::English, "")));
    }

    #[test]
    fn settings_without_a_version_are_the_first() {
        assert_eq!(version(&Item::new()), 0);
        assert_eq!(version(&Item::from([("version".to_owned(), number(7))])), 7);
        assert!(!values(0, String::new()).contains_key(":seen"));
    }
}
