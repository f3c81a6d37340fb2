//! S3: greetings, which everybody may hear; recordings and attachments, which are sealed under their tenant's key.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use domain::reference::Reference;
use partners::twilio::{CallSid, RecordingSid};

use crate::Error;
use crate::config::{Config, required};
use crate::seal::{Place, SubjectSalt, TenantKeys, hex};
use crate::tenant::Tenant;

/// The buckets that this function may use.
#[derive(Debug)]
pub struct Blobs {
    client: aws_sdk_s3::Client,
    greetings: Option<String>,
    recordings: Option<String>,
    kms_key: Option<String>,
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
        }
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

    /// Opens the connection while the function still starts.
    pub(crate) async fn warm(&self) {
        if let Some(bucket) = [&self.greetings, &self.recordings].into_iter().flatten().next() {
            let _ = self.client.head_object().bucket(bucket).key("greetings/warm-up").send().await;
        }
    }
}
