//! Writes every component into a folder, to be looked at: `cargo run -p pages --example gallery -- target/gallery`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "an example that may stop")]

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use domain::FieldError;
use domain::language::Language;
use domain::request::{Channel, Kind, State};
use jiff::civil::{Date, date};
use maud::{Markup, html};
use pages::chart::{self, Series, Tile};
use pages::form::{self, Button, Check, Choices, Field, Form, Passkey, Select};
use pages::show::{self, Card, Empty, Facts, Heading, Moment, Notice, Tab, Table, Tone};
use pages::texts::either;
use pages::{Frame, Icon, Problem, Section, assets, format, words};

fn main() -> io::Result<()> {
    let folder: PathBuf = env::args_os().nth(1).map_or_else(|| "target/gallery".into(), PathBuf::from);
    fs::create_dir_all(folder.join("asset"))?;
    for name in assets::names() {
        let path = assets::path(name);
        let file = path.rsplit('/').next().unwrap_or_default();
        fs::write(folder.join("asset").join(file), assets::find(file).expect("a path leads to its asset").bytes)?;
    }
    for language in Language::ALL {
        for (name, html) in pages(language) {
            write(&folder, &format!("{name}-{language}.html"), &html)?;
        }
    }
    Ok(())
}

fn write(folder: &Path, name: &str, html: &Markup) -> io::Result<()> {
    // Opened from a folder, an address must be relative.
    fs::write(folder.join(name), html.0.replace("\"/dashboard/asset/", "\"asset/"))
}

fn pages(language: Language) -> Vec<(&'static str, Markup)> {
    let problem = |problem| pages::problem(language, Some(&frame(language, Section::Settings)), problem);
    vec![
        ("overview", overview(language)),
        ("inbox", inbox(language)),
        ("request", request(language)),
        ("form", forms(language)),
        ("charts", charts(language)),
        ("parts", parts(language)),
        ("sign-in", sign_in(language)),
        (
            "forbidden",
            problem(Problem::Forbidden {
                permission: either(language, "change service codes", "cambiar los códigos de servicio"),
                who_can_grant: &[either(language, "owner", "propietario"), either(language, "manager", "gerente")],
            }),
        ),
        ("failed", problem(Problem::Failed { request_id: "3f6c0f0e-58c2-4a51-9d0e-9c0d6f1f7b52" })),
        ("signed-out", pages::problem(language, None, Problem::SignedOut)),
        ("throttled", pages::problem(language, None, Problem::Throttled { seconds: 600 })),
    ]
}

fn frame(language: Language, section: Section) -> Frame {
    Frame {
        language,
        tenant_name: "Harbor & Pine Outfitters".into(),
        user_name: "Ana Lucía Ferrer".into(),
        role: either(language, "Manager", "Gerente").into(),
        csrf: "token".into(),
        section,
        sections: Section::ALL.to_vec(),
    }
}

const TODAY: Date = date(2027, 1, 5);

fn day(offset: i32) -> Date {
    TODAY.checked_add(jiff::Span::new().days(offset)).unwrap()
}

