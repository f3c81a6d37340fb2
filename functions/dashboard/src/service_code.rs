//! `GET` and `POST /dashboard/service-code/{code}`: a service code as callers meet it; `new` makes one.

use std::collections::{BTreeMap, BTreeSet};

use domain::FieldError;
use domain::audit::Act;
use domain::colour::{Colour, NotAColour};
use domain::language::{Language, Words};
use domain::origin::Origin;
use domain::request::Kind;
use domain::service_code::{Greeting, ServiceCode, ServiceCodeProfile};
use maud::{Markup, Render, html};
use pages::form::{self, Button, Choices, Field, Form, Select};
use pages::show::{self, Card, Facts, Heading, Notice, Tone};
use pages::{Frame, Icon, Section, fill, words};
use partners::twilio::twiml::Voice;
use platform::edge::{Fields, Page, Visit};
use platform::session::{Allowed, EditServiceCodes, SeeSettings};
use platform::store::Versioned;
use platform::{App, Error};
use serde::Serialize;

use crate::setup::{entry, in_words};

/// The segment of a code that is not there yet.
const NEW: &str = "new";

/// Shows a code, or the form for a new one, or saves what was sent.
pub async fn handle(app: &App, allowed: Allowed<SeeSettings>, visit: Visit) -> Result<Page, Error> {
    let frame = allowed.frame(&visit, Section::ServiceCodes);
    let base_url = app.config.public_base_url()?;
    if visit.post {
        return save(app, &allowed.also::<EditServiceCodes>()?, &visit, &frame).await;
    }
    if visit.segment == NEW {
        allowed.also::<EditServiceCodes>()?;
        return Ok(Page::html(edit(&frame, base_url, &Input::blank(), &[], None)));
    }
    let code = ServiceCode::parse(&visit.segment).map_err(|_| Error::NotFound)?;
    let there = app.store.of(&allowed.tenant).service_code_settings(&code).await?;
    if allowed.also::<EditServiceCodes>().is_err() {
        return Ok(Page::html(read(&frame, base_url, &there.value)));
    }
    let said = visit.query.has("saved").then_some(Said::Saved);
    Ok(Page::html(edit(&frame, base_url, &Input::of(&there), &[], said.as_ref())))
}

