//! How people come in, over the real thing: what opens, what stays shut, and what nobody learns at a closed door.

use std::time::{Duration, Instant};

use serde_json::json;
use tests::person::{Keys, Seen, totp};
use tests::{Hotline, Person, eventually, in_dozens};

const SIGN_IN: &str = "/dashboard/sign-in";
const ACCOUNT: &str = "/dashboard/account";
/// Nobody's; as long as a password may be.
const WRONG: &str = "none of the four right words";

/// What a page says, without what differs from one showing to the next.
fn said(seen: &Seen) -> String {
    let text = seen.text();
    let start = text.find("<main").unwrap_or_else(|| panic!("{}: {text}", seen.target));
    let mut said = text[start..].to_owned();
    for form in seen.forms() {
        for (name, value) in form.fields {
            if matches!(name.as_str(), "csrf" | "email") && !value.is_empty() {
                said = said.replace(&value, "…");
            }
        }
    }
    said
}

async fn is_in(person: &mut Person<'_>) -> bool {
    person.once("GET", ACCOUNT, &[], &[]).await.status() == 200
}

#[tokio::test]
async fn an_owner_accepts_an_invitation_and_signs_in_with_password_and_app() {
    let hotline = Hotline::open();
    let (mut owner, keys, _) = Person::owner_of(&hotline, "doors-app", &[]).await;
    assert!(is_in(&mut owner).await);

    let mut again = Person::new(&hotline);
    let page = again.sign_in(&keys, 0).await;
    assert_ne!(page.path(), "/dashboard/second-factor", "{}", page.text());
    assert!(is_in(&mut again).await);
    assert_ne!(again.cookie("__Host-session"), owner.cookie("__Host-session"));

    // The code was good once.
    let mut late = Person::new(&hotline);
    let page = late.sign_in(&keys, 0).await;
    assert_eq!((page.status(), page.path()), (422, "/dashboard/second-factor"));
    assert!(!is_in(&mut late).await);
}

#[tokio::test]
async fn a_demo_owner_signs_in_as_make_up_says() {
    let hotline = Hotline::open();
    let keys = Person::demo_owner(&hotline);
    let mut owner = Person::new(&hotline);
    // Other tests may have used the code of the moment.
    let entered = eventually("a code that nobody has used", async || {
        let page = owner.sign_in(&keys, 1).await;
        (page.path() != "/dashboard/second-factor").then_some(())
    });
    entered.await;
    assert!(is_in(&mut owner).await);
}

