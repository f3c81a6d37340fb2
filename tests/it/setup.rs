//! Setup and proof: what the dashboard saves is what the next call hears, and what it records can be checked by anybody.

use std::process::Stdio;

use domain::audit::{BEGINNING, Link};
use domain::language::Language;
use domain::request::Kind;
use phone::{Script, Step, Transcript};
use serde_json::{Value, json};
use tests::hotline::Code;
use tests::person::{Person, Seen};
use tests::{Hotline, answers, eventually, planted};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

async fn call(hotline: &Hotline, n: u8, code: &str) -> Transcript {
    let mut script = Script::new(answers::request(Language::English, Some(code), Kind::OptOut));
    hotline.call(&planted::caller(planted::SETUP, n), &mut script).await
}

/// One second of silence that plays: PCM of 16 bits, 8 kHz.
fn a_wav(what: u8) -> Vec<u8> {
    let data = vec![what; 16_000];
    let length = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
    let mut wav = b"RIFF".to_vec();
    wav.extend(length(36 + data.len()));
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(8_000_u32.to_le_bytes());
    wav.extend(16_000_u32.to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(length(data.len()));
    wav.extend(data);
    wav
}

#[tokio::test]
async fn a_greeting_that_is_changed_is_heard_by_the_next_call_and_can_be_taken_back() {
    let hotline = Hotline::open();
    let code = "7401";
    let (mut owner, _, _) = Person::owner_of(&hotline, "test-setup-text", &[Code::new(code, "Setup Shop")]).await;
    assert!(call(&hotline, 0, code).await.heard("Welcome to Setup Shop."));
    let address = format!("/dashboard/greeting/{code}?language=en");
    let page = owner.get(&address).await;
    let saved = owner.submit(&page, &["do", "text"], &[("text", "Hello from the new greeting.")]).await;
    assert!(saved.target.ends_with("&saved"), "{} {}", saved.target, saved.text());
    assert!(call(&hotline, 1, code).await.heard("Hello from the new greeting."));
    // What was there before the dashboard changed it is in the history, too.
    let back = saved.forms().into_iter().find(|form| form.value("saved-at").is_some()).unwrap();
    let restored = owner.send_form(&back, &[]).await;
    assert_eq!(restored.status(), 200, "{}", restored.text());
    assert!(call(&hotline, 2, code).await.heard("Welcome to Setup Shop."));
}

/// Sends the upload form of a page to S3 as a browser does: where S3 sends it on.
pub(crate) async fn upload(page: &Seen, file: &[u8], tampered: Option<(&str, &str)>) -> Result<String, (u16, String)> {
    let form = page.forms().into_iter().find(|form| form.value("policy").is_some()).expect("an upload form");
    let boundary = "----tests";
    let mut body = vec![];
    for (name, value) in &form.fields {
        if name == "file" {
            continue;
        }
        let value = tampered.filter(|(what, _)| what == name).map_or(value.as_str(), |(_, value)| value);
        body.extend(
            format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").into_bytes(),
        );
    }
    let head = "content-disposition: form-data; name=\"file\"; filename=\"greeting.wav\"\r\ncontent-type: audio/wav";
    body.extend(format!("--{boundary}\r\n{head}\r\n\r\n").into_bytes());
    body.extend(file);
    body.extend(format!("\r\n--{boundary}--\r\n").into_bytes());
    let client =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let request = client.post(&form.action).header("content-type", format!("multipart/form-data; boundary={boundary}"));
    let answer = request.body(body).send().await.expect("S3");
    let status = answer.status().as_u16();
    match answer.headers().get("location").filter(|_| status == 303) {
        Some(location) => {
            let location = url::Url::parse(location.to_str().expect("text")).expect("an address");
            Ok(location[url::Position::BeforePath..].to_owned())
        }
        None => Err((status, answer.text().await.unwrap_or_default())),
    }
}

#[tokio::test]
async fn a_recording_is_uploaded_listened_to_used_and_played_to_the_next_caller() {
    let hotline = Hotline::open();
    let code = "7402";
    let (mut owner, _, _) = Person::owner_of(&hotline, "test-setup-audio", &[Code::new(code, "Audio Shop")]).await;
    let page = owner.get(&format!("/dashboard/greeting/{code}?language=en")).await;
    let policy = page.answer.header("content-security-policy").unwrap();
    assert!(policy.contains("form-action 'self' http"), "{policy}");
    let back = upload(&page, &a_wav(0), None).await.unwrap();
    let checked = owner.get(&back).await;
    assert_eq!(checked.status(), 200, "{}", checked.text());
    assert!(checked.text().contains("Use this greeting"), "{}", checked.text());
    let used = owner.submit(&checked, &["do", "recording"], &[]).await;
    assert!(used.target.ends_with("&saved"), "{} {}", used.target, used.text());
    let heard = call(&hotline, 10, code).await;
    let played = heard.steps.iter().find_map(|step| match step {
        Step::Played(url) => Some(url.path().to_owned()),
        _ => None,
    });
    let played = played.unwrap_or_else(|| panic!("{heard}"));
    let audio = hotline.exchange("GET", &played, &[], b"").await;
    assert_eq!((audio.status, audio.body), (200, a_wav(0)));
}

#[tokio::test]
async fn what_is_no_recording_is_refused_with_the_reason_and_s3_refuses_what_was_not_signed() {
    let hotline = Hotline::open();
    let code = "7403";
    let (mut owner, _, tenant) = Person::owner_of(&hotline, "test-setup-refused", &[Code::new(code, "No Shop")]).await;
    let address = format!("/dashboard/greeting/{code}?language=en");
    let page = owner.get(&address).await;
    let back = upload(&page, b"<!doctype html><script>alert(1)</script>", None).await.unwrap();
    let refused = owner.get(&back).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.text().contains("neither an MP3 nor a WAV file"), "{}", refused.text());
    let page = owner.get(&address).await;
    for (field, value) in [
        ("key", "greetings/0.mp3"),
        ("key", &format!("uploads/{tenant}/another")),
        ("Content-Type", "text/html"),
        ("x-amz-signature", &"0".repeat(64)),
    ] {
        let (status, why) = upload(&page, &a_wav(1), Some((field, value))).await.unwrap_err();
        assert!((400..=403).contains(&status), "{field}: {status} {why}");
    }
    let (status, why) = upload(&page, &vec![0; 4_000_001], None).await.unwrap_err();
    assert_eq!(status, 400, "{why}");
    let nothing = owner.get(&format!("{address}&upload=forged")).await;
    assert_eq!(nothing.status(), 404, "{}", nothing.text());
}

