//! Usage on its way to Stripe: one meter event per tenant, day and meter, whatever fails, comes late or comes twice.
//!
//! Each test has a tenant and a Stripe customer of its own. The worker is called for what the tenant has on the agenda, at
//! the time of the entry: so its clock moves, and the partner's, which all share, does not. Faults are planned for whoever
//! asks next, so that a fault may meet a neighbour instead: what is asserted holds with and without.

use std::collections::BTreeMap;

use futures::future::join_all;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use partners::stripe::signature;
use serde_json::{Value, json};
use standins::faults::{Fault, Kind};
use tests::hotline::order;
use tests::unseal::sha256;
use tests::walk::new_sid;
use tests::{Hotline, eventually};

/// How much was sent to each meter and counts there, each event for itself, in the order in which they came.
type Counting = BTreeMap<String, Vec<u64>>;

/// A tenant and who it is at Stripe.
struct Metered {
    hotline: Hotline,
    slug: String,
    tenant: String,
    customer: String,
    day: Date,
}

#[expect(clippy::disallowed_methods, reason = "calls are of yesterday, whenever the tests run")]
fn now() -> Timestamp {
    Timestamp::now()
}

impl Metered {
    async fn open(name: &str) -> Self {
        let metered = Self::unknown(name).await;
        let customer = new_customer(&metered.hotline, &metered.slug).await;
        metered.bill(Some(&customer)).await;
        Self { customer, ..metered }
    }

    /// One whom Stripe does not know. Each run of a test has another, as what the worker did for the last one stays.
    async fn unknown(name: &str) -> Self {
        let day = now().to_zoned(TimeZone::UTC).date().yesterday().unwrap();
        let (hotline, slug) = (Hotline::open(), format!("test-billing-{name}-{}", &new_sid("")[..8]));
        let mut metered = Self { hotline, slug, tenant: String::new(), customer: String::new(), day };
        metered.tenant = metered.bill(None).await;
        metered
    }

    /// Says who the tenant is at Stripe.
    async fn bill(&self, customer: Option<&str>) -> String {
        let mut order = order(&self.slug, &[], &[]);
        if let Some(customer) = customer {
            order["tenant"]["stripe-customer"] = customer.into();
        }
        let done = self.hotline.provision(&order).await.unwrap_or_else(|why| panic!("{}: {why}", self.slug));
        done["tenant"].as_str().unwrap().to_owned()
    }

    /// Enters that a call reached this tenant on its day, as the menu does.
    async fn reached(&self, call: &str) {
        let item = json!({
            "pk": { "S": format!("call#{}", sha256(call.as_bytes())) }, "tenant": { "S": self.tenant },
            "day": { "S": self.day.to_string() },
            "expires_at": { "N": (now() + SignedDuration::from_hours(240)).as_second().to_string() },
        });
        let table = self.hotline.table("directory");
        self.hotline.cloud.call("dynamodb:PutItem", json!({ "TableName": table, "Item": item })).await;
    }

    /// What Twilio reports at the end of calls: SID, sequence, minutes.
    async fn report(&self, calls: &[(&str, u32, u32)]) {
        for calls in calls.chunks(10) {
            let records = calls.iter().map(|(call, sequence, minutes)| {
                let body = json!({
                    "call-sid": call, "status": "completed", "seconds": minutes * 60, "billed-minutes": minutes,
                    "sequence": sequence, "ended-at": format!("{}T20:00:00Z", self.day),
                });
                record(&body)
            });
            let event = json!({ "Records": records.collect::<Vec<_>>() });
            let done = self.hotline.cloud.invoke(&self.hotline.at.functions["jobs-record-usage"], &event).await;
            assert_eq!(done.unwrap()["batchItemFailures"], json!([]));
        }
    }

    /// New calls of so many minutes each.
    async fn calls(&self, minutes: &[u32]) -> Vec<String> {
        let sids: Vec<String> = minutes.iter().map(|_| new_sid("CA")).collect();
        join_all(sids.iter().map(|sid| self.reached(sid))).await;
        let reports: Vec<(&str, u32, u32)> =
            sids.iter().zip(minutes).map(|(sid, minutes)| (sid.as_str(), 1, *minutes)).collect();
        self.report(&reports).await;
        sids
    }

