//! `dashboard-requests`: the inbox. What is due first comes first; a page takes one query, however many there are.
//!
//! People are looked for with a form that is posted: nothing personal stands in an address.

use domain::audit::{Act, Entry, Who};
use domain::clock::days_left;
use domain::email::EmailAddress;
use domain::language::Language;
use domain::phone::E164;
use domain::reference::Reference;
use domain::request::{Action, Channel, Kind, State};
use domain::role::{Permission, Role};
use domain::service_code::ServiceCode;
use domain::user::UserId;
use jiff::SignedDuration;
use jiff::civil::Date;
use maud::{Markup, Render, html};
use pages::form::{Button, Check, Field, Form, Select, actions, filters};
use pages::show::{self, Empty, Heading, Notice, Tab, Table};
use pages::{Frame, Icon, Section, words};
use platform::edge::{Fields, Page, Visit};
use platform::session::{Allowed, SeeRequests, Session};
use platform::store::{Assigned, Filter, InboxPlace, Line, Searched, Standing};
use platform::{App, Error};

use crate::desk_texts::Texts;
use crate::keeping;

/// The purpose of the tickets that say where a page begins.
const CURSOR: &str = "inbox";
/// A page may be left open overnight.
const CURSOR_LIVES: SignedDuration = SignedDuration::from_hours(24);
/// Searches by number or address that one person may make in an hour: more is fishing.
const SEARCHES: u32 = 120;

/// Shows a page of the inbox, or what was searched for.
pub async fn handle(app: &App, allowed: Allowed<SeeRequests>, visit: Visit) -> Result<Page, Error> {
    if visit.post {
        return search(app, &allowed, &visit).await;
    }
    let today = visit.at.to_zoned(allowed.tz()).date();
    let asked = Asked::read(&visit.query);
    let tickets = app.tickets().await?;
    let context = format!("{} {}", allowed.tenant.id(), asked.query());
    let after: Option<InboxPlace> = match visit.query.get("after") {
        "" => None,
        ticket => Some(tickets.open(CURSOR, &context, visit.at, ticket)?),
    };
    let filter = asked.filter(&allowed, today);
    let page = app.store.of(&allowed.tenant).inbox(&filter, after.as_ref()).await?;
    let next = match &page.next {
        Some(place) => {
            let ticket = tickets.seal(CURSOR, &context, visit.at + CURSOR_LIVES, place)?;
            Some(asked.address(&[("after", &ticket)]))
        }
        None => None,
    };
    let inbox = Inbox {
        frame: &allowed.frame(&visit, Section::Requests),
        asked: &asked,
        lines: &page.lines,
        next,
        continued: after.is_some(),
        user: &allowed.user,
        today,
        role: allowed.role,
    };
    Ok(Page::html(inbox.render()))
}

/// Goes to the request of a reference, or shows those of a person.
async fn search(app: &App, allowed: &Allowed<SeeRequests>, visit: &Visit) -> Result<Page, Error> {
    let frame = allowed.frame(visit, Section::Requests);
    let texts = Texts::of(frame.language);
    let typed = visit.form.get("q").trim();
    let found = |lines: &[Line]| {
        let today = visit.at.to_zoned(allowed.tz()).date();
        found_page(&frame, lines, &allowed.user, today)
    };
    if let Ok(reference) = Reference::parse(typed) {
        return Ok(match app.store.of(&allowed.tenant).find_request(&reference).await? {
            Some(line) => Page::to(format!("/dashboard/request/{}", line.reference.as_str())),
            None => Page::html(found(&[])),
        });
    }
    let (phone, email) = (E164::from_writing(typed), EmailAddress::parse(typed));
    let searched = match (&phone, &email) {
        (_, Ok(email)) => Searched::Email(email),
        (Some(phone), _) => Searched::Phone(phone),
        _ => return Ok(Page::invalid(wrong_search(&frame, typed, texts.find_wrong))),
    };
    // An index over people answers whoever asks: not without end, and never unseen.
    app.store
        .throttle("person-search", allowed.user.as_str(), SEARCHES, SignedDuration::from_hours(1), visit.at)
        .await?;
    let store = app.store.of(&allowed.tenant);
    let by = if matches!(searched, Searched::Phone(_)) { "phone" } else { "email" };
    let lines = store.search(searched).await?;
    let entry = Entry::new(visit.at, Who::User(allowed.user.clone()), Act::PersonSearched)
        .from(&visit.client.address)
        .with("by", by)
        .with("found", lines.len().to_string());
    store.record(&entry).await?;
    Ok(Page::html(found(&lines)))
}

