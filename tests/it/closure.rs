//! A closed account, by a clock that is moved: it takes nothing any more, its owners are told, it is opened again or erased.

use std::time::Duration;

use domain::language::Language;
use domain::request::Kind;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use phone::{Script, Transcript};
use serde_json::{Value, json};
use tests::hotline::Code;
use tests::unseal::sha256;
use tests::{Hotline, Person, answers, eventually, planted};

use crate::rooms::random;

struct Shop<'a> {
    hotline: &'a Hotline,
    owner: Person<'a>,
    email: String,
    slug: String,
    code: String,
    tenant: String,
}

/// Three in the morning of a day, where the shops are.
fn night(day: Date) -> Timestamp {
    day.at(3, 0, 0, 0).to_zoned(TimeZone::get("America/Los_Angeles").unwrap()).unwrap().timestamp()
}

fn later(day: Date, days: i64) -> Date {
    day.checked_add(days.days()).unwrap()
}

fn day(value: &Value) -> Date {
    value.as_str().unwrap().parse().unwrap()
}

impl<'a> Shop<'a> {
    async fn open(hotline: &'a Hotline, slug: &str) -> Self {
        let (slug, code) = (format!("{slug}-{}", random(8)), format!("73{:06}", fastrand::u32(..1_000_000)));
        let (owner, keys, tenant) = Person::owner_of(hotline, &slug, &[Code::new(&code, "Old Shop")]).await;
        Self { hotline, owner, email: keys.email.clone(), slug, code, tenant }
    }

    async fn ordered(&self, reopen: bool) -> Result<Value, Value> {
        let order = json!({ "tenant": self.slug, "reopen": reopen });
        self.hotline.cloud.invoke(&self.hotline.at.functions["jobs-close-account"], &order).await
    }

    /// Has everything done that is due until a time, as if it were then. False where nobody of this name is there.
    async fn until(&self, at: Timestamp) -> bool {
        let order = json!({ "job": "retention", "at": at.to_string(), "tenant": self.slug });
        eventually("the nights' work", async || {
            let planned = self.hotline.cloud.invoke(&self.hotline.at.functions["jobs-plan"], &order).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            match planned {
                Ok(planned) => (planned["planned"] == 0).then_some(true),
                Err(_) => Some(false),
            }
        })
        .await
    }

    async fn asks(&self, n: u8) -> Transcript {
        let mut caller = Script::new(answers::request(Language::English, Some(&self.code), Kind::Correct));
        self.hotline.call(&planted::caller(planted::DESK, n), &mut caller).await
    }

    async fn told(&self) -> Vec<(String, String)> {
        let mut mails = self.hotline.mails(&self.email).await;
        mails.retain(|(subject, _)| subject == "Your Optline account is closed");
        mails
    }

    async fn was_told(&self, times: usize) -> String {
        let mails = eventually(&format!("notice {times}"), async || {
            let mails = self.told().await;
            (mails.len() >= times).then_some(mails)
        })
        .await;
        assert_eq!(mails.len(), times, "{mails:#?}");
        mails.last().unwrap().1.clone()
    }

    async fn root_keys(&self) -> usize {
        self.hotline.cloud.items_with(self.hotline.table("keys"), "pk", &format!("root#{}", self.tenant)).await.len()
    }

    /// Where anything of the tenant's is left: trail and ledger apart.
    async fn traces(&self) -> Vec<String> {
        let mut traces = vec![];
        for (name, table) in &self.hotline.at.tables {
            if matches!(name.as_str(), "audit" | "usage" | "runs") {
                continue;
            }
            let items = self.hotline.cloud.scan(table, json!({})).await;
            let theirs = items.iter().map(Value::to_string).filter(|item| item.contains(&self.tenant));
            // What ends by itself within days: calls that are over, entries that ring at nobody's door.
            let lasting = theirs.filter(|item| !item.contains("expires_at") && name != "agenda");
            traces.extend(lasting.map(|item| format!("{name}: {item}")));
        }
        for prefix in [format!("{}/", self.tenant), format!("attachments/{}/", self.tenant)] {
            traces.extend(self.hotline.cloud.versions(self.hotline.bucket("recordings"), &prefix).await);
        }
        traces.extend(self.greetings().await);
        traces
    }

