//! Who gets into which room of the dashboard: every route with no session, every role, and another tenant's things.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::language::Language;
use domain::reference::Reference;
use domain::request::Kind;
use domain::role::{Permission, Role};
use futures::future::join_all;
use phone::{Script, Transcript};
use serde_json::{Value, json};
use tests::hotline::Code;
use tests::person::{Keys, Seen};
use tests::{Hotline, Person, answers, eventually, planted};

use crate::template;

/// Every route of the dashboard, and the permission that it asks for; nothing where nobody needs to be signed in.
pub(crate) const ROOMS: &[(&str, &str, Option<Permission>)] = &[
    ("GET", "/dashboard/sign-in", None),
    ("POST", "/dashboard/sign-in", None),
    ("GET", "/dashboard/second-factor", None),
    ("POST", "/dashboard/second-factor", None),
    ("POST", "/dashboard/passkey", None),
    ("GET", "/dashboard/invitation/{ticket}", None),
    ("POST", "/dashboard/invitation/{ticket}", None),
    ("GET", "/dashboard/reset", None),
    ("POST", "/dashboard/reset", None),
    ("GET", "/dashboard/new-password/{ticket}", None),
    ("POST", "/dashboard/new-password/{ticket}", None),
    ("GET", "/dashboard/unsubscribe/{ticket}", None),
    ("POST", "/dashboard/unsubscribe/{ticket}", None),
    ("GET", "/dashboard/asset/{file}", None),
    ("POST", "/dashboard/sign-out", Some(Permission::OwnAccount)),
    ("GET", "/dashboard/confirm", Some(Permission::OwnAccount)),
    ("POST", "/dashboard/confirm", Some(Permission::OwnAccount)),
    ("GET", "/dashboard/factors", Some(Permission::ChangeFactors)),
    ("POST", "/dashboard/factors", Some(Permission::ChangeFactors)),
    ("GET", "/dashboard/sessions", Some(Permission::OwnAccount)),
    ("POST", "/dashboard/sessions", Some(Permission::OwnAccount)),
    ("GET", "/dashboard/account", Some(Permission::OwnAccount)),
    ("POST", "/dashboard/account", Some(Permission::OwnAccount)),
    ("GET", "/dashboard", Some(Permission::SeeRequests)),
    ("GET", "/dashboard/overview", Some(Permission::SeeRequests)),
    ("GET", "/dashboard/requests", Some(Permission::SeeRequests)),
    ("POST", "/dashboard/requests", Some(Permission::SeeRequests)),
    ("POST", "/dashboard/bulk", Some(Permission::WorkRequests)),
    ("GET", "/dashboard/request/{reference}", Some(Permission::SeeRequests)),
    ("POST", "/dashboard/act/{reference}", Some(Permission::WorkRequests)),
    ("POST", "/dashboard/message/{reference}", Some(Permission::WorkRequests)),
    ("POST", "/dashboard/note/{reference}", Some(Permission::WorkRequests)),
    ("POST", "/dashboard/attach/{reference}", Some(Permission::WorkRequests)),
    ("GET", "/dashboard/attachment/{ticket}", Some(Permission::SeeRequests)),
    ("GET", "/dashboard/recording/{ticket}", Some(Permission::SeeRequests)),
    ("GET", "/dashboard/new-request", Some(Permission::WorkRequests)),
    ("POST", "/dashboard/new-request", Some(Permission::WorkRequests)),
    ("GET", "/dashboard/export", Some(Permission::ExportRequests)),
    ("POST", "/dashboard/export", Some(Permission::ExportRequests)),
    ("GET", "/dashboard/record/{reference}", Some(Permission::ExportRequests)),
    ("GET", "/dashboard/service-codes", Some(Permission::SeeSettings)),
    ("GET", "/dashboard/service-code/{code}", Some(Permission::SeeSettings)),
    ("POST", "/dashboard/service-code/{code}", Some(Permission::EditServiceCodes)),
    ("GET", "/dashboard/notice/{code}", Some(Permission::SeeSettings)),
    ("POST", "/dashboard/notice/{code}", Some(Permission::EditServiceCodes)),
    ("GET", "/dashboard/greeting/{code}", Some(Permission::EditServiceCodes)),
    ("POST", "/dashboard/greeting/{code}", Some(Permission::EditServiceCodes)),
    ("GET", "/dashboard/team", Some(Permission::ManageTeam)),
    ("POST", "/dashboard/team", Some(Permission::ManageTeam)),
    ("GET", "/dashboard/settings", Some(Permission::SeeSettings)),
    ("POST", "/dashboard/settings", Some(Permission::EditSettings)),
    ("GET", "/dashboard/usage", Some(Permission::SeeSettings)),
    ("GET", "/dashboard/audit", Some(Permission::SeeAudit)),
    ("GET", "/dashboard/audit-export", Some(Permission::ExportAudit)),
    ("POST", "/dashboard/audit-export", Some(Permission::ExportAudit)),
    ("GET", "/dashboard/report", Some(Permission::SeeReports)),
    ("GET", "/dashboard/request-log", Some(Permission::SeeReports)),
];

