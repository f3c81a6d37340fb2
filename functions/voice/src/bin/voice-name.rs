//! `POST /voice/name/{call}`, called by Twilio, when the caller said their name.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::voice(voice::name::handle)
}
