//! Everybody's mail and text messages: the local cloud keeps them instead of delivering them.

use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use maud::{DOCTYPE, PreEscaped, html};
use serde_json::Value;

use crate::town::Town;

/// One thing that was sent.
struct Letter {
    at: Timestamp,
    to: String,
    subject: String,
    text: String,
}

/// All of it for a person, the newest first.
pub(crate) async fn page(State(town): State<Town>) -> Response {
    let stack = match town.stack() {
        Ok(stack) => stack,
        Err(why) => return why.into_response(),
    };
    let read = async |path: &str| {
        let bytes = town.get(&stack, &format!("{}{path}", stack.aws_endpoint)).await.unwrap_or_default();
        serde_json::from_slice::<Value>(&bytes).unwrap_or_default()
    };
    let mut letters = mails(&read("/_ministack/ses/messages").await);
    letters.extend(texts(&read("/_ministack/sns/sms-messages").await));
    letters.sort_by_key(|letter| std::cmp::Reverse(letter.at));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="refresh" content="5";
                title { "The local mailbox" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { "The local mailbox" }
                    p { "Every e-mail and text message that the local cloud was given, the newest first." }
                    @if letters.is_empty() { p { "Nothing yet." } }
                    @for letter in letters.iter().take(200) {
                        article {
                            h2 { (letter.subject) }
                            p.head { "To " (letter.to) ", " (letter.at.strftime("%Y-%m-%d %H:%M:%S UTC")) }
                            pre { @for part in parts(&letter.text) { (part) } }
                        }
                    }
                }
            }
        }
    };
    Html(page.into_string()).into_response()
}

/// A text with its addresses as links.
fn parts(text: &str) -> Vec<maud::Markup> {
    text.split_inclusive(char::is_whitespace)
        .map(|word| match word.trim_end() {
            link if link.starts_with("http://") || link.starts_with("https://") => {
                html! { a href=(link) { (link) } (word.get(link.len()..).unwrap_or_default()) }
            }
            _ => html! { (word) },
        })
        .collect()
}

fn mails(found: &Value) -> Vec<Letter> {
    each(found, |mail| {
        let to = mail["To"].as_array()?.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
        Some(Letter {
            at: moment(&mail["Timestamp"]),
            to,
            subject: mail["Subject"].as_str()?.to_owned(),
            text: mail["BodyText"].as_str().unwrap_or_default().to_owned(),
        })
    })
}

fn texts(found: &Value) -> Vec<Letter> {
    each(found, |text| {
        let to = ["PhoneNumber", "phone_number", "To"].iter().find_map(|name| text[*name].as_str())?;
        let said = ["Message", "message", "Body"].iter().find_map(|name| text[*name].as_str())?;
        let at = ["Timestamp", "timestamp"].iter().map(|name| &text[*name]).find(|value| !value.is_null());
        Some(Letter {
            at: at.map_or_else(crate::now, moment),
            to: to.to_owned(),
            subject: "Text message".into(),
            text: said.into(),
        })
    })
}

/// What was sent lies by account: `{"messages": {"000000000000": […]}}`.
fn each(found: &Value, letter: impl Fn(&Value) -> Option<Letter>) -> Vec<Letter> {
    let by_account = found["messages"].as_object().into_iter().flat_map(|accounts| accounts.values());
    by_account.filter_map(Value::as_array).flatten().filter_map(letter).collect()
}

/// Seconds since 1970, or a date in words.
fn moment(value: &Value) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds are enough to read a mail by")]
    let seconds = value.as_f64().map(|seconds| seconds as i64);
    let parsed = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    parsed.or_else(|| value.as_str()?.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH)
}

const STYLE: &str = "body{margin:0;font:17px/1.55 system-ui,sans-serif;color:#16211f;background:#eef2f1}\
    main{max-width:46rem;margin:2rem auto;padding:0 1rem}article{background:#fff;border:1px solid #cdd8d5;border-radius:.6rem;padding:1rem 1.25rem;margin-top:1rem}\
    h2{font-size:1.1rem;margin:0}.head{margin:.2rem 0 .8rem;color:#4b5d59}pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere;font:inherit}";
