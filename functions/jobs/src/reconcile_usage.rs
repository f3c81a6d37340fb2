//! `jobs-reconcile-usage`: holds the ledger against Twilio's own list of calls, and against its batches and Stripe.
//!
//! | for whom | which part | what |
//! |---|---|---|
//! | the platform | nothing | every night: each of the last three days of Twilio's list |
//! | the platform | `list 2026-11-20` | the rest of a day for which the night was too short |
//! | whoever had calls | `2026-11-20` | that day's rows against its sums, its batches and Stripe's summaries |
//!
//! Twilio's list names every call there was, so whoever had usage is met on the way and entered into the agenda: nobody
//! walks tenants, and a day is looked at even where everything else about it was lost. A lost callback is written into the
//! ledger the way a late one would be, and marked. What else differs is only reported: it is a person's to decide.

use std::collections::HashSet;

use domain::billing::{self, AtStripe, DayCheck, Difference, ListCheck, Meter, day_end};
use domain::job::Job;
use domain::usage::{CallStatus, CallUsage, billed_minutes};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use partners::stripe::meter_event::Grouping;
use partners::twilio::rest::{Began, CallsPage, ListedCall};
use platform::edge::{Ran, Work};
use platform::store::{DayOfBilling, UsageSource};
use platform::tenant::Tenant;
use platform::{App, Error};

/// How many days of Twilio's list a night looks at: what was lost is found though two nights were missed.
const DAYS: i64 = 3;
/// When it runs, in UTC: Twilio bills and lists by then what ended before midnight.
const HOUR: i8 = 5;
/// How long a callback may be on its way, its queue's retries included, before it counts as lost.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_mins(30);
/// How soon a day is looked at again whose calls are still coming in.
const MOVING: SignedDuration = SignedDuration::from_mins(10);
/// How long a day that differs is looked at again every night: as long as Stripe takes its usage.
const FOLLOWED: SignedDuration = SignedDuration::from_hours(35 * 24);
/// How many tenants' days are remembered as entered already; forgetting one costs a write that changes nothing.
const MOST_REMEMBERED: usize = 10_000;

/// What a worker is called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Nightly,
    ListOf(Date),
    Day(Date),
}

impl Part {
    fn of(what: &str, platform: bool) -> Option<Self> {
        match what.split_once(' ') {
            None if what.is_empty() => platform.then_some(Self::Nightly),
            None => what.parse().ok().map(Self::Day),
            Some(("list", day)) if platform => day.parse().ok().map(Self::ListOf),
            Some(_) => None,
        }
    }

    fn what(self) -> String {
        match self {
            Self::Nightly => String::new(),
            Self::ListOf(day) => format!("list {day}"),
            Self::Day(day) => day.to_string(),
        }
    }
}

/// Does one part of it.
pub async fn handle(app: &App, work: &Work) -> Result<Ran, Error> {
    let platform = work.due.tenant == Tenant::platform();
    match Part::of(&work.due.what, platform) {
        Some(Part::Nightly) => {
            let today = work.now.to_zoned(TimeZone::UTC).date();
            let days = (1..=DAYS).filter_map(|back| today.checked_sub(back.days()).ok()).collect();
            let found = walk(app, work, days, false).await?;
            Ok(found.ran(Ran::again(next_night(work.now))))
        }
        Some(Part::ListOf(day)) => Ok(walk(app, work, vec![day], true).await?.ran(Ran::done())),
        Some(Part::Day(day)) => compare(app, work, day).await,
        None => Err(Error::invalid("what", "it is no part of this job")),
    }
}

/// The next time it is five in the morning.
pub(crate) fn next_night(now: Timestamp) -> Timestamp {
    let now = now.to_zoned(TimeZone::UTC);
    let at = |day: Date| day.to_datetime(Time::constant(HOUR, 0, 0, 0)).to_zoned(TimeZone::UTC).ok();
    let today = at(now.date()).filter(|at| *at > now);
    let next = today.or_else(|| at(now.date().tomorrow().ok()?));
    next.map_or(Timestamp::MAX, |at| at.timestamp())
}

// ── Twilio's list ──

