//! The ledger held against Twilio's list and Stripe's sums, days billed once more, and what people see and decide of it.
//!
//! Each test has a tenant of its own, and calls of yesterday. Workers are called as their queue calls them.

use domain::billing::{Answer, Batch, Counting, Event, Finding, Meter, day_end};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use platform::store::AGENDA_SHARDS;
use serde_json::{Value, json};
use standins::twilio::CallDeposit;
use tests::cloud::plain;
use tests::hotline::{Code, order};
use tests::unseal::sha256;
use tests::walk::new_sid;
use tests::{Hotline, Person, eventually};

use crate::rooms::{random, random_code};

const PLATFORM: &str = "t-platform";

#[expect(clippy::disallowed_methods, reason = "calls are of yesterday, whenever the tests run")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn yesterday() -> Date {
    now().to_zoned(TimeZone::UTC).date().yesterday().unwrap()
}

/// A tenant with calls, and the hotline under it.
struct Ledger<'a> {
    hotline: &'a Hotline,
    slug: String,
    code: String,
    tenant: String,
    day: Date,
}

impl<'a> Ledger<'a> {
    async fn open(hotline: &'a Hotline, slug: &str, customer: Option<&str>) -> Self {
        let (slug, code) = (format!("{slug}-{}", random(8)), random_code());
        let mut order = order(&slug, &[Code::new(&code, "Counting House")], &[]);
        if let Some(customer) = customer {
            order["tenant"]["stripe-customer"] = customer.into();
        }
        let done = hotline.provision(&order).await.unwrap_or_else(|why| panic!("{slug}: {why}"));
        let tenant = done["tenant"].as_str().unwrap().to_owned();
        Self { hotline, slug, code, tenant, day: yesterday() }
    }

    /// Twilio has a call of the day that reached this tenant. What it reports of it is another matter.
    async fn happened(&self, seconds: u32) -> String {
        let sid = new_sid("CA");
        let item = json!({
            "pk": { "S": format!("call#{}", sha256(sid.as_bytes())) }, "tenant": { "S": self.tenant },
            "code": { "S": self.code }, "day": { "S": self.day.to_string() },
            "expires_at": { "N": (now() + SignedDuration::from_hours(240)).as_second().to_string() },
        });
        let table = self.hotline.table("directory");
        self.hotline.cloud.call("dynamodb:PutItem", json!({ "TableName": table, "Item": item })).await;
        self.listed(&sid, seconds).await;
        sid
    }

    /// Twilio lists a call.
    async fn listed(&self, sid: &str, seconds: u32) {
        self.listed_to(sid, "+18665550100", seconds).await;
    }

    async fn listed_to(&self, sid: &str, to: &str, seconds: u32) {
        let call = CallDeposit {
            sid: sid.to_owned(),
            from: "+12025550199".into(),
            to: to.to_owned(),
            status: "completed".into(),
            start_time: day_end(self.day) - SignedDuration::from_hours(6),
            duration: seconds,
        };
        self.hotline.deposit_call(&call).await;
    }

    /// Twilio reports the end of a call.
    async fn reported(&self, sid: &str, seconds: u32) {
        let body = json!({
            "call-sid": sid, "status": "completed", "seconds": seconds, "billed-minutes": seconds.div_ceil(60),
            "sequence": 3, "ended-at": format!("{}T19:00:00Z", self.day),
        });
        invoke(self.hotline, "jobs-record-usage", &body).await;
    }

    async fn month(&self) -> Vec<Value> {
        month_of(self.hotline, &self.tenant, self.day).await
    }

    /// What the last comparison of the day found.
    async fn check(&self) -> Value {
        report(&self.month().await, &format!("check#{}", self.day))
    }

