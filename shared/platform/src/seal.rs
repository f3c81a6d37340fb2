//! Sealing of personal fields: a root key per tenant, a key per consumer record, a search key per attribute.
//!
//! ```text
//! KMS key
//!  └ tenant root key v1..n    wrapped by KMS, EncryptionContext {tenant, ver}
//!      ├ HKDF-SHA256 "field-enc/v1" ── expand("subject", salt) → AES-256-GCM key of ONE consumer record
//!      ├ HKDF-SHA256 "blind-idx/v1" ── expand("attr", name)    → HMAC-SHA256 key of ONE attribute
//!      └ HKDF-SHA256 "reference/v1"                            → HMAC-SHA256 key of reference numbers
//! ```
//!
//! Sealed field = `0x01 | key version u32 | nonce 12 | ciphertext | tag 16`. Associated data = that header, then tenant,
//! table, partition key, sort key and attribute, each with its length, so that a value does not open anywhere else.
//! A key per consumer keeps the number of random nonces under one key far below the 2^32 of NIST SP 800-38D 8.3, and
//! destroying its salt erases the consumer everywhere.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::{hmac, rand};
use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use crate::Error;
use crate::tenant::TenantId;

/// The first byte of everything sealed in this format.
const FORMAT: u8 = 1;
const HEADER: usize = 1 + 4;
const TAG: usize = 16;
/// Bytes that sealing adds to a field.
pub const OVERHEAD: usize = HEADER + NONCE_LEN + TAG;

/// How long an unwrapped root key is used: a disabled KMS key bites after this at the latest.
const KEEP_FOR: SignedDuration = SignedDuration::from_mins(10);
/// How many tenants' keys one process holds.
const KEEP_AT_MOST: usize = 256;

/// Where a sealed value lives; it opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Table, without the stack's prefix.
    pub table: &'a str,
    /// Partition key.
    pub pk: &'a str,
    /// Sort key.
    pub sk: &'a str,
    /// Attribute.
    pub attribute: &'a str,
}

/// The random bytes from which one consumer record's key is derived. No salt, no key.
#[derive(Clone, PartialEq, Eq)]
pub struct SubjectSalt([u8; 32]);

impl SubjectSalt {
    /// A new one, from the system's generator.
    pub fn random() -> Result<Self, Error> {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).map_err(|_| unsealed("drawing a salt"))?;
        Ok(Self(bytes))
    }

    /// For a value that is no consumer's: from the key of the item that it lies in. Never more than some millions of
    /// values share one, which AES-GCM's random nonces bear (NIST SP 800-38D 8.3).
    #[must_use]
    pub fn of_place(pk: &str, sk: &str) -> Self {
        let mut name = vec![];
        push_part(&mut name, pk.as_bytes());
        push_part(&mut name, sk.as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, &name).as_ref());
        Self(bytes)
    }

    /// As stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SubjectSalt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectSalt(..)")
    }
}

impl TryFrom<&[u8]> for SubjectSalt {
    type Error = Error;

    fn try_from(bytes: &[u8]) -> Result<Self, Error> {
        bytes.try_into().map(Self).map_err(|_| unsealed("reading a salt"))
    }
}

/// One version of a tenant's root key, unwrapped.
struct Root {
    fields: Prk,
    index: Prk,
    references: Prk,
}

/// A tenant's keys, all versions; the newest seals.
pub struct TenantKeys {
    tenant: TenantId,
    newest: u32,
    roots: HashMap<u32, Root>,
    /// The version whose search and reference keys are in force: rotation of the root leaves them alone.
    index_version: u32,
}

impl fmt::Debug for TenantKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantKeys").field("tenant", &self.tenant).field("newest", &self.newest).finish_non_exhaustive()
    }
}

impl TenantKeys {
    /// From unwrapped 32-byte roots, by version.
    pub fn new(tenant: TenantId, roots: Vec<(u32, Zeroizing<Vec<u8>>)>) -> Result<Self, Error> {
        let newest = roots.iter().map(|(version, _)| *version).max().ok_or_else(|| unsealed("finding a root key"))?;
        let index_version = roots.iter().map(|(version, _)| *version).min().unwrap_or(newest);
        let roots = roots
            .into_iter()
            .map(|(version, bytes)| {
                let prk = |purpose: &[u8]| Salt::new(HKDF_SHA256, purpose).extract(&bytes);
                let root = Root {
                    fields: prk(b"field-enc/v1"),
                    index: prk(b"blind-idx/v1"),
                    references: prk(b"reference/v1"),
                };
                (version, root)
            })
            .collect();
        Ok(Self { tenant, newest, roots, index_version })
    }

