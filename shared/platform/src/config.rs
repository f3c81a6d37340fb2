//! The environment, read once when the process starts.
//!
//! `template.yaml` gives a function only the variables that it needs. What is set is also what is warmed up before the
//! first call, so a missing variable is an error that names it, at the moment somebody needs the value.

use crate::Error;

/// Every variable that a function of Optline may be given.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The bin's name, from `AWS_LAMBDA_FUNCTION_NAME`.
    pub function: String,
    /// `AWS_REGION`.
    pub region: Option<String>,
    /// `AWS_ENDPOINT_URL`: set by the local cloud only.
    pub aws_endpoint: Option<String>,
    /// `STAGE`: `local`, `staging`, `prod` or a private client's.
    pub stage: Option<String>,
    /// `PUBLIC_BASE_URL`: what Twilio signs and browsers see; never taken from a `Host` header.
    pub public_base_url: Option<String>,
    /// `TWILIO_BASE_URL`: Twilio's REST API.
    pub twilio_base_url: Option<String>,
    /// `TWILIO_SECRET`: ARN of the secret that [`crate::secrets`] describes.
    pub twilio_secret: Option<String>,
    /// `STRIPE_BASE_URL`: Stripe's API.
    pub stripe_base_url: Option<String>,
    /// `STRIPE_SECRET`: ARN of the secret that [`crate::secrets`] describes.
    pub stripe_secret: Option<String>,
    /// `CAPTCHA_BASE_URL`: where the human checks' providers are all together; set by the local cloud only.
    pub captcha_base_url: Option<String>,
    /// `TABLE_DIRECTORY`.
    pub table_directory: Option<String>,
    /// `TABLE_ACCOUNTS`.
    pub table_accounts: Option<String>,
    /// `TABLE_KEYS`.
    pub table_keys: Option<String>,
    /// `TABLE_REQUESTS`.
    pub table_requests: Option<String>,
    /// `TABLE_USAGE`.
    pub table_usage: Option<String>,
    /// `TABLE_SESSIONS`.
    pub table_sessions: Option<String>,
    /// `TABLE_AUDIT`.
    pub table_audit: Option<String>,
    /// `TABLE_TALLIES`.
    pub table_tallies: Option<String>,
    /// `TABLE_AGENDA`.
    pub table_agenda: Option<String>,
    /// `TABLE_RUNS`.
    pub table_runs: Option<String>,
    /// `DASHBOARD_SECRET`: ARN of the secret that [`crate::ticket`] describes.
    pub dashboard_secret: Option<String>,
    /// `MAIL_FROM`: the address that mail comes from.
    pub mail_from: Option<String>,
    /// `MAIL_EVENTS`: the SES configuration set that says what became of mails.
    pub mail_events: Option<String>,
    /// `HOTLINE_NUMBER`: the shared hotline's number in E.164, for people who would rather call.
    pub hotline_number: Option<String>,
    /// `KMS_KEY`: ARN of the key that wraps tenants' root keys.
    pub kms_key: Option<String>,
    /// `QUEUE_USAGE`: URL.
    pub queue_usage: Option<String>,
    /// `QUEUE_RECORDINGS`: URL.
    pub queue_recordings: Option<String>,
    /// `QUEUE_TRANSCRIPTS`: URL.
    pub queue_transcripts: Option<String>,
    /// `QUEUE_MAIL`: URL.
    pub queue_mail: Option<String>,
    /// `QUEUE_TEXTS`: URL.
    pub queue_texts: Option<String>,
    /// `QUEUE_PUSH_USAGE`: URL.
    pub queue_push_usage: Option<String>,
    /// `QUEUE_RECONCILE_USAGE`: URL.
    pub queue_reconcile_usage: Option<String>,
    /// `QUEUE_SEND_REPORTS`: URL.
    pub queue_send_reports: Option<String>,
    /// `QUEUE_SEND_REMINDERS`: URL.
    pub queue_send_reminders: Option<String>,
    /// `QUEUE_SEND_ALERTS`: URL.
    pub queue_send_alerts: Option<String>,
    /// `QUEUE_RETENTION`: URL.
    pub queue_retention: Option<String>,
    /// `QUEUE_DEAD`: URL of the dead-letter queue of the queue that this function reads.
    pub queue_dead: Option<String>,
    /// `TEXT_PREFIXES`: how the numbers begin that text messages go to, separated by commas.
    pub text_prefixes: Option<String>,
    /// `BUCKET_GREETINGS`.
    pub bucket_greetings: Option<String>,
    /// `BUCKET_RECORDINGS`.
    pub bucket_recordings: Option<String>,
}

