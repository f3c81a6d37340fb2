//! `GET` and `POST /dashboard/new-password/{ticket}`, called by a browser, from the link in a mail.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::door(dashboard::new_password::handle)
}
