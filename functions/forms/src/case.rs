//! `GET` and `POST /status/case`: a request for whoever has shown that it is theirs: what happened, messages both ways, files
//! that were prepared, a declaration where the law asks for one, and taking it back.
//!
//! What they do is written together with the audit entry that tells of it. Two at once: each is tried on what the other
//! left.

use domain::FieldError;
use domain::audit::Act;
use domain::desk::{self, Decision};
use domain::intake;
use domain::personal::{PersonalText, PersonalTextError};
use domain::request::{Kind, State};
use domain::verification::{Ask, DECLARATION, Rule};
use maud::{Markup, html};
use pages::form::{self, Button, Check, Field, Form};
use pages::show::{self, Card, Moment, Notice, Tone, paragraphs};
use pages::{Icon, fill, format, words};
use platform::blob::UploadId;
use platform::consumer::{self, Contact, Proven};
use platform::edge::{File, Page, Visit, note_failure};
use platform::file_type::{self, FileType, Unfit};
use platform::mail::{Letter, Reader, Waiting};
use platform::store::{
    Added, Author, Changed, Correspondence, History, KeptFile, Message, NewMessage, OptingOut, SentFile,
    ServiceCodeAccount, Side,
};
use platform::ticket::random_token;
use platform::{App, Error};

use crate::case_texts::{Texts, happened};
use crate::counting::{self, HOUR};
use crate::file::{self, FileLink};
use crate::looking::{self, Told};
use crate::opting_out::{self, Asked};
use crate::{site, status, whose};

/// What a form with a file takes, as file dialogs know it.
const FILE_TYPES: &str = ".pdf,.png,.jpg,.jpeg,.txt,.csv,.docx,.xlsx";
/// How often a change that meets another one is tried again.
const TRIES: usize = 4;
/// Why it was taken back, in characters.
const WHY: usize = 1000;

/// Shows the request, or does what a form of its page asks.
pub async fn handle(app: &App, mut visit: Visit) -> Result<Page, Error> {
    if visit.post && visit.form.get("do") == "leave" {
        return Ok(consumer::forget(Page::to(status::AFTER_LEAVING)));
    }
    let Some(proven) = app.proven(&visit).await? else { return Ok(late(&visit)) };
    let account = whose::account(app, &proven).await?;
    visit.language = site::spoken(visit.language, &account.code);
    if visit.gpc && !visit.post {
        visit.honored = note_signal(app, &visit, &proven, &account).await.unwrap_or_else(|error| {
            note_failure(&error);
            false
        });
    }
    let case = Case { app, visit: &visit, proven: &proven, account: &account };
    let page = match (visit.post, visit.form.get("do")) {
        (false, _) => case.show(&[], None).await?,
        (true, "message" | "permission") => case.message().await?,
        (true, "declare") => case.declare().await?,
        (true, "withdraw") => case.withdraw().await?,
        (true, _) => return Err(Error::NotFound),
    };
    app.renew(page, &proven, visit.at).await
}

/// Somebody who has not shown that the request is theirs, or too long ago. What they wrote meanwhile is given back to them.
fn late(visit: &Visit) -> Page {
    match unsent(visit) {
        Some(main) => looking::page(visit, None, Texts::of(visit.language).late_title, &main).with_status(422),
        None => Page::to("/status/identity"),
    }
}

/// What they wrote, with how to send it all the same; nothing where they wrote nothing.
fn unsent(visit: &Visit) -> Option<Markup> {
    let form = &visit.form;
    let wrote = visit.post && matches!(form.get("do"), "message" | "permission");
    if !wrote || UploadId::parse(form.get("id")).is_none() {
        return None;
    }
    let texts = Texts::of(visit.language);
    Some(html! {
        (Notice::warning(texts.late_unsent).body(html! {
            p { (texts.late_next) }
            @if !visit.files.is_empty() { p { (texts.late_file) } }
        }))
        // This page keeps what they wrote, so the code has one of its own.
        p.actions { a.button.button-primary href="/status/identity" target="_blank" rel="noopener" { (texts.late_go) } }
        (Card::new(texts.message).id("messages").body(message_form(visit, form.get("id"), form.get("text"), &[])))
    })
}

