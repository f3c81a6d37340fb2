//! `dashboard-unsubscribe`: ends a sort of mail, by the link at its end. Mail programs send a POST there by themselves, with
//! no cookie and no code of ours (RFC 8058), so the ticket in the address is all that it takes; it can do nothing else.
//!
//! Looking changes nothing: mail scanners look. Pressing the button twice is pressing it once.

use domain::audit::{Act, Entry, Who};
use domain::language::Language;
use domain::user::{AlertFrequency, Preferences, ReportFrequency, UserProfile, UserState};
use maud::{Markup, html};
use pages::form::{Button, Form, actions};
use pages::show::Notice;
use platform::edge::{Page, Visit};
use platform::mail::Mails;
use platform::{App, Error};
use serde::Serialize;

/// A change that meets another is tried again on what the other left.
const TRIES: usize = 5;

/// Asks, or ends the mails.
pub async fn handle(app: &App, mut visit: Visit) -> Result<Page, Error> {
    let asked = match app.unsubscribing(&visit.segment).await {
        Ok(asked) => asked,
        Err(Error::NotFound) => return Ok(Page::html(gone(visit.language)).with_status(404)),
        Err(error) => return Err(error),
    };
    let tenant = asked.tenant();
    app.about(&tenant);
    let store = app.store.of(&tenant);
    for _ in 0..TRIES {
        let account = store.user(&asked.user).await?.filter(|account| account.state != UserState::Removed);
        // Whoever is not of the team any more gets no mail.
        let Some(account) = account else { return Ok(Page::html(done(&visit, asked.mails))) };
        // In their own language, unless they have just chosen another one.
        if !visit.query.has("lang") {
            visit.language = account.profile.language;
        }
        if !wants(&account.profile.preferences, asked.mails) {
            return Ok(Page::html(done(&visit, asked.mails)));
        }
        if !visit.post {
            return Ok(Page::html(ask(&visit, asked.mails)));
        }
        let preferences = without(&account.profile.preferences, asked.mails);
        let profile = UserProfile { preferences, ..account.profile.clone() };
        let entry = Entry::new(visit.at, Who::System("dashboard-unsubscribe".to_owned()), Act::AccountChanged)
            .on("user", account.id.as_str())
            .from(&visit.client.address)
            .because("by the link at the end of a mail")
            .with("mail", code(asked.mails));
        match store.save_profile(&account, &profile, &entry).await {
            Ok(()) => return Ok(Page::html(done(&visit, asked.mails))),
            Err(Error::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::Conflict)
}

fn wants(preferences: &Preferences, mails: Mails) -> bool {
    match mails {
        Mails::Reports => preferences.reports != ReportFrequency::Never,
        Mails::Alerts => preferences.alerts != AlertFrequency::Never,
        Mails::Reminders => preferences.reminders,
    }
}

fn without(preferences: &Preferences, mails: Mails) -> Preferences {
    let mut left = preferences.clone();
    match mails {
        Mails::Reports => left.reports = ReportFrequency::Never,
        Mails::Alerts => left.alerts = AlertFrequency::Never,
        Mails::Reminders => left.reminders = false,
    }
    left
}

const fn code(mails: Mails) -> &'static str {
    match mails {
        Mails::Reports => "no-reports",
        Mails::Alerts => "no-alerts",
        Mails::Reminders => "no-reminders",
    }
}

fn ask(visit: &Visit, mails: Mails) -> Markup {
    let texts = Texts::of(visit.language);
    let form = Form::post(visit.language, visit.path.as_str(), &visit.csrf)
        .plain()
        .body(actions(html! { (Button::primary(texts.stop)) }));
    pages::door(
        visit.language,
        texts.question,
        html! { p { strong { (texts.which(mails)) } } (form) p { (texts.again) } },
    )
}

fn done(visit: &Visit, mails: Mails) -> Markup {
    let texts = Texts::of(visit.language);
    let main = html! {
        (Notice::success(texts.stopped).body(html! { p { (texts.which(mails)) } p { (texts.again) } }))
        (actions(html! { (Button::secondary(texts.account).to("/dashboard/account")) }))
    };
    pages::door(visit.language, texts.title, main)
}

fn gone(language: Language) -> Markup {
    let texts = Texts::of(language);
    let main = html! {
        p { (texts.gone_why) }
        (actions(html! { (Button::secondary(texts.account).to("/dashboard/account")) }))
    };
    pages::door(language, texts.gone, main)
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    question: &'static str,
    reports: &'static str,
    alerts: &'static str,
    reminders: &'static str,
    stop: &'static str,
    stopped: &'static str,
    again: &'static str,
    account: &'static str,
    gone: &'static str,
    gone_why: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Mails from Optline",
        question: "Stop these mails?",
        reports: "Reports of numbers",
        alerts: "News of requests that came in",
        reminders: "Reminders of deadlines",
        stop: "Stop them",
        stopped: "They come no more.",
        again: "You can have them again whenever you like, on the page of your account.",
        account: "Your account",
        gone: "This link does not work any more",
        gone_why: "Please check that all of it was copied. You can also choose your mails on the page of your account.",
    };
    const ES: Self = Self {
        title: "Correos de Optline",
        question: "¿Dejar de recibir estos correos?",
        reports: "Los informes con cifras",
        alerts: "Los avisos de solicitudes nuevas",
        reminders: "Los recordatorios de plazos",
        stop: "Dejar de recibirlos",
        stopped: "Ya no los recibirá.",
        again: "Puede volver a recibirlos cuando quiera, desde la página de su cuenta.",
        account: "Su cuenta",
        gone: "Este enlace ya no funciona",
        gone_why: "Compruebe que lo copió entero. También puede elegir sus correos en la página de su cuenta.",
    };

    const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &Self::EN,
            Language::Spanish => &Self::ES,
        }
    }

    const fn which(&self, mails: Mails) -> &'static str {
        match mails {
            Mails::Reports => self.reports,
            Mails::Alerts => self.alerts,
            Mails::Reminders => self.reminders,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn a_link_ends_its_own_sort_of_mail_and_no_other() {
        let all = Preferences { reports: ReportFrequency::Daily, reminders: true, ..Preferences::default() };
        let sorts = [Mails::Reports, Mails::Alerts, Mails::Reminders];
        for mails in sorts {
            let left = without(&all, mails);
            for other in sorts {
                assert_eq!(wants(&left, other), other != mails, "{mails:?} {other:?}");
            }
            assert_eq!(without(&left, mails), left);
        }
    }

    #[test]
    fn the_question_and_what_is_said_when_it_is_done() {
        let (english, spanish) = (fixtures::visit(Language::English), fixtures::visit(Language::Spanish));
        insta::assert_snapshot!(fixtures::main(&ask(&english, Mails::Reports)));
        insta::assert_snapshot!(fixtures::main(&done(&spanish, Mails::Reminders)));
    }
}
