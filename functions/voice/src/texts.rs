//! Everything that callers hear, in English and Spanish: short, warm, plain.

use domain::language::Language::{self, English, Spanish};
use domain::reference::Reference;
use domain::request::{Kind, State};
use jiff::civil::Date;
use platform::call::Service;

/// A question in three wordings: each says more than the one before.
pub(crate) struct Prompt([String; 3]);

impl Prompt {
    fn new(short: impl Into<String>, fuller: impl Into<String>, fullest: impl Into<String>) -> Self {
        Self([short.into(), fuller.into(), fullest.into()])
    }

    /// The wording for the n-th try, from 0; the fullest for who asks for help.
    pub(crate) fn wording(&self, helping: bool, attempt: u8) -> &str {
        let [short, fuller, fullest] = &self.0;
        match attempt {
            _ if helping => fullest,
            0 => short,
            1 => fuller,
            _ => fullest,
        }
    }
}

pub(crate) fn heard_nothing(language: Language) -> &'static str {
    match language {
        English => "I didn't hear anything. Take your time.",
        Spanish => "No escuché nada. Tómese su tiempo.",
    }
}

pub(crate) fn wrong_key(language: Language) -> &'static str {
    match language {
        English => "That isn't one of the choices.",
        Spanish => "Esa no es una de las opciones.",
    }
}

/// The language question, in both languages.
pub(crate) fn language(attempt: u8) -> (&'static str, &'static str) {
    match attempt {
        0 => ("Welcome to the privacy request line. For English, press 1.", "Para español, oprima el dos."),
        1 => (
            "You can press a key on your telephone at any time. For English, press 1.",
            "Puede oprimir una tecla de su teléfono en cualquier momento. Para español, oprima el dos.",
        ),
        _ => (
            "This line takes requests about your personal information. The keys are on your telephone's keypad. \
             For English, press 1.",
            "Esta línea recibe solicitudes sobre su información personal. Las teclas están en su teléfono. \
             Para español, oprima el dos.",
        ),
    }
}

/// The way out of the language question.
pub(crate) fn language_way_out() -> (&'static str, &'static str) {
    (
        "I still can't hear any keys. You can also make your request on the website of the business: look for \
         Your Privacy Choices, or for its privacy policy. Thank you for calling. Goodbye.",
        "Todavía no escucho ninguna tecla. También puede hacer su solicitud en el sitio web de la empresa: busque \
         Sus opciones de privacidad, o su política de privacidad. Gracias por llamar. Adiós.",
    )
}

pub(crate) fn service_code(language: Language) -> Prompt {
    match language {
        English => Prompt::new(
            "Please enter the service code of the business, then press pound.",
            "The service code is the number next to this telephone number on the website of the business. \
             Please enter it, then press pound.",
            "You'll find the service code in the privacy policy of the business, next to this telephone number. \
             It has up to 8 digits. Enter it, one digit after the other, and then press the pound key, at the bottom \
             right of your keypad.",
        ),
        Spanish => Prompt::new(
            "Por favor, ingrese el código de servicio de la empresa y luego oprima la tecla numeral.",
            "El código de servicio es el número que está junto a este número de teléfono en el sitio web de la \
             empresa. Ingréselo y luego oprima la tecla numeral.",
            "Encontrará el código de servicio en la política de privacidad de la empresa, junto a este número de \
             teléfono. Tiene hasta 8 dígitos. Ingréselo, un dígito tras otro, y luego oprima la tecla numeral, abajo \
             a la derecha de su teclado.",
        ),
    }
}

pub(crate) fn unknown_code(language: Language) -> &'static str {
    match language {
        English => "I don't know that service code.",
        Spanish => "No conozco ese código de servicio.",
    }
}

pub(crate) fn inactive_code(language: Language) -> &'static str {
    match language {
        English => "That service code isn't in use at the moment.",
        Spanish => "Ese código de servicio no está en uso en este momento.",
    }
}

