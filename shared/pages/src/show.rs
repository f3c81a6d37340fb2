//! What a page shows: headings, notices, cards, tables, badges, due dates, timelines and more.

use domain::language::Language;
use domain::reference::Reference;
use domain::request::{Channel, Kind, State};
use jiff::Zoned;
use jiff::civil::Date;
use maud::{Markup, Render, html};

use crate::format;
use crate::icon::Icon;
use crate::texts::{either, fill};
use crate::words;

/// The heading of a page, its only `h1`.
#[derive(Debug, Clone)]
#[must_use]
pub struct Heading {
    title: String,
    lede: Option<String>,
    beside: Option<Markup>,
    actions: Option<Markup>,
    crumbs: Option<Markup>,
}

impl Heading {
    /// A heading.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), lede: None, beside: None, actions: None, crumbs: None }
    }

    /// A sentence under it.
    pub fn lede(mut self, lede: impl Into<String>) -> Self {
        self.lede = Some(lede.into());
        self
    }

    /// Badges under it.
    pub fn badges(mut self, badges: impl Render) -> Self {
        self.beside = Some(badges.render());
        self
    }

    /// Buttons beside it.
    pub fn actions(mut self, actions: impl Render) -> Self {
        self.actions = Some(actions.render());
        self
    }

    /// Where the page is: (address, name) of each page above it.
    pub fn above(mut self, language: Language, pages: &[(&str, &str)]) -> Self {
        self.crumbs = Some(breadcrumbs(language, pages, &self.title));
        self
    }
}

impl Render for Heading {
    fn render(&self) -> Markup {
        html! {
            @if let Some(crumbs) = &self.crumbs { (crumbs) }
            div.heading {
                div.heading-words {
                    h1 { (self.title) }
                    @if let Some(badges) = &self.beside { div.badges { (badges) } }
                    @if let Some(lede) = &self.lede { p.lede { (lede) } }
                }
                @if let Some(actions) = &self.actions { div.actions { (actions) } }
            }
        }
    }
}

/// The pages above this one.
#[must_use]
pub fn breadcrumbs(language: Language, above: &[(&str, &str)], current: &str) -> Markup {
    html! {
        nav.crumbs aria-label=(either(language, "Where you are", "Dónde está")) {
            ol {
                @for (href, name) in above { li { a href=(href) { (name) } } }
                li aria-current="page" { (current) }
            }
        }
    }
}

/// What a message or a badge is about, beyond its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing in particular.
    Neutral,
    /// Good to know.
    Info,
    /// It worked.
    Success,
    /// It needs attention.
    Warning,
    /// It failed, or takes something away.
    Danger,
}

impl Tone {
    const fn name(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Info => "info",
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Danger => "danger",
        }
    }

    const fn icon(self) -> Icon {
        match self {
            Self::Neutral | Self::Info => Icon::Info,
            Self::Success => Icon::Check,
            Self::Warning => Icon::Warning,
            Self::Danger => Icon::Stop,
        }
    }
}

/// A message about the page or about what was just done. Warnings and failures interrupt a screen reader; the others
/// wait their turn.
#[derive(Debug, Clone)]
#[must_use]
pub struct Notice {
    tone: Tone,
    title: String,
    body: Option<Markup>,
}

impl Notice {
    fn new(tone: Tone, title: impl Into<String>) -> Self {
        Self { tone, title: title.into(), body: None }
    }

    /// Good to know.
    pub fn info(title: impl Into<String>) -> Self {
        Self::new(Tone::Info, title)
    }

    /// It worked.
    pub fn success(title: impl Into<String>) -> Self {
        Self::new(Tone::Success, title)
    }

    /// It needs attention.
    pub fn warning(title: impl Into<String>) -> Self {
        Self::new(Tone::Warning, title)
    }

    /// It failed.
    pub fn danger(title: impl Into<String>) -> Self {
        Self::new(Tone::Danger, title)
    }

    /// More than one sentence, a list, a link.
    pub fn body(mut self, body: impl Render) -> Self {
        self.body = Some(body.render());
        self
    }
}

impl Render for Notice {
    fn render(&self) -> Markup {
        let role = if matches!(self.tone, Tone::Warning | Tone::Danger) { "alert" } else { "status" };
        html! {
            div class={ "notice notice-" (self.tone.name()) } role=(role) data-announce[role == "status"] {
                (self.tone.icon())
                div {
                    p.notice-title { (self.title) }
                    @if let Some(body) = &self.body { (body) }
                }
            }
        }
    }
}

