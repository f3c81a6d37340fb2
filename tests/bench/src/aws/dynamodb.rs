//! DynamoDB: items with conditions and updates, queries page by page, and the request units that each call is billed.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::expression::Expression;
use super::table::{Key, Order, Place, Table, key};
use super::{Answer, Cloud, Item};

/// A query ends after so much was read, whatever it found.
const QUERY_BYTES: usize = 1024 * 1024;
/// More operations than this a transaction cannot hold,
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>.
const TRANSACTION_LIMIT: usize = 100;
/// Nor more bytes than this.
const TRANSACTION_BYTES: usize = 4 * 1024 * 1024;
/// An item is no larger than this.
const ITEM_BYTES: usize = 400 * 1024;

const CONDITION_FAILED: &str = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
const TRANSACTION_CANCELED: &str = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
const OTHER_PARAMETERS: &str = "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException";

/// Why an operation was not done.
enum Refused {
    Condition(Option<Item>),
    Canceled(Value),
    OtherParameters,
    Invalid(String),
}

impl From<String> for Refused {
    fn from(why: String) -> Self {
        Self::Invalid(why)
    }
}

pub(super) fn answer(cloud: &mut Cloud, operation: &str, input: &Value) -> Answer {
    let done = match operation {
        "GetItem" => get(cloud, input),
        "BatchGetItem" => batch_get(cloud, input),
        "TransactGetItems" => transact_get(cloud, input),
        "Query" => query(cloud, input),
        "PutItem" | "UpdateItem" | "DeleteItem" => write(cloud, operation, input),
        "TransactWriteItems" => transact(cloud, input),
        other => Err(Refused::Invalid(format!("{other} is not in this stub"))),
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
        Refused::OtherParameters => Answer::refused(OTHER_PARAMETERS, "the token was used for something else"),
        Refused::Invalid(why) => Answer::refused("ValidationException", &why),
    })
}

fn wants_old(input: &Value) -> bool {
    input.get("ReturnValuesOnConditionCheckFailure") == Some(&json!("ALL_OLD"))
}

fn name(input: &Value) -> &str {
    input.get("TableName").and_then(Value::as_str).unwrap_or_default()
}

/// An answer with the units it is billed: 4 KB a unit, half a unit where the read may be stale,
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>.
fn read(output: &Value, units: f64, options: &Value) -> Answer {
    let consistent = options.get("ConsistentRead") == Some(&json!(true));
    Answer { units: if consistent { units } else { units / 2.0 }, ..Answer::json(output) }
}

fn get(cloud: &mut Cloud, input: &Value) -> Result<Answer, Refused> {
    let shown = Expression::of(input, "ProjectionExpression").map(Expression::names).transpose()?;
    let table = cloud.table(name(input));
    let item = table.get(&key(table.orders(), input.get("Key")));
    let bytes = item.as_ref().map_or(0, size);
    let output = item.map_or_else(|| json!({}), |item| json!({ "Item": only(item, shown.as_deref()) }));
    Ok(read(&output, units(bytes, 4096), input))
}

/// The attributes that were asked for.
fn only(mut item: Item, shown: Option<&[String]>) -> Item {
    if let Some(shown) = shown {
        item.retain(|name, _| shown.contains(name));
    }
    item
}

/// Each item is billed for itself.
fn batch_get(cloud: &mut Cloud, input: &Value) -> Result<Answer, Refused> {
    let mut tables = Map::new();
    let mut total = 0.0;
    for (table, wanted) in input.get("RequestItems").and_then(Value::as_object).into_iter().flatten() {
        let shown = Expression::of(wanted, "ProjectionExpression").map(Expression::names).transpose()?;
        let held = cloud.table(table);
        let mut found = Vec::new();
        for attributes in wanted.get("Keys").and_then(Value::as_array).into_iter().flatten() {
            let item = held.get(&key(held.orders(), Some(attributes)));
            total += read(&json!({}), units(item.as_ref().map_or(0, size), 4096), wanted).units;
            found.extend(item.map(|item| Value::Object(only(item, shown.as_deref()))));
        }
        tables.insert(table.clone(), found.into());
    }
    Ok(Answer { units: total, ..Answer::json(&json!({ "Responses": tables, "UnprocessedKeys": {} })) })
}

