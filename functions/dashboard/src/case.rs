//! One request as its page shows it, and the forms of what may be done with it.

use domain::FieldError;
use domain::audit::{Act, Entry, Who};
use domain::clock::{Basis, Due, days_left};
use domain::denial::{Ground, GroundRule};
use domain::desk::{AsKind, CHARACTERS, Choice, Decision, Denial, Offer, Standing};
use domain::intake::{Hint, Requester};
use domain::jurisdiction::Jurisdiction;
use domain::language::Language;
use domain::own_words;
use domain::reference::Reference;
use domain::request::{Action, Actor, Event, Kind, Missing, Outcome};
use domain::rules::Unit;
use domain::verification::{self, Policy};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, Render, html};
use pages::form::{Button, Check, Choices, Field, Form, Select, actions, group, hidden};
use pages::show::{self, Card, Facts, Moment, Notice, Tone, paragraphs};
use pages::texts::plural;
use pages::{Frame, Icon, fill, format, words};
use platform::consumer::Contact;
use platform::edge::{Fields, Visit};
use platform::session::Session;
use platform::store::{AGENT, Author, CONFIRMED_HOW, CONSUMER, Colleague, DeskAccount, Dossier, Message, WebForm};

use crate::desk_texts::Texts;
use crate::keeping;

/// What a page about one request is made from.
pub(crate) struct Case {
    pub(crate) dossier: Dossier,
    pub(crate) account: DeskAccount,
    pub(crate) standing: Standing,
    pub(crate) offers: Vec<Offer>,
    pub(crate) tz: TimeZone,
}

impl Case {
    pub(crate) fn new(
        dossier: Dossier,
        account: DeskAccount,
        tz: TimeZone,
        at: Timestamp,
    ) -> Result<Self, domain::clock::ClockError> {
        let tz = zone(&account, tz);
        let standing = standing(&dossier, &account, at.to_zoned(tz.clone()).date());
        let offers = domain::desk::offers(&standing)?;
        Ok(Self { dossier, account, standing, offers, tz })
    }

    /// What somebody of the team is called; somebody who left is somebody.
    pub(crate) fn who<'a>(&'a self, texts: &'static Texts, id: &str) -> &'a str {
        match id {
            CONSUMER => return texts.the_person,
            AGENT => return texts.the_agent,
            _ => {}
        }
        self.account.team.iter().find(|it| it.id.as_str() == id).map_or(texts.former_colleague, |it| it.name.as_str())
    }

    /// Who wrote a message.
    pub(crate) fn author<'a>(&'a self, texts: &'static Texts, from: &Author) -> &'a str {
        match from {
            Author::Consumer => texts.the_person,
            Author::Agent => texts.the_agent,
            Author::Colleague(id) => self.who(texts, id.as_str()),
        }
    }

    /// What a message says, with the names of the files that came with it.
    pub(crate) fn said(&self, texts: &'static Texts, message: &Message) -> String {
        let name = |id: &String| {
            let file = self.dossier.files.iter().find(|file| file.id == *id);
            format!("{}: {}", texts.file, file.and_then(|file| file.name.as_deref()).unwrap_or(texts.file_unreadable))
        };
        let mut lines: Vec<String> = message.text.iter().cloned().chain(message.files.iter().map(name)).collect();
        if lines.is_empty() {
            lines.push(texts.message_unreadable.to_owned());
        }
        lines.join("\n")
    }

    fn actor<'a>(&'a self, texts: &'static Texts, who: &Actor) -> &'a str {
        match who {
            Actor::Consumer => texts.the_person,
            Actor::AuthorizedAgent => texts.the_agent,
            Actor::User { id } => self.who(texts, id),
            Actor::System { .. } => texts.system,
        }
    }

    /// An event in words: what was done, and why.
    pub(crate) fn happened(&self, language: Language, event: &Event) -> (String, String, String) {
        let texts = Texts::of(language);
        let who = self.actor(texts, &event.who).to_owned();
        let what = words::happened(language, event.action).to_owned();
        // An assignment says a person's id, which means nothing to anybody.
        let why = match event.why.strip_prefix("assigned to ").filter(|_| event.action == Action::Assign) {
            Some("nobody") => texts.assigned_to_nobody.to_owned(),
            Some(id) => fill(texts.assigned_to, &[("who", self.who(texts, id))]),
            None if event.action == Action::Expire => keeping::expired(language, &event.why).to_owned(),
            None => own_words::told(language, &event.why),
        };
        (who, what, why)
    }

    pub(crate) fn timeline(&self, language: Language, events: &[Event]) -> Markup {
        let moments: Vec<Moment> = events
            .iter()
            .rev()
            .map(|event| {
                let (who, what, why) = self.happened(language, event);
                let tone = match event.action {
                    Action::Complete => Tone::Success,
                    Action::Deny | Action::Extend | Action::Reopen => Tone::Warning,
                    _ => Tone::Neutral,
                };
                let what = html! { p { strong { (what) } } @for line in why.lines() { p { (line) } } };
                Moment { at: event.at.to_zoned(self.tz.clone()), who, what, tone }
            })
            .collect();
        show::timeline(language, &moments)
    }
}

/// Where a request stands, for the rules.
pub(crate) fn standing(dossier: &Dossier, account: &DeskAccount, today: Date) -> Standing {
    Standing {
        kind: dossier.kind,
        progress: dossier.progress,
        clocks: dossier.clocks.clone(),
        confirmed: dossier.is_confirmed(),
        identified: dossier.identified,
        further: dossier.further_kinds.clone(),
        residence: dossier.residence,
        jurisdictions: account.profile.jurisdictions.clone(),
        today,
    }
}

/// The account's time zone as it is now; the session's where that is not known to us.
pub(crate) fn zone(account: &DeskAccount, of_session: TimeZone) -> TimeZone {
    TimeZone::get(&account.profile.time_zone).unwrap_or(of_session)
}

/// An audit entry about a request.
pub(crate) fn entry(session: &Session, visit: &Visit, act: Act, reference: &Reference) -> Entry {
    Entry::new(visit.at, Who::User(session.user.clone()), act)
        .on("request", reference.as_str())
        .from(&visit.client.address)
}

/// A recording with the link that plays it and what it says.
pub(crate) struct Heard {
    pub(crate) src: String,
    pub(crate) answers: Option<Missing>,
    pub(crate) transcript: Option<String>,
}

/// A file with the link that downloads it.
pub(crate) struct Linked {
    pub(crate) id: String,
    pub(crate) href: String,
    /// None where it cannot be opened any more.
    pub(crate) name: Option<String>,
    pub(crate) size: u64,
    pub(crate) by: String,
    pub(crate) at: Timestamp,
    /// Whether the person may download it.
    pub(crate) shared: bool,
}