async fn save(app: &App, allowed: &Allowed<EditServiceCodes>, visit: &Visit, frame: &Frame) -> Result<Page, Error> {
    let store = app.store.of(&allowed.tenant);
    let (language, base_url) = (frame.language, app.config.public_base_url()?);
    let input = Input::sent(visit);
    if input.is_new {
        let profile = match input.profile(language, None) {
            Ok(profile) => profile,
            Err(errors) => return Ok(Page::invalid(edit(frame, base_url, &input, &errors, None))),
        };
        let entry = entry(allowed, visit, Act::ServiceCodeChanged)
            .on("service-code", profile.code.as_str())
            .with("change", "created");
        return match store.create_service_code(&profile, &allowed.user, &entry).await {
            Ok(()) => Ok(Page::to("/dashboard/service-codes?created")),
            Err(Error::Conflict) => {
                let taken = [FieldError::new("code", Texts::of(language).taken)];
                Ok(Page::invalid(edit(frame, base_url, &input, &taken, None)))
            }
            Err(error) => Err(error),
        };
    }
    let code = ServiceCode::parse(&visit.segment).map_err(|_| Error::NotFound)?;
    let there = store.service_code_settings(&code).await?;
    if there.version != input.version {
        return Ok(conflict(frame, base_url, &input, &there));
    }
    let profile = match input.profile(language, Some(&there.value)) {
        Ok(profile) => profile,
        Err(errors) => return Ok(Page::invalid(edit(frame, base_url, &input, &errors, None))),
    };
    if profile != there.value {
        let entry = entry(allowed, visit, Act::ServiceCodeChanged)
            .on("service-code", code.as_str())
            .with("change", changes(&there.value, &profile));
        match store.save_service_code(&there, &profile, &allowed.user, &entry).await {
            Ok(()) => {}
            Err(Error::Conflict) => {
                let there = store.service_code_settings(&code).await?;
                return Ok(conflict(frame, base_url, &input, &there));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Page::to(format!("/dashboard/service-code/{code}?saved")))
}

/// Which fields differ, for the audit trail.
fn changes(before: &ServiceCodeProfile, after: &ServiceCodeProfile) -> String {
    let fields = [
        ("name", before.name != after.name),
        ("active", before.active != after.active),
        ("languages", before.languages != after.languages),
        ("greetings", before.greetings != after.greetings),
        ("kinds", before.kinds != after.kinds),
        ("web-form", before.web_form != after.web_form),
        ("origins", before.origins != after.origins),
        ("accent", before.accent != after.accent),
    ];
    let changed: Vec<&str> = fields.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect();
    changed.join(" ")
}

/// The form with what was typed, and beside it what somebody else has saved meanwhile.
fn conflict(frame: &Frame, base_url: &str, input: &Input, there: &Versioned<ServiceCodeProfile>) -> Page {
    let input = Input { version: there.version, ..input.clone() };
    Page::html(edit(frame, base_url, &input, &[], Some(&Said::Changed(&there.value)))).with_status(409)
}

/// What the form holds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Input {
    is_new: bool,
    version: u64,
    code: String,
    name: String,
    active: bool,
    languages: Vec<String>,
    preferred: String,
    /// Text by language; empty where a recording plays.
    greetings: BTreeMap<Language, String>,
    /// Where a recording plays.
    recorded: BTreeSet<Language>,
    kinds: Vec<String>,
    web_form: String,
    origins: String,
    accent: String,
}

impl Input {
    /// Everything that the law asks a hotline to take, in every language.
    fn blank() -> Self {
        Self {
            is_new: true,
            version: 0,
            code: String::new(),
            name: String::new(),
            active: true,
            languages: Language::ALL.map(|language| language.code().to_owned()).to_vec(),
            preferred: Language::English.code().to_owned(),
            greetings: BTreeMap::new(),
            recorded: BTreeSet::new(),
            kinds: Kind::ALL.map(|kind| kind.code().to_owned()).to_vec(),
            web_form: String::new(),
            origins: String::new(),
            accent: String::new(),
        }
    }

    fn of(there: &Versioned<ServiceCodeProfile>) -> Self {
        let profile = &there.value;
        let spoken = profile.greetings.iter().filter_map(|(language, greeting)| match greeting {
            Greeting::Text(text) => Some((*language, text.clone())),
            Greeting::Audio { .. } => None,
        });
        let recorded = profile.greetings.iter().filter(|(_, greeting)| matches!(greeting, Greeting::Audio { .. }));
        Self {
            is_new: false,
            version: there.version,
            code: profile.code.to_string(),
            name: profile.name.clone(),
            active: profile.active,
            languages: profile.languages.iter().map(|language| language.code().to_owned()).collect(),
            preferred: profile.languages.first().map_or("", |language| language.code()).to_owned(),
            greetings: spoken.collect(),
            recorded: recorded.map(|(language, _)| *language).collect(),
            kinds: profile.kinds.iter().map(|kind| kind.code().to_owned()).collect(),
            web_form: profile.web_form.clone().unwrap_or_default(),
            origins: profile.origins.iter().map(Origin::as_str).collect::<Vec<_>>().join("\n"),
            accent: profile.accent.map(|colour| colour.to_string()).unwrap_or_default(),
        }
    }

    fn sent(visit: &Visit) -> Self {
        let form: &Fields = &visit.form;
        let all = |name| form.all(name).into_iter().map(str::to_owned).collect();
        let is_new = visit.segment == NEW;
        // Browsers send lines with CR and LF.
        let text = |name: String| form.get(&name).replace("\r\n", "\n").trim().to_owned();
        let recorded = |language: &Language| form.all("recorded").contains(&language.code());
        Self {
            is_new,
            version: form.get("version").parse().unwrap_or(0),
            code: if is_new { form.get("code").trim().to_owned() } else { visit.segment.clone() },
            name: form.get("name").trim().to_owned(),
            active: form.has("active"),
            languages: all("languages"),
            preferred: form.get("preferred").to_owned(),
            greetings: Language::ALL.into_iter().map(|it| (it, text(format!("greetings.{it}")))).collect(),
            recorded: Language::ALL.into_iter().filter(recorded).collect(),
            kinds: all("kinds"),
            web_form: form.get("web-form").trim().to_owned(),
            origins: text("origins".to_owned()),
            accent: form.get("accent").trim().to_owned(),
        }
    }

    /// As it will be stored, or everything that is wrong with it.
    fn profile(
        &self,
        language: Language,
        before: Option<&ServiceCodeProfile>,
    ) -> Result<ServiceCodeProfile, Vec<FieldError>> {
        let mut errors = vec![];
        let code = match (before, ServiceCode::parse(&self.code)) {
            (Some(before), _) => Some(before.code.clone()),
            (None, Ok(code)) => Some(code),
            (None, Err(_)) => {
                errors.push(FieldError::new("code", Texts::of(language).wrong_code));
                None
            }
        };
        let mut languages: Vec<Language> = self.languages.iter().filter_map(|code| Language::parse(code)).collect();
        languages.sort_by_key(|it| (it.code() != self.preferred, *it));
        let greetings = languages.iter().filter_map(|it| {
            let text = self.greetings.get(it).filter(|text| !text.is_empty());
            let recording =
                || before.and_then(|before| before.greetings.get(it)).filter(|_| self.recorded.contains(it));
            Some((*it, text.cloned().map(Greeting::Text).or_else(|| recording().cloned())?))
        });
        let mut origins = vec![];
        for (number, site) in self.origins.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
            match Origin::parse(site) {
                Ok(origin) => origins.push(origin),
                Err(why) => {
                    let line = fill(Texts::of(language).line, &[("n", &(number + 1).to_string())]);
                    errors.push(FieldError::new("origins", format!("{line} {}", why.words().of(language))));
                }
            }
        }
        let accent = Some(&self.accent).filter(|text| !text.is_empty()).map(|text| Colour::parse(text));
        if accent == Some(Err(NotAColour)) {
            errors.push(FieldError::new("accent", Texts::of(language).wrong_accent));
        }
        let profile = ServiceCodeProfile {
            // What stands here when the code is wrong is never stored.
            code: code.or_else(|| ServiceCode::parse("1").ok()).ok_or_else(Vec::new)?,
            name: self.name.clone(),
            active: self.active,
            greetings: greetings.collect(),
            languages,
            kinds: self.kinds.iter().filter_map(|code| Kind::parse(code)).collect(),
            web_form: Some(self.web_form.clone()).filter(|address| !address.is_empty()),
            origins,
            accent: accent.and_then(Result::ok),
        };
        errors.extend(in_words(language, profile.validate().err().unwrap_or_default()));
        if errors.is_empty() { Ok(profile) } else { Err(errors) }
    }
}