    /// Seals one field under the key of one consumer record.
    pub fn seal(&self, salt: &SubjectSalt, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).map_err(|_| unsealed("drawing a nonce"))?;
        self.seal_with(self.newest, nonce, salt, place, plain)
    }

    fn seal_with(
        &self,
        version: u32,
        nonce: [u8; NONCE_LEN],
        salt: &SubjectSalt,
        place: Place<'_>,
        plain: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let header = header(version);
        let mut sealed = Vec::with_capacity(plain.len() + OVERHEAD);
        sealed.extend_from_slice(&header);
        sealed.extend_from_slice(&nonce);
        let mut body = plain.to_vec();
        self.subject_key(version, salt)?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated_data(header, &self.tenant, place)),
                &mut body,
            )
            .map_err(|_| unsealed("sealing a field"))?;
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// Opens a field; anything moved, cut short or changed by one bit is refused.
    pub fn open(&self, salt: &SubjectSalt, place: Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let refuse = || unsealed("opening a sealed field");
        let (head, rest) = sealed.split_first_chunk::<HEADER>().ok_or_else(refuse)?;
        let [FORMAT, v0, v1, v2, v3] = *head else { return Err(refuse()) };
        let version = u32::from_be_bytes([v0, v1, v2, v3]);
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(refuse)?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = self
            .subject_key(version, salt)?
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(associated_data(*head, &self.tenant, place)),
                &mut body,
            )
            .map_err(|_| refuse())?
            .len();
        body.truncate(length);
        Ok(body)
    }

    /// The search key of an exact value: first 16 bytes of an HMAC, in hex. `value` must be normalised by its type.
    pub fn blind_index(&self, attribute: &str, value: &str) -> Result<String, Error> {
        let root = self.roots.get(&self.index_version).ok_or_else(|| unsealed("finding the search key"))?;
        let key = derive(&root.index, b"attr", attribute.as_bytes())?;
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()), value.as_bytes());
        Ok(hex(tag.as_ref().iter().take(16)))
    }

    /// Unguessable and repeatable: the number from which the reference of a call's request is made.
    ///
    /// The same call always gets the same reference, so that a repeated webhook cannot file twice; `attempt` moves on
    /// to the next candidate where another request holds it already.
    pub fn reference_entropy(&self, source: &str, attempt: u8) -> Result<u64, Error> {
        let root = self.roots.get(&self.index_version).ok_or_else(|| unsealed("finding the reference key"))?;
        let key = derive(&root.references, b"reference", &[attempt])?;
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()), source.as_bytes());
        let (head, _) = tag.as_ref().split_first_chunk::<8>().ok_or_else(|| unsealed("making a reference"))?;
        Ok(u64::from_be_bytes(*head))
    }

    fn subject_key(&self, version: u32, salt: &SubjectSalt) -> Result<LessSafeKey, Error> {
        let root = self.roots.get(&version).ok_or_else(|| unsealed("finding a key version"))?;
        let key = derive(&root.fields, b"subject", &salt.0)?;
        UnboundKey::new(&AES_256_GCM, key.as_slice()).map(LessSafeKey::new).map_err(|_| unsealed("deriving a key"))
    }
}

/// Tenants' unwrapped keys, bounded in number and in age by the wall clock: a frozen sandbox's other clock stands still.
#[derive(Debug, Default)]
pub struct KeyCache(Mutex<HashMap<TenantId, (Timestamp, Arc<TenantKeys>)>>);

impl KeyCache {
    pub(crate) fn get(&self, tenant: &TenantId, now: Timestamp) -> Option<Arc<TenantKeys>> {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match cache.get(tenant) {
            Some((since, keys)) if now.duration_since(*since).abs() < KEEP_FOR => Some(Arc::clone(keys)),
            Some(_) => {
                cache.remove(tenant);
                None
            }
            None => None,
        }
    }

    pub(crate) fn put(&self, keys: &Arc<TenantKeys>, now: Timestamp) {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= KEEP_AT_MOST
            && let Some(oldest) = cache.iter().min_by_key(|(_, (since, _))| *since).map(|(id, _)| id.clone())
        {
            cache.remove(&oldest);
        }
        cache.insert(keys.tenant.clone(), (now, Arc::clone(keys)));
    }
}

fn header(version: u32) -> [u8; HEADER] {
    let [v0, v1, v2, v3] = version.to_be_bytes();
    [FORMAT, v0, v1, v2, v3]
}

/// Length before each part: `a|b` + `c` must not equal `a` + `b|c`.
fn associated_data(header: [u8; HEADER], tenant: &TenantId, place: Place<'_>) -> Vec<u8> {
    let mut aad = header.to_vec();
    for part in [tenant.as_str(), place.table, place.pk, place.sk, place.attribute] {
        push_part(&mut aad, part.as_bytes());
    }
    aad
}

/// Lower-case hexadecimal.
pub(crate) fn hex<'a>(bytes: impl Iterator<Item = &'a u8>) -> String {
    bytes.flat_map(|byte| [byte >> 4, byte & 0xf]).filter_map(|half| char::from_digit(half.into(), 16)).collect()
}

/// Appends a part with its length in front.
pub(crate) fn push_part(to: &mut Vec<u8>, part: &[u8]) {
    to.extend_from_slice(&(part.len() as u64).to_be_bytes());
    to.extend_from_slice(part);
}

