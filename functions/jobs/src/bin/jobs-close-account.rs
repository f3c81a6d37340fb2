//! `jobs-close-account`, started by the operator.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::job(jobs::close_account::handle)
}
