//! What a file is, by its content: what its name or the browser says counts for nothing.

use domain::personal::PersonalText;

use crate::edge::File;

/// The largest file that comes with a form, in bytes: a body of Lambda's has room for no more.
pub const MOST_BYTES: usize = 4_000_000;

/// Why a file is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// It is larger than [`MOST_BYTES`].
    Large,
    /// By its content it is none of what is taken.
    Type,
    /// Its name cannot be kept.
    Name,
}

/// The file that a form came with in its field `file`, if it is one of those that are kept, with its type and its name.
pub fn chosen(files: &[File]) -> Result<Option<(&File, FileType, PersonalText)>, Unfit> {
    let Some(file) = files.iter().find(|file| file.field == "file" && !file.name.is_empty()) else { return Ok(None) };
    if file.bytes.len() > MOST_BYTES {
        return Err(Unfit::Large);
    }
    match (FileType::of(&file.bytes, &file.name), PersonalText::parse(&file.name)) {
        (None, _) => Err(Unfit::Type),
        (_, Err(_)) => Err(Unfit::Name),
        (Some(_), Ok(name)) if name.as_str().contains('\n') => Err(Unfit::Name),
        (Some(kind), Ok(name)) => Ok(Some((file, kind, name))),
    }
}

/// The types that a request's files may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileType {
    /// Portable Document Format.
    Pdf,
    /// Portable Network Graphics.
    Png,
    /// JPEG.
    Jpeg,
    /// A text of a word processor, without macros.
    Docx,
    /// A spreadsheet, without macros.
    Xlsx,
    /// Plain text.
    Text,
    /// Values separated by commas.
    Csv,
    /// WebP: only as a photo of an identity document.
    Webp,
}

impl FileType {
    const ALL: [Self; 8] =
        [Self::Pdf, Self::Png, Self::Jpeg, Self::Docx, Self::Xlsx, Self::Text, Self::Csv, Self::Webp];

    /// What a photo of an identity document is; nothing where these bytes are none.
    #[must_use]
    pub fn of_photo(bytes: &[u8]) -> Option<Self> {
        match bytes {
            // RIFF, its length, WEBP (Google, "WebP Container Specification").
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            bytes => Self::of(bytes, "").filter(|it| matches!(it, Self::Pdf | Self::Png | Self::Jpeg)),
        }
    }

