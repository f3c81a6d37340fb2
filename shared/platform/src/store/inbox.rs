//! Lists of requests: the inbox, exact search, the next deadlines, exports.
//!
//! A page of the inbox is one query, whatever the tenant has: an index gives the order, a bounded number of entries is
//! looked at, and where the filters leave little of them, the page says where to look further.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use domain::denial::Ground;
use domain::email::EmailAddress;
use domain::jurisdiction::Jurisdiction;
use domain::language::Language;
use domain::phone::E164;
use domain::reference::Reference;
use domain::request::{Channel, Kind, Outcome, State};
use domain::service_code::ServiceCode;
use domain::user::UserId;
use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::desk::EMAIL_INDEX;
use super::keys::salt_key;
use super::requests::{PHONE_INDEX, partition};
use super::retention::BINNED;
use super::{Item, TenantStore, damaged, get_parsed, get_text, text};
use crate::Error;
use crate::seal::{Place as Sealed, SubjectSalt};

/// Requests on one page.
pub(super) const SHOWN: usize = 50;
/// Entries of an index that one page looks at: 500 of 300 bytes are 19 units of reading.
const LOOKED_AT: i32 = 500;
/// What every index has of a request.
const LINE: &[&str] = &[
    "sk",
    "kind",
    "state",
    "code",
    "channel",
    "language",
    "assignee",
    "received_on",
    "respond_by",
    "confirm_by",
    "confirmed_at",
    "closed_on",
    "outcome",
    "ground",
    "residence",
    "extended",
    "version",
];

/// Which requests, by where they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// All that are open.
    #[default]
    Open,
    /// All that are closed.
    Closed,
    /// Those in one state.
    In(State),
}

impl Standing {
    /// Whether open ones are meant.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Open => true,
            Self::Closed => false,
            Self::In(state) => state.is_open(),
        }
    }
}

/// Which requests, by who works on them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Assigned {
    /// Whoever it is.
    #[default]
    Anyhow,
    /// Nobody.
    ToNobody,
    /// One person.
    To(UserId),
}

/// What the inbox shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Where they stand.
    pub standing: Standing,
    /// Of which kind.
    pub kind: Option<Kind>,
    /// How they came in.
    pub channel: Option<Channel>,
    /// To which service code.
    pub code: Option<ServiceCode>,
    /// Who works on them.
    pub assigned: Assigned,
    /// Only those whose next duty's date has passed before this day.
    pub overdue: Option<Date>,
}

impl Filter {
    /// Whether everything that the index has is wanted, so that no entry is looked at in vain.
    fn takes_all(&self, index: Index) -> bool {
        let by_assignee = matches!(index, Index::Assignee);
        self.kind.is_none()
            && self.channel.is_none()
            && self.code.is_none()
            && !matches!(self.standing, Standing::In(_))
            && (by_assignee || self.assigned == Assigned::Anyhow)
    }
}

/// Where a page of the inbox begins: behind this entry of its index. Holds no personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    sort: String,
}

/// A request in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number.
    pub reference: Reference,
    /// What is asked.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// To which service code.
    pub code: ServiceCode,
    /// How it came in.
    pub channel: Channel,
    /// What the person speaks.
    pub language: Language,
    /// Who works on it.
    pub assignee: Option<UserId>,
    /// The day of receipt.
    pub received_on: Date,
    /// The last day to answer.
    pub respond_by: Date,
    /// The last day to confirm the receipt, while nobody did.
    pub confirm_by: Option<Date>,
    /// The day of the response.
    pub closed_on: Option<Date>,
    /// How it was answered.
    pub outcome: Option<Outcome>,
    /// On which ground it, or a part of it, was refused.
    pub ground: Option<Ground>,
    /// Where the person lives.
    pub residence: Option<Jurisdiction>,
    /// Whether its extension was taken.
    pub extended: bool,
    /// Grows with every change.
    pub version: u64,
}

impl Line {
    /// The date of what is due next; the lists have their order from it.
    #[must_use]
    pub fn next_due(&self) -> Date {
        if self.is_to_confirm() { self.confirm_by.unwrap_or(self.respond_by) } else { self.respond_by }
    }

    /// Whether what is due next is to confirm the receipt.
    #[must_use]
    pub fn is_to_confirm(&self) -> bool {
        self.state.is_open() && self.confirm_by.is_some_and(|confirm| confirm <= self.respond_by)
    }
}

