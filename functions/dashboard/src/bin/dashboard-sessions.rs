//! `GET` and `POST /dashboard/sessions`, called by a browser, for where one is signed in.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::sessions::handle)
}
