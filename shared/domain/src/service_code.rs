//! Service codes: what a caller keys to reach one business on a number that many share.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::colour::Colour;
use crate::field_error::{self, FieldError};
use crate::language::Language;
use crate::origin::Origin;
use crate::request::Kind;

/// One to eight digits, unique across the platform; leading zeros count, and zeros alone are no code.
///
/// `0` is what a caller presses for help.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceCode(String);

/// Why what was keyed is not a service code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ServiceCodeError {
    /// Empty, or more than eight digits.
    #[error("a service code has 1 to 8 digits")]
    WrongLength,
    /// Something other than digits.
    #[error("a service code has only digits")]
    NotDigits,
    /// `0`, `00` and so on, which ask for help.
    #[error("a service code is not only zeros: 0 asks for help")]
    OnlyZeros,
}

impl ServiceCode {
    /// Reads the digits, without the `#` that ends them.
    pub fn parse(digits: &str) -> Result<Self, ServiceCodeError> {
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ServiceCodeError::NotDigits);
        }
        if !(1..=8).contains(&digits.len()) {
            return Err(ServiceCodeError::WrongLength);
        }
        if digits.bytes().all(|byte| byte == b'0') {
            return Err(ServiceCodeError::OnlyZeros);
        }
        Ok(Self(digits.to_owned()))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServiceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ServiceCode {
    type Error = ServiceCodeError;

    fn try_from(digits: String) -> Result<Self, Self::Error> {
        Self::parse(&digits)
    }
}

impl From<ServiceCode> for String {
    fn from(code: ServiceCode) -> Self {
        code.0
    }
}

/// What a caller hears once the code is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Greeting {
    /// Words for the voice of the language to say.
    Text(String),
    /// A recording.
    Audio {
        /// 128 bits that stand for its owner and 128 for its content, in lower-case hex, then `.mp3` or `.wav`: a changed
        /// recording has another name.
        file: String,
    },
}

/// The longest greeting a Polly voice says in one `<Say>`, in characters (Twilio error 13521).
const GREETING_CHARACTERS: usize = 3000;

/// The longest greeting that one `<Say>` takes once it is percent-encoded (Twilio error 13521).
const GREETING_ENCODED: usize = 4500;

impl Greeting {
    fn wrong(&self) -> Option<&'static str> {
        match self {
            Self::Text(text) if text.trim().is_empty() => Some("Enter what the caller hears."),
            Self::Text(text)
                if text.chars().count() > GREETING_CHARACTERS || encoded_length(text) > GREETING_ENCODED =>
            {
                Some("This is too long to be said at once. Use at most 3,000 characters, fewer with many accents.")
            }
            Self::Text(text) if text.chars().any(|c| c.is_control() && c != '\n') => {
                Some("Use plain text, without control characters.")
            }
            Self::Audio { file } if !is_content_address(file) => Some("Upload the recording as MP3 or WAV."),
            Self::Text(_) | Self::Audio { .. } => None,
        }
    }
}

/// The length of a text once it is percent-encoded.
fn encoded_length(text: &str) -> usize {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { 1 } else { 3 }).sum()
}

/// Whether a greeting's file name is 256 bits in lower-case hex with `.mp3` or `.wav`, and nothing else.
#[must_use]
pub fn is_content_address(file: &str) -> bool {
    let Some(hash) = file.strip_suffix(".mp3").or_else(|| file.strip_suffix(".wav")) else { return false };
    hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A service code as the tenant set it up: what the next call hears.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ServiceCodeProfile {
    /// The code a caller keys.
    pub code: ServiceCode,
    /// The brand or site it stands for, as a caller would know it.
    pub name: String,
    /// Whether calls are taken under it.
    pub active: bool,
    /// The languages offered, the tenant's preferred one first.
    pub languages: Vec<Language>,
    /// One greeting per language offered.
    pub greetings: BTreeMap<Language, Greeting>,
    /// The kinds of request offered.
    pub kinds: BTreeSet<Kind>,
    /// Where the web form is, for callers who would rather write. `https`.
    pub web_form: Option<String>,
    /// The sites from which the embedded form is accepted; none until the tenant lists them.
    #[serde(default)]
    pub origins: Vec<Origin>,
    /// The business's own colour, on the pages that consumers meet.
    #[serde(default)]
    pub accent: Option<Colour>,
}

/// The most sites that one service code lists.
pub const MOST_ORIGINS: usize = 20;

/// A greeting that was saved, as its history keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct GreetingVersion {
    /// When it was saved.
    pub at: Timestamp,
    /// The id of the user who saved it, never their name.
    pub by: String,
    /// What callers heard from then on.
    pub greeting: Greeting,
}

impl ServiceCodeProfile {
    /// Everything that keeps this from being offered to callers, one entry per field.
    pub fn validate(&self) -> Result<(), Vec<FieldError>> {
        let mut errors = Vec::new();
        if let Some(reason) = field_error::wrong_with_name(&self.name) {
            errors.push(FieldError::new("name", reason));
        }
        if self.languages.is_empty() {
            errors.push(FieldError::new("languages", "Choose at least one language."));
        } else if self.languages.iter().collect::<BTreeSet<_>>().len() != self.languages.len() {
            errors.push(FieldError::new("languages", "Choose each language once."));
        }
        for language in Language::ALL {
            let field = || format!("greetings.{language}");
            match (self.languages.contains(&language), self.greetings.get(&language)) {
                (true, None) => errors.push(FieldError::new(field(), "Add a greeting in this language.")),
                (false, Some(_)) => errors.push(FieldError::new(field(), "This language is not offered.")),
                (true, Some(greeting)) => {
                    errors.extend(greeting.wrong().map(|reason| FieldError::new(field(), reason)));
                }
                (false, None) => {}
            }
        }
        if self.kinds.is_empty() {
            errors.push(FieldError::new("kinds", "Choose at least one kind of request."));
        }
        if self.web_form.as_deref().is_some_and(|address| !is_https(address)) {
            errors.push(FieldError::new("web-form", "Enter an address that begins with https://."));
        }
        if self.origins.len() > MOST_ORIGINS {
            errors.push(FieldError::new("origins", "List at most 20 sites."));
        } else if self.origins.iter().collect::<BTreeSet<_>>().len() != self.origins.len() {
            errors.push(FieldError::new("origins", "List each site once."));
        }
        field_error::none_of(errors)
    }
}

