//! What Twilio tells the hotline beside the call: recordings, transcriptions, the call's end.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use standins::twilio::CallDeposit;

use super::talk::{Talk, fetched, method};
use super::{Callbacks, Order};
use crate::document::Element;
use crate::line::{Method, Webhook};
use crate::transcript::{Ended, Recorded};

/// A callback on its way.
#[derive(Clone)]
pub(super) struct Callback {
    webhook: Webhook,
    /// Whether it arrives while the call goes on.
    soon: bool,
}

impl Talk<'_> {
    pub(super) fn recording_callbacks(
        &mut self,
        verb: &Element,
        recording: &Recorded,
        url: &str,
        text: Option<&str>,
        began: Timestamp,
    ) {
        let account = self.call.line.stack().twilio.clone();
        let seconds = recording.seconds.to_string();
        if let Some(callback) = verb.attribute("recordingStatusCallback") {
            let began = rfc2822(began);
            let params = [
                ("RecordingSource", "RecordVerb"),
                ("RecordingSid", &recording.sid),
                ("RecordingUrl", url),
                ("RecordingStatus", "completed"),
                ("RecordingChannels", "1"),
                ("ErrorCode", "0"),
                ("CallSid", &self.call.sid.clone()),
                ("RecordingStartTime", &began),
                ("AccountSid", &account.account_sid),
                ("RecordingDuration", &seconds),
            ];
            self.callback(callback, method(verb, "recordingStatusCallbackMethod"), &params, true);
        }
        let transcribed = verb.attribute("transcribeCallback").zip(recording.transcription_sid.as_deref()).zip(text);
        if let Some(((callback, sid), text)) = transcribed {
            let path = format!("/2010-04-01/Accounts/{}/Transcriptions/{sid}", account.account_sid);
            let address = account.api_base_url.join(&path).map(String::from).unwrap_or_default();
            let (call, from, to) = (self.call.sid.clone(), self.call.options.from.clone(), self.call.to.clone());
            let params = [
                ("AccountSid", account.account_sid.as_str()),
                ("ApiVersion", "2010-04-01"),
                ("CallSid", &call),
                ("CallStatus", self.status),
                ("Called", &to),
                ("Caller", &from),
                ("Direction", "inbound"),
                ("From", &from),
                ("RecordingSid", &recording.sid),
                ("RecordingUrl", url),
                ("To", &to),
                ("TranscriptionSid", sid),
                ("TranscriptionStatus", "completed"),
                ("TranscriptionText", text),
                ("TranscriptionType", "fast"),
                ("TranscriptionUrl", &address),
                ("url", callback),
            ];
            self.callback(callback, Method::Post, &params, false);
        }
    }

    /// The number's status callback: seconds in `CallDuration`, started minutes in `Duration`.
    pub(super) fn status_callback(&mut self, status: &str, sequence: u8, seconds: u64) {
        let Some(url) = self.call.line.stack().voice.call_status.clone() else { return };
        let mut params = self.call.params(status);
        params.extend([
            ("CallbackSource".to_owned(), "call-progress-events".to_owned()),
            ("SequenceNumber".to_owned(), sequence.to_string()),
            ("Timestamp".to_owned(), rfc2822(self.moment())),
        ]);
        let over = !matches!(status, "ringing" | "in-progress");
        if over {
            params.push(("CallDuration".to_owned(), seconds.to_string()));
            params.push(("Duration".to_owned(), seconds.div_ceil(60).to_string()));
        }
        params.sort();
        let soon = !over;
        self.waiting.push(Callback { webhook: Webhook::post(url, params), soon });
    }

    fn callback(&mut self, url: &str, method: Method, params: &[(&str, &str)], soon: bool) {
        match self.at.join(url) {
            Ok(url) => {
                let webhook = Webhook { method, ..Webhook::post(url, params.iter().copied()) };
                self.waiting.push(Callback { webhook, soon });
            }
            Err(_) => self.violation_here(11100, &format!("a callback goes to `{url}`, which is not an address")),
        }
    }

    /// A recording is ready about when the next document has come.
    pub(super) async fn deliver_recordings(&mut self) {
        if self.call.options.callbacks.order == Order::AsItHappens {
            let (soon, later) = std::mem::take(&mut self.waiting).into_iter().partition(|callback| callback.soon);
            self.waiting = later;
            self.deliver(soon).await;
        }
    }

    pub(super) async fn end(&mut self) {
        let rejected = self.transcript.ended == Ended::Rejected;
        // A part of a second is a second.
        let seconds = if self.answered { self.elapsed.as_millis().div_ceil(1000) } else { 0 };
        let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
        self.transcript.duration = Duration::from_secs(seconds);
        if !rejected {
            self.status = "completed";
        }
        let sequence = if self.call.options.callbacks.every_status { 2 } else { 0 };
        let (status, start_time) = (self.status, self.call.started_at);
        // The transcription of a recording takes longer than the call's own end.
        let transcriptions = self.waiting.iter().position(|callback| !callback.soon).unwrap_or(self.waiting.len());
        self.status_callback(status, sequence, seconds);
        if let Some(ended) = self.waiting.pop() {
            self.waiting.insert(transcriptions, ended);
        }
        let deposit = CallDeposit {
            sid: self.call.sid.clone(),
            from: self.call.options.from.clone(),
            to: self.call.to.clone(),
            status: status.to_owned(),
            start_time,
            duration: u32::try_from(seconds).unwrap_or(u32::MAX),
        };
        if let Err(why) = self.call.line.deposit_call(&deposit).await {
            self.violation_here(0, &why);
        }
        let waiting = std::mem::take(&mut self.waiting);
        self.deliver(waiting).await;
    }

    async fn deliver(&mut self, callbacks: Vec<Callback>) {
        let Callbacks { copies, order, .. } = self.call.options.callbacks;
        let mut callbacks: Vec<Callback> =
            callbacks.into_iter().flat_map(|callback| std::iter::repeat_n(callback, copies.into())).collect();
        match order {
            Order::AsItHappens => {}
            Order::Reversed => callbacks.reverse(),
            Order::Shuffled(seed) => fastrand::Rng::with_seed(seed).shuffle(&mut callbacks),
        }
        for Callback { webhook, .. } in callbacks {
            let sent = self.call.line.send(&webhook).await;
            match &sent {
                Ok(answer) if (200..300).contains(&answer.status) => {}
                Ok(answer) => {
                    self.violation(11200, &webhook.url, &format!("callback got HTTP status {}", answer.status));
                }
                Err(why) => self.violation(why.code(), &webhook.url, &why.to_string()),
            }
            self.transcript.callbacks.push(fetched(&webhook, sent.as_ref()));
        }
    }
}

/// `Sun, 25 Mar 2018 09:53:19 +0000`, the way Twilio writes dates.
fn rfc2822(at: Timestamp) -> String {
    jiff::fmt::rfc2822::to_string(&at.to_zoned(TimeZone::UTC)).unwrap_or_default()
}
