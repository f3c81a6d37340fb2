//! All of it, several nights at a time.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bench::Error;
use bench::hotline::Hotline;
use serde_json::Value;
use tokio::sync::mpsc;

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
    /// The worker of a plain night, after each of its calls.
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
    Ok(Arc::new(House { cloud, functions, tenant }))
}

/// Lives all nights; `progress` is told how many are over.
pub async fn run(options: &Options, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<Report, Error> {
    let began = Instant::now();
    let house = house(&options.bins, &options.logs).await?;
    let mut report = Report { tally: Tally::default(), failures: Vec::new(), seconds: 0 };
    let mut lane = Lane { house: Arc::clone(&house), log: options.logs.join("lane-0.log"), night: None };
    let mut tasks = VecDeque::new();
    for scene in options.points.scenes() {
        // Without any kill first, which says how many calls there are.
        let lived = lane.live(Task::Point(*scene, Aim::Nobody)).await;
        report.take(lived);
        if let Some(night) = &lane.night {
            tasks.extend(aims(night, *scene, options.points).into_iter().map(|aim| Task::Point(*scene, aim)));
        }
    }
    drop(lane);
    tasks.extend((0..options.lives).map(|number| Task::Life(options.seed.wrapping_add(number))));
    let all = tasks.len();
    let tasks = Arc::new(Mutex::new(tasks));
    let (tell, mut told) = mpsc::unbounded_channel();
    for number in 0..AT_A_TIME {
        let log = options.logs.join(format!("lane-{number}.log"));
        let mut lane = Lane { house: Arc::clone(&house), log, night: None };
        let (tasks, tell) = (Arc::clone(&tasks), tell.clone());
        tokio::spawn(async move {
            loop {
                let task = tasks.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(task) = task else { break };
                drop(tell.send(lane.live(task).await));
            }
        });
    }
    drop(tell);
    let mut over = 0;
    while let Some(lived) = told.recv().await {
        over += 1;
        progress(over, all);
        report.take(lived);
    }
    if over < all {
        return Err(Error::say("a lane", "broke off", &format!("{over} of {all} nights are over")));
    }
    report.seconds = began.elapsed().as_secs();
    Ok(report)
}

impl Points {
    const fn scenes(self) -> &'static [Scene] {
        match self {
            Self::None => &[],
            Self::Few => &[Scene::Plain],
            Self::All => &Scene::ALL,
        }
    }
}

/// Where somebody is killed, after a night in which nobody was.
fn aims(night: &Night, scene: Scene, points: Points) -> Vec<Aim> {
    let push = night.calls(Kind::Push);
    let mut aims = points::kills(Kind::Push, push, &GAPS);
    if points == Points::Few {
        // What is killed before a call finds the same as what is killed after the one before it.
        aims.retain(|aim| matches!(aim, Aim::Kill { before: false, .. }));
        return aims;
    }
    // What scenes have in common need not happen in each.
    let plain = scene == Scene::Plain;
    aims.retain(|aim| plain || matches!(aim, Aim::Kill { before: false, .. }));
    aims.extend((1..=push).step_by(if plain { 1 } else { 3 }).map(|at| Aim::Twin { at }));
    // Each of the others in the scene where it has something to do. They know nothing of Stripe's clock.
    let other = match scene {
        Scene::Plain => Kind::Plan,
        Scene::Corrected => Kind::Record,
        Scene::Refused => Kind::Report,
    };
    aims.extend(points::kills(other, night.calls(other).min(30), GAPS.get(..1).unwrap_or_default()));
    aims
}

/// Nights, one after the other, with processes that outlive them.
struct Lane {
    house: Arc<House>,
    log: PathBuf,
    night: Option<Night>,
}

impl Lane {
    async fn live(&mut self, task: Task) -> Result<Tally, Box<Failure>> {
        let name = match task {
            Task::Point(scene, aim) => format!("{scene:?}, {aim:?}"),
            Task::Life(seed) => format!("make chaos SEED={seed} N=1 ARGS=--lives-only"),
        };
        let mut night = match self.night.take() {
            Some(night) => night,
            None => match Night::open(&self.house, self.log.clone()).await {
                Ok(night) => night,
                Err(error) => {
                    return Err(Box::new(Failure { name, error: error.to_string(), trace: vec![], log: None }));
                }
            },
        };
        let lived = match task {
            Task::Point(scene, aim) => points::point(&mut night, &name, scene, aim).await,
            Task::Life(seed) => schedule(&mut night, &name, seed).await,
        };
        match lived {
            Ok(()) => {
                let mut tally = night.crew.tally.clone();
                tally.count(if matches!(task, Task::Life(_)) {
                    "nights, random"
                } else {
                    "nights, with one kill or a twin"
                });
                self.night = Some(night);
                Ok(tally)
            }
            Err(error) => {
                let log = self.log.with_file_name(format!("{}.log", plain(&name)));
                drop(fs::copy(&self.log, &log));
                let trace = std::mem::take(&mut night.crew.trace);
                Err(Box::new(Failure { name, error: error.to_string(), trace, log: Some(log) }))
            }
        }
    }
}

fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

impl Report {
    fn take(&mut self, lived: Result<Tally, Box<Failure>>) {
        match lived {
            Ok(tally) => self.tally.join(&tally),
            Err(failure) => self.failures.push(*failure),
        }
    }
}
