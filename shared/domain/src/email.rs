//! E-mail addresses.
//!
//! An address is personal: [`EmailAddress`] is not printed with `Debug`, and has no `Display`.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Host;

/// An address that mail can be sent to (RFC 5321 4.1.2, without quoted local parts and address literals).
///
/// The domain is in lower case and, where it is not ASCII, in Punycode. The local part is as it was written, and ASCII:
/// Amazon SES sends to no other.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// The longest address that can be written in a message's envelope (RFC 5321 4.5.3.1.3, less its angle brackets).
const LONGEST: usize = 254;

/// The longest local part (RFC 5321 4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;

/// Why a text is not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Nothing was entered.
    #[error("enter an e-mail address")]
    Empty,
    /// It is longer than an envelope takes.
    #[error("an e-mail address has at most 254 characters")]
    TooLong,
    /// There is no `@`, or nothing on one of its sides, or a character that cannot stand there.
    #[error("enter an address such as name@example.com")]
    Malformed,
}

impl EmailAddress {
    /// Reads an address, without the blanks around it.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(EmailError::Empty);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError::Malformed)?;
        // Punycode can only make it longer.
        if text.chars().count() > LONGEST || local.len() > LONGEST_LOCAL {
            return Err(EmailError::TooLong);
        }
        let of_an_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
        if !local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(of_an_atom)) {
            return Err(EmailError::Malformed);
        }
        // The URL standard takes escapes for what they stand for, and an address has none.
        if domain.contains('%') {
            return Err(EmailError::Malformed);
        }
        let Ok(Host::Domain(domain)) = Host::parse(domain) else { return Err(EmailError::Malformed) };
        if !is_host_name(&domain) || !domain.contains('.') {
            return Err(EmailError::Malformed);
        }
        let address = format!("{local}@{domain}");
        if address.len() > LONGEST { Err(EmailError::TooLong) } else { Ok(Self(address)) }
    }

    /// The address, to send to and to show.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which an address is found again: all of it in lower case.
    ///
    /// Dots and what follows a `+` stay: they belong to someone else with another provider.
    #[must_use]
    pub fn normalized(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// Whether an ASCII host name in lower case is made of labels as RFC 1123 has them.
pub(crate) fn is_host_name(host: &str) -> bool {
    let of_a_label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    host.len() <= 253
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(of_a_label)
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(redacted)")
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = EmailError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_keeps_its_local_part_and_has_its_domain_in_lower_case() {
        for (written, read) in [
            ("ana@example.com", "ana@example.com"),
            (" Ana.Perez+shop@Example.COM ", "Ana.Perez+shop@example.com"),
            ("o'hara@mail.example.co.uk", "o'hara@mail.example.co.uk"),
            ("ana@bücher.example", "ana@xn--bcher-kva.example"),
            // The same in letters composed and decomposed.
            ("ana@bu\u{308}cher.example", "ana@xn--bcher-kva.example"),
        ] {
            match EmailAddress::parse(written) {
                Ok(address) => assert_eq!(address.as_str(), read),
                Err(error) => panic!("{written}: {error}"),
            }
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        assert_eq!(EmailAddress::parse("  "), Err(EmailError::Empty));
        assert_eq!(EmailAddress::parse(&format!("{}@example.com", "a".repeat(65))), Err(EmailError::TooLong));
        let domain = format!("{}.example", vec!["a".repeat(60); 4].join("."));
        assert_eq!(EmailAddress::parse(&format!("ana@{domain}")), Err(EmailError::TooLong));
        for wrong in [
            "ana",
            "@example.com",
            "ana@",
            "ana@localhost",
            "ana@@example.com",
            "a b@example.com",
            ".ana@example.com",
            "ana..perez@example.com",
            "\"ana\"@example.com",
            "josé@example.com",
            "ana@[127.0.0.1]",
            "ana@127.0.0.1",
            "ana@example.com.",
            "ana@-example.com",
            "ana@ex%61mple.com",
            "ana@example.com\r\nBcc: all@example.com",
            "Ana <ana@example.com>",
        ] {
            assert_eq!(EmailAddress::parse(wrong), Err(EmailError::Malformed), "{wrong}");
        }
    }

    #[test]
    fn an_address_is_found_in_whatever_case_it_was_written_and_never_printed() {
        let address = EmailAddress::parse("Ana.Perez@Example.com").unwrap();
        assert_eq!(address.normalized(), "ana.perez@example.com");
        assert_eq!(format!("{address:?}"), "EmailAddress(redacted)");
    }

    proptest! {
        #[test]
        fn whatever_is_entered_what_is_accepted_is_accepted_again_unchanged(text in "\\PC*|[a-zA-Z.+]{1,9}@[a-zß.]{1,9}") {
            if let Ok(address) = EmailAddress::parse(&text) {
                prop_assert!(address.as_str().len() <= 254 && address.as_str().is_ascii());
                prop_assert_eq!(EmailAddress::parse(address.as_str()), Ok(address));
            }
        }
    }
}
