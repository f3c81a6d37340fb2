//! Opt-outs that ask nobody anything: a browser's signal (Global Privacy Control, 11 CCR 7025), and the one click on the
//! page of privacy choices.
//!
//! Of a browser alone nothing is known, so nothing is left to do here: the site that it visits learns of it from the browser,
//! and the request is written down as closed, complied with in whole. Where the person is known, it is a request like any
//! other. Either way it is one request, however often the browser says it; only where somebody's request was closed before,
//! the next signal opens another.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::clock::Clocks;
use domain::email::EmailAddress;
use domain::intake::Requester;
use domain::language::Language;
use domain::own_words;
use domain::phone::E164;
use domain::reference::Reference;
use domain::request::{Action, Actor, Channel, Event, Kind, Outcome, Progress, Refused, State};
use domain::service_code::ServiceCode;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::desk::{Fresh, Person, WebForm, sealed_event};
use super::intake::{Filed, network};
use super::requests::{CANDIDATES, partition};
use super::retention::BINNED;
use super::{Item, TenantStore, get_parsed, get_text, text};
use crate::Error;
use crate::seal::{Place, SubjectSalt, TenantKeys};

/// So many requests of one person, made by their signal to one code, may be closed before.
const MOST_CLOSED: u8 = 50;

/// Who opts out.
#[derive(Clone, Copy, Debug)]
pub enum OptingOut<'a> {
    /// A browser of which nothing is known but a random id that it keeps itself.
    Browser(&'a str),
    /// A browser that keeps no id: today, whatever comes from this network counts as one. What a browser calls itself does
    /// not count: it can call itself anything. Of the network only a keyed hash is kept.
    Passing {
        /// Its network address.
        address: &'a str,
    },
    /// Whoever has this e-mail address.
    Email(&'a EmailAddress),
    /// Whoever has this telephone number.
    Phone(&'a E164),
}

impl OptingOut<'_> {
    /// What the same opt-out says each time.
    fn source(&self, at: Timestamp) -> String {
        match self {
            Self::Browser(id) => format!("browser#{id}"),
            Self::Passing { address } => {
                format!("passing#{}#{}", at.to_zoned(TimeZone::UTC).date(), network(address))
            }
            Self::Email(email) => format!("email#{}", email.normalized()),
            Self::Phone(phone) => format!("phone#{}", phone.as_str()),
        }
    }

    /// Whether somebody is known who is to be opted out beyond the browser.
    const fn is_known(&self) -> bool {
        matches!(self, Self::Email(_) | Self::Phone(_))
    }

    fn person(&self) -> Person {
        Person {
            email: if let Self::Email(email) = self { Some(email.as_str().to_owned()) } else { None },
            phone: if let Self::Phone(phone) = self { Some(phone.as_str().to_owned()) } else { None },
            ..Person::default()
        }
    }
}

/// An opt-out, or a request to limit.
#[derive(Debug)]
pub struct NewSignal<'a> {
    /// Of whom.
    pub who: OptingOut<'a>,
    /// What is asked: [`Kind::OptOut`], or [`Kind::Limit`] of somebody who is known.
    pub kind: Kind,
    /// The id of the form that it was sent with: then each form is a request of its own, so that whoever writes down an
    /// address that is not theirs is not given the number of somebody else's. A signal has none.
    pub form: Option<&'a str>,
    /// How it came in: [`Channel::Signal`], or [`Channel::Form`] where somebody pressed a button.
    pub channel: Channel,
    /// To which service code.
    pub code: &'a ServiceCode,
    /// The language of the page.
    pub language: Language,
    /// When.
    pub received_at: Timestamp,
    /// The dates that the law sets.
    pub clocks: &'a Clocks,
    /// The site that it comes from; none for our own pages.
    pub origin: Option<&'a str>,
}

