//! The reference number: what a caller notes down, and later keys, to ask about a request.
//!
//! Eleven digits of chance and a check digit. Chance, not a counter: a number says nothing about how many requests
//! there are, and the next one cannot be guessed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Twelve digits, the last of which is the check digit of the eleven before it.
///
/// The check digit is H. Michael Damm's (*Total anti-symmetrische Quasigruppen*, Marburg 2004). It catches every single
/// wrong digit and every swap of two neighbours, which a caller reading from a note gets wrong most.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference(String);

/// Why what was keyed is not a reference number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Not twelve digits.
    #[error("a reference number has 12 digits")]
    WrongLength,
    /// Something other than digits, blanks and hyphens.
    #[error("a reference number has only digits")]
    NotDigits,
    /// The check digit does not fit: a digit is wrong, or two are swapped.
    #[error("a digit is wrong, or two are swapped")]
    CheckDigit,
}

/// How many digits a reference number has, check digit included.
pub const LENGTH: usize = 12;

impl Reference {
    /// Makes a reference number of 64 random bits, which must come from a cryptographic generator.
    ///
    /// 2^64 is not a multiple of 10^11; the digits this favours are likelier by less than one in a hundred million.
    #[must_use]
    pub fn from_entropy(entropy: u64) -> Self {
        let digits = format!("{:011}", entropy % 100_000_000_000);
        let check = damm(&digits);
        Self(format!("{digits}{check}"))
    }

    /// Reads a reference number as keyed or typed; blanks and hyphens between the digits are passed over.
    pub fn parse(keyed: &str) -> Result<Self, ReferenceError> {
        let digits: String = keyed.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ReferenceError::NotDigits);
        }
        if digits.len() != LENGTH {
            return Err(ReferenceError::WrongLength);
        }
        // The check digit takes the quasigroup to 0, because its diagonal is 0.
        if damm(&digits) != 0 {
            return Err(ReferenceError::CheckDigit);
        }
        Ok(Self(digits))
    }

    /// The twelve digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits in three groups of four, as they are said and written.
    #[must_use]
    pub fn groups(&self) -> [&str; 3] {
        [0..4, 4..8, 8..12].map(|group| self.0.get(group).unwrap_or_default())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, third] = self.groups();
        write!(f, "{first} {second} {third}")
    }
}

impl TryFrom<String> for Reference {
    type Error = ReferenceError;

    fn try_from(digits: String) -> Result<Self, Self::Error> {
        Self::parse(&digits)
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.0
    }
}

/// The totally anti-symmetric quasigroup of order 10 with a zero diagonal that Damm's thesis gives.
const QUASIGROUP: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

/// Runs the digits through the quasigroup; the result is the check digit to append.
fn damm(digits: &str) -> u8 {
    digits.bytes().fold(0, |interim, digit| {
        let row = QUASIGROUP.get(usize::from(interim));
        row.and_then(|row| row.get(usize::from(digit.wrapping_sub(b'0')))).copied().unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn with_digit(reference: &Reference, at: usize, digit: u8) -> String {
        let mut digits = reference.as_str().as_bytes().to_vec();
        digits[at] = digit;
        String::from_utf8(digits).unwrap()
    }

    fn assert_catches_all(reference: &Reference) {
        for at in 0..LENGTH {
            for digit in b'0'..=b'9' {
                if reference.as_str().as_bytes()[at] != digit {
                    let wrong = with_digit(reference, at, digit);
                    assert_eq!(Reference::parse(&wrong), Err(ReferenceError::CheckDigit), "{wrong}");
                }
            }
        }
        for at in 1..LENGTH {
            let mut digits = reference.as_str().as_bytes().to_vec();
            if digits[at - 1] != digits[at] {
                digits.swap(at - 1, at);
                let swapped = String::from_utf8(digits).unwrap();
                assert_eq!(Reference::parse(&swapped), Err(ReferenceError::CheckDigit), "{swapped}");
            }
        }
    }

    #[test]
    fn the_table_has_what_damms_proof_needs() {
        for (row, digits) in QUASIGROUP.iter().enumerate() {
            assert_eq!(digits[row], 0, "the diagonal is zero");
            let mut across = *digits;
            across.sort_unstable();
            assert_eq!(across, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "row {row} is a permutation");
            let mut down: Vec<u8> = QUASIGROUP.iter().map(|other| other[row]).collect();
            down.sort_unstable();
            assert_eq!(down, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "column {row} is a permutation");
        }
        let q = |a: u8, b: u8| QUASIGROUP[usize::from(a)][usize::from(b)];
        for interim in 0..10 {
            for x in 0..10 {
                for y in 0..10 {
                    assert!(x == y || q(q(interim, x), y) != q(q(interim, y), x), "{interim} {x} {y}");
                }
            }
        }
    }

    #[test]
    fn the_check_digit_of_572_is_4() {
        assert_eq!(damm("572"), 4);
        assert_eq!(damm("5724"), 0);
    }

    #[test]
    fn it_is_said_in_three_groups_of_four_and_read_back_as_written() {
        let reference = Reference::from_entropy(12_345_678_901);
        assert_eq!(reference.as_str().len(), LENGTH);
        assert_eq!(reference.groups()[..2], ["1234", "5678"]);
        assert_eq!(Reference::parse(&reference.to_string()).unwrap(), reference);
        assert_eq!(Reference::parse(&reference.groups().join("-")).unwrap(), reference);
    }

    #[test]
    fn leading_zeros_are_kept() {
        assert_eq!(Reference::from_entropy(0).as_str(), "000000000000");
        assert_eq!(Reference::from_entropy(100_000_000_000), Reference::from_entropy(0));
    }

    #[test]
    fn what_is_not_twelve_digits_is_refused_with_the_reason() {
        assert_eq!(Reference::parse(""), Err(ReferenceError::WrongLength));
        assert_eq!(Reference::parse("12345678901"), Err(ReferenceError::WrongLength));
        assert_eq!(Reference::parse("1234567890*2"), Err(ReferenceError::NotDigits));
    }

    #[test]
    fn samples_spread_over_the_whole_range_catch_every_single_error_and_every_swap() {
        for step in 0..500_u64 {
            assert_catches_all(&Reference::from_entropy(step * 199_999_999));
        }
        for nearly_equal in [0, 11_111_111_111, 99_999_999_999, 10_101_010_101] {
            assert_catches_all(&Reference::from_entropy(nearly_equal));
        }
    }

    proptest! {
        #[test]
        fn whatever_the_chance_the_number_reads_back_and_catches_every_single_error_and_every_swap(entropy: u64) {
            let reference = Reference::from_entropy(entropy);
            prop_assert_eq!(&Reference::parse(reference.as_str()).unwrap(), &reference);
            assert_catches_all(&reference);
        }

        #[test]
        fn parsing_never_panics(keyed in "\\PC*") {
            let _ = Reference::parse(&keyed);
        }
    }
}