    /// Greetings lie under what stands for their tenant.
    fn greeting(&self) -> String {
        format!("greetings/{}", &sha256(self.tenant.as_bytes())[..32])
    }

    async fn greetings(&self) -> Vec<String> {
        self.hotline.cloud.versions(self.hotline.bucket("greetings"), &self.greeting()).await
    }

    async fn records_a_greeting(&self) {
        let key = format!("{}{}.mp3", self.greeting(), "0".repeat(32));
        self.hotline.cloud.put_object(self.hotline.bucket("greetings"), &key, b"a greeting").await;
        assert_eq!(self.greetings().await.len(), 1);
    }

    async fn plant(&self, reference: &str, update: &str, values: Option<Value>) {
        let mut input = json!({
            "TableName": self.hotline.table("requests"),
            "Key": { "pk": { "S": format!("{}#{}", self.tenant, &reference[..2]) }, "sk": { "S": reference } },
            "UpdateExpression": update,
        });
        if let Some(values) = values {
            input["ExpressionAttributeValues"] = values;
        }
        self.hotline.cloud.call("dynamodb:UpdateItem", input).await;
    }
}

#[tokio::test]
async fn a_closed_account_takes_nothing_tells_its_owner_three_times_and_is_opened_again_as_it_was() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "closure-undone").await;
    let before = shop.asks(70).await.reference_number().unwrap();
    let closed = shop.ordered(false).await.unwrap();
    assert_eq!(closed["changed"], true);
    let on = day(&closed["closed-on"]);
    assert_eq!(day(&closed["erased-on"]), later(on, 90));
    assert_eq!(
        shop.ordered(false).await.unwrap(),
        json!({
            "changed": false, "closed-on": closed["closed-on"], "erased-on": closed["erased-on"],
        }),
        "a second order is harmless"
    );

    let call = shop.asks(71).await;
    assert!(call.heard("doesn't take privacy requests at this telephone number any more"), "{}", call.said());
    assert_eq!(call.reference_number(), None);
    for path in ["/forms/", "/privacy-choices/"] {
        let page = Person::new(&hotline).get(&format!("{path}{}", shop.code)).await;
        assert_eq!(page.status(), 410, "{}", page.text());
        assert!(page.text().contains("does not take privacy requests here any more"), "{}", page.text());
    }
    let mut person = Person::new(&hotline);
    let status = person.get("/status").await.form(&["code", "reference"]);
    let seen = person.send_form(&status, &[("code", &shop.code), ("reference", &before)]).await;
    assert!(seen.status() == 200 && seen.path() == "/status", "{}", seen.text());
    for page in ["/dashboard/overview", "/dashboard/settings"] {
        assert!(shop.owner.get(page).await.text().contains("This account was closed on"), "{page}");
    }
    assert_eq!(shop.owner.get("/dashboard/request-log").await.status(), 200);
    let again = hotline.provision(&tests::hotline::order(&shop.slug, &[Code::new(&shop.code, "Old Shop")], &[])).await;
    assert!(again.is_err(), "its document does not open it");

    for (days, times) in [(1, 1), (59, 1), (60, 2), (82, 2), (83, 3), (89, 3)] {
        shop.until(night(later(on, days))).await;
        shop.was_told(times).await;
    }
    let last = shop.told().await.pop().unwrap().1;
    assert!(last.contains("the last time") && !last.contains(&before), "{last}");

    assert_eq!(shop.ordered(true).await.unwrap(), json!({ "changed": true, "closed-on": null, "erased-on": null }));
    assert_eq!(shop.ordered(true).await.unwrap()["changed"], false);
    shop.until(night(later(on, 120))).await;
    assert!(shop.asks(72).await.reference_number().is_some());
    assert!(!shop.owner.get("/dashboard/settings").await.text().contains("This account was closed on"));
    let trail = shop.owner.get("/dashboard/audit").await.text();
    for act in ["Closed the account", "Told owners that the account is closed", "Opened the account again"] {
        assert!(trail.contains(act), "{act}: {trail}");
    }
    assert_eq!(shop.was_told(3).await, last);
}

