//! What the domain's words are called on a page.

use domain::jurisdiction::Jurisdiction;
use domain::language::Language;
use domain::request::{Action, Channel, Kind, Missing, State};
use domain::role::{Permission, Role};

use crate::texts::either;

/// What a kind of request is called: "Opt out of sale".
#[must_use]
pub const fn kind(language: Language, kind: Kind) -> &'static str {
    match kind {
        Kind::OptOut => either(language, "Opt out of sale", "No vender ni compartir"),
        Kind::Delete => either(language, "Delete", "Eliminar"),
        Kind::KnowCategories => either(language, "Know: categories", "Saber: categorías"),
        Kind::KnowSpecific => either(language, "Know: specific pieces", "Saber: datos concretos"),
        Kind::Correct => either(language, "Correct", "Corregir"),
        Kind::Limit => either(language, "Limit sensitive use", "Limitar información sensible"),
        Kind::Message => either(language, "Message", "Mensaje"),
    }
}

/// What a role is called.
#[must_use]
pub const fn role(language: Language, role: Role) -> &'static str {
    match role {
        Role::Owner => either(language, "Owner", "Titular"),
        Role::Manager => either(language, "Manager", "Responsable"),
        Role::Agent => either(language, "Agent", "Agente"),
        Role::Viewer => either(language, "Viewer", "Lectura"),
    }
}

/// What a role may do, as a sentence.
#[must_use]
pub const fn role_may(language: Language, role: Role) -> &'static str {
    match role {
        Role::Owner => {
            either(language, "Everything, and decides who else may come in.", "Todo, y decide quién más puede entrar.")
        }
        Role::Manager => either(
            language,
            "Requests, service codes, settings, exports and the audit trail; not the team.",
            "Solicitudes, códigos de servicio, ajustes, exportaciones y registro de auditoría; no el equipo.",
        ),
        Role::Agent => {
            either(language, "Works on requests and enters new ones.", "Atiende solicitudes y registra nuevas.")
        }
        Role::Viewer => either(
            language,
            "Reads requests and reports, changes nothing.",
            "Lee solicitudes e informes, sin cambiar nada.",
        ),
    }
}

/// What a permission lets somebody do, as a phrase that follows "let you".
#[must_use]
pub const fn permission(language: Language, permission: Permission) -> &'static str {
    match permission {
        Permission::SeeRequests => either(language, "see requests", "ver solicitudes"),
        Permission::WorkRequests => either(language, "work on requests", "trabajar en solicitudes"),
        Permission::ExportRequests => either(language, "export requests", "exportar solicitudes"),
        Permission::HoldRequests => either(
            language,
            "hold requests and restore them from the recycle bin",
            "retener solicitudes y restaurarlas de la papelera",
        ),
        Permission::SeeSettings => {
            either(language, "see how the account is set up", "ver la configuración de la cuenta")
        }
        Permission::EditServiceCodes => {
            either(language, "change service codes and greetings", "cambiar códigos de servicio y saludos")
        }
        Permission::EditSettings => {
            either(language, "change the account’s settings", "cambiar los ajustes de la cuenta")
        }
        Permission::ManageTeam => either(language, "manage the team", "administrar el equipo"),
        Permission::SeeAudit => either(language, "read the audit trail", "leer el registro de auditoría"),
        Permission::ExportAudit => either(language, "export the audit trail", "exportar el registro de auditoría"),
        Permission::SeeReports => either(language, "see reports", "ver informes"),
        Permission::ExportReports => either(language, "download reports", "descargar informes"),
        Permission::SettleUsage => {
            either(language, "decide what becomes of unbilled usage", "decidir qué se hace con el uso sin facturar")
        }
        Permission::OwnAccount => either(language, "change your account", "cambiar su cuenta"),
        Permission::ChangeFactors => {
            either(language, "change how you sign in", "cambiar la forma en que inicia sesión")
        }
    }
}

