//! The kinds of privacy request, and the states one goes through.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a person asks a business to do about their personal information.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Stop selling and sharing it. Cal. Civ. Code 1798.120.
    OptOut,
    /// Delete it. Cal. Civ. Code 1798.105.
    Delete,
    /// Say which categories of it are held, from where, why, and for whom. Cal. Civ. Code 1798.110.
    KnowCategories,
    /// Hand over the specific pieces held. Cal. Civ. Code 1798.110(a)(5).
    KnowSpecific,
    /// Correct what is inaccurate. Cal. Civ. Code 1798.106.
    Correct,
    /// Limit the use and disclosure of what is sensitive. Cal. Civ. Code 1798.121.
    Limit,
    /// A plain message, kept to the strictest clock until someone has heard what it asks.
    Message,
}

impl Kind {
    /// Every kind, in the order of the menu.
    pub const ALL: [Self; 7] = [
        Self::OptOut,
        Self::Delete,
        Self::KnowCategories,
        Self::KnowSpecific,
        Self::Correct,
        Self::Limit,
        Self::Message,
    ];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::OptOut => "opt-out",
            Self::Delete => "delete",
            Self::KnowCategories => "know-categories",
            Self::KnowSpecific => "know-specific",
            Self::Correct => "correct",
            Self::Limit => "limit",
            Self::Message => "message",
        }
    }

    /// The kind with this stored name.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The key of the telephone's menu, the same whatever else is offered. Both requests to know have 3.
    ///
    /// 6 is taken by the status of an earlier request.
    #[must_use]
    pub const fn key(self) -> char {
        match self {
            Self::OptOut => '1',
            Self::Delete => '2',
            Self::KnowCategories | Self::KnowSpecific => '3',
            Self::Correct => '4',
            Self::Limit => '5',
            Self::Message => '7',
        }
    }

    /// The key that then tells the two requests to know apart: 1 for categories, 2 for specific pieces.
    #[must_use]
    pub const fn second_key(self) -> Option<char> {
        match self {
            Self::KnowCategories => Some('1'),
            Self::KnowSpecific => Some('2'),
            Self::OptOut | Self::Delete | Self::Correct | Self::Limit | Self::Message => None,
        }
    }

    /// Whether the business may ask the person to prove who they are.
    ///
    /// Requests to opt out and to limit must not be made to depend on it: 11 CCR 7026(d), 7027(e), 7060(b). A message
    /// may be one of those until someone has heard it, so it waits until it is filed as what it asks. What California
    /// forbids is forbidden to every tenant; `rules/us-ca.toml` agrees, which a test holds.
    #[must_use]
    pub const fn may_verify(self) -> bool {
        match self {
            Self::OptOut | Self::Limit | Self::Message => false,
            Self::Delete | Self::KnowCategories | Self::KnowSpecific | Self::Correct => true,
        }
    }

    /// Why identity may or may not be verified, as a citation.
    #[must_use]
    pub const fn verification_citation(self) -> &'static str {
        match self {
            Self::OptOut => "11 CCR 7026(d)",
            Self::Limit => "11 CCR 7027(e)",
            Self::Message => "11 CCR 7026(d), 7027(e)",
            Self::Delete | Self::KnowCategories | Self::KnowSpecific | Self::Correct => "11 CCR 7060, 7062",
        }
    }

    /// Whether the request cannot be worked on without a name.
    ///
    /// An opt-out or a limit acts on the number that was given, and asks for no more than that (11 CCR 7026(d),
    /// 7027(e)); a message says what it says.
    #[must_use]
    pub const fn needs_name(self) -> bool {
        match self {
            Self::Delete | Self::KnowCategories | Self::KnowSpecific | Self::Correct => true,
            Self::OptOut | Self::Limit | Self::Message => false,
        }
    }

    /// Whether the request says nothing without the caller's own words: what to correct, or the message.
    #[must_use]
    pub const fn needs_details(self) -> bool {
        match self {
            Self::Correct | Self::Message => true,
            Self::OptOut | Self::Delete | Self::KnowCategories | Self::KnowSpecific | Self::Limit => false,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// How a request came in: the "manner" that 11 CCR 7101(b) has a business keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// The hotline.
    Phone,
    /// The web form.
    Form,
    /// An e-mail.
    Email,
    /// A letter.
    Mail,
    /// At a counter.
    InPerson,
    /// A browser's opt-out preference signal, 11 CCR 7025.
    Signal,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 6] = [Self::Phone, Self::Form, Self::Email, Self::Mail, Self::InPerson, Self::Signal];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Form => "form",
            Self::Email => "email",
            Self::Mail => "mail",
            Self::InPerson => "in-person",
            Self::Signal => "signal",
        }
    }

    /// The channel with this stored name.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.code() == code)
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// How a closed request was answered: the "nature of the response" that 11 CCR 7101(b) has a business keep, and what
/// 7102(a) counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All that was asked was done.
    CompliedInWhole,
    /// A part was done and the rest refused.
    CompliedInPart,
    /// Nothing was done.
    Denied,
    /// The person took it back.
    Withdrawn,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::CompliedInWhole, Self::CompliedInPart, Self::Denied, Self::Withdrawn];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::CompliedInWhole => "complied-in-whole",
            Self::CompliedInPart => "complied-in-part",
            Self::Denied => "denied",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The outcome with this stored name.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.code() == code)
    }

    /// Whether the business answered: a request that was taken back has no substantive response.
    #[must_use]
    pub const fn is_response(self) -> bool {
        !matches!(self, Self::Withdrawn)
    }

    /// The state a request with this outcome is closed in.
    #[must_use]
    pub const fn state(self) -> State {
        match self {
            Self::CompliedInWhole | Self::CompliedInPart => State::Completed,
            Self::Denied => State::Denied,
            Self::Withdrawn => State::Withdrawn,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What an incomplete request still lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// The person's name.
    Name,
    /// What is to be corrected, or the message itself.
    Details,
    /// The caller's word that what was read back is right.
    Confirmation,
}

/// Where a request stands.
///
/// ```text
/// incomplete → received → (verifying) → in review → fulfilling → completed
///                                                              → denied      (from any open state but incomplete)
///                                                              → withdrawn   (from any open state)
/// completed, denied, withdrawn → in review                                   (reopened)
/// verifying → in review                                      (classified as a kind that must not be verified)
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The caller hung up before the end. The kind and a way to answer are known, so its clock runs all the same.
    Incomplete,
    /// All of it is there.
    Received,
    /// The business is making sure who asks. The clock does not pause: 11 CCR 7021(b).
    Verifying,
    /// The business is deciding what to do.
    InReview,
    /// The business is doing it.
    Fulfilling,
    /// Done, and the person told.
    Completed,
    /// Refused, and the person told why.
    Denied,
    /// Taken back by the person.
    Withdrawn,
}

