//! `jobs-push-usage`, started by queue `push-usage`.

use domain::job::Job;
use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::work(Job::PushUsage, jobs::push_usage::handle)
}
