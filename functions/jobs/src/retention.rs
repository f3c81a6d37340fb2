//! `jobs-retention`: what has been kept long enough goes into the recycle bin, and from there, or a part by itself, for good.
//!
//! Every night at three, in the tenant's own time, each rule looks at the days that have come since it last looked, in the order
//! of the indexes: nothing that is stored is walked. What cannot be dealt with there and then gets an entry of its own in the
//! agenda (`what` is its number), so that one request that fails holds up no other, and is tried again until somebody looks at
//! its dead letter. The same entry is made for a request that somebody took out of the bin, or whose hold was lifted: its day
//! was looked at already.
//!
//! Besides the proof, which says what was erased by its number and stays, the bare number of what is erased is left in a few
//! places that know nothing else of it, and each of them ends by itself (`expires_at`): news (`n#`, `begun#` in the table of
//! the agenda) a fortnight after it came in, the record of a run for it alone 13 months after the run, what counting remembers
//! of it a week after it is gone.

use std::collections::{BTreeMap, BTreeSet};

use domain::audit::{Act, Entry, Who};
use domain::closure::Closure;
use domain::job::Job;
use domain::reference::Reference;
use domain::retention::{self, Going, Part, Rule, next_night, night_of, whole_months};
use domain::tenant::{LONGEST_RETENTION, Retention, TenantProfile};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use partners::twilio::RecordingSid;
use platform::blob::UploadId;
use platform::edge::{Ran, Work};
use platform::store::{Bookmarks, Erasing, KeptRequest, TenantStore};
use platform::{App, Error};

use crate::closing;

/// Looks at all that is due, or at one request.
pub async fn handle(app: &App, work: &Work) -> Result<Ran, Error> {
    if [closing::CLOSED, closing::EMPTIED].contains(&work.due.what.as_str()) {
        return closing::handle(app, work).await;
    }
    let store = app.store.of(&work.due.tenant);
    let profile = match store.settings().await {
        // All of it is being erased elsewhere, and what is noted here would be left.
        Ok(settings) if matches!(settings.value.closure, Closure::Erasing(_)) => return Ok(Ran::done()),
        Ok(settings) => settings.value,
        // The account is gone, and nothing of it is left to look at.
        Err(Error::NotFound) => return Ok(Ran::done()),
        Err(error) => return Err(error),
    };
    let mut round = Round::of(app, work, profile).await?;
    if work.due.what.is_empty() {
        return round.everything().await;
    }
    // Nothing but an entry of ours names a request, so one that is none is nobody's.
    let Ok(reference) = Reference::parse(&work.due.what) else { return Ok(Ran::done()) };
    round.one(&reference).await
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Became {
    /// Nothing: it is not its day, or it is gone or held.
    Nothing,
    /// It is in the bin now.
    Binned,
    /// It is gone.
    Erased,
    /// Some of its parts are.
    Parts,
}

pub(crate) struct Round<'a> {
    app: &'a App,
    work: &'a Work,
    store: TenantStore<'a>,
    profile: TenantProfile,
    zone: TimeZone,
    today: Date,
    bookmarks: Bookmarks,
    counted: BTreeMap<&'static str, u64>,
}

impl<'a> Round<'a> {
    pub(crate) async fn of(app: &'a App, work: &'a Work, profile: TenantProfile) -> Result<Self, Error> {
        let store = app.store.of(&work.due.tenant);
        let zone = profile.tz().map_err(Error::failed("reading the tenant's time zone"))?;
        let today = work.now.to_zoned(zone.clone()).date();
        let mut bookmarks = store.bookmarks().await?;
        bookmarks.promise(today, &profile.retention);
        Ok(Self { app, work, store, profile, zone, today, bookmarks, counted: BTreeMap::new() })
    }

