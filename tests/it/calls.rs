//! Whole calls, from dial to stored request to usage row.

use domain::language::Language;
use domain::request::Kind;
use futures::future::join_all;
use jiff::Timestamp;
use jiff::civil::Date;
use phone::{CallOptions, Do, Ended, Script, Step, Transcript};
use serde_json::{Value, json};
use tests::{Hotline, answers, calendar, planted};

const TENANT: &str = "blue-harbor";
const CODE: &str = "1";
const ZONE: &str = "America/Los_Angeles";

/// `December 15, 2026`, `15 de diciembre de 2026`.
fn spoken(language: Language, date: Date) -> String {
    let months = match language {
        Language::English => "January February March April May June July August September October November December",
        Language::Spanish => "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    };
    let month = months.split(' ').nth(usize::try_from(date.month()).unwrap() - 1).unwrap();
    match language {
        Language::English => format!("{month} {}, {}", date.day(), date.year()),
        Language::Spanish => format!("{} de {month} de {}", date.day(), date.year()),
    }
}

/// How a reference number is said: digit by digit, in groups of four.
fn said_digits(reference: &str) -> String {
    let digits: Vec<char> = reference.chars().collect();
    let group = |group: &[char]| group.iter().map(char::to_string).collect::<Vec<_>>().join(" ");
    digits.chunks(4).map(group).collect::<Vec<_>>().join(", ")
}

/// Everything that must be true of a request that was sent in a call, and of its usage.
async fn holds(
    hotline: &Hotline,
    tenant: &str,
    from: &str,
    language: Language,
    kind: Kind,
    call: &Transcript,
) -> Value {
    assert_eq!(call.ended, Ended::HungUpByUs, "{call}");
    let request = hotline.request(tenant, &call.call_sid).await;
    let reference = request["sk"].as_str().unwrap();
    assert_eq!(request["kind"], kind.code(), "{call}");
    assert_eq!(request["state"], "received", "{call}");
    assert_eq!((&request["channel"], &request["language"]), (&json!("phone"), &json!(language.code())));
    assert_eq!(request["missing"], json!([]), "{request:#}");

    // What was said is what is stored.
    let said = call.said();
    assert_eq!(said.matches(&said_digits(reference)).count(), 2, "the reference number is said twice\n{call}");
    let received: Timestamp = request["received_at"].as_str().unwrap().parse().unwrap();
    let due = calendar::california_answers_by(kind, received, ZONE);
    assert_eq!(request["respond_by"], due.to_string(), "{request:#}");
    assert!(said.contains(&spoken(language, due)), "the date {due} is said\n{call}");

    // Confirmed orally, and who did what when and why is written down.
    assert_eq!(request["confirmed_how"], "orally, on the call");
    let [event] = request["events"].as_array().unwrap().as_slice() else { panic!("{request:#}") };
    assert_eq!(
        (&event["action"], &event["from"], &event["to"]),
        (&"receive".into(), &"incomplete".into(), &"received".into())
    );
    assert!(event["who"].as_str().unwrap().contains("consumer"), "{event}");
    assert_eq!(event["at"], request["confirmed_at"]);
    assert!(!event["why"].as_str().unwrap().is_empty());

    // The contact is sealed for this very item, and found under its blind index.
    assert_eq!(hotline.contact(&request).await.as_deref(), Some(from));
    let index = hotline.roots(tenant).await.phone_index(from);
    assert_eq!(request["contact_pk"], index);
    let found = hotline.cloud.index(hotline.table("requests"), "by-contact", "contact_pk", &index).await;
    assert!(found.iter().any(|key| key["sk"] == reference), "{found:?}");

    // What was recorded is noted, and nothing was recorded that the kind does not need.
    let noted = |attribute: &str| request.get(attribute).and_then(Value::as_str).map(str::to_owned);
    let mut recordings = call.recordings.iter().map(|recording| recording.sid.clone());
    assert_eq!(noted("name_recording"), kind.needs_name().then(|| recordings.next().unwrap()));
    assert_eq!(noted("details_recording"), kind.needs_details().then(|| recordings.next().unwrap()));
    assert_eq!(recordings.next(), None);

    let row = hotline.usage(tenant, &call.call_sid).await;
    let seconds = call.duration.as_secs();
    assert_eq!((&row["seconds"], &row["billed_minutes"]), (&seconds.into(), &seconds.div_ceil(60).into()));
    assert_eq!((&row["status"], &row["code"]), (&json!("completed"), &request["code"]));
    request
}

async fn every_kind(language: Language, first_caller: u8) {
    let hotline = Hotline::open();
    let tenant = hotline.tenant_id(TENANT).await;
    join_all((first_caller..).zip(Kind::ALL).map(async |(n, kind)| {
        let from = planted::caller(planted::CALLS, n);
        let mut caller = Script::new(answers::request(language, Some(CODE), kind));
        let call = hotline.call(&from, &mut caller).await;
        assert_eq!(caller.left(), 0, "the call is no longer than needed\n{call}");
        let request = holds(&hotline, &tenant, &from, language, kind, &call).await;
        assert_eq!(request["code"], CODE);
    }))
    .await;
}

#[tokio::test]
async fn every_kind_of_request_is_filed_in_english() {
    every_kind(Language::English, 0).await;
}

#[tokio::test]
async fn every_kind_of_request_is_filed_in_spanish() {
    every_kind(Language::Spanish, 10).await;
}

#[tokio::test]
async fn a_dedicated_number_needs_no_service_code() {
    let hotline = Hotline::open();
    let tenant = hotline.tenant_id("prairie-mutual").await;
    let dedicated = hotline.line.stack().numbers.iter().find(|number| number.kind == "dedicated").unwrap().clone();
    let from = planted::caller(planted::CALLS, 20);
    let mut caller = Script::new(answers::request(Language::Spanish, None, Kind::Limit));
    let call = hotline.call_with(CallOptions::from(from.as_str()).to(dedicated.number), &mut caller).await;
    assert_eq!(caller.left(), 0, "{call}");
    assert!(call.heard("Gracias por llamar a la línea de privacidad de Prairie Mutual Bank."), "{call}");
    assert!(!call.heard("ingrese el código de servicio"), "{call}");
    let request = hotline.request(&tenant, &call.call_sid).await;
    assert_eq!(
        (Some(request["code"].as_str().unwrap()), &request["state"]),
        (dedicated.service_code.as_deref(), &"received".into())
    );
    assert_eq!(hotline.contact(&request).await, Some(from));
    assert_eq!(hotline.usage(&tenant, &call.call_sid).await["code"], request["code"]);
}

#[tokio::test]
async fn a_caller_who_withholds_their_number_keys_one_and_confirms_it() {
    let hotline = Hotline::open();
    let tenant = hotline.tenant_id(TENANT).await;
    let keys = ["1", "1#", "1", &format!("{}#", planted::keyed(0)), "1", "1"];
    let mut caller = Script::keys(keys);
    let call = hotline.call(CallOptions::WITHHELD, &mut caller).await;
    assert!(!call.heard("number you are calling from"), "{call}");
    let keyed = planted::caller(planted::KEYED, 0);
    assert!(call.heard("You keyed 7 0 7, 5 5 5, 0 1 0 0."), "{call}");
    holds(&hotline, &tenant, &keyed, Language::English, Kind::OptOut, &call).await;
}

#[tokio::test]
async fn whatever_stands_for_a_withheld_number_is_never_taken_for_one() {
    let hotline = Hotline::open();
    join_all(["+7378742833", "+2562533", "+8656696", "Anonymous", "", "client:somebody", "sip:a@b.example"].map(
        async |from| {
            let call = hotline.call(from, &mut Script::keys(["1", "1#", "1"])).await;
            assert!(call.heard("Please key in the telephone number that this business knows"), "{from}: {call}");
            // Nobody could be answered, so nothing is asked either.
            assert!(hotline.requests(&call.call_sid).await.is_empty(), "{from}: {call}");
        },
    ))
    .await;
}

#[tokio::test]
async fn a_number_that_nobody_has_of_their_own_is_shared() {
    let hotline = Hotline::open();
    for (n, to) in [(27, "+18665550199"), (28, "sip:line@hotline.example")] {
        let options = CallOptions::from(planted::caller(planted::CALLS, n)).to(to);
        let mut caller = Script::new(answers::request(Language::English, Some(CODE), Kind::OptOut));
        let call = hotline.call_with(options, &mut caller).await;
        let tenant = hotline.tenant_id(TENANT).await;
        assert_eq!(hotline.request(&tenant, &call.call_sid).await["state"], "received", "{to}: {call}");
    }
}

#[tokio::test]
async fn a_caller_keys_another_number_and_corrects_a_slip() {
    let hotline = Hotline::open();
    let tenant = hotline.tenant_id(TENANT).await;
    let from = planted::caller(planted::CALLS, 21);
    let (slip, right) = (format!("{}#", planted::keyed(1)), format!("{}#", planted::keyed(2)));
    let keys = ["2", "1#", "1", "2", "123#", &slip, "2", &right, "1", "1"];
    let call = hotline.call(&from, &mut Script::keys(keys)).await;
    assert!(call.heard("no parece ser un número de teléfono completo"), "{call}");
    holds(&hotline, &tenant, &planted::caller(planted::KEYED, 2), Language::Spanish, Kind::OptOut, &call).await;
    for number in [from, planted::caller(planted::KEYED, 1)] {
        let index = hotline.roots(&tenant).await.phone_index(&number);
        assert!(hotline.cloud.index(hotline.table("requests"), "by-contact", "contact_pk", &index).await.is_empty());
    }
}

async fn status(language: Language, n: u8, kind: Kind, stands: &str) {
    let hotline = Hotline::open();
    let from = planted::caller(planted::CALLS, n);
    let filing = hotline.call(&from, &mut Script::new(answers::request(language, Some(CODE), kind))).await;
    let reference = filing.reference_number().unwrap_or_else(|| panic!("{filing}"));
    let asking =
        vec![answers::language(language), Do::press(format!("{CODE}#")), Do::press("6"), Do::press(reference.as_str())];
    let call = hotline.call(&from, &mut Script::new(asking)).await;
    assert_eq!(call.ended, Ended::HungUpByUs);
    assert!(call.heard(stands), "{call}");
    let requests = hotline.requests(&filing.call_sid).await;
    let due: Date = requests[0]["respond_by"].as_str().unwrap().parse().unwrap();
    assert!(call.heard(&spoken(language, due)), "{call}");
    assert!(hotline.requests(&call.call_sid).await.is_empty(), "asking is no request");
}

#[tokio::test]
async fn a_request_just_made_is_heard_of_at_the_next_call() {
    status(Language::English, 22, Kind::Delete, "Your request to have your information deleted has been received.")
        .await;
}

#[tokio::test]
async fn a_request_just_made_is_heard_of_at_the_next_call_in_spanish() {
    status(Language::Spanish, 23, Kind::OptOut, "no vendan ni compartan su información fue recibida.").await;
}

#[tokio::test]
async fn a_language_that_a_business_does_not_speak_is_answered_in_one_that_it_does() {
    let hotline = Hotline::open();
    let mut caller = Script::new(answers::request(Language::Spanish, Some("24"), Kind::OptOut));
    let call = hotline.call(&planted::caller(planted::CALLS, 24), &mut caller).await;
    assert!(call.heard("This business answers in English only."), "{call}");
    let tenant = hotline.tenant_id("prairie-mutual").await;
    assert_eq!(hotline.request(&tenant, &call.call_sid).await["language"], "en");
}

/// An opt-out or a limit asks for nothing that the law does not allow: 11 CCR 7026(d), 7027(e).
#[tokio::test]
async fn an_opt_out_or_a_limit_asks_for_a_number_and_for_nothing_else() {
    let hotline = Hotline::open();
    for (n, kind) in [(25, Kind::OptOut), (26, Kind::Limit)] {
        let mut caller = Script::new(answers::request(Language::English, Some(CODE), kind));
        let call = hotline.call(&planted::caller(planted::CALLS, n), &mut caller).await;
        assert!(call.documents.iter().all(|document| !document.body.contains("<Record")), "{call}");
        assert!(call.heard("without asking for proof of who you are"), "{call}");
        // Language, service code, kind, number, review.
        let pressed = call.steps.iter().filter(|step| matches!(step, Step::Pressed { .. })).count();
        assert_eq!(pressed, 5, "{call}");
    }
}

/// All documents of a call, with what differs from call to call made the same.
fn documents(call: &Transcript) -> String {
    let mut text = String::new();
    for document in &call.documents {
        let path = document.url.path();
        let step: Vec<&str> = path.split('/').take(3).collect();
        text.extend(["POST ", &step.join("/"), "\n", &document.body.replace("><", ">\n<"), "\n\n"]);
    }
    // Sealed states: what follows a step's name in an address.
    let mut parts = text.split("/voice/");
    let mut redacted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(['"', '<', '\n', '?', '#']).unwrap_or(part.len());
        let (address, rest) = part.split_at(end);
        let step = address.split('/').next().unwrap_or_default();
        let state = if address.contains('/') { "/{call}" } else { "" };
        redacted.extend(["/voice/", step, state, rest]);
    }
    redacted
}

async fn snapshot(language: Language, n: u8) -> String {
    let hotline = Hotline::open();
    let mut caller = Script::new(answers::request(language, Some(CODE), Kind::OptOut));
    let call = hotline.call(&planted::caller(planted::CALLS, n), &mut caller).await;
    let requests = hotline.requests(&call.call_sid).await;
    let due: Date = requests[0]["respond_by"].as_str().unwrap().parse().unwrap();
    let base = hotline.line.stack().base_url.as_str().trim_end_matches('/').to_owned();
    let site = url::Url::parse(&base).unwrap();
    documents(&call)
        .replace(&base, "{base}")
        .replace(site.host_str().unwrap(), "{site}")
        .replace(&said_digits(requests[0]["sk"].as_str().unwrap()), "{reference}")
        .replace(&spoken(language, due), "{date}")
}

#[tokio::test]
async fn all_that_an_opt_out_hears_in_english() {
    insta::assert_snapshot!(snapshot(Language::English, 30).await);
}

#[tokio::test]
async fn all_that_an_opt_out_hears_in_spanish() {
    insta::assert_snapshot!(snapshot(Language::Spanish, 31).await);
}
