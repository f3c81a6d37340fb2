//! What a page with a widget loads, and from where.

use domain::human_check::{Provider, Settings};
use domain::language::Language;

use super::Base;

/// The address of a provider's script. Both languages of ours are called as the providers call them.
#[must_use]
pub fn script(settings: &Settings, language: Language, base: &Base) -> String {
    let (key, language) = (&settings.site_key, language.code());
    match settings.provider {
        Provider::Turnstile => base.address("challenges.cloudflare.com", "/turnstile/v0/api.js"),
        Provider::Hcaptcha => base.address("js.hcaptcha.com", &format!("/1/api.js?hl={language}")),
        Provider::RecaptchaV2 => base.address("www.google.com", &format!("/recaptcha/api.js?hl={language}")),
        Provider::RecaptchaV3 => {
            base.address("www.google.com", &format!("/recaptcha/api.js?render={key}&hl={language}"))
        }
        Provider::RecaptchaAssessment => {
            base.address("www.google.com", &format!("/recaptcha/enterprise.js?render={key}&hl={language}"))
        }
    }
}

/// The class by which a provider's script finds the place of its widget; none where there is nothing to see.
#[must_use]
pub const fn class(provider: Provider) -> Option<&'static str> {
    match provider {
        Provider::Turnstile => Some("cf-turnstile"),
        Provider::Hcaptcha => Some("h-captcha"),
        Provider::RecaptchaV2 => Some("g-recaptcha"),
        Provider::RecaptchaV3 | Provider::RecaptchaAssessment => None,
    }
}

/// What the page's content security policy must let in, as each provider names it.
#[must_use]
pub fn sources(provider: Provider, base: &Base) -> Vec<String> {
    let hosts: &[&str] = match provider {
        Provider::Turnstile => &["https://challenges.cloudflare.com"],
        Provider::Hcaptcha => &["https://hcaptcha.com", "https://*.hcaptcha.com"],
        Provider::RecaptchaV2 | Provider::RecaptchaV3 | Provider::RecaptchaAssessment => &[
            "https://www.google.com/recaptcha/",
            "https://www.gstatic.com/recaptcha/",
            "https://recaptcha.google.com/recaptcha/",
        ],
    };
    match &base.0 {
        None => hosts.iter().map(|host| (*host).to_owned()).collect(),
        Some(base) => vec![format!("{base}/")],
    }
}
