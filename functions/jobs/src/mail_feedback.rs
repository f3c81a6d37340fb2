//! `jobs-mail-feedback`: what became of mails, as SES tells it. An address that takes none, or whose reader calls ours
//! unwanted, is written to no more until somebody says so on the dashboard: a sender who goes on loses the right to send
//! (Amazon SES Developer Guide, "Managing your sender reputation").

use domain::audit::{Act, Entry, Who};
use jiff::{SignedDuration, Timestamp};
use platform::store::{Dead, Unreachable};
use platform::{App, Error};
use serde::Deserialize;

/// A message that was counted is remembered for so long: SNS and SQS deliver again within days.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(15 * 24);

/// A message of SES's configuration set, or of an identity's own notifications, as far as it matters here ("Contents of
/// event data that Amazon SES publishes to Amazon SNS").
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Feedback {
    #[serde(alias = "notificationType")]
    event_type: String,
    bounce: Option<Bounce>,
    complaint: Option<Complaint>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    #[serde(rename = "bounceType")]
    sort: String,
    bounced_recipients: Vec<Recipient>,
    timestamp: Timestamp,
    feedback_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    complained_recipients: Vec<Recipient>,
    timestamp: Timestamp,
    #[serde(rename = "complaintFeedbackType")]
    sort: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    email_address: String,
}

impl std::fmt::Debug for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recipient(..)")
    }
}

/// What is to be done about an address.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Says {
    /// It is written to no more.
    Dead(Unreachable, Timestamp),
    /// It did not take this mail; it is counted, once.
    NotNow(String),
}

impl Feedback {
    /// What it says, and of which addresses: nothing where it says of none that mail does not reach it.
    fn read(&self) -> Result<Option<(Says, &[Recipient])>, Error> {
        let incomplete = || Error::invalid("message", "it is no message of SES");
        match self.event_type.as_str() {
            "Bounce" => {
                let bounce = self.bounce.as_ref().ok_or_else(incomplete)?;
                let says = match bounce.sort.as_str() {
                    "Permanent" => Says::Dead(Unreachable::Bounced, bounce.timestamp),
                    // A full mailbox, a server that is away, or nobody knows.
                    _ => Says::NotNow(bounce.feedback_id.clone()),
                };
                Ok(Some((says, &bounce.bounced_recipients)))
            }
            "Complaint" => {
                let complaint = self.complaint.as_ref().ok_or_else(incomplete)?;
                // "Not spam" takes one back that was none of ours to hear of (RFC 5965, and the IANA registry it began).
                if complaint.sort.as_deref() == Some("not-spam") {
                    return Ok(None);
                }
                let says = Says::Dead(Unreachable::Complained, complaint.timestamp);
                Ok(Some((says, &complaint.complained_recipients)))
            }
            _ => Ok(None),
        }
    }
}

/// Writes down what SES says of addresses of users. The same twice, late, or in another order is the same as once.
pub async fn handle(app: &App, feedback: Feedback) -> Result<(), Error> {
    let Some((says, recipients)) = feedback.read()? else { return Ok(()) };
    for recipient in recipients {
        // Of a consumer's address nothing is kept: the directory knows those of users only.
        let Some((tenant, user)) = app.store.sign_in_name(&recipient.email_address).await? else { continue };
        app.about(&tenant);
        let store = app.store.of(&tenant);
        match &says {
            Says::Dead(why, since) => {
                let entry =
                    Entry::new(app.clock.now(), Who::System("jobs-mail-feedback".to_owned()), Act::AccountChanged)
                        .on("user", user.as_str())
                        .because("mail does not reach the address")
                        .with("mail", why.code());
                store.address_is_dead(&user, Dead { why: *why, since: *since }, &entry).await?;
            }
            Says::NotNow(id) => {
                let ends = app.clock.now() + REMEMBERED;
                if app.store.use_up("bounce", &format!("{id} {user}"), ends).await? {
                    store.count_bounce(&user).await?;
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(Says, Vec<String>)> {
        let feedback: Feedback = serde_json::from_str(text).unwrap();
        let (says, recipients) = feedback.read().unwrap()?;
        Some((says, recipients.iter().map(|it| it.email_address.clone()).collect()))
    }

    /// As the developer guide has it.
    fn bounce(kind: &str, of: &str) -> String {
        format!(
            r#"{{"eventType": "Bounce",
                "bounce": {{"bounceType": "{kind}", "bounceSubType": "General",
                    "bouncedRecipients": [{{"emailAddress": "{of}", "action": "failed", "status": "5.1.1",
                        "diagnosticCode": "smtp; 550 5.1.1 user unknown"}}],
                    "timestamp": "2026-11-22T00:41:02.669Z", "feedbackId": "01000157c44f053b-61b59c11-000000",
                    "reportingMTA": "dsn; mta.example.com"}},
                "mail": {{"timestamp": "2026-11-22T00:40:02.012Z", "source": "hello@optline.example",
                    "sendingAccountId": "123456789012", "messageId": "EXAMPLE7c191be45", "destination": ["{of}"],
                    "tags": {{"ses:configuration-set": ["optline"]}}}}}}"#
        )
    }

    #[test]
    fn a_permanent_bounce_and_a_complaint_end_mail_and_anything_else_is_counted() {
        let at: Timestamp = "2026-11-22T00:41:02.669Z".parse().unwrap();
        let of = || vec!["ana@shop.example".to_owned()];
        let permanent = read(&bounce("Permanent", "ana@shop.example"));
        assert_eq!(permanent, Some((Says::Dead(Unreachable::Bounced, at), of())));
        let id = || "01000157c44f053b-61b59c11-000000".to_owned();
        assert_eq!(read(&bounce("Transient", "ana@shop.example")), Some((Says::NotNow(id()), of())));
        assert_eq!(read(&bounce("Undetermined", "ana@shop.example")), Some((Says::NotNow(id()), of())));
        let complaint = |kind: &str| {
            read(&format!(
                r#"{{"notificationType": "Complaint", "complaint": {{
                    "complainedRecipients": [{{"emailAddress": "ana@shop.example"}}],
                    "timestamp": "2026-11-22T00:41:02.669Z", "feedbackId": "1", "complaintFeedbackType": "{kind}"}}}}"#
            ))
        };
        assert_eq!(complaint("abuse"), Some((Says::Dead(Unreachable::Complained, at), of())));
        assert_eq!(complaint("not-spam"), None);
    }

    #[test]
    fn a_message_about_something_else_is_passed_by_and_a_torn_one_is_refused() {
        assert_eq!(read(r#"{"eventType": "Delivery", "delivery": {}}"#), None);
        let torn: Feedback = serde_json::from_str(r#"{"eventType": "Bounce"}"#).unwrap();
        assert!(matches!(torn.read(), Err(Error::Invalid { .. })));
        assert!(serde_json::from_str::<Feedback>(r#"{"Type": "Notification"}"#).is_err());
    }

    #[test]
    fn a_message_is_printed_without_its_addresses() {
        let feedback: Feedback = serde_json::from_str(&bounce("Permanent", "ana@shop.example")).unwrap();
        assert!(!format!("{feedback:?}").contains("ana"));
    }
}
