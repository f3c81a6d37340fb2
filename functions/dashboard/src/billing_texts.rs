//! How billing is said to people: where a day stands, where a meter event stands, what differs.

use domain::billing::{AtStripe, DayCheck, Difference, Line, LineState, Meter, Standing};
use domain::language::Language;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::Markup;
use pages::show::{self, Tone};
use pages::{Icon, fill, format, plural};
use serde::Serialize;

/// Where a day stands, in a word with a shape.
pub(crate) fn badge(texts: &Texts, standing: Standing) -> Markup {
    let (tone, icon) = match standing {
        Standing::Running => (Tone::Neutral, Icon::Half),
        Standing::Settled => (Tone::Success, Icon::Check),
        Standing::Sent => (Tone::Info, Icon::Most),
        Standing::Due => (Tone::Info, Icon::Clock),
        Standing::Overdue => (Tone::Warning, Icon::Late),
        Standing::NeedsAPerson => (Tone::Warning, Icon::Question),
        Standing::Expired => (Tone::Danger, Icon::Stop),
    };
    show::badge(tone, icon, standing_of(texts, standing))
}

/// Where a day stands, in a few words.
pub(crate) const fn standing_of(texts: &Texts, standing: Standing) -> &'static str {
    match standing {
        Standing::Running => texts.running,
        Standing::Settled => texts.settled,
        Standing::Sent => texts.sent_day,
        Standing::Due => texts.due,
        Standing::Overdue => texts.overdue,
        Standing::NeedsAPerson => texts.needs_a_person,
        Standing::Expired => texts.expired_day,
    }
}

/// What a meter counts.
pub(crate) const fn meter(texts: &Texts, meter: Meter) -> &'static str {
    match meter {
        Meter::Calls => texts.calls,
        Meter::Minutes => texts.minutes,
    }
}

/// Where a meter event stands, and why, in a sentence.
pub(crate) fn event(texts: &Texts, line: &Line) -> String {
    let number = |n: u64| format::number(i128::from(n));
    let said = match &line.state {
        LineState::Nothing => texts.nothing.to_owned(),
        LineState::Computed => texts.computed.to_owned(),
        LineState::Trying { .. } => texts.trying.to_owned(),
        LineState::Sent { .. } => texts.sent.to_owned(),
        LineState::Confirmed { .. } => texts.confirmed.to_owned(),
        LineState::Cancelling { .. } => texts.cancelling.to_owned(),
        LineState::Reopened { reason, .. } => fill(texts.reopened, &[("reason", reason)]),
        LineState::Held { found, expected } => {
            fill(texts.held, &[("found", &number(*found)), ("expected", &number(*expected))])
        }
        LineState::Adjusted { counted, settled, reference, .. } => fill(
            texts.adjusted,
            &[("counted", &number(*counted)), ("settled", &number(*settled)), ("reference", reference)],
        ),
        LineState::Expired { .. } => texts.expired.to_owned(),
    };
    let settled = matches!(&line.state, LineState::Adjusted { settled, .. } if *settled == line.due);
    if line.due == line.value || settled {
        said
    } else {
        format!("{said} {}", fill(texts.corrected, &[("due", &number(line.due))]))
    }
}

/// An identifier as people compare it: its beginning and its end.
pub(crate) fn short(identifier: &str) -> String {
    let end = identifier.get(identifier.len().saturating_sub(4)..);
    match (identifier.get(..9), end) {
        (Some(begin), Some(end)) if identifier.len() > 16 => format!("{begin}…{end}"),
        _ => identifier.to_owned(),
    }
}