    /// What the agenda has for the tenant.
    async fn agenda(&self, job: &str) -> Vec<Value> {
        let filter = json!({
            "FilterExpression": "begins_with(pk, :job) AND contains(sk, :tenant)",
            "ExpressionAttributeValues":
                { ":job": { "S": format!("{job}#") }, ":tenant": { "S": format!("#{}#", self.tenant) } },
        });
        let items = self.hotline.cloud.scan(self.hotline.table("agenda"), filter).await;
        items.iter().map(plain).collect()
    }

    /// Has every day that waits on the agenda billed.
    async fn push(&self) {
        for entry in self.agenda("push-usage").await {
            let mut parts = entry["sk"].as_str().unwrap().split('#');
            let (at, what) = (parts.next().unwrap(), parts.nth(1).unwrap());
            let summons = json!({ "job": "push-usage", "tenant": self.tenant, "at": at, "what": what, "by": at });
            invoke(self.hotline, "jobs-push-usage", &summons).await;
        }
    }

    async fn replay(&self, dry_run: bool) -> Value {
        let order = json!({ "tenant": self.slug, "from": self.day, "to": self.day, "dry-run": dry_run });
        self.hotline.cloud.invoke(&self.hotline.at.functions["jobs-replay-usage"], &order).await.unwrap()
    }
}

/// Hands one message to a worker as SQS does.
async fn invoke(hotline: &Hotline, function: &str, body: &Value) {
    let record = json!({ "messageId": new_sid("SM"), "body": body.to_string(), "eventSource": "aws:sqs" });
    let done = hotline.cloud.invoke(&hotline.at.functions[function], &json!({ "Records": [record] })).await;
    assert_eq!(done.unwrap()["batchItemFailures"], json!([]), "{function}: {body}");
}

/// Has one part of the comparison done.
async fn compare(hotline: &Hotline, tenant: &str, what: &str) {
    let at = now() - SignedDuration::from_secs(fastrand::i64(60..3600));
    let at = at.round(jiff::Unit::Second).unwrap().to_string();
    let shard = tenant.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let item = json!({
        "pk": { "S": format!("reconcile-usage#{}", shard % AGENDA_SHARDS) },
        "sk": { "S": format!("{at}#{tenant}#{what}") }, "marks": { "N": "1" },
    });
    let table = hotline.table("agenda");
    hotline.cloud.call("dynamodb:PutItem", json!({ "TableName": table, "Item": item })).await;
    invoke(
        hotline,
        "jobs-reconcile-usage",
        &json!({ "job": "reconcile-usage", "tenant": tenant, "at": at, "what": what, "by": at }),
    )
    .await;
}

async fn month_of(hotline: &Hotline, tenant: &str, day: Date) -> Vec<Value> {
    let pk = format!("{tenant}#{}", day.strftime("%Y-%m"));
    hotline.cloud.items_with(hotline.table("usage"), "pk", &pk).await
}

fn report(month: &[Value], sk: &str) -> Value {
    let item = month.iter().find(|item| item["sk"] == sk).unwrap_or_else(|| panic!("no {sk}"));
    serde_json::from_str(item["report"].as_str().unwrap()).unwrap()
}

fn names(list: &Value, sid: &str) -> bool {
    list.as_array().unwrap().iter().any(|call| call == sid || call["call"] == sid)
}

async fn customer(hotline: &Hotline, name: &str) -> String {
    hotline.ask_stripe("v1/customers", &[("name", name)]).await["id"].as_str().unwrap().to_owned()
}

/// What counts for a customer at Stripe, by meter.
async fn counting(hotline: &Hotline, customer: &str) -> Vec<(String, String)> {
    let Value::Array(all) = hotline.ask_standin("_standin/stripe/meter_events").await else { panic!() };
    let counts = all.iter().filter(|event| event["counts"].is_object() && event["cancelled"].is_null());
    let mine = counts.filter(|event| event["payload"]["stripe_customer_id"] == customer);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut found: Vec<_> = mine.map(|event| (text(&event["event_name"]), text(&event["payload"]["value"]))).collect();
    found.sort();
    found
}

