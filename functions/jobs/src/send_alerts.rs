//! `jobs-send-alerts`: tells people which requests came in: at once, every hour or every morning, as each of them wishes. And
//! whoever made one that nobody confirmed (11 CCR 7021(a)): an entry of the agenda that names a request asks for that.
//!
//! News lie in an order of their own, and for each person it is noted until where they were told. A telling is noted before its
//! letter is posted, with where it ends, and once more after: one that broke off is brought to the same end under the same
//! name, and goes out once. Whoever changes when they are told goes on where they were.

use std::collections::{BTreeMap, HashMap};

use domain::alert;
use domain::reference::Reference;
use domain::request::State;
use domain::user::{AlertFrequency, UserState};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use platform::digest::{NewsLetter, NewsLine, ToConfirm};
use platform::edge::{Ran, Work};
use platform::mail::Letter;
use platform::store::{Line, News, Told, User};
use platform::{App, Error};

/// So many news are read at once, each of at most 90 requests.
const AT_ONCE: i32 = 100;
/// When there are more, or somebody else was telling.
const SOON: SignedDuration = SignedDuration::from_mins(1);

/// What an entry says that is about the confirmation of one request.
const TO_CONFIRM: &str = "confirm#";

/// What the agenda calls the confirmation of a request.
pub(crate) fn to_confirm(reference: &Reference) -> String {
    format!("{TO_CONFIRM}{}", reference.as_str())
}

/// Tells one tenant's team, or one person who asked.
pub async fn handle(app: &App, work: &Work) -> Result<Ran, Error> {
    if let Some(reference) = work.due.what.strip_prefix(TO_CONFIRM) {
        let reference = Reference::parse(reference).map_err(|error| Error::invalid("what", error))?;
        app.post(&Letter::ToConfirm(ToConfirm::new(&work.due.tenant, &reference))).await?;
        return Ok(Ran::done().counting("confirmations", 1));
    }
    let store = app.store.of(&work.due.tenant);
    let profile = match store.profile().await {
        // The account is gone.
        Err(Error::NotFound) => return Ok(Ran::done()),
        profile => profile?,
    };
    let tz = profile.tz().map_err(Error::failed("reading a tenant's time zone"))?;
    let mut unfinished = 0;
    let again = loop {
        let (left, more) = store.sweep_begun(work.now - alert::ABANDONED_AFTER).await?;
        unfinished += left;
        if !more || app.clock.now() > work.until {
            break more.then(|| work.now + SOON);
        }
    };
    let ((team, unreadable), told) = (store.readable_users().await?, store.told().await?);
    let mut round = Round { app, work, tz, again, mails: 0, told: 0, unreadable };
    // Most people were told until the same; whoever has just come, or was away, is read for apart.
    let mut groups: BTreeMap<u64, Vec<(&User, Option<Told>)>> = BTreeMap::new();
    for user in team.iter().filter(|user| wants(user)) {
        let seen = told.get(&user.id).copied();
        groups.entry(seen.unwrap_or_default().until).or_default().push((user, seen));
    }
    for (until, users) in groups {
        round.tell(until, &users).await?;
    }
    let ran = round.again.map_or_else(Ran::done, Ran::again);
    if round.unreadable > 0 {
        let (tenant, unreadable) = (work.due.tenant.id().as_str(), round.unreadable);
        tracing::error!(tenant, unreadable, "requests or people cannot be read, and are left out of the news");
    }
    Ok(ran
        .counting("mails", round.mails)
        .counting("told", round.told)
        .counting("unfinished", unfinished)
        .counting("unreadable", round.unreadable))
}

/// One telling of a tenant's team, and what it came to.
struct Round<'a> {
    app: &'a App,
    work: &'a Work,
    tz: TimeZone,
    again: Option<Timestamp>,
    mails: u64,
    told: u64,
    unreadable: u64,
}

impl Round<'_> {
    /// Tells those who were told until the same number.
    async fn tell(&mut self, until: u64, users: &[(&User, Option<Told>)]) -> Result<(), Error> {
        let store = self.app.store.of(&self.work.due.tenant);
        let soon = self.work.now + SOON;
        let news = store.news_after(until, AT_ONCE).await?;
        if news.len() >= usize::try_from(AT_ONCE).unwrap_or(usize::MAX) {
            self.again_at(soon);
        }
        let mut lines: Option<HashMap<Reference, Line>> = None;
        for (user, seen) in users {
            let telling = match next(user, seen.unwrap_or_default(), &news, &self.tz, self.work.now) {
                Next::Nothing => continue,
                Next::Later(at) => {
                    self.again_at(at);
                    continue;
                }
                Next::Tell { until } => until,
            };
            let begun = Told { until, telling: Some(telling) };
            if *seen != Some(begun) && !store.note_told(&user.id, *seen, begun).await? {
                self.again_at(soon);
                continue;
            }
            let lines = match &mut lines {
                Some(lines) => lines,
                none => {
                    let all: Vec<Reference> = news.iter().flat_map(|news| news.references.iter().cloned()).collect();
                    let (found, unreadable) = store.lines(&all).await?;
                    self.unreadable += unreadable;
                    none.insert(found.into_iter().map(|line| (line.reference.clone(), line)).collect())
                }
            };
            let mut letter = NewsLetter::new(&self.work.due.tenant, &user.id, telling);
            let told = news.iter().filter(|news| news.number <= telling && !is_old(news, user, self.work.now));
            for line in told.flat_map(|news| &news.references).filter_map(|it| lines.get(it)) {
                letter.add(NewsLine {
                    reference: line.reference.clone(),
                    kind: line.kind,
                    code: line.code.clone(),
                    respond_by: line.respond_by,
                    unfinished: line.state == State::Incomplete,
                });
            }
            if letter.all() > 0 {
                self.mails += 1;
                self.told += letter.all();
                self.app.post(&Letter::News(letter)).await?;
            }
            // Where somebody else has noted it meanwhile, it is noted.
            store.note_told(&user.id, Some(begun), Told { until: telling, telling: None }).await?;
        }
        Ok(())
    }

    fn again_at(&mut self, at: Timestamp) {
        self.again = Some(self.again.map_or(at, |again| again.min(at)));
    }
}

