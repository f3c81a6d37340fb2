//! Charts as SVG, each with the table it was drawn from behind it.
//!
//! Sizes are percentages of the figure's width, so that words keep their size on every screen. No chart needs its
//! colours: bars and lines carry their own labels, and stacked columns have patterns.

use std::fmt::Write as _;

use domain::language::Language;
use maud::{Markup, PreEscaped, Render, html};
use serde::Serialize;

use crate::format;
use crate::show::Table;
use crate::texts::fill;

/// A named row of values in [`stacked`], one for each label.
#[derive(Debug, Clone)]
pub struct Series {
    /// What it is called.
    pub name: String,
    /// Its values, in the order of the labels; what is missing counts as 0.
    pub values: Vec<u64>,
}

/// Horizontal bars, one for each thing that is counted. `id` must be the page's only one.
#[must_use]
pub fn bars(language: Language, id: &str, title: &str, counted: &str, rows: &[(String, u64)]) -> Markup {
    let most = rows.iter().map(|(_, n)| *n).max().unwrap_or(0);
    let height = rows.len() * 44;
    let shapes = html! {
        @for (index, (label, n)) in rows.iter().enumerate() {
            @let y = index * 44;
            text.chart-label x="0" y=(y + 16) { (label) }
            text.chart-value x="100%" y=(y + 16) text-anchor="end" { (format::number(*n)) }
            rect.chart-track x="0" y=(y + 24) width="100%" height="10" rx="5" {}
            @if *n > 0 { rect.chart-bar x="0" y=(y + 24) width=(share(*n, most)) height="10" rx="5" {} }
        }
    };
    let table = rows
        .iter()
        .fold(Table::new(title).dense().column(Texts::of(language).what).numbers(counted), |table, (label, n)| {
            table.row(vec![html! { (label) }, html! { (format::number(*n)) }])
        });
    let drawing = Drawing { height, key: None, shapes, table };
    figure(language, id, title, &describe(language, rows), (!rows.is_empty()).then_some(&drawing))
}

/// Columns over time, each of several parts that are told apart by pattern. `id` must be the page's only one.
///
/// There are four patterns; a fifth series looks like the first again, so put the rest together before that.
#[must_use]
pub fn stacked(language: Language, id: &str, title: &str, labels: &[String], series: &[Series]) -> Markup {
    let value = |series: &Series, index: usize| series.values.get(index).copied().unwrap_or(0);
    let totals: Vec<u64> = (0..labels.len())
        .map(|index| series.iter().fold(0_u64, |sum, series| sum.saturating_add(value(series, index))))
        .collect();
    let most = totals.iter().copied().max().unwrap_or(0);
    let top = round_up(most);
    let slots = labels.len().max(1);
    let shapes = html! {
        (patterns(id, series.len()))
        (grid_lines(top))
        @for (index, label) in labels.iter().enumerate() {
            @let left = thousandths(index, slots);
            @let width = thousandths(index + 1, slots) - left;
            @let (x, wide) = (percent(left + width * 14 / 100), percent(width * 72 / 100));
            @for (which, (base, n)) in piled(series.iter().map(|series| value(series, index))).enumerate() {
                @let (bottom, head) = (pixels(base, top), pixels(base.saturating_add(n), top));
                @if n > 0 {
                    rect.chart-part x=(x) y=(PLOT_TOP + PLOT - head) width=(wide) height=((head - bottom).max(1))
                        fill={ "url(#" (id) "-p" (which % 4) ")" } {}
                }
            }
            @if shown(index, labels.len()) { (axis_label(left, width, label, index, labels.len())) }
        }
        line.chart-axis x1="0" x2="100%" y1=(PLOT_TOP + PLOT) y2=(PLOT_TOP + PLOT) {}
    };
    let mut table = Table::new(title).dense().column(Texts::of(language).when);
    for one in series {
        table = table.numbers(one.name.as_str());
    }
    let table = labels.iter().enumerate().fold(table, |table, (index, label)| {
        let mut cells = vec![html! { (label) }];
        cells.extend(series.iter().map(|series| html! { (format::number(value(series, index))) }));
        table.row(cells)
    });
    let rows: Vec<(String, u64)> = labels.iter().cloned().zip(totals).collect();
    let has_data = !labels.is_empty() && !series.is_empty();
    let drawing = Drawing { height: PLOT_TOP + PLOT + 24, key: Some(legend(id, series)), shapes, table };
    figure(language, id, title, &describe(language, &rows), has_data.then_some(&drawing))
}

