//! Browsers: people who are signed in ([`page()`]), people who are not ([`door()`]), and people on somebody else's site
//! ([`public()`]).
//!
//! Before a handler runs: the session is found and noted as used (one operation), a form is known to be ours, the body
//! is bounded and parsed. After it: every response has the security headers, and nothing personal is cached.

use std::time::{Duration, Instant};

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body;
use aws_lambda_events::http::{HeaderMap, HeaderName, HeaderValue};
use aws_lc_rs::digest::{SHA256, digest};
use cookie::{Cookie, SameSite};
use domain::language::Language;
use domain::role::Role;
use futures::future::LocalBoxFuture;
use futures::stream;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::LambdaEvent;
use maud::Markup;
use pages::{Frame, Problem, Section};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::http::Request;
use super::{Exit, Line, guarded, serve};
use crate::seal::hex;
use crate::session::{Allowed, Needs, Session};
use crate::ticket::{Tickets, random_token};
use crate::{App, Error};

/// API Gateway gives up after 30 seconds.
const WITHIN: Duration = Duration::from_secs(27);
/// A form without files: a note of 20,000 characters, percent-encoded, and room to spare.
const FORM_BYTES: usize = 256 * 1024;
/// What somebody who is not signed in may send: a password of 256 characters, the answer of a passkey.
const DOOR_BYTES: usize = 32 * 1024;
/// A consumer's form: 5,000 characters of their own words, percent-encoded, and room to spare.
const PUBLIC_BYTES: usize = 96 * 1024;
/// A form with a file. Lambda takes 6 MB, a third of which base64 needs.
const UPLOAD_BYTES: usize = 4_400_000;
/// No form of ours has as many fields.
const FIELDS: usize = 500;

/// Holds the secret of a session.
const SESSION: &str = "__Host-session";
/// Ties a form to the browser that it was given to, before anybody is signed in.
const VISITOR: &str = "__Host-visitor";
/// How long it does so.
const VISITS: SignedDuration = SignedDuration::from_hours(2);
/// Holds the ticket of a consumer who has shown that a request is theirs.
pub const CASE: &str = "__Host-case";
/// The language somebody chose at the door.
const LANGUAGE: &str = "__Host-language";
/// The purpose of the code in every form.
const CSRF: &str = "csrf";

/// Fields of a form or a query: a name may come several times.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Fields {
    fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().take(FIELDS).collect())
    }

    /// The first value under a name, trimmed of nothing; empty where there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(there, _)| there == name).map_or("", |(_, value)| value)
    }

    /// Every value under a name.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(there, _)| there == name).map(|(_, value)| value.as_str()).collect()
    }

    /// Whether a name is there, with whatever value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(there, _)| there == name)
    }

    /// All of it, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Fields {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// A file that came with a form. Its name and its type are what the browser claims.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// The form's field.
    pub field: String,
    /// The name, without any path.
    pub name: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("File").field("field", &self.field).field("length", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// Who is there, as far as the network tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// The network address.
    pub address: String,
    /// What the browser calls itself, cut to 200 characters.
    pub agent: String,
}

impl Client {
    /// The network address as far as one client has no choice of it: what tries are counted by.
    #[must_use]
    pub fn network(&self) -> String {
        crate::store::network(&self.address)
    }
}

/// A request of a browser. It holds passwords, codes and cookies, so it is printed without what it holds.
#[derive(Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is something that a browser says or does not say")]
pub struct Visit {
    /// Whether something is to be done (POST), rather than shown (GET).
    pub post: bool,
    /// The path.
    pub path: String,
    /// Its last segment, decoded: the id or ticket of what is meant.
    pub segment: String,
    /// The query.
    pub query: Fields,
    /// The form.
    pub form: Fields,
    /// Files of the form.
    pub files: Vec<File>,
    /// The `Range` header.
    pub range: Option<String>,
    /// The `If-None-Match` header.
    pub if_none_match: Option<String>,
    /// The language to answer in.
    pub language: Language,
    /// Who is there.
    pub client: Client,
    /// The code that every form of this page must carry.
    pub csrf: String,
    /// When the request came.
    pub at: Timestamp,
    /// The origin of the page that sends it, as the browser says; for [`public()`], whose handlers decide by it.
    pub origin: Option<String>,
    /// Where the browser says that the request comes from, compared with us (`Sec-Fetch-Site`); none for what is no browser,
    /// or an old one.
    pub fetch_site: Option<String>,
    /// Whether a browser only asks if it may send something from another origin (`OPTIONS`).
    pub preflight: bool,
    /// Whether the browser sends the opt-out preference signal (`Sec-GPC: 1`, Global Privacy Control).
    pub gpc: bool,
    /// Whether this signal is written down as an opt-out, which is when the page says that it is honoured. A handler that does
    /// so sets it.
    pub honored: bool,
    json: Vec<u8>,
    is_json: bool,
    cookies: Vec<(String, String)>,
}

impl Visit {
    /// A visit that nothing came with, for looking at pages without a network.
    #[must_use]
    pub fn get(path: &str, language: Language, client: Client, csrf: &str, at: Timestamp) -> Self {
        Self {
            post: false,
            path: path.to_owned(),
            segment: decode(path.rsplit('/').next().unwrap_or_default()),
            query: Fields::default(),
            form: Fields::default(),
            files: vec![],
            range: None,
            if_none_match: None,
            language,
            client,
            csrf: csrf.to_owned(),
            at,
            origin: None,
            fetch_site: None,
            preflight: false,
            gpc: false,
            honored: false,
            json: vec![],
            is_json: false,
            cookies: vec![],
        }
    }

    /// A JSON body.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.json).map_err(|_| Error::invalid("body", "Send JSON as this page does."))
    }

    /// Whether a script of ours asks, and wants JSON.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.is_json
    }

    /// A cookie.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(there, _)| there == name).map(|(_, value)| value.as_str())
    }

    /// The secret of the session, if the browser holds one; for signing in and out.
    #[must_use]
    pub fn session_secret(&self) -> Option<&str> {
        self.cookie(SESSION)
    }

    /// The path with its query, to come back to.
    #[must_use]
    pub fn here(&self) -> String {
        let query: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(self.query.iter()).finish();
        if query.is_empty() { self.path.clone() } else { format!("{}?{query}", self.path) }
    }
}

