//! Twilio's identifiers: two letters that name the kind, then 32 hexadecimal digits.
//!
//! The kind is part of the type, so a recording's identifier cannot be passed where a call's is wanted, and what has
//! been parsed is safe to put in a URL. Source: <https://www.twilio.com/docs/glossary/what-is-a-sid>.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A Twilio account (`AC`).
pub type AccountSid = Sid<'A', 'C'>;
/// One telephone call (`CA`).
pub type CallSid = Sid<'C', 'A'>;
/// A text message (`SM`).
pub type MessageSid = Sid<'S', 'M'>;
/// A recording made during a call (`RE`).
pub type RecordingSid = Sid<'R', 'E'>;
/// The transcription of a recording (`TR`).
pub type TranscriptionSid = Sid<'T', 'R'>;

/// An identifier whose first two letters are `A` and `B`.
///
/// ```
/// use partners::twilio::CallSid;
/// assert!(CallSid::parse("CA0123456789abcdef0123456789abcdef").is_ok());
/// assert!(CallSid::parse("RE0123456789abcdef0123456789abcdef").is_err());
/// ```
///
/// ```compile_fail
/// use partners::twilio::{CallSid, RecordingSid};
/// let recording: RecordingSid = CallSid::parse("CA0123456789abcdef0123456789abcdef").unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sid<const A: char, const B: char>(String);

/// Text that is not an identifier of the kind wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a Twilio identifier: {first}{second} and 32 lower-case hexadecimal digits expected")]
pub struct NotASid {
    first: char,
    second: char,
}

impl<const A: char, const B: char> Sid<A, B> {
    /// Reads an identifier; upper-case digits, spaces and other kinds are refused.
    pub fn parse(text: &str) -> Result<Self, NotASid> {
        let digits = text.strip_prefix(A).and_then(|rest| rest.strip_prefix(B));
        match digits {
            Some(digits) if digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(NotASid { first: A, second: B }),
        }
    }

    /// The identifier as Twilio writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const A: char, const B: char> fmt::Display for Sid<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const A: char, const B: char> FromStr for Sid<A, B> {
    type Err = NotASid;

    fn from_str(text: &str) -> Result<Self, NotASid> {
        Self::parse(text)
    }
}

impl<const A: char, const B: char> TryFrom<String> for Sid<A, B> {
    type Error = NotASid;

    fn try_from(text: String) -> Result<Self, NotASid> {
        Self::parse(&text)
    }
}

impl<const A: char, const B: char> From<Sid<A, B>> for String {
    fn from(sid: Sid<A, B>) -> Self {
        sid.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn an_identifier_reads_back_as_it_was_written() {
        let sid = RecordingSid::parse(&format!("RE{HEX}")).unwrap();
        assert_eq!(sid.to_string(), format!("RE{HEX}"));
        assert_eq!(serde_json::to_string(&sid).unwrap(), format!("\"RE{HEX}\""));
        assert_eq!(serde_json::from_str::<RecordingSid>(&format!("\"RE{HEX}\"")).unwrap(), sid);
    }

    #[test]
    fn what_is_not_an_identifier_of_this_kind_is_refused_with_the_kind_named() {
        let wrong = ["", "CA", "CAé", HEX, &format!("ca{HEX}"), &format!("RE{HEX}"), &format!("CA{HEX}0"), " CA"];
        for text in wrong {
            assert!(CallSid::parse(text).is_err(), "{text}");
        }
        assert!(CallSid::parse(&format!("CA{}", HEX.to_uppercase())).is_err());
        assert!(serde_json::from_str::<CallSid>(&format!("\"AC{HEX}\"")).is_err());
        assert_eq!(
            CallSid::parse("x").unwrap_err().to_string(),
            "not a Twilio identifier: CA and 32 lower-case hexadecimal digits expected"
        );
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused_without_a_panic(text in "\\PC{0,40}") {
            if let Ok(sid) = AccountSid::parse(&text) {
                prop_assert_eq!(sid.as_str(), text);
            }
        }
    }
}
