//! `GET /dashboard/attachment/{ticket}`, from a request's page: a file to save.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::attachment::handle)
}
