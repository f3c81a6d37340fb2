//! What becomes of a closed account, as a part of `jobs-retention`: owners are told three times, and then all of it goes.
//!
//! The erasure is made of steps that can be gone through again, in an order in which each finds what it needs: requests with
//! their salts first, then recordings that no request tells of, then counts, then the team, then what finds the account and
//! what it was set up with, then the account itself together with the proof, and last the keys of everything that was sealed.
//! A worker whose time runs out goes on where it was. One request under a legal hold stops all of it, until nobody holds it.

use domain::audit::{Act, Entry, Who};
use domain::closure::{Closed, Closure, Step};
use domain::job::Job;
use domain::retention::night_of;
use domain::role::Role;
use domain::tenant::TenantProfile;
use domain::user::UserState;
use jiff::SignedDuration;
use jiff::civil::Date;
use platform::digest::ClosingLetter;
use platform::edge::{Ran, Work};
use platform::mail::Letter;
use platform::store::{KeptRequest, REQUEST_SHARDS, Rest, Versioned};
use platform::tenant::Tenant;
use platform::{App, Error};

use crate::retention::Round;

/// How the agenda calls this part, until no request is left.
pub(crate) const CLOSED: &str = "closed";
/// How it calls the rest.
pub(crate) const EMPTIED: &str = "emptied";

/// The counts follow the requests by a stream: they are erased when it has told of all that went. So the rest is an entry of
/// its own, which is there whoever erased the last request, and however they came to an end.
const COUNTS_FOLLOW: SignedDuration = SignedDuration::from_mins(15);

/// Does what the day asks for.
pub(crate) async fn handle(app: &App, work: &Work) -> Result<Ran, Error> {
    let store = app.store.of(&work.due.tenant);
    let settings = match store.settings().await {
        Ok(settings) => settings,
        // All of it went but, where the last run ended before its end, the keys.
        Err(Error::NotFound) => {
            store.erase_root_keys().await?;
            return Ok(Ran::done());
        }
        Err(error) => return Err(error),
    };
    let zone = settings.value.tz().map_err(Error::failed("reading the tenant's time zone"))?;
    let today = work.now.to_zoned(zone.clone()).date();
    match settings.value.closure.clone() {
        Closure::Open => Ok(Ran::done()),
        Closure::Erasing(closed) if work.due.what == EMPTIED => rest(app, work, &closed).await,
        Closure::Erasing(_) => requests(app, work, settings.value, today).await,
        Closure::Closed(closed) => match closed.step(today) {
            Step::Wait(day) => Ok(Ran::again(night_of(day, &zone))),
            Step::Tell(notice) => {
                let (mails, told) = tell(app, work, settings, &closed, notice, today).await?;
                let again = match told.step(today) {
                    Step::Wait(day) => night_of(day, &zone),
                    Step::Tell(_) | Step::Erase => work.now,
                };
                Ok(Ran::again(again).counting("mails", mails))
            }
            Step::Erase => {
                let held = held(app, work).await?;
                if held > 0 {
                    return Ok(stopped(work, held, night_of(today.tomorrow().unwrap_or(today), &zone)));
                }
                let profile = begin(app, work, settings, &closed).await?;
                requests(app, work, profile, today).await
            }
        },
    }
}

/// Writes to every owner, and then down that it was done: a notice may be posted twice, and is sent once.
async fn tell(
    app: &App,
    work: &Work,
    settings: Versioned<TenantProfile>,
    closed: &Closed,
    notice: usize,
    today: Date,
) -> Result<(u64, Closed), Error> {
    let (tenant, store) = (&work.due.tenant, app.store.of(&work.due.tenant));
    let mut mails = 0;
    for user in store.users().await? {
        if user.role == Role::Owner && user.state == UserState::Active && user.dead.is_none() {
            app.post(&Letter::Closing(ClosingLetter::new(tenant, &user.id, closed, notice, today))).await?;
            mails += 1;
        }
    }
    if mails == 0 {
        tracing::error!(
            tenant = tenant.id().as_str(),
            notice,
            "a closed account has no owner who can be told; tell the business in another way"
        );
    }
    let told = closed.told(notice, today);
    let entry = entry(app, Act::OwnersTold)
        .with("notice", notice.to_string())
        .with("mails", mails.to_string())
        .with("erased-on", told.erased_on(today).to_string());
    let profile = TenantProfile { closure: Closure::Closed(told.clone()), ..settings.value };
    store.save_settings(settings.version, &profile, &entry).await?;
    Ok((mails, told))
}