/// A read in a transaction is billed twice.
fn transact_get(cloud: &mut Cloud, input: &Value) -> Result<Answer, Refused> {
    let mut total = 0.0;
    let mut found = Vec::new();
    for wanted in input.get("TransactItems").and_then(Value::as_array).into_iter().flatten() {
        let wanted = wanted.get("Get").ok_or_else(|| "a transaction that reads has only gets".to_owned())?;
        let shown = Expression::of(wanted, "ProjectionExpression").map(Expression::names).transpose()?;
        let table = cloud.table(name(wanted));
        let item = table.get(&key(table.orders(), wanted.get("Key")));
        total += 2.0 * units(item.as_ref().map_or(0, size), 4096);
        found.push(item.map_or_else(|| json!({}), |item| json!({ "Item": only(item, shown.as_deref()) })));
    }
    Ok(Answer { units: total, ..Answer::json(&json!({ "Responses": found })) })
}

/// Items of one partition, of a table or of an index, in the order of their sort key. `Limit` counts what was read, not
/// what the filter left; all that was read is billed together.
fn query(cloud: &mut Cloud, input: &Value) -> Result<Answer, Refused> {
    let table = cloud.table(name(input));
    let index = input.get("IndexName").and_then(Value::as_str).unwrap_or_default();
    let order = table.orders().iter().find(|order| order.name == index);
    let order = order.ok_or_else(|| format!("there is no index {index}"))?;
    if !index.is_empty() && input.get("ConsistentRead") == Some(&json!(true)) {
        return Err("Consistent reads are not supported on global secondary indexes".to_owned().into());
    }
    let keys = Expression::of(input, "KeyConditionExpression").ok_or_else(|| "a query without keys".to_owned())?;
    let filter = Expression::of(input, "FilterExpression");
    let shown = Expression::of(input, "ProjectionExpression").map(Expression::names).transpose()?;
    if let Some(missing) = shown.iter().flatten().find(|name| !order.holds(name)) {
        return Err(format!("{index} does not project {missing}").into());
    }
    let count_only = input.get("Select") == Some(&json!("COUNT"));
    let limit = input.get("Limit").and_then(Value::as_u64).unwrap_or(u64::MAX);
    let behind = input.get("ExclusiveStartKey").map(|start| start_place(table, order, start));
    let forward = input.get("ScanIndexForward") != Some(&json!(false));
    let (mut evaluated, mut bytes, mut count, mut found, mut last) = (0_u64, 0, 0_u64, Vec::new(), None);
    for (place, stored) in table.span(order, &keys.span(order)?, behind, forward) {
        let item = stored.view(order);
        evaluated += 1;
        bytes += size(&item);
        if filter.map_or(Ok(true), |filter| filter.holds(&item))? {
            count += 1;
            found.extend((!count_only).then(|| Value::Object(only(item, shown.as_deref()))));
        }
        if evaluated == limit || bytes >= QUERY_BYTES {
            last = Some(place_key(table, order, place));
            break;
        }
    }
    let mut output = json!({ "Count": count, "ScannedCount": evaluated });
    if let Some(output) = output.as_object_mut() {
        output.extend((!count_only).then(|| ("Items".to_owned(), found.into())));
        output.extend(last.map(|last| ("LastEvaluatedKey".to_owned(), last)));
    }
    Ok(read(&output, units(bytes, 4096), input))
}

fn start_place(table: &Table, order: &Order, start: &Value) -> Place {
    let [pk, sk] = [Some(&order.pk), order.sk.as_ref()].map(|name| -> Arc<str> {
        name.and_then(|name| start.get(name)?.get("S")?.as_str()).unwrap_or_default().into()
    });
    Place { pk, sk, of: key(table.orders(), Some(start)) }
}

