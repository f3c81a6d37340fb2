//! `POST /voice/transcription`, called by Twilio, when a recording was transcribed.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::callback(voice::transcription::handle)
}
