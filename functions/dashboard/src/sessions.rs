//! `dashboard-sessions`: where somebody is signed in, and how to end it.

use domain::audit::{Act, Entry, Who};
use domain::language::Language;
use maud::{Markup, html};
use pages::form::{Button, Form, hidden};
use pages::icon::Icon;
use pages::show::{Card, Heading, Notice, Table, Tone, badge, moment};
use pages::{Frame, Section};
use platform::edge::{Page, Visit};
use platform::session::{Allowed, OwnAccount, Session, SessionId};
use platform::{App, Error};
use serde::Serialize;

/// Lists the sessions, or ends one or all others.
pub async fn handle(app: &App, allowed: Allowed<OwnAccount>, visit: Visit) -> Result<Page, Error> {
    let store = app.store.of(&allowed.tenant);
    if !visit.post {
        let tickets = app.tickets().await?;
        let sessions = store.sessions(&tickets, &allowed.user, visit.at).await?;
        let frame = allowed.frame(&visit, Section::Account);
        return Ok(Page::html(show(&frame, &allowed, &sessions, visit.query.has("done"))));
    }
    let entry = Entry::new(visit.at, Who::User(allowed.user.clone()), Act::SessionRevoked).from(&visit.client.address);
    if visit.form.get("end") == "others" {
        store.end_other_sessions(&allowed.user, &allowed.id, &entry.with("sessions", "all others")).await?;
    } else {
        let id = SessionId::parse(visit.form.get("end")).ok_or(Error::NotFound)?;
        store.end_session(&allowed.user, &id, &entry.with("session", id.short())).await?;
        if id == allowed.id {
            return Ok(Page::to("/dashboard/sign-in?done=out").signed_out());
        }
    }
    Ok(Page::to("/dashboard/sessions?done=1"))
}

fn show(frame: &Frame, this: &Session, sessions: &[Session], done: bool) -> Markup {
    let (language, texts) = (frame.language, Texts::of(frame.language));
    let at = |at: jiff::Timestamp| moment(language, &at.to_zoned(this.tz()));
    let mut table = Table::new(texts.title)
        .column(texts.browser)
        .column(texts.address)
        .column(texts.since)
        .column(texts.used)
        .buttons(texts.end);
    for session in sessions {
        let browser = browser(language, &session.card.agent);
        let end = Form::post(language, "/dashboard/sessions", &frame.csrf).plain().body(html! {
            (hidden("end", session.id.as_str()))
            (Button::secondary(texts.end).about(browser.as_str()))
        });
        table = table.row(vec![
            html! { (browser) @if session.id == this.id { " " (badge(Tone::Info, Icon::Check, texts.this)) } },
            html! { (session.card.address) },
            at(session.signed_in_at),
            at(session.last_seen),
            html! { (end) },
        ]);
    }
    let others = Form::post(language, "/dashboard/sessions", &frame.csrf).plain().body(html! {
        (hidden("end", "others"))
        (Button::danger(texts.end_others))
    });
    pages::page(
        frame,
        texts.title,
        html! {
            (Heading::new(texts.title).lede(texts.lede))
            @if done { (Notice::success(texts.done)) }
            (Card::new(texts.list).body(html! { (table) @if sessions.len() > 1 { (others) } }))
        },
    )
}

/// "Firefox, Windows": as much of a browser's name for itself as tells it from others.
fn browser(language: Language, agent: &str) -> String {
    let find =
        |names: &[(&str, &'static str)]| names.iter().find(|(part, _)| agent.contains(part)).map(|(_, name)| *name);
    // Each calls itself by the names of those before it.
    let program = find(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = find(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "Mac"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (program, system) {
        (Some(program), Some(system)) => format!("{program}, {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => Texts::of(language).unknown.to_owned(),
    }
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    lede: &'static str,
    list: &'static str,
    browser: &'static str,
    address: &'static str,
    since: &'static str,
    used: &'static str,
    end: &'static str,
    end_others: &'static str,
    this: &'static str,
    unknown: &'static str,
    done: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Where you are signed in",
        lede: "A session ends by itself after an hour without use, and twelve hours after sign-in. If you do not know one of \
               these, end it and change your password.",
        list: "Your sessions",
        browser: "Browser",
        address: "Network address",
        since: "Signed in",
        used: "Last used",
        end: "End",
        end_others: "End all others",
        this: "This one",
        unknown: "Unknown browser",
        done: "It is ended.",
    };
    const ES: Self = Self {
        title: "Dónde tiene la sesión abierta",
        lede: "Una sesión se cierra sola tras una hora sin uso, y doce horas después de entrar. Si no reconoce alguna, ciérrela y \
               cambie su contraseña.",
        list: "Sus sesiones",
        browser: "Navegador",
        address: "Dirección de red",
        since: "Abierta",
        used: "Último uso",
        end: "Cerrar",
        end_others: "Cerrar todas las demás",
        this: "Esta",
        unknown: "Navegador desconocido",
        done: "Está cerrada.",
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
    use super::*;
    use crate::fixtures;

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn the_page_marks_the_session_at_hand_and_escapes_what_browsers_say() {
        let this = fixtures::session("this", "Mozilla/5.0 (Windows NT 10.0) Firefox/145.0");
        let other = fixtures::session("other", "<b>Safari/</b>");
        let page = show(&fixtures::frame(Language::English), &this, &[this.clone(), other], true);
        insta::assert_snapshot!(fixtures::main(&page));
    }

    #[test]
    fn a_browser_is_named_as_people_name_it() {
        let chrome = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36";
        assert_eq!(browser(Language::English, chrome), "Chrome, Mac");
        assert_eq!(browser(Language::English, "curl/8 (Linux)"), "Linux");
        assert_eq!(browser(Language::Spanish, "<script>"), "Navegador desconocido");
    }
}
