//! What the types write.

use super::*;

const DECLARATION: &str = r#"<?xml version="1.0" encoding="UTF-8"?>"#;

fn say(text: &str) -> Say {
    Say::new(Voice::ENGLISH, text).unwrap()
}

/// One of everything, with every attribute set.
pub(super) fn everything() -> Document {
    let gather = Gather::digits("https://optline.example/voice/request-kind/c?a=1&b=2")
        .count(1)
        .timeout(8)
        .finish_on_key('#')
        .barge_in(false)
        .say(say("\"Know\" & <delete>").times(2))
        .play(Play::url("https://optline.example/voice/greeting/a.mp3").unwrap())
        .pause(Pause::seconds(1));
    let record = Record::new("/voice/name/c")
        .max_length(360)
        .timeout(5)
        .finish_on_key("#*")
        .play_beep(true)
        .trim_silence(true)
        .status_callback("/voice/recording")
        .transcribe("/voice/transcription");
    Response::new()
        .say(Say::new(Voice::SPANISH, "Número de referencia").unwrap())
        .play(Play::url("/voice/greeting/b.wav").unwrap())
        .pause(Pause::seconds(0))
        .gather(gather)
        .gather(Gather::digits("/voice/service-code/c").no_finish_key())
        .record(record)
        .record(Record::new("/voice/details/c").trim_silence(false))
        .redirect("https://optline.example/voice/request-kind/c?a=1&b=2")
}

#[test]
fn a_document_is_written_as_twilio_reads_it() {
    let xml = everything().to_xml().unwrap();
    insta::assert_snapshot!(xml.replace("><", ">\n<"), @r##"
    <?xml version="1.0" encoding="UTF-8"?>
    <Response>
    <Say voice="Polly.Lupe-Neural" language="es-US">Número de referencia</Say>
    <Play>/voice/greeting/b.wav</Play>
    <Pause length="1"/>
    <Gather input="dtmf" action="https://optline.example/voice/request-kind/c?a=1&amp;b=2" method="POST" numDigits="1" timeout="8" finishOnKey="#" bargeIn="false">
    <Say voice="Polly.Joanna-Neural" language="en-US" loop="2">&quot;Know&quot; &amp; &lt;delete&gt;</Say>
    <Play>https://optline.example/voice/greeting/a.mp3</Play>
    <Pause length="1"/>
    </Gather>
    <Gather input="dtmf" action="/voice/service-code/c" method="POST" finishOnKey=""/>
    <Record action="/voice/name/c" method="POST" maxLength="360" timeout="5" finishOnKey="#*" playBeep="true" trim="trim-silence" recordingStatusCallback="/voice/recording" recordingStatusCallbackMethod="POST" recordingStatusCallbackEvent="completed" transcribe="true" transcribeCallback="/voice/transcription"/>
    <Record action="/voice/details/c" method="POST" trim="do-not-trim"/>
    <Redirect method="POST">https://optline.example/voice/request-kind/c?a=1&amp;b=2</Redirect>
    </Response>
    "##);
}

#[test]
fn the_ends_of_a_document() {
    let written = |document: Document| document.to_xml().unwrap().strip_prefix(DECLARATION).unwrap().to_owned();
    assert_eq!(written(Response::new().hangup()), "<Response><Hangup/></Response>");
    assert_eq!(
        written(Response::new().redirect("/a")),
        r#"<Response><Redirect method="POST">/a</Redirect></Response>"#
    );
    assert_eq!(written(Response::reject(RejectReason::Busy)), r#"<Response><Reject reason="busy"/></Response>"#);
    assert_eq!(
        written(Response::reject(RejectReason::Rejected)),
        r#"<Response><Reject reason="rejected"/></Response>"#
    );
    assert_eq!(written(Document::empty()), "<Response/>");
}

#[test]
fn numbers_that_would_mean_for_ever_or_never_become_one() {
    let verbs = Response::new().say(say("a").times(0)).pause(Pause::seconds(0));
    let xml = verbs.record(Record::new("/a").max_length(0).timeout(0)).hangup().to_xml().unwrap();
    assert!(!xml.contains("\"0\"") && !xml.contains("loop"), "{xml}");
    let gather = Gather::digits("/a").count(0).timeout(0);
    assert!(!Response::new().gather(gather).hangup().to_xml().unwrap().contains("\"0\""));
}

#[test]
fn a_text_that_cannot_be_said_is_an_error_when_it_is_built() {
    let build = |text: String| Say::new(Voice::ENGLISH, text);
    for empty in ["", " \n\t", "\u{0}\u{1}"] {
        assert_eq!(build(empty.to_owned()), Err(TwimlError::SayEmpty));
    }
    assert!(build("a".repeat(3000)).is_ok());
    assert_eq!(build("a".repeat(3001)), Err(TwimlError::SayTooLong { characters: 3001, limit: 3000 }));
    assert!(build("ñ".repeat(750)).is_ok());
    assert_eq!(build("ñ".repeat(751)), Err(TwimlError::SayTooLongEncoded { bytes: 4506 }));
    assert_eq!(build(" a".repeat(1126)), Err(TwimlError::SayTooLongEncoded { bytes: 4504 }));
}

#[test]
fn each_engine_has_its_own_limit() {
    for (voice, limit) in [("alice", 4096), ("Polly.Joanna", 3000), ("Google.en-US-Standard-C", 4500)] {
        assert_eq!(sayable(voice, &"a".repeat(limit)), Ok(()), "{voice}");
        assert!(sayable(voice, &"a".repeat(limit + 1)).is_err(), "{voice}");
    }
    let over_google = sayable("Google.en-US-Standard-C", &"a".repeat(5001));
    assert_eq!(over_google, Err(TwimlError::SayTooLong { characters: 5001, limit: 5000 }));
}

#[test]
fn an_address_that_twilio_cannot_call_is_an_error() {
    for url in ["", "voice/answer", "ftp://a", "https://a b", "https://a\n", "https://\u{e9}", "/a\u{0}"] {
        assert_eq!(Play::url(url), Err(TwimlError::Url("Play")), "{url}");
        assert_eq!(Response::new().redirect(url).to_xml(), Err(TwimlError::Url("Redirect")));
        let gather = Response::new().gather(Gather::digits(url)).hangup();
        assert_eq!(gather.to_xml(), Err(TwimlError::Url("Gather")));
        for record in [Record::new(url), Record::new("/a").status_callback(url), Record::new("/a").transcribe(url)] {
            assert_eq!(Response::new().record(record).hangup().to_xml(), Err(TwimlError::Url("Record")));
        }
    }
}

#[test]
fn only_keys_of_a_telephone_finish_an_entry() {
    for key in ['a', ' ', '"'] {
        let document = Response::new().gather(Gather::digits("/a").finish_on_key(key)).hangup();
        assert_eq!(document.to_xml(), Err(TwimlError::Key));
    }
    for keys in ["#a", "1 2"] {
        let document = Response::new().record(Record::new("/a").finish_on_key(keys)).hangup();
        assert_eq!(document.to_xml(), Err(TwimlError::Key), "{keys}");
    }
}

#[test]
fn a_document_over_the_limit_is_an_error() {
    let long = say(&"a".repeat(3000));
    let of = |times: usize| (0..times).fold(Response::new(), |response, _| response.say(long.clone())).hangup();
    assert!(of(20).to_xml().is_ok());
    assert!(matches!(of(22).to_xml(), Err(TwimlError::DocumentTooLarge(bytes)) if bytes > DOCUMENT_LIMIT));
}
