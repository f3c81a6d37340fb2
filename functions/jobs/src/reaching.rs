//! Where a code goes: the contact that was given with the request. And whether a contact may be written to once more.

use domain::email::EmailAddress;
use jiff::SignedDuration;
use platform::consumer::Contact;
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

/// How often a contact may be written to: what is counted, how often in how long.
type Most = (&'static str, u32, SignedDuration);

/// For one request, whoever asks: nobody is flooded by it, and it uses up nothing of what another request may send there.
const PER_REQUEST: [Most; 2] = [("code-contact-hour", 6, HOUR), ("code-contact-day", 12, DAY)];

/// For all requests together. A text costs money, and there are numbers that earn some by being written to.
const fn for_all(by: Contact) -> Most {
    match by {
        Contact::Email | Contact::Agent => ("code-address-day", 40, DAY),
        Contact::Phone => ("code-number-day", 20, DAY),
    }
}

/// Whether a contact may be sent one more code for this request. What a request may not send is not counted against the
/// others. What is counted is a keyed hash.
pub(crate) async fn may_send(app: &App, code: &SentCode, by: Contact, contact: &str) -> Result<bool, Error> {
    let tickets = app.tickets().await?;
    let of_request = tickets.mac(CONTACT, &for_request(code, contact));
    let of_all = tickets.mac(CONTACT, contact);
    let counted = PER_REQUEST.map(|most| (&of_request, most)).into_iter().chain([(&of_all, for_all(by))]);
    let now = app.clock.now();
    for (counted, (kind, limit, window)) in counted {
        match app.store.throttle(kind, counted, limit, window, now).await {
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

/// What a contact is counted by for one request. No contact has a blank in it.
fn for_request(code: &SentCode, contact: &str) -> String {
    format!("{} {} {contact}", code.tenant().id(), code.reference.as_str())
}

#[cfg(test)]
mod tests {
    use domain::language::Language;
    use domain::reference::Reference;
    use domain::service_code::ServiceCode;
    use jiff::Timestamp;
    use platform::consumer::LookedUp;

    use super::*;

    fn code(reference: u64) -> SentCode {
        let code = ServiceCode::parse("12").unwrap();
        let look = LookedUp::new(None, code, Reference::from_entropy(reference)).unwrap();
        SentCode::new(&look, "123456", Language::English, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_request_is_counted_apart_from_every_other_with_the_same_contact() {
        assert_eq!(for_request(&code(1), "ana@shop.example"), for_request(&code(1), "ana@shop.example"));
        assert_ne!(for_request(&code(1), "ana@shop.example"), for_request(&code(2), "ana@shop.example"));
        assert_ne!(for_request(&code(1), "ana@shop.example"), "ana@shop.example");
    }

    #[test]
    fn what_one_request_may_send_leaves_room_for_another() {
        for by in Contact::ALL {
            let (_, all, window) = for_all(by);
            assert_eq!(window, DAY);
            assert!(PER_REQUEST.iter().all(|(_, one, _)| *one < all), "{by:?}");
        }
        assert!(for_all(Contact::Phone).1 < for_all(Contact::Email).1, "a text costs money");
    }
}
