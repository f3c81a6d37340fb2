//! `POST /voice/recording`, called by Twilio, when a recording is ready.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::callback(voice::recording::handle)
}
