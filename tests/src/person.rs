//! Somebody with a browser, as far as HTTP goes: keeps cookies, follows redirects, fills in the forms that it is shown.
//!
//! The local cloud gives every client the same address, so limits per client would count all tests together. Whoever
//! signs in here has those counters cleared when they are in the way; limits per account stay.

use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use jiff::Timestamp;
use serde_json::{Value, json};
use url::Url;

use crate::hotline::{Hotline, order};
use crate::unseal::sha256;
use crate::wire;

/// What a client's address is on the local cloud.
const ADDRESS: &str = "127.0.0.1";

/// A browser, and whoever sits before it.
pub struct Person<'a> {
    hotline: &'a Hotline,
    cookies: BTreeMap<String, String>,
}

/// What somebody signs in with.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The address.
    pub email: String,
    /// The password.
    pub password: String,
    /// The authenticator app's secret, in base 32.
    pub totp_secret: String,
    /// The recovery codes; each is good once.
    pub recovery_codes: Vec<String>,
}

/// A page, or whatever came instead.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Where it was found, after all redirects.
    pub target: String,
    /// The answer.
    pub answer: wire::Answer,
}

/// A form as it stands on a page.
#[derive(Clone, Debug)]
pub struct Form {
    /// Where it goes.
    pub action: String,
    /// What it would send if nobody touched it.
    pub fields: Vec<(String, String)>,
}

impl Form {
    /// The value that a field has.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(there, _)| there == name).map(|(_, value)| value.as_str())
    }
}

impl Seen {
    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.answer.status
    }

    /// Whether no function has seen the request: API Gateway knows no such route.
    #[must_use]
    pub fn is_gateways(&self) -> bool {
        let said = serde_json::from_slice::<Value>(&self.answer.body).unwrap_or_default();
        (self.status(), said) == (404, json!({ "message": "Not Found" }))
    }

    /// The page's HTML.
    #[must_use]
    pub fn text(&self) -> String {
        self.answer.text()
    }

    /// The path, without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Every form, in order.
    #[must_use]
    pub fn forms(&self) -> Vec<Form> {
        let html = self.text();
        let mut forms = vec![];
        let mut rest = html.as_str();
        while let Some(start) = rest.find("<form") {
            let form = &rest[start..];
            let end = form.find("</form>").expect("a form that ends");
            let (form, after) = form.split_at(end);
            let action = attribute(tag_at(form), "action").unwrap_or_default();
            let action = if action.is_empty() { self.path().to_owned() } else { action };
            forms.push(Form { action, fields: fields(form) });
            rest = after;
        }
        forms
    }

    /// The form that has all these fields.
    #[must_use]
    pub fn form(&self, names: &[&str]) -> Form {
        let forms = self.forms();
        let found = forms.into_iter().find(|form| names.iter().all(|name| form.value(name).is_some()));
        found.unwrap_or_else(|| {
            panic!("{} ({}) has no form with {names:?}: {}", self.target, self.status(), self.text())
        })
    }

    /// The text in the element with an attribute, without the elements in it.
    #[must_use]
    pub fn marked(&self, attribute: &str) -> Vec<String> {
        let html = self.text();
        let start = html.find(attribute).unwrap_or_else(|| panic!("{} has no {attribute}: {html}", self.target));
        let name_start = html[..start].rfind('<').expect("a tag") + 1;
        let name = html[name_start..start].split_whitespace().next().expect("a name").to_owned();
        let inside = &html[start..];
        let inside = &inside[inside.find('>').expect("the tag's end") + 1..];
        let inside = &inside[..inside.find(&format!("</{name}>")).expect("the element's end")];
        let texts = inside.split('<').enumerate().filter_map(|(at, piece)| {
            let text = if at == 0 { piece } else { piece.split_once('>')?.1 };
            Some(unescape(text.trim())).filter(|text| !text.is_empty())
        });
        texts.collect()
    }
}

