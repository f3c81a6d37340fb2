//! Privacy choices over the real thing: one click, an address or a number, and the browser's own signal; from our page, from
//! listed sites, and from everybody else.

use domain::reference::Reference;
use serde_json::{Value, json};
use tests::hotline::{Code, order};
use tests::person::Seen;
use tests::{Hotline, Person, eventually, planted};

const LISTED: &str = "https://shop.example";
const GPC: (&str, &str) = ("sec-gpc", "1");

/// A business that takes opt-outs from its own site.
struct Shop<'a> {
    hotline: &'a Hotline,
    tenant: String,
    code: &'static str,
}

impl<'a> Shop<'a> {
    async fn open(hotline: &'a Hotline, slug: &str, code: &'static str) -> Self {
        let mut wanted = order(slug, &[Code::new(code, "Choice & Sons")], &[]);
        wanted["tenant"]["service-codes"][0]["origins"] = json!([LISTED, "https://*.shops.example"]);
        let done = hotline.provision(&wanted).await.unwrap();
        Self { hotline, tenant: done["tenant"].as_str().unwrap().to_owned(), code }
    }

    fn page(&self) -> String {
        format!("/privacy-choices/{}", self.code)
    }

    /// Sends a signal as a script on some page does; the browser adds what it says itself.
    async fn signal(&self, origin: Option<&str>, headers: &[(&str, &str)], body: &Value) -> Seen {
        let mut all = vec![("content-type", "application/json"), ("sec-fetch-site", "cross-site")];
        all.extend(origin.map(|origin| ("origin", origin)));
        all.extend(headers);
        let target = format!("{}/signal", self.page());
        Person::new(self.hotline).once("POST", &target, &all, body.to_string().as_bytes()).await
    }

    async fn preflight(&self, origin: &str) -> Seen {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type"),
        ];
        Person::new(self.hotline).once("OPTIONS", &format!("{}/signal", self.page()), &headers, b"").await
    }

    /// Everything that the business was asked.
    async fn requests(&self) -> Vec<Value> {
        let filter = json!({
            "FilterExpression": "begins_with(pk, :tenant)",
            "ExpressionAttributeValues": { ":tenant": { "S": format!("{}#", self.tenant) } },
        });
        let all = self.hotline.cloud.scan(self.hotline.table("requests"), filter).await;
        all.iter().map(tests::cloud::plain).collect()
    }
}

fn body(seen: &Seen) -> Value {
    serde_json::from_slice(&seen.answer.body).unwrap_or_else(|_| panic!("no JSON: {}", seen.text()))
}

fn reference(seen: &Seen) -> String {
    let shown = seen.marked("id=\"reference\"").concat().replace(' ', "");
    Reference::parse(&shown).unwrap_or_else(|_| panic!("{shown} in {}", seen.text())).as_str().to_owned()
}

#[tokio::test]
async fn one_click_opts_a_browser_out_once_however_often_it_is_sent_and_keeps_no_cookie() {
    let hotline = Hotline::open();
    let shop = Shop::open(&hotline, "choices-click", "6601").await;
    let mut person = Person::new(&hotline);
    let page = person.get(&shop.page()).await;
    assert_eq!(page.status(), 200, "{}", page.text());
    let text = page.text();
    for words in [
        "Your Privacy Choices",
        "Do Not Sell or Share My Personal Information",
        "Limit the Use of My Sensitive Personal Information",
        "California Consumer Privacy Act (CCPA) Opt-Out Icon",
        "Choice &amp; Sons",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("gpc-honored") && page.answer.headers("set-cookie").is_empty(), "{text}");
    let form = page.form(&["id", "contact"]);
    let done = person.send_form(&form, &[]).await;
    assert_eq!(done.status(), 200, "{}", done.text());
    assert!(done.text().contains("One step is left") && !done.text().contains("Processed"), "{}", done.text());
    assert!(done.text().contains(&format!("{LISTED}/#optline-opt-out={}", shop.code)), "{}", done.text());
    assert!(done.answer.headers("set-cookie").is_empty());
    let again = person.send_form(&form, &[]).await;
    assert_eq!(reference(&again), reference(&done), "a double click");
    let requests = shop.requests().await;
    let [request] = requests.as_slice() else { panic!("{requests:#?}") };
    assert_eq!((&request["kind"], &request["channel"]), (&"opt-out".into(), &"form".into()));
    assert_eq!((&request["state"], &request["outcome"]), (&"completed".into(), &"complied-in-whole".into()));
    assert_eq!(request["events"].as_array().unwrap().len(), 4, "{request:#}");
    assert!(request.get("open_pk").is_none() && request["closed_pk"] == shop.tenant.as_str(), "{request:#}");
}

