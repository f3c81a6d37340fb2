//! Pages that say why there is no page, and what to do next.

use domain::language::Language;
use maud::{Markup, html};
use serde::Serialize;

use crate::form::Button;
use crate::format;
use crate::frame::{self, Frame};
use crate::icon::Icon;
use crate::show::Heading;
use crate::texts::fill;

/// Why what was asked for is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem<'a> {
    /// There is nothing here, or nothing this person may know of.
    NotFound,
    /// Their role does not allow it.
    Forbidden {
        /// What it takes, as a phrase that follows "to": "change service codes".
        permission: &'a str,
        /// What the roles that can do it or grant it are called: "owner".
        who_can_grant: &'a [&'a str],
    },
    /// The session is over.
    SignedOut,
    /// The form was open too long, or was sent from elsewhere.
    StaleForm,
    /// Too many tries.
    Throttled {
        /// When the next one may be made.
        seconds: u64,
    },
    /// What was sent is larger than what is taken.
    TooLarge,
    /// What was sent breaks a rule.
    Invalid {
        /// What to do about it, as a sentence in the page's language.
        reason: &'a str,
    },
    /// Somebody else changed the same thing first.
    Conflict,
    /// Something broke on our side.
    Failed {
        /// What to tell whoever looks into it.
        request_id: &'a str,
    },
}

/// A page that says what happened and what to do next: inside the frame if there is one, else at the door.
#[must_use]
pub fn problem(language: Language, frame: Option<&Frame>, problem: Problem<'_>) -> Markup {
    let texts = Texts::of(language);
    let said = texts.about(problem);
    let body = html! {
        @for sentence in what_to_do(language, problem) { p { (sentence) } }
        @if let Problem::Failed { request_id } = problem {
            p { (texts.failed_id) " " code { (request_id) } }
        }
        p.actions {
            @match problem {
                Problem::SignedOut => (Button::primary(texts.sign_in).to("/dashboard/sign-in").icon(Icon::Key)),
                _ if frame.is_some() => (Button::primary(texts.to_overview).to("/dashboard/overview")),
                _ => (Button::primary(texts.to_sign_in).to("/dashboard/sign-in")),
            }
        }
    };
    match frame {
        Some(frame) => frame::page(
            frame,
            said.title,
            html! {
                (Heading::new(said.title))
                div.problem { (body) }
            },
        ),
        None => frame::door(language, said.title, html! { div.problem { (body) } }),
    }
}

/// The title of such a page, and its sentences.
pub(crate) fn said(language: Language, problem: Problem<'_>) -> (&'static str, Vec<String>) {
    let mut sentences = what_to_do(language, problem);
    let texts = Texts::of(language);
    if let Problem::Failed { request_id } = problem {
        sentences.push(format!("{} {request_id}", texts.failed_id));
    }
    (texts.about(problem).title, sentences)
}

fn what_to_do(language: Language, problem: Problem<'_>) -> Vec<String> {
    let said = Texts::of(language).about(problem);
    match problem {
        Problem::Forbidden { permission, who_can_grant } => {
            let roles = format::list(language, who_can_grant);
            vec![
                fill(said.what, &[("permission", permission)]),
                fill(said.next, &[("permission", permission), ("roles", &roles)]),
            ]
        }
        Problem::Throttled { seconds } => {
            let wait = format::wait(language, seconds);
            vec![said.what.to_owned(), fill(said.next, &[("wait", &wait)])]
        }
        Problem::Invalid { reason } => vec![reason.to_owned(), said.next.to_owned()],
        Problem::NotFound
        | Problem::Conflict
        | Problem::SignedOut
        | Problem::StaleForm
        | Problem::TooLarge
        | Problem::Failed { .. } => {
            vec![said.what.to_owned(), said.next.to_owned()]
        }
    }
}

#[derive(Serialize)]
struct About {
    title: &'static str,
    what: &'static str,
    next: &'static str,
}

#[derive(Serialize)]
pub(crate) struct Texts {
    not_found: About,
    forbidden: About,
    signed_out: About,
    stale_form: About,
    throttled: About,
    too_large: About,
    invalid: About,
    conflict: About,
    failed: About,
    failed_id: &'static str,
    sign_in: &'static str,
    to_sign_in: &'static str,
    to_overview: &'static str,
}

impl Texts {
    const fn about(&self, problem: Problem<'_>) -> &About {
        match problem {
            Problem::NotFound => &self.not_found,
            Problem::Forbidden { .. } => &self.forbidden,
            Problem::SignedOut => &self.signed_out,
            Problem::StaleForm => &self.stale_form,
            Problem::Throttled { .. } => &self.throttled,
            Problem::TooLarge => &self.too_large,
            Problem::Invalid { .. } => &self.invalid,
            Problem::Conflict => &self.conflict,
            Problem::Failed { .. } => &self.failed,
        }
    }

