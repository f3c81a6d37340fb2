//! `GET /status/photo-id`: takes a photo of an identity document, where the business takes them, the law allows it for this
//! request, and the team has begun to verify.
//!
//! The photo goes from the browser straight to S3, with a form signed here for one name, one type, a size and ten minutes;
//! this function may write there and read nothing back. S3 sends the browser back with a ticket, and the photo is noted
//! with the request. What it is, is checked by its content where somebody of the team opens it.

use domain::audit::Act;
use domain::verification::Ask;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use pages::Icon;
use pages::fill;
use pages::form::{self, Button, Field};
use pages::show::{Card, Notice};
use platform::blob::{PHOTO_BYTES, UploadForm, UploadId};
use platform::edge::{Page, Visit};
use platform::store::{Added, MOST_PHOTOS, Photo, ServiceCodeAccount};
use platform::{App, Error};
use serde::{Deserialize, Serialize};

use crate::case_texts::Texts;
use crate::looking;
use crate::site;
use crate::whose;

/// The purpose of the ticket that an upload comes back with.
const UPLOAD: &str = "photo-id";
/// The form is good for ten minutes; an upload may take a few more.
const LIVES: SignedDuration = SignedDuration::from_mins(20);

/// Which photo, and when its form was given.
#[derive(Serialize, Deserialize)]
struct Ticket {
    id: String,
    at: Timestamp,
}

/// Shows the form, or notes what was uploaded with it.
pub async fn handle(app: &App, mut visit: Visit) -> Result<Page, Error> {
    let Some(proven) = app.proven(&visit).await? else { return Ok(Page::to("/status/identity")) };
    let store = app.store.of(&proven.tenant);
    let account = whose::account(app, &proven).await?;
    visit.language = site::spoken(visit.language, &account.code);
    let texts = Texts::of(visit.language);
    let history = store.history(&proven.reference).await?;
    if !whose::asked_now(&history, &whose::policy(&history, &account)?, Ask::PhotoId) {
        let main = html! { p.actions { (Button::primary(texts.back).to("/status/case")) } };
        return Ok(looking::page(&visit, Some(&account), texts.photo_not_asked, &main).with_status(404));
    }
    let tickets = app.tickets().await?;
    // S3 appends to the address what it has stored, some stores with a second question mark.
    let upload = visit.query.get("upload").split('?').next().unwrap_or_default();
    let mut gone = false;
    if !upload.is_empty() {
        if let Ok(ticket) = tickets.open::<Ticket>(UPLOAD, &proven.context(), visit.at, upload) {
            let photo = Photo { id: ticket.id, at: ticket.at };
            let known = history.photos.contains(&photo);
            let entry = whose::entry(&visit, &proven, Act::PhotoIdGiven);
            if known || store.add_photo(&proven.reference, &photo, &entry).await? == Added::Done(()) {
                return Ok(Page::to("/status/case?done=photo#photo"));
            }
        }
        gone = true;
    }
    if history.photos.len() >= MOST_PHOTOS {
        let business = [("business", account.code.name.as_str())];
        let main = html! {
            @if gone { (Notice::warning(texts.photo_gone)) }
            p.lede { (fill(texts.photo_enough, &business)) }
            p.actions { (Button::primary(texts.back).to("/status/case")) }
        };
        return Ok(looking::page(&visit, Some(&account), texts.photo, &main));
    }
    let id = UploadId::random()?;
    let ticket = Ticket { id: id.as_str().to_owned(), at: visit.at };
    let ticket = tickets.seal(UPLOAD, &proven.context(), visit.at + LIVES, &ticket)?;
    let back = format!("{}/status/photo-id?upload={ticket}", app.config.public_base_url()?);
    let upload = app.blobs.photo_form(&id, &back, visit.at)?;
    let main = body(texts, &account, &upload, gone);
    let page = looking::page(&visit, Some(&account), texts.photo, &main);
    app.renew(page.with_form_action(upload.origin), &proven, visit.at).await
}

fn body(texts: &Texts, account: &ServiceCodeAccount, upload: &UploadForm, gone: bool) -> Markup {
    let business = [("business", account.code.name.as_str())];
    // No token of ours: the form goes to S3, which knows its signature.
    html! {
        @if gone { (Notice::warning(texts.photo_gone)) }
        p.lede { (fill(texts.photo_lede, &business)) }
        p { (fill(texts.photo_why, &business)) }
        p { (texts.photo_cover) }
        (Card::new(texts.photo_go).id("photo").body(html! {
            form.form #upload method="post" action=(upload.action) enctype="multipart/form-data" data-once
                data-most-bytes=(PHOTO_BYTES) data-too-large=(texts.photo_large) data-wrong-type=(texts.photo_type) {
                @for (name, value) in &upload.fields { (form::hidden(name, value)) }
                (Field::file("file", texts.photo_file, ".jpg,.jpeg,.png,.webp,.pdf").hint(texts.photo_hint).required())
                p.note { (texts.photo_back) }
                (form::actions(&html! { (Button::primary(texts.photo_send).icon(Icon::Upload)) }))
            }
        }))
        p { (Button::quiet(texts.back).to("/status/case")) }
    }
}