/// The page of a request.
pub(crate) struct RequestPage<'a> {
    pub(crate) frame: &'a Frame,
    pub(crate) case: &'a Case,
    pub(crate) heard: &'a [Heard],
    pub(crate) files: &'a [Linked],
    /// Photos of an identity document, each with the link that gives it.
    pub(crate) photos: &'a [(String, Timestamp)],
    /// Whether the person may change it.
    pub(crate) works: bool,
    /// Whether the person may take it out as a document.
    pub(crate) exports: bool,
    /// Whether the person may hold it, and restore it from the recycle bin.
    pub(crate) holds: bool,
    /// What was just done.
    pub(crate) done: Option<&'static str>,
    /// The ids of the forms that add something, so that each adds it once.
    pub(crate) message_id: &'a str,
    pub(crate) note_id: &'a str,
    pub(crate) file_id: &'a str,
}

impl RequestPage<'_> {
    pub(crate) fn render(&self) -> Markup {
        let (language, dossier) = (self.frame.language, &self.case.dossier);
        let texts = Texts::of(language);
        let title = fill(texts.request, &[("reference", &dossier.reference.to_string())]);
        let record = format!("/dashboard/record/{}", dossier.reference.as_str());
        let heading = show::Heading::new(title.as_str())
            .above(language, &[("/dashboard/requests", texts.inbox)])
            .badges(html! {
                (show::kind(language, dossier.kind)) (show::state(language, dossier.progress.state))
                (keeping::badges(language, &dossier.keeping))
            })
            .lede(words::kind_asks(language, dossier.kind))
            .actions(html! { @if self.exports { (Button::secondary(texts.record).download(record)) } });
        let main = html! {
            (heading)
            @if let Some(done) = self.done { (Notice::success(done)) }
            (keeping::in_the_bin(self.frame, &dossier.reference, &dossier.keeping, self.holds))
            (self.unread())
            (show::split(
                html! { (dates(language, self.case)) @if dossier.keeping.binned_on.is_none() { (self.actions()) } (self.hold()) },
                html! {
                    (self.person()) (self.identity()) (self.spoken()) (self.messages()) (self.history()) (self.notes()) (self.files())
                },
            ))
        };
        pages::page(self.frame, &title, &main)
    }

    fn person(&self) -> Markup {
        let (language, dossier) = (self.frame.language, &self.case.dossier);
        let texts = Texts::of(language);
        let person = &dossier.person;
        let request_link = |reference: &Reference| {
            html! { a href={ "/dashboard/request/" (reference.as_str()) } { (reference) } }
        };
        let missing: Vec<&str> = dossier.missing.iter().map(|it| words::missing(language, *it)).collect();
        let known = person.phone.is_some() || person.email.is_some() || person.name.is_some();
        let mut facts = Facts::new()
            .maybe(texts.name, person.name.as_deref().map(|name| html! { (name) }))
            .maybe(texts.phone, person.phone.as_deref().map(|phone| html! { a href={ "tel:" (phone) } { (phone) } }))
            .maybe(texts.email, person.email.as_deref().map(|it| html! { a href={ "mailto:" (it) } { (it) } }))
            .maybe(texts.details, person.details.as_deref().map(paragraphs))
            .maybe(texts.missing, (!missing.is_empty()).then(|| html! { (format::list(language, &missing)) }))
            .fact(texts.person_language, html! { (words::language(language, dossier.language)) })
            .fact(texts.residence, html! { (place(language, dossier.residence)) })
            .fact(texts.channel, show::channel(language, dossier.channel))
            .fact(texts.service_code, html! { (dossier.code) });
        if let Some(web) = &dossier.web {
            facts = web_facts(language, facts, web);
        }
        facts = facts.fact(texts.column_assignee, html! { (self.assignee(texts)) });
        if let Some(closed) = &dossier.closed {
            facts = facts
                .fact(texts.outcome, html! { (outcome(language, closed.outcome)) })
                .maybe(texts.ground, closed.ground.map(|it| html! { (ground(language, it)) }));
        }
        facts = facts.maybe(texts.found_in, dossier.first.as_ref().map(request_link));
        if !dossier.further.is_empty() {
            let links = html! { @for further in &dossier.further { p { (request_link(further)) } } };
            facts = facts.fact(texts.found_here, links);
        }
        Card::new(texts.person).body(html! { @if !known { p { (texts.nobody_known) } } (facts) }).render()
    }

    /// How whoever asked has shown who they are, by themselves.
    fn identity(&self) -> Markup {
        let language = self.frame.language;
        let texts = Texts::of(language);
        let dossier = &self.case.dossier;
        let moment = |at: Timestamp| show::moment(language, &at.to_zoned(self.case.tz.clone()));
        if dossier.shown.is_empty() && dossier.declaration.is_none() && self.photos.is_empty() {
            return html! {};
        }
        let mut facts = Facts::new();
        for (by, at) in &dossier.shown {
            let name = match by {
                Contact::Email => texts.shown_email,
                Contact::Phone => texts.shown_phone,
                Contact::Agent => texts.shown_agent,
            };
            facts = facts.fact(name, moment(*at));
        }
        // Nobody does anything there who has not entered a code before.
        let agents = !dossier.shown.is_empty() && dossier.shown.iter().all(|(by, _)| *by == Contact::Agent);
        Card::new(if agents { texts.shown_by_agent } else { texts.shown })
            .id("shown")
            .lede(texts.shown_lede)
            .body(html! {
                (facts)
                @if let Some(signed) = &dossier.declaration {
                    h3 { (texts.declaration) }
                    blockquote { p { (signed.statement) } }
                    p { (signed.name) " · " (moment(signed.at)) }
                }
                @if !self.photos.is_empty() {
                    h3 { (texts.photos) }
                    p.note { (texts.photos_note) }
                    ul.files {
                        @for (href, at) in self.photos { li { a href=(href) { (Icon::Attach) (texts.photo) } p.note { (moment(*at)) } } }
                    }
                }
            })
            .render()
    }

    fn assignee(&self, texts: &'static Texts) -> &str {
        self.case.dossier.assignee.as_ref().map_or(texts.nobody, |id| self.case.who(texts, id.as_str()))
    }

    fn spoken(&self) -> Markup {
        let texts = Texts::of(self.frame.language);
        html! {
            @if !self.heard.is_empty() {
                (Card::new(texts.said_details).id("spoken").body(html! {
                    @for heard in self.heard {
                        @let label = match heard.answers {
                            Some(Missing::Name) => texts.said_name,
                            Some(_) => texts.said_details,
                            None => texts.said_message,
                        };
                        (show::audio(label, &heard.src, "audio/mpeg"))
                        @match &heard.transcript {
                            Some(transcript) => {
                                p.note { (texts.transcript) }
                                blockquote lang=(self.case.dossier.language.code()) { (paragraphs(transcript)) }
                            }
                            None => { p.note { (texts.no_transcript) } }
                        }
                    }
                }))
            }
        }
    }

    /// Says that the person wrote since somebody last looked.
    fn unread(&self) -> Markup {
        let texts = Texts::of(self.frame.language);
        let unread = self.case.dossier.unread;
        html! {
            @if unread > 0 {
                @let title = fill(plural(unread, texts.message_new, texts.messages_new), &[("n", &format::number(unread))]);
                (Notice::info(title).body(html! { p { a href="#messages" { (texts.messages_read) } } }))
            }
        }
    }

    fn messages(&self) -> Markup {
        let language = self.frame.language;
        let texts = Texts::of(language);
        let case = self.case;
        let with_files = |message: &Message| {
            html! {
                @if let Some(text) = &message.text { (paragraphs(text)) }
                @else if message.files.is_empty() { p.note { (texts.message_unreadable) } }
                @for file in self.files.iter().filter(|file| message.files.contains(&file.id)) { p { (file_link(texts, file)) } }
            }
        };
        let moments: Vec<Moment> = case
            .dossier
            .messages
            .iter()
            .map(|message| Moment {
                at: message.at.to_zoned(case.tz.clone()),
                who: case.author(texts, &message.from).to_owned(),
                what: with_files(message),
                tone: if message.from.asked() { Tone::Info } else { Tone::Neutral },
            })
            .collect();
        let agents = case.dossier.web.as_ref().is_some_and(|web| web.agent_email.is_some());
        let told = if agents || case.dossier.person.email.is_some() {
            texts.messages_lede
        } else {
            texts.messages_lede_no_email
        };
        Card::new(texts.messages)
            .id("messages")
            .lede(told)
            .body(html! {
                @if moments.is_empty() { p { (texts.no_messages) } } @else { (show::timeline(language, &moments)) }
                @if self.works { (message_form(self.frame, &case.dossier.reference, self.message_id, "", &[])) }
            })
            .render()
    }

    fn history(&self) -> Markup {
        let texts = Texts::of(self.frame.language);
        let events = &self.case.dossier.events;
        Card::new(texts.history)
            .id("history")
            .body(html! {
                @if events.is_empty() { p { (texts.received) ": " (show::moment(self.frame.language,
                    &self.case.dossier.received_at.to_zoned(self.case.tz.clone()))) } }
                (self.case.timeline(self.frame.language, events))
            })
            .render()
    }

    fn notes(&self) -> Markup {
        let language = self.frame.language;
        let texts = Texts::of(language);
        let case = self.case;
        let moments: Vec<Moment> = case
            .dossier
            .notes
            .iter()
            .map(|note| Moment {
                at: note.at.to_zoned(case.tz.clone()),
                who: case.who(texts, &note.by).to_owned(),
                what: match &note.text {
                    Some(text) => paragraphs(text),
                    None => html! { p.note { (texts.note_unreadable) } },
                },
                tone: Tone::Neutral,
            })
            .collect();
        Card::new(texts.notes)
            .id("notes")
            .lede(texts.notes_lede)
            .body(html! {
                @if moments.is_empty() { p { (texts.no_notes) } } @else { (show::timeline(language, &moments)) }
                @if self.works { (note_form(self.frame, &case.dossier.reference, self.note_id, "", &[])) }
            })
            .render()
    }

    fn files(&self) -> Markup {
        let language = self.frame.language;
        let texts = Texts::of(language);
        Card::new(texts.files)
            .id("files")
            .body(html! {
                @if self.files.is_empty() { p { (texts.no_files) } } @else {
                    ul.files {
                        @for file in self.files {
                            li {
                                (file_link(texts, file))
                                p.note {
                                    (format::size(file.size)) " · " (file.by) " · "
                                    (show::moment(language, &file.at.to_zoned(self.case.tz.clone())))
                                    @if file.shared { " · " (texts.file_shared) }
                                }
                            }
                        }
                    }
                }
                @if self.works { (file_form(self.frame, &self.case.dossier.reference, self.file_id, &[])) }
            })
            .render()
    }

    fn hold(&self) -> Markup {
        let dossier = &self.case.dossier;
        let by = |id: &str| self.case.who(Texts::of(self.frame.language), id).to_owned();
        match &dossier.keeping.hold {
            Some(held) => keeping::held(self.frame, &dossier.reference, held, &by(&held.by), &self.case.tz, self.holds),
            None if self.holds => keeping::hold_card(self.frame, &dossier.reference, "", &[]),
            None => html! {},
        }
    }

    fn actions(&self) -> Markup {
        let texts = Texts::of(self.frame.language);
        let body = html! {
            @if !self.works { p { (texts.read_only) } } @else if self.case.offers.is_empty() { p { (texts.actions_none) } } @else {
                @for offer in &self.case.offers {
                    details.action {
                        summary { (words::action(self.frame.language, offer.action)) }
                        (action_form(self.frame, self.case, offer, &Fields::default(), &[]))
                    }
                }
            }
        };
        Card::new(texts.actions).id("actions").body(body).render()
    }
}

