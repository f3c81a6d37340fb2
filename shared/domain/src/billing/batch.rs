//! A batch and its meter events, from counted to confirmed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Content, LIFE, Meter, RESEND_FOR, Refused, SETTLING, hex, plus, send_until, used_at};
#[cfg(doc)]
use super::{DayStep, reconcile};

/// The calls of a day that are billed together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Batch {
    /// The tenant's id.
    pub tenant: String,
    /// The day in UTC.
    pub day: Date,
    /// From 1, within the day.
    pub number: u32,
    /// Grows with every step; each is written on the condition that it has not grown since it was read.
    pub version: u64,
    /// The fence under which calls are claimed, while they are.
    pub open: Option<u64>,
    /// Whether a call of it was corrected in the ledger since they were counted.
    pub stale: bool,
    /// What the calls come to, once all are claimed.
    pub content: Option<Content>,
    /// The meter events, once counted.
    pub lines: BTreeMap<Meter, Line>,
}

/// One meter event of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Line {
    /// What Stripe knows the event by.
    pub identifier: String,
    /// From 1; grows with every new identifier.
    pub revision: u32,
    /// Identifiers that are in use no more. What Stripe still says of them is old news.
    pub earlier: Vec<String>,
    /// How much the event with this identifier says.
    pub value: u64,
    /// How much is to be billed, which differs after a correction.
    pub due: u64,
    /// How many idempotency keys were spent on the identifier.
    pub spent_keys: u32,
    /// Until when the summaries may still show an identifier of before that was cancelled.
    pub fading: Option<Timestamp>,
    /// How far it is.
    pub state: LineState,
}

/// How far a meter event is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum LineState {
    /// There is nothing to bill.
    Nothing,
    /// Counted, and certainly not at Stripe.
    Computed,
    /// Perhaps at Stripe.
    Trying {
        /// When the first try began; Stripe cannot have received it before.
        first: Timestamp,
        /// When the last one began.
        last: Timestamp,
        /// How many began. Of those before the last something may have come, whatever the last came to.
        tries: u32,
    },
    /// Stripe said 200.
    Sent {
        /// As above.
        first: Timestamp,
        /// As above.
        last: Timestamp,
        /// Stripe's `Request-Id`.
        request_id: String,
    },
    /// The summaries have it.
    Confirmed {
        /// As above.
        first: Timestamp,
        /// As above.
        last: Timestamp,
        /// When the summaries were read.
        at: Timestamp,
    },
    /// Being cancelled, because something else is due.
    Cancelling {
        /// When the first try to send began.
        first: Timestamp,
        /// When the last try to cancel began.
        last: Timestamp,
    },
    /// Stripe refused it.
    Reopened {
        /// When the last try began, if something may be at Stripe all the same; then the summaries decide.
        last: Option<Timestamp>,
        /// Stripe's code.
        reason: String,
    },
    /// The summaries show what cannot be explained; a person decides.
    Held {
        /// What they show for the day.
        found: u64,
        /// What they would show if everything were there.
        expected: u64,
    },
    /// A person has decided what counts and how the rest is billed or refunded.
    Adjusted {
        /// When.
        at: Timestamp,
        /// The user's id, or the operator.
        by: String,
        /// What counts at Stripe.
        counted: u64,
        /// What was due then. The difference was billed or refunded another way.
        settled: u64,
        /// Where to find that: an invoice item's or credit note's id, for one.
        reference: String,
    },
    /// Too old for Stripe and certainly not there. It is reported until a person settles it.
    Expired {
        /// When it was given up.
        at: Timestamp,
    },
}

/// What Stripe made of a try to send or to cancel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Done, now or before.
    Done {
        /// Stripe's `Request-Id`.
        request_id: String,
    },
    /// Refused, and nothing has come of this try.
    Refused {
        /// Stripe's code.
        reason: String,
    },
    /// Nothing has come of this try, and another may go better: no connection, too many calls.
    NothingDone,
    /// It may be done.
    Unknown {
        /// Whether Stripe would only repeat itself under the same idempotency key.
        key_spent: bool,
    },
}

