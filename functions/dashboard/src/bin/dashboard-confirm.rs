//! `GET` and `POST /dashboard/confirm`, called by a browser, before something delicate.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::confirm::handle)
}