/// What somebody wants to see, as the address says it. What it says wrongly is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) standing: Standing,
    pub(crate) kind: Option<Kind>,
    pub(crate) channel: Option<Channel>,
    pub(crate) code: Option<ServiceCode>,
    pub(crate) assigned: Worker,
    pub(crate) overdue: bool,
}

/// Who works on what is shown: the reader is `me`, so that an address can be shared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Worker {
    #[default]
    Anybody,
    Nobody,
    Me,
    Somebody(UserId),
}

impl Asked {
    pub(crate) fn read(query: &Fields) -> Self {
        Self {
            standing: match query.get("state") {
                "closed" => Standing::Closed,
                code => State::parse(code).map_or(Standing::Open, Standing::In),
            },
            kind: Kind::parse(query.get("kind")),
            channel: Channel::parse(query.get("channel")),
            code: ServiceCode::parse(query.get("code")).ok(),
            assigned: match query.get("assignee") {
                "nobody" => Worker::Nobody,
                "me" => Worker::Me,
                id => UserId::parse(id).map_or(Worker::Anybody, Worker::Somebody),
            },
            overdue: query.has("overdue"),
        }
    }

    fn filter(&self, session: &Session, today: Date) -> Filter {
        Filter {
            standing: self.standing,
            kind: self.kind,
            channel: self.channel,
            code: self.code.clone(),
            assigned: match &self.assigned {
                Worker::Anybody => Assigned::Anyhow,
                Worker::Nobody => Assigned::ToNobody,
                Worker::Me => Assigned::To(session.user.clone()),
                Worker::Somebody(user) => Assigned::To(user.clone()),
            },
            overdue: self.overdue.then_some(today),
        }
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![];
        match self.standing {
            Standing::Open => {}
            Standing::Closed => pairs.push(("state", "closed".to_owned())),
            Standing::In(state) => pairs.push(("state", state.code().to_owned())),
        }
        pairs.extend(self.kind.map(|kind| ("kind", kind.code().to_owned())));
        pairs.extend(self.channel.map(|channel| ("channel", channel.code().to_owned())));
        pairs.extend(self.code.as_ref().map(|code| ("code", code.as_str().to_owned())));
        match &self.assigned {
            Worker::Anybody => {}
            Worker::Nobody => pairs.push(("assignee", "nobody".to_owned())),
            Worker::Me => pairs.push(("assignee", "me".to_owned())),
            Worker::Somebody(user) => pairs.push(("assignee", user.as_str().to_owned())),
        }
        if self.overdue {
            pairs.push(("overdue", "on".to_owned()));
        }
        pairs
    }

    /// The filters in one spelling: what a cursor is bound to.
    pub(crate) fn query(&self) -> String {
        // Codes, ids and digits: nothing that an address would have to escape.
        self.pairs().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }

    /// The inbox with these filters.
    fn address(&self, more: &[(&str, &str)]) -> String {
        let more = more.iter().map(|(name, value)| format!("{name}={value}"));
        let query = Some(self.query()).filter(|query| !query.is_empty()).into_iter().chain(more);
        let query = query.collect::<Vec<_>>().join("&");
        if query.is_empty() { "/dashboard/requests".to_owned() } else { format!("/dashboard/requests?{query}") }
    }

    fn is_filtered(&self) -> bool {
        *self != Self::default()
    }
}

/// A page of the inbox.
struct Inbox<'a> {
    frame: &'a Frame,
    asked: &'a Asked,
    lines: &'a [Line],
    next: Option<String>,
    continued: bool,
    user: &'a UserId,
    today: Date,
    role: Role,
}

