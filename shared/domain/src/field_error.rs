//! What is wrong with a field, in words for the person who filled it in.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::language::Language;

/// One field that cannot be accepted, and why.
///
/// `field` is the name used in the stored and submitted form, with dots for nesting (`greetings.es`).
/// `reason` is a sentence that can be shown beside the field; it never repeats the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FieldError {
    /// The field's name.
    pub field: String,
    /// What to change.
    pub reason: String,
}

impl FieldError {
    /// Names the field and what to change about it.
    #[must_use]
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }

    /// The same in a language. Reasons are written in English; one that is not this crate's own stays as it is.
    #[must_use]
    pub fn in_language(self, language: Language) -> Self {
        match language {
            Language::English => self,
            Language::Spanish => {
                let spanish = SPANISH.iter().find(|(english, _)| *english == self.reason);
                Self { reason: spanish.map_or(self.reason, |(_, spanish)| (*spanish).to_owned()), ..self }
            }
        }
    }
}

/// Every reason that this crate gives, in English and in Spanish.
const SPANISH: [(&str, &str); 23] = [
    ("Add a greeting in this language.", "Añada un saludo en este idioma."),
    ("Choose 1 to 30 days before.", "Elija de 1 a 30 días antes."),
    ("Choose 24 to 120 months: the law asks for at least 24.", "Elija de 24 a 120 meses: la ley pide al menos 24."),
    ("Choose a time zone such as America/Los_Angeles.", "Elija una zona horaria, como America/Los_Angeles."),
    ("Choose an hour from 0 to 23.", "Elija una hora de 0 a 23."),
    (
        "Choose at least 1 month, and no more than for requests.",
        "Elija al menos 1 mes y no más que para las solicitudes.",
    ),
    ("Choose at least one kind of request.", "Elija al menos un tipo de solicitud."),
    ("Choose at least one language.", "Elija al menos un idioma."),
    ("Choose at most 5 days.", "Elija 5 días como máximo."),
    ("Choose each language once.", "Elija cada idioma una vez."),
    ("Choose each state once.", "Elija cada estado una vez."),
    ("Enter a name.", "Escriba un nombre."),
    ("Enter an address that begins with https://.", "Escriba una dirección que empiece con https://."),
    ("Enter what the caller hears.", "Escriba lo que oirá quien llame."),
    ("List at most 20 sites.", "Indique 20 sitios como máximo."),
    ("List each site once.", "Indique cada sitio una vez."),
    ("Name each number of days once, the highest first.", "Indique cada número de días una vez, de mayor a menor."),
    (
        "This is too long to be said at once. Use at most 3,000 characters, fewer with many accents.",
        "Es demasiado largo para decirlo de una vez. Use como máximo 3000 caracteres, menos si hay muchos acentos.",
    ),
    ("This language is not offered.", "Este idioma no se ofrece."),
    ("Upload the recording as MP3 or WAV.", "Suba la grabación como MP3 o WAV."),
    ("Use at most 100 characters.", "Use 100 caracteres como máximo."),
    ("Use one line of plain text.", "Use una línea de texto sin formato."),
    ("Use plain text, without control characters.", "Use texto sin formato, sin caracteres de control."),
];

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.reason)
    }
}

/// `Ok` when nothing was found wrong.
pub(crate) fn none_of(errors: Vec<FieldError>) -> Result<(), Vec<FieldError>> {
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Says what is wrong with a name that people will read or hear, if anything is.
pub(crate) fn wrong_with_name(name: &str) -> Option<&'static str> {
    if name.trim().is_empty() {
        Some("Enter a name.")
    } else if name.chars().count() > 100 {
        Some("Use at most 100 characters.")
    } else if name.chars().any(char::is_control) {
        Some("Use one line of plain text.")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sentences in the code of a file, which are what it says to people.
    fn sentences(code: &'static str) -> impl Iterator<Item = &'static str> {
        let code = code.split("#[cfg(test)]").next().unwrap();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines
            .flat_map(|line| line.split('"').skip(1).step_by(2))
            .filter(|text| text.ends_with('.') && text.starts_with(|c: char| c.is_ascii_uppercase()))
    }

    #[test]
    fn every_reason_is_there_in_spanish_too() {
        let files = [
            include_str!("field_error.rs").split("/// Every reason").next().unwrap(),
            include_str!("field_error.rs").split("pub(crate) fn none_of").nth(1).unwrap(),
            include_str!("service_code.rs"),
            include_str!("tenant.rs"),
            include_str!("user.rs"),
        ];
        let said: Vec<_> = files.into_iter().flat_map(sentences).collect();
        assert!(said.len() > 15);
        for reason in said {
            let spanish = FieldError::new("name", reason).in_language(Language::Spanish).reason;
            assert_ne!(spanish, reason);
            assert_eq!(FieldError::new("name", reason).in_language(Language::English).reason, reason);
        }
    }

    #[test]
    fn what_another_crate_says_stays_as_it_is() {
        let error = FieldError::new("slug", "Use 1 to 64 of a-z.");
        assert_eq!(error.clone().in_language(Language::Spanish), error);
    }
}
