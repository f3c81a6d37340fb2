//! What consumers meet on the web: one module per function.
//!
//! | module | route | who calls it | what comes next |
//! |---|---|---|---|
//! | [`form`] | `GET /forms/{code}` | somebody with a request, on our page or inside a business's own | [`requests`] |
//! | [`requests`] | `POST`, `OPTIONS /forms/{code}/requests` | the form; a listed site | the receipt, on the page and by mail |
//! | [`confirmation`] | `GET` `POST /forms/confirmation/{ticket}` | whoever got the mail about a request | `status` |
//! | [`embed`] | `GET /forms/{code}/embed.js` | a business's own site | [`form`], framed |
//! | [`notice`] | `GET /privacy-notice/{code}` | whoever wants to know what a business collects; its own site | [`form`] |
//! | [`status`] | `GET` `POST /status` | whoever has the numbers of a request | [`identity`] |
//! | [`identity`] | `GET` `POST /status/identity` | whoever looked a request up | [`case`] |
//! | [`case`] | `GET` `POST /status/case` | whoever has shown that the request is theirs | [`file`](mod@file), [`photo_id`] |
//! | [`file`](mod@file) | `GET /status/file/{ticket}` | `case` | – |
//! | [`photo_id`] | `GET /status/photo-id` | `case` | S3, and back to `case` |
//! | [`gpc`] | `GET /.well-known/gpc.json` | whoever asks if the preference signal is honoured | – |
//! | [`privacy_choices`] | `GET` `POST /privacy-choices/{code}` | "Your Privacy Choices" on the business's site; its own form | – |
//! | [`signal`] | `POST` `OPTIONS /privacy-choices/{code}/signal` | the script on the business's site (`embed.js`), where the browser sends the opt-out preference signal | – |
//!
//! What they share: `site`, whose page it is; [`human`], telling people from programs; `form_texts` and `choices_texts`, what
//! the form and the page of choices say; `opting_out`, how a choice and a signal are written down; `looking`, `whose`, `counting` and `case_texts`, the same for the pages of a request.

pub mod case;
pub mod confirmation;
pub mod embed;
pub mod file;
pub mod form;
pub mod gpc;
pub mod human;
pub mod identity;
pub mod notice;
pub mod photo_id;
pub mod privacy_choices;
pub mod requests;
pub mod signal;
pub mod status;

mod case_texts;
mod choices_texts;
mod counting;
mod form_texts;
mod looking;
mod opting_out;
mod site;
mod whose;
