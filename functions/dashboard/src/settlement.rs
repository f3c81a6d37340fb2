//! `GET` and `POST /dashboard/settlement/{line}`: a person's decision about a meter event that cannot be billed by itself.
//!
//! It waits for one when Stripe's sum cannot be explained, when a correction came too late to be cancelled, and when a day
//! is too old for Stripe. The decision says what counts at Stripe, and where the rest was billed or refunded. It is written
//! together with an entry of the audit trail; the day's worker then goes on.

use std::fmt;

use domain::FieldError;
use domain::audit::Act;
use domain::billing::{Line, LineState, Meter, Step};
use domain::language::Language;
use jiff::civil::Date;
use maud::{Markup, html};
use pages::form::{Button, Field, Form, actions};
use pages::show::{Card, Facts, Heading};
use pages::{Frame, Section, fill, format};
use platform::edge::{Page, Visit};
use platform::session::{Allowed, SettleUsage};
use platform::store::Settlement;
use platform::{App, Error};
use serde::Serialize;

use crate::billing_texts as billing;
use crate::setup::entry;
use crate::usage::code_of;

/// The longest reference that is kept.
const LONGEST: u32 = 64;

/// Which meter event: `2026-11-18.1.minutes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) day: Date,
    pub(crate) batch: u32,
    pub(crate) meter: Meter,
}

impl Wanted {
    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.split('.');
        let wanted = Self {
            day: parts.next()?.parse().ok()?,
            batch: parts.next()?.parse().ok()?,
            meter: parts.next().and_then(|code| Meter::ALL.into_iter().find(|meter| meter.code() == code))?,
        };
        (wanted.to_string() == line).then_some(wanted)
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.day, self.batch, self.meter.code())
    }
}

/// Asks what was decided, or keeps it.
pub async fn handle(app: &App, allowed: Allowed<SettleUsage>, visit: Visit) -> Result<Page, Error> {
    let wanted = Wanted::parse(&visit.segment).ok_or(Error::NotFound)?;
    let store = app.store.of(&allowed.tenant);
    let batch = store.batch(wanted.day, wanted.batch).await?.ok_or(Error::NotFound)?;
    let line = batch.lines.get(&wanted.meter).ok_or(Error::NotFound)?;
    let month = format!("/dashboard/usage?month={}", code_of(wanted.day));
    if batch.step(wanted.meter, visit.at) != Step::AskAPerson {
        // Somebody has decided, or it went on by itself.
        return if visit.post { Err(Error::Conflict) } else { Ok(Page::to(month)) };
    }
    let frame = allowed.frame(&visit, Section::Usage);
    let input = Input::sent(&visit);
    if !visit.post {
        return Ok(Page::html(show(&frame, wanted, line, &input, &[])));
    }
    let (counted, reference) = match input.read(visit.language, line) {
        Ok(read) => read,
        Err(errors) => return Ok(Page::invalid(show(&frame, wanted, line, &input, &errors))),
    };
    let entry = entry(&allowed, &visit, Act::UsageSettled)
        .on("usage", &wanted.to_string())
        .with("due", line.due.to_string())
        .with("reference", &reference);
    let entry = match counted {
        Some(counted) => entry.with("counted", counted.to_string()),
        None => entry,
    };
    let settlement = Settlement {
        day: wanted.day,
        batch: wanted.batch,
        meter: wanted.meter,
        counted,
        by: allowed.user.as_str().to_owned(),
        reference,
        at: visit.at,
    };
    store.settle_line(&settlement, &entry).await?;
    // The decision ends the alarm that called for it. Whoever runs this is told by this line, which an alarm counts.
    tracing::error!(
        tenant = allowed.tenant.id().as_str(),
        day = %wanted.day,
        batch = wanted.batch,
        meter = wanted.meter.code(),
        due = line.due,
        counted,
        "a person has decided about usage"
    );
    Ok(Page::to(format!("{month}&done=settled")))
}

/// The form, as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Input {
    counted: String,
    reference: String,
}

impl Input {
    fn sent(visit: &Visit) -> Self {
        let text = |name| visit.form.get(name).trim().chars().take(300).collect();
        Self { counted: text("counted"), reference: text("reference") }
    }

