//! `GET and POST /dashboard/service-code/{code}`, called by people who are signed in.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::service_code::handle)
}