/// What a run met.
#[derive(Debug, Default)]
struct Found {
    listed: u64,
    added: u64,
    differing: u64,
    days: u64,
}

impl Found {
    fn ran(&self, ran: Ran) -> Ran {
        tell(self.added + self.differing);
        ran.counting("listed", self.listed)
            .counting("lost-callbacks", self.added)
            .counting("differences", self.differing)
            .counting("days-entered", self.days)
    }
}

/// The alarm counts these lines.
fn tell(differences: u64) {
    tracing::info!(job = Job::ReconcileUsage.code(), differences, "reconciled");
}

/// Walks days of Twilio's list. What there is no time for is entered into the agenda, a day at a time.
async fn walk(app: &App, work: &Work, days: Vec<Date>, goes_on: bool) -> Result<Found, Error> {
    let twilio = app.twilio().await?;
    let platform = app.store.of(&work.due.tenant);
    let (mut found, mut entered) = (Found::default(), HashSet::new());
    for day in days {
        let before = if goes_on { platform.list_of(day).await? } else { None };
        let before = before.and_then(|list| list.next.clone().map(|next| (list, next)));
        let (mut list, mut next) = match before {
            Some((list, next)) => (list, Some(next)),
            None => (ListCheck::begins(work.now), None),
        };
        let (listed_before, differing_before) = (list.listed.calls, list.differing);
        loop {
            if app.clock.now() >= work.until {
                if next.is_some() {
                    list.next.clone_from(&next);
                    platform.keep_list(day, &list).await?;
                }
                platform.arrange(Job::ReconcileUsage, work.now, &Part::ListOf(day).what()).await?;
                break;
            }
            let page = match &next {
                Some(next) => twilio.more_calls(next).await,
                None => twilio.calls(began_on(day)).await,
            };
            let page = page.map_err(Error::failed("listing Twilio's calls"))?;
            let mut met = HashSet::new();
            found.added += hold(app, &page, &mut list, &mut met).await?;
            found.days += enter(app, work, met, &mut entered).await?;
            next = page.next;
            if next.is_none() {
                list.next = None;
                platform.keep_list(day, &list).await?;
                break;
            }
        }
        found.listed += list.listed.calls - listed_before;
        found.differing += list.differing - differing_before;
    }
    Ok(found)
}

fn began_on(day: Date) -> Began {
    let from = day.to_zoned(TimeZone::UTC).map_or(Timestamp::MIN, |start| start.timestamp());
    Began { from, to: billing::used_at(day) }
}

/// Holds a page of Twilio's list against the ledger, adds what that lacks, and notes whose days they are. Returns how many
/// calls were added.
async fn hold(
    app: &App,
    page: &CallsPage,
    list: &mut ListCheck,
    met: &mut HashSet<(Tenant, Date)>,
) -> Result<u64, Error> {
    let inbound = page.calls.iter().filter(|call| call.inbound);
    // By our own clock, however far ahead the planner's is: callbacks come by that one.
    let ended: Vec<(&ListedCall, Option<CallUsage>)> =
        inbound.map(|call| (call, usage(call, app.clock.now()))).collect();
    list.under_way += ended.iter().map(|(_, usage)| u64::from(usage.is_none())).sum::<u64>();
    let sids: Vec<_> = ended.iter().map(|(call, _)| call.sid.clone()).collect();
    let mut added = 0;
    for ((call, usage), (owner, kept)) in ended.iter().zip(app.store.kept_calls(&sids).await?) {
        let Some(usage) = usage else { continue };
        let unbilled = list.ended(call.sid.as_str(), call.seconds, kept);
        let owner = match owner {
            Some(owner) => owner,
            None => app.store.call_owner(&call.sid, usage).await?,
        };
        if unbilled {
            // A callback that came in this very moment is there first, and then there is nothing to add.
            added += u64::from(app.store.record_usage(&owner, usage, UsageSource::List).await?);
            app.store.mark_day(&owner.tenant, owner.day).await?;
        }
        met.insert((owner.tenant, owner.day));
    }
    Ok(added)
}

