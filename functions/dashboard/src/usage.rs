//! `GET /dashboard/usage?month=2026-11`: calls and minutes of each day of a month, and how each gets to the bill.
//!
//! The day's sums, its batches and what the nightly comparison found lie together, so a month is one read.

use std::collections::BTreeMap;

use domain::billing::{Batch, Meter, Standing, Step, standing};
use domain::language::Language;
use domain::role::{Permission, Role};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use maud::{Markup, html};
use pages::form::Button;
use pages::show::{self, Card, Empty, Heading, Notice, Table};
use pages::{Frame, Icon, Section, chart, fill, format, plural};
use platform::edge::{Page, Visit};
use platform::session::{Allowed, SeeSettings};
use platform::store::{DayOfBilling, DayOfUse};
use platform::{App, Error};
use serde::Serialize;

use crate::billing_texts as billing;
use crate::settlement;

/// Shows a month: two reads, however many calls it had.
pub async fn handle(app: &App, allowed: Allowed<SeeSettings>, visit: Visit) -> Result<Page, Error> {
    // Calls are accounted for under their day in UTC, as they are billed.
    let today = visit.at.to_zoned(TimeZone::UTC).date();
    let month = chosen(visit.query.get("month"), today);
    let store = app.store.of(&allowed.tenant);
    let days = store.month_of_billing(month).await?;
    let customer = store.billing_account().await?.stripe_customer.is_some();
    let view = View {
        month,
        this_month: today.first_of_month(),
        now: visit.at,
        days,
        customer,
        role: allowed.role,
        settled: visit.query.get("done") == "settled",
    };
    Ok(Page::html(show(&allowed.frame(&visit, Section::Usage), &view)))
}

/// The first of the month that was asked for, or of this one.
pub(crate) fn chosen(month: &str, today: Date) -> Date {
    let asked = format!("{month}-01").parse().ok().filter(|month: &Date| (2026..=today.year()).contains(&month.year()));
    asked.unwrap_or_else(|| today.first_of_month())
}

/// How a month is written in an address: `2026-11`.
pub(crate) fn code_of(month: Date) -> String {
    format!("{:04}-{:02}", month.year(), month.month())
}

struct View {
    month: Date,
    this_month: Date,
    now: Timestamp,
    days: BTreeMap<Date, DayOfBilling>,
    customer: bool,
    role: Role,
    settled: bool,
}

/// Where a day stands.
pub(crate) fn standing_of(day: Date, of_day: &DayOfBilling, now: Timestamp) -> Standing {
    standing(day, of_day.unprocessed() > 0, &of_day.batches, now)
}

