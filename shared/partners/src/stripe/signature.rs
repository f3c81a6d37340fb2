//! Proof that a webhook came from Stripe (`Stripe-Signature`).
//!
//! The header reads `t=<unix seconds>,v1=<hex>[,v1=<hex>…][,v0=…]`. Each `v1` is the HMAC-SHA256 of `t`, a full stop and
//! the body as it came, under a secret of the endpoint; the whole text `whsec_…` is the key. While a secret is rolled,
//! Stripe signs with both for up to 24 hours, so there are several `v1`, and both secrets are tried here. Other schemes
//! (`v0` is for tests) prove nothing and are passed over.
//!
//! A signature counts for five minutes, to both sides of our clock: Stripe's libraries refuse only what is old, but a
//! time far in the future would let a captured request be sent again until then. Within the five minutes a request can
//! be sent again, and Stripe itself repeats and reorders: callers remember the event's id.
//!
//! Source: <https://docs.stripe.com/webhooks#verify-manually>, <https://docs.stripe.com/webhooks#roll-endpoint-secrets>.

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

/// The largest body that is looked at, in bytes; Stripe's own thin events stay far below.
pub const BODY_LIMIT: usize = 256 * 1024;

/// How far the time of a signature may lie from ours.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// The longest header that is looked at, in bytes: some fifty signatures.
const HEADER_LIMIT: usize = 4 * 1024;

/// Why a request was not taken for Stripe's. All of them are answered alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No header, or one without exactly one time or without any `v1`.
    #[error("no readable signature")]
    NoSignature,
    /// More than [`BODY_LIMIT`].
    #[error("body over {BODY_LIMIT} bytes")]
    BodyTooLarge,
    /// Signed more than [`TOLERANCE`] ago: sent again, or our clock is wrong.
    #[error("signed too long ago")]
    TooOld,
    /// Signed more than [`TOLERANCE`] from now: our clock is wrong, or it is forged.
    #[error("signed in the future")]
    TooNew,
    /// No secret gives this signature.
    #[error("signature does not match")]
    WrongSignature,
}

/// The secrets that Stripe may have signed with; several at once, so that each can be rolled without a gap.
///
/// AWS-LC wipes the keys when they are dropped.
pub struct Secrets(Vec<hmac::Key>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secrets").field(&self.0.len()).finish()
    }
}

impl Secrets {
    /// The endpoint's secret and those being retired, each whole as Stripe shows it (`whsec_…`).
    ///
    /// An empty secret is no secret and is left out: anyone could sign with it. The texts are wiped.
    #[must_use]
    pub fn new(secrets: Vec<String>) -> Self {
        let ready = |text: String| {
            let text = Zeroizing::new(text);
            (!text.is_empty()).then(|| key(&text))
        };
        Self(secrets.into_iter().filter_map(ready).collect())
    }

    /// When Stripe signed this body, if it did and that is not long ago.
    ///
    /// The signature is looked at before its time, so that only Stripe learns what our clock says. Every secret is tried
    /// with every signature, whether or not one has matched.
    pub fn verify(&self, header: Option<&str>, body: &[u8], now: Timestamp) -> Result<Timestamp, Refused> {
        if body.len() > BODY_LIMIT {
            return Err(Refused::BodyTooLarge);
        }
        let said = header.and_then(Said::read).ok_or(Refused::NoSignature)?;
        let mut matches = false;
        for key in &self.0 {
            let tag = tag(key, said.time, body);
            for given in &said.signatures {
                matches |= constant_time::verify_slices_are_equal(tag.as_ref(), given).is_ok();
            }
        }
        if !matches {
            return Err(Refused::WrongSignature);
        }
        let age = now.duration_since(said.at);
        if age > TOLERANCE {
            Err(Refused::TooOld)
        } else if age < -TOLERANCE {
            Err(Refused::TooNew)
        } else {
            Ok(said.at)
        }
    }
}

/// The header for a body signed at a time with these secrets: what Stripe does at its end, for stand-ins and tests.
#[must_use]
pub fn sign(secrets: &[&str], at: Timestamp, body: &[u8]) -> String {
    let time = at.as_second().to_string();
    let mut header = format!("t={time}");
    for secret in secrets {
        header.push_str(",v1=");
        for byte in tag(&key(secret), &time, body).as_ref() {
            header.extend([byte >> 4, byte & 0xf].iter().filter_map(|half| char::from_digit((*half).into(), 16)));
        }
    }
    header
}

fn key(secret: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())
}

fn tag(key: &hmac::Key, time: &str, body: &[u8]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    for part in [time.as_bytes(), b".", body] {
        context.update(part);
    }
    context.sign()
}

/// What the header says.
struct Said<'a> {
    /// As it was written: this is what was signed.
    time: &'a str,
    at: Timestamp,
    signatures: Vec<Vec<u8>>,
}

