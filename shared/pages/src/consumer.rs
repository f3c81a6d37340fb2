//! Pages that a consumer meets, in the business's name and colour: the form, where a request stands, privacy choices.

use domain::colour::Colour;
use domain::language::Language;
use maud::{DOCTYPE, Markup, Render, html};
use serde::Serialize;

use crate::problem::Problem;
use crate::show::Notice;
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
    /// Whether the browser's opt-out preference signal (`Sec-GPC: 1`) is written down as an opt-out: the page says so.
    pub gpc: bool,
    /// Whether requests are taken here: the page's end says by whom, and for whom alone.
    pub takes: bool,
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
                        @if site.gpc { (honored(site.language)) }
                        (main)
                    }
                    footer.foot {
                        @if site.takes && !site.business.is_empty() { p { (fill(texts.footer, &[("business", &site.business)])) } }
                    }
                }
                div.sr #announce role="status" aria-live="polite" {}
            }
        }
    }
}

/// The words that 11 CCR 7025(c)(6) gives as an example of how a site shows that it has processed an opt-out.
#[must_use]
pub const fn opt_out_honored(language: Language) -> &'static str {
    Texts::of(language).honored
}

fn honored(language: Language) -> Markup {
    let text = Texts::of(language).honored_text;
    html! { div #gpc-honored { (Notice::success(opt_out_honored(language)).body(html! { p { (text) } })) } }
}

/// Why there is no page, and what to do next, where not even the business is known.
#[must_use]
pub fn problem(language: Language, problem: Problem<'_>) -> Markup {
    let (title, sentences) = crate::problem::said(language, problem);
    let site = Site {
        language,
        languages: vec![],
        business: String::new(),
        colour: None,
        embedded: false,
        gpc: false,
        takes: false,
    };
    page(&site, title, html! { div.problem { @for sentence in sentences { p { (sentence) } } } })
}

#[derive(Serialize)]
pub(crate) struct Texts {
    skip: &'static str,
    language: &'static str,
    footer: &'static str,
    honored: &'static str,
    honored_text: &'static str,
}

impl Texts {
    pub(crate) const EN: Self = Self {
        skip: "Skip to the page",
        language: "Language",
        footer: "Optline takes requests for {business} and keeps them encrypted, for {business} alone.",
        honored: "Opt-out request honored",
        honored_text: "Your browser sends the Global Privacy Control signal. It counts as your opt-out of sale and sharing here, \
                       and you need do nothing for it.",
    };
    pub(crate) const ES: Self = Self {
        skip: "Ir a la página",
        language: "Idioma",
        footer: "Optline recibe las solicitudes para {business} y las guarda cifradas, solo para {business}.",
        honored: "Se respeta su solicitud de no vender ni compartir",
        honored_text: "Su navegador envía la señal de Control Global de Privacidad. Aquí cuenta como su solicitud de no vender ni \
                       compartir, y no tiene que hacer nada más.",
    };

    const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &Self::EN,
            Language::Spanish => &Self::ES,
        }
    }
}
