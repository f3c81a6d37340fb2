//! TwiML as types: what Twilio's vocabulary forbids cannot be written.
//!
//! Only these verbs exist here, nested only as Twilio runs them; an unknown or misnested verb would be skipped by Twilio
//! with no more than a warning (12200), which a caller hears as dead air. A [`Response`] takes verbs; [`Response::redirect`]
//! and [`Response::hangup`] end it and give the [`Document`], to which nothing can be added. There is no third way to end
//! a spoken document: running out of verbs is a hang-up without a word.
//!
//! ```
//! use partners::twilio::twiml::{Gather, Response, Say, Voice};
//! # fn main() -> Result<(), partners::twilio::twiml::TwimlError> {
//! let menu = Say::new(Voice::ENGLISH, "To opt out of the sale of your information, press 1.")?;
//! let xml = Response::new()
//!     .gather(Gather::digits("https://optline.example/voice/request-kind/c").count(1).timeout(8).say(menu))
//!     .redirect("https://optline.example/voice/request-kind/c")
//!     .to_xml()?;
//! assert!(xml.starts_with("<?xml"));
//! # Ok(())
//! # }
//! ```
//!
//! Nothing follows a redirect:
//!
//! ```compile_fail
//! use partners::twilio::twiml::{Pause, Response};
//! Response::new().redirect("/voice/review/c").pause(Pause::seconds(1));
//! ```
//!
//! Nothing follows a hang-up:
//!
//! ```compile_fail
//! use partners::twilio::twiml::{Pause, Response};
//! Response::new().hangup().pause(Pause::seconds(1));
//! ```
//!
//! A recording is not made inside a gather:
//!
//! ```compile_fail
//! use partners::twilio::twiml::{Gather, Record};
//! Gather::digits("/voice/name/c").record(Record::new("/voice/name/c"));
//! ```
//!
//! A call is refused first or not at all:
//!
//! ```compile_fail
//! use partners::twilio::twiml::{Pause, RejectReason, Response};
//! Response::new().pause(Pause::seconds(1)).reject(RejectReason::Busy);
//! ```
//!
//! Source: <https://www.twilio.com/docs/voice/twiml>.

#[cfg(feature = "schema")]
pub mod schema;
mod xml;

use xml::{Attributes, Element};

/// The largest document that Twilio accepts, in bytes (error 11750).
pub const DOCUMENT_LIMIT: usize = 64_000;

/// The longest spoken text once percent-encoded, in bytes (error 13521).
const SAY_ENCODED_LIMIT: usize = 4500;

/// What was wrong with a piece of TwiML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TwimlError {
    /// Nothing would be said (Twilio error 13520).
    #[error("a text to be said is empty")]
    SayEmpty,
    /// More than the voice's engine says (Twilio error 13521).
    #[error("a text to be said has {characters} characters, its voice says at most {limit}")]
    SayTooLong {
        /// The characters there were.
        characters: usize,
        /// The characters that the engine takes.
        limit: usize,
    },
    /// More than Twilio takes once the text is percent-encoded (Twilio error 13521).
    #[error("a text to be said takes {bytes} bytes percent-encoded, {SAY_ENCODED_LIMIT} are allowed")]
    SayTooLongEncoded {
        /// The bytes there were.
        bytes: usize,
    },
    /// An address that is neither `http(s)://…` nor `/…`, or has characters that no URL has.
    #[error("the URL of {0} is not an absolute or rooted URL in printable ASCII")]
    Url(&'static str),
    /// A key that no telephone has.
    #[error("finishOnKey takes only 0 to 9, * and #")]
    Key,
    /// A document larger than [`DOCUMENT_LIMIT`] (Twilio error 11750).
    #[error("the document has {0} bytes, {DOCUMENT_LIMIT} are allowed")]
    DocumentTooLarge(usize),
}

/// A voice and the language it speaks.
///
/// Only pairs that Twilio offers exist, since a voice asked for another language may fail the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voice {
    name: &'static str,
    language: &'static str,
}

impl Voice {
    /// American English, a neural voice.
    pub const ENGLISH: Self = Self { name: "Polly.Joanna-Neural", language: "en-US" };
    /// American Spanish, a neural voice.
    pub const SPANISH: Self = Self { name: "Polly.Lupe-Neural", language: "es-US" };

    /// The name as Twilio knows it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The language as Twilio writes it.
    #[must_use]
    pub fn language(self) -> &'static str {
        self.language
    }
}

