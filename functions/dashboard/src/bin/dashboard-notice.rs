//! `GET /dashboard/notice/{code}` and `POST` to the same, from `service-code`; owners and managers save.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::notice::handle)
}
