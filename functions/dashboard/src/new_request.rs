//! `dashboard-new-request`: a request that came by letter, by e-mail or at a counter, with its true day of receipt.

use domain::FieldError;
use domain::audit::Act;
use domain::clock;
use domain::email::EmailAddress;
use domain::intake::is_form_id;
use domain::jurisdiction::Jurisdiction;
use domain::language::Language;
use domain::personal::PersonalText;
use domain::phone::E164;
use domain::request::{Channel, Kind};
use domain::service_code::ServiceCode;
use jiff::civil::{Date, time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use maud::{Markup, html};
use pages::form::{Button, Choices, Field, Form, Select, actions, group, hidden, row};
use pages::show::{Card, Heading};
use pages::{Frame, Section, words};
use platform::edge::{Fields, Page, Visit};
use platform::session::{Allowed, WorkRequests};
use platform::store::{Added, Entered};
use platform::ticket::random_token;
use platform::{App, Error};

use crate::case;
use crate::desk_texts::Texts;

/// How somebody can ask other than on the hotline, the web form or by a browser.
const CHANNELS: [Channel; 4] = [Channel::Email, Channel::Mail, Channel::InPerson, Channel::Phone];
/// Nobody finds an older letter.
const OLDEST_YEARS: i64 = 10;

/// Shows the form, or enters the request, once for each form.
pub async fn handle(app: &App, allowed: Allowed<WorkRequests>, visit: Visit) -> Result<Page, Error> {
    let store = app.store.of(&allowed.tenant);
    let frame = allowed.frame(&visit, Section::Requests);
    let today = visit.at.to_zoned(allowed.tz()).date();
    let codes = store.code_names().await?;
    if !visit.post {
        let typed: Fields =
            [("received", today.to_string()), ("language", frame.language.code().to_owned())].into_iter().collect();
        return Ok(Page::html(form_page(&frame, &codes, &random_token()?, today, &typed, &[])));
    }
    let account = store.desk_account().await?;
    let tz = case::zone(&account, allowed.tz());
    let today = visit.at.to_zoned(tz.clone()).date();
    let id = visit.form.get("id");
    if !is_form_id(id) {
        return Err(Error::StaleForm);
    }
    let typed = match Typed::read(&visit.form, &codes, today, Texts::of(frame.language)) {
        Ok(typed) => typed,
        Err(errors) => return Ok(Page::invalid(form_page(&frame, &codes, id, today, &visit.form, &errors))),
    };
    let clocks = clock::clocks_from(&account.profile.jurisdictions, typed.residence, typed.kind, typed.received_on)
        .map_err(Error::failed("computing the dates of a request"))?;
    let new = Entered {
        form: id,
        kind: typed.kind,
        channel: typed.channel,
        code: &typed.code,
        language: typed.language,
        received_at: received_at(typed.received_on, today, &tz, visit.at),
        clocks: &clocks,
        residence: typed.residence,
        phone: typed.phone.as_ref(),
        email: typed.email.as_ref(),
        name: typed.name.as_ref(),
        details: typed.details.as_ref(),
        by: &allowed.user,
        at: visit.at,
    };
    let entry = |reference: &domain::reference::Reference| {
        case::entry(&allowed, &visit, Act::RequestEntered, reference)
            .with("kind", typed.kind.code())
            .with("channel", typed.channel.code())
            .with("received-on", typed.received_on.to_string())
    };
    match store.enter_request(&new, entry).await? {
        Added::Done(reference) => Ok(Page::to(format!("/dashboard/request/{}?done=entered", reference.as_str()))),
        // What was typed goes with another id, so that it is a request of its own.
        Added::Other | Added::Full => {
            let errors = [FieldError::new("", Texts::of(frame.language).new_other)];
            let id = random_token()?;
            Ok(Page::html(form_page(&frame, &codes, &id, today, &visit.form, &errors)).with_status(409))
        }
    }
}

/// The moment that stands for a day of receipt: of an earlier day only the day is known, and noon lies in it anywhere.
fn received_at(day: Date, today: Date, tz: &TimeZone, now: Timestamp) -> Timestamp {
    if day == today {
        return now;
    }
    day.to_datetime(time(12, 0, 0, 0)).to_zoned(tz.clone()).map_or(now, |zoned| zoned.timestamp())
}

/// What was typed, once it is right.
#[derive(Debug)]
struct Typed {
    kind: Kind,
    channel: Channel,
    code: ServiceCode,
    received_on: Date,
    language: Language,
    residence: Option<Jurisdiction>,
    name: Option<PersonalText>,
    phone: Option<E164>,
    email: Option<EmailAddress>,
    details: Option<PersonalText>,
}

impl Typed {
    fn read(
        form: &Fields,
        codes: &[(ServiceCode, String)],
        today: Date,
        texts: &Texts,
    ) -> Result<Self, Vec<FieldError>> {
        let mut errors = vec![];
        let mut wrong = |field: &str, reason: &str| errors.push(FieldError::new(field, reason));
        let kind = Kind::parse(form.get("kind"));
        if kind.is_none() {
            wrong("kind", texts.new_kind_missing);
        }
        let channel = Channel::parse(form.get("channel")).filter(|it| CHANNELS.contains(it));
        if channel.is_none() {
            wrong("channel", texts.new_channel_missing);
        }
        let code = codes.iter().map(|(code, _)| code).find(|code| code.as_str() == form.get("code"));
        if code.is_none() {
            wrong("code", texts.new_code_missing);
        }
        let received_on = match form.get("received").trim().parse::<Date>() {
            Err(_) => Err(texts.new_date_missing),
            Ok(day) if day > today => Err(texts.new_future),
            Ok(day) if today.checked_sub(OLDEST_YEARS.years()).is_ok_and(|oldest| day < oldest) => Err(texts.new_old),
            Ok(day) => Ok(day),
        };
        if let Err(reason) = received_on {
            wrong("received", reason);
        }
        let residence = match form.get("residence") {
            "" => None,
            place => {
                let known = Jurisdiction::parse(place);
                if known.is_none() {
                    wrong("residence", texts.not_a_place);
                }
                known
            }
        };
        let phone = form.get("phone").trim();
        let read_phone = (!phone.is_empty()).then(|| E164::from_writing(phone));
        if read_phone == Some(None) {
            wrong("phone", texts.new_phone_wrong);
        }
        let email = form.get("email").trim();
        let read_email = (!email.is_empty()).then(|| EmailAddress::parse(email).ok());
        if read_email == Some(None) {
            wrong("email", texts.new_email_wrong);
        }
        let mut personal = |field: &'static str| {
            let text = form.get(field);
            if text.trim().is_empty() {
                return None;
            }
            let read = PersonalText::parse(text).ok();
            if read.is_none() {
                wrong(field, texts.new_text_wrong);
            }
            read
        };
        let (name, details) = (personal("name"), personal("details"));
        if [phone, email, form.get("name").trim()].iter().all(|text| text.is_empty()) {
            wrong("name", texts.new_contact_missing);
        }
        match (kind, channel, code, received_on) {
            (Some(kind), Some(channel), Some(code), Ok(received_on)) if errors.is_empty() => Ok(Self {
                kind,
                channel,
                code: code.clone(),
                received_on,
                language: Language::parse(form.get("language")).unwrap_or(Language::English),
                residence,
                name,
                phone: read_phone.flatten(),
                email: read_email.flatten(),
                details,
            }),
            _ => Err(errors),
        }
    }
}