    /// What the tenant has on the agenda of its days, by time.
    async fn agenda(&self) -> Vec<(Timestamp, String)> {
        let filter = json!({
            "FilterExpression": "begins_with(pk, :job) AND contains(sk, :tenant)",
            "ExpressionAttributeValues": { ":job": { "S": "push-usage#" }, ":tenant": { "S": format!("#{}#", self.tenant) } },
        });
        let items = self.hotline.cloud.scan(self.hotline.table("agenda"), filter).await;
        let mut entries: Vec<(Timestamp, String)> = items
            .iter()
            .map(|item| {
                let mut parts = item["sk"]["S"].as_str().unwrap().split('#');
                (parts.next().unwrap().parse().unwrap(), parts.nth(1).unwrap().to_owned())
            })
            .collect();
        entries.sort();
        entries
    }

    /// Calls the worker for an entry, as the queue does.
    async fn work(&self, (at, what): &(Timestamp, String)) {
        let summons = json!({ "job": "push-usage", "tenant": self.tenant, "at": at, "what": what, "by": at });
        let event = json!({ "Records": [record(&summons)] });
        let done = self.hotline.cloud.invoke(&self.hotline.at.functions["jobs-push-usage"], &event).await;
        assert_eq!(done.unwrap()["batchItemFailures"], json!([]), "{summons}");
    }

    /// Calls the worker for what is due now.
    async fn night(&self) {
        for entry in self.agenda().await.iter().filter(|(at, _)| *at <= now()) {
            self.work(entry).await;
        }
    }

    /// Calls the worker for whatever it wants to be called for, until nothing is left to do.
    async fn nights(&self) {
        for _ in 0..40 {
            let Some(entry) = self.agenda().await.into_iter().next() else { return };
            self.work(&entry).await;
        }
        panic!("{} never settles: {:?}", self.slug, self.agenda().await);
    }

    /// The events of the customer, whole.
    async fn events_of(&self, customer: &str) -> Vec<Value> {
        let Value::Array(all) = self.hotline.ask_standin("_standin/stripe/meter_events").await else { panic!() };
        all.into_iter().filter(|event| event["payload"]["stripe_customer_id"] == customer).collect()
    }

    /// What counts at Stripe.
    async fn counting(&self) -> Counting {
        let mut counting = Counting::new();
        for event in self.events_of(&self.customer).await {
            if event["counts"].is_object() && event["cancelled"].is_null() {
                let value = event["payload"]["value"].as_str().unwrap().parse().unwrap();
                counting.entry(event["event_name"].as_str().unwrap().to_owned()).or_default().push(value);
            }
        }
        counting
    }

    /// The day's batches, as they are stored.
    async fn batches(&self) -> Vec<Value> {
        let pk = format!("{}#{}", self.tenant, self.day.strftime("%Y-%m"));
        let items = self.hotline.cloud.items_with(self.hotline.table("usage"), "pk", &pk).await;
        let mut batches: Vec<Value> =
            items.iter().filter_map(|item| serde_json::from_str(item["batch"].as_str()?).ok()).collect();
        batches.sort_by_key(|batch: &Value| batch["number"].as_u64());
        batches
    }

    /// The rows of the day, each with its place on the way to the bill.
    async fn units(&self) -> Vec<Value> {
        let pk = format!("{}#{}", self.tenant, self.day);
        let rows = self.hotline.cloud.items_with(self.hotline.table("usage"), "pk", &pk).await;
        rows.into_iter().map(|row| row["unit"].clone()).collect()
    }

    /// Every call is processed and every event is confirmed.
    async fn assert_settled(&self) {
        assert!(self.units().await.iter().all(|unit| unit == "processed"), "{:?}", self.units().await);
        for batch in self.batches().await {
            for line in batch["lines"].as_object().unwrap().values() {
                assert!(line["state"]["confirmed"].is_object() || line["state"] == "nothing", "{line:#}");
            }
        }
    }

