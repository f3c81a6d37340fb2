//! Opt-outs that ask nobody anything: a browser's signal (Global Privacy Control, 11 CCR 7025), and the one click on the
//! page of privacy choices.
//!
//! Of a browser alone nothing is known, so nothing is left to do: the site that it visits heard of it at once, and the
//! request is written down as closed, complied with in whole. Where the person is known, it is a request like any other.
//! Either way it is one request, however often the browser says it.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::clock::Clocks;
use domain::email::EmailAddress;
use domain::intake::Requester;
use domain::language::Language;
use domain::phone::E164;
use domain::reference::Reference;
use domain::request::{Action, Actor, Channel, Event, Kind, Outcome, Progress, Refused, State};
use domain::service_code::ServiceCode;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::desk::{Fresh, Person, WebForm, sealed_event};
use super::intake::{Filed, network};
use super::requests::{CANDIDATES, partition};
use super::{TenantStore, get_parsed, get_text, text};
use crate::Error;
use crate::seal::{Place, SubjectSalt};

/// Who opts out.
#[derive(Clone, Copy, Debug)]
pub enum OptingOut<'a> {
    /// A browser of which nothing is known but a random id that it keeps itself.
    Browser(&'a str),
    /// A browser that keeps no id: today, whatever comes from there counts as one. Of what is said here only a keyed hash is
    /// kept.
    Passing {
        /// Its network address.
        address: &'a str,
        /// What it calls itself.
        agent: &'a str,
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
            Self::Passing { address, agent } => {
                format!("passing#{}#{}#{agent}", at.to_zoned(TimeZone::UTC).date(), network(address))
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

/// An opt-out.
#[derive(Debug)]
pub struct NewSignal<'a> {
    /// Of whom.
    pub who: OptingOut<'a>,
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

impl TenantStore<'_> {
    /// Files an opt-out in one transaction; the same one again changes nothing, and gets the same answer.
    pub async fn file_signal(&self, new: &NewSignal<'_>) -> Result<Filed, Error> {
        let keys = self.keys().await?;
        let source = new.who.source(new.received_at);
        let source = format!("{}#{}#{source}#{}", new.channel.code(), new.code, new.form.unwrap_or_default());
        let said = keys.blind_index("signal", &source)?;
        let (progress, events) = steps(new).map_err(Error::failed("filing an opt-out"))?;
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
                kind: Kind::OptOut,
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
            let mut item = self.fresh_item(&keys, &salt, &fresh)?;
            let pk = partition(self.tenant.id(), &reference);
            let place = Place { table: "requests", pk: &pk, sk: reference.as_str(), attribute: "event" };
            let sealed = events.iter().map(|event| sealed_event(&keys, &salt, place, event));
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
                return Ok(Filed { reference, respond_by: new.clocks.respond_by.date, first_time: true });
            };
            if get_text(&there, "signal").is_ok_and(|it| it == said) {
                let respond_by = get_parsed(&there, "respond_by", |date| date.parse().ok())?;
                return Ok(Filed { reference, respond_by, first_time: false });
            }
        }
        Err(Error::Failed { doing: "filing an opt-out", source: "every candidate for its reference is taken".into() })
    }
}

fn nothing_happened() -> Error {
    Error::Failed { doing: "filing an opt-out", source: "an opt-out without an event".into() }
}

/// What happens to an opt-out in the moment in which it comes in: one of a browser goes all the way.
fn steps(new: &NewSignal<'_>) -> Result<(Progress, Vec<Event>), Refused> {
    let why = match new.channel {
        Channel::Signal => "the browser’s opt-out preference signal",
        _ => "asked for on the page of privacy choices",
    };
    let function = if new.channel == Channel::Signal { "forms-signal" } else { "forms-privacy-choices" };
    let system = || Actor::System { function: function.to_owned() };
    let mut steps = vec![(Action::Receive, Actor::Consumer, why)];
    if !new.who.is_known() {
        let told = "the site that the browser visits is told at once, and nothing else is known of it";
        steps.extend([Action::Review, Action::Fulfil, Action::Complete].map(|action| (action, system(), told)));
    }
    let mut progress = Progress::new(State::Incomplete);
    let mut events = vec![];
    for (action, who, why) in steps {
        let (next, event) = progress.next(Kind::OptOut, action, who, new.received_at, why)?;
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

    fn stepped(who: OptingOut<'_>) -> (Progress, Vec<Event>) {
        let received_at = at("2026-11-22T01:00:00Z");
        let clocks = clock::clocks(&[Jurisdiction::UsCa], Kind::OptOut, received_at, &TimeZone::UTC).unwrap();
        let code = ServiceCode::parse("12").unwrap();
        let (channel, language) = (Channel::Signal, Language::English);
        steps(&NewSignal {
            who,
            form: None,
            channel,
            code: &code,
            language,
            received_at,
            clocks: &clocks,
            origin: None,
        })
        .unwrap()
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
        let passing = |address| OptingOut::Passing { address, agent: "Firefox" };
        assert_eq!(passing("192.0.2.7").source(now), passing("192.0.2.7").source(now));
        assert_ne!(passing("192.0.2.7").source(now), passing("192.0.2.7").source(later), "a day is all that counts");
        assert_ne!(passing("192.0.2.7").source(now), passing("192.0.2.8").source(now));
    }
}
