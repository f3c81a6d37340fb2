//! `GET` and `POST /dashboard/audit-export`: the trail as a file that anybody can check.
//!
//! One line of JSON per entry, as it was hashed, and a last line with the number and hash at which the file ends
//! and at which the trail itself ended then; the tool `verify-audit` reads it, and so do fifteen lines of any language. A long trail comes in parts, each of which
//! says where it begins.

use std::io::Write;
use std::ops::ControlFlow;

use domain::audit::{Act, Link};
use domain::language::Language;
use flate2::Compression;
use flate2::write::GzEncoder;
use maud::{Markup, html};
use pages::form::{self, Button, Form, Select};
use pages::show::{self, Card, Empty, Facts, Heading};
use pages::{Frame, Icon, Section, fill, format};
use platform::edge::{Page, Visit};
use platform::session::{Allowed, ExportAudit};
use platform::store::{FIRST_MONTH, Head, months};
use platform::{App, Error};
use serde::Serialize;
use serde_json::json;

use crate::setup::entry;

/// Entries of one file. Compressed, each takes some 150 bytes.
const PER_FILE: u64 = 15_000;
/// Lambda answers with at most 6 MB, a third of which base64 needs.
const BYTES: usize = 4_000_000;

/// Shows what there is, or writes a file.
pub async fn handle(app: &App, allowed: Allowed<ExportAudit>, visit: Visit) -> Result<Page, Error> {
    let store = app.store.of(&allowed.tenant);
    if !visit.post {
        let head = store.trail_head().await?;
        return Ok(Page::html(show(&allowed.frame(&visit, Section::Audit), &head)));
    }
    let wanted = Wanted::sent(visit.form.get("from"), visit.form.get("to"), visit.form.get("behind"));
    let wanted = wanted.ok_or_else(|| Error::invalid("from", "Choose months of the list."))?;
    let entry = entry(&allowed, &visit, Act::AuditExported)
        .with("from", &wanted.from)
        .with("to", &wanted.to)
        .with("behind", wanted.behind.to_string());
    store.record(&entry).await?;
    // Where the trail ends now, this export's own entry included: that far the file goes at most.
    let head = store.trail_head().await?;
    let mut file = File::new(head);
    store.walk_trail(wanted.months(&file.head.month), wanted.behind, |link| file.take(&link)).await?;
    let name = file.name();
    Ok(Page::download("application/gzip", &name, file.finish()?))
}

/// Which part of the trail.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    from: String,
    to: String,
    behind: u64,
}

impl Wanted {
    /// Months in their order; entries behind a number.
    fn sent(from: &str, to: &str, behind: &str) -> Option<Self> {
        let behind = if behind.is_empty() { 0 } else { behind.parse().ok()? };
        let written = |month: &str| month.len() == FIRST_MONTH.len();
        if !written(from) || !written(to) {
            return None;
        }
        months(FIRST_MONTH, from).next()?;
        months(from, to).next()?;
        Some(Self { from: from.to_owned(), to: to.to_owned(), behind })
    }

    /// The months up to the one in which the trail ends: there is nothing in those behind it.
    fn months(&self, last: &str) -> impl Iterator<Item = String> + use<> {
        months(&self.from, self.to.as_str().min(last))
    }
}

/// A file that grows entry by entry; only what is compressed is held.
struct File {
    head: Head,
    gzip: GzEncoder<Vec<u8>>,
    first: Option<u64>,
    last: Option<(u64, String)>,
    entries: u64,
}

impl File {
    fn new(head: Head) -> Self {
        Self { head, gzip: GzEncoder::new(vec![], Compression::default()), first: None, last: None, entries: 0 }
    }

