//! What consumers meet on the web: one module per function.
//!
//! | module | route | who calls it | what comes next |
//! |---|---|---|---|
//! | [`form`] | `GET /forms/{code}` | somebody with a request, on our page or inside a business's own | [`requests`] |
//! | [`requests`] | `POST`, `OPTIONS /forms/{code}/requests` | the form; a listed site | the receipt, on the page and by mail |
//! | [`confirmation`] | `GET` `POST /forms/confirmation/{ticket}` | whoever got the mail about a request | `status` |
//! | [`embed`] | `GET /forms/{code}/embed.js` | a business's own site | [`form`], framed |
//! | [`notice`] | `GET /privacy-notice/{code}` | whoever wants to know what a business collects; its own site | [`form`] |
//! | [`gpc`] | `GET /.well-known/gpc.json` | whoever asks if the preference signal is honoured | – |
//!
//! What they share: `site`, whose page it is; [`human`], telling people from programs; `form_texts`, what the form says.

pub mod confirmation;
pub mod embed;
pub mod form;
mod form_texts;
pub mod gpc;
pub mod human;
pub mod notice;
pub mod requests;
mod site;
