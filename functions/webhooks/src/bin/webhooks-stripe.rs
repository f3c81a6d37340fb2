//! `POST /webhooks/stripe`.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::stripe(webhooks::stripe::handle)
}