/// The path to go to after signing in or confirming: one of ours, or the overview.
#[must_use]
pub fn safe_next(next: &str) -> &str {
    let ours = next.starts_with("/dashboard/")
        && next.len() <= 2000
        && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
        && !next.contains("//");
    if ours { next } else { "/dashboard/overview" }
}

/// An address of ours with a query.
#[must_use]
pub fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    format!("{path}?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish())
}

/// What a browser gets.
#[derive(Clone, Debug)]
pub struct Page {
    status: i64,
    content_type: &'static str,
    headers: Vec<(&'static str, String)>,
    cookies: Vec<String>,
    body: Vec<u8>,
    binary: bool,
    form_action: Option<String>,
    framed_by: Option<String>,
    scripts_from: Vec<String>,
}

impl Page {
    fn new(status: i64, content_type: &'static str, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type,
            headers: vec![],
            cookies: vec![],
            body,
            binary: false,
            form_action: None,
            framed_by: None,
            scripts_from: vec![],
        }
    }

    /// A page.
    #[must_use]
    pub fn html(markup: Markup) -> Self {
        Self::new(200, "text/html; charset=utf-8", markup.into_string().into_bytes())
    }

    /// The form again, filled in, with what is wrong beside each field.
    #[must_use]
    pub fn invalid(markup: Markup) -> Self {
        Self::html(markup).with_status(422)
    }

    /// On to another page of ours (303: after a form, a reload repeats nothing).
    #[must_use]
    pub fn to(path: impl Into<String>) -> Self {
        let mut page = Self::new(303, "text/plain; charset=utf-8", vec![]);
        page.headers.push(("location", path.into()));
        page
    }

    /// JSON, for scripts of ours.
    pub fn json(value: &impl Serialize) -> Result<Self, Error> {
        let body = serde_json::to_vec(value).map_err(Error::failed("writing JSON"))?;
        Ok(Self::new(200, "application/json", body))
    }

