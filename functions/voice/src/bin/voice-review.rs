//! `POST /voice/review/{call}`, called by Twilio, when the caller heard what is about to be sent.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::voice(voice::review::handle)
}
