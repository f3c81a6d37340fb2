//! How the hotline treats callers: patiently, and never for ever.

use domain::language::Language;
use domain::request::Kind;
use futures::future::join_all;
use phone::{CallOptions, Caller, Do, Ended, Prompt, Script, Then, Transcript};
use serde_json::{Value, json};
use tests::answers::{self, Stubborn};
use tests::hotline::Code;
use tests::{Hotline, planted};

const CODE: &str = "5101";
const INACTIVE: &str = "5102";
/// No call asks for more documents than this: issue 2, section 9.
const MOST_DOCUMENTS: usize = 40;

async fn hotline() -> (Hotline, String) {
    let hotline = Hotline::open();
    let inactive = Code { active: false, ..Code::new(INACTIVE, "Closed Shop") };
    let tenant = hotline.tenant("test-behaviour", &[Code::new(CODE, "Corner Shop"), inactive], &[]).await;
    (hotline, tenant)
}

/// A question, the answers on the way to it, and an answer that does not help.
struct Question {
    name: &'static str,
    answers: Vec<Do>,
    wrong: Option<&'static str>,
    /// What follows when nothing has helped.
    way_out: &'static str,
}

fn questions() -> Vec<Question> {
    let code = format!("{CODE}#");
    let to_menu = || vec![Do::press("1"), Do::press(code.as_str())];
    let then = |answers: &[Do]| [to_menu(), answers.to_vec()].concat();
    let keys = |keys: &[&str]| then(&keys.iter().map(|key| Do::press(*key)).collect::<Vec<_>>());
    let ask = |name, answers, wrong, way_out| Question { name, answers, wrong, way_out };
    let message = "Let me take a message for the business instead.";
    let keyed = format!("{}#", planted::keyed(10));
    let name = planted::say("is my name");
    vec![
        ask("language", vec![], Some("9"), "I still can't hear any keys."),
        ask("service code", vec![Do::press("1")], Some("99999#"), "Please call again when you have the code."),
        ask("menu", keys(&[]), Some("9"), message),
        ask("which request to know", keys(&["3"]), Some("9"), message),
        ask("this number", keys(&["1"]), Some("9"), message),
        ask("another number", keys(&["1", "2"]), Some("123#"), message),
        ask("the keyed number", keys(&["1", "2", &keyed]), Some("9"), message),
        ask("name", keys(&["2", "1"]), None, "You are asking Corner Shop to delete"),
        ask(
            "keep the name",
            then(&[Do::press("2"), Do::press("1"), name]),
            Some("9"),
            "You are asking Corner Shop to delete",
        ),
        ask("message", keys(&["7", "1"]), None, "You can also make your request on the web, at shop.example."),
        ask("review", keys(&["1", "1"]), Some("9"), "so I've kept your request for Corner Shop as it is."),
        ask(
            "earlier request",
            keys(&["6"]),
            Some("123#"),
            "You can also make your request on the web, at shop.example.",
        ),
    ]
}

/// Calls, answers up to a question, and then does one thing for ever. What was asked from that question on.
async fn insist(hotline: &Hotline, n: u8, question: &Question, then: Do) -> (Transcript, Vec<String>) {
    let mut caller = Stubborn::new(question.answers.clone(), then);
    let call = hotline.call(&planted::caller(planted::BEHAVIOUR, n), &mut caller).await;
    assert_eq!(call.ended, Ended::HungUpByUs, "{}\n{call}", question.name);
    assert!(call.documents.len() <= MOST_DOCUMENTS, "{}: {} documents\n{call}", question.name, call.documents.len());
    let last = call.said.last().unwrap();
    assert!(last.contains("Goodbye.") || last.contains("Adiós."), "{}: {last}", question.name);
    let mut asked = caller.questions().split_off(question.answers.len());
    asked.truncate(4);
    (call, asked)
}

