//! `GET /dashboard/new-request`, and POST: a request typed in by hand.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::new_request::handle)
}
