//! DynamoDB: items with conditions and updates, and the request units that each call is billed.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::expression::Expression;
use super::{Answer, Cloud, Item};

/// The partition keys of the tables' global secondary indexes in `template.yaml`: a write to them is billed as well.
const INDEX_KEYS: [[&str; 2]; 2] = [["open_pk", "open_sk"], ["contact_pk", "contact_sk"]];

type Key = (String, String, String);

const CONDITION_FAILED: &str = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
const TRANSACTION_CANCELED: &str = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";

/// Why an operation was not done.
enum Refused {
    Condition(Option<Item>),
    Canceled(Value),
    Unknown(String),
}

impl From<String> for Refused {
    fn from(what: String) -> Self {
        Self::Unknown(what)
    }
}

pub(super) fn answer(cloud: &mut Cloud, operation: &str, input: &Value) -> Answer {
    let done = match operation {
        "GetItem" => Ok(get(cloud, input)),
        "BatchGetItem" => Ok(batch_get(cloud, input)),
        "Query" => query(cloud, input),
        "PutItem" | "UpdateItem" | "DeleteItem" => write(cloud, operation, input),
        "TransactWriteItems" => transact(cloud, input),
        other => Err(Refused::Unknown(other.to_owned())),
    };
    let refused = |problem: &Value| Answer { status: StatusCode::BAD_REQUEST, ..Answer::json(problem) };
    done.unwrap_or_else(|why| match why {
        Refused::Condition(item) => {
            let item = item.filter(|_| wants_old(input));
            refused(&json!({ "__type": CONDITION_FAILED, "message": "", "Item": item }))
        }
        Refused::Canceled(reasons) => {
            refused(&json!({ "__type": TRANSACTION_CANCELED, "message": "", "CancellationReasons": reasons }))
        }
        Refused::Unknown(what) => Answer::refused("ValidationException", &format!("{what} is not in this stub")),
    })
}

fn wants_old(input: &Value) -> bool {
    input.get("ReturnValuesOnConditionCheckFailure") == Some(&json!("ALL_OLD"))
}

/// An answer with the units it is billed: 4 KB a unit, half a unit where the read may be stale,
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>.
fn read(output: &Value, units: f64, options: &Value) -> Answer {
    let consistent = options.get("ConsistentRead") == Some(&json!(true));
    Answer { units: if consistent { units } else { units / 2.0 }, ..Answer::json(output) }
}

fn get(cloud: &Cloud, input: &Value) -> Answer {
    let item = cloud.items.get(&key(input.get("TableName"), input.get("Key")));
    let output = item.map_or_else(|| json!({}), |item| json!({ "Item": item }));
    read(&output, units(item.map_or(0, size), 4096), input)
}

/// Each item is billed for itself.
fn batch_get(cloud: &Cloud, input: &Value) -> Answer {
    let mut tables = Map::new();
    let mut total = 0.0;
    for (table, wanted) in input.get("RequestItems").and_then(Value::as_object).into_iter().flatten() {
        let name = json!(table);
        let keys = wanted.get("Keys").and_then(Value::as_array).into_iter().flatten();
        let found: Vec<Option<&Item>> =
            keys.map(|attributes| cloud.items.get(&key(Some(&name), Some(attributes)))).collect();
        let each: f64 = found.iter().map(|item| units(item.map_or(0, size), 4096)).sum();
        total += read(&json!({}), each, wanted).units;
        tables.insert(table.clone(), found.into_iter().flatten().cloned().map(Value::Object).collect());
    }
    Answer { units: total, ..Answer::json(&json!({ "Responses": tables, "UnprocessedKeys": {} })) }
}

/// All that was read is billed together.
fn query(cloud: &Cloud, input: &Value) -> Result<Answer, Refused> {
    let table = input.get("TableName").and_then(Value::as_str).unwrap_or_default();
    let condition = Expression::of(input, "KeyConditionExpression").ok_or_else(|| "a query without keys".to_owned())?;
    let mut found = Vec::new();
    for ((of, _, _), item) in &cloud.items {
        if of == table && condition.holds(item)? {
            found.push(item);
        }
    }
    let output = json!({ "Items": found, "Count": found.len(), "ScannedCount": found.len() });
    Ok(read(&output, units(found.iter().map(|item| size(item)).sum(), 4096), input))
}

fn write(cloud: &mut Cloud, operation: &str, input: &Value) -> Result<Answer, Refused> {
    let (key, old, new) = change(cloud, operation, input)?;
    let units = written(old.as_ref(), new.as_ref());
    let shown = match input.get("ReturnValues").and_then(Value::as_str) {
        Some("ALL_OLD" | "UPDATED_OLD") => old,
        Some("ALL_NEW" | "UPDATED_NEW") => new.clone(),
        _ => None,
    };
    store(cloud, key, new);
    let mut answer = Answer::json(&shown.map_or_else(|| json!({}), |item| json!({ "Attributes": item })));
    answer.units = units;
    Ok(answer)
}

