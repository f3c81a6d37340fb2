//! One function as Lambda would run it: its process, and the Runtime API that the process speaks to.
//!
//! The Runtime API is <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>. The server runs on the bench's
//! one thread, so that on a small machine the function has a core to itself. What the server costs is the same for
//! every subject, the floor included.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path as UrlPath, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use nix::time::ClockId;
use nix::unistd::Pid;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::Error;
use crate::aws::{Aws, Call};

/// Lambda ends an initialisation after ten seconds; no function here may need nearly as long.
const START_LIMIT: Duration = Duration::from_secs(10);
/// Twilio gives up after fifteen seconds.
const INVOCATION_LIMIT: Duration = Duration::from_secs(15);
/// A deadline that no run reaches: 1 January 2100 in milliseconds.
const DEADLINE_MS: &str = "4102444800000";

/// What is run: a program, its arguments and the environment that is its own.
#[derive(Debug, Clone)]
pub struct Function {
    /// The function's name, which is its bin's.
    pub name: String,
    /// The program and its arguments.
    pub command: Vec<PathBuf>,
    /// The folder the program starts in, as `LAMBDA_TASK_ROOT`.
    pub folder: PathBuf,
    /// The variables that `template.yaml` sets for it.
    pub env: BTreeMap<String, String>,
    /// `_HANDLER`.
    pub handler: String,
    /// Where its output goes.
    pub log: PathBuf,
}

/// What one invocation gave.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// From the event being handed over to the answer being received whole.
    pub took: Duration,
    /// The answer, or the error's report where `failed`.
    pub body: Bytes,
    /// The function reported an error instead of an answer.
    pub failed: bool,
    /// The calls it made to AWS meanwhile.
    pub calls: Vec<Call>,
}

/// A running function.
#[derive(Debug)]
pub struct Sandbox {
    function: Function,
    child: Child,
    server: JoinHandle<()>,
    aws: Aws,
    events: mpsc::UnboundedSender<Bytes>,
    happenings: mpsc::UnboundedReceiver<Happening>,
    /// From the process being started to its first request for an event.
    pub start: Duration,
    /// The calls it made to AWS before that.
    pub init_calls: Vec<Call>,
}

/// What the Runtime API saw.
#[derive(Debug)]
enum Happening {
    Ready(Instant),
    Sent(Instant),
    Answered(Instant, Bytes, bool),
    InitFailed(Bytes),
}

#[derive(Debug)]
struct Runtime {
    events: Mutex<mpsc::UnboundedReceiver<Bytes>>,
    happenings: mpsc::UnboundedSender<Happening>,
    count: AtomicU64,
}

impl Sandbox {
    /// Starts the function and waits until it asks for its first event.
    pub async fn start(function: &Function, aws: Aws) -> Result<Self, Error> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?.to_string();
        let (events, queue) = mpsc::unbounded_channel();
        let (tell, mut happenings) = mpsc::unbounded_channel();
        let runtime = Runtime { events: Mutex::new(queue), happenings: tell, count: AtomicU64::new(0) };
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{kind}", post(answered))
            .route("/2018-06-01/runtime/init/error", post(init_failed))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::new(runtime));
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let server = tokio::spawn(async move { drop(axum::serve(listener, routes).await) });

        let mut command = command(function, &address, &aws.url())?;
        let began = Instant::now();
        let mut child = command.spawn().map_err(|error| Error::say(&function.name, "does not start", &error))?;
        let ready = first(&mut child, &mut happenings).await;
        let start = match ready {
            Ok(ready) => ready.saturating_duration_since(began),
            Err(why) => {
                server.abort();
                end(&mut child);
                return Err(Error::say(&function.name, &why, &tail(&function.log)));
            }
        };
        let init_calls = aws.take_calls();
        Ok(Self { function: function.clone(), child, server, aws, events, happenings, start, init_calls })
    }

    /// Hands the function an event and waits for its answer and for its readiness for another.
    pub async fn invoke(&mut self, event: &Bytes) -> Result<Invocation, Error> {
        self.invoke_within(INVOCATION_LIMIT, event).await
    }

    /// The same for one for which nobody waits on the telephone.
    pub async fn invoke_within(&mut self, limit: Duration, event: &Bytes) -> Result<Invocation, Error> {
        drop(self.events.send(event.clone()));
        let mut sent = None;
        let mut answer = None;
        loop {
            match timeout(limit, self.happenings.recv()).await {
                Ok(Some(Happening::Sent(at))) => sent = Some(at),
                Ok(Some(Happening::Answered(at, body, failed))) => answer = Some((at, body, failed)),
                Ok(Some(Happening::Ready(_))) => {
                    if let (Some(sent), Some((at, body, failed))) = (sent, answer.take()) {
                        let took = at.saturating_duration_since(sent);
                        return Ok(Invocation { took, body, failed, calls: self.aws.take_calls() });
                    }
                }
                Ok(Some(Happening::InitFailed(_)) | None) | Err(_) => {
                    return Err(Error::say(&self.function.name, "does not answer", &tail(&self.function.log)));
                }
            }
        }
    }

    /// How long the process has had a processor, all its threads together.
    pub fn processor_time(&self) -> Result<Duration, Error> {
        let pid = i32::try_from(self.child.id()).map(Pid::from_raw);
        let pid = pid.map_err(|error| Error::say(&self.function.name, "has no process", &error))?;
        let time = ClockId::pid_cpu_clock_id(pid).and_then(ClockId::now);
        time.map(Duration::from).map_err(|error| Error::say(&self.function.name, "has no clock", &error))
    }

    /// The most memory that the process has held, in KiB: `VmHWM` of proc(5).
    #[must_use]
    pub fn peak_memory_kib(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
        end(&mut self.child);
    }
}

