//! What has been kept long enough goes, by a clock that is moved: into the recycle bin, out of it, for good. Nothing of it is
//! left anywhere but the proof.

use domain::language::Language;
use domain::reference::Reference;
use domain::request::Kind;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use phone::{Do, Script, Transcript};
use serde_json::{Value, json};
use tests::hotline::Code;
use tests::person::{Form, Seen};
use tests::{Hotline, Person, answers, eventually, planted};

use crate::rooms::{random, random_code};

/// A business with a request that was made by telephone.
struct Shop<'a> {
    hotline: &'a Hotline,
    owner: Person<'a>,
    slug: String,
    code: String,
    tenant: String,
}

fn page_of(reference: &str) -> String {
    format!("/dashboard/request/{reference}")
}

fn spaced(reference: &str) -> String {
    Reference::parse(reference).unwrap().to_string()
}

impl<'a> Shop<'a> {
    async fn open(hotline: &'a Hotline, slug: &str) -> Self {
        let (slug, code) = (format!("{slug}-{}", random(8)), random_code());
        let (owner, _, tenant) = Person::owner_of(hotline, &slug, &[Code::new(&code, "Old Shop")]).await;
        Self { hotline, owner, slug, code, tenant }
    }

    /// Somebody asks for a correction, says it, and is answered today. The recordings are there.
    async fn answered(&mut self, n: u8) -> (String, Transcript) {
        let says = answers::request(Language::English, Some(&self.code), Kind::Correct);
        self.answered_who(n, says).await
    }

    async fn answered_who(&mut self, n: u8, says: Vec<Do>) -> (String, Transcript) {
        let mut caller = Script::new(says);
        let call = self.hotline.call(&planted::caller(planted::DESK, n), &mut caller).await;
        let reference = call.reference_number().unwrap();
        for recording in &call.recordings {
            for part in ["audio", "transcript"] {
                self.hotline.recording(&self.tenant, &call.call_sid, &recording.sid, part).await;
            }
        }
        let page = self.owner.get(&page_of(&reference)).await;
        let form = page.forms().into_iter().find(|form| form.value("action") == Some("complete")).unwrap();
        let done = self.owner.send_form(&form, &[("done", "Corrected."), ("identity", "The account matched.")]).await;
        assert_eq!(done.status(), 200, "{}", done.text());
        (reference, call)
    }

    /// A note, a file and a message beside it.
    async fn beside(&mut self, reference: &str) {
        let page = self.owner.get(&page_of(reference)).await;
        self.owner.submit(&page, &["id", "note"], &[("note", &planted::words("They called twice."))]).await;
        for (route, field) in [("/attach/", None), ("/message/", Some(("text", "Your copy.")))] {
            let page = self.owner.get(&page_of(reference)).await;
            let form = page.forms().into_iter().find(|form| form.action.contains(route)).unwrap();
            let fields = ["csrf", "id"].map(|name| (name, form.value(name).unwrap().to_owned()));
            let mut fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            fields.extend(field);
            let kept =
                self.owner.post_multipart(&form.action, &fields, ("file", "copy.txt", b"All that we hold.")).await;
            assert_eq!(kept.status(), 200, "{}", kept.text());
        }
    }

    /// Saves other settings.
    async fn settings(&mut self, changed: &[(&str, &str)]) {
        let form = self.owner.get("/dashboard/settings").await.form(&["version", "time-zone"]);
        let saved = self.owner.send_form(&form, changed).await;
        assert_eq!(saved.status(), 200, "{}", saved.text());
    }

    async fn stored(&self, reference: &str) -> Option<Value> {
        let pk = format!("{}#{}", self.tenant, &reference[..2]);
        self.hotline.cloud.item(self.hotline.table("requests"), &[("pk", &pk), ("sk", reference)]).await
    }

    async fn closed_on(&self, reference: &str) -> Date {
        self.stored(reference).await.unwrap()["closed_on"].as_str().unwrap().parse().unwrap()
    }

