//! Twilio's REST API 2010-04-01, as far as Optline uses it.
//!
//! | request | answer |
//! |---|---|
//! | `GET Recordings/{RE}`, `.wav`, `.mp3` | the audio, as it was deposited (nothing is transcoded) |
//! | `GET Recordings/{RE}.json`, `Transcriptions/{TR}.json` | what Twilio knows about it |
//! | `DELETE Recordings/{RE}`, `Transcriptions/{TR}` (`.json` or not) | 204, then 404 |
//! | `POST Messages.json` | 201 and the message; kept |
//! | `GET Calls.json` | the calls placed, newest first; filters, pages |
//! | `POST /_standin/calls` | one more call that ended: the telephone's, or one whose callback was lost |
//!
//! Every one asks for HTTP basic authentication with the account's SID and token. Codes and bodies of errors: Twilio's
//! "Error and Warning Dictionary" (20003, 20404, 21602 to 21604).

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{lock, now};

/// How many recordings are kept, and how many bytes of audio; the oldest go first.
const MOST_RECORDINGS: usize = 2_000;
const MOST_AUDIO: usize = 256 * 1024 * 1024;
/// How many calls and how many messages are kept.
const MOST_CALLS: usize = 20_000;
const MOST_MESSAGES: usize = 2_000;

/// A US toll-free number's price per started minute, in hundredths of a US cent: twilio.com/en-us/voice/pricing/us.
const PRICE_PER_MINUTE: u32 = 220;

/// The account that may use the API.
pub enum Credentials {
    /// Fixed ones.
    Given(Account),
    /// A JSON file `{"account_sid":"AC…","auth_token":"…"}`, read at every request, so that it may come or change later.
    File(PathBuf),
}

/// An account's SID and its token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// `AC` and 32 hex digits.
    pub account_sid: String,
    /// The primary authentication token.
    pub auth_token: String,
}

impl Credentials {
    fn now(&self) -> Option<Account> {
        match self {
            Credentials::Given(account) => Some(account.clone()),
            Credentials::File(path) => serde_json::from_slice(&std::fs::read(path).ok()?).ok(),
        }
    }
}

/// What the telephone leaves at Twilio when somebody has spoken after the beep.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordingDeposit {
    /// The call it was made in.
    pub call_sid: String,
    /// Its length in seconds.
    pub duration: u32,
    /// The audio in base64.
    pub audio: String,
    /// Its transcription, when one was made.
    #[serde(default)]
    pub transcript: Option<String>,
}

/// The answer to a [`RecordingDeposit`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Deposited {
    /// `RE` and 32 hex digits.
    pub sid: String,
    /// `TR` and 32 hex digits, when a transcription came with it.
    pub transcription_sid: Option<String>,
}

/// A call that has ended, as the telephone reports it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CallDeposit {
    /// `CA` and 32 hex digits.
    pub sid: String,
    /// The caller's number.
    pub from: String,
    /// The number called.
    pub to: String,
    /// `completed`, `busy`, …
    pub status: String,
    /// When it began.
    pub start_time: Timestamp,
    /// Its length in seconds.
    pub duration: u32,
}

struct Recording {
    call_sid: String,
    duration: u32,
    audio: Bytes,
    created: Timestamp,
}

struct Transcription {
    recording_sid: String,
    text: String,
    created: Timestamp,
}

struct Message {
    sid: String,
    to: String,
    from: String,
    body: String,
    created: Timestamp,
}

#[derive(Default)]
struct Kept {
    recordings: BTreeMap<String, Recording>,
    /// Recordings from the oldest, those since deleted included.
    recorded: VecDeque<String>,
    audio_bytes: usize,
    transcriptions: BTreeMap<String, Transcription>,
    messages: VecDeque<Message>,
    calls: VecDeque<CallDeposit>,
}

struct Twilio {
    credentials: Credentials,
    kept: Mutex<Kept>,
}

type Shared = State<Arc<Twilio>>;

