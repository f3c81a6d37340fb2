//! What the page of privacy choices says, in every language.

use domain::language::Language;
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Texts {
    /// The title that Cal. Civ. Code 1798.135(a)(3) and 11 CCR 7015 give to one link for both rights.
    pub(crate) title: &'static str,
    /// The title that Cal. Civ. Code 1798.135(a)(1) requires.
    pub(crate) do_not_sell: &'static str,
    /// The title that Cal. Civ. Code 1798.135(a)(2) requires.
    pub(crate) limit: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) lede: &'static str,
    pub(crate) opt_out_text: &'static str,
    pub(crate) contact: &'static str,
    pub(crate) contact_hint: &'static str,
    pub(crate) opt_out: &'static str,
    pub(crate) opt_out_note: &'static str,
    pub(crate) limit_text: &'static str,
    pub(crate) limit_do: &'static str,
    pub(crate) limit_needs: &'static str,
    pub(crate) limited: &'static str,
    pub(crate) opt_out_needs: &'static str,
    pub(crate) contact_note: &'static str,
    /// The title where there is neither.
    pub(crate) rights: &'static str,
    pub(crate) rights_lede: &'static str,
    pub(crate) busy: &'static str,
    pub(crate) busy_next: &'static str,
    pub(crate) more: &'static str,
    pub(crate) more_requests: &'static str,
    pub(crate) more_notice: &'static str,
    pub(crate) more_status: &'static str,
    pub(crate) browser: &'static str,
    pub(crate) browser_text: &'static str,
    pub(crate) browser_told: &'static str,
    pub(crate) browser_site: &'static str,
    pub(crate) browser_sites: &'static str,
    pub(crate) browser_back: &'static str,
    pub(crate) person: &'static str,
    pub(crate) person_text: &'static str,
    pub(crate) person_limit: &'static str,
    pub(crate) status: &'static str,
    pub(crate) left: &'static str,
    pub(crate) status_left: &'static str,
    pub(crate) status_done: &'static str,
    pub(crate) status_received: &'static str,
    pub(crate) number: &'static str,
    pub(crate) keep: &'static str,
    pub(crate) look: &'static str,
    pub(crate) again: &'static str,
    pub(crate) refused_title: &'static str,
    pub(crate) refused: &'static str,
    pub(crate) refused_go: &'static str,
}

impl Texts {
    pub(crate) const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &EN,
            Language::Spanish => &ES,
        }
    }
}

const EN: Texts = Texts {
    title: "Your Privacy Choices",
    do_not_sell: "Do Not Sell or Share My Personal Information",
    limit: "Limit the Use of My Sensitive Personal Information",
    icon: "California Consumer Privacy Act (CCPA) Opt-Out Icon",
    lede: "Choose what {business} may do with your personal information. It costs nothing, needs no account and no proof of who you are, and nobody may treat you worse for it.",
    opt_out_text: "{business} then stops selling it, and stops passing it on for advertising across sites.",
    contact: "E-mail address or telephone number",
    contact_hint: "With it your choice also counts where {business} knows you: in an account, an app, a mailing list. It is used for nothing else.",
    opt_out: "Do not sell or share",
    opt_out_note: "One click is enough: it counts for this browser.",
    limit_text: "{business} then uses what is sensitive, such as your health, your beliefs or where exactly you are, only for what you asked it for.",
    limit_do: "Limit the use",
    limit_needs: "{business} finds by it what it knows about you. Without it, it cannot know whose information to limit. It is used for nothing else.",
    limited: "Your request is on its way",
    opt_out_needs: "{business} cannot know your browser here, so please give the address or number that it knows you by. It is used for nothing else.",
    contact_note: "One click is all: nobody asks for more.",
    rights: "Your Privacy Rights",
    rights_lede: "{business} takes no request under this code to stop selling or sharing, or to limit the use of what is sensitive. These are the rights that you have here.",
    busy: "Too many people are here at the moment",
    busy_next: "Nothing was changed yet. What you typed is still there: please press the button again in a minute.",
    more: "Your other rights",
    more_requests: "See, correct or delete what {business} has about you",
    more_notice: "What {business} collects, and whom it tells",
    more_status: "See how an earlier request stands",
    browser: "This browser",
    browser_text: "Your choice counts in this browser once the site knows of it.",
    browser_told: "This browser is opted out of sale and sharing: the site around this page knows it now.",
    browser_site: "One step is left: go back to {site} from here. It then knows of your choice, and keeps to it in this browser.",
    browser_sites: "One step is left: open the site from here. It then knows of your choice, and keeps to it in this browser.",
    browser_back: "Go to {site}",
    person: "You",
    person_text: "{business} must now find what belongs to the address or number that you gave, and stop selling and sharing it by {date} at the latest.",
    person_limit: "{business} must now find what belongs to the address or number that you gave, and limit its use by {date} at the latest.",
    status: "Status",
    left: "One step is left",
    status_left: "One step is left: go back to the site",
    status_done: "Processed",
    status_received: "Received, and on its way",
    number: "Number",
    keep: "Keep the number: with it you can ask how your choice stands, here or by telephone.",
    look: "See how it stands",
    again: "Back to your choices",
    refused_title: "This choice was not made here",
    refused: "Another site sent it, and nothing was changed. You can make it on our own page, with one click.",
    refused_go: "Go to your choices",
};