/// A part of a page under a heading of its own.
#[derive(Debug, Clone)]
#[must_use]
pub struct Card {
    heading: String,
    id: Option<String>,
    lede: Option<String>,
    actions: Option<Markup>,
    body: Markup,
    class: &'static str,
}

impl Card {
    /// A part with its `h2`.
    pub fn new(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), id: None, lede: None, actions: None, body: html! {}, class: "card" }
    }

    /// A part that stands on the page itself, without a surface.
    pub fn plain(heading: impl Into<String>) -> Self {
        Self { class: "part", ..Self::new(heading) }
    }

    /// What links can lead to.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// A sentence under the heading.
    pub fn lede(mut self, lede: impl Into<String>) -> Self {
        self.lede = Some(lede.into());
        self
    }

    /// Buttons or links beside the heading.
    pub fn actions(mut self, actions: impl Render) -> Self {
        self.actions = Some(actions.render());
        self
    }

    /// What is in it.
    pub fn body(mut self, body: impl Render) -> Self {
        self.body = body.render();
        self
    }
}

impl Render for Card {
    fn render(&self) -> Markup {
        html! {
            section class=(self.class) id=[self.id.as_deref()] {
                div.card-head {
                    div {
                        h2 { (self.heading) }
                        @if let Some(lede) = &self.lede { p.lede { (lede) } }
                    }
                    @if let Some(actions) = &self.actions { div.actions { (actions) } }
                }
                (self.body)
            }
        }
    }
}

/// A surface for something that has its own heading, like a chart.
#[must_use]
pub fn panel(body: impl Render) -> Markup {
    html! { div.card { (body) } }
}

/// Two columns on a wide screen, one on a narrow one: what presses, and what it is about. In both the keyboard goes as the
/// eye does.
#[must_use]
pub fn split(beside: impl Render, main: impl Render) -> Markup {
    html! { div.split { div.split-beside { (beside) } div.split-main { (main) } } }
}

/// Tiles, cards or charts side by side, as many as fit.
#[must_use]
pub fn grid(parts: impl Render) -> Markup {
    html! { div.grid { (parts) } }
}

/// Parts one below the other.
#[must_use]
pub fn stack(parts: impl Render) -> Markup {
    html! { div.stack { (parts) } }
}

/// Something that is opened to be read: explanations, dangerous actions, long texts.
#[must_use]
pub fn disclosure(summary: &str, open: bool, body: impl Render) -> Markup {
    html! { details.disclosure open[open] { summary { (summary) } div.disclosure-body { (body) } } }
}

/// A column of a [`Table`].
#[derive(Debug, Clone)]
struct Column {
    name: String,
    class: &'static str,
}

/// A row of a [`Table`].
#[derive(Debug, Clone)]
struct Row {
    cells: Vec<Markup>,
    select: Option<(String, String)>,
    class: &'static str,
}

/// A table of records. On a narrow screen each row becomes a card, in which every value has its column's name beside it.
#[derive(Debug, Clone)]
#[must_use]
pub struct Table {
    caption: String,
    show_caption: bool,
    columns: Vec<Column>,
    rows: Vec<Row>,
    header: usize,
    select: Option<(Language, String, String)>,
    dense: bool,
}

impl Table {
    /// A table with what it is about. The caption is for screen readers unless [`Table::show_caption`].
    pub fn new(caption: impl Into<String>) -> Self {
        Self {
            caption: caption.into(),
            show_caption: false,
            columns: Vec::new(),
            rows: Vec::new(),
            header: 0,
            select: None,
            dense: false,
        }
    }

    /// Shows the caption.
    pub fn show_caption(mut self) -> Self {
        self.show_caption = true;
        self
    }

    /// Adds a column.
    pub fn column(mut self, name: impl Into<String>) -> Self {
        self.columns.push(Column { name: name.into(), class: "" });
        self
    }

    /// Adds a column of numbers.
    pub fn numbers(mut self, name: impl Into<String>) -> Self {
        self.columns.push(Column { name: name.into(), class: "number" });
        self
    }

    /// Adds a column of buttons or links; its name is for screen readers only.
    pub fn buttons(mut self, name: impl Into<String>) -> Self {
        self.columns.push(Column { name: name.into(), class: "buttons" });
        self
    }

