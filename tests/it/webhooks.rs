//! What comes in from outside: signed or not, twice, late, broken, or somebody else's.

use domain::language::Language;
use domain::request::Kind;
use futures::future::join_all;
use jiff::{Timestamp, ToSpan};
use partners::twilio::CallSid;
use partners::twilio::signature::{self, Algorithm};
use phone::{CallOptions, Callbacks, Do, Ended, Order, Repeats, Same, Script, Signature, Webhook};
use platform::call::{Call, Sealer};
use serde_json::{Value, json};
use tests::hotline::Code;
use tests::unseal::sha256;
use tests::walk::{Walk, new_sid, next};
use tests::{Hotline, answers, planted};
use url::Url;

const CODE: &str = "5201";

/// A parameter of a webhook.
type Param<'a> = (&'a str, &'a str);

async fn hotline() -> (Hotline, String) {
    let hotline = Hotline::open();
    let tenant = hotline.tenant("test-webhooks", &[Code::new(CODE, "Signed Shop")], &[]).await;
    (hotline, tenant)
}

/// A webhook of every POST route, each the next that a call would send: with everything right but the signature, it
/// would be answered and have its effect.
async fn one_of_each(hotline: &Hotline, first_caller: u8) -> Vec<(&'static str, Walk<'_>, Webhook)> {
    let recording = [("RecordingSid", "RE00000000000000000000000000000042"), ("RecordingDuration", "4")];
    let steps: [(&str, &[&str], &[Param<'_>]); 9] = [
        ("language", &[], &[("Digits", "1")]),
        ("service-code", &["1"], &[("Digits", CODE)]),
        ("request-kind", &["1", CODE], &[("Digits", "1")]),
        ("contact", &["1", CODE, "1"], &[("Digits", "1")]),
        ("name", &["1", CODE, "2", "1"], &recording),
        ("details", &["1", CODE, "7", "1"], &recording),
        ("review", &["1", CODE, "1", "1"], &[("Digits", "1")]),
        ("submit", &["1", CODE, "1", "1"], &[]),
        ("status", &["1", CODE, "6"], &[("Digits", "000000000000")]),
    ];
    let mut webhooks = vec![];
    for (n, (step, keys, extra)) in (first_caller..).zip(steps) {
        let mut walk = Walk::begin(hotline, &planted::caller(planted::WEBHOOKS, n)).await;
        for key in keys {
            walk.press(key).await;
        }
        let mut url = walk.next();
        if step == "submit" {
            let review = walk.send(&walk.webhook(url, &[("Digits", "1")])).await;
            url = next(&phone::document::read(&review.text()).unwrap()).unwrap();
        }
        assert!(url.path().starts_with(&format!("/voice/{step}/")), "{url}");
        let webhook = walk.webhook(url, extra);
        webhooks.push((step, walk, webhook));
    }
    for (n, route) in (first_caller + 9..).zip(["answer", "fallback", "recording", "transcription", "call-status"]) {
        let walk = Walk::begin(hotline, &planted::caller(planted::WEBHOOKS, n)).await;
        let said = planted::speech("is what this is about");
        let left = hotline.deposit(&walk.sid, &said).await;
        let recorded = [("RecordingSid", left.sid.as_str()), ("RecordingStatus", "completed")];
        let transcribed = [
            recorded[0],
            ("TranscriptionSid", left.transcription_sid.as_deref().unwrap()),
            ("TranscriptionStatus", "completed"),
            ("TranscriptionText", said.text.as_deref().unwrap()),
        ];
        let extra: &[Param<'_>] = match route {
            "recording" => &recorded,
            "transcription" => &transcribed,
            "call-status" => &[("CallStatus", "completed"), ("CallDuration", "7"), ("SequenceNumber", "1")],
            _ => &[],
        };
        let webhook = walk.to_route(&format!("/voice/{route}"), extra);
        webhooks.push((route, walk, webhook));
    }
    webhooks
}

/// All that a call has left in tables and queues.
async fn traces(hotline: &Hotline, call: &str) -> Value {
    let mut queued = 0;
    for queue in hotline.at.queues.values() {
        queued += hotline.cloud.messages(queue).await.iter().filter(|body| body.contains(call)).count();
    }
    let stored = hotline.cloud.keys(hotline.bucket("recordings"), "").await;
    json!({
        "requests": hotline.requests(call).await,
        "owner": hotline.directory("call", call).await,
        "ledger": hotline.ledger(call).await,
        "queued": queued,
        "stored": stored.iter().filter(|key| key.contains(call)).collect::<Vec<_>>(),
    })
}

#[tokio::test]
async fn what_twilio_did_not_sign_for_us_is_refused_on_every_route_and_has_no_effect() {
    let (hotline, _) = hotline().await;
    let routes = one_of_each(&hotline, 0).await;
    assert_eq!(routes.len(), 14);
    join_all(routes.into_iter().map(async |(route, walk, right)| {
        let before = traces(&hotline, &walk.sid).await;
        let with = |signature| Webhook { signature, ..right.clone() };
        let mut others = right.clone();
        for (name, value) in &mut others.params {
            if name == "AccountSid" {
                *value = new_sid("AC");
            }
        }
        let mut changed = right.clone();
        changed.signature = Signature::Given(hotline.line.sign(&right.url, &right.params));
        changed.params.push(("Digits".into(), "2".into()));
        let mut elsewhere = right.clone();
        elsewhere.signature = Signature::Given(hotline.line.sign(&right.url, &right.params));
        elsewhere.url.set_query(Some("x=1"));
        let no_call = Webhook {
            params: right.params.iter().filter(|(name, _)| name != "CallSid").cloned().collect(),
            ..right.clone()
        };
        let token = signature::sign(
            &"0".repeat(32),
            Algorithm::HmacSha1,
            right.url.as_str(),
            right.params.iter().map(|(name, value)| (name.as_str(), value.as_str())),
        );
        for (why, webhook) in [
            ("no signature", with(Signature::Missing)),
            ("an empty signature", with(Signature::Given(String::new()))),
            ("another token's signature", with(Signature::Given(token))),
            ("another account", others),
            ("a parameter added", changed),
            ("another address", elsewhere),
            ("no call", no_call),
        ] {
            let answer = walk.send(&webhook).await;
            assert_eq!(answer.status, 403, "{route}, {why}: {}", answer.text());
            assert!(!answer.text().contains("<Response"), "{route}, {why}");
            assert!(answer.body.len() < 200, "{route}, {why}");
        }
        assert_eq!(traces(&hotline, &walk.sid).await, before, "{route}: what is refused has no effect");
        // And it was indeed nothing but the signature.
        let answer = walk.send(&right).await;
        assert!((200..300).contains(&answer.status), "{route}: {}", answer.text());
    }))
    .await;
}

#[tokio::test]
async fn a_signed_body_that_is_no_form_has_no_effect() {
    let (hotline, _) = hotline().await;
    let base = hotline.line.stack().base_url.as_str().trim_end_matches('/').to_owned();
    let token = hotline.line.stack().twilio.auth_token.clone();
    let json = br#"{"AccountSid":"AC","CallSid":"CA"}"#.to_vec();
    let bodies: [(&str, Vec<u8>, String); 5] = [
        ("application/json", json.clone(), format!("?bodySHA256={}", sha256(&json))),
        ("application/json", json, format!("?bodySHA256={}", "0".repeat(64))),
        ("application/x-www-form-urlencoded", b"%%%=&&&\xff\xfe=%zz".to_vec(), String::new()),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n--x--".to_vec(), String::new()),
        ("text/plain", vec![], String::new()),
    ];
    for (content_type, body, query) in bodies {
        let target = format!("/voice/answer{query}");
        let url = format!("{base}{target}");
        let signed = signature::sign(&token, Algorithm::HmacSha1, &url, std::iter::empty::<(&str, &str)>());
        let headers = [("content-type", content_type), ("x-twilio-signature", signed.as_str())];
        let answer = hotline.exchange("POST", &target, &headers, &body).await;
        assert_eq!(answer.status, 403, "{content_type} {query}: {}", answer.text());
    }
}

#[tokio::test]
async fn only_post_is_answered() {
    let (hotline, _) = hotline().await;
    for (method, target) in [
        ("GET", "/voice/answer"),
        ("PUT", "/voice/answer"),
        ("DELETE", "/voice/call-status"),
        ("GET", "/voice/submit/AAAA"),
        ("POST", "/voice/greeting/x.mp3"),
        ("POST", "/voice"),
        ("POST", "/"),
        ("POST", "/voice/submit"),
        ("POST", "/voice/submit/a/b"),
    ] {
        let answer = hotline.exchange(method, target, &[], b"").await;
        assert!((404..=405).contains(&answer.status), "{method} {target}: {}", answer.status);
    }
}

#[tokio::test]
async fn the_public_address_is_configured_and_never_taken_from_a_header() {
    let (hotline, _) = hotline().await;
    let walk = Walk::begin(&hotline, &planted::caller(planted::WEBHOOKS, 30)).await;
    let (base, token) = (hotline.line.stack().base_url.clone(), hotline.line.stack().twilio.auth_token.clone());
    let params = walk.params();
    let pairs = || params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs()).finish();
    let sign = |url: &str| signature::sign(&token, Algorithm::HmacSha1, url, pairs());
    let post = async |signature: String| {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "https"),
            ("forwarded", "host=evil.example;proto=https"),
            ("x-original-host", "evil.example"),
            ("x-twilio-signature", &signature),
        ];
        hotline.exchange("POST", "/voice/answer", &headers, body.as_bytes()).await
    };
    assert_eq!(post(sign("https://evil.example/voice/answer")).await.status, 403);
    let answer = post(sign(base.join("/voice/answer").unwrap().as_str())).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.text().contains("evil.example") && answer.text().contains(base.as_str()), "{}", answer.text());
}

