//! What people of a tenant may do: four roles, and the permissions that each page asks for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What somebody is for the tenant's privacy team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Answers for the account: everything, and who else may come in.
    Owner,
    /// Runs the desk: everything but the team.
    Manager,
    /// Works on requests.
    Agent,
    /// Reads.
    Viewer,
}

impl Role {
    /// Every role, the most powerful first.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Manager, Self::Agent, Self::Viewer];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Manager => "manager",
            Self::Agent => "agent",
            Self::Viewer => "viewer",
        }
    }

    /// The role with this stored name.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }

    /// Whether this role has a permission.
    #[must_use]
    pub fn may(self, permission: Permission) -> bool {
        permission.roles().contains(&self)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What a page needs of whoever opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// Read requests, personal details included; each view of those is audited.
    SeeRequests,
    /// Change requests, and enter new ones.
    WorkRequests,
    /// Take requests out as a file.
    ExportRequests,
    /// Put requests under a legal hold, and take them out of the recycle bin.
    HoldRequests,
    /// Read how the account is set up.
    SeeSettings,
    /// Change service codes and greetings.
    EditServiceCodes,
    /// Change the account's settings.
    EditSettings,
    /// Invite, change and remove people.
    ManageTeam,
    /// Read the audit log.
    SeeAudit,
    /// Take the audit log out as a file.
    ExportAudit,
    /// Read statutory reports: numbers without persons.
    SeeReports,
    /// Take reports and the request log out as a file.
    ExportReports,
    /// Decide what becomes of usage that cannot be billed by itself.
    SettleUsage,
    /// One's own account and sessions.
    OwnAccount,
    /// One's own password, second factors and recovery codes.
    ChangeFactors,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 15] = [
        Self::SeeRequests,
        Self::WorkRequests,
        Self::ExportRequests,
        Self::HoldRequests,
        Self::SeeSettings,
        Self::EditServiceCodes,
        Self::EditSettings,
        Self::ManageTeam,
        Self::SeeAudit,
        Self::ExportAudit,
        Self::SeeReports,
        Self::ExportReports,
        Self::SettleUsage,
        Self::OwnAccount,
        Self::ChangeFactors,
    ];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SeeRequests => "see-requests",
            Self::WorkRequests => "work-requests",
            Self::ExportRequests => "export-requests",
            Self::HoldRequests => "hold-requests",
            Self::SeeSettings => "see-settings",
            Self::EditServiceCodes => "edit-service-codes",
            Self::EditSettings => "edit-settings",
            Self::ManageTeam => "manage-team",
            Self::SeeAudit => "see-audit",
            Self::ExportAudit => "export-audit",
            Self::SeeReports => "see-reports",
            Self::ExportReports => "export-reports",
            Self::SettleUsage => "settle-usage",
            Self::OwnAccount => "own-account",
            Self::ChangeFactors => "change-factors",
        }
    }

    /// The roles that have it.
    #[must_use]
    pub const fn roles(self) -> &'static [Role] {
        match self {
            Self::SeeRequests | Self::SeeSettings | Self::SeeReports | Self::OwnAccount | Self::ChangeFactors => {
                &Role::ALL
            }
            Self::WorkRequests => &[Role::Owner, Role::Manager, Role::Agent],
            Self::ExportRequests
            | Self::HoldRequests
            | Self::EditServiceCodes
            | Self::EditSettings
            | Self::SeeAudit
            | Self::ExportAudit
            | Self::ExportReports => &[Role::Owner, Role::Manager],
            Self::ManageTeam | Self::SettleUsage => &[Role::Owner],
        }
    }

    /// Whether it asks for a sign-in, or a confirmation of it, that is only minutes old (ASVS 5.0, 7.5.1 and 7.5.3).
    #[must_use]
    pub const fn fresh(self) -> bool {
        matches!(
            self,
            Self::ExportRequests
                | Self::ManageTeam
                | Self::ExportAudit
                | Self::ExportReports
                | Self::SettleUsage
                | Self::ChangeFactors
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_again() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.code()), Some(role));
        }
        assert_eq!(Role::parse("Owner"), None);
    }

    #[test]
    fn a_role_has_everything_that_a_lesser_one_has() {
        for permission in Permission::ALL {
            for pair in Role::ALL.windows(2) {
                assert!(!pair[1].may(permission) || pair[0].may(permission), "{permission:?}: {pair:?}");
            }
        }
    }

    #[test]
    fn a_viewer_changes_nothing_but_what_is_their_own() {
        use Permission as P;
        let may: Vec<_> = Permission::ALL.into_iter().filter(|permission| Role::Viewer.may(*permission)).collect();
        assert_eq!(may, [P::SeeRequests, P::SeeSettings, P::SeeReports, P::OwnAccount, P::ChangeFactors]);
    }
}
