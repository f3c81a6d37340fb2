//! What answers are worth, and the client against a server on this machine.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body as HttpBody;
use axum::extract::{Request, State};
use axum::response::Response;
use domain::human_check::ACTION;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;

const HOST: &str = "hotline.example";
const SECRET: &str = "a-secret-that-nobody-may-see";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-11-22T12:00:00Z")
}

fn settings(provider: Provider) -> Settings {
    Settings {
        provider,
        site_key: "1x00000000000000000000AA".into(),
        project: provider.needs_project().then(|| "shop-forms".into()),
        least_score: provider.gives_score().then_some(Score::USUAL),
    }
}

fn attempt<'a>(token: &'a str, origins: &'a [Origin]) -> Attempt<'a> {
    Attempt {
        token,
        address: "192.0.2.7",
        agent: "Firefox",
        action: ACTION,
        host: HOST,
        origins,
        form: "form-1",
        at: now(),
    }
}

/// What a provider says of a token that everything speaks for.
fn good(provider: Provider) -> Value {
    match provider {
        Provider::RecaptchaAssessment => json!({
            "name": "projects/1/assessments/2",
            "event": {"token": "t", "siteKey": "1x00000000000000000000AA", "expectedAction": ACTION},
            "riskAnalysis": {"score": 0.9, "reasons": []},
            "tokenProperties": {
                "valid": true, "hostname": HOST, "action": ACTION, "createTime": "2026-11-22T11:59:30.123Z",
                "invalidReason": "INVALID_REASON_UNSPECIFIED",
            },
        }),
        Provider::RecaptchaV3 => json!({
            "success": true, "challenge_ts": "2026-11-22T11:59:30Z", "hostname": HOST, "score": 0.9, "action": ACTION,
        }),
        Provider::RecaptchaV2 => json!({"success": true, "challenge_ts": "2026-11-22T11:59:30Z", "hostname": HOST}),
        Provider::Turnstile => json!({
            "success": true, "error-codes": [], "challenge_ts": "2026-11-22T11:59:30.629Z", "hostname": HOST,
            "action": ACTION, "cdata": "", "metadata": {"interactive": false},
        }),
        Provider::Hcaptcha => json!({
            "success": true, "challenge_ts": "2026-11-22T11:59:30.000000Z", "hostname": HOST, "credit": false,
        }),
    }
}

fn verdict_of(provider: Provider, answer: &Value) -> Verdict {
    let answer = answer.to_string();
    check_of(provider).verdict(&settings(provider), &attempt("t", &[]), 200, answer.as_bytes())
}

/// The same answer with one of its fields changed.
fn with(provider: Provider, names: [&str; 2], value: Value) -> Value {
    let mut answer = good(provider);
    match (provider, names) {
        (Provider::RecaptchaAssessment, [_, "score"]) => answer["riskAnalysis"]["score"] = value,
        (Provider::RecaptchaAssessment, [_, name]) => answer["tokenProperties"][name] = value,
        (_, [name, _]) => answer[name] = value,
    }
    answer
}

#[test]
fn a_token_that_everything_speaks_for_is_a_persons() {
    for provider in Provider::ALL {
        let score = provider.gives_score().then(|| Score::of(0.9).unwrap());
        assert_eq!(verdict_of(provider, &good(provider)), Verdict::Human { score }, "{provider}");
    }
}

#[test]
fn a_token_from_another_site_is_nobodys_whatever_else_speaks_for_it() {
    for provider in Provider::ALL {
        for host in ["evil.example", "hotline.example.evil.test", "xhotline.example", "", "example"] {
            let answer = with(provider, ["hostname", "hostname"], host.into());
            assert_eq!(verdict_of(provider, &answer), Verdict::NotHuman(Refusal::WrongHost), "{provider} {host}");
        }
        let shown = with(provider, ["hostname", "hostname"], "Hotline.Example.".into());
        assert!(matches!(verdict_of(provider, &shown), Verdict::Human { .. }), "{provider}");
    }
    // The business's own sites do as well.
    let origins = [Origin::parse("https://*.shop.example").unwrap()];
    let answer = with(Provider::Turnstile, ["hostname", ""], "www.shop.example".into()).to_string();
    let check = check_of(Provider::Turnstile);
    let said = check.verdict(&settings(Provider::Turnstile), &attempt("t", &origins), 200, answer.as_bytes());
    assert_eq!(said, Verdict::Human { score: None });
}

