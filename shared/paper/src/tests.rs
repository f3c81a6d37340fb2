//! Documents are read again as a reader's program reads them.

use domain::clock;
use domain::jurisdiction::Jurisdiction;
use domain::language::Language;
use domain::reference::Reference;
use domain::request::{Channel, Kind, State};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::font::Fonts;
use crate::layout::{self, Ink, Item, Layout, Role};
use crate::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn record(language: Language) -> Record {
    let zone = TimeZone::get("America/Los_Angeles").unwrap();
    let received_at = at("2026-06-01T17:32:05Z");
    let clocks = clock::clocks(&[Jurisdiction::UsCa], Kind::Correct, received_at, &zone).unwrap();
    let clocks = clock::extend(&clocks, jiff::civil::date(2026, 7, 10), "records are in two archives").unwrap();
    let (who, words): ([&str; 3], [&str; 12]) = match language {
        Language::English => (
            ["The person who asked", "Optline", "Dana Whitfield"],
            [
                "My street is 1840 Alder Court, not Elder Court, and my last name is spelled with an Ř.",
                "California",
                "Denied in part: the address was corrected; the record of the purchase in 2019 stays as it is",
                "The information is accurate on the totality of the circumstances, 11 CCR 7023(b)",
                "Received",
                "Submitted on the call, read back and confirmed by the caller. Receipt was confirmed orally on the call.",
                "Identity verification begun",
                "The request is to correct; two data points are asked for, 11 CCR 7062(b).",
                "Extended",
                "The purchase records are in two archives, one of which has to be restored first. The person was told.",
                "Denied",
                "The person sent no document, and the receipt of 2019 shows what the record shows. See attachment 2.",
            ],
        ),
        Language::Spanish => (
            ["La persona solicitante", "Optline", "Dana Whitfield"],
            [
                "Mi calle es 1840 Alder Court, no Elder Court, y mi apellido se escribe con Ř.",
                "California",
                "Denegada en parte: se corrigió la dirección; la compra de 2019 queda como está",
                "La información es exacta según el conjunto de las circunstancias, 11 CCR 7023(b)",
                "Recibida",
                "Enviada en la llamada, leída y confirmada por quien llamó. La recepción se confirmó de viva voz.",
                "Comienza la verificación de identidad",
                "La solicitud es de corrección; se piden dos datos, 11 CCR 7062(b).",
                "Prórroga",
                "Los registros de compra están en dos archivos y uno de ellos debe restaurarse. Se avisó a la persona.",
                "Denegada",
                "La persona no envió ningún documento y el recibo de 2019 muestra lo mismo. Véase el adjunto 2.",
            ],
        ),
    };
    let entry = |time: &str, who: &str, what: &str, why: &str| Entry {
        at: at(time),
        who: who.into(),
        what: what.into(),
        why: why.into(),
    };
    Record {
        business: "Cedar & Pine Outfitters, Inc.".into(),
        time_zone: zone,
        reference: Reference::from_entropy(48_392_011_735),
        kind: Kind::Correct,
        state: State::Denied,
        channel: Channel::Phone,
        service_code: Some("407, Main store".into()),
        received_at,
        clocks,
        confirmed_at: Some(received_at),
        answered_on: Some(jiff::civil::date(2026, 8, 3)),
        asked_by: None,
        person: Person {
            name: Some("Zdeňka Dvořáková".into()),
            phone: Some("+1 202 555 0123".into()),
            email: Some("zdenka.dvorakova@mail.example".into()),
        },
        details: Some(words[0].into()),
        residence: Some(words[1].into()),
        outcome: Some(words[2].into()),
        ground: Some(words[3].into()),
        timeline: vec![
            entry("2026-06-01T17:32:05Z", who[0], words[4], words[5]),
            entry("2026-06-03T22:10:41Z", who[2], words[6], words[7]),
            entry("2026-07-10T16:00:00Z", who[2], words[8], words[9]),
            entry("2026-08-03T20:45:12Z", who[2], words[10], words[11]),
        ],
        notes: vec![Note { at: at("2026-06-04T18:00:00Z"), who: who[2].into(), text: words[9].into() }],
        messages: vec![],
        attachments: vec![
            Attachment {
                name: "answer-2026-08-03.pdf".into(),
                content_type: "application/pdf".into(),
                size: 186_624,
                sha256: [0x3f; 32],
            },
            Attachment {
                name: "receipt 2019 scan.jpg".into(),
                content_type: "image/jpeg".into(),
                size: 2_204_118,
                sha256: [0xa7; 32],
            },
        ],
        made_at: at("2026-08-04T16:20:00Z"),
        made_by: "Dana Whitfield".into(),
    }
}