#[tokio::test]
async fn of_two_who_edit_the_same_the_second_is_told_and_loses_nothing() {
    let hotline = Hotline::open();
    let code = "7404";
    let (mut owner, _, _) = Person::owner_of(&hotline, "test-setup-two", &[Code::new(code, "Two Shop")]).await;
    let address = format!("/dashboard/service-code/{code}");
    let (first, second) = (owner.get(&address).await, owner.get(&address).await);
    let saved = owner.submit(&first, &["version", "name"], &[("name", "First Name")]).await;
    assert_eq!(saved.status(), 200, "{}", saved.text());
    let told = owner.submit(&second, &["version", "name"], &[("name", "Second Name")]).await;
    assert_eq!(told.status(), 409, "{}", told.text());
    assert!(told.text().contains("First Name") && told.text().contains("value=\"Second Name\""), "{}", told.text());
    let insisted = owner.submit(&told, &["version", "name"], &[]).await;
    assert!(insisted.target.ends_with("?saved"), "{}", insisted.text());
    assert_eq!(owner.get(&address).await.form(&["version", "name"]).value("name"), Some("Second Name"));
}

#[tokio::test]
async fn a_code_that_somebody_has_is_taken_and_a_new_one_answers_at_once() {
    let hotline = Hotline::open();
    let (theirs, new) = ("7405", "7406");
    hotline.tenant("test-setup-theirs", &[Code::new(theirs, "Their Shop")], &[]).await;
    let (mut owner, _, _) = Person::owner_of(&hotline, "test-setup-new", &[]).await;
    let page = owner.get("/dashboard/service-code/new").await;
    let typed = |code: &'static str| {
        [
            ("code", code),
            ("name", "New Shop"),
            ("greetings.en", "Welcome to New Shop."),
            ("greetings.es", "Bienvenido."),
        ]
    };
    let taken = owner.submit(&page, &["code", "name"], &typed(theirs)).await;
    assert_eq!(taken.status(), 422);
    assert!(taken.text().contains("This code is taken") && taken.text().contains("New Shop"), "{}", taken.text());
    let made = owner.submit(&taken, &["code", "name"], &[("code", new)]).await;
    assert_eq!((made.status(), made.path()), (200, "/dashboard/service-codes"), "{}", made.text());
    assert!(call(&hotline, 20, new).await.heard("Welcome to New Shop."));
    // Another tenant's code is no code here.
    assert_eq!(owner.get(&format!("/dashboard/service-code/{theirs}")).await.status(), 404);
    assert_eq!(owner.get(&format!("/dashboard/greeting/{theirs}")).await.status(), 404);
}

