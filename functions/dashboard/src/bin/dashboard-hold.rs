//! `POST /dashboard/hold/{reference}`, from a request's page: a legal hold is placed or lifted.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::hold::handle)
}