impl State {
    /// Every state, in the order of a request's life.
    pub const ALL: [Self; 8] = [
        Self::Incomplete,
        Self::Received,
        Self::Verifying,
        Self::InReview,
        Self::Fulfilling,
        Self::Completed,
        Self::Denied,
        Self::Withdrawn,
    ];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::Received => "received",
            Self::Verifying => "verifying",
            Self::InReview => "in-review",
            Self::Fulfilling => "fulfilling",
            Self::Completed => "completed",
            Self::Denied => "denied",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state with this stored name.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Whether the business still owes an answer.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Incomplete | Self::Received | Self::Verifying | Self::InReview | Self::Fulfilling => true,
            Self::Completed | Self::Denied | Self::Withdrawn => false,
        }
    }

    /// The state after an action, or why the action is refused. [`Progress::next`] also keeps the event.
    ///
    /// For [`Action::Classify`], `kind` is the kind that the request becomes.
    pub const fn next(self, action: Action, kind: Kind) -> Result<Self, Refused> {
        if matches!(action, Action::Verify) && !kind.may_verify() {
            return Err(Refused::VerificationForbidden { kind, citation: kind.verification_citation() });
        }
        match (action, self) {
            (Action::Receive, Self::Incomplete) => Ok(Self::Received),
            (Action::Residence, state) => Ok(state),
            (Action::Expire, closed) if !closed.is_open() => Ok(closed),
            // `kind` is the new one: who asks is no longer verified where that kind must not be.
            (Action::Classify, Self::Verifying) if !kind.may_verify() => Ok(Self::InReview),
            (Action::Acknowledge | Action::Classify | Action::Assign | Action::Extend, open) if open.is_open() => {
                Ok(open)
            }
            (Action::Verify, Self::Received | Self::InReview) => Ok(Self::Verifying),
            (Action::Review, Self::Received | Self::Verifying)
            | (Action::Reopen, Self::Completed | Self::Denied | Self::Withdrawn) => Ok(Self::InReview),
            (Action::Fulfil, Self::InReview) => Ok(Self::Fulfilling),
            (Action::Complete, Self::Fulfilling) => Ok(Self::Completed),
            (Action::Deny, Self::Received | Self::Verifying | Self::InReview | Self::Fulfilling) => Ok(Self::Denied),
            (Action::Withdraw, open) if open.is_open() => Ok(Self::Withdrawn),
            (_, closed) if !closed.is_open() => Err(Refused::Closed { state: closed }),
            (action, state) => Err(Refused::OutOfTurn { action, state }),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What someone does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The person finished it, or the business takes it as it is (11 CCR 7020(e)).
    Receive,
    /// Tell the person that it came in and how it will be handled: 11 CCR 7021(a).
    Acknowledge,
    /// Say what a message asks, or that a request is of another kind. The day of receipt stays.
    Classify,
    /// Give it to someone to work on, or to nobody.
    Assign,
    /// Write down where the person lives, which decides whose law counts.
    Residence,
    /// Start making sure who asks.
    Verify,
    /// Start deciding. After verifying: the person is who they say.
    Review,
    /// Start doing what was asked.
    Fulfil,
    /// It is done.
    Complete,
    /// Refuse, in whole. The reason is kept for 24 months: 11 CCR 7101(b).
    Deny,
    /// The person takes it back.
    Withdraw,
    /// Take the law's one extension; [`crate::clock::extend`] moves the date and says whether there is one.
    Extend,
    /// Take up again what was closed. The dates stay what they were.
    Reopen,
    /// A part of what was kept of it has been kept long enough, and is gone for good: [`crate::retention`].
    Expire,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 14] = [
        Self::Receive,
        Self::Acknowledge,
        Self::Classify,
        Self::Assign,
        Self::Residence,
        Self::Verify,
        Self::Review,
        Self::Fulfil,
        Self::Complete,
        Self::Deny,
        Self::Withdraw,
        Self::Extend,
        Self::Reopen,
        Self::Expire,
    ];

    /// The stored name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Acknowledge => "acknowledge",
            Self::Classify => "classify",
            Self::Assign => "assign",
            Self::Residence => "residence",
            Self::Verify => "verify",
            Self::Review => "review",
            Self::Fulfil => "fulfil",
            Self::Complete => "complete",
            Self::Deny => "deny",
            Self::Withdraw => "withdraw",
            Self::Extend => "extend",
            Self::Reopen => "reopen",
            Self::Expire => "expire",
        }
    }

    /// The action with this stored name.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.code() == code)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// The person whose information it is.
    Consumer,
    /// An authorized agent, 11 CCR 7063.
    AuthorizedAgent,
    /// Someone at the business who signed in.
    User {
        /// Their id, never their name.
        id: String,
    },
    /// The product itself.
    System {
        /// The function that did it, by its name in the house (`voice-submit`).
        function: String,
    },
}

