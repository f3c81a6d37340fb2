//! `POST /forms/{code}/requests`: takes a request, once for each form, from the hosted page and from listed sites only.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::FieldError;
use domain::clock::{self, Clocks};
use domain::email::EmailAddress;
use domain::human_check::{Refusal, Standing, Unchecked};
use domain::intake::{Hint, Intake, Requester, is_form_id};
use domain::origin::Origin;
use domain::request::{Channel, Kind};
use domain::service_code::{ServiceCode, ServiceCodeProfile};
use jiff::SignedDuration;
use maud::{Markup, html};
use pages::form::{Button, actions};
use pages::show::{Card, Notice};
use pages::{fill, format};
use platform::edge::{Page, Visit, with_query};
use platform::mail::Letter;
use platform::store::{Confirmation, Counter, Filed, FormAccount, NewFormRequest, OptingOut, Throttled};
use platform::tenant::Tenant;
use platform::{App, Error};
use serde_json::json;

use crate::form::{FormPage, HONEYPOT, Ticket};
use crate::form_texts::Texts;
use crate::human::{self, Answer};
use crate::opting_out::{self, Asked};
use crate::site::{self, View, in_groups};

/// Nobody has read and filled in a form within this time.
const TOO_FAST: SignedDuration = SignedDuration::from_secs(3);
/// How often, and after which pause, it is looked for a request that the same form is making at this moment.
const LOOKS: u8 = 5;
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// What a page may say of where it comes from, in an answer of ours.
const SHOWN_ORIGIN: usize = 200;

/// Takes a request, or says what is wrong with it; tells a browser whether a site may send one.
pub async fn handle(app: &App, mut visit: Visit) -> Result<Page, Error> {
    let readable = read_json(&mut visit);
    let Some(code) = site::code_in(&visit.path) else { return Ok(site::unknown(visit.language)) };
    let (tenant, account) = match site::open(app, &code, &visit).await? {
        Ok(open) => open,
        Err(page) => return Ok(page),
    };
    let view = View::of(&visit, &account.code);
    let sender = Sender::of(&visit, app.config.public_base_url()?, &account.code.origins);
    let desk = Desk { app, tenant: &tenant, account: &account, view: &view, visit: &visit, sender: &sender };
    let page = match sender {
        Sender::Refused => return desk.refused(),
        _ if visit.preflight => Page::empty(204)
            .with_header("access-control-allow-methods", "POST")
            .with_header("access-control-allow-headers", "content-type")
            .with_header("access-control-max-age", "600"),
        _ if !readable => desk.again(None, &[FieldError::new("", desk.texts().not_json)]).await?,
        _ => desk.take(&code).await?,
    };
    Ok(match sender {
        Sender::Listed(origin) => page.readable_by(&origin),
        Sender::Ours | Sender::Unsaid | Sender::Refused => page,
    })
}

/// One JSON object of texts is a form, too: whether it can be read.
fn read_json(visit: &mut Visit) -> bool {
    if !visit.is_json() {
        return true;
    }
    let read = visit.json::<BTreeMap<String, String>>();
    let readable = read.is_ok();
    visit.form = read.unwrap_or_default().into_iter().collect();
    readable
}

/// From where a form comes, as its browser says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sender {
    /// A page of ours, hosted or inside a listed site.
    Ours,
    /// A site on the code's list.
    Listed(String),
    /// No browser, or one so old that it says nothing.
    Unsaid,
    /// Any other site.
    Refused,
}

impl Sender {
    pub(crate) fn of(visit: &Visit, base_url: &str, origins: &[Origin]) -> Self {
        match (visit.origin.as_deref(), visit.fetch_site.as_deref()) {
            (Some(origin), _) if origin == base_url => Self::Ours,
            (Some(origin), _) if origins.iter().any(|listed| listed.matches(origin)) => Self::Listed(origin.to_owned()),
            (None, None | Some("same-origin" | "none")) => Self::Unsaid,
            _ => Self::Refused,
        }
    }
}

