//! The state of a telephone call between two steps, sealed in the action URL.
//!
//! Twilio carries it from one webhook to the next, so a step in the middle of a call reads no database. Sealed with
//! AES-256-GCM-SIV (RFC 8452), bound to the call's SID and to the step that it is meant for. The nonce follows from the
//! content: the same state gives the same URL, and so a repeated webhook gets the same answer to the letter.

use std::fmt;
use std::ops::{Deref, DerefMut};

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::jurisdiction::Jurisdiction;
use domain::language::Language;
use domain::phone::E164;
use domain::reference::Reference;
use domain::request::Kind;
use domain::service_code::ServiceCode;
use jiff::Timestamp;
use partners::twilio::{CallSid, RecordingSid};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Error;
use crate::seal::push_part;
use crate::tenant::Tenant;

/// Twilio ends a call after four hours; the hour in which it began is rounded down.
const EXPIRES_AFTER_HOURS: i64 = 5;
const FORMAT: u8 = 1;

/// What a call has come to: its progress, and the tenant whose service code was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    progress: Progress,
    tenant: Option<Tenant>,
}

/// The part of a call's state that is free to read and change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Hours since 1970 when the call began.
    began: u32,
    /// What the caller hears.
    pub language: Language,
    /// Answers to the current question that did not help: silence or a wrong key.
    pub attempt: u8,
    /// Questions asked so far in this call: no caller is kept on the line for ever.
    pub questions: u8,
    /// The call lost its state once and began again; a second time it goes to the fallback.
    pub again: bool,
    /// The caller asked for help: the next question is put in its fullest wording.
    pub helping: bool,
    /// What exactly the current step is asking, where a step asks more than one thing.
    pub asking: u8,
    /// The service that was reached, once a code is accepted.
    pub service: Option<Service>,
    /// The request as far as it is known.
    pub request: Option<Draft>,
    /// A number dedicated to this service code was dialled: nobody needs to key it.
    pub dedicated_code: Option<ServiceCode>,
}

/// What the rest of the call needs to know of the service code, so that no later step reads it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// The code.
    pub code: ServiceCode,
    /// The brand or site, as callers know it.
    pub name: String,
    /// What it offers.
    pub kinds: Vec<Kind>,
    /// IANA name of the zone whose dates count.
    pub time_zone: String,
    /// Whose clocks count.
    pub jurisdictions: Vec<Jurisdiction>,
    /// Where else to ask.
    pub web_form: Option<String>,
}

/// The first revision of a call that began again: above what it wrote before it lost its state.
const REVISION_AGAIN: u8 = 100;

/// A request in the making.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// What is asked.
    pub kind: Kind,
    /// Goes up each time the caller starts again: what is older never overwrites what is newer.
    pub revision: u8,
    /// A number waiting for the caller's word that it is right.
    pub keyed: Option<E164>,
    /// Set when the request has been written down as incomplete.
    pub reference: Option<Reference>,
    /// The recording in which the caller says their name.
    pub name: Option<RecordingSid>,
    /// The recording in which the caller says what it is about.
    pub details: Option<RecordingSid>,
}

impl Draft {
    fn new(kind: Kind, revision: u8) -> Self {
        Self { kind, revision, keyed: None, reference: None, name: None, details: None }
    }
}

impl Call {
    /// A call that begins now.
    #[must_use]
    pub fn begin(now: Timestamp) -> Self {
        Self {
            progress: Progress {
                began: hours(now),
                language: Language::English,
                attempt: 0,
                questions: 0,
                again: false,
                helping: false,
                asking: 0,
                service: None,
                request: None,
                dedicated_code: None,
            },
            tenant: None,
        }
    }

    /// The service code was accepted: from here on the call belongs to this tenant.
    pub fn reach(&mut self, tenant: Tenant, service: Service) {
        self.tenant = Some(tenant);
        self.progress.service = Some(service);
    }

    /// The tenant and service that the caller reached; a step that needs them cannot go on without.
    pub fn reached(&self) -> Result<(&Tenant, &Service), Error> {
        self.tenant.as_ref().zip(self.progress.service.as_ref()).ok_or(Error::StaleCall)
    }

    /// The request in the making; a step that needs it cannot go on without.
    pub fn draft(&self) -> Result<&Draft, Error> {
        self.progress.request.as_ref().ok_or(Error::StaleCall)
    }

    /// The caller asks for this from now on. What was asked before is replaced when the new request is written down; a
    /// number that was keyed stays.
    pub fn request_anew(&mut self, kind: Kind) {
        let first = if self.progress.again { REVISION_AGAIN } else { 1 };
        let draft = match self.progress.request.take() {
            // Nothing was written down yet, so there is nothing to replace.
            Some(before) if before.reference.is_none() => {
                Draft { keyed: before.keyed, ..Draft::new(kind, before.revision) }
            }
            Some(before) => Draft { keyed: before.keyed, ..Draft::new(kind, before.revision.saturating_add(1)) },
            None => Draft::new(kind, first),
        };
        self.progress.request = Some(draft);
    }

