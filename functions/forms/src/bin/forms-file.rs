//! `GET /status/file/{ticket}`, from a link of the page of a request.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::door(forms::file::handle)
}
