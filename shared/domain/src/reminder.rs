//! Reminders of deadlines: which fall on a day, and who gets them.
//!
//! A tenant chooses the days ([`Reminders`]); 48 hours before is two days before, for a deadline is a day and has no hour. All
//! days are days in the tenant's time zone, and reminders go out at 08:00 there.
//!
//! | days left | who is told |
//! |---|---|
//! | 3 and more | whoever works on the request; where nobody does, everybody who may |
//! | 2 and 1 | managers, too |
//! | 0, and once it is overdue | owners, too |
//!
//! Each of them only where they want reminders. But a deadline that is missed because nobody was told is the worst that can
//! happen here: where nobody of a step can be told, the next step is, and where nobody at all wants to be, owners are told all
//! the same.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::clock::days_left;
use crate::role::{Permission, Role};
use crate::tenant::Reminders;
use crate::user::UserId;

/// When reminders go out.
pub const AT: Time = Time::constant(8, 0, 0, 0);
/// So many days that nothing ran are made up for. Nothing that was due in them is older than the longest reminder.
pub const CAUGHT_UP: i32 = 31;

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duty {
    /// To tell the person that it came in.
    Confirm,
    /// To answer.
    Answer,
}

/// The dates of an open request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// The last day to confirm the receipt, while nobody did.
    pub confirm_by: Option<Date>,
    /// The last day to answer.
    pub respond_by: Date,
}

/// That something is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Reminder {
    /// What.
    pub duty: Duty,
    /// The last day.
    pub by: Date,
    /// Days until then, from today: 0 on the day itself, below 0 once it has passed.
    pub days_left: i32,
}

impl Deadlines {
    /// What is to be reminded of today: each date of which a reminder fell on a day after `after`, or falls on today. Where
    /// nothing ran for some days, it is as things are today and not as they were.
    #[must_use]
    pub fn reminders(&self, settings: &Reminders, after: Date, today: Date) -> Vec<Reminder> {
        let confirm = self.confirm_by.map(|by| (Duty::Confirm, by));
        let all = confirm.into_iter().chain([(Duty::Answer, self.respond_by)]);
        all.filter_map(|(duty, by)| {
            let left = days_left(today, by);
            let missed = days_left(after, today).clamp(0, CAUGHT_UP);
            let falls = (0..missed).any(|before| settings.fall_on(left.saturating_add(before)));
            falls.then_some(Reminder { duty, by, days_left: left })
        })
        .collect()
    }

    /// What a reminder fell on `after` itself for, and on no day since: nobody was reminded of it where the request came in
    /// when that day's reminders had gone out ([`came_after`]).
    #[must_use]
    pub fn too_late_for(&self, settings: &Reminders, after: Date, today: Date) -> Vec<Reminder> {
        let known = self.reminders(settings, after, today);
        let mut all = self.reminders(settings, after.yesterday().unwrap_or(after), today);
        all.retain(|reminder| !known.contains(reminder));
        all
    }
}

/// Whether something came in when a day's reminders had gone out.
#[must_use]
pub fn came_after(tz: &TimeZone, day: Date, at: Timestamp) -> bool {
    day.to_datetime(AT).to_zoned(tz.clone()).is_ok_and(|run| at >= run.timestamp())
}

/// The last day whose deadlines may be reminded of today.
#[must_use]
pub fn farthest(settings: &Reminders, today: Date) -> Date {
    let days = settings.days_before.iter().max().copied().unwrap_or_default();
    today.checked_add(i64::from(days).days()).unwrap_or(Date::MAX)
}

/// The next time that reminders go out: at 08:00 of a day, once for each day, whatever clocks do.
#[must_use]
pub fn next_run(tz: &TimeZone, after: Timestamp) -> Timestamp {
    let mut day = after.to_zoned(tz.clone()).date();
    loop {
        // Where a day has no 08:00, at the first moment after it.
        match day.to_datetime(AT).to_zoned(tz.clone()) {
            Ok(run) if run.timestamp() > after => return run.timestamp(),
            Ok(_) => {}
            Err(_) => return Timestamp::MAX,
        }
        match day.tomorrow() {
            Ok(tomorrow) => day = tomorrow,
            Err(_) => return Timestamp::MAX,
        }
    }
}

