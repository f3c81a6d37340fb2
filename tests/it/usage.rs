//! The ledger: one row per call, whatever arrives twice, late, out of order or broken.

use domain::language::Language;
use domain::request::Kind;
use futures::future::join_all;
use phone::{CallOptions, Callbacks, Do, Order, Script};
use serde_json::{Value, json};
use tests::hotline::Code;
use tests::walk::{Walk, new_sid};
use tests::{Hotline, answers, eventually, planted};

const CODE: &str = "5301";
const PLATFORM: &str = "t-platform";

async fn hotline() -> (Hotline, String) {
    let hotline = Hotline::open();
    let tenant = hotline.tenant("test-usage", &[Code::new(CODE, "Metered Shop")], &[]).await;
    (hotline, tenant)
}

/// Waits until nothing about a call is waiting any more.
async fn settled(hotline: &Hotline, call: &str) {
    eventually(&format!("the usage of {call} being settled"), async || {
        let waiting = hotline.cloud.messages(hotline.queue("usage")).await;
        waiting.iter().all(|body| !body.contains(call)).then_some(())
    })
    .await;
}

/// A message as `voice-call-status` writes it.
fn message(call: &str, status: &str, sequence: u32, seconds: u32) -> String {
    json!({
        "call-sid": call, "status": status, "seconds": seconds, "billed-minutes": seconds.div_ceil(60),
        "sequence": sequence, "ended-at": "2026-11-20T23:59:59Z",
    })
    .to_string()
}

#[tokio::test]
async fn a_call_has_one_row_however_its_callbacks_arrive() {
    let (hotline, tenant) = hotline().await;
    let orders = [Order::Reversed, Order::Shuffled(1), Order::Shuffled(2), Order::Shuffled(3), Order::AsItHappens];
    join_all((0..).zip(orders).map(async |(n, order)| {
        let options = CallOptions {
            callbacks: Callbacks { copies: 3, order, every_status: true },
            ..CallOptions::from(planted::caller(planted::USAGE, n))
        };
        let mut caller = Script::new(answers::request(Language::English, Some(CODE), Kind::Correct));
        let call = hotline.call_with(options, &mut caller).await;
        hotline.usage(&tenant, &call.call_sid).await;
        settled(&hotline, &call.call_sid).await;
        let row = hotline.usage(&tenant, &call.call_sid).await;
        assert_eq!(
            (&row["status"], &row["seconds"]),
            (&json!("completed"), &json!(call.duration.as_secs())),
            "{order:?}"
        );
        assert_eq!(row["billed_minutes"], call.duration.as_secs().div_ceil(60));
        assert_eq!(row["code"], CODE);
    }))
    .await;
}

#[tokio::test]
async fn calls_that_never_reached_a_tenant_are_kept_on_the_platforms_own_row() {
    let (hotline, _) = hotline().await;
    let unknown = ["1", "98765432#", "98765431#", "98765430#"].map(Do::press).to_vec();
    for (n, script) in [(10, vec![Do::HangUp]), (11, vec![]), (12, unknown)] {
        let call = hotline.call(&planted::caller(planted::USAGE, n), &mut Script::new(script)).await;
        let row = hotline.usage(PLATFORM, &call.call_sid).await;
        assert_eq!((row["seconds"].as_u64(), row.get("code")), (Some(call.duration.as_secs()), None), "{row:#}");
        assert!(hotline.requests(&call.call_sid).await.is_empty());
    }
}

