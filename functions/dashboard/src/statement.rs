//! `GET /dashboard/statement?month=2026-11&format=pdf`: what a month's calls came to and how each day got to the bill, as a
//! document or, with `format=csv`, as a file for a spreadsheet.
//!
//! Every line of it is in the ledger or in a batch, and its totals are the sums of its lines.

use std::collections::BTreeMap;

use domain::audit::Act;
use domain::billing::{Line, LineState, Meter, Standing};
use domain::language::Language;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use pages::{csv, fill, format};
use paper::{Block, Column, Document, Row, Section, Table};
use platform::edge::{Page, Visit};
use platform::session::{Allowed, ExportReports};
use platform::store::DayOfBilling;
use platform::{App, Error};
use serde::Serialize;

use crate::billing_texts as billing;
use crate::setup::entry;
use crate::usage::{chosen, code_of, standing_of};

/// Gives the statement of a month.
pub async fn handle(app: &App, allowed: Allowed<ExportReports>, visit: Visit) -> Result<Page, Error> {
    let today = visit.at.to_zoned(TimeZone::UTC).date();
    let month = chosen(visit.query.get("month"), today);
    let store = app.store.of(&allowed.tenant);
    let statement = Statement::of(month, &store.month_of_billing(month).await?, visit.at);
    let (extension, content_type, bytes) = match visit.query.get("format") {
        "csv" => ("csv", "text/csv; charset=utf-8", statement.as_csv()?),
        _ => {
            let document = statement.document(allowed.card.language, &allowed.card.tenant_name);
            ("pdf", "application/pdf", document.render().map_err(Error::failed("making a document"))?)
        }
    };
    let entry = entry(&allowed, &visit, Act::ReportExported)
        .on("report", "usage")
        .with("format", extension)
        .with("month", code_of(month));
    store.record(&entry).await?;
    Ok(Page::download(content_type, &format!("usage-{}.{extension}", code_of(month)), bytes))
}

/// The columns of the file. Each line fills those that it knows.
const COLUMNS: [&str; 14] = [
    "line",
    "day (UTC)",
    "standing",
    "calls",
    "billed minutes",
    "seconds",
    "batch",
    "meter",
    "sent",
    "due",
    "at stripe",
    "state",
    "reference",
    "identifier",
];

/// What calls came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    calls: u64,
    minutes: u64,
    seconds: u64,
}

impl Sums {
    const fn and(self, other: Self) -> Self {
        Self {
            calls: self.calls + other.calls,
            minutes: self.minutes + other.minutes,
            seconds: self.seconds + other.seconds,
        }
    }
}

/// A day's line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct OfDay {
    day: Date,
    used: Sums,
    standing: Standing,
}

/// A meter event's line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct OfEvent {
    day: Date,
    batch: u32,
    meter: Meter,
    line: Line,
}

/// A month.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    month: Date,
    made_at: Timestamp,
    days: Vec<OfDay>,
    events: Vec<OfEvent>,
}

impl Statement {
    fn of(month: Date, of_days: &BTreeMap<Date, DayOfBilling>, made_at: Timestamp) -> Self {
        let count = |n: i64| u64::try_from(n).unwrap_or_default();
        let (mut days, mut events) = (vec![], vec![]);
        for (day, of_day) in of_days {
            let used = Sums {
                calls: count(of_day.used.calls),
                minutes: count(of_day.used.minutes),
                seconds: count(of_day.used.seconds),
            };
            days.push(OfDay { day: *day, used, standing: standing_of(*day, of_day, made_at) });
            for batch in &of_day.batches {
                events.extend(batch.lines.iter().map(|(meter, line)| OfEvent {
                    day: *day,
                    batch: batch.number,
                    meter: *meter,
                    line: line.clone(),
                }));
            }
        }
        Self { month, made_at, days, events }
    }

    fn total(&self) -> Sums {
        self.days.iter().fold(Sums::default(), |sum, day| sum.and(day.used))
    }

    /// What is due of a meter, in all batches.
    fn due_of(&self, meter: Meter) -> u64 {
        self.events.iter().filter(|event| event.meter == meter).map(|event| event.line.due).sum()
    }