/// Enters days that are over into the agenda, each once as far as is remembered. Returns how many.
async fn enter(
    app: &App,
    work: &Work,
    met: HashSet<(Tenant, Date)>,
    entered: &mut HashSet<(Tenant, Date)>,
) -> Result<u64, Error> {
    let mut count = 0;
    for (tenant, day) in met {
        if day_end(day) > work.now || !entered.insert((tenant.clone(), day)) {
            continue;
        }
        app.store.of(&tenant).arrange(Job::ReconcileUsage, work.due.at, &Part::Day(day).what()).await?;
        count += 1;
        if entered.len() >= MOST_REMEMBERED {
            entered.clear();
        }
    }
    Ok(count)
}

/// What a callback would have said of a call, if it ended so long ago that none is on its way.
fn usage(call: &ListedCall, now: Timestamp) -> Option<CallUsage> {
    let status = CallStatus::parse(&call.status).filter(|status| status.is_terminal())?;
    let ended_at = call.ended_at.filter(|at| now.duration_since(*at) >= ON_ITS_WAY)?;
    Some(CallUsage {
        call_sid: call.sid.as_str().to_owned(),
        status,
        seconds: call.seconds,
        billed_minutes: billed_minutes(call.seconds),
        // Before any callback's, so that one that comes after all takes its place.
        sequence: 0,
        ended_at,
    })
}

// ── A tenant's day ──

/// Holds a day's rows against its sums, its batches and Stripe's summaries.
async fn compare(app: &App, work: &Work, day: Date) -> Result<Ran, Error> {
    if work.now < day_end(day) {
        return Ok(Ran::again(next_night(day_end(day))).because("the day is not over"));
    }
    let store = app.store.of(&work.due.tenant);
    let before = of_day(app, &work.due.tenant, day).await?;
    let rows = store.rows_of_day(day).await?;
    let after = of_day(app, &work.due.tenant, day).await?;
    if (before.used, &before.batches) != (after.used, &after.batches) {
        return Ok(Ran::again(work.now + MOVING).because("the day's calls are being counted"));
    }
    let sums = amount(&after);
    let mut differences = billing::check::differences(&rows, sums, &after.batches);
    let (stripe, at_stripe) = at_stripe(app, work, day, &after).await?;
    differences.extend(at_stripe);
    let check = DayCheck {
        at: work.now,
        rows: rows.all(),
        unprocessed: rows.unprocessed.calls,
        found_at_twilio: rows.found_at_twilio,
        stripe,
        differences,
    };
    store.keep_check(day, &check).await?;
    if check.unprocessed > 0 && matches!(stripe, AtStripe::Compared | AtStripe::NotBefore(_)) {
        // Whatever became of the day's own entry: to be called once too often does the worker no harm.
        app.store.mark_day(&work.due.tenant, day).await?;
    }
    let found = u64::try_from(check.differences.len()).unwrap_or(u64::MAX);
    tell(found);
    let ran = match stripe {
        AtStripe::NotBefore(at) => Ran::again(at.max(work.now + MOVING)).because("Stripe is still counting"),
        _ if found > 0 && work.now.duration_since(day_end(day)) < FOLLOWED => {
            Ran::again(next_night(work.now)).because("something differs")
        }
        _ => Ran::done(),
    };
    Ok(ran
        .counting("calls", check.rows.calls)
        .counting("unprocessed", check.unprocessed)
        .counting("differences", found))
}

async fn of_day(app: &App, tenant: &Tenant, day: Date) -> Result<DayOfBilling, Error> {
    Ok(app.store.of(tenant).month_of_billing(day).await?.remove(&day).unwrap_or_default())
}

fn amount(day: &DayOfBilling) -> billing::Amount {
    let count = |n: i64| u64::try_from(n).unwrap_or_default();
    billing::Amount { calls: count(day.used.calls), minutes: count(day.used.minutes) }
}

