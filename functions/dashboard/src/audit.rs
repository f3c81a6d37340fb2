//! `GET /dashboard/audit`: the trail, the newest entry first.
//!
//! Entries are sealed, so filters look at what was opened: a page that filters reads at most `READS` times and then
//! offers to look further. Reading the trail is an entry of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use domain::audit::{Act, Entry, Link, Who};
use domain::language::Language;
use domain::reference::Reference;
use domain::role::Permission;
use domain::service_code::ServiceCode;
use domain::user::UserId;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use pages::form::{self, Button, Field, Select};
use pages::show::{self, Empty, Heading, Notice, Table};
use pages::{Frame, Icon, Section, format};
use platform::edge::{Fields, Page, Visit};
use platform::session::{Allowed, SeeAudit};
use platform::store::{FIRST_MONTH, month, months};
use platform::{App, Error};
use serde::{Deserialize, Serialize};

use crate::setup::entry;

/// The purpose of a cursor; its context is the tenant.
const CURSOR: &str = "audit-cursor";
const CURSOR_LIVES: SignedDuration = SignedDuration::from_hours(12);
/// Entries on a page.
const PER_PAGE: usize = 100;
/// How often a page asks the database before it offers to look further.
const READS: usize = 10;

/// Shows a page of the trail.
pub async fn handle(app: &App, allowed: Allowed<SeeAudit>, visit: Visit) -> Result<Page, Error> {
    let tickets = app.tickets().await?;
    let filter = match Filter::asked(&visit.query) {
        Ok(filter) => filter,
        Err(Wrong) => return wrong(app, &allowed, &visit).await,
    };
    let context = allowed.tenant.id().as_str();
    let from: Option<Cursor> = match visit.query.get("after") {
        "" => None,
        cursor => Some(tickets.open(CURSOR, context, visit.at, cursor)?),
    };
    let store = app.store.of(&allowed.tenant);
    let mut entry = entry(&allowed, &visit, Act::AuditViewed);
    for (name, value) in filter.named() {
        entry = entry.with(name, value);
    }
    store.record(&entry).await?;
    let newest = month(visit.at);
    let mut look = Look::new(&filter, from, &newest);
    for _ in 0..READS {
        let Some(at) = look.at.clone() else { break };
        let room = i32::try_from(PER_PAGE).unwrap_or(i32::MAX);
        let page = store.trail(&at.month, at.before, false, room).await?;
        look.take(&at, page.links);
        if look.found.len() >= PER_PAGE {
            break;
        }
    }
    let next = match &look.at {
        Some(cursor) => Some(tickets.seal(CURSOR, context, visit.at + CURSOR_LIVES, cursor)?),
        None => None,
    };
    let people = store.everybody().await?.into_iter().map(|user| (user.id, user.profile.name)).collect();
    let view = View {
        rows: look.found,
        changed: look.changed,
        next: next.map(|cursor| filter.link(Some(&cursor))),
        first: visit.query.has("after").then(|| filter.link(None)),
        filter: filter.clone(),
        months: months(FIRST_MONTH, &newest).collect(),
        people,
        time_zone: allowed.tz(),
        may_export: allowed.role.may(Permission::ExportAudit),
        wrong: false,
    };
    Ok(Page::html(show(&allowed.frame(&visit, Section::Audit), &view)))
}

/// The page without entries, for something that names no subject. What was typed may be a person's name: it comes back to
/// nobody, and the trail does not learn of it.
async fn wrong(app: &App, allowed: &Allowed<SeeAudit>, visit: &Visit) -> Result<Page, Error> {
    let people = app.store.of(&allowed.tenant).everybody().await?;
    let view = View {
        rows: vec![],
        changed: vec![],
        filter: Filter::default(),
        next: None,
        first: None,
        months: months(FIRST_MONTH, &month(visit.at)).collect(),
        people: people.into_iter().map(|user| (user.id, user.profile.name)).collect(),
        time_zone: allowed.tz(),
        may_export: allowed.role.may(Permission::ExportAudit),
        wrong: true,
    };
    Ok(Page::invalid(show(&allowed.frame(visit, Section::Audit), &view)))
}

