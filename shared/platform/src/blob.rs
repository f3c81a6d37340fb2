//! S3: greetings, which everybody may hear; recordings and attachments, which are sealed under their tenant's key.
//!
//! A greeting is uploaded by the browser itself, with a form that is signed here for one key, ten minutes and a size
//! ("Browser-Based Uploads Using POST", S3 API reference). Until somebody uses it, it lies under `uploads/`, from where
//! nothing is played and a lifecycle rule removes it.
//!
//! A photo of an identity document is uploaded in the same way, to `identity/` in the bucket of recordings. The page that
//! signs the form may write there and read nothing back; what the photo is, is checked by its content where somebody of
//! the team opens it, which is the only place from which it can be read. It is deleted as soon as verification ends, and
//! by a lifecycle rule after 30 days.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use domain::reference::Reference;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use partners::twilio::{CallSid, RecordingSid};
use serde_json::json;

use crate::Error;
use crate::config::{Config, required};
use crate::seal::{Place, SubjectSalt, TenantKeys, hex};
use crate::tenant::Tenant;
use crate::{aws, ticket};

/// The largest greeting, in bytes: Lambda answers with at most 6 MB, a third of which base64 needs.
pub const GREETING_BYTES: u32 = 4_000_000;
/// How long the form of an upload is good for.
const UPLOAD_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// An upload is never served, least of all as a page. What it is, its content says when somebody wants to use it.
const UPLOAD_TYPE: &str = "audio/x-unchecked";
/// The largest photo of an identity document, in bytes: whoever opens it gets it through Lambda, too.
pub const PHOTO_BYTES: u32 = 4_000_000;
const PHOTO_TYPE: &str = "image/x-unchecked";

/// The buckets that this function may use.
#[derive(Debug)]
pub struct Blobs {
    client: aws_sdk_s3::Client,
    greetings: Option<String>,
    recordings: Option<String>,
    kms_key: Option<String>,
    region: Option<String>,
    endpoint: Option<String>,
}

/// Names an upload of a tenant's; random, so that nobody can guess another's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadId(String);

impl UploadId {
    /// A new one.
    pub fn random() -> Result<Self, Error> {
        ticket::random_token().map(Self)
    }

    /// From a ticket of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        fits.then(|| Self(text.to_owned()))
    }

    /// As a ticket keeps it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn object(&self, tenant: &Tenant) -> String {
        format!("uploads/{}/{}", tenant.id(), self.0)
    }

    /// Where a photo of this name lies. S3 says it in the address that it sends the browser back to, so it names nobody: whose
    /// photo it is, only the request knows that holds the id.
    fn photo(&self) -> String {
        format!("identity/{}", self.0)
    }
}

/// A form with which a browser uploads one file straight to S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadForm {
    /// Where the form goes.
    pub action: String,
    /// Its origin, for the content security policy.
    pub origin: String,
    /// Its hidden fields, in order. The file, as `file`, comes after them.
    pub fields: Vec<(&'static str, String)>,
}

/// Part or all of a greeting.
#[derive(Debug)]
pub struct GreetingAudio {
    /// The bytes asked for.
    pub bytes: Vec<u8>,
    /// `bytes a-b/whole`, where a range was asked for.
    pub content_range: Option<String>,
}

/// What is kept of a recording; each lies beside the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingPart {
    /// The audio as Twilio gave it.
    Audio,
    /// What was said, as text.
    Transcript,
}

/// Which recording, and what opens it.
#[derive(Debug)]
pub struct RecordingKey<'a> {
    /// Whose it is.
    pub tenant: &'a Tenant,
    /// In which call it was made.
    pub call: &'a CallSid,
    /// Which one.
    pub recording: &'a RecordingSid,
    /// The tenant's keys.
    pub keys: &'a TenantKeys,
    /// The recording's own salt.
    pub salt: SubjectSalt,
}

impl RecordingKey<'_> {
    /// `<tenant>/<call>/<recording>.audio`: all of a call's recordings lie together.
    fn object(&self, part: RecordingPart) -> String {
        let part = match part {
            RecordingPart::Audio => "audio",
            RecordingPart::Transcript => "transcript",
        };
        format!("{}/{}/{}.{part}", self.tenant.id(), self.call, self.recording)
    }
}

