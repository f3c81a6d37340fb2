//! The fixed words of a record, in every language.

use std::fmt::Write as _;

use domain::language::Language;
use domain::request::{Channel, Kind, State};
use domain::rules::{Certainty, Unit};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The words in one language. `{…}` is replaced by a value.
pub(crate) struct Words {
    language: Language,
    pub(crate) title: &'static str,
    pub(crate) request: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) state: &'static str,
    pub(crate) reference: &'static str,
    pub(crate) dates: &'static str,
    pub(crate) received: &'static str,
    pub(crate) received_on: &'static str,
    pub(crate) confirm_by: &'static str,
    pub(crate) no_law_asks: &'static str,
    pub(crate) confirmed: &'static str,
    pub(crate) respond_by: &'static str,
    pub(crate) from_receipt: &'static str,
    pub(crate) added: &'static str,
    pub(crate) extended: &'static str,
    pub(crate) extended_once: &'static str,
    pub(crate) not_extended: &'static str,
    pub(crate) no_extension: &'static str,
    pub(crate) completion_notice_by: &'static str,
    pub(crate) answered: &'static str,
    pub(crate) california_by_default: &'static str,
    pub(crate) who_asked: &'static str,
    pub(crate) name: &'static str,
    pub(crate) phone: &'static str,
    pub(crate) email: &'static str,
    pub(crate) residence: &'static str,
    pub(crate) not_given: &'static str,
    pub(crate) asked_by: &'static str,
    pub(crate) what_was_asked: &'static str,
    pub(crate) channel: &'static str,
    pub(crate) service_code: &'static str,
    pub(crate) details: &'static str,
    pub(crate) outcome: &'static str,
    pub(crate) not_yet: &'static str,
    pub(crate) ground: &'static str,
    pub(crate) timeline: &'static str,
    pub(crate) no_timeline: &'static str,
    pub(crate) when: &'static str,
    pub(crate) who: &'static str,
    pub(crate) what: &'static str,
    pub(crate) why: &'static str,
    pub(crate) notes: &'static str,
    pub(crate) note: &'static str,
    pub(crate) no_notes: &'static str,
    pub(crate) messages: &'static str,
    pub(crate) message: &'static str,
    pub(crate) attachments: &'static str,
    pub(crate) file: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) size: &'static str,
    pub(crate) no_attachments: &'static str,
    pub(crate) about: &'static str,
    pub(crate) made: &'static str,
    pub(crate) made_by: &'static str,
    pub(crate) keep: &'static str,
}

const ENGLISH: Words = Words {
    language: Language::English,
    title: "Record of privacy request",
    request: "Privacy request",
    kind: "Request",
    state: "State",
    reference: "Reference number",
    dates: "Dates",
    received: "Received",
    received_on: "Day of receipt: {date}. It is not counted.",
    confirm_by: "Confirm by",
    no_law_asks: "No law that applies asks for it",
    confirmed: "Receipt confirmed",
    respond_by: "Answer by",
    from_receipt: "{days} from receipt",
    added: "{days} added by extension",
    extended: "Extended",
    extended_once: "Yes, once",
    not_extended: "Not taken; this is the latest day with it",
    no_extension: "No; the law gives no extension",
    completion_notice_by: "Notice of completion by",
    answered: "Answered on",
    california_by_default: "None of the laws that the business answers under gives this right on the day of receipt. \
                            California’s dates are kept instead.",
    who_asked: "Who asked",
    name: "Name",
    phone: "Telephone",
    email: "E-mail",
    residence: "Residence",
    not_given: "Not given",
    asked_by: "Asked for them",
    what_was_asked: "What was asked, and how",
    channel: "Came in by",
    service_code: "Service code",
    details: "In their words",
    outcome: "Outcome",
    not_yet: "None yet: the request is open",
    ground: "Ground of denial",
    timeline: "Timeline",
    no_timeline: "Nothing has happened yet.",
    when: "Time",
    who: "Who",
    what: "What",
    why: "Why",
    notes: "Notes",
    note: "Note",
    no_notes: "There are no notes.",
    messages: "Messages",
    message: "Message",
    attachments: "Attachments",
    file: "File",
    content_type: "Type",
    size: "Bytes",
    no_attachments: "There are no attachments.",
    about: "About this record",
    made: "Made",
    made_by: "Made by",
    keep: "This record shows the request as it stood when the record was made. It holds personal information: keep it \
           safe, keep it for at least 24 months, and use it for no other purpose than to show how the request was \
           handled (11 CCR 7101).",
};

