//! Mails to the team about many requests: numbers, kinds and dates, and nothing of any person. A subject counts.

use domain::language::Language;
use domain::reminder::Duty;
use maud::html;
use pages::texts::either;
use pages::{fill, format, words};
use platform::digest::{DueLetter, DueLine, NewsLetter, NewsLine};

use crate::mail_frame::{self, BUTTON, LINK, SMALL};

/// A mail with lists.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Digest {
    language: Language,
    pub(crate) subject: String,
    intro: String,
    groups: Vec<Group>,
    /// What is counted and not named.
    more: Option<String>,
    /// Where the rest is, and what the button says.
    button: (&'static str, String),
    closing: &'static str,
    /// Where one click ends mails of this sort.
    end: Option<String>,
}

#[derive(Clone, PartialEq, Eq)]
struct Group {
    heading: String,
    rows: Vec<Row>,
}

#[derive(Clone, PartialEq, Eq)]
struct Row {
    number: String,
    text: String,
    link: String,
}

impl Digest {
    /// The same with a link at its end that ends mails of its sort.
    pub(crate) fn ended_by(self, link: Option<&str>) -> Self {
        Self { end: link.map(str::to_owned), ..self }
    }

    fn end_label(&self) -> &'static str {
        either(self.language, "Send me no more of these", "No enviarme más correos como este")
    }

    /// As plain text.
    pub(crate) fn text(&self) -> String {
        let mut parts = vec![self.intro.clone()];
        for group in &self.groups {
            let rows = group.rows.iter().map(|row| format!("{} · {}\n  {}", row.number, row.text, row.link));
            parts.push([group.heading.clone()].into_iter().chain(rows).collect::<Vec<_>>().join("\n"));
        }
        parts.extend(self.more.clone());
        parts.push(format!("{}:\n{}", self.button.0, self.button.1));
        parts.push(self.closing.to_owned());
        parts.extend(self.end.as_ref().map(|link| format!("{}:\n{link}", self.end_label())));
        parts.push("Optline".to_owned());
        parts.join("\n\n") + "\n"
    }

    /// As HTML.
    pub(crate) fn html(&self) -> String {
        let content = html! {
            p { (self.intro) }
            @for group in &self.groups {
                h2 style="font-size:16px;margin:24px 0 8px" { (group.heading) }
                ul style="margin:0;padding:0;list-style:none" {
                    @for row in &group.rows {
                        li style="padding:8px 0;border-top:1px solid #8a9693" {
                            a href=(row.link) style={ (LINK) ";font-weight:600" } { (row.number) }
                            " · " (row.text)
                        }
                    }
                }
            }
            @if let Some(more) = &self.more { p { (more) } }
            p style="margin-top:24px" { a href=(self.button.1) style=(BUTTON) { (self.button.0) } }
            p style=(SMALL) { (self.closing) }
            @if let Some(link) = &self.end {
                p style=(SMALL) { a href=(link) style=(LINK) { (self.end_label()) } }
            }
        };
        mail_frame::page(self.language, &self.subject, &content)
    }
}

/// What somebody is reminded of.
pub(crate) fn due(language: Language, letter: &DueLetter, base: &str) -> Digest {
    let of = |wanted: fn(i32) -> bool, heading: &str, count: u64| {
        let rows: Vec<Row> = letter
            .lines
            .iter()
            .filter(|line| wanted(line.due.days_left))
            .map(|line| due_row(language, line, base))
            .collect();
        (!rows.is_empty()).then(|| Group { heading: format!("{heading} ({})", format::number(count)), rows })
    };
    let groups = [
        of(|left| left < 0, either(language, "Overdue", "Vencidas"), letter.overdue),
        of(|left| left == 0, either(language, "Due today", "Vencen hoy"), letter.today),
        of(|left| left > 0, either(language, "Coming up", "Próximas"), letter.ahead),
    ];
    let counts = [
        (letter.overdue, either(language, "{n} overdue", "vencidas: {n}")),
        (letter.today, either(language, "{n} due today", "hoy: {n}")),
        (letter.ahead, either(language, "{n} coming up", "próximas: {n}")),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, text)| fill(text, &[("n", &format::number(*count))]))
        .collect();
    let subject = either(language, "Deadlines: {counts}", "Plazos – {counts}");
    let intro = either(
        language,
        "These privacy requests have a date that is near or has passed, as of {day}.",
        "Estas solicitudes de privacidad tienen un plazo próximo o vencido, hoy, {day}.",
    );
    Digest {
        language,
        subject: fill(subject, &[("counts", &counts.join(", "))]),
        intro: fill(intro, &[("day", &format::long_date(language, letter.day))]),
        groups: groups.into_iter().flatten().collect(),
        more: more(language, letter.unnamed()),
        button: inbox(language, base),
        closing: either(
            language,
            "You get this because you work on these requests, because nobody does, or because you run the team and the date is \
             near. You choose reminders in your account; owners are told all the same where nobody else would be.",
            "Recibe este correo porque se ocupa de estas solicitudes, porque nadie lo hace, o porque dirige el equipo y el plazo \
             está cerca. Los recordatorios se eligen en su cuenta; quienes son titulares los reciben en todo caso cuando nadie \
             más los recibiría.",
        ),
        end: None,
    }
}

