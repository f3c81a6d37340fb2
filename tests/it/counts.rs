//! What a call and a page cost in AWS calls, by the functions' own log lines. The price is these calls: a test holds their number.

use std::collections::BTreeMap;

use domain::language::Language;
use domain::request::Kind;
use phone::Script;
use serde_json::Value;
use tests::hotline::Code;
use tests::{Hotline, Person, answers, eventually, planted};

use crate::rooms::Shop;

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
pub(crate) fn calls(line: &Value) -> BTreeMap<String, u32> {
    let text = line["aws_calls"].as_str().unwrap_or_default().replace("secrets manager:", "secrets-manager:");
    let count = |call: &str| call.split_once('=').map(|(name, n)| (name.to_owned(), n.parse().unwrap())).unwrap();
    text.split_whitespace().map(count).collect()
}

/// The lines of a log that fit, as JSON.
pub(crate) async fn lines(hotline: &Hotline, domain: &str, containing: &str) -> Vec<Value> {
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
        // A process puts a tenant's day on the agenda once, and then it remembers that it did.
        let marks = calls(&worker).get("dynamodb:UpdateItem").copied().unwrap_or_default();
        assert_eq!(of(&calls(&worker), "dynamodb:"), 2 + marks, "{worker}");
        assert!(marks <= 1, "{worker}");
        assert_eq!(all().map(|calls| of(&calls, "s3:")).sum::<u32>(), 0, "{by_step:?}");
        let dynamodb = all().map(|calls| of(&calls, "dynamodb:")).sum::<u32>();
        let keys = all().map(|calls| of(&calls, "kms:")).sum::<u32>();
        // A key is read by one query and unwrapped by one call; nothing else is more when cold.
        assert!(dynamodb - keys - marks <= 8, "{by_step:?} {worker}");
        if keys + marks == 0 {
            return;
        }
    }
    panic!("thirty calls, and none of them met a warm sandbox");
}

/// What the dashboard's function has asked of AWS for its last answer to somebody of a tenant.
async fn last_of(hotline: &Hotline, tenant: &str, function: &str, seen: usize) -> BTreeMap<String, u32> {
    let line = eventually("the line of a page", async || {
        let mut lines = lines(hotline, "dashboard", tenant).await;
        lines.retain(|line| line["fn"] == function && line["tenant"] == tenant);
        (lines.len() > seen).then(|| lines.pop().unwrap())
    });
    calls(&line.await)
}

async fn lines_of(hotline: &Hotline, tenant: &str, function: &str) -> usize {
    let lines = lines(hotline, "dashboard", tenant).await;
    lines.iter().filter(|line| line["fn"] == function && line["tenant"] == tenant).count()
}

/// What a page takes: operations of DynamoDB without those that write to the audit trail, those, and reads of S3. A write
/// to the trail is one, or two where another sandbox has written since.
fn taken(calls: &BTreeMap<String, u32>) -> (u32, u32, u32) {
    let sum = |service: &str| calls.iter().filter(|(name, _)| name.starts_with(service)).map(|(_, n)| n).sum::<u32>();
    let audited = sum("dynamodb:TransactWriteItems");
    (sum("dynamodb:") - audited, audited, sum("s3:"))
}

/// The calls of a page whose sandbox holds the tenant's key: any other reads and unwraps it first.
async fn warm(
    hotline: &Hotline,
    tenant: &str,
    function: &str,
    mut visit: impl AsyncFnMut() -> u16,
) -> BTreeMap<String, u32> {
    for _ in 0..30 {
        let before = lines_of(hotline, tenant, function).await;
        let status = visit().await;
        assert!(matches!(status, 200 | 303), "{function}: {status}");
        let calls = last_of(hotline, tenant, function, before).await;
        if !calls.keys().any(|name| name.starts_with("kms:") || name.starts_with("secrets-manager:")) {
            return calls;
        }
    }
    panic!("thirty visits, and none of them met a warm sandbox of {function}");
}

fn fits(calls: &BTreeMap<String, u32>, wanted: (u32, u32, u32)) -> bool {
    let (dynamodb, audited, s3) = taken(calls);
    (dynamodb, audited.min(1), s3) == wanted && audited <= 3
}

