//! `GET /dashboard/report?year=2026&scope=california`: the metrics of a calendar year that 11 CCR 7102 has a business with
//! ten million consumers publish. `format` (csv, json) takes them out.
//!
//! They come from counters that always equal a recount of the requests, and hold no time of their own making: the same
//! year asked twice gives the same bytes, unless a request of it was worked on.

use std::collections::BTreeSet;

use domain::audit::Act;
use domain::denial::Category;
use domain::language::Language;
use domain::metrics::{Bucket, Counter, Report, Row, Scope, Sort, Tally};
use domain::role::Permission;
use maud::{Markup, html};
use pages::form::{self, Button, Select};
use pages::show::{Card, Heading, Table};
use pages::{Frame, Icon, Section, csv, fill, format, words};
use platform::edge::{Page, Visit};
use platform::session::{Allowed, ExportReports, SeeReports};
use platform::store::Tallies;
use platform::{App, Error};
use serde::Serialize;
use serde_json::json;

use crate::setup::entry;

/// Shows a year, or writes it to a file.
pub async fn handle(app: &App, allowed: Allowed<SeeReports>, visit: Visit) -> Result<Page, Error> {
    let this_year = visit.at.to_zoned(allowed.tz()).date().year();
    let scope = if visit.query.get("scope") == "all" { Scope::All } else { Scope::California };
    let store = app.store.of(&allowed.tenant);
    // Each year is one item: all are read at once, and say which there are.
    let tallies = store.tallies("year#0000", "year#9999").await?;
    let years = years(&tallies, this_year);
    let asked = visit.query.get("year").parse().ok().filter(|year| years.contains(year));
    let year: i16 = asked.unwrap_or(this_year);
    let counters = tallies.get(&Bucket::Year(year).to_string()).into_iter().flatten();
    let counters = counters.filter_map(|(name, count)| Some((Counter::parse(name)?, *count)));
    let report = Report::for_year(year, scope, counters);
    let language = visit.language;
    let file = match visit.query.get("format") {
        "csv" => ("csv", "text/csv; charset=utf-8", as_csv(language, &report)?),
        "json" => ("json", "application/json", as_json(language, &report)?),
        _ => {
            let view = View { report, years, may_export: allowed.role.may(Permission::ExportReports) };
            return Ok(Page::html(show(&allowed.frame(&visit, Section::Reports), &view)));
        }
    };
    allowed.also::<ExportReports>()?;
    let (extension, content_type, bytes) = file;
    let entry = entry(&allowed, &visit, Act::ReportExported)
        .on("report", "7102")
        .with("format", extension)
        .with("year", year.to_string())
        .with("scope", scope_code(scope));
    store.record(&entry).await?;
    let name = format!("privacy-requests-{year}-{}.{extension}", scope_code(scope));
    Ok(Page::download(content_type, &name, bytes))
}

/// The years that anything was counted in, and the present one; a request that came on paper may be older than the account.
fn years(tallies: &Tallies, this_year: i16) -> BTreeSet<i16> {
    let counted = tallies.iter().filter(|(_, counters)| counters.values().any(|n| *n != 0));
    let counted = counted.filter_map(|(bucket, _)| match Bucket::parse(bucket)? {
        Bucket::Year(year) => Some(year),
        _ => None,
    });
    counted.filter(|year| *year <= this_year).chain([this_year]).collect()
}

const fn scope_code(scope: Scope) -> &'static str {
    match scope {
        Scope::All => "all",
        Scope::California | Scope::Unknown => "california",
    }
}

fn as_json(language: Language, report: &Report) -> Result<Vec<u8>, Error> {
    let notes: Vec<&str> = report.notes().into_iter().map(|note| note.of(language)).collect();
    let whole = json!({ "regulation": "11 CCR 7102", "report": report, "notes": notes });
    serde_json::to_vec_pretty(&whole).map_err(Error::failed("writing a report"))
}

fn as_csv(language: Language, report: &Report) -> Result<Vec<u8>, Error> {
    let failed = || Error::failed("writing a report");
    let mut file = csv::Writer::for_spreadsheets(vec![]).map_err(failed())?;
    let mut head = vec![
        "year",
        "scope",
        "request",
        "citation",
        "received",
        "complied in whole",
        "complied in part",
        "denied",
        "withdrawn",
    ];
    let refused = Category::ALL.map(|category| format!("refused: {category}"));
    head.extend(refused.iter().map(String::as_str));
    head.extend(["median days", "mean days"]);
    file.row(head).map_err(failed())?;
    for row in &report.rows {
        let Tally { received, complied_in_whole, complied_in_part, denied, withdrawn, refused, .. } = &row.tally;
        let mut cells = vec![
            report.year.to_string(),
            scope_code(report.scope).to_owned(),
            row.sort.code().to_owned(),
            row.sort.citation().to_owned(),
        ];
        cells.extend([received, complied_in_whole, complied_in_part, denied, withdrawn].map(ToString::to_string));
        cells.extend(Category::ALL.map(|category| refused.get(&category).copied().unwrap_or(0).to_string()));
        cells
            .extend([row.median_days, row.mean_days].map(|days| days.map(|days| days.to_string()).unwrap_or_default()));
        file.row(cells).map_err(failed())?;
    }
    for note in report.notes() {
        file.row(["note", note.of(language)]).map_err(failed())?;
    }
    file.finish().map_err(failed())
}