/// Three different wordings, the last the longest; then the way out.
fn helps_three_times(question: &Question, call: &Transcript, asked: &[String], lead: &str) {
    let name = question.name;
    assert!(asked[0] != asked[1] && asked[1] != asked[2] && asked[0] != asked[2], "{name}: {asked:#?}");
    assert!(asked[2].len() > asked[0].len(), "{name}: the last wording says more\n{asked:#?}");
    // The question about the language is asked in both, and so has no words before it.
    for again in asked[1..3].iter().filter(|_| name != "language") {
        assert!(again.starts_with(lead), "{name}: {again}");
    }
    let after = call.said().split_once(asked[2].rsplit(". ").next().unwrap()).unwrap().1.to_owned();
    assert!(after.contains(question.way_out), "{name}: after three times comes `{}`\n{call}", question.way_out);
}

#[tokio::test]
async fn a_caller_who_is_silent_hears_each_question_three_ways_and_then_the_way_out() {
    let (hotline, _) = hotline().await;
    join_all((0..).zip(questions()).map(async |(n, question)| {
        let (call, asked) = insist(&hotline, n, &question, Do::Silence).await;
        helps_three_times(&question, &call, &asked, "I didn't hear anything. Take your time.");
    }))
    .await;
}

#[tokio::test]
async fn a_caller_who_presses_a_wrong_key_hears_each_question_three_ways_and_then_the_way_out() {
    let (hotline, _) = hotline().await;
    join_all((20..).zip(questions()).map(async |(n, question)| {
        let Some(wrong) = question.wrong else { return };
        let (call, asked) = insist(&hotline, n, &question, Do::press(wrong)).await;
        let lead = match question.name {
            "service code" => "I don't know that service code.",
            "another number" => "That doesn't seem to be a complete telephone number.",
            "earlier request" => "There seems to be a wrong digit in that number.",
            _ => "That isn't one of the choices.",
        };
        helps_three_times(&question, &call, &asked, lead);
    }))
    .await;
}

#[tokio::test]
async fn star_repeats_the_question_and_does_so_only_for_so_long() {
    let (hotline, _) = hotline().await;
    join_all((40..).zip(questions()).map(async |(n, question)| {
        // A recording is ended by `#` only.
        let Some(wrong) = question.wrong else { return };
        let star = if wrong.ends_with('#') { "*#" } else { "*" };
        let (_, asked) = insist(&hotline, n, &question, Do::press(star)).await;
        // A greeting, or what was keyed wrong, is not said again.
        assert!(asked[0].ends_with(&asked[1]), "{}: {asked:#?}", question.name);
        assert_eq!(asked[1], asked[2], "{}", question.name);
    }))
    .await;
}

#[tokio::test]
async fn zero_explains_and_costs_no_try() {
    let (hotline, _) = hotline().await;
    join_all((60..).zip(questions()).map(async |(n, question)| {
        let Some(wrong) = question.wrong else { return };
        let zero = if wrong.ends_with('#') { "0#" } else { "0" };
        let with_zero = Question { answers: [question.answers.clone(), vec![Do::press(zero)]].concat(), ..question };
        let (_, asked) = insist(&hotline, n, &with_zero, Do::Silence).await;
        let (_, silent) = insist(&hotline, n, &question, Do::Silence).await;
        // The help is the fullest wording, which silence brings last; then the tries begin.
        assert!(silent[2].ends_with(&asked[0]), "{}: {asked:#?} {silent:#?}", question.name);
        assert_eq!(asked[1], silent[1], "{}", question.name);
        assert_eq!(asked[2], silent[2], "{}", question.name);
    }))
    .await;
}

#[tokio::test]
async fn zero_for_ever_comes_to_an_end_too() {
    let (hotline, _) = hotline().await;
    let questions = questions();
    for (n, question) in (80..).zip([&questions[0], &questions[2]]) {
        insist(&hotline, n, question, Do::press("0")).await;
    }
}