/// What a form that came is answered from.
struct Desk<'a> {
    app: &'a App,
    tenant: &'a Tenant,
    account: &'a FormAccount,
    view: &'a View,
    visit: &'a Visit,
    sender: &'a Sender,
}

impl Desk<'_> {
    fn texts(&self) -> &'static Texts {
        Texts::of(self.view.language)
    }

    async fn take(&self, code: &ServiceCode) -> Result<Page, Error> {
        let (app, visit, texts) = (self.app, self.visit, self.texts());
        let typed = &visit.form;
        let ticket = Ticket::open(app, code, visit.at, typed.get("ticket")).await.ok();
        let ticket = ticket.as_ref();
        let id = match (self.sender, ticket) {
            (_, Some(ticket)) => ticket.id.as_str(),
            // Of what a listed site sends, its own id is enough.
            (Sender::Listed(_), None) if is_form_id(typed.get("id")) => typed.get("id"),
            (Sender::Listed(_), None) if visit.is_json() => {
                return self.again(None, &[FieldError::new("id", texts.no_id)]).await;
            }
            _ => return self.again(None, &[FieldError::new("", texts.stale)]).await,
        };
        let intake = match Intake::read(|name| typed.get(name), &self.account.code.kinds, self.view.language) {
            Ok(intake) => intake,
            Err(errors) => return self.again(ticket, &errors).await,
        };
        let busy = match app.store.form_throttle(Counter::Form, code, &visit.client.address, visit.at).await {
            Ok(Throttled::Open) => None,
            // Whoever shows to be a person is no part of a flood.
            Ok(Throttled::CodeBusy { retry_after }) if self.account.check.is_some() => Some(retry_after),
            Ok(Throttled::CodeBusy { retry_after }) | Err(Error::Throttled { retry_after }) => {
                return self.busy(ticket, retry_after).await;
            }
            Err(error) => return Err(error),
        };
        let clocks = self.clocks(&intake)?;
        let hints = hints(ticket, visit);
        let origin = match self.sender {
            Sender::Listed(origin) => Some(origin.as_str()),
            _ => self.view.parent.as_deref(),
        };
        let mut new = NewFormRequest {
            id,
            intake: &intake,
            channel: Channel::Form,
            code: &self.account.code.code,
            language: self.view.language,
            received_at: visit.at,
            clocks: &clocks,
            human: Standing::Unchecked(Unchecked::NotSetUp),
            hints: &hints,
            origin,
        };
        let store = app.store.of(self.tenant);
        let answer = human::check(app, self.tenant, self.account, visit, &new).await?;
        match (answer, busy) {
            (Answer::Taken(Standing::Checked), _) => new.human = Standing::Checked,
            (Answer::Taken(standing), None) => new.human = standing,
            (Answer::Taken(_), Some(retry_after)) => return self.busy(ticket, retry_after).await,
            (Answer::Refused(refusal), busy) => {
                return match (self.filed_before(&new, refusal).await?, busy) {
                    (Some(filed), _) => {
                        let mailed = self.mail(&intake, &filed, Standing::Checked).await;
                        self.receipt(&intake, &filed, mailed)
                    }
                    (None, Some(retry_after)) => self.busy(ticket, retry_after).await,
                    (None, None) => self.refused_by_check(ticket, refusal).await,
                };
            }
        }
        let filed = store.file_form_request(&new).await?;
        let mailed = self.mail(&intake, &filed, new.human).await;
        let view = View { gpc: self.note_signal(&intake).await, ..self.view.clone() };
        Desk { view: &view, ..*self }.receipt(&intake, &filed, mailed)
    }

    /// The browser's opt-out preference signal is that of the person, too, who is known by the form (11 CCR 7025(c)(1)): not
    /// where somebody else sent it for them, or where it asked for nothing else.
    async fn note_signal(&self, intake: &Intake) -> bool {
        let Self { app, account, view, visit, .. } = *self;
        let Some(known) = signal_of(intake) else { return false };
        let asked = Asked { tenant: self.tenant, profile: &account.tenant, code: &account.code };
        opting_out::note_signal(app, asked, (visit, view.language), Some(known), view.parent.as_deref()).await
    }

    fn clocks(&self, intake: &Intake) -> Result<Clocks, Error> {
        let profile = &self.account.tenant;
        let zone = profile.tz().map_err(Error::failed("reading the tenant's time zone"))?;
        let received_on = self.visit.at.to_zoned(zone).date();
        clock::clocks_from(&profile.jurisdictions, intake.residence, intake.kind, received_on)
            .map_err(Error::failed("computing the dates of a request"))
    }

    /// The request that used the token up, where this form was sent twice: at once, too, so it may be some moments away.
    async fn filed_before(&self, new: &NewFormRequest<'_>, refusal: Refusal) -> Result<Option<Filed>, Error> {
        if !refusal.may_be_repeated() {
            return Ok(None);
        }
        let store = self.app.store.of(self.tenant);
        for _ in 0..LOOKS {
            if let Some(filed) = store.filed_form_request(new).await? {
                return Ok(Some(filed));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(None)
    }

    /// Has the receipt sent. The request is filed whether it is or not. A form that is sent again posts it again, for the
    /// first time may have failed; it is sent once.
    async fn mail(&self, intake: &Intake, filed: &Filed, human: Standing) -> Mailed {
        let Some(to) = intake.receipt_to() else { return Mailed::No };
        let doubted = human::is_doubted(intake.kind, human);
        match self.post(to, intake.kind, filed, doubted).await {
            Ok(()) if doubted => Mailed::ToConfirm,
            Ok(()) => Mailed::Yes,
            Err(error) => {
                tracing::error!(error = error.causes(), "the receipt of a request is not sent");
                Mailed::No
            }
        }
    }

    async fn post(&self, to: &EmailAddress, kind: Kind, filed: &Filed, doubted: bool) -> Result<(), Error> {
        let (app, base_url) = (self.app, self.app.config.public_base_url()?);
        let confirm = if doubted {
            let (tenant, code) = (self.tenant.clone(), self.account.code.code.clone());
            let confirmation = Confirmation { tenant, code, reference: filed.reference.clone() };
            let ticket = confirmation.seal(&*app.tickets().await?, self.visit.at)?;
            Some(with_query(&format!("{base_url}/forms/confirmation/{ticket}"), &[("lang", self.view.language.code())]))
        } else {
            None
        };
        let letter = Letter::Receipt {
            id: format!("{} {}", self.tenant.id(), filed.reference.as_str()),
            to: to.clone(),
            language: self.view.language,
            business: self.account.code.name.clone(),
            kind,
            reference: filed.reference.clone(),
            respond_by: filed.respond_by,
            telephone: app.config.hotline_number.as_deref().map(in_groups),
            status: format!("{base_url}{}", self.status()),
            confirm,
        };
        app.post(&letter).await
    }

    /// Where one asks how a request stands. The number is not in the address: whoever has it types it.
    fn status(&self) -> String {
        with_query("/status", &[("code", self.account.code.code.as_str()), ("lang", self.view.language.code())])
    }

    /// The form with what was typed and what is wrong, under a ticket that is good.
    async fn again(&self, ticket: Option<&Ticket>, errors: &[FieldError]) -> Result<Page, Error> {
        if self.visit.is_json() {
            return Ok(Page::json(&json!({ "errors": errors }))?.with_status(422));
        }
        Ok(self.form(ticket, errors, None, None).await?.with_status(422))
    }

    async fn busy(&self, ticket: Option<&Ticket>, retry_after: SignedDuration) -> Result<Page, Error> {
        let texts = self.texts();
        let page = if self.visit.is_json() {
            Page::json(&json!({ "error": texts.busy }))?
        } else {
            let notice = Notice::warning(texts.busy).body(html! { p { (texts.busy_next) } });
            self.form(ticket, &[], None, Some(notice)).await?
        };
        Ok(page.with_status(429).with_header("retry-after", retry_after.as_secs().to_string()))
    }

    async fn refused_by_check(&self, ticket: Option<&Ticket>, refusal: Refusal) -> Result<Page, Error> {
        if self.visit.is_json() {
            return Ok(Page::json(&json!({ "human": refusal.code() }))?.with_status(422));
        }
        Ok(self.form(ticket, &[], Some(refusal), None).await?.with_status(422))
    }

    async fn form(
        &self,
        ticket: Option<&Ticket>,
        errors: &[FieldError],
        refusal: Option<Refusal>,
        above: Option<Notice>,
    ) -> Result<Page, Error> {
        let (app, account, at) = (self.app, self.account, self.visit.at);
        let fresh = match ticket {
            Some(ticket) => ticket.clone(),
            None => Ticket::new(at)?,
        };
        let ticket = fresh.sealed(app, &account.code.code, at).await?;
        let typed = &self.visit.form;
        FormPage { app, account, view: self.view, typed, ticket: &ticket, errors, refusal }.render(above)
    }

    /// The number, the day and what happens next.
    fn receipt(&self, intake: &Intake, filed: &Filed, mailed: Mailed) -> Result<Page, Error> {
        if self.visit.is_json() {
            let status = format!("{}{}", self.app.config.public_base_url()?, self.status());
            return Page::json(&json!({
                "reference": filed.reference,
                "respond_by": filed.respond_by.to_string(),
                "status": status,
            }));
        }
        let (view, code, status) = (self.view, &self.account.code, self.status());
        let telephone = self.app.config.hotline_number.as_deref();
        let main = Receipt { code, view, intake, filed, mailed, status, telephone }.render();
        let path = format!("/forms/{}", self.account.code.code);
        // In another language there is only the form: nothing of this page is in its address.
        Ok(self.view.page(&self.account.code, (&path, &[]), self.texts().filed, &main))
    }

    /// Another site may not, and nothing is kept: what its visitor and its owner can do.
    fn refused(&self) -> Result<Page, Error> {
        let (texts, code) = (self.texts(), &self.account.code);
        let said: String = self.visit.origin.as_deref().unwrap_or_default().chars().take(SHOWN_ORIGIN).collect();
        let origin = if said.is_empty() || said == "null" { texts.no_origin } else { said.as_str() };
        let owner = fill(texts.refused_owner_text, &[("code", code.code.as_str()), ("origin", origin)]);
        if self.visit.is_json() {
            return Ok(Page::json(&json!({ "error": format!("{}. {owner}", texts.refused_title) }))?.with_status(403));
        }
        let path = format!("/forms/{}", code.code);
        let main = html! {
            p.lede { (texts.refused) }
            (actions(&html! { (Button::primary(texts.refused_form).to(self.view.address(&path, &[]))) }))
            (Card::new(texts.refused_owner).body(html! { p { (owner) } }))
        };
        Ok(self.view.page(code, (&path, &[]), texts.refused_title, &main).with_status(403))
    }
}

/// Whether the receipt goes out by mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mailed {
    No,
    Yes,
    /// And asks whether it was they who asked.
    ToConfirm,
}

