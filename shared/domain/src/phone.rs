//! Telephone numbers, and callers who withhold theirs.
//!
//! A number is personal: neither [`E164`] nor [`CallerId`] prints it with `Debug`, and neither has a `Display`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A telephone number in the form of ITU-T E.164: `+`, country code, national number, at most 15 digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct E164(String);

/// Why what was keyed or sent is not a telephone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// Nothing was keyed.
    #[error("no number was given")]
    Empty,
    /// Something other than digits was keyed or sent.
    #[error("a telephone number has only digits")]
    NotDigits,
    /// Seven digits: a local number, which says nothing without its area code.
    #[error("the area code is missing")]
    AreaCodeMissing,
    /// Neither 10 digits, nor 1 and 10 digits, nor 011 and an international number.
    #[error("a number has 10 digits with its area code, or 011 and the country code before it")]
    WrongLength,
    /// No such number can exist: its area code or length is not in use.
    #[error("no such number can exist")]
    NotInUse,
}

impl E164 {
    /// Reads a number already in E.164 form, as Twilio sends and as it is stored.
    ///
    /// Checks the form, and for +1 the North American plan's own (ten digits, neither area code nor exchange begins
    /// with 0 or 1), without the tables of [`E164::from_keypad`].
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        if text.is_empty() {
            return Err(PhoneError::Empty);
        }
        let digits = text.strip_prefix('+').ok_or(PhoneError::NotDigits)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PhoneError::NotDigits);
        }
        // The shortest numbers in use have seven digits with their country code (Niue, Saint Helena).
        if !(7..=15).contains(&digits.len()) {
            return Err(PhoneError::WrongLength);
        }
        if digits.starts_with('0') {
            return Err(PhoneError::NotInUse);
        }
        if let Some(national) = digits.strip_prefix('1') {
            if national.len() != 10 {
                return Err(PhoneError::WrongLength);
            }
            let begins_in_use = |at| national.as_bytes().get(at).is_some_and(|digit| *digit >= b'2');
            if !(begins_in_use(0) && begins_in_use(3)) {
                return Err(PhoneError::NotInUse);
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// Reads the digits a caller in the United States keys: 10, or 1 and 10, or 011 and an international number.
    ///
    /// Validity is judged by the tables of Google's libphonenumber. The first call in a process reads them, which takes
    /// tens of milliseconds; [`E164::parse`] and [`CallerId::parse`] need none of it.
    pub fn from_keypad(digits: &str) -> Result<Self, PhoneError> {
        if digits.is_empty() {
            return Err(PhoneError::Empty);
        }
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PhoneError::NotDigits);
        }
        let international = match (digits.strip_prefix("011"), digits.len()) {
            (Some(abroad), 11..=18) => format!("+{abroad}"),
            (None, 10) => format!("+1{digits}"),
            (None, 11) if digits.starts_with('1') => format!("+{digits}"),
            (None, 7) => return Err(PhoneError::AreaCodeMissing),
            _ => return Err(PhoneError::WrongLength),
        };
        Self::parse(&international)?;
        // With a default country the crate takes that country's trunk prefix off foreign numbers: none is given.
        let number = phonenumber::parse(None, &international).map_err(|_| PhoneError::NotInUse)?;
        if !number.is_valid() {
            return Err(PhoneError::NotInUse);
        }
        // Written anew, because a trunk 0 keyed after the country code is not part of the number.
        Self::parse(&number.format().mode(phonenumber::Mode::E164).to_string())
    }

    /// Reads a number as people write it: `(213) 555-0123`, `+1 213 555 0123`.
    #[must_use]
    pub fn from_writing(written: &str) -> Option<Self> {
        let digits: String = written.chars().filter(char::is_ascii_digit).collect();
        // What is left beside digits and what people put between them is no number.
        let between = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '(' | ')' | '/');
        if let Some(rest) = written.trim().strip_prefix('+') {
            return rest.chars().all(between).then(|| Self::parse(&format!("+{digits}")).ok())?;
        }
        written.chars().all(between).then(|| Self::from_keypad(&digits).ok())?
    }

    /// The number with its `+`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last four digits, to be said to the caller whose number it is.
    #[must_use]
    pub fn last_four(&self) -> &str {
        self.0.get(self.0.len().saturating_sub(4)..).unwrap_or_default()
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("E164(redacted)")
    }
}

impl TryFrom<String> for E164 {
    type Error = PhoneError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<E164> for String {
    fn from(number: E164) -> Self {
        number.0
    }
}

/// Who a call says it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallerId {
    /// A number that can be called back. It is what the network claims, never proof of identity.
    Known(E164),
    /// Withheld, unknown, or not a telephone at all (`client:`, `sip:`).
    Withheld,
}