struct View {
    report: Report,
    years: BTreeSet<i16>,
    may_export: bool,
}

fn show(frame: &Frame, view: &View) -> Markup {
    let (language, texts, report) = (frame.language, Texts::of(frame.language), &view.report);
    let scope = scope_code(report.scope);
    let years = view.years.iter().rev().map(|year| (year.to_string(), year.to_string()));
    let link = |format: &str| format!("/dashboard/report?year={}&scope={scope}&format={format}", report.year);
    let title = fill(texts.title, &[("year", &report.year.to_string())]);
    let main = html! {
        (Heading::new(title.as_str()).lede(texts.lede).actions(html! {
            (Button::secondary(texts.log).to("/dashboard/request-log").icon(Icon::List))
        }))
        (form::filters(language, "/dashboard/report", None, &html! {
            (Select::new("year", texts.year).choices(years).chosen(report.year.to_string()))
            (Select::new("scope", texts.scope).choice("california", texts.california).choice("all", texts.all).chosen(scope))
        }))
        (Card::new(texts.numbers).lede(texts.numbers_why).body(html! { (numbers(language, texts, report)) }))
        (Card::new(texts.refusals).lede(texts.refusals_why).body(html! { (refusals(language, texts, report)) }))
        (Card::new(texts.notes).body(html! {
            ul { @for note in report.notes() { li { (note.of(language)) } } }
            p { (texts.publish) }
        }))
        @if view.may_export { (Card::new(texts.take).body(form::actions(&html! {
            (Button::secondary("CSV").download(link("csv")))
            (Button::secondary("JSON").download(link("json")))
        }))) }
    };
    pages::page(frame, &title, &main)
}

fn numbers(language: Language, texts: &Texts, report: &Report) -> Table {
    let mut table = Table::new(texts.numbers)
        .column(texts.request)
        .numbers(texts.received)
        .numbers(texts.whole)
        .numbers(texts.part)
        .numbers(texts.denied)
        .numbers(texts.median)
        .numbers(texts.mean);
    for row in &report.rows {
        table = table.row(figures(
            html! { (sort(texts, row.sort)) p.note { (row.sort.citation()) } },
            &row.tally,
            row,
            true,
        ));
        for (kind, tally) in &row.split {
            table = table.row(figures(html! { span.note { (words::kind(language, *kind)) } }, tally, row, false));
        }
    }
    table
}

fn figures(name: Markup, tally: &Tally, row: &Row, whole: bool) -> Vec<Markup> {
    let days = |of_row, own: Option<domain::metrics::Days>| {
        let days: Option<domain::metrics::Days> = if whole { of_row } else { own };
        html! { (days.map_or_else(|| "–".to_owned(), |days| days.to_string())) }
    };
    let mut cells = vec![name];
    for n in [tally.received, tally.complied_in_whole, tally.complied_in_part, tally.denied] {
        cells.push(html! { (format::number(i128::from(n))) });
    }
    cells.extend([days(row.median_days, tally.median()), days(row.mean_days, tally.mean())]);
    cells
}

fn refusals(_: Language, texts: &Texts, report: &Report) -> Table {
    let table = Table::new(texts.refusals).column(texts.request);
    let table = Category::ALL.into_iter().fold(table, |table, category| table.numbers(heading(texts, category)));
    report.rows.iter().fold(table, |table, row| {
        let mut cells = vec![html! { (sort(texts, row.sort)) }];
        for category in Category::ALL {
            let n = row.tally.refused.get(&category).copied().unwrap_or(0);
            cells.push(html! { (format::number(i128::from(n))) });
        }
        table.row(cells)
    })
}

const fn heading(texts: &Texts, category: Category) -> &'static str {
    match category {
        Category::Unverifiable => texts.unverifiable,
        Category::NotAConsumer => texts.not_a_consumer,
        Category::Exempt => texts.exempt,
        Category::Other => texts.other,
    }
}

