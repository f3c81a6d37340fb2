//! `jobs-send-reminders`: each morning at eight, where the tenant is, one mail to each person who is to be reminded of anything.
//!
//! What is due is a range of the index of open requests, read once, however many people there are. The mails are letters in the
//! queue of mail, each with a name of its own (tenant, day and person), under which it is sent once: one that fails harms no
//! other, is tried again by that queue, and ends where its alarm is. A day is done when all letters are posted; a day on which
//! nothing ran is made up for by the next, as things are then.

use std::collections::BTreeMap;

use domain::reminder::{self, Deadlines, Duty, Member};
use domain::request::State;
use domain::user::{UserId, UserState};
use jiff::civil::Date;
use platform::digest::{DueLetter, DueLine, ToConfirm};
use platform::edge::{Ran, Work};
use platform::mail::Letter;
use platform::store::{Line, User};
use platform::{App, Error};

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
    let (team, had) = (store.users().await?, store.reminded_since(after, today).await?);
    let members: Vec<Member> = team.iter().map(member).collect();
    let mut letters: BTreeMap<UserId, DueLetter> = BTreeMap::new();
    let (mut fallen, mut untold, mut place) = (0, 0, None);
    loop {
        let (lines, rest) = store.due_until(reminder::farthest(&profile.reminders, today), place).await?;
        for line in &lines {
            let dates = deadlines(line);
            for due in dates.reminders(&profile.reminders, after, today) {
                fallen += 1;
                // Where it was not done when the request came in, it is tried again in time.
                if due.duty == Duty::Confirm && line.state != State::Incomplete {
                    app.post(&Letter::ToConfirm(ToConfirm::new(tenant, &line.reference))).await?;
                }
                let told = reminder::audience(&members, line.assignee.as_ref(), due.days_left);
                untold += u64::from(told.is_empty());
                for user in told {
                    // Somebody who was told on a day that then was not brought to its end.
                    let told = |day: &Date| !dates.reminders(&profile.reminders, *day, today).contains(&due);
                    if !had.get(user).is_some_and(told) {
                        let letter = letters.entry(user.clone()).or_insert_with(|| DueLetter::new(tenant, user, today));
                        letter.add(DueLine { reference: line.reference.clone(), kind: line.kind, due });
                    }
                }
            }
        }
        place = rest;
        if place.is_none() {
            break;
        }
    }
    if untold > 0 {
        tracing::error!(
            tenant = tenant.id().as_str(),
            untold,
            "deadlines are near, and nobody can be reminded of them"
        );
    }
    let mails = u64::try_from(letters.len()).unwrap_or_default();
    for (user, letter) in letters {
        app.post(&Letter::Due(letter)).await?;
        store.reminded_one(today, &user).await?;
    }
    store.reminded(today).await?;
    Ok(again.counting("reminders", fallen).counting("mails", mails).counting("untold", untold))
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