    /// Changes the request as only another of our functions, or a crash, could.
    async fn plant(&self, reference: &str, update: &str, values: Value) {
        let input = json!({
            "TableName": self.hotline.table("requests"),
            "Key": { "pk": { "S": format!("{}#{}", self.tenant, &reference[..2]) }, "sk": { "S": reference } },
            "UpdateExpression": update, "ExpressionAttributeValues": values,
        });
        self.hotline.cloud.call("dynamodb:UpdateItem", input).await;
    }

    /// The night's work on a day, as if it were then: all of it, or one request. Returns the key of its run.
    async fn night(&self, day: Date, what: &str) -> String {
        let zone = TimeZone::get("America/Los_Angeles").unwrap();
        let at = day.at(3, 0, 0, 0).to_zoned(zone).unwrap().timestamp();
        let agenda = self.hotline.table("agenda");
        if !what.is_empty() {
            let shard =
                self.tenant.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % 4;
            let (pk, sk) = (format!("retention#{shard}"), format!("{at}#{}#{what}", self.tenant));
            let entry = json!({ "pk": { "S": pk }, "sk": { "S": sk }, "marks": { "N": "1" } });
            self.hotline.cloud.call("dynamodb:PutItem", json!({ "TableName": agenda, "Item": entry })).await;
        }
        let entries = json!({
            "FilterExpression": "begins_with(pk, :job) AND contains(sk, :tenant) AND sk < :until",
            "ExpressionAttributeValues": {
                ":job": { "S": "retention#" }, ":tenant": { "S": format!("#{}#{what}", self.tenant) },
                ":until": { "S": format!("{at}$") },
            },
        });
        let entries: Vec<Value> =
            self.hotline.cloud.scan(agenda, entries).await.iter().map(tests::cloud::plain).collect();
        let sks =
            entries.iter().filter_map(|entry| entry["sk"].as_str()).filter(|sk| sk.ends_with(&format!("#{what}")));
        let sk = sks.min().unwrap_or_else(|| panic!("nothing is on the agenda: {entries:#?}")).to_owned();
        let pk = entries[0]["pk"].as_str().unwrap();
        let plan = json!({ "job": "retention", "at": at.to_string(), "tenant": self.slug });
        let planned = self.hotline.cloud.invoke(&self.hotline.at.functions["jobs-plan"], &plan).await.unwrap();
        assert!(planned["planned"].as_u64().unwrap() >= 1, "{planned}");
        eventually("the night's work", async || {
            let there = self.hotline.cloud.item(agenda, &[("pk", pk), ("sk", &sk)]).await;
            there.is_none().then_some(())
        })
        .await;
        sk
    }

    /// The run of a night, once it is written down how it ended.
    async fn run(&self, key: &str) -> Value {
        let input = json!({
            "FilterExpression": "sk = :run AND attribute_exists(ended_at)",
            "ExpressionAttributeValues": { ":run": { "S": key } },
        });
        eventually("the run's end", async || {
            let runs = self.hotline.cloud.scan(self.hotline.table("runs"), input.clone()).await;
            runs.first().map(tests::cloud::plain)
        })
        .await
    }

    /// Everything that is left of a request and its recordings, wherever it lies, but what may be: the trail, and its bare number
    /// where it ends by itself.
    async fn left(&self, reference: &str, call: &Transcript) -> Vec<String> {
        let mut left = vec![];
        let words: Vec<&str> =
            [reference].into_iter().chain(call.recordings.iter().map(|recording| recording.sid.as_str())).collect();
        for (name, table) in &self.hotline.at.tables {
            // The trail is sealed, and says what was done; the ledger knows calls and no requests.
            if name == "audit" || name == "usage" {
                continue;
            }
            for item in self.hotline.cloud.scan(table, json!({})).await {
                let (text, sk) = (item.to_string(), item["sk"]["S"].as_str().unwrap_or_default());
                let number_alone = match name.as_str() {
                    // What the counting remembers, and how a run for it alone went.
                    "tallies" | "runs" => true,
                    // News of a fortnight, and that a call had begun.
                    "agenda" => sk.starts_with("n#") || sk.starts_with("begun#"),
                    _ => false,
                };
                let ends = number_alone && item.get("expires_at").is_some();
                if !ends && words.iter().any(|word| text.contains(word)) {
                    left.push(format!("{name}: {text}"));
                }
            }
        }
        for prefix in
            [format!("attachments/{}/{reference}/", self.tenant), format!("{}/{}/", self.tenant, call.call_sid)]
        {
            left.extend(self.hotline.cloud.versions(self.hotline.bucket("recordings"), &prefix).await);
        }
        left
    }

