//! Mail through SES: what the product writes to people who sign in.
//!
//! Subjects and bodies hold no consumer's data: a mail says that something waits, and where.

use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};

use crate::Error;
use crate::config::{Config, required};

/// Sends mail from the address in `MAIL_FROM`.
#[derive(Debug)]
pub struct Mailer {
    client: aws_sdk_sesv2::Client,
    from: Option<String>,
}

/// A mail, ready to go.
#[derive(Debug)]
pub struct Mail<'a> {
    /// To whom.
    pub to: &'a str,
    /// What it is about; nothing personal.
    pub subject: &'a str,
    /// Plain text.
    pub text: &'a str,
    /// The same as HTML.
    pub html: &'a str,
}

impl Mailer {
    pub(crate) fn new(client: aws_sdk_sesv2::Client, config: &Config) -> Self {
        Self { client, from: config.mail_from.clone() }
    }

    /// Sends a mail.
    pub async fn send(&self, mail: &Mail<'_>) -> Result<(), Error> {
        let content = |text: &str| Content::builder().data(text).charset("UTF-8").build();
        let built = || Error::failed("writing a mail");
        let body = Body::builder()
            .text(content(mail.text).map_err(built())?)
            .html(content(mail.html).map_err(built())?)
            .build();
        let message = Message::builder().subject(content(mail.subject).map_err(built())?).body(body).build();
        self.client
            .send_email()
            .from_email_address(required(self.from.as_deref(), "MAIL_FROM is not set")?)
            .destination(Destination::builder().to_addresses(mail.to).build())
            .content(EmailContent::builder().simple(message).build())
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Error::failed("sending a mail")(error.into_service_error()))
    }
}
