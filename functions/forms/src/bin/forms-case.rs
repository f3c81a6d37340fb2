//! `GET` and `POST /status/case`, from whoever has shown that the request is theirs.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::files_door(forms::case::handle)
}
