//! Tickets: small sealed texts that a browser or a mail carries for us, and codes that only we can make.
//!
//! A ticket opens for one purpose, in one context (a tenant, a session), until it expires. AES-256-GCM-SIV under a key
//! of the secret `DASHBOARD_SECRET`, `{"ticket_key": 64 random characters}`, made by `template.yaml`.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::{constant_time, hmac, rand};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::seal::push_part;
use crate::{Error, config};

/// After this the secret is read again.
const KEEP_FOR: SignedDuration = SignedDuration::from_mins(10);

/// Seals and opens tickets.
pub struct Tickets {
    sealing: LessSafeKey,
    mac: hmac::Key,
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tickets(..)")
    }
}

impl Tickets {
    /// From the secret's key.
    pub fn new(key: &str) -> Result<Self, Error> {
        let refused = || Error::Failed { doing: "deriving the ticket keys", source: "refused".into() };
        if key.len() < 32 {
            return Err(refused());
        }
        let prk = Salt::new(HKDF_SHA256, b"tickets/v1").extract(key.as_bytes());
        let derive = |label: &'static [u8]| {
            let mut bytes = Zeroizing::new([0; 32]);
            prk.expand(&[label], Len32).and_then(|okm| okm.fill(&mut *bytes)).map_err(|_| refused())?;
            Ok::<_, Error>(bytes)
        };
        let sealing = derive(b"seal")?;
        let mac = derive(b"mac")?;
        Ok(Self {
            sealing: UnboundKey::new(&AES_256_GCM_SIV, sealing.as_slice())
                .map(LessSafeKey::new)
                .map_err(|_| refused())?,
            mac: hmac::Key::new(hmac::HMAC_SHA256, mac.as_slice()),
        })
    }

    /// Seals a value as text that fits into a URL, a cookie or a hidden field.
    pub fn seal(
        &self,
        purpose: &'static str,
        context: &str,
        expires: Timestamp,
        value: &impl Serialize,
    ) -> Result<String, Error> {
        let refused = || Error::Failed { doing: "sealing a ticket", source: "refused".into() };
        let mut body = expires.as_second().to_be_bytes().to_vec();
        serde_json::to_writer(&mut body, value).map_err(Error::failed("writing a ticket"))?;
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).map_err(|_| refused())?;
        self.sealing
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated_data(purpose, context)),
                &mut body,
            )
            .map_err(|_| refused())?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode([nonce.as_slice(), &body].concat()))
    }

    /// Opens a ticket; `NotFound` for one that is forged, edited, expired or meant for something else.
    pub fn open<T: DeserializeOwned>(
        &self,
        purpose: &'static str,
        context: &str,
        now: Timestamp,
        ticket: &str,
    ) -> Result<T, Error> {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(ticket).map_err(|_| Error::NotFound)?;
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Error::NotFound)?;
        let mut body = body.to_vec();
        let opened = self
            .sealing
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(associated_data(purpose, context)),
                &mut body,
            )
            .map_err(|_| Error::NotFound)?;
        let (expires, value) = opened.split_first_chunk::<8>().ok_or(Error::NotFound)?;
        if now.as_second() >= i64::from_be_bytes(*expires) {
            return Err(Error::NotFound);
        }
        serde_json::from_slice(value).map_err(|_| Error::NotFound)
    }

    /// A code for a text that only we can make.
    #[must_use]
    pub fn mac(&self, purpose: &'static str, text: &str) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&self.mac, &associated_data(purpose, text)).as_ref())
    }

    /// Whether a code is that of the text; in constant time.
    #[must_use]
    pub fn is_mac(&self, purpose: &'static str, text: &str, code: &str) -> bool {
        constant_time::verify_slices_are_equal(self.mac(purpose, text).as_bytes(), code.as_bytes()).is_ok()
    }
}

fn associated_data(purpose: &str, context: &str) -> Vec<u8> {
    let mut data = vec![];
    push_part(&mut data, purpose.as_bytes());
    push_part(&mut data, context.as_bytes());
    data
}