    /// Which cell names its row, counted from 0, if not the first.
    pub fn named_by(mut self, column: usize) -> Self {
        self.header = column;
        self
    }

    /// Less air: the table behind a chart.
    pub fn dense(mut self) -> Self {
        self.dense = true;
        self
    }

    /// Gives each row a checkbox of this name that belongs to the form with this id, and the head one for them all.
    pub fn selectable(mut self, language: Language, name: impl Into<String>, form_id: impl Into<String>) -> Self {
        self.select = Some((language, name.into(), form_id.into()));
        self
    }

    /// Adds a row, a cell for each column.
    pub fn row(mut self, cells: Vec<Markup>) -> Self {
        self.rows.push(Row { cells, select: None, class: "" });
        self
    }

    /// Adds a row with the value of its checkbox and what it chooses, for screen readers: "1234 5678 9012".
    pub fn selectable_row(mut self, value: impl Into<String>, chooses: impl Into<String>, cells: Vec<Markup>) -> Self {
        self.rows.push(Row { cells, select: Some((value.into(), chooses.into())), class: "" });
        self
    }

    /// Marks the last row as one that presses: it is overdue.
    pub fn pressing(mut self, pressing: bool) -> Self {
        if let Some(row) = self.rows.last_mut().filter(|_| pressing) {
            row.class = "pressing";
        }
        self
    }

    /// Whether it has no rows, and an [`Empty`] should be shown in its place.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn body_row(&self, row: &Row) -> Markup {
        html! {
            tr class=[Some(row.class).filter(|class| !class.is_empty())] role="row" {
                @if let Some((language, name, form_id)) = &self.select {
                    td.select role="cell" {
                        @if let Some((value, chooses)) = &row.select {
                            input type="checkbox" name=(name) value=(value) form=(form_id)
                                aria-label={ (either(*language, "Choose", "Elegir")) " " (chooses) };
                        }
                    }
                }
                @for (index, (cell, column)) in row.cells.iter().zip(&self.columns).enumerate() {
                    @if index == self.header {
                        th scope="row" role="rowheader" class=[Some(column.class).filter(|class| !class.is_empty())]
                            data-label=(column.name) { (cell) }
                    } @else {
                        td role="cell" class=[Some(column.class).filter(|class| !class.is_empty())]
                            data-label=(column.name) { (cell) }
                    }
                }
            }
        }
    }
}

impl Render for Table {
    fn render(&self) -> Markup {
        // The roles are what the elements are anyway, until a narrow screen shows them as blocks: then browsers take
        // the table's meaning away unless it is said.
        html! {
            div.table-box.slim[self.columns.len() <= 4] {
                table.table.rows[!self.dense].dense[self.dense] role="table" {
                    caption.sr[!self.show_caption] { (self.caption) }
                    thead role="rowgroup" {
                        tr role="row" {
                            @if let Some((language, name, form_id)) = &self.select {
                                th.select scope="col" role="columnheader" {
                                    span.sr { (either(*language, "Choose", "Elegir")) }
                                    input type="checkbox" hidden data-all=(name) form=(form_id)
                                        aria-label=(either(*language, "Choose all on this page", "Elegir todas las de esta página"));
                                }
                            }
                            @for column in &self.columns {
                                th scope="col" role="columnheader" class=[Some(column.class).filter(|class| !class.is_empty())] {
                                    span.sr[column.class == "buttons"] { (column.name) }
                                }
                            }
                        }
                    }
                    tbody role="rowgroup" { @for row in &self.rows { (self.body_row(row)) } }
                }
            }
        }
    }
}

/// What there is when there is nothing: why, and what to do.
#[derive(Debug, Clone)]
#[must_use]
pub struct Empty {
    title: String,
    text: String,
    action: Option<Markup>,
    icon: Icon,
}

impl Empty {
    /// What is empty, and what to do about it.
    pub fn new(title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { title: title.into(), text: text.into(), action: None, icon: Icon::Inbox }
    }

    /// A link or button that does it.
    pub fn action(mut self, action: impl Render) -> Self {
        self.action = Some(action.render());
        self
    }

    /// Another drawing.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icon = icon;
        self
    }
}

