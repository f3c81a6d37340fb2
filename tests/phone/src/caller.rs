//! Who calls: a [`Script`], a [`Random`] caller, a closure, or a type of one's own.

use std::collections::VecDeque;

use url::Url;

/// What has reached the caller's ear since they were last asked, and what the hotline now waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// What was said, one entry for each `<Say>`.
    pub spoken: Vec<String>,
    /// The audio that was played.
    pub played: Vec<Url>,
    /// What the hotline waits for.
    pub waiting_for: WaitingFor,
}

/// What the hotline waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitingFor {
    /// Keys, in a `<Gather>`.
    Digits {
        /// It goes on after this many; as many as one likes when missing.
        max: Option<usize>,
        /// Keys that end the entry.
        finish_on: String,
    },
    /// A message after the beep, in a `<Record>`.
    Recording {
        /// It is cut off after this many seconds.
        max_secs: u32,
        /// Keys that end the message.
        finish_on: String,
    },
    /// Nothing: something was said or played and the call goes on. Only hanging up has an effect.
    Nothing,
}

/// What a caller does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Do {
    /// Presses these keys (`0` to `9`, `*`, `#`) when the prompt has ended. Keys after the one that ends the entry are lost.
    Press(String),
    /// Presses these keys into the prompt. Where it cannot be interrupted they are lost and the caller is asked again.
    Interrupt(String),
    /// Does nothing.
    Silence,
    /// Speaks.
    Speak(Speech),
    /// Hangs up.
    HangUp,
}

impl Do {
    /// Presses these keys.
    pub fn press(keys: impl Into<String>) -> Do {
        Do::Press(keys.into())
    }

    /// Speaks these words at an ordinary pace and falls silent.
    #[must_use]
    pub fn speak(words: &str) -> Do {
        Do::Speak(Speech::of(words))
    }
}

/// Something spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speech {
    /// How long it takes.
    pub seconds: u32,
    /// What is recorded of it: the bytes of a sound file.
    pub audio: Vec<u8>,
    /// The words, as a transcription finds them; nothing when it would find none.
    pub text: Option<String>,
    /// What the caller does then.
    pub then: Then,
}

/// How a caller ends a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Falls silent.
    Silence,
    /// Presses a key.
    Key(char),
    /// Hangs up in the middle of it.
    HangUp,
}

impl Speech {
    /// These words at 150 a minute, at least three seconds, as a small sound file that carries them as its comment.
    #[must_use]
    pub fn of(words: &str) -> Speech {
        let count = u32::try_from(words.split_whitespace().count()).unwrap_or(u32::MAX);
        let seconds = (count * 2).div_ceil(5).max(3);
        Speech { seconds, audio: sound_file(seconds, words), text: Some(words.to_owned()), then: Then::Silence }
    }

    /// The same, ended by a key.
    #[must_use]
    pub fn then_key(self, key: char) -> Speech {
        Speech { then: Then::Key(key), ..self }
    }

    /// The same, broken off by hanging up.
    #[must_use]
    pub fn then_hang_up(self) -> Speech {
        Speech { then: Then::HangUp, ..self }
    }
}

/// A WAV file: a tone of 400 Hz, 8 kHz mono with 8 bits, as telephony has it, and `comment` in its INFO list.
fn sound_file(seconds: u32, comment: &str) -> Vec<u8> {
    const RATE: u32 = 8_000;
    let samples: Vec<u8> = (0..seconds.min(600) * RATE).map(|i| if i / 10 % 2 == 0 { 0x70 } else { 0x90 }).collect();
    let mut text = comment.as_bytes().to_vec();
    text.resize((text.len() + 1).next_multiple_of(2), 0);

    let mut format = Vec::new();
    format.extend(1_u16.to_le_bytes()); // PCM
    format.extend(1_u16.to_le_bytes()); // one channel
    format.extend(RATE.to_le_bytes());
    format.extend(RATE.to_le_bytes()); // bytes per second
    format.extend(1_u16.to_le_bytes()); // bytes per frame
    format.extend(8_u16.to_le_bytes()); // bits per sample
    let info = [b"INFO".to_vec(), chunk("ICMT", &text)].concat();
    let body = [b"WAVE".to_vec(), chunk("fmt ", &format), chunk("LIST", &info), chunk("data", &samples)].concat();
    chunk("RIFF", &body)
}

fn chunk(name: &str, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    [name.as_bytes(), &length.to_le_bytes(), body].concat()
}

/// Somebody who calls.
///
/// They are asked after every verb that is heard, and wherever the hotline waits: whoever hangs up can do so at any verb.
pub trait Caller: Send {
    /// What they do on hearing this.
    fn hear(&mut self, prompt: &Prompt) -> Do;
}

impl<F: FnMut(&Prompt) -> Do + Send> Caller for F {
    fn hear(&mut self, prompt: &Prompt) -> Do {
        self(prompt)
    }
}

/// A caller with a list of answers, given in order wherever the hotline waits for something; silent after the last.
#[derive(Clone, Debug)]
pub struct Script {
    answers: VecDeque<Do>,
    hang_up_at: Option<usize>,
    asked: usize,
}

