//! `POST /voice/details/{call}`, called by Twilio, when the caller said what it is about.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::voice(voice::details::handle)
}
