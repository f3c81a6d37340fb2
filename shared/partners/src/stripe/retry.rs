//! When a call to Stripe is made again, and how long to wait before.
//!
//! The rule of Stripe's own libraries (stripe-python 15): what `Stripe-Should-Retry` says is done; without it a broken
//! connection, 409 and what the server did wrong (500 and above) are tried again, after half a second that doubles to at
//! most five, times a random number between a half and one. One thing is ours: their libraries never repeat 429 unless
//! told to, and leave the back-off to the caller. The caller is us, so 429 is repeated, too, and never sooner than
//! `Retry-After` says.
//!
//! Source: <https://docs.stripe.com/error-low-level>, <https://docs.stripe.com/rate-limits>.

use std::time::Duration;

use super::rest::Cause;

/// The first wait, before jitter.
const FIRST: Duration = Duration::from_millis(500);
/// The longest wait of our own, before jitter.
const LONGEST: Duration = Duration::from_secs(5);

/// How long and how often a call is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The tries in all, the first included.
    pub tries: u32,
    /// The longest that one try may take, the body included.
    pub per_try: Duration,
    /// The first wait, which doubles with each try.
    pub first_wait: Duration,
    /// The longest wait, unless Stripe asks for more with `Retry-After`.
    pub longest_wait: Duration,
    /// The time for everything, waits included.
    pub total: Duration,
}

impl Default for Patience {
    /// Four tries within 45 seconds, which a queue's worker can afford.
    fn default() -> Self {
        Self {
            tries: 4,
            per_try: Duration::from_secs(15),
            first_wait: FIRST,
            longest_wait: LONGEST,
            total: Duration::from_secs(45),
        }
    }
}

/// What a failed try said about another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hints {
    /// What went wrong.
    pub cause: Cause,
    /// `Stripe-Should-Retry`.
    pub should_retry: Option<bool>,
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
}

impl Patience {
    /// How long to wait before the next try; nothing where there should be none.
    ///
    /// `tries` counts those made, `left` is what remains of the time for everything, and `jitter` is a random number from
    /// 0 to 1, which is passed in so that the rule can be tested.
    #[must_use]
    pub fn wait(&self, hints: &Hints, tries: u32, left: Duration, jitter: f64) -> Option<Duration> {
        let again = hints.should_retry.unwrap_or_else(|| hints.cause.passes());
        if !again || tries >= self.tries {
            return None;
        }
        let doubled = self.first_wait.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1)));
        let own = doubled.min(self.longest_wait).mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0));
        let wait = own.max(hints.retry_after.unwrap_or_default());
        (wait < left).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLENTY: Duration = Duration::from_secs(45);

    fn hints(cause: Cause) -> Hints {
        Hints { cause, should_retry: None, retry_after: None }
    }

    fn repeated(hints: &Hints) -> bool {
        Patience::default().wait(hints, 1, PLENTY, 1.0).is_some()
    }

    #[test]
    fn what_passes_is_tried_again_and_what_does_not_is_not() {
        for cause in [Cause::Connect, Cause::Timeout, Cause::Interrupted] {
            assert!(repeated(&hints(cause)));
        }
        for status in [409, 429, 500, 502, 503, 504] {
            assert!(repeated(&hints(Cause::Status(status))), "{status}");
        }
        for status in [301, 400, 401, 402, 403, 404] {
            assert!(!repeated(&hints(Cause::Status(status))), "{status}");
        }
    }

    #[test]
    fn what_stripe_says_about_it_comes_first() {
        assert!(!repeated(&Hints { should_retry: Some(false), ..hints(Cause::Status(500)) }));
        assert!(repeated(&Hints { should_retry: Some(true), ..hints(Cause::Status(400)) }));
    }

    #[test]
    fn the_waits_are_those_of_stripes_libraries() {
        let wait = |tries, jitter| {
            let patience = Patience { tries: 99, ..Patience::default() };
            patience.wait(&hints(Cause::Status(500)), tries, PLENTY, jitter).unwrap().as_millis()
        };
        assert_eq!([1, 2, 3, 4, 5, 50].map(|tries| wait(tries, 1.0)), [500, 1000, 2000, 4000, 5000, 5000]);
        assert_eq!([1, 2, 3, 4, 5, 50].map(|tries| wait(tries, 0.0)), [250, 500, 1000, 2000, 2500, 2500]);
    }

    #[test]
    fn the_wait_that_stripe_asks_for_is_the_shortest_and_one_that_is_too_long_is_none() {
        let asked = Hints { retry_after: Some(Duration::from_secs(7)), ..hints(Cause::Status(429)) };
        assert_eq!(Patience::default().wait(&asked, 1, PLENTY, 0.3), Some(Duration::from_secs(7)));
        assert_eq!(Patience::default().wait(&asked, 1, Duration::from_secs(7), 0.3), None);
    }

    proptest! {
        #[test]
        fn a_call_ends(status in 100..600_u16, should_retry: Option<bool>, jitter in -1.0..2.0_f64, left in 0..60_u64) {
            let patience = Patience::default();
            let hints = Hints { should_retry, ..hints(Cause::Status(status)) };
            let left = Duration::from_secs(left);
            prop_assert_eq!(patience.wait(&hints, patience.tries, left, jitter), None);
            if let Some(wait) = patience.wait(&hints, 1, left, jitter) {
                prop_assert!(wait < left && wait >= FIRST / 2);
            }
        }
    }
}