/// The day whose reminders are due at a time; none before 08:00, when yesterday's are too old to say how many days are left.
#[must_use]
pub fn day_of(tz: &TimeZone, now: Timestamp) -> Option<Date> {
    let local = now.to_zoned(tz.clone());
    (local.time() >= AT).then(|| local.date())
}

/// Somebody of a team, as far as it decides who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub id: UserId,
    /// As what.
    pub role: Role,
    /// Whether mail reaches them: they may sign in, and their address takes mail.
    pub reachable: bool,
    /// Whether they want to be reminded.
    pub wants: bool,
}

/// The steps of an escalation, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Hands,
    Managers,
    Owners,
}

/// From how many days left on a step is told.
const ESCALATION: [(i32, Step); 3] = [(i32::MAX, Step::Hands), (2, Step::Managers), (0, Step::Owners)];

impl Step {
    fn has(self, member: &Member, assignee: Option<&UserId>) -> bool {
        match (self, assignee) {
            (Self::Hands, Some(assignee)) => member.id == *assignee,
            (Self::Hands, None) => member.role.may(Permission::WorkRequests),
            (Self::Managers, _) => member.role == Role::Manager,
            (Self::Owners, _) => member.role == Role::Owner,
        }
    }
}

/// Who is told of a deadline that is so many days away. Empty only where nobody of the team who could do anything can be
/// reached.
#[must_use]
pub fn audience<'a>(team: &'a [Member], assignee: Option<&UserId>, days_left: i32) -> Vec<&'a UserId> {
    let works = |member: &&Member| member.reachable && member.role.may(Permission::WorkRequests);
    // In the hands of somebody who left, it is in nobody's.
    let assignee = assignee.filter(|id| team.iter().filter(works).any(|member| member.id == **id));
    let told = |steps: &[(i32, Step)]| -> Vec<&'a UserId> {
        let wanted = team.iter().filter(works).filter(|member| member.wants);
        wanted
            .filter(|member| steps.iter().any(|(_, step)| step.has(member, assignee)))
            .map(|member| &member.id)
            .collect()
    };
    let due = ESCALATION.iter().filter(|(from, _)| days_left <= *from).count();
    let willing = (due..=ESCALATION.len()).find_map(|steps| {
        let told = told(ESCALATION.get(..steps).unwrap_or_default());
        (!told.is_empty()).then_some(told)
    });
    if let Some(willing) = willing {
        return willing;
    }
    for role in [Role::Owner, Role::Manager, Role::Agent] {
        let all: Vec<_> =
            team.iter().filter(works).filter(|member| member.role == role).map(|member| &member.id).collect();
        if !all.is_empty() {
            return all;
        }
    }
    vec![]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const ZONES: [&str; 9] = [
        "America/Los_Angeles",
        "America/Denver",
        "America/Phoenix",
        "America/Chicago",
        "America/New_York",
        "America/Puerto_Rico",
        "Pacific/Honolulu",
        "Pacific/Guam",
        // Half an hour, at two in the morning.
        "Australia/Lord_Howe",
    ];

    fn id(n: usize) -> UserId {
        UserId::parse(&format!("u-{n:026}")).unwrap()
    }

    fn team(members: &[(Role, bool, bool)]) -> Vec<Member> {
        let member = |(n, (role, reachable, wants)): (usize, &(Role, bool, bool))| Member {
            id: id(n),
            role: *role,
            reachable: *reachable,
            wants: *wants,
        };
        members.iter().enumerate().map(member).collect()
    }

    fn told(team: &[Member], assignee: Option<usize>, left: i32) -> Vec<usize> {
        let assignee = assignee.map(id);
        let told = audience(team, assignee.as_ref(), left);
        told.iter().map(|it| team.iter().position(|member| member.id == **it).unwrap()).collect()
    }

    fn answer(by: Date) -> Deadlines {
        Deadlines { confirm_by: None, respond_by: by }
    }

    #[test]
    fn the_nearer_the_day_the_more_people_are_told() {
        let all = team(&[
            (Role::Owner, true, true),
            (Role::Manager, true, true),
            (Role::Agent, true, true),
            (Role::Agent, true, true),
            (Role::Viewer, true, true),
        ]);
        for (left, who) in [
            (10, vec![2]),
            (5, vec![2]),
            (3, vec![2]),
            (2, vec![1, 2]),
            (1, vec![1, 2]),
            (0, vec![0, 1, 2]),
            (-9, vec![0, 1, 2]),
        ] {
            assert_eq!(told(&all, Some(2), left), who, "{left} days left");
        }
        assert_eq!(told(&all, None, 10), [0, 1, 2, 3], "in nobody's hands");
        assert_eq!(told(&all, Some(4), 10), [0, 1, 2, 3], "in the hands of somebody who now only reads");
        assert_eq!(told(&all, Some(77), 10), [0, 1, 2, 3], "in the hands of somebody who left");
    }

    #[test]
    fn somebody_is_always_told_and_in_the_end_the_owners_whatever_they_want() {
        let quiet = team(&[(Role::Owner, true, false), (Role::Manager, true, false), (Role::Agent, true, false)]);
        for left in [10, 2, 0, -3] {
            assert_eq!(told(&quiet, Some(2), left), [0], "nobody wants any");
        }
        let some = team(&[(Role::Owner, true, false), (Role::Manager, true, true), (Role::Agent, true, false)]);
        assert_eq!(told(&some, Some(2), 10), [1], "who works on it does not want any: the next step");
        assert_eq!(told(&some, Some(2), 0), [1]);
        let gone = team(&[(Role::Owner, false, true), (Role::Manager, true, false), (Role::Agent, false, true)]);
        assert_eq!(told(&gone, Some(2), 0), [1], "no mail reaches the owner");
        assert_eq!(told(&team(&[(Role::Owner, false, true), (Role::Viewer, true, true)]), None, 0), [0_usize; 0]);
    }

    #[test]
    fn a_whole_life_is_reminded_of_ten_five_and_two_days_before_on_the_day_and_every_day_after() {
        let (settings, by) = (Reminders::default(), date(2027, 1, 6));
        let mut day = date(2026, 11, 22);
        let mut left = vec![];
        while day <= date(2027, 1, 9) {
            let before = day.yesterday().unwrap();
            left.extend(answer(by).reminders(&settings, before, day).into_iter().map(|it| it.days_left));
            day = day.tomorrow().unwrap();
        }
        assert_eq!(left, [10, 5, 2, 0, -1, -2, -3]);
    }

    #[test]
    fn what_fell_on_days_on_which_nothing_ran_is_told_once_as_it_is_now() {
        let (settings, by) = (Reminders::default(), date(2027, 1, 6));
        // The tenth day before was the 27th of December; nothing ran until the 29th.
        let [late] = answer(by).reminders(&settings, date(2026, 12, 26), date(2026, 12, 29))[..] else { panic!() };
        assert_eq!(late, Reminder { duty: Duty::Answer, by, days_left: 8 });
        assert_eq!(answer(by).reminders(&settings, date(2026, 12, 29), date(2026, 12, 30)), []);
        assert_eq!(answer(by).reminders(&settings, date(2026, 12, 27), date(2026, 12, 27)), [], "it was done today");
    }

    #[test]
    fn what_came_in_after_eight_with_ten_days_left_is_told_the_next_morning_and_what_came_before_was_told() {
        let (settings, by) = (Reminders::default(), date(2027, 1, 6));
        let (received, next) = (date(2026, 12, 27), date(2026, 12, 28));
        assert_eq!(answer(by).reminders(&settings, received, next), []);
        let [late] = answer(by).too_late_for(&settings, received, next)[..] else { panic!() };
        assert_eq!(late, Reminder { duty: Duty::Answer, by, days_left: 9 });
        assert_eq!(answer(by).too_late_for(&settings, next, next.tomorrow().unwrap()), []);
        let tz = TimeZone::get("America/Los_Angeles").unwrap();
        for (at, after) in
            [("2026-12-27T15:59:59Z", false), ("2026-12-27T16:00:00Z", true), ("2026-12-28T09:00:00Z", true)]
        {
            assert_eq!(came_after(&tz, received, at.parse().unwrap()), after, "{at}");
        }
    }

    #[test]
    fn a_confirmation_and_an_answer_are_each_reminded_of() {
        let dates = Deadlines { confirm_by: Some(date(2026, 12, 7)), respond_by: date(2026, 12, 17) };
        let found = dates.reminders(&Reminders::default(), date(2026, 12, 6), date(2026, 12, 7));
        let found: Vec<_> = found.iter().map(|it| (it.duty, it.days_left)).collect();
        assert_eq!(found, [(Duty::Confirm, 0), (Duty::Answer, 10)]);
    }

    #[test]
    fn before_eight_in_the_morning_it_is_nobodys_turn() {
        let tz = TimeZone::get("America/Los_Angeles").unwrap();
        for (at, day) in [
            ("2026-11-22T15:59:59Z", None),
            ("2026-11-22T16:00:00Z", Some(date(2026, 11, 22))),
            ("2026-11-23T07:59:00Z", Some(date(2026, 11, 22))),
            ("2026-11-23T08:00:00Z", None),
        ] {
            assert_eq!(day_of(&tz, at.parse().unwrap()), day, "{at}");
        }
    }

    #[test]
    fn reminders_go_out_at_eight_of_every_day_of_eight_years_whatever_clocks_do() {
        for zone in ZONES {
            let tz = TimeZone::get(zone).unwrap();
            let mut now: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
            now = next_run(&tz, now);
            let mut day = now.to_zoned(tz.clone()).date();
            for _ in 0..(8 * 365 + 2) {
                let local = now.to_zoned(tz.clone());
                assert_eq!((local.date(), local.time()), (day, AT), "{zone}");
                assert_eq!(day_of(&tz, now), Some(day));
                // Whenever within the day it is asked for, the next one is the same.
                for hours in [1, 9, 22] {
                    let asked = next_run(&tz, now + jiff::SignedDuration::from_hours(hours));
                    assert_eq!(asked, next_run(&tz, now), "{zone} {day}");
                }
                now = next_run(&tz, now);
                day = day.tomorrow().unwrap();
            }
        }
    }

    #[test]
    fn a_day_that_a_zone_left_out_is_nobodys_twice() {
        // Samoa went from the 29th to the 31st of December 2011.
        let tz = TimeZone::get("Pacific/Apia").unwrap();
        let mut now: Timestamp = "2011-12-28T00:00:00Z".parse().unwrap();
        let mut days = vec![];
        for _ in 0..5 {
            now = next_run(&tz, now);
            days.push(day_of(&tz, now).unwrap().day());
        }
        assert_eq!(days, [28, 29, 31, 1, 2]);
    }

    prop_compose! {
        fn any_settings()(
            mut days in prop::collection::btree_set(1_u8..=30, 0..=5),
            on_the_day in any::<bool>(),
            daily_when_overdue in any::<bool>(),
        ) -> Reminders {
            let mut days_before: Vec<u8> = std::mem::take(&mut days).into_iter().collect();
            days_before.reverse();
            Reminders { days_before, on_the_day, daily_when_overdue }
        }
    }

    fn day(n: i64) -> Date {
        date(2024, 1, 1).checked_add(n.days()).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Three years of days, requests that come, are extended and are closed, and days on which nothing runs.
        #[test]
        fn each_reminder_day_of_each_request_is_told_exactly_once_and_none_of_a_closed_one(
            settings in any_settings(),
            requests in prop::collection::vec((0_i64..1000, 1_i64..60, 0_i64..120, prop::option::of(1_i64..45)), 1..12),
            zone in prop::sample::select(&ZONES[..]),
            down in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
        ) {
            let tz = TimeZone::get(zone).unwrap();
            let down: Vec<Date> = down.iter().map(|at| day(i64::try_from(at.index(1100)).unwrap())).collect();
            // Received on a day, due so many days later, closed so many days after the receipt, extended by 45 days at some time.
            let standing = |(received, due, closed, extended): (i64, i64, i64, Option<i64>), today: Date| {
                let extended = extended.filter(|after| today >= day(received + after.min(&due)));
                let open = today > day(received) && today < day(received + closed);
                open.then(|| answer(day(received + due + if extended.is_some() { 45 } else { 0 })))
            };
            let noon = |received: i64| day(received).at(12, 0, 0, 0).to_zoned(tz.clone()).unwrap().timestamp();
            let mut now = day(0).to_zoned(tz.clone()).unwrap().timestamp();
            let mut covered = day(-1);
            let mut mails: BTreeMap<(usize, Date), u32> = BTreeMap::new();
            while covered < day(1200) {
                now = next_run(&tz, now);
                let today = day_of(&tz, now).unwrap();
                if down.contains(&today) {
                    continue;
                }
                prop_assert!(today > covered);
                // Summoned as often as anybody likes.
                for _ in 0..3 {
                    for (n, request) in requests.iter().enumerate() {
                        let Some(dates) = standing(*request, today) else { continue };
                        let mut found = dates.reminders(&settings, covered, today);
                        if today > covered && came_after(&tz, covered, noon(request.0)) {
                            found.extend(dates.too_late_for(&settings, covered, today));
                        }
                        prop_assert!(found.len() <= 1);
                        for reminder in found {
                            prop_assert!(reminder.by <= farthest(&settings, today));
                            *mails.entry((n, today)).or_default() += 1;
                        }
                    }
                    covered = today;
                }
            }
            prop_assert!(mails.values().all(|times| *times == 1), "never twice on one day");
            // What every single day would have said is told on that day, or on the next that anything ran.
            for (n, request) in requests.iter().enumerate() {
                for today in (0..1200).map(day) {
                    let Some(dates) = standing(*request, today) else {
                        prop_assert!(!mails.contains_key(&(n, today)), "closed, or not there yet");
                        continue;
                    };
                    // What came in when the day's had gone out is told the next morning.
                    let fell = today == day(request.0 + 1) && settings.fall_on(days_left(today, dates.respond_by) + 1);
                    let falls = fell || settings.fall_on(days_left(today, dates.respond_by));
                    if !down.contains(&today) && !down.contains(&today.yesterday().unwrap()) {
                        prop_assert_eq!(mails.contains_key(&(n, today)), falls, "{} {:?}", today, request);
                    }
                }
            }
        }

        #[test]
        fn whoever_is_in_the_team_somebody_who_can_do_something_is_told(
            members in prop::collection::vec(
                (prop::sample::select(&Role::ALL[..]), any::<bool>(), any::<bool>()), 0..8),
            assignee in prop::option::of(0_usize..8),
            left in -40_i32..40,
        ) {
            let all = team(&members);
            let found = told(&all, assignee, left);
            let able = |n: &usize| all[*n].reachable && all[*n].role != Role::Viewer;
            prop_assert_eq!(found.is_empty(), !(0..all.len()).any(|n| able(&n)));
            prop_assert!(found.iter().all(able));
            // One day later nobody is left out who was told before, as long as it is told to those who want it.
            let later = told(&all, assignee, left - 1);
            if found.iter().all(|n| all[*n].wants) {
                prop_assert!(found.iter().all(|n| later.contains(n)), "{:?} {:?}", found, later);
            }
        }
    }
}
