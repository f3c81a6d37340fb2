//! What mails say. A subject names nobody: it is read on locked screens.

use domain::clock::Clocks;
use domain::closure::NOTICES;
use domain::language::Language;
use domain::reference::Reference;
use domain::request::Kind;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::html;
use pages::texts::either;
use pages::{fill, format};
use platform::digest::ClosingLetter;
use platform::mail::Notice;

use crate::mail_frame::{self, BUTTON, SMALL};

/// A mail in words.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Written {
    language: Language,
    pub(crate) subject: String,
    paragraphs: Vec<String>,
    /// What the button says, and where it leads.
    button: Option<(&'static str, String)>,
    /// What stands under it.
    closing: &'static str,
}

impl Written {
    /// As plain text.
    pub(crate) fn text(&self) -> String {
        let mut parts = self.paragraphs.clone();
        if let Some((label, link)) = &self.button {
            parts.push(format!("{label}:\n{link}"));
        }
        parts.push(self.closing.to_owned());
        parts.push("Optline".to_owned());
        parts.join("\n\n") + "\n"
    }

    /// As HTML.
    pub(crate) fn html(&self) -> String {
        let content = html! {
            @for paragraph in &self.paragraphs { p { (paragraph) } }
            @if let Some((label, link)) = &self.button {
                p { a href=(link) style=(BUTTON) { (label) } }
                p style={ (SMALL) ";word-break:break-all" } { (link) }
            }
            p style=(SMALL) { (self.closing) }
        };
        mail_frame::page(self.language, &self.subject, &content)
    }
}

/// Come and join the team.
pub(crate) fn invitation(language: Language, tenant: &str, invited_by: Option<&str>, link: &str) -> Written {
    let text = match invited_by {
        Some(_) => either(
            language,
            "{name} invites you to answer privacy requests of {tenant} with Optline.",
            "{name} le invita a responder con Optline a las solicitudes de privacidad de {tenant}.",
        ),
        None => either(
            language,
            "You are invited to answer privacy requests of {tenant} with Optline.",
            "Le invitan a responder con Optline a las solicitudes de privacidad de {tenant}.",
        ),
    };
    Written {
        language,
        subject: either(language, "Your invitation to Optline", "Su invitación a Optline").to_owned(),
        paragraphs: vec![fill(text, &[("name", invited_by.unwrap_or_default()), ("tenant", tenant)])],
        button: Some((either(language, "Accept the invitation", "Aceptar la invitación"), link.to_owned())),
        closing: either(
            language,
            "The link is good once, for three days. If you did not expect this, you need not do anything.",
            "El enlace sirve una vez, durante tres días. Si no lo esperaba, no hace falta que haga nada.",
        ),
    }
}

/// Choose a new password.
pub(crate) fn reset(language: Language, link: &str) -> Written {
    Written {
        language,
        subject: either(language, "Choose a new password for Optline", "Elija una contraseña nueva para Optline")
            .to_owned(),
        paragraphs: vec![
            either(
                language,
                "Somebody, we hope you, has asked for a new password for this address.",
                "Alguien, esperamos que usted, pidió una contraseña nueva para esta dirección.",
            )
            .to_owned(),
        ],
        button: Some((either(language, "Choose a password", "Elegir una contraseña"), link.to_owned())),
        closing: either(
            language,
            "The link is good once, for an hour. If it was not you, you need not do anything: your password stays as it is, \
             and without your second factor nobody gets in.",
            "El enlace sirve una vez, durante una hora. Si no fue usted, no hace falta que haga nada: su contraseña sigue \
             igual, y sin su segundo factor no entra nadie.",
        ),
    }
}

/// A code with which somebody shows that a request is theirs. It stands in no subject: those are read on locked screens.
pub(crate) fn code(language: Language, digits: &str) -> Written {
    let text = either(
        language,
        "Your code is {code}. Enter it on the page where you asked for it. It is good for 10 minutes, once.",
        "Su código es {code}. Escríbalo en la página donde lo pidió. Sirve durante 10 minutos, una vez.",
    );
    Written {
        language,
        subject: either(language, "Your code", "Su código").to_owned(),
        paragraphs: vec![fill(text, &[("code", digits)])],
        button: None,
        closing: either(
            language,
            "We never ask you for it in any other way. If you did not ask for a code, you need not do anything: without it \
             nobody sees your request.",
            "Nunca se lo pediremos de otra forma. Si no pidió un código, no hace falta que haga nada: sin él nadie ve su \
             solicitud.",
        ),
    }
}