impl Inbox<'_> {
    fn may(&self, permission: Permission) -> bool {
        self.role.may(permission)
    }

    fn render(&self) -> Markup {
        let language = self.frame.language;
        let texts = Texts::of(language);
        let first = self.asked.address(&[]);
        let heading = Heading::new(texts.inbox).lede(texts.inbox_lede).actions(html! {
            @if self.may(Permission::HoldRequests) { (Button::quiet(keeping::bin_title(language)).icon(Icon::Bin).to("/dashboard/recycle-bin")) }
            @if self.may(Permission::ExportRequests) { (Button::secondary(texts.export).icon(Icon::Download).to("/dashboard/export")) }
            @if self.may(Permission::WorkRequests) { (Button::primary(texts.new_request).icon(Icon::Plus).to("/dashboard/new-request")) }
        });
        let main = html! {
            (heading)
            (search_form(self.frame, "", None))
            (self.views())
            (self.filters())
            @if self.lines.is_empty() { (self.empty()) } @else {
                (lines_table(language, self.lines, self.user, self.today, self.may(Permission::WorkRequests).then_some("bulk")))
                @if self.may(Permission::WorkRequests) && self.asked.standing.is_open() { (bulk_form(self.frame)) }
            }
            (show::pagination(
                language,
                self.continued.then_some(first.as_str()),
                self.next.as_deref().filter(|_| !self.lines.is_empty()),
            ))
        };
        pages::page(self.frame, texts.inbox, &main)
    }

    fn views(&self) -> Markup {
        let texts = Texts::of(self.frame.language);
        let of = |assigned, overdue, standing| Asked { standing, assigned, overdue, ..Asked::default() };
        let views = [
            (texts.tab_open, Asked::default()),
            (texts.tab_overdue, of(Worker::Anybody, true, Standing::Open)),
            (texts.tab_mine, of(Worker::Me, false, Standing::Open)),
            (texts.tab_unassigned, of(Worker::Nobody, false, Standing::Open)),
            (texts.tab_closed, of(Worker::Anybody, false, Standing::Closed)),
        ];
        let addresses = views.each_ref().map(|(_, asked)| asked.address(&[]));
        let tabs: Vec<Tab<'_>> = views
            .iter()
            .zip(&addresses)
            .map(|((label, asked), href)| Tab { href, label, current: asked == self.asked, count: None })
            .collect();
        show::tabs(texts.views, &tabs)
    }

    fn filters(&self) -> Markup {
        let language = self.frame.language;
        let texts = Texts::of(language);
        let asked = self.asked;
        let state = match asked.standing {
            Standing::Open => "",
            Standing::Closed => "closed",
            Standing::In(state) => state.code(),
        };
        let assignee = match &asked.assigned {
            Worker::Anybody => "",
            Worker::Nobody => "nobody",
            Worker::Me => "me",
            Worker::Somebody(user) => user.as_str(),
        };
        let mut assignees = Select::new("assignee", texts.filter_assignee)
            .choice("", texts.anybody)
            .choice("me", texts.me)
            .choice("nobody", texts.nobody);
        if let Worker::Somebody(user) = &asked.assigned {
            assignees = assignees.choice(user.as_str(), texts.a_colleague);
        }
        let clear = asked.is_filtered().then_some("/dashboard/requests");
        let states = State::ALL.into_iter().map(|it| (it.code(), words::state(language, it)));
        let fields = html! {
            (Select::new("kind", texts.filter_kind).choice("", texts.any)
                .choices(Kind::ALL.map(|it| (it.code(), words::kind(language, it))))
                .chosen(asked.kind.map_or("", Kind::code)))
            (Select::new("state", texts.filter_state).choice("", texts.any_open).choice("closed", texts.any_closed)
                .choices(states).chosen(state))
            (Select::new("channel", texts.filter_channel).choice("", texts.any)
                .choices(Channel::ALL.map(|it| (it.code(), words::channel(language, it))))
                .chosen(asked.channel.map_or("", Channel::code)))
            (Field::text("code", texts.filter_code).value(asked.code.as_ref().map_or("", ServiceCode::as_str))
                .inputmode("numeric").narrow())
            (assignees.chosen(assignee))
            (Check::new("overdue", texts.overdue_only).on(asked.overdue))
        };
        filters(language, "/dashboard/requests", clear, &fields)
    }

    /// Why there is nothing, and what to do.
    fn empty(&self) -> Markup {
        let texts = Texts::of(self.frame.language);
        if let Some(next) = &self.next {
            return html! {
                (Notice::info(texts.look_further))
                (actions(&html! { (Button::secondary(texts.look_further_button).icon(Icon::Next).to(next.as_str())) }))
            };
        }
        if self.asked.is_filtered() {
            return Empty::new(texts.empty_filtered, texts.empty_filtered_text)
                .action(Button::secondary(texts.show_all).to("/dashboard/requests"))
                .render();
        }
        let empty = Empty::new(texts.empty_open, texts.empty_open_text);
        if self.may(Permission::WorkRequests) {
            empty.action(Button::secondary(texts.new_request).icon(Icon::Plus).to("/dashboard/new-request")).render()
        } else {
            empty.render()
        }
    }
}

fn search_form(frame: &Frame, typed: &str, error: Option<&str>) -> Markup {
    let texts = Texts::of(frame.language);
    Form::post(frame.language, "/dashboard/requests", frame.csrf.as_str())
        .id("find")
        .plain()
        .body(html! {
            (Field::search("q", texts.find_label).value(typed).hint(texts.find_hint).error(error).within("find").required())
            (actions(&html! { (Button::secondary(texts.find).icon(Icon::Search)) }))
        })
        .render()
}

