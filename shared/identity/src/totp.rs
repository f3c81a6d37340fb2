//! One-time codes from an authenticator app (RFC 6238).
//!
//! SHA-1, six digits, thirty seconds: what every app understands; some ignore anything else without saying so.

use std::fmt::{self, Write};

use jiff::Timestamp;
use qrcode::{Color, EcLevel, QrCode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subtle::{Choice, ConstantTimeEq};
use totp_rs::{Algorithm, Builder};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::chance::{self, NoChance};

/// Seconds for which one code is shown (RFC 6238, 5.2).
const STEP_SECONDS: u64 = 30;

const DIGITS: u8 = 6;

/// Steps before and after now whose codes are taken, for clocks that are a little off and fingers that are a little slow.
const AROUND: u64 = 1;

/// What the app shows above the code.
const ISSUER: &str = "Optline";

/// What the server and the app share: 20 bytes, the length RFC 4226 recommends. Cleared from memory when dropped, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 20]);

/// An app that was set up, and the last code it was used with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Totp {
    /// What the app computes codes from.
    pub secret: Secret,
    /// The step of the last code that was taken; this one and those before it are not taken again (ASVS 6.5.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_step: Option<u64>,
}

/// The app's link or QR code could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The label cannot be written into a link.
    #[error("the account's label cannot be shown in an authenticator app: {0}")]
    Label(totp_rs::TotpError),
    /// The label is too long for a QR code.
    #[error("the link does not fit into a QR code: {0}")]
    Qr(qrcode::types::QrError),
}

impl Secret {
    /// A new secret.
    pub fn new() -> Result<Self, NoChance> {
        chance::bytes().map(Self)
    }

    /// For typing into an app by hand: base32 in groups of four, `GEZD GNBV …`. Apps ignore the spaces.
    #[must_use]
    pub fn typed(&self) -> String {
        let base32 = totp_rs::Secret::new_stack(self.0).to_base32();
        let mut grouped = String::with_capacity(base32.len() * 5 / 4);
        for (at, character) in base32.chars().enumerate() {
            if at > 0 && at % 4 == 0 {
                grouped.push(' ');
            }
            grouped.push(character);
        }
        grouped
    }

    /// The `otpauth://` link that sets an app up. `account` is the label beneath the name of the service: the e-mail address.
    ///
    /// Whoever sees it can compute codes; it goes to the person's own page and nowhere else.
    pub fn uri(&self, account: &str) -> Result<String, SetupError> {
        // A colon would end the issuer (Key URI format); an address can have one only in quotes.
        let account = account.replace(':', " ");
        let account = account.trim();
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_step_duration(STEP_SECONDS)
            .with_secret(totp_rs::Secret::new_stack(self.0))
            .with_issuer(Some(ISSUER))
            .with_account_name(if account.is_empty() { ISSUER } else { account })
            .build()
            .and_then(|totp| totp.to_url())
            .map_err(SetupError::Label)
    }

    /// The link as a QR code: an `<svg>` to be put into the page as it is.
    ///
    /// Nothing in it needs an exception from a Content-Security-Policy without `unsafe-inline`. It brings its own white ground, for a
    /// dark page must not invert it. `title` is what a screen reader says.
    pub fn qr(&self, account: &str, title: &str) -> Result<String, SetupError> {
        let code = QrCode::with_error_correction_level(self.uri(account)?, EcLevel::M).map_err(SetupError::Qr)?;
        Ok(svg(&code, title))
    }

    /// The step whose code was typed, if it is one of now, the one before or the one after, and later than `last_used_step`.
    ///
    /// Store the step that comes back: it is what keeps the code from being used again. Spaces in the code do not matter.
    #[must_use]
    pub fn verify(&self, code: &str, now: Timestamp, last_used_step: Option<u64>) -> Option<u64> {
        let code: String = code.chars().filter(|character| !character.is_whitespace()).collect();
        if code.len() != usize::from(DIGITS) || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let step = step_at(now)?;
        let mut found = None;
        // Every step is compared, matched or not: the time taken does not tell which.
        for step in step.saturating_sub(AROUND)..=step.saturating_add(AROUND) {
            let same: Choice = self.code(step, DIGITS).as_bytes().ct_eq(code.as_bytes());
            let unused = last_used_step.is_none_or(|last| step > last);
            if bool::from(same) && unused && found.is_none() {
                found = Some(step);
            }
        }
        found
    }

