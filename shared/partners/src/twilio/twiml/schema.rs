//! Whether a document is one that Twilio runs to the letter, for tests and the text telephone.
//!
//! The vocabulary (elements, nesting, attributes, values) is `data/twiml_schema.json`, taken from the builders that Twilio
//! generates for its own libraries. What it does not encode is added here: order at the top, limits, and the rules of
//! XML that Twilio is strict about. The check is of the text, so it holds whoever wrote it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};
use serde::Deserialize;

use super::{DOCUMENT_LIMIT, sayable, xml::allowed};

/// Deeper than anything that Twilio's vocabulary is used for.
const DEPTH_LIMIT: usize = 16;

#[derive(Deserialize)]
struct Schema {
    voice: Vocabulary,
}

#[derive(Deserialize)]
struct Vocabulary {
    root: String,
    elements: BTreeMap<String, Kind>,
    enums: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Kind {
    children: BTreeSet<String>,
    attributes: BTreeMap<String, Attribute>,
    text: Option<Text>,
}

#[derive(Deserialize)]
struct Attribute {
    ts_type: Option<String>,
    enum_type: Option<String>,
    #[serde(default)]
    multiple: bool,
    #[serde(default)]
    required: bool,
}

#[derive(Deserialize)]
struct Text {
    required: bool,
}

static VOCABULARY: LazyLock<Result<Vocabulary, String>> = LazyLock::new(|| {
    serde_json::from_str::<Schema>(include_str!("../../../data/twiml_schema.json"))
        .map(|schema| schema.voice)
        .map_err(|error| format!("the vocabulary cannot be read: {error}"))
});

/// Everything that is wrong with a voice document, in its order.
pub fn check(xml: &str) -> Result<(), Vec<String>> {
    let vocabulary = VOCABULARY.as_ref().map_err(|error| vec![error.clone()])?;
    if xml.len() > DOCUMENT_LIMIT {
        return Err(vec![format!("the document has {} bytes, {DOCUMENT_LIMIT} are allowed (11750)", xml.len())]);
    }
    let mut wrong = Vec::new();
    if !xml.starts_with("<?xml ") {
        wrong.push("the XML declaration is not the first thing (12100)".to_owned());
    }
    match parse(xml) {
        Ok(root) if root.name != vocabulary.root => {
            wrong.push(format!("the document is a <{}>, not a <{}> (12102)", root.name, vocabulary.root));
        }
        Ok(root) => {
            vocabulary.check(&root, &mut wrong);
            check_order(&root, &mut wrong);
        }
        Err(reason) => wrong.push(format!("{reason} (12100)")),
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

impl Vocabulary {
    fn check(&self, node: &Node, wrong: &mut Vec<String>) {
        let name = &node.name;
        let Some(kind) = self.elements.get(name) else {
            return wrong.push(format!("<{name}> is no verb or noun (12200)"));
        };
        for (attribute, value) in &node.attributes {
            match kind.attributes.get(attribute) {
                Some(rule) if !self.takes(attribute, rule, value) => {
                    wrong.push(format!("<{name} {attribute}> cannot be \"{value}\" (12200)"));
                }
                Some(_) => {}
                None => wrong.push(format!("<{name}> has no attribute {attribute} (12200)")),
            }
        }
        for (attribute, _) in kind.attributes.iter().filter(|(_, rule)| rule.required) {
            if !node.attributes.contains_key(attribute) {
                wrong.push(format!("<{name}> lacks its attribute {attribute} (12200)"));
            }
        }
        let own_text = node.own_text.trim();
        match &kind.text {
            None if !own_text.is_empty() => wrong.push(format!("<{name}> holds no text (12200)")),
            Some(text) if text.required && own_text.is_empty() => {
                wrong.push(format!("<{name}> lacks its text (12200)"));
            }
            _ => {}
        }
        match name.as_str() {
            "Say" => {
                let voice = node.attributes.get("voice").map_or("", String::as_str);
                if let Err(error) = sayable(voice, &node.all_text()) {
                    wrong.push(format!("<Say>: {error} (13520, 13521)"));
                }
            }
            "Play" if own_text.is_empty() && !node.attributes.contains_key("digits") => {
                wrong.push("<Play> has neither a URL nor digits".to_owned());
            }
            _ => {}
        }
        for child in &node.children {
            if !kind.children.contains(&child.name) {
                wrong.push(format!("<{}> does not stand inside <{name}> (12200)", child.name));
            }
            self.check(child, wrong);
        }
    }

    fn takes(&self, name: &str, rule: &Attribute, value: &str) -> bool {
        if let Some(values) = rule.enum_type.as_ref().and_then(|name| self.enums.get(name)) {
            let known = |word: &str| values.iter().any(|value| value == word);
            return if rule.multiple { !value.is_empty() && value.split(' ').all(known) } else { known(value) };
        }
        match rule.ts_type.as_deref() {
            Some("boolean") => matches!(value, "true" | "false"),
            Some("number") => value.parse::<u32>().is_ok(),
            _ if name == "method" || name.ends_with("Method") => matches!(value, "GET" | "POST"),
            _ => true,
        }
    }
}

/// Twilio never comes to what stands after these, and refuses a call only before anything else.
fn check_order(root: &Node, wrong: &mut Vec<String>) {
    for (place, verb) in root.children.iter().enumerate() {
        let name = verb.name.as_str();
        if matches!(name, "Redirect" | "Hangup" | "Reject") && place + 1 < root.children.len() {
            wrong.push(format!("something stands after <{name}>"));
        }
        if name == "Reject" && place > 0 {
            wrong.push("<Reject> does not stand first".to_owned());
        }
    }
}

#[derive(Default)]
struct Node {
    name: String,
    attributes: BTreeMap<String, String>,
    own_text: String,
    children: Vec<Node>,
}

impl Node {
    fn read(tag: &BytesStart<'_>) -> Result<Self, String> {
        let mut attributes = BTreeMap::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| format!("an attribute cannot be read: {error}"))?;
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| format!("an attribute cannot be read: {error}"))?;
            all_allowed(&value)?;
            attributes.insert(attribute.key.as_ref().to_owned(), value.into_owned());
        }
        Ok(Self { name: tag.name().as_ref().to_owned(), attributes, ..Self::default() })
    }

