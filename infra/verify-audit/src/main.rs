//! `verify-audit`: says whether an exported audit trail is whole. Needs the files and nothing else: no account, no network.
//!
//! ```text
//! verify-audit [--head HASH] [--from SEQ HASH] [FILE…]
//! ```
//!
//! The files are the parts of one export in their order, gzipped or not; `-` is standard input.
//!
//! `--head` is a hash that was written down elsewhere, when the trail ended there: it must be in the trail still, and then
//! nothing up to it was replaced or cut off either. `--from` is the number and hash of the entry before the first one of
//! the files, known from the part before or from elsewhere; without it, the files must begin at the first entry.
//!
//! | ends with | where |
//! |---|---|
//! | 0 | nothing was changed, removed or reordered, from the first entry (or from `--from`) to where the files end |
//! | 1 | something was; it says which entry |
//! | 2 | it could not look: no such file, no export, wrong arguments |
//! | 3 | the files are whole in themselves but begin in the middle, or hold nothing: what came before was not checked |
//!
//! Whoever would rather not trust this program writes their own. Each line of an export is `{"seq", "previous", "entry",
//! "hash"}`, and the hash is SHA-256 over the hash before, a line break and the entry; before the first are 64 zeros.
//! A file's last line is the `{"seq", "hash"}` at which it ends, with the `head`, number and hash, at which the trail
//! itself ended when it was exported, and whether the file goes so far. In Python:
//!
//! ```python
//! import gzip, hashlib, json, sys
//!
//! seq, previous, ended = 0, "0" * 64, False
//! for name in sys.argv[1:]:
//!     ended = False
//!     for line in gzip.open(name, "rt", encoding="utf-8"):
//!         link = json.loads(line)
//!         assert not ended, "something follows on the last line"
//!         if "entry" not in link:
//!             assert (link["seq"], link["hash"]) == (seq, previous), f"the file does not end at entry {seq}"
//!             ended = True
//!             continue
//!         assert link["seq"] == seq + 1, f"entry {seq + 1} is missing, or out of order"
//!         assert link["previous"] == previous, f"entry {link['seq']} does not follow from the one before"
//!         text = previous + "\n" + link["entry"]
//!         assert hashlib.sha256(text.encode()).hexdigest() == link["hash"], f"entry {link['seq']} was changed"
//!         seq, previous = link["seq"], link["hash"]
//!     assert ended, f"{name} was cut off"
//! print(seq, "entries, whole; the last hash is", previous)
//! ```

use std::env;
use std::error::Error;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::ExitCode;

use domain::audit::{Link, Verifier};
use flate2::read::MultiGzDecoder;

const USAGE: &str = "verify-audit [--head HASH] [--from SEQ HASH] [FILE…]";

fn main() -> ExitCode {
    let said = match Options::read(env::args().skip(1)).and_then(|options| check(&options)) {
        Ok(Verdict::Whole(found)) => (format!("OK: {found}\n"), 0),
        Ok(Verdict::Broken(why)) => (format!("BROKEN: {why}.\n"), 1),
        Ok(Verdict::Part(found)) => (format!("INCOMPLETE: {found}\n"), 3),
        Err(failed) => (format!("verify-audit: {failed}\n"), 2),
    };
    let (text, code) = said;
    // Where nobody reads, the code still tells.
    let _ = if code == 2 { io::stderr().write_all(text.as_bytes()) } else { io::stdout().write_all(text.as_bytes()) };
    ExitCode::from(code)
}

type Failed = Box<dyn Error>;

/// What is said of a trail.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Whole(String),
    Broken(String),
    /// Whole in itself; what came before is not known.
    Part(String),
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    head: Option<String>,
    from: Option<(u64, String)>,
    files: Vec<String>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failed> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--head" => options.head = Some(arguments.next().ok_or("--head needs a hash")?.to_lowercase()),
                "--from" => {
                    let seq = arguments.next().and_then(|seq| seq.parse().ok());
                    let hash = arguments.next().map(|hash| hash.to_lowercase());
                    options.from = Some(seq.zip(hash).ok_or("--from needs a number and a hash")?);
                }
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