impl<'a> Said<'a> {
    fn read(header: &'a str) -> Option<Self> {
        if header.len() > HEADER_LIMIT {
            return None;
        }
        let (mut time, mut signatures) = (None, Vec::new());
        for (name, value) in header.split(',').filter_map(|part| part.trim().split_once('=')) {
            match name {
                // Of two times one would be signed and the other believed.
                "t" if time.replace(value).is_some() => return None,
                "v1" => signatures.extend(bytes(value)),
                _ => {}
            }
        }
        let time = time.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))?;
        let at = Timestamp::from_second(time.parse().ok()?).ok()?;
        (!signatures.is_empty()).then_some(Self { time, at, signatures })
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let half = |byte: &u8| char::from(*byte).to_digit(16).and_then(|half| u8::try_from(half).ok());
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|pair| if let [high, low] = pair { Some(half(high)? << 4 | half(low)?) } else { None }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "whsec_test_secret";
    const BODY: &[u8] = br#"{"id":"evt_test","object":"event"}"#;
    const TIME: i64 = 1_492_774_577;
    /// Computed by hand with OpenSSL, and the same in Stripe's libraries.
    const SIGNATURE: &str = "691252e266ce41cb94d709c84e9580d4172b117a510bbc81723f657d2cd5d215";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn verify(header: &str) -> Result<Timestamp, Refused> {
        Secrets::new(vec![SECRET.into()]).verify(Some(header), BODY, at(TIME))
    }

    #[test]
    fn the_known_vector_is_made_and_believed() {
        let header = format!("t={TIME},v1={SIGNATURE}");
        assert_eq!(sign(&[SECRET], at(TIME), BODY), header);
        assert_eq!(verify(&header), Ok(at(TIME)));
    }

    #[test]
    fn while_a_secret_is_rolled_either_one_proves_it() {
        let both = sign(&["whsec_new", SECRET], at(TIME), BODY);
        assert_eq!(verify(&both), Ok(at(TIME)));
        let ours = Secrets::new(vec!["whsec_new".into(), SECRET.into()]);
        for secret in ["whsec_new", SECRET] {
            assert_eq!(ours.verify(Some(&sign(&[secret], at(TIME), BODY)), BODY, at(TIME)), Ok(at(TIME)));
        }
        assert_eq!(verify(&sign(&["whsec_new"], at(TIME), BODY)), Err(Refused::WrongSignature));
    }

    #[test]
    fn other_schemes_prove_nothing_and_disturb_nothing() {
        assert_eq!(verify(&format!("t={TIME},v0={SIGNATURE}")), Err(Refused::NoSignature));
        assert_eq!(verify(&format!("t={TIME},v2={SIGNATURE}")), Err(Refused::NoSignature));
        assert_eq!(verify(&format!("v0=abc, t={TIME} ,v9, v1=zz,v1={SIGNATURE}")), Ok(at(TIME)));
    }

    #[test]
    fn a_signature_counts_for_five_minutes_to_both_sides() {
        let header = sign(&[SECRET], at(TIME), BODY);
        let when = |offset: i64| Secrets::new(vec![SECRET.into()]).verify(Some(&header), BODY, at(TIME + offset));
        assert_eq!(when(300), Ok(at(TIME)));
        assert_eq!(when(-300), Ok(at(TIME)));
        assert_eq!(when(301), Err(Refused::TooOld));
        assert_eq!(when(-301), Err(Refused::TooNew));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let long = format!("t={TIME},v1={SIGNATURE},v0={}", "0".repeat(HEADER_LIMIT));
        let headers = [
            "",
            "t=1",
            "v1=00",
            &format!("t=,v1={SIGNATURE}"),
            &format!("t=-5,v1={SIGNATURE}"),
            &format!("t=+{TIME},v1={SIGNATURE}"),
            &format!("t={TIME},t={TIME},v1={SIGNATURE}"),
            &format!("t=99999999999999999999,v1={SIGNATURE}"),
            &format!("t={TIME},v1={}", &SIGNATURE[1..]),
            &long,
        ];
        for header in headers {
            assert_eq!(verify(header), Err(Refused::NoSignature), "{header}");
        }
        assert_eq!(verify(&format!("t={TIME},v1={}", &SIGNATURE[2..])), Err(Refused::WrongSignature));
        let secrets = Secrets::new(vec![SECRET.into()]);
        assert_eq!(secrets.verify(None, BODY, at(TIME)), Err(Refused::NoSignature));
        let large = vec![b' '; BODY_LIMIT + 1];
        let header = sign(&[SECRET], at(TIME), &large);
        assert_eq!(secrets.verify(Some(&header), &large, at(TIME)), Err(Refused::BodyTooLarge));
    }

    #[test]
    fn an_empty_secret_opens_nothing() {
        let header = sign(&[""], at(TIME), BODY);
        for secrets in [vec![String::new()], Vec::new()] {
            assert_eq!(Secrets::new(secrets).verify(Some(&header), BODY, at(TIME)), Err(Refused::WrongSignature));
        }
        assert_eq!(format!("{:?}", Secrets::new(vec![SECRET.into()])), "Secrets(1)");
    }

    proptest! {
        #[test]
        fn any_change_to_body_or_time_is_noticed(
            body in prop::collection::vec(any::<u8>(), 1..200),
            place in any::<prop::sample::Index>(),
            bit in 0..8_u8,
            later in 1..300_i64,
        ) {
            let secrets = Secrets::new(vec![SECRET.into()]);
            let header = sign(&[SECRET], at(TIME), &body);
            prop_assert_eq!(secrets.verify(Some(&header), &body, at(TIME)), Ok(at(TIME)));
            let moved = header.replace(&TIME.to_string(), &(TIME + later).to_string());
            prop_assert_eq!(secrets.verify(Some(&moved), &body, at(TIME)), Err(Refused::WrongSignature));
            let mut changed = body.clone();
            let place = place.index(changed.len());
            changed[place] ^= 1 << bit;
            prop_assert_eq!(secrets.verify(Some(&header), &changed, at(TIME)), Err(Refused::WrongSignature));
        }

        #[test]
        fn no_header_whatever_makes_it_fall_over(header in ".{0,120}", body in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert!(Secrets::new(vec![SECRET.into()]).verify(Some(&header), &body, at(TIME)).is_err());
        }
    }
}
