//! `jobs-send-reports`: mails everybody of a tenant's team the report that they asked for, at their hour.
//!
//! Reads the team and the counters of the days that are reported, never a request. A report is due if its hour lies between
//! what the agenda was asked for and now, so nobody who has just asked for one gets that of this morning. When all are sent,
//! it asks to be called at the next hour that anybody of the team wants, and not again where nobody wants any: saving one's
//! preferences enters that.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use domain::job::Job;
use domain::metrics::{Bucket, Counter};
use domain::report::{self, Period, Report};
use domain::user::UserState;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use platform::edge::{Ran, Work};
use platform::mail::{Mail, Mails, Once};
use platform::store::{TenantStore, User};
use platform::{App, Error};

use crate::report_letter;

/// What was counted in the days of a report.
type Counted = Vec<(Bucket, Counter, i64)>;

/// What the run's record says where a report may have come twice.
const SENT_AGAIN: &str = "reports were sent again: whether they had gone was not known";

/// One tenant. A mail that was sent is not sent again ([`App::send_once`]), so whatever fails is done again from the start.
pub async fn handle(app: &App, work: &Work) -> Result<Ran, Error> {
    let store = app.store.of(&work.due.tenant);
    let profile = match store.profile().await {
        Ok(profile) => profile,
        // The account is gone, and nobody is left to read a report.
        Err(Error::NotFound) => return Ok(Ran::done()),
        Err(error) => return Err(error),
    };
    let zone = TimeZone::get(&profile.time_zone).unwrap_or(TimeZone::UTC);
    let (users, damaged) = store.readable_users().await?;
    let users: Vec<User> = users.into_iter().filter(|user| user.state == UserState::Active).collect();
    let next = users.iter().filter_map(|user| report::next(&user.profile.preferences, work.now, &zone)).map(|it| it.at);
    let next = next.min();
    let (mut sent, mut again, mut given_up, mut dead, mut refused, mut failed) = (0, 0, 0, 0, 0, None);
    let mut counted: HashMap<Period, Counted> = HashMap::new();
    for (user, due) in due(&users, work.due.at, work.now, &zone) {
        if user.dead.is_some() {
            dead += 1;
            continue;
        }
        if app.clock.now() >= work.until {
            failed = Some(Error::Failed { doing: "sending reports", source: "no time is left".into() });
            break;
        }
        let today = work.now.to_zoned(zone.clone()).date();
        match one(app, &store, work, user, due.period, today, &mut counted).await {
            // What went twice is told by its mark, so also a run that repeats one that failed counts it.
            Ok(Once::Now(why)) => (sent, again) = (sent + 1, again + u64::from(why.is_some())),
            Ok(Once::Before(why)) => again += u64::from(why.is_some()),
            Ok(Once::GaveUp) => given_up += 1,
            // SES takes no mail to such an address, now or later: it is over for this one.
            Err(error @ Error::Invalid { .. }) => {
                let (tenant, user) = (work.due.tenant.id().as_str(), user.id.as_str());
                tracing::error!(tenant, user, error = error.causes(), "a report cannot be sent to an address");
                refused += 1;
            }
            // The others get theirs.
            Err(error) => failed = Some(error),
        }
    }
    if let Some(error) = failed {
        // What failed is tried again under this entry, and keeps nobody from what is due next.
        if let Some(next) = next {
            store.arrange(Job::SendReports, next, "").await?;
        }
        return Err(error);
    }
    let ran = next.map_or_else(|| Ran::done().because("nobody wants a report"), Ran::again);
    let ran = if again > 0 { ran.because(SENT_AGAIN) } else { ran };
    Ok(ran
        .counting("mails", sent)
        .counting("again", again)
        .counting("given-up", given_up)
        .counting("dead-addresses", dead)
        .counting("refused", refused)
        .counting("damaged-users", damaged))
}

/// Whose report fell due in a time, both ends included; of several of somebody's, the last.
fn due<'a>(
    users: &'a [User],
    from: Timestamp,
    until: Timestamp,
    zone: &TimeZone,
) -> impl Iterator<Item = (&'a User, report::Due)> {
    users.iter().filter_map(move |user| {
        let due = report::latest(&user.profile.preferences, until, zone)?;
        (due.at >= from).then_some((user, due))
    })
}