/// Something about the account has changed.
pub(crate) fn notice(language: Language, what: Notice, at: Timestamp, time_zone: &str) -> Written {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    let happened = match what {
        Notice::PasswordChanged => either(language, "Your password was changed.", "Se cambió su contraseña."),
        Notice::PasskeyAdded => {
            either(language, "A passkey was added to your account.", "Se añadió una llave de acceso a su cuenta.")
        }
        Notice::PasskeyRemoved => {
            either(language, "A passkey was removed from your account.", "Se quitó una llave de acceso de su cuenta.")
        }
        Notice::AppAdded => either(
            language,
            "An authenticator app was set up for your account.",
            "Se puso una aplicación de autenticación en su cuenta.",
        ),
        Notice::AppRemoved => either(
            language,
            "The authenticator app was removed from your account.",
            "Se quitó la aplicación de autenticación de su cuenta.",
        ),
        Notice::RecoveryCodeUsed => either(
            language,
            "Somebody signed in to your account with a recovery code. It is used up now.",
            "Alguien entró en su cuenta con un código de recuperación, que ya no sirve.",
        ),
        Notice::RecoveryCodesMade => either(
            language,
            "New recovery codes were made for your account. The old ones have ended.",
            "Se hicieron códigos de recuperación nuevos para su cuenta. Los anteriores ya no sirven.",
        ),
    };
    let when = format::date_time(language, &at.to_zoned(zone.clone()));
    Written {
        language,
        subject: either(language, "Your Optline account has changed", "Su cuenta de Optline ha cambiado").to_owned(),
        paragraphs: vec![happened.to_owned(), format!("{when} ({})", zone.iana_name().unwrap_or("UTC"))],
        button: None,
        closing: either(
            language,
            "If it was you, all is well. If not, ask an owner of your team at once to remove your account, and tell us.",
            "Si fue usted, todo está bien. Si no, pida enseguida a una persona titular de su equipo que quite su cuenta, y \
             avísenos.",
        ),
    }
}

/// The account was closed, and everything goes on a day.
pub(crate) fn closing(language: Language, letter: &ClosingLetter, link: &str) -> Written {
    let (closed, erased) =
        (format::long_date(language, letter.closed_on), format::long_date(language, letter.erased_on));
    let values = [("closed", closed.as_str()), ("erased", erased.as_str())];
    let last = letter.notice >= NOTICES.len();
    let first = match letter.notice {
        0 | 1 => either(
            language,
            "Your business’s account with Optline was closed on {closed}. From that day on it takes no new requests: callers \
             and visitors are told so.",
            "La cuenta de su empresa en Optline se cerró el {closed}. Desde ese día no recibe solicitudes nuevas: se les dice \
             a quienes llaman y a quienes visitan sus páginas.",
        ),
        _ if last => either(
            language,
            "This is the last time we write about it: your business’s account with Optline was closed on {closed}, and \
             everything in it will soon be gone for good.",
            "Es la última vez que le escribimos sobre esto: la cuenta de su empresa en Optline se cerró el {closed}, y pronto \
             desaparecerá para siempre todo lo que contiene.",
        ),
        _ => either(
            language,
            "Your business’s account with Optline was closed on {closed}. We write again so that it surprises nobody.",
            "La cuenta de su empresa en Optline se cerró el {closed}. Le volvemos a escribir para que no sorprenda a nadie.",
        ),
    };
    let rest = [
        either(
            language,
            "On {erased} we erase all of it: requests, recordings, files, settings and the team’s accounts. Nobody can bring \
             it back after that. Only the numbers of calls and minutes stay, for the books.",
            "El {erased} borraremos todo: solicitudes, grabaciones, archivos, ajustes y las cuentas del equipo. Después nadie \
             podrá recuperarlo. Solo quedan las cifras de llamadas y minutos, para la contabilidad.",
        ),
        either(
            language,
            "Until then you can sign in as always. Please take out what you must keep: the law asks businesses to keep \
             requests and answers for at least 24 months. The request log and the list of requests can be exported as files, \
             and so can the record of each request.",
            "Hasta entonces puede entrar como siempre. Saque, por favor, lo que deba conservar: la ley pide a las empresas que \
             guarden las solicitudes y sus respuestas al menos 24 meses. El registro y la lista de solicitudes se pueden \
             exportar como archivos, y también el expediente de cada solicitud.",
        ),
        either(
            language,
            "Requests that are still open must be answered by their dates all the same, and we go on reminding you of them.",
            "Las solicitudes que siguen abiertas deben responderse igualmente en su plazo, y se lo seguiremos recordando.",
        ),
    ];
    let paragraphs = [first].into_iter().chain(rest);
    Written {
        language,
        subject: either(language, "Your Optline account is closed", "Su cuenta de Optline está cerrada").to_owned(),
        paragraphs: paragraphs.map(|text| fill(text, &values)).collect(),
        button: Some((either(language, "Sign in and export", "Entrar y exportar"), link.to_owned())),
        closing: either(
            language,
            "If this is a mistake, or you have changed your mind, tell us before that day, the way you always reach us: we open \
             the account again, and everything is as it was.",
            "Si es un error o ha cambiado de idea, díganoslo antes de ese día, por la vía habitual: abriremos la cuenta de nuevo \
             y todo quedará como estaba.",
        ),
    }
}

