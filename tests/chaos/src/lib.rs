//! The crash test: the functions that bill usage and those that send mail, run for real, killed at every call they make and at
//! random ones.
//!
//! Each function is the bin that is deployed, in a process of its own, before an in-memory AWS and the Stripe stand-in. No
//! call of theirs goes through unless the schedule lets it: so a process can be killed (SIGKILL) before a call is done, or
//! after it was done and before its answer came; of two workers either can be the slow one; and a schedule is a seed's,
//! the same each time. When it is over, nights without trouble follow until nothing is left to do; then every call in the
//! ledger must be billed exactly once, and the ledger, the batches and Stripe must agree; and each report, reminder, news and
//! confirmation that was due must have come once, or twice where nobody could know and then with the reason on record.
//!
//! | module | what |
//! |---|---|
//! | [`process`] | a function's process behind its gate, which can be killed |
//! | [`crew`] | all processes of a night |
//! | [`night`] | one tenant's usage day: cloud, queue, clocks, processes, and what must come of it |
//! | [`check`] | whether it did |
//! | [`points`] | killed at each call in turn; a slow twin at each |
//! | [`schedule`] | random lives |
//! | [`mail`](mod@mail) | the same for a team's mail |
//! | [`tally`] | what happened, in numbers |
//! | [`run`](mod@run) | all of it, several at a time |

pub mod chance;
pub mod check;
pub mod crew;
pub mod ledger;
pub mod mail;
pub mod night;
pub mod points;
pub mod process;
pub mod run;
pub mod schedule;
pub mod tally;

pub use bench::Error;