#[tokio::test]
async fn the_end_of_a_call_never_goes_back_to_something_earlier() {
    let (hotline, tenant) = hotline().await;
    let reports = [
        [("CallStatus", "in-progress"), ("SequenceNumber", "1"), ("CallDuration", ""), ("Duration", "")],
        [("CallStatus", "busy"), ("SequenceNumber", "2"), ("CallDuration", "0"), ("Duration", "0")],
        [("CallStatus", "completed"), ("SequenceNumber", "3"), ("CallDuration", "61"), ("Duration", "2")],
        [("CallStatus", "completed"), ("SequenceNumber", "3"), ("CallDuration", "61"), ("Duration", "2")],
    ];
    for (n, order) in [(13, [0, 1, 2, 3]), (14, [2, 3, 1, 0]), (15, [2, 0, 1, 3])] {
        let mut walk = Walk::begin(&hotline, &planted::caller(planted::USAGE, n)).await;
        walk.press("1").await;
        walk.press(CODE).await;
        for at in order {
            let answer = walk.send(&walk.to_route("/voice/call-status", &reports[at])).await;
            assert_eq!((answer.status, answer.body.len()), (204, 0));
        }
        hotline.usage(&tenant, &walk.sid).await;
        settled(&hotline, &walk.sid).await;
        let row = hotline.usage(&tenant, &walk.sid).await;
        assert_eq!((&row["status"], &row["sequence"]), (&json!("completed"), &json!(3)), "{order:?}");
        assert_eq!((&row["seconds"], &row["billed_minutes"]), (&json!(61), &json!(2)), "{order:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_goes_whole_to_the_dead_letter_queue_and_holds_nobody_up() {
    let (hotline, _) = hotline().await;
    let (usage, dead) = (hotline.queue("usage"), hotline.queue("usage-dead"));
    let poison = [
        format!("not JSON at all, {}", new_sid("CA")),
        json!({ "of-another-kind": new_sid("CA") }).to_string(),
        message(&new_sid("XX"), "completed", 1, 5),
        message(&new_sid("CA"), "ringing", 1, 5),
    ];
    let calls: Vec<String> = (0..6).map(|_| new_sid("CA")).collect();
    let mut batch: Vec<String> = calls.iter().map(|call| message(call, "completed", 1, 30)).collect();
    for (at, poisoned) in [(0, 0), (3, 1), (6, 2), (9, 3)] {
        batch.insert(at, poison[poisoned].clone());
    }
    hotline.cloud.send_batch(usage, &batch).await;
    for call in &calls {
        assert_eq!(hotline.usage(PLATFORM, call).await["seconds"], 30);
    }
    for body in &poison {
        eventually(&format!("`{body}` among the dead letters"), async || {
            hotline.cloud.messages(dead).await.contains(body).then_some(())
        })
        .await;
    }
    // Brought back without a remedy, it ends there again, and is nowhere twice.
    replay(&hotline, &poison[0]).await;
    eventually("what still cannot be read being dead again", async || {
        hotline.cloud.messages(dead).await.contains(&poison[0]).then_some(())
    })
    .await;
    for body in &poison {
        assert_eq!(hotline.cloud.messages(dead).await.iter().filter(|there| *there == body).count(), 1);
        assert!(hotline.cloud.take_message(dead, body).await);
    }
}

/// What `make replay QUEUE=usage` does to one message.
async fn replay(hotline: &Hotline, body: &str) {
    assert!(hotline.cloud.take_message(hotline.queue("usage-dead"), body).await, "`{body}` is no dead letter");
    hotline.cloud.send_message(hotline.queue("usage"), body).await;
}

#[tokio::test]
async fn replaying_the_dead_letter_queue_counts_nothing_twice() {
    let (hotline, tenant) = hotline().await;
    let mut walk = Walk::begin(&hotline, &planted::caller(planted::USAGE, 16)).await;
    walk.press("1").await;
    walk.press(CODE).await;
    // One that was counted before it died, and one that was not.
    let (counted, not_yet) = (message(&walk.sid, "completed", 1, 40), message(&new_sid("CA"), "completed", 1, 50));
    hotline.cloud.send_message(hotline.queue("usage"), &counted).await;
    let before = hotline.usage(&tenant, &walk.sid).await;
    settled(&hotline, &walk.sid).await;
    for body in [&counted, &not_yet] {
        hotline.cloud.send_message(hotline.queue("usage-dead"), body).await;
        replay(&hotline, body).await;
    }
    let new: Value = serde_json::from_str(&not_yet).unwrap();
    let row = hotline.usage(PLATFORM, new["call-sid"].as_str().unwrap()).await;
    assert_eq!(row["seconds"], 50);
    assert_eq!(row["pk"], format!("{PLATFORM}#2026-11-20"), "it is accounted for on the day on which it ended");
    settled(&hotline, &walk.sid).await;
    assert_eq!(hotline.usage(&tenant, &walk.sid).await, before);
}

#[tokio::test]
async fn a_callback_that_makes_no_sense_is_kept_for_a_person_to_look_at() {
    let (hotline, _) = hotline().await;
    let dead = hotline.queue("usage-dead");
    let walk = Walk::begin(&hotline, &planted::caller(planted::USAGE, 17)).await;
    let strange = [("CallStatus", "exploded"), ("CallDuration", "a while")];
    assert_eq!(walk.send(&walk.to_route("/voice/call-status", &strange)).await.status, 204);
    let body = eventually("it among the dead letters", async || {
        hotline.cloud.messages(dead).await.into_iter().find(|body| body.contains(&walk.sid))
    })
    .await;
    assert!(body.contains("exploded") && body.contains("a while"), "{body}");
    assert!(hotline.cloud.take_message(dead, &body).await);
    assert!(hotline.ledger(&walk.sid).await.is_empty());
}
