//! `make chaos`: the crash test, with its tally.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to a person")]

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;

use chaos::run::{Options, Part, Points, run};
use clap::Parser;

/// The functions that bill usage and those that send mail, killed at every call they make and at random ones, until each call
/// is billed once and each mail has come once, or twice for a reason that is on record.
#[derive(Parser)]
struct Arguments {
    /// The functions: a folder per function with its `bootstrap`, or cargo's own layout
    #[arg(long)]
    bins: PathBuf,
    /// Where the output of functions goes whose night came out wrong
    #[arg(long)]
    logs: PathBuf,
    /// Only this part
    #[arg(long)]
    part: Option<Part>,
    /// How many random lives of each part
    #[arg(long, default_value_t = 40)]
    lives: u64,
    /// The first one's seed; without one, something new
    #[arg(long)]
    seed: Option<u64>,
    /// Without a kill at each call in turn
    #[arg(long)]
    lives_only: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let points = if arguments.lives_only { Points::None } else { Points::All };
    let seed = arguments.seed.unwrap_or_else(something_new);
    let parts = arguments.part.map_or_else(|| Part::ALL.to_vec(), |part| vec![part]);
    let options = Options { bins: arguments.bins, logs: arguments.logs, parts, lives: arguments.lives, seed, points };
    let terminal = io::stderr().is_terminal();
    let progress = |over: usize, all: usize| {
        if terminal {
            eprint!("\r\x1b[2K{over} of {all} nights");
        } else if over.is_multiple_of(100) {
            eprintln!("{over} of {all} nights");
        }
    };
    let report = match run(&options, &progress).await {
        Ok(report) => report,
        Err(error) => {
            eprintln!("\n{error}");
            return ExitCode::FAILURE;
        }
    };
    if terminal {
        eprintln!();
    }
    for (part, tally) in [(Part::Billing, &report.billing), (Part::Mail, &report.mail)] {
        if options.parts.contains(&part) {
            println!("{part:?}\n\n{tally}");
        }
    }
    for failure in report.failures.iter().take(3) {
        let start = failure.trace.len().saturating_sub(60);
        let last = failure.trace.get(start..).unwrap_or_default();
        println!("✗ {}\n{}\n\n{}\n", failure.name, failure.error, last.join("\n"));
        if let Some(log) = &failure.log {
            println!("What the functions said: {}\n", log.display());
        }
    }
    let seconds = report.seconds;
    if report.failures.is_empty() {
        for part in &options.parts {
            println!(
                "{}",
                match part {
                    Part::Billing => "Every call was billed exactly once.",
                    Part::Mail =>
                        "Every mail came once; those that came twice say why, and those that were given up are on record.",
                }
            );
        }
        println!("Seeds from {seed}, {seconds} s.");
        ExitCode::SUCCESS
    } else {
        println!("{} nights came out wrong. Seeds from {seed}, {seconds} s.", report.failures.len());
        ExitCode::FAILURE
    }
}

/// A seed of the moment, small enough to be typed.
fn something_new() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0) % 1_000_000_000
}
