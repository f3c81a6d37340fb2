//! What all nights of mail start from: a team that wants its mails at different times, and requests of which something is due.
//! All of it was made by the functions that make it on AWS.

use std::collections::BTreeMap;

use bench::Error;
use bench::aws::{Cloud, Item};
use bench::hotline::{Hotline, queue_event};
use bench::person::Person;
use bench::sandbox::Function;
use domain::language::Language;
use domain::reference::Reference;
use domain::reminder::{Deadlines, Member};
use domain::role::Role;
use domain::user::{AlertFrequency, Preferences, ReportFrequency, UserId};
use jiff::civil::{Date, time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::night::Kind;
use crate::ledger::text;

/// Where the tenant of these nights is.
const ZONE: &str = "America/Los_Angeles";
/// Its service code.
const CODE: &str = "1";
/// Whoever asked by letter and left an address.
pub const CONSUMER: &str = "quetzal@person.example";

/// Somebody of the team.
#[derive(Debug, Clone)]
pub struct Reader {
    /// Who.
    pub id: UserId,
    /// Where their mail goes.
    pub email: String,
    /// As what they are there.
    pub role: Role,
    /// Their language.
    pub language: Language,
    /// What they want.
    pub wishes: Preferences,
}

impl Reader {
    /// As far as it decides who is reminded.
    #[must_use]
    pub fn member(&self) -> Member {
        Member { id: self.id.clone(), role: self.role, reachable: true, wants: self.wishes.reminders }
    }
}

/// A request of which something is due.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its number.
    pub reference: Reference,
    /// Its dates, while nobody has confirmed it.
    pub dates: Deadlines,
    /// Whether whoever asked left an address, and is told that it came in.
    pub to_confirm: bool,
}

/// What all nights of mail start from.
#[derive(Debug)]
pub struct House {
    /// The cloud.
    pub cloud: Cloud,
    /// The functions, by bin.
    pub functions: BTreeMap<&'static str, Function>,
    /// The tenant's id.
    pub tenant: String,
    /// Its time zone.
    pub zone: TimeZone,
    /// Its team.
    pub team: Vec<Reader>,
    /// Its requests.
    pub requests: Vec<Asked>,
    /// When nights begin: until then everything is sent.
    pub begins: Timestamp,
    /// What time it was when it was made, by the machine's clock.
    pub made: Timestamp,
}

/// How somebody wants it: name, address, role, language, reports, their hour, alerts.
type Wishes = (&'static str, &'static str, Role, Language, ReportFrequency, u8, AlertFrequency);

/// The owner is there; the others are invited. A viewer gets no reminders, and an owner wants no news.
const TEAM: [Wishes; 4] = [
    ("Kim Alvarez", "", Role::Owner, Language::English, ReportFrequency::Daily, 8, AlertFrequency::Never),
    (
        "Max",
        "max@blueharbor.example",
        Role::Manager,
        Language::English,
        ReportFrequency::Weekly,
        9,
        AlertFrequency::AtOnce,
    ),
    (
        "Ana",
        "ana@blueharbor.example",
        Role::Agent,
        Language::Spanish,
        ReportFrequency::Daily,
        17,
        AlertFrequency::Daily,
    ),
    (
        "Vic",
        "vic@blueharbor.example",
        Role::Viewer,
        Language::English,
        ReportFrequency::Monthly,
        8,
        AlertFrequency::Never,
    ),
];

