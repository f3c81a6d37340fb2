//! All of it, several nights at a time.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bench::Error;
use bench::hotline::Hotline;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::mail;
use crate::night::{Aim, House, Kind, Night};
use crate::points::{self, GAPS, Scene};
use crate::schedule::schedule;
use crate::tally::Tally;

/// How many nights are lived at a time: most of a night is waiting for a partner to be called again.
const AT_A_TIME: usize = 6;

/// So many deaths of those who send mail are enough where there is no time for all.
const MAIL_FEW: usize = 40;

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The functions: a folder per function with its `bootstrap`, or cargo's own layout.
    pub bins: PathBuf,
    /// Where the functions' output goes; what was in it is gone.
    pub logs: PathBuf,
    /// What is tried.
    pub parts: Vec<Part>,
    /// How many random lives of each.
    pub lives: u64,
    /// The first one's seed.
    pub seed: u64,
    /// Whether somebody is killed at each call in turn, too.
    pub points: Points,
}

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Usage becomes a bill.
    Billing,
    /// Reports, reminders and news become mails.
    Mail,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 2] = [Self::Billing, Self::Mail];
}

/// How thoroughly somebody is killed at each call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Points {
    /// Not at all.
    None,
    /// The worker of a plain night, and those who send reports and letters, after each of their calls.
    Few,
    /// Every function, in every scene, with every gap.
    All,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// What happened to usage.
    pub billing: Tally,
    /// What happened to mail.
    pub mail: Tally,
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
    MailPoint(mail::Aim),
    MailLife(u64),
}

impl Task {
    const fn part(&self) -> Part {
        match self {
            Self::Point(..) | Self::Life(_) => Part::Billing,
            Self::MailPoint(_) | Self::MailLife(_) => Part::Mail,
        }
    }
}

/// What all nights start from.
#[derive(Debug, Clone)]
pub struct Houses {
    billing: Option<Arc<House>>,
    mail: Option<Arc<mail::House>>,
}

/// Sets the tenant up as it is set up on AWS, for each part.
pub async fn houses(options: &Options) -> Result<Houses, Error> {
    let Options { bins, logs, parts, .. } = options;
    drop(fs::remove_dir_all(logs));
    fs::create_dir_all(logs)?;
    let mut hotline = Hotline::open(bins, logs).await?;
    let mut houses = Houses { billing: None, mail: None };
    if parts.contains(&Part::Billing) {
        houses.billing = Some(Arc::new(house(&mut hotline).await?));
    }
    if parts.contains(&Part::Mail) {
        houses.mail = Some(Arc::new(mail::House::open(&mut hotline).await?));
    }
    Ok(houses)
}

async fn house(hotline: &mut Hotline) -> Result<House, Error> {
    let demo = include_str!("../../../infra/local/demo-tenants.json");
    let demo: Value = serde_json::from_str(demo).map_err(|error| Error::say("the demo", "is not read", &error))?;
    let order = demo.as_array().into_iter().flatten().find(|order| order.get("tenant").is_some());
    // The same document again changes nothing and says whose it is.
    let again = order.cloned().unwrap_or_default().to_string();
    let mut cloud = hotline.cloud().lock().clone();
    let done = hotline.send("jobs-provision-tenant", again.into()).await?;
    let said: Value = serde_json::from_slice(&done.invocation.body).unwrap_or_default();
    let tenant = said.get("tenant").and_then(Value::as_str).map(str::to_owned);
    let tenant = tenant.ok_or_else(|| Error::say("jobs-provision-tenant", "names no tenant", &said))?;
    hotline.cloud().lock().clone_from(&cloud);
    let mut functions = BTreeMap::new();
    for kind in Kind::ALL {
        functions.insert(kind.bin(), hotline.function(kind.bin())?);
    }
    cloud.messages.clear();
    Ok(House { cloud, functions, tenant })
}

