//! `GET /forms/{code}`: the form, in two steps: what to ask, then only what that asks.

use domain::FieldError;
use domain::human_check::Refusal;
use domain::intake::{ELSEWHERE, LINE, Need, Question, Requester, WORDS, questions};
use domain::jurisdiction::Jurisdiction;
use domain::request::Kind;
use domain::service_code::ServiceCode;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use pages::form::{Button, Choices, Field, Form, Select, actions, group, hidden};
use pages::show::{Notice, steps};
use pages::{fill, words};
use platform::edge::{Fields, Page, Visit};
use platform::store::FormAccount;
use platform::ticket::random_token;
use platform::{App, Error};
use serde::{Deserialize, Serialize};

use crate::form_texts::Texts;
use crate::human;
use crate::opting_out::{self, Asked};
use crate::site::{self, View};

/// The purpose of the ticket in every form.
const TICKET: &str = "form";
/// A page that was open for longer is shown again before it is sent.
const TICKET_LIVES: SignedDuration = SignedDuration::from_hours(24);
/// By this the address asks for the first step, even where the second could be shown.
const STEP: &str = "step";
const FIRST: &str = "1";
/// A field that nobody sees.
pub(crate) const HONEYPOT: &str = "homepage";

/// Shows the step that the address names.
pub async fn handle(app: &App, visit: Visit) -> Result<Page, Error> {
    let Some(code) = site::code_in(&visit.path) else { return Ok(site::unknown(visit.language)) };
    let (tenant, account) = match site::open(app, &code, &visit).await? {
        Ok(open) => open,
        Err(page) => return Ok(page),
    };
    let view = View::of(&visit, &account.code);
    let asked = Asked { tenant: &tenant, profile: &account.tenant, code: &account.code };
    let gpc = opting_out::note_signal(app, asked, (&visit, view.language), None, view.parent.as_deref()).await;
    let view = View { gpc, ..view };
    let ticket = Ticket::new(visit.at)?.sealed(app, &code, visit.at).await?;
    let form = FormPage {
        app,
        account: &account,
        view: &view,
        typed: &visit.query,
        ticket: &ticket,
        errors: &[],
        refusal: None,
    };
    // Nothing in it is anybody's. Whoever goes back finds this very page with its ticket, and what they send again is the same
    // request.
    Ok(form.render(None)?.with_header("cache-control", "private, no-cache"))
}

/// What tells one form that was given out from any other, and when it was.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Ticket {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
}

impl Ticket {
    pub(crate) fn new(at: Timestamp) -> Result<Self, Error> {
        Ok(Self { id: random_token()?, at })
    }

    pub(crate) async fn sealed(&self, app: &App, code: &ServiceCode, at: Timestamp) -> Result<String, Error> {
        app.tickets().await?.seal(TICKET, code.as_str(), at + TICKET_LIVES, self)
    }

    /// The one in a form; `NotFound` where it is too old, or of another code.
    pub(crate) async fn open(app: &App, code: &ServiceCode, at: Timestamp, sealed: &str) -> Result<Self, Error> {
        app.tickets().await?.open(TICKET, code.as_str(), at, sealed)
    }
}

/// The form with what was typed, and what is wrong with it.
pub(crate) struct FormPage<'a> {
    pub(crate) app: &'a App,
    pub(crate) account: &'a FormAccount,
    pub(crate) view: &'a View,
    pub(crate) typed: &'a Fields,
    pub(crate) ticket: &'a str,
    pub(crate) errors: &'a [FieldError],
    /// Why the human check did not take whoever sent it for a person.
    pub(crate) refusal: Option<Refusal>,
}

