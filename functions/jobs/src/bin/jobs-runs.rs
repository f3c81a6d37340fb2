//! `jobs-runs`, started by the operator: `make jobs`.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::job(jobs::runs::handle)
}
