//! The dashboard under the stub: an owner joins by their invitation and signs in, as a browser would, and looks at the
//! inbox and at a request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Error;
use crate::browser::{Browser, form};
use crate::hotline::{Hotline, Step, text};
use crate::measure::{Event, Kind, Subject, Wanted};
use crate::person::{PASSWORD, Person, led};
use crate::stats::{Spread, grouped};
use crate::stock;

/// The form with the password, sent.
pub const SIGN_IN: &str = "dashboard-sign-in, password";
/// The page of a request.
pub const REQUEST: &str = "dashboard-request";
/// The inbox.
pub const INBOX: &str = "dashboard-requests";

/// Requests on a page of the inbox.
const ROWS: usize = 50;
/// What the tenant has when its inbox is measured beside the other pages.
const STORED: u32 = 10_000;
/// What the tenant has when its inbox is measured for itself, and what each of so many other tenants has beside it.
const SIZES: [(u32, u32); 4] = [(100, 0), (10_000, 0), (1_000_000, 0), (100, 100)];
const OTHERS_STORED: u32 = 1_000;

/// The dashboard with somebody in it.
#[derive(Debug)]
pub struct Dashboard {
    sign_in: Vec<Subject>,
    inbox: Step,
    request: Step,
    hotline: Hotline,
}

impl Dashboard {
    /// Lets the owner of the first demo tenant join and sign in. A first call must have left a request there.
    pub async fn open(mut hotline: Hotline) -> Result<Self, Error> {
        let owner = hotline.owner().ok_or_else(|| Error::say("demo-tenants.json", "names no owner", &""))?;
        let request = hotline.request(1)?;
        let reference = text(&request, "sk").unwrap_or_default().to_owned();

        let mut person = Person::new(&mut hotline);
        let app = person.join(&owner.invitation, "Kim Alvarez").await?;

        person.browser = Browser::default();
        let (door, page) = person.open("/dashboard/sign-in").await?;
        let typed = [("email", owner.email.as_str()), ("password", PASSWORD)];
        let (password, next) = person.send(&page, "password", &typed).await?;
        let (_, page) = person.open(&led(&next)?).await?;
        let (browser, before) = (person.browser.clone(), person.hotline().cloud().lock().clone());
        let (factor, entered) = person.send(&page, "code", &[("code", &app.code(0))]).await?;
        let (inbox, _) = person.open("/dashboard/requests").await?;
        let (request, _) = person.open(&format!("/dashboard/request/{reference}")).await?;

        let (action, fields) = form(&page.body, "code", &[])?;
        let of_the_moment = move || {
            let mut fields = fields.clone();
            fields.retain(|(name, _)| name != "code");
            fields.push(("code".to_owned(), app.code(0)));
            browser.send(&action, &fields)
        };
        let factor = Subject {
            name: "dashboard-second-factor, code".to_owned(),
            kind: Kind::Optline,
            function: hotline.function(&factor.bin)?,
            event: Event::OfTheMoment(Arc::new(of_the_moment)),
            before,
            wanted: Wanted::LeadsTo(led(&entered)?),
        };
        let sign_in = vec![
            subject(&hotline, "dashboard-sign-in", &door, Wanted::Success)?,
            subject(&hotline, SIGN_IN, &password, Wanted::LeadsTo(led(&next)?))?,
            factor,
        ];
        Ok(Self { sign_in, inbox, request, hotline })
    }

    /// Signing in, to be measured at once: what stands between a password and its code is only good for five minutes.
    #[must_use]
    pub fn sign_in(&self) -> Vec<Subject> {
        self.sign_in.clone()
    }

    /// The pages behind it.
    pub fn pages(&self) -> Result<Vec<Subject>, Error> {
        Ok(vec![
            Subject { name: INBOX.to_owned(), ..self.inbox(STORED, 0)? },
            subject(&self.hotline, REQUEST, &self.request, Wanted::Success)?,
        ])
    }

    /// The inbox of a tenant with few and with many requests.
    pub fn inboxes(&self) -> Result<Vec<Subject>, Error> {
        SIZES.iter().map(|(stored, others)| self.inbox(*stored, *others)).collect()
    }

    fn inbox(&self, stored: u32, others: u32) -> Result<Subject, Error> {
        let beside = if others > 0 { format!(", beside {others} other tenants") } else { String::new() };
        let rows = Wanted::Shows("/dashboard/request/".to_owned(), ROWS);
        let mut inbox = subject(&self.hotline, &format!("{}{beside}", grouped(stored.into())), &self.inbox, rows)?;
        let series = stock::requests(&self.hotline.request(1)?, stored, others)?;
        inbox.before.stock("requests", series, stored + others * OTHERS_STORED);
        Ok(inbox)
    }
}

fn subject(hotline: &Hotline, name: &str, step: &Step, wanted: Wanted) -> Result<Subject, Error> {
    Ok(Subject {
        name: name.to_owned(),
        kind: Kind::Optline,
        function: hotline.function(&step.bin)?,
        event: Event::Same(step.event.clone()),
        before: step.before.clone(),
        wanted,
    })
}

/// How long a password's check takes by itself, in this process: what no other code of a sign-in can save.
#[must_use]
pub fn password_check(times: usize) -> Spread {
    let checks: Vec<Duration> = (0..times)
        .map(|_| {
            let began = Instant::now();
            let _ = identity::password::verify_nobody(PASSWORD);
            began.elapsed()
        })
        .collect();
    Spread::of(&checks)
}
