//! `GET` and `POST /status/identity`, from whoever looked a request up.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::door(forms::identity::handle)
}
