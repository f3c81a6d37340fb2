//! Messages to whoever asked, from the desk: sent once, sealed, audited, told of by a mail that does not say what they say;
//! and what a team sees of an answer. What the person sees and writes is tried with their own pages.

use domain::language::Language;
use domain::reference::Reference;
use domain::request::Kind;
use phone::Script;
use serde_json::{Value, json};
use tests::hotline::Code;
use tests::person::{Form, Seen};
use tests::{Hotline, Person, answers, eventually, planted};

fn page_of(reference: &str) -> String {
    format!("/dashboard/request/{reference}")
}

async fn desk<'a>(hotline: &'a Hotline, slug: &str, code: &str) -> (Person<'a>, String) {
    let (owner, _, tenant) = Person::owner_of(hotline, slug, &[Code::new(code, "Letter Shop")]).await;
    (owner, tenant)
}

/// A request by telephone: there is a number to answer, and no e-mail address.
async fn call(hotline: &Hotline, n: u8, code: &str) -> String {
    let mut caller = Script::new(answers::request(Language::English, Some(code), Kind::Delete));
    let call = hotline.call(&planted::caller(planted::MESSAGES, n), &mut caller).await;
    call.reference_number().unwrap()
}

/// A request by letter, of somebody with an e-mail address.
async fn letter(owner: &mut Person<'_>, code: &str, email: &str) -> String {
    let page = owner.get("/dashboard/new-request").await;
    let form = page.form(&["id", "received"]);
    let typed = [("kind", "delete"), ("channel", "mail"), ("code", code), ("email", email), ("language", "es")];
    let entered = owner.send_form(&form, &typed).await;
    assert!(entered.path().starts_with("/dashboard/request/"), "{}", entered.text());
    entered.path().rsplit('/').next().unwrap().to_owned()
}

fn form(page: &Seen) -> Form {
    page.forms()
        .into_iter()
        .find(|form| form.action.contains("/dashboard/message/"))
        .unwrap_or_else(|| panic!("{} ({}) has no form for a message: {}", page.target, page.status(), page.text()))
}

async fn beside(hotline: &Hotline, reference: &str, kind: &str) -> Vec<Value> {
    let filter = json!({
        "FilterExpression": "begins_with(sk, :kind)",
        "ExpressionAttributeValues": { ":kind": { "S": format!("{reference}#{kind}#") } },
    });
    let items = hotline.cloud.scan(hotline.table("requests"), filter).await;
    items.iter().map(tests::cloud::plain).collect()
}

/// Changes an item of a request's as only another of our functions could.
async fn plant(hotline: &Hotline, tenant: &str, reference: &str, sk: &str, update: &str, values: Value) {
    let input = json!({
        "TableName": hotline.table("requests"),
        "Key": { "pk": { "S": format!("{tenant}#{}", &reference[..2]) }, "sk": { "S": sk } },
        "UpdateExpression": update,
        "ExpressionAttributeNames": if update.contains("#at") { json!({ "#at": "at" }) } else { json!({ "#unread": "unread" }) },
        "ExpressionAttributeValues": values,
    });
    hotline.cloud.call("dynamodb:UpdateItem", input).await;
}

async fn unread(hotline: &Hotline, tenant: &str, reference: &str) -> Option<Value> {
    let pk = format!("{tenant}#{}", &reference[..2]);
    let item = hotline.cloud.item(hotline.table("requests"), &[("pk", &pk), ("sk", reference)]).await.unwrap();
    item.get("unread").cloned()
}

#[tokio::test]
async fn a_message_with_a_file_is_sent_once_sealed_and_audited() {
    let hotline = Hotline::open();
    let (mut owner, tenant) = desk(&hotline, "messages-once", "6701").await;
    let reference = call(&hotline, 0, "6701").await;
    let page = owner.get(&page_of(&reference)).await;
    assert!(page.text().contains("No e-mail address is on file"), "{}", page.text());
    let form = form(&page);
    let (csrf, id) = (form.value("csrf").unwrap().to_owned(), form.value("id").unwrap().to_owned());
    let words = planted::words("Your copy is <b>ready</b>.");
    let fields = [("csrf", csrf.as_str()), ("id", id.as_str()), ("text", words.as_str())];
    let file = ("file", "quetzalmarker copy.txt", b"All that we hold.".as_slice());
    for _ in 0..2 {
        let sent = owner.post_multipart(&form.action, &fields, file).await;
        assert_eq!((sent.status(), sent.path()), (200, page_of(&reference).as_str()), "{}", sent.text());
        assert_eq!(sent.text().matches("Your copy is &lt;b&gt;ready&lt;/b&gt;.").count(), 1, "{}", sent.text());
        assert!(sent.text().contains("The person can download it") && !sent.text().contains("<b>ready"));
    }
    let (messages, files) = (beside(&hotline, &reference, "msg").await, beside(&hotline, &reference, "file").await);
    let ([message], [kept]) = (messages.as_slice(), files.as_slice()) else { panic!("{messages:#?} {files:#?}") };
    assert_eq!(kept["shared"], true, "{kept:#}");
    assert!(!message.to_string().contains("quetzal") && !kept.to_string().contains("quetzal"));
    assert!(message["who"].as_str().unwrap().starts_with("u-"), "{message:#}");

    // The same form with other words is told, and nothing that was typed is lost.
    let other = owner.post_multipart(&form.action, &[fields[0], fields[1], ("text", "Something else.")], file).await;
    assert!(other.status() == 409 && other.text().contains("Something else."), "{}", other.text());
    assert_eq!(beside(&hotline, &reference, "msg").await.len(), 1);

    let trail = owner.get(&format!("/dashboard/audit?act=message-sent&on={reference}")).await;
    assert!(trail.text().contains("Sent a message"), "{}", trail.text());
    let item = hotline
        .cloud
        .item(hotline.table("requests"), &[("pk", &format!("{tenant}#{}", &reference[..2])), ("sk", &reference)])
        .await
        .unwrap();
    assert_eq!(item["team_messages"], 1, "{item:#}");
}

