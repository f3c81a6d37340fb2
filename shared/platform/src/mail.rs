//! Mail through SES: what the product writes to people who sign in, and to consumers.
//!
//! Subjects and bodies hold no consumer's data but a request's number: a mail says that something waits, and where.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag};
use domain::email::EmailAddress;
use domain::language::Language;
use domain::reference::Reference;
use domain::request::Kind;
use domain::user::UserId;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::config::{Config, required};
use crate::consumer::LookedUp;
use crate::digest::{ClosingLetter, DueLetter, NewsLetter, ToConfirm};
use crate::seal::hex;
use crate::store::{Again, Sending};
use crate::tenant::Tenant;
use crate::{App, Error};

/// The purposes under which a letter, and a text message, is sealed while it waits in its queue.
const LETTER: &str = "mail";
const TEXT: &str = "text";
/// The purpose under which the address is sealed that ends mails of a sort, and for how long.
const UNSUBSCRIBE: &str = "unsubscribe";
const UNSUBSCRIBES: SignedDuration = SignedDuration::from_hours(5 * 365 * 24);
/// What mail programs send there (RFC 8058, section 3.1).
const ONE_CLICK: &str = "List-Unsubscribe=One-Click";
/// What a confirmation of receipt says of itself to SES, and the purpose under which that is sealed.
pub const CONFIRMATION: &str = "confirmation";
/// As long as the queue and its dead-letter queue keep anything.
const WAITS: SignedDuration = SignedDuration::from_hours(28 * 24);

/// Sends mail from the address in `MAIL_FROM`.
#[derive(Debug)]
pub struct Mailer {
    client: aws_sdk_sesv2::Client,
    from: Option<String>,
    events: Option<String>,
}

/// A mail, ready to go. It is printed without what it says, for that may be a link.
pub struct Mail<'a> {
    /// To whom.
    pub to: &'a str,
    /// What it is about; nothing personal.
    pub subject: &'a str,
    /// Plain text.
    pub text: &'a str,
    /// The same as HTML.
    pub html: &'a str,
    /// Where one click ends mails of this sort: an `https` address that takes a POST (RFC 8058).
    pub unsubscribe: Option<&'a str>,
}

impl fmt::Debug for Mail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mail(..)")
    }
}

impl Mailer {
    pub(crate) fn new(client: aws_sdk_sesv2::Client, config: &Config) -> Self {
        Self { client, from: config.mail_from.clone(), events: config.mail_events.clone() }
    }

    /// Sends a mail.
    pub async fn send(&self, mail: &Mail<'_>) -> Result<(), Error> {
        self.attempt(mail, None).await.map_err(|unsent| match unsent {
            Unsent::Refused(error) | Unsent::Unknown(error) => error,
        })
    }

    async fn attempt(&self, mail: &Mail<'_>, tag: Option<MessageTag>) -> Result<(), Unsent> {
        let message = message(mail).map_err(Unsent::Refused)?;
        let from = required(self.from.as_deref(), "MAIL_FROM is not set").map_err(Unsent::Refused)?;
        self.client
            .send_email()
            .from_email_address(from)
            .destination(Destination::builder().to_addresses(mail.to).build())
            .content(EmailContent::builder().simple(message).build())
            .set_configuration_set_name(self.events.clone())
            .set_email_tags(tag.map(|tag| vec![tag]))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| {
                let certain = match &error {
                    SdkError::ServiceError(_) | SdkError::ConstructionFailure(_) => true,
                    SdkError::DispatchFailure(failure) => {
                        failure.as_connector_error().is_some_and(|error| never_connected(error))
                    }
                    _ => false,
                };
                let error = match error.into_service_error() {
                    // That no mail can ever be sent to: it would be refused again.
                    SendEmailError::BadRequestException(error) => Error::invalid("mail", error),
                    error => Error::failed("sending a mail")(error),
                };
                if certain { Unsent::Refused(error) } else { Unsent::Unknown(error) }
            })
    }
}