/// The business behind the code takes no requests here any more.
pub(crate) fn closed_business(language: Language) -> &'static str {
    match language {
        English => {
            "I'm sorry: this business doesn't take privacy requests at this telephone number any more. You can still make \
             your request to the business itself: its privacy policy, on its website, says how. If you made a request here \
             before, its number still works on the web page that you were told of. Thank you for calling. Goodbye."
        }
        Spanish => {
            "Lo siento: esta empresa ya no recibe solicitudes de privacidad en este número de teléfono. Todavía puede \
             hacer su solicitud directamente a la empresa: su política de privacidad, en su sitio web, dice cómo. Si antes \
             hizo aquí una solicitud, su número sigue sirviendo en la página web que le indicamos. Gracias por llamar. Adiós."
        }
    }
}

pub(crate) fn code_way_out(language: Language) -> String {
    match language {
        English => {
            "You'll find the service code next to this telephone number, on the website of the business or in its \
             privacy policy. You can also make your request there. Please call again when you have the code. \
             Thank you for calling. Goodbye."
        }
        Spanish => {
            "Encontrará el código de servicio junto a este número de teléfono, en el sitio web de la empresa o en su \
             política de privacidad. También puede hacer su solicitud allí. Por favor, llame de nuevo cuando tenga el \
             código. Gracias por llamar. Adiós."
        }
    }
    .to_owned()
}

/// Said in the language that there is, where the caller's own is not offered.
pub(crate) fn only_language(language: Language) -> String {
    match language {
        English => "This business answers in English only.",
        Spanish => "Esta empresa atiende solamente en español.",
    }
    .to_owned()
}

/// The menu: what the service code offers, under keys that are the same everywhere.
pub(crate) fn menu(language: Language, kinds: &[Kind]) -> Prompt {
    let mut keys: Vec<char> = vec![];
    let mut short = String::new();
    for kind in kinds {
        if keys.contains(&kind.key()) {
            continue;
        }
        keys.push(kind.key());
        short.push_str(menu_item(language, *kind));
        short.push(' ');
    }
    let (status, repeat, explain) = match language {
        English => (
            "For an earlier request, press 6.",
            "To hear this again, press star.",
            "You have a right to ask a business about your personal information. Nobody may treat you worse because \
             you ask.",
        ),
        Spanish => (
            "Para una solicitud anterior, oprima el seis.",
            "Para escuchar esto de nuevo, oprima asterisco.",
            "Usted tiene derecho a preguntarle a una empresa sobre su información personal. Nadie puede tratarle peor \
             por preguntar.",
        ),
    };
    short.push_str(status);
    let fuller = format!("{short} {repeat}");
    let fullest = format!("{explain} {fuller}");
    Prompt::new(short, fuller, fullest)
}

fn menu_item(language: Language, kind: Kind) -> &'static str {
    match (language, kind) {
        (English, Kind::OptOut) => "To stop the sale or sharing of your personal information, press 1.",
        (English, Kind::Delete) => "To have your information deleted, press 2.",
        (English, Kind::KnowCategories | Kind::KnowSpecific) => "To know what is held about you, press 3.",
        (English, Kind::Correct) => "To have it corrected, press 4.",
        (English, Kind::Limit) => "To limit the use of your sensitive information, press 5.",
        (English, Kind::Message) => "To leave a message, press 7.",
        (Spanish, Kind::OptOut) => "Para que no vendan ni compartan su información personal, oprima el uno.",
        (Spanish, Kind::Delete) => "Para que eliminen su información, oprima el dos.",
        (Spanish, Kind::KnowCategories | Kind::KnowSpecific) => {
            "Para saber qué información tienen de usted, oprima el tres."
        }
        (Spanish, Kind::Correct) => "Para que la corrijan, oprima el cuatro.",
        (Spanish, Kind::Limit) => "Para limitar el uso de su información sensible, oprima el cinco.",
        (Spanish, Kind::Message) => "Para dejar un mensaje, oprima el siete.",
    }
}