/// A place as a query gives it back to go on from there.
fn place_key(table: &Table, order: &Order, place: &Place) -> Value {
    let itself = table.orders().first().map(|itself| (itself, &place.of.0, &place.of.1));
    let mut attributes = Item::new();
    for (order, pk, sk) in itself.into_iter().chain([(order, &place.pk, &place.sk)]) {
        attributes.insert(order.pk.clone(), json!({ "S": pk.as_ref() }));
        attributes.extend(order.sk.as_ref().map(|name| (name.clone(), json!({ "S": sk.as_ref() }))));
    }
    attributes.into()
}

fn write(cloud: &mut Cloud, operation: &str, input: &Value) -> Result<Answer, Refused> {
    let Change { key, old, new, named } = change(cloud, operation, input)?;
    let table = cloud.table(name(input));
    let units = written(table.orders(), old.as_ref(), new.as_ref());
    let shown = match input.get("ReturnValues").and_then(Value::as_str) {
        Some("ALL_OLD") => old,
        Some("UPDATED_OLD") => old.map(|item| only(item, Some(&named))),
        Some("ALL_NEW") => new.clone(),
        Some("UPDATED_NEW") => new.clone().map(|item| only(item, Some(&named))),
        _ => None,
    };
    table.put(&key, new);
    let mut answer = Answer::json(&shown.map_or_else(|| json!({}), |item| json!({ "Attributes": item })));
    answer.units = units;
    Ok(answer)
}

/// All or nothing. A write in a transaction is billed twice: prepared, then committed. What was done under a token is
/// not done again under it: that is how a client sends once more what it has no answer to.
fn transact(cloud: &mut Cloud, input: &Value) -> Result<Answer, Refused> {
    let token = input.get("ClientRequestToken").and_then(Value::as_str);
    let asked = digest(input.get("TransactItems"));
    match token.and_then(|token| cloud.tokens.get(token)) {
        Some(before) if *before == asked => return Ok(Answer::json(&json!({}))),
        Some(_) => return Err(Refused::OtherParameters),
        None => {}
    }
    let operations = input.get("TransactItems").and_then(Value::as_array).map_or(0, Vec::len);
    if !(1..=TRANSACTION_LIMIT).contains(&operations) {
        return Err(format!("a transaction has 1 to {TRANSACTION_LIMIT} operations").into());
    }
    let mut changes = Vec::new();
    let mut reasons = Vec::new();
    let mut keys = BTreeSet::new();
    for entry in input.get("TransactItems").and_then(Value::as_array).into_iter().flatten() {
        for (kind, input) in entry.as_object().into_iter().flatten() {
            let operation = if kind == "ConditionCheck" { kind.clone() } else { format!("{kind}Item") };
            let orders = cloud.table(name(input)).orders();
            if !keys.insert((name(input), key(orders, input.get("Key").or_else(|| input.get("Item"))))) {
                return Err("a transaction cannot have two operations on one item".to_owned().into());
            }
            match change(cloud, &operation, input) {
                Ok(change) => {
                    reasons.push(json!({ "Code": "None" }));
                    changes.push((name(input), change));
                }
                Err(Refused::Condition(item)) => {
                    let item = item.filter(|_| wants_old(input));
                    reasons.push(json!({ "Code": "ConditionalCheckFailed", "Item": item }));
                }
                Err(refused) => return Err(refused),
            }
        }
    }
    let bytes: usize = changes.iter().filter_map(|(_, change)| change.new.as_ref()).map(size).sum();
    if bytes > TRANSACTION_BYTES {
        return Err(format!("a transaction has at most {TRANSACTION_BYTES} bytes").into());
    }
    if changes.len() < reasons.len() {
        return Err(Refused::Canceled(reasons.into()));
    }
    let mut answer = Answer::json(&json!({}));
    answer.units = 0.0;
    for (table, Change { key, old, new, .. }) in changes {
        let table = cloud.table(table);
        answer.units += 2.0 * written(table.orders(), old.as_ref(), new.as_ref());
        table.put(&key, new);
    }
    if let Some(token) = token {
        cloud.tokens.insert(token.to_owned(), asked);
    }
    Ok(answer)
}

