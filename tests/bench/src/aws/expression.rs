//! DynamoDB's expressions (conditions, filters, keys, projections, updates), as far as Optline's store writes them.
//!
//! Grammar: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html>.
//! Only top-level attributes; anything else is refused by name.

use std::cmp::Ordering;
use std::ops::Bound;

use serde_json::{Map, Value, json};

use super::Item;
use super::table::{Order, Span};

/// The input of a call, from which `#name` and `:value` are resolved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expression<'a> {
    text: &'a str,
    names: Option<&'a Map<String, Value>>,
    values: Option<&'a Map<String, Value>>,
}

type Parsed<T> = Result<T, String>;

impl<'a> Expression<'a> {
    /// The expression called `field` in a call's input, if it has one.
    pub(super) fn of(input: &'a Value, field: &str) -> Option<Self> {
        let text = input.get(field)?.as_str()?;
        let map = |field| input.get(field).and_then(Value::as_object);
        Some(Self { text, names: map("ExpressionAttributeNames"), values: map("ExpressionAttributeValues") })
    }

    /// Whether the condition holds for an item; no item is an empty one.
    pub(super) fn holds(self, item: &Item) -> Parsed<bool> {
        let mut reader = Reader { expression: self, tokens: tokens(self.text), at: 0, item };
        let holds = reader.any()?;
        reader.end().map(|()| holds)
    }

    /// The part of an order that a key condition asks for.
    pub(super) fn span(self, order: &Order) -> Parsed<Span> {
        let nothing = Item::new();
        let mut reader = Reader { expression: self, tokens: tokens(self.text), at: 0, item: &nothing };
        let (mut pk, mut from, mut to) = (None, Bound::Unbounded, Bound::Unbounded);
        loop {
            let bracket = reader.take("(");
            let (name, low, high) = reader.key_condition()?;
            if name == order.pk && low == high {
                pk = match low {
                    Bound::Included(value) => Some(value),
                    _ => None,
                };
            } else if Some(&name) == order.sk.as_ref() {
                (from, to) = (low, high);
            } else {
                return Err(format!("{name} is not a key there"));
            }
            if bracket {
                reader.expect(")")?;
            }
            if !reader.take("AND") {
                break;
            }
        }
        reader.end()?;
        Ok(Span { pk: pk.ok_or("a query needs one partition")?, from, to })
    }

    /// The attributes that a projection names.
    pub(super) fn names(self) -> Parsed<Vec<String>> {
        let nothing = Item::new();
        let mut reader = Reader { expression: self, tokens: tokens(self.text), at: 0, item: &nothing };
        let mut names = vec![reader.name()?];
        while reader.take(",") {
            names.push(reader.name()?);
        }
        reader.end().map(|()| names)
    }

    /// The item after the update, and the attributes that the update names.
    pub(super) fn updated(self, item: &Item) -> Parsed<(Item, Vec<String>)> {
        let mut reader = Reader { expression: self, tokens: tokens(self.text), at: 0, item };
        let mut updated = item.clone();
        let mut named = Vec::new();
        while let Some(clause) = reader.next() {
            loop {
                let name = reader.name()?;
                named.push(name.clone());
                match clause.as_str() {
                    "SET" => {
                        reader.expect("=")?;
                        let value = reader.sum()?;
                        updated.insert(name, value);
                    }
                    "REMOVE" => drop(updated.remove(&name)),
                    "ADD" => {
                        let more = reader.operand()?.ok_or("ADD without a value")?;
                        let sum = match more.get("SS").and_then(Value::as_array) {
                            Some(more) => joined(updated.get(&name), more),
                            None => plus(updated.get(&name), &more, 1.0)?,
                        };
                        updated.insert(name, sum);
                    }
                    other => return Err(format!("{other} is not in this stub")),
                }
                if !reader.take(",") {
                    break;
                }
            }
        }
        Ok((updated, named))
    }
}

struct Reader<'a> {
    expression: Expression<'a>,
    tokens: Vec<String>,
    at: usize,
    item: &'a Item,
}