/// Which of the two requests to know.
pub(crate) fn which_know(language: Language) -> Prompt {
    match language {
        English => Prompt::new(
            "For the kinds of information held about you, press 1. For a copy of the information itself, press 2.",
            "For a list of the kinds of information, where they come from and who gets them, press 1. For a copy of \
             the information itself, press 2.",
            "The first is a summary: the kinds of information held about you, where they come from, and who gets \
             them. For that, press 1. The second is a copy of your information; the business may first have to make \
             sure that it is you. For that, press 2.",
        ),
        Spanish => Prompt::new(
            "Para los tipos de información que tienen de usted, oprima el uno. Para una copia de la información \
             misma, oprima el dos.",
            "Para una lista de los tipos de información, de dónde vienen y quién los recibe, oprima el uno. Para una \
             copia de la información misma, oprima el dos.",
            "La primera es un resumen: los tipos de información que tienen de usted, de dónde vienen y quién los \
             recibe. Para eso, oprima el uno. La segunda es una copia de su información; puede que la empresa primero \
             deba asegurarse de que es usted. Para eso, oprima el dos.",
        ),
    }
}

/// Whether the number that calls is one that the business knows.
pub(crate) fn which_number(language: Language, last_four: &str) -> Prompt {
    let ending = spoken_digits(last_four);
    match language {
        English => Prompt::new(
            format!(
                "Is the number you are calling from, ending in {ending}, one this business knows? If so, press 1. \
                 To give another number, press 2."
            ),
            format!(
                "The business needs a telephone number to find your records. To use the one ending in {ending}, \
                 press 1. To key in another, press 2."
            ),
            format!(
                "The business looks for your records under a telephone number, and may call it about this request. \
                 If it knows the one you are calling from, ending in {ending}, press 1. If it knows you by another, \
                 press 2, and then you can key it in."
            ),
        ),
        Spanish => Prompt::new(
            format!(
                "El número del que llama, que termina en {ending}, ¿lo conoce esta empresa? Si es así, oprima el uno. \
                 Para dar otro número, oprima el dos."
            ),
            format!(
                "La empresa necesita un número de teléfono para encontrar sus datos. Para usar el que termina en \
                 {ending}, oprima el uno. Para ingresar otro, oprima el dos."
            ),
            format!(
                "La empresa busca sus datos por un número de teléfono, y puede llamar a ese número por esta \
                 solicitud. Si conoce el número del que llama, que termina en {ending}, oprima el uno. Si le conoce \
                 por otro, oprima el dos, y entonces podrá ingresarlo."
            ),
        ),
    }
}

/// A number to key in.
pub(crate) fn key_number(language: Language) -> Prompt {
    match language {
        English => Prompt::new(
            "Please key in the telephone number that this business knows, with its area code, then press pound.",
            "Key in ten digits, the area code first, then press pound.",
            "Key in the ten digits of the telephone number that this business knows, area code first. Then press the \
             pound key, at the bottom right of your keypad. For a number outside of the United States, begin with \
             0 1 1 and the country code.",
        ),
        Spanish => Prompt::new(
            "Por favor, ingrese el número de teléfono que esta empresa conoce, con su código de área, y luego oprima \
             la tecla numeral.",
            "Ingrese diez dígitos, primero el código de área, y luego oprima la tecla numeral.",
            "Ingrese los diez dígitos del número de teléfono que esta empresa conoce, primero el código de área. \
             Luego oprima la tecla numeral, abajo a la derecha de su teclado. Para un número fuera de los Estados \
             Unidos, comience con 0 1 1 y el código del país.",
        ),
    }
}

pub(crate) fn not_a_number(language: Language) -> &'static str {
    match language {
        English => "That doesn't seem to be a complete telephone number.",
        Spanish => "Ese no parece ser un número de teléfono completo.",
    }
}

/// Reads a keyed number back.
pub(crate) fn confirm_number(language: Language, number: &str) -> Prompt {
    let digits = spoken_number(number);
    match language {
        English => Prompt::new(
            format!("You keyed {digits}. If that is right, press 1. To key it again, press 2."),
            format!("I have {digits}. If that is right, press 1. If not, press 2."),
            format!(
                "I want to be sure that I have your number right: {digits}. If it is right, press 1. If any digit is \
                 wrong, press 2, and then you can key it again."
            ),
        ),
        Spanish => Prompt::new(
            format!("Ingresó {digits}. Si es correcto, oprima el uno. Para ingresarlo de nuevo, oprima el dos."),
            format!("Tengo {digits}. Si es correcto, oprima el uno. Si no, oprima el dos."),
            format!(
                "Quiero estar seguro de que tengo bien su número: {digits}. Si es correcto, oprima el uno. Si algún \
                 dígito está mal, oprima el dos, y entonces podrá ingresarlo de nuevo."
            ),
        ),
    }
}

