//! The card of the settings page by which owners and managers say who tells people from programs in their forms.

use domain::FieldError;
use domain::audit::Act;
use domain::human_check::{Provider, Score, Settings, SettingsError, check_secret};
use domain::language::Language;
use maud::{Markup, Render, html};
use pages::Frame;
use pages::form::{self, Button, Field, Form, Select};
use pages::show::{Card, Facts, Notice, disclosure};
use platform::edge::{Fields, Page, Visit};
use platform::session::{Allowed, EditSettings};
use platform::store::{TenantStore, Versioned};
use platform::{App, Error};
use serde::Serialize;

use crate::setup::entry;

/// The forms of this card say by this field what they are.
const DO: &str = "human-check";
/// Tells the fields of this card from those of the page's other forms.
const WITHIN: &str = "human";

/// What the card shows.
pub(crate) struct Shown {
    there: Versioned<Option<Settings>>,
    input: Input,
    errors: Vec<FieldError>,
    said: Said,
}

enum Said {
    Nothing,
    Saved,
    Removed,
    Changed,
}

impl Shown {
    /// As it is set up.
    pub(crate) async fn load(store: &TenantStore<'_>, visit: &Visit) -> Result<Self, Error> {
        let there = store.human_check().await?;
        let said = match visit.query.get("human-check") {
            "saved" => Said::Saved,
            "removed" => Said::Removed,
            _ => Said::Nothing,
        };
        Ok(Self { input: Input::of(&there), there, errors: vec![], said })
    }

    /// For looking at the page without a store.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        let there = Versioned { value: None, version: 0 };
        Self { input: Input::of(&there), there, errors: vec![], said: Said::Nothing }
    }

    /// Whether something is wrong with what was typed.
    pub(crate) fn status(&self) -> i64 {
        match (&self.said, self.errors.is_empty()) {
            (Said::Changed, _) => 409,
            (_, false) => 422,
            _ => 200,
        }
    }
}

/// What came of a form of this card.
pub(crate) enum Done {
    /// On to the page, which says so.
    To(Page),
    /// The card again, with what is wrong.
    Again(Box<Shown>),
}

/// Saves or removes what one of this card's forms says; nothing where the form is another.
pub(crate) async fn submit(
    app: &App,
    allowed: &Allowed<EditSettings>,
    visit: &Visit,
    language: Language,
) -> Result<Option<Done>, Error> {
    let action = visit.form.get(DO);
    if action.is_empty() {
        return Ok(None);
    }
    let store = app.store.of(&allowed.tenant);
    let there = store.human_check().await?;
    let input = Input::sent(&visit.form);
    let again = |there: Versioned<Option<Settings>>, errors: Vec<FieldError>, said: Said| {
        let input = Input { version: there.version, ..input.clone() };
        Ok(Some(Done::Again(Box::new(Shown { there, input, errors, said }))))
    };
    if there.version != input.version {
        return again(there, vec![], Said::Changed);
    }
    let entry = entry(allowed, visit, Act::SettingsChanged);
    let written = if action == "remove" {
        let entry = entry.with("change", "human-check removed");
        store.remove_human_check(there.version, &entry).await.map(|()| "removed")
    } else {
        let has_secret = there.value.as_ref().is_some_and(|it| it.provider.code() == input.provider);
        let settings = match input.settings(language, has_secret) {
            Ok(settings) => settings,
            Err(errors) => return again(there, errors, Said::Nothing),
        };
        let secret = Some(input.secret.as_str()).filter(|secret| !secret.is_empty());
        let entry = entry.with("change", "human-check").with("provider", settings.provider.code());
        let entry = if secret.is_some() { entry.with("secret", "replaced") } else { entry };
        store.save_human_check(there.version, &settings, secret, &entry).await.map(|()| "saved")
    };
    match written {
        Ok(what) => Ok(Some(Done::To(Page::to(format!("/dashboard/settings?human-check={what}"))))),
        Err(Error::Conflict) => again(store.human_check().await?, vec![], Said::Changed),
        Err(error) => Err(error),
    }
}

