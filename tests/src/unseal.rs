//! An independent reader of sealed values, written from their description in `platform::seal` and not from its code:
//! what one wrote, somebody else must be able to read with the tenant's key, and with no other.

use std::collections::BTreeMap;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::cloud::{Cloud, plain};

/// Where a sealed value lies: table, partition key, sort key, attribute.
pub type Place<'a> = [&'a str; 4];

/// A tenant's root keys, by version.
pub struct Roots {
    tenant: String,
    roots: BTreeMap<u32, Vec<u8>>,
}

impl Roots {
    /// Those of a tenant, unwrapped by KMS.
    pub async fn of(cloud: &Cloud, table: &str, kms_key: &str, tenant: &str) -> Self {
        let filter = json!({
            "FilterExpression": "pk = :pk",
            "ExpressionAttributeValues": { ":pk": { "S": format!("root#{tenant}") } },
        });
        let mut roots = BTreeMap::new();
        for item in cloud.scan(table, filter).await.iter().map(plain) {
            let version: u32 = item["sk"].as_str().and_then(|sk| sk.parse().ok()).expect("a version");
            let wrapped = bytes(&item["wrapped"]);
            let context = [("tenant", tenant), ("ver", &version.to_string())];
            roots.insert(version, cloud.unwrap(kms_key, &wrapped, &context).await.expect("an unwrapped key"));
        }
        assert!(!roots.is_empty(), "{tenant} has no root key");
        Self { tenant: tenant.to_owned(), roots }
    }

    /// A sealed value in the clear, or nothing where it does not open.
    #[must_use]
    pub fn open(&self, salt: &[u8], place: Place<'_>, sealed: &[u8]) -> Option<Vec<u8>> {
        let (header, rest) = sealed.split_at_checked(5)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN)?;
        let (format, version) = header.split_first()?;
        let root = self.roots.get(&u32::from_be_bytes(version.try_into().ok()?))?;
        if *format != 1 {
            return None;
        }
        let mut bound_to = header.to_vec();
        for part in [self.tenant.as_str()].into_iter().chain(place) {
            bound_to.extend((part.len() as u64).to_be_bytes());
            bound_to.extend(part.as_bytes());
        }
        let key = derive(root, "field-enc/v1", &[b"subject", salt]);
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).ok()?);
        let mut body = body.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened = key.open_in_place(nonce, Aad::from(bound_to), &mut body).ok()?;
        Some(opened.to_vec())
    }

    /// Part of a recording as it lies in S3 under a key, in the clear.
    #[must_use]
    pub fn open_recording(&self, salt: &[u8], key: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        self.open(salt, ["recordings", key, "", "body"], sealed)
    }

    /// Under what an exact telephone number is found.
    #[must_use]
    pub fn phone_index(&self, number: &str) -> String {
        let (_, oldest) = self.roots.first_key_value().expect("a root key");
        let key = derive(oldest, "blind-idx/v1", &[b"attr", b"phone"]);
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), number.as_bytes());
        format!("{}#p1#{}", self.tenant, hex(&tag.as_ref()[..16]))
    }
}

/// A binary attribute of plain JSON.
#[must_use]
pub fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().expect("a binary value")).expect("base64")
}

/// SHA-256 in hex: under what the directory finds a value.
#[must_use]
pub fn sha256(value: &[u8]) -> String {
    hex(digest(&SHA256, value).as_ref())
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

fn derive(root: &[u8], purpose: &str, context: &[&[u8]]) -> [u8; 32] {
    struct ThirtyTwo;
    impl KeyType for ThirtyTwo {
        fn len(&self) -> usize {
            32
        }
    }
    let mut key = [0; 32];
    let root = Salt::new(HKDF_SHA256, purpose.as_bytes()).extract(root);
    root.expand(context, ThirtyTwo).and_then(|okm| okm.fill(&mut key)).expect("32 bytes of key");
    key
}