impl NewSignal<'_> {
    /// What the same one says each time, after so many others of it that were closed.
    fn source(&self, closed: u8) -> String {
        let (channel, form) = (self.channel.code(), self.form.unwrap_or_default());
        let kind = if self.kind == Kind::OptOut { "" } else { self.kind.code() };
        let source = self.who.source(self.received_at);
        format!("{channel}#{}#{source}#{form}#{kind}#{closed}", self.code)
    }
}

impl TenantStore<'_> {
    /// Files an opt-out in one transaction. The same one again changes nothing and gets the same answer, unless it is
    /// somebody's whose request has been closed: then this is another request.
    pub async fn file_signal(&self, new: &NewSignal<'_>) -> Result<Filed, Error> {
        let keys = self.keys().await?;
        let (progress, events) = steps(new).map_err(Error::failed("filing an opt-out"))?;
        for closed in 0..MOST_CLOSED {
            let source = new.source(closed);
            match self.file_signal_as(&keys, new, &source, (progress, &events)).await? {
                There::Answered(filed) => return Ok(filed),
                There::Closed => {}
            }
        }
        Err(Error::Failed { doing: "filing an opt-out", source: "too many requests of it were closed".into() })
    }

    /// Files the signal that a browser sends with every page. What this process has written down today it does not write again.
    pub async fn note_signal(&self, new: &NewSignal<'_>) -> Result<(), Error> {
        let known = new.who.is_known();
        let said = self.keys().await?.blind_index("signal", &new.source(0))?;
        if !known && self.store.noted.has(&said) {
            return Ok(());
        }
        self.file_signal(new).await?;
        if !known {
            self.store.noted.add(said);
        }
        Ok(())
    }

    async fn file_signal_as(
        &self,
        keys: &TenantKeys,
        new: &NewSignal<'_>,
        source: &str,
        (progress, events): (Progress, &[Event]),
    ) -> Result<There, Error> {
        let said = keys.blind_index("signal", source)?;
        let first = events.first().ok_or_else(nothing_happened)?;
        let person = new.who.person();
        let web = WebForm {
            requester: Requester::Myself,
            agent_name: None,
            agent_email: None,
            agent_company: None,
            human: None,
            hints: vec![],
            origin: new.origin.map(str::to_owned),
        };
        for candidate in 0..CANDIDATES {
            let entropy = keys.reference_entropy(&format!("signal:{source}"), candidate)?;
            let reference = Reference::from_entropy(entropy);
            let salt = SubjectSalt::random()?;
            let fresh = Fresh {
                reference: &reference,
                kind: new.kind,
                progress,
                clocks: new.clocks,
                channel: new.channel,
                code: new.code,
                language: new.language,
                received_at: new.received_at,
                confirmed: None,
                residence: None,
                assignee: None,
                person: &person,
                web: Some(&web),
                missing: &[],
                event: first,
            };
            let mut item = self.fresh_item(keys, &salt, &fresh)?;
            let pk = partition(self.tenant.id(), &reference);
            let place = Place { table: "requests", pk: &pk, sk: reference.as_str(), attribute: "event" };
            let sealed = events.iter().map(|event| sealed_event(keys, &salt, place, event));
            item.insert("events".to_owned(), AttributeValue::L(sealed.collect::<Result<_, _>>()?));
            if !progress.state.is_open() {
                let day = new.clocks.received_on;
                item.insert("closed_on".to_owned(), text(day.to_string()));
                item.insert("outcome".to_owned(), text(Outcome::CompliedInWhole.code()));
                item.insert("closed_pk".to_owned(), text(self.tenant.id().as_str()));
                item.insert("closed_sk".to_owned(), text(format!("{day}#{}", reference.as_str())));
            }
            item.insert("signal".to_owned(), text(&said));
            let items = self.put_fresh(&reference, item, &salt)?;
            let Some(there) = self.write_fresh(items).await? else {
                let respond_by = new.clocks.respond_by.date;
                return Ok(There::Answered(Filed { reference, respond_by, first_time: true }));
            };
            if get_text(&there, "signal").is_ok_and(|it| it == said) {
                return there_already(new, reference, &there);
            }
        }
        Err(Error::Failed { doing: "filing an opt-out", source: "every candidate for its reference is taken".into() })
    }
}