/// What a person asks with a kind of request, as a sentence.
#[must_use]
pub const fn kind_asks(language: Language, kind: Kind) -> &'static str {
    match kind {
        Kind::OptOut => either(
            language,
            "Stop selling and sharing the person’s information.",
            "Dejar de vender y de compartir los datos de la persona.",
        ),
        Kind::Delete => either(
            language,
            "Delete the person’s information, and tell those it was passed to.",
            "Eliminar los datos de la persona y avisar a quienes los recibieron.",
        ),
        Kind::KnowCategories => either(
            language,
            "Say which categories of information you hold, where they came from and who receives them.",
            "Decir qué categorías de datos tiene, de dónde vienen y quién los recibe.",
        ),
        Kind::KnowSpecific => either(
            language,
            "Hand over the specific pieces of information you hold.",
            "Entregar los datos concretos que tiene.",
        ),
        Kind::Correct => {
            either(language, "Correct information that is not accurate.", "Corregir los datos que no son exactos.")
        }
        Kind::Limit => either(
            language,
            "Use sensitive information only for what was asked for.",
            "Usar la información sensible solo para lo que se pidió.",
        ),
        Kind::Message => either(
            language,
            "A message. Listen to it and file it as what it asks.",
            "Un mensaje. Escúchelo y clasifíquelo según lo que pide.",
        ),
    }
}

/// What a state is called: "In review".
#[must_use]
pub const fn state(language: Language, state: State) -> &'static str {
    match state {
        State::Incomplete => either(language, "Incomplete", "Incompleta"),
        State::Received => either(language, "Received", "Recibida"),
        State::Verifying => either(language, "Verifying", "En verificación"),
        State::InReview => either(language, "In review", "En revisión"),
        State::Fulfilling => either(language, "Fulfilling", "En trámite"),
        State::Completed => either(language, "Completed", "Completada"),
        State::Denied => either(language, "Denied", "Denegada"),
        State::Withdrawn => either(language, "Withdrawn", "Retirada"),
    }
}

/// What a channel is called: "In person".
#[must_use]
pub const fn channel(language: Language, channel: Channel) -> &'static str {
    match channel {
        Channel::Phone => either(language, "Phone", "Teléfono"),
        Channel::Form => either(language, "Web form", "Formulario web"),
        Channel::Email => either(language, "E-mail", "Correo electrónico"),
        Channel::Mail => either(language, "Letter", "Carta"),
        Channel::InPerson => either(language, "In person", "En persona"),
        Channel::Signal => either(language, "Browser signal", "Señal del navegador"),
    }
}

/// What an incomplete request lacks, as part of a sentence: "the person’s name".
#[must_use]
pub const fn missing(language: Language, missing: Missing) -> &'static str {
    match missing {
        Missing::Name => either(language, "the person’s name", "el nombre de la persona"),
        Missing::Details => either(language, "what they ask, in their own words", "qué pide, en sus propias palabras"),
        Missing::Confirmation => {
            either(language, "their word that it is right", "su confirmación de que todo es correcto")
        }
    }
}

/// An action as the label of its button: "Take up", "Deny".
#[must_use]
pub const fn action(language: Language, action: Action) -> &'static str {
    match action {
        Action::Receive => either(language, "Accept as it is", "Aceptar como está"),
        Action::Acknowledge => either(language, "Confirm receipt", "Confirmar recepción"),
        Action::Classify => either(language, "Say what it asks", "Indicar qué pide"),
        Action::Assign => either(language, "Assign", "Asignar"),
        Action::Residence => either(language, "Set where they live", "Indicar dónde vive"),
        Action::Verify => either(language, "Ask for verification", "Pedir verificación"),
        Action::Review => either(language, "Start review", "Empezar la revisión"),
        Action::Fulfil => either(language, "Start fulfilling", "Empezar el trámite"),
        Action::Complete => either(language, "Complete", "Completar"),
        Action::Deny => either(language, "Deny", "Denegar"),
        Action::Withdraw => either(language, "Mark as withdrawn", "Marcar como retirada"),
        Action::Extend => either(language, "Extend", "Prorrogar"),
        Action::Reopen => either(language, "Reopen", "Reabrir"),
        Action::Expire => either(language, "Erase", "Borrar"),
    }
}

