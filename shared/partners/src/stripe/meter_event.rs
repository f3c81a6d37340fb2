//! Usage sent to Stripe's meters, cancelled, and read back as summaries.
//!
//! An event's identifier is what keeps a repeat from counting twice, and only within "a rolling period of at least 24
//! hours"; the idempotency key guards one request, the identifier the event. An event that is sent a second time under
//! another key is refused as already there, which here is a success: [`Receipt::AlreadyThere`].
//!
//! Source: <https://docs.stripe.com/api/billing/meter-event>,
//! <https://docs.stripe.com/api/billing/meter-event-adjustment>,
//! <https://docs.stripe.com/api/billing/meter-event-summary>.

use std::fmt;

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::{
    CustomerId, EventId, MeterId,
    error_report::{Notification, WireEvent},
    rest::{ALREADY_THERE, Call, Client, StripeError},
};

/// Stripe's limit on an event's name and on its identifier, in characters.
pub const LONGEST_NAME: usize = 100;

/// Stripe's limit on the digits of a value, since API version 2026-04-22:
/// <https://docs.stripe.com/changelog/dahlia/2026-04-22/billing-meter-event-values-validation>.
pub const MOST_DIGITS: usize = 15;

/// The most entries that Stripe puts on a page.
const PAGE: &str = "100";

/// How many pages are read before something must be wrong: a year of days by the hour has 88.
const MOST_PAGES: u32 = 200;

/// An amount as canonical decimal text, since a float would not be the same to both sides.
///
/// No sign but a minus, no zeros that say nothing, at most [`MOST_DIGITS`] digits; so equal amounts are equal texts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Value(String);

/// Text that is not an amount in canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an amount in canonical form: at most {MOST_DIGITS} digits, no needless zeros or signs")]
pub struct NotAValue;

impl Value {
    /// Reads an amount in canonical form.
    pub fn parse(text: &str) -> Result<Self, NotAValue> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, part) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
        let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let canonical = all_digits(whole)
            && (whole == "0" || !whole.starts_with('0'))
            && part.is_none_or(|part| all_digits(part) && !part.ends_with('0'))
            && text != "-0"
            && whole.len() + part.map_or(0, str::len) <= MOST_DIGITS;
        if canonical { Ok(Self(text.to_owned())) } else { Err(NotAValue) }
    }

    /// A whole number as an amount, unless it has too many digits.
    pub fn whole(number: u64) -> Result<Self, NotAValue> {
        Self::parse(&number.to_string())
    }

    /// The amount as a whole number, if it is one.
    #[must_use]
    pub fn as_whole(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The amount as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What Stripe's summaries hold is a float; those that stand for an amount are written without an exponent.
    fn of_float(number: f64) -> Result<Self, NotAValue> {
        // Zero has a sign there.
        Self::parse(&(number + 0.0).to_string())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Value {
    type Error = NotAValue;

    fn try_from(text: String) -> Result<Self, NotAValue> {
        Self::parse(&text)
    }
}

impl From<Value> for String {
    fn from(value: Value) -> Self {
        value.0
    }
}

/// What a meter is told.
#[derive(Debug, Clone, Copy)]
pub struct MeterEvent<'a> {
    /// The meter's `event_name`.
    pub event_name: &'a str,
    /// Who is billed, under the meter's default key `stripe_customer_id`.
    pub customer: &'a CustomerId,
    /// How much, under the meter's default key `value`.
    pub value: &'a Value,
    /// What keeps a repeat from counting twice, for at least 24 hours. It must hold nothing personal.
    pub identifier: &'a str,
    /// When it was used, to the second: within the past 35 days, and at most 5 minutes from now.
    pub at: Timestamp,
}

/// What Stripe says of an event that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// Received. Whether it counts is checked later, see [`super::error_report`].
    Received {
        /// Stripe's `Request-Id`.
        request_id: String,
    },
    /// An event with this identifier was received before.
    AlreadyThere {
        /// Stripe's `Request-Id`.
        request_id: String,
    },
}

/// What Stripe says of an event to be cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancellation {
    /// Whether it is done; otherwise it is under way.
    pub complete: bool,
    /// Stripe's `Request-Id`.
    pub request_id: String,
}