/// What a comparison found about a day, a sentence each; nothing where all agrees.
pub(crate) fn found(texts: &Texts, check: &DayCheck) -> Vec<String> {
    let number = |n: u64| format::number(i128::from(n));
    let mut said = vec![];
    if check.found_at_twilio > 0 {
        let text = plural(check.found_at_twilio, texts.added_one, texts.added);
        said.push(fill(text, &[("n", &number(check.found_at_twilio))]));
    }
    said.extend(check.differences.iter().map(|difference| match difference {
        Difference::Sums { rows, sums } => fill(
            texts.sums_differ,
            &[("rows", &amount(texts, rows.calls, rows.minutes)), ("sums", &amount(texts, sums.calls, sums.minutes))],
        ),
        Difference::Batch { number: of, rows, counted } => fill(
            texts.batch_differs,
            &[
                ("number", &of.to_string()),
                ("rows", &amount(texts, rows.calls, rows.minutes)),
                ("counted", &amount(texts, counted.calls, counted.minutes)),
            ],
        ),
        Difference::Stripe { meter: of, found, expected } => fill(
            texts.stripe_differs,
            &[("meter", meter(texts, *of)), ("found", &number(*found)), ("expected", &number(*expected))],
        ),
    }));
    said
}

/// What was compared with Stripe, and when.
pub(crate) fn compared(language: Language, texts: &Texts, check: &DayCheck) -> String {
    let time = |at: Timestamp| format!("{} UTC", format::date_time(language, &at.to_zoned(TimeZone::UTC)));
    match check.stripe {
        AtStripe::Compared => fill(texts.compared, &[("at", &time(check.at))]),
        AtStripe::NotBefore(at) => fill(texts.compared_later, &[("at", &time(at))]),
        AtStripe::Unexplained => fill(texts.compared_odd, &[("at", &time(check.at))]),
        AtStripe::NoCustomer | AtStripe::NotConnected => fill(texts.compared_here, &[("at", &time(check.at))]),
    }
}

/// Calls and their minutes: "12 calls, 30 minutes".
pub(crate) fn amount(texts: &Texts, calls: u64, minutes: u64) -> String {
    let number = |n: u64| format::number(i128::from(n));
    let calls_word = plural(calls, texts.call_word, texts.calls_word);
    let minutes_word = plural(minutes, texts.minute_word, texts.minutes_word);
    format!("{} {calls_word}, {} {minutes_word}", number(calls), number(minutes))
}

#[derive(Serialize)]
pub(crate) struct Texts {
    running: &'static str,
    settled: &'static str,
    sent_day: &'static str,
    due: &'static str,
    overdue: &'static str,
    needs_a_person: &'static str,
    expired_day: &'static str,
    calls: &'static str,
    minutes: &'static str,
    nothing: &'static str,
    computed: &'static str,
    trying: &'static str,
    sent: &'static str,
    confirmed: &'static str,
    cancelling: &'static str,
    reopened: &'static str,
    held: &'static str,
    adjusted: &'static str,
    expired: &'static str,
    corrected: &'static str,
    added_one: &'static str,
    added: &'static str,
    sums_differ: &'static str,
    batch_differs: &'static str,
    stripe_differs: &'static str,
    compared: &'static str,
    compared_later: &'static str,
    compared_odd: &'static str,
    compared_here: &'static str,
    call_word: &'static str,
    calls_word: &'static str,
    minute_word: &'static str,
    minutes_word: &'static str,
}