    pub(crate) fn store(&self) -> &TenantStore<'a> {
        &self.store
    }

    pub(crate) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    fn settings(&self) -> &Retention {
        &self.profile.retention
    }

    async fn everything(&mut self) -> Result<Ran, Error> {
        // Also where no rule has anything to look at: the days of a shorter time count from the first night that saw it.
        self.store.keep_bookmarks(&self.bookmarks).await?;
        for rule in Rule::ALL {
            let Some(until) = self.until(rule) else { continue };
            loop {
                let behind = self.bookmarks.place(rule).map(str::to_owned);
                let (found, more) = self.store.look(rule, until, behind.as_deref()).await?;
                for one in found {
                    if self.app.clock.now() >= self.work.until {
                        self.store.keep_bookmarks(&self.bookmarks).await?;
                        let soon = self.work.now;
                        return Ok(self.counted(Ran::again(soon).because("there is more to look at")));
                    }
                    self.look_at(&one.reference, rule).await?;
                    self.bookmarks.looked(rule, one.place);
                }
                if !more {
                    self.bookmarks.looked_until(rule, until);
                }
                self.store.keep_bookmarks(&self.bookmarks).await?;
                if !more {
                    break;
                }
            }
        }
        let ran = self.counted(Ran::again(next_night(self.work.now, &self.zone)));
        let failed = self.counted.contains_key("failed");
        Ok(if failed {
            ran.because("some requests could not be dealt with; each is tried again by itself")
        } else {
            ran
        })
    }

    /// Up to which day a rule looks today; nothing where it has nothing to do with these settings.
    fn until(&self, rule: Rule) -> Option<Date> {
        let settings = self.settings();
        Some(match rule {
            Rule::Bin => retention::last_bin_day(self.today),
            Rule::Requests | Rule::Messages | Rule::Unfinished => {
                retention::last_day(self.today, whole_months(rule, settings))
            }
            Rule::Part(part) => {
                let months = self.months(part);
                if months >= whole_months(Rule::Requests, settings) {
                    return None;
                }
                retention::last_day(self.today, months)
            }
        })
    }

    /// For how many months a part is kept today.
    fn months(&self, part: Part) -> u16 {
        self.bookmarks.in_force(part).unwrap_or(LONGEST_RETENTION)
    }

    /// One that fails is tried again by itself, and the rest goes on.
    async fn look_at(&mut self, reference: &Reference, rule: Rule) -> Result<(), Error> {
        match self.deal_with(reference).await {
            Ok(became) => {
                let word = match became {
                    Became::Nothing if rule == Rule::Unfinished => {
                        // It lies there by the day of its confirmation, and counts from that of its answer.
                        if let Some(at) = self.by_itself(reference).await? {
                            self.store.arrange(Job::Retention, at, reference.as_str()).await?;
                        }
                        return Ok(());
                    }
                    Became::Nothing => return Ok(()),
                    Became::Binned => "binned",
                    Became::Erased => "erased",
                    Became::Parts => "parts",
                };
                *self.counted.entry(word).or_default() += 1;
            }
            Err(error) => {
                tracing::error!(
                    tenant = self.work.due.tenant.id().as_str(),
                    rule = rule.code(),
                    error = error.causes(),
                    "a request could not be put away; it is tried again by itself"
                );
                self.store.arrange(Job::Retention, self.work.now, reference.as_str()).await?;
                *self.counted.entry("failed").or_default() += 1;
            }
        }
        Ok(())
    }

    async fn one(&mut self, reference: &Reference) -> Result<Ran, Error> {
        let became = self.deal_with(reference).await?;
        let ran = match self.comes_again(reference).await? {
            Some(at) => Ran::again(at),
            None => Ran::done(),
        };
        Ok(match became {
            Became::Nothing => ran,
            Became::Binned => ran.counting("binned", 1),
            Became::Erased => ran.counting("erased", 1),
            Became::Parts => ran.counting("parts", 1),
        })
    }

    /// When a request that was looked at by itself is to be looked at once more: its day in the indexes may be behind all that
    /// rules still look at, because it was held then, or times were longer since.
    async fn comes_again(&self, reference: &Reference) -> Result<Option<Timestamp>, Error> {
        let Some(kept) = self.store.kept_request(reference).await? else { return Ok(None) };
        Ok(self.ahead(&kept))
    }

    /// The same for one that a rule came across: only where its day in the indexes is not the day that counts for it. Every other
    /// one is found by its day.
    async fn by_itself(&self, reference: &Reference) -> Result<Option<Timestamp>, Error> {
        let kept = self.store.kept_request(reference).await?;
        let kept = kept.filter(|kept| kept.standing.restored_on.is_some() || kept.standing.closed_on.is_none());
        Ok(kept.and_then(|kept| self.ahead(&kept)))
    }

    /// The next night on which something of a request goes.
    fn ahead(&self, kept: &KeptRequest) -> Option<Timestamp> {
        let day = kept.standing.ahead(self.today, self.settings(), |part| self.months(part));
        day.map(|day| night_of(day, &self.zone))
    }

    /// Does with a request what its day asks for. Where somebody was at it in the same moment, it is looked at once more as it is
    /// now.
    async fn deal_with(&mut self, reference: &Reference) -> Result<Became, Error> {
        match self.try_with(reference).await {
            Err(Error::Conflict) => self.try_with(reference).await,
            dealt_with => dealt_with,
        }
    }

    async fn try_with(&mut self, reference: &Reference) -> Result<Became, Error> {
        let Some(kept) = self.store.kept_request(reference).await? else { return Ok(Became::Nothing) };
        if let Some(erasing) = kept.erasing {
            self.erase(&kept, erasing).await?;
            return Ok(Became::Erased);
        }
        match kept.standing.next(self.settings()) {
            Some(Going { rule: Rule::Bin, on }) if on <= self.today => {
                let Some(erasing) = self.store.claim_erasure(&kept, self.today).await? else {
                    return Err(Error::Conflict);
                };
                self.erase(&kept, erasing).await?;
                return Ok(Became::Erased);
            }
            Some(Going { rule, on }) if on <= self.today => {
                let entry = self.entry(Act::Binned, reference).with("rule", rule.code());
                if self.store.bin_request(&kept, self.today, rule, &entry).await? {
                    return Ok(Became::Binned);
                }
                return Err(Error::Conflict);
            }
            _ => {}
        }
        self.parts(kept).await
    }

    /// Erases the parts of a request whose time is over, each by itself.
    async fn parts(&mut self, mut kept: KeptRequest) -> Result<Became, Error> {
        let mut became = Became::Nothing;
        for part in Part::ALL {
            let months = self.months(part);
            if !kept.going.contains(&part) {
                let due = kept.standing.part(months, self.settings()).is_some_and(|on| on <= self.today);
                let entry = self.entry(Act::PartErased, &kept.reference).with("months", months.to_string());
                if !due {
                    continue;
                }
                if !self.store.expire_part(&kept, part, &entry).await? {
                    if part == Part::Recordings {
                        // It tells of none, and may still have takes that the caller gave up.
                        self.shred_recordings(&kept, []).await?;
                    }
                    continue;
                }
                let Some(again) = self.store.kept_request(&kept.reference).await? else { return Ok(became) };
                kept = again;
            }
            match part {
                Part::Recordings => self.shred_recordings(&kept, &kept.shredding).await?,
                Part::Correspondence => {}
                Part::Attachments | Part::Answers => {
                    let answers = self.store.answer_files(&kept.reference).await?;
                    let goes = |id: &str| answers.contains(id) == (part == Part::Answers);
                    self.app.blobs.erase_attachments(&self.work.due.tenant, &kept.reference, goes).await?;
                }
            }
            self.store.erase_part(&kept.reference, part).await?;
            self.store.part_is_gone(&kept, part).await?;
            let Some(again) = self.store.kept_request(&kept.reference).await? else { return Ok(became) };
            kept = again;
            became = Became::Parts;
        }
        Ok(became)
    }

    /// Destroys what opens these recordings, and then the recordings; those that another request tells of stay for it. With the
    /// last that are told of go the takes that the caller made again: each has a salt of its own, and no request tells of it.
    async fn shred_recordings<'r>(
        &self,
        kept: &KeptRequest,
        recordings: impl IntoIterator<Item = &'r RecordingSid>,
    ) -> Result<(), Error> {
        let (tenant, kin) = (&self.work.due.tenant, self.store.kin(kept).await?);
        let told_of = |sid: &RecordingSid| kin.iter().any(|other| other.recordings.contains(sid));
        let mut alone: BTreeSet<RecordingSid> = recordings.into_iter().filter(|sid| !told_of(sid)).cloned().collect();
        if let Some(call) = &kept.call
            && !kin.iter().any(|other| other.keeps_call(call))
        {
            alone.extend(self.app.blobs.recordings_of(tenant, call).await?);
        }
        self.store.shred(alone.iter().map(RecordingSid::as_str)).await?;
        if let Some(call) = &kept.call {
            for sid in &alone {
                self.app.blobs.erase_recording(tenant, call, sid).await?;
            }
        }
        Ok(())
    }

    /// Erases a request for good: what opens it first, itself last, together with the proof. Whatever crashes in between is gone
    /// through again.
    pub(crate) async fn erase(&self, kept: &KeptRequest, erasing: Erasing) -> Result<(), Error> {
        let (tenant, reference) = (&self.work.due.tenant, &kept.reference);
        self.store.shred([reference.as_str()]).await?;
        self.shred_recordings(kept, kept.recordings.iter().chain(&kept.shredding)).await?;
        self.app.blobs.erase_attachments(tenant, reference, |_| true).await?;
        for photo in kept.photos.iter().filter_map(|photo| UploadId::parse(&photo.id)) {
            self.app.blobs.erase_photo(&photo).await?;
        }
        self.store.erase_beside(reference).await?;
        self.store.forget_news(reference).await?;
        self.store.hand_over(&self.store.kin(kept).await?).await?;
        self.store.erase_request(reference, &self.proof(kept, erasing)).await
    }

    /// What stays: a number, numbers, dates and the rule. With the number alone nobody can be found any more.
    fn proof(&self, kept: &KeptRequest, erasing: Erasing) -> Entry {
        let standing = &kept.standing;
        let mut proof = self
            .entry(Act::Erased, &kept.reference)
            .with("rule", kept.rule.map_or("account-closed", Rule::code))
            .with("notes", erasing.notes.to_string())
            .with("files", erasing.files.to_string())
            .with("messages", erasing.messages.to_string())
            .with("recordings", erasing.recordings.to_string());
        for (name, day) in [("closed", standing.closed_on), ("binned", standing.binned_on)] {
            if let Some(day) = day {
                proof = proof.with(name, day.to_string());
            }
        }
        proof
    }

    fn entry(&self, act: Act, reference: &Reference) -> Entry {
        // When it really happened, also where somebody looks ahead.
        Entry::new(self.app.clock.now(), Who::System("jobs-retention".to_owned()), act)
            .on("request", reference.as_str())
    }

    fn counted(&self, ran: Ran) -> Ran {
        self.counted.iter().fold(ran, |ran, (word, count)| ran.counting(word, *count))
    }
}