/// What the summaries say about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// It is counted.
    There {
        /// Whether it is this very event that is. Otherwise only the day's sum is known, and what was made up by some of
        /// its events could be made up by others; cancelling one of them might then cancel nothing.
        surely: bool,
    },
    /// It is not.
    Absent,
    /// What they show cannot come from the events of the day.
    Unexplained {
        /// What they show.
        found: u64,
        /// What they would show if everything were there.
        expected: u64,
    },
}

/// What happens to a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A worker goes on with claiming, under its own fence.
    Opened {
        /// The worker's fence.
        fence: u64,
    },
    /// All calls are claimed and counted.
    Counted {
        /// The worker's fence.
        fence: u64,
        /// What they come to.
        content: Content,
    },
    /// A call of the batch is corrected in the ledger. To be written together with that, and with [`DayStep::Mark`]:
    /// whoever is counting its calls at that moment must count again.
    Touched,
    /// The calls of a batch that was counted before were counted again.
    Corrected {
        /// What they come to now.
        content: Content,
    },
    /// An event is about to be sent. To be written before it is.
    Tried {
        /// To which meter.
        meter: Meter,
        /// Now.
        at: Timestamp,
    },
    /// What Stripe answered.
    Answered {
        /// From which meter.
        meter: Meter,
        /// What.
        answer: Answer,
    },
    /// An event is about to be cancelled. To be written before it is.
    CancelTried {
        /// At which meter.
        meter: Meter,
        /// Now.
        at: Timestamp,
    },
    /// What Stripe answered to that.
    CancelAnswered {
        /// From which meter.
        meter: Meter,
        /// What.
        answer: Answer,
    },
    /// Stripe reports that an event does not count. It may come at any time, and more than once.
    Reported {
        /// Which event.
        identifier: String,
        /// Stripe's code.
        reason: String,
    },
    /// What the summaries say, by [`reconcile`].
    Found {
        /// Of which meter.
        meter: Meter,
        /// What.
        finding: Finding,
        /// When they were read.
        at: Timestamp,
    },
    /// Given up, because [`Batch::step`] said so.
    Expired {
        /// Of which meter.
        meter: Meter,
        /// Now.
        at: Timestamp,
    },
    /// A person has decided.
    Settled {
        /// Of which meter.
        meter: Meter,
        /// How much of it counts at Stripe, where it was held; anywhere else that is known, and nothing is taken here. All
        /// events of a meter's day that were held together share what the summaries show beyond the others.
        counted: Option<u64>,
        /// Who.
        by: String,
        /// Where to find how the rest was billed or refunded.
        reference: String,
        /// When.
        at: Timestamp,
    },
}

/// A request to be made of Stripe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Send {
    /// The event's identifier.
    pub identifier: String,
    /// The `Idempotency-Key`.
    pub key: String,
    /// How much; of no meaning for a cancellation.
    pub value: u64,
    /// When the usage happened.
    pub at: Timestamp,
    /// The request must not begin after this.
    pub not_after: Timestamp,
}

/// What to do next about a meter event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing more.
    Nothing,
    /// Write [`Event::Tried`], then send.
    Send(Send),
    /// Write [`Event::CancelTried`], then cancel.
    Cancel(Send),
    /// Nothing before this time.
    Wait(Timestamp),
    /// Read the summaries and [`reconcile`] the day.
    ReadSummaries,
    /// Write [`Event::Expired`] and report it.
    Expire,
    /// A person must decide: [`Event::Settled`].
    AskAPerson,
}

impl Batch {
    /// A new batch whose calls are about to be claimed.
    #[must_use]
    pub fn open(tenant: &str, day: Date, number: u32, fence: u64) -> Self {
        Self {
            tenant: tenant.to_owned(),
            day,
            number,
            version: 1,
            open: Some(fence),
            stale: false,
            content: None,
            lines: BTreeMap::new(),
        }
    }

    /// Whether calls may be claimed for it under this fence.
    pub fn admits(&self, fence: u64) -> Result<(), Refused> {
        if self.open == Some(fence) { Ok(()) } else { Err(Refused::Fenced) }
    }