    fn code(&self, step: u64, digits: u8) -> String {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(digits)
            .with_step_duration(STEP_SECONDS)
            .with_secret(totp_rs::Secret::new_stack(self.0))
            // "Noncompliant" skips the check of the label, which plays no part in a code.
            .build_noncompliant()
            .generate(step.saturating_mul(STEP_SECONDS))
            .to_string()
    }
}

impl Totp {
    /// An app whose first code was just taken: what [`Secret::verify`] gave.
    #[must_use]
    pub fn new(secret: Secret, step: u64) -> Self {
        Self { secret, last_step: Some(step) }
    }

    /// Takes a code once: `true` when it is right, and then this code and all before it are spent. Store it before letting anyone in.
    #[must_use]
    pub fn use_code(&mut self, code: &str, now: Timestamp) -> bool {
        match self.secret.verify(code, now, self.last_step) {
            Some(step) => {
                self.last_step = Some(step);
                true
            }
            None => false,
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&totp_rs::Secret::new_stack(self.0).to_base32())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let mut base32 = String::deserialize(deserializer)?;
        let secret = totp_rs::Secret::try_from_base32(&base32);
        base32.zeroize();
        // The message says nothing of the content, which is secret.
        let secret = secret.map_err(|_| D::Error::custom("a TOTP secret is base32"))?;
        secret.as_bytes().try_into().map(Self).map_err(|_| D::Error::custom("a TOTP secret has 20 bytes"))
    }
}

fn step_at(now: Timestamp) -> Option<u64> {
    u64::try_from(now.as_second()).ok().map(|seconds| seconds / STEP_SECONDS)
}

