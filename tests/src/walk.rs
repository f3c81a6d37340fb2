//! A call placed webhook by webhook, where a test must do what no telephone does.

use partners::twilio::twiml::schema;
use phone::document::{self, Element};
use phone::{Answer, Webhook};
use url::Url;

use crate::hotline::Hotline;

/// A call under way, and the document that it has come to.
pub struct Walk<'a> {
    hotline: &'a Hotline,
    /// The call's SID.
    pub sid: String,
    from: String,
    to: String,
    /// The present document.
    pub document: Element,
    /// The present document as it came.
    pub xml: String,
}

impl<'a> Walk<'a> {
    /// Calls the shared number from this one, and hears the first document.
    pub async fn begin(hotline: &'a Hotline, from: &str) -> Walk<'a> {
        let stack = hotline.line.stack();
        let (to, answer) = (stack.twilio.number.clone(), stack.voice.answer.clone());
        let (from, sid) = (from.to_owned(), new_sid("CA"));
        let mut walk = Walk { hotline, sid, from, to, document: Element::default(), xml: String::new() };
        walk.go(answer, &[]).await;
        walk
    }

    /// The parameters of every webhook of this call.
    #[must_use]
    pub fn params(&self) -> Vec<(String, String)> {
        let account = &self.hotline.line.stack().twilio.account_sid;
        [
            ("AccountSid", account.as_str()),
            ("ApiVersion", "2010-04-01"),
            ("CallSid", &self.sid),
            ("CallStatus", "in-progress"),
            ("Direction", "inbound"),
            ("From", &self.from),
            ("FromCity", ""),
            ("To", &self.to),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// A webhook of this call; what is given counts more than what every webhook has.
    #[must_use]
    pub fn webhook(&self, url: Url, extra: &[(&str, &str)]) -> Webhook {
        let mut params = self.params();
        params.retain(|(name, _)| extra.iter().all(|(other, _)| other != name));
        params.extend(extra.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Webhook::post(url, params)
    }

    /// A webhook of this call to another route.
    #[must_use]
    pub fn to_route(&self, route: &str, extra: &[(&str, &str)]) -> Webhook {
        self.webhook(self.hotline.line.stack().base_url.join(route).expect("an address"), extra)
    }

    /// Sends a webhook; an answer comes whatever it says.
    pub async fn send(&self, webhook: &Webhook) -> Answer {
        self.hotline.line.send(webhook).await.unwrap_or_else(|why| panic!("{}: {why}", webhook.url))
    }

    /// Goes on to the document that a webhook is answered with.
    pub async fn go(&mut self, url: Url, extra: &[(&str, &str)]) {
        let webhook = self.webhook(url, extra);
        let answer = self.send(&webhook).await;
        assert_eq!(answer.status, 200, "{}: {}", webhook.url, answer.text());
        self.xml = answer.text();
        assert_eq!(schema::check(&self.xml), Ok(()), "{}", self.xml);
        self.document = document::read(&self.xml).unwrap_or_else(|why| panic!("{why:?}: {}", self.xml));
    }

    /// Where the present document goes on.
    #[must_use]
    pub fn next(&self) -> Url {
        next(&self.document).unwrap_or_else(|| panic!("nothing follows {}", self.xml))
    }

    /// Presses keys, and hears the next document; redirects are followed.
    pub async fn press(&mut self, digits: &str) {
        self.go(self.next(), &[("Digits", digits), ("msg", "Gather End")]).await;
        while self.document.children.first().is_some_and(|verb| verb.name == "Redirect") {
            self.go(self.next(), &[]).await;
        }
    }

    /// Says something that becomes this recording, and hears the next document.
    pub async fn record(&mut self, recording: &str) {
        self.go(self.next(), &[("RecordingSid", recording), ("RecordingDuration", "4"), ("Digits", "#")]).await;
    }

    /// What the present document says.
    #[must_use]
    pub fn said(&self) -> String {
        self.document.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Where a document goes on: the action of what it waits for, else its redirect.
#[must_use]
pub fn next(document: &Element) -> Option<Url> {
    let waits = document.children.iter().find(|verb| matches!(verb.name.as_str(), "Gather" | "Record"));
    let redirect = document.children.iter().find(|verb| verb.name == "Redirect");
    let action = waits.and_then(|verb| verb.attribute("action").map(str::to_owned));
    action.or_else(|| redirect.map(Element::words)).and_then(|url| Url::parse(&url).ok())
}

/// A new SID of Twilio's: two letters and 32 hex digits.
#[must_use]
pub fn new_sid(prefix: &str) -> String {
    format!("{prefix}{:032x}", fastrand::u128(..))
}
