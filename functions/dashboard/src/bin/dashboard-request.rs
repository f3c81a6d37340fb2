//! `GET /dashboard/request/{reference}`, one request.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::request::handle)
}