#[tokio::test]
async fn after_ninety_days_nothing_is_left_of_a_closed_account_but_its_trail_and_its_ledger() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "closure-end").await;
    let mut other = Shop::open(&hotline, "closure-other").await;
    let call = shop.asks(73).await;
    let reference = call.reference_number().unwrap();
    for recording in &call.recordings {
        hotline.recording(&shop.tenant, &call.call_sid, &recording.sid, "audio").await;
    }
    let theirs = other.asks(74).await.reference_number().unwrap();
    shop.records_a_greeting().await;
    other.records_a_greeting().await;
    let on = day(&shop.ordered(false).await.unwrap()["closed-on"]);
    for days in [1, 60, 83] {
        shop.until(night(later(on, days))).await;
    }
    shop.was_told(3).await;

    // A hold stops it, on that day and on the next.
    shop.plant(&reference, "SET held_at = :at", Some(json!({ ":at": { "S": "2026-12-01T00:00:00Z" } }))).await;
    for days in [90, 91] {
        assert!(shop.until(night(later(on, days))).await, "it is held");
        assert_eq!(shop.root_keys().await, 1);
    }
    assert_eq!(shop.owner.get(&format!("/dashboard/request/{reference}")).await.status(), 200);
    shop.plant(&reference, "REMOVE held_at", None).await;
    // Somebody died after the first step of a request's erasure.
    let salt = json!({ "pk": { "S": format!("salt#{}#{reference}", shop.tenant) }, "sk": { "S": "salt" } });
    hotline.cloud.call("dynamodb:DeleteItem", json!({ "TableName": hotline.table("keys"), "Key": salt })).await;
    let sealed = json!({ "pk": { "S": format!("root#{}", shop.tenant) }, "sk": { "S": "00000001" } });
    let root =
        hotline.cloud.call("dynamodb:GetItem", json!({ "TableName": hotline.table("keys"), "Key": sealed })).await;

    shop.until(night(later(on, 92))).await;
    assert!(shop.ordered(true).await.is_err(), "there is no way back");
    // The counts go when they have followed.
    let recount = json!({ "tenant": shop.slug, "dry-run": true });
    eventually("the counts", async || {
        let found = hotline.cloud.invoke(&hotline.at.functions["jobs-recount"], &recount).await.unwrap();
        (found["missed"] == 0 && found["differences"] == json!({})).then_some(())
    })
    .await;
    shop.until(night(later(on, 93))).await;
    eventually("nothing left", async || shop.traces().await.is_empty().then_some(())).await;
    assert_eq!(shop.root_keys().await, 0);
    assert!(shop.ordered(false).await.is_err(), "its name is free");
    assert_eq!(shop.owner.get("/dashboard/overview").await.path(), "/dashboard/sign-in");
    assert_ne!(hotline.ledger(&call.call_sid).await, Vec::<Value>::new(), "the ledger stays");
    let trail = hotline.cloud.items_with(hotline.table("audit"), "pk", &format!("head#{}", shop.tenant)).await;
    assert_eq!(trail.len(), 1, "the trail stays");

    // Whoever died between the account and its keys is made up for.
    let put = json!({ "TableName": hotline.table("keys"), "Item": root["Item"] });
    hotline.cloud.call("dynamodb:PutItem", put).await;
    let shard = shop.tenant.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % 4;
    let entry = json!({
        "pk": { "S": format!("retention#{shard}") }, "marks": { "N": "1" },
        "sk": { "S": format!("2026-11-22T00:00:00Z#{}#closed", shop.tenant) },
    });
    hotline.cloud.call("dynamodb:PutItem", json!({ "TableName": hotline.table("agenda"), "Item": entry })).await;
    hotline.cloud.invoke(&hotline.at.functions["jobs-plan"], &json!({ "job": "retention" })).await.unwrap();
    eventually("no keys", async || (shop.root_keys().await == 0).then_some(())).await;

    // The neighbour is as they were, and the code is free for somebody else.
    assert_eq!(other.owner.get(&format!("/dashboard/request/{theirs}")).await.status(), 200);
    hotline.salt(&other.tenant, &theirs).await;
    assert_eq!(other.greetings().await.len(), 1);
    let slug = format!("closure-next-{}", random(8));
    hotline.tenant(&slug, &[Code::new(&shop.code, "New Shop")], &[]).await;
}
