//! The audit trail: who did or saw what, when, from where and why, in a chain that shows when a link was changed.
//!
//! Each entry's hash is `SHA-256(hash of the entry before, in hex ‖ "\n" ‖ the entry as JSON text)`; the first entry's
//! predecessor is 64 zeros. The text is kept as it was hashed, so anybody can check an exported trail with a few lines
//! of any language; [`verify`] does.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::user::UserId;

/// The predecessor of the first entry.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// Somebody who is signed in, or is signing in.
    User(UserId),
    /// Somebody who tried to sign in as nobody we know.
    Nobody,
    /// A consumer, or who acts for one, who has shown that the request is theirs.
    Consumer,
    /// The operator, from outside of the dashboard.
    Operator,
    /// A function, by its name in the house.
    System(String),
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Signed in, with all factors.
    SignedIn,
    /// A sign-in failed; `details.factor` says at what.
    SignInFailed,
    /// Signed out.
    SignedOut,
    /// Confirmed who they are once more, before something delicate.
    Confirmed,
    /// Ended a session, their own or, with `details.user`, another's.
    SessionRevoked,
    /// Changed their password.
    PasswordChanged,
    /// Asked for a link to set a new password.
    ResetRequested,
    /// Added a second factor; `details.factor` says which.
    FactorAdded,
    /// Removed a second factor.
    FactorRemoved,
    /// Used a recovery code.
    RecoveryCodeUsed,
    /// Made new recovery codes.
    RecoveryCodesMade,
    /// Invited somebody.
    Invited,
    /// Accepted an invitation.
    InvitationAccepted,
    /// Changed somebody's role.
    RoleChanged,
    /// Removed somebody.
    UserRemoved,
    /// Changed their own account.
    AccountChanged,
    /// Saw a request with its personal details.
    RequestViewed,
    /// Listened to a recording.
    RecordingPlayed,
    /// Opened an attachment.
    AttachmentOpened,
    /// Searched requests by a person's telephone number or e-mail address.
    PersonSearched,
    /// Changed a request; `details.action` says how.
    RequestChanged,
    /// Entered a request by hand.
    RequestEntered,
    /// Wrote a note.
    NoteAdded,
    /// Added an attachment.
    AttachmentAdded,
    /// Sent a message to the other side of a request; `details.file` names what went with it.
    MessageSent,
    /// A consumer: showed, by a code, that they read what is sent to the request's contact; `details.by` says to which.
    ContactShown,
    /// A consumer: signed a declaration under penalty of perjury.
    DeclarationSigned,
    /// A consumer: gave a photo of an identity document.
    PhotoIdGiven,
    /// A consumer: downloaded a file that was prepared for them.
    FileTaken,
    /// Photos of an identity document were deleted because verification had ended.
    PhotoIdDeleted,
    /// Took requests out as a file.
    RequestsExported,
    /// Took one request out as a document.
    RecordExported,
    /// Changed a service code or its greetings.
    ServiceCodeChanged,
    /// Changed the account's settings.
    SettingsChanged,
    /// Read the audit trail.
    AuditViewed,
    /// Took the audit trail out as a file.
    AuditExported,
    /// Took a statutory report or log out as a file.
    ReportExported,
    /// Decided what becomes of usage that could not be billed by itself.
    UsageSettled,
    /// Put a request under a legal hold.
    HoldPlaced,
    /// Lifted a legal hold.
    HoldLifted,
    /// A request was kept long enough and went into the recycle bin; `details.rule` says by which rule.
    Binned,
    /// Took a request out of the recycle bin.
    Restored,
    /// A part of a request was kept long enough and is gone for good; `details.part` says which.
    PartErased,
    /// A request is gone for good, with all that belonged to it: the proof, with numbers and dates and nothing personal.
    Erased,
    /// The operator closed the account: it takes no requests any more.
    AccountClosed,
    /// The operator opened a closed account again.
    AccountReopened,
    /// Owners of a closed account were told when everything goes.
    OwnersTold,
    /// The erasure of a closed account began.
    AccountErasing,
    /// A closed account is gone for good: the proof, with numbers and dates and nothing personal.
    AccountErased,
}

