//! Pages that a consumer meets, in the business's name and colour: the form, where a request stands, privacy choices.

use domain::colour::Colour;
use domain::language::Language;
use maud::{DOCTYPE, Markup, Render, html};
use serde::Serialize;

use crate::problem::Problem;
use crate::{assets, fill, words};

/// Whose page it is.
#[derive(Debug, Clone)]
pub struct Site {
    /// The language of the page.
    pub language: Language,
    /// The languages that it can be had in, each with the address of this page in it.
    pub languages: Vec<(Language, String)>,
    /// The business, or the brand or site that the service code stands for. Empty where it is not known.
    pub business: String,
    /// The business's own colour.
    pub colour: Option<Colour>,
    /// Whether the page is shown inside the business's own.
    pub embedded: bool,
}

/// The whole document. `title` is its `h1`, too.
#[must_use]
pub fn page(site: &Site, title: &str, main: impl Render) -> Markup {
    let texts = Texts::of(site.language);
    let code = site.language.code();
    html! {
        (DOCTYPE)
        html lang=(code) {
            head {
                meta charset="utf-8";
                title { (title) @if !site.business.is_empty() { " · " (site.business) } }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                meta name="format-detection" content="telephone=no";
                link rel="icon" type="image/svg+xml" href=(assets::path("favicon.svg"));
                link rel="stylesheet" href=(assets::path("style.css"));
                link rel="stylesheet" href=(assets::path("consumer.css"));
                @if let Some(colour) = site.colour { link rel="stylesheet" href=(assets::theme_path(colour)); }
                script src=(assets::path("consumer.js")) defer {}
            }
            body {
                a.skip href="#main" { (texts.skip) }
                div.site.embedded[site.embedded] {
                    header.site-top {
                        p.business { (site.business) }
                        @if site.languages.len() > 1 {
                            nav.languages aria-label=(texts.language) {
                                @for (other, address) in &site.languages {
                                    a href=(address) lang=(other.code()) hreflang=(other.code())
                                        aria-current=[(*other == site.language).then_some("true")] {
                                        (words::own_name(*other))
                                    }
                                }
                            }
                        }
                    }
                    main #main tabindex="-1" {
                        h1 { (title) }
                        (main)
                    }
                    footer.foot {
                        @if !site.business.is_empty() { p { (fill(texts.footer, &[("business", &site.business)])) } }
                    }
                }
                div.sr #announce role="status" aria-live="polite" {}
            }
        }
    }
}

/// Why there is no page, and what to do next, where not even the business is known.
#[must_use]
pub fn problem(language: Language, problem: Problem<'_>) -> Markup {
    let (title, sentences) = crate::problem::said(language, problem);
    let site = Site { language, languages: vec![], business: String::new(), colour: None, embedded: false };
    page(&site, title, html! { div.problem { @for sentence in sentences { p { (sentence) } } } })
}

#[derive(Serialize)]
pub(crate) struct Texts {
    skip: &'static str,
    language: &'static str,
    footer: &'static str,
}

impl Texts {
    pub(crate) const EN: Self = Self {
        skip: "Skip to the page",
        language: "Language",
        footer: "Optline takes this request for {business} and keeps it encrypted, for {business} alone.",
    };
    pub(crate) const ES: Self = Self {
        skip: "Ir a la página",
        language: "Idioma",
        footer: "Optline recibe esta solicitud para {business} y la guarda cifrada, solo para {business}.",
    };

    const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &Self::EN,
            Language::Spanish => &Self::ES,
        }
    }
}