impl Render for Empty {
    fn render(&self) -> Markup {
        html! {
            div.empty {
                (self.icon)
                p.empty-title { (self.title) }
                p { (self.text) }
                @if let Some(action) = &self.action { div.actions { (action) } }
            }
        }
    }
}

/// Links to the first and the next page of a list. `next` is `None` on the last page, `first` on the first.
#[must_use]
pub fn pagination(language: Language, first: Option<&str>, next: Option<&str>) -> Markup {
    html! {
        @if first.is_some() || next.is_some() {
            nav.pages aria-label=(either(language, "Pages", "Páginas")) {
                @if let Some(first) = first {
                    a.button href=(first) { (Icon::First) span { (either(language, "First page", "Primera página")) } }
                }
                @if let Some(next) = next {
                    a.button rel="next" href=(next) { span { (either(language, "Next page", "Página siguiente")) } (Icon::Next) }
                } @else {
                    p { (either(language, "That is all.", "Eso es todo.")) }
                }
            }
        }
    }
}

/// A word with a shape and a colour: never the colour alone.
#[must_use]
pub fn badge(tone: Tone, icon: Icon, label: &str) -> Markup {
    html! { span class={ "badge badge-" (tone.name()) } { (icon) span { (label) } } }
}

/// Where a request stands.
#[must_use]
pub fn state(language: Language, state: State) -> Markup {
    let (tone, icon) = match state {
        State::Incomplete => (Tone::Neutral, Icon::Dashed),
        State::Received => (Tone::Info, Icon::Ring),
        State::Verifying => (Tone::Info, Icon::Question),
        State::InReview => (Tone::Info, Icon::Half),
        State::Fulfilling => (Tone::Info, Icon::Most),
        State::Completed => (Tone::Success, Icon::Check),
        State::Denied => (Tone::Neutral, Icon::Stop),
        State::Withdrawn => (Tone::Neutral, Icon::Undo),
    };
    badge(tone, icon, words::state(language, state))
}

/// What a request asks.
#[must_use]
pub fn kind(language: Language, kind: Kind) -> Markup {
    let icon = match kind {
        Kind::OptOut => Icon::Stop,
        Kind::Delete => Icon::Bin,
        Kind::KnowCategories => Icon::List,
        Kind::KnowSpecific => Icon::Page,
        Kind::Correct => Icon::Pen,
        Kind::Limit => Icon::Funnel,
        Kind::Message => Icon::Speech,
    };
    html! { span.kind { (icon) span { (words::kind(language, kind)) } } }
}

/// How a request came in.
#[must_use]
pub fn channel(language: Language, channel: Channel) -> Markup {
    let icon = match channel {
        Channel::Phone => Icon::Phone,
        Channel::Form => Icon::Page,
        Channel::Email | Channel::Mail => Icon::Letter,
        Channel::InPerson => Icon::Person,
        Channel::Signal => Icon::Globe,
    };
    html! { span.kind { (icon) span { (words::channel(language, channel)) } } }
}

/// A request's reference number, as a link to it if there is an address.
#[must_use]
pub fn reference(reference: &Reference, href: Option<&str>) -> Markup {
    html! {
        @if let Some(href) = href { a.reference href=(href) { (reference) } } @else { span.reference { (reference) } }
    }
}

/// A date, for reading and for machines.
#[must_use]
pub fn day(language: Language, date: Date) -> Markup {
    html! { time datetime=(date) { (format::date(language, date)) } }
}

/// A moment, in the time zone of the moment given.
#[must_use]
pub fn moment(language: Language, at: &Zoned) -> Markup {
    html! { time datetime=(at.strftime("%Y-%m-%dT%H:%M:%S%:z")) { (format::date_time(language, at)) } }
}

/// A date by which something must be done, and how far away it is: words, shape and colour say it.
#[must_use]
pub fn due(language: Language, date: Date, days_left: i32) -> Markup {
    let (class, icon) = match days_left {
        ..0 => ("due due-late", Icon::Late),
        0..=3 => ("due due-soon", Icon::Warning),
        _ => ("due", Icon::Clock),
    };
    html! {
        span class=(class) {
            (icon)
            span.due-words {
                span.due-left { (format::days_left(language, days_left)) }
                " "
                span.due-date { (day(language, date)) }
            }
        }
    }
}

/// Names and values: what is known about one thing.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Facts {
    facts: Vec<(String, Markup, Option<String>)>,
}

