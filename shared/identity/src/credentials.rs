//! What one account has to prove who is there, in the form that is stored.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::passkey::StoredPasskey;
use crate::recovery::CodeHash;
use crate::totp::Totp;

/// An account's factors. Stored sealed; `Debug` says what there is and nothing of it.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Credentials {
    /// The PHC string of [`password::hash`](crate::password::hash); none for someone who signs in with passkeys only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<String>,
    /// The authenticator app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totp: Option<Totp>,
    /// Keys on the person's devices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passkeys: Vec<StoredPasskey>,
    /// The recovery codes not used yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recovery: Vec<CodeHash>,
}

impl Credentials {
    /// Whether the account has a second factor, an app or a passkey, and so may be let in (ASVS 6.3.3). Recovery codes are for the day
    /// one is lost; they are none themselves.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.totp.is_some() || !self.passkeys.is_empty()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("password", &self.password_hash.is_some())
            .field("totp", &self.totp.is_some())
            .field("passkeys", &self.passkeys.len())
            .field("recovery", &self.recovery.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passkey;
    use crate::recovery;
    use crate::totp::Secret;

    #[test]
    fn a_password_alone_is_not_complete_nor_are_recovery_codes() {
        let (_, codes) = recovery::new_codes().unwrap();
        let account =
            Credentials { password_hash: Some("$argon2id$".to_owned()), recovery: codes, ..Credentials::default() };
        assert!(!account.is_complete());
    }

    #[test]
    fn an_app_or_a_passkey_makes_it_complete() {
        let app = Totp::new(Secret::new().unwrap(), 1);
        assert!(Credentials { totp: Some(app), ..Credentials::default() }.is_complete());
        let key = passkey::tests::a_stored_passkey();
        assert!(Credentials { passkeys: vec![key], ..Credentials::default() }.is_complete());
    }

    #[test]
    fn what_is_stored_reads_back_and_does_not_change_its_form() {
        let secret: Secret = serde_json::from_value(json!("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")).unwrap();
        let (_, recovery) = recovery::new_codes().unwrap();
        let account = Credentials {
            password_hash: Some("$argon2id$…".to_owned()),
            totp: Some(Totp::new(secret, 57_000_000)),
            passkeys: vec![passkey::tests::a_stored_passkey()],
            recovery,
        };
        let stored = serde_json::to_value(&account).unwrap();
        assert_eq!(stored["password-hash"], "$argon2id$…");
        assert_eq!(stored["totp"], json!({"secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "last-step": 57_000_000}));
        assert_eq!(stored["passkeys"][0]["name"], "Jo’s laptop");
        assert_eq!(stored["passkeys"][0]["created-at"], "2026-11-22T10:00:00Z");
        assert_eq!(serde_json::from_value::<Credentials>(stored).unwrap(), account);
        assert_eq!(serde_json::from_value::<Credentials>(json!({})).unwrap(), Credentials::default());
    }

    #[test]
    fn debug_says_what_there_is_and_nothing_of_it() {
        let account = Credentials { password_hash: Some("$argon2id$hush".to_owned()), ..Credentials::default() };
        assert_eq!(format!("{account:?}"), "Credentials { password: true, totp: false, passkeys: 0, recovery: 0 }");
    }
}
