//! `GET` and `POST /dashboard/notice/{code}`: what the business tells of what it collects, sells and discloses.
//!
//! Nothing is typed but dates, months and the address of the policy: everything else is chosen, so that it is said in both
//! languages. Rights and ways to ask are not here: they follow from the service code and the laws.

use domain::FieldError;
use domain::audit::Act;
use domain::language::Language;
use domain::notice::{Category, Collected, LONGEST_KEPT, Notice as Told, NoticeError, Purpose, Recipient, Source};
use domain::service_code::ServiceCode;
use jiff::civil::Date;
use maud::{Markup, html};
use pages::form::{self, Button, Check, Choices, Field, Form};
use pages::show::{Card, Heading, Notice, disclosure};
use pages::{Frame, Section, fill};
use platform::edge::{Fields, Page, Visit, with_query};
use platform::session::{Allowed, EditServiceCodes, SeeSettings};
use platform::store::{NoticeAccount, Versioned};
use platform::{App, Error};
use serde::Serialize;

use crate::setup::entry;

/// Shows what is told, or saves what was sent.
pub async fn handle(app: &App, allowed: Allowed<SeeSettings>, visit: Visit) -> Result<Page, Error> {
    let frame = allowed.frame(&visit, Section::ServiceCodes);
    let store = app.store.of(&allowed.tenant);
    let code = ServiceCode::parse(&visit.segment).map_err(|_| Error::NotFound)?;
    let account = store.notice_account(&code).await?.ok_or(Error::NotFound)?;
    if !visit.post {
        let today = visit.at.to_zoned(allowed.tz()).date();
        let said = if visit.query.has("saved") { Said::Saved } else { Said::Nothing };
        return Ok(Page::html(match allowed.also::<EditServiceCodes>() {
            Ok(_) => edit(&frame, &account, &Input::of(&account.notice, today), &[], said),
            Err(_) => read(&frame, &account),
        }));
    }
    let allowed = allowed.also::<EditServiceCodes>()?;
    let input = Input::sent(&visit.form);
    if input.version != account.notice.version {
        return Ok(changed(&frame, &account, &input));
    }
    let notice = match input.notice(frame.language) {
        Ok(notice) => notice,
        Err(errors) => return Ok(Page::invalid(edit(&frame, &account, &input, &errors, Said::Nothing))),
    };
    if account.notice.value.as_ref() != Some(&notice) {
        let entry =
            entry(&allowed, &visit, Act::ServiceCodeChanged).on("service-code", code.as_str()).with("change", "notice");
        match store.save_notice(&code, account.notice.version, &notice, &entry).await {
            Ok(()) => {}
            Err(Error::Conflict) => {
                let account = store.notice_account(&code).await?.ok_or(Error::NotFound)?;
                return Ok(changed(&frame, &account, &input));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Page::to(format!("/dashboard/notice/{code}?saved")))
}

fn changed(frame: &Frame, account: &NoticeAccount, input: &Input) -> Page {
    let input = Input { version: account.notice.version, ..input.clone() };
    Page::html(edit(frame, account, &input, &[], Said::Changed)).with_status(409)
}

/// What the form holds of one category.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    category: Category,
    on: bool,
    sources: Vec<String>,
    purposes: Vec<String>,
    passed_on: Vec<String>,
    third_parties: Vec<String>,
    disclosed_to: Vec<String>,
    while_customer: bool,
    kept_months: String,
}

const SOLD: &str = "sold";
const SHARED: &str = "shared";

impl Row {
    fn of(category: Category, there: Option<&Collected>) -> Self {
        let passed_on = |it: &Collected| {
            let both = [(it.sold, SOLD), (it.shared, SHARED)];
            both.into_iter().filter(|(is, _)| *is).map(|(_, code)| code.to_owned()).collect()
        };
        let codes = |codes: Vec<&str>| codes.into_iter().map(str::to_owned).collect();
        Self {
            category,
            on: there.is_some(),
            sources: there.map_or_else(Vec::new, |it| codes(it.sources.iter().map(|it| it.code()).collect())),
            purposes: there.map_or_else(Vec::new, |it| codes(it.purposes.iter().map(|it| it.code()).collect())),
            passed_on: there.map_or_else(Vec::new, passed_on),
            third_parties: there
                .map_or_else(Vec::new, |it| codes(it.third_parties.iter().map(|it| it.code()).collect())),
            disclosed_to: there.map_or_else(Vec::new, |it| codes(it.disclosed_to.iter().map(|it| it.code()).collect())),
            while_customer: there.is_some_and(|it| it.while_customer),
            kept_months: there.map_or_else(String::new, |it| it.kept_months.to_string()),
        }
    }

    fn sent(category: Category, form: &Fields) -> Self {
        let name = |field: &str| format!("{}.{field}", category.code());
        let all = |field: &str| form.all(&name(field)).into_iter().map(str::to_owned).collect();
        Self {
            category,
            on: form.has(&name("on")),
            sources: all("sources"),
            purposes: all("purposes"),
            passed_on: all("passed-on"),
            third_parties: all("third-parties"),
            disclosed_to: all("disclosed-to"),
            while_customer: form.has(&name("while-customer")),
            kept_months: form.get(&name("kept-months")).trim().to_owned(),
        }
    }

    /// As it will be stored. What is no number is more than any field takes.
    fn collected(&self) -> Collected {
        fn chosen<T: Copy + Ord>(
            codes: &[String],
            all: &[T],
            code: fn(T) -> &'static str,
        ) -> std::collections::BTreeSet<T> {
            all.iter().copied().filter(|it| codes.iter().any(|there| there == code(*it))).collect()
        }
        let passed_on = |code: &str| self.passed_on.iter().any(|there| there == code);
        let months = if self.kept_months.is_empty() { Some(0) } else { self.kept_months.parse().ok() };
        Collected {
            category: self.category,
            sources: chosen(&self.sources, &Source::ALL, Source::code),
            purposes: chosen(&self.purposes, &Purpose::ALL, Purpose::code),
            sold: passed_on(SOLD),
            shared: passed_on(SHARED),
            third_parties: chosen(&self.third_parties, &Recipient::ALL, Recipient::code),
            disclosed_to: chosen(&self.disclosed_to, &Recipient::ALL, Recipient::code),
            while_customer: self.while_customer,
            kept_months: months.unwrap_or(u16::MAX),
        }
    }
}

/// What the form holds, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Input {
    version: u64,
    effective: String,
    policy: String,
    under_16: bool,
    infers: bool,
    rows: Vec<Row>,
}

