//! `POST /voice/status/{call}`, called by Twilio, when the caller keyed a reference number.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::voice(voice::status::handle)
}