#[tokio::test]
async fn a_lost_callback_is_added_once_marked_and_billed() {
    let hotline = Hotline::open();
    let customer = customer(&hotline, "test-reconcile-lost").await;
    let ledger = Ledger::open(&hotline, "test-reconcile-lost", Some(&customer)).await;
    let (missed, known) = (ledger.happened(61).await, ledger.happened(30).await);
    let others = new_sid("CA");
    ledger.listed_to(&others, "+12025550111", 90).await;
    ledger.reported(&known, 30).await;
    for night in 0..2 {
        compare(&hotline, PLATFORM, "").await;
        let row = hotline.usage(&ledger.tenant, &missed).await;
        assert_eq!((&row["seconds"], &row["billed_minutes"], &row["source"]), (&json!(61), &json!(2), &json!("list")));
        let list = report(&month_of(&hotline, PLATFORM, ledger.day).await, &format!("list#{}", ledger.day));
        assert!(names(&list["added-calls"], &missed) && !names(&list["added-calls"], &known), "night {night}: {list}");
        assert!(!list.to_string().contains(&others), "a call to a number that is not ours is none of the ledger's");
        assert!(!list.to_string().contains("2025550199"), "nobody's number is on a report");
        assert!(!ledger.agenda("reconcile-usage").await.is_empty(), "whoever had calls is looked at");
        ledger.push().await;
        let billed = [("optline_calls", "2"), ("optline_minutes", "3")].map(|(m, n)| (m.to_owned(), n.to_owned()));
        assert_eq!(counting(&hotline, &customer).await, billed, "night {night}");
    }
    // Its callback comes after all, days late, and says the same.
    ledger.reported(&missed, 61).await;
    ledger.push().await;
    assert_eq!(counting(&hotline, &customer).await.len(), 2);
}

#[tokio::test]
async fn differences_with_twilio_and_within_the_ledger_are_listed_and_nothing_is_changed() {
    let hotline = Hotline::open();
    let ledger = Ledger::open(&hotline, "test-reconcile-differs", None).await;
    let call = ledger.happened(130).await;
    ledger.reported(&call, 59).await;
    compare(&hotline, PLATFORM, &format!("list {}", ledger.day)).await;
    let list = report(&month_of(&hotline, PLATFORM, ledger.day).await, &format!("list#{}", ledger.day));
    let differing = list["differing-calls"].as_array().unwrap().iter().find(|it| it["call"] == call.as_str()).unwrap();
    assert_eq!((&differing["seconds"], &differing["minutes"]), (&json!([59, 130]), &json!([1, 3])));
    assert_eq!(hotline.usage(&ledger.tenant, &call).await["seconds"], 59, "it is for people to decide");

    let day = ledger.day.to_string();
    compare(&hotline, &ledger.tenant, &day).await;
    let check = ledger.check().await;
    assert_eq!((&check["differences"], &check["stripe"]), (&json!([]), &json!("no-customer")), "{check}");
    let sums = ledger.month().await;
    let sums = sums.iter().find_map(|item| item["sk"].as_str().filter(|sk| sk.starts_with(&day))).unwrap();
    let spoil = json!({
        "TableName": hotline.table("usage"),
        "Key": { "pk": { "S": format!("{}#{}", ledger.tenant, ledger.day.strftime("%Y-%m")) }, "sk": { "S": sums } },
        "UpdateExpression": "ADD minutes :more", "ExpressionAttributeValues": { ":more": { "N": "7" } },
    });
    hotline.cloud.call("dynamodb:UpdateItem", spoil).await;
    compare(&hotline, &ledger.tenant, &day).await;
    let expected = json!([{ "sums": { "rows": { "calls": 1, "minutes": 1 }, "sums": { "calls": 1, "minutes": 8 } } }]);
    assert_eq!(ledger.check().await["differences"], expected);
    let order = json!({ "tenant": ledger.slug });
    let told = hotline.cloud.invoke(&hotline.at.functions["jobs-reconciliation"], &order).await.unwrap();
    assert_eq!(told["days"][&day]["differences"], expected, "{told}");
    assert!(!ledger.agenda("reconcile-usage").await.is_empty(), "a day that differs is looked at again");
}