const SPANISH: Words = Words {
    language: Language::Spanish,
    title: "Constancia de la solicitud",
    request: "Solicitud de privacidad",
    kind: "Solicitud",
    state: "Estado",
    reference: "Número de referencia",
    dates: "Fechas",
    received: "Recibida",
    received_on: "Día de recepción: {date}. No se cuenta.",
    confirm_by: "Confirmar a más tardar",
    no_law_asks: "Ninguna ley aplicable lo exige",
    confirmed: "Recepción confirmada",
    respond_by: "Responder a más tardar",
    from_receipt: "{days} desde la recepción",
    added: "{days} más por la prórroga",
    extended: "Prórroga",
    extended_once: "Sí, una vez",
    not_extended: "No se ha tomado; este sería el último día con ella",
    no_extension: "No; la ley no da prórroga",
    completion_notice_by: "Aviso de cumplimiento",
    answered: "Respondida el",
    california_by_default: "Ninguna de las leyes a las que responde la empresa da este derecho en el día de la \
                            recepción. Se respetan en su lugar los plazos de California.",
    who_asked: "Quién la presentó",
    name: "Nombre",
    phone: "Teléfono",
    email: "Correo electrónico",
    residence: "Residencia",
    not_given: "No indicado",
    asked_by: "Lo pidió por ella",
    what_was_asked: "Qué se solicitó y cómo",
    channel: "Llegó por",
    service_code: "Código de servicio",
    details: "En sus palabras",
    outcome: "Resultado",
    not_yet: "Ninguno todavía: la solicitud está abierta",
    ground: "Motivo de la denegación",
    timeline: "Cronología",
    no_timeline: "Todavía no ha pasado nada.",
    when: "Hora",
    who: "Quién",
    what: "Qué",
    why: "Por qué",
    notes: "Notas",
    note: "Nota",
    no_notes: "No hay notas.",
    messages: "Mensajes",
    message: "Mensaje",
    attachments: "Archivos adjuntos",
    file: "Archivo",
    content_type: "Tipo",
    size: "Bytes",
    no_attachments: "No hay archivos adjuntos.",
    about: "Sobre esta constancia",
    made: "Emitida",
    made_by: "Emitida por",
    keep: "Esta constancia muestra la solicitud tal como estaba en el momento de emitirla. Contiene información \
           personal: guárdela en un lugar seguro, consérvela al menos 24 meses y no la use para otro fin que mostrar \
           cómo se atendió la solicitud (11 CCR 7101).",
};

