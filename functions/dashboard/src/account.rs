//! `dashboard-account`: one's own name, language, mails and password.

use domain::FieldError;
use domain::audit::{Act, Entry, Who};
use domain::job::Job;
use domain::language::Language;
use domain::report;
use domain::service_code::ServiceCode;
use domain::user::{AlertFrequency, Preferences, ReportFrequency, UserProfile};
use identity::password;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use pages::form::{Button, Check, Choices, Field, Form, Select, actions, hidden};
use pages::show::{Card, Facts, Heading, Notice as Said};
use pages::{Frame, Section};
use platform::edge::{Page, Visit};
use platform::mail::{Letter, Notice};
use platform::session::{Allowed, ChangeFactors, OwnAccount};
use platform::store::{Account, Dead, ServiceCodeLine, Unreachable};
use platform::{App, Error};
use serde::Serialize;

use crate::{choosing, noting, telling, tries};

/// Shows the page, or keeps one of its two forms.
pub async fn handle(app: &App, allowed: Allowed<OwnAccount>, visit: Visit) -> Result<Page, Error> {
    let store = app.store.of(&allowed.tenant);
    let account = store.user(&allowed.user).await?.ok_or(Error::SignedOut)?;
    let codes = store.service_codes().await?;
    let frame = allowed.frame(&visit, Section::Account);
    if !visit.post {
        let shown = Shown::of(&account, &codes, visit.query.get("done"));
        return Ok(Page::html(shown.render(&frame, &[], &[])));
    }
    if visit.form.get("do") == "mail" {
        let entry = entry(&allowed, &visit).because("mail to the address is tried again");
        return match store.try_address_again(&allowed.user, &entry).await {
            Ok(()) | Err(Error::Conflict) => Ok(Page::to("/dashboard/account?done=mail")),
            Err(error) => Err(error),
        };
    }
    if visit.form.get("do") == "password" {
        let allowed = allowed.also::<ChangeFactors>()?;
        return change_password(app, &allowed, &visit, &frame, &account, &codes).await;
    }
    let profile = read(&visit, &account.profile, &codes);
    let shown = Shown { profile: &profile, ..Shown::of(&account, &codes, "") };
    if let Err(wrong) = profile.validate() {
        let texts = Texts::of(frame.language);
        let reason = |field: &str| if field == "name" { texts.wrong_name } else { texts.wrong_hour };
        let wrong: Vec<_> = wrong.iter().map(|e| FieldError::new(e.field.as_str(), reason(&e.field))).collect();
        return Ok(Page::invalid(shown.render(&frame, &wrong, &[])));
    }
    let entry = entry(&allowed, &visit);
    store.save_profile(&account, &profile, &entry).await?;
    let zone = TimeZone::get(&allowed.card.time_zone).unwrap_or(TimeZone::UTC);
    if let Some(report) = report::next(&profile.preferences, visit.at, &zone) {
        store.arrange(Job::SendReports, report.at, "").await?;
    }
    // Every page shows name and language from the session's card.
    let tickets = app.tickets().await?;
    for session in store.sessions(&tickets, &allowed.user, visit.at).await? {
        let mut card = session.card.clone();
        card.user_name.clone_from(&profile.name);
        card.language = profile.language;
        match store.refresh_card(&tickets, &session, &card).await {
            Ok(()) | Err(Error::SignedOut) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Page::to("/dashboard/account?done=profile"))
}

fn entry(allowed: &Allowed<OwnAccount>, visit: &Visit) -> Entry {
    Entry::new(visit.at, Who::User(allowed.user.clone()), Act::AccountChanged).from(&visit.client.address)
}

/// The profile as the form has it. Of service codes only the tenant's own can be chosen.
fn read(visit: &Visit, old: &UserProfile, codes: &[ServiceCodeLine]) -> UserProfile {
    let form = &visit.form;
    let chosen = form.all("codes");
    UserProfile {
        name: form.get("name").trim().to_owned(),
        language: Language::parse(form.get("language")).unwrap_or(old.language),
        preferences: Preferences {
            reports: ReportFrequency::parse(form.get("reports")).unwrap_or(old.preferences.reports),
            hour: form.get("hour").parse().unwrap_or(u8::MAX),
            service_codes: codes
                .iter()
                .map(|it| &it.code)
                .filter(|it| chosen.contains(&it.as_str()))
                .cloned()
                .collect(),
            reminders: form.has("reminders"),
            alerts: AlertFrequency::parse(form.get("alerts")).unwrap_or(old.preferences.alerts),
        },
    }
}

async fn change_password(
    app: &App,
    allowed: &Allowed<ChangeFactors>,
    visit: &Visit,
    frame: &Frame,
    account: &Account,
    codes: &[ServiceCodeLine],
) -> Result<Page, Error> {
    tries::password(app, visit, allowed.user.as_str()).await?;
    let texts = Texts::of(frame.language);
    let store = app.store.of(&allowed.tenant);
    let shown = Shown::of(account, codes, "");
    let right = match account.credentials.password_hash.as_deref() {
        Some(hash) => password::verify(hash, visit.form.get("current")),
        None => password::verify_nobody(visit.form.get("current")),
    };
    let who = Who::User(allowed.user.clone());
    if !right {
        let entry = Entry::new(visit.at, who, Act::SignInFailed)
            .from(&visit.client.address)
            .because("changing the password")
            .with("factor", "password");
        noting::note(app, &allowed.tenant, entry, noting::PATIENTLY).await;
        return Ok(Page::invalid(shown.render(frame, &[], &[FieldError::new("current", texts.wrong_password)])));
    }
    let context = [account.email.as_str(), allowed.card.tenant_name.as_str(), account.profile.name.as_str()];
    let hash = match choosing::password(frame.language, visit.form.get("password"), &context)? {
        Ok(hash) => hash,
        Err(reason) => {
            return Ok(Page::invalid(shown.render(frame, &[], &[FieldError::new("password", reason)])));
        }
    };
    let mut credentials = account.credentials.clone();
    credentials.password_hash = Some(hash);
    let entry = Entry::new(visit.at, who, Act::PasswordChanged).from(&visit.client.address);
    store.save_password(account, &credentials, &allowed.id, &entry).await?;
    let changed = Letter::Notice {
        to: account.email.clone(),
        language: frame.language,
        what: Notice::PasswordChanged,
        at: visit.at,
        time_zone: allowed.card.time_zone.clone(),
    };
    telling::letter(app, &changed).await;
    Ok(Page::to("/dashboard/account?done=password"))
}

/// What the page shows.
struct Shown<'a> {
    email: &'a str,
    profile: &'a UserProfile,
    codes: &'a [ServiceCodeLine],
    dead: Option<Dead>,
    done: &'a str,
}

