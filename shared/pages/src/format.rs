//! Dates, times, numbers and money as people write them.
//!
//! Spanish is the Spanish of the United States: its dates are its own, its numbers are written as in English
//! (CLDR, locale es-US).

use domain::language::Language;
use jiff::Zoned;
use jiff::civil::{Date, Time};

use crate::texts::either;

const MONTHS: [[&str; 2]; 12] = [
    ["January", "enero"],
    ["February", "febrero"],
    ["March", "marzo"],
    ["April", "abril"],
    ["May", "mayo"],
    ["June", "junio"],
    ["July", "julio"],
    ["August", "agosto"],
    ["September", "septiembre"],
    ["October", "octubre"],
    ["November", "noviembre"],
    ["December", "diciembre"],
];

/// The month's name.
fn month_name(language: Language, month: i8) -> &'static str {
    let [english, spanish] =
        usize::try_from(month - 1).ok().and_then(|index| MONTHS.get(index)).copied().unwrap_or(["", ""]);
    either(language, english, spanish)
}

/// A date, short: "Jan 5, 2027", "5 ene 2027".
#[must_use]
pub fn date(language: Language, date: Date) -> String {
    let month = month_name(language, date.month());
    let month: String = if date.month() == 9 && language == Language::Spanish {
        "sept".to_owned()
    } else {
        month.chars().take(3).collect()
    };
    match language {
        Language::English => format!("{month} {}, {}", date.day(), date.year()),
        Language::Spanish => format!("{} {month} {}", date.day(), date.year()),
    }
}

/// A date in full: "January 5, 2027", "5 de enero de 2027".
#[must_use]
pub fn long_date(language: Language, date: Date) -> String {
    let month = month_name(language, date.month());
    match language {
        Language::English => format!("{month} {}, {}", date.day(), date.year()),
        Language::Spanish => format!("{} de {month} de {}", date.day(), date.year()),
    }
}

/// A month: "January 2027", "enero de 2027".
#[must_use]
pub fn month(language: Language, date: Date) -> String {
    let month = month_name(language, date.month());
    match language {
        Language::English => format!("{month} {}", date.year()),
        Language::Spanish => format!("{month} de {}", date.year()),
    }
}

/// The same at the beginning of a heading or a button: "Enero de 2027".
#[must_use]
pub fn month_title(language: Language, date: Date) -> String {
    let month = month(language, date);
    let mut letters = month.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The time of day: "3:07 PM", "3:07 p. m.".
#[must_use]
pub fn time(language: Language, time: Time) -> String {
    let hour = match time.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let half = if time.hour() < 12 { either(language, "AM", "a. m.") } else { either(language, "PM", "p. m.") };
    // A no-break space keeps the time on one line.
    format!("{hour}:{:02}\u{a0}{}", time.minute(), half.replace(' ', "\u{a0}"))
}

/// A date and a time of day, in the zone of the moment given: "Jan 5, 2027, 3:07 PM".
#[must_use]
pub fn date_time(language: Language, at: &Zoned) -> String {
    format!("{}, {}", date(language, at.date()), time(language, at.time()))
}

/// A whole number with its thousands apart: "1,234,567".
#[must_use]
pub fn number(n: impl Into<i128>) -> String {
    let n = n.into();
    let digits = n.unsigned_abs().to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3 + 1);
    if n < 0 {
        // A true minus sign, which is as wide as a digit and read as what it is.
        grouped.push('\u{2212}');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number given in tenths, without a needless `.0`: 125 is "12.5", 120 is "12".
#[must_use]
pub fn tenths(tenths: u64) -> String {
    match tenths % 10 {
        0 => number(tenths / 10),
        rest => format!("{}.{rest}", number(tenths / 10)),
    }
}

/// Dollars, given in cents: "$1,234.50".
#[must_use]
pub fn money(cents: i64) -> String {
    let sign = if cents < 0 { "\u{2212}" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}${}.{:02}", number(cents / 100), cents % 100)
}

/// A share of a whole in whole percent, or a dash when there is no whole: "97 %" is written "97%".
#[must_use]
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let (part, whole) = (u128::from(part), u128::from(whole));
    // Rounded down, so that 100% means all of them.
    format!("{}%", part * 100 / whole)
}

/// How long something took: "45 s", "3 min 20 s", "2 h 5 min".
#[must_use]
pub fn duration(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let parts = match (hours, minutes, rest) {
        (0, 0, s) => format!("{s} s"),
        (0, m, 0) => format!("{m} min"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, 0, _) => format!("{} h", number(h)),
        (h, m, _) => format!("{} h {m} min", number(h)),
    };
    parts.replace(' ', "\u{a0}")
}

/// How long to wait, in words and never too short: "1 minute", "20 segundos".
#[must_use]
pub fn wait(language: Language, seconds: u64) -> String {
    let (n, one, other) = match seconds {
        0..=90 => (seconds.max(1), ["second", "segundo"], ["seconds", "segundos"]),
        91..=5_400 => (seconds.div_ceil(60), ["minute", "minuto"], ["minutes", "minutos"]),
        _ => (seconds.div_ceil(3_600), ["hour", "hora"], ["hours", "horas"]),
    };
    let [english, spanish] = if n == 1 { one } else { other };
    format!("{} {}", number(n), either(language, english, spanish))
}

/// A file's size: "512 bytes", "2.4 MB".
#[must_use]
pub fn size(bytes: u64) -> String {
    match bytes {
        0..=999 => format!("{bytes}\u{a0}bytes"),
        1_000..=999_999 => format!("{}\u{a0}KB", bytes / 1_000),
        _ => format!("{}\u{a0}MB", tenths(bytes / 100_000)),
    }
}

/// Days until a date, in words: "3 days left", "today", "2 days overdue".
#[must_use]
pub fn days_left(language: Language, days: i32) -> String {
    match (language, days) {
        (Language::English, 0) => "due today".to_owned(),
        (Language::English, 1) => "1 day left".to_owned(),
        (Language::English, -1) => "1 day overdue".to_owned(),
        (Language::English, 2..) => format!("{} days left", number(days)),
        (Language::English, _) => format!("{} days overdue", number(days.unsigned_abs())),
        (Language::Spanish, 0) => "vence hoy".to_owned(),
        (Language::Spanish, 1) => "queda 1 día".to_owned(),
        (Language::Spanish, -1) => "venció hace 1 día".to_owned(),
        (Language::Spanish, 2..) => format!("quedan {} días", number(days)),
        (Language::Spanish, _) => format!("venció hace {} días", number(days.unsigned_abs())),
    }
}

/// Several things in one phrase: "a, b and c", "a, b y c".
#[must_use]
pub fn list<S: AsRef<str>>(language: Language, things: &[S]) -> String {
    match things {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [first @ .., last] => {
            let last = last.as_ref();
            let and = match language {
                Language::English => "and",
                // "y" becomes "e" before the sound i: "padres e hijos".
                Language::Spanish if starts_with_i(last) => "e",
                Language::Spanish => "y",
            };
            format!("{} {and} {last}", first.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", "))
        }
    }
}