#[tokio::test]
async fn settings_that_are_wrong_come_back_with_the_reason_beside_each() {
    let hotline = Hotline::open();
    let (mut owner, _, _) = Person::owner_of(&hotline, "test-setup-settings", &[]).await;
    let page = owner.get("/dashboard/settings").await;
    let wrong = [("time-zone", "Mars/Olympus"), ("retention.request-months", "12")];
    let again = owner.submit(&page, &["version", "time-zone"], &wrong).await;
    assert_eq!(again.status(), 422);
    for field in ["time-zone", "retention.request-months"] {
        assert!(again.text().contains(&format!("f-{field}-error")), "{field}: {}", again.text());
    }
    let right = [("time-zone", "America/New_York"), ("retention.request-months", "36")];
    let saved = owner.submit(&again, &["version", "time-zone"], &right).await;
    assert!(saved.target.ends_with("?saved"), "{}", saved.text());
    let there = owner.get("/dashboard/settings").await.form(&["version", "time-zone"]);
    assert_eq!(there.value("retention.request-months"), Some("36"));
}

#[tokio::test]
async fn a_colleague_is_invited_changes_role_and_goes_and_the_last_owner_stays() {
    let hotline = Hotline::open();
    let (mut owner, _, tenant) = Person::owner_of(&hotline, "test-setup-team", &[]).await;
    let email = "test-setup-colleague@shop.example";
    let page = owner.get("/dashboard/team").await;
    let invited = [("name", "Carla"), ("email", email), ("role", "agent")];
    let done = owner.submit(&page, &["do", "email"], &invited).await;
    assert!(done.target.ends_with("?done=invited"), "{}", done.text());
    let link = eventually("the invitation", async || {
        let mails = hotline.mails(email).await;
        let text = mails.into_iter().next_back()?.1;
        text.split_whitespace().find(|word| word.contains("/dashboard/invitation/")).map(str::to_owned)
    })
    .await;
    let mut colleague = Person::new(&hotline);
    colleague.accept(&link, email).await;
    assert_eq!(colleague.get("/dashboard/settings").await.status(), 200);
    assert_eq!(colleague.get("/dashboard/team").await.status(), 403, "only owners manage the team");

    let page = owner.get("/dashboard/team").await;
    let role = page.forms().into_iter().find(|form| form.value("do") == Some("role")).unwrap();
    let user = role.value("user").unwrap().to_owned();
    let changed = owner.send_form(&role, &[("role", "manager")]).await;
    assert!(changed.target.ends_with("?done=role"), "{}", changed.text());
    let ended = colleague.get("/dashboard/settings").await;
    assert_eq!(ended.path(), "/dashboard/sign-in", "a changed role ends sessions");

    let removal = owner.get("/dashboard/team").await.forms().into_iter();
    let removal =
        removal.filter(|form| form.value("do") == Some("remove")).find(|form| form.value("user") == Some(&user));
    let gone = owner.send_form(&removal.unwrap(), &[]).await;
    assert!(gone.target.ends_with("?done=removed") && !gone.text().contains(email), "{}", gone.text());

    // Nobody else is left: the form for oneself is not on the page, and sending one all the same changes nothing.
    let csrf = gone.form(&["do", "email"]).value("csrf").unwrap().to_owned();
    let users = hotline.cloud.items_with(hotline.table("accounts"), "pk", &tenant).await;
    let active = users.iter().find(|item| item["role"] == "owner" && item["state"] == "active").unwrap();
    let me = active["sk"].as_str().unwrap().trim_start_matches("user#").to_owned();
    for fields in [vec![("do", "remove")], vec![("do", "role"), ("role", "viewer")]] {
        let fields: Vec<_> = fields.into_iter().chain([("user", me.as_str()), ("csrf", csrf.as_str())]).collect();
        assert_eq!(owner.post("/dashboard/team", &fields).await.status(), 409);
    }
    assert_eq!(owner.get("/dashboard/team").await.status(), 200);
}

