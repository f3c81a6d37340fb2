//! `POST /dashboard/act/{reference}`, from a request's page: one decision.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::act::handle)
}