#[test]
fn a_token_for_something_else_is_nobodys_where_the_provider_says_what_it_is_for() {
    for provider in Provider::ALL {
        for action in [json!("login"), json!(""), Value::Null] {
            let said = verdict_of(provider, &with(provider, ["action", "action"], action));
            let refused = said == Verdict::NotHuman(Refusal::WrongAction);
            assert_eq!(refused, provider.says_action(), "{provider} {said:?}");
        }
    }
}

#[test]
fn a_token_is_good_for_as_long_as_its_provider_lets_it_be() {
    for (provider, last) in [
        (Provider::Turnstile, "2026-11-22T11:54:30Z"),
        (Provider::RecaptchaV2, "2026-11-22T11:57:30Z"),
        (Provider::RecaptchaV3, "2026-11-22T11:57:30Z"),
        (Provider::RecaptchaAssessment, "2026-11-22T11:57:30Z"),
        (Provider::Hcaptcha, "2026-11-22T11:57:30Z"),
    ] {
        let of = |made_at: Timestamp| {
            verdict_of(provider, &with(provider, ["challenge_ts", "createTime"], made_at.to_string().into()))
        };
        let second = SignedDuration::from_secs(1);
        assert!(matches!(of(at(last)), Verdict::Human { .. }), "{provider}");
        assert_eq!(of(at(last) - second), Verdict::NotHuman(Refusal::Expired), "{provider}");
        assert!(matches!(of(now() + CLOCKS_DIFFER), Verdict::Human { .. }), "{provider}");
        assert_eq!(of(now() + CLOCKS_DIFFER + second), Verdict::NotHuman(Refusal::Expired), "{provider}");
    }
}

#[test]
fn a_score_counts_from_what_the_business_asks_for() {
    for provider in [Provider::RecaptchaV3, Provider::RecaptchaAssessment] {
        let of = |score: f64| verdict_of(provider, &with(provider, ["score", "score"], score.into()));
        assert_eq!(of(0.5), Verdict::Human { score: Score::of(0.5) });
        assert_eq!(of(0.49), Verdict::NotHuman(Refusal::LowScore));
        assert_eq!(of(0.0), Verdict::NotHuman(Refusal::LowScore));
        assert!(matches!(of(7.0), Verdict::Unavailable(Trouble::Unreachable(_))));
        // A threshold that is not set is the usual one, never none.
        let unset = Settings { least_score: None, ..settings(provider) };
        let low = with(provider, ["score", "score"], 0.4.into()).to_string();
        let said = check_of(provider).verdict(&unset, &attempt("t", &[]), 200, low.as_bytes());
        assert_eq!(said, Verdict::NotHuman(Refusal::LowScore));
    }
}

#[test]
fn what_providers_refuse_is_told_apart_from_what_is_our_own_mistake() {
    let codes = |codes: Value| json!({"success": false, "error-codes": codes});
    for provider in [Provider::RecaptchaV2, Provider::RecaptchaV3, Provider::Turnstile, Provider::Hcaptcha] {
        let of = |said: Value| verdict_of(provider, &codes(said));
        for (code, refusal) in [
            ("invalid-input-response", Refusal::Invalid),
            ("missing-input-response", Refusal::Invalid),
            ("browser-error", Refusal::Invalid),
            ("a code of tomorrow", Refusal::Invalid),
            ("timeout-or-duplicate", Refusal::ExpiredOrDuplicate),
            ("invalid-or-already-seen-response", Refusal::ExpiredOrDuplicate),
            ("already-seen-response", Refusal::Duplicate),
            ("expired-input-response", Refusal::Expired),
        ] {
            assert_eq!(of(json!([code])), Verdict::NotHuman(refusal), "{provider} {code}");
        }
        assert_eq!(of(json!([])), Verdict::NotHuman(Refusal::Invalid));
        for code in
            ["invalid-input-secret", "missing-input-secret", "invalid-keys", "sitekey-secret-mismatch", "bad-request"]
        {
            let said = of(json!(["timeout-or-duplicate", code]));
            assert!(matches!(said, Verdict::Unavailable(Trouble::Misconfigured(_))), "{provider} {code} {said:?}");
        }
        assert!(matches!(of(json!(["internal-error"])), Verdict::Unavailable(Trouble::Unreachable(_))));
        // Both at once is neither.
        let both = with(provider, ["error-codes", ""], json!(["timeout-or-duplicate"]));
        assert_eq!(verdict_of(provider, &both), Verdict::NotHuman(Refusal::ExpiredOrDuplicate));
    }
}