    /// Of that, what Stripe has, as far as is known.
    fn at_stripe(&self, meter: Meter) -> u64 {
        self.events.iter().filter(|event| event.meter == meter).map(|event| at_stripe(&event.line)).sum()
    }

    fn as_csv(&self) -> Result<Vec<u8>, Error> {
        let failed = || Error::failed("writing a statement");
        let mut file = csv::Writer::for_spreadsheets(vec![]).map_err(failed())?;
        file.row(COLUMNS).map_err(failed())?;
        let mut row = |cells: &[(usize, String)]| {
            let cell = |column| cells.iter().find(|(of, _)| *of == column).map_or("", |(_, cell)| cell.as_str());
            file.row((0..COLUMNS.len()).map(cell)).map_err(failed())
        };
        let line = |line: &str, when: String| [(0, line.to_owned()), (1, when)];
        let sums =
            |sums: Sums| [(3, sums.calls.to_string()), (4, sums.minutes.to_string()), (5, sums.seconds.to_string())];
        for day in &self.days {
            let standing = [(2, code(day.standing).to_owned())];
            row(&[&line("day", day.day.to_string())[..], &standing, &sums(day.used)].concat())?;
            for OfEvent { day, batch, meter, line: event } in self.events.iter().filter(|event| event.day == day.day) {
                let mut cells = line("event", day.to_string()).to_vec();
                cells.extend([(6, batch.to_string()), (7, meter.code().to_owned()), (8, event.value.to_string())]);
                cells.extend([(9, event.due.to_string()), (10, at_stripe(event).to_string())]);
                cells.extend([(11, event.state.code().to_owned()), (13, event.identifier.clone())]);
                if let LineState::Adjusted { reference, .. } = &event.state {
                    cells.push((12, reference.clone()));
                }
                row(&cells)?;
            }
        }
        let month = code_of(self.month);
        row(&[&line("total", month.clone())[..], &sums(self.total())].concat())?;
        for meter in Meter::ALL {
            let (due, there) = (self.due_of(meter).to_string(), self.at_stripe(meter).to_string());
            let of_meter = [(7, meter.code().to_owned()), (9, due), (10, there)];
            row(&[&line("total", month.clone())[..], &of_meter].concat())?;
        }
        file.finish().map_err(failed())
    }

    fn document(&self, language: Language, business: &str) -> Document {
        let (texts, words) = (Texts::of(language), billing::Texts::of(language));
        let number = |n: u64| format::number(i128::from(n));
        let month = format::month(language, self.month);
        let total = self.total();
        let title = fill(texts.title, &[("month", &month)]);
        let mut sections = vec![Section { heading: texts.by_day.into(), blocks: vec![self.days_table(language)] }];
        if !self.events.is_empty() {
            sections.push(Section {
                heading: texts.events.into(),
                blocks: vec![Block::Paragraph(texts.events_why.into()), self.events_table(language)],
            });
            let sums = Meter::ALL.into_iter().map(|meter| {
                let (due, there) = (number(self.due_of(meter)), number(self.at_stripe(meter)));
                Row::new(billing::meter(words, meter), fill(texts.of_due, &[("due", &due), ("there", &there)]))
            });
            sections.push(Section { heading: texts.bill.into(), blocks: vec![Block::Rows(sums.collect())] });
        }
        let made = format::date_time(language, &self.made_at.to_zoned(TimeZone::UTC));
        sections.push(Section {
            heading: texts.about.into(),
            blocks: vec![
                Block::Rows(vec![Row::new(texts.made, format!("{made} UTC"))]),
                Block::Paragraph(texts.about_why.into()),
            ],
        });
        Document {
            footer: format!("{title} · {business}"),
            title,
            author: business.to_owned(),
            language,
            created: self.made_at,
            facts: vec![
                Row::new(texts.calls, number(total.calls)),
                Row::new(texts.minutes, number(total.minutes)),
                Row::new(texts.lasted, format::duration(total.seconds)),
            ],
            sections,
        }
    }

