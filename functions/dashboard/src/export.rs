//! `dashboard-export`: requests as a table for a spreadsheet, guarded against formulas. Each export is audited.
//!
//! What is too much for one file comes in several, cut by the day of receipt: the counts of each day say where.

use std::collections::BTreeMap;
use std::io;

use domain::FieldError;
use domain::audit::{Act, Entry, Who};
use domain::language::Language;
use domain::metrics::{Bucket, Counter};
use domain::request::State;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::civil::Date;
use jiff::{SignedDuration, ToSpan};
use maud::{Markup, html};
use pages::form::{Button, Check, Field, Form, Select, actions, hidden, row};
use pages::show::{Card, Heading, Notice};
use pages::{Frame, Section, csv, fill, format, words};
use platform::edge::{Fields, Page, Visit};
use platform::session::{Allowed, ExportRequests};
use platform::store::{Contacts, ExportPart, Line, Standing, Tallies};
use platform::{App, Error};
use serde::{Deserialize, Serialize};

use crate::case;
use crate::desk_texts::Texts;

/// Rows of one file: what Lambda can answer with, many times over, even where each row is long.
const MOST_ROWS: u64 = 20_000;
/// With contacts: each row costs two more reads.
const MOST_WITH_CONTACTS: u64 = 5_000;
/// What is read in one invocation at most, should the counts have been behind.
const HARD_LIMIT: usize = 30_000;
/// The longest period: a range of a year and what is left of it, with room.
const LONGEST_YEARS: i64 = 3;
/// The purpose of the tickets that say which part a file is.
const PART: &str = "export";
const PART_LIVES: SignedDuration = SignedDuration::from_mins(30);

/// Shows the form, the list of parts, or gives a file.
pub async fn handle(app: &App, allowed: Allowed<ExportRequests>, visit: Visit) -> Result<Page, Error> {
    let frame = allowed.frame(&visit, Section::Requests);
    let today = visit.at.to_zoned(allowed.tz()).date();
    if !visit.post {
        let from = today.checked_sub(1.year()).unwrap_or(today);
        let typed: Fields = [("from", from.to_string()), ("to", today.to_string())].into_iter().collect();
        return Ok(Page::html(form_page(&frame, &typed, &[])));
    }
    let tickets = app.tickets().await?;
    let context = format!("{} {}", allowed.tenant.id(), allowed.id.as_str());
    if visit.form.has("part") {
        let wanted: Wanted = tickets.open(PART, &context, visit.at, visit.form.get("part"))?;
        return file(app, &allowed, &visit, &wanted).await;
    }
    let asked = match Asked::read(&visit.form, Texts::of(frame.language)) {
        Ok(asked) => asked,
        Err(error) => return Ok(Page::invalid(form_page(&frame, &visit.form, &[error]))),
    };
    let (from, to) = (Bucket::Received(asked.from).to_string(), Bucket::Received(asked.to).to_string());
    let counts = per_day(&app.store.of(&allowed.tenant).tallies(&from, &to).await?);
    let most = if asked.contacts { MOST_WITH_CONTACTS } else { MOST_ROWS };
    let parts = parts(&counts, asked.from, asked.to, most);
    let all = parts.len();
    let mut wanted: Vec<Wanted> = parts
        .into_iter()
        .zip(1..)
        .map(|(part, n)| Wanted { part, n, all, state: asked.state.clone(), contacts: asked.contacts })
        .collect();
    if let [only] = wanted.as_mut_slice() {
        return file(app, &allowed, &visit, only).await;
    }
    let sealed = wanted
        .iter()
        .map(|it| Ok((it, tickets.seal(PART, &context, visit.at + PART_LIVES, it)?)))
        .collect::<Result<Vec<_>, Error>>()?;
    Ok(Page::html(parts_page(&frame, &sealed)))
}

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    from: Date,
    to: Date,
    state: String,
    contacts: bool,
}

impl Asked {
    fn read(form: &Fields, texts: &Texts) -> Result<Self, FieldError> {
        let wrong = || FieldError::new("from", texts.export_dates);
        let date = |name: &str| form.get(name).trim().parse::<Date>().map_err(|_| wrong());
        let (from, to) = (date("from")?, date("to")?);
        let longest = from.checked_add(LONGEST_YEARS.years()).map_err(|_| wrong())?;
        if to < from || to > longest {
            return Err(wrong());
        }
        Ok(Self { from, to, state: form.get("state").to_owned(), contacts: form.has("contacts") })
    }
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Wanted {
    part: ExportPart,
    n: usize,
    all: usize,
    state: String,
    contacts: bool,
}

impl Wanted {
    fn standing(&self) -> Option<Standing> {
        match self.state.as_str() {
            "open" => Some(Standing::Open),
            "closed" => Some(Standing::Closed),
            code => State::parse(code).map(Standing::In),
        }
    }