async fn held(app: &App, work: &Work) -> Result<u64, Error> {
    let (store, mut held) = (app.store.of(&work.due.tenant), 0);
    for shard in 0..REQUEST_SHARDS {
        held += store.held_requests(shard).await?;
    }
    Ok(held)
}

fn stopped(work: &Work, held: u64, again: jiff::Timestamp) -> Ran {
    tracing::error!(
        tenant = work.due.tenant.id().as_str(),
        held,
        "a closed account is not erased: requests of it are under a legal hold"
    );
    Ran::again(again).counting("held", held).because("requests are under a legal hold")
}

/// From here there is no way back.
async fn begin(
    app: &App,
    work: &Work,
    settings: Versioned<TenantProfile>,
    closed: &Closed,
) -> Result<TenantProfile, Error> {
    let profile = TenantProfile { closure: Closure::Erasing(closed.clone()), ..settings.value };
    let entry = entry(app, Act::AccountErasing).with("closed", closed.on.to_string());
    app.store.of(&work.due.tenant).save_settings(settings.version, &profile, &entry).await?;
    Ok(profile)
}

/// Erases all requests; one that is held stops it.
async fn requests(app: &App, work: &Work, profile: TenantProfile, today: Date) -> Result<Ran, Error> {
    let store = app.store.of(&work.due.tenant);
    let round = Round::of(app, work, profile).await?;
    let tomorrow = night_of(today.tomorrow().unwrap_or(today), round.zone());
    let mut requests = 0;
    for shard in 0..REQUEST_SHARDS {
        loop {
            let found = store.stored_requests(shard).await?;
            if found.is_empty() {
                break;
            }
            for reference in found {
                if app.clock.now() >= work.until {
                    return Ok(more(work).counting("requests", requests));
                }
                match store.kept_request(&reference).await? {
                    // Somebody wrote beside a request while it went.
                    None => {
                        store.shred([reference.as_str()]).await?;
                        store.erase_beside(&reference).await?;
                    }
                    Some(kept) => {
                        if !end(&round, &kept, today).await? {
                            return Ok(stopped(work, 1, tomorrow).counting("requests", requests));
                        }
                        requests += 1;
                    }
                }
            }
        }
    }
    store.arrange(Job::Retention, work.now + COUNTS_FOLLOW, EMPTIED).await?;
    Ok(Ran::done().counting("requests", requests).because("the rest goes when the counts have followed"))
}

/// Erases all that is left when no request is.
async fn rest(app: &App, work: &Work, closed: &Closed) -> Result<Ran, Error> {
    let (tenant, store) = (&work.due.tenant, app.store.of(&work.due.tenant));
    // What callers said who then asked for nothing.
    loop {
        let recordings = app.blobs.first_recordings(tenant).await?;
        if recordings.is_empty() {
            break;
        }
        for (call, recording) in recordings {
            if app.clock.now() >= work.until {
                return Ok(more(work));
            }
            store.shred([recording.as_str()]).await?;
            app.blobs.erase_recording(tenant, &call, &recording).await?;
        }
    }
    app.blobs.erase_all(tenant).await?;
    app.blobs.erase_greetings(tenant).await?;
    for rest in Rest::ALL {
        store.erase_rest(rest).await?;
    }
    let mut users = 0_u64;
    for user in store.everybody().await? {
        if let Some(account) = store.user(&user.id).await? {
            store.erase_user(&account).await?;
            users += 1;
        }
    }
    store.erase_settings().await?;
    store.free_slug(&closed.slug).await?;
    let proof = entry(app, Act::AccountErased).with("closed", closed.on.to_string());
    // The tenant's own trail cannot be read any more once its keys are gone; the operator's can.
    app.store.of(&Tenant::platform()).record(&proof.clone().on("tenant", tenant.id().as_str())).await?;
    store.erase_account(&proof).await?;
    store.erase_root_keys().await?;
    Ok(Ran::done().counting("users", users))
}

fn more(work: &Work) -> Ran {
    Ran::again(work.now).because("there is more to erase")
}

/// Erases a request; false where somebody holds it.
async fn end(round: &Round<'_>, kept: &KeptRequest, today: Date) -> Result<bool, Error> {
    if kept.standing.held && kept.erasing.is_none() {
        return Ok(false);
    }
    // Refused where somebody was at it in this very moment: the next try sees what they did.
    let erasing = round.store().claim_at_the_end(kept, today).await?.ok_or(Error::Conflict)?;
    round.erase(kept, erasing).await?;
    Ok(true)
}

fn entry(app: &App, act: Act) -> Entry {
    // When it really happened, also where somebody looks ahead.
    Entry::new(app.clock.now(), Who::System("jobs-retention".to_owned()), act)
}