impl Facts {
    /// No facts yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn fact(mut self, name: impl Into<String>, value: impl Render) -> Self {
        self.facts.push((name.into(), value.render(), None));
        self
    }

    /// Adds one with where it comes from or what it means, in small print.
    pub fn noted(mut self, name: impl Into<String>, value: impl Render, note: impl Into<String>) -> Self {
        self.facts.push((name.into(), value.render(), Some(note.into())));
        self
    }

    /// Adds one if there is a value.
    pub fn maybe(self, name: impl Into<String>, value: Option<impl Render>) -> Self {
        match value {
            Some(value) => self.fact(name, value),
            None => self,
        }
    }
}

impl Render for Facts {
    fn render(&self) -> Markup {
        html! {
            dl.facts {
                @for (name, value, note) in &self.facts {
                    div {
                        dt { (name) }
                        dd { (value) @if let Some(note) = note { p.note { (note) } } }
                    }
                }
            }
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Moment {
    /// When, in the time zone of the business.
    pub at: Zoned,
    /// Who did it.
    pub who: String,
    /// What was done.
    pub what: Markup,
    /// Whether it is more than an everyday step.
    pub tone: Tone,
}

/// Text of somebody's own, a paragraph for each line.
#[must_use]
pub fn paragraphs(text: &str) -> Markup {
    html! { @for line in text.lines().filter(|line| !line.trim().is_empty()) { p { (line) } } }
}

/// What happened, in the order given.
#[must_use]
pub fn timeline(language: Language, moments: &[Moment]) -> Markup {
    html! {
        ol.timeline {
            @for it in moments {
                li class={ "moment moment-" (it.tone.name()) } {
                    div.moment-what { (it.what) }
                    p.moment-who { (it.who) " · " (moment(language, &it.at)) }
                }
            }
        }
    }
}

/// A page among others of its kind, in [`tabs`].
#[derive(Debug, Clone)]
pub struct Tab<'a> {
    /// Where it is.
    pub href: &'a str,
    /// What it is called.
    pub label: &'a str,
    /// Whether it is the page shown.
    pub current: bool,
    /// How many things are on it.
    pub count: Option<u64>,
}

/// Pages of one kind side by side; they are links.
#[must_use]
pub fn tabs(label: &str, tabs: &[Tab<'_>]) -> Markup {
    html! {
        nav.tabs aria-label=(label) {
            ul {
                @for tab in tabs {
                    li {
                        a href=(tab.href) aria-current=[tab.current.then_some("page")] {
                            (tab.label)
                            @if let Some(count) = tab.count { " " span.count { (format::number(count)) } }
                        }
                    }
                }
            }
        }
    }
}

/// A recording. The browser's own controls are the ones that everybody's tools know. Nothing is fetched before somebody
/// plays it: who listened is written down.
#[must_use]
pub fn audio(label: &str, src: &str, content_type: &str) -> Markup {
    html! {
        figure.audio {
            figcaption { (label) }
            audio controls preload="none" aria-label=(label) { source src=(src) type=(content_type); }
        }
    }
}

/// A piece of text to be copied: a snippet, a link. `id` must be the page's only one.
#[must_use]
pub fn copyable(language: Language, id: &str, label: &str, text: &str) -> Markup {
    html! {
        div.copyable {
            p.copyable-label id={ (id) "-label" } { (label) }
            pre id=(id) tabindex="0" role="region" aria-labelledby={ (id) "-label" } { code { (text) } }
            button.button type="button" hidden data-copy=(id) data-copied=(either(language, "Copied", "Copiado")) {
                (Icon::Copy) span { (either(language, "Copy", "Copiar")) }
            }
        }
    }
}

/// Where one is in something that takes several steps; `current` counts from 0.
#[must_use]
pub fn steps(language: Language, labels: &[&str], current: usize) -> Markup {
    html! {
        ol.steps aria-label=(fill(
            either(language, "Step {n} of {all}", "Paso {n} de {all}"),
            &[("n", &(current + 1).to_string()), ("all", &labels.len().to_string())],
        )) {
            @for (index, label) in labels.iter().enumerate() {
                li.done[index < current] aria-current=[(index == current).then_some("step")] {
                    (label)
                    @if index < current { span.sr { " " (either(language, "(done)", "(hecho)")) } }
                }
            }
        }
    }
}
