//! `jobs-close-usage-day`, started by a schedule, every hour.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::job(jobs::close_usage_day::handle)
}
