//! Twilio Programmable Voice, in the order of a call.
//!
//! | module | what it is for |
//! |---|---|
//! | [`signature`] | proof that a webhook came from Twilio; nothing else happens before it |
//! | [`twiml`] | the answer to a webhook: what the caller hears next |
//! | [`rest`] | recordings and transcriptions fetched and deleted, messages sent |
//! | [`sid`] | the identifiers that Twilio gives to all of these |

pub mod rest;
pub mod sid;
pub mod signature;
pub mod twiml;

pub use sid::{AccountSid, CallSid, MessageSid, RecordingSid, TranscriptionSid};