fn digest(asked: Option<&Value>) -> u64 {
    let mut hasher = DefaultHasher::new();
    asked.map(Value::to_string).hash(&mut hasher);
    hasher.finish()
}

/// What a write would change.
struct Change {
    key: Key,
    old: Option<Item>,
    new: Option<Item>,
    /// The attributes that an update names.
    named: Vec<String>,
}

fn change(cloud: &mut Cloud, operation: &str, input: &Value) -> Result<Change, Refused> {
    let table = cloud.table(name(input));
    let key = key(table.orders(), input.get("Key").or_else(|| input.get("Item")));
    let old = table.get(&key);
    let before = old.clone().unwrap_or_default();
    if let Some(condition) = Expression::of(input, "ConditionExpression")
        && !condition.holds(&before)?
    {
        return Err(Refused::Condition(old));
    }
    let mut named = Vec::new();
    let new = match operation {
        "PutItem" => input.get("Item").and_then(Value::as_object).cloned(),
        "DeleteItem" => None,
        "ConditionCheck" => old.clone(),
        "UpdateItem" => {
            let mut after = before;
            after.extend(input.get("Key").and_then(Value::as_object).cloned().unwrap_or_default());
            if let Some(update) = Expression::of(input, "UpdateExpression") {
                (after, named) = update.updated(&after)?;
            }
            Some(after)
        }
        other => return Err(Refused::Invalid(format!("{other} is not in this stub"))),
    };
    if let Some(bytes) = new.as_ref().map(size).filter(|bytes| *bytes > ITEM_BYTES) {
        return Err(format!("an item of {bytes} bytes; at most {ITEM_BYTES} are taken").into());
    }
    let named_keys = table.orders().first().into_iter().flat_map(|itself| [Some(&itself.pk), itself.sk.as_ref()]);
    if let Some(key) = named_keys.flatten().find(|name| named.contains(name)) {
        return Err(format!("{key} is part of the key and cannot be updated").into());
    }
    Ok(Change { key, old, new, named })
}

