//! The callers of all tests: fictional numbers and marked words, so that one search finds whatever leaked.
//!
//! Numbers are those that North America keeps free for fiction, 555-0100 to 555-0199, in the area codes below: thousands of
//! them, a different one for each caller. Whatever a caller says holds a [marker](MARKERS).

use phone::{Do, Speech};

/// The callers of `calls`.
pub const CALLS: u16 = 213;
/// The callers of `behaviour`.
pub const BEHAVIOUR: u16 = 310;
/// The callers who hang up, in `behaviour`.
pub const HANG_UPS: u16 = 323;
/// The callers of `webhooks`.
pub const WEBHOOKS: u16 = 408;
/// The callers of `usage`.
pub const USAGE: u16 = 415;
/// The callers of `recordings`.
pub const RECORDINGS: u16 = 424;
/// The callers of `greeting`.
pub const GREETING: u16 = 510;
/// The callers of `isolation`.
pub const ISOLATION: u16 = 530;
/// The callers of `counts`.
pub const COUNTS: u16 = 559;
/// The callers of `desk`.
pub const DESK: u16 = 657;
/// The random callers of `crowd`.
pub const RANDOM: u16 = 562;
/// The simultaneous callers of `crowd`: three hundred.
pub const AT_ONCE: [u16; 3] = [619, 626, 650];
/// The callers of `setup`.
pub const SETUP: u16 = 714;
/// The callers of `rooms`.
pub const ROOMS: u16 = 747;
/// The callers of `hostile`.
pub const HOSTILE: u16 = 805;
/// Those who fill in the forms of `forms`.
pub const FORMS: u16 = 818;
/// Those who make a privacy choice, in `choices`.
pub const CHOICES: u16 = 916;
/// Those who are written to, in `messages`.
pub const MESSAGES: u16 = 925;
/// Those who follow their requests on the web, in `status`.
pub const STATUS: u16 = 831;
/// Who hangs up, in `reminders`.
pub const REMINDERS: u16 = 760;
/// The callers of `reports`.
pub const REPORTS: u16 = 949;
/// Numbers that are not called from, but keyed in.
pub const KEYED: u16 = 707;

const AREAS: [u16; 24] = [
    CALLS, BEHAVIOUR, HANG_UPS, WEBHOOKS, USAGE, RECORDINGS, GREETING, ISOLATION, COUNTS, DESK, RANDOM, AT_ONCE[0],
    AT_ONCE[1], AT_ONCE[2], SETUP, ROOMS, HOSTILE, FORMS, CHOICES, MESSAGES, STATUS, REMINDERS, REPORTS, KEYED,
];

/// One of these is in everything that a caller says; the second is not ASCII, as names often are not.
pub const MARKERS: [&str; 2] = ["quetzalmarker", "ñandúmarcador"];

/// The number of a caller, from 0 to 99.
#[must_use]
pub fn caller(area: u16, n: u8) -> String {
    assert!(AREAS.contains(&area) && n < 100, "{area} 555 01{n:02} is not planted");
    format!("+1{area}55501{n:02}")
}

/// Ten digits as they are keyed, without `#`.
#[must_use]
pub fn keyed(n: u8) -> String {
    caller(KEYED, n)[2..].to_owned()
}

/// Every number that a test's caller may have.
pub fn numbers() -> impl Iterator<Item = String> {
    AREAS.into_iter().flat_map(|area| (0..100).map(move |n| caller(area, n)))
}

/// Words with a marker.
#[must_use]
pub fn words(what: &str) -> String {
    let [plain, accented] = MARKERS;
    format!("{plain} {what} {accented}")
}

/// Says marked words and presses `#`.
#[must_use]
pub fn say(what: &str) -> Do {
    Do::Speak(speech(what).then_key('#'))
}

/// Marked words as something spoken.
#[must_use]
pub fn speech(what: &str) -> Speech {
    Speech::of(&words(what))
}

/// An e-mail address with a marker.
#[must_use]
pub fn email(who: &str) -> String {
    format!("{}.{who}@mail.example", MARKERS[0])
}
