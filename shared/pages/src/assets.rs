//! Style sheets, scripts and icon, under names that change with their content, so that browsers may keep them for good.
//!
//! A business's colour is a style sheet of its own, made from its name: `theme.0a5c8f.css`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::OnceLock;

use domain::colour::Colour;
use sha2::{Digest, Sha256};

/// A file that pages refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// What is in it.
    pub bytes: Cow<'static, [u8]>,
    /// What it is, for the `Content-Type` header.
    pub content_type: &'static str,
}

/// Name, content and type of each file.
type File = (&'static str, &'static [u8], &'static str);

const FILES: [File; 7] = [
    ("style.css", include_bytes!("../assets/style.css"), CSS),
    ("app.js", include_bytes!("../assets/app.js"), JS),
    ("consumer.css", include_bytes!("../assets/consumer.css"), CSS),
    ("consumer.js", include_bytes!("../assets/consumer.js"), JS),
    ("frame.js", include_bytes!("../assets/frame.js"), JS),
    ("human.js", include_bytes!("../assets/human.js"), JS),
    ("favicon.svg", include_bytes!("../assets/favicon.svg"), "image/svg+xml"),
];

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// Where assets are served.
const FOLDER: &str = "/dashboard/asset/";

/// The asset with this hashed name, `style.0123456789abcdef.css`, or a colour's style sheet. `None` for any other name, also
/// for an old hash.
#[must_use]
pub fn find(file_name: &str) -> Option<Asset> {
    let colour = file_name.strip_prefix("theme.").and_then(|rest| rest.strip_suffix(".css"));
    if let Some(colour) = colour.and_then(|digits| Colour::from_digits(digits).ok()) {
        return Some(Asset { bytes: Cow::Owned(theme(colour).into_bytes()), content_type: CSS });
    }
    let (_, (_, bytes, content_type)) = hashed_names().iter().zip(FILES).find(|(hashed, _)| *hashed == file_name)?;
    Some(Asset { bytes: Cow::Borrowed(bytes), content_type })
}

/// The address of an asset, by its plain name: `style.css` is at `/dashboard/asset/style.0123456789abcdef.css`.
///
/// A name that is not an asset's has the bare folder for an address, where nothing is found.
#[must_use]
pub fn path(name: &str) -> String {
    let hashed = FILES.iter().zip(hashed_names()).find(|((plain, ..), _)| *plain == name).map(|(_, hashed)| hashed);
    format!("{FOLDER}{}", hashed.map_or("", String::as_str))
}

/// The address of a colour's style sheet.
#[must_use]
pub fn theme_path(colour: Colour) -> String {
    format!("{FOLDER}theme.{}.css", colour.digits())
}

/// What a page has in a business's colour, in shades that can be read by day and by night.
fn theme(colour: Colour) -> String {
    let (black, night) = (Colour::BLACK, Colour::NIGHT);
    let day = colour.readable_on(Colour::WHITE, black);
    let lit = colour.readable_on(night, Colour::WHITE);
    format!(
        ":root{{--accent:light-dark({day},{lit});--accent-2:light-dark({},{});--on-accent:light-dark(#fff,{black});\
         --wash:light-dark({},{})}}\n",
        day.mixed(black, 6),
        lit.mixed(Colour::WHITE, 8),
        day.mixed(Colour::WHITE, 17),
        lit.mixed(night, 15),
    )
}

/// The plain names of all assets.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, ..)| *name)
}

fn hashed_names() -> &'static [String; FILES.len()] {
    static NAMES: OnceLock<[String; FILES.len()]> = OnceLock::new();
    NAMES.get_or_init(|| FILES.map(|(name, bytes, _)| hashed(name, bytes)))
}

fn hashed(name: &str, bytes: &[u8]) -> String {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let mut hashed = format!("{stem}.");
    for byte in Sha256::digest(bytes).iter().take(8) {
        // Writing to a String cannot fail.
        let _ = write!(hashed, "{byte:02x}");
    }
    hashed.push('.');
    hashed.push_str(extension);
    hashed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_asset_is_found_by_its_path_and_by_nothing_else() {
        for name in names() {
            let path = path(name);
            let file = path.strip_prefix(FOLDER).unwrap();
            assert_eq!(file.len(), name.len() + 17);
            assert!(find(file).is_some(), "{file}");
            assert!(find(name).is_none());
        }
        assert_eq!(find("style.0000000000000000.css"), None);
        assert_eq!(find("../Cargo.toml"), None);
        assert_eq!(find(""), None);
        assert_eq!(path("unknown"), FOLDER);
    }

    #[test]
    fn assets_stay_small() {
        let size = |name: &str| FILES.iter().find(|(plain, ..)| *plain == name).unwrap().1.len();
        assert!(size("style.css") < 32 * 1024, "{}", size("style.css"));
        assert!(size("app.js") < 8 * 1024, "{}", size("app.js"));
        assert!(size("consumer.css") < 8 * 1024 && size("consumer.js") < 4 * 1024);
        assert!(size("frame.js") < 2 * 1024);
        assert!(size("human.js") < 2 * 1024);
        assert!(size("favicon.svg") < 1_000);
    }

    #[test]
    fn the_style_sheet_asks_nobody_else_for_anything() {
        for (_, bytes, _) in FILES.iter().filter(|(.., kind)| *kind == CSS) {
            let css = str::from_utf8(bytes).unwrap();
            assert!(!css.contains("@import") && !css.contains("http:") && !css.contains("https:"));
        }
    }

    #[test]
    fn a_business_has_its_colour_in_shades_that_can_be_read() {
        let path = theme_path(Colour::parse("#ffd000").unwrap());
        let sheet = find(path.strip_prefix(FOLDER).unwrap()).unwrap();
        assert_eq!(sheet.content_type, CSS);
        let sheet = String::from_utf8(sheet.bytes.into_owned()).unwrap();
        // Yellow cannot be read on white, so by day it is darker.
        assert!(sheet.contains("--accent:light-dark(#") && sheet.contains(",#ffd000)"), "{sheet}");
        for wrong in ["theme.ffd00.css", "theme.FFD000.css", "theme.ffd000;.css", "theme..css"] {
            assert_eq!(find(wrong), None);
        }
    }
}
