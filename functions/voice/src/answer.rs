//! `POST /voice/answer`: somebody calls. Greets and asks for the language.

use domain::phone::E164;
use partners::twilio::twiml::Document;
use platform::call::Call;
use platform::edge::{AGAIN, Webhook};
use platform::store::NumberOwner;
use platform::{App, Error};

use crate::line::Line;

/// Looks up whose number was dialled: a dedicated one needs no service code.
pub async fn handle(app: &App, webhook: Webhook) -> Result<Document, Error> {
    let line = Line::new(app, &webhook).await?;
    let mut call = Call::begin(app.clock.now());
    call.again = webhook.query == AGAIN;
    if let Ok(dialled) = E164::parse(webhook.params.get("To").unwrap_or_default())
        && let NumberOwner::Dedicated(code) = app.store.number(&dialled).await?
    {
        call.dedicated_code = Some(code);
    }
    crate::language::ask(&line, call)
}
