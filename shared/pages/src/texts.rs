//! Words for people, in every language: one struct of texts per area, one constant per language.
//!
//! An area says its words like this, and a test of its own calls [`differences`]:
//!
//! ```
//! use domain::language::Language;
//!
//! #[derive(serde::Serialize)]
//! pub struct Texts {
//!     pub save: &'static str,
//!     pub found: &'static str,
//! }
//!
//! const EN: Texts = Texts { save: "Save", found: "{n} requests" };
//! const ES: Texts = Texts { save: "Guardar", found: "{n} solicitudes" };
//!
//! impl Texts {
//!     pub const fn of(language: Language) -> &'static Self {
//!         match language {
//!             Language::English => &EN,
//!             Language::Spanish => &ES,
//!         }
//!     }
//! }
//!
//! assert_eq!(pages::fill(Texts::of(Language::Spanish).found, &[("n", "3")]), "3 solicitudes");
//! assert!(pages::texts::differences(&EN, &ES).is_empty());
//! ```

use std::collections::BTreeSet;

use domain::language::Language;
use serde::Serialize;

/// Puts values into a text's `{name}` places. What is put in is never read as a place again.
#[must_use]
pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        match after.split_once('}') {
            Some((name, after)) => {
                match values.iter().find(|(key, _)| *key == name) {
                    Some((_, value)) => filled.push_str(value),
                    None => {
                        filled.push('{');
                        filled.push_str(name);
                        filled.push('}');
                    }
                }
                rest = after;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// The text for one, or the text for any other number, 0 included: English and Spanish agree on that.
#[must_use]
pub const fn plural(n: u64, one: &'static str, other: &'static str) -> &'static str {
    if n == 1 { one } else { other }
}

/// The text in the language asked for.
#[must_use]
pub const fn either(language: Language, english: &'static str, spanish: &'static str) -> &'static str {
    match language {
        Language::English => english,
        Language::Spanish => spanish,
    }
}

/// What is wrong between two languages' texts: a text that is empty, missing, or with other places to fill. For tests.
#[must_use]
pub fn differences<T: Serialize>(one: &T, other: &T) -> Vec<String> {
    let (Ok(one), Ok(other)) = (serde_json::to_value(one), serde_json::to_value(other)) else {
        return vec!["the texts cannot be read".to_owned()];
    };
    let mut found = Vec::new();
    compare("", &one, &other, &mut found);
    found
}

fn compare(path: &str, one: &serde_json::Value, other: &serde_json::Value, found: &mut Vec<String>) {
    use serde_json::Value::{Array, Object, String};
    match (one, other) {
        (Object(one), Object(other)) => {
            for (name, text) in one {
                compare(&format!("{path}.{name}"), text, other.get(name).unwrap_or(&serde_json::Value::Null), found);
            }
        }
        (Array(one), Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                compare(&format!("{path}[{index}]"), one, other, found);
            }
        }
        (String(one), String(other)) => {
            if one.trim().is_empty() || other.trim().is_empty() {
                found.push(format!("{path} is empty"));
            }
            if places(one) != places(other) {
                found.push(format!("{path} has other places to fill"));
            }
        }
        _ => found.push(format!("{path} is not in both languages")),
    }
}

/// The names of the places that a text leaves to [`fill`].
fn places(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|after| after.split_once('}')).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_fills_its_place_and_is_not_read_again() {
        assert_eq!(fill("{a} of {b}", &[("a", "{b}"), ("b", "2")]), "{b} of 2");
        assert_eq!(fill("{unknown} {", &[]), "{unknown} {");
    }

    #[test]
    fn one_is_singular_and_everything_else_plural() {
        assert_eq!([0, 1, 2].map(|n| plural(n, "day", "days")), ["days", "day", "days"]);
    }

    #[test]
    fn a_text_with_another_place_or_none_is_found() {
        #[derive(Serialize)]
        struct Texts {
            a: &'static str,
            b: &'static str,
        }
        let found = differences(&Texts { a: "{n} days", b: "x" }, &Texts { a: "días", b: " " });
        assert_eq!(found, [".a has other places to fill", ".b is empty"]);
    }
}
