//! What a document is made of.

use domain::language::Language;
use jiff::Timestamp;

use crate::font::Fonts;
use crate::layout::Layout;
use crate::pdf;

/// The most text that a document may hold, in bytes of UTF-8 and as it is shown (`U+4E2D` for a character that the
/// fonts lack).
pub const MAX_TEXT: usize = 2 * 1024 * 1024;

/// The most pages that a document may have.
pub const MAX_PAGES: usize = 1_000;

/// A document on US Letter.
///
/// Any text may hold anything: control characters are left out, line breaks are kept, and a character that the fonts
/// lack is shown by its code point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its title, which stands on the first page and in a reader's window.
    pub title: String,
    /// Whose document it is; stands above the title.
    pub author: String,
    /// What it is written in.
    pub language: Language,
    /// What stands at the foot of every page, beside the page number.
    pub footer: String,
    /// When it was made.
    pub created: Timestamp,
    /// What a reader looks for first, set large below the title; three on a line.
    pub facts: Vec<Row>,
    /// Everything else, in order.
    pub sections: Vec<Section>,
}

/// A part of a document under a heading, which a reader can jump to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its heading.
    pub heading: String,
    /// What it says, in order.
    pub blocks: Vec<Block>,
}

/// One thing that a section says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// Running text.
    Paragraph(String),
    /// Labels with their values.
    Rows(Vec<Row>),
    /// A table.
    Table(Table),
}

/// A label and its value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// What it is.
    pub label: String,
    /// Its value; a dash is shown where there is none.
    pub value: String,
    /// Where the value comes from, or what else to know of it; small, below the value.
    pub aside: Option<String>,
}

impl Row {
    /// A label and its value.
    #[must_use]
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into(), aside: None }
    }

    /// The row with an aside.
    #[must_use]
    pub fn aside(mut self, aside: impl Into<String>) -> Self {
        self.aside = Some(aside.into());
        self
    }
}

/// A table, whose header is repeated on every page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// Its columns. Widths follow from what they hold.
    pub columns: Vec<Column>,
    /// Its rows, a cell for each column; a cell that is missing or empty shows a dash, one too many is left out.
    pub rows: Vec<Vec<String>>,
    /// The sums below it, if it has any.
    pub totals: Option<Vec<String>>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub heading: String,
    pub(crate) place: Place,
}

/// Where a column's cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Beside the others, flush left.
    Start,
    /// Beside the others, flush right.
    End,
    /// On lines of their own below the row, from the left edge of the column with this index.
    Below(usize),
}

impl Column {
    /// A column of words.
    #[must_use]
    pub fn words(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), place: Place::Start }
    }

    /// A column of numbers, flush right.
    #[must_use]
    pub fn numbers(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), place: Place::End }
    }

    /// A column too wide to stand beside the others: its cells stand below the row, from the left edge of the column
    /// with this index to the right margin.
    #[must_use]
    pub fn below(heading: impl Into<String>, column: usize) -> Self {
        Self { heading: heading.into(), place: Place::Below(column) }
    }
}

/// Why there is no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It has more text than [`MAX_TEXT`].
    #[error("the document has more than {MAX_TEXT} bytes of text; leave some out, or make several")]
    TooMuchText,
    /// It has more pages than [`MAX_PAGES`].
    #[error("the document has more than {MAX_PAGES} pages; leave some out, or make several")]
    TooManyPages,
    /// The vendored fonts cannot be read. Tests read them, so this means a broken build.
    #[error("the fonts cannot be read")]
    Fonts,
    /// The file cannot be written, or would not conform to PDF/A-2a or PDF/UA-1. Tests hold that no text does this.
    #[error("the PDF cannot be written: {0}")]
    Pdf(String),
}

impl Document {
    /// Writes the document as a PDF.
    pub fn render(&self) -> Result<Vec<u8>, Error> {
        let fonts = Fonts::load()?;
        let layout = Layout::of(self, &fonts)?;
        pdf::write(self, &fonts, &layout)
    }

    /// The language with its country: documents are for the United States.
    pub(crate) const fn language_tag(&self) -> &'static str {
        match self.language {
            Language::English => "en-US",
            Language::Spanish => "es-US",
        }
    }
}