/// What the form holds, as it was typed. The secret is never put back.
#[derive(Clone, PartialEq, Eq)]
struct Input {
    version: u64,
    provider: String,
    site_key: String,
    secret: String,
    project: String,
    least_score: String,
}

impl Input {
    fn of(there: &Versioned<Option<Settings>>) -> Self {
        let settings = there.value.as_ref();
        let score = settings.and_then(|it| it.least_score).unwrap_or(Score::USUAL);
        Self {
            version: there.version,
            provider: settings.map_or(Provider::Turnstile, |it| it.provider).code().to_owned(),
            site_key: settings.map_or_else(String::new, |it| it.site_key.clone()),
            secret: String::new(),
            project: settings.and_then(|it| it.project.clone()).unwrap_or_default(),
            least_score: score.to_string(),
        }
    }

    fn sent(form: &Fields) -> Self {
        let text = |name| form.get(name).trim().to_owned();
        Self {
            version: form.get("version").parse().unwrap_or(0),
            provider: text("provider"),
            site_key: text("site-key"),
            secret: text("secret"),
            project: text("project"),
            least_score: text("least-score"),
        }
    }

    /// As it will be stored, or everything that is wrong. What a provider does not need is left out, whatever was typed.
    fn settings(&self, language: Language, has_secret: bool) -> Result<Settings, Vec<FieldError>> {
        let error = |field: &str, why: SettingsError| FieldError::new(field, why.words().of(language));
        let Some(provider) = Provider::parse(&self.provider) else {
            return Err(vec![FieldError::new("provider", Texts::of(language).choose)]);
        };
        let settings = Settings {
            provider,
            site_key: self.site_key.clone(),
            project: provider.needs_project().then(|| self.project.clone()),
            least_score: if provider.gives_score() { Score::parse(&self.least_score) } else { None },
        };
        let mut errors: Vec<FieldError> = settings
            .validate()
            .err()
            .unwrap_or_default()
            .into_iter()
            .map(|why| {
                let field = match why {
                    SettingsError::SiteKey => "site-key",
                    SettingsError::Secret => "secret",
                    SettingsError::Project => "project",
                    SettingsError::Score => "least-score",
                };
                error(field, why)
            })
            .collect();
        if !(self.secret.is_empty() && has_secret)
            && let Err(why) = check_secret(&self.secret)
        {
            errors.push(error("secret", why));
        }
        if errors.is_empty() { Ok(settings) } else { Err(errors) }
    }
}

/// The card for those who may change it.
pub(crate) fn edit(frame: &Frame, shown: &Shown) -> Markup {
    let (language, texts) = (frame.language, Texts::of(frame.language));
    let (input, errors) = (&shown.input, shown.errors.as_slice());
    let field = |field: Field| field.within(WITHIN).plain_text().errors(errors);
    let is_set = shown.there.value.is_some();
    let provider = Provider::ALL
        .into_iter()
        .fold(Select::new("provider", texts.provider), |select, it| select.choice(it.code(), it.name()));
    let form = Form::post(language, "/dashboard/settings", frame.csrf.as_str()).id(WITHIN).errors(errors).body(html! {
        (form::hidden(DO, "save"))
        (form::hidden("version", &input.version.to_string()))
        (provider.hint(texts.provider_hint).chosen(&input.provider).within(WITHIN).errors(errors))
        (field(Field::text("site-key", texts.site_key).value(&input.site_key).hint(texts.site_key_hint).max_length(200)
            .required()))
        (field(Field::password(language, "secret", texts.secret, "new-password")
            .hint(if is_set { texts.secret_there } else { texts.secret_hint }).max_length(200)))
        (field(Field::text("project", texts.project).value(&input.project).hint(texts.project_hint).max_length(30)))
        (field(Field::text("least-score", texts.least_score).value(&input.least_score).hint(texts.least_score_hint)
            .inputmode("decimal").max_length(4).narrow()))
        (form::actions(html! { (Button::primary(texts.save)) }))
    });
    let remove = Form::post(language, "/dashboard/settings", frame.csrf.as_str()).plain().body(html! {
        (form::hidden(DO, "remove"))
        (form::hidden("version", &shown.there.version.to_string()))
        p { (texts.remove_why) }
        (form::actions(html! { (Button::danger(texts.remove)) }))
    });
    Card::new(texts.title)
        .id("human-check")
        .lede(texts.lede)
        .body(html! {
            @match shown.said {
                Said::Nothing => {}
                Said::Saved => { (Notice::success(texts.saved)) }
                Said::Removed => { (Notice::success(texts.removed)) }
                Said::Changed => {
                    (Notice::warning(texts.changed).body(html! { p { (texts.changed_why) } (facts(texts, shown.there.value.as_ref())) }))
                }
            }
            (form)
            @if is_set { (disclosure(texts.remove, false, remove)) }
        })
        .render()
}