    /// The next question, with its tries counted anew.
    #[must_use]
    pub fn asking(mut self, question: u8) -> Self {
        self.progress.asking = question;
        self.progress.attempt = 0;
        self
    }

    /// The same question after an answer that did not help.
    #[must_use]
    pub fn again(mut self) -> Self {
        self.progress.attempt = self.progress.attempt.saturating_add(1);
        self
    }
}

impl Deref for Call {
    type Target = Progress;

    fn deref(&self) -> &Progress {
        &self.progress
    }
}

impl DerefMut for Call {
    fn deref_mut(&mut self) -> &mut Progress {
        &mut self.progress
    }
}

/// Seals and opens calls' states.
pub struct Sealer {
    key: LessSafeKey,
    nonces: hmac::Key,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(..)")
    }
}

impl Sealer {
    /// From the secret's `call_state_key`, at least 32 characters.
    pub fn new(secret: &str) -> Result<Self, Error> {
        if secret.len() < 32 {
            return Err(Error::Failed {
                doing: "reading the Twilio secret",
                source: "call_state_key is shorter than 32 characters".into(),
            });
        }
        let root = Salt::new(HKDF_SHA256, b"call-state/v1").extract(secret.as_bytes());
        let derive = |label: &[u8]| {
            let mut key = Zeroizing::new([0; 32]);
            root.expand(&[label], Len32).and_then(|okm| okm.fill(&mut *key)).map(|()| key).map_err(|_| refused())
        };
        let key = UnboundKey::new(&AES_256_GCM_SIV, derive(b"seal")?.as_slice()).map_err(|_| refused())?;
        Ok(Self { key: LessSafeKey::new(key), nonces: hmac::Key::new(hmac::HMAC_SHA256, derive(b"nonce")?.as_slice()) })
    }

    /// The call's state as the last segment of the action URL of `step`: characters of `[A-Za-z0-9_-]` only.
    pub fn seal(&self, call: &Call, sid: &CallSid, step: &str) -> Result<String, Error> {
        let tenant = call.tenant.as_ref().map(|tenant| tenant.id().as_str());
        let plain =
            postcard::to_allocvec(&(&call.progress, tenant)).map_err(Error::failed("writing a call's state"))?;
        self.seal_bytes(plain, &[sid.as_str(), step])
    }

    /// Opens what [`seal`](Self::seal) gave for the same call and step, within five hours of the call's beginning.
    pub fn open(&self, sealed: &str, sid: &CallSid, step: &str, now: Timestamp) -> Result<Call, Error> {
        let plain = self.open_bytes(sealed, &[sid.as_str(), step])?;
        let (progress, tenant): (Progress, Option<String>) =
            postcard::from_bytes(&plain).map_err(|_| Error::StaleCall)?;
        let age = i64::from(hours(now)) - i64::from(progress.began);
        if !(-1..EXPIRES_AFTER_HOURS).contains(&age) {
            return Err(Error::StaleCall);
        }
        Ok(Call { progress, tenant: tenant.map(Tenant::trusted) })
    }

    /// Seals a text that has to wait in a queue, bound to what it belongs to.
    pub fn seal_text(&self, text: &str, bound_to: &[&str]) -> Result<String, Error> {
        self.seal_bytes(text.as_bytes().to_vec(), bound_to)
    }

    /// Opens what [`seal_text`](Self::seal_text) gave.
    pub fn open_text(&self, sealed: &str, bound_to: &[&str]) -> Result<String, Error> {
        String::from_utf8(self.open_bytes(sealed, bound_to)?).map_err(|_| Error::StaleCall)
    }

    fn seal_bytes(&self, mut plain: Vec<u8>, bound_to: &[&str]) -> Result<String, Error> {
        let aad = associated_data(bound_to);
        let mut material = aad.clone();
        material.extend_from_slice(&plain);
        let tag = hmac::sign(&self.nonces, &material);
        let (nonce, _) = tag.as_ref().split_first_chunk::<NONCE_LEN>().ok_or_else(refused)?;
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), &mut plain)
            .map_err(|_| refused())?;
        let mut sealed = vec![FORMAT];
        sealed.extend_from_slice(nonce);
        sealed.append(&mut plain);
        Ok(BASE64_URL_SAFE_NO_PAD.encode(sealed))
    }

    fn open_bytes(&self, sealed: &str, bound_to: &[&str]) -> Result<Vec<u8>, Error> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(sealed).map_err(|_| Error::StaleCall)?;
        let Some((&FORMAT, rest)) = bytes.split_first() else { return Err(Error::StaleCall) };
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Error::StaleCall)?;
        let mut body = body.to_vec();
        let length = self
            .key
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(associated_data(bound_to)), &mut body)
            .map_err(|_| Error::StaleCall)?
            .len();
        body.truncate(length);
        Ok(body)
    }
}

