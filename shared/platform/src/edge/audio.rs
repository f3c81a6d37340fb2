//! Audio files for Twilio's media proxies. Public, immutable, found only by the hash of their content.

use std::time::{Duration, Instant};

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use futures::future::LocalBoxFuture;
use lambda_runtime::LambdaEvent;

use super::http::{self, Request};
use super::{Exit, Line, guarded, serve};
use crate::{App, Error};

const WITHIN: Duration = Duration::from_secs(8);

/// Which file, and how much of it.
#[derive(Debug)]
pub struct AudioRequest {
    /// Last segment of the path.
    pub file: String,
    /// The `Range` header.
    pub range: Option<String>,
    /// The `If-None-Match` header.
    pub if_none_match: Option<String>,
}

/// A file, or a part of it.
#[derive(Debug)]
pub struct Audio {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Media type.
    pub content_type: &'static str,
    /// `bytes a-b/whole`, where a range was asked for.
    pub content_range: Option<String>,
    /// Identifies the content.
    pub etag: String,
}

type Handler = Box<dyn Fn(&'static App, AudioRequest) -> LocalBoxFuture<'static, Result<Audio, Error>>>;

/// Serves audio files.
pub fn audio<H>(handle: H) -> Exit
where
    H: AsyncFn(&App, AudioRequest) -> Result<Audio, Error> + 'static,
{
    let handle: &'static H = Box::leak(Box::new(handle));
    let handle: Handler = Box::new(move |app, request| Box::pin(handle(app, request)));
    serve_audio(Box::leak(Box::new(handle)))
}

fn serve_audio(handle: &'static Handler) -> Exit {
    serve(None, &|app, event: LambdaEvent<ApiGatewayV2httpRequest>| {
        Box::pin(async move {
            let started = Instant::now();
            let request_id = event.context.request_id;
            let (response, error) = answer(app, event.payload, handle).await;
            let outcome = error.as_ref().map_or("ok", Error::kind);
            Line { app, request_id: &request_id, call: "", started }.write(outcome, error.as_ref());
            Ok(response)
        })
    })
}

async fn answer(
    app: &'static App,
    event: ApiGatewayV2httpRequest,
    handle: &Handler,
) -> (ApiGatewayV2httpResponse, Option<Error>) {
    let plain = |status, text: &str| http::text(status, "text/plain; charset=utf-8", text.to_owned());
    let Some(request) = Request::new(event) else { return (plain(400, "The body is not base64.\n"), None) };
    let wanted = AudioRequest {
        file: request.last_segment().to_owned(),
        range: request.header("range").map(str::to_owned),
        if_none_match: request.header("if-none-match").map(str::to_owned),
    };
    let known = wanted.if_none_match.clone();
    match guarded(WITHIN, handle(app, wanted)).await {
        Ok(audio) => {
            let mut headers = vec![
                ("content-type", audio.content_type),
                ("cache-control", "public, max-age=31536000, immutable"),
                ("etag", audio.etag.as_str()),
                ("accept-ranges", "bytes"),
            ];
            if known.as_deref() == Some(audio.etag.as_str()) {
                return (http::bytes(304, &headers, vec![]), None);
            }
            if let Some(range) = audio.content_range.as_deref() {
                headers.push(("content-range", range));
            }
            let status = if audio.content_range.is_some() { 206 } else { 200 };
            (http::bytes(status, &headers, audio.bytes), None)
        }
        Err(error) => {
            let response = match &error {
                Error::Failed { .. } => plain(500, "This greeting cannot be read just now.\n"),
                Error::Invalid { field: "range", .. } => plain(416, "The range lies outside of the greeting.\n"),
                _ => plain(404, "There is no such greeting.\n"),
            };
            (response, Some(error))
        }
    }
}