/// A line over time with the area under it; its last value is written beside it. `id` must be the page's only one.
#[must_use]
pub fn line(language: Language, id: &str, title: &str, counted: &str, rows: &[(String, u64)]) -> Markup {
    let most = rows.iter().map(|(_, n)| *n).max().unwrap_or(0);
    let top = round_up(most);
    let slots = rows.len().max(1);
    let last = rows.len().saturating_sub(1);
    let centre = |index: usize| usize::midpoint(thousandths(index, slots), thousandths(index + 1, slots));
    let shapes = html! {
        (path(&rows.iter().enumerate().map(|(index, (_, n))| (centre(index), pixels(*n, top))).collect::<Vec<_>>()))
        (grid_lines(top))
        @for (index, (label, n)) in rows.iter().enumerate() {
            @let (left, width) = (thousandths(index, slots), thousandths(index + 1, slots) - thousandths(index, slots));
            @if rows.len() <= 40 {
                circle.chart-dot cx=(percent(centre(index))) cy=(PLOT_TOP + PLOT - pixels(*n, top)) r="3.5" {}
            }
            @if index == last {
                @let (x, anchor) = if rows.len() > 1 { (1000, "end") } else { (centre(index), "middle") };
                text.chart-value x=(percent(x)) y=((PLOT_TOP + PLOT - pixels(*n, top)).saturating_sub(10))
                    text-anchor=(anchor) { (format::number(*n)) }
            }
            @if shown(index, rows.len()) { (axis_label(left, width, label, index, rows.len())) }
        }
        line.chart-axis x1="0" x2="100%" y1=(PLOT_TOP + PLOT) y2=(PLOT_TOP + PLOT) {}
    };
    let table = rows
        .iter()
        .fold(Table::new(title).dense().column(Texts::of(language).when).numbers(counted), |table, (label, n)| {
            table.row(vec![html! { (label) }, html! { (format::number(*n)) }])
        });
    let drawing = Drawing { height: PLOT_TOP + PLOT + 24, key: None, shapes, table };
    figure(language, id, title, &describe(language, rows), (!rows.is_empty()).then_some(&drawing))
}

/// One figure with what it means, where it leads, and how it went lately.
#[derive(Debug, Clone)]
#[must_use]
pub struct Tile {
    language: Language,
    id: String,
    label: String,
    figure: String,
    note: Option<Markup>,
    href: Option<String>,
    trend: Vec<(String, u64)>,
}

impl Tile {
    /// A figure, written as it is shown. `id` must be the page's only one.
    pub fn new(language: Language, id: impl Into<String>, label: impl Into<String>, figure: impl Into<String>) -> Self {
        Self {
            language,
            id: id.into(),
            label: label.into(),
            figure: figure.into(),
            note: None,
            href: None,
            trend: Vec::new(),
        }
    }

    /// What it means.
    pub fn note(mut self, note: impl Render) -> Self {
        self.note = Some(note.render());
        self
    }

    /// Where what it counts can be seen.
    pub fn to(mut self, href: impl Into<String>) -> Self {
        self.href = Some(href.into());
        self
    }

    /// How it went: drawn as a small line.
    pub fn trend(mut self, trend: Vec<(String, u64)>) -> Self {
        self.trend = trend;
        self
    }
}

impl Render for Tile {
    fn render(&self) -> Markup {
        let texts = Texts::of(self.language);
        let most = self.trend.iter().map(|(_, n)| *n).max().unwrap_or(0);
        let slots = self.trend.len().saturating_sub(1).max(1);
        let points: Vec<(usize, usize)> = self
            .trend
            .iter()
            .enumerate()
            .map(|(index, (_, n))| (thousandths(index, slots), pixels(*n, most) * 34 / PLOT))
            .collect();
        let table = self
            .trend
            .iter()
            .fold(Table::new(&self.label).dense().column(texts.when).numbers(&self.label), |table, (label, n)| {
                table.row(vec![html! { (label) }, html! { (format::number(*n)) }])
            });
        html! {
            div.tile {
                p.tile-label {
                    @if let Some(href) = &self.href { a href=(href) { (self.label) } } @else { (self.label) }
                }
                p.tile-figure.tile-long[self.figure.chars().count() > 7] { (self.figure) }
                @if let Some(note) = &self.note { div.tile-note { (note) } }
                @if self.trend.len() > 1 {
                    figure.spark {
                        svg width="100%" height="40" viewBox="0 0 1000 40" preserveAspectRatio="none" role="img"
                            aria-labelledby={ (self.id) "-t " (self.id) "-d" }
                        {
                            title id={ (self.id) "-t" } { (self.label) }
                            desc id={ (self.id) "-d" } { (describe(self.language, &self.trend)) }
                            polyline.chart-line points=(polyline(&points, 37)) vector-effect="non-scaling-stroke" {}
                        }
                        figcaption.sr { (self.label) }
                        (behind(texts, &table))
                    }
                }
            }
        }
    }
}

