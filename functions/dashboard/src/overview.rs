//! `dashboard-overview`: what is open, what is due, how it goes. From counts, never from the requests one by one.

use std::collections::BTreeMap;

use domain::closure::Closure;
use domain::language::Language;
use domain::metrics::{Bucket, Counter};
use domain::request::Kind;
use domain::role::Permission;
use domain::user::UserId;
use jiff::ToSpan;
use jiff::civil::Date;
use maud::{Markup, html};
use pages::chart::{self, Series, Tile};
use pages::form::Button;
use pages::show::{self, Card, Empty, Heading};
use pages::{Frame, Icon, Section, fill, format, words};
use platform::edge::{Page, Visit};
use platform::session::{Allowed, SeeRequests};
use platform::store::{Line, Tallies, week_of};
use platform::{App, Error};

use crate::closed;
use crate::desk_texts::Texts;
use crate::requests::lines_table;

/// Weeks of the chart, the one that runs included.
const WEEKS: i64 = 12;
/// A quarter: what the rate of answers in time looks back on, in weeks.
const LOOKS_BACK: i64 = 13;
const DEADLINES: i32 = 10;

/// Shows it.
pub async fn handle(app: &App, allowed: Allowed<SeeRequests>, visit: Visit) -> Result<Page, Error> {
    let today = visit.at.to_zoned(allowed.tz()).date();
    let store = app.store.of(&allowed.tenant);
    // The counts of weeks lie before those of due dates, so that one query reads both.
    let first = week_of(today - (LOOKS_BACK * 7).days()).unwrap_or_default();
    let tallies = store.tallies(&first, "due#~").await?;
    let lines = store.next_deadlines(DEADLINES).await?;
    let profile = store.profile().await?;
    let overview = Overview {
        figures: Figures::of(&tallies, today),
        closure: &profile.closure,
        lines: &lines,
        user: &allowed.user,
        today,
        works: allowed.role.may(Permission::WorkRequests),
    };
    Ok(Page::html(overview.render(&allowed.frame(&visit, Section::Overview))))
}

/// What the counts say.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    open: u64,
    overdue: u64,
    /// Due today or within so many days.
    within: [(i32, u64); 3],
    kinds: BTreeMap<Kind, u64>,
    /// What was received in each week, by kind, the oldest week first.
    weeks: Vec<(Date, BTreeMap<Kind, u64>)>,
    on_time: u64,
    answered: u64,
}

impl Figures {
    fn of(tallies: &Tallies, today: Date) -> Self {
        let mut figures = Self { within: [(2, 0), (5, 0), (10, 0)], ..Self::default() };
        let monday = today - i64::from(today.weekday().to_monday_zero_offset()).days();
        figures.weeks = (0..WEEKS).rev().map(|back| (monday - (back * 7).days(), BTreeMap::new())).collect();
        for (name, counters) in tallies {
            // A counter can be below zero for a moment, while changes are still being counted.
            let counters = counters.iter().filter_map(|(name, n)| Some((name, u64::try_from(*n).ok()?)));
            if let Some(Bucket::Due(day)) = Bucket::parse(name) {
                let days = domain::clock::days_left(today, day);
                for (name, n) in counters {
                    let Some(Counter::Kind(kind)) = Counter::parse(name) else { continue };
                    figures.open += n;
                    *figures.kinds.entry(kind).or_default() += n;
                    if days < 0 {
                        figures.overdue += n;
                    }
                    for (most, sum) in &mut figures.within {
                        if (0..=*most).contains(&days) {
                            *sum += n;
                        }
                    }
                }
            } else if let Some(monday) = name.strip_prefix("dealt#").and_then(|day| day.parse::<Date>().ok()) {
                for (name, n) in counters {
                    match name.split_once('.') {
                        Some(("received", counter)) => {
                            let Some(Counter::Kind(kind)) = Counter::parse(counter) else { continue };
                            if let Some((_, kinds)) = figures.weeks.iter_mut().find(|(week, _)| *week == monday) {
                                *kinds.entry(kind).or_default() += n;
                            }
                        }
                        Some(("closed", counter)) => match Counter::parse(counter) {
                            Some(Counter::OnTime(_)) => {
                                figures.on_time += n;
                                figures.answered += n;
                            }
                            Some(Counter::Late(_)) => figures.answered += n,
                            _ => {}
                        },
                        _ => {}
                    }
                }
            }
        }
        figures
    }
}

struct Overview<'a> {
    figures: Figures,
    closure: &'a Closure,
    lines: &'a [Line],
    user: &'a UserId,
    today: Date,
    works: bool,
}

