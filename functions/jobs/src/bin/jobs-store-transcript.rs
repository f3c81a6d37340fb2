//! `jobs-store-transcript`, started by queue `transcripts`.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::queue(jobs::store_transcript::handle)
}