#[tokio::test]
async fn a_dry_run_changes_nothing_and_a_replay_bills_nothing_twice() {
    let hotline = Hotline::open();
    let customer = customer(&hotline, "test-reconcile-replay").await;
    let ledger = Ledger::open(&hotline, "test-reconcile-replay", Some(&customer)).await;
    for seconds in [61, 1] {
        let call = ledger.happened(seconds).await;
        ledger.reported(&call, seconds).await;
    }
    let before = (ledger.agenda("push-usage").await, ledger.month().await);
    let looked = ledger.replay(true).await;
    assert_eq!((ledger.agenda("push-usage").await, ledger.month().await), before);
    let day = &looked["days"][0];
    assert_eq!((&day["would"], &day["arranged"], &day["standing"]), (&json!(["bill"]), &json!(false), &json!("due")));
    assert_eq!((&looked["customer"], &day["unprocessed"]), (&json!(true), &json!({ "calls": 2, "minutes": 3 })));
    let billed = [("optline_calls", "2"), ("optline_minutes", "3")].map(|(m, n)| (m.to_owned(), n.to_owned()));
    for time in 0..3 {
        let done = ledger.replay(false).await;
        assert_eq!(done["days"][0]["arranged"], true, "{done}");
        ledger.push().await;
        assert_eq!(counting(&hotline, &customer).await, billed, "time {time}");
    }
    let batches: Vec<Value> = ledger.month().await.into_iter().filter(|item| item["batch"].is_string()).collect();
    assert_eq!(batches.len(), 1);
    let wrong = json!({ "tenant": ledger.slug, "from": "2026-01-01", "to": "2026-12-31" });
    let refused = hotline.cloud.invoke(&hotline.at.functions["jobs-replay-usage"], &wrong).await.unwrap_err();
    assert_eq!(refused["errorType"], "Invalid");
    let nobodys = json!({ "tenant": "nobody-at-all", "from": "2026-11-01", "to": "2026-11-02" });
    let refused = hotline.cloud.invoke(&hotline.at.functions["jobs-replay-usage"], &nobodys).await.unwrap_err();
    assert_eq!(refused["errorType"], "NotFound");
}

/// Gives a tenant a batch whose minutes wait for a person.
pub(crate) async fn hold(hotline: &Hotline, tenant: &str, day: Date) -> Batch {
    let batch = held(tenant, day);
    let item = json!({
        "pk": { "S": format!("{tenant}#{}", day.strftime("%Y-%m")) }, "sk": { "S": format!("batch#{day}#0001") },
        "batch": { "S": serde_json::to_string(&batch).unwrap() }, "version": { "N": batch.version.to_string() },
    });
    hotline.cloud.call("dynamodb:PutItem", json!({ "TableName": hotline.table("usage"), "Item": item })).await;
    batch
}

fn held(tenant: &str, day: Date) -> Batch {
    let mut counting = Counting::default();
    for (call, minutes) in [("CA1", 2), ("CA2", 3)] {
        counting.add(call, minutes).unwrap();
    }
    let content = counting.finish().unwrap();
    let batch = Batch::open(tenant, day, 1, 1).next(Event::Counted { fence: 1, content }).unwrap();
    let sent_at = day_end(day) - SignedDuration::from_hours(9);
    let sent = Meter::ALL.into_iter().fold(batch, |batch, meter| {
        let tried = batch.next(Event::Tried { meter, at: sent_at }).unwrap();
        tried.next(Event::Answered { meter, answer: Answer::Done { request_id: "req_1".into() } }).unwrap()
    });
    let found = |batch: &Batch, meter, finding| {
        batch.next(Event::Found { meter, finding, at: sent_at + SignedDuration::from_hours(8) }).unwrap()
    };
    let batch = found(&sent, Meter::Calls, Finding::There { surely: true });
    found(&batch, Meter::Minutes, Finding::Unexplained { found: 3, expected: 5 })
}