/// All or nothing. A write in a transaction is billed twice: prepared, then committed.
fn transact(cloud: &mut Cloud, input: &Value) -> Result<Answer, Refused> {
    let mut changes = Vec::new();
    let mut reasons = Vec::new();
    for entry in input.get("TransactItems").and_then(Value::as_array).into_iter().flatten() {
        for (kind, input) in entry.as_object().into_iter().flatten() {
            let operation = if kind == "ConditionCheck" { kind.clone() } else { format!("{kind}Item") };
            match change(cloud, &operation, input) {
                Ok(change) => {
                    reasons.push(json!({ "Code": "None" }));
                    changes.push(change);
                }
                Err(Refused::Condition(item)) => {
                    let item = item.filter(|_| wants_old(input));
                    reasons.push(json!({ "Code": "ConditionalCheckFailed", "Item": item }));
                }
                Err(refused) => return Err(refused),
            }
        }
    }
    if changes.len() < reasons.len() {
        return Err(Refused::Canceled(reasons.into()));
    }
    let mut answer = Answer::json(&json!({}));
    answer.units = 0.0;
    for (key, old, new) in changes {
        answer.units += 2.0 * written(old.as_ref(), new.as_ref());
        store(cloud, key, new);
    }
    Ok(answer)
}

/// What a write would change: the key, the item before and the item after.
fn change(cloud: &Cloud, operation: &str, input: &Value) -> Result<(Key, Option<Item>, Option<Item>), Refused> {
    let key = key(input.get("TableName"), input.get("Key").or_else(|| input.get("Item")));
    let old = cloud.items.get(&key).cloned();
    let before = old.clone().unwrap_or_default();
    if let Some(condition) = Expression::of(input, "ConditionExpression")
        && !condition.holds(&before)?
    {
        return Err(Refused::Condition(old));
    }
    let new = match operation {
        "PutItem" => input.get("Item").and_then(Value::as_object).cloned(),
        "DeleteItem" => None,
        "ConditionCheck" => old.clone(),
        _ => {
            let mut before = before;
            before.extend(input.get("Key").and_then(Value::as_object).cloned().unwrap_or_default());
            Some(
                Expression::of(input, "UpdateExpression")
                    .map_or(Ok(before.clone()), |update| update.updated(&before))?,
            )
        }
    };
    Ok((key, old, new))
}

fn store(cloud: &mut Cloud, key: Key, item: Option<Item>) {
    match item {
        Some(item) => cloud.items.insert(key, item),
        None => cloud.items.remove(&key),
    };
}

fn key(table: Option<&Value>, attributes: Option<&Value>) -> Key {
    let text = |name: &str| attributes.and_then(|key| key.get(name)?.get("S")?.as_str()).unwrap_or_default().to_owned();
    (table.and_then(Value::as_str).unwrap_or_default().to_owned(), text("pk"), text("sk"))
}

/// Request units of a write: the larger of both items, and each index whose entry changes.
fn written(old: Option<&Item>, new: Option<&Item>) -> f64 {
    let bytes = |item: Option<&Item>| item.map_or(0, size);
    let mut total = units(bytes(old).max(bytes(new)), 1024);
    for index in INDEX_KEYS {
        let entry = |item: Option<&Item>| {
            let item = item?;
            let [pk, sk] = index.map(|name| item.get(name).cloned());
            Some((pk?, sk?))
        };
        match (entry(old), entry(new)) {
            (Some(before), Some(after)) if before == after && old == new => {}
            (Some(before), Some(after)) if before != after => {
                total += units(bytes(old), 1024) + units(bytes(new), 1024);
            }
            (None, None) => {}
            (Some(_), None) => total += units(bytes(old), 1024),
            (_, Some(_)) => total += units(bytes(new), 1024),
        }
    }
    total
}

fn units(bytes: usize, unit: usize) -> f64 {
    u32::try_from(bytes.div_ceil(unit).max(1)).map_or(f64::MAX, f64::from)
}

