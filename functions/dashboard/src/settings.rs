//! `GET` and `POST /dashboard/settings`: the account: name, time zone, laws, retention, reminders, human check.

use domain::FieldError;
use domain::audit::Act;
use domain::closure::Closure;
use domain::job::Job;
use domain::jurisdiction::Jurisdiction;
use domain::language::Language;
use domain::tenant::{LONGEST_RETENTION, Reminders, Retention, SHORTEST_RETENTION, TenantProfile};
use maud::{Markup, html};
use pages::form::{self, Button, Check, Choices, Field, Form, Select};
use pages::show::{Card, Facts, Heading, Notice};
use pages::{Frame, Section, words};
use platform::edge::{Fields, Page, Visit};
use platform::session::{Allowed, EditSettings, SeeSettings};
use platform::store::Versioned;
use platform::{App, Error};
use serde::Serialize;

use crate::setup::{entry, in_words};
use crate::{closed, human_check};

/// Shows the settings, or saves what was sent.
pub async fn handle(app: &App, allowed: Allowed<SeeSettings>, visit: Visit) -> Result<Page, Error> {
    let frame = allowed.frame(&visit, Section::Settings);
    let store = app.store.of(&allowed.tenant);
    if !visit.post {
        let there = store.settings().await?;
        let check = human_check::Shown::load(&store, &visit).await?;
        return Ok(Page::html(match allowed.also::<EditSettings>() {
            Ok(_) => {
                let said = if visit.query.has("saved") { Said::Saved } else { Said::Nothing };
                edit(&frame, &Input::of(&there), &[], &said, &check)
            }
            Err(_) => read(&frame, &there.value, &check),
        }));
    }
    let allowed = allowed.also::<EditSettings>()?;
    match human_check::submit(app, &allowed, &visit, frame.language).await? {
        None => {}
        Some(human_check::Done::To(page)) => return Ok(page),
        Some(human_check::Done::Again(check)) => {
            let there = store.settings().await?;
            let page = edit(&frame, &Input::of(&there), &[], &Said::Nothing, &check);
            return Ok(Page::html(page).with_status(check.status()));
        }
    }
    let there = store.settings().await?;
    let check = human_check::Shown::load(&store, &visit).await?;
    let input = Input::sent(&visit.form);
    if input.version != there.version {
        return Ok(conflict(&frame, &input, there, &check));
    }
    let profile = match input.profile(frame.language) {
        Ok(profile) => TenantProfile { closure: there.value.closure.clone(), ..profile },
        Err(errors) => return Ok(Page::invalid(edit(&frame, &input, &errors, &Said::Nothing, &check))),
    };
    if profile != there.value {
        let entry = entry(&allowed, &visit, Act::SettingsChanged).with("change", changes(&there.value, &profile));
        match store.save_settings(there.version, &profile, &entry).await {
            Ok(()) => {
                for job in keep_hours(&there.value, &profile) {
                    store.arrange(*job, visit.at, "").await?;
                }
            }
            Err(Error::Conflict) => return Ok(conflict(&frame, &input, store.settings().await?, &check)),
            Err(error) => return Err(error),
        }
    }
    Ok(Page::to("/dashboard/settings?saved"))
}

/// What goes out at an hour of the tenant's day: called once, each enters its next time in the new time zone, and sends nothing
/// that was not due.
fn keep_hours(before: &TenantProfile, after: &TenantProfile) -> &'static [Job] {
    if before.time_zone == after.time_zone { &[] } else { &[Job::SendReports, Job::SendReminders] }
}

fn changes(before: &TenantProfile, after: &TenantProfile) -> String {
    let fields = [
        ("name", before.name != after.name),
        ("time-zone", before.time_zone != after.time_zone),
        ("jurisdictions", before.jurisdictions != after.jurisdictions),
        ("retention", before.retention != after.retention),
        ("reminders", before.reminders != after.reminders),
        ("photo-id", before.photo_id != after.photo_id),
    ];
    let changed: Vec<&str> = fields.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect();
    changed.join(" ")
}

fn conflict(frame: &Frame, input: &Input, there: Versioned<TenantProfile>, check: &human_check::Shown) -> Page {
    let input = Input { version: there.version, ..input.clone() };
    Page::html(edit(frame, &input, &[], &Said::Changed(there.value), check)).with_status(409)
}

