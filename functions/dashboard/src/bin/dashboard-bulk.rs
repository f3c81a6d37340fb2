//! `POST /dashboard/bulk`, from the inbox: one decision for many requests.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::bulk::handle)
}
