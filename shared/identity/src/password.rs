//! Passwords: what may be chosen, what is kept of them, and how one is checked.
//!
//! After OWASP ASVS 5.0 (6.2.1 to 6.2.12 and appendix C) and NIST SP 800-63B-4 (3.1.1): long enough, no rules of composition, nothing
//! trimmed, cut or changed, and refused when it is one of those everybody tries first. A password is never the only proof here, so eight
//! characters would do by both; we ask for twelve.
//!
//! The characters are taken exactly as they came. Unicode normalisation is left out on purpose: ASVS 6.2.8 wants the password checked as
//! received, and one form of `é` or another comes from the same keyboard every time.

use std::fmt;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use zeroize::Zeroizing;

use crate::chance::{self, NoChance};

/// Fewest characters of a password.
pub const SHORTEST: usize = 12;

/// Most characters of a password. ASVS 6.2.9 asks for at least 64; the bound only keeps the work of hashing small.
pub const LONGEST: usize = 256;

/// The name nobody may build a password on, whatever else [`Password::check`] is told.
const PRODUCT: &str = "optline";

/// A listed or personal word may be part of a password when at least this many characters are there besides.
const REST: usize = 8;

/// Shorter words occur in good passwords by chance.
const SHORTEST_WORD: usize = 4;

/// Fewer different characters than this are a pattern, whatever their order.
const FEWEST_DIFFERENT: usize = 5;

/// See `data/README.md`: sorted by byte, lower case, one a line.
static COMMON: &str = include_str!("../data/common-passwords.txt");

/// The hash of a password that nobody has, with today's cost; see [`verify_nobody`].
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$b3B0bGluZTogbm9ib2R5IQ$bm9ib2R5IGNvdWxkIGhhdmUgY2hvc2VuIHRoaXMgOik";

/// What somebody chose as their new password; good enough to be kept. Cleared from memory when dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// Why a password cannot be chosen. Each says what to do; none repeats the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Fewer than [`SHORTEST`] characters.
    #[error("Use at least {SHORTEST} characters. A few words in a row work well.")]
    TooShort,
    /// More than [`LONGEST`] characters.
    #[error("Use at most {LONGEST} characters.")]
    TooLong,
    /// The same few characters, or the same short piece, again and again.
    #[error("This repeats the same few characters. Use words or characters that do not repeat.")]
    Repetitive,
    /// A password many people use, or little more than one.
    #[error(
        "This is, or is built around, a password that many people use, so it is tried first. Choose something else, or add more words."
    )]
    Common,
    /// Mostly the person's e-mail address, their company's name or ours.
    #[error(
        "This is mostly your name, your e-mail address, your company or Optline. Choose words that have nothing to do with them."
    )]
    Personal,
}

/// A password could not be hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// No salt.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// The hash function refused, for lack of memory for instance.
    #[error("the password could not be hashed: {0}")]
    Hash(argon2::password_hash::Error),
}

impl Password {
    /// Takes a new password as typed, or says why it cannot be chosen.
    ///
    /// Follow it with [`check`](Self::check), which knows whose password it is. To sign in, use [`verify`] on what was typed instead:
    /// a password from before today's rules still opens its account.
    pub fn parse(typed: &str) -> Result<Self, PasswordError> {
        let length = typed.chars().count();
        if length < SHORTEST {
            return Err(PasswordError::TooShort);
        }
        if length > LONGEST {
            return Err(PasswordError::TooLong);
        }
        let lower = lower(typed);
        if repeats(&lower) {
            return Err(PasswordError::Repetitive);
        }
        if built_on_common(&lower) {
            return Err(PasswordError::Common);
        }
        Ok(Self(Zeroizing::new(typed.to_owned())))
    }