#[test]
fn every_route_of_the_template_has_an_entry_here() {
    let template = template::template();
    let functions = template::functions(&template);
    let routes = functions.values().flat_map(|(_, properties)| template::routes(properties));
    let there: BTreeSet<(String, String)> = routes.filter(|(_, path)| path.starts_with("/dashboard")).collect();
    let here = ROOMS.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(there, here);
}

/// Something that nobody has drawn before, so that a test can run again on the same cloud.
pub(crate) fn random(letters: usize) -> String {
    (0..letters).map(|_| fastrand::lowercase()).collect()
}

/// A service code that is nobody's.
pub(crate) fn random_code() -> String {
    fastrand::u32(60_000_000..70_000_000).to_string()
}

/// An id as a form of ours carries it.
pub(crate) fn form_id() -> String {
    URL_SAFE_NO_PAD.encode(std::array::from_fn::<u8, 32, _>(|_| fastrand::u8(..)))
}

/// A tenant with something in every room.
pub(crate) struct Shop<'a> {
    pub(crate) hotline: &'a Hotline,
    pub(crate) owner: Person<'a>,
    pub(crate) keys: Keys,
    pub(crate) tenant: String,
    pub(crate) code: String,
    pub(crate) reference: String,
    pub(crate) user: String,
    pub(crate) call: Transcript,
    pub(crate) caller: String,
}

/// Where the first link that begins like this leads.
fn link(page: &Seen, begins: &str) -> String {
    let text = page.text();
    let start = text.find(begins).unwrap_or_else(|| panic!("no {begins} at {}: {text}", page.target));
    text[start..].split('"').next().unwrap().to_owned()
}

impl<'a> Shop<'a> {
    /// Opens it: a correction was asked for by telephone, with a name and details spoken, and has a note and a file.
    pub(crate) async fn open(hotline: &'a Hotline, slug: &str, caller: &str) -> Self {
        let (slug, code) = (format!("{slug}-{}", random(8)), random_code());
        let (owner, keys, tenant) = Person::owner_of(hotline, &slug, &[Code::new(&code, "Corner Shop")]).await;
        let mut script = Script::new(answers::request(Language::English, Some(&code), Kind::Correct));
        let call = hotline.call(caller, &mut script).await;
        let reference = call.reference_number().unwrap();
        for recording in &call.recordings {
            for part in ["audio", "transcript"] {
                hotline.recording(&tenant, &call.call_sid, &recording.sid, part).await;
            }
        }
        let users = hotline.cloud.items_with(hotline.table("accounts"), "pk", &tenant).await;
        let user = users.iter().find_map(|item| item["sk"].as_str()?.strip_prefix("user#")).unwrap().to_owned();
        let mut shop = Self { hotline, owner, keys, tenant, code, reference, user, call, caller: caller.to_owned() };
        let page = shop.page().await;
        shop.owner.submit(&page, &["id", "note"], &[("note", "They will write again.")]).await;
        let form = page.forms().into_iter().find(|form| form.action.contains("/attach/")).unwrap();
        let fields = ["csrf", "id"].map(|name| (name, form.value(name).unwrap()));
        let kept = shop.owner.post_multipart(&form.action, &fields, ("file", "letter.txt", b"Dear shop.")).await;
        assert_eq!(kept.status(), 200, "{}", kept.text());
        shop
    }

    /// The request's page.
    pub(crate) async fn page(&mut self) -> Seen {
        let page = self.owner.get(&format!("/dashboard/request/{}", self.reference)).await;
        assert_eq!(page.status(), 200, "{}", page.text());
        page
    }

    /// A route's path with this tenant's things in it.
    pub(crate) async fn fill(&mut self, path: &str) -> String {
        let linked = match path {
            "/dashboard/attachment/{ticket}" => Some("/dashboard/attachment/"),
            "/dashboard/recording/{ticket}" => Some("/dashboard/recording/"),
            _ => None,
        };
        match linked {
            Some(begins) => link(&self.page().await, begins),
            None => path
                .replace("{reference}", &self.reference)
                .replace("{code}", &self.code)
                .replace("{file}", "style.css")
                .replace("{ticket}", &form_id()),
        }
    }

