//! Words about a person: a name, what is to be corrected, a message.
//!
//! Never printed with `Debug`, and without a `Display`, like [`crate::phone::E164`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest text kept, in characters.
const CHARACTERS: usize = 5000;

/// Text that says something about a person.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PersonalText(String);

/// Why a text is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PersonalTextError {
    /// There is nothing in it.
    #[error("nothing was written")]
    Empty,
    /// It is longer than is kept.
    #[error("use at most 5,000 characters")]
    TooLong,
    /// Control characters other than line breaks and tabs.
    #[error("use plain text, without control characters")]
    NotPlain,
}

impl PersonalText {
    /// Reads a text, without the blanks around it and with `\n` for every line break.
    pub fn parse(text: &str) -> Result<Self, PersonalTextError> {
        let text = text.trim().replace("\r\n", "\n").replace('\r', "\n");
        if text.is_empty() {
            return Err(PersonalTextError::Empty);
        }
        if text.chars().count() > CHARACTERS {
            return Err(PersonalTextError::TooLong);
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            return Err(PersonalTextError::NotPlain);
        }
        Ok(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PersonalText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonalText(redacted)")
    }
}

impl TryFrom<String> for PersonalText {
    type Error = PersonalTextError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<PersonalText> for String {
    fn from(text: PersonalText) -> Self {
        text.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_kept_without_the_blanks_around_it_and_never_printed() {
        let text = PersonalText::parse("  Ana María\r\nPérez ").unwrap();
        assert_eq!(text.as_str(), "Ana María\nPérez");
        assert_eq!(format!("{text:?}"), "PersonalText(redacted)");
        assert_eq!(PersonalText::parse(" \n"), Err(PersonalTextError::Empty));
        assert_eq!(PersonalText::parse(&"x".repeat(5001)), Err(PersonalTextError::TooLong));
        assert_eq!(PersonalText::parse("a\u{0}b"), Err(PersonalTextError::NotPlain));
    }

    proptest! {
        #[test]
        fn whatever_is_written_what_is_accepted_is_accepted_again_unchanged(text in any::<String>()) {
            if let Ok(read) = PersonalText::parse(&text) {
                prop_assert_eq!(PersonalText::parse(read.as_str()), Ok(read));
            }
        }
    }
}