#[derive(Clone, Copy)]
struct Len32;

impl KeyType for Len32 {
    fn len(&self) -> usize {
        32
    }
}

/// 256 random bits as text: a session's id, the token of a link.
pub fn random_token() -> Result<String, Error> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| Error::Failed { doing: "drawing a token", source: "refused".into() })?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// The secret as it is stored.
#[derive(Deserialize)]
struct Stored {
    ticket_key: String,
}

/// Reads the secret once per process, and again every ten minutes.
#[derive(Debug)]
pub(crate) struct TicketStore {
    client: aws_sdk_secretsmanager::Client,
    arn: Option<String>,
    held: Mutex<Option<(Timestamp, Arc<Tickets>)>>,
}

impl TicketStore {
    pub(crate) fn new(client: aws_sdk_secretsmanager::Client, arn: Option<String>) -> Self {
        Self { client, arn, held: Mutex::default() }
    }

    pub(crate) async fn get(&self, now: Timestamp) -> Result<Arc<Tickets>, Error> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match held {
            Some((read, tickets)) if now.duration_since(read).abs() < KEEP_FOR => Ok(tickets),
            // What was good ten minutes ago is better than nothing.
            Some((_, tickets)) => Ok(self.fetch(now).await.unwrap_or(tickets)),
            None => self.fetch(now).await,
        }
    }

    async fn fetch(&self, now: Timestamp) -> Result<Arc<Tickets>, Error> {
        let arn = config::required(self.arn.as_deref(), "DASHBOARD_SECRET is not set")?;
        let output = self
            .client
            .get_secret_value()
            .secret_id(arn)
            .send()
            .await
            .map_err(|error| Error::failed("reading the dashboard's secret")(error.into_service_error()))?;
        // The cause would quote the secret.
        let stored: Stored = serde_json::from_str(output.secret_string().unwrap_or_default()).map_err(|_| {
            Error::Failed { doing: "reading the dashboard's secret", source: "it has no ticket_key".into() }
        })?;
        let tickets = Arc::new(Tickets::new(&stored.ticket_key)?);
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&tickets)));
        Ok(tickets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tickets() -> Tickets {
        Tickets::new(&"k".repeat(64)).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_ticket_opens_for_its_purpose_in_its_context_until_it_expires() {
        let tickets = tickets();
        let sealed = tickets.seal("cursor", "t-a", at("2026-11-22T01:00:00Z"), &("next", 7)).unwrap();
        let open = |purpose, context, now| {
            tickets.open::<(String, u8)>(purpose, context, at(now), &sealed).map_err(|error| error.kind())
        };
        assert_eq!(open("cursor", "t-a", "2026-11-22T00:59:59Z"), Ok(("next".into(), 7)));
        assert_eq!(open("cursor", "t-a", "2026-11-22T01:00:00Z"), Err("NotFound"));
        assert_eq!(open("cursor", "t-b", "2026-11-22T00:00:00Z"), Err("NotFound"));
        assert_eq!(open("recording", "t-a", "2026-11-22T00:00:00Z"), Err("NotFound"));
    }

    #[test]
    fn a_changed_ticket_is_not_found() {
        let tickets = tickets();
        let sealed = tickets.seal("cursor", "t-a", Timestamp::MAX, &"next").unwrap();
        for n in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[n] = if changed[n] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(
                changed == sealed || tickets.open::<String>("cursor", "t-a", Timestamp::UNIX_EPOCH, &changed).is_err()
            );
        }
        for wrong in ["", "A", "!", "Ä", &sealed[1..]] {
            assert!(tickets.open::<String>("cursor", "t-a", Timestamp::UNIX_EPOCH, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_code_belongs_to_its_text_and_purpose() {
        let tickets = tickets();
        let code = tickets.mac("csrf", "session");
        assert!(tickets.is_mac("csrf", "session", &code));
        assert!(!tickets.is_mac("csrf", "another", &code));
        assert!(!tickets.is_mac("other", "session", &code));
        assert!(!tickets.is_mac("csrf", "session", ""));
    }
}