/// Whether a text can be said by a voice, which the schema check asks as well.
fn sayable(voice: &str, text: &str) -> Result<(), TwimlError> {
    // Twilio's limits by engine: <https://www.twilio.com/docs/api/errors/13521>.
    let limit = match voice {
        polly if polly.starts_with("Polly.") => 3000,
        google if google.starts_with("Google.") => 5000,
        _basic => 4096,
    };
    if text.trim().is_empty() {
        return Err(TwimlError::SayEmpty);
    }
    let characters = text.chars().count();
    if characters > limit {
        return Err(TwimlError::SayTooLong { characters, limit });
    }
    // A space counts as three, as the stricter of the two ways to encode it.
    let bytes = text.bytes().map(|b| if b.is_ascii_alphanumeric() || b"-._~".contains(&b) { 1 } else { 3 }).sum();
    if bytes > SAY_ENCODED_LIMIT { Err(TwimlError::SayTooLongEncoded { bytes }) } else { Ok(()) }
}

/// Text spoken to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Say {
    voice: Voice,
    text: String,
    times: u8,
}

impl Say {
    /// Text in a voice; characters that XML cannot carry are left out, since they cannot be spoken.
    pub fn new(voice: Voice, text: impl Into<String>) -> Result<Self, TwimlError> {
        let mut text = text.into();
        text.retain(xml::allowed);
        sayable(voice.name, &text)?;
        Ok(Self { voice, text, times: 1 })
    }

    /// Says it so many times, at least once (Twilio's `0` would be for ever).
    #[must_use]
    pub fn times(self, n: u8) -> Self {
        Self { times: n.max(1), ..self }
    }

    /// What will be spoken.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    fn element(&self) -> Element<'_> {
        let attributes = Attributes::new().set("voice", self.voice.name).set("language", self.voice.language).set_if(
            self.times > 1,
            "loop",
            self.times,
        );
        Element::text("Say", attributes, &self.text)
    }
}

/// An audio file played to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Play {
    url: String,
}

impl Play {
    /// The audio at a URL, fetched by Twilio with GET.
    pub fn url(url: impl Into<String>) -> Result<Self, TwimlError> {
        let url = url.into();
        check_url("Play", &url)?;
        Ok(Self { url })
    }

    fn element(&self) -> Element<'_> {
        Element::text("Play", Attributes::new(), &self.url)
    }
}

/// Silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    seconds: u8,
}

impl Pause {
    /// So many seconds of silence, at least one.
    #[must_use]
    pub fn seconds(n: u8) -> Self {
        Self { seconds: n.max(1) }
    }

    fn element(self) -> Element<'static> {
        Element::empty("Pause", Attributes::new().set("length", self.seconds))
    }
}

/// What a caller hears: all that may stand inside a [`Gather`].
#[derive(Debug, Clone, PartialEq, Eq)]
enum Prompt {
    Say(Say),
    Play(Play),
    Pause(Pause),
}

impl Prompt {
    fn element(&self) -> Element<'_> {
        match self {
            Self::Say(say) => say.element(),
            Self::Play(play) => play.element(),
            Self::Pause(pause) => pause.element(),
        }
    }
}

/// Keys taken from the caller while prompts are heard.
///
/// A caller who presses nothing lets Twilio go on with the verb after it, so a redirect belongs there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gather {
    action: String,
    count: Option<u8>,
    timeout: Option<u8>,
    finish_on_key: Option<String>,
    barge_in: Option<bool>,
    prompts: Vec<Prompt>,
}