    /// Whether Stripe has all of it, so that its calls are processed.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        let sent = |line: &Line| {
            matches!(
                line.state,
                LineState::Nothing
                    | LineState::Sent { .. }
                    | LineState::Confirmed { .. }
                    | LineState::Adjusted { .. }
                    | LineState::Cancelling { .. }
            )
        };
        self.content.is_some() && self.lines.values().all(sent)
    }

    /// Whether nothing more is to do about it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.content.is_some() && !self.stale && self.lines.values().all(Line::is_final)
    }

    /// The meter to which this identifier is, or was, sent.
    #[must_use]
    pub fn meter_of(&self, identifier: &str) -> Option<Meter> {
        let knows = |line: &Line| line.identifier == identifier || line.earlier.iter().any(|old| old == identifier);
        self.lines.iter().find(|(_, line)| knows(line)).map(|(meter, _)| *meter)
    }

    /// What to do next about one of its meter events.
    #[must_use]
    pub fn step(&self, meter: Meter, now: Timestamp) -> Step {
        self.lines.get(&meter).map_or(Step::Nothing, |line| line.step(self.day, now))
    }

    /// The batch after an event. What was heard before changes nothing but the version.
    pub fn next(&self, event: Event) -> Result<Self, Refused> {
        let mut batch = self.clone();
        batch.version += 1;
        match event {
            Event::Opened { fence } => match self.open {
                Some(open) if open <= fence => batch.open = Some(fence),
                Some(_) => return Err(Refused::Fenced),
                None => return Err(Refused::OutOfTurn),
            },
            Event::Counted { fence, content } => {
                self.admits(fence)?;
                batch.open = None;
                for meter in Meter::ALL {
                    batch.lines.insert(meter, Line::new(self, meter, &content));
                }
                batch.content = Some(content);
            }
            Event::Touched => batch.stale = self.content.is_some(),
            Event::Corrected { content } => {
                if self.content.is_none() {
                    return Err(Refused::OutOfTurn);
                }
                batch.stale = false;
                for (meter, line) in &mut batch.lines {
                    line.due = content.of(*meter);
                    if line.due != line.value && line.is_certainly_not_there() {
                        line.renew(self, *meter, &content);
                    }
                }
                batch.content = Some(content);
            }
            Event::Tried { meter, at } => batch.line(meter)?.tried(self.day, at)?,
            Event::Answered { meter, answer } => {
                if batch.line(meter)?.answered(answer)? {
                    batch.renew(meter)?;
                }
            }
            Event::CancelTried { meter, at } => batch.line(meter)?.cancel_tried(self.day, at)?,
            Event::CancelAnswered { meter, answer } => {
                if batch.line(meter)?.cancel_answered(answer)? {
                    batch.renew(meter)?;
                }
            }
            Event::Reported { identifier, reason } => {
                let meter = self.meter_of(&identifier).ok_or(Refused::OutOfTurn)?;
                batch.line(meter)?.reported(&identifier, reason);
            }
            Event::Found { meter, finding, at } => {
                if batch.line(meter)?.found(finding, at)? {
                    batch.renew(meter)?;
                }
            }
            Event::Expired { meter, at } => {
                if self.step(meter, at) != Step::Expire {
                    return Err(Refused::OutOfTurn);
                }
                batch.line(meter)?.state = LineState::Expired { at };
            }
            Event::Settled { meter, counted, by, reference, at } => {
                let line = batch.line(meter)?;
                if line.step(self.day, at) != Step::AskAPerson {
                    return Err(Refused::OutOfTurn);
                }
                let counted = match (&line.state, counted) {
                    (LineState::Held { .. }, Some(counted)) => counted,
                    (LineState::Confirmed { .. }, None) => line.value,
                    (LineState::Adjusted { counted, .. }, None) => *counted,
                    (LineState::Expired { .. } | LineState::Nothing, None) => 0,
                    _ => return Err(Refused::OutOfTurn),
                };
                line.state = LineState::Adjusted { at, by, counted, settled: line.due, reference };
            }
        }
        Ok(batch)
    }

    fn line(&mut self, meter: Meter) -> Result<&mut Line, Refused> {
        self.lines.get_mut(&meter).ok_or(Refused::OutOfTurn)
    }

    /// A new identifier for what is due now.
    fn renew(&mut self, meter: Meter) -> Result<(), Refused> {
        let content = self.content.clone().ok_or(Refused::OutOfTurn)?;
        let of = Self::open(&self.tenant, self.day, self.number, 0);
        self.line(meter)?.renew(&of, meter, &content);
        Ok(())
    }
}

