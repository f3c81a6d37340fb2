//! `GET` and `POST /dashboard/team`: who works here: invite, change a role, remove.
//!
//! A role that changes ends the sessions of whoever has it: what they may do is never older than their next click. The
//! last owner stays.

use domain::FieldError;
use domain::audit::Act;
use domain::email::{EmailAddress, EmailError};
use domain::language::Language;
use domain::role::Role;
use domain::user::{Preferences, UserId, UserProfile, UserState};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use maud::{Markup, Render, html};
use pages::form::{self, Button, Choices, Field, Form, Select};
use pages::show::{self, Card, Heading, Notice, Table, Tone};
use pages::{Frame, Icon, Section, format, plural, words};
use platform::edge::{Page, Visit};
use platform::mail::Letter;
use platform::session::{Allowed, ManageTeam};
use platform::store::{Member, NewUser, TeamChange, User, new_user_id};
use platform::{App, Error};
use serde::Serialize;

use crate::setup::{entry, in_words};

/// How long an invitation is good for.
const INVITATION_LIVES: SignedDuration = SignedDuration::from_hours(72);
/// No team grows faster, and nobody's mailbox is flooded from here.
const INVITATIONS_AN_HOUR: u32 = 50;

/// Shows the team, or does what was sent.
pub async fn handle(app: &App, allowed: Allowed<ManageTeam>, visit: Visit) -> Result<Page, Error> {
    if !visit.post {
        let said = Said::after(visit.query.get("done"));
        return page(app, &allowed, &visit, &Input::blank(), &[], said, 200).await;
    }
    match visit.form.get("do") {
        "invite" => invite(app, &allowed, &visit).await,
        "resend" => resend(app, &allowed, &visit).await,
        "mail" => write_again(app, &allowed, &visit).await,
        "role" | "remove" => change(app, &allowed, &visit).await,
        _ => Err(Error::invalid("do", "Use the buttons of the page.")),
    }
}

async fn invite(app: &App, allowed: &Allowed<ManageTeam>, visit: &Visit) -> Result<Page, Error> {
    let input = Input::sent(visit);
    let (email, role, profile) = match input.read(visit.language) {
        Ok(read) => read,
        Err(errors) => return page(app, allowed, visit, &input, &errors, Said::Nothing, 422).await,
    };
    throttle(app, allowed, visit).await?;
    let id = new_user_id()?;
    let entry = entry(allowed, visit, Act::Invited).on("user", id.as_str()).with("role", role.code());
    let new = NewUser { id: &id, email: &email, role, profile: &profile, at: visit.at };
    let store = app.store.of(&allowed.tenant);
    match store.invite_user(&new, &entry).await {
        Ok(()) => {}
        Err(Error::Conflict) => {
            let taken = [FieldError::new("email", Texts::of(visit.language).taken)];
            return page(app, allowed, visit, &input, &taken, Said::Nothing, 422).await;
        }
        Err(error) => return Err(error),
    }
    send(app, allowed, visit, &id, email, profile.language).await?;
    Ok(Page::to("/dashboard/team?done=invited"))
}