fn document(sections: Vec<Section>) -> Document {
    Document {
        title: "A title".into(),
        author: "A business".into(),
        language: Language::English,
        footer: "A footer".into(),
        created: at("2026-08-04T16:20:00Z"),
        facts: Vec::new(),
        sections,
    }
}

fn section(heading: &str, block: Block) -> Section {
    Section { heading: heading.into(), blocks: vec![block] }
}

/// A month's usage, as a table of numbers with sums.
fn statement(days: i8) -> Document {
    let rows: Vec<Vec<String>> = (1..=days)
        .map(|day| {
            let calls = u64::try_from(day).unwrap() * 37 % 1_201;
            let cents = calls * 66;
            let amount = format!("${}.{:02}", words::grouped(cents / 100), cents % 100);
            vec![format!("June {day}, 2026"), words::grouped(calls), words::grouped(calls * 3), amount]
        })
        .collect();
    let table = Table {
        columns: vec![
            Column::words("Day"),
            Column::numbers("Calls"),
            Column::numbers("Minutes"),
            Column::numbers("Amount"),
        ],
        rows,
        totals: Some(["Total", "17,205", "51,615", "$11,355.30"].map(String::from).to_vec()),
    };
    Document {
        title: "Usage in June 2026".into(),
        facts: vec![
            Row::new("Calls", "17,205"),
            Row::new("Minutes", "51,615"),
            Row::new("Amount", "$11,355.30"),
            Row::new("Invoice", "2026-06-0042"),
        ],
        ..document(vec![section("By day", Block::Table(table))])
    }
}

fn read(pdf: &[u8]) -> lopdf::Document {
    lopdf::Document::load_mem(pdf).unwrap()
}

fn pages(pdf: &[u8]) -> usize {
    read(pdf).get_pages().len()
}

/// The text of all pages without blanks: a reader's program guesses those from distances.
fn text(pdf: &[u8]) -> String {
    let pdf = read(pdf);
    let pages: Vec<u32> = pdf.get_pages().keys().copied().collect();
    without_blanks(&pdf.extract_text(&pages).unwrap())
}

fn without_blanks(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).collect()
}

/// Everything that a document says, in order.
fn said(document: &Document) -> Vec<String> {
    let row = |row: &Row| [Some(row.label.clone()), Some(row.value.clone()), row.aside.clone()].into_iter().flatten();
    let mut said = vec![document.author.clone(), document.title.clone()];
    for facts in document.facts.chunks(3) {
        said.extend(facts.iter().map(|fact| fact.label.clone()));
        said.extend(facts.iter().map(|fact| fact.value.clone()));
    }
    for section in &document.sections {
        said.push(section.heading.clone());
        for block in &section.blocks {
            match block {
                Block::Paragraph(text) => said.push(text.clone()),
                Block::Rows(rows) => said.extend(rows.iter().flat_map(row)),
                Block::Table(table) => {
                    said.extend(table.columns.iter().map(|column| column.heading.clone()));
                    said.extend(table.rows.iter().chain(&table.totals).flatten().cloned());
                }
            }
        }
    }
    said
}

