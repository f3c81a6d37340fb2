//! What consumers meet on the web: one module per function.
//!
//! | module | route | who calls it | what comes next |
//! |---|---|---|---|
//! | [`form`] | `GET /forms/{code}` | somebody with a request, on our page or inside a business's own | [`requests`] |
//! | [`requests`] | `POST`, `OPTIONS /forms/{code}/requests` | the form; a listed site | the receipt, on the page and by mail |
//! | [`embed`] | `GET /forms/{code}/embed.js` | a business's own site | [`form`], framed |
//! | [`gpc`] | `GET /.well-known/gpc.json` | whoever asks if the preference signal is honoured | – |
//!
//! What they share: `site`, whose page it is, and `form_texts`, what the form says.

pub mod embed;
pub mod form;
mod form_texts;
pub mod gpc;
pub mod requests;
mod site;