/// Announces that the name is recorded.
pub(crate) fn say_name(language: Language) -> Prompt {
    match language {
        English => Prompt::new(
            "After the tone, please say your first and last name, then press pound. This is recorded.",
            "Please say your name after the tone, then press pound. This is recorded, so that the business knows whose \
             information to look for.",
            "The business needs your name to find your records. Wait for the tone, say your first and last name, and \
             press the pound key. What you say is recorded for the business, and for nobody else.",
        ),
        Spanish => Prompt::new(
            "Después del tono, por favor diga su nombre y apellido y luego oprima la tecla numeral. Esto se graba.",
            "Por favor, diga su nombre después del tono y luego oprima la tecla numeral. Esto se graba, para que la \
             empresa sepa qué información buscar.",
            "La empresa necesita su nombre para encontrar sus datos. Espere el tono, diga su nombre y apellido, y \
             oprima la tecla numeral. Lo que diga se graba para la empresa y para nadie más.",
        ),
    }
}

/// Announces that the matter is recorded.
pub(crate) fn say_details(language: Language, kind: Kind) -> Prompt {
    match (language, kind) {
        (English, Kind::Correct) => Prompt::new(
            "After the tone, please say what is wrong and what it should be. Then press pound. This is recorded.",
            "Please say after the tone what should be corrected, and press pound when you're done. This is recorded.",
            "Wait for the tone. Then say which information is wrong, and what is right. You have six minutes. Press the \
             pound key when you're done. What you say is recorded for the business, and for nobody else.",
        ),
        (English, _) => Prompt::new(
            "Please leave your message after the tone, then press pound. This is recorded.",
            "Please say after the tone what you would like, and how to reach you. Press pound when you're done. This \
             is recorded.",
            "Wait for the tone. Then say what you would like, and how to reach you. You have six minutes. \
             Press the pound key when you're done. What you say is recorded for the business, and for nobody else.",
        ),
        (Spanish, Kind::Correct) => Prompt::new(
            "Después del tono, por favor diga qué está mal y cómo debería ser. Luego oprima la tecla numeral. Esto se \
             graba.",
            "Por favor, diga después del tono qué se debe corregir, y oprima la tecla numeral cuando termine. Esto se \
             graba.",
            "Espere el tono. Luego diga qué información está mal y cuál es la correcta. Tiene seis minutos. Oprima la \
             tecla numeral cuando termine. Lo que diga se graba para la empresa y para nadie más.",
        ),
        (Spanish, _) => Prompt::new(
            "Por favor, deje su mensaje después del tono y luego oprima la tecla numeral. Esto se graba.",
            "Por favor, diga después del tono qué desea y cómo localizarle. Oprima la tecla numeral cuando termine. \
             Esto se graba.",
            "Espere el tono. Luego diga qué desea y cómo localizarle. Tiene seis minutos. Oprima la tecla \
             numeral cuando termine. Lo que diga se graba para la empresa y para nadie más.",
        ),
    }
}

/// Keep the recording or make it again.
pub(crate) fn keep_recording(language: Language) -> Prompt {
    match language {
        English => Prompt::new(
            "Thank you. To go on, press 1. To record it again, press 2.",
            "I have your recording. To keep it and go on, press 1. To record it again, press 2.",
            "Your recording is safe. If you are happy with it, press 1, and we'll go on. If you would like to say it \
             again, press 2.",
        ),
        Spanish => Prompt::new(
            "Gracias. Para continuar, oprima el uno. Para grabarlo de nuevo, oprima el dos.",
            "Tengo su grabación. Para guardarla y continuar, oprima el uno. Para grabarla de nuevo, oprima el dos.",
            "Su grabación está guardada. Si está conforme, oprima el uno y continuamos. Si desea decirlo de nuevo, \
             oprima el dos.",
        ),
    }
}

