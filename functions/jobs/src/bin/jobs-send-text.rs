//! `jobs-send-text`, started by the queue `texts`.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::queue(jobs::send_text::handle)
}