#[tokio::test]
async fn a_caller_whom_no_question_helps_leaves_a_message_with_the_number_that_calls() {
    let (hotline, tenant) = hotline().await;
    for (n, to_contact, kind) in [(82, &[][..], "message"), (83, &["1"][..], "opt-out")] {
        let code = format!("{CODE}#");
        let keys = [&["1", code.as_str()], to_contact, &["9", "9", "9"]].concat();
        let mut script: Vec<Do> = keys.into_iter().map(Do::press).collect();
        script.push(planted::say("would like an answer"));
        let from = planted::caller(planted::BEHAVIOUR, n);
        let call = hotline.call(&from, &mut Script::new(script)).await;
        assert!(call.heard("Corner Shop has your message."), "{call}");
        let request = hotline.request(&tenant, &call.call_sid).await;
        assert_eq!((&request["kind"], &request["state"]), (&json!(kind), &json!("incomplete")));
        assert_eq!(request["missing"], json!(["confirmation"]));
        assert_eq!(request["details_recording"], call.recordings[0].sid.as_str());
        assert_eq!(call.reference_number().as_deref(), request["sk"].as_str());
        assert_eq!(hotline.contact(&request).await, Some(from));
    }
}

#[tokio::test]
async fn an_unknown_and_an_inactive_code_are_said_to_be_so_and_asked_for_again() {
    let (hotline, tenant) = hotline().await;
    let keys = ["1", "98765432#", &format!("{INACTIVE}#"), &format!("{CODE}#"), "1", "1", "1"];
    let call = hotline.call(&planted::caller(planted::BEHAVIOUR, 84), &mut Script::keys(keys)).await;
    assert!(call.heard("I don't know that service code."), "{call}");
    assert!(call.heard("That service code isn't in use at the moment."), "{call}");
    assert_eq!(hotline.request(&tenant, &call.call_sid).await["state"], "received");
}

#[tokio::test]
async fn a_recording_made_again_replaces_the_first() {
    let (hotline, tenant) = hotline().await;
    let script = vec![
        Do::press("1"),
        Do::press(format!("{CODE}#")),
        Do::press("4"),
        Do::press("1"),
        planted::say("is not quite my name"),
        Do::press("2"),
        planted::say("is my name"),
        Do::press("1"),
        planted::say("is not quite it"),
        Do::press("2"),
        planted::say("is wrong"),
        Do::press("1"),
        Do::press("1"),
    ];
    let call = hotline.call(&planted::caller(planted::BEHAVIOUR, 85), &mut Script::new(script)).await;
    let request = hotline.request(&tenant, &call.call_sid).await;
    let [_, name, _, details] = call.recordings.as_slice() else { panic!("{call}") };
    assert_eq!((&request["name_recording"], &request["details_recording"]), (&json!(name.sid), &json!(details.sid)));
    assert_eq!((&request["state"], &request["missing"]), (&json!("received"), &json!([])));
}

#[tokio::test]
async fn a_caller_who_starts_again_leaves_one_request_of_the_second_kind() {
    let (hotline, tenant) = hotline().await;
    for (n, first, second) in [(86, Kind::Delete, Kind::OptOut), (87, Kind::Limit, Kind::KnowSpecific)] {
        let mut script = answers::request(Language::English, Some(CODE), first);
        // At the review: not this one.
        *script.last_mut().unwrap() = Do::press("2");
        script.extend(answers::request(Language::English, None, second).split_off(1));
        let call = hotline.call(&planted::caller(planted::BEHAVIOUR, n), &mut Script::new(script)).await;
        let request = hotline.request(&tenant, &call.call_sid).await;
        assert_eq!((&request["kind"], &request["state"]), (&json!(second.code()), &json!("received")), "{call}");
        let name = second.needs_name().then(|| call.recordings.last().unwrap().sid.clone());
        assert_eq!(request.get("name_recording").and_then(Value::as_str), name.as_deref());
    }
}

/// Hangs up at a verb, and otherwise follows a script.
async fn hang_up(hotline: &Hotline, tenant: &str, n: u8, kind: Kind, verb: usize) -> Transcript {
    let mut caller = Script::new(answers::request(Language::English, Some(CODE), kind)).hanging_up_at(verb);
    let from = planted::caller(planted::HANG_UPS, n);
    let call = hotline.call(&from, &mut caller).await;
    left_behind(hotline, tenant, &from, kind, &call).await;
    call
}