/// Where the next read begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    month: String,
    /// Entries before this number.
    before: Option<u64>,
}

/// What was found, and where to look next.
struct Look<'a> {
    filter: &'a Filter,
    found: Vec<Row>,
    /// Entries that cannot be read: they were changed.
    changed: Vec<u64>,
    at: Option<Cursor>,
}

impl<'a> Look<'a> {
    fn new(filter: &'a Filter, from: Option<Cursor>, newest: &str) -> Self {
        let month = if filter.month.is_empty() { newest.to_owned() } else { filter.month.clone() };
        Self { filter, found: vec![], changed: vec![], at: Some(from.unwrap_or(Cursor { month, before: None })) }
    }

    /// Takes what fits of a read, and moves on: to the entries before, to the month before, or to the end.
    fn take(&mut self, at: &Cursor, links: Vec<Link>) {
        let full = links.len() >= PER_PAGE;
        let mut last = None;
        for link in links {
            last = Some(link.seq);
            match Row::read(&link) {
                Some(row) if self.filter.takes(&row) => self.found.push(row),
                Some(_) => {}
                None => self.changed.push(link.seq),
            }
            if self.found.len() >= PER_PAGE {
                break;
            }
        }
        self.at = match last {
            Some(1) => None,
            Some(seq) if full || self.found.len() >= PER_PAGE => {
                Some(Cursor { month: at.month.clone(), before: Some(seq) })
            }
            _ if !self.filter.month.is_empty() => None,
            _ => months(FIRST_MONTH, &at.month)
                .collect::<Vec<_>>()
                .iter()
                .rev()
                .nth(1)
                .map(|month| Cursor { month: month.clone(), before: None }),
        };
    }
}

/// What is asked for; empty for everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Filter {
    act: Option<Act>,
    who: String,
    on: String,
    month: String,
}

/// What was typed names no subject of an entry.
#[derive(Debug, PartialEq, Eq)]
struct Wrong;