    /// A file to keep: the browser saves it under this name and never shows it in our origin.
    #[must_use]
    pub fn download(content_type: &'static str, name: &str, bytes: Vec<u8>) -> Self {
        let plain: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' })
            .collect();
        let encoded: String = form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20");
        let mut page = Self::new(200, content_type, bytes);
        page.binary = true;
        page.headers
            .push(("content-disposition", format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")));
        page
    }

    /// Text of some other kind: a script.
    #[must_use]
    pub fn text(content_type: &'static str, text: String) -> Self {
        Self::new(200, content_type, text.into_bytes())
    }

    /// Bytes to be shown in place: an asset, a recording.
    #[must_use]
    pub fn inline(content_type: &'static str, bytes: Vec<u8>) -> Self {
        let mut page = Self::new(200, content_type, bytes);
        page.binary = true;
        page
    }

    /// The part of an [`inline`](Self::inline) body that a `Range` header asks for, so that a player can seek
    /// (RFC 9110 14). A range that cannot be read is ignored; one outside of the body is answered 416.
    #[must_use]
    pub fn ranged(mut self, range: Option<&str>) -> Self {
        let whole = self.body.len();
        self.headers.push(("accept-ranges", "bytes".to_owned()));
        let Some(asked) = range.and_then(|range| range.strip_prefix("bytes=")).filter(|asked| !asked.contains(','))
        else {
            return self;
        };
        let Some((first, last)) = asked.trim().split_once('-') else { return self };
        let (first, last) = match (first.parse::<usize>(), last.parse::<usize>()) {
            // Not a range at all, and so as if none had been asked for.
            (Ok(first), Ok(last)) if first > last => return self,
            (Ok(first), Ok(last)) => (first, last.min(whole.saturating_sub(1))),
            (Ok(first), Err(_)) if last.is_empty() => (first, whole.saturating_sub(1)),
            (Err(_), Ok(suffix)) if first.is_empty() => (whole.saturating_sub(suffix), whole.saturating_sub(1)),
            _ => return self,
        };
        match self.body.get(first..=last) {
            Some(part) if first <= last => {
                self.body = part.to_vec();
                self.status = 206;
                self.headers.push(("content-range", format!("bytes {first}-{last}/{whole}")));
            }
            _ => {
                self.body = vec![];
                self.status = 416;
                self.headers.push(("content-range", format!("bytes */{whole}")));
            }
        }
        self
    }

    /// Another status.
    #[must_use]
    pub fn with_status(mut self, status: i64) -> Self {
        self.status = status;
        self
    }

    /// Another header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        // What an answer varies by is one list, whoever adds to it: a second header would take the place of the first.
        match self.headers.iter_mut().find(|(there, _)| *there == name && name == "vary") {
            Some((_, there)) => *there = format!("{there}, {value}"),
            None => self.headers.push((name, value)),
        }
        self
    }

    /// For bodies named by their content: kept by browsers and proxies for a year.
    #[must_use]
    pub fn immutable(self) -> Self {
        self.with_header("cache-control", "public, max-age=31536000, immutable")
    }

    /// Gives the page a name by its content, so that whoever has it already is told so in a few bytes (RFC 9110 8.8.3, 13.1.2).
    #[must_use]
    pub fn tagged(self, if_none_match: Option<&str>) -> Self {
        let hash = hex(digest(&SHA256, &self.body).as_ref().iter().take(12));
        let tag = format!("\"{hash}\"");
        let known = if_none_match.unwrap_or_default().split(',').map(|it| it.trim().trim_start_matches("W/"));
        let unchanged = self.status == 200 && known.into_iter().any(|it| it == tag || it == "*");
        let page = self.with_header("etag", tag);
        if unchanged { Self { status: 304, body: vec![], ..page } } else { page }
    }

    /// Lets the page's forms go to one more origin: S3, for uploads.
    #[must_use]
    pub fn with_form_action(mut self, origin: impl Into<String>) -> Self {
        self.form_action = Some(origin.into());
        self
    }

    /// Lets pages of these origins show this one inside them (`https://*.example.com` is one); nobody else may.
    #[must_use]
    pub fn framed_by(mut self, origins: &[&str]) -> Self {
        self.framed_by = (!origins.is_empty()).then(|| origins.join(" "));
        self
    }

    /// Lets scripts, style sheets, frames and requests of another origin into the page: a human check's.
    #[must_use]
    pub fn with_scripts_from(mut self, origins: &[&str]) -> Self {
        self.scripts_from.extend(origins.iter().map(|origin| (*origin).to_owned()));
        self
    }

    /// Lets scripts of one origin read the answer (CORS, Fetch standard), and other sites load it at all.
    #[must_use]
    pub fn readable_by(self, origin: &str) -> Self {
        self.with_header("access-control-allow-origin", origin)
            .with_header("vary", "Origin")
            .with_header("cross-origin-resource-policy", "cross-origin")
    }

    /// An answer without a body.
    #[must_use]
    pub fn empty(status: i64) -> Self {
        Self::new(status, "text/plain; charset=utf-8", vec![])
    }

    /// Gives the browser a cookie that scripts cannot read and other sites cannot send.
    #[must_use]
    pub fn with_cookie(mut self, name: &str, value: &str, lives: SignedDuration) -> Self {
        self.cookies.push(cookie(name, value, lives.as_secs()));
        self
    }

    /// Takes a cookie back.
    #[must_use]
    pub fn without_cookie(self, name: &str) -> Self {
        self.with_cookie(name, "", SignedDuration::ZERO)
    }

    /// Signs the browser in: the secret of a session that has begun.
    #[must_use]
    pub fn with_session(self, secret: &str) -> Self {
        self.with_cookie(SESSION, secret, crate::session::ABSOLUTE).without_cookie(VISITOR)
    }

    /// Signs the browser out, and has it forget what it kept of us.
    #[must_use]
    pub fn signed_out(self) -> Self {
        self.without_cookie(SESSION).with_header("clear-site-data", "\"cache\", \"cookies\", \"storage\"")
    }

    fn respond(self) -> ApiGatewayV2httpResponse {
        let mut headers = HeaderMap::new();
        let form_action = self.form_action.map(|origin| format!(" {origin}")).unwrap_or_default();
        let ancestors = self.framed_by.as_deref().unwrap_or("'none'");
        let others = self.scripts_from.iter().fold(String::new(), |all, origin| all + " " + origin);
        let frames = if others.is_empty() { String::new() } else { format!(" frame-src{others};") };
        let policy = format!(
            "default-src 'none'; style-src 'self'{others}; script-src 'self'{others}; img-src 'self' data:; media-src 'self'; \
             connect-src 'self'{others};{frames} form-action 'self'{form_action}; frame-ancestors {ancestors}; \
             base-uri 'none'"
        );
        let ours = [
            ("content-type", self.content_type),
            ("cache-control", "no-store"),
            ("content-security-policy", policy.as_str()),
            ("strict-transport-security", "max-age=63072000; includeSubDomains"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            // Not `no-referrer`: browsers would send our own forms with `Origin: null`.
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            (
                "permissions-policy",
                "camera=(), geolocation=(), microphone=(), payment=(), usb=(), publickey-credentials-get=(self), \
                 publickey-credentials-create=(self)",
            ),
        ];
        // The older header knows no list of origins, and would forbid what the policy allows.
        let shown_elsewhere = self.framed_by.is_some();
        let ours = ours.into_iter().filter(|(name, _)| !(shown_elsewhere && *name == "x-frame-options"));
        let own = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in ours.chain(own) {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        let mut response = ApiGatewayV2httpResponse::default();
        response.status_code = self.status;
        response.headers = headers;
        response.cookies = self.cookies;
        response.is_base64_encoded = self.binary;
        response.body = if self.body.is_empty() {
            None
        } else if self.binary {
            Some(Body::Binary(self.body))
        } else {
            Some(Body::Text(String::from_utf8_lossy(&self.body).into_owned()))
        };
        response
    }
}

fn cookie(name: &str, value: &str, seconds: i64) -> String {
    let mut cookie = Cookie::new(name.to_owned(), value.to_owned());
    cookie.set_path("/");
    cookie.set_secure(true);
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    format!("{cookie}; Max-Age={seconds}")
}

type Handler = Box<dyn Fn(&'static App, Session, Visit) -> LocalBoxFuture<'static, Result<Page, Error>>>;
type DoorHandler = Box<dyn Fn(&'static App, Visit) -> LocalBoxFuture<'static, Result<Page, Error>>>;

/// To whom a page opens.
enum Opens {
    SignedIn(Handler),
    /// And how many bytes they may send.
    Anybody(DoorHandler, usize),
    Everybody(DoorHandler),
}

/// Serves a page to people who are signed in and have the permission that the handler's arguments name.
pub fn page<H, P>(handle: H) -> Exit
where
    H: AsyncFn(&App, Allowed<P>, Visit) -> Result<Page, Error> + 'static,
    P: Needs,
{
    let handle: &'static H = Box::leak(Box::new(handle));
    let handle: Handler = Box::new(move |app, session, visit| {
        Box::pin(async move {
            let allowed = Allowed::<P>::check(session, visit.at, visit.post)?;
            handle(app, allowed, visit).await
        })
    });
    serve_pages(Box::leak(Box::new(Opens::SignedIn(handle))))
}

/// Serves a page to anybody.
pub fn door<H>(handle: H) -> Exit
where
    H: AsyncFn(&App, Visit) -> Result<Page, Error> + 'static,
{
    serve_pages(Box::leak(Box::new(Opens::Anybody(boxed(handle), DOOR_BYTES))))
}

/// Serves a page to anybody, with a form that takes files. Whether they may send one is for the handler to say: whoever may
/// not any more is told so, and keeps what they wrote.
pub fn files_door<H>(handle: H) -> Exit
where
    H: AsyncFn(&App, Visit) -> Result<Page, Error> + 'static,
{
    serve_pages(Box::leak(Box::new(Opens::Anybody(boxed(handle), UPLOAD_BYTES))))
}

/// Serves what other sites show, or send, to anybody. Browsers send no cookie there, so none is given and a form carries no
/// code: who may send one is for the handler to say, by [`Visit::origin`].
pub fn public<H>(handle: H) -> Exit
where
    H: AsyncFn(&App, Visit) -> Result<Page, Error> + 'static,
{
    serve_pages(Box::leak(Box::new(Opens::Everybody(boxed(handle)))))
}

fn boxed<H>(handle: H) -> DoorHandler
where
    H: AsyncFn(&App, Visit) -> Result<Page, Error> + 'static,
{
    let handle: &'static H = Box::leak(Box::new(handle));
    Box::new(move |app, visit| Box::pin(handle(app, visit)))
}

fn serve_pages(opens: &'static Opens) -> Exit {
    serve(None, &|app, event: LambdaEvent<ApiGatewayV2httpRequest>| {
        Box::pin(async move {
            let started = Instant::now();
            let request_id = event.context.request_id;
            let (page, error) = answer(app, event.payload, opens, &request_id).await;
            let answered = if page.status < 400 { "ok" } else { "refused" };
            let outcome = error.as_ref().map_or(answered, Error::kind);
            Line { app, request_id: &request_id, call: "", started }.write(outcome, error.as_ref());
            Ok(page.respond())
        })
    })
}

/// What is known of a request when something goes wrong with it.
struct Known {
    language: Language,
    path: String,
    post: bool,
    wants_json: bool,
    public: bool,
    frame: Option<Frame>,
}

async fn answer(
    app: &'static App,
    event: ApiGatewayV2httpRequest,
    opens: &Opens,
    request_id: &str,
) -> (Page, Option<Error>) {
    let mut known = Known {
        language: Language::English,
        path: String::new(),
        post: false,
        wants_json: false,
        public: matches!(opens, Opens::Everybody(_)),
        frame: None,
    };
    let Some(request) = Request::new(event) else {
        let error = Error::invalid("body", "The body is not base64.");
        return (translate(&error, &known, request_id), Some(error));
    };
    match guarded(WITHIN, Box::pin(open(app, &request, opens, &mut known))).await {
        Ok(page) => (page, None),
        Err(error) => (translate(&error, &known, request_id), Some(error)),
    }
}

async fn open(app: &'static App, request: &Request, opens: &Opens, known: &mut Known) -> Result<Page, Error> {
    let at = app.clock.now();
    let cookies = request.cookies();
    let query = Fields::parse(request.query().as_bytes());
    let find = |name: &str| cookies.iter().find(|(there, _)| there == name).map(|(_, value)| value.as_str());
    let chosen = Language::parse(query.get("lang"));
    known.language = chosen
        .or_else(|| find(LANGUAGE).and_then(Language::parse))
        .unwrap_or_else(|| preferred(request.header("accept-language")));
    request.path().clone_into(&mut known.path);
    known.post = request.is_post();
    known.wants_json = request.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));

    // What ties a form to this browser: its session, or a cookie that it was given for the purpose.
    let (mut session, mut tie, mut visitor) = (None, None, None);
    match opens {
        Opens::SignedIn(_) => {
            let tickets = app.tickets().await?;
            let secret = find(SESSION).ok_or(Error::SignedOut)?;
            let found = app.store.session(&tickets, secret, at).await?;
            app.about(&found.tenant);
            known.language = found.card.language;
            let id = found.id.as_str().to_owned();
            known.frame = Some(frame(&found, tickets.mac(CSRF, &id), Section::Overview));
            session = Some(found);
            tie = Some((tickets, id));
        }
        Opens::Anybody(..) => {
            let there = find(VISITOR).filter(|value| value.len() == 43).map(str::to_owned);
            let (held, ties) = match there {
                Some(there) => (true, there),
                None => (false, random_token()?),
            };
            // Counted anew with each page that is shown: the forms in it are ours for as long.
            visitor = (!held || !known.post).then(|| ties.clone());
            tie = Some((app.tickets().await?, ties));
        }
        Opens::Everybody(_) => {}
    }
    let csrf = tie.as_ref().map_or_else(String::new, |(tickets, tie)| tickets.mac(CSRF, tie));
    let mut visit = Visit {
        post: known.post,
        path: request.path().to_owned(),
        segment: decode(request.last_segment()),
        query,
        form: Fields::default(),
        files: vec![],
        range: request.header("range").map(str::to_owned),
        if_none_match: request.header("if-none-match").map(str::to_owned),
        language: known.language,
        client: Client {
            address: request.address().to_owned(),
            agent: request.header("user-agent").unwrap_or_default().chars().take(200).collect(),
        },
        csrf,
        at,
        origin: request.header("origin").map(str::to_owned),
        fetch_site: request.header("sec-fetch-site").map(str::to_owned),
        preflight: request.is_preflight(),
        gpc: request.header("sec-gpc").is_some_and(|value| value.trim() == "1"),
        honored: false,
        json: vec![],
        is_json: known.wants_json,
        cookies,
    };
    if visit.post {
        read_body(request, opens, &mut visit).await?;
        if let Some((tickets, tie)) = &tie {
            check_form(app, request, tickets, tie, &visit)?;
        }
    }
    let page = match (opens, session) {
        (Opens::SignedIn(handle), Some(session)) => handle(app, session, visit).await?,
        (Opens::SignedIn(_), None) => return Err(Error::SignedOut),
        (Opens::Everybody(handle), _) => handle(app, visit).await?,
        (Opens::Anybody(handle, _), _) => {
            let mut page = handle(app, visit).await?;
            if let Some(visitor) = visitor.filter(|_| !page.is_public()) {
                page = page.with_cookie(VISITOR, &visitor, VISITS);
            }
            if let Some(language) = chosen.filter(|_| !page.is_public()) {
                page = page.with_cookie(LANGUAGE, language.code(), SignedDuration::from_hours(24 * 365));
            }
            page
        }
    };
    Ok(page)
}

impl Page {
    /// Whether caches may keep it: then nobody's cookie may be in it.
    fn is_public(&self) -> bool {
        self.headers.iter().any(|(name, _)| *name == "cache-control")
    }
}

/// A form is ours if the browser says that a page of ours sent it, and if it carries the code that we gave that page.
fn check_form(app: &App, request: &Request, tickets: &Tickets, tie: &str, visit: &Visit) -> Result<(), Error> {
    let origin_fits = match request.header("origin") {
        Some(origin) => origin == app.config.public_base_url()?,
        None => true,
    };
    let site_fits = request.header("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    let code = if visit.is_json { request.header("x-csrf").unwrap_or_default() } else { visit.form.get(CSRF) };
    if origin_fits && site_fits && tickets.is_mac(CSRF, tie, code) { Ok(()) } else { Err(Error::StaleForm) }
}

async fn read_body(request: &Request, opens: &Opens, visit: &mut Visit) -> Result<(), Error> {
    let content_type = request.header("content-type").unwrap_or_default();
    let most = match opens {
        Opens::SignedIn(_) => UPLOAD_BYTES,
        Opens::Anybody(_, most) => *most,
        Opens::Everybody(_) => PUBLIC_BYTES,
    };
    if request.body.len() > most {
        return Err(Error::TooLarge);
    }
    if let Ok(boundary) = multer::parse_boundary(content_type) {
        if request.body.len() > UPLOAD_BYTES {
            return Err(Error::TooLarge);
        }
        return read_parts(request, boundary, visit).await;
    }
    if request.body.len() > FORM_BYTES {
        return Err(Error::TooLarge);
    }
    if visit.is_json {
        visit.json.clone_from(&request.body);
    } else {
        visit.form = Fields::parse(&request.body);
    }
    Ok(())
}

async fn read_parts(request: &Request, boundary: String, visit: &mut Visit) -> Result<(), Error> {
    let unreadable = |_| Error::invalid("body", "The form did not arrive whole. Please send it again.");
    let body = stream::iter([Ok::<_, std::convert::Infallible>(request.body.clone())]);
    let mut parts = multer::Multipart::new(body, boundary);
    let mut fields = vec![];
    while let Some(part) = parts.next_field().await.map_err(unreadable)? {
        if fields.len() + visit.files.len() >= FIELDS {
            return Err(Error::TooLarge);
        }
        let field = part.name().unwrap_or_default().to_owned();
        // Without a path: some browsers send one.
        let name = part.file_name().map(|name| name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned());
        let bytes = part.bytes().await.map_err(unreadable)?.to_vec();
        match name {
            Some(name) => visit.files.push(File { field, name, bytes }),
            None => fields.push((field, String::from_utf8_lossy(&bytes).into_owned())),
        }
    }
    visit.form = Fields(fields);
    Ok(())
}

/// What stands around a page, for whoever is signed in.
fn frame(session: &Session, csrf: String, section: Section) -> Frame {
    let may = |section: &Section| session.role.may(needed(*section));
    Frame {
        language: session.card.language,
        tenant_name: session.card.tenant_name.clone(),
        user_name: session.card.user_name.clone(),
        role: pages::words::role(session.card.language, session.role).to_owned(),
        csrf,
        section,
        sections: Section::ALL.into_iter().filter(may).collect(),
    }
}

/// The permission without which a section is not in the menu.
fn needed(section: Section) -> domain::role::Permission {
    use domain::role::Permission as P;
    match section {
        Section::Overview | Section::Requests => P::SeeRequests,
        Section::ServiceCodes | Section::Settings | Section::Usage => P::SeeSettings,
        Section::Team => P::ManageTeam,
        Section::Audit => P::SeeAudit,
        Section::Reports => P::SeeReports,
        Section::Account => P::OwnAccount,
    }
}

impl<P> Allowed<P> {
    /// What stands around this page.
    #[must_use]
    pub fn frame(&self, visit: &Visit, section: Section) -> Frame {
        frame(self, visit.csrf.clone(), section)
    }
}

impl Known {
    /// Whether it is asked for from other people's sites. What the dashboard has for mail programs is not.
    fn is_for_sites(&self) -> bool {
        self.public && !self.path.starts_with("/dashboard")
    }
}

fn translate(error: &Error, known: &Known, request_id: &str) -> Page {
    let page = in_words(error, known, request_id);
    // It says nothing about anybody, and a site's script that may send something should learn why it was not taken. Who is
    // listed may not be known yet.
    if known.is_for_sites() { page.readable_by("*") } else { page }
}

fn in_words(error: &Error, known: &Known, request_id: &str) -> Page {
    let language = known.language;
    let next: String = form_urlencoded::byte_serialize(known.path.as_bytes()).collect();
    if known.wants_json {
        return json_problem(error, language, &next);
    }
    let problem = |status, problem| {
        if known.is_for_sites() {
            // It says nothing about anybody, and would be blank inside a site's page if it could not be framed.
            let page = pages::consumer::problem(language, problem);
            return Page::html(page).with_status(status).framed_by(&["*"]);
        }
        if !known.path.starts_with("/dashboard") {
            // A consumer: nobody who could sign in.
            return Page::html(pages::consumer::problem(language, problem)).with_status(status);
        }
        Page::html(pages::problem(language, known.frame.as_ref(), problem)).with_status(status)
    };
    match error {
        Error::SignedOut if known.post => Page::to("/dashboard/sign-in").without_cookie(SESSION),
        Error::SignedOut => Page::to(format!("/dashboard/sign-in?next={next}")).without_cookie(SESSION),
        Error::Unconfirmed => Page::to(format!("/dashboard/confirm?next={next}")),
        Error::Forbidden { permission } => {
            let permission = pages::words::permission(language, *permission);
            // Roles are given by owners.
            let who_can_grant = &[pages::words::role(language, Role::Owner)];
            problem(403, Problem::Forbidden { permission, who_can_grant })
        }
        Error::StaleForm => problem(403, Problem::StaleForm),
        Error::Throttled { retry_after } => {
            let seconds = u64::try_from(retry_after.as_secs()).unwrap_or(1);
            problem(429, Problem::Throttled { seconds }).with_header("retry-after", seconds.to_string())
        }
        Error::TooLarge => problem(413, Problem::TooLarge),
        Error::NotFound | Error::StaleCall => problem(404, Problem::NotFound),
        Error::Invalid { reason, .. } => problem(422, Problem::Invalid { reason }),
        Error::Conflict => problem(409, Problem::Conflict),
        Error::Failed { .. } => problem(500, Problem::Failed { request_id }),
    }
}

/// Scripts of ours show `error` as it is, or go `to` where the error leads.
fn json_problem(error: &Error, language: Language, next: &str) -> Page {
    let (status, body) = match error {
        Error::SignedOut => (401, serde_json::json!({"to": "/dashboard/sign-in"})),
        Error::Unconfirmed => (403, serde_json::json!({"to": format!("/dashboard/confirm?next={next}")})),
        Error::Invalid { reason, .. } => (422, serde_json::json!({"error": reason})),
        error => {
            let (status, english, spanish) = match error {
                Error::StaleForm => {
                    (403, "Please reload the page and try again.", "Vuelva a cargar la página e inténtelo de nuevo.")
                }
                Error::Throttled { .. } => (
                    429,
                    "Too many tries. Please wait a few minutes.",
                    "Demasiados intentos. Espere unos minutos, por favor.",
                ),
                Error::Failed { .. } => (
                    500,
                    "Something went wrong on our side. Please try again.",
                    "Algo salió mal de nuestro lado. Inténtelo de nuevo, por favor.",
                ),
                Error::Forbidden { .. } => (403, "Your role does not allow this.", "Su función no permite esto."),
                Error::TooLarge => (413, "That is too much at once.", "Eso es demasiado de una vez."),
                _ => (404, "That did not work. Please try again.", "No funcionó. Inténtelo de nuevo, por favor."),
            };
            let said = match language {
                Language::English => english,
                Language::Spanish => spanish,
            };
            (status, serde_json::json!({"error": said}))
        }
    };
    Page::new(status, "application/json", body.to_string().into_bytes())
}

/// Spanish where a browser asks for it before English, else English.
fn preferred(accept: Option<&str>) -> Language {
    let wanted = accept.unwrap_or_default().split(',').filter_map(|part| {
        let mut pieces = part.trim().split(';');
        let language = Language::parse(pieces.next()?.split('-').next()?.to_ascii_lowercase().as_str())?;
        let quality: f32 = pieces.find_map(|p| p.trim().strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
        (quality > 0.0).then_some((language, quality))
    });
    wanted.fold((Language::English, 0.0), |best, next| if next.1 > best.1 { next } else { best }).0
}

/// `%20` and the like in one segment of a path.
fn decode(segment: &str) -> String {
    // A plus is a plus in a path.
    let escaped = segment.replace('+', "%2B");
    form_urlencoded::parse(format!("x={escaped}").as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::config::Config;
    use maud::html;
    use proptest::prelude::*;

    fn header<'a>(response: &'a ApiGatewayV2httpResponse, name: &str) -> &'a str {
        response.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn every_page_carries_the_security_headers_and_is_kept_by_nobody() {
        let response = Page::html(html! { p { "x" } }).respond();
        insta::assert_json_snapshot!(
            response
                .headers
                .iter()
                .map(|(n, v)| (n.as_str(), v.to_str().unwrap()))
                .collect::<std::collections::BTreeMap<_, _>>()
        );
        assert!(!header(&response, "content-security-policy").contains("unsafe"));
    }

    #[test]
    fn what_an_answer_varies_by_is_one_list_and_nobody_overwrites_it() {
        let page = Page::empty(204).with_header("vary", "Accept-Language, Cookie").readable_by("https://shop.example");
        assert_eq!(header(&page.respond(), "vary"), "Accept-Language, Cookie, Origin");
    }

    #[test]
    fn a_file_is_saved_under_its_name_and_never_shown_in_our_origin() {
        let response = Page::download("text/csv", "a\"; filename=evil.html\r\n<ñ>.csv", vec![1]).respond();
        assert_eq!(
            header(&response, "content-disposition"),
            "attachment; filename=\"a___filename_evil.html_____.csv\"; \
             filename*=UTF-8''a%22%3B%20filename%3Devil.html%0D%0A%3C%C3%B1%3E.csv"
        );
        assert!(response.is_base64_encoded);
    }

    #[test]
    fn a_session_cookie_is_out_of_reach_for_scripts_and_other_sites_and_is_taken_back_at_sign_out() {
        let signed_in = Page::to("/dashboard/overview").with_session("secret").respond();
        assert_eq!(
            signed_in.cookies[0],
            "__Host-session=secret; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=43200"
        );
        let signed_out = Page::to("/dashboard/sign-in").signed_out().respond();
        assert!(signed_out.cookies[0].ends_with("Max-Age=0"));
        assert_eq!(header(&signed_out, "clear-site-data"), "\"cache\", \"cookies\", \"storage\"");
    }

    #[test]
    fn a_player_gets_the_part_that_it_asks_for() {
        let part = |range: Option<&str>| {
            let response = Page::inline("audio/wav", (0..10).collect()).ranged(range).respond();
            let bytes = match response.body {
                Some(Body::Binary(ref bytes)) => bytes.clone(),
                _ => vec![],
            };
            (response.status_code, bytes, header(&response, "content-range").to_owned())
        };
        assert_eq!(part(None), (200, (0..10).collect(), String::new()));
        assert_eq!(part(Some("bytes=2-4")), (206, vec![2, 3, 4], "bytes 2-4/10".into()));
        assert_eq!(part(Some("bytes=8-")), (206, vec![8, 9], "bytes 8-9/10".into()));
        assert_eq!(part(Some("bytes=-3")), (206, vec![7, 8, 9], "bytes 7-9/10".into()));
        assert_eq!(part(Some("bytes=5-99")), (206, vec![5, 6, 7, 8, 9], "bytes 5-9/10".into()));
        assert_eq!(part(Some("bytes=10-")), (416, vec![], "bytes */10".into()));
        assert_eq!(part(Some("bytes=-0")), (416, vec![], "bytes */10".into()));
        for ignored in ["bytes=a-b", "items=0-1", "bytes=0-1,3-4", "bytes=4-2x", "bytes=5-2"] {
            assert_eq!(part(Some(ignored)).0, 200, "{ignored}");
        }
    }

    #[test]
    fn the_language_is_the_one_that_the_browser_prefers_of_ours() {
        for (accept, language) in [
            (None, Language::English),
            (Some("es-MX,es;q=0.9,en;q=0.8"), Language::Spanish),
            (Some("en-US,en;q=0.9,es;q=0.8"), Language::English),
            (Some("fr, es;q=0.4, en;q=0.5"), Language::English),
            (Some("fr, es;q=0.4"), Language::Spanish),
            (Some("es;q=0"), Language::English),
            (Some(";;;,q=,"), Language::English),
        ] {
            assert_eq!(preferred(accept), language, "{accept:?}");
        }
    }

    #[test]
    fn after_signing_in_people_go_to_a_page_of_ours_and_nowhere_else() {
        assert_eq!(safe_next("/dashboard/request/1234?x=1"), "/dashboard/request/1234?x=1");
        for elsewhere in [
            "",
            "/",
            "//evil.example",
            "https://evil.example",
            "/dashboard//evil.example",
            "/dashboard\\evil",
            "/dashboard/\r\nset-cookie: x",
            "javascript:alert(1)",
            "/voice/answer",
        ] {
            assert_eq!(safe_next(elsewhere), "/dashboard/overview", "{elsewhere:?}");
        }
    }

    #[test]
    fn what_a_visit_holds_is_not_printed() {
        let fields: Fields = [("password", "hunter2 hunter2")].into_iter().collect();
        assert_eq!(format!("{fields:?}"), "{\"password\"}");
    }

    #[test]
    fn a_problem_has_the_status_that_fits_and_a_page_that_says_what_to_do() {
        let known = Known {
            language: Language::Spanish,
            path: "/dashboard/team".into(),
            post: false,
            wants_json: false,
            public: false,
            frame: None,
        };
        let status = |error: &Error| translate(error, &known, "r-1").respond().status_code;
        assert_eq!(status(&Error::NotFound), 404);
        assert_eq!(status(&Error::Conflict), 409);
        assert_eq!(status(&Error::TooLarge), 413);
        assert_eq!(status(&Error::StaleForm), 403);
        assert_eq!(status(&Error::invalid("x", "y")), 422);
        assert_eq!(status(&Error::Failed { doing: "x", source: "y".into() }), 500);
        let throttled =
            translate(&Error::Throttled { retry_after: SignedDuration::from_secs(61) }, &known, "").respond();
        assert_eq!((throttled.status_code, header(&throttled, "retry-after")), (429, "61"));
        let forbidden = translate(&Error::Forbidden { permission: domain::role::Permission::ManageTeam }, &known, "");
        assert!(String::from_utf8(forbidden.body).unwrap().contains("Titular"));
        for (error, to) in [
            (Error::SignedOut, "/dashboard/sign-in?next=%2Fdashboard%2Fteam"),
            (Error::Unconfirmed, "/dashboard/confirm?next=%2Fdashboard%2Fteam"),
        ] {
            assert_eq!(header(&translate(&error, &known, "").respond(), "location"), to);
        }
    }

    #[test]
    fn a_sites_script_can_read_why_something_was_not_taken_and_no_page_of_ours_is_read_elsewhere() {
        for (public, readable) in [(true, "*"), (false, "")] {
            for wants_json in [true, false] {
                let (path, frame) = ("/forms/12/requests".to_owned(), None);
                let known = Known { language: Language::English, path, post: true, wants_json, public, frame };
                for error in [
                    Error::TooLarge,
                    Error::invalid("body", "It is not JSON."),
                    Error::Failed { doing: "x", source: "y".into() },
                ] {
                    let answer = translate(&error, &known, "r-1").respond();
                    let allowed = answer.headers.get("access-control-allow-origin");
                    assert_eq!(allowed.map_or("", |it| it.to_str().unwrap()), readable, "{error}");
                }
            }
        }
    }

    #[test]
    fn a_field_may_come_several_times_and_a_flood_of_them_is_cut() {
        let fields = Fields::parse("a=1&b=%C3%B1+x&a=2&c".as_bytes());
        assert_eq!(fields.get("a"), "1");
        assert_eq!(fields.all("a"), ["1", "2"]);
        assert_eq!(fields.get("b"), "ñ x");
        assert!(fields.has("c") && !fields.has("d"));
        assert_eq!(fields.get("d"), "");
        assert_eq!(Fields::parse("a=1&".repeat(5000).as_bytes()).iter().count(), FIELDS);
    }

    #[test]
    fn a_segment_is_decoded_once() {
        assert_eq!(decode("a%20b+c"), "a b+c");
        assert_eq!(decode("%252e"), "%2e");
        assert_eq!(decode(""), "");
    }

    #[test]
    fn a_header_cannot_be_split_by_what_is_put_into_it() {
        let response = Page::to("/dashboard/x\r\nset-cookie: a=b").respond();
        assert_eq!(header(&response, "location"), "");
        let file = Page::download("text/csv", "a\"b\r\nñ.csv", vec![]).respond();
        let disposition = header(&file, "content-disposition");
        assert_eq!(disposition, "attachment; filename=\"a_b___.csv\"; filename*=UTF-8''a%22b%0D%0A%C3%B1.csv");
    }

    fn posted(headers: &[(&str, &str)], body: &str) -> Request {
        let headers: serde_json::Map<String, serde_json::Value> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let event = serde_json::json!({
            "version": "2.0", "routeKey": "POST /dashboard/sign-in", "rawPath": "/dashboard/sign-in", "rawQueryString": "",
            "headers": headers, "body": body, "isBase64Encoded": false,
            "requestContext": { "http": { "method": "POST", "path": "/dashboard/sign-in" } },
        });
        Request::new(serde_json::from_value(event).unwrap()).unwrap()
    }

    fn anybody() -> Opens {
        Opens::Anybody(Box::new(|_, _| Box::pin(async { Err(Error::NotFound) })), DOOR_BYTES)
    }

    fn signed_in() -> Opens {
        Opens::SignedIn(Box::new(|_, _, _| Box::pin(async { Err(Error::NotFound) })))
    }

    fn kind_of(result: Result<(), Error>) -> &'static str {
        result.map_or_else(|error| error.kind(), |()| "ours")
    }

    /// What becomes of a form that is sent with these headers and this code.
    async fn check(headers: &[(&str, &str)], code: &str) -> &'static str {
        let config = Config { public_base_url: Some("https://hotline.example".into()), ..Config::default() };
        let app = App::new(config, Clock::System);
        let tickets = Tickets::new(&"k".repeat(64)).unwrap();
        let request = posted(headers, &format!("csrf={code}&email=ana"));
        let at = Timestamp::UNIX_EPOCH;
        let mut visit = Visit::get("/dashboard/sign-in", Language::English, Client::default(), "", at);
        visit.post = true;
        let read = read_body(&request, &anybody(), &mut visit).await;
        kind_of(read.and_then(|()| check_form(&app, &request, &tickets, "this browser", &visit)))
    }

    #[tokio::test]
    async fn a_form_is_ours_if_its_code_is_this_browsers_and_a_page_of_ours_sent_it() {
        let tickets = Tickets::new(&"k".repeat(64)).unwrap();
        let (ours, another) = (tickets.mac(CSRF, "this browser"), tickets.mac(CSRF, "another browser"));
        let origin = ("origin", "https://hotline.example");
        assert_eq!(check(&[origin, ("sec-fetch-site", "same-origin")], &ours).await, "ours");
        // Old browsers say nothing of where a form comes from; the code is enough.
        assert_eq!(check(&[], &ours).await, "ours");
        assert_eq!(check(&[origin], &another).await, "StaleForm");
        assert_eq!(check(&[origin], "").await, "StaleForm");
        for lie in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://hotline.example"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            assert_eq!(check(&[lie], &ours).await, "StaleForm", "{lie:?}");
        }
    }

    #[tokio::test]
    async fn a_body_is_bounded_and_a_file_comes_without_its_path() {
        let mut visit = Visit::get("/x", Language::English, Client::default(), "", Timestamp::UNIX_EPOCH);
        let large = posted(&[], &"x".repeat(FORM_BYTES + 1));
        assert_eq!(kind_of(read_body(&large, &anybody(), &mut visit).await), "TooLarge");
        // Where files are taken, a file arrives whoever sends it: the handler says what becomes of it.
        let takes_files = Opens::Anybody(Box::new(|_, _| Box::pin(async { Err(Error::NotFound) })), UPLOAD_BYTES);
        let body = format!(
            "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n{}\r\n--b--\r\n",
            "x".repeat(2 * DOOR_BYTES)
        );
        let file = posted(&[("content-type", "multipart/form-data; boundary=b")], &body);
        assert_eq!(kind_of(read_body(&file, &anybody(), &mut visit).await), "TooLarge");
        read_body(&file, &takes_files, &mut visit).await.unwrap();
        assert_eq!(visit.files.pop().map(|file| file.bytes.len()), Some(2 * DOOR_BYTES));
        let body = "--b\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\ncode\r\n\
                    --b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"C:\\\\x\\\\a.txt\"\r\n\r\nhello\r\n--b--\r\n";
        let form = posted(&[("content-type", "multipart/form-data; boundary=b")], body);
        read_body(&form, &signed_in(), &mut visit).await.unwrap();
        assert_eq!(visit.form.get("csrf"), "code");
        assert_eq!((visit.files[0].name.as_str(), visit.files[0].bytes.as_slice()), ("a.txt", b"hello".as_slice()));
        let torn = posted(&[("content-type", "multipart/form-data; boundary=b")], "--b\r\ncontent-dispo");
        assert_eq!(kind_of(read_body(&torn, &signed_in(), &mut visit).await), "Invalid");
    }

    #[test]
    fn whoever_has_a_page_already_is_told_so_in_a_few_bytes() {
        let page = |known: Option<&str>| Page::html(html! { p { "x" } }).tagged(known).respond();
        let first = page(None);
        let tag = header(&first, "etag").to_owned();
        assert!(first.status_code == 200 && tag.len() == 26, "{tag}");
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let again = page(Some(&known));
            assert_eq!((again.status_code, again.body.is_none()), (304, true), "{known}");
            assert_eq!(header(&again, "etag"), tag);
        }
        assert_eq!(page(Some("\"other\"")).status_code, 200);
        assert_eq!(Page::html(html! {}).with_status(404).tagged(Some("*")).respond().status_code, 404);
    }

    #[test]
    fn an_asset_is_kept_for_good_and_an_upload_may_go_to_its_bucket() {
        let asset = Page::inline("text/css", vec![1]).immutable().respond();
        assert!(header(&asset, "cache-control").contains("immutable"));
        let upload = Page::html(html! {}).with_form_action("https://bucket.example").respond();
        assert!(header(&upload, "content-security-policy").contains("form-action 'self' https://bucket.example;"));
    }

    proptest! {
        #[test]
        fn whatever_next_is_it_stays_within_the_dashboard(next in ".{0,60}") {
            prop_assert!(safe_next(&next).starts_with("/dashboard/"));
        }

        #[test]
        fn whatever_follows_our_path_no_browser_takes_it_for_another_origin(rest in "[ -~]{0,60}") {
            let next = format!("/dashboard/{rest}");
            let base = url::Url::parse("https://hotline.example/").unwrap();
            let went = base.join(safe_next(&next)).unwrap();
            prop_assert_eq!(went.host_str(), Some("hotline.example"));
            prop_assert_eq!(went.scheme(), "https");
        }

        #[test]
        fn an_address_reads_back_as_it_was_written(value in ".{0,40}") {
            let address = with_query("/dashboard/x", &[("next", &value)]);
            let (_, query) = address.split_once('?').unwrap();
            let fields = Fields::parse(query.as_bytes());
            prop_assert_eq!(fields.get("next"), value);
        }

        #[test]
        fn any_range_gives_a_part_of_the_body_or_says_that_there_is_none(range in "bytes=[0-9]{0,3}-[0-9]{0,3}") {
            let whole: Vec<u8> = (0..100).collect();
            let page = Page::inline("audio/mpeg", whole.clone()).ranged(Some(&range));
            match page.status {
                200 => prop_assert_eq!(page.body, whole),
                206 => prop_assert!(!page.body.is_empty() && whole.windows(page.body.len()).any(|w| w == page.body)),
                416 => prop_assert!(page.body.is_empty()),
                other => prop_assert!(false, "{}", other),
            }
        }

        #[test]
        fn a_segment_of_a_path_is_read_back_as_it_was_written(text in "[^/]{0,40}") {
            let written: String = form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20");
            prop_assert_eq!(decode(&written), text);
        }

        #[test]
        fn no_range_and_no_header_breaks_an_answer(range in ".{0,30}", accept in ".{0,30}") {
            let _ = Page::inline("audio/wav", vec![0; 7]).ranged(Some(&range)).with_header("x-test", accept.clone()).respond();
            let _ = preferred(Some(&accept));
        }
    }
}