/// What the page says above its form.
enum Said<'a> {
    Saved,
    Changed(&'a ServiceCodeProfile),
}

fn edit(frame: &Frame, base_url: &str, input: &Input, errors: &[FieldError], said: Option<&Said<'_>>) -> Markup {
    let (language, texts) = (frame.language, Texts::of(frame.language));
    let title = if input.is_new { texts.new.to_owned() } else { fill(texts.title, &[("code", &input.code)]) };
    let action = format!("/dashboard/service-code/{}", if input.is_new { NEW } else { &input.code });
    let form = Form::post(language, action, frame.csrf.as_str()).errors(errors).body(html! {
        @if !input.is_new { (form::hidden("version", &input.version.to_string())) }
        (Card::new(texts.what).body(html! {
            @if input.is_new {
                (Field::text("code", texts.code).value(&input.code).hint(texts.code_hint).inputmode("numeric")
                    .max_length(8).required().narrow().plain_text().errors(errors))
            }
            (Field::text("name", texts.name).value(&input.name).hint(texts.name_hint).max_length(100).required()
                .errors(errors))
            (form::Check::switch("active", texts.active).on(input.active).hint(texts.active_hint))
            (kinds(language, texts, input).errors(errors))
        }))
        (Card::new(texts.greetings).lede(texts.greetings_lede).body(html! {
            (Choices::checkboxes("languages", texts.languages)
                .choice(Language::English.code(), words::language(language, Language::English))
                .choice(Language::Spanish.code(), words::language(language, Language::Spanish))
                .chosen(input.languages.clone()).errors(errors))
            (Select::new("preferred", texts.preferred).hint(texts.preferred_hint)
                .choices(Language::ALL.map(|it| (it.code(), words::language(language, it)))).chosen(&input.preferred))
            @for it in Language::ALL { (greeting(language, texts, input, it, errors)) }
        }))
        (Card::new(texts.web).body(html! {
            (Field::text("web-form", texts.web_form).value(&input.web_form).hint(texts.web_form_hint)
                .optional(language).plain_text().inputmode("url").max_length(2048).errors(errors))
            (Field::area("origins", texts.origins, 4).value(&input.origins).hint(texts.origins_hint)
                .optional(language).plain_text().errors(errors))
            (Field::text("accent", texts.accent).value(&input.accent).hint(texts.accent_hint).optional(language)
                .plain_text().narrow().max_length(7).errors(errors))
        }))
        (form::actions(&html! {
            (Button::primary(if input.is_new { texts.create } else { texts.save }))
            @if !input.is_new { (Button::quiet(texts.notice).to(format!("/dashboard/notice/{}", input.code))) }
            (Button::quiet(texts.back).to("/dashboard/service-codes"))
        }))
    });
    let main = html! {
        (Heading::new(title.as_str())
            .above(language, &[("/dashboard/service-codes", Section::ServiceCodes.name(language))]))
        @match said {
            Some(Said::Saved) => { (Notice::success(texts.saved)) }
            Some(Said::Changed(there)) => {
                (Notice::warning(texts.changed).body(html! { p { (texts.changed_why) } (facts(language, texts, there)) }))
            }
            None => {}
        }
        (form)
        @if let Ok(code) = ServiceCode::parse(&input.code) { @if !input.is_new { (on_your_site(language, base_url, &code)) } }
    };
    pages::page(frame, &title, &main)
}

