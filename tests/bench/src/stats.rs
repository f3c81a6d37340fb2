//! Medians and percentiles of durations.

use std::time::Duration;

use serde::Serialize;

/// The middle and the tail of a set of durations, in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Spread {
    /// Half took no longer.
    pub p50: f64,
    /// 95 of 100 took no longer.
    pub p95: f64,
    /// 99 of 100 took no longer.
    pub p99: f64,
}

impl Spread {
    /// Of durations in any order; zeros where there are none.
    #[must_use]
    pub fn of(durations: &[Duration]) -> Self {
        let mut sorted = durations.to_vec();
        sorted.sort();
        let at = |percent| milliseconds(percentile(&sorted, percent).unwrap_or_default());
        Self { p50: at(50), p95: at(95), p99: at(99) }
    }
}

/// A number with its thousands apart.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration in milliseconds.
#[must_use]
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The smallest of the sorted values that `percent` of all do not exceed: the nearest-rank method.
fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_for_reading() {
        assert_eq!([1, 100, 10_000, 1_000_000].map(grouped), ["1", "100", "10,000", "1,000,000"]);
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let durations: Vec<Duration> = (1..=20).rev().map(Duration::from_millis).collect();
        let Spread { p50, p95, p99 } = Spread::of(&durations);
        assert_eq!([p50, p95, p99].map(|ms| format!("{ms:.0}")), ["10", "19", "20"]);
    }

    #[test]
    fn one_value_is_its_own_median_and_tail() {
        let Spread { p50, p99, .. } = Spread::of(&[Duration::from_millis(7)]);
        assert_eq!([p50, p99].map(|ms| format!("{ms:.0}")), ["7", "7"]);
        assert!(Spread::of(&[]).p50.abs() < f64::EPSILON);
    }
}
