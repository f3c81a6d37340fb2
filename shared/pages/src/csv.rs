//! Rows for a spreadsheet, none of which it takes for a formula.
//!
//! RFC 4180, with the guard that OWASP describes under "CSV injection": a cell that would begin a formula gets an
//! apostrophe in front. Written row by row to any [`io::Write`], so that a long export needs no memory of its own.

use std::borrow::Cow;
use std::io;

/// Writes rows.
pub struct Writer<W: io::Write> {
    rows: ::csv::Writer<W>,
}

impl<W: io::Write> Writer<W> {
    /// Begins a file without a byte order mark.
    pub fn new(to: W) -> Self {
        Self { rows: ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).flexible(true).from_writer(to) }
    }

    /// Begins a file with a byte order mark, without which Excel does not read UTF-8.
    pub fn for_spreadsheets(mut to: W) -> io::Result<Self> {
        to.write_all("\u{feff}".as_bytes())?;
        Ok(Self::new(to))
    }

    /// Writes a row; every cell is guarded.
    pub fn row<I, C>(&mut self, cells: I) -> io::Result<()>
    where
        I: IntoIterator<Item = C>,
        C: AsRef<str>,
    {
        for cell in cells {
            self.rows.write_field(guarded(cell.as_ref()).as_bytes()).map_err(io::Error::other)?;
        }
        self.rows.write_record(None::<&[u8]>).map_err(io::Error::other)
    }

    /// Passes on what is still held back.
    pub fn flush(&mut self) -> io::Result<()> {
        self.rows.flush()
    }

    /// Ends the file and gives back what it was written to.
    pub fn finish(self) -> io::Result<W> {
        self.rows.into_inner().map_err(|error| io::Error::other(error.to_string()))
    }
}

/// The cell as it may be written: with an apostrophe in front if a spreadsheet could take it for a formula.
///
/// A negative number is a number and stays one. A telephone number begins with + and does not: it is text.
#[must_use]
pub fn guarded(cell: &str) -> Cow<'_, str> {
    let begins_formula = cell.starts_with([
        '=', '+', '-', '@', '\t', '\r', '\n', // and the full-width forms, which some spreadsheets read alike
        '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
        // and the byte order mark, which is passed over at the start of a file
        '\u{feff}',
    ]);
    if begins_formula && !is_negative_number(cell) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

fn is_negative_number(cell: &str) -> bool {
    let Some(number) = cell.strip_prefix('-') else { return false };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(rows: &[Vec<String>]) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        for row in rows {
            writer.row(row).unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn formulas_are_disarmed_and_numbers_stay_numbers() {
        for formula in ["=1+1", "+12025550123", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "--1", "-", "-1.", "＝1"] {
            assert_eq!(guarded(formula), format!("'{formula}"));
        }
        for harmless in ["", "-5", "-12.50", "3", "O'Brien", "a=b", "2027-01-05"] {
            assert_eq!(guarded(harmless), harmless);
        }
    }

    #[test]
    fn rows_end_in_crlf_and_quotes_are_doubled() {
        let rows = [vec!["a".to_owned(), "say \"hi\", twice".to_owned()], vec![String::new()]];
        assert_eq!(String::from_utf8(written(&rows)).unwrap(), "a,\"say \"\"hi\"\", twice\"\r\n\"\"\r\n");
    }

    #[test]
    fn a_file_for_spreadsheets_says_that_it_is_utf_8() {
        let mut writer = Writer::for_spreadsheets(Vec::new()).unwrap();
        writer.row(["ñ"]).unwrap();
        assert_eq!(writer.finish().unwrap(), "\u{feff}ñ\r\n".as_bytes());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_is_no_formula(
            rows in prop::collection::vec(prop::collection::vec("[-=+@\t\r\n\",'a-c0-2. \u{ff1d}]{0,8}|.{0,12}", 1..5), 1..6)
        ) {
            let file = written(&rows);
            let mut reader = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file.as_slice());
            let read: Vec<Vec<String>> =
                reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
            let guarded: Vec<Vec<String>> =
                rows.iter().map(|row| row.iter().map(|cell| super::guarded(cell).into_owned()).collect()).collect();
            prop_assert_eq!(&read, &guarded);
            for cell in read.iter().flatten() {
                prop_assert!(!cell.starts_with(['=', '+', '@', '\t', '\r', '\n']), "{:?}", cell);
                prop_assert!(!cell.starts_with('-') || cell.parse::<f64>().is_ok(), "{:?}", cell);
            }
        }
    }
}
