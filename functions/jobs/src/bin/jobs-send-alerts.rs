//! `jobs-send-alerts`, started by its queue, which `jobs-plan` fills.

use domain::job::Job;
use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::work(Job::SendAlerts, jobs::send_alerts::handle)
}