/// Reads back what was asked; nothing that would tell a stranger about the caller.
pub(crate) fn review(language: Language, kind: Kind, business: &str) -> Prompt {
    let asked = asked(language, kind, business);
    match language {
        English => Prompt::new(
            format!("{asked} To send this request, press 1. To start again, press 2."),
            format!("{asked} If that is right, press 1 and it is sent. To start again, press 2."),
            format!(
                "Nothing is final until you press 1. {asked} If that is right, press 1. If you would like something \
                 else, press 2, and we'll start again."
            ),
        ),
        Spanish => Prompt::new(
            format!("{asked} Para enviar esta solicitud, oprima el uno. Para empezar de nuevo, oprima el dos."),
            format!("{asked} Si es correcto, oprima el uno y se envía. Para empezar de nuevo, oprima el dos."),
            format!(
                "Nada es definitivo hasta que oprima el uno. {asked} Si es correcto, oprima el uno. Si desea otra \
                 cosa, oprima el dos y empezamos de nuevo."
            ),
        ),
    }
}

fn asked(language: Language, kind: Kind, business: &str) -> String {
    match (language, kind) {
        (English, Kind::OptOut) => {
            format!("You are asking {business} to stop selling and sharing your personal information.")
        }
        (English, Kind::Delete) => format!("You are asking {business} to delete your personal information."),
        (English, Kind::KnowCategories) => {
            format!("You are asking {business} which kinds of personal information it holds about you.")
        }
        (English, Kind::KnowSpecific) => format!("You are asking {business} for a copy of your personal information."),
        (English, Kind::Correct) => format!("You are asking {business} to correct your personal information."),
        (English, Kind::Limit) => {
            format!("You are asking {business} to limit the use of your sensitive personal information.")
        }
        (English, Kind::Message) => format!("You are leaving a message for {business}."),
        (Spanish, Kind::OptOut) => {
            format!("Usted le pide a {business} que no venda ni comparta su información personal.")
        }
        (Spanish, Kind::Delete) => format!("Usted le pide a {business} que elimine su información personal."),
        (Spanish, Kind::KnowCategories) => {
            format!("Usted le pregunta a {business} qué tipos de información personal tiene de usted.")
        }
        (Spanish, Kind::KnowSpecific) => format!("Usted le pide a {business} una copia de su información personal."),
        (Spanish, Kind::Correct) => format!("Usted le pide a {business} que corrija su información personal."),
        (Spanish, Kind::Limit) => {
            format!("Usted le pide a {business} que limite el uso de su información personal sensible.")
        }
        (Spanish, Kind::Message) => format!("Usted le deja un mensaje a {business}."),
    }
}

/// The confirmation of receipt: reference number twice, the date, what happens next, and where to follow it.
pub(crate) fn submitted(
    language: Language,
    kind: Kind,
    service: &Service,
    reference: &Reference,
    respond_by: Date,
    site: &str,
) -> [String; 3] {
    let business = &service.name;
    let (code, site) = (spoken_digits(service.code.as_str()), spoken_address(site));
    let (number, date) = (spoken_reference(reference), spoken_date(language, respond_by));
    let next = match (language, kind.may_verify()) {
        (English, _) if kind == Kind::Message => format!("{business} must answer you by {date}."),
        (Spanish, _) if kind == Kind::Message => format!("{business} debe responderle a más tardar el {date}."),
        (English, false) => format!("{business} must act on it by {date}, without asking for proof of who you are."),
        (English, true) => {
            format!(
                "{business} must answer you by {date}. To make sure that it is you, it may first ask for details that it already has."
            )
        }
        (Spanish, false) => {
            format!("{business} debe cumplirla a más tardar el {date}, sin pedirle pruebas de quién es usted.")
        }
        (Spanish, true) => format!(
            "{business} debe responderle a más tardar el {date}. Para asegurarse de que es usted, puede que primero le pida datos que ya tiene."
        ),
    };
    match language {
        English => [
            format!("Thank you. Your request has been received. Your reference number is: {number}."),
            format!("Once more: {number}."),
            format!(
                "{next} With the reference number you can call again and hear how it stands, or see it at {site}, slash status, \
                 with the service code: {code}. Thank you for calling. Goodbye."
            ),
        ],
        Spanish => [
            format!("Gracias. Hemos recibido su solicitud. Su número de referencia es: {number}."),
            format!("Una vez más: {number}."),
            format!(
                "{next} Con el número de referencia puede llamar de nuevo y saber cómo va, o verlo en {site}, barra status, con \
                 el código de servicio: {code}. Gracias por llamar. Adiós."
            ),
        ],
    }
}

