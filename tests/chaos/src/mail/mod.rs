//! Mail: reports, reminders, news and confirmations, each sent once by functions that are killed at any call they make.
//!
//! Where SES took a mail and whoever sent it died before that was written down, or its answer was lost, it comes a second time
//! and never a third, and the mark of the mail says why.

pub mod check;
pub mod house;
pub mod night;
pub mod points;
pub mod said;
pub mod schedule;

pub use house::House;
pub use night::{Aim, Kind, Night};
pub use points::{GAPS, faults, kills, point};
pub use schedule::schedule;
