//! Somebody who uses the dashboard under the stub: with a browser and an authenticator app.

use std::time::{SystemTime, UNIX_EPOCH};

use totp_rs::{Algorithm, Builder, Secret, Totp};

use crate::Error;
use crate::browser::{Browser, form, marked};
use crate::gateway::Answer;
use crate::hotline::{Hotline, Step};

/// What everybody signs in with.
pub const PASSWORD: &str = "seven quiet rivers";
/// How long an authenticator app shows a code (RFC 6238, 5.2).
const CODE_SECONDS: u64 = 30;

/// Somebody with a browser.
#[derive(Debug)]
pub struct Person<'a> {
    hotline: &'a mut Hotline,
    /// Their browser, with its cookies.
    pub browser: Browser,
}

impl<'a> Person<'a> {
    /// Somebody whom nobody knows yet.
    #[must_use]
    pub fn new(hotline: &'a mut Hotline) -> Self {
        Self { hotline, browser: Browser::default() }
    }

    /// The functions that they use.
    #[must_use]
    pub fn hotline(&self) -> &Hotline {
        self.hotline
    }

    /// Accepts an invitation; afterwards they are signed in.
    pub async fn join(&mut self, invitation: &str, name: &str) -> Result<App, Error> {
        let (_, page) = self.open(invitation).await?;
        let (_, next) = self.send(&page, "password", &[("name", name), ("password", PASSWORD)]).await?;
        let (_, page) = self.open(&led(&next)?).await?;
        let app = App::new(&page.body)?;
        // The code before this one, so that this one is still good for signing in.
        self.send(&page, "code", &[("code", &app.code(1))]).await?;
        Ok(app)
    }

    /// Opens a page.
    pub async fn open(&mut self, url: &str) -> Result<(Step, Answer), Error> {
        let event = self.browser.open(url);
        let bin = self.hotline.behind("GET", url)?;
        let (step, answer) = self.answered(&bin, event).await?;
        if answer.status == 200 { Ok((step, answer)) } else { Err(refused(&step, &answer)) }
    }

    /// Sends a page's form, and expects to be led on.
    pub async fn send(&mut self, page: &Answer, field: &str, filled: &[(&str, &str)]) -> Result<(Step, Answer), Error> {
        let (action, fields) = form(&page.body, field, filled)?;
        let event = self.browser.send(&action, &fields);
        let bin = self.hotline.behind("POST", &action)?;
        let (step, answer) = self.answered(&bin, event).await?;
        if answer.status == 303 { Ok((step, answer)) } else { Err(refused(&step, &answer)) }
    }

    async fn answered(&mut self, bin: &str, event: axum::body::Bytes) -> Result<(Step, Answer), Error> {
        let step = self.hotline.send(bin, event).await?;
        let answer = Answer::read(&step.invocation.body)?;
        self.browser.keep(&answer);
        Ok((step, answer))
    }
}

fn refused(step: &Step, answer: &Answer) -> Error {
    Error::say(&step.bin, &format!("answers {}", answer.status), &answer.body)
}

/// Where an answer leads.
pub fn led(answer: &Answer) -> Result<String, Error> {
    answer.location.clone().ok_or_else(|| Error::say("an answer", "leads nowhere", &answer.body))
}

/// An authenticator app.
#[derive(Debug)]
pub struct App(Totp);

impl App {
    /// Set up by the secret that a page shows.
    pub fn new(page: &str) -> Result<Self, Error> {
        let shown = marked(page, "data-totp-secret").map(|secret| Secret::try_from_base32(secret.replace(' ', "")));
        let secret = shown.and_then(Result::ok).ok_or_else(|| Error::say("the page", "shows no secret", &page))?;
        let app = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_step_duration(CODE_SECONDS);
        Ok(Self(app.with_secret(secret).build_noncompliant()))
    }

    /// The code of now, or of so many codes ago.
    #[must_use]
    pub fn code(&self, ago: u64) -> String {
        #[expect(
            clippy::disallowed_methods,
            reason = "a function under measurement has no other clock than the system's"
        )]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.0.generate(now.saturating_sub(ago * CODE_SECONDS)).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_shows_six_digits() {
        let app = App::new("<code data-totp-secret>GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ</code>").unwrap();
        assert!(app.code(0).len() == 6 && app.code(0).bytes().all(|digit| digit.is_ascii_digit()));
        assert!(App::new("<p>").is_err());
    }
}
