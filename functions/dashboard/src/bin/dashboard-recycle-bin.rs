//! `GET and POST /dashboard/recycle-bin`, called by owners and managers.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::recycle_bin::handle)
}
