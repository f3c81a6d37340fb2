//! `GET /dashboard/requests`, and POST: the inbox, and its search.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::requests::handle)
}