/// Which file of a request, and what opens it.
#[derive(Debug)]
pub struct AttachmentKey {
    pub(crate) tenant: Tenant,
    pub(crate) reference: Reference,
    pub(crate) id: String,
    pub(crate) keys: Arc<TenantKeys>,
    /// The request's own salt: with it goes the file.
    pub(crate) salt: SubjectSalt,
}

impl AttachmentKey {
    /// Named by the content too: sending the same form again with another file replaces nothing.
    fn object(&self, sha256: &[u8]) -> String {
        let content = hex(sha256.iter());
        format!("attachments/{}/{}/{}.{content}", self.tenant.id(), self.reference.as_str(), self.id)
    }
}

impl Blobs {
    pub(crate) fn new(client: aws_sdk_s3::Client, config: &Config) -> Self {
        Self {
            client,
            greetings: config.bucket_greetings.clone(),
            recordings: config.bucket_recordings.clone(),
            kms_key: config.kms_key.clone(),
            region: config.region.clone(),
            endpoint: config.aws_endpoint.clone(),
        }
    }

    /// A form for one upload of audio, after which the browser comes back to `redirect`. S3 itself refuses another key,
    /// another type, another size, and everything after ten minutes. The bucket encrypts with its own key by default,
    /// and a form that names another is refused, because the policy does not.
    pub fn upload_form(
        &self,
        tenant: &Tenant,
        id: &UploadId,
        redirect: &str,
        now: Timestamp,
    ) -> Result<UploadForm, Error> {
        let bucket = required(self.greetings.as_deref(), "BUCKET_GREETINGS is not set")?;
        let upload = Upload { key: id.object(tenant), content_type: UPLOAD_TYPE, bytes: GREETING_BYTES };
        self.signed_form(bucket, &upload, redirect, now)
    }

    /// A form for one photo of an identity document, after which the browser comes back to `redirect`. S3 refuses what
    /// [`upload_form`](Self::upload_form)'s refuses.
    pub fn photo_form(&self, id: &UploadId, redirect: &str, now: Timestamp) -> Result<UploadForm, Error> {
        let bucket = required(self.recordings.as_deref(), "BUCKET_RECORDINGS is not set")?;
        let upload = Upload { key: id.photo(), content_type: PHOTO_TYPE, bytes: PHOTO_BYTES };
        self.signed_form(bucket, &upload, redirect, now)
    }

    /// A photo that was uploaded. `NotFound` where none was, or where it is gone already.
    pub async fn photo(&self, id: &UploadId) -> Result<Vec<u8>, Error> {
        let bucket = required(self.recordings.as_deref(), "BUCKET_RECORDINGS is not set")?;
        let got = self.client.get_object().bucket(bucket).key(id.photo()).send().await;
        let got = got.map_err(|error| match error.raw_response().map(|response| response.status().as_u16()) {
            Some(403 | 404) => Error::NotFound,
            _ => Error::failed("reading a photo")(error.into_service_error()),
        })?;
        Ok(got.body.collect().await.map_err(Error::failed("reading a photo"))?.to_vec())
    }

    /// Deletes a photo. The bucket keeps what was deleted for a day, where no function can read it.
    pub async fn delete_photo(&self, id: &UploadId) -> Result<(), Error> {
        let bucket = required(self.recordings.as_deref(), "BUCKET_RECORDINGS is not set")?;
        let deleted = self.client.delete_object().bucket(bucket).key(id.photo()).send().await;
        deleted.map(|_| ()).map_err(|error| Error::failed("deleting a photo")(error.into_service_error()))
    }

