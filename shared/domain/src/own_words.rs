//! Why something happened to a request, where nobody gives a reason: in words of our own. They are stored in English, with
//! the event, and told to people in their language.

use crate::language::{Language, Words};

/// Somebody of the team typed it in.
pub const ENTERED: Words = Words { en: "entered by hand", es: "registrada a mano" };
/// It came by the web form.
pub const BY_FORM: Words = Words { en: "sent with the web form", es: "enviada con el formulario web" };
/// It came by telephone.
pub const BY_TELEPHONE: Words = Words {
    en: "the caller confirmed the request on the telephone",
    es: "quien llamó confirmó la solicitud por teléfono",
};
/// A browser asks for it by itself.
pub const BY_SIGNAL: Words = Words {
    en: "the browser’s opt-out preference signal",
    es: "la señal de preferencia de exclusión del navegador",
};
/// It came by the page of choices.
pub const BY_CHOICE: Words =
    Words { en: "asked for on the page of privacy choices", es: "pedida en la página de opciones de privacidad" };
/// All that can be done for a browser that sends the signal.
pub const SIGNAL_TOLD: Words = Words {
    en: "the browser tells the site that it visits by its signal, and nothing else is known of it",
    es: "el navegador se lo dice con su señal al sitio que visita, y no se sabe nada más de él",
};
/// All that can be done for a browser that made a choice.
pub const CHOICE_TOLD: Words = Words {
    en: "handed to the browser, which takes it to the business’s site; nothing else is known of it",
    es: "entregada al navegador, que la lleva al sitio de la empresa; no se sabe nada más de él",
};
/// The law lets nobody ask who it is.
pub const NOT_VERIFIED: Words =
    Words { en: "who asked need not be verified", es: "no hace falta verificar a quien lo pidió" };
/// A step on the way of a decision.
pub const AT_ONCE: Words = Words { en: "decided at once", es: "decidido de inmediato" };

/// All of them.
pub const ALL: [Words; 9] =
    [ENTERED, BY_FORM, BY_TELEPHONE, BY_SIGNAL, BY_CHOICE, SIGNAL_TOLD, CHOICE_TOLD, NOT_VERIFIED, AT_ONCE];

/// A reason as it was stored, in a language: a row of ours is translated, and what people wrote stays as it is.
#[must_use]
pub fn told(language: Language, why: &str) -> String {
    let row = |row| ALL.into_iter().find(|words| words.en == row).map_or(row, |words| words.of(language));
    why.lines().map(row).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_words_are_told_in_the_readers_language_and_a_persons_stay_theirs() {
        let stored = format!("Her account matched.\n{}", AT_ONCE.en);
        assert_eq!(told(Language::Spanish, &stored), "Her account matched.\ndecidido de inmediato");
        assert_eq!(told(Language::English, &stored), stored);
    }

    #[test]
    fn each_is_one_row_and_no_two_are_the_same() {
        for (place, words) in ALL.into_iter().enumerate() {
            assert_eq!(words.en.lines().count(), 1);
            assert!(ALL.iter().skip(place + 1).all(|other| other.en != words.en), "{}", words.en);
        }
    }
}
