//! What is left of a closed account at its end: found, and erased, step by step.
//!
//! Each step can be gone through again. Requests go first, each in its own way; then what is known of calls and people; the
//! account itself goes in one transaction with the proof; and last, what opens anything that still has a copy somewhere. What
//! stays is the audit trail, sealed by a key that is no more, and the ledger with its batches and who the tenant is at Stripe:
//! numbers of calls and minutes, for the books.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{Delete, TransactWriteItem};
use domain::audit::Entry;
use domain::reference::Reference;
use futures::future::try_join_all;
use jiff::civil::Date;

use super::audit::Written;
use super::keys::root_key;
use super::retention::{Erasing, KeptRequest};
use super::tallies::{COUNTED, KEPT};
use super::users::user_key;
use super::{Account, TenantStore, directory, get_text, text};
use crate::Error;

/// A tenant's requests lie in so many partitions.
pub const SHARDS: u32 = 100;
/// So many items go at once.
const AT_ONCE: usize = 25;
/// What an account keeps for the books.
const BILLING: &str = "billing";
/// What goes last.
const PROFILE: &str = "profile";

/// What a tenant has in a table of everybody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Counts of requests, how far counting is, and what stays of requests that are gone.
    Tallies,
    /// Which requests came in.
    News,
    /// Who was reminded of what.
    Reminded,
}

impl Rest {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Tallies, Self::News, Self::Reminded];
}

