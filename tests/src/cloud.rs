//! AWS as its root sees it: signed requests to any service of the local cloud, without an SDK for each.

use std::collections::BTreeMap;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Map, Value, json};

/// What AWS refused, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsError {
    /// The HTTP status.
    pub status: u16,
    /// The answer's body, which names the error.
    pub body: String,
}

/// The local cloud's AWS.
#[derive(Clone)]
pub struct Cloud {
    http: reqwest::Client,
    endpoint: String,
    region: String,
    identity: Identity,
}

/// An answer of a service: status, headers in lower case, body.
struct Answer {
    status: u16,
    body: Vec<u8>,
}

impl Cloud {
    /// The cloud at this address, as its root: `test`/`test`.
    #[must_use]
    pub fn root(endpoint: &str, region: &str) -> Self {
        Self {
            http: reqwest::Client::builder().no_proxy().build().expect("an HTTP client"),
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            region: region.to_owned(),
            identity: Credentials::new("test", "test", None, None, "local cloud").into(),
        }
    }

    async fn send(
        &self,
        service: &str,
        method: Method,
        path_and_query: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let url = format!("{}{path_and_query}", self.endpoint);
        let mut settings = SigningSettings::default();
        if service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        }
        #[expect(clippy::disallowed_methods, reason = "AWS wants the real time in a signature")]
        let now = SystemTime::now();
        let params = v4::SigningParams::builder()
            .identity(&self.identity)
            .region(&self.region)
            .name(service)
            .time(now)
            .settings(settings)
            .build()
            .expect("complete signing parameters")
            .into();
        let signable = SignableRequest::new(method.as_str(), &url, headers.iter().copied(), SignableBody::Bytes(&body))
            .expect("a request that can be signed");
        let (instructions, _) = sign(signable, &params).expect("a signature").into_parts();
        let (signature, _) = instructions.into_parts();
        let mut request = self.http.request(method, &url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        for header in signature {
            request = request.header(header.name(), header.value());
        }
        let response = request.send().await.unwrap_or_else(|why| panic!("{service} does not answer: {why}"));
        let status = response.status().as_u16();
        let body = response.bytes().await.expect("a whole answer").to_vec();
        Answer { status, body }
    }

    fn text(answer: &Answer) -> Result<String, AwsError> {
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        if answer.status < 300 { Ok(body) } else { Err(AwsError { status: answer.status, body }) }
    }