    async fn recount(&self) -> Value {
        let order = json!({ "tenant": self.slug, "dry-run": true });
        self.hotline.cloud.invoke(&self.hotline.at.functions["jobs-recount"], &order).await.unwrap()
    }

    async fn verify(&self) -> Value {
        let order = json!({ "tenant": self.slug });
        self.hotline.cloud.invoke(&self.hotline.at.functions["jobs-verify-audit"], &order).await.unwrap()
    }

    /// The yearly figures as they are counted.
    async fn figures(&self) -> Vec<Value> {
        let items = self.hotline.cloud.items_with(self.hotline.table("tallies"), "pk", &self.tenant).await;
        items.into_iter().filter(|item| item["sk"].as_str().unwrap().starts_with("year#")).collect()
    }

    fn restore(page: &Seen, reference: &str) -> Form {
        page.forms().into_iter().find(|form| form.value("reference") == Some(reference)).unwrap()
    }
}

fn binned_on(closed_on: Date) -> Date {
    closed_on.checked_add(24.months()).unwrap().tomorrow().unwrap()
}

fn days(n: i64, after: Date) -> Date {
    after.checked_add(n.days()).unwrap()
}

#[tokio::test]
async fn an_answered_request_is_kept_for_two_years_waits_ninety_days_and_is_gone_but_for_the_proof() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "retention-life").await;
    let mut other = Shop::open(&hotline, "retention-other").await;
    let (reference, call) = shop.answered(60).await;
    shop.beside(&reference).await;
    let (theirs, their_call) = other.answered(61).await;
    let bin_day = binned_on(shop.closed_on(&reference).await);
    let right = |found: &Value| found["missed"] == 0 && found["differences"] == json!({});
    eventually("the counts", async || right(&shop.recount().await).then_some(())).await;
    let figures = shop.figures().await;
    assert!(!figures.is_empty());

    shop.night(bin_day.yesterday().unwrap(), "").await;
    assert!(shop.stored(&reference).await.unwrap().get("binned_on").is_none(), "not a day too early");
    let at = shop.night(bin_day, "").await;
    let item = shop.stored(&reference).await.unwrap();
    assert_eq!(item["binned_on"], bin_day.to_string(), "{item:#}");
    assert_eq!(shop.run(&at).await["counted"]["binned"], 1);

    // Nobody finds it but whoever may take it out.
    for list in ["/dashboard/requests?state=closed", "/dashboard/request-log", "/dashboard/requests"] {
        let text = shop.owner.get(list).await.text();
        assert!(!text.contains(&spaced(&reference)) && !text.contains(&reference), "{list}: {text}");
    }
    let search = shop.owner.get("/dashboard/requests").await.form(&["q"]);
    for looked_for in [reference.as_str(), planted::caller(planted::DESK, 60).as_str()] {
        let found = shop.owner.send_form(&search, &[("q", looked_for)]).await;
        assert!(!found.text().contains(&format!("/dashboard/request/{reference}")), "{}", found.text());
    }
    let bin = shop.owner.get("/dashboard/recycle-bin").await;
    assert!(bin.text().contains(&spaced(&reference)), "{}", bin.text());
    let page = shop.owner.get(&page_of(&reference)).await;
    assert!(page.text().contains("In the recycle bin since"), "{}", page.text());
    assert!(!page.text().contains("/dashboard/note/"), "nothing is added to it any more");
    shop.owner.become_a("agent").await;
    assert_eq!(shop.owner.get(&page_of(&reference)).await.status(), 404);
    assert_eq!(shop.owner.get("/dashboard/recycle-bin").await.status(), 403);
    shop.owner.become_a("owner").await;

    let news = [("pk", format!("news#{}", shop.tenant)), ("sk", format!("came#{reference}"))];
    let came = async || {
        let key = [(news[0].0, news[0].1.as_str()), (news[1].0, news[1].1.as_str())];
        hotline.cloud.item(hotline.table("agenda"), &key).await
    };
    eventually("that it came in", came).await;
    shop.night(days(89, bin_day), "").await;
    assert!(shop.stored(&reference).await.is_some(), "it waits for 90 days");
    shop.night(days(90, bin_day), "").await;
    assert!(shop.stored(&reference).await.is_none());
    // Counting forgets it too, after the stream has told.
    eventually("nothing that does not end by itself", async || {
        shop.left(&reference, &call).await.is_empty().then_some(())
    })
    .await;
    eventually("the counts without it", async || right(&shop.recount().await).then_some(())).await;
    assert_eq!(shop.figures().await, figures, "the figures of a year outlive what they were made from");

    let proof = shop.owner.get(&format!("/dashboard/audit?act=erased&on={reference}")).await;
    assert!(proof.text().contains("Erased a request for good"), "{}", proof.text());
    assert_eq!(shop.verify().await["ok"], true);
    assert_eq!(shop.owner.get(&page_of(&reference)).await.status(), 404);
    // Nobody else's is touched.
    let item = other.stored(&theirs).await.unwrap();
    assert!(item.get("binned_on").is_none(), "{item:#}");
    hotline.salt(&other.tenant, &theirs).await;
    for recording in &their_call.recordings {
        hotline.recording(&other.tenant, &their_call.call_sid, &recording.sid, "audio").await;
    }
    assert_eq!(other.owner.get(&page_of(&theirs)).await.status(), 200);
}

