//! Documents on paper: plain values in, a PDF out.
//!
//! | read | module | what it says |
//! |---|---|---|
//! | 1 | [`record`] | the record of one privacy request, for a business's counsel or a regulator |
//! | 2 | [`document`] | what any document is made of: headings, facts, rows, paragraphs, tables |
//! | – | `words` | the fixed words of a record, in every language |
//! | – | `text` | what may stand on paper: no control characters, and nothing that would vanish |
//! | – | `font` | the two fonts, shaping, and where a line breaks |
//! | – | `layout` | where everything stands, page by page |
//! | – | `pdf` | the pages as a file |
//!
//! A document conforms to PDF/A-2a, for keeping, and to PDF/UA-1, for readers who listen: it has a title, a language, an
//! outline, headings, and tables whose cells know their headers. The same input gives the same bytes: the time of making
//! is passed in.

pub mod document;
mod font;
mod layout;
mod pdf;
pub mod record;
mod text;
mod words;

pub use document::{Block, Column, Document, Error, Row, Section, Table};
pub use record::{Attachment, Entry, Note, Person, Record};

#[cfg(test)]
mod tests;