impl Input {
    fn of(there: &Versioned<Option<Told>>, today: Date) -> Self {
        let told = there.value.as_ref();
        let row = |category| {
            let collected = told.and_then(|told| told.collected.iter().find(|it| it.category == category));
            Row::of(category, collected)
        };
        Self {
            version: there.version,
            effective: told.map_or(today, |it| it.effective).to_string(),
            policy: told.and_then(|it| it.policy.clone()).unwrap_or_default(),
            under_16: told.is_some_and(|it| it.under_16),
            infers: told.is_some_and(|it| it.infers),
            rows: Category::ALL.map(row).to_vec(),
        }
    }

    fn sent(form: &Fields) -> Self {
        Self {
            version: form.get("version").parse().unwrap_or(0),
            effective: form.get("effective").trim().to_owned(),
            policy: form.get("policy").trim().to_owned(),
            under_16: form.has("under-16"),
            infers: form.has("infers"),
            rows: Category::ALL.map(|category| Row::sent(category, form)).to_vec(),
        }
    }

    /// As it will be stored, or everything that is wrong with it.
    fn notice(&self, language: Language) -> Result<Told, Vec<FieldError>> {
        let said = |field: &str, why: NoticeError| FieldError::new(field, why.words().of(language));
        let effective: Option<Date> = self.effective.parse().ok();
        let mut errors: Vec<FieldError> =
            effective.is_none().then(|| said("effective", NoticeError::Date)).into_iter().collect();
        let notice = Told {
            // What stands here when the date is wrong is never stored.
            effective: effective.unwrap_or(Date::ZERO),
            policy: Some(self.policy.clone()).filter(|address| !address.is_empty()),
            collected: self.rows.iter().filter(|row| row.on).map(Row::collected).collect(),
            under_16: self.under_16,
            infers: self.infers,
        };
        errors.extend(notice.validate().err().unwrap_or_default().into_iter().map(|(field, why)| said(&field, why)));
        if errors.is_empty() { Ok(notice) } else { Err(errors) }
    }
}

