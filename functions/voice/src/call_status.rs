//! `POST /voice/call-status`: a call ended. Its usage goes to the ledger by way of a queue.

use std::collections::BTreeMap;

use domain::usage::{CallStatus, CallUsage, billed_minutes, parse_time};
use platform::edge::Webhook;
use platform::{App, Error};

/// What usage is made of; nothing personal.
const PARAMS: [&str; 6] = ["CallSid", "CallStatus", "CallDuration", "Duration", "SequenceNumber", "Timestamp"];

/// Queues what Twilio says the call took; states before the end are no usage. What cannot be read is queued as it came:
/// it will lie in the dead-letter queue, whole, where somebody is told.
pub async fn handle(app: &App, webhook: Webhook) -> Result<(), Error> {
    match usage(app, &webhook) {
        Ok(usage) if usage.status.is_terminal() => app.queues.usage(&usage).await,
        Ok(_) => Ok(()),
        Err(_) => {
            let sent: BTreeMap<_, _> = PARAMS.iter().map(|name| (name, webhook.params.get(name))).collect();
            app.queues.usage(&sent).await
        }
    }
}

fn usage(app: &App, webhook: &Webhook) -> Result<CallUsage, Error> {
    let status = CallStatus::parse(webhook.params.get("CallStatus").unwrap_or_default())
        .ok_or_else(|| Error::invalid("CallStatus", "it is none of Twilio's"))?;
    let number = |name| match webhook.params.non_empty(name) {
        Some(digits) => digits.parse::<u32>().map(Some).map_err(|_| Error::invalid(name, "it is not a number")),
        None => Ok(None),
    };
    // `CallDuration` is in seconds and `Duration` in minutes billed: Twilio's names, not ours.
    let seconds = number("CallDuration")?.unwrap_or(0);
    Ok(CallUsage {
        call_sid: webhook.call.to_string(),
        status,
        seconds,
        billed_minutes: number("Duration")?.unwrap_or_else(|| billed_minutes(seconds)),
        sequence: number("SequenceNumber")?.unwrap_or(0),
        ended_at: webhook.params.non_empty("Timestamp").and_then(parse_time).unwrap_or_else(|| app.clock.now()),
    })
}
