//! What callers press and say on the way to each kind of request.

use domain::language::Language;
use domain::request::Kind;
use phone::{Caller, Do, Prompt, WaitingFor};

use crate::planted;

/// The key of a language.
#[must_use]
pub fn language(language: Language) -> Do {
    Do::press(match language {
        Language::English => "1",
        Language::Spanish => "2",
    })
}

/// The keys of a kind of request in the menu.
#[must_use]
pub fn kind(kind: Kind) -> Vec<Do> {
    [Some(kind.key()), kind.second_key()].into_iter().flatten().map(Do::press).collect()
}

/// What a kind asks for between the contact and the review: recordings, each kept.
#[must_use]
pub fn particulars(kind: Kind) -> Vec<Do> {
    let mut answers = vec![];
    if kind.needs_name() {
        answers.extend([planted::say("is my name"), Do::press("1")]);
    }
    if kind.needs_details() {
        answers.extend([planted::say("is what this is about"), Do::press("1")]);
    }
    answers
}

/// A whole request from the number that calls, sent: by service code, or on a dedicated number.
#[must_use]
pub fn request(speaks: Language, code: Option<&str>, what: Kind) -> Vec<Do> {
    let mut answers = vec![language(speaks)];
    answers.extend(code.map(|code| Do::press(format!("{code}#"))));
    answers.extend(kind(what));
    answers.push(Do::press("1"));
    answers.extend(particulars(what));
    answers.push(Do::press("1"));
    answers
}

/// A caller who answers as far as the answers go, and then does the same for ever; keeps what was heard.
pub struct Stubborn {
    answers: std::vec::IntoIter<Do>,
    then: Do,
    /// What was heard before each thing that the hotline waited for.
    pub heard: Vec<Prompt>,
}

impl Stubborn {
    /// These answers, and then always this.
    #[must_use]
    pub fn new(answers: Vec<Do>, then: Do) -> Self {
        Self { answers: answers.into_iter(), then, heard: vec![] }
    }

    /// What was said before each thing waited for, in one text each.
    #[must_use]
    pub fn questions(&self) -> Vec<String> {
        self.heard.iter().map(|prompt| prompt.spoken.join(" ")).collect()
    }
}

impl Caller for Stubborn {
    fn hear(&mut self, prompt: &Prompt) -> Do {
        if prompt.waiting_for == WaitingFor::Nothing {
            // What is said on its own belongs to the question that follows.
            self.heard.push(prompt.clone());
            return Do::Silence;
        }
        let mut whole = prompt.clone();
        while let Some(before) = self.heard.pop_if(|before| before.waiting_for == WaitingFor::Nothing) {
            whole.spoken.splice(0..0, before.spoken);
            whole.played.splice(0..0, before.played);
        }
        self.heard.push(whole);
        self.answers.next().unwrap_or_else(|| self.then.clone())
    }
}