    /// Waits for the line that the alarms count.
    async fn says_that_it_waits(&self, why: &str) {
        let wanted = format!("\"usage\":\"{why}\"");
        let message = if why == "not-billed" { "usage is not billed" } else { "usage waits" };
        eventually(&format!("a line of {} that says {why}", self.slug), async || {
            let said = self.hotline.cloud.log(&self.hotline.at.log_groups["jobs"], Some(message)).await;
            said.iter().any(|(_, line)| line.contains(&self.tenant) && line.contains(&wanted)).then_some(())
        })
        .await;
    }

    /// How the worker's last run ended.
    async fn last_run(&self) -> Value {
        let runs = self.hotline.cloud.scan(
            self.hotline.table("runs"),
            json!({
                "FilterExpression": "begins_with(pk, :job) AND contains(sk, :tenant)",
                "ExpressionAttributeValues": { ":job": { "S": "push-usage#" }, ":tenant": { "S": self.tenant } },
            }),
        );
        let mut runs: Vec<Value> = runs.await.iter().map(tests::cloud::plain).collect();
        runs.sort_by_key(|run| run["started_at"].as_str().unwrap().to_owned());
        runs.pop().unwrap()
    }
}

async fn new_customer(hotline: &Hotline, name: &str) -> String {
    let made = hotline.ask_stripe("v1/customers", &[("name", name)]).await;
    made["id"].as_str().unwrap().to_owned()
}

/// A message as SQS hands it over.
fn record(body: &Value) -> Value {
    json!({ "messageId": new_sid("SM"), "body": body.to_string(), "eventSource": "aws:sqs" })
}

fn counts(calls: &[u64], minutes: &[u64]) -> Counting {
    let meters = [("optline_calls", calls), ("optline_minutes", minutes)];
    let sent = meters.into_iter().filter(|(_, values)| !values.is_empty());
    sent.map(|(meter, values)| (meter.to_owned(), values.to_vec())).collect()
}

#[tokio::test]
async fn a_day_is_one_event_per_meter_and_what_comes_late_is_a_batch_of_its_own() {
    let metered = Metered::open("day").await;
    let calls = metered.calls(&[1, 2, 4]).await;
    assert_eq!(metered.units().await, [Value::Null, Value::Null, Value::Null]);
    metered.night().await;
    // Twilio and the queue bring things twice.
    metered.report(&[(&calls[0], 1, 1), (&calls[1], 1, 2)]).await;
    metered.night().await;
    metered.nights().await;
    assert_eq!(metered.counting().await, counts(&[3], &[7]));
    assert_eq!(metered.batches().await.len(), 1);
    metered.assert_settled().await;
    // A call comes late, and one without a billed minute.
    metered.calls(&[5]).await;
    metered.nights().await;
    assert_eq!(metered.counting().await, counts(&[3, 1], &[7, 5]));
    metered.calls(&[0]).await;
    metered.nights().await;
    assert_eq!(metered.counting().await, counts(&[3, 1, 1], &[7, 5]));
    assert_eq!(metered.batches().await.len(), 3);
    metered.assert_settled().await;
    assert_eq!(metered.last_run().await["outcome"], "done");
}

#[tokio::test]
async fn whatever_becomes_of_stripes_answer_an_event_counts_once() {
    let metered = Metered::open("answers").await;
    let faults = [
        // Done, and four tries hear nothing of it: the run is as good as killed there.
        (Kind::LostAnswer, 4),
        // 500, kept under the key, though it was done.
        (Kind::KeptErrorAfter, 1),
        // 500, kept under the key, and it was not.
        (Kind::KeptError, 1),
        (Kind::RateLimited, 5),
        (Kind::Conflict, 2),
        (Kind::Error, 4),
    ];
    let mut expected = (vec![], vec![]);
    for (n, (kind, times)) in (1..).zip(faults) {
        let fault = Fault {
            path: "/v1/billing/meter_events".into(),
            method: Some("POST".into()),
            fault: kind,
            times,
            delay_ms: 0,
            retry_after: None,
        };
        metered.calls(&[n, n]).await;
        metered.hotline.disturb(&fault).await;
        metered.night().await;
        metered.nights().await;
        expected.0.push(2);
        expected.1.push(u64::from(2 * n));
        assert_eq!(metered.counting().await, counts(&expected.0, &expected.1), "{kind:?}");
    }
    metered.assert_settled().await;
}