#[tokio::test]
async fn parameters_that_twilio_adds_one_day_change_nothing() {
    let (hotline, tenant) = hotline().await;
    let mut walk = Walk::begin(&hotline, &planted::caller(planted::WEBHOOKS, 31)).await;
    let added =
        [("CallerName", planted::MARKERS[1]), ("Brand%New", "ü&=+ 1"), ("", "empty"), ("StirPassportToken", "")];
    for keys in ["1", CODE, "1", "1", "1"] {
        let mut extra = added.to_vec();
        extra.push(("Digits", keys));
        walk.go(walk.next(), &extra).await;
    }
    walk.go(walk.next(), &added).await;
    assert_eq!(hotline.request(&tenant, &walk.sid).await["state"], "received");
}

#[tokio::test]
async fn a_body_of_any_size_and_shape_is_answered() {
    let (hotline, tenant) = hotline().await;
    let mut walk = Walk::begin(&hotline, &planted::caller(planted::WEBHOOKS, 32)).await;
    let long = "9".repeat(100_000);
    let many: Vec<(String, String)> = (0..3_000).map(|n| (format!("Extra{n}"), "x".repeat(20))).collect();
    walk.press("1").await;
    for strange in ["12345678901234567890", "😀", "\u{0}", "' OR 1=1", "<Hangup/>", "-1", long.as_str()] {
        let answer = walk.send(&walk.webhook(walk.next(), &[("Digits", strange)])).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let document = phone::document::read(&answer.text()).unwrap();
        assert!(document.text.contains("I don't know that service code."), "{}", document.text);
    }
    // More than any webhook of Twilio's has is not even looked at.
    let too_long = "9".repeat(200_000);
    assert_eq!(walk.send(&walk.webhook(walk.next(), &[("Digits", &too_long)])).await.status, 403);
    let mut extra: Vec<Param<'_>> = many.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    extra.push(("Digits", CODE));
    walk.go(walk.next(), &extra).await;
    for keys in ["1", "1", "1"] {
        walk.press(keys).await;
    }
    assert_eq!(hotline.request(&tenant, &walk.sid).await["state"], "received");
}

