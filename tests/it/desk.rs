//! The request desk over the real thing: a call comes in, somebody works on it, and what the law wants is kept.

use std::io::Read as _;

use domain::language::Language;
use domain::reference::Reference;
use domain::request::Kind;
use flate2::read::GzDecoder;
use phone::{Script, Transcript};
use serde_json::Value;
use tests::hotline::Code;
use tests::person::{Form, Seen};
use tests::{Hotline, Person, answers, eventually, planted};

/// A telephone call in which somebody asks for this.
async fn call(hotline: &Hotline, n: u8, code: &str, kind: Kind) -> Transcript {
    let mut caller = Script::new(answers::request(Language::English, Some(code), kind));
    let call = hotline.call(&planted::caller(planted::DESK, n), &mut caller).await;
    assert!(call.reference_number().is_some(), "{call}");
    call
}

async fn desk<'a>(hotline: &'a Hotline, slug: &str, code: &str) -> (Person<'a>, String) {
    let (owner, _, tenant) = Person::owner_of(hotline, slug, &[Code::new(code, "Desk Shop")]).await;
    (owner, tenant)
}

fn page_of(reference: &str) -> String {
    format!("/dashboard/request/{reference}")
}

fn spaced(reference: &str) -> String {
    Reference::parse(reference).unwrap().to_string()
}

/// The form of one action on a request's page.
fn action(page: &Seen, action: &str) -> Form {
    let form = page.forms().into_iter().find(|form| form.value("action") == Some(action));
    form.unwrap_or_else(|| panic!("{} ({}) offers no {action}: {}", page.target, page.status(), page.text()))
}

fn offers(page: &Seen) -> Vec<String> {
    page.forms().iter().filter_map(|form| form.value("action").map(str::to_owned)).collect()
}

/// Where the first link that begins like this leads.
fn link(page: &Seen, begins: &str) -> String {
    let text = page.text();
    let start = text.find(begins).unwrap_or_else(|| panic!("no {begins} at {}: {text}", page.target));
    text[start..].split('"').next().unwrap().to_owned()
}

async fn stored(hotline: &Hotline, tenant: &str, reference: &str) -> Value {
    let pk = format!("{tenant}#{}", &reference[..2]);
    let item = hotline.cloud.item(hotline.table("requests"), &[("pk", &pk), ("sk", reference)]).await;
    item.unwrap_or_else(|| panic!("{reference} is not stored"))
}

#[tokio::test]
async fn a_call_is_in_the_inbox_and_is_worked_to_completion() {
    let hotline = Hotline::open();
    let (mut owner, tenant) = desk(&hotline, "desk-work", "5901").await;
    let call = call(&hotline, 0, "5901", Kind::Delete).await;
    let reference = call.reference_number().unwrap();

    let inbox = owner.get("/dashboard/requests").await;
    assert_eq!(inbox.status(), 200);
    assert!(inbox.text().contains(&spaced(&reference)), "{}", inbox.text());
    let page = owner.get(&page_of(&reference)).await;
    let text = page.text();
    assert!(text.contains(&planted::caller(planted::DESK, 0)), "the number to answer: {text}");
    assert!(text.contains("11 CCR 7021"), "the statute of its dates: {text}");
    assert!(!offers(&page).contains(&"acknowledge".to_owned()), "it was confirmed on the call");

    // What is missing is said beside its field, and nothing happened.
    let form = action(&page, "complete");
    let wrong = owner.send_form(&form, &[("done", "Deleted <b>everything</b>.")]).await;
    assert_eq!(wrong.status(), 422);
    assert!(wrong.text().contains("Deleted &lt;b&gt;everything&lt;/b&gt;.") && !wrong.text().contains("<b>everything"));
    assert_eq!(stored(&hotline, &tenant, &reference).await["state"], "received");

    let done = owner.send_form(&form, &[("done", "Deleted everything."), ("identity", "The account matched.")]).await;
    assert_eq!((done.status(), done.path()), (200, page_of(&reference).as_str()), "{}", done.text());
    assert!(done.text().contains("Deleted everything.") && done.text().contains("Completed"), "{}", done.text());
    assert_eq!(offers(&done).iter().filter(|offer| *offer == "complete").count(), 0, "it is closed");

    let item = stored(&hotline, &tenant, &reference).await;
    assert_eq!((&item["state"], &item["outcome"]), (&"completed".into(), &"complied-in-whole".into()));
    assert!(item.get("open_pk").is_none() && item["closed_pk"] == tenant.as_str(), "{item:#}");
    assert!(!item.to_string().contains("Deleted everything"), "what somebody typed is sealed: {item:#}");
    assert_eq!(item["events"].as_array().unwrap().len(), 4, "received, reviewed, begun, completed: {item:#}");
    let closed = owner.get("/dashboard/requests?state=closed").await;
    assert!(closed.text().contains(&spaced(&reference)));
    assert!(!owner.get("/dashboard/requests").await.text().contains(&spaced(&reference)));

    let again = owner.send_form(&action(&done, "reopen"), &[("why", "They wrote again.")]).await;
    assert!(again.text().contains("In review"), "{}", again.text());
    assert!(stored(&hotline, &tenant, &reference).await.get("closed_on").is_none());
}

