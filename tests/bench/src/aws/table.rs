//! One table with its indexes, each in an order of its own: to find a page among a million items costs the logarithm of
//! a million, not a million.
//!
//! What a table starts with, its stock, is shared by all snapshots; they differ in what was changed since. What is gone from
//! the stock is known by its places there, in ranges: to skip a million that were taken from the front costs one step.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::iter;
use std::ops::{Bound, Range};
use std::sync::{Arc, LazyLock};

use rangemap::RangeSet;
use serde_json::Value;

use super::Item;
use super::series::Series;
use crate::template;

/// A partition key and a sort key, empty where the table has none.
pub(super) type Key = (Arc<str>, Arc<str>);

/// All tables of `template.yaml`.
static SHAPES: LazyLock<BTreeMap<String, Vec<Order>>> = LazyLock::new(|| {
    let tables = template::tables(include_str!("../../../../template.yaml"));
    let orders = |table: template::Table| {
        let key: BTreeSet<String> = table.key.iter().cloned().collect();
        let itself = Order::new(String::new(), &table.key, None);
        let indexes = table.indexes.into_iter().map(|index| {
            let held =
                index.included.map(|names| names.into_iter().chain(key.clone()).chain(index.key.clone()).collect());
            Order::new(index.name, &index.key, held)
        });
        iter::once(itself).chain(indexes).collect()
    };
    tables.into_iter().map(|(name, table)| (name, orders(table))).collect()
});

/// A table that `template.yaml` does not have: keys as most have them, and no index.
static PLAIN: LazyLock<Vec<Order>> =
    LazyLock::new(|| vec![Order::new(String::new(), &["pk".to_owned(), "sk".to_owned()], None)]);

/// A table or one of its indexes, as something to be queried.
#[derive(Debug)]
pub(super) struct Order {
    /// The index's name; empty for the table itself.
    pub(super) name: String,
    /// The attribute that is its partition key.
    pub(super) pk: String,
    /// The attribute that is its sort key.
    pub(super) sk: Option<String>,
    /// The attributes that it holds; nothing where it holds all.
    held: Option<BTreeSet<String>>,
}

impl Order {
    fn new(name: String, key: &[String], held: Option<BTreeSet<String>>) -> Self {
        Self { name, pk: key.first().cloned().unwrap_or_default(), sk: key.get(1).cloned(), held }
    }

    /// Whether an attribute can be read through it.
    pub(super) fn holds(&self, attribute: &str) -> bool {
        self.held.as_ref().is_none_or(|held| held.contains(attribute))
    }

    /// Where an item stands in it; nowhere without its keys.
    pub(super) fn place(&self, item: &Item, of: &Key) -> Option<Place> {
        let text = |name: &str| item.get(name)?.get("S")?.as_str().map(Arc::from);
        let sk = self.sk.as_ref().map_or_else(|| Some(Arc::from("")), |sk| text(sk))?;
        Some(Place { pk: text(&self.pk)?, sk, of: of.clone() })
    }