    fn signed_form(&self, bucket: &str, upload: &Upload, redirect: &str, now: Timestamp) -> Result<UploadForm, Error> {
        let region = required(self.region.as_deref(), "AWS_REGION is not set")?;
        let credentials = aws::credentials()
            .ok_or_else(|| Error::Failed { doing: "signing an upload", source: "there are no credentials".into() })?;
        let (origin, action) = match &self.endpoint {
            // The local cloud, where one address serves all buckets.
            Some(endpoint) => (endpoint.clone(), format!("{endpoint}/{bucket}")),
            None => {
                let origin = format!("https://{bucket}.s3.{region}.amazonaws.com");
                (origin.clone(), format!("{origin}/"))
            }
        };
        let scope = Scope { bucket, region, credentials: &credentials, now };
        let fields = scope.fields(upload, redirect)?;
        Ok(UploadForm { action, origin, fields })
    }

    /// What was uploaded. `NotFound` where nothing was, or where it is gone already.
    pub async fn uploaded(&self, tenant: &Tenant, id: &UploadId) -> Result<Vec<u8>, Error> {
        let bucket = required(self.greetings.as_deref(), "BUCKET_GREETINGS is not set")?;
        let got =
            self.client.get_object().bucket(bucket).key(id.object(tenant)).send().await.map_err(|error| match error
                .raw_response()
                .map(|response| response.status().as_u16())
            {
                Some(403 | 404) => Error::NotFound,
                _ => Error::failed("reading an upload")(error.into_service_error()),
            })?;
        Ok(got.body.collect().await.map_err(Error::failed("reading an upload"))?.to_vec())
    }

    /// Puts a greeting where callers' telephones can have it, under a name made of whose it is and what is in it; returns
    /// that name. The same audio again changes nothing.
    pub async fn keep_greeting(
        &self,
        tenant: &Tenant,
        audio: Vec<u8>,
        extension: &'static str,
    ) -> Result<String, Error> {
        let bucket = required(self.greetings.as_deref(), "BUCKET_GREETINGS is not set")?;
        let file = format!("{}{}.{extension}", half_a_digest(tenant.id().as_str().as_bytes()), half_a_digest(&audio));
        self.client
            .put_object()
            .bucket(bucket)
            .key(format!("greetings/{file}"))
            .content_type(if extension == "wav" { "audio/wav" } else { "audio/mpeg" })
            .body(ByteStream::from(audio))
            .send()
            .await
            .map_err(|error| Error::failed("storing a greeting")(error.into_service_error()))?;
        Ok(file)
    }

    /// A greeting's audio; `range` is an HTTP `Range` header. `NotFound` where there is none, `Invalid` for a range
    /// outside of it.
    pub async fn greeting(&self, file: &str, range: Option<&str>) -> Result<GreetingAudio, Error> {
        let bucket = required(self.greetings.as_deref(), "BUCKET_GREETINGS is not set")?;
        let got = self
            .client
            .get_object()
            .bucket(bucket)
            .key(format!("greetings/{file}"))
            .set_range(range.map(str::to_owned))
            .send()
            .await
            .map_err(|error| match error.raw_response().map(|response| response.status().as_u16()) {
                // Without permission to list, S3 answers 403 for a key that does not exist.
                Some(403 | 404) => Error::NotFound,
                Some(416) => Error::invalid("range", "outside of the greeting"),
                _ => Error::failed("reading a greeting")(error.into_service_error()),
            })?;
        let content_range = got.content_range().filter(|_| range.is_some()).map(str::to_owned);
        let bytes = got.body.collect().await.map_err(Error::failed("reading a greeting"))?;
        Ok(GreetingAudio { bytes: bytes.to_vec(), content_range })
    }

