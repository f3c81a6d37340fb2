//! Letters about many requests at once, and about one that came in: ids, kinds and dates, and nothing of any person.

use std::fmt;

use domain::closure::Closed;
use domain::reference::Reference;
use domain::reminder::Reminder;
use domain::request::Kind;
use domain::service_code::ServiceCode;
use domain::user::UserId;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::tenant::Tenant;

/// So many requests are named in one mail; the rest is counted. Whoever has more of them works in the inbox.
pub const NAMED: usize = 50;

/// What somebody is reminded of on a day.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DueLetter {
    tenant: String,
    /// Who.
    pub user: UserId,
    /// On which day.
    pub day: Date,
    /// How many dates have passed.
    pub overdue: u64,
    /// How many are today.
    pub today: u64,
    /// How many are to come.
    pub ahead: u64,
    /// The most urgent of them.
    pub lines: Vec<DueLine>,
}

/// A request of which something is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DueLine {
    /// Its number.
    pub reference: Reference,
    /// What is asked.
    pub kind: Kind,
    /// What is due, and when.
    pub due: Reminder,
}

impl DueLetter {
    /// One with nothing in it yet.
    #[must_use]
    pub fn new(tenant: &Tenant, user: &UserId, day: Date) -> Self {
        let (tenant, user) = (tenant.id().as_str().to_owned(), user.clone());
        Self { tenant, user, day, overdue: 0, today: 0, ahead: 0, lines: vec![] }
    }

    /// One request more. What comes first is named.
    pub fn add(&mut self, line: DueLine) {
        match line.due.days_left {
            ..0 => self.overdue += 1,
            0 => self.today += 1,
            1.. => self.ahead += 1,
        }
        if self.lines.len() < NAMED {
            self.lines.push(line);
        }
    }

    /// How many requests it counts and does not name.
    #[must_use]
    pub fn unnamed(&self) -> u64 {
        (self.overdue + self.today + self.ahead).saturating_sub(u64::try_from(self.lines.len()).unwrap_or_default())
    }

    /// Whose requests they are: only we seal letters, so what one says of its tenant was looked up.
    #[must_use]
    pub fn tenant(&self) -> Tenant {
        Tenant::trusted(&self.tenant)
    }

    /// Tells it from any other: there is one for each person and day.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} reminders {} {}", self.tenant, self.day, self.user)
    }
}

/// What an owner of a closed account is told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ClosingLetter {
    tenant: String,
    /// Who.
    pub user: UserId,
    /// Of which closing.
    pub number: i64,
    /// How many notices are over with this one.
    pub notice: usize,
    /// When it was closed.
    pub closed_on: Date,
    /// When everything goes.
    pub erased_on: Date,
}

impl ClosingLetter {
    /// What is true on a day, for somebody who is to be told.
    #[must_use]
    pub fn new(tenant: &Tenant, user: &UserId, closed: &Closed, notice: usize, today: Date) -> Self {
        Self {
            tenant: tenant.id().as_str().to_owned(),
            user: user.clone(),
            number: closed.number,
            notice,
            closed_on: closed.on,
            erased_on: closed.told(notice, today).erased_on(today),
        }
    }

    /// Whose account it is: only we seal letters, so what one says of its tenant was looked up.
    #[must_use]
    pub fn tenant(&self) -> Tenant {
        Tenant::trusted(&self.tenant)
    }

    /// Tells it from any other: there is one for each person and notice of a closing.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} closing {} {} {}", self.tenant, self.number, self.notice, self.user)
    }
}

/// Which requests came in since somebody was told last.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct NewsLetter {
    tenant: String,
    /// Who.
    pub user: UserId,
    /// Until which news.
    pub until: u64,
    /// How many, by service code and kind.
    pub counts: Vec<(ServiceCode, Kind, u64)>,
    /// The first of them.
    pub lines: Vec<NewsLine>,
}

/// A request that came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct NewsLine {
    /// Its number.
    pub reference: Reference,
    /// What is asked.
    pub kind: Kind,
    /// Of which service code.
    pub code: ServiceCode,
    /// The last day to answer.
    pub respond_by: Date,
    /// Whether the caller hung up before the end.
    pub unfinished: bool,
}