/// An action as something that happened, for a timeline: "Denied".
#[must_use]
pub const fn happened(language: Language, action: Action) -> &'static str {
    match action {
        Action::Receive => either(language, "Received", "Se recibió"),
        Action::Acknowledge => either(language, "Receipt confirmed", "Se confirmó la recepción"),
        Action::Classify => either(language, "Classified", "Se clasificó"),
        Action::Assign => either(language, "Assigned", "Se asignó"),
        Action::Residence => either(language, "Residence set", "Se indicó la residencia"),
        Action::Verify => either(language, "Verification asked for", "Se pidió verificación"),
        Action::Review => either(language, "Review started", "Se empezó la revisión"),
        Action::Fulfil => either(language, "Fulfilling started", "Se empezó el trámite"),
        Action::Complete => either(language, "Completed", "Se completó"),
        Action::Deny => either(language, "Denied", "Se denegó"),
        Action::Withdraw => either(language, "Withdrawn", "Se retiró"),
        Action::Extend => either(language, "Extended", "Se prorrogó"),
        Action::Reopen => either(language, "Reopened", "Se reabrió"),
        Action::Expire => either(language, "A part was erased", "Se borró una parte"),
    }
}

/// What a language calls itself is the same on every page: "Español".
#[must_use]
pub const fn own_name(language: Language) -> &'static str {
    either(language, "English", "Español")
}

/// What a language is called in another: "Spanish", "español".
#[must_use]
pub const fn language(language: Language, named: Language) -> &'static str {
    match named {
        Language::English => either(language, "English", "inglés"),
        Language::Spanish => either(language, "Spanish", "español"),
    }
}

/// What a jurisdiction is called: "New Hampshire", "Nuevo Hampshire".
#[must_use]
pub const fn jurisdiction(language: Language, jurisdiction: Jurisdiction) -> &'static str {
    match jurisdiction {
        Jurisdiction::UsCa => "California",
        Jurisdiction::UsAl => "Alabama",
        Jurisdiction::UsCo => "Colorado",
        Jurisdiction::UsCt => "Connecticut",
        Jurisdiction::UsDe => "Delaware",
        Jurisdiction::UsFl => "Florida",
        Jurisdiction::UsIa => "Iowa",
        Jurisdiction::UsIn => "Indiana",
        Jurisdiction::UsKy => "Kentucky",
        Jurisdiction::UsMd => "Maryland",
        Jurisdiction::UsMn => "Minnesota",
        Jurisdiction::UsMt => "Montana",
        Jurisdiction::UsNe => "Nebraska",
        Jurisdiction::UsNh => either(language, "New Hampshire", "Nuevo Hampshire"),
        Jurisdiction::UsNj => either(language, "New Jersey", "Nueva Jersey"),
        Jurisdiction::UsNv => "Nevada",
        Jurisdiction::UsOk => "Oklahoma",
        Jurisdiction::UsOr => either(language, "Oregon", "Oregón"),
        Jurisdiction::UsRi => "Rhode Island",
        Jurisdiction::UsTn => "Tennessee",
        Jurisdiction::UsTx => "Texas",
        Jurisdiction::UsUt => "Utah",
        Jurisdiction::UsVa => "Virginia",
        Jurisdiction::UsWa => "Washington",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const CHANNELS: [Channel; 6] =
        [Channel::Phone, Channel::Form, Channel::Email, Channel::Mail, Channel::InPerson, Channel::Signal];

    #[test]
    fn everything_has_a_name_of_its_own_in_every_language() {
        for language in Language::ALL {
            let distinct = |names: Vec<&str>| {
                assert!(names.iter().all(|name| !name.trim().is_empty()));
                assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
            };
            distinct(Kind::ALL.map(|it| kind(language, it)).to_vec());
            distinct(Kind::ALL.map(|it| kind_asks(language, it)).to_vec());
            distinct(State::ALL.map(|it| state(language, it)).to_vec());
            distinct(CHANNELS.map(|it| channel(language, it)).to_vec());
            distinct(Action::ALL.map(|it| action(language, it)).to_vec());
            distinct(Action::ALL.map(|it| happened(language, it)).to_vec());
            distinct(Jurisdiction::ALL.map(|it| jurisdiction(language, it)).to_vec());
            distinct(Language::ALL.map(|it| super::language(language, it)).to_vec());
            distinct([Missing::Name, Missing::Details, Missing::Confirmation].map(|it| missing(language, it)).to_vec());
        }
    }
}