fn file_link(texts: &Texts, file: &Linked) -> Markup {
    html! {
        @match &file.name {
            Some(name) => { a href=(file.href) { (Icon::Attach) (name) } }
            None => { (texts.file_unreadable) }
        }
    }
}

/// How a form was sent: for whom, from where, and whether by a person.
fn web_facts(language: Language, facts: Facts, web: &WebForm) -> Facts {
    let texts = Texts::of(language);
    let hints: Vec<&str> = web
        .hints
        .iter()
        .map(|hint| match hint {
            Hint::Honeypot => texts.hint_honeypot,
            Hint::TooFast => texts.hint_too_fast,
        })
        .collect();
    let who = match web.requester {
        Requester::Myself => texts.for_myself,
        Requester::Agent => texts.for_agent,
        Requester::Parent => texts.for_parent,
    };
    facts
        .fact(texts.asked_for, html! { (who) })
        .maybe(texts.agent_name, web.agent_name.as_deref().map(|name| html! { (name) }))
        .maybe(texts.agent_email, web.agent_email.as_deref().map(|it| html! { a href={ "mailto:" (it) } { (it) } }))
        .maybe(texts.agent_company, web.agent_company.as_deref().map(|company| html! { (company) }))
        .maybe(texts.human, web.human.map(|human| html! { (human.words().of(language)) }))
        .maybe(texts.hints, (!hints.is_empty()).then(|| html! { @for hint in &hints { p { (hint) } } }))
        .fact(texts.sent_from, html! { (web.origin.as_deref().unwrap_or(texts.hosted_form)) })
}

fn place(language: Language, place: Option<Jurisdiction>) -> &'static str {
    place.map_or(Texts::of(language).not_known, |place| words::jurisdiction(language, place))
}