/// What is to be done for somebody.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Nothing,
    Later(Timestamp),
    Tell { until: u64 },
}

fn next(user: &User, told: Told, news: &[News], tz: &TimeZone, now: Timestamp) -> Next {
    // A telling that broke off is ended as it was begun.
    if let Some(until) = told.telling {
        return Next::Tell { until };
    }
    let mut pending = news.iter().filter(|news| news.number > told.until);
    let Some(last) = pending.clone().next_back() else { return Next::Nothing };
    let current = pending.find(|news| !is_old(news, user, now));
    let at = match current {
        Some(oldest) => alert::told_at(user.profile.preferences.alerts, tz, oldest.at),
        // All that is pending is old: it is passed over.
        None => Some(now),
    };
    match at {
        Some(at) if at <= now => Next::Tell { until: last.number },
        Some(at) => Next::Later(at),
        None => Next::Nothing,
    }
}

/// Whether it came too long ago to be news, or before somebody was there.
fn is_old(news: &News, user: &User, now: Timestamp) -> bool {
    now.duration_since(news.at) > alert::NEWS_FOR || news.at < user.invited_at
}

fn wants(user: &User) -> bool {
    user.state == UserState::Active && user.dead.is_none() && user.profile.preferences.alerts != AlertFrequency::Never
}

#[cfg(test)]
mod tests {
    use domain::email::EmailAddress;
    use domain::language::Language;
    use domain::role::Role;
    use domain::user::{Preferences, UserId, UserProfile};

    use super::*;

    fn user(alerts: AlertFrequency) -> User {
        User {
            id: UserId::parse(&format!("u-{}", "0a".repeat(13))).unwrap(),
            email: EmailAddress::parse("ana@shop.example").unwrap(),
            role: Role::Agent,
            state: UserState::Active,
            profile: UserProfile {
                name: "Ana".into(),
                language: Language::English,
                preferences: Preferences { alerts, ..Preferences::default() },
            },
            invited_at: Timestamp::UNIX_EPOCH,
            dead: None,
            version: 1,
        }
    }

    fn at(time: &str) -> Timestamp {
        format!("2026-11-{time}Z").parse().unwrap()
    }

    fn news(number: u64, time: &str) -> News {
        News { number, at: at(time), references: vec![Reference::from_entropy(number)] }
    }

    fn what(alerts: AlertFrequency, told: Told, news: &[News], now: &str) -> Next {
        let tz = TimeZone::get("America/Los_Angeles").unwrap();
        next(&user(alerts), told, news, &tz, at(now))
    }

    #[test]
    fn each_is_told_when_they_wish_of_all_that_came_since() {
        let some = [news(3, "22T18:12:30"), news(4, "22T18:40:00")];
        let until = |until| Told { until, telling: None };
        let at_once = what(AlertFrequency::AtOnce, until(2), &some, "22T18:13:00");
        assert_eq!(at_once, Next::Tell { until: 4 });
        assert_eq!(what(AlertFrequency::Hourly, until(2), &some, "22T18:41:00"), Next::Later(at("22T19:00:00")));
        assert_eq!(what(AlertFrequency::Hourly, until(2), &some, "22T19:00:00"), Next::Tell { until: 4 });
        assert_eq!(what(AlertFrequency::Daily, until(2), &some, "22T19:00:00"), Next::Later(at("23T16:00:00")));
        assert_eq!(what(AlertFrequency::Daily, until(3), &some, "23T16:00:00"), Next::Tell { until: 4 });
        assert_eq!(what(AlertFrequency::AtOnce, until(4), &some, "23T16:00:00"), Next::Nothing);
    }

    #[test]
    fn whoever_changes_their_mind_goes_on_where_they_were() {
        let some = [news(3, "22T18:12:30")];
        let told = Told { until: 2, telling: None };
        assert_eq!(what(AlertFrequency::Daily, told, &some, "22T20:00:00"), Next::Later(at("23T16:00:00")));
        assert_eq!(what(AlertFrequency::AtOnce, told, &some, "22T20:00:00"), Next::Tell { until: 3 });
    }

    #[test]
    fn a_telling_that_broke_off_ends_where_it_was_to_end() {
        let some = [news(3, "22T18:12:30"), news(4, "22T18:40:00")];
        let told = Told { until: 2, telling: Some(3) };
        assert_eq!(what(AlertFrequency::Daily, told, &some, "22T18:41:00"), Next::Tell { until: 3 });
    }

    #[test]
    fn who_has_just_joined_is_not_told_of_what_came_before() {
        let mut joined = user(AlertFrequency::AtOnce);
        joined.invited_at = at("22T18:30:00");
        let (before, since) = (news(3, "22T18:12:30"), news(4, "22T18:40:00"));
        let now = at("22T18:41:00");
        assert!(is_old(&before, &joined, now) && !is_old(&since, &joined, now));
    }

    #[test]
    fn what_came_in_a_week_ago_is_passed_over() {
        let some = [news(3, "01T18:12:30"), news(4, "22T18:40:00")];
        let told = Told::default();
        assert_eq!(what(AlertFrequency::Hourly, told, &some, "22T18:41:00"), Next::Later(at("22T19:00:00")));
        assert_eq!(what(AlertFrequency::Hourly, told, &some[..1], "22T18:41:00"), Next::Tell { until: 3 });
    }
}
