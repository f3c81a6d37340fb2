//! A call: how it is placed, and what all its webhooks have in common.

mod callbacks;
mod talk;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use url::Url;

use self::talk::Talk;
use crate::caller::Caller;
use crate::line::{Line, new_sid};
use crate::transcript::Transcript;

/// How a call is placed.
#[derive(Clone, Debug)]
pub struct CallOptions {
    /// The caller's number. What Twilio sends for a withheld one is [`CallOptions::WITHHELD`].
    pub from: String,
    /// The number called; the shared one when missing.
    pub to: Option<String>,
    /// Who forwarded the call here.
    pub forwarded_from: Option<String>,
    /// When it is placed; now when missing.
    pub started_at: Option<Timestamp>,
    /// The first document, when it is not the configured one.
    pub answer_url: Option<Url>,
    /// How often each webhook for a document is sent.
    pub repeats: Repeats,
    /// How callbacks are delivered.
    pub callbacks: Callbacks,
    /// A call that asks for more documents is going in circles.
    pub most_documents: usize,
}

impl CallOptions {
    /// What Twilio sends as the number of a caller who withholds theirs.
    pub const WITHHELD: &str = "+266696687";

    /// A call from this number.
    pub fn from(number: impl Into<String>) -> CallOptions {
        CallOptions { from: number.into(), ..CallOptions::default() }
    }

    /// The same to this number.
    #[must_use]
    pub fn to(self, number: impl Into<String>) -> CallOptions {
        CallOptions { to: Some(number.into()), ..self }
    }
}

impl Default for CallOptions {
    fn default() -> Self {
        CallOptions {
            from: "+12135550142".into(),
            to: None,
            forwarded_from: None,
            started_at: None,
            answer_url: None,
            repeats: Repeats::default(),
            callbacks: Callbacks::default(),
            most_documents: 200,
        }
    }
}

/// How often a webhook is sent, with the same token, before its answer is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeats {
    /// So many times, one after the other.
    pub times: u8,
    /// What has to be the same in every answer.
    pub same: Same,
}

/// What has to be the same when a webhook is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Same {
    /// Every byte.
    Bytes,
    /// The verbs, what is said and what is played; addresses may differ, as sealed ones do.
    Speech,
}

impl Default for Repeats {
    fn default() -> Self {
        Repeats { times: 1, same: Same::Bytes }
    }
}

/// How callbacks (recording, transcription, end of the call) are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Callbacks {
    /// Each so many times, with the same token.
    pub copies: u8,
    /// In which order.
    pub order: Order,
    /// Also for the call's earlier states, not only for its end.
    pub every_status: bool,
}

/// In which order callbacks arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// A recording's after the next document, all others after the call.
    AsItHappens,
    /// All after the call, the last first.
    Reversed,
    /// All after the call, copies apart, in an order that this seed gives.
    Shuffled(u64),
}

impl Default for Callbacks {
    fn default() -> Self {
        Callbacks { copies: 1, order: Order::AsItHappens, every_status: false }
    }
}

/// A call that has been dialled and not yet answered.
pub struct Call {
    line: Line,
    options: CallOptions,
    sid: String,
    to: String,
    started_at: Timestamp,
}

impl Line {
    /// Dials. Nothing is sent before [`Call::talk`].
    #[must_use]
    pub fn dial(&self, options: CallOptions) -> Call {
        Call {
            line: self.clone(),
            sid: new_sid("CA"),
            to: options.to.clone().unwrap_or_else(|| self.stack().twilio.number.clone()),
            started_at: options.started_at.unwrap_or_else(now),
            options,
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "the telephone is the outside world: its clock is its own")]
fn now() -> Timestamp {
    Timestamp::now()
}

impl Call {
    /// The call's SID.
    #[must_use]
    pub fn sid(&self) -> &str {
        &self.sid
    }

    /// Runs the call to its end, callbacks included.
    pub async fn talk(self, caller: &mut dyn Caller) -> Transcript {
        let mut talk = Talk::new(self, caller);
        talk.run().await;
        talk.transcript
    }

    /// The parameters of every webhook of this call, in the order of their names as Twilio sends them. The geographic ones are
    /// sent empty: they are on most real calls from abroad, and they count in the signature.
    fn params(&self, status: &str) -> Vec<(String, String)> {
        let (from, to) = (self.options.from.as_str(), self.to.as_str());
        let country = |number: &str| if number.starts_with("+1") { "US" } else { "" };
        let mut params = vec![
            ("AccountSid", self.line.stack().twilio.account_sid.as_str()),
            ("ApiVersion", "2010-04-01"),
            ("CallSid", self.sid.as_str()),
            ("CallStatus", status),
            ("Direction", "inbound"),
            ("StirVerstat", "TN-Validation-Passed-A"),
        ];
        let sides = [
            ("Called", to, country(to)),
            ("Caller", from, country(from)),
            ("From", from, country(from)),
            ("To", to, country(to)),
        ];
        let geo: Vec<(String, &str)> = sides
            .iter()
            .flat_map(|(side, number, country)| {
                let named = |what: &str| format!("{side}{what}");
                [
                    (named(""), *number),
                    (named("City"), ""),
                    (named("Country"), *country),
                    (named("State"), ""),
                    (named("Zip"), ""),
                ]
            })
            .collect();
        params.extend(geo.iter().map(|(name, value)| (name.as_str(), *value)));
        if let Some(by) = &self.options.forwarded_from {
            params.extend([("ForwardedFrom", by.as_str()), ("CalledVia", by.as_str())]);
        }
        params.sort_unstable();
        params.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}
