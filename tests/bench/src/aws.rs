//! AWS on loopback: a small in-memory cloud that answers after a fixed delay and writes down every call.
//!
//! It knows the operations that Optline's functions use, and refuses any other by name, so that a new one cannot pass
//! uncounted. What one function changes, the next one finds: a whole telephone call can be placed against it.

mod dynamodb;
mod expression;
mod series;
mod services;
mod table;

use std::collections::BTreeMap;
use std::future;
use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use axum::serve::ListenerExt;
use futures::stream;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::Error;
use crate::gate::{Gate, Verdict};

pub use series::Series;
use table::{Span, Table};

/// One item as DynamoDB's JSON has it: attribute name to typed value.
pub type Item = Map<String, Value>;

/// What the stub holds; a clone is a snapshot.
#[derive(Debug, Clone, Default)]
pub struct Cloud {
    /// DynamoDB's tables.
    tables: BTreeMap<String, Table>,
    /// S3's objects by `/bucket/key`.
    pub objects: BTreeMap<String, Object>,
    /// Secrets Manager's strings by name or ARN.
    pub secrets: BTreeMap<String, String>,
    /// SQS's messages, oldest first: queue URL and body.
    pub messages: Vec<(String, String)>,
    /// The mails that SES took, oldest first, as they were sent.
    pub mails: Vec<Value>,
    /// What DynamoDB knows transactions by that it may be sent again: token, and what came under it.
    tokens: BTreeMap<String, u64>,
    /// KMS's wrapped keys: ciphertext, plaintext (both base64) and the encryption context that opens them.
    wrapped: BTreeMap<String, (String, Value)>,
}

impl Cloud {
    /// Puts an item into a table.
    pub fn put(&mut self, table: &str, item: Item) {
        let item = Value::Object(item);
        let table = self.table(table);
        let key = table::key(table.orders(), Some(&item));
        table.put(&key, item.as_object().cloned());
    }

    /// The item of a key: its partition, and its place in it where the table has such.
    #[must_use]
    pub fn get(&self, table: &str, pk: &str, sk: &str) -> Option<Item> {
        self.tables.get(table)?.get(&(pk.into(), sk.into()))
    }

    /// All items of a partition, in the order of their sort keys.
    pub fn partition<'a>(&'a self, table: &str, pk: &str) -> impl Iterator<Item = Item> + use<'a> {
        let span = Span { pk: pk.to_owned(), from: Bound::Unbounded, to: Bound::Unbounded };
        let table = self.tables.get(table);
        let items = table.and_then(|table| Some(table.span(table.orders().first()?, &span, None, true)));
        items.into_iter().flatten().map(|(_, stored)| stored.item())
    }

    /// All items of a table, in the order of their keys.
    pub fn all(&self, table: &str) -> impl Iterator<Item = Item> {
        self.tables.get(table).into_iter().flat_map(Table::all)
    }

    /// Fills a table with the first `count` items of a series, in the place of all such that were there before.
    pub fn stock(&mut self, table: &str, series: Series, count: u32) {
        self.table(table).stock(&Arc::new(series), count);
    }

    fn table(&mut self, name: &str) -> &mut Table {
        self.tables.entry(name.to_owned()).or_insert_with(|| Table::new(name))
    }
}

/// An S3 object.
#[derive(Debug, Clone)]
pub struct Object {
    /// What it holds.
    pub bytes: Bytes,
    /// Its media type.
    pub content_type: String,
}

/// A call that a function made.
#[derive(Debug, Clone)]
pub struct Call {
    /// `service:Operation`, as in `dynamodb:GetItem`.
    pub kind: String,
    /// Request units that DynamoDB bills for it, indexes included; one for every other service.
    pub units: f64,
    from: Instant,
    to: Instant,
}

/// How often each kind of call was made.
pub type Counts = BTreeMap<String, u64>;

/// Counts calls by kind.
#[must_use]
pub fn count(calls: &[Call]) -> Counts {
    let mut counts = Counts::new();
    for call in calls {
        *counts.entry(call.kind.clone()).or_default() += 1;
    }
    counts
}

/// How long a function waited for AWS: calls made at the same time are waited for together.
#[must_use]
pub fn waited(calls: &[Call]) -> Duration {
    let mut spans: Vec<(Instant, Instant)> = calls.iter().map(|call| (call.from, call.to)).collect();
    spans.sort();
    let mut total = Duration::ZERO;
    let mut covered: Option<Instant> = None;
    for (from, to) in spans {
        let from = covered.map_or(from, |covered| from.max(covered));
        total += to.saturating_duration_since(from);
        covered = Some(covered.map_or(to, |covered| covered.max(to)));
    }
    total
}

