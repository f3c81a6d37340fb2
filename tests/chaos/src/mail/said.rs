//! A mail as SES was given it, and what it is.

use std::collections::BTreeSet;

use domain::reference::Reference;
use domain::reminder::Duty;
use jiff::civil::Date;
use serde_json::Value;

/// To whom it went.
#[must_use]
pub fn to(mail: &Value) -> Option<&str> {
    mail.pointer("/Destination/ToAddresses/0")?.as_str()
}

/// What it is about.
#[must_use]
pub fn subject(mail: &Value) -> &str {
    mail.pointer("/Content/Simple/Subject/Data").and_then(Value::as_str).unwrap_or_default()
}

/// Its plain text.
#[must_use]
pub fn body(mail: &Value) -> &str {
    mail.pointer("/Content/Simple/Body/Text/Data").and_then(Value::as_str).unwrap_or_default()
}

/// The requests that it names, in the order in which it does, each with what is due.
#[must_use]
pub fn named(mail: &Value) -> Vec<(Reference, Duty)> {
    let text = body(mail);
    let lines: Vec<&str> = text.lines().collect();
    let pairs = lines.windows(2).filter_map(|pair| {
        let [says, link] = pair else { return None };
        let reference = Reference::parse(link.trim().rsplit_once("/dashboard/request/")?.1).ok()?;
        let duty = if ["confirm that", "confirmar"].iter().any(|word| says.contains(word)) {
            Duty::Confirm
        } else {
            Duty::Answer
        };
        Some((reference, duty))
    });
    pairs.collect()
}

/// The requests that it names.
#[must_use]
pub fn references(mail: &Value) -> BTreeSet<Reference> {
    named(mail).into_iter().map(|(reference, _)| reference).collect()
}

const MONTHS: [(&str, &str); 12] = [
    ("January", "enero"),
    ("February", "febrero"),
    ("March", "marzo"),
    ("April", "abril"),
    ("May", "mayo"),
    ("June", "junio"),
    ("July", "julio"),
    ("August", "agosto"),
    ("September", "septiembre"),
    ("October", "octubre"),
    ("November", "noviembre"),
    ("December", "diciembre"),
];

/// The dates in a text as they are said in full, in both languages.
#[must_use]
pub fn dates(text: &str) -> Vec<Date> {
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty() && *word != "de").collect();
    let month = |word: &str| {
        let place = MONTHS.iter().position(|(english, spanish)| word == *english || word == *spanish)?;
        i8::try_from(place + 1).ok()
    };
    let date = |year: &str, month: i8, day: &str| Date::new(year.parse().ok()?, month, day.parse().ok()?).ok();
    let read = |three: &[&str]| {
        let [one, two, year] = three else { return None };
        match (month(one), month(two)) {
            (Some(month), _) => date(year, month, two),
            (_, Some(month)) => date(year, month, one),
            _ => None,
        }
    };
    words.windows(3).filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::json;

    use super::*;

    #[test]
    fn dates_are_found_in_both_languages() {
        assert_eq!(dates("Optline report: November 21, 2026"), [date(2026, 11, 21)]);
        assert_eq!(dates("a fecha de hoy, 5 de enero de 2027."), [date(2027, 1, 5)]);
        let week = "November 16, 2026 to November 22, 2026";
        assert_eq!(dates(week), [date(2026, 11, 16), date(2026, 11, 22)]);
    }

    #[test]
    fn a_mail_names_requests_and_what_is_due() {
        let reference = Reference::from_entropy(7);
        let link = format!("  https://x/dashboard/request/{}", reference.as_str());
        let text =
            format!("A\n{reference} · Delete · answer by Jan 5, 2027\n{link}\n{reference} · confirm that\n{link}\n");
        let mail = json!({ "Content": { "Simple": { "Body": { "Text": { "Data": text } } } } });
        assert_eq!(named(&mail), [(reference.clone(), Duty::Answer), (reference, Duty::Confirm)]);
    }
}
