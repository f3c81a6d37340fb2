//! Stripe's webhooks: signature first, then everything else.

use std::time::{Duration, Instant};

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use futures::future::LocalBoxFuture;
use lambda_runtime::LambdaEvent;
use partners::stripe::error_report::Notification;

use super::http::{self, Request};
use super::{Exit, Line, guarded, serve};
use crate::{App, Error};

/// For everything: the API gives up after 30 seconds, and Stripe brings again what was not acknowledged.
const WITHIN: Duration = Duration::from_secs(25);

type Handler = Box<dyn Fn(&'static App, Notification) -> LocalBoxFuture<'static, Result<(), Error>>>;

/// Serves Stripe's webhook: 204 when it is done, 500 when Stripe should bring it again.
pub fn stripe<H>(handle: H) -> Exit
where
    H: AsyncFn(&App, Notification) -> Result<(), Error> + 'static,
{
    let handle: &'static H = Box::leak(Box::new(handle));
    let handle: Handler = Box::new(move |app, told| Box::pin(handle(app, told)));
    serve_stripe(Box::leak(Box::new(handle)))
}

fn serve_stripe(handle: &'static Handler) -> Exit {
    serve(None, &|app, event: LambdaEvent<ApiGatewayV2httpRequest>| {
        Box::pin(async move { Ok(answer(app, event, handle).await) })
    })
}

async fn answer(
    app: &'static App,
    event: LambdaEvent<ApiGatewayV2httpRequest>,
    handle: &Handler,
) -> ApiGatewayV2httpResponse {
    let started = Instant::now();
    let request_id = event.context.request_id;
    let Some(request) = Request::new(event.payload) else { return refused() };
    let (response, outcome, error) = match guarded(WITHIN, verified(app, &request)).await {
        Ok(false) => (refused(), "refused", None),
        Ok(true) => {
            let left = WITHIN.saturating_sub(started.elapsed());
            let done = match Notification::read(&request.body) {
                Ok(told) => guarded(left, handle(app, told)).await,
                Err(error) => Err(Error::invalid("event", error)),
            };
            let response = acknowledged(&done);
            (response, done.as_ref().err().map_or("ok", Error::kind), done.err())
        }
        // Unverified, so nothing has come of it, and nothing is said.
        Err(error) => (http::text(500, PLAIN, String::new()), "Failed", Some(error)),
    };
    Line { app, request_id: &request_id, call: "", started }.write(outcome, error.as_ref());
    response
}

const PLAIN: &str = "text/plain; charset=utf-8";

/// Whether Stripe signed it, with one of the endpoint's secrets and not long ago. A secret that was changed since it was
/// read is read again, so that nothing is refused while secrets are rolled.
async fn verified(app: &App, request: &Request) -> Result<bool, Error> {
    if !request.is_post() {
        return Ok(false);
    }
    let (signature, now) = (request.header("stripe-signature"), app.clock.now());
    let signed =
        |secrets: &crate::secrets::StripeSecrets| secrets.webhooks.verify(signature, &request.body, now).is_ok();
    if signed(app.stripe_secrets().await?.as_ref()) {
        return Ok(true);
    }
    if signature.is_none() {
        return Ok(false);
    }
    Ok(app.stripe_secrets_again().await.is_some_and(|rotated| signed(&rotated)))
}

fn refused() -> ApiGatewayV2httpResponse {
    http::text(403, PLAIN, "The Stripe-Signature does not fit this body, our secrets and this time.\n".to_owned())
}

fn acknowledged(done: &Result<(), Error>) -> ApiGatewayV2httpResponse {
    match done {
        Ok(()) => http::text(204, PLAIN, String::new()),
        // What cannot be read will not read any better.
        Err(error @ Error::Invalid { .. }) => http::text(422, PLAIN, format!("{}\n", error.kind())),
        Err(error) => http::text(500, PLAIN, format!("{}\n", error.kind())),
    }
}
