//! One error in the product's words; the [edges](crate::edge) translate it, once.

use std::error::Error as StdError;
use std::fmt;

use domain::role::Permission;
use jiff::SignedDuration;

/// What can go wrong, without any status code: each edge knows what its caller gets.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was asked for does not exist, or belongs to somebody else: callers cannot tell which.
    #[error("not found")]
    NotFound,
    /// The call's state is from another call, edited, or too old.
    #[error("the call's state does not open")]
    StaleCall,
    /// The input breaks a rule; the reason may reach the caller.
    #[error("{field} is invalid: {reason}")]
    Invalid {
        /// The field, as the caller knows it.
        field: &'static str,
        /// What to do about it.
        reason: String,
    },
    /// Somebody else changed it first.
    #[error("changed by somebody else meanwhile")]
    Conflict,
    /// Nobody is signed in, or no longer.
    #[error("nobody is signed in")]
    SignedOut,
    /// Signed in, but too long ago for what was asked.
    #[error("the sign-in must be confirmed first")]
    Unconfirmed,
    /// Signed in without the permission that this needs.
    #[error("this needs the permission {}", permission.code())]
    Forbidden {
        /// The permission.
        permission: Permission,
    },
    /// The form does not come from a page that we gave to this browser in this session.
    #[error("the form is not ours, or too old")]
    StaleForm,
    /// Too many tries.
    #[error("too many tries")]
    Throttled {
        /// When to try again.
        retry_after: SignedDuration,
    },
    /// More than we take.
    #[error("the body is too large")]
    TooLarge,
    /// A part that we depend on failed; worth a retry.
    #[error("{doing} failed")]
    Failed {
        /// What we were doing, in words.
        doing: &'static str,
        /// The cause, for the log.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl Error {
    /// Wraps a cause with what was being done; for `map_err`.
    pub fn failed<E: Into<Box<dyn StdError + Send + Sync>>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Failed { doing, source: source.into() }
    }

    /// A rule broken by the input.
    #[must_use]
    pub fn invalid(field: &'static str, reason: impl fmt::Display) -> Self {
        Self::Invalid { field, reason: reason.to_string() }
    }

    /// One word for logs and alarms; also Lambda's `errorType`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotFound => "NotFound",
            Self::StaleCall => "StaleCall",
            Self::Invalid { .. } => "Invalid",
            Self::Conflict => "Conflict",
            Self::SignedOut => "SignedOut",
            Self::Unconfirmed => "Unconfirmed",
            Self::Forbidden { .. } => "Forbidden",
            Self::StaleForm => "StaleForm",
            Self::Throttled { .. } => "Throttled",
            Self::TooLarge => "TooLarge",
            Self::Failed { .. } => "Failed",
        }
    }

    /// The chain of causes on one line, for the log. AWS and Twilio errors name operations and codes, never field values.
    #[must_use]
    pub fn causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}
