//! The crash test in short: the worker that bills a day and those who send reports and letters, killed at every call they make,
//! and some random lives. It needs no cloud but its own; `make chaos` runs all of it.

use std::env;
use std::path::PathBuf;

use chaos::run::{Options, Part, Points, Report, run};

/// Random lives, from this seed: always the same ones, so that a failure is not a matter of luck.
const LIVES: u64 = 6;
const MAIL_LIVES: u64 = 3;
const SEED: u64 = 20_261_122;

#[expect(clippy::disallowed_methods, reason = "a test is told where things are by its environment")]
async fn lived(part: Part, lives: u64) -> Report {
    let bins: PathBuf = env::var("OPTLINE_BINS").expect("OPTLINE_BINS is not set: run `make test`").into();
    let logs = bins.with_file_name(format!("chaos-test-{part:?}").to_lowercase());
    let options = Options { bins, logs, parts: vec![part], lives, seed: SEED, points: Points::Few };
    let report = run(&options, &|_, _| {}).await.unwrap();
    if let Some(failure) = report.failures.first() {
        let last: Vec<&str> = failure.trace.iter().rev().take(40).rev().map(String::as_str).collect();
        panic!("{}\n{}\n{}", failure.name, failure.error, last.join("\n"));
    }
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_killed_anywhere_bills_each_call_exactly_once() {
    let tally = lived(Part::Billing, LIVES).await.billing;
    assert!(tally.of("processes killed") > 40 && tally.of("nights, random") == LIVES, "{tally}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_sends_mail_and_is_killed_anywhere_sends_it_once_or_twice_for_a_reason_that_is_on_record() {
    let tally = lived(Part::Mail, MAIL_LIVES).await.mail;
    assert!(tally.of("processes killed") > 40 && tally.of("nights, random") == MAIL_LIVES, "{tally}");
    assert!(tally.of("mails sent again on record: no end was known") > 0, "{tally}");
    assert!(tally.of("mails sent again on record: no answer came") > 0, "{tally}");
}