fn inbox(language: Language) -> Markup {
    let rows = [
        ("4081 2290 1177", Kind::Delete, State::InReview, Channel::Phone, "Rosa Delgado", -2),
        ("9920 1145 3302", Kind::OptOut, State::Received, Channel::Form, "", 0),
        ("1187 0036 5512", Kind::KnowSpecific, State::Verifying, Channel::Email, "Ana Lucía Ferrer", 2),
        ("7745 9018 2264", Kind::Correct, State::Fulfilling, Channel::Phone, "Tom Okafor", 6),
        ("5530 7781 9049", Kind::Message, State::Incomplete, Channel::Phone, "", 11),
        ("2046 3391 8807", Kind::KnowCategories, State::Received, Channel::Mail, "Rosa Delgado", 31),
        ("6614 2209 7730", Kind::Limit, State::Received, Channel::Signal, "", 40),
    ];
    let t = |english, spanish| either(language, english, spanish);
    let mut table =
        Table::new(t("Open requests, what is due first", "Solicitudes abiertas, primero lo que vence antes"))
            .column(t("Request", "Solicitud"))
            .column(t("Due", "Vence"))
            .column(t("Asks", "Pide"))
            .column(t("State", "Estado"))
            .column(t("Came in by", "Llegó por"))
            .column(t("Assigned to", "Asignada a"))
            .selectable(language, "reference", "bulk");
    for (reference, kind, state, channel, who, left) in rows {
        table = table
            .selectable_row(
                reference.replace(' ', ""),
                reference,
                vec![
                    html! { a.reference href="request-en.html" { (reference) } },
                    show::due(language, day(left), left),
                    show::kind(language, kind),
                    show::state(language, state),
                    show::channel(language, channel),
                    html! { @if who.is_empty() { (t("Nobody", "Nadie")) } @else { (who) } },
                ],
            )
            .pressing(left < 0);
    }
    let any = t("Any", "Todas");
    pages::page(
        &frame(language, Section::Requests),
        t("Requests", "Solicitudes"),
        html! {
            (Heading::new(t("Requests", "Solicitudes")).lede(t("What is due first comes first.", "Primero, lo que vence antes."))
                .actions(html! {
                    (Button::secondary(t("Export", "Exportar")).to("#").icon(Icon::Download))
                    (Button::primary(t("Add a request", "Agregar una solicitud")).to("#").icon(Icon::Plus))
                }))
            (Notice::success(t("2 requests were assigned to Rosa Delgado.", "2 solicitudes se asignaron a Rosa Delgado.")))
            (show::tabs(t("Which requests", "Qué solicitudes"), &[
                Tab { href: "#", label: t("Open", "Abiertas"), current: true, count: Some(1_284) },
                Tab { href: "#", label: t("Yours", "Suyas"), current: false, count: Some(3) },
                Tab { href: "#", label: t("Closed", "Cerradas"), current: false, count: None },
            ]))
            (form::filters(language, "/dashboard/requests", Some("/dashboard/requests"), html! {
                (Field::search("q", t("Reference, phone or e-mail", "Referencia, teléfono o correo")))
                (Select::new("kind", t("Asks", "Pide")).choice("", any)
                    .choices(Kind::ALL.map(|kind| (kind.code(), words::kind(language, kind)))))
                (Select::new("state", t("State", "Estado")).choice("", any)
                    .choices(State::ALL.map(|state| (state.code(), words::state(language, state)))).chosen("received"))
                (Check::new("overdue", t("Overdue only", "Solo vencidas")))
            }))
            (Form::post(language, "/dashboard/bulk", "token").id("bulk").plain().body(form::actions(html! {
                (Select::new("do", t("With those chosen", "Con las elegidas")).quiet_label()
                    .choice("assign", t("Assign to me", "Asignarme")).choice("review", words::action(language, domain::request::Action::Review)))
                (Button::secondary(t("Do it", "Hacerlo")))
            })))
            (table)
            (show::pagination(language, Some("#"), Some("#")))
        },
    )
}

