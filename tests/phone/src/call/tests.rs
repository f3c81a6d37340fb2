//! The interpreter against a small hotline that serves canned documents and checks every signature as the product does.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method as HttpMethod, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use partners::twilio::signature::{Keys, SignedRequest};

use super::talk::Entry;
use super::*;
use crate::caller::{Do, Random, Script, Speech};
use crate::line::{Signature, Webhook};
use crate::stack::Stack;
use crate::transcript::{Ended, Step};

const TOKEN: &str = "a token for tests";
const ACCOUNT: &str = "AC00000000000000000000000000000001";

type Answers = Arc<dyn Fn(&Seen) -> Response + Send + Sync>;

/// A request that the hotline has seen.
#[derive(Clone, Debug)]
struct Seen {
    path: String,
    params: Vec<(String, String)>,
    token: String,
    host: String,
    genuine: bool,
}

impl Seen {
    fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(sent, _)| sent == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Clone)]
struct Hotline {
    answers: Answers,
    seen: Arc<Mutex<Vec<Seen>>>,
    line: Option<Line>,
}

/// A stack whose public address is not the one connected to, as on the local cloud.
fn stack(address: SocketAddr, standin: Option<SocketAddr>) -> Stack {
    let base = format!("http://c0ffee00.execute-api.localhost:{}", address.port());
    serde_json::from_value(serde_json::json!({
        "base_url": base,
        "connect_to": address.to_string(),
        "twilio": {
            "account_sid": ACCOUNT, "auth_token": TOKEN, "number": "+18665550100",
            "api_base_url": standin.map_or("http://127.0.0.1:9".to_owned(), |address| format!("http://{address}")),
        },
        "voice": {
            "answer": format!("{base}/voice/answer"), "fallback": format!("{base}/voice/fallback"),
            "call_status": format!("{base}/voice/call-status"),
        },
        "standins": { "twilio": standin.map(|address| format!("http://{address}")) },
        "tenants": [],
    }))
    .unwrap()
}

impl Hotline {
    /// Answers with these documents by path; callbacks with 204, anything else with 404.
    async fn serving<const N: usize>(documents: [(&'static str, &'static str); N]) -> Hotline {
        let documents = BTreeMap::from(documents);
        Hotline::answering(move |seen| match documents.get(seen.path.as_str()) {
            Some(verbs) => twiml(verbs),
            None if seen.path.starts_with("/callback") || seen.path == "/voice/call-status" => {
                StatusCode::NO_CONTENT.into_response()
            }
            None => StatusCode::NOT_FOUND.into_response(),
        })
        .await
    }

    async fn answering(answers: impl Fn(&Seen) -> Response + Send + Sync + 'static) -> Hotline {
        let hotline = Hotline { answers: Arc::new(answers), seen: Arc::default(), line: None };
        let address = serve(
            Router::new()
                .fallback(async |State(hotline): State<Hotline>, parts, body| hotline.answer(&parts, &body))
                .with_state(hotline.clone()),
        )
        .await;
        Hotline { line: Some(Line::new(stack(address, None)).unwrap()), ..hotline }
    }

    fn answer(&self, parts: &Parts, body: &Bytes) -> Response {
        let seen = Seen::new(&parts.method, &parts.uri, &parts.headers, body);
        self.seen.lock().unwrap().push(seen.clone());
        (self.answers)(&seen)
    }

    /// The same with Twilio's stand-in beside it.
    async fn with_twilio(mut self) -> (Hotline, SocketAddr) {
        let account = standins::twilio::Account { account_sid: ACCOUNT.into(), auth_token: TOKEN.into() };
        let standin = serve(standins::app(standins::twilio::Credentials::Given(account))).await;
        self.change(|stack| {
            stack.standins.twilio = Some(format!("http://{standin}").parse().unwrap());
            stack.twilio.api_base_url = format!("http://{standin}").parse().unwrap();
        });
        (self, standin)
    }

