//! `GET and POST /dashboard/greeting/{code}`, called by people who edit service codes.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::greeting::handle)
}