impl Act {
    /// Every act.
    pub const ALL: [Self; 49] = [
        Self::SignedIn,
        Self::SignInFailed,
        Self::SignedOut,
        Self::Confirmed,
        Self::SessionRevoked,
        Self::PasswordChanged,
        Self::ResetRequested,
        Self::FactorAdded,
        Self::FactorRemoved,
        Self::RecoveryCodeUsed,
        Self::RecoveryCodesMade,
        Self::Invited,
        Self::InvitationAccepted,
        Self::RoleChanged,
        Self::UserRemoved,
        Self::AccountChanged,
        Self::RequestViewed,
        Self::RecordingPlayed,
        Self::AttachmentOpened,
        Self::PersonSearched,
        Self::RequestChanged,
        Self::RequestEntered,
        Self::NoteAdded,
        Self::AttachmentAdded,
        Self::MessageSent,
        Self::ContactShown,
        Self::DeclarationSigned,
        Self::PhotoIdGiven,
        Self::FileTaken,
        Self::PhotoIdDeleted,
        Self::RequestsExported,
        Self::RecordExported,
        Self::ServiceCodeChanged,
        Self::SettingsChanged,
        Self::AuditViewed,
        Self::AuditExported,
        Self::ReportExported,
        Self::UsageSettled,
        Self::HoldPlaced,
        Self::HoldLifted,
        Self::Binned,
        Self::Restored,
        Self::PartErased,
        Self::Erased,
        Self::AccountClosed,
        Self::AccountReopened,
        Self::OwnersTold,
        Self::AccountErasing,
        Self::AccountErased,
    ];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SignedIn => "signed-in",
            Self::SignInFailed => "sign-in-failed",
            Self::SignedOut => "signed-out",
            Self::Confirmed => "confirmed",
            Self::SessionRevoked => "session-revoked",
            Self::PasswordChanged => "password-changed",
            Self::ResetRequested => "reset-requested",
            Self::FactorAdded => "factor-added",
            Self::FactorRemoved => "factor-removed",
            Self::RecoveryCodeUsed => "recovery-code-used",
            Self::RecoveryCodesMade => "recovery-codes-made",
            Self::Invited => "invited",
            Self::InvitationAccepted => "invitation-accepted",
            Self::RoleChanged => "role-changed",
            Self::UserRemoved => "user-removed",
            Self::AccountChanged => "account-changed",
            Self::RequestViewed => "request-viewed",
            Self::RecordingPlayed => "recording-played",
            Self::AttachmentOpened => "attachment-opened",
            Self::PersonSearched => "person-searched",
            Self::RequestChanged => "request-changed",
            Self::RequestEntered => "request-entered",
            Self::NoteAdded => "note-added",
            Self::AttachmentAdded => "attachment-added",
            Self::MessageSent => "message-sent",
            Self::ContactShown => "contact-shown",
            Self::DeclarationSigned => "declaration-signed",
            Self::PhotoIdGiven => "photo-id-given",
            Self::FileTaken => "file-taken",
            Self::PhotoIdDeleted => "photo-id-deleted",
            Self::RequestsExported => "requests-exported",
            Self::RecordExported => "record-exported",
            Self::ServiceCodeChanged => "service-code-changed",
            Self::SettingsChanged => "settings-changed",
            Self::AuditViewed => "audit-viewed",
            Self::AuditExported => "audit-exported",
            Self::ReportExported => "report-exported",
            Self::UsageSettled => "usage-settled",
            Self::HoldPlaced => "hold-placed",
            Self::HoldLifted => "hold-lifted",
            Self::Binned => "binned",
            Self::Restored => "restored",
            Self::PartErased => "part-erased",
            Self::Erased => "erased",
            Self::AccountClosed => "account-closed",
            Self::AccountReopened => "account-reopened",
            Self::OwnersTold => "owners-told",
            Self::AccountErasing => "account-erasing",
            Self::AccountErased => "account-erased",
        }
    }

    /// The act with this stored name.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.code() == code)
    }
}

/// One entry, before it has a place in the chain. Holds ids and codes, never what a consumer said or typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: Who,
    /// What.
    pub act: Act,
    /// On what: `request/123456789012`, `user/u-…`, `service-code/1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// From which address on the network.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// Why, in a word or a sentence of ours.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// What else matters: codes, numbers, ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

