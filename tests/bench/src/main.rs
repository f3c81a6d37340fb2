//! `make bench`: measures every voice step, the web form and the dashboard beside the floor and the peers, and what it takes
//! to close a day, in one run.
//!
//! ```text
//! bench --bins <folder of release bins> --out <folder for the results> [--quick] [--closing-only]
//! ```

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to a person")]

use std::env;
use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use bench::closing::{self, Sizes};
use bench::dashboard::{Dashboard, password_check};
use bench::hotline::{Hotline, Step};
use bench::measure::{Effort, Event, Kind, Subject, Wanted, measure};
use bench::price::Prices;
use bench::report::Report;
use bench::sandbox::Function;
use bench::targets::{closing_targets, dashboard_targets, form_targets, targets};
use bench::{Error, forms, peers, picture, webhook};

const DELAYS: [Duration; 2] = [Duration::ZERO, Duration::from_millis(5)];
const FULL: Effort = Effort { starts: 20, warm: 500 };
const QUICK: Effort = Effort { starts: 5, warm: 100 };

struct Options {
    bins: PathBuf,
    out: PathBuf,
    effort: Effort,
    sizes: Sizes,
    closing_only: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!(
            "usage: bench --bins <folder of release bins> --out <folder for the results> [--quick] [--closing-only]"
        );
        return ExitCode::from(2);
    };
    match run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n{error}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Option<Options> {
    let (mut bins, mut out, mut effort, mut sizes, mut closing_only) = (None, None, FULL, closing::FULL, false);
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bins" => bins = arguments.next().map(PathBuf::from),
            "--out" => out = arguments.next().map(PathBuf::from),
            "--quick" => (effort, sizes) = (QUICK, closing::QUICK),
            "--closing-only" => closing_only = true,
            _ => return None,
        }
    }
    Some(Options { bins: bins?, out: out?, effort, sizes, closing_only })
}

async fn run(options: &Options) -> Result<(), Error> {
    fs::create_dir_all(&options.out)?;
    let out = fs::canonicalize(&options.out)?;
    let logs = out.join("logs");
    drop(fs::remove_dir_all(&logs));

    if options.closing_only {
        let hotline = Hotline::open(&options.bins, &logs).await?;
        let closing = closing::closing(&hotline, options.sizes, &progress).await?;
        let targets = closing_targets(&closing);
        progress("");
        return write(&Report { machine: machine(), closing, targets, ..Report::default() }, &out);
    }

    progress("building the floor");
    let mut subjects = vec![floor(&logs)?];

    progress("placing one call of each kind");
    let mut hotline = Hotline::open(&options.bins, &logs).await?;
    let steps = hotline.every_step().await?;
    let call = hotline.opt_out(9).await?;
    for Step { bin, event, before, .. } in steps {
        let function = hotline.function(&bin)?;
        let (event, wanted) = (Event::Same(event), Wanted::Success);
        subjects.push(Subject { name: bin, kind: Kind::Optline, function, event, before, wanted });
    }

    progress("installing the peers");
    let peers = peers::install(&Path::new(env!("CARGO_MANIFEST_DIR")).join("peers"), &out.join("peers"), &logs);
    subjects.extend(peers.steps);

    let measured = measure(&subjects, &DELAYS, options.effort, &progress).await?;
    let prices = Prices::read(include_str!("../data/prices.json"))?;
    let bill = prices.bill(&call, &measured, &hotline);

    progress("sending the form");
    let floor: Vec<Subject> = subjects.into_iter().take(1).collect();
    let mut web = floor.clone();
    web.extend(forms::subjects(&mut hotline).await?);
    web.extend(peers.forms);
    let web = measure(&web, &DELAYS, options.effort, &progress).await?;

    let closing = closing::closing(&hotline, options.sizes, &progress).await?;

    progress("signing in to the dashboard");
    let dashboard = Dashboard::open(hotline).await?;
    let mut sign_in = floor;
    sign_in.extend(dashboard.sign_in());
    let mut pages = measure(&sign_in, &DELAYS, options.effort, &progress).await?;
    pages.extend(measure(&dashboard.pages()?, &DELAYS, options.effort, &progress).await?);
    progress("storing a million requests");
    let warm_only = Effort { starts: 0, ..options.effort };
    let inboxes = measure(&dashboard.inboxes()?, &DELAYS[..1], warm_only, &progress).await?;

    let mut targets = targets(&measured, &call);
    targets.extend(form_targets(&web));
    targets.extend(dashboard_targets(&pages, &inboxes));
    targets.extend(closing_targets(&closing));
    let report = Report {
        machine: machine(),
        starts: options.effort.starts,
        warm: options.effort.warm,
        targets,
        bill: Some(bill),
        measured,
        forms: web,
        dashboard: pages,
        password_check: password_check(options.effort.starts),
        inboxes,
        closing,
        notes: peers.notes,
    };
    progress("");
    write(&report, &out)
}

fn write(report: &Report, out: &Path) -> Result<(), Error> {
    println!("{}", report.heading());
    for (title, table) in report.tables() {
        println!("\n{title}\n\n{}", table.text());
    }
    for note in &report.notes {
        println!("{note}");
    }
    let json =
        serde_json::to_string_pretty(report).map_err(|error| Error::say("the report", "is not written", &error))?;
    fs::write(out.join("bench.json"), json + "\n")?;
    fs::write(out.join("bench.md"), report.markdown())?;
    let caption = format!("{}; AWS answers at once", report.heading());
    fs::write(out.join("bench.svg"), picture::svg(&report.compared(), &caption))?;
    println!("Written to {}: bench.json, bench.md, bench.svg", out.display());
    Ok(())
}

/// The bare function, built with the profile of all others.
fn floor(logs: &Path) -> Result<Subject, Error> {
    let program = env::current_exe()?.with_file_name("bench-floor");
    if let Some(cargo) = env::var_os("CARGO") {
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--release", "--package", "bench", "--bin", "bench-floor"]);
        if !build.status()?.success() {
            return Err(Error::say("bench-floor", "is not built", &"see above"));
        }
    }
    let function = Function {
        name: "floor".to_owned(),
        folder: program.parent().map(Path::to_owned).unwrap_or_default(),
        command: vec![program],
        env: [].into(),
        handler: "bootstrap".to_owned(),
        log: logs.join("floor.log"),
    };
    let event = webhook::post(&format!("{}/voice/answer", webhook::BASE_URL), &webhook::parameters("CA0", "ringing"));
    let name = "floor: bare lambda_http".to_owned();
    let (event, before) = (Event::Same(event), bench::aws::Cloud::default());
    Ok(Subject { name, kind: Kind::Floor, function, event, before, wanted: Wanted::Success })
}

/// The processor and how many of them: a figure without its machine says little.
fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown processor");
    let cores = thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} × {}", model.trim_start_matches([' ', '\t', ':']))
}

/// What is being done: one line that is written over on a terminal, one line each elsewhere.
fn progress(doing: &str) {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[2K{doing}");
    } else if !doing.is_empty() {
        eprintln!("{doing}");
    }
}