/// A letter: what it asks, how many days ago it came, and how whoever wrote it can be reached.
type Letter = (&'static str, i64, &'static str, &'static str);

/// What was asked, so many days ago: of the first the answer is near, of the second overdue soon; the third is to be
/// confirmed, and of the last nothing is due yet.
const ASKED: [Letter; 4] = [
    ("opt-out", 15, "phone", "+12135550123"),
    ("delete", 41, "phone", "+12135550124"),
    ("delete", 6, "email", CONSUMER),
    ("know-categories", 0, "phone", "+12135550125"),
];

impl House {
    /// Sets it up, and sends all that is due until a noon from which nights begin.
    pub async fn open(hotline: &mut Hotline) -> Result<Self, Error> {
        let zone = TimeZone::get(ZONE).map_err(|error| Error::say(ZONE, "is no time zone", &error))?;
        let made = wall_clock();
        let today = made.to_zoned(zone.clone()).date();
        let owner = hotline.owner().ok_or_else(|| Error::say("demo-tenants.json", "names no owner", &""))?;
        hotline.cloud().lock().messages.clear();

        let mut kim = Person::new(hotline);
        kim.join(&owner.invitation, "Kim Alvarez").await?;
        for (name, email, role, ..) in TEAM.into_iter().skip(1) {
            let (_, page) = kim.open("/dashboard/team").await?;
            let typed = [("name", name), ("email", email), ("role", role.code()), ("language", "en")];
            kim.send(&page, "email", &typed).await?;
        }
        for asked in ASKED.into_iter().filter(|asked| !is_to_confirm(asked)) {
            enter(&mut kim, today, asked).await?;
        }
        let browser = kim.browser.clone();

        let mut team = Vec::new();
        for (name, email, role, language, reports, hour, alerts) in TEAM {
            let email = if email.is_empty() { owner.email.as_str() } else { email };
            let mut person;
            if role == Role::Owner {
                person = Person::new(hotline);
                person.browser = browser.clone();
            } else {
                let link = invitation(hotline, email).await?;
                person = Person::new(hotline);
                person.join(&link, name).await?;
            }
            let (_, page) = person.open("/dashboard/account").await?;
            let hour_typed = hour.to_string();
            let typed = [
                ("name", name),
                ("language", language.code()),
                ("reports", reports.code()),
                ("hour", hour_typed.as_str()),
                ("alerts", alerts.code()),
            ];
            person.send(&page, "reports", &typed).await?;
            let wishes = Preferences { reports, hour, alerts, ..Preferences::default() };
            team.push((email.to_owned(), role, language, wishes));
        }

        let tenant = tenant(hotline, &owner.email)?;
        let users: Vec<Item> = hotline.cloud().lock().partition("accounts", &tenant).collect();
        let reader = |(email, role, language, wishes): (String, Role, Language, Preferences)| {
            let found = users.iter().find(|item| text(item, "role") == Some(role.code()));
            let id = found.and_then(|item| UserId::parse(text(item, "sk")?.strip_prefix("user#")?).ok());
            let id = id.ok_or_else(|| Error::say(&email, "is not of the team", &role.code()))?;
            Ok(Reader { id, email, role, language, wishes })
        };
        let team = team.into_iter().map(reader).collect::<Result<Vec<_>, Error>>()?;

        // After the first look at a new business's requests, a day after it was set up: nights expect that this is done.
        let away = if made.to_zoned(zone.clone()).time() < time(12, 0, 0, 0) { 1 } else { 2 };
        let first = today.checked_add(away.days()).unwrap_or(today);
        let noon = first.to_datetime(time(12, 0, 0, 0)).to_zoned(zone.clone());
        let begins = noon.map_err(|error| Error::say("a noon", "does not exist", &error))?.timestamp();
        send_all(hotline, &tenant, begins).await?;
        // Who is told that it came in is told in the night, whatever holidays make of the dates until then.
        let mut kim = Person::new(hotline);
        kim.browser = browser;
        for asked in ASKED.into_iter().filter(is_to_confirm) {
            enter(&mut kim, today, asked).await?;
        }
        let requests = requests(&hotline.cloud().lock(), &tenant)?;
        arrive(hotline, &tenant).await?;

        let mut functions = BTreeMap::new();
        for kind in Kind::ALL {
            functions.insert(kind.bin(), hotline.function(kind.bin())?);
        }
        let mut cloud = hotline.cloud().lock().clone();
        cloud.messages.clear();
        cloud.mails.clear();
        Ok(Self { cloud, functions, tenant, zone, team, requests, begins, made })
    }

    /// The day it is there.
    #[must_use]
    pub fn day(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }
}

/// Nights have clocks of their own, which begin from the machine's.
#[expect(clippy::disallowed_methods, reason = "functions without a planner have the machine's clock")]
fn wall_clock() -> Timestamp {
    Timestamp::now()
}

fn is_to_confirm((_, _, _, contact): &Letter) -> bool {
    *contact == CONSUMER
}

/// Types a letter in.
async fn enter(kim: &mut Person<'_>, today: Date, (kind, ago, by, contact): Letter) -> Result<(), Error> {
    let received = today.checked_sub(ago.days()).unwrap_or(today).to_string();
    let (_, page) = kim.open("/dashboard/new-request").await?;
    let typed = [
        ("kind", kind),
        ("channel", "mail"),
        ("code", CODE),
        ("name", "Quetzal Marker"),
        ("received", received.as_str()),
        ("language", "en"),
        (by, contact),
    ];
    kim.send(&page, "received", &typed).await?;
    Ok(())
}

/// The link in somebody's mail, once the letters that wait are sent.
async fn invitation(hotline: &mut Hotline, email: &str) -> Result<String, Error> {
    deliver(hotline).await?;
    let cloud = hotline.cloud().lock();
    let mail = cloud.mails.iter().rev().find(|mail| super::said::to(mail) == Some(email));
    let link = mail.and_then(|mail| {
        super::said::body(mail).split_whitespace().find(|word| word.contains("/dashboard/invitation/"))
    });
    link.map(str::to_owned).ok_or_else(|| Error::say(email, "gets no invitation", &cloud.mails.len()))
}

/// Hands what lies in the queues to whom it goes, until nothing does.
async fn deliver(hotline: &mut Hotline) -> Result<(), Error> {
    loop {
        let messages = std::mem::take(&mut hotline.cloud().lock().messages);
        if messages.is_empty() {
            return Ok(());
        }
        for (url, body) in messages {
            let Some(kind) = Kind::of_queue(&url) else { continue };
            let done = hotline.send(kind.bin(), queue_event(kind.queue(), &body)).await?;
            if !super::night::is_done(&done.invocation) {
                let why = String::from_utf8_lossy(&done.invocation.body).into_owned();
                return Err(Error::say(kind.bin(), "does not do its work", &why));
            }
        }
    }
}

/// Has done what is due until a time, as if it were then.
async fn send_all(hotline: &mut Hotline, tenant: &str, until: Timestamp) -> Result<(), Error> {
    for kind in Kind::WORKERS {
        let all = super::night::summons(&hotline.cloud().lock(), kind, tenant, until);
        for summons in all {
            let body = super::night::by(&summons, until);
            hotline.cloud().lock().messages.push((kind.queue().to_owned(), body));
        }
    }
    deliver(hotline).await
}

/// The stream of the requests tells of each that it came in.
async fn arrive(hotline: &mut Hotline, tenant: &str) -> Result<(), Error> {
    let items: Vec<Item> = of_tenant(&hotline.cloud().lock(), tenant);
    for (number, item) in items.into_iter().enumerate() {
        let keys = json!({ "pk": item.get("pk"), "sk": item.get("sk") });
        let event = json!({ "Records": [{
            "eventID": number.to_string(), "eventName": "INSERT", "eventVersion": "1.1",
            "eventSource": "aws:dynamodb", "awsRegion": "us-east-1",
            "dynamodb": {
                "ApproximateCreationDateTime": wall_clock().as_second(), "Keys": keys, "NewImage": item,
                "SequenceNumber": format!("{number:021}"), "SizeBytes": 400, "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        }] });
        let done = hotline.send("jobs-watch-requests", event.to_string().into()).await?;
        if !super::night::is_done(&done.invocation) {
            let why = String::from_utf8_lossy(&done.invocation.body).into_owned();
            return Err(Error::say("jobs-watch-requests", "does not do its work", &why));
        }
    }
    Ok(())
}

fn tenant(hotline: &Hotline, owner: &str) -> Result<String, Error> {
    let cloud = hotline.cloud().lock();
    let item = cloud.all("requests").find_map(|item| Some(text(&item, "pk")?.split_once('#')?.0.to_owned()));
    item.ok_or_else(|| Error::say(owner, "has no request", &""))
}

fn of_tenant(cloud: &Cloud, tenant: &str) -> Vec<Item> {
    let of = |item: &Item| text(item, "pk").is_some_and(|pk| pk.starts_with(tenant)) && item.contains_key("respond_by");
    cloud.all("requests").filter(of).collect()
}

fn requests(cloud: &Cloud, tenant: &str) -> Result<Vec<Asked>, Error> {
    let read = |item: &Item| {
        let date = |name: &str| text(item, name)?.parse::<Date>().ok();
        let (confirm_by, respond_by) = (date("confirm_by"), date("respond_by")?);
        // Who is to be told by a day after that of the answer is told with it.
        let confirm_by = confirm_by.filter(|confirm| *confirm <= respond_by);
        let dates = Deadlines { confirm_by, respond_by };
        let reference = Reference::parse(text(item, "sk")?).ok()?;
        Some(Asked { reference, dates, to_confirm: item.contains_key("email") })
    };
    let items = of_tenant(cloud, tenant);
    let requests: Option<Vec<Asked>> = items.iter().map(read).collect();
    match requests {
        Some(requests) if requests.len() == ASKED.len() => Ok(requests),
        _ => Err(Error::say("the requests", "are not as they were entered", &Value::from(items.len()))),
    }
}