#[tokio::test]
async fn what_is_restored_is_kept_as_long_again_and_what_is_held_stays_until_it_is_not() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "retention-hold").await;
    let (reference, _) = shop.answered(62).await;
    let closed_on = shop.closed_on(&reference).await;
    let before = shop.stored(&reference).await.unwrap();
    shop.night(binned_on(closed_on), "").await;
    let bin = shop.owner.get("/dashboard/recycle-bin").await;
    let restored = shop.owner.send_form(&Shop::restore(&bin, &reference), &[]).await;
    assert!(restored.text().contains("The request is back where it was."), "{}", restored.text());
    let item = shop.stored(&reference).await.unwrap();
    for index in ["closed_pk", "closed_sk", "received_pk", "received_sk", "contact_pk", "contact_sk"] {
        assert_eq!(item[index], before[index], "{index}");
    }
    assert!(item.as_object().unwrap().keys().all(|name| !name.starts_with("bin")), "{item:#}");
    assert!(shop.owner.get("/dashboard/requests?state=closed").await.text().contains(&spaced(&reference)));
    assert_eq!(shop.owner.get("/dashboard/recycle-bin").await.status(), 200);

    // It comes again by itself, and is held.
    let page = shop.owner.get(&page_of(&reference)).await;
    let wrong = shop.owner.send_form(&page.form(&["do", "reason"]), &[("reason", " ")]).await;
    assert_eq!(wrong.status(), 422, "{}", wrong.text());
    let reason = planted::words("Pérez v. Shop");
    let held = shop.owner.send_form(&page.form(&["do", "reason"]), &[("reason", &reason)]).await;
    assert!(held.text().contains("Pérez v. Shop") && held.text().contains("Legal hold"), "{}", held.text());
    assert!(!shop.stored(&reference).await.unwrap().to_string().contains("Pérez"), "the reason is sealed");
    let again = shop.owner.send_form(&page.form(&["do", "reason"]), &[("reason", "Again.")]).await;
    assert_eq!(again.status(), 409, "{}", again.text());
    let restored_on: Date = shop.stored(&reference).await.unwrap()["restored_on"].as_str().unwrap().parse().unwrap();
    let comes = binned_on(restored_on.max(closed_on));
    shop.night(comes, &reference).await;
    assert!(shop.stored(&reference).await.unwrap().get("binned_on").is_none(), "it is held");

    let lift = async |shop: &mut Shop<'_>| {
        let page = shop.owner.get(&page_of(&reference)).await;
        let form = page.forms().into_iter().find(|form| form.value("do") == Some("lift")).unwrap();
        let lifted = shop.owner.send_form(&form, &[]).await;
        assert!(lifted.text().contains("The hold is lifted."), "{}", lifted.text());
    };
    lift(&mut shop).await;
    shop.night(comes, &reference).await;
    assert!(shop.stored(&reference).await.unwrap().get("binned_on").is_some());

    // In the bin, too.
    let page = shop.owner.get(&page_of(&reference)).await;
    let held = shop.owner.send_form(&page.form(&["do", "reason"]), &[("reason", "Another matter.")]).await;
    assert!(held.text().contains("as long as its legal hold"), "{}", held.text());
    assert!(shop.owner.get("/dashboard/recycle-bin").await.text().contains("Legal hold"));
    shop.night(days(90, comes), "").await;
    assert!(shop.stored(&reference).await.is_some(), "it is held");
    lift(&mut shop).await;
    shop.night(days(91, comes), &reference).await;
    assert!(shop.stored(&reference).await.is_none());
    let trail = shop.owner.get(&format!("/dashboard/audit?on={reference}")).await.text();
    for act in
        ["Put a request under a legal hold", "Lifted a legal hold", "Restored a request", "Erased a request for good"]
    {
        assert!(trail.contains(act), "{act}: {trail}");
    }
}

