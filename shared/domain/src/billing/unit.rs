//! A call on its way to the bill, and what a batch's calls come to.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Meter, Refused, hex};

/// Where a call is on its way to the bill.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// In the ledger and in no batch.
    #[default]
    Unprocessed,
    /// In a batch, and in no other until it is let go.
    Claimed {
        /// The batch's number.
        batch: u32,
    },
    /// In a batch that Stripe has.
    Processed {
        /// The batch's number.
        batch: u32,
    },
}

/// What happens to a call on its way to the bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitStep {
    /// Claimed for a batch. To be written together with a check that the batch is still open under the worker's fence, or
    /// a slow worker could add to a batch that is counted already.
    Claim(u32),
    /// The batch is at Stripe.
    Process(u32),
    /// The batch is not at Stripe after all.
    Reopen(u32),
    /// The batch was given up before it was counted.
    Release(u32),
}

impl Unit {
    /// Where the call is after a step. A step that was taken before changes nothing.
    pub fn next(self, step: UnitStep) -> Result<Self, Refused> {
        match (self, step) {
            (Self::Unprocessed, UnitStep::Claim(batch)) => Ok(Self::Claimed { batch }),
            (Self::Claimed { batch }, UnitStep::Claim(other)) if batch == other => Ok(self),
            (Self::Claimed { batch } | Self::Processed { batch }, UnitStep::Process(other)) if batch == other => {
                Ok(Self::Processed { batch })
            }
            (Self::Claimed { batch } | Self::Processed { batch }, UnitStep::Reopen(other)) if batch == other => {
                Ok(Self::Claimed { batch })
            }
            (Self::Claimed { batch }, UnitStep::Release(other)) if batch == other => Ok(Self::Unprocessed),
            (Self::Unprocessed, UnitStep::Release(_)) => Ok(self),
            _ => Err(Refused::OutOfTurn),
        }
    }
}

/// What a batch's calls come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Content {
    /// How many calls.
    pub calls: u64,
    /// Their billed minutes.
    pub minutes: u64,
    /// SHA-256 over each call's SID and minutes, in order, in hexadecimal.
    pub digest: String,
}

impl Content {
    /// What goes to one meter.
    #[must_use]
    pub const fn of(&self, meter: Meter) -> u64 {
        match meter {
            Meter::Calls => self.calls,
            Meter::Minutes => self.minutes,
        }
    }
}

/// Counts a batch's calls one after the other, whatever their number, in the order of their SIDs.
#[derive(Debug, Clone, Default)]
pub struct Counting {
    calls: u64,
    minutes: u64,
    last: String,
    digest: Sha256,
}

impl Counting {
    /// Adds a call. Calls come in ascending order and each once, as a table gives them by its sort key.
    pub fn add(&mut self, call_sid: &str, minutes: u32) -> Result<(), Refused> {
        if call_sid <= self.last.as_str() {
            return Err(Refused::OutOfTurn);
        }
        self.last.clear();
        self.last.push_str(call_sid);
        self.calls += 1;
        self.minutes += u64::from(minutes);
        self.digest.update(call_sid.as_bytes());
        self.digest.update([0]);
        self.digest.update(minutes.to_be_bytes());
        Ok(())
    }

    /// What they come to.
    pub fn finish(self) -> Result<Content, Refused> {
        if self.calls == 0 {
            return Err(Refused::Empty);
        }
        Ok(Content { calls: self.calls, minutes: self.minutes, digest: hex(&self.digest.finalize()) })
    }
}
