//! `GET /dashboard/overview`, and `GET /dashboard`: the first page.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::overview::handle)
}
