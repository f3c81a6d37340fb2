//! `GET POST /privacy-choices/{code}`: the page behind "Do Not Sell or Share My Personal Information" and "Your Privacy
//! Choices" (Cal. Civ. Code 1798.135(a), 11 CCR 7013 to 7015). One click opts this browser out; an address or a number, which
//! may be left out, makes it the opt-out of whoever has it. It asks for nothing else, and checks nobody: 11 CCR 7026(d).
//!
//! No cookie is kept, so that the page works inside a site of the business. What the browser must know there, the site's
//! script (`embed.js`) keeps: the page inside the site tells it, and from our own page a link back to the site does,
//! with `#optline-opt-out` at its end.

use domain::FieldError;
use domain::email::EmailAddress;
use domain::intake::{Intake, is_form_id};
use domain::origin::Origin;
use domain::phone::E164;
use domain::request::Kind;
use domain::service_code::ServiceCodeProfile;
use maud::{Markup, Render, html};
use pages::consumer::opt_out_honored;
use pages::form::{Button, Field, Form, actions, hidden};
use pages::show::{Card, Facts};
use pages::{fill, format};
use platform::edge::{Page, Visit};
use platform::store::{Filed, FormAccount, OptingOut, Throttled};
use platform::tenant::Tenant;
use platform::ticket::random_token;
use platform::{App, Error};

use crate::choices_texts::Texts;
use crate::opting_out::{file, passing};
use crate::requests::Sender;
use crate::site::{self, View};

/// Shows the choices, or makes one.
pub async fn handle(app: &App, visit: Visit) -> Result<Page, Error> {
    let Some(code) = site::code_in(&visit.path) else { return Ok(site::unknown(visit.language)) };
    let Some((tenant, account)) = site::open(app, &code).await? else { return Ok(site::unknown(visit.language)) };
    let view = View::of(&visit, &account.code);
    let choices = Choices { code: &account.code, view: &view, visit: &visit };
    if visit.post {
        let sender = Sender::of(&visit, app.config.public_base_url()?, &[]);
        return if sender == Sender::Refused {
            Ok(choices.refused())
        } else {
            choose(app, &tenant, &account, &choices).await
        };
    }
    if visit.gpc {
        note_signal(app, &tenant, &account, &choices).await?;
    }
    Ok(choices.page(&random_token()?, "", &[]))
}

/// Writes the signal down, once a day for each browser. A flood of them is honoured all the same.
async fn note_signal(app: &App, tenant: &Tenant, account: &FormAccount, choices: &Choices<'_>) -> Result<(), Error> {
    let Choices { visit, view, code } = *choices;
    match app.store.form_throttle(&code.code, &visit.client.address, visit.at).await {
        Ok(Throttled::Open) => {}
        Ok(Throttled::CodeBusy { .. }) | Err(Error::Throttled { .. }) => return Ok(()),
        Err(error) => return Err(error),
    }
    let signal = (passing(visit), None, view.parent.as_deref());
    file(app, (tenant, account), (visit, view), signal).await.map(|_| ())
}

/// Opts somebody out, or says what is wrong with the address that they gave.
async fn choose(app: &App, tenant: &Tenant, account: &FormAccount, choices: &Choices<'_>) -> Result<Page, Error> {
    let Choices { visit, view, code } = *choices;
    let typed = visit.form.get("contact");
    let id = match visit.form.get("id") {
        id if is_form_id(id) => id.to_owned(),
        _ => random_token()?,
    };
    let known = match known(typed, view) {
        Ok(known) => known,
        Err(errors) => return Ok(choices.page(&id, typed, &errors).with_status(422)),
    };
    match app.store.form_throttle(&code.code, &visit.client.address, visit.at).await? {
        Throttled::Open => {}
        Throttled::CodeBusy { retry_after } => return Err(Error::Throttled { retry_after }),
    }
    let who = match &known {
        Some((Some(email), _)) => OptingOut::Email(email),
        Some((None, Some(phone))) => OptingOut::Phone(phone),
        _ => OptingOut::Browser(&id),
    };
    let filed = file(app, (tenant, account), (visit, view), (who, Some(&id), view.parent.as_deref())).await?;
    Ok(choices.done(&filed, known.is_some()))
}

/// What a business knows somebody by.
type Known = (Option<EmailAddress>, Option<E164>);

/// The address or the number that was typed, if one was.
fn known(typed: &str, view: &View) -> Result<Option<Known>, Vec<FieldError>> {
    if typed.trim().is_empty() {
        return Ok(None);
    }
    let get = |name: &str| match name {
        "kind" => Kind::OptOut.code(),
        "contact" => typed,
        _ => "",
    };
    let intake = Intake::read(get, &[Kind::OptOut].into(), view.language)?;
    Ok(Some((intake.email, intake.phone)))
}

