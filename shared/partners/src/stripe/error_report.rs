//! What Stripe refused after it had said 200, and why.
//!
//! Meter events are checked some time after they are received. What is wrong then comes as a *thin event*: the webhook
//! brings its id and type, and what is in it is fetched ([`super::rest::Client::event`]). Two types matter:
//! `v1.billing.meter.error_report_triggered`, which names the meter, and `v1.billing.meter.no_meter_found`, which cannot.
//! A report has one entry per kind of error and *samples* of the requests concerned, so it may count more refusals than it
//! names: only the summaries tell of those, see [`ErrorReport::unnamed`].
//!
//! Events come twice, late and out of order; what a report says of an identifier is true whenever it comes.
//!
//! Source: <https://docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api#handle-meter-event-errors>,
//! <https://docs.stripe.com/api/v2/core/events/object>.

use jiff::Timestamp;
use serde::Deserialize;

use super::{EventId, MeterId};

/// A thin event, or the whole of one once it was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// What a repeat is known by.
    pub id: EventId,
    /// What it is about.
    pub about: About,
    /// When it came about.
    pub created: Timestamp,
    /// The meter, unless there is none by the name that was used.
    pub meter: Option<MeterId>,
    /// What is in it; nothing in a webhook's announcement, as a rule.
    pub report: Option<ErrorReport>,
}

/// The types of event that say something about usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// `v1.billing.meter.error_report_triggered`
    RefusedUsage,
    /// `v1.billing.meter.no_meter_found`
    NoMeterFound,
    /// Another type. An endpoint may be sent more than it asked for: it is acknowledged and nothing is done.
    Other,
}

/// What was refused within a short time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorReport {
    /// The events that it names.
    pub refused: Vec<RefusedEvent>,
    /// How many more were refused that it does not name.
    pub unnamed: u64,
    /// When Stripe began to check what it reports on here.
    pub checked_from: Option<Timestamp>,
    /// When it was done.
    pub checked_to: Option<Timestamp>,
}

/// One event that does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedEvent {
    /// As it was sent.
    pub identifier: String,
    /// Why.
    pub why: Code,
}

/// Why an event does not count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// The meter was deactivated.
    ArchivedMeter,
    /// There is no such customer.
    CustomerNotFound,
    /// More dimensions than the meter takes.
    TooManyDimensions,
    /// The value is no number that the meter takes.
    InvalidValue,
    /// The payload names no customer.
    NoCustomer,
    /// The value has more than 15 digits.
    TooManyDigits,
    /// The payload has not all dimensions that the meter wants.
    MissingDimensions,
    /// There is no meter by that name.
    NoMeter,
    /// More than 5 minutes from now.
    InFuture,
    /// More than 35 days ago.
    TooOld,
    /// A code that is not known here. It is Stripe's text, cut to what can be shown.
    Unknown(String),
}

/// Who can do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Set up the customer at Stripe or correct which one the tenant has; then it is sent again.
    Customer,
    /// Set up or reactivate the meter at Stripe, or correct its name; then it is sent again.
    Meter,
    /// Sending cannot help any more: it is billed another way.
    AnotherWay,
    /// What was sent is wrong: a fault of ours.
    Ours,
}

impl Code {
    /// Every known code with Stripe's name.
    pub const KNOWN: [(&'static str, Self); 10] = [
        ("archived_meter", Self::ArchivedMeter),
        ("meter_event_customer_not_found", Self::CustomerNotFound),
        ("meter_event_dimension_count_too_high", Self::TooManyDimensions),
        ("meter_event_invalid_value", Self::InvalidValue),
        ("meter_event_no_customer_defined", Self::NoCustomer),
        ("meter_event_value_too_many_digits", Self::TooManyDigits),
        ("missing_dimension_payload_keys", Self::MissingDimensions),
        ("no_meter", Self::NoMeter),
        ("timestamp_in_future", Self::InFuture),
        ("timestamp_too_far_in_past", Self::TooOld),
    ];

    /// The code with Stripe's name.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        let known = Self::KNOWN.into_iter().find(|(known, _)| *known == name);
        known.map_or_else(
            || {
                let shown = name.chars().filter(|sign| sign.is_ascii_alphanumeric() || *sign == '_').take(60).collect();
                Self::Unknown(shown)
            },
            |(_, code)| code,
        )
    }