impl<'a> Shown<'a> {
    fn of(account: &'a Account, codes: &'a [ServiceCodeLine], done: &'a str) -> Self {
        Self { email: account.email.as_str(), profile: &account.profile, codes, dead: account.dead, done }
    }

    fn render(&self, frame: &Frame, wrong_profile: &[FieldError], wrong_password: &[FieldError]) -> Markup {
        let texts = Texts::of(frame.language);
        let done = match self.done {
            "profile" => Some(texts.profile_saved),
            "password" => Some(texts.password_saved),
            "mail" => Some(texts.tried_again),
            _ => None,
        };
        pages::page(
            frame,
            texts.title,
            html! {
                (Heading::new(texts.title).actions(html! {
                    (Button::secondary(texts.factors).to("/dashboard/factors"))
                    (Button::secondary(texts.sessions).to("/dashboard/sessions"))
                }))
                @if let Some(done) = done { (Said::success(done)) }
                @if let Some(dead) = self.dead { (Self::no_mail(frame, dead)) }
                (Card::new(texts.you).body(self.about(frame, wrong_profile)))
                (Card::new(texts.password).lede(texts.password_lede).body(self.password(frame, wrong_password)))
            },
        )
    }

    /// Why no mail comes, and what can be done.
    fn no_mail(frame: &Frame, dead: Dead) -> Said {
        let texts = Texts::of(frame.language);
        let why = match dead.why {
            Unreachable::Bounced => texts.bounced,
            Unreachable::Complained => texts.complained,
        };
        let again = Form::post(frame.language, "/dashboard/account", &frame.csrf).id("mail").plain().body(html! {
            (hidden("do", "mail"))
            (Button::secondary(texts.try_again))
        });
        Said::warning(texts.no_mail).body(html! { p { (why) } p { (texts.other_address) } (again) })
    }

