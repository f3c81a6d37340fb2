//! What consumers meet on the web: one module per function.
//!
//! | module | route | who calls it | what comes next |
//! |---|---|---|---|
//! | [`gpc`] | `GET /.well-known/gpc.json` | whoever asks if the preference signal is honoured | – |
//! | [`privacy_choices`] | `GET` `POST /privacy-choices/{code}` | "Your Privacy Choices" on the business's site; its own form | – |
//! | [`signal`] | `POST` `OPTIONS /privacy-choices/{code}/signal` | the script on the business's site (`embed.js`), where the browser sends the opt-out preference signal | – |

pub mod gpc;
pub mod privacy_choices;
pub mod signal;

mod choices_texts;
mod form_texts;
mod opting_out;
mod signal_notice;
mod site;
