//! The only place that knows item shapes, keys and expressions.
//!
//! | table | partition | sort | holds |
//! |---|---|---|---|
//! | `directory` | kind of look-up `#` SHA-256 of the value | – | number, service code, call → tenant; nothing else |
//! | `accounts` | tenant | `profile`, `code#…` | what the dashboard edits |
//! | | | `greeting#…` | what a code's callers heard before |
//! | | | `user#…`, `team` | who signs in; see `users` |
//! | | | `number#…` | a number of its own, with the service code that it reaches |
//! | | | `human-check` | who tells people from programs in the forms; its secret is sealed |
//! | | | `billing` | who the tenant is at Stripe |
//! | | | `retention` | how far `jobs-retention` has looked |
//! | | | `notice#…` | what a business tells of what it collects, by service code |
//! | `keys` | `root#` tenant | version | wrapped root keys |
//! | | `salt#` tenant `#` reference or recording | `salt` | what one consumer record's key is derived from |
//! | `requests` | tenant `#` shard of the reference | reference | requests with their events |
//! | | | reference `#note#…`, `#file#…`, `#msg#…` | its notes, what is known of its attachments, messages |
//! | `sessions` | `session#`, `link#`, `used#`, `throttle#`, `code#`, `mail#` and a hash | – | who is signed in, links and codes that are good once, what was used up, counted tries, mails that are sent once; of the web form `throttle#form#` code `#` shard `#` minute, of choices and signals likewise |
//! | `audit` | tenant `#` month | number | the hash-chained trail; functions may only put |
//! | `tallies` | tenant | bucket | counts of requests, kept by `jobs-tally` |
//! | `agenda` | job `#` shard | time `#` tenant `#` what | what is to be done for whom, and not before when |
//! | | `news#` tenant | – | which requests came in, and until where each person was told of them |
//! | | `reminded#` tenant | – | until when people were reminded |
//! | `runs` | job `#` day | time `#` tenant `#` what | what the jobs did |
//! | `usage` | tenant `#` day | call | the ledger: one row per call |
//! | | tenant `#` month | day `#` shard | calls, seconds and minutes of a day, kept with the rows |
//! | | tenant `#` month | `day#…`, `batch#…` | how the day gets to the bill; see `billing` |
//! | | | `check#…`, `list#…` | what nightly comparisons found |
//! | | `identifier#…` | `batch` | whose batch a meter event is of |
//!
//! Data are reached through [`Store::of`] and a [`Tenant`], which only the directory gives:
//!
//! ```compile_fail
//! # async fn f(store: &platform::store::Store, id: &platform::tenant::TenantId) {
//! store.of(id); // an id is not a proof
//! # }
//! ```

mod accounts;
mod agenda;
mod audit;
mod billing;
mod case;
mod closure;
mod codes;
mod confirmation;
mod deadlines;
mod desk;
mod directory;
mod feedback;
mod human_check;
mod inbox;
mod intake;
mod keys;
mod log;
mod messages;
mod news;
mod notice;
mod provisioning;
mod receipt;
mod reconciliation;
mod reminded;
mod requests;
mod retention;
mod runs;
mod sendings;
mod sessions;
mod settings;
mod signal;
mod tallies;
mod usage;
mod users;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::join;

