//! `jobs-send-reminders`, started by its queue, which `jobs-plan` fills.

use domain::job::Job;
use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::work(Job::SendReminders, jobs::send_reminders::handle)
}