impl Words {
    pub(crate) const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::Spanish => &SPANISH,
        }
    }

    pub(crate) const fn of_kind(&self, kind: Kind) -> &'static str {
        match (self.language, kind) {
            (Language::English, Kind::OptOut) => "Opt out of sale and sharing",
            (Language::English, Kind::Delete) => "Delete",
            (Language::English, Kind::KnowCategories) => "Know: categories",
            (Language::English, Kind::KnowSpecific) => "Know: specific pieces",
            (Language::English, Kind::Correct) => "Correct",
            (Language::English, Kind::Limit) => "Limit the use of sensitive information",
            (Language::English, Kind::Message) => "Message",
            (Language::Spanish, Kind::OptOut) => "Excluirse de la venta y del intercambio",
            (Language::Spanish, Kind::Delete) => "Eliminar",
            (Language::Spanish, Kind::KnowCategories) => "Saber: categorías",
            (Language::Spanish, Kind::KnowSpecific) => "Saber: datos específicos",
            (Language::Spanish, Kind::Correct) => "Corregir",
            (Language::Spanish, Kind::Limit) => "Limitar el uso de información sensible",
            (Language::Spanish, Kind::Message) => "Mensaje",
        }
    }

    pub(crate) const fn of_state(&self, state: State) -> &'static str {
        match (self.language, state) {
            (Language::English, State::Incomplete) => "Incomplete",
            (Language::English, State::Received) => "Received",
            (Language::English, State::Verifying) => "Verifying who asks",
            (Language::English, State::InReview) => "In review",
            (Language::English, State::Fulfilling) => "Being fulfilled",
            (Language::English, State::Completed) => "Completed",
            (Language::English, State::Denied) => "Denied",
            (Language::English, State::Withdrawn) => "Withdrawn",
            (Language::Spanish, State::Incomplete) => "Incompleta",
            (Language::Spanish, State::Received) => "Recibida",
            (Language::Spanish, State::Verifying) => "Verificando la identidad",
            (Language::Spanish, State::InReview) => "En revisión",
            (Language::Spanish, State::Fulfilling) => "En cumplimiento",
            (Language::Spanish, State::Completed) => "Cumplida",
            (Language::Spanish, State::Denied) => "Denegada",
            (Language::Spanish, State::Withdrawn) => "Retirada",
        }
    }

    pub(crate) const fn of_channel(&self, channel: Channel) -> &'static str {
        match (self.language, channel) {
            (Language::English, Channel::Phone) => "Telephone hotline",
            (Language::English, Channel::Form) => "Web form",
            (Language::English, Channel::Email) => "E-mail",
            (Language::English, Channel::Mail) => "Mail",
            (Language::English, Channel::InPerson) => "In person",
            (Language::English, Channel::Signal) => "Opt-out preference signal",
            (Language::Spanish, Channel::Phone) => "Línea telefónica",
            (Language::Spanish, Channel::Form) => "Formulario web",
            (Language::Spanish, Channel::Email) => "Correo electrónico",
            (Language::Spanish, Channel::Mail) => "Correo postal",
            (Language::Spanish, Channel::InPerson) => "En persona",
            (Language::Spanish, Channel::Signal) => "Señal de preferencia de exclusión",
        }
    }

    pub(crate) fn days(&self, days: u16, unit: Unit) -> String {
        let unit = match (self.language, unit, days) {
            (Language::English, Unit::Calendar, 1) => "calendar day",
            (Language::English, Unit::Calendar, _) => "calendar days",
            (Language::English, Unit::Business, 1) => "business day",
            (Language::English, Unit::Business, _) => "business days",
            (Language::Spanish, Unit::Calendar, 1) => "día natural",
            (Language::Spanish, Unit::Calendar, _) => "días naturales",
            (Language::Spanish, Unit::Business, 1) => "día hábil",
            (Language::Spanish, Unit::Business, _) => "días hábiles",
        };
        format!("{days} {unit}")
    }

    /// What to add to a rule that was not seen in the law.
    pub(crate) const fn doubt(&self, certainty: Certainty) -> &'static str {
        match (self.language, certainty) {
            (_, Certainty::Checked) => "",
            (Language::English, Certainty::Recalled) => " (to be checked against the law)",
            (Language::English, Certainty::Unknown) => " (not known; the safest value is kept)",
            (Language::Spanish, Certainty::Recalled) => " (por comprobar en la ley)",
            (Language::Spanish, Certainty::Unknown) => " (no se conoce; se usa el valor más seguro)",
        }
    }

    /// A date in words: the order of day and month in figures differs between readers.
    pub(crate) fn date(&self, date: Date) -> String {
        let month = self.month(date.month());
        match self.language {
            Language::English => format!("{month} {}, {}", date.day(), date.year()),
            Language::Spanish => format!("{} de {month} de {}", date.day(), date.year()),
        }
    }

    /// A date and time with its zone, to the second.
    pub(crate) fn time(&self, at: Timestamp, zone: &TimeZone) -> String {
        let there = at.to_zoned(zone.clone());
        let hour = match there.hour() % 12 {
            0 => 12,
            hour => hour,
        };
        let half = match (self.language, there.hour() < 12) {
            (Language::English, true) => "AM",
            (Language::English, false) => "PM",
            (Language::Spanish, true) => "a.\u{A0}m.",
            (Language::Spanish, false) => "p.\u{A0}m.",
        };
        let month: String = self.month(there.month()).chars().take(3).collect();
        let day = match self.language {
            Language::English => format!("{month} {}, {}", there.day(), there.year()),
            Language::Spanish => format!("{} {month} {}", there.day(), there.year()),
        };
        let name = zone.to_offset_info(at).abbreviation().to_owned();
        format!("{day}, {hour}:{:02}:{:02} {half} {name}", there.minute(), there.second())
    }

    fn month(&self, month: i8) -> &'static str {
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
        let index = usize::try_from(month - 1).unwrap_or_default();
        let (english, spanish) = MONTHS.get(index).copied().unwrap_or_default();
        match self.language {
            Language::English => english,
            Language::Spanish => spanish,
        }
    }
}

/// A number with a comma between every three digits, as both languages write it in the United States.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Bytes as hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        // Writing to a string does not fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_written_as_each_language_writes_them() {
        let at: Timestamp = "2026-06-01T19:05:09Z".parse().unwrap();
        let zone = TimeZone::get("America/Los_Angeles").unwrap();
        let english = Words::of(Language::English);
        let spanish = Words::of(Language::Spanish);
        assert_eq!(english.date(jiff::civil::date(2026, 12, 9)), "December 9, 2026");
        assert_eq!(spanish.date(jiff::civil::date(2026, 12, 9)), "9 de diciembre de 2026");
        assert_eq!(english.time(at, &zone), "Jun 1, 2026, 12:05:09 PM PDT");
        assert_eq!(spanish.time(at, &zone), "1 jun 2026, 12:05:09 p.\u{A0}m. PDT");
    }

    #[test]
    fn numbers_are_grouped_and_bytes_are_digits() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(hexadecimal(&[0, 10, 255]), "000aff");
    }
}
