//! Items in numbers: what they have in common is kept once, and each is made when it is asked for.

use std::fmt;

use serde_json::{Map, Value};

use super::Item;

/// Items that follow one pattern, as many as are wanted.
pub struct Series {
    attributes: Vec<(String, Cast)>,
    fill: Box<Fill>,
}

/// The texts that an item has in the blanks of the pattern, by the item's number.
type Fill = dyn Fn(u32) -> Vec<String> + Send + Sync;

enum Cast {
    Same(Value),
    Filled(Vec<Piece>),
}

enum Piece {
    Text(String),
    Blank(usize),
}

impl fmt::Debug for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Series").field("attributes", &self.attributes.len()).finish_non_exhaustive()
    }
}

impl Series {
    /// Items like `pattern`, but with other texts in the place of each of `blanks`, wherever a string attribute has
    /// one; of two that begin at the same place the one named first.
    #[must_use]
    pub fn new(pattern: &Item, blanks: &[&str], fill: impl Fn(u32) -> Vec<String> + Send + Sync + 'static) -> Self {
        let attributes = pattern.iter().map(|(name, value)| (name.clone(), cast(value, blanks)));
        Self { attributes: attributes.collect(), fill: Box::new(fill) }
    }

    /// The item of a number, with those attributes that are wanted.
    pub(super) fn item(&self, number: u32, wanted: impl Fn(&str) -> bool) -> Item {
        let fill = (self.fill)(number);
        let attributes = self.attributes.iter().filter(|(name, _)| wanted(name));
        let made = attributes.map(|(name, cast)| {
            let value = match cast {
                Cast::Same(value) => value.clone(),
                Cast::Filled(pieces) => Value::Object(Map::from_iter([("S".to_owned(), filled(pieces, &fill).into())])),
            };
            (name.clone(), value)
        });
        made.collect()
    }

    /// One string attribute of an item.
    pub(super) fn text(&self, number: u32, name: &str) -> Option<String> {
        let (_, cast) = self.attributes.iter().find(|(there, _)| there == name)?;
        match cast {
            Cast::Same(value) => value.get("S")?.as_str().map(str::to_owned),
            Cast::Filled(pieces) => Some(filled(pieces, &(self.fill)(number))),
        }
    }
}

fn filled(pieces: &[Piece], fill: &[String]) -> String {
    let text = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => text.as_str(),
        Piece::Blank(blank) => fill.get(*blank).map_or("", String::as_str),
    });
    text.collect()
}

fn cast(value: &Value, blanks: &[&str]) -> Cast {
    let Some(text) = value.get("S").and_then(Value::as_str) else { return Cast::Same(value.clone()) };
    let mut pieces = Vec::new();
    let mut rest = text;
    let next = |rest: &str| {
        let found = blanks.iter().enumerate().filter_map(|(blank, text)| Some((rest.find(text)?, blank, text.len())));
        found.min_by_key(|(at, blank, _)| (*at, *blank))
    };
    while let Some((at, blank, length)) = next(rest) {
        let (before, behind) = rest.split_at(at);
        pieces.push(Piece::Text(before.to_owned()));
        pieces.push(Piece::Blank(blank));
        rest = behind.get(length..).unwrap_or_default();
    }
    if pieces.is_empty() {
        return Cast::Same(value.clone());
    }
    pieces.push(Piece::Text(rest.to_owned()));
    Cast::Filled(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn items_of_a_series_differ_in_their_blanks_alone() {
        let pattern = json!({
            "pk": { "S": "t-1#77" }, "sk": { "S": "77-1" }, "due": { "S": "2026-01-01#77-1" }, "n": { "N": "77" },
        });
        let fill = |number: u32| vec![format!("t-1#{number}"), format!("{number}-1")];
        let series = Series::new(pattern.as_object().unwrap(), &["t-1#77", "77-1"], fill);
        let made = series.item(5, |name| name != "n");
        let expected = json!({ "pk": { "S": "t-1#5" }, "sk": { "S": "5-1" }, "due": { "S": "2026-01-01#5-1" } });
        assert_eq!(Value::Object(made), expected);
        assert_eq!(series.text(6, "due").as_deref(), Some("2026-01-01#6-1"));
        assert_eq!(series.item(5, |_| true)["n"], json!({ "N": "77" }));
    }
}
