//! `POST /dashboard/sign-out`, called by a browser.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::sign_out::handle)
}
