//! Greetings as audio: found by the hash of their content and by nothing else.

use domain::language::Language;
use domain::request::Kind;
use phone::{Script, Step};
use serde_json::json;
use tests::hotline::Code;
use tests::unseal::sha256;
use tests::{Hotline, answers, planted};

const CODE: &str = "5501";
const SLUG: &str = "test-greeting";

/// Audio that is no caller's voice.
fn audio(what: u8) -> Vec<u8> {
    let mut bytes = b"ID3\x04\0\0\0\0\0\0".to_vec();
    bytes.extend((0..20_000_u32).map(|n| (n % 251) as u8 ^ what));
    bytes
}

/// Puts a greeting where the operator's tools put it; returns its name.
async fn upload(hotline: &Hotline, bytes: &[u8]) -> String {
    let file = format!("{}.mp3", sha256(bytes));
    hotline.cloud.put_object(hotline.bucket("greetings"), &format!("greetings/{file}"), bytes).await;
    file
}

fn greeted_with(file: &str) -> Code {
    let mut code = Code::new(CODE, "Sounding Shop");
    code.greetings[0].1 = json!({ "audio": { "file": file } });
    code
}

#[tokio::test]
async fn a_recorded_greeting_is_played_and_a_changed_one_is_heard_at_the_next_call() {
    let hotline = Hotline::open();
    let (first, second) = (upload(&hotline, &audio(1)).await, upload(&hotline, &audio(2)).await);
    let says = Code::new(CODE, "Sounding Shop");
    let script = || Script::new(answers::request(Language::English, Some(CODE), Kind::OptOut));
    for (n, file) in [(0, &first), (1, &second)] {
        hotline.tenant(SLUG, &[greeted_with(file)], &[]).await;
        let call = hotline.call(&planted::caller(planted::GREETING, n), &mut script()).await;
        let played: Vec<&str> = call
            .steps
            .iter()
            .filter_map(|step| match step {
                Step::Played(url) => Some(url.path()),
                _ => None,
            })
            .collect();
        assert_eq!(played, [format!("/voice/greeting/{file}")], "{call}");
    }
    hotline.tenant(SLUG, &[says], &[]).await;
    let call = hotline.call(&planted::caller(planted::GREETING, 2), &mut script()).await;
    assert!(call.heard("Welcome to Sounding Shop."), "{call}");
    assert!(!call.steps.iter().any(|step| matches!(step, Step::Played(_))), "{call}");
}

#[tokio::test]
async fn a_greeting_may_be_cached_for_ever_and_read_in_parts() {
    let hotline = Hotline::open();
    let bytes = audio(3);
    let file = upload(&hotline, &bytes).await;
    let get = async |headers: &[(&str, &str)]| {
        hotline.exchange("GET", &format!("/voice/greeting/{file}"), headers, b"").await
    };
    let whole = get(&[]).await;
    assert_eq!((whole.status, whole.header("content-type")), (200, Some("audio/mpeg")));
    assert_eq!(whole.body, bytes);
    assert_eq!(whole.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(whole.header("x-content-type-options"), Some("nosniff"));
    let etag = whole.header("etag").unwrap();

    let known = get(&[("if-none-match", etag)]).await;
    assert_eq!((known.status, known.body.len(), known.header("etag")), (304, 0, Some(etag)));
    assert_eq!(get(&[("if-none-match", "\"another\"")]).await.status, 200);

    let part = get(&[("range", "bytes=10-19")]).await;
    let range = format!("bytes 10-19/{}", bytes.len());
    assert_eq!((part.status, part.header("content-range")), (206, Some(range.as_str())));
    assert_eq!(part.body, bytes[10..20]);
    let end = get(&[("range", "bytes=-5")]).await;
    assert_eq!((end.status, end.body.as_slice()), (206, &bytes[bytes.len() - 5..]));
    assert_eq!(get(&[("range", "bytes=999999-")]).await.status, 416);
    assert_eq!(hotline.exchange("POST", &format!("/voice/greeting/{file}"), &[], b"").await.status, 404);
}

#[tokio::test]
async fn nothing_but_greetings_can_be_read() {
    let hotline = Hotline::open();
    let bytes = audio(4);
    let file = upload(&hotline, &bytes).await;
    let hash = file.trim_end_matches(".mp3");
    let bucket = hotline.bucket("greetings");
    // What may lie in the bucket one day, beside the greetings and among them.
    for key in ["private.mp3", &format!("other/{file}"), "greetings/notes.txt", "greetings/warm-up"] {
        hotline.cloud.put_object(bucket, key, b"not for callers").await;
    }
    for name in [
        "private.mp3",
        "notes.txt",
        "warm-up",
        "",
        "..%2Fprivate.mp3",
        "%2e%2e%2fprivate.mp3",
        "..%2Fgreetings%2Fnotes.txt",
        "../private.mp3",
        "../../private.mp3",
        "%252e%252e%252fprivate.mp3",
        "..%5cprivate.mp3",
        &format!("..%2Fother%2F{file}"),
        &format!("x/../{file}"),
        &format!("x%2F..%2F{file}"),
        &format!("x%2F{file}"),
        &format!("{file}%00.mp3"),
        &format!("{file}?versionId=null"),
        &format!("{}.mp3", hash.to_uppercase()),
        &format!("{hash}.wav"),
        &format!("{hash}.txt"),
        hash,
        &format!("{file}.mp3"),
        &format!("{}.mp3", "0".repeat(64)),
        &format!("%20{file}"),
    ] {
        let answer = hotline.exchange("GET", &format!("/voice/greeting/{name}"), &[], b"").await;
        // The query is not part of the name, and a path that a client or a gateway has made straight is the file itself.
        if name.contains('?') || name.contains("x/..") {
            assert!(answer.status == 404 || answer.body == bytes, "{name}: {}", answer.status);
            continue;
        }
        assert!((400..=404).contains(&answer.status), "{name}: {}", answer.status);
        assert!(!answer.text().contains("not for callers"), "{name}");
    }
    for target in
        ["/voice/greeting", "/voice/greetings/x.mp3", &format!("/greetings/{file}"), &format!("/{bucket}/private.mp3")]
    {
        let answer = hotline.exchange("GET", target, &[], b"").await;
        assert!((400..=404).contains(&answer.status), "{target}: {}", answer.status);
    }
    for key in ["private.mp3", &format!("other/{file}"), "greetings/notes.txt", "greetings/warm-up"] {
        hotline.cloud.delete_object(bucket, key).await;
    }
}
