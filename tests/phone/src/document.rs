//! A TwiML document read into its verbs.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// An XML element: a verb, or something nested in one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name; case matters to Twilio.
    pub name: String,
    /// Its attributes, unescaped.
    pub attributes: BTreeMap<String, String>,
    /// The elements in it.
    pub children: Vec<Element>,
    /// The text in it and in what it holds, unescaped.
    pub text: String,
}

impl Element {
    /// An attribute's value.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// The text with white space collapsed, as speech does.
    #[must_use]
    pub fn words(&self) -> String {
        self.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Everything said or played in it, one line each: what a caller can tell two documents apart by.
    pub(crate) fn speech(&self) -> String {
        match self.name.as_str() {
            "Say" | "Play" => format!("{}: {}\n", self.name, self.words()),
            _ => format!("{}\n{}", self.name, self.children.iter().map(Element::speech).collect::<String>()),
        }
    }
}

/// Reads a document: Twilio's error 12100 (not XML, or something before the declaration) or 12102 (another root).
pub fn read(xml: &str) -> Result<Element, (u32, String)> {
    let broken = |why: String| (12100, why);
    if xml.starts_with(|c: char| c.is_whitespace()) {
        return Err(broken("white space before the XML declaration".into()));
    }
    let mut reader = Reader::from_str(xml);
    let mut open: Vec<Element> = vec![Element::default()];
    loop {
        match reader.read_event().map_err(|why| broken(why.to_string()))? {
            Event::Start(tag) => open.push(element(&tag).map_err(broken)?),
            Event::Empty(tag) => {
                let child = element(&tag).map_err(broken)?;
                close(&mut open, child);
            }
            Event::End(_) => {
                if let Some(child) = open.pop() {
                    close(&mut open, child);
                }
            }
            Event::Text(text) => add(&mut open, &text),
            Event::CData(text) => add(&mut open, &text),
            Event::GeneralRef(reference) => {
                let text = resolve(&reference).ok_or_else(|| broken("an entity that XML does not know".into()))?;
                add(&mut open, &text);
            }
            Event::Eof => break,
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    let (Some(document), true) = (open.pop(), open.is_empty()) else {
        return Err(broken("an element is not closed".into()));
    };
    if !document.text.trim().is_empty() && document.children.is_empty() {
        return Err(broken("text without an element".into()));
    }
    match <[Element; 1]>::try_from(document.children) {
        Ok([root]) if root.name == "Response" => Ok(root),
        Ok([root]) => Err((12102, format!("the root is <{}>, not <Response>", root.name))),
        Err(_) => Err(broken("not one root element".into())),
    }
}

fn element(tag: &BytesStart) -> Result<Element, String> {
    let mut attributes = BTreeMap::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|why| why.to_string())?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|why| why.to_string())?;
        attributes.insert(attribute.key.as_ref().to_owned(), value.into_owned());
    }
    let name = tag.name().as_ref().to_owned();
    Ok(Element { name, attributes, ..Element::default() })
}

fn close(open: &mut [Element], child: Element) {
    if let Some(parent) = open.last_mut() {
        parent.text.push_str(&child.text);
        parent.children.push(child);
    }
}

fn add(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn resolve(reference: &BytesRef) -> Option<String> {
    match reference.resolve_char_ref() {
        Ok(Some(c)) => Some(c.to_string()),
        _ => resolve_predefined_entity(reference).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_attributes_and_escaped_text_are_read() {
        let xml = r#"<?xml version="1.0"?><Response><Gather action="/a?x=1&amp;y=2" numDigits="1"><Say>Tom &amp; Ana&#39;s</Say></Gather><Hangup/></Response>"#;
        let document = read(xml).unwrap();
        let [gather, hangup] = document.children.as_slice() else { panic!("{document:?}") };
        assert_eq!(gather.attribute("action"), Some("/a?x=1&y=2"));
        assert_eq!(gather.children[0].words(), "Tom & Ana's");
        assert_eq!(hangup.name, "Hangup");
    }

    #[test]
    fn ssml_inside_say_is_spoken_as_its_text() {
        let document =
            read("<Response><Say>Code <say-as interpret-as=\"digits\">42</say-as>\n thanks</Say></Response>").unwrap();
        assert_eq!(document.children[0].words(), "Code 42 thanks");
    }

    #[test]
    fn what_twilio_cannot_parse_has_its_error_code() {
        for (xml, code) in [
            ("\n<?xml version=\"1.0\"?><Response/>", 12100),
            ("<Response><Say>hello</Response>", 12100),
            ("<Response><Say>hello</Say>", 12100),
            ("<Response><Say>&nbsp;</Say></Response>", 12100),
            ("", 12100),
            ("sorry", 12100),
            ("<html></html>", 12102),
        ] {
            assert_eq!(read(xml).map_err(|(code, _)| code), Err(code), "{xml}");
        }
    }
}
