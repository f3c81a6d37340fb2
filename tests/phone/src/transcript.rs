//! What came of a call.

use std::fmt;
use std::time::Duration;

use url::Url;

use crate::line::Method;

/// A call from dial to end.
#[derive(Clone, Debug)]
pub struct Transcript {
    /// The call's SID.
    pub call_sid: String,
    /// Everything that happened, in order.
    pub steps: Vec<Step>,
    /// Everything that was said, one entry for each time a `<Say>` was heard.
    pub said: Vec<String>,
    /// Every document asked for, in order, also those not executed.
    pub documents: Vec<Fetched>,
    /// Every callback delivered, in order.
    pub callbacks: Vec<Fetched>,
    /// The recordings made.
    pub recordings: Vec<Recorded>,
    /// Where the hotline broke Twilio's rules.
    pub violations: Vec<Violation>,
    /// How the call ended.
    pub ended: Ended,
    /// How long it took, in simulated time.
    pub duration: Duration,
}

/// Something that happened in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A document was asked for.
    Fetched {
        /// Its address.
        url: Url,
        /// The answer's HTTP status.
        status: u16,
    },
    /// This was said.
    Said(String),
    /// This audio was played.
    Played(Url),
    /// Nothing was heard for so long.
    Paused(Duration),
    /// The caller pressed these keys, and this is what they came to.
    Pressed {
        /// What was pressed.
        keys: String,
        /// What the hotline was sent; nothing when it was sent nothing.
        digits: Option<String>,
    },
    /// The caller did nothing until the time was over.
    Silence,
    /// The caller spoke after the beep.
    Recorded {
        /// For so many seconds.
        seconds: u32,
        /// These words.
        text: Option<String>,
    },
    /// Twilio's own words when the hotline and its fallback have failed.
    ApplicationError,
    /// The caller hung up.
    CallerHungUp,
}

/// A webhook and its answer.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// GET or POST.
    pub method: Method,
    /// The address, with its query.
    pub url: Url,
    /// The parameters sent.
    pub sent: Vec<(String, String)>,
    /// The answer's HTTP status; 0 without an answer.
    pub status: u16,
    /// The answer's body.
    pub body: String,
    /// How long the answer took.
    pub took: Duration,
}

impl Fetched {
    /// The value sent for a parameter.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.sent.iter().find(|(sent, _)| sent == name).map(|(_, value)| value.as_str())
    }
}

/// A recording made in the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// `RE` and 32 hex digits.
    pub sid: String,
    /// `TR` and 32 hex digits, when it was transcribed.
    pub transcription_sid: Option<String>,
    /// Its length.
    pub seconds: u32,
    /// Its audio.
    pub audio: Vec<u8>,
}

/// A rule of Twilio's that the hotline broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Twilio's error or warning code; 0 for what it has no code for.
    pub code: u32,
    /// The webhook that it is about.
    pub url: String,
    /// What is wrong.
    pub what: String,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By `<Hangup>`.
    HungUpByUs,
    /// The document had no more verbs: Twilio hangs up, perhaps in the middle of a thought.
    NothingLeft,
    /// By the caller.
    HungUpByCaller,
    /// By `<Reject>`, before it was answered.
    Rejected,
    /// It went on past [`CallOptions::most_documents`](crate::CallOptions::most_documents).
    Loop,
    /// The hotline failed and so did its fallback: the caller heard Twilio's "application error".
    Error {
        /// Twilio's error code.
        code: u32,
    },
}

impl Transcript {
    /// Whether something was said that contains `words`, whatever their case.
    #[must_use]
    pub fn heard(&self, words: &str) -> bool {
        self.said().to_lowercase().contains(&words.to_lowercase())
    }

    /// Everything that was said, as one text with a line for each `<Say>`.
    #[must_use]
    pub fn said(&self) -> String {
        self.said.join("\n")
    }

    /// The first reference number said: twelve digits one by one, or in three groups of four.
    #[must_use]
    pub fn reference_number(&self) -> Option<String> {
        self.said.iter().find_map(|said| reference_number(said))
    }
}

/// Twelve digits that stand alone, in three groups of four, or in one; other digits may follow in the same sentence.
fn reference_number(said: &str) -> Option<String> {
    let groups: Vec<&str> = said.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    [(12, 1), (3, 4), (1, 12)].into_iter().find_map(|(count, length)| {
        let numbers = |window: &&[&str]| window.iter().all(|group| group.len() == length);
        groups.windows(count).find(numbers).map(<[&str]>::concat)
    })
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Call {}", self.call_sid)?;
        for step in &self.steps {
            writeln!(f, "  {step}")?;
        }
        writeln!(f, "  {} after {} s", self.ended, self.duration.as_secs())?;
        for violation in &self.violations {
            writeln!(f, "  ! {violation}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Fetched { url, status } => write!(f, "- {status} {}", shortened(url.path())),
            Step::Said(text) => write!(f, "hotline: {text}"),
            Step::Played(url) => write!(f, "hotline plays {url}"),
            Step::Paused(length) => write!(f, "(a pause of {} s)", length.as_secs()),
            Step::Pressed { keys, digits: Some(digits) } if keys == digits => write!(f, "caller presses {keys}"),
            Step::Pressed { keys, digits: Some(digits) } => write!(f, "caller presses {keys} (sent: {digits})"),
            Step::Pressed { keys, digits: None } => write!(f, "caller presses {keys} (nothing is sent)"),
            Step::Silence => write!(f, "caller is silent"),
            Step::Recorded { seconds, text: Some(text) } => write!(f, "caller says for {seconds} s: {text}"),
            Step::Recorded { seconds, text: None } => write!(f, "caller speaks for {seconds} s"),
            Step::ApplicationError => write!(f, "Twilio: we are sorry, an application error has occurred"),
            Step::CallerHungUp => write!(f, "caller hangs up"),
        }
    }
}

/// A path whose last part, the sealed state of a call, is not worth reading.
fn shortened(path: &str) -> String {
    path.char_indices().nth(60).map_or(path.to_owned(), |(end, _)| format!("{}…", path.get(..end).unwrap_or(path)))
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::HungUpByUs => write!(f, "The hotline hung up"),
            Ended::NothingLeft => write!(f, "The call ended because nothing was left to do"),
            Ended::HungUpByCaller => write!(f, "The caller hung up"),
            Ended::Rejected => write!(f, "The call was not accepted"),
            Ended::Loop => write!(f, "The call was going in circles and was stopped"),
            Ended::Error { code } => write!(f, "The call ended in Twilio's error {code}"),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.code, self.what, shortened(&self.url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_number_is_found_however_it_is_spoken() {
        for said in [
            "Your reference number is 1 2 3 4, 5 6 7 8, 9 0 1 2.",
            "Your reference number is 1234. 5678. 9012. You hear from us within 15 business days.",
            "1 2 3 4. 5 6 7 8. 9 0 1 2. 15 days",
            "Number 123456789012",
        ] {
            assert_eq!(reference_number(said).as_deref(), Some("123456789012"), "{said}");
        }
        assert_eq!(reference_number("ending in 0 1 2 3, press 1"), None);
    }
}