/// A change of a request: who, when, why, and from what to what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: Actor,
    /// What was done.
    pub action: Action,
    /// The state before.
    pub from: State,
    /// The state after; the same where the action leaves it.
    pub to: State,
    /// Why, in words that can be shown to the person and to a regulator.
    pub why: String,
}

/// Why an action is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The law forbids it.
    #[error("who makes a request of the kind {kind} must not be verified ({citation})")]
    VerificationForbidden {
        /// The request's kind.
        kind: Kind,
        /// Where the law says so.
        citation: &'static str,
    },
    /// Nothing more can be done with it unless it is reopened.
    #[error("the request is {state}; reopen it first")]
    Closed {
        /// The state it is closed in.
        state: State,
    },
    /// Something else comes first.
    #[error("a request that is {state} cannot {action}")]
    OutOfTurn {
        /// What was tried.
        action: Action,
        /// Where the request stands.
        state: State,
    },
    /// The law allows one extension.
    #[error("the request was extended before, and the law allows that once")]
    AlreadyExtended,
    /// Every change says why.
    #[error("say why")]
    ReasonMissing,
}

/// Where a request stands, and whether its one extension was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Progress {
    /// Where it stands.
    pub state: State,
    /// Whether the extension was taken.
    pub extended: bool,
}

impl Progress {
    /// A request that begins in a state, not extended.
    #[must_use]
    pub const fn new(state: State) -> Self {
        Self { state, extended: false }
    }

