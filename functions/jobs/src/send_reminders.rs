//! `jobs-send-reminders`: each morning at eight, where the tenant is, one mail to each person who is to be reminded of anything.
//!
//! What is due is a range of the index of open requests, read once, however many people there are. The mails are letters in the
//! queue of mail, each with a name of its own (tenant, day and person), under which it is sent once: one that fails harms no
//! other, is tried again by that queue, and ends where its alarm is. A day is done when all letters are posted; a day on which
//! nothing ran is made up for by the next, as things are then. What cannot be read is counted and is an error, and keeps nobody
//! from the rest.

use std::collections::BTreeMap;

use domain::reference::Reference;
use domain::reminder::{self, Deadlines, Duty, Member, Reminder};
use domain::request::State;
use domain::user::{UserId, UserState};
use jiff::SignedDuration;
use jiff::civil::Date;
use platform::digest::{DueLetter, DueLine, ToConfirm};
use platform::edge::{Ran, Work};
use platform::mail::Letter;
use platform::store::{Line, User};
use platform::tenant::Tenant;
use platform::{App, Error};

/// So many confirmations are looked at between two looks at the clock.
const AT_ONCE: usize = 90;
/// When there are more confirmations than there is time.
const SOON: SignedDuration = SignedDuration::from_mins(1);

/// Reminds one tenant's team.
pub async fn handle(app: &App, work: &Work) -> Result<Ran, Error> {
    let tenant = &work.due.tenant;
    let store = app.store.of(tenant);
    let profile = match store.profile().await {
        // The account is gone.
        Err(Error::NotFound) => return Ok(Ran::done()),
        profile => profile?,
    };
    let tz = profile.tz().map_err(Error::failed("reading a tenant's time zone"))?;
    let again = Ran::again(reminder::next_run(&tz, work.now));
    let Some(today) = reminder::day_of(&tz, work.now) else { return Ok(again.because("it is not eight yet")) };
    let yesterday = today.yesterday().unwrap_or(today);
    let after = store.reminded_until().await?.unwrap_or(yesterday);
    if after >= today {
        return Ok(again.because("today's are done"));
    }
    let ((team, mut unreadable), had) = (store.readable_users().await?, store.reminded_since(after, today).await?);
    let mut day = Day {
        tenant,
        today,
        members: team.iter().map(member).collect(),
        letters: BTreeMap::new(),
        to_confirm: vec![],
        fallen: 0,
        untold: 0,
    };
    let (mut place, mut late) = (None, vec![]);
    loop {
        let page = store.due_until(reminder::farthest(&profile.reminders, today), place).await?;
        unreadable += page.unreadable;
        for line in page.lines {
            let dates = deadlines(&line);
            for due in dates.reminders(&profile.reminders, after, today) {
                // Somebody who was told on a day that then was not brought to its end.
                let told = |since: &Date| !dates.reminders(&profile.reminders, *since, today).contains(&due);
                day.add(&line, due, |user| had.get(user).is_some_and(told));
            }
            let fell = dates.too_late_for(&profile.reminders, after, today);
            if !fell.is_empty() {
                late.push((line, fell));
            }
        }
        place = page.rest;
        if place.is_none() {
            break;
        }
    }
    let references: Vec<Reference> = late.iter().map(|(line, _)| line.reference.clone()).collect();
    let arrivals = store.arrivals(&references).await?;
    for (line, fell) in late {
        let since = arrivals.get(&line.reference).and_then(|arrival| arrival.since);
        if since.is_some_and(|since| reminder::came_after(&tz, after, since)) {
            for due in fell {
                day.add(&line, due, |user| had.contains_key(user));
            }
        }
    }
    if day.untold > 0 {
        let (tenant, untold) = (tenant.id().as_str(), day.untold);
        tracing::error!(tenant, untold, "deadlines are near, and nobody can be reminded of them");
    }
    if unreadable > 0 {
        let tenant = tenant.id().as_str();
        tracing::error!(tenant, unreadable, "requests or people cannot be read, and are left out of the reminders");
    }
    let mails = u64::try_from(day.letters.len()).unwrap_or_default();
    for (user, letter) in std::mem::take(&mut day.letters) {
        app.post(&Letter::Due(letter)).await?;
        store.reminded_one(today, &user).await?;
    }
    // People first. What is confirmed meanwhile is not asked for again, so whoever is called again comes to an end.
    let mut confirmations = 0;
    let mut in_time = true;
    for some in day.to_confirm.chunks(AT_ONCE) {
        in_time = app.clock.now() <= work.until;
        if !in_time {
            break;
        }
        let arrivals = store.arrivals(some).await?;
        for reference in some.iter().filter(|it| arrivals.get(*it).is_some_and(|arrival| arrival.has_email)) {
            app.post(&Letter::ToConfirm(ToConfirm::new(tenant, reference))).await?;
            confirmations += 1;
        }
    }
    let ran = if in_time {
        store.reminded(today).await?;
        again
    } else {
        Ran::again(work.now + SOON).because("there are more confirmations")
    };
    Ok(ran
        .counting("reminders", day.fallen)
        .counting("mails", mails)
        .counting("untold", day.untold)
        .counting("confirmations", confirmations)
        .counting("unreadable", unreadable))
}

