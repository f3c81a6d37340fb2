//! `GET /dashboard/export`, and POST: requests as a table.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::export::handle)
}