#[tokio::test]
async fn who_opts_out_is_never_asked_to_prove_who_they_are() {
    let hotline = Hotline::open();
    let (mut owner, _) = desk(&hotline, "desk-opt-out", "5902").await;
    let call = call(&hotline, 1, "5902", Kind::OptOut).await;
    let page = owner.get(&page_of(&call.reference_number().unwrap())).await;
    let offered = offers(&page);
    assert!(!offered.contains(&"verify".to_owned()) && !offered.contains(&"extend".to_owned()), "{offered:?}");
    assert!(page.text().contains("11 CCR 7026(d)"), "{}", page.text());
    // Nor does a form that was never given help.
    let mut form = action(&page, "complete");
    form.fields.iter_mut().filter(|(name, _)| name == "action").for_each(|(_, value)| *value = "verify".into());
    let refused = owner.send_form(&form, &[("asked", "A passport.")]).await;
    assert_eq!(refused.status(), 422);
}

#[tokio::test]
async fn the_second_of_two_people_is_told_what_the_first_did_and_keeps_their_words() {
    let hotline = Hotline::open();
    let (mut owner, tenant) = desk(&hotline, "desk-two", "5903").await;
    let call = call(&hotline, 2, "5903", Kind::KnowCategories).await;
    let reference = call.reference_number().unwrap();
    let page = owner.get(&page_of(&reference)).await;
    let (first, second) = (action(&page, "deny"), action(&page, "complete"));
    let denied = owner
        .send_form(
            &first,
            &[("ground", "not-verified"), ("explanation", "Nobody answered."), ("offered", "The policy.")],
        )
        .await;
    assert_eq!(denied.status(), 200, "{}", denied.text());
    let told = owner.send_form(&second, &[("done", "Sent the list."), ("identity", "It matched.")]).await;
    assert_eq!(told.status(), 409, "{}", told.text());
    let text = told.text();
    assert!(
        text.contains("Olga Owner") && text.contains("Nobody answered.") && text.contains("Sent the list."),
        "{text}"
    );
    assert_eq!(stored(&hotline, &tenant, &reference).await["state"], "denied");
}

#[tokio::test]
async fn a_message_is_filed_as_all_that_it_asks_with_one_day_of_receipt() {
    let hotline = Hotline::open();
    let (mut owner, tenant) = desk(&hotline, "desk-message", "5904").await;
    let call = call(&hotline, 3, "5904", Kind::Message).await;
    let reference = call.reference_number().unwrap();
    let page = owner.get(&page_of(&reference)).await;
    let mut form = action(&page, "classify");
    form.fields.push(("kinds".into(), "delete".into()));
    form.fields.push(("kinds".into(), "opt-out".into()));
    let filed = owner.send_form(&form, &[]).await;
    assert_eq!(filed.status(), 200, "{}", filed.text());
    let first = stored(&hotline, &tenant, &reference).await;
    assert_eq!(first["kind"], "delete");
    let [further] = first["further"].as_array().unwrap().as_slice() else { panic!("{first:#}") };
    let second = stored(&hotline, &tenant, further.as_str().unwrap()).await;
    assert_eq!((&second["kind"], &second["first"]), (&"opt-out".into(), &reference.as_str().into()));
    assert_eq!(second["received_on"], first["received_on"]);
    let page = owner.get(&page_of(further.as_str().unwrap())).await;
    assert!(page.text().contains(&planted::caller(planted::DESK, 3)), "its contact opens under its own salt");
    assert!(page.text().contains("/dashboard/recording/"), "what was said belongs to both");
}