    fn all_text(&self) -> String {
        self.children.iter().fold(self.own_text.clone(), |text, child| text + &child.all_text())
    }
}

fn parse(xml: &str) -> Result<Node, String> {
    let mut reader = Reader::from_str(xml);
    // The first entry stands for the document itself.
    let mut open = vec![Node::default()];
    let mut parsed = 0;
    loop {
        let event = reader.read_event().map_err(|error| format!("not well-formed: {error}"))?;
        let text = match &event {
            Event::Eof => break,
            Event::Start(tag) => {
                open.push(Node::read(tag)?);
                if open.len() > DEPTH_LIMIT {
                    return Err(format!("nested more than {DEPTH_LIMIT} deep"));
                }
                None
            }
            Event::Empty(tag) => {
                append(&mut open, Node::read(tag)?);
                None
            }
            Event::End(_) => {
                if let Some(node) = open.pop() {
                    append(&mut open, node);
                }
                None
            }
            Event::Text(text) => Some(text.xml10_content()),
            Event::CData(text) => Some(text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(c)) => Some(c.to_string().into()),
                Ok(None) => Some(resolve_predefined_entity(reference).ok_or("an unknown entity")?.into()),
                Err(error) => return Err(format!("not well-formed: {error}")),
            },
            Event::Decl(_) if parsed > 0 => return Err("a second XML declaration".to_owned()),
            Event::DocType(_) => return Err("a document type".to_owned()),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => None,
        };
        parsed += 1;
        if let (Some(text), Some(node)) = (text, open.last_mut()) {
            all_allowed(&text)?;
            node.own_text.push_str(&text);
        }
    }
    match <[Node; 1]>::try_from(open) {
        Ok([document]) if document.own_text.trim().is_empty() => match <[Node; 1]>::try_from(document.children) {
            Ok([root]) => Ok(root),
            Err(roots) => Err(format!("not well-formed: {} elements at the top", roots.len())),
        },
        Ok(_) => Err("not well-formed: text outside of the document".to_owned()),
        Err(_) => Err("not well-formed: an element is not closed".to_owned()),
    }
}

fn append(open: &mut [Node], node: Node) {
    if let Some(parent) = open.last_mut() {
        parent.children.push(node);
    }
}

fn all_allowed(text: &str) -> Result<(), String> {
    match text.chars().find(|c| !allowed(*c)) {
        Some(c) => Err(format!("the character {} is not one of XML's", c.escape_unicode())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
