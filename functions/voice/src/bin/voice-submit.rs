//! `POST /voice/submit/{call}`, called by Twilio, when the caller confirmed.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::voice(voice::submit::handle)
}