    /// An item as it is seen through it.
    pub(super) fn view(&self, item: &Item) -> Item {
        item.iter().filter(|(name, _)| self.holds(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// Where an item stands in an order: several items may have the same keys in an index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) pk: Arc<str>,
    pub(super) sk: Arc<str>,
    /// The item's key in the table.
    pub(super) of: Key,
}

/// More kinds of changes than this are not kept apart.
const MOST_CHANGES: usize = 1_000;
/// Greater than every key.
const LAST: &str = "\u{10FFFF}";

impl Place {
    fn of_table(key: &Key) -> Self {
        Self { pk: Arc::clone(&key.0), sk: Arc::clone(&key.1), of: key.clone() }
    }

    /// Before (or behind) all places with these keys.
    fn beside(pk: &str, sk: &str, behind: bool) -> Self {
        let of: Arc<str> = if behind { LAST } else { "" }.into();
        Self { pk: pk.into(), sk: sk.into(), of: (Arc::clone(&of), of) }
    }
}

/// Which part of an order a query reads.
#[derive(Debug, Clone)]
pub(super) struct Span {
    /// The partition.
    pub(super) pk: String,
    /// The smallest sort key.
    pub(super) from: Bound<String>,
    /// The largest sort key.
    pub(super) to: Bound<String>,
}

impl Span {
    fn places(&self) -> (Bound<Place>, Bound<Place>) {
        let from = match &self.from {
            Bound::Unbounded => Place::beside(&self.pk, "", false),
            Bound::Included(sk) => Place::beside(&self.pk, sk, false),
            Bound::Excluded(sk) => Place::beside(&self.pk, sk, true),
        };
        let to = match &self.to {
            Bound::Unbounded => Place::beside(&self.pk, LAST, true),
            Bound::Included(sk) => Place::beside(&self.pk, sk, true),
            Bound::Excluded(sk) => Place::beside(&self.pk, sk, false),
        };
        (Bound::Included(from), Bound::Excluded(to))
    }
}

/// An item: whole, or a number in a series from which it is made when somebody asks.
#[derive(Debug, Clone)]
pub(super) enum Stored {
    Whole(Arc<Item>),
    Made(Arc<Series>, u32),
    /// One of a series, with some attributes in the place of its own: the same ones for many.
    Changed(Arc<Series>, u32, Arc<Item>),
}

impl Stored {
    /// The item as it is seen through an order.
    pub(super) fn view(&self, order: &Order) -> Item {
        match self {
            Self::Whole(item) => order.view(item),
            Self::Made(series, number) => series.item(*number, |name| order.holds(name)),
            Self::Changed(series, number, changes) => {
                let mut item = series.item(*number, |name| order.holds(name));
                item.extend(order.view(changes));
                item
            }
        }
    }

    /// The whole item.
    pub(super) fn item(&self) -> Item {
        match self {
            Self::Whole(item) => Item::clone(item),
            Self::Made(series, number) => series.item(*number, |_| true),
            Self::Changed(series, number, changes) => {
                let mut item = series.item(*number, |_| true);
                item.extend(Item::clone(changes));
                item
            }
        }
    }

    /// What it adds to or changes in an item of a series; nothing where it takes something away.
    fn changes(series: &Series, number: u32, item: &Item) -> Option<Item> {
        let before = series.item(number, |_| true);
        if before.keys().any(|name| !item.contains_key(name)) {
            return None;
        }
        let changed = item.iter().filter(|(name, value)| before.get(*name) != Some(*value));
        Some(changed.map(|(name, value)| (name.clone(), value.clone())).collect())
    }
}

/// Items in each of a table's orders.
type Shelf = Vec<BTreeMap<Place, Stored>>;
/// The same, in rows that do not change.
type Stock = Vec<Vec<(Place, Stored)>>;

/// A table's items; a clone is a snapshot.
#[derive(Debug, Clone)]
pub(super) struct Table {
    orders: &'static [Order],
    stock: Arc<Stock>,
    /// Which of the stock's items are replaced or deleted, by their numbers in each row.
    gone: Vec<RangeSet<usize>>,
    added: Shelf,
    /// What changed in items of a series, each kind of change kept once.
    changes: BTreeMap<String, Arc<Item>>,
}

impl Table {
    /// An empty table, shaped as `template.yaml` has it.
    pub(super) fn new(name: &str) -> Self {
        let orders = SHAPES.get(name).unwrap_or(&PLAIN).as_slice();
        Self {
            orders,
            stock: Arc::new(orders.iter().map(|_| Vec::new()).collect()),
            gone: orders.iter().map(|_| RangeSet::new()).collect(),
            added: orders.iter().map(|_| BTreeMap::new()).collect(),
            changes: BTreeMap::new(),
        }
    }

    /// The table itself, then its indexes.
    pub(super) fn orders(&self) -> &'static [Order] {
        self.orders
    }

    /// Makes the first `count` items of a series the table's stock.
    pub(super) fn stock(&mut self, series: &Arc<Series>, count: u32) {
        let mut shared = HashSet::new();
        let mut keys = Vec::new();
        let mut filled = Stock::new();
        for order in self.orders {
            let mut places = Vec::new();
            for number in 0..count {
                let text = |name: &str| {
                    let text = series.text(number, name)?;
                    let known: Option<&Arc<str>> = shared.get(text.as_str());
                    Some(known.cloned().unwrap_or_else(|| Arc::from(text)))
                };
                let found = text(&order.pk).zip(order.sk.as_ref().map_or_else(|| Some("".into()), |sk| text(sk)));
                let Some((pk, sk)) = found else { continue };
                // Few partitions hold many items, whose sort keys differ.
                if shared.len() < 100_000 {
                    shared.insert(Arc::clone(&pk));
                }
                if order.name.is_empty() {
                    keys.push((Arc::clone(&pk), Arc::clone(&sk)));
                }
                let index = usize::try_from(number).unwrap_or_default();
                let Some(of) = keys.get(index).cloned() else { continue };
                places.push((Place { pk, sk, of }, Stored::Made(Arc::clone(series), number)));
            }
            places.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
            filled.push(places);
        }
        self.stock = Arc::new(filled);
    }

    /// The item of a key.
    pub(super) fn get(&self, key: &Key) -> Option<Item> {
        let place = Place::of_table(key);
        let added = self.added.first().and_then(|added| added.get(&place));
        added.or_else(|| self.in_stock(&place).filter(|_| !self.is_gone(&place))).map(Stored::item)
    }

    fn in_stock(&self, place: &Place) -> Option<&Stored> {
        let stock = self.stock.first()?;
        stock.get(number(stock, place)?).map(|(_, stored)| stored)
    }

    fn is_gone(&self, place: &Place) -> bool {
        let number = self.stock.first().and_then(|stock| number(stock, place));
        number.zip(self.gone.first()).is_some_and(|(number, gone)| gone.contains(&number))
    }

    /// Takes an item of the stock out of every order.
    fn take(&mut self, key: &Key, old: &Item) {
        for ((order, stock), gone) in self.orders.iter().zip(self.stock.iter()).zip(&mut self.gone) {
            if let Some(number) = order.place(old, key).and_then(|place| number(stock, &place)) {
                gone.insert(number..number + 1);
            }
        }
    }

    /// Puts an item in the place of whatever is there, or takes that away.
    pub(super) fn put(&mut self, key: &Key, item: Option<Item>) {
        let place = Place::of_table(key);
        if let Some(old) = self.added.first().and_then(|added| added.get(&place)).map(Stored::item) {
            for (order, added) in self.orders.iter().zip(&mut self.added) {
                order.place(&old, key).and_then(|place| added.remove(&place));
            }
        }
        if let Some(old) = self.in_stock(&place).filter(|_| !self.is_gone(&place)).map(Stored::item) {
            self.take(key, &old);
        }
        if let Some(item) = item {
            let stored = self.stored(&place, &item);
            for (order, added) in self.orders.iter().zip(&mut self.added) {
                if let Some(place) = order.place(&item, key) {
                    added.insert(place, stored.clone());
                }
            }
        }
    }

    /// How an item is kept: one of a series by what changed in it, where others changed alike.
    fn stored(&mut self, place: &Place, item: &Item) -> Stored {
        let whole = || Stored::Whole(Arc::new(item.clone()));
        let Some(Stored::Made(series, number)) = self.in_stock(place) else { return whole() };
        let (series, number) = (Arc::clone(series), *number);
        let Some(changes) = Stored::changes(&series, number, item) else { return whole() };
        let Ok(name) = serde_json::to_string(&changes) else { return whole() };
        if self.changes.len() >= MOST_CHANGES && !self.changes.contains_key(&name) {
            return whole();
        }
        let kept = self.changes.entry(name).or_insert_with(|| Arc::new(changes));
        Stored::Changed(series, number, Arc::clone(kept))
    }

    /// What stands in part of an order, behind a place where one is given.
    pub(super) fn span<'a>(
        &'a self,
        order: &Order,
        span: &Span,
        behind: Option<Place>,
        forward: bool,
    ) -> Box<dyn Iterator<Item = (&'a Place, &'a Stored)> + 'a> {
        let (mut from, mut to) = span.places();
        if let Some(place) = behind {
            if forward { &mut from } else { &mut to }.clone_from(&Bound::Excluded(place));
        }
        let (Bound::Included(first) | Bound::Excluded(first), Bound::Included(last) | Bound::Excluded(last)) =
            (&from, &to)
        else {
            return Box::new(iter::empty());
        };
        // A start behind the end, on which `range` would panic, comes from contradicting conditions.
        let position = self.orders.iter().position(|there| there.name == order.name);
        let shelves = position.and_then(|at| Some((self.stock.get(at)?, self.gone.get(at)?, self.added.get(at)?)));
        let Some((stock, gone, added)) = shelves.filter(|_| first < last) else { return Box::new(iter::empty()) };
        let numbers = stock.partition_point(|(place, _)| is_before(place, &from))
            ..stock.partition_point(|(place, _)| !is_behind(place, &to));
        let added = added.range((from, to));
        if forward {
            Box::new(merged(standing(stock, gone, numbers), added, |one, other| one <= other))
        } else {
            Box::new(merged(standing_back(stock, gone, numbers), added.rev(), |one, other| one >= other))
        }
    }

