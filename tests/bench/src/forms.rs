//! The web form under the stub: somebody opens its second step and sends it; and the same two pages in a peer.

use crate::Error;
use crate::browser::{Browser, form};
use crate::gateway::Answer;
use crate::hotline::Hotline;
use crate::measure::{Event, Kind, Subject, Wanted};

/// The page with the form.
pub const PAGE: &str = "forms-form";
/// The form, sent.
pub const SUBMIT: &str = "forms-requests";

/// What is asked, of service code 1, by whom.
pub(crate) const ADDRESS: &str = "/forms/1?kind=opt-out&requester=myself&lang=en";
/// How the business finds them.
const CONTACT: &str = "ana.bench@example.com";

/// The page and the form that is sent from it, each as the first of its kind.
pub async fn subjects(hotline: &mut Hotline) -> Result<Vec<Subject>, Error> {
    let browser = Browser::default();
    let bin = hotline.behind("GET", ADDRESS)?;
    let page = hotline.send(&bin, browser.open(ADDRESS)).await?;
    let shown = Answer::read(&page.invocation.body)?;
    let (action, fields) = form(&shown.body, "contact", &[("contact", CONTACT)])?;
    let bin = hotline.behind("POST", &action)?;
    let sent = hotline.send(&bin, browser.send(&action, &fields)).await?;
    let receipt = Answer::read(&sent.invocation.body)?;
    if shown.status != 200 || receipt.status != 200 {
        return Err(Error::say(
            "the form",
            &format!("is answered {} and {}", shown.status, receipt.status),
            &receipt.body,
        ));
    }
    let subject = |name: &str, step: crate::hotline::Step, wanted| {
        Ok::<_, Error>(Subject {
            name: name.to_owned(),
            kind: Kind::Optline,
            function: hotline.function(&step.bin)?,
            event: Event::Same(step.event),
            before: step.before,
            wanted,
        })
    };
    Ok(vec![
        subject(PAGE, page, Wanted::Shows("name=\"contact\"".to_owned(), 1))?,
        subject(SUBMIT, sent, Wanted::Success)?,
    ])
}