#[tokio::test]
async fn an_invitation_is_good_once_and_looking_does_not_use_it() {
    let hotline = Hotline::open();
    let order = json!({ "tenant": {
        "slug": "doors-once",
        "profile": { "name": "Doors & Once", "time-zone": "America/Los_Angeles", "jurisdictions": ["us-ca"] },
        "service-codes": [],
        "owner": { "email": "doors-once@shop.example", "name": "Olga", "language": "es" },
    }});
    let first = hotline.provision(&order).await.expect("a tenant")["invitation"].as_str().expect("a link").to_owned();
    let again = hotline.provision(&order).await.expect("a tenant")["invitation"].as_str().expect("a link").to_owned();
    assert_ne!(first, again);
    let path_of = |link: &str| link[link.find("/dashboard/").expect("a path")..].to_owned();
    let (void, path) = (path_of(&first), path_of(&again));
    assert_eq!(Person::new(&hotline).get(&void).await.status(), 404, "a newer invitation makes older ones void");
    for _ in 0..3 {
        let page = Person::new(&hotline).get(&path).await;
        assert_eq!(page.status(), 200);
        assert!(page.text().contains("Doors &amp; Once") && page.text().contains("doors-once@shop.example"));
    }
    let mail = eventually("the invitation's mail", async || {
        hotline.mails("doors-once@shop.example").await.into_iter().find(|(_, text)| text.contains(&again))
    })
    .await;
    assert!(!mail.0.contains("Doors") && !mail.0.contains("Olga"), "{}", mail.0);

    Person::new(&hotline).accept(&again, "doors-once@shop.example").await;
    for used in [&path, &void] {
        assert_eq!(Person::new(&hotline).get(used).await.status(), 404, "{used}");
    }
    let done = hotline.provision(&order).await.expect("a tenant");
    assert!(done["invitation"].is_null(), "{done}");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_get_the_same_answer_in_the_same_time() {
    let hotline = Hotline::open();
    let (_, keys, _) = Person::owner_of(&hotline, "doors-unknown", &[]).await;
    let mut answers = vec![];
    for email in [keys.email.as_str(), "nobody-at-all@shop.example"] {
        for _ in 0..2 {
            let began = Instant::now();
            let seen = Person::new(&hotline).show_password(email, WRONG).await;
            answers.push((seen.status(), said(&seen), began.elapsed()));
        }
    }
    let (status, text, _) = answers[0].clone();
    assert_eq!(status, 422);
    for (other, said, took) in &answers {
        assert_eq!((other, said), (&status, &text));
        assert!(*took >= Duration::from_millis(700), "{took:?}");
    }
}

#[tokio::test]
async fn of_fifty_passwords_tried_a_dozen_at_once_at_most_ten_are_looked_at() {
    let hotline = Hotline::open();
    for email in ["doors-brute@shop.example", "nobody-brute@shop.example"] {
        let tries = (0..50).map(async |_| {
            let mut person = Person::new(&hotline);
            let page = person.get(SIGN_IN).await;
            let typed = [("email", email), ("password", WRONG)];
            person.submit(&page, &["email", "password"], &typed).await
        });
        let seen = in_dozens(tries).await;
        let looked_at = seen.iter().filter(|seen| seen.status() == 422).count();
        let refused: Vec<&Seen> = seen.iter().filter(|seen| seen.status() == 429).collect();
        assert!(looked_at <= 10, "{looked_at}");
        assert_eq!(looked_at + refused.len(), 50);
        assert!(refused.iter().all(|seen| seen.answer.header("retry-after").is_some()));
        hotline.clear_client_tries().await;
    }
}

#[tokio::test]
async fn a_recovery_code_is_good_once_and_its_owner_is_written_to() {
    let hotline = Hotline::open();
    let (_, keys, _) = Person::owner_of(&hotline, "doors-recovery", &[]).await;
    let mut person = Person::new(&hotline);
    let page = person.sign_in_by_recovery(&keys, 3).await;
    assert_eq!(page.path(), "/dashboard/factors", "{}", page.text());
    let page = Person::new(&hotline).sign_in_by_recovery(&keys, 3).await;
    assert_eq!(page.status(), 422);
    eventually("a mail about the recovery code", async || {
        hotline.mails(&keys.email).await.into_iter().find(|(_, text)| text.contains("recovery code"))
    })
    .await;
}

#[tokio::test]
async fn a_session_is_listed_and_ended_from_another() {
    let hotline = Hotline::open();
    let (mut one, keys, _) = Person::owner_of(&hotline, "doors-sessions", &[]).await;
    let mut other = Person::new(&hotline);
    other.sign_in(&keys, 0).await;
    assert!(is_in(&mut other).await);
    let page = eventually("both sessions on the page", async || {
        let page = one.get("/dashboard/sessions").await;
        page.forms().iter().any(|form| form.value("end") == Some("others")).then_some(page)
    })
    .await;
    assert!(page.text().contains("Firefox, Linux"));
    let form = page.forms().into_iter().find(|form| form.value("end") == Some("others")).expect("a form");
    one.send_form(&form, &[]).await;
    assert!(is_in(&mut one).await);
    assert!(!is_in(&mut other).await);
}

#[tokio::test]
async fn a_session_of_somebody_else_cannot_be_ended() {
    let hotline = Hotline::open();
    let (mut victim, ..) = Person::owner_of(&hotline, "doors-victim", &[]).await;
    let (mut thief, ..) = Person::owner_of(&hotline, "doors-thief", &[]).await;
    let page = eventually("the victim's session", async || {
        let page = victim.get("/dashboard/sessions").await;
        page.forms().iter().any(|form| form.value("end").is_some()).then_some(page)
    })
    .await;
    let id = page.form(&["end"]).value("end").expect("an id").to_owned();
    let own = thief.get("/dashboard/sessions").await;
    let csrf = own.form(&["csrf"]).value("csrf").expect("a code").to_owned();
    let seen = thief.post("/dashboard/sessions", &[("csrf", &csrf), ("end", &id)]).await;
    assert_eq!(seen.status(), 404);
    assert!(is_in(&mut victim).await);
}

#[tokio::test]
async fn a_new_password_by_mail_ends_all_sessions_and_still_asks_for_the_second_factor() {
    let hotline = Hotline::open();
    let (mut owner, keys, _) = Person::owner_of(&hotline, "doors-reset", &[]).await;
    let mut answers = vec![];
    for email in [keys.email.as_str(), "nobody-reset@shop.example"] {
        let mut person = Person::new(&hotline);
        let page = person.get("/dashboard/reset").await;
        answers.push(said(&person.submit(&page, &["email"], &[("email", email)]).await));
    }
    assert_eq!(answers[0], answers[1]);
    let (_, text) = eventually("the reset's mail", async || {
        hotline.mails(&keys.email).await.into_iter().find(|(_, text)| text.contains("/dashboard/new-password/"))
    })
    .await;
    let start = text.find("/dashboard/new-password/").expect("a link");
    let link = text[start..].split_whitespace().next().expect("a link").to_owned();

    let mut person = Person::new(&hotline);
    let page = person.get(&link).await;
    let refused = person.submit(&page, &["password"], &[("password", "password1234")]).await;
    assert_eq!(refused.status(), 422);
    let page = person.submit(&refused, &["password"], &[("password", "another set of plain words")]).await;
    assert_eq!(page.path(), SIGN_IN, "{}", page.text());
    assert!(!is_in(&mut person).await && !is_in(&mut owner).await);
    assert_eq!(person.get(&link).await.status(), 404);

    let new = Keys { password: "another set of plain words".to_owned(), ..keys.clone() };
    assert_eq!(Person::new(&hotline).show_password(&keys.email, &keys.password).await.status(), 422);
    let mut person = Person::new(&hotline);
    person.sign_in(&new, 0).await;
    assert!(is_in(&mut person).await);
    assert!(hotline.mails("nobody-reset@shop.example").await.is_empty());
}

#[tokio::test]
async fn a_form_without_its_code_or_from_elsewhere_changes_nothing() {
    let hotline = Hotline::open();
    let (mut owner, ..) = Person::owner_of(&hotline, "doors-csrf", &[]).await;
    let (mut other, ..) = Person::owner_of(&hotline, "doors-csrf-other", &[]).await;
    let foreign = other.get(ACCOUNT).await.form(&["csrf"]).value("csrf").expect("a code").to_owned();
    for code in ["", "x", foreign.as_str()] {
        let seen = owner.post("/dashboard/sign-out", &[("csrf", code)]).await;
        assert_eq!(seen.status(), 403, "{code}");
    }
    let own = owner.get(ACCOUNT).await.form(&["csrf"]).value("csrf").expect("a code").to_owned();
    let body = format!("csrf={own}");
    let form = ("content-type", "application/x-www-form-urlencoded");
    for lie in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("origin", "null")] {
        let seen = owner.once("POST", "/dashboard/sign-out", &[form, lie], body.as_bytes()).await;
        assert_eq!(seen.status(), 403, "{lie:?}");
    }
    assert!(is_in(&mut owner).await);
    let seen = owner.once("POST", "/dashboard/sign-out", &[form], body.as_bytes()).await;
    assert_eq!(seen.status(), 303);
    let cleared = seen.answer.header("clear-site-data").expect("Clear-Site-Data");
    assert!(cleared.contains("\"cookies\"") && cleared.contains("\"storage\""), "{cleared}");
    assert!(!is_in(&mut owner).await);
}