    /// Stores part of a recording, sealed under its tenant's key. Storing it again changes nothing that matters.
    pub async fn put_recording(
        &self,
        whose: &RecordingKey<'_>,
        part: RecordingPart,
        plain: &[u8],
    ) -> Result<(), Error> {
        let bucket = required(self.recordings.as_deref(), "BUCKET_RECORDINGS is not set")?;
        let key = whose.object(part);
        let place = Place { table: "recordings", pk: &key, sk: "", attribute: "body" };
        let sealed = whose.keys.seal(&whose.salt, place, plain)?;
        self.client
            .put_object()
            .bucket(bucket)
            .key(&key)
            .server_side_encryption(ServerSideEncryption::AwsKms)
            .set_ssekms_key_id(self.kms_key.clone())
            .body(ByteStream::from(sealed))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Error::failed("storing a recording")(error.into_service_error()))
    }

    /// Part of a recording, opened.
    pub async fn recording(&self, whose: &RecordingKey<'_>, part: RecordingPart) -> Result<Vec<u8>, Error> {
        let bucket = required(self.recordings.as_deref(), "BUCKET_RECORDINGS is not set")?;
        let key = whose.object(part);
        let got = self.client.get_object().bucket(bucket).key(&key).send().await.map_err(|error| {
            match error.raw_response().map(|response| response.status().as_u16()) {
                Some(403 | 404) => Error::NotFound,
                _ => Error::failed("reading a recording")(error.into_service_error()),
            }
        })?;
        let sealed = got.body.collect().await.map_err(Error::failed("reading a recording"))?.to_vec();
        let place = Place { table: "recordings", pk: &key, sk: "", attribute: "body" };
        whose.keys.open(&whose.salt, place, &sealed).map(|plain| plain.to_vec())
    }

    /// Whether part of a recording is stored.
    pub async fn has_recording(&self, whose: &RecordingKey<'_>, part: RecordingPart) -> Result<bool, Error> {
        let bucket = required(self.recordings.as_deref(), "BUCKET_RECORDINGS is not set")?;
        let key = whose.object(part);
        match self.client.head_object().bucket(bucket).key(key).send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.raw_response().map(|response| response.status().as_u16()) {
                Some(403 | 404) => Ok(false),
                _ => Err(Error::failed("looking for a recording")(error.into_service_error())),
            },
        }
    }

    /// Stores a file of a request, sealed whole under the request's key.
    pub async fn put_attachment(&self, whose: &AttachmentKey, plain: &[u8]) -> Result<(), Error> {
        let bucket = required(self.recordings.as_deref(), "BUCKET_RECORDINGS is not set")?;
        let key = whose.object(digest(&SHA256, plain).as_ref());
        let place = Place { table: "attachments", pk: &key, sk: "", attribute: "body" };
        let sealed = whose.keys.seal(&whose.salt, place, plain)?;
        self.client
            .put_object()
            .bucket(bucket)
            .key(&key)
            .server_side_encryption(ServerSideEncryption::AwsKms)
            .set_ssekms_key_id(self.kms_key.clone())
            .body(ByteStream::from(sealed))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Error::failed("storing a file")(error.into_service_error()))
    }

    /// A file of a request, opened; `sha256` is that of its content.
    pub async fn attachment(&self, whose: &AttachmentKey, sha256: &[u8; 32]) -> Result<Vec<u8>, Error> {
        let bucket = required(self.recordings.as_deref(), "BUCKET_RECORDINGS is not set")?;
        let key = whose.object(sha256);
        let got = self.client.get_object().bucket(bucket).key(&key).send().await.map_err(|error| {
            match error.raw_response().map(|response| response.status().as_u16()) {
                Some(403 | 404) => Error::NotFound,
                _ => Error::failed("reading a file")(error.into_service_error()),
            }
        })?;
        let sealed = got.body.collect().await.map_err(Error::failed("reading a file"))?.to_vec();
        let place = Place { table: "attachments", pk: &key, sk: "", attribute: "body" };
        whose.keys.open(&whose.salt, place, &sealed).map(|plain| plain.to_vec())
    }

    /// Erases the files of a request whose ids are among those that go, with all their versions; how many there were.
    pub async fn erase_attachments(
        &self,
        tenant: &Tenant,
        reference: &Reference,
        goes: impl Fn(&str) -> bool,
    ) -> Result<u64, Error> {
        let prefix = format!("attachments/{}/{}/", tenant.id(), reference.as_str());
        let mut erased = 0;
        for key in self.keys_under(&prefix).await?.iter().filter(|key| goes(file_in(key, &prefix))) {
            erased += self.erase(key).await?;
        }
        Ok(erased)
    }

    /// Erases a recording and what it says, with all versions; how many there were.
    pub async fn erase_recording(
        &self,
        tenant: &Tenant,
        call: &CallSid,
        recording: &RecordingSid,
    ) -> Result<u64, Error> {
        self.erase(&format!("{}/{call}/{recording}.", tenant.id())).await
    }

    /// Every recording that lies under a call, also those of which no request tells: takes that the caller made again.
    pub async fn recordings_of(&self, tenant: &Tenant, call: &CallSid) -> Result<BTreeSet<RecordingSid>, Error> {
        let prefix = format!("{}/{call}/", tenant.id());
        Ok(self.keys_under(&prefix).await?.iter().filter_map(|key| recording_in(key, &prefix)).collect())
    }

    /// Every key that begins like this, also where only an older version of it or a delete marker is there.
    async fn keys_under(&self, prefix: &str) -> Result<BTreeSet<String>, Error> {
        let bucket = required(self.recordings.as_deref(), "BUCKET_RECORDINGS is not set")?;
        let (mut keys, mut key, mut version) = (BTreeSet::new(), None, None);
        loop {
            let found = self
                .client
                .list_object_versions()
                .bucket(bucket)
                .prefix(prefix)
                .set_key_marker(key)
                .set_version_id_marker(version)
                .send()
                .await
                .map_err(|error| Error::failed("looking for objects")(error.into_service_error()))?;
            let versions = found.versions().iter().filter_map(|it| it.key());
            let markers = found.delete_markers().iter().filter_map(|it| it.key());
            keys.extend(versions.chain(markers).map(str::to_owned));
            (key, version) = (found.next_key_marker, found.next_version_id_marker);
            if found.is_truncated != Some(true) || key.is_none() {
                return Ok(keys);
            }
        }
    }

    /// Erases a photo of an identity document, with all its versions; how many there were.
    pub async fn erase_photo(&self, id: &UploadId) -> Result<u64, Error> {
        self.erase(&id.photo()).await
    }

    /// The recordings of the tenant that lie first, whether or not a request tells of them; none where none is left.
    pub async fn first_recordings(&self, tenant: &Tenant) -> Result<Vec<(CallSid, RecordingSid)>, Error> {
        let bucket = required(self.recordings.as_deref(), "BUCKET_RECORDINGS is not set")?;
        let found = self.client.list_object_versions().bucket(bucket).prefix(format!("{}/", tenant.id())).send().await;
        let found = found.map_err(|error| Error::failed("looking for versions")(error.into_service_error()))?;
        let named = |key: &str| {
            let (call, file) = key.split_once('/')?.1.split_once('/')?;
            Some((CallSid::parse(call).ok()?, RecordingSid::parse(file.split('.').next()?).ok()?))
        };
        let versions = found.versions().iter().filter_map(|it| named(it.key()?));
        let markers = found.delete_markers().iter().filter_map(|it| named(it.key()?));
        let mut recordings: Vec<_> = versions.chain(markers).collect();
        recordings.dedup();
        Ok(recordings)
    }

    /// Erases every recording and every file of a tenant, with all versions; how many there were.
    pub async fn erase_all(&self, tenant: &Tenant) -> Result<u64, Error> {
        let files = self.erase(&format!("attachments/{}/", tenant.id())).await?;
        Ok(files + self.erase(&format!("{}/", tenant.id())).await?)
    }

    /// Erases every greeting that a tenant ever recorded, with all versions; how many there were.
    pub async fn erase_greetings(&self, tenant: &Tenant) -> Result<u64, Error> {
        let bucket = required(self.greetings.as_deref(), "BUCKET_GREETINGS is not set")?;
        self.erase_from(bucket, &format!("greetings/{}", half_a_digest(tenant.id().as_str().as_bytes()))).await
    }

    async fn erase(&self, prefix: &str) -> Result<u64, Error> {
        self.erase_from(required(self.recordings.as_deref(), "BUCKET_RECORDINGS is not set")?, prefix).await
    }

    /// Erases every version of everything whose key begins like this, delete markers too.
    async fn erase_from(&self, bucket: &str, prefix: &str) -> Result<u64, Error> {
        let mut erased = 0;
        loop {
            let found = self.client.list_object_versions().bucket(bucket).prefix(prefix).send().await;
            let found = found.map_err(|error| Error::failed("looking for versions")(error.into_service_error()))?;
            let versions = found.versions().iter().map(|it| (it.key(), it.version_id()));
            let markers = found.delete_markers().iter().map(|it| (it.key(), it.version_id()));
            let all: Vec<_> = versions.chain(markers).collect();
            if all.is_empty() {
                return Ok(erased);
            }
            for (key, version) in all {
                let (Some(key), Some(version)) = (key, version) else {
                    return Err(Error::Failed { doing: "erasing a version", source: "it has no name".into() });
                };
                let gone = self.client.delete_object().bucket(bucket).key(key).version_id(version).send().await;
                gone.map_err(|error| Error::failed("erasing a version")(error.into_service_error()))?;
                erased += 1;
            }
        }
    }

    /// Opens the connection while the function still starts.
    pub(crate) async fn warm(&self) {
        if let Some(bucket) = [&self.greetings, &self.recordings].into_iter().flatten().next() {
            let _ = self.client.head_object().bucket(bucket).key("greetings/warm-up").send().await;
        }
    }
}