impl Filter {
    fn asked(query: &Fields) -> Result<Self, Wrong> {
        let (month, who) = (query.get("month"), query.get("who"));
        let known = matches!(who, "nobody" | "operator" | "system") || UserId::parse(who).is_ok();
        Ok(Self {
            act: Act::parse(query.get("act")),
            who: if known { who.to_owned() } else { String::new() },
            on: subject(query.get("on").trim())?,
            month: if months(FIRST_MONTH, month).next().is_some() { month.to_owned() } else { String::new() },
        })
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn takes(&self, row: &Row) -> bool {
        self.act.is_none_or(|act| row.entry.act == act)
            && (self.who.is_empty() || who_code(&row.entry.who) == self.who)
            && (self.on.is_empty() || row.entry.on.as_ref() == Some(&self.on))
    }

    /// What is set, for the trail and for links. A subject is an id, never a name: entries hold nothing else.
    fn named(&self) -> Vec<(&'static str, String)> {
        let act = self.act.map_or(String::new(), |act| act.code().to_owned());
        let all = [("act", act), ("who", self.who.clone()), ("on", self.on.clone()), ("month", self.month.clone())];
        all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    fn link(&self, after: Option<&str>) -> String {
        let mut query: Vec<String> =
            self.named().into_iter().map(|(name, value)| format!("{name}={}", escaped(&value))).collect();
        query.extend(after.map(|cursor| format!("after={cursor}")));
        format!("/dashboard/audit?{}", query.join("&"))
    }
}

/// What entries are about, `request/123456789012`; a reference number or a service code may stand alone. Nothing else is
/// taken: it would stand in an address and in the trail, and might be a name or a telephone number.
fn subject(typed: &str) -> Result<String, Wrong> {
    let request = |id: &str| Reference::parse(id).ok().map(|it| format!("request/{}", it.as_str()));
    let code = |id: &str| ServiceCode::parse(id).ok().map(|it| format!("service-code/{}", it.as_str()));
    let found = match typed.split_once('/') {
        None if typed.is_empty() => Some(String::new()),
        None => request(typed).or_else(|| code(typed)),
        Some(("request", id)) => request(id),
        Some(("service-code", id)) => code(id),
        Some(("user", id)) => UserId::parse(id).ok().map(|id| format!("user/{id}")),
        Some(("report", "7101" | "7102")) => Some(typed.to_owned()),
        Some(_) => None,
    };
    found.ok_or(Wrong)
}

/// A value of a query: everything but letters, digits and what is always harmless is percent-encoded.
fn escaped(value: &str) -> String {
    value.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

/// An entry as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    seq: u64,
    entry: Entry,
}

impl Row {
    fn read(link: &Link) -> Option<Self> {
        serde_json::from_str(&link.entry).ok().map(|entry| Self { seq: link.seq, entry })
    }
}

/// Who, as a filter names them.
fn who_code(who: &Who) -> &str {
    match who {
        Who::User(id) => id.as_str(),
        Who::Nobody => "nobody",
        Who::Consumer => "consumer",
        Who::Operator => "operator",
        Who::System(_) => "system",
    }
}

struct View {
    rows: Vec<Row>,
    changed: Vec<u64>,
    filter: Filter,
    next: Option<String>,
    first: Option<String>,
    months: Vec<String>,
    people: BTreeMap<UserId, String>,
    time_zone: TimeZone,
    may_export: bool,
    /// What was typed as a subject is none.
    wrong: bool,
}

fn show(frame: &Frame, view: &View) -> Markup {
    let (language, texts) = (frame.language, Texts::of(frame.language));
    let mut heading = Heading::new(texts.title).lede(texts.lede);
    if view.may_export {
        heading = heading
            .actions(html! { (Button::secondary(texts.export).to("/dashboard/audit-export").icon(Icon::Download)) });
    }
    let mut table = Table::new(texts.title)
        .column(texts.number)
        .column(texts.when)
        .column(texts.who)
        .column(texts.what)
        .column(texts.on)
        .column(texts.from)
        .named_by(3);
    for row in &view.rows {
        table = table.row(cells(language, texts, view, row));
    }
    let main = html! {
        (heading)
        @if !view.changed.is_empty() {
            @let numbers: Vec<String> = view.changed.iter().map(ToString::to_string).collect();
            (Notice::danger(texts.changed).body(html! { p { (texts.changed_which) " " (numbers.join(", ")) } }))
        }
        (filters(language, texts, view))
        @if table.is_empty() {
            @if view.next.is_some() {
                (Notice::info(texts.not_yet))
            } @else {
                (Empty::new(texts.none, if view.filter.is_empty() { texts.none_why } else { texts.none_found })
                    .icon(Icon::Chain))
            }
        } @else {
            (table)
        }
        @if let (Some(next), false) = (&view.next, view.filter.is_empty()) {
            (form::actions(&html! { (Button::secondary(texts.further).to(next.as_str()).icon(Icon::Search)) }))
        } @else {
            (show::pagination(language, view.first.as_deref(), view.next.as_deref()))
        }
    };
    pages::page(frame, texts.title, &main)
}

fn cells(language: Language, texts: &Texts, view: &View, row: &Row) -> Vec<Markup> {
    let entry = &row.entry;
    let who = match &entry.who {
        Who::User(id) => view.people.get(id).cloned().unwrap_or_else(|| id.to_string()),
        Who::Nobody => texts.nobody.to_owned(),
        Who::Consumer => texts.consumer.to_owned(),
        Who::Operator => texts.operator.to_owned(),
        Who::System(function) => function.clone(),
    };
    let details = entry.details.iter().map(|(name, value)| format!("{name}: {value}"));
    let details: Vec<String> =
        Some(entry.why.clone()).filter(|why| !why.is_empty()).into_iter().chain(details).collect();
    let on = match entry.on.as_deref().and_then(|on| on.split_once('/')) {
        Some(("request", reference)) => html! { a href={ "/dashboard/request/" (reference) } { (reference) } },
        Some(("service-code", code)) => html! { a href={ "/dashboard/service-code/" (code) } { (code) } },
        Some(("user", id)) => {
            let name = UserId::parse(id).ok().and_then(|id| view.people.get(&id).cloned());
            html! { (name.unwrap_or_else(|| id.to_owned())) }
        }
        _ => html! { (entry.on.as_deref().unwrap_or_default()) },
    };
    vec![
        html! { (format::number(i128::from(row.seq))) },
        show::moment(language, &entry.at.to_zoned(view.time_zone.clone())),
        html! { (who) },
        html! { (act(language, entry.act)) @if !details.is_empty() { p.note { (details.join(" · ")) } } },
        on,
        html! { (entry.from) },
    ]
}

fn filters(language: Language, texts: &Texts, view: &View) -> Markup {
    let filter = &view.filter;
    let people = view.people.iter().map(|(id, name)| (id.to_string(), name.clone()));
    let others = [
        ("consumer", texts.consumer),
        ("operator", texts.operator),
        ("system", texts.system),
        ("nobody", texts.nobody),
    ];
    let others = others.map(|(code, name)| (code.to_owned(), name.to_owned()));
    let months = view.months.iter().rev().map(|month| {
        let name = format!("{month}-01").parse().map(|date| format::month(language, date));
        (month.clone(), name.unwrap_or_else(|_| month.clone()))
    });
    let clear = (!filter.is_empty()).then_some("/dashboard/audit");
    form::filters(
        language,
        "/dashboard/audit",
        clear,
        &html! {
            (Select::new("act", texts.what).choice("", texts.anything)
                .choices(Act::ALL.map(|it| (it.code(), act(language, it)))).chosen(filter.act.map_or("", Act::code)))
            (Select::new("who", texts.who).choice("", texts.anybody).choices(people).choices(others).chosen(&filter.who))
            (Select::new("month", texts.month).choice("", texts.any_month).choices(months).chosen(&filter.month))
            (Field::search("on", texts.on).hint(texts.on_hint).value(&filter.on).max_length(100)
                .error(view.wrong.then_some(texts.on_wrong)))
        },
    )
}

/// What an act is called.
fn act(language: Language, act: Act) -> &'static str {
    let [english, spanish] = match act {
        Act::SignedIn => ["Signed in", "Inició sesión"],
        Act::SignInFailed => ["Sign-in failed", "Inicio de sesión fallido"],
        Act::SignedOut => ["Signed out", "Cerró sesión"],
        Act::Confirmed => ["Confirmed who they are", "Confirmó su identidad"],
        Act::SessionRevoked => ["Ended a session", "Terminó una sesión"],
        Act::PasswordChanged => ["Changed the password", "Cambió la contraseña"],
        Act::ResetRequested => ["Asked for a new password", "Pidió una contraseña nueva"],
        Act::FactorAdded => ["Added a second factor", "Añadió un segundo factor"],
        Act::FactorRemoved => ["Removed a second factor", "Quitó un segundo factor"],
        Act::RecoveryCodeUsed => ["Used a recovery code", "Usó un código de recuperación"],
        Act::RecoveryCodesMade => ["Made recovery codes", "Creó códigos de recuperación"],
        Act::Invited => ["Invited somebody", "Invitó a alguien"],
        Act::InvitationAccepted => ["Accepted an invitation", "Aceptó una invitación"],
        Act::RoleChanged => ["Changed a role", "Cambió una función"],
        Act::UserRemoved => ["Removed somebody", "Quitó a alguien"],
        Act::AccountChanged => ["Changed their account", "Cambió su cuenta"],
        Act::RequestViewed => ["Saw a request", "Vio una solicitud"],
        Act::RecordingPlayed => ["Played a recording", "Escuchó una grabación"],
        Act::AttachmentOpened => ["Opened an attachment", "Abrió un archivo adjunto"],
        Act::PersonSearched => ["Searched for a person", "Buscó a una persona"],
        Act::RequestChanged => ["Changed a request", "Cambió una solicitud"],
        Act::RequestEntered => ["Entered a request", "Registró una solicitud"],
        Act::NoteAdded => ["Wrote a note", "Escribió una nota"],
        Act::AttachmentAdded => ["Added an attachment", "Añadió un archivo adjunto"],
        Act::MessageSent => ["Sent a message", "Envió un mensaje"],
        Act::ContactShown => ["Showed that the contact is theirs", "Mostró que el contacto es suyo"],
        Act::DeclarationSigned => ["Signed a declaration", "Firmó una declaración"],
        Act::PhotoIdGiven => ["Gave a photo ID", "Dio una identificación con foto"],
        Act::FileTaken => ["Downloaded a prepared file", "Descargó un archivo preparado"],
        Act::PhotoIdDeleted => ["Deleted photo IDs", "Eliminó identificaciones con foto"],
        Act::RequestsExported => ["Exported requests", "Exportó solicitudes"],
        Act::RecordExported => ["Exported a record", "Exportó un expediente"],
        Act::ServiceCodeChanged => ["Changed a service code", "Cambió un código de servicio"],
        Act::SettingsChanged => ["Changed the settings", "Cambió la configuración"],
        Act::AuditViewed => ["Read the audit trail", "Leyó la auditoría"],
        Act::AuditExported => ["Exported the audit trail", "Exportó la auditoría"],
        Act::ReportExported => ["Exported a report", "Exportó un informe"],
        Act::UsageSettled => ["Decided about unbilled usage", "Decidió sobre uso sin facturar"],
        Act::HoldPlaced => ["Put a request under a legal hold", "Puso una solicitud bajo retención legal"],
        Act::HoldLifted => ["Lifted a legal hold", "Levantó una retención legal"],
        Act::Binned => ["Moved a request to the recycle bin", "Movió una solicitud a la papelera"],
        Act::Restored => ["Restored a request", "Restauró una solicitud"],
        Act::PartErased => ["Erased a part of a request", "Borró una parte de una solicitud"],
        Act::Erased => ["Erased a request for good", "Borró una solicitud para siempre"],
        Act::AccountClosed => ["Closed the account", "Cerró la cuenta"],
        Act::AccountReopened => ["Opened the account again", "Volvió a abrir la cuenta"],
        Act::OwnersTold => {
            ["Told owners that the account is closed", "Avisó a titulares de que la cuenta está cerrada"]
        }
        Act::AccountErasing => ["Began to erase the closed account", "Empezó a borrar la cuenta cerrada"],
        Act::AccountErased => ["Erased the closed account", "Borró la cuenta cerrada"],
    };
    match language {
        Language::English => english,
        Language::Spanish => spanish,
    }
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    lede: &'static str,
    export: &'static str,
    number: &'static str,
    when: &'static str,
    who: &'static str,
    what: &'static str,
    on: &'static str,
    on_hint: &'static str,
    on_wrong: &'static str,
    from: &'static str,
    month: &'static str,
    anything: &'static str,
    anybody: &'static str,
    any_month: &'static str,
    nobody: &'static str,
    consumer: &'static str,
    operator: &'static str,
    system: &'static str,
    none: &'static str,
    none_why: &'static str,
    none_found: &'static str,
    not_yet: &'static str,
    further: &'static str,
    changed: &'static str,
    changed_which: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Audit trail",
        lede: "Who did or saw what. Nothing here can be changed or removed without it showing.",
        export: "Export and verify",
        number: "No.",
        when: "When",
        who: "Who",
        what: "What",
        on: "On what",
        on_hint: "A reference number or a service code.",
        on_wrong: "Give a whole reference number or service code; there are no names in the trail.",
        from: "From",
        month: "Month",
        anything: "Anything",
        anybody: "Anybody",
        any_month: "Any month",
        nobody: "Nobody known",
        consumer: "Whoever asked",
        operator: "Optline’s operator",
        system: "The system",
        none: "Nothing here",
        none_why: "Sign-ins, views of personal data, changes and exports will be listed here.",
        none_found: "No entry fits these filters.",
        not_yet: "Nothing that fits among the newest entries. There are older ones.",
        further: "Look further back",
        changed: "Entries were changed after they were written",
        changed_which: "They can no longer be read. Export the trail and ask Optline’s operator to verify it. Numbers:",
    };
    const ES: Self = Self {
        title: "Registro de auditoría",
        lede: "Quién hizo o vio qué. Nada de esto se puede cambiar ni quitar sin que se note.",
        export: "Exportar y verificar",
        number: "N.º",
        when: "Cuándo",
        who: "Quién",
        what: "Qué",
        on: "Sobre qué",
        on_hint: "Un número de referencia o un código de servicio.",
        on_wrong: "Escriba un número de referencia o un código de servicio completo; en el registro no hay nombres.",
        from: "Desde",
        month: "Mes",
        anything: "Todo",
        anybody: "Cualquiera",
        any_month: "Cualquier mes",
        nobody: "Nadie conocido",
        consumer: "Quien hizo la solicitud",
        operator: "El operador de Optline",
        system: "El sistema",
        none: "Aquí no hay nada",
        none_why: "Aquí se verán los inicios de sesión, las consultas de datos personales, los cambios y las exportaciones.",
        none_found: "Ninguna entrada coincide con estos filtros.",
        not_yet: "Nada que coincida entre las entradas más recientes. Hay más antiguas.",
        further: "Buscar más atrás",
        changed: "Hay entradas que se cambiaron después de escribirse",
        changed_which: "Ya no se pueden leer. Exporte el registro y pida al operador de Optline que lo verifique. Números:",
    };

