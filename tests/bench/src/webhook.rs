//! A webhook as Twilio sends it, wrapped as API Gateway's HTTP API hands it to a function.

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use partners::twilio::signature::{Algorithm, sign};
use serde_json::json;

/// The public address of the hotline under test.
pub const BASE_URL: &str = "https://hotline.example.com";
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
    let body = STANDARD.encode(form(parameters));
    event("POST", url, Some(&signature), Some(&body))
}

/// The event of a GET of an address of the hotline.
#[must_use]
pub fn get(url: &str) -> Bytes {
    event("GET", url, None, None)
}

/// Payload format 2.0: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.
/// A form arrives encoded in base64, since API Gateway takes it for binary.
fn event(method: &str, url: &str, signature: Option<&str>, body: Option<&str>) -> Bytes {
    let local = url.strip_prefix(BASE_URL).unwrap_or(url);
    let (path, query) = local.split_once('?').unwrap_or((local, ""));
    let mut headers = json!({
        "accept": "*/*",
        "host": "hotline.example.com",
        "user-agent": "TwilioProxy/1.1",
        "x-forwarded-for": "192.0.2.1",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    });
    if let (Some(headers), Some(signature)) = (headers.as_object_mut(), signature) {
        headers.insert("content-type".into(), "application/x-www-form-urlencoded; charset=UTF-8".into());
        headers.insert("x-twilio-signature".into(), signature.into());
        headers.insert("i-twilio-idempotency-token".into(), "00000000-0000-4000-8000-000000000000".into());
    }
    let event = json!({
        "version": "2.0",
        "routeKey": format!("{method} {path}"),
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "bench",
            "domainName": "hotline.example.com",
            "domainPrefix": "hotline",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "TwilioProxy/1.1" },
            "requestId": "bench",
            "routeKey": format!("{method} {path}"),
            "stage": "$default",
            "time": "01/Nov/2026:00:00:00 +0000",
            "timeEpoch": 1_793_491_200_000_u64,
        },
        "body": body,
        "isBase64Encoded": body.is_some(),
    });
    event.to_string().into()
}

fn form(parameters: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}
