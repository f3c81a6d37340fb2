//! `POST /voice/call-status`, called by Twilio, when a call ended.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::callback(voice::call_status::handle)
}
