//! `GET /dashboard/service-codes`: the codes that callers key.

use domain::language::Language;
use maud::{Markup, html};
use pages::form::Button;
use pages::show::{self, Empty, Heading, Notice, Table, Tone};
use pages::{Frame, Icon, Section, format, words};
use platform::edge::{Page, Visit};
use platform::session::{Allowed, EditServiceCodes, SeeSettings};
use platform::store::ServiceCodeLine;
use platform::{App, Error};
use serde::Serialize;

/// Shows the list.
pub async fn handle(app: &App, allowed: Allowed<SeeSettings>, visit: Visit) -> Result<Page, Error> {
    let view = View {
        codes: app.store.of(&allowed.tenant).service_codes().await?,
        may_edit: allowed.also::<EditServiceCodes>().is_ok(),
        created: visit.query.has("created"),
    };
    Ok(Page::html(show(&allowed.frame(&visit, Section::ServiceCodes), &view)))
}

struct View {
    codes: Vec<ServiceCodeLine>,
    may_edit: bool,
    created: bool,
}

fn show(frame: &Frame, view: &View) -> Markup {
    let (language, texts) = (frame.language, Texts::of(frame.language));
    let new = || Button::primary(texts.new).to("/dashboard/service-code/new").icon(Icon::Plus);
    let mut heading = Heading::new(texts.title).lede(texts.lede);
    if view.may_edit {
        heading = heading.actions(html! { (new()) });
    }
    let mut table = Table::new(texts.title)
        .column(texts.code)
        .column(texts.name)
        .column(texts.state)
        .column(texts.languages)
        .numbers(texts.kinds);
    for code in &view.codes {
        table = table.row(vec![
            html! { a href={ "/dashboard/service-code/" (code.code) } { (code.code) } },
            html! { (code.name) },
            if code.active {
                show::badge(Tone::Success, Icon::Check, texts.active)
            } else {
                show::badge(Tone::Neutral, Icon::Stop, texts.inactive)
            },
            html! { (languages(language, code, texts)) },
            html! { (format::number(i128::try_from(code.kinds).unwrap_or_default())) },
        ]);
    }
    let main = html! {
        (heading)
        @if view.created { (Notice::success(texts.created)) }
        @if table.is_empty() {
            @let empty = Empty::new(texts.none, texts.none_why).icon(Icon::Hash);
            @if view.may_edit { (empty.action(new())) } @else { (empty) }
        } @else {
            (table)
        }
    };
    pages::page(frame, texts.title, &main)
}

fn languages(language: Language, code: &ServiceCodeLine, texts: &Texts) -> String {
    let each: Vec<String> = code
        .languages
        .iter()
        .map(|it| {
            let name = words::language(language, *it);
            if code.recorded.contains(it) { format!("{name} ({})", texts.recorded) } else { name.to_owned() }
        })
        .collect();
    each.join(", ")
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    lede: &'static str,
    new: &'static str,
    code: &'static str,
    name: &'static str,
    state: &'static str,
    active: &'static str,
    inactive: &'static str,
    languages: &'static str,
    recorded: &'static str,
    kinds: &'static str,
    created: &'static str,
    none: &'static str,
    none_why: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Service codes",
        lede: "A caller keys a code to reach one of your brands or sites. What you save here is heard by the next call.",
        new: "New service code",
        code: "Code",
        name: "Name",
        state: "Calls",
        active: "Taken",
        inactive: "Not taken",
        languages: "Languages",
        recorded: "recording",
        kinds: "Kinds of request",
        created: "The service code is ready: the next call can key it.",
        none: "No service code yet",
        none_why: "Callers need one to reach you. Choose its digits, write a greeting, and publish it next to the telephone number.",
    };
    const ES: Self = Self {
        title: "Códigos de servicio",
        lede: "Quien llama marca un código para llegar a una de sus marcas o sitios. Lo que guarde aquí lo oye la próxima llamada.",
        new: "Código nuevo",
        code: "Código",
        name: "Nombre",
        state: "Llamadas",
        active: "Se atienden",
        inactive: "No se atienden",
        languages: "Idiomas",
        recorded: "grabación",
        kinds: "Tipos de solicitud",
        created: "El código está listo: ya se puede marcar.",
        none: "Todavía no hay ningún código",
        none_why: "Quien llama lo necesita para llegar a usted. Elija sus dígitos, escriba un saludo y publíquelo junto al número de teléfono.",
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
    use domain::service_code::ServiceCode;

    use super::*;
    use crate::setup::tests::{frame, main_of};

    fn a_code(code: &str, active: bool) -> ServiceCodeLine {
        ServiceCodeLine {
            code: ServiceCode::parse(code).unwrap(),
            name: "Shop <one>".into(),
            active,
            languages: vec![Language::English, Language::Spanish],
            kinds: 6,
            recorded: vec![Language::Spanish],
        }
    }

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn the_list_says_which_codes_are_taken_and_where_a_recording_plays() {
        let view = View { codes: vec![a_code("42", true), a_code("43", false)], may_edit: true, created: false };
        insta::assert_snapshot!(main_of(show(&frame(Language::English, Section::ServiceCodes), &view)));
    }

    #[test]
    fn an_empty_list_says_what_to_do_and_offers_it_only_to_whom_may() {
        let view = |may_edit| View { codes: vec![], may_edit, created: false };
        let shown = |may_edit| main_of(show(&frame(Language::Spanish, Section::ServiceCodes), &view(may_edit)));
        assert!(shown(true).contains("/dashboard/service-code/new"));
        assert!(!shown(false).contains("/dashboard/service-code/new"));
    }
}
