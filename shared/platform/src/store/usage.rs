//! The ledger: one row per call, whatever arrives twice, late or out of order.

use domain::usage::CallUsage;
use partners::twilio::CallSid;

use super::{Store, number, text};
use crate::Error;
use crate::store::CallOwner;
use crate::tenant::Tenant;

impl Store {
    /// Whom to bill a call to. One that never reached a tenant goes to the platform's own account, on the day it
    /// ended; that too is written down once, so that a second callback finds the same row.
    pub async fn call_owner(&self, call: &CallSid, usage: &CallUsage) -> Result<CallOwner, Error> {
        match self.call(call).await? {
            Some(owner) => Ok(owner),
            None => self.remember_call(call, &Tenant::platform(), None, usage.ended_at).await,
        }
    }

    /// Writes a call's row, unless a later report of the same call is there already. Returns whether it was written.
    pub async fn record_usage(&self, owner: &CallOwner, usage: &CallUsage) -> Result<bool, Error> {
        let mut put = self
            .dynamodb
            .put_item()
            .table_name(self.usage_table()?)
            .item("pk", text(format!("{}#{}", owner.tenant.id(), owner.day)))
            .item("sk", text(&usage.call_sid))
            .item("status", text(usage.status.as_str()))
            .item("seconds", number(usage.seconds))
            .item("billed_minutes", number(usage.billed_minutes))
            .item("sequence", number(usage.sequence))
            .item("ended_at", text(usage.ended_at.to_string()))
            .item("recorded_at", text(self.clock.now().to_string()))
            .item("rank", number(usage.rank()))
            .condition_expression("attribute_not_exists(pk) OR #rank < :rank")
            .expression_attribute_names("#rank", "rank")
            .expression_attribute_values(":rank", number(usage.rank()));
        if let Some(code) = &owner.code {
            put = put.item("code", text(code.as_str()));
        }
        match put.send().await.map_err(aws_sdk_dynamodb::error::SdkError::into_service_error) {
            Ok(_) => Ok(true),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(false),
            Err(error) => Err(Error::failed("writing the ledger")(error)),
        }
    }
}
