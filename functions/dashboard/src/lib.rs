//! The dashboard: one module per route.
//!
//! | module | route | who calls it | what comes next |
//! |---|---|---|---|
//! | [`account`] | `GET` `POST /dashboard/account` | whoever is signed in | – |
//! | [`asset`] | `GET /dashboard/asset/{file}` | every page | – |
//! | [`confirm`] | `GET` `POST /dashboard/confirm` | whoever signed in a while ago, before something delicate | the page they wanted |
//! | [`factors`] | `GET` `POST /dashboard/factors` | whoever is signed in, freshly | – |
//! | [`invitation`] | `GET` `POST /dashboard/invitation/{ticket}` | whoever got the mail | `overview` |
//! | [`new_password`] | `GET` `POST /dashboard/new-password/{ticket}` | whoever got the mail | `sign-in` |
//! | [`passkey`] | `POST /dashboard/passkey` | the script of `sign-in` | the page they wanted |
//! | [`reset`] | `GET` `POST /dashboard/reset` | whoever forgot their password | a mail, then `new-password` |
//! | [`second_factor`] | `GET` `POST /dashboard/second-factor` | whoever has shown their password | the page they wanted |
//! | [`sessions`] | `GET` `POST /dashboard/sessions` | whoever is signed in | – |
//! | [`sign_in`] | `GET` `POST /dashboard/sign-in` | anybody | `second-factor` |
//! | [`sign_out`] | `POST /dashboard/sign-out` | whoever is signed in | `sign-in` |
//!
//! The request desk:
//!
//! | module | route | who calls it | what comes next |
//! |---|---|---|---|
//! | [`overview`] | `GET /dashboard/overview`, `/dashboard` | whoever is signed in | – |
//! | [`requests`] | `GET` `POST /dashboard/requests` | the menu; its own search | `request` |
//! | [`bulk`] | `POST /dashboard/bulk` | `requests` | – |
//! | [`request`] | `GET /dashboard/request/{reference}` | `requests`, `overview` | – |
//! | [`act`] | `POST /dashboard/act/{reference}` | `request` | `request` |
//! | [`message`] | `POST /dashboard/message/{reference}` | `request` | `request` |
//! | [`note`] | `POST /dashboard/note/{reference}` | `request` | `request` |
//! | [`attach`] | `POST /dashboard/attach/{reference}` | `request` | `request` |
//! | [`attachment`] | `GET /dashboard/attachment/{ticket}` | `request` | – |
//! | [`recording`] | `GET /dashboard/recording/{ticket}` | the player of `request` | – |
//! | [`hold`] | `POST /dashboard/hold/{reference}` | `request`; owners and managers | `request` |
//! | [`recycle_bin`] | `GET` `POST /dashboard/recycle-bin` | `requests`; owners and managers | `request` |
//! | [`new_request`] | `GET` `POST /dashboard/new-request` | `requests` | `request` |
//! | [`export`] | `GET` `POST /dashboard/export` | `requests` | – |
//! | [`record`](mod@record) | `GET /dashboard/record/{reference}` | `request` | – |
//!
//! Setup and proof:
//!
//! | module | route | who calls it | what comes next |
//! |---|---|---|---|
//! | [`service_codes`] | `GET /dashboard/service-codes` | whoever is signed in | `service-code` |
//! | [`service_code`] | `GET` `POST /dashboard/service-code/{code}` | whoever is signed in; owners and managers save | `greeting` |
//! | [`notice`] | `GET` `POST /dashboard/notice/{code}` | `service-code`; owners and managers save | – |
//! | [`greeting`] | `GET` `POST /dashboard/greeting/{code}` | owners and managers | S3, and back |
//! | [`team`] | `GET` `POST /dashboard/team` | owners, freshly | a mail, then `invitation` |
//! | [`settings`] | `GET` `POST /dashboard/settings` | whoever is signed in; owners and managers save | – |
//! | [`unsubscribe`] | `GET` `POST /dashboard/unsubscribe/{ticket}` | whoever wants no more of a sort of mail, or their mail program | – |
//! | [`usage`] | `GET /dashboard/usage` | whoever is signed in | `settlement`, `statement` |
//! | [`settlement`] | `GET` `POST /dashboard/settlement/{line}` | owners, freshly | `usage` |
//! | [`statement`] | `GET /dashboard/statement` | owners and managers, freshly | a file |
//! | [`audit`] | `GET /dashboard/audit` | owners and managers | `audit-export` |
//! | [`audit_export`] | `GET` `POST /dashboard/audit-export` | owners and managers, freshly | a file |
//! | [`report`] | `GET /dashboard/report` | whoever is signed in | `request-log`, a file |
//! | [`request_log`] | `GET /dashboard/request-log` | whoever is signed in | a file |

pub mod account;
pub mod asset;
pub mod confirm;
pub mod factors;
pub mod invitation;
pub mod new_password;
pub mod passkey;
pub mod reset;
pub mod second_factor;
pub mod sessions;
pub mod sign_in;
pub mod sign_out;

pub mod act;
pub mod attach;
pub mod attachment;
pub mod bulk;
pub mod export;
pub mod hold;
pub mod message;
pub mod new_request;
pub mod note;
pub mod overview;
pub mod record;
pub mod recording;
pub mod recycle_bin;
pub mod request;
pub mod requests;

pub mod audit;
pub mod audit_export;
pub mod greeting;
pub mod notice;
pub mod report;
pub mod request_log;
pub mod service_code;
pub mod service_codes;
pub mod settings;
pub mod settlement;
pub mod statement;
pub mod team;
pub mod unsubscribe;
pub mod usage;

mod billing_texts;
mod case;
mod ceremony;
mod choosing;
mod closed;
mod desk_texts;
mod entering;
mod human_check;
mod keeping;
mod links;
mod noting;
mod photos;
mod recovery_codes;
mod setup;
mod sound;
mod telling;
mod tries;

#[cfg(test)]
mod fixtures;