#[tokio::test]
async fn an_address_or_a_number_makes_it_the_opt_out_of_whoever_has_it() {
    let hotline = Hotline::open();
    let shop = Shop::open(&hotline, "choices-known", "6602").await;
    let mut person = Person::new(&hotline);
    let page = person.get(&format!("{}?lang=es", shop.page())).await;
    let form = page.form(&["id", "contact"]);
    let wrong = person.send_form(&form, &[("contact", "quetzal@")]).await;
    assert_eq!(wrong.status(), 422);
    assert!(wrong.text().contains("value=\"quetzal@\"") && wrong.text().contains("f-opt-out-contact-error"));
    assert!(shop.requests().await.is_empty());

    let by_email = person.send_form(&form, &[("contact", "Quetzalmarker@Example.com")]).await;
    assert!(by_email.text().contains("Recibida y en camino"), "{}", by_email.text());
    let number = planted::caller(planted::CHOICES, 0);
    let by_number = person.submit(&page, &["id", "contact"], &[("contact", &number[2..])]).await;
    // Whoever writes down somebody else's address on a form of their own is not given that somebody's number.
    let page = person.get(&shop.page()).await;
    let other = person.submit(&page, &["id", "contact"], &[("contact", "quetzalmarker@example.com")]).await;
    let references: std::collections::BTreeSet<String> =
        [&by_email, &by_number, &other].into_iter().map(reference).collect();
    assert_eq!(references.len(), 3);

    let requests = shop.requests().await;
    assert_eq!(requests.len(), 3, "{requests:#?}");
    for request in &requests {
        assert_eq!((&request["state"], &request["channel"]), (&"received".into(), &"form".into()));
        assert!(
            request.get("open_pk").is_some() && !request.to_string().to_lowercase().contains("quetzal"),
            "{request:#}"
        );
    }
    // The desk finds them by what they gave.
    let by_contact = requests.iter().filter(|request| request.get("contact_pk").is_some()).count();
    let by_address = requests.iter().filter(|request| request.get("email_pk").is_some()).count();
    assert_eq!((by_contact, by_address), (1, 2));
}

#[tokio::test]
async fn a_browser_that_sends_the_signal_is_told_at_once_that_it_is_honoured() {
    let hotline = Hotline::open();
    let shop = Shop::open(&hotline, "choices-gpc", "6603").await;
    for (language, words) in
        [("en", "Opt-out request honored"), ("es", "Se respeta su solicitud de no vender ni compartir")]
    {
        let target = format!("{}?lang={language}", shop.page());
        let seen = Person::new(&hotline).once("GET", &target, &[GPC], b"").await;
        assert!(seen.status() == 200 && seen.text().contains(words), "{}", seen.text());
    }
    let requests = shop.requests().await;
    let [request] = requests.as_slice() else { panic!("the same browser on the same day: {requests:#?}") };
    assert_eq!((&request["channel"], &request["outcome"]), (&"signal".into(), &"complied-in-whole".into()));
    let stored = request.to_string();
    assert!(!stored.contains("127.0.0.1") && !stored.contains("Firefox"), "{stored}");
}

#[tokio::test]
async fn every_page_that_knows_the_code_writes_the_signal_down_once_a_day() {
    let hotline = Hotline::open();
    let shop = Shop::open(&hotline, "choices-pages", "6612").await;
    for page in ["/forms/6612", "/privacy-notice/6612", "/privacy-choices/6612", "/forms/6612?kind=delete"] {
        for agent in ["one", "another"] {
            let seen = Person::new(&hotline).once("GET", page, &[GPC, ("user-agent", agent)], b"").await;
            assert!(seen.status() == 200 && seen.text().contains("gpc-honored"), "{page}: {}", seen.text());
        }
        let without = Person::new(&hotline).once("GET", page, &[], b"").await;
        assert!(!without.text().contains("gpc-honored"), "{page}");
    }
    // Where nothing is written down, nothing is said to be.
    let status = Person::new(&hotline).once("GET", "/status", &[GPC], b"").await;
    assert!(!status.text().contains("gpc-honored"), "{}", status.text());
    assert_eq!(shop.requests().await.len(), 1, "one browser's network on one day");
}

