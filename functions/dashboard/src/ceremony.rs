//! Passkeys, as a page's script and the server speak of them: JSON in two steps.

use domain::language::Language;
use identity::passkey::{self, Begun, PasskeyError, Relying};
use pages::texts::either;
use platform::edge::{Page, Visit};
use platform::ticket::Tickets;
use platform::{App, Error};
use serde::Deserialize;
use serde_json::{Value, json};

/// What the script sends.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "step")]
pub(crate) enum Step {
    /// Ask for a challenge.
    Begin,
    /// Hand in the browser's answer.
    Finish {
        /// What came with the challenge.
        state: String,
        /// The answer.
        credential: Value,
        /// What a new passkey is to be called.
        #[serde(default)]
        name: String,
    },
}

/// The service, at its public address.
pub(crate) fn relying(app: &App) -> Result<Relying, Error> {
    Relying::new(app.config.public_base_url()?).map_err(Error::failed("preparing passkeys"))
}

/// The answer to [`Step::Begin`]: the challenge, and its state for this browser and purpose only.
pub(crate) fn begun(tickets: &Tickets, purpose: &'static str, visit: &Visit, begun: &Begun) -> Result<Page, Error> {
    let challenge: Value =
        serde_json::from_str(&begun.challenge).map_err(Error::failed("writing a passkey's challenge"))?;
    let state = tickets.seal(purpose, &visit.csrf, visit.at + passkey::LIFETIME, &begun.state)?;
    Page::json(&json!({ "options": challenge, "state": state }))
}

/// The state of [`Step::Finish`], opened; each is good once.
pub(crate) async fn state(
    app: &App,
    tickets: &Tickets,
    purpose: &'static str,
    visit: &Visit,
    sealed: &str,
) -> Result<String, Error> {
    let state: String = tickets.open(purpose, &visit.csrf, visit.at, sealed).map_err(|_| Error::StaleForm)?;
    // By the text within: what seals it may be spelled in more ways than one.
    let first = app.store.use_up("passkey-state", &state, visit.at + passkey::LIFETIME).await?;
    if first { Ok(state) } else { Err(Error::StaleForm) }
}

/// What went wrong, for the person.
pub(crate) fn refused(language: Language, error: PasskeyError) -> Error {
    let (english, spanish) = match error {
        PasskeyError::Name => (
            "Give the passkey a name of 1 to 60 characters, such as the device it is on.",
            "Ponga a la llave un nombre de 1 a 60 caracteres, como el del dispositivo.",
        ),
        PasskeyError::TooMany => (
            "There are 20 passkeys already. Remove one that is not used any more.",
            "Ya hay 20 llaves de acceso. Quite una que ya no use.",
        ),
        PasskeyError::AddedBefore => ("This passkey was added before.", "Esta llave ya estaba añadida."),
        PasskeyError::Expired => ("That took too long. Try again.", "Tardó demasiado. Inténtelo de nuevo."),
        PasskeyError::Unknown => (
            "We do not know this passkey. It may have been removed.",
            "No conocemos esta llave. Puede que se haya quitado.",
        ),
        PasskeyError::NotVerified => (
            "The device did not check that it is you. Turn on its screen lock or PIN, then try again.",
            "El dispositivo no comprobó que es usted. Active su bloqueo o PIN e inténtelo de nuevo.",
        ),
        PasskeyError::Copied => (
            "This passkey may have been copied. Sign in another way, remove it and add it again.",
            "Puede que alguien haya copiado esta llave. Entre de otra forma, quítela y añádala otra vez.",
        ),
        PasskeyError::Unreadable | PasskeyError::OtherCeremony | PasskeyError::Refused(_) => {
            ("The passkey was not accepted. Try again.", "La llave no fue aceptada. Inténtelo de nuevo.")
        }
        error @ (PasskeyError::Address(_) | PasskeyError::Challenge(_)) => {
            return Error::failed("asking for a passkey")(error);
        }
    };
    Error::invalid("passkey", either(language, english, spanish))
}