/// The signals of browsers that this process has written down, by their hashes: those of today are said again with every page.
#[derive(Debug, Default)]
pub(super) struct Noted(Mutex<HashSet<String>>);

impl Noted {
    const KEEP_AT_MOST: usize = 10_000;

    fn has(&self, said: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(said)
    }

    fn add(&self, said: String) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() >= Self::KEEP_AT_MOST {
            noted.clear();
        }
        noted.insert(said);
    }
}

/// What became of an opt-out that was filed under some source.
#[derive(Debug, PartialEq, Eq)]
enum There {
    /// It is filed, now or before.
    Answered(Filed),
    /// It was filed before, and is closed: nothing is done about it any more.
    Closed,
}

/// The same opt-out that is there already. One of a browser alone is closed from the beginning; so is what a form asked, which
/// is one request for good. Of somebody who is known, only an open one is an answer to their next signal.
fn there_already(new: &NewSignal<'_>, reference: Reference, there: &Item) -> Result<There, Error> {
    let state = get_parsed(there, "state", State::parse)?;
    // What lies in the recycle bin is shown to nobody: whoever asks again begins anew.
    if there.contains_key(BINNED) {
        return Ok(There::Closed);
    }
    if new.who.is_known() && new.form.is_none() && !state.is_open() {
        return Ok(There::Closed);
    }
    let respond_by = get_parsed(there, "respond_by", |date| date.parse().ok())?;
    Ok(There::Answered(Filed { reference, respond_by, first_time: false }))
}

fn nothing_happened() -> Error {
    Error::Failed { doing: "filing an opt-out", source: "an opt-out without an event".into() }
}

/// What happens to an opt-out in the moment in which it comes in: one of a browser goes all the way.
fn steps(new: &NewSignal<'_>) -> Result<(Progress, Vec<Event>), Refused> {
    let (why, function, told) = match new.channel {
        Channel::Signal => (own_words::BY_SIGNAL.en, "forms-signal", own_words::SIGNAL_TOLD.en),
        _ => (own_words::BY_CHOICE.en, "forms-privacy-choices", own_words::CHOICE_TOLD.en),
    };
    let system = || Actor::System { function: function.to_owned() };
    let mut steps = vec![(Action::Receive, Actor::Consumer, why)];
    if !new.who.is_known() {
        steps.extend([Action::Review, Action::Fulfil, Action::Complete].map(|action| (action, system(), told)));
    }
    let mut progress = Progress::new(State::Incomplete);
    let mut events = vec![];
    for (action, who, why) in steps {
        let (next, event) = progress.next(new.kind, action, who, new.received_at, why)?;
        progress = next;
        events.push(event);
    }
    Ok((progress, events))
}