/// The structure of a file: each element with its depth, and how many elements hold content.
fn structure(pdf: &[u8]) -> Vec<(usize, String)> {
    fn walk(pdf: &lopdf::Document, object: &lopdf::Object, depth: usize, found: &mut Vec<(usize, String)>) {
        match object {
            lopdf::Object::Reference(id) => walk(pdf, pdf.get_object(*id).unwrap(), depth, found),
            lopdf::Object::Array(children) => children.iter().for_each(|child| walk(pdf, child, depth, found)),
            lopdf::Object::Dictionary(element) => {
                if let Ok(name) = element.get(b"S").and_then(lopdf::Object::as_name) {
                    found.push((depth, String::from_utf8(name.to_vec()).unwrap()));
                }
                if let Ok(children) = element.get(b"K") {
                    walk(pdf, children, depth + 1, found);
                }
            }
            _ => {}
        }
    }
    let pdf = read(pdf);
    let root = pdf.catalog().unwrap().get(b"StructTreeRoot").unwrap();
    let mut found = Vec::new();
    walk(&pdf, root, 0, &mut found);
    found
}

/// Lays a document out, and holds every page to its margins.
#[track_caller]
fn laid_out(document: &Document) -> Layout {
    let fonts = Fonts::load().unwrap();
    let layout = Layout::of(document, &fonts).unwrap();
    for (number, page) in layout.pages.iter().enumerate() {
        for item in page {
            assert!(item.y > 0.0 && item.y < layout::FOOT, "page {number}: {}", item.y);
            if let Ink::Text { line, style, .. } = &item.ink {
                assert!(item.x >= layout::LEFT - 0.01, "page {number}: {}", item.x);
                assert!(item.x + line.width(style.size) <= layout::RIGHT + 0.01, "page {number}: {line:?}");
            }
        }
    }
    layout
}

/// What the last text of every page is.
fn last_on_pages(layout: &Layout) -> Vec<&Role> {
    let last = |page: &Vec<Item>| {
        let mut text = page.iter().filter_map(|item| match item.ink {
            Ink::Text { node, .. } => Some(node),
            Ink::Rule { .. } => None,
        });
        text.next_back().expect("a page has text").expect("a page does not end with a repeated header")
    };
    layout.pages.iter().map(|page| &layout.nodes[last(page)].role).collect()
}

#[test]
fn everything_a_record_says_can_be_read_again() {
    for language in Language::ALL {
        let document = record(language).document(language);
        let pdf = document.render().unwrap();
        let text = text(&pdf);
        let mut from = 0;
        for said in said(&document) {
            let said = without_blanks(&said);
            let found = text[from..].find(&said).unwrap_or_else(|| panic!("{said} is not in {}", &text[from..]));
            // In the order in which it was said: whoever listens hears it so.
            from += found;
        }
        assert!(text.contains("1/3") && text.contains("3/3"), "{text}");
    }
}

#[test]
fn a_file_says_what_it_is_in_its_language_and_conforms_to_the_standards_for_archives_and_for_listeners() {
    for (language, tag) in [(Language::English, "en-US"), (Language::Spanish, "es-US")] {
        let bytes = record(language).render(language).unwrap();
        let pdf = read(&bytes);
        let catalog = pdf.catalog().unwrap();
        assert_eq!(catalog.get(b"Lang").unwrap().as_str().unwrap(), tag.as_bytes());
        let metadata = catalog.get(b"Metadata").unwrap().as_reference().unwrap();
        let metadata = pdf.get_object(metadata).unwrap().as_stream().unwrap();
        let metadata = metadata.get_plain_content().unwrap_or_else(|_| metadata.content.clone());
        let metadata = String::from_utf8(metadata).unwrap();
        for part in ["pdfaid:part", "pdfaid:conformance", "pdfuaid:part", "4839 2011 7351"] {
            assert!(metadata.contains(part), "{metadata}");
        }
        let outline = pdf.get_toc().unwrap();
        assert_eq!(outline.toc.len(), 9);
    }
}

#[test]
fn headings_and_tables_are_what_they_are_for_whoever_listens() {
    let structure = structure(&statement(2).render().unwrap());
    let names: Vec<String> =
        structure.iter().map(|(depth, name)| format!("{}{name}", "  ".repeat(depth - 1))).collect();
    let row = |cell: &str, cells: usize| format!("TR {}", [cell].repeat(cells).join(" "));
    let flat = names.iter().map(|name| name.trim()).collect::<Vec<_>>().join(" ");
    assert_eq!(
        flat,
        [
            "Document P H1".to_owned(),
            format!("Table {} {}", row("TH", 3), row("TD", 3)),
            format!("Table {} {}", row("TH", 1), row("TD", 1)),
            format!("Sect H2 Table THead {}", row("TH", 4)),
            format!("TBody {} {}", row("TD", 4), row("TD", 4)),
            format!("TFoot {}", row("TD", 4)),
        ]
        .join(" "),
    );
}

