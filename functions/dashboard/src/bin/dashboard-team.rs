//! `GET and POST /dashboard/team`, called by owners.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::team::handle)
}