pub(crate) fn outcome(language: Language, outcome: Outcome) -> &'static str {
    let texts = Texts::of(language);
    match outcome {
        Outcome::CompliedInWhole => texts.complied_in_whole,
        Outcome::CompliedInPart => texts.complied_in_part,
        Outcome::Denied => texts.denied,
        Outcome::Withdrawn => texts.withdrawn,
    }
}

/// A ground in words with its citation.
pub(crate) fn ground(language: Language, ground: Ground) -> String {
    match ground.rule() {
        Ok(rule) => format!("{} ({})", rule.label.of(language), rule.citation),
        Err(_) => ground.code().to_owned(),
    }
}

fn rule(language: Language, due: &Due) -> String {
    let texts = Texts::of(language);
    let text = match due.unit {
        Unit::Calendar => texts.rule_calendar,
        Unit::Business => texts.rule_business,
    };
    fill(text, &[("days", &due.days.to_string()), ("citation", &due.citation)])
}

/// What an extension adds.
fn more(language: Language, due: &Due) -> String {
    fill(Texts::of(language).rule_more, &[("days", &due.days.to_string()), ("citation", &due.citation)])
}

/// Each clock with its date, the days left and where the law says so.
fn dates(language: Language, case: &Case) -> Markup {
    let texts = Texts::of(language);
    let (dossier, today) = (&case.dossier, case.standing.today);
    let clocks = &dossier.clocks;
    let running = dossier.progress.state.is_open();
    let shown = |due: &Due| {
        if running { show::due(language, due.date, days_left(today, due.date)) } else { show::day(language, due.date) }
    };
    let mut facts = Facts::new().fact(texts.received, show::day(language, clocks.received_on));
    match (&dossier.confirmed, &clocks.confirm_by) {
        (Some((at, how)), _) => {
            let how = match how.as_str() {
                "orally, on the call" => texts.how_on_call,
                "on the form's answer" => texts.how_on_form,
                CONFIRMED_HOW => texts.how_by_mail,
                _ => texts.how_by_team,
            };
            facts = facts.noted(texts.confirmed, show::moment(language, &at.to_zoned(case.tz.clone())), how);
        }
        (None, Some(due)) => facts = facts.noted(texts.confirm_by, shown(due), rule(language, due)),
        (None, None) => {}
    }
    let why = if clocks.extended { more } else { rule };
    facts = facts.noted(texts.answer_by, shown(&clocks.respond_by), why(language, &clocks.respond_by));
    if let Some(closed) = &dossier.closed {
        facts = facts.fact(texts.answered, show::day(language, closed.on));
    }
    if clocks.extended {
        facts = facts.fact(texts.extended, html! { (texts.csv_yes) });
    } else if let Some(extension) = clocks.extension.as_ref().filter(|_| running) {
        facts = facts.noted(texts.extendable, show::day(language, extension.date), more(language, extension));
    }
    if let Some(notice) = &clocks.completion_notice_by {
        facts = facts.noted(texts.notice_by, shown(notice), rule(language, notice));
    }
    let body = html! {
        (facts)
        @match clocks.basis {
            Basis::Tenant => {}
            Basis::CaliforniaByDefault => { p.note { (texts.basis_default) } }
            Basis::Residence => { p.note { (texts.basis_residence) } }
        }
        @if running && !clocks.may_verify {
            p.note { strong { (texts.never_verify) } " · " (texts.never_verify_text) " "
                (dossier.kind.verification_citation()) }
            (may_be_asked(language, case))
        }
    };
    Card::new(texts.dates).id("dates").body(body).render()
}

/// What a form with a file takes, as file dialogs know it.
const FILE_TYPES: &str = ".pdf,.png,.jpg,.jpeg,.txt,.csv,.docx,.xlsx";

/// The form that adds a note.
pub(crate) fn note_form(frame: &Frame, reference: &Reference, id: &str, typed: &str, errors: &[FieldError]) -> Markup {
    let texts = Texts::of(frame.language);
    let action = format!("/dashboard/note/{}", reference.as_str());
    Form::post(frame.language, action, frame.csrf.as_str())
        .id("note")
        .errors(errors)
        .body(html! {
            (hidden("id", id))
            (Field::area("note", texts.note, 4).value(typed).errors(errors).within("note").required().max_length(5000))
            (actions(&html! { (Button::secondary(texts.add_note).icon(Icon::Pen)) }))
        })
        .render()
}

/// The form that sends the person a message, and a file that they may download.
pub(crate) fn message_form(
    frame: &Frame,
    reference: &Reference,
    id: &str,
    typed: &str,
    errors: &[FieldError],
) -> Markup {
    let texts = Texts::of(frame.language);
    let action = format!("/dashboard/message/{}", reference.as_str());
    Form::post(frame.language, action, frame.csrf.as_str())
        .id("message")
        .with_file()
        .errors(errors)
        .body(html! {
            (hidden("id", id))
            (Field::area("text", texts.message, 4).hint(texts.message_hint).value(typed).errors(errors).within("message")
                .max_length(5000))
            (Field::file("file", texts.message_file, FILE_TYPES).hint(texts.file_hint).errors(errors).within("message")
                .optional(frame.language))
            (actions(&html! { (Button::secondary(texts.send_message).icon(Icon::Speech)) }))
        })
        .render()
}

/// The form that adds a file.
pub(crate) fn file_form(frame: &Frame, reference: &Reference, id: &str, errors: &[FieldError]) -> Markup {
    let texts = Texts::of(frame.language);
    let action = format!("/dashboard/attach/{}", reference.as_str());
    Form::post(frame.language, action, frame.csrf.as_str())
        .id("file")
        .with_file()
        .errors(errors)
        .body(html! {
            (hidden("id", id))
            (Field::file("file", texts.file, FILE_TYPES)
                .hint(texts.file_hint).errors(errors).within("file").required())
            (actions(&html! { (Button::secondary(texts.add_file).icon(Icon::Attach)) }))
        })
        .render()
}

/// The form of one action: what the law asks, and the fields that it takes.
pub(crate) fn action_form(frame: &Frame, case: &Case, offer: &Offer, typed: &Fields, errors: &[FieldError]) -> Markup {
    let (language, action) = (frame.language, offer.action);
    let label = words::action(language, action);
    let button = match action {
        Action::Deny | Action::Withdraw => Button::danger(label),
        _ => Button::primary(label),
    };
    let target = format!("/dashboard/act/{}", case.dossier.reference.as_str());
    Form::post(language, target, frame.csrf.as_str())
        .id(action.code())
        .errors(errors)
        .body(html! {
            (hidden("action", action.code()))
            (hidden("version", &case.dossier.version.to_string()))
            (demands(language, offer))
            @if action == Action::Verify { (may_be_asked(language, case)) }
            @if action == Action::Complete && case.dossier.kind == Kind::KnowSpecific { (never_disclosed(language)) }
            (fields(language, &Asking { offer, kind: case.dossier.kind, team: &case.account.team, typed, errors,
                assignee: case.dossier.assignee.as_ref().map_or("", |it| it.as_str()), residence: case.dossier.residence }))
            (actions(&html! { (button) }))
        })
        .render()
}