#[tokio::test]
async fn a_correction_within_the_day_cancels_what_was_sent_and_sends_what_is_right() {
    let metered = Metered::open("correction").await;
    let calls = metered.calls(&[1, 2]).await;
    metered.night().await;
    assert_eq!(metered.counting().await, counts(&[2], &[3]));
    // Twilio says later that the call was longer: of the calls nothing changes.
    metered.report(&[(&calls[0], 2, 6)]).await;
    metered.night().await;
    assert_eq!(metered.counting().await, counts(&[2], &[8]));
    metered.nights().await;
    assert_eq!(metered.counting().await, counts(&[2], &[8]));
    assert_eq!(metered.events_of(&metered.customer).await.len(), 3);
    assert_eq!(metered.batches().await.len(), 1);
    metered.assert_settled().await;
}

#[tokio::test]
async fn what_stripe_refuses_after_its_200_is_taken_back_and_billed_once_somebody_has_seen_to_it() {
    let metered = Metered::open("refusal").await;
    let nobody = format!("cus_nobody{}", new_sid(""));
    metered.bill(Some(&nobody)).await;
    metered.calls(&[3, 3]).await;
    metered.night().await;
    let refused = metered.events_of(&nobody).await;
    assert_eq!(refused.len(), 2);
    assert!(refused.iter().all(|event| event["refused"] == "meter_event_customer_not_found"), "{refused:#?}");
    for again in [false, true, true] {
        let said = metered.hotline.tell_standin("_standin/stripe/deliveries", json!({ "again": again })).await;
        assert!(said.as_array().unwrap().iter().all(|one| one["status"] == 204), "{said:#}");
    }
    let batch = metered.batches().await.remove(0);
    for meter in ["calls", "minutes"] {
        let reason = &batch["lines"][meter]["state"]["reopened"]["reason"];
        assert_eq!(reason, "meter_event_customer_not_found", "{batch:#}");
    }
    metered.bill(Some(&metered.customer)).await;
    metered.nights().await;
    assert_eq!(metered.counting().await, counts(&[2], &[6]));
    metered.hotline.tell_standin("_standin/stripe/deliveries", json!({ "again": true })).await;
    metered.nights().await;
    assert_eq!(metered.counting().await, counts(&[2], &[6]));
    metered.assert_settled().await;
}

#[tokio::test]
async fn two_workers_at_once_bill_a_large_day_once() {
    let metered = Metered::open("twins").await;
    metered.calls(&[1; 210]).await;
    let entries = metered.agenda().await;
    let both = entries.iter().chain(&entries).chain(&entries);
    join_all(both.map(|entry| metered.work(entry))).await;
    metered.nights().await;
    let counting = metered.counting().await;
    let sums: Vec<u64> = counting.values().map(|values| values.iter().sum()).collect();
    assert_eq!(sums, [210, 210], "{counting:?}");
    assert_eq!(metered.units().await.len(), 210);
    metered.assert_settled().await;
}

#[tokio::test]
async fn the_usage_of_a_tenant_that_stripe_does_not_know_is_kept_until_somebody_says_who_it_is() {
    let mut metered = Metered::unknown("nobody").await;
    metered.calls(&[2, 2]).await;
    metered.night().await;
    let run = metered.last_run().await;
    assert_eq!((&run["outcome"], &run["why"]), (&json!("again"), &json!("no Stripe customer")), "{run:#}");
    assert_eq!(metered.units().await, ["claimed", "claimed"]);
    metered.says_that_it_waits("not-billed").await;
    metered.customer = new_customer(&metered.hotline, &metered.slug).await;
    metered.bill(Some(&metered.customer)).await;
    metered.nights().await;
    assert_eq!(metered.counting().await, counts(&[2], &[4]));
    metered.assert_settled().await;
}

#[tokio::test]
async fn no_two_tenants_are_the_same_customer_at_stripe() {
    let (metered, slug) = (Metered::open("same").await, format!("test-billing-other-{}", &new_sid("")[..8]));
    let mut theirs = order(&slug, &[], &[]);
    theirs["tenant"]["stripe-customer"] = metered.customer.as_str().into();
    assert_eq!(metered.hotline.provision(&theirs).await.unwrap_err()["errorType"], "Conflict");
    assert!(metered.hotline.directory("tenant", &slug).await.is_none(), "nothing of the order was written");
    assert_eq!(metered.bill(Some(&metered.customer)).await, metered.tenant, "its own is no other's");
}

