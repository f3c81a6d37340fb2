//! Stripe's identifiers: three letters that name the kind, an underscore, then letters, digits and underscores.
//!
//! The kind is part of the type, so a customer's identifier cannot be passed where a meter's is wanted, and what has been
//! parsed is safe to put in a URL. Stripe promises no more of their form than that they do not exceed 255 characters:
//! <https://docs.stripe.com/upgrades#what-changes-does-stripe-consider-to-be-backward-compatible>.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A customer of the account (`cus_`): one of our tenants.
pub type CustomerId = Id<'c', 'u', 's'>;
/// An event of Stripe's own (`evt_`), as webhooks announce it.
pub type EventId = Id<'e', 'v', 't'>;
/// A meter (`mtr_`).
pub type MeterId = Id<'m', 't', 'r'>;

/// Stripe's own limit.
const LONGEST: usize = 255;

/// An identifier whose first letters are `A`, `B` and `C`.
///
/// ```
/// use partners::stripe::CustomerId;
/// assert!(CustomerId::parse("cus_QXg1o8vcGmoR32").is_ok());
/// assert!(CustomerId::parse("mtr_61RCjiqdTDC91zgip").is_err());
/// ```
///
/// ```compile_fail
/// use partners::stripe::{CustomerId, MeterId};
/// let meter: MeterId = CustomerId::parse("cus_QXg1o8vcGmoR32").unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Id<const A: char, const B: char, const C: char>(String);

/// Text that is not an identifier of the kind wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a Stripe identifier: {0}{1}{2}_ and letters, digits or underscores expected")]
pub struct NotAnId(char, char, char);

impl<const A: char, const B: char, const C: char> Id<A, B, C> {
    /// Reads an identifier; spaces, other signs and other kinds are refused.
    pub fn parse(text: &str) -> Result<Self, NotAnId> {
        let rest = text.strip_prefix(A).and_then(|rest| rest.strip_prefix(B)).and_then(|rest| rest.strip_prefix(C));
        let rest = rest.and_then(|rest| rest.strip_prefix('_')).unwrap_or_default();
        let plain = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if rest.is_empty() || !plain || text.len() > LONGEST {
            return Err(NotAnId(A, B, C));
        }
        Ok(Self(text.to_owned()))
    }

    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const A: char, const B: char, const C: char> fmt::Display for Id<A, B, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const A: char, const B: char, const C: char> FromStr for Id<A, B, C> {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        Self::parse(text)
    }
}

impl<const A: char, const B: char, const C: char> TryFrom<String> for Id<A, B, C> {
    type Error = NotAnId;

    fn try_from(text: String) -> Result<Self, NotAnId> {
        Self::parse(&text)
    }
}

impl<const A: char, const B: char, const C: char> From<Id<A, B, C>> for String {
    fn from(id: Id<A, B, C>) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_safe_in_a_url_is_an_identifier() {
        for good in ["mtr_1", "mtr_test_61RCjiqdTDC91zgip41IqPCzPnxqqSVc"] {
            assert_eq!(MeterId::parse(good).unwrap().as_str(), good);
        }
        let long = format!("mtr_{}", "a".repeat(252));
        for bad in ["", "mtr_", "mtr", "mtr-1", "cus_1", "mtr_1/../x", "mtr_1 ", " mtr_1", "mtr_é", "MTR_1", &long] {
            assert!(MeterId::parse(bad).is_err(), "{bad}");
        }
    }
}
