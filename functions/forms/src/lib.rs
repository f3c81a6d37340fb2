//! What consumers meet on the web: one module per function.
//!
//! | module | route | who calls it | what comes next |
//! |---|---|---|---|
//! | [`form`] | `GET /forms/{code}` | somebody with a request, on our page or inside a business's own | [`requests`] |
//! | [`requests`] | `POST`, `OPTIONS /forms/{code}/requests` | the form; a listed site | the receipt, on the page and by mail |
//! | [`confirmation`] | `GET` `POST /forms/confirmation/{ticket}` | whoever got the mail about a request | `status` |
//! | [`embed`] | `GET /forms/{code}/embed.js` | a business's own site | [`form`], framed |
//! | [`gpc`] | `GET /.well-known/gpc.json` | whoever asks if the preference signal is honoured | – |
//! | [`privacy_choices`] | `GET` `POST /privacy-choices/{code}` | "Your Privacy Choices" on the business's site; its own form | – |
//! | [`signal`] | `POST` `OPTIONS /privacy-choices/{code}/signal` | the script on the business's site (`embed.js`), where the browser sends the opt-out preference signal | – |
//!
//! What they share: `site`, whose page it is; [`human`], telling people from programs; `form_texts`, what the form says.

pub mod confirmation;
pub mod embed;
pub mod form;
pub mod gpc;
pub mod human;
pub mod privacy_choices;
pub mod requests;
pub mod signal;

mod choices_texts;
mod form_texts;
mod opting_out;
mod signal_notice;
mod site;
