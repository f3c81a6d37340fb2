//! Whose page it is: the business behind a service code, the language, and the site that shows the page inside its own.

use domain::language::Language;
use domain::origin::Origin;
use domain::service_code::{ServiceCode, ServiceCodeProfile};
use maud::{Markup, html};
use pages::consumer::{self, Site};
use pages::{assets, fill};
use platform::edge::{Page, Visit, with_query};
use platform::store::FormAccount;
use platform::tenant::Tenant;
use platform::{App, Error};

use crate::form_texts::Texts;

/// The code in `/forms/{code}` and below it.
pub(crate) fn code_in(path: &str) -> Option<ServiceCode> {
    ServiceCode::parse(path.split('/').nth(2)?).ok()
}

/// The business behind a code, if it takes requests under it; else the page that says so.
pub(crate) async fn open(
    app: &App,
    code: &ServiceCode,
    visit: &Visit,
) -> Result<Result<(Tenant, FormAccount), Page>, Error> {
    let Some(tenant) = app.store.service_code(code).await? else { return Ok(Err(unknown(visit.language))) };
    app.about(&tenant);
    let account = app.store.of(&tenant).form_account(code).await?;
    Ok(match account {
        Some(account) if !account.tenant.closure.is_open() => Err(closed(visit, &account.code)),
        Some(account) if account.code.active => Ok((tenant, account)),
        _ => Err(unknown(visit.language)),
    })
}

/// The language of a page of a code: the one that is asked for, where the code offers it, else its first.
pub(crate) fn spoken(asked: Language, code: &ServiceCodeProfile) -> Language {
    if code.languages.contains(&asked) { asked } else { code.languages.first().copied().unwrap_or(asked) }
}

/// The languages that a page can be had in, each with its address: those of the code, or all of ours where none is known.
pub(crate) fn languages(
    code: Option<&ServiceCodeProfile>,
    address: impl Fn(Language) -> String,
) -> Vec<(Language, String)> {
    let offered = code.map_or(Language::ALL.to_vec(), |code| code.languages.clone());
    offered.into_iter().map(|it| (it, address(it))).collect()
}

/// How a page of a code is shown: in which language, and inside which site.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) language: Language,
    pub(crate) embedded: bool,
    /// The listed site that shows it, which is told how high it is.
    pub(crate) parent: Option<String>,
    /// Whether the browser's opt-out preference signal is written down, which is when a page says that it is honoured.
    pub(crate) gpc: bool,
}

impl View {
    pub(crate) fn of(visit: &Visit, code: &ServiceCodeProfile) -> Self {
        let language = spoken(visit.language, code);
        let embedded = visit.query.get("embed") == "1";
        let parent = visit.query.get("parent");
        let listed = embedded && code.origins.iter().any(|origin| origin.matches(parent));
        Self { language, embedded, parent: listed.then(|| parent.to_owned()), gpc: visit.honored }
    }

    /// An address that is shown in the same way.
    pub(crate) fn address(&self, path: &str, more: &[(&str, &str)]) -> String {
        self.address_in(self.language, path, more)
    }

    fn address_in(&self, language: Language, path: &str, more: &[(&str, &str)]) -> String {
        let mut query = vec![("lang", language.code())];
        query.extend(self.fields());
        query.extend(more);
        with_query(path, &query)
    }

    /// What a form that leads to another page must carry along, beside the language.
    pub(crate) fn fields(&self) -> Vec<(&str, &str)> {
        let embedded = self.embedded.then_some(("embed", "1"));
        embedded.into_iter().chain(self.parent.as_deref().map(|parent| ("parent", parent))).collect()
    }

    /// A page of the code. `here` is its path with what else its address says, to have it in another language.
    pub(crate) fn page(
        &self,
        code: &ServiceCodeProfile,
        here: (&str, &[(&str, &str)]),
        title: &str,
        main: &Markup,
    ) -> Page {
        self.answer(code, self.document(&self.site(code, here), title, main))
    }

    fn site(&self, code: &ServiceCodeProfile, (path, more): (&str, &[(&str, &str)])) -> Site {
        Site {
            language: self.language,
            languages: languages(Some(code), |it| self.address_in(it, path, more)),
            business: code.name.clone(),
            colour: code.accent,
            embedded: self.embedded,
            gpc: self.gpc,
            takes: true,
        }
    }

    fn document(&self, site: &Site, title: &str, main: &Markup) -> Markup {
        let main = html! {
            (main)
            @if let Some(parent) = &self.parent {
                div hidden data-parent=(parent) {}
                script src=(assets::path("frame.js")) defer {}
            }
        };
        consumer::page(site, title, &main)
    }

    /// Only what is shown inside a site may be framed, and only by those that the code lists.
    fn answer(&self, code: &ServiceCodeProfile, document: Markup) -> Page {
        let page = Page::html(document);
        if !self.embedded {
            return page;
        }
        let origins: Vec<&str> = code.origins.iter().map(Origin::as_str).collect();
        // A site that isolates itself (COEP) shows only frames that allow it.
        page.framed_by(&origins).with_header("cross-origin-resource-policy", "cross-origin")
    }
}