    /// Everything that is stored of the tenant, but for its sessions and what it counts.
    pub(crate) async fn stored(&self, tables: &[&str]) -> Vec<String> {
        let mut all = vec![];
        for table in tables {
            let input = json!({
                "FilterExpression": "contains(pk, :tenant) OR #tenant = :tenant",
                "ExpressionAttributeNames": { "#tenant": "tenant" },
                "ExpressionAttributeValues": { ":tenant": { "S": self.tenant } },
            });
            let items = self.hotline.cloud.scan(self.hotline.table(table), input).await;
            all.extend(items.iter().map(Value::to_string));
        }
        for prefix in ["", "attachments/"] {
            let prefix = format!("{prefix}{}/", self.tenant);
            all.extend(self.hotline.cloud.keys(self.hotline.bucket("recordings"), &prefix).await);
        }
        all.sort();
        all
    }
}

/// What holds a tenant's things, without the trail of who has looked at them.
pub(crate) const THINGS: [&str; 5] = ["accounts", "directory", "keys", "requests", "usage"];

/// The fields of no form of ours: what a stranger may send, with an id where one is asked for.
fn empty<'f>(csrf: &'f str, id: &'f str) -> Vec<(&'f str, &'f str)> {
    vec![("csrf", csrf), ("id", id), ("end", ""), ("q", ""), ("name", "")]
}

#[tokio::test]
async fn without_a_session_of_ones_own_every_room_leads_to_the_door() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "rooms-doors", &planted::caller(planted::ROOMS, 0)).await;
    let csrf = shop.owner.csrf().await;
    let mut late = Person::new(&hotline);
    late.sign_in(&shop.keys, 0).await;
    let late_secret = late.cookie("__Host-session").expect("a session").to_owned();
    late.alter_session_time("expires_at", -1).await;
    let mut idle = Person::new(&hotline);
    idle.sign_in(&shop.keys, 1).await;
    let idle_secret = idle.cookie("__Host-session").expect("a session").to_owned();
    idle.alter_session_time("last_seen", -3601).await;
    let mut targets = vec![];
    for (method, path, asks) in ROOMS {
        if asks.is_some() {
            targets.push((*method, *path, shop.fill(path).await));
        }
    }
    let before = shop.stored(&[&THINGS[..], &["audit"]].concat()).await;
    let made_up = form_id();
    for (who, secret) in
        [("nobody", ""), ("a made-up one", &made_up), ("one that ended", &late_secret), ("an idle one", &idle_secret)]
    {
        for (method, path, target) in &targets {
            let mut person = Person::new(&hotline);
            if !secret.is_empty() {
                person.hold("__Host-session", secret);
            }
            let body = format!("csrf={csrf}&id={made_up}&end=others&note=x&do=remove");
            let form = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
            let seen = match *method {
                "GET" => person.once("GET", target, &[], &[]).await,
                _ => person.once("POST", target, &form, body.as_bytes()).await,
            };
            let what = format!("{who}: {method} {path}: {} {}", seen.status(), seen.text());
            assert_eq!(seen.status(), 303, "{what}");
            let next = seen.answer.header("location").unwrap_or_else(|| panic!("{what}"));
            let wanted = if *method == "GET" { "/dashboard/sign-in?next=" } else { "/dashboard/sign-in" };
            assert!(next.starts_with(wanted) && seen.text().is_empty(), "{what} {next}");
            let header = [("content-type", "application/json"), ("x-csrf", csrf.as_str())];
            let seen = person.once(method, target, &header, b"{}").await;
            assert!(matches!(seen.status(), 401 | 303), "{what}: {} {}", seen.status(), seen.text());
        }
    }
    assert_eq!(shop.stored(&[&THINGS[..], &["audit"]].concat()).await, before);
    assert_eq!(shop.owner.get("/dashboard/account").await.status(), 200, "the session of one's own is still good");
}

#[tokio::test]
async fn every_role_gets_into_the_rooms_that_it_may_and_into_no_other() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "rooms-roles", &planted::caller(planted::ROOMS, 1)).await;
    let csrf = shop.owner.csrf().await;
    let id = form_id();
    let before = shop.stored(&THINGS).await;
    for role in Role::ALL {
        for (method, path, asks) in ROOMS {
            let Some(permission) = asks else { continue };
            let target = shop.fill(path).await;
            shop.owner.become_a(role.code()).await;
            let seen = match *method {
                "GET" => shop.owner.once("GET", &target, &[], &[]).await,
                // Every role may sign out, and this one still has to go on.
                _ if *path == "/dashboard/sign-out" => continue,
                _ => {
                    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(empty(&csrf, &id)).finish();
                    let form = [("content-type", "application/x-www-form-urlencoded")];
                    shop.owner.once("POST", &target, &form, body.as_bytes()).await
                }
            };
            let what = format!("{role}: {method} {path}: {} {}", seen.status(), seen.text());
            if !role.may(*permission) {
                let text = seen.text();
                assert_eq!(seen.status(), 403, "{what}");
                assert!(text.contains(in_words(*permission)) && text.contains("one of these roles"), "{what}");
                assert!(text.to_lowercase().contains("owner"), "{what}");
                assert!(!text.contains(&shop.caller), "{what}");
            } else if *method == "GET" {
                assert_eq!(seen.status(), 200, "{what}");
            } else {
                assert!(matches!(seen.status(), 303 | 404 | 409 | 422), "{what}");
            }
        }
    }
    assert_eq!(
        shop.stored(&THINGS).await,
        before,
        "forms that say nothing, and forms that are refused, change nothing"
    );
}

