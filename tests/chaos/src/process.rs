//! A function's process behind its gate, which can be killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use bench::Error;
use bench::aws::{Aws, SharedCloud};
use bench::gate::Gate;
use bench::sandbox::{Function, Invocation, Sandbox};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Longer than the tries and waits of every call that goes wrong.
const INVOCATION_LIMIT: Duration = Duration::from_mins(3);

/// How an invocation ended.
#[derive(Debug)]
pub struct Ending {
    /// Whose.
    pub who: usize,
    /// What came of it.
    pub invocation: Result<Invocation, Error>,
}

/// A running process.
#[derive(Debug)]
pub struct Process {
    /// Its function.
    pub bin: String,
    events: mpsc::UnboundedSender<Bytes>,
    /// Whether its calls wait at the gate: not while it starts.
    watched: Arc<AtomicBool>,
    life: JoinHandle<()>,
}

impl Process {
    /// Starts it. Calls that it makes before its first event go through.
    pub async fn start(
        function: &Function,
        cloud: &SharedCloud,
        gate: Gate,
        endings: mpsc::UnboundedSender<Ending>,
    ) -> Result<Self, Error> {
        let (who, watched) = (gate.who(), gate.watched());
        let mut sandbox = Sandbox::start(function, Aws::behind(gate, cloud).await?).await?;
        let (events, mut queue) = mpsc::unbounded_channel::<Bytes>();
        let life = tokio::spawn({
            let watched = Arc::clone(&watched);
            async move {
                while let Some(event) = queue.recv().await {
                    let invocation = sandbox.invoke_within(INVOCATION_LIMIT, &event).await;
                    watched.store(false, Ordering::Release);
                    drop(endings.send(Ending { who, invocation }));
                }
            }
        });
        Ok(Self { bin: function.name.clone(), events, watched, life })
    }

    /// Hands it an event; how that ends is told to whoever holds the other end of `endings`.
    pub fn send(&self, event: Bytes) {
        self.watched.store(true, Ordering::Release);
        drop(self.events.send(event));
    }

    /// SIGKILL, soon.
    pub fn abort(&self) {
        self.life.abort();
    }

    /// SIGKILL. Afterwards it is dead.
    pub async fn kill(self) {
        self.life.abort();
        // The sandbox goes with its task, and the child with the sandbox.
        drop(self.life.await);
    }
}
