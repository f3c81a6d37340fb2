//! Choosing a password: the rules in words, and its hash.

use domain::language::Language;
use identity::password::{self, Password, PasswordError};
use pages::texts::either;
use platform::Error;

/// The hash of a password that may be chosen, or why it may not be. `context` is what others know of its owner.
pub(crate) fn password(
    language: Language,
    typed: &str,
    context: &[&str],
) -> Result<Result<String, &'static str>, Error> {
    let chosen = Password::parse(typed).and_then(|password| password.check(context).map(|()| password));
    match chosen {
        Ok(password) => password::hash(&password).map(Ok).map_err(Error::failed("hashing a password")),
        Err(error) => Ok(Err(reason(language, error))),
    }
}

/// What to know before choosing.
pub(crate) const fn hint(language: Language) -> &'static str {
    either(
        language,
        "At least 12 characters. A few words in a row work well; a password manager’s suggestion works best.",
        "Al menos 12 caracteres. Sirven varias palabras seguidas; lo mejor es lo que proponga un gestor de contraseñas.",
    )
}

const fn reason(language: Language, error: PasswordError) -> &'static str {
    match error {
        PasswordError::TooShort => either(
            language,
            "Use at least 12 characters. A few words in a row work well.",
            "Use al menos 12 caracteres. Sirven varias palabras seguidas.",
        ),
        PasswordError::TooLong => either(language, "Use at most 256 characters.", "Use como mucho 256 caracteres."),
        PasswordError::Repetitive => either(
            language,
            "This repeats the same few characters. Use words or characters that do not repeat.",
            "Repite los mismos caracteres. Use palabras o caracteres que no se repitan.",
        ),
        PasswordError::Common => either(
            language,
            "This is, or is built around, a password that many people use, so it is tried first. Choose something else, or \
             add more words.",
            "Es una contraseña que usa mucha gente, o parte de una, y por eso es la primera que se prueba. Elija otra o \
             añada palabras.",
        ),
        PasswordError::Personal => either(
            language,
            "This is mostly your name, your e-mail address, your company or Optline. Choose words that have nothing to do \
             with them.",
            "Es casi todo su nombre, su correo, su empresa u Optline. Elija palabras que no tengan que ver con eso.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_is_mostly_the_address_is_refused_in_the_persons_language() {
        let refused = password(Language::Spanish, "ana.perez.2026!", &["ana.perez@shop.example"]).unwrap();
        assert!(refused.unwrap_err().starts_with("Es casi todo su nombre"));
        let fine = password(Language::English, "seven quiet rivers", &["ana.perez@shop.example"]).unwrap();
        assert!(fine.unwrap().starts_with("$argon2id$"));
    }
}