#[tokio::test]
async fn markup_in_a_note_is_text_and_a_form_sent_twice_makes_one_note() {
    let hotline = Hotline::open();
    let (mut owner, tenant) = desk(&hotline, "desk-notes", "5905").await;
    let call = call(&hotline, 4, "5905", Kind::Limit).await;
    let reference = call.reference_number().unwrap();
    let page = owner.get(&page_of(&reference)).await;
    let form = page.form(&["id", "note"]);
    let note = "<script>alert(\"quetzal\")</script>\n</textarea><img src=x onerror=alert(1)>";
    for _ in 0..2 {
        let seen = owner.send_form(&form, &[("note", note)]).await;
        let text = seen.text();
        assert_eq!(text.matches("&lt;script&gt;alert(").count(), 1, "{text}");
        assert!(!text.contains("<script>alert") && !text.contains("<img src=x"), "{text}");
    }
    let filter = serde_json::json!({
        "FilterExpression": "begins_with(sk, :note)",
        "ExpressionAttributeValues": { ":note": { "S": format!("{reference}#note#") } },
    });
    let notes = hotline.cloud.scan(hotline.table("requests"), filter).await;
    assert_eq!(notes.len(), 1);
    assert!(!notes[0].to_string().contains("quetzal") && notes[0].to_string().contains(&tenant), "{}", notes[0]);
    let empty = owner.send_form(&form, &[("note", " ")]).await;
    assert_eq!(empty.status(), 422);
}

#[tokio::test]
async fn a_file_is_kept_sealed_and_comes_back_as_it_went() {
    let hotline = Hotline::open();
    let (mut owner, tenant) = desk(&hotline, "desk-files", "5906").await;
    let call = call(&hotline, 5, "5906", Kind::OptOut).await;
    let reference = call.reference_number().unwrap();
    let page = owner.get(&page_of(&reference)).await;
    let form = page.forms().into_iter().find(|form| form.action.contains("/attach/")).unwrap();
    let fields: Vec<(&str, &str)> = ["csrf", "id"].into_iter().map(|name| (name, form.value(name).unwrap())).collect();

    let refused = owner.post_multipart(&form.action, &fields, ("file", "letter.pdf", b"MZ\x90\x00\x03")).await;
    assert_eq!(refused.status(), 422, "{}", refused.text());

    let bytes = [b"%PDF-1.7\n".as_slice(), &[0x80, 0, 0xff], b"quetzal"].concat();
    let kept = owner.post_multipart(&form.action, &fields, ("file", "Poder <notarial> ñ.pdf", &bytes)).await;
    assert_eq!(kept.status(), 200, "{}", kept.text());
    assert!(kept.text().contains("Poder &lt;notarial&gt; ñ.pdf"), "{}", kept.text());
    let href = link(&kept, "/dashboard/attachment/");
    let got = owner.get(&href).await;
    assert_eq!((got.status(), &got.answer.body), (200, &bytes));
    let disposition = got.answer.header("content-disposition").unwrap();
    assert!(disposition.starts_with("attachment;") && disposition.contains("%C3%B1.pdf"), "{disposition}");

    let prefix = format!("attachments/{tenant}/{reference}/");
    let keys = hotline.cloud.keys(hotline.bucket("recordings"), &prefix).await;
    assert_eq!(keys.len(), 1, "{keys:?}");
    let sealed = hotline.cloud.object(hotline.bucket("recordings"), &keys[0]).await.unwrap();
    assert!(!sealed.windows(7).any(|window| window == b"quetzal"));
}