    fn change(&mut self, how: impl FnOnce(&mut Stack)) {
        let mut stack = self.line().stack().clone();
        how(&mut stack);
        self.line = Some(Line::new(stack).unwrap());
    }

    fn line(&self) -> &Line {
        self.line.as_ref().unwrap()
    }

    async fn call(&self, caller: &mut dyn Caller) -> Transcript {
        self.line().dial(CallOptions::default()).talk(caller).await
    }

    async fn call_pressing<const N: usize>(&self, keys: [&str; N]) -> Transcript {
        self.call(&mut Script::keys(keys)).await
    }

    fn seen(&self, path: &str) -> Vec<Seen> {
        self.seen.lock().unwrap().iter().filter(|seen| seen.path == path).cloned().collect()
    }

    fn only(&self, path: &str) -> Seen {
        let [seen] = <[Seen; 1]>::try_from(self.seen(path)).unwrap();
        seen
    }
}

impl Seen {
    fn new(method: &HttpMethod, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Seen {
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
        let host = header("host").unwrap();
        let post = method == HttpMethod::POST;
        let request = SignedRequest {
            base_url: &format!("http://{host}"),
            path: uri.path(),
            raw_query: uri.query().unwrap_or_default(),
            content_type: header("content-type"),
            body,
            signature: header("x-twilio-signature"),
            settings: None,
            post,
        };
        let form = if post { body } else { uri.query().unwrap_or_default().as_bytes() };
        Seen {
            path: uri.path().to_owned(),
            params: form_urlencoded::parse(form).into_owned().collect(),
            token: header("i-twilio-idempotency-token").unwrap_or_default().to_owned(),
            host: host.to_owned(),
            genuine: Keys::new(vec![TOKEN.into()], BTreeMap::new()).verify(&request).is_ok(),
        }
    }
}

async fn serve(app: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

fn twiml(verbs: &str) -> Response {
    ([("content-type", "text/xml")], format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>{verbs}</Response>"))
        .into_response()
}

fn codes(transcript: &Transcript) -> Vec<u32> {
    transcript.violations.iter().map(|violation| violation.code).collect()
}

const MENU: &str = r#"<Say>Welcome.</Say>
    <Gather action="menu" numDigits="1" timeout="8"><Say>Press 1.</Say></Gather><Say>Nothing was pressed.</Say><Hangup/>"#;
const BYE: &str = "<Say>Goodbye.</Say><Hangup/>";

#[tokio::test]
async fn every_webhook_is_signed_and_has_what_twilio_sends() {
    let hotline = Hotline::serving([("/voice/answer", MENU), ("/voice/menu", BYE)]).await;
    let transcript = hotline.call_pressing(["1"]).await;
    assert_eq!((&transcript.ended, codes(&transcript)), (&Ended::HungUpByUs, vec![]), "{transcript}");
    assert_eq!(transcript.said, ["Welcome.", "Press 1.", "Goodbye."]);

    let (first, menu) = (hotline.only("/voice/answer"), hotline.only("/voice/menu"));
    assert!(first.genuine && menu.genuine && hotline.only("/voice/call-status").genuine);
    assert!(first.host.starts_with("c0ffee00.execute-api.localhost:"));
    assert_ne!(first.token, menu.token);
    assert_eq!((first.param("CallStatus"), menu.param("CallStatus")), (Some("ringing"), Some("in-progress")));
    for (name, value) in [
        ("From", "+12135550142"),
        ("Caller", "+12135550142"),
        ("To", "+18665550100"),
        ("Called", "+18665550100"),
        ("FromCity", ""),
        ("CalledZip", ""),
        ("Direction", "inbound"),
        ("ApiVersion", "2010-04-01"),
        ("AccountSid", ACCOUNT),
        ("CallSid", transcript.call_sid.as_str()),
    ] {
        assert_eq!(first.param(name), Some(value), "{name}");
    }
    for (name, value) in [("Digits", "1"), ("FinishedOnKey", ""), ("msg", "Gather End")] {
        assert_eq!(menu.param(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn silence_goes_on_to_the_next_verb_without_a_request() {
    let hotline = Hotline::serving([("/voice/answer", MENU)]).await;
    let transcript = hotline.call_pressing([]).await;
    assert_eq!(transcript.said, ["Welcome.", "Press 1.", "Nothing was pressed."]);
    assert!(hotline.seen("/voice/menu").is_empty());
    assert_eq!(transcript.ended, Ended::HungUpByUs);
}

#[tokio::test]
async fn silence_and_the_hash_key_alone_reach_an_action_that_wants_empty_results() {
    let menu = r#"<Gather action="menu" actionOnEmptyResult="true"><Say>Your code?</Say></Gather><Hangup/>"#;
    let hotline = Hotline::serving([("/voice/answer", menu), ("/voice/menu", BYE)]).await;
    hotline.call_pressing([]).await;
    hotline.call_pressing(["#"]).await;
    let [silence, hash] = <[Seen; 2]>::try_from(hotline.seen("/voice/menu")).unwrap();
    assert_eq!((silence.param("Digits"), silence.param("FinishedOnKey")), (Some(""), Some("")));
    assert_eq!((hash.param("Digits"), hash.param("FinishedOnKey")), (None, Some("#")));
}

#[test]
fn an_entry_ends_at_its_length_at_its_key_or_when_nothing_more_comes() {
    let entry = |keys, max, finish_on| {
        let entry = Entry::of(keys, max, finish_on);
        (entry.digits, entry.finished_on, entry.complete)
    };
    assert_eq!(entry("42#7", None, "#"), ("42".into(), Some('#'), true));
    assert_eq!(entry("427", Some(2), "#"), ("42".into(), None, true));
    assert_eq!(entry("42", None, "#"), ("42".into(), None, false));
    assert_eq!(entry("#42", None, "#"), (String::new(), Some('#'), true));
    assert_eq!(entry("4#2*", None, ""), ("4#2*".into(), None, false));
    assert_eq!(entry("4 x 2", None, "#"), ("42".into(), None, false));
}

#[tokio::test]
async fn keys_pressed_into_a_prompt_count_only_where_it_can_be_interrupted() {
    let deaf = r#"<Gather action="menu" numDigits="1" bargeIn="false"><Say>By law we have to say this.</Say></Gather><Hangup/>"#;
    let hotline = Hotline::serving([("/voice/answer", deaf), ("/voice/menu", BYE)]).await;
    let interrupting = || Script::new([Do::Interrupt("1".into()), Do::press("2")]);
    hotline.call(&mut interrupting()).await;
    assert_eq!(hotline.only("/voice/menu").param("Digits"), Some("2"));

    let hotline = Hotline::serving([("/voice/answer", MENU), ("/voice/menu", BYE)]).await;
    hotline.call(&mut interrupting()).await;
    assert_eq!(hotline.only("/voice/menu").param("Digits"), Some("1"));
}

const RECORD: &str = r##"<Say>Speak after the beep.</Say><Record action="recorded" maxLength="360" timeout="5" finishOnKey="#"
    recordingStatusCallback="/callback/recording" transcribe="true" transcribeCallback="/callback/transcription"/>
    <Say>Nothing was recorded.</Say><Hangup/>"##;

#[tokio::test]
async fn a_message_reaches_the_action_the_callbacks_and_twilios_store() {
    let hotline = Hotline::serving([("/voice/answer", RECORD), ("/voice/recorded", BYE)]).await;
    let (hotline, standin) = hotline.with_twilio().await;
    let speech = Speech::of("my name is Kim").then_key('#');
    let transcript = hotline.call(&mut Script::new([Do::Speak(speech.clone())])).await;
    assert_eq!((&transcript.ended, codes(&transcript)), (&Ended::HungUpByUs, vec![]), "{transcript}");

    let sid = transcript.recordings[0].sid.clone();
    let action = hotline.only("/voice/recorded");
    let url = format!("http://{standin}/2010-04-01/Accounts/{ACCOUNT}/Recordings/{sid}");
    for (name, value) in
        [("RecordingSid", sid.as_str()), ("RecordingDuration", "3"), ("Digits", "#"), ("RecordingUrl", url.as_str())]
    {
        assert_eq!(action.param(name), Some(value), "{name}");
    }
    let recording = hotline.only("/callback/recording");
    assert!(recording.genuine);
    assert_eq!(recording.param("RecordingStatus"), Some("completed"));
    assert_eq!((recording.param("From"), recording.param("To")), (None, None));
    assert_eq!(recording.params.len(), 10);
    let transcription = hotline.only("/callback/transcription");
    assert_eq!(transcription.param("TranscriptionText"), Some("my name is Kim"));
    assert_eq!(transcription.param("RecordingSid"), Some(sid.as_str()));

    let kept = reqwest::Client::new().get(url + ".wav").basic_auth(ACCOUNT, Some(TOKEN)).send().await.unwrap();
    assert_eq!(kept.bytes().await.unwrap(), speech.audio);
}

#[tokio::test]
async fn where_nothing_was_recorded_the_next_verb_is_heard() {
    let hotline = Hotline::serving([("/voice/answer", RECORD)]).await;
    for nothing in [Do::Silence, Do::press("#")] {
        let transcript = hotline.call(&mut Script::new([nothing])).await;
        assert!(transcript.heard("nothing was recorded"), "{transcript}");
        assert!(transcript.recordings.is_empty());
    }
}

#[tokio::test]
async fn hanging_up_during_a_message_still_sends_it_and_nothing_is_heard_any_more() {
    let hotline = Hotline::serving([("/voice/answer", RECORD), ("/voice/recorded", BYE)]).await;
    let speech = Speech::of("I have to go").then_hang_up();
    let transcript = hotline.call(&mut Script::new([Do::Speak(speech)])).await;
    let action = hotline.only("/voice/recorded");
    assert_eq!((action.param("CallStatus"), action.param("Digits")), (Some("completed"), Some("hangup")));
    assert_eq!(transcript.ended, Ended::HungUpByCaller);
    assert!(!transcript.heard("goodbye"));
    assert_eq!(hotline.seen("/callback/recording").len(), 1);
}

#[tokio::test]
async fn only_messages_of_more_than_two_seconds_and_at_most_two_minutes_are_transcribed() {
    for (seconds, transcribed) in [(2, 0), (3, 1), (120, 1), (121, 0), (500, 0)] {
        let hotline = Hotline::serving([("/voice/answer", RECORD), ("/voice/recorded", BYE)]).await;
        let transcript = hotline.call(&mut Script::new([Do::Speak(Speech { seconds, ..Speech::of("x") })])).await;
        assert_eq!(hotline.seen("/callback/transcription").len(), transcribed, "{seconds} s");
        assert_eq!(transcript.recordings[0].seconds, seconds.min(360));
    }
}

#[tokio::test]
async fn a_repeated_webhook_has_the_same_token_and_has_to_get_the_same_answer() {
    let twice = |same| CallOptions { repeats: Repeats { times: 2, same }, ..CallOptions::default() };
    let hotline = Hotline::serving([("/voice/answer", MENU), ("/voice/menu", BYE)]).await;
    let transcript = hotline.line().dial(twice(Same::Bytes)).talk(&mut Script::keys(["1"])).await;
    let [first, again] = <[Seen; 2]>::try_from(hotline.seen("/voice/menu")).unwrap();
    assert_eq!(first.token, again.token);
    assert!(transcript.violations.is_empty(), "{transcript}");
    assert_eq!(transcript.said, ["Welcome.", "Press 1.", "Goodbye."]);

    let counting = Mutex::new(0);
    let hotline = Hotline::answering(move |_| {
        let mut count = counting.lock().unwrap();
        *count += 1;
        twiml(&format!("<Say>Hello.</Say><Redirect>/{count}</Redirect>"))
    })
    .await;
    let few = |options| CallOptions { most_documents: 2, ..options };
    let transcript = hotline.line().dial(few(twice(Same::Bytes))).talk(&mut Script::keys([""; 0])).await;
    assert_eq!(codes(&transcript), [11200]);
    let transcript = hotline.line().dial(few(twice(Same::Speech))).talk(&mut Script::keys([""; 0])).await;
    assert!(transcript.violations.is_empty(), "{transcript}");
}

#[tokio::test]
async fn a_failed_webhook_goes_to_the_fallback_with_what_went_wrong() {
    let goes_to = |url| format!("<Redirect method=\"POST\">{url}</Redirect>");
    let hotline = Hotline::answering(move |seen| match seen.path.as_str() {
        "/voice/answer" => twiml(&goes_to("/broken")),
        "/voice/fallback" => twiml("<Say>We are sorry.</Say><Hangup/>"),
        "/voice/call-status" => StatusCode::NO_CONTENT.into_response(),
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    })
    .await;
    let transcript = hotline.call_pressing([]).await;
    assert_eq!(transcript.ended, Ended::HungUpByUs);
    assert!(transcript.heard("we are sorry"));
    assert_eq!(codes(&transcript), [11200]);
    let fallback = hotline.only("/voice/fallback");
    assert_eq!(fallback.param("ErrorCode"), Some("11200"));
    assert!(fallback.param("ErrorUrl").unwrap().ends_with("/broken"));
}

#[tokio::test]
async fn without_a_fallback_a_failed_webhook_ends_the_call() {
    let xml = |body: String| ([("content-type", "text/xml")], body).into_response();
    let failing: [(u32, Answers); 6] = [
        (11200, Arc::new(|_| StatusCode::FORBIDDEN.into_response())),
        (12300, Arc::new(|_| ([("content-type", "text/html")], "<Response/>").into_response())),
        (12100, Arc::new(move |_| xml("\n<?xml version=\"1.0\"?><Response/>".into()))),
        (12100, Arc::new(move |_| xml(String::new()))),
        (12102, Arc::new(move |_| xml("<html/>".into()))),
        (11750, Arc::new(move |_| xml(format!("<Response><!--{}--></Response>", "x".repeat(70_000))))),
    ];
    for (code, answers) in failing {
        let mut hotline = Hotline::answering(move |seen| answers(seen)).await;
        hotline.change(|stack| (stack.voice.fallback, stack.voice.call_status) = (None, None));
        let transcript = hotline.call_pressing([]).await;
        assert_eq!((&transcript.ended, codes(&transcript)), (&Ended::Error { code }, vec![code]), "{transcript}");
        assert!(transcript.steps.contains(&Step::ApplicationError));
    }
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_none() {
    let address = serve(Router::new().fallback(async || tokio::time::sleep(Duration::from_secs(5)).await)).await;
    let mut stack = stack(address, None);
    (stack.voice.fallback, stack.voice.call_status) = (None, None);
    let line = Line::with_budget(stack, Duration::from_millis(50)).unwrap();
    let transcript = line.dial(CallOptions::default()).talk(&mut Script::keys(["1"])).await;
    assert_eq!(transcript.ended, Ended::Error { code: 11200 });
}

#[tokio::test]
async fn a_call_that_goes_in_circles_is_found() {
    let hotline =
        Hotline::serving([("/voice/answer", "<Pause/><Redirect method=\"POST\">/voice/answer</Redirect>")]).await;
    let options = CallOptions { most_documents: 30, ..CallOptions::default() };
    let transcript = hotline.line().dial(options).talk(&mut Random::new(1).who_stays()).await;
    assert_eq!((&transcript.ended, transcript.documents.len()), (&Ended::Loop, 30));
}

#[tokio::test]
async fn relative_addresses_are_resolved_and_a_get_is_signed_with_its_query() {
    let hotline = Hotline::serving([
        ("/voice/answer", "<Redirect method=\"POST\">deeper/step</Redirect>"),
        ("/voice/deeper/step", "<Redirect method=\"GET\">../other?a=b%20c</Redirect>"),
        ("/voice/other", BYE),
    ])
    .await;
    let transcript = hotline.call_pressing([]).await;
    assert_eq!(transcript.ended, Ended::HungUpByUs, "{transcript}");
    let other = hotline.only("/voice/other");
    assert!(other.genuine);
    assert_eq!((other.param("a"), other.param("CallStatus")), (Some("b c"), Some("in-progress")));
}

#[tokio::test]
async fn what_twilio_would_skip_is_skipped_and_reported() {
    let odd = "<say>not a verb</say><Say></Say><Say>Heard.</Say><Redirect>/voice/bye</Redirect><Say>Never.</Say>";
    let hotline = Hotline::serving([("/voice/answer", odd), ("/voice/bye", BYE)]).await;
    let transcript = hotline.call_pressing([]).await;
    assert_eq!(transcript.said, ["Heard.", "Goodbye."]);
    assert!(codes(&transcript).contains(&12200) && codes(&transcript).contains(&13520), "{transcript}");
    assert!(transcript.violations.iter().any(|violation| violation.what.contains("never reached")));
}

#[tokio::test]
async fn a_document_that_just_ends_is_told_from_a_goodbye() {
    let hotline = Hotline::serving([("/voice/answer", "<Say>Hello.</Say>")]).await;
    assert_eq!(hotline.call_pressing([]).await.ended, Ended::NothingLeft);
}

#[tokio::test]
async fn a_rejected_call_costs_nothing() {
    let hotline = Hotline::serving([("/voice/answer", "<Reject reason=\"busy\"/>")]).await;
    assert_eq!(hotline.call_pressing([]).await.ended, Ended::Rejected);
    let ended = hotline.only("/voice/call-status");
    assert_eq!((ended.param("CallStatus"), ended.param("Duration")), (Some("busy"), Some("0")));
}

#[tokio::test]
async fn the_end_of_a_call_is_told_in_seconds_and_in_started_minutes() {
    let hotline = Hotline::serving([("/voice/answer", "<Pause length=\"61\"/><Hangup/>")]).await;
    let started_at: Timestamp = "2026-03-08T09:59:00Z".parse().unwrap();
    let options = CallOptions { started_at: Some(started_at), ..CallOptions::default() };
    hotline.line().dial(options).talk(&mut Script::keys([""; 0])).await;
    let ended = hotline.only("/voice/call-status");
    for (name, value) in [
        ("CallStatus", "completed"),
        ("CallDuration", "61"),
        ("Duration", "2"),
        ("SequenceNumber", "0"),
        ("CallbackSource", "call-progress-events"),
        ("Timestamp", "Sun, 8 Mar 2026 10:00:01 +0000"),
    ] {
        assert_eq!(ended.param(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn callbacks_can_arrive_twice_and_the_last_first() {
    let hotline = Hotline::serving([("/voice/answer", RECORD), ("/voice/recorded", BYE)]).await;
    let callbacks = Callbacks { copies: 2, order: Order::Reversed, every_status: true };
    let options = CallOptions { callbacks, ..CallOptions::default() };
    let transcript = hotline.line().dial(options).talk(&mut Script::new([Do::speak("hello")])).await;
    let arrived: Vec<_> = transcript
        .callbacks
        .iter()
        .map(|callback| (callback.url.path().to_owned(), callback.param("SequenceNumber").map(str::to_owned)))
        .collect();
    assert_eq!(arrived.len(), 10);
    assert_eq!(arrived[0], ("/callback/transcription".into(), None));
    assert_eq!(arrived[2], ("/voice/call-status".into(), Some("2".into())));
    assert_eq!(arrived[9], ("/voice/call-status".into(), Some("0".into())));
    let tokens = hotline.seen("/callback/recording");
    assert_eq!(tokens[0].token, tokens[1].token);
}

#[tokio::test]
async fn audio_is_checked_and_what_may_be_cached_is_fetched_once() {
    let hotline = Hotline::answering(|seen| match seen.path.as_str() {
        "/voice/answer" => {
            twiml("<Play loop=\"2\">/kept.mp3</Play><Play>/kept.mp3</Play><Play>/page.mp3</Play><Hangup/>")
        }
        "/kept.mp3" => {
            let headers = [("content-type", "audio/mpeg"), ("cache-control", "public, max-age=31536000, immutable")];
            (headers, "sound").into_response()
        }
        "/page.mp3" => ([("content-type", "text/html")], "sorry").into_response(),
        _ => StatusCode::NO_CONTENT.into_response(),
    })
    .await;
    let transcript = hotline.call_pressing([]).await;
    assert_eq!(hotline.seen("/kept.mp3").len(), 1);
    assert_eq!(transcript.steps.iter().filter(|step| matches!(step, Step::Played(_))).count(), 3);
    assert_eq!(codes(&transcript), [12300]);
}

#[tokio::test]
async fn nothing_is_sent_to_another_machine() {
    let hotline =
        Hotline::serving([("/voice/answer", "<Redirect>http://hotline.example/voice/answer</Redirect>")]).await;
    let transcript = hotline.call_pressing([]).await;
    assert_eq!(codes(&transcript).first(), Some(&11205));
    let mut stack = hotline.line().stack().clone();
    stack.connect_to = "192.0.2.1:80".into();
    assert!(Line::new(stack).is_err());
}

#[tokio::test]
async fn a_caller_can_hang_up_at_any_verb() {
    let hotline = Hotline::serving([("/voice/answer", MENU), ("/voice/menu", BYE)]).await;
    for (verb, said) in [(1, 1), (2, 2), (3, 3)] {
        let transcript = hotline.call(&mut Script::keys(["1"]).hanging_up_at(verb)).await;
        assert_eq!((&transcript.ended, transcript.said.len()), (&Ended::HungUpByCaller, said), "{transcript}");
    }
    assert_eq!(hotline.seen("/voice/call-status").len(), 3);
}

#[tokio::test]
async fn the_hotline_can_be_sent_forged_webhooks_too() {
    let hotline = Hotline::serving([("/voice/answer", BYE)]).await;
    let url = hotline.line().stack().voice.answer.clone();
    for signature in [Signature::Missing, Signature::Given(base64::engine::general_purpose::STANDARD.encode("forged"))]
    {
        let webhook = Webhook { signature, ..Webhook::post(url.clone(), [("CallSid", "CA1")]) };
        hotline.line().send(&webhook).await.unwrap();
    }
    hotline.line().send(&Webhook::post(url, [("CallSid", "CA1")])).await.unwrap();
    let genuine: Vec<bool> = hotline.seen("/voice/answer").iter().map(|seen| seen.genuine).collect();
    assert_eq!(genuine, [false, false, true]);
}

#[tokio::test]
async fn three_hundred_calls_at_once_stay_apart() {
    let hotline = Hotline::serving([("/voice/answer", MENU), ("/voice/menu", BYE)]).await;
    let calls: Vec<_> = (0..300)
        .map(|number| {
            let call =
                hotline.line().dial(CallOptions::from(format!("+1{}55501{:02}", 201 + number / 100, number % 100)));
            tokio::spawn(async move { call.talk(&mut Script::keys(["1"])).await })
        })
        .collect();
    let mut sids = std::collections::BTreeSet::new();
    for call in calls {
        let transcript = call.await.unwrap();
        assert_eq!((&transcript.ended, codes(&transcript)), (&Ended::HungUpByUs, vec![]), "{transcript}");
        sids.insert(transcript.call_sid);
    }
    assert_eq!((sids.len(), hotline.seen("/voice/call-status").len()), (300, 300));
}