impl Reader<'_> {
    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn next(&mut self) -> Option<String> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.peek() == token;
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, token: &str) -> Parsed<()> {
        if self.take(token) { Ok(()) } else { Err(format!("{token} expected at {:?}", self.peek())) }
    }

    fn end(&self) -> Parsed<()> {
        if self.peek().is_empty() { Ok(()) } else { Err(format!("{:?} is not in this stub", self.peek())) }
    }

    fn any(&mut self) -> Parsed<bool> {
        let mut holds = self.all()?;
        while self.take("OR") {
            holds |= self.all()?;
        }
        Ok(holds)
    }

    fn all(&mut self) -> Parsed<bool> {
        let mut holds = self.one()?;
        while self.take("AND") {
            holds &= self.one()?;
        }
        Ok(holds)
    }

    fn one(&mut self) -> Parsed<bool> {
        if self.take("NOT") {
            return self.one().map(|holds| !holds);
        }
        if self.take("(") {
            let holds = self.any()?;
            return self.expect(")").map(|()| holds);
        }
        for (function, wanted) in [("attribute_exists", true), ("attribute_not_exists", false)] {
            if self.take(function) {
                self.expect("(")?;
                let name = self.name()?;
                self.expect(")")?;
                return Ok(self.item.contains_key(&name) == wanted);
            }
        }
        for (function, holds) in [("begins_with", begins_with as fn(&Value, &Value) -> bool), ("contains", contains)] {
            if self.take(function) {
                self.expect("(")?;
                let whole = self.operand()?;
                self.expect(",")?;
                let part = self.operand()?;
                self.expect(")")?;
                return Ok(whole.zip(part).is_some_and(|(whole, part)| holds(&whole, &part)));
            }
        }
        let left = self.operand()?;
        let operator = self.next().unwrap_or_default();
        if operator == "BETWEEN" {
            let low = self.operand()?;
            self.expect("AND")?;
            let high = self.operand()?;
            let ordered = |one: Option<&Value>, other: Option<&Value>| {
                one.zip(other).and_then(|(one, other)| compare(one, other)).is_some_and(Ordering::is_le)
            };
            return Ok(ordered(low.as_ref(), left.as_ref()) && ordered(left.as_ref(), high.as_ref()));
        }
        if operator == "IN" {
            self.expect("(")?;
            let mut found = false;
            loop {
                found |= left.is_some() && left == self.operand()?;
                if !self.take(",") {
                    return self.expect(")").map(|()| found);
                }
            }
        }
        let right = self.operand()?;
        let order = left.as_ref().zip(right.as_ref()).and_then(|(left, right)| compare(left, right));
        Ok(match operator.as_str() {
            "=" => left.is_some() && left == right,
            "<>" => left != right,
            "<" => order == Some(Ordering::Less),
            ">" => order == Some(Ordering::Greater),
            "<=" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            ">=" => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            other => return Err(format!("{other} is not in this stub")),
        })
    }

    /// One part of a key condition: the attribute, its smallest and its largest value.
    fn key_condition(&mut self) -> Parsed<(String, Bound<String>, Bound<String>)> {
        if self.take("begins_with") {
            self.expect("(")?;
            let name = self.name()?;
            self.expect(",")?;
            let start = self.key()?;
            self.expect(")")?;
            let end = format!("{start}\u{10FFFF}");
            return Ok((name, Bound::Included(start), Bound::Excluded(end)));
        }
        let name = self.name()?;
        let operator = self.next().unwrap_or_default();
        let value = self.key()?;
        let (low, high) = match operator.as_str() {
            "=" => (Bound::Included(value.clone()), Bound::Included(value)),
            "<" => (Bound::Unbounded, Bound::Excluded(value)),
            "<=" => (Bound::Unbounded, Bound::Included(value)),
            ">" => (Bound::Excluded(value), Bound::Unbounded),
            ">=" => (Bound::Included(value), Bound::Unbounded),
            "BETWEEN" => {
                self.expect("AND")?;
                (Bound::Included(value), Bound::Included(self.key()?))
            }
            other => return Err(format!("{other} is not in this stub, for keys")),
        };
        Ok((name, low, high))
    }

    /// The value of a key: a string.
    fn key(&mut self) -> Parsed<String> {
        let value = self.operand()?.ok_or("a key without a value")?;
        value.get("S").and_then(Value::as_str).map(str::to_owned).ok_or_else(|| "keys are strings here".into())
    }

    fn sum(&mut self) -> Parsed<Value> {
        let left = self.operand()?;
        for (sign, factor) in [("+", 1.0), ("-", -1.0)] {
            if self.take(sign) {
                let right = self.operand()?.ok_or("nothing to add")?;
                return plus(left.as_ref(), &right, factor);
            }
        }
        left.ok_or_else(|| "an attribute that the item does not have".into())
    }

    fn operand(&mut self) -> Parsed<Option<Value>> {
        if self.take("if_not_exists") {
            self.expect("(")?;
            let present = self.operand()?;
            self.expect(",")?;
            let otherwise = self.operand()?;
            return self.expect(")").map(|()| present.or(otherwise));
        }
        if self.take("list_append") {
            self.expect("(")?;
            let first = self.operand()?;
            self.expect(",")?;
            let second = self.operand()?;
            self.expect(")")?;
            let entries = [first, second].into_iter().flatten().filter_map(|list| list.get("L")?.as_array().cloned());
            return Ok(Some(json!({ "L": entries.flatten().collect::<Vec<_>>() })));
        }
        if self.peek().starts_with(':') {
            let name = self.next().unwrap_or_default();
            let value = self.expression.values.and_then(|values| values.get(&name));
            return value.cloned().map(Some).ok_or_else(|| format!("{name} has no value"));
        }
        self.name().map(|name| self.item.get(&name).cloned())
    }

    fn name(&mut self) -> Parsed<String> {
        let token = self.next().unwrap_or_default();
        if token.starts_with('#') {
            let name = self.expression.names.and_then(|names| names.get(&token)).and_then(Value::as_str);
            return name.map(str::to_owned).ok_or_else(|| format!("{token} has no name"));
        }
        let plain = token.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !token.is_empty();
        if plain { Ok(token) } else { Err(format!("{token:?} is not in this stub")) }
    }
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut word = false;
    for c in text.chars() {
        let in_word = c.is_alphanumeric() || "_#:.".contains(c);
        let joins =
            (word && in_word) || ("=>".contains(c) && matches!(tokens.last().map(String::as_str), Some("<" | ">")));
        word = in_word;
        match tokens.last_mut() {
            _ if c.is_whitespace() => {}
            Some(last) if joins => last.push(c),
            _ => tokens.push(c.into()),
        }
    }
    tokens
}

