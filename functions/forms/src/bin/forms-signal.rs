//! `POST /privacy-choices/{code}/signal`, from the script on a business's site: a browser's opt-out preference signal;
//! `OPTIONS`, from browsers there.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::public(forms::signal::handle)
}
