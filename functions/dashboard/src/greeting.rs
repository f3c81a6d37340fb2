//! `GET` and `POST /dashboard/greeting/{code}`: one language's greeting: as text or as a recording, and what it was before.
//!
//! A recording goes from the browser straight to S3, with a form signed here. The browser comes back with a ticket; the
//! content is checked, and a recording that plays on the telephone can be listened to and then used. The next call
//! hears it.

use domain::audit::Act;
use domain::field_error::FieldError;
use domain::language::Language;
use domain::service_code::{Greeting, ServiceCode, ServiceCodeProfile};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use maud::{Markup, html};
use pages::form::{self, Button, Field, Form};
use pages::show::{self, Card, Empty, Heading, Notice, Tab};
use pages::{Frame, Icon, Section, fill, format, words};
use platform::blob::{UploadForm, UploadId};
use platform::edge::{Page, Visit};
use platform::session::{Allowed, EditServiceCodes};
use platform::store::{PastGreeting, Versioned};
use platform::{App, Error};
use serde::Serialize;

use crate::service_code::voice;
use crate::setup::{entry, in_words};
use crate::sound::{self, Format, Refused};

/// Ties an upload to the code and language that it was made for.
const UPLOAD: &str = "greeting-upload";
/// A recording that was checked.
const CHECKED: &str = "greeting-checked";
/// The form is good for ten minutes; an upload may take a few more.
const UPLOAD_LIVES: SignedDuration = SignedDuration::from_mins(20);
/// Time to listen to a recording before it is used.
const CHECKED_LIVES: SignedDuration = SignedDuration::from_hours(1);

/// Shows the greeting, looks at an upload, or saves.
pub async fn handle(app: &App, allowed: Allowed<EditServiceCodes>, visit: Visit) -> Result<Page, Error> {
    let code = ServiceCode::parse(&visit.segment).map_err(|_| Error::NotFound)?;
    let there = app.store.of(&allowed.tenant).service_code_settings(&code).await?;
    let asked = if visit.post { visit.form.get("language") } else { visit.query.get("language") };
    let offered = |language: &Language| there.value.languages.contains(language);
    let language = Language::parse(asked).filter(offered).or(there.value.languages.first().copied());
    let desk = Desk { app, allowed: &allowed, visit: &visit, code, there, language: language.ok_or(Error::NotFound)? };
    if visit.post {
        return desk.save().await;
    }
    // S3 appends to the address what it has stored, some stores with a second question mark.
    match visit.query.get("upload").split('?').next().unwrap_or_default() {
        "" => desk.page(desk.said(), None, &[], 200).await,
        upload => desk.look_at(upload).await,
    }
}

/// What is open on the page.
struct Desk<'a> {
    app: &'a App,
    allowed: &'a Allowed<EditServiceCodes>,
    visit: &'a Visit,
    code: ServiceCode,
    there: Versioned<ServiceCodeProfile>,
    language: Language,
}