/// What the form holds, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Input {
    version: u64,
    name: String,
    time_zone: String,
    jurisdictions: Vec<String>,
    request_months: String,
    recording_months: String,
    message_months: String,
    attachment_months: String,
    days_before: String,
    on_the_day: bool,
    daily_when_overdue: bool,
    photo_id: bool,
    closure: Closure,
}

impl Input {
    fn of(there: &Versioned<TenantProfile>) -> Self {
        let TenantProfile { name, time_zone, jurisdictions, retention, reminders, photo_id, closure } = &there.value;
        Self {
            version: there.version,
            name: name.clone(),
            time_zone: time_zone.clone(),
            jurisdictions: jurisdictions.iter().map(ToString::to_string).collect(),
            request_months: retention.request_months.to_string(),
            recording_months: retention.recording_months.to_string(),
            message_months: retention.message_months.to_string(),
            attachment_months: retention.attachment_months.to_string(),
            days_before: reminders.days_before.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            on_the_day: reminders.on_the_day,
            daily_when_overdue: reminders.daily_when_overdue,
            photo_id: *photo_id,
            closure: closure.clone(),
        }
    }

    fn sent(form: &Fields) -> Self {
        let text = |name| form.get(name).trim().to_owned();
        Self {
            version: form.get("version").parse().unwrap_or(0),
            name: text("name"),
            time_zone: text("time-zone"),
            jurisdictions: form.all("jurisdictions").into_iter().map(str::to_owned).collect(),
            request_months: text("retention.request-months"),
            recording_months: text("retention.recording-months"),
            message_months: text("retention.message-months"),
            attachment_months: text("retention.attachment-months"),
            days_before: text("reminders.days-before"),
            on_the_day: form.has("reminders.on-the-day"),
            daily_when_overdue: form.has("reminders.daily-when-overdue"),
            photo_id: form.has("photo-id"),
            // Only the operator closes and opens an account.
            closure: Closure::Open,
        }
    }

    /// As it will be stored, or everything that is wrong with it. What is no number is 0, which no field takes.
    fn profile(&self, language: Language) -> Result<TenantProfile, Vec<FieldError>> {
        let months = |text: &str| text.parse().unwrap_or(0);
        let days = self.days_before.split([',', ' ']).filter(|day| !day.is_empty());
        let profile = TenantProfile {
            name: self.name.clone(),
            time_zone: self.time_zone.clone(),
            jurisdictions: self.jurisdictions.iter().filter_map(|code| Jurisdiction::parse(code)).collect(),
            retention: Retention {
                request_months: months(&self.request_months),
                recording_months: months(&self.recording_months),
                message_months: months(&self.message_months),
                attachment_months: months(&self.attachment_months),
            },
            reminders: Reminders {
                days_before: days.map(|day| day.parse().unwrap_or(0)).collect(),
                on_the_day: self.on_the_day,
                daily_when_overdue: self.daily_when_overdue,
            },
            photo_id: self.photo_id,
            closure: self.closure.clone(),
        };
        profile.validate().map_err(|errors| in_words(language, errors))?;
        Ok(profile)
    }
}

/// What the page says above its form.
enum Said {
    Nothing,
    Saved,
    /// What somebody else has saved meanwhile.
    Changed(TenantProfile),
}

/// The zones of the United States and its territories, from east to west.
const ZONES: [&str; 16] = [
    "America/Puerto_Rico",
    "America/New_York",
    "America/Detroit",
    "America/Indiana/Indianapolis",
    "America/Kentucky/Louisville",
    "America/Chicago",
    "America/Denver",
    "America/Boise",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "America/Adak",
    "Pacific/Honolulu",
    "Pacific/Pago_Pago",
    "Pacific/Guam",
    "UTC",
];