impl Entry {
    /// An entry without details.
    #[must_use]
    pub fn new(at: Timestamp, who: Who, act: Act) -> Self {
        Self { at, who, act, on: None, from: String::new(), why: String::new(), details: BTreeMap::new() }
    }

    /// On what.
    #[must_use]
    pub fn on(mut self, kind: &str, id: &str) -> Self {
        self.on = Some(format!("{kind}/{id}"));
        self
    }

    /// From which address.
    #[must_use]
    pub fn from(mut self, address: &str) -> Self {
        address.clone_into(&mut self.from);
        self
    }

    /// Why.
    #[must_use]
    pub fn because(mut self, why: &str) -> Self {
        why.clone_into(&mut self.why);
        self
    }

    /// One more detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}

/// One link of an exported chain: a line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Link {
    /// Its number, from 1 without gaps.
    pub seq: u64,
    /// The hash of the link before.
    pub previous: String,
    /// The [`Entry`] as JSON text, exactly as it was hashed.
    pub entry: String,
    /// The hash of this link.
    pub hash: String,
}

impl Link {
    /// The link that follows another, or the first.
    #[must_use]
    pub fn after(seq: u64, previous: &str, entry: String) -> Self {
        let hash = hash(previous, &entry);
        Self { seq: seq + 1, previous: previous.to_owned(), entry, hash }
    }
}

/// The hash of an entry after another.
#[must_use]
pub fn hash(previous: &str, entry: &str) -> String {
    let mut sha = Sha256::new();
    sha.update(previous.as_bytes());
    sha.update(b"\n");
    sha.update(entry.as_bytes());
    sha.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Where a chain is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A number is missing, or out of order.
    #[error("entry {found} follows where entry {expected} should: entries were removed or reordered")]
    Gap {
        /// The number that should come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// A link does not follow from the one before it.
    #[error("entry {seq} does not follow from the entry before it: one of the two was changed")]
    Unlinked {
        /// The link's number.
        seq: u64,
    },
    /// An entry is not what was hashed.
    #[error("entry {seq} was changed after it was written")]
    Changed {
        /// The link's number.
        seq: u64,
    },
    /// The chain ends elsewhere than it should.
    #[error(
        "the trail ends at entry {found}, but it should end at entry {expected}: entries at the end were removed or changed"
    )]
    CutShort {
        /// The last number that should be there.
        expected: u64,
        /// The last that is.
        found: u64,
    },
    /// There are entries, and nothing says where they end.
    #[error("there are entries, but the trail's head is gone: who removed it may have removed entries at the end too")]
    Headless,
    /// There are entries behind the one at which the head says that the trail ends.
    #[error("the trail's head is at entry {head}, but entries go on to {found}: the head was set back")]
    Beyond {
        /// Where the head says that it ends.
        head: u64,
        /// The last number that there is.
        found: u64,
    },
    /// The head was further before.
    #[error("the trail's head went back from entry {before} to entry {after} while it was looked at")]
    SetBack {
        /// Where it was.
        before: u64,
        /// Where it is.
        after: u64,
    },
}

/// A chain as far as it was checked: give it links in order, memory does not grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    seq: u64,
    hash: String,
    checked: u64,
}

impl Verifier {
    /// Begins at the beginning.
    #[must_use]
    pub fn new() -> Self {
        Self { seq: 0, hash: BEGINNING.to_owned(), checked: 0 }
    }

    /// Begins in the middle, behind an entry that is known from elsewhere.
    #[must_use]
    pub fn behind(seq: u64, hash: &str) -> Self {
        Self { seq, hash: hash.to_owned(), checked: 0 }
    }

    /// Checks the next link.
    pub fn next(&mut self, link: &Link) -> Result<(), Broken> {
        let expected = self.seq + 1;
        if link.seq != expected {
            return Err(Broken::Gap { expected, found: link.seq });
        }
        if link.previous != self.hash {
            return Err(Broken::Unlinked { seq: link.seq });
        }
        if hash(&link.previous, &link.entry) != link.hash {
            return Err(Broken::Changed { seq: link.seq });
        }
        self.seq = link.seq;
        link.hash.clone_into(&mut self.hash);
        self.checked += 1;
        Ok(())
    }