#[tokio::test]
async fn recordings_and_files_with_a_shorter_time_go_by_themselves_and_the_request_says_so() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "retention-parts").await;
    shop.settings(&[("retention.recording-months", "6"), ("retention.attachment-months", "12")]).await;
    let (reference, call) = shop.answered(63).await;
    shop.beside(&reference).await;
    let closed_on = shop.closed_on(&reference).await;
    // The night that sees the shorter times: they count 90 days later.
    shop.night(days(2, closed_on), "").await;
    let calls = format!("{}/{}/", shop.tenant, call.call_sid);
    let files = format!("attachments/{}/{reference}/", shop.tenant);
    let bucket = hotline.bucket("recordings");
    assert_eq!(hotline.cloud.versions(bucket, &files).await.len(), 2);

    shop.night(closed_on.checked_add(6.months()).unwrap(), "").await;
    assert!(!hotline.cloud.versions(bucket, &calls).await.is_empty(), "six whole months");
    shop.night(closed_on.checked_add(6.months()).unwrap().tomorrow().unwrap(), "").await;
    assert_eq!(hotline.cloud.versions(bucket, &calls).await, Vec::<String>::new());
    for recording in &call.recordings {
        let pk = format!("salt#{}#{}", shop.tenant, recording.sid);
        assert_eq!(hotline.cloud.item(hotline.table("keys"), &[("pk", &pk), ("sk", "salt")]).await, None);
    }
    let page = shop.owner.get(&page_of(&reference)).await.text();
    assert!(page.contains("A part was erased") && page.contains("The recordings and what they say"), "{page}");
    assert!(
        page.contains("They called twice.") && page.contains("copy.txt") && !page.contains("/dashboard/recording/")
    );

    shop.night(closed_on.checked_add(12.months()).unwrap().tomorrow().unwrap(), "").await;
    // What the business answered with stays for 24 months; what the team kept for itself is gone.
    assert_eq!(hotline.cloud.versions(bucket, &files).await.len(), 1);
    let page = shop.owner.get(&page_of(&reference)).await.text();
    assert!(page.contains("Your copy.") && page.contains("The person can download it"), "{page}");
    let item = shop.stored(&reference).await.unwrap();
    assert!(item.get("binned_on").is_none() && item["going"] == json!([]), "{item:#}");
    assert_eq!(shop.verify().await["ok"], true);
}