/// What a customer's events came to within a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The window's first second.
    pub from: Timestamp,
    /// The first second after it.
    pub to: Timestamp,
    /// What the meter made of the events, its sum as a rule.
    pub value: Value,
}

/// How summaries are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// One for everything; both ends fall on a minute.
    Whole,
    /// One per hour; both ends fall on one.
    Hours,
    /// One per day in UTC; both ends fall on its beginning.
    Days,
}

impl Grouping {
    const fn seconds(self) -> i64 {
        match self {
            Self::Whole => 60,
            Self::Hours => 3600,
            Self::Days => 86_400,
        }
    }
}

/// A meter of the account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Meter {
    /// Its identifier.
    pub id: MeterId,
    /// The name that events call it by.
    pub event_name: String,
    /// Whether it takes events.
    #[serde(rename = "status", deserialize_with = "is_active")]
    pub active: bool,
}

fn is_active<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    String::deserialize(deserializer).map(|status| status == "active")
}

impl Client {
    /// Sends an event. Repeating it with the same key, or within 24 hours with another, counts it once.
    pub async fn send_meter_event(&self, event: &MeterEvent<'_>, key: &str) -> Result<Receipt, StripeError> {
        #[derive(Deserialize)]
        struct Received {
            identifier: String,
        }
        let doing = "send meter event";
        fits(doing, event.event_name)?;
        fits(doing, event.identifier)?;
        let timestamp = event.at.as_second().to_string();
        let form = [
            ("event_name", event.event_name),
            ("identifier", event.identifier),
            ("timestamp", &timestamp),
            ("payload[stripe_customer_id]", event.customer.as_str()),
            ("payload[value]", event.value.as_str()),
        ];
        let path = "/v1/billing/meter_events".to_owned();
        let call = Call { doing, method: Method::POST, path, form: &form, key: Some(key) };
        match self.call::<Received>(&call).await {
            Ok(answer) if answer.said.identifier == event.identifier => {
                Ok(Receipt::Received { request_id: answer.request_id })
            }
            Ok(_) => Err(StripeError::Unreadable { doing }),
            Err(StripeError::Refused { code: Some(code), request_id, .. }) if code == ALREADY_THERE => {
                Ok(Receipt::AlreadyThere { request_id: request_id.unwrap_or_default() })
            }
            Err(error) => Err(error),
        }
    }

    /// Cancels an event, within 24 hours of when Stripe received it. Repeating it with the same key is harmless.
    pub async fn cancel_meter_event(
        &self,
        event_name: &str,
        identifier: &str,
        key: &str,
    ) -> Result<Cancellation, StripeError> {
        #[derive(Deserialize)]
        struct Adjustment {
            status: String,
        }
        let doing = "cancel meter event";
        fits(doing, event_name)?;
        fits(doing, identifier)?;
        let form = [("event_name", event_name), ("type", "cancel"), ("cancel[identifier]", identifier)];
        let path = "/v1/billing/meter_event_adjustments".to_owned();
        let call = Call { doing, method: Method::POST, path, form: &form, key: Some(key) };
        let answer = self.call::<Adjustment>(&call).await?;
        Ok(Cancellation { complete: answer.said.status == "complete", request_id: answer.request_id })
    }

