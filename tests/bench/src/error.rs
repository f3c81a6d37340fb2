//! What can go wrong while measuring.

use std::fmt;
use std::io;

/// A sentence that says what did not work.
#[derive(Debug)]
pub struct Error(String);

impl Error {
    /// `who` `what`: `why`.
    pub fn say(who: &str, what: &str, why: &dyn fmt::Display) -> Self {
        Self(format!("{who} {what}: {why}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}
