//! `GET /dashboard/recording/{ticket}`, from a request's page: a recording to hear.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::recording::handle)
}
