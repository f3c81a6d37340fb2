//! `verify-audit`: says whether an exported audit trail is whole. Needs the files and nothing else: no account, no network.
//!
//! ```text
//! verify-audit [--head HASH] [FILE…]     the parts of one export in their order, gzipped or not; `-` is standard input
//! ```
//!
//! It ends with 0 where nothing was changed, removed or reordered, 1 where something was, and says which entry, and 2
//! where it could not look. `--head` is a hash that was written down elsewhere, when the trail ended there: it must be in the
//! trail still, and then nothing up to it was replaced or cut off either.
//!
//! Whoever would rather not trust this program writes their own. Each line of an export is `{"seq", "previous", "entry",
//! "hash"}`, and the hash is SHA-256 over the hash before, a line break and the entry; before the first are 64 zeros.
//! A file's last line is the `{"seq", "hash"}` at which it ends. In Python:
//!
//! ```python
//! import gzip, hashlib, json, sys
//!
//! seq, previous = 0, "0" * 64
//! for name in sys.argv[1:]:
//!     for line in gzip.open(name, "rt", encoding="utf-8"):
//!         link = json.loads(line)
//!         if "entry" not in link:
//!             assert (link["seq"], link["hash"]) == (seq, previous), f"the file does not end at entry {seq}"
//!             continue
//!         assert link["seq"] == seq + 1, f"entry {seq + 1} is missing, or out of order"
//!         assert link["previous"] == previous, f"entry {link['seq']} does not follow from the one before"
//!         text = previous + "\n" + link["entry"]
//!         assert hashlib.sha256(text.encode()).hexdigest() == link["hash"], f"entry {link['seq']} was changed"
//!         seq, previous = link["seq"], link["hash"]
//! print(seq, "entries, whole; the last hash is", previous)
//! ```

use std::env;
use std::error::Error;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::ExitCode;

use domain::audit::{Broken, Link, Verifier};
use flate2::read::MultiGzDecoder;

const USAGE: &str = "verify-audit [--head HASH] [FILE…]";

fn main() -> ExitCode {
    let said = match Options::read(env::args().skip(1)).and_then(|options| check(&options)) {
        Ok(Ok(found)) => (format!("{found}\n"), 0),
        Ok(Err(broken)) => (format!("BROKEN: {broken}.\n"), 1),
        Err(failed) => (format!("verify-audit: {failed}\n"), 2),
    };
    let (text, code) = said;
    // Where nobody reads, the code still tells.
    let _ = if code == 2 { io::stderr().write_all(text.as_bytes()) } else { io::stdout().write_all(text.as_bytes()) };
    ExitCode::from(code)
}

type Failed = Box<dyn Error>;

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    head: Option<String>,
    files: Vec<String>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failed> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--head" => options.head = Some(arguments.next().ok_or("--head needs a hash")?.to_lowercase()),
                "--help" | "-h" => return Err(USAGE.into()),
                unknown if unknown.starts_with("--") => return Err(format!("{unknown}? {USAGE}").into()),
                _ => options.files.push(argument),
            }
        }
        if options.files.is_empty() {
            options.files.push("-".to_owned());
        }
        Ok(options)
    }
}

fn check(options: &Options) -> Result<Result<String, String>, Failed> {
    let mut trail = Trail { head: options.head.clone(), ..Trail::default() };
    for name in &options.files {
        let file: Box<dyn Read> = match name.as_str() {
            "-" => Box::new(io::stdin()),
            name => Box::new(File::open(name).map_err(|why| format!("{name} cannot be read: {why}"))?),
        };
        if let Err(broken) = trail.add(plain(file)?).map_err(|why| format!("{name}: {why}"))? {
            return Ok(Err(broken.to_string()));
        }
    }
    Ok(trail.end())
}

/// What is in a file, whether it is gzipped or not.
fn plain(file: impl Read + 'static) -> io::Result<Box<dyn BufRead>> {
    let mut file = BufReader::new(file);
    let gzipped = file.fill_buf()?.starts_with(&[0x1F, 0x8B]);
    Ok(if gzipped { Box::new(BufReader::new(MultiGzDecoder::new(file))) } else { Box::new(file) })
}

/// The trail as far as it was read.
#[derive(Default)]
struct Trail {
    verifier: Verifier,
    first: Option<(u64, String)>,
    last: Option<String>,
    /// A hash that must come by.
    head: Option<String>,
}

impl Trail {
    fn add(&mut self, file: impl BufRead) -> Result<Result<(), Broken>, Failed> {
        for (number, line) in (1..).zip(file.lines()) {
            let line = line?;
            if line.trim().is_empty() {
                continue;
            }
            let value: serde_json::Value =
                serde_json::from_str(&line).map_err(|why| format!("line {number} is not JSON: {why}"))?;
            let checked = if value.get("entry").is_some() {
                let entry: Link = serde_json::from_value(value).map_err(|why| format!("line {number}: {why}"))?;
                self.next(&entry)
            } else {
                let of = |name: &str| value.get(name).ok_or_else(|| format!("line {number} has no {name}"));
                let seq = of("seq")?.as_u64().ok_or_else(|| format!("line {number}: seq is not a number"))?;
                self.verifier.ends_at(seq, of("hash")?.as_str().unwrap_or_default())
            };
            if checked.is_err() {
                return Ok(checked);
            }
        }
        Ok(Ok(()))
    }