async fn resend(app: &App, allowed: &Allowed<ManageTeam>, visit: &Visit) -> Result<Page, Error> {
    let user = find(app, allowed, visit).await?;
    if user.state != UserState::Invited {
        return page(app, allowed, visit, &Input::blank(), &[], Said::Joined, 409).await;
    }
    throttle(app, allowed, visit).await?;
    let entry = entry(allowed, visit, Act::Invited).on("user", user.id.as_str()).with("again", "yes");
    let store = app.store.of(&allowed.tenant);
    store.record(&entry).await?;
    if user.dead.is_some() {
        let again = entry.because("mail to the address is tried again");
        match store.try_address_again(&user.id, &again).await {
            Ok(()) | Err(Error::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    send(app, allowed, visit, &user.id, user.email, user.profile.language).await?;
    Ok(Page::to("/dashboard/team?done=resent"))
}

/// Somebody who cannot come in, because no mail reaches them, cannot say on their own page that it would.
async fn write_again(app: &App, allowed: &Allowed<ManageTeam>, visit: &Visit) -> Result<Page, Error> {
    let user = find(app, allowed, visit).await?;
    let entry = entry(allowed, visit, Act::AccountChanged)
        .on("user", user.id.as_str())
        .because("mail to the address is tried again");
    match app.store.of(&allowed.tenant).try_address_again(&user.id, &entry).await {
        Ok(()) | Err(Error::Conflict) => Ok(Page::to("/dashboard/team?done=mail")),
        Err(error) => Err(error),
    }
}

async fn change(app: &App, allowed: &Allowed<ManageTeam>, visit: &Visit) -> Result<Page, Error> {
    let user = find(app, allowed, visit).await?;
    if user.id == allowed.user {
        return page(app, allowed, visit, &Input::blank(), &[], Said::Oneself, 409).await;
    }
    let store = app.store.of(&allowed.tenant);
    let (change, done) = if visit.form.get("do") == "remove" {
        let entry = entry(allowed, visit, Act::UserRemoved).on("user", user.id.as_str());
        (store.remove_user(&user.id, visit.at, &entry).await?, "removed")
    } else {
        let role = Role::parse(visit.form.get("role")).ok_or_else(|| Error::invalid("role", "Choose a role."))?;
        let entry = entry(allowed, visit, Act::RoleChanged)
            .on("user", user.id.as_str())
            .with("from", user.role.code())
            .with("to", role.code());
        (store.set_role(&user.id, role, &entry).await?, "role")
    };
    match change {
        TeamChange::Done | TeamChange::Already => Ok(Page::to(format!("/dashboard/team?done={done}"))),
        TeamChange::LastOwner => page(app, allowed, visit, &Input::blank(), &[], Said::LastOwner, 409).await,
    }
}

/// Somebody of this team; an id of another's is nobody's here.
async fn find(app: &App, allowed: &Allowed<ManageTeam>, visit: &Visit) -> Result<User, Error> {
    let id = UserId::parse(visit.form.get("user")).map_err(|_| Error::NotFound)?;
    let user = app.store.of(&allowed.tenant).user(&id).await?.ok_or(Error::NotFound)?.user;
    if user.state == UserState::Removed { Err(Error::NotFound) } else { Ok(user) }
}

async fn throttle(app: &App, allowed: &Allowed<ManageTeam>, visit: &Visit) -> Result<(), Error> {
    let tenant = allowed.tenant.id().as_str();
    app.store.throttle("invite", tenant, INVITATIONS_AN_HOUR, SignedDuration::from_hours(1), visit.at).await
}

async fn send(
    app: &App,
    allowed: &Allowed<ManageTeam>,
    visit: &Visit,
    user: &UserId,
    to: EmailAddress,
    language: Language,
) -> Result<(), Error> {
    let store = app.store.of(&allowed.tenant);
    let token = store.make_invitation(user, visit.at, INVITATION_LIVES).await?;
    app.post(&Letter::Invitation {
        to,
        language,
        tenant_name: allowed.card.tenant_name.clone(),
        invited_by: Some(allowed.card.user_name.clone()),
        link: format!("{}/dashboard/invitation/{token}", app.config.public_base_url()?),
    })
    .await
}

async fn page(
    app: &App,
    allowed: &Allowed<ManageTeam>,
    visit: &Visit,
    input: &Input,
    errors: &[FieldError],
    said: Said,
    status: i64,
) -> Result<Page, Error> {
    let mut team = app.store.of(&allowed.tenant).team().await?;
    team.sort_by(|a, b| (a.user.role, &a.user.profile.name).cmp(&(b.user.role, &b.user.profile.name)));
    let view = View { team, me: allowed.user.clone(), time_zone: allowed.tz(), said };
    let frame = allowed.frame(visit, Section::Team);
    Ok(Page::html(show(&frame, &view, input, errors)).with_status(status))
}

/// The invitation, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Input {
    name: String,
    email: String,
    role: String,
    language: String,
}

impl Input {
    fn blank() -> Self {
        Self {
            name: String::new(),
            email: String::new(),
            role: Role::Agent.code().to_owned(),
            language: Language::English.code().to_owned(),
        }
    }

    fn sent(visit: &Visit) -> Self {
        let text = |name| visit.form.get(name).trim().chars().take(300).collect();
        Self { name: text("name"), email: text("email"), role: text("role"), language: text("language") }
    }

    fn read(&self, language: Language) -> Result<(EmailAddress, Role, UserProfile), Vec<FieldError>> {
        let texts = Texts::of(language);
        let mut errors = vec![];
        let email = EmailAddress::parse(&self.email)
            .map_err(|why| match why {
                EmailError::Empty => errors.push(FieldError::new("email", texts.no_email)),
                EmailError::TooLong | EmailError::Malformed => errors.push(FieldError::new("email", texts.wrong_email)),
            })
            .ok();
        let role = Role::parse(&self.role);
        if role.is_none() {
            errors.push(FieldError::new("role", texts.no_role));
        }
        let profile = UserProfile {
            name: self.name.clone(),
            language: Language::parse(&self.language).unwrap_or(language),
            preferences: Preferences::default(),
        };
        errors.extend(in_words(language, profile.validate().err().unwrap_or_default()));
        match (email, role) {
            (Some(email), Some(role)) if errors.is_empty() => Ok((email, role, profile)),
            _ => Err(errors),
        }
    }
}

/// What the page says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    Invited,
    Resent,
    Mail,
    RoleChanged,
    Removed,
    Joined,
    Oneself,
    LastOwner,
}

impl Said {
    fn after(done: &str) -> Self {
        match done {
            "invited" => Self::Invited,
            "resent" => Self::Resent,
            "mail" => Self::Mail,
            "role" => Self::RoleChanged,
            "removed" => Self::Removed,
            _ => Self::Nothing,
        }
    }

    fn notice(self, texts: &Texts) -> Option<Notice> {
        match self {
            Self::Nothing => None,
            Self::Invited => Some(Notice::success(texts.invited)),
            Self::Resent => Some(Notice::success(texts.resent)),
            Self::Mail => Some(Notice::success(texts.tried_again)),
            Self::RoleChanged => Some(Notice::success(texts.role_changed)),
            Self::Removed => Some(Notice::success(texts.removed)),
            Self::Joined => Some(Notice::warning(texts.joined)),
            Self::Oneself => Some(Notice::warning(texts.oneself)),
            Self::LastOwner => Some(Notice::warning(texts.last_owner)),
        }
    }
}

struct View {
    team: Vec<Member>,
    me: UserId,
    time_zone: TimeZone,
    said: Said,
}

fn show(frame: &Frame, view: &View, input: &Input, errors: &[FieldError]) -> Markup {
    let (language, texts) = (frame.language, Texts::of(frame.language));
    let mut table = Table::new(texts.title)
        .column(texts.name)
        .column(texts.state)
        .column(texts.factors)
        .column(texts.role)
        .buttons(texts.actions);
    for member in &view.team {
        table = table.row(cells(frame, texts, view, member));
    }
    let main = html! {
        (Heading::new(texts.title).lede(texts.lede))
        @if let Some(notice) = view.said.notice(texts) { (notice) }
        (table)
        (Card::new(texts.invite).lede(texts.invite_lede).body(html! { (invitation(frame, texts, input, errors)) }))
        (show::disclosure(texts.roles, false, &html! {
            dl.facts {
                @for role in Role::ALL { div { dt { (words::role(language, role)) } dd { (words::role_may(language, role)) } } }
            }
        }))
    };
    pages::page(frame, texts.title, &main)
}

fn cells(frame: &Frame, texts: &Texts, view: &View, member: &Member) -> Vec<Markup> {
    let language = frame.language;
    let user = &member.user;
    let (name, me) = (user.profile.name.as_str(), user.id == view.me);
    let state = match user.state {
        UserState::Active => show::badge(Tone::Success, Icon::Check, texts.active),
        UserState::Invited | UserState::Removed => show::badge(Tone::Info, Icon::Letter, texts.waiting),
    };
    let state = html! {
        div.badges { (state) @if user.dead.is_some() { (show::badge(Tone::Warning, Icon::Letter, texts.no_mail)) } }
        @if user.state == UserState::Invited { p.note { (format::date_time(language, &user.invited_at.to_zoned(view.time_zone.clone()))) } }
        @if user.dead.is_some() {
            p.note { (if user.state == UserState::Invited { texts.no_invitation } else { texts.no_mail_why }) }
        }
    };
    let role = if me {
        html! { (words::role(language, user.role)) }
    } else {
        let id = format!("role-{}", user.id);
        let choices = Role::ALL.map(|role| (role.code(), words::role(language, role)));
        Form::post(language, "/dashboard/team", frame.csrf.as_str())
            .id(&id)
            .plain()
            .body(html! {
                (form::hidden("do", "role"))
                (form::hidden("user", user.id.as_str()))
                (Select::new("role", format!("{}: {name}", texts.role)).within(&id).quiet_label().choices(choices)
                    .chosen(user.role.code()))
                (Button::quiet(texts.change_role).about(name))
            })
            .render()
    };
    let actions = html! {
        @if me { (texts.you) } @else {
            @if user.state == UserState::Invited {
                (one_button(frame, user, "resend", &Button::quiet(texts.resend).about(name)))
            } @else if user.dead.is_some() {
                (one_button(frame, user, "mail", &Button::quiet(texts.try_again).about(name)))
            }
            (show::disclosure(texts.remove, false, &html! {
                p { (texts.remove_why) }
                (one_button(frame, user, "remove", &Button::danger(texts.remove_now).about(name)))
            }))
        }
    };
    vec![html! { (name) p.note { (user.email.as_str()) } }, state, html! { (factors(texts, member)) }, role, actions]
}

fn one_button(frame: &Frame, user: &User, does: &str, button: &Button) -> Form {
    Form::post(frame.language, "/dashboard/team", frame.csrf.as_str()).plain().body(html! {
        (form::hidden("do", does))
        (form::hidden("user", user.id.as_str()))
        (button)
    })
}

fn factors(texts: &Texts, member: &Member) -> String {
    let passkeys = u64::try_from(member.passkeys).unwrap_or(u64::MAX);
    let mut kinds = vec![];
    if passkeys > 0 {
        kinds.push(format!("{} {}", format::number(passkeys), plural(passkeys, texts.passkey, texts.passkeys)));
    }
    if member.app {
        kinds.push(texts.app.to_owned());
    }
    if kinds.is_empty() { "–".to_owned() } else { kinds.join(", ") }
}

fn invitation(frame: &Frame, texts: &Texts, input: &Input, errors: &[FieldError]) -> Form {
    let language = frame.language;
    let roles = Role::ALL.into_iter().rev().fold(Choices::radios("role", texts.role), |choices, role| {
        choices.explained(role.code(), words::role(language, role), words::role_may(language, role))
    });
    Form::post(language, "/dashboard/team", frame.csrf.as_str()).id("invite").errors(errors).body(html! {
        (form::hidden("do", "invite"))
        (Field::text("name", texts.name).within("invite").value(&input.name).max_length(100).required().plain_text()
            .errors(errors))
        (Field::email("email", texts.email).within("invite").value(&input.email).required().autocomplete("off")
            .errors(errors))
        (roles.within("invite").chosen([input.role.as_str()]).required().errors(errors))
        (Select::new("language", texts.language).within("invite")
            .choices(Language::ALL.map(|it| (it.code(), words::own_name(it)))).chosen(&input.language))
        (form::actions(&html! { (Button::primary(texts.send).icon(Icon::Letter)) }))
    })
}

#[derive(Serialize)]
struct Texts {
    no_mail: &'static str,
    no_mail_why: &'static str,
    try_again: &'static str,
    tried_again: &'static str,
    no_invitation: &'static str,
    title: &'static str,
    lede: &'static str,
    name: &'static str,
    email: &'static str,
    role: &'static str,
    roles: &'static str,
    language: &'static str,
    state: &'static str,
    active: &'static str,
    waiting: &'static str,
    factors: &'static str,
    passkey: &'static str,
    passkeys: &'static str,
    app: &'static str,
    actions: &'static str,
    you: &'static str,
    change_role: &'static str,
    resend: &'static str,
    remove: &'static str,
    remove_why: &'static str,
    remove_now: &'static str,
    invite: &'static str,
    invite_lede: &'static str,
    send: &'static str,
    no_email: &'static str,
    wrong_email: &'static str,
    taken: &'static str,
    no_role: &'static str,
    invited: &'static str,
    resent: &'static str,
    role_changed: &'static str,
    removed: &'static str,
    joined: &'static str,
    oneself: &'static str,
    last_owner: &'static str,
}

impl Texts {
    const EN: Self = Self {
        no_mail: "No mail",
        no_mail_why: "Mail to this address came back, so we write to it no more. If it works again, have us try, here or on the page of their own account. If not, invite another address.",
        try_again: "Write to them again",
        tried_again: "Mail goes to that address again.",
        no_invitation: "The invitation came back. If the address is right, send it again. If not, remove it and invite another.",
        title: "Team",
        lede: "Who may come in, and as what.",
        name: "Name",
        email: "E-mail address",
        role: "Role",
        roles: "What each role may do",
        language: "Language of their pages and mail",
        state: "State",
        active: "Active",
        waiting: "Invited",
        factors: "Second factor",
        passkey: "passkey",
        passkeys: "passkeys",
        app: "authenticator app",
        actions: "Actions",
        you: "This is you",
        change_role: "Change role",
        resend: "Send again",
        remove: "Remove",
        remove_why: "They are signed out at once and cannot come in any more. What they did stays in the audit trail.",
        remove_now: "Remove from the team",
        invite: "Invite a colleague",
        invite_lede: "They get a link by mail, good once and for 72 hours, and set up their own way to sign in.",
        send: "Send invitation",
        no_email: "Enter an e-mail address.",
        wrong_email: "Enter an address such as name@example.com.",
        taken: "Somebody signs in with this address already. Use another.",
        no_role: "Choose a role.",
        invited: "The invitation is on its way.",
        resent: "A new link is on its way.",
        role_changed: "The role is changed, and they are signed out everywhere.",
        removed: "They are removed from the team and signed out everywhere.",
        joined: "They have joined already: there is no invitation to send.",
        oneself: "Ask another owner to change your own role or to remove you.",
        last_owner: "This is the last owner. Make somebody else an owner first.",
    };
    const ES: Self = Self {
        no_mail: "Sin correo",
        no_mail_why: "Un correo a esta dirección fue devuelto, así que ya no le escribimos. Si vuelve a funcionar, pídanos que lo intentemos, aquí o desde la página de la propia cuenta. Si no, invite a otra dirección.",
        try_again: "Volver a escribirle",
        tried_again: "Esa dirección vuelve a recibir correo.",
        no_invitation: "La invitación fue devuelta. Si la dirección es correcta, envíela otra vez. Si no, quítela e invite a otra.",
        title: "Equipo",
        lede: "Quién puede entrar, y con qué función.",
        name: "Nombre",
        email: "Correo electrónico",
        role: "Función",
        roles: "Qué puede hacer cada función",
        language: "Idioma de sus páginas y correos",
        state: "Estado",
        active: "En activo",
        waiting: "Invitación enviada",
        factors: "Segundo factor",
        passkey: "llave de acceso",
        passkeys: "llaves de acceso",
        app: "aplicación de autenticación",
        actions: "Acciones",
        you: "Es usted",
        change_role: "Cambiar función",
        resend: "Enviar de nuevo",
        remove: "Quitar",
        remove_why: "Su sesión se cierra enseguida y ya no podrá entrar. Lo que hizo queda en el registro de auditoría.",
        remove_now: "Quitar del equipo",
        invite: "Invitar a alguien",
        invite_lede: "Recibirá un enlace por correo, que sirve una vez y durante 72 horas, y elegirá cómo iniciar sesión.",
        send: "Enviar invitación",
        no_email: "Escriba un correo electrónico.",
        wrong_email: "Escriba una dirección como nombre@example.com.",
        taken: "Alguien ya inicia sesión con esta dirección. Use otra.",
        no_role: "Elija una función.",
        invited: "La invitación va en camino.",
        resent: "Un enlace nuevo va en camino.",
        role_changed: "La función ha cambiado y sus sesiones se han cerrado.",
        removed: "Ya no está en el equipo y sus sesiones se han cerrado.",
        joined: "Ya se ha unido: no hay invitación que enviar.",
        oneself: "Pida a otra persona titular que cambie su función o que le quite.",
        last_owner: "Es la última persona titular. Nombre antes a otra.",
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
    use crate::setup::tests::{frame, main_of};

    fn id(n: &str) -> UserId {
        UserId::parse(&format!("u-{}", n.repeat(13))).unwrap()
    }

    fn member(n: &str, name: &str, role: Role, state: UserState) -> Member {
        let user = User {
            id: id(n),
            email: EmailAddress::parse("somebody@example.com").unwrap(),
            role,
            state,
            profile: UserProfile {
                name: name.into(),
                language: Language::English,
                preferences: Preferences::default(),
            },
            invited_at: "2026-11-22T01:00:00Z".parse().unwrap(),
            dead: None,
            version: 1,
        };
        Member { user, app: state == UserState::Active, passkeys: usize::from(state == UserState::Active) * 2 }
    }

    fn view(said: Said) -> View {
        View {
            team: vec![
                member("0a", "Ana <b>", Role::Owner, UserState::Active),
                member("0b", "Ben", Role::Agent, UserState::Invited),
            ],
            me: id("0a"),
            time_zone: TimeZone::get("America/Los_Angeles").unwrap(),
            said,
        }
    }

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn the_team_is_shown_with_what_can_be_done_and_nobody_acts_on_themselves() {
        let page = show(&frame(Language::English, Section::Team), &view(Said::LastOwner), &Input::blank(), &[]);
        insta::assert_snapshot!(main_of(page));
    }

    #[test]
    fn an_invitation_that_is_wrong_says_why_beside_each_field() {
        let input = Input { name: String::new(), email: "nobody".into(), role: "king".into(), language: "xx".into() };
        let errors = input.read(Language::Spanish).unwrap_err();
        let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["email", "role", "name"]);
        let page = show(&frame(Language::Spanish, Section::Team), &view(Said::Nothing), &input, &errors);
        let text = main_of(page);
        for field in fields {
            assert!(text.contains(&format!("f-invite-{field}-error")), "{field}: {text}");
        }
    }
}
