//! `GET /dashboard/record/{reference}`, from a request's page: the request as a document.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::record::handle)
}
