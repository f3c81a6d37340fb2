//! The record of one privacy request: what a business keeps of it for at least 24 months (11 CCR 7101), as its counsel
//! files it or hands it to a regulator.

use domain::clock::{Basis, Clocks, Due};
use domain::language::Language;
use domain::reference::Reference;
use domain::request::{Channel, Kind, State};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::document::{Block, Column, Document, Error, Row, Section, Table};
use crate::words::{self, Words};

/// Everything that a record shows. Personal values are unsealed by whoever makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The name of the business that was asked.
    pub business: String,
    /// The zone in which times are shown: the business's own.
    pub time_zone: TimeZone,
    /// The request's number.
    pub reference: Reference,
    /// What was asked.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// How it came in.
    pub channel: Channel,
    /// The service code it came in through, or its name, if it did.
    pub service_code: Option<String>,
    /// When it came in.
    pub received_at: Timestamp,
    /// The dates that the law sets.
    pub clocks: Clocks,
    /// When receipt was confirmed.
    pub confirmed_at: Option<Timestamp>,
    /// The day on which it was answered.
    pub answered_on: Option<Date>,
    /// Who asked, where it was somebody for the person: an agent, a parent; in words.
    pub asked_by: Option<String>,
    /// Who asked.
    pub person: Person,
    /// What they said beyond the kind: what is to be corrected, or the message.
    pub details: Option<String>,
    /// Where they live, in words.
    pub residence: Option<String>,
    /// What came of it, in words.
    pub outcome: Option<String>,
    /// The ground of a denial, with its citation, in words.
    pub ground: Option<String>,
    /// What happened, first to last.
    pub timeline: Vec<Entry>,
    /// What the business noted, first to last.
    pub notes: Vec<Note>,
    /// What the business and whoever asked wrote each other, first to last.
    pub messages: Vec<Note>,
    /// The files kept with it.
    pub attachments: Vec<Attachment>,
    /// When the record is made; the request is shown as it stood then.
    pub made_at: Timestamp,
    /// Who makes it.
    pub made_by: String,
}

/// Who asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// Their name.
    pub name: Option<String>,
    /// Their telephone number.
    pub phone: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Who did it, in words.
    pub who: String,
    /// What was done, in words.
    pub what: String,
    /// Why, in the words that were kept.
    pub why: String,
}

/// Something that somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// What.
    pub text: String,
}

/// A file that is kept with the request, and is not part of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// Its type, as `application/pdf`.
    pub content_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256, by which the file can be told from any other.
    pub sha256: [u8; 32],
}

impl Record {
    /// The record as a PDF.
    pub fn render(&self, language: Language) -> Result<Vec<u8>, Error> {
        self.document(language).render()
    }

    /// The record as a document.
    #[must_use]
    pub fn document(&self, language: Language) -> Document {
        let paper = Paper { record: self, words: Words::of(language) };
        let words = paper.words;
        let mut sections = vec![
            Section { heading: words.dates.into(), blocks: vec![Block::Rows(paper.dates())] },
            Section { heading: words.who_asked.into(), blocks: vec![Block::Rows(paper.person())] },
            Section { heading: words.what_was_asked.into(), blocks: vec![Block::Rows(paper.asked())] },
            Section { heading: words.outcome.into(), blocks: vec![Block::Rows(paper.outcome())] },
        ];
        if self.clocks.basis == Basis::CaliforniaByDefault
            && let Some(dates) = sections.first_mut()
        {
            dates.blocks.push(Block::Paragraph(words.california_by_default.into()));
        }
        sections.push(paper.timeline());
        sections.push(paper.notes());
        if !self.messages.is_empty() {
            sections.push(paper.messages());
        }
        sections.push(paper.attachments());
        sections.push(paper.about());
        Document {
            title: format!("{} {}", words.title, self.reference),
            author: self.business.clone(),
            language,
            footer: format!("{} {} · {}", words.request, self.reference, self.business),
            created: self.made_at,
            facts: vec![
                Row::new(words.kind, words.of_kind(self.kind)),
                Row::new(words.state, words.of_state(self.state)),
                match self.answered_on {
                    Some(answered) => Row::new(words.answered, words.date(answered)),
                    None => Row::new(words.respond_by, words.date(self.clocks.respond_by.date)),
                },
            ],
            sections,
        }
    }
}

/// A record and the words it is written in.
struct Paper<'a> {
    record: &'a Record,
    words: &'static Words,
}

