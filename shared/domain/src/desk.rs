//! What may be done with a request, by its state and the law, and what becomes of it.
//!
//! [`offers`] says what a page may show; [`decide`] does it, or says why not. [`State::next`] stays the authority over
//! states: where one decision passes through several, each is a step of its own with its own event, so that a history
//! never has a gap and nothing is completed that was not reviewed.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

use crate::clock::{self, ClockError, Clocks, Due, ExtensionRefused};
use crate::denial::{Ground, GroundRule, Instead, Text};
use crate::field_error::FieldError;
use crate::jurisdiction::Jurisdiction;
use crate::language::{Language, Words};
use crate::own_words;
use crate::request::{Action, Actor, Event, Kind, Outcome, Progress, Refused, State};
use crate::rules::{Certainty, RulesError};

/// Where a request stands, as far as it decides what may be done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its kind.
    pub kind: Kind,
    /// Its state, and whether its extension was taken.
    pub progress: Progress,
    /// Its dates.
    pub clocks: Clocks,
    /// Whether the person was told that it came in, on the call or since.
    pub confirmed: bool,
    /// Whether it was written down how it is known who asked, since it was last taken up or filed as what it is.
    pub identified: bool,
    /// The kinds of the requests that were found in it.
    pub further: Vec<Kind>,
    /// Where the person lives, as far as is known.
    pub residence: Option<Jurisdiction>,
    /// The laws that the tenant answers under.
    pub jurisdictions: Vec<Jurisdiction>,
    /// Today, in the tenant's time zone.
    pub today: Date,
}

/// Something that may be done with a request now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What.
    pub action: Action,
    /// Whether it must be said why, or how.
    pub reason: bool,
    /// Whether it must be said how it is known who asked.
    pub identity: bool,
    /// The date it is to be done by; for an extension, the new date.
    pub by: Option<Due>,
    /// Whether that date has passed.
    pub late: bool,
    /// What the law asks of whoever does it.
    pub demands: Vec<&'static Demand>,
    /// What is to be chosen.
    pub choice: Choice,
}

/// What is to be chosen with an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Nothing.
    Nothing,
    /// The kinds it really is.
    Kinds(Vec<AsKind>),
    /// Where the person lives.
    Places(Vec<AtPlace>),
    /// A ground to refuse it on; with [`Action::Complete`], to refuse a part of it on.
    Grounds(Vec<&'static GroundRule>),
}

/// A kind that a request may be filed as, and the date it would then have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsKind {
    /// The kind.
    pub kind: Kind,
    /// The answer's date, from the same day of receipt.
    pub respond_by: Due,
    /// Whether that is later than now.
    pub looser: bool,
    /// The date with the extension that was taken; none where there is none to keep.
    pub extended: Option<Due>,
}

/// A place where the person may live, and the date the request would then have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtPlace {
    /// The place; `None` where it is not known.
    pub residence: Option<Jurisdiction>,
    /// The answer's date, from the same day of receipt.
    pub respond_by: Due,
    /// Whether that is later than now.
    pub looser: bool,
}

/// Something the law asks of whoever does something with a request: `rules/duties.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Demand {
    /// Of which action.
    pub action: Action,
    /// With which kinds.
    pub kinds: Vec<Kind>,
    /// Where the law says so.
    pub citation: String,
    /// How sure this is.
    #[serde(default)]
    pub certainty: Certainty,
    /// The demand in words.
    pub text: Text,
}

impl Demand {
    /// What is asked with this action and this kind.
    pub fn of(action: Action, kind: Kind) -> Result<Vec<&'static Self>, RulesError> {
        Ok(demands()?.iter().filter(|demand| demand.action == action && demand.kinds.contains(&kind)).collect())
    }
}

/// The file, read when it is first asked for, and kept.
fn demands() -> Result<&'static [Demand], RulesError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Duties {
        duties: Vec<Demand>,
    }
    static READ: OnceLock<Vec<Demand>> = OnceLock::new();
    if let Some(demands) = READ.get() {
        return Ok(demands);
    }
    let read: Duties = toml::from_str(include_str!("../rules/duties.toml"))
        .map_err(|error| RulesError { file: "duties.toml".to_owned(), reason: error.to_string() })?;
    Ok(READ.get_or_init(|| read.duties))
}