#[tokio::test]
async fn what_is_unsent_for_twenty_days_is_an_alarm_and_what_is_too_old_for_stripe_is_not_sent() {
    let mut metered = Metered::open("late").await;
    let yesterday = metered.day;
    metered.day = yesterday - 21.days();
    metered.customer = format!("cus_nobody{}", new_sid(""));
    metered.bill(Some(&metered.customer)).await;
    metered.calls(&[1]).await;
    metered.night().await;
    metered.hotline.tell_standin("_standin/stripe/deliveries", json!({})).await;
    metered.night().await;
    metered.says_that_it_waits("overdue").await;
    metered.day = yesterday - 40.days();
    metered.calls(&[1]).await;
    metered.night().await;
    metered.says_that_it_waits("expired").await;
    assert_eq!(metered.events_of(&metered.customer).await.len(), 2, "of the days that Stripe takes");
    assert_eq!(metered.units().await, ["claimed"]);
}

#[tokio::test]
async fn a_day_that_is_not_over_is_put_on_the_agenda_once_and_closed_after_its_end() {
    let mut metered = Metered::open("today").await;
    metered.day = metered.day.tomorrow().unwrap();
    metered.calls(&[1, 1]).await;
    let agenda = metered.agenda().await;
    let ends: Timestamp = format!("{}T00:10:00Z", metered.day.tomorrow().unwrap()).parse().unwrap();
    assert_eq!(agenda, [(ends, metered.day.to_string())]);
    // By a clock that is ahead: Stripe's is not, and takes nothing of tomorrow.
    metered.work(&agenda[0]).await;
    assert_eq!(metered.counting().await, Counting::new());
    assert!(metered.agenda().await.contains(&agenda[0]), "calls still come");
}

#[tokio::test]
async fn what_stripe_did_not_sign_or_signed_long_ago_has_no_effect() {
    let hotline = Hotline::open();
    let secret = hotline.cloud.secret(&hotline.at.stripe_secret).await;
    let secret = secret["webhook_secrets"][0].as_str().unwrap();
    let body = json!({
        "id": "evt_test_1", "object": "v2.core.event", "created": now(), "type": "v2.core.event_destination.ping",
    })
    .to_string();
    let send = async |signature: Option<&str>, body: &str| {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(signature.map(|signature| ("stripe-signature", signature)));
        hotline.exchange("POST", "/webhooks/stripe", &headers, body.as_bytes()).await.status
    };
    let signed = |at: Timestamp, body: &str| signature::sign(&[secret], at, body.as_bytes());
    assert_eq!(send(Some(&signed(now(), &body)), &body).await, 204);
    assert_eq!(send(None, &body).await, 403);
    assert_eq!(send(Some(&signature::sign(&["whsec_other"], now(), body.as_bytes())), &body).await, 403);
    for minutes in [-6, 6] {
        let at = now() + SignedDuration::from_mins(minutes);
        assert_eq!(send(Some(&signed(at, &body)), &body).await, 403, "{minutes}");
    }
    let changed = body.replace("evt_test_1", "evt_test_2");
    assert_eq!(send(Some(&signed(now(), &body)), &changed).await, 403);
    assert_eq!(send(Some(&signed(now(), "{}")), "{}").await, 422);
    let large = " ".repeat(256 * 1024 + 1);
    assert_eq!(send(Some(&signed(now(), &large)), &large).await, 403);
    // Signed and read, and of nobody's event.
    let nobodys = json!({
        "id": format!("evt_test_{}", new_sid("")), "object": "v2.core.event", "created": now(),
        "type": "v1.billing.meter.error_report_triggered",
        "data": { "reason": { "error_count": 1, "error_types": [{
            "code": "archived_meter", "error_count": 1,
            "sample_errors": [{ "request": { "identifier": "use1-nobodys" } }],
        }] } },
    })
    .to_string();
    for _ in 0..2 {
        assert_eq!(send(Some(&signed(now(), &nobodys)), &nobodys).await, 204);
    }
}
