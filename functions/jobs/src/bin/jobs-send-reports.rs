//! `jobs-send-reports`, started by the queue `send-reports`.

use domain::job::Job;
use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::work(Job::SendReports, jobs::send_reports::handle)
}