/// The form that sends a message, with what was typed.
fn message_form(visit: &Visit, id: &str, typed: &str, errors: &[FieldError]) -> Form {
    let (language, texts) = (visit.language, Texts::of(visit.language));
    Form::post(language, "/status/case", visit.csrf.as_str()).id("message").with_file().errors(errors).body(html! {
        (form::hidden("do", "message"))
        (form::hidden("id", id))
        (Field::area("text", texts.message, 4).hint(texts.message_hint).value(typed)
            .max_length(5000).within("message").errors(errors))
        (Field::file("file", texts.file, FILE_TYPES).hint(texts.file_hint).within("message").errors(errors)
            .optional(language))
        (form::actions(&html! { (Button::primary(texts.send).icon(Icon::Speech)) }))
    })
}

/// The browser's opt-out preference signal is that of the person, too, who has shown here who they are (11 CCR 7025(c)(1)):
/// not where somebody else follows the request for them, or where it asks for nothing else.
async fn note_signal(app: &App, visit: &Visit, proven: &Proven, account: &ServiceCodeAccount) -> Result<bool, Error> {
    let store = app.store.of(&proven.tenant);
    let history = store.history(&proven.reference).await?;
    let for_themselves = matches!(history.requester, None | Some(intake::Requester::Myself));
    if !for_themselves || history.kind == Kind::OptOut {
        return Ok(false);
    }
    let there = store.on_file(&proven.reference).await?;
    let known = match proven.by {
        Contact::Email => there.email.as_ref().map(OptingOut::Email),
        Contact::Phone => there.phone.as_ref().map(OptingOut::Phone),
        Contact::Agent => None,
    };
    let Some(known) = known else { return Ok(false) };
    let asked = Asked { tenant: &proven.tenant, profile: &account.tenant, code: &account.code };
    Ok(opting_out::note_signal(app, asked, (visit, visit.language), Some(known), None).await)
}

/// Somebody on the page of their request.
struct Case<'a> {
    app: &'a App,
    visit: &'a Visit,
    proven: &'a Proven,
    account: &'a ServiceCodeAccount,
}

