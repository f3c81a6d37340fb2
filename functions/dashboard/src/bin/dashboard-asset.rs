//! `GET /dashboard/asset/{file}`, called by every page of the dashboard.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::door(dashboard::asset::handle)
}