#[test]
fn a_repeated_header_is_drawn_on_every_page_and_read_once() {
    let mut document = statement(28);
    if let Block::Table(table) = &mut document.sections[0].blocks[0] {
        table.rows = std::iter::repeat_n(table.rows.clone(), 10).flatten().collect();
    }
    let layout = laid_out(&document);
    assert!(layout.pages.len() > 5);
    last_on_pages(&layout);
    for page in layout.pages.iter().skip(1) {
        let repeated = page.iter().filter(|item| matches!(item.ink, Ink::Text { node: None, .. }));
        assert_eq!(repeated.count(), 4);
    }
    let structure = structure(&document.render().unwrap());
    assert_eq!(structure.iter().filter(|(_, name)| name == "THead").count(), 1);
}

#[test]
fn numbers_stand_flush_right_in_their_column() {
    let layout = laid_out(&statement(28));
    let mut edges: Vec<f32> = Vec::new();
    for item in layout.pages.iter().flatten() {
        if let Ink::Text { line, style, node: Some(node) } = &item.ink
            && layout.nodes[*node].role == Role::Cell
            && line.text().starts_with('$')
            && style.size < 10.0
        {
            edges.push(item.x + line.width(style.size));
        }
    }
    assert_eq!(edges.len(), 29);
    assert!(edges.iter().all(|edge| (edge - layout::RIGHT).abs() < 0.01), "{edges:?}");
}

#[test]
fn no_page_ends_with_a_heading_wherever_the_page_ends() {
    for filler in 1..30 {
        let blocks = [
            Block::Paragraph("word ".repeat(120)),
            Block::Rows(vec![Row::new("Label", "value ".repeat(30)).aside("aside"); 3]),
            Block::Table(Table {
                columns: vec![Column::words("One"), Column::numbers("Two"), Column::below("Three", 0)],
                rows: vec![vec!["a".into(), "1".into(), "word ".repeat(50)]; 3],
                totals: None,
            }),
        ];
        for block in blocks {
            let before = Block::Rows(vec![Row::new("Label", "value"); filler]);
            let layout = laid_out(&document(vec![
                section("Before", before),
                section("After", block.clone()),
                section("Last", block),
            ]));
            for role in last_on_pages(&layout) {
                assert!(!matches!(role, Role::Heading { .. } | Role::ColumnHeader), "{filler}: {role:?}");
            }
        }
    }
}

#[test]
fn a_row_higher_than_a_page_goes_on_over_as_many_as_it_takes() {
    let text = "A sentence that goes on. ".repeat(1_000);
    let columns = vec![Column::words("Time"), Column::below("Note", 0)];
    let rows = vec![vec!["now".into(), text.clone()]];
    let document = document(vec![
        section("Table", Block::Table(Table { columns, rows, totals: None })),
        section("Rows", Block::Rows(vec![Row::new("Label", text)])),
    ]);
    assert!(laid_out(&document).pages.len() > 8);
    document.render().unwrap();
}

#[test]
fn long_words_stay_within_the_margins() {
    let url = format!("https://example.com/{}?token={}", "privacy/".repeat(40), "0123456789abcdef".repeat(40));
    let word = "W".repeat(1_000);
    let row = vec![url.clone(), word.clone(), url.clone()];
    let columns = vec![Column::words(&word), Column::numbers(&url), Column::below("Below", 1)];
    let document = Document {
        title: word.clone(),
        author: url.clone(),
        footer: word.clone(),
        facts: vec![Row::new(&url, &word), Row::new(&word, &url)],
        ..document(vec![
            section(&word, Block::Paragraph(url.clone())),
            section(&url, Block::Rows(vec![Row::new(&word, &url).aside(&word)])),
            section("Table", Block::Table(Table { columns, rows: vec![row.clone()], totals: Some(row) })),
        ])
    };
    laid_out(&document);
    assert!(text(&document.render().unwrap()).contains(&word));
}

