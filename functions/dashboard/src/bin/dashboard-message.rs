//! `POST /dashboard/message/{reference}`, from a request's page: a message to whoever asked.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::message::handle)
}