/// The cloud that several functions share.
#[derive(Debug, Clone, Default)]
pub struct SharedCloud(Arc<Mutex<Cloud>>);

impl SharedCloud {
    /// Access to what it holds.
    pub fn lock(&self) -> MutexGuard<'_, Cloud> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts back what a snapshot holds, all but the audit trail: that only grows, and a process remembers its end.
    pub fn rewind(&self, snapshot: &Cloud) {
        let mut cloud = self.lock();
        let trail = cloud.tables.remove("audit");
        cloud.clone_from(snapshot);
        cloud.tables.extend(trail.map(|trail| ("audit".to_owned(), trail)));
    }
}

/// One function's own address of the cloud, so that its calls are known to be its own.
#[derive(Debug)]
pub struct Aws {
    address: String,
    calls: Arc<Mutex<Vec<Call>>>,
    server: JoinHandle<()>,
}

impl Aws {
    /// Opens an address on which every call is answered `delay` after it was received.
    pub async fn listen(cloud: &SharedCloud, delay: Duration) -> Result<Self, Error> {
        Self::open(cloud, delay, None).await
    }

    /// Opens an address on which every call waits at a gate first.
    pub async fn behind(gate: Gate, cloud: &SharedCloud) -> Result<Self, Error> {
        Self::open(cloud, Duration::ZERO, Some(gate)).await
    }

    async fn open(cloud: &SharedCloud, delay: Duration, gate: Option<Gate>) -> Result<Self, Error> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?.to_string();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let endpoint = Endpoint { cloud: cloud.clone(), calls: Arc::clone(&calls), delay, gate };
        let routes = Router::new().fallback(answer).with_state(endpoint);
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let server = tokio::spawn(async move { drop(axum::serve(listener, routes).await) });
        Ok(Self { address, calls, server })
    }

    /// For `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The calls since they were last taken.
    #[must_use]
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[derive(Debug, Clone)]
struct Endpoint {
    cloud: SharedCloud,
    calls: Arc<Mutex<Vec<Call>>>,
    delay: Duration,
    gate: Option<Gate>,
}

/// What the stub says to one call.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    units: f64,
}

impl Answer {
    fn json(body: &Value) -> Self {
        Self { status: StatusCode::OK, headers: HeaderMap::new(), body: body.to_string().into(), units: 1.0 }
    }

    fn refused(kind: &str, message: &str) -> Self {
        let body = json!({ "__type": kind, "message": message });
        Self { status: StatusCode::BAD_REQUEST, ..Self::json(&body) }
    }
}

async fn answer(State(endpoint): State<Endpoint>, request: Request) -> Response {
    let from = Instant::now();
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else {
        return Response::default();
    };
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let kind = target.map_or_else(|| kind_by_path(&parts.method, parts.uri.path()).to_owned(), kind_by_target);
    let verdict = match &endpoint.gate {
        Some(gate) => gate.pass(&kind).await,
        None => Verdict::Pass,
    };
    let answer = match verdict {
        Verdict::Refuse(why) => Answer { status: refusal(why), ..Answer::refused(why, "as the gate wants it") },
        _ => done(&mut endpoint.cloud.lock(), &kind, &parts, &body),
    };
    match verdict {
        Verdict::Pass | Verdict::Refuse(_) => {}
        Verdict::LoseAnswer => return lost(),
        Verdict::DoneInSilence(told) => {
            // Where nobody wants to know any more, nobody waits.
            let _ = told.send(());
            return future::pending().await;
        }
    }
    if endpoint.delay > Duration::ZERO {
        // A thread's sleep is exact to a tenth of a millisecond, the runtime's own timer only to one.
        let delay = endpoint.delay;
        drop(spawn_blocking(move || thread::sleep(delay.saturating_sub(from.elapsed()))).await);
    }
    let call = Call { kind, units: answer.units, from, to: Instant::now() };
    endpoint.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    if target.is_some() {
        let json = header::HeaderValue::from_static("application/x-amz-json-1.0");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
    }
    response
}