#[test]
fn an_assessment_says_why_a_token_is_not_valid() {
    let of = |reason: &str| json!({"tokenProperties": {"valid": false, "invalidReason": reason}});
    for (reason, refusal) in [
        ("DUPE", Refusal::Duplicate),
        ("EXPIRED", Refusal::Expired),
        ("MALFORMED", Refusal::Invalid),
        ("MISSING", Refusal::Invalid),
        ("BROWSER_ERROR", Refusal::Invalid),
        ("UNKNOWN_INVALID_REASON", Refusal::Invalid),
        ("", Refusal::Invalid),
    ] {
        assert_eq!(verdict_of(Provider::RecaptchaAssessment, &of(reason)), Verdict::NotHuman(refusal), "{reason}");
    }
    // What is left out is as low as it can be.
    let answer = json!({"tokenProperties": {}});
    assert_eq!(verdict_of(Provider::RecaptchaAssessment, &answer), Verdict::NotHuman(Refusal::Invalid));
    let mut answer = good(Provider::RecaptchaAssessment);
    answer["riskAnalysis"] = json!({"reasons": ["AUTOMATION"]});
    assert_eq!(verdict_of(Provider::RecaptchaAssessment, &answer), Verdict::NotHuman(Refusal::LowScore));
    for status in [400, 401, 403, 404] {
        let problem = json!({"error": {"code": status, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}});
        let check = check_of(Provider::RecaptchaAssessment);
        let settings = settings(Provider::RecaptchaAssessment);
        let said = check.verdict(&settings, &attempt("t", &[]), status, problem.to_string().as_bytes());
        assert!(matches!(said, Verdict::Unavailable(Trouble::Misconfigured(_))), "{status} {said:?}");
    }
}

/// What Google says to its public test keys of reCAPTCHA v2, and Cloudflare to its own: they pass everybody, on a host that
/// is nobody's, so a business that left them in refuses everybody instead.
#[test]
fn test_keys_that_were_left_in_let_nobody_pass_unseen() {
    let recaptcha = json!({"success": true, "challenge_ts": "2026-11-22T11:59:59Z", "hostname": "testkey.google.com"});
    let turnstile = json!({
        "success": true, "error-codes": [], "challenge_ts": "2026-11-22T11:59:59.000Z", "hostname": "example.com",
    });
    for (provider, answer) in [(Provider::RecaptchaV2, recaptcha), (Provider::Turnstile, turnstile)] {
        assert_eq!(verdict_of(provider, &answer), Verdict::NotHuman(Refusal::WrongHost));
    }
    let spent = json!({"success": false, "error-codes": ["timeout-or-duplicate"]});
    assert_eq!(verdict_of(Provider::Turnstile, &spent), Verdict::NotHuman(Refusal::ExpiredOrDuplicate));
}

#[test]
fn a_host_that_hcaptcha_does_not_tell_is_not_the_visitors_fault() {
    let answer = with(Provider::Hcaptcha, ["hostname", ""], "not-provided".into());
    assert!(matches!(verdict_of(Provider::Hcaptcha, &answer), Verdict::Unavailable(Trouble::Unreachable(_))));
}

#[test]
fn each_provider_is_asked_in_its_own_words() {
    for provider in Provider::ALL {
        let question = check_of(provider).question(&settings(provider), SECRET, &attempt("token", &[]));
        insta::assert_debug_snapshot!(format!("question_{provider}"), question);
    }
}

#[test]
fn a_page_loads_from_the_provider_or_from_its_stand_in_and_from_nobody_else() {
    let here = Base::new(Some("http://127.0.0.1:4580/captcha/")).unwrap();
    for provider in Provider::ALL {
        let settings = settings(provider);
        let script = widget::script(&settings, domain::language::Language::Spanish, &Base::default());
        let sources = widget::sources(provider, &Base::default());
        let host = |address: &str| address.strip_prefix("https://").unwrap().split('/').next().unwrap().to_owned();
        let fits = |source: &String| match host(source).strip_prefix("*.") {
            Some(below) => host(&script).ends_with(&format!(".{below}")),
            None => script.starts_with(source.as_str()),
        };
        assert!(sources.iter().any(fits), "{script} {sources:?}");
        let script = widget::script(&settings, domain::language::Language::Spanish, &here);
        assert!(script.starts_with(&widget::sources(provider, &here)[0]), "{script}");
    }
    for wrong in ["http://captcha.example", "https://user@captcha.example", "nonsense", "https://x.example/?a"] {
        assert!(Base::new(Some(wrong)).is_err(), "{wrong}");
    }
}