fn show(frame: &Frame, view: &View) -> Markup {
    let (language, texts) = (frame.language, Texts::of(frame.language));
    let sum = view.days.values().fold(DayOfUse::default(), |sum, day| DayOfUse {
        calls: sum.calls + day.used.calls,
        seconds: sum.seconds + day.used.seconds,
        minutes: sum.minutes + day.used.minutes,
    });
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    let rows = |of: fn(&DayOfUse) -> i64| -> Vec<(String, u64)> {
        let last = if view.month == view.this_month { view.days.keys().next_back().copied() } else { None };
        let last = last.unwrap_or_else(|| view.month.last_of_month());
        view.month
            .series(1.day())
            .take_while(|day| *day <= last)
            .map(|day| (format::date(language, day), count(view.days.get(&day).map_or(0, |day| of(&day.used)))))
            .collect()
    };
    let link = |month: Date| format!("/dashboard/usage?month={}", code_of(month));
    let earlier = view.month.checked_sub(1.month()).ok().filter(|month| month.year() >= 2026);
    let later = view.month.checked_add(1.month()).ok().filter(|month| *month <= view.this_month);
    let mut table = Table::new(texts.by_day)
        .column(texts.day)
        .numbers(texts.calls)
        .numbers(texts.minutes)
        .numbers(texts.lasted)
        .column(texts.billing);
    for (day, of_day) in view.days.iter().rev() {
        table = table.row(vec![
            show::day(language, *day),
            html! { (format::number(of_day.used.calls)) },
            html! { (format::number(of_day.used.minutes)) },
            html! { (format::duration(count(of_day.used.seconds))) },
            billing::badge(billing::Texts::of(language), standing_of(*day, of_day, view.now)),
        ]);
    }
    let main = html! {
        (Heading::new(texts.title).lede(texts.lede).actions(html! {
            @if let Some(earlier) = earlier { (Button::secondary(format::month_title(language, earlier)).to(link(earlier))) }
            @if let Some(later) = later { (Button::secondary(format::month_title(language, later)).to(link(later))) }
        }))
        @if view.settled { (Notice::success(texts.was_settled)) }
        @if !view.customer { (Notice::info(texts.no_customer).body(html! { p { (texts.no_customer_why) } })) }
        (attention(texts, view))
        h2 { (format::month_title(language, view.month)) }
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
            (Card::new(texts.by_day).lede(texts.by_day_why).actions(html! { @if view.role.may(Permission::ExportReports) {
                @for (format, name) in [("pdf", texts.pdf), ("csv", texts.csv)] {
                    (Button::secondary(name)
                        .download(format!("/dashboard/statement?month={}&format={format}", code_of(view.month))))
                }
            } }).body(html! { (table) }))
            @if view.days.values().any(|of_day| !of_day.batches.is_empty() || of_day.check.is_some()) {
                (Card::new(texts.how).lede(texts.how_why).body(show::stack(&html! {
                    @for (day, of_day) in view.days.iter().rev() { (on_the_bill(language, texts, view, *day, of_day)) }
                })))
            }
        }
    };
    pages::page(frame, texts.title, &main)
}

/// What somebody must look at, before everything else.
fn attention(texts: &Texts, view: &View) -> Markup {
    let stands = |wanted: Standing| {
        let days = view.days.iter().filter(|(day, of_day)| standing_of(**day, of_day, view.now) == wanted);
        u64::try_from(days.count()).unwrap_or(u64::MAX)
    };
    let (decide, overdue, expired) =
        (stands(Standing::NeedsAPerson), stands(Standing::Overdue), stands(Standing::Expired));
    let days = |n: u64, one: &'static str, more: &'static str| fill(plural(n, one, more), &[("n", &n.to_string())]);
    html! {
        @if decide > 0 {
            (Notice::warning(days(decide, texts.decide_one, texts.decide)).body(html! { p {
                @if view.role.may(Permission::SettleUsage) { (texts.decide_why) } @else { (texts.owner_decides) }
            } }))
        }
        @if overdue > 0 { (Notice::warning(days(overdue, texts.overdue_one, texts.overdue))) }
        @if expired > 0 { (Notice::danger(days(expired, texts.expired_one, texts.expired))) }
    }
}

/// How a day gets to the bill, for whoever wants to know: with which events, and what a comparison found.
fn on_the_bill(language: Language, texts: &Texts, view: &View, day: Date, of_day: &DayOfBilling) -> Markup {
    let words = billing::Texts::of(language);
    let stands = standing_of(day, of_day, view.now);
    let unprocessed = of_day.unprocessed();
    let found = of_day.check.as_ref().map(|check| billing::found(words, check)).unwrap_or_default();
    let differs = of_day.check.as_ref().is_some_and(|check| !check.differences.is_empty());
    let look = differs || matches!(stands, Standing::NeedsAPerson | Standing::Expired);
    html! {
        @if !of_day.batches.is_empty() || of_day.check.is_some() {
            @let summary = format!("{}: {}", format::date(language, day), billing::standing_of(words, stands));
            (show::disclosure(&summary, look, &html! {
                @for batch in &of_day.batches { (batch_of(language, texts, view, batch)) }
                @if unprocessed > 0 && stands != Standing::Running {
                    @let n = format::number(i128::from(unprocessed));
                    p { (fill(plural(unprocessed, texts.waiting_one, texts.waiting), &[("n", &n)])) }
                }
                @for sentence in &found { p { (sentence) } }
                @if let Some(check) = &of_day.check { p.note { (billing::compared(language, words, check)) } }
            }))
        }
    }
}

