//! A browser, as far as the dashboard needs one: it keeps cookies, and sends a page's form back with its hidden fields.

use std::collections::BTreeMap;

use axum::body::Bytes;

use crate::Error;
use crate::gateway::{Answer, BASE_URL, Request};

/// What a browser of these days sends with every page; the rest is compression and hints that nobody reads.
const HEADERS: [(&str, &str); 4] = [
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("accept-language", "en-US,en;q=0.9"),
    ("sec-fetch-site", "same-origin"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"),
];

/// Cookies by name.
#[derive(Debug, Clone, Default)]
pub struct Browser(BTreeMap<String, String>);

impl Browser {
    /// The event of opening an address.
    #[must_use]
    pub fn open(&self, url: &str) -> Bytes {
        Request { method: "GET", url, headers: &HEADERS, cookies: &self.cookies(), form: None }.event()
    }

    /// The event of sending a form.
    #[must_use]
    pub fn send(&self, url: &str, fields: &[(String, String)]) -> Bytes {
        let origin = [("origin", BASE_URL)];
        let headers: Vec<_> = HEADERS.into_iter().chain(origin).collect();
        Request { method: "POST", url, headers: &headers, cookies: &self.cookies(), form: Some(fields) }.event()
    }

    /// Keeps and forgets the cookies that an answer says.
    pub fn keep(&mut self, answer: &Answer) {
        for cookie in &answer.cookies {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            if attributes.split(';').any(|attribute| attribute.trim() == "Max-Age=0") {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    fn cookies(&self) -> Vec<(String, String)> {
        self.0.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// The first form of a page that has a field called `field`, filled in: where it goes and what it sends. What is not
/// in `filled` is sent as the page has it; a list is not, unless it is in `filled`.
pub fn form(page: &str, field: &str, filled: &[(&str, &str)]) -> Result<(String, Vec<(String, String)>), Error> {
    let forms = page.split("<form").skip(1).filter_map(|form| form.split_once("</form>").map(|(form, _)| form));
    let found = forms.map(tags).find(|tags| tags.iter().any(|tag| attribute(tag, "name").as_deref() == Some(field)));
    let tags = found.ok_or_else(|| Error::say("a page", &format!("has no form with {field}"), &page))?;
    let action = tags.first().and_then(|form| attribute(form, "action")).unwrap_or_default();
    let chosen = |tag: &&String| match attribute(tag, "type").as_deref() {
        Some("checkbox" | "radio") => tag.split_whitespace().any(|word| word.trim_end_matches('/') == "checked"),
        _ => true,
    };
    let inputs = tags.iter().filter(|tag| tag.starts_with("input")).filter(chosen);
    let mut fields: Vec<(String, String)> = inputs
        .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default())))
        .filter(|(name, _)| filled.iter().all(|(there, _)| there != name))
        .collect();
    fields.extend(filled.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Ok((action, fields))
}

/// The text of the first element that has this attribute.
#[must_use]
pub fn marked(page: &str, attribute: &str) -> Option<String> {
    let behind = page.split_once(&format!(" {attribute}"))?.1.split_once('>')?.1;
    Some(unescaped(behind.split_once('<')?.0))
}

/// The insides of a form's tags; the first is the form's own.
fn tags(form: &str) -> Vec<String> {
    let (own, rest) = form.split_once('>').unwrap_or((form, ""));
    let others = rest.split('<').skip(1).filter_map(|tag| tag.split_once('>').map(|(tag, _)| tag.to_owned()));
    [own.to_owned()].into_iter().chain(others).collect()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let behind = tag.split_once(&format!(" {name}=\""))?.1;
    Some(unescaped(behind.split_once('"')?.0))
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_goes_back_as_the_page_has_it_but_for_what_was_filled_in() {
        let page = r#"<form action="/a"><input name="q"></form><main><form class="form" method="post" action="/b?c=1&amp;d">
            <input type="hidden" name="csrf" value="x&quot;y"><div><input name="code" required></div>
            <input type="radio" name="kind" value="a"><input type="radio" name="kind" value="b" checked></form>"#;
        let (action, fields) = form(page, "code", &[("code", "123456")]).unwrap();
        assert_eq!(action, "/b?c=1&d");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(fields, [pair("csrf", "x\"y"), pair("kind", "b"), pair("code", "123456")]);
        assert!(form(page, "password", &[]).is_err());
    }

    #[test]
    fn a_browser_keeps_and_forgets_cookies() {
        let mut browser = Browser::default();
        let answer = |cookies: &[&str]| Answer {
            cookies: cookies.iter().map(|cookie| (*cookie).to_owned()).collect(),
            ..Answer::default()
        };
        browser.keep(&answer(&["__Host-a=1; Path=/; Max-Age=300", "__Host-b=2; Secure"]));
        browser.keep(&answer(&["__Host-a=; Path=/; Max-Age=0"]));
        let event: serde_json::Value = serde_json::from_slice(&browser.open("/dashboard/overview")).unwrap();
        assert_eq!(event["cookies"], serde_json::json!(["__Host-b=2"]));
    }

    #[test]
    fn what_a_page_marks_is_found() {
        assert_eq!(
            marked("<p>Or <code data-totp-secret>GEZD GNBV</code></p>", "data-totp-secret").unwrap(),
            "GEZD GNBV"
        );
        assert_eq!(marked("<p></p>", "data-totp-secret"), None);
    }
}