/// There is no such code, or nothing is taken under it: what to do instead.
pub(crate) fn unknown(language: Language) -> Page {
    let texts = Texts::of(language);
    let site = Site {
        language,
        languages: vec![],
        business: String::new(),
        colour: None,
        embedded: false,
        gpc: false,
        takes: false,
    };
    let main = html! { div.problem { p { (texts.unknown) } p { (texts.unknown_next) } } };
    let page = Page::html(consumer::page(&site, texts.unknown_title, main)).with_status(404);
    // Whose site may show it is not known, and it says nothing about anybody: better than an empty place.
    page.framed_by(&["*"]).with_header("cross-origin-resource-policy", "cross-origin")
}

/// The business has closed its account. Inside a site of its own the page is as high as it is, like any other.
pub(crate) fn closed(visit: &Visit, code: &ServiceCodeProfile) -> Page {
    let view = View::of(visit, code);
    view.answer(code, closed_document(&view, &visit.path, code)).with_status(410)
}

fn closed_document(view: &View, path: &str, code: &ServiceCodeProfile) -> Markup {
    // A form that was open is sent to an address of its own; the page in another language is the form's.
    let here = path.strip_suffix("/requests").unwrap_or(path);
    // Nothing is written down any more, the browser's signal included.
    let site = Site { gpc: false, takes: false, ..view.site(code, (here, &[])) };
    let language = view.language;
    let status = with_query("/status", &[("code", code.code.as_str()), ("lang", language.code())]);
    let elsewhere = view.embedded.then_some("_blank");
    let main = html! {
        div.problem {
            (no_more(language, code))
            p {
                a href=(status) target=[elsewhere] rel=[elsewhere.map(|_| "noopener")] {
                    (Texts::of(language).closed_status)
                }
            }
        }
    };
    view.document(&site, Texts::of(language).closed_title, &main)
}

/// Where somebody can ask instead of here, once the business has closed its account.
pub(crate) fn no_more(language: Language, code: &ServiceCodeProfile) -> Markup {
    let texts = Texts::of(language);
    html! {
        p { (fill(texts.closed, &[("business", &code.name)])) }
        p { (texts.closed_next) }
    }
}

/// Ways to ask that need no form and no check: the hotline, where its number is known, and the business itself.
pub(crate) fn other_ways(app: &App, language: Language, code: &ServiceCodeProfile) -> Markup {
    let texts = Texts::of(language);
    let hotline = app.config.hotline_number.as_deref();
    html! {
        section.other-ways aria-labelledby="other-ways" {
            h2 #other-ways { (texts.other_ways) }
            @if let Some(number) = hotline {
                p {
                    (fill(texts.by_telephone, &[("code", code.code.as_str())])) " "
                    a href={ "tel:" (number) } { (in_groups(number)) }
                }
            }
            p { (fill(texts.by_any_way, &[("business", &code.name)])) }
        }
    }
}

/// A North American number as people read it; any other as it is.
pub(crate) fn in_groups(number: &str) -> String {
    match (number.get(..2), number.get(2..5), number.get(5..8), number.get(8..)) {
        (Some("+1"), Some(area), Some(exchange), Some(line)) => format!("+1 {area} {exchange} {line}"),
        _ => number.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use platform::edge::Client;
    use serde_json::json;

    use super::*;

    fn closed_for(query: &[(&str, &str)]) -> String {
        let code: ServiceCodeProfile = serde_json::from_value(json!({
            "code": "42", "name": "Shop", "active": true, "languages": ["en", "es"], "kinds": ["delete"],
            "greetings": {}, "web-form": null, "origins": ["https://shop.example"],
        }))
        .unwrap();
        let at = "2026-11-22T01:00:00Z".parse().unwrap();
        let mut visit = Visit::get("/forms/42/requests", Language::English, Client::default(), "", at);
        visit.query = query.iter().copied().collect();
        visit.honored = true;
        closed_document(&View::of(&visit, &code), &visit.path, &code).into_string()
    }

    #[test]
    fn a_closed_account_takes_nothing_and_does_not_say_that_it_does() {
        let page = closed_for(&[]);
        assert!(page.contains("href=\"/forms/42?lang=es\"") && page.contains("/status?code=42"), "{page}");
        for said in ["Optline takes requests", "gpc-honored", "_blank", "data-parent"] {
            assert!(!page.contains(said), "{said}: {page}");
        }
    }

    #[test]
    fn inside_a_site_of_theirs_a_closed_account_tells_it_its_height_and_leads_out_of_the_frame() {
        let page = closed_for(&[("embed", "1"), ("parent", "https://shop.example")]);
        assert!(page.contains("data-parent=\"https://shop.example\"") && page.contains("target=\"_blank\""), "{page}");
        assert!(page.contains("embed=1"), "{page}");
    }
}
