//! `jobs-store-recording`, started by queue `recordings`.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::queue(jobs::store_recording::handle)
}