    const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &Self::EN,
            Language::Spanish => &Self::ES,
        }
    }

    pub(crate) const EN: Self = Self {
        not_found: About {
            title: "We can’t find that page",
            what: "The address may be mistyped, the link may have run out, or what was here has been removed.",
            next: "Check the address, or start again from the page below.",
        },
        forbidden: About {
            title: "Your role doesn’t include this",
            what: "Your role does not let you {permission}.",
            next: "If you need it for your work, ask someone with one of these roles to give it to you: {roles}.",
        },
        signed_out: About {
            title: "Please sign in again",
            what: "Your session has ended, which keeps people’s requests safe when a screen is left alone.",
            next: "Sign in and you can go on.",
        },
        stale_form: About {
            title: "That form was out of date",
            what: "Nothing was saved. The form was open for a long time, or you have signed in again since you opened it.",
            next: "Go back, load the page again, and send the form once more.",
        },
        throttled: About {
            title: "Too many tries",
            what: "To keep accounts safe, we only take a few tries in a row.",
            next: "Please wait {wait}, then try again.",
        },
        too_large: About {
            title: "That is too large to send",
            what: "Nothing was saved, because what you sent is larger than we can take.",
            next: "Go back and send a smaller file or a shorter text.",
        },
        invalid: About {
            title: "That could not be saved",
            what: "Something in what you sent needs another look.",
            next: "Go back, change it, and send it once more.",
        },
        conflict: About {
            title: "Somebody else was faster",
            what: "While you were at it, a colleague changed the same thing. Your change was not saved, theirs was.",
            next: "Go back, load the page again to see what changed, and decide anew.",
        },
        failed: About {
            title: "Something went wrong on our side",
            what: "Your last step may not have been saved. We have been told about it.",
            next: "Wait a moment, go back and look whether it was saved before you try again.",
        },
        failed_id: "If you write to us about it, give this number:",
        sign_in: "Sign in",
        to_sign_in: "Go to sign-in",
        to_overview: "Go to the overview",
    };

    pub(crate) const ES: Self = Self {
        not_found: About {
            title: "No encontramos esa página",
            what: "Puede que la dirección esté mal escrita, que el enlace haya caducado o que lo que estaba aquí ya no exista.",
            next: "Revise la dirección o vuelva a empezar desde la página de abajo.",
        },
        forbidden: About {
            title: "Su rol no incluye esto",
            what: "Su rol no le permite {permission}.",
            next: "Si lo necesita para su trabajo, pídaselo a alguien que tenga uno de estos roles: {roles}.",
        },
        signed_out: About {
            title: "Inicie sesión de nuevo",
            what: "Su sesión terminó; así las solicitudes de las personas están seguras si una pantalla queda sola.",
            next: "Inicie sesión y podrá continuar.",
        },
        stale_form: About {
            title: "Ese formulario ya no era válido",
            what: "No se guardó nada. El formulario estuvo abierto mucho tiempo o usted volvió a iniciar sesión después de abrirlo.",
            next: "Vuelva atrás, cargue la página otra vez y envíe el formulario de nuevo.",
        },
        throttled: About {
            title: "Demasiados intentos",
            what: "Para cuidar las cuentas, solo aceptamos unos pocos intentos seguidos.",
            next: "Espere {wait} y vuelva a intentarlo.",
        },
        too_large: About {
            title: "Eso es demasiado grande para enviarlo",
            what: "No se guardó nada, porque lo que envió es más grande de lo que podemos recibir.",
            next: "Vuelva atrás y envíe un archivo más pequeño o un texto más corto.",
        },
        invalid: About {
            title: "No se pudo guardar",
            what: "Algo de lo que envió necesita otra mirada.",
            next: "Vuelva atrás, corríjalo y envíelo de nuevo.",
        },
        conflict: About {
            title: "Alguien se adelantó",
            what: "Mientras usted trabajaba, otra persona cambió lo mismo. Se guardó su cambio, no el de usted.",
            next: "Vuelva atrás, cargue la página de nuevo para ver qué cambió y decida otra vez.",
        },
        failed: About {
            title: "Algo falló de nuestro lado",
            what: "Es posible que su último paso no se haya guardado. Ya recibimos el aviso.",
            next: "Espere un momento, vuelva atrás y mire si se guardó antes de intentarlo otra vez.",
        },
        failed_id: "Si nos escribe sobre esto, indique este número:",
        sign_in: "Iniciar sesión",
        to_sign_in: "Ir al inicio de sesión",
        to_overview: "Ir al resumen",
    };
}