/// The API and the two places where the telephone leaves what Twilio would have made itself.
pub fn api(credentials: Credentials) -> Router {
    let twilio = Arc::new(Twilio { credentials, kept: Mutex::default() });
    Router::new()
        .route("/2010-04-01/Accounts/{account}/Recordings/{file}", get(recording).delete(delete_recording))
        .route("/2010-04-01/Accounts/{account}/Transcriptions/{file}", get(transcription).delete(delete_transcription))
        .route("/2010-04-01/Accounts/{account}/Messages.json", post(send_message))
        .route("/2010-04-01/Accounts/{account}/Calls.json", get(calls))
        .route_layer(middleware::from_fn_with_state(twilio.clone(), authenticate))
        .route("/_standin/recordings", post(deposit_recording))
        .route("/_standin/calls", post(deposit_call))
        .fallback(async |request: Request| not_found(request.uri().path()))
        .with_state(twilio)
}

async fn authenticate(State(twilio): Shared, request: Request, next: Next) -> Response {
    let Some(account) = twilio.credentials.now() else {
        return problem(StatusCode::UNAUTHORIZED, 20003, "Authenticate: the stand-in has no credentials yet");
    };
    let expected = STANDARD.encode(format!("{}:{}", account.account_sid, account.auth_token));
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if given.strip_prefix("Basic ") != Some(expected.as_str()) {
        let mut refused = problem(StatusCode::UNAUTHORIZED, 20003, "Authenticate");
        refused.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"Twilio API\""));
        return refused;
    }
    let path = request.uri().path();
    if path.split('/').nth(3) != Some(account.account_sid.as_str()) {
        return not_found(path);
    }
    next.run(request).await
}

/// An error as Twilio words it.
pub(crate) fn problem(status: StatusCode, code: u32, message: &str) -> Response {
    let more_info = format!("https://www.twilio.com/docs/errors/{code}");
    let body = json!({ "code": code, "message": message, "more_info": more_info, "status": status.as_u16() });
    (status, Json(body)).into_response()
}

pub(crate) fn not_found(path: &str) -> Response {
    problem(StatusCode::NOT_FOUND, 20404, &format!("The requested resource {path} was not found"))
}

fn address(account: &str, collection: &str, file: &str) -> String {
    format!("/2010-04-01/Accounts/{account}/{collection}/{file}")
}

/// `Thu, 29 Jul 2021 06:59:25 +0000`, the way Twilio writes dates.
fn rfc2822(at: Timestamp) -> String {
    jiff::fmt::rfc2822::to_string(&at.to_zoned(TimeZone::UTC)).unwrap_or_default()
}

fn new_sid(prefix: &str) -> String {
    format!("{prefix}{:032x}", fastrand::u128(..))
}

async fn recording(State(twilio): Shared, Path((account, file)): Path<(String, String)>) -> Response {
    let path = address(&account, "Recordings", &file);
    let (sid, kind) = file.split_once('.').unwrap_or((&file, "wav"));
    let kept = lock(&twilio.kept);
    let Some(recording) = kept.recordings.get(sid) else { return not_found(&path) };
    let content_type = match kind {
        "wav" => "audio/x-wav",
        "mp3" => "audio/mpeg",
        "json" => return Json(recording_json(&account, sid, recording)).into_response(),
        _ => return not_found(&path),
    };
    ([(header::CONTENT_TYPE, content_type)], recording.audio.clone()).into_response()
}

fn recording_json(account: &str, sid: &str, recording: &Recording) -> Value {
    json!({
        "account_sid": account, "api_version": "2010-04-01", "call_sid": recording.call_sid, "channels": 1,
        "date_created": rfc2822(recording.created), "date_updated": rfc2822(recording.created),
        "start_time": rfc2822(recording.created), "duration": recording.duration.to_string(), "sid": sid,
        "source": "RecordVerb", "status": "completed", "error_code": null, "encryption_details": null,
        "price": null, "price_unit": "USD", "uri": address(account, "Recordings", &format!("{sid}.json")),
    })
}

async fn delete_recording(State(twilio): Shared, Path((account, file)): Path<(String, String)>) -> Response {
    let mut kept = lock(&twilio.kept);
    match kept.recordings.remove(file.trim_end_matches(".json")) {
        Some(recording) => {
            kept.audio_bytes -= recording.audio.len();
            StatusCode::NO_CONTENT.into_response()
        }
        None => not_found(&address(&account, "Recordings", &file)),
    }
}