/// What somebody decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Take an incomplete request as it is.
    Receive {
        /// Why; may be left empty.
        why: String,
    },
    /// Note that the person was told that the request came in.
    Acknowledge {
        /// How the person was told.
        told: String,
    },
    /// Say what it really asks.
    Classify {
        /// The kinds; where its own kind is among them it keeps that, else it becomes the first. The others are opened.
        kinds: Vec<Kind>,
        /// Why; may be left empty for a message.
        why: String,
        /// That a later date is seen and meant; not asked of a message, whose date is the strictest of all kinds. Without
        /// it an extension that was taken ends: the person was told of it for another kind.
        looser: bool,
    },
    /// Note where the person lives.
    Residence {
        /// The place; `None` where it is not known after all.
        residence: Option<Jurisdiction>,
        /// That a later date is seen and meant.
        looser: bool,
    },
    /// Give it to somebody.
    Assign {
        /// The user's id; `None` for nobody.
        to: Option<String>,
    },
    /// Start making sure who asks.
    Verify {
        /// What the person was asked for.
        asked: String,
    },
    /// Start deciding.
    Review {
        /// How it is known who asked, where that may be verified.
        identity: String,
        /// Why; may be left empty.
        why: String,
    },
    /// Start doing what was asked.
    Fulfil {
        /// How it is known who asked, where that may be verified and was not said before.
        identity: String,
        /// Why; may be left empty.
        why: String,
    },
    /// It is done, and the person told.
    Complete {
        /// What was done.
        done: String,
        /// How it is known who asked, where that may be verified and was not said before.
        identity: String,
        /// The part that was refused, if any.
        except: Option<Denial>,
    },
    /// Take the law's one extension, of which the person was told today.
    Extend {
        /// Why more time is needed, as the person was told.
        reason: String,
    },
    /// Refuse all of it.
    Deny(Denial),
    /// The person took it back.
    Withdraw {
        /// How the person said so.
        how: String,
    },
    /// Take it up again.
    Reopen {
        /// Why.
        why: String,
    },
}

/// A refusal, of a request or of a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// On which ground.
    pub ground: Option<Ground>,
    /// The explanation that the person was given.
    pub explanation: String,
    /// What was offered instead, where the law asks for an offer.
    pub offered: String,
}

impl Decision {
    /// What is done.
    #[must_use]
    pub const fn action(&self) -> Action {
        match self {
            Self::Receive { .. } => Action::Receive,
            Self::Acknowledge { .. } => Action::Acknowledge,
            Self::Classify { .. } => Action::Classify,
            Self::Residence { .. } => Action::Residence,
            Self::Assign { .. } => Action::Assign,
            Self::Verify { .. } => Action::Verify,
            Self::Review { .. } => Action::Review,
            Self::Fulfil { .. } => Action::Fulfil,
            Self::Complete { .. } => Action::Complete,
            Self::Extend { .. } => Action::Extend,
            Self::Deny(_) => Action::Deny,
            Self::Withdraw { .. } => Action::Withdraw,
            Self::Reopen { .. } => Action::Reopen,
        }
    }
}

/// A request after a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Its kind.
    pub kind: Kind,
    /// Its state, and whether its extension was taken.
    pub progress: Progress,
    /// Its dates.
    pub clocks: Clocks,
    /// Whether the person was told that it came in.
    pub confirmed: bool,
    /// Whether it is written down how it is known who asked.
    pub identified: bool,
    /// Where the person lives, as far as is known.
    pub residence: Option<Jurisdiction>,
    /// Whether it was closed or reopened.
    pub closing: Closing,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// Further requests to open for the same person, with the same day of receipt.
    pub further: Vec<Further>,
}

/// What a decision does to the end of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// Nothing: it is as open, or as closed, as before.
    Unchanged,
    /// It is closed.
    Closed {
        /// The day of the response, in the tenant's time zone.
        on: Date,
        /// How it was answered.
        outcome: Outcome,
        /// On which ground it, or a part of it, was refused.
        ground: Option<Ground>,
    },
    /// It is open again: what was written down of its end no longer holds.
    Reopened,
}

/// A request to open because of a decision on another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Further {
    /// Its kind.
    pub kind: Kind,
    /// Its state, and whether its extension was taken.
    pub progress: Progress,
    /// Its dates, from the same day of receipt.
    pub clocks: Clocks,
    /// Whether the person was told that it came in.
    pub confirmed: bool,
    /// Its first event.
    pub event: Event,
}

