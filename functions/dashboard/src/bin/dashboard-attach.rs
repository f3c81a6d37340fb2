//! `POST /dashboard/attach/{reference}`, from a request's page: a file to keep.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::attach::handle)
}
