//! `jobs-replay-usage`, started by the operator: `make replay-usage TENANT=… FROM=… TO=…`.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::job(jobs::replay_usage::handle)
}