/// The height of the drawing between axis and top line, and what is above it.
const PLOT: usize = 160;
const PLOT_TOP: usize = 22;

/// A drawing and what stands around it; `None` when there is nothing to draw.
struct Drawing {
    height: usize,
    key: Option<Markup>,
    shapes: Markup,
    table: Table,
}

fn figure(language: Language, id: &str, title: &str, description: &str, drawing: Option<&Drawing>) -> Markup {
    let texts = Texts::of(language);
    html! {
        figure.chart {
            figcaption { (title) }
            @if let Some(drawing) = drawing {
                @if let Some(key) = &drawing.key { (key) }
                svg width="100%" height=(drawing.height) role="img" aria-labelledby={ (id) "-t " (id) "-d" } {
                    title id={ (id) "-t" } { (title) }
                    desc id={ (id) "-d" } { (description) }
                    (drawing.shapes)
                }
                (behind(texts, &drawing.table))
            } @else {
                p.chart-empty { (texts.nothing) }
            }
        }
    }
}

fn behind(texts: &Texts, table: &Table) -> Markup {
    html! { details.chart-table { summary { (texts.as_table) } (table) } }
}

fn legend(id: &str, series: &[Series]) -> Markup {
    html! {
        ul.chart-key {
            @for (which, series) in series.iter().enumerate() {
                li {
                    svg width="18" height="18" aria-hidden="true" focusable="false" {
                        rect.chart-part x="1" y="1" width="16" height="16" rx="3" fill={ "url(#" (id) "-p" (which % 4) ")" } {}
                    }
                    span { (series.name) }
                }
            }
        }
    }
}

/// Solid, diagonal, dotted and crossed: told apart without colour.
fn patterns(id: &str, count: usize) -> Markup {
    const DRAWN: [&str; 4] = [
        "",
        r#"<path class="p-ink" d="M-2 2 2-2M0 8 8 0M6 10 10 6"/>"#,
        r#"<circle class="p-dot" cx="2" cy="2" r="1.4"/><circle class="p-dot" cx="6" cy="6" r="1.4"/>"#,
        r#"<path class="p-ink" d="M0 4h8"/>"#,
    ];
    html! {
        defs {
            @for (which, drawn) in DRAWN.into_iter().enumerate().take(count) {
                pattern id={ (id) "-p" (which) } width="8" height="8" patternUnits="userSpaceOnUse" {
                    rect class={ "p-ground p-" (which) } width="8" height="8" {}
                    (PreEscaped(drawn))
                }
            }
        }
    }
}

fn grid_lines(top: u64) -> Markup {
    html! {
        @for (part, y) in [(top, PLOT_TOP), (top / 2, PLOT_TOP + PLOT / 2)] {
            @if part > 0 && (part == top || top.is_multiple_of(2)) {
                line.chart-grid x1="0" x2="100%" y1=(y) y2=(y) {}
                text.chart-scale x="0" y=(y - 5) { (format::number(part)) }
            }
        }
    }
}

fn axis_label(left: usize, width: usize, label: &str, index: usize, count: usize) -> Markup {
    let y = PLOT_TOP + PLOT + 18;
    // The outermost labels stay inside the figure.
    let (x, anchor) = match index {
        0 if count > 6 => (0, "start"),
        last if count > 6 && last + 1 == count => (1000, "end"),
        _ => (left + width / 2, "middle"),
    };
    // On a narrow screen there is room for the outermost only.
    let between = index > 0 && index + 1 < count;
    html! { text.chart-scale.chart-between[between] x=(percent(x)) y=(y) text-anchor=(anchor) { (label) } }
}

/// Whether a label has room: all of six, else the first, the last and two between.
const fn shown(index: usize, count: usize) -> bool {
    if count <= 6 {
        return true;
    }
    let last = count - 1;
    index == 0 || index == last || index == last / 3 || index == last * 2 / 3
}

