//! `GET /dashboard/service-codes`, called by people who are signed in.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::service_codes::handle)
}