/// Why a decision is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its state, or the law for its kind, does not allow it.
    #[error(transparent)]
    State(#[from] Refused),
    /// There is no extension, or no more.
    #[error(transparent)]
    Extension(#[from] ExtensionRefused),
    /// No law asks for a confirmation of this request.
    #[error("no law asks to confirm the receipt of this request")]
    NothingToConfirm,
    /// It was confirmed before.
    #[error("its receipt was confirmed before")]
    AlreadyConfirmed,
    /// Nobody has said what the message asks.
    #[error("a message is filed as what it asks before it is completed")]
    Unfiled,
    /// Something is missing or wrong in what was filled in.
    #[error("something is missing or wrong")]
    Faults(Vec<Fault>),
    /// Its dates cannot be found.
    #[error(transparent)]
    Clock(#[from] ClockError),
}

impl From<RulesError> for Refusal {
    fn from(error: RulesError) -> Self {
        Self::Clock(error.into())
    }
}

impl Refusal {
    /// The fields that are missing or wrong, for a form in this language; none where it is not the form's fault.
    #[must_use]
    pub fn errors(&self, language: Language) -> Vec<FieldError> {
        match self {
            Self::Faults(faults) => faults.iter().map(|fault| fault.error(language)).collect(),
            _ => Vec::new(),
        }
    }

    /// What stands in the way, for the person who tried.
    #[must_use]
    pub const fn words(&self) -> Words {
        match self {
            Self::State(Refused::VerificationForbidden { .. }) => Words {
                en: "The law forbids to verify who makes a request of this kind.",
                es: "La ley prohíbe verificar quién hace una solicitud de este tipo.",
            },
            Self::State(Refused::Closed { .. }) => Words {
                en: "The request is closed. Reopen it first.",
                es: "La solicitud está cerrada. Reábrala primero.",
            },
            Self::State(Refused::OutOfTurn { .. }) => Words {
                en: "The request does not stand where this can be done. Someone may have changed it just now.",
                es: "La solicitud no está donde esto puede hacerse. Quizá alguien la cambió hace un momento.",
            },
            Self::State(Refused::AlreadyExtended) | Self::Extension(ExtensionRefused::AlreadyExtended) => Words {
                en: "It was extended before, and the law allows that once.",
                es: "Ya se prorrogó, y la ley lo permite una sola vez.",
            },
            Self::State(Refused::ReasonMissing) | Self::Extension(ExtensionRefused::ReasonMissing) => SAY_WHY,
            Self::Extension(ExtensionRefused::NoneGiven) => Words {
                en: "The law gives no extension for this request.",
                es: "La ley no da prórroga para esta solicitud.",
            },
            Self::Extension(ExtensionRefused::FirstDatePassed) => Words {
                en: "The first date has passed. The person had to be told before.",
                es: "El primer plazo ya venció. Había que avisar antes a la persona.",
            },
            Self::NothingToConfirm => Words {
                en: "No law asks to confirm the receipt of this request.",
                es: "Ninguna ley pide confirmar la recepción de esta solicitud.",
            },
            Self::AlreadyConfirmed => {
                Words { en: "Its receipt was confirmed before.", es: "Su recepción ya se había confirmado." }
            }
            Self::Unfiled => Words {
                en: "A message cannot be completed as it is. Listen to it and file it as what it asks. If it asks \
                     nothing of this kind, deny it or mark it as withdrawn.",
                es: "Un mensaje no se puede completar tal cual. Escúchelo y clasifíquelo según lo que pide. Si no pide \
                     nada de esto, deniéguelo o márquelo como retirado.",
            },
            Self::Faults(_) => Words { en: "Something is missing. See below.", es: "Falta algo. Vea abajo." },
            Self::Clock(_) => Words {
                en: "Its dates cannot be found. We have been told and will look into it.",
                es: "No se pueden calcular sus plazos. Ya recibimos aviso y lo revisaremos.",
            },
        }
    }
}

/// A field that keeps a decision from being taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The field of [`Decision`] (`why`, `kinds`, `looser`, `ground`, …).
    pub field: &'static str,
    /// What to change.
    pub words: Words,
}

impl Fault {
    /// For a form in this language.
    #[must_use]
    pub fn error(self, language: Language) -> FieldError {
        FieldError::new(self.field, self.words.of(language))
    }
}

const SAY_WHY: Words = Words { en: "Say why.", es: "Diga por qué." };
const TOO_LONG: Words = Words { en: "Use at most 2,000 characters.", es: "Use como máximo 2000 caracteres." };
const SAY_LATER: Words = Words {
    en: "The date moves to a later day. Tick this box if that is meant.",
    es: "El plazo pasa a un día posterior. Marque esta casilla si es lo que quiere.",
};

/// The longest text kept with a decision, in characters: a history of many has to fit into one item.
pub const CHARACTERS: u32 = 2000;

/// Whether it makes sense to do this with many requests at once.
#[must_use]
pub const fn bulk(action: Action) -> bool {
    matches!(action, Action::Assign | Action::Acknowledge | Action::Deny | Action::Complete)
}

/// Everything that may be done with a request now, in the order of a request's life, and nothing else.
pub fn offers(standing: &Standing) -> Result<Vec<Offer>, ClockError> {
    let mut offers = Vec::new();
    for action in Action::ALL {
        match may(standing, action) {
            Ok(()) => offers.push(offer(standing, action)?),
            Err(Refusal::Clock(error)) => return Err(error),
            Err(_) => {}
        }
    }
    Ok(offers)
}

/// Whether an action may be done now, or why not.
pub fn may(standing: &Standing, action: Action) -> Result<(), Refusal> {
    let Standing { kind, progress, clocks, .. } = standing;
    match action {
        Action::Verify if !clocks.may_verify => {
            // The kind's own citation, unless it is one state's law that forbids it.
            let citation =
                if kind.may_verify() { "the law of a state that counts here" } else { kind.verification_citation() };
            return Err(Refused::VerificationForbidden { kind: *kind, citation }.into());
        }
        Action::Extend if progress.state.is_open() => {
            if progress.extended {
                return Err(Refused::AlreadyExtended.into());
            }
            clock::extend(clocks, standing.today, "asked")?;
        }
        Action::Complete if progress.state.is_open() && *kind == Kind::Message => return Err(Refusal::Unfiled),
        // Nobody decides that: it happens when the time has come.
        Action::Expire => return Err(Refused::OutOfTurn { action, state: progress.state }.into()),
        Action::Acknowledge if progress.state.is_open() => {
            if standing.confirmed {
                return Err(Refusal::AlreadyConfirmed);
            }
            if clocks.confirm_by.is_none() {
                return Err(Refusal::NothingToConfirm);
            }
        }
        _ => {}
    }
    steps(progress.state, action).into_iter().try_fold(progress.state, |state, step| state.next(step, *kind))?;
    Ok(())
}

/// The steps that one action takes from a state: itself, after those that must come before it.
///
/// The law sets no day for reviewing or for beginning to act, so whoever decides at once passes through both.
fn steps(state: State, action: Action) -> Vec<Action> {
    let before: &[Action] = match (action, state) {
        (Action::Complete, State::Incomplete) => &[Action::Receive, Action::Review, Action::Fulfil],
        (Action::Complete, State::Received | State::Verifying) => &[Action::Review, Action::Fulfil],
        (Action::Complete, State::InReview) => &[Action::Fulfil],
        (Action::Fulfil, State::Received | State::Verifying) => &[Action::Review],
        _ => &[],
    };
    before.iter().copied().chain([action]).collect()
}

/// Whether it must be said how it is known who asked: a request that may be verified is reviewed here, or goes on though
/// nothing of that is on record, as after it was reopened or filed as another kind.
fn asks_identity(standing: &Standing, action: Action) -> bool {
    let steps = steps(standing.progress.state, action);
    let goes_on = matches!(action, Action::Fulfil | Action::Complete) && !standing.identified;
    standing.clocks.may_verify && (goes_on || steps.contains(&Action::Review))
}

fn offer(standing: &Standing, action: Action) -> Result<Offer, ClockError> {
    let Standing { kind, clocks, .. } = standing;
    let by = match action {
        Action::Acknowledge => clocks.confirm_by.clone(),
        Action::Extend => clocks.extension.clone(),
        Action::Verify | Action::Review | Action::Fulfil | Action::Complete | Action::Deny => {
            Some(clocks.respond_by.clone())
        }
        Action::Receive
        | Action::Classify
        | Action::Assign
        | Action::Residence
        | Action::Withdraw
        | Action::Reopen
        | Action::Expire => None,
    };
    let choice = match action {
        Action::Classify => {
            let kinds = Kind::ALL.into_iter().filter(|other| *other != Kind::Message);
            let as_kind = |kind| {
                let plain = clocks_of(standing, kind, standing.residence)?;
                let extended = plain.extension.filter(|_| standing.progress.extended);
                let looser = plain.respond_by.date > standing.clocks.respond_by.date;
                Ok(AsKind { kind, respond_by: plain.respond_by, looser, extended })
            };
            Choice::Kinds(kinds.map(as_kind).collect::<Result<_, ClockError>>()?)
        }
        Action::Residence => {
            let places = [None].into_iter().chain(Jurisdiction::ALL.into_iter().map(Some));
            let at_place = |residence| {
                let (respond_by, looser) = dates(standing, residence)?;
                Ok(AtPlace { residence, respond_by, looser })
            };
            Choice::Places(places.map(at_place).collect::<Result<_, ClockError>>()?)
        }
        Action::Deny | Action::Complete => Choice::Grounds(Ground::of(*kind)?.collect()),
        _ => Choice::Nothing,
    };
    let reason = match action {
        Action::Acknowledge
        | Action::Verify
        | Action::Complete
        | Action::Deny
        | Action::Withdraw
        | Action::Extend
        | Action::Reopen => true,
        Action::Classify => *kind != Kind::Message,
        Action::Receive | Action::Assign | Action::Residence | Action::Review | Action::Fulfil | Action::Expire => {
            false
        }
    };
    Ok(Offer {
        action,
        reason,
        identity: asks_identity(standing, action),
        late: by.as_ref().is_some_and(|by| by.date < standing.today),
        by,
        demands: Demand::of(action, *kind)?,
        choice,
    })
}

/// The answer's date at another place, and whether it is later than now. A closed request keeps its dates.
fn dates(standing: &Standing, residence: Option<Jurisdiction>) -> Result<(Due, bool), ClockError> {
    if !standing.progress.state.is_open() {
        return Ok((standing.clocks.respond_by.clone(), false));
    }
    let clocks = extended(standing, clocks_of(standing, standing.kind, residence)?);
    let looser = clocks.respond_by.date > standing.clocks.respond_by.date;
    Ok((clocks.respond_by, looser))
}

/// The dates of another kind or place, from the same day of receipt, as if nothing had been extended.
fn clocks_of(standing: &Standing, kind: Kind, residence: Option<Jurisdiction>) -> Result<Clocks, ClockError> {
    clock::clocks_from(&standing.jurisdictions, residence, kind, standing.clocks.received_on)
}

/// Dates on which an extension that was taken stays taken.
fn extended(standing: &Standing, clocks: Clocks) -> Clocks {
    if !standing.progress.extended {
        return clocks;
    }
    let respond_by = clocks.extension.unwrap_or(clocks.respond_by);
    Clocks { respond_by, extension: None, extended: true, ..clocks }
}

/// Takes a decision: what becomes of the request, with every event to keep; or why it is not taken.
pub fn decide(standing: &Standing, decision: &Decision, who: Actor, at: Timestamp) -> Result<Decided, Refusal> {
    may(standing, decision.action())?;
    let decided = Decided {
        kind: standing.kind,
        progress: standing.progress,
        clocks: standing.clocks.clone(),
        confirmed: standing.confirmed,
        identified: standing.identified,
        residence: standing.residence,
        closing: Closing::Unchanged,
        events: Vec::new(),
        further: Vec::new(),
    };
    let mut writing = Writing { standing, action: decision.action(), who, at, decided };
    match decision {
        Decision::Receive { why } => writing.say_if(why, "taken as it is")?,
        Decision::Acknowledge { told } => {
            let words = Words { en: "Say how you told the person.", es: "Diga cómo avisó a la persona." };
            writing.say(told, "told", words)?;
            writing.decided.confirmed = true;
        }
        Decision::Classify { kinds, why, looser } => writing.classify(kinds, why, *looser)?,
        Decision::Residence { residence, looser } => writing.residence(*residence, *looser)?,
        Decision::Assign { to } => {
            let why = to.as_ref().map_or_else(|| "assigned to nobody".to_owned(), |to| format!("assigned to {to}"));
            writing.step(Action::Assign, standing.kind, why)?;
        }
        Decision::Verify { asked } => {
            writing.say(asked, "asked", Words { en: "Say what you asked for.", es: "Diga qué pidió." })?;
            writing.decided.identified = false;
        }
        Decision::Review { identity, why } | Decision::Fulfil { identity, why } => writing.go_on(identity, why)?,
        Decision::Complete { done, identity, except } => writing.complete(done, identity, except.as_ref())?,
        Decision::Extend { reason } => {
            writing.say(reason, "reason", SAY_WHY)?;
            writing.decided.clocks = clock::extend(&standing.clocks, standing.today, reason)?;
        }
        Decision::Deny(denial) => writing.deny(denial)?,
        Decision::Withdraw { how } => {
            let words = Words { en: "Say how the person took it back.", es: "Diga cómo la retiró la persona." };
            writing.say(how, "how", words)?;
            writing.close(Outcome::Withdrawn, None);
        }
        Decision::Reopen { why } => {
            writing.say(why, "why", SAY_WHY)?;
            writing.decided.closing = Closing::Reopened;
            // Whoever comes again may be somebody else.
            writing.decided.identified = false;
        }
    }
    Ok(writing.decided)
}

/// A decision being written down.
struct Writing<'a> {
    standing: &'a Standing,
    action: Action,
    who: Actor,
    at: Timestamp,
    decided: Decided,
}