impl Config {
    /// Reads the process's environment. Empty means not set.
    #[must_use]
    pub fn from_env() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the module that owns the environment")]
        let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            function: function_name(&read("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default()),
            region: read("AWS_REGION"),
            aws_endpoint: read("AWS_ENDPOINT_URL"),
            stage: read("STAGE"),
            public_base_url: read("PUBLIC_BASE_URL").map(|url| url.trim_end_matches('/').to_owned()),
            twilio_base_url: read("TWILIO_BASE_URL"),
            twilio_secret: read("TWILIO_SECRET"),
            stripe_base_url: read("STRIPE_BASE_URL"),
            stripe_secret: read("STRIPE_SECRET"),
            captcha_base_url: read("CAPTCHA_BASE_URL"),
            table_directory: read("TABLE_DIRECTORY"),
            table_accounts: read("TABLE_ACCOUNTS"),
            table_keys: read("TABLE_KEYS"),
            table_requests: read("TABLE_REQUESTS"),
            table_usage: read("TABLE_USAGE"),
            table_sessions: read("TABLE_SESSIONS"),
            table_audit: read("TABLE_AUDIT"),
            table_tallies: read("TABLE_TALLIES"),
            table_agenda: read("TABLE_AGENDA"),
            table_runs: read("TABLE_RUNS"),
            dashboard_secret: read("DASHBOARD_SECRET"),
            mail_from: read("MAIL_FROM"),
            mail_events: read("MAIL_EVENTS"),
            hotline_number: read("HOTLINE_NUMBER"),
            kms_key: read("KMS_KEY"),
            queue_usage: read("QUEUE_USAGE"),
            queue_recordings: read("QUEUE_RECORDINGS"),
            queue_transcripts: read("QUEUE_TRANSCRIPTS"),
            queue_mail: read("QUEUE_MAIL"),
            queue_texts: read("QUEUE_TEXTS"),
            queue_push_usage: read("QUEUE_PUSH_USAGE"),
            queue_reconcile_usage: read("QUEUE_RECONCILE_USAGE"),
            queue_send_reports: read("QUEUE_SEND_REPORTS"),
            queue_send_reminders: read("QUEUE_SEND_REMINDERS"),
            queue_send_alerts: read("QUEUE_SEND_ALERTS"),
            queue_retention: read("QUEUE_RETENTION"),
            queue_dead: read("QUEUE_DEAD"),
            text_prefixes: read("TEXT_PREFIXES"),
            bucket_greetings: read("BUCKET_GREETINGS"),
            bucket_recordings: read("BUCKET_RECORDINGS"),
        }
    }

    /// Whether this is a cloud on somebody's own machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.stage.as_deref() == Some("local")
    }

    /// The public address, for action URLs and for checking signatures.
    pub fn public_base_url(&self) -> Result<&str, Error> {
        required(self.public_base_url.as_deref(), "PUBLIC_BASE_URL is not set")
    }
}

/// The value of a variable that this function cannot do without; `missing` says which.
pub(crate) fn required<'a>(value: Option<&'a str>, missing: &'static str) -> Result<&'a str, Error> {
    value.ok_or_else(|| Error::Failed { doing: "reading the configuration", source: missing.into() })
}

/// `voice-answer` from `optline-prod-voice-answer`: `template.yaml` names functions `<stack>-<bin>`.
fn function_name(lambda_name: &str) -> String {
    let domains = ["voice-", "jobs-", "forms-", "dashboard-", "webhooks-"];
    let start = domains.iter().filter_map(|domain| lambda_name.rfind(domain)).max();
    start.and_then(|at| lambda_name.get(at..)).unwrap_or(lambda_name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::function_name;

    #[test]
    fn a_function_is_called_by_its_bin_whatever_the_stack() {
        assert_eq!(function_name("optline-local-voice-answer"), "voice-answer");
        assert_eq!(function_name("voice-call-status"), "voice-call-status");
        assert_eq!(function_name("something-else"), "something-else");
    }
}
