//! `GET /dashboard/request-log?month=2026-11`: the log of 11 CCR 7101(b): date, nature and manner of each request, date and nature
//! of its answer, and the basis of a refusal. `from`, `to` and `format` (csv, json) take it out as a file.
//!
//! There is no person in it: a business must keep the log, and may show it to whoever asks.

use domain::audit::Act;
use domain::language::Language;
use domain::metrics::LogRow;
use domain::request::Outcome;
use domain::role::Permission;
use jiff::SignedDuration;
use jiff::ToSpan;
use jiff::civil::Date;
use maud::{Markup, html};
use pages::form::{self, Button, Select};
use pages::show::{self, Card, Empty, Heading, Notice, Table};
use pages::{Frame, Icon, Section, csv, format, words};
use platform::edge::{Page, Visit};
use platform::session::{Allowed, ExportReports, SeeReports};
use platform::store::months;
use platform::{App, Error};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::setup::entry;

/// The purpose of a cursor; its context is the tenant.
const CURSOR: &str = "log-cursor";
const CURSOR_LIVES: SignedDuration = SignedDuration::from_hours(12);
/// Lines on a page.
const PER_PAGE: i32 = 100;
/// Lines read at once for a file.
const PER_READ: i32 = 1000;
/// A file this long, in bytes, takes no further page of lines. Lambda answers with at most 6 MB, a quarter of which is
/// what base64 adds; a page of lines is at most some 300 KB.
const FULL: usize = 3_200_000;
/// How many months the log must be kept, before the present one: 11 CCR 7101(a).
const KEPT: i32 = 24;

/// Shows a month, or writes a file.
pub async fn handle(app: &App, allowed: Allowed<SeeReports>, visit: Visit) -> Result<Page, Error> {
    let today = visit.at.to_zoned(allowed.tz()).date();
    let kept = kept(today);
    let context = allowed.tenant.id().as_str();
    let tickets = app.tickets().await?;
    let cursor: Option<Cursor> = match visit.query.get("after") {
        "" => None,
        cursor => Some(tickets.open(CURSOR, context, visit.at, cursor)?),
    };
    let seal = |cursor: &Cursor| tickets.seal(CURSOR, context, visit.at + CURSOR_LIVES, cursor);
    if let Some(kind) = Kind::asked(visit.query.get("format")) {
        let wanted = Wanted::asked(visit.query.get("from"), visit.query.get("to"), &kept);
        allowed.also::<ExportReports>()?;
        let further = cursor.is_some();
        let (rows, next) = read(app, &allowed, &wanted, cursor).await?;
        let mut entry = entry(&allowed, &visit, Act::ReportExported)
            .on("report", "7101")
            .with("format", kind.code())
            .with("from", &wanted.from)
            .with("to", &wanted.to)
            .with("requests", rows.len().to_string());
        if further || next.is_some() {
            entry = entry.with("part", if next.is_some() { "one of several" } else { "the last" });
        }
        app.store.of(&allowed.tenant).record(&entry).await?;
        let next = next.map(|cursor| seal(&cursor)).transpose()?.map(|cursor| wanted.link(kind, Some(&cursor)));
        return file(kind, &wanted, &rows, next.as_deref());
    }
    let month = match visit.query.get("month") {
        month if kept.iter().any(|it| it == month) => month.to_owned(),
        _ => kept.last().cloned().unwrap_or_default(),
    };
    let after = cursor.filter(|cursor| cursor.month == month).and_then(|cursor| cursor.after);
    let page = app.store.of(&allowed.tenant).log_of_month(&month, after.as_deref(), PER_PAGE).await?;
    let next = page.next.map(|after| seal(&Cursor { month: month.clone(), after: Some(after) })).transpose()?;
    let may_export = allowed.role.may(Permission::ExportReports);
    let view = View { month, kept, rows: page.rows, next, further: after.is_some(), may_export };
    Ok(Page::html(show(&allowed.frame(&visit, Section::Reports), &view)?))
}

