//! API Gateway's HTTP API events (payload 2.0), as the edges need them.

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body;
use aws_lambda_events::http::{HeaderMap, HeaderName, HeaderValue, Method};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// A request, with its body as bytes.
pub(super) struct Request {
    event: ApiGatewayV2httpRequest,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// Nothing for a body that claims to be base64 and is not.
    pub(super) fn new(mut event: ApiGatewayV2httpRequest) -> Option<Self> {
        let text = event.body.take().unwrap_or_default();
        let body = if event.is_base64_encoded { BASE64_STANDARD.decode(text).ok()? } else { text.into_bytes() };
        Some(Self { event, body })
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.event.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Name and value of each cookie. API Gateway moves them out of the headers; other callers leave them there.
    pub(super) fn cookies(&self) -> Vec<(String, String)> {
        let apart = self.event.cookies.iter().flatten().map(String::as_str);
        let together = self.event.headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
        let pairs =
            apart.chain(together).flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// The network address of the caller, as API Gateway saw it.
    pub(super) fn address(&self) -> &str {
        self.event.request_context.http.source_ip.as_deref().unwrap_or_default()
    }

    pub(super) fn path(&self) -> &str {
        self.event.raw_path.as_deref().unwrap_or_default()
    }

    pub(super) fn query(&self) -> &str {
        self.event.raw_query_string.as_deref().unwrap_or_default()
    }

    pub(super) fn is_post(&self) -> bool {
        self.event.request_context.http.method == Method::POST
    }

    /// Whether a browser asks first if it may (CORS).
    pub(super) fn is_preflight(&self) -> bool {
        self.event.request_context.http.method == Method::OPTIONS
    }

    /// The last segment of the path: the sealed call, or a file.
    pub(super) fn last_segment(&self) -> &str {
        self.path().rsplit('/').next().unwrap_or_default()
    }
}

/// An answer with a text body.
pub(super) fn text(status: i64, content_type: &'static str, body: String) -> ApiGatewayV2httpResponse {
    let headers = [("content-type", content_type), ("cache-control", "no-store")];
    response(status, &headers, (!body.is_empty()).then_some(Body::Text(body)))
}

/// An answer with a body of bytes.
pub(super) fn bytes(status: i64, headers: &[(&'static str, &str)], body: Vec<u8>) -> ApiGatewayV2httpResponse {
    response(status, headers, Some(Body::Binary(body)))
}

fn response(status: i64, headers: &[(&'static str, &str)], body: Option<Body>) -> ApiGatewayV2httpResponse {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            map.insert(HeaderName::from_static(name), value);
        }
    }
    map.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = status;
    response.headers = map;
    response.is_base64_encoded = matches!(body, Some(Body::Binary(_)));
    response.body = body;
    response
}