    fn takes(&self, line: &Line) -> bool {
        match self.standing() {
            None => true,
            Some(Standing::In(state)) => line.state == state,
            Some(standing) => line.state.is_open() == standing.is_open(),
        }
    }

    fn file_name(&self) -> String {
        let ExportPart { from, to, .. } = &self.part;
        match self.all {
            1 => format!("requests-{from}-{to}.csv"),
            all => format!("requests-{from}-{to}-part-{}-of-{all}.csv", self.n),
        }
    }
}

fn per_day(tallies: &Tallies) -> BTreeMap<Date, u64> {
    let day = |(name, counters): (&String, &BTreeMap<String, i64>)| {
        let Some(Bucket::Received(day)) = Bucket::parse(name) else { return None };
        let of_kinds = counters.iter().filter(|(name, _)| matches!(Counter::parse(name), Some(Counter::Kind(_))));
        Some((day, of_kinds.filter_map(|(_, n)| u64::try_from(*n).ok()).sum()))
    };
    tallies.iter().filter_map(day).collect()
}

/// A period in parts of at most so many requests each, as far as days and shares of a day allow.
fn parts(counts: &BTreeMap<Date, u64>, from: Date, to: Date, most: u64) -> Vec<ExportPart> {
    let mut parts = vec![];
    let (mut first, mut sum) = (from, 0);
    let days = std::iter::successors(Some(from), |day| day.tomorrow().ok()).take_while(|day| *day <= to);
    for day in days {
        let count = counts.get(&day).copied().unwrap_or_default();
        if sum > 0 && sum + count > most {
            parts.push(ExportPart { from: first, to: day.yesterday().unwrap_or(first), share: None });
            (first, sum) = (day, 0);
        }
        if count > most {
            if first < day {
                parts.push(ExportPart { from: first, to: day.yesterday().unwrap_or(first), share: None });
            }
            // References are drawn at random, so their first two digits cut a day evenly, give or take a little.
            let shares = u8::try_from((count + count / 4).div_ceil(most).min(100)).unwrap_or(100);
            for share in 0..shares {
                let cut = |n: u8| u8::try_from(u16::from(n) * 100 / u16::from(shares)).unwrap_or(100);
                let share = Some((cut(share), cut(share + 1).saturating_sub(1)));
                parts.push(ExportPart { from: day, to: day, share });
            }
            let Ok(next) = day.tomorrow() else { return parts };
            (first, sum) = (next, 0);
            continue;
        }
        sum += count;
    }
    if first <= to {
        parts.push(ExportPart { from: first, to, share: None });
    }
    parts
}

/// Reads the part page by page into a compressed file.
async fn file(app: &App, allowed: &Allowed<ExportRequests>, visit: &Visit, wanted: &Wanted) -> Result<Page, Error> {
    let language = allowed.card.language;
    let store = app.store.of(&allowed.tenant);
    let written = |result: io::Result<()>| result.map_err(Error::failed("writing an export"));
    let mut csv = csv::Writer::for_spreadsheets(GzEncoder::new(vec![], Compression::default()))
        .map_err(Error::failed("writing an export"))?;
    written(csv.row(head(language, wanted.contacts)))?;
    let (mut after, mut rows) = (None, 0_usize);
    loop {
        let (mut lines, next) = store.export_page(&wanted.part, after).await?;
        lines.retain(|line| wanted.takes(line));
        let contacts = if wanted.contacts {
            let references: Vec<_> = lines.iter().map(|line| line.reference.clone()).collect();
            store.contacts(&references).await?.into_iter().map(Some).collect()
        } else {
            vec![None; lines.len()]
        };
        for (line, contacts) in lines.iter().zip(&contacts) {
            written(csv.row(cells(language, line, contacts.as_ref())))?;
        }
        rows += lines.len();
        if rows > HARD_LIMIT && next.is_some() {
            // Never silently: the last row says that there is more.
            written(csv.row([Texts::of(language).export_cut]))?;
            break;
        }
        after = next;
        if after.is_none() {
            break;
        }
    }
    let entry = Entry::new(visit.at, Who::User(allowed.user.clone()), Act::RequestsExported)
        .from(&visit.client.address)
        .with("from", wanted.part.from.to_string())
        .with("to", wanted.part.to.to_string())
        .with("state", if wanted.standing().is_some() { wanted.state.as_str() } else { "any" })
        .with("contacts", if wanted.contacts { "yes" } else { "no" })
        .with("rows", rows.to_string())
        .with("part", format!("{} of {}", wanted.n, wanted.all));
    store.record(&entry).await?;
    let bytes = csv.finish().and_then(GzEncoder::finish).map_err(Error::failed("writing an export"))?;
    // The browser takes it apart again on the way to the disk.
    Ok(Page::download("text/csv; charset=utf-8", &wanted.file_name(), bytes).with_header("content-encoding", "gzip"))
}

fn head(language: Language, contacts: bool) -> Vec<&'static str> {
    let texts = Texts::of(language);
    let mut head = vec![
        texts.csv_title,
        texts.column_kind,
        texts.column_state,
        texts.column_channel,
        texts.column_code,
        texts.csv_language,
        texts.column_received,
        texts.column_due,
        texts.csv_extended,
        texts.column_closed,
        texts.csv_outcome,
        texts.csv_ground,
        texts.csv_residence,
    ];
    if contacts {
        head.extend([texts.name, texts.phone, texts.email]);
    }
    head
}