/// What the page that refuses calls a permission.
const fn in_words(permission: Permission) -> &'static str {
    match permission {
        Permission::SeeRequests => "see requests",
        Permission::WorkRequests => "work on requests",
        Permission::ExportRequests => "export requests",
        Permission::SeeSettings => "see how the account is set up",
        Permission::EditServiceCodes => "change service codes and greetings",
        Permission::EditSettings => "change the account’s settings",
        Permission::ManageTeam => "manage the team",
        Permission::SeeAudit => "read the audit trail",
        Permission::ExportAudit => "export the audit trail",
        Permission::SeeReports => "see reports",
        Permission::ExportReports => "download reports",
        Permission::OwnAccount => "change your account",
        Permission::ChangeFactors => "change how you sign in",
    }
}

#[tokio::test]
async fn what_a_role_may_not_do_stays_undone_with_a_form_that_is_right() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "rooms-undone", &planted::caller(planted::ROOMS, 2)).await;
    let request = shop.page().await;
    let code = shop.owner.get(&format!("/dashboard/service-code/{}", shop.code)).await.form(&["version", "name"]);
    let greeting = shop.owner.get(&format!("/dashboard/greeting/{}", shop.code)).await.form(&["do", "text"]);
    let settings = shop.owner.get("/dashboard/settings").await.form(&["version", "time-zone"]);
    let invite = shop.owner.get("/dashboard/team").await.form(&["do", "email"]);
    let entered = shop.owner.get("/dashboard/new-request").await.form(&["id", "received"]);
    let withdraw = request.forms().into_iter().find(|form| form.value("action") == Some("withdraw")).unwrap();
    let mut bulk = withdraw.clone();
    bulk.action = "/dashboard/bulk".to_owned();
    bulk.fields.retain(|(name, _)| name == "csrf");
    let chosen = format!("{}.{}", shop.reference, withdraw.value("version").unwrap());
    let export = shop.owner.get("/dashboard/export").await.form(&["from", "to"]);
    let trail = shop.owner.get("/dashboard/audit-export").await.form(&["from", "behind"]);
    let email = format!("{}@shop.example", random(12));
    let code_of_shop = shop.code.clone();
    let forms = [
        (Permission::WorkRequests, withdraw, vec![("how", "They called.")]),
        (Permission::WorkRequests, request.form(&["id", "note"]), vec![("note", "A note.")]),
        (
            Permission::WorkRequests,
            bulk,
            vec![("action", "complete"), ("step", "go"), ("request", chosen.as_str()), ("done", "Corrected.")],
        ),
        (
            Permission::WorkRequests,
            entered,
            vec![("kind", "delete"), ("channel", "mail"), ("code", &code_of_shop), ("name", "Nora")],
        ),
        (Permission::ExportRequests, export, vec![("contacts", "on")]),
        (Permission::EditServiceCodes, code, vec![("name", "Renamed")]),
        (Permission::EditServiceCodes, greeting, vec![("text", "Changed.")]),
        (Permission::EditSettings, settings, vec![("name", "Renamed")]),
        (Permission::ManageTeam, invite, vec![("name", "Carla"), ("email", &email), ("role", "owner")]),
        (Permission::ExportAudit, trail, vec![]),
    ];
    let before = shop.stored(&[&THINGS[..], &["audit"]].concat()).await;
    for role in [Role::Viewer, Role::Agent, Role::Manager] {
        shop.owner.become_a(role.code()).await;
        for (permission, form, typed) in &forms {
            if !role.may(*permission) {
                let seen = shop.owner.send_form(form, typed).await;
                assert_eq!(seen.status(), 403, "{role} {}: {}", form.action, seen.text());
            }
        }
    }
    assert_eq!(shop.stored(&[&THINGS[..], &["audit"]].concat()).await, before);
    // They were right: whoever may, does it with them; the second change of the same thing is told of the first.
    shop.owner.become_a("owner").await;
    for (_, form, typed) in &forms {
        let seen = shop.owner.send_form(form, typed).await;
        assert!(matches!(seen.status(), 200 | 409), "{}: {} {}", form.action, seen.status(), seen.text());
    }
    assert_ne!(shop.stored(&THINGS).await, before);
}

