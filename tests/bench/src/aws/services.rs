//! SQS, KMS, Secrets Manager, SES and S3, as far as Optline's functions use them.

use std::collections::BTreeSet;
use std::str;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Answer, Cloud, Object};

/// Where SES takes a mail.
pub(super) const SEND_EMAIL: &str = "/v2/email/outbound-emails";
/// So many messages go into one call.
const BATCH_LIMIT: usize = 10;
/// And so many bytes.
const MESSAGE_BYTES: usize = 1024 * 1024;

pub(super) fn sqs(cloud: &mut Cloud, operation: &str, input: &Value) -> Answer {
    match operation {
        "SendMessage" => {
            cloud.messages.push((text(input, "QueueUrl").to_owned(), text(input, "MessageBody").to_owned()));
            Answer::json(&json!({ "MessageId": message_id(cloud) }))
        }
        "SendMessageBatch" => send_batch(cloud, input),
        "GetQueueAttributes" => Answer::json(&json!({ "Attributes": {} })),
        _ => unknown(),
    }
}

fn message_id(cloud: &Cloud) -> String {
    format!("00000000-0000-4000-8000-{:012}", cloud.messages.len())
}

/// At most ten messages at once, each under an id of its own,
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>.
fn send_batch(cloud: &mut Cloud, input: &Value) -> Answer {
    let entries = input.get("Entries").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let ids: BTreeSet<&str> = entries.iter().map(|entry| text(entry, "Id")).collect();
    let bytes: usize = entries.iter().map(|entry| text(entry, "MessageBody").len()).sum();
    let refused = |kind: &str| Answer::refused(&format!("com.amazonaws.sqs#{kind}"), "as SQS has it");
    if entries.is_empty() {
        return refused("EmptyBatchRequest");
    }
    if entries.len() > BATCH_LIMIT {
        return refused("TooManyEntriesInBatchRequest");
    }
    if ids.len() < entries.len() {
        return refused("BatchEntryIdsNotDistinct");
    }
    if bytes > MESSAGE_BYTES {
        return refused("BatchRequestTooLong");
    }
    let mut sent = Vec::new();
    for entry in entries {
        cloud.messages.push((text(input, "QueueUrl").to_owned(), text(entry, "MessageBody").to_owned()));
        sent.push(json!({ "Id": text(entry, "Id"), "MessageId": message_id(cloud), "MD5OfMessageBody": "" }));
    }
    Answer::json(&json!({ "Successful": sent, "Failed": [] }))
}

/// SES keeps what it is given.
pub(super) fn ses(cloud: &mut Cloud, mail: Value) -> Answer {
    cloud.mails.push(mail);
    Answer::json(&json!({ "MessageId": format!("{:016x}-bench", cloud.mails.len()) }))
}

/// A wrapped key opens only under the encryption context that it was made under, as with KMS itself.
pub(super) fn kms(cloud: &mut Cloud, operation: &str, input: &Value) -> Answer {
    let context = input.get("EncryptionContext").cloned().unwrap_or_else(|| json!({}));
    match operation {
        "GenerateDataKey" | "GenerateDataKeyWithoutPlaintext" => {
            let number = cloud.wrapped.len();
            let blob = STANDARD.encode(format!("wrapped data key {number}"));
            let seed = u8::try_from(number % 251).unwrap_or_default();
            let key: Vec<u8> = (0..32).map(|place: u8| place.wrapping_mul(73).wrapping_add(seed)).collect();
            let plain = STANDARD.encode(key);
            cloud.wrapped.insert(blob.clone(), (plain.clone(), context));
            let mut output = json!({ "CiphertextBlob": blob, "KeyId": input.get("KeyId") });
            if let (Some(output), "GenerateDataKey") = (output.as_object_mut(), operation) {
                output.insert("Plaintext".into(), plain.into());
            }
            Answer::json(&output)
        }
        "Decrypt" => match cloud.wrapped.get(text(input, "CiphertextBlob")) {
            Some((plain, expected)) if *expected == context => {
                Answer::json(&json!({ "Plaintext": plain, "KeyId": input.get("KeyId") }))
            }
            _ => Answer::refused("InvalidCiphertextException", "no such wrapped key under this encryption context"),
        },
        _ => unknown(),
    }
}

pub(super) fn secrets(cloud: &Cloud, operation: &str, input: &Value) -> Answer {
    let name = text(input, "SecretId");
    match (operation, cloud.secrets.get(name)) {
        ("GetSecretValue", Some(secret)) => {
            Answer::json(&json!({ "ARN": name, "Name": name, "VersionId": "1", "SecretString": secret }))
        }
        ("GetSecretValue", None) => Answer::refused("ResourceNotFoundException", "no such secret"),
        _ => unknown(),
    }
}

pub(super) fn s3(cloud: &mut Cloud, operation: &str, path: &str, headers: &HeaderMap, body: &Bytes) -> Answer {
    match (operation, cloud.objects.get(path)) {
        ("PutObject", _) => {
            let content_type = value(headers, header::CONTENT_TYPE.as_str()).to_owned();
            let chunked = value(headers, header::CONTENT_ENCODING.as_str()).contains("aws-chunked");
            let bytes = if chunked { unchunked(body) } else { body.clone() };
            cloud.objects.insert(path.to_owned(), Object { bytes, content_type });
            xml(StatusCode::OK, "")
        }
        ("GetObject" | "HeadObject", Some(object)) => found(object, value(headers, "range")),
        ("GetObject" | "HeadObject", None) => {
            xml(StatusCode::NOT_FOUND, "<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>")
        }
        _ => xml(StatusCode::NOT_IMPLEMENTED, "<Error><Code>NotImplemented</Code></Error>"),
    }
}

