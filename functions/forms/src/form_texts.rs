//! What the form says, in every language.

use domain::intake::{Question, Requester};
use domain::language::Language;
use domain::request::Kind;
use serde::Serialize;

/// What a kind of request is called by whoever makes it, and what it means.
#[derive(Serialize)]
pub(crate) struct Ask {
    pub(crate) name: &'static str,
    pub(crate) meaning: &'static str,
    /// The same, for whoever asks for somebody else.
    pub(crate) of_them: &'static str,
}

/// What a question says.
#[derive(Serialize)]
pub(crate) struct Asked {
    pub(crate) label: &'static str,
    pub(crate) hint: &'static str,
}

#[derive(Serialize)]
pub(crate) struct Texts {
    pub(crate) closed_title: &'static str,
    pub(crate) closed: &'static str,
    pub(crate) closed_next: &'static str,
    pub(crate) closed_status: &'static str,
    pub(crate) unknown_title: &'static str,
    pub(crate) unknown: &'static str,
    pub(crate) unknown_next: &'static str,
    pub(crate) title: &'static str,
    pub(crate) lede: &'static str,
    pub(crate) what: &'static str,
    pub(crate) whom: &'static str,
    pub(crate) myself: &'static str,
    pub(crate) agent: &'static str,
    pub(crate) agent_hint: &'static str,
    pub(crate) parent: &'static str,
    pub(crate) parent_hint: &'static str,
    pub(crate) go_on: &'static str,
    pub(crate) steps: [&'static str; 2],
    pub(crate) change: &'static str,
    pub(crate) change_whom: &'static str,
    pub(crate) opt_out: Ask,
    pub(crate) delete: Ask,
    pub(crate) know_categories: Ask,
    pub(crate) know_specific: Ask,
    pub(crate) correct: Ask,
    pub(crate) limit: Ask,
    pub(crate) message: Ask,
    pub(crate) no_check: &'static str,
    pub(crate) check: &'static str,
    pub(crate) check_them: &'static str,
    pub(crate) as_agent: &'static str,
    pub(crate) as_parent: &'static str,
    pub(crate) about_agent: &'static str,
    pub(crate) about_person: &'static str,
    pub(crate) about_you: &'static str,
    pub(crate) contact: Asked,
    pub(crate) name: Asked,
    pub(crate) email: Asked,
    pub(crate) phone: Asked,
    pub(crate) residence: Asked,
    pub(crate) their_residence: Asked,
    pub(crate) correction: Asked,
    pub(crate) words: Asked,
    pub(crate) agent_name: Asked,
    pub(crate) agent_email: Asked,
    pub(crate) agent_company: Asked,
    pub(crate) not_said: &'static str,
    pub(crate) elsewhere: &'static str,
    pub(crate) homepage: &'static str,
    pub(crate) send: &'static str,
    pub(crate) stale: &'static str,
    pub(crate) busy: &'static str,
    pub(crate) busy_next: &'static str,
    pub(crate) no_id: &'static str,
    pub(crate) not_json: &'static str,
    pub(crate) other_ways: &'static str,
    pub(crate) by_telephone: &'static str,
    pub(crate) by_any_way: &'static str,
    pub(crate) filed: &'static str,
    pub(crate) filed_lede: &'static str,
    pub(crate) number: &'static str,
    pub(crate) keep: &'static str,
    pub(crate) keep_call: &'static str,
    pub(crate) answer_by: &'static str,
    pub(crate) do_by: &'static str,
    pub(crate) next: &'static str,
    pub(crate) next_mail: &'static str,
    pub(crate) next_confirm: &'static str,
    pub(crate) next_no_check: &'static str,
    pub(crate) next_message: &'static str,
    pub(crate) next_check: &'static str,
    pub(crate) next_check_them: &'static str,
    pub(crate) next_answer: &'static str,
    pub(crate) status: &'static str,
    pub(crate) another: &'static str,
    pub(crate) refused_title: &'static str,
    pub(crate) refused: &'static str,
    pub(crate) refused_form: &'static str,
    pub(crate) refused_owner: &'static str,
    pub(crate) refused_owner_text: &'static str,
    pub(crate) no_origin: &'static str,
}

impl Texts {
    pub(crate) const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &EN,
            Language::Spanish => &ES,
        }
    }

    pub(crate) const fn ask(&self, kind: Kind) -> &Ask {
        match kind {
            Kind::OptOut => &self.opt_out,
            Kind::Delete => &self.delete,
            Kind::KnowCategories => &self.know_categories,
            Kind::KnowSpecific => &self.know_specific,
            Kind::Correct => &self.correct,
            Kind::Limit => &self.limit,
            Kind::Message => &self.message,
        }
    }

    pub(crate) const fn asked(&self, question: Question, kind: Kind, requester: Requester) -> &Asked {
        match question {
            Question::Residence if !matches!(requester, Requester::Myself) => &self.their_residence,
            Question::Contact => &self.contact,
            Question::Name => &self.name,
            Question::Email => &self.email,
            Question::Phone => &self.phone,
            Question::Residence => &self.residence,
            Question::Details if matches!(kind, Kind::Correct) => &self.correction,
            Question::Details => &self.words,
            Question::AgentName => &self.agent_name,
            Question::AgentEmail => &self.agent_email,
            Question::AgentCompany => &self.agent_company,
        }
    }

    /// What the business does now.
    pub(crate) const fn next(&self, kind: Kind, requester: Requester) -> &'static str {
        match (kind, requester) {
            (Kind::OptOut | Kind::Limit, _) => self.next_no_check,
            (Kind::Message, _) => self.next_message,
            (_, Requester::Myself) => self.next_check,
            (_, Requester::Agent | Requester::Parent) => self.next_check_them,
        }
    }
}