#[tokio::test]
async fn the_yearly_report_and_the_log_count_what_came_in_and_name_nobody() {
    let hotline = Hotline::open();
    let code = "7407";
    let (mut owner, _, tenant) =
        Person::owner_of(&hotline, "test-setup-report", &[Code::new(code, "Report Shop")]).await;
    let mut references = vec![];
    for n in 0..3 {
        let call = call(&hotline, 30 + n, code).await;
        references.push(call.reference_number().unwrap());
        hotline.usage(&tenant, &call.call_sid).await;
    }
    let year = &references_year(&hotline, &tenant).await;
    let report = eventually("three requests in the report", async || {
        let file = owner.get(&format!("/dashboard/report?year={year}&scope=all&format=json")).await;
        let report: Value = serde_json::from_str(&file.text()).ok()?;
        let rows = report["report"]["rows"].as_array()?.clone();
        let opt_out = rows.into_iter().find(|row| row["sort"] == "opt-out")?;
        (opt_out["tally"]["received"] == 3).then_some(report)
    })
    .await;
    assert_eq!(report["regulation"], "11 CCR 7102");
    let again = owner.get(&format!("/dashboard/report?year={year}&scope=all&format=csv")).await;
    let once_more = owner.get(&format!("/dashboard/report?year={year}&scope=all&format=csv")).await;
    assert_eq!(again.answer.body, once_more.answer.body, "reproducible");

    let log = owner.get("/dashboard/request-log?format=json").await;
    let log: Value = serde_json::from_str(&log.text()).unwrap();
    let rows = log["requests"].as_array().unwrap();
    let mut found: Vec<&str> = rows.iter().map(|row| row["reference"].as_str().unwrap()).collect();
    found.sort_unstable();
    references.sort_unstable();
    assert_eq!(found, references);
    for row in rows {
        let names: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["basis", "channel", "kind", "received-on", "reference", "responded-on", "response"]);
    }
    assert_eq!(owner.get("/dashboard/request-log").await.status(), 200);
    assert_eq!(owner.get("/dashboard/usage").await.status(), 200);
    let used = owner.get("/dashboard/usage").await.text();
    assert!(used.contains("Billed minutes"), "{used}");
}

#[tokio::test]
async fn a_recount_finds_no_difference_and_mends_a_counter_that_somebody_spoiled() {
    let hotline = Hotline::open();
    let (code, slug) = ("7411", "test-setup-recount");
    let tenant = hotline.tenant(slug, &[Code::new(code, "Recount Shop")], &[]).await;
    for n in 0..3 {
        call(&hotline, 60 + n, code).await;
    }
    let recount = async |dry_run: bool| {
        let order = json!({ "tenant": slug, "dry-run": dry_run });
        hotline.cloud.invoke(&hotline.at.functions["jobs-recount"], &order).await.unwrap()
    };
    let right = |found: &Value| found["requests"] == 3 && found["missed"] == 0 && found["differences"] == json!({});
    eventually("three requests that are counted", async || right(&recount(true).await).then_some(())).await;
    let tallies = hotline.cloud.items_with(hotline.table("tallies"), "pk", &tenant).await;
    let due = tallies.iter().find_map(|item| item["sk"].as_str().filter(|sk| sk.starts_with("due#"))).unwrap();
    let input = json!({
        "TableName": hotline.table("tallies"),
        "Key": { "pk": { "S": tenant }, "sk": { "S": due } },
        "UpdateExpression": "ADD #kind :more",
        "ExpressionAttributeNames": { "#kind": "kind.opt-out" },
        "ExpressionAttributeValues": { ":more": { "N": "7" } },
    });
    hotline.cloud.call("dynamodb:UpdateItem", input).await;
    let found = recount(false).await;
    assert_eq!((&found["differences"][due]["kind.opt-out"], &found["mended"]), (&json!(-7), &json!(true)), "{found}");
    assert!(right(&recount(true).await));
}

