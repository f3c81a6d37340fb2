//! `jobs-mail-feedback`, started by the queue `mail-feedback`.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::queue(jobs::mail_feedback::handle)
}