    /// Where the request stands after an action, with the event to keep; or why the action is refused.
    pub fn next(
        self,
        kind: Kind,
        action: Action,
        who: Actor,
        at: Timestamp,
        why: impl Into<String>,
    ) -> Result<(Self, Event), Refused> {
        let to = self.state.next(action, kind)?;
        let extends = action == Action::Extend;
        if extends && self.extended {
            return Err(Refused::AlreadyExtended);
        }
        let why = why.into();
        if why.trim().is_empty() {
            return Err(Refused::ReasonMissing);
        }
        let event = Event { at, who, action, from: self.state, to, why };
        Ok((Self { state: to, extended: self.extended || extends }, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn step(progress: Progress, kind: Kind, action: Action) -> Result<Progress, Refused> {
        let at = Timestamp::UNIX_EPOCH;
        progress.next(kind, action, Actor::Consumer, at, "asked").map(|(progress, _)| progress)
    }

    fn walk(kind: Kind, from: State, actions: &[Action]) -> Result<State, Refused> {
        actions.iter().try_fold(from, |state, action| state.next(*action, kind))
    }

    #[test]
    fn every_kind_and_state_is_found_again_by_its_stored_name() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.code()), Some(kind));
        }
        for state in State::ALL {
            assert_eq!(State::parse(state.code()), Some(state));
        }
        assert_eq!(Kind::parse("sell-more"), None);
        assert_eq!(State::parse(""), None);
    }

    #[test]
    fn the_keys_of_the_menu_tell_every_kind_apart_and_leave_6_for_the_status() {
        let mut keys: Vec<_> = Kind::ALL.iter().map(|kind| (kind.key(), kind.second_key())).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), Kind::ALL.len());
        assert!(keys.iter().all(|(key, _)| !matches!(key, '6' | '0' | '*' | '#')));
    }

    #[test]
    fn a_verified_request_goes_from_incomplete_to_completed() {
        let way = [Action::Receive, Action::Verify, Action::Review, Action::Fulfil, Action::Complete];
        assert_eq!(walk(Kind::Delete, State::Incomplete, &way), Ok(State::Completed));
    }

    #[test]
    fn an_opt_out_goes_its_way_without_verifying() {
        let way = [Action::Receive, Action::Review, Action::Fulfil, Action::Complete];
        assert_eq!(walk(Kind::OptOut, State::Incomplete, &way), Ok(State::Completed));
    }

    #[test]
    fn who_opts_out_limits_or_leaves_a_message_is_never_asked_to_prove_who_they_are() {
        for (kind, citation) in [
            (Kind::OptOut, "11 CCR 7026(d)"),
            (Kind::Limit, "11 CCR 7027(e)"),
            (Kind::Message, "11 CCR 7026(d), 7027(e)"),
        ] {
            for state in State::ALL {
                let refused = Refused::VerificationForbidden { kind, citation };
                assert_eq!(state.next(Action::Verify, kind), Err(refused));
            }
            assert!(!kind.needs_name());
        }
    }

    #[test]
    fn any_open_request_can_be_withdrawn_and_no_closed_one() {
        for state in State::ALL {
            let expected = if state.is_open() { Ok(State::Withdrawn) } else { Err(Refused::Closed { state }) };
            assert_eq!(state.next(Action::Withdraw, Kind::Delete), expected);
        }
    }

    #[test]
    fn a_closed_request_can_only_be_reopened_and_an_open_one_cannot() {
        for state in State::ALL {
            for action in Action::ALL {
                let next = state.next(action, Kind::Delete);
                match (state.is_open(), action) {
                    (false, Action::Reopen) => assert_eq!(next, Ok(State::InReview)),
                    (_, Action::Residence) | (false, Action::Expire) => assert_eq!(next, Ok(state)),
                    (false, _) => assert_eq!(next, Err(Refused::Closed { state })),
                    (true, Action::Reopen) => assert_eq!(next, Err(Refused::OutOfTurn { action, state })),
                    (true, _) => {}
                }
            }
        }
    }

    #[test]
    fn nothing_is_completed_that_was_not_being_done_and_nothing_incomplete_is_denied() {
        for state in State::ALL {
            assert_eq!(state.next(Action::Complete, Kind::Delete).is_ok(), state == State::Fulfilling);
        }
        assert!(State::Incomplete.next(Action::Deny, Kind::Delete).is_err());
    }

    #[test]
    fn telling_filing_and_handing_on_leave_an_open_request_where_it_is() {
        for state in State::ALL {
            for action in [Action::Acknowledge, Action::Classify, Action::Assign] {
                let expected = if state.is_open() { Ok(state) } else { Err(Refused::Closed { state }) };
                assert_eq!(state.next(action, Kind::Delete), expected);
            }
            assert_eq!(state.next(Action::Residence, Kind::Delete), Ok(state));
        }
    }

    #[test]
    fn what_turns_out_to_be_an_opt_out_is_verified_no_more() {
        assert_eq!(State::Verifying.next(Action::Classify, Kind::OptOut), Ok(State::InReview));
        assert_eq!(State::Verifying.next(Action::Classify, Kind::Correct), Ok(State::Verifying));
    }

    #[test]
    fn every_action_channel_and_outcome_is_found_again_by_its_stored_name() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.code()), Some(action));
        }
        for channel in Channel::ALL {
            assert_eq!(Channel::parse(channel.code()), Some(channel));
        }
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::parse(outcome.code()), Some(outcome));
            assert!(!outcome.state().is_open());
        }
    }

    #[test]
    fn an_extension_leaves_the_state_and_is_taken_once_even_after_reopening() {
        let extended = step(Progress::new(State::InReview), Kind::Delete, Action::Extend).unwrap();
        assert_eq!(extended, Progress { state: State::InReview, extended: true });
        assert_eq!(step(extended, Kind::Delete, Action::Extend), Err(Refused::AlreadyExtended));
        let denied = step(extended, Kind::Delete, Action::Deny).unwrap();
        let reopened = step(denied, Kind::Delete, Action::Reopen).unwrap();
        assert_eq!(step(reopened, Kind::Delete, Action::Extend), Err(Refused::AlreadyExtended));
    }

    #[test]
    fn every_change_says_who_when_and_why() {
        let at: Timestamp = "2026-11-20T18:00:00Z".parse().unwrap();
        let who = Actor::User { id: "u1".into() };
        let received = Progress::new(State::Received);
        let (progress, event) = received.next(Kind::Delete, Action::Deny, who.clone(), at, "no account found").unwrap();
        assert_eq!(progress, Progress::new(State::Denied));
        assert_eq!(
            event,
            Event {
                at,
                who: who.clone(),
                action: Action::Deny,
                from: State::Received,
                to: State::Denied,
                why: "no account found".into()
            }
        );
        assert_eq!(received.next(Kind::Delete, Action::Deny, who, at, " "), Err(Refused::ReasonMissing));
    }

    proptest! {
        #[test]
        fn whatever_is_done_an_extension_is_never_lost_and_no_opt_out_is_ever_verified(
            actions in prop::collection::vec(
                (prop::sample::select(&Action::ALL[..]), prop::sample::select(&Kind::ALL[..])),
                0..40,
            ),
            kind in prop::sample::select(&Kind::ALL[..]),
        ) {
            let mut progress = Progress::new(State::Incomplete);
            let (mut extensions, mut kind) = (0, kind);
            for (action, other) in actions {
                let becomes = if action == Action::Classify { other } else { kind };
                if let Ok(next) = step(progress, becomes, action) {
                    kind = becomes;
                    extensions += u32::from(action == Action::Extend);
                    prop_assert!(next.extended >= progress.extended);
                    prop_assert!(kind.may_verify() || next.state != State::Verifying);
                    progress = next;
                }
            }
            prop_assert!(extensions <= 1);
            prop_assert_eq!(progress.extended, extensions == 1);
        }
    }
}