fn number(value: &Value) -> Option<f64> {
    value.get("N")?.as_str()?.parse().ok()
}

/// DynamoDB keeps 38 digits: whole numbers are compared and added as such.
fn whole(value: &Value) -> Option<i128> {
    value.get("N")?.as_str()?.parse().ok()
}

fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (whole(left), whole(right)) {
        return Some(left.cmp(&right));
    }
    match (number(left), number(right)) {
        (Some(left), Some(right)) => left.partial_cmp(&right),
        _ => Some(left.get("S")?.as_str()?.cmp(right.get("S")?.as_str()?)),
    }
}

/// Strings by their beginning.
fn begins_with(whole: &Value, part: &Value) -> bool {
    let text = |value: &Value| value.get("S").and_then(Value::as_str).map(str::to_owned);
    text(whole).zip(text(part)).is_some_and(|(whole, part)| whole.starts_with(&part))
}

/// Strings by what is in them, lists and sets by an element.
fn contains(whole: &Value, part: &Value) -> bool {
    let text = part.get("S").and_then(Value::as_str);
    let in_string = whole.get("S").and_then(Value::as_str).zip(text).is_some_and(|(whole, part)| whole.contains(part));
    let in_list = whole.get("L").and_then(Value::as_array).is_some_and(|list| list.contains(part));
    let in_set =
        whole.get("SS").and_then(Value::as_array).zip(part.get("S")).is_some_and(|(set, one)| set.contains(one));
    in_string || in_list || in_set
}

/// A set of strings with more of them.
fn joined(set: Option<&Value>, more: &[Value]) -> Value {
    let mut all = set.and_then(|set| set.get("SS")?.as_array()).cloned().unwrap_or_default();
    for one in more {
        if !all.contains(one) {
            all.push(one.clone());
        }
    }
    json!({ "SS": all })
}