/// What the page says above its form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Nothing,
    Saved,
    Changed,
}

fn above(language: Language, title: &str, code: &ServiceCode, name: &str) -> Heading {
    let service_code = format!("/dashboard/service-code/{code}");
    Heading::new(title)
        .above(language, &[("/dashboard/service-codes", Section::ServiceCodes.name(language)), (&service_code, name)])
}

/// Where people read it, and how a site's owner puts it into a page of their own.
fn places(language: Language, code: &ServiceCode) -> Markup {
    let texts = Texts::of(language);
    let address = |format: &str| {
        let path = format!("/privacy-notice/{code}");
        if format.is_empty() { path } else { with_query(&path, &[("format", format)]) }
    };
    html! {
        (Card::new(texts.places).lede(texts.places_lede).body(html! {
            ul {
                li { a href=(address("")) { (texts.as_page) } }
                li { a href=(address("html")) { (texts.as_html) } }
                li { a href=(address("json")) { (texts.as_json) } }
            }
        }))
    }
}

fn edit(frame: &Frame, account: &NoticeAccount, input: &Input, errors: &[FieldError], said: Said) -> Markup {
    let (language, texts, code) = (frame.language, Texts::of(frame.language), &account.code.code);
    let form =
        Form::post(language, format!("/dashboard/notice/{code}"), frame.csrf.as_str()).errors(errors).body(html! {
            (form::hidden("version", &input.version.to_string()))
            (Card::new(texts.about).body(html! {
                (Field::date("effective", texts.effective).hint(texts.effective_hint).value(&input.effective).required()
                    .errors(errors))
                (Field::text("policy", texts.policy).hint(texts.policy_hint).value(&input.policy).optional(language)
                    .plain_text().inputmode("url").max_length(2048).errors(errors))
            }))
            (Card::new(texts.categories).lede(texts.categories_lede).body(html! {
                @for row in &input.rows { (category(language, row, errors)) }
            }))
            (Card::new(texts.statements).body(html! {
                (Check::switch("under-16", texts.under_16).on(input.under_16).hint(texts.under_16_hint).errors(errors))
                (Check::switch("infers", texts.infers).on(input.infers).hint(texts.infers_hint))
            }))
            (form::actions(html! { (Button::primary(texts.save)) }))
        });
    let main = html! {
        (above(language, texts.title, code, &account.code.name).lede(texts.lede))
        @match said {
            Said::Nothing => {}
            Said::Saved => { (Notice::success(texts.saved)) }
            Said::Changed => { (Notice::warning(texts.changed).body(html! { p { (texts.changed_why) } })) }
        }
        (form)
        (places(language, code))
    };
    pages::page(frame, texts.title, main)
}