/// Request units of a write: the larger of both items, and each index whose entry changes; where the entry's keys
/// change, the old one is deleted and the new one put.
fn written(orders: &[Order], old: Option<&Item>, new: Option<&Item>) -> f64 {
    let bytes = |item: Option<&Item>| item.map_or(0, size);
    let mut total = units(bytes(old).max(bytes(new)), 1024);
    for index in orders.iter().skip(1) {
        let nowhere: Key = ("".into(), "".into());
        let entry = |item: Option<&Item>| Some((index.place(item?, &nowhere)?, index.view(item?)));
        total += match (entry(old), entry(new)) {
            (None, None) => 0.0,
            (Some((_, entry)), None) | (None, Some((_, entry))) => units(size(&entry), 1024),
            (Some((_, before)), Some((_, after))) if before == after => 0.0,
            (Some((from, before)), Some((to, after))) if from == to => units(size(&before).max(size(&after)), 1024),
            (Some((_, before)), Some((_, after))) => units(size(&before), 1024) + units(size(&after), 1024),
        };
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
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::aws::Series;

    fn put(cloud: &mut Cloud, item: &Value, condition: Option<&str>) -> Answer {
        let mut input = json!({ "TableName": "requests", "Item": item });
        if let Some(condition) = condition {
            input["ConditionExpression"] = condition.into();
        }
        answer(cloud, "PutItem", &input)
    }

    fn said(answer: &Answer) -> Value {
        serde_json::from_slice(&answer.body).unwrap()
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
    fn an_update_gives_back_what_was_asked_for_and_says_what_stood_in_its_way() {
        let mut cloud = Cloud::default();
        let mut update = json!({
            "TableName": "sessions", "Key": { "pk": { "S": "throttle#1" } },
            "UpdateExpression": "ADD tries :one SET expires_at = :ends", "ReturnValues": "UPDATED_NEW",
            "ExpressionAttributeValues": { ":one": { "N": "1" }, ":ends": { "N": "9" } },
        });
        answer(&mut cloud, "UpdateItem", &update);
        let counted = said(&answer(&mut cloud, "UpdateItem", &update));
        assert_eq!(counted["Attributes"], json!({ "tries": { "N": "2" }, "expires_at": { "N": "9" } }));
        update["ConditionExpression"] = "tries < :one".into();
        update["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD".into();
        let refused = said(&answer(&mut cloud, "UpdateItem", &update));
        assert_eq!(refused["Item"]["tries"]["N"], "2");
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
        let count = json!({ "Update": {
            "TableName": "audit", "Key": { "pk": { "S": "a" }, "sk": { "S": "head" } },
            "UpdateExpression": "ADD seq :one", "ExpressionAttributeValues": { ":one": { "N": "1" } },
        } });
        let all = |writes: &[Value]| json!({ "TransactItems": writes });
        let canceled = said(&answer(&mut cloud, "TransactWriteItems", &all(&[write("1"), write("2"), count.clone()])));
        assert_eq!(canceled["CancellationReasons"][0]["Item"]["of"]["S"], "me");
        assert_eq!(canceled["CancellationReasons"][1]["Code"], "None");
        assert_eq!((cloud.all("requests").count(), cloud.all("audit").count()), (1, 0));
        let done = answer(&mut cloud, "TransactWriteItems", &all(&[write("2"), write("3"), count]));
        assert!((done.units - 6.0).abs() < f64::EPSILON);
        assert_eq!((cloud.all("requests").count(), cloud.all("audit").count()), (3, 1));
        let twice = said(&answer(&mut cloud, "TransactWriteItems", &all(&[write("4"), write("4")])));
        assert_eq!(twice["__type"], "ValidationException");
    }

    #[test]
    fn a_transaction_that_is_sent_again_is_done_once() {
        let mut cloud = Cloud::default();
        let count = |by: &str| {
            json!({ "ClientRequestToken": "t", "TransactItems": [{ "Update": {
                "TableName": "audit", "Key": { "pk": { "S": "a" }, "sk": { "S": "head" } },
                "UpdateExpression": "ADD seq :by", "ExpressionAttributeValues": { ":by": { "N": by } },
            } }] })
        };
        for _ in 0..3 {
            assert!(answer(&mut cloud, "TransactWriteItems", &count("1")).status.is_success());
        }
        let other = said(&answer(&mut cloud, "TransactWriteItems", &count("2")));
        assert_eq!(other["__type"], OTHER_PARAMETERS);
        assert_eq!(cloud.get("audit", "a", "head").unwrap()["seq"], json!({ "N": "1" }));
    }

    #[test]
    fn a_transaction_that_was_canceled_may_come_again_under_its_token() {
        let mut cloud = Cloud::default();
        let check = json!({ "ConditionCheck": {
            "TableName": "audit", "Key": { "pk": { "S": "a" }, "sk": { "S": "head" } },
            "ConditionExpression": "attribute_exists(pk)",
        } });
        let item = json!({ "pk": { "S": "b" }, "sk": { "S": "1" } });
        let put = json!({ "Put": { "TableName": "audit", "Item": item } });
        let both = json!({ "ClientRequestToken": "t", "TransactItems": [check, put] });
        let canceled = said(&answer(&mut cloud, "TransactWriteItems", &both));
        assert_eq!(canceled["CancellationReasons"][0]["Code"], "ConditionalCheckFailed");
        assert!(cloud.get("audit", "b", "1").is_none());
        let head = json!({ "pk": { "S": "a" }, "sk": { "S": "head" } });
        cloud.put("audit", head.as_object().cloned().unwrap());
        assert!(answer(&mut cloud, "TransactWriteItems", &both).status.is_success());
        assert!(cloud.get("audit", "b", "1").is_some());
    }

    #[test]
    fn what_is_too_large_or_too_much_is_refused() {
        let mut cloud = Cloud::default();
        let item = |sk: usize, bytes: usize| json!({ "pk": { "S": "a" }, "sk": { "S": sk.to_string() }, "b": { "S": "x".repeat(bytes) } });
        assert!(!put(&mut cloud, &item(0, 400 * 1024), None).status.is_success());
        assert!(put(&mut cloud, &item(0, 399 * 1024), None).status.is_success());
        let mut transact = |count: usize, bytes: usize| {
            let writes: Vec<Value> =
                (0..count).map(|sk| json!({ "Put": { "TableName": "requests", "Item": item(sk, bytes) } })).collect();
            answer(&mut cloud, "TransactWriteItems", &json!({ "TransactItems": writes })).status.is_success()
        };
        assert!(transact(100, 10) && !transact(101, 10) && !transact(0, 0) && !transact(11, 390 * 1024));
        let keys = json!({ "TableName": "audit", "Key": { "pk": { "S": "a" }, "sk": { "S": "1" } },
            "UpdateExpression": "SET sk = :x", "ExpressionAttributeValues": { ":x": { "S": "2" } } });
        assert!(!answer(&mut cloud, "UpdateItem", &keys).status.is_success());
    }

    proptest! {
        /// Counters under a token each, sent in any order and any number of times, with a limit that refuses some.
        #[test]
        fn transactions_come_to_what_a_model_says(steps in prop::collection::vec((0..4_u8, 0..3_u8, 0..9_u8, any::<bool>()), 0..60)) {
            let mut cloud = Cloud::default();
            let mut model = [0_u64; 3];
            let mut done: BTreeMap<String, (u8, u8, bool)> = BTreeMap::new();
            for (token, counter, other, guarded) in steps {
                // A token stands for one content, as a client makes it.
                let name = format!("{token}-{counter}-{other}-{guarded}");
                let key = |counter: u8| json!({ "pk": { "S": "c" }, "sk": { "S": counter.to_string() } });
                let mut add = json!({ "TableName": "audit", "Key": key(counter), "UpdateExpression": "ADD n :one",
                    "ExpressionAttributeValues": { ":one": { "N": "1" } } });
                if guarded {
                    add["ConditionExpression"] = "attribute_not_exists(n) OR n < :most".into();
                    add["ExpressionAttributeValues"][":most"] = json!({ "N": "5" });
                }
                let mut items = vec![json!({ "Update": add })];
                let second = other % 3;
                if second != counter {
                    items.push(json!({ "Update": { "TableName": "audit", "Key": key(second), "UpdateExpression": "ADD n :two",
                        "ExpressionAttributeValues": { ":two": { "N": "2" } } } }));
                }
                let input = json!({ "ClientRequestToken": name, "TransactItems": items });
                let ok = answer(&mut cloud, "TransactWriteItems", &input).status.is_success();
                let (first, second_place) = (usize::from(counter), usize::from(second));
                let expected = done.contains_key(&name) || !guarded || model[first] < 5;
                prop_assert_eq!(ok, expected);
                if ok && done.insert(name, (counter, second, guarded)).is_none() {
                    model[first] += 1;
                    model[second_place] += if second == counter { 0 } else { 2 };
                }
            }
            for (place, expected) in model.iter().enumerate() {
                let found = cloud.get("audit", "c", &place.to_string()).and_then(|item| item["n"]["N"].as_str()?.parse().ok());
                prop_assert_eq!(found.unwrap_or(0_u64), *expected);
            }
        }
    }

    #[test]
    fn a_query_and_a_batch_find_what_they_ask_for() {
        let mut cloud = Cloud::default();
        for (pk, sk) in [("a", "1"), ("a", "2"), ("b", "1")] {
            put(&mut cloud, &json!({ "pk": { "S": pk }, "sk": { "S": sk } }), None);
        }
        let values = json!({ ":pk": { "S": "a" } });
        let input = json!({ "TableName": "requests", "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": values });
        assert_eq!(said(&answer(&mut cloud, "Query", &input))["Count"], 2);
        let keys = json!([{ "pk": { "S": "b" }, "sk": { "S": "1" } }, { "pk": { "S": "c" }, "sk": { "S": "1" } }]);
        let input = json!({ "RequestItems": { "requests": { "Keys": keys, "ConsistentRead": true } } });
        let found = answer(&mut cloud, "BatchGetItem", &input);
        assert!((found.units - 2.0).abs() < f64::EPSILON);
        assert_eq!(said(&found)["Responses"]["requests"].as_array().map(Vec::len), Some(1));
    }

    /// Ten requests, due one day after the other; every second one is a deletion.
    fn inbox() -> Cloud {
        let mut cloud = Cloud::default();
        for day in 0..10 {
            let kind = if day % 2 == 0 { "delete" } else { "opt-out" };
            let item = json!({
                "pk": { "S": format!("t-1#{day}") }, "sk": { "S": format!("{day}") }, "kind": { "S": kind },
                "open_pk": { "S": "t-1" }, "open_sk": { "S": format!("2026-01-0{day}") }, "contact": { "B": "AAAA" },
            });
            put(&mut cloud, &item, None);
        }
        cloud
    }

    fn due(keys: &str, more: &Value) -> Value {
        let mut input = json!({
            "TableName": "requests", "IndexName": "open-by-due", "KeyConditionExpression": keys,
            "ExpressionAttributeValues": { ":t": { "S": "t-1" }, ":a": { "S": "2026-01-03" }, ":b": { "S": "2026-01-05" },
                ":day": { "S": "2026-01-" }, ":kind": { "S": "delete" } },
        });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    }

    fn keys(found: &Value) -> Vec<&str> {
        found["Items"].as_array().unwrap().iter().map(|item| item["sk"]["S"].as_str().unwrap()).collect()
    }

    #[test]
    fn an_index_is_read_in_its_own_order_between_its_keys() {
        let mut cloud = inbox();
        for (condition, expected) in [
            ("open_pk = :t AND open_sk BETWEEN :a AND :b", vec!["3", "4", "5"]),
            ("open_pk = :t AND open_sk < :a", vec!["0", "1", "2"]),
            ("open_pk = :t AND (open_sk >= :b)", vec!["5", "6", "7", "8", "9"]),
            ("open_sk = :b AND open_pk = :t", vec!["5"]),
            ("open_pk = :a", vec![]),
        ] {
            let found = said(&answer(&mut cloud, "Query", &due(condition, &json!({}))));
            assert_eq!(keys(&found), expected, "{condition}");
        }
        let last = json!({ "ScanIndexForward": false, "Limit": 2, "ProjectionExpression": "sk, kind" });
        let found = said(&answer(&mut cloud, "Query", &due("open_pk = :t AND begins_with(open_sk, :day)", &last)));
        assert_eq!(keys(&found), ["9", "8"]);
        assert_eq!(found["Items"][0], json!({ "sk": { "S": "9" }, "kind": { "S": "opt-out" } }));
    }

    #[test]
    fn a_query_goes_on_where_it_ended_and_its_limit_counts_what_the_filter_left_out() {
        let mut cloud = inbox();
        let page = json!({ "Limit": 4, "FilterExpression": "kind = :kind" });
        let mut input = due("open_pk = :t", &page);
        let mut pages = Vec::new();
        loop {
            let found = said(&answer(&mut cloud, "Query", &input));
            pages.push((keys(&found).len(), found["ScannedCount"].as_u64().unwrap()));
            let Some(last) = found.get("LastEvaluatedKey") else { break };
            input["ExclusiveStartKey"] = last.clone();
        }
        assert_eq!(pages, [(2, 4), (2, 4), (1, 2)]);
        input["ScanIndexForward"] = false.into();
        assert_eq!(keys(&said(&answer(&mut cloud, "Query", &input))), ["6", "4"]);
    }

    #[test]
    fn an_index_shows_no_more_than_it_holds() {
        let mut cloud = inbox();
        let found = said(&answer(&mut cloud, "Query", &due("open_pk = :t", &json!({ "Limit": 1 }))));
        let names: Vec<&String> = found["Items"][0].as_object().unwrap().keys().collect();
        assert_eq!(names, ["kind", "open_pk", "open_sk", "pk", "sk"]);
        for (more, why) in [
            (json!({ "ProjectionExpression": "contact" }), "does not project"),
            (json!({ "ConsistentRead": true }), "Consistent reads"),
            (json!({ "IndexName": "by-nothing" }), "no index"),
        ] {
            let refused = answer(&mut cloud, "Query", &due("open_pk = :t", &more));
            assert!(String::from_utf8_lossy(&refused.body).contains(why), "{why}");
        }
    }

    #[test]
    fn what_a_snapshot_adds_and_takes_away_shows_in_its_stock() {
        let mut cloud = Cloud::default();
        let pattern = json!({
            "pk": { "S": "t-1#x" }, "sk": { "S": "x" }, "kind": { "S": "delete" },
            "open_pk": { "S": "t-1" }, "open_sk": { "S": "2026-01-0x" },
        });
        let series = Series::new(pattern.as_object().unwrap(), &["x"], |number| vec![number.to_string()]);
        cloud.stock("requests", series, 8);
        let untouched = cloud.clone();
        put(&mut cloud, &json!({ "pk": { "S": "t-1#3" }, "sk": { "S": "3" }, "kind": { "S": "closed" } }), None);
        let late = json!({ "pk": { "S": "t-1#n" }, "sk": { "S": "n" },
            "open_pk": { "S": "t-1" }, "open_sk": { "S": "2026-01-05+" } });
        put(&mut cloud, &late, None);
        let gone = json!({ "TableName": "requests", "Key": { "pk": { "S": "t-1#4" }, "sk": { "S": "4" } } });
        answer(&mut cloud, "DeleteItem", &gone);
        let found = said(&answer(&mut cloud, "Query", &due("open_pk = :t", &json!({ "ScanIndexForward": false }))));
        assert_eq!(keys(&found), ["7", "6", "n", "5", "2", "1", "0"]);
        assert_eq!(said(&answer(&mut cloud, "GetItem", &gone)), json!({}));
        cloud.clone_from(&untouched);
        let found = said(&answer(&mut cloud, "Query", &due("open_pk = :t", &json!({}))));
        assert_eq!(keys(&found).len(), 8);
        assert_eq!(said(&answer(&mut cloud, "GetItem", &gone))["Item"]["kind"]["S"], "delete");
    }

    #[test]
    fn units_follow_size_and_indexes() {
        let mut cloud = Cloud::default();
        let plain = json!({ "pk": { "S": "a" }, "sk": { "S": "b" }, "text": { "S": "x".repeat(1024) } });
        assert!((put(&mut cloud, &plain, None).units - 2.0).abs() < f64::EPSILON);
        let mut indexed = plain.clone();
        indexed["open_pk"] = json!({ "S": "a" });
        indexed["open_sk"] = json!({ "S": "2026" });
        assert!((put(&mut cloud, &indexed, None).units - 3.0).abs() < f64::EPSILON);
        indexed["text"] = json!({ "S": "not in the index" });
        assert!((put(&mut cloud, &indexed, None).units - 2.0).abs() < f64::EPSILON);
        indexed["open_sk"] = json!({ "S": "2027" });
        assert!((put(&mut cloud, &indexed, None).units - 3.0).abs() < f64::EPSILON);
        let input = json!({ "TableName": "requests", "Key": { "pk": { "S": "a" }, "sk": { "S": "b" } } });
        assert!((answer(&mut cloud, "GetItem", &input).units - 0.5).abs() < f64::EPSILON);
    }
}