#[tokio::test]
async fn a_recording_is_heard_in_parts_and_its_transcript_read() {
    let hotline = Hotline::open();
    let (mut owner, tenant) = desk(&hotline, "desk-recordings", "5907").await;
    let call = call(&hotline, 6, "5907", Kind::Correct).await;
    let reference = call.reference_number().unwrap();
    let recording = &call.recordings[0];
    hotline.recording(&tenant, &call.call_sid, &recording.sid, "audio").await;
    hotline.recording(&tenant, &call.call_sid, &recording.sid, "transcript").await;
    let page = owner.get(&page_of(&reference)).await;
    assert!(planted::MARKERS.iter().any(|marker| page.text().contains(marker)), "{}", page.text());
    let src = link(&page, "/dashboard/recording/");
    let all = owner.get(&src).await;
    assert_eq!((all.status(), &all.answer.body), (200, &recording.audio));
    assert_eq!(all.answer.header("content-type"), Some("audio/mpeg"));
    let part = owner.once("GET", &src, &[("range", "bytes=2-5")], &[]).await;
    assert_eq!((part.status(), part.answer.body.as_slice()), (206, &recording.audio[2..=5]));
    let whole = format!("bytes 2-5/{}", recording.audio.len());
    assert_eq!(part.answer.header("content-range"), Some(whole.as_str()));

    // The link is this session's.
    let (mut other, _) = desk(&hotline, "desk-recordings-other", "5917").await;
    assert_eq!(other.get(&src).await.status(), 404);
}

#[tokio::test]
async fn a_letter_is_entered_once_with_its_true_date_found_by_what_it_says_and_exported_without_a_formula() {
    let hotline = Hotline::open();
    let (mut owner, tenant) = desk(&hotline, "desk-letter", "5908").await;
    let page = owner.get("/dashboard/new-request").await;
    let form = page.form(&["id", "received"]);
    let today = form.value("received").unwrap().to_owned();
    let typed = [
        ("kind", "delete"),
        ("channel", "mail"),
        ("code", "5908"),
        ("name", "=HYPERLINK(\"http://example.com\")"),
        ("phone", "(657) 555-0190"),
        ("email", "Quetzal@Example.com"),
        ("received", today.as_str()),
    ];
    let future = owner.send_form(&form, &[&typed[..6], &[("received", "2999-01-01")]].concat()).await;
    assert_eq!(future.status(), 422);
    assert!(future.text().contains("=HYPERLINK"), "what was typed stays: {}", future.text());
    let entered = owner.send_form(&form, &typed).await;
    let reference = entered.path().rsplit('/').next().unwrap().to_owned();
    assert_eq!(entered.path(), page_of(&reference), "{}", entered.text());
    let again = owner.send_form(&form, &typed).await;
    assert_eq!(again.path(), entered.path(), "sent twice, entered once");
    assert!(offers(&entered).contains(&"acknowledge".to_owned()), "nobody has told the person yet");
    let item = stored(&hotline, &tenant, &reference).await;
    assert_eq!((&item["channel"], &item["received_on"]), (&"mail".into(), &today.as_str().into()));

    let inbox = owner.get("/dashboard/requests").await;
    for what in ["+1 657 555 0190", "quetzal@example.COM"] {
        let found = owner.submit(&inbox, &["q"], &[("q", what)]).await;
        assert!(found.text().contains(&page_of(&reference)), "{what}: {}", found.text());
        assert!(!found.target.contains("555") && !found.target.contains("uetzal"), "{}", found.target);
    }
    let there = owner.submit(&inbox, &["q"], &[("q", &reference)]).await;
    assert_eq!(there.path(), page_of(&reference));

    let page = owner.get("/dashboard/export").await;
    let file = owner.submit(&page, &["from", "to"], &[("contacts", "on")]).await;
    assert_eq!(file.answer.header("content-encoding"), Some("gzip"), "{}", file.status());
    let mut csv = String::new();
    GzDecoder::new(file.answer.body.as_slice()).read_to_string(&mut csv).unwrap();
    assert!(csv.contains("'=HYPERLINK") && csv.contains("'+16575550190") && csv.contains(&spaced(&reference)), "{csv}");
    let plain = owner.submit(&page, &["from", "to"], &[]).await;
    let mut csv = String::new();
    GzDecoder::new(plain.answer.body.as_slice()).read_to_string(&mut csv).unwrap();
    assert!(csv.contains(&spaced(&reference)) && !csv.contains("HYPERLINK"), "{csv}");

    let record = owner.get(&format!("/dashboard/record/{reference}")).await;
    assert!(record.answer.body.starts_with(b"%PDF-"), "{}", record.status());
}

