//! The text telephone: a caller's telephone and Twilio's side of a call in one, for tests and for people.
//!
//! A [`Line`] knows the hotline's address and credentials (`target/local/stack.json`). [`Line::dial`] places a call, and
//! [`Call::talk`] runs it to its end with a [`Caller`] who hears what is said and presses keys, speaks or hangs up. What
//! comes back is the call's [`Transcript`]: what was said, every document, how it ended, and everything in which the
//! hotline broke Twilio's rules.
//!
//! | module | holds |
//! |---|---|
//! | [`stack`] | where the hotline is: the part of `stack.json` that a telephone needs |
//! | [`line`](mod@line) | signed webhooks as Twilio sends them, within its 15 seconds and 64 kB |
//! | [`document`] | a TwiML document read into its verbs |
//! | [`caller`] | who calls: a script, a random caller, or any closure |
//! | [`call`] | the interpreter: Say, Play, Pause, Gather, Record, Redirect, Hangup, Reject |
//! | [`transcript`] | what came of it |
//!
//! Time is simulated: a call with a six-minute message takes as long as its webhooks.
//!
//! ```no_run
//! use phone::{CallOptions, Line, Script};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let line = Line::open("target/local/stack.json")?;
//! let mut caller = Script::keys(["1", "42#", "1", "1", "1"]);
//! let transcript = line.dial(CallOptions::default()).talk(&mut caller).await;
//! assert!(transcript.heard("reference number"));
//! assert!(transcript.violations.is_empty(), "{transcript}");
//! # Ok(())
//! # }
//! ```
//!
//! Twilio's behaviour is that of <https://www.twilio.com/docs/voice/twiml> and of its real requests; error codes are those of
//! its "Error and Warning Dictionary".

pub mod call;
pub mod caller;
pub mod document;
pub mod line;
pub mod stack;
pub mod transcript;

pub use call::{Call, CallOptions, Callbacks, Order, Repeats, Same};
pub use caller::{Caller, Do, Prompt, Random, Script, Speech, Then, WaitingFor};
pub use line::{Answer, Line, Method, Signature, Webhook};
pub use stack::Stack;
pub use transcript::{Ended, Step, Transcript, Violation};
