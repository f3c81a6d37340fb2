//! What a business tells of what it collects: from the desk to whoever reads it, and nobody else's.

use serde_json::{Value, json};
use tests::Hotline;
use tests::hotline::Code;
use tests::person::Person;
use tests::wire::Answer;

async fn read(hotline: &Hotline, code: &str, query: &str, headers: &[(&str, &str)]) -> Answer {
    hotline.exchange("GET", &format!("/privacy-notice/{code}{query}"), headers, b"").await
}

fn json_of(answer: &Answer) -> Value {
    assert_eq!(answer.header("content-type"), Some("application/json"), "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

#[tokio::test]
async fn what_is_chosen_at_the_desk_is_read_as_a_page_as_html_and_as_json_in_both_languages() {
    let hotline = Hotline::open();
    let code = "6301";
    let (mut owner, _, _) = Person::owner_of(&hotline, "test-notice", &[Code::new(code, "Notice <Shop>")]).await;
    // Before anything is written, rights and ways to ask are there all the same.
    let bare = read(&hotline, code, "?lang=en", &[]).await;
    assert_eq!(bare.status, 200, "{}", bare.text());
    assert!(bare.text().contains("1798.105") && bare.text().contains(&format!("/forms/{code}")), "{}", bare.text());
    assert_eq!(json_of(&read(&hotline, code, "?format=json", &[]).await)["collected"], Value::Null);

    let address = format!("/dashboard/notice/{code}");
    let page = owner.get(&address).await;
    let wrong = [("commercial.on", "on"), ("commercial.passed-on", "sold"), ("policy", "ftp://x")];
    let again = owner.submit(&page, &["version", "effective"], &wrong).await;
    assert_eq!(again.status(), 422, "{}", again.text());
    for field in
        ["policy", "commercial.sources", "commercial.purposes", "commercial.third-parties", "commercial.kept-months"]
    {
        assert!(again.text().contains(&format!("f-{field}-error")), "{field}: {}", again.text());
    }
    let right = [
        ("policy", "https://shop.example/privacy"),
        ("effective", "2026-11-22"),
        ("commercial.on", "on"),
        ("commercial.sources", "consumer"),
        ("commercial.purposes", "services"),
        ("commercial.passed-on", "sold"),
        ("commercial.third-parties", "data-broker"),
        ("commercial.disclosed-to", "service-provider"),
        ("commercial.kept-months", "36"),
    ];
    let saved = owner.submit(&again, &["version", "effective"], &right).await;
    assert!(saved.target.ends_with("?saved"), "{} {}", saved.status(), saved.text());

    let page = read(&hotline, code, "?lang=es", &[]).await;
    let text = page.text();
    assert!(text.contains("Datos comerciales") && text.contains("Intermediarios de datos"), "{text}");
    assert!(text.contains("Notice &lt;Shop&gt;") && text.contains("lang=\"es\""), "{text}");
    let fragment = read(&hotline, code, "?format=html&lang=en", &[]).await;
    let text = fragment.text();
    assert!(text.starts_with("<section") && !text.contains("<script") && !text.contains("style"), "{text}");
    assert!(text.contains("Sold to") && text.contains("Data brokers") && text.contains("36 months"), "{text}");
    let told = json_of(&read(&hotline, code, "?format=json&lang=en", &[]).await);
    let commercial = &told["collected"][0];
    assert_eq!((&commercial["category"], &commercial["sold"]), (&json!("commercial"), &json!(true)), "{told:#}");
    assert_eq!(told["effective"], "2026-11-22");

    // Any site may read it, caches may keep what says nothing of its reader, and who has it already is told so.
    for (answer, kept) in [(&page, "no-store"), (&fragment, "public, max-age=300")] {
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("cache-control"), Some(kept));
        assert!(answer.headers("set-cookie").is_empty());
    }
    let tag = fragment.header("etag").unwrap().to_owned();
    let known = read(&hotline, code, "?format=html&lang=en", &[("if-none-match", &tag)]).await;
    assert_eq!((known.status, known.body.len()), (304, 0));
    let changed = owner.get(&address).await;
    owner.submit(&changed, &["version", "effective"], &[("effective", "2026-11-23")]).await;
    let new = read(&hotline, code, "?format=html&lang=en", &[("if-none-match", &tag)]).await;
    assert_eq!(new.status, 200);
    // Of two who edit, the second is told and loses nothing.
    let late = owner.submit(&changed, &["version", "effective"], &[("policy", "https://shop.example/mine")]).await;
    assert!(late.status() == 409 && late.text().contains("https://shop.example/mine"), "{}", late.text());
}

#[tokio::test]
async fn a_notice_is_its_own_businesss_alone() {
    let hotline = Hotline::open();
    let (theirs, ours) = ("6302", "6303");
    let (mut them, _, _) = Person::owner_of(&hotline, "test-notice-theirs", &[Code::new(theirs, "Their Shop")]).await;
    let (mut we, _, tenant) = Person::owner_of(&hotline, "test-notice-ours", &[Code::new(ours, "Our Shop")]).await;
    let page = them.get(&format!("/dashboard/notice/{theirs}")).await;
    let saved = them.submit(&page, &["version", "effective"], &[("policy", "https://their.example/privacy")]).await;
    assert!(saved.target.ends_with("?saved"), "{}", saved.text());
    // Another's code is no code, to read and to write.
    assert_eq!(we.get(&format!("/dashboard/notice/{theirs}")).await.status(), 404);
    let mut form = we.get(&format!("/dashboard/notice/{ours}")).await.form(&["version", "effective"]);
    form.action = format!("/dashboard/notice/{theirs}");
    assert_eq!(we.send_form(&form, &[("policy", "https://evil.example")]).await.status(), 404);
    let key = [("pk", tenant.as_str()), ("sk", &format!("notice#{theirs}"))];
    assert_eq!(hotline.cloud.item(hotline.table("accounts"), &key).await, None);
    let told = json_of(&read(&hotline, theirs, "?format=json", &[]).await);
    assert_eq!(
        (&told["business"], &told["privacy_policy"]),
        (&json!("Their Shop"), &json!("https://their.example/privacy"))
    );
    let told = json_of(&read(&hotline, ours, "?format=json", &[]).await);
    assert_eq!((&told["business"], &told["privacy_policy"]), (&json!("Our Shop"), &Value::Null));
    // What is no code is nobody's, in one page for all.
    for nobody in ["99999997", "x", "0", "%2e%2e", "6302%20"] {
        let answer = read(&hotline, nobody, "", &[]).await;
        assert_eq!(answer.status, 404, "{nobody}");
    }
}
