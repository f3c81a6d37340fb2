//! What callers say: fetched from Twilio, sealed under the tenant's key, deleted at Twilio.

use domain::language::Language;
use domain::request::Kind;
use futures::future::join_all;
use phone::{Script, Transcript};
use serde_json::json;
use standins::faults::{Fault, Kind as Happens};
use tests::hotline::Code;
use tests::walk::Walk;
use tests::{Hotline, answers, eventually, planted};

const CODE: &str = "5401";
const PLATFORM: &str = "t-platform";

async fn hotline() -> (Hotline, String) {
    let hotline = Hotline::open();
    let tenant = hotline.tenant("test-recordings", &[Code::new(CODE, "Listening Shop")], &[]).await;
    (hotline, tenant)
}

async fn correction(hotline: &Hotline, language: Language, n: u8) -> Transcript {
    let mut caller = Script::new(answers::request(language, Some(CODE), Kind::Correct));
    let call = hotline.call(&planted::caller(planted::RECORDINGS, n), &mut caller).await;
    assert_eq!(call.recordings.len(), 2, "{call}");
    call
}

/// Part of a recording, which must lie sealed where it belongs, opened.
async fn opened(hotline: &Hotline, tenant: &str, call: &str, recording: &str, part: &str) -> Vec<u8> {
    let (key, sealed) = hotline.recording(tenant, call, recording, part).await;
    let salt = hotline.salt(tenant, recording).await;
    let roots = hotline.roots(tenant).await;
    assert_eq!(roots.open_recording(&salt, "elsewhere", &sealed), None, "{key} opens elsewhere too");
    assert_eq!(roots.open_recording(&[0; 32], &key, &sealed), None, "{key} opens without its salt");
    roots.open_recording(&salt, &key, &sealed).unwrap_or_else(|| panic!("{key} does not open"))
}