    /// All items, in the order of their keys.
    pub(super) fn all(&self) -> impl Iterator<Item = Item> {
        let stock = self.stock.first().zip(self.gone.first());
        let stock = stock.into_iter().flat_map(|(stock, gone)| standing(stock, gone, 0..stock.len()));
        let added = self.added.first().into_iter().flatten();
        merged(stock, added, |one, other| one <= other).map(|(_, stored)| stored.item())
    }
}

/// Which of a row's items stands there.
fn number(row: &[(Place, Stored)], place: &Place) -> Option<usize> {
    row.binary_search_by(|(there, _)| there.cmp(place)).ok()
}

fn is_before(place: &Place, from: &Bound<Place>) -> bool {
    match from {
        Bound::Included(first) => place < first,
        Bound::Excluded(first) => place <= first,
        Bound::Unbounded => false,
    }
}

fn is_behind(place: &Place, to: &Bound<Place>) -> bool {
    match to {
        Bound::Included(last) => place > last,
        Bound::Excluded(last) => place >= last,
        Bound::Unbounded => false,
    }
}

/// What of part of a row is not gone.
fn standing<'a>(
    row: &'a [(Place, Stored)],
    gone: &'a RangeSet<usize>,
    Range { mut start, end }: Range<usize>,
) -> impl Iterator<Item = (&'a Place, &'a Stored)> {
    iter::from_fn(move || {
        start = gone.get(&start).map_or(start, |gone| gone.end);
        let (place, stored) = row.get(start).filter(|_| start < end)?;
        start += 1;
        Some((place, stored))
    })
}

