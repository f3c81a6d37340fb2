//! The human check from the dashboard's card to the request: what a token is worth, and that nobody is turned away.

use serde_json::{Value, json};
use standins::captcha::{Provider, Wanted};
use standins::faults::{Fault, Kind as Happens};
use tests::hotline::Code;
use tests::person::{Person, Seen};
use tests::wire::Answer;
use tests::{Hotline, eventually, planted};

use crate::counts::{calls, lines};

/// What a widget is told, and must be told back.
const ACTION: &str = "privacy_request";

/// A business that has set up a check.
struct Shop<'a> {
    hotline: &'a Hotline,
    owner: Person<'a>,
    tenant: String,
    code: String,
    provider: Provider,
    site_key: String,
}

impl<'a> Shop<'a> {
    async fn open(hotline: &'a Hotline, slug: &str, code: &str, provider: Provider) -> Self {
        let (owner, _, tenant) = Person::owner_of(hotline, slug, &[Code::new(code, "Checked Shop")]).await;
        let site_key = format!("site-key-of-{slug}");
        let mut shop = Self { hotline, owner, tenant, code: code.to_owned(), provider, site_key };
        let secret = format!("secret-of-{}", shop.site_key);
        let saved = shop.set_up(&secret).await;
        assert!(saved.target.ends_with("?human-check=saved"), "{} {}", saved.status(), saved.text());
        shop
    }

    /// Fills in the card of the settings.
    async fn set_up(&mut self, secret: &str) -> Seen {
        let provider = serde_json::to_value(self.provider).unwrap();
        let project = format!("project-{}", self.code);
        let typed = [
            ("provider", provider.as_str().unwrap()),
            ("site-key", &self.site_key),
            ("secret", secret),
            ("project", &project),
            ("least-score", "0.5"),
        ];
        let page = self.owner.get("/dashboard/settings").await;
        self.owner.submit(&page, &["human-check", "site-key"], &typed).await
    }

    fn host(&self) -> String {
        self.hotline.line.stack().base_url.host_str().unwrap().to_owned()
    }

    /// A token that everything speaks for.
    fn good(&self) -> Wanted {
        Wanted {
            provider: self.provider,
            site_key: self.site_key.clone(),
            hostname: self.host(),
            action: ACTION.to_owned(),
            score: 0.9,
            age_seconds: 0,
            refused: false,
        }
    }

    fn field(&self) -> &'static str {
        match self.provider {
            Provider::Turnstile => "cf-turnstile-response",
            Provider::Hcaptcha => "h-captcha-response",
            _ => "g-recaptcha-response",
        }
    }

    async fn ticket(&self) -> String {
        let page = self.hotline.exchange("GET", &format!("/forms/{}?kind=opt-out", self.code), &[], b"").await;
        assert_eq!(page.status, 200, "{}", page.text());
        let html = page.text();
        let (_, rest) = html.split_once("name=\"ticket\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    async fn send(&self, ticket: &str, email: &str, more: &[(&str, &str)]) -> Answer {
        self.ask("opt-out", ticket, email, more).await
    }

    async fn ask(&self, kind: &str, ticket: &str, email: &str, more: &[(&str, &str)]) -> Answer {
        let name = planted::words("human");
        let fields = [("ticket", ticket), ("kind", kind), ("contact", email), ("email", email), ("name", &name)];
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).extend_pairs(more).finish();
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        self.hotline.exchange("POST", &format!("/forms/{}/requests", self.code), &kind, body.as_bytes()).await
    }

    /// Sends a new form with a token.
    async fn send_token(&self, token: &str) -> Answer {
        self.send(&self.ticket().await, &planted::email("human"), &[(self.field(), token)]).await
    }

    /// Sends a new form with a token that is made for it.
    async fn try_token(&self, wanted: &Wanted) -> Answer {
        let token = self.hotline.captcha_token(wanted).await;
        self.send_token(&token).await
    }

    /// What the request of a receipt says of whoever sent it.
    async fn human(&self, receipt: &Answer) -> Value {
        self.request(receipt).await["human"].clone()
    }

    async fn request(&self, receipt: &Answer) -> Value {
        assert_eq!(receipt.status, 200, "{}", receipt.text());
        let html = receipt.text();
        let (_, rest) = html.split_once("id=\"reference\">").unwrap_or_else(|| panic!("no receipt: {html}"));
        let reference: String = rest.split('<').next().unwrap().chars().filter(char::is_ascii_digit).collect();
        let requests = self.hotline.cloud.items_with(self.hotline.table("requests"), "open_pk", &self.tenant).await;
        requests.into_iter().find(|request| request["sk"] == reference.as_str()).expect("the request")
    }
}