/// Whether there never was a connection that anything could have gone over: no address for the name, nobody who listens, no
/// answer in time. The client tells this from a connection that broke only in the words of its errors; what says neither may
/// have been sent.
fn never_connected(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| {
        let says = error.to_string();
        says.starts_with("client error (Connect)") || says.starts_with("HTTP connect timeout")
    })
}

/// What came of a mail that is to go once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Once {
    /// It went now; the second time, where that has a reason.
    Now(Option<Again>),
    /// It had gone before.
    Before(Option<Again>),
    /// It was begun twice without an answer: whether it went is not known, and it is not begun again.
    GaveUp,
}

/// Why a mail is not known to have gone.
enum Unsent {
    /// It did not go.
    Refused(Error),
    /// It may have gone.
    Unknown(Error),
}

fn message(mail: &Mail<'_>) -> Result<Message, Error> {
    let built = || Error::failed("writing a mail");
    let content = |text: &str| Content::builder().data(text).charset("UTF-8").build();
    let body =
        Body::builder().text(content(mail.text).map_err(built())?).html(content(mail.html).map_err(built())?).build();
    let mut message = Message::builder().subject(content(mail.subject).map_err(built())?).body(body);
    if let Some(link) = mail.unsubscribe {
        let headers = [("List-Unsubscribe", format!("<{link}>")), ("List-Unsubscribe-Post", ONE_CLICK.to_owned())];
        for (name, value) in headers {
            message = message.headers(MessageHeader::builder().name(name).value(value).build().map_err(built())?);
        }
    }
    Ok(message.build())
}

/// A sort of mail that whoever gets it can end by a link in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mails {
    /// Reports of numbers.
    Reports,
    /// News of requests.
    Alerts,
    /// Reminders of dates.
    Reminders,
}

/// What the link at the end of a mail is good for: ending mails of that sort, and nothing else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsubscribing {
    tenant: String,
    /// Who gets the mails.
    pub user: UserId,
    /// Which.
    pub mails: Mails,
}

impl Unsubscribing {
    /// Of whose team: only we seal tickets, so what one says of its tenant was looked up.
    #[must_use]
    pub fn tenant(&self) -> Tenant {
        Tenant::trusted(&self.tenant)
    }
}

impl fmt::Debug for Unsubscribing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsubscribing").field("mails", &self.mails).finish_non_exhaustive()
    }
}

impl App {
    /// The address that ends mails of a sort for somebody, with one click: for [`Mail::unsubscribe`] and for the mail's end.
    /// It is good for years, for mails are kept; whoever has it can do no more than that.
    pub async fn unsubscribe_link(&self, tenant: &Tenant, user: &UserId, mails: Mails) -> Result<String, Error> {
        let expires = self.clock.now() + UNSUBSCRIBES;
        let what = Unsubscribing { tenant: tenant.id().as_str().to_owned(), user: user.clone(), mails };
        let ticket = self.tickets().await?.seal(UNSUBSCRIBE, "", expires, &what)?;
        Ok(format!("{}/dashboard/unsubscribe/{ticket}", self.config.public_base_url()?))
    }

    /// What such an address says; `NotFound` for what is not one of ours.
    pub async fn unsubscribing(&self, ticket: &str) -> Result<Unsubscribing, Error> {
        self.tickets().await?.open(UNSUBSCRIBE, "", self.clock.now(), ticket)
    }

    /// Sends a mail that is to go once, by its name.
    ///
    /// It may go twice, where the answer of SES is lost or the process ends before it is written down: whether it went is not
    /// known then, and it is better to send it again than never. Why it was sent again stays with its mark. It is not tried a
    /// third time: that is an error that somebody has to look at, and nothing may be made to depend on it. What SES refuses, and
    /// what never reached it, has not gone, and is tried again by whoever asks again.
    pub async fn send_once(&self, name: &str, mail: &Mail<'_>) -> Result<Once, Error> {
        self.send_tagged(name, mail, None).await
    }