/// The year under which this tenant's requests were received.
async fn references_year(hotline: &Hotline, tenant: &str) -> String {
    let requests = hotline.cloud.items_with(hotline.table("requests"), "code", "7407").await;
    let request = requests.iter().find(|item| item["pk"].as_str().is_some_and(|pk| pk.starts_with(tenant))).unwrap();
    request["received_on"].as_str().unwrap()[..4].to_owned()
}

/// A month's sums are those of its rows, whatever came twice.
#[tokio::test]
async fn the_usage_page_shows_the_sums_of_the_ledger() {
    let hotline = Hotline::open();
    let code = "7408";
    let (mut owner, _, tenant) = Person::owner_of(&hotline, "test-setup-usage", &[Code::new(code, "Usage Shop")]).await;
    let mut seconds = 0;
    for n in 0..2 {
        let call = call(&hotline, 40 + n, code).await;
        seconds += hotline.usage(&tenant, &call.call_sid).await["seconds"].as_i64().unwrap();
    }
    let months = hotline.cloud.items_with(hotline.table("usage"), "calls", "1").await.len();
    let page = owner.get("/dashboard/usage").await;
    assert_eq!(page.status(), 200, "{months}");
    let sums = sums(&hotline, &tenant).await;
    assert_eq!(sums, (2, seconds));
}

async fn sums(hotline: &Hotline, tenant: &str) -> (i64, i64) {
    let input = json!({
        "FilterExpression": "begins_with(pk, :tenant) AND attribute_exists(calls)",
        "ExpressionAttributeValues": { ":tenant": { "S": format!("{tenant}#") } },
    });
    let items = hotline.cloud.scan(hotline.table("usage"), input).await;
    let n = |item: &Value, name: &str| item[name]["N"].as_str().unwrap().parse::<i64>().unwrap();
    items.iter().fold((0, 0), |(calls, seconds), item| (calls + n(item, "calls"), seconds + n(item, "seconds")))
}

// ---- the audit trail

/// What `verify-audit` says of a file: its exit code and its words.
async fn verify_audit(export: &[u8], arguments: &[&str]) -> (i32, String) {
    let program = std::env::current_exe().unwrap();
    // `target/debug/deps/it-…` is a neighbour of `target/debug/verify-audit`.
    let program = program.parent().unwrap().parent().unwrap().join("verify-audit");
    let mut child = Command::new(&program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|why| panic!("{}: {why}; cargo build --package verify-audit", program.display()));
    child.stdin.take().unwrap().write_all(export).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&said).into_owned())
}

async fn verified(hotline: &Hotline, slug: &str) -> Value {
    hotline.cloud.invoke(&hotline.at.functions["jobs-verify-audit"], &json!({ "tenant": slug })).await.unwrap()
}

