//! `jobs-verify-audit`: walks a tenant's trail from its first entry to its last and says whether it is whole.
//!
//! The trail goes on while it is walked, so its head is read before and after: everything up to the first must be there,
//! and nothing may lie behind the second.

use std::ops::ControlFlow;

use domain::audit::{Broken, Link, Verifier};
use jiff::SignedDuration;
use platform::store::{FIRST_MONTH, Head, month, months};
use platform::{App, Error};
use serde::{Deserialize, Serialize};

/// Whose trail.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Order {
    /// The operator's own name for the tenant.
    pub tenant: String,
}

/// What was found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Verdict {
    /// Whether nothing was changed, removed or reordered.
    pub ok: bool,
    /// How many entries were checked. Without any, the trail has not begun: every sign-in writes one.
    pub entries: u64,
    /// The number of the last entry that follows from all before it.
    pub seq: u64,
    /// Its hash: what a witness writes down.
    pub hash: String,
    /// What is wrong, where something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
}

/// Checks the whole trail; memory does not grow with it.
pub async fn handle(app: &App, order: Order) -> Result<Verdict, Error> {
    let tenant = app.store.tenant_of_slug(&order.tenant).await?.ok_or(Error::NotFound)?;
    app.about(&tenant);
    let store = app.store.of(&tenant);
    let head = store.trail_head().await?;
    // To the present at least, wherever the head says that it ends; a day more, because clocks differ.
    let last = month(app.clock.now() + SignedDuration::from_hours(24)).max(head.month.clone());
    let mut walk = Walk::new(head);
    store.walk_trail(months(FIRST_MONTH, &last), 0, |link| Ok(walk.take(&link))).await?;
    let broken = walk.end(&store.trail_head().await?).err();
    let (entries, seq, hash) = walk.verifier.state();
    Ok(Verdict {
        ok: broken.is_none(),
        entries,
        seq,
        hash: hash.to_owned(),
        broken: broken.map(|broken| broken.to_string()),
    })
}

/// A trail as far as it was walked.
struct Walk {
    /// Where it ended when the walk began.
    before: Head,
    verifier: Verifier,
    broken: Option<Broken>,
}

impl Walk {
    fn new(before: Head) -> Self {
        Self { before, verifier: Verifier::new(), broken: None }
    }

    fn take(&mut self, link: &Link) -> ControlFlow<()> {
        self.broken = self.verifier.next(link).and_then(|()| self.at_head(&self.before)).err();
        if self.broken.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Where the walk stands at a head, it must be that very entry.
    fn at_head(&self, head: &Head) -> Result<(), Broken> {
        let (_, seq, _) = self.verifier.state();
        if seq == head.seq { self.verifier.ends_at(head.seq, &head.hash) } else { Ok(()) }
    }

    /// Whether the walk ended where it should; `after` is the head when everything had been read.
    fn end(&self, after: &Head) -> Result<(), Broken> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        let (before, (_, found, _)) = (&self.before, self.verifier.state());
        if found > 0 && after.seq == 0 {
            return Err(Broken::Headless);
        }
        if after.seq < before.seq {
            return Err(Broken::SetBack { before: before.seq, after: after.seq });
        }
        if found < before.seq {
            return Err(Broken::CutShort { expected: before.seq, found });
        }
        if found > after.seq {
            return Err(Broken::Beyond { head: after.seq, found });
        }
        self.at_head(after)
    }
}

#[cfg(test)]
mod tests {
    use domain::audit::BEGINNING;

    use super::*;

    fn chain(n: u64) -> Vec<Link> {
        (0..n).fold(vec![], |mut links: Vec<Link>, seq| {
            let previous = links.last().map_or(BEGINNING, |link| link.hash.as_str());
            links.push(Link::after(seq, previous, format!("{seq}")));
            links
        })
    }

    fn head(links: &[Link]) -> Head {
        links.last().map_or(Head { seq: 0, hash: BEGINNING.into(), month: String::new() }, |link| Head {
            seq: link.seq,
            hash: link.hash.clone(),
            month: "2026-11".into(),
        })
    }

    fn walked(before: &Head, links: &[Link], after: &Head) -> Result<(), Broken> {
        let mut walk = Walk::new(before.clone());
        for link in links {
            if walk.take(link).is_break() {
                break;
            }
        }
        walk.end(after)
    }

    #[test]
    fn a_whole_trail_is_whole_even_if_it_goes_on_while_it_is_walked_and_one_that_never_began_is() {
        let all = chain(5);
        let (three, five) = (head(&all[..3]), head(&all));
        for (before, links, after) in [(&three, 3, &three), (&three, 4, &five), (&three, 3, &five), (&five, 5, &five)] {
            assert_eq!(walked(before, &all[..links], after), Ok(()), "{} {links} {}", before.seq, after.seq);
        }
        let nothing = head(&[]);
        assert_eq!(walked(&nothing, &[], &nothing), Ok(()));
        assert_eq!(walked(&nothing, &all[..2], &three), Ok(()));
    }

    #[test]
    fn a_head_that_is_gone_or_set_back_is_found() {
        let all = chain(5);
        let (nothing, three, five) = (head(&[]), head(&all[..3]), head(&all));
        assert_eq!(walked(&nothing, &all, &nothing), Err(Broken::Headless));
        assert_eq!(walked(&three, &all, &three), Err(Broken::Beyond { head: 3, found: 5 }));
        assert_eq!(walked(&five, &all, &three), Err(Broken::SetBack { before: 5, after: 3 }));
    }

    #[test]
    fn entries_that_are_gone_from_the_end_are_found_and_so_is_a_head_of_another_trail() {
        let all = chain(5);
        let five = head(&all);
        assert_eq!(walked(&five, &all[..4], &five), Err(Broken::CutShort { expected: 5, found: 4 }));
        assert_eq!(walked(&five, &[], &five), Err(Broken::CutShort { expected: 5, found: 0 }));
        let other = Head { hash: "0a".repeat(32), ..head(&all[..3]) };
        assert_eq!(walked(&other, &all, &five), Err(Broken::CutShort { expected: 3, found: 3 }));
    }
}
