//! SQS: what has to happen, but not while somebody waits.

use serde::Serialize;

use crate::Error;
use crate::config::{Config, required};

/// The queues that this function may send to.
#[derive(Debug)]
pub struct Queues {
    client: aws_sdk_sqs::Client,
    usage: Option<String>,
    recordings: Option<String>,
    transcripts: Option<String>,
    mail: Option<String>,
    texts: Option<String>,
    dead: Option<String>,
}

impl Queues {
    pub(crate) fn new(client: aws_sdk_sqs::Client, config: &Config) -> Self {
        Self {
            client,
            usage: config.queue_usage.clone(),
            recordings: config.queue_recordings.clone(),
            transcripts: config.queue_transcripts.clone(),
            mail: config.queue_mail.clone(),
            texts: config.queue_texts.clone(),
            dead: config.queue_dead.clone(),
        }
    }

    /// The usage of one ended call, for `jobs-record-usage`.
    pub async fn usage(&self, message: &impl Serialize) -> Result<(), Error> {
        self.send(required(self.usage.as_deref(), "QUEUE_USAGE is not set")?, message).await
    }

    /// A recording that is ready at Twilio, for `jobs-store-recording`.
    pub async fn recordings(&self, message: &impl Serialize) -> Result<(), Error> {
        self.send(required(self.recordings.as_deref(), "QUEUE_RECORDINGS is not set")?, message).await
    }

    /// The same, to be looked at again later: 15 minutes is the longest that SQS delays.
    pub async fn recordings_later(&self, message: &impl Serialize) -> Result<(), Error> {
        let url = required(self.recordings.as_deref(), "QUEUE_RECORDINGS is not set")?;
        let body = serde_json::to_string(message).map_err(Error::failed("writing a queue message"))?;
        let sent = self.client.send_message().queue_url(url).message_body(body).delay_seconds(900).send().await;
        sent.map(|_| ()).map_err(|error| Error::failed("sending to a queue")(error.into_service_error()))
    }

    /// A transcript, sealed, for `jobs-store-transcript`.
    pub async fn transcripts(&self, message: &impl Serialize) -> Result<(), Error> {
        self.send(required(self.transcripts.as_deref(), "QUEUE_TRANSCRIPTS is not set")?, message).await
    }

    /// A mail to be written, sealed, for `jobs-send-mail`.
    pub async fn mail(&self, message: &impl Serialize) -> Result<(), Error> {
        self.send(required(self.mail.as_deref(), "QUEUE_MAIL is not set")?, message).await
    }

    /// A text message to be sent, sealed, for `jobs-send-text`.
    pub async fn texts(&self, message: &impl Serialize) -> Result<(), Error> {
        self.send(required(self.texts.as_deref(), "QUEUE_TEXTS is not set")?, message).await
    }

    async fn send(&self, url: &str, message: &impl Serialize) -> Result<(), Error> {
        let body = serde_json::to_string(message).map_err(Error::failed("writing a queue message"))?;
        self.send_raw(url, body).await
    }

    /// Puts a message that can never succeed where a person will look at it, whole.
    pub(crate) async fn bury(&self, body: String) -> Result<(), Error> {
        self.send_raw(required(self.dead.as_deref(), "QUEUE_DEAD is not set")?, body).await
    }

    async fn send_raw(&self, url: &str, body: String) -> Result<(), Error> {
        let sent = self.client.send_message().queue_url(url).message_body(body).send().await;
        sent.map(|_| ()).map_err(|error| Error::failed("sending to a queue")(error.into_service_error()))
    }

    /// Opens the connection while the function still starts.
    pub(crate) async fn warm(&self) {
        let queues = [&self.usage, &self.recordings, &self.transcripts, &self.mail, &self.texts];
        if let Some(url) = queues.into_iter().flatten().next() {
            let _ = self.client.get_queue_attributes().queue_url(url).send().await;
        }
    }
}