impl Writing<'_> {
    /// Takes one step, with its event.
    fn step(&mut self, action: Action, kind: Kind, why: impl Into<String>) -> Result<(), Refused> {
        let (progress, event) = self.decided.progress.next(kind, action, self.who.clone(), self.at, why)?;
        self.decided.progress = progress;
        self.decided.events.push(event);
        Ok(())
    }

    /// Takes one step with words that must be there.
    fn say(&mut self, text: &str, field: &'static str, words: Words) -> Result<(), Refusal> {
        let mut faults = Vec::new();
        let said = needed(text, field, words, &mut faults);
        none(faults)?;
        Ok(self.step(self.action, self.standing.kind, said)?)
    }

    /// Takes one step whose reason may be left empty.
    fn say_if(&mut self, why: &str, otherwise: &str) -> Result<(), Refusal> {
        let mut faults = Vec::new();
        let why = optional(why, "why", &mut faults);
        none(faults)?;
        Ok(self.step(self.action, self.standing.kind, why.unwrap_or_else(|| otherwise.to_owned()))?)
    }

    fn close(&mut self, outcome: Outcome, ground: Option<Ground>) {
        self.decided.closing = Closing::Closed { on: self.standing.today, outcome, ground };
    }

    /// How it is known who asked. In bulk one text is given for all: where it is not asked for, it is not kept.
    fn identity(&self, text: &str, faults: &mut Vec<Fault>) -> Option<String> {
        let words = Words {
            en: "Say how you know who asked: the account, or what matched.",
            es: "Diga cómo sabe quién lo pidió: la cuenta o los datos que coincidieron.",
        };
        asks_identity(self.standing, self.action).then(|| needed(text, "identity", words, faults))
    }

    /// Takes the steps up to the action, and the action itself with these words.
    fn walk(&mut self, identity: Option<String>, said: impl Into<String>) -> Result<(), Refused> {
        let (mut identity, mut said) = (identity, Some(said.into()));
        self.decided.identified |= identity.is_some();
        for step in steps(self.standing.progress.state, self.action) {
            let goes_on = matches!(step, Action::Review | Action::Fulfil | Action::Complete);
            let known = if goes_on { identity.take() } else { None };
            let words = if step == self.action { said.take() } else { None };
            let both: Vec<_> = [known, words].into_iter().flatten().filter(|text| !text.is_empty()).collect();
            let why = match step {
                _ if !both.is_empty() => both.join("\n"),
                Action::Review if !self.standing.clocks.may_verify => own_words::NOT_VERIFIED.en.to_owned(),
                _ => own_words::AT_ONCE.en.to_owned(),
            };
            self.step(step, self.standing.kind, why)?;
        }
        Ok(())
    }

    fn go_on(&mut self, identity: &str, why: &str) -> Result<(), Refusal> {
        let mut faults = Vec::new();
        let identity = self.identity(identity, &mut faults);
        let why = optional(why, "why", &mut faults);
        none(faults)?;
        Ok(self.walk(identity, why.unwrap_or_default())?)
    }

    fn complete(&mut self, done: &str, identity: &str, except: Option<&Denial>) -> Result<(), Refusal> {
        let mut faults = Vec::new();
        let done = needed(done, "done", Words { en: "Say what was done.", es: "Diga qué se hizo." }, &mut faults);
        let identity = self.identity(identity, &mut faults);
        let except = except.map(|denial| denied(self.standing.kind, denial, &mut faults)).transpose()?;
        none(faults)?;
        match except.flatten() {
            Some((rule, why)) => {
                self.walk(identity, format!("{done}\n{why}"))?;
                self.close(Outcome::CompliedInPart, Some(rule.ground));
                self.instead(rule)
            }
            None => {
                self.walk(identity, done)?;
                self.close(Outcome::CompliedInWhole, None);
                Ok(())
            }
        }
    }

    fn deny(&mut self, denial: &Denial) -> Result<(), Refusal> {
        let mut faults = Vec::new();
        let basis = denied(self.standing.kind, denial, &mut faults)?;
        none(faults)?;
        let Some((rule, why)) = basis else { return Err(Refused::ReasonMissing.into()) };
        self.step(Action::Deny, self.standing.kind, why)?;
        self.close(Outcome::Denied, Some(rule.ground));
        self.instead(rule)
    }

    /// Opens what the law puts in a refused request's place, unless an earlier refusal opened it.
    fn instead(&mut self, rule: &GroundRule) -> Result<(), Refusal> {
        let standing = self.standing;
        let goes_on = rule.duties(standing.kind)?.any(|duty| duty.does == Instead::TreatAsCategories);
        if goes_on && !standing.further.contains(&Kind::KnowCategories) {
            // It is the same request, so what was extended stays so.
            let clocks = extended(standing, clocks_of(standing, Kind::KnowCategories, standing.residence)?);
            let why = "goes on as a request to know the categories (11 CCR 7024(a))";
            self.open(Kind::KnowCategories, clocks, why)?;
        }
        Ok(())
    }

    fn classify(&mut self, kinds: &[Kind], why: &str, looser: bool) -> Result<(), Refusal> {
        let standing = self.standing;
        let mut faults = Vec::new();
        let was_message = standing.kind == Kind::Message;
        let why = if was_message {
            optional(why, "why", &mut faults)
        } else {
            Some(needed(why, "why", SAY_WHY, &mut faults))
        };
        let distinct: BTreeSet<_> = kinds.iter().collect();
        let becomes = kinds.iter().copied().find(|kind| *kind == standing.kind).or_else(|| kinds.first().copied());
        let wrong = |words, faults: &mut Vec<Fault>| faults.push(Fault { field: "kinds", words });
        let Some(becomes) = becomes else {
            wrong(Words { en: "Choose what it asks.", es: "Elija qué pide." }, &mut faults);
            return none(faults);
        };
        if distinct.len() != kinds.len() {
            wrong(Words { en: "Choose each kind once.", es: "Elija cada tipo una vez." }, &mut faults);
        } else if kinds.contains(&Kind::Message) {
            let words = Words { en: "Choose what the message asks.", es: "Elija qué pide el mensaje." };
            wrong(words, &mut faults);
        } else if kinds == [standing.kind] {
            wrong(Words { en: "It is of this kind already.", es: "Ya es de este tipo." }, &mut faults);
        }
        let plain = clocks_of(standing, becomes, standing.residence)?;
        let keeps = standing.progress.extended && (becomes == standing.kind || (looser && plain.extension.is_some()));
        let clocks = match becomes == standing.kind {
            true => standing.clocks.clone(),
            false if keeps => extended(standing, plain),
            false => plain,
        };
        let (before, after) = (&standing.clocks.respond_by, &clocks.respond_by);
        if after.date > before.date && !was_message && !looser {
            faults.push(Fault { field: "looser", words: SAY_LATER });
        }
        none(faults)?;

        let names = kinds.iter().map(|kind| kind.code()).collect::<Vec<_>>().join(", ");
        let mut said = format!("filed as {names}");
        if after.date != before.date {
            said = format!("{said}; due {} instead of {} ({})", after.date, before.date, after.citation);
        }
        if standing.progress.extended {
            said.push_str(if keeps { "; the extension stays" } else { "; the extension ends" });
        }
        if let Some(why) = why {
            said = format!("{said}\n{why}");
        }
        self.step(Action::Classify, becomes, said)?;
        self.decided.kind = becomes;
        self.decided.progress.extended = keeps;
        self.decided.clocks = clocks;
        // Each kind has its own measure of how sure one must be: 11 CCR 7060, 7062.
        self.decided.identified &= becomes == standing.kind || !becomes.may_verify();
        for kind in kinds.iter().copied().filter(|kind| *kind != becomes) {
            let clocks = clocks_of(standing, kind, standing.residence)?;
            self.open(kind, clocks, &format!("found in a request filed as {becomes}"))?;
        }
        Ok(())
    }

    fn residence(&mut self, to: Option<Jurisdiction>, looser: bool) -> Result<(), Refusal> {
        let standing = self.standing;
        let mut faults = Vec::new();
        if to == standing.residence {
            let words =
                Words { en: "This is where the person lives already.", es: "Ya consta que la persona vive ahí." };
            faults.push(Fault { field: "residence", words });
        }
        let mut said = to.map_or_else(|| "lives in a place not known".to_owned(), |place| format!("lives in {place}"));
        // What was answered was answered by the dates of that day.
        if standing.progress.state.is_open() {
            let clocks = extended(standing, clocks_of(standing, standing.kind, to)?);
            let (before, after) = (&standing.clocks.respond_by, &clocks.respond_by);
            if after.date > before.date && !looser {
                faults.push(Fault { field: "looser", words: SAY_LATER });
            }
            if after.date != before.date {
                said = format!("{said}; due {} instead of {} ({})", after.date, before.date, after.citation);
            }
            self.decided.clocks = clocks;
        }
        none(faults)?;
        self.decided.residence = to;
        Ok(self.step(Action::Residence, standing.kind, said)?)
    }

    /// Opens a further request for the same person, received on the same day.
    fn open(&mut self, kind: Kind, clocks: Clocks, why: &str) -> Result<(), Refusal> {
        let standing = self.standing;
        let state = match standing.progress.state {
            State::Incomplete => State::Incomplete,
            _ => State::Received,
        };
        let progress = Progress { state, extended: clocks.extended };
        let (_, event) = progress.next(kind, Action::Classify, self.who.clone(), self.at, why)?;
        self.decided.further.push(Further { kind, progress, clocks, confirmed: standing.confirmed, event });
        Ok(())
    }
}