fn check(options: &Options) -> Result<Verdict, Failed> {
    let mut trail = Trail::new(options.head.clone(), options.from.clone());
    for name in &options.files {
        let file: Box<dyn Read> = match name.as_str() {
            "-" => Box::new(io::stdin()),
            name => Box::new(File::open(name).map_err(|why| format!("{name} cannot be read: {why}"))?),
        };
        if let Err(why) = trail.add(plain(file)?).map_err(|why| format!("{name}: {why}"))? {
            return Ok(Verdict::Broken(why));
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
    /// Whether what comes before the first entry is known.
    from: Option<(u64, String)>,
    first: Option<(u64, String)>,
    last: Option<String>,
    /// A hash that must come by.
    head: Option<String>,
    /// Where the trail ended when the last file was written.
    ends: Option<u64>,
}

impl Trail {
    fn new(head: Option<String>, from: Option<(u64, String)>) -> Self {
        let verifier = from.as_ref().map_or_else(Verifier::new, |(seq, hash)| Verifier::behind(*seq, hash));
        Self { verifier, from, head, ..Self::default() }
    }

    /// Reads one file. The inner error is what is broken.
    fn add(&mut self, file: impl BufRead) -> Result<Result<(), String>, Failed> {
        let mut ended = false;
        for (number, line) in (1..).zip(file.lines()) {
            let line = line?;
            if line.trim().is_empty() {
                continue;
            }
            let value: serde_json::Value =
                serde_json::from_str(&line).map_err(|why| format!("line {number} is not JSON: {why}"))?;
            let checked = if ended {
                Err("a file goes on behind its last line".to_owned())
            } else if value.get("entry").is_some() {
                let entry: Link = serde_json::from_value(value).map_err(|why| format!("line {number}: {why}"))?;
                self.next(&entry)
            } else {
                ended = true;
                self.trailer(&value).map_err(|why| format!("line {number}: {why}"))?
            };
            if checked.is_err() {
                return Ok(checked);
            }
        }
        let (_, seq, _) = self.verifier.state();
        Ok(if ended {
            Ok(())
        } else {
            Err(format!("a file breaks off at entry {seq}: it does not say that it ends there"))
        })
    }

    fn next(&mut self, link: &Link) -> Result<(), String> {
        // An export of some months begins in the middle: from there on it can be checked.
        if self.first.is_none() && self.from.is_none() && link.seq > 1 {
            self.verifier = Verifier::behind(link.seq - 1, &link.previous);
        }
        self.verifier.next(link).map_err(|broken| broken.to_string())?;
        let at = time(&link.entry);
        self.first.get_or_insert_with(|| (link.seq, at.clone()));
        self.last = Some(at);
        self.head.take_if(|head| *head == link.hash);
        Ok(())
    }

    /// A file's last line: where the file ends, and where the trail did.
    fn trailer(&mut self, value: &serde_json::Value) -> Result<Result<(), String>, Failed> {
        let place = |of: &serde_json::Value| {
            let seq = of.get("seq").and_then(serde_json::Value::as_u64)?;
            Some((seq, of.get("hash")?.as_str()?.to_owned()))
        };
        let (seq, hash) = place(value).ok_or("neither an entry nor the end of a file")?;
        let head = match value.get("head") {
            Some(head) => Some(place(head).ok_or("the head has no number or no hash")?),
            None => None,
        };
        self.ends = head.as_ref().map(|(seq, _)| *seq);
        let (checked, _, _) = self.verifier.state();
        // A file without entries ends at nothing.
        if !(checked == 0 && seq == 0)
            && let Err(broken) = self.verifier.ends_at(seq, &hash)
        {
            return Ok(Err(broken.to_string()));
        }
        Ok(match head {
            Some((head, _)) if head < seq => Err(format!("the trail ended at entry {head}, before this file does")),
            Some((head, of)) if head == seq && of != hash => {
                Err(format!("entry {seq} is not the one at which the trail ended"))
            }
            _ => Ok(()),
        })
    }

    fn end(&self) -> Verdict {
        let (checked, seq, hash) = self.verifier.state();
        if let Some(head) = &self.head {
            return Verdict::Broken(format!(
                "no entry has the hash {head}: the trail was replaced, or cut off before it"
            ));
        }
        let (first, from) = self.first.clone().unwrap_or_default();
        let to = self.last.clone().unwrap_or_default();
        let reaches = match self.ends {
            Some(head) if head > seq => format!(" The trail went on to entry {head} when it was exported."),
            Some(_) => " It went no further when it was exported.".to_owned(),
            None => String::new(),
        };
        if checked == 0 {
            return match self.ends {
                Some(head) if head > 0 => Verdict::Part(format!("no entries.{reaches}")),
                _ => Verdict::Whole("no entries.".to_owned()),
            };
        }
        let found =
            format!("{checked} entries, {first} to {seq}, from {from} to {to}. The last hash is {hash}.{reaches}");
        if first > 1 && self.from.is_none() {
            let before = first - 1;
            return Verdict::Part(format!(
                "{found} What came before entry {first} was not checked: give the parts before it, or --from {before} \
                 with the hash of entry {before}."
            ));
        }
        Verdict::Whole(found)
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

    use domain::audit::{BEGINNING, Broken};
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

    fn read(lines: &[String], trail: &mut Trail) -> Verdict {
        match trail.add(Cursor::new(lines.join("\n"))).unwrap() {
            Ok(()) => trail.end(),
            Err(why) => Verdict::Broken(why),
        }
    }

    fn verdict(lines: &[String], head: Option<&str>) -> Verdict {
        read(lines, &mut Trail::new(head.map(str::to_owned), None))
    }

    fn broken(why: &Broken) -> Verdict {
        Verdict::Broken(why.to_string())
    }

    fn trailer(line: &str, head: u64) -> String {
        let Link { seq, hash, .. } = serde_json::from_str(line).unwrap();
        format!(r#"{{"seq":{seq},"hash":"{hash}","head":{{"seq":{head},"hash":"{hash}"}},"reaches-head":false}}"#)
    }

    #[test]
    fn a_whole_trail_is_whole_gzipped_or_not() {
        let said = verdict(&lines(3), None);
        let Verdict::Whole(text) = &said else { panic!("{said:?}") };
        assert!(text.starts_with("3 entries, 1 to 3, from 2026-11-01T00:00:00Z to 2026-11-03T00:00:00Z."), "{text}");
        let mut gzip = GzEncoder::new(vec![], Compression::default());
        gzip.write_all(lines(3).join("\n").as_bytes()).unwrap();
        let mut trail = Trail::default();
        let file = plain(Cursor::new(gzip.finish().unwrap())).unwrap();
        assert!(trail.add(file).unwrap().is_ok());
        assert_eq!(trail.end(), said);
    }

    #[test]
    fn what_was_changed_removed_or_reordered_is_named() {
        let mut changed = lines(4);
        changed[1] = changed[1].replace("2026-11-02", "2026-11-20");
        assert_eq!(verdict(&changed, None), broken(&Broken::Changed { seq: 2 }));
        let mut removed = lines(4);
        removed.remove(2);
        assert_eq!(verdict(&removed, None), broken(&Broken::Gap { expected: 3, found: 4 }));
        let mut reordered = lines(4);
        reordered.swap(1, 2);
        assert_eq!(verdict(&reordered, None), broken(&Broken::Gap { expected: 2, found: 3 }));
        let mut cut = lines(4);
        cut.remove(3);
        assert_eq!(verdict(&cut, None), broken(&Broken::CutShort { expected: 4, found: 3 }));
    }

    #[test]
    fn a_file_that_does_not_say_where_it_ends_was_cut_off() {
        let all = lines(4);
        for kept in [0, 2, 4] {
            let said = verdict(&all[..kept], None);
            assert!(matches!(&said, Verdict::Broken(why) if why.contains(&format!("entry {kept}"))), "{said:?}");
        }
        let mut more = all.clone();
        more.push(all[4].clone());
        assert!(matches!(verdict(&more, None), Verdict::Broken(_)));
    }

    #[test]
    fn a_hash_from_elsewhere_shows_that_nothing_before_it_was_cut_off_or_replaced() {
        let (short, long) = (lines(3), lines(4));
        for n in [0, 3] {
            let link: Link = serde_json::from_str(&long[n]).unwrap();
            assert!(matches!(verdict(&long, Some(&link.hash)), Verdict::Whole(_)));
        }
        let last: Link = serde_json::from_str(&long[3]).unwrap();
        assert!(matches!(verdict(&short, Some(&last.hash)), Verdict::Broken(why) if why.contains(&last.hash)));
        assert!(matches!(verdict(&long, Some(BEGINNING)), Verdict::Broken(_)));
    }

    #[test]
    fn parts_are_read_one_after_the_other_and_a_part_alone_needs_to_be_told_what_it_follows() {
        let all = lines(5);
        let first = [&all[..2], &[trailer(&all[1], 5)]].concat();
        let mut trail = Trail::default();
        let Verdict::Whole(text) = read(&first, &mut trail) else { panic!() };
        assert!(text.contains("went on to entry 5"), "{text}");
        assert!(matches!(read(&all[2..], &mut trail), Verdict::Whole(text) if text.starts_with("5 entries")));
        let said = verdict(&all[2..], None);
        assert!(matches!(&said, Verdict::Part(text) if text.contains("What came before entry 3 was not checked")));
        let before: Link = serde_json::from_str(&all[1]).unwrap();
        let from = |seq, hash: &str| read(&all[2..], &mut Trail::new(None, Some((seq, hash.to_owned()))));
        assert!(matches!(from(2, &before.hash), Verdict::Whole(_)));
        assert_eq!(from(2, BEGINNING), broken(&Broken::Unlinked { seq: 3 }));
        assert_eq!(from(1, &before.hash), broken(&Broken::Gap { expected: 2, found: 3 }));
    }

    #[test]
    fn a_head_that_does_not_fit_the_file_is_a_break() {
        let all = lines(3);
        let at = |head: &str| {
            let mut lines = all.clone();
            let of: serde_json::Value = serde_json::from_str(&all[3]).unwrap();
            let hash = of["hash"].as_str().unwrap();
            lines[3] = format!(r#"{{"seq":3,"hash":"{hash}","head":{head}}}"#);
            verdict(&lines, None)
        };
        assert!(matches!(at(r#"{"seq":2,"hash":"00"}"#), Verdict::Broken(_)));
        assert!(matches!(at(r#"{"seq":3,"hash":"00"}"#), Verdict::Broken(_)));
        assert!(matches!(at(r#"{"seq":4,"hash":"00"}"#), Verdict::Whole(_)));
    }

    #[test]
    fn what_is_no_export_is_an_error_and_no_verdict() {
        for wrong in ["not json", "{}", r#"{"seq":"x","hash":""}"#, r#"{"entry":1}"#] {
            assert!(Trail::default().add(Cursor::new(wrong)).is_err(), "{wrong}");
        }
        for wrong in [&["--what"][..], &["--from", "3"], &["--from", "x", "00"], &["--head"]] {
            assert!(Options::read(wrong.iter().map(|word| (*word).to_owned())).is_err(), "{wrong:?}");
        }
        let options = Options::read(["--from", "3", "AB"].into_iter().map(str::to_owned)).unwrap();
        assert_eq!(options.from, Some((3, "ab".to_owned())));
    }
}