/// Lives all nights; `progress` is told how many are over.
pub async fn run(options: &Options, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<Report, Error> {
    let began = Instant::now();
    let houses = houses(options).await?;
    let (billing, mail) = (Tally::default(), Tally::default());
    let mut report = Report { billing, mail, failures: Vec::new(), seconds: 0 };
    let mut lane = Lane::new(&houses, options, 0);
    let mut tasks = VecDeque::new();
    let scenes = if houses.billing.is_some() { options.points.scenes() } else { &[] };
    for scene in scenes {
        // Without any kill first, which says how many calls there are.
        lane.live_first(Task::Point(*scene, Aim::Nobody), &mut report).await;
        if let Some(night) = &lane.night {
            tasks.extend(aims(night, *scene, options.points).into_iter().map(|aim| Task::Point(*scene, aim)));
        }
    }
    if houses.mail.is_some() && options.points != Points::None {
        lane.live_first(Task::MailPoint(mail::Aim::Nobody), &mut report).await;
        if let Some(night) = &lane.mail_night {
            tasks.extend(mail_aims(night, options.points).into_iter().map(Task::MailPoint));
        }
    }
    drop(lane);
    let seeds = || (0..options.lives).map(|number| options.seed.wrapping_add(number));
    for part in &options.parts {
        tasks.extend(seeds().map(if *part == Part::Billing { Task::Life } else { Task::MailLife }));
    }
    let all = tasks.len();
    let tasks = Arc::new(Mutex::new(tasks));
    let (tell, mut told) = mpsc::unbounded_channel();
    for number in 0..AT_A_TIME {
        let mut lane = Lane::new(&houses, options, number);
        let (tasks, tell) = (Arc::clone(&tasks), tell.clone());
        tokio::spawn(async move {
            loop {
                let task = tasks.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(task) = task else { break };
                let part = task.part();
                drop(tell.send((part, lane.live(task).await)));
            }
        });
    }
    drop(tell);
    let mut over = 0;
    while let Some((part, lived)) = told.recv().await {
        over += 1;
        progress(over, all);
        report.take(part, lived);
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

/// Where somebody is killed, after a morning on which nobody was.
fn mail_aims(night: &mail::Night, points: Points) -> Vec<mail::Aim> {
    use mail::{GAPS, Kind};
    let soon = GAPS.get(..2).unwrap_or_default();
    if points == Points::Few {
        let aims =
            [Kind::Reports, Kind::Letter].into_iter().flat_map(|kind| mail::kills(kind, night.calls(kind), soon));
        let mut aims: Vec<_> = aims.filter(|aim| matches!(aim, mail::Aim::Kill { before: false, .. })).collect();
        aims.truncate(MAIL_FEW);
        aims.extend(mail::faults(1));
        return aims;
    }
    let of = |kind: Kind| mail::kills(kind, night.calls(kind), &GAPS);
    let twins = |kind: Kind| (1..=night.calls(kind)).step_by(2).map(move |at| mail::Aim::Twin { kind, at });
    let aims = Kind::ALL.into_iter().flat_map(|kind| of(kind).into_iter().chain(twins(kind)));
    aims.chain(mail::faults(night.mails())).collect()
}

/// Nights, one after the other, with processes that outlive them.
struct Lane {
    houses: Houses,
    log: PathBuf,
    night: Option<Night>,
    mail_night: Option<mail::Night>,
}

impl Lane {
    fn new(houses: &Houses, options: &Options, number: usize) -> Self {
        let log = options.logs.join(format!("lane-{number}.log"));
        Self { houses: houses.clone(), log, night: None, mail_night: None }
    }

    async fn live_first(&mut self, task: Task, report: &mut Report) {
        let part = task.part();
        let lived = self.live(task).await;
        report.take(part, lived);
    }

    async fn live(&mut self, task: Task) -> Result<Tally, Box<Failure>> {
        let name = match &task {
            Task::Point(scene, aim) => format!("{scene:?}, {aim:?}"),
            Task::MailPoint(aim) => format!("Mail, {aim:?}"),
            Task::Life(seed) => format!("make chaos SEED={seed} N=1 ARGS='--lives-only --part billing'"),
            Task::MailLife(seed) => format!("make chaos SEED={seed} N=1 ARGS='--lives-only --part mail'"),
        };
        let mut trace = Vec::new();
        let lived = match task {
            Task::Point(..) | Task::Life(_) => self.bill(&name, &task, &mut trace).await,
            Task::MailPoint(_) | Task::MailLife(_) => self.mail(&name, &task, &mut trace).await,
        };
        lived
            .map(|mut tally| {
                let is_life = matches!(task, Task::Life(_) | Task::MailLife(_));
                tally.count(if is_life { "nights, random" } else { "nights, with one kill, fault or twin" });
                tally
            })
            .map_err(|error| {
                let log = self.log.with_file_name(format!("{}.log", plain(&name)));
                let log = fs::copy(&self.log, &log).is_ok().then_some(log);
                Box::new(Failure { name, error: error.to_string(), trace, log })
            })
    }

    async fn bill(&mut self, name: &str, task: &Task, trace: &mut Vec<String>) -> Result<Tally, Error> {
        let mut night = match (self.night.take(), &self.houses.billing) {
            (Some(night), _) => night,
            (None, Some(house)) => Night::open(house, self.log.clone()).await?,
            (None, None) => return Err(Error::say(name, "is about what was not set up", &"")),
        };
        let lived = match task {
            Task::Point(scene, aim) => points::point(&mut night, name, *scene, *aim).await,
            Task::Life(seed) => schedule(&mut night, name, *seed).await,
            Task::MailPoint(_) | Task::MailLife(_) => Ok(()),
        };
        if lived.is_err() {
            *trace = std::mem::take(&mut night.crew.trace);
        }
        lived?;
        let tally = night.crew.tally.clone();
        self.night = Some(night);
        Ok(tally)
    }

    async fn mail(&mut self, name: &str, task: &Task, trace: &mut Vec<String>) -> Result<Tally, Error> {
        let mut night = match (self.mail_night.take(), &self.houses.mail) {
            (Some(night), _) => night,
            // Its functions write into a file of their own: what they log is looked at.
            (None, Some(house)) => mail::Night::open(house, self.log.with_extension("mail.log")),
            (None, None) => return Err(Error::say(name, "is about what was not set up", &"")),
        };
        let lived = match task {
            Task::MailPoint(aim) => mail::point(&mut night, name, *aim).await,
            Task::MailLife(seed) => mail::schedule(&mut night, name, *seed).await,
            Task::Point(..) | Task::Life(_) => Ok(()),
        };
        if lived.is_err() {
            *trace = std::mem::take(&mut night.crew.trace);
            drop(fs::copy(&night.crew.log, &self.log));
        }
        lived?;
        let tally = night.crew.tally.clone();
        self.mail_night = Some(night);
        Ok(tally)
    }
}

fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

impl Report {
    fn take(&mut self, part: Part, lived: Result<Tally, Box<Failure>>) {
        let all = match part {
            Part::Billing => &mut self.billing,
            Part::Mail => &mut self.mail,
        };
        match lived {
            Ok(tally) => all.join(&tally),
            Err(failure) => self.failures.push(*failure),
        }
    }
}
