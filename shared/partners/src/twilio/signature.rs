//! Proof that a webhook came from Twilio (`X-Twilio-Signature`).
//!
//! Twilio signs the URL that it called, followed by the form's parameters, with a secret of the account. The URL is
//! rebuilt from the *configured* public address and the path and query of the event as they came; a `Host` header is
//! the caller's word and takes no part.
//!
//! - Form: after the URL each distinct name and value, sorted, without separators, decoded and untrimmed.
//! - GET: the URL alone. JSON: the URL alone, whose query carries the body's hash as `bodySHA256`.
//! - Twilio signs the URL sometimes with the port and sometimes without; either is accepted.
//! - `X-Twilio-Webhooks-Signature-Settings` names a shared key and the algorithm; without it the account's auth token
//!   and HMAC-SHA1 are meant.
//!
//! The signature has no time in it, so a captured request can be sent again: callers make effects idempotent.
//!
//! Source: <https://www.twilio.com/docs/usage/webhooks/webhooks-security>; the port rule and the settings header as in
//! Twilio's own libraries (twilio-python 9.13).

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use aws_lc_rs::{constant_time, digest, hmac};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// The largest body that is looked at, in bytes; Twilio's own stay far below.
pub const BODY_LIMIT: usize = 128 * 1024;

/// A webhook as it arrived, and the address at which Twilio believes to have called it.
#[derive(Clone, Copy)]
pub struct SignedRequest<'a> {
    /// The configured public address, `https://host[:port][/prefix]`.
    pub base_url: &'a str,
    /// The path as it arrived, still encoded, with its leading slash.
    pub path: &'a str,
    /// The query as it arrived, neither sorted nor encoded anew, without the question mark; empty when there is none.
    pub raw_query: &'a str,
    /// The `Content-Type` header.
    pub content_type: Option<&'a str>,
    /// The body, with the event's Base64 already undone.
    pub body: &'a [u8],
    /// The `X-Twilio-Signature` header.
    pub signature: Option<&'a str>,
    /// The `X-Twilio-Webhooks-Signature-Settings` header.
    pub settings: Option<&'a str>,
    /// Whether it is a POST; otherwise it is a GET.
    pub post: bool,
}

/// Why a request was not taken for Twilio's. All of them are answered alike, with 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No signature, or one that is not Base64.
    #[error("no readable signature")]
    NoSignature,
    /// The settings header names an algorithm that is not known here.
    #[error("unknown signature algorithm")]
    UnknownAlgorithm,
    /// The settings header names a shared key that is not known here.
    #[error("unknown signing key")]
    UnknownKey,
    /// The settings header does not read as a list of `name=value`.
    #[error("unreadable signature settings")]
    UnreadableSettings,
    /// More than [`BODY_LIMIT`].
    #[error("body over {BODY_LIMIT} bytes")]
    BodyTooLarge,
    /// A body that no signature covers.
    #[error("body not covered by a signature")]
    BodyNotSigned,
    /// The body is not the one whose hash was signed.
    #[error("body differs from its signed hash")]
    BodyChanged,
    /// The configured public address is not an `http(s)` URL.
    #[error("the configured public address is not a URL")]
    BaseUrl,
    /// No key gives this signature.
    #[error("signature does not match")]
    WrongSignature,
}

/// How a request is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-1, what the auth token signs with.
    HmacSha1,
    /// HMAC with SHA-256, for shared keys.
    HmacSha256,
}

/// The secrets that Twilio may have signed with; several at once, so that each can be rotated without a gap.
pub struct Keys {
    auth_tokens: Vec<Secret>,
    shared: BTreeMap<String, Secret>,
}

/// One secret, made ready for both algorithms. AWS-LC wipes the key schedule when it is dropped.
struct Secret {
    sha1: hmac::Key,
    sha256: hmac::Key,
}

impl Secret {
    fn new(secret: &str) -> Self {
        Self {
            sha1: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes()),
            sha256: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
        }
    }

    fn tag(&self, algorithm: Algorithm, parts: &[&str]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(match algorithm {
            Algorithm::HmacSha1 => &self.sha1,
            Algorithm::HmacSha256 => &self.sha256,
        });
        for part in parts {
            context.update(part.as_bytes());
        }
        context.sign()
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("auth_tokens", &self.auth_tokens.len())
            .field("shared", &self.shared.len())
            .finish_non_exhaustive()
    }
}

impl Keys {
    /// The account's auth tokens (the present one and those being retired) and the shared keys by their id.
    ///
    /// An empty secret is no secret and is left out: anyone could sign with it. The texts are wiped.
    #[must_use]
    pub fn new(auth_tokens: Vec<String>, shared: BTreeMap<String, String>) -> Self {
        let ready = |text: String| {
            let text = Zeroizing::new(text);
            (!text.is_empty()).then(|| Secret::new(&text))
        };
        Self {
            auth_tokens: auth_tokens.into_iter().filter_map(ready).collect(),
            shared: shared.into_iter().filter_map(|(id, text)| Some((id, ready(text)?))).collect(),
        }
    }