fn due_row(language: Language, line: &DueLine, base: &str) -> Row {
    let what = match line.due.duty {
        Duty::Answer => answer_by(language),
        Duty::Confirm => {
            either(language, "confirm that it came in by {day}", "confirmar que llegó a más tardar el {day}")
        }
    };
    let what = fill(what, &[("day", &format::date(language, line.due.by))]);
    let left = format::days_left(language, line.due.days_left);
    Row {
        number: line.reference.to_string(),
        text: format!("{} · {what} · {left}", words::kind(language, line.kind)),
        link: format!("{base}/dashboard/request/{}", line.reference.as_str()),
    }
}

/// What came in.
pub(crate) fn news(language: Language, letter: &NewsLetter, base: &str) -> Digest {
    let all = letter.all();
    let named = u64::try_from(letter.lines.len()).unwrap_or_default();
    let mut groups: Vec<Group> = vec![];
    let mut codes: Vec<_> = letter.counts.iter().map(|(code, ..)| code).collect();
    codes.sort();
    codes.dedup();
    for code in codes {
        let kinds = letter.counts.iter().filter(|(of, ..)| of == code);
        let kinds: Vec<String> = kinds
            .map(|(_, kind, count)| format!("{} × {}", format::number(*count), words::kind(language, *kind)))
            .collect();
        let heading = either(language, "Service code {code}: {kinds}", "Código de servicio {code}: {kinds}");
        let heading = fill(heading, &[("code", code.as_str()), ("kinds", &kinds.join(", "))]);
        let rows = letter.lines.iter().filter(|line| line.code == *code).map(|line| news_row(language, line, base));
        groups.push(Group { heading, rows: rows.collect() });
    }
    let count = format::number(all);
    let subject = match all {
        1 => either(language, "A new privacy request", "Una solicitud de privacidad nueva"),
        _ => either(language, "{n} new privacy requests", "{n} solicitudes de privacidad nuevas"),
    };
    let intro = match all {
        1 => either(
            language,
            "One privacy request has come in since you were last told.",
            "Ha llegado una solicitud de privacidad desde el último aviso.",
        ),
        _ => either(
            language,
            "{n} privacy requests have come in since you were last told.",
            "Han llegado {n} solicitudes de privacidad desde el último aviso.",
        ),
    };
    Digest {
        language,
        subject: fill(subject, &[("n", &count)]),
        intro: fill(intro, &[("n", &count)]),
        groups,
        more: more(language, all.saturating_sub(named)),
        button: inbox(language, base),
        closing: either(
            language,
            "You choose in your account how soon you are told.",
            "En su cuenta elige cuándo recibe estos avisos.",
        ),
        end: None,
    }
}

fn news_row(language: Language, line: &NewsLine, base: &str) -> Row {
    let by = fill(answer_by(language), &[("day", &format::date(language, line.respond_by))]);
    let unfinished = either(language, "the caller hung up before the end", "la persona colgó antes de terminar");
    let text = format!("{} · {by}", words::kind(language, line.kind));
    Row {
        number: line.reference.to_string(),
        text: if line.unfinished { format!("{text} · {unfinished}") } else { text },
        link: format!("{base}/dashboard/request/{}", line.reference.as_str()),
    }
}

