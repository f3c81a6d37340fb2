//! `GET` and `POST /dashboard/reset`, called by a browser, when a password is forgotten.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::door(dashboard::reset::handle)
}