/// The months that must be there, the newest last.
fn kept(today: Date) -> Vec<String> {
    let month = |date: Date| format!("{:04}-{:02}", date.year(), date.month());
    let from = today.checked_sub(KEPT.months()).unwrap_or(today);
    months(&month(from), &month(today)).collect()
}

/// Where the next read begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    month: String,
    after: Option<String>,
}

/// Reads months one after the other until a file is full.
async fn read(
    app: &App,
    allowed: &Allowed<SeeReports>,
    wanted: &Wanted,
    cursor: Option<Cursor>,
) -> Result<(Vec<LogRow>, Option<Cursor>), Error> {
    let store = app.store.of(&allowed.tenant);
    let from = cursor.as_ref().map_or(&wanted.from, |cursor| &cursor.month);
    let mut after = cursor.as_ref().and_then(|cursor| cursor.after.clone());
    let (mut rows, mut bytes) = (vec![], 0);
    for month in months(from, &wanted.to) {
        loop {
            if bytes >= FULL {
                return Ok((rows, Some(Cursor { month, after })));
            }
            let page = store.log_of_month(&month, after.as_deref(), PER_READ).await?;
            bytes += bytes_of(&page.rows)?;
            rows.extend(page.rows);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok((rows, None))
}

/// How long lines are as JSON; as CSV they are shorter.
fn bytes_of(rows: &[LogRow]) -> Result<usize, Error> {
    serde_json::to_vec(rows).map(|json| json.len()).map_err(Error::failed("writing the log"))
}

/// The months of a file.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    from: String,
    to: String,
}

impl Wanted {
    /// What was asked for as far as it is kept: all of it, where nothing is said.
    fn asked(from: &str, to: &str, kept: &[String]) -> Self {
        let find = |month: &str| kept.iter().find(|it| *it == month).cloned();
        let (first, last) = (kept.first().cloned().unwrap_or_default(), kept.last().cloned().unwrap_or_default());
        let (from, to) = (find(from).unwrap_or(first), find(to).unwrap_or(last));
        if from <= to { Self { from, to } } else { Self { from: to, to: from } }
    }

    fn link(&self, kind: Kind, after: Option<&str>) -> String {
        let after = after.map(|cursor| format!("&after={cursor}")).unwrap_or_default();
        format!("/dashboard/request-log?from={}&to={}&format={}{after}", self.from, self.to, kind.code())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Csv,
    Json,
}

impl Kind {
    fn asked(format: &str) -> Option<Self> {
        [Self::Csv, Self::Json].into_iter().find(|kind| kind.code() == format)
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

/// In the words of the stored codes, so that files of both languages can be put together. `next` is where a log goes on
/// that is too long for one file.
fn file(kind: Kind, wanted: &Wanted, rows: &[LogRow], next: Option<&str>) -> Result<Page, Error> {
    let name = format!("request-log-{}-{}.{}", wanted.from, wanted.to, kind.code());
    let failed = || Error::failed("writing the log");
    match kind {
        Kind::Json => {
            let log = json!({
                "regulation": "11 CCR 7101(b)", "from": wanted.from, "to": wanted.to, "requests": rows, "next": next,
            });
            let bytes = serde_json::to_vec(&log).map_err(Error::failed("writing the log"))?;
            Ok(Page::download("application/json", &name, bytes))
        }
        Kind::Csv => {
            let mut file = csv::Writer::for_spreadsheets(vec![]).map_err(failed())?;
            file.row(["reference", "received", "nature", "manner", "responded", "response", "basis of denial"])
                .map_err(failed())?;
            for row in rows {
                let date = |date: Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
                file.row([
                    row.reference.clone(),
                    date(Some(row.received_on)),
                    row.kind.code().to_owned(),
                    row.channel.code().to_owned(),
                    date(row.responded_on),
                    row.response.map_or("", Outcome::code).to_owned(),
                    row.basis.map_or("", domain::denial::Ground::code).to_owned(),
                ])
                .map_err(failed())?;
            }
            if let Some(next) = next {
                file.row(["continued at", next]).map_err(failed())?;
            }
            Ok(Page::download("text/csv; charset=utf-8", &name, file.finish().map_err(failed())?))
        }
    }
}

struct View {
    month: String,
    kept: Vec<String>,
    rows: Vec<LogRow>,
    next: Option<String>,
    further: bool,
    may_export: bool,
}

fn show(frame: &Frame, view: &View) -> Result<Markup, Error> {
    let (language, texts) = (frame.language, Texts::of(frame.language));
    let named = |month: &String| {
        let name = format!("{month}-01").parse().map(|date| format::month(language, date));
        (month.clone(), name.unwrap_or_else(|_| month.clone()))
    };
    let this = Wanted { from: view.month.clone(), to: view.month.clone() };
    let all = Wanted::asked("", "", &view.kept);
    let mut table = Table::new(texts.title)
        .column(texts.reference)
        .column(texts.received)
        .column(texts.nature)
        .column(texts.manner)
        .column(texts.responded)
        .column(texts.response)
        .column(texts.basis);
    for row in &view.rows {
        table = table.row(cells(language, texts, row)?);
    }
    let here = format!("/dashboard/request-log?month={}", view.month);
    let next = view.next.as_ref().map(|cursor| format!("{here}&after={cursor}"));
    let main = html! {
        (Heading::new(texts.title).lede(texts.lede).above(language, &[("/dashboard/report", Section::Reports.name(language))]))
        (Notice::info(texts.no_person))
        (form::filters(language, "/dashboard/request-log", None, &html! {
            (Select::new("month", texts.month).choices(view.kept.iter().rev().map(named)).chosen(&view.month))
        }))
        @if table.is_empty() { (Empty::new(texts.none, texts.none_why).icon(Icon::List)) } @else { (table) }
        (show::pagination(language, view.further.then_some(here.as_str()), next.as_deref()))
        @if view.may_export { (Card::new(texts.take).body(form::actions(&html! {
            (Button::secondary(texts.month_csv).download(this.link(Kind::Csv, None)))
            (Button::secondary(texts.month_json).download(this.link(Kind::Json, None)))
            (Button::secondary(texts.all_csv).download(all.link(Kind::Csv, None)))
            (Button::secondary(texts.all_json).download(all.link(Kind::Json, None)))
        }))) }
    };
    Ok(pages::page(frame, texts.title, &main))
}

fn cells(language: Language, texts: &Texts, row: &LogRow) -> Result<Vec<Markup>, Error> {
    let basis = match row.basis {
        Some(ground) => ground.rule().map_err(Error::failed("reading the grounds of denial"))?.label.of(language),
        None => "",
    };
    let response = row.response.map_or(texts.open, |outcome| match outcome {
        Outcome::CompliedInWhole => texts.complied,
        Outcome::CompliedInPart => texts.in_part,
        Outcome::Denied => texts.denied,
        Outcome::Withdrawn => texts.withdrawn,
    });
    Ok(vec![
        html! { a href={ "/dashboard/request/" (row.reference) } { (row.reference) } },
        show::day(language, row.received_on),
        html! { (words::kind(language, row.kind)) },
        html! { (words::channel(language, row.channel)) },
        row.responded_on.map_or(html! {}, |date| show::day(language, date)),
        html! { (response) },
        html! { (basis) },
    ])
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    lede: &'static str,
    no_person: &'static str,
    month: &'static str,
    reference: &'static str,
    received: &'static str,
    nature: &'static str,
    manner: &'static str,
    responded: &'static str,
    response: &'static str,
    basis: &'static str,
    open: &'static str,
    complied: &'static str,
    in_part: &'static str,
    denied: &'static str,
    withdrawn: &'static str,
    none: &'static str,
    none_why: &'static str,
    take: &'static str,
    month_csv: &'static str,
    month_json: &'static str,
    all_csv: &'static str,
    all_json: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Request log",
        lede: "What 11 CCR 7101 has you keep of every request, for at least 24 months.",
        no_person: "There is nobody’s name, number or address in this log.",
        month: "Month of receipt",
        reference: "Reference",
        received: "Received",
        nature: "Nature of the request",
        manner: "Manner",
        responded: "Answered",
        response: "Nature of the answer",
        basis: "Basis of the denial",
        open: "Open",
        complied: "Complied with",
        in_part: "Complied with in part",
        denied: "Denied",
        withdrawn: "Withdrawn",
        none: "No requests in this month",
        none_why: "A request is here from the moment it is received.",
        take: "Take it out",
        month_csv: "This month, CSV",
        month_json: "This month, JSON",
        all_csv: "All of it, CSV",
        all_json: "All of it, JSON",
    };
    const ES: Self = Self {
        title: "Registro de solicitudes",
        lede: "Lo que 11 CCR 7101 obliga a guardar de cada solicitud, durante al menos 24 meses.",
        no_person: "En este registro no hay nombres, números ni direcciones de nadie.",
        month: "Mes de recepción",
        reference: "Referencia",
        received: "Recibida",
        nature: "Naturaleza de la solicitud",
        manner: "Medio",
        responded: "Respondida",
        response: "Naturaleza de la respuesta",
        basis: "Motivo de la denegación",
        open: "Abierta",
        complied: "Cumplida",
        in_part: "Cumplida en parte",
        denied: "Denegada",
        withdrawn: "Retirada",
        none: "Ninguna solicitud en este mes",
        none_why: "Una solicitud aparece aquí desde que se recibe.",
        take: "Descargar",
        month_csv: "Este mes, CSV",
        month_json: "Este mes, JSON",
        all_csv: "Todo, CSV",
        all_json: "Todo, JSON",
    };

    const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &Self::EN,
            Language::Spanish => &Self::ES,
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::denial::Ground;
    use domain::request::{self, Channel};
    use jiff::civil::date;

    use super::*;
    use crate::setup::tests::{frame, main_of};

    fn rows() -> Vec<LogRow> {
        let open = LogRow {
            reference: "123456789012".into(),
            received_on: date(2026, 11, 2),
            kind: request::Kind::Delete,
            channel: Channel::Phone,
            responded_on: None,
            response: None,
            basis: None,
        };
        let denied = LogRow {
            reference: "210987654321".into(),
            responded_on: Some(date(2026, 11, 20)),
            response: Some(Outcome::Denied),
            basis: Some(Ground::NotVerified),
            ..open.clone()
        };
        vec![open, denied]
    }

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn twenty_four_whole_months_are_kept_and_the_present_one() {
        let kept = kept(date(2026, 11, 30));
        assert_eq!((kept.len(), kept[0].as_str(), kept[24].as_str()), (25, "2024-11", "2026-11"));
    }

    #[test]
    fn a_file_has_the_months_asked_for_or_all() {
        let kept = kept(date(2026, 11, 30));
        let range = |from: &str, to: &str| {
            let wanted = Wanted::asked(from, to, &kept);
            (wanted.from, wanted.to)
        };
        assert_eq!(range("2026-01", "2026-03"), ("2026-01".into(), "2026-03".into()));
        assert_eq!(range("2026-03", "2026-01"), ("2026-01".into(), "2026-03".into()));
        assert_eq!(range("", "x"), ("2024-11".into(), "2026-11".into()));
    }

    #[test]
    fn the_longest_file_fits_into_an_answer() {
        let row = LogRow {
            reference: "123456789012".into(),
            kind: request::Kind::KnowCategories,
            response: Some(Outcome::CompliedInPart),
            ..rows()[1].clone()
        };
        let page = bytes_of(&vec![row; usize::try_from(PER_READ).unwrap()]).unwrap();
        assert!((FULL + page) * 4 / 3 < 5_000_000, "{page}");
    }

    #[test]
    fn the_page_shows_each_request_with_its_answer() {
        let view = View {
            month: "2026-11".into(),
            kept: kept(date(2026, 11, 30)),
            rows: rows(),
            next: Some("sealed".into()),
            further: false,
            may_export: true,
        };
        insta::assert_snapshot!(main_of(show(&frame(Language::English, Section::Reports), &view).unwrap()));
    }
}