impl Script {
    /// These answers.
    pub fn new(answers: impl IntoIterator<Item = Do>) -> Script {
        Script { answers: answers.into_iter().collect(), hang_up_at: None, asked: 0 }
    }

    /// These keys.
    pub fn keys<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> Script {
        Script::new(keys.into_iter().map(Do::press))
    }

    /// The same, but hanging up at the verb with this number, counted from 1 over all that is heard or waited at.
    #[must_use]
    pub fn hanging_up_at(self, verb: usize) -> Script {
        Script { hang_up_at: Some(verb), ..self }
    }

    /// How many answers have not been asked for.
    #[must_use]
    pub fn left(&self) -> usize {
        self.answers.len()
    }
}

impl Caller for Script {
    fn hear(&mut self, prompt: &Prompt) -> Do {
        self.asked += 1;
        if self.hang_up_at == Some(self.asked) {
            return Do::HangUp;
        }
        match prompt.waiting_for {
            WaitingFor::Nothing => Do::Silence,
            WaitingFor::Digits { .. } | WaitingFor::Recording { .. } => self.answers.pop_front().unwrap_or(Do::Silence),
        }
    }
}

/// A caller who does anything at all, the same for the same seed.
#[derive(Clone, Debug)]
pub struct Random {
    dice: fastrand::Rng,
    entries: Vec<String>,
    may_hang_up: bool,
}

impl Random {
    /// A caller with this seed.
    #[must_use]
    pub fn new(seed: u64) -> Random {
        Random { dice: fastrand::Rng::with_seed(seed), entries: Vec::new(), may_hang_up: true }
    }

    /// Who also knows these entries, `42#` for one, so that they get further than chance would take them.
    #[must_use]
    pub fn knowing<E: Into<String>>(mut self, entries: impl IntoIterator<Item = E>) -> Random {
        self.entries.extend(entries.into_iter().map(Into::into));
        self
    }

    /// Who stays on the line until the hotline hangs up.
    #[must_use]
    pub fn who_stays(self) -> Random {
        Random { may_hang_up: false, ..self }
    }

    fn key(&mut self) -> char {
        self.dice.choice(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#']).unwrap_or('0')
    }

    fn presses(&mut self) -> Do {
        match self.dice.u8(0..100) {
            0..60 => Do::press(self.key()),
            60..80 if !self.entries.is_empty() => Do::press(self.dice.choice(self.entries.clone()).unwrap_or_default()),
            60..90 => {
                let keys: String = (0..self.dice.u8(1..14)).map(|_| self.dice.digit(10)).collect();
                Do::press(if self.dice.bool() { keys + "#" } else { keys })
            }
            90..94 => Do::Interrupt(self.key().to_string()),
            94..97 => Do::press(""),
            _ => Do::press("#"),
        }
    }
}

impl Caller for Random {
    fn hear(&mut self, prompt: &Prompt) -> Do {
        let roll = self.dice.u8(0..100);
        match prompt.waiting_for {
            _ if self.may_hang_up && roll < 3 => Do::HangUp,
            WaitingFor::Digits { .. } if roll < 85 => self.presses(),
            WaitingFor::Recording { .. } if roll < 70 => {
                let speech = Speech { seconds: self.dice.u32(0..130), ..Speech::of("something was said") };
                Do::Speak(match self.dice.u8(0..10) {
                    0 if self.may_hang_up => speech.then_hang_up(),
                    0..5 => speech.then_key(self.key()),
                    _ => speech,
                })
            }
            WaitingFor::Recording { .. } if roll < 85 => Do::press(self.key()),
            _ => Do::Silence,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn menu() -> Prompt {
        let waiting_for = WaitingFor::Digits { max: Some(1), finish_on: "#".into() };
        Prompt { spoken: vec![], played: vec![], waiting_for }
    }

    #[test]
    fn a_random_caller_does_the_same_again_for_the_same_seed() {
        let hundred = |seed| -> Vec<Do> {
            let mut caller = Random::new(seed).knowing(["42#"]);
            (0..100).map(|_| caller.hear(&menu())).collect()
        };
        assert_eq!(hundred(7), hundred(7));
        assert_ne!(hundred(7), hundred(8));
        assert!(hundred(7).contains(&Do::press("42#")));
    }

    #[test]
    fn a_caller_who_stays_never_hangs_up() {
        let mut caller = Random::new(1).who_stays();
        assert!((0..1000).all(|_| caller.hear(&menu()) != Do::HangUp));
    }

    #[test]
    fn a_spoken_message_is_a_sound_file_with_its_words_as_comment() {
        let speech = Speech::of("please delete everything");
        assert_eq!(speech.seconds, 3);
        assert!(speech.audio.starts_with(b"RIFF"));
        let length = u32::from_le_bytes(speech.audio[4..8].try_into().unwrap());
        assert_eq!(length as usize, speech.audio.len() - 8);
        assert!(String::from_utf8_lossy(&speech.audio).contains("please delete everything"));
    }
}
