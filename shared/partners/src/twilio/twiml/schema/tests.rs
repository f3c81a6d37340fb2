//! What passes, what does not, and that the types write only what passes.

use proptest::prelude::*;

use super::*;
use crate::twilio::twiml::{Document, Gather, RejectReason, Response, Say, Voice, tests::everything};

fn with(verbs: &str) -> Result<(), Vec<String>> {
    check(&format!(r#"<?xml version="1.0" encoding="UTF-8"?><Response>{verbs}</Response>"#))
}

#[test]
fn what_twilio_runs_passes() {
    for verbs in [
        "",
        "<!-- nothing --> <Hangup/>",
        r#"<Say>a<break time="1s"/> &amp; &#x62;<![CDATA[<c>]]></Say>"#,
        r#"<Gather input="dtmf speech" action="/a" method="POST" numDigits="1"><Say>a</Say><Pause length="1"/></Gather>"#,
        r#"<Play digits="1w2"/>"#,
        r#"<Record recordingStatusCallbackEvent="completed absent" trim="do-not-trim" playBeep="false"/>"#,
        r#"<Reject reason="busy"/>"#,
        r#"<Pause/><Redirect method="POST">/a</Redirect>"#,
        "<Dial><Number>+12025550123</Number></Dial>",
    ] {
        assert_eq!(with(verbs), Ok(()), "{verbs}");
    }
}

#[test]
fn what_twilio_would_skip_or_stumble_over_is_named() {
    let say = |voice: &str, n: usize| format!(r#"<Say voice="{voice}">{}</Say>"#, "a".repeat(n));
    for (verbs, reason) in [
        ("<say>a</say>", "<say> is no verb or noun"),
        ("<Hangup></hangup>", "not well-formed"),
        ("<Hangup>", "not well-formed"),
        ("a", "<Response> holds no text"),
        ("<Pause>a</Pause>", "<Pause> holds no text"),
        ("<Gather><Record/></Gather>", "<Record> does not stand inside <Gather>"),
        ("<Gather><Gather/></Gather>", "<Gather> does not stand inside <Gather>"),
        ("<Number>+12025550123</Number>", "<Number> does not stand inside <Response>"),
        (r#"<Gather Action="/a"/>"#, "<Gather> has no attribute Action"),
        (r#"<Gather input="voice"/>"#, "<Gather input> cannot be"),
        (r#"<Gather input="dtmf  speech"/>"#, "<Gather input> cannot be"),
        (r#"<Gather numDigits="one"/>"#, "<Gather numDigits> cannot be"),
        (r#"<Gather bargeIn="yes"/>"#, "<Gather bargeIn> cannot be"),
        (r#"<Gather method="PUT"/>"#, "<Gather method> cannot be"),
        (r#"<Record recordingStatusCallbackMethod="post"/>"#, "<Record recordingStatusCallbackMethod> cannot be"),
        (r#"<Record trim="yes"/>"#, "<Record trim> cannot be"),
        (r#"<Reject reason="no"/>"#, "<Reject reason> cannot be"),
        (r#"<Pause length="1" length="2"/>"#, "an attribute cannot be read"),
        ("<Redirect/>", "<Redirect> lacks its text"),
        ("<Play/>", "<Play> has neither a URL nor digits"),
        ("<Say> </Say>", "a text to be said is empty"),
        (&say("Polly.Nobody", 1), "<Say voice> cannot be"),
        (&say("alice", 4097), "4097 characters"),
        (&say("Polly.Joanna", 3001), "3001 characters"),
        (&say("Google.en-US-Standard-A", 4501), "4501 bytes percent-encoded"),
        ("<Redirect>/a</Redirect><Pause/>", "something stands after <Redirect>"),
        ("<Hangup/><Pause/>", "something stands after <Hangup>"),
        ("<Reject/><Pause/>", "something stands after <Reject>"),
        ("<Pause/><Reject/>", "<Reject> does not stand first"),
        ("<Say>\u{1}</Say>", "is not one of XML's"),
        ("<Say>&#1;</Say>", "is not one of XML's"),
        ("<Say>&nbsp;</Say>", "an unknown entity"),
        ("<?xml version=\"1.0\"?>", "a second XML declaration"),
        (&"<Dial>".repeat(20), "nested more than"),
    ] {
        let wrong = with(verbs).unwrap_err();
        assert!(wrong.iter().any(|line| line.contains(reason)), "{verbs}: {wrong:?}");
    }
}

#[test]
fn the_frame_of_a_document_is_checked() {
    for (xml, reason) in [
        ("", "the XML declaration is not the first thing"),
        ("<Response/>", "the XML declaration is not the first thing"),
        (" <?xml version=\"1.0\"?><Response/>", "the XML declaration is not the first thing"),
        ("<?xml version=\"1.0\"?>", "0 elements at the top"),
        ("<?xml version=\"1.0\"?><Say>a</Say>", "the document is a <Say>"),
        ("<?xml version=\"1.0\"?><Response/><Response/>", "2 elements at the top"),
        ("<?xml version=\"1.0\"?><Response/>a", "text outside"),
        ("<?xml version=\"1.0\"?><!DOCTYPE Response><Response/>", "a document type"),
        (&format!("<?xml version=\"1.0\"?><Response/>{}", " ".repeat(DOCUMENT_LIMIT)), "bytes"),
    ] {
        let wrong = check(xml).unwrap_err();
        assert!(wrong.iter().any(|line| line.contains(reason)), "{xml:.60}: {wrong:?}");
    }
}

#[test]
fn several_faults_are_all_named() {
    assert_eq!(with(r#"<Gather a="1"><Hangup b="2"/></Gather>"#).unwrap_err().len(), 3);
}

/// The text of the first element of this name, as a parser reads it.
fn text_of(xml: &str, name: &str) -> String {
    fn find<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
        if node.name == name { Some(node) } else { node.children.iter().find_map(|child| find(child, name)) }
    }
    find(&parse(xml).unwrap(), name).unwrap().all_text()
}

/// The value that a parser reads.
fn attribute_of(xml: &str, name: &str, attribute: &str) -> Option<String> {
    let root = parse(xml).unwrap();
    root.children.iter().find(|child| child.name == name).unwrap().attributes.get(attribute).cloned()
}

/// Whether the vocabulary has this value.
fn knows(list: &str, value: &str) -> bool {
    VOCABULARY.as_ref().unwrap().enums[list].iter().any(|known| known == value)
}

#[test]
fn everything_that_can_be_written_is_in_twilios_vocabulary() {
    for document in [
        everything(),
        Response::new().hangup(),
        Response::reject(RejectReason::Busy),
        Response::reject(RejectReason::Rejected),
        Document::empty(),
    ] {
        assert_eq!(check(&document.to_xml().unwrap()), Ok(()));
    }
}

#[test]
fn every_voice_and_its_language_exist() {
    for voice in [Voice::ENGLISH, Voice::SPANISH] {
        assert!(knows("SayVoice", voice.name()));
        assert!(knows("SayLanguage", voice.language()));
    }
}

proptest! {
    #[test]
    fn any_text_is_read_back_as_it_was_to_be_said(text in any::<Vec<char>>()) {
        let text: String = text.into_iter().chain("!".chars()).collect();
        let document = Response::new().say(Say::new(Voice::ENGLISH, &text).unwrap()).hangup().to_xml().unwrap();
        let sayable: String = text.chars().filter(|c| allowed(*c)).collect();
        prop_assert_eq!(text_of(&document, "Say"), sayable);
        prop_assert_eq!(check(&document), Ok(()));
    }

    #[test]
    fn markup_in_a_text_stays_text(text in "[<>&\"'\\]\\[!?/;#x0-9A-C \t\r\n-]{1,60}a") {
        let document = Response::new().say(Say::new(Voice::ENGLISH, &text).unwrap()).hangup().to_xml().unwrap();
        prop_assert_eq!(text_of(&document, "Say"), text);
        prop_assert_eq!(check(&document), Ok(()));
    }

    #[test]
    fn any_address_is_read_back_as_it_was_given(url in "/[!-~]{0,60}") {
        let gather = Gather::digits(url.clone());
        let document = Response::new().gather(gather).redirect(url.clone()).to_xml().unwrap();
        prop_assert_eq!(attribute_of(&document, "Gather", "action"), Some(url.clone()));
        prop_assert_eq!(text_of(&document, "Redirect"), url);
        prop_assert_eq!(check(&document), Ok(()));
    }
}