/// The ground of a refusal and its explanation, where nothing is missing.
fn denied(
    kind: Kind,
    denial: &Denial,
    faults: &mut Vec<Fault>,
) -> Result<Option<(&'static GroundRule, String)>, RulesError> {
    let words = Words {
        en: "Explain the refusal, as you told the person.",
        es: "Explique la denegación, como se la dijo a la persona.",
    };
    let explanation = needed(&denial.explanation, "explanation", words, faults);
    let rule = match denial.ground {
        Some(ground) => Some(ground.rule()?).filter(|rule| rule.kinds.contains(&kind)),
        None => None,
    };
    let Some(rule) = rule else {
        let words = Words {
            en: "Choose a ground on which the law lets this kind of request be refused.",
            es: "Elija un motivo por el que la ley permite denegar este tipo de solicitud.",
        };
        faults.push(Fault { field: "ground", words });
        return Ok(None);
    };
    let must_offer =
        rule.duties(kind)?.any(|duty| matches!(duty.does, Instead::OfferOptOut | Instead::PointToPrivacyPolicy));
    let offered = if must_offer {
        let words = Words { en: "Say what you offered instead.", es: "Diga qué ofreció en su lugar." };
        Some(needed(&denial.offered, "offered", words, faults))
    } else {
        optional(&denial.offered, "offered", faults)
    };
    let mut why = format!("{}: {explanation}", rule.label.en);
    if let Some(offered) = offered {
        why = format!("{why}\n{offered}");
    }
    Ok(Some((rule, why)))
}

/// A text that must be there.
fn needed(text: &str, field: &'static str, words: Words, faults: &mut Vec<Fault>) -> String {
    optional(text, field, faults).unwrap_or_else(|| {
        faults.push(Fault { field, words });
        String::new()
    })
}

/// A text that may be left empty.
fn optional(text: &str, field: &'static str, faults: &mut Vec<Fault>) -> Option<String> {
    if text.chars().nth(CHARACTERS as usize).is_some() {
        faults.push(Fault { field, words: TOO_LONG });
    }
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn none(faults: Vec<Fault>) -> Result<(), Refusal> {
    if faults.is_empty() { Ok(()) } else { Err(Refusal::Faults(faults)) }
}

#[cfg(test)]
mod tests;
