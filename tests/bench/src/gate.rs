//! A turnstile before what a function calls: each call waits there until somebody says what becomes of it.

use std::future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, oneshot};

/// What becomes of a call.
#[derive(Debug)]
pub enum Verdict {
    /// It is done and answered.
    Pass,
    /// It is refused under this name, and nothing is done.
    Refuse(&'static str),
    /// It is done, but the connection breaks before the answer.
    LoseAnswer,
    /// It is done and never answered: whoever waits for it is about to be killed. The sender is told when it is done.
    DoneInSilence(oneshot::Sender<()>),
}

/// A call at the gate. To drop it is to leave it there for ever: not done, not answered.
#[derive(Debug)]
pub struct Arrival {
    /// Who makes it, as its gate was named.
    pub who: usize,
    /// What it is, as in `dynamodb:GetItem`.
    pub kind: String,
    verdict: oneshot::Sender<Verdict>,
}

impl Arrival {
    /// Decides. Where nobody waits any more, nothing comes of it.
    pub fn decide(self, verdict: Verdict) {
        drop(self.verdict.send(verdict));
    }

    /// Whether nobody waits any more: the caller gave up, or is dead.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.verdict.is_closed()
    }
}

/// One caller's way in.
#[derive(Debug, Clone)]
pub struct Gate {
    who: usize,
    watched: Arc<AtomicBool>,
    arrivals: mpsc::UnboundedSender<Arrival>,
}

impl Gate {
    /// A gate for one caller; whoever holds the other end of `arrivals` decides. Until it is watched it stands open.
    #[must_use]
    pub fn new(who: usize, arrivals: mpsc::UnboundedSender<Arrival>) -> Self {
        Self { who, watched: Arc::default(), arrivals }
    }

    /// Whose it is.
    #[must_use]
    pub fn who(&self) -> usize {
        self.who
    }

    /// Whether calls wait at it.
    #[must_use]
    pub fn watched(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.watched)
    }

    /// Waits for the verdict on a call; for ever where there is none.
    pub async fn pass(&self, kind: &str) -> Verdict {
        if !self.watched.load(Ordering::Acquire) {
            return Verdict::Pass;
        }
        let (verdict, decided) = oneshot::channel();
        // Where nobody decides any more, everything is over.
        drop(self.arrivals.send(Arrival { who: self.who, kind: kind.to_owned(), verdict }));
        match decided.await {
            Ok(verdict) => verdict,
            Err(_) => future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use tokio::time::timeout;

    #[tokio::test]
    async fn a_call_waits_for_its_verdict_and_for_ever_without_one() {
        let (arrivals, mut waiting) = mpsc::unbounded_channel();
        let gate = Gate::new(3, arrivals);
        assert!(matches!(gate.pass("while it starts").await, Verdict::Pass));
        gate.watched().store(true, Ordering::Release);
        let call = tokio::spawn({
            let gate = gate.clone();
            async move { gate.pass("dynamodb:GetItem").await }
        });
        let arrival = waiting.recv().await.unwrap();
        assert_eq!((arrival.who, arrival.kind.as_str()), (3, "dynamodb:GetItem"));
        arrival.decide(Verdict::LoseAnswer);
        assert!(matches!(call.await.unwrap(), Verdict::LoseAnswer));

        let call = tokio::spawn(async move { gate.pass("sqs:SendMessage").await });
        drop(waiting.recv().await.unwrap());
        assert!(timeout(Duration::from_millis(20), call).await.is_err());
    }

    #[tokio::test]
    async fn a_caller_that_has_gone_is_known() {
        let (arrivals, mut waiting) = mpsc::unbounded_channel();
        let gate = Gate::new(0, arrivals);
        gate.watched().store(true, Ordering::Release);
        let call = tokio::spawn(async move { gate.pass("x").await });
        let arrival = waiting.recv().await.unwrap();
        assert!(!arrival.is_gone());
        call.abort();
        drop(call.await);
        assert!(arrival.is_gone());
        arrival.decide(Verdict::Pass);
    }
}