/// What is to be sent on a day.
struct Day<'a> {
    tenant: &'a Tenant,
    today: Date,
    members: Vec<Member>,
    letters: BTreeMap<UserId, DueLetter>,
    to_confirm: Vec<Reference>,
    fallen: u64,
    untold: u64,
}

impl Day<'_> {
    /// One more reminder, for everybody but those who had it.
    fn add(&mut self, line: &Line, due: Reminder, had: impl Fn(&UserId) -> bool) {
        self.fallen += 1;
        // Where it was not done when the request came in, it is tried again in time.
        if due.duty == Duty::Confirm && line.state != State::Incomplete {
            self.to_confirm.push(line.reference.clone());
        }
        let told = reminder::audience(&self.members, line.assignee.as_ref(), due.days_left);
        self.untold += u64::from(told.is_empty());
        for user in told.into_iter().filter(|user| !had(user)) {
            let letter =
                self.letters.entry(user.clone()).or_insert_with(|| DueLetter::new(self.tenant, user, self.today));
            letter.add(DueLine { reference: line.reference.clone(), kind: line.kind, due });
        }
    }
}

fn deadlines(line: &Line) -> Deadlines {
    Deadlines { confirm_by: line.confirm_by.filter(|_| line.is_to_confirm()), respond_by: line.respond_by }
}

fn member(user: &User) -> Member {
    Member {
        id: user.id.clone(),
        role: user.role,
        reachable: user.state == UserState::Active && user.dead.is_none(),
        wants: user.profile.preferences.reminders,
    }
}

#[cfg(test)]
mod tests {
    use domain::email::EmailAddress;
    use domain::language::Language;
    use domain::role::Role;
    use domain::user::{Preferences, UserProfile};
    use jiff::Timestamp;

    use super::*;

    fn invited(n: u8, role: Role) -> User {
        User {
            id: UserId::parse(&format!("u-{n:026}")).unwrap(),
            email: EmailAddress::parse("ana@shop.example").unwrap(),
            role,
            state: UserState::Active,
            profile: UserProfile {
                name: "Ana".into(),
                language: Language::English,
                preferences: Preferences::default(),
            },
            invited_at: Timestamp::UNIX_EPOCH,
            dead: None,
            version: 1,
        }
    }

    #[test]
    fn somebody_who_was_just_invited_is_reminded_of_what_they_work_on_and_managers_when_it_is_near() {
        let team = [invited(1, Role::Owner), invited(2, Role::Manager), invited(3, Role::Agent)];
        let members: Vec<Member> = team.iter().map(member).collect();
        let told = |days_left| reminder::audience(&members, Some(&team[2].id), days_left);
        assert_eq!(told(10), [&team[2].id]);
        assert_eq!(told(2), [&team[1].id, &team[2].id]);
    }
}
