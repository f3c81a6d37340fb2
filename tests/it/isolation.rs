//! One tenant's calls, credentials and numbers with another tenant's things.

use domain::language::Language;
use domain::reference::Reference;
use domain::request::Kind;
use phone::{Do, Script};
use serde_json::{Value, json};
use tests::hotline::{Code, order};
use tests::unseal::bytes;
use tests::walk::{Walk, next};
use tests::{Hotline, answers, planted};

struct Two {
    hotline: Hotline,
    a: String,
    b: String,
}

const CODE_A: &str = "5601";
const CODE_B: &str = "5602";
const NUMBER_A: &str = "+18665550161";
const NUMBER_B: &str = "+18665550162";

async fn two() -> Two {
    let hotline = Hotline::open();
    let a = hotline.tenant("test-isolation-a", &[Code::new(CODE_A, "Shop A")], &[(NUMBER_A, CODE_A)]).await;
    let b = hotline.tenant("test-isolation-b", &[Code::new(CODE_B, "Shop B")], &[(NUMBER_B, CODE_B)]).await;
    assert_ne!(a, b);
    Two { hotline, a, b }
}

/// What is said when somebody asks at a service code for a reference number, and all that is asked of AWS for it.
async fn asked_for(hotline: &Hotline, n: u8, code: &str, reference: &str) -> String {
    let keys = ["1", &format!("{code}#"), "6", reference];
    let script = keys.map(Do::press).to_vec();
    let mut caller = answers::Stubborn::new(script, Do::HangUp);
    hotline.call(&planted::caller(planted::ISOLATION, n), &mut caller).await;
    caller.questions().pop().unwrap_or_default()
}

#[tokio::test]
async fn another_tenants_reference_number_does_not_exist_here() {
    let Two { hotline, b, .. } = two().await;
    let filing = hotline
        .call(
            &planted::caller(planted::ISOLATION, 0),
            &mut Script::new(answers::request(Language::English, Some(CODE_B), Kind::OptOut)),
        )
        .await;
    let theirs = filing.reference_number().unwrap();
    assert_eq!(hotline.request(&b, &filing.call_sid).await["sk"], theirs.as_str());
    let nobodys = String::from(Reference::from_entropy(fastrand::u64(..)));
    let here = asked_for(&hotline, 1, CODE_A, &theirs).await;
    assert!(here.starts_with("I can't find a request with that number at this business."), "{here}");
    assert_eq!(here, asked_for(&hotline, 2, CODE_A, &nobodys).await);
    // And at their own it does.
    assert_ne!(asked_for(&hotline, 3, CODE_B, &theirs).await, here);
}

#[tokio::test]
async fn a_call_to_one_tenant_does_not_go_on_with_the_state_of_a_call_to_another() {
    let Two { hotline, a, b } = two().await;
    let mut to_a = Walk::begin(&hotline, &planted::caller(planted::ISOLATION, 10)).await;
    let mut to_b = Walk::begin(&hotline, &planted::caller(planted::ISOLATION, 11)).await;
    for (walk, code) in [(&mut to_a, CODE_A), (&mut to_b, CODE_B)] {
        for keys in ["1", code, "2", "1"] {
            walk.press(keys).await;
        }
    }
    // B's caller comes with A's address, and with a recording.
    let recording = [("RecordingSid", "RE00000000000000000000000000000042"), ("RecordingDuration", "4")];
    let before = (hotline.request(&a, &to_a.sid).await, hotline.request(&b, &to_b.sid).await);
    let answer = to_b.send(&to_b.webhook(to_a.next(), &recording)).await;
    let document = phone::document::read(&answer.text()).unwrap();
    assert!(document.text.contains("I lost my place"), "{}", document.text);
    assert_eq!(next(&document).unwrap().path(), "/voice/answer");
    assert_eq!((hotline.request(&a, &to_a.sid).await, hotline.request(&b, &to_b.sid).await), before);
}

#[tokio::test]
async fn a_call_that_begins_again_stays_with_the_tenant_that_it_reached_first() {
    let Two { hotline, a, b } = two().await;
    let mut walk = Walk::begin(&hotline, &planted::caller(planted::ISOLATION, 12)).await;
    for keys in ["1", CODE_A, "1", "1"] {
        walk.press(keys).await;
    }
    let mut lost = walk.next();
    lost.path_segments_mut().unwrap().pop().push("AAAA");
    walk.go(lost, &[]).await;
    walk.go(walk.next(), &[]).await;
    for keys in ["1", CODE_B] {
        walk.press(keys).await;
    }
    assert!(!walk.said().contains("Welcome to Shop B."), "{}", walk.said());
    assert_eq!(hotline.request(&a, &walk.sid).await["kind"], "opt-out");
    let ended = [("CallStatus", "completed"), ("CallDuration", "9"), ("SequenceNumber", "0")];
    assert_eq!(walk.send(&walk.to_route("/voice/call-status", &ended)).await.status, 204);
    assert_eq!(hotline.usage(&a, &walk.sid).await["code"], CODE_A);
    assert!(
        hotline.cloud.items_with(hotline.table("requests"), "open_pk", &b).await.iter().all(|r| r["call"] != walk.sid)
    );
}