const EN: Texts = Texts {
    closed_title: "No requests are taken here any more",
    closed: "{business} does not take privacy requests here any more.",
    closed_next: "You can still ask the business itself: the privacy policy on its own site says how.",
    closed_status: "If you asked for something here before, see how it stands.",
    unknown_title: "There is no form here",
    unknown: "No business takes privacy requests under this code, or it no longer does.",
    unknown_next: "Check the address, or look for “Privacy” on the business’s own site: it must name at least two ways to ask.",
    title: "Your privacy request",
    lede: "Ask {business} what it knows about you, or tell it what to do with it. It takes a minute, costs nothing, and needs no account.",
    what: "What would you like to ask?",
    whom: "For whom do you ask?",
    myself: "For myself",
    agent: "For somebody who has authorized me",
    agent_hint: "You act as their authorized agent.",
    parent: "For my child under 13",
    parent_hint: "You are their parent or legal guardian.",
    go_on: "Continue",
    steps: ["What to ask", "How to reach you"],
    change: "Ask something else, or for somebody else",
    change_whom: "Ask for somebody else",
    opt_out: Ask {
        name: "Do not sell or share my personal information",
        meaning: "They stop selling it, and stop passing it on for advertising.",
        of_them: "They stop selling the person’s information, and stop passing it on for advertising.",
    },
    delete: Ask {
        name: "Delete my personal information",
        meaning: "They delete what they have about you, and tell those whom they gave it to.",
        of_them: "They delete what they have about the person, and tell those whom they gave it to.",
    },
    know_categories: Ask {
        name: "Tell me what kinds of information you have about me",
        meaning: "The categories, where they come from, what they are for, and who gets them.",
        of_them: "The categories, where they come from, what they are for, and who gets them.",
    },
    know_specific: Ask {
        name: "Send me my personal information",
        meaning: "A copy of what they have about you.",
        of_them: "A copy of what they have about the person.",
    },
    correct: Ask {
        name: "Correct my personal information",
        meaning: "Something they have about you is wrong.",
        of_them: "Something they have about the person is wrong.",
    },
    limit: Ask {
        name: "Limit the use of my sensitive personal information",
        meaning: "They use it only for what you asked them for.",
        of_them: "They use it only for what the person asked them for.",
    },
    message: Ask {
        name: "Something else",
        meaning: "Write what you would like. They find out which of your rights it is about.",
        of_them: "Write what the person would like. They find out which right it is about.",
    },
    no_check: "No account and no proof of identity are needed for this.",
    check: "{business} may need to make sure that it is you before it answers. Send no passwords and no numbers of documents here.",
    check_them: "{business} may need to make sure who the person is, and that you may ask for them, before it answers. Send no passwords and no numbers of documents here.",
    as_agent: "You ask for somebody who has authorized you.",
    as_parent: "You ask for your child under 13.",
    about_agent: "About you, the agent",
    about_person: "About the person for whom you ask",
    about_you: "How {business} finds you",
    contact: Asked {
        label: "E-mail address or telephone number",
        hint: "One is enough: the one that {business} knows. It is used for this request only.",
    },
    name: Asked { label: "Full name", hint: "As {business} knows it." },
    email: Asked {
        label: "E-mail address",
        hint: "The answer can be sent here. An e-mail address or a telephone number is enough.",
    },
    phone: Asked { label: "Telephone number", hint: "With its area code." },
    residence: Asked { label: "State where you live", hint: "It decides whose law counts." },
    their_residence: Asked { label: "State where the person lives", hint: "It decides whose law counts." },
    correction: Asked {
        label: "What is wrong, and what is right?",
        hint: "In your own words. Leave out what need not be said.",
    },
    words: Asked { label: "Your message", hint: "In your own words. Leave out what need not be said." },
    agent_name: Asked { label: "Your own name", hint: "You, who fill this in." },
    agent_email: Asked { label: "Your own e-mail address", hint: "The receipt and questions go here." },
    agent_company: Asked { label: "Company or organization", hint: "If you act for one." },
    not_said: "I would rather not say",
    elsewhere: "Another state or country",
    homepage: "Leave this empty",
    send: "Send request",
    stale: "This page was open for a long time. Please look at it once more, and send it again.",
    busy: "So many requests come at the moment that this one was not taken",
    busy_next: "Nothing you typed is lost. Please wait a minute, then send it again.",
    no_id: "Send an id of 16 to 64 letters, digits, - and _ that tells this form from any other.",
    not_json: "Send one object of texts, as JSON.",
    other_ways: "Other ways to ask",
    by_telephone: "By telephone, day and night: key {code} when you are asked for the code.",
    by_any_way: "You may also ask {business} itself, by letter, by e-mail or in person. It must take your request, or tell you how to make it.",
    filed: "Your request has been received",
    filed_lede: "{business} has it now.",
    number: "Your reference number",
    keep: "Write it down, or keep this page. With it you can ask how your request stands.",
    keep_call: "By telephone, too:",
    answer_by: "{business} must answer by {date}.",
    do_by: "{business} must do it by {date}.",
    next: "What happens next",
    next_mail: "We send the number to {email} as well.",
    next_confirm: "Please open that mail and follow the link in it, so that {business} knows that it was you.",
    next_no_check: "Nothing more is needed from you: {business} does what you asked.",
    next_message: "{business} reads what you wrote, finds out which right it is about, and answers you.",
    next_check: "{business} may ask you for a little more, to make sure that it is you. It may ask for no more than it needs.",
    next_check_them: "{business} may ask for a little more, to make sure who the person is and that you may ask for them. It may ask for no more than it needs.",
    next_answer: "You get the answer at the address or number that you gave.",
    status: "See how the request stands",
    another: "Make another request",
    refused_title: "This site may not send requests here",
    refused: "Your request was not sent, and nothing was kept. You can make it on our own page.",
    refused_form: "Go to the form",
    refused_owner: "For the owner of the site",
    refused_owner_text: "Requests for service code {code} are taken from listed sites only. In Optline, open Service codes, then {code}, and add {origin} under “Sites that may send requests”.",
    no_origin: "the site’s address, such as https://www.example.com,",
};