const fn sort(texts: &Texts, sort: Sort) -> &'static str {
    match sort {
        Sort::Delete => texts.delete,
        Sort::Correct => texts.correct,
        Sort::Know => texts.know,
        Sort::OptOut => texts.opt_out,
        Sort::Limit => texts.limit,
    }
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    lede: &'static str,
    log: &'static str,
    year: &'static str,
    scope: &'static str,
    california: &'static str,
    all: &'static str,
    numbers: &'static str,
    numbers_why: &'static str,
    request: &'static str,
    received: &'static str,
    whole: &'static str,
    part: &'static str,
    denied: &'static str,
    median: &'static str,
    mean: &'static str,
    delete: &'static str,
    correct: &'static str,
    know: &'static str,
    opt_out: &'static str,
    limit: &'static str,
    refusals: &'static str,
    refusals_why: &'static str,
    unverifiable: &'static str,
    not_a_consumer: &'static str,
    exempt: &'static str,
    other: &'static str,
    notes: &'static str,
    publish: &'static str,
    take: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Requests in {year}",
        lede: "The metrics of 11 CCR 7102, ready to publish.",
        log: "Request log (7101)",
        year: "Calendar year",
        scope: "Whose requests",
        california: "Californians only",
        all: "All individuals",
        numbers: "Received and answered",
        numbers_why: "Each sort of request in the regulation’s order.",
        request: "Request",
        received: "Received",
        whole: "Complied with in whole",
        part: "Complied with in part",
        denied: "Denied",
        median: "Median days",
        mean: "Mean days",
        delete: "To delete",
        correct: "To correct",
        know: "To know",
        opt_out: "To opt out of sale and sharing",
        limit: "To limit",
        refusals: "Why requests were refused",
        refusals_why: "In whole or in part; you may publish it (7102(a)(2)).",
        unverifiable: "Not verifiable",
        not_a_consumer: "Not from a consumer",
        exempt: "Exempt information",
        other: "Other grounds",
        notes: "What a reader must know",
        publish: "A business that handles the personal information of ten million consumers or more in a calendar year publishes this by July 1 of the next, in its privacy policy or linked from it.",
        take: "Take it out",
    };
    const ES: Self = Self {
        title: "Solicitudes en {year}",
        lede: "Las cifras de 11 CCR 7102, listas para publicar.",
        log: "Registro (7101)",
        year: "Año natural",
        scope: "De quién",
        california: "Solo californianos",
        all: "Todas las personas",
        numbers: "Recibidas y respondidas",
        numbers_why: "Cada clase de solicitud en el orden del reglamento.",
        request: "Solicitud",
        received: "Recibidas",
        whole: "Cumplidas por completo",
        part: "Cumplidas en parte",
        denied: "Denegadas",
        median: "Mediana de días",
        mean: "Media de días",
        delete: "De eliminar",
        correct: "De corregir",
        know: "De saber",
        opt_out: "De no vender ni compartir",
        limit: "De limitar",
        refusals: "Por qué se denegaron",
        refusals_why: "Por completo o en parte; puede publicarlo (7102(a)(2)).",
        unverifiable: "No verificable",
        not_a_consumer: "No es de un consumidor",
        exempt: "Información exenta",
        other: "Otros motivos",
        notes: "Lo que debe saber quien lo lea",
        publish: "Una empresa que trata los datos personales de diez millones de consumidores o más en un año natural publica esto antes del 1 de julio del siguiente, en su política de privacidad o enlazado desde ella.",
        take: "Descargar",
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
    use super::*;
    use crate::setup::tests::{frame, main_of};

    fn report(scope: Scope) -> Report {
        let counters = [
            ("us-ca.delete.received", 4),
            ("us-ca.delete.complied-in-whole", 2),
            ("us-ca.delete.denied", 1),
            ("us-ca.delete.refused.unverifiable", 1),
            ("us-ca.delete.days.3", 2),
            ("us-ca.delete.days.10", 1),
            ("us-ca.know-categories.received", 1),
            ("all.delete.received", 9),
            ("unknown.delete.received", 2),
        ];
        Report::for_year(2026, scope, counters.map(|(name, n)| (Counter::parse(name).unwrap(), n)))
    }

    #[test]
    fn a_year_is_offered_where_something_was_counted_in_it_however_old_and_the_present_one_always() {
        let counted = |n: i64| std::collections::BTreeMap::from([("received".to_owned(), n)]);
        let tallies = Tallies::from([
            ("year#2024".to_owned(), counted(1)),
            ("year#2025".to_owned(), counted(0)),
            ("year#2031".to_owned(), counted(1)),
        ]);
        assert_eq!(years(&tallies, 2026), BTreeSet::from([2024, 2026]));
    }

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn the_page_has_the_regulations_figures_in_its_order() {
        let view = View { report: report(Scope::California), years: BTreeSet::from([2026, 2027]), may_export: true };
        insta::assert_snapshot!(main_of(show(&frame(Language::English, Section::Reports), &view)));
    }

    #[test]
    fn a_file_says_the_same_each_time() {
        for language in Language::ALL {
            let (one, other) = (report(Scope::All), report(Scope::All));
            assert_eq!(as_csv(language, &one).unwrap(), as_csv(language, &other).unwrap());
            assert_eq!(as_json(language, &one).unwrap(), as_json(language, &other).unwrap());
        }
        insta::assert_snapshot!(
            String::from_utf8(as_csv(Language::English, &report(Scope::California)).unwrap()).unwrap()
        );
    }
}