/// All that is set up for a tenant: directory without its calls, account, wrapped keys.
async fn set_up(hotline: &Hotline, tenant: &str) -> Vec<Value> {
    let mut items = hotline.cloud.items_with(hotline.table("directory"), "tenant", tenant).await;
    items.retain(|item| !item["pk"].as_str().unwrap().starts_with("call#"));
    items.extend(hotline.cloud.items_with(hotline.table("accounts"), "pk", tenant).await);
    items.extend(hotline.cloud.items_with(hotline.table("keys"), "pk", &format!("root#{tenant}")).await);
    items.sort_by_key(Value::to_string);
    items
}

#[tokio::test]
async fn a_tenant_set_up_with_anothers_service_code_or_number_is_a_conflict_and_changes_nothing() {
    let Two { hotline, a, b } = two().await;
    let before = (set_up(&hotline, &a).await, set_up(&hotline, &b).await);
    assert!(before.0.len() >= 6, "{:#?}", before.0);
    let mine = Code { name: "Renamed".to_owned(), ..Code::new(CODE_B, "Shop B") };
    let codes = [mine.clone(), Code::new("5603", "New here"), Code::new(CODE_A, "Mine now")];
    for (slug, codes, numbers) in [
        ("test-isolation-b", &codes[..], &[][..]),
        ("test-isolation-b", &codes[..1], &[(NUMBER_A, CODE_B)][..]),
        ("test-isolation-c", &codes[2..], &[][..]),
    ] {
        let refused = hotline.provision(&order(slug, codes, numbers)).await.unwrap_err();
        assert_eq!(refused["errorType"], "Conflict", "{refused}");
        assert!(!refused.to_string().contains(&a), "the other's id is not told: {refused}");
        assert_eq!(set_up(&hotline, &a).await, before.0);
        assert_eq!(set_up(&hotline, &b).await, before.1);
    }
    assert_eq!(hotline.directory("service-code", "5603").await, None);
    assert_eq!(hotline.directory("tenant", "test-isolation-c").await, None);
}

#[tokio::test]
async fn an_order_that_breaks_a_rule_is_refused_whole() {
    let Two { hotline, a, .. } = two().await;
    let before = set_up(&hotline, &a).await;
    let mut wrong = order("test-isolation-a", &[Code::new(CODE_A, "Renamed")], &[(NUMBER_A, "5699")]);
    let refused = hotline.provision(&wrong).await.unwrap_err();
    assert_eq!(refused["errorType"], "Invalid", "{refused}");
    wrong["tenant"]["profile"]["time-zone"] = json!("Nowhere/Land");
    wrong["tenant"]["misspelt"] = json!(true);
    assert_eq!(hotline.provision(&wrong).await.unwrap_err()["errorType"], "Invalid");
    assert_eq!(set_up(&hotline, &a).await, before);
}

#[tokio::test]
async fn setting_up_the_same_again_changes_nothing() {
    let Two { hotline, a, .. } = two().await;
    let before = set_up(&hotline, &a).await;
    assert_eq!(two().await.a, a);
    assert_eq!(set_up(&hotline, &a).await, before);
}

#[tokio::test]
async fn a_root_key_unwraps_for_its_own_tenant_only() {
    let Two { hotline, a, b } = two().await;
    let wrapped = hotline.cloud.items_with(hotline.table("keys"), "pk", &format!("root#{a}")).await;
    let wrapped = bytes(&wrapped[0]["wrapped"]);
    let unwrap = async |context: &[(&str, &str)]| hotline.cloud.unwrap(&hotline.at.kms_key, &wrapped, context).await;
    assert_eq!(unwrap(&[("tenant", &a), ("ver", "1")]).await.unwrap().len(), 32);
    for context in
        [&[("tenant", b.as_str()), ("ver", "1")][..], &[("tenant", &a), ("ver", "2")], &[("tenant", &a)], &[]]
    {
        assert!(unwrap(context).await.is_err(), "{context:?}");
    }
}

#[tokio::test]
async fn the_same_number_is_found_at_one_tenant_under_nothing_that_another_knows() {
    let Two { hotline, a, b } = two().await;
    let from = planted::caller(planted::ISOLATION, 20);
    for (tenant, code) in [(&a, CODE_A), (&b, CODE_B)] {
        let mut caller = Script::new(answers::request(Language::English, Some(code), Kind::Limit));
        let call = hotline.call(&from, &mut caller).await;
        let request = hotline.request(tenant, &call.call_sid).await;
        assert_eq!(hotline.contact(&request).await.as_deref(), Some(from.as_str()));
        // With the other's keys, at the same place, it does not open.
        let other = hotline.roots(if tenant == &a { &b } else { &a }).await;
        let (pk, sk) = (request["pk"].as_str().unwrap(), request["sk"].as_str().unwrap());
        let salt = hotline.salt(tenant, sk).await;
        assert_eq!(other.open(&salt, ["requests", pk, sk, "contact"], &bytes(&request["contact"])), None);
    }
    let tail = |index: String| index.rsplit('#').next().unwrap().to_owned();
    assert_ne!(tail(hotline.roots(&a).await.phone_index(&from)), tail(hotline.roots(&b).await.phone_index(&from)));
}
