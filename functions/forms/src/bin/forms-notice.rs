//! `GET /privacy-notice/{code}`, from whoever wants to know what a business collects, and from its own site.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::public(forms::notice::handle)
}
