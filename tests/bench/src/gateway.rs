//! A request as API Gateway's HTTP API hands it to a function: payload format 2.0,
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::Error;

/// The public address under test.
pub const BASE_URL: &str = "https://hotline.example.com";

/// What somebody asks of a route.
#[derive(Debug, Default)]
pub struct Request<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The path with its query, with or without the public address.
    pub url: &'a str,
    /// Headers, in lower case.
    pub headers: &'a [(&'a str, &'a str)],
    /// Cookies: name and value.
    pub cookies: &'a [(String, String)],
    /// A form's fields.
    pub form: Option<&'a [(String, String)]>,
}

impl Request<'_> {
    /// The event. A form arrives encoded in base64, since API Gateway takes it for binary.
    #[must_use]
    pub fn event(&self) -> Bytes {
        let form = self.form.map(|fields| STANDARD.encode(encoded(fields)));
        self.with_body(form.as_deref())
    }

    /// The event with another body than a form.
    #[must_use]
    pub fn event_with(&self, body: &[u8]) -> Bytes {
        self.with_body(Some(&STANDARD.encode(body)))
    }

    fn with_body(&self, body: Option<&str>) -> Bytes {
        let method = self.method;
        let local = self.url.strip_prefix(BASE_URL).unwrap_or(self.url);
        let (path, query) = local.split_once('?').unwrap_or((local, ""));
        let usual = [
            ("host", "hotline.example.com"),
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-port", "443"),
            ("x-forwarded-proto", "https"),
        ];
        let form = self.form.is_some().then_some(("content-type", "application/x-www-form-urlencoded; charset=UTF-8"));
        let headers = usual.iter().chain(self.headers).chain(&form);
        let headers: Map<String, Value> = headers.map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let cookies = (!self.cookies.is_empty()).then(|| cookies.collect::<Vec<_>>());
        let event = json!({
            "version": "2.0",
            "routeKey": format!("{method} {path}"),
            "rawPath": path,
            "rawQueryString": query,
            "cookies": cookies,
            "headers": headers,
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "bench",
                "domainName": "hotline.example.com",
                "domainPrefix": "hotline",
                "http": {
                    "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
                    "userAgent": headers.get("user-agent"),
                },
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
}

fn encoded(fields: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// What a function answered to such a request.
#[derive(Debug, Default)]
pub struct Answer {
    /// The status.
    pub status: u64,
    /// The `location` header.
    pub location: Option<String>,
    /// Its `Set-Cookie` headers.
    pub cookies: Vec<String>,
    /// The body as text.
    pub body: String,
}

impl Answer {
    /// Reads what Lambda was given.
    pub fn read(answer: &[u8]) -> Result<Self, Error> {
        let answer: Value =
            serde_json::from_slice(answer).map_err(|error| Error::say("an answer", "is not JSON", &error))?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let headers = |name: &str| ["headers", "multiValueHeaders"].map(|all| answer.get(all)?.get(name).cloned());
        let location = headers("location").into_iter().flatten().find_map(|value| match value {
            Value::Array(values) => values.first().and_then(text),
            value => text(&value),
        });
        let cookies = answer.get("cookies").and_then(Value::as_array).into_iter().flatten();
        let body = answer.get("body").and_then(text).unwrap_or_default();
        let binary = answer.get("isBase64Encoded") == Some(&Value::Bool(true));
        let decoded = binary.then(|| STANDARD.decode(&body).ok()).flatten();
        Ok(Self {
            status: answer.get("statusCode").and_then(Value::as_u64).unwrap_or_default(),
            location,
            cookies: cookies.filter_map(text).collect(),
            body: decoded.map_or(body, |bytes| String::from_utf8_lossy(&bytes).into_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_with_its_location_and_its_body() {
        let plain = json!({ "statusCode": 303, "headers": { "location": "/a" }, "cookies": ["b=c; Path=/"] });
        let plain = Answer::read(plain.to_string().as_bytes()).unwrap();
        assert_eq!((plain.status, plain.location.as_deref()), (303, Some("/a")));
        assert_eq!(plain.cookies, ["b=c; Path=/"]);
        let binary = json!({ "statusCode": 200, "body": "aGVsbG8=", "isBase64Encoded": true });
        assert_eq!(Answer::read(binary.to_string().as_bytes()).unwrap().body, "hello");
    }
}