#[tokio::test]
async fn what_is_delicate_asks_again_who_is_there_after_a_while() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "rooms-fresh", &planted::caller(planted::ROOMS, 3)).await;
    let csrf = shop.owner.csrf().await;
    for (seconds, methods) in [(-601, &["GET"][..]), (-1801, &["GET", "POST"])] {
        shop.owner.alter_session_time("signed_in_at", seconds).await;
        shop.owner.alter_session_time("confirmed_at", seconds).await;
        for (method, path, asks) in ROOMS {
            if !asks.is_some_and(Permission::fresh) || !methods.contains(method) {
                continue;
            }
            let target = shop.fill(path).await;
            let body = format!("csrf={csrf}");
            let form = [("content-type", "application/x-www-form-urlencoded")];
            let body: &[u8] = if *method == "GET" { &[] } else { body.as_bytes() };
            let seen = shop.owner.once(method, &target, &form, body).await;
            let next = seen.answer.header("location").unwrap_or_default();
            assert!(seen.status() == 303 && next.starts_with("/dashboard/confirm"), "{method} {path}: {}", seen.text());
        }
    }
    let fields = [("csrf", csrf.as_str()), ("do", "password"), ("password", "x"), ("new", "y")];
    assert_eq!(shop.owner.post("/dashboard/account", &fields).await.path(), "/dashboard/confirm");
}

/// A page without what differs each time it is shown: codes of forms, sealed tickets, what was asked for.
fn told(seen: &Seen, asked: &str) -> String {
    let mut text = seen.text();
    for form in seen.forms() {
        for (name, value) in form.fields {
            let differs = matches!(name.as_str(), "csrf" | "id" | "key" | "policy") || name.starts_with("x-amz");
            if !value.is_empty() && (differs || name == "success_action_redirect") {
                text = text.replace(&value, "…").replace(&value.replace('&', "&amp;"), "…");
            }
        }
    }
    let spaced = Reference::parse(asked).map_or_else(|_| asked.to_owned(), |reference| reference.to_string());
    let escaped: String = form_urlencoded::byte_serialize(asked.as_bytes()).collect();
    for written in [asked, &spaced, &escaped] {
        text = text.replace(written, "…");
    }
    text
}

/// One way to ask for a thing by its id, which stands in it as `{}`.
struct Ask {
    target: &'static str,
    /// Nothing for GET.
    form: Option<Vec<(&'static str, String)>>,
}

fn get(target: &'static str) -> Ask {
    Ask { target, form: None }
}

fn post(target: &'static str, form: &[(&'static str, &str)]) -> Ask {
    Ask { target, form: Some(form.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()) }
}

/// Asks for a thing as somebody of another tenant.
async fn ask(shop: &mut Shop<'_>, csrf: &str, ask: &Ask, thing: &str) -> Seen {
    let mut target = ask.target.replace("{own-code}", &shop.code).replace("{own}", &shop.reference);
    let escaped: String = form_urlencoded::byte_serialize(thing.as_bytes()).collect();
    target = target.replace("{}", &escaped);
    match &ask.form {
        None => shop.owner.once("GET", &target, &[], &[]).await,
        Some(form) => {
            let filled: Vec<(&str, String)> =
                form.iter().map(|(name, value)| (*name, value.replace("{}", thing))).collect();
            let mut fields = vec![("csrf", csrf)];
            fields.extend(filled.iter().map(|(name, value)| (*name, value.as_str())));
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            let kind = [("content-type", "application/x-www-form-urlencoded")];
            shop.owner.once("POST", &target, &kind, body.as_bytes()).await
        }
    }
}

