//! `jobs-record-usage`, started by queue `usage`.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::queue(jobs::record_usage::handle)
}