/// The address of a step with a state in it that is no good: edited, another call's, another step's, old, rubbish.
async fn stale(hotline: &Hotline, own: &Walk<'_>, other: &Walk<'_>) -> Vec<(&'static str, Url)> {
    let good = own.next();
    let with = |state: &str| {
        let mut url = good.clone();
        url.path_segments_mut().unwrap().pop().push(state);
        url
    };
    let state = good.path_segments().unwrap().next_back().unwrap().to_owned();
    let mut edited = state.clone().into_bytes();
    edited[30] = if edited[30] == b'A' { b'B' } else { b'A' };
    let secret = hotline.cloud.secret(&hotline.at.secret).await;
    let states = Sealer::new(secret["call_state_key"].as_str().unwrap()).unwrap();
    let sid = CallSid::parse(&own.sid).unwrap();
    #[expect(clippy::disallowed_methods, reason = "an old state is one of five hours before the real time")]
    let now = Timestamp::now();
    let step = good.path_segments().unwrap().nth(1).unwrap().to_owned();
    let sealed = |began: Timestamp, step: &str| states.seal(&Call::begin(began), &sid, step).unwrap();
    // Sealed as the hotline does it, so that nothing but its age is wrong with the old one.
    assert_eq!(own.send(&own.webhook(with(&sealed(now, &step)), &[])).await.status, 200);
    vec![
        ("edited", with(&String::from_utf8(edited).unwrap())),
        ("cut short", with(&state[..state.len() - 4])),
        ("another call's", with(other.next().path_segments().unwrap().next_back().unwrap())),
        ("another step's", with(&sealed(now, "contact"))),
        ("old", with(&sealed(now - 5.hours(), &step))),
        ("from the future", with(&sealed(now + 3.hours(), &step))),
        ("rubbish", with("AAAA")),
    ]
}