/// The business has written to whoever asked. What it says is on the page of the request.
pub(crate) fn message_for_consumer(language: Language, business: &str, reference: &Reference, link: &str) -> Written {
    let text = either(
        language,
        "{business} has written to you about your request {reference}. To keep it between you, the message is not in this \
         mail.",
        "{business} le ha escrito sobre su solicitud {reference}. Para que quede entre ustedes, el mensaje no está en este \
         correo.",
    );
    Written {
        language,
        subject: either(language, "A message about your request", "Un mensaje sobre su solicitud").to_owned(),
        paragraphs: vec![fill(text, &[("business", business), ("reference", &reference.to_string())])],
        button: Some((either(language, "Read the message", "Leer el mensaje"), link.to_owned())),
        closing: either(
            language,
            "You will be asked for the reference number, and for a code that we then send to you. If you did not ask for \
             anything, you need not do anything.",
            "Se le pedirá el número de referencia, y un código que le enviaremos entonces. Si no pidió nada, no hace falta \
             que haga nada.",
        ),
    }
}

/// Whoever asked has written to the business.
pub(crate) fn message_for_team(language: Language, reference: &Reference, link: &str) -> Written {
    let text = either(
        language,
        "Whoever made request {reference} has written to your team. The message is on the request’s page, and not in this \
         mail.",
        "Quien hizo la solicitud {reference} ha escrito a su equipo. El mensaje está en la página de la solicitud, y no en \
         este correo.",
    );
    Written {
        language,
        subject: either(language, "A message waits in Optline", "Hay un mensaje en Optline").to_owned(),
        paragraphs: vec![fill(text, &[("reference", &reference.to_string())])],
        button: Some((either(language, "Open the request", "Abrir la solicitud"), link.to_owned())),
        closing: either(
            language,
            "You get this because you work on the request, or because nobody does and you run the team. The request’s dates \
             go on as they are.",
            "Recibe este correo porque se ocupa de la solicitud, o porque nadie lo hace y usted dirige el equipo. Los plazos \
             de la solicitud siguen igual.",
        ),
    }
}

/// A request came in.
pub(crate) struct Receipt<'a> {
    pub(crate) language: Language,
    pub(crate) business: &'a str,
    pub(crate) kind: Kind,
    pub(crate) reference: &'a Reference,
    pub(crate) respond_by: Date,
    /// The hotline's number as people read it, where it is known.
    pub(crate) telephone: Option<&'a str>,
}