    /// An operation of a service that speaks JSON: DynamoDB, SQS, KMS, Secrets Manager, CloudWatch Logs.
    pub async fn try_call(&self, operation: &str, input: &Value) -> Result<Value, AwsError> {
        let (service, name) = operation.split_once(':').expect("service:Operation");
        let (prefix, version) = match service {
            "dynamodb" => ("DynamoDB_20120810", "1.0"),
            "sqs" => ("AmazonSQS", "1.0"),
            "kms" => ("TrentService", "1.1"),
            "secretsmanager" => ("secretsmanager", "1.1"),
            "logs" => ("Logs_20140328", "1.1"),
            other => panic!("{other} is not known here"),
        };
        let (target, media) = (format!("{prefix}.{name}"), format!("application/x-amz-json-{version}"));
        let headers = [("content-type", media.as_str()), ("x-amz-target", target.as_str())];
        let body = serde_json::to_vec(input).expect("JSON");
        let text = Self::text(&self.send(service, Method::POST, "/", &headers, body).await)?;
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect("an answer in JSON") })
    }

    /// The same, where it has to succeed.
    pub async fn call(&self, operation: &str, input: Value) -> Value {
        self.try_call(operation, &input).await.unwrap_or_else(|why| panic!("{operation}: {why:?}"))
    }

    // ---- DynamoDB

    /// One item, as plain JSON.
    pub async fn item(&self, table: &str, key: &[(&str, &str)]) -> Option<Value> {
        let key: Map<String, Value> =
            key.iter().map(|(name, value)| ((*name).to_owned(), json!({ "S": value }))).collect();
        let got =
            self.call("dynamodb:GetItem", json!({ "TableName": table, "Key": key, "ConsistentRead": true })).await;
        got.get("Item").map(plain)
    }

    /// Every item of a table whose attribute has this value, as plain JSON. Reads the whole table, as only a test may.
    pub async fn items_with(&self, table: &str, attribute: &str, value: &str) -> Vec<Value> {
        let filter = json!({
            "FilterExpression": "#a = :v",
            "ExpressionAttributeNames": { "#a": attribute },
            "ExpressionAttributeValues": { ":v": { "S": value } },
        });
        self.scan(table, filter).await.iter().map(plain).collect()
    }

    /// Every item of a table, in DynamoDB's own JSON; `more` adds parameters.
    pub async fn scan(&self, table: &str, more: Value) -> Vec<Value> {
        let (mut items, mut start) = (vec![], None);
        loop {
            let mut input = more.clone();
            input["TableName"] = table.into();
            input["ConsistentRead"] = true.into();
            if let Some(start) = start {
                input["ExclusiveStartKey"] = start;
            }
            let mut page = self.call("dynamodb:Scan", input).await;
            if let Some(Value::Array(more)) = page.get_mut("Items").map(Value::take) {
                items.extend(more);
            }
            match page.get_mut("LastEvaluatedKey").map(Value::take) {
                Some(key) if key.is_object() => start = Some(key),
                _ => return items,
            }
        }
    }

    /// The keys that an index of a table has under a partition, as plain JSON.
    pub async fn index(&self, table: &str, index: &str, attribute: &str, value: &str) -> Vec<Value> {
        let input = json!({
            "TableName": table, "IndexName": index, "KeyConditionExpression": "#a = :v",
            "ExpressionAttributeNames": { "#a": attribute },
            "ExpressionAttributeValues": { ":v": { "S": value } },
        });
        let found = self.call("dynamodb:Query", input).await;
        found["Items"].as_array().expect("items").iter().map(plain).collect()
    }

    // ---- SQS

    /// Sends a message.
    pub async fn send_message(&self, queue: &str, body: &str) {
        self.call("sqs:SendMessage", json!({ "QueueUrl": queue, "MessageBody": body })).await;
    }

    /// Sends up to ten messages at once, so that they can arrive in one batch.
    pub async fn send_batch(&self, queue: &str, bodies: &[String]) {
        let entry = |(id, body): (usize, &String)| json!({ "Id": id.to_string(), "MessageBody": body });
        let entries: Vec<Value> = bodies.iter().enumerate().map(entry).collect();
        let sent = self.call("sqs:SendMessageBatch", json!({ "QueueUrl": queue, "Entries": entries })).await;
        assert_eq!(sent["Successful"].as_array().map(Vec::len), Some(bodies.len()), "{sent}");
    }

    /// The bodies of all messages that lie in a queue, without receiving them.
    pub async fn messages(&self, queue: &str) -> Vec<String> {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("QueueUrl", queue).finish();
        let url = format!("{}/_ministack/sqs/messages?{query}", self.endpoint);
        let answer = self.http.get(url).send().await.expect("the local cloud's view of its queues");
        let text = answer.text().await.expect("a whole answer");
        let view: Value = serde_json::from_str(&text).expect("JSON");
        let mut bodies = vec![];
        collect_bodies(&view, &mut bodies);
        bodies
    }

    /// Takes the message with this body out of a queue; false when it is not there.
    pub async fn take_message(&self, queue: &str, body: &str) -> bool {
        // Others' messages that come along are visible again at once.
        let input = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0 });
        for _ in 0..20 {
            let got = self.call("sqs:ReceiveMessage", input.clone()).await;
            let Some(messages) = got["Messages"].as_array().filter(|messages| !messages.is_empty()) else {
                return false;
            };
            if let Some(message) = messages.iter().find(|message| message["Body"] == body) {
                let delete = json!({ "QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"] });
                self.call("sqs:DeleteMessage", delete).await;
                return true;
            }
        }
        false
    }

    // ---- S3

    /// The keys in a bucket that begin with this.
    pub async fn keys(&self, bucket: &str, prefix: &str) -> Vec<String> {
        let (mut keys, mut token) = (vec![], None::<String>);
        loop {
            // Sorted by name, as a signature has them.
            let mut query = form_urlencoded::Serializer::new(String::new());
            if let Some(token) = &token {
                query.append_pair("continuation-token", token);
            }
            let query = query.append_pair("list-type", "2").append_pair("prefix", prefix).finish();
            let answer = self.send("s3", Method::GET, &format!("/{bucket}?{query}"), &[], vec![]).await;
            let xml = Self::text(&answer).unwrap_or_else(|why| panic!("listing {bucket}: {why:?}"));
            keys.extend(between(&xml, "<Key>", "</Key>").map(str::to_owned));
            token = between(&xml, "<NextContinuationToken>", "</NextContinuationToken>").next().map(str::to_owned);
            if token.is_none() {
                return keys;
            }
        }
    }

    /// The keys of every version in a bucket whose key begins with this, delete markers too.
    pub async fn versions(&self, bucket: &str, prefix: &str) -> Vec<String> {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("prefix", prefix)
            .append_pair("versions", "")
            .finish();
        let answer = self.send("s3", Method::GET, &format!("/{bucket}?{query}"), &[], vec![]).await;
        let xml = Self::text(&answer).unwrap_or_else(|why| panic!("listing versions of {bucket}: {why:?}"));
        between(&xml, "<Key>", "</Key>").map(str::to_owned).collect()
    }

    /// An object as it lies there.
    pub async fn object(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        let answer = self.send("s3", Method::GET, &format!("/{bucket}/{key}"), &[], vec![]).await;
        (answer.status == 200).then_some(answer.body)
    }

    /// Puts an object.
    pub async fn put_object(&self, bucket: &str, key: &str, bytes: &[u8]) {
        let answer = self.send("s3", Method::PUT, &format!("/{bucket}/{key}"), &[], bytes.to_vec()).await;
        Self::text(&answer).unwrap_or_else(|why| panic!("putting {key}: {why:?}"));
    }

    /// Deletes an object.
    pub async fn delete_object(&self, bucket: &str, key: &str) {
        let answer = self.send("s3", Method::DELETE, &format!("/{bucket}/{key}"), &[], vec![]).await;
        Self::text(&answer).unwrap_or_else(|why| panic!("deleting {key}: {why:?}"));
    }

    // ---- KMS, Secrets Manager, Lambda, IAM, CloudWatch Logs

    /// Every mail and every text message that was sent, each with the addresses that it was sent to.
    pub async fn outbox(&self) -> Vec<(Vec<String>, Value)> {
        let get = async |path: &str| -> Value {
            let answer = self.http.get(format!("{}{path}", self.endpoint)).send().await.expect("an outbox");
            serde_json::from_str(&answer.text().await.expect("a whole answer")).expect("JSON")
        };
        let mails = get("/_ministack/ses/messages").await;
        let mails =
            mails["messages"].as_object().into_iter().flat_map(Map::values).filter_map(Value::as_array).flatten();
        let all: Vec<&Value> = mails.collect();
        let to = |mail: &Value| {
            let names = ["To", "Cc", "Bcc"].into_iter().filter_map(|name| mail[name].as_array()).flatten();
            names.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let mut outbox: Vec<(Vec<String>, Value)> = all.into_iter().map(|mail| (to(mail), mail.clone())).collect();
        let texts = get("/_ministack/sns/sms-messages").await;
        for (number, texts) in texts["sms_messages"].as_object().into_iter().flatten() {
            let texts = texts.as_array().into_iter().flatten();
            outbox.extend(texts.map(|text| (vec![number.clone()], text.clone())));
        }
        outbox
    }

    /// Sends a mail that says something.
    pub async fn send_mail(&self, from: &str, to: &str, says: &str) {
        let content = json!({ "Simple": { "Subject": { "Data": "Hello" }, "Body": { "Text": { "Data": says } } } });
        let mail = json!({ "FromEmailAddress": from, "Destination": { "ToAddresses": [to] }, "Content": content });
        let headers = [("content-type", "application/json")];
        let answer =
            self.send("ses", Method::POST, "/v2/email/outbound-emails", &headers, mail.to_string().into()).await;
        Self::text(&answer).unwrap_or_else(|why| panic!("sending a mail: {why:?}"));
    }

    /// Sends a text message that says something.
    pub async fn send_text(&self, to: &str, says: &str) {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("Action", "Publish"), ("Version", "2010-03-31"), ("PhoneNumber", to), ("Message", says)])
            .finish();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = self.send("sns", Method::POST, "/", &headers, form.into_bytes()).await;
        Self::text(&answer).unwrap_or_else(|why| panic!("sending a text message: {why:?}"));
    }

    /// What a wrapped key unwraps to under an encryption context.
    pub async fn unwrap(&self, key: &str, wrapped: &[u8], context: &[(&str, &str)]) -> Result<Vec<u8>, AwsError> {
        let context: BTreeMap<&str, &str> = context.iter().copied().collect();
        let input = json!({ "KeyId": key, "CiphertextBlob": STANDARD.encode(wrapped), "EncryptionContext": context });
        let opened = self.try_call("kms:Decrypt", &input).await?;
        Ok(STANDARD.decode(opened["Plaintext"].as_str().expect("a key")).expect("base64"))
    }

    /// A secret that is JSON.
    pub async fn secret(&self, arn: &str) -> Value {
        let got = self.call("secretsmanager:GetSecretValue", json!({ "SecretId": arn })).await;
        serde_json::from_str(got["SecretString"].as_str().expect("a text")).expect("JSON")
    }

    /// Invokes a function; an error of its own comes back as what it said.
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<Value, Value> {
        let path = format!("/2015-03-31/functions/{function}/invocations");
        let headers = [("content-type", "application/json")];
        let body = serde_json::to_vec(event).expect("JSON");
        let text = Self::text(&self.send("lambda", Method::POST, &path, &headers, body).await)
            .unwrap_or_else(|why| panic!("invoking {function}: {why:?}"));
        let answer: Value = serde_json::from_str(&text).expect("an answer in JSON");
        if answer.get("errorType").is_some() { Err(answer) } else { Ok(answer) }
    }

    /// Which of these actions a role may do on a resource.
    pub async fn may(&self, role: &str, actions: &[&str], resource: &str) -> Vec<bool> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", "SimulatePrincipalPolicy").append_pair("Version", "2010-05-08");
        form.append_pair("PolicySourceArn", role).append_pair("ResourceArns.member.1", resource);
        for (at, action) in actions.iter().enumerate() {
            form.append_pair(&format!("ActionNames.member.{}", at + 1), action);
        }
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = self.send("iam", Method::POST, "/", &headers, form.finish().into_bytes()).await;
        let xml = Self::text(&answer).unwrap_or_else(|why| panic!("asking IAM: {why:?}"));
        let decisions: Vec<bool> =
            between(&xml, "<EvalDecision>", "</EvalDecision>").map(|decision| decision == "allowed").collect();
        assert_eq!(decisions.len(), actions.len(), "{xml}");
        decisions
    }

    /// The messages of a log group that contain a text, with their streams, oldest first.
    pub async fn log(&self, group: &str, containing: Option<&str>) -> Vec<(String, String)> {
        const MOST: usize = 10_000;
        let (mut lines, mut start) = (vec![], 0);
        loop {
            let mut input = json!({ "logGroupName": group, "startTime": start, "limit": MOST });
            if let Some(text) = containing {
                input["filterPattern"] = format!("\"{text}\"").into();
            }
            let got = self.call("logs:FilterLogEvents", input).await;
            let events = got["events"].as_array().expect("events");
            let at = |event: &Value| event["timestamp"].as_i64().expect("a time");
            let text = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
            // The local cloud has no token for the next page: those of the last moment come again with it.
            let whole = events.len() < MOST;
            let last = events.last().map_or(start, at);
            let page = events.iter().filter(|event| whole || at(event) < last);
            lines.extend(page.map(|event| (text(event, "logStreamName"), text(event, "message"))));
            if whole {
                return lines;
            }
            assert!(last > start, "more than {MOST} lines of one millisecond");
            start = last;
        }
    }

    /// The names of all log groups.
    pub async fn log_groups(&self) -> Vec<String> {
        let got = self.call("logs:DescribeLogGroups", json!({ "limit": 50 })).await;
        let groups = got["logGroups"].as_array().expect("groups");
        groups.iter().filter_map(|group| group["logGroupName"].as_str()).map(str::to_owned).collect()
    }

    /// Writes a line into a log group.
    pub async fn put_log(&self, group: &str, stream: &str, line: &str, at_millisecond: i64) {
        let names = json!({ "logGroupName": group, "logStreamName": stream });
        // One that is there already is as good.
        let _ = self.try_call("logs:CreateLogStream", &names).await;
        let mut input = names;
        input["logEvents"] = json!([{ "timestamp": at_millisecond, "message": line }]);
        self.call("logs:PutLogEvents", input).await;
    }

    /// Deletes a stream of a log group with all its lines.
    pub async fn delete_log(&self, group: &str, stream: &str) {
        self.call("logs:DeleteLogStream", json!({ "logGroupName": group, "logStreamName": stream })).await;
    }
}

