//! News of requests that came in: when somebody is told of them.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::reminder;
use crate::user::AlertFrequency;

/// A call that ended before the request was whole is news after so long: until then the caller may be on the line.
pub const ABANDONED_AFTER: SignedDuration = SignedDuration::from_mins(30);
/// Whoever sent a letter or an e-mail is told that it came in after so long: until then somebody of the team, who has just typed
/// it in, may tell them, or take it back.
pub const CONFIRMED_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// News that are older than this are no news: whoever wanted none for months is not told of months.
pub const NEWS_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// When somebody is told of a request that came in at a time, with all that came since they were last told; never where they
/// want no alerts.
#[must_use]
pub fn told_at(frequency: AlertFrequency, tz: &TimeZone, came: Timestamp) -> Option<Timestamp> {
    match frequency {
        AlertFrequency::Never => None,
        AlertFrequency::AtOnce => Some(up_to_the(MINUTE, came)),
        AlertFrequency::Hourly => Some(up_to_the(HOUR, came)),
        AlertFrequency::Daily => Some(reminder::next_run(tz, came)),
    }
}

/// When it is to be looked whether a call was left unfinished: every five minutes at most, however many there are.
#[must_use]
pub fn abandoned_at(begun: Timestamp) -> Timestamp {
    up_to_the(5 * MINUTE, begun.saturating_add(ABANDONED_AFTER).unwrap_or(Timestamp::MAX))
}

/// When it is confirmed to whoever asked that their request came in, if nobody has by then.
#[must_use]
pub fn confirmed_at(came: Timestamp) -> Timestamp {
    up_to_the(MINUTE, came.saturating_add(CONFIRMED_AFTER).unwrap_or(Timestamp::MAX))
}

/// The first full minute or hour that does not come before a time.
fn up_to_the(seconds: i64, at: Timestamp) -> Timestamp {
    let whole = at.as_second().div_euclid(seconds) * seconds;
    let exact = whole == at.as_second() && at.subsec_nanosecond() == 0;
    Timestamp::from_second(if exact { whole } else { whole + seconds }).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn who_wants_it_at_once_is_told_within_the_minute_and_others_at_their_hour() {
        let tz = TimeZone::get("America/Los_Angeles").unwrap();
        let came: Timestamp = "2026-11-22T18:12:34.5Z".parse().unwrap();
        let told = AlertFrequency::ALL.map(|frequency| told_at(frequency, &tz, came).map(|at| at.to_string()));
        let at = |at: &str| Some(at.to_owned());
        assert_eq!(told, [None, at("2026-11-22T18:13:00Z"), at("2026-11-22T19:00:00Z"), at("2026-11-23T16:00:00Z")]);
        let full: Timestamp = "2026-11-22T18:00:00Z".parse().unwrap();
        assert_eq!(told_at(AlertFrequency::AtOnce, &tz, full), Some(full));
        assert_eq!(abandoned_at(came).to_string(), "2026-11-22T18:45:00Z");
        assert_eq!(confirmed_at(came).to_string(), "2026-11-22T18:28:00Z");
    }

    proptest! {
        #[test]
        fn nobody_is_told_before_it_came_or_later_than_they_chose(second in 1_700_000_000_i64..2_000_000_000, nano in 0_i32..1_000_000_000) {
            let tz = TimeZone::get("America/New_York").unwrap();
            let came = Timestamp::new(second, nano).unwrap();
            for (frequency, most) in [
                (AlertFrequency::AtOnce, SignedDuration::from_mins(1)),
                (AlertFrequency::Hourly, SignedDuration::from_hours(1)),
                // A day on which clocks go back has 25 hours.
                (AlertFrequency::Daily, SignedDuration::from_hours(25)),
            ] {
                let told = told_at(frequency, &tz, came).unwrap();
                prop_assert!(told >= came && told.duration_since(came) <= most, "{frequency:?}");
            }
            prop_assert!(abandoned_at(came).duration_since(came) >= ABANDONED_AFTER);
        }
    }
}