/// A page of the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxPage {
    /// The requests.
    pub lines: Vec<Line>,
    /// Where the next page begins; none on the last.
    pub next: Option<Place>,
}

/// By what a person is looked for.
#[derive(Clone, Copy, Debug)]
pub enum Searched<'a> {
    /// A telephone number.
    Phone(&'a E164),
    /// An e-mail address.
    Email(&'a EmailAddress),
}

/// How to reach whoever asked, for an export that was asked to have it; not printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Contacts {
    /// A name.
    pub name: Option<String>,
    /// A telephone number.
    pub phone: Option<String>,
    /// An e-mail address.
    pub email: Option<String>,
}

impl std::fmt::Debug for Contacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contacts(redacted)")
    }
}

/// A part of an export: days of receipt, and of a day that is too much for one file a share of the references.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportPart {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// The references that begin with these two digits or any between; all where there is none.
    pub share: Option<(u8, u8)>,
}

#[derive(Clone, Copy, Debug)]
enum Index {
    Open,
    Assignee,
    Closed,
}

impl Index {
    const fn of(filter: &Filter) -> Self {
        match (filter.standing.is_open(), &filter.assigned) {
            (true, Assigned::To(_)) => Self::Assignee,
            (true, _) => Self::Open,
            (false, _) => Self::Closed,
        }
    }

    /// The index's name, its keys, and whether the newest comes first.
    const fn shape(self) -> (&'static str, &'static str, &'static str, bool) {
        match self {
            Self::Open => ("open-by-due", "open_pk", "open_sk", false),
            Self::Assignee => ("by-assignee", "assignee_pk", "assignee_sk", false),
            Self::Closed => ("closed-by-day", "closed_pk", "closed_sk", true),
        }
    }
}

/// Conditions on entries, with their names and values.
#[derive(Default)]
struct Wanted {
    conditions: Vec<String>,
    values: HashMap<String, AttributeValue>,
}

impl Wanted {
    fn is(&mut self, name: &str, value: &str) {
        self.conditions.push(format!("#{name} = :{name}"));
        self.values.insert(format!(":{name}"), text(value));
    }
}

