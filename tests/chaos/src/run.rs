//! All of it, several nights at a time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use bench::Error;
use bench::hotline::Hotline;
use futures::StreamExt as _;
use futures::stream;
use serde_json::{Value, json};

use crate::night::{Aim, House, Kind, Night};
use crate::points::{self, GAPS, Scene};
use crate::schedule::schedule;
use crate::tally::Tally;

/// How many nights are lived at a time: most of a night is waiting for a partner to be called again.
const AT_A_TIME: usize = 6;

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The functions: a folder per function with its `bootstrap`, or cargo's own layout.
    pub bins: PathBuf,
    /// Where the functions' output goes; what was in it is gone.
    pub logs: PathBuf,
    /// How many random lives.
    pub lives: u64,
    /// The first one's seed.
    pub seed: u64,
    /// Whether somebody is killed at each call in turn, too.
    pub points: Points,
}

/// How thoroughly somebody is killed at each call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Points {
    /// Not at all.
    None,
    /// The worker of a plain night, with a retry at once.
    Few,
    /// Every function, in every scene, with every gap.
    All,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// What happened.
    pub tally: Tally,
    /// What came out wrong: how to run it again, what is wrong, and what happened before.
    pub failures: Vec<Failure>,
    /// How long it took.
    pub seconds: u64,
}

/// One night that came out wrong.
#[derive(Debug)]
pub struct Failure {
    /// What it is called.
    pub name: String,
    /// What is wrong.
    pub error: String,
    /// What happened, in order.
    pub trace: Vec<String>,
    /// The file with its functions' output.
    pub log: Option<PathBuf>,
}

/// One night to be lived.
#[derive(Debug, Clone)]
enum Task {
    Point(Scene, Aim),
    Life(u64),
}

/// Sets the tenant up as it is set up on AWS.
pub async fn house(bins: &Path, logs: &Path) -> Result<Arc<House>, Error> {
    drop(fs::remove_dir_all(logs));
    fs::create_dir_all(logs)?;
    let mut hotline = Hotline::open(bins, logs).await?;
    let demo = include_str!("../../../infra/local/demo-tenants.json");
    let demo: Value = serde_json::from_str(demo).map_err(|error| Error::say("the demo", "is not read", &error))?;
    let order = demo.as_array().into_iter().flatten().find(|order| order.get("tenant").is_some());
    // The same document again changes nothing and says whose it is.
    let again = order.cloned().unwrap_or_default().to_string();
    let done = hotline.send("jobs-provision-tenant", again.into()).await?;
    let said: Value = serde_json::from_slice(&done.invocation.body).unwrap_or_default();
    let tenant = said.get("tenant").and_then(Value::as_str).map(str::to_owned);
    let tenant = tenant.ok_or_else(|| Error::say("jobs-provision-tenant", "names no tenant", &said))?;
    let mut functions = BTreeMap::new();
    for kind in Kind::ALL {
        functions.insert(kind.bin(), hotline.function(kind.bin())?);
    }
    let mut cloud = hotline.cloud().lock().clone();
    cloud.messages.clear();
    Ok(Arc::new(House { cloud, functions, tenant, logs: logs.to_owned() }))
}

/// Lives all nights; `progress` is told how many are over.
pub async fn run(options: &Options, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<Report, Error> {
    let began = Instant::now();
    let house = house(&options.bins, &options.logs).await?;
    let mut tally = Tally::default();
    let mut failures = Vec::new();
    let mut tasks = Vec::new();
    if options.points != Points::None {
        for scene in Scene::ALL {
            if options.points == Points::Few && scene != Scene::Plain {
                continue;
            }
            // Without any kill first, which says how many calls there are.
            match live(&house, Task::Point(scene, Aim::Nobody)).await {
                Ok(night) => {
                    tally.join(&night.tally);
                    tasks.extend(aims(&night, options.points).map(|aim| Task::Point(scene, aim)));
                }
                Err(failure) => failures.push(*failure),
            }
        }
    }
    tasks.extend((0..options.lives).map(|number| Task::Life(options.seed.wrapping_add(number))));
    let all = tasks.len();
    let nights = stream::iter(tasks).map(|task| {
        let house = Arc::clone(&house);
        tokio::spawn(async move { live(&house, task).await })
    });
    let mut nights = nights.buffer_unordered(AT_A_TIME);
    let mut over = 0;
    while let Some(night) = nights.next().await {
        over += 1;
        progress(over, all);
        match night {
            Ok(Ok(night)) => {
                drop(fs::remove_file(night.log()));
                tally.count("nights");
                tally.join(&night.tally);
            }
            Ok(Err(failure)) => failures.push(*failure),
            Err(error) => return Err(Error::say("a night", "broke off", &error)),
        }
    }
    Ok(Report { tally, failures, seconds: began.elapsed().as_secs() })
}

/// Where somebody is killed, after a night in which nobody was.
fn aims(night: &Night, points: Points) -> impl Iterator<Item = Aim> {
    let kinds: &[Kind] = if points == Points::Few { &[Kind::Push] } else { &Kind::ALL };
    let calls: Vec<(Kind, u64)> = kinds.iter().map(|kind| (*kind, night.calls(*kind))).collect();
    let push = night.calls(Kind::Push);
    let twins = (1..=push).filter(move |_| points == Points::All).map(|at| Aim::Twin { at });
    calls
        .into_iter()
        .flat_map(move |(kind, calls)| {
            // Others than the worker of Stripe do not know of its clock.
            let gaps = if kind == Kind::Push && points == Points::All { GAPS.as_slice() } else { &GAPS[..1] };
            points::kills(kind, calls, gaps).collect::<Vec<_>>()
        })
        .chain(twins)
}

async fn live(house: &Arc<House>, task: Task) -> Result<Night, Box<Failure>> {
    let (name, lived) = match task {
        Task::Point(scene, aim) => {
            let name = format!("{scene:?} {aim:?}");
            let lived = points::point(house, &name, scene, aim).await;
            (name, lived)
        }
        Task::Life(seed) => (format!("make chaos SEED={seed} N=1"), schedule(house, seed).await),
    };
    lived.map_err(|(error, night)| {
        let (trace, log) = night.map(|night| (night.trace.clone(), Some(night.log()))).unwrap_or_default();
        Box::new(Failure { name, error: error.to_string(), trace, log })
    })
}

impl Report {
    /// The tally as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({ "seconds": self.seconds, "failures": self.failures.len(), "tally": self.tally.to_string() })
    }
}