async fn transcription(State(twilio): Shared, Path((account, file)): Path<(String, String)>) -> Response {
    let sid = file.trim_end_matches(".json");
    match lock(&twilio.kept).transcriptions.get(sid) {
        Some(transcription) => Json(json!({
            "account_sid": account, "api_version": "2010-04-01", "sid": sid, "status": "completed", "type": "fast",
            "recording_sid": transcription.recording_sid, "transcription_text": transcription.text,
            "date_created": rfc2822(transcription.created), "date_updated": rfc2822(transcription.created),
            "uri": address(&account, "Transcriptions", &format!("{sid}.json")),
        }))
        .into_response(),
        None => not_found(&address(&account, "Transcriptions", &file)),
    }
}

async fn delete_transcription(State(twilio): Shared, Path((account, file)): Path<(String, String)>) -> Response {
    match lock(&twilio.kept).transcriptions.remove(file.trim_end_matches(".json")) {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => not_found(&address(&account, "Transcriptions", &file)),
    }
}

async fn send_message(State(twilio): Shared, Path(account): Path<String>, body: Bytes) -> Response {
    let fields: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let field = |name: &str| fields.get(name).filter(|value| !value.is_empty()).cloned();
    let Some(to) = field("To") else {
        return problem(StatusCode::BAD_REQUEST, 21604, "A 'To' phone number is required.");
    };
    let Some(from) = field("From").or_else(|| field("MessagingServiceSid")) else {
        return problem(StatusCode::BAD_REQUEST, 21603, "A 'From' phone number is required.");
    };
    let Some(text) = field("Body") else {
        return problem(StatusCode::BAD_REQUEST, 21602, "Message body is required.");
    };
    let message = Message { sid: new_sid("SM"), to, from, body: text, created: now() };
    let answer = json!({
        "account_sid": account, "api_version": "2010-04-01", "sid": message.sid, "to": message.to, "from": message.from,
        "body": message.body, "status": "queued", "direction": "outbound-api", "date_created": rfc2822(message.created),
        "date_updated": rfc2822(message.created), "date_sent": null, "error_code": null, "error_message": null,
        "num_segments": "1", "num_media": "0", "price": null, "price_unit": "USD",
        "uri": address(&account, "Messages", &format!("{}.json", message.sid)),
    });
    let mut kept = lock(&twilio.kept);
    kept.messages.push_back(message);
    if kept.messages.len() > MOST_MESSAGES {
        kept.messages.pop_front();
    }
    (StatusCode::CREATED, Json(answer)).into_response()
}

/// The list a nightly reconciliation reads: `StartTime>=` and `StartTime<=` (a date, or a time), `From`, `To`, `Status`, `Page`,
/// `PageSize` (50, at most 1,000).
async fn calls(State(twilio): Shared, Path(account): Path<String>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let asked: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let (mut page, mut size, mut filters) = (0, 50, Vec::new());
    for (name, value) in &asked {
        match name.as_str() {
            "Page" => page = value.parse().unwrap_or(0),
            "PageSize" => size = value.parse().unwrap_or(50).clamp(1, 1000),
            "PageToken" => {}
            _ => match Filter::parse(name, value) {
                Some(filter) => filters.push(filter),
                None => return problem(StatusCode::BAD_REQUEST, 20001, &format!("Invalid parameter {name}")),
            },
        }
    }
    let kept = lock(&twilio.kept);
    let mut found: Vec<&CallDeposit> = kept.calls.iter().filter(|call| filters.iter().all(|f| f.fits(call))).collect();
    found.sort_by_key(|call| std::cmp::Reverse(call.start_time));
    let start = page * size;
    let shown: Vec<Value> = found.iter().skip(start).take(size).map(|call| call_json(&account, call)).collect();
    let uri = |page: usize| {
        let filters = asked.iter().filter(|(name, _)| !matches!(name.as_str(), "Page" | "PageSize" | "PageToken"));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(filters).append_pair("PageSize", &size.to_string()).append_pair("Page", &page.to_string());
        format!("/2010-04-01/Accounts/{account}/Calls.json?{}", query.finish())
    };
    Json(json!({
        "first_page_uri": uri(0),
        "previous_page_uri": page.checked_sub(1).map(uri),
        "next_page_uri": (found.len() > start + size).then(|| uri(page + 1)),
        "uri": uri(page), "page": page, "page_size": size, "start": start,
        "end": (start + shown.len()).saturating_sub(1), "calls": shown,
    }))
    .into_response()
}