impl TenantStore<'_> {
    /// A page of the inbox: what is due first comes first; of closed requests, what was closed last. One operation.
    pub async fn inbox(&self, filter: &Filter, after: Option<&Place>) -> Result<InboxPage, Error> {
        let index = Index::of(filter);
        let (name, pk_name, sk_name, newest_first) = index.shape();
        let tenant = self.tenant.id();
        let pk = match (index, &filter.assigned) {
            (Index::Assignee, Assigned::To(user)) => format!("{tenant}#{user}"),
            _ => tenant.as_str().to_owned(),
        };
        let mut wanted = Wanted::default();
        if let Some(kind) = filter.kind {
            wanted.is("kind", kind.code());
        }
        if let Some(channel) = filter.channel {
            wanted.is("channel", channel.code());
        }
        if let Some(code) = &filter.code {
            wanted.is("code", code.as_str());
        }
        if let Standing::In(state) = filter.standing {
            wanted.is("state", state.code());
        }
        match (&filter.assigned, index) {
            (Assigned::ToNobody, _) => wanted.conditions.push("attribute_not_exists(#assignee)".to_owned()),
            (Assigned::To(user), Index::Closed) => wanted.is("assignee", user.as_str()),
            _ => {}
        }
        let takes_all = filter.takes_all(index);
        let mut query = self
            .store
            .dynamodb
            .query()
            .table_name(self.store.requests_table()?)
            .index_name(name)
            .scan_index_forward(!newest_first)
            .projection_expression(projection())
            .set_expression_attribute_names(Some(names(&[pk_name])))
            .set_expression_attribute_values(Some(wanted.values))
            .expression_attribute_values(":pk", text(&pk))
            // One more than is shown tells whether there is a next page.
            .limit(if takes_all { i32::try_from(SHOWN + 1).unwrap_or(LOOKED_AT) } else { LOOKED_AT });
        query = match filter.overdue.filter(|_| filter.standing.is_open()) {
            Some(today) => query
                .key_condition_expression(format!("#{pk_name} = :pk AND #{sk_name} < :today"))
                .expression_attribute_names(format!("#{sk_name}"), sk_name)
                .expression_attribute_values(":today", text(today.to_string())),
            None => query.key_condition_expression(format!("#{pk_name} = :pk")),
        };
        if !wanted.conditions.is_empty() {
            query = query.filter_expression(wanted.conditions.join(" AND "));
        }
        if let Some(place) = after {
            query = query.set_exclusive_start_key(Some(self.start(pk_name, &pk, sk_name, place)?));
        }
        let found =
            query.send().await.map_err(|error| Error::failed("reading the inbox")(error.into_service_error()))?;
        page(&found, sk_name)
    }

    /// Where a query of an index goes on: its keys and the table's, made from the place.
    fn start(&self, pk_name: &str, pk: &str, sk_name: &str, place: &Place) -> Result<Item, Error> {
        let reference =
            place.sort.rsplit('#').next().and_then(|it| Reference::parse(it).ok()).ok_or(Error::NotFound)?;
        Ok(Item::from([
            (pk_name.to_owned(), text(pk)),
            (sk_name.to_owned(), text(&place.sort)),
            ("pk".to_owned(), text(partition(self.tenant.id(), &reference))),
            ("sk".to_owned(), text(reference.as_str())),
        ]))
    }

    /// The open requests that are due first.
    pub async fn next_deadlines(&self, count: i32) -> Result<Vec<Line>, Error> {
        let found = self
            .store
            .dynamodb
            .query()
            .table_name(self.store.requests_table()?)
            .index_name("open-by-due")
            .key_condition_expression("#open_pk = :pk")
            .projection_expression(projection())
            .set_expression_attribute_names(Some(names(&["open_pk"])))
            .expression_attribute_values(":pk", text(self.tenant.id().as_str()))
            .limit(count)
            .send()
            .await
            .map_err(|error| Error::failed("reading the next deadlines")(error.into_service_error()))?;
        found.items().iter().map(line).collect()
    }

    /// The request of a reference, if this tenant has it and it does not lie in the recycle bin.
    pub async fn find_request(&self, reference: &Reference) -> Result<Option<Line>, Error> {
        let got = self
            .store
            .dynamodb
            .get_item()
            .table_name(self.store.requests_table()?)
            .key("pk", text(partition(self.tenant.id(), reference)))
            .key("sk", text(reference.as_str()))
            .projection_expression(format!("{}, #{BINNED}", projection()))
            .set_expression_attribute_names(Some(names(&[BINNED])))
            .send()
            .await
            .map_err(|error| Error::failed("looking for a request")(error.into_service_error()))?;
        got.item.filter(|item| !item.contains_key(BINNED)).as_ref().map(line).transpose()
    }

    /// The requests of a person, the newest first: at most as many as a page has.
    pub async fn search(&self, searched: Searched<'_>) -> Result<Vec<Line>, Error> {
        let keys = self.keys().await?;
        let (index, pk_name, version, value) = match searched {
            Searched::Phone(phone) => {
                ("by-contact", "contact_pk", PHONE_INDEX, keys.blind_index("phone", phone.as_str())?)
            }
            Searched::Email(email) => {
                ("by-email", "email_pk", EMAIL_INDEX, keys.blind_index("email", &email.normalized())?)
            }
        };
        let found = self
            .store
            .dynamodb
            .query()
            .table_name(self.store.requests_table()?)
            .index_name(index)
            .key_condition_expression(format!("#{pk_name} = :pk"))
            .projection_expression(projection())
            .set_expression_attribute_names(Some(names(&[pk_name])))
            .expression_attribute_values(":pk", text(format!("{}#{version}#{value}", self.tenant.id())))
            .scan_index_forward(false)
            .limit(i32::try_from(SHOWN).unwrap_or(LOOKED_AT))
            .send()
            .await
            .map_err(|error| Error::failed("looking for a person's requests")(error.into_service_error()))?;
        found.items().iter().map(line).collect()
    }

    /// The requests of an export's part, a page at a time, the oldest receipt first. `after` is what the page before gave.
    pub async fn export_page(
        &self,
        part: &ExportPart,
        after: Option<ExportPlace>,
    ) -> Result<(Vec<Line>, Option<ExportPlace>), Error> {
        let ExportPlace { month, start } = match after {
            Some(place) => place,
            None => ExportPlace { month: part.from.first_of_month(), start: None },
        };
        let pk = format!("{}#{:04}-{:02}", self.tenant.id(), month.year(), month.month());
        let (from, to) = match part.share {
            Some((first, last)) => (format!("{}#{first:02}", part.from), format!("{}#{last:02}~", part.from)),
            None => (format!("{}#", part.from), format!("{}#~", part.to)),
        };
        let found = self
            .store
            .dynamodb
            .query()
            .table_name(self.store.requests_table()?)
            .index_name("by-received")
            .key_condition_expression("#received_pk = :pk AND #received_sk BETWEEN :from AND :to")
            .projection_expression(projection())
            .set_expression_attribute_names(Some(names(&["received_pk", "received_sk"])))
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| Error::failed("reading requests for an export")(error.into_service_error()))?;
        let lines = found.items().iter().map(line).collect::<Result<_, _>>()?;
        let next = match found.last_evaluated_key {
            Some(start) => Some(ExportPlace { month, start: Some(start) }),
            None => month
                .checked_add(1.month())
                .ok()
                .filter(|month| *month <= part.to)
                .map(|month| ExportPlace { month, start: None }),
        };
        Ok((lines, next))
    }

    /// How to reach whoever made these requests, in their order.
    pub async fn contacts(&self, references: &[Reference]) -> Result<Vec<Contacts>, Error> {
        let keys = self.keys().await?;
        let (requests, salts) = (self.store.requests_table()?, self.store.keys_table()?);
        let mut contacts = vec![];
        // DynamoDB reads at most 100 items at once: of each request the item and the salt.
        for some in references.chunks(50) {
            let mut items: HashMap<String, Item> = HashMap::new();
            let mut asked: HashMap<String, KeysAndAttributes> = HashMap::new();
            let item_key = |it: &Reference| {
                Item::from([
                    ("pk".to_owned(), text(partition(self.tenant.id(), it))),
                    ("sk".to_owned(), text(it.as_str())),
                ])
            };
            let salt_at = |it: &Reference| {
                Item::from([
                    ("pk".to_owned(), text(salt_key(self.tenant.id(), it.as_str()))),
                    ("sk".to_owned(), text("salt")),
                ])
            };
            let of_requests = KeysAndAttributes::builder()
                .set_keys(Some(some.iter().map(item_key).collect()))
                .projection_expression("pk, sk, contact, email, #name")
                .expression_attribute_names("#name", "name");
            let of_salts = KeysAndAttributes::builder().set_keys(Some(some.iter().map(salt_at).collect()));
            for (table, keys) in [(requests, of_requests), (salts, of_salts)] {
                asked.insert(table.to_owned(), keys.build().map_err(Error::failed("reading contacts"))?);
            }
            for _ in 0..10 {
                let got = self
                    .store
                    .dynamodb
                    .batch_get_item()
                    .set_request_items(Some(asked))
                    .send()
                    .await
                    .map_err(|error| Error::failed("reading contacts")(error.into_service_error()))?;
                for item in got.responses.unwrap_or_default().into_values().flatten() {
                    items.insert(format!("{} {}", get_text(&item, "pk")?, get_text(&item, "sk")?), item);
                }
                asked = got.unprocessed_keys.unwrap_or_default();
                if asked.is_empty() {
                    break;
                }
            }
            if !asked.is_empty() {
                return Err(Error::Failed { doing: "reading contacts", source: "DynamoDB is throttling".into() });
            }
            for reference in some {
                let pk = partition(self.tenant.id(), reference);
                let salt = items.get(&format!("{} salt", salt_key(self.tenant.id(), reference.as_str())));
                let salt = salt.and_then(|item| item.get("salt")?.as_b().ok());
                let item = items.get(&format!("{pk} {}", reference.as_str()));
                let (Some(salt), Some(item)) = (salt, item) else {
                    // Erased: without its salt nobody can be reached.
                    contacts.push(Contacts::default());
                    continue;
                };
                let salt = SubjectSalt::try_from(salt.as_ref())?;
                let open = |attribute: &'static str| {
                    let Some(sealed) = item.get(attribute).and_then(|value| value.as_b().ok()) else {
                        return Ok::<_, Error>(None);
                    };
                    let place = Sealed { table: "requests", pk: &pk, sk: reference.as_str(), attribute };
                    let opened = keys.open(&salt, place, sealed.as_ref())?;
                    String::from_utf8(opened.to_vec()).map(Some).map_err(|_| damaged(attribute))
                };
                contacts.push(Contacts { name: open("name")?, phone: open("contact")?, email: open("email")? });
            }
        }
        Ok(contacts)
    }
}

