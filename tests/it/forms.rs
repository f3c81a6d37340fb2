//! The web form through the API, by clients that keep no rule of browsers: what is taken, what is refused, and once.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::hotline::{Code, order, owner};
use tests::person::Person;
use tests::unseal::bytes;
use tests::wire::Answer;
use tests::{Hotline, eventually, in_dozens, planted};

const SITE: &str = "https://shop.example";
const FORM: &str = "application/x-www-form-urlencoded";

/// A business with one code, which lists a site.
struct Shop {
    hotline: Hotline,
    tenant: String,
    code: String,
}

impl Shop {
    async fn open(slug: &str, code: &str) -> Self {
        let hotline = Hotline::open();
        let mut wanted = order(slug, &[Code::new(code, "Corner <Shop>")], &[]);
        wanted["tenant"]["service-codes"][0]["origins"] = json!([SITE, "https://*.shops.example"]);
        wanted["tenant"]["service-codes"][0]["accent"] = json!("#0a5c8f");
        let done = hotline.provision(&wanted).await.unwrap_or_else(|why| panic!("{slug}: {why}"));
        Self { hotline, tenant: done["tenant"].as_str().unwrap().to_owned(), code: code.to_owned() }
    }

    fn path(&self) -> String {
        format!("/forms/{}/requests", self.code)
    }

    /// A ticket, as the hosted page has it.
    async fn ticket(&self) -> String {
        let page = self.hotline.exchange("GET", &format!("/forms/{}?kind=opt-out", self.code), &[], b"").await;
        assert_eq!(page.status, 200, "{}", page.text());
        ticket_of(&page)
    }

    async fn send(&self, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut all = vec![("content-type", FORM)];
        all.extend(headers);
        self.hotline.exchange("POST", &self.path(), &all, body.as_bytes()).await
    }

    async fn send_json(&self, origin: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json"), ("origin", origin), ("sec-fetch-site", "cross-site")];
        self.hotline.exchange("POST", &self.path(), &headers, body.to_string().as_bytes()).await
    }

    /// Every request that the shop has.
    async fn requests(&self) -> Vec<Value> {
        self.hotline.cloud.items_with(self.hotline.table("requests"), "open_pk", &self.tenant).await
    }

    async fn request(&self, reference: &str) -> Value {
        let requests = self.requests().await;
        let found = requests.into_iter().find(|request| request["sk"] == reference);
        found.unwrap_or_else(|| panic!("no request {reference}"))
    }

    /// What is sealed in a request under a name.
    async fn sealed(&self, request: &Value, name: &str) -> Option<String> {
        let (pk, sk) = (request["pk"].as_str().unwrap(), request["sk"].as_str().unwrap());
        let salt = self.hotline.salt(&self.tenant, sk).await;
        let opened =
            self.hotline.roots(&self.tenant).await.open(&salt, ["requests", pk, sk, name], &bytes(request.get(name)?));
        Some(String::from_utf8(opened.expect("it opens")).unwrap())
    }
}

fn ticket_of(page: &Answer) -> String {
    let html = page.text();
    let (_, rest) = html.split_once("name=\"ticket\" value=\"").unwrap_or_else(|| panic!("no ticket: {html}"));
    rest.split('"').next().unwrap().to_owned()
}

/// The number on a receipt, as it is stored.
fn reference_of(page: &Answer) -> String {
    let html = page.text();
    let (_, rest) = html.split_once("id=\"reference\">").unwrap_or_else(|| panic!("no receipt: {html}"));
    rest.split('<').next().unwrap().chars().filter(char::is_ascii_digit).collect()
}

fn id() -> String {
    format!("form-{:032x}", fastrand::u128(..))
}

