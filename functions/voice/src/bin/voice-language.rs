//! `POST /voice/language/{call}`, called by Twilio, when the caller chose a language.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::voice(voice::language::handle)
}