/// What holds for every answer of the dashboard, whoever asks for what: it is an answer, and it has the headers without
/// which none leaves. Every exchange of a [`Person`] is held to it.
fn is_guarded(method: &str, seen: &Seen) {
    let what = format!("{method} {:.200} ({})", seen.target, seen.status());
    assert!(seen.status() < 500, "{what}: {}", seen.text());
    if !seen.path().starts_with("/dashboard") || seen.is_gateways() {
        return;
    }
    let header =
        |name: &str| seen.answer.header(name).unwrap_or_else(|| panic!("{what} lacks {name}: {}", seen.text()));
    let policy = header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{what}: {policy}");
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{what}: {policy}");
    assert!(header("strict-transport-security").contains("max-age="), "{what}");
    assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(header("x-frame-options"), "DENY", "{what}");
    assert_eq!(header("referrer-policy"), "same-origin", "{what}");
    assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{what}");
    assert_eq!(header("cross-origin-resource-policy"), "same-origin", "{what}");
    let public = seen.path().starts_with("/dashboard/asset/") && seen.status() == 200;
    assert_eq!(header("cache-control") == "no-store", !public, "{what}");
    assert!(seen.answer.header("access-control-allow-origin").is_none(), "{what}");
    for cookie in seen.answer.headers("set-cookie") {
        for part in ["__Host-", "Secure", "HttpOnly", "SameSite=", "Path=/"] {
            assert!(cookie.contains(part), "{what}: {cookie}");
        }
        assert!(!cookie.contains("Domain") && !public, "{what}: {cookie}");
    }
    if let Some(next) = seen.answer.header("location") {
        assert!(next.starts_with("/dashboard/") && !next.contains("//"), "{what} leads away: {next}");
    }
}

impl<'a> Person<'a> {
    /// Somebody whom nobody knows yet.
    #[must_use]
    pub fn new(hotline: &'a Hotline) -> Self {
        Self { hotline, cookies: BTreeMap::new() }
    }

    /// The owner of a tenant made for the occasion, who has just accepted their invitation and is signed in. The tenant
    /// has one service code for each given.
    pub async fn owner_of(hotline: &'a Hotline, slug: &str, codes: &[crate::hotline::Code]) -> (Self, Keys, String) {
        let email = format!("{slug}@shop.example");
        let mut wanted = order(slug, codes, &[]);
        wanted["tenant"]["owner"] = json!({ "email": email, "name": "Olga Owner", "language": "en" });
        let done = hotline.provision(&wanted).await.unwrap_or_else(|why| panic!("{slug}: {why}"));
        let link = done["invitation"].as_str().unwrap_or_else(|| panic!("{slug} was there already: {done}"));
        let mut person = Self::new(hotline);
        let keys = person.accept(link, &email).await;
        (person, keys, done["tenant"].as_str().expect("an id").to_owned())
    }

    /// Accepts an invitation; afterwards the person is signed in.
    pub async fn accept(&mut self, link: &str, email: &str) -> Keys {
        let password = format!("four plain words {email}x");
        let password = password.replace(['@', '.', '-'], " quiet ");
        self.hotline.clear_client_tries().await;
        let at = link.find("/dashboard/").expect("a link to the dashboard");
        let page = self.get(&link[at..]).await;
        let page = self.submit(&page, &["name", "password"], &[("name", "Olga Owner"), ("password", &password)]).await;
        let totp_secret = page.marked("data-totp-secret").concat().replace(' ', "");
        // The code before the one of the moment, so that two are left to sign in with at once.
        let mut page = self.submit(&page, &["secret", "code"], &[("code", &totp(&totp_secret, -1))]).await;
        if !page.text().contains("data-recovery-codes") {
            // The moment turned meanwhile.
            page = self.submit(&page, &["secret", "code"], &[("code", &totp(&totp_secret, -1))]).await;
        }
        let recovery_codes = page.marked("data-recovery-codes");
        assert_eq!(recovery_codes.len(), 10, "{}", page.text());
        Keys { email: email.to_owned(), password, totp_secret, recovery_codes }
    }

    /// What a demo owner of `make up` signs in with.
    #[must_use]
    pub fn demo_owner(hotline: &Hotline) -> Keys {
        let owner = hotline.at.owners().into_iter().next().expect("a demo owner in stack.json");
        let text = |name: &str| owner[name].as_str().unwrap_or_else(|| panic!("{name} of the owner")).to_owned();
        let codes = owner["recovery_codes"].as_array().expect("recovery codes").iter();
        Keys {
            email: text("email"),
            password: text("password"),
            totp_secret: text("totp_secret"),
            recovery_codes: codes.map(|code| code.as_str().expect("a code").to_owned()).collect(),
        }
    }