/// What may be asked of this person for this request, and what must not, each with where the law says so.
fn may_be_asked(language: Language, case: &Case) -> Markup {
    let texts = Texts::of(language);
    let requester = case.dossier.web.as_ref().map(|web| web.requester);
    let (may_verify, photo_id) = (case.dossier.clocks.may_verify, case.account.profile.photo_id);
    let known = verification::Facts::of_request(case.dossier.kind, requester, may_verify, photo_id);
    let Ok(policy) = Policy::of(known) else { return html! {} };
    let rules = |rules: &[&'static verification::Rule]| {
        html! { ul { @for rule in rules { li { (rule.text.of(language)) " (" (rule.citation) ")" } } } }
    };
    let strict = Policy::of(verification::Facts { sensitive: true, ..known }).ok().and_then(|it| it.measure);
    html! {
        @if let Some(measure) = policy.measure {
            @let points = measure.data_points.to_string();
            p { (fill(texts.may_measure, &[("n", &points)])) " (" (measure.citation) ")"
                @if let Some(strict) = strict.filter(|it| it.data_points > measure.data_points) {
                    " " (fill(texts.may_measure_sensitive, &[("n", &strict.data_points.to_string())]))
                }
            }
        }
        @if !policy.may.is_empty() {
            p { strong { @if known.requester == verification::Requester::Agent { (texts.may_ask_agent) } @else { (texts.may_ask) } } }
            // Of what may be asked in the place of something else, the first says so of both.
            ul { @for (rule, other) in policy.choices() {
                li { (rule.text.of(language)) " (" (rule.citation)
                    @if let Some(other) = other { "; " (other.citation) } ")" }
            } }
        }
        (show::disclosure(texts.must_not_ask, false, rules(&policy.must_not)))
        (turned_out(language, known, &policy))
        @if let Some(step) = policy.downgrade {
            @let instead = match step.to {
                verification::Instead::KnowCategories => texts.instead_categories,
                verification::Instead::PrivacyPolicy => texts.instead_policy,
                verification::Instead::OptOut => texts.instead_opt_out,
            };
            p.note { (instead) " (" (step.citation) ")" }
        }
    }
}

/// What else must not be asked where whoever asks turns out to be somebody with rules of their own.
fn turned_out(language: Language, known: verification::Facts, policy: &Policy) -> Markup {
    let texts = Texts::of(language);
    let Some(other) = known.requester.may_be() else { return html! {} };
    let Ok(theirs) = Policy::of(verification::Facts { requester: other, ..known }) else { return html! {} };
    let more = theirs.must_not.iter().filter(|rule| !policy.must_not.contains(rule));
    let list = html! { ul { @for rule in more { li { (rule.text.of(language)) " (" (rule.citation) ")" } } } };
    let summary =
        if other == verification::Requester::Minor { texts.must_not_ask_minor } else { texts.must_not_ask_attorney };
    show::disclosure(summary, false, list)
}

/// What no answer holds, whoever asks.
fn never_disclosed(language: Language) -> Markup {
    let texts = Texts::of(language);
    let Ok(never) = verification::never_disclosed() else { return html! {} };
    let list = html! { ul { @for it in never { li { (it.text.of(language)) " (" (it.citation) ")" } } } };
    show::disclosure(texts.never_disclosed, false, list)
}

fn demands(language: Language, offer: &Offer) -> Markup {
    let texts = Texts::of(language);
    html! {
        @if let Some(by) = &offer.by {
            @let text = if offer.action == Action::Extend { texts.new_date } else { texts.by_date };
            p.note {
                (fill(text, &[("date", &format::date(language, by.date))])) " · " (by.citation)
                @if offer.late { " · " strong { (texts.late) } }
            }
        }
        @for demand in &offer.demands {
            p.note { (demand.text.of(language)) " (" (demand.citation) ")" }
        }
    }
}

/// What the fields of an action are made from.
pub(crate) struct Asking<'a> {
    pub(crate) offer: &'a Offer,
    pub(crate) kind: Kind,
    pub(crate) team: &'a [Colleague],
    pub(crate) typed: &'a Fields,
    pub(crate) errors: &'a [FieldError],
    pub(crate) assignee: &'a str,
    pub(crate) residence: Option<Jurisdiction>,
}

/// The fields of an action, with what was typed and what is wrong with it.
pub(crate) fn fields(language: Language, asking: &Asking<'_>) -> Markup {
    let texts = Texts::of(language);
    let Asking { offer, typed, errors, .. } = asking;
    let form = offer.action.code();
    let area = |name: &'static str, label: &str, required: bool| {
        let field =
            Field::area(name, label, 3).value(typed.get(name)).errors(errors).within(form).max_length(CHARACTERS);
        if required { field.required() } else { field }
    };
    let identity = || html! { @if offer.identity { (area("identity", texts.field_identity, true)) } };
    let why = || {
        let label = if offer.reason { texts.field_why } else { texts.field_why_optional };
        area("why", label, offer.reason)
    };
    let looser = |needed: bool, label: &'static str| {
        html! {
            @if needed {
                (Check::new("looser", label).on(typed.has("looser")).errors(errors).within(form))
            }
        }
    };
    match (&offer.choice, offer.action) {
        (Choice::Kinds(kinds), _) => {
            let due = |it: &AsKind| {
                let date = format::date(language, it.respond_by.date);
                match &it.extended {
                    Some(kept) => {
                        let kept = format::date(language, kept.date);
                        fill(texts.field_kind_extended, &[("date", &date), ("extended", &kept)])
                    }
                    None => fill(texts.field_kind_due, &[("date", &date)]),
                }
            };
            let extended = kinds.iter().any(|it| it.extended.is_some());
            let later = asking.kind != Kind::Message && kinds.iter().any(|it| it.looser);
            let choices = kinds
                .iter()
                .fold(Choices::checkboxes("kinds", texts.field_kinds).hint(texts.field_kinds_hint), |choices, it| {
                    choices.explained(it.kind.code(), words::kind(language, it.kind), due(it))
                });
            html! {
                (choices.chosen(typed.all("kinds")).errors(errors).within(form))
                (why())
                (looser(later || extended, if extended { texts.field_looser_extended } else { texts.field_looser }))
            }
        }
        (Choice::Places(places), _) => {
            let chosen = if typed.has("residence") {
                typed.get("residence")
            } else {
                asking.residence.map_or("", Jurisdiction::as_str)
            };
            let named = places.iter().map(|it| {
                let (code, name) = (it.residence.map_or("", Jurisdiction::as_str), place(language, it.residence));
                (code, format!("{name} · {}", format::date(language, it.respond_by.date)))
            });
            html! {
                (Select::new("residence", texts.field_residence).choices(named).chosen(chosen).errors(errors).within(form))
                (looser(places.iter().any(|it| it.looser), texts.field_looser))
            }
        }
        (Choice::Grounds(rules), Action::Complete) => html! {
            (area("done", texts.field_done, true))
            (identity())
            (Check::new("except", texts.field_except).on(typed.has("except")).within(form))
            (grounds(language, asking, rules, false))
        },
        (Choice::Grounds(rules), _) => grounds(language, asking, rules, true),
        (Choice::Nothing, Action::Assign) => {
            let chosen = if typed.has("to") { typed.get("to") } else { asking.assignee };
            let team = asking.team.iter().filter(|it| it.works).map(|it| (it.id.as_str(), it.name.as_str()));
            let select = Select::new("to", texts.field_to).choice("", texts.nobody).choices(team);
            html! { (select.chosen(chosen).errors(errors).within(form)) }
        }
        (Choice::Nothing, action) => match action {
            Action::Acknowledge => area("told", texts.field_told, true).render(),
            Action::Verify => area("asked", texts.field_asked, true).render(),
            Action::Extend => area("reason", texts.field_reason, true).render(),
            Action::Withdraw => area("how", texts.field_how, true).render(),
            Action::Review | Action::Fulfil => html! { (identity()) (why()) },
            _ => why().render(),
        },
    }
}

