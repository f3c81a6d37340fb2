//! `GET` and `POST /dashboard/factors`, called by a browser and its script, for passkeys and codes.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::factors::handle)
}