impl Desk<'_> {
    fn context(&self) -> String {
        format!("{} {} {}", self.allowed.tenant.id(), self.code, self.language)
    }

    fn said(&self) -> Said {
        if self.visit.query.has("saved") { Said::Saved } else { Said::Nothing }
    }

    /// What was uploaded, by its content.
    async fn look_at(&self, upload: &str) -> Result<Page, Error> {
        let tickets = self.app.tickets().await?;
        let id: Option<String> = tickets.open(UPLOAD, &self.context(), self.visit.at, upload).ok();
        let bytes = match id.as_deref().and_then(UploadId::parse) {
            Some(id) => self.app.blobs.uploaded(&self.allowed.tenant, &id).await,
            None => Err(Error::NotFound),
        };
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(Error::NotFound) => return self.page(Said::Gone, None, &[], 404).await,
            Err(error) => return Err(error),
        };
        match sound::check(&bytes) {
            Ok(sound) => {
                let file = self.app.blobs.keep_greeting(&self.allowed.tenant, bytes, sound.format.extension()).await?;
                let ticket = tickets.seal(CHECKED, &self.context(), self.visit.at + CHECKED_LIVES, &file)?;
                let checked = Checked { file, format: sound.format, seconds: sound.lasts.as_secs(), ticket };
                self.page(Said::Nothing, Some(checked), &[], 200).await
            }
            Err(refused) => self.page(Said::Refused(refused), None, &[], 422).await,
        }
    }

    async fn save(&self) -> Result<Page, Error> {
        let form = &self.visit.form;
        let (greeting, change) = match form.get("do") {
            "text" => (Greeting::Text(form.get("text").replace("\r\n", "\n").trim().to_owned()), "text"),
            "use" => {
                let tickets = self.app.tickets().await?;
                match tickets.open(CHECKED, &self.context(), self.visit.at, form.get("recording")) {
                    Ok(file) => (Greeting::Audio { file }, "recording"),
                    Err(_) => return self.page(Said::Gone, None, &[], 404).await,
                }
            }
            "restore" => {
                let history = self.app.store.of(&self.allowed.tenant).greetings(&self.code, self.language).await?;
                let past = history.into_iter().find(|past| stamp(past) == form.get("saved-at"));
                (past.ok_or(Error::NotFound)?.greeting, "restored")
            }
            _ => return Err(Error::invalid("do", "Use the buttons of the page.")),
        };
        if form.get("version") != self.there.version.to_string() {
            return self.page(Said::Changed(greeting), None, &[], 409).await;
        }
        let mut profile = self.there.value.clone();
        profile.greetings.insert(self.language, greeting.clone());
        if let Err(errors) = profile.validate() {
            let field = format!("greetings.{}", self.language);
            let errors = errors.into_iter().filter(|error| error.field == field);
            let errors = errors.map(|error| FieldError::new("text", error.reason)).collect();
            let errors = in_words(self.visit.language, errors);
            return self.page(Said::Typed(greeting), None, &errors, 422).await;
        }
        let entry = entry(self.allowed, self.visit, Act::ServiceCodeChanged)
            .on("service-code", self.code.as_str())
            .with("change", format!("greetings.{} {change}", self.language));
        let store = self.app.store.of(&self.allowed.tenant);
        match store.save_service_code(&self.there, &profile, &self.allowed.user, &entry).await {
            Ok(()) => {}
            Err(Error::Conflict) => return self.page(Said::Changed(greeting), None, &[], 409).await,
            Err(error) => return Err(error),
        }
        Ok(Page::to(format!("/dashboard/greeting/{}?language={}&saved", self.code, self.language)))
    }

    async fn page(
        &self,
        said: Said,
        checked: Option<Checked>,
        errors: &[FieldError],
        status: i64,
    ) -> Result<Page, Error> {
        let store = self.app.store.of(&self.allowed.tenant);
        // After a conflict: what the other person saved.
        let there = match &said {
            Said::Changed(_) => store.service_code_settings(&self.code).await?,
            _ => self.there.clone(),
        };
        let id = UploadId::random()?;
        let tickets = self.app.tickets().await?;
        let ticket = tickets.seal(UPLOAD, &self.context(), self.visit.at + UPLOAD_LIVES, &id.as_str())?;
        let base = self.app.config.public_base_url()?;
        let back = format!("{base}/dashboard/greeting/{}?language={}&upload={ticket}", self.code, self.language);
        let view = View {
            code: self.code.clone(),
            version: there.version,
            languages: there.value.languages.clone(),
            greeting: there.value.greetings.get(&self.language).cloned(),
            spoken: self.language,
            history: store.greetings(&self.code, self.language).await?,
            upload: self.app.blobs.upload_form(&self.allowed.tenant, &id, &back, self.visit.at)?,
            time_zone: self.allowed.tz(),
            checked,
            said,
        };
        let frame = self.allowed.frame(self.visit, Section::ServiceCodes);
        let origin = view.upload.origin.clone();
        Ok(Page::html(show(&frame, &view, errors)).with_status(status).with_form_action(origin))
    }
}

/// Names an entry of the history in a form.
fn stamp(past: &PastGreeting) -> String {
    past.at.unwrap_or(Timestamp::UNIX_EPOCH).as_millisecond().to_string()
}

/// What the page says first.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    Saved,
    /// An upload, or a recording, that is not there any more.
    Gone,
    Refused(Refused),
    /// Somebody else was faster; this was to be saved.
    Changed(Greeting),
    /// What was typed, and is wrong.
    Typed(Greeting),
}

/// A recording that plays, before it is used.
#[derive(Debug)]
struct Checked {
    file: String,
    format: Format,
    seconds: u64,
    ticket: String,
}

#[derive(Debug)]
struct View {
    code: ServiceCode,
    version: u64,
    languages: Vec<Language>,
    greeting: Option<Greeting>,
    spoken: Language,
    history: Vec<PastGreeting>,
    upload: UploadForm,
    time_zone: TimeZone,
    checked: Option<Checked>,
    said: Said,
}