/// Where an export goes on, inside of one invocation.
#[derive(Clone, Debug)]
pub struct ExportPlace {
    month: Date,
    start: Option<Item>,
}

pub(super) fn projection() -> String {
    LINE.iter().map(|name| format!("#{name}")).collect::<Vec<_>>().join(", ")
}

/// Names for the attributes of a line, and of the keys that a condition speaks of.
pub(super) fn names(keys: &[&str]) -> HashMap<String, String> {
    LINE.iter().chain(keys).map(|name| (format!("#{name}"), (*name).to_owned())).collect()
}

/// The first requests that were found, and where the next page begins.
fn page(found: &QueryOutput, sk_name: &str) -> Result<InboxPage, Error> {
    let lines: Vec<Line> = found.items().iter().take(SHOWN).map(line).collect::<Result<_, _>>()?;
    let rest = found.items().len() > SHOWN;
    let place = |sort: String| Place { sort };
    let next = if rest {
        lines.last().map(|last| {
            let day = match sk_name {
                "closed_sk" => last.closed_on.unwrap_or(last.respond_by),
                _ => last.next_due(),
            };
            place(format!("{day}#{}", last.reference.as_str()))
        })
    } else {
        let key = found.last_evaluated_key();
        key.and_then(|key| key.get(sk_name)?.as_s().ok()).map(|sort| place(sort.clone()))
    };
    Ok(InboxPage { lines, next })
}

