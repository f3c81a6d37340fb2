//! The stand-ins over a real connection, as the product and the tests use them.

use std::net::Ipv4Addr;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::received::Entry;
use crate::twilio::{Account, CallDeposit, Credentials, Deposited};

const ACCOUNT: &str = "AC00000000000000000000000000000001";

struct Standins {
    http: Client,
    address: String,
}

impl Standins {
    async fn up() -> Standins {
        Standins::with(Credentials::Given(Account { account_sid: ACCOUNT.into(), auth_token: "token".into() })).await
    }

    async fn with(credentials: Credentials) -> Standins {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, crate::app(credentials)).await });
        Standins { http: Client::builder().no_proxy().build().unwrap(), address }
    }

    /// A request to Twilio's API with the right credentials.
    fn twilio(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/2010-04-01/Accounts/{ACCOUNT}/{path}", self.address);
        self.http.request(method, url).basic_auth(ACCOUNT, Some("token"))
    }

    async fn post(&self, path: &str, body: &Value) -> reqwest::Response {
        let request = self.http.post(format!("{}{path}", self.address)).header("content-type", "application/json");
        request.body(body.to_string()).send().await.unwrap()
    }

    async fn record(&self, transcript: Option<&str>) -> Deposited {
        let body = json!({ "call_sid": "CA1", "duration": 3, "audio": "c291bmQ=", "transcript": transcript });
        read(self.post("/_standin/recordings", &body).await).await
    }

    async fn calls(&self, query: &str) -> Value {
        read(self.twilio(Method::GET, &format!("Calls.json?{query}")).send().await.unwrap()).await
    }
}