#[tokio::test]
async fn one_decision_for_many_has_a_result_for_each() {
    let hotline = Hotline::open();
    let (mut owner, tenant) = desk(&hotline, "desk-bulk", "5909").await;
    let mut references = vec![];
    for n in 7..10 {
        references.push(call(&hotline, n, "5909", Kind::OptOut).await.reference_number().unwrap());
    }
    let inbox = owner.get("/dashboard/requests").await;
    let text = inbox.text();
    let values: Vec<String> = references
        .iter()
        .map(|reference| {
            let start = text.find(&format!("value=\"{reference}.")).unwrap_or_else(|| panic!("{text}")) + 7;
            text[start..].split('"').next().unwrap().to_owned()
        })
        .collect();
    // Somebody is faster with the last one.
    let page = owner.get(&page_of(&references[2])).await;
    owner.send_form(&action(&page, "withdraw"), &[("how", "They called.")]).await;

    let mut form = inbox.forms().into_iter().find(|form| form.action == "/dashboard/bulk").unwrap();
    form.fields.retain(|(name, _)| name != "action");
    form.fields.push(("action".into(), "complete".into()));
    form.fields.extend(values.iter().map(|value| ("request".to_owned(), value.clone())));
    let asked = owner.send_form(&form, &[]).await;
    assert_eq!(asked.status(), 200, "{}", asked.text());
    let results = owner.submit(&asked, &["step", "done"], &[("done", "Stopped selling.")]).await;
    let text = results.text();
    assert_eq!(results.status(), 200, "{text}");
    assert!(text.contains("2 of 3 done") && text.contains("A colleague changed it meanwhile"), "{text}");
    for (reference, state) in references.iter().zip(["completed", "completed", "withdrawn"]) {
        assert_eq!(stored(&hotline, &tenant, reference).await["state"], state, "{reference}");
    }
}

#[tokio::test]
async fn another_tenants_things_do_not_exist_here() {
    let hotline = Hotline::open();
    let (mut a, _) = desk(&hotline, "desk-tenant-a", "5910").await;
    let (mut b, _) = desk(&hotline, "desk-tenant-b", "5911").await;
    let call = call(&hotline, 10, "5911", Kind::Delete).await;
    let reference = call.reference_number().unwrap();
    let theirs = b.get(&page_of(&reference)).await;
    assert_eq!(theirs.status(), 200);
    let own = a.get("/dashboard/requests").await;
    let csrf = own.form(&["q"]).value("csrf").unwrap().to_owned();

    for target in [page_of(&reference), format!("/dashboard/record/{reference}")] {
        assert_eq!(a.get(&target).await.status(), 404, "{target}");
    }
    let id = theirs.form(&["id", "note"]).value("id").unwrap().to_owned();
    let version = action(&theirs, "withdraw").value("version").unwrap().to_owned();
    let act = [("csrf", csrf.as_str()), ("action", "withdraw"), ("version", &version), ("how", "x")];
    assert_eq!(a.post(&format!("/dashboard/act/{reference}"), &act).await.status(), 404);
    let note = [("csrf", csrf.as_str()), ("id", &id), ("note", "x")];
    assert_eq!(a.post(&format!("/dashboard/note/{reference}"), &note).await.status(), 404);
    let file = ("file", "a.txt", b"x".as_slice());
    let attached = a.post_multipart(&format!("/dashboard/attach/{reference}"), &note[..2], file).await;
    assert_eq!(attached.status(), 404);
    let chosen = format!("{reference}.{version}");
    let bulk = [("csrf", csrf.as_str()), ("action", "complete"), ("step", "go"), ("request", &chosen), ("done", "x")];
    assert!(a.post("/dashboard/bulk", &bulk).await.text().contains("There is no such request."));
    let found = a.post("/dashboard/requests", &[("csrf", &csrf), ("q", &reference)]).await;
    assert!(!found.text().contains(&page_of(&reference)), "{}", found.text());
    let by_number = [("csrf", csrf.as_str()), ("q", &planted::caller(planted::DESK, 10))];
    assert!(!a.post("/dashboard/requests", &by_number).await.text().contains(&page_of(&reference)));
    assert_eq!(a.get("/dashboard/requests?after=AAAA").await.status(), 404);
    assert!(b.get(&page_of(&reference)).await.text().contains("Received"), "nothing has happened to it");
}

