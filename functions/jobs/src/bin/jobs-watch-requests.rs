//! `jobs-watch-requests`, started by the stream of the requests table.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::arrivals(jobs::watch_requests::handle)
}