#[tokio::test]
async fn a_request_by_the_hosted_form_is_filed_sealed_and_received() {
    let shop = Shop::open("test-forms-hosted", "6101").await;
    let (email, phone) = (planted::email("hosted"), planted::caller(planted::FORMS, 0));
    let (name, details) = (planted::words("is my name"), planted::words("is wrong"));
    let ticket = shop.ticket().await;
    let fields = [
        ("ticket", ticket.as_str()),
        ("kind", "correct"),
        ("name", &name),
        ("email", &email),
        ("phone", &phone),
        ("residence", "us-ca"),
        ("details", &details),
        ("homepage", ""),
    ];
    let answer = shop.send(&[], &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
    assert!(answer.text().contains(&email) && answer.text().contains("Corner &lt;Shop&gt;"), "{}", answer.text());
    let request = shop.request(&reference_of(&answer)).await;
    assert_eq!(owner(&request), shop.tenant);
    for (name, value) in [
        ("kind", "correct"),
        ("state", "received"),
        ("channel", "form"),
        ("code", "6101"),
        ("requester", "myself"),
        ("human", "unchecked:not-set-up"),
        ("residence", "us-ca"),
    ] {
        assert_eq!(request[name], value, "{name}: {request:#}");
    }
    assert!(request["confirmed_at"].is_string() && request.get("origin").is_none(), "{request:#}");
    for (attribute, said) in [("name", &name), ("email", &email), ("contact", &phone), ("details", &details)] {
        assert_eq!(shop.sealed(&request, attribute).await.as_deref(), Some(said.as_str()), "{attribute}");
    }
    // It came faster than anybody types, and says so to the business alone.
    assert_eq!(request["hints"], json!(["too-fast"]), "{request:#}");
    // The receipt is on its way, with nothing personal in its subject.
    let mails =
        eventually("the receipt", async || Some(shop.hotline.mails(&email).await).filter(|mails| !mails.is_empty()))
            .await;
    let (subject, text) = &mails[0];
    assert!(text.contains(&spaced(&reference_of(&answer))) && !subject.contains("Corner"), "{subject} {text}");
}

/// `1234 5678 9012`, as a number is shown.
fn spaced(reference: &str) -> String {
    reference.as_bytes().chunks(4).map(|group| str::from_utf8(group).unwrap()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn an_opt_out_keeps_one_identifier_and_nothing_else_that_was_sent() {
    let shop = Shop::open("test-forms-opt-out", "6102").await;
    let phone = planted::caller(planted::FORMS, 1);
    let name = planted::words("is not asked");
    let body =
        json!({ "id": id(), "kind": "opt-out", "contact": phone, "name": name, "details": name, "residence": "us-ca" });
    let answer = shop.send_json(SITE, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("access-control-allow-origin"), Some(SITE));
    let said: Value = serde_json::from_slice(&answer.body).unwrap();
    let request = shop.request(said["reference"].as_str().unwrap()).await;
    assert_eq!(said["respond_by"], request["respond_by"]);
    assert!(said["status"].as_str().unwrap().ends_with("/status?code=6102&lang=en"), "{said}");
    assert_eq!(shop.sealed(&request, "contact").await, Some(phone));
    for nothing in ["name", "details", "email", "residence", "agent_name"] {
        assert!(request.get(nothing).is_none(), "{nothing}: {request:#}");
    }
    assert_eq!(request["origin"], SITE);
}

#[tokio::test]
async fn an_agent_is_kept_sealed_beside_the_person_they_ask_for() {
    let shop = Shop::open("test-forms-agent", "6103").await;
    let (agent, email) = (planted::words("is the agent"), planted::email("agent"));
    let ticket = shop.ticket().await;
    let fields = [
        ("ticket", ticket.as_str()),
        ("kind", "limit"),
        ("requester", "agent"),
        ("contact", &planted::email("client")),
        ("agent-name", &agent),
        ("agent-email", &email),
    ];
    let answer = shop.send(&[], &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let request = shop.request(&reference_of(&answer)).await;
    assert_eq!(request["requester"], "agent");
    assert_eq!(shop.sealed(&request, "agent_name").await, Some(agent));
    assert_eq!(shop.sealed(&request, "agent_email").await.as_ref(), Some(&email));
    let mails = async || shop.hotline.mails(&email).await;
    eventually("the agent's receipt", async || (!mails().await.is_empty()).then_some(())).await;
}

#[tokio::test]
async fn whoever_is_not_listed_is_refused_and_nothing_is_kept() {
    let shop = Shop::open("test-forms-origins", "6104").await;
    let ticket = shop.ticket().await;
    let ours = shop.hotline.line.stack().base_url.origin().ascii_serialization();
    for other in [
        "null",
        "https://evil.example",
        "http://shop.example",
        "https://shop.example:8443",
        "https://www.shop.example",
        "https://shop.example.evil.example",
        "https://notshop.example",
        "https://shops.example",
        "https://evilshops.example",
        "https://SHOP.EXAMPLE",
        "https://shop.example.",
        "https://xn--shp-hoa.example",
        &ours.replace("http://", "https://"),
        &format!("{ours}1"),
    ] {
        let fields = [("ticket", ticket.as_str()), ("id", &id()), ("kind", "opt-out"), ("contact", "ana@mail.example")];
        let answer = shop.send(&[("origin", other), ("sec-fetch-site", "cross-site")], &fields).await;
        assert_eq!(answer.status, 403, "{other}: {}", answer.text());
        assert!(answer.text().contains("Service codes"), "it says what to do: {}", answer.text());
        let answer =
            shop.send_json(other, &json!({ "id": id(), "kind": "opt-out", "contact": "ana@mail.example" })).await;
        assert_eq!(answer.status, 403, "{other}: {}", answer.text());
        assert_eq!(answer.header("access-control-allow-origin"), None, "{other}");
        let asks = [("origin", other), ("access-control-request-method", "POST")];
        let answer = shop.hotline.exchange("OPTIONS", &shop.path(), &asks, b"").await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (403, None), "{other}");
    }
    // A browser that hides its origin still says that it comes from elsewhere.
    let hidden = shop
        .send(
            &[("sec-fetch-site", "cross-site")],
            &[("ticket", &ticket), ("kind", "opt-out"), ("contact", "ana@mail.example")],
        )
        .await;
    assert_eq!(hidden.status, 403);
    assert_eq!(shop.requests().await, Vec::<Value>::new());

    for listed in [SITE, "https://a.shops.example", "https://a.b.shops.example"] {
        let asks = [("origin", listed), ("access-control-request-method", "POST")];
        let answer = shop.hotline.exchange("OPTIONS", &shop.path(), &asks, b"").await;
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (204, Some(listed)),
            "{}",
            answer.text()
        );
        assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
        let answer =
            shop.send_json(listed, &json!({ "id": id(), "kind": "opt-out", "contact": "ana@mail.example" })).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[tokio::test]
async fn a_form_that_is_sent_again_and_again_or_all_at_once_is_one_request() {
    let shop = Shop::open("test-forms-once", "6105").await;
    let ticket = shop.ticket().await;
    let contact = planted::email("once");
    let fields = [("ticket", ticket.as_str()), ("kind", "opt-out"), ("contact", contact.as_str())];
    let at_once = futures::future::join_all((0..8).map(|_| shop.send(&[], &fields))).await;
    let references: BTreeSet<String> = at_once.iter().map(reference_of).collect();
    assert_eq!(references.len(), 1, "{references:?}");
    assert_eq!(reference_of(&shop.send(&[], &fields).await), *references.first().unwrap());
    assert_eq!(shop.requests().await.len(), 1);
    // Back, and something else is asked with the same form: that is another request, and the first one stays.
    let fields = [("ticket", ticket.as_str()), ("kind", "limit"), ("contact", contact.as_str())];
    let other = reference_of(&shop.send(&[], &fields).await);
    assert!(!references.contains(&other));
    assert_eq!(shop.requests().await.len(), 2);
    // One receipt for each.
    let mails = async || shop.hotline.mails(&contact).await.len();
    eventually("both receipts", async || (mails().await >= 2).then_some(())).await;
    assert_eq!(mails().await, 2);
}

#[tokio::test]
async fn what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost() {
    let shop = Shop::open("test-forms-wrong", "6106").await;
    let ticket = shop.ticket().await;
    let name = planted::words("<b>is my name</b>");
    let fields = [("ticket", ticket.as_str()), ("kind", "delete"), ("name", &name), ("email", "not an address")];
    let answer = shop.send(&[], &fields).await;
    assert_eq!(answer.status, 422);
    let html = answer.text();
    assert!(html.contains("id=\"f-request-email-error\"") && html.contains("value=\"not an address\""), "{html}");
    assert!(html.contains("&lt;b&gt;is my name&lt;/b&gt;") && !html.contains("<b>is my name"), "{html}");
    // The ticket of the form that comes back makes the same request as the first would have.
    assert!(!ticket_of(&answer).is_empty());
    // A ticket that is none, of another code, or missing: the form again, with all that was typed.
    let other = Shop::open("test-forms-wrong-too", "6107").await;
    for wrong in ["", "AAAA", &other.ticket().await] {
        let fields = [("ticket", wrong), ("kind", "delete"), ("name", &name), ("email", "ana@mail.example")];
        let answer = shop.send(&[], &fields).await;
        assert_eq!(answer.status, 422, "{wrong}");
        assert!(answer.text().contains("value=\"ana@mail.example\""), "{}", answer.text());
        let again = ticket_of(&answer);
        let fields = [("ticket", again.as_str()), ("kind", "delete"), ("name", &name), ("email", "ana@mail.example")];
        assert_eq!(shop.send(&[], &fields).await.status, 200, "{wrong}");
    }
    for (body, status) in [
        (json!({ "kind": "opt-out", "contact": "ana@mail.example" }), 422),
        (json!({ "id": "short", "kind": "opt-out", "contact": "ana@mail.example" }), 422),
        (json!({ "id": id(), "kind": "opt-out", "contact": 7 }), 422),
        (json!(["opt-out"]), 422),
        (json!({ "id": id(), "kind": "opt-out", "contact": "x".repeat(200_000) }), 413),
    ] {
        let answer = shop.send_json(SITE, &body).await;
        assert_eq!(answer.status, status, "{body:.80} {}", answer.text());
        // The site's script can read what is wrong, whoever noticed it.
        assert!(matches!(answer.header("access-control-allow-origin"), Some(SITE | "*")), "{body:.80}");
    }
    assert_eq!(other.requests().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_flood_of_one_code_leaves_the_others_open() {
    let (flooded, other) = (Shop::open("test-forms-flood", "6108").await, Shop::open("test-forms-calm", "6109").await);
    let mut refused = 0;
    for n in 0..3 {
        let forms = (0..20).map(|_| {
            let body = json!({ "id": id(), "kind": "opt-out", "contact": planted::email("flood") });
            async { flooded.send_json(SITE, &{ body }).await }
        });
        let answers = in_dozens(forms).await;
        refused += answers.iter().filter(|answer| answer.status == 429).count();
        for answer in &answers {
            assert!(matches!(answer.status, 200 | 429), "{n}: {} {}", answer.status, answer.text());
            if answer.status == 429 {
                assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() <= 60);
            }
        }
    }
    // At most two minutes' worth, should one have begun meanwhile.
    assert!(refused >= 20, "{refused} of 60 were refused");
    assert_eq!(flooded.requests().await.len(), 60 - refused);
    let body = json!({ "id": id(), "kind": "opt-out", "contact": planted::email("calm") });
    assert_eq!(other.send_json(SITE, &body).await.status, 200);
}

#[tokio::test]
async fn whoever_goes_back_finds_the_page_that_they_left_and_no_answer_stays_behind() {
    let shop = Shop::open("test-forms-back", "6115").await;
    let page = shop.hotline.exchange("GET", "/forms/6115?kind=opt-out", &[], b"").await;
    // A browser that may not store a page asks for a new one, whose ticket makes another request.
    assert_eq!(page.header("cache-control"), Some("private, no-cache"));
    let ticket = ticket_of(&page);
    let contact = planted::email("back");
    let fields = [("ticket", ticket.as_str()), ("kind", "opt-out"), ("contact", contact.as_str())];
    let wrong = shop.send(&[], &[("ticket", ticket.as_str()), ("kind", "opt-out"), ("contact", "me")]).await;
    let answers = [wrong, shop.send(&[], &fields).await, shop.send(&[], &fields).await];
    for answer in &answers {
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{}", answer.status);
    }
    assert_eq!(reference_of(&answers[1]), reference_of(&answers[2]));
    assert_eq!(shop.requests().await.len(), 1);
}

#[tokio::test]
async fn an_address_gets_ten_receipts_a_day_and_every_request_is_kept() {
    let shop = Shop::open("test-forms-mails", "6116").await;
    let contact = planted::email("mails");
    for _ in 0..12 {
        let answer = shop.send_json(SITE, &json!({ "id": id(), "kind": "opt-out", "contact": contact })).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(shop.requests().await.len(), 12);
    let said = "a receipt is not sent";
    eventually("two that are not sent", async || {
        let lines = shop.hotline.cloud.log(&shop.hotline.at.log_groups["jobs"], Some(said)).await;
        (lines.len() >= 2).then_some(())
    })
    .await;
    eventually("the ten", async || (shop.hotline.mails(&contact).await.len() >= 10).then_some(())).await;
    assert_eq!(shop.hotline.mails(&contact).await.len(), 10);
}

/// Counts as many forms of a code as are taken in a minute, from everywhere: for this one and the next.
pub(crate) async fn flood(hotline: &Hotline, code: &str) {
    #[expect(clippy::disallowed_methods, reason = "the service counts by the real minute")]
    let minute = jiff::Timestamp::now().as_second().div_euclid(60);
    for window in [minute, minute + 1] {
        for shard in 0..16 {
            let item = json!({
                "pk": { "S": format!("throttle#form#{code}#{shard}#{window}") },
                "all": { "N": "60" },
                "expires_at": { "N": ((window + 2) * 60).to_string() },
            });
            let put = json!({ "TableName": hotline.table("sessions"), "Item": item });
            hotline.cloud.call("dynamodb:PutItem", put).await;
        }
    }
}

#[tokio::test]
async fn a_flood_from_everywhere_stops_at_its_code_and_loses_nothing_that_was_typed() {
    let (flooded, other) = (Shop::open("test-forms-busy", "6117").await, Shop::open("test-forms-idle", "6118").await);
    let ticket = flooded.ticket().await;
    flood(&flooded.hotline, "6117").await;
    let contact = planted::email("busy");
    let fields = [("ticket", ticket.as_str()), ("kind", "opt-out"), ("contact", contact.as_str())];
    let answer = flooded.send(&[], &fields).await;
    assert_eq!(answer.status, 429, "{}", answer.text());
    assert!(answer.text().contains(&format!("value=\"{contact}\"")), "{}", answer.text());
    assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() <= 60);
    let body = json!({ "id": id(), "kind": "opt-out", "contact": contact });
    let answer = flooded.send_json(SITE, &body).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (429, Some(SITE)));
    assert_eq!(flooded.requests().await, Vec::<Value>::new());
    assert_eq!(other.send_json(SITE, &body).await.status, 200);
}

#[tokio::test]
async fn markup_in_every_field_is_text_and_never_markup() {
    const MARKUP: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>";
    let shop = Shop::open("test-forms-markup", "6119").await;
    let ticket = shop.ticket().await;
    let is_text = |answer: &Answer, what: &str| {
        let html = answer.text();
        for live in ["<script>alert", "<img src=x"] {
            assert!(!html.contains(live), "{what} runs what was typed: {html}");
        }
    };
    let names = [
        "name",
        "email",
        "phone",
        "contact",
        "residence",
        "details",
        "agent-name",
        "agent-email",
        "agent-company",
        "homepage",
        "kind",
        "requester",
        "ticket",
        "unchecked",
    ];
    for kind in ["opt-out", "limit", "delete", "know-categories", "know-specific", "correct", "message"] {
        for requester in ["myself", "agent", "parent"] {
            // All at once, with a ticket and without.
            let mut fields: Vec<(&str, &str)> = names.iter().map(|name| (*name, MARKUP)).collect();
            for (name, good) in [("kind", kind), ("requester", requester), ("ticket", ticket.as_str())] {
                let answer = shop.send(&[], &fields).await;
                assert!(matches!(answer.status, 422 | 429), "{kind} {requester}: {}", answer.text());
                is_text(&answer, &format!("{kind} {requester} before {name}"));
                fields.retain(|(there, _)| *there != name);
                fields.push((name, good));
            }
            let answer = shop.send(&[], &fields).await;
            is_text(&answer, &format!("{kind} {requester}"));
        }
    }
    for name in names.into_iter().chain(["parent", "embed", "lang", "step"]) {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("kind", "delete")
            .append_pair(name, MARKUP)
            .finish();
        let page = shop.hotline.exchange("GET", &format!("/forms/6119?{query}&embed=1"), &[], b"").await;
        is_text(&page, name);
    }
    let origin = "https://\"><script>alert(1)</script>.example";
    let refused = shop.send(&[("origin", origin)], &[("ticket", &ticket)]).await;
    assert_eq!(refused.status, 403);
    is_text(&refused, "origin");
}

#[tokio::test]
async fn what_a_form_says_is_text_in_the_receipt_in_the_mail_and_at_the_desk() {
    const MARKUP: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>";
    let hotline = Hotline::open();
    let (mut owner, _, tenant) = Person::owner_of(&hotline, "test-forms-read", &[Code::new("6120", MARKUP)]).await;
    let shop = Shop { hotline: Hotline::open(), tenant, code: "6120".to_owned() };
    let (ticket, email) = (shop.ticket().await, planted::email("markup"));
    let fields = [
        ("ticket", ticket.as_str()),
        ("kind", "correct"),
        ("requester", "agent"),
        ("agent-name", MARKUP),
        ("agent-email", &email),
        ("agent-company", MARKUP),
        ("name", MARKUP),
        ("email", &email),
        ("details", MARKUP),
        ("homepage", MARKUP),
    ];
    let answer = shop.send(&[], &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let desk = owner.get(&format!("/dashboard/request/{}", reference_of(&answer))).await;
    assert!(desk.text().contains("&lt;script&gt;alert(1)"), "what was typed is there, as text: {}", desk.text());
    let mail = eventually("the receipt", async || {
        Some(hotline.mails_html(&email).await.concat()).filter(|html| !html.is_empty())
    })
    .await;
    for html in [answer.text(), desk.text(), mail] {
        assert!(!html.contains("<script>alert") && !html.contains("<img src=x"), "{html}");
    }
}

#[tokio::test]
async fn a_code_of_one_business_never_files_at_another() {
    let (a, b) = (Shop::open("test-forms-a", "6110").await, Shop::open("test-forms-b", "6111").await);
    let ticket = a.ticket().await;
    let form = id();
    // The same form's id and the same words, at both: two requests, each at its own.
    let body = json!({ "id": form, "kind": "opt-out", "contact": planted::email("both") });
    let said = [a.send_json(SITE, &body).await, b.send_json(SITE, &body).await];
    let said = said.map(|answer| serde_json::from_slice::<Value>(&answer.body).unwrap()["reference"].clone());
    assert_ne!(said[0], said[1]);
    let fields = [("ticket", ticket.as_str()), ("kind", "limit"), ("contact", "ana@mail.example")];
    assert_eq!(b.send(&[], &fields).await.status, 422);
    assert_eq!((a.requests().await.len(), b.requests().await.len()), (1, 1));
    assert_eq!(owner(&a.request(said[0].as_str().unwrap()).await), a.tenant);
}

#[tokio::test]
async fn a_code_that_is_unknown_or_closed_says_what_to_do() {
    let hotline = Hotline::open();
    let closed = Code { active: false, ..Code::new("6112", "Closed Shop") };
    hotline.tenant("test-forms-closed", &[closed], &[]).await;
    for code in ["6112", "6199", "0", "x", "123456789"] {
        for (method, path) in [("GET", format!("/forms/{code}")), ("POST", format!("/forms/{code}/requests"))] {
            let answer = hotline.exchange(method, &path, &[("content-type", FORM)], b"kind=opt-out").await;
            assert_eq!(answer.status, 404, "{method} {path}");
            assert!(answer.text().contains("There is no form here"), "{}", answer.text());
            // Inside a site's page, too.
            assert!(answer.header("content-security-policy").unwrap().contains("frame-ancestors *"), "{method} {path}");
            assert_eq!(answer.header("x-frame-options"), None);
        }
    }
}

#[tokio::test]
async fn the_form_is_framed_by_listed_sites_only_and_speaks_to_none_but_them() {
    let shop = Shop::open("test-forms-frame", "6113").await;
    let get = async |query: &str| shop.hotline.exchange("GET", &format!("/forms/6113{query}"), &[], b"").await;
    let hosted = get("?lang=es").await;
    assert!(hosted.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
    assert_eq!(hosted.header("x-frame-options"), Some("DENY"));
    assert!(hosted.text().contains("<html lang=\"es\"") && hosted.text().contains("theme.0a5c8f.css"));
    let framed = get("?embed=1&parent=https%3A%2F%2Fshop.example&kind=delete").await;
    let policy = framed.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors https://shop.example https://*.shops.example;"), "{policy}");
    assert_eq!(framed.header("x-frame-options"), None);
    assert!(framed.text().contains("data-parent=\"https://shop.example\""), "{}", framed.text());
    for other in ["https%3A%2F%2Fevil.example", "null", "*", "https%3A%2F%2Fshop.example.evil.example", ""] {
        let framed = get(&format!("?embed=1&parent={other}")).await;
        assert!(!framed.text().contains("data-parent") && !framed.text().contains("frame."), "{other}");
    }
}

#[tokio::test]
async fn the_script_is_what_the_snippet_says_and_kept_for_good_under_its_version() {
    let shop = Shop::open("test-forms-embed", "6114").await;
    let get = async |query: &str| {
        shop.hotline.exchange("GET", &format!("/forms/6114/embed.js{query}"), &[("origin", SITE)], b"").await
    };
    let newest = get("").await;
    assert_eq!((newest.status, newest.header("access-control-allow-origin")), (200, Some("*")));
    assert!(newest.header("cache-control").unwrap().contains("max-age=300"));
    let version = tests::unseal::sha256(&newest.body)[..16].to_owned();
    let named = get(&format!("?v={version}")).await;
    assert!(named.header("cache-control").unwrap().contains("immutable"));
    assert_eq!(named.body, newest.body);
    let tag = newest.header("etag").unwrap();
    let again = shop.hotline.exchange("GET", "/forms/6114/embed.js", &[("if-none-match", tag)], b"").await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert!(!get("?v=0000000000000000").await.header("cache-control").unwrap().contains("immutable"));
}