fn form_page(
    frame: &Frame,
    codes: &[(ServiceCode, String)],
    id: &str,
    today: Date,
    typed: &Fields,
    errors: &[FieldError],
) -> Markup {
    let language = frame.language;
    let texts = Texts::of(language);
    let kinds = Kind::ALL.iter().fold(Choices::radios("kind", texts.new_kind), |choices, kind| {
        choices.explained(kind.code(), words::kind(language, *kind), words::kind_asks(language, *kind))
    });
    let channels = CHANNELS.iter().fold(Choices::radios("channel", texts.new_channel), |choices, channel| {
        choices.choice(channel.code(), words::channel(language, *channel))
    });
    let codes = codes.iter().map(|(code, name)| (code.as_str().to_owned(), format!("{code} · {name}")));
    let places = Jurisdiction::ALL.map(|it| (it.as_str(), words::jurisdiction(language, it)));
    let text = |field: Field, name: &str| field.value(typed.get(name)).errors(errors);
    let form = Form::post(language, "/dashboard/new-request", frame.csrf.as_str()).errors(errors).body(html! {
        (hidden("id", id))
        (kinds.chosen(typed.all("kind")).errors(errors).required())
        (channels.chosen(typed.all("channel")).errors(errors).required())
        (row(&html! {
            (text(Field::date("received", texts.new_received), "received").hint(texts.new_received_hint)
                .range(None::<Date>, Some(today)).required())
            (Select::new("code", texts.new_code).choices(codes).chosen(typed.get("code")).errors(errors).required())
        }))
        (group(texts.person, None, &html! {
            (text(Field::text("name", texts.name), "name").plain_text().autocomplete("off").optional(language))
            (row(&html! {
                (text(Field::telephone("phone", texts.phone), "phone").autocomplete("off").optional(language))
                (text(Field::email("email", texts.email), "email").autocomplete("off").optional(language))
            }))
            (row(&html! {
                (Select::new("language", texts.person_language)
                    .choices(Language::ALL.map(|it| (it.code(), words::language(language, it))))
                    .chosen(typed.get("language")))
                (Select::new("residence", texts.residence).choice("", texts.not_known).choices(places)
                    .chosen(typed.get("residence")).errors(errors))
            }))
            (text(Field::area("details", texts.details, 5), "details").max_length(5000).optional(language))
        }))
        (actions(&html! {
            (Button::primary(texts.new_submit))
            (Button::quiet(texts.cancel).to("/dashboard/requests"))
        }))
    });
    let main = html! {
        (Heading::new(texts.new_title).lede(texts.new_lede).above(language, &[("/dashboard/requests", texts.inbox)]))
        (Card::new(texts.asked).body(form))
    };
    pages::page(frame, texts.new_title, &main)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn codes() -> Vec<(ServiceCode, String)> {
        vec![(ServiceCode::parse("12").unwrap(), "Main <store>".to_owned())]
    }

    fn filled(changes: &[(&str, &str)]) -> Fields {
        let mut pairs: Vec<(&str, &str)> = vec![
            ("kind", "delete"),
            ("channel", "mail"),
            ("code", "12"),
            ("received", "2026-11-02"),
            ("language", "es"),
            ("residence", "us-ca"),
            ("name", "Ana <b>Pérez</b>"),
            ("phone", "(213) 555-0123"),
            ("email", "Ana@Example.com"),
            ("details", "Everything, please."),
        ];
        for (name, value) in changes {
            pairs.retain(|(there, _)| there != name);
            pairs.push((name, value));
        }
        pairs.into_iter().collect()
    }

    fn read(changes: &[(&str, &str)]) -> Result<Typed, Vec<String>> {
        let today = date(2026, 11, 20);
        let read = Typed::read(&filled(changes), &codes(), today, Texts::of(Language::English));
        read.map_err(|errors| errors.into_iter().map(|error| error.field).collect())
    }

    #[test]
    fn what_is_typed_is_read_as_people_write_it() {
        let typed = read(&[]).unwrap();
        assert_eq!(typed.phone.unwrap().as_str(), "+12135550123");
        assert_eq!(typed.email.unwrap().as_str(), "Ana@example.com");
        assert_eq!(
            (typed.received_on, typed.channel, typed.language),
            (date(2026, 11, 2), Channel::Mail, Language::Spanish)
        );
    }

    #[test]
    fn each_mistake_is_told_by_its_field() {
        for (change, field) in [
            (("kind", "everything"), "kind"),
            (("channel", "signal"), "channel"),
            (("code", "13"), "code"),
            (("received", "2026-11-21"), "received"),
            (("received", "yesterday"), "received"),
            (("received", "1999-01-01"), "received"),
            (("residence", "us-xx"), "residence"),
            (("phone", "12"), "phone"),
            (("email", "ana"), "email"),
            (("name", "a\u{0}b"), "name"),
            (("details", "\u{7}"), "details"),
        ] {
            assert_eq!(read(&[change]).unwrap_err(), [field], "{change:?}");
        }
        assert_eq!(read(&[("name", ""), ("phone", " "), ("email", "")]).unwrap_err(), ["name"]);
        assert!(read(&[("phone", ""), ("email", ""), ("details", "")]).is_ok(), "a name alone is enough for a letter");
    }

    #[test]
    fn a_request_of_today_is_received_now_and_one_of_before_on_its_day() {
        let tz = TimeZone::get("America/Los_Angeles").unwrap();
        let now: Timestamp = "2026-11-21T02:00:00Z".parse().unwrap();
        let today = date(2026, 11, 20);
        assert_eq!(received_at(today, today, &tz, now), now);
        assert_eq!(received_at(date(2026, 11, 2), today, &tz, now).to_zoned(tz).date(), date(2026, 11, 2));
    }

    #[test]
    fn a_form_that_comes_back_has_its_errors_beside_the_fields_and_what_was_typed() {
        let frame = Frame {
            language: Language::English,
            tenant_name: "Main store".into(),
            user_name: "Ana".into(),
            role: "Agent".into(),
            csrf: "token".into(),
            section: Section::Requests,
            sections: vec![Section::Requests],
        };
        let form = filled(&[("received", "2026-11-21"), ("phone", "12")]);
        let today = date(2026, 11, 20);
        let errors = Typed::read(&form, &codes(), today, Texts::of(Language::English)).unwrap_err();
        let page = form_page(&frame, &codes(), &"x".repeat(43), today, &form, &errors).into_string();
        assert!(page.contains("Ana &lt;b&gt;Pérez&lt;/b&gt;") && !page.contains("<b>Pérez"));
        let main = page.split_once("<main").unwrap().1.split_once("</main>").unwrap().0;
        insta::assert_snapshot!(main.replace("><", ">\n<"));
    }
}