fn show(frame: &Frame, view: &View, errors: &[FieldError]) -> Markup {
    let (language, texts) = (frame.language, Texts::of(frame.language));
    let code = view.code.as_str();
    let title = fill(texts.title, &[("code", code)]);
    let (code_page, code_name) = (format!("/dashboard/service-code/{code}"), fill(texts.code, &[("code", code)]));
    let above =
        [("/dashboard/service-codes", Section::ServiceCodes.name(language)), (code_page.as_str(), code_name.as_str())];
    let hrefs: Vec<_> =
        view.languages.iter().map(|it| (format!("/dashboard/greeting/{code}?language={it}"), *it)).collect();
    let tabs: Vec<Tab<'_>> = hrefs
        .iter()
        .map(|(href, it)| Tab { href, label: words::language(language, *it), current: *it == view.spoken, count: None })
        .collect();
    let main = html! {
        (Heading::new(title.as_str()).lede(texts.lede).above(language, &above))
        (notice(language, texts, &view.said))
        @if tabs.len() > 1 { (show::tabs(texts.languages, &tabs)) }
        @if let Some(checked) = &view.checked { (preview(frame, texts, view, checked)) }
        (now(frame, texts, view, errors))
        (upload(texts, &view.upload))
        (history(frame, texts, view))
    };
    pages::page(frame, &title, &main)
}

fn notice(language: Language, texts: &Texts, said: &Said) -> Markup {
    match said {
        Said::Nothing | Said::Typed(_) => html! {},
        Said::Saved => html! { (Notice::success(texts.saved)) },
        Said::Gone => html! { (Notice::warning(texts.gone).body(html! { p { (texts.gone_why) } })) },
        Said::Refused(refused) => {
            html! { (Notice::danger(texts.refused).body(html! { p { (refused.words(language)) } })) }
        }
        Said::Changed(_) => html! { (Notice::warning(texts.changed).body(html! { p { (texts.changed_why) } })) },
    }
}

/// The recording that was just uploaded.
fn preview(frame: &Frame, texts: &Texts, view: &View, checked: &Checked) -> Markup {
    let lasts = format::duration(checked.seconds);
    let form = post(frame, view, "use").body(html! {
        (form::hidden("version", &view.version.to_string()))
        (form::hidden("language", view.spoken.code()))
        (form::hidden("do", "use"))
        (form::hidden("recording", &checked.ticket))
        (form::actions(&html! { (Button::primary(texts.use_this).icon(Icon::Check)) }))
    });
    html! {
        (Card::new(texts.uploaded).lede(fill(texts.uploaded_why, &[("lasts", &lasts)])).body(html! {
            (player(texts.uploaded, &checked.file, checked.format))
            (form.plain())
        }))
    }
}

fn now(frame: &Frame, texts: &Texts, view: &View, errors: &[FieldError]) -> Markup {
    let typed = match (&view.said, &view.greeting) {
        (Said::Typed(Greeting::Text(text)) | Said::Changed(Greeting::Text(text)), _)
        | (_, Some(Greeting::Text(text))) => text.as_str(),
        _ => "",
    };
    let form = post(frame, view, "text").errors(errors).body(html! {
        (form::hidden("version", &view.version.to_string()))
        (form::hidden("language", view.spoken.code()))
        (form::hidden("do", "text"))
        (Field::area("text", texts.text, 4).within("text").value(typed).max_length(3000).required().errors(errors)
            .hint(fill(texts.read_by, &[("voice", voice(view.spoken))])))
        (form::actions(&html! { (Button::primary(texts.save)) }))
    });
    html! {
        (Card::new(texts.now).body(html! {
            @match &view.greeting {
                Some(Greeting::Audio { file }) => { p { (texts.plays) } (player(texts.now, file, format_of(file))) }
                Some(Greeting::Text(text)) => { blockquote { (text) } }
                None => { p { (texts.nothing) } }
            }
            (form)
        }))
    }
}

fn upload(texts: &Texts, upload: &UploadForm) -> Markup {
    // No token of ours: the form goes to S3, which knows its signature.
    html! {
        (Card::new(texts.upload).lede(texts.upload_lede).body(html! {
            form.form method="post" action=(upload.action) enctype="multipart/form-data" data-once {
                @for (name, value) in &upload.fields { (form::hidden(name, value)) }
                (Field::file("file", texts.file, ".mp3,.wav,audio/mpeg,audio/wav").hint(texts.file_hint).required())
                (form::actions(&html! { (Button::secondary(texts.send).icon(Icon::Upload)) }))
            }
            (show::disclosure(texts.how, false, &html! { p { (texts.how_text) } }))
        }))
    }
}

