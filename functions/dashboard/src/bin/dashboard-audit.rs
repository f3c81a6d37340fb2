//! `GET /dashboard/audit`, called by owners and managers.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::audit::handle)
}