#[tokio::test]
async fn every_answer_is_guarded_also_those_that_refuse() {
    let hotline = Hotline::open();
    let mut person = Person::new(&hotline);
    let doors = [SIGN_IN, "/dashboard/reset", "/dashboard/second-factor", "/dashboard/invitation/x"];
    let inside = [ACCOUNT, "/dashboard/factors", "/dashboard/sessions", "/dashboard/confirm"];
    let others = ["/dashboard/new-password/x", "/dashboard/asset/unknown.css"];
    for target in doors.iter().chain(&inside).chain(&others) {
        // A person's every exchange is held to the headers.
        assert!(!person.once("GET", target, &[], &[]).await.is_gateways(), "{target}");
    }
    let page = person.get(SIGN_IN).await;
    let style = page.text();
    let start = style.find("/dashboard/asset/style.").expect("the style sheet");
    let style = style[start..].split('"').next().expect("its name").to_owned();
    let seen = person.get(&style).await;
    assert_eq!(seen.status(), 200);
    assert!(seen.answer.headers("set-cookie").is_empty());
}

#[tokio::test]
async fn a_role_without_the_permission_is_told_who_grants_it() {
    let hotline = Hotline::open();
    let (mut person, ..) = Person::owner_of(&hotline, "doors-role", &[]).await;
    person.become_a("viewer").await;
    let page = person.get("/dashboard/team").await;
    assert_eq!(page.status(), 403, "{}", page.text());
    assert!(page.text().to_lowercase().contains("owner"), "{}", page.text());
    assert!(is_in(&mut person).await);
}