/// Asks for a correction and says everything twice, because the first take was not good.
fn says_it_twice(code: &str) -> Vec<Do> {
    let mut says = vec![answers::language(Language::English), Do::press(format!("{code}#"))];
    says.extend(answers::kind(Kind::Correct));
    says.push(Do::press("1"));
    for take in answers::particulars(Kind::Correct).chunks(2) {
        says.extend([take[0].clone(), Do::press("2"), take[0].clone(), take[1].clone()]);
    }
    says.push(Do::press("1"));
    says
}

#[tokio::test]
async fn what_a_caller_recorded_again_is_erased_with_what_was_kept_of_it() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "retention-takes").await;
    let code = shop.code.clone();
    let (reference, call) = shop.answered_who(68, says_it_twice(&code)).await;
    assert_eq!(call.recordings.len(), 4, "{call}");
    let bin_day = binned_on(shop.closed_on(&reference).await);
    // By itself, and with the whole request.
    let (parted, parted_call) = shop.answered_who(69, says_it_twice(&code)).await;
    let calls = format!("{}/{}/", shop.tenant, parted_call.call_sid);
    shop.settings(&[("retention.recording-months", "6")]).await;
    let hold = shop.owner.get(&page_of(&reference)).await.form(&["do", "reason"]);
    shop.owner.send_form(&hold, &[("reason", "Not yet.")]).await;
    shop.night(days(2, shop.closed_on(&parted).await), "").await;
    assert!(!hotline.cloud.versions(hotline.bucket("recordings"), &calls).await.is_empty());
    shop.night(days(200, shop.closed_on(&parted).await), "").await;
    assert_eq!(hotline.cloud.versions(hotline.bucket("recordings"), &calls).await, Vec::<String>::new());
    let salts = async |call: &Transcript| {
        let mut salts = vec![];
        for recording in &call.recordings {
            let pk = format!("salt#{}#{}", shop.tenant, recording.sid);
            salts.extend(hotline.cloud.item(hotline.table("keys"), &[("pk", &pk), ("sk", "salt")]).await);
        }
        salts.len()
    };
    assert_eq!((salts(&parted_call).await, salts(&call).await), (0, 4));

    shop.settings(&[("retention.recording-months", "24")]).await;
    let page = shop.owner.get(&page_of(&reference)).await;
    let lift = page.forms().into_iter().find(|form| form.value("do") == Some("lift")).unwrap();
    shop.owner.send_form(&lift, &[]).await;
    shop.night(bin_day, &reference).await;
    shop.night(days(90, bin_day), "").await;
    eventually("nothing of the four takes", async || shop.left(&reference, &call).await.is_empty().then_some(())).await;
}

#[tokio::test]
async fn a_shorter_time_for_files_counts_ninety_days_later_also_for_who_never_changed_it_before() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "retention-promise").await;
    let (reference, _) = shop.answered(67).await;
    shop.beside(&reference).await;
    let closed_on = shop.closed_on(&reference).await;
    let files = format!("attachments/{}/{reference}/", shop.tenant);
    let there = async || hotline.cloud.versions(hotline.bucket("recordings"), &files).await.len();
    let before = there().await;
    shop.night(days(60, closed_on), "").await;
    shop.settings(&[("retention.attachment-months", "1")]).await;
    for day in [61, 62, 61 + 89] {
        shop.night(days(day, closed_on), "").await;
        assert_eq!(there().await, before, "{day} days after the answer");
    }
    shop.night(days(61 + 90, closed_on), "").await;
    assert!(there().await < before);
}