    /// Shows e-mail and password: the page that comes next.
    pub async fn show_password(&mut self, email: &str, password: &str) -> Seen {
        self.hotline.clear_client_tries().await;
        for _ in 0..20 {
            let page = self.get("/dashboard/sign-in").await;
            let typed = [("email", email), ("password", password)];
            let seen = self.submit(&page, &["email", "password"], &typed).await;
            if seen.status() != 429 {
                return seen;
            }
            self.hotline.clear_client_tries().await;
        }
        panic!("no place among the tries of all tests");
    }

    /// Signs in with the password and a code of the app; `steps` from now, -1, 0 or 1: each is good once.
    pub async fn sign_in(&mut self, keys: &Keys, steps: i64) -> Seen {
        let page = self.show_password(&keys.email, &keys.password).await;
        assert_eq!(page.path(), "/dashboard/second-factor", "{}", page.text());
        self.submit(&page, &["by", "code"], &[("code", &totp(&keys.totp_secret, steps))]).await
    }

    /// Signs in with the password and a recovery code.
    pub async fn sign_in_by_recovery(&mut self, keys: &Keys, code: usize) -> Seen {
        let page = self.show_password(&keys.email, &keys.password).await;
        let mut form = page.form(&["by", "code"]);
        form.fields.retain(|(name, _)| name == "csrf");
        let typed = [("by", "recovery"), ("code", keys.recovery_codes[code].as_str())];
        self.send_form(&form, &typed).await
    }

    /// Has the session at hand be of another role, as if an owner had given it: pages ask the session.
    pub async fn become_a(&self, role: &str) {
        self.alter_session("role", json!({ "S": role })).await;
    }

    /// Has the session at hand have signed in, been confirmed or used, or end at another time.
    pub async fn alter_session_time(&self, what: &str, seconds_from_now: i64) {
        #[expect(clippy::disallowed_methods, reason = "sessions are counted by the clock on the wall")]
        let at = Timestamp::now().as_second() + seconds_from_now;
        self.alter_session(what, json!({ "N": at.to_string() })).await;
    }

    async fn alter_session(&self, attribute: &str, value: Value) {
        let secret = self.cookies.get("__Host-session").expect("a session");
        let key = format!("session#{}", sha256(secret.as_bytes()));
        let input = json!({
            "TableName": self.hotline.table("sessions"),
            "Key": { "pk": { "S": key } },
            "UpdateExpression": "SET #attribute = :value",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeNames": { "#attribute": attribute },
            "ExpressionAttributeValues": { ":value": value },
        });
        self.hotline.cloud.call("dynamodb:UpdateItem", input).await;
    }

    /// The code that every form shown to the session at hand has.
    pub async fn csrf(&mut self) -> String {
        let page = self.get("/dashboard/account").await;
        page.form(&["csrf"]).value("csrf").expect("a code").to_owned()
    }

