//! Reports by mail: at the hour that somebody chose, once, about nobody; ended by one click; and addresses that take no mail.

use std::time::Duration;

use domain::language::Language;
use domain::request::Kind;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use phone::Script;
use serde_json::{Value, json};
use tests::hotline::Code;
use tests::person::Seen;
use tests::{Hotline, Person, answers, eventually, planted};

#[expect(clippy::disallowed_methods, reason = "a clock is moved from where it stands")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Tomorrow, at eight in the morning where the tenants are.
fn eight_tomorrow() -> Timestamp {
    let zone = TimeZone::get("America/Los_Angeles").unwrap();
    let tomorrow = now().to_zoned(zone.clone()).date() + 1.day();
    tomorrow.at(8, 0, 0, 0).to_zoned(zone).unwrap().timestamp()
}

/// Has the reports sent that are due until a time, as if it were then.
async fn run_until(hotline: &Hotline, slug: &str, until: Timestamp) {
    let order = json!({ "job": "send-reports", "at": until.to_string(), "tenant": slug });
    eventually("the end of send-reports", async || {
        let done = hotline.cloud.invoke(&hotline.at.functions["jobs-plan"], &order).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        (done["planned"] == 0).then_some(())
    })
    .await;
}

/// Chooses a report every day at eight.
async fn wants_daily(person: &mut Person<'_>) -> Seen {
    let page = person.get("/dashboard/account").await;
    let saved = person.submit(&page, &["do", "reports"], &[("reports", "daily"), ("hour", "8")]).await;
    assert!(saved.target.ends_with("done=profile"), "{} {}", saved.target, saved.text());
    saved
}

/// The reports in the local mailbox that are about the day before a moment: subject and text.
async fn reports(hotline: &Hotline, to: &str, due: Timestamp) -> Vec<(String, String)> {
    let zone = TimeZone::get("America/Los_Angeles").unwrap();
    let day = due.to_zoned(zone).date() - 1.day();
    let about = format!("Optline report: {}", day.strftime("%B %-d, %Y"));
    let mut mails = hotline.mails(to).await;
    mails.retain(|(subject, _)| *subject == about);
    mails
}

/// The address that ends them.
fn end_of(text: &str) -> String {
    let at = text.find("/dashboard/unsubscribe/").expect("where it ends");
    text[at..].split_whitespace().next().unwrap().to_owned()
}

async fn user_item(hotline: &Hotline, tenant: &str) -> Value {
    let filter = json!({
        "FilterExpression": "pk = :pk AND begins_with(sk, :user)",
        "ExpressionAttributeValues": { ":pk": { "S": tenant }, ":user": { "S": "user#" } },
    });
    let users = hotline.cloud.scan(hotline.table("accounts"), filter).await;
    tests::cloud::plain(users.first().expect("an owner"))
}

/// What SES says of a mail to an address, as its topic sends it on.
async fn feedback(hotline: &Hotline, to: &str, kind: &str, id: &str, at: Timestamp) {
    let message = json!({
        "eventType": "Bounce",
        "bounce": {
            "bounceType": kind, "bounceSubType": "General", "timestamp": at.to_string(), "feedbackId": id,
            "bouncedRecipients": [{ "emailAddress": to, "action": "failed", "status": "5.1.1" }],
        },
        "mail": { "timestamp": at.to_string(), "messageId": id, "destination": [to] },
    });
    hotline.cloud.send_message(hotline.queue("mail-feedback"), &message.to_string()).await;
}