#[tokio::test]
async fn a_state_that_is_no_good_gets_an_apology_and_a_fresh_start() {
    let (hotline, tenant) = hotline().await;
    let own = Walk::begin(&hotline, &planted::caller(planted::WEBHOOKS, 33)).await;
    let other = Walk::begin(&hotline, &planted::caller(planted::WEBHOOKS, 34)).await;
    for (what, url) in stale(&hotline, &own, &other).await {
        let answer = own.send(&own.webhook(url.clone(), &[("Digits", "1")])).await;
        assert_eq!(answer.status, 200, "{what}");
        let document = phone::document::read(&answer.text()).unwrap();
        assert!(document.text.contains("I lost my place"), "{what}: {}", document.text);
        assert!(document.text.contains("perdí el hilo"), "{what}: {}", document.text);
        let start = next(&document).unwrap();
        assert_eq!(start.path(), "/voice/answer", "{what}");

        // The caller begins anew, and comes to the end.
        let from = planted::caller(planted::WEBHOOKS, 35);
        let options = CallOptions { answer_url: Some(url), ..CallOptions::from(from) };
        let mut caller = Script::new(answers::request(Language::English, Some(CODE), Kind::OptOut));
        let call = hotline.call_with(options, &mut caller).await;
        assert_eq!((&call.ended, caller.left()), (&Ended::HungUpByUs, 0), "{what}: {call}");
        assert_eq!(hotline.request(&tenant, &call.call_sid).await["state"], "received");
    }
}

#[tokio::test]
async fn a_state_that_is_no_good_for_the_second_time_leads_to_the_fallback_and_never_in_circles() {
    let (hotline, _) = hotline().await;
    let own = Walk::begin(&hotline, &planted::caller(planted::WEBHOOKS, 36)).await;
    let other = Walk::begin(&hotline, &planted::caller(planted::WEBHOOKS, 37)).await;
    for (what, url) in stale(&hotline, &own, &other).await {
        let answer = own.send(&own.webhook(url.clone(), &[])).await;
        let start = next(&phone::document::read(&answer.text()).unwrap()).unwrap();
        let again = own.send(&own.webhook(start, &[])).await;
        let mark = next(&phone::document::read(&again.text()).unwrap()).unwrap();
        let mut second = url;
        second.set_query(mark.query());
        assert!(second.query().is_some(), "{what}: a call that started again says so in its addresses");
        let from = planted::caller(planted::WEBHOOKS, 38);
        let options = CallOptions { answer_url: Some(second), ..CallOptions::from(from) };
        let call = hotline.call_with(options, &mut Script::new([planted::say("would like an answer")])).await;
        assert_eq!(call.ended, Ended::HungUpByUs, "{what}: {call}");
        assert!(call.heard("something went wrong on our side"), "{what}: {call}");
        assert!(call.heard("Your message will be passed on."), "{what}: {call}");
        assert!(call.documents.len() <= 4, "{what}: {call}");
    }
}

#[tokio::test]
async fn a_webhook_that_twilio_repeats_gets_the_same_answer_and_has_no_second_effect() {
    let (hotline, tenant) = hotline().await;
    for (n, language, kind) in [(40, Language::English, Kind::Correct), (41, Language::Spanish, Kind::OptOut)] {
        let options = CallOptions {
            repeats: Repeats { times: 3, same: Same::Bytes },
            callbacks: Callbacks { copies: 2, order: Order::AsItHappens, every_status: true },
            ..CallOptions::from(planted::caller(planted::WEBHOOKS, n))
        };
        let mut caller = Script::new(answers::request(language, Some(CODE), kind));
        let call = hotline.call_with(options, &mut caller).await;
        let request = hotline.request(&tenant, &call.call_sid).await;
        assert_eq!(request["state"], "received");
        assert_eq!(request["events"].as_array().unwrap().len(), 1, "{request:#}");
        hotline.usage(&tenant, &call.call_sid).await;
    }
}

