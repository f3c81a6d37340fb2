//! Many callers at once.
//!
//! All of them are on the line together, as a [`Meeting`] makes sure; but one machine plays Twilio, AWS and all Lambda
//! sandboxes, so a [`Turnstile`] bounds how many webhooks are under way at a moment.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use phone::{CallOptions, Caller, Do, Line, Prompt, Transcript, WaitingFor};

/// Lets so many in at a time.
pub struct Turnstile {
    free: Mutex<usize>,
    changed: Condvar,
}

impl Turnstile {
    /// For so many.
    #[must_use]
    pub fn new(places: usize) -> Arc<Self> {
        Arc::new(Self { free: Mutex::new(places), changed: Condvar::new() })
    }

    fn enter(&self) {
        let free = self.free.lock().expect("a lock that nobody left in a panic");
        let mut free = self.changed.wait_while(free, |free| *free == 0).expect("the same lock");
        *free -= 1;
    }

    fn leave(&self) {
        *self.free.lock().expect("a lock that nobody left in a panic") += 1;
        self.changed.notify_one();
    }
}

/// Where everybody waits until all have come.
pub struct Meeting {
    missing: Mutex<usize>,
    changed: Condvar,
}

impl Meeting {
    /// Of so many.
    #[must_use]
    pub fn new(expected: usize) -> Arc<Self> {
        Arc::new(Self { missing: Mutex::new(expected), changed: Condvar::new() })
    }

    fn attend(&self) {
        let deadline = Instant::now() + Duration::from_mins(3);
        let mut missing = self.missing.lock().expect("a lock that nobody left in a panic");
        *missing = missing.saturating_sub(1);
        self.changed.notify_all();
        while *missing > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} callers never got this far", *missing);
            missing = self.changed.wait_timeout(missing, left).expect("the same lock").0;
        }
    }

    /// Whether all have come.
    #[must_use]
    pub fn took_place(&self) -> bool {
        *self.missing.lock().expect("a lock that nobody left in a panic") == 0
    }
}

/// A caller who is in nobody's way while they listen and think.
struct Patient<C> {
    caller: C,
    turnstile: Arc<Turnstile>,
    meeting: Option<(Arc<Meeting>, usize)>,
    answered: usize,
}

impl<C: Caller> Caller for Patient<C> {
    fn hear(&mut self, prompt: &Prompt) -> Do {
        tokio::task::block_in_place(|| {
            self.turnstile.leave();
            if prompt.waiting_for != WaitingFor::Nothing {
                if let Some((meeting, at)) = &self.meeting
                    && *at == self.answered
                {
                    meeting.attend();
                }
                self.answered += 1;
            }
            let done = self.caller.hear(prompt);
            self.turnstile.enter();
            done
        })
    }
}

/// Places a call through the turnstile. With a meeting, the caller gives so many answers and then waits for the others.
///
/// Needs a runtime of several threads: a caller who waits blocks one.
pub async fn call(
    line: Line,
    options: CallOptions,
    caller: impl Caller,
    turnstile: Arc<Turnstile>,
    meeting: Option<(Arc<Meeting>, usize)>,
) -> Transcript {
    tokio::task::block_in_place(|| turnstile.enter());
    let mut patient = Patient { caller, turnstile: Arc::clone(&turnstile), meeting, answered: 0 };
    let transcript = line.dial(options).talk(&mut patient).await;
    turnstile.leave();
    transcript
}