    const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &Self::EN,
            Language::Spanish => &Self::ES,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::Timestamp;

    use super::*;
    use crate::setup::tests::{frame, main_of};

    const AT: &str = "2026-12-02T10:00:00Z";

    fn ana() -> UserId {
        UserId::parse(&format!("u-{}", "0a".repeat(13))).unwrap()
    }

    fn link(seq: u64) -> Link {
        let act = if seq.is_multiple_of(2) { Act::RequestViewed } else { Act::SignedIn };
        let at: Timestamp = AT.parse().unwrap();
        let entry = Entry::new(at, Who::User(ana()), act).on("request", "123456789012").from("192.0.2.1");
        Link::after(seq - 1, domain::audit::BEGINNING, serde_json::to_string(&entry).unwrap())
    }

    fn at(month: &str, before: Option<u64>) -> Cursor {
        Cursor { month: month.to_owned(), before }
    }

    fn view(rows: Vec<Row>, filter: Filter) -> View {
        View {
            rows,
            changed: vec![],
            next: Some(filter.link(Some("sealed"))),
            first: None,
            filter,
            months: vec!["2026-11".into(), "2026-12".into()],
            people: BTreeMap::from([(ana(), "Ana <b>".to_owned())]),
            time_zone: TimeZone::get("America/Los_Angeles").unwrap(),
            may_export: true,
            wrong: false,
        }
    }

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
        for language in Language::ALL {
            let names: BTreeSet<&str> = Act::ALL.into_iter().map(|it| act(language, it)).collect();
            assert_eq!(names.len(), Act::ALL.len());
        }
    }

    #[test]
    fn looking_goes_back_entry_by_entry_and_month_by_month_until_the_first() {
        let everything = Filter::default();
        let mut look = Look::new(&everything, None, "2026-12");
        look.take(&at("2026-12", None), (120..220).rev().map(link).collect());
        assert_eq!((look.found.len(), &look.at), (100, &Some(at("2026-12", Some(120)))));
        let mut look = Look::new(&everything, Some(at("2026-12", Some(120))), "2026-12");
        look.take(&at("2026-12", Some(120)), (90..120).rev().map(link).collect());
        assert_eq!((look.found.len(), &look.at), (30, &Some(at("2026-11", None))));
        look.take(&at("2026-11", None), (1..60).rev().map(link).collect());
        assert_eq!((look.found.len(), &look.at), (89, &None));
    }

    #[test]
    fn a_filter_takes_what_fits_and_a_month_ends_with_the_month() {
        let filter = Filter { act: Some(Act::RequestViewed), month: "2026-12".into(), ..Filter::default() };
        let mut look = Look::new(&filter, None, "2027-01");
        assert_eq!(look.at, Some(at("2026-12", None)));
        look.take(&at("2026-12", None), (50..60).rev().map(link).collect());
        assert_eq!((look.found.len(), &look.at), (5, &None));
        assert!(look.found.iter().all(|row| row.entry.act == Act::RequestViewed));
    }

    #[test]
    fn a_page_that_is_full_in_the_middle_of_a_read_goes_on_behind_the_last_entry_shown() {
        let filter = Filter { act: Some(Act::RequestViewed), ..Filter::default() };
        let mut look = Look::new(&filter, None, "2026-12");
        for from in [400, 300] {
            let here = look.at.clone().unwrap();
            look.take(&here, (from - 100..from).rev().map(link).collect());
        }
        assert_eq!((look.found.len(), &look.at), (100, &Some(at("2026-12", Some(200)))));
    }

    #[test]
    fn the_page_shows_names_for_ids_and_escapes_them() {
        let rows = vec![Row::read(&link(2)).unwrap(), Row::read(&link(1)).unwrap()];
        insta::assert_snapshot!(main_of(show(
            &frame(Language::English, Section::Audit),
            &view(rows, Filter::default())
        )));
    }

    #[test]
    fn only_what_names_a_subject_is_looked_for_so_that_no_name_stands_in_the_trail() {
        let reference = Reference::from_entropy(7);
        let request = format!("request/{}", reference.as_str());
        let user = format!("user/{}", ana());
        for (typed, on) in [
            ("", ""),
            (reference.as_str(), request.as_str()),
            (&request, &request),
            ("42", "service-code/42"),
            ("service-code/42", "service-code/42"),
            (&user, &user),
            ("report/7101", "report/7101"),
        ] {
            assert_eq!(subject(typed).as_deref(), Ok(on), "{typed}");
        }
        for name in ["María López", "user/maria", "maria@example.com", "+14155550123", "4155550123", "request/x", "a/1"]
        {
            assert_eq!(subject(name), Err(Wrong), "{name}");
        }
        let mut view = view(vec![], Filter::default());
        view.wrong = true;
        let text = main_of(show(&frame(Language::English, Section::Audit), &view));
        assert!(text.contains("there are no names in the trail"), "{text}");
    }

    #[test]
    fn a_filtered_page_without_a_hit_offers_to_look_further() {
        let filter = Filter { on: "a&b=\"c\"".into(), ..Filter::default() };
        let text = main_of(show(&frame(Language::Spanish, Section::Audit), &view(vec![], filter)));
        assert!(text.contains("/dashboard/audit?on=a%26b%3D%22c%22&amp;after=sealed"), "{text}");
        assert!(text.contains("Buscar más atrás"), "{text}");
    }
}
