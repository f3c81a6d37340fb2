//! The dashboard: one module per route.
//!
//! | the request desk | is |
//! |---|---|
//! | [`overview`] | what is open, what is due, how it goes |
//! | [`requests`], [`bulk`] | the inbox, its search, one decision for many requests |
//! | [`request`], [`act`] | one request, and a decision on it |
//! | [`note`], [`attach`], [`attachment`], [`recording`] | what is kept beside a request |
//! | [`new_request`] | a request that came in other than by telephone |
//! | [`export`], [`record`](mod@record) | requests as a table, and one as a document |

pub mod act;
pub mod attach;
pub mod attachment;
pub mod bulk;
mod case;
mod desk_texts;
pub mod export;
mod file_type;
mod links;
pub mod new_request;
pub mod note;
pub mod overview;
pub mod record;
pub mod recording;
pub mod request;
pub mod requests;
