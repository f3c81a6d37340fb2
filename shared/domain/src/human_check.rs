//! Whether a person or a program fills in a form: who is asked about it, and what a request says of it afterwards.
//!
//! A check never stands between a person and their rights: what could not be checked is taken all the same, says so, and
//! is confirmed by e-mail (11 CCR 7004: no unnecessary burden, no dead ends).

use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::language::Words;

/// What a widget is told that the person is about to do, and what the provider must say that they did.
///
/// Letters and underscores only, 32 at most: what all providers take.
pub const ACTION: &str = "privacy_request";

/// The longest token that is passed on, in bytes: Turnstile's are at most 2,048 characters, reCAPTCHA's some thousands.
pub const LONGEST_TOKEN: usize = 8192;

/// Who tells people from programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// Cloudflare Turnstile.
    Turnstile,
    /// hCaptcha.
    Hcaptcha,
    /// Google reCAPTCHA v2 with a checkbox, by `siteverify`.
    RecaptchaV2,
    /// Google reCAPTCHA v3 with a score, by `siteverify`.
    RecaptchaV3,
    /// Google Cloud reCAPTCHA with a score, by `createAssessment`.
    RecaptchaAssessment,
}

impl Provider {
    /// Every provider, the one that tells its maker least about people first.
    pub const ALL: [Self; 5] =
        [Self::Turnstile, Self::Hcaptcha, Self::RecaptchaV2, Self::RecaptchaV3, Self::RecaptchaAssessment];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Turnstile => "turnstile",
            Self::Hcaptcha => "hcaptcha",
            Self::RecaptchaV2 => "recaptcha-v2",
            Self::RecaptchaV3 => "recaptcha-v3",
            Self::RecaptchaAssessment => "recaptcha-assessment",
        }
    }

    /// The provider with this stored name.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.code() == code)
    }

    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Turnstile => "Cloudflare Turnstile",
            Self::Hcaptcha => "hCaptcha",
            Self::RecaptchaV2 => "reCAPTCHA v2",
            Self::RecaptchaV3 => "reCAPTCHA v3",
            Self::RecaptchaAssessment => "reCAPTCHA (Google Cloud)",
        }
    }

    /// The form's field in which its widget leaves the token.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Turnstile => "cf-turnstile-response",
            Self::Hcaptcha => "h-captcha-response",
            Self::RecaptchaV2 | Self::RecaptchaV3 | Self::RecaptchaAssessment => "g-recaptcha-response",
        }
    }

    /// Whether it gives a score instead of a yes or no.
    #[must_use]
    pub const fn gives_score(self) -> bool {
        matches!(self, Self::RecaptchaV3 | Self::RecaptchaAssessment)
    }

    /// Whether it says for which action a token was made.
    #[must_use]
    pub const fn says_action(self) -> bool {
        matches!(self, Self::Turnstile | Self::RecaptchaV3 | Self::RecaptchaAssessment)
    }

    /// Whether it is asked in the name of a Google Cloud project.
    #[must_use]
    pub const fn needs_project(self) -> bool {
        matches!(self, Self::RecaptchaAssessment)
    }

    /// How long a token is good: Turnstile 300 seconds ("Validate the token"), reCAPTCHA two minutes ("Verifying the
    /// user's response"), hCaptcha 120 seconds unless its account says otherwise.
    #[must_use]
    pub const fn token_lives(self) -> SignedDuration {
        match self {
            Self::Turnstile => SignedDuration::from_secs(300),
            Self::Hcaptcha | Self::RecaptchaV2 | Self::RecaptchaV3 | Self::RecaptchaAssessment => {
                SignedDuration::from_secs(120)
            }
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// How surely somebody is a person, in hundredths: 0 is certainly a program, 100 certainly a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Score(u8);

impl Score {
    /// The score from which Google suggests to take somebody for a person ("reCAPTCHA v3: Interpreting the score").
    pub const USUAL: Self = Self(50);

    /// From a provider's number between 0 and 1, never rounded up; anything else is no score.
    #[must_use]
    pub fn of(number: f64) -> Option<Self> {
        if !(0.0..=1.0).contains(&number) {
            return None;
        }
        // 0.9 comes as 0.8999999761581421 from those who count in 32 bits.
        let hundredths = (number + 1e-6) * 100.0;
        (0..=100_u8).rev().find(|whole| f64::from(*whole) <= hundredths).map(Self)
    }

    /// Reads what a person enters: `0.5`, `.5`, `0,5`, `1`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().replace(',', ".");
        let plain = text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if plain { text.parse().ok().and_then(Self::of) } else { None }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl TryFrom<u8> for Score {
    type Error = &'static str;

    fn try_from(hundredths: u8) -> Result<Self, Self::Error> {
        if hundredths <= 100 { Ok(Self(hundredths)) } else { Err("a score is 0 to 100 hundredths") }
    }
}

impl From<Score> for u8 {
    fn from(score: Score) -> Self {
        score.0
    }
}

/// How a business has people told from programs. Its secret is kept elsewhere, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Settings {
    /// Who is asked.
    pub provider: Provider,
    /// What the widget in the form is called by; public.
    pub site_key: String,
    /// The Google Cloud project, where the provider needs one.
    #[serde(default)]
    pub project: Option<String>,
    /// The least score that counts as a person, where the provider gives one.
    #[serde(default)]
    pub least_score: Option<Score>,
}

/// What is wrong with a field of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Not what providers give out.
    #[error("the site key is not one")]
    SiteKey,
    /// Not what providers give out.
    #[error("the secret is not one")]
    Secret,
    /// Not the id of a project.
    #[error("the project is not one")]
    Project,
    /// No number from 0 to 1.
    #[error("the score is not one")]
    Score,
}

impl SettingsError {
    /// What to change, for the person who filled in the field.
    #[must_use]
    pub const fn words(self) -> Words {
        match self {
            Self::SiteKey => Words {
                en: "Copy the site key from your provider: letters, digits, dashes and underscores.",
                es: "Copie la clave del sitio de su proveedor: letras, dígitos, guiones y guiones bajos.",
            },
            Self::Secret => Words {
                en: "Copy the secret from your provider, without blanks.",
                es: "Copie la clave secreta de su proveedor, sin espacios.",
            },
            Self::Project => Words {
                en: "Enter the id of your Google Cloud project: small letters, digits and dashes.",
                es: "Escriba el id de su proyecto de Google Cloud: letras minúsculas, dígitos y guiones.",
            },
            Self::Score => {
                Words { en: "Enter a number from 0 to 1, such as 0.5.", es: "Escriba un número de 0 a 1, como 0.5." }
            }
        }
    }
}

impl Settings {
    /// Everything that is wrong, in the order of the fields.
    pub fn validate(&self) -> Result<(), Vec<SettingsError>> {
        let mut errors = vec![];
        if !is_key(&self.site_key) {
            errors.push(SettingsError::SiteKey);
        }
        if self.provider.needs_project() != self.project.is_some() || !self.project.as_deref().is_none_or(is_project) {
            errors.push(SettingsError::Project);
        }
        if self.provider.gives_score() != self.least_score.is_some() {
            errors.push(SettingsError::Score);
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

/// Whether a text can be a secret that a provider gave out.
pub fn check_secret(secret: &str) -> Result<(), SettingsError> {
    if is_key(secret) { Ok(()) } else { Err(SettingsError::Secret) }
}

/// Site keys, secrets and API keys of all providers are made of these, and fit into an address.
fn is_key(text: &str) -> bool {
    (8..=200).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Project ids: 6 to 30 lower-case letters, digits and dashes (Google Cloud, "Creating and managing projects").
fn is_project(text: &str) -> bool {
    (6..=30).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// What a request says of whoever sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// A provider took them for a person.
    Checked,
    /// Nobody has, for this reason; it is confirmed by e-mail where an address was given.
    Unchecked(Unchecked),
    /// Whoever reads the mail at the address that was given says that they asked.
    Confirmed,
}

/// Why nobody was asked, or nobody answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unchecked {
    /// The business has set up no check.
    NotSetUp,
    /// The form came without a token: no script, or the widget was blocked or left alone.
    NoToken,
    /// The person chose to confirm by e-mail instead.
    Declined,
    /// The provider could not be reached, or gave no answer that can be read.
    Unreachable,
    /// The provider does not know the business's keys.
    Misconfigured,
}

impl Unchecked {
    /// Every reason.
    pub const ALL: [Self; 5] = [Self::NotSetUp, Self::NoToken, Self::Declined, Self::Unreachable, Self::Misconfigured];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotSetUp => "not-set-up",
            Self::NoToken => "no-token",
            Self::Declined => "declined",
            Self::Unreachable => "unreachable",
            Self::Misconfigured => "misconfigured",
        }
    }
}

impl Standing {
    /// The stored form: `checked`, `confirmed`, `unchecked:no-token`.
    #[must_use]
    pub fn code(self) -> String {
        match self {
            Self::Checked => "checked".to_owned(),
            Self::Confirmed => "confirmed".to_owned(),
            Self::Unchecked(why) => format!("unchecked:{}", why.code()),
        }
    }

    /// Reads the stored form.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        match code {
            "checked" => Some(Self::Checked),
            "confirmed" => Some(Self::Confirmed),
            _ => {
                let why = code.strip_prefix("unchecked:")?;
                Unchecked::ALL.into_iter().find(|it| it.code() == why).map(Self::Unchecked)
            }
        }
    }

    /// Whether somebody is still to say that they asked.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Unchecked(_))
    }

    /// What the desk reads of it.
    #[must_use]
    pub const fn words(self) -> Words {
        match self {
            Self::Checked => Words { en: "Checked: a person", es: "Comprobado: una persona" },
            Self::Confirmed => Words { en: "Confirmed by e-mail", es: "Confirmado por correo electrónico" },
            Self::Unchecked(Unchecked::NotSetUp) => {
                Words { en: "Not checked: no check is set up", es: "Sin comprobar: no hay comprobación configurada" }
            }
            Self::Unchecked(Unchecked::NoToken) => {
                Words { en: "Not checked: the check was not done", es: "Sin comprobar: no se hizo la comprobación" }
            }
            Self::Unchecked(Unchecked::Declined) => Words {
                en: "Not checked: they chose to send it without",
                es: "Sin comprobar: eligió enviarla sin ella",
            },
            Self::Unchecked(Unchecked::Unreachable) => Words {
                en: "Not checked: the check was out of order",
                es: "Sin comprobar: la comprobación no funcionaba",
            },
            Self::Unchecked(Unchecked::Misconfigured) => Words {
                en: "Not checked: the check’s keys are wrong, see Settings",
                es: "Sin comprobar: las claves de la comprobación están mal, vea Configuración",
            },
        }
    }
}