    fn about(&self, frame: &Frame, errors: &[FieldError]) -> Markup {
        let (language, texts) = (frame.language, Texts::of(frame.language));
        let preferences = &self.profile.preferences;
        let languages = Language::ALL.map(|language| (language.code(), pages::words::own_name(language)));
        let reports = ReportFrequency::ALL.map(|often| {
            let name = match often {
                ReportFrequency::Never => texts.never,
                ReportFrequency::Daily => texts.daily,
                ReportFrequency::Weekly => texts.weekly,
                ReportFrequency::Monthly => texts.monthly,
            };
            (often.code(), name)
        });
        let alerts = AlertFrequency::ALL.map(|often| {
            let name = match often {
                AlertFrequency::Never => texts.never,
                AlertFrequency::AtOnce => texts.at_once,
                AlertFrequency::Hourly => texts.hourly,
                AlertFrequency::Daily => texts.daily,
            };
            (often.code(), name)
        });
        let form = Form::post(language, "/dashboard/account", &frame.csrf).id("profile").errors(errors).body(html! {
            (hidden("do", "profile"))
            (Field::text("name", texts.name).within("profile").value(self.profile.name.as_str()).autocomplete("name")
                .max_length(100).required().errors(errors))
            (Select::new("language", texts.language).within("profile").choices(languages)
                .chosen(self.profile.language.code()))
            (Select::new("reports", texts.reports).within("profile").choices(reports).chosen(preferences.reports.code())
                .hint(texts.reports_hint))
            (Field::number("hour", texts.hour).within("profile").value(preferences.hour.to_string())
                .range(Some(0), Some(23)).hint(texts.hour_hint).errors(errors))
            @if self.codes.len() > 1 { (self.service_codes(texts)) }
            (Select::new("alerts", texts.alerts).within("profile").choices(alerts).chosen(preferences.alerts.code())
                .hint(texts.alerts_hint))
            (Check::new("reminders", texts.reminders).within("profile").on(preferences.reminders).hint(texts.reminders_hint))
            (actions(Button::primary(texts.save)))
        });
        html! { (Facts::new().fact(texts.email, self.email)) (form) }
    }

    /// A report may be about some of the codes; where there is only one, there is nothing to choose.
    fn service_codes(&self, texts: &Texts) -> Choices {
        let chosen = self.profile.preferences.service_codes.iter().map(ServiceCode::as_str);
        self.codes
            .iter()
            .fold(Choices::checkboxes("codes", texts.codes), |choices, it| {
                choices.choice(it.code.as_str(), format!("{} {}", it.code, it.name))
            })
            .chosen(chosen)
            .hint(texts.codes_hint)
            .within("profile")
    }