impl Case<'_> {
    /// The page, with what is wrong with a form of it.
    async fn show(&self, errors: &[FieldError], form_id: Option<&str>) -> Result<Page, Error> {
        let store = self.app.store.of(&self.proven.tenant);
        let history = store.history(&self.proven.reference).await?;
        let said = store.messages(&self.proven.reference).await?;
        let tickets = self.app.tickets().await?;
        let mut links = vec![];
        for kept in said.shared_files() {
            let link = FileLink { id: kept.id.clone() };
            let ticket = tickets.seal(file::PURPOSE, &self.proven.context(), self.visit.at + file::LIVES, &link)?;
            links.push((format!("/status/file/{ticket}"), kept.clone()));
        }
        let policy = whose::policy(&history, self.account)?;
        let view = View {
            visit: self.visit,
            proven: self.proven,
            account: self.account,
            history: &history,
            said: &said,
            links: &links,
            signs: whose::asked_now(&history, &policy, Ask::Declaration),
            photo: whose::asked_now(&history, &policy, Ask::PhotoId),
            permission: policy
                .may
                .iter()
                .find(|rule| rule.ask == Ask::SignedPermission)
                .copied()
                .filter(|_| whose::shows_permission(&history, &policy)),
            permission_id: &random_token()?,
            message_id: match form_id {
                Some(id) => id,
                None => &random_token()?,
            },
            errors,
        };
        Ok(view.page())
    }

    /// Sends a message, once however often the form is sent. The file is stored first and listed with the message.
    async fn message(&self) -> Result<Page, Error> {
        let (form, texts) = (&self.visit.form, Texts::of(self.visit.language));
        let id = form.get("id");
        if UploadId::parse(id).is_none() {
            return Err(Error::StaleForm);
        }
        let words = match PersonalText::parse(form.get("text")) {
            Ok(words) => Ok(Some(words)),
            Err(PersonalTextError::Empty) => Ok(None),
            Err(_) => Err(texts.message_wrong),
        };
        let permission = form.get("do") == "permission";
        let (words, file) = match (words, chosen(&self.visit.files, texts)) {
            (_, Ok(None)) if permission => {
                let errors = [FieldError::new("file", texts.permission_none)];
                return Ok(self.show(&errors, Some(id)).await?.with_status(422));
            }
            (Ok(None), Ok(None)) => {
                let errors = [FieldError::new("text", texts.message_none)];
                return Ok(self.show(&errors, Some(id)).await?.with_status(422));
            }
            (Ok(words), Ok(file)) => (words, file),
            (words, file) => {
                let wrong = [("text", words.err()), ("file", file.err())];
                let errors: Vec<FieldError> =
                    wrong.into_iter().filter_map(|(field, why)| Some(FieldError::new(field, why?))).collect();
                return Ok(self.show(&errors, Some(id)).await?.with_status(422));
            }
        };
        let store = self.app.store.of(&self.proven.tenant);
        let reference = &self.proven.reference;
        // Before anything is stored: what is refused leaves nothing behind.
        let request = format!("{} {}", self.proven.tenant.id(), reference.as_str());
        let counted = match counting::count_client(self.app, self.visit, ("message-client", 60, HOUR)).await {
            Ok(()) => counting::count_request(self.app, self.visit, &request, ("message-request", 30, HOUR)).await,
            refused => refused,
        };
        if let Err(Error::Throttled { retry_after }) = counted {
            let errors = [FieldError::new("text", texts.messages_busy)];
            let page = self.show(&errors, Some(id)).await?.with_status(429);
            return Ok(page.with_header("retry-after", retry_after.as_secs().to_string()));
        }
        counted?;
        let mailbox = store.mailbox(reference).await?;
        if !mailbox.takes(file.is_some()) {
            let errors = [FieldError::new("text", texts.messages_full)];
            return Ok(self.show(&errors, None).await?.with_status(409));
        }
        let key = match &file {
            Some((file, _, _)) => {
                let key = store.new_attachment_key(reference, id).await?;
                self.app.blobs.put_attachment(&key, &file.bytes).await?;
                Some(key)
            }
            None => None,
        };
        let sent = file.as_ref().zip(key.as_ref()).map(|((file, kind, name), key)| SentFile {
            key,
            name,
            content_type: kind.media_type(),
            bytes: &file.bytes,
        });
        let mut entry = whose::entry(self.visit, self.proven, Act::MessageSent);
        if sent.is_some() {
            entry = entry.with("file", id);
        }
        let new = NewMessage { id, text: words.as_ref(), file: sent };
        let reason = match store.add_consumer_message(reference, self.proven.by, &new, &entry).await? {
            // Who has not read the one before is told once.
            Added::Done(()) if mailbox.unread > 0 => return Ok(Page::to("/status/case?done=message#messages")),
            Added::Done(()) => {
                let waiting = Waiting::new(&self.proven.tenant, reference, Reader::Team);
                // The message is there; that nobody could be told of it is no reason to send it again.
                if let Err(error) = self.app.post(&Letter::MessageWaiting(waiting)).await {
                    note_failure(&error);
                }
                return Ok(Page::to("/status/case?done=message#messages"));
            }
            Added::Other => texts.message_other,
            Added::Full => texts.messages_full,
        };
        let errors = [FieldError::new("text", reason)];
        Ok(self.show(&errors, None).await?.with_status(409))
    }

    /// Signs the declaration, once.
    async fn declare(&self) -> Result<Page, Error> {
        let (form, texts) = (&self.visit.form, Texts::of(self.visit.language));
        let name = PersonalText::parse(form.get("name")).ok().filter(|name| !name.as_str().contains('\n'));
        let agrees = form.has("agree");
        let (Some(name), true) = (name.as_ref(), agrees) else {
            let missing = [
                ("name", name.is_none(), texts.declaration_name_missing),
                ("agree", !agrees, texts.declaration_agree_missing),
            ];
            let errors: Vec<FieldError> = missing
                .iter()
                .filter(|(_, missing, _)| *missing)
                .map(|(it, _, why)| FieldError::new(*it, *why))
                .collect();
            return Ok(self.show(&errors, None).await?.with_status(422));
        };
        let store = self.app.store.of(&self.proven.tenant);
        let history = store.history(&self.proven.reference).await?;
        if !whose::asked_now(&history, &whose::policy(&history, self.account)?, Ask::Declaration) {
            return Ok(Page::to("/status/case"));
        }
        let entry = whose::entry(self.visit, self.proven, Act::DeclarationSigned);
        let statement = DECLARATION.of(self.visit.language);
        match store.sign_declaration(&history, name, statement, &entry).await? {
            Added::Done(()) => Ok(Page::to("/status/case?done=declaration#declaration")),
            // Another tab was faster, or the team has gone on: the page shows what there is.
            Added::Other | Added::Full => Ok(Page::to("/status/case#declaration")),
        }
    }

    /// Takes the request back, after asking once more. One that is closed meanwhile stays as it was closed.
    async fn withdraw(&self) -> Result<Page, Error> {
        let (form, texts) = (&self.visit.form, Texts::of(self.visit.language));
        let why = match PersonalText::parse(form.get("why")) {
            Ok(why) if why.as_str().chars().count() <= WHY => Ok(Some(why)),
            Err(PersonalTextError::Empty) => Ok(None),
            _ => Err(texts.withdraw_long),
        };
        let why = match (form.get("sure"), why) {
            ("yes", Ok(why)) => why,
            ("yes", Err(reason)) => {
                let errors = [FieldError::new("why", reason)];
                return Ok(self.ask_again(&errors).with_status(422));
            }
            _ => return Ok(self.ask_again(&[])),
        };
        let how = why
            .map_or_else(|| texts.withdraw_how.to_owned(), |why| format!("{}\n{}", texts.withdraw_how, why.as_str()));
        let store = self.app.store.of(&self.proven.tenant);
        for _ in 0..TRIES {
            let history = store.history(&self.proven.reference).await?;
            if !history.progress.state.is_open() {
                break;
            }
            let standing = history.standing(&self.account.tenant, looking::today(self.account, self.visit.at));
            let decision = Decision::Withdraw { how: how.clone() };
            let decided = desk::decide(&standing, &decision, self.proven.by.actor(), self.visit.at)
                .map_err(Error::failed("taking a request back"))?;
            let entry = whose::entry(self.visit, self.proven, Act::RequestChanged)
                .with("action", decision.action().code())
                .with("state", decided.progress.state.code());
            if let Changed::Done(_) = store.decide_as_consumer(&history, &decided, &entry).await? {
                let entry = whose::entry(self.visit, self.proven, Act::PhotoIdDeleted);
                self.app.delete_photos(&self.proven.tenant, &history.photos, entry).await;
                return Ok(Page::to("/status/case?done=withdraw"));
            }
            // Somebody of the team was faster: once more, on what they left.
        }
        Ok(Page::to("/status/case"))
    }

    /// Asks once more before a request is taken back.
    fn ask_again(&self, errors: &[FieldError]) -> Page {
        let (language, texts) = (self.visit.language, Texts::of(self.visit.language));
        let business = &self.account.code.name;
        let main = html! {
            p.lede { (fill(texts.withdraw_sure_lede, &[("business", business)])) }
            (Form::post(language, "/status/case", self.visit.csrf.as_str()).id("withdraw").plain().errors(errors).body(html! {
                (form::hidden("do", "withdraw"))
                (form::hidden("sure", "yes"))
                (Field::area("why", texts.withdraw_why, 3).value(self.visit.form.get("why")).max_length(1000)
                    .within("withdraw").errors(errors))
                (form::actions(&html! {
                    (Button::danger(texts.withdraw_do)) (Button::secondary(texts.withdraw_keep).to("/status/case"))
                }))
            }))
        };
        looking::page(self.visit, Some(self.account), texts.withdraw_sure, &main)
    }
}