#[tokio::test]
async fn a_report_comes_once_at_the_hour_that_was_chosen_says_nothing_of_anybody_and_ends_by_one_click() {
    let hotline = Hotline::open();
    let (mut owner, keys, tenant) = Person::owner_of(
        &hotline,
        "reports-once",
        &[Code::new("7001", "Report Shop"), Code::new("7002", "Other Shop")],
    )
    .await;
    let (mut stranger, other, _) = Person::owner_of(&hotline, "reports-other", &[Code::new("7003", "Elsewhere")]).await;
    wants_daily(&mut owner).await;
    wants_daily(&mut stranger).await;
    let mut calls = vec![];
    for n in 0..6 {
        let caller = planted::caller(planted::REPORTS, n);
        let mut script = Script::new(answers::request(Language::English, Some("7001"), Kind::Delete));
        calls.push(hotline.call(&caller, &mut script).await.reference_number().unwrap());
    }
    // The counts follow the stream.
    eventually("six requests to be counted", async || {
        let filter = json!({
            "FilterExpression": "pk = :pk AND begins_with(sk, :day)",
            "ExpressionAttributeValues": { ":pk": { "S": tenant.as_str() }, ":day": { "S": "received#" } },
        });
        let days = hotline.cloud.scan(hotline.table("tallies"), filter).await;
        days.iter().any(|day| day["code-kind.7001.delete"]["N"] == "6").then_some(())
    })
    .await;
    let eight = eight_tomorrow();
    run_until(&hotline, "reports-once", eight - 1.hour()).await;
    assert_eq!(reports(&hotline, &keys.email, eight).await, []);
    run_until(&hotline, "reports-once", eight).await;
    let sent = eventually("a report", async || reports(&hotline, &keys.email, eight).await.into_iter().next()).await;
    assert!(sent.1.contains("Requests received: 6") && sent.1.contains("Open now: 6"), "{}", sent.1);
    let html = hotline.mails_html(&keys.email).await.join("\n");
    for personal in planted::MARKERS.iter().copied().chain(calls.iter().map(String::as_str)).chain(["555"]) {
        assert!(!sent.0.contains(personal) && !sent.1.contains(personal), "{personal} in {}", sent.1);
    }
    for marker in planted::MARKERS {
        assert!(!html.contains(marker));
    }
    // The same entry again, as a second delivery: nothing more comes.
    let shard = tenant.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % 4;
    let again = json!({
        "TableName": hotline.table("agenda"),
        "Key": { "pk": { "S": format!("send-reports#{shard}") }, "sk": { "S": format!("{eight}#{tenant}#") } },
        "UpdateExpression": "ADD marks :one",
        "ExpressionAttributeValues": { ":one": { "N": "1" } },
    });
    hotline.cloud.call("dynamodb:UpdateItem", again).await;
    run_until(&hotline, "reports-once", eight).await;
    assert_eq!(reports(&hotline, &keys.email, eight).await.len(), 1);

    // Looking ends nothing; a mail program's POST, with no cookie and no code, does, and twice is once.
    let end = end_of(&sent.1);
    let mut nobody = Person::new(&hotline);
    let asked = nobody.get(&end).await;
    assert!(asked.status() == 200 && asked.text().contains("Stop these mails?"), "{}", asked.text());
    let chosen = owner.get("/dashboard/account").await;
    assert_eq!(chosen.form(&["do", "reports"]).value("reports"), Some("daily"));
    let content = [("content-type", "application/x-www-form-urlencoded")];
    for _ in 0..2 {
        let ended = nobody.once("POST", &end, &content, b"List-Unsubscribe=One-Click").await;
        assert!(ended.status() == 200 && ended.text().contains("They come no more."), "{}", ended.text());
    }
    let chosen = owner.get("/dashboard/account").await;
    assert_eq!(chosen.form(&["do", "reports"]).value("reports"), Some("never"));
    let torn = nobody.once("POST", &end[..end.len() - 2], &content, b"List-Unsubscribe=One-Click").await;
    assert_eq!(torn.status(), 404, "{}", torn.text());
    run_until(&hotline, "reports-once", eight + 24.hours()).await;
    assert_eq!(reports(&hotline, &keys.email, eight + 24.hours()).await, []);
    // Of another tenant nothing has changed.
    let elsewhere = stranger.get("/dashboard/account").await;
    assert_eq!(elsewhere.form(&["do", "reports"]).value("reports"), Some("daily"));
    run_until(&hotline, "reports-other", eight).await;
    let other =
        eventually("their report", async || reports(&hotline, &other.email, eight).await.into_iter().next()).await;
    assert!(other.1.contains("Requests received: 0"), "{}", other.1);
}

#[tokio::test]
async fn an_address_that_takes_no_mail_gets_none_and_the_dashboard_says_so_until_somebody_has_it_tried_again() {
    let hotline = Hotline::open();
    let (mut owner, keys, tenant) =
        Person::owner_of(&hotline, "reports-dead", &[Code::new("7004", "Silent Shop")]).await;
    wants_daily(&mut owner).await;
    let at = now();
    feedback(&hotline, &keys.email, "Transient", "full-1", at).await;
    feedback(&hotline, &keys.email, "Transient", "full-1", at).await;
    eventually("a bounce to be counted", async || {
        (!user_item(&hotline, &tenant).await["bounces"].is_null()).then_some(())
    })
    .await;
    assert!(user_item(&hotline, &tenant).await["dead"].is_null(), "a full mailbox is not for ever");
    feedback(&hotline, &keys.email, "Permanent", "gone-1", at).await;
    feedback(&hotline, &keys.email, "Permanent", "gone-1", at).await;
    eventually("a dead address", async || (user_item(&hotline, &tenant).await["dead"] == "bounced").then_some(()))
        .await;
    let account = owner.get("/dashboard/account").await;
    assert!(account.text().contains("No mail of ours comes to you any more"), "{}", account.text());
    let team = owner.get("/dashboard/team").await;
    assert!(team.text().contains("No mail"), "{}", team.text());
    let eight = eight_tomorrow();
    run_until(&hotline, "reports-dead", eight).await;
    assert_eq!(reports(&hotline, &keys.email, eight).await, []);

    let tried = owner.submit(&account, &["do", "csrf"], &[("do", "mail")]).await;
    assert!(tried.target.ends_with("done=mail") && !tried.text().contains("No mail of ours"), "{}", tried.text());
    assert!(user_item(&hotline, &tenant).await["dead"].is_null());
    // What SES said before that, and comes late, is old news.
    feedback(&hotline, &keys.email, "Permanent", "late-1", at).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(user_item(&hotline, &tenant).await["dead"].is_null());
    let next = eight + 24.hours();
    run_until(&hotline, "reports-dead", next).await;
    eventually("a report", async || (reports(&hotline, &keys.email, next).await.len() == 1).then_some(())).await;
}