impl LineState {
    /// The stored name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Computed => "computed",
            Self::Trying { .. } => "trying",
            Self::Sent { .. } => "sent",
            Self::Confirmed { .. } => "confirmed",
            Self::Cancelling { .. } => "cancelling",
            Self::Reopened { .. } => "reopened",
            Self::Held { .. } => "held",
            Self::Adjusted { .. } => "adjusted",
            Self::Expired { .. } => "expired",
        }
    }
}

impl Line {
    fn new(batch: &Batch, meter: Meter, content: &Content) -> Self {
        let value = content.of(meter);
        Self {
            identifier: identifier(&batch.tenant, batch.day, meter, content, 1),
            revision: 1,
            earlier: Vec::new(),
            value,
            due: value,
            spent_keys: 0,
            fading: None,
            state: if value == 0 { LineState::Nothing } else { LineState::Computed },
        }
    }

    fn renew(&mut self, batch: &Batch, meter: Meter, content: &Content) {
        let revision = self.revision + 1;
        let mut earlier = std::mem::take(&mut self.earlier);
        earlier.push(std::mem::take(&mut self.identifier));
        let new = identifier(&batch.tenant, batch.day, meter, content, revision);
        let fading = self.fading.max(self.settles_at());
        *self = Self { revision, earlier, identifier: new, fading, ..Self::new(batch, meter, content) };
    }

