//! Looks for what was planted, in every form in which it could lie somewhere: as it is, escaped, in base64, in
//! hexadecimal, a number as people write and say it, and under a hash that anybody can compute.

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::hotline::Hotline;
use crate::planted;
use crate::unseal::{hex, sha256};

/// Something planted, in clear where it must not be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    /// Table, queue, bucket or log group, and what in it.
    pub place: String,
    /// What was found.
    pub what: String,
}

/// What has been looked at, so that an empty cloud does not pass for a clean one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Items of tables.
    pub items: usize,
    /// Messages in queues.
    pub messages: usize,
    /// Objects in buckets.
    pub objects: usize,
    /// Lines in logs.
    pub lines: usize,
    /// Mails and text messages that were sent.
    pub sent: usize,
}

/// Whom the mail and the text message go to that the scan must find. What was sent cannot be taken back, so a later scan
/// knows them by this.
pub const CANARIES: [&str; 2] = ["canary@example.com", "+15005550006"];

/// Finds all that was planted, in one pass.
pub struct Scanner {
    forms: AhoCorasick,
    what: Vec<Planted>,
}

struct Planted {
    name: String,
    /// Ten digits in a row, which also occur by chance in a longer row of random ones.
    bare_digits: bool,
}

impl Scanner {
    /// For all [planted] numbers and words, and for the sound of every caller's voice.
    #[must_use]
    pub fn of_everything_planted() -> Self {
        let mut forms: Vec<Vec<u8>> = vec![];
        let mut what = vec![];
        let mut add = |form: Vec<u8>, name: &str, bare_digits: bool| {
            forms.push(form);
            what.push(Planted { name: name.to_owned(), bare_digits });
        };
        for marker in planted::MARKERS {
            let name = format!("the spoken word {marker}");
            for form in of_bytes(marker.as_bytes()) {
                add(form, &name, false);
            }
            add(escaped(marker).into_bytes(), &name, false);
            add(form_urlencoded::byte_serialize(marker.as_bytes()).collect::<String>().into_bytes(), &name, false);
        }
        // What the telephone makes of any voice; and how its file begins.
        let tone = [[0x70; 10], [0x90; 10], [0x70; 10]].concat();
        for form in of_bytes(&tone).into_iter().chain(of_bytes(b"WAVEfmt ")) {
            add(form, "a caller's voice", false);
        }
        for number in planted::numbers() {
            let name = format!("the number {number}");
            let (area, line) = (&number[2..5], &number[8..]);
            add(number[2..].into(), &name, true);
            for written in [format!("{area}-555-{line}"), format!("{area}) 555-{line}"), format!("{area} 555 {line}")] {
                add(written.into(), &name, false);
            }
            let spoken: Vec<String> = number[2..].chars().map(String::from).collect();
            let groups = [&spoken[..3], &spoken[3..6], &spoken[6..]].map(|group| group.join(" "));
            add(groups.join(", ").into(), &name, false);
            add(spoken.join(" ").into(), &name, false);
            for form in of_bytes(&number.as_bytes()[2..]).into_iter().skip(1) {
                add(form, &name, false);
            }
            add(sha256(number.as_bytes()).into(), &name, false);
        }
        let forms = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(true)
            .build(forms)
            .expect("an automaton");
        Self { forms, what }
    }

    /// What lies in some bytes.
    #[must_use]
    pub fn look(&self, place: &str, bytes: &[u8]) -> Vec<Leak> {
        let found = self.forms.find_iter(bytes).filter_map(|found| {
            let planted = &self.what[found.pattern().as_usize()];
            let by_chance = planted.bare_digits && in_a_longer_row(bytes, found.start(), found.end());
            (!by_chance).then(|| Leak { place: place.to_owned(), what: planted.name.clone() })
        });
        let mut leaks: Vec<Leak> = found.collect();
        leaks.sort();
        leaks.dedup();
        leaks
    }

    /// What lies in every table, queue, bucket and log of the hotline's stack, and in all that it has sent.
    pub async fn look_everywhere(&self, hotline: &Hotline) -> (Vec<Leak>, Looked) {
        let (mut leaks, mut looked) = (vec![], Looked::default());
        let cloud = &hotline.cloud;
        for table in names(&cloud.call("dynamodb:ListTables", json!({})).await, "TableNames") {
            for item in cloud.scan(&table, json!({})).await {
                looked.items += 1;
                let place = format!("table {table}, item {} {}", item["pk"], item["sk"]);
                leaks.extend(self.look(&place, item.to_string().as_bytes()));
                for bytes in binaries(&item) {
                    leaks.extend(self.look(&place, &bytes));
                }
            }
        }
        for queue in names(&cloud.call("sqs:ListQueues", json!({ "MaxResults": 1000 })).await, "QueueUrls") {
            for body in cloud.messages(&queue).await {
                looked.messages += 1;
                leaks.extend(self.look(&format!("queue {queue}"), body.as_bytes()));
            }
        }
        for (name, bucket) in &hotline.at.buckets {
            for key in cloud.keys(bucket, "").await {
                looked.objects += 1;
                let place = format!("bucket {bucket}, object {key}");
                leaks.extend(self.look(&place, key.as_bytes()));
                let bytes = cloud.object(bucket, &key).await.unwrap_or_else(|| panic!("{key} cannot be read"));
                // A greeting is sound that every caller may hear; what people say is sealed, in another bucket.
                let found = self.look(&place, &bytes).into_iter();
                leaks.extend(found.filter(|leak| name != "greetings" || leak.what != "a caller's voice"));
            }
        }
        for group in cloud.log_groups().await {
            for (stream, line) in cloud.log(&group, None).await {
                looked.lines += 1;
                leaks.extend(self.look(&format!("log {group} {stream}: {line}"), line.as_bytes()));
            }
        }
        for (to, message) in cloud.outbox().await {
            looked.sent += 1;
            // Whoever it goes to is named on it, and nothing else of them, or of anybody else, is.
            let kind = if to.iter().any(|address| address.contains('@')) { "mail" } else { "text message" };
            let canary = if to.iter().any(|address| CANARIES.contains(&address.as_str())) { ", a canary" } else { "" };
            leaks.extend(self.look(&format!("{kind}{canary}"), without(&message, &to).as_bytes()));
        }
        (leaks, looked)
    }
}

