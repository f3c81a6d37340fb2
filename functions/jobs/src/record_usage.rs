//! `jobs-record-usage`: one row in the ledger per call, whatever arrives twice, late or out of order; and its day on the
//! agenda of those that are billed.

use domain::usage::CallUsage;
use partners::twilio::CallSid;
use platform::store::UsageSource;
use platform::{App, Error};

/// Bills the call to the tenant that it reached, or to the platform's own account.
pub async fn handle(app: &App, usage: CallUsage) -> Result<(), Error> {
    let call = CallSid::parse(&usage.call_sid).map_err(|error| Error::invalid("call-sid", error))?;
    if !usage.status.is_terminal() {
        return Err(Error::invalid("status", "the call has not ended"));
    }
    let owner = app.store.call_owner(&call, &usage).await?;
    app.about(&owner.tenant);
    app.store.record_usage(&owner, &usage, UsageSource::Callback).await?;
    // Also where the row was there: whoever wrote it may have come no further.
    app.store.mark_day(&owner.tenant, owner.day).await
}