fn edit(frame: &Frame, input: &Input, errors: &[FieldError], said: &Said, check: &human_check::Shown) -> Markup {
    let (language, texts) = (frame.language, Texts::of(frame.language));
    let months = |name: &str, label: &str, hint: &str, value: &str, least: u16| {
        Field::number(name, label)
            .hint(hint)
            .value(value)
            .range(Some(least), Some(LONGEST_RETENTION))
            .required()
            .errors(errors)
    };
    let form = Form::post(language, "/dashboard/settings", frame.csrf.as_str()).errors(errors).body(html! {
        (form::hidden("version", &input.version.to_string()))
        (Card::new(texts.business).body(html! {
            (Field::text("name", texts.name).hint(texts.name_hint).value(&input.name).max_length(100).required()
                .autocomplete("organization").errors(errors))
            (zones(texts, &input.time_zone).errors(errors))
        }))
        (Card::new(texts.laws).lede(texts.laws_lede).body(html! {
            (Jurisdiction::ALL.into_iter().fold(Choices::checkboxes("jurisdictions", texts.jurisdictions), |choices, it| {
                choices.choice(it.as_str(), words::jurisdiction(language, it))
            }).hint(texts.jurisdictions_hint).chosen(input.jurisdictions.clone()).errors(errors))
        }))
        (Card::new(texts.retention).lede(texts.retention_lede).body(html! {
            (months("retention.request-months", texts.requests, texts.requests_hint, &input.request_months, SHORTEST_RETENTION))
            (months("retention.recording-months", texts.recordings, texts.recordings_hint, &input.recording_months, 1))
            (months("retention.message-months", texts.messages, texts.messages_hint, &input.message_months, 1))
            (months("retention.attachment-months", texts.attachments, texts.attachments_hint, &input.attachment_months, 1))
            p.note { (texts.retention_note) }
        }))
        (Card::new(texts.reminders).lede(texts.reminders_lede).body(html! {
            (Field::text("reminders.days-before", texts.days_before).hint(texts.days_before_hint)
                .value(&input.days_before).plain_text().narrow().errors(errors))
            (Check::switch("reminders.on-the-day", texts.on_the_day).on(input.on_the_day))
            (Check::switch("reminders.daily-when-overdue", texts.overdue).on(input.daily_when_overdue))
        }))
        (Card::new(texts.identity).lede(texts.identity_lede).body(html! {
            (Check::switch("photo-id", texts.photo_id).hint(texts.photo_id_hint).on(input.photo_id))
        }))
        (form::actions(&html! { (Button::primary(texts.save)) }))
    });
    let main = html! {
        (Heading::new(texts.title))
        (closed::banner(language, &input.closure))
        @match said {
            Said::Nothing => {}
            Said::Saved => { (Notice::success(texts.saved).body(html! { p { (texts.saved_why) } })) }
            Said::Changed(there) => {
                (Notice::warning(texts.changed).body(html! { p { (texts.changed_why) } (facts(language, texts, there)) }))
            }
        }
        (form)
        (human_check::edit(frame, check))
    };
    pages::page(frame, texts.title, &main)
}

fn zones(texts: &Texts, chosen: &str) -> Select {
    let select = Select::new("time-zone", texts.time_zone).hint(texts.time_zone_hint).required();
    // A zone from elsewhere, set up by the operator, stays.
    let select = if ZONES.contains(&chosen) { select } else { select.choice(chosen, chosen) };
    select.choices(ZONES.map(|zone| (zone, zone.replace('_', " ")))).chosen(chosen)
}

fn read(frame: &Frame, profile: &TenantProfile, check: &human_check::Shown) -> Markup {
    let texts = Texts::of(frame.language);
    let main = html! {
        (Heading::new(texts.title))
        (closed::banner(frame.language, &profile.closure))
        (Card::new(texts.business).body(html! { (facts(frame.language, texts, profile)) }))
        (human_check::read(frame.language, check))
    };
    pages::page(frame, texts.title, &main)
}