fn cells(language: Language, line: &Line, contacts: Option<&Contacts>) -> Vec<String> {
    let texts = Texts::of(language);
    let mut cells = vec![
        line.reference.to_string(),
        words::kind(language, line.kind).to_owned(),
        words::state(language, line.state).to_owned(),
        words::channel(language, line.channel).to_owned(),
        line.code.as_str().to_owned(),
        words::language(language, line.language).to_owned(),
        line.received_on.to_string(),
        line.respond_by.to_string(),
        (if line.extended { texts.csv_yes } else { texts.csv_no }).to_owned(),
        line.closed_on.map(|day| day.to_string()).unwrap_or_default(),
        line.outcome.map(|it| case::outcome(language, it).to_owned()).unwrap_or_default(),
        line.ground.map(|it| case::ground(language, it)).unwrap_or_default(),
        line.residence.map(|it| words::jurisdiction(language, it).to_owned()).unwrap_or_default(),
    ];
    if let Some(contacts) = contacts {
        let Contacts { name, phone, email } = contacts;
        cells.extend([name, phone, email].map(|it| it.clone().unwrap_or_default()));
    }
    cells
}

fn form_page(frame: &Frame, typed: &Fields, errors: &[FieldError]) -> Markup {
    let language = frame.language;
    let texts = Texts::of(language);
    let states = State::ALL.map(|it| (it.code(), words::state(language, it)));
    let form = Form::post(language, "/dashboard/export", frame.csrf.as_str()).plain().errors(errors).body(html! {
        (row(&html! {
            (Field::date("from", texts.export_from).value(typed.get("from")).errors(errors).required())
            (Field::date("to", texts.export_to).value(typed.get("to")).required())
        }))
        (Select::new("state", texts.export_state).choice("", texts.any).choice("open", texts.any_open)
            .choice("closed", texts.any_closed).choices(states).chosen(typed.get("state")))
        (Check::new("contacts", texts.export_contacts).hint(texts.export_contacts_hint).on(typed.has("contacts")))
        (actions(&html! { (Button::primary(texts.export_submit)) (Button::quiet(texts.cancel).to("/dashboard/requests")) }))
    });
    let main = html! {
        (Heading::new(texts.export_title).lede(texts.export_lede).above(language, &[("/dashboard/requests", texts.inbox)]))
        (Card::new(texts.export).lede(texts.export_audited).body(form))
    };
    pages::page(frame, texts.export_title, &main)
}