    /// Whether the chain ends where its head says.
    pub fn ends_at(&self, seq: u64, hash: &str) -> Result<(), Broken> {
        if self.seq == seq && self.hash == hash {
            Ok(())
        } else {
            Err(Broken::CutShort { expected: seq, found: self.seq })
        }
    }

    /// How many links were checked, and the number and hash of the last.
    #[must_use]
    pub fn state(&self) -> (u64, u64, &str) {
        (self.checked, self.seq, &self.hash)
    }
}

impl Default for Verifier {
    fn default() -> Self {
        Self::new()
    }
}

/// Checks a whole chain.
pub fn verify<'a>(links: impl IntoIterator<Item = &'a Link>) -> Result<Verifier, Broken> {
    let mut verifier = Verifier::new();
    links.into_iter().try_for_each(|link| verifier.next(link))?;
    Ok(verifier)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chain(texts: &[String]) -> Vec<Link> {
        texts.iter().fold(vec![], |mut links: Vec<Link>, text| {
            let (seq, previous) = links.last().map_or((0, BEGINNING), |link| (link.seq, link.hash.as_str()));
            let link = Link::after(seq, previous, text.clone());
            links.push(link);
            links
        })
    }

    #[test]
    fn codes_are_found_again_and_are_what_is_stored() {
        for act in Act::ALL {
            assert_eq!(Act::parse(act.code()), Some(act));
            assert_eq!(serde_json::to_value(act).unwrap(), act.code());
        }
    }

    #[test]
    fn the_hash_is_frozen() {
        // printf '%s\n{}' <64 zeros> | sha256sum
        assert_eq!(hash(BEGINNING, "{}"), "5649d09ed68c17156095d175eef152856c5b1a81c117c409c1e00f096aa6838e");
    }

    #[test]
    fn an_entry_is_stored_in_kebab_case_and_reads_back() {
        let id = UserId::parse(&format!("u-{}", "0a".repeat(13))).unwrap();
        let entry = Entry::new(Timestamp::UNIX_EPOCH, Who::User(id), Act::RequestViewed)
            .on("request", "123456789012")
            .from("127.0.0.1")
            .with("state", "received");
        let text = serde_json::to_string(&entry).unwrap();
        assert_eq!(
            text,
            r#"{"at":"1970-01-01T00:00:00Z","who":{"user":"u-0a0a0a0a0a0a0a0a0a0a0a0a0a"},"act":"request-viewed","on":"request/123456789012","from":"127.0.0.1","details":{"state":"received"}}"#
        );
        assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry);
    }

    #[test]
    fn a_trail_that_lost_its_end_is_noticed_by_its_head() {
        let links = chain(&["a".into(), "b".into(), "c".into()]);
        let verifier = verify(&links[..2]).unwrap();
        assert_eq!(verifier.ends_at(3, &links[2].hash), Err(Broken::CutShort { expected: 3, found: 2 }));
        assert_eq!(verify(&links).unwrap().ends_at(3, &links[2].hash), Ok(()));
    }

    proptest! {
        #[test]
        fn an_untouched_chain_verifies_and_any_change_removal_or_swap_is_found(
            texts in proptest::collection::vec(".{0,20}", 2..20), at in any::<prop::sample::Index>(), how in 0..5u8
        ) {
            let whole = chain(&texts);
            prop_assert_eq!(verify(&whole).unwrap().state().0, whole.len() as u64);
            let mut links = whole.clone();
            let at = at.index(links.len() - 1);
            match how {
                0 => links[at].entry.push('x'),
                1 => { links.remove(at); }
                2 => links.swap(at, at + 1),
                3 => {
                    // Changed together with its own hash: the next one no longer follows.
                    let (seq, previous) = (links[at].seq - 1, links[at].previous.clone());
                    links[at] = Link::after(seq, &previous, "forged".into());
                    prop_assume!(links[at].entry != whole[at].entry);
                }
                _ => links[at].seq += 1,
            }
            prop_assert!(verify(&links).is_err());
        }
    }
}