/// Modules one unit wide, and four around them that stay light (ISO/IEC 18004, 6.3.8).
fn svg(code: &QrCode, title: &str) -> String {
    const QUIET: usize = 4;
    let width = code.width();
    let side = width + 2 * QUIET;
    let mut path = String::new();
    for (at, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let (x, y) = (at % width + QUIET, at / width + QUIET);
            // Writing to a string cannot fail.
            let _ = write!(path, "M{x} {y}h1v1h-1z");
        }
    }
    let title = escape(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"qr\" role=\"img\" aria-label=\"{title}\" width=\"240\" height=\"240\" \
         viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\"><title>{title}</title>\
         <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn known() -> Secret {
        Secret(*b"12345678901234567890")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        for (second, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let step = step_at(at(second)).unwrap();
            assert_eq!(known().code(step, 8), code, "at {second}");
            // Six digits are the last six of eight.
            assert_eq!(known().verify(&code[2..], at(second), None), Some(step), "at {second}");
        }
    }

    #[test]
    fn spaces_in_a_code_do_not_matter_and_other_characters_do() {
        assert!(known().verify(" 287 082 ", at(59), None).is_some());
        for wrong in ["28708", "2870820", "28708a", "+87082", "287-082", "", "２８７０８２", "287083"] {
            assert_eq!(known().verify(wrong, at(59), None), None, "{wrong}");
        }
    }

    #[test]
    fn a_code_is_taken_once_and_none_before_it_after() {
        let mut app = Totp { secret: known(), last_step: None };
        let (before, code) = (known().code(9, DIGITS), known().code(10, DIGITS));
        assert!(app.use_code(&code, at(10 * 30)));
        assert_eq!(app.last_step, Some(10));
        assert!(!app.use_code(&code, at(10 * 30)));
        assert!(!app.use_code(&code, at(11 * 30)));
        assert!(!app.use_code(&before, at(10 * 30)));
        assert!(app.use_code(&known().code(11, DIGITS), at(10 * 30)));
    }

    #[test]
    fn time_before_1970_has_no_codes() {
        assert_eq!(known().verify("287082", at(-1), None), None);
    }

    #[test]
    fn the_link_names_service_and_account() {
        assert_eq!(
            known().uri("jo+miller@acme.example").unwrap(),
            "otpauth://totp/Optline:jo%2Bmiller%40acme.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Optline"
        );
        assert!(known().uri("\"a:b\"@acme.example").is_ok());
        assert!(known().uri("  ").unwrap().starts_with("otpauth://totp/Optline:Optline?"));
    }

    #[test]
    fn the_secret_is_typed_in_groups_of_four() {
        assert_eq!(known().typed(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    }

    #[test]
    fn the_qr_code_needs_no_exception_from_the_policy_and_has_a_title() {
        let svg = known().qr("jo@acme.example", "Scan <me> & \"go\"").unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"));
        assert!(svg.contains("<title>Scan &lt;me&gt; &amp; &quot;go&quot;</title>"));
        assert!(svg.contains("fill=\"#fff\""));
        for never in ["style", "script", "<?xml", " on", "href", "GEZD"] {
            assert!(!svg.contains(never), "{never}");
        }
    }

    #[test]
    fn every_dark_module_is_drawn_inside_the_quiet_zone() {
        let code = QrCode::new("otpauth://totp/x").unwrap();
        let dark = code.to_colors().into_iter().filter(|color| *color == Color::Dark).count();
        let svg = svg(&code, "x");
        assert_eq!(svg.matches("h1v1h-1z").count(), dark);
        // The finder pattern begins at the corner of the code.
        assert!(svg.contains("d=\"M4 4h1v1h-1z"));
    }

    #[test]
    fn a_new_secret_is_new_and_is_stored_as_base32() {
        let secret = Secret::new().unwrap();
        assert_ne!(secret, Secret::new().unwrap());
        let stored = serde_json::to_string(&secret).unwrap();
        assert_eq!(stored.len(), 32 + 2);
        assert_eq!(serde_json::from_str::<Secret>(&stored).unwrap(), secret);
        assert_eq!(serde_json::to_string(&known()).unwrap(), "\"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\"");
    }

    #[test]
    fn a_stored_secret_of_another_length_is_refused_without_showing_it() {
        for wrong in ["\"GEZDGNBV\"", "\"not base32!\""] {
            let error = serde_json::from_str::<Secret>(wrong).unwrap_err().to_string();
            assert!(error.starts_with("a TOTP secret"), "{error}");
            assert!(!error.contains(wrong));
        }
        assert!(!format!("{:?}", Totp { secret: known(), last_step: Some(1) }).contains("GEZD"));
    }

    proptest! {
        #[test]
        fn a_code_opens_in_its_own_step_and_its_neighbours_only(bytes: [u8; 20], second in 3_000_i64..4_000_000_000, off in -4_i64..=4) {
            let secret = Secret(bytes);
            let step = step_at(at(second)).unwrap();
            let code = secret.code(step, DIGITS);
            let taken = secret.verify(&code, at(second + off * 30), None);
            if off.abs() <= 1 {
                prop_assert!(taken.is_some());
            } else {
                // Two steps have the same six digits once in a million; that code is another step's.
                prop_assert_ne!(taken, Some(step));
            }
        }

        #[test]
        fn nothing_at_or_before_the_last_step_is_taken(bytes: [u8; 20], second in 3_000_i64..4_000_000_000, later in 0_u64..5) {
            let secret = Secret(bytes);
            let step = step_at(at(second)).unwrap();
            let code = secret.code(step, DIGITS);
            if let Some(taken) = secret.verify(&code, at(second), Some(step + later)) {
                prop_assert!(taken > step + later);
            }
        }

        #[test]
        fn whatever_is_typed_is_answered(code: String, second in -10_i64..4_000_000_000) {
            let _ = known().verify(&code, at(second), None);
        }
    }
}
