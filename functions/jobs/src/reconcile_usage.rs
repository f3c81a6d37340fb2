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

use std::collections::{HashMap, HashSet};

use domain::billing::{self, AtStripe, DayCheck, Difference, Kept, ListCheck, Meter, day_end};
use domain::job::Job;
use domain::phone::E164;
use domain::usage::{CallStatus, CallUsage, billed_minutes};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use partners::stripe::meter_event::Grouping;
use partners::twilio::rest::{Began, CallsPage, ListedCall, RestError};
use platform::edge::{Ran, Work};
use platform::store::{DayOfBilling, NumberOwner, UsageSource};
use platform::tenant::Tenant;
use platform::{App, Error};

use crate::push_usage::{NO_SUCH_CUSTOMER, sum, told};

/// How many days of Twilio's list a night looks at: what was lost is found though two nights were missed.
const DAYS: i64 = 3;
/// How many it looks at after an outage: as long as Stripe takes usage.
const MOST_DAYS: i64 = 35;
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
            let found = walk(app, work, listed_days(work.due.at, work.now), false).await?;
            Ok(found.ran(Ran::again(next_night(work.now))))
        }
        Some(Part::ListOf(day)) => Ok(walk(app, work, vec![day], true).await?.ran(Ran::done())),
        Some(Part::Day(day)) => compare(app, work, day).await,
        None => Err(Error::invalid("what", "it is no part of this job")),
    }
}

/// The days of Twilio's list that a night looks at, the latest first: those before this night and before the one that it
/// was to be done in, which lies further back after an outage.
fn listed_days(due: Timestamp, now: Timestamp) -> Vec<Date> {
    let date = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
    let oldest = date(due.min(now)).saturating_sub(DAYS.days());
    let days = (1..=MOST_DAYS).filter_map(|back| date(now).checked_sub(back.days()).ok());
    days.take_while(|day| *day >= oldest).collect()
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
        let before = platform.list_of(day).await?;
        let begun = || ListCheck::begins(work.now, before.as_ref());
        let mut next = before.as_ref().filter(|_| goes_on).and_then(|list| list.next.clone());
        let mut kept_place = next.is_some();
        let mut list = before.clone().filter(|_| kept_place).unwrap_or_else(begun);
        let mut listed_before = list.listed.calls;
        loop {
            if app.clock.now() >= work.until {
                if next.is_some() {
                    found.differing += list.news();
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
            let page = match page {
                Err(error) if kept_place && is_no_place(&error) => {
                    (list, next, kept_place, listed_before) = (begun(), None, false, 0);
                    continue;
                }
                page => page.map_err(Error::failed("listing Twilio's calls"))?,
            };
            kept_place = false;
            let mut met = HashSet::new();
            found.added += hold(app, &page, &mut list, &mut met).await?;
            found.days += enter(app, work, met, &mut entered).await?;
            next = page.next;
            if next.is_none() {
                found.differing += list.news();
                list.next = None;
                platform.keep_list(day, &list).await?;
                break;
            }
        }
        found.listed += list.listed.calls - listed_before;
    }
    Ok(found)
}

/// Whether Twilio says that its list does not go on there, which it may forget from one night to the other.
fn is_no_place(error: &RestError) -> bool {
    matches!(error, RestError::NotFound { .. } | RestError::Refused { .. } | RestError::Unreadable { .. })
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
    let (mut added, mut ours) = (0, HashMap::new());
    for ((call, usage), (owner, kept)) in ended.iter().zip(app.store.kept_calls(&sids).await?) {
        let Some(usage) = usage else { continue };
        let called = call.to.as_deref().unwrap_or_default();
        if owner.is_none() && !is_ours(app, called, &mut ours).await? {
            continue;
        }
        let unbilled = list.ended(call.sid.as_str(), call.seconds, kept);
        let owner = match owner {
            Some(owner) => owner,
            None => app.store.call_owner(&call.sid, usage).await?,
        };
        if unbilled {
            // A callback that came in this very moment is there first, and then there is nothing to add.
            added += u64::from(app.store.record_usage(&owner, usage, UsageSource::List).await?);
        }
        if is_of_the_list(kept) {
            app.store.mark_day(&owner.tenant, owner.day).await?;
        }
        met.insert((owner.tenant, owner.day));
    }
    Ok(added)
}

/// Whether a number is the hotline's or of a service code: the account may have others, whose calls are not ours to count.
/// Where nobody says what the hotline's is, all are.
async fn is_ours<'a>(app: &App, number: &'a str, known: &mut HashMap<&'a str, bool>) -> Result<bool, Error> {
    let Some(hotline) = app.config.hotline_number.as_deref() else { return Ok(true) };
    if let Some(known) = known.get(number) {
        return Ok(*known);
    }
    let ours = match E164::parse(number) {
        _ if number == hotline => true,
        Ok(number) => matches!(app.store.number(&number).await?, NumberOwner::Dedicated(_)),
        Err(_) => false,
    };
    known.insert(number, ours);
    Ok(ours)
}