#[tokio::test]
async fn a_page_of_the_dashboard_takes_this_many_operations_and_when_warm_no_key() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "test-counts-pages", &planted::caller(planted::COUNTS, 50)).await;
    let tenant = shop.tenant.clone();
    let spoken = u32::try_from(shop.call.recordings.len()).unwrap();
    let request = format!("/dashboard/request/{}", shop.reference);
    let (code, greeting) =
        (format!("/dashboard/service-code/{}", shop.code), format!("/dashboard/greeting/{}", shop.code));
    let notice = format!("/dashboard/notice/{}", shop.code);
    let mut wrong = vec![];
    for (function, target, dynamodb, audited, s3) in [
        ("dashboard-requests", "/dashboard/requests", 2, 0, 0),
        ("dashboard-requests", "/dashboard/requests?state=closed&kind=delete", 2, 0, 0),
        ("dashboard-overview", "/dashboard/overview", 4, 0, 0),
        ("dashboard-request", request.as_str(), 4, 1, spoken),
        ("dashboard-service-codes", "/dashboard/service-codes", 2, 0, 0),
        ("dashboard-service-code", code.as_str(), 2, 0, 0),
        ("dashboard-greeting", greeting.as_str(), 3, 0, 0),
        ("dashboard-notice", notice.as_str(), 2, 0, 0),
        ("dashboard-settings", "/dashboard/settings", 3, 0, 0),
        ("dashboard-usage", "/dashboard/usage", 3, 0, 0),
        ("dashboard-team", "/dashboard/team", 2, 0, 0),
        ("dashboard-audit", "/dashboard/audit", 3, 1, 0),
        ("dashboard-report", "/dashboard/report", 2, 0, 0),
        ("dashboard-request-log", "/dashboard/request-log", 2, 0, 0),
        ("dashboard-account", "/dashboard/account", 3, 0, 0),
        ("dashboard-sessions", "/dashboard/sessions", 2, 0, 0),
        ("dashboard-new-request", "/dashboard/new-request", 2, 0, 0),
    ] {
        let calls = warm(&hotline, &tenant, function, async || {
            let seen = shop.owner.once("GET", target, &[], &[]).await;
            seen.status()
        });
        let calls = calls.await;
        if !fits(&calls, (dynamodb, audited, s3)) {
            wrong.push(format!("{target}: {calls:?}"));
        }
    }
    // A change, and what it is written down in.
    let mut to = shop.user.clone();
    let calls = warm(&hotline, &tenant, "dashboard-act", async || {
        let page = shop.page().await;
        let form = page.forms().into_iter().find(|form| form.value("action") == Some("assign")).unwrap();
        let before = to.clone();
        to = if before.is_empty() { shop.user.clone() } else { String::new() };
        let fields: Vec<(&str, &str)> = form
            .fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| *name != "to")
            .collect();
        let body =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).append_pair("to", &before).finish();
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        shop.owner.once("POST", &form.action, &kind, body.as_bytes()).await.status()
    });
    let calls = calls.await;
    if !fits(&calls, (4, 1, 0)) {
        wrong.push(format!("act: {calls:?}"));
    }
    // Signing in. Whoever tries often is kept waiting, so a cold sandbox counts, less what it reads a key with.
    let before = ["dashboard-sign-in", "dashboard-second-factor"].map(async |it| lines_of(&hotline, &tenant, it).await);
    let [sign_in, second_factor] = before;
    let (sign_in, second_factor) = (sign_in.await, second_factor.await);
    let mut again = Person::new(&hotline);
    // The line of a password that is right does not say whose it is; a wrong one is written down besides.
    again.show_password(&shop.keys.email, "none of the four right words").await;
    again.sign_in(&shop.keys, 0).await;
    for (function, seen, most) in [("dashboard-sign-in", sign_in, 4), ("dashboard-second-factor", second_factor, 5)] {
        let calls = last_of(&hotline, &tenant, function, seen).await;
        let keys = calls.iter().filter(|(name, _)| name.starts_with("kms:")).map(|(_, n)| n).sum::<u32>();
        let (dynamodb, audited, s3) = taken(&calls);
        if (dynamodb - keys, s3) != (most, 0) || !(1..=3).contains(&audited) {
            wrong.push(format!("{function}: {calls:?} instead of {most}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_form_takes_four_operations_of_dynamodb_one_message_and_when_warm_no_key() {
    let hotline = Hotline::open();
    let mut wanted = tests::hotline::order("test-counts-form", &[Code::new("5702", "Frugal Form")], &[]);
    wanted["tenant"]["service-codes"][0]["origins"] = serde_json::json!(["https://shop.example"]);
    let done = hotline.provision(&wanted).await.unwrap();
    let tenant = done["tenant"].as_str().unwrap();
    let seen = async || {
        let mut lines = lines(&hotline, "forms", tenant).await;
        lines.retain(|line| line["fn"] == "forms-requests" && line["tenant"] == tenant);
        lines
    };
    // One client may send twenty in a minute.
    for n in 0..15 {
        let before = seen().await.len();
        let headers = [("content-type", "application/json"), ("origin", "https://shop.example")];
        let body = serde_json::json!({
            "id": format!("counts-{:032x}", fastrand::u128(..)), "kind": "know-categories",
            "name": planted::words("counts"), "email": planted::email("counts"), "phone": planted::caller(planted::COUNTS, 60 + n),
        });
        let answer = hotline.exchange("POST", "/forms/5702/requests", &headers, body.to_string().as_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let line = eventually("the form's line", async || {
            let mut lines = seen().await;
            (lines.len() > before).then(|| lines.pop().unwrap())
        });
        let calls = calls(&line.await);
        let of =
            |service: &str| calls.iter().filter(|(name, _)| name.starts_with(service)).map(|(_, n)| n).sum::<u32>();
        let keys = of("kms:");
        assert!(of("dynamodb:") - keys <= 4 && of("sqs:") <= 1 && of("s3:") == 0, "{calls:?}");
        if keys == 0 && of("secrets") == 0 {
            assert_eq!((of("dynamodb:"), of("sqs:")), (4, 1), "{calls:?}");
            return;
        }
    }
    panic!("fifteen forms, and none of them met a warm sandbox");
}