/// The file that a form came with, if it is one of those that are kept; else why it is not.
fn chosen<'f>(files: &'f [File], texts: &Texts) -> Result<Option<(&'f File, FileType, PersonalText)>, &'static str> {
    file_type::chosen(files).map_err(|unfit| match unfit {
        Unfit::Large => texts.file_large,
        Unfit::Type => texts.file_type,
        Unfit::Name => texts.file_name,
    })
}

/// The page.
struct View<'a> {
    visit: &'a Visit,
    proven: &'a Proven,
    account: &'a ServiceCodeAccount,
    history: &'a History,
    said: &'a Correspondence,
    /// The files that may be downloaded, each with its link.
    links: &'a [(String, KeptFile)],
    /// Whether a declaration is asked for.
    signs: bool,
    /// Whether a photo ID is asked for.
    photo: bool,
    /// The rule by which an agent is to show the person's signed permission.
    permission: Option<&'static Rule>,
    permission_id: &'a str,
    message_id: &'a str,
    errors: &'a [FieldError],
}

impl View<'_> {
    fn texts(&self) -> &'static Texts {
        Texts::of(self.visit.language)
    }

    fn fill(&self, text: &str) -> String {
        fill(text, &[("business", &self.account.code.name)])
    }

    /// What is wrong with one of the forms, by the fields that it has.
    fn errors_of(&self, fields: &[&str]) -> Vec<FieldError> {
        self.errors.iter().filter(|error| fields.contains(&error.field.as_str())).cloned().collect()
    }

    fn post(&self, id: &str, what: &str, fields: &Markup) -> Form {
        let fields = html! { (form::hidden("do", what)) (fields) };
        Form::post(self.visit.language, "/status/case", self.visit.csrf.as_str()).id(id).body(fields)
    }

    fn page(&self) -> Page {
        let texts = self.texts();
        let title = fill(texts.title, &[("reference", &self.proven.reference.to_string())]);
        looking::page(self.visit, Some(self.account), &title, &self.main())
    }

    fn main(&self) -> Markup {
        let texts = self.texts();
        let done = match self.visit.query.get("done") {
            "message" => Some(texts.done_message),
            "declaration" => Some(texts.done_declaration),
            "photo" => Some(texts.done_photo),
            "withdraw" => Some(texts.done_withdraw),
            _ => None,
        };
        let shown = match self.proven.by {
            Contact::Email => texts.shown_by_email,
            Contact::Phone => texts.shown_by_text,
            Contact::Agent => texts.shown_by_agent,
        };
        html! {
            @if let Some(done) = done { (Notice::success(done)) }
            p.note { (shown) }
            (self.standing())
            (self.files())
            (self.declaration())
            (self.photo())
            (self.permission())
            (self.messages())
            (self.past())
            (self.withdraw())
            (Card::new(texts.leave).id("leave").lede(texts.leave_lede).body(
                self.post("sign-off", "leave", &html! { (Button::secondary(texts.leave).icon(Icon::Out)) }).plain()))
        }
    }

    fn standing(&self) -> Markup {
        let (language, texts, history) = (self.visit.language, self.texts(), self.history);
        let told = Told {
            language,
            business: &self.account.code.name,
            kind: history.kind,
            progress: history.progress,
            clocks: &history.clocks,
            closed: history.closed.as_ref().map(|closed| (closed.on, closed.outcome)),
            today: looking::today(self.account, self.visit.at),
        };
        let missing: Vec<&str> = history.missing.iter().map(|it| words::missing(language, *it)).collect();
        html! {
            (Card::new(texts.next).id("standing").body(html! {
                (told.notice())
                @if history.progress.state == State::Incomplete && !missing.is_empty() {
                    p { (fill(texts.missing, &[("what", &format::list(language, &missing))])) }
                }
                (told.facts())
            }))
        }
    }

    fn past(&self) -> Markup {
        let (language, texts) = (self.visit.language, self.texts());
        let zone = looking::zone(self.account);
        let moments: Vec<Moment> = self
            .history
            .past
            .iter()
            .rev()
            .map(|past| Moment {
                at: past.at.to_zoned(zone.clone()),
                who: match past.side {
                    Side::Consumer => texts.you.to_owned(),
                    Side::Business => self.account.code.name.clone(),
                    Side::System => texts.system.to_owned(),
                },
                what: html! {
                    p { strong { (self.fill(happened(language, past.action))) } }
                    @if let Some(words) = &past.words { (paragraphs(words)) }
                },
                tone: Tone::Neutral,
            })
            .collect();
        html! { (Card::new(texts.history).id("history").lede(texts.history_lede).body(show::timeline(language, &moments))) }
    }

    fn messages(&self) -> Markup {
        let (language, texts) = (self.visit.language, self.texts());
        let zone = looking::zone(self.account);
        let file = |id: &String| self.said.files.iter().find(|file| file.id == *id);
        let link = |id: &String| self.links.iter().find(|(_, file)| file.id == *id);
        let what = |message: &Message| {
            html! {
                @if let Some(text) = &message.text { (paragraphs(text)) }
                @for id in &message.files {
                    @let name = file(id).and_then(|file| file.name.as_deref()).unwrap_or(texts.file_unreadable);
                    p { @match link(id) {
                        Some((href, _)) => { a href=(href) { (Icon::Attach) (name) } }
                        None => { (Icon::Attach) (name) }
                    } }
                }
            }
        };
        let moments: Vec<Moment> = self
            .said
            .messages
            .iter()
            .map(|message| Moment {
                at: message.at.to_zoned(zone.clone()),
                who: match message.from {
                    Author::Consumer | Author::Agent => self.asker(&message.from).to_owned(),
                    Author::Colleague(_) => self.account.code.name.clone(),
                },
                what: what(message),
                tone: if message.from.asked() { Tone::Neutral } else { Tone::Info },
            })
            .collect();
        let form = if self.permits() {
            // What was sent, and what is wrong with it, is the other form's.
            message_form(self.visit, self.permission_id, "", &[])
        } else {
            let typed = self.visit.form.get("text");
            message_form(self.visit, self.message_id, typed, &self.errors_of(&["text", "file"]))
        };
        // Whether there is an address beside a telephone, this page does not know.
        let lede = match self.proven.by {
            Contact::Email | Contact::Agent => texts.messages_lede,
            Contact::Phone => texts.messages_lede_phone,
        };
        html! {
            (Card::new(texts.messages).id("messages").lede(self.fill(lede)).body(html! {
                @if moments.is_empty() { p { (texts.no_messages) } } @else { (show::timeline(language, &moments)) }
                (form)
            }))
        }
    }

    fn files(&self) -> Markup {
        let (language, texts) = (self.visit.language, self.texts());
        let zone = looking::zone(self.account);
        html! {
            @if !self.links.is_empty() {
                (Card::new(texts.files).id("files").lede(texts.files_lede).body(html! {
                    ul.files {
                        @for (href, file) in self.links {
                            li {
                                @match &file.name {
                                    Some(name) => { a href=(href) { (Icon::Download) (name) } }
                                    None => { (texts.file_unreadable) }
                                }
                                p.note {
                                    (format::size(file.size)) " · " (show::moment(language, &file.at.to_zoned(zone.clone())))
                                }
                            }
                        }
                    }
                }))
            }
        }
    }

    fn declaration(&self) -> Markup {
        let (language, texts) = (self.visit.language, self.texts());
        let zone = looking::zone(self.account);
        let errors = self.errors_of(&["name", "agree"]);
        match &self.history.declaration {
            Some(signed) => html! {
                (Card::new(texts.declaration).id("declaration").body(html! {
                    blockquote { p { (signed.statement) } }
                    p { (fill(texts.declaration_signed, &[("name", &signed.name)])) " · "
                        (show::moment(language, &signed.at.to_zoned(zone))) }
                }))
            },
            None if self.signs => {
                let form = self.post("declare", "declare", &html! {
                    blockquote { p { (DECLARATION.of(language)) } }
                    (Field::text("name", texts.declaration_name).hint(texts.declaration_name_hint).autocomplete("name")
                        .value(self.visit.form.get("name")).max_length(200).required().within("declare").errors(&errors))
                    (Check::new("agree", texts.declaration_agree).on(self.visit.form.has("agree")).within("declare")
                        .errors(&errors))
                    (form::actions(&html! { (Button::primary(texts.declaration_sign).icon(Icon::Pen)) }))
                });
                let lede = self.fill(texts.declaration_lede);
                html! { (Card::new(texts.declaration).id("declaration").lede(lede).body(form.errors(&errors))) }
            }
            None => html! {},
        }
    }

    fn photo(&self) -> Markup {
        let texts = self.texts();
        let given = self.history.photos.len();
        html! {
            @if self.photo {
                (Card::new(texts.photo).id("photo").lede(self.fill(texts.photo_lede)).body(html! {
                    @if given > 0 {
                        p { (fill(&self.fill(texts.photo_given), &[("n", &given.to_string())])) }
                    }
                    p.actions { (Button::secondary(texts.photo_go).to("/status/photo-id")) }
                }))
            }
        }
    }

    /// Who of those who asked wrote something, for the one who reads it.
    fn asker(&self, from: &Author) -> &'static str {
        let texts = self.texts();
        if *from == Author::by(self.proven.by) {
            texts.you
        } else if *from == Author::Agent {
            texts.the_agent
        } else {
            texts.the_person
        }
    }

    /// Whether it is the signed permission that somebody has just sent.
    fn permits(&self) -> bool {
        self.visit.form.get("do") == "permission"
    }

    fn permission(&self) -> Markup {
        let texts = self.texts();
        let Some(rule) = self.permission else { return html! {} };
        let (id, errors) = if self.permits() {
            (self.message_id, self.errors_of(&["text", "file"]))
        } else {
            (self.permission_id, vec![])
        };
        let form = self.post(
            "permission",
            "permission",
            &html! {
                (form::hidden("id", id))
                // What the desk reads beside the file.
                (form::hidden("text", texts.permission))
                (Field::file("file", texts.file, FILE_TYPES).hint(texts.file_hint).within("permission").errors(&errors)
                    .required())
                (form::actions(&html! { (Button::primary(texts.permission_send).icon(Icon::Upload)) }))
            },
        );
        let lede = fill(&self.fill(texts.permission_lede), &[("citation", &rule.citation)]);
        html! {
            (Card::new(texts.permission).id("permission-card").lede(lede).body(html! {
                p { (texts.permission_what) }
                (form.with_file().errors(&errors))
            }))
        }
    }

    fn withdraw(&self) -> Markup {
        let texts = self.texts();
        html! {
            @if self.history.progress.state.is_open() {
                (Card::new(texts.withdraw).id("withdraw").lede(self.fill(texts.withdraw_lede)).body(
                    self.post("take-back", "withdraw", &html! { (Button::secondary(texts.withdraw_go)) }).plain()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::language::Language;
    use platform::edge::Client;

    use super::*;

    fn file(name: &str, bytes: &[u8]) -> File {
        File { field: "file".into(), name: name.into(), bytes: bytes.to_vec() }
    }

    #[test]
    fn a_file_is_taken_by_its_content_and_its_size() {
        let texts = Texts::of(Language::English);
        let taken = |file: File| chosen(&[file], texts).map(|it| it.map(|(_, kind, _)| kind));
        assert_eq!(taken(file("a.exe", b"%PDF-1.7")), Ok(Some(FileType::Pdf)));
        assert_eq!(taken(file("a.pdf", b"MZ\x90\0\xff")), Err(texts.file_type));
        assert_eq!(taken(file("", b"")), Ok(None), "no file was chosen");
        let large = [b"%PDF-".to_vec(), vec![0; file_type::MOST_BYTES]].concat();
        assert_eq!(taken(file("a.pdf", &large)), Err(texts.file_large));
    }

    fn sent(pairs: &[(&str, &str)]) -> Visit {
        let at = "2026-11-22T20:00:00Z".parse().unwrap();
        let mut visit = Visit::get("/status/case", Language::English, Client::default(), "token", at);
        (visit.post, visit.form) = (true, pairs.iter().copied().collect());
        visit
    }

    #[test]
    fn what_was_written_for_too_long_is_given_back_with_a_way_to_send_it() {
        let id = random_token().unwrap();
        let typed = [("do", "message"), ("id", id.as_str()), ("text", "I moved to <Oakland>.")];
        let mut visit = sent(&typed);
        visit.files.push(file("a.pdf", b"%PDF-"));
        let page = unsent(&visit).unwrap().into_string();
        let texts = Texts::of(Language::English);
        for there in ["I moved to &lt;Oakland&gt;.", texts.late_file, id.as_str(), "href=\"/status/identity\""] {
            assert!(page.contains(there), "{there}: {page}");
        }
        assert!(!unsent(&sent(&typed)).unwrap().into_string().contains(texts.late_file), "no file was chosen");
    }

    #[test]
    fn whoever_wrote_nothing_only_needs_a_new_code() {
        for pairs in [&[("do", "withdraw")][..], &[("do", "message"), ("id", "x")], &[]] {
            assert!(unsent(&sent(pairs)).is_none());
        }
    }
}
