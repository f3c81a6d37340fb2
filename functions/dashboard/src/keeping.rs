//! What the pages of a request say of how long it is kept: legal hold, recycle bin, parts that are gone.

use domain::FieldError;
use domain::language::Language;
use domain::reference::Reference;
use domain::retention::{Part, leaves_bin_on};
use jiff::tz::TimeZone;
use maud::{Markup, Render, html};
use pages::form::{Button, Field, Form, actions, hidden};
use pages::show::{self, Card, Facts, Notice, Tone, paragraphs};
use pages::{Frame, Icon, fill, format};
use platform::store::{Held, Keeping};
use serde::Serialize;

/// The longest reason of a hold, in characters.
pub(crate) const REASON: u32 = 500;

/// What the recycle bin is called.
pub(crate) const fn bin_title(language: Language) -> &'static str {
    Texts::of(language).bin
}

/// That a request is held, or lies in the bin, beside its state.
pub(crate) fn badges(language: Language, keeping: &Keeping) -> Markup {
    let texts = Texts::of(language);
    html! {
        @if keeping.hold.is_some() { (held_badge(language)) }
        @if keeping.binned_on.is_some() { (show::badge(Tone::Warning, Icon::Bin, texts.bin)) }
    }
}

/// That a request is held.
pub(crate) fn held_badge(language: Language) -> Markup {
    show::badge(Tone::Info, Icon::Lock, Texts::of(language).hold)
}

/// That a request lies in the bin, until when, and how it comes out again.
pub(crate) fn in_the_bin(frame: &Frame, reference: &Reference, keeping: &Keeping, holds: bool) -> Markup {
    let (language, texts) = (frame.language, Texts::of(frame.language));
    let Some(binned_on) = keeping.binned_on else { return html! {} };
    let day = format::long_date(language, leaves_bin_on(binned_on));
    let until = if keeping.hold.is_some() { texts.stays.to_owned() } else { fill(texts.goes, &[("date", &day)]) };
    Notice::warning(fill(texts.in_bin, &[("date", &format::long_date(language, binned_on))]))
        .body(html! { p { (until) } @if holds { (restore_form(frame, reference)) } })
        .render()
}

/// The form that takes a request out of the bin.
pub(crate) fn restore_form(frame: &Frame, reference: &Reference) -> Markup {
    let texts = Texts::of(frame.language);
    Form::post(frame.language, "/dashboard/recycle-bin", frame.csrf.as_str())
        .plain()
        .body(html! {
            (hidden("reference", reference.as_str()))
            (Button::secondary(texts.restore).icon(Icon::Undo).about(reference.to_string()))
        })
        .render()
}

/// The hold that a request is under, and the form that lifts it.
pub(crate) fn held(frame: &Frame, reference: &Reference, held: &Held, by: &str, tz: &TimeZone, holds: bool) -> Markup {
    let (language, texts) = (frame.language, Texts::of(frame.language));
    let reason = match &held.reason {
        Some(reason) => paragraphs(reason),
        None => html! { p.note { (texts.unreadable) } },
    };
    Card::new(texts.hold)
        .id("hold")
        .lede(texts.held_lede)
        .body(html! {
            (Facts::new()
                .fact(texts.since, show::moment(language, &held.at.to_zoned(tz.clone())))
                .fact(texts.by, html! { (by) })
                .fact(texts.reason, reason))
            @if holds {
                (Form::post(language, action(reference), frame.csrf.as_str()).id("lift").plain().body(html! {
                    (hidden("do", "lift"))
                    (actions(&html! { (Button::danger(texts.lift)) }))
                }))
            }
        })
        .render()
}

/// The form that puts a request under a hold.
pub(crate) fn hold_card(frame: &Frame, reference: &Reference, typed: &str, errors: &[FieldError]) -> Markup {
    let (language, texts) = (frame.language, Texts::of(frame.language));
    let form = Form::post(language, action(reference), frame.csrf.as_str()).id("hold-form").errors(errors).body(html! {
        (hidden("do", "hold"))
        (Field::area("reason", texts.reason, 3).hint(texts.reason_hint).value(typed).errors(errors).within("hold-form")
            .required().max_length(REASON))
        (actions(&html! { (Button::secondary(texts.place).icon(Icon::Lock)) }))
    });
    Card::new(texts.hold)
        .id("hold")
        .lede(texts.hold_lede)
        .body(html! { details.action open[!errors.is_empty()] { summary { (texts.place) } (form) } })
        .render()
}