/// A request that the caller neither sent nor started again: it is kept, and the caller hears so.
pub(crate) fn kept(language: Language, business: &str, reference: &Reference) -> String {
    let number = spoken_reference(reference);
    match language {
        English => format!(
            "I didn't hear whether to send it, so I've kept your request for {business} as it is. Your reference number \
             is: {number}. Once more: {number}. You can call again at any time. Thank you for calling. Goodbye."
        ),
        Spanish => format!(
            "No escuché si debo enviarla, así que guardé su solicitud para {business} tal como está. Su número de \
             referencia es: {number}. Una vez más: {number}. Puede llamar de nuevo en cualquier momento. Gracias por \
             llamar. Adiós."
        ),
    }
}

/// Thanks for a message that nobody confirmed.
pub(crate) fn message_left(language: Language, business: &str, reference: &Reference) -> String {
    let number = spoken_reference(reference);
    match language {
        English => format!(
            "Thank you. {business} has your message. Its reference number is: {number}. Once more: {number}. Goodbye."
        ),
        Spanish => format!(
            "Gracias. {business} tiene su mensaje. Su número de referencia es: {number}. Una vez más: {number}. Adiós."
        ),
    }
}

/// A call that began again and keys another business's code: it is on record with the first.
pub(crate) fn one_business(language: Language) -> String {
    match language {
        English => "This call has already reached another business. Please call again for this one. Goodbye.",
        Spanish => "Esta llamada ya se comunicó con otra empresa. Por favor, llame de nuevo para esta. Adiós.",
    }
    .to_owned()
}

pub(crate) fn take_message_instead(language: Language) -> &'static str {
    match language {
        English => "Let me take a message for the business instead.",
        Spanish => "Permítame tomar un mensaje para la empresa.",
    }
}

/// The reference number of an earlier request.
pub(crate) fn which_reference(language: Language) -> Prompt {
    match language {
        English => Prompt::new(
            "Please key in the 12 digits of your reference number.",
            "The reference number has 12 digits. It was read to you at the end of your call. Please key it in now.",
            "You heard the reference number at the end of your call, or got it with your web form: 12 digits, in three \
             groups of four. Please key them in, one after the other.",
        ),
        Spanish => Prompt::new(
            "Por favor, ingrese los 12 dígitos de su número de referencia.",
            "El número de referencia tiene 12 dígitos. Se le leyó al final de su llamada. Por favor, ingréselo ahora.",
            "Usted escuchó el número de referencia al final de su llamada, o lo recibió con su formulario: 12 dígitos, \
             en tres grupos de cuatro. Por favor, ingréselos, uno tras otro.",
        ),
    }
}

pub(crate) fn mistyped_reference(language: Language) -> &'static str {
    match language {
        English => "There seems to be a wrong digit in that number.",
        Spanish => "Parece que hay un dígito equivocado en ese número.",
    }
}

pub(crate) fn unknown_reference(language: Language) -> &'static str {
    match language {
        English => "I can't find a request with that number at this business.",
        Spanish => "No encuentro ninguna solicitud con ese número en esta empresa.",
    }
}

