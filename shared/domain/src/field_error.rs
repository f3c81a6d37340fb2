//! What is wrong with a field, in words for the person who filled it in.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One field that cannot be accepted, and why.
///
/// `field` is the name used in the stored and submitted form, with dots for nesting (`greetings.es`).
/// `reason` is a sentence that can be shown beside the field; it never repeats the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FieldError {
    /// The field's name.
    pub field: String,
    /// What to change.
    pub reason: String,
}

impl FieldError {
    /// Names the field and what to change about it.
    #[must_use]
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.reason)
    }
}

/// `Ok` when nothing was found wrong.
pub(crate) fn none_of(errors: Vec<FieldError>) -> Result<(), Vec<FieldError>> {
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Says what is wrong with a name that people will read or hear, if anything is.
pub(crate) fn wrong_with_name(name: &str) -> Option<&'static str> {
    if name.trim().is_empty() {
        Some("Enter a name.")
    } else if name.chars().count() > 100 {
        Some("Use at most 100 characters.")
    } else if name.chars().any(char::is_control) {
        Some("Use one line of plain text.")
    } else {
        None
    }
}