const ES: Texts = Texts {
    closed_title: "Aquí ya no se reciben solicitudes",
    closed: "{business} ya no recibe aquí solicitudes de privacidad.",
    closed_next: "Todavía puede pedirlo directamente a la empresa: la política de privacidad de su sitio dice cómo.",
    closed_status: "Si antes pidió algo aquí, vea cómo va.",
    unknown_title: "Aquí no hay ningún formulario",
    unknown: "Ninguna empresa recibe solicitudes de privacidad con este código, o ha dejado de hacerlo.",
    unknown_next: "Revise la dirección o busque «Privacidad» en el sitio de la empresa: debe indicar al menos dos formas de pedirlo.",
    title: "Su solicitud de privacidad",
    lede: "Pregunte a {business} qué sabe de usted, o dígale qué hacer con ello. Toma un minuto, no cuesta nada y no hace falta tener cuenta.",
    what: "¿Qué desea pedir?",
    whom: "¿Para quién lo pide?",
    myself: "Para mí",
    agent: "Para alguien que me ha autorizado",
    agent_hint: "Usted actúa como representante autorizado de esa persona.",
    parent: "Para mi hijo o hija menor de 13 años",
    parent_hint: "Usted es su madre, padre o tutor legal.",
    go_on: "Continuar",
    steps: ["Qué pedir", "Cómo encontrarle"],
    change: "Pedir otra cosa, o para otra persona",
    change_whom: "Pedirlo para otra persona",
    opt_out: Ask {
        name: "No vendan ni compartan mis datos personales",
        meaning: "Dejan de venderlos y de pasarlos a otros para publicidad.",
        of_them: "Dejan de vender los datos de la persona y de pasarlos a otros para publicidad.",
    },
    delete: Ask {
        name: "Eliminen mis datos personales",
        meaning: "Eliminan lo que tienen sobre usted y avisan a quienes lo recibieron.",
        of_them: "Eliminan lo que tienen sobre la persona y avisan a quienes lo recibieron.",
    },
    know_categories: Ask {
        name: "Díganme qué tipos de datos tienen sobre mí",
        meaning: "Las categorías, de dónde vienen, para qué sirven y quién las recibe.",
        of_them: "Las categorías, de dónde vienen, para qué sirven y quién las recibe.",
    },
    know_specific: Ask {
        name: "Envíenme mis datos personales",
        meaning: "Una copia de lo que tienen sobre usted.",
        of_them: "Una copia de lo que tienen sobre la persona.",
    },
    correct: Ask {
        name: "Corrijan mis datos personales",
        meaning: "Algo de lo que tienen sobre usted está mal.",
        of_them: "Algo de lo que tienen sobre la persona está mal.",
    },
    limit: Ask {
        name: "Limiten el uso de mi información personal sensible",
        meaning: "La usan solo para lo que usted les pidió.",
        of_them: "La usan solo para lo que la persona les pidió.",
    },
    message: Ask {
        name: "Otra cosa",
        meaning: "Escriba lo que desea. Ellos verán de cuál de sus derechos se trata.",
        of_them: "Escriba lo que desea la persona. Ellos verán de cuál de sus derechos se trata.",
    },
    no_check: "Para esto no hace falta cuenta ni prueba de identidad.",
    check: "Es posible que {business} tenga que asegurarse de que es usted antes de responder. No envíe aquí contraseñas ni números de documentos.",
    check_them: "Es posible que {business} tenga que asegurarse de quién es la persona, y de que usted puede pedirlo para ella, antes de responder. No envíe aquí contraseñas ni números de documentos.",
    as_agent: "Lo pide para alguien que le ha autorizado.",
    as_parent: "Lo pide para su hijo o hija menor de 13 años.",
    about_agent: "Sobre usted, como representante",
    about_person: "Sobre la persona para quien lo pide",
    about_you: "Cómo le encuentra {business}",
    contact: Asked {
        label: "Correo electrónico o número de teléfono",
        hint: "Basta con uno: el que conoce {business}. Solo se usa para esta solicitud.",
    },
    name: Asked { label: "Nombre completo", hint: "Como lo conoce {business}." },
    email: Asked {
        label: "Correo electrónico",
        hint: "Aquí se puede enviar la respuesta. Basta con un correo o un número de teléfono.",
    },
    phone: Asked { label: "Número de teléfono", hint: "Con su código de área." },
    residence: Asked { label: "Estado donde vive usted", hint: "De él depende qué ley se aplica." },
    their_residence: Asked { label: "Estado donde vive la persona", hint: "De él depende qué ley se aplica." },
    correction: Asked {
        label: "¿Qué está mal y qué es lo correcto?",
        hint: "Con sus palabras. No diga lo que no haga falta.",
    },
    words: Asked { label: "Su mensaje", hint: "Con sus palabras. No diga lo que no haga falta." },
    agent_name: Asked { label: "Su propio nombre", hint: "Usted, que llena este formulario." },
    agent_email: Asked { label: "Su propio correo electrónico", hint: "Aquí llegan el recibo y las preguntas." },
    agent_company: Asked { label: "Empresa u organización", hint: "Si actúa por alguna." },
    not_said: "Prefiero no decirlo",
    elsewhere: "Otro estado o país",
    homepage: "Deje esto vacío",
    send: "Enviar solicitud",
    stale: "Esta página estuvo abierta mucho tiempo. Revísela una vez más, por favor, y envíela de nuevo.",
    busy: "Llegan tantas solicitudes en este momento que esta no se pudo recibir",
    busy_next: "No se perdió nada de lo que escribió. Espere un minuto, por favor, y envíela de nuevo.",
    no_id: "Envíe un id de 16 a 64 letras, cifras, - y _ que distinga este formulario de cualquier otro.",
    not_json: "Envíe un objeto de textos, en JSON.",
    other_ways: "Otras formas de pedirlo",
    by_telephone: "Por teléfono, de día y de noche: marque {code} cuando se le pida el código.",
    by_any_way: "También puede pedirlo directamente a {business}, por carta, por correo electrónico o en persona. Debe recibir su solicitud o decirle cómo hacerla.",
    filed: "Recibimos su solicitud",
    filed_lede: "{business} ya la tiene.",
    number: "Su número de referencia",
    keep: "Apúntelo o guarde esta página. Con él puede preguntar cómo va su solicitud.",
    keep_call: "También por teléfono:",
    answer_by: "{business} debe responder a más tardar el {date}.",
    do_by: "{business} debe hacerlo a más tardar el {date}.",
    next: "Qué pasa ahora",
    next_mail: "También enviamos el número a {email}.",
    next_confirm: "Abra ese correo, por favor, y siga el enlace, para que {business} sepa que fue usted.",
    next_no_check: "No hace falta nada más de usted: {business} hace lo que pidió.",
    next_message: "{business} lee lo que escribió, ve de qué derecho se trata y le responde.",
    next_check: "Es posible que {business} le pida algo más para asegurarse de que es usted. No puede pedir más de lo necesario.",
    next_check_them: "Es posible que {business} pida algo más para asegurarse de quién es la persona y de que usted puede pedirlo para ella. No puede pedir más de lo necesario.",
    next_answer: "La respuesta le llega a la dirección o al número que dio.",
    status: "Ver cómo va la solicitud",
    another: "Hacer otra solicitud",
    refused_title: "Este sitio no puede enviar solicitudes aquí",
    refused: "Su solicitud no se envió y no se guardó nada. Puede hacerla en nuestra propia página.",
    refused_form: "Ir al formulario",
    refused_owner: "Para el titular del sitio",
    refused_owner_text: "Las solicitudes para el código de servicio {code} solo se reciben de sitios de la lista. En Optline, abra Códigos de servicio, luego {code}, y añada {origin} en «Sitios que pueden enviar solicitudes».",
    no_origin: "la dirección del sitio, como https://www.example.com,",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_there_in_spanish_with_the_same_places() {
        let differences = pages::texts::differences(&EN, &ES);
        assert!(differences.is_empty(), "{differences:?}");
    }
}
