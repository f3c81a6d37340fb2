//! `GET /voice/greeting/{file}`, called by Twilio's media proxies.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::audio(voice::greeting::handle)
}