    /// The parameters of a request that Twilio signed.
    ///
    /// They are a form's fields or, of a GET, those of the query. A JSON body has none: its bytes, once this succeeds,
    /// are those that were signed. Every key and both forms of the URL are tried whether or not one has matched.
    pub fn verify(&self, request: &SignedRequest<'_>) -> Result<Params, Refused> {
        if request.body.len() > BODY_LIMIT {
            return Err(Refused::BodyTooLarge);
        }
        let given = request.signature.and_then(|text| STANDARD.decode(text).ok()).ok_or(Refused::NoSignature)?;
        let (key_id, algorithm) = settings(request.settings.unwrap_or_default())?;
        let secrets: Vec<&Secret> = match key_id {
            Some(id) => vec![self.shared.get(id).ok_or(Refused::UnknownKey)?],
            None => self.auth_tokens.iter().collect(),
        };
        let base = BaseUrl::read(request.base_url).ok_or(Refused::BaseUrl)?;
        let (params, signed) = covered(request)?;

        let question_mark = if request.raw_query.is_empty() { "" } else { "?" };
        let mut matches = false;
        for secret in secrets {
            for authority in [base.without_port(), base.with_port()] {
                let parts =
                    [base.scheme, &authority, base.prefix, request.path, question_mark, request.raw_query, &signed];
                let tag = secret.tag(algorithm, &parts);
                matches |= constant_time::verify_slices_are_equal(tag.as_ref(), &given).is_ok();
            }
        }
        if matches { Ok(params) } else { Err(Refused::WrongSignature) }
    }
}

/// The signature of a request to `url` with these form parameters, none for GET and JSON.
///
/// For the text telephone and for tests: it is what Twilio does at its end.
#[must_use]
pub fn sign<'a>(
    secret: &str,
    algorithm: Algorithm,
    url: &str,
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let pairs = params.into_iter().map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)));
    STANDARD.encode(Secret::new(secret).tag(algorithm, &[url, &joined(pairs)]))
}

/// The hash that Twilio puts into the query of a JSON webhook as `bodySHA256`, in lower-case hexadecimal.
#[must_use]
pub fn body_sha256(body: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, body);
    let halves = hash.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    halves.filter_map(|half| char::from_digit(half.into(), 16)).collect()
}

/// What a form or query said, by name.
///
/// Its `Debug` shows names only, since the values are callers' numbers and words.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(BTreeMap<String, String>);

impl Params {
    /// The first value of this name, as it came; a value that was sent empty is `Some("")`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The first value of this name unless it is empty, as Twilio sends what it does not know.
    #[must_use]
    pub fn non_empty(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    fn first_of<'a>(pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> Self {
        let mut first = BTreeMap::new();
        for (name, value) in pairs {
            first.entry(name.into_owned()).or_insert_with(|| value.into_owned());
        }
        Self(first)
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What of the request beside its URL the signature covers, and the parameters found there.
fn covered(request: &SignedRequest<'_>) -> Result<(Params, String), Refused> {
    let query = || form_urlencoded::parse(request.raw_query.as_bytes());
    if !request.post {
        return if request.body.is_empty() {
            Ok((Params::first_of(query()), String::new()))
        } else {
            Err(Refused::BodyNotSigned)
        };
    }
    let media_type = request.content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let fields = || form_urlencoded::parse(request.body);
        return Ok((Params::first_of(fields()), joined(fields())));
    }
    match query().find(|(name, _)| name == "bodySHA256") {
        Some((_, hash)) if hash == body_sha256(request.body) => Ok((Params::default(), String::new())),
        Some(_) => Err(Refused::BodyChanged),
        None if request.body.is_empty() => Ok((Params::default(), String::new())),
        None => Err(Refused::BodyNotSigned),
    }
}

/// Each distinct name and value, sorted by name and then by value, without separators.
fn joined<'a>(pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> String {
    pairs.collect::<BTreeSet<_>>().into_iter().flat_map(|(name, value)| [name, value]).collect()
}

/// The key's id, if one is named, and the algorithm, which is HMAC-SHA1 when none is named.
fn settings(header: &str) -> Result<(Option<&str>, Algorithm), Refused> {
    let (mut key, mut algorithm) = (None, None);
    for part in header.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').ok_or(Refused::UnreadableSettings)?;
        let said_before = match name.trim() {
            "key" => key.replace(value.trim()),
            "algorithm" => algorithm.replace(value.trim()),
            _ => None,
        };
        if said_before.is_some() {
            return Err(Refused::UnreadableSettings);
        }
    }
    let algorithm = match algorithm {
        None | Some("HMAC_SHA1") => Algorithm::HmacSha1,
        Some("HMAC_SHA256") => Algorithm::HmacSha256,
        Some(_) => return Err(Refused::UnknownAlgorithm),
    };
    Ok((key, algorithm))
}

/// The configured address in the pieces of which both forms of the URL are made.
struct BaseUrl<'a> {
    /// With `://`.
    scheme: &'static str,
    host: &'a str,
    port: &'a str,
    /// What stands before every path, without a slash at its end.
    prefix: &'a str,
}

impl<'a> BaseUrl<'a> {
    fn read(url: &'a str) -> Option<Self> {
        let (scheme, default_port, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => ("https://", "443", rest),
            (None, Some(rest)) => ("http://", "80", rest),
            (None, None) => return None,
        };
        let (authority, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        // The user's name and password are sent as a header and not signed.
        let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host_and_port)| host_and_port);
        // The colons within `[::1]` are not a port's.
        let (host, port) = match host_and_port.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (host_and_port, default_port),
        };
        let whole = !host.is_empty() && !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        whole.then_some(Self { scheme, host, port, prefix: prefix.trim_end_matches('/') })
    }

    fn without_port(&self) -> String {
        self.host.to_owned()
    }

    fn with_port(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests;