fn history(frame: &Frame, texts: &Texts, view: &View) -> Markup {
    let language = frame.language;
    html! {
        (Card::new(texts.history).lede(texts.history_lede).body(html! {
            @if view.history.is_empty() {
                (Empty::new(texts.no_history, texts.no_history_why).icon(Icon::Clock))
            }
            @for (n, past) in view.history.iter().enumerate() {
                @let when = match past.at {
                    Some(at) => format::date_time(language, &at.to_zoned(view.time_zone.clone())),
                    None => texts.from_the_start.to_owned(),
                };
                section.part {
                    h3 { (when) }
                    @match &past.greeting {
                        Greeting::Text(text) => { blockquote { (text) } }
                        Greeting::Audio { file } => { (player(&format!("{} – {when}", texts.a_recording), file, format_of(file))) }
                    }
                    @if Some(&past.greeting) == view.greeting.as_ref() {
                        p { strong { (texts.in_use) } }
                    } @else {
                        (post(frame, view, &format!("past-{n}")).plain().body(html! {
                            (form::hidden("version", &view.version.to_string()))
                            (form::hidden("language", view.spoken.code()))
                            (form::hidden("do", "restore"))
                            (form::hidden("saved-at", &stamp(past)))
                            (Button::secondary(texts.restore).icon(Icon::Undo).about(when.as_str()))
                        }))
                    }
                }
            }
        }))
    }
}

fn post(frame: &Frame, view: &View, id: &str) -> Form {
    Form::post(frame.language, format!("/dashboard/greeting/{}", view.code), frame.csrf.as_str()).id(id)
}

fn player(label: &str, file: &str, format: Format) -> Markup {
    let content_type = match format {
        Format::Mp3 => "audio/mpeg",
        Format::Wav => "audio/wav",
    };
    show::audio(label, &format!("/voice/greeting/{file}"), content_type)
}