#[tokio::test]
async fn what_was_held_on_its_day_goes_later_also_where_times_were_made_longer_meanwhile() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "retention-longer").await;
    let (reference, _) = shop.answered(70).await;
    let closed_on = shop.closed_on(&reference).await;
    let hold = shop.owner.get(&page_of(&reference)).await.form(&["do", "reason"]);
    shop.owner.send_form(&hold, &[("reason", "A matter.")]).await;
    shop.night(binned_on(closed_on), "").await;
    shop.settings(&[("retention.request-months", "36")]).await;
    let page = shop.owner.get(&page_of(&reference)).await;
    let lift = page.forms().into_iter().find(|form| form.value("do") == Some("lift")).unwrap();
    shop.owner.send_form(&lift, &[]).await;
    shop.night(days(1, binned_on(closed_on)), &reference).await;
    assert!(shop.stored(&reference).await.unwrap().get("binned_on").is_none(), "three years now");
    let later = closed_on.checked_add(36.months()).unwrap().tomorrow().unwrap();
    shop.night(later, "").await;
    eventually("the bin", async || shop.stored(&reference).await.unwrap().get("binned_on").cloned()).await;
}

#[tokio::test]
async fn a_crash_in_the_middle_is_finished_by_the_next_night_with_one_proof() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "retention-crash").await;
    let (reference, call) = shop.answered(64).await;
    shop.beside(&reference).await;
    let bin_day = binned_on(shop.closed_on(&reference).await);
    shop.night(bin_day, "").await;
    // It was claimed, its salts and one of its files are gone, and then the machine went down.
    let claim = json!({ "on": days(90, bin_day), "notes": 1, "files": 2, "messages": 1, "recordings": 9 }).to_string();
    shop.plant(&reference, "SET erasing = :claim", json!({ ":claim": { "S": claim } })).await;
    let salt = json!({
        "TableName": hotline.table("keys"),
        "Key": { "pk": { "S": format!("salt#{}#{reference}", shop.tenant) }, "sk": { "S": "salt" } },
    });
    hotline.cloud.call("dynamodb:DeleteItem", salt).await;
    let files =
        hotline.cloud.keys(hotline.bucket("recordings"), &format!("attachments/{}/{reference}/", shop.tenant)).await;
    // A marker, under which the version still lies.
    hotline.cloud.delete_object(hotline.bucket("recordings"), &files[0]).await;
    // Nothing brings it back now.
    let bin = shop.owner.get("/dashboard/recycle-bin").await;
    assert_eq!(shop.owner.send_form(&Shop::restore(&bin, &reference), &[]).await.status(), 404);

    for day in [90, 91] {
        shop.night(days(day, bin_day), "").await;
    }
    assert!(shop.stored(&reference).await.is_none());
    eventually("nothing is left", async || shop.left(&reference, &call).await.is_empty().then_some(())).await;
    let proof = shop.owner.get(&format!("/dashboard/audit?act=erased&on={reference}")).await.text();
    assert_eq!(proof.matches("jobs-retention").count(), 1, "one proof: {proof}");
    assert_eq!(shop.verify().await["ok"], true);
}

#[tokio::test]
async fn one_request_that_cannot_be_read_holds_up_no_other_and_the_run_says_so() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "retention-poison").await;
    let (poisoned, _) = shop.answered(65).await;
    let (well, _) = shop.answered(66).await;
    let closed_on = shop.closed_on(&well).await;
    let respond_by = shop.stored(&poisoned).await.unwrap()["respond_by"].clone();
    shop.plant(&poisoned, "SET respond_by = :by", json!({ ":by": { "S": "some day" } })).await;
    let at = shop.night(binned_on(closed_on), "").await;
    assert!(shop.stored(&well).await.unwrap().get("binned_on").is_some());
    assert!(shop.stored(&poisoned).await.unwrap().get("binned_on").is_none());
    let run = shop.run(&at).await.to_string();
    assert!(run.contains("failed") && run.contains("tried again by itself"), "{run}");
    shop.plant(&poisoned, "SET respond_by = :by", json!({ ":by": { "S": respond_by } })).await;
    shop.night(binned_on(closed_on), &poisoned).await;
    assert!(shop.stored(&poisoned).await.unwrap().get("binned_on").is_some());
}