fn action(reference: &Reference) -> String {
    format!("/dashboard/hold/{}", reference.as_str())
}

/// What a notice says after something was done.
pub(crate) fn done(language: Language, code: &str) -> Option<&'static str> {
    let texts = Texts::of(language);
    match code {
        "held" => Some(texts.done_held),
        "lifted" => Some(texts.done_lifted),
        "restored" => Some(texts.done_restored),
        _ => None,
    }
}

/// Which part of a request is gone.
pub(crate) fn expired(language: Language, part: &str) -> &'static str {
    let texts = Texts::of(language);
    match Part::ALL.into_iter().find(|it| it.code() == part) {
        Some(Part::Recordings) => texts.gone_recordings,
        Some(Part::Correspondence) => texts.gone_correspondence,
        Some(Part::Attachments) => texts.gone_attachments,
        Some(Part::Answers) => texts.gone_answers,
        None => texts.gone,
    }
}

/// What these cards say.
#[derive(Serialize)]
pub(crate) struct Texts {
    bin: &'static str,
    in_bin: &'static str,
    goes: &'static str,
    stays: &'static str,
    pub(crate) restore: &'static str,
    pub(crate) hold: &'static str,
    hold_lede: &'static str,
    held_lede: &'static str,
    since: &'static str,
    by: &'static str,
    reason: &'static str,
    reason_hint: &'static str,
    pub(crate) reason_wrong: &'static str,
    pub(crate) held_before: &'static str,
    unreadable: &'static str,
    place: &'static str,
    lift: &'static str,
    done_held: &'static str,
    done_lifted: &'static str,
    done_restored: &'static str,
    gone: &'static str,
    gone_recordings: &'static str,
    gone_correspondence: &'static str,
    gone_attachments: &'static str,
    gone_answers: &'static str,
}