    /// Stripe's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        if let Self::Unknown(name) = self {
            return name;
        }
        Self::KNOWN.iter().find(|(_, code)| code == self).map_or("", |(name, _)| name)
    }

    /// Who can do something about it.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::CustomerNotFound => Remedy::Customer,
            Self::ArchivedMeter | Self::NoMeter | Self::TooManyDimensions | Self::MissingDimensions => Remedy::Meter,
            Self::TooOld => Remedy::AnotherWay,
            Self::InvalidValue | Self::NoCustomer | Self::TooManyDigits | Self::InFuture | Self::Unknown(_) => {
                Remedy::Ours
            }
        }
    }
}

/// A body that is not a thin event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an event of Stripe's")]
pub struct Unreadable;

impl Notification {
    /// Reads the body of a webhook whose signature was verified.
    pub fn read(body: &[u8]) -> Result<Self, Unreadable> {
        serde_json::from_slice(body).map_err(|_| Unreadable).and_then(Self::of)
    }

    pub(super) fn of(event: WireEvent) -> Result<Self, Unreadable> {
        let about = match event.kind.as_str() {
            "v1.billing.meter.error_report_triggered" => About::RefusedUsage,
            "v1.billing.meter.no_meter_found" => About::NoMeterFound,
            _ => About::Other,
        };
        let meter = event.related_object.filter(|object| object.kind == "billing.meter");
        Ok(Self {
            id: event.id,
            about,
            created: event.created.at().ok_or(Unreadable)?,
            meter: meter.and_then(|object| MeterId::parse(&object.id).ok()),
            // Of other types the content has another form.
            report: event.data.filter(|_| about != About::Other).and_then(|data| ErrorReport::of(data).ok()),
        })
    }
}

impl ErrorReport {
    fn of(data: serde_json::Value) -> Result<Self, Unreadable> {
        let data: WireData = serde_json::from_value(data).map_err(|_| Unreadable)?;
        let mut refused = Vec::new();
        let mut counted = 0_u64;
        for kind in data.reason.error_types {
            let why = Code::parse(&kind.code);
            let named = kind.sample_errors.into_iter().filter_map(|sample| sample.request?.identifier);
            refused.extend(named.map(|identifier| RefusedEvent { identifier, why: why.clone() }));
            counted = counted.saturating_add(kind.error_count);
        }
        let named = u64::try_from(refused.len()).unwrap_or(u64::MAX);
        Ok(Self {
            unnamed: data.reason.error_count.max(counted).saturating_sub(named),
            refused,
            checked_from: data.validation_start.and_then(|moment| moment.at()),
            checked_to: data.validation_end.and_then(|moment| moment.at()),
        })
    }
}

#[derive(Deserialize)]
pub(super) struct WireEvent {
    id: EventId,
    #[serde(rename = "type")]
    kind: String,
    created: Moment,
    #[serde(default)]
    related_object: Option<Related>,
    #[serde(default)]
    data: Option<serde_json::Value>,
}

/// The v2 API writes times in words, v1 in seconds; both have been seen in events.
#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Words(Timestamp),
    Seconds(i64),
}

impl Moment {
    fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Words(at) => Some(*at),
            Self::Seconds(seconds) => Timestamp::from_second(*seconds).ok(),
        }
    }
}

