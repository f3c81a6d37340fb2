//! The results as tables, for the terminal and for Markdown.

use std::fmt::Write as _;

use serde::Serialize;

use crate::aws::Counts;
use crate::closing::{Closed, Closing};
use crate::dashboard::SIGN_IN;
use crate::measure::{Effort, Figures, Kind, Measured};
use crate::price::Bill;
use crate::stats::{Spread, grouped};
use crate::targets::Target;

/// Everything that one run found, as it is written to `bench.json`.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The processor and how many of them.
    pub machine: String,
    /// Fresh processes of each subject and delay.
    pub starts: usize,
    /// Warm invocations of each subject and delay.
    pub warm: usize,
    /// The figures.
    pub measured: Vec<Measured>,
    /// The figures of the web form, of the floor and of the peer beside it.
    pub forms: Vec<Measured>,
    /// The figures of the dashboard, and of the floor beside it.
    pub dashboard: Vec<Measured>,
    /// How long a password's check takes by itself, in milliseconds.
    pub password_check: Spread,
    /// The figures of the inbox by what is stored.
    pub inboxes: Vec<Measured>,
    /// The figures of closing a day.
    pub closing: Closing,
    /// The targets.
    pub targets: Vec<Target>,
    /// The bill for a thousand opt-out calls.
    pub bill: Option<Bill>,
    /// What was left out and why.
    pub notes: Vec<String>,
}

impl Report {
    /// Where and how much was measured.
    #[must_use]
    pub fn heading(&self) -> String {
        if self.measured.is_empty() {
            return self.machine.clone();
        }
        format!("{}; {} starts and {} warm invocations of each, in turns", self.machine, self.starts, self.warm)
    }

    /// The effort that these figures took.
    #[must_use]
    pub fn effort(&self) -> Effort {
        Effort { starts: self.starts, warm: self.warm }
    }

    /// All tables, each with its title.
    #[must_use]
    pub fn tables(&self) -> Vec<(String, Table)> {
        let mut tables = vec![
            ("Times in ms; memory and size in MB".to_owned(), times(&self.measured)),
            ("The web form".to_owned(), times(&self.forms)),
            ("The dashboard".to_owned(), self.dashboard_times()),
            ("The inbox by requests stored; AWS answers at once".to_owned(), self.inbox_times()),
            ("Closing a day; AWS answers at once".to_owned(), closings(&self.closing)),
            ("Targets".to_owned(), self.aims()),
        ];
        // What was not measured has no table.
        tables.retain(|(_, table)| !table.rows.is_empty());
        if let Some(bill) = &self.bill {
            let title = format!(
                "1,000 completed opt-out calls: {:.4} USD at list price, {:.4} of it for the {} starts assumed in 1,000 invocations",
                bill.total_usd, bill.starts_usd, bill.starts_per_1000_invocations
            );
            tables.push((title, charges(bill)));
        }
        tables
    }

    fn dashboard_times(&self) -> Table {
        let mut table = times(&self.dashboard);
        if self.dashboard.is_empty() {
            return table;
        }
        // What is bought with it is that stolen hashes cannot be guessed; nothing else of a sign-in takes nearly as long.
        let check = format!("{} / {}", ms(self.password_check.p50), ms(self.password_check.p99));
        let name = "of a password's check, argon2id alone";
        let warm = |header: &String| if header.starts_with("warm") { check.clone() } else { "–".to_owned() };
        let row = [name.to_owned()].into_iter().chain(table.headers.iter().skip(1).map(warm)).collect();
        let behind = self.dashboard.iter().position(|page| page.name == SIGN_IN).map_or(table.rows.len(), |at| at + 1);
        table.rows.insert(behind, row);
        table
    }

    fn inbox_times(&self) -> Table {
        let headers = ["stored", "warm p50 / p99", "of it waiting for the stub", "AWS calls"].map(str::to_owned).into();
        let rows = self.inboxes.iter().filter_map(|inbox| {
            let figures = inbox.at.first()?;
            let waited = figures.warm.p50 - figures.warm_own.p50;
            let warm = format!("{} / {}", ms(figures.warm.p50), ms(figures.warm.p99));
            Some(vec![inbox.name.clone(), warm, ms(waited), calls(&figures.warm_calls)])
        });
        Table { rows: rows.collect(), headers }
    }

    fn aims(&self) -> Table {
        let headers = ["target", "wanted", "measured", ""].map(str::to_owned).into();
        let rows = self.targets.iter().map(|target| {
            let reached = match target.reached {
                Some(true) => "reached",
                Some(false) => "missed",
                None => "open",
            };
            vec![target.what.clone(), target.wanted.clone(), target.got.clone(), reached.to_owned()]
        });
        Table { rows: rows.collect(), headers }
    }

    /// For the README: the same tables, and what they leave out.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!("{}.\n", self.heading());
        for (title, table) in self.tables() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\n**{title}**\n\n{}", table.markdown());
        }
        for note in &self.notes {
            let _ = write!(text, "\n{note}\n");
        }
        text
    }

    /// The subjects of the picture: the floor, our two steps that have peers, and the peers.
    #[must_use]
    pub fn compared(&self) -> Vec<&Measured> {
        let has_peer = |name: &str| {
            self.measured.iter().any(|peer| matches!(&peer.kind, Kind::Peer { step, .. } if step == name))
                || ["voice-answer", "voice-service-code"].contains(&name)
        };
        self.measured.iter().filter(|measured| measured.kind != Kind::Optline || has_peer(&measured.name)).collect()
    }
}