/// The environment that Lambda gives a custom runtime, and nothing of the bench's own:
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>.
fn command(function: &Function, runtime_api: &str, aws_url: &str) -> Result<Command, Error> {
    let (program, arguments) =
        function.command.split_first().ok_or_else(|| Error::say(&function.name, "has no program", &""))?;
    let log = log_file(&function.log)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(&function.folder)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LANG", "en_US.UTF-8")
        .env("TZ", ":UTC")
        .env("LAMBDA_TASK_ROOT", &function.folder)
        .env("AWS_LAMBDA_RUNTIME_API", runtime_api)
        .env("AWS_LAMBDA_FUNCTION_NAME", &function.name)
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "/bench")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "bench")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_SESSION_TOKEN", "test")
        .env("AWS_ENDPOINT_URL", aws_url)
        .env("_HANDLER", &function.handler)
        .envs(&function.env)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    Ok(command)
}

fn log_file(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

/// The last lines of what the function wrote, to say why it failed.
fn tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(12)..).unwrap_or_default().join("\n")
}

/// Waits for the first request for an event, or says why none comes.
async fn first(child: &mut Child, happenings: &mut mpsc::UnboundedReceiver<Happening>) -> Result<Instant, String> {
    let began = Instant::now();
    loop {
        match timeout(Duration::from_millis(100), happenings.recv()).await {
            Ok(Some(Happening::Ready(at))) => return Ok(at),
            Ok(Some(Happening::InitFailed(report))) => {
                return Err(format!("failed to start: {}", String::from_utf8_lossy(&report)));
            }
            Ok(_) => return Err("lost its Runtime API".into()),
            Err(_) => {}
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("ended while starting ({status})"));
        }
        if began.elapsed() > START_LIMIT {
            return Err("did not start within ten seconds".into());
        }
    }
}

fn end(child: &mut Child) {
    drop(child.kill());
    drop(child.wait());
}

async fn next(State(runtime): State<Arc<Runtime>>) -> impl IntoResponse {
    drop(runtime.happenings.send(Happening::Ready(Instant::now())));
    let event = runtime.events.lock().await.recv().await.unwrap_or_default();
    let id = runtime.count.fetch_add(1, Ordering::Relaxed);
    let headers = [
        (HeaderName::from_static("content-type"), "application/json".to_owned()),
        (HeaderName::from_static("lambda-runtime-aws-request-id"), format!("00000000-0000-4000-8000-{id:012}")),
        (HeaderName::from_static("lambda-runtime-deadline-ms"), DEADLINE_MS.to_owned()),
        (
            HeaderName::from_static("lambda-runtime-invoked-function-arn"),
            "arn:aws:lambda:us-east-1:000000000000:function:bench".to_owned(),
        ),
        (
            HeaderName::from_static("lambda-runtime-trace-id"),
            "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0".to_owned(),
        ),
    ];
    drop(runtime.happenings.send(Happening::Sent(Instant::now())));
    (headers, event)
}

async fn answered(
    State(runtime): State<Arc<Runtime>>,
    UrlPath((_, kind)): UrlPath<(String, String)>,
    body: Bytes,
) -> StatusCode {
    drop(runtime.happenings.send(Happening::Answered(Instant::now(), body, kind != "response")));
    StatusCode::ACCEPTED
}

async fn init_failed(State(runtime): State<Arc<Runtime>>, body: Bytes) -> StatusCode {
    drop(runtime.happenings.send(Happening::InitFailed(body)));
    StatusCode::ACCEPTED
}