    /// What a customer's events came to from one time up to, and without, another. Windows without events may be missing.
    ///
    /// Stripe counts some time after it receives: what is not there yet may still come.
    pub async fn event_summaries(
        &self,
        meter: &MeterId,
        customer: &CustomerId,
        from: Timestamp,
        to: Timestamp,
        grouping: Grouping,
    ) -> Result<Vec<Summary>, StripeError> {
        let doing = "read event summaries";
        let aligned = |at: Timestamp| at.as_second().rem_euclid(grouping.seconds()) == 0 && at.subsec_nanosecond() == 0;
        if !aligned(from) || !aligned(to) || from >= to {
            return Err(StripeError::Unfit { doing, problem: "the window is empty or its ends fall between" });
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("customer", customer.as_str());
        query.append_pair("start_time", &from.as_second().to_string());
        query.append_pair("end_time", &to.as_second().to_string());
        match grouping {
            Grouping::Whole => {}
            Grouping::Hours => drop(query.append_pair("value_grouping_window", "hour")),
            Grouping::Days => drop(query.append_pair("value_grouping_window", "day")),
        }
        let path = format!("/v1/billing/meters/{meter}/event_summaries");
        let found: Vec<WireSummary> = self.all_pages(doing, &path, &query.finish()).await?;
        let read = |summary: WireSummary| {
            Some(Summary {
                from: Timestamp::from_second(summary.start_time).ok()?,
                to: Timestamp::from_second(summary.end_time).ok()?,
                value: Value::of_float(summary.aggregated_value).ok()?,
            })
        };
        found.into_iter().map(read).collect::<Option<_>>().ok_or(StripeError::Unreadable { doing })
    }

    /// The account's meters.
    pub async fn meters(&self) -> Result<Vec<Meter>, StripeError> {
        Ok(self
            .all_pages::<WireMeter>("list meters", "/v1/billing/meters", "")
            .await?
            .into_iter()
            .map(|m| m.0)
            .collect())
    }

    /// An event of Stripe's with what is in it, of which a webhook brings only the announcement.
    pub async fn event(&self, id: &EventId) -> Result<Notification, StripeError> {
        let doing = "fetch event";
        let answer = self.call::<WireEvent>(&Call::get(doing, format!("/v2/core/events/{id}"))).await?;
        Notification::of(answer.said).map_err(|_| StripeError::Unreadable { doing })
    }

    async fn all_pages<T: Listed>(&self, doing: &'static str, path: &str, query: &str) -> Result<Vec<T>, StripeError> {
        #[derive(Deserialize)]
        struct List<T> {
            data: Vec<T>,
            has_more: bool,
        }
        let mut found: Vec<T> = Vec::new();
        for _ in 0..MOST_PAGES {
            let mut asked = form_urlencoded::Serializer::new(query.to_owned());
            asked.append_pair("limit", PAGE);
            if let Some(last) = found.last() {
                asked.append_pair("starting_after", last.id());
            }
            let page = self.call::<List<T>>(&Call::get(doing, format!("{path}?{}", asked.finish()))).await?.said;
            let nothing_new = page.data.is_empty();
            found.extend(page.data);
            if !page.has_more || nothing_new {
                return Ok(found);
            }
        }
        Err(StripeError::Unreadable { doing })
    }
}

/// What lies in a list of Stripe's, which is read on from the last one's identifier.
trait Listed: serde::de::DeserializeOwned {
    fn id(&self) -> &str;
}

#[derive(Deserialize)]
struct WireSummary {
    id: String,
    aggregated_value: f64,
    start_time: i64,
    end_time: i64,
}

impl Listed for WireSummary {
    fn id(&self) -> &str {
        &self.id
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct WireMeter(Meter);

impl Listed for WireMeter {
    fn id(&self) -> &str {
        self.0.id.as_str()
    }
}

fn fits(doing: &'static str, name: &str) -> Result<(), StripeError> {
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(StripeError::Unfit { doing, problem: "names and identifiers have from 1 to 100 characters" });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_amounts_are_equal_texts() {
        for good in ["0", "7", "120", "0.5", "-3", "-0.25", "999999999999999", "1.00000000000001"] {
            assert_eq!(Value::parse(good).unwrap().as_str(), good);
        }
        let bad =
            ["", "-", "+1", "01", "1.", ".5", "1.0", "-0", "1e3", " 1", "1_000", "1,5", "1000000000000000", "NaN"];
        for bad in bad {
            assert_eq!(Value::parse(bad), Err(NotAValue), "{bad}");
        }
    }

    #[test]
    fn a_float_that_stands_for_an_amount_is_that_amount() {
        for (float, text) in
            [(0.0, "0"), (-0.0, "0"), (25.0, "25"), (0.1, "0.1"), (-2.5, "-2.5"), (1e14, "100000000000000")]
        {
            assert_eq!(Value::of_float(float).unwrap().as_str(), text);
        }
        for float in [f64::NAN, f64::INFINITY, 1e15, 0.1 + 0.2] {
            assert!(Value::of_float(float).is_err(), "{float}");
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_come_back(number in 0..1_000_000_000_000_000_u64) {
            let value = Value::whole(number).unwrap();
            prop_assert_eq!(value.as_whole(), i64::try_from(number).ok());
            #[allow(clippy::cast_precision_loss)]
            let through_float = Value::of_float(number as f64).unwrap();
            prop_assert_eq!(through_float, value);
        }
    }
}
