//! What the pages of setup and proof have in common.

use domain::FieldError;
use domain::audit::{Act, Entry, Who};
use domain::language::Language;
use platform::edge::Visit;
use platform::session::Session;

/// An entry of the audit trail for what is being done.
pub(crate) fn entry(session: &Session, visit: &Visit, act: Act) -> Entry {
    Entry::new(visit.at, Who::User(session.user.clone()), act).from(&visit.client.address)
}

/// What the domain says about fields, in the language of the page.
pub(crate) fn in_words(language: Language, errors: Vec<FieldError>) -> Vec<FieldError> {
    let said = |error: FieldError| match language {
        Language::English => error,
        Language::Spanish => {
            let spanish = SPANISH.iter().find(|(english, _)| *english == error.reason);
            FieldError::new(error.field, spanish.map_or(error.reason, |(_, spanish)| (*spanish).to_owned()))
        }
    };
    errors.into_iter().map(said).collect()
}

const SPANISH: &[(&str, &str)] = &[
    ("Enter a name.", "Escriba un nombre."),
    ("Use at most 100 characters.", "Use 100 caracteres como máximo."),
    ("Use one line of plain text.", "Use una sola línea de texto."),
    ("Choose at least one language.", "Elija al menos un idioma."),
    ("Choose each language once.", "Elija cada idioma una sola vez."),
    ("Add a greeting in this language.", "Añada un saludo en este idioma."),
    ("This language is not offered.", "Este idioma no se ofrece."),
    ("Enter what the caller hears.", "Escriba lo que oye quien llama."),
    (
        "This is too long to be said at once. Use at most 3,000 characters, fewer with many accents.",
        "Es demasiado largo para decirlo de una vez. Use 3,000 caracteres como máximo, menos si hay muchos acentos.",
    ),
    ("Use plain text, without control characters.", "Use texto sin caracteres de control."),
    ("Upload the recording as MP3 or WAV.", "Suba la grabación como MP3 o WAV."),
    ("Choose at least one kind of request.", "Elija al menos un tipo de solicitud."),
    ("Enter an address that begins with https://.", "Escriba una dirección que empiece con https://."),
    ("List at most 20 sites.", "Escriba 20 sitios como máximo."),
    ("List each site once.", "Escriba cada sitio una sola vez."),
    ("Choose a time zone such as America/Los_Angeles.", "Elija una zona horaria, como America/Los_Angeles."),
    ("Choose each state once.", "Elija cada estado una sola vez."),
    ("Choose 24 to 120 months: the law asks for at least 24.", "Elija de 24 a 120 meses: la ley pide 24 como mínimo."),
    (
        "Choose at least 1 month, and no more than for requests.",
        "Elija 1 mes como mínimo, y no más que para las solicitudes.",
    ),
    ("Choose at most 5 days.", "Elija 5 días como máximo."),
    ("Choose 1 to 30 days before.", "Elija de 1 a 30 días antes."),
    (
        "Name each number of days once, the highest first.",
        "Escriba cada número de días una sola vez, primero el más alto.",
    ),
];

#[cfg(test)]
pub(crate) mod tests {
    use domain::service_code::ServiceCodeProfile;
    use domain::tenant::TenantProfile;
    use pages::{Frame, Section};
    use serde_json::json;

    use super::*;

    /// What stands around a page in a test.
    pub(crate) fn frame(language: Language, section: Section) -> Frame {
        Frame {
            language,
            tenant_name: "Example Shop".into(),
            user_name: "Ana".into(),
            role: "Owner".into(),
            csrf: "csrf".into(),
            section,
            sections: Section::ALL.to_vec(),
        }
    }

    /// The page without what stands around it.
    pub(crate) fn main_of(markup: maud::Markup) -> String {
        let text = markup.into_string();
        let from = text.find("<main").unwrap();
        let to = text.find("</main>").unwrap();
        text[from..to].replace("><", ">\n<")
    }

    #[test]
    fn whatever_the_domain_refuses_is_said_in_spanish_too() {
        let mut tenant: TenantProfile =
            serde_json::from_value(json!({"name": "", "time-zone": "x", "jurisdictions": ["us-ca", "us-ca"]})).unwrap();
        tenant.retention.request_months = 1;
        tenant.retention.message_months = 0;
        let mut found = vec![];
        for (days, name) in [(vec![1; 6], ""), (vec![31], "a\nb"), (vec![1, 2], &"x".repeat(101))] {
            tenant.reminders.days_before = days;
            tenant.name = name.to_owned();
            found.extend(tenant.validate().unwrap_err());
        }
        let site = |n: u32| format!("https://shop{n}.example.com");
        for (greeting, languages, origins) in [
            (json!({"text": " "}), json!([]), json!([])),
            (json!({"text": "x".repeat(3001)}), json!(["en", "en"]), json!([site(1), site(1)])),
            (json!({"text": "\u{7}"}), json!(["en", "es"]), json!((0..21).map(site).collect::<Vec<_>>())),
            (json!({"audio": {"file": "x"}}), json!(["en"]), json!([])),
        ] {
            let code: ServiceCodeProfile = serde_json::from_value(json!({
                "code": "1", "name": "x", "active": true, "languages": languages, "greetings": {"en": greeting},
                "kinds": [], "web-form": "http://x", "origins": origins,
            }))
            .unwrap();
            found.extend(code.validate().unwrap_err());
        }
        for (english, spanish) in found.clone().into_iter().zip(in_words(Language::Spanish, found)) {
            assert_ne!(english.reason, spanish.reason);
        }
    }
}