    /// Whether nothing more is to do about it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self.state {
            LineState::Nothing | LineState::Confirmed { .. } => self.due == self.value,
            LineState::Adjusted { settled, .. } => self.due == settled,
            _ => false,
        }
    }

    fn is_certainly_not_there(&self) -> bool {
        matches!(
            self.state,
            LineState::Nothing
                | LineState::Computed
                | LineState::Reopened { last: None, .. }
                | LineState::Expired { .. }
        )
    }

    /// When the summaries can be believed about it, if they are needed.
    pub(super) fn settles_at(&self) -> Option<Timestamp> {
        let last = match self.state {
            LineState::Trying { last, .. } | LineState::Sent { last, .. } | LineState::Cancelling { last, .. } => last,
            LineState::Reopened { last, .. } => last?,
            _ => return None,
        };
        Some(plus(plus(last, LIFE), SETTLING))
    }

    fn step(&self, day: Date, now: Timestamp) -> Step {
        let until = send_until(day);
        let within = |first: Timestamp| now < plus(first, RESEND_FOR);
        let changed = self.due != self.value;
        match &self.state {
            LineState::Computed | LineState::Reopened { last: None, .. } if now >= until => Step::Expire,
            LineState::Computed | LineState::Reopened { last: None, .. } => Step::Send(self.request("", day, now)),
            LineState::Trying { first, .. } if within(*first) && now < until => Step::Send(self.request("", day, now)),
            LineState::Sent { first, .. } | LineState::Confirmed { first, .. } if changed && within(*first) => {
                Step::Cancel(self.request(".cancel", day, now))
            }
            LineState::Cancelling { first, .. } if within(*first) => Step::Cancel(self.request(".cancel", day, now)),
            LineState::Held { .. } | LineState::Expired { .. } => Step::AskAPerson,
            _ => match self.settles_at() {
                Some(at) if now < at => Step::Wait(at),
                Some(_) => Step::ReadSummaries,
                None if self.is_final() => Step::Nothing,
                None => Step::AskAPerson,
            },
        }
    }

    fn request(&self, suffix: &str, day: Date, now: Timestamp) -> Send {
        let mut key = format!("{}{suffix}", self.identifier);
        if self.spent_keys > 0 {
            let _ = write!(key, ".{}", self.spent_keys);
        }
        let not_after = plus(now, LIFE);
        Send { identifier: self.identifier.clone(), key, value: self.value, at: used_at(day), not_after }
    }

    fn tried(&mut self, day: Date, at: Timestamp) -> Result<(), Refused> {
        let Step::Send(_) = self.step(day, at) else { return Err(Refused::OutOfTurn) };
        let (first, tries) = match self.state {
            LineState::Trying { first, tries, .. } => (first, tries + 1),
            _ => (at, 1),
        };
        self.state = LineState::Trying { first, last: at, tries };
        Ok(())
    }

    /// Whether a new identifier is wanted.
    fn answered(&mut self, answer: Answer) -> Result<bool, Refused> {
        // Once Stripe has reported on it, what the call itself came to is old news.
        let LineState::Trying { first, last, tries } = self.state else {
            return if matches!(self.state, LineState::Reopened { .. }) { Ok(false) } else { Err(Refused::OutOfTurn) };
        };
        let only = tries == 1;
        match answer {
            Answer::Done { request_id } => self.state = LineState::Sent { first, last, request_id },
            Answer::Refused { reason } => {
                self.spent_keys += 1;
                self.state = LineState::Reopened { last: (!only).then_some(last), reason };
            }
            Answer::NothingDone if only => self.state = LineState::Computed,
            Answer::NothingDone => {}
            Answer::Unknown { key_spent } => self.spent_keys += u32::from(key_spent),
        }
        // A correction may have come while it was tried.
        Ok(self.is_certainly_not_there() && self.due != self.value)
    }

    fn cancel_tried(&mut self, day: Date, at: Timestamp) -> Result<(), Refused> {
        let Step::Cancel(_) = self.step(day, at) else { return Err(Refused::OutOfTurn) };
        match self.state {
            LineState::Sent { first, .. }
            | LineState::Confirmed { first, .. }
            | LineState::Cancelling { first, .. } => {
                self.state = LineState::Cancelling { first, last: at };
                Ok(())
            }
            _ => Err(Refused::OutOfTurn),
        }
    }

    /// Whether a new identifier is wanted.
    fn cancel_answered(&mut self, answer: Answer) -> Result<bool, Refused> {
        let LineState::Cancelling { last, .. } = self.state else {
            return if matches!(self.state, LineState::Reopened { .. }) { Ok(false) } else { Err(Refused::OutOfTurn) };
        };
        match answer {
            Answer::Done { .. } => return Ok(true),
            Answer::Refused { reason } => {
                self.spent_keys += 1;
                self.state = LineState::Reopened { last: Some(last), reason };
            }
            Answer::NothingDone => {}
            Answer::Unknown { key_spent } => self.spent_keys += u32::from(key_spent),
        }
        Ok(false)
    }

    fn reported(&mut self, identifier: &str, reason: String) {
        if self.identifier != identifier {
            return;
        }
        let last = match &self.state {
            LineState::Trying { last, .. }
            | LineState::Sent { last, .. }
            | LineState::Confirmed { last, .. }
            | LineState::Cancelling { last, .. }
            | LineState::Reopened { last: Some(last), .. } => *last,
            _ => return,
        };
        self.state = LineState::Reopened { last: Some(last), reason };
    }

    /// Whether a new identifier is wanted.
    fn found(&mut self, finding: Finding, at: Timestamp) -> Result<bool, Refused> {
        let settled = self.settles_at().is_some_and(|settles| at >= settles);
        if !settled {
            return Err(Refused::OutOfTurn);
        }
        match finding {
            Finding::Absent => return Ok(true),
            Finding::Unexplained { found, expected } => self.state = LineState::Held { found, expected },
            Finding::There { surely } => {
                let last = at;
                let first = match self.state {
                    LineState::Trying { first, .. }
                    | LineState::Sent { first, .. }
                    | LineState::Cancelling { first, .. }
                        if surely =>
                    {
                        first
                    }
                    // Not to be cancelled any more: when it was received is not known, or whether it was.
                    _ => at.saturating_sub(RESEND_FOR).unwrap_or(at),
                };
                self.state = LineState::Confirmed { first, last, at };
            }
        }
        Ok(false)
    }
}

/// What Stripe knows a batch's event by: the same for the same calls, and nothing personal.
///
/// 69 of Stripe's 100 characters. The revision is in it because what was cancelled or refused must not be taken for what
/// is sent in its place.
#[must_use]
pub fn identifier(tenant: &str, day: Date, meter: Meter, content: &Content, revision: u32) -> String {
    let mut digest = Sha256::new();
    let (day, value, revision) = (day.to_string(), content.of(meter).to_string(), revision.to_string());
    for part in [tenant, &day, meter.code(), &value, &content.digest, &revision] {
        // The length keeps neighbours apart: "ab" and "c" are not "a" and "bc".
        digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(part.as_bytes());
    }
    format!("use1-{}", hex(&digest.finalize()))
}