    /// The same of the mail that confirms a request's receipt: SES says with it, should it come back, which request that was.
    /// Nobody else can read that.
    pub async fn send_confirmation(
        &self,
        name: &str,
        mail: &Mail<'_>,
        tenant: &Tenant,
        reference: &Reference,
    ) -> Result<Once, Error> {
        let what = (tenant.id().as_str(), reference);
        let ticket = self.tickets().await?.seal(CONFIRMATION, "", self.clock.now() + WAITS, &what)?;
        let tag = MessageTag::builder().name(CONFIRMATION).value(ticket).build();
        self.send_tagged(name, mail, Some(tag.map_err(Error::failed("writing a mail"))?)).await
    }

    /// Of which request a mail was that says this of itself; `NotFound` for what is not one of ours.
    pub async fn confirmation_of(&self, tag: &str) -> Result<(Tenant, Reference), Error> {
        let (tenant, reference): (String, Reference) =
            self.tickets().await?.open(CONFIRMATION, "", self.clock.now(), tag)?;
        Ok((Tenant::trusted(&tenant), reference))
    }

    async fn send_tagged(&self, name: &str, mail: &Mail<'_>, tag: Option<MessageTag>) -> Result<Once, Error> {
        let again = match self.store.mail_begins(name, self.clock.now()).await? {
            Sending::Go => None,
            Sending::Again(again) => {
                let (since, because) = (again.since.to_string(), again.because.code());
                tracing::warn!(since, because, "a mail is sent again: whether it went the first time is not known");
                Some(again)
            }
            Sending::Sent(again) => return Ok(Once::Before(again)),
            Sending::GaveUp => {
                tracing::error!("a mail is given up: it was begun twice, and whether it went is not known");
                return Ok(Once::GaveUp);
            }
            Sending::Busy => {
                return Err(Error::Failed { doing: "sending a mail", source: "another worker may be at it".into() });
            }
        };
        match self.mail.attempt(mail, tag).await {
            Ok(()) => self.store.mail_went(name).await.map(|()| Once::Now(again)),
            Err(Unsent::Refused(error)) => {
                self.store.mail_did_not_go(name, again.as_ref()).await?;
                Err(error)
            }
            Err(Unsent::Unknown(error)) => {
                self.store.mail_unanswered(name).await?;
                Err(error)
            }
        }
    }
}

/// What is to be written to somebody, before it is put into words; `jobs-send-mail` does that. It may hold a link that opens
/// an account, so it is printed without what it holds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "letter")]
pub enum Letter {
    /// Come and join the team.
    Invitation {
        /// To whom.
        to: EmailAddress,
        /// In which language.
        language: Language,
        /// The business's name.
        tenant_name: String,
        /// Who invites; none where it is the operator.
        invited_by: Option<String>,
        /// The link, whole.
        link: String,
    },
    /// Somebody has asked for a new password for this address. Whether it is anybody's is only looked up when the letter
    /// is written, so that the page that asks takes as long for everybody.
    Reset {
        /// Tells this letter from any other, so that it is answered once however often it is delivered.
        id: String,
        /// What was typed.
        email: EmailAddress,
        /// Where from.
        address: String,
        /// When.
        at: Timestamp,
    },
    /// Something about an account has changed, and its owner should know in case it was not them.
    Notice {
        /// To whom.
        to: EmailAddress,
        /// In which language.
        language: Language,
        /// What.
        what: Notice,
        /// When.
        at: Timestamp,
        /// The time zone to say it in.
        time_zone: String,
    },
    /// A request came in: its number, and the day until which it is answered.
    Receipt {
        /// Names the request among everybody's: it is sent once, however often it is posted.
        id: String,
        /// To whom.
        to: EmailAddress,
        /// In which language.
        language: Language,
        /// The business's name.
        business: String,
        /// What is asked.
        kind: Kind,
        /// The request's number.
        reference: Reference,
        /// The day.
        respond_by: Date,
        /// The hotline's number as people read it, where it is known.
        telephone: Option<String>,
        /// Where it says how the request stands, whole.
        status: String,
        /// Where they say that they did ask; none where nobody doubts it.
        confirm: Option<String>,
    },
    /// A message waits on the page of a request. Whom it is for, and what they need to find it, is only looked up when the
    /// letter is written; what it says is in no mail.
    MessageWaiting(Waiting),
    /// A code, for whoever reads what is sent to the address of a request.
    Code(SentCode),
    /// What somebody of the team is reminded of today.
    Due(DueLetter),
    /// Which requests came in since somebody of the team was told.
    News(NewsLetter),
    /// A request came in that nobody has confirmed to whoever made it.
    ToConfirm(ToConfirm),
    /// An owner's account was closed.
    Closing(ClosingLetter),
}