fn request(language: Language) -> Markup {
    let t = |english, spanish| either(language, english, spanish);
    let at = |day: i8, hour, minute| date(2027, 1, day).at(hour, minute, 0, 0).in_tz("America/Los_Angeles").unwrap();
    let moment = |at, who: &str, what: &str, tone| Moment { at, who: who.into(), what: html! { (what) }, tone };
    pages::page(
        &frame(language, Section::Requests),
        "4081 2290 1177",
        html! {
            (Heading::new("4081 2290 1177")
                .above(language, &[("inbox-en.html", t("Requests", "Solicitudes"))])
                .badges(html! { (show::kind(language, Kind::Delete)) (show::state(language, State::InReview)) (show::due(language, day(-2), -2)) })
                .lede(words::kind_asks(language, Kind::Delete))
                .actions(html! { (Button::secondary("PDF").download("#")) }))
            (show::split(
                html! {
                    (Card::new(t("What next", "Qué sigue")).lede(t("The clock does not wait for you to verify.", "El plazo no se detiene mientras verifica."))
                        .body(html! {
                            (Form::post(language, "#", "token").id("act").plain().body(form::actions(html! {
                                (Button::primary(t("Start fulfilling", "Empezar el trámite")).sends("action", "fulfil"))
                                (Button::secondary(t("Ask for verification", "Pedir verificación")).sends("action", "verify"))
                            })))
                            (show::disclosure(t("Extend", "Prorrogar"), false, html! {}))
                            (show::disclosure(t("Deny", "Denegar"), true,
                                Form::post(language, "#", "token").id("deny").body(html! {
                                    (Choices::radios("ground", t("On what ground", "Por qué motivo")).within("deny")
                                        .explained("exception", t("An exception applies", "Se aplica una excepción"), "Cal. Civ. Code 1798.105(d)")
                                        .unavailable("unverified", t("We could not verify who asks", "No pudimos verificar quién lo pide"),
                                            t("Ask for verification first.", "Primero pida la verificación.")))
                                    (Field::area("reason", t("Explain it to the person", "Explíqueselo a la persona"), 3).within("deny")
                                        .hint(t("They will read this.", "La persona leerá esto.")))
                                    (form::actions(Button::danger(t("Deny the request", "Denegar la solicitud"))))
                                })))
                        }))
                    (Card::new(t("Recording", "Grabación")).body(html! {
                        (show::audio(t("Message, 1 min 12 s", "Mensaje, 1 min 12 s"), "#", "audio/mpeg"))
                        p { "“Please delete everything you have about me, also the old catalogue address.”" }
                    }))
                    (Card::new(t("What happened", "Lo que pasó")).body(show::timeline(language, &[
                        moment(at(4, 16, 20), "Rosa Delgado", t("Review started", "Se empezó la revisión"), Tone::Info),
                        moment(at(3, 9, 5), "Optline", t("The person was told that the request arrived", "Se avisó a la persona de que la solicitud llegó"), Tone::Neutral),
                        moment(at(2, 18, 44), t("Hotline", "Línea telefónica"), t("Received on the call", "Se recibió en la llamada"), Tone::Success),
                    ])))
                },
                html! {
                    (Card::new(t("Clocks", "Plazos")).body(Facts::new()
                        .noted(t("Confirm by", "Confirmar antes del"), show::due(language, day(9), 9), "11 CCR 7021(a)")
                        .noted(t("Answer by", "Responder antes del"), show::due(language, day(-2), -2), "Cal. Civ. Code 1798.130(a)(2)")))
                    (Card::new(t("Contact", "Contacto")).body(Facts::new()
                        .fact(t("Name", "Nombre"), "Wilhelmina Oyelaran-Castellanos")
                        .fact(t("Phone", "Teléfono"), "+1 202 555 0123")
                        .fact(t("E-mail", "Correo"), "wilhelmina.oyelaran@example.com")
                        .fact(t("Lives in", "Vive en"), words::jurisdiction(language, domain::jurisdiction::Jurisdiction::UsCa))))
                    (Card::new(t("Assigned to", "Asignada a")).body(Form::post(language, "#", "token").id("assign").plain().body(html! {
                        (Select::new("assignee", t("Colleague", "Colega")).within("assign").choice("", t("Nobody", "Nadie")).choice("r", "Rosa Delgado").chosen("r"))
                        (form::actions(Button::secondary(t("Save", "Guardar"))))
                    })))
                    (Card::new(t("Attachments", "Archivos adjuntos")).body(Empty::new(t("No files yet", "Todavía no hay archivos"),
                        t("Add what the person sent, or what you sent them.", "Agregue lo que la persona envió o lo que usted le envió.")).icon(Icon::Attach)))
                },
            ))
        },
    )
}

fn months(language: Language, values: &[u64]) -> Vec<(String, u64)> {
    let first = date(2026, 1, 1);
    values
        .iter()
        .zip(0_i32..)
        .map(|(n, month)| {
            let month = first.checked_add(jiff::Span::new().months(month)).unwrap();
            (format::month(language, month).chars().take(3).collect(), *n)
        })
        .collect()
}

const YEAR: [u64; 12] = [31, 44, 40, 52, 61, 58, 75, 69, 88, 94, 120, 141];

fn overview(language: Language) -> Markup {
    let t = |english, spanish| either(language, english, spanish);
    let kinds: Vec<(String, u64)> = Kind::ALL
        .iter()
        .zip([412, 260, 118, 77, 31, 9, 0])
        .map(|(kind, n)| (words::kind(language, *kind).into(), n))
        .collect();
    let labels: Vec<String> = months(language, &YEAR).into_iter().map(|(label, _)| label).collect();
    pages::page(
        &frame(language, Section::Overview),
        t("Overview", "Resumen"),
        html! {
            (Heading::new(t("Good morning, Ana", "Buenos días, Ana")).lede(t("One request is overdue; two are due this week.", "Una solicitud está vencida; dos vencen esta semana.")))
            (show::grid(html! {
                (Tile::new(language, "open", t("Open", "Abiertas"), format::number(1_284)).to("#").trend(months(language, &YEAR)))
                (Tile::new(language, "late", t("Overdue", "Vencidas"), "1").to("#").note(html! { (t("Answer it today.", "Respóndala hoy.")) }))
                (Tile::new(language, "on-time", t("On time, last 90 days", "A tiempo, últimos 90 días"), format::percent(977, 1_000)).note(html! { "977 / 1,000" }))
                (Tile::new(language, "days", t("Days to answer, median", "Días para responder, mediana"), format::tenths(125)))
            }))
            (show::grid(html! {
                (Card::new(t("Next deadlines", "Próximos plazos")).actions(html! { a href="#" { (t("All requests", "Todas las solicitudes")) } })
                    .body(Table::new(t("Next deadlines", "Próximos plazos")).column(t("Request", "Solicitud")).column(t("Due", "Vence")).column(t("Asks", "Pide"))
                        .row(vec![html! { a.reference href="#" { "4081 2290 1177" } }, show::due(language, day(-2), -2), show::kind(language, Kind::Delete)]).pressing(true)
                        .row(vec![html! { a.reference href="#" { "9920 1145 3302" } }, show::due(language, day(0), 0), show::kind(language, Kind::OptOut)])
                        .row(vec![html! { a.reference href="#" { "1187 0036 5512" } }, show::due(language, day(2), 2), show::kind(language, Kind::KnowSpecific)])))
                (show::panel(chart::bars(language, "kinds", t("Open requests by kind", "Solicitudes abiertas por tipo"), t("Requests", "Solicitudes"), &kinds)))
                (show::panel(chart::stacked(language, "volume", t("Requests received per month", "Solicitudes recibidas por mes"), &labels, &series(language))))
                (show::panel(chart::line(language, "calls", t("Calls per month", "Llamadas por mes"), t("Calls", "Llamadas"), &months(language, &YEAR))))
            }))
        },
    )
}

