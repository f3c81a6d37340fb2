//! Twilio's webhooks: signature first, then everything else.

use std::time::{Duration, Instant};

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use futures::future::LocalBoxFuture;
use lambda_runtime::LambdaEvent;
use partners::twilio::CallSid;
use partners::twilio::signature::{self, Keys, Params, SignedRequest};
use partners::twilio::twiml::{Document, Response, Say, Voice};

use super::http::{self, Request};
use super::{Exit, Line, guarded, serve};
use crate::call::Call;
use crate::{App, Error};

/// For everything, the signature included: Lambda stops the function after 10 seconds and Twilio gives up after 15; the
/// caller hears an apology sooner than that.
const WITHIN: Duration = Duration::from_secs(7);

/// A verified webhook.
#[derive(Debug)]
pub struct Webhook {
    /// Everything that Twilio sent, names unknown to us included.
    pub params: Params,
    /// Which call it is about.
    pub call: CallSid,
    /// The raw query; our own routes use nothing but a word in it.
    pub query: String,
    /// The sealed state from the path; empty where a route has none.
    sealed: String,
}

impl Webhook {
    /// The call's state for `step`, if the path carries one that is this call's own and not too old.
    pub async fn state(&self, app: &App, step: &str) -> Result<Call, Error> {
        let call = app.secrets().await?.calls.open(&self.sealed, &self.call, step, app.clock.now())?;
        if let Ok((tenant, _)) = call.reached() {
            app.about(tenant);
        }
        Ok(call)
    }

    /// The caller hung up: what is answered is not heard, what is stored counts.
    #[must_use]
    pub fn hung_up(&self) -> bool {
        self.params.get("CallStatus").is_some_and(|status| status == "completed")
    }
}

/// Turns what a handler gave into an answer, and says which error is to be logged.
type Translate<T> = fn(&App, Result<T, Error>, Next) -> (ApiGatewayV2httpResponse, Option<Error>);