/// A code on its way to the contact that was given with a request. Whether one was, is only looked up when it is written, so
/// that the page that asks takes as long for everybody.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentCode {
    tenant: String,
    /// For which request.
    pub reference: Reference,
    /// The six digits.
    pub digits: String,
    /// In which language it was asked for.
    pub language: Language,
    /// When.
    pub at: Timestamp,
}

impl SentCode {
    /// A code for what somebody looked up.
    #[must_use]
    pub fn new(look: &LookedUp, digits: &str, language: Language, at: Timestamp) -> Self {
        let (tenant, reference) = (look.tenant.id().as_str().to_owned(), look.reference.clone());
        Self { tenant, reference, digits: digits.to_owned(), language, at }
    }

    /// Whose request it is: only we seal letters, so what one says of its tenant was looked up.
    #[must_use]
    pub fn tenant(&self) -> Tenant {
        Tenant::trusted(&self.tenant)
    }
}

impl fmt::Debug for SentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SentCode(..)")
    }
}

/// Where a message waits, and for whom.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    tenant: String,
    /// Beside which request.
    pub reference: Reference,
    /// For whom.
    pub reader: Reader,
}

/// Who is to read a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reader {
    /// Whoever asked.
    Consumer,
    /// Whoever works on the request, or those who run the team.
    Team,
}

impl Waiting {
    /// A message of one tenant's.
    #[must_use]
    pub fn new(tenant: &Tenant, reference: &Reference, reader: Reader) -> Self {
        Self { tenant: tenant.id().as_str().to_owned(), reference: reference.clone(), reader }
    }

    /// Whose request it is: only we seal letters, so what one says of its tenant was looked up.
    #[must_use]
    pub fn tenant(&self) -> Tenant {
        Tenant::trusted(&self.tenant)
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("reader", &self.reader).finish_non_exhaustive()
    }
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invitation { .. } => "Invitation(..)",
            Self::Reset { .. } => "Reset(..)",
            Self::Notice { .. } => "Notice(..)",
            Self::Receipt { .. } => "Receipt(..)",
            Self::MessageWaiting(_) => "MessageWaiting(..)",
            Self::Code(_) => "Code(..)",
            Self::Due(_) => "Due(..)",
            Self::News(_) => "News(..)",
            Self::ToConfirm(_) => "ToConfirm(..)",
            Self::Closing(_) => "Closing(..)",
        })
    }
}

/// What has changed about an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Notice {
    /// There is a new password.
    PasswordChanged,
    /// There is one more passkey.
    PasskeyAdded,
    /// A passkey is gone.
    PasskeyRemoved,
    /// There is a new authenticator app.
    AppAdded,
    /// The authenticator app is gone.
    AppRemoved,
    /// Somebody signed in with a recovery code.
    RecoveryCodeUsed,
    /// There are new recovery codes.
    RecoveryCodesMade,
}

/// A letter in the queue, sealed: addresses and links lie there in no clear text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    sealed: String,
}

impl Posted {
    /// Tells this letter from any other, however often it is delivered.
    #[must_use]
    pub fn name(&self) -> String {
        hex(digest(&SHA256, self.sealed.as_bytes()).as_ref().iter().take(16))
    }
}

impl App {
    /// Has a letter written and sent, soon.
    pub async fn post(&self, letter: &Letter) -> Result<(), Error> {
        let expires = self.clock.now() + WAITS;
        let sealed = self.tickets().await?.seal(LETTER, "", expires, letter)?;
        self.queues.mail(&Posted { sealed }).await
    }

    /// Has a code sent as a text message, soon.
    pub async fn post_text(&self, code: &SentCode) -> Result<(), Error> {
        let expires = self.clock.now() + WAITS;
        let sealed = self.tickets().await?.seal(TEXT, "", expires, code)?;
        self.queues.texts(&Posted { sealed }).await
    }

