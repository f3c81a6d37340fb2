//! What a call leaves behind for the bill: one row per call, whatever order its callbacks come in.

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde::{Deserialize, Serialize};

/// The states of a call, by Twilio's names (Twilio, "Call resource", `status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallStatus {
    /// Waiting to be placed.
    Queued,
    /// Being dialled.
    Initiated,
    /// Ringing.
    Ringing,
    /// Answered.
    InProgress,
    /// Ended before it was answered, by the caller.
    Canceled,
    /// Not answered.
    NoAnswer,
    /// The line was busy.
    Busy,
    /// Could not be connected.
    Failed,
    /// Answered and ended.
    Completed,
}

impl CallStatus {
    /// Every status, from the first to the one that counts most.
    pub const ALL: [Self; 9] = [
        Self::Queued,
        Self::Initiated,
        Self::Ringing,
        Self::InProgress,
        Self::Canceled,
        Self::NoAnswer,
        Self::Busy,
        Self::Failed,
        Self::Completed,
    ];

    /// Twilio's name, which is also the stored one.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Initiated => "initiated",
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Canceled => "canceled",
            Self::NoAnswer => "no-answer",
            Self::Busy => "busy",
            Self::Failed => "failed",
            Self::Completed => "completed",
        }
    }

    /// The status with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether the call is over.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Queued | Self::Initiated | Self::Ringing | Self::InProgress => false,
            Self::Canceled | Self::NoAnswer | Self::Busy | Self::Failed | Self::Completed => true,
        }
    }

    /// The place in [`CallStatus::ALL`].
    const fn place(self) -> u64 {
        self as u64
    }
}

/// What one status callback says of a call. Both units are kept: the seconds it lasted, and the minutes billed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CallUsage {
    /// Twilio's `CallSid`.
    pub call_sid: String,
    /// Twilio's `CallStatus`.
    pub status: CallStatus,
    /// Twilio's `CallDuration`, in seconds.
    pub seconds: u32,
    /// Twilio's `Duration`: minutes, each started one counted whole.
    pub billed_minutes: u32,
    /// Twilio's `SequenceNumber`: from 0, one more for each callback of the call.
    pub sequence: u32,
    /// When the status was reached; for a terminal one, when the call ended.
    pub ended_at: Timestamp,
}

impl CallUsage {
    /// Whether this is to be kept rather than what is stored of the same call.
    ///
    /// Callbacks come twice, late and out of order. The end of a call is never replaced by an earlier state; of two
    /// ends the higher sequence counts, then completion, then the longer duration. The order is total, so every order
    /// of arrival leaves the same row; a duplicate supersedes nothing.
    #[must_use]
    pub fn supersedes(&self, stored: &Self) -> bool {
        self.rank() > stored.rank()
    }

    /// The place of this report in the order of [`CallUsage::supersedes`], as one number.
    ///
    /// A store can keep it beside the row and write on the condition that it grows. Of a sequence, what is above 2^22
    /// counts as 2^22; Twilio's are single digits.
    #[must_use]
    pub fn rank(&self) -> u64 {
        let sequence = u64::from(self.sequence.min(0x3F_FFFF));
        u64::from(self.status.is_terminal()) << 58
            | sequence << 36
            | self.status.place() << 32
            | u64::from(self.seconds)
    }
}

/// The minutes billed for a call of so many seconds, where Twilio did not say: each started minute counts whole.
#[must_use]
pub const fn billed_minutes(seconds: u32) -> u32 {
    seconds.div_ceil(60)
}

/// Reads a time as callbacks write it (RFC 2822) or as it is stored (RFC 3339).
#[must_use]
pub fn parse_time(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text).map(|zoned| zoned.timestamp()).ok().or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn usage(status: CallStatus, sequence: u32, seconds: u32) -> CallUsage {
        CallUsage {
            call_sid: format!("CA{}", "0".repeat(32)),
            status,
            seconds,
            billed_minutes: billed_minutes(seconds),
            sequence,
            ended_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn every_status_is_found_again_by_its_name_and_stands_in_its_place() {
        for (place, status) in (0..).zip(CallStatus::ALL) {
            assert_eq!(CallStatus::parse(status.as_str()), Some(status));
            assert_eq!(status.place(), place);
        }
        assert_eq!(CallStatus::parse("Completed"), None);
    }

    #[test]
    fn the_end_of_a_call_is_not_undone_by_a_late_report_with_a_higher_sequence() {
        let ended = usage(CallStatus::Completed, 2, 49);
        let late = usage(CallStatus::InProgress, 9, 0);
        assert!(ended.supersedes(&late));
        assert!(!late.supersedes(&ended));
    }

    #[test]
    fn of_two_ends_the_higher_sequence_counts_then_completion() {
        assert!(usage(CallStatus::Busy, 3, 0).supersedes(&usage(CallStatus::Completed, 2, 49)));
        assert!(usage(CallStatus::Completed, 2, 49).supersedes(&usage(CallStatus::Busy, 2, 0)));
    }

    #[test]
    fn a_duplicate_supersedes_nothing() {
        let once = usage(CallStatus::Completed, 3, 49);
        assert!(!once.supersedes(&once.clone()));
    }

    #[test]
    fn a_started_minute_is_billed_whole() {
        assert_eq!([0, 1, 49, 60, 61, 3600].map(billed_minutes), [0, 1, 1, 1, 2, 60]);
    }

    #[test]
    fn times_are_read_as_callbacks_write_them_and_as_they_are_stored() {
        let expected: Timestamp = "2018-03-25T09:53:19Z".parse().unwrap();
        assert_eq!(parse_time("Sun, 25 Mar 2018 09:53:19 +0000"), Some(expected));
        assert_eq!(parse_time("2018-03-25T09:53:19Z"), Some(expected));
        assert_eq!(parse_time("yesterday"), None);
    }

    fn any_usage() -> impl Strategy<Value = CallUsage> {
        (0..CallStatus::ALL.len(), 0..4_u32, 0..200_u32)
            .prop_map(|(status, sequence, seconds)| usage(CallStatus::ALL[status], sequence, seconds))
    }

    fn kept(reports: &[CallUsage]) -> Option<CallUsage> {
        reports.iter().fold(None, |stored: Option<CallUsage>, next| match stored {
            Some(stored) if !next.supersedes(&stored) => Some(stored),
            _ => Some(next.clone()),
        })
    }

    proptest! {
        #[test]
        fn every_order_of_arrival_and_every_duplicate_leaves_the_same_row(
            (reports, shuffled) in prop::collection::vec(any_usage(), 0..8)
                .prop_flat_map(|reports| {
                    let twice: Vec<_> = reports.iter().chain(&reports).cloned().collect();
                    (Just(reports), Just(twice).prop_shuffle())
                })
        ) {
            prop_assert_eq!(kept(&reports), kept(&shuffled));
        }
    }
}
