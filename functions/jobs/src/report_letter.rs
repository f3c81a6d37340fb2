//! The mail with a report of numbers. It holds no name, no reference and no number that could be about one person.
//!
//! Mail programs know little of HTML: the bars are cells of a table, beside the number that each stands for.

use std::collections::BTreeSet;

use domain::language::Language;
use domain::report::{Count, Part, Period, Report, SMALLEST_GROUP, Told};
use domain::service_code::ServiceCode;
use domain::user::ReportFrequency;
use maud::{Markup, html};
use pages::{fill, format, words};
use serde::Serialize;

use crate::mail_frame::{self, BUTTON, LINK, SMALL};

/// Cells of a bar in plain text.
const WIDEST: u64 = 20;
const BAR: &str = "#1f8a78";
const LABEL: &str = "padding:6px 12px 6px 0;text-align:left;font-weight:400;vertical-align:top";
const FIGURE: &str = "padding:6px 0 6px 12px;text-align:right;vertical-align:top;font-variant-numeric:tabular-nums";
const HEAD: &str = "padding:6px 0 6px 12px;text-align:right;font-weight:600;font-size:14px;vertical-align:bottom";
const RULE: &str = "border-top:1px solid #8a9693";

/// A report on its way to somebody.
pub(crate) struct Letter<'a> {
    pub(crate) language: Language,
    pub(crate) report: &'a Report,
    pub(crate) frequency: ReportFrequency,
    /// About which service codes; none means all.
    pub(crate) codes: &'a [ServiceCode],
    /// Where the dashboard is.
    pub(crate) dashboard: &'a str,
    /// Where these mails end.
    pub(crate) end: &'a str,
}

/// A line of the table: what, in this period, in the one before.
struct Line {
    label: &'static str,
    now: String,
    before: String,
}

/// A bar of the chart.
struct Bar {
    label: &'static str,
    count: u64,
    /// What there was of it before, as far as it may be said.
    before: Option<u64>,
}

