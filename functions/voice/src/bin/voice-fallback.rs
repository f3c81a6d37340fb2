//! `POST /voice/fallback`, called by Twilio, when another step failed.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::voice(voice::fallback::handle)
}