fn wrong_search(frame: &Frame, typed: &str, reason: &str) -> Markup {
    let texts = Texts::of(frame.language);
    let main = html! {
        (Heading::new(texts.find).above(frame.language, &[("/dashboard/requests", texts.inbox)]))
        (search_form(frame, typed, Some(reason)))
    };
    pages::page(frame, texts.find, &main)
}

fn found_page(frame: &Frame, lines: &[Line], user: &UserId, today: Date) -> Markup {
    let texts = Texts::of(frame.language);
    let main = html! {
        (Heading::new(texts.found).above(frame.language, &[("/dashboard/requests", texts.inbox)]))
        (search_form(frame, "", None))
        @if lines.is_empty() {
            (Empty::new(texts.found_none, texts.found_none_text).icon(Icon::Search)
                .action(Button::secondary(texts.back_to_inbox).to("/dashboard/requests")))
        } @else { (lines_table(frame.language, lines, user, today, None)) }
    };
    pages::page(frame, texts.found, &main)
}

/// Requests in a table. With the id of a form, each can be chosen: its reference with the version that was seen.
pub(crate) fn lines_table(language: Language, lines: &[Line], user: &UserId, today: Date, form: Option<&str>) -> Table {
    let texts = Texts::of(language);
    let closed = lines.first().is_some_and(|line| !line.state.is_open());
    let mut table = Table::new(if closed { texts.table_closed } else { texts.table_open })
        .column(texts.column_reference)
        .column(texts.column_kind)
        .column(texts.column_state)
        .column(if closed { texts.column_closed } else { texts.column_next })
        .column(texts.column_received)
        .column(texts.column_channel)
        .column(texts.column_code)
        .column(texts.column_assignee);
    let form = form.filter(|_| !closed);
    if let Some(form) = form {
        table = table.selectable(language, "request", form);
    }
    for line in lines {
        let days = days_left(today, line.next_due());
        let when = match line.closed_on {
            Some(closed_on) => show::day(language, closed_on),
            None => html! {
                (show::due(language, line.next_due(), days))
                " " span.note { (if line.is_to_confirm() { texts.duty_confirm } else { texts.duty_answer }) }
            },
        };
        let assignee = match &line.assignee {
            None => texts.nobody,
            Some(id) if id == user => texts.you,
            Some(_) => texts.a_colleague,
        };
        let cells = vec![
            html! { a href={ "/dashboard/request/" (line.reference.as_str()) } { (line.reference) } },
            show::kind(language, line.kind),
            show::state(language, line.state),
            when,
            show::day(language, line.received_on),
            show::channel(language, line.channel),
            html! { (line.code) },
            html! { (assignee) },
        ];
        let pressing = line.state.is_open() && days < 0;
        table = match form {
            Some(_) => {
                let value = format!("{}.{}", line.reference.as_str(), line.version);
                table.selectable_row(value, line.reference.to_string(), cells)
            }
            None => table.row(cells),
        };
        table = table.pressing(pressing);
    }
    table
}

