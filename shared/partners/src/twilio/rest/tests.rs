//! The client against a server on this machine that gives prepared answers and remembers what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, header},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::net::TcpListener;

use super::*;

const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
const TOKEN: &str = "a token that no message may show";

type Answer = (u16, Option<u64>, Bytes);

#[derive(Debug)]
struct Asked {
    line: String,
    headers: HeaderMap,
    body: Bytes,
}

#[derive(Clone, Default)]
struct Twilio {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Twilio {
    /// Answers in this order, then goes on with the last.
    async fn answering(answers: impl IntoIterator<Item = Answer>) -> (Self, Client) {
        let twilio = Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), ..Self::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = client(&format!("http://{}", listener.local_addr().unwrap()));
        let app = Router::new().fallback(Self::answer).with_state(twilio.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (twilio, client)
    }

    async fn answer(State(twilio): State<Self>, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let line = format!("{} {}", parts.method, parts.uri);
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        twilio.asked.lock().unwrap().push(Asked { line, headers: parts.headers, body });
        let mut answers = twilio.answers.lock().unwrap();
        let (status, retry_after, body) =
            if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }.unwrap();
        let response = Response::builder().status(status);
        match retry_after {
            Some(seconds) => response.header(header::RETRY_AFTER, seconds),
            None => response,
        }
        .body(Body::from(body))
        .unwrap()
    }

    fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn client(base_url: &str) -> Client {
    let patience = Patience {
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(4),
        per_try: Duration::from_secs(2),
        total: Duration::from_secs(5),
        ..Patience::default()
    };
    Client::new(base_url, AccountSid::parse(ACCOUNT).unwrap(), TOKEN.to_owned()).unwrap().with_patience(patience)
}

fn recording() -> RecordingSid {
    RecordingSid::parse("RE0123456789abcdef0123456789abcdef").unwrap()
}

fn says(status: u16, body: &'static str) -> Answer {
    (status, None, Bytes::from_static(body.as_bytes()))
}

#[tokio::test]
async fn a_recording_is_fetched_as_mp3_with_the_accounts_credentials() {
    let (twilio, client) = Twilio::answering([says(200, "audio")]).await;
    assert_eq!(client.recording(&recording()).await.unwrap(), b"audio");
    let asked = twilio.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].line, format!("GET /2010-04-01/Accounts/{ACCOUNT}/Recordings/{}.mp3", recording()));
    let credentials = format!("Basic {}", STANDARD.encode(format!("{ACCOUNT}:{TOKEN}")));
    assert_eq!(asked[0].headers[header::AUTHORIZATION], credentials);
}

#[tokio::test]
async fn what_twilio_has_no_time_for_is_asked_again() {
    let (twilio, client) = Twilio::answering([says(429, ""), says(503, ""), says(200, "audio")]).await;
    assert_eq!(client.recording(&recording()).await.unwrap(), b"audio");
    assert_eq!(twilio.asked().len(), 3);
}

#[tokio::test]
async fn a_server_that_stays_broken_is_given_up() {
    let (twilio, client) = Twilio::answering([says(500, "secret details")]).await;
    let error = client.recording(&recording()).await.unwrap_err();
    assert!(matches!(error, RestError::GaveUp { tries: 4, cause: Cause::Status(500), .. }));
    assert_eq!(error.to_string(), "fetch recording: status 500, given up after 4 tries");
    assert_eq!(twilio.asked().len(), 4);
}

