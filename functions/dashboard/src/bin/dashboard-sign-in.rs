//! `GET` and `POST /dashboard/sign-in`, called by a browser.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::door(dashboard::sign_in::handle)
}