/// One category: closed while it is not collected and nothing is wrong with it.
fn category(language: Language, row: &Row, errors: &[FieldError]) -> Markup {
    let texts = Texts::of(language);
    let name = |field: &str| format!("{}.{field}", row.category.code());
    let prefix = name("");
    let wrong = errors.iter().any(|error| error.field.starts_with(&prefix));
    let title = row.category.words().of(language);
    let summary = if row.on { fill(texts.collected, &[("category", title)]) } else { title.to_owned() };
    let sources = Source::ALL.into_iter().fold(Choices::checkboxes(name("sources"), texts.sources), |choices, it| {
        choices.choice(it.code(), it.words().of(language))
    });
    let purposes =
        Purpose::ALL.into_iter().fold(Choices::checkboxes(name("purposes"), texts.purposes), |choices, it| {
            choices.choice(it.code(), it.words().of(language))
        });
    let recipients = |field: &str, legend: &str, third_parties: bool| {
        let there = Recipient::ALL.into_iter().filter(|it| !third_parties || it.is_third_party());
        there.fold(Choices::checkboxes(name(field), legend), |choices, it| {
            choices.choice(it.code(), it.words().of(language))
        })
    };
    let passed_on = Choices::checkboxes(name("passed-on"), texts.passed_on)
        .explained(SOLD, texts.sold, texts.sold_hint)
        .explained(SHARED, texts.shared, texts.shared_hint);
    disclosure(
        &summary,
        wrong || row.on,
        html! {
            p.hint { (row.category.examples().of(language)) " " (row.category.citation()) }
            (Check::switch(name("on"), fill(texts.on, &[("category", title)])).on(row.on))
            (sources.chosen(row.sources.clone()).errors(errors))
            (purposes.chosen(row.purposes.clone()).errors(errors))
            (passed_on.chosen(row.passed_on.clone()).errors(errors))
            (recipients("third-parties", texts.third_parties, true).chosen(row.third_parties.clone()).errors(errors))
            (recipients("disclosed-to", texts.disclosed_to, false).chosen(row.disclosed_to.clone()).errors(errors))
            (Check::new(name("while-customer"), texts.while_customer).on(row.while_customer))
            (Field::number(name("kept-months"), texts.kept_months).hint(texts.kept_months_hint).value(&row.kept_months)
                .range(Some(0), Some(LONGEST_KEPT)).errors(errors))
        },
    )
}