fn refused(answer: &Answer) {
    assert_eq!(answer.status, 422, "{}", answer.text());
    // The other way is beside it, and what was typed is still there.
    assert!(answer.text().contains("name=\"unchecked\"") && answer.text().contains('@'), "{}", answer.text());
}

#[tokio::test]
async fn a_token_is_a_persons_once_and_only_if_everything_speaks_for_it() {
    let hotline = Hotline::open();
    for (provider, slug, code) in [
        (Provider::Turnstile, "test-human-turnstile", "6201"),
        (Provider::Hcaptcha, "test-human-hcaptcha", "6202"),
        (Provider::RecaptchaV2, "test-human-v2", "6203"),
        (Provider::RecaptchaV3, "test-human-v3", "6204"),
        (Provider::RecaptchaAssessment, "test-human-assessment", "6205"),
    ] {
        let shop = Shop::open(&hotline, slug, code, provider).await;
        let good = shop.good();
        let token = hotline.captcha_token(&good).await;
        let receipt = shop.send_token(&token).await;
        assert_eq!(shop.human(&receipt).await, "checked", "{slug}");
        // Used up, in another form.
        refused(&shop.send_token(&token).await);
        refused(&shop.send_token("nobody-made-this-token").await);
        for wrong in [
            Wanted { age_seconds: 600, ..good.clone() },
            Wanted { hostname: "another-site.example".into(), ..good.clone() },
            Wanted { hostname: format!("{}.evil.example", good.hostname), ..good.clone() },
            Wanted { refused: true, ..good.clone() },
            Wanted { site_key: "site-key-of-somebody-else".into(), ..good.clone() },
        ] {
            refused(&shop.try_token(&wrong).await);
        }
        let says_action = !matches!(provider, Provider::Hcaptcha | Provider::RecaptchaV2);
        let other = shop.try_token(&Wanted { action: "login".into(), ..good.clone() }).await;
        assert_eq!(other.status, if says_action { 422 } else { 200 }, "{slug}");
        let scores = matches!(provider, Provider::RecaptchaV3 | Provider::RecaptchaAssessment);
        let low = shop.try_token(&Wanted { score: 0.3, ..good }).await;
        assert_eq!(low.status, if scores { 422 } else { 200 }, "{slug}");
    }
}

#[tokio::test]
async fn the_same_form_sent_twice_with_its_token_is_one_request() {
    let hotline = Hotline::open();
    let shop = Shop::open(&hotline, "test-human-twice", "6206", Provider::RecaptchaV2).await;
    let token = hotline.captcha_token(&shop.good()).await;
    let (ticket, email) = (shop.ticket().await, planted::email("human-twice"));
    let with_token = [(shop.field(), token.as_str())];
    let first = shop.send(&ticket, &email, &with_token).await;
    let again = shop.send(&ticket, &email, &with_token).await;
    assert_eq!(shop.request(&first).await["sk"], shop.request(&again).await["sk"]);
    assert_eq!(shop.human(&again).await, "checked");
}

#[tokio::test]
async fn a_token_is_worth_one_request_whatever_else_is_sent_with_its_form() {
    let hotline = Hotline::open();
    let shop = Shop::open(&hotline, "test-human-worth", "6212", Provider::Turnstile).await;
    let token = hotline.captcha_token(&shop.good()).await;
    let (ticket, email) = (shop.ticket().await, planted::email("human-worth"));
    let with_token = [(shop.field(), token.as_str())];
    let first = shop.send(&ticket, &email, &with_token).await;
    assert_eq!(shop.human(&first).await, "checked");
    // The same form under the same ticket, with other words in it: another request, and its token is used up.
    refused(&shop.ask("limit", &ticket, &email, &with_token).await);
    refused(&shop.send(&ticket, &planted::email("human-worth-too"), &with_token).await);
    // The very same once more is the same.
    let again = shop.send(&ticket, &email, &with_token).await;
    assert_eq!(shop.request(&first).await["sk"], shop.request(&again).await["sk"]);
}