/// A line and the area under it, stretched to the figure's width.
fn path(points: &[(usize, usize)]) -> Markup {
    let (Some((first, _)), Some((last, _))) = (points.first(), points.last()) else { return html! {} };
    let along = polyline(points, PLOT);
    html! {
        svg x="0" y=(PLOT_TOP) width="100%" height=(PLOT) viewBox={ "0 0 1000 " (PLOT) } preserveAspectRatio="none" {
            polygon.chart-area points={ (first) "," (PLOT) " " (along) " " (last) "," (PLOT) } {}
            polyline.chart-line points=(along) vector-effect="non-scaling-stroke" {}
        }
    }
}

fn polyline(points: &[(usize, usize)], height: usize) -> String {
    let mut along = String::new();
    for (x, above) in points {
        // Writing to a String cannot fail.
        let _ = write!(along, "{x},{} ", height.saturating_sub(*above));
    }
    along.truncate(along.trim_end().len());
    along
}

/// Each value with the sum of those before it.
fn piled(values: impl Iterator<Item = u64>) -> impl Iterator<Item = (u64, u64)> {
    values.scan(0_u64, |sum, n| {
        let base = *sum;
        *sum = base.saturating_add(n);
        Some((base, n))
    })
}

/// How high a value stands in the plot.
fn pixels(n: u64, top: u64) -> usize {
    if top == 0 {
        return 0;
    }
    let high = u128::from(n) * PLOT as u128 / u128::from(top);
    usize::try_from(high).unwrap_or(PLOT).min(PLOT)
}

/// The width of a bar, never too thin to be seen.
fn share(n: u64, most: u64) -> String {
    let share = if most == 0 { 0 } else { u128::from(n) * 1000 / u128::from(most) };
    percent(usize::try_from(share).unwrap_or(1000).clamp(8, 1000))
}

const fn thousandths(index: usize, slots: usize) -> usize {
    index * 1000 / slots
}

fn percent(thousandths: usize) -> String {
    match thousandths % 10 {
        0 => format!("{}%", thousandths / 10),
        rest => format!("{}.{rest}%", thousandths / 10),
    }
}

/// The next number that a scale can end with: 1, 2, 4, 5 or 10 times a power of ten.
fn round_up(n: u64) -> u64 {
    let mut unit: u64 = 1;
    loop {
        for step in [1, 2, 4, 5] {
            match unit.checked_mul(step) {
                Some(candidate) if candidate >= n => return candidate,
                Some(_) => {}
                None => return u64::MAX,
            }
        }
        match unit.checked_mul(10) {
            Some(next) => unit = next,
            None => return u64::MAX,
        }
    }
}

fn describe(language: Language, rows: &[(String, u64)]) -> String {
    let texts = Texts::of(language);
    let total = rows.iter().fold(0_u64, |sum, (_, n)| sum.saturating_add(*n));
    match rows.iter().max_by_key(|(_, n)| *n) {
        Some((label, most)) if total > 0 => fill(
            texts.summary,
            &[("total", &format::number(total)), ("label", label), ("most", &format::number(*most))],
        ),
        _ => texts.nothing.to_owned(),
    }
}

#[derive(Serialize)]
pub(crate) struct Texts {
    as_table: &'static str,
    nothing: &'static str,
    summary: &'static str,
    what: &'static str,
    when: &'static str,
}

impl Texts {
    pub(crate) const EN: Self = Self {
        as_table: "Show as a table",
        nothing: "Nothing to show yet.",
        summary: "{total} in all; the most, {most}, for {label}.",
        what: "What",
        when: "When",
    };
    pub(crate) const ES: Self = Self {
        as_table: "Mostrar como tabla",
        nothing: "Todavía no hay nada que mostrar.",
        summary: "{total} en total; lo más alto, {most}, en {label}.",
        what: "Qué",
        when: "Cuándo",
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

    #[test]
    fn a_scale_ends_in_a_round_number_that_holds_everything() {
        assert_eq!([0, 1, 3, 7, 41, 1_001, 5_000].map(round_up), [1, 1, 4, 10, 50, 2_000, 5_000]);
        assert_eq!(round_up(u64::MAX), u64::MAX);
    }

    #[test]
    fn bars_are_in_proportion_and_the_smallest_can_still_be_seen() {
        assert_eq!(share(5, 10), "50%");
        assert_eq!(share(1, u64::MAX), "0.8%");
        assert_eq!(share(u64::MAX, u64::MAX), "100%");
    }

    #[test]
    fn the_first_and_the_last_label_are_always_shown() {
        for count in 1..200 {
            assert!(shown(0, count) && shown(count - 1, count));
            assert!((0..count).filter(|index| shown(*index, count)).count() <= 6);
        }
    }
}
