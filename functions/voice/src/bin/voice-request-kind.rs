//! `POST /voice/request-kind/{call}`, called by Twilio, when the caller chose from the menu.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::voice(voice::request_kind::handle)
}
