//! AWS and the edges: everything between the pure [`domain`] and the world.
//!
//! | module | what it is for |
//! |---|---|
//! | [`edge`] | one file per kind of caller: verify, translate, log once, answer |
//! | [`app`] | what a handler is given: clients, clock, ids, made once per process |
//! | [`call`] | the state of a telephone call, sealed in its action URLs |
//! | [`tenant`] | the proof that a tenant was looked up; the only way to its data |
//! | [`store`] | the only place that knows item shapes, keys and expressions |
//! | [`seal`] | field encryption with a root key per tenant and a key per consumer record |
//! | [`session`] | who is signed in, and the proof of what they may do |
//! | [`ticket`] | small sealed texts that a browser or a mail carries for us |
//! | [`consumer`] | consumers who looked a request up, and those who have shown that it is theirs |
//! | [`queue`], [`blob`], [`mail`], [`text`] | SQS, S3, SES and SNS |
//! | [`digest`] | letters about many requests at once |
//! | [`file_type`] | what a file is, by its content |
//! | [`secrets`], [`config`], [`aws`], [`clock`], [`log`], [`error`] | the rest of the furniture |

pub mod app;
pub mod aws;
pub mod blob;
pub mod call;
pub mod clock;
pub mod config;
pub mod consumer;
pub mod digest;
pub mod edge;
pub mod error;
pub mod file_type;
pub mod log;
pub mod mail;
mod photos;
pub mod queue;
pub mod seal;
pub mod secrets;
pub mod session;
pub mod store;
pub mod tenant;
pub mod text;
pub mod ticket;

pub use app::App;
pub use error::Error;