#[derive(Clone, Default)]
struct Provided {
    answers: Arc<Mutex<VecDeque<(u16, Duration, String)>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Provided {
    async fn answering(answers: impl IntoIterator<Item = (u16, Duration, Value)>) -> (Self, Client) {
        let answers = answers.into_iter().map(|(status, wait, body)| (status, wait, body.to_string()));
        let provided = Self { answers: Arc::new(Mutex::new(answers.collect())), ..Self::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/captcha", listener.local_addr().unwrap());
        let app = Router::new().fallback(Self::answer).with_state(provided.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (provided, Client::new(Base::new(Some(&base)).unwrap()))
    }

    async fn answer(State(provided): State<Self>, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let said = format!("{} {} {}", parts.method, parts.uri, String::from_utf8_lossy(&body));
        provided.asked.lock().unwrap().push(said);
        let (status, wait, body) = provided.answers.lock().unwrap().pop_front().unwrap();
        tokio::time::sleep(wait).await;
        Response::builder().status(status).header("location", "/elsewhere").body(HttpBody::from(body)).unwrap()
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

const AT_ONCE: Duration = Duration::ZERO;

#[tokio::test]
async fn every_provider_is_asked_over_a_real_connection() {
    for provider in Provider::ALL {
        let (provided, client) = Provided::answering([(200, AT_ONCE, good(provider))]).await;
        let said = client.verify(&settings(provider), SECRET, &attempt("token", &[])).await;
        assert!(matches!(said, Verdict::Human { .. }), "{provider} {said:?}");
        let asked = provided.asked();
        let host = check_of(provider).question(&settings(provider), SECRET, &attempt("token", &[])).host;
        assert!(asked.len() == 1 && asked[0].starts_with(&format!("POST /captcha/{host}/")), "{asked:?}");
        assert!(!asked[0].split(' ').nth(1).unwrap().contains(SECRET), "no secret is in an address");
    }
}

#[tokio::test]
async fn only_a_question_that_may_be_repeated_is_asked_once_more_and_is_the_same_then() {
    let (provided, client) =
        Provided::answering([(500, AT_ONCE, json!({})), (200, AT_ONCE, good(Provider::Turnstile))]).await;
    let said = client.verify(&settings(Provider::Turnstile), SECRET, &attempt("token", &[])).await;
    assert_eq!(said, Verdict::Human { score: None });
    let asked = provided.asked();
    assert!(asked.len() == 2 && asked[0] == asked[1] && asked[0].contains("idempotency_key="), "{asked:?}");
    let (provided, client) = Provided::answering([(503, AT_ONCE, json!({}))]).await;
    let said = client.verify(&settings(Provider::RecaptchaV2), SECRET, &attempt("token", &[])).await;
    assert!(matches!(said, Verdict::Unavailable(Trouble::Unreachable(_))), "{said:?}");
    assert_eq!(provided.asked().len(), 1);
}

#[tokio::test]
async fn a_provider_that_is_slow_gone_or_leads_elsewhere_is_not_waited_for() {
    let started = Instant::now();
    let (_, client) = Provided::answering([
        (200, Duration::from_secs(20), good(Provider::Turnstile)),
        (200, Duration::from_secs(20), good(Provider::Turnstile)),
    ])
    .await;
    let said = client.verify(&settings(Provider::Turnstile), SECRET, &attempt("token", &[])).await;
    assert_eq!(said, Verdict::Unavailable(Trouble::Unreachable("no answer in time")));
    assert!(started.elapsed() < PATIENCE + Duration::from_secs(1), "{:?}", started.elapsed());
    let gone = Client::new(Base::new(Some("http://127.0.0.1:9/captcha")).unwrap());
    let said = gone.verify(&settings(Provider::Hcaptcha), SECRET, &attempt("token", &[])).await;
    assert_eq!(said, Verdict::Unavailable(Trouble::Unreachable("no connection")));
    let (provided, client) =
        Provided::answering([(302, AT_ONCE, good(Provider::Hcaptcha)), (200, AT_ONCE, json!({}))]).await;
    // The answer counts as it is: nobody goes after it with the secret.
    let _ = client.verify(&settings(Provider::Hcaptcha), SECRET, &attempt("token", &[])).await;
    assert_eq!(provided.asked().len(), 1);
    let (_, client) = Provided::answering([(200, AT_ONCE, json!("x".repeat(ANSWER_LIMIT)))]).await;
    let said = client.verify(&settings(Provider::Hcaptcha), SECRET, &attempt("token", &[])).await;
    assert_eq!(said, Verdict::Unavailable(Trouble::Unreachable("its answer is too long")));
}

#[tokio::test]
async fn what_cannot_be_a_token_is_asked_of_nobody() {
    let (provided, client) = Provided::answering([]).await;
    for token in ["", " ", "a b", "ñ", "a\nb", &"x".repeat(LONGEST_TOKEN + 1)] {
        let said = client.verify(&settings(Provider::Turnstile), SECRET, &attempt(token, &[])).await;
        assert_eq!(said, Verdict::NotHuman(Refusal::Invalid), "{token:?}");
    }
    assert_eq!(provided.asked(), Vec::<String>::new());
}

/// Any JSON, not too deep.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (0.0..2.0_f64).prop_map(Value::from),
        prop_oneof![Just(HOST), Just(ACTION), Just("2026-11-22T11:59:59Z"), Just("true"), Just("")]
            .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| prop::collection::vec(inner, 0..3).prop_map(Value::from))
}

proptest! {
    #[test]
    fn no_answer_however_odd_makes_a_person_unless_everything_speaks_for_it(
        provider in prop::sample::select(&Provider::ALL[..]),
        changes in prop::collection::vec((0..7_usize, prop::option::of(anything())), 0..4),
        status in 200..500_u16,
    ) {
        let mut answer = good(provider);
        let assessment = provider == Provider::RecaptchaAssessment;
        for (which, value) in changes {
            let (part, name) = if assessment {
                [("tokenProperties", "valid"), ("tokenProperties", "hostname"), ("tokenProperties", "action"),
                 ("tokenProperties", "createTime"), ("riskAnalysis", "score"), ("", "riskAnalysis"), ("", "tokenProperties")][which]
            } else {
                ("", ["success", "hostname", "action", "challenge_ts", "score", "error-codes", "cdata"][which])
            };
            let place = if part.is_empty() { answer.as_object_mut() } else { answer.get_mut(part).and_then(Value::as_object_mut) };
            let Some(place) = place else { continue };
            match value {
                Some(value) => { place.insert(name.to_owned(), value); }
                None => { place.remove(name); }
            }
        }
        let text = answer.to_string();
        let said = check_of(provider).verdict(&settings(provider), &attempt("t", &[]), status, text.as_bytes());
        if let Verdict::Human { score } = said {
            let (token, risk) = if assessment { (&answer["tokenProperties"], &answer["riskAnalysis"]) } else { (&answer, &answer) };
            prop_assert_eq!(&token[if assessment { "valid" } else { "success" }], &Value::Bool(true));
            let host = token["hostname"].as_str().unwrap();
            prop_assert_eq!(host.trim_end_matches('.').to_ascii_lowercase(), HOST);
            prop_assert!(!provider.says_action() || token["action"] == ACTION);
            let made_at: Timestamp = token[if assessment { "createTime" } else { "challenge_ts" }].as_str().unwrap().parse().unwrap();
            prop_assert!(now().duration_since(made_at) <= provider.token_lives() + CLOCKS_DIFFER);
            prop_assert!(now().duration_since(made_at) >= -CLOCKS_DIFFER);
            if provider.gives_score() {
                let given = risk["score"].as_f64().unwrap();
                prop_assert!((0.49999..=1.0).contains(&given), "{}", given);
                prop_assert!(score.unwrap() >= Score::USUAL);
            }
            prop_assert!(status < 300);
            let no_codes = matches!(&answer["error-codes"], Value::Null) || answer["error-codes"] == json!([]);
            prop_assert!(assessment || no_codes);
        }
    }

    #[test]
    fn no_bytes_at_all_make_a_person(
        provider in prop::sample::select(&Provider::ALL[..]), answer in prop::collection::vec(any::<u8>(), 0..200), status in 0..600_u16,
    ) {
        let said = check_of(provider).verdict(&settings(provider), &attempt("t", &[]), status, &answer);
        let human = matches!(said, Verdict::Human { .. });
        prop_assert!(!human);
    }
}