/// An item's size: names and values in UTF-8, binary as it is, numbers at two digits a byte:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>.
fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &Value) -> usize {
    let typed = value.as_object().and_then(|typed| typed.iter().next());
    match typed.map(|(kind, value)| (kind.as_str(), value)) {
        Some(("S", Value::String(text))) => text.len(),
        Some(("B", Value::String(text))) => text.len() / 4 * 3,
        Some(("N", Value::String(text))) => text.len().div_ceil(2) + 1,
        Some(("L", Value::Array(list))) => 3 + list.iter().map(|value| 1 + value_size(value)).sum::<usize>(),
        Some(("M", Value::Object(map))) => 3 + map_size(map),
        Some(("SS", Value::Array(set))) => set.iter().filter_map(Value::as_str).map(str::len).sum(),
        _ => 1,
    }
}

fn map_size(map: &Map<String, Value>) -> usize {
    map.iter().map(|(name, value)| 1 + name.len() + value_size(value)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(cloud: &mut Cloud, item: &Value, condition: Option<&str>) -> Answer {
        let mut input = json!({ "TableName": "requests", "Item": item });
        if let Some(condition) = condition {
            input["ConditionExpression"] = condition.into();
        }
        answer(cloud, "PutItem", &input)
    }

    #[test]
    fn the_same_item_is_put_once() {
        let mut cloud = Cloud::default();
        let item = json!({ "pk": { "S": "a" }, "sk": { "S": "b" } });
        assert!(put(&mut cloud, &item, Some("attribute_not_exists(pk)")).status.is_success());
        let again = put(&mut cloud, &item, Some("attribute_not_exists(pk)"));
        assert!(String::from_utf8_lossy(&again.body).contains("ConditionalCheckFailedException"));
    }

    #[test]
    fn a_transaction_is_all_or_nothing() {
        let mut cloud = Cloud::default();
        put(&mut cloud, &json!({ "pk": { "S": "a" }, "sk": { "S": "1" }, "of": { "S": "me" } }), None);
        let write = |sk: &str| {
            json!({ "Put": {
                "TableName": "requests", "Item": { "pk": { "S": "a" }, "sk": { "S": sk } },
                "ConditionExpression": "attribute_not_exists(pk)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            } })
        };
        let canceled = answer(&mut cloud, "TransactWriteItems", &json!({ "TransactItems": [write("1"), write("2")] }));
        let canceled: Value = serde_json::from_slice(&canceled.body).unwrap();
        assert_eq!(canceled["CancellationReasons"][0]["Item"]["of"]["S"], "me");
        assert_eq!(canceled["CancellationReasons"][1]["Code"], "None");
        assert_eq!(cloud.items.len(), 1);
        let done = answer(&mut cloud, "TransactWriteItems", &json!({ "TransactItems": [write("2"), write("3")] }));
        assert!((done.units - 4.0).abs() < f64::EPSILON);
        assert_eq!(cloud.items.len(), 3);
    }

    #[test]
    fn a_query_and_a_batch_find_what_they_ask_for() {
        let mut cloud = Cloud::default();
        for (pk, sk) in [("a", "1"), ("a", "2"), ("b", "1")] {
            put(&mut cloud, &json!({ "pk": { "S": pk }, "sk": { "S": sk } }), None);
        }
        let values = json!({ ":pk": { "S": "a" } });
        let input = json!({ "TableName": "requests", "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": values });
        let found: Value = serde_json::from_slice(&answer(&mut cloud, "Query", &input).body).unwrap();
        assert_eq!(found["Count"], 2);
        let keys = json!([{ "pk": { "S": "b" }, "sk": { "S": "1" } }, { "pk": { "S": "c" }, "sk": { "S": "1" } }]);
        let input = json!({ "RequestItems": { "requests": { "Keys": keys, "ConsistentRead": true } } });
        let found = answer(&mut cloud, "BatchGetItem", &input);
        assert!((found.units - 2.0).abs() < f64::EPSILON);
        let found: Value = serde_json::from_slice(&found.body).unwrap();
        assert_eq!(found["Responses"]["requests"].as_array().map(Vec::len), Some(1));
    }

    #[test]
    fn units_follow_size_and_indexes() {
        let mut cloud = Cloud::default();
        let plain = json!({ "pk": { "S": "a" }, "sk": { "S": "b" }, "text": { "S": "x".repeat(1024) } });
        assert!((put(&mut cloud, &plain, None).units - 2.0).abs() < f64::EPSILON);
        let mut indexed = plain.clone();
        indexed["open_pk"] = json!({ "S": "a" });
        indexed["open_sk"] = json!({ "S": "2026" });
        assert!((put(&mut cloud, &indexed, None).units - 4.0).abs() < f64::EPSILON);
        let input = json!({ "TableName": "requests", "Key": { "pk": { "S": "a" }, "sk": { "S": "b" } } });
        assert!((answer(&mut cloud, "GetItem", &input).units - 0.5).abs() < f64::EPSILON);
    }
}