const ES: Texts = Texts {
    title: "Sus opciones de privacidad",
    do_not_sell: "No vender ni compartir mi información personal",
    limit: "Limitar el uso de mi información personal sensible",
    icon: "Ícono de exclusión de la Ley de Privacidad del Consumidor de California (CCPA)",
    lede: "Elija qué puede hacer {business} con su información personal. No cuesta nada, no hace falta tener cuenta ni demostrar quién es, y nadie puede tratarle peor por ello.",
    opt_out_text: "{business} deja de venderla y de pasarla a otros para publicidad entre sitios.",
    contact: "Correo electrónico o número de teléfono",
    contact_hint: "Con él su elección vale también donde {business} le conoce: en una cuenta, una aplicación, una lista de correo. No se usa para nada más.",
    opt_out: "No vender ni compartir",
    opt_out_note: "Basta con un clic: vale para este navegador.",
    limit_text: "{business} usa lo sensible, como su salud, sus creencias o dónde está exactamente, solo para lo que usted le pidió.",
    limit_do: "Limitar el uso",
    limit_needs: "Con él {business} encuentra lo que sabe de usted. Sin él no puede saber de quién es la información que debe limitar. No se usa para nada más.",
    limited: "Su solicitud está en camino",
    opt_out_needs: "{business} no puede reconocer aquí su navegador: dé la dirección o el número por el que le conoce. No se usa para nada más.",
    contact_note: "Basta con un clic: nadie le pide más.",
    rights: "Sus derechos de privacidad",
    rights_lede: "Con este código {business} no recibe solicitudes de dejar de vender o compartir, ni de limitar el uso de lo sensible. Estos son los derechos que tiene aquí.",
    busy: "En este momento hay demasiada gente",
    busy_next: "Todavía no se cambió nada. Lo que escribió sigue aquí: vuelva a pulsar el botón dentro de un minuto.",
    more: "Sus otros derechos",
    more_requests: "Ver, corregir o eliminar lo que {business} tiene sobre usted",
    more_notice: "Qué recopila {business} y a quién se lo comunica",
    more_status: "Ver cómo va una solicitud anterior",
    browser: "Este navegador",
    browser_text: "Su elección vale en este navegador en cuanto el sitio la conoce.",
    browser_told: "En este navegador su información no se vende ni se comparte: el sitio que rodea esta página ya lo sabe.",
    browser_site: "Falta un paso: vuelva a {site} desde aquí. Así conoce su elección y la respeta en este navegador.",
    browser_sites: "Falta un paso: abra el sitio desde aquí. Así conoce su elección y la respeta en este navegador.",
    browser_back: "Ir a {site}",
    person: "Usted",
    person_text: "{business} debe buscar ahora lo que corresponde a la dirección o al número que dio, y dejar de venderlo y compartirlo a más tardar el {date}.",
    person_limit: "{business} debe buscar ahora lo que corresponde a la dirección o al número que dio, y limitar su uso a más tardar el {date}.",
    status: "Estado",
    left: "Falta un paso",
    status_left: "Falta un paso: vuelva al sitio",
    status_done: "Procesada",
    status_received: "Recibida y en camino",
    number: "Número",
    keep: "Guarde el número: con él puede preguntar cómo va su elección, aquí o por teléfono.",
    look: "Ver cómo va",
    again: "Volver a sus opciones",
    refused_title: "Esta elección no se hizo aquí",
    refused: "La envió otro sitio y no se cambió nada. Puede hacerla en nuestra propia página, con un clic.",
    refused_go: "Ir a sus opciones",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_said_in_both_languages_with_the_same_places_to_fill() {
        assert_eq!(pages::texts::differences(&EN, &ES), Vec::<String>::new());
    }
}