/// The grounds that the law knows for this kind, each with what must be told or offered; and the words for it.
fn grounds(language: Language, asking: &Asking<'_>, rules: &[&'static GroundRule], whole: bool) -> Markup {
    let texts = Texts::of(language);
    let Asking { offer, typed, errors, kind, .. } = asking;
    let form = offer.action.code();
    let choices = rules.iter().fold(Choices::radios("ground", texts.field_ground), |choices, rule| {
        let mut explained = vec![rule.citation.clone()];
        if let Ok(duties) = rule.duties(*kind) {
            explained.extend(duties.map(|duty| duty.text.of(language).to_owned()));
        }
        choices.explained(rule.ground.code(), rule.label.of(language), explained.join(" · "))
    });
    let area = |name: &'static str, label: &str| {
        Field::area(name, label, 3).value(typed.get(name)).errors(errors).within(form).max_length(CHARACTERS)
    };
    let fields = html! {
        (choices.chosen(typed.all("ground")).errors(errors).within(form))
        (area("explanation", texts.field_explanation))
        (area("offered", texts.field_offered).optional(language))
    };
    if whole { fields } else { group(texts.field_except, None, &fields) }
}

/// The decision that a form makes; what cannot be one is said by the field.
pub(crate) fn decision(
    action: Action,
    form: &Fields,
    team: &[Colleague],
    texts: &Texts,
) -> Result<Decision, FieldError> {
    let text = |name: &str| form.get(name).replace("\r\n", "\n");
    let denial = || Denial {
        ground: Ground::parse(form.get("ground")),
        explanation: text("explanation"),
        offered: text("offered"),
    };
    Ok(match action {
        Action::Receive => Decision::Receive { why: text("why") },
        Action::Acknowledge => Decision::Acknowledge { told: text("told") },
        Action::Classify => Decision::Classify {
            kinds: form.all("kinds").into_iter().filter_map(Kind::parse).collect(),
            why: text("why"),
            looser: form.has("looser"),
        },
        Action::Residence => {
            let residence = match form.get("residence") {
                "" => None,
                code => Some(Jurisdiction::parse(code).ok_or_else(|| FieldError::new("residence", texts.not_a_place))?),
            };
            Decision::Residence { residence, looser: form.has("looser") }
        }
        Action::Assign => {
            let to = match form.get("to") {
                "" => None,
                id => {
                    let found = team.iter().find(|it| it.works && it.id.as_str() == id);
                    Some(found.ok_or_else(|| FieldError::new("to", texts.not_in_team))?.id.as_str().to_owned())
                }
            };
            Decision::Assign { to }
        }
        Action::Verify => Decision::Verify { asked: text("asked") },
        Action::Review => Decision::Review { identity: text("identity"), why: text("why") },
        Action::Fulfil => Decision::Fulfil { identity: text("identity"), why: text("why") },
        Action::Complete => Decision::Complete {
            done: text("done"),
            identity: text("identity"),
            except: form.has("except").then(denial),
        },
        Action::Extend => Decision::Extend { reason: text("reason") },
        Action::Deny => Decision::Deny(denial()),
        Action::Withdraw => Decision::Withdraw { how: text("how") },
        Action::Reopen => Decision::Reopen { why: text("why") },
        Action::Expire => return Err(FieldError::new("", texts.actions_none)),
    })
}

