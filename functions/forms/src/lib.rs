//! What consumers meet on the web: one module per function.
//!
//! | module | route | who calls it | what comes next |
//! |---|---|---|---|
//! | [`confirmation`] | `GET` `POST /forms/confirmation/{ticket}` | whoever got the mail about a request | `status` |
//! | [`gpc`] | `GET /.well-known/gpc.json` | whoever asks if the preference signal is honoured | – |

pub mod confirmation;
pub mod gpc;
pub mod human;
