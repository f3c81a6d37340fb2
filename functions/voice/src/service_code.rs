//! `POST /voice/service-code/{call}`: the caller keyed a service code, or dialled a number that has one.
//!
//! Here the call gets its tenant, which is written down once: the callbacks at its end carry nothing but its SID.

use domain::service_code::{Greeting, ServiceCode};
use partners::twilio::twiml::Document;
use platform::call::{Call, Service};
use platform::edge::Webhook;
use platform::store::ServiceCodeAccount;
use platform::tenant::Tenant;
use platform::{App, Error};

use crate::heard::Heard;
use crate::line::{Keys, Lead, Line, goodbye, leads, unanswered};
use crate::{request_kind, texts};

/// This step's word in action URLs.
pub const STEP: &str = "service-code";

/// Asks for the code.
pub(crate) fn ask(line: &Line<'_>, call: Call, lead: Option<&'static str>) -> Result<Document, Error> {
    let prompt = texts::service_code(call.language);
    line.ask(call, STEP, leads(lead), &prompt, Keys::UpTo(8))
}

/// Looks the code up as it is set up at this moment, plays its greeting, and asks what the caller wants.
pub async fn handle(app: &App, webhook: Webhook) -> Result<Document, Error> {
    let line = Line::new(app, &webhook).await?;
    let call = webhook.state(app, STEP).await?;
    if let Some(code) = call.dedicated_code.clone() {
        return match look_up(app, &code).await? {
            Some((_, account)) if !account.tenant.closure.is_open() => closed(&call),
            Some((tenant, account)) if account.code.active => reach(app, &line, call, tenant, account).await,
            _ => goodbye(&call, &texts::way_out(call.language, None)),
        };
    }
    let heard = Heard::from(&webhook);
    let Heard::Keys(keys) = &heard else {
        return ask_again(&line, &call, &heard, None);
    };
    let found = match ServiceCode::parse(keys) {
        Ok(code) => look_up(app, &code).await?,
        Err(_) => None,
    };
    match found {
        // There is nothing that the caller could key: they are told, and need not try again.
        Some((_, account)) if !account.tenant.closure.is_open() => closed(&call),
        Some((tenant, account)) if account.code.active => reach(app, &line, call, tenant, account).await,
        Some(_) => {
            let why = texts::inactive_code(call.language);
            ask_again(&line, &call, &heard, Some(why))
        }
        None => {
            let why = texts::unknown_code(call.language);
            ask_again(&line, &call, &heard, Some(why))
        }
    }
}

/// The business has closed its account: kind words, and the end of the call. It is not billed to the business.
fn closed(call: &Call) -> Result<Document, Error> {
    goodbye(call, texts::closed_business(call.language))
}

async fn look_up(app: &App, code: &ServiceCode) -> Result<Option<(Tenant, ServiceCodeAccount)>, Error> {
    let Some(tenant) = app.store.service_code(code).await? else { return Ok(None) };
    let account = app.store.of(&tenant).service_code(code).await?;
    Ok(account.map(|account| (tenant, account)))
}

async fn reach(
    app: &App,
    line: &Line<'_>,
    mut call: Call,
    tenant: Tenant,
    account: ServiceCodeAccount,
) -> Result<Document, Error> {
    let ServiceCodeAccount { tenant: profile, code } = account;
    let owner = app.store.remember_call(line.sid, &tenant, Some(&code.code), app.clock.now()).await?;
    if owner.tenant != tenant {
        return goodbye(&call, &texts::one_business(call.language));
    }
    app.about(&tenant);
    let mut leads = vec![];
    if !code.languages.contains(&call.language)
        && let Some(language) = code.languages.first()
    {
        call.language = *language;
        leads.push(Lead::Say(texts::only_language(*language)));
    }
    match code.greetings.get(&call.language) {
        Some(Greeting::Text(words)) => leads.push(Lead::Say(words.clone())),
        Some(Greeting::Audio { file }) => leads.push(Lead::Play(line.plain_url(&format!("greeting/{file}"))?)),
        None => {}
    }
    let service = Service {
        code: code.code,
        name: code.name,
        kinds: code.kinds.into_iter().collect(),
        time_zone: profile.time_zone,
        jurisdictions: profile.jurisdictions,
        web_form: code.web_form,
    };
    call.reach(tenant, service);
    request_kind::ask(line, call.asking(request_kind::MENU), leads)
}

fn ask_again(line: &Line<'_>, call: &Call, heard: &Heard, why: Option<&'static str>) -> Result<Document, Error> {
    let language = call.language;
    match unanswered(call, heard) {
        Some((call, lead)) => ask(line, call, why.or(lead)),
        None => goodbye(call, &texts::code_way_out(language)),
    }
}