/// The status of a refusal by its name: as every service of JSON has it, but for those of SES,
/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html>.
fn refusal(why: &str) -> StatusCode {
    match why {
        "TooManyRequestsException" => StatusCode::TOO_MANY_REQUESTS,
        "InternalFailure" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// DynamoDB, SQS, KMS and Secrets Manager name the operation in a header.
fn kind_by_target(target: &str) -> String {
    let (service, operation) = target.split_once('.').unwrap_or((target, ""));
    let service = match service {
        "DynamoDB_20120810" => "dynamodb",
        "AmazonSQS" => "sqs",
        "TrentService" => "kms",
        other => other,
    };
    format!("{service}:{operation}")
}

/// S3 names the bucket and the key in the path, SES the operation.
fn kind_by_path(method: &Method, path: &str) -> &'static str {
    match *method {
        Method::POST if path == services::SEND_EMAIL => "ses:SendEmail",
        Method::GET => "s3:GetObject",
        Method::PUT => "s3:PutObject",
        Method::HEAD => "s3:HeadObject",
        _ => "s3:Unknown",
    }
}

fn done(cloud: &mut Cloud, kind: &str, parts: &Parts, body: &Bytes) -> Answer {
    let input = || serde_json::from_slice::<Value>(body).unwrap_or_default();
    let (service, operation) = kind.split_once(':').unwrap_or((kind, ""));
    match service {
        "dynamodb" => dynamodb::answer(cloud, operation, &input()),
        "sqs" => services::sqs(cloud, operation, &input()),
        "kms" => services::kms(cloud, operation, &input()),
        "secretsmanager" => services::secrets(cloud, operation, &input()),
        "ses" => services::ses(cloud, input()),
        "s3" => services::s3(cloud, operation, parts.uri.path(), &parts.headers, body),
        _ => Answer::refused("UnknownOperationException", "not in this stub"),
    }
}

/// A body that fails before its first byte: the server drops the connection with nothing sent.
fn lost() -> Response {
    let broken = stream::iter([Err::<Bytes, _>(io::Error::other("the answer is lost"))]);
    Response::new(Body::from_stream(broken))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(kind: &str, origin: Instant, from_ms: u64, to_ms: u64) -> Call {
        let at = |ms| origin + Duration::from_millis(ms);
        Call { kind: kind.into(), units: 1.0, from: at(from_ms), to: at(to_ms) }
    }

    #[test]
    fn calls_are_counted_by_kind() {
        let origin = Instant::now();
        let calls = [
            call("dynamodb:GetItem", origin, 0, 1),
            call("sqs:SendMessage", origin, 1, 2),
            call("dynamodb:GetItem", origin, 2, 3),
        ];
        let expected = [("dynamodb:GetItem".to_owned(), 2), ("sqs:SendMessage".to_owned(), 1)];
        assert_eq!(count(&calls), Counts::from(expected));
    }

    #[test]
    fn calls_at_the_same_time_are_waited_for_once() {
        let origin = Instant::now();
        let calls =
            [call("a", origin, 0, 10), call("b", origin, 2, 4), call("c", origin, 8, 15), call("d", origin, 20, 21)];
        assert_eq!(waited(&calls), Duration::from_millis(16));
    }

    #[test]
    fn a_rewound_cloud_is_as_it_was_but_for_the_audit_trail() {
        let item = |pk: &str| json!({ "pk": { "S": pk }, "sk": { "S": "1" } }).as_object().cloned().unwrap();
        let cloud = SharedCloud::default();
        cloud.lock().put("audit", item("begun"));
        let before = cloud.lock().clone();
        cloud.lock().put("audit", item("gone on"));
        cloud.lock().put("requests", item("new"));
        cloud.rewind(&before);
        let count = |cloud: &SharedCloud, table: &str| cloud.lock().all(table).count();
        assert_eq!((count(&cloud, "audit"), count(&cloud, "requests")), (2, 0));
        let other = SharedCloud::default();
        other.rewind(&before);
        assert_eq!(count(&other, "audit"), 1);
    }

    #[tokio::test]
    async fn an_address_keeps_its_calls_apart_from_its_neighbours() {
        let cloud = SharedCloud::default();
        let one = Aws::listen(&cloud, Duration::ZERO).await.unwrap();
        let other = Aws::listen(&cloud, Duration::ZERO).await.unwrap();
        let endpoint = |aws: &Aws| Endpoint {
            cloud: cloud.clone(),
            calls: Arc::clone(&aws.calls),
            delay: Duration::ZERO,
            gate: None,
        };
        let ask = |target: &'static str| Request::builder().header("x-amz-target", target).body("{}".into()).unwrap();
        answer(State(endpoint(&one)), ask("AmazonSQS.SendMessage")).await;
        answer(State(endpoint(&one)), ask("TrentService.Launch")).await;
        assert_eq!(other.take_calls().len(), 0);
        let kinds: Vec<String> = one.take_calls().into_iter().map(|call| call.kind).collect();
        assert_eq!(kinds, ["sqs:SendMessage", "kms:Launch"]);
        assert_eq!(one.take_calls().len(), 0);
    }
}
