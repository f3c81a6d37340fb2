//! `POST /voice/contact/{call}`, called by Twilio, when the caller answered about a telephone number.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::voice(voice::contact::handle)
}
