//! `forms-notice`: what a business tells of what it collects, and the rights that people have: as a page, as a piece of HTML
//! for the business's own page (`?format=html`), and as JSON (`?format=json`). Anybody may read it from anywhere.

use domain::language::{Language, Words};
use domain::notice::{self, Collected, Method, Notice, Right};
use domain::service_code::{ServiceCode, ServiceCodeProfile};
use jiff::civil::Date;
use maud::{Markup, html};
use pages::consumer::{self, Site};
use pages::{fill, format, words};
use platform::edge::{Page, Visit, with_query};
use platform::store::NoticeAccount;
use platform::{App, Error};
use serde::Serialize;
use serde_json::{Value, json};

use crate::opting_out::{self, Asked};
use crate::site;

/// How long others may keep it: a change is seen within five minutes.
const KEPT: &str = "public, max-age=300";

/// Shows it in the form that is asked for.
pub async fn handle(app: &App, visit: Visit) -> Result<Page, Error> {
    let Ok(code) = ServiceCode::parse(&visit.segment) else { return Ok(site::unknown(visit.language)) };
    let Some(tenant) = app.store.service_code(&code).await? else { return Ok(site::unknown(visit.language)) };
    app.about(&tenant);
    let Some(account) = app.store.of(&tenant).notice_account(&code).await? else {
        return Ok(site::unknown(visit.language));
    };
    let zone = account.tenant.tz().map_err(Error::failed("reading the tenant's time zone"))?;
    let format = visit.query.get("format");
    let page = !matches!(format, "json" | "html");
    let asked = Asked { tenant: &tenant, profile: &account.tenant, code: &account.code };
    // What another site or a program asks for is in the language that it asks for.
    let language = if page { site::spoken(visit.language, &account.code) } else { visit.language };
    let told = Told {
        account: &account,
        language,
        gpc: page && opting_out::note_signal(app, asked, (&visit, language), None, None).await,
        base_url: app.config.public_base_url()?,
        hotline: app.config.hotline_number.as_deref(),
        today: visit.at.to_zoned(zone).date(),
    };
    // What is embedded says nothing about whoever reads it, so others may keep it. The page does: its browser's signal.
    let kept = |page: Page| page.with_header("vary", "Accept-Language, Cookie").with_header("cache-control", KEPT);
    let page = match format {
        "json" => kept(Page::json(&told.json())?),
        "html" => kept(Page::html(told.fragment())),
        _ => Page::html(told.page()),
    };
    Ok(page.readable_by("*").tagged(visit.if_none_match.as_deref()))
}

/// Everything that a notice says.
struct Told<'a> {
    account: &'a NoticeAccount,
    language: Language,
    /// Whether the browser's opt-out preference signal is written down.
    gpc: bool,
    base_url: &'a str,
    hotline: Option<&'a str>,
    today: Date,
}

