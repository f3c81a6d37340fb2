//! Telling people from programs in a consumer's form: the widget, and what its token is worth.
//!
//! It never keeps anybody from their rights. A form without a token is taken, and so is one that nobody could check: the
//! request says so. Whoever asks for what may be verified then confirms it by e-mail; nobody is asked that who opts out or
//! limits (11 CCR 7026(d), 7027(e)). Only a token that its provider gives nothing for brings the form back, with that other
//! way beside it.

use domain::human_check::{ACTION, Provider, Refusal, Settings, Standing, Unchecked};
use domain::language::Language;
use domain::request::Kind;
use maud::{Markup, html};
use pages::form::Check;
use pages::show::Notice;
use pages::{assets, fill};
use partners::captcha::{Attempt, Trouble, Verdict, widget as loads};
use platform::edge::{Page, Visit};
use platform::store::{CheckAccount, FormAccount, NewFormRequest};
use platform::tenant::Tenant;
use platform::{App, Error};
use serde::Serialize;

/// The field by which somebody asks to be taken without the check.
pub const DECLINE: &str = "unchecked";

/// What becomes of a form as far as its human check goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is taken, and the request says this of whoever sent it.
    Taken(Standing),
    /// It goes back, with [`refused`] above the form. Where [`Refusal::may_be_repeated`], look first whether the form's
    /// request is there already: then the token was used up by it.
    Refused(Refusal),
}

/// Whether somebody is asked, by e-mail, if it was they who asked.
#[must_use]
pub fn is_doubted(kind: Kind, standing: Standing) -> bool {
    // Where the business wants no check, nobody doubts anybody.
    kind.may_verify() && standing.is_open() && standing != Standing::Unchecked(Unchecked::NotSetUp)
}

/// What the token of a form is worth.
pub async fn check(
    app: &App,
    tenant: &Tenant,
    account: &FormAccount,
    visit: &Visit,
    new: &NewFormRequest<'_>,
) -> Result<Answer, Error> {
    let unchecked = |why| Ok(Answer::Taken(Standing::Unchecked(why)));
    if account.check_is_damaged {
        tracing::error!(tenant = tenant.id().as_str(), "the human check cannot be read");
        return unchecked(Unchecked::Misconfigured);
    }
    let Some(check) = &account.check else { return unchecked(Unchecked::NotSetUp) };
    if visit.form.has(DECLINE) {
        return unchecked(Unchecked::Declined);
    }
    let token = visit.form.get(check.settings.provider.field());
    if token.is_empty() {
        return unchecked(Unchecked::NoToken);
    }
    let store = app.store.of(tenant);
    // Somebody has to correct it, and nobody's request waits until then.
    let secret = match store.human_check_secret(check).await {
        Ok(secret) => secret,
        Err(error) => {
            let error = error.causes();
            tracing::error!(error, tenant = tenant.id().as_str(), "the human check's secret cannot be read");
            return unchecked(Unchecked::Misconfigured);
        }
    };
    // With other words in it, a form is another question: one token is worth one request.
    let form = store.form_fingerprint(new).await?;
    let attempt = Attempt {
        token,
        address: &visit.client.address,
        agent: &visit.client.agent,
        action: ACTION,
        host: host(app.config.public_base_url()?),
        origins: &account.code.origins,
        form: &form,
        at: visit.at,
    };
    let verdict = app.captcha()?.verify(&check.settings, &secret, &attempt).await;
    let provider = check.settings.provider.code();
    Ok(match verdict {
        Verdict::Human { .. } => Answer::Taken(Standing::Checked),
        Verdict::NotHuman(refusal) => Answer::Refused(refusal),
        Verdict::Unavailable(trouble @ Trouble::Unreachable(_)) => {
            tracing::warn!(provider, "{trouble}");
            Answer::Taken(Standing::Unchecked(Unchecked::Unreachable))
        }
        // Somebody has to correct it, so it is an error of ours, for which an alarm goes off.
        Verdict::Unavailable(trouble @ Trouble::Misconfigured(_)) => {
            tracing::error!(provider, tenant = tenant.id().as_str(), "{trouble}");
            Answer::Taken(Standing::Unchecked(Unchecked::Misconfigured))
        }
    })
}

/// The host of our own address, without scheme and port.
fn host(base_url: &str) -> &str {
    let host = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => host,
    }
}

