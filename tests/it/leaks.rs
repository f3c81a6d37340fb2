//! After the suite: nothing that callers gave lies anywhere in clear.

use serde_json::json;
use tests::leaks::{CANARIES, Scanner};
use tests::{Hotline, planted};

/// Runs after all others (`cargo test … -- --ignored`, which `make test` does at its end): it looks at what they left.
#[tokio::test]
#[ignore = "looks at what all other tests have left, and so runs after them: `make test` does"]
async fn after_the_suite_nothing_planted_lies_in_clear() {
    let hotline = Hotline::open();
    let scanner = Scanner::of_everything_planted();
    let (mut leaks, looked) = scanner.look_everywhere(&hotline).await;
    leaks.retain(|leak| !leak.place.ends_with("a canary"));
    assert!(leaks.is_empty(), "{leaks:#?}");
    let enough = looked.items > 500 && looked.objects > 10 && looked.lines > 2_000 && looked.sent > 10;
    assert!(enough, "the suite has left more than this to look at: {looked:?}");

    // The same search finds each of these.
    let cloud = &hotline.cloud;
    let number = planted::caller(planted::CALLS, 42);
    let (table, queue, bucket) = (hotline.table("audit"), hotline.queue("usage-dead"), hotline.bucket("recordings"));
    let (log, stream) = (&hotline.at.log_groups["voice"], "canary");
    let key = json!({ "pk": { "S": "canary" }, "sk": { "S": "1" } });
    let mut item = key.clone();
    item["words"] = json!({ "S": planted::words("is my name") });
    cloud.call("dynamodb:PutItem", json!({ "TableName": table, "Item": item })).await;
    let message = format!("{{\"from\":\"{number}\"}}");
    cloud.send_message(queue, &message).await;
    cloud.put_object(bucket, "canary", &planted::speech("is my name").audio).await;
    #[expect(clippy::disallowed_methods, reason = "CloudWatch takes lines of the real time only")]
    let now = jiff::Timestamp::now().as_millisecond();
    cloud.put_log(log, stream, &format!("Digits={}", &number[2..]), now).await;
    cloud.send_mail("optline@example.com", CANARIES[0], &format!("It was {number}.")).await;
    cloud.send_text(CANARIES[1], &planted::words("is my name")).await;
    let (leaks, _) = scanner.look_everywhere(&hotline).await;

    cloud.call("dynamodb:DeleteItem", json!({ "TableName": table, "Key": key })).await;
    assert!(cloud.take_message(queue, &message).await);
    cloud.delete_object(bucket, "canary").await;
    cloud.delete_log(log, stream).await;
    for place in ["table", "queue", "bucket", "log", "mail", "text message"] {
        assert!(leaks.iter().any(|leak| leak.place.starts_with(place)), "the canary in a {place} is found: {leaks:?}");
    }
}
