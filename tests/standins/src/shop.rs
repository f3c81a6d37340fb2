//! A shop on an origin of its own, with the form in its page, as a business would put it there.
//!
//! It is reached under any name below `localhost`: which names the form is accepted from is for its business to say. What it
//! shows is asked for in the query: `code` (a service code), `lang`, and `hostile=1` for style sheets and scripts that try to
//! break the form or to read it.

use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Deserialize;
use sha2::{Digest, Sha384};

use crate::town::{Stack, Town};

/// What a visitor asks for.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    /// The service code whose form is shown; the first demo tenant's unless another is named.
    #[serde(default)]
    code: Option<String>,
    /// The page's language.
    #[serde(default)]
    lang: Option<String>,
    /// Whether the page turns against the form.
    #[serde(default)]
    hostile: Option<String>,
}

/// A page of the shop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Front,
    Privacy,
    Choices,
}

/// The shop's front: goods, and at its foot what the law asks for.
pub(crate) async fn front(State(town): State<Town>, Query(wanted): Query<Wanted>) -> Response {
    show(&town, &wanted, Shown::Front).await
}

/// The page with the form in it.
pub(crate) async fn privacy(State(town): State<Town>, Query(wanted): Query<Wanted>) -> Response {
    show(&town, &wanted, Shown::Privacy).await
}

/// The page with the choices in it.
pub(crate) async fn choices(State(town): State<Town>, Query(wanted): Query<Wanted>) -> Response {
    show(&town, &wanted, Shown::Choices).await
}

async fn show(town: &Town, wanted: &Wanted, shown: Shown) -> Response {
    let stack = match town.stack() {
        Ok(stack) => stack,
        Err(why) => return not_yet(&why),
    };
    let code = wanted.code.as_deref().unwrap_or(&stack.first_code).to_owned();
    let spanish = wanted.lang.as_deref() == Some("es");
    let lang = if spanish { "es" } else { "en" };
    let script = script(&stack, town, &code, shown == Shown::Privacy).await;
    let main = html! {
        @match shown {
            Shown::Front => {
                h1 { (if spanish { "Ropa para mal tiempo" } else { "Clothes for bad weather" }) }
                ul.goods {
                    @for (name, price) in [("Oilskin coat", "$189"), ("Wool jersey", "$96"), ("Sou'wester", "$41")] {
                        li { span.cloth aria-hidden="true" {} strong { (name) } " " (price) }
                    }
                }
            }
            Shown::Privacy => {
                h1 { (if spanish { "Su privacidad" } else { "Your privacy" }) }
                div data-optline-form=(code) data-lang=(lang) {}
            }
            Shown::Choices => {
                h1 { (if spanish { "Su elección" } else { "Your choice" }) }
                div data-optline-choices=(code) data-lang=(lang) {}
            }
        }
        p data-optline-gpc {}
        (script)
    };
    Html(page(&code, spanish, wanted.hostile.is_some(), &main).into_string()).into_response()
}

fn not_yet(why: &str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, HeaderValue::from_static("5"))], why.to_owned())
        .into_response()
}

/// The script as the dashboard's snippets have it, with the hash of what is served; without the form it only tells the page
/// which browsers have opted out.
async fn script(stack: &Stack, town: &Town, code: &str, form: bool) -> Markup {
    let address = format!("{}/forms/{code}/embed.js", stack.base_url);
    let served = town.get(stack, &address).await.unwrap_or_default();
    let integrity = format!("sha384-{}", BASE64_STANDARD.encode(Sha384::digest(&served)));
    html! { script src=(address) integrity=(integrity) crossorigin="anonymous" defer data-form=[(!form).then_some("none")] {} }
}

fn page(code: &str, spanish: bool, hostile: bool, main: &Markup) -> Markup {
    let lang = if spanish { "es" } else { "en" };
    html! {
        (DOCTYPE)
        html lang=(lang) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Blue Harbor Outfitters" }
                style { (PreEscaped(STYLE)) }
                @if hostile {
                    style { (PreEscaped(HOSTILE_STYLE)) }
                    script { (PreEscaped(HOSTILE_SCRIPT)) }
                }
            }
            body {
                header { a href={ "/shop?code=" (code) "&lang=" (lang) } { "Blue Harbor Outfitters" } }
                main { (main) }
                footer {
                    a href={ "/shop/privacy?code=" (code) "&lang=" (lang) } {
                        (if spanish { "Solicitudes de privacidad" } else { "Privacy requests" })
                    }
                    a href={ "/shop/choices?code=" (code) "&lang=" (lang) } { (if spanish { "Sus opciones de privacidad" } else { "Your Privacy Choices" }) }
                }
            }
        }
    }
}

const STYLE: &str = "body{margin:0;font:18px/1.6 Georgia,serif;color:#22303a;background:#f6f3ec}\
    header{padding:1.2rem 2rem;border-bottom:3px double #22303a;font-size:1.5rem}header a{color:inherit;text-decoration:none}\
    main{max-width:60rem;margin:2rem auto;padding:0 1rem}.goods{display:flex;flex-wrap:wrap;gap:1.5rem;padding:0;list-style:none}\
    .goods li{flex:1 1 12rem}.cloth{display:block;height:9rem;margin-bottom:.5rem;background:repeating-linear-gradient(45deg,#31566b 0 8px,#2a4b5e 8px 16px)}\
    footer{display:flex;flex-wrap:wrap;gap:1rem 2rem;padding:2rem;border-top:1px solid #22303a}footer a{color:#1d4d6b}";

/// What a site's own style sheet might do to everything in it, on purpose or not.
const HOSTILE_STYLE: &str = "*{color:red!important;font-size:4px!important;position:static!important}\
    input,button,label,fieldset{display:none!important}form{visibility:hidden!important}";

/// What a site's own script might do: read the form, send it elsewhere, change what everybody uses.
const HOSTILE_SCRIPT: &str = "window.stolen=[];addEventListener('input',e=>stolen.push(e.target.value),true);\
    addEventListener('message',e=>stolen.push(String(e.data&&e.data.text||'')));\
    addEventListener('load',()=>setInterval(()=>{for(const f of document.querySelectorAll('iframe')){try{stolen.push(f.contentDocument.body.innerText)}catch{}}},200));\
    Array.prototype.map=function(){return[]};window.fetch=()=>Promise.reject(new Error('no'));";
