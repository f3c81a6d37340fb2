//! `siteverify`: a form with secret and token, answered by JSON. reCAPTCHA invented it; Turnstile and hCaptcha speak it
//! with words of their own.

use aws_lc_rs::digest::{SHA256, digest};
use domain::human_check::{Refusal, Score, Settings};
use jiff::Timestamp;
use serde::Deserialize;

use super::{Attempt, Body, HumanCheck, Question, Said, Trouble, Verdict, judge, misconfigured, unreadable};

/// A provider that speaks `siteverify`.
#[derive(Debug)]
pub struct SiteVerify {
    host: &'static str,
    path: &'static str,
    /// Whether it checks that the token was made by this site key.
    takes_site_key: bool,
    /// Whether it takes a key under which the same question gets the same answer.
    takes_idempotency_key: bool,
}

impl SiteVerify {
    /// reCAPTCHA v2 and v3.
    pub const RECAPTCHA: Self = Self {
        host: "www.google.com",
        path: "/recaptcha/api/siteverify",
        takes_site_key: false,
        takes_idempotency_key: false,
    };
    /// Cloudflare Turnstile.
    pub const TURNSTILE: Self = Self {
        host: "challenges.cloudflare.com",
        path: "/turnstile/v0/siteverify",
        takes_site_key: false,
        takes_idempotency_key: true,
    };
    /// hCaptcha.
    pub const HCAPTCHA: Self =
        Self { host: "api.hcaptcha.com", path: "/siteverify", takes_site_key: true, takes_idempotency_key: false };
}

#[derive(Deserialize)]
struct Answer {
    success: bool,
    challenge_ts: Option<String>,
    hostname: Option<String>,
    action: Option<String>,
    score: Option<f64>,
    #[serde(default, rename = "error-codes")]
    error_codes: Vec<String>,
}

impl HumanCheck for SiteVerify {
    fn question(&self, settings: &Settings, secret: &str, attempt: &Attempt<'_>) -> Question {
        let mut form = vec![("secret", secret.to_owned()), ("response", attempt.token.to_owned())];
        if !attempt.address.is_empty() {
            form.push(("remoteip", attempt.address.to_owned()));
        }
        if self.takes_site_key {
            form.push(("sitekey", settings.site_key.clone()));
        }
        if self.takes_idempotency_key {
            form.push(("idempotency_key", idempotency_key(attempt.form)));
        }
        Question {
            host: self.host,
            path: self.path.to_owned(),
            header: None,
            body: Body::Form(form),
            repeatable: self.takes_idempotency_key,
        }
    }

    fn verdict(&self, settings: &Settings, attempt: &Attempt<'_>, status: u16, answer: &[u8]) -> Verdict {
        let Ok(answer) = serde_json::from_slice::<Answer>(answer) else {
            return if (400..500).contains(&status) {
                misconfigured("the provider refuses the question")
            } else {
                unreadable("its answer cannot be read")
            };
        };
        if !answer.success || !answer.error_codes.is_empty() {
            return refused(&answer.error_codes);
        }
        if !(200..300).contains(&status) {
            return unreadable("its answer cannot be read");
        }
        // hCaptcha leaves the host out where a site has very many visitors (docs.hcaptcha.com, "Verify the User Response").
        if answer.hostname.as_deref() == Some("not-provided") {
            return unreadable("it does not say where the token was made");
        }
        let said = Said {
            host: answer.hostname.as_deref(),
            action: answer.action.as_deref(),
            made_at: answer.challenge_ts.as_deref().and_then(|at| at.parse::<Timestamp>().ok()),
            score: answer.score.and_then(Score::of).filter(|_| settings.provider.gives_score()),
        };
        judge(settings, attempt, &said)
    }
}

/// What the codes of an answer say, those about ourselves first: a wrong secret is not the visitor's fault.
fn refused(codes: &[String]) -> Verdict {
    let has = |known: &[&str]| codes.iter().any(|code| known.contains(&code.as_str()));
    if has(&["missing-input-secret", "invalid-input-secret", "invalid-parsed-secret", "invalid-keys"]) {
        return misconfigured("the secret is wrong");
    }
    if has(&["sitekey-secret-mismatch", "invalid-widget-id", "invalid-sitekey", "not-using-dummy-passcode"]) {
        return misconfigured("site key and secret do not belong together");
    }
    if has(&["bad-request", "missing-remoteip", "invalid-remoteip"]) {
        return misconfigured("the provider refuses the question");
    }
    if has(&["internal-error"]) {
        return Verdict::Unavailable(Trouble::Unreachable("it is out of order"));
    }
    Verdict::NotHuman(if has(&["already-seen-response"]) {
        Refusal::Duplicate
    } else if has(&["timeout-or-duplicate", "invalid-or-already-seen-response"]) {
        Refusal::ExpiredOrDuplicate
    } else if has(&["expired-input-response"]) {
        Refusal::Expired
    } else {
        Refusal::Invalid
    })
}

/// Turnstile asks for a UUID: that of the form, so that a form that is sent once more is the same question. Version 8 of
/// RFC 9562, whose bits are the maker's own.
fn idempotency_key(form: &str) -> String {
    let hash = digest(&SHA256, form.as_bytes());
    let mut hex: Vec<char> = hash
        .as_ref()
        .iter()
        .take(16)
        .flat_map(|byte| [byte >> 4, byte & 0xf])
        .filter_map(|half| char::from_digit(half.into(), 16))
        .collect();
    for (at, digit) in [(12, '8'), (16, 'a')] {
        if let Some(place) = hex.get_mut(at) {
            *place = digit;
        }
    }
    for at in [20, 16, 12, 8] {
        hex.insert(at, '-');
    }
    hex.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_one_uuid() {
        let one = idempotency_key("form-1");
        assert_eq!(one, idempotency_key("form-1"));
        assert_ne!(one, idempotency_key("form-2"));
        let parts: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!((one.as_bytes()[14], one.as_bytes()[19]), (b'8', b'a'));
    }
}