fn answer_by(language: Language) -> &'static str {
    either(language, "answer by {day}", "responder a más tardar el {day}")
}

fn more(language: Language, count: u64) -> Option<String> {
    let text =
        either(language, "And {n} more, which the inbox shows.", "Y {n} más, que están en la bandeja de entrada.");
    (count > 0).then(|| fill(text, &[("n", &format::number(count))]))
}

fn inbox(language: Language, base: &str) -> (&'static str, String) {
    (either(language, "Open the inbox", "Abrir la bandeja de entrada"), format!("{base}/dashboard/requests"))
}

#[cfg(test)]
mod tests {
    use domain::reference::Reference;
    use domain::reminder::Reminder;
    use domain::request::Kind;
    use domain::service_code::ServiceCode;
    use domain::user::UserId;
    use jiff::ToSpan;
    use jiff::civil::date;
    use platform::tenant::Tenant;

    use super::*;

    const BASE: &str = "https://hotline.example";

    fn user() -> UserId {
        UserId::parse(&format!("u-{}", "0a".repeat(13))).unwrap()
    }

    fn due_letter(days: &[(i32, Duty, Kind)]) -> DueLetter {
        let today = date(2026, 12, 27);
        let mut letter = DueLetter::new(&Tenant::platform(), &user(), today);
        for (n, (left, duty, kind)) in days.iter().enumerate() {
            let due =
                Reminder { duty: *duty, by: today.checked_add(i64::from(*left).days()).unwrap(), days_left: *left };
            letter.add(DueLine { reference: Reference::from_entropy(u64::try_from(n).unwrap()), kind: *kind, due });
        }
        letter
    }

    #[test]
    fn one_mail_names_all_that_is_due_with_what_and_when_and_where() {
        let days = [
            (-3, Duty::Answer, Kind::OptOut),
            (0, Duty::Confirm, Kind::Delete),
            (2, Duty::Answer, Kind::KnowSpecific),
            (10, Duty::Answer, Kind::Delete),
        ];
        let said = Language::ALL.map(|language| {
            let digest = due(language, &due_letter(&days), BASE);
            format!("{}\n\n{}", digest.subject, digest.text())
        });
        insta::assert_snapshot!(said.join("\n———\n"));
        let link = "https://hotline.example/dashboard/unsubscribe/ticket";
        let ended = due(Language::English, &due_letter(&days[..1]), BASE).ended_by(Some(link));
        assert!(ended.text().contains(link));
        insta::assert_snapshot!(ended.html());
    }

    #[test]
    fn what_came_in_is_told_by_service_code_and_kind() {
        let mut letter = NewsLetter::new(&Tenant::platform(), &user(), 7);
        for (n, (code, kind, unfinished)) in
            [("3", Kind::Delete, false), ("12", Kind::OptOut, false), ("12", Kind::OptOut, true)]
                .into_iter()
                .enumerate()
        {
            let reference = Reference::from_entropy(u64::try_from(n).unwrap());
            let (code, respond_by) = (ServiceCode::parse(code).unwrap(), date(2027, 1, 6));
            letter.add(NewsLine { reference, kind, code, respond_by, unfinished });
        }
        let said = Language::ALL.map(|language| {
            let digest = news(language, &letter, BASE);
            format!("{}\n\n{}", digest.subject, digest.text())
        });
        insta::assert_snapshot!(said.join("\n———\n"));
    }

    #[test]
    fn of_many_the_most_urgent_are_named_and_the_rest_is_counted() {
        let days: Vec<_> = (0..60).map(|n| (n - 30, Duty::Answer, Kind::Delete)).collect();
        let digest = due(Language::English, &due_letter(&days), BASE);
        assert_eq!(digest.subject, "Deadlines: 30 overdue, 1 due today, 29 coming up");
        assert!(digest.text().contains("And 10 more"), "{}", digest.text());
        assert!(digest.html().len() < 30_000);
        assert!(!digest.subject.contains(Reference::from_entropy(0).as_str()));
    }
}
