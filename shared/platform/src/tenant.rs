//! Tenants as proofs.
//!
//! A [`Tenant`] can only be had by looking one up, so a function that holds one was allowed to. It cannot be made from
//! a string:
//!
//! ```compile_fail
//! let tenant = platform::tenant::TenantId("t-1".to_owned());
//! ```
//!
//! nor read from somebody's JSON:
//!
//! ```compile_fail
//! let tenant: platform::tenant::TenantId = serde_json::from_str("\"t-1\"").unwrap();
//! ```

use std::fmt;

/// Names a tenant in keys and logs: `t-` and 26 characters of base 32. Not secret, never shown to another tenant.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(String);

impl TenantId {
    /// Only for the directory, for a sealed call, and for a job that walks all tenants.
    pub(crate) fn trusted(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// For logs, and as part of a key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Proof that a tenant was looked up by something that its caller was entitled to use.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tenant {
    id: TenantId,
}

impl Tenant {
    /// The reserved tenant under which calls and messages are kept that never reached a tenant.
    pub(crate) const PLATFORM: &str = "t-platform";

    pub(crate) fn trusted(id: impl Into<String>) -> Self {
        Self { id: TenantId::trusted(id) }
    }

    /// The operator's own tenant: calls that never named a tenant are accounted for there.
    #[must_use]
    pub fn platform() -> Self {
        Self::trusted(Self::PLATFORM)
    }

    /// Whose data this opens.
    #[must_use]
    pub fn id(&self) -> &TenantId {
        &self.id
    }
}
