//! `GET` and `POST /dashboard/unsubscribe/{ticket}`, called by a browser or, for whoever presses its button, a mail program.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::public(dashboard::unsubscribe::handle)
}
