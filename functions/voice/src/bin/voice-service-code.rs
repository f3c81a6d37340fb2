//! `POST /voice/service-code/{call}`, called by Twilio, when the caller keyed a service code.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::voice(voice::service_code::handle)
}