/// Whom a signal that comes with a form opts out.
fn signal_of(intake: &Intake) -> Option<OptingOut<'_>> {
    if intake.requester != Requester::Myself || intake.kind == Kind::OptOut {
        return None;
    }
    match (&intake.email, &intake.phone) {
        (Some(email), _) => Some(OptingOut::Email(email)),
        (None, Some(phone)) => Some(OptingOut::Phone(phone)),
        (None, None) => None,
    }
}

/// What makes it likely that a program filled the form in.
fn hints(ticket: Option<&Ticket>, visit: &Visit) -> Vec<Hint> {
    let filled = !visit.form.get(HONEYPOT).is_empty();
    let fast = ticket.is_some_and(|ticket| visit.at.duration_since(ticket.at) < TOO_FAST);
    [(filled, Hint::Honeypot), (fast, Hint::TooFast)].into_iter().filter_map(|(is, hint)| is.then_some(hint)).collect()
}

/// What whoever asked is told.
struct Receipt<'a> {
    code: &'a ServiceCodeProfile,
    view: &'a View,
    intake: &'a Intake,
    filed: &'a Filed,
    mailed: Mailed,
    /// Where one asks how it stands.
    status: String,
    /// The hotline's number, where it is known.
    telephone: Option<&'a str>,
}