fn batch_of(language: Language, texts: &Texts, view: &View, batch: &Batch) -> Markup {
    let words = billing::Texts::of(language);
    let counted = batch.content.as_ref().filter(|_| !batch.stale);
    html! {
        p {
            strong { (fill(texts.batch, &[("number", &batch.number.to_string())])) }
            ": "
            @match counted {
                Some(content) => (billing::amount(words, content.calls, content.minutes)),
                None => (texts.being_counted),
            }
        }
        @if !batch.lines.is_empty() {
            dl.facts {
                @for (meter, line) in &batch.lines {
                    div {
                        dt { (billing::meter(words, *meter)) ": " (format::number(i128::from(line.value))) }
                        dd {
                            (billing::event(words, line))
                            p.note { code title=(line.identifier) { (billing::short(&line.identifier)) } }
                            @if view.role.may(Permission::SettleUsage) && batch.step(*meter, view.now) == Step::AskAPerson {
                                (settle_link(texts, batch, *meter))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn settle_link(texts: &Texts, batch: &Batch, meter: Meter) -> Markup {
    let line = settlement::Wanted { day: batch.day, batch: batch.number, meter };
    html! { (Button::secondary(texts.decide_now).about(batch.day.to_string()).to(format!("/dashboard/settlement/{line}"))) }
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
    billing: &'static str,
    by_day: &'static str,
    by_day_why: &'static str,
    minutes_by_day: &'static str,
    how: &'static str,
    how_why: &'static str,
    batch: &'static str,
    being_counted: &'static str,
    waiting_one: &'static str,
    waiting: &'static str,
    decide_now: &'static str,
    decide_one: &'static str,
    decide: &'static str,
    decide_why: &'static str,
    owner_decides: &'static str,
    overdue_one: &'static str,
    overdue: &'static str,
    expired_one: &'static str,
    expired: &'static str,
    was_settled: &'static str,
    no_customer: &'static str,
    no_customer_why: &'static str,
    pdf: &'static str,
    csv: &'static str,
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
        billing: "Billing",
        by_day: "Day by day",
        by_day_why: "A day is billed soon after it is over in UTC, each call once. Calls that are reported late follow by themselves.",
        minutes_by_day: "Billed minutes by day",
        how: "How each day is billed",
        how_why: "Its batches, what Stripe was sent of each, and what the nightly comparison found.",
        batch: "Batch {number}",
        being_counted: "being counted",
        waiting_one: "1 call is in no batch yet; it follows by itself.",
        waiting: "{n} calls are in no batch yet; they follow by themselves.",
        decide_now: "Decide",
        decide_one: "1 day needs a decision",
        decide: "{n} days need a decision",
        decide_why: "Stripe’s count and ours cannot be brought together any more without somebody who looks. The day below says what is known.",
        owner_decides: "An owner of this account can decide it. The day below says what is known.",
        overdue_one: "1 day has not been sent to Stripe for 20 days",
        overdue: "{n} days have not been sent to Stripe for 20 days",
        expired_one: "1 day is too old to be sent to Stripe: it must be billed another way",
        expired: "{n} days are too old to be sent to Stripe: they must be billed another way",
        was_settled: "Your decision is kept.",
        no_customer: "Not connected with Stripe yet",
        no_customer_why: "Every call is counted and kept. Nothing is billed until whoever runs Optline has connected this account with a Stripe customer.",
        pdf: "Statement, PDF",
        csv: "Statement, CSV",
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
        billing: "Facturación",
        by_day: "Día por día",
        by_day_why: "Un día se factura poco después de terminar en UTC, cada llamada una vez. Las que se notifican tarde se añaden solas más adelante.",
        minutes_by_day: "Minutos facturados por día",
        how: "Cómo se factura cada día",
        how_why: "Sus lotes, lo que se envió a Stripe de cada uno y lo que halló la comparación nocturna.",
        batch: "Lote {number}",
        being_counted: "en recuento",
        waiting_one: "1 llamada aún no está en ningún lote; se añadirá sola.",
        waiting: "{n} llamadas aún no están en ningún lote; se añadirán solas.",
        decide_now: "Decidir",
        decide_one: "1 día necesita una decisión",
        decide: "{n} días necesitan una decisión",
        decide_why: "El recuento de Stripe y el nuestro ya no se pueden conciliar sin que alguien los revise. Lo que se sabe está más abajo, en ese día.",
        owner_decides: "Puede decidirlo una persona titular de esta cuenta. Lo que se sabe está más abajo, en ese día.",
        overdue_one: "1 día lleva 20 días sin enviarse a Stripe",
        overdue: "{n} días llevan 20 días sin enviarse a Stripe",
        expired_one: "1 día es demasiado antiguo para enviarlo a Stripe: debe facturarse de otra forma",
        expired: "{n} días son demasiado antiguos para enviarlos a Stripe: deben facturarse de otra forma",
        was_settled: "Su decisión se guardó.",
        no_customer: "Aún sin conexión con Stripe",
        no_customer_why: "Cada llamada se cuenta y se guarda. No se factura nada hasta que quien opera Optline conecte esta cuenta con un cliente de Stripe.",
        pdf: "Estado de cuenta, PDF",
        csv: "Estado de cuenta, CSV",
        none: "Ninguna llamada en este mes",
        none_why: "Una llamada aparece aquí unos minutos después de terminar.",
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
    use crate::fixtures::billing::{held, month, now};
    use crate::setup::tests::{frame, main_of};

    fn view(days: BTreeMap<Date, DayOfBilling>) -> View {
        View {
            month: date(2026, 11, 1),
            this_month: date(2026, 11, 1),
            now: now(),
            days,
            customer: true,
            role: Role::Owner,
            settled: false,
        }
    }

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
    fn days_are_summed_and_shown_one_by_one_with_their_way_to_the_bill() {
        insta::assert_snapshot!(main_of(show(&frame(Language::English, Section::Usage), &view(month()))));
    }

    #[test]
    fn only_an_owner_is_offered_to_decide_and_nobody_decides_what_does_not_wait() {
        let of_day = DayOfBilling { batches: vec![held()], ..DayOfBilling::default() };
        let days = BTreeMap::from([(held().day, of_day)]);
        let page =
            |role| main_of(show(&frame(Language::English, Section::Usage), &View { role, ..view(days.clone()) }));
        assert!(page(Role::Owner).contains("/dashboard/settlement/2026-11-18.1.minutes"));
        assert!(!page(Role::Owner).contains("/dashboard/settlement/2026-11-18.1.calls"));
        assert!(
            !page(Role::Manager).contains("/dashboard/settlement/")
                && page(Role::Manager).contains("An owner of this account")
        );
    }

    #[test]
    fn a_business_without_a_stripe_customer_is_told() {
        let alone = View { customer: false, role: Role::Agent, ..view(month()) };
        let text = main_of(show(&frame(Language::Spanish, Section::Usage), &alone));
        assert!(text.contains("Aún sin conexión con Stripe") && !text.contains("/dashboard/statement"), "{text}");
    }

    #[test]
    fn a_month_without_calls_says_so() {
        let view = View { month: date(2026, 3, 1), ..view(BTreeMap::new()) };
        let text = main_of(show(&frame(Language::Spanish, Section::Usage), &view));
        assert!(text.contains("Ninguna llamada") && text.contains("month=2026-04"), "{text}");
    }
}