fn parts_page(frame: &Frame, parts: &[(&Wanted, String)]) -> Markup {
    let language = frame.language;
    let texts = Texts::of(language);
    let count = parts.len().to_string();
    let main = html! {
        (Heading::new(texts.export_title).above(language, &[("/dashboard/requests", texts.inbox)]))
        (Notice::info(fill(texts.export_parts, &[("n", &count)])))
        @for (wanted, ticket) in parts {
            @let (from, to) = (format::date(language, wanted.part.from), format::date(language, wanted.part.to));
            @let n = wanted.n.to_string();
            @let label = match wanted.part.share {
                None => fill(texts.export_part, &[("n", &n), ("from", &from), ("to", &to)]),
                Some((first, last)) => fill(texts.export_part_share, &[
                    ("n", &n), ("from", &from), ("first", &format!("{first:02}…")), ("last", &format!("{last:02}…")),
                ]),
            };
            (Form::post(language, "/dashboard/export", frame.csrf.as_str()).id(format!("part-{n}")).plain().body(html! {
                (hidden("part", ticket))
                p { (label) }
                (Button::secondary(texts.export_download).about(label.as_str()))
            }))
        }
    };
    pages::page(frame, texts.export_title, &main)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn line() -> Line {
        Line {
            reference: domain::reference::Reference::from_entropy(1),
            kind: domain::request::Kind::Delete,
            state: State::Denied,
            code: domain::service_code::ServiceCode::parse("12").unwrap(),
            channel: domain::request::Channel::InPerson,
            language: Language::Spanish,
            assignee: None,
            received_on: date(2026, 10, 1),
            respond_by: date(2026, 11, 15),
            confirm_by: None,
            closed_on: Some(date(2026, 11, 2)),
            outcome: Some(domain::request::Outcome::Denied),
            ground: Some(domain::denial::Ground::NotVerified),
            residence: None,
            extended: true,
            version: 2,
        }
    }

    #[test]
    fn a_name_that_would_be_a_formula_is_text_and_so_is_a_telephone_number() {
        let contacts = Contacts {
            name: Some("=HYPERLINK(\"http://example.com\")".into()),
            phone: Some("+12135550123".into()),
            email: None,
        };
        let mut csv = csv::Writer::for_spreadsheets(vec![]).unwrap();
        csv.row(head(Language::English, true)).unwrap();
        csv.row(cells(Language::English, &line(), Some(&contacts))).unwrap();
        insta::assert_snapshot!(String::from_utf8(csv.finish().unwrap()).unwrap());
    }

    #[test]
    fn rows_have_as_many_cells_as_the_head_in_both_languages() {
        for language in Language::ALL {
            assert_eq!(head(language, false).len(), cells(language, &line(), None).len());
            assert_eq!(head(language, true).len(), cells(language, &line(), Some(&Contacts::default())).len());
        }
    }

    #[test]
    fn a_period_is_at_most_three_years_and_does_not_end_before_it_begins() {
        let read = |from: &str, to: &str| {
            Asked::read(&[("from", from), ("to", to)].into_iter().collect(), Texts::of(Language::English)).is_ok()
        };
        assert!(read("2026-01-01", "2026-01-01") && read("2024-01-01", "2027-01-01"));
        assert!(!read("2026-01-02", "2026-01-01") && !read("2024-01-01", "2027-01-02") && !read("", "2026-01-01"));
    }

    #[test]
    fn a_day_that_is_too_much_for_a_file_is_cut_by_references() {
        let counts = BTreeMap::from([(date(2026, 1, 2), 50), (date(2026, 1, 3), 250)]);
        let parts = parts(&counts, date(2026, 1, 1), date(2026, 1, 5), 100);
        let shares: Vec<_> = parts.iter().map(|part| (part.from.day(), part.to.day(), part.share)).collect();
        assert_eq!(
            shares,
            [
                (1, 2, None),
                (3, 3, Some((0, 24))),
                (3, 3, Some((25, 49))),
                (3, 3, Some((50, 74))),
                (3, 3, Some((75, 99))),
                (4, 5, None)
            ]
        );
    }

    proptest! {
        #[test]
        fn the_parts_cover_every_day_once_and_every_reference_of_a_day_that_is_cut(
            counts in prop::collection::vec(0_u64..300, 1..40), most in 1_u64..200,
        ) {
            let from = date(2026, 1, 1);
            let days: Vec<Date> = (0..counts.len()).map(|n| from + i64::try_from(n).unwrap().days()).collect();
            let to = *days.last().unwrap();
            let of_days: BTreeMap<Date, u64> = days.iter().copied().zip(counts).collect();
            let parts = parts(&of_days, from, to, most);
            let mut next = (from, 0_u8);
            for part in &parts {
                prop_assert_eq!(part.from, next.0);
                match part.share {
                    None => {
                        prop_assert_eq!(next.1, 0);
                        prop_assert!(part.from <= part.to);
                        next = (part.to.tomorrow().unwrap(), 0);
                    }
                    Some((first, last)) => {
                        prop_assert_eq!((part.to, first), next);
                        prop_assert!(first <= last);
                        next = if last == 99 { (part.to.tomorrow().unwrap(), 0) } else { (part.to, last + 1) };
                    }
                }
            }
            prop_assert_eq!(next, (to.tomorrow().unwrap(), 0));
        }
    }
}