#[tokio::test]
async fn a_session_that_is_made_up_cut_short_or_in_another_cookie_opens_nothing() {
    let hotline = Hotline::open();
    let (owner, ..) = Person::owner_of(&hotline, "doors-tricks", &[]).await;
    let secret = owner.cookie("__Host-session").expect("a session").to_owned();
    let zeros = "0".repeat(secret.len());
    let upper = secret.to_uppercase();
    let tries = [
        ("__Host-session", zeros.as_str()),
        ("__Host-session", &secret[1..]),
        ("__Host-session", upper.as_str()),
        ("session", secret.as_str()),
        ("__host-session", secret.as_str()),
        ("__Host-pending", secret.as_str()),
    ];
    for (name, value) in tries {
        let mut thief = Person::new(&hotline);
        thief.hold(name, value);
        assert!(!is_in(&mut thief).await, "{name}={value}");
    }
    // What proxies and browsers may claim decides nothing.
    let mut nobody = Person::new(&hotline);
    for header in [
        ("x-forwarded-user", "owner"),
        ("authorization", "Bearer x"),
        ("x-amzn-oidc-identity", "owner"),
        ("x-http-method-override", "GET"),
        ("x-original-url", "/dashboard/asset/style.css"),
    ] {
        assert_ne!(nobody.once("GET", ACCOUNT, &[header], &[]).await.status(), 200, "{header:?}");
    }
    for path in ["/dashboard/asset/../account", "/dashboard//account", "/dashboard/ACCOUNT", "/dashboard/account/"] {
        assert_ne!(nobody.once("GET", path, &[], &[]).await.status(), 200, "{path}");
    }
}

#[tokio::test]
async fn the_last_second_factor_stays() {
    let hotline = Hotline::open();
    let (mut owner, ..) = Person::owner_of(&hotline, "doors-last", &[]).await;
    let page = owner.get("/dashboard/factors").await;
    let form = page.forms().into_iter().find(|form| form.value("do") == Some("remove-app")).expect("the form");
    let refused = owner.send_form(&form, &[]).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.text().contains("last second factor"), "{}", refused.text());
    let page = owner.get("/dashboard/factors").await;
    assert!(page.forms().iter().any(|form| form.value("do") == Some("remove-app")));
}

#[tokio::test]
async fn after_signing_in_one_goes_on_to_our_own_pages_only() {
    let hotline = Hotline::open();
    let (_, keys, _) = Person::owner_of(&hotline, "doors-next", &[]).await;
    let mut person = Person::new(&hotline);
    let page = person.show_password(&keys.email, &keys.password).await;
    let mut form = page.form(&["by", "code"]);
    form.fields.push(("next".to_owned(), "https://evil.example/".to_owned()));
    let seen = person.send_form(&form, &[("code", &totp(&keys.totp_secret, 0))]).await;
    assert!(seen.path().starts_with("/dashboard/"), "{}", seen.target);

    for next in ["https://evil.example", "//evil.example", "/dashboard/..//evil.example", "/dashboard/\\evil.example"] {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
        let page = Person::new(&hotline).get(&format!("{SIGN_IN}?{query}")).await;
        assert!(!page.text().contains("evil.example"), "{next}");
    }
}
