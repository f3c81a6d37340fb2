//! The hotline: one Lambda per step of a call.
//!
//! | step | route | asks | goes on to |
//! |---|---|---|---|
//! | [`answer`] | `POST /voice/answer` | language | [`language`] |
//! | [`language`] | `POST /voice/language/{call}` | service code (none on a dedicated number) | [`service_code`] |
//! | [`service_code`] | `POST /voice/service-code/{call}` | plays the greeting; what the caller wants | [`request_kind`] |
//! | [`request_kind`] | `POST /voice/request-kind/{call}` | which number the business knows | [`contact`], [`status`] |
//! | [`contact`] | `POST /voice/contact/{call}` | what the kind needs, and no more | [`name`], [`details`], [`review`] |
//! | [`name`] | `POST /voice/name/{call}` | the name, recorded | [`details`], [`review`] |
//! | [`details`] | `POST /voice/details/{call}` | the matter, recorded | [`review`] |
//! | [`review`] | `POST /voice/review/{call}` | is this right? | [`submit`], [`request_kind`] |
//! | [`submit`] | `POST /voice/submit/{call}` | nothing: says the reference number and the date | the end |
//! | [`status`] | `POST /voice/status/{call}` | the reference number | the end |
//! | [`greeting`] | `GET /voice/greeting/{file}` | | |
//! | [`recording`], [`transcription`], [`call_status`] | `POST /voice/…` | nobody is on the line | a queue |
//! | [`fallback`] | `POST /voice/fallback` | takes a message when something is broken | the end |
//!
//! `{call}` is the call's state, sealed ([`platform::call`]). A step answers its own question: it is asked by the step
//! before, and asked again, in other words, by the step itself. Silence arrives as the action without `Digits`.

pub mod answer;
pub mod call_status;
pub mod contact;
pub mod details;
pub mod fallback;
pub mod greeting;
pub mod language;
pub mod name;
pub mod recording;
pub mod request_kind;
pub mod review;
pub mod service_code;
pub mod status;
pub mod submit;
pub mod transcription;

mod filing;
mod heard;
mod line;
mod texts;