/// The same ticket with one letter another: nobody's.
fn forged(ticket: &str) -> String {
    let at = ticket.len() / 2;
    let letter = if ticket.as_bytes()[at] == b'A' { "B" } else { "A" };
    format!("{}{letter}{}", &ticket[..at], &ticket[at + 1..])
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, told once")]
async fn another_tenants_ids_are_nobodys_in_every_room() {
    let hotline = Hotline::open();
    let mut here = Shop::open(&hotline, "rooms-here", &planted::caller(planted::ROOMS, 4)).await;
    let mut there = Shop::open(&hotline, "rooms-there", &planted::caller(planted::ROOMS, 5)).await;

    // So many requests that the other's inbox and trail have a second page.
    let entered = there.owner.get("/dashboard/new-request").await.form(&["id", "received"]);
    let (code, session) = (there.code.clone(), there.owner.cookie("__Host-session").unwrap().to_owned());
    for _ in 0..15 {
        let entering = (0..4).map(async |_| {
            let mut colleague = Person::new(&hotline);
            colleague.hold("__Host-session", &session);
            let id = form_id();
            let typed = [("kind", "delete"), ("channel", "mail"), ("code", code.as_str()), ("name", "Nora")];
            let seen = colleague.send_form(&entered, &[&typed[..], &[("id", id.as_str())]].concat()).await;
            assert_eq!(seen.status(), 200, "{}", seen.text());
        });
        join_all(entering).await;
    }
    let inbox = there.owner.get("/dashboard/requests").await;
    let cursor = link(&inbox, "/dashboard/requests?after=");
    let cursor = cursor.trim_start_matches("/dashboard/requests?after=").to_owned();
    let trail = there.owner.get("/dashboard/audit").await;
    let trail_cursor = link(&trail, "/dashboard/audit?after=").trim_start_matches("/dashboard/audit?after=").to_owned();
    let page = there.page().await;
    let last = |link: String| link.rsplit('/').next().unwrap().to_owned();
    let (recording, file) = (last(link(&page, "/dashboard/recording/")), last(link(&page, "/dashboard/attachment/")));
    let greeting = there.owner.get(&format!("/dashboard/greeting/{code}?language=en")).await;
    let back = greeting.form(&["policy", "success_action_redirect"]);
    let upload = back.value("success_action_redirect").unwrap().split("upload=").nth(1).unwrap().to_owned();
    let session = tests::unseal::sha256(session.as_bytes());

    let nobody = String::from(Reference::from_entropy(fastrand::u64(..)));
    let (version, id) = (page.form(&["action", "version"]).value("version").unwrap().to_owned(), form_id());
    let own_version = here.page().await.form(&["action", "version"]).value("version").unwrap().to_owned();
    let chosen = format!("{{}}.{version}");
    let own_chosen = format!("{}.{own_version}", here.reference);
    let own_code = here.owner.get(&format!("/dashboard/greeting/{}?language=en", here.code)).await;
    let own_code = own_code.form(&["do", "text"]).value("version").unwrap().to_owned();

    let references = vec![
        get("/dashboard/request/{}"),
        get("/dashboard/record/{}"),
        get("/dashboard/audit?on={}"),
        post("/dashboard/requests", &[("q", "{}")]),
        post("/dashboard/act/{}", &[("action", "withdraw"), ("version", &version), ("how", "x")]),
        post("/dashboard/act/{}", &[("action", "assign"), ("version", &version), ("to", "")]),
        post("/dashboard/note/{}", &[("id", &id), ("note", "x")]),
        post("/dashboard/attach/{}", &[("id", &id)]),
        post("/dashboard/bulk", &[("action", "complete"), ("request", &chosen)]),
        post("/dashboard/bulk", &[("action", "complete"), ("step", "go"), ("request", &chosen), ("done", "x")]),
        post("/dashboard/bulk", &[("action", "assign"), ("step", "go"), ("request", &chosen), ("to", "")]),
    ];
    let people = vec![
        get("/dashboard/requests?assignee={}"),
        get("/dashboard/audit?who={}"),
        get("/dashboard/audit?on={}"),
        post("/dashboard/team", &[("do", "remove"), ("user", "{}")]),
        post("/dashboard/team", &[("do", "role"), ("role", "viewer"), ("user", "{}")]),
        post("/dashboard/team", &[("do", "resend"), ("user", "{}")]),
        post("/dashboard/act/{own}", &[("action", "assign"), ("version", &own_version), ("to", "{}")]),
        post("/dashboard/bulk", &[("action", "assign"), ("step", "go"), ("request", &own_chosen), ("to", "{}")]),
    ];
    let entering = [("id", id.as_str()), ("kind", "delete"), ("channel", "mail"), ("name", "Nora"), ("code", "{}")];
    let received = entered.value("received").unwrap().to_owned();
    let codes = vec![
        get("/dashboard/service-code/{}"),
        get("/dashboard/notice/{}"),
        post("/dashboard/notice/{}", &[("version", "0"), ("effective", "2026-11-22")]),
        get("/dashboard/greeting/{}"),
        get("/dashboard/greeting/{}?language=es"),
        get("/dashboard/requests?code={}"),
        get("/dashboard/requests?code={}&state=closed"),
        post("/dashboard/service-code/{}", &[("version", "1"), ("name", "Mine now")]),
        post("/dashboard/greeting/{}", &[("do", "text"), ("language", "en"), ("version", "1"), ("text", "Mine now.")]),
        post("/dashboard/greeting/{}", &[("do", "restore"), ("language", "en"), ("version", "1"), ("saved-at", "1")]),
        post("/dashboard/new-request", &[&entering[..], &[("received", received.as_str())]].concat()),
    ];
    let take = [("do", "use"), ("language", "en"), ("version", own_code.as_str()), ("recording", "{}")];
    let nobodys_code = random_code();
    let nobodys_user = format!("u-{}", random(26));
    let things = [
        ("reference", there.reference.clone(), nobody, references),
        ("user", there.user.clone(), nobodys_user, people),
        ("code", code.clone(), nobodys_code, codes),
        ("session", session, "0".repeat(64), vec![post("/dashboard/sessions", &[("end", "{}")])]),
        ("file", file.clone(), forged(&file), vec![get("/dashboard/attachment/{}"), get("/dashboard/recording/{}")]),
        (
            "recording",
            recording.clone(),
            forged(&recording),
            vec![get("/dashboard/recording/{}"), get("/dashboard/attachment/{}")],
        ),
        ("cursor", cursor.clone(), forged(&cursor), vec![get("/dashboard/requests?after={}")]),
        ("cursor", trail_cursor.clone(), forged(&trail_cursor), vec![get("/dashboard/audit?after={}")]),
        (
            "upload",
            upload.clone(),
            forged(&upload),
            vec![
                get("/dashboard/greeting/{own-code}?language=en&upload={}"),
                post("/dashboard/greeting/{own-code}", &take),
            ],
        ),
        (
            "ticket of another purpose",
            cursor,
            forged(&file),
            vec![
                get("/dashboard/attachment/{}"),
                get("/dashboard/recording/{}"),
                get("/dashboard/audit?after={}"),
                get("/dashboard/invitation/{}"),
                get("/dashboard/new-password/{}"),
                post("/dashboard/export", &[("part", "{}")]),
            ],
        ),
    ];

    let all = [&THINGS[..], &["audit", "tallies"]].concat();
    let before = settled(&there, &all).await;
    let own_before = here.stored(&["accounts", "directory", "keys", "requests"]).await;
    let csrf = here.owner.csrf().await;
    for (what, theirs, nobodys, asks) in &things {
        for way in asks {
            let seen = ask(&mut here, &csrf, way, theirs).await;
            let as_nobodys = ask(&mut here, &csrf, way, nobodys).await;
            let said = format!("{what} {} {:?}: {} {}", way.target, way.form, seen.status(), seen.text());
            assert_eq!(seen.status(), as_nobodys.status(), "{said}");
            assert_eq!(told(&seen, theirs), told(&as_nobodys, nobodys), "{said}");
            assert!(matches!(seen.status(), 200 | 404 | 422 | 303), "{said}");
            let text = seen.text();
            for secret in [there.tenant.as_str(), &there.caller, "rooms-there", &there.call.call_sid] {
                assert!(!text.contains(secret), "{said}");
            }
            if way.target.ends_with("/{}") && way.target != "/dashboard/attach/{}" {
                assert_eq!(seen.status(), 404, "{said}");
            }
        }
    }
    // With a file, too, which is stored before it is noted.
    let fields = [("csrf", csrf.as_str()), ("id", id.as_str())];
    let target = format!("/dashboard/attach/{}", there.reference);
    assert_eq!(here.owner.post_multipart(&target, &fields, ("file", "a.txt", b"x")).await.status(), 404);
    assert_eq!(
        there.stored(&all).await,
        before,
        "nothing of the other's has changed, and their trail names nobody new"
    );
    assert_eq!(here.stored(&["accounts", "directory", "keys", "requests"]).await, own_before);

    // One's own are there.
    for way in [get("/dashboard/attachment/{}"), get("/dashboard/recording/{}")] {
        let thing = if way.target.contains("attachment") { &file } else { &recording };
        assert_eq!(ask(&mut there, "", &way, thing).await.status(), 200, "{}", way.target);
    }
    // And only in the session that they were given to.
    let mut again = Person::new(&hotline);
    again.sign_in(&there.keys, 0).await;
    for target in [format!("/dashboard/attachment/{file}"), format!("/dashboard/recording/{recording}")] {
        assert_eq!(again.get(&target).await.status(), 404, "{target}");
    }
}

/// What is stored once nothing comes in any more: counters are written a moment after what they count.
async fn settled(shop: &Shop<'_>, tables: &[&str]) -> Vec<String> {
    let mut last = shop.stored(tables).await;
    eventually("a moment in which nothing changes", async || {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        let now = shop.stored(tables).await;
        let same = now == last;
        last.clone_from(&now);
        same.then_some(now)
    })
    .await
}

/// What a page shows and takes, by name: headings, labels, columns, terms, and the fields of its forms.
fn outline(seen: &Seen) -> String {
    let html = seen.text();
    let main = &html[html.find("<main").unwrap_or_else(|| panic!("{}: {html}", seen.target))..];
    let main = &main[..main.find("</main>").unwrap()];
    let mut lines: Vec<String> = vec![];
    for (at, _) in main.match_indices('<') {
        let rest = &main[at + 1..];
        let tag = &rest[..rest.find('>').unwrap()];
        let name = tag.split_whitespace().next().unwrap_or_default();
        let line = match name {
            "h1" | "h2" | "h3" | "dt" | "legend" | "label" | "summary" | "caption" | "th" => {
                // Rows are headed by what they are about: that is data.
                if tag.contains("scope=\"row\"") {
                    continue;
                }
                let inner = &rest[tag.len() + 1..];
                let inner = &inner[..inner.find(&format!("</{name}>")).unwrap()];
                let text: String = inner
                    .split('<')
                    .enumerate()
                    .map(|(n, part)| match n {
                        0 => part,
                        _ => part.split_once('>').map_or("", |(_, text)| text),
                    })
                    .collect();
                format!("{name} {}", without_data(&text.split_whitespace().collect::<Vec<_>>().join(" ")))
            }
            "input" | "select" | "textarea" => {
                let Some((_, after)) = tag.split_once(" name=\"") else { continue };
                format!("{name} [{}]", after.split('"').next().unwrap())
            }
            "audio" | "svg" if tag.contains("role=\"img\"") || name == "audio" => format!("<{name}>"),
            _ => continue,
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.join("\n")
}

/// Digits and the names of months differ from one day to the next.
fn without_data(line: &str) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let mut line: String = line.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    for month in MONTHS {
        line = line.replace(&format!("{month} 0"), "Month 0");
    }
    line
}

/// Every name of a JSON document, as paths.
fn names(value: &Value, at: &str, all: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let path = format!("{at}.{name}");
                all.insert(path.clone());
                names(value, &path, all);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| names(value, &format!("{at}[]"), all)),
        _ => {}
    }
}

