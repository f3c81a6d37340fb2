//! `jobs-reconcile-usage`, started by queue `reconcile-usage`, from `jobs-plan`.

use domain::job::Job;
use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::work(Job::ReconcileUsage, jobs::reconcile_usage::handle)
}