impl NewsLetter {
    /// One with nothing in it yet.
    #[must_use]
    pub fn new(tenant: &Tenant, user: &UserId, until: u64) -> Self {
        let (tenant, user) = (tenant.id().as_str().to_owned(), user.clone());
        Self { tenant, user, until, counts: vec![], lines: vec![] }
    }

    /// One request more.
    pub fn add(&mut self, line: NewsLine) {
        match self.counts.iter_mut().find(|(code, kind, _)| (code, *kind) == (&line.code, line.kind)) {
            Some((.., count)) => *count += 1,
            None => self.counts.push((line.code.clone(), line.kind, 1)),
        }
        if self.lines.len() < NAMED {
            self.lines.push(line);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.counts.iter().map(|(.., count)| count).sum()
    }

    /// Whose requests they are.
    #[must_use]
    pub fn tenant(&self) -> Tenant {
        Tenant::trusted(&self.tenant)
    }

    /// Tells it from any other: what somebody is told begins where the last ended.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} news {} {}", self.tenant, self.user, self.until)
    }
}

/// A request whose receipt is to be confirmed in writing. To whom, and whether it still is, is only looked up when the letter
/// is written.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToConfirm {
    tenant: String,
    /// Which.
    pub reference: Reference,
}

impl ToConfirm {
    /// One tenant's request.
    #[must_use]
    pub fn new(tenant: &Tenant, reference: &Reference) -> Self {
        Self { tenant: tenant.id().as_str().to_owned(), reference: reference.clone() }
    }

    /// Whose request it is.
    #[must_use]
    pub fn tenant(&self) -> Tenant {
        Tenant::trusted(&self.tenant)
    }

    /// Tells it from any other.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} confirmation {}", self.tenant, self.reference.as_str())
    }
}

impl fmt::Debug for ClosingLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClosingLetter").field("notice", &self.notice).finish_non_exhaustive()
    }
}

impl fmt::Debug for DueLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DueLetter").field("day", &self.day).finish_non_exhaustive()
    }
}

impl fmt::Debug for NewsLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewsLetter").field("until", &self.until).finish_non_exhaustive()
    }
}

impl fmt::Debug for ToConfirm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ToConfirm(..)")
    }
}

#[cfg(test)]
mod tests {
    use domain::reminder::Duty;
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_letter_counts_what_it_no_longer_names() {
        let user = UserId::parse(&format!("u-{}", "0a".repeat(13))).unwrap();
        let mut letter = DueLetter::new(&Tenant::trusted("t-a"), &user, date(2026, 12, 27));
        for n in 0..60 {
            let due = Reminder { duty: Duty::Answer, by: date(2026, 12, 27), days_left: n - 30 };
            letter.add(DueLine { reference: Reference::from_entropy(7), kind: Kind::Delete, due });
        }
        assert_eq!((letter.overdue, letter.today, letter.ahead), (30, 1, 29));
        assert_eq!((letter.lines.len(), letter.unnamed()), (NAMED, 10));
        assert_eq!(letter.name(), format!("t-a reminders 2026-12-27 {user}"));
    }

    #[test]
    fn news_are_counted_by_service_code_and_kind() {
        let user = UserId::parse(&format!("u-{}", "0a".repeat(13))).unwrap();
        let mut letter = NewsLetter::new(&Tenant::trusted("t-a"), &user, 9);
        for (code, kind) in [("12", Kind::Delete), ("12", Kind::OptOut), ("12", Kind::Delete), ("3", Kind::Delete)] {
            let code = ServiceCode::parse(code).unwrap();
            let (reference, respond_by) = (Reference::from_entropy(7), date(2027, 1, 6));
            letter.add(NewsLine { reference, kind, code, respond_by, unfinished: false });
        }
        assert_eq!((letter.all(), letter.counts.len(), letter.counts[0].2), (4, 3, 2));
        let read: NewsLetter = serde_json::from_str(&serde_json::to_string(&letter).unwrap()).unwrap();
        assert_eq!(read, letter);
    }
}