#[test]
fn many_columns_and_missing_cells_still_make_a_page() {
    let columns = (0..40).map(|column| Column::numbers(column.to_string())).collect();
    let rows = vec![vec![], vec!["1".into(); 60]];
    let document = document(vec![
        section("Wide", Block::Table(Table { columns, rows, totals: None })),
        section("None", Block::Table(Table::default())),
        section("Nothing", Block::Rows(Vec::new())),
        section("", Block::Paragraph(String::new())),
        Section { heading: "Empty".into(), blocks: Vec::new() },
    ]);
    document.render().unwrap();
}

#[test]
fn no_character_keeps_a_record_from_being_made() {
    let fonts = Fonts::load().unwrap();
    let known: String = ('\0'..=char::MAX).filter(|character| fonts.has(*character)).collect();
    let marked: String = known.chars().flat_map(|character| [character, '\u{301}', '\u{323}']).collect();
    let others: String = ('\0'..=char::MAX).step_by(211).collect();
    let document = Document {
        title: known.clone(),
        author: others.clone(),
        footer: others.clone(),
        ..document(vec![
            section(&marked, Block::Paragraph(marked.clone())),
            section("\u{202E}\u{301}", Block::Rows(vec![Row::new(&known, &others)])),
        ])
    };
    laid_out(&document);
    let text = text(&document.render().unwrap());
    assert!(!text.contains('\u{202E}') && !text.contains('\u{FFFE}'));
}

#[test]
fn names_from_anywhere_are_kept_and_what_has_no_glyph_is_shown() {
    let mut record = record(Language::English);
    for (name, shown) in [
        ("Nguyễn Thị Ánh", "Nguyễn Thị Ánh"),
        ("Юлія Ґонта", "Юлія Ґонта"),
        ("Ἀθηνᾶ Παπαδοπούλου", "Ἀθηνᾶ Παπαδοπούλου"),
        ("Þórdís Ægisdóttir", "Þórdís Ægisdóttir"),
        ("fi fl ffi", "fi fl ffi"),
        ("王芳 Wang", "[U+738B U+82B3] Wang"),
        ("\u{202E}evil\u{202C}\0", "evil"),
    ] {
        record.person.name = Some(name.into());
        let text = text(&record.render(Language::English).unwrap());
        assert!(text.contains(&format!("Name{}Telephone", without_blanks(shown))), "{name}: {text}");
    }
}

#[test]
fn the_same_record_gives_the_same_file() {
    let mut record = record(Language::Spanish);
    let first = record.render(Language::Spanish).unwrap();
    assert!(first == record.render(Language::Spanish).unwrap());
    assert!(first.len() < 64_000, "{}", first.len());
    record.made_at = at("2026-08-04T16:20:01Z");
    assert!(first != record.render(Language::Spanish).unwrap());
}

#[test]
fn a_thousand_events_and_a_long_note_are_made_in_good_time() {
    let mut record = record(Language::English);
    record.timeline = std::iter::repeat_n(record.timeline.clone(), 250).flatten().collect();
    record.notes[0].text = "A line of a note, which goes on for a while. ".repeat(2_300);
    let pdf = record.render(Language::English).unwrap();
    assert!(pages(&pdf) > 60 && pages(&pdf) < 150, "{}", pages(&pdf));
    assert!(pdf.len() < 2_000_000, "{}", pdf.len());
}

#[test]
fn what_is_too_much_is_refused() {
    let mut record = record(Language::English);
    record.details = Some("a ".repeat(document::MAX_TEXT / 2 + 1));
    assert_eq!(record.render(Language::English), Err(Error::TooMuchText));
    record.details = Some("中".repeat(document::MAX_TEXT / 6));
    assert_eq!(record.render(Language::English), Err(Error::TooMuchText));
    let many = document(vec![section("Many", Block::Rows(vec![Row::default(); 30_000]))]);
    assert_eq!(many.render(), Err(Error::TooManyPages));
}