/// Whether an address is `https://`, a host, and nothing that would break out of a line or an attribute.
pub(crate) fn is_https(address: &str) -> bool {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '`');
    address.len() <= 2048
        && address.chars().all(plain)
        && address.strip_prefix("https://").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

/// What calls to one telephone number reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Number {
    /// Many tenants: the caller keys a service code.
    Shared,
    /// One service code: the call goes straight to its greeting.
    Dedicated {
        /// That code.
        code: ServiceCode,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> ServiceCodeProfile {
        ServiceCodeProfile {
            code: ServiceCode::parse("1").unwrap(),
            name: "Main store".into(),
            active: true,
            languages: vec![Language::English, Language::Spanish],
            greetings: BTreeMap::from([
                (Language::English, Greeting::Text("Welcome.".into())),
                (Language::Spanish, Greeting::Audio { file: format!("{}.mp3", "0a".repeat(32)) }),
            ]),
            kinds: BTreeSet::from([Kind::OptOut]),
            web_form: Some("https://example.com/privacy?x=1".into()),
            origins: vec![Origin::parse("https://example.com").unwrap()],
            accent: None,
        }
    }

    fn fields_wrong(profile: &ServiceCodeProfile) -> Vec<String> {
        profile.validate().unwrap_err().into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn a_code_has_one_to_eight_digits_and_is_not_only_zeros() {
        for good in ["1", "07", "00000001", "12345678"] {
            assert_eq!(ServiceCode::parse(good).unwrap().as_str(), good);
        }
        assert_eq!(ServiceCode::parse(""), Err(ServiceCodeError::WrongLength));
        assert_eq!(ServiceCode::parse("123456789"), Err(ServiceCodeError::WrongLength));
        assert_eq!(ServiceCode::parse("1*"), Err(ServiceCodeError::NotDigits));
        assert_eq!(ServiceCode::parse("١"), Err(ServiceCodeError::NotDigits));
        assert_eq!(ServiceCode::parse("0"), Err(ServiceCodeError::OnlyZeros));
        assert_eq!(ServiceCode::parse("00"), Err(ServiceCodeError::OnlyZeros));
    }

    #[test]
    fn a_complete_profile_is_valid() {
        assert_eq!(profile().validate(), Ok(()));
    }

    #[test]
    fn every_field_that_is_wrong_is_named() {
        let wrong = ServiceCodeProfile {
            name: " ".into(),
            languages: vec![Language::English, Language::English],
            greetings: BTreeMap::from([(Language::Spanish, Greeting::Text("Hola.".into()))]),
            kinds: BTreeSet::new(),
            web_form: Some("http://example.com".into()),
            ..profile()
        };
        assert_eq!(fields_wrong(&wrong), ["name", "languages", "greetings.en", "greetings.es", "kinds", "web-form"]);
    }

    #[test]
    fn a_greeting_is_sayable_text_or_a_content_addressed_recording() {
        for wrong in [
            Greeting::Text("  ".into()),
            Greeting::Text("x".repeat(3001)),
            Greeting::Text("á".repeat(751)),
            Greeting::Text("bell \u{7}".into()),
            Greeting::Audio { file: "../secret.mp3".into() },
            Greeting::Audio { file: format!("{}.mp3", "0A".repeat(32)) },
            Greeting::Audio { file: format!("{}.exe", "0a".repeat(32)) },
        ] {
            let mut profile = profile();
            profile.greetings.insert(Language::English, wrong.clone());
            assert_eq!(fields_wrong(&profile), ["greetings.en"], "{wrong:?}");
        }
    }

    #[test]
    fn at_most_20_sites_are_listed_and_each_once() {
        let site = |n: usize| Origin::parse(&format!("https://shop{n}.example.com")).unwrap();
        let of = |origins| ServiceCodeProfile { origins, ..profile() };
        assert_eq!(of((0..20).map(site).collect()).validate(), Ok(()));
        assert_eq!(fields_wrong(&of((0..21).map(site).collect())), ["origins"]);
        assert_eq!(fields_wrong(&of(vec![site(1), site(1)])), ["origins"]);
    }

    #[test]
    fn a_profile_written_before_sites_were_listed_lists_none() {
        let mut stored = serde_json::to_value(profile()).unwrap();
        for name in ["origins", "accent"] {
            stored.as_object_mut().unwrap().remove(name);
        }
        let read = serde_json::from_value::<ServiceCodeProfile>(stored).unwrap();
        assert_eq!((read.origins, read.accent), (vec![], None));
    }

    #[test]
    fn a_web_form_is_on_https_and_cannot_break_out_of_an_attribute() {
        for wrong in ["https://", "https:///x", "javascript:alert(1)", "https://example.com/\"", "https://a b"] {
            let profile = ServiceCodeProfile { web_form: Some(wrong.into()), ..profile() };
            assert_eq!(fields_wrong(&profile), ["web-form"], "{wrong}");
        }
    }
}