type Handler<T> = Box<dyn Fn(&'static App, Webhook) -> LocalBoxFuture<'static, Result<T, Error>>>;

/// Serves a step of a call: whatever happens, the answer is TwiML that goes on.
pub fn voice<H>(handle: H) -> Exit
where
    H: AsyncFn(&App, Webhook) -> Result<Document, Error> + 'static,
{
    let handle: &'static H = Box::leak(Box::new(handle));
    let handle: Handler<Document> = Box::new(move |app, webhook| Box::pin(handle(app, webhook)));
    serve_voice(Box::leak(Box::new(handle)))
}

fn serve_voice(handle: &'static Handler<Document>) -> Exit {
    serve(Some(rehearse), &|app, event: LambdaEvent<ApiGatewayV2httpRequest>| {
        Box::pin(async move { Ok(answer(app, event, handle, spoken).await) })
    })
}

/// Serves a callback that nobody waits for: 204 when it is done, 500 when Twilio should try again.
pub fn callback<H>(handle: H) -> Exit
where
    H: AsyncFn(&App, Webhook) -> Result<(), Error> + 'static,
{
    let handle: &'static H = Box::leak(Box::new(handle));
    let handle: Handler<()> = Box::new(move |app, webhook| Box::pin(handle(app, webhook)));
    serve_callback(Box::leak(Box::new(handle)))
}

fn serve_callback(handle: &'static Handler<()>) -> Exit {
    serve(Some(rehearse), &|app, event: LambdaEvent<ApiGatewayV2httpRequest>| {
        Box::pin(async move { Ok(answer(app, event, handle, acknowledged).await) })
    })
}

/// A webhook that nobody sent, up to the signature that does not fit, and a state that goes nowhere.
const REHEARSAL: &str = include_str!("../../data/rehearsal.json");

/// Goes once through everything that all steps have in common, while the init phase still has a full CPU.
fn rehearse(app: &'static App) -> LocalBoxFuture<'static, ()> {
    Box::pin(async move {
        let (Ok(event), Ok(secrets)) = (serde_json::from_str(REHEARSAL), app.secrets().await) else { return };
        if let Some(request) = Request::new(event)
            && let Ok(None) = verify(app, &request).await
            && let Ok(nobody) = CallSid::parse("CA00000000000000000000000000000000")
        {
            let now = app.clock.now();
            let sealed = secrets.calls.seal(&Call::begin(now), &nobody, "").unwrap_or_default();
            let opened = secrets.calls.open(&sealed, &nobody, "", now).map(|_| Response::new().hangup());
            let (response, _) = spoken(app, opened.and(Err(Error::StaleCall)), Next::StartAgain);
            drop(serde_json::to_vec(&response));
        }
    })
}

async fn answer<T>(
    app: &'static App,
    event: LambdaEvent<ApiGatewayV2httpRequest>,
    handle: &Handler<T>,
    translate: Translate<T>,
) -> ApiGatewayV2httpResponse {
    let started = Instant::now();
    let request_id = event.context.request_id;
    let Some(request) = Request::new(event.payload) else { return refused() };
    let next = Next::after(&request);
    let (response, call, outcome, error) = match guarded(WITHIN, verify(app, &request)).await {
        Ok(None) => (refused(), String::new(), "refused", None),
        Ok(Some(webhook)) => {
            let call = webhook.call.to_string();
            let left = WITHIN.saturating_sub(started.elapsed());
            let (response, error) = translate(app, guarded(left, handle(app, webhook)).await, next);
            (response, call, error.as_ref().map_or("ok", Error::kind), error)
        }
        // Unverified, so it gets nothing that could have an effect: an apology says nothing about anybody.
        Err(error) => {
            let (response, error) = translate(app, Err(error), next);
            (response, String::new(), "Failed", error)
        }
    };
    Line { app, request_id: &request_id, call: &call, started }.write(outcome, error.as_ref());
    response
}

/// Where a caller goes when a step cannot go on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// A state that does not open: to the beginning. Anything else: to the fallback.
    StartAgain,
    /// The call started again before: to the fallback.
    Fallback,
    /// The fallback itself failed: nowhere.
    Goodbye,
}

impl Next {
    fn after(request: &Request) -> Self {
        match (request.path(), request.query()) {
            (path, _) if path.ends_with(FALLBACK) => Self::Goodbye,
            (_, AGAIN) => Self::Fallback,
            _ => Self::StartAgain,
        }
    }
}

const FALLBACK: &str = "/voice/fallback";
/// Marks all addresses of a call that started again, so that it does so once.
pub const AGAIN: &str = "again=1";

/// The webhook, if Twilio signed it for our account; nothing if not. Source: Twilio's page on webhook security.
async fn verify(app: &App, request: &Request) -> Result<Option<Webhook>, Error> {
    let signed = SignedRequest {
        base_url: app.config.public_base_url()?,
        path: request.path(),
        raw_query: request.query(),
        content_type: request.header("content-type"),
        body: &request.body,
        signature: request.header("x-twilio-signature"),
        settings: request.header("x-twilio-webhooks-signature-settings"),
        post: request.is_post(),
    };
    let mut secrets = app.secrets().await?;
    let mut params = check(&secrets.signing, &signed);
    if params.is_err()
        && signed.signature.is_some()
        && let Some(rotated) = app.secrets_again().await
    {
        params = check(&rotated.signing, &signed);
        secrets = rotated;
    }
    let Ok(params) = params else { return Ok(None) };
    if params.get("AccountSid") != Some(secrets.account_sid.as_str()) {
        return Ok(None);
    }
    let Some(call) = params.get("CallSid").and_then(|sid| CallSid::parse(sid).ok()) else { return Ok(None) };
    let sealed = request.last_segment().to_owned();
    Ok(Some(Webhook { params, call, query: request.query().to_owned(), sealed }))
}

/// Checks a signature. Twilio signs a URL without its fragment; what signs with Twilio's libraries may sign with it, so
/// the one fragment that we write ([`RETRIED`]) is a variant like the ports.
fn check(keys: &Keys, signed: &SignedRequest<'_>) -> Result<Params, signature::Refused> {
    keys.verify(signed).or_else(|refused| {
        let (mut path, mut query) = (signed.path.to_owned(), signed.raw_query.to_owned());
        let last = if query.is_empty() { &mut path } else { &mut query };
        last.push_str(RETRIED);
        keys.verify(&SignedRequest { path: &path, raw_query: &query, ..*signed }).map_err(|_| refused)
    })
}

/// Appended to a callback's URL: Twilio tries again also when we answer 5xx, up to three times. Its default is to try
/// again only when it could not connect. Source: Twilio, "Webhooks connection overrides".
pub const RETRIED: &str = "#rc=3&rp=all";

fn refused() -> ApiGatewayV2httpResponse {
    let why = "The X-Twilio-Signature does not fit this URL, these parameters and our credentials.\n";
    http::text(403, "text/plain; charset=utf-8", why.to_owned())
}

fn acknowledged(_: &App, done: Result<(), Error>, _: Next) -> (ApiGatewayV2httpResponse, Option<Error>) {
    match done {
        Ok(()) => (http::text(204, "text/xml; charset=utf-8", String::new()), None),
        Err(error) => {
            let status = if matches!(error, Error::Failed { .. }) { 500 } else { 422 };
            (http::text(status, "text/plain; charset=utf-8", format!("{}\n", error.kind())), Some(error))
        }
    }
}

fn spoken(app: &App, done: Result<Document, Error>, next: Next) -> (ApiGatewayV2httpResponse, Option<Error>) {
    let (document, error) = match done {
        Ok(document) => (Ok(document), None),
        Err(error) => (apology(app, &error, next), Some(error)),
    };
    let written = document.and_then(|document| document.to_xml().map_err(Error::failed("writing TwiML")));
    match written {
        Ok(xml) => (http::text(200, "text/xml; charset=utf-8", xml), error),
        // Twilio then asks its fallback URL.
        Err(failed) => (http::text(500, "text/plain; charset=utf-8", String::new()), Some(error.unwrap_or(failed))),
    }
}

/// What a caller hears when a step cannot go on, in both languages: a stale call starts afresh, once; anything else
/// goes to the fallback, which takes a message.
fn apology(app: &App, error: &Error, next: Next) -> Result<Document, Error> {
    let base = app.config.public_base_url()?;
    let said = |english, spanish| {
        let say = |voice, text| Say::new(voice, text).map_err(Error::failed("writing TwiML"));
        Ok::<_, Error>(Response::new().say(say(Voice::ENGLISH, english)?).say(say(Voice::SPANISH, spanish)?))
    };
    Ok(match next {
        Next::StartAgain if matches!(error, Error::StaleCall) => {
            said("I'm sorry, I lost my place. Let's start again.", "Lo siento, perdí el hilo. Empecemos de nuevo.")?
                .redirect(format!("{base}/voice/answer?{AGAIN}"))
        }
        Next::StartAgain | Next::Fallback => {
            said("I'm sorry, something went wrong on our side.", "Lo siento, algo salió mal de nuestro lado.")?
                .redirect(format!("{base}{FALLBACK}"))
        }
        Next::Goodbye => said(
            "I'm sorry, we can't take your call at the moment. Please try again later, or make your request on the \
             website of the business. Goodbye.",
            "Lo siento, no podemos atender su llamada en este momento. Inténtelo más tarde, o haga su solicitud en el \
             sitio web de la empresa. Adiós.",
        )?
        .hangup(),
    })
}
