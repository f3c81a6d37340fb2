//! A webhook as Twilio sends it.

use axum::body::Bytes;
use partners::twilio::signature::{Algorithm, sign};

pub use crate::gateway::BASE_URL;
use crate::gateway::Request;

const USER_AGENT: &str = "TwilioProxy/1.1";
/// The account whose webhooks these are.
pub const ACCOUNT_SID: &str = "AC00000000000000000000000000000000";
/// What Twilio signs with.
pub const AUTH_TOKEN: &str = "00000000000000000000000000000000";
/// The number that is dialled.
pub const DIALLED: &str = "+18665550100";
/// The number of the caller.
pub const CALLER: &str = "+14155550123";

/// The parameters of one call that are the same in all its webhooks, geographical ones included.
#[must_use]
pub fn parameters(call_sid: &str, status: &str) -> Vec<(String, String)> {
    let fixed = [
        ("CallSid", call_sid),
        ("AccountSid", ACCOUNT_SID),
        ("From", CALLER),
        ("To", DIALLED),
        ("Caller", CALLER),
        ("Called", DIALLED),
        ("CallStatus", status),
        ("ApiVersion", "2010-04-01"),
        ("Direction", "inbound"),
        ("StirVerstat", "TN-Validation-Passed-A"),
    ];
    let geographical = ["From", "To", "Caller", "Called"].into_iter().flat_map(|who| {
        [("City", ""), ("State", "CA"), ("Zip", ""), ("Country", "US")]
            .map(|(what, value)| (format!("{who}{what}"), value.to_owned()))
    });
    fixed.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).chain(geographical).collect()
}

/// The event of a signed form POST to an address of the hotline.
#[must_use]
pub fn post(url: &str, parameters: &[(String, String)]) -> Bytes {
    let pairs = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let signature = sign(AUTH_TOKEN, Algorithm::HmacSha1, url, pairs);
    let headers = [
        ("accept", "*/*"),
        ("user-agent", USER_AGENT),
        ("x-twilio-signature", signature.as_str()),
        ("i-twilio-idempotency-token", "00000000-0000-4000-8000-000000000000"),
    ];
    Request { method: "POST", url, headers: &headers, form: Some(parameters), ..Request::default() }.event()
}

/// The event of a GET of an address of the hotline.
#[must_use]
pub fn get(url: &str) -> Bytes {
    let headers = [("accept", "*/*"), ("user-agent", USER_AGENT)];
    Request { method: "GET", url, headers: &headers, ..Request::default() }.event()
}