#[tokio::test]
async fn a_webhook_that_comes_several_times_at_once_has_one_effect_and_one_answer() {
    let (hotline, tenant) = hotline().await;
    let mut walk = Walk::begin(&hotline, &planted::caller(planted::WEBHOOKS, 45)).await;
    for keys in ["1", CODE, "1", "1", "1"] {
        let webhook = walk.webhook(walk.next(), &[("Digits", keys)]);
        let answers = join_all((0..6).map(async |_| walk.send(&webhook).await.text())).await;
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{}: {answers:#?}", webhook.url);
        walk.go(walk.next(), &[("Digits", keys)]).await;
    }
    // The last answer leads to the submission.
    let webhook = walk.webhook(walk.next(), &[]);
    let answers = join_all((0..6).map(async |_| walk.send(&webhook).await.text())).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    let request = hotline.request(&tenant, &walk.sid).await;
    assert_eq!((&request["state"], request["events"].as_array().map(Vec::len)), (&json!("received"), Some(1)));
}

#[tokio::test]
async fn late_webhooks_of_earlier_steps_change_nothing() {
    let (hotline, tenant) = hotline().await;
    let recorded_twice = vec![
        Do::press("1"),
        Do::press(format!("{CODE}#")),
        Do::press("2"),
        Do::press("1"),
        planted::say("is not quite my name"),
        Do::press("2"),
        planted::say("is my name"),
        Do::press("1"),
        Do::press("1"),
    ];
    // Before the end of the call, so that the request still changes; and after it.
    for (n, sent) in [(42, 7), (43, 9)] {
        let mut caller = Script::new(recorded_twice[..sent].to_vec());
        if sent < recorded_twice.len() {
            caller = caller.hanging_up_at(10);
        }
        let call = hotline.call(&planted::caller(planted::WEBHOOKS, n), &mut caller).await;
        let before = hotline.request(&tenant, &call.call_sid).await;
        assert_eq!(before["state"], if sent == 9 { "received" } else { "incomplete" }, "{call}");
        assert_eq!(before["name_recording"], call.recordings[1].sid.as_str(), "{call}");
        let usage = hotline.usage(&tenant, &call.call_sid).await;
        for document in call.documents.iter().rev() {
            let again = Webhook::post(document.url.clone(), document.sent.clone());
            assert_eq!(hotline.line.send(&again).await.unwrap().status, 200);
        }
        assert_eq!(hotline.request(&tenant, &call.call_sid).await, before, "{call}");
        assert_eq!(hotline.usage(&tenant, &call.call_sid).await, usage);
    }
}

#[tokio::test]
async fn late_webhooks_of_what_the_caller_took_back_change_nothing() {
    let (hotline, tenant) = hotline().await;
    let mut script = answers::request(Language::English, Some(CODE), Kind::Correct);
    *script.last_mut().unwrap() = Do::press("2");
    let first = script.len();
    // The second time an opt-out, which is not sent yet.
    script.extend([Do::press("1"), Do::press("1")]);
    let mut asked = 0;
    let mut script = script.into_iter();
    let mut caller = |prompt: &phone::Prompt| {
        if prompt.waiting_for == phone::WaitingFor::Nothing {
            return Do::Silence;
        }
        asked += 1;
        script.next().unwrap_or(Do::HangUp)
    };
    let from = planted::caller(planted::WEBHOOKS, 44);
    let call = hotline.call_with(CallOptions::from(from), &mut caller).await;
    assert_eq!(asked, first + 3, "{call}");
    let before = hotline.request(&tenant, &call.call_sid).await;
    assert_eq!((&before["kind"], &before["missing"]), (&json!("opt-out"), &json!(["confirmation"])), "{before:#}");
    for document in &call.documents {
        let again = Webhook::post(document.url.clone(), document.sent.clone());
        assert_eq!(hotline.line.send(&again).await.unwrap().status, 200);
    }
    assert_eq!(hotline.request(&tenant, &call.call_sid).await, before, "{call}");
}
