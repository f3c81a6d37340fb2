//! SQS: what has to happen, but not while somebody waits.

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use domain::job::Job;
use serde::Serialize;

use crate::Error;
use crate::config::{Config, required};
use crate::store::Summons;

/// SQS takes so many messages at once.
const AT_ONCE: usize = 10;

/// The queues that this function may send to.
#[derive(Debug)]
pub struct Queues {
    client: aws_sdk_sqs::Client,
    usage: Option<String>,
    recordings: Option<String>,
    transcripts: Option<String>,
    mail: Option<String>,
    texts: Option<String>,
    push_usage: Option<String>,
    reconcile_usage: Option<String>,
    send_reports: Option<String>,
    send_reminders: Option<String>,
    send_alerts: Option<String>,
    retention: Option<String>,
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
            push_usage: config.queue_push_usage.clone(),
            reconcile_usage: config.queue_reconcile_usage.clone(),
            send_reports: config.queue_send_reports.clone(),
            send_reminders: config.queue_send_reminders.clone(),
            send_alerts: config.queue_send_alerts.clone(),
            retention: config.queue_retention.clone(),
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

    /// Summons workers, ten to a call.
    pub async fn work(&self, job: Job, summons: &[Summons]) -> Result<(), Error> {
        let (url, missing) = match job {
            Job::PushUsage => (&self.push_usage, "QUEUE_PUSH_USAGE is not set"),
            Job::ReconcileUsage => (&self.reconcile_usage, "QUEUE_RECONCILE_USAGE is not set"),
            Job::SendReports => (&self.send_reports, "QUEUE_SEND_REPORTS is not set"),
            Job::SendReminders => (&self.send_reminders, "QUEUE_SEND_REMINDERS is not set"),
            Job::SendAlerts => (&self.send_alerts, "QUEUE_SEND_ALERTS is not set"),
            Job::Retention => (&self.retention, "QUEUE_RETENTION is not set"),
        };
        let url = required(url.as_deref(), missing)?;
        for some in summons.chunks(AT_ONCE) {
            let entries = some.iter().enumerate().map(|(n, summons)| {
                let body = serde_json::to_string(summons).map_err(Error::failed("writing a queue message"))?;
                SendMessageBatchRequestEntry::builder()
                    .id(n.to_string())
                    .message_body(body)
                    .build()
                    .map_err(Error::failed("writing a queue message"))
            });
            let entries = entries.collect::<Result<Vec<_>, _>>()?;
            let sent = self.client.send_message_batch().queue_url(url).set_entries(Some(entries)).send().await;
            let sent = sent.map_err(|error| Error::failed("sending to a queue")(error.into_service_error()))?;
            if !sent.failed.is_empty() {
                // Those that went through are done twice, which harms nobody.
                return Err(Error::Failed { doing: "sending to a queue", source: "a part was not taken".into() });
            }
        }
        Ok(())
    }

    async fn send(&self, url: &str, message: &impl Serialize) -> Result<(), Error> {
        let body = serde_json::to_string(message).map_err(Error::failed("writing a queue message"))?;
        self.send_raw(url, body).await
    }

    /// Puts a message that can never succeed where a person will look at it, whole.
    pub async fn bury(&self, body: String) -> Result<(), Error> {
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
