//! `jobs-retention`, started by the queue `retention`: puts away and erases what has been kept long enough.

use domain::job::Job;
use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::work(Job::Retention, jobs::retention::handle)
}