    /// What counts at Stripe, where it is not known, and the reference.
    fn read(&self, language: Language, line: &Line) -> Result<(Option<u64>, String), Vec<FieldError>> {
        let texts = Texts::of(language);
        let mut errors = vec![];
        let counted = match self.counted.parse::<u64>().ok().filter(|counted| *counted <= most(line)) {
            _ if !is_held(line) => None,
            Some(counted) => Some(counted),
            None => {
                let most = format::number(i128::from(most(line)));
                errors.push(FieldError::new("counted", fill(texts.wrong_counted, &[("most", &most)])));
                None
            }
        };
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '#');
        let long = usize::try_from(LONGEST).unwrap_or(usize::MAX);
        if self.reference.is_empty() {
            errors.push(FieldError::new("reference", texts.no_reference));
        } else if !self.reference.chars().all(fits) || self.reference.len() > long {
            errors.push(FieldError::new("reference", texts.wrong_reference));
        }
        if errors.is_empty() { Ok((counted, self.reference.clone())) } else { Err(errors) }
    }
}

/// The most that can count at Stripe: what was sent, or what its sum shows where that is more.
fn most(line: &Line) -> u64 {
    match line.state {
        LineState::Held { found, .. } => line.value.max(found),
        _ => line.value,
    }
}

const fn is_held(line: &Line) -> bool {
    matches!(line.state, LineState::Held { .. })
}