/// Whether a call is, or was, added by a comparison. It has its day called each time: whoever added it may have come no
/// further than its row.
fn is_of_the_list(kept: Option<Kept>) -> bool {
    kept.is_none_or(|kept| kept.found_at_twilio)
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
    if check.unprocessed > 0 && !matches!(stripe, AtStripe::NoCustomer | AtStripe::NotConnected) {
        // Whatever became of the day's own entry: to be called once too often does the worker no harm.
        app.store.mark_day(&work.due.tenant, day).await?;
    }
    let found = check.news(None);
    tell(check.news(after.check.as_ref()));
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
    let own = app.store.of(&work.due.tenant).billing_account().await?.stripe_customer;
    customers.extend(own.clone());
    customers.sort();
    customers.dedup();
    if customers.is_empty() {
        return Ok((AtStripe::NoCustomer, vec![]));
    }
    let stripe = app.stripe().await?;
    let (mut differences, mut not_before, mut unexplained) = (vec![], None, false);
    let from = day.to_zoned(TimeZone::UTC).map_or(Timestamp::MIN, |start| start.timestamp());
    for meter in Meter::ALL {
        let Some(setup) = secrets.meter(meter) else { continue };
        let mut found = Some(0_u64);
        for customer in &customers {
            match stripe.event_summaries(&setup.id, customer, from, day_end(day), Grouping::Whole).await {
                Ok(sums) => {
                    let sum = sum(sums.iter().map(|sum| &sum.value));
                    found = found.zip(sum).and_then(|(found, sum)| found.checked_add(sum));
                }
                // For one that there is no more, nothing counts.
                Err(error) if told(&error) == NO_SUCH_CUSTOMER && Some(customer) != own.as_ref() => {}
                Err(error) => return Err(Error::failed("reading Stripe's summaries")(error)),
            }
        }
        let Some(found) = found else {
            unexplained = true;
            continue;
        };
        match billing::reconcile(&of_day.batches, meter, found, work.now) {
            Ok(seen) if seen.found == seen.expected => {}
            Ok(seen) => differences.push(Difference::Stripe { meter, found: seen.found, expected: seen.expected }),
            Err(at) => not_before = not_before.max(Some(at)),
        }
    }
    let came = match not_before {
        _ if unexplained => AtStripe::Unexplained,
        Some(at) => AtStripe::NotBefore(at),
        None => AtStripe::Compared,
    };
    Ok((came, differences))
}

#[cfg(test)]
mod tests {
    use partners::twilio::CallSid;
    use partners::twilio::rest::Cause;

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
            to: Some("+18665550100".into()),
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
    fn a_night_looks_back_three_days_and_as_far_as_the_nights_that_were_missed() {
        let days = |due: &str, now: &str| {
            let days = listed_days(at(due), at(now));
            let ends = [days.first(), days.last()].map(|day| day.unwrap().to_string());
            (days.len(), ends)
        };
        let ends = |from: &str, to: &str| [to.to_owned(), from.to_owned()];
        assert_eq!(days("2026-11-21T05:00:00Z", "2026-11-21T05:35:09Z"), (3, ends("2026-11-18", "2026-11-20")));
        assert_eq!(days("2026-11-11T05:00:00Z", "2026-11-21T11:35:00Z"), (13, ends("2026-11-08", "2026-11-20")));
        assert_eq!(days("2026-01-01T05:00:00Z", "2026-11-21T05:35:00Z"), (35, ends("2026-10-17", "2026-11-20")));
        assert_eq!(days("2026-11-25T05:00:00Z", "2026-11-21T05:35:00Z").0, 3, "never fewer");
    }

    #[test]
    fn a_call_that_was_added_before_has_its_day_called_again() {
        let kept = |found_at_twilio| Some(Kept { seconds: 61, minutes: 2, found_at_twilio });
        assert!(is_of_the_list(None) && is_of_the_list(kept(true)) && !is_of_the_list(kept(false)));
    }

    #[test]
    fn a_place_that_twilio_does_not_know_any_more_begins_the_day_anew_and_a_bad_hour_does_not() {
        let doing = "list calls";
        assert!(is_no_place(&RestError::NotFound { doing }));
        assert!(is_no_place(&RestError::Refused { doing, status: 400, code: Some(20006) }));
        assert!(!is_no_place(&RestError::GaveUp { doing, tries: 4, cause: Cause::Status(503) }));
        assert!(!is_no_place(&RestError::Unauthorized { doing }));
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