impl Receipt<'_> {
    /// The number, the day, and what to do next: to say that it was them, where that is not sure and may be asked, else
    /// nothing.
    pub(crate) fn written(&self, status: &str, confirm: Option<&str>) -> Written {
        let language = self.language;
        let (number, day) = (self.reference.to_string(), format::long_date(language, self.respond_by));
        let telephone = self.telephone.unwrap_or_default();
        let values = [
            ("business", self.business),
            ("number", number.as_str()),
            ("date", day.as_str()),
            ("telephone", telephone),
        ];
        let mut paragraphs = vec![
            fill(
                match self.telephone {
                    Some(_) => either(
                        language,
                        "{business} has received your privacy request. Its number is {number}. Keep it: with it you can ask \
                         how your request stands, on the web or by telephone at {telephone}.",
                        "{business} recibió su solicitud de privacidad. Su número es {number}. Guárdelo: con él puede \
                         preguntar cómo va su solicitud, en la web o por teléfono en el {telephone}.",
                    ),
                    None => either(
                        language,
                        "{business} has received your privacy request. Its number is {number}. Keep it: with it you can ask \
                         how your request stands.",
                        "{business} recibió su solicitud de privacidad. Su número es {number}. Guárdelo: con él puede \
                         preguntar cómo va su solicitud.",
                    ),
                },
                &values,
            ),
            fill(
                match self.kind {
                    Kind::OptOut | Kind::Limit => either(
                        language,
                        "{business} must do it by {date}. Nothing more is needed from you.",
                        "{business} debe hacerlo a más tardar el {date}. No hace falta nada más de usted.",
                    ),
                    _ => either(
                        language,
                        "{business} must answer by {date}. If it needs anything from you, it will write to you.",
                        "{business} debe responder a más tardar el {date}. Si necesita algo de usted, le escribirá.",
                    ),
                },
                &values,
            ),
        ];
        let look = either(language, "See how it stands", "Ver cómo va");
        let button = match confirm {
            Some(confirm) => {
                paragraphs.push(
                    either(
                        language,
                        "One thing is left: please tell us that it was you who asked.",
                        "Falta una cosa: díganos, por favor, que fue usted quien lo pidió.",
                    )
                    .to_owned(),
                );
                paragraphs.push(format!("{look}: {status}"));
                (either(language, "Yes, I asked for this", "Sí, yo lo pedí"), confirm.to_owned())
            }
            None => (look, status.to_owned()),
        };
        Written {
            language,
            subject: either(language, "We have received your request", "Recibimos su solicitud").to_owned(),
            paragraphs,
            button: Some(button),
            closing: either(
                language,
                "If you did not ask for anything, you need not do anything.",
                "Si no pidió nada, no hace falta que haga nada.",
            ),
        }
    }
}

/// What a confirmation in writing says of a request.
pub(crate) struct Confirmation<'a> {
    pub(crate) language: Language,
    pub(crate) business: &'a str,
    pub(crate) kind: Kind,
    pub(crate) reference: &'a Reference,
    pub(crate) clocks: &'a Clocks,
}

