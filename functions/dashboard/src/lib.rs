//! The dashboard: one module per route.

pub mod audit;
pub mod audit_export;
pub mod greeting;
pub mod log;
pub mod report;
pub mod service_code;
pub mod service_codes;
pub mod settings;
pub mod team;
pub mod usage;

mod setup;
mod sound;