#[cfg(test)]
mod tests {
    use domain::clock;
    use domain::jurisdiction::Jurisdiction;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn with<T>(who: OptingOut<'_>, channel: Channel, form: Option<&str>, then: impl Fn(&NewSignal<'_>) -> T) -> T {
        let received_at = at("2026-11-22T01:00:00Z");
        let clocks = clock::clocks(&[Jurisdiction::UsCa], Kind::OptOut, received_at, &TimeZone::UTC).unwrap();
        let code = ServiceCode::parse("12").unwrap();
        then(&NewSignal {
            who,
            kind: Kind::OptOut,
            form,
            channel,
            code: &code,
            language: Language::English,
            received_at,
            clocks: &clocks,
            origin: None,
        })
    }

    fn stepped(who: OptingOut<'_>) -> (Progress, Vec<Event>) {
        with(who, Channel::Signal, None, |new| steps(new).unwrap())
    }

    fn there(state: State) -> Item {
        Item::from([("state".to_owned(), text(state.code())), ("respond_by".to_owned(), text("2026-12-15"))])
    }

    #[test]
    fn a_closed_request_is_no_answer_to_the_next_signal_of_the_same_person() {
        let email = EmailAddress::parse("ana@example.com").unwrap();
        let known = OptingOut::Email(&email);
        let answer = |who: OptingOut<'_>, form: Option<&str>, state: State| {
            let channel = if form.is_none() { Channel::Signal } else { Channel::Form };
            with(who, channel, form, |new| there_already(new, Reference::from_entropy(7), &there(state)).unwrap())
        };
        for state in State::ALL {
            assert_eq!(answer(known, None, state) == There::Closed, !state.is_open(), "{state:?}");
            // A browser's own is closed from the beginning, and a form sent twice makes one request for good.
            assert!(matches!(answer(OptingOut::Browser("b"), None, state), There::Answered(_)));
            assert!(matches!(answer(known, Some("f"), state), There::Answered(_)));
        }
        let sources: std::collections::BTreeSet<String> =
            (0..MOST_CLOSED).map(|closed| with(known, Channel::Signal, None, |new| new.source(closed))).collect();
        assert_eq!(sources.len(), usize::from(MOST_CLOSED), "each after the one before");
    }

    #[test]
    fn a_choice_on_our_page_does_not_say_that_the_site_was_told() {
        let (_, events) = with(OptingOut::Browser("b"), Channel::Form, Some("f"), |new| steps(new).unwrap());
        for event in events {
            let why = event.why.as_str();
            assert!(!why.contains("at once") && !why.contains("is told"), "{why}");
        }
    }

    #[test]
    fn a_browsers_opt_out_is_complied_with_at_once_and_no_step_is_left_out() {
        let (progress, events) = stepped(OptingOut::Browser("b"));
        assert_eq!(progress.state, State::Completed);
        let states: Vec<State> = events.iter().map(|event| event.to).collect();
        assert_eq!(states, [State::Received, State::InReview, State::Fulfilling, State::Completed]);
    }

    #[test]
    fn the_opt_out_of_somebody_who_is_known_stays_open() {
        let email = EmailAddress::parse("ana@example.com").unwrap();
        assert_eq!(stepped(OptingOut::Email(&email)).0.state, State::Received);
    }

    #[test]
    fn the_same_opt_out_says_the_same_each_time_and_nobody_elses_does() {
        let email = |text: &str| EmailAddress::parse(text).unwrap();
        let (now, later) = (at("2026-11-22T01:00:00Z"), at("2026-11-23T01:00:00Z"));
        let [a, same, b] = ["Ana@Example.com", "ana@example.com", "bo@example.com"].map(email);
        assert_eq!(OptingOut::Email(&a).source(now), OptingOut::Email(&same).source(later));
        assert_ne!(OptingOut::Email(&a).source(now), OptingOut::Email(&b).source(now));
        assert_eq!(OptingOut::Browser("x").source(now), OptingOut::Browser("x").source(later));
        let passing = |address| OptingOut::Passing { address };
        assert_eq!(passing("192.0.2.7").source(now), passing("192.0.2.7").source(now));
        assert_ne!(passing("192.0.2.7").source(now), passing("192.0.2.7").source(later), "a day is all that counts");
        assert_ne!(passing("192.0.2.7").source(now), passing("192.0.2.8").source(now));
    }

    #[test]
    fn what_is_written_down_is_known_and_memory_is_bounded() {
        let noted = Noted::default();
        for n in 0..=Noted::KEEP_AT_MOST {
            assert!(!noted.has(&n.to_string()));
            noted.add(n.to_string());
            assert!(noted.has(&n.to_string()));
        }
        assert!(noted.0.lock().unwrap().len() <= Noted::KEEP_AT_MOST);
    }
}