async fn read<T: serde::de::DeserializeOwned>(response: reqwest::Response) -> T {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

async fn status(request: RequestBuilder) -> StatusCode {
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn a_recording_is_fetched_deleted_once_and_then_gone() {
    let standins = Standins::up().await;
    let kept = standins.record(Some("my name is Kim")).await;
    let (sid, transcription) = (kept.sid, kept.transcription_sid.unwrap());
    for kind in ["", ".wav", ".mp3"] {
        let audio = standins.twilio(Method::GET, &format!("Recordings/{sid}{kind}")).send().await.unwrap();
        assert_eq!(audio.bytes().await.unwrap(), "sound");
    }
    let about: Value =
        read(standins.twilio(Method::GET, &format!("Recordings/{sid}.json")).send().await.unwrap()).await;
    assert_eq!((&about["call_sid"], &about["duration"]), (&json!("CA1"), &json!("3")));
    let text: Value =
        read(standins.twilio(Method::GET, &format!("Transcriptions/{transcription}.json")).send().await.unwrap()).await;
    assert_eq!(text["transcription_text"], "my name is Kim");

    for path in [format!("Transcriptions/{transcription}.json"), format!("Recordings/{sid}")] {
        assert_eq!(status(standins.twilio(Method::DELETE, &path)).await, StatusCode::NO_CONTENT);
        let gone = standins.twilio(Method::DELETE, &path).send().await.unwrap();
        assert_eq!(gone.status(), StatusCode::NOT_FOUND);
        let body: Value = read(gone).await;
        assert_eq!((&body["code"], &body["status"]), (&json!(20404), &json!(404)));
    }
    assert_eq!(status(standins.twilio(Method::GET, &format!("Recordings/{sid}.mp3"))).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn without_the_accounts_credentials_nothing_is_answered() {
    let standins = Standins::up().await;
    let url = format!("{}/2010-04-01/Accounts/{ACCOUNT}/Calls.json", standins.address);
    assert_eq!(status(standins.http.get(&url)).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(standins.http.get(&url).basic_auth(ACCOUNT, Some("other"))).await, StatusCode::UNAUTHORIZED);
    let other = url.replace(ACCOUNT, "AC2");
    assert_eq!(status(standins.http.get(other).basic_auth(ACCOUNT, Some("token"))).await, StatusCode::NOT_FOUND);
    assert_eq!(status(standins.http.get(url).basic_auth(ACCOUNT, Some("token"))).await, StatusCode::OK);
}

#[tokio::test]
async fn credentials_in_a_file_may_come_later_and_change() {
    let file = std::env::temp_dir().join(format!("standins-{:x}.json", fastrand::u64(..)));
    let standins = Standins::with(Credentials::File(file.clone())).await;
    let calls = || standins.twilio(Method::GET, "Calls.json");
    assert_eq!(status(calls()).await, StatusCode::UNAUTHORIZED);
    for (token, expected) in [("token", StatusCode::OK), ("rotated", StatusCode::UNAUTHORIZED)] {
        std::fs::write(&file, json!({ "account_sid": ACCOUNT, "auth_token": token }).to_string()).unwrap();
        assert_eq!(status(calls()).await, expected);
    }
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn a_message_is_kept_and_an_incomplete_one_refused() {
    let standins = Standins::up().await;
    let send = |body: &'static str| {
        let form = "application/x-www-form-urlencoded";
        standins.twilio(Method::POST, "Messages.json").header("content-type", form).body(body).send()
    };
    let accepted = send("To=%2B12135550142&From=%2B18665550100&Body=Hello").await.unwrap();
    assert_eq!(accepted.status(), StatusCode::CREATED);
    let message: Value = read(accepted).await;
    assert_eq!((&message["status"], &message["to"]), (&json!("queued"), &json!("+12135550142")));
    for (body, code) in [("From=a&Body=b", 21604), ("To=a&Body=b", 21603), ("To=a&From=b", 21602)] {
        let refused: Value = read(send(body).await.unwrap()).await;
        assert_eq!(refused["code"], code);
    }
    let received: Vec<Entry> =
        read(standins.http.get(format!("{}/_standin/requests?path=Messages", standins.address)).send().await.unwrap())
            .await;
    assert_eq!((received.len(), received[0].status, received[1].status), (4, 201, 400));
    assert!(received[0].form.contains(&("Body".into(), "Hello".into())));
}

#[tokio::test]
async fn calls_are_listed_newest_first_in_pages_and_by_their_start() {
    let standins = Standins::up().await;
    for day in 1..=5 {
        let call = CallDeposit {
            sid: format!("CA{day}"),
            from: "+12135550142".into(),
            to: "+18665550100".into(),
            status: "completed".into(),
            start_time: format!("2026-11-0{day}T12:00:00Z").parse().unwrap(),
            duration: 61,
        };
        assert_eq!(standins.post("/_standin/calls", &json!(call)).await.status(), StatusCode::CREATED);
    }
    let sids = |list: &Value| -> Vec<String> {
        list["calls"].as_array().unwrap().iter().map(|call| call["sid"].as_str().unwrap().to_owned()).collect()
    };
    let first = standins.calls("PageSize=2").await;
    assert_eq!(sids(&first), ["CA5", "CA4"]);
    let call = &first["calls"][0];
    assert_eq!((&call["duration"], &call["price"]), (&json!("61"), &json!("-0.0440")));
    assert_eq!(call["start_time"], "Thu, 5 Nov 2026 12:00:00 +0000");
    let next = format!("{}{}", standins.address, first["next_page_uri"].as_str().unwrap());
    let second: Value = read(standins.http.get(next).basic_auth(ACCOUNT, Some("token")).send().await.unwrap()).await;
    assert_eq!(sids(&second), ["CA3", "CA2"]);
    let last = standins.calls("PageSize=2&Page=2").await;
    assert_eq!((sids(&last), last["next_page_uri"].is_null()), (vec!["CA1".into()], true));

    assert_eq!(sids(&standins.calls("StartTime%3E=2026-11-04").await), ["CA5", "CA4"]);
    assert_eq!(sids(&standins.calls("StartTime%3E=2026-11-02&StartTime%3C=2026-11-03").await), ["CA3", "CA2"]);
    assert_eq!(sids(&standins.calls("StartTime%3E=2026-11-05T13:00:00Z").await), Vec::<String>::new());
    assert_eq!(sids(&standins.calls("StartTime=2026-11-02").await), ["CA2"]);
    assert_eq!(standins.calls("StartTime%3E=yesterday").await["code"], 20001);
}

#[tokio::test]
async fn disturbances_happen_as_often_as_asked_and_only_where() {
    let standins = Standins::up().await;
    let sid = standins.record(None).await.sid;
    let path = format!("Recordings/{sid}");
    let fetch = || standins.twilio(Method::GET, &path);
    let plan = async |fault: Value| standins.post("/_standin/faults", &fault).await.status();

    assert_eq!(plan(json!({ "path": "Recordings", "fault": "rate_limited", "times": 2, "retry_after": 7 })).await, 204);
    assert_eq!(status(standins.twilio(Method::GET, "Calls.json")).await, StatusCode::OK);
    let refused = fetch().send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    assert_eq!(status(fetch()).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(status(fetch()).await, StatusCode::OK);

    assert_eq!(plan(json!({ "fault": "error", "method": "DELETE" })).await, 204);
    assert_eq!(status(fetch()).await, StatusCode::OK);
    assert_eq!(status(standins.twilio(Method::DELETE, &path)).await, StatusCode::INTERNAL_SERVER_ERROR);

    assert_eq!(plan(json!({ "fault": "not_found" })).await, 204);
    assert_eq!(status(fetch()).await, StatusCode::NOT_FOUND);

    assert_eq!(plan(json!({ "fault": "slow", "delay_ms": 60 })).await, 204);
    let started = std::time::Instant::now();
    assert_eq!(status(fetch()).await, StatusCode::OK);
    assert!(started.elapsed().as_millis() >= 60);

    assert_eq!(plan(json!({ "fault": "lost_answer" })).await, 204);
    assert!(standins.twilio(Method::DELETE, &path).send().await.is_err());
    assert_eq!(status(fetch()).await, StatusCode::NOT_FOUND);

    assert_eq!(plan(json!({ "fault": "meteorite" })).await, 422);
}

#[tokio::test]
async fn a_person_can_look_at_what_was_sent_and_markup_in_it_stays_text() {
    let standins = Standins::up().await;
    let form = "application/x-www-form-urlencoded";
    let request = standins.twilio(Method::POST, "Messages.json").header("content-type", form);
    status(request.body("To=%2B12135550142&From=%2B18665550100&Body=%3Cscript%3E")).await;
    let page = standins.http.get(&standins.address).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Body=&lt;script&gt;") && !page.contains("<script>"));
    assert!(!page.contains("token"), "credentials are not shown");
    assert_eq!(status(standins.http.get(format!("{}/health", standins.address))).await, StatusCode::OK);
}

impl Standins {
    async fn token(&self, wanted: &Value) -> String {
        let made: Value = read(self.post("/_standin/captcha/tokens", wanted).await).await;
        made["token"].as_str().unwrap().to_owned()
    }

    async fn verify(&self, path: &str, fields: &[(&str, &str)]) -> Value {
        let request = self.http.post(format!("{}/captcha/{path}/siteverify", self.address)).form(fields);
        read(request.send().await.unwrap()).await
    }
}

const TURNSTILE: &str = "challenges.cloudflare.com/turnstile/v0";

#[tokio::test]
async fn a_captcha_token_is_good_once_and_the_same_question_gets_the_same_answer() {
    let standins = Standins::up().await;
    let wanted = json!({"provider": "turnstile", "site_key": "key", "hostname": "shop.example", "action": "x"});
    let token = standins.token(&wanted).await;
    let ask = |again: &'static str| {
        let fields = vec![("secret", "secret-of-key"), ("response", token.as_str()), ("idempotency_key", again)];
        let standins = &standins;
        async move { standins.verify(TURNSTILE, &fields).await }
    };
    for _ in 0..2 {
        let good = ask("one").await;
        assert_eq!((&good["success"], &good["hostname"]), (&json!(true), &json!("shop.example")));
    }
    assert_eq!(ask("two").await["error-codes"], json!(["timeout-or-duplicate"]));
}

#[tokio::test]
async fn a_captcha_token_is_worth_what_its_provider_says() {
    let standins = Standins::up().await;
    let token = async |provider: &str, more: Value| {
        let mut wanted = json!({"provider": provider, "site_key": "key", "hostname": "shop.example", "action": "x"});
        wanted.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        standins.token(&wanted).await
    };
    let (google, hcaptcha) = ("www.google.com/recaptcha/api", "api.hcaptcha.com");
    let right = "secret-of-key";
    for (path, provider, more, secret, code) in [
        (google, "recaptcha-v2", json!({"age_seconds": 121}), right, "timeout-or-duplicate"),
        (google, "recaptcha-v2", json!({}), "wrong", "invalid-input-secret"),
        (google, "recaptcha-v2", json!({"refused": true}), right, "invalid-input-response"),
        (google, "turnstile", json!({}), right, "invalid-input-response"),
        (hcaptcha, "hcaptcha", json!({"age_seconds": 121}), right, "expired-input-response"),
        (TURNSTILE, "turnstile", json!({"age_seconds": 301}), right, "timeout-or-duplicate"),
    ] {
        let token = token(provider, more).await;
        let said = standins.verify(path, &[("secret", secret), ("response", &token)]).await;
        assert_eq!(said["error-codes"], json!([code]), "{path}");
    }
    let scored = token("recaptcha-v3", json!({"score": 0.3})).await;
    let said = standins.verify(google, &[("secret", right), ("response", &scored)]).await;
    assert_eq!((&said["score"], &said["action"]), (&json!(0.3), &json!("x")));
    let mismatch = token("hcaptcha", json!({})).await;
    let fields = [("secret", right), ("response", mismatch.as_str()), ("sitekey", "other")];
    assert_eq!(standins.verify(hcaptcha, &fields).await["error-codes"], json!(["sitekey-secret-mismatch"]));
}

#[tokio::test]
async fn an_assessment_takes_its_key_in_a_header_and_says_why_a_token_is_not_valid() {
    let standins = Standins::up().await;
    let wanted = json!({"provider": "recaptcha-assessment", "site_key": "key", "hostname": "h", "action": "x"});
    let token = standins.token(&wanted).await;
    let url = format!("{}/captcha/recaptchaenterprise.googleapis.com/v1/projects/shop/assessments", standins.address);
    let ask = |key: &'static str| {
        let event = json!({"event": {"token": token, "siteKey": "key", "expectedAction": "x"}});
        let request = standins.http.post(&url).header("content-type", "application/json");
        request.header("x-goog-api-key", key).body(event.to_string()).send()
    };
    assert_eq!(ask("wrong").await.unwrap().status(), StatusCode::BAD_REQUEST);
    let good: Value = read(ask("secret-of-key").await.unwrap()).await;
    assert_eq!((&good["tokenProperties"]["valid"], &good["riskAnalysis"]["score"]), (&json!(true), &json!(0.9)));
    let again: Value = read(ask("secret-of-key").await.unwrap()).await;
    assert_eq!(again["tokenProperties"]["invalidReason"], "DUPE");
}

#[tokio::test]
async fn the_widgets_are_at_the_addresses_of_their_providers() {
    let standins = Standins::up().await;
    for path in [
        "challenges.cloudflare.com/turnstile/v0/api.js",
        "js.hcaptcha.com/1/api.js?hl=en",
        "www.google.com/recaptcha/api.js?render=key",
        "www.google.com/recaptcha/enterprise.js?render=key",
    ] {
        let script = standins.http.get(format!("{}/captcha/{path}", standins.address)).send().await.unwrap();
        assert_eq!(script.headers()["content-type"], "text/javascript; charset=utf-8", "{path}");
    }
    let shown = [("provider", "turnstile"), ("site_key", "key-fail"), ("hostname", "h"), ("action", "x")];
    let made = standins.http.post(format!("{}/captcha/tokens", standins.address)).form(&shown).send().await.unwrap();
    assert_eq!(made.headers()["access-control-allow-origin"], "*");
    let made: Value = read(made).await;
    let fields = [("secret", "secret-of-key-fail"), ("response", made["token"].as_str().unwrap())];
    assert_eq!(standins.verify(TURNSTILE, &fields).await["error-codes"], json!(["invalid-input-response"]));
}