impl Told<'_> {
    fn texts(&self) -> &'static Texts {
        Texts::of(self.language)
    }

    fn code(&self) -> &ServiceCodeProfile {
        &self.account.code
    }

    fn written(&self) -> Option<&Notice> {
        self.account.notice.value.as_ref()
    }

    fn say(&self, words: Words) -> &'static str {
        words.of(self.language)
    }

    fn named(&self, text: &str) -> String {
        fill(text, &[("business", &self.code().name)])
    }

    fn title(&self) -> String {
        self.named(self.texts().title)
    }

    fn rights(&self) -> Vec<Right> {
        notice::rights(&self.code().kinds, &self.account.tenant.jurisdictions, self.today)
    }

    /// A business that has closed its account takes no requests here.
    const fn takes(&self) -> bool {
        self.account.tenant.closure.is_open()
    }

    fn methods(&self) -> Vec<(Method, String)> {
        if !self.takes() {
            return vec![];
        }
        let (base, code) = (self.base_url, self.code().code.as_str());
        let address = |method| match method {
            Method::Form => with_query(&format!("{base}/forms/{code}"), &[("lang", self.language.code())]),
            Method::Telephone => format!("tel:{}", self.hotline.unwrap_or_default()),
            Method::Choices | Method::Signal => {
                with_query(&format!("{base}/privacy-choices/{code}"), &[("lang", self.language.code())])
            }
        };
        let there = notice::methods(&self.code().kinds, self.hotline.is_some());
        there.into_iter().map(|method| (method, address(method))).collect()
    }

    /// In the business's name and colour.
    fn page(&self) -> Markup {
        let path = format!("/privacy-notice/{}", self.code().code);
        let here = |language: Language| with_query(&path, &[("lang", language.code())]);
        let site = Site {
            language: self.language,
            languages: site::languages(Some(self.code()), here),
            business: self.code().name.clone(),
            colour: self.code().accent,
            embedded: false,
            gpc: self.gpc,
            takes: self.takes(),
        };
        consumer::page(&site, &self.title(), html! { div.told { (self.body(2)) } })
    }

    /// For a page of the business's own: no document, no style, no script; its parts are named for a style sheet of theirs.
    fn fragment(&self) -> Markup {
        html! { section class="optline-notice" lang=(self.language.code()) { h2 { (self.title()) } (self.body(3)) } }
    }

    /// Under headings of this level and the one below.
    fn body(&self, level: u8) -> Markup {
        let texts = self.texts();
        html! {
            @if let Some(written) = self.written() {
                p { (fill(texts.effective, &[("date", &format::long_date(self.language, written.effective))])) }
            }
            (heading(level, texts.rights))
            p { (texts.rights_lede) }
            ul {
                @for right in self.rights() {
                    li {
                        (self.say(right.right.words()))
                        @if let Some(citation) = right.right.citation() { " (" (citation) ")" }
                        @if let Some(places) = self.places(&right) { " " small { (places) } }
                    }
                }
            }
            (heading(level, texts.methods))
            @if self.takes() {
                ul { @for (method, address) in self.methods() { li { (self.method(method, &address)) } } }
            } @else {
                (site::no_more(self.language, self.code()))
            }
            (heading(level, texts.collected))
            @match self.written() {
                Some(written) => { (self.collected(written, level)) }
                None => { p { (self.named(texts.not_written)) } }
            }
        }
    }

    /// Where a right holds, if not everywhere that the business answers.
    fn places(&self, right: &Right) -> Option<String> {
        let all = self.account.tenant.jurisdictions.len().max(1);
        if right.places.is_empty() || right.places.len() == all {
            return None;
        }
        let names: Vec<&str> = right.places.iter().map(|place| words::jurisdiction(self.language, *place)).collect();
        Some(fill(self.texts().places, &[("places", &format::list(self.language, &names))]))
    }

    fn method(&self, method: Method, address: &str) -> Markup {
        let texts = self.texts();
        let code = self.code().code.as_str();
        html! {
            @match method {
                Method::Form => { (texts.by_form) " " a href=(address) { (address) } }
                Method::Telephone => {
                    (fill(texts.by_telephone, &[("code", code)])) " " a href=(address) { (site::in_groups(self.hotline.unwrap_or_default())) }
                }
                Method::Choices => { (texts.by_choices) " " a href=(address) { (address) } }
                Method::Signal => { (texts.by_signal) }
            }
        }
    }

    fn collected(&self, written: &Notice, level: u8) -> Markup {
        let texts = self.texts();
        let names = |of: Vec<&Collected>| {
            let names: Vec<&str> = of.into_iter().map(|it| self.say(it.category.words())).collect();
            if names.is_empty() { texts.none.to_owned() } else { format::list(self.language, &names) }
        };
        html! {
            p { (self.named(texts.collected_lede)) }
            @if written.collected.is_empty() { p { (texts.nothing) } }
            @for it in &written.collected { (self.category(it, level + 1)) }
            (heading(level, texts.passed_on))
            p { strong { (texts.sold_or_shared) ":" } " " (names(written.sold_or_shared().collect())) }
            p { strong { (texts.disclosed) ":" } " " (names(written.disclosed().collect())) }
            p { (self.named(if written.under_16 { texts.under_16 } else { texts.not_under_16 })) }
            p { (self.named(if written.infers { texts.infers } else { texts.not_infers })) }
            @if let Some(policy) = &written.policy { p { (texts.policy) " " a href=(policy) { (policy) } } }
        }
    }

    fn category(&self, it: &Collected, level: u8) -> Markup {
        let texts = self.texts();
        let list = |names: Vec<Words>| {
            let names: Vec<&str> = names.into_iter().map(|words| self.say(words)).collect();
            if names.is_empty() { texts.nobody.to_owned() } else { names.join("; ") }
        };
        let passed_on = match (it.sold, it.shared) {
            (true, true) => texts.sold_and_shared_to,
            (true, false) => texts.sold_to,
            (false, true) => texts.shared_to,
            (false, false) => texts.neither,
        };
        html! {
            (heading(level, self.say(it.category.words())))
            p { (self.say(it.category.examples())) " " small { (it.category.citation()) } }
            dl {
                dt { (texts.sources) }
                dd { (list(it.sources.iter().map(|source| source.words()).collect())) }
                dt { (texts.purposes) }
                dd { (list(it.purposes.iter().map(|purpose| purpose.words()).collect())) }
                dt { (passed_on) }
                dd { (list(it.third_parties.iter().map(|recipient| recipient.words()).collect())) }
                dt { (texts.disclosed_to) }
                dd { (list(it.disclosed_to.iter().map(|recipient| recipient.words()).collect())) }
                dt { (texts.kept) }
                dd { (self.kept(it)) }
            }
        }
    }

    fn kept(&self, it: &Collected) -> String {
        let texts = self.texts();
        let months = it.kept_months.to_string();
        match (it.while_customer, it.kept_months) {
            (true, 0) => texts.while_customer.to_owned(),
            (true, _) => fill(texts.while_customer_and, &[("n", &months)]),
            (false, _) => fill(texts.for_months, &[("n", &months)]),
        }
    }

    /// The same for programs; codes stay, names are in the language asked for.
    fn json(&self) -> Value {
        let named = |code: &'static str, words: Words| json!({ "code": code, "name": self.say(words) });
        let rights: Vec<Value> = self
            .rights()
            .into_iter()
            .map(|it| {
                let (text, citation) = (self.say(it.right.words()), it.right.citation());
                json!({ "right": it.right, "text": text, "citation": citation, "jurisdictions": it.places })
            })
            .collect();
        let methods: Vec<Value> = self
            .methods()
            .into_iter()
            .map(|(method, address)| json!({ "method": method, "address": address }))
            .collect();
        let category = |it: &Collected| {
            json!({
                "category": it.category.code(),
                "name": self.say(it.category.words()),
                "examples": self.say(it.category.examples()),
                "citation": it.category.citation(),
                "sources": it.sources.iter().map(|it| named(it.code(), it.words())).collect::<Vec<_>>(),
                "purposes": it.purposes.iter().map(|it| named(it.code(), it.words())).collect::<Vec<_>>(),
                "sold": it.sold,
                "shared": it.shared,
                "third_parties": it.third_parties.iter().map(|it| named(it.code(), it.words())).collect::<Vec<_>>(),
                "disclosed_to": it.disclosed_to.iter().map(|it| named(it.code(), it.words())).collect::<Vec<_>>(),
                "retention": { "while_customer": it.while_customer, "months": it.kept_months, "text": self.kept(it) },
            })
        };
        let written = self.written();
        let collected: Option<Vec<Value>> = written.map(|it| it.collected.iter().map(category).collect());
        json!({
            "business": self.code().name,
            "service_code": self.code().code,
            "language": self.language,
            "effective": written.map(|it| it.effective.to_string()),
            "privacy_policy": written.and_then(|it| it.policy.clone()),
            "rights": rights,
            "methods": methods,
            "collected": collected,
            "sells_or_shares_under_16": written.map(|it| it.under_16),
            "infers_from_sensitive_information": written.map(|it| it.infers),
        })
    }
}