#[tokio::test]
async fn a_reader_changes_nothing() {
    let hotline = Hotline::open();
    let (mut owner, tenant) = desk(&hotline, "desk-viewer", "5912").await;
    let call = call(&hotline, 11, "5912", Kind::Limit).await;
    let reference = call.reference_number().unwrap();
    let page = owner.get(&page_of(&reference)).await;
    let form = action(&page, "complete");
    owner.become_a("viewer").await;
    let seen = owner.get(&page_of(&reference)).await;
    assert_eq!(seen.status(), 200);
    assert!(offers(&seen).is_empty() && !seen.text().contains("/dashboard/note/"), "{}", seen.text());
    assert_eq!(owner.send_form(&form, &[("done", "x")]).await.status(), 403);
    for target in ["/dashboard/new-request", "/dashboard/export", &format!("/dashboard/record/{reference}")] {
        assert_eq!(owner.get(target).await.status(), 403, "{target}");
    }
    assert_eq!(stored(&hotline, &tenant, &reference).await["state"], "received");
}

#[tokio::test]
async fn the_overview_counts_what_calls_bring_and_each_change_once() {
    let hotline = Hotline::open();
    let (mut owner, tenant) = desk(&hotline, "desk-counts", "5913").await;
    let table = hotline.table("tallies").to_owned();
    let sum = async |counter: &str| -> i64 {
        let filter = serde_json::json!({
            "FilterExpression": "pk = :pk AND begins_with(sk, :due)",
            "ExpressionAttributeValues": { ":pk": { "S": tenant }, ":due": { "S": "due#" } },
        });
        let items = hotline.cloud.scan(&table, filter).await;
        let of = |item: &Value| item.get(counter).and_then(|n| n["N"].as_str()?.parse::<i64>().ok()).unwrap_or(0);
        items.iter().map(of).sum()
    };
    let mut references = vec![];
    for n in 12..15 {
        references.push(call(&hotline, n, "5913", Kind::OptOut).await.reference_number().unwrap());
    }
    eventually("three open requests", async || (sum("kind.opt-out").await == 3).then_some(())).await;
    let page = owner.get(&page_of(&references[0])).await;
    owner.send_form(&action(&page, "complete"), &[("done", "Done.")]).await;
    eventually("two open requests", async || (sum("kind.opt-out").await == 2).then_some(())).await;
    assert_eq!((sum("state.received").await, sum("state.incomplete").await), (2, 0));
    let overview = owner.get("/dashboard/overview").await;
    assert_eq!(overview.status(), 200);
    assert!(overview.text().contains(&spaced(&references[1])), "{}", overview.text());
    assert!(overview.text().contains("100%"), "answered on time: {}", overview.text());
    let home = owner.once("GET", "/dashboard", &[], &[]).await;
    assert_eq!(home.status(), 200);
}

/// `dynamodb:Query=1` by service and operation, of the last page of a function.
async fn dynamodb_calls(hotline: &Hotline, tenant: &str, function: &str) -> u32 {
    let lines = hotline.cloud.log(&hotline.at.log_groups["dashboard"], Some(tenant)).await;
    let lines: Vec<Value> = lines.iter().filter_map(|(_, line)| serde_json::from_str(line).ok()).collect();
    let line = lines.iter().rev().find(|line| line["fn"] == function);
    let calls = line.and_then(|line| line["aws_calls"].as_str()).unwrap_or_else(|| panic!("{function}: {lines:#?}"));
    calls
        .split_whitespace()
        .filter_map(|call| call.strip_prefix("dynamodb:")?.split_once('='))
        .map(|(_, n)| n.parse::<u32>().unwrap())
        .sum()
}

#[tokio::test]
async fn a_page_of_the_inbox_takes_two_operations_whatever_is_asked_of_it() {
    let hotline = Hotline::open();
    let (mut owner, tenant) = desk(&hotline, "desk-frugal", "5914").await;
    call(&hotline, 15, "5914", Kind::OptOut).await;
    for query in
        ["", "?overdue=on&kind=delete", "?assignee=me", "?state=closed&channel=mail", "?state=received&code=5914"]
    {
        assert_eq!(owner.get(&format!("/dashboard/requests{query}")).await.status(), 200, "{query}");
        let calls = eventually("the inbox's line", async || {
            Some(dynamodb_calls(&hotline, &tenant, "dashboard-requests").await)
        });
        assert_eq!(calls.await, 2, "{query}");
    }
    owner.get("/dashboard/overview").await;
    assert_eq!(dynamodb_calls(&hotline, &tenant, "dashboard-overview").await, 4);
}