impl Texts {
    const EN: Self = Self {
        bin: "Recycle bin",
        in_bin: "In the recycle bin since {date}",
        goes: "It is in no list, and whoever asked no longer finds it. On {date} it is erased for good.",
        stays: "It is in no list, and whoever asked no longer finds it. It stays as long as its legal hold.",
        restore: "Restore",
        hold: "Legal hold",
        hold_lede: "While a request is held, nothing of it is deleted: no recording, no file, and not the request itself, also in the recycle bin; except photos of identity documents, which may not be kept longer (11 CCR 7060(d)).",
        held_lede: "Nothing of this request is deleted until the hold is lifted, except photos of identity documents, which may not be kept longer (11 CCR 7060(d)).",
        since: "Since",
        by: "Placed by",
        reason: "Reason",
        reason_hint: "Such as the matter that it is needed for. Only your team sees it.",
        reason_wrong: "Say why, in at most 500 characters.",
        held_before: "Somebody else has just put it under a legal hold.",
        unreadable: "The reason can no longer be read.",
        place: "Place a legal hold",
        lift: "Lift the hold",
        done_held: "The request is under a legal hold.",
        done_lifted: "The hold is lifted. The usual times count again.",
        done_restored: "The request is back where it was. Its time counts anew from today.",
        gone: "It was kept as long as your settings say.",
        gone_recordings: "The recordings and what they say were kept as long as your settings say, and are erased.",
        gone_correspondence: "The messages were kept as long as your settings say, and are erased.",
        gone_attachments: "The files were kept as long as your settings say, and are erased. Those that the person can download stay for at least 24 months.",
        gone_answers: "The files that the person could download were kept as long as your settings say, and are erased.",
    };
    const ES: Self = Self {
        bin: "Papelera",
        in_bin: "En la papelera desde el {date}",
        goes: "No está en ninguna lista y quien la hizo ya no la encuentra. El {date} se borra para siempre.",
        stays: "No está en ninguna lista y quien la hizo ya no la encuentra. Se queda mientras dure su retención legal.",
        restore: "Restaurar",
        hold: "Retención legal",
        hold_lede: "Mientras una solicitud está retenida no se elimina nada de ella: ni grabaciones, ni archivos, ni la solicitud misma, tampoco en la papelera; salvo las fotos de documentos de identidad, que no se pueden guardar más tiempo (11 CCR 7060(d)).",
        held_lede: "No se elimina nada de esta solicitud hasta que se levante la retención, salvo las fotos de documentos de identidad, que no se pueden guardar más tiempo (11 CCR 7060(d)).",
        since: "Desde",
        by: "Puesta por",
        reason: "Motivo",
        reason_hint: "Por ejemplo, el asunto para el que hace falta. Solo lo ve su equipo.",
        reason_wrong: "Diga por qué, en 500 caracteres como máximo.",
        held_before: "Otra persona acaba de ponerla bajo retención legal.",
        unreadable: "El motivo ya no se puede leer.",
        place: "Poner una retención legal",
        lift: "Levantar la retención",
        done_held: "La solicitud está bajo retención legal.",
        done_lifted: "La retención se levantó. Vuelven a contar los plazos de siempre.",
        done_restored: "La solicitud está otra vez donde estaba. Su plazo cuenta de nuevo desde hoy.",
        gone: "Se guardó el tiempo que dice su configuración.",
        gone_recordings: "Las grabaciones y lo que dicen se guardaron el tiempo que dice su configuración, y se borraron.",
        gone_correspondence: "Los mensajes se guardaron el tiempo que dice su configuración, y se borraron.",
        gone_attachments: "Los archivos se guardaron el tiempo que dice su configuración, y se borraron. Los que la persona puede descargar se quedan al menos 24 meses.",
        gone_answers: "Los archivos que la persona podía descargar se guardaron el tiempo que dice su configuración, y se borraron.",
    };

    /// In a language.
    pub(crate) const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &Self::EN,
            Language::Spanish => &Self::ES,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use pages::Section;

    use super::*;
    use crate::setup::tests::frame;

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn a_hold_says_since_when_by_whom_and_why_and_only_some_may_lift_it() {
        let reason = Some("Pérez v. <Shop>".to_owned());
        let there = Held { at: "2029-01-02T20:00:00Z".parse().unwrap(), by: "u-1".into(), reason };
        let tz = TimeZone::get("America/Los_Angeles").unwrap();
        let shown = |language, holds| {
            let frame = frame(language, Section::Requests);
            held(&frame, &Reference::from_entropy(7), &there, "Ana", &tz, holds).into_string().replace("><", ">\n<")
        };
        insta::assert_snapshot!(shown(Language::English, true));
        let read = shown(Language::Spanish, false);
        assert!(!read.contains("<form") && read.contains("Pérez v. &lt;Shop&gt;"), "{read}");
        let lost = Held { reason: None, ..there.clone() };
        let frame = frame(Language::English, Section::Requests);
        let lost = held(&frame, &Reference::from_entropy(7), &lost, "Ana", &tz, true).into_string();
        assert!(lost.contains(Texts::EN.unreadable) && lost.contains(Texts::EN.lift), "{lost}");
    }

    #[test]
    fn a_request_in_the_bin_says_until_when_and_a_held_one_stays() {
        let frame = frame(Language::English, Section::Requests);
        let mut keeping = Keeping { binned_on: Some(date(2028, 11, 23)), ..Keeping::default() };
        let shown = |keeping: &Keeping| in_the_bin(&frame, &Reference::from_entropy(7), keeping, true).into_string();
        assert!(shown(&keeping).contains("February 21, 2029"), "{}", shown(&keeping));
        keeping.hold = Some(Held { at: jiff::Timestamp::UNIX_EPOCH, by: String::new(), reason: None });
        assert!(shown(&keeping).contains("as long as its legal hold"), "{}", shown(&keeping));
        assert_eq!(shown(&Keeping::default()), "");
    }
}
