//! What Optline's functions cost, in time, memory and calls to AWS, measured without an emulator in the way.
//!
//! | module | what it is for |
//! |---|---|
//! | [`sandbox`] | one function as Lambda runs it: its process and its Runtime API |
//! | [`aws`] | AWS on loopback, which answers after a fixed delay and counts |
//! | [`gate`] | where a call waits until somebody says what becomes of it |
//! | [`hotline`] | all functions of `template.yaml` together, and whole calls placed through them |
//! | [`gateway`] | requests and answers as API Gateway hands them on |
//! | [`webhook`], [`twiml`], [`template`] | what Twilio sends, where its documents lead, what is deployed |
//! | [`dashboard`], [`stock`] | somebody signs in and looks at the inbox, however many requests there are |
//! | [`closing`], [`stripe`] | a day's usage is closed, for however many tenants and calls |
//! | [`forms`] | somebody opens the web form and sends it |
//! | [`person`] | somebody who joins a team and uses its pages |
//! | [`browser`] | what a browser sends, and the forms of the pages it gets |
//! | [`peers`] | the same steps in Node and Python |
//! | [`measure`], [`stats`] | subjects in turns, medians and percentiles |
//! | [`targets`], [`price`] | what the figures are held against, and what a call costs |
//! | [`report`], [`picture`] | tables, JSON and SVG |

pub mod aws;
pub mod browser;
pub mod closing;
pub mod dashboard;
pub mod error;
pub mod forms;
pub mod gate;
pub mod gateway;
pub mod hotline;
pub mod measure;
pub mod peers;
pub mod person;
pub mod picture;
pub mod price;
pub mod report;
pub mod sandbox;
pub mod stats;
pub mod stock;
pub mod stripe;
pub mod targets;
pub mod template;
pub mod twiml;
pub mod webhook;

pub use error::Error;