#[tokio::test]
async fn a_signal_after_a_request_that_was_closed_opens_another() {
    let hotline = Hotline::open();
    let shop = Shop::open(&hotline, "choices-again", "6613").await;
    let known = json!({ "identifier": { "email": planted::email("again") } });
    for _ in 0..2 {
        assert_eq!(shop.signal(Some(LISTED), &[GPC], &known).await.status(), 200);
    }
    let requests = shop.requests().await;
    let [request] = requests.as_slice() else { panic!("{requests:#?}") };
    let key = |name: &str| json!({ "S": request[name] });
    let close = json!({
        "TableName": hotline.table("requests"),
        "Key": { "pk": key("pk"), "sk": key("sk") },
        "UpdateExpression": "SET #state = :denied",
        "ExpressionAttributeNames": { "#state": "state" },
        "ExpressionAttributeValues": { ":denied": { "S": "denied" } },
    });
    hotline.cloud.call("dynamodb:UpdateItem", close).await;
    for _ in 0..2 {
        assert_eq!(shop.signal(Some(LISTED), &[GPC], &known).await.status(), 200);
    }
    let states: Vec<Value> = shop.requests().await.iter().map(|request| request["state"].clone()).collect();
    assert_eq!((states.len(), states.contains(&"received".into())), (2, true), "{states:?}");
}

#[tokio::test]
async fn limiting_takes_one_field_and_one_click() {
    let hotline = Hotline::open();
    let shop = Shop::open(&hotline, "choices-limit", "6614").await;
    let page = Person::new(&hotline).get(&shop.page()).await;
    assert!(page.text().contains("id=\"limit-use\""), "{}", page.text());
    let send = async |contact: &str| {
        let body = format!("kind=limit&id=f-0123456789abcdef&contact={contact}");
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
        Person::new(&hotline).once("POST", &shop.page(), &headers, body.as_bytes()).await
    };
    let empty = send("").await;
    assert!(empty.status() == 422 && empty.text().contains("f-limit-use-contact-error"), "{}", empty.text());
    assert!(shop.requests().await.is_empty());
    let done = send("quetzalmarker%40example.com").await;
    assert_eq!(done.status(), 200, "{}", done.text());
    let requests = shop.requests().await;
    let [request] = requests.as_slice() else { panic!("{requests:#?}") };
    assert_eq!((&request["kind"], &request["state"]), (&"limit".into(), &"received".into()));
}

#[tokio::test]
async fn a_listed_site_reports_the_signal_once_for_each_browser_and_each_person() {
    let hotline = Hotline::open();
    let shop = Shop::open(&hotline, "choices-signal", "6604").await;
    let browser = json!({ "browser": "b-0123456789abcdef" });
    let allowed = shop.preflight(LISTED).await;
    assert_eq!(allowed.status(), 204);
    let header = |seen: &Seen, name: &str| seen.answer.header(name).map(str::to_owned);
    assert_eq!(header(&allowed, "access-control-allow-origin").as_deref(), Some(LISTED));
    assert_eq!(header(&allowed, "access-control-allow-methods").as_deref(), Some("POST"));
    assert!(header(&allowed, "access-control-allow-credentials").is_none());

    let first = shop.signal(Some(LISTED), &[GPC], &browser).await;
    assert_eq!((first.status(), &body(&first)["honored"]), (200, &true.into()), "{}", first.text());
    assert_eq!(header(&first, "access-control-allow-origin").as_deref(), Some(LISTED));
    let again = shop.signal(Some("https://a.shops.example"), &[GPC], &browser).await;
    assert_eq!(body(&again), body(&first), "the same browser");
    let other = shop.signal(Some(LISTED), &[GPC], &json!({ "browser": "b-fedcba9876543210" })).await;
    assert_ne!(body(&other)["reference"], body(&first)["reference"]);
    for _ in 0..2 {
        let known = json!({ "browser": "b-0123456789abcdef", "identifier": { "email": "Quetzalmarker@example.com" } });
        let known = shop.signal(Some(LISTED), &[GPC], &known).await;
        assert_eq!(body(&known), json!({ "honored": true }), "nothing that tells whether it was said before");
    }
    let own = Person::new(&hotline).origin();
    assert_eq!(
        shop.signal(Some(&own), &[GPC], &browser).await.status(),
        403,
        "our own pages see the signal themselves"
    );

    let requests = shop.requests().await;
    let count = |state: &str| requests.iter().filter(|request| request["state"] == state).count();
    assert_eq!((requests.len(), count("completed"), count("received")), (3, 2, 1), "{requests:#?}");
    assert!(requests.iter().all(|request| request["channel"] == "signal" && request["kind"] == "opt-out"));
    assert!(!json!(requests).to_string().to_lowercase().contains("quetzal"));
}