fn closings(closing: &Closing) -> Table {
    let headers = ["", "in all", "each", "processor, each", "memory", "AWS calls", "Stripe calls"];
    let row = |name: String, closed: &Closed| {
        vec![
            name,
            if closed.took_ms < 1000.0 {
                format!("{} ms", ms(closed.took_ms))
            } else {
                format!("{} s", ms(closed.took_ms / 1000.0))
            },
            format!("{} µs", ms(closed.us_each)),
            format!("{} µs", ms(closed.processor_us_each)),
            megabytes(closed.peak_memory_kib),
            calls(&closed.calls),
            closed.stripe_calls.to_string(),
        ]
    };
    let size = |closed: &Closed| grouped(closed.size.into());
    let planner = closing.planner.iter().map(|closed| row(format!("planner, {} tenants", size(closed)), closed));
    let worker =
        closing.worker.iter().map(|closed| row(format!("worker, one tenant's {} calls", size(closed)), closed));
    let sample =
        closing.sample.iter().map(|closed| row(format!("worker, {} tenants' 3 calls each", size(closed)), closed));
    let confirming =
        closing.confirming.iter().map(|closed| row("the same, when Stripe's summaries are read".into(), closed));
    let rows = planner.chain(worker).chain(sample).chain(confirming).collect();
    Table { headers: headers.map(str::to_owned).into(), rows }
}

fn times(measured: &[Measured]) -> Table {
    let mut headers: Vec<String> = ["", "size", "memory"].map(str::to_owned).into();
    for figures in measured.first().map_or(&[] as &[Figures], |first| &first.at) {
        let delay = figures.delay_ms;
        headers.push(format!("start p50 / p95, AWS {delay} ms"));
        headers.push(format!("first, AWS {delay} ms"));
        headers.push(format!("warm p50 / p99, AWS {delay} ms"));
    }
    headers.extend(["AWS calls at start", "AWS calls when warm"].map(str::to_owned));
    let rows = measured.iter().map(|measured| {
        let size = measured.program_bytes.map_or_else(|| "–".to_owned(), |bytes| megabytes(bytes / 1024));
        let mut row = vec![measured.name.clone(), size, megabytes(measured.peak_memory_kib)];
        for figures in &measured.at {
            row.push(format!("{} / {}", ms(figures.start.p50), ms(figures.start.p95)));
            row.push(ms(figures.first.p50));
            row.push(format!("{} / {}", ms(figures.warm.p50), ms(figures.warm.p99)));
        }
        let figures = measured.at.last();
        row.push(figures.map_or_else(String::new, |figures| calls(&figures.start_calls)));
        row.push(figures.map_or_else(String::new, |figures| calls(&figures.warm_calls)));
        row
    });
    Table { rows: rows.collect(), headers }
}

fn charges(bill: &Bill) -> Table {
    let headers = ["charge", "quantity", "USD", "price as of"].map(str::to_owned).into();
    let rows = bill.lines.iter().map(|line| {
        let quantity =
            if line.quantity < 100.0 { format!("{:.2}", line.quantity) } else { format!("{:.0}", line.quantity) };
        vec![line.what.clone(), quantity, format!("{:.4}", line.usd), line.as_of.clone()]
    });
    Table { rows: rows.collect(), headers }
}

/// A table of text.
#[derive(Debug, Clone)]
pub struct Table {
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Columns of equal width, for a terminal; long headers are broken at their comma.
    #[must_use]
    pub fn text(&self) -> String {
        let split = |header: &String| {
            let (upper, lower) = header.split_once(", ").unwrap_or(("", header));
            if upper.is_empty() { (lower.to_owned(), String::new()) } else { (lower.to_owned(), upper.to_owned()) }
        };
        let (upper, lower): (Vec<String>, Vec<String>) = self.headers.iter().map(split).unzip();
        let mut head = vec![upper];
        if lower.iter().any(|cell| !cell.is_empty()) {
            head.push(lower);
        }
        let width = |column: usize| {
            let cells = head.iter().chain(&self.rows).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.headers.len()).map(width).collect();
        let rule = widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>();
        let mut text = String::new();
        for row in head.iter().chain([&rule]).chain(&self.rows) {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            text.push('\n');
        }
        text
    }

    /// The same in Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule = vec!["---".to_owned(); self.headers.len()];
        [line(&self.headers), line(&rule)].into_iter().chain(self.rows.iter().map(|row| line(row))).collect()
    }
}

fn ms(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 1.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

fn megabytes(kib: u64) -> String {
    format!("{:.1}", f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0)
}

fn calls(counts: &Counts) -> String {
    let each = counts.iter().map(|(kind, times)| {
        let operation = kind.split_once(':').map_or(kind.as_str(), |(_, operation)| operation);
        if *times == 1 { operation.to_owned() } else { format!("{times} {operation}") }
    });
    let text = each.collect::<Vec<_>>().join(", ");
    if text.is_empty() { "none".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_its_columns_up() {
        let table = Table {
            headers: vec!["a".into(), "start p50, AWS 5 ms".into()],
            rows: vec![vec!["longer".into(), "1".into()]],
        };
        assert_eq!(table.text(), "a       AWS 5 ms\n        start p50\n──────  ─────────\nlonger  1\n");
        assert_eq!(table.markdown(), "| a | start p50, AWS 5 ms |\n| --- | --- |\n| longer | 1 |\n");
    }

    #[test]
    fn calls_read_as_words() {
        let counts = Counts::from([("dynamodb:GetItem".into(), 2), ("sqs:SendMessage".into(), 1)]);
        assert_eq!(calls(&counts), "2 GetItem, SendMessage");
        assert_eq!(calls(&Counts::new()), "none");
    }
}