fn bulk_form(frame: &Frame) -> Markup {
    let language = frame.language;
    let texts = Texts::of(language);
    let offered = Action::ALL.into_iter().filter(|action| domain::desk::bulk(*action));
    Form::post(language, "/dashboard/bulk", frame.csrf.as_str())
        .id("bulk")
        .plain()
        .body(html! {
            (pages::form::group(texts.bulk, None, &html! {
                (Select::new("action", texts.bulk_action)
                    .choices(offered.map(|it| (it.code(), words::action(language, it)))).within("bulk"))
                (actions(&html! { (Button::secondary(texts.bulk_go)) }))
            }))
        })
        .render()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn user(n: u8) -> UserId {
        UserId::parse(&format!("u-{n:026}")).unwrap()
    }

    fn frame() -> Frame {
        Frame {
            language: Language::English,
            tenant_name: "Main store".into(),
            user_name: "Ana".into(),
            role: "Agent".into(),
            csrf: "token".into(),
            section: Section::Requests,
            sections: vec![Section::Overview, Section::Requests],
        }
    }

    fn line(entropy: u64, state: State) -> Line {
        Line {
            reference: Reference::from_entropy(entropy),
            kind: Kind::Delete,
            state,
            code: ServiceCode::parse("12").unwrap(),
            channel: Channel::Phone,
            language: Language::Spanish,
            assignee: entropy.is_multiple_of(2).then(|| user(u8::try_from(entropy % 4).unwrap())),
            received_on: jiff::civil::date(2026, 10, 1),
            respond_by: jiff::civil::date(2026, 11, 15 + i8::try_from(entropy % 15).unwrap()),
            confirm_by: (entropy == 4).then(|| jiff::civil::date(2026, 11, 19)),
            closed_on: (!state.is_open()).then(|| jiff::civil::date(2026, 11, 2)),
            outcome: None,
            ground: None,
            residence: None,
            extended: false,
            version: entropy,
        }
    }

    fn shown(asked: &Asked, lines: &[Line], next: Option<&str>, works: bool) -> String {
        let inbox = Inbox {
            frame: &frame(),
            asked,
            lines,
            next: next.map(str::to_owned),
            continued: false,
            user: &user(0),
            today: jiff::civil::date(2026, 11, 20),
            role: if works { Role::Manager } else { Role::Viewer },
        };
        let page = inbox.render().into_string();
        // The frame has its own snapshot.
        let main = page.split_once("<main").unwrap().1.split_once("</main>").unwrap().0;
        main.replace("><", ">\n<")
    }

    #[test]
    fn the_inbox_shows_what_is_due_first_and_lets_it_be_chosen() {
        let lines = [line(1, State::Received), line(4, State::Verifying), line(10, State::InReview)];
        insta::assert_snapshot!(shown(&Asked::default(), &lines, Some("/dashboard/requests?after=x"), true));
    }

    #[test]
    fn a_reader_sees_the_same_without_anything_to_press() {
        let page = shown(&Asked::default(), &[line(1, State::Received)], None, false);
        assert!(!page.contains("/dashboard/bulk") && !page.contains("new-request"), "{page}");
        assert!(page.contains("/dashboard/request/"));
    }

    #[test]
    fn an_empty_inbox_says_what_to_do() {
        insta::assert_snapshot!(shown(&Asked::default(), &[], None, true));
    }

    #[test]
    fn nothing_within_the_filters_says_so_and_where_more_may_be_found() {
        let asked = Asked { kind: Some(Kind::Correct), overdue: true, ..Asked::default() };
        let none = shown(&asked, &[], None, true);
        assert!(none.contains(Texts::of(Language::English).empty_filtered), "{none}");
        let more = shown(&asked, &[], Some("/dashboard/requests?after=x"), true);
        assert!(more.contains(Texts::of(Language::English).look_further) && more.contains("?after=x"), "{more}");
    }

    #[test]
    fn closed_requests_are_shown_by_the_day_they_were_closed_and_cannot_be_chosen() {
        let asked = Asked { standing: Standing::Closed, ..Asked::default() };
        let page = shown(&asked, &[line(1, State::Completed)], None, true);
        assert!(page.contains("Nov 2, 2026") && !page.contains("type=\"checkbox\" name=\"request\""), "{page}");
    }

    prop_compose! {
        fn any_asked()(
            standing in prop_oneof![
                Just(Standing::Open),
                Just(Standing::Closed),
                prop::sample::select(&State::ALL[..]).prop_map(Standing::In),
            ],
            kind in prop::option::of(prop::sample::select(&Kind::ALL[..])),
            channel in prop::option::of(prop::sample::select(&Channel::ALL[..])),
            code in prop::option::of("[1-9][0-9]{0,7}"),
            assigned in prop_oneof![
                Just(Worker::Anybody), Just(Worker::Nobody), Just(Worker::Me),
                (0_u8..9).prop_map(|n| Worker::Somebody(user(n))),
            ],
            overdue in any::<bool>(),
        ) -> Asked {
            Asked { standing, kind, channel, code: code.and_then(|it| ServiceCode::parse(&it).ok()), assigned, overdue }
        }
    }

    proptest! {
        #[test]
        fn filters_come_back_from_the_address_as_they_went_and_have_one_spelling(asked in any_asked()) {
            let query: Fields = asked.pairs().into_iter().collect();
            let read = Asked::read(&query);
            prop_assert_eq!(&read, &asked);
            prop_assert_eq!(read.query(), asked.query());
            prop_assert!(asked.query().bytes().all(|b| b.is_ascii_alphanumeric() || b"=&-".contains(&b)));
        }

        #[test]
        fn other_filters_are_another_context_so_that_a_cursor_opens_under_its_own_only(one in any_asked(), other in any_asked()) {
            prop_assert_eq!(one.query() == other.query(), one == other);
        }

        #[test]
        fn whatever_an_address_says_is_read_as_something(pairs in prop::collection::vec(("state|kind|channel|code|assignee|overdue", ".{0,12}"), 0..6)) {
            let query: Fields = pairs.into_iter().collect();
            let asked = Asked::read(&query);
            prop_assert_eq!(Asked::read(&asked.pairs().into_iter().collect()), asked);
        }
    }
}