/// Where a request stands.
pub(crate) fn stands(language: Language, kind: Kind, state: State, respond_by: Date) -> String {
    let date = spoken_date(language, respond_by);
    let what = match (language, kind) {
        (English, Kind::OptOut) => "Your request to stop the sale and sharing of your information",
        (English, Kind::Delete) => "Your request to have your information deleted",
        (English, Kind::KnowCategories | Kind::KnowSpecific) => "Your request to know",
        (English, Kind::Correct) => "Your request to have your information corrected",
        (English, Kind::Limit) => "Your request to limit the use of sensitive information",
        (English, Kind::Message) => "Your message",
        (Spanish, Kind::OptOut) => "Su solicitud de que no vendan ni compartan su información",
        (Spanish, Kind::Delete) => "Su solicitud de que eliminen su información",
        (Spanish, Kind::KnowCategories | Kind::KnowSpecific) => "Su solicitud de información",
        (Spanish, Kind::Correct) => "Su solicitud de que corrijan su información",
        (Spanish, Kind::Limit) => "Su solicitud de limitar el uso de información sensible",
        (Spanish, Kind::Message) => "Su mensaje",
    };
    let o = if kind == Kind::Message { "o" } else { "a" };
    match language {
        English => match state {
            State::Incomplete => format!("{what} was begun and not finished. It is kept. The answer is due by {date}."),
            State::Received => format!("{what} has been received. The answer is due by {date}."),
            State::Verifying => {
                format!(
                    "{what} is being worked on: the business is making sure that it is you. The answer is due by {date}."
                )
            }
            State::InReview => format!("{what} is being looked at. The answer is due by {date}."),
            State::Fulfilling => format!("{what} is being carried out. The answer is due by {date}."),
            State::Completed => format!("{what} has been completed."),
            State::Denied => format!("{what} was declined. The business must tell you why."),
            State::Withdrawn => format!("{what} was withdrawn."),
        },
        Spanish => match state {
            State::Incomplete => {
                format!("{what} quedó sin terminar. Está guardad{o}. La respuesta se debe dar a más tardar el {date}.")
            }
            State::Received => format!("{what} fue recibid{o}. La respuesta se debe dar a más tardar el {date}."),
            State::Verifying => format!(
                "{what} está en proceso: la empresa se asegura de que es usted. La respuesta se debe dar a más tardar el {date}."
            ),
            State::InReview => format!("{what} está en revisión. La respuesta se debe dar a más tardar el {date}."),
            State::Fulfilling => format!("{what} se está cumpliendo. La respuesta se debe dar a más tardar el {date}."),
            State::Completed => format!("{what} está terminad{o}."),
            State::Denied => format!("{what} fue rechazad{o}. La empresa debe decirle por qué."),
            State::Withdrawn => format!("{what} fue retirad{o}."),
        },
    }
}

pub(crate) fn goodbye(language: Language) -> &'static str {
    match language {
        English => "Thank you for calling. Goodbye.",
        Spanish => "Gracias por llamar. Adiós.",
    }
}

/// The last words where nothing else helps: where else to ask.
pub(crate) fn way_out(language: Language, service: Option<&Service>) -> String {
    let place = service.and_then(|service| service.web_form.as_deref()).map(spoken_address);
    match (language, place) {
        (English, Some(place)) => {
            format!("You can also make your request on the web, at {place}. Thank you for calling. Goodbye.")
        }
        (Spanish, Some(place)) => {
            format!("También puede hacer su solicitud en internet, en {place}. Gracias por llamar. Adiós.")
        }
        (English, None) => {
            "You can also make your request on the website of the business: look for Your Privacy Choices, \
                            or for its privacy policy. Thank you for calling. Goodbye."
                .to_owned()
        }
        (Spanish, None) => "También puede hacer su solicitud en el sitio web de la empresa: busque Sus opciones de \
                            privacidad, o su política de privacidad. Gracias por llamar. Adiós."
            .to_owned(),
    }
}

/// `shop dot example` from `https://www.shop.example/privacy?x`: the site is enough to find the form.
fn spoken_address(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = host.split(':').next().unwrap_or(host);
    host.strip_prefix("www.").unwrap_or(host).to_owned()
}

/// `4 8 1 5`, which every voice reads digit by digit.
pub(crate) fn spoken_digits(digits: &str) -> String {
    digits.chars().map(String::from).collect::<Vec<_>>().join(" ")
}

/// Groups with a pause between them.
fn spoken_reference(reference: &Reference) -> String {
    reference.groups().map(spoken_digits).join(", ")
}

