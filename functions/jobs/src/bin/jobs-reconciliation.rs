//! `jobs-reconciliation`, started by the operator: `make reconcile-report`.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::job(jobs::reconciliation::handle)
}