impl Gather {
    /// Takes keys (not speech) and posts them as `Digits` to the action.
    ///
    /// The action is always written: left out, Twilio calls the current document again and the call goes in a circle.
    #[must_use]
    pub fn digits(action: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            count: None,
            timeout: None,
            finish_on_key: None,
            barge_in: None,
            prompts: Vec::new(),
        }
    }

    /// Goes on as soon as so many keys are in, at least one; otherwise when the caller ends with the finishing key.
    #[must_use]
    pub fn count(self, n: u8) -> Self {
        Self { count: Some(n.max(1)), ..self }
    }

    /// Seconds without a key after which the entry is over, at least one; Twilio's own default is 5.
    #[must_use]
    pub fn timeout(self, seconds: u8) -> Self {
        Self { timeout: Some(seconds.max(1)), ..self }
    }

    /// The key that ends the entry, one of `0`–`9`, `*` and `#`; Twilio's own default is `#`.
    #[must_use]
    pub fn finish_on_key(self, key: char) -> Self {
        Self { finish_on_key: Some(key.into()), ..self }
    }

    /// No key ends the entry, so that `#` too arrives as a digit.
    #[must_use]
    pub fn no_finish_key(self) -> Self {
        Self { finish_on_key: Some(String::new()), ..self }
    }

    /// Whether a key stops the prompts; off for what the law says must be heard. Twilio's own default is on.
    #[must_use]
    pub fn barge_in(self, on: bool) -> Self {
        Self { barge_in: Some(on), ..self }
    }

    /// Speaks while waiting for keys.
    #[must_use]
    pub fn say(self, say: Say) -> Self {
        self.with(Prompt::Say(say))
    }

    /// Plays while waiting for keys.
    #[must_use]
    pub fn play(self, play: Play) -> Self {
        self.with(Prompt::Play(play))
    }

    /// Is silent while waiting for keys.
    #[must_use]
    pub fn pause(self, pause: Pause) -> Self {
        self.with(Prompt::Pause(pause))
    }

    fn with(mut self, prompt: Prompt) -> Self {
        self.prompts.push(prompt);
        self
    }

    fn element(&self) -> Result<Element<'_>, TwimlError> {
        check_url("Gather", &self.action)?;
        let finish_on_key = self.finish_on_key.as_deref().map(check_keys).transpose()?;
        let attributes = Attributes::new()
            .set("input", "dtmf")
            .set("action", &self.action)
            .set("method", "POST")
            .set_some("numDigits", self.count)
            .set_some("timeout", self.timeout)
            .set_some("finishOnKey", finish_on_key)
            .set_some("bargeIn", self.barge_in);
        Ok(Element::parent("Gather", attributes, self.prompts.iter().map(Prompt::element).collect()))
    }
}

/// The caller's voice recorded.
///
/// The verbs after it run only when nothing was recorded, so a redirect belongs there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    action: String,
    max_length: Option<u16>,
    timeout: Option<u8>,
    finish_on_key: Option<String>,
    play_beep: Option<bool>,
    trim_silence: Option<bool>,
    status_callback: Option<String>,
    transcribe: Option<String>,
}

impl Record {
    /// Records, then posts to the action, which also hears of it when the caller hangs up.
    #[must_use]
    pub fn new(action: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            max_length: None,
            timeout: None,
            finish_on_key: None,
            play_beep: None,
            trim_silence: None,
            status_callback: None,
            transcribe: None,
        }
    }

    /// The longest recording in seconds, at least one.
    #[must_use]
    pub fn max_length(self, seconds: u16) -> Self {
        Self { max_length: Some(seconds.max(1)), ..self }
    }

    /// Seconds of silence that end the recording, at least one; Twilio's own default is 5.
    #[must_use]
    pub fn timeout(self, seconds: u8) -> Self {
        Self { timeout: Some(seconds.max(1)), ..self }
    }

    /// The keys any of which ends the recording, out of `0`–`9`, `*` and `#`; Twilio's own default is all of them.
    ///
    /// Without any key only silence, the greatest length or hanging up ends it.
    #[must_use]
    pub fn finish_on_key(self, keys: impl Into<String>) -> Self {
        Self { finish_on_key: Some(keys.into()), ..self }
    }

    /// Whether a tone says that the recording begins; Twilio's own default is yes.
    #[must_use]
    pub fn play_beep(self, on: bool) -> Self {
        Self { play_beep: Some(on), ..self }
    }

    /// Whether silence at both ends is cut off.
    #[must_use]
    pub fn trim_silence(self, on: bool) -> Self {
        Self { trim_silence: Some(on), ..self }
    }

    /// Where Twilio posts once the audio can be fetched; the action comes too early for that.
    #[must_use]
    pub fn status_callback(self, url: impl Into<String>) -> Self {
        Self { status_callback: Some(url.into()), ..self }
    }

    /// Has it transcribed and the text posted; Twilio does so only for 2 to 120 seconds of speech.
    #[must_use]
    pub fn transcribe(self, url: impl Into<String>) -> Self {
        Self { transcribe: Some(url.into()), ..self }
    }

    fn element(&self) -> Result<Element<'_>, TwimlError> {
        check_url("Record", &self.action)?;
        for callback in [&self.status_callback, &self.transcribe].into_iter().flatten() {
            check_url("Record", callback)?;
        }
        let finish_on_key = self.finish_on_key.as_deref().map(check_keys).transpose()?;
        let reports = self.status_callback.is_some();
        let attributes = Attributes::new()
            .set("action", &self.action)
            .set("method", "POST")
            .set_some("maxLength", self.max_length)
            .set_some("timeout", self.timeout)
            .set_some("finishOnKey", finish_on_key)
            .set_some("playBeep", self.play_beep)
            .set_some("trim", self.trim_silence.map(|on| if on { "trim-silence" } else { "do-not-trim" }))
            .set_some("recordingStatusCallback", self.status_callback.as_ref())
            .set_if(reports, "recordingStatusCallbackMethod", "POST")
            .set_if(reports, "recordingStatusCallbackEvent", "completed")
            .set_if(self.transcribe.is_some(), "transcribe", true)
            .set_some("transcribeCallback", self.transcribe.as_ref());
        Ok(Element::empty("Record", attributes))
    }
}