fn format_of(file: &str) -> Format {
    if file.rsplit_once('.').is_some_and(|(_, extension)| extension == "wav") { Format::Wav } else { Format::Mp3 }
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    lede: &'static str,
    code: &'static str,
    languages: &'static str,
    now: &'static str,
    plays: &'static str,
    nothing: &'static str,
    text: &'static str,
    read_by: &'static str,
    save: &'static str,
    upload: &'static str,
    upload_lede: &'static str,
    file: &'static str,
    file_hint: &'static str,
    send: &'static str,
    how: &'static str,
    how_text: &'static str,
    uploaded: &'static str,
    uploaded_why: &'static str,
    use_this: &'static str,
    history: &'static str,
    history_lede: &'static str,
    no_history: &'static str,
    no_history_why: &'static str,
    from_the_start: &'static str,
    a_recording: &'static str,
    in_use: &'static str,
    restore: &'static str,
    saved: &'static str,
    gone: &'static str,
    gone_why: &'static str,
    refused: &'static str,
    changed: &'static str,
    changed_why: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Greeting of {code}",
        lede: "The first thing a caller hears once the code is keyed. What you save is heard by the next call.",
        code: "Service code {code}",
        languages: "Languages",
        now: "What callers hear now",
        plays: "A recording is played.",
        nothing: "Nothing yet.",
        text: "Greeting as text",
        read_by: "Read aloud by {voice}, the voice of the whole call. Saving text replaces a recording.",
        save: "Save text",
        upload: "Upload a recording",
        upload_lede: "MP3 or WAV, up to 4 MB and 5 minutes. You can listen to it before callers do.",
        file: "Recording",
        file_hint: "WAV as 8 or 16-bit PCM, µ-law or A-law.",
        send: "Upload and listen",
        how: "What makes a good recording",
        how_text: "A quiet room, a calm voice, 15 seconds: who you are, and that the menu follows. Telephones carry no deep or high tones, so music does not help.",
        uploaded: "Your new recording",
        uploaded_why: "It lasts {lasts} and plays on every telephone. Callers hear it once you use it.",
        use_this: "Use this greeting",
        history: "Earlier greetings",
        history_lede: "The last 20 that were saved, the newest first.",
        no_history: "Nothing was changed yet",
        no_history_why: "Every greeting that you save here is kept, so that you can go back to it.",
        from_the_start: "From the start",
        a_recording: "A recording",
        in_use: "In use now",
        restore: "Use this again",
        saved: "Saved. The next call hears it.",
        gone: "The upload is not there any more",
        gone_why: "Uploads are kept for a short time only. Please upload the recording again.",
        refused: "This file cannot be a greeting",
        changed: "Somebody else has just changed this service code",
        changed_why: "What is saved now is shown below. Save yours once more to replace it.",
    };
    const ES: Self = Self {
        title: "Saludo de {code}",
        lede: "Lo primero que oye quien llama después de marcar el código. Lo que guarde lo oye la próxima llamada.",
        code: "Código de servicio {code}",
        languages: "Idiomas",
        now: "Lo que se oye ahora",
        plays: "Se oye una grabación.",
        nothing: "Todavía nada.",
        text: "Saludo como texto",
        read_by: "Lo lee {voice}, la voz de toda la llamada. Guardar un texto reemplaza la grabación.",
        save: "Guardar texto",
        upload: "Subir una grabación",
        upload_lede: "MP3 o WAV, hasta 4 MB y 5 minutos. Puede escucharla antes que quienes llaman.",
        file: "Grabación",
        file_hint: "WAV como PCM de 8 o 16 bits, µ-law o A-law.",
        send: "Subir y escuchar",
        how: "Cómo hacer una buena grabación",
        how_text: "Un lugar tranquilo, una voz serena, 15 segundos: quién es usted y que sigue el menú. El teléfono no transmite tonos graves ni agudos, así que la música no ayuda.",
        uploaded: "Su nueva grabación",
        uploaded_why: "Dura {lasts} y se oye en cualquier teléfono. Se oirá en las llamadas cuando usted la use.",
        use_this: "Usar este saludo",
        history: "Saludos anteriores",
        history_lede: "Los últimos 20 que se guardaron, primero el más reciente.",
        no_history: "Todavía no se ha cambiado nada",
        no_history_why: "Cada saludo que guarde aquí se conserva, para que pueda volver a él.",
        from_the_start: "Desde el principio",
        a_recording: "Una grabación",
        in_use: "En uso ahora",
        restore: "Usar de nuevo",
        saved: "Guardado. Lo oye la próxima llamada.",
        gone: "Lo que subió ya no está",
        gone_why: "Lo que se sube se guarda poco tiempo. Suba la grabación de nuevo, por favor.",
        refused: "Este archivo no puede ser un saludo",
        changed: "Otra persona acaba de cambiar este código",
        changed_why: "Abajo está lo que hay guardado ahora. Guarde lo suyo otra vez para reemplazarlo.",
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

    fn view(said: Said, checked: Option<Checked>) -> View {
        let old = Greeting::Audio { file: format!("{}.wav", "0b".repeat(32)) };
        View {
            code: ServiceCode::parse("42").unwrap(),
            version: 7,
            languages: Language::ALL.to_vec(),
            greeting: Some(Greeting::Text("Welcome to <Shop>.".into())),
            spoken: Language::English,
            history: vec![
                PastGreeting {
                    at: Some("2026-11-22T01:00:00Z".parse().unwrap()),
                    greeting: Greeting::Text("Welcome to <Shop>.".into()),
                },
                PastGreeting { at: None, greeting: old },
            ],
            upload: UploadForm {
                action: "https://greetings.s3.us-west-2.amazonaws.com/".into(),
                origin: "https://greetings.s3.us-west-2.amazonaws.com".into(),
                fields: vec![("key", "uploads/t-a/x".into()), ("policy", "e30=".into())],
            },
            time_zone: TimeZone::get("America/Los_Angeles").unwrap(),
            checked,
            said,
        }
    }

    fn shown(view: &View, errors: &[FieldError]) -> String {
        main_of(show(&frame(Language::English, Section::ServiceCodes), view, errors))
    }

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn the_page_shows_what_is_heard_now_and_what_was_heard_before() {
        insta::assert_snapshot!(shown(&view(Said::Nothing, None), &[]));
    }

    #[test]
    fn a_recording_is_heard_before_it_is_used() {
        let checked = Checked {
            file: format!("{}.mp3", "0a".repeat(32)),
            format: Format::Mp3,
            seconds: 15,
            ticket: "sealed".into(),
        };
        let text = shown(&view(Said::Nothing, Some(checked)), &[]);
        assert!(text.contains("Use this greeting") && text.contains("value=\"sealed\""), "{text}");
        assert!(text.contains(&format!("/voice/greeting/{}.mp3", "0a".repeat(32))), "{text}");
    }

    #[test]
    fn the_form_that_goes_to_another_origin_carries_no_token_of_ours() {
        let text = shown(&view(Said::Nothing, None), &[]);
        let form = text.split("<form").find(|form| form.contains("amazonaws.com")).unwrap();
        assert!(!form.split("</form>").next().unwrap().contains("csrf"), "{form}");
    }

    #[test]
    fn what_was_typed_and_is_wrong_is_still_there_with_the_reason_beside_it() {
        let errors = [FieldError::new("text", "Enter what the caller hears.")];
        let text = shown(&view(Said::Typed(Greeting::Text("\u{7}bell".into())), None), &errors);
        assert!(text.contains("f-text-text-error") && text.contains("bell</textarea>"), "{text}");
    }
}
