//! `GET` and `POST /dashboard/account`, called by a browser, for one's own name, language, mail and password.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::account::handle)
}
