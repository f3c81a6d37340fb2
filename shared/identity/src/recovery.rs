//! Recovery codes: ten, on paper, for the day the phone is lost. Each works once.
//!
//! A code has 80 bits of chance, and SHA-256 of it is what is kept. A slow hash is there to make guessing costly where people choose;
//! nobody chooses these. Whoever stole the hashes would have to try 2⁷⁹ codes for one of them, and 2⁶³ for any one among ten thousand
//! accounts: centuries of a graphics card, for a second factor that opens nothing without the first. No salt, as no two codes are alike;
//! no key, as the whole record is sealed where it is stored. In return one try costs a microsecond, so it can be compared with all ten.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::chance::{self, NoChance};

/// Codes in a set.
pub const CODES: usize = 10;

/// Crockford's base 32: digits and letters without `i`, `l`, `o` and `u`, which are misread or spell words.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Five bits each.
const CHARACTERS: usize = 16;

/// Characters between two hyphens.
const GROUP: usize = 4;

/// Keeps these hashes apart from any other SHA-256 of the same characters.
const DOMAIN: &[u8] = b"optline recovery code 1\0";

/// A code to show once; `Display` writes `k3f7-9mqx-2hrt-8wpz`. Cleared from memory when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Code(String);

/// What is kept of a code.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeHash([u8; 32]);

/// A new set of codes: to show once, and to keep. It replaces every older one.
pub fn new_codes() -> Result<(Vec<Code>, Vec<CodeHash>), NoChance> {
    let mut codes = Vec::with_capacity(CODES);
    for _ in 0..CODES {
        // 256 is a multiple of 32, so every character is as likely as the next.
        let bytes = Zeroizing::new(chance::bytes::<CHARACTERS>()?);
        codes.push(Code(
            bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte % 32))).map(|c| char::from(*c)).collect(),
        ));
    }
    let hashes = codes.iter().map(|code| CodeHash::of(&code.0)).collect();
    Ok((codes, hashes))
}

/// Takes a code once: `true` when `typed` is one of `list`, and then it is no longer among them. Store the list before letting anyone in.
///
/// Case, spaces and hyphens do not matter, and `o`, `i` and `l` are read as the digits they were.
#[must_use]
pub fn use_code(list: &mut Vec<CodeHash>, typed: &str) -> bool {
    let Some(code) = read(typed) else { return false };
    let hash = CodeHash::of(&code);
    let mut found = Choice::from(0);
    // All are compared, found or not: the time taken tells neither which nor how near.
    for kept in list.iter() {
        found |= kept.0.ct_eq(&hash.0);
    }
    let found = bool::from(found);
    if found {
        list.retain(|kept| *kept != hash);
    }
    found
}

/// The code somebody meant, or nothing if it cannot be one.
fn read(typed: &str) -> Option<Zeroizing<String>> {
    let mut code = Zeroizing::new(String::with_capacity(CHARACTERS));
    for character in typed.chars() {
        let character = match character.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            // Word processors turn a hyphen into one of its cousins.
            '-' | '_' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}' => continue,
            space if space.is_whitespace() => continue,
            other => other,
        };
        if code.len() == CHARACTERS || !u8::try_from(character).is_ok_and(|byte| ALPHABET.contains(&byte)) {
            return None;
        }
        code.push(character);
    }
    (code.len() == CHARACTERS).then_some(code)
}