/// The check within the form of a kind: nothing where none is set up. `business` is whose form it is.
pub fn widget(
    app: &App,
    check: Option<&CheckAccount>,
    language: Language,
    business: &str,
    kind: Kind,
) -> Result<Markup, Error> {
    let Some(check) = check else { return Ok(html! {}) };
    let script = loads::script(&check.settings, language, app.captcha()?.base());
    Ok(markup(&check.settings, language, business, kind, &script))
}

fn markup(settings: &Settings, language: Language, business: &str, kind: Kind, script: &str) -> Markup {
    let texts = Texts::of(language);
    let (provider, key) = (settings.provider, settings.site_key.as_str());
    let named = [("provider", provider.name()), ("business", business)];
    let seen = loads::class(provider);
    html! {
        div.human.field role="group" aria-labelledby="human-label" aria-describedby="human-hint" {
            p.label #human-label { (texts.label) }
            p.hint #human-hint {
                (fill(if seen.is_some() { texts.seen } else { texts.unseen }, &named)) " "
                (if seen.is_some() { texts.other_way } else { texts.if_not })
                @if kind.may_verify() { " " (texts.asked_back) }
            }
            @match seen {
                Some(class) => {
                    div class=(class) data-sitekey=(key) data-action=[provider.says_action().then_some(ACTION)]
                        data-theme=[(provider == Provider::Turnstile).then_some("auto")]
                        data-size=[(provider == Provider::Turnstile).then_some("flexible")]
                        data-language=[(provider == Provider::Turnstile).then_some(language.code())] {}
                }
                None => {
                    div data-human=(provider.code()) data-sitekey=(key) data-action=(ACTION) data-field=(provider.field()) {}
                    input type="hidden" name=(provider.field()) value="";
                    script src=(assets::path("human.js")) defer {}
                }
            }
            noscript { p.hint { (texts.no_script) } }
            script src=(script) async defer {}
        }
    }
}

/// The page with its policy opened for the check's provider, and for nobody where none is set up.
pub fn let_in(app: &App, check: Option<&CheckAccount>, page: Page) -> Result<Page, Error> {
    let Some(check) = check else { return Ok(page) };
    let sources = loads::sources(check.settings.provider, app.captcha()?.base());
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    Ok(page.with_scripts_from(&sources))
}

/// What stands above the form of a kind that came back: why, and the way on without the check.
#[must_use]
pub fn refused(language: Language, refusal: Refusal, kind: Kind) -> Markup {
    let texts = Texts::of(language);
    let why = match refusal {
        Refusal::Expired | Refusal::ExpiredOrDuplicate | Refusal::Duplicate => texts.too_old,
        Refusal::LowScore => texts.unsure,
        Refusal::Invalid | Refusal::WrongHost | Refusal::WrongAction => texts.not_taken,
    };
    html! {
        (Notice::warning(texts.refused).body(html! {
            p { (why) }
            p { (texts.nothing_lost) }
        }))
        (Check::new(DECLINE, texts.decline).hint(if kind.may_verify() { texts.decline_hint_back } else { texts.decline_hint }))
    }
}

#[derive(Serialize)]
struct Texts {
    label: &'static str,
    seen: &'static str,
    unseen: &'static str,
    other_way: &'static str,
    if_not: &'static str,
    no_script: &'static str,
    refused: &'static str,
    too_old: &'static str,
    unsure: &'static str,
    not_taken: &'static str,
    nothing_lost: &'static str,
    asked_back: &'static str,
    decline: &'static str,
    decline_hint: &'static str,
    decline_hint_back: &'static str,
}