/// Why a token is not taken for a person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The provider says no.
    Invalid,
    /// The token was used before.
    Duplicate,
    /// It is older than its provider lets it be, or from the future.
    Expired,
    /// It is both too old or used, and the provider does not say which.
    ExpiredOrDuplicate,
    /// It was made on another site.
    WrongHost,
    /// It was made for something else.
    WrongAction,
    /// The score is below what the business asks for.
    LowScore,
}

impl Refusal {
    /// For logs and tests.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Duplicate => "duplicate",
            Self::Expired => "expired",
            Self::ExpiredOrDuplicate => "expired-or-duplicate",
            Self::WrongHost => "wrong-host",
            Self::WrongAction => "wrong-action",
            Self::LowScore => "low-score",
        }
    }

    /// Whether the token may be one that this very form has used up: then its request is there already.
    #[must_use]
    pub const fn may_be_repeated(self) -> bool {
        matches!(self, Self::Duplicate | Self::ExpiredOrDuplicate)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settings() -> Settings {
        Settings {
            provider: Provider::RecaptchaAssessment,
            site_key: "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI".into(),
            project: Some("shop-forms-1".into()),
            least_score: Some(Score::USUAL),
        }
    }

    #[test]
    fn settings_ask_for_what_their_provider_needs_and_for_no_more() {
        assert_eq!(settings().validate(), Ok(()));
        let plain = Settings { provider: Provider::Turnstile, project: None, least_score: None, ..settings() };
        assert_eq!(plain.validate(), Ok(()));
        let both = vec![SettingsError::Project, SettingsError::Score];
        assert_eq!(Settings { provider: Provider::Turnstile, ..settings() }.validate(), Err(both.clone()));
        assert_eq!(Settings { project: None, least_score: None, ..settings() }.validate(), Err(both));
        for wrong in ["", "short", "a key with blanks", "key\"><script>", &"x".repeat(201)] {
            let wrong = Settings { site_key: wrong.to_owned(), ..settings() };
            assert_eq!(wrong.validate(), Err(vec![SettingsError::SiteKey]), "{wrong:?}");
        }
        for wrong in ["Shop", "shop", "1shop-forms", "shop/../forms", "shop forms", &"s".repeat(31)] {
            let wrong = Settings { project: Some(wrong.to_owned()), ..settings() };
            assert_eq!(wrong.validate(), Err(vec![SettingsError::Project]), "{wrong:?}");
        }
        assert_eq!(check_secret("1x0000000000000000000000000000000AA"), Ok(()));
        assert_eq!(check_secret(" "), Err(SettingsError::Secret));
    }

    #[test]
    fn settings_are_stored_in_kebab_case() {
        let stored = serde_json::to_value(settings()).unwrap();
        let expected = serde_json::json!({
            "provider": "recaptcha-assessment", "site-key": "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI",
            "project": "shop-forms-1", "least-score": 50,
        });
        assert_eq!(stored, expected);
        assert_eq!(serde_json::from_value::<Settings>(stored).unwrap(), settings());
        assert!(serde_json::from_value::<Score>(101.into()).is_err());
    }

    #[test]
    fn a_score_is_read_as_people_and_providers_write_it() {
        for (text, hundredths) in
            [("0.5", 50), (".5", 50), ("0,75", 75), ("1", 100), ("1.00", 100), ("0", 0), ("0.7", 70)]
        {
            assert_eq!(Score::parse(text), Some(Score(hundredths)), "{text}");
        }
        for wrong in ["", "-1", "1.01", "2", "half", "1e-1", "NaN", "inf", "0.12345"] {
            assert_eq!(Score::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Score::of(0.899_999_976_158_142_1), Some(Score(90)));
        assert_eq!(Score::of(f64::NAN), None);
        assert_eq!(Score(7).to_string(), "0.07");
    }

    #[test]
    fn what_a_request_says_is_read_back() {
        let all = Unchecked::ALL.map(Standing::Unchecked).into_iter().chain([Standing::Checked, Standing::Confirmed]);
        for standing in all {
            assert_eq!(Standing::parse(&standing.code()), Some(standing));
        }
        assert_eq!(Standing::parse("unchecked:"), None);
        for provider in Provider::ALL {
            assert_eq!(Provider::parse(provider.code()), Some(provider));
        }
    }

    proptest! {
        #[test]
        fn no_number_becomes_more_than_it_is(number in -0.5..1.5_f64) {
            match Score::of(number) {
                Some(score) => prop_assert!(f64::from(score.0) <= number * 100.0 + 1e-3 && (0.0..=1.0).contains(&number)),
                None => prop_assert!(!(0.0..=1.0).contains(&number)),
            }
        }

        #[test]
        fn a_score_reads_back_as_it_was_shown(hundredths in 0..=100_u8) {
            prop_assert_eq!(Score::parse(&Score(hundredths).to_string()), Some(Score(hundredths)));
        }
    }
}
