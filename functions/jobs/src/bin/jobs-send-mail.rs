//! `jobs-send-mail`, started by the queue `mail`.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::queue(jobs::send_mail::handle)
}
