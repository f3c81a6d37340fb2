//! What Stripe's specification says of a request, and whether a value is what it promises.
//!
//! Only what the extract uses: types, `required`, `enum`, `maxLength`, `nullable`, `pattern` with a fixed beginning,
//! `additionalProperties`, `$ref`.

use axum::http::Method;
use serde_json::{Map, Value};

/// The extract of Stripe's specification.
pub(super) struct Specification(Value);

/// What is wrong with a parameter, as Stripe words it.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) code: &'static str,
    pub(super) param: String,
    pub(super) words: String,
}

impl Wrong {
    fn new(code: &'static str, param: &str, words: impl Into<String>) -> Self {
        Self { code, param: param.to_owned(), words: words.into() }
    }
}

impl Specification {
    pub(super) fn read() -> Self {
        let text = include_str!("../../data/stripe_meters_openapi.json");
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    /// The version of the API that it describes.
    pub(super) fn version(&self) -> &str {
        self.0.pointer("/info/version").and_then(Value::as_str).unwrap_or_default()
    }

    /// The parameters of a request, in the types that the specification gives them.
    pub(super) fn parameters(&self, method: &Method, path: &str, given: &[u8]) -> Result<Map<String, Value>, Wrong> {
        let schema = self.schema_of(method, path);
        let mut tree = Value::Object(Map::new());
        for (name, value) in form_urlencoded::parse(given) {
            let place =
                steps(&name).ok_or_else(|| Wrong::new("parameter_unknown", &name, "Unreadable parameter name"))?;
            put(&mut tree, &place, value.into_owned())
                .ok_or_else(|| Wrong::new("parameter_invalid_duplicate", &name, "Given twice"))?;
        }
        let tree = typed(&schema, tree);
        self.check(&schema, &tree, "")?;
        match tree {
            Value::Object(parameters) => Ok(parameters),
            _ => Ok(Map::new()),
        }
    }

    /// The schema of a form, or one made of the parameters of a query.
    fn schema_of(&self, method: &Method, path: &str) -> Value {
        let method = method.as_str().to_ascii_lowercase();
        let operation = self.0.get("paths").and_then(|paths| paths.get(path)).and_then(|path| path.get(&method));
        let operation = operation.cloned().unwrap_or_default();
        let form = "/requestBody/content/application~1x-www-form-urlencoded/schema";
        if let Some(schema) = operation.pointer(form) {
            return schema.clone();
        }
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for parameter in operation.get("parameters").and_then(Value::as_array).into_iter().flatten() {
            let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
            if parameter.get("in").and_then(Value::as_str) == Some("query") {
                properties.insert(name.to_owned(), parameter.get("schema").cloned().unwrap_or_default());
                if parameter.get("required").and_then(Value::as_bool) == Some(true) {
                    required.push(name);
                }
            }
        }
        serde_json::json!({
            "type": "object", "properties": properties, "required": required, "additionalProperties": false,
        })
    }

    /// Whether a value is what a schema promises.
    pub(super) fn check(&self, schema: &Value, value: &Value, place: &str) -> Result<(), Wrong> {
        let named = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
        if let Some(schema) = named.and_then(|pointer| self.0.pointer(pointer)) {
            return self.check(schema, value, place);
        }
        if value.is_null() && schema.get("nullable").and_then(Value::as_bool) == Some(true) {
            return Ok(());
        }
        let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
        let fits = match kind {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            _ => true,
        };
        if !fits {
            let code = if kind == "integer" { "parameter_invalid_integer" } else { "parameter_invalid_string" };
            return Err(Wrong::new(code, place, format!("Not of type {kind}: {place}")));
        }
        let open = schema.get("x-open-enum").and_then(Value::as_bool) == Some(true);
        if let Some(allowed) = schema.get("enum").and_then(Value::as_array).filter(|_| !open)
            && !allowed.contains(value)
        {
            return Err(Wrong::new("parameter_unknown", place, format!("Invalid {place}")));
        }
        match value {
            Value::String(text) => Self::check_text(schema, text, place),
            Value::Array(entries) => {
                let schema = schema.get("items").unwrap_or(&Value::Null);
                entries.iter().try_for_each(|entry| self.check(schema, entry, place))
            }
            Value::Object(object) => self.check_object(schema, object, place),
            _ => Ok(()),
        }
    }

    fn check_text(schema: &Value, text: &str, place: &str) -> Result<(), Wrong> {
        let longest = schema.get("maxLength").and_then(Value::as_u64);
        let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
        if longest.is_some_and(|longest| length > longest) {
            return Err(Wrong::new("parameter_invalid_string", place, format!("Invalid string: {place} is too long")));
        }
        let beginning = schema.get("pattern").and_then(Value::as_str).and_then(|pattern| pattern.strip_prefix('^'));
        let fixed = beginning.map(|pattern| pattern.split(['[', '(', '.', '\\']).next().unwrap_or_default());
        if fixed.is_some_and(|fixed| !text.starts_with(fixed)) {
            return Err(Wrong::new("parameter_invalid_string", place, format!("Invalid string: {place}")));
        }
        Ok(())
    }

    fn check_object(&self, schema: &Value, object: &Map<String, Value>, place: &str) -> Result<(), Wrong> {
        let within = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}[{name}]") };
        for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            if object.get(name).is_none_or(|value| value.as_str() == Some("")) {
                let param = within(name);
                return Err(Wrong::new("parameter_missing", &param, format!("Missing required param: {param}.")));
            }
        }
        for (name, value) in object {
            let known = schema.get("properties").and_then(|properties| properties.get(name));
            let more = schema.get("additionalProperties");
            let param = within(name);
            match known.or(more.filter(|more| more.is_object())) {
                Some(schema) => self.check(schema, value, &param)?,
                None if more == Some(&Value::Bool(false)) => {
                    return Err(Wrong::new(
                        "parameter_unknown",
                        &param,
                        format!("Received unknown parameter: {param}"),
                    ));
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Whether an answer of 200 is what the specification promises for it.
    #[cfg(test)]
    pub(super) fn check_answer(&self, method: &str, path: &str, answer: &Value) -> Result<(), String> {
        let operation = self.0["paths"][path][method.to_ascii_lowercase()].clone();
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{method} {path} is in the specification");
        self.check(schema, answer, "").map_err(|wrong| format!("{}: {}", wrong.param, wrong.words))
    }

    /// Whether an error is one of Stripe's.
    #[cfg(test)]
    pub(super) fn check_error(&self, answer: &Value) -> Result<(), String> {
        let schema = &self.0["components"]["schemas"]["error"];
        self.check(schema, answer, "").map_err(|wrong| format!("{}: {}", wrong.param, wrong.words))
    }
}

/// Forms have only text: what the schema calls a number is read as one, if it is.
fn typed(schema: &Value, value: Value) -> Value {
    match (schema.get("type").and_then(Value::as_str), value) {
        (Some("integer"), Value::String(text)) => text.parse::<i64>().map_or(Value::String(text), Value::from),
        (Some("boolean"), Value::String(text)) => text.parse::<bool>().map_or(Value::String(text), Value::from),
        (_, Value::Object(object)) => {
            let properties = schema.get("properties");
            let typed = object.into_iter().map(|(name, value)| {
                let schema = properties.and_then(|properties| properties.get(&name)).unwrap_or(&Value::Null);
                let value = typed(schema, value);
                (name, value)
            });
            Value::Object(typed.collect())
        }
        (_, value) => value,
    }
}

/// `payload[value]` as `payload`, `value`; `expand[]` as `expand`, empty.
fn steps(name: &str) -> Option<Vec<&str>> {
    let (first, mut rest) = name.split_once('[').map_or((name, ""), |(first, rest)| (first, rest));
    let mut steps = vec![first];
    while !rest.is_empty() {
        let (step, after) = rest.split_once(']')?;
        steps.push(step);
        rest = match after {
            "" => "",
            after => after.strip_prefix('[')?,
        };
    }
    (!first.is_empty() && (name.ends_with(']') || !name.contains('['))).then_some(steps)
}

fn put(tree: &mut Value, steps: &[&str], value: String) -> Option<()> {
    let (first, rest) = steps.split_first()?;
    // A list's entries have numbers for names, or none.
    if first.is_empty() || first.bytes().all(|byte| byte.is_ascii_digit()) {
        if tree.as_object().is_some_and(Map::is_empty) {
            *tree = Value::Array(Vec::new());
        }
        tree.as_array_mut()?.push(Value::String(value));
        return rest.is_empty().then_some(());
    }
    let object = tree.as_object_mut()?;
    if rest.is_empty() {
        return object.insert((*first).to_owned(), Value::String(value)).is_none().then_some(());
    }
    put(object.entry(*first).or_insert_with(|| Value::Object(Map::new())), rest, value)
}
