//! Dates worked out by hand with a wall calendar, each for the reason beside it.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Basis, Due, clocks};
use crate::jurisdiction::Jurisdiction;
use crate::request::Kind;

const LOS_ANGELES: &str = "America/Los_Angeles";
const NEW_YORK: &str = "America/New_York";
const CHICAGO: &str = "America/Chicago";

/// Jurisdictions, kind, time of receipt, time zone; date of receipt, confirm by, respond by, extended to; why.
type Example = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

#[rustfmt::skip]
const EXAMPLES: [Example; 46] = [
    // California, business days.
    ("us-ca", "delete", "2026-11-20T18:00:00Z", LOS_ANGELES, "2026-11-20", "2026-12-08", "2027-01-04", "2027-02-18", "Thanksgiving and the day after are not counted; the year turns"),
    ("us-ca", "opt-out", "2026-11-20T18:00:00Z", LOS_ANGELES, "2026-11-20", "-", "2026-12-15", "-", "15 business days over Thanksgiving, and no extension"),
    ("us-ca", "opt-out", "2026-12-24T20:00:00Z", LOS_ANGELES, "2026-12-24", "-", "2027-01-19", "-", "Christmas, New Year's Day and Dr. King's day are not counted"),
    ("us-ca", "opt-out", "2026-12-25T20:00:00Z", LOS_ANGELES, "2026-12-25", "-", "2027-01-19", "-", "received on a holiday: the same day as when received the day before"),
    ("us-ca", "opt-out", "2026-06-06T19:00:00Z", LOS_ANGELES, "2026-06-06", "-", "2026-06-26", "-", "received on a Saturday; on Juneteenth California's offices are open, so it counts"),
    ("us-ca", "opt-out", "2026-06-07T19:00:00Z", LOS_ANGELES, "2026-06-07", "-", "2026-06-26", "-", "received on the Sunday after: Monday is still the first day"),
    ("us-ca", "opt-out", "2026-06-08T19:00:00Z", LOS_ANGELES, "2026-06-08", "-", "2026-06-29", "-", "received on Monday: Tuesday is the first day"),
    ("us-ca", "opt-out", "2027-06-25T19:00:00Z", LOS_ANGELES, "2027-06-25", "-", "2027-07-19", "-", "4 July 2027 is a Sunday: Monday the 5th is kept"),
    ("us-ca", "opt-out", "2026-06-26T19:00:00Z", LOS_ANGELES, "2026-06-26", "-", "2026-07-17", "-", "4 July 2026 is a Saturday: Friday the 3rd is a business day"),
    ("us-ca", "opt-out", "2023-11-06T18:00:00Z", LOS_ANGELES, "2023-11-06", "-", "2023-11-30", "-", "Veterans Day 2023 is a Saturday and kept on Friday the 10th; then Thanksgiving"),
    ("us-ca", "limit", "2024-03-22T19:00:00Z", LOS_ANGELES, "2024-03-22", "-", "2024-04-15", "-", "Cesar Chavez Day 2024 is a Sunday, Easter at that: Monday 1 April is kept"),
    ("us-ca", "delete", "2026-03-20T19:00:00Z", LOS_ANGELES, "2026-03-20", "2026-04-06", "2026-05-04", "2026-06-18", "Cesar Chavez Day on a Tuesday"),
    ("us-ca", "opt-out", "2022-12-16T19:00:00Z", LOS_ANGELES, "2022-12-16", "-", "2023-01-10", "-", "Christmas and New Year's Day both on Sundays: both Mondays are kept"),
    ("us-ca", "opt-out", "2027-12-17T19:00:00Z", LOS_ANGELES, "2027-12-17", "-", "2028-01-07", "-", "Christmas and New Year's Day both on Saturdays: no day is given for them"),
    ("us-ca", "message", "2026-02-12T20:00:00Z", LOS_ANGELES, "2026-02-12", "2026-02-27", "2026-03-06", "-", "a message may be an opt-out, and is confirmed like a request to know; Presidents' Day is kept, Lincoln Day not"),
    ("us-ca", "correct", "2026-05-15T19:00:00Z", LOS_ANGELES, "2026-05-15", "2026-06-01", "2026-06-29", "2026-08-13", "Memorial Day, the last Monday of May, is not counted"),
    ("us-ca", "know-specific", "2026-08-28T19:00:00Z", LOS_ANGELES, "2026-08-28", "2026-09-14", "2026-10-12", "2026-11-26", "Labor Day is not counted, Admission Day is; a holiday stays the last day of a calendar clock"),

    // Midnight.
    ("us-ca", "delete", "2026-11-21T07:59:59Z", LOS_ANGELES, "2026-11-20", "2026-12-08", "2027-01-04", "2027-02-18", "a second before midnight in Los Angeles, though the 21st in London"),
    ("us-ca", "delete", "2026-11-21T08:00:00Z", LOS_ANGELES, "2026-11-21", "2026-12-08", "2027-01-05", "2027-02-19", "midnight: the calendar clock moves, the business clock not, for it is a Saturday"),
    ("us-ca", "delete", "2026-11-21T05:00:00Z", NEW_YORK, "2026-11-21", "2026-12-08", "2027-01-05", "2027-02-19", "midnight in New York"),
    ("us-ca", "delete", "2026-11-21T05:00:00Z", LOS_ANGELES, "2026-11-20", "2026-12-08", "2027-01-04", "2027-02-18", "the same moment is still the day before in Los Angeles"),
    ("us-ca", "know-categories", "2026-07-01T06:59:59Z", "America/Phoenix", "2026-06-30", "2026-07-14", "2026-08-14", "2026-09-28", "Arizona keeps no summer time: not yet July there"),
    ("us-va", "delete", "2026-01-01T09:59:00Z", "Pacific/Honolulu", "2025-12-31", "-", "2026-02-14", "2026-03-31", "still last year in Hawaii"),
    ("us-va", "delete", "2025-12-31T14:00:00Z", "Pacific/Guam", "2026-01-01", "-", "2026-02-15", "2026-04-01", "already next year on Guam"),

    // Summer time begins and ends.
    ("us-va", "delete", "2026-03-08T06:59:59Z", NEW_YORK, "2026-03-08", "-", "2026-04-22", "2026-06-06", "a second before the clocks go forward; 45 days are 45 dates, not 45 times 24 hours"),
    ("us-ca", "delete", "2026-03-09T07:30:00Z", LOS_ANGELES, "2026-03-09", "2026-03-23", "2026-04-23", "2026-06-07", "half past midnight in summer time, which winter time would call the day before"),
    ("us-ca", "limit", "2026-11-02T07:30:00Z", LOS_ANGELES, "2026-11-01", "-", "2026-11-23", "-", "half past eleven in winter time, which summer time would call the day after; Veterans Day on a Wednesday"),
    ("us-va", "correct", "2026-11-01T05:30:00Z", NEW_YORK, "2026-11-01", "-", "2026-12-16", "2027-01-30", "half past one, the first time"),
    ("us-va", "correct", "2026-11-01T06:30:00Z", NEW_YORK, "2026-11-01", "-", "2026-12-16", "2027-01-30", "half past one, the second time"),

    // February.
    ("us-va", "delete", "2028-01-15T17:00:00Z", NEW_YORK, "2028-01-15", "-", "2028-02-29", "2028-04-14", "the last day is the leap day"),
    ("us-va", "delete", "2027-01-15T17:00:00Z", NEW_YORK, "2027-01-15", "-", "2027-03-01", "2027-04-15", "the same in a year without one"),
    ("us-va", "delete", "2028-02-29T17:00:00Z", NEW_YORK, "2028-02-29", "-", "2028-04-14", "2028-05-29", "received on the leap day"),
    ("us-ca", "opt-out", "2028-02-18T19:00:00Z", LOS_ANGELES, "2028-02-18", "-", "2028-03-13", "-", "the leap day, a Tuesday, is a business day; Presidents' Day is none"),

    // States that differ.
    ("us-fl", "delete", "2026-01-10T17:00:00Z", NEW_YORK, "2026-01-10", "-", "2026-02-24", "2026-03-11", "Florida extends by 15 days only"),
    ("us-ia", "delete", "2026-01-01T18:00:00Z", CHICAGO, "2026-01-01", "-", "2026-04-01", "2026-05-16", "Iowa gives 90 days, and 45 more"),
    ("us-nv", "opt-out", "2026-06-01T19:00:00Z", LOS_ANGELES, "2026-06-01", "-", "2026-07-31", "2026-08-30", "Nevada gives 60 days, and 30 more"),
    ("us-va", "opt-out", "2026-06-01T16:00:00Z", NEW_YORK, "2026-06-01", "-", "2026-07-16", "2026-08-30", "an opt-out outside California has the same 45 days as the rest"),

    // Several states: the strictest of each date.
    ("us-ia us-va", "delete", "2026-01-01T18:00:00Z", CHICAGO, "2026-01-01", "-", "2026-02-15", "2026-04-01", "Virginia's 45 days, and its extension too, for Iowa's would end later"),
    ("us-va us-fl", "delete", "2026-01-10T17:00:00Z", NEW_YORK, "2026-01-10", "-", "2026-02-24", "2026-03-11", "equal answers; Florida's extension ends first"),
    ("us-nv us-ca", "opt-out", "2026-06-01T19:00:00Z", LOS_ANGELES, "2026-06-01", "-", "2026-06-22", "-", "California's 15 business days; Nevada's extension is of no use, California has none"),
    ("us-nv us-fl", "opt-out", "2026-01-10T17:00:00Z", NEW_YORK, "2026-01-10", "-", "2026-02-24", "2026-03-11", "Florida's 45 and 15 days are both before Nevada's 60 and 30"),

    // Laws that are not there yet, and rights that a law does not give.
    ("us-ok", "delete", "2027-01-01T05:59:59Z", CHICAGO, "2026-12-31", "2027-01-15", "2027-02-14", "2027-03-31", "a second before Oklahoma's law: California's rule by default"),
    ("us-ok", "delete", "2027-01-01T06:00:00Z", CHICAGO, "2027-01-01", "-", "2027-02-15", "2027-04-01", "Oklahoma's first second"),
    ("us-ut", "correct", "2026-07-01T06:00:00Z", "America/Denver", "2026-07-01", "-", "2026-08-15", "2026-09-29", "Utah's right to correct begins"),
    ("us-va", "limit", "2026-06-01T16:00:00Z", NEW_YORK, "2026-06-01", "-", "2026-06-22", "-", "Virginia knows no request to limit: California's rule by default"),
    ("", "delete", "2026-03-20T19:00:00Z", LOS_ANGELES, "2026-03-20", "2026-04-06", "2026-05-04", "2026-06-18", "no jurisdiction named: California's rule by default"),
];

fn day(due: Option<&Due>) -> String {
    due.map_or_else(|| "-".to_owned(), |due| due.date.to_string())
}

#[test]
fn the_dates_are_those_worked_out_by_hand() {
    for (places, kind, received, zone, received_on, confirm_by, respond_by, extended_to, why) in EXAMPLES {
        let places: Vec<_> = places.split_whitespace().map(|place| Jurisdiction::parse(place).unwrap()).collect();
        let tz = TimeZone::get(zone).unwrap();
        let clocks = clocks(&places, Kind::parse(kind).unwrap(), received.parse().unwrap(), &tz).unwrap();
        let by_default = why.ends_with("California's rule by default");
        assert_eq!(clocks.basis, if by_default { Basis::CaliforniaByDefault } else { Basis::Tenant }, "{why}");
        assert_eq!(clocks.received_on, received_on.parse::<Date>().unwrap(), "received: {why}");
        assert_eq!(day(clocks.confirm_by.as_ref()), confirm_by, "confirm by: {why}");
        assert_eq!(day(Some(&clocks.respond_by)), respond_by, "respond by: {why}");
        assert_eq!(day(clocks.extension.as_ref()), extended_to, "extended to: {why}");
    }
}
