//! `GET` and `POST /dashboard/settlement/{line}`, from the usage page: an owner's decision.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::settlement::handle)
}