/// What a business copies into its own site.
fn on_your_site(language: Language, base_url: &str, code: &ServiceCode) -> Markup {
    let texts = Texts::of(language);
    let choices = format!("<a href=\"{base_url}/privacy-choices/{code}\">{}</a>", texts.choices_link);
    let copies = html! {
        (show::copyable(language, "embed-snippet", texts.snippet, &pages::embed::snippet(base_url, code)))
        (show::copyable(language, "form-address", texts.form_address, &format!("{base_url}/forms/{code}")))
        (show::copyable(language, "gpc-snippet", texts.signal, &pages::embed::listener(base_url, code)))
        (show::copyable(language, "choices-link", texts.choices, &choices))
    };
    Card::new(texts.your_site).id("your-site").lede(texts.your_site_lede).body(copies).render()
}

fn kinds(language: Language, texts: &Texts, input: &Input) -> Choices {
    Kind::ALL
        .into_iter()
        .fold(Choices::checkboxes("kinds", texts.kinds).hint(texts.kinds_hint), |choices, kind| {
            choices.explained(kind.code(), words::kind(language, kind), words::kind_asks(language, kind))
        })
        .chosen(input.kinds.clone())
}

fn greeting(language: Language, texts: &Texts, input: &Input, it: Language, errors: &[FieldError]) -> Markup {
    let name = words::language(language, it);
    let recorded = input.recorded.contains(&it);
    let hint = fill(if recorded { texts.recorded } else { texts.read_by }, &[("voice", voice(it))]);
    html! {
        @if recorded { (form::hidden("recorded", it.code())) }
        (Field::area(format!("greetings.{it}"), fill(texts.greeting, &[("language", name)]), 4)
            .value(input.greetings.get(&it).map_or("", String::as_str)).hint(hint).max_length(3000).errors(errors))
        @if !input.is_new && input.languages.iter().any(|code| code == it.code()) {
            p { a href={ "/dashboard/greeting/" (input.code) "?language=" (it.code()) } {
                (fill(texts.recordings, &[("language", name)]))
            } }
        }
    }
}

/// The first name of the voice that reads a language: `Polly.Joanna-Neural` is Joanna.
pub(crate) fn voice(language: Language) -> &'static str {
    let name = match language {
        Language::English => Voice::ENGLISH.name(),
        Language::Spanish => Voice::SPANISH.name(),
    };
    name.trim_start_matches("Polly.").split('-').next().unwrap_or(name)
}