    fn days_table(&self, language: Language) -> Block {
        let (texts, words) = (Texts::of(language), billing::Texts::of(language));
        let number = |n: u64| format::number(i128::from(n));
        if self.days.is_empty() {
            return Block::Paragraph(texts.none.into());
        }
        let in_words = |sums: Sums| [number(sums.calls), number(sums.minutes), format::duration(sums.seconds)];
        let row = |day: &OfDay| {
            let [calls, minutes, lasted] = in_words(day.used);
            let stands = billing::standing_of(words, day.standing).to_owned();
            vec![format::date(language, day.day), calls, minutes, lasted, stands]
        };
        let [calls, minutes, lasted] = in_words(self.total());
        Block::Table(Table {
            columns: vec![
                Column::words(texts.day),
                Column::numbers(texts.calls),
                Column::numbers(texts.minutes),
                Column::numbers(texts.lasted),
                Column::words(texts.billing),
            ],
            rows: self.days.iter().map(row).collect(),
            totals: Some(vec![texts.total.into(), calls, minutes, lasted, String::new()]),
        })
    }

    fn events_table(&self, language: Language) -> Block {
        let (texts, words) = (Texts::of(language), billing::Texts::of(language));
        let number = |n: u64| format::number(i128::from(n));
        let row = |event: &OfEvent| {
            vec![
                format::date(language, event.day),
                event.batch.to_string(),
                billing::meter(words, event.meter).to_owned(),
                number(event.line.value),
                number(event.line.due),
                billing::event(words, &event.line),
                event.line.identifier.clone(),
            ]
        };
        Block::Table(Table {
            columns: vec![
                Column::words(texts.day),
                Column::words(texts.batch),
                Column::words(texts.meter),
                Column::numbers(texts.sent),
                Column::numbers(texts.due),
                Column::below(texts.state, 1),
                Column::below(texts.identifier, 1),
            ],
            rows: self.events.iter().map(row).collect(),
            totals: None,
        })
    }
}

/// What of an event counts at Stripe, as far as is known.
const fn at_stripe(line: &Line) -> u64 {
    match &line.state {
        LineState::Sent { .. } | LineState::Confirmed { .. } => line.value,
        LineState::Adjusted { counted, .. } => *counted,
        _ => 0,
    }
}