/// Why a call is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectReason {
    /// The caller hears that the number is not in service.
    Rejected,
    /// The caller hears the busy tone.
    Busy,
}

/// Any verb at the top of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verb {
    Prompt(Prompt),
    Gather(Gather),
    Record(Record),
    Redirect(String),
    Hangup,
    Reject(RejectReason),
}

impl Verb {
    fn element(&self) -> Result<Element<'_>, TwimlError> {
        Ok(match self {
            Self::Prompt(prompt) => prompt.element(),
            Self::Gather(gather) => gather.element()?,
            Self::Record(record) => record.element()?,
            Self::Redirect(url) => {
                check_url("Redirect", url)?;
                Element::text("Redirect", Attributes::new().set("method", "POST"), url)
            }
            Self::Hangup => Element::empty("Hangup", Attributes::new()),
            Self::Reject(reason) => {
                let reason = match reason {
                    RejectReason::Rejected => "rejected",
                    RejectReason::Busy => "busy",
                };
                Element::empty("Reject", Attributes::new().set("reason", reason))
            }
        })
    }
}

/// A document being written, verb by verb.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "a response becomes a document by a redirect or a hang-up"]
pub struct Response {
    verbs: Vec<Verb>,
}

impl Response {
    /// No verbs yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Then speaks.
    pub fn say(self, say: Say) -> Self {
        self.with(Verb::Prompt(Prompt::Say(say)))
    }

    /// Then plays.
    pub fn play(self, play: Play) -> Self {
        self.with(Verb::Prompt(Prompt::Play(play)))
    }

    /// Then is silent.
    pub fn pause(self, pause: Pause) -> Self {
        self.with(Verb::Prompt(Prompt::Pause(pause)))
    }

    /// Then takes keys.
    pub fn gather(self, gather: Gather) -> Self {
        self.with(Verb::Gather(gather))
    }

    /// Then records.
    pub fn record(self, record: Record) -> Self {
        self.with(Verb::Record(record))
    }

    /// Ends with the document that a POST to another URL gives.
    pub fn redirect(self, url: impl Into<String>) -> Document {
        Document { verbs: self.with(Verb::Redirect(url.into())).verbs }
    }

    /// Ends the call.
    pub fn hangup(self) -> Document {
        Document { verbs: self.with(Verb::Hangup).verbs }
    }

    /// Does not take the call, at no charge; it stands alone.
    pub fn reject(reason: RejectReason) -> Document {
        Document { verbs: vec![Verb::Reject(reason)] }
    }

    fn with(mut self, verb: Verb) -> Self {
        self.verbs.push(verb);
        self
    }
}

/// A finished document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Document {
    verbs: Vec<Verb>,
}

impl Document {
    /// No verbs: the answer to a callback whose TwiML Twilio does not run.
    pub fn empty() -> Self {
        Self { verbs: Vec::new() }
    }

    /// The document as Twilio reads it, to be sent as `text/xml`.
    pub fn to_xml(&self) -> Result<String, TwimlError> {
        let verbs = self.verbs.iter().map(Verb::element).collect::<Result<Vec<_>, _>>()?;
        // The declaration must be the very first byte (Twilio error 12100).
        let mut text = String::from(r#"<?xml version="1.0" encoding="UTF-8"?>"#);
        Element::parent("Response", Attributes::new(), verbs).write(&mut text);
        if text.len() > DOCUMENT_LIMIT { Err(TwimlError::DocumentTooLarge(text.len())) } else { Ok(text) }
    }
}

fn check_url(verb: &'static str, url: &str) -> Result<(), TwimlError> {
    let located = url.starts_with("https://") || url.starts_with("http://") || url.starts_with('/');
    if located && url.bytes().all(|b| b.is_ascii_graphic()) { Ok(()) } else { Err(TwimlError::Url(verb)) }
}

fn check_keys(keys: &str) -> Result<&str, TwimlError> {
    let on_a_telephone = keys.bytes().all(|b| b.is_ascii_digit() || b == b'*' || b == b'#');
    if on_a_telephone { Ok(keys) } else { Err(TwimlError::Key) }
}

#[cfg(test)]
mod tests;