fn series(language: Language) -> Vec<Series> {
    [Kind::OptOut, Kind::Delete, Kind::KnowSpecific, Kind::Message]
        .into_iter()
        .zip([100, 60, 35, 15])
        .map(|(kind, share)| Series {
            name: words::kind(language, kind).into(),
            values: YEAR.iter().map(|n| n * share / 210).collect(),
        })
        .collect()
}

fn charts(language: Language) -> Markup {
    let rows = |values: &[u64]| months(language, values);
    pages::page(
        &frame(language, Section::Reports),
        "Charts",
        html! {
            (Heading::new("Charts"))
            @for (name, values) in [("none", &[][..]), ("zeros", &[0, 0, 0]), ("one", &[7]), ("huge", &[u64::MAX, 1, u64::MAX / 3])] {
                (Card::new(name).body(show::grid(html! {
                    (chart::bars(language, &format!("b-{name}"), "Bars", "n", &rows(values)))
                    (chart::stacked(language, &format!("s-{name}"), "Stacked", &rows(values).into_iter().map(|(label, _)| label).collect::<Vec<_>>(),
                        &[Series { name: "A".into(), values: values.to_vec() }, Series { name: "B".into(), values: values.to_vec() }]))
                    (chart::line(language, &format!("l-{name}"), "Line", "n", &rows(values)))
                })))
            }
            (Card::new("31 days").body(chart::line(language, "days", "Calls per day", "Calls",
                &(1..=31).map(|day| (format!("{day}"), (day * 7 % 13) * 4)).collect::<Vec<_>>())))
        },
    )
}

fn forms(language: Language) -> Markup {
    let t = |english, spanish| either(language, english, spanish);
    let errors = [
        FieldError::new("name", t("Enter a name.", "Escriba un nombre.")),
        FieldError::new("kinds", t("Choose at least one kind of request.", "Elija al menos un tipo de solicitud.")),
        FieldError::new("greetings.es", t("Say the greeting in Spanish too.", "Escriba también el saludo en español.")),
    ];
    pages::page(
        &frame(language, Section::ServiceCodes),
        t("New service code", "Nuevo código de servicio"),
        html! {
            (Heading::new(t("New service code", "Nuevo código de servicio"))
                .above(language, &[("#", t("Service codes", "Códigos de servicio"))])
                .lede(t("Callers key it to reach this brand.", "Quien llama lo marca para llegar a esta marca.")))
            (show::steps(language, &[t("Code", "Código"), t("Greetings", "Saludos"), t("Web form", "Formulario web")], 1))
            (show::split(html! { div.card { (Form::post(language, "#", "token").errors(&errors).body(html! {
                (Field::text("name", t("Name", "Nombre")).errors(&errors).required())
                (Field::number("code", t("Code", "Código")).value("12").hint(t("1 to 6 digits, followed by #.", "De 1 a 6 cifras, seguidas de #.")))
                (Choices::checkboxes("kinds", t("Callers can ask for", "Quien llama puede pedir")).errors(&errors)
                    .explained("opt-out", words::kind(language, Kind::OptOut), words::kind_asks(language, Kind::OptOut))
                    .choice("delete", words::kind(language, Kind::Delete))
                    .choice("correct", words::kind(language, Kind::Correct)))
                (form::group(t("Greetings", "Saludos"), None, html! {
                    (Field::area("greetings.en", t("In English", "En inglés"), 3).value("Welcome to Harbor & Pine."))
                    (Field::area("greetings.es", t("In Spanish", "En español"), 3).errors(&errors))
                    (Field::file("audio", t("Or a recording", "O una grabación"), "audio/*").optional(language).hint(t("MP3 or WAV, at most 5 MB.", "MP3 o WAV, 5 MB como máximo.")))
                }))
                (form::row(html! {
                    (Field::date("from", t("From", "Desde")).value("2027-01-05"))
                    (Select::new("language", t("Language", "Idioma")).choices(Language::ALL.map(|it| (it.code(), words::own_name(it)))))
                }))
                (Check::switch("active", t("Active", "Activo")).on(true).hint(t("The next call hears it.", "Se oirá en la próxima llamada.")))
                (form::actions(html! {
                    (Button::primary(t("Save", "Guardar")))
                    (Button::quiet(t("Cancel", "Cancelar")).to("#"))
                }))
            })) } }, html! {
                (Card::new(t("Web form", "Formulario web")).body(show::copyable(language, "snippet", t("Put this into your site", "Ponga esto en su sitio"),
                    "<script src=\"https://optline.example/form.js\" data-code=\"12\" defer></script>")))
                (Card::new(t("Take it out of use", "Dejar de usarlo")).body(form::actions(Button::danger(t("Deactivate", "Desactivar")))))
            }))
        },
    )
}

