//! Whether the mails came out right: each that was due came once, or twice where nobody could know whether it had come; nobody
//! got what was not theirs or not due; and what was sent twice or given up is on record.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use bench::Error;
use domain::job::Job;
use domain::reference::Reference;
use domain::reminder::{self, Duty, Member};
use domain::report::Period;
use domain::tenant::Reminders;
use domain::user::{AlertFrequency, ReportFrequency, UserId};
use jiff::civil::Date;
use serde_json::Value;

use super::house::{Asked, CONSUMER, Reader};
use super::night::{Night, counted, has_silent_run};
use super::said::{body, dates, named, references, subject, to};
use crate::ledger::{number, text};

/// What a mail is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Report(UserId, Period),
    Reminders(UserId, Date),
    /// With the requests that it names.
    News(UserId, BTreeSet<Reference>),
    Confirmation,
}

/// Why something is wrong.
type Wrong = (&'static str, String);

/// Looks at everything. The tally gains what was sent and counted.
pub fn check(night: &mut Night) -> Result<(), Error> {
    let mails = night.crew.cloud.lock().mails.clone();
    let found = found(night, &mails).and_then(|sent| {
        let mut tally = each(night, &sent)?;
        missing(night, &mails, &sent)?;
        tally.insert("mails given up on record", given_up(night)?);
        Ok(tally)
    });
    match found {
        Ok(tally) => {
            for (what, times) in tally {
                night.crew.tally.add(what, times);
            }
            Ok(())
        }
        Err((what, why)) => Err(Error::say(&night.name, what, &why)),
    }
}

/// Where each mail lies among all.
type Sent = BTreeMap<What, Vec<usize>>;

fn found(night: &Night, mails: &[Value]) -> Result<Sent, Wrong> {
    let mut sent = Sent::new();
    for (place, mail) in mails.iter().enumerate() {
        let what = read(night, mail).ok_or_else(|| ("has a mail that nobody should get", mail.to_string()))?;
        let texts = |at: &usize| mails.get(*at).map(|mail| (to(mail), subject(mail), references(mail)));
        let places = sent.entry(what.clone()).or_default();
        if places.iter().any(|before| texts(before) != texts(&place)) {
            return Err(("has a mail that is not the one it was", format!("{what:?}: {mail}")));
        }
        places.push(place);
    }
    Ok(sent)
}

/// What a mail is; nothing where it is none that its reader may get.
fn read(night: &Night, mail: &Value) -> Option<What> {
    let (to, subject) = (to(mail)?, subject(mail));
    if to == CONSUMER {
        return (subject == "We have received your request").then_some(What::Confirmation);
    }
    let reader = night.house.team.iter().find(|reader| reader.email == to)?;
    if ["Optline report: ", "Informe de Optline: "].iter().any(|begin| subject.starts_with(begin)) {
        return report(night, reader, subject);
    }
    if ["Deadlines: ", "Plazos – "].iter().any(|begin| subject.starts_with(begin)) {
        return reminders(night, reader, mail);
    }
    let is_news = ["new privacy request", "nueva"].iter().any(|word| subject.contains(word));
    let wanted = reader.wishes.alerts != AlertFrequency::Never;
    (is_news && wanted).then(|| What::News(reader.id.clone(), references(mail)))
}

fn report(night: &Night, reader: &Reader, subject: &str) -> Option<What> {
    let said = dates(subject);
    let says = |period: &Period| match reader.wishes.reports {
        ReportFrequency::Monthly => subject.contains(&period.first.year().to_string()) && said.is_empty(),
        ReportFrequency::Daily => said == [period.first],
        _ => said == [period.first, period.last],
    };
    let mut may = night.due.may.iter().filter(|(user, period)| *user == reader.id && says(period));
    may.next().map(|(user, period)| What::Report(user.clone(), *period))
}

/// All that it names must be due on its day, since the last day that was brought to its end, and its reader's to know.
fn reminders(night: &Night, reader: &Reader, mail: &Value) -> Option<What> {
    let day = dates(body(mail).lines().next()?).first().copied()?;
    let last = night.due.settled.iter().copied().filter(|settled| *settled < day).max()?;
    let members: Vec<Member> = night.house.team.iter().map(Reader::member).collect();
    let is_due = |(reference, duty): &(Reference, Duty)| {
        let Some(asked) = night.house.requests.iter().find(|asked| asked.reference == *reference) else { return false };
        let due = asked.dates.reminders(&Reminders::default(), last, day);
        due.iter()
            .any(|due| due.duty == *duty && reminder::audience(&members, None, due.days_left).contains(&&reader.id))
    };
    let lines = named(mail);
    let distinct: BTreeSet<_> = lines.iter().collect();
    let right = !lines.is_empty() && distinct.len() == lines.len() && lines.iter().all(is_due);
    (right && night.due.days.contains(&day)).then(|| What::Reminders(reader.id.clone(), day))
}

/// Each mail came once, or twice for a reason that is on record.
fn each(night: &Night, sent: &Sent) -> Result<BTreeMap<&'static str, u64>, Wrong> {
    let mut tally = BTreeMap::new();
    let mut count = |what| *tally.entry(what).or_default() += 1;
    for (what, places) in sent {
        let mark = names(night, what).into_iter().find_map(|name| night.mark(&name));
        let mark = mark.ok_or_else(|| ("has a mail without a mark", format!("{what:?}")))?;
        let because = text(&mark, "again_because");
        // A report in whose place the next one has come is not asked for again: how it ended may stay unknown.
        let is_superseded =
            matches!(what, What::Report(user, period) if !night.due.must.contains(&(user.clone(), *period)));
        let is_unknown = is_superseded && places.last().is_some_and(|last| night.unwritten.contains(last));
        let is_ended = is_unknown || ["sent", "given_up"].iter().any(|name| number(&mark, name).is_some());
        match (places.as_slice(), because) {
            ([_], _) if is_ended => count("mails that came once"),
            ([first, _], Some(because)) if is_ended => {
                if !night.unwritten.contains(first) {
                    return Err(("sends twice what it knew was sent", format!("{what:?} {mark:?}")));
                }
                count("mails that came twice");
                count(if because == "no-answer" {
                    "mails sent again on record: no answer came"
                } else {
                    "mails sent again on record: no end was known"
                });
            }
            _ => {
                return Err((
                    "sends a mail too often, or does not know that it did",
                    format!("{what:?} {places:?} {mark:?}"),
                ));
            }
        }
        let in_runs = {
            let cloud = night.crew.cloud.lock();
            counted(&cloud, Job::SendReports, "again") > 0 || has_silent_run(&cloud, Job::SendReports)
        };
        if let What::Report(user, period) = what
            && because.is_some()
            && number(&mark, "sent").is_some()
            && night.due.must.contains(&(user.clone(), *period))
            && !in_runs
        {
            return Err(("has no run that counts what was sent again", format!("{what:?} {mark:?}")));
        }
        count(match what {
            What::Report(..) => "reports",
            What::Reminders(..) => "reminders",
            What::News(..) => "news",
            What::Confirmation => "confirmations",
        });
    }
    Ok(tally)
}