impl TenantStore<'_> {
    /// The numbers of the first requests of a shard; none where none is left.
    pub async fn stored_requests(&self, shard: u32) -> Result<Vec<Reference>, Error> {
        let found = self
            .store
            .dynamodb
            .query()
            .table_name(self.store.requests_table()?)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(self.shard(shard)))
            .projection_expression("sk")
            .limit(200)
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed("looking for requests")(error.into_service_error()))?;
        // What lies beside a request has its number in front.
        let numbers = found.items().iter().map(|item| {
            let sk = get_text(item, "sk")?;
            Reference::parse(sk.split('#').next().unwrap_or(sk)).map_err(Error::failed("looking for requests"))
        });
        let numbers: BTreeSet<String> =
            numbers.map(|it| it.map(|it| it.as_str().to_owned())).collect::<Result<_, Error>>()?;
        numbers.iter().map(|it| Reference::parse(it).map_err(Error::failed("looking for requests"))).collect()
    }

    /// How many requests of a shard are under a legal hold.
    pub async fn held_requests(&self, shard: u32) -> Result<u64, Error> {
        let (mut held, mut after) = (0, None);
        loop {
            let found = self
                .store
                .dynamodb
                .query()
                .table_name(self.store.requests_table()?)
                .key_condition_expression("pk = :pk")
                .filter_expression("attribute_exists(held_at)")
                .expression_attribute_values(":pk", text(self.shard(shard)))
                .projection_expression("sk")
                .consistent_read(true)
                .set_exclusive_start_key(after)
                .send()
                .await
                .map_err(|error| Error::failed("looking for legal holds")(error.into_service_error()))?;
            held += found.items().len() as u64;
            after = found.last_evaluated_key;
            if after.is_none() {
                return Ok(held);
            }
        }
    }

    /// Claims a request of an account that goes, wherever it stands; nothing where it is held.
    pub async fn claim_at_the_end(&self, kept: &KeptRequest, today: Date) -> Result<Option<Erasing>, Error> {
        self.claim(kept, today, "attribute_exists(pk)").await
    }

    /// Takes somebody of the team out for good: where they are signed in, by what they sign in, who they are. The account goes
    /// last, so that a crash leaves what the rest is found by.
    pub async fn erase_user(&self, account: &Account) -> Result<(), Error> {
        let (_, sessions) = account.live.only(None, jiff::Timestamp::MIN);
        for session in sessions {
            match self.drop_session(&account.id, &session).await {
                Ok(()) | Err(Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        self.free("sign-in", &account.email.normalized()).await?;
        self.free("passkey-user", &account.handle.to_string()).await?;
        self.delete_from(self.store.accounts_table()?, self.tenant.id().as_str(), &[user_key(&account.id)]).await
    }

    /// Frees what the operator calls it by.
    pub async fn free_slug(&self, slug: &str) -> Result<(), Error> {
        self.free("tenant", slug).await
    }

    /// Erases what an account was set up with, after what finds it is freed: service codes and numbers. The profile stays, and
    /// what the books need.
    pub async fn erase_settings(&self) -> Result<(), Error> {
        let (table, pk) = (self.store.accounts_table()?, self.tenant.id().as_str());
        let all = self.keys_under(table, pk).await?;
        let going: Vec<String> = all.into_iter().filter(|sk| sk != PROFILE && sk != BILLING).collect();
        for sk in &going {
            match sk.split_once('#') {
                Some(("code", code)) => self.free("service-code", code).await?,
                Some(("number", number)) => self.free("number", number).await?,
                _ => {}
            }
        }
        self.delete_from(table, pk, &going).await
    }

    /// Erases what the tenant has among everybody's.
    pub async fn erase_rest(&self, rest: Rest) -> Result<(), Error> {
        let tenant = self.tenant.id();
        let (table, prefixes): (_, &[&str]) = match rest {
            Rest::Tallies => (self.store.tallies_table()?, &["", COUNTED, KEPT]),
            Rest::News => (self.store.agenda_table()?, &["news#"]),
            Rest::Reminded => (self.store.agenda_table()?, &["reminded#"]),
        };
        for prefix in prefixes {
            let pk = format!("{prefix}{tenant}");
            let keys = self.keys_under(table, &pk).await?;
            self.delete_from(table, &pk, &keys).await?;
        }
        Ok(())
    }

    /// Erases the account itself, in one transaction with the proof. One that is gone already needs none.
    pub async fn erase_account(&self, proof: &Entry) -> Result<(), Error> {
        let delete = Delete::builder()
            .table_name(self.store.accounts_table()?)
            .key("pk", text(self.tenant.id().as_str()))
            .key("sk", text(PROFILE))
            .condition_expression("attribute_exists(pk)")
            .build()
            .map_err(Error::failed("erasing an account"))?;
        match self.write_audited(&[TransactWriteItem::builder().delete(delete).build()], proof).await? {
            Written::Done | Written::Refused(_) => Ok(()),
        }
    }

    /// Destroys the tenant's root keys. Nothing that it sealed can be opened any more, wherever a copy lies.
    pub async fn erase_root_keys(&self) -> Result<(), Error> {
        let (table, pk) = (self.store.keys_table()?, root_key(self.tenant.id()));
        let versions = self.keys_under(table, &pk).await?;
        self.delete_from(table, &pk, &versions).await
    }

    fn shard(&self, shard: u32) -> String {
        format!("{}#{shard:02}", self.tenant.id())
    }

    /// Frees an entry of the directory, if it is this tenant's.
    async fn free(&self, kind: &str, value: &str) -> Result<(), Error> {
        let freed = self
            .store
            .dynamodb
            .delete_item()
            .table_name(self.store.directory_table()?)
            .key("pk", text(directory::key(kind, value)))
            .condition_expression("tenant = :tenant")
            .expression_attribute_values(":tenant", text(self.tenant.id().as_str()))
            .send()
            .await;
        match freed.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            // It is nobody's, or another's by now.
            Err(error) if error.is_conditional_check_failed_exception() => Ok(()),
            Err(error) => Err(Error::failed("freeing an entry of the directory")(error)),
        }
    }

    async fn keys_under(&self, table: &str, pk: &str) -> Result<Vec<String>, Error> {
        let (mut keys, mut after) = (vec![], None);
        loop {
            let found = self
                .store
                .dynamodb
                .query()
                .table_name(table)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", text(pk))
                .projection_expression("sk")
                .consistent_read(true)
                .set_exclusive_start_key(after)
                .send()
                .await
                .map_err(|error| Error::failed("looking for what is left")(error.into_service_error()))?;
            for item in found.items() {
                keys.push(get_text(item, "sk")?.to_owned());
            }
            after = found.last_evaluated_key;
            if after.is_none() {
                return Ok(keys);
            }
        }
    }

    async fn delete_from(&self, table: &str, pk: &str, keys: &[String]) -> Result<(), Error> {
        for some in keys.chunks(AT_ONCE) {
            let delete = |sk: &String| {
                self.store.dynamodb.delete_item().table_name(table).key("pk", text(pk)).key("sk", text(sk)).send()
            };
            let gone = try_join_all(some.iter().map(delete)).await;
            gone.map_err(|error| Error::failed("erasing what is left")(error.into_service_error()))?;
        }
        Ok(())
    }
}
