//! California's deadlines, computed another way than the product does: day by day, with the holidays written out as a
//! person would explain them.

use domain::request::Kind;
use jiff::civil::{Date, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// The last day to answer a request in California: 15 business days for an opt-out (11 CCR 7026(f)(1)) and a limit
/// (11 CCR 7027(g)(1)), so also for a message, which may be either; 45 calendar days for all others (11 CCR 7021(b)). The
/// day of receipt does not count.
#[must_use]
pub fn california_answers_by(kind: Kind, received: Timestamp, zone: &str) -> Date {
    let zone = TimeZone::get(zone).expect("a time zone");
    let mut day = received.to_zoned(zone).date();
    if !matches!(kind, Kind::OptOut | Kind::Limit | Kind::Message) {
        return day + 45.days();
    }
    let mut left = 15;
    while left > 0 {
        day += 1.day();
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        if !weekend && !state_offices_are_closed(day) {
            left -= 1;
        }
    }
    day
}

/// Whether a weekday is a holiday of California's state offices (Gov. Code 19853).
fn state_offices_are_closed(day: Date) -> bool {
    let year = day.year();
    let nth = |month: i8, n: i8, weekday: Weekday| {
        date(year, month, 1).nth_weekday_of_month(n, weekday).expect("a day of that month")
    };
    let thanksgiving = nth(11, 4, Weekday::Thursday);
    let floating = [
        nth(1, 3, Weekday::Monday),
        nth(2, 3, Weekday::Monday),
        nth(5, -1, Weekday::Monday),
        nth(9, 1, Weekday::Monday),
        thanksgiving,
        thanksgiving + 1.day(),
    ];
    // New Year, Cesar Chavez, Independence, Veterans, Christmas: on Sunday they are kept on Monday. Veterans Day on
    // Saturday is kept on Friday.
    let fixed = [(1, 1), (3, 31), (7, 4), (11, 11), (12, 25)].map(|(month, day)| {
        let holiday = date(year, month, day);
        match holiday.weekday() {
            Weekday::Sunday => holiday + 1.day(),
            Weekday::Saturday if month == 11 => holiday - 1.day(),
            _ => holiday,
        }
    });
    floating.contains(&day) || fixed.contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opt_out(received: &str) -> Date {
        california_answers_by(Kind::OptOut, received.parse().unwrap(), "America/Los_Angeles")
    }

    #[test]
    fn fifteen_business_days_skip_thanksgiving_and_the_day_after() {
        assert_eq!(opt_out("2026-11-20T20:00:00Z"), date(2026, 12, 15));
    }

    #[test]
    fn the_day_is_the_tenants_and_not_londons() {
        // Still the 20th in Los Angeles.
        assert_eq!(opt_out("2026-11-21T07:59:00Z"), opt_out("2026-11-20T20:00:00Z"));
        assert_eq!(opt_out("2027-01-01T20:00:00Z"), date(2027, 1, 25));
    }
}