impl Receipt<'_> {
    fn render(&self) -> Markup {
        let Self { code, view, intake, filed, mailed, status, telephone } = self;
        let (language, texts) = (view.language, Texts::of(view.language));
        let named = |text| fill(text, &[("business", &code.name)]);
        let mail = intake.receipt_to().filter(|_| *mailed != Mailed::No);
        let must = if matches!(intake.kind, Kind::OptOut | Kind::Limit) { texts.do_by } else { texts.answer_by };
        let date = format::long_date(language, filed.respond_by);
        let again = view.address(&format!("/forms/{}", code.code), &[]);
        // Inside a site's own page there is no room for another one of ours.
        let elsewhere = view.embedded.then_some("_blank");
        html! {
            p.lede { (named(texts.filed_lede)) }
            (Card::new(texts.number).id("receipt").body(html! {
                p.number #reference { (filed.reference) }
                p {
                    (texts.keep)
                    @if let Some(number) = telephone {
                        " " (texts.keep_call) " " a href={ "tel:" (number) } { (in_groups(number)) }
                    }
                }
                p #respond-by { (fill(must, &[("business", &code.name), ("date", &date)])) }
            }))
            (Card::new(texts.next).body(html! {
                ul.bullets {
                    @if let Some(to) = mail { li { (fill(texts.next_mail, &[("email", to.as_str())])) } }
                    @if *mailed == Mailed::ToConfirm { li { (named(texts.next_confirm)) } }
                    li { (named(texts.next(intake.kind, intake.requester))) }
                    li { (texts.next_answer) }
                }
            }))
            p.actions {
                a.button.button-secondary href=(status) target=[elsewhere] rel=[elsewhere.map(|_| "noopener")] {
                    (texts.status)
                }
                a.button.button-quiet href=(again) { (texts.another) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::language::Language;
    use jiff::Timestamp;
    use platform::edge::Client;
    use proptest::prelude::*;

    use super::*;

    const BASE: &str = "https://hotline.example";

    fn sender(origin: Option<&str>, fetch_site: Option<&str>) -> Sender {
        let mut visit =
            Visit::get("/forms/12/requests", Language::English, Client::default(), "", Timestamp::UNIX_EPOCH);
        visit.origin = origin.map(str::to_owned);
        visit.fetch_site = fetch_site.map(str::to_owned);
        let listed = ["https://shop.example", "https://*.shops.example"].map(|it| Origin::parse(it).unwrap());
        Sender::of(&visit, BASE, &listed)
    }

    #[test]
    fn a_form_comes_from_us_from_a_listed_site_or_from_nowhere_said() {
        assert_eq!(sender(Some(BASE), Some("same-origin")), Sender::Ours);
        assert_eq!(sender(None, None), Sender::Unsaid);
        assert_eq!(sender(None, Some("same-origin")), Sender::Unsaid);
        for listed in ["https://shop.example", "https://a.shops.example", "https://a.b.shops.example"] {
            assert_eq!(sender(Some(listed), Some("cross-site")), Sender::Listed(listed.to_owned()));
        }
    }

    #[test]
    fn whatever_only_looks_like_a_listed_site_is_refused() {
        for other in [
            "null",
            "",
            "http://shop.example",
            "https://shop.example:8443",
            "https://shop.example.evil.example",
            "https://evilshop.example",
            "https://www.shop.example",
            "https://shops.example",
            "https://evil-shops.example",
            "https://SHOP.example",
            "https://shop.example/",
            "https://xn--shp-hoa.example",
            "https://shöp.example",
            "https://hotline.example.evil.example",
            "http://hotline.example",
            "https://hotline.example:443",
        ] {
            assert_eq!(sender(Some(other), Some("cross-site")), Sender::Refused, "{other}");
        }
        // A browser that hides where it comes from still says that it is from elsewhere.
        assert_eq!(sender(None, Some("cross-site")), Sender::Refused);
        assert_eq!(sender(None, Some("same-site")), Sender::Refused);
    }

    #[test]
    fn the_receipt_has_the_number_the_day_and_what_comes_next() {
        let code = crate::form::tests::account().code;
        let read = |kind: &'static str, contact: &'static str| {
            let get = move |name: &str| match name {
                "kind" => kind,
                "contact" | "email" => contact,
                "name" => "Ana",
                _ => "",
            };
            Intake::read(get, &code.kinds, Language::English).unwrap()
        };
        let filed = Filed {
            reference: domain::reference::Reference::from_entropy(7),
            respond_by: jiff::civil::date(2027, 1, 6),
            first_time: true,
        };
        let hosted = View { language: Language::English, embedded: false, parent: None, gpc: false };
        let status = "/status?code=12&lang=en".to_owned();
        let intake = read("opt-out", "213 555 0123");
        let page = Receipt {
            code: &code,
            view: &hosted,
            intake: &intake,
            filed: &filed,
            mailed: Mailed::No,
            status: status.clone(),
            telephone: Some("+18665550100"),
        };
        insta::assert_snapshot!(page.render().into_string().replace("><", ">\n<"));
        let framed = View {
            language: Language::Spanish,
            embedded: true,
            parent: Some("https://shop.example".into()),
            gpc: false,
        };
        let intake = read("know-specific", "ana@mail.example");
        let mut page = Receipt {
            code: &code,
            view: &framed,
            intake: &intake,
            filed: &filed,
            mailed: Mailed::ToConfirm,
            status,
            telephone: None,
        };
        insta::assert_snapshot!(page.render().into_string().replace("><", ">\n<"));
        // Nobody is promised a number that is not known.
        assert!(!page.render().into_string().contains("teléfono"));
        // A message may ask for anything: nobody is told that it is done.
        let get = |name: &str| match name {
            "kind" => "message",
            "contact" => "ana@mail.example",
            "details" => "Please call.",
            _ => "",
        };
        let intake = Intake::read(get, &code.kinds, Language::English).unwrap();
        (page.intake, page.view) = (&intake, &hosted);
        let text = page.render().into_string();
        assert!(text.contains("reads what you wrote") && !text.contains("does what you asked"), "{text}");
    }

    #[test]
    fn a_signal_that_comes_with_a_form_is_that_of_whoever_it_is_about() {
        let code = crate::form::tests::account().code;
        let read = |kind: &'static str, requester: &'static str| {
            let get = move |name: &str| match name {
                "kind" => kind,
                "requester" => requester,
                "contact" | "email" => "ana@mail.example",
                "name" | "agent-name" => "Ana",
                "agent-email" => "bo@agents.example",
                _ => "",
            };
            Intake::read(get, &code.kinds, Language::English).unwrap()
        };
        let mine = read("delete", "myself");
        assert!(matches!(signal_of(&mine), Some(OptingOut::Email(email)) if email.as_str() == "ana@mail.example"));
        assert!(signal_of(&read("delete", "agent")).is_none(), "it is the agent's browser");
        assert!(signal_of(&read("opt-out", "myself")).is_none(), "that is what the form asks");
    }

    proptest! {
        #[test]
        fn nothing_but_the_listed_origins_is_let_in(origin in "(https?://)?[a-z.:/*@-]{0,24}") {
            let known = [BASE, "https://shop.example"];
            let below = origin.strip_prefix("https://").and_then(|rest| rest.strip_suffix(".shops.example"));
            let let_in = matches!(sender(Some(&origin), None), Sender::Ours | Sender::Listed(_));
            prop_assert!(!let_in || known.contains(&origin.as_str()) || below.is_some_and(|labels| !labels.is_empty()));
        }
    }
}
