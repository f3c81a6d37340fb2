//! The crash test in short: the worker that bills a day, killed at every call it makes, and some random lives. It needs no
//! cloud but its own; `make chaos` runs all of it.

use std::env;
use std::path::PathBuf;

use chaos::run::{Options, Points, run};

/// Random lives, from this seed: always the same ones, so that a failure is not a matter of luck.
const LIVES: u64 = 8;
const SEED: u64 = 20_261_122;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "a test is told where things are by its environment")]
async fn a_worker_that_is_killed_anywhere_bills_each_call_exactly_once() {
    let bins: PathBuf = env::var("OPTLINE_BINS").expect("OPTLINE_BINS is not set: run `make test`").into();
    let logs = bins.with_file_name("chaos-test");
    let options = Options { bins, logs, lives: LIVES, seed: SEED, points: Points::Few };
    let report = run(&options, &|_, _| {}).await.unwrap();
    if let Some(failure) = report.failures.first() {
        let last: Vec<&str> = failure.trace.iter().rev().take(40).rev().map(String::as_str).collect();
        panic!("{}\n{}\n{}", failure.name, failure.error, last.join("\n"));
    }
    assert!(report.tally.of("processes killed") > 40 && report.tally.of("nights, random") == LIVES, "{}", report.tally);
}