/// A code for those who may not change it.
fn read(frame: &Frame, base_url: &str, profile: &ServiceCodeProfile) -> Markup {
    let (language, texts) = (frame.language, Texts::of(frame.language));
    let title = fill(texts.title, &[("code", profile.code.as_str())]);
    let main = html! {
        (Heading::new(title.as_str())
            .above(language, &[("/dashboard/service-codes", Section::ServiceCodes.name(language))]))
        (Card::new(texts.what).body(html! { (facts(language, texts, profile)) }))
        (on_your_site(language, base_url, &profile.code))
    };
    pages::page(frame, &title, &main)
}

fn facts(language: Language, texts: &Texts, profile: &ServiceCodeProfile) -> Facts {
    let kinds: Vec<&str> = profile.kinds.iter().map(|kind| words::kind(language, *kind)).collect();
    let languages: Vec<&str> = profile.languages.iter().map(|it| words::language(language, *it)).collect();
    let origins: Vec<&str> = profile.origins.iter().map(Origin::as_str).collect();
    let state = if profile.active {
        show::badge(Tone::Success, Icon::Check, texts.taken_calls)
    } else {
        show::badge(Tone::Neutral, Icon::Stop, texts.no_calls)
    };
    let greetings = profile.greetings.iter().map(|(it, greeting)| {
        let said = match greeting {
            Greeting::Text(text) => text.as_str(),
            Greeting::Audio { .. } => texts.a_recording,
        };
        (fill(texts.greeting, &[("language", words::language(language, *it))]), said)
    });
    let facts = Facts::new()
        .fact(texts.name, html! { (profile.name) })
        .fact(texts.active, state)
        .fact(texts.kinds, html! { (kinds.join(", ")) })
        .fact(texts.languages, html! { (languages.join(", ")) });
    greetings
        .fold(facts, |facts, (name, said)| facts.fact(name, html! { (said) }))
        .maybe(texts.web_form, profile.web_form.as_ref().map(|address| html! { (address) }))
        .maybe(texts.origins, (!origins.is_empty()).then(|| html! { (origins.join(", ")) }))
        .maybe(texts.accent, profile.accent.map(|colour| html! { (colour) }))
}