#[derive(Deserialize)]
struct Related {
    id: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct WireData {
    reason: Reason,
    #[serde(default)]
    validation_start: Option<Moment>,
    #[serde(default)]
    validation_end: Option<Moment>,
}

#[derive(Deserialize)]
struct Reason {
    #[serde(default)]
    error_count: u64,
    #[serde(default)]
    error_types: Vec<ErrorType>,
}

#[derive(Deserialize)]
struct ErrorType {
    code: String,
    #[serde(default)]
    error_count: u64,
    #[serde(default)]
    sample_errors: Vec<Sample>,
}

#[derive(Deserialize)]
struct Sample {
    #[serde(default)]
    request: Option<SampleRequest>,
}

#[derive(Deserialize)]
struct SampleRequest {
    #[serde(default)]
    identifier: Option<String>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn announcement() -> Value {
        json!({
            "id": "evt_test_65RCjj4EqW1sabcjs2Z16RCM", "object": "v2.core.event", "context": null, "livemode": false,
            "created": "2026-11-21T00:47:22.134Z", "type": "v1.billing.meter.error_report_triggered", "reason": null,
            "related_object": {
                "id": "mtr_test_61RCji", "type": "billing.meter", "url": "/v1/billing/meters/mtr_test_61RCji",
            },
        })
    }

    fn read(event: &Value) -> Result<Notification, Unreadable> {
        Notification::read(event.to_string().as_bytes())
    }

    #[test]
    fn an_announcement_says_what_to_fetch() {
        let read = read(&announcement()).unwrap();
        assert_eq!(read.about, About::RefusedUsage);
        assert_eq!(read.id.as_str(), "evt_test_65RCjj4EqW1sabcjs2Z16RCM");
        assert_eq!(read.meter.unwrap().as_str(), "mtr_test_61RCji");
        assert_eq!(read.report, None);
    }

    #[test]
    fn a_report_names_what_was_refused_why_and_how_many_it_does_not_name() {
        let mut event = announcement();
        let sample = |identifier: &str| json!({ "error_message": "words", "request": { "identifier": identifier } });
        event["data"] = json!({
            "developer_message_summary": "There are 5 invalid events",
            "reason": { "error_count": 5, "error_types": [
                { "code": "meter_event_customer_not_found", "error_count": 4, "sample_errors": [sample("a"), sample("b")] },
                { "code": "archived_meter", "error_count": 1, "sample_errors": [sample("c")] },
            ] },
            "validation_start": "2026-11-21T00:47:10.000Z", "validation_end": "2026-11-21T00:47:20.000Z",
        });
        let report = read(&event).unwrap().report.unwrap();
        let named: Vec<_> =
            report.refused.iter().map(|event| (event.identifier.as_str(), event.why.as_str())).collect();
        let lost = "meter_event_customer_not_found";
        assert_eq!(named, [("a", lost), ("b", lost), ("c", "archived_meter")]);
        assert_eq!(report.unnamed, 2);
        assert_eq!(report.checked_from, Some("2026-11-21T00:47:10Z".parse().unwrap()));
    }

    #[test]
    fn without_a_meter_there_is_none_to_name() {
        let mut event = announcement();
        event["type"] = json!("v1.billing.meter.no_meter_found");
        event.as_object_mut().unwrap().remove("related_object");
        let read = read(&event).unwrap();
        assert_eq!((read.about, read.meter), (About::NoMeterFound, None));
    }

    #[test]
    fn what_we_did_not_ask_for_is_known_as_such_whatever_is_in_it() {
        let mut event = announcement();
        event["type"] = json!("v2.core.event_destination.ping");
        event["data"] = json!("anything");
        let read = read(&event).unwrap();
        assert_eq!((read.about, read.report), (About::Other, None));
    }

    #[test]
    fn every_code_is_found_again_by_its_name_and_an_unknown_one_is_shown_safely() {
        for (name, code) in Code::KNOWN {
            assert_eq!(Code::parse(name), code);
            assert_eq!(code.as_str(), name);
        }
        assert_eq!(Code::parse("new_code<script>").as_str(), "new_codescript");
        assert_eq!(Code::parse("new_code").remedy(), Remedy::Ours);
        assert_eq!(Code::CustomerNotFound.remedy(), Remedy::Customer);
        assert_eq!(Code::TooOld.remedy(), Remedy::AnotherWay);
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for body in ["", "{}", "[]", "null", r#"{"id":"mtr_1","type":"x","created":"2026-11-21T00:00:00Z"}"#] {
            assert_eq!(Notification::read(body.as_bytes()), Err(Unreadable), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_fall_over(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Notification::read(&body);
        }
    }
}