pub use accounts::ServiceCodeAccount;
pub use agenda::{Due, Place as AgendaPlace, SHARDS as AGENDA_SHARDS, Summons};
pub use audit::{FIRST_MONTH, Head, TrailPage, month, months};
pub use billing::{
    AT_ONCE, BillingAccount, CLOSES_AFTER, Halt, IdentifierOwner, Lease, LedgerUnit, Settlement, Taken, UnitsPage,
    Which, closes_at,
};
pub use case::{Declaration, Glance, History, MOST_PHOTOS, OnFile, Past, Photo, Side};
pub use closure::{Rest, SHARDS as REQUEST_SHARDS};
pub use codes::{LIVES as CODE_LIVES, TRIES as CODE_TRIES, Tried, random_digits};
pub use confirmation::Confirmation;
pub use deadlines::{Arrival, DuePage, DuePlace};
pub use desk::{
    Added, Change, Changed, Closed, Colleague, DeskAccount, Dossier, Entered, Hands, KeptFile, NewFile, Note, Opened,
    Person, Spoken, WebForm,
};
pub use directory::{CallOwner, NumberOwner};
pub use feedback::{Dead, Unreachable};
pub use human_check::{CheckAccount, FormAccount};
pub use inbox::{
    Assigned, Contacts, ExportPart, ExportPlace, Filter, InboxPage, Line, Place as InboxPlace, Searched, Standing,
};
pub(crate) use intake::network;
pub use intake::{Counter, Filed, NewFormRequest, Throttled};
pub use log::LogPage;
pub use messages::{AGENT, Author, CONSUMER, Correspondence, Mailbox, Message, NewMessage, Reachable, SentFile};
pub use news::{Came, News, Told};
pub use notice::NoticeAccount;
pub use provisioning::Provision;
pub use receipt::{CONFIRMED_HOW, Unconfirmed};
pub use reconciliation::DayOfBilling;
pub use requests::{Begun, NewRequest, RequestStatus, Said, Submission, Submitted};
pub use retention::{Bookmarks, Erasing, Found, Held, InBin, Keeping, KeptRequest};
pub use runs::{Counts, Outcome, Planning, Run};
pub use sendings::{Again, Sending, Unended};
pub use sessions::{Link, LinkOwner, NewSession};
pub use settings::{PastGreeting, ServiceCodeLine, Versioned};
pub use signal::{NewSignal, OptingOut};
pub use tallies::{Counted, Recounted, StreamRecord, Tallies, week_of};
pub use usage::{DayOfUse, Source as UsageSource};
pub use users::{Account, Member, NewUser, TeamChange, User, new_user_id, sign_in_form};

use crate::Error;
use crate::clock::Clock;
use crate::config::{Config, required};
use crate::seal::KeyCache;
use crate::tenant::{Tenant, TenantId};

/// An item as DynamoDB gives it.
type Item = HashMap<String, AttributeValue>;

/// All tables. What belongs to a tenant is behind [`of`](Self::of).
pub struct Store {
    dynamodb: Client,
    kms: aws_sdk_kms::Client,
    tables: Tables,
    kms_key: Option<String>,
    keys: KeyCache,
    heads: Heads,
    noted: signal::Noted,
    marked: billing::Marked,
    clock: Clock,
}

/// The newest audit entry of each tenant, as far as this process knows; a stale one costs a second try.
#[derive(Debug, Default)]
struct Heads(Mutex<HashMap<TenantId, Head>>);

impl Heads {
    const KEEP_AT_MOST: usize = 1000;

    fn get(&self, tenant: &TenantId) -> Option<Head> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(tenant).cloned()
    }

    fn put(&self, tenant: &TenantId, head: Head) {
        let mut heads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if heads.len() >= Self::KEEP_AT_MOST {
            heads.clear();
        }
        heads.insert(tenant.clone(), head);
    }
}

#[derive(Debug)]
struct Tables {
    directory: Option<String>,
    accounts: Option<String>,
    keys: Option<String>,
    requests: Option<String>,
    usage: Option<String>,
    sessions: Option<String>,
    audit: Option<String>,
    tallies: Option<String>,
    agenda: Option<String>,
    runs: Option<String>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("tables", &self.tables).finish_non_exhaustive()
    }
}

impl Store {
    pub(crate) fn new(dynamodb: Client, kms: aws_sdk_kms::Client, config: &Config, clock: Clock) -> Self {
        Self {
            dynamodb,
            kms,
            tables: Tables {
                directory: config.table_directory.clone(),
                accounts: config.table_accounts.clone(),
                keys: config.table_keys.clone(),
                requests: config.table_requests.clone(),
                usage: config.table_usage.clone(),
                sessions: config.table_sessions.clone(),
                audit: config.table_audit.clone(),
                tallies: config.table_tallies.clone(),
                agenda: config.table_agenda.clone(),
                runs: config.table_runs.clone(),
            },
            kms_key: config.kms_key.clone(),
            keys: KeyCache::default(),
            heads: Heads::default(),
            noted: signal::Noted::default(),
            marked: billing::Marked::default(),
            clock,
        }
    }