    /// Refuses a password that is mostly made of what others know about its owner.
    ///
    /// `context` takes things as they are: an e-mail address (the part before the `@` counts), a company's name, a person's. The
    /// product's own name is always among them.
    pub fn check(&self, context: &[&str]) -> Result<(), PasswordError> {
        let mut words: Vec<String> = context.iter().flat_map(|thing| words_of(thing)).collect();
        words.push(PRODUCT.to_owned());
        // The longest first, so that "acme" does not break "acmeplumbing" up.
        words.sort_unstable_by_key(|word| std::cmp::Reverse(word.chars().count()));

        let mut rest = lower(&self.0);
        let mut found = false;
        for word in &words {
            if rest.contains(word.as_str()) {
                found = true;
                rest = Zeroizing::new(rest.replace(word.as_str(), " "));
            }
        }
        // What merely joins the words is not worth anything.
        let worth = rest.chars().filter(|character| character.is_alphanumeric()).count();
        if found && worth < REST { Err(PasswordError::Personal) } else { Ok(()) }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// The Argon2id hash of a password as a PHC string, with a salt of its own.
///
/// This and every check takes 19 MiB and tens of milliseconds of CPU; an `async` caller moves it off its thread.
pub fn hash(password: &Password) -> Result<String, HashError> {
    let salt = chance::bytes::<16>()?;
    let hash: PasswordHash = argon2().hash_password_with_salt(password.0.as_bytes(), &salt).map_err(HashError::Hash)?;
    Ok(hash.to_string())
}

/// Whether `typed` is the password of which `hash` was kept. A hash that cannot be read belongs to nobody.
#[must_use]
pub fn verify(hash: &str, typed: &str) -> bool {
    // Nobody could have chosen it, but it must not take less time, nor much more.
    if typed.chars().count() > LONGEST {
        return verify_nobody("");
    }
    match PasswordHash::new(hash) {
        // The cost is the one the hash was made with; the comparison takes the same time wherever they differ.
        Ok(hash) => PasswordVerifier::verify_password(&argon2(), typed.as_bytes(), &hash).is_ok(),
        Err(_) => verify_nobody(typed),
    }
}

/// The same work as [`verify`], for an address that has no account or no password, so that the time taken does not tell. Always `false`.
#[must_use]
pub fn verify_nobody(typed: &str) -> bool {
    let typed = if typed.chars().count() > LONGEST { "" } else { typed };
    if let Ok(hash) = PasswordHash::new(NOBODY) {
        // The compiler may not drop work whose outcome it cannot see unused.
        std::hint::black_box(PasswordVerifier::verify_password(&argon2(), typed.as_bytes(), &hash).is_ok());
    }
    false
}

/// Whether the hash was made with another function or cost than today's: at the next sign-in, while the password is at hand, [`hash`] it
/// again.
#[must_use]
pub fn needs_rehash(hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return true };
    let Ok(params) = Params::try_from(&hash) else { return true };
    let today = params_of_today();
    hash.algorithm != Algorithm::Argon2id.ident()
        || hash.version != Some(Version::V0x13.into())
        || (params.m_cost(), params.t_cost(), params.p_cost()) != (today.m_cost(), today.t_cost(), today.p_cost())
}

/// The hash at today's cost of a password that was just right, where the one that is kept was made at another. Today's rules do
/// not matter: it is the password that there is.
#[must_use]
pub fn rehashed(kept: &str, typed: &str) -> Option<String> {
    if needs_rehash(kept) { hash(&Password(Zeroizing::new(typed.to_owned()))).ok() } else { None }
}

fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params_of_today())
}

/// 19 MiB, two passes, one lane: OWASP ASVS 5.0 appendix C, the row that suits a small Lambda best. They are also the crate's defaults;
/// a test holds it to that.
fn params_of_today() -> Params {
    Params::DEFAULT
}

fn lower(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_lowercase())
}

/// `aaaaaaaaaaaa`, `ababababab12` or one short piece over and over.
fn repeats(lower: &str) -> bool {
    let characters: Zeroizing<Vec<char>> = Zeroizing::new(lower.chars().collect());
    let mut different = characters.clone();
    different.sort_unstable();
    different.dedup();
    different.len() < FEWEST_DIFFERENT
        || (1..REST).any(|period| characters.iter().zip(characters.iter().skip(period)).all(|(one, next)| one == next))
}

/// Whether the whole is on the list, or any piece of it with little besides. Pieces that occur twice count twice: `dragondragon1`.
fn built_on_common(lower: &str) -> bool {
    if is_common(lower) {
        return true;
    }
    let length = lower.chars().count();
    let starts: Vec<usize> = lower.char_indices().map(|(at, _)| at).collect();
    starts.iter().any(|&start| {
        let Some(tail) = lower.get(start..) else { return false };
        let ends = tail.char_indices().map(|(at, character)| at + character.len_utf8());
        ends.take(LONGEST_LISTED).skip(SHORTEST_WORD - 1).any(|end| {
            let Some(piece) = tail.get(..end) else { return false };
            // Cheap first: how much would be left, then whether it is listed at all.
            let left = || length - lower.matches(piece).count() * piece.chars().count();
            left() < REST && is_common(piece)
        })
    })
}

/// No listed password is longer.
const LONGEST_LISTED: usize = 40;

