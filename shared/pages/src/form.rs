//! Forms, their fields, and buttons.
//!
//! A field finds its own error: give each the same list of [`FieldError`]s, and the form too, which lists them at its
//! top with links to the fields. What was typed goes back in with `value`, except passwords and files.

use domain::FieldError;
use domain::language::Language;
use maud::{Markup, Render, html};

use crate::icon::Icon;
use crate::texts::either;

/// A form that is sent with POST and carries the CSRF token, or one that is sent with GET and filters a list.
#[derive(Debug, Clone)]
#[must_use]
pub struct Form {
    language: Language,
    action: String,
    method: &'static str,
    csrf: Option<String>,
    id: Option<String>,
    multipart: bool,
    plain: bool,
    errors: Vec<FieldError>,
    body: Markup,
}

impl Form {
    /// A form that changes something. `csrf` is the page's token.
    pub fn post(language: Language, action: impl Into<String>, csrf: impl Into<String>) -> Self {
        Self {
            language,
            action: action.into(),
            method: "post",
            csrf: Some(csrf.into()),
            id: None,
            multipart: false,
            plain: false,
            errors: Vec::new(),
            body: html! {},
        }
    }

    /// A form of somebody whom no cookie can be given: it carries no token, and may be left without being asked.
    pub fn open(language: Language, action: impl Into<String>) -> Self {
        Self { csrf: None, plain: true, ..Self::post(language, action, "") }
    }

    /// A form that leads to another page and changes nothing: what is chosen stands in that page's address.
    pub fn get(language: Language, action: impl Into<String>) -> Self {
        Self { method: "get", ..Self::open(language, action) }
    }

    /// Names the form: a page with several forms also gives each field its form's id with [`Field::within`].
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// What was wrong with what was sent; listed at the top, with links to the fields.
    pub fn errors(mut self, errors: &[FieldError]) -> Self {
        self.errors = errors.to_vec();
        self
    }

    /// The form has a file in it.
    pub fn with_file(mut self) -> Self {
        self.multipart = true;
        self
    }

    /// The form may be left without being asked whether to: sign-in, or a form of one button.
    pub fn plain(mut self) -> Self {
        self.plain = true;
        self
    }

    /// The fields and buttons.
    pub fn body(mut self, body: impl Render) -> Self {
        self.body = body.render();
        self
    }
}

impl Render for Form {
    fn render(&self) -> Markup {
        html! {
            form.form method=(self.method) action=(self.action) id=[self.id.as_deref()]
                enctype=[self.multipart.then_some("multipart/form-data")]
                data-guard[!self.plain] data-once[self.method == "post"] novalidate[!self.errors.is_empty()]
            {
                @if let Some(csrf) = &self.csrf { input type="hidden" name="csrf" value=(csrf); }
                (error_summary(self.language, self.id.as_deref().unwrap_or_default(), &self.errors))
                (self.body)
            }
        }
    }
}

