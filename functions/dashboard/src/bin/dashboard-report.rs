//! `GET /dashboard/report`, called by people who are signed in.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::report::handle)
}