impl Overview<'_> {
    fn render(&self, frame: &Frame) -> Markup {
        let texts = Texts::of(frame.language);
        let heading = Heading::new(texts.overview).lede(texts.overview_lede).actions(html! {
            @if self.works { (Button::primary(texts.new_request).icon(Icon::Plus).to("/dashboard/new-request")) }
        });
        let main = html! {
            (heading)
            (closed::banner(frame.language, self.closure))
            (show::grid(self.tiles(frame.language)))
            (self.deadlines(frame.language))
            (show::grid(html! {
                (show::panel(self.kinds(frame.language)))
                (show::panel(self.volume(frame.language)))
            }))
        };
        pages::page(frame, texts.overview, &main)
    }

    fn tiles(&self, language: Language) -> Markup {
        let texts = Texts::of(language);
        let figures = &self.figures;
        let tile = |id: &str, label: &str, n: u64| Tile::new(language, id, label, format::number(n));
        let note = if figures.answered == 0 {
            texts.on_time_none.to_owned()
        } else {
            let (on_time, all) = (format::number(figures.on_time), format::number(figures.answered));
            fill(texts.on_time_note, &[("on_time", &on_time), ("all", &all)])
        };
        html! {
            (tile("open", texts.tile_open, figures.open).to("/dashboard/requests"))
            (tile("overdue", texts.tile_overdue, figures.overdue).to("/dashboard/requests?overdue=on"))
            @for (days, n) in figures.within {
                (tile(&format!("within-{days}"), &fill(texts.tile_within, &[("n", &days.to_string())]), n))
            }
            (Tile::new(language, "on-time", texts.tile_on_time, format::percent(figures.on_time, figures.answered))
                .note(html! { p { (note) } }))
        }
    }

    fn deadlines(&self, language: Language) -> Markup {
        let texts = Texts::of(language);
        let card = Card::plain(texts.next_deadlines);
        let card = if self.lines.is_empty() {
            card.body(Empty::new(texts.nothing_open, texts.nothing_open_text))
        } else {
            card.actions(html! { a href="/dashboard/requests" { (texts.all_requests) } })
                .body(lines_table(language, self.lines, self.user, self.today, None))
        };
        html! { (card) }
    }

    fn kinds(&self, language: Language) -> Markup {
        let texts = Texts::of(language);
        let count = |kind: &Kind| self.figures.kinds.get(kind).copied().unwrap_or_default();
        let rows: Vec<(String, u64)> =
            Kind::ALL.iter().map(|kind| (words::kind(language, *kind).to_owned(), count(kind))).collect();
        let rows = if self.figures.open == 0 { vec![] } else { rows };
        chart::bars(language, "kinds", texts.chart_kinds, texts.requests_counted, &rows)
    }

    fn volume(&self, language: Language) -> Markup {
        let texts = Texts::of(language);
        let together: [(&str, &[Kind]); 4] = [
            (texts.series_opt_out, &[Kind::OptOut, Kind::Limit]),
            (words::kind(language, Kind::Delete), &[Kind::Delete]),
            (texts.series_know, &[Kind::KnowCategories, Kind::KnowSpecific, Kind::Correct]),
            (words::kind(language, Kind::Message), &[Kind::Message]),
        ];
        let labels: Vec<String> =
            self.figures.weeks.iter().map(|(monday, _)| format::date(language, *monday)).collect();
        let series: Vec<Series> = together
            .into_iter()
            .map(|(name, kinds)| Series {
                name: name.to_owned(),
                values: self
                    .figures
                    .weeks
                    .iter()
                    .map(|(_, of)| kinds.iter().filter_map(|kind| of.get(kind)).sum())
                    .collect(),
            })
            .collect();
        chart::stacked(language, "volume", texts.chart_volume, &labels, &series)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn tallies(buckets: &[(&str, &[(&str, i64)])]) -> Tallies {
        buckets
            .iter()
            .map(|(bucket, counters)| {
                ((*bucket).to_owned(), counters.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect())
            })
            .collect()
    }

    #[test]
    fn counts_become_figures() {
        let tallies = tallies(&[
            ("due#2026-11-19", &[("kind.delete", 2), ("state.received", 2)]),
            ("due#2026-11-20", &[("kind.opt-out", 1)]),
            ("due#2026-11-25", &[("kind.delete", 3)]),
            ("due#2027-01-04", &[("kind.correct", 4), ("kind.delete", -1)]),
            (
                "dealt#2026-11-16",
                &[("received.kind.delete", 5), ("received.channel.phone", 5), ("closed.on-time.delete", 9)],
            ),
            ("dealt#2026-08-31", &[("received.kind.limit", 1), ("closed.late.limit", 1)]),
            ("dealt#2026-08-24", &[("closed.on-time.limit", 2)]),
        ]);
        let figures = Figures::of(&tallies, date(2026, 11, 20));
        assert_eq!((figures.open, figures.overdue), (10, 2));
        assert_eq!(figures.within, [(2, 1), (5, 4), (10, 4)]);
        assert_eq!(figures.kinds, BTreeMap::from([(Kind::OptOut, 1), (Kind::Delete, 5), (Kind::Correct, 4)]));
        assert_eq!((figures.on_time, figures.answered), (11, 12));
        assert_eq!(figures.weeks.len(), 12);
        assert_eq!(figures.weeks[0], (date(2026, 8, 31), BTreeMap::from([(Kind::Limit, 1)])));
        assert_eq!(figures.weeks[11], (date(2026, 11, 16), BTreeMap::from([(Kind::Delete, 5)])));
    }

    #[test]
    fn the_weeks_lie_before_the_due_dates_and_nothing_else_between() {
        let first = week_of(date(2026, 11, 20)).unwrap();
        let between = |name: String| *first <= *name && *name <= *"due#~";
        assert!(between(Bucket::Due(date(2026, 1, 1)).to_string()));
        let other = [Bucket::Year(2026), Bucket::Received(date(2026, 11, 20)), Bucket::Closed(date(2026, 11, 20))];
        assert!(other.iter().all(|bucket| !between(bucket.to_string())));
    }
}