/// What a notice says after something was done, by its code in the query.
pub(crate) fn done(language: Language, code: &str) -> Option<&'static str> {
    let texts = Texts::of(language);
    if let Some(action) = Action::parse(code) {
        return Some(match action {
            Action::Receive => texts.done_receive,
            Action::Acknowledge => texts.done_acknowledge,
            Action::Classify => texts.done_classify,
            Action::Residence => texts.done_residence,
            Action::Assign => texts.done_assign,
            Action::Verify => texts.done_verify,
            Action::Review => texts.done_review,
            Action::Fulfil => texts.done_fulfil,
            Action::Complete => texts.done_complete,
            Action::Extend => texts.done_extend,
            Action::Deny => texts.done_deny,
            Action::Withdraw => texts.done_withdraw,
            Action::Reopen => texts.done_reopen,
            Action::Expire => return None,
        });
    }
    match code {
        "message" => Some(texts.done_message),
        "note" => Some(texts.done_note),
        "file" => Some(texts.done_file),
        "entered" => Some(texts.done_entered),
        "held" | "lifted" | "restored" => keeping::done(language, code),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use domain::clock;
    use domain::desk::{self, Decided};
    use domain::request::{Channel, Progress, State};
    use domain::service_code::ServiceCode;
    use domain::tenant::TenantProfile;
    use domain::user::UserId;
    use jiff::civil::date;
    use platform::store::{Closed, KeptFile, Note, Person};

    use super::*;

    pub(crate) fn user(n: u8) -> UserId {
        UserId::parse(&format!("u-{n:026}")).unwrap()
    }

    pub(crate) fn frame(language: Language) -> Frame {
        Frame {
            language,
            tenant_name: "Main store".into(),
            user_name: "Ana".into(),
            role: "Agent".into(),
            csrf: "token".into(),
            section: pages::Section::Requests,
            sections: vec![pages::Section::Requests],
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A request that came in by telephone on 2 November, with hostile names.
    pub(crate) fn case(kind: Kind, today: &str) -> Case {
        let received_at = at("2026-11-02T20:00:00Z");
        let jurisdictions = vec![Jurisdiction::UsCa];
        let clocks = clock::clocks_from(&jurisdictions, None, kind, date(2026, 11, 2)).unwrap();
        let (progress, event) = Progress::new(State::Incomplete)
            .next(kind, Action::Receive, Actor::Consumer, received_at, "the caller confirmed the request")
            .unwrap();
        let dossier = Dossier {
            reference: Reference::from_entropy(7),
            kind,
            progress,
            channel: Channel::Phone,
            code: ServiceCode::parse("12").unwrap(),
            language: Language::Spanish,
            received_at,
            clocks,
            confirmed: Some((received_at, "orally, on the call".into())),
            closed: None,
            identified: false,
            residence: None,
            assignee: Some(user(1)),
            missing: vec![],
            person: Person {
                phone: Some("+12135550123".into()),
                email: None,
                name: Some("<script>alert(1)</script>".into()),
                details: None,
            },
            web: None,
            spoken: vec![],
            call: None,
            first: None,
            further: vec![],
            further_kinds: vec![],
            events: vec![event],
            notes: vec![Note {
                at: received_at,
                by: user(1).as_str().into(),
                text: Some("Called <b>back</b>.".into()),
            }],
            files: vec![KeptFile {
                id: "f-1".into(),
                at: received_at,
                by: user(1).as_str().into(),
                name: Some("what <i>we</i> hold.pdf".into()),
                content_type: "application/pdf".into(),
                size: 12_345,
                sha256: [7; 32],
                shared: true,
            }],
            messages: vec![
                Message {
                    id: "m-1".into(),
                    at: received_at,
                    from: Author::Consumer,
                    text: Some("I moved to <u>Oakland</u>.".into()),
                    files: vec![],
                },
                Message {
                    id: "f-1".into(),
                    at: received_at,
                    from: Author::Colleague(user(1)),
                    text: None,
                    files: vec!["f-1".into()],
                },
            ],
            unread: 1,
            shown: vec![(Contact::Email, received_at)],
            declaration: None,
            photos: vec![],
            keeping: platform::store::Keeping::default(),
            version: 1,
        };
        let profile = TenantProfile {
            name: "Main store".into(),
            time_zone: "America/Los_Angeles".into(),
            jurisdictions,
            retention: domain::tenant::Retention::default(),
            reminders: domain::tenant::Reminders::default(),
            photo_id: false,
            closure: domain::closure::Closure::Open,
        };
        let team = vec![
            Colleague { id: user(1), name: "Ana <i>Agent</i>".into(), works: true },
            Colleague { id: user(2), name: "Vera Viewer".into(), works: false },
        ];
        let tz = TimeZone::get("America/Los_Angeles").unwrap();
        Case::new(dossier, DeskAccount { profile, team }, tz, at(today)).unwrap()
    }

    /// The request after a decision, as it would be read back.
    pub(crate) fn after(case: Case, decision: &Decision, when: &str) -> Case {
        let who = Actor::User { id: user(1).as_str().into() };
        let Decided { kind, progress, clocks, identified, residence, closing, events, .. } =
            desk::decide(&case.standing, decision, who, at(when)).unwrap();
        let mut dossier = case.dossier;
        if let desk::Closing::Closed { on, outcome, ground } = closing {
            dossier.closed = Some(Closed { on, outcome, ground });
        }
        (dossier.kind, dossier.progress, dossier.clocks, dossier.residence) = (kind, progress, clocks, residence);
        dossier.identified = identified;
        dossier.events.extend(events);
        dossier.version += 1;
        Case::new(dossier, case.account, case.tz, at(when)).unwrap()
    }

    fn shown(case: &Case, language: Language, works: bool) -> String {
        let heard = [Heard {
            src: "/dashboard/recording/ticket".into(),
            answers: Some(Missing::Name),
            transcript: Some("Me llamo <b>Ana</b>.".into()),
        }];
        let files = [Linked {
            id: "f-1".into(),
            href: "/dashboard/attachment/ticket".into(),
            name: case.dossier.files[0].name.clone(),
            size: 12_345,
            by: "Ana".into(),
            at: case.dossier.files[0].at,
            shared: true,
        }];
        let page = RequestPage {
            frame: &frame(language),
            case,
            heard: &heard,
            files: &files,
            photos: &[("/dashboard/attachment/photo".into(), case.dossier.received_at)],
            works,
            exports: works,
            holds: works,
            done: done(language, "assign"),
            message_id: "m",
            note_id: "n",
            file_id: "f",
        };
        main(&page.render())
    }

    /// What is in a page's `main`, a tag on each line: the frame has its own snapshot.
    pub(crate) fn main(page: &Markup) -> String {
        let page = page.0.as_str();
        let main = page.split_once("<main").unwrap().1.split_once("</main>").unwrap().0;
        main.replace("><", ">\n<")
    }

    fn actions_of(case: &Case) -> Vec<&'static str> {
        case.offers.iter().map(|offer| offer.action.code()).collect()
    }

    #[test]
    fn a_request_to_delete_that_was_received() {
        insta::assert_snapshot!(shown(&case(Kind::Delete, "2026-12-10T18:00:00Z"), Language::English, true));
    }

    #[test]
    fn an_opt_out_that_is_late_for_a_reader_in_spanish() {
        insta::assert_snapshot!(shown(&case(Kind::OptOut, "2026-12-10T18:00:00Z"), Language::Spanish, false));
    }

    #[test]
    fn a_request_that_was_denied_says_on_which_ground() {
        let denial = Denial {
            ground: Some(Ground::NotVerified),
            explanation: "Nobody answered.".into(),
            offered: "An opt-out of sale.".into(),
        };
        let case = after(case(Kind::Delete, "2026-11-20T18:00:00Z"), &Decision::Deny(denial), "2026-11-20T18:00:00Z");
        let page = shown(&case, Language::English, true);
        assert_eq!(actions_of(&case), ["residence", "reopen"], "nothing else can be done with it");
        assert!(page.contains("Identity could not be verified") && page.contains("Nobody answered."), "{page}");
    }

    /// The same request, as the form of an authorized agent brought it.
    fn by_agent(mut case: Case) -> Case {
        case.dossier.web = Some(WebForm {
            requester: Requester::Agent,
            agent_name: Some("Cleo".into()),
            agent_email: Some("cleo@agent.example".into()),
            agent_company: None,
            human: None,
            hints: vec![],
            origin: None,
        });
        case
    }

    #[test]
    fn what_an_agent_shows_and_sends_stands_at_the_desk_as_the_agents() {
        let mut case = by_agent(case(Kind::Delete, "2026-11-20T18:00:00Z"));
        case.dossier.shown = vec![(Contact::Agent, case.dossier.received_at)];
        case.dossier.messages[0].from = Author::Agent;
        for language in Language::ALL {
            let texts = Texts::of(language);
            let page = shown(&case, language, true);
            assert!(page.contains(texts.shown_by_agent) && !page.contains(texts.shown), "{page}");
            assert_eq!(case.author(texts, &Author::Agent), texts.the_agent);
            assert_eq!(case.who(texts, AGENT), texts.the_agent);
        }
    }

    #[test]
    fn the_desk_sees_what_must_not_be_asked_where_it_may_verify_nobody() {
        let mine = shown(&case(Kind::OptOut, "2026-11-20T18:00:00Z"), Language::English, true);
        let dates = mine.split_once("id=\"dates\"").unwrap().1.split_once("</section>").unwrap().0;
        assert!(dates.contains("Any proof of who asks. (11 CCR 7026(d)"), "{dates}");
        assert!(!dates.contains("You may ask"), "{dates}");
        let agents = shown(&by_agent(case(Kind::OptOut, "2026-11-20T18:00:00Z")), Language::English, true);
        assert!(agents.contains("Nothing else may be asked. (11 CCR 7026(j))"), "{agents}");
    }

    #[test]
    fn of_an_agents_principal_the_desk_may_ask_one_thing_or_the_other() {
        let case = by_agent(case(Kind::Delete, "2026-11-20T18:00:00Z"));
        let asked = may_be_asked(Language::English, &case).into_string();
        assert_eq!(asked.matches("or, instead").count(), 1, "{asked}");
        assert!(asked.contains("(11 CCR 7063(a)(1); 11 CCR 7063(a)(2))"), "{asked}");
        assert!(asked.contains(Texts::of(Language::English).must_not_ask_attorney), "{asked}");
    }

    #[test]
    fn a_person_of_thirteen_needs_no_parent_and_the_desk_is_told_so() {
        let asked = may_be_asked(Language::English, &case(Kind::Delete, "2026-11-20T18:00:00Z")).into_string();
        let minors = asked.split_once(Texts::of(Language::English).must_not_ask_minor).unwrap().1;
        assert!(minors.contains("11 CCR 7071"), "{minors}");
    }

    #[test]
    fn what_the_two_sides_wrote_says_who_wrote_it_and_carries_its_files() {
        let case = case(Kind::Delete, "2026-11-20T18:00:00Z");
        for (language, person) in [(Language::English, "The person"), (Language::Spanish, "La persona")] {
            let page = shown(&case, language, true);
            let thread = page.split_once("id=\"messages\"").unwrap().1.split_once("</section>").unwrap().0;
            let (first, second) = (thread.find(person).unwrap(), thread.find("Ana &lt;i&gt;Agent").unwrap());
            assert!(first < second, "the newest comes last: {thread}");
            assert!(
                thread.contains("I moved to") && thread.contains("what &lt;i&gt;we&lt;/i&gt; hold.pdf"),
                "{thread}"
            );
            assert!(page.contains(Texts::of(language).message_new) && page.contains(Texts::of(language).file_shared));
        }
    }

    #[test]
    fn dates_and_what_to_do_come_before_the_rest_for_the_keyboard_and_on_a_phone() {
        let page = shown(&case(Kind::Delete, "2026-11-20T18:00:00Z"), Language::English, true);
        let place = |id: &str| page.find(&format!("id=\"{id}\"")).unwrap();
        assert!(place("dates") < place("actions") && place("actions") < place("messages"));
    }

    #[test]
    fn a_record_tells_of_a_message_by_its_words_or_its_files_names() {
        let case = case(Kind::Delete, "2026-11-20T18:00:00Z");
        let texts = Texts::of(Language::English);
        let said: Vec<String> = case.dossier.messages.iter().map(|message| case.said(texts, message)).collect();
        assert_eq!(said, ["I moved to <u>Oakland</u>.", "File: what <i>we</i> hold.pdf"]);
        let lost = Message { text: None, files: vec![], ..case.dossier.messages[0].clone() };
        assert_eq!(case.said(texts, &lost), texts.message_unreadable);
    }

    #[test]
    fn a_note_that_cannot_be_opened_hides_nothing_else() {
        let mut case = case(Kind::Delete, "2026-11-20T18:00:00Z");
        case.dossier.notes.insert(0, Note { text: None, ..case.dossier.notes[0].clone() });
        for language in Language::ALL {
            let page = shown(&case, language, true);
            assert!(
                page.contains(Texts::of(language).note_unreadable) && page.contains("Called &lt;b&gt;back"),
                "{page}"
            );
        }
    }

    #[test]
    fn today_is_the_accounts_day_and_not_that_of_an_older_session() {
        let mut case = case(Kind::Delete, "2026-11-20T18:00:00Z");
        case.account.profile.time_zone = "Pacific/Auckland".into();
        let case = Case::new(case.dossier, case.account, case.tz, at("2026-11-20T18:00:00Z")).unwrap();
        assert_eq!(case.standing.today, date(2026, 11, 21));
    }

    #[test]
    fn an_extension_that_was_taken_stays_with_another_kind_only_by_a_tick() {
        let extend = Decision::Extend { reason: "many at once".into() };
        let case = after(case(Kind::Delete, "2026-11-20T18:00:00Z"), &extend, "2026-11-20T18:00:00Z");
        let offer = case.offers.iter().find(|it| it.action == Action::Classify).unwrap();
        let form = action_form(&frame(Language::English), &case, offer, &Fields::default(), &[]).0;
        assert!(form.contains("name=\"looser\"") && form.contains("if the extension stays"), "{form}");
    }

    #[test]
    fn whatever_people_say_or_write_is_text() {
        for language in Language::ALL {
            let page = shown(&case(Kind::Message, "2026-11-20T18:00:00Z"), language, true);
            for markup in ["<script>alert", "<b>Ana", "<b>back", "<i>Agent", "<u>Oakland", "<i>we"] {
                assert!(!page.contains(markup), "{markup}: {page}");
            }
        }
    }

    #[test]
    fn each_form_asks_for_what_its_decision_needs_and_the_law_for_no_more() {
        let case = case(Kind::OptOut, "2026-11-10T18:00:00Z");
        assert!(!actions_of(&case).contains(&"verify") && !actions_of(&case).contains(&"extend"));
        for offer in &case.offers {
            let form = action_form(&frame(Language::English), &case, offer, &Fields::default(), &[]).0;
            assert!(!form.contains("name=\"identity\""), "{form}");
            assert_eq!(form.contains("name=\"ground\""), matches!(offer.action, Action::Deny | Action::Complete));
        }
    }

    #[test]
    fn a_request_goes_only_to_somebody_who_works_on_requests() {
        let case = case(Kind::Delete, "2026-11-10T18:00:00Z");
        let to = |id: &str| {
            let form: Fields = [("to", id)].into_iter().collect();
            decision(Action::Assign, &form, &case.account.team, Texts::of(Language::English))
        };
        assert!(to(user(1).as_str()).is_ok() && to("").is_ok());
        assert_eq!(to(user(2).as_str()).unwrap_err().field, "to");
        assert_eq!(to("u-nobody").unwrap_err().field, "to");
    }
}
