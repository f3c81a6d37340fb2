//! `GET POST /privacy-choices/{code}`: the page behind "Do Not Sell or Share My Personal Information" and "Your Privacy
//! Choices" (Cal. Civ. Code 1798.135(a), 11 CCR 7013 to 7015). One click opts this browser out; an address or a number, which
//! may be left out, makes it the opt-out of whoever has it. Limiting what is sensitive takes the same click, and the address
//! or number, without which a business cannot know of whom it is. The page asks for nothing else, and checks nobody:
//! 11 CCR 7026(d), 7027(e).
//!
//! A choice of a browser alone is made once the business's site knows of it, and the page says so only then. Where no site is
//! listed that the browser could take it to, an address or a number is needed for an opt-out, too.
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
use jiff::SignedDuration;
use maud::{Markup, Render, html};
use pages::consumer::opt_out_honored;
use pages::form::{Button, Field, Form, actions, hidden};
use pages::show::{Card, Facts, Notice};
use pages::{fill, format};
use platform::edge::{Page, Visit};
use platform::store::{Counter, Filed, OptingOut, Throttled};
use platform::ticket::random_token;
use platform::{App, Error};

use crate::choices_texts::Texts;
use crate::opting_out::{self, Asked, Said};
use crate::requests::Sender;
use crate::site::{self, View};

/// Shows the choices, or makes one.
pub async fn handle(app: &App, visit: Visit) -> Result<Page, Error> {
    let Some(code) = site::code_in(&visit.path) else { return Ok(site::unknown(visit.language)) };
    let (tenant, account) = match site::open(app, &code, &visit).await? {
        Ok(open) => open,
        Err(page) => return Ok(page),
    };
    let view = View::of(&visit, &account.code);
    let asked = Asked { tenant: &tenant, profile: &account.tenant, code: &account.code };
    if visit.post {
        let choices = Choices { code: &account.code, view: &view, visit: &visit };
        let sender = Sender::of(&visit, app.config.public_base_url()?, &[]);
        return if sender == Sender::Refused { Ok(choices.refused()) } else { choose(app, asked, &choices).await };
    }
    let view = View {
        gpc: opting_out::note_signal(app, asked, (&visit, view.language), None, view.parent.as_deref()).await,
        ..view
    };
    let choices = Choices { code: &account.code, view: &view, visit: &visit };
    Ok(choices.page(&Made::of_nothing(&random_token()?), None))
}

/// Makes somebody's choice, or says what is wrong with the address that they gave.
async fn choose(app: &App, asked: Asked<'_>, choices: &Choices<'_>) -> Result<Page, Error> {
    let Choices { visit, view, code } = *choices;
    let id = match visit.form.get("id") {
        id if is_form_id(id) => id.to_owned(),
        _ => random_token()?,
    };
    let kind = if visit.form.get("kind") == Kind::Limit.code() { Kind::Limit } else { Kind::OptOut };
    let made = |errors| Made { kind, id: &id, typed: visit.form.get("contact"), errors };
    if !choices.offers(kind) {
        return Ok(choices.page(&Made::of_nothing(&id), None).with_status(404));
    }
    let known = match choices.known(kind, visit.form.get("contact")) {
        Ok(known) => known,
        Err(errors) => return Ok(choices.page(&made(&errors), None).with_status(422)),
    };
    match app.store.form_throttle(Counter::Choice, &code.code, &visit.client.address, visit.at).await {
        Ok(Throttled::Open) => {}
        Ok(Throttled::CodeBusy { retry_after }) | Err(Error::Throttled { retry_after }) => {
            return Ok(choices.busy(&made(&[]), retry_after));
        }
        Err(error) => return Err(error),
    }
    let who = match &known {
        Some((Some(email), _)) => OptingOut::Email(email),
        Some((None, Some(phone))) => OptingOut::Phone(phone),
        _ => OptingOut::Browser(&id),
    };
    let said = Said { who, kind, form: Some(&id), origin: view.parent.as_deref() };
    let filed = opting_out::file(app, asked, (visit, view.language), said).await?;
    Ok(choices.done(&filed, kind, known.is_some()))
}

/// What a business knows somebody by.
type Known = (Option<EmailAddress>, Option<E164>);

/// A choice as it was sent, which may have to be shown again.
struct Made<'a> {
    kind: Kind,
    id: &'a str,
    typed: &'a str,
    errors: &'a [FieldError],
}

impl<'a> Made<'a> {
    const fn of_nothing(id: &'a str) -> Self {
        Self { kind: Kind::OptOut, id, typed: "", errors: &[] }
    }

