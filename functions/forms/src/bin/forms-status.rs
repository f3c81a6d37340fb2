//! `GET` and `POST /status`, from whoever has the numbers of a request.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::door(forms::status::handle)
}