#[tokio::test]
async fn an_owner_decides_what_is_held_once_and_nobody_elses_is_there_for_them() {
    let hotline = Hotline::open();
    let owner_of = async || {
        let slug = format!("test-reconcile-settle-{}", random(8));
        Person::owner_of(&hotline, &slug, &[Code::new(&random_code(), "Held Shop")]).await
    };
    let (mut owner, _, tenant) = owner_of().await;
    let (mut other, _, _) = owner_of().await;
    let day = yesterday();
    hold(&hotline, &tenant, day).await;
    let month = format!("/dashboard/usage?month={}", day.strftime("%Y-%m"));
    let address = format!("/dashboard/settlement/{day}.1.minutes");
    let usage = owner.get(&month).await;
    assert!(usage.text().contains("Needs a decision") && usage.text().contains(&address), "{}", usage.text());
    assert!(usage.text().contains("Not connected with Stripe yet"));
    assert!(!other.get(&month).await.text().contains("Needs a decision"));

    for nobodys in [format!("/dashboard/settlement/{day}.2.minutes"), "/dashboard/settlement/x".to_owned()] {
        let (theirs, not_there) = (other.get(&address).await, other.get(&nobodys).await);
        assert_eq!((theirs.status(), not_there.status()), (404, 404));
    }
    let form = owner.get(&address).await;
    let refused = owner.submit(&form, &["counted", "reference"], &[("counted", "6"), ("reference", "")]).await;
    assert_eq!(refused.status(), 422, "{}", refused.text());
    let typed = [("counted", "3"), ("reference", "ii_1Qx2")];
    let kept = owner.submit(&form, &["counted", "reference"], &typed).await;
    assert!(kept.target.ends_with("&done=settled") && kept.text().contains("ii_1Qx2"), "{}", kept.text());
    eventually("a line for the operator", async || {
        let said = hotline.cloud.log(&hotline.at.log_groups["dashboard"], Some("a person has decided")).await;
        said.iter().any(|(_, line)| line.contains(&tenant) && !line.contains("ii_1Qx2")).then_some(())
    })
    .await;
    // The same form again, and another's.
    assert_eq!(owner.submit(&form, &["counted", "reference"], &typed).await.status(), 409);
    let csrf = other.csrf().await;
    let fields = [("csrf", csrf.as_str()), ("counted", "3"), ("reference", "ii_1")];
    assert_eq!(other.post(&address, &fields).await.status(), 404);
    let item = month_of(&hotline, &tenant, day).await.into_iter().find(|item| item["batch"].is_string()).unwrap();
    let settled: Batch = serde_json::from_str(item["batch"].as_str().unwrap()).unwrap();
    assert!(settled.is_final(), "{settled:?}");
    let trail = owner.get("/dashboard/audit").await.text();
    assert!(trail.contains("Decided about unbilled usage"), "{trail}");

    let file = owner.get(&format!("/dashboard/statement?month={}&format=csv", day.strftime("%Y-%m"))).await;
    assert!(file.text().contains("adjusted,ii_1Qx2,"), "{}", file.text());
    let pdf = owner.get(&format!("/dashboard/statement?month={}", day.strftime("%Y-%m"))).await;
    assert_eq!((pdf.status(), pdf.answer.header("content-type")), (200, Some("application/pdf")));
    assert!(pdf.answer.body.starts_with(b"%PDF-"));
    owner.become_a("manager").await;
    assert_eq!(owner.get(&address).await.status(), 403);
}