/// What Twilio sends in `From` instead of a withheld number: the words ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and
/// UNAVAILABLE on a telephone's letters (Twilio, "Why am I getting calls from these strange numbers?").
const WORDS_AS_NUMBERS: [&str; 5] = ["+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"];

impl CallerId {
    /// Reads `From` of a voice webhook. What is not a telephone number counts as withheld.
    #[must_use]
    pub fn parse(from: &str) -> Self {
        // A `+` that was not percent-encoded arrives as a blank.
        let from = from.trim();
        if WORDS_AS_NUMBERS.iter().any(|word| word.trim_start_matches('+') == from.trim_start_matches('+')) {
            return Self::Withheld;
        }
        E164::parse(from).map_or(Self::Withheld, Self::Known)
    }

    /// The number, when there is one.
    #[must_use]
    pub fn number(&self) -> Option<&E164> {
        match self {
            Self::Known(number) => Some(number),
            Self::Withheld => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_is_read_as_people_write_it() {
        for written in ["(213) 555-0123", "+1 213 555-0123", "213.555.0123", "1 213 555 0123"] {
            assert_eq!(E164::from_writing(written).unwrap().as_str(), "+12135550123", "{written}");
        }
        for wrong in ["213 555 0123 ext 4", "555 0123", "", "+", "ana@example.com", "+1 213 555 0123 #4"] {
            assert_eq!(E164::from_writing(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ten_digits_eleven_with_1_and_011_with_a_country_are_numbers() {
        for (keyed, number) in [
            ("2025550123", "+12025550123"),
            ("12025550123", "+12025550123"),
            ("8665550100", "+18665550100"),
            ("4165550123", "+14165550123"), // Toronto
            ("7875550123", "+17875550123"), // Puerto Rico
            ("011525512345678", "+525512345678"),
            ("011442079460123", "+442079460123"),
            ("0114402079460123", "+442079460123"), // with the trunk 0 that is dialled only at home
            ("011390612345678", "+390612345678"),  // Italy's 0 is part of the number
            ("01133123456789", "+33123456789"),    // a national number that begins with 1
            ("0118613812345678", "+8613812345678"),
            ("01150321234567", "+50321234567"),
            ("01129022222", "+29022222"),
        ] {
            match E164::from_keypad(keyed) {
                Ok(found) => assert_eq!(found.as_str(), number),
                Err(error) => panic!("{keyed}: {error}"),
            }
        }
    }

    #[test]
    fn what_is_keyed_wrong_is_refused_with_the_reason() {
        for (keyed, why) in [
            ("", PhoneError::Empty),
            ("202*550123", PhoneError::NotDigits),
            ("٢٠٢٥٥٥٠١٢٣", PhoneError::NotDigits),
            ("5550123", PhoneError::AreaCodeMissing),
            ("911", PhoneError::WrongLength),
            ("202555012", PhoneError::WrongLength),
            ("22025550123", PhoneError::WrongLength),
            ("011", PhoneError::WrongLength),
            ("0115215555555500000000", PhoneError::WrongLength),
            ("0005550123", PhoneError::NotInUse),
            ("2021550123", PhoneError::NotInUse),
            ("2000000000", PhoneError::NotInUse),
            ("0110442079460123", PhoneError::NotInUse),
            ("01199912345678", PhoneError::NotInUse),
        ] {
            assert_eq!(E164::from_keypad(keyed), Err(why), "{keyed}");
        }
    }

    #[test]
    fn a_caller_with_a_number_is_known() {
        let caller = CallerId::parse("+12025550123");
        assert_eq!(caller.number().unwrap().last_four(), "0123");
        assert_eq!(CallerId::parse(" +442079460123").number().unwrap().as_str(), "+442079460123");
    }

    #[test]
    fn words_pseudo_numbers_and_what_is_no_telephone_count_as_withheld() {
        for from in [
            "",
            "+266696687",
            "266696687",
            "+7378742833",
            "+2562533",
            "+8656696",
            "+86282452253",
            "Anonymous",
            "anonymous",
            "unknown",
            "client:agent",
            "sip:someone@example.com",
            "+1202555012",
            "+10005550123",
            "2025550123",
            "+",
        ] {
            assert_eq!(CallerId::parse(from), CallerId::Withheld, "{from}");
        }
    }

    #[test]
    fn a_number_is_never_printed() {
        let caller = CallerId::parse("+12025550123");
        assert_eq!(format!("{caller:?}"), "Known(E164(redacted))");
    }

    proptest! {
        #[test]
        fn whatever_is_keyed_or_sent_nothing_panics_and_what_is_accepted_is_accepted_again(text in "[0-9+*#]{0,20}|\\PC*") {
            let _ = CallerId::parse(&text);
            if let Ok(number) = E164::from_keypad(&text) {
                prop_assert_eq!(E164::parse(number.as_str()), Ok(number));
            }
        }
    }
}