fn facts(language: Language, texts: &Texts, profile: &TenantProfile) -> Facts {
    let laws: Vec<&str> = profile.jurisdictions.iter().map(|it| words::jurisdiction(language, *it)).collect();
    let laws =
        if laws.is_empty() { words::jurisdiction(language, Jurisdiction::UsCa).to_owned() } else { laws.join(", ") };
    let days: Vec<String> = profile.reminders.days_before.iter().map(ToString::to_string).collect();
    let Retention { request_months, recording_months, message_months, attachment_months } = &profile.retention;
    Facts::new()
        .fact(texts.name, html! { (profile.name) })
        .fact(texts.time_zone, html! { (profile.time_zone) })
        .fact(texts.jurisdictions, html! { (laws) })
        .fact(texts.requests, html! { (request_months) })
        .fact(texts.recordings, html! { (recording_months) })
        .fact(texts.messages, html! { (message_months) })
        .fact(texts.attachments, html! { (attachment_months) })
        .fact(texts.days_before, html! { (days.join(", ")) })
        .fact(texts.photo_id, html! { (if profile.photo_id { texts.yes } else { texts.no }) })
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    business: &'static str,
    name: &'static str,
    name_hint: &'static str,
    time_zone: &'static str,
    time_zone_hint: &'static str,
    laws: &'static str,
    laws_lede: &'static str,
    jurisdictions: &'static str,
    jurisdictions_hint: &'static str,
    retention: &'static str,
    retention_lede: &'static str,
    retention_note: &'static str,
    requests: &'static str,
    requests_hint: &'static str,
    recordings: &'static str,
    recordings_hint: &'static str,
    messages: &'static str,
    messages_hint: &'static str,
    attachments: &'static str,
    attachments_hint: &'static str,
    reminders: &'static str,
    reminders_lede: &'static str,
    days_before: &'static str,
    days_before_hint: &'static str,
    on_the_day: &'static str,
    overdue: &'static str,
    identity: &'static str,
    identity_lede: &'static str,
    photo_id: &'static str,
    photo_id_hint: &'static str,
    yes: &'static str,
    no: &'static str,
    save: &'static str,
    saved: &'static str,
    saved_why: &'static str,
    changed: &'static str,
    changed_why: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Settings",
        business: "Your business",
        name: "Name",
        name_hint: "As people who make a request know it.",
        time_zone: "Time zone",
        time_zone_hint: "A request is received, and due, on a date there.",
        laws: "Laws",
        laws_lede: "Each request gets the strictest date of those that apply to it.",
        jurisdictions: "States whose laws you answer under",
        jurisdictions_hint: "None chosen means California.",
        retention: "How long things are kept",
        retention_lede: "In months from the answer. A request then waits 90 days in the recycle bin, from where owners and managers can restore it, and is erased for good. What is open stays, and so does everything under a legal hold.",
        retention_note: "If you choose a shorter time for recordings, messages or attachments, it counts from 90 days on: they do not go through the recycle bin.",
        requests: "Requests and answers, in months",
        requests_hint: "From the answer. The law asks for at least 24 (11 CCR 7101).",
        recordings: "Recordings, in months",
        recordings_hint: "With what they say in writing. Where this is shorter than for the request, they are erased by themselves.",
        messages: "Messages that asked for nothing, in months",
        messages_hint: "A message that was filed as a request is kept as one. What you and the person wrote each other goes by this too, but never before 24 months: it says how you answered.",
        attachments: "Attachments, in months",
        attachments_hint: "They may hold proofs of identity. Where this is shorter than for the request, they are erased by themselves; those that the person can download never before 24 months: they say how you answered.",
        reminders: "Reminders",
        reminders_lede: "Mailed to whoever works on a request and has reminders switched on in their account.",
        days_before: "Days before the last day",
        days_before_hint: "Up to five numbers, the highest first: 10, 5, 2.",
        on_the_day: "On the last day",
        overdue: "Every day after it, until it is answered",
        identity: "Who asks",
        identity_lede: "How people show that a request is theirs. Opting out and limiting never ask for it.",
        photo_id: "Take photo IDs",
        photo_id_hint: "Only for requests to know specific pieces, delete or correct, and only once you have asked for verification. A photo is deleted when verification ends, at the latest after 30 days (11 CCR 7060). Leave this off unless nothing less is enough.",
        yes: "Yes",
        no: "No",
        save: "Save settings",
        saved: "Saved",
        saved_why: "Requests that come in from now on follow it. A new name or time zone shows to each of you after the next sign-in.",
        changed: "Somebody else has just changed the settings",
        changed_why: "Nothing of yours is lost: it is still in the form. This is what is saved now. Save again to replace it with yours.",
    };
    const ES: Self = Self {
        title: "Configuración",
        business: "Su empresa",
        name: "Nombre",
        name_hint: "Como la conoce quien hace una solicitud.",
        time_zone: "Zona horaria",
        time_zone_hint: "Una solicitud se recibe, y vence, en una fecha de allí.",
        laws: "Leyes",
        laws_lede: "Cada solicitud lleva la fecha más estricta de las que le corresponden.",
        jurisdictions: "Estados cuyas leyes debe cumplir",
        jurisdictions_hint: "Si no elige ninguno, es California.",
        retention: "Cuánto tiempo se guardan las cosas",
        retention_lede: "En meses desde la respuesta. Después, una solicitud espera 90 días en la papelera, de donde titulares y gerentes pueden restaurarla, y se borra para siempre. Lo que está abierto se queda, y también todo lo que está bajo retención legal.",
        retention_note: "Si elige un plazo más corto para grabaciones, mensajes o archivos, cuenta a partir de 90 días: no pasan por la papelera.",
        requests: "Solicitudes y respuestas, en meses",
        requests_hint: "Desde la respuesta. La ley pide 24 como mínimo (11 CCR 7101).",
        recordings: "Grabaciones, en meses",
        recordings_hint: "Con lo que dicen, por escrito. Si es menos que para la solicitud, se borran por sí solas.",
        messages: "Mensajes que no pedían nada, en meses",
        messages_hint: "Un mensaje que se registró como solicitud se guarda como tal. Lo que usted y la persona se escribieron sigue también este plazo, pero nunca antes de 24 meses: dice cómo respondió.",
        attachments: "Archivos adjuntos, en meses",
        attachments_hint: "Pueden contener pruebas de identidad. Si es menos que para la solicitud, se borran por sí solos; los que la persona puede descargar, nunca antes de 24 meses: dicen cómo respondió.",
        reminders: "Recordatorios",
        reminders_lede: "Por correo, a quien atiende la solicitud y los tiene activados en su cuenta.",
        days_before: "Días antes del último día",
        days_before_hint: "Hasta cinco números, primero el más alto: 10, 5, 2.",
        on_the_day: "El último día",
        overdue: "Cada día después, hasta que se responda",
        identity: "Quién lo pide",
        identity_lede: "Cómo muestra una persona que la solicitud es suya. Para no vender o limitar no se pide nunca.",
        photo_id: "Aceptar identificaciones con foto",
        photo_id_hint: "Solo para solicitudes de saber datos concretos, eliminar o corregir, y solo cuando haya pedido la verificación. La foto se elimina al acabar la verificación, a más tardar a los 30 días (11 CCR 7060). Déjelo desactivado salvo que no baste con menos.",
        yes: "Sí",
        no: "No",
        save: "Guardar configuración",
        saved: "Guardado",
        saved_why: "Se aplica a las solicitudes que lleguen desde ahora. El nombre o la zona horaria nuevos los verá cada persona cuando vuelva a entrar.",
        changed: "Otra persona acaba de cambiar la configuración",
        changed_why: "No se pierde nada: lo suyo sigue en el formulario. Esto es lo que está guardado ahora. Guarde otra vez para reemplazarlo.",
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
    use crate::setup::tests::{frame, main_of};

    fn stored() -> Versioned<TenantProfile> {
        let value = TenantProfile {
            name: "Example <Shop>".into(),
            time_zone: "America/Los_Angeles".into(),
            jurisdictions: vec![Jurisdiction::UsCa, Jurisdiction::UsTx],
            retention: Retention::default(),
            reminders: Reminders::default(),
            photo_id: true,
            closure: Closure::Open,
        };
        Versioned { value, version: 4 }
    }

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn a_form_that_comes_back_unchanged_changes_nothing() {
        let there = stored();
        assert_eq!(Input::of(&there).profile(Language::English), Ok(there.value));
    }

    #[test]
    fn what_goes_out_at_an_hour_of_the_day_is_entered_anew_when_the_day_begins_elsewhere() {
        let before = stored().value;
        let named = TenantProfile { name: "Other".into(), ..before.clone() };
        let moved = TenantProfile { time_zone: "America/New_York".into(), ..before.clone() };
        assert_eq!(keep_hours(&before, &named), []);
        assert_eq!(keep_hours(&before, &moved), [Job::SendReports, Job::SendReminders]);
    }

    #[test]
    fn every_zone_that_is_offered_is_one() {
        for zone in ZONES {
            assert!(jiff::tz::TimeZone::get(zone).is_ok(), "{zone}");
        }
    }

    #[test]
    fn each_field_that_is_wrong_says_so_beside_it_and_keeps_what_was_typed() {
        let input = Input {
            name: String::new(),
            time_zone: "Mars/Olympus".into(),
            request_months: "twelve".into(),
            message_months: "-3".into(),
            days_before: "2, 10".into(),
            ..Input::of(&stored())
        };
        let errors = input.profile(Language::English).unwrap_err();
        insta::assert_snapshot!(main_of(edit(
            &frame(Language::English, Section::Settings),
            &input,
            &errors,
            &Said::Nothing,
            &human_check::Shown::none()
        )));
    }

    #[test]
    fn who_may_not_edit_reads() {
        let text =
            main_of(read(&frame(Language::Spanish, Section::Settings), &stored().value, &human_check::Shown::none()));
        assert!(text.contains("California, Texas") && !text.contains("<form"), "{text}");
    }
}
