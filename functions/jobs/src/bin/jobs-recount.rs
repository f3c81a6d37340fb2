//! `jobs-recount`, started by the operator: `make recount TENANT=…`.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::job(jobs::recount::handle)
}