enum Filter {
    From(String),
    To(String),
    Status(String),
    StartsOn(Date),
    StartsAtOrAfter(Timestamp),
    StartsAtOrBefore(Timestamp),
}

impl Filter {
    fn parse(name: &str, value: &str) -> Option<Filter> {
        Some(match name {
            "From" => Filter::From(value.to_owned()),
            "To" => Filter::To(value.to_owned()),
            "Status" => Filter::Status(value.to_owned()),
            "StartTime" => Filter::StartsOn(value.parse().ok()?),
            "StartTime>" => Filter::StartsAtOrAfter(moment(value, Time::midnight())?),
            "StartTime<" => Filter::StartsAtOrBefore(moment(value, Time::MAX)?),
            _ => return None,
        })
    }

    fn fits(&self, call: &CallDeposit) -> bool {
        match self {
            Filter::From(number) => call.from == *number,
            Filter::To(number) => call.to == *number,
            Filter::Status(status) => call.status == *status,
            Filter::StartsOn(date) => call.start_time.to_zoned(TimeZone::UTC).date() == *date,
            Filter::StartsAtOrAfter(at) => call.start_time >= *at,
            Filter::StartsAtOrBefore(at) => call.start_time <= *at,
        }
    }
}

/// A time, or a day in UTC at the given hour, minute and second.
fn moment(value: &str, time_of_day: Time) -> Option<Timestamp> {
    match value.parse::<Timestamp>() {
        Ok(at) => Some(at),
        Err(_) => Some(value.parse::<Date>().ok()?.to_datetime(time_of_day).to_zoned(TimeZone::UTC).ok()?.timestamp()),
    }
}

fn call_json(account: &str, call: &CallDeposit) -> Value {
    let price = call.duration.div_ceil(60) * PRICE_PER_MINUTE;
    let end = call
        .start_time
        .saturating_add(jiff::SignedDuration::from_secs(call.duration.into()))
        .unwrap_or(call.start_time);
    json!({
        "account_sid": account, "api_version": "2010-04-01", "sid": call.sid, "from": call.from, "to": call.to,
        "status": call.status, "direction": "inbound", "start_time": rfc2822(call.start_time), "end_time": rfc2822(end),
        "duration": call.duration.to_string(), "price": format!("-{}.{:04}", price / 10_000, price % 10_000),
        "price_unit": "USD", "answered_by": null, "caller_name": null, "forwarded_from": null, "parent_call_sid": null,
        "uri": address(account, "Calls", &format!("{}.json", call.sid)),
    })
}

async fn deposit_recording(State(twilio): Shared, Json(deposit): Json<RecordingDeposit>) -> Response {
    let Ok(audio) = STANDARD.decode(&deposit.audio) else {
        return (StatusCode::BAD_REQUEST, "the audio is not base64\n").into_response();
    };
    let (sid, created) = (new_sid("RE"), now());
    let mut kept = lock(&twilio.kept);
    let transcription_sid = deposit.transcript.map(|text| {
        let transcription_sid = new_sid("TR");
        let transcription = Transcription { recording_sid: sid.clone(), text, created };
        kept.transcriptions.insert(transcription_sid.clone(), transcription);
        transcription_sid
    });
    kept.audio_bytes += audio.len();
    let recording = Recording { call_sid: deposit.call_sid, duration: deposit.duration, audio: audio.into(), created };
    kept.recordings.insert(sid.clone(), recording);
    kept.recorded.push_back(sid.clone());
    while kept.recorded.len() > MOST_RECORDINGS || kept.audio_bytes > MOST_AUDIO {
        let Some(oldest) = kept.recorded.pop_front() else { break };
        if let Some(recording) = kept.recordings.remove(&oldest) {
            kept.audio_bytes -= recording.audio.len();
        }
        kept.transcriptions.retain(|_, transcription| transcription.recording_sid != oldest);
    }
    (StatusCode::CREATED, Json(Deposited { sid, transcription_sid })).into_response()
}

async fn deposit_call(State(twilio): Shared, Json(call): Json<CallDeposit>) -> StatusCode {
    let mut kept = lock(&twilio.kept);
    kept.calls.push_back(call);
    if kept.calls.len() > MOST_CALLS {
        kept.calls.pop_front();
    }
    StatusCode::CREATED
}