fn derive(prk: &Prk, label: &[u8], context: &[u8]) -> Result<Zeroizing<[u8; 32]>, Error> {
    let mut key = Zeroizing::new([0; 32]);
    prk.expand(&[label, context], Len32).and_then(|okm| okm.fill(&mut *key)).map_err(|_| unsealed("deriving a key"))?;
    Ok(key)
}

#[derive(Clone, Copy)]
struct Len32;

impl KeyType for Len32 {
    fn len(&self) -> usize {
        32
    }
}

/// Says what failed and nothing else: a cause would only help somebody who probes.
fn unsealed(doing: &'static str) -> Error {
    Error::Failed { doing, source: "refused".into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(tenant: &str, versions: &[u32]) -> TenantKeys {
        let roots = versions.iter().map(|v| (*v, Zeroizing::new(vec![u8::try_from(*v).unwrap(); 32]))).collect();
        TenantKeys::new(TenantId::trusted(tenant), roots).unwrap()
    }

    const PLACE: Place<'_> = Place { table: "requests", pk: "t-a#0", sk: "123", attribute: "contact" };

    #[test]
    fn format_version_1_is_frozen() {
        let sealed = keys("t-a", &[1]).seal_with(1, [7; 12], &SubjectSalt([9; 32]), PLACE, b"+14155550100").unwrap();
        insta::assert_snapshot!(hex(sealed.iter()));
        assert_eq!(sealed.len(), 12 + OVERHEAD);
    }

    #[test]
    fn the_search_key_is_frozen_and_differs_by_attribute_and_tenant() {
        let index = keys("t-a", &[1]).blind_index("phone", "+14155550100").unwrap();
        insta::assert_snapshot!(index);
        assert_ne!(index, keys("t-a", &[1]).blind_index("email", "+14155550100").unwrap());
        assert_ne!(index, keys("t-b", &[2]).blind_index("phone", "+14155550100").unwrap());
    }

    #[test]
    fn a_new_root_seals_while_the_old_one_still_opens_and_the_search_key_stays() {
        let salt = SubjectSalt::random().unwrap();
        let (old, both) = (keys("t-a", &[1]), keys("t-a", &[1, 2]));
        let sealed = old.seal(&salt, PLACE, b"x").unwrap();
        assert_eq!(both.open(&salt, PLACE, &sealed).unwrap().as_slice(), b"x");
        let resealed = both.seal(&salt, PLACE, b"x").unwrap();
        assert!(old.open(&salt, PLACE, &resealed).is_err());
        assert_eq!(old.blind_index("phone", "1").unwrap(), both.blind_index("phone", "1").unwrap());
    }

    #[test]
    fn a_value_moved_elsewhere_does_not_open() {
        let salt = SubjectSalt::random().unwrap();
        let mine = keys("t-a", &[1]);
        let sealed = mine.seal(&salt, PLACE, b"secret").unwrap();
        for place in [
            Place { table: "accounts", ..PLACE },
            Place { pk: "t-a#1", ..PLACE },
            Place { sk: "124", ..PLACE },
            Place { attribute: "name", ..PLACE },
            Place { pk: "t-a#01", sk: "23", ..PLACE },
        ] {
            assert!(mine.open(&salt, place, &sealed).is_err());
        }
        assert!(keys("t-b", &[1]).open(&salt, PLACE, &sealed).is_err());
        assert!(mine.open(&SubjectSalt::random().unwrap(), PLACE, &sealed).is_err());
    }

    #[test]
    fn a_key_is_forgotten_after_ten_minutes_and_the_cache_is_bounded() {
        let cache = KeyCache::default();
        let start: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        for n in 0..(KEEP_AT_MOST + 50) {
            let at = start + SignedDuration::from_millis(i64::try_from(n).unwrap());
            cache.put(&Arc::new(keys(&format!("t-{n}"), &[1])), at);
        }
        assert_eq!(cache.0.lock().unwrap().len(), KEEP_AT_MOST);
        let last = TenantId::trusted(format!("t-{}", KEEP_AT_MOST + 49));
        assert!(cache.get(&last, start).is_some());
        assert!(cache.get(&last, start + SignedDuration::from_mins(11)).is_none());
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_and_any_flipped_or_missing_bit_refuses(
            plain in proptest::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>(), bit in 0..8u32
        ) {
            let (mine, salt) = (keys("t-a", &[1]), SubjectSalt([3; 32]));
            let sealed = mine.seal(&salt, PLACE, &plain).unwrap();
            let opened = mine.open(&salt, PLACE, &sealed).unwrap();
            prop_assert_eq!(opened.as_slice(), plain.as_slice());
            let mut flipped = sealed.clone();
            flipped[at.index(sealed.len())] ^= 1 << bit;
            prop_assert!(mine.open(&salt, PLACE, &flipped).is_err());
            prop_assert!(mine.open(&salt, PLACE, &sealed[..at.index(sealed.len())]).is_err());
        }
    }
}
