//! `GET /dashboard/usage`, called by people who are signed in.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::usage::handle)
}