impl Letter<'_> {
    /// The period, and nothing else: it is read on locked screens.
    pub(crate) fn subject(&self) -> String {
        fill(self.texts().subject, &[("period", &self.period(self.report.now.period))])
    }

    /// As plain text.
    pub(crate) fn text(&self) -> String {
        let texts = self.texts();
        let mut lines = vec![self.subject(), self.compared(), String::new()];
        for line in self.lines() {
            let before = match line.before.as_str() {
                "" => String::new(),
                before => format!(" ({}: {before})", texts.before),
            };
            lines.push(format!("{}: {}{before}", line.label, line.now));
        }
        let bars = self.bars();
        if !bars.is_empty() {
            lines.extend([String::new(), format!("{}:", texts.by_kind)]);
        }
        let most = bars.iter().map(|bar| bar.count).max().unwrap_or_default();
        for bar in &bars {
            let length = (bar.count * WIDEST).div_ceil(most.max(1));
            let drawn = "#".repeat(usize::try_from(length).unwrap_or_default());
            lines.push(format!("{drawn} {} {}{}", number(bar.count), bar.label, self.bar_before(bar)));
        }
        lines.extend([String::new(), self.about(), String::new()]);
        lines.push(format!("{}:\n{}", texts.open, self.dashboard));
        lines.push(String::new());
        lines.push(format!("{}:\n{}/account", texts.choose, self.dashboard));
        lines.push(String::new());
        lines.push(format!("{}:\n{}", texts.end, self.end));
        lines.push("\nOptline\n".to_owned());
        lines.join("\n")
    }

    /// As HTML.
    pub(crate) fn html(&self) -> String {
        let texts = self.texts();
        let content = html! {
            h1 style="font-size:22px;line-height:1.3;margin:0 0 4px" { (self.subject()) }
            p style={ (SMALL) ";margin:0 0 20px" } { (self.compared()) }
            (self.table())
            (self.chart())
            p style={ (SMALL) ";margin:20px 0" } { (self.about()) }
            p { a href=(self.dashboard) style=(BUTTON) { (texts.open) } }
            p style=(SMALL) {
                a href={ (self.dashboard) "/account" } style=(LINK) { (texts.choose) }
                " · "
                a href=(self.end) style=(LINK) { (texts.end) }
            }
        };
        mail_frame::page(self.language, &self.subject(), &content)
    }

    fn table(&self) -> Markup {
        let texts = self.texts();
        html! {
            table width="100%" cellpadding="0" cellspacing="0" style="border-collapse:collapse" {
                thead {
                    tr {
                        th style=(LABEL) {}
                        th scope="col" style=(HEAD) { (texts.now) }
                        th scope="col" style=(HEAD) { (texts.earlier) }
                    }
                }
                tbody {
                    @for line in self.lines() {
                        tr style=(RULE) {
                            th scope="row" style=(LABEL) { (line.label) }
                            td style={ (FIGURE) ";font-weight:600" } { (line.now) }
                            td style=(FIGURE) { (line.before) }
                        }
                    }
                }
            }
        }
    }

    fn chart(&self) -> Markup {
        let bars = self.bars();
        let most = bars.iter().map(|bar| bar.count).max().unwrap_or_default().max(1);
        html! {
            @if !bars.is_empty() {
                h2 style="font-size:18px;line-height:1.3;margin:28px 0 8px" { (self.texts().by_kind) }
                table width="100%" cellpadding="0" cellspacing="0" style="border-collapse:collapse" {
                    @for bar in &bars {
                        @let percent = (bar.count * 100).div_ceil(most).clamp(1, 100);
                        tr {
                            th scope="row" style={ (LABEL) ";padding-bottom:0" } { (bar.label) }
                            td style={ (FIGURE) ";padding-bottom:0" } {
                                strong { (number(bar.count)) } span style=(SMALL) { (self.bar_before(bar)) }
                            }
                        }
                        tr {
                            td colspan="2" style="padding:0 0 8px" {
                                table role="presentation" width="100%" cellpadding="0" cellspacing="0" {
                                    tr {
                                        td width={ (percent) "%" } bgcolor=(BAR)
                                            style={ "width:" (percent) "%;height:10px;font-size:0;line-height:10px;\
                                                     border-radius:3px;background:" (BAR) } { "\u{a0}" }
                                        @if percent < 100 {
                                            td width={ (100 - percent) "%" } style="font-size:0;line-height:10px" { "\u{a0}" }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn lines(&self) -> Vec<Line> {
        let (texts, report) = (self.texts(), self.report);
        let line =
            |label, of: &dyn Fn(&Told) -> String| Line { label, now: of(&report.now), before: of(&report.before) };
        vec![
            line(texts.received, &|told| self.count(told.received)),
            line(texts.answered, &|told| self.count(told.answered)),
            line(texts.on_time, &|told| self.on_time(told)),
            Line { label: texts.open_now, now: self.count(report.open), before: String::new() },
            Line { label: texts.overdue_now, now: self.part(report.overdue), before: String::new() },
        ]
    }

    /// The kinds that may be told, those of the period before beside them.
    fn bars(&self) -> Vec<Bar> {
        let Some(now) = &self.report.now.kinds else { return vec![] };
        let before = self.report.before.kinds.clone().unwrap_or_default();
        let kinds: BTreeSet<_> = now.kinds.keys().chain(before.kinds.keys()).collect();
        let mut bars = vec![];
        for kind in kinds {
            // One that is not told this time is among the others, or there was none.
            let Some(count) = now.kinds.get(kind) else { continue };
            let label = words::kind(self.language, *kind);
            bars.push(Bar { label, count: *count, before: before.kinds.get(kind).copied() });
        }
        if now.others > 0 {
            let label = self.texts().others;
            bars.push(Bar { label, count: now.others, before: Some(before.others).filter(|count| *count > 0) });
        }
        bars
    }

    fn bar_before(&self, bar: &Bar) -> String {
        bar.before.map_or_else(String::new, |count| format!(" ({}: {})", self.texts().before, number(count)))
    }

    fn count(&self, count: Count) -> String {
        match count {
            Count::Zero => number(0),
            Count::Few => few(self.texts().few),
            Count::Exactly(count) => number(count),
        }
    }

    fn part(&self, part: Part) -> String {
        let texts = self.texts();
        match part {
            Part::Zero => number(0),
            Part::Few => few(texts.few),
            Part::Some => texts.some.to_owned(),
            Part::Exactly(count) => number(count),
            Part::AllButFew => few(texts.all_but_few),
            Part::All => texts.all.to_owned(),
        }
    }

    fn on_time(&self, told: &Told) -> String {
        match (told.on_time_percent, told.answered) {
            (Some(percent), _) => format!("{percent}%"),
            (None, Count::Zero) => "–".to_owned(),
            (None, _) => self.part(told.on_time),
        }
    }

    fn period(&self, period: Period) -> String {
        let long = |date| format::long_date(self.language, date);
        match self.frequency {
            ReportFrequency::Monthly => format::month(self.language, period.first),
            _ if period.first == period.last => long(period.first),
            _ => fill(self.texts().span, &[("first", &long(period.first)), ("last", &long(period.last))]),
        }
    }

    fn compared(&self) -> String {
        fill(self.texts().compared, &[("period", &self.period(self.report.before.period))])
    }

    /// What the numbers are of, and what is held back.
    fn about(&self) -> String {
        let texts = self.texts();
        let of = if self.codes.is_empty() {
            texts.all_codes.to_owned()
        } else {
            let codes: Vec<&str> = self.codes.iter().map(ServiceCode::as_str).collect();
            fill(texts.some_codes, &[("codes", &format::list(self.language, &codes))])
        };
        format!("{of} {}", few(texts.held_back))
    }

    fn texts(&self) -> &'static Texts {
        match self.language {
            Language::English => &Texts::EN,
            Language::Spanish => &Texts::ES,
        }
    }
}

fn few(text: &str) -> String {
    fill(text, &[("n", &number(SMALLEST_GROUP))])
}

fn number(count: u64) -> String {
    format::number(count)
}

#[derive(Serialize)]
struct Texts {
    subject: &'static str,
    span: &'static str,
    compared: &'static str,
    now: &'static str,
    earlier: &'static str,
    before: &'static str,
    received: &'static str,
    answered: &'static str,
    on_time: &'static str,
    open_now: &'static str,
    overdue_now: &'static str,
    by_kind: &'static str,
    others: &'static str,
    few: &'static str,
    some: &'static str,
    all: &'static str,
    all_but_few: &'static str,
    all_codes: &'static str,
    some_codes: &'static str,
    held_back: &'static str,
    open: &'static str,
    choose: &'static str,
    end: &'static str,
}

impl Texts {
    const EN: Self = Self {
        subject: "Optline report: {period}",
        span: "{first} to {last}",
        compared: "Compared with {period}.",
        now: "This time",
        earlier: "Before",
        before: "before",
        received: "Requests received",
        answered: "Requests answered",
        on_time: "Answered on time",
        open_now: "Open now",
        overdue_now: "Overdue now",
        by_kind: "Received, by kind",
        others: "Other kinds",
        few: "fewer than {n}",
        some: "some",
        all: "all of them",
        all_but_few: "all but fewer than {n}",
        all_codes: "The numbers are of all your service codes.",
        some_codes: "The numbers are of these service codes: {codes}.",
        held_back: "Fewer than {n} requests are not told as a number, and small kinds are counted together: no number here \
                    can be about one person.",
        open: "Open the dashboard",
        choose: "Choose when reports come",
        end: "Stop these reports",
    };
    const ES: Self = Self {
        subject: "Informe de Optline: {period}",
        span: "del {first} al {last}",
        compared: "En comparación: {period}.",
        now: "Esta vez",
        earlier: "Antes",
        before: "antes",
        received: "Solicitudes recibidas",
        answered: "Solicitudes respondidas",
        on_time: "Respondidas a tiempo",
        open_now: "Abiertas ahora",
        overdue_now: "Vencidas ahora",
        by_kind: "Recibidas, por tipo",
        others: "Otros tipos",
        few: "menos de {n}",
        some: "algunas",
        all: "todas",
        all_but_few: "todas menos un número inferior a {n}",
        all_codes: "Las cifras son de todos sus códigos de servicio.",
        some_codes: "Las cifras son de estos códigos de servicio: {codes}.",
        held_back: "Menos de {n} solicitudes no se dicen como cifra, y los tipos pequeños se cuentan juntos: ninguna cifra \
                    puede tratar de una sola persona.",
        open: "Abrir el panel",
        choose: "Elegir cuándo llegan los informes",
        end: "No recibir más estos informes",
    };
}

#[cfg(test)]
mod tests {
    use domain::jurisdiction::Jurisdiction;
    use domain::metrics::{Bucket, Change, Counter, Facts};
    use domain::request::{Channel, Kind, State};
    use jiff::ToSpan;
    use jiff::civil::date;

    use super::*;

    fn report(frequency: ReportFrequency, counts: &[(Kind, i64)]) -> Report {
        let period = Period::of(frequency, date(2027, 2, 1)).unwrap();
        let (last, earlier) = (period.last, period.before().last);
        let day = Bucket::Received(last);
        let mut counters: Vec<_> = counts.iter().map(|(kind, count)| (day, Counter::Kind(*kind), *count)).collect();
        counters.push((Bucket::Received(earlier), Counter::Kind(Kind::Delete), 1234));
        counters.push((Bucket::Closed(last), Counter::OnTime(Kind::Delete), 37));
        counters.push((Bucket::Closed(last), Counter::Late(Kind::Delete), 5));
        counters.push((Bucket::Closed(earlier), Counter::OnTime(Kind::Delete), 3));
        counters.push((Bucket::Due(last + 9.days()), Counter::Kind(Kind::Delete), 60));
        counters.push((Bucket::Due(last - 1.day()), Counter::Kind(Kind::Limit), 2));
        Report::new(period, period.last + 1.day(), &[], counters)
    }

    fn letter(language: Language, frequency: ReportFrequency, report: &Report) -> Letter<'_> {
        Letter {
            language,
            report,
            frequency,
            codes: &[],
            dashboard: "https://hotline.example/dashboard",
            end: "https://hotline.example/dashboard/unsubscribe/ticket",
        }
    }

    const COUNTS: [(Kind, i64); 5] =
        [(Kind::OptOut, 1480), (Kind::Delete, 37), (Kind::KnowSpecific, 12), (Kind::Correct, 3), (Kind::Limit, 4)];

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn a_report_in_english_and_in_spanish() {
        let weekly = report(ReportFrequency::Weekly, &COUNTS);
        insta::assert_snapshot!(letter(Language::English, ReportFrequency::Weekly, &weekly).text());
        let html = letter(Language::English, ReportFrequency::Weekly, &weekly).html();
        insta::assert_snapshot!(html.replace("><", ">\n<"));
        let monthly = report(ReportFrequency::Monthly, &COUNTS);
        insta::assert_snapshot!(letter(Language::Spanish, ReportFrequency::Monthly, &monthly).text());
        let html = letter(Language::Spanish, ReportFrequency::Monthly, &monthly).html();
        insta::assert_snapshot!(html.replace("><", ">\n<"));
    }

    #[test]
    fn a_day_with_next_to_nothing_shows_no_number_that_is_small() {
        let quiet = report(ReportFrequency::Daily, &[(Kind::Delete, 1), (Kind::OptOut, 2)]);
        let codes = [ServiceCode::parse("12").unwrap(), ServiceCode::parse("13").unwrap()];
        let letter = Letter { codes: &codes, ..letter(Language::English, ReportFrequency::Daily, &quiet) };
        insta::assert_snapshot!(letter.text());
    }

    /// Counters are all that a report is given; that none of the records' own words get there is tried on the local cloud.
    #[test]
    fn a_report_says_nothing_of_where_people_live_and_how_they_asked_and_no_small_number() {
        let on = date(2027, 1, 27);
        let mut counters = vec![];
        for n in 0..40 {
            let facts = Facts {
                kind: Kind::ALL[n % 7],
                state: State::Received,
                channel: Channel::Phone,
                code: ServiceCode::parse("12").unwrap(),
                received_on: on,
                respond_by: on + 45.days(),
                confirm_by: None,
                closed_on: None,
                outcome: None,
                // Even where a person lives is no part of it.
                ground: None,
                residence: Some(Jurisdiction::UsCa),
            };
            let change = Change { before: None, after: Some(facts) };
            counters.extend(change.deltas().into_iter().map(|delta| (delta.bucket, delta.counter, delta.by)));
        }
        for (frequency, of) in [(ReportFrequency::Daily, on + 1.day()), (ReportFrequency::Weekly, date(2027, 2, 1))] {
            let report = Report::new(Period::of(frequency, of).unwrap(), of, &[], counters.clone());
            for language in Language::ALL {
                let letter = letter(language, frequency, &report);
                let said = [letter.subject(), letter.text(), letter.html()].join("\n");
                assert!(said.contains("40"), "{said}");
                for personal in ["California", "us-ca", "phone"] {
                    assert!(!said.contains(personal), "{personal}: {said}");
                }
                // Dates and the threshold aside, no number is small.
                let figures = letter.lines().into_iter().flat_map(|line| [line.now, line.before]);
                let bars = letter.bars().into_iter().flat_map(|bar| [Some(bar.count), bar.before]).flatten();
                let numbers = figures.filter_map(|figure| figure.parse().ok()).chain(bars);
                for number in numbers {
                    assert!(number == 0 || number >= SMALLEST_GROUP, "{number}");
                }
            }
        }
    }
}