    /// What was typed and what is wrong, as far as it is about this choice.
    fn about(&self, kind: Kind) -> (&'a str, &'a [FieldError]) {
        if self.kind == kind { (self.typed, self.errors) } else { ("", &[]) }
    }
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
            (true, true) => texts.title,
            (true, false) => texts.do_not_sell,
            (false, true) => texts.limit,
            (false, false) => texts.rights,
        }
    }

    /// The address or the number that was typed, if one was. It is needed where the choice is to limit, and where there is no
    /// site that the browser could take the choice to.
    fn known(&self, kind: Kind, typed: &str) -> Result<Option<Known>, Vec<FieldError>> {
        if typed.trim().is_empty() {
            return match self.needs(kind) {
                Some(why) => Err(vec![FieldError::new("contact", self.named(why))]),
                None => Ok(None),
            };
        }
        let get = |name: &str| match name {
            "kind" => kind.code(),
            "contact" => typed,
            _ => "",
        };
        let intake = Intake::read(get, &[kind].into(), self.view.language)?;
        Ok(Some((intake.email, intake.phone)))
    }

    /// Why an address or a number must be given, where it must.
    fn needs(&self, kind: Kind) -> Option<&'static str> {
        let texts = self.texts();
        match kind {
            Kind::Limit => Some(texts.limit_needs),
            _ if self.view.parent.is_none() && self.sites().is_empty() => Some(texts.opt_out_needs),
            _ => None,
        }
    }

    /// The site that somebody came from, if it is on the list.
    fn site(&self) -> Option<&str> {
        let said = [self.visit.form.get("site"), self.visit.query.get("site")];
        let said = said.into_iter().find(|site| !site.is_empty())?;
        self.code.origins.iter().any(|origin| origin.matches(said)).then_some(said)
    }

    fn page(&self, made: &Made<'_>, above: Option<Notice>) -> Page {
        let more: Vec<(&str, &str)> = self.site().map(|site| ("site", site)).into_iter().collect();
        let main = html! { @if let Some(above) = above { (above) } (self.main(made)) };
        self.view.page(self.code, (&self.path(), &more), self.title(), &main)
    }

    /// Too many at once: what was typed stays, and can be sent again.
    fn busy(&self, made: &Made<'_>, retry_after: SignedDuration) -> Page {
        let texts = self.texts();
        let notice = Notice::warning(texts.busy).body(html! { p { (texts.busy_next) } });
        self.page(made, Some(notice)).with_status(429).with_header("retry-after", retry_after.as_secs().to_string())
    }

    fn main(&self, made: &Made<'_>) -> Markup {
        let texts = self.texts();
        let any = self.offers(Kind::OptOut) || self.offers(Kind::Limit);
        html! {
            @if any {
                div.choices-lede { (icon(texts.icon)) p.lede { (self.named(texts.lede)) } }
            } @else {
                p.lede { (self.named(texts.rights_lede)) }
            }
            @if self.offers(Kind::OptOut) { (self.opt_out(made)) }
            @if self.offers(Kind::Limit) { (self.limit(made)) }
            (self.more())
        }
    }

    fn opt_out(&self, made: &Made<'_>) -> Markup {
        let texts = self.texts();
        let needed = self.needs(Kind::OptOut).is_some();
        let (hint, note) =
            if needed { (texts.opt_out_needs, texts.contact_note) } else { (texts.contact_hint, texts.opt_out_note) };
        let button = html! { (Button::primary(texts.opt_out)) p.note { (note) } };
        let form = self.form(made, (Kind::OptOut, "opt-out", needed), hint, &button);
        Card::new(texts.do_not_sell).id("do-not-sell").lede(self.named(texts.opt_out_text)).body(form).render()
    }

    fn limit(&self, made: &Made<'_>) -> Markup {
        let texts = self.texts();
        let button = html! { (Button::primary(texts.limit_do)) p.note { (texts.contact_note) } };
        let form = self.form(made, (Kind::Limit, "limit-use", true), texts.limit_needs, &button);
        Card::new(texts.limit).id("limit").lede(self.named(texts.limit_text)).body(form).render()
    }

    /// One field and one click.
    fn form(&self, made: &Made<'_>, (kind, id, needed): (Kind, &str, bool), hint: &str, button: &Markup) -> Form {
        let (language, texts) = (self.view.language, self.texts());
        let (typed, errors) = made.about(kind);
        let contact =
            Field::text("contact", texts.contact).hint(self.named(hint)).value(typed).errors(errors).within(id);
        let contact = contact.autocomplete("email").max_length(254);
        let contact = if needed { contact.required() } else { contact.optional(language) };
        Form::open(language, self.view.address(&self.path(), &[])).id(id).errors(errors).body(html! {
            (hidden("id", made.id))
            (hidden("kind", kind.code()))
            @if let Some(site) = self.site() { (hidden("site", site)) }
            (contact)
            (actions(button))
        })
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

    /// What is left to do of a choice of a browser alone: its site does not know of it yet.
    fn is_left(&self, known: bool) -> bool {
        !known && self.view.parent.is_none()
    }

    /// The choice was made, but for what is left.
    fn done(&self, filed: &Filed, kind: Kind, known: bool) -> Page {
        let texts = self.texts();
        let title = match kind {
            Kind::Limit => texts.limited,
            _ if self.is_left(known) => texts.left,
            _ => opt_out_honored(self.view.language),
        };
        self.view.page(self.code, (&self.path(), &[]), title, &self.processed(filed, kind, known))
    }

    /// Of whom, how it stands, and how the browser takes it to the site.
    fn processed(&self, filed: &Filed, kind: Kind, known: bool) -> Markup {
        let (language, texts) = (self.view.language, self.texts());
        let date = format::long_date(language, filed.respond_by);
        let state = if known {
            texts.status_received
        } else if self.is_left(known) {
            texts.status_left
        } else {
            texts.status_done
        };
        let status =
            platform::edge::with_query("/status", &[("code", self.code.code.as_str()), ("lang", language.code())]);
        let elsewhere = self.view.embedded.then_some("_blank");
        let browser = if self.view.parent.is_some() { texts.browser_told } else { texts.browser_text };
        let person = if kind == Kind::Limit { texts.person_limit } else { texts.person_text };
        html! {
            @if kind == Kind::OptOut && (self.view.parent.is_some() || !self.sites().is_empty()) {
                (Card::new(texts.browser).id("browser").body(html! {
                    p { (browser) }
                    (self.way_back())
                }))
            }
            @if known {
                (Card::new(texts.person).id("person").body(html! {
                    p { (fill(person, &[("business", &self.code.name), ("date", &date)])) }
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
            @if kind == Kind::OptOut && self.view.parent.is_some() { div hidden data-opted-out {} }
        }
    }

    /// The sites that the browser can take its choice to: the one that it came from, or all that are listed by name.
    fn sites(&self) -> Vec<&str> {
        match self.site() {
            Some(site) => vec![site],
            None => self.code.origins.iter().map(Origin::as_str).filter(|it| !it.contains('*')).collect(),
        }
    }

    /// Links by which the browser takes the choice to the business's site, whose script keeps it there.
    fn way_back(&self) -> Markup {
        let texts = self.texts();
        let (from, sites) = (self.site(), self.sites());
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
        insta::assert_snapshot!(shown(&code, &visit(Language::English, &[]), |it| it.main(&Made::of_nothing("i"))));
    }

    #[test]
    fn in_spanish_with_the_site_and_an_address_that_is_none() {
        let code = code(&[Kind::OptOut]);
        let visit = visit(Language::Spanish, &[("site", "https://shop.example")]);
        let view = View::of(&visit, &code);
        let errors = Choices { code: &code, view: &view, visit: &visit }.known(Kind::OptOut, "me@").unwrap_err();
        let made = Made { kind: Kind::OptOut, id: "i", typed: "me@", errors: &errors };
        insta::assert_snapshot!(shown(&code, &visit, |it| it.main(&made)));
    }

    #[test]
    fn the_title_is_the_one_of_what_is_offered() {
        for (kinds, title) in [
            (&[Kind::OptOut, Kind::Limit][..], EN.title),
            (&[Kind::OptOut], EN.do_not_sell),
            (&[Kind::Limit], EN.limit),
            (&[Kind::Delete], EN.rights),
        ] {
            let (code, visit) = (code(kinds), visit(Language::English, &[]));
            assert_eq!(Choices { code: &code, view: &View::of(&visit, &code), visit: &visit }.title(), title);
            let page = shown(&code, &visit, |it| it.main(&Made::of_nothing("i")));
            assert_eq!(page.contains("id=\"opt-out\""), kinds.contains(&Kind::OptOut), "{page}");
            assert_eq!(page.contains("id=\"limit-use\""), kinds.contains(&Kind::Limit), "{page}");
        }
    }

    const EN: &Texts = Texts::of(Language::English);

    #[test]
    fn a_choice_says_how_it_stands_and_leads_back_to_the_site() {
        let code = code(&[Kind::OptOut]);
        insta::assert_snapshot!(shown(&code, &visit(Language::English, &[]), |it| it.processed(
            &filed(),
            Kind::OptOut,
            true
        )));
        let page = shown(&code, &visit(Language::English, &[("site", "https://a.shops.example")]), |it| {
            it.processed(&filed(), Kind::OptOut, false)
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
                shown(&code, &seen, |it| it.processed(&filed(), Kind::OptOut, false)),
                shown(&code, &seen, |it| it.main(&Made::of_nothing("i"))),
            ] {
                assert!(!page.contains(site), "{page}");
            }
        }
    }

    #[test]
    fn inside_a_site_the_page_around_it_is_told_and_no_link_leads_away() {
        let code = code(&[Kind::OptOut]);
        let inside = visit(Language::English, &[("embed", "1"), ("parent", "https://shop.example")]);
        let page = shown(&code, &inside, |it| it.processed(&filed(), Kind::OptOut, false));
        assert!(page.contains("data-opted-out") && !page.contains("#optline-opt-out"), "{page}");
        let outside = shown(&code, &visit(Language::English, &[]), |it| it.processed(&filed(), Kind::OptOut, false));
        assert!(!outside.contains("data-opted-out"), "{outside}");
    }

    #[test]
    fn an_identifier_may_be_left_out_and_is_an_address_or_a_number() {
        let code = code(&[Kind::OptOut]);
        let visit = visit(Language::English, &[]);
        let view = View::of(&visit, &code);
        let known = |typed: &str| Choices { code: &code, view: &view, visit: &visit }.known(Kind::OptOut, typed);
        assert_eq!(known(" "), Ok(None));
        assert!(matches!(known("ana@example.com"), Ok(Some((Some(_), None)))));
        assert!(matches!(known("(213) 555-0123"), Ok(Some((None, Some(_))))));
        assert_eq!(known("ana").unwrap_err()[0].field, "contact");
    }

    #[test]
    fn limiting_needs_an_identifier_and_so_does_an_opt_out_that_no_site_can_hear_of() {
        let mut code = code(&[Kind::OptOut, Kind::Limit]);
        let (hosted, framed) = (
            visit(Language::English, &[]),
            visit(Language::English, &[("embed", "1"), ("parent", "https://shop.example")]),
        );
        let needs = |code: &ServiceCodeProfile, visit: &Visit, kind| {
            Choices { code, view: &View::of(visit, code), visit }.known(kind, " ").is_err()
        };
        assert!(!needs(&code, &hosted, Kind::OptOut) && needs(&code, &hosted, Kind::Limit));
        assert!(!needs(&code, &framed, Kind::OptOut) && needs(&code, &framed, Kind::Limit));
        code.origins.clear();
        assert!(needs(&code, &hosted, Kind::OptOut), "the browser could take it nowhere");
        let page = shown(&code, &hosted, |it| it.main(&Made::of_nothing("i")));
        assert!(page.contains("cannot know your browser") && !page.contains(EN.opt_out_note), "{page}");
    }

    #[test]
    fn a_browsers_choice_is_not_said_to_be_done_before_its_site_knows_of_it() {
        let code = code(&[Kind::OptOut]);
        let hosted = shown(&code, &visit(Language::English, &[]), |it| it.processed(&filed(), Kind::OptOut, false));
        assert!(hosted.contains(EN.status_left) && !hosted.contains(EN.status_done), "{hosted}");
        let framed = visit(Language::English, &[("embed", "1"), ("parent", "https://shop.example")]);
        let framed = shown(&code, &framed, |it| it.processed(&filed(), Kind::OptOut, false));
        assert!(framed.contains(EN.status_done) && !framed.contains(EN.status_left), "{framed}");
    }

    #[test]
    fn a_code_without_a_choice_shows_the_rights_that_it_has() {
        let code = code(&[Kind::Delete]);
        let page = shown(&code, &visit(Language::English, &[]), |it| it.main(&Made::of_nothing("i")));
        assert!(!page.contains("<form") && !page.contains("<svg") && page.contains("/forms/4321"), "{page}");
    }

    #[test]
    fn whoever_comes_when_too_many_do_keeps_what_they_typed() {
        let code = code(&[Kind::OptOut, Kind::Limit]);
        let visit = visit(Language::English, &[]);
        let view = View::of(&visit, &code);
        let choices = Choices { code: &code, view: &view, visit: &visit };
        let made = Made { kind: Kind::Limit, id: "i", typed: "ana@example.com", errors: &[] };
        let main = choices.main(&made).into_string();
        assert_eq!(main.matches("value=\"ana@example.com\"").count(), 1, "in the form that was sent: {main}");
    }
}
