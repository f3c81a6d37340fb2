//! `jobs-verify-audit`, started by the operator: `make verify-audit TENANT=…`.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::job(jobs::verify_audit::handle)
}
