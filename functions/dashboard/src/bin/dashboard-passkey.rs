//! `POST /dashboard/passkey`, called by the sign-in page's script.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::door(dashboard::passkey::handle)
}