/// The card for those who only read.
pub(crate) fn read(language: Language, shown: &Shown) -> Markup {
    let texts = Texts::of(language);
    Card::new(texts.title).body(facts(texts, shown.there.value.as_ref())).render()
}

fn facts(texts: &Texts, settings: Option<&Settings>) -> Markup {
    let facts = match settings {
        None => Facts::new().fact(texts.provider, html! { (texts.none) }),
        Some(settings) => Facts::new()
            .fact(texts.provider, html! { (settings.provider.name()) })
            .fact(texts.site_key, html! { (settings.site_key) })
            .fact(texts.secret, html! { (texts.set) })
            .maybe(texts.project, settings.project.as_ref().map(|project| html! { (project) }))
            .maybe(texts.least_score, settings.least_score.map(|score| html! { (score.to_string()) })),
    };
    html! { (facts) }
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    lede: &'static str,
    provider: &'static str,
    provider_hint: &'static str,
    choose: &'static str,
    site_key: &'static str,
    site_key_hint: &'static str,
    secret: &'static str,
    secret_hint: &'static str,
    secret_there: &'static str,
    set: &'static str,
    project: &'static str,
    project_hint: &'static str,
    least_score: &'static str,
    least_score_hint: &'static str,
    save: &'static str,
    saved: &'static str,
    remove: &'static str,
    remove_why: &'static str,
    removed: &'static str,
    none: &'static str,
    changed: &'static str,
    changed_why: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Human check",
        lede: "Keeps programs out of your web forms. Nobody is turned away by it: who cannot or will not do it is asked by e-mail instead, and the request says so.",
        provider: "Provider",
        provider_hint: "Turnstile learns the least about people. Name the provider in your privacy policy.",
        choose: "Choose a provider.",
        site_key: "Site key",
        site_key_hint: "From your account with the provider. The site to enter there is this dashboard’s own host.",
        secret: "Secret or API key",
        secret_hint: "It is kept encrypted and never shown again.",
        secret_there: "One is set. Leave this empty to keep it; enter another to replace it.",
        set: "Set",
        project: "Google Cloud project",
        project_hint: "Only for reCAPTCHA (Google Cloud).",
        least_score: "Least score",
        least_score_hint: "0 is certainly a program, 1 certainly a person. Only for reCAPTCHA v3 and Google Cloud; 0.5 is usual.",
        save: "Save human check",
        saved: "Saved. The next form that is sent is checked by it.",
        remove: "Remove the human check",
        remove_why: "Forms are then taken without a check, and each request says so.",
        removed: "Removed. Forms are taken without a check.",
        none: "None",
        changed: "Somebody else has just changed the human check",
        changed_why: "What you typed is still in the form, but for the secret. This is what is saved now. Save again to replace it with yours.",
    };
    const ES: Self = Self {
        title: "Comprobación de personas",
        lede: "Mantiene a los programas fuera de sus formularios web. No deja fuera a nadie: a quien no puede o no quiere hacerla se le pregunta por correo electrónico, y la solicitud lo dice.",
        provider: "Proveedor",
        provider_hint: "Turnstile es el que menos averigua sobre las personas. Nombre al proveedor en su política de privacidad.",
        choose: "Elija un proveedor.",
        site_key: "Clave del sitio",
        site_key_hint: "De su cuenta con el proveedor. El sitio que debe indicar allí es el de este panel.",
        secret: "Clave secreta o de API",
        secret_hint: "Se guarda cifrada y no se vuelve a mostrar.",
        secret_there: "Hay una guardada. Deje esto vacío para conservarla o escriba otra para reemplazarla.",
        set: "Guardada",
        project: "Proyecto de Google Cloud",
        project_hint: "Solo para reCAPTCHA (Google Cloud).",
        least_score: "Puntuación mínima",
        least_score_hint: "0 es con seguridad un programa y 1 una persona. Solo para reCAPTCHA v3 y Google Cloud; lo habitual es 0.5.",
        save: "Guardar comprobación",
        saved: "Guardado. Se aplica al próximo formulario que se envíe.",
        remove: "Quitar la comprobación",
        remove_why: "Los formularios se reciben entonces sin comprobación, y cada solicitud lo dice.",
        removed: "Quitada. Los formularios se reciben sin comprobación.",
        none: "Ninguno",
        changed: "Otra persona acaba de cambiar la comprobación",
        changed_why: "Lo que escribió sigue en el formulario, salvo la clave secreta. Esto es lo que está guardado ahora. Guarde otra vez para reemplazarlo.",
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
    use pages::Section;

    use super::*;
    use crate::setup::tests::frame;

    fn stored() -> Versioned<Option<Settings>> {
        let value = Settings {
            provider: Provider::RecaptchaV3,
            site_key: "6LeIxAcTAAAAAJcZVRqyHh71".into(),
            project: None,
            least_score: Some(Score::USUAL),
        };
        Versioned { value: Some(value), version: 3 }
    }

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn a_form_that_comes_back_unchanged_changes_nothing_and_keeps_its_secret() {
        let there = stored();
        let settings = Input::of(&there).settings(Language::English, true);
        assert_eq!(settings.map(Some), Ok(there.value));
        let unset = Input::of(&stored()).settings(Language::English, false).unwrap_err();
        assert_eq!(unset[0].field, "secret");
    }

    #[test]
    fn what_a_provider_does_not_need_is_left_out() {
        let input = Input {
            provider: "turnstile".into(),
            secret: "1x0000000000000000000000000000000AA".into(),
            project: "Wrong Project".into(),
            least_score: "seven".into(),
            ..Input::of(&stored())
        };
        let settings = input.settings(Language::English, false).unwrap();
        assert_eq!((settings.project, settings.least_score), (None, None));
    }

    #[test]
    fn each_field_that_is_wrong_says_so_and_the_secret_is_never_shown() {
        let there = stored();
        let input = Input {
            provider: "recaptcha-assessment".into(),
            site_key: "<script>".into(),
            secret: "a secret".into(),
            project: "X".into(),
            least_score: "7".into(),
            ..Input::of(&there)
        };
        let errors = input.settings(Language::Spanish, true).unwrap_err();
        let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["site-key", "project", "least-score", "secret"]);
        let shown = Shown { there, input, errors, said: Said::Nothing };
        assert_eq!(shown.status(), 422);
        let text = edit(&frame(Language::Spanish, Section::Settings), &shown).into_string();
        assert!(!text.contains("a secret"), "{text}");
        insta::assert_snapshot!(text.replace("><", ">\n<"));
    }

    #[test]
    fn who_may_not_edit_sees_that_a_secret_is_set_and_no_more() {
        let there = stored();
        let shown = Shown { input: Input::of(&there), there, errors: vec![], said: Said::Nothing };
        let text = read(Language::English, &shown).into_string();
        assert!(text.contains("reCAPTCHA v3") && text.contains("<dd>Set") && !text.contains("<form"), "{text}");
    }
}