/// What is wrong with a form, with a link to each field. Nothing when nothing is wrong. [`Form`] shows it by itself.
///
/// `within` is the form's id, or empty. An error whose field is empty is about the whole form and links nowhere.
#[must_use]
pub fn error_summary(language: Language, within: &str, errors: &[FieldError]) -> Markup {
    html! {
        @if !errors.is_empty() {
            div.notice.notice-danger.error-summary role="alert" tabindex="-1" data-focus {
                (Icon::Stop)
                div {
                    p.notice-title { (either(language, "Please look at this again", "Revise esto, por favor")) }
                    ul {
                        @for error in errors {
                            li {
                                @if error.field.is_empty() { (error.reason) } @else {
                                    a href={ "#" (field_id(within, &error.field)) } { (error.reason) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A form that only asks: it filters a list with GET. Without a script it is sent with its button.
///
/// `clear` is where no filter is set.
#[must_use]
pub fn filters(language: Language, action: &str, clear: Option<&str>, fields: impl Render) -> Markup {
    html! {
        form.filters method="get" action=(action) role="search" data-auto {
            (fields)
            div.filters-end {
                (Button::secondary(either(language, "Apply", "Aplicar")).icon(Icon::Filter))
                @if let Some(clear) = clear {
                    a.clear href=(clear) { (either(language, "Clear filters", "Quitar filtros")) }
                }
            }
        }
    }
}

/// The fields on one line where there is room.
#[must_use]
pub fn row(fields: impl Render) -> Markup {
    html! { div.row { (fields) } }
}

/// The buttons at the end of a form, or beside a heading.
#[must_use]
pub fn actions(buttons: impl Render) -> Markup {
    html! { div.actions { (buttons) } }
}

/// A value that the form carries along unseen.
#[must_use]
pub fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// Fields that belong together under one legend.
#[must_use]
pub fn group(legend: &str, hint: Option<&str>, fields: impl Render) -> Markup {
    html! {
        fieldset.group {
            legend { (legend) }
            @if let Some(hint) = hint { p.hint { (hint) } }
            (fields)
        }
    }
}

fn field_id(within: &str, name: &str) -> String {
    if within.is_empty() { format!("f-{name}") } else { format!("f-{within}-{name}") }
}

fn reason_for(errors: &[FieldError], name: &str) -> Option<String> {
    errors.iter().find(|error| error.field == name).map(|error| error.reason.clone())
}

/// What stands around every control: its names, and what helps to fill it in.
#[derive(Debug, Clone, Default)]
struct Around {
    name: String,
    label: String,
    within: String,
    hint: Option<String>,
    error: Option<String>,
    optional: Option<Language>,
    quiet_label: bool,
}

impl Around {
    fn new(name: String, label: String) -> Self {
        Self { name, label, ..Self::default() }
    }

    fn id(&self) -> String {
        field_id(&self.within, &self.name)
    }

    /// The ids of hint and error, for `aria-describedby`.
    fn described_by(&self) -> Option<String> {
        let id = self.id();
        match (&self.hint, &self.error) {
            (None, None) => None,
            (Some(_), None) => Some(format!("{id}-hint")),
            (None, Some(_)) => Some(format!("{id}-error")),
            (Some(_), Some(_)) => Some(format!("{id}-hint {id}-error")),
        }
    }

    fn invalid(&self) -> Option<&'static str> {
        self.error.is_some().then_some("true")
    }

    fn label_text(&self) -> Markup {
        html! {
            (self.label)
            @if let Some(language) = self.optional { span.optional { " " (either(language, "(optional)", "(opcional)")) } }
        }
    }

    fn notes(&self) -> Markup {
        let id = self.id();
        html! {
            @if let Some(hint) = &self.hint { p.hint id={ (id) "-hint" } { (hint) } }
            @if let Some(error) = &self.error { p.error id={ (id) "-error" } { (Icon::Warning) span { (error) } } }
        }
    }

    fn wrap(&self, control: &Markup) -> Markup {
        html! {
            div.field.wrong[self.error.is_some()] {
                label for=(self.id()) .sr[self.quiet_label] { (self.label_text()) }
                (self.notes())
                (control)
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Control {
    Input(&'static str),
    Password(Language),
    Area(u32),
}

/// A field for typing: text, e-mail, password, number, date, file, or several lines.
#[derive(Debug, Clone)]
#[must_use]
#[allow(clippy::struct_excessive_bools, reason = "each is an attribute of the element")]
pub struct Field {
    around: Around,
    control: Control,
    value: Option<String>,
    required: bool,
    autofocus: bool,
    readonly: bool,
    plain_text: bool,
    autocomplete: Option<&'static str>,
    inputmode: Option<&'static str>,
    accept: Option<&'static str>,
    min: Option<String>,
    max: Option<String>,
    max_length: Option<u32>,
    width: Option<&'static str>,
}

impl Field {
    fn new(control: Control, name: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            around: Around::new(name.into(), label.into()),
            control,
            value: None,
            required: false,
            autofocus: false,
            readonly: false,
            plain_text: false,
            autocomplete: None,
            inputmode: None,
            accept: None,
            min: None,
            max: None,
            max_length: None,
            width: None,
        }
    }

    /// One line of text.
    pub fn text(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(Control::Input("text"), name, label)
    }

    /// An e-mail address.
    pub fn email(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(Control::Input("email"), name, label).autocomplete("email").plain_text()
    }

    /// A telephone number.
    pub fn telephone(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(Control::Input("tel"), name, label)
    }

    /// Words to look for.
    pub fn search(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(Control::Input("search"), name, label).plain_text()
    }

    /// A password, with a button that shows it where there is a script. Its value is never put back.
    ///
    /// `autocomplete` must be set to `current-password` or `new-password`.
    pub fn password(
        language: Language,
        name: impl Into<String>,
        label: impl Into<String>,
        autocomplete: &'static str,
    ) -> Self {
        Self::new(Control::Password(language), name, label).autocomplete(autocomplete)
    }

    /// A code from an authenticator app: six digits.
    pub fn one_time_code(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(Control::Input("text"), name, label)
            .autocomplete("one-time-code")
            .inputmode("numeric")
            .plain_text()
            .narrow()
    }

    /// A whole number.
    pub fn number(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(Control::Input("number"), name, label).inputmode("numeric").narrow()
    }

    /// A date; its value is written `2027-01-05`.
    pub fn date(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(Control::Input("date"), name, label).narrow()
    }

    /// A file; the form must be [`Form::with_file`].
    pub fn file(name: impl Into<String>, label: impl Into<String>, accept: &'static str) -> Self {
        let mut field = Self::new(Control::Input("file"), name, label);
        field.accept = Some(accept);
        field
    }

    /// Several lines of text.
    pub fn area(name: impl Into<String>, label: impl Into<String>, rows: u32) -> Self {
        Self::new(Control::Area(rows), name, label)
    }

    /// What is in it.
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// What helps to fill it in, under the label.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.around.hint = Some(hint.into());
        self
    }

    /// Takes its own error out of the form's.
    pub fn errors(mut self, errors: &[FieldError]) -> Self {
        self.around.error = reason_for(errors, &self.around.name);
        self
    }

    /// What is wrong with it.
    pub fn error(mut self, error: Option<&str>) -> Self {
        self.around.error = error.map(str::to_owned);
        self
    }

    /// It must be filled in.
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// It need not be filled in, and says so.
    pub fn optional(mut self, language: Language) -> Self {
        self.around.optional = Some(language);
        self
    }

    /// The form it is in, where a page has several.
    pub fn within(mut self, form_id: impl Into<String>) -> Self {
        self.around.within = form_id.into();
        self
    }

    /// The first field of a page that is only a form.
    pub fn autofocus(mut self) -> Self {
        self.autofocus = true;
        self
    }

    /// It can be read and copied but not changed.
    pub fn readonly(mut self) -> Self {
        self.readonly = true;
        self
    }

    /// Neither spelling nor capitals are corrected: an address, a code, a name.
    pub fn plain_text(mut self) -> Self {
        self.plain_text = true;
        self
    }

    /// What browsers may fill in, by the names of the HTML standard.
    pub fn autocomplete(mut self, what: &'static str) -> Self {
        self.autocomplete = Some(what);
        self
    }

    /// Which keyboard a telephone shows.
    pub fn inputmode(mut self, keyboard: &'static str) -> Self {
        self.inputmode = Some(keyboard);
        self
    }

    /// The smallest and largest number or date.
    pub fn range(mut self, min: Option<impl ToString>, max: Option<impl ToString>) -> Self {
        self.min = min.map(|min| min.to_string());
        self.max = max.map(|max| max.to_string());
        self
    }

    /// How many characters fit.
    pub fn max_length(mut self, characters: u32) -> Self {
        self.max_length = Some(characters);
        self
    }

    /// Only as wide as a number or a date.
    pub fn narrow(mut self) -> Self {
        self.width = Some("narrow");
        self
    }

    /// The label is there for screen readers only: a search field beside its button.
    pub fn quiet_label(mut self) -> Self {
        self.around.quiet_label = true;
        self
    }
}

impl Render for Field {
    fn render(&self) -> Markup {
        let around = &self.around;
        let input = |kind: &str, value: Option<&str>| {
            html! {
                input.input.narrow[self.width.is_some()] type=(kind) id=(around.id()) name=(around.name) value=[value]
                    required[self.required] autofocus[self.autofocus] readonly[self.readonly]
                    autocomplete=[self.autocomplete] inputmode=[self.inputmode] accept=[self.accept]
                    min=[self.min.as_deref()] max=[self.max.as_deref()] maxlength=[self.max_length]
                    autocapitalize=[self.plain_text.then_some("none")] spellcheck=[self.plain_text.then_some("false")]
                    aria-describedby=[around.described_by()] aria-invalid=[around.invalid()];
            }
        };
        let control = match &self.control {
            Control::Input("file") => input("file", None),
            Control::Input(kind) => input(kind, self.value.as_deref()),
            Control::Password(language) => html! {
                div.password {
                    (input("password", None))
                    button.button.button-quiet.reveal type="button" hidden data-reveal=(around.id()) aria-pressed="false"
                        aria-controls=(around.id()) aria-label={ (either(*language, "Show", "Mostrar")) ": " (around.label) }
                        { (either(*language, "Show", "Mostrar")) }
                }
            },
            Control::Area(rows) => html! {
                textarea.input id=(around.id()) name=(around.name) rows=(rows) required[self.required]
                    autofocus[self.autofocus] readonly[self.readonly] maxlength=[self.max_length]
                    autocomplete=[self.autocomplete] spellcheck=[self.plain_text.then_some("false")]
                    aria-describedby=[around.described_by()] aria-invalid=[around.invalid()]
                    // The first line break after the tag is not part of the text; one of our own keeps theirs.
                    { "\n" (self.value.as_deref().unwrap_or_default()) }
            },
        };
        around.wrap(&control)
    }
}

#[derive(Debug, Clone)]
struct Choice {
    value: String,
    label: String,
    hint: Option<String>,
    disabled: bool,
}

/// A list from which one is chosen.
#[derive(Debug, Clone)]
#[must_use]
pub struct Select {
    around: Around,
    choices: Vec<Choice>,
    chosen: String,
    required: bool,
}

impl Select {
    /// A list without choices yet.
    pub fn new(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            around: Around::new(name.into(), label.into()),
            choices: Vec::new(),
            chosen: String::new(),
            required: false,
        }
    }

    /// Adds a choice.
    pub fn choice(mut self, value: impl Into<String>, label: impl Into<String>) -> Self {
        self.choices.push(Choice { value: value.into(), label: label.into(), hint: None, disabled: false });
        self
    }

    /// Adds choices.
    pub fn choices<V: Into<String>, L: Into<String>>(mut self, choices: impl IntoIterator<Item = (V, L)>) -> Self {
        for (value, label) in choices {
            self = self.choice(value, label);
        }
        self
    }

    /// The value that is chosen.
    pub fn chosen(mut self, value: impl Into<String>) -> Self {
        self.chosen = value.into();
        self
    }

    /// What helps to choose.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.around.hint = Some(hint.into());
        self
    }

    /// Takes its own error out of the form's.
    pub fn errors(mut self, errors: &[FieldError]) -> Self {
        self.around.error = reason_for(errors, &self.around.name);
        self
    }

    /// One must be chosen.
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The form it is in, where a page has several.
    pub fn within(mut self, form_id: impl Into<String>) -> Self {
        self.around.within = form_id.into();
        self
    }

    /// The label is there for screen readers only.
    pub fn quiet_label(mut self) -> Self {
        self.around.quiet_label = true;
        self
    }
}

impl Render for Select {
    fn render(&self) -> Markup {
        let around = &self.around;
        around.wrap(&html! {
            select.input id=(around.id()) name=(around.name) required[self.required]
                aria-describedby=[around.described_by()] aria-invalid=[around.invalid()]
            {
                @for choice in &self.choices {
                    option value=(choice.value) selected[choice.value == self.chosen] { (choice.label) }
                }
            }
        })
    }
}

/// Several choices that are all seen at once: checkboxes (any number of them) or radio buttons (one).
#[derive(Debug, Clone)]
#[must_use]
pub struct Choices {
    around: Around,
    radio: bool,
    offered: Vec<Choice>,
    chosen: Vec<String>,
    required: bool,
}

impl Choices {
    fn new(radio: bool, name: impl Into<String>, legend: impl Into<String>) -> Self {
        Self {
            around: Around::new(name.into(), legend.into()),
            radio,
            offered: Vec::new(),
            chosen: Vec::new(),
            required: false,
        }
    }

    /// Any number may be chosen; the form sends the name once for each.
    pub fn checkboxes(name: impl Into<String>, legend: impl Into<String>) -> Self {
        Self::new(false, name, legend)
    }

    /// One is chosen.
    pub fn radios(name: impl Into<String>, legend: impl Into<String>) -> Self {
        Self::new(true, name, legend)
    }

    /// Adds a choice.
    pub fn choice(mut self, value: impl Into<String>, label: impl Into<String>) -> Self {
        self.offered.push(Choice { value: value.into(), label: label.into(), hint: None, disabled: false });
        self
    }

    /// Adds a choice with a sentence that explains it.
    pub fn explained(
        mut self,
        value: impl Into<String>,
        label: impl Into<String>,
        explanation: impl Into<String>,
    ) -> Self {
        self.offered.push(Choice {
            value: value.into(),
            label: label.into(),
            hint: Some(explanation.into()),
            disabled: false,
        });
        self
    }

    /// Adds a choice that cannot be made now, with the reason.
    pub fn unavailable(
        mut self,
        value: impl Into<String>,
        label: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        self.offered.push(Choice {
            value: value.into(),
            label: label.into(),
            hint: Some(reason.into()),
            disabled: true,
        });
        self
    }

    /// The values that are chosen.
    pub fn chosen<V: Into<String>>(mut self, values: impl IntoIterator<Item = V>) -> Self {
        self.chosen = values.into_iter().map(Into::into).collect();
        self
    }

    /// What helps to choose.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.around.hint = Some(hint.into());
        self
    }

    /// Takes its own error out of the form's.
    pub fn errors(mut self, errors: &[FieldError]) -> Self {
        self.around.error = reason_for(errors, &self.around.name);
        self
    }

    /// One must be chosen; for radio buttons.
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The form it is in, where a page has several.
    pub fn within(mut self, form_id: impl Into<String>) -> Self {
        self.around.within = form_id.into();
        self
    }
}

impl Render for Choices {
    fn render(&self) -> Markup {
        let around = &self.around;
        let first = around.id();
        html! {
            fieldset.field.choices.wrong[around.error.is_some()] aria-describedby=[around.described_by()] {
                legend { (around.label_text()) }
                (around.notes())
                @for (index, choice) in self.offered.iter().enumerate() {
                    // An error's link leads to the first.
                    @let id = if index == 0 { first.clone() } else { format!("{first}-{}", index + 1) };
                    div.choice {
                        input type=(if self.radio { "radio" } else { "checkbox" }) id=(id) name=(around.name)
                            value=(choice.value) checked[self.chosen.contains(&choice.value)] disabled[choice.disabled]
                            required[self.required && self.radio]
                            aria-invalid=[around.invalid().filter(|_| !self.radio)]
                            aria-describedby=[choice.hint.as_ref().map(|_| format!("{id}-why"))];
                        label for=(id) { (choice.label) }
                        @if let Some(hint) = &choice.hint { p.hint id={ (id) "-why" } { (hint) } }
                    }
                }
            }
        }
    }
}

/// One thing that is on or off: a checkbox, or a switch. Its value is `on`.
#[derive(Debug, Clone)]
#[must_use]
pub struct Check {
    around: Around,
    value: String,
    on: bool,
    switch: bool,
    required: bool,
}

impl Check {
    /// A checkbox with its label beside it.
    pub fn new(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            around: Around::new(name.into(), label.into()),
            value: "on".to_owned(),
            on: false,
            switch: false,
            required: false,
        }
    }

    /// A switch. It takes effect when the form is sent, as everything does.
    pub fn switch(name: impl Into<String>, label: impl Into<String>) -> Self {
        let mut check = Self::new(name, label);
        check.switch = true;
        check
    }

    /// Whether it is on.
    pub fn on(mut self, on: bool) -> Self {
        self.on = on;
        self
    }

    /// What the form sends when it is on, if not `on`.
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    /// What it does.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.around.hint = Some(hint.into());
        self
    }

    /// Takes its own error out of the form's.
    pub fn errors(mut self, errors: &[FieldError]) -> Self {
        self.around.error = reason_for(errors, &self.around.name);
        self
    }

    /// It must be on.
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The form it is in, where a page has several.
    pub fn within(mut self, form_id: impl Into<String>) -> Self {
        self.around.within = form_id.into();
        self
    }
}

impl Render for Check {
    fn render(&self) -> Markup {
        let around = &self.around;
        html! {
            div.field.choice.wrong[around.error.is_some()] {
                input.switch[self.switch] type="checkbox" role=[self.switch.then_some("switch")] id=(around.id())
                    name=(around.name) value=(self.value) checked[self.on] required[self.required]
                    aria-describedby=[around.described_by()] aria-invalid=[around.invalid()];
                label for=(around.id()) { (around.label_text()) }
                (around.notes())
            }
        }
    }
}

/// A button that sends its form, or a link that looks like one.
#[derive(Debug, Clone)]
#[must_use]
pub struct Button {
    label: String,
    look: &'static str,
    to: Option<String>,
    name: Option<(String, String)>,
    icon: Option<Icon>,
    form: Option<String>,
    form_action: Option<String>,
    described: Option<String>,
    download: bool,
}

impl Button {
    fn new(look: &'static str, label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            look,
            to: None,
            name: None,
            icon: None,
            form: None,
            form_action: None,
            described: None,
            download: false,
        }
    }

    /// The one thing to do on a page or in a form.
    pub fn primary(label: impl Into<String>) -> Self {
        Self::new("button button-primary", label)
    }

    /// Something else to do.
    pub fn secondary(label: impl Into<String>) -> Self {
        Self::new("button", label)
    }

    /// Something that takes away or cannot be taken back.
    pub fn danger(label: impl Into<String>) -> Self {
        Self::new("button button-danger", label)
    }

    /// Something on the side; it looks like a link.
    pub fn quiet(label: impl Into<String>) -> Self {
        Self::new("button button-quiet", label)
    }

    /// Makes it a link to another page.
    pub fn to(mut self, href: impl Into<String>) -> Self {
        self.to = Some(href.into());
        self
    }

    /// Makes it a link that downloads.
    pub fn download(mut self, href: impl Into<String>) -> Self {
        self.download = true;
        self.icon(Icon::Download).to(href)
    }

    /// What the form sends when this button sends it.
    pub fn sends(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.name = Some((name.into(), value.into()));
        self
    }

    /// A drawing before the label.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    /// The form it sends, where it stands outside of it.
    pub fn form(mut self, form_id: impl Into<String>) -> Self {
        self.form = Some(form_id.into());
        self
    }

    /// Sends the form to another address.
    pub fn form_action(mut self, action: impl Into<String>) -> Self {
        self.form_action = Some(action.into());
        self
    }

    /// What tells it apart from others of its label: "Remove" is announced as "Remove: Ana’s key".
    pub fn about(mut self, what: impl Into<String>) -> Self {
        self.described = Some(what.into());
        self
    }
}

impl Render for Button {
    fn render(&self) -> Markup {
        let inside = html! {
            @if let Some(icon) = self.icon { (icon) }
            span { (self.label) @if let Some(what) = &self.described { span.sr { ": " (what) } } }
        };
        html! {
            @if let Some(to) = &self.to {
                a class=(self.look) href=(to) download[self.download] { (inside) }
            } @else {
                button class=(self.look) type="submit" form=[self.form.as_deref()]
                    formaction=[self.form_action.as_deref()]
                    name=[self.name.as_ref().map(|(name, _)| name)] value=[self.name.as_ref().map(|(_, value)| value)]
                    { (inside) }
            }
        }
    }
}

/// What a passkey is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passkey {
    /// To sign in.
    SignIn,
    /// To be added to an account.
    Register,
    /// To confirm who is there.
    Confirm,
}

/// A button that begins a passkey ceremony, with the place where it says what went wrong.
///
/// It is hidden until the script has found that the browser has passkeys. The script then posts JSON to `begin` with
/// the header `x-csrf`: `{"step":"begin"}`, answered by `{"options":…,"state":"…"}`; then
/// `{"step":"finish","state":…,"credential":…}`, answered by `{"to":"/dashboard/…"}` or `{"error":"…"}`. If the page
/// has an input that this button's `name_field` names by its id, both also carry its value as `"name"`. Under the
/// button stands "or": what follows is the other way, whose button is best a secondary one.
#[must_use]
pub fn passkey_button(
    language: Language,
    passkey: Passkey,
    begin: &str,
    csrf: &str,
    label: &str,
    name_field: Option<&str>,
) -> Markup {
    let (code, look) = match passkey {
        Passkey::SignIn => ("sign-in", "button button-primary"),
        Passkey::Register => ("register", "button"),
        Passkey::Confirm => ("confirm", "button button-primary"),
    };
    html! {
        div.passkey {
            button class=(look) type="button" hidden data-passkey=(code) data-begin=(begin) data-csrf=(csrf)
                data-name-field=[name_field]
                data-failed=(either(
                    language,
                    "That did not work. Please try again, or use another way.",
                    "No funcionó. Inténtelo de nuevo o use otra forma.",
                ))
                data-waiting=(either(language, "Follow what your browser asks.", "Siga lo que le pide su navegador."))
                { (Icon::Key) span { (label) } }
            p.passkey-said role="status" aria-live="polite" {}
            @if passkey != Passkey::Register { p.or { (either(language, "or", "o")) } }
        }
    }
}
