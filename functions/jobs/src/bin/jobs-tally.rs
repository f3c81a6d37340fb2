//! `jobs-tally`, started by the stream of the requests table.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::stream(jobs::tally::handle)
}