async fn one(
    app: &App,
    store: &TenantStore<'_>,
    work: &Work,
    user: &User,
    period: Period,
    today: Date,
    counted: &mut HashMap<Period, Counted>,
) -> Result<Once, Error> {
    let counters = match counted.entry(period) {
        Entry::Occupied(there) => there.into_mut(),
        Entry::Vacant(place) => place.insert(read(store, period).await?),
    };
    let preferences = &user.profile.preferences;
    let report = Report::new(period, today, &preferences.service_codes, counters.iter().cloned());
    let end = app.unsubscribe_link(&work.due.tenant, &user.id, Mails::Reports).await?;
    let dashboard = format!("{}/dashboard", app.config.public_base_url()?);
    let letter = report_letter::Letter {
        language: user.profile.language,
        report: &report,
        frequency: preferences.reports,
        codes: &preferences.service_codes,
        dashboard: &dashboard,
        end: &end,
    };
    let (subject, text, html) = (letter.subject(), letter.text(), letter.html());
    let mail = Mail { to: user.email.as_str(), subject: &subject, text: &text, html: &html, unsubscribe: Some(&end) };
    app.send_once(&format!("report {} {} {period}", work.due.tenant.id(), user.id), &mail).await
}

async fn read(store: &TenantStore<'_>, period: Period) -> Result<Counted, Error> {
    let mut counters = vec![];
    for (from, to) in Report::buckets(period) {
        for (bucket, of) in store.tallies(&from, &to).await? {
            let Some(bucket) = Bucket::parse(&bucket) else { continue };
            counters.extend(of.iter().filter_map(|(name, count)| Some((bucket, Counter::parse(name)?, *count))));
        }
    }
    Ok(counters)
}

#[cfg(test)]
mod tests {
    use domain::email::EmailAddress;
    use domain::language::Language;
    use domain::role::Role;
    use domain::user::{Preferences, ReportFrequency, UserId, UserProfile};

    use super::*;

    fn user(n: u8, reports: ReportFrequency, hour: u8) -> User {
        User {
            id: UserId::parse(&format!("u-{n:026}")).unwrap(),
            email: EmailAddress::parse("ana@shop.example").unwrap(),
            role: Role::Viewer,
            state: UserState::Active,
            profile: UserProfile {
                name: "Ana".into(),
                language: Language::English,
                preferences: Preferences { reports, hour, ..Preferences::default() },
            },
            invited_at: Timestamp::UNIX_EPOCH,
            dead: None,
            version: 1,
        }
    }

    #[test]
    fn a_report_is_sent_at_its_hour_and_not_to_whoever_asked_for_it_after_that() {
        let zone = TimeZone::get("America/Los_Angeles").unwrap();
        let users = [
            user(1, ReportFrequency::Daily, 8),
            user(2, ReportFrequency::Weekly, 8),
            user(3, ReportFrequency::Daily, 9),
            user(4, ReportFrequency::Never, 8),
        ];
        let told = |from: &str, until: &str| -> Vec<usize> {
            let (from, until) = (from.parse().unwrap(), until.parse().unwrap());
            due(&users, from, until, &zone)
                .map(|(it, _)| users.iter().position(|user| user.id == it.id).unwrap() + 1)
                .collect()
        };
        // A Monday, 8 and 9 o'clock there.
        assert_eq!(told("2026-11-23T16:00:00Z", "2026-11-23T16:00:00Z"), [1, 2]);
        assert_eq!(told("2026-11-23T16:00:00Z", "2026-11-23T16:59:59Z"), [1, 2]);
        assert_eq!(told("2026-11-23T17:00:00Z", "2026-11-23T17:00:03Z"), [3]);
        // A planner that comes late.
        assert_eq!(told("2026-11-23T16:00:00Z", "2026-11-23T20:00:00Z"), [1, 2, 3]);
        // Called for something else at eleven.
        assert_eq!(told("2026-11-23T19:00:00Z", "2026-11-23T19:00:00Z"), [0_usize; 0]);
    }
}