#[tokio::test]
async fn the_trail_is_verified_by_the_job_and_by_the_program_and_every_tampering_is_found() {
    let hotline = Hotline::open();
    let slug = "test-setup-audit";
    let (mut owner, _, tenant) = Person::owner_of(&hotline, slug, &[]).await;
    for _ in 0..3 {
        assert_eq!(owner.get("/dashboard/audit").await.status(), 200);
    }
    let page = owner.get("/dashboard/audit?act=audit-viewed").await;
    assert!(page.text().contains("Read the audit trail"), "{}", page.text());
    let page = owner.get("/dashboard/audit-export").await;
    let head = page.marked("id=\"head\"").concat();
    let export = owner.submit(&page, &["from", "behind"], &[]).await;
    assert_eq!(export.answer.header("content-type"), Some("application/gzip"));
    let export = export.answer.body;
    let (code, said) = verify_audit(&export, &[]).await;
    assert!(code == 0 && said.starts_with("OK: "), "{code} {said}");
    let found = verified(&hotline, slug).await;
    assert_eq!(found["ok"], true, "{found}");
    let last = found["hash"].as_str().unwrap();
    assert_eq!(last.len(), 64);
    // What the page said before the export is in it; what nobody ever said is not.
    let (code, said) = verify_audit(&export, &["--head", &head]).await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(verify_audit(&export, &["--head", &"0".repeat(64)]).await.0, 1);

    // An entry of the file changed, removed, reordered.
    let lines = unzipped(&export).await;
    let entries: Vec<Link> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!((entries[0].seq, entries[0].previous.as_str()), (1, BEGINNING));
    let changed: Vec<String> = lines
        .iter()
        .enumerate()
        .map(|(n, line)| match n {
            1 => line.replace("127.0.0.1", "192.0.2.1"),
            _ => line.clone(),
        })
        .collect();
    let mut removed = lines.clone();
    removed.remove(1);
    let mut reordered = lines.clone();
    reordered.swap(0, 1);
    for (how, file) in [("changed", changed), ("removed", removed), ("reordered", reordered)] {
        let (code, said) = verify_audit(file.join("\n").as_bytes(), &[]).await;
        assert!(code == 1 && said.starts_with("BROKEN: "), "{how}: {code} {said}");
    }
    assert_eq!(verify_audit(b"no export", &[]).await.0, 2);

    // And an entry of the table, by somebody with the keys to the house.
    let items = hotline.cloud.items_with(hotline.table("audit"), "hash", &entries[1].hash).await;
    let (pk, sk) = (items[0]["pk"].as_str().unwrap(), items[0]["sk"].as_str().unwrap());
    assert!(pk.starts_with(&tenant));
    let input = json!({
        "TableName": hotline.table("audit"),
        "Key": { "pk": { "S": pk }, "sk": { "S": sk } },
        "UpdateExpression": "SET #hash = :hash",
        "ExpressionAttributeNames": { "#hash": "hash" },
        "ExpressionAttributeValues": { ":hash": { "S": "0".repeat(64) } },
    });
    hotline.cloud.call("dynamodb:UpdateItem", input).await;
    let found = verified(&hotline, slug).await;
    assert_eq!((&found["ok"], &found["entries"]), (&json!(false), &json!(1)), "{found}");
    assert!(found["broken"].as_str().unwrap().contains("entry 2 was changed"), "{found}");
}

#[tokio::test]
async fn a_trail_without_its_head_is_broken() {
    let hotline = Hotline::open();
    let slug = "test-setup-head";
    let (_, _, tenant) = Person::owner_of(&hotline, slug, &[]).await;
    assert_eq!(verified(&hotline, slug).await["ok"], true);
    let key = json!({ "pk": { "S": format!("head#{tenant}") }, "sk": { "S": "head" } });
    hotline.cloud.call("dynamodb:DeleteItem", json!({ "TableName": hotline.table("audit"), "Key": key })).await;
    let found = verified(&hotline, slug).await;
    assert_eq!(found["ok"], false, "{found}");
    assert!(found["broken"].as_str().unwrap().contains("head is gone"), "{found}");
}

/// The lines of a gzipped file, by the program that everybody has.
async fn unzipped(gzip: &[u8]) -> Vec<String> {
    let mut child = Command::new("gzip").arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("gzip");
    child.stdin.take().unwrap().write_all(gzip).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn nobody_sees_more_than_their_role_allows() {
    let hotline = Hotline::open();
    let code = "7409";
    let (mut person, _, _) = Person::owner_of(&hotline, "test-setup-roles", &[Code::new(code, "Role Shop")]).await;
    let pages = [
        ("/dashboard/service-codes", ["owner", "manager", "agent", "viewer"].as_slice()),
        ("/dashboard/service-code/7409", &["owner", "manager", "agent", "viewer"]),
        ("/dashboard/service-code/new", &["owner", "manager"]),
        ("/dashboard/greeting/7409", &["owner", "manager"]),
        ("/dashboard/settings", &["owner", "manager", "agent", "viewer"]),
        ("/dashboard/usage", &["owner", "manager", "agent", "viewer"]),
        ("/dashboard/audit", &["owner", "manager"]),
        ("/dashboard/audit-export", &["owner", "manager"]),
        ("/dashboard/report", &["owner", "manager", "agent", "viewer"]),
        ("/dashboard/request-log", &["owner", "manager", "agent", "viewer"]),
        ("/dashboard/team", &["owner"]),
    ];
    for role in ["viewer", "agent", "manager", "owner"] {
        person.become_a(role).await;
        for (page, allowed) in pages {
            let status = person.get(page).await.status();
            assert_eq!(status, if allowed.contains(&role) { 200 } else { 403 }, "{role} {page}");
        }
    }
}