#[tokio::test]
async fn what_cannot_be_sent_is_said_beside_its_field() {
    let hotline = Hotline::open();
    let (mut owner, _) = desk(&hotline, "messages-wrong", "6702").await;
    let reference = call(&hotline, 1, "6702").await;
    let form = form(&owner.get(&page_of(&reference)).await);
    let (csrf, id) = (form.value("csrf").unwrap().to_owned(), form.value("id").unwrap().to_owned());
    let empty = owner.send_form(&form, &[("text", "  ")]).await;
    assert!(empty.status() == 422 && empty.text().contains("f-message-text-error"), "{}", empty.text());
    let long = "x".repeat(5001);
    let long = owner.send_form(&form, &[("text", &long)]).await;
    assert!(long.status() == 422 && long.text().contains(&"x".repeat(5001)), "what was typed stays");
    let fields = [("csrf", csrf.as_str()), ("id", id.as_str()), ("text", "Here it is.")];
    let wrong = owner.post_multipart(&form.action, &fields, ("file", "copy.pdf", b"MZ\x90\x00\x03")).await;
    assert!(wrong.status() == 422 && wrong.text().contains("Here it is."), "{}", wrong.text());
    assert!(wrong.text().contains("f-message-file-error") && !wrong.text().contains("f-message-text-error"));
    assert!(beside(&hotline, &reference, "msg").await.is_empty());
    let nobodys = owner.post("/dashboard/message/000000000000", &[("csrf", &csrf), ("id", &id), ("text", "x")]).await;
    assert_eq!(nobodys.status(), 404);
}

#[tokio::test]
async fn whoever_gave_an_address_is_told_by_mail_that_a_message_waits_and_not_what_it_says() {
    let hotline = Hotline::open();
    let (mut owner, _) = desk(&hotline, "messages-mail", "6703").await;
    let email = format!("ana-{}@example.com", fastrand::u32(..));
    let reference = letter(&mut owner, "6703", &email).await;
    let page = owner.get(&page_of(&reference)).await;
    assert!(page.text().contains("An e-mail tells them"), "{}", page.text());
    let sent = owner.send_form(&form(&page), &[("text", &planted::words("Nobody else may read this."))]).await;
    assert_eq!(sent.path(), page_of(&reference), "{}", sent.text());
    let (subject, text) = eventually("the mail", async || hotline.mails(&email).await.pop()).await;
    let spaced = Reference::parse(&reference).unwrap().to_string();
    assert!(!subject.contains(&spaced) && !subject.contains("Letter Shop"), "{subject}");
    assert!(text.contains(&spaced) && text.contains("Letter Shop"), "{text}");
    assert!(text.contains("/status?code=6703") && !text.contains(&reference), "no number in an address: {text}");
    assert!(!text.contains("Nobody else") && !text.contains("quetzal"), "{text}");
}

#[tokio::test]
async fn an_answer_is_new_until_somebody_who_works_on_requests_has_seen_it() {
    let hotline = Hotline::open();
    let (mut owner, tenant) = desk(&hotline, "messages-new", "6704").await;
    let reference = call(&hotline, 2, "6704").await;
    assert!(!owner.get(&page_of(&reference)).await.text().contains("new message"));
    let message = format!("{reference}#msg#from-the-consumer");
    let values = json!({ ":at": { "S": "2026-11-22T01:00:00Z" }, ":who": { "S": "consumer" } });
    plant(&hotline, &tenant, &reference, &message, "SET #at = :at, who = :who", values).await;
    plant(&hotline, &tenant, &reference, &reference, "SET #unread = :n", json!({ ":n": { "N": "2" } })).await;

    owner.become_a("viewer").await;
    for _ in 0..2 {
        let seen = owner.get(&page_of(&reference)).await;
        assert!(seen.text().contains("2 new messages from the person"), "{}", seen.text());
    }
    assert_eq!(unread(&hotline, &tenant, &reference).await, Some(2.into()));
    owner.become_a("agent").await;
    let seen = owner.get(&page_of(&reference)).await;
    assert!(seen.text().contains("2 new messages from the person"), "{}", seen.text());
    assert!(seen.text().contains("This message cannot be read any more."), "one that does not open hides nothing");
    assert_eq!(unread(&hotline, &tenant, &reference).await, None);
    assert!(!owner.get(&page_of(&reference)).await.text().contains("new message"));
}

#[tokio::test]
async fn readers_and_other_businesses_send_nothing() {
    let hotline = Hotline::open();
    let (mut a, _) = desk(&hotline, "messages-a", "6705").await;
    let (mut b, _) = desk(&hotline, "messages-b", "6706").await;
    let reference = call(&hotline, 3, "6706").await;
    let theirs = form(&b.get(&page_of(&reference)).await);
    let csrf = a.csrf().await;
    let fields = [("csrf", csrf.as_str()), ("id", theirs.value("id").unwrap()), ("text", "x")];
    assert_eq!(a.post(&theirs.action, &fields).await.status(), 404);
    let file = ("file", "a.txt", b"x".as_slice());
    assert_eq!(a.post_multipart(&theirs.action, &fields, file).await.status(), 404);
    b.become_a("viewer").await;
    let seen = b.get(&page_of(&reference)).await;
    assert!(seen.status() == 200 && !seen.text().contains("/dashboard/message/"), "{}", seen.text());
    assert_eq!(b.send_form(&theirs, &[("text", "x")]).await.status(), 403);
    assert!(beside(&hotline, &reference, "msg").await.is_empty());
}
