//! `jobs-provision-tenant`, started by the operator.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::job(jobs::provision_tenant::handle)
}