/// DynamoDB's JSON as plain JSON: binary values as base64, numbers as they are, sets as lists.
#[must_use]
pub fn plain(item: &Value) -> Value {
    let object = item.as_object().expect("an item");
    Value::Object(object.iter().map(|(name, value)| (name.clone(), plain_value(value))).collect())
}

fn plain_value(value: &Value) -> Value {
    let (kind, inner) = value.as_object().and_then(|value| value.iter().next()).expect("an attribute value");
    match kind.as_str() {
        "N" => serde_json::from_str(inner.as_str().expect("a number")).expect("a number"),
        "M" => plain(inner),
        "L" => inner.as_array().expect("a list").iter().map(plain_value).collect(),
        "NULL" => Value::Null,
        _ => inner.clone(),
    }
}

/// What lies between two marks, each time.
fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(open).skip(1).filter_map(move |rest| rest.split_once(close).map(|(inner, _)| inner))
}

/// The bodies of messages, wherever they are in the local cloud's view of its queues.
fn collect_bodies(view: &Value, bodies: &mut Vec<String>) {
    match view {
        Value::Object(object) => {
            for (name, value) in object {
                match value {
                    Value::String(body) if name.eq_ignore_ascii_case("body") => bodies.push(body.clone()),
                    other => collect_bodies(other, bodies),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| collect_bodies(value, bodies)),
        _ => {}
    }
}