/// What a call leaves, judged by how far it came.
async fn left_behind(hotline: &Hotline, tenant: &str, from: &str, kind: Kind, call: &Transcript) {
    let came_to = |step: &str| call.documents.iter().any(|document| document.url.path().starts_with(step));
    let requests = hotline.requests(&call.call_sid).await;
    if !came_to("/voice/contact/") {
        assert!(requests.is_empty(), "{call}\n{requests:#?}");
        return;
    }
    let request = hotline.request(tenant, &call.call_sid).await;
    assert_eq!(request["kind"], kind.code());
    assert_eq!(hotline.contact(&request).await.as_deref(), Some(from));
    if came_to("/voice/submit/") {
        assert_eq!((&request["state"], &request["missing"]), (&json!("received"), &json!([])), "{call}");
        return;
    }
    let mut recorded = call.recordings.iter();
    let mut missing = vec![];
    for (needed, what) in [(kind.needs_name(), "name"), (kind.needs_details(), "details")] {
        if needed {
            match recorded.next() {
                Some(recording) => assert_eq!(request[format!("{what}_recording")], recording.sid.as_str()),
                None => missing.push(what),
            }
        }
    }
    missing.push("confirmation");
    assert_eq!(
        (&request["state"], &request["missing"]),
        (&json!("incomplete"), &json!(missing)),
        "{call}\n{request:#}"
    );
    assert!(request["open_pk"].is_string(), "an incomplete request has a date by which it is due");
}

#[tokio::test]
async fn whoever_hangs_up_after_giving_a_number_has_asked_all_the_same() {
    let (hotline, tenant) = hotline().await;
    let kinds = [(0, Kind::OptOut), (20, Kind::Correct), (40, Kind::Message), (60, Kind::Delete)];
    join_all(kinds.map(async |(first, kind)| {
        for verb in 1..=20 {
            let n = first + u8::try_from(verb).unwrap() - 1;
            let call = hang_up(&hotline, &tenant, n, kind, verb).await;
            let owner = if call.documents.len() > 2 { tenant.as_str() } else { "t-platform" };
            assert_eq!(hotline.usage(owner, &call.call_sid).await["status"], "completed");
            if call.ended == Ended::HungUpByUs {
                assert!(verb > 5, "the whole call had only {verb} verbs\n{call}");
                return;
            }
        }
        panic!("{kind} never came to its end");
    }))
    .await;
}

#[tokio::test]
async fn whoever_hangs_up_while_speaking_has_been_recorded() {
    let (hotline, tenant) = hotline().await;
    for (n, kind) in [(80, Kind::Delete), (81, Kind::Message), (82, Kind::Correct)] {
        let from = planted::caller(planted::HANG_UPS, n);
        let mut script = Script::new(answers::request(Language::English, Some(CODE), kind));
        // The last recording is broken off.
        let mut left = usize::from(kind.needs_name()) + usize::from(kind.needs_details());
        let mut caller = |prompt: &Prompt| match script.hear(prompt) {
            Do::Speak(mut speech) => {
                left -= 1;
                if left == 0 {
                    speech.then = Then::HangUp;
                }
                Do::Speak(speech)
            }
            other => other,
        };
        let call = hotline.call_with(CallOptions::from(from.as_str()), &mut caller).await;
        assert_eq!(call.ended, Ended::HungUpByCaller);
        left_behind(&hotline, &tenant, &from, kind, &call).await;
        let recording = call.recordings.last().unwrap();
        let (key, sealed) = hotline.recording(&tenant, &call.call_sid, &recording.sid, "audio").await;
        let salt = hotline.salt(&tenant, &recording.sid).await;
        let audio = hotline.roots(&tenant).await.open_recording(&salt, &key, &sealed);
        assert_eq!(audio.as_deref(), Some(recording.audio.as_slice()));
    }
}
