//! `POST /dashboard/note/{reference}`, from a request's page: a note.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::note::handle)
}