/// The page, as its parts need it.
#[derive(Clone, Copy)]
struct Choices<'a> {
    code: &'a ServiceCodeProfile,
    view: &'a View,
    visit: &'a Visit,
}

impl Choices<'_> {
    fn texts(&self) -> &'static Texts {
        Texts::of(self.view.language)
    }

    fn named(&self, text: &str) -> String {
        fill(text, &[("business", &self.code.name)])
    }

    fn offers(&self, kind: Kind) -> bool {
        self.code.kinds.contains(&kind)
    }

    fn path(&self) -> String {
        format!("/privacy-choices/{}", self.code.code)
    }

    /// One title for both rights, or the one of the right that is offered.
    fn title(&self) -> &'static str {
        let texts = self.texts();
        match (self.offers(Kind::OptOut), self.offers(Kind::Limit)) {
            (true, false) => texts.do_not_sell,
            (false, true) => texts.limit,
            _ => texts.title,
        }
    }

    /// The site that somebody came from, if it is on the list.
    fn site(&self) -> Option<&str> {
        let said = [self.visit.form.get("site"), self.visit.query.get("site")];
        let said = said.into_iter().find(|site| !site.is_empty())?;
        self.code.origins.iter().any(|origin| origin.matches(said)).then_some(said)
    }

    fn page(&self, id: &str, typed: &str, errors: &[FieldError]) -> Page {
        let more: Vec<(&str, &str)> = self.site().map(|site| ("site", site)).into_iter().collect();
        self.view.page(self.code, (&self.path(), &more), self.title(), &self.main(id, typed, errors))
    }

    fn main(&self, id: &str, typed: &str, errors: &[FieldError]) -> Markup {
        let texts = self.texts();
        html! {
            div.choices-lede { (icon(texts.icon)) p.lede { (self.named(texts.lede)) } }
            @if self.offers(Kind::OptOut) { (self.opt_out(id, typed, errors)) }
            @if self.offers(Kind::Limit) { (self.limit()) }
            (self.more())
        }
    }

    fn opt_out(&self, id: &str, typed: &str, errors: &[FieldError]) -> Markup {
        let (language, texts) = (self.view.language, self.texts());
        let form =
            Form::open(language, self.view.address(&self.path(), &[])).id("opt-out").errors(errors).body(html! {
                (hidden("id", id))
                @if let Some(site) = self.site() { (hidden("site", site)) }
                (Field::text("contact", texts.contact).hint(self.named(texts.contact_hint)).value(typed).errors(errors)
                    .within("opt-out").optional(language).autocomplete("email").max_length(254))
                (actions(&html! { (Button::primary(texts.opt_out)) p.note { (texts.opt_out_note) } }))
            });
        Card::new(texts.do_not_sell).id("do-not-sell").lede(self.named(texts.opt_out_text)).body(form).render()
    }

    fn limit(&self) -> Markup {
        let texts = self.texts();
        let form = self.view.address(&format!("/forms/{}", self.code.code), &[("kind", Kind::Limit.code())]);
        Card::new(texts.limit)
            .id("limit")
            .lede(self.named(texts.limit_text))
            .body(actions(&html! { (Button::secondary(texts.go_on).to(form)) }))
            .render()
    }

    fn more(&self) -> Markup {
        let (texts, code) = (self.texts(), &self.code.code);
        // Inside a site's own page there is no room for another one of ours.
        let elsewhere = self.view.embedded.then_some("_blank");
        let link = |address: String, text: String| {
            html! { li { a href=(address) target=[elsewhere] rel=[elsewhere.map(|_| "noopener")] { (text) } } }
        };
        let language = self.view.language.code();
        let status = platform::edge::with_query("/status", &[("code", code.as_str()), ("lang", language)]);
        let form = platform::edge::with_query(&format!("/forms/{code}"), &[("lang", language)]);
        let notice = platform::edge::with_query(&format!("/privacy-notice/{code}"), &[("lang", language)]);
        Card::plain(texts.more)
            .id("more")
            .body(html! {
                ul.bullets {
                    (link(form, self.named(texts.more_requests)))
                    (link(notice, self.named(texts.more_notice)))
                    (link(status, texts.more_status.to_owned()))
                }
            })
            .render()
    }

    /// The choice was made.
    fn done(&self, filed: &Filed, known: bool) -> Page {
        let title = opt_out_honored(self.view.language);
        self.view.page(self.code, (&self.path(), &[]), title, &self.processed(filed, known))
    }

    /// Of whom, how it stands, and how the browser takes it to the site.
    fn processed(&self, filed: &Filed, known: bool) -> Markup {
        let (language, texts) = (self.view.language, self.texts());
        let date = format::long_date(language, filed.respond_by);
        let state = if known { texts.status_received } else { texts.status_done };
        let status =
            platform::edge::with_query("/status", &[("code", self.code.code.as_str()), ("lang", language.code())]);
        let elsewhere = self.view.embedded.then_some("_blank");
        html! {
            (Card::new(texts.browser).id("browser").body(html! {
                p { (texts.browser_text) }
                (self.way_back())
            }))
            @if known {
                (Card::new(texts.person).id("person").body(html! {
                    p { (fill(texts.person_text, &[("business", &self.code.name), ("date", &date)])) }
                }))
            }
            (Card::new(texts.status).id("state").body(html! {
                (Facts::new()
                    .fact(texts.status, html! { span #status { (state) } })
                    .fact(texts.number, html! { span.reference #reference { (filed.reference) } }))
                p { (texts.keep) }
                p.actions {
                    a.button href=(status) target=[elsewhere] rel=[elsewhere.map(|_| "noopener")] { (texts.look) }
                    a.button.button-quiet href=(self.view.address(&self.path(), &[])) { (texts.again) }
                }
            }))
            @if self.view.parent.is_some() { div hidden data-opted-out {} }
        }
    }

    /// Links by which the browser takes the choice to the business's site, whose script keeps it there.
    fn way_back(&self) -> Markup {
        let texts = self.texts();
        let from = self.site();
        let sites: Vec<&str> = match from {
            Some(site) => vec![site],
            None => self.code.origins.iter().map(Origin::as_str).filter(|it| !it.contains('*')).collect(),
        };
        html! {
            // The page around this one hears of it by itself.
            @if self.view.parent.is_none() && !sites.is_empty() {
                p {
                    @match from {
                        Some(site) => { (fill(texts.browser_site, &[("site", site)])) }
                        None => { (texts.browser_sites) }
                    }
                }
                p.actions {
                    @for site in sites {
                        a.button href={ (site) "/#optline-opt-out=" (self.code.code) } {
                            (fill(texts.browser_back, &[("site", site)]))
                        }
                    }
                }
            }
        }
    }

    /// Another site may not make a choice for whoever visits it.
    fn refused(&self) -> Page {
        let texts = self.texts();
        let main = html! {
            p.lede { (texts.refused) }
            (actions(&html! { (Button::primary(texts.refused_go).to(self.view.address(&self.path(), &[]))) }))
        };
        self.view.page(self.code, (&self.path(), &[]), texts.refused_title, &main).with_status(403)
    }
}

/// The opt-out icon of 11 CCR 7015(b): a pill with a check on white and an X on blue, which a slanted line parts.
fn icon(name: &str) -> Markup {
    html! {
        svg.choices-icon role="img" aria-label=(name) viewBox="0 0 30 14" width="60" height="28" {
            path fill="#fff" d="M7 .5h16a6.5 6.5 0 0 1 0 13H7A6.5 6.5 0 0 1 7 .5z" {}
            path fill="#06f" d="M17.4.5H23a6.5 6.5 0 0 1 0 13H12.6z" {}
            path fill="none" stroke="#06f" d="M7 .5h16a6.5 6.5 0 0 1 0 13H7A6.5 6.5 0 0 1 7 .5z" {}
            path fill="none" stroke="#06f" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"
                d="M5.2 7.3l2.4 2.5 4.5-5.6" {}
            path fill="none" stroke="#fff" stroke-width="1.7" stroke-linecap="round" d="M18.8 4.4 24 9.6M24 4.4l-5.2 5.2" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use domain::language::Language;
    use domain::reference::Reference;
    use domain::service_code::ServiceCode;
    use platform::edge::{Client, Fields};

    use super::*;

    fn code(kinds: &[Kind]) -> ServiceCodeProfile {
        ServiceCodeProfile {
            code: ServiceCode::parse("4321").unwrap(),
            name: "Bear & <Sons>".into(),
            active: true,
            languages: vec![Language::English, Language::Spanish],
            greetings: BTreeMap::new(),
            kinds: kinds.iter().copied().collect::<BTreeSet<_>>(),
            web_form: None,
            origins: ["https://shop.example", "https://*.shops.example"].map(|it| Origin::parse(it).unwrap()).into(),
            accent: None,
        }
    }

    fn visit(language: Language, query: &[(&str, &str)]) -> Visit {
        let at = "2026-11-22T01:00:00Z".parse().unwrap();
        let mut visit = Visit::get("/privacy-choices/4321", language, Client::default(), "", at);
        visit.query = query.iter().copied().collect::<Fields>();
        visit
    }

    fn filed() -> Filed {
        Filed { reference: Reference::from_entropy(7), respond_by: jiff::civil::date(2026, 12, 15), first_time: true }
    }

    fn shown(code: &ServiceCodeProfile, visit: &Visit, make: impl Fn(Choices<'_>) -> Markup) -> String {
        let view = View::of(visit, code);
        make(Choices { code, view: &view, visit }).into_string().replace("><", ">\n<")
    }

    #[test]
    fn both_rights_stand_under_their_required_titles_with_the_icon() {
        let code = code(&[Kind::OptOut, Kind::Limit]);
        insta::assert_snapshot!(shown(&code, &visit(Language::English, &[]), |it| it.main("i", "", &[])));
    }

    #[test]
    fn in_spanish_with_the_site_and_an_address_that_is_none() {
        let code = code(&[Kind::OptOut]);
        let visit = visit(Language::Spanish, &[("site", "https://shop.example")]);
        let view = View::of(&visit, &code);
        let errors = known("me@", &view).unwrap_err();
        insta::assert_snapshot!(shown(&code, &visit, |it| it.main("i", "me@", &errors)));
    }

    #[test]
    fn the_title_is_the_one_of_what_is_offered() {
        for (kinds, title) in [
            (&[Kind::OptOut, Kind::Limit][..], EN.title),
            (&[Kind::OptOut], EN.do_not_sell),
            (&[Kind::Limit], EN.limit),
            (&[Kind::Delete], EN.title),
        ] {
            let (code, visit) = (code(kinds), visit(Language::English, &[]));
            assert_eq!(Choices { code: &code, view: &View::of(&visit, &code), visit: &visit }.title(), title);
            let page = shown(&code, &visit, |it| it.main("i", "", &[]));
            assert_eq!(page.contains("id=\"opt-out\""), kinds.contains(&Kind::OptOut), "{page}");
            assert_eq!(page.contains("kind=limit"), kinds.contains(&Kind::Limit), "{page}");
        }
    }

    const EN: &Texts = Texts::of(Language::English);

    #[test]
    fn a_choice_says_how_it_stands_and_leads_back_to_the_site() {
        let code = code(&[Kind::OptOut]);
        insta::assert_snapshot!(shown(&code, &visit(Language::English, &[]), |it| it.processed(&filed(), true)));
        let page = shown(&code, &visit(Language::English, &[("site", "https://a.shops.example")]), |it| {
            it.processed(&filed(), false)
        });
        assert!(page.contains("href=\"https://a.shops.example/#optline-opt-out=4321\""), "{page}");
        assert!(!page.contains("https://shop.example"), "only the site that they came from: {page}");
    }

    #[test]
    fn nobody_is_led_to_a_site_that_is_not_listed() {
        let code = code(&[Kind::OptOut]);
        for site in ["https://shop.example.evil.example", "https://evil.example", "javascript:alert(1)", "null"] {
            let seen = visit(Language::English, &[("site", site)]);
            for page in [
                shown(&code, &seen, |it| it.processed(&filed(), false)),
                shown(&code, &seen, |it| it.main("i", "", &[])),
            ] {
                assert!(!page.contains(site), "{page}");
            }
        }
    }

    #[test]
    fn inside_a_site_the_page_around_it_is_told_and_no_link_leads_away() {
        let code = code(&[Kind::OptOut]);
        let inside = visit(Language::English, &[("embed", "1"), ("parent", "https://shop.example")]);
        let page = shown(&code, &inside, |it| it.processed(&filed(), false));
        assert!(page.contains("data-opted-out") && !page.contains("#optline-opt-out"), "{page}");
        let outside = shown(&code, &visit(Language::English, &[]), |it| it.processed(&filed(), false));
        assert!(!outside.contains("data-opted-out"), "{outside}");
    }

    #[test]
    fn an_identifier_may_be_left_out_and_is_an_address_or_a_number() {
        let code = code(&[Kind::OptOut]);
        let view = View::of(&visit(Language::English, &[]), &code);
        assert_eq!(known(" ", &view), Ok(None));
        assert!(matches!(known("ana@example.com", &view), Ok(Some((Some(_), None)))));
        assert!(matches!(known("(213) 555-0123", &view), Ok(Some((None, Some(_))))));
        assert_eq!(known("ana", &view).unwrap_err()[0].field, "contact");
    }
}