fn associated_data(bound_to: &[&str]) -> Vec<u8> {
    let mut aad = b"call/v1".to_vec();
    for part in bound_to {
        push_part(&mut aad, part.as_bytes());
    }
    aad
}

fn hours(at: Timestamp) -> u32 {
    u32::try_from(at.as_second().div_euclid(3600)).unwrap_or_default()
}

#[derive(Clone, Copy)]
struct Len32;

impl KeyType for Len32 {
    fn len(&self) -> usize {
        32
    }
}

fn refused() -> Error {
    Error::Failed { doing: "sealing a call's state", source: "refused".into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;
    use proptest::prelude::*;

    fn sid(last: char) -> CallSid {
        CallSid::parse(&format!("CA{}{last}", "0".repeat(31))).unwrap()
    }

    fn sealer() -> Sealer {
        Sealer::new("0123456789abcdef0123456789abcdef").unwrap()
    }

    fn now() -> Timestamp {
        "2026-11-21T12:34:56Z".parse().unwrap()
    }

    fn far_along() -> Call {
        let mut call = Call::begin(now());
        call.reach(
            Tenant::trusted("t-abcdefghijklmnopqrstuvwxyz"),
            Service {
                code: ServiceCode::parse("42").unwrap(),
                name: "A shop with quite a long name for a shop".to_owned(),
                kinds: Kind::ALL.to_vec(),
                time_zone: "America/Los_Angeles".to_owned(),
                jurisdictions: vec![Jurisdiction::ALL[0]],
                web_form: Some("https://shop.example/privacy".to_owned()),
            },
        );
        call.request_anew(Kind::Delete);
        let draft = call.request.as_mut().unwrap();
        draft.keyed = Some(E164::parse("+14155550100").unwrap());
        draft.name = Some(RecordingSid::parse(&format!("RE{}", "a".repeat(32))).unwrap());
        draft.details = draft.name.clone();
        call
    }

    #[test]
    fn a_state_comes_back_as_it_went_and_the_same_state_gives_the_same_url() {
        let (call, keys) = (far_along(), sealer());
        let sealed = keys.seal(&call, &sid('1'), "contact").unwrap();
        assert_eq!(sealed, keys.seal(&call, &sid('1'), "contact").unwrap());
        assert_eq!(keys.open(&sealed, &sid('1'), "contact", now()).unwrap(), call);
        assert!(sealed.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
        assert!(sealed.len() < 600, "{} characters leave no room in a URL", sealed.len());
    }

    #[test]
    fn another_call_another_step_and_yesterday_are_refused() {
        let (call, keys) = (far_along(), sealer());
        let sealed = keys.seal(&call, &sid('1'), "contact").unwrap();
        assert!(matches!(keys.open(&sealed, &sid('2'), "contact", now()), Err(Error::StaleCall)));
        assert!(matches!(keys.open(&sealed, &sid('1'), "submit", now()), Err(Error::StaleCall)));
        assert!(keys.open(&sealed, &sid('1'), "contact", now() + 4.hours()).is_ok());
        assert!(matches!(keys.open(&sealed, &sid('1'), "contact", now() + 5.hours()), Err(Error::StaleCall)));
        assert!(matches!(
            Sealer::new(&"x".repeat(32)).unwrap().open(&sealed, &sid('1'), "contact", now()),
            Err(Error::StaleCall)
        ));
    }

    #[test]
    fn a_request_asked_anew_replaces_what_was_written_down_and_keeps_the_keyed_number() {
        let mut call = far_along();
        call.request_anew(Kind::OptOut);
        assert_eq!(call.draft().unwrap().revision, 1, "nothing was written down yet");
        call.request.as_mut().unwrap().reference = Some(Reference::from_entropy(1));
        call.request_anew(Kind::Limit);
        let draft = call.draft().unwrap();
        assert_eq!((draft.revision, draft.kind, &draft.name, &draft.reference), (2, Kind::Limit, &None, &None));
        assert!(draft.keyed.is_some());
        let mut restarted = Call::begin(now());
        restarted.again = true;
        restarted.request_anew(Kind::Delete);
        assert!(restarted.draft().unwrap().revision > 30, "above what the same call can have written before");
    }

    proptest! {
        #[test]
        fn an_edited_state_is_refused_and_nothing_crashes_on_rubbish(
            at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_-]", rubbish in ".{0,80}"
        ) {
            let keys = sealer();
            let sealed = keys.seal(&far_along(), &sid('1'), "contact").unwrap();
            let at = at.index(sealed.len());
            let edited = format!("{}{to}{}", &sealed[..at], &sealed[at + 1..]);
            // The last character of base64 may carry unused bits; those must be zero, so any edit is refused.
            if edited != sealed {
                prop_assert!(keys.open(&edited, &sid('1'), "contact", now()).is_err());
            }
            prop_assert!(keys.open(&rubbish, &sid('1'), "contact", now()).is_err());
        }
    }
}