/// `4 1 5, 5 5 5, 0 1 0 0` from `+14155550100`; other countries' numbers in threes.
fn spoken_number(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    let groups: Vec<&[char]> = match digits.as_slice() {
        ['1', national @ ..] if national.len() == 10 => {
            let (area, rest) = national.split_at(3);
            let (exchange, line) = rest.split_at(3);
            vec![area, exchange, line]
        }
        other => other.chunks(3).collect(),
    };
    groups.iter().map(|group| spoken_digits(&group.iter().collect::<String>())).collect::<Vec<_>>().join(", ")
}

/// `November 30, 2026` or `30 de noviembre de 2026`.
pub(crate) fn spoken_date(language: Language, date: Date) -> String {
    const MONTHS: [(&str, &str); 12] = [
        ("January", "enero"),
        ("February", "febrero"),
        ("March", "marzo"),
        ("April", "abril"),
        ("May", "mayo"),
        ("June", "junio"),
        ("July", "julio"),
        ("August", "agosto"),
        ("September", "septiembre"),
        ("October", "octubre"),
        ("November", "noviembre"),
        ("December", "diciembre"),
    ];
    let month = usize::try_from(date.month() - 1).ok().and_then(|month| MONTHS.get(month));
    let (english, spanish) = month.copied().unwrap_or_default();
    match language {
        English => format!("{english} {}, {}", date.day(), date.year()),
        Spanish => format!("{} de {spanish} de {}", date.day(), date.year()),
    }
}

#[cfg(test)]
mod tests {
    use domain::service_code::ServiceCode;

    use super::*;

    #[test]
    fn dates_and_numbers_are_said_as_people_say_them() {
        let date: Date = "2026-12-07".parse().unwrap();
        assert_eq!(spoken_date(English, date), "December 7, 2026");
        assert_eq!(spoken_date(Spanish, date), "7 de diciembre de 2026");
        assert_eq!(spoken_number("+14155550100"), "4 1 5, 5 5 5, 0 1 0 0");
        assert_eq!(spoken_number("+442079460000"), "4 4 2, 0 7 9, 4 6 0, 0 0 0");
        assert_eq!(spoken_address("https://www.shop.example/privacy?x=1"), "shop.example");
    }

    #[test]
    fn whoever_asked_hears_the_service_code_that_the_web_asks_for_and_where() {
        let service = Service {
            code: ServiceCode::parse("4815").unwrap(),
            name: "Shop".into(),
            kinds: vec![],
            time_zone: "UTC".into(),
            jurisdictions: vec![],
            web_form: None,
        };
        let date: Date = "2026-12-07".parse().unwrap();
        for (language, status) in
            [(English, "hotline.example, slash status"), (Spanish, "hotline.example, barra status")]
        {
            let reference = Reference::from_entropy(7);
            let said =
                submitted(language, Kind::OptOut, &service, &reference, date, "https://hotline.example").concat();
            assert!(said.contains("4 8 1 5.") && said.contains(status), "{said}");
        }
    }

    #[test]
    fn each_wording_of_a_question_differs_from_the_one_before() {
        for language in Language::ALL {
            let prompts = [
                service_code(language),
                menu(language, &Kind::ALL),
                which_know(language),
                which_number(language, "0100"),
                key_number(language),
                confirm_number(language, "+14155550100"),
                say_name(language),
                say_details(language, Kind::Correct),
                say_details(language, Kind::Message),
                keep_recording(language),
                review(language, Kind::Delete, "Shop"),
                which_reference(language),
            ];
            for prompt in prompts {
                assert_ne!(prompt.wording(false, 0), prompt.wording(false, 1));
                assert_ne!(prompt.wording(false, 1), prompt.wording(false, 2));
                assert!(prompt.wording(true, 0).len() < 1000);
            }
        }
    }

    #[test]
    fn a_menu_names_only_what_is_offered_and_the_two_requests_to_know_once() {
        let menu = menu(English, &[Kind::KnowCategories, Kind::KnowSpecific, Kind::Limit]);
        assert_eq!(
            menu.wording(false, 0),
            "To know what is held about you, press 3. To limit the use of your sensitive information, press 5. \
             For an earlier request, press 6."
        );
    }
}