    /// The text message that was posted; `NotFound` for what is not one of ours.
    pub async fn posted_text(&self, posted: &Posted) -> Result<SentCode, Error> {
        self.tickets().await?.open(TEXT, "", self.clock.now(), &posted.sealed)
    }

    /// The letter that was posted; `NotFound` for what is not one of ours.
    pub async fn letter(&self, posted: &Posted) -> Result<Letter, Error> {
        self.tickets().await?.open(LETTER, "", self.clock.now(), &posted.sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiting_message_comes_out_of_the_queue_as_it_went_in() {
        let tenant = Tenant::trusted("t-1");
        let waiting = Waiting::new(&tenant, &Reference::from_entropy(7), Reader::Consumer);
        let letter = Letter::MessageWaiting(waiting.clone());
        let read: Letter = serde_json::from_str(&serde_json::to_string(&letter).unwrap()).unwrap();
        assert_eq!(read, letter);
        assert_eq!(waiting.tenant(), tenant);
        assert!(!format!("{letter:?} {waiting:?}").contains(waiting.reference.as_str()));
    }

    #[tokio::test]
    async fn a_mail_that_never_met_a_connection_did_not_go() {
        // Nobody listens, no such host, and one who does listen and hangs up.
        let hangs_up = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = hangs_up.local_addr().unwrap().port();
        std::thread::spawn(move || hangs_up.incoming().for_each(drop));
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        for (endpoint, certain) in [
            (format!("http://127.0.0.1:{closed}"), true),
            ("http://mail.invalid:1".to_owned(), true),
            (format!("http://127.0.0.1:{port}"), false),
        ] {
            let of_app = Config {
                aws_endpoint: Some(endpoint.clone()),
                region: Some("us-west-2".to_owned()),
                ..Config::default()
            };
            let config = aws_sdk_sesv2::config::Builder::from(&crate::aws::sdk(&of_app))
                .credentials_provider(aws_sdk_sesv2::config::Credentials::new("a", "b", None, None, "test"))
                .retry_config(aws_sdk_sesv2::config::retry::RetryConfig::disabled())
                .build();
            let mailer = Mailer {
                client: aws_sdk_sesv2::Client::from_conf(config),
                from: Some("us@hotline.example".to_owned()),
                events: None,
            };
            let mail = Mail { to: "ana@shop.example", subject: "s", text: "t", html: "<p>t</p>", unsubscribe: None };
            let unsent = mailer.attempt(&mail, None).await.unwrap_err();
            assert_eq!(matches!(unsent, Unsent::Refused(_)), certain, "{endpoint}");
        }
    }

    #[test]
    fn a_mail_that_can_be_ended_says_where_and_that_one_click_is_enough() {
        let mail = Mail { to: "ana@shop.example", subject: "s", text: "t", html: "<p>t</p>", unsubscribe: None };
        assert_eq!(message(&mail).unwrap().headers(), []);
        let link = "https://hotline.example/dashboard/unsubscribe/ticket";
        let message = message(&Mail { unsubscribe: Some(link), ..mail }).unwrap();
        let headers: Vec<_> = message.headers().iter().map(|it| (it.name(), it.value())).collect();
        assert_eq!(
            headers,
            [
                ("List-Unsubscribe", "<https://hotline.example/dashboard/unsubscribe/ticket>"),
                ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ]
        );
    }

    #[test]
    fn a_letter_has_one_name_however_often_it_comes() {
        let posted = |sealed: &str| Posted { sealed: sealed.to_owned() };
        assert_eq!(posted("one").name(), posted("one").name());
        assert_ne!(posted("one").name(), posted("two").name());
    }

    #[test]
    fn a_letter_is_printed_without_its_link() {
        let letter = Letter::Invitation {
            to: EmailAddress::parse("ana@shop.example").unwrap(),
            language: Language::English,
            tenant_name: "Shop".into(),
            invited_by: None,
            link: "https://hotline.example/dashboard/invitation/hush".into(),
        };
        assert_eq!(format!("{letter:?}"), "Invitation(..)");
    }
}