/// What Stripe shows for a day, held against what it should have.
async fn at_stripe(
    app: &App,
    work: &Work,
    day: Date,
    of_day: &DayOfBilling,
) -> Result<(AtStripe, Vec<Difference>), Error> {
    let secrets = app.stripe_secrets().await?;
    if !secrets.is_set_up() {
        return Ok((AtStripe::NotConnected, vec![]));
    }
    // Also whoever the tenant was there before: what was sent in that name counts.
    let mut customers = of_day.customers.clone();
    customers.extend(app.store.of(&work.due.tenant).billing_account().await?.stripe_customer);
    customers.sort();
    customers.dedup();
    if customers.is_empty() {
        return Ok((AtStripe::NoCustomer, vec![]));
    }
    let stripe = app.stripe().await?;
    let (mut differences, mut not_before) = (vec![], None);
    let from = day.to_zoned(TimeZone::UTC).map_or(Timestamp::MIN, |start| start.timestamp());
    for meter in Meter::ALL {
        let Some(setup) = secrets.meter(meter) else { continue };
        let mut found = 0;
        for customer in &customers {
            let sums = stripe.event_summaries(&setup.id, customer, from, day_end(day), Grouping::Whole).await;
            let sums = sums.map_err(Error::failed("reading Stripe's summaries"))?;
            found += sums.iter().filter_map(|sum| u64::try_from(sum.value.as_whole()?).ok()).sum::<u64>();
        }
        match billing::reconcile(&of_day.batches, meter, found, work.now) {
            Ok(seen) if seen.found == seen.expected => {}
            Ok(seen) => differences.push(Difference::Stripe { meter, found: seen.found, expected: seen.expected }),
            Err(at) => not_before = not_before.max(Some(at)),
        }
    }
    Ok((not_before.map_or(AtStripe::Compared, AtStripe::NotBefore), differences))
}

#[cfg(test)]
mod tests {
    use partners::twilio::CallSid;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn call(status: &str, ended_at: Option<&str>) -> ListedCall {
        ListedCall {
            sid: CallSid::parse(&format!("CA{}", "0".repeat(32))).unwrap(),
            status: status.to_owned(),
            inbound: true,
            seconds: 61,
            ended_at: ended_at.map(at),
        }
    }

    #[test]
    fn a_part_is_read_as_it_is_written_and_only_the_platform_has_lists() {
        let day = jiff::civil::date(2026, 11, 20);
        for part in [Part::Nightly, Part::ListOf(day), Part::Day(day)] {
            assert_eq!(Part::of(&part.what(), true), Some(part));
        }
        assert_eq!(Part::of("2026-11-20", false), Some(Part::Day(day)));
        for (what, platform) in [("", false), ("list 2026-11-20", false), ("list x", true), ("x", true)] {
            assert_eq!(Part::of(what, platform), None, "{what}");
        }
    }

    #[test]
    fn it_runs_at_five_in_utc_whenever_it_ran_before() {
        for (now, next) in [
            ("2026-11-22T04:59:59Z", "2026-11-22T05:00:00Z"),
            ("2026-11-22T05:00:00Z", "2026-11-23T05:00:00Z"),
            ("2026-11-22T23:00:00Z", "2026-11-23T05:00:00Z"),
            ("2026-12-31T05:35:00Z", "2027-01-01T05:00:00Z"),
        ] {
            assert_eq!(next_night(at(now)), at(next), "{now}");
        }
    }

    #[test]
    fn only_what_ended_a_while_ago_can_have_lost_its_callback() {
        let now = at("2026-11-21T05:00:00Z");
        let found = usage(&call("completed", Some("2026-11-20T23:59:59Z")), now).unwrap();
        assert_eq!((found.billed_minutes, found.sequence, found.status), (2, 0, CallStatus::Completed));
        assert_eq!(usage(&call("completed", Some("2026-11-21T04:31:00Z")), now), None);
        assert_eq!(usage(&call("in-progress", None), now), None);
        assert_eq!(usage(&call("completed", None), now), None);
    }

    #[test]
    fn a_callback_that_comes_after_all_takes_the_place_of_what_was_found() {
        let found = usage(&call("completed", Some("2026-11-20T23:59:59Z")), at("2026-11-21T05:00:00Z")).unwrap();
        let late = CallUsage { sequence: 3, ..found.clone() };
        assert!(late.supersedes(&found) && !found.supersedes(&late));
    }
}