/// Waits until a recording is deleted at Twilio, or will be when Twilio has had time to write it down.
async fn deleted_now_or_soon(hotline: &Hotline, recording: &str) {
    eventually(&format!("{recording} being deleted at Twilio, or put off"), async || {
        let put_off = |body: &String| body.contains(recording) && body.contains("\"transcript-due\":false");
        let deleted = hotline.asked(recording).await.iter().any(|request| request.method == "DELETE");
        (deleted || hotline.cloud.messages(hotline.queue("recordings")).await.iter().any(put_off)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn recordings_and_transcripts_lie_sealed_under_their_tenant_and_are_deleted_at_twilio() {
    let (hotline, tenant) = hotline().await;
    let call = correction(&hotline, Language::English, 0).await;
    for recording in &call.recordings {
        let audio = opened(&hotline, &tenant, &call.call_sid, &recording.sid, "audio").await;
        assert_eq!(audio, recording.audio);
        let text = opened(&hotline, &tenant, &call.call_sid, &recording.sid, "transcript").await;
        let text = String::from_utf8(text).unwrap();
        assert!(planted::MARKERS.iter().all(|marker| text.contains(marker)), "{text}");
        hotline.deleted_at_twilio(recording.transcription_sid.as_deref().unwrap()).await;
        deleted_now_or_soon(&hotline, &recording.sid).await;
    }
}

#[tokio::test]
async fn a_recording_that_nobody_writes_down_is_deleted_at_once() {
    let (hotline, tenant) = hotline().await;
    let call = correction(&hotline, Language::Spanish, 1).await;
    for recording in &call.recordings {
        assert_eq!(recording.transcription_sid, None, "Twilio transcribes English only");
        let audio = opened(&hotline, &tenant, &call.call_sid, &recording.sid, "audio").await;
        assert_eq!(audio, recording.audio);
        hotline.deleted_at_twilio(&recording.sid).await;
    }
}

#[tokio::test]
async fn a_fault_at_twilio_ends_well() {
    let (hotline, tenant) = hotline().await;
    let fault = |method: &str, fault, times| Fault {
        path: String::new(),
        method: Some(method.to_owned()),
        fault,
        times,
        delay_ms: 0,
        retry_after: None,
    };
    let faults = [
        Fault { retry_after: Some(1), ..fault("GET", Happens::RateLimited, 2) },
        fault("GET", Happens::Error, 2),
        fault("GET", Happens::LostAnswer, 1),
        Fault { delay_ms: 3_000, ..fault("GET", Happens::Slow, 1) },
        Fault { retry_after: Some(1), ..fault("DELETE", Happens::RateLimited, 2) },
        fault("DELETE", Happens::Error, 1),
        fault("DELETE", Happens::LostAnswer, 1),
    ];
    join_all((10..).zip(faults).map(async |(n, fault)| {
        let mut walk = Walk::begin(&hotline, &planted::caller(planted::RECORDINGS, n)).await;
        walk.press("2").await;
        walk.press(CODE).await;
        let speech = planted::speech("is what this is about");
        let recording = hotline.deposit(&walk.sid, &speech).await.sid;
        let happens = fault.fault;
        hotline.disturb(&Fault { path: recording.clone(), ..fault.clone() }).await;
        let ready =
            [("RecordingSid", recording.as_str()), ("RecordingStatus", "completed"), ("RecordingDuration", "5")];
        assert_eq!(walk.send(&walk.to_route("/voice/recording", &ready)).await.status, 204);
        assert_eq!(opened(&hotline, &tenant, &walk.sid, &recording, "audio").await, speech.audio, "{happens:?}");
        hotline.deleted_at_twilio(&recording).await;
        let met = hotline.asked(&recording).await.iter().filter(|request| request.fault == Some(happens)).count();
        assert_eq!(met, usize::try_from(fault.times).unwrap(), "{happens:?}");
    }))
    .await;
}

#[tokio::test]
async fn a_recording_reported_again_and_again_is_stored_once_and_troubles_nobody() {
    let (hotline, tenant) = hotline().await;
    let mut walk = Walk::begin(&hotline, &planted::caller(planted::RECORDINGS, 20)).await;
    walk.press("1").await;
    walk.press(CODE).await;
    let speech = planted::speech("is what this is about");
    let recording = hotline.deposit(&walk.sid, &speech).await.sid;
    let ready = [("RecordingSid", recording.as_str()), ("RecordingStatus", "completed"), ("RecordingDuration", "5")];
    for time in 0..3 {
        assert_eq!(walk.send(&walk.to_route("/voice/recording", &ready)).await.status, 204);
        if time == 1 {
            hotline.deleted_at_twilio(&recording).await;
        }
    }
    eventually("all reports being done with", async || {
        let waiting = hotline.cloud.messages(hotline.queue("recordings")).await;
        waiting.iter().all(|body| !body.contains(&recording)).then_some(())
    })
    .await;
    assert_eq!(opened(&hotline, &tenant, &walk.sid, &recording, "audio").await, speech.audio);
    let kept = hotline.cloud.keys(hotline.bucket("recordings"), &format!("{tenant}/{}/", walk.sid)).await;
    assert_eq!(kept.len(), 1, "{kept:?}");
    let dead = hotline.cloud.messages(hotline.queue("recordings-dead")).await;
    assert!(dead.iter().all(|body| !body.contains(&recording)), "{dead:?}");
}

#[tokio::test]
async fn what_was_not_recorded_or_not_transcribed_is_nothing_to_store() {
    let (hotline, tenant) = hotline().await;
    let mut walk = Walk::begin(&hotline, &planted::caller(planted::RECORDINGS, 21)).await;
    walk.press("1").await;
    walk.press(CODE).await;
    let left = hotline.deposit(&walk.sid, &planted::speech("is hard to understand")).await;
    let absent = [("RecordingSid", left.sid.as_str()), ("RecordingStatus", "absent")];
    assert_eq!(walk.send(&walk.to_route("/voice/recording", &absent)).await.status, 204);
    let transcription = left.transcription_sid.unwrap();
    let failed = [
        ("RecordingSid", left.sid.as_str()),
        ("TranscriptionSid", transcription.as_str()),
        ("TranscriptionStatus", "failed"),
    ];
    assert_eq!(walk.send(&walk.to_route("/voice/transcription", &failed)).await.status, 204);
    hotline.deleted_at_twilio(&transcription).await;
    let kept = hotline.cloud.keys(hotline.bucket("recordings"), &format!("{tenant}/{}/", walk.sid)).await;
    assert!(kept.is_empty(), "{kept:?}");
}

/// Comes to the fallback in the middle of a call, and leaves a message there.
async fn message_to_fallback(hotline: &Hotline, walk: &mut Walk<'_>) -> String {
    let fallback = walk.to_route("/voice/fallback", &[]).url;
    walk.go(fallback, &[("ErrorCode", "11200")]).await;
    assert!(walk.said().contains("has a problem at the moment"), "{}", walk.said());
    let record = walk.document.children.iter().find(|verb| verb.name == "Record").unwrap().clone();
    let recording = hotline.deposit(&walk.sid, &planted::speech("would like an answer")).await.sid;
    walk.record(&recording).await;
    assert!(walk.said().contains("Your message will be passed on."), "{}", walk.said());
    let mut callback = url::Url::parse(record.attribute("recordingStatusCallback").unwrap()).unwrap();
    callback.set_fragment(None);
    let ready = [("RecordingSid", recording.as_str()), ("RecordingStatus", "completed"), ("RecordingDuration", "9")];
    assert_eq!(walk.send(&walk.webhook(callback, &ready)).await.status, 204);
    recording
}

#[tokio::test]
async fn a_message_to_the_fallback_is_a_request_of_the_tenant_that_the_call_had_reached() {
    let (hotline, tenant) = hotline().await;
    let mut walk = Walk::begin(&hotline, &planted::caller(planted::RECORDINGS, 30)).await;
    walk.press("2").await;
    walk.press(CODE).await;
    let recording = message_to_fallback(&hotline, &mut walk).await;
    opened(&hotline, &tenant, &walk.sid, &recording, "audio").await;
    hotline.deleted_at_twilio(&recording).await;
    let request = hotline.request(&tenant, &walk.sid).await;
    assert_eq!((&request["kind"], &request["state"]), (&json!("message"), &json!("incomplete")));
    assert_eq!(request["code"], CODE);
    assert!(request.to_string().contains(&recording), "{request:#}");
    assert!(request["respond_by"].is_string() && request["open_pk"] == tenant.as_str(), "{request:#}");
}

#[tokio::test]
async fn a_message_to_the_fallback_joins_the_request_that_the_call_had_begun() {
    let (hotline, tenant) = hotline().await;
    let mut walk = Walk::begin(&hotline, &planted::caller(planted::RECORDINGS, 31)).await;
    for keys in ["1", CODE, "1", "1"] {
        walk.press(keys).await;
    }
    let before = hotline.request(&tenant, &walk.sid).await;
    let recording = message_to_fallback(&hotline, &mut walk).await;
    hotline.deleted_at_twilio(&recording).await;
    let request = hotline.request(&tenant, &walk.sid).await;
    assert_eq!((&request["sk"], &request["kind"]), (&before["sk"], &json!("opt-out")));
    assert!(request.to_string().contains(&recording), "{request:#}");
}

#[tokio::test]
async fn a_message_to_the_fallback_that_is_nobodys_is_kept_by_the_platform() {
    let (hotline, _) = hotline().await;
    let mut walk = Walk::begin(&hotline, &planted::caller(planted::RECORDINGS, 32)).await;
    let recording = message_to_fallback(&hotline, &mut walk).await;
    opened(&hotline, PLATFORM, &walk.sid, &recording, "audio").await;
    hotline.deleted_at_twilio(&recording).await;
    assert!(hotline.requests(&walk.sid).await.is_empty());
}
