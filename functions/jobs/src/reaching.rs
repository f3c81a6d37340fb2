//! Where a code goes: the contact that was given with the request. And whether a contact may be written to once more.

use domain::email::EmailAddress;
use jiff::SignedDuration;
use platform::mail::SentCode;
use platform::store::{CODE_LIVES, OnFile};
use platform::{App, Error};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// The purpose of the keyed hash under which a contact is counted.
const CONTACT: &str = "code-contact";
/// And an address to which receipts go.
const RECEIPTS: &str = "receipt-address";
/// So many in a day; agents ask for many people.
const MOST_RECEIPTS: u32 = 10;

/// How whoever made the request can be reached; nothing where the request is gone, or the code would come too late.
pub(crate) async fn on_file(app: &App, code: &SentCode) -> Result<Option<OnFile>, Error> {
    if app.clock.now().duration_since(code.at) > CODE_LIVES {
        return Ok(None);
    }
    let tenant = code.tenant();
    app.about(&tenant);
    match app.store.of(&tenant).on_file(&code.reference).await {
        Ok(found) => Ok(Some(found)),
        Err(Error::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a contact may be sent one more code, whoever asked for it and for which request: no address is flooded, and no
/// number earns money by being written to. What is counted is a keyed hash.
pub(crate) async fn may_send(app: &App, contact: &str) -> Result<bool, Error> {
    let counted = app.tickets().await?.mac(CONTACT, contact);
    let now = app.clock.now();
    for (kind, limit, window) in [("code-contact-hour", 6, HOUR), ("code-contact-day", 12, DAY)] {
        match app.store.throttle(kind, &counted, limit, window, now).await {
            Ok(()) => {}
            Err(Error::Throttled { .. }) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Whether an address may be sent one more receipt: anybody can write anybody's into a form, and nobody is flooded with mail
/// that way. Codes are counted for themselves, so that this keeps nobody from theirs.
pub(crate) async fn may_send_receipt(app: &App, to: &EmailAddress) -> Result<bool, Error> {
    let counted = app.tickets().await?.mac(RECEIPTS, &to.normalized());
    match app.store.throttle("receipt-address-day", &counted, MOST_RECEIPTS, DAY, app.clock.now()).await {
        Ok(()) => Ok(true),
        Err(Error::Throttled { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