/// What was sent, but for the addresses that it was sent to.
fn without(message: &Value, to: &[String]) -> String {
    let spellings = to.iter().flat_map(|address| {
        let quoted = address.replace('+', "%2B").replace('@', "%40");
        [address.clone(), quoted]
    });
    spellings.filter(|it| !it.is_empty()).fold(message.to_string(), |text, address| text.replace(&address, ""))
}

/// Bytes as they are, in hexadecimal, and in base64 wherever in it they begin.
fn of_bytes(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![bytes.to_vec(), hex(bytes).into_bytes()];
    for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        for before in 0..3 {
            let encoded = alphabet.encode([vec![0; before], bytes.to_vec()].concat());
            // The first characters depend on what comes before, the last one on what follows.
            let whole = (before + bytes.len()) * 8 / 6;
            forms.push(encoded.as_bytes()[(before * 8).div_ceil(6)..whole].to_vec());
        }
    }
    forms
}

/// A text as JSON may have it, in ASCII only.
fn escaped(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) }).collect()
}

/// Whether ten digits are only part of a row of hexadecimal ones. North America's country code may stand before them,
/// and before that an escaped `+`.
fn in_a_longer_row(bytes: &[u8], start: usize, end: usize) -> bool {
    let before = &bytes[..start];
    let before = before.strip_suffix(b"1").unwrap_or(before);
    let before = before.strip_suffix(b"%2B").unwrap_or(before);
    let row = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    row(before.last()) || row(bytes.get(end))
}

/// All binary values in an item of DynamoDB's JSON.
fn binaries(value: &Value) -> Vec<Vec<u8>> {
    let decoded = |text: &Value| text.as_str().and_then(|text| STANDARD.decode(text).ok());
    match value {
        Value::Object(object) => {
            let inner = object.iter().flat_map(|(name, value)| match (name.as_str(), value) {
                ("B", text) => decoded(text).into_iter().collect(),
                ("BS", Value::Array(texts)) => texts.iter().filter_map(decoded).collect(),
                (_, other) => binaries(other),
            });
            inner.collect()
        }
        Value::Array(list) => list.iter().flat_map(binaries).collect(),
        _ => vec![],
    }
}

fn names(answer: &Value, list: &str) -> Vec<String> {
    let names = answer[list].as_array().unwrap_or_else(|| panic!("no {list} in {answer}"));
    names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finder() -> impl Fn(&[u8]) -> bool {
        let scanner = Scanner::of_everything_planted();
        move |haystack| !scanner.look("here", haystack).is_empty()
    }

    #[test]
    fn what_was_planted_is_found_in_every_form() {
        let finds = finder();
        let number = planted::caller(planted::CALLS, 42);
        let said = planted::words("is my name");
        for text in [
            format!("From={number}&To="),
            form_urlencoded::byte_serialize(number.as_bytes()).collect(),
            format!("{{\"contact\":\"{}\"}}", &number[2..]),
            "call 213-555-0142 or (213) 555-0142".to_owned(),
            "You keyed 2 1 3, 5 5 5, 0 1 4 2.".to_owned(),
            format!("number#{}", sha256(number.as_bytes())),
            hex(number.as_bytes()),
            said.clone(),
            said.to_uppercase(),
            escaped(&said[said.len() - 18..]),
            form_urlencoded::byte_serialize(said.as_bytes()).collect(),
        ] {
            assert!(finds(text.as_bytes()), "{text}");
        }
        let audio = planted::speech("is my name").audio;
        assert!(finds(&audio) && finds(&audio[100..]));
        for before in 0..4 {
            let shifted = |bytes: &[u8]| STANDARD.encode([vec![b'x'; before], bytes.to_vec()].concat());
            assert!(finds(shifted(number.as_bytes()).as_bytes()), "{before}");
            assert!(finds(shifted(said.as_bytes()).as_bytes()), "{before}");
            assert!(finds(shifted(&audio[60..]).as_bytes()), "{before}");
        }
    }

    #[test]
    fn a_mail_may_name_whom_it_goes_to_and_nobody_else() {
        let finds = finder();
        let (mine, other) = (planted::email("a"), planted::email("b"));
        let mail = |body: &str| json!({ "To": [mine], "Subject": "Your request", "BodyText": body });
        assert!(!finds(without(&mail("Hello."), std::slice::from_ref(&mine)).as_bytes()));
        for body in [other, planted::words("is my name"), planted::caller(planted::CALLS, 42)] {
            assert!(finds(without(&mail(&body), std::slice::from_ref(&mine)).as_bytes()), "{body}");
        }
    }

    #[test]
    fn what_was_not_planted_is_not_found() {
        let finds = finder();
        for text in [
            "CA00000000000000002135550142abcdef0123",
            "2f21355501420a",
            "+18665550100",
            "+12125550142",
            "quetzal marker",
            "the caller confirmed the request on the telephone",
        ] {
            assert!(!finds(text.as_bytes()), "{text}");
        }
    }
}
