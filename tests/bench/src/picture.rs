//! The comparison as a picture: start, warm step and memory of the floor, of Optline and of its peers.

use std::fmt::Write as _;

use crate::measure::{Kind, Measured};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 110.0;
const ROW: f64 = 26.0;
const BAR: f64 = 16.0;

/// One figure of every subject.
struct Panel {
    title: &'static str,
    unit: &'static str,
    of: fn(&Measured) -> f64,
}

const PANELS: [Panel; 3] = [
    Panel {
        title: "Start of the process to its first request for an event",
        unit: "ms",
        of: |measured| measured.at.first().map_or(0.0, |figures| figures.start.p50),
    },
    Panel {
        title: "One warm invocation",
        unit: "ms",
        of: |measured| measured.at.first().map_or(0.0, |figures| figures.warm.p50),
    },
    Panel {
        title: "Peak memory",
        unit: "MB",
        of: |measured| f64::from(u32::try_from(measured.peak_memory_kib).unwrap_or(u32::MAX)) / 1024.0,
    },
];

/// An SVG drawing with one bar for each subject and figure, all from nought; readable on light and dark pages.
#[must_use]
pub fn svg(subjects: &[&Measured], caption: &str) -> String {
    let rows = f64::from(u32::try_from(subjects.len()).unwrap_or_default());
    let panel_height = rows * ROW + 52.0;
    let panels = f64::from(u32::try_from(PANELS.len()).unwrap_or_default());
    let height = panels * panel_height + 40.0;
    // Writing to a String cannot fail.
    let mut svg = String::new();
    let _ = writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Start, warm invocation and memory of Optline and its peers" font-family="system-ui, sans-serif" font-size="14">
<style>text{{fill:rgb(34,34,34)}}.quiet{{fill:rgb(85,85,85)}}.floor{{fill:rgb(138,138,138)}}.optline{{fill:rgb(31,111,235)}}.peer{{fill:rgb(210,153,34)}}rect.page{{fill:white}}@media (prefers-color-scheme: dark){{text{{fill:rgb(238,238,238)}}.quiet{{fill:rgb(170,170,170)}}rect.page{{fill:rgb(17,17,17)}}}}</style>
<rect class="page" width="{WIDTH}" height="{height}"/>"#
    );
    for (place, panel) in (0_u32..).zip(&PANELS) {
        let top = f64::from(place) * panel_height;
        let _ = writeln!(svg, r#"<text x="16" y="{:.0}" font-weight="600">{}</text>"#, top + 32.0, panel.title);
        let most = subjects.iter().map(|subject| (panel.of)(subject)).fold(f64::MIN_POSITIVE, f64::max);
        for (row, subject) in (0_u32..).zip(subjects) {
            let (value, y) = ((panel.of)(subject), top + 46.0 + f64::from(row) * ROW);
            let length = ((WIDTH - LEFT - RIGHT) * value / most).max(1.0);
            let class = match subject.kind {
                Kind::Floor => "floor",
                Kind::Optline => "optline",
                Kind::Peer { .. } => "peer",
            };
            let middle = y + BAR - 3.0;
            let _ = writeln!(
                svg,
                r#"<text x="{:.0}" y="{middle:.0}" text-anchor="end">{}</text><rect class="{class}" x="{LEFT}" y="{y:.0}" width="{length:.1}" height="{BAR}" rx="2"/><text x="{:.1}" y="{middle:.0}">{} {}</text>"#,
                LEFT - 10.0,
                escaped(&label(subject)),
                LEFT + length + 8.0,
                shown(value),
                panel.unit,
            );
        }
    }
    let _ = writeln!(
        svg,
        r#"<text class="quiet" x="16" y="{:.0}" font-size="12">{}</text>"#,
        height - 16.0,
        escaped(caption)
    );
    svg.push_str("</svg>\n");
    svg
}

fn label(subject: &Measured) -> String {
    match subject.name.strip_prefix("voice-") {
        Some(step) => format!("Optline {step}"),
        None => subject.name.clone(),
    }
}

fn shown(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 1.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_a_bar_for_every_subject_and_figure() {
        let measured = Measured {
            name: "a & b".into(),
            kind: Kind::Floor,
            program_bytes: None,
            peak_memory_kib: 1024,
            at: Vec::new(),
        };
        let svg = svg(&[&measured, &measured], "here");
        assert_eq!(svg.matches(r#"<rect class="floor""#).count(), 6);
        assert!(svg.contains("a &amp; b") && svg.ends_with("</svg>\n"));
    }
}