impl Texts {
    const EN: Self = Self {
        running: "Day not over",
        settled: "Billed",
        sent_day: "Sent, being confirmed",
        due: "To be sent",
        overdue: "Not sent for 20 days",
        needs_a_person: "Needs a decision",
        expired_day: "Too old to be sent",
        calls: "Calls",
        minutes: "Minutes",
        nothing: "Nothing to bill.",
        computed: "Counted, not sent yet.",
        trying: "Being sent.",
        sent: "Sent; Stripe is counting it.",
        confirmed: "Billed: Stripe has counted it.",
        cancelling: "Being cancelled, to be sent anew.",
        reopened: "Stripe refused it ({reason}). It will be sent again.",
        held: "Held: Stripe shows {found} for the day, {expected} were expected.",
        adjusted: "Settled by hand: {counted} at Stripe, {settled} due; see {reference}.",
        expired: "Too old to be sent. Bill it another way.",
        corrected: "After a correction {due} are due.",
        added_one: "1 call was missing here and was added from the telephone company’s own list.",
        added: "{n} calls were missing here and were added from the telephone company’s own list.",
        sums_differ: "The calls come to {rows}, but the day’s sum says {sums}.",
        batch_differs: "Batch {number} was counted with {counted}, but its calls come to {rows}.",
        stripe_differs: "{meter}: Stripe shows {found}, but {expected} were sent.",
        compared: "Compared with Stripe on {at}.",
        compared_later: "Will be compared with Stripe on {at}.",
        compared_odd: "Compared with Stripe on {at}: its sums hold what was never sent.",
        compared_here: "Checked on {at}.",
        call_word: "call",
        calls_word: "calls",
        minute_word: "minute",
        minutes_word: "minutes",
    };
    const ES: Self = Self {
        running: "El día no ha terminado",
        settled: "Facturado",
        sent_day: "Enviado, por confirmar",
        due: "Por enviar",
        overdue: "Sin enviar desde hace 20 días",
        needs_a_person: "Necesita una decisión",
        expired_day: "Demasiado antiguo para enviarlo",
        calls: "Llamadas",
        minutes: "Minutos",
        nothing: "Nada que facturar.",
        computed: "Contado, aún sin enviar.",
        trying: "Se está enviando.",
        sent: "Enviado; Stripe lo está contando.",
        confirmed: "Facturado: Stripe lo ha contado.",
        cancelling: "Se está anulando para enviarlo de nuevo.",
        reopened: "Stripe lo rechazó ({reason}). Se enviará otra vez.",
        held: "En espera: Stripe muestra {found} para el día; se esperaban {expected}.",
        adjusted: "Resuelto a mano: {counted} en Stripe, {settled} a facturar; vea {reference}.",
        expired: "Demasiado antiguo para enviarlo. Factúrelo de otra forma.",
        corrected: "Tras una corrección, corresponde facturar {due}.",
        added_one: "Faltaba 1 llamada y se añadió desde la lista de la compañía telefónica.",
        added: "Faltaban {n} llamadas y se añadieron desde la lista de la compañía telefónica.",
        sums_differ: "Las llamadas suman {rows}, pero la suma del día dice {sums}.",
        batch_differs: "El lote {number} se contó con {counted}, pero sus llamadas suman {rows}.",
        stripe_differs: "{meter}: Stripe muestra {found}, pero se enviaron {expected}.",
        compared: "Comparado con Stripe el {at}.",
        compared_later: "Se comparará con Stripe el {at}.",
        compared_odd: "Comparado con Stripe el {at}: sus sumas incluyen algo que nunca se envió.",
        compared_here: "Revisado el {at}.",
        call_word: "llamada",
        calls_word: "llamadas",
        minute_word: "minuto",
        minutes_word: "minutos",
    };

    pub(crate) const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &Self::EN,
            Language::Spanish => &Self::ES,
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::billing::Amount;

    use super::*;

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn an_identifier_is_shortened_to_what_people_compare() {
        assert_eq!(short(&format!("use1-{}", "0123456789abcdef".repeat(4))), "use1-0123…cdef");
        assert_eq!(short("use1-short"), "use1-short");
    }

    #[test]
    fn what_differs_is_said_with_both_sides() {
        let check = DayCheck {
            at: "2026-11-21T05:00:00Z".parse().unwrap(),
            rows: Amount { calls: 2, minutes: 5 },
            unprocessed: 0,
            found_at_twilio: 1,
            stripe: AtStripe::Compared,
            differences: vec![
                Difference::Sums { rows: Amount { calls: 2, minutes: 5 }, sums: Amount { calls: 1, minutes: 1 } },
                Difference::Stripe { meter: Meter::Minutes, found: 4, expected: 5 },
            ],
        };
        for language in Language::ALL {
            insta::assert_snapshot!(
                format!("differences_{}", language.code()),
                found(Texts::of(language), &check).join("\n")
            );
        }
    }
}