    fn password(&self, frame: &Frame, errors: &[FieldError]) -> Markup {
        let (language, texts) = (frame.language, Texts::of(frame.language));
        let form = Form::post(language, "/dashboard/account", &frame.csrf).id("password").plain().errors(errors);
        let form = form.body(html! {
            (hidden("do", "password"))
            input type="hidden" name="username" autocomplete="username" value=(self.email);
            (Field::password(language, "current", texts.current, "current-password").within("password").required()
                .errors(errors))
            (Field::password(language, "password", texts.new, "new-password").within("password")
                .hint(choosing::hint(language)).required().errors(errors))
            (actions(Button::primary(texts.change)))
        });
        html! { (form) }
    }
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    you: &'static str,
    email: &'static str,
    name: &'static str,
    wrong_name: &'static str,
    language: &'static str,
    reports: &'static str,
    reports_hint: &'static str,
    never: &'static str,
    daily: &'static str,
    weekly: &'static str,
    monthly: &'static str,
    hour: &'static str,
    hour_hint: &'static str,
    wrong_hour: &'static str,
    codes: &'static str,
    codes_hint: &'static str,
    alerts: &'static str,
    alerts_hint: &'static str,
    at_once: &'static str,
    hourly: &'static str,
    reminders: &'static str,
    reminders_hint: &'static str,
    save: &'static str,
    profile_saved: &'static str,
    password: &'static str,
    password_lede: &'static str,
    current: &'static str,
    wrong_password: &'static str,
    new: &'static str,
    change: &'static str,
    password_saved: &'static str,
    factors: &'static str,
    sessions: &'static str,
    no_mail: &'static str,
    bounced: &'static str,
    complained: &'static str,
    other_address: &'static str,
    try_again: &'static str,
    tried_again: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Your account",
        you: "You",
        email: "You sign in as",
        name: "Your name",
        wrong_name: "Enter your name, in one line of at most 100 characters.",
        language: "Language",
        reports: "Mail me a report",
        reports_hint: "Numbers only, and none so small that it could be about one person.",
        never: "Never",
        daily: "Every day",
        weekly: "Every Monday",
        monthly: "On the first of the month",
        hour: "At which hour (0 to 23)",
        hour_hint: "By your business’s clock.",
        wrong_hour: "Choose an hour from 0 to 23.",
        codes: "Service codes in the report",
        codes_hint: "Choose none, and the report is about all of them.",
        alerts: "Tell me of new requests",
        alerts_hint: "By mail: how many came, and by when they must be answered. When none came, there is no mail.",
        at_once: "At once",
        hourly: "Every hour",
        reminders: "Remind me of deadlines",
        reminders_hint: "By mail, of requests that are yours or nobody’s.",
        save: "Save",
        profile_saved: "Saved.",
        password: "Password",
        password_lede: "When you change it, you stay signed in here and nowhere else.",
        current: "Password now",
        wrong_password: "This is not your password.",
        new: "New password",
        change: "Change the password",
        password_saved: "Your password is changed. You are signed in here only.",
        factors: "Passkeys and codes",
        sessions: "Where you are signed in",
        no_mail: "No mail of ours comes to you any more",
        bounced: "Your address sent the last one back for good, so we write to it no more: no reports, no reminders, no links.",
        complained: "The last one was marked as unwanted, so we write to your address no more: no reports, no reminders, no links.",
        other_address: "If the address works again, have us try. If you have another one, ask an owner of your team to invite it.",
        try_again: "Write to me again",
        tried_again: "Mail goes to your address again.",
    };
    const ES: Self = Self {
        title: "Su cuenta",
        you: "Usted",
        email: "Usted entra como",
        name: "Su nombre",
        wrong_name: "Escriba su nombre, en una línea de 100 caracteres como mucho.",
        language: "Idioma",
        reports: "Enviarme un informe",
        reports_hint: "Solo cifras, y ninguna tan pequeña que pueda tratar de una persona.",
        never: "Nunca",
        daily: "Cada día",
        weekly: "Todos los lunes",
        monthly: "El primer día del mes",
        hour: "A qué hora (0 a 23)",
        hour_hint: "Según el reloj de su empresa.",
        wrong_hour: "Elija una hora de 0 a 23.",
        codes: "Códigos de servicio del informe",
        codes_hint: "Si no elige ninguno, el informe trata de todos.",
        alerts: "Avisarme de solicitudes nuevas",
        alerts_hint: "Por correo: cuántas llegaron y hasta cuándo hay que responderlas. Si no llegó ninguna, no hay correo.",
        at_once: "De inmediato",
        hourly: "Cada hora",
        reminders: "Recordarme los plazos",
        reminders_hint: "Por correo, de las solicitudes suyas o que nadie tiene a su cargo.",
        save: "Guardar",
        profile_saved: "Guardado.",
        password: "Contraseña",
        password_lede: "Si la cambia, la sesión sigue abierta aquí y en ningún otro sitio.",
        current: "Contraseña actual",
        wrong_password: "No es su contraseña.",
        new: "Contraseña nueva",
        change: "Cambiar la contraseña",
        password_saved: "Su contraseña ha cambiado. La sesión sigue abierta solo aquí.",
        factors: "Llaves de acceso y códigos",
        sessions: "Dónde tiene la sesión abierta",
        no_mail: "Ya no le llega ningún correo nuestro",
        bounced: "Su dirección rechazó el último de forma definitiva, así que ya no le escribimos: ni informes, ni recordatorios, ni enlaces.",
        complained: "El último se marcó como no deseado, así que ya no le escribimos: ni informes, ni recordatorios, ni enlaces.",
        other_address: "Si la dirección vuelve a funcionar, pídanos que lo intentemos. Si tiene otra, pida a una persona titular de su equipo que la invite.",
        try_again: "Volver a escribirme",
        tried_again: "Su dirección vuelve a recibir correo.",
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
    use super::*;
    use crate::fixtures;

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn the_page_with_something_wrong_in_each_form() {
        let profile = fixtures::account().user.profile;
        let code = |code: &str, name: &str| ServiceCodeLine {
            code: ServiceCode::parse(code).unwrap(),
            name: name.to_owned(),
            active: true,
            languages: vec![],
            recorded: vec![],
            kinds: 0,
        };
        let codes = [code("12", "Main store"), code("13", "Bear & <Sons>")];
        let mut profile = profile;
        profile.preferences.service_codes = vec![codes[1].code.clone()];
        let shown = Shown { email: "ana@shop.example", profile: &profile, codes: &codes, dead: None, done: "" };
        let name = [FieldError::new("name", Texts::ES.wrong_name)];
        let current = [FieldError::new("current", Texts::ES.wrong_password)];
        insta::assert_snapshot!(fixtures::main(&shown.render(&fixtures::frame(Language::Spanish), &name, &current)));
    }

    #[test]
    fn whose_address_takes_no_mail_learns_why_and_what_to_do() {
        let account = fixtures::account();
        for (why, said) in [(Unreachable::Bounced, Texts::EN.bounced), (Unreachable::Complained, Texts::EN.complained)]
        {
            let dead = Some(Dead { why, since: account.invited_at });
            let shown = Shown { dead, ..Shown::of(&account, &[], "") };
            let page = fixtures::main(&shown.render(&fixtures::frame(Language::English), &[], &[]));
            assert!(page.contains(said) && page.contains(Texts::EN.try_again), "{page}");
        }
        let page = fixtures::main(&Shown::of(&account, &[], "").render(&fixtures::frame(Language::English), &[], &[]));
        assert!(!page.contains(Texts::EN.no_mail) && !page.contains(Texts::EN.codes), "{page}");
    }
}
