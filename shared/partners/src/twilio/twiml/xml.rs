//! The little XML that TwiML needs, written with everything escaped.

use std::fmt::Display;

/// Whether XML 1.0 can carry a character at all (<https://www.w3.org/TR/xml/#charsets>).
pub(super) fn allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// The attributes of an element, in the order in which they were set.
pub(super) struct Attributes(Vec<(&'static str, String)>);

impl Attributes {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn set(mut self, name: &'static str, value: impl Display) -> Self {
        self.0.push((name, value.to_string()));
        self
    }

    pub(super) fn set_some(self, name: &'static str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    pub(super) fn set_if(self, yes: bool, name: &'static str, value: impl Display) -> Self {
        if yes { self.set(name, value) } else { self }
    }
}

enum Content<'a> {
    Text(&'a str),
    Children(Vec<Element<'a>>),
}

/// An element and what is in it.
pub(super) struct Element<'a> {
    name: &'static str,
    attributes: Attributes,
    content: Content<'a>,
}

impl<'a> Element<'a> {
    pub(super) fn empty(name: &'static str, attributes: Attributes) -> Self {
        Self::parent(name, attributes, Vec::new())
    }

    pub(super) fn text(name: &'static str, attributes: Attributes, text: &'a str) -> Self {
        Self { name, attributes, content: Content::Text(text) }
    }

    pub(super) fn parent(name: &'static str, attributes: Attributes, children: Vec<Element<'a>>) -> Self {
        Self { name, attributes, content: Content::Children(children) }
    }

    pub(super) fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(self.name);
        for (name, value) in &self.attributes.0 {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            escape(value, out);
            out.push('"');
        }
        match &self.content {
            Content::Children(children) if children.is_empty() => return out.push_str("/>"),
            Content::Children(children) => {
                out.push('>');
                for child in children {
                    child.write(out);
                }
            }
            Content::Text(text) => {
                out.push('>');
                escape(text, out);
            }
        }
        out.push_str("</");
        out.push_str(self.name);
        out.push('>');
    }
}

/// Escapes for text and attributes alike.
///
/// White space that a parser would turn into a plain space or line feed is written as a reference; the rest of what XML
/// cannot carry never gets here ([`allowed`], and URLs are printable ASCII).
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            c => out.push(c),
        }
    }
}