/// Binary search among the lines: no table has to be built when a function starts.
fn is_common(word: &str) -> bool {
    let (mut low, mut high) = (0, COMMON.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        // The list is ASCII, so every index is the start of a character; the line around `middle` is between two line ends.
        let start = COMMON.get(low..middle).and_then(|before| before.rfind('\n')).map_or(low, |end| low + end + 1);
        let rest = COMMON.get(start..high).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default();
        match line.cmp(word) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = start + line.len() + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    false
}

/// The words to look for in a password: `Jo.Miller@acme.example` gives `jo.miller`, `jomiller` and `miller`.
fn words_of(thing: &str) -> Vec<String> {
    let lower = thing.to_lowercase();
    let named = lower.rsplit_once('@').map_or(lower.as_str(), |(local, _)| local).trim();
    let pieces = named.split(|character: char| !character.is_alphanumeric());
    let joined: String = pieces.clone().collect();
    pieces
        .map(str::to_owned)
        .chain([named.to_owned(), joined])
        .filter(|word| word.chars().count() >= SHORTEST_WORD)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(typed: &str) -> Option<PasswordError> {
        Password::parse(typed).err()
    }

    fn personal(typed: &str, context: &[&str]) -> bool {
        Password::parse(typed).unwrap().check(context) == Err(PasswordError::Personal)
    }

    #[test]
    fn a_few_words_in_a_row_are_a_good_password() {
        for good in
            ["correct horse battery staple", "kitchen window seven boats", "vQ3#mZ81pLx0", "ñandú y lápiz azul 🦊"]
        {
            assert_eq!(refused(good), None, "{good}");
        }
    }

    #[test]
    fn eleven_characters_are_too_few_and_two_hundred_and_fifty_seven_too_many() {
        assert_eq!(refused("vQ3#mZ81pLx"), Some(PasswordError::TooShort));
        let long: String = "correct horse battery staple ".chars().cycle().take(LONGEST).collect();
        assert_eq!(refused(&long), None);
        assert_eq!(refused(&format!("{long}!")), Some(PasswordError::TooLong));
    }

    #[test]
    fn characters_are_counted_not_bytes() {
        assert_eq!(refused("ñáéíóúüñáéí"), Some(PasswordError::TooShort));
        assert_eq!(refused("ñáéíóúüñáéíx"), None);
    }

    #[test]
    fn listed_passwords_are_refused_whatever_their_case() {
        for listed in ["ilovemyfamily", "IngodWeTrust", "1qaz2wsx3edc4rfv", "qwertyuiop12"] {
            assert_eq!(refused(listed), Some(PasswordError::Common), "{listed}");
        }
    }

    #[test]
    fn listed_passwords_with_a_little_besides_are_refused() {
        for near in
            ["Password1234!", "sunshine-2026", "!!iloveyou!!1", "Dragondragon1", "123456abcdef", "passwordPASSWORD"]
        {
            assert!(matches!(refused(near), Some(PasswordError::Common | PasswordError::Repetitive)), "{near}");
        }
    }

    #[test]
    fn a_listed_word_in_a_long_password_is_fine() {
        assert_eq!(refused("sunshine over the harbour"), None);
    }

    #[test]
    fn the_same_few_characters_again_and_again_are_refused() {
        for pattern in ["aaaaaaaaaaaa", "abababababab", "xk7qxk7qxk7qxk7q", "Xk7qxK7qxk7q", "112211221122113"] {
            assert_eq!(refused(pattern), Some(PasswordError::Repetitive), "{pattern}");
        }
    }

    #[test]
    fn the_list_is_sorted_lower_case_and_long_enough_for_the_rules() {
        let lines: Vec<&str> = COMMON.lines().collect();
        assert!(lines.len() > 30_000);
        assert!(lines.is_sorted_by(|one, next| one < next));
        assert!(
            lines.iter().all(|line| line.is_ascii() && line.len() >= SHORTEST_WORD && line.len() <= LONGEST_LISTED)
        );
        assert!(lines.iter().all(|line| *line == line.to_lowercase()));
    }

    #[test]
    fn every_line_of_the_list_is_found_and_its_neighbours_are_not() {
        for line in COMMON.lines() {
            assert!(is_common(line), "{line}");
            assert!(!is_common(&format!("{line}\u{1}")), "{line}");
        }
        for absent in ["", "\n", "zzzzzzzzzzzzzzzzzzzzzzz", "!", "password\n", "correct horse"] {
            assert!(!is_common(absent), "{absent:?}");
        }
    }

    #[test]
    fn names_that_others_know_are_refused_as_the_main_part() {
        assert!(personal("jo.miller-2026", &["Jo.Miller@acme.example"]));
        assert!(personal("JoMiller-20/26", &["jo.miller@acme.example"]));
        assert!(personal("Acme-Plumbing-1", &["Acme Plumbing"]));
        assert!(personal("acmeplumbing99", &["Acme Plumbing, Inc."]));
        assert!(personal("0ptline-Optline", &[]));
        assert!(personal("optline-26-x9", &[]));
    }

    #[test]
    fn names_that_others_know_may_stand_beside_enough_else() {
        assert!(!personal("miller buys blue kettles", &["jo.miller@acme.example"]));
        assert!(!personal("vQ3#mZ81pLx0", &["jo@acme.example", "A", ""]));
    }

    #[test]
    fn an_error_says_what_to_do_and_never_repeats_the_password() {
        assert_eq!(PasswordError::TooShort.to_string(), "Use at least 12 characters. A few words in a row work well.");
        assert_eq!(format!("{:?}", Password::parse("vQ3#mZ81pLx0").unwrap()), "Password(…)");
    }

    #[test]
    fn the_right_password_opens_and_nothing_else_does() {
        let hash = hash(&Password::parse(" kitchen window seven boats ").unwrap()).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify(&hash, " kitchen window seven boats "));
        assert!(!verify(&hash, "kitchen window seven boats"));
        assert!(!verify(&hash, " Kitchen window seven boats "));
        assert!(!verify(&hash, ""));
        assert!(!verify(&hash, &" kitchen window seven boats ".repeat(100)));
        assert!(!verify("not a hash", " kitchen window seven boats "));
        assert!(!needs_rehash(&hash));
    }

    #[test]
    fn every_character_of_the_longest_password_counts() {
        let long: String = "correct horse battery staple ".chars().cycle().take(LONGEST - 1).collect();
        let hash = hash(&Password::parse(&format!("{long}x")).unwrap()).unwrap();
        assert!(verify(&hash, &format!("{long}x")));
        assert!(!verify(&hash, &format!("{long}y")));
    }

    #[test]
    fn two_people_with_one_password_have_two_hashes() {
        let password = Password::parse("kitchen window seven boats").unwrap();
        assert_ne!(hash(&password).unwrap(), hash(&password).unwrap());
    }

    #[test]
    fn nobodys_hash_costs_what_a_hash_of_today_costs() {
        assert!(!needs_rehash(NOBODY));
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let somebody = hash(&Password::parse("kitchen window seven boats").unwrap()).unwrap();
        let somebody = PasswordHash::new(&somebody).unwrap();
        assert_eq!(nobody.hash.unwrap().len(), somebody.hash.unwrap().len());
        assert_eq!(nobody.salt.unwrap().len(), somebody.salt.unwrap().len());
        assert!(!verify_nobody("kitchen window seven boats"));
    }

    #[test]
    fn another_cost_or_function_is_hashed_again() {
        for old in [
            "$argon2id$v=19$m=12288,t=3,p=1$b3B0bGluZTogbm9ib2R5IQ$bm9ib2R5IGNvdWxkIGhhdmUgY2hvc2VuIHRoaXMgOik",
            "$argon2i$v=19$m=19456,t=2,p=1$b3B0bGluZTogbm9ib2R5IQ$bm9ib2R5IGNvdWxkIGhhdmUgY2hvc2VuIHRoaXMgOik",
            "$argon2id$v=16$m=19456,t=2,p=1$b3B0bGluZTogbm9ib2R5IQ$bm9ib2R5IGNvdWxkIGhhdmUgY2hvc2VuIHRoaXMgOik",
            "{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
        ] {
            assert!(needs_rehash(old), "{old}");
        }
    }

    #[test]
    fn a_right_password_is_hashed_again_only_where_its_hash_is_of_another_cost() {
        let old = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
        let old: PasswordHash = old.hash_password_with_salt(b"short", b"sixteen bytes of").unwrap();
        let new = rehashed(&old.to_string(), "short").unwrap();
        assert!(verify(&new, "short") && !needs_rehash(&new));
        assert_eq!(rehashed(&new, "short"), None);
    }

    #[test]
    fn the_cost_is_the_one_we_chose() {
        let today = params_of_today();
        assert_eq!((today.m_cost(), today.t_cost(), today.p_cost()), (19 * 1024, 2, 1));
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_answered(typed in any::<String>(), context in any::<String>()) {
            if let Ok(password) = Password::parse(&typed) {
                let _ = password.check(&[&context]);
            }
        }

        #[test]
        fn characters_of_chance_are_accepted(typed in "[A-Za-z0-9#!?%&+=]{16,40}") {
            // By chance a listed word may turn up, but never with fewer than eight characters besides.
            prop_assume!(!repeats(&typed.to_lowercase()));
            prop_assert!(Password::parse(&typed).is_ok());
        }
    }
}