    fn next(&mut self, link: &Link) -> Result<(), Broken> {
        // An export of some months begins in the middle: from there on it can be checked.
        if self.first.is_none() && link.seq > 1 {
            self.verifier = Verifier::behind(link.seq - 1, &link.previous);
        }
        self.verifier.next(link)?;
        let at = time(&link.entry);
        self.first.get_or_insert_with(|| (link.seq, at.clone()));
        self.last = Some(at);
        self.head.take_if(|head| *head == link.hash);
        Ok(())
    }

    fn end(&self) -> Result<String, String> {
        let (checked, seq, hash) = self.verifier.state();
        if let Some(head) = &self.head {
            return Err(format!("no entry has the hash {head}: the trail was replaced, or cut off before it"));
        }
        let (first, from) = self.first.clone().unwrap_or_default();
        let to = self.last.clone().unwrap_or_default();
        let begins = if first > 1 {
            format!(" What came before entry {first} is not in it and was not checked.")
        } else {
            String::new()
        };
        Ok(match checked {
            0 => "OK: no entries.".to_owned(),
            _ => format!(
                "OK: {checked} entries, {first} to {seq}, from {from} to {to}.{begins} The last hash is {hash}."
            ),
        })
    }
}

/// When an entry was written, as it says itself.
fn time(entry: &str) -> String {
    let entry: serde_json::Value = serde_json::from_str(entry).unwrap_or_default();
    entry.get("at").and_then(|at| at.as_str()).unwrap_or("?").to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use domain::audit::BEGINNING;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn lines(n: u64) -> Vec<String> {
        let mut previous = BEGINNING.to_owned();
        let mut lines: Vec<String> = (0..n)
            .map(|seq| {
                let link = Link::after(seq, &previous, format!(r#"{{"at":"2026-11-{:02}T00:00:00Z"}}"#, seq + 1));
                previous.clone_from(&link.hash);
                serde_json::to_string(&link).unwrap()
            })
            .collect();
        lines.push(format!(r#"{{"seq":{n},"hash":"{previous}"}}"#));
        lines
    }

    fn verdict(lines: &[String], head: Option<&str>) -> Result<String, String> {
        let mut trail = Trail { head: head.map(str::to_owned), ..Trail::default() };
        let broken = trail.add(Cursor::new(lines.join("\n"))).unwrap();
        broken.map_err(|broken| broken.to_string()).and_then(|()| trail.end())
    }

    #[test]
    fn a_whole_trail_is_whole_gzipped_or_not() {
        let said = verdict(&lines(3), None).unwrap();
        assert!(
            said.starts_with("OK: 3 entries, 1 to 3, from 2026-11-01T00:00:00Z to 2026-11-03T00:00:00Z."),
            "{said}"
        );
        let mut gzip = GzEncoder::new(vec![], Compression::default());
        gzip.write_all(lines(3).join("\n").as_bytes()).unwrap();
        let mut trail = Trail::default();
        let file = plain(Cursor::new(gzip.finish().unwrap())).unwrap();
        assert!(trail.add(file).unwrap().is_ok());
        assert_eq!(trail.end(), Ok(said));
    }

    #[test]
    fn what_was_changed_removed_or_reordered_is_named() {
        let mut changed = lines(4);
        changed[1] = changed[1].replace("2026-11-02", "2026-11-20");
        assert_eq!(verdict(&changed, None), Err(Broken::Changed { seq: 2 }.to_string()));
        let mut removed = lines(4);
        removed.remove(2);
        assert_eq!(verdict(&removed, None), Err(Broken::Gap { expected: 3, found: 4 }.to_string()));
        let mut reordered = lines(4);
        reordered.swap(1, 2);
        assert_eq!(verdict(&reordered, None), Err(Broken::Gap { expected: 2, found: 3 }.to_string()));
        let mut cut = lines(4);
        cut.remove(3);
        assert_eq!(verdict(&cut, None), Err(Broken::CutShort { expected: 4, found: 3 }.to_string()));
    }

    #[test]
    fn a_hash_from_elsewhere_shows_that_nothing_before_it_was_cut_off_or_replaced() {
        let (short, long) = (lines(3), lines(4));
        for n in [0, 3] {
            let link: Link = serde_json::from_str(&long[n]).unwrap();
            assert!(verdict(&long, Some(&link.hash)).is_ok());
        }
        let last: Link = serde_json::from_str(&long[3]).unwrap();
        assert!(verdict(&short, Some(&last.hash)).unwrap_err().contains(&last.hash));
        assert!(verdict(&long, Some(BEGINNING)).is_err());
    }

    #[test]
    fn parts_are_read_one_after_the_other_and_a_part_alone_says_what_it_lacks() {
        let all = lines(5);
        let mut trail = Trail::default();
        assert!(trail.add(Cursor::new(all[..2].join("\n"))).unwrap().is_ok());
        assert!(trail.add(Cursor::new(all[2..].join("\n"))).unwrap().is_ok());
        assert!(trail.end().unwrap().starts_with("OK: 5 entries"));
        let said = verdict(&all[2..], None).unwrap();
        assert!(said.contains("What came before entry 3 is not in it"), "{said}");
    }

    #[test]
    fn what_is_no_export_is_an_error_and_no_verdict() {
        for wrong in ["not json", "{}", r#"{"seq":"x","hash":""}"#, r#"{"entry":1}"#] {
            assert!(Trail::default().add(Cursor::new(wrong)).is_err(), "{wrong}");
        }
        assert!(Options::read(["--what".to_owned()].into_iter()).is_err());
    }
}