/// The requests that can be read, and how many cannot: a damaged one keeps nobody from the others.
pub(super) fn readable(items: &[Item]) -> (Vec<Line>, u64) {
    let (mut lines, mut damaged) = (vec![], 0);
    for item in items {
        match line(item) {
            Ok(line) => lines.push(line),
            Err(error) => {
                tracing::error!(error = error.causes(), "a request cannot be read");
                damaged += 1;
            }
        }
    }
    (lines, damaged)
}

pub(super) fn line(item: &Item) -> Result<Line, Error> {
    fn maybe<T>(item: &Item, name: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Error> {
        if item.contains_key(name) { get_parsed(item, name, parse).map(Some) } else { Ok(None) }
    }
    let date = |text: &str| text.parse::<Date>().ok();
    Ok(Line {
        reference: get_parsed(item, "sk", |sk| Reference::parse(sk).ok())?,
        kind: get_parsed(item, "kind", Kind::parse)?,
        state: get_parsed(item, "state", State::parse)?,
        code: get_parsed(item, "code", |code| ServiceCode::parse(code).ok())?,
        channel: get_parsed(item, "channel", Channel::parse)?,
        language: get_parsed(item, "language", Language::parse)?,
        assignee: maybe(item, "assignee", |id| UserId::parse(id).ok())?,
        received_on: get_parsed(item, "received_on", date)?,
        respond_by: get_parsed(item, "respond_by", date)?,
        confirm_by: maybe(item, "confirm_by", date)?.filter(|_| !item.contains_key("confirmed_at")),
        closed_on: maybe(item, "closed_on", date)?,
        outcome: maybe(item, "outcome", Outcome::parse)?,
        ground: maybe(item, "ground", Ground::parse)?,
        residence: maybe(item, "residence", Jurisdiction::parse)?,
        extended: item.get("extended").and_then(|value| value.as_bool().ok()).copied().unwrap_or_default(),
        version: item.get("version").and_then(|value| value.as_n().ok()?.parse().ok()).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_due_for_its_confirmation_until_that_is_sent() {
        let mut item: Item = [
            ("sk", Reference::from_entropy(7).as_str()),
            ("kind", "delete"),
            ("state", "received"),
            ("code", "12"),
            ("channel", "mail"),
            ("language", "es"),
            ("received_on", "2026-11-02"),
            ("respond_by", "2026-12-17"),
            ("confirm_by", "2026-11-17"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), text(value)))
        .collect();
        let read = line(&item).unwrap();
        assert!(read.is_to_confirm());
        assert_eq!(read.next_due().to_string(), "2026-11-17");
        item.insert("confirmed_at".to_owned(), text("2026-11-03T18:00:00Z"));
        let read = line(&item).unwrap();
        assert!(!read.is_to_confirm());
        assert_eq!(read.next_due().to_string(), "2026-12-17");
        let mut damaged = item.clone();
        damaged.insert("respond_by".to_owned(), text("soon"));
        assert_eq!(readable(&[damaged, item]), (vec![read], 1));
    }
}
