//! The dashboard: one module per route.

pub mod greeting;
pub mod service_code;
pub mod service_codes;

mod setup;
mod sound;
