//! Stripe's sums held against a day's batches.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Batch, Finding, LineState, Meter};

/// The most sums that are looked at to explain a day's; where that is not enough, a person decides.
const MOST_SUMS: usize = 100_000;

/// What a day's summaries say, held against its batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciled {
    /// For each batch whose event's fate was unknown, by number.
    pub findings: BTreeMap<u32, Finding>,
    /// What the summaries show.
    pub found: u64,
    /// What they should show after these findings. A difference goes on the report.
    pub expected: u64,
}

/// Holds a meter's sum for a day against all batches of the day, read under the day's fence before the summaries were.
///
/// Of the events whose fate is unknown those are taken to be there that make up the sum. Where several sets would, it does
/// not matter which: the sum is right either way, and those that Stripe answered for are preferred. Where none does, a
/// person decides about all of them.
///
/// # Errors
/// The time before which the summaries cannot be believed.
pub fn reconcile<'a>(
    batches: impl IntoIterator<Item = &'a Batch>,
    meter: Meter,
    found: u64,
    read_at: Timestamp,
) -> Result<Reconciled, Timestamp> {
    let mut certain = 0_u64;
    let mut uncertain: Vec<(u8, u32, u64)> = Vec::new();
    let (mut held, mut not_before) = (false, None);
    for batch in batches {
        let Some(line) = batch.lines.get(&meter) else { continue };
        not_before = not_before.max(line.settles_at()).max(line.fading);
        let likely = match &line.state {
            LineState::Confirmed { .. } => {
                certain += line.value;
                continue;
            }
            LineState::Adjusted { counted, .. } => {
                certain += counted;
                continue;
            }
            LineState::Held { .. } => {
                held = true;
                certain += line.value;
                continue;
            }
            LineState::Sent { .. } => 0,
            LineState::Trying { .. } => 1,
            LineState::Cancelling { .. } => 2,
            LineState::Reopened { last: Some(_), .. } => 3,
            LineState::Nothing
            | LineState::Computed
            | LineState::Reopened { last: None, .. }
            | LineState::Expired { .. } => continue,
        };
        uncertain.push((likely, batch.number, line.value));
    }
    if let Some(at) = not_before.filter(|at| read_at < *at) {
        return Err(at);
    }
    uncertain.sort_unstable();
    let values: Vec<u64> = uncertain.iter().map(|(_, _, value)| *value).collect();
    let there = found.checked_sub(certain).filter(|_| !held).and_then(|sum| making_up(sum, &values));
    let counted =
        |there: &[bool]| -> u64 { values.iter().zip(there).filter(|(_, there)| **there).map(|(v, _)| v).sum() };
    let expected = certain + there.as_deref().map_or_else(|| values.iter().sum(), counted);
    let finding = |place: usize| match &there {
        Some(there) if there.get(place) == Some(&true) => Finding::There { surely: there.iter().all(|there| *there) },
        Some(_) => Finding::Absent,
        None => Finding::Unexplained { found, expected },
    };
    let findings = uncertain.iter().enumerate().map(|(place, (_, number, _))| (*number, finding(place))).collect();
    Ok(Reconciled { findings, found, expected })
}

/// Which of these values make up a sum, if any do: of several choices the one with the first value, then the second, …
fn making_up(sum: u64, values: &[u64]) -> Option<Vec<bool>> {
    // For each sum that the values looked at so far can make, the choice that makes it. The last come first, so that a
    // choice with an earlier value replaces one without.
    let mut choices: BTreeMap<u64, Vec<bool>> = BTreeMap::from([(0, Vec::new())]);
    for value in values.iter().rev() {
        let extended = |choice: &[bool], taken: bool| std::iter::once(taken).chain(choice.iter().copied()).collect();
        let mut next: BTreeMap<u64, Vec<bool>> =
            choices.iter().map(|(made, choice)| (*made, extended(choice, false))).collect();
        for (made, choice) in &choices {
            if let Some(made) = made.checked_add(*value).filter(|made| *made <= sum) {
                next.insert(made, extended(choice, true));
            }
        }
        if next.len() > MOST_SUMS {
            return None;
        }
        choices = next;
    }
    choices.remove(&sum)
}
