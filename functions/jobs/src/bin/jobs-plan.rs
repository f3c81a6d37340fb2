//! `jobs-plan`, started by a schedule for each job, or by the operator: `make jobs RUN=…`.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::job(jobs::plan::handle)
}
