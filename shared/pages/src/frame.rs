//! The whole document, for people who are signed in and for people at the door.

use domain::language::Language;
use maud::{DOCTYPE, Markup, Render, html};
use serde::Serialize;

use crate::icon::Icon;
use crate::{assets, words};

/// A part of the dashboard, as its menu has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// What is open, what is due, how it goes.
    Overview,
    /// The inbox and each request.
    Requests,
    /// Service codes and their greetings.
    ServiceCodes,
    /// Who works here.
    Team,
    /// The business's own settings.
    Settings,
    /// Calls and minutes.
    Usage,
    /// Who did what, when.
    Audit,
    /// What the law asks to publish and to keep.
    Reports,
    /// One's own account; it is in the user's menu, not in the main one.
    Account,
}

impl Section {
    /// Every section, in the order of the menu.
    pub const ALL: [Self; 9] = [
        Self::Overview,
        Self::Requests,
        Self::ServiceCodes,
        Self::Team,
        Self::Settings,
        Self::Usage,
        Self::Audit,
        Self::Reports,
        Self::Account,
    ];

    /// Where it is.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Overview => "/dashboard/overview",
            Self::Requests => "/dashboard/requests",
            Self::ServiceCodes => "/dashboard/service-codes",
            Self::Team => "/dashboard/team",
            Self::Settings => "/dashboard/settings",
            Self::Usage => "/dashboard/usage",
            Self::Audit => "/dashboard/audit",
            Self::Reports => "/dashboard/report",
            Self::Account => "/dashboard/account",
        }
    }

    /// What it is called.
    #[must_use]
    pub const fn name(self, language: Language) -> &'static str {
        let texts = Texts::of(language);
        match self {
            Self::Overview => texts.overview,
            Self::Requests => texts.requests,
            Self::ServiceCodes => texts.service_codes,
            Self::Team => texts.team,
            Self::Settings => texts.settings,
            Self::Usage => texts.usage,
            Self::Audit => texts.audit,
            Self::Reports => texts.reports,
            Self::Account => texts.account,
        }
    }

    const fn icon(self) -> Icon {
        match self {
            Self::Overview => Icon::Overview,
            Self::Requests => Icon::Inbox,
            Self::ServiceCodes => Icon::Hash,
            Self::Team => Icon::People,
            Self::Settings => Icon::Settings,
            Self::Usage => Icon::Meter,
            Self::Audit => Icon::Chain,
            Self::Reports => Icon::Report,
            Self::Account => Icon::Person,
        }
    }
}

/// Who is signed in and where they are: what stands around every page of the dashboard.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The language of the page.
    pub language: Language,
    /// The business's name.
    pub tenant_name: String,
    /// The person's name.
    pub user_name: String,
    /// What the person's role is called, in the language of the page.
    pub role: String,
    /// The token that the frame's own forms carry.
    pub csrf: String,
    /// Where the page is.
    pub section: Section,
    /// The sections this person may see.
    pub sections: Vec<Section>,
}

/// A page of the dashboard, the whole document.
///
/// `title` names the document; `main` begins with [`crate::show::Heading`], which is the page's only `h1`.
#[must_use]
pub fn page(frame: &Frame, title: &str, main: impl Render) -> Markup {
    let texts = Texts::of(frame.language);
    document(
        frame.language,
        &format!("{title} · {}", frame.tenant_name),
        &html! {
            header.top {
                a.brand href=(Section::Overview.path()) { (mark()) span.brand-name { (PRODUCT) } }
                p.tenant { (frame.tenant_name) }
                div.menus {
                    details.menu.menu-main {
                        summary { (Icon::Menu) span.menu-label { (texts.menu) } }
                        nav.menu-panel aria-label=(texts.main_menu) { (sections(frame)) }
                    }
                    details.menu.menu-user {
                        summary {
                            (Icon::Person) span.menu-label { (frame.user_name) }
                        }
                        div.menu-panel {
                            p.menu-who { strong { (frame.user_name) } br; (frame.role) }
                            ul {
                                li { a href="/dashboard/account" aria-current=[current(frame, Section::Account)] { (Icon::Person) (texts.account) } }
                                li { a href="/dashboard/factors" { (Icon::Key) (texts.factors) } }
                                li { a href="/dashboard/sessions" { (Icon::Lock) (texts.sessions) } }
                            }
                            form method="post" action="/dashboard/sign-out" {
                                input type="hidden" name="csrf" value=(frame.csrf);
                                button.button.button-quiet type="submit" { (Icon::Out) span { (texts.sign_out) } }
                            }
                        }
                    }
                }
            }
            div.desk {
                // Twice in the document, once on the screen: beside the page where there is room, else in the menu
                // above, which opens without a script.
                nav.side aria-label=(texts.main_menu) { (sections(frame)) }
                main #main tabindex="-1" { (main) }
            }
            (footer(frame.language))
        },
    )
}