/// Which recording an object under a call is a part of.
fn recording_in(key: &str, prefix: &str) -> Option<RecordingSid> {
    let (sid, _) = key.strip_prefix(prefix)?.split_once('.')?;
    RecordingSid::parse(sid).ok()
}

/// The id of the file that an object of a request is.
fn file_in<'a>(key: &'a str, prefix: &str) -> &'a str {
    let name = key.strip_prefix(prefix).unwrap_or(key);
    name.split_once('.').map_or(name, |(id, _)| id)
}

/// What may be uploaded.
struct Upload {
    key: String,
    content_type: &'static str,
    /// At most.
    bytes: u32,
}

/// What a signature is made for (AWS Signature Version 4).
struct Scope<'a> {
    bucket: &'a str,
    region: &'a str,
    credentials: &'a Credentials,
    now: Timestamp,
}

impl Scope<'_> {
    fn fields(&self, upload: &Upload, redirect: &str) -> Result<Vec<(&'static str, String)>, Error> {
        let now = self.now.to_zoned(TimeZone::UTC);
        let credential = format!("{}/{}", self.credentials.access_key_id(), self.name());
        let mut fields = vec![
            ("key", upload.key.clone()),
            ("Content-Type", upload.content_type.to_owned()),
            ("success_action_redirect", redirect.to_owned()),
            ("x-amz-algorithm", "AWS4-HMAC-SHA256".to_owned()),
            ("x-amz-credential", credential),
            ("x-amz-date", now.strftime("%Y%m%dT%H%M%SZ").to_string()),
        ];
        if let Some(token) = self.credentials.session_token() {
            fields.push(("x-amz-security-token", token.to_owned()));
        }
        let mut conditions = vec![json!({ "bucket": self.bucket }), json!(["content-length-range", 1, upload.bytes])];
        conditions.extend(fields.iter().map(|(name, value)| json!({ *name: value })));
        let expires = (self.now + UPLOAD_WITHIN).to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string();
        let policy = serde_json::to_vec(&json!({ "expiration": expires, "conditions": conditions }))
            .map_err(Error::failed("signing an upload"))?;
        let policy = BASE64_STANDARD.encode(policy);
        let signature = self.sign(&policy);
        fields.push(("policy", policy));
        fields.push(("x-amz-signature", signature));
        Ok(fields)
    }

    /// `20261122/us-west-2/s3/aws4_request`.
    fn name(&self) -> String {
        format!("{}/{}/s3/aws4_request", self.day(), self.region)
    }

    fn day(&self) -> String {
        self.now.to_zoned(TimeZone::UTC).strftime("%Y%m%d").to_string()
    }

    /// The signature of a policy that is in base64 already.
    fn sign(&self, policy: &str) -> String {
        let start = format!("AWS4{}", self.credentials.secret_access_key()).into_bytes();
        let day = self.day();
        let parts = [day.as_str(), self.region, "s3", "aws4_request"];
        let key = parts.iter().fold(start, |key, part| hmac_sha256(&key, part.as_bytes()));
        hex(hmac_sha256(&key, policy.as_bytes()).iter())
    }
}

fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
}

/// The first 128 bits of the SHA-256, in lower-case hex.
fn half_a_digest(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref().iter().take(16))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "Example: Browser-Based Upload using HTTP POST (Using AWS Signature Version 4)", S3 API reference: its policy, its
    /// credentials, its signature.
    const EXAMPLE_POLICY: &str = "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9";

    fn credentials(token: Option<&str>) -> Credentials {
        let token = token.map(str::to_owned);
        Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", token, None, "example")
    }

    #[test]
    fn the_signature_is_that_of_awss_own_example() {
        let credentials = credentials(None);
        let now = "2015-12-29T00:00:00Z".parse().unwrap();
        let scope = Scope { bucket: "sigv4examplebucket", region: "us-east-1", credentials: &credentials, now };
        assert_eq!(scope.sign(EXAMPLE_POLICY), "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e");
    }

    #[test]
    fn every_field_of_the_form_is_in_its_policy_and_the_size_is_bounded() {
        let credentials = credentials(Some("session-token"));
        let now = "2026-11-22T01:02:03Z".parse().unwrap();
        let scope = Scope { bucket: "greetings", region: "us-west-2", credentials: &credentials, now };
        let upload = Upload { key: "uploads/t-a/x".into(), content_type: UPLOAD_TYPE, bytes: GREETING_BYTES };
        let fields = scope.fields(&upload, "https://hotline.example/dashboard/x").unwrap();
        let find = |name: &str| fields.iter().find(|(there, _)| *there == name).map(|(_, value)| value.clone());
        let policy = BASE64_STANDARD.decode(find("policy").unwrap()).unwrap();
        let policy: serde_json::Value = serde_json::from_slice(&policy).unwrap();
        assert_eq!(policy["expiration"], "2026-11-22T01:12:03.000Z");
        let conditions = policy["conditions"].as_array().unwrap();
        for (name, value) in &fields {
            let named = conditions.contains(&json!({ *name: value }));
            assert_eq!(named, !matches!(*name, "policy" | "x-amz-signature"), "{name}");
        }
        assert!(conditions.contains(&json!(["content-length-range", 1, 4_000_000])));
        assert!(conditions.contains(&json!({"bucket": "greetings"})));
        assert_eq!(find("x-amz-date").unwrap(), "20261122T010203Z");
        assert_eq!(find("x-amz-credential").unwrap(), "AKIAIOSFODNN7EXAMPLE/20261122/us-west-2/s3/aws4_request");
    }

    #[test]
    fn a_photos_name_says_nothing_but_its_id() {
        let id = UploadId::random().unwrap();
        assert_eq!(id.photo(), format!("identity/{}", id.as_str()));
    }

    #[test]
    fn a_recording_is_known_by_the_objects_that_are_parts_of_it() {
        let sid = format!("RE{}", "0".repeat(32));
        for part in ["audio", "transcript"] {
            let found = recording_in(&format!("t-a/CA1/{sid}.{part}"), "t-a/CA1/").unwrap();
            assert_eq!(found.as_str(), sid);
        }
        for other in ["t-a/CA1/note.audio".to_owned(), format!("t-a/CA1/{sid}"), format!("t-a/CA2/{sid}.audio")] {
            assert_eq!(recording_in(&other, "t-a/CA1/"), None, "{other}");
        }
    }

    #[test]
    fn a_file_is_known_by_the_id_before_its_content() {
        assert_eq!(file_in("attachments/t-a/123/f-1.00ff", "attachments/t-a/123/"), "f-1");
    }

    #[test]
    fn an_upload_is_named_by_43_characters_that_are_no_path() {
        let id = UploadId::random().unwrap();
        assert_eq!(UploadId::parse(id.as_str()), Some(id));
        for wrong in ["", "../../greetings/x", &"/".repeat(43), &"a".repeat(44)] {
            assert_eq!(UploadId::parse(wrong), None, "{wrong}");
        }
    }
}