#[tokio::test]
async fn the_wait_that_twilio_asks_for_is_kept() {
    let (_twilio, client) = Twilio::answering([(429, Some(1), Bytes::new()), says(204, "")]).await;
    let start = Instant::now();
    client.delete_recording(&recording()).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_wait_longer_than_the_time_left_is_given_up_at_once() {
    let (twilio, client) = Twilio::answering([(429, Some(3600), Bytes::new())]).await;
    let start = Instant::now();
    let error = client.recording(&recording()).await.unwrap_err();
    assert!(matches!(error, RestError::GaveUp { tries: 1, cause: Cause::Status(429), .. }));
    assert!(start.elapsed() < Duration::from_secs(2));
    assert_eq!(twilio.asked().len(), 1);
}

#[tokio::test]
async fn what_is_already_gone_counts_as_deleted() {
    let (twilio, client) = Twilio::answering([says(404, r#"{"code":20404}"#)]).await;
    client.delete_recording(&recording()).await.unwrap();
    let transcription = TranscriptionSid::parse("TR0123456789abcdef0123456789abcdef").unwrap();
    client.delete_transcription(&transcription).await.unwrap();
    let lines: Vec<_> = twilio.asked().into_iter().map(|asked| asked.line).collect();
    assert_eq!(
        lines,
        [
            format!("DELETE /2010-04-01/Accounts/{ACCOUNT}/Recordings/{}.json", recording()),
            format!("DELETE /2010-04-01/Accounts/{ACCOUNT}/Transcriptions/{transcription}.json"),
        ]
    );
    assert!(matches!(client.recording(&recording()).await, Err(RestError::NotFound { .. })));
}

#[tokio::test]
async fn a_recording_over_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let at_limit = Bytes::from(vec![0; RECORDING_LIMIT]);
    let over = Bytes::from(vec![0; RECORDING_LIMIT + 1]);
    let (twilio, client) = Twilio::answering([(200, None, at_limit), (200, None, over)]).await;
    assert_eq!(client.recording(&recording()).await.unwrap().len(), RECORDING_LIMIT);
    let error = client.recording(&recording()).await.unwrap_err();
    assert!(matches!(error, RestError::TooLarge { limit: RECORDING_LIMIT, .. }));
    assert_eq!(twilio.asked().len(), 2);
}

#[tokio::test]
async fn wrong_credentials_are_named_and_not_tried_again() {
    let (twilio, client) = Twilio::answering([says(401, r#"{"code":20003,"message":"Authenticate"}"#)]).await;
    let error = client.recording(&recording()).await.unwrap_err();
    assert!(matches!(error, RestError::Unauthorized { doing: "fetch recording" }));
    assert_eq!(twilio.asked().len(), 1);
}

#[tokio::test]
async fn a_message_is_sent_as_a_form_and_its_identifier_comes_back() {
    let sid = "SM0123456789abcdef0123456789abcdef";
    let answer = format!(r#"{{"sid":"{sid}","status":"queued"}}"#);
    let (twilio, client) = Twilio::answering([says(429, ""), (201, None, Bytes::from(answer))]).await;
    let sent = client.send_message("+12025550123", "+18665550100", "Reference & more").await.unwrap();
    assert_eq!(sent.as_str(), sid);
    let asked = twilio.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[1].line, format!("POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json"));
    assert_eq!(asked[1].body, "To=%2B12025550123&From=%2B18665550100&Body=Reference+%26+more");
}

#[tokio::test]
async fn a_message_that_may_have_been_sent_is_not_sent_again() {
    let (twilio, client) = Twilio::answering([says(503, "")]).await;
    let error = client.send_message("+12025550123", "+18665550100", "once").await.unwrap_err();
    assert!(matches!(error, RestError::GaveUp { tries: 1, cause: Cause::Status(503), .. }));
    assert_eq!(twilio.asked().len(), 1);
}

#[tokio::test]
async fn a_refusal_has_twilios_code_and_an_answer_that_is_not_json_is_named() {
    let (_twilio, client) = Twilio::answering([says(400, r#"{"code":21211}"#), says(201, "<html>")]).await;
    let error = client.send_message("+12025550123", "+18665550100", "hello").await.unwrap_err();
    assert!(matches!(error, RestError::Refused { status: 400, code: Some(21211), .. }));
    let error = client.send_message("+12025550123", "+18665550100", "hello").await.unwrap_err();
    assert!(matches!(error, RestError::Unreadable { doing: "send message" }));
}

#[tokio::test]
async fn a_redirect_is_not_followed_so_that_credentials_stay_where_they_belong() {
    let (twilio, client) = Twilio::answering([says(307, "")]).await;
    assert!(matches!(client.recording(&recording()).await, Err(RestError::Refused { status: 307, .. })));
    assert_eq!(twilio.asked().len(), 1);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(&format!("http://{}", listener.local_addr().unwrap())).with_patience(Patience {
        per_try: Duration::from_millis(50),
        tries: 2,
        first_wait: Duration::from_millis(1),
        ..Patience::default()
    });
    let error = client.recording(&recording()).await.unwrap_err();
    assert!(matches!(error, RestError::GaveUp { tries: 2, cause: Cause::Timeout, .. }));
}

#[tokio::test]
async fn a_message_is_tried_again_when_no_connection_came_about() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(&format!("http://{}", listener.local_addr().unwrap()));
    drop(listener);
    let error = client.send_message("+12025550123", "+18665550100", "hello").await.unwrap_err();
    assert!(matches!(error, RestError::GaveUp { tries: 4, cause: Cause::Connect, .. }));
}

#[test]
fn only_https_and_this_machine_itself_are_called() {
    let new = |url: &str| Client::new(url, AccountSid::parse(ACCOUNT).unwrap(), TOKEN.to_owned());
    for url in ["https://api.twilio.com", "https://api.twilio.com/", "http://127.0.0.1:4580", "http://[::1]:4580"] {
        assert!(new(url).is_ok(), "{url}");
    }
    assert!(new("http://localhost:4580").is_ok());
    let refused = [
        "",
        "api.twilio.com",
        "ftp://api.twilio.com",
        "http://api.twilio.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "https://user:word@api.twilio.com",
        "https://api.twilio.com?x=1",
        "https://api.twilio.com#rc=2",
    ];
    for url in refused {
        assert!(matches!(new(url), Err(RestError::BaseUrl(_))), "{url}");
    }
}

#[test]
fn a_client_shows_no_secret() {
    assert!(!format!("{:?}", client("https://api.twilio.com")).contains(TOKEN));
}

#[test]
fn waits_grow_to_their_ceiling_and_never_beyond() {
    let patience = Patience::default();
    for tries in 1..60 {
        let ceiling = Duration::from_millis(250).saturating_mul(2_u32.saturating_pow(tries - 1));
        for _ in 0..50 {
            assert!(patience.wait_after(tries) <= ceiling.min(patience.longest_wait));
        }
    }
}

const CALLS: &str = r#"{"calls": [
    {"sid": "CA0123456789abcdef0123456789abcdef", "status": "completed", "direction": "inbound", "duration": "61",
     "start_time": "Fri, 20 Nov 2026 23:58:00 +0000", "end_time": "Fri, 20 Nov 2026 23:59:01 +0000",
     "to": "+18665550100", "from": "+12025550123", "price": "-0.0440"},
    {"sid": "CA0123456789abcdef0123456789abcde0", "status": "in-progress", "direction": "inbound", "duration": null,
     "start_time": "Fri, 20 Nov 2026 23:57:00 +0000", "end_time": null},
    {"sid": "CA0123456789abcdef0123456789abcde1", "status": "no-answer", "direction": "outbound-api", "duration": "0",
     "end_time": "", "to": "+12025550123", "from": "+18665550100"}],
  "next_page_uri": "/2010-04-01/Accounts/AC/Calls.json?StartTime%3E=2026-11-20&PageSize=500&Page=1&PageToken=PACA1"}"#;

fn november_20() -> Began {
    Began { from: "2026-11-20T00:00:00Z".parse().unwrap(), to: "2026-11-20T23:59:59Z".parse().unwrap() }
}

#[tokio::test]
async fn calls_are_listed_page_by_page_without_anybodys_number() {
    let (twilio, client) =
        Twilio::answering([says(200, CALLS), says(200, r#"{"calls": [], "next_page_uri": null}"#)]).await;
    let first = client.calls(november_20()).await.unwrap();
    assert_eq!(first.calls.len(), 3);
    let ended: Timestamp = "2026-11-20T23:59:01Z".parse().unwrap();
    assert_eq!((first.calls[0].seconds, first.calls[0].ended_at, first.calls[0].inbound), (61, Some(ended), true));
    assert_eq!((first.calls[1].seconds, first.calls[1].ended_at), (0, None));
    assert_eq!((first.calls[0].to.as_deref(), first.calls[2].to.as_deref()), (Some("+18665550100"), None));
    assert!(!first.calls[2].inbound);
    assert!(!format!("{first:?}").contains("2025550123"));
    let last = client.more_calls(&first.next.unwrap()).await.unwrap();
    assert_eq!((last.calls.len(), last.next), (0, None));
    let lines: Vec<_> = twilio.asked().into_iter().map(|asked| asked.line).collect();
    let calls = format!("GET /2010-04-01/Accounts/{ACCOUNT}/Calls.json");
    assert_eq!(
        lines,
        [
            format!("{calls}?StartTime%3E=2026-11-20T00%3A00%3A00Z&StartTime%3C=2026-11-20T23%3A59%3A59Z&PageSize=500"),
            // The account is ours, whatever the answer said.
            format!("{calls}?StartTime%3E=2026-11-20&PageSize=500&Page=1&PageToken=PACA1"),
        ]
    );
}

#[tokio::test]
async fn a_list_that_is_none_is_named() {
    for answer in [r#"{"calls": [{"sid": "no"}]}"#, "<html>", r#"{"calls": [], "next_page_uri": "/elsewhere"}"#] {
        let (_twilio, client) = Twilio::answering([says(200, answer)]).await;
        assert!(matches!(client.calls(november_20()).await, Err(RestError::Unreadable { doing: "list calls" })));
    }
}