fn heading(level: u8, text: &str) -> Markup {
    html! {
        @match level {
            2 => { h2 { (text) } }
            3 => { h3 { (text) } }
            _ => { h4 { (text) } }
        }
    }
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    effective: &'static str,
    rights: &'static str,
    rights_lede: &'static str,
    places: &'static str,
    methods: &'static str,
    by_form: &'static str,
    by_telephone: &'static str,
    by_choices: &'static str,
    by_signal: &'static str,
    collected: &'static str,
    collected_lede: &'static str,
    not_written: &'static str,
    nothing: &'static str,
    sources: &'static str,
    purposes: &'static str,
    sold_to: &'static str,
    shared_to: &'static str,
    sold_and_shared_to: &'static str,
    neither: &'static str,
    disclosed_to: &'static str,
    kept: &'static str,
    nobody: &'static str,
    none: &'static str,
    while_customer: &'static str,
    while_customer_and: &'static str,
    for_months: &'static str,
    passed_on: &'static str,
    sold_or_shared: &'static str,
    disclosed: &'static str,
    under_16: &'static str,
    not_under_16: &'static str,
    infers: &'static str,
    not_infers: &'static str,
    policy: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Privacy at {business}",
        effective: "Last updated {date}.",
        rights: "Your rights",
        rights_lede: "It costs nothing to use them, and you need no account.",
        places: "For people in {places}.",
        methods: "How to ask",
        by_form: "On the web:",
        by_telephone: "By telephone, free of charge, with the service code {code}:",
        by_choices: "Your privacy choices, with one click:",
        by_signal: "By your browser: an opt-out preference signal (Global Privacy Control) counts as a request to opt out.",
        collected: "What is collected",
        collected_lede: "In the last 12 months {business} collected these categories of personal information.",
        not_written: "{business} has not described this here yet. Its own privacy policy does, and you can ask for it in any of the ways above.",
        nothing: "None.",
        sources: "Where it comes from",
        purposes: "What it is used for",
        sold_to: "Sold to",
        shared_to: "Shared, for advertising across sites, with",
        sold_and_shared_to: "Sold to, and shared for advertising across sites with",
        neither: "Sold to or shared with",
        disclosed_to: "Disclosed for a business purpose to",
        kept: "How long it is kept",
        nobody: "Nobody",
        none: "None",
        while_customer: "As long as you are a customer",
        while_customer_and: "As long as you are a customer, and {n} months after that",
        for_months: "{n} months",
        passed_on: "What is passed on",
        sold_or_shared: "Sold or shared in the last 12 months",
        disclosed: "Disclosed for a business purpose in the last 12 months",
        under_16: "{business} knows that some of what it sells or shares belongs to people under 16, and does so only with the consent that the law asks for.",
        not_under_16: "{business} does not know of any personal information of people under 16 that it sells or shares.",
        infers: "{business} uses sensitive personal information to infer characteristics; you can limit this.",
        not_infers: "{business} does not use sensitive personal information to infer characteristics.",
        policy: "The whole privacy policy:",
    };
    const ES: Self = Self {
        title: "La privacidad en {business}",
        effective: "Última actualización: {date}.",
        rights: "Sus derechos",
        rights_lede: "Ejercerlos no cuesta nada y no necesita una cuenta.",
        places: "Para quienes viven en {places}.",
        methods: "Cómo pedirlo",
        by_form: "En la web:",
        by_telephone: "Por teléfono, sin costo, con el código de servicio {code}:",
        by_choices: "Sus opciones de privacidad, con un clic:",
        by_signal: "Con su navegador: una señal de preferencia (Global Privacy Control) vale como solicitud de exclusión.",
        collected: "Qué se recopila",
        collected_lede: "En los últimos 12 meses {business} recopiló estas categorías de datos personales.",
        not_written: "{business} todavía no lo describe aquí. Lo hace su propia política de privacidad, y puede pedirlo de cualquiera de las formas de arriba.",
        nothing: "Ninguna.",
        sources: "De dónde vienen",
        purposes: "Para qué se usan",
        sold_to: "Se venden a",
        shared_to: "Se comparten, para publicidad entre sitios, con",
        sold_and_shared_to: "Se venden a, y se comparten para publicidad entre sitios con",
        neither: "Se venden a o se comparten con",
        disclosed_to: "Se revelan con un fin comercial a",
        kept: "Cuánto tiempo se guardan",
        nobody: "Nadie",
        none: "Ninguna",
        while_customer: "Mientras sea cliente",
        while_customer_and: "Mientras sea cliente y {n} meses después",
        for_months: "{n} meses",
        passed_on: "Qué se pasa a otros",
        sold_or_shared: "Vendido o compartido en los últimos 12 meses",
        disclosed: "Revelado con un fin comercial en los últimos 12 meses",
        under_16: "{business} sabe que parte de lo que vende o comparte es de menores de 16 años, y lo hace solo con el consentimiento que pide la ley.",
        not_under_16: "A {business} no le consta que venda o comparta datos personales de menores de 16 años.",
        infers: "{business} usa información personal sensible para sacar conclusiones sobre las personas; usted puede limitarlo.",
        not_infers: "{business} no usa información personal sensible para sacar conclusiones sobre las personas.",
        policy: "La política de privacidad completa:",
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
    use platform::store::Versioned;

    use super::*;

    fn account(written: bool) -> NoticeAccount {
        let notice = json!({
            "effective": "2026-11-22", "policy": "https://shop.example/privacy?a=1&b=2", "under-16": false, "infers": false,
            "collected": [
                {
                    "category": "identifiers", "sources": ["consumer", "device"], "purposes": ["services", "cross-context"],
                    "sold": false, "shared": true, "third-parties": ["advertising-network"],
                    "disclosed-to": ["service-provider"], "while-customer": true, "kept-months": 24,
                },
                {
                    "category": "sensory", "sources": ["consumer"], "purposes": ["services"], "sold": false,
                    "shared": false, "third-parties": [], "disclosed-to": [], "while-customer": false, "kept-months": 13,
                },
            ],
        });
        NoticeAccount {
            tenant: serde_json::from_value(json!({
                "name": "Shop Inc", "time-zone": "America/Los_Angeles", "jurisdictions": ["us-ca", "us-va"],
            }))
            .unwrap(),
            code: serde_json::from_value(json!({
                "code": "42", "name": "Shop <script>", "active": true, "languages": ["en"],
                "kinds": ["opt-out", "delete", "know-categories", "limit"],
                "greetings": {"en": {"text": "Welcome."}}, "web-form": null,
            }))
            .unwrap(),
            notice: Versioned {
                value: written.then(|| serde_json::from_value(notice).unwrap()),
                version: u64::from(written),
            },
        }
    }

    fn told(account: &NoticeAccount, language: Language) -> Told<'_> {
        let today = jiff::civil::date(2026, 11, 22);
        Told {
            account,
            language,
            gpc: false,
            base_url: "https://hotline.example",
            hotline: Some("+18665550100"),
            today,
        }
    }

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn a_piece_for_a_businesss_own_page_is_escaped_and_has_no_style() {
        let text = told(&account(true), Language::English).fragment().into_string();
        assert!(
            !text.contains("style") && !text.contains("<script>") && text.contains("Shop &lt;script&gt;"),
            "{text}"
        );
        insta::assert_snapshot!(text.replace("><", ">\n<"));
    }

    #[test]
    fn what_programs_read_says_the_same() {
        insta::assert_json_snapshot!(told(&account(true), Language::Spanish).json());
    }

    #[test]
    fn a_business_that_has_written_nothing_still_tells_the_rights_and_the_ways() {
        let account = account(false);
        let text = told(&account, Language::Spanish).page().into_string();
        assert!(text.contains("todavía no lo describe") && text.contains("tel:+18665550100"), "{text}");
        assert!(text.contains("https://hotline.example/forms/42?lang=es"), "{text}");
        assert_eq!(told(&account, Language::English).json()["collected"], Value::Null);
    }
}