impl Paper<'_> {
    fn dates(&self) -> Vec<Row> {
        let (words, record) = (self.words, self.record);
        let clocks = &record.clocks;
        let mut rows = vec![Row::new(words.received, self.time(record.received_at))];
        let date = words.date(clocks.received_on);
        if let Some(row) = rows.first_mut() {
            row.aside = Some(words.received_on.replace("{date}", &date));
        }
        rows.push(match &clocks.confirm_by {
            Some(due) => self.due(words.confirm_by, due, words.from_receipt),
            None => Row::new(words.confirm_by, words.no_law_asks),
        });
        if let Some(confirmed) = record.confirmed_at {
            rows.push(Row::new(words.confirmed, self.time(confirmed)));
        }
        if clocks.extended {
            rows.push(self.due(words.respond_by, &clocks.respond_by, words.added));
            rows.push(Row::new(words.extended, words.extended_once));
        } else {
            rows.push(self.due(words.respond_by, &clocks.respond_by, words.from_receipt));
            rows.push(match &clocks.extension {
                Some(due) => self.due(words.extended, due, words.added).aside_after(words.not_extended),
                None => Row::new(words.extended, words.no_extension),
            });
        }
        if let Some(due) = &clocks.completion_notice_by {
            rows.push(self.due(words.completion_notice_by, due, words.from_receipt));
        }
        if let Some(answered) = record.answered_on {
            rows.push(Row::new(words.answered, words.date(answered)));
        }
        rows
    }

    /// A date with the rule it comes from.
    fn due(&self, label: &str, due: &Due, days: &str) -> Row {
        let days = days.replace("{days}", &self.words.days(due.days, due.unit));
        let doubt = self.words.doubt(due.certainty);
        Row::new(label, self.words.date(due.date)).aside(format!("{}: {days}{doubt}", due.citation))
    }

    fn person(&self) -> Vec<Row> {
        let (words, record) = (self.words, self.record);
        let given = |value: &Option<String>| value.clone().unwrap_or_else(|| words.not_given.into());
        let mut rows = vec![
            Row::new(words.name, given(&record.person.name)),
            Row::new(words.phone, given(&record.person.phone)),
            Row::new(words.email, given(&record.person.email)),
            Row::new(words.residence, given(&record.residence)),
        ];
        if let Some(asked_by) = &record.asked_by {
            rows.push(Row::new(words.asked_by, asked_by));
        }
        rows
    }

    fn asked(&self) -> Vec<Row> {
        let (words, record) = (self.words, self.record);
        let mut rows = vec![
            Row::new(words.reference, record.reference.to_string()),
            Row::new(words.kind, words.of_kind(record.kind)),
            Row::new(words.channel, words.of_channel(record.channel)),
        ];
        if let Some(code) = &record.service_code {
            rows.push(Row::new(words.service_code, code));
        }
        if let Some(details) = &record.details {
            rows.push(Row::new(words.details, details));
        }
        rows
    }

    fn outcome(&self) -> Vec<Row> {
        let (words, record) = (self.words, self.record);
        let mut rows = vec![Row::new(words.state, words.of_state(record.state))];
        let none = if record.state.is_open() { words.not_yet } else { "" };
        rows.push(Row::new(words.outcome, record.outcome.as_deref().unwrap_or(none)));
        if record.ground.is_some() || record.state == State::Denied {
            rows.push(Row::new(words.ground, record.ground.as_deref().unwrap_or_default()));
        }
        rows
    }

    fn timeline(&self) -> Section {
        let words = self.words;
        let entries = self.record.timeline.iter();
        let rows = entries
            .map(|entry| vec![self.time(entry.at), entry.who.clone(), entry.what.clone(), entry.why.clone()])
            .collect();
        let columns = vec![
            Column::words(words.when),
            Column::words(words.who),
            Column::words(words.what),
            Column::below(words.why, 1),
        ];
        table(words.timeline, columns, rows, words.no_timeline)
    }

    fn notes(&self) -> Section {
        let words = self.words;
        let notes = self.record.notes.iter();
        let rows = notes.map(|note| vec![self.time(note.at), note.who.clone(), note.text.clone()]).collect();
        let columns = vec![Column::words(words.when), Column::words(words.who), Column::below(words.note, 1)];
        table(words.notes, columns, rows, words.no_notes)
    }

    fn messages(&self) -> Section {
        let words = self.words;
        let messages = self.record.messages.iter();
        let rows = messages.map(|it| vec![self.time(it.at), it.who.clone(), it.text.clone()]).collect();
        let columns = vec![Column::words(words.when), Column::words(words.who), Column::below(words.message, 1)];
        table(words.messages, columns, rows, "")
    }

    fn attachments(&self) -> Section {
        let words = self.words;
        let files = self.record.attachments.iter();
        let rows = files
            .map(|file| {
                vec![
                    file.name.clone(),
                    file.content_type.clone(),
                    words::grouped(file.size),
                    words::hexadecimal(&file.sha256),
                ]
            })
            .collect();
        let columns = vec![
            Column::words(words.file),
            Column::words(words.content_type),
            Column::numbers(words.size),
            Column::below("SHA-256", 0),
        ];
        table(words.attachments, columns, rows, words.no_attachments)
    }

    fn about(&self) -> Section {
        let (words, record) = (self.words, self.record);
        let rows =
            vec![Row::new(words.made, self.time(record.made_at)), Row::new(words.made_by, record.made_by.clone())];
        Section { heading: words.about.into(), blocks: vec![Block::Rows(rows), Block::Paragraph(words.keep.into())] }
    }

    fn time(&self, at: Timestamp) -> String {
        self.words.time(at, &self.record.time_zone)
    }
}

impl Row {
    /// The row with something more to know after its aside.
    fn aside_after(mut self, more: &str) -> Self {
        self.aside = Some(self.aside.map_or_else(|| more.to_owned(), |aside| format!("{aside}. {more}")));
        self
    }
}

/// A section with a table, or with a sentence that says that there is nothing.
fn table(heading: &str, columns: Vec<Column>, rows: Vec<Vec<String>>, nothing: &str) -> Section {
    let block = if rows.is_empty() {
        Block::Paragraph(nothing.to_owned())
    } else {
        Block::Table(Table { columns, rows, totals: None })
    };
    Section { heading: heading.to_owned(), blocks: vec![block] }
}