fn plus(left: Option<&Value>, right: &Value, factor: f64) -> Parsed<Value> {
    if let (Some(left), Some(right)) = (left.map_or(Some(0), whole), whole(right)) {
        let right = if factor < 0.0 { -right } else { right };
        return Ok(json!({ "N": (left + right).to_string() }));
    }
    let left = left.map_or(Some(0.0), number);
    let (left, right) = left.zip(number(right)).ok_or("only numbers are added in this stub")?;
    Ok(json!({ "N": (left + factor * right).to_string() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> Item {
        let item = json!({
            "pk": { "S": "a" }, "n": { "N": "9" }, "state": { "S": "open" }, "l": { "L": [{ "S": "o" }] },
            "set": { "SS": ["o"] },
        });
        item.as_object().cloned().unwrap()
    }

    fn holds(condition: &str) -> bool {
        let input = json!({
            "ConditionExpression": condition,
            "ExpressionAttributeNames": { "#s": "state" },
            "ExpressionAttributeValues": {
                ":ten": { "N": "10" }, ":open": { "S": "open" }, ":shut": { "S": "shut" }, ":o": { "S": "o" },
                ":one": { "N": "1" },
            },
        });
        Expression::of(&input, "ConditionExpression").unwrap().holds(&item()).unwrap()
    }

    #[test]
    fn conditions_hold_as_dynamodb_has_them() {
        for condition in [
            "attribute_not_exists(gone)",
            "attribute_exists(pk) AND n < :ten",
            "n>=:ten OR #s = :open",
            "#s IN (:shut, :open)",
            "NOT (#s = :shut) AND #s<>:shut",
            "gone <> :open",
            "begins_with(#s, :o) AND contains(#s, :o) AND contains(l, :o) AND contains(set, :o)",
            "n BETWEEN :one AND :ten AND #s = :open",
            "attribute_not_exists(gone) OR #s = :shut AND #s = :open",
        ] {
            assert!(holds(condition), "{condition}");
        }
        for condition in [
            "attribute_not_exists(pk)",
            "n > :ten",
            "gone = :open",
            "gone < :ten",
            "#s IN (:shut)",
            "begins_with(gone, :o)",
            "contains(l, :open)",
            "gone BETWEEN :one AND :ten",
            "(attribute_not_exists(gone) OR #s = :shut) AND #s = :shut",
        ] {
            assert!(!holds(condition), "{condition}");
        }
    }

    #[test]
    fn an_update_sets_adds_and_removes() {
        let input = json!({
            "UpdateExpression":
                "SET #s = :s, n = n + :one, m = if_not_exists(m, :one), l = list_append(:l, :l) ADD k :one, set :more REMOVE pk",
            "ExpressionAttributeNames": { "#s": "state" },
            "ExpressionAttributeValues": {
                ":s": { "S": "shut" }, ":one": { "N": "1" }, ":l": { "L": [{ "S": "x" }] }, ":more": { "SS": ["p", "o"] },
            },
        });
        let (updated, named) = Expression::of(&input, "UpdateExpression").unwrap().updated(&item()).unwrap();
        let expected = json!({
            "state": { "S": "shut" }, "n": { "N": "10" }, "m": { "N": "1" }, "k": { "N": "1" },
            "l": { "L": [{ "S": "x" }, { "S": "x" }] }, "set": { "SS": ["o", "p"] },
        });
        assert_eq!(Value::Object(updated), expected);
        assert_eq!(named, ["state", "n", "m", "l", "k", "set", "pk"]);
    }

    #[test]
    fn numbers_that_differ_in_their_last_digit_differ() {
        let large = json!({ "rank": { "N": "288230376151711745" } });
        let input = json!({
            "ConditionExpression": "rank > :just_below", "UpdateExpression": "ADD rank :one",
            "ExpressionAttributeValues": { ":just_below": { "N": "288230376151711744" }, ":one": { "N": "1" } },
        });
        let item = large.as_object().unwrap();
        assert!(Expression::of(&input, "ConditionExpression").unwrap().holds(item).unwrap());
        let (updated, _) = Expression::of(&input, "UpdateExpression").unwrap().updated(item).unwrap();
        assert_eq!(updated["rank"], json!({ "N": "288230376151711746" }));
    }

    #[test]
    fn what_the_stub_does_not_know_is_refused_not_guessed() {
        let input = json!({ "ConditionExpression": "size(a) > b" });
        assert!(Expression::of(&input, "ConditionExpression").unwrap().holds(&item()).is_err());
    }
}
