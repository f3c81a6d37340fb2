//! `GET /dashboard/usage?month=2026-11`: calls and minutes of each day of a month.

use std::collections::BTreeMap;

use domain::language::Language;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use pages::form::Button;
use pages::show::{self, Card, Empty, Heading, Table};
use pages::{Frame, Icon, Section, chart, format};
use platform::edge::{Page, Visit};
use platform::session::{Allowed, SeeSettings};
use platform::store::DayOfUse;
use platform::{App, Error};
use serde::Serialize;

/// Shows a month: one read, however many calls it had.
pub async fn handle(app: &App, allowed: Allowed<SeeSettings>, visit: Visit) -> Result<Page, Error> {
    // Calls are accounted for under their day in UTC, as they are billed.
    let today = visit.at.to_zoned(TimeZone::UTC).date();
    let month = chosen(visit.query.get("month"), today);
    let days = app.store.of(&allowed.tenant).month_of_use(month).await?;
    let view = View { month, this_month: today.first_of_month(), days };
    Ok(Page::html(show(&allowed.frame(&visit, Section::Usage), &view)))
}

/// The first of the month that was asked for, or of this one.
fn chosen(month: &str, today: Date) -> Date {
    let asked = format!("{month}-01").parse().ok().filter(|month: &Date| (2026..=today.year()).contains(&month.year()));
    asked.unwrap_or_else(|| today.first_of_month())
}

struct View {
    month: Date,
    this_month: Date,
    days: BTreeMap<Date, DayOfUse>,
}

fn show(frame: &Frame, view: &View) -> Markup {
    let (language, texts) = (frame.language, Texts::of(frame.language));
    let sum = view.days.values().fold(DayOfUse::default(), |sum, day| DayOfUse {
        calls: sum.calls + day.calls,
        seconds: sum.seconds + day.seconds,
        minutes: sum.minutes + day.minutes,
    });
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    let rows = |of: fn(&DayOfUse) -> i64| -> Vec<(String, u64)> {
        let last = if view.month == view.this_month { view.days.keys().next_back().copied() } else { None };
        let last = last.unwrap_or_else(|| view.month.last_of_month());
        view.month
            .series(1.day())
            .take_while(|day| *day <= last)
            .map(|day| (format::date(language, day), count(view.days.get(&day).map_or(0, of))))
            .collect()
    };
    let link = |month: Date| format!("/dashboard/usage?month={:04}-{:02}", month.year(), month.month());
    let earlier = view.month.checked_sub(1.month()).ok().filter(|month| month.year() >= 2026);
    let later = view.month.checked_add(1.month()).ok().filter(|month| *month <= view.this_month);
    let mut table =
        Table::new(texts.by_day).column(texts.day).numbers(texts.calls).numbers(texts.minutes).numbers(texts.lasted);
    for (day, used) in view.days.iter().rev() {
        table = table.row(vec![
            show::day(language, *day),
            html! { (format::number(used.calls)) },
            html! { (format::number(used.minutes)) },
            html! { (format::duration(count(used.seconds))) },
        ]);
    }
    let main = html! {
        (Heading::new(texts.title).lede(texts.lede).actions(html! {
            @if let Some(earlier) = earlier { (Button::secondary(format::month(language, earlier)).to(link(earlier))) }
            @if let Some(later) = later { (Button::secondary(format::month(language, later)).to(link(later))) }
        }))
        h2 { (format::month(language, view.month)) }
        @if table.is_empty() {
            (Empty::new(texts.none, texts.none_why).icon(Icon::Meter))
        } @else {
            (show::grid(&html! {
                (chart::Tile::new(language, "calls", texts.calls, format::number(sum.calls)))
                (chart::Tile::new(language, "minutes", texts.minutes, format::number(sum.minutes)).note(texts.minutes_note))
                (chart::Tile::new(language, "lasted", texts.lasted, format::duration(count(sum.seconds))))
            }))
            (show::panel(
                chart::line(language, "minutes-by-day", texts.minutes_by_day, texts.minutes, &rows(|day| day.minutes)),
            ))
            (Card::new(texts.by_day).body(html! { (table) }))
        }
    };
    pages::page(frame, texts.title, &main)
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    lede: &'static str,
    day: &'static str,
    calls: &'static str,
    minutes: &'static str,
    minutes_note: &'static str,
    lasted: &'static str,
    by_day: &'static str,
    minutes_by_day: &'static str,
    none: &'static str,
    none_why: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Usage",
        lede: "Calls that reached your service codes. Days are counted in UTC, as they are billed.",
        day: "Day",
        calls: "Calls",
        minutes: "Billed minutes",
        minutes_note: "Each started minute of a call counts whole.",
        lasted: "Time on the line",
        by_day: "Day by day",
        minutes_by_day: "Billed minutes by day",
        none: "No calls in this month",
        none_why: "A call is here minutes after it has ended.",
    };
    const ES: Self = Self {
        title: "Uso",
        lede: "Llamadas que llegaron a sus códigos. Los días se cuentan en UTC, como se facturan.",
        day: "Día",
        calls: "Llamadas",
        minutes: "Minutos facturados",
        minutes_note: "Cada minuto empezado de una llamada cuenta entero.",
        lasted: "Tiempo en línea",
        by_day: "Día por día",
        minutes_by_day: "Minutos facturados por día",
        none: "Ninguna llamada en este mes",
        none_why: "Una llamada aparece aquí minutos después de terminar.",
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

    use super::*;
    use crate::setup::tests::{frame, main_of};

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn a_month_that_is_none_is_this_one() {
        let today = date(2026, 11, 22);
        assert_eq!(chosen("2026-03", today), date(2026, 3, 1));
        for wrong in ["", "2026-13", "1999-01", "9999-01", "x", "2026-11-05T", "2026-1"] {
            assert_eq!(chosen(wrong, today), date(2026, 11, 1), "{wrong}");
        }
    }

    #[test]
    fn days_are_summed_and_shown_one_by_one() {
        let day = |calls, seconds, minutes| DayOfUse { calls, seconds, minutes };
        let days = BTreeMap::from([(date(2026, 11, 2), day(3, 400, 8)), (date(2026, 11, 4), day(1000, 61_000, 2000))]);
        let view = View { month: date(2026, 11, 1), this_month: date(2026, 11, 1), days };
        insta::assert_snapshot!(main_of(show(&frame(Language::English, Section::Usage), &view)));
    }

    #[test]
    fn a_month_without_calls_says_so() {
        let view = View { month: date(2026, 3, 1), this_month: date(2026, 11, 1), days: BTreeMap::new() };
        let text = main_of(show(&frame(Language::Spanish, Section::Usage), &view));
        assert!(text.contains("Ninguna llamada") && text.contains("month=2026-04"), "{text}");
    }
}
