//! What happens while nobody waits.
//!
//! | job | started by | does |
//! |---|---|---|
//! | [`record_usage`] | queue `usage`, from `voice-call-status` | one row in the ledger per call |
//! | [`store_recording`] | queue `recordings`, from `voice-recording` | fetches the audio from Twilio, seals it, deletes it there |
//! | [`store_transcript`] | queue `transcripts`, from `voice-transcription` | seals the text, deletes it at Twilio |
//! | [`tally`] | the stream of the requests table | keeps the counts that overview and reports show |
//! | [`recount`] | the operator | compares those counts with the requests, and mends them |
//! | [`send_mail`] | queue `mail` | puts letters into words, and sends them |
//! | [`send_text`] | queue `texts` | sends codes to telephone numbers |
//! | [`verify_audit`] | the operator | walks a tenant's audit trail and says whether it is whole |
//! | [`close_usage_day`] | a schedule, every hour | summons a worker for each tenant's day with usage to bill |
//! | [`push_usage`] | queue `push-usage`, from [`close_usage_day`] | a tenant's day of usage to Stripe, exactly once |
//! | [`plan`] | a schedule for each other job | summons a worker for each entry of the agenda whose time has come |
//! | [`reconcile_usage`] | queue `reconcile-usage` | holds the ledger against Twilio's list of calls, and against its batches and Stripe |
//! | [`reconciliation`] | the operator | what those comparisons found |
//! | [`replay_usage`] | the operator | has days billed that were not, or says what would be |
//! | [`watch_requests`] | the stream of the requests table | learns of new requests, and enters that people are to be told |
//! | [`send_alerts`] | queue `send-alerts` | tells people which requests came in |
//! | [`send_reminders`] | queue `send-reminders` | reminds people of deadlines |
//! | [`retention`](mod@retention) | queue `retention`, every night for each tenant | puts away and erases what has been kept long enough; tells owners of a closed account, and erases it |
//! | [`send_reports`] | queue `send-reports`, from `jobs-plan` | mails reports of numbers to those who asked for them |
//! | [`mail_feedback`] | queue `mail-feedback`, from SES | writes down which addresses take no mail |
//! | [`close_account`] | the operator | closes a tenant's account, or opens it again |
//! | [`runs`] | the operator | what the jobs did of late |
//! | [`provision_tenant`] | the operator | sets up a tenant with its owner, or changes what it was set up with |

pub mod close_account;
pub mod close_usage_day;
pub mod mail_feedback;
pub mod plan;
pub mod planning;
pub mod provision_tenant;
pub mod push_usage;
pub mod reconcile_usage;
pub mod reconciliation;
pub mod record_usage;
pub mod recount;
pub mod replay_usage;
pub mod retention;
pub mod runs;
pub mod send_alerts;
pub mod send_mail;
pub mod send_reminders;
pub mod send_reports;
pub mod send_text;
pub mod store_recording;
pub mod store_transcript;
pub mod tally;
pub mod verify_audit;
pub mod watch_requests;

mod closing;
mod digests;
mod letters;
mod mail_frame;
mod reaching;
mod report_letter;