/// Everything that had to come has come, or is on record as given up.
fn missing(night: &Night, mails: &[Value], sent: &Sent) -> Result<(), Wrong> {
    let is_missing = |what: &What| !sent.contains_key(what) && !is_given_up(night, what);
    let reports = night.due.must.iter().map(|(user, period)| What::Report(user.clone(), *period));
    if let Some(what) = reports.chain([What::Confirmation]).find(is_missing) {
        return Err(("misses a mail", format!("{what:?}")));
    }
    for (user, after, until, reference, duty) in &night.due.told {
        let within = |day: &Date| *after < *day && day <= until;
        let days = night.due.days.iter().filter(|day| within(day));
        let told = days.clone().any(|day| {
            let places = sent.get(&What::Reminders(user.clone(), *day)).and_then(|places| places.first());
            let mail = places.and_then(|place| mails.get(*place));
            mail.is_some_and(|mail| named(mail).contains(&(reference.clone(), *duty)))
        });
        let mut days = days;
        if !told && !days.any(|day| is_given_up(night, &What::Reminders(user.clone(), *day))) {
            return Err(("misses a reminder", format!("{user} {after} to {until}: {reference:?} {duty:?}")));
        }
    }
    let listeners = night.house.team.iter().filter(|reader| reader.wishes.alerts != AlertFrequency::Never);
    for reader in listeners.filter(|_| night.due.news) {
        for Asked { reference, .. } in &night.house.requests {
            let naming = sent
                .keys()
                .filter(|what| matches!(what, What::News(of, all) if *of == reader.id && all.contains(reference)));
            let given_up = is_given_up(night, &What::News(reader.id.clone(), BTreeSet::new()));
            match naming.count() {
                1 => {}
                0 if given_up => {}
                times => return Err(("tells news not once", format!("{} {reference:?}: {times}", reader.email))),
            }
        }
    }
    let confirmed = confirmed(night);
    match sent.get(&What::Confirmation) {
        Some(_) if confirmed => Ok(()),
        // Nobody knows whether it arrived, so it is still to be confirmed.
        _ if !confirmed && is_given_up(night, &What::Confirmation) => Ok(()),
        _ => Err(("confirms without a mail, or mails without confirming", format!("{confirmed}"))),
    }
}

/// How many were given up, each of which somebody is told of.
fn given_up(night: &Night) -> Result<u64, Wrong> {
    let marks = night.crew.cloud.lock().all("sessions").filter(|item| item.contains_key("given_up")).count();
    if marks > 0 && !is_told_of(night) {
        return Err(("gives a mail up and tells nobody", marks.to_string()));
    }
    Ok(u64::try_from(marks).unwrap_or(u64::MAX))
}

fn is_told_of(night: &Night) -> bool {
    fs::read_to_string(&night.crew.log)
        .is_ok_and(|log| log.lines().any(|line| line.contains("\"ERROR\"") && line.contains("a mail is given up")))
}

fn confirmed(night: &Night) -> bool {
    let asked = night.house.requests.iter().find(|asked| asked.to_confirm);
    let cloud = night.crew.cloud.lock();
    let item = cloud.all("requests").find(|item| text(item, "sk") == asked.map(|asked| asked.reference.as_str()));
    item.is_some_and(|item| item.contains_key("confirmed_at"))
}

/// Whether it was begun twice and nobody knows whether it went: that is in its mark, and an error in the log.
fn is_given_up(night: &Night, what: &What) -> bool {
    let mut marks = names(night, what).into_iter().filter_map(|name| night.mark(&name));
    marks.any(|mark| number(&mark, "given_up").is_some()) && is_told_of(night)
}

/// What a mail may be called where it is sent once.
fn names(night: &Night, what: &What) -> Vec<String> {
    let tenant = &night.house.tenant;
    match what {
        What::Report(user, period) => vec![format!("report {tenant} {user} {period}")],
        What::Reminders(user, day) => vec![format!("{tenant} reminders {day} {user}")],
        // Until which news, nobody but the function knows.
        What::News(user, _) => (1..=16).map(|until| format!("{tenant} news {user} {until}")).collect(),
        What::Confirmation => {
            let asked = night.house.requests.iter().filter(|asked| asked.to_confirm);
            asked.map(|asked| format!("{tenant} confirmation {}", asked.reference.as_str())).collect()
        }
    }
}