/// For those who may not change it: where it can be read.
fn read(frame: &Frame, account: &NoticeAccount) -> Markup {
    let (language, texts) = (frame.language, Texts::of(frame.language));
    let main = html! {
        (above(language, texts.title, &account.code.code, &account.code.name).lede(texts.lede))
        @if account.notice.value.is_none() { (Notice::info(texts.not_written)) }
        (places(language, &account.code.code))
    };
    pages::page(frame, texts.title, main)
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    lede: &'static str,
    about: &'static str,
    effective: &'static str,
    effective_hint: &'static str,
    policy: &'static str,
    policy_hint: &'static str,
    categories: &'static str,
    categories_lede: &'static str,
    collected: &'static str,
    on: &'static str,
    sources: &'static str,
    purposes: &'static str,
    passed_on: &'static str,
    sold: &'static str,
    sold_hint: &'static str,
    shared: &'static str,
    shared_hint: &'static str,
    third_parties: &'static str,
    disclosed_to: &'static str,
    while_customer: &'static str,
    kept_months: &'static str,
    kept_months_hint: &'static str,
    statements: &'static str,
    under_16: &'static str,
    under_16_hint: &'static str,
    infers: &'static str,
    infers_hint: &'static str,
    save: &'static str,
    saved: &'static str,
    changed: &'static str,
    changed_why: &'static str,
    places: &'static str,
    places_lede: &'static str,
    as_page: &'static str,
    as_html: &'static str,
    as_json: &'static str,
    not_written: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Privacy notice",
        lede: "What you must tell people about their information (11 CCR 7011). Rights and ways to ask are added from this service code and from your laws.",
        about: "About this notice",
        effective: "Last updated",
        effective_hint: "The day from which it is true. Update it at least every 12 months.",
        policy: "Address of your privacy policy",
        policy_hint: "Begins with https://.",
        categories: "What you collect",
        categories_lede: "The categories of Cal. Civ. Code 1798.140(v), for the last 12 months. Open those that you collect.",
        collected: "{category}: collected",
        on: "We collect this: {category}",
        sources: "Where it comes from",
        purposes: "What it is used for",
        passed_on: "Is it passed on to third parties?",
        sold: "Sold",
        sold_hint: "For money or anything else of value.",
        shared: "Shared",
        shared_hint: "For advertising by what people do on other sites and apps.",
        third_parties: "Sold to or shared with",
        disclosed_to: "Disclosed for a business purpose to",
        while_customer: "Kept while somebody is a customer",
        kept_months: "Kept for, in months",
        kept_months_hint: "Counted from when it was collected, or from when somebody is no customer any more.",
        statements: "Statements",
        under_16: "We know that we sell or share information of people under 16",
        under_16_hint: "Only with the consent that Cal. Civ. Code 1798.120(c) asks for.",
        infers: "We use sensitive information to infer characteristics",
        infers_hint: "Then people may limit this, and your service code should take such requests.",
        save: "Save notice",
        saved: "Saved. People read it within five minutes.",
        changed: "Somebody else has just changed this notice",
        changed_why: "Nothing of yours is lost: it is still in the form. Save again to replace theirs with yours.",
        places: "Where people read it",
        places_lede: "As a page in your name and colour, or inside a page of your own: load the HTML or the JSON from there.",
        as_page: "Page",
        as_html: "HTML for your own page",
        as_json: "JSON",
        not_written: "Nobody has written it yet",
    };
    const ES: Self = Self {
        title: "Aviso de privacidad",
        lede: "Lo que debe decir a las personas sobre sus datos (11 CCR 7011). Los derechos y las formas de pedirlos se añaden a partir de este código y de sus leyes.",
        about: "Sobre este aviso",
        effective: "Última actualización",
        effective_hint: "El día desde el que es verdad. Actualícelo al menos cada 12 meses.",
        policy: "Dirección de su política de privacidad",
        policy_hint: "Empieza con https://.",
        categories: "Qué recopila",
        categories_lede: "Las categorías de Cal. Civ. Code 1798.140(v), de los últimos 12 meses. Abra las que recopila.",
        collected: "{category}: se recopila",
        on: "Recopilamos esto: {category}",
        sources: "De dónde viene",
        purposes: "Para qué se usa",
        passed_on: "¿Se pasa a terceros?",
        sold: "Se vende",
        sold_hint: "Por dinero o cualquier otra cosa de valor.",
        shared: "Se comparte",
        shared_hint: "Para publicidad según lo que se hace en otros sitios y aplicaciones.",
        third_parties: "Se vende a o se comparte con",
        disclosed_to: "Se revela con un fin comercial a",
        while_customer: "Se guarda mientras alguien es cliente",
        kept_months: "Se guarda durante, en meses",
        kept_months_hint: "Desde que se recopiló, o desde que alguien deja de ser cliente.",
        statements: "Declaraciones",
        under_16: "Sabemos que vendemos o compartimos datos de menores de 16 años",
        under_16_hint: "Solo con el consentimiento que pide Cal. Civ. Code 1798.120(c).",
        infers: "Usamos información personal sensible para sacar conclusiones sobre las personas",
        infers_hint: "Entonces las personas pueden limitarlo, y su código debería recibir esas solicitudes.",
        save: "Guardar aviso",
        saved: "Guardado. La gente lo lee en cinco minutos.",
        changed: "Otra persona acaba de cambiar este aviso",
        changed_why: "No se pierde nada: lo suyo sigue en el formulario. Guarde otra vez para reemplazar lo de la otra persona.",
        places: "Dónde se lee",
        places_lede: "Como página con su nombre y su color, o dentro de una página suya: cargue de aquí el HTML o el JSON.",
        as_page: "Página",
        as_html: "HTML para su propia página",
        as_json: "JSON",
        not_written: "Nadie lo ha escrito todavía",
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

    const TODAY: Date = Date::constant(2026, 11, 22);

    fn account(notice: Option<Told>) -> NoticeAccount {
        NoticeAccount {
            tenant: serde_json::from_value(json!({
                "name": "Shop Inc", "time-zone": "America/Los_Angeles", "jurisdictions": ["us-ca"],
            }))
            .unwrap(),
            code: serde_json::from_value(json!({
                "code": "42", "name": "Shop <b>", "active": true, "languages": ["en"], "kinds": ["opt-out"],
                "greetings": {"en": {"text": "Welcome."}}, "web-form": null,
            }))
            .unwrap(),
            notice: Versioned { version: u64::from(notice.is_some()), value: notice },
        }
    }

    fn told() -> Told {
        serde_json::from_value(json!({
            "effective": "2026-11-01", "policy": "https://shop.example/privacy", "under-16": false, "infers": true,
            "collected": [{
                "category": "commercial", "sources": ["consumer"], "purposes": ["services", "cross-context"], "sold": true,
                "shared": true, "third-parties": ["advertising-network"], "disclosed-to": ["service-provider"],
                "while-customer": false, "kept-months": 36,
            }],
        }))
        .unwrap()
    }

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn a_form_that_comes_back_unchanged_changes_nothing() {
        let account = account(Some(told()));
        let input = Input::of(&account.notice, TODAY);
        assert_eq!(input.notice(Language::English), Ok(told()));
        let html = edit(&frame(Language::English, Section::ServiceCodes), &account, &input, &[], Said::Nothing);
        assert_eq!(html.into_string().matches("checked").count(), 9);
    }

    #[test]
    fn each_field_that_is_wrong_says_so_and_its_category_is_open() {
        let mut input = Input::of(&account(Some(told())).notice, TODAY);
        input.effective = "yesterday".into();
        input.policy = "javascript:alert(1)".into();
        for row in &mut input.rows {
            if row.category == Category::Commercial {
                row.purposes.clear();
                row.third_parties.clear();
                row.kept_months = "a while".into();
            }
        }
        let errors = input.notice(Language::Spanish).unwrap_err();
        let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
        let expected =
            ["effective", "policy", "commercial.purposes", "commercial.third-parties", "commercial.kept-months"];
        assert_eq!(fields, expected);
        let account = account(Some(told()));
        let page = edit(&frame(Language::Spanish, Section::ServiceCodes), &account, &input, &errors, Said::Nothing);
        let text = main_of(page);
        for field in fields {
            assert!(text.contains(&format!("id=\"f-{field}-error\"")), "{field}: {text}");
        }
        assert_eq!(text.matches("<details class=\"disclosure\" open").count(), 1);
        assert!(!text.contains("<b>"), "{text}");
    }

    #[test]
    fn whoever_chooses_everything_sends_no_more_fields_than_are_read() {
        let input = Input::of(&account(None).notice, TODAY);
        let page = edit(&frame(Language::English, Section::ServiceCodes), &account(None), &input, &[], Said::Nothing);
        let fields = main_of(page).matches("<input").count();
        assert!(fields <= 500, "{fields}");
    }

    #[test]
    fn of_what_is_not_collected_nothing_is_kept() {
        let form: Fields = [
            ("version", "0"),
            ("effective", "2026-11-22"),
            ("biometric.sources", "consumer"),
            ("education.on", "on"),
            ("education.sources", "consumer"),
            ("education.sources", "nobody-knows"),
            ("education.purposes", "law"),
            ("education.kept-months", "12"),
        ]
        .into_iter()
        .collect();
        let notice = Input::sent(&form).notice(Language::English).unwrap();
        assert_eq!(notice.collected.len(), 1);
        assert_eq!(notice.collected[0].category, Category::Education);
        assert_eq!(notice.collected[0].sources.len(), 1);
    }

    #[test]
    fn who_may_not_edit_reads() {
        insta::assert_snapshot!(main_of(read(&frame(Language::English, Section::ServiceCodes), &account(None))));
    }
}