fn show(frame: &Frame, wanted: Wanted, line: &Line, input: &Input, errors: &[FieldError]) -> Markup {
    let language = frame.language;
    let (texts, words) = (Texts::of(language), billing::Texts::of(language));
    let number = |n: u64| format::number(i128::from(n));
    let what = billing::meter(words, wanted.meter);
    let facts = Facts::new()
        .fact(texts.day, format::long_date(language, wanted.day))
        .fact(texts.batch, wanted.batch.to_string())
        .fact(texts.meter, what)
        .fact(texts.value, number(line.value))
        .fact(texts.due, number(line.due))
        .fact(texts.stands, billing::event(words, line))
        .fact(texts.identifier, html! { code { (line.identifier) } });
    let address = format!("/dashboard/settlement/{wanted}");
    let month = format!("/dashboard/usage?month={}", code_of(wanted.day));
    let why = match line.state {
        LineState::Held { .. } => texts.why_held,
        LineState::Expired { .. } => texts.why_expired,
        _ => texts.why_corrected,
    };
    let main = html! {
        (Heading::new(texts.title).lede(why).above(language, &[(month.as_str(), texts.usage)]))
        (Card::new(texts.known).body(&facts))
        (Card::new(texts.decision).lede(texts.decision_why).body(
            Form::post(language, address, frame.csrf.as_str()).id("settle").errors(errors).body(html! {
                @if is_held(line) {
                    (Field::number("counted", texts.counted).within("settle").value(&input.counted).narrow().required()
                        .range(Some(0), Some(most(line))).hint(texts.counted_hint).errors(errors))
                }
                (Field::text("reference", texts.reference).within("settle").value(&input.reference).required()
                    .max_length(LONGEST).plain_text().hint(texts.reference_hint).errors(errors))
                (actions(&html! {
                    (Button::primary(texts.keep))
                    (Button::quiet(texts.back).to(month.as_str()))
                }))
            }),
        ))
    };
    pages::page(frame, texts.title, &main)
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    usage: &'static str,
    why_held: &'static str,
    why_expired: &'static str,
    why_corrected: &'static str,
    known: &'static str,
    day: &'static str,
    batch: &'static str,
    meter: &'static str,
    value: &'static str,
    due: &'static str,
    stands: &'static str,
    identifier: &'static str,
    decision: &'static str,
    decision_why: &'static str,
    counted: &'static str,
    counted_hint: &'static str,
    wrong_counted: &'static str,
    reference: &'static str,
    reference_hint: &'static str,
    no_reference: &'static str,
    wrong_reference: &'static str,
    keep: &'static str,
    back: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Decide what is billed",
        usage: "Usage",
        why_held: "Stripe’s sum for the day cannot be explained by what was sent. Look at Stripe, bill or refund the difference there, and say here what you did.",
        why_expired: "Stripe takes no usage that is older than 35 days. Bill it another way, with an invoice item for one, and say here where to find that.",
        why_corrected: "The calls were corrected after Stripe had counted them, too late to cancel. Bill or refund the difference another way, and say here where to find that.",
        known: "What is known",
        day: "Day, in UTC",
        batch: "Batch",
        meter: "What is counted",
        value: "Sent",
        due: "Due",
        stands: "Where it stands",
        identifier: "Stripe knows it as",
        decision: "Your decision",
        decision_why: "It is kept with your name and stays on the statement.",
        counted: "How much of it counts at Stripe",
        counted_hint: "If several events of the day are held, they share what Stripe shows.",
        wrong_counted: "Enter a whole number from 0 to {most}.",
        reference: "Reference",
        reference_hint: "The number of the invoice item, credit note or ticket, such as ii_1Qx2. No names.",
        no_reference: "Enter where to find how the rest was billed or refunded.",
        wrong_reference: "Use up to 64 letters, digits and - _ . / # without spaces.",
        keep: "Keep this decision",
        back: "Back to usage",
    };
    const ES: Self = Self {
        title: "Decidir qué se factura",
        usage: "Uso",
        why_held: "La suma de Stripe para el día no se explica con lo que se envió. Revise Stripe, facture o reembolse allí la diferencia y diga aquí lo que hizo.",
        why_expired: "Stripe no acepta nada de hace más de 35 días. Factúrelo de otra forma, por ejemplo con una línea de factura, y diga aquí dónde se encuentra.",
        why_corrected: "Las llamadas se corrigieron después de que Stripe las contara, cuando ya no se podían anular. Facture o reembolse la diferencia de otra forma y diga aquí dónde se encuentra.",
        known: "Lo que se sabe",
        day: "Día, en UTC",
        batch: "Lote",
        meter: "Qué se cuenta",
        value: "Enviado",
        due: "A facturar",
        stands: "Situación",
        identifier: "Stripe lo conoce como",
        decision: "Su decisión",
        decision_why: "Se guarda con su nombre y queda en el estado de cuenta.",
        counted: "Cuánto cuenta en Stripe",
        counted_hint: "Si varios eventos del día están en espera, se reparten lo que muestra Stripe.",
        wrong_counted: "Escriba un número entero de 0 a {most}.",
        reference: "Referencia",
        reference_hint: "El número de la línea de factura, nota de crédito o caso, como ii_1Qx2. Sin nombres.",
        no_reference: "Escriba dónde se ve cómo se facturó o reembolsó el resto.",
        wrong_reference: "Use hasta 64 letras, cifras y - _ . / # sin espacios.",
        keep: "Guardar esta decisión",
        back: "Volver a la página de uso",
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
    use crate::fixtures::billing::{confirmed, held};
    use crate::setup::tests::{frame, main_of};

    fn wanted() -> Wanted {
        Wanted { day: date(2026, 11, 18), batch: 1, meter: Meter::Minutes }
    }

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn an_address_names_one_event_in_one_way() {
        assert_eq!(Wanted::parse("2026-11-18.1.minutes"), Some(wanted()));
        for wrong in ["", "2026-11-18", "2026-11-18.01.minutes", "2026-11-18.1.seconds", "2026-11-18.1.minutes.x"] {
            assert_eq!(Wanted::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_held_asks_for_what_counts_and_for_a_reference() {
        let (line, frame) = (&held().lines[&Meter::Minutes], frame(Language::English, Section::Usage));
        insta::assert_snapshot!(main_of(show(&frame, wanted(), line, &Input::default(), &[])));
    }

    #[test]
    fn as_much_as_stripe_shows_can_count_though_less_was_sent() {
        let mut line = held().lines[&Meter::Minutes].clone();
        line.state = LineState::Held { found: line.value + 4, expected: line.value };
        let read = |counted: u64| {
            let input = Input { counted: counted.to_string(), reference: "ii_1".into() };
            input.read(Language::English, &line).map(|(counted, _)| counted)
        };
        assert_eq!(read(line.value + 4), Ok(Some(line.value + 4)));
        assert!(read(line.value + 5).is_err());
        let page = show(&frame(Language::English, Section::Usage), wanted(), &line, &Input::default(), &[]);
        assert!(page.into_string().contains(&format!("max=\"{}\"", line.value + 4)));
    }

    #[test]
    fn where_it_is_known_what_counts_nobody_is_asked() {
        let batch = confirmed(date(2026, 11, 18), 1, &[2, 3]);
        let line = &batch.lines[&Meter::Minutes];
        let input = Input { counted: "junk".into(), reference: "cn_1".into() };
        assert_eq!(input.read(Language::English, line), Ok((None, "cn_1".to_owned())));
        let page = show(&frame(Language::English, Section::Usage), wanted(), line, &input, &[]);
        assert!(!page.into_string().contains("name=\"counted\""));
    }

    #[test]
    fn a_form_that_cannot_be_read_says_what_to_change() {
        let line = &held().lines[&Meter::Minutes];
        for (counted, reference, fields) in [
            ("3", "ii_1Qx2", vec![]),
            ("", "", vec!["counted", "reference"]),
            ("6", "ii_1", vec!["counted"]),
            ("-1", "ii_1", vec!["counted"]),
            ("0", "Ana Pérez", vec!["reference"]),
            ("0", "=1+1", vec!["reference"]),
        ] {
            let input = Input { counted: counted.into(), reference: reference.into() };
            let errors = input.read(Language::Spanish, line).err().unwrap_or_default();
            assert_eq!(
                errors.into_iter().map(|error| error.field).collect::<Vec<_>>(),
                fields,
                "{counted} {reference}"
            );
        }
    }
}
