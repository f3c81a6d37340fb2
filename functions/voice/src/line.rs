//! The line to the caller: sealed action URLs, and questions that are asked in other words each time.

use std::sync::Arc;

use domain::language::Language;
use partners::twilio::CallSid;
use partners::twilio::twiml::{Document, Gather, Pause, Play, Record, Response, Say, Voice};
use platform::call::Call;
use platform::edge::{AGAIN, RETRIED, Webhook};
use platform::secrets::Secrets;
use platform::{App, Error};

use crate::heard::Heard;
use crate::texts::{self, Prompt};

/// A question is asked this often before there is a way out.
const TRIES: u8 = 3;
/// No call asks more questions than this, whatever its caller does.
const QUESTIONS: u8 = 34;
/// Seconds of silence before a question is asked again: twice Twilio's usual, for older callers.
const TIMEOUT: u8 = 10;

/// How a question is answered.
#[derive(Clone, Copy)]
pub(crate) enum Keys {
    /// One key.
    One,
    /// Up to this many digits, or fewer and `#`.
    UpTo(u8),
}

/// What is heard before a question.
pub(crate) enum Lead {
    /// Words.
    Say(String),
    /// A recording, by its URL.
    Play(String),
}

/// One call, for the length of one webhook.
pub(crate) struct Line<'a> {
    app: &'a App,
    secrets: Arc<Secrets>,
    pub(crate) sid: &'a CallSid,
}

impl<'a> Line<'a> {
    pub(crate) async fn new(app: &'a App, webhook: &'a Webhook) -> Result<Self, Error> {
        Ok(Self { app, secrets: app.secrets().await?, sid: &webhook.call })
    }

    /// The address of a step, with the state of the call sealed in it.
    pub(crate) fn url(&self, step: &str, call: &Call) -> Result<String, Error> {
        let sealed = self.secrets.calls.seal(call, self.sid, step)?;
        let mark = if call.again { format!("?{AGAIN}") } else { String::new() };
        Ok(format!("{}/voice/{step}/{sealed}{mark}", self.app.config.public_base_url()?))
    }

    /// The address of a route without a state.
    pub(crate) fn plain_url(&self, route: &str) -> Result<String, Error> {
        Ok(format!("{}/voice/{route}", self.app.config.public_base_url()?))
    }

    /// Asks; the answer, or silence, goes to `step`. Which wording is used depends on how often it was asked before.
    pub(crate) fn ask(
        &self,
        mut call: Call,
        step: &str,
        leads: Vec<Lead>,
        prompt: &Prompt,
        keys: Keys,
    ) -> Result<Document, Error> {
        if !count(&mut call) {
            return give_up(&call);
        }
        let wording = prompt.wording(std::mem::take(&mut call.helping), call.attempt);
        let action = self.url(step, &call)?;
        let mut gather = Gather::digits(action.clone()).timeout(TIMEOUT);
        gather = match keys {
            Keys::One => gather.count(1),
            Keys::UpTo(digits) => gather.count(digits).finish_on_key('#'),
        };
        for lead in leads {
            gather = match lead {
                Lead::Say(words) => gather.say(say(call.language, &words)?),
                Lead::Play(url) => gather.play(Play::url(url).map_err(Error::failed("writing TwiML"))?),
            };
        }
        gather = gather.say(say(call.language, wording)?);
        Ok(Response::new().gather(gather).redirect(action))
    }

    /// Records, after saying so; the recording, or silence, goes to `step`.
    pub(crate) fn record(
        &self,
        mut call: Call,
        step: &str,
        lead: Option<&str>,
        prompt: &Prompt,
        seconds: u16,
    ) -> Result<Document, Error> {
        if !count(&mut call) {
            return give_up(&call);
        }
        let wording = prompt.wording(std::mem::take(&mut call.helping), call.attempt);
        let action = self.url(step, &call)?;
        // Twilio transcribes English only.
        let transcribed = call.language == Language::English;
        let ready = self.plain_url(if transcribed { "recording?source=transcribed" } else { "recording" })?;
        let mut record = Record::new(action.clone())
            .max_length(seconds)
            .timeout(TIMEOUT)
            .finish_on_key("#")
            .play_beep(true)
            .status_callback(format!("{ready}{RETRIED}"));
        if transcribed {
            record = record.transcribe(format!("{}{RETRIED}", self.plain_url("transcription")?));
        }
        let mut response = Response::new();
        if let Some(lead) = lead {
            response = response.say(say(call.language, lead)?);
        }
        Ok(response.say(say(call.language, wording)?).record(record).redirect(action))
    }
}

/// Counts a question; false where the call has had as many as one gets.
pub(crate) fn count(call: &mut Call) -> bool {
    call.questions = call.questions.saturating_add(1);
    call.questions <= QUESTIONS
}

/// The end of a call that went on for too long: nothing that was begun is lost.
pub(crate) fn give_up(call: &Call) -> Result<Document, Error> {
    let (service, draft) = (call.service.as_ref(), call.request.as_ref());
    match (service, draft.and_then(|draft| draft.reference.as_ref())) {
        (Some(service), Some(reference)) => goodbye(call, &texts::kept(call.language, &service.name, reference)),
        _ => goodbye(call, &texts::way_out(call.language, service)),
    }
}

/// The last words, and the end of the call.
pub(crate) fn goodbye(call: &Call, words: &str) -> Result<Document, Error> {
    Ok(Response::new().say(say(call.language, words)?).pause(Pause::seconds(1)).hangup())
}

/// Silence, a wrong key, `*` or `0`: the call as it is asked again, and what to say before; nothing where it was asked
/// often enough.
pub(crate) fn unanswered(call: &Call, heard: &Heard) -> Option<(Call, Option<&'static str>)> {
    let mut call = call.clone();
    match heard {
        Heard::Repeat => Some((call, None)),
        // The fullest wording is the help; it costs no try.
        Heard::Help => {
            call.helping = true;
            Some((call, None))
        }
        _ if call.attempt + 1 >= TRIES => None,
        Heard::Silence => {
            let lead = texts::heard_nothing(call.language);
            Some((call.again(), Some(lead)))
        }
        Heard::Keys(_) => {
            let lead = texts::wrong_key(call.language);
            Some((call.again(), Some(lead)))
        }
    }
}

/// Words in the voice of a language.
pub(crate) fn say(language: Language, words: &str) -> Result<Say, Error> {
    let voice = match language {
        Language::English => Voice::ENGLISH,
        Language::Spanish => Voice::SPANISH,
    };
    Say::new(voice, words).map_err(Error::failed("writing TwiML"))
}

/// The lead of a question that is asked again.
pub(crate) fn leads(words: Option<&'static str>) -> Vec<Lead> {
    words.map(|words| Lead::Say(words.to_owned())).into_iter().collect()
}
