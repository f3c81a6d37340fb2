//! `GET /forms/{code}/embed.js`, from sites that show the form inside their own pages.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::public(forms::embed::handle)
}