impl Confirmation<'_> {
    /// That it came in, how it will be handled and when an answer is to be expected: what 11 CCR 7021(a) asks for.
    pub(crate) fn written(&self, status: &str) -> Written {
        let language = self.language;
        let day = |date| format::long_date(language, date);
        let (number, received) = (self.reference.to_string(), day(self.clocks.received_on));
        let (answer, later) =
            (day(self.clocks.respond_by.date), self.clocks.extension.as_ref().map(|due| day(due.date)));
        let values = [
            ("business", self.business),
            ("number", number.as_str()),
            ("received", received.as_str()),
            ("answer", answer.as_str()),
            ("later", later.as_deref().unwrap_or_default()),
        ];
        let came = either(
            language,
            "{business} received your privacy request on {received}. Its number is {number}. Keep it: with it you can ask how \
             your request stands.",
            "{business} recibió su solicitud de privacidad el {received}. Su número es {number}. Guárdelo: con él puede \
             preguntar cómo va su solicitud.",
        );
        let next = match (self.kind, self.clocks.may_verify && self.kind.may_verify()) {
            (Kind::Message, _) => either(
                language,
                "What happens next: somebody reads or listens to your message, and handles it as what it asks for.",
                "Lo que sigue: una persona lee o escucha su mensaje y lo atiende según lo que pide.",
            ),
            (_, true) => either(
                language,
                "What happens next: {business} makes sure that it was you who asked, first by comparing what you sent with what \
                 it knows already. If that is not enough, it writes to you and asks for no more than it needs. Then it decides, \
                 and tells you what it did, or why it did not.",
                "Lo que sigue: {business} se asegura de que fue usted quien lo pidió, primero comparando lo que envió con lo que \
                 ya sabe. Si no basta, le escribe y le pide solo lo necesario. Después decide y le dice qué hizo, o por qué no \
                 lo hizo.",
            ),
            (_, false) => either(
                language,
                "What happens next: {business} does what you asked. You need not prove who you are.",
                "Lo que sigue: {business} hace lo que pidió. No hace falta que demuestre quién es.",
            ),
        };
        let when = match &later {
            Some(_) => either(
                language,
                "You can expect an answer by {answer}. If more time is needed, {business} tells you before that day, and why; \
                 then it has until {later}.",
                "Puede esperar una respuesta a más tardar el {answer}. Si hace falta más tiempo, {business} se lo dirá antes de \
                 ese día, y por qué; entonces tiene hasta el {later}.",
            ),
            None => either(
                language,
                "You can expect an answer by {answer}.",
                "Puede esperar una respuesta a más tardar el {answer}.",
            ),
        };
        Written {
            language,
            subject: either(language, "We have received your request", "Recibimos su solicitud").to_owned(),
            paragraphs: [came, next, when].map(|text| fill(text, &values)).to_vec(),
            button: Some((either(language, "See how it stands", "Ver cómo va"), status.to_owned())),
            closing: either(
                language,
                "If you did not ask for anything, you need not do anything.",
                "Si no pidió nada, no hace falta que haga nada.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::clock::clocks_from;
    use domain::closure::Closed;
    use domain::jurisdiction::Jurisdiction;
    use domain::user::UserId;
    use jiff::civil::date;
    use platform::tenant::Tenant;

    use super::*;

    #[test]
    fn an_invitation_escapes_the_names_in_it_and_has_none_in_its_subject() {
        let mail = invitation(Language::English, "Bear & <Sons>", Some("Ana"), "https://hotline.example/x");
        insta::assert_snapshot!(mail.text());
        assert!(mail.html().contains("Bear &amp; &lt;Sons&gt;"));
        assert!(!mail.subject.contains("Bear") && !mail.subject.contains("Ana"));
    }

    #[test]
    fn a_reset_says_that_doing_nothing_is_safe() {
        insta::assert_snapshot!(reset(Language::Spanish, "https://hotline.example/x").html());
    }

    #[test]
    fn who_is_told_of_a_message_learns_where_it_waits_and_nothing_that_it_says() {
        let reference = Reference::from_entropy(7);
        let link = "https://hotline.example/x";
        let said = Language::ALL.map(|language| {
            let to_consumer = message_for_consumer(language, "Bear & <Sons>", &reference, link);
            let to_team = message_for_team(language, &reference, link);
            for written in [&to_consumer, &to_team] {
                assert!(!written.subject.contains("Bear") && !written.subject.contains(reference.as_str()));
                assert!(!written.html().contains("<Sons>"));
            }
            format!("{}\n\n{}\n{}\n\n{}", to_consumer.subject, to_consumer.text(), to_team.subject, to_team.text())
        });
        insta::assert_snapshot!(said.join("\n———\n"));
    }

    #[test]
    fn owners_of_a_closed_account_learn_what_happens_when_and_how_to_keep_what_they_need() {
        let closed = Closed::new("shop".to_owned(), date(2026, 11, 22), 1);
        let user = UserId::parse(&format!("u-{}", "0".repeat(26))).unwrap();
        let said = [(1, date(2026, 11, 22)), (2, date(2027, 1, 21)), (3, date(2027, 2, 20))].map(|(notice, today)| {
            let letter = ClosingLetter::new(&Tenant::platform(), &user, &closed, notice, today);
            assert!(letter.erased_on > today);
            Language::ALL
                .map(|language| {
                    let mail = closing(language, &letter, "https://hotline.example/x");
                    assert!(!mail.html().contains('{'));
                    format!("{}\n\n{}", mail.subject, mail.text())
                })
                .join("\n")
        });
        insta::assert_snapshot!(said.join("\n———\n"));
    }

    #[test]
    fn a_code_is_in_the_mail_and_never_in_its_subject() {
        for language in Language::ALL {
            let mail = code(language, "042917");
            assert!(mail.text().contains("042917") && mail.html().contains("042917"));
            assert!(!mail.subject.contains("042917"));
        }
    }

    #[test]
    fn every_notice_says_what_and_when_in_the_business_zone() {
        let at = "2026-11-22T01:00:00Z".parse().unwrap();
        let said = [
            Notice::PasswordChanged,
            Notice::PasskeyAdded,
            Notice::PasskeyRemoved,
            Notice::AppAdded,
            Notice::AppRemoved,
            Notice::RecoveryCodeUsed,
            Notice::RecoveryCodesMade,
        ]
        .map(|what| notice(Language::English, what, at, "America/Los_Angeles").paragraphs.join(" · "));
        insta::assert_snapshot!(said.join("\n"));
    }

    fn receipt(language: Language) -> Receipt<'static> {
        static REFERENCE: std::sync::LazyLock<Reference> = std::sync::LazyLock::new(|| Reference::from_entropy(7));
        Receipt {
            language,
            business: "Bear & <Sons>",
            kind: Kind::Delete,
            reference: &REFERENCE,
            respond_by: jiff::civil::date(2027, 1, 6),
            telephone: None,
        }
    }

    #[test]
    fn a_receipt_names_the_hotlines_number_and_says_of_an_opt_out_that_nothing_more_is_needed() {
        for (language, nothing) in [(Language::English, "Nothing more"), (Language::Spanish, "No hace falta nada más")]
        {
            let opted_out = Receipt { kind: Kind::OptOut, telephone: Some("+1 866 555 0100"), ..receipt(language) }
                .written("/s", None);
            let text = opted_out.text();
            assert!(text.contains("+1 866 555 0100") && text.contains(nothing), "{text}");
            let asked = receipt(language).written("/s", None).text();
            assert!(!asked.contains("telephone") && !asked.contains("teléfono") && !asked.contains(nothing), "{asked}");
        }
    }

    #[test]
    fn a_receipt_has_the_number_and_the_day_and_no_name_in_its_subject() {
        let status = "https://hotline.example/status?code=12";
        let plain = receipt(Language::English).written(status, None);
        assert!(!plain.subject.contains("Bear") && plain.html().contains("Bear &amp; &lt;Sons&gt;"));
        insta::assert_snapshot!(plain.text());
        let confirm = "https://hotline.example/forms/confirmation/ticket";
        insta::assert_snapshot!(receipt(Language::Spanish).written(status, Some(confirm)).text());
    }

    #[test]
    fn a_confirmation_says_how_a_request_is_handled_and_when_to_expect_an_answer() {
        let tenant = [Jurisdiction::UsCa];
        let said = [
            (Language::English, Kind::Delete),
            (Language::Spanish, Kind::KnowSpecific),
            (Language::English, Kind::Message),
        ]
        .map(|(language, kind)| {
            let clocks = clocks_from(&tenant, None, kind, jiff::civil::date(2026, 11, 22)).unwrap();
            let reference = Reference::from_entropy(7);
            let written =
                Confirmation { language, business: "Bear & <Sons>", kind, reference: &reference, clocks: &clocks }
                    .written("https://hotline.example/status?code=12");
            assert!(!written.subject.contains("Bear") && !written.html().contains("<Sons>"));
            format!("{}\n\n{}", written.subject, written.text())
        });
        insta::assert_snapshot!(said.join("\n———\n"));
    }

    /// What a record holds of somebody, none of which may stand where it is read on locked screens, or not at all.
    const PLANTED: [&str; 5] =
        ["Quetzalmarker", "ana.ñandú@person.example", "+12135550123", "Calle Mayor 7", "1984-02-29"];

    #[test]
    fn no_letter_says_anything_of_a_person_in_its_subject() {
        let planted = PLANTED.join(" ");
        let reference = Reference::from_entropy(7);
        let at = "2026-11-22T01:00:00Z".parse().unwrap();
        let link = "https://hotline.example/x";
        for language in Language::ALL {
            let receipt = Receipt { business: &planted, telephone: Some(&planted), ..receipt(language) };
            let notices = [
                Notice::PasswordChanged,
                Notice::PasskeyAdded,
                Notice::PasskeyRemoved,
                Notice::AppAdded,
                Notice::AppRemoved,
                Notice::RecoveryCodeUsed,
                Notice::RecoveryCodesMade,
            ];
            let mut all = vec![
                invitation(language, &planted, Some(&planted), link),
                reset(language, link),
                code(language, "042917"),
                message_for_consumer(language, &planted, &reference, link),
                message_for_team(language, &reference, link),
                receipt.written(link, None),
                receipt.written(link, Some(link)),
            ];
            all.extend(notices.map(|what| notice(language, what, at, "America/Los_Angeles")));
            for written in all {
                let said = [&reference.to_string(), reference.as_str(), "042917"];
                for personal in PLANTED.iter().chain(&said) {
                    assert!(!written.subject.contains(personal), "{}", written.subject);
                }
            }
        }
    }
}