const fn code(standing: Standing) -> &'static str {
    match standing {
        Standing::Running => "running",
        Standing::Settled => "settled",
        Standing::Sent => "sent",
        Standing::Due => "due",
        Standing::Overdue => "overdue",
        Standing::NeedsAPerson => "needs-a-person",
        Standing::Expired => "expired",
    }
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    by_day: &'static str,
    day: &'static str,
    calls: &'static str,
    minutes: &'static str,
    lasted: &'static str,
    billing: &'static str,
    total: &'static str,
    none: &'static str,
    events: &'static str,
    events_why: &'static str,
    batch: &'static str,
    meter: &'static str,
    sent: &'static str,
    due: &'static str,
    state: &'static str,
    identifier: &'static str,
    bill: &'static str,
    of_due: &'static str,
    about: &'static str,
    made: &'static str,
    about_why: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Usage in {month}",
        by_day: "Day by day",
        day: "Day (UTC)",
        calls: "Calls",
        minutes: "Billed minutes",
        lasted: "Time on the line",
        billing: "Billing",
        total: "Total",
        none: "There were no calls in this month.",
        events: "What was sent to Stripe",
        events_why: "Each day’s calls are counted in a batch and sent as one event for calls and one for minutes; calls that were reported late have a batch of their own.",
        batch: "Batch",
        meter: "Counted",
        sent: "Sent",
        due: "Due",
        state: "State",
        identifier: "Identifier",
        bill: "On the bill",
        of_due: "{due} due, {there} at Stripe",
        about: "About this statement",
        made: "Made",
        about_why: "It shows the month as it stood when it was made. A started minute of a call counts whole. Prices and taxes are on Stripe’s invoice.",
    };
    const ES: Self = Self {
        title: "Uso en {month}",
        by_day: "Día por día",
        day: "Día (UTC)",
        calls: "Llamadas",
        minutes: "Minutos facturados",
        lasted: "Tiempo en línea",
        billing: "Facturación",
        total: "Total",
        none: "No hubo llamadas este mes.",
        events: "Lo que se envió a Stripe",
        events_why: "Las llamadas de cada día se cuentan en un lote y se envían como un evento de llamadas y otro de minutos; las llamadas que llegaron tarde tienen un lote propio.",
        batch: "Lote",
        meter: "Contado",
        sent: "Enviado",
        due: "A facturar",
        state: "Estado",
        identifier: "Identificador",
        bill: "En la factura",
        of_due: "{due} a facturar, {there} en Stripe",
        about: "Sobre este estado de cuenta",
        made: "Hecho",
        about_why: "Muestra el mes tal como estaba cuando se hizo. Un minuto empezado de una llamada cuenta entero. Los precios y los impuestos están en la factura de Stripe.",
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
    use jiff::civil::date;
    use platform::store::DayOfUse;
    use proptest::prelude::*;

    use super::*;
    use crate::fixtures::billing::{confirmed, counted, month, now, sent};

    fn statement() -> Statement {
        Statement::of(date(2026, 11, 1), &month(), now())
    }

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn a_file_has_every_day_every_event_and_their_totals() {
        insta::assert_snapshot!(String::from_utf8(statement().as_csv().unwrap()).unwrap());
    }

    #[test]
    fn a_document_says_it_in_words() {
        for language in Language::ALL {
            let document = statement().document(language, "Example Shop");
            insta::assert_debug_snapshot!(format!("document_{}", language.code()), document);
            let pdf = document.render().unwrap();
            assert!(pdf.starts_with(b"%PDF-"));
            assert_eq!(pdf, statement().document(language, "Example Shop").render().unwrap(), "the same bytes");
        }
    }

    #[test]
    fn a_month_without_calls_is_a_statement_too() {
        let empty = Statement::of(date(2026, 3, 1), &BTreeMap::new(), now());
        assert!(empty.document(Language::Spanish, "Example Shop").render().is_ok());
        assert!(String::from_utf8(empty.as_csv().unwrap()).unwrap().contains("total,2026-03,,0,0,0"));
    }

    #[test]
    fn no_cell_of_a_file_is_taken_for_a_formula() {
        let mut with_formula = statement();
        with_formula.events[0].line.state = LineState::Adjusted {
            at: now(),
            by: "u1".into(),
            counted: 0,
            settled: 2,
            reference: "=HYPERLINK(1)".into(),
        };
        let file = String::from_utf8(with_formula.as_csv().unwrap()).unwrap();
        assert!(file.contains("'=HYPERLINK(1)") && !file.contains(",=HYPERLINK"), "{file}");
    }

    proptest! {
        #[test]
        fn totals_are_the_sums_of_the_days_and_of_the_batches(
            days in prop::collection::vec(prop::collection::vec((0..3_u8, prop::collection::vec(1..90_u32, 1..6)), 0..4), 0..28)
        ) {
            let (mut of_days, mut calls, mut minutes, mut sent_minutes) = (BTreeMap::new(), 0_u64, 0_u64, 0_u64);
            for (place, batches) in days.iter().enumerate() {
                let day = date(2026, 10, i8::try_from(place + 1).unwrap());
                let mut of_day = DayOfBilling::default();
                for (number, (state, of_calls)) in (1..).zip(batches) {
                    let make = [counted, sent, confirmed][usize::from(*state)];
                    of_day.batches.push(make(day, number, of_calls));
                    let sum: u64 = of_calls.iter().map(|minutes| u64::from(*minutes)).sum();
                    calls += u64::try_from(of_calls.len()).unwrap();
                    minutes += sum;
                    sent_minutes += if *state > 0 { sum } else { 0 };
                    of_day.used.calls += i64::try_from(of_calls.len()).unwrap();
                    of_day.used.minutes += i64::try_from(sum).unwrap();
                }
                of_day.used = DayOfUse { seconds: of_day.used.minutes * 60, ..of_day.used };
                of_days.insert(day, of_day);
            }
            let statement = Statement::of(date(2026, 10, 1), &of_days, now());
            prop_assert_eq!(statement.total(), Sums { calls, minutes, seconds: minutes * 60 });
            prop_assert_eq!((statement.due_of(Meter::Calls), statement.due_of(Meter::Minutes)), (calls, minutes));
            prop_assert_eq!(statement.at_stripe(Meter::Minutes), sent_minutes);
        }
    }
}
