//! `GET /dashboard/statement`, from the usage page: a month as a document or a file.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::statement::handle)
}