    /// The value of a cookie.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Has the browser hold a cookie, wherever it comes from.
    pub fn hold(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    /// A page, after all redirects.
    pub async fn get(&mut self, target: &str) -> Seen {
        self.follow("GET", target, &[], vec![]).await
    }

    /// A request without following where it leads.
    pub async fn once(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Seen {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut all = vec![("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")];
        if !headers.iter().any(|(name, _)| *name == "accept-language") {
            all.push(("accept-language", "en"));
        }
        if !cookies.is_empty() {
            all.push(("cookie", cookies.as_str()));
        }
        all.extend(headers);
        let answer = self.hotline.exchange(method, target, &all, body).await;
        for line in answer.headers("set-cookie") {
            let (name, value) = line.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            if value.is_empty() || line.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let seen = Seen { target: target.to_owned(), answer };
        is_guarded(method, &seen);
        seen
    }

    /// Sends fields, with what a browser says of a form of ours.
    pub async fn post(&mut self, target: &str, fields: &[(&str, &str)]) -> Seen {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let origin = self.origin();
        let headers = [
            ("origin", origin.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        self.follow("POST", target, &headers, body.into_bytes()).await
    }

    /// Sends fields and one file.
    pub async fn post_multipart(&mut self, target: &str, fields: &[(&str, &str)], file: (&str, &str, &[u8])) -> Seen {
        const BOUNDARY: &str = "----------------------------tests";
        let mut body = vec![];
        for (name, value) in fields {
            let part = format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend(part.into_bytes());
        }
        let (field, name, bytes) = file;
        let head = format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
             content-type: application/octet-stream\r\n\r\n"
        );
        body.extend(head.into_bytes());
        body.extend(bytes);
        body.extend(format!("\r\n--{BOUNDARY}--\r\n").into_bytes());
        let (origin, kind) = (self.origin(), format!("multipart/form-data; boundary={BOUNDARY}"));
        let headers = [("origin", origin.as_str()), ("sec-fetch-site", "same-origin"), ("content-type", kind.as_str())];
        self.follow("POST", target, &headers, body).await
    }

    /// What a page's script does.
    pub async fn json(&mut self, target: &str, csrf: &str, body: &Value) -> Seen {
        let origin = self.origin();
        let headers = [
            ("origin", origin.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/json"),
            ("x-csrf", csrf),
        ];
        self.once("POST", target, &headers, body.to_string().as_bytes()).await
    }

    /// Fills in the form that has these fields, and sends it.
    pub async fn submit(&mut self, page: &Seen, names: &[&str], typed: &[(&str, &str)]) -> Seen {
        self.send_form(&page.form(names), typed).await
    }

    /// Sends a form with what was typed in the place of what was there.
    pub async fn send_form(&mut self, form: &Form, typed: &[(&str, &str)]) -> Seen {
        let untouched = form.fields.iter().filter(|(name, _)| !typed.iter().any(|(known, _)| known == name));
        let untouched = untouched.map(|(name, value)| (name.as_str(), value.as_str()));
        let fields: Vec<(&str, &str)> = untouched.chain(typed.iter().copied()).collect();
        self.post(&form.action, &fields).await
    }

    /// The product's own origin.
    #[must_use]
    pub fn origin(&self) -> String {
        self.hotline.line.stack().base_url.origin().ascii_serialization()
    }

    async fn follow(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Seen {
        let mut seen = self.once(method, target, headers, &body).await;
        for _ in 0..6 {
            let next = seen.answer.header("location").filter(|_| seen.status() == 303).map(str::to_owned);
            let Some(next) = next else { return seen };
            assert!(next.starts_with('/') && !next.starts_with("//"), "{target} leads away: {next}");
            seen = self.once("GET", &next, &[], &[]).await;
        }
        panic!("{target} leads in a circle");
    }
}

impl Hotline {
    /// Has all clients' counters of tries start again, in the windows of now.
    #[expect(clippy::disallowed_methods, reason = "windows are counted by the clock on the wall")]
    pub async fn clear_client_tries(&self) {
        let quarter = Timestamp::now().as_second() / 900;
        let hour = Timestamp::now().as_second() / 3600;
        let kinds =
            ["password-client", "factor-client", "passkey-client", "link-client", "status-client", "code-try-client"];
        let hourly = ["reset-client", "code-client", "message-client"].map(|kind| (kind, hour));
        let windows = kinds.iter().map(|kind| (*kind, quarter)).chain(hourly);
        for (kind, window) in windows {
            let key = format!("throttle#{kind}#{}#{window}", sha256(ADDRESS.as_bytes()));
            let input = json!({ "TableName": self.table("sessions"), "Key": { "pk": { "S": key } } });
            self.cloud.call("dynamodb:DeleteItem", input).await;
        }
    }

    /// Every mail to an address so far, the oldest first: subject and text.
    pub async fn mails(&self, to: &str) -> Vec<(String, String)> {
        let text = |mail: &Value, name: &str| mail[name].as_str().unwrap_or_default().to_owned();
        self.mailbox(to).await.iter().map(|mail| (text(mail, "Subject"), text(mail, "BodyText"))).collect()
    }

    /// Every text message to a telephone so far, the oldest first.
    pub async fn texts(&self, to: &str) -> Vec<String> {
        let mut address = Url::parse(&self.at.aws_endpoint).expect("AWS's address");
        address.set_path("/_ministack/sns/sms-messages");
        address.query_pairs_mut().append_pair("phoneNumber", to);
        let answer = reqwest::Client::builder().no_proxy().build().expect("a client").get(address).send().await;
        let text = answer.expect("the telephones").text().await.expect("a whole answer");
        let all: Value = serde_json::from_str(&text).expect("JSON");
        let texts = all["sms_messages"][to].as_array().cloned().unwrap_or_default();
        texts.iter().map(|text| text["Message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Has every code that was sent for a tenant's requests so far be too old.
    pub async fn expire_codes(&self, tenant: &str) {
        let filter = json!({
            "FilterExpression": "begins_with(pk, :code) AND tenant = :tenant",
            "ExpressionAttributeValues": { ":code": { "S": "code#" }, ":tenant": { "S": tenant } },
        });
        let codes = self.cloud.scan(self.table("sessions"), filter).await;
        assert!(!codes.is_empty(), "no code was sent");
        for code in codes {
            let input = json!({
                "TableName": self.table("sessions"),
                "Key": { "pk": code["pk"] },
                "UpdateExpression": "SET expires_at = :past",
                "ExpressionAttributeValues": { ":past": { "N": "1700000000" } },
            });
            self.cloud.call("dynamodb:UpdateItem", input).await;
        }
    }

    /// The same, as HTML.
    pub async fn mails_html(&self, to: &str) -> Vec<String> {
        self.mailbox(to).await.iter().map(|mail| mail["BodyHtml"].as_str().unwrap_or_default().to_owned()).collect()
    }

    async fn mailbox(&self, to: &str) -> Vec<Value> {
        let address = format!("{}/_ministack/ses/messages", self.at.aws_endpoint);
        let answer = reqwest::Client::builder().no_proxy().build().expect("a client").get(address).send().await;
        let text = answer.expect("the mailbox").text().await.expect("a whole answer");
        let all: Value = serde_json::from_str(&text).expect("JSON");
        let accounts = all["messages"].as_object().expect("messages by account");
        let is_to = |mail: &&Value| mail["To"].as_array().is_some_and(|all| all.iter().any(|one| one == to));
        let mails = accounts.values().filter_map(Value::as_array).flatten().filter(is_to);
        let mut mails: Vec<Value> = mails.cloned().collect();
        mails.sort_by(|a, b| a["Timestamp"].as_f64().partial_cmp(&b["Timestamp"].as_f64()).expect("times"));
        mails
    }
}

/// The code of an authenticator app, some steps of 30 seconds from now (RFC 6238).
#[must_use]
#[expect(clippy::disallowed_methods, reason = "an app asks its own clock")]
pub fn totp(secret: &str, steps: i64) -> String {
    let step = Timestamp::now().as_second() / 30 + steps;
    let mut bits = 0_u64;
    let (mut held, mut key) = (0, vec![]);
    for letter in secret.bytes() {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|known| *known == letter).expect("base 32");
        bits = (bits << 5) | value as u64;
        held += 5;
        if held >= 8 {
            held -= 8;
            key.push(u8::try_from((bits >> held) & 0xff).expect("a byte"));
        }
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let code = hmac::sign(&key, &step.to_be_bytes());
    let code = code.as_ref();
    let offset = usize::from(code[19] & 15);
    let number = u32::from_be_bytes(code[offset..offset + 4].try_into().expect("four bytes")) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

fn tag_at(html: &str) -> &str {
    // No attribute of ours has a `>` in it: it would be escaped.
    &html[..=html.find('>').expect("a tag that ends")]
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let value = &tag[start..];
    Some(unescape(&value[..value.find('"')?]))
}

fn has(tag: &str, name: &str) -> bool {
    tag.trim_end_matches('>').split_whitespace().any(|word| word == name)
}

fn fields(form: &str) -> Vec<(String, String)> {
    let mut fields = vec![];
    for (at, _) in form.match_indices('<') {
        let rest = &form[at..];
        if !["<input", "<select", "<textarea"].iter().any(|kind| rest.starts_with(kind)) {
            continue;
        }
        let tag = tag_at(rest);
        let Some(name) = attribute(tag, "name") else { continue };
        let kind = attribute(tag, "type").unwrap_or_default();
        let value = if rest.starts_with("<select") {
            let list = &rest[..rest.find("</select>").expect("a list that ends")];
            let options = list.match_indices("<option").map(|(at, _)| tag_at(&list[at..]));
            let (mut first, mut chosen) = (None, None);
            for option in options {
                let value = attribute(option, "value").unwrap_or_default();
                if has(option, "selected") {
                    chosen = Some(value.clone());
                }
                first = first.or(Some(value));
            }
            chosen.or(first).unwrap_or_default()
        } else if rest.starts_with("<textarea") {
            let text = &rest[tag.len()..rest.find("</textarea>").expect("a field that ends")];
            unescape(text.strip_prefix('\n').unwrap_or(text))
        } else {
            attribute(tag, "value").unwrap_or_default()
        };
        if !matches!(kind.as_str(), "checkbox" | "radio") || has(tag, "checked") {
            fields.push((name, value));
        }
    }
    fields
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
