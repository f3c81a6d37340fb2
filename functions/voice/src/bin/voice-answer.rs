//! `POST /voice/answer`, called by Twilio, when somebody calls.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::voice(voice::answer::handle)
}
