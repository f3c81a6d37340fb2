//! Who is meant by a number, a service code, a call: the only place where a [`Tenant`] comes from.

use aws_lc_rs::digest::{SHA256, digest};
use domain::phone::E164;
use domain::service_code::ServiceCode;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use partners::twilio::CallSid;

use super::{Item, Store, get_parsed, get_text, number, text};
use crate::Error;
use crate::seal::hex;
use crate::tenant::Tenant;

/// Late callbacks and the reconciliation with Twilio's own list come within this time.
const REMEMBER_CALLS_FOR: SignedDuration = SignedDuration::from_hours(40 * 24);

/// What a dialled number reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NumberOwner {
    /// Many tenants: the caller keys a service code.
    Shared,
    /// One service code.
    Dedicated(ServiceCode),
}

/// Whom a call belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallOwner {
    /// The tenant that it is billed to.
    pub tenant: Tenant,
    /// The service code that was accepted; none for calls that never came so far.
    pub code: Option<ServiceCode>,
    /// The day (UTC) under which it is accounted for.
    pub day: Date,
}

impl Store {
    /// What a dialled number reaches. One that we do not know is treated as shared: the caller still gets an answer.
    pub async fn number(&self, dialled: &E164) -> Result<NumberOwner, Error> {
        let item = self.look_up("number", dialled.as_str()).await?;
        match item.as_ref().and_then(|item| item.get("code")).and_then(|code| code.as_s().ok()) {
            Some(code) => {
                let code = ServiceCode::parse(code).map_err(Error::failed("reading the directory"))?;
                Ok(NumberOwner::Dedicated(code))
            }
            None => Ok(NumberOwner::Shared),
        }
    }

    /// The tenant behind a service code.
    pub async fn service_code(&self, code: &ServiceCode) -> Result<Option<Tenant>, Error> {
        let item = self.look_up("service-code", code.as_str()).await?;
        item.as_ref().map(owner).transpose()
    }

    /// The tenant that the operator calls by this name. For jobs that the operator starts.
    pub async fn tenant_of_slug(&self, slug: &str) -> Result<Option<Tenant>, Error> {
        let item = self.look_up("tenant", slug).await?;
        item.as_ref().map(owner).transpose()
    }

    /// Writes down, once, whom a call belongs to: its last callbacks carry nothing but its SID. Returns the owner
    /// that counts, which is the first one written.
    pub async fn remember_call(
        &self,
        call: &CallSid,
        tenant: &Tenant,
        code: Option<&ServiceCode>,
        at: Timestamp,
    ) -> Result<CallOwner, Error> {
        let day = at.to_zoned(TimeZone::UTC).date();
        let mut put = self
            .dynamodb
            .put_item()
            .table_name(self.directory_table()?)
            .item("pk", text(key("call", call.as_str())))
            .item("tenant", text(tenant.id().as_str()))
            .item("day", text(day.to_string()))
            .item("expires_at", number((at + REMEMBER_CALLS_FOR).as_second()))
            .condition_expression("attribute_not_exists(pk)");
        if let Some(code) = code {
            put = put.item("code", text(code.as_str()));
        }
        match put.send().await.map_err(aws_sdk_dynamodb::error::SdkError::into_service_error) {
            Ok(_) => Ok(CallOwner { tenant: tenant.clone(), code: code.cloned(), day }),
            Err(error) if error.is_conditional_check_failed_exception() => {
                self.call(call).await?.ok_or(Error::Conflict)
            }
            Err(error) => Err(Error::failed("writing down whom a call belongs to")(error)),
        }
    }

    /// Whom a call belongs to, if its service code was accepted.
    pub async fn call(&self, call: &CallSid) -> Result<Option<CallOwner>, Error> {
        self.look_up("call", call.as_str()).await?.as_ref().map(call_owner).transpose()
    }

    /// The directory's entry for a value.
    pub(super) async fn look_up(&self, kind: &str, value: &str) -> Result<Option<Item>, Error> {
        let got = self
            .dynamodb
            .get_item()
            .table_name(self.directory_table()?)
            .key("pk", text(key(kind, value)))
            // A call's owner was written seconds ago, and a change in the dashboard counts for the next call.
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::failed("looking up the directory")(error.into_service_error()))?;
        Ok(got.item)
    }
}

/// The tenant that a directory entry names.
pub(super) fn owner(item: &Item) -> Result<Tenant, Error> {
    get_text(item, "tenant").map(Tenant::trusted)
}

/// Whom a call belongs to, by its directory entry.
pub(super) fn call_owner(item: &Item) -> Result<CallOwner, Error> {
    let code = if item.contains_key("code") {
        Some(get_parsed(item, "code", |code| ServiceCode::parse(code).ok())?)
    } else {
        None
    };
    let day = get_parsed(item, "day", |day| day.parse().ok())?;
    Ok(CallOwner { tenant: owner(item)?, code, day })
}

/// `kind#hash`: values lie spread over all partitions, and no number is in a key.
pub(super) fn key(kind: &str, value: &str) -> String {
    format!("{kind}#{}", hex(digest(&SHA256, value.as_bytes()).as_ref().iter()))
}