impl Texts {
    const EN: Self = Self {
        label: "Show that you are a person",
        seen: "{provider} helps {business} to keep programs out. It learns your network address and about your browser.",
        unseen: "When you send this form, {provider} helps {business} to keep programs out. It learns your network address and about your browser.",
        other_way: "You can also leave it and send the form: your request is taken all the same.",
        if_not: "If that does not work, your request is taken all the same.",
        asked_back: "If you give an e-mail address, we then ask you there whether it was you.",
        no_script: "The check needs JavaScript. Send the form without it: your request is taken all the same.",
        refused: "The check did not take you for a person",
        too_old: "It had been open for too long, or was used before. Please do it once more.",
        unsure: "It was not sure. This happens to people, too.",
        not_taken: "Something went wrong with it. Please do it once more.",
        nothing_lost: "Everything you entered is still here. You can also send your request without the check.",
        decline: "Send without the check",
        decline_hint: "Your request counts from today either way.",
        decline_hint_back: "If you give an e-mail address, we ask you there whether it was you. Your request counts from today either way.",
    };
    const ES: Self = Self {
        label: "Muestre que es una persona",
        seen: "{provider} ayuda a {business} a distinguir a las personas de los programas. Para ello recibe su dirección de red y datos de su navegador.",
        unseen: "Al enviar este formulario, {provider} ayuda a {business} a distinguir a las personas de los programas. Para ello recibe su dirección de red y datos de su navegador.",
        other_way: "También puede omitirla y enviar el formulario: su solicitud se recibe igual.",
        if_not: "Si no funciona, su solicitud se recibe igual.",
        asked_back: "Si da un correo electrónico, allí le preguntamos entonces si fue usted.",
        no_script: "La comprobación necesita JavaScript. Envíe el formulario sin ella: su solicitud se recibe igual.",
        refused: "La comprobación no le tomó por una persona",
        too_old: "Llevaba demasiado tiempo abierta, o ya se había usado. Hágala otra vez, por favor.",
        unsure: "No estaba segura. También les pasa a las personas.",
        not_taken: "Algo salió mal con ella. Hágala otra vez, por favor.",
        nothing_lost: "Todo lo que escribió sigue aquí. También puede enviar su solicitud sin la comprobación.",
        decline: "Enviar sin la comprobación",
        decline_hint: "Su solicitud cuenta desde hoy en cualquier caso.",
        decline_hint_back: "Si da un correo electrónico, allí le preguntamos si fue usted. Su solicitud cuenta desde hoy en cualquier caso.",
    };

    const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &Self::EN,
            Language::Spanish => &Self::ES,
        }
    }
}

#[cfg(test)]
mod tests {
    use partners::captcha::Base;

    use super::*;

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn each_provider_has_its_place_in_the_form_its_words_and_the_other_way() {
        for (provider, language) in Provider::ALL.into_iter().zip(Language::ALL.into_iter().cycle()) {
            let settings = Settings {
                provider,
                site_key: "site-key".into(),
                project: provider.needs_project().then(|| "project".into()),
                least_score: None,
            };
            let script = loads::script(&settings, language, &Base::default());
            let text = markup(&settings, language, "Shop <b>", Kind::Delete, &script).into_string();
            insta::assert_snapshot!(format!("widget_{provider}"), text.replace("><", ">\n<"));
        }
    }

    #[test]
    fn a_token_that_is_refused_brings_the_other_way() {
        for refusal in [Refusal::Invalid, Refusal::ExpiredOrDuplicate, Refusal::LowScore, Refusal::WrongHost] {
            let text = refused(Language::English, refusal, Kind::Delete).into_string();
            assert!(text.contains("name=\"unchecked\"") && text.contains("still here"), "{text}");
        }
    }

    #[test]
    fn whoever_opts_out_or_limits_is_never_asked_whether_it_was_they() {
        let settings =
            Settings { provider: Provider::Turnstile, site_key: "site-key".into(), project: None, least_score: None };
        for kind in Kind::ALL {
            for unchecked in Unchecked::ALL {
                let asks = kind.may_verify() && unchecked != Unchecked::NotSetUp;
                assert_eq!(is_doubted(kind, Standing::Unchecked(unchecked)), asks, "{kind} {unchecked:?}");
            }
            assert!(!is_doubted(kind, Standing::Checked));
            for (language, promise) in [(Language::English, "whether it was you"), (Language::Spanish, "si fue usted")]
            {
                let said = [
                    markup(&settings, language, "Shop", kind, "/x.js").into_string(),
                    refused(language, Refusal::LowScore, kind).into_string(),
                ];
                for said in said {
                    assert_eq!(said.contains(promise), kind.may_verify(), "{kind}: {said}");
                }
            }
        }
    }

    #[test]
    fn the_host_of_an_address_is_what_a_browser_calls_it() {
        for (address, name) in [
            ("https://hotline.example", "hotline.example"),
            ("https://hotline.example:8443", "hotline.example"),
            ("http://ca11ab1e.execute-api.localhost:4566", "ca11ab1e.execute-api.localhost"),
        ] {
            assert_eq!(host(address), name);
        }
    }
}
