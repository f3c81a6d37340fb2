//! x
pub mod aws;
pub mod error;
pub mod sandbox;
pub mod webhook;

pub use error::Error;