#[tokio::test]
async fn what_only_looks_like_a_listed_site_is_refused_by_the_server_too() {
    let hotline = Hotline::open();
    let shop = Shop::open(&hotline, "choices-refused", "6605").await;
    let browser = json!({ "browser": "b-0123456789abcdef" });
    for origin in [
        "https://evil.example",
        "http://shop.example",
        "https://shop.example:8443",
        "https://shop.example.evil.example",
        "https://evilshop.example",
        "https://shop.example/",
        "https://SHOP.example",
        "https://shops.example",
        "https://evilshops.example",
        "https://a.shops.example.evil.example",
        "https://xn--shp-jma.example",
        "null",
        "*",
        "",
    ] {
        let seen = shop.signal(Some(origin), &[GPC], &browser).await;
        assert_eq!((seen.status(), &body(&seen)["honored"]), (403, &false.into()), "{origin}: {}", seen.text());
        assert!(seen.answer.header("access-control-allow-origin").is_none(), "{origin}");
        let asked = shop.preflight(origin).await;
        assert_eq!(asked.status(), 403, "{origin}");
        assert!(asked.answer.header("access-control-allow-origin").is_none(), "{origin}");
        // Nor may it make a choice on our page for whoever visits it.
        let headers = [
            ("origin", origin),
            ("sec-fetch-site", "cross-site"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let chosen = Person::new(&hotline).once("POST", &shop.page(), &headers, b"contact=").await;
        assert_eq!(chosen.status(), 403, "{origin}");
    }
    // A client that says nothing of where it comes from is no browser, and sends no signal.
    assert_eq!(shop.signal(None, &[GPC], &browser).await.status(), 403);
    assert!(shop.requests().await.is_empty());
}

#[tokio::test]
async fn only_the_browser_itself_says_that_it_sends_the_signal() {
    let hotline = Hotline::open();
    let shop = Shop::open(&hotline, "choices-no-signal", "6606").await;
    let said = json!({ "browser": "b-0123456789abcdef", "gpc": true, "sec-gpc": "1" });
    for headers in [&[][..], &[("sec-gpc", "0")], &[("sec-gpc", "true")]] {
        let seen = shop.signal(Some(LISTED), headers, &said).await;
        assert_eq!((seen.status(), &body(&seen)["honored"]), (422, &false.into()), "{headers:?}: {}", seen.text());
        assert_eq!(seen.answer.header("access-control-allow-origin"), Some(LISTED), "the site's owner can read why");
    }
    for wrong in [json!({ "browser": "x" }), json!({ "identifier": { "email": "x" } }), json!("x"), json!(1)] {
        assert_eq!(shop.signal(Some(LISTED), &[GPC], &wrong).await.status(), 422, "{wrong}");
    }
    assert!(shop.requests().await.is_empty());
}

#[tokio::test]
async fn a_code_that_nobody_has_and_anothers_code_give_nothing_away() {
    let hotline = Hotline::open();
    let a = Shop::open(&hotline, "choices-a", "6607").await;
    let mut wanted = order("choices-b", &[Code::new("6608", "Other Shop")], &[]);
    wanted["tenant"]["service-codes"][0]["origins"] = json!(["https://other.example"]);
    hotline.provision(&wanted).await.unwrap();
    let b = Shop { hotline: &hotline, tenant: hotline.tenant_id("choices-b").await, code: "6608" };
    // Listed with one business is not listed with the other.
    assert_eq!(a.signal(Some("https://other.example"), &[GPC], &json!({})).await.status(), 403);
    assert_eq!(b.signal(Some(LISTED), &[GPC], &json!({})).await.status(), 403);
    assert_eq!(b.signal(Some("https://other.example"), &[GPC], &json!({})).await.status(), 200);
    assert_eq!((a.requests().await.len(), b.requests().await.len()), (0, 1));
    let nobodys = Shop { hotline: &hotline, tenant: a.tenant.clone(), code: "66999999" };
    assert_eq!(nobodys.signal(Some(LISTED), &[GPC], &json!({})).await.status(), 404);
    assert_eq!(Person::new(&hotline).get(&nobodys.page()).await.status(), 404);
    assert_eq!(Person::new(&hotline).get("/privacy-choices/x%23y").await.status(), 404);
}

#[tokio::test]
async fn a_flood_of_one_code_is_slowed_and_leaves_the_others_open() {
    let hotline = Hotline::open();
    let (flooded, other) =
        (Shop::open(&hotline, "choices-flood", "6609").await, Shop::open(&hotline, "choices-calm", "6610").await);
    let mut statuses = vec![];
    for n in 0..300 {
        let body = json!({ "browser": format!("b-flood-of-browsers-{n}") });
        statuses.push(flooded.signal(Some(LISTED), &[GPC], &body).await.status());
        if statuses.last() == Some(&429) {
            break;
        }
    }
    assert!(statuses.contains(&429) && statuses.iter().all(|status| matches!(status, 200 | 429)), "{statuses:?}");
    // The people who fill in the form or choose on the page are not held up by what browsers send.
    let page = Person::new(&hotline).get(&flooded.page()).await;
    let chosen = Person::new(&hotline).submit(&page, &["id", "contact"], &[("contact", &planted::email("calm"))]).await;
    assert_eq!(chosen.status(), 200, "{}", chosen.text());
    // The page itself is shown, and what the browser says is honoured, all the same.
    let seen = Person::new(&hotline).once("GET", &flooded.page(), &[GPC], b"").await;
    assert!(seen.status() == 200 && seen.text().contains("Opt-out request honored"));
    assert_eq!(other.signal(Some(LISTED), &[GPC], &json!({ "browser": "b-0123456789abcdef" })).await.status(), 200);
}

#[tokio::test]
async fn signals_are_counted_in_the_figures_of_11_ccr_7102() {
    let hotline = Hotline::open();
    let (mut owner, _, tenant) =
        Person::owner_of(&hotline, "choices-counted", &[Code::new("6611", "Counting Shop")]).await;
    let mut wanted = order("choices-counted", &[Code::new("6611", "Counting Shop")], &[]);
    wanted["tenant"]["service-codes"][0]["origins"] = json!([LISTED]);
    hotline.provision(&wanted).await.unwrap();
    let shop = Shop { hotline: &hotline, tenant: tenant.clone(), code: "6611" };
    for n in 0..3 {
        let browser = json!({ "browser": format!("b-0123456789abcde{n}") });
        for _ in 0..2 {
            assert_eq!(shop.signal(Some(LISTED), &[GPC], &browser).await.status(), 200);
        }
    }
    let known = json!({ "identifier": { "phone": planted::caller(planted::CHOICES, 1) } });
    assert_eq!(shop.signal(Some(LISTED), &[GPC], &known).await.status(), 200);

    let year = shop.requests().await[0]["received_on"].as_str().unwrap()[..4].to_owned();
    let tally = eventually("four opt-outs in the report", async || {
        let file = owner.get(&format!("/dashboard/report?year={year}&scope=all&format=json")).await;
        let report: Value = serde_json::from_str(&file.text()).ok()?;
        let rows = report["report"]["rows"].as_array()?.clone();
        let opt_out = rows.into_iter().find(|row| row["sort"] == "opt-out")?;
        (opt_out["tally"]["received"] == 4).then(|| opt_out["tally"].clone())
    })
    .await;
    let whole = tally.as_object().unwrap().iter().find(|(name, _)| name.contains("whole")).map(|(_, n)| n.clone());
    assert_eq!(whole, Some(3.into()), "{tally}");
    let log = owner.get("/dashboard/request-log?format=json").await;
    let log: Value = serde_json::from_str(&log.text()).unwrap();
    let rows = log["requests"].as_array().unwrap();
    assert!(rows.len() == 4 && rows.iter().all(|row| row["channel"] == "signal"), "{log}");
}