#[tokio::test]
async fn every_page_shows_these_fields_and_no_others() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "rooms-fields", &planted::caller(planted::ROOMS, 6)).await;
    hotline.usage(&shop.tenant, &shop.call.call_sid).await;
    let year = hotline.requests(&shop.call.call_sid).await[0]["received_on"].as_str().unwrap()[..4].to_owned();
    eventually("the request in the report", async || {
        let page = shop.owner.get(&format!("/dashboard/report?year={year}&scope=all&format=json")).await;
        let report: Value = serde_json::from_str(&page.text()).ok()?;
        let rows = report["report"]["rows"].as_array()?.clone();
        rows.iter().any(|row| row["tally"]["received"] == 1).then_some(())
    })
    .await;
    let mut all = String::new();
    let mut add = |path: &str, text: &str| all.extend(["== ", path, "\n", text, "\n\n"]);
    for (method, path, asks) in ROOMS {
        let binary = path.contains("{ticket}") || path.contains("/record/");
        if *method != "GET" || asks.is_none() || binary {
            continue;
        }
        for (role, suffix) in [("owner", ""), ("viewer", " for a viewer")] {
            if !asks.is_some_and(|permission| Role::parse(role).unwrap().may(permission)) {
                continue;
            }
            shop.owner.become_a(role).await;
            let target = shop.fill(path).await;
            let seen = shop.owner.get(&target).await;
            assert_eq!(seen.status(), 200, "{target}");
            add(&format!("{path}{suffix}"), &outline(&seen));
        }
    }
    for path in ["/dashboard/sign-in", "/dashboard/second-factor", "/dashboard/reset"] {
        add(path, &outline(&Person::new(&hotline).get(path).await));
    }
    // Files are for owners and managers.
    shop.owner.become_a("owner").await;
    for format in ["json", "csv"] {
        for path in [
            format!("/dashboard/report?year={year}&scope=all&format={format}"),
            format!("/dashboard/request-log?format={format}"),
        ] {
            let seen = shop.owner.get(&path).await;
            let text = match format {
                "json" => {
                    let mut found = BTreeSet::new();
                    names(&serde_json::from_str(&seen.text()).unwrap(), "", &mut found);
                    found.into_iter().collect::<Vec<_>>().join("\n")
                }
                _ => seen.text().lines().take(12).filter(|line| !line.contains("20")).collect::<Vec<_>>().join("\n"),
            };
            add(&without_data(&path), &without_data(&text));
        }
    }
    insta::assert_snapshot!(all);
}
