//! What happened, in numbers.

use std::collections::BTreeMap;
use std::fmt;

use bench::stats::grouped;

/// Counts by what was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<String, u64>);

impl Tally {
    /// Counts one.
    pub fn count(&mut self, what: &str) {
        self.add(what, 1);
    }

    /// Counts several.
    pub fn add(&mut self, what: &str, times: u64) {
        *self.0.entry(what.to_owned()).or_default() += times;
    }

    /// How often something was counted.
    #[must_use]
    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }

    /// Takes another's counts in.
    pub fn join(&mut self, other: &Self) {
        for (what, times) in &other.0 {
            self.add(what, *times);
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.values().max().map_or(1, |most| grouped(*most).len());
        for (what, times) in &self.0 {
            writeln!(f, "{:>width$}  {what}", grouped(*times))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_reads_as_a_column_of_numbers() {
        let mut tally = Tally::default();
        tally.add("kills", 1_234);
        tally.count("batches");
        assert_eq!(tally.to_string(), "    1  batches\n1,234  kills\n");
        tally.join(&tally.clone());
        assert_eq!((tally.of("kills"), tally.of("nothing")), (2_468, 0));
    }
}