fn found(object: &Object, range: &str) -> Answer {
    let mut answer = xml(StatusCode::OK, "");
    answer.headers.insert(header::ETAG, HeaderValue::from_static("\"stub\""));
    if let Ok(content_type) = HeaderValue::from_str(&object.content_type) {
        answer.headers.insert(header::CONTENT_TYPE, content_type);
    }
    answer.body = object.bytes.clone();
    let part = range.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    if let Some((first, last)) = part.and_then(|(first, last)| Some((first.parse::<usize>().ok()?, last))) {
        let whole = object.bytes.len();
        let end = last.parse::<usize>().map_or(whole, |last| whole.min(last.saturating_add(1)));
        if first >= end {
            return xml(StatusCode::RANGE_NOT_SATISFIABLE, "<Error><Code>InvalidRange</Code></Error>");
        }
        answer.status = StatusCode::PARTIAL_CONTENT;
        answer.body = object.bytes.slice(first..end);
        let shown = format!("bytes {first}-{}/{whole}", end - 1);
        answer.headers.extend(HeaderValue::from_str(&shown).map(|shown| (header::CONTENT_RANGE, shown)));
    }
    answer
}

/// The content of a body that comes as `size;extensions CRLF chunk CRLF … 0 CRLF trailers`: what an SDK sends when it
/// appends a checksum, <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>.
fn unchunked(body: &Bytes) -> Bytes {
    let mut content = Vec::with_capacity(body.len());
    let mut rest = body.as_ref();
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let (line, after) = rest.split_at(end);
        let size = line.split(|byte| *byte == b';').next().and_then(|size| str::from_utf8(size).ok());
        let size = size.and_then(|size| usize::from_str_radix(size, 16).ok()).unwrap_or_default();
        let Some((chunk, after)) = after.get(2..).and_then(|after| after.split_at_checked(size)) else { break };
        if chunk.is_empty() {
            break;
        }
        content.extend_from_slice(chunk);
        rest = after.get(2..).unwrap_or_default();
    }
    content.into()
}

fn xml(status: StatusCode, body: &'static str) -> Answer {
    Answer { status, headers: HeaderMap::new(), body: Bytes::from_static(body.as_bytes()), units: 1.0 }
}

fn unknown() -> Answer {
    Answer::refused("UnknownOperationException", "not in this stub")
}

fn text<'a>(input: &'a Value, name: &str) -> &'a str {
    input.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_key_opens_only_under_its_own_encryption_context() {
        let mut cloud = Cloud::default();
        let made =
            kms(&mut cloud, "GenerateDataKeyWithoutPlaintext", &json!({ "EncryptionContext": { "tenant": "a" } }));
        let made: Value = serde_json::from_slice(&made.body).unwrap();
        let mut open = |tenant: &str| {
            let context = json!({ "tenant": tenant });
            kms(
                &mut cloud,
                "Decrypt",
                &json!({ "CiphertextBlob": made["CiphertextBlob"], "EncryptionContext": context }),
            )
            .status
        };
        assert_eq!(open("a"), StatusCode::OK);
        assert_eq!(open("b"), StatusCode::BAD_REQUEST);
    }

    #[test]
    fn ten_messages_go_at_once_each_under_an_id_of_its_own() {
        let mut cloud = Cloud::default();
        let mut send = |ids: &[usize]| {
            let entries: Vec<Value> =
                ids.iter().map(|id| json!({ "Id": id.to_string(), "MessageBody": format!("m{id}") })).collect();
            let answer = sqs(&mut cloud, "SendMessageBatch", &json!({ "QueueUrl": "q", "Entries": entries }));
            (answer.status.is_success(), cloud.messages.len())
        };
        assert_eq!(send(&[1, 2, 3]), (true, 3));
        assert_eq!(send(&(0..10).collect::<Vec<_>>()), (true, 13));
        assert_eq!(send(&(0..11).collect::<Vec<_>>()), (false, 13));
        assert_eq!(send(&[1, 1]), (false, 13));
        assert_eq!(send(&[]), (false, 13));
    }

    #[test]
    fn a_chunked_upload_is_stored_as_its_content() {
        let body = Bytes::from_static(b"5;chunk-signature=0\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n");
        assert_eq!(unchunked(&body), Bytes::from_static(b"hello"));
    }

    #[test]
    fn a_range_is_cut_out_of_an_object() {
        let object = Object { bytes: Bytes::from_static(b"0123456789"), content_type: "audio/mpeg".into() };
        assert_eq!(found(&object, "bytes=2-4").body, Bytes::from_static(b"234"));
        assert_eq!(found(&object, "bytes=8-").body, Bytes::from_static(b"89"));
        assert_eq!(found(&object, "bytes=10-").status, StatusCode::RANGE_NOT_SATISFIABLE);
    }
}