/// Why a code cannot be added: it never says whose it is.
const TAKEN: Words =
    Words { en: "This code is taken. Choose other digits.", es: "Este código ya está en uso. Elija otros dígitos." };

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    new: &'static str,
    what: &'static str,
    code: &'static str,
    code_hint: &'static str,
    wrong_code: &'static str,
    taken: &'static str,
    name: &'static str,
    name_hint: &'static str,
    active: &'static str,
    active_hint: &'static str,
    taken_calls: &'static str,
    no_calls: &'static str,
    kinds: &'static str,
    kinds_hint: &'static str,
    greetings: &'static str,
    greetings_lede: &'static str,
    languages: &'static str,
    preferred: &'static str,
    preferred_hint: &'static str,
    greeting: &'static str,
    read_by: &'static str,
    recorded: &'static str,
    recordings: &'static str,
    a_recording: &'static str,
    web: &'static str,
    web_form: &'static str,
    web_form_hint: &'static str,
    origins: &'static str,
    origins_hint: &'static str,
    accent: &'static str,
    accent_hint: &'static str,
    wrong_accent: &'static str,
    your_site: &'static str,
    your_site_lede: &'static str,
    snippet: &'static str,
    form_address: &'static str,
    choices: &'static str,
    choices_link: &'static str,
    signal: &'static str,
    line: &'static str,
    create: &'static str,
    save: &'static str,
    notice: &'static str,
    back: &'static str,
    saved: &'static str,
    changed: &'static str,
    changed_why: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Service code {code}",
        new: "New service code",
        what: "What callers reach",
        code: "Code",
        code_hint: "1 to 8 digits, yours alone on this telephone line. It cannot be changed later.",
        wrong_code: "Use 1 to 8 digits, not only zeros.",
        taken: TAKEN.en,
        name: "Name",
        name_hint: "The brand or site, as callers know it.",
        active: "Take calls",
        active_hint: "Callers who key a code that takes no calls are told so, and may key another. Its web form is closed, too.",
        taken_calls: "Calls are taken",
        no_calls: "Calls are not taken",
        kinds: "Kinds of request",
        kinds_hint: "What the menu offers. Leave out only what the law does not ask of you.",
        greetings: "Languages and greetings",
        greetings_lede: "The first thing a caller hears once the code is keyed.",
        languages: "Languages offered",
        preferred: "Preferred language",
        preferred_hint: "For callers who chose a language that is not offered.",
        greeting: "Greeting in {language}",
        read_by: "Read aloud by {voice}, the voice of the whole call.",
        recorded: "A recording is played. If you write something here, {voice} reads it instead.",
        recordings: "Recording and earlier greetings in {language}",
        a_recording: "A recording",
        web: "On the web",
        web_form: "Address of your web form",
        web_form_hint: "For callers who would rather write. Begins with https://.",
        origins: "Sites that may send requests",
        origins_hint: "One per line, such as https://www.example.com or https://*.example.com. Only these show the form inside their pages, and only from them is one of their own accepted.",
        accent: "Your colour",
        accent_hint: "As #rrggbb, such as #0a5c8f. The form and the other pages that consumers meet have it.",
        wrong_accent: "Write a colour as # and six digits of 0 to 9 and a to f, such as #0a5c8f.",
        your_site: "On your site",
        your_site_lede: "Add your site to the sites that may send requests first; everywhere else the form stays closed.",
        snippet: "Copy this to where the form should stand",
        form_address: "The form on a page of its own, to link to",
        choices: "The link that the law asks for on your home page",
        choices_link: "Your Privacy Choices",
        signal: "On every page: what tells your site which browsers have opted out, by Global Privacy Control or by a choice",
        line: "Line {n}:",
        create: "Create service code",
        save: "Save",
        notice: "Privacy notice",
        back: "Back",
        saved: "Saved. The next call hears it.",
        changed: "Somebody else has just changed this service code",
        changed_why: "Nothing of yours is lost: it is still in the form. This is what is saved now. Save again to replace it with yours.",
    };
    const ES: Self = Self {
        title: "Código de servicio {code}",
        new: "Código nuevo",
        what: "Adónde llega quien llama",
        code: "Código",
        code_hint: "De 1 a 8 dígitos, solo suyos en esta línea. Después no se puede cambiar.",
        wrong_code: "Use de 1 a 8 dígitos, no solo ceros.",
        taken: TAKEN.es,
        name: "Nombre",
        name_hint: "La marca o el sitio, como lo conoce quien llama.",
        active: "Atender llamadas",
        active_hint: "A quien marca un código que no atiende llamadas se le dice, y puede marcar otro. Su formulario web también está cerrado.",
        taken_calls: "Se atienden llamadas",
        no_calls: "No se atienden llamadas",
        kinds: "Tipos de solicitud",
        kinds_hint: "Lo que ofrece el menú. Quite solo lo que la ley no le pide.",
        greetings: "Idiomas y saludos",
        greetings_lede: "Lo primero que oye quien llama después de marcar el código.",
        languages: "Idiomas que se ofrecen",
        preferred: "Idioma preferido",
        preferred_hint: "Para quien eligió un idioma que no se ofrece.",
        greeting: "Saludo en {language}",
        read_by: "Lo lee {voice}, la voz de toda la llamada.",
        recorded: "Se oye una grabación. Si escribe algo aquí, lo leerá {voice}.",
        recordings: "Grabación y saludos anteriores en {language}",
        a_recording: "Una grabación",
        web: "En la web",
        web_form: "Dirección de su formulario web",
        web_form_hint: "Para quien prefiere escribir. Empieza con https://.",
        origins: "Sitios que pueden enviar solicitudes",
        origins_hint: "Uno por línea, como https://www.example.com o https://*.example.com. Solo estos muestran el formulario en sus páginas, y solo desde ellos se acepta uno propio.",
        accent: "Su color",
        accent_hint: "Como #rrggbb, por ejemplo #0a5c8f. Lo tienen el formulario y las demás páginas que ve el público.",
        wrong_accent: "Escriba un color con # y seis cifras de 0 a 9 y de a a f, como #0a5c8f.",
        your_site: "En su sitio",
        your_site_lede: "Añada antes su sitio a los que pueden enviar solicitudes; en cualquier otro, el formulario no se abre.",
        snippet: "Copie esto donde deba estar el formulario",
        form_address: "El formulario en su propia página, para enlazarlo",
        choices: "El enlace que la ley pide en su página de inicio",
        choices_link: "Sus opciones de privacidad",
        signal: "En todas las páginas: lo que dice a su sitio qué navegadores no quieren que se venda ni comparta, por Control Global de Privacidad o por elección",
        line: "Línea {n}:",
        create: "Crear código",
        save: "Guardar",
        notice: "Aviso de privacidad",
        back: "Volver",
        saved: "Guardado. Lo oye la próxima llamada.",
        changed: "Otra persona acaba de cambiar este código",
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
    use serde_json::json;

    use super::*;
    use crate::setup::tests::{frame, main_of};

    const BASE: &str = "https://hotline.example";

    fn stored() -> Versioned<ServiceCodeProfile> {
        let value = serde_json::from_value(json!({
            "code": "42", "name": "Shop", "active": true, "languages": ["es", "en"], "kinds": ["opt-out", "delete"],
            "greetings": {"en": {"text": "Welcome."}, "es": {"audio": {"file": format!("{}.mp3", "0a".repeat(32))}}},
            "web-form": null, "origins": ["https://shop.example"], "accent": "#0a5c8f",
        }));
        Versioned { value: value.unwrap(), version: 3 }
    }

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn a_form_that_comes_back_unchanged_changes_nothing() {
        let there = stored();
        assert_eq!(Input::of(&there).profile(Language::English, Some(&there.value)), Ok(there.value));
    }

    #[test]
    fn text_replaces_a_recording_and_a_recording_stays_without_text() {
        let there = stored();
        let mut input = Input::of(&there);
        input.greetings.insert(Language::Spanish, "Bienvenido.".into());
        let saved = input.profile(Language::English, Some(&there.value)).unwrap();
        assert_eq!(saved.greetings[&Language::Spanish], Greeting::Text("Bienvenido.".into()));
        assert_eq!(changes(&there.value, &saved), "greetings");
    }

    #[test]
    fn a_language_that_is_not_offered_takes_its_greeting_with_it() {
        let there = stored();
        let input = Input { languages: vec!["en".into()], ..Input::of(&there) };
        let saved = input.profile(Language::English, Some(&there.value)).unwrap();
        assert_eq!(saved.languages, [Language::English]);
        assert_eq!(saved.greetings.len(), 1);
    }

    #[test]
    fn each_field_that_is_wrong_says_so_beside_it() {
        let input = Input {
            code: "000".into(),
            origins: "https://shop.example\nhttp://shop.example/form".into(),
            web_form: "javascript:alert(1)".into(),
            accent: "red".into(),
            kinds: vec!["everything".into()],
            ..Input::blank()
        };
        let errors = input.profile(Language::Spanish, None).unwrap_err();
        let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["code", "origins", "accent", "name", "greetings.en", "greetings.es", "kinds", "web-form"]);
        let page = edit(&frame(Language::Spanish, Section::ServiceCodes), BASE, &input, &errors, None);
        insta::assert_snapshot!(main_of(page));
    }

    #[test]
    fn a_change_by_somebody_else_is_shown_beside_what_was_typed() {
        let there = stored();
        let input = Input { name: "Mine <b>".into(), ..Input::of(&there) };
        let page = edit(
            &frame(Language::English, Section::ServiceCodes),
            BASE,
            &input,
            &[],
            Some(&Said::Changed(&there.value)),
        );
        let text = main_of(page);
        assert!(text.contains("Somebody else has just changed"), "{text}");
        assert!(text.contains("Mine &lt;b&gt;") && text.contains("<dd>Shop"), "{text}");
    }

    #[test]
    fn who_may_not_edit_reads() {
        insta::assert_snapshot!(main_of(read(&frame(Language::English, Section::ServiceCodes), BASE, &stored().value)));
    }

    #[test]
    fn the_voices_are_called_by_their_names() {
        assert_eq!(Language::ALL.map(voice), ["Joanna", "Lupe"]);
    }
}