impl FormPage<'_> {
    fn texts(&self) -> &'static Texts {
        Texts::of(self.view.language)
    }

    fn path(&self) -> String {
        format!("/forms/{}", self.account.code.code)
    }

    fn named(&self, text: &str) -> String {
        fill(text, &[("business", &self.account.code.name)])
    }

    /// The page, with something to be said first.
    pub(crate) fn render(&self, above: Option<Notice>) -> Result<Page, Error> {
        let (asked, main) = self.main()?;
        let main = html! { @if let Some(above) = above { (above) } (main) };
        let (code, path) = (&self.account.code, self.path());
        let Some((kind, requester)) = asked else {
            return Ok(self.view.page(code, (&path, &[(STEP, FIRST)]), self.texts().title, &main));
        };
        let more = [("kind", kind.code()), ("requester", requester.code())];
        let page = self.view.page(code, (&path, &more), self.texts().ask(kind).name, &main);
        human::let_in(self.app, self.account.check.as_ref(), page)
    }

    /// The second step where it is clear what is asked and for whom; else the first.
    fn main(&self) -> Result<(Option<(Kind, Requester)>, Markup), Error> {
        let code = &self.account.code;
        let only = code.kinds.first().copied().filter(|_| code.kinds.len() == 1);
        let kind = Kind::parse(self.typed.get("kind")).filter(|kind| code.kinds.contains(kind)).or(only);
        let requester = match self.typed.get("requester") {
            "" => Some(Requester::Myself),
            other => Requester::parse(other),
        };
        // Whoever wants to choose is let, even where there is one kind only: they may ask for somebody else.
        let asked = kind.zip(requester).filter(|_| self.typed.get(STEP) != FIRST);
        let step = match asked {
            Some((kind, requester)) => self.details(kind, requester)?,
            None => self.choice(),
        };
        Ok((asked, html! { (step) (self.ways()) }))
    }

    fn ways(&self) -> Markup {
        site::other_ways(self.app, self.view.language, &self.account.code)
    }

    /// What to ask, and for whom.
    fn choice(&self) -> Markup {
        let (language, texts) = (self.view.language, self.texts());
        let offered = Kind::ALL.into_iter().filter(|kind| self.account.code.kinds.contains(kind));
        let kinds = offered.fold(Choices::radios("kind", texts.what), |choices, kind| {
            let ask = texts.ask(kind);
            choices.explained(kind.code(), ask.name, ask.meaning)
        });
        let only = self.account.code.kinds.first().filter(|_| self.account.code.kinds.len() == 1);
        let chosen = only.map_or_else(|| self.typed.all("kind"), |kind| vec![kind.code()]);
        let requester = Requester::parse(self.typed.get("requester")).unwrap_or(Requester::Myself);
        let requesters = Choices::radios("requester", texts.whom)
            .choice(Requester::Myself.code(), texts.myself)
            .explained(Requester::Agent.code(), texts.agent, texts.agent_hint)
            .explained(Requester::Parent.code(), texts.parent, texts.parent_hint);
        html! {
            p.lede { (self.named(texts.lede)) }
            (steps(language, &texts.steps, 0))
            (Form::get(language, self.path()).id("choice").errors(self.errors).body(html! {
                (hidden("lang", language.code()))
                @for (name, value) in self.view.fields() { (hidden(name, value)) }
                (kinds.chosen(chosen).errors(self.errors).within("choice").required())
                (requesters.chosen([requester.code()]).errors(self.errors).within("choice").required())
                (actions(&html! { (Button::primary(texts.go_on)) }))
            }))
        }
    }

    /// What the kind asks.
    fn details(&self, kind: Kind, requester: Requester) -> Result<Markup, Error> {
        let (language, texts) = (self.view.language, self.texts());
        let asked = questions(kind, requester);
        let (of_agent, of_person): (Vec<_>, Vec<_>) = asked.into_iter().partition(|(question, _)| {
            matches!(question, Question::AgentName | Question::AgentEmail | Question::AgentCompany)
        });
        let (details, of_person): (Vec<_>, Vec<_>) =
            of_person.into_iter().partition(|(question, _)| *question == Question::Details);
        let fields = |asked: &[(Question, Need)]| {
            html! { @for (question, need) in asked { (self.field(*question, *need, kind, requester)) } }
        };
        let person = if requester == Requester::Myself { texts.about_you } else { texts.about_person };
        let target = self.view.address(&format!("{}/requests", self.path()), &[]);
        let again = [(STEP, FIRST), ("kind", kind.code()), ("requester", requester.code())];
        let again = self.view.address(&self.path(), &again);
        let check = human::widget(self.app, self.account.check.as_ref(), language, &self.account.code.name, kind)?;
        let ask = texts.ask(kind);
        let (meaning, may_check) = match requester {
            Requester::Myself => (ask.meaning, texts.check),
            Requester::Agent | Requester::Parent => (ask.of_them, texts.check_them),
        };
        Ok(html! {
            p.lede {
                (meaning) " "
                (self.named(if kind.may_verify() { may_check } else { texts.no_check }))
            }
            @match requester {
                Requester::Myself => {}
                Requester::Agent => { p { (texts.as_agent) } }
                Requester::Parent => { p { (texts.as_parent) } }
            }
            (steps(language, &texts.steps, 1))
            (Form::open(language, target).id("request").errors(self.errors).body(html! {
                (hidden("kind", kind.code()))
                (hidden("requester", requester.code()))
                (hidden("ticket", self.ticket))
                @if let Some(refusal) = self.refusal { (human::refused(language, refusal, kind)) }
                @if !of_agent.is_empty() { (group(texts.about_agent, None, fields(&of_agent))) }
                (fields(&details))
                (group(&self.named(person), None, fields(&of_person)))
                // People do not find it, and neither do their tools; a program that fills in everything does.
                div.aside aria-hidden="true" {
                    label for="f-homepage" { (texts.homepage) }
                    input type="text" id="f-homepage" name=(HONEYPOT) tabindex="-1" autocomplete="off"
                        value=(self.typed.get(HONEYPOT));
                }
                (check)
                (actions(&html! {
                    (Button::primary(texts.send))
                    (Button::quiet(if self.account.code.kinds.len() > 1 { texts.change } else { texts.change_whom }).to(again))
                }))
            }))
        })
    }

    fn field(&self, question: Question, need: Need, kind: Kind, requester: Requester) -> Markup {
        let (language, texts) = (self.view.language, self.texts());
        let (name, asked) = (question.field(), texts.asked(question, kind, requester));
        // What a browser knows is about whoever sits before it: never about the person that somebody else asks for.
        let mine = requester == Requester::Myself
            || matches!(question, Question::AgentName | Question::AgentEmail | Question::AgentCompany);
        let known = |what: &'static str| if mine { what } else { "off" };
        let field = match question {
            Question::Residence => {
                let places = Jurisdiction::ALL.map(|it| (it.as_str(), words::jurisdiction(language, it)));
                return html! {
                    (Select::new(name, asked.label).hint(self.named(asked.hint)).choice("", texts.not_said).choices(places)
                        .choice(ELSEWHERE, texts.elsewhere).chosen(self.typed.get(name)).errors(self.errors).within("request"))
                };
            }
            Question::Contact => Field::text(name, asked.label).autocomplete(known("email")).plain_text(),
            Question::Email | Question::AgentEmail => Field::email(name, asked.label).autocomplete(known("email")),
            Question::Phone => Field::telephone(name, asked.label).autocomplete(known("tel")),
            Question::Name | Question::AgentName => {
                Field::text(name, asked.label).autocomplete(known("name")).plain_text()
            }
            Question::AgentCompany => Field::text(name, asked.label).autocomplete(known("organization")).plain_text(),
            Question::Details => Field::area(name, asked.label, 6),
        };
        let longest = match question {
            Question::Details => WORDS,
            // As long as an address may be.
            Question::Contact | Question::Email | Question::AgentEmail => 254,
            _ => LINE,
        };
        let field = field
            .value(self.typed.get(name))
            .hint(self.named(asked.hint))
            .errors(self.errors)
            .within("request")
            .max_length(u32::try_from(longest).unwrap_or(u32::MAX));
        match need {
            Need::Required => html! { (field.required()) },
            Need::OneOf => html! { (field) },
            Need::Optional => html! { (field.optional(language)) },
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use domain::language::Language;
    use platform::clock::Clock;
    use platform::config::Config;
    use serde_json::json;

    use super::*;

    pub(crate) fn account() -> FormAccount {
        let code = json!({
            "code": "12", "name": "Corner <Shop>", "active": true, "languages": ["en", "es"],
            "kinds": ["opt-out", "delete", "know-categories", "know-specific", "correct", "limit", "message"],
            "greetings": {"en": {"text": "Welcome."}, "es": {"text": "Hola."}}, "web-form": null,
            "origins": ["https://shop.example"], "accent": "#0a5c8f",
        });
        let tenant = json!({ "name": "Shop", "time-zone": "America/Los_Angeles", "jurisdictions": ["us-ca"] });
        FormAccount {
            tenant: serde_json::from_value(tenant).unwrap(),
            code: serde_json::from_value(code).unwrap(),
            check: None,
            check_is_damaged: false,
        }
    }

    fn shown(account: &FormAccount, language: Language, typed: &[(&str, &str)], errors: &[FieldError]) -> String {
        let config = Config { hotline_number: Some("+18665550100".into()), ..Config::default() };
        let app = App::new(config, Clock::Fixed(Timestamp::UNIX_EPOCH));
        let view = View { language, embedded: false, parent: None, gpc: false };
        let typed: Fields = typed.iter().copied().collect();
        let form = FormPage { app: &app, account, view: &view, typed: &typed, ticket: "ticket", errors, refusal: None };
        let page = form.main().unwrap().1.into_string();
        page.replace("><", ">\n<")
    }

    #[test]
    fn the_first_step_asks_what_and_for_whom() {
        insta::assert_snapshot!(shown(&account(), Language::English, &[], &[]));
    }

    #[test]
    fn opting_out_is_one_field() {
        let page = shown(&account(), Language::Spanish, &[("kind", "opt-out")], &[]);
        assert!(page.contains("name=\"contact\"") && !page.contains("name=\"name\""), "{page}");
        insta::assert_snapshot!(page);
    }

    #[test]
    fn an_agents_form_comes_back_with_what_was_typed_and_what_is_wrong() {
        let typed = [
            ("kind", "correct"),
            ("requester", "agent"),
            ("agent-name", "Bo <b>"),
            ("email", "nowhere"),
            ("details", "The year\nis wrong."),
            ("residence", "us-ca"),
        ];
        let fields: std::collections::BTreeMap<&str, &str> = typed.into_iter().collect();
        let get = |name: &str| fields.get(name).copied().unwrap_or_default();
        let errors = domain::intake::Intake::read(get, &account().code.kinds, Language::English).unwrap_err();
        let page = shown(&account(), Language::English, &typed, &errors);
        assert!(page.contains("Bo &lt;b&gt;") && !page.contains("Bo <b>"), "{page}");
        insta::assert_snapshot!(page);
    }

    #[test]
    fn a_code_with_one_kind_goes_straight_to_it() {
        let mut account = account();
        account.code.kinds = [Kind::Message].into();
        let page = shown(&account, Language::English, &[], &[]);
        assert!(page.contains("name=\"details\"") && !page.contains("Ask something else"), "{page}");
        // Agents and parents find the way to say so, and come back with it.
        assert!(page.contains("/forms/12?lang=en&amp;step=1&amp;kind=message&amp;requester=myself"), "{page}");
        let choice = shown(&account, Language::English, &[("step", "1")], &[]);
        assert!(choice.contains("value=\"agent\"") && !choice.contains("name=\"details\""), "{choice}");
        let page = shown(&account, Language::English, &[("kind", "message"), ("requester", "agent")], &[]);
        assert!(page.contains("name=\"agent-name\""), "{page}");
        // One that is not offered cannot be had by its address.
        let page = shown(&account, Language::English, &[("kind", "delete")], &[]);
        assert!(page.contains("value=\"message\""), "{page}");
    }

    #[test]
    fn nobody_is_spoken_to_as_the_person_they_ask_for() {
        for kind in Kind::ALL {
            for requester in [Requester::Agent, Requester::Parent] {
                let typed = [("kind", kind.code()), ("requester", requester.code())];
                let page = shown(&account(), Language::English, &typed, &[]);
                let lede = page.lines().find(|line| line.contains("class=\"lede\"")).unwrap();
                assert!(!lede.contains("about you") && !lede.contains("it is you"), "{lede}");
                assert!(!page.contains("State where you live"), "{page}");
            }
        }
        // No kind is chosen yet, and whoever opts out is not to be asked whether their agent may.
        for language in Language::ALL {
            let choice = shown(&account(), language, &[], &[]);
            assert!(!choice.contains("confirm it") && !choice.contains("que lo confirme"), "{choice}");
        }
    }

    #[test]
    fn everybody_can_say_where_they_live() {
        let page = shown(&account(), Language::English, &[("kind", "delete"), ("residence", "elsewhere")], &[]);
        assert!(
            page.contains("State where you live") && page.contains("<option value=\"elsewhere\" selected"),
            "{page}"
        );
    }

    #[test]
    fn every_field_of_every_form_has_a_label_and_is_read_by_the_server() {
        for kind in Kind::ALL {
            for requester in Requester::ALL {
                for language in Language::ALL {
                    let typed = [("kind", kind.code()), ("requester", requester.code())];
                    let page = shown(&account(), language, &typed, &[]);
                    for (question, need) in questions(kind, requester) {
                        let field = question.field();
                        assert!(page.contains(&format!("for=\"f-request-{field}\"")), "{kind} {field}");
                        assert!(page.contains(&format!("name=\"{field}\"")), "{kind} {field}");
                        let tag = page.lines().find(|line| line.contains(&format!("name=\"{field}\""))).unwrap();
                        assert_eq!(tag.contains(" required"), need == Need::Required, "{tag}");
                    }
                }
            }
        }
    }
}
