//! What the team and whoever asked are told by mail, and when: a moved clock shows the whole life of a request.

use std::time::Duration;

use domain::language::Language;
use domain::reference::Reference;
use domain::request::Kind;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use phone::{Do, Script};
use serde_json::{Value, json};
use tests::hotline::Code;
use tests::unseal::sha256;
use tests::{Hotline, Person, answers, eventually, planted};

/// The zone of every tenant here.
fn zone() -> TimeZone {
    TimeZone::get("America/Los_Angeles").unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a clock is moved from where it stands")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Has a job do all that is due until a time, as if it were then: each worker enters when it wants to be called next.
async fn run_until(hotline: &Hotline, job: &str, slug: &str, until: Timestamp) {
    let order = json!({ "job": job, "at": until.to_string(), "tenant": slug });
    eventually(&format!("the end of {job}"), async || {
        let done = hotline.cloud.invoke(&hotline.at.functions["jobs-plan"], &order).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        (done["planned"] == 0).then_some(())
    })
    .await;
}

/// A request that somebody of the team types in, as it came on a day.
async fn entered(owner: &mut Person<'_>, typed: &[(&str, &str)]) -> String {
    let page = owner.get("/dashboard/new-request").await;
    let form = page.form(&["id", "received"]);
    let entered = owner.send_form(&form, typed).await;
    assert!(entered.path().starts_with("/dashboard/request/"), "{}", entered.text());
    entered.path().rsplit('/').next().unwrap().to_owned()
}

async fn stored(hotline: &Hotline, tenant: &str, reference: &str) -> Value {
    let pk = format!("{tenant}#{}", &reference[..2]);
    hotline.cloud.item(hotline.table("requests"), &[("pk", &pk), ("sk", reference)]).await.unwrap()
}

fn spaced(reference: &str) -> String {
    Reference::parse(reference).unwrap().to_string()
}

/// Mails to somebody whose subject begins like this.
async fn told(hotline: &Hotline, to: &str, begins: &str) -> Vec<(String, String)> {
    let mut mails = hotline.mails(to).await;
    mails.retain(|(subject, _)| subject.starts_with(begins));
    mails
}

/// Exactly so many of them, once there are.
async fn exactly(hotline: &Hotline, to: &str, begins: &str, count: usize) -> Vec<(String, String)> {
    eventually(&format!("mail {count}, {begins}…, to {to}"), async || {
        (told(hotline, to, begins).await.len() >= count).then_some(())
    })
    .await;
    let mails = told(hotline, to, begins).await;
    assert_eq!(mails.len(), count, "{mails:#?}");
    mails
}

async fn agenda_item(hotline: &Hotline, pk: &str, sk: &str) -> Option<Value> {
    hotline.cloud.item(hotline.table("agenda"), &[("pk", pk), ("sk", sk)]).await
}

/// Enters work as any function of ours might, once more or for nothing; returns what the planner would send.
async fn arrange(hotline: &Hotline, job: &str, tenant: &str, at: Timestamp) -> String {
    let at = Timestamp::from_second(at.as_second()).unwrap();
    let shard = tenant.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % 4;
    let input = json!({
        "TableName": hotline.table("agenda"),
        "Key": { "pk": { "S": format!("{job}#{shard}") }, "sk": { "S": format!("{at}#{tenant}#") } },
        "UpdateExpression": "ADD marks :one",
        "ExpressionAttributeValues": { ":one": { "N": "1" } },
    });
    hotline.cloud.call("dynamodb:UpdateItem", input).await;
    json!({ "job": job, "tenant": tenant, "at": at.to_string(), "what": "" }).to_string()
}

#[tokio::test]
async fn a_moved_clock_shows_the_reminders_of_a_requests_whole_life() {
    let hotline = Hotline::open();
    let (mut owner, keys, tenant) =
        Person::owner_of(&hotline, "reminders-life", &[Code::new("7101", "Punctual")]).await;
    let (_, other, _) = Person::owner_of(&hotline, "reminders-other", &[Code::new("7102", "Elsewhere")]).await;
    let received = now().to_zoned(zone()).date().checked_sub(8.days()).unwrap().to_string();
    let name = planted::words("is my name");
    let typed =
        [("kind", "opt-out"), ("channel", "mail"), ("code", "7101"), ("name", name.as_str()), ("received", &received)];
    let reference = entered(&mut owner, &typed).await;
    let by: Date = stored(&hotline, &tenant, &reference).await["respond_by"].as_str().unwrap().parse().unwrap();
    let morning = |left: i64| {
        let at = by.checked_sub(left.days()).unwrap().to_datetime(Time::constant(8, 30, 0, 0));
        at.to_zoned(zone()).unwrap().timestamp()
    };
    let user = eventually("the owner", async || {
        let filter = json!({
            "FilterExpression": "pk = :pk AND begins_with(sk, :user)",
            "ExpressionAttributeValues": { ":pk": { "S": tenant.clone() }, ":user": { "S": "user#" } },
        });
        let users = hotline.cloud.scan(hotline.table("accounts"), filter).await;
        Some(users.first()?["sk"]["S"].as_str()?.trim_start_matches("user#").to_owned())
    })
    .await;
    let sending = |left: i64| {
        let day = by.checked_sub(left.days()).unwrap();
        format!("mail#mail#{}", sha256(format!("{tenant} reminders {day} {user}").as_bytes()))
    };
    // The mail of the fifth day before is one that somebody began to send, and died.
    let died = json!({
        "TableName": hotline.table("sessions"),
        "Item": { "pk": { "S": sending(5) }, "tries": { "N": "1" }, "begun": { "N": "0" } },
    });
    hotline.cloud.call("dynamodb:PutItem", died).await;

    let mut mails = 0;
    for (left, says) in [
        (10, "10 days left"),
        (5, "5 days left"),
        (2, "2 days left"),
        (0, "due today"),
        (-1, "1 day overdue"),
        (-2, "2 days overdue"),
    ] {
        // Nothing on the days between.
        run_until(&hotline, "send-reminders", "reminders-life", morning(left + 1)).await;
        assert_eq!(told(&hotline, &keys.email, "Deadlines").await.len(), mails, "before {says}");
        // Twice planned, and the same summons twice in the queue besides.
        run_until(&hotline, "send-reminders", "reminders-life", morning(left)).await;
        let summons = arrange(&hotline, "send-reminders", &tenant, morning(left)).await;
        hotline.cloud.send_message(hotline.queue("send-reminders"), &summons).await;
        hotline.cloud.send_message(hotline.queue("send-reminders"), &summons).await;
        run_until(&hotline, "send-reminders", "reminders-life", morning(left)).await;
        mails += 1;
        let found = exactly(&hotline, &keys.email, "Deadlines", mails).await;
        let (subject, text) =
            found.iter().find(|(_, text)| text.contains(says)).unwrap_or_else(|| panic!("{found:#?}"));
        assert!(text.contains(&spaced(&reference)) && text.contains("Opt out of sale"), "{text}");
        assert!(text.contains(&format!("/dashboard/request/{reference}")), "{text}");
        assert!(!text.contains("quetzal") && !subject.contains(&spaced(&reference)), "{subject}: {text}");
        let record = hotline.cloud.item(hotline.table("sessions"), &[("pk", &sending(left))]).await.unwrap();
        let tries = if left == 5 { 2 } else { 1 };
        assert_eq!((record["tries"].as_i64(), record["sent"].as_i64()), (Some(tries), Some(1)), "{record:#}");
        let because = (left == 5).then_some("no-end");
        assert_eq!(record["again_because"].as_str(), because, "{record:#}");
    }

    let page = owner.get(&format!("/dashboard/request/{reference}")).await;
    let form = page.forms().into_iter().find(|form| form.value("action") == Some("withdraw")).unwrap();
    let closed = owner.send_form(&form, &[("how", "They called.")]).await;
    assert!(closed.text().contains("Withdrawn"), "{}", closed.text());
    run_until(&hotline, "send-reminders", "reminders-life", morning(-5)).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(told(&hotline, &keys.email, "Deadlines").await.len(), mails, "closed");
    assert!(told(&hotline, &other.email, "Deadlines").await.is_empty(), "another tenant's");

    // The operator finds them among today's runs, though their time is to come.
    let runs = listed_runs(&hotline, "send-reminders", &tenant).await;
    let of_day = |day: Date| {
        let planned = |run: &&Value| run["at"].as_str().unwrap().parse::<Timestamp>().unwrap();
        runs.iter().filter(move |run| planned(run).to_zoned(zone()).date() == day).collect::<Vec<_>>()
    };
    for left in [10, 5, 2, 0, -1, -2] {
        let found = of_day(by.checked_sub(left.days()).unwrap());
        assert!(found.iter().any(|run| run["outcome"] == "again" && run["ended-at"].is_string()), "{left}: {runs:#?}");
    }
    let mailed = runs.iter().filter_map(|run| run["counted"]["mails"].as_u64()).sum::<u64>();
    // Of two workers that heard the same summons the last one's counts stand, so not each mail need be there.
    assert!((1..=6).contains(&mailed), "{runs:#?}");
}

/// A tenant's runs of a job, as `make jobs` is told of them.
async fn listed_runs(hotline: &Hotline, job: &str, tenant: &str) -> Vec<Value> {
    let order = json!({ "job": job, "last": 200 });
    let told = hotline.cloud.invoke(&hotline.at.functions["jobs-runs"], &order).await.unwrap();
    let runs = told[job]["runs"].as_array().unwrap().iter();
    runs.filter(|run| run["tenant"].as_str() == Some(tenant)).cloned().collect()
}

#[tokio::test]
async fn news_are_told_at_once_every_hour_or_every_morning_and_each_once() {
    let hotline = Hotline::open();
    let (mut owner, keys, tenant) = Person::owner_of(&hotline, "reminders-news", &[Code::new("7103", "Curious")]).await;
    let mut told_so_far = 0;
    let mut seen = vec![];
    let soon = || now() + jiff::SignedDuration::from_mins(2);
    for (wish, not_before) in [
        ("at-once", None),
        ("hourly", Some(jiff::SignedDuration::from_hours(1))),
        ("daily", Some(jiff::SignedDuration::from_hours(25))),
    ] {
        let page = owner.get("/dashboard/account").await;
        let kept = owner.submit(&page, &["name", "alerts"], &[("alerts", wish)]).await;
        assert_eq!(kept.status(), 200, "{}", kept.text());
        for kind in ["delete", "opt-out"] {
            let typed = [("kind", kind), ("channel", "mail"), ("code", "7103"), ("name", "Quetzal Marker")];
            seen.push(entered(&mut owner, &typed).await);
        }
        // The stream has brought both.
        eventually("the news", async || {
            let reference = seen.last().unwrap();
            agenda_item(&hotline, &format!("news#{tenant}"), &format!("came#{reference}")).await
        })
        .await;
        run_until(&hotline, "send-alerts", "reminders-news", soon()).await;
        if let Some(later) = not_before {
            if wish == "daily" {
                assert_eq!(told(&hotline, &keys.email, "2 new").await.len(), told_so_far, "{wish}: not yet");
            }
            run_until(&hotline, "send-alerts", "reminders-news", now() + later).await;
        }
        told_so_far += 1;
        let mails = exactly(&hotline, &keys.email, "2 new privacy requests", told_so_far).await;
        for reference in &seen[seen.len() - 2..] {
            let naming = mails.iter().filter(|(_, text)| text.contains(&spaced(reference))).count();
            assert_eq!(naming, 1, "{wish}: {reference} is told of once: {mails:#?}");
        }
        // However often it is planned.
        arrange(&hotline, "send-alerts", &tenant, now()).await;
        run_until(&hotline, "send-alerts", "reminders-news", now() + jiff::SignedDuration::from_hours(25)).await;
        exactly(&hotline, &keys.email, "2 new privacy requests", told_so_far).await;
    }

    // A caller who hangs up before the end has asked, but is on the line for a while.
    let mut script = vec![answers::language(Language::English), Do::press("7103#")];
    script.extend(answers::kind(Kind::Delete));
    script.extend([Do::press("1"), Do::HangUp]);
    let call = hotline.call(&planted::caller(planted::REMINDERS, 0), &mut Script::new(script)).await;
    let request = hotline.request(&tenant, &call.call_sid).await;
    assert_eq!(request["state"], "incomplete", "{call}");
    let reference = request["sk"].as_str().unwrap();
    let half_an_hour = now() + jiff::SignedDuration::from_mins(40);
    eventually("the unfinished call among the news", async || {
        run_until(&hotline, "send-alerts", "reminders-news", half_an_hour).await;
        agenda_item(&hotline, &format!("news#{tenant}"), &format!("came#{reference}")).await
    })
    .await;
    run_until(&hotline, "send-alerts", "reminders-news", now() + jiff::SignedDuration::from_hours(25)).await;
    let mails = exactly(&hotline, &keys.email, "A new privacy request", 1).await;
    assert!(mails[0].1.contains(&spaced(reference)) && mails[0].1.contains("hung up before the end"), "{mails:#?}");
}

#[tokio::test]
async fn whoever_wrote_a_letter_is_told_once_that_it_came_in_and_the_request_says_so() {
    let hotline = Hotline::open();
    let (mut owner, _, tenant) = Person::owner_of(&hotline, "reminders-receipt", &[Code::new("7104", "Polite")]).await;
    let email = format!("quetzal-{}@example.com", fastrand::u32(..));
    let typed = [("kind", "delete"), ("channel", "mail"), ("code", "7104"), ("email", &email), ("language", "es")];
    let reference = entered(&mut owner, &typed).await;
    let telephone = planted::caller(planted::REMINDERS, 1);
    let silent =
        entered(&mut owner, &[("kind", "delete"), ("channel", "mail"), ("code", "7104"), ("phone", &telephone)]).await;
    let before = stored(&hotline, &tenant, &reference).await;
    assert!(before["open_sk"].as_str().unwrap().starts_with(before["confirm_by"].as_str().unwrap()), "{before:#}");
    let later = now() + jiff::SignedDuration::from_mins(20);
    eventually("the confirmation", async || {
        run_until(&hotline, "send-alerts", "reminders-receipt", later).await;
        stored(&hotline, &tenant, &reference).await.get("confirmed_at").cloned()
    })
    .await;
    let after = stored(&hotline, &tenant, &reference).await;
    assert!(after["open_sk"].as_str().unwrap().starts_with(after["respond_by"].as_str().unwrap()), "{after:#}");
    assert_eq!(after["events"].as_array().unwrap().len(), 2, "received, confirmed: {after:#}");
    let mails = exactly(&hotline, &email, "Recibimos su solicitud", 1).await;
    let text = &mails[0].1;
    assert!(text.contains(&spaced(&reference)) && text.contains("/status?code=7104&lang=es"), "{text}");
    let page = owner.get(&format!("/dashboard/request/{reference}")).await;
    assert!(page.text().contains("by e-mail, sent automatically"), "{}", page.text());
    let trail = owner.get(&format!("/dashboard/audit?act=request-changed&on={reference}")).await;
    assert!(trail.text().contains("jobs-send-mail"), "{}", trail.text());

    // Once more for nothing; and nothing for whoever gave no address: of that the team is reminded.
    let shard = tenant.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % 4;
    for which in [&reference, &silent] {
        let input = json!({
            "TableName": hotline.table("agenda"),
            "Key": {
                "pk": { "S": format!("send-alerts#{shard}") },
                "sk": { "S": format!("2026-11-22T08:00:00Z#{tenant}#confirm#{which}") },
            },
            "UpdateExpression": "ADD marks :one",
            "ExpressionAttributeValues": { ":one": { "N": "1" } },
        });
        hotline.cloud.call("dynamodb:UpdateItem", input).await;
    }
    run_until(&hotline, "send-alerts", "reminders-receipt", later).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    exactly(&hotline, &email, "Recibimos su solicitud", 1).await;
    assert!(stored(&hotline, &tenant, &silent).await.get("confirmed_at").is_none());
}