    /// One tenant's data.
    #[must_use]
    pub fn of<'a>(&'a self, tenant: &'a Tenant) -> TenantStore<'a> {
        TenantStore { store: self, tenant }
    }

    fn directory_table(&self) -> Result<&str, Error> {
        required(self.tables.directory.as_deref(), "TABLE_DIRECTORY is not set")
    }

    fn accounts_table(&self) -> Result<&str, Error> {
        required(self.tables.accounts.as_deref(), "TABLE_ACCOUNTS is not set")
    }

    fn keys_table(&self) -> Result<&str, Error> {
        required(self.tables.keys.as_deref(), "TABLE_KEYS is not set")
    }

    fn requests_table(&self) -> Result<&str, Error> {
        required(self.tables.requests.as_deref(), "TABLE_REQUESTS is not set")
    }

    fn usage_table(&self) -> Result<&str, Error> {
        required(self.tables.usage.as_deref(), "TABLE_USAGE is not set")
    }

    fn sessions_table(&self) -> Result<&str, Error> {
        required(self.tables.sessions.as_deref(), "TABLE_SESSIONS is not set")
    }

    fn audit_table(&self) -> Result<&str, Error> {
        required(self.tables.audit.as_deref(), "TABLE_AUDIT is not set")
    }

    fn tallies_table(&self) -> Result<&str, Error> {
        required(self.tables.tallies.as_deref(), "TABLE_TALLIES is not set")
    }

    fn agenda_table(&self) -> Result<&str, Error> {
        required(self.tables.agenda.as_deref(), "TABLE_AGENDA is not set")
    }

    fn runs_table(&self) -> Result<&str, Error> {
        required(self.tables.runs.as_deref(), "TABLE_RUNS is not set")
    }

    /// Opens the connections while the function still starts: a look at a key that does not exist.
    pub(crate) async fn warm(&self) {
        let Tables { directory, accounts, keys, requests, usage, sessions, audit: _, tallies, agenda, runs: _ } =
            &self.tables;
        let table =
            [sessions, directory, requests, usage, keys, accounts, tallies, agenda].into_iter().flatten().next();
        let dynamodb = async {
            if let Some(table) = table {
                let mut get = self.dynamodb.get_item().table_name(table).key("pk", text("warm-up"));
                if Some(table) != directory.as_ref() && Some(table) != sessions.as_ref() {
                    get = get.key("sk", text("warm-up"));
                }
                let _ = get.send().await;
            }
        };
        let kms = async {
            if let (Some(key), true) = (&self.kms_key, keys.is_some()) {
                let nothing = aws_sdk_kms::primitives::Blob::new([0_u8; 32]);
                let _ = self.kms.decrypt().key_id(key).ciphertext_blob(nothing).send().await;
            }
        };
        join!(dynamodb, kms);
    }
}

/// What one tenant has. Builds every key itself: no method takes a partition key, an index name or an expression.
#[derive(Clone, Copy)]
pub struct TenantStore<'a> {
    store: &'a Store,
    tenant: &'a Tenant,
}

impl fmt::Debug for TenantStore<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TenantStore").field(self.tenant.id()).finish()
    }
}

/// A string attribute.
fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute.
fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// A string attribute of an item; an item without it is damaged.
fn get_text<'a>(item: &'a Item, name: &'static str) -> Result<&'a str, Error> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str).ok_or_else(|| damaged(name))
}

/// An attribute that reads as what its type says.
fn get_parsed<T>(item: &Item, name: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Error> {
    parse(get_text(item, name)?).ok_or_else(|| damaged(name))
}

fn damaged(attribute: &'static str) -> Error {
    Error::Failed { doing: "reading a stored item", source: format!("{attribute} is missing or damaged").into() }
}
