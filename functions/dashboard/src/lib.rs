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

mod ceremony;
mod choosing;
mod entering;
mod noting;
mod recovery_codes;
mod telling;
mod tries;

#[cfg(test)]
mod fixtures;