impl CodeHash {
    fn of(code: &str) -> Self {
        Self(Sha256::new().chain_update(DOMAIN).chain_update(code.as_bytes()).finalize().into())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, character) in self.0.chars().enumerate() {
            if at > 0 && at % GROUP == 0 {
                f.write_str("-")?;
            }
            write!(f, "{character}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

impl fmt::Debug for CodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeHash(…)")
    }
}

impl Serialize for CodeHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for CodeHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let encoded = String::deserialize(deserializer)?;
        let bytes =
            URL_SAFE_NO_PAD.decode(encoded).map_err(|_| D::Error::custom("a recovery code's hash is base64url"))?;
        bytes.try_into().map(Self).map_err(|_| D::Error::custom("a recovery code's hash has 32 bytes"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_set_has_ten_codes_and_no_two_are_alike() {
        let (codes, hashes) = new_codes().unwrap();
        let mut written: Vec<String> = codes.iter().map(Code::to_string).collect();
        written.sort_unstable();
        written.dedup();
        assert_eq!((written.len(), hashes.len()), (CODES, CODES));
        for code in written {
            assert_eq!(code.len(), CHARACTERS + 3);
            assert!(code.split('-').all(|group| group.len() == GROUP && group.bytes().all(|c| ALPHABET.contains(&c))));
        }
    }

    #[test]
    fn a_code_has_at_least_fifty_bits() {
        assert_eq!(CHARACTERS * ALPHABET.len().ilog2() as usize, 80);
    }

    #[test]
    fn each_code_works_once() {
        let (codes, mut list) = new_codes().unwrap();
        for (used, code) in codes.iter().enumerate() {
            assert_eq!(list.len(), CODES - used);
            assert!(use_code(&mut list, &code.to_string()));
            assert!(!use_code(&mut list, &code.to_string()));
        }
        assert!(list.is_empty());
    }

    #[test]
    fn a_code_of_another_set_does_not_work() {
        let (_, mut list) = new_codes().unwrap();
        let (others, _) = new_codes().unwrap();
        assert!(!use_code(&mut list, &others[0].to_string()));
        assert_eq!(list.len(), CODES);
    }

    #[test]
    fn nothing_is_taken_from_nothing() {
        assert!(!use_code(&mut Vec::new(), "0000-0000-0000-0000"));
        let (_, mut list) = new_codes().unwrap();
        for wrong in ["", "-", "0000", "0000-0000-0000-000u", "0000-0000-0000-00000", "ñ000-0000-0000-0000"] {
            assert!(!use_code(&mut list, wrong), "{wrong}");
        }
    }

    #[test]
    fn a_hash_is_stored_as_text_that_does_not_change() {
        let hash = CodeHash::of("0123456789abcdef");
        let stored = serde_json::to_string(&hash).unwrap();
        assert_eq!(stored, "\"FP9385ra663J_zcIDKdGSglb2MXgQpUAmv_07B37XRM\"");
        assert_eq!(serde_json::from_str::<CodeHash>(&stored).unwrap(), hash);
        assert!(serde_json::from_str::<CodeHash>("\"AAAA\"").is_err());
        assert!(serde_json::from_str::<CodeHash>("\"?\"").is_err());
    }

    #[test]
    fn neither_code_nor_hash_is_printed_by_debug() {
        let (codes, hashes) = new_codes().unwrap();
        assert_eq!(format!("{:?} {:?}", codes[0], hashes[0]), "Code(…) CodeHash(…)");
    }

    proptest! {
        #[test]
        fn a_code_is_read_however_it_is_typed(
            code in "[0-9a-hjkmnp-tv-z]{16}",
            joins in proptest::collection::vec(prop_oneof![Just(""), Just(" "), Just("-"), Just(" – "), Just("\u{a0}")], 16),
            upper in proptest::collection::vec(any::<bool>(), 16),
            lookalike in proptest::collection::vec(any::<bool>(), 16),
        ) {
            let mut typed = String::new();
            for (at, character) in code.chars().enumerate() {
                let character = match character {
                    '0' if lookalike[at] => 'o',
                    '1' if lookalike[at] => 'l',
                    other => other,
                };
                typed.push(if upper[at] { character.to_ascii_uppercase() } else { character });
                typed.push_str(joins[at]);
            }
            let read = read(&typed);
            prop_assert_eq!(read.as_ref().map(|read| read.as_str()), Some(code.as_str()));
        }

        #[test]
        fn whatever_is_typed_is_answered(typed: String) {
            let _ = read(&typed);
        }
    }
}