    fn take(&mut self, link: &Link) -> Result<ControlFlow<()>, Error> {
        self.line(link)?;
        self.first.get_or_insert(link.seq);
        self.last = Some((link.seq, link.hash.clone()));
        self.entries += 1;
        let full = link.seq >= self.head.seq || self.entries >= PER_FILE || self.gzip.get_ref().len() >= BYTES;
        Ok(if full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    /// `audit-000001-015000.jsonl.gz`.
    fn name(&self) -> String {
        let last = self.last.as_ref().map_or(0, |(seq, _)| *seq);
        format!("audit-{:06}-{last:06}.jsonl.gz", self.first.unwrap_or(0))
    }

    fn finish(mut self) -> Result<Vec<u8>, Error> {
        let (seq, hash) = self.last.take().unwrap_or_else(|| (0, domain::audit::BEGINNING.to_owned()));
        let head = json!({ "seq": self.head.seq, "hash": self.head.hash });
        self.line(&json!({ "seq": seq, "hash": hash, "head": head, "reaches-head": seq >= self.head.seq }))?;
        self.gzip.finish().map_err(Error::failed("writing an export"))
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), Error> {
        serde_json::to_writer(&mut self.gzip, value).map_err(Error::failed("writing an export"))?;
        self.gzip.write_all(b"\n").map_err(Error::failed("writing an export"))
    }
}

fn show(frame: &Frame, head: &Head) -> Markup {
    let (language, texts) = (frame.language, Texts::of(frame.language));
    let all: Vec<String> = months(FIRST_MONTH, &head.month).collect();
    let first = all.first().cloned().unwrap_or_default();
    let named = |month: &String| {
        let name = format!("{month}-01").parse().map(|date| format::month(language, date));
        (month.clone(), name.unwrap_or_else(|_| month.clone()))
    };
    let main = html! {
        (Heading::new(texts.title).lede(texts.lede).above(language, &[("/dashboard/audit", Section::Audit.name(language))]))
        @if head.seq == 0 {
            (Empty::new(texts.none, texts.none_why).icon(Icon::Chain))
        } @else {
            (Card::new(texts.head).lede(texts.head_why).body(html! {
                (Facts::new().fact(texts.entries, html! { (format::number(i128::from(head.seq))) }))
                (show::copyable(language, "head", texts.hash, &head.hash))
            }))
            (Card::new(texts.whole).body(html! {
                @for part in 0..head.seq.div_ceil(PER_FILE) {
                    @let (from, to) = (part * PER_FILE + 1, ((part + 1) * PER_FILE).min(head.seq));
                    @let name = fill(texts.part, &[
                        ("from", &format::number(i128::from(from))), ("to", &format::number(i128::from(to))),
                    ]);
                    (Form::post(language, "/dashboard/audit-export", frame.csrf.as_str()).plain().body(html! {
                        (form::hidden("from", &first))
                        (form::hidden("to", &head.month))
                        (form::hidden("behind", &(part * PER_FILE).to_string()))
                        (Button::primary(name).icon(Icon::Download))
                    }))
                }
            }))
            (Card::new(texts.range).lede(texts.range_why).body(html! {
                (Form::post(language, "/dashboard/audit-export", frame.csrf.as_str()).id("range").plain().body(html! {
                    (form::row(&html! {
                        (Select::new("from", texts.from).within("range").choices(all.iter().map(named)).chosen(&head.month))
                        (Select::new("to", texts.to).within("range").choices(all.iter().map(named)).chosen(&head.month))
                    }))
                    (form::actions(&html! { (Button::secondary(texts.download).icon(Icon::Download)) }))
                }))
            }))
            (Card::new(texts.verify).body(html! {
                p { (texts.verify_how) }
                (show::copyable(language, "verify", texts.command, &format!("verify-audit --head {} audit-000001-….jsonl.gz", head.hash)))
            }))
        }
    };
    pages::page(frame, texts.title, &main)
}

#[derive(Serialize)]
struct Texts {
    title: &'static str,
    lede: &'static str,
    none: &'static str,
    none_why: &'static str,
    head: &'static str,
    head_why: &'static str,
    entries: &'static str,
    hash: &'static str,
    whole: &'static str,
    part: &'static str,
    range: &'static str,
    range_why: &'static str,
    from: &'static str,
    to: &'static str,
    download: &'static str,
    verify: &'static str,
    verify_how: &'static str,
    command: &'static str,
}

impl Texts {
    const EN: Self = Self {
        title: "Export and verify",
        lede: "Each entry carries the hash of the one before. Whoever has the file can check that nothing was changed, removed or reordered.",
        none: "Nothing to export yet",
        none_why: "The trail begins with the first sign-in.",
        head: "Where the trail ends now",
        head_why: "Write the last hash down somewhere else, or have it witnessed: then not even the end of the trail can be cut off unseen. This export adds an entry of its own.",
        entries: "Entries",
        hash: "Hash of the last entry",
        whole: "The whole trail",
        part: "Download entries {from} to {to}",
        range: "Some months",
        range_why: "Begins in the middle of the chain: to check it, the tool needs --from with the number and hash of the entry before. At most 15,000 entries.",
        from: "From",
        to: "To",
        download: "Download",
        verify: "Check a file",
        verify_how: "The tool is part of Optline’s source, in infra/verify-audit, and needs neither an account nor a network. Its documentation has the same check in fifteen lines of Python. Give it the parts of a long trail in their order.",
        command: "Command",
    };
    const ES: Self = Self {
        title: "Exportar y verificar",
        lede: "Cada entrada lleva el hash de la anterior. Quien tenga el archivo puede comprobar que nada se cambió, se quitó ni se desordenó.",
        none: "Todavía no hay nada que exportar",
        none_why: "El registro empieza con el primer inicio de sesión.",
        head: "Dónde termina ahora el registro",
        head_why: "Anote el último hash en otro lugar, o hágalo certificar: así ni siquiera se podrá cortar el final sin que se note. Esta exportación añade su propia entrada.",
        entries: "Entradas",
        hash: "Hash de la última entrada",
        whole: "Todo el registro",
        part: "Descargar entradas de {from} a {to}",
        range: "Algunos meses",
        range_why: "Empieza en medio de la cadena: para comprobarlo, la herramienta necesita --from con el número y el hash de la entrada anterior. Hasta 15,000 entradas.",
        from: "Desde",
        to: "Hasta",
        download: "Descargar",
        verify: "Comprobar un archivo",
        verify_how: "La herramienta está en el código fuente de Optline, en infra/verify-audit, y no necesita cuenta ni red. Su documentación trae la misma comprobación en quince líneas de Python. Dele las partes de un registro largo en su orden.",
        command: "Comando",
    };

    const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &Self::EN,
            Language::Spanish => &Self::ES,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use domain::audit::{BEGINNING, verify};
    use flate2::read::GzDecoder;

    use super::*;
    use crate::setup::tests::{frame, main_of};

    #[test]
    fn both_languages_say_the_same() {
        assert_eq!(pages::texts::differences(&Texts::EN, &Texts::ES), Vec::<String>::new());
    }

    #[test]
    fn a_file_holds_the_links_as_they_were_hashed_and_says_where_it_ends() {
        let head = Head { seq: 7, hash: "0a".repeat(32), month: "2026-11".into() };
        let mut file = File::new(head.clone());
        let mut previous = BEGINNING.to_owned();
        for seq in 0..3 {
            let link = Link::after(seq, &previous, format!(r#"{{"n":{seq}}}"#));
            assert!(file.take(&link).unwrap().is_continue());
            previous = link.hash;
        }
        assert_eq!(file.name(), "audit-000001-000003.jsonl.gz");
        let mut text = String::new();
        GzDecoder::new(file.finish().unwrap().as_slice()).read_to_string(&mut text).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let taken: Vec<Link> = lines[..3].iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(verify(&taken).unwrap().state(), (3, 3, previous.as_str()));
        let last: serde_json::Value = serde_json::from_str(lines[3]).unwrap();
        let head = json!({ "seq": 7, "hash": head.hash });
        assert_eq!(last, json!({ "seq": 3, "hash": previous, "head": head, "reaches-head": false }));
    }

    #[test]
    fn a_file_ends_with_the_trail_and_asks_for_no_month_behind_it() {
        let link = Link::after(0, BEGINNING, "{}".to_owned());
        let mut file = File::new(Head { seq: 1, hash: link.hash.clone(), month: "2026-12".into() });
        assert!(file.take(&link).unwrap().is_break());
        let wanted = Wanted::sent("2026-11", "9999-12", "").unwrap();
        assert_eq!(wanted.months("2026-12").collect::<Vec<_>>(), ["2026-11", "2026-12"]);
    }

    #[test]
    fn only_months_in_their_order_are_exported() {
        assert!(Wanted::sent("2026-11", "2027-01", "").is_some_and(|wanted| wanted.behind == 0));
        assert!(Wanted::sent("2026-11", "2026-11", "15000").is_some_and(|wanted| wanted.behind == 15_000));
        for (from, to, behind) in [
            ("2026-1", "2026-11", ""),
            ("2027-01", "2026-11", ""),
            ("", "", ""),
            ("1999-01", "2026-11", ""),
            ("2026-11", "2026-11", "x"),
        ] {
            assert_eq!(Wanted::sent(from, to, behind), None);
        }
    }

    #[test]
    fn a_long_trail_is_offered_in_parts() {
        let head = Head { seq: 31_000, hash: "0a".repeat(32), month: "2027-01".into() };
        insta::assert_snapshot!(main_of(show(&frame(Language::English, Section::Audit), &head)));
    }
}