    /// What these bytes are; nothing where they are none of what is taken. The name only tells a table from a text.
    #[must_use]
    pub fn of(bytes: &[u8], name: &str) -> Option<Self> {
        let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        match bytes {
            [b'%', b'P', b'D', b'F', b'-', ..] => Some(Self::Pdf),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            // The names of a package's parts stand in the archive in the clear (ECMA-376-2). Macros have a part too.
            [b'P', b'K', 3, 4, ..] if holds(b"[Content_Types].xml") && !holds(b"vbaProject.bin") => {
                match (holds(b"word/document.xml"), holds(b"xl/workbook.xml")) {
                    (true, false) => Some(Self::Docx),
                    (false, true) => Some(Self::Xlsx),
                    _ => None,
                }
            }
            bytes => {
                let text = std::str::from_utf8(bytes).ok().filter(|text| !text.is_empty())?;
                if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
                    return None;
                }
                let is_table = name.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case("csv"));
                Some(if is_table { Self::Csv } else { Self::Text })
            }
        }
    }

    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Text => "text/plain; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Webp => "image/webp",
        }
    }

    /// How the names of such files end; the first is what is written.
    const fn ends(self) -> &'static [&'static str] {
        match self {
            Self::Pdf => &[".pdf"],
            Self::Png => &[".png"],
            Self::Jpeg => &[".jpg", ".jpeg"],
            Self::Docx => &[".docx"],
            Self::Xlsx => &[".xlsx"],
            Self::Text => &[".txt"],
            Self::Csv => &[".csv"],
            Self::Webp => &[".webp"],
        }
    }

    /// A file's name with the end that belongs to its type: a computer opens a file by that, and what was sent as
    /// `invoice.exe` is opened as the text that it is.
    #[must_use]
    pub fn file_name(stored: &str, name: &str) -> String {
        let ends = match Self::ALL.into_iter().find(|it| it.media_type() == stored) {
            Some(kind) => kind.ends(),
            None => &[".bin"],
        };
        let lower = name.trim_end().to_ascii_lowercase();
        if ends.iter().any(|end| lower.ends_with(end)) {
            return name.trim_end().to_owned();
        }
        format!("{}{}", name.trim_end(), ends.first().unwrap_or(&".bin"))
    }

    /// A stored media type as one of ours; bytes of no type where it is none.
    #[must_use]
    pub fn named(stored: &str) -> &'static str {
        let types = Self::ALL.map(Self::media_type);
        types.into_iter().find(|it| *it == stored).unwrap_or("application/octet-stream")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_content_says_whatever_its_name() {
        let zip = |part: &str| [b"PK\x03\x04[Content_Types].xml".as_slice(), part.as_bytes()].concat();
        for (bytes, name, is) in [
            (b"%PDF-1.7\n\xff".to_vec(), "a.txt", Some(FileType::Pdf)),
            (b"\x89PNG\r\n\x1a\n..".to_vec(), "a", Some(FileType::Png)),
            (b"\xff\xd8\xff\xe0".to_vec(), "a", Some(FileType::Jpeg)),
            (zip("word/document.xml"), "a", Some(FileType::Docx)),
            (zip("xl/workbook.xml"), "a", Some(FileType::Xlsx)),
            (zip("word/document.xml word/vbaProject.bin"), "a.docm", None),
            (b"PK\x03\x04anything".to_vec(), "a.docx", None),
            ("a,ñ\r\n".into(), "a.CSV", Some(FileType::Csv)),
            ("Hola, señora".into(), "a.pdf", Some(FileType::Text)),
            (b"MZ\x90\x00".to_vec(), "a.pdf", None),
            (b"\xff\xfe".to_vec(), "a.txt", None),
            (vec![], "a.txt", None),
        ] {
            assert_eq!(FileType::of(&bytes, name), is, "{name}");
        }
    }

    #[test]
    fn a_photo_of_an_identity_document_is_a_picture_or_a_pdf() {
        let cases: [(&[u8], Option<FileType>); 7] = [
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some(FileType::Webp)),
            (b"RIFF\x10\0\0\0WAVEfmt ", None),
            (b"\xff\xd8\xff\xe0", Some(FileType::Jpeg)),
            (b"%PDF-1.7", Some(FileType::Pdf)),
            (b"plain text", None),
            (b"<script>alert(1)</script>", None),
            (b"", None),
        ];
        for (bytes, is) in cases {
            assert_eq!(FileType::of_photo(bytes), is);
        }
        assert_eq!(FileType::of(b"RIFF\x10\0\0\0WEBPVP8 ", "a.webp"), None, "which no other form takes");
    }

    #[test]
    fn a_files_name_ends_as_its_content_says() {
        for (kind, name, named) in [
            (FileType::Pdf, "letter.PDF", "letter.PDF"),
            (FileType::Jpeg, "photo.jpeg", "photo.jpeg"),
            (FileType::Text, "invoice.exe", "invoice.exe.txt"),
            (FileType::Pdf, "pdf", "pdf.pdf"),
            (FileType::Csv, "table.csv ", "table.csv"),
            (FileType::Png, "señora.html", "señora.html.png"),
        ] {
            assert_eq!(FileType::file_name(kind.media_type(), name), named);
        }
        assert_eq!(FileType::file_name("text/html", "page.html"), "page.html.bin");
    }

    #[test]
    fn a_stored_type_is_found_again_and_nothing_else_is_believed() {
        for it in FileType::ALL {
            assert_eq!(FileType::named(it.media_type()), it.media_type());
        }
        assert_eq!(FileType::named("text/html"), "application/octet-stream");
    }
}