fn parts(language: Language) -> Markup {
    let t = |english, spanish| either(language, english, spanish);
    pages::page(
        &frame(language, Section::Team),
        t("Parts", "Partes"),
        html! {
            (Heading::new(t("Parts", "Partes")))
            (Notice::info(t("Reports for 2026 are ready.", "Los informes de 2026 están listos.")).body(html! { p { a href="#" { (t("Read them", "Léalos")) } } }))
            (Notice::warning(t("You have two recovery codes left.", "Le quedan dos códigos de recuperación.")))
            (Notice::danger(t("Rosa Delgado completed this request while you were writing.", "Rosa Delgado completó esta solicitud mientras usted escribía.")))
            (Card::new(t("Badges", "Insignias")).body(html! {
                div.badges { @for state in State::ALL { (show::state(language, state)) } }
                div.badges { @for kind in Kind::ALL { (show::kind(language, kind)) } }
                div.badges { @for left in [-40, -1, 0, 1, 3, 4, 90] { (show::due(language, day(left), left)) } }
            }))
            (Card::new(t("Team", "Equipo")).body(
                Table::new(t("Colleagues", "Colegas")).column(t("Name", "Nombre")).column(t("Role", "Rol")).numbers(t("Requests", "Solicitudes")).buttons(t("Actions", "Acciones"))
                    .row(vec![html! { "Rosa Delgado" }, html! { (t("Agent", "Agente")) }, html! { "1,204" }, html! { (Button::quiet(t("Remove", "Quitar")).about("Rosa Delgado")) }])
                    .row(vec![html! { "Tom Okafor" }, html! { (t("Viewer", "Lector")) }, html! { "3" }, html! { (Button::quiet(t("Remove", "Quitar")).about("Tom Okafor")) }])))
            (Empty::new(t("Nothing is waiting", "No hay nada pendiente"), t("New requests from the hotline and the form appear here by themselves.", "Las solicitudes nuevas de la línea y del formulario aparecen aquí solas."))
                .action(Button::primary(t("Add a request", "Agregar una solicitud")).to("#").icon(Icon::Plus)))
            (show::pagination(language, Some("#"), None))
            (show::disclosure(t("Why is that?", "¿Por qué?"), true, html! { p { (t("Because the law says so.", "Porque lo dice la ley.")) } }))
        },
    )
}

fn sign_in(language: Language) -> Markup {
    let t = |english, spanish| either(language, english, spanish);
    pages::door(
        language,
        t("Sign in", "Iniciar sesión"),
        html! {
            (form::passkey_button(language, Passkey::SignIn, "/dashboard/passkey", "token", t("Sign in with a passkey", "Entrar con una llave de acceso"), None))
            (Form::post(language, "/dashboard/sign-in", "token").plain().body(html! {
                (Field::email("email", t("E-mail", "Correo electrónico")).autocomplete("username webauthn").required())
                (Field::password(language, "password", t("Password", "Contraseña"), "current-password").required())
                (form::actions(Button::secondary(t("Continue", "Continuar"))))
            }))
            p { a href="#" { (t("Forgot your password?", "¿Olvidó su contraseña?")) } }
        },
    )
}
