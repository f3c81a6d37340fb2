//! S3: greetings, which everybody may hear, and recordings, which are sealed under their tenant's key.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use partners::twilio::{CallSid, RecordingSid};

use crate::Error;
use crate::config::{Config, required};
use crate::seal::{Place, SubjectSalt, TenantKeys};
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

    /// Stores a greeting under the hash of its content, by which it is then found.
    pub async fn put_greeting(&self, file: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let bucket = required(self.greetings.as_deref(), "BUCKET_GREETINGS is not set")?;
        self.put(bucket, format!("greetings/{file}"), bytes, "storing a greeting").await
    }

    /// Stores part of a recording, sealed under its tenant's key. Storing it again changes nothing that matters.
    pub async fn put_recording(
        &self,
        (tenant, keys): (&Tenant, &TenantKeys),
        (call, recording): (&CallSid, &RecordingSid),
        part: RecordingPart,
        plain: &[u8],
    ) -> Result<(), Error> {
        let bucket = required(self.recordings.as_deref(), "BUCKET_RECORDINGS is not set")?;
        let key = recording_key(tenant, call, recording, part);
        let place = Place { table: "recordings", pk: &key, sk: "", attribute: "body" };
        let sealed = keys.seal(&SubjectSalt::of_place(&key), place, plain)?;
        self.put(bucket, key, sealed, "storing a recording").await
    }

    /// Part of a recording, opened.
    pub async fn recording(
        &self,
        (tenant, keys): (&Tenant, &TenantKeys),
        (call, recording): (&CallSid, &RecordingSid),
        part: RecordingPart,
    ) -> Result<Vec<u8>, Error> {
        let bucket = required(self.recordings.as_deref(), "BUCKET_RECORDINGS is not set")?;
        let key = recording_key(tenant, call, recording, part);
        let got = self.client.get_object().bucket(bucket).key(&key).send().await.map_err(|error| {
            match error.raw_response().map(|response| response.status().as_u16()) {
                Some(403 | 404) => Error::NotFound,
                _ => Error::failed("reading a recording")(error.into_service_error()),
            }
        })?;
        let sealed = got.body.collect().await.map_err(Error::failed("reading a recording"))?.to_vec();
        let place = Place { table: "recordings", pk: &key, sk: "", attribute: "body" };
        keys.open(&SubjectSalt::of_place(&key), place, &sealed).map(|plain| plain.to_vec())
    }

    /// Whether part of a recording is stored.
    pub async fn has_recording(
        &self,
        tenant: &Tenant,
        (call, recording): (&CallSid, &RecordingSid),
        part: RecordingPart,
    ) -> Result<bool, Error> {
        let bucket = required(self.recordings.as_deref(), "BUCKET_RECORDINGS is not set")?;
        let key = recording_key(tenant, call, recording, part);
        match self.client.head_object().bucket(bucket).key(key).send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.raw_response().map(|response| response.status().as_u16()) {
                Some(403 | 404) => Ok(false),
                _ => Err(Error::failed("looking for a recording")(error.into_service_error())),
            },
        }
    }

    async fn put(&self, bucket: &str, key: String, bytes: Vec<u8>, doing: &'static str) -> Result<(), Error> {
        let put = self
            .client
            .put_object()
            .bucket(bucket)
            .key(key)
            .server_side_encryption(ServerSideEncryption::AwsKms)
            .set_ssekms_key_id(self.kms_key.clone())
            .body(ByteStream::from(bytes))
            .send()
            .await;
        put.map(|_| ()).map_err(|error| Error::failed(doing)(error.into_service_error()))
    }

    /// Opens the connection while the function still starts.
    pub(crate) async fn warm(&self) {
        if let Some(bucket) = [&self.greetings, &self.recordings].into_iter().flatten().next() {
            let _ = self.client.head_object().bucket(bucket).key("greetings/warm-up").send().await;
        }
    }
}

/// `<tenant>/<call>/<recording>.audio`: all of a call's recordings lie together.
fn recording_key(tenant: &Tenant, call: &CallSid, recording: &RecordingSid, part: RecordingPart) -> String {
    let part = match part {
        RecordingPart::Audio => "audio",
        RecordingPart::Transcript => "transcript",
    };
    format!("{}/{call}/{recording}.{part}", tenant.id())
}
