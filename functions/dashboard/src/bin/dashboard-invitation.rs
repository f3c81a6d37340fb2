//! `GET` and `POST /dashboard/invitation/{ticket}`, called by a browser, from the link in a mail.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::door(dashboard::invitation::handle)
}
