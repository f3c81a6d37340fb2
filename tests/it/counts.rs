//! What a call costs in AWS calls, by the functions' own log lines. The price is these calls: a test holds their number.

use std::collections::BTreeMap;

use domain::language::Language;
use domain::request::Kind;
use phone::Script;
use serde_json::Value;
use tests::hotline::Code;
use tests::{Hotline, answers, eventually, planted};

const CODE: &str = "5701";
/// Steps of an opt-out call, in order.
const STEPS: [&str; 8] = [
    "voice-answer",
    "voice-language",
    "voice-service-code",
    "voice-request-kind",
    "voice-contact",
    "voice-review",
    "voice-submit",
    "voice-call-status",
];

/// `dynamodb:GetItem=1 kms:Decrypt=2` by service and operation.
fn calls(line: &Value) -> BTreeMap<String, u32> {
    let text = line["aws_calls"].as_str().unwrap_or_default();
    let count = |call: &str| call.split_once('=').map(|(name, n)| (name.to_owned(), n.parse().unwrap())).unwrap();
    text.split_whitespace().map(count).collect()
}

/// The lines of a log that fit, as JSON.
async fn lines(hotline: &Hotline, domain: &str, containing: &str) -> Vec<Value> {
    let found = hotline.cloud.log(&hotline.at.log_groups[domain], Some(containing)).await;
    found.iter().filter_map(|(_, line)| serde_json::from_str(line).ok()).collect()
}

async fn usage_lines(hotline: &Hotline, tenant: &str) -> Vec<Value> {
    let mut lines = lines(hotline, "jobs", tenant).await;
    lines.retain(|line| line["fn"] == "jobs-record-usage" && line["tenant"] == tenant);
    lines
}

#[tokio::test]
async fn an_opt_out_call_takes_eight_operations_of_dynamodb_one_message_and_when_warm_no_key() {
    let hotline = Hotline::open();
    let tenant = hotline.tenant("test-counts", &[Code::new(CODE, "Frugal Shop")], &[]).await;
    let of = |calls: &BTreeMap<String, u32>, service: &str| -> u32 {
        calls.iter().filter(|(name, _)| name.starts_with(service)).map(|(_, n)| n).sum()
    };
    // Other tests make sandboxes start all the time, and a cold one reads the tenant's key; a call that meets none shows
    // what a warm one takes.
    for n in 0..30 {
        let before = usage_lines(&hotline, &tenant).await.len();
        let mut caller = Script::new(answers::request(Language::English, Some(CODE), Kind::OptOut));
        let call = hotline.call(&planted::caller(planted::COUNTS, n), &mut caller).await;
        hotline.usage(&tenant, &call.call_sid).await;
        let steps = eventually("a line of the log for every step", async || {
            Some(lines(&hotline, "voice", &call.call_sid).await).filter(|lines| lines.len() >= STEPS.len())
        })
        .await;
        let worker = eventually("the worker's line", async || {
            let mut lines = usage_lines(&hotline, &tenant).await;
            (lines.len() > before).then(|| lines.pop().unwrap())
        })
        .await;
        assert_eq!(steps.len(), STEPS.len(), "one line for each step: {steps:#?}");
        let by_step: BTreeMap<&str, BTreeMap<String, u32>> =
            steps.iter().map(|line| (line["fn"].as_str().unwrap(), calls(line))).collect();
        for step in STEPS {
            assert!(by_step.contains_key(step), "{step} left no line: {steps:#?}");
        }
        for step in ["voice-language", "voice-request-kind", "voice-review"] {
            assert!(by_step[step].is_empty(), "{step} needs nobody: {:?}", by_step[step]);
        }
        let all = || by_step.values().cloned().chain([calls(&worker)]);
        assert_eq!(all().map(|calls| of(&calls, "sqs:")).sum::<u32>(), 1, "{by_step:?}");
        assert_eq!(of(&calls(&worker), "dynamodb:"), 2, "{worker}");
        assert_eq!(all().map(|calls| of(&calls, "s3:")).sum::<u32>(), 0, "{by_step:?}");
        let dynamodb = all().map(|calls| of(&calls, "dynamodb:")).sum::<u32>();
        let keys = all().map(|calls| of(&calls, "kms:")).sum::<u32>();
        // A key is read by one query and unwrapped by one call; nothing else is more when cold.
        assert!(dynamodb - keys <= 8, "{by_step:?} {worker}");
        if keys == 0 {
            return;
        }
    }
    panic!("thirty calls, and none of them met a warm sandbox");
}