#[tokio::test]
async fn whoever_opts_out_unchecked_is_not_asked_whether_it_was_they() {
    let hotline = Hotline::open();
    let shop = Shop::open(&hotline, "test-human-opt-out", "6213", Provider::Turnstile).await;
    for kind in ["opt-out", "limit"] {
        let email = planted::email(&format!("human-{kind}"));
        let receipt = shop.ask(kind, &shop.ticket().await, &email, &[]).await;
        assert_eq!(shop.human(&receipt).await, "unchecked:no-token");
        assert!(!receipt.text().contains("that it was you"), "{}", receipt.text());
        let mails =
            eventually("the receipt", async || Some(hotline.mails(&email).await).filter(|it| !it.is_empty())).await;
        assert!(!mails[0].1.contains("/forms/confirmation/") && !mails[0].1.contains("it was you"), "{}", mails[0].1);
    }
    let page = hotline.exchange("GET", "/forms/6213?kind=opt-out", &[], b"").await;
    assert!(
        page.text().contains("taken all the same") && !page.text().contains("whether it was you"),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn people_get_through_a_flood_of_programs() {
    let hotline = Hotline::open();
    let shop = Shop::open(&hotline, "test-human-flood", "6214", Provider::Turnstile).await;
    crate::forms::flood(&hotline, "6214").await;
    let taken = shop.try_token(&shop.good()).await;
    assert_eq!(shop.human(&taken).await, "checked");
    for token in ["", "nobody-made-this-token"] {
        let answer = shop.send_token(token).await;
        assert_eq!(answer.status, 429, "{}", answer.text());
    }
}

#[tokio::test]
async fn a_check_whose_secret_is_damaged_keeps_nobody_from_asking() {
    let hotline = Hotline::open();
    for (slug, code, update) in [
        (
            "test-human-secret-damaged",
            "6215",
            json!({
                "UpdateExpression": "SET secret = :damaged",
                "ExpressionAttributeValues": { ":damaged": { "B": "AAAA" } },
            }),
        ),
        ("test-human-secret-gone", "6216", json!({ "UpdateExpression": "REMOVE secret" })),
    ] {
        let shop = Shop::open(&hotline, slug, code, Provider::Turnstile).await;
        let mut input = update;
        input["TableName"] = json!(hotline.table("accounts"));
        input["Key"] = json!({ "pk": { "S": shop.tenant }, "sk": { "S": "human-check" } });
        hotline.cloud.call("dynamodb:UpdateItem", input).await;
        let taken = shop.try_token(&shop.good()).await;
        assert_eq!(shop.human(&taken).await, "unchecked:misconfigured");
        eventually("an error in the log", async || {
            let lines = hotline.cloud.log(&hotline.at.log_groups["forms"], Some(&shop.tenant)).await;
            lines
                .iter()
                .any(|(_, line)| line.contains("\"level\":\"ERROR\"") && line.contains("cannot be read"))
                .then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_checked_form_takes_four_operations_of_dynamodb_too_and_when_warm_no_key() {
    let hotline = Hotline::open();
    let shop = Shop::open(&hotline, "test-human-counts", "6217", Provider::Turnstile).await;
    let seen = async || {
        let mut lines = lines(&hotline, "forms", &shop.tenant).await;
        lines.retain(|line| line["fn"] == "forms-requests" && line["tenant"] == shop.tenant.as_str());
        lines
    };
    for _ in 0..15 {
        let before = seen().await.len();
        let taken = shop.try_token(&shop.good()).await;
        assert_eq!(taken.status, 200, "{}", taken.text());
        let line = eventually("the form's line", async || {
            let mut lines = seen().await;
            (lines.len() > before).then(|| lines.pop().unwrap())
        });
        let calls = calls(&line.await);
        let of =
            |service: &str| calls.iter().filter(|(name, _)| name.starts_with(service)).map(|(_, n)| n).sum::<u32>();
        let keys = of("kms:");
        assert!(of("dynamodb:") - keys <= 4 && of("sqs:") <= 1 && of("s3:") == 0, "{calls:?}");
        if keys == 0 && of("secrets") == 0 {
            assert_eq!((of("dynamodb:"), of("sqs:")), (4, 1), "{calls:?}");
            return;
        }
    }
    panic!("fifteen forms, and none of them met a warm sandbox");
}

#[tokio::test]
async fn whoever_cannot_or_will_not_be_checked_is_taken_and_confirms_by_mail() {
    let hotline = Hotline::open();
    let shop = Shop::open(&hotline, "test-human-without", "6207", Provider::Turnstile).await;
    let email = planted::email("human-without");
    let without = shop.ask("delete", &shop.ticket().await, &email, &[]).await;
    assert_eq!(shop.human(&without).await, "unchecked:no-token");
    let declined =
        shop.ask("delete", &shop.ticket().await, &email, &[("unchecked", "on"), (shop.field(), "bad")]).await;
    assert_eq!(shop.human(&declined).await, "unchecked:declined");

    let request = shop.request(&without).await;
    let reference = request["sk"].as_str().unwrap();
    let link = eventually("the mail", async || {
        let mails = hotline.mails(&email).await;
        let spaced = format!("{} {} {}", &reference[..4], &reference[4..8], &reference[8..]);
        let (subject, text) = mails.into_iter().find(|(_, text)| text.contains(&spaced))?;
        assert!(!subject.contains(reference) && !subject.contains("Checked Shop"), "{subject}");
        let at = text.find("/forms/confirmation/").unwrap_or_else(|| panic!("no link: {text}"));
        Some(text[at..].split_whitespace().next().unwrap().to_owned())
    })
    .await;
    assert!(!link.contains(reference) && !link.contains(&shop.tenant), "{link}");
    let mut person = Person::new(&hotline);
    // Looking changes nothing.
    let page = person.get(&link).await;
    assert!(page.status() == 200 && page.text().contains("Checked Shop"), "{}", page.text());
    assert_eq!(shop.human(&without).await, "unchecked:no-token");
    for _ in 0..2 {
        let done = person.submit(&page, &["csrf"], &[]).await;
        assert!(done.status() == 200 && done.text().contains("knows now"), "{}", done.text());
        let request = shop.request(&without).await;
        assert_eq!((&request["human"], &request["state"]), (&json!("confirmed"), &json!("received")));
    }
    // The other request is another's link, and no link is anybody's.
    assert_eq!(shop.human(&declined).await, "unchecked:declined");
    let ticket = link.split('?').next().unwrap();
    for wrong in [format!("{ticket}x"), format!("/forms/confirmation/{}", "A".repeat(120))] {
        let seen = person.get(&wrong).await;
        assert!(seen.status() == 404 && seen.text().contains("all the same"), "{}", seen.text());
    }
    // Without the code of its page the answer is nobody's.
    let forged = person.once("POST", &link, &[("content-type", "application/x-www-form-urlencoded")], b"csrf=x").await;
    assert_eq!(forged.status(), 403);
}

#[tokio::test]
async fn a_check_that_is_down_slow_or_set_up_wrong_keeps_nobody_from_asking() {
    let hotline = Hotline::open();
    let code = "6208";
    let mut shop = Shop::open(&hotline, "test-human-down", code, Provider::RecaptchaAssessment).await;
    // No other test asks in the name of this project.
    let fault = |fault: Happens, delay_ms: u64| Fault {
        path: format!("/projects/project-{code}/"),
        method: None,
        fault,
        times: 1,
        delay_ms,
        retry_after: None,
    };
    for disturbed in [fault(Happens::Error, 0), fault(Happens::Slow, 6_000), fault(Happens::LostAnswer, 0)] {
        hotline.disturb(&disturbed).await;
        let taken = shop.try_token(&shop.good()).await;
        assert_eq!(shop.human(&taken).await, "unchecked:unreachable", "{disturbed:?}");
    }
    let saved = shop.set_up("a-secret-that-is-wrong").await;
    assert!(saved.target.ends_with("?human-check=saved"), "{}", saved.text());
    let taken = shop.try_token(&shop.good()).await;
    assert_eq!(shop.human(&taken).await, "unchecked:misconfigured");
    // An alarm counts these.
    eventually("an error in the log", async || {
        let lines = hotline.cloud.log(&hotline.at.log_groups["forms"], Some("not set up right")).await;
        lines.iter().any(|(_, line)| line.contains("\"level\":\"ERROR\"") && line.contains(&shop.tenant)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_secret_goes_in_and_never_comes_out() {
    let hotline = Hotline::open();
    let mut shop = Shop::open(&hotline, "test-human-secret", "6209", Provider::Turnstile).await;
    let secret = format!("secret-of-{}", shop.site_key);
    let page = shop.owner.get("/dashboard/settings").await;
    assert!(page.text().contains(&shop.site_key) && !page.text().contains(&secret), "{}", page.text());
    let key = [("pk", shop.tenant.as_str()), ("sk", "human-check")];
    let item = hotline.cloud.item(hotline.table("accounts"), &key).await.unwrap();
    assert!(!item.to_string().contains(&secret), "{item}");
    // Saved without a secret, the one that is there stays.
    let kept = shop.set_up("").await;
    assert!(kept.target.ends_with("?human-check=saved"), "{}", kept.text());
    let taken = shop.try_token(&shop.good()).await;
    assert_eq!(shop.human(&taken).await, "checked");
    // Somebody who saw an older version is told, and a field that is wrong says so.
    let stale = shop.owner.submit(&page, &["human-check", "site-key"], &[("secret", "another-secret")]).await;
    assert_eq!(stale.status(), 409, "{}", stale.text());
    shop.site_key = "no key".into();
    let wrong = shop.set_up("").await;
    assert!(wrong.status() == 422 && wrong.text().contains("f-human-site-key-error"), "{}", wrong.text());
    // Taken away, forms are taken without it, and their page asks nobody else for anything.
    let page = shop.owner.get("/dashboard/settings").await;
    let form = page.forms().into_iter().find(|form| form.value("human-check") == Some("remove")).unwrap();
    let gone = shop.owner.send_form(&form, &[]).await;
    assert!(gone.target.ends_with("?human-check=removed"), "{}", gone.text());
    let taken = shop.send(&shop.ticket().await, &planted::email("human-secret"), &[]).await;
    assert_eq!(shop.human(&taken).await, "unchecked:not-set-up");
    // An agent may look and not touch.
    shop.owner.become_a("agent").await;
    let page = shop.owner.get("/dashboard/settings").await;
    assert!(page.status() == 200 && page.forms().iter().all(|form| form.value("human-check").is_none()));
    assert_eq!(shop.owner.send_form(&form, &[]).await.status(), 403);
}

#[tokio::test]
async fn the_page_lets_in_its_own_check_and_nobody_elses() {
    let hotline = Hotline::open();
    let shop = Shop::open(&hotline, "test-human-page", "6210", Provider::Hcaptcha).await;
    let other = Person::owner_of(&hotline, "test-human-none", &[Code::new("6211", "Plain Shop")]).await;
    drop(other);
    let page = hotline.exchange("GET", &format!("/forms/{}?kind=opt-out", shop.code), &[], b"").await;
    let policy = page.header("content-security-policy").unwrap();
    let (html, from) = (page.text(), hotline.line.stack().standins.captcha.clone().unwrap());
    assert!(policy.contains(&format!("{from}captcha/")) && html.contains("h-captcha"), "{policy} {html}");
    assert!(html.contains(&shop.site_key) && html.contains("<noscript>"), "{html}");
    let plain = hotline.exchange("GET", "/forms/6211?kind=opt-out", &[], b"").await;
    assert!(!plain.header("content-security-policy").unwrap().contains("captcha"));
    assert!(!plain.text().contains(&shop.site_key) && !plain.text().contains("captcha"), "{}", plain.text());
}