/// The same, from its end.
fn standing_back<'a>(
    row: &'a [(Place, Stored)],
    gone: &'a RangeSet<usize>,
    Range { start, mut end }: Range<usize>,
) -> impl Iterator<Item = (&'a Place, &'a Stored)> {
    iter::from_fn(move || {
        let last = gone.get(&end.checked_sub(1)?).map_or(end, |gone| gone.start).checked_sub(1)?;
        let (place, stored) = row.get(last).filter(|_| start <= last)?;
        end = last;
        Some((place, stored))
    })
}

/// Two sorted sequences as one.
fn merged<'a>(
    one: impl Iterator<Item = (&'a Place, &'a Stored)>,
    other: impl Iterator<Item = (&'a Place, &'a Stored)>,
    first: fn(&Place, &Place) -> bool,
) -> impl Iterator<Item = (&'a Place, &'a Stored)> {
    let (mut one, mut other) = (one.peekable(), other.peekable());
    iter::from_fn(move || match (one.peek(), other.peek()) {
        (Some((left, _)), Some((right, _))) if first(left, right) => one.next(),
        (Some(_), None) => one.next(),
        _ => other.next(),
    })
}

/// The key of an item, or that in a call's `Key`.
pub(super) fn key(orders: &[Order], attributes: Option<&Value>) -> Key {
    let text = |name: &str| attributes.and_then(|key| key.get(name)?.get("S")?.as_str()).unwrap_or_default().into();
    let Some(table) = orders.first() else { return ("".into(), "".into()) };
    (text(&table.pk), table.sk.as_deref().map_or_else(|| "".into(), text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_item_of_a_series_is_kept_by_what_changed_in_it() {
        let pattern = json!({ "pk": { "S": "day" }, "sk": { "S": "x" }, "n": { "N": "1" } });
        let series = Series::new(pattern.as_object().unwrap(), &["x"], |number| vec![format!("{number:03}")]);
        let mut table = Table::new("no such table");
        table.stock(&Arc::new(series), 200);
        for number in 0..200 {
            let key: Key = ("day".into(), format!("{number:03}").into());
            let mut item = table.get(&key).unwrap();
            item.insert("unit".into(), json!({ "S": "claimed" }));
            table.put(&key, Some(item.clone()));
            assert_eq!(table.get(&key), Some(item.clone()));
            item.remove("n");
            if number == 7 {
                table.put(&key, Some(item.clone()));
                assert_eq!(table.get(&key), Some(item));
            }
        }
        assert_eq!((table.all().count(), table.changes.len()), (200, 1));
        let whole = table.added[0].values().filter(|stored| matches!(stored, Stored::Whole(_))).count();
        assert_eq!(whole, 1);
    }

    proptest! {
        /// Whatever is replaced and deleted, a span reads what is left, in order, from either end and from any place.
        #[test]
        fn a_span_reads_what_stands_in_it_from_either_end(
            steps in prop::collection::vec((0_u32..40, any::<bool>()), 0..80),
            from in 0_u32..40,
            to in 0_u32..40,
            behind in prop::option::of(0_u32..40),
        ) {
            let pattern = json!({ "pk": { "S": "day" }, "sk": { "S": "x" } });
            let text = |number: u32| format!("{number:03}");
            let series = Series::new(pattern.as_object().unwrap(), &["x"], move |number| vec![text(number)]);
            let mut table = Table::new("no such table");
            table.stock(&Arc::new(series), 30);
            let mut model: BTreeSet<String> = (0..30).map(text).collect();
            for (number, stays) in steps {
                let item = json!({ "pk": { "S": "day" }, "sk": { "S": text(number) }, "n": { "N": "1" } });
                table.put(&("day".into(), text(number).into()), stays.then(|| item.as_object().unwrap().clone()));
                if stays { model.insert(text(number)) } else { model.remove(&text(number)) };
            }
            let span = Span { pk: "day".into(), from: Bound::Included(text(from)), to: Bound::Excluded(text(to)) };
            // A query goes on from a place within it.
            let behind = behind.filter(|at| (from..to).contains(at));
            let start = behind.map(|number| Place::of_table(&("day".into(), text(number).into())));
            let order = &table.orders[0];
            for forward in [true, false] {
                let read = table.span(order, &span, start.clone(), forward);
                let read: Vec<String> = read.map(|(place, _)| place.sk.to_string()).collect();
                let is_ahead = |sk: &String| behind.is_none_or(|at| if forward { *sk > text(at) } else { *sk < text(at) });
                let within = |sk: &&String| **sk >= text(from) && **sk < text(to) && is_ahead(sk);
                let mut expected: Vec<String> = model.iter().filter(within).cloned().collect();
                if !forward {
                    expected.reverse();
                }
                prop_assert_eq!(read, expected);
            }
            let all: Vec<String> = table.all().map(|item| item["sk"]["S"].as_str().unwrap().to_owned()).collect();
            prop_assert_eq!(all, model.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn tables_are_shaped_as_the_template_has_them() {
        let names: Vec<&str> = Table::new("requests").orders.iter().map(|order| order.name.as_str()).collect();
        assert!(names.starts_with(&["", "open-by-due"]) && names.len() >= 7, "{names:?}");
        let open = &Table::new("requests").orders[1];
        assert_eq!((open.pk.as_str(), open.sk.as_deref()), ("open_pk", Some("open_sk")));
        assert!(open.holds("state") && open.holds("sk") && open.holds("open_sk") && !open.holds("contact"));
        assert_eq!(Table::new("sessions").orders[0].sk, None);
        assert!(Table::new("sessions").orders[1].holds("anything"));
    }
}