fn starts_with_i(word: &str) -> bool {
    let word = word.to_lowercase();
    (word.starts_with('i') || word.starts_with('í') || word.starts_with("hi"))
        && !word.starts_with("hie")
        && !word.starts_with("hia")
}

#[cfg(test)]
mod tests {
    use jiff::civil;

    use super::*;
    use Language::{English, Spanish};

    #[test]
    fn dates_read_as_in_each_language() {
        let day = civil::date(2027, 1, 5);
        assert_eq!(date(English, day), "Jan 5, 2027");
        assert_eq!(date(Spanish, day), "5 ene 2027");
        assert_eq!(date(Spanish, civil::date(2027, 9, 30)), "30 sept 2027");
        assert_eq!(long_date(English, day), "January 5, 2027");
        assert_eq!(long_date(Spanish, day), "5 de enero de 2027");
        assert_eq!(month(Spanish, day), "enero de 2027");
        assert_eq!(month_title(Spanish, day), "Enero de 2027");
    }

    #[test]
    fn midnight_and_noon_are_twelve() {
        assert_eq!(time(English, civil::time(0, 5, 0, 0)), "12:05\u{a0}AM");
        assert_eq!(time(English, civil::time(12, 0, 0, 0)), "12:00\u{a0}PM");
        assert_eq!(time(Spanish, civil::time(15, 7, 0, 0)), "3:07\u{a0}p.\u{a0}m.");
    }

    #[test]
    fn numbers_have_their_thousands_apart() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_000), "1,000");
        assert_eq!(number(-1_234_567), "\u{2212}1,234,567");
        assert_eq!(number(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(tenths(125), "12.5");
        assert_eq!(tenths(10_000), "1,000");
        assert_eq!(money(123_450), "$1,234.50");
        assert_eq!(money(-5), "\u{2212}$0.05");
    }

    #[test]
    fn a_hundred_percent_means_all_of_them() {
        assert_eq!(percent(999, 1_000), "99%");
        assert_eq!(percent(1_000, 1_000), "100%");
        assert_eq!(percent(0, 0), "–");
        assert_eq!(percent(u64::MAX, u64::MAX), "100%");
    }

    #[test]
    fn spans_of_time_use_the_two_largest_units() {
        assert_eq!(duration(45), "45\u{a0}s");
        assert_eq!(duration(200), "3\u{a0}min\u{a0}20\u{a0}s");
        assert_eq!(duration(7_500), "2\u{a0}h\u{a0}5\u{a0}min");
        assert_eq!(wait(English, 1), "1 second");
        assert_eq!(wait(Spanish, 600), "10 minutos");
        assert_eq!(wait(English, 5_401), "2 hours");
        assert_eq!(size(2_400_000), "2.4\u{a0}MB");
    }

    #[test]
    fn a_date_is_ahead_today_or_past() {
        assert_eq!(
            [-2, -1, 0, 1, 3].map(|days| days_left(English, days)),
            ["2 days overdue", "1 day overdue", "due today", "1 day left", "3 days left"]
        );
        assert_eq!(
            [-2, -1, 0, 1, 3].map(|days| days_left(Spanish, days)),
            ["venció hace 2 días", "venció hace 1 día", "vence hoy", "queda 1 día", "quedan 3 días"]
        );
    }

    #[test]
    fn a_list_ends_in_and() {
        assert_eq!(list(English, &["a", "b", "c"]), "a, b and c");
        assert_eq!(list(Spanish, &["padres", "hijos"]), "padres e hijos");
        assert_eq!(list(Spanish, &["agua", "hielo"]), "agua y hielo");
        assert_eq!(list::<&str>(English, &[]), "");
    }
}