/// A page for someone who is not signed in: one card, and a choice of language. `title` is its `h1`.
///
/// The language links are relative to the page (`?lang=es`).
#[must_use]
pub fn door(language: Language, title: &str, main: impl Render) -> Markup {
    let texts = Texts::of(language);
    document(
        language,
        title,
        &html! {
            div.door {
                header.door-top {
                    span.brand { (mark()) span.brand-name { (PRODUCT) } }
                    nav.languages aria-label=(texts.language) {
                        @for other in Language::ALL {
                            a href={ "?lang=" (other.code()) } lang=(other.code()) hreflang=(other.code())
                                aria-current=[(other == language).then_some("true")] { (words::own_name(other)) }
                        }
                    }
                }
                main #main.card.door-card tabindex="-1" {
                    h1 { (title) }
                    (main)
                }
                (footer(language))
            }
        },
    )
}

const PRODUCT: &str = "Optline";

fn document(language: Language, title: &str, body: &Markup) -> Markup {
    let texts = Texts::of(language);
    html! {
        (DOCTYPE)
        html lang=(language.code()) {
            head {
                meta charset="utf-8";
                title { (title) " · " (PRODUCT) }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                meta name="format-detection" content="telephone=no";
                link rel="icon" type="image/svg+xml" href=(assets::path("favicon.svg"));
                link rel="stylesheet" href=(assets::path("style.css"));
                script src=(assets::path("app.js")) defer {}
            }
            body {
                a.skip href="#main" { (texts.skip) }
                (body)
                div.sr #announce role="status" aria-live="polite" {}
            }
        }
    }
}

fn sections(frame: &Frame) -> Markup {
    html! {
        ul.sections {
            @for section in Section::ALL.into_iter().filter(|it| *it != Section::Account && frame.sections.contains(it)) {
                li {
                    a href=(section.path()) aria-current=[current(frame, section)] {
                        (section.icon()) span { (section.name(frame.language)) }
                    }
                }
            }
        }
    }
}

fn current(frame: &Frame, section: Section) -> Option<&'static str> {
    (frame.section == section).then_some("page")
}

fn footer(language: Language) -> Markup {
    html! { footer.foot { p { (Texts::of(language).footer) } } }
}

/// The product's mark: a receiver that is also an open "o".
fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false" {
            path.mark-line d="M22.5 6.8A11.3 11.3 0 1 0 27.3 16" {}
            circle.mark-dot cx="24.5" cy="9.8" r="3.2" {}
            path.mark-line d="M11 16h10" {}
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Texts {
    skip: &'static str,
    menu: &'static str,
    main_menu: &'static str,
    language: &'static str,
    overview: &'static str,
    requests: &'static str,
    service_codes: &'static str,
    team: &'static str,
    settings: &'static str,
    usage: &'static str,
    audit: &'static str,
    reports: &'static str,
    account: &'static str,
    factors: &'static str,
    sessions: &'static str,
    sign_out: &'static str,
    footer: &'static str,
}

impl Texts {
    pub(crate) const EN: Self = Self {
        skip: "Skip to the page",
        menu: "Menu",
        main_menu: "Main menu",
        language: "Language",
        overview: "Overview",
        requests: "Requests",
        service_codes: "Service codes",
        team: "Team",
        settings: "Settings",
        usage: "Usage",
        audit: "Audit",
        reports: "Reports",
        account: "Your account",
        factors: "Passkeys and codes",
        sessions: "Where you are signed in",
        sign_out: "Sign out",
        footer: "Optline answers privacy requests, on time.",
    };
    pub(crate) const ES: Self = Self {
        skip: "Ir a la página",
        menu: "Menú",
        main_menu: "Menú principal",
        language: "Idioma",
        overview: "Resumen",
        requests: "Solicitudes",
        service_codes: "Códigos de servicio",
        team: "Equipo",
        settings: "Configuración",
        usage: "Uso",
        audit: "Auditoría",
        reports: "Informes",
        account: "Su cuenta",
        factors: "Llaves de acceso y códigos",
        sessions: "Dónde tiene la sesión abierta",
        sign_out: "Cerrar sesión",
        footer: "Optline responde a las solicitudes de privacidad, a tiempo.",
    };

    const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &Self::EN,
            Language::Spanish => &Self::ES,
        }
    }
}
